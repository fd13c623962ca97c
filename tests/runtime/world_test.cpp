// The world: configuration, clocks and threads, as the C face sees them. What RTMv2 itself does is
// tests/conformance/rtmv2.
#include "runtime/world.h"

#include <gtest/gtest.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/testing.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace turnpike::runtime {
namespace {

// Threads of this process whose name begins so.
std::size_t threads_named(const std::string& name) {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    if (FILE* file = fopen((task.path() / "comm").c_str(), "r")) {
      char buffer[32] = {};
      comm = fgets(buffer, sizeof buffer, file) != nullptr ? buffer : "";
      fclose(file);
    }
    count += comm.rfind(name, 0) == 0 ? 1 : 0;
  }
  return count;
}

// No such thread is left: one that was joined can stand in /proc a moment longer.
bool none_is_named(const std::string& name) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (threads_named(name) != 0) {
    if (std::chrono::steady_clock::now() > until) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

RTM_ENTITY_HANDLE join(ULONG protocol, RTM_EVENT_CALLBACK callback = nullptr) {
  RTM_ENTITY_INFO info = {};
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = protocol;
  RTM_REGN_PROFILE profile;
  RTM_ENTITY_HANDLE handle = nullptr;
  EXPECT_EQ(RtmRegisterEntity(&info, nullptr, callback, FALSE, &profile, &handle), DWORD{NO_ERROR});
  return handle;
}

DWORD add(RTM_ENTITY_HANDLE self, ULONG time_to_live) {
  RTM_NET_ADDRESS address = {};
  RTM_IPV4_SET_ADDR_AND_LEN(&address, 10, 8);
  RTM_ROUTE_INFO route = {};
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  return RtmAddRouteToDest(self, nullptr, &address, &route, time_to_live, nullptr, 0, nullptr, &flags);
}

std::atomic<int> expired{0};
DWORD WINAPI count_expiries(RTM_ENTITY_HANDLE, RTM_EVENT_TYPE type, PVOID, PVOID) {
  expired += type == RTM_ROUTE_EXPIRED ? 1 : 0;
  return ERROR_NOT_SUPPORTED;
}

TEST(World, ThreadsComeWithTheNeedAndGoWithTheLastClient) {
  expired = 0;
  ASSERT_TRUE(none_is_named("tp-"));  // of a test before this one
  const RTM_ENTITY_HANDLE idle = join(1);
  const RTM_ENTITY_HANDLE rip = join(8, count_expiries);
  EXPECT_EQ(threads_named("tp-"), 0U);
  ASSERT_EQ(add(rip, 1), DWORD{NO_ERROR});  // on the system's clock: what is waited for is the event itself
  while (expired == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(threads_named("tp-notify"), 1U);
  EXPECT_EQ(threads_named("tp-rtm-timers"), 1U);
  ASSERT_EQ(RtmDeregisterEntity(rip), DWORD{NO_ERROR});
  ASSERT_EQ(RtmDeregisterEntity(idle), DWORD{NO_ERROR});
  EXPECT_TRUE(none_is_named("tp-"));
}

TEST(World, ClocksAndConfigurationChangeOnlyWithoutClients) {
  const RTM_ENTITY_HANDLE rip = join(8);
  EXPECT_EQ(TpClockUseTest(), 0);
  EXPECT_EQ(TpClockUseSystem(), 0);
  EXPECT_EQ(TpClockAdvance(1), 0) << "the clock is the system's";
  EXPECT_EQ(TpRtmConfigure(nullptr, 0), 0);
  ASSERT_EQ(RtmDeregisterEntity(rip), DWORD{NO_ERROR});
  EXPECT_EQ(TpClockUseTest(), 1);
  EXPECT_EQ(TpClockAdvance(1), 1);
  EXPECT_EQ(TpClockUseSystem(), 1);
  EXPECT_EQ(TpRtmConfigure(nullptr, 0), 1);
}

TEST(World, TheTestClockGoesFromDeadlineToDeadline) {
  expired = 0;
  ASSERT_EQ(TpClockUseTest(), 1);
  const RTM_ENTITY_HANDLE rip = join(8, count_expiries);
  ASSERT_EQ(add(rip, 1000), DWORD{NO_ERROR});
  EXPECT_EQ(TpClockAdvance(999), 1);
  EXPECT_EQ(expired, 0);
  EXPECT_EQ(TpClockAdvance(1), 1);
  EXPECT_EQ(expired, 1);
  EXPECT_EQ(TpObjectCount(TP_KIND_ROUTE), 0U);
  ASSERT_EQ(RtmDeregisterEntity(rip), DWORD{NO_ERROR});
  EXPECT_EQ(TpClockUseSystem(), 1);
}

TEST(World, HandlesOfAFormerConfigurationAreRefused) {
  const RTM_ENTITY_HANDLE before = join(8);
  ASSERT_EQ(RtmDeregisterEntity(before), DWORD{NO_ERROR});
  const TP_RTM_TABLE table = {0, AF_INET, 2, 10, 1, 1};
  ASSERT_EQ(TpRtmConfigure(&table, 1), 1);
  const RTM_ENTITY_HANDLE after = join(8);
  EXPECT_NE(before, after);
  EXPECT_EQ(RtmDeregisterEntity(before), DWORD{ERROR_INVALID_HANDLE});
  ASSERT_EQ(RtmDeregisterEntity(after), DWORD{NO_ERROR});
  ASSERT_EQ(TpRtmConfigure(nullptr, 0), 1);
}

}  // namespace
}  // namespace turnpike::runtime
