// Many threads, several entities each, all in one table: added, deleted, enumerated, searched, told, taken down.
//
// What can be asserted without an order: every call answers with a code that the contract allows there, routes that a
// thread added and nobody else may touch are found again with what it wrote, a subscriber that reads to the end has
// seen the last state of every destination, and afterwards nothing is left. The race detector watches the rest.
#include <gtest/gtest.h>
#define MPR50 1  // the version of the router that routprot.h describes
#include <routprot.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/testing.h>
#include <winerror.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace turnpike::model {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 12;
constexpr unsigned kRoutes = 96;

RTM_NET_ADDRESS net_address(std::uint32_t address, int length) {
  RTM_NET_ADDRESS result{};
  result.AddressFamily = AF_INET;
  result.NumBits = static_cast<USHORT>(length);
  for (int i = 0; i < 4; ++i) result.AddrBits[i] = static_cast<UCHAR>(address >> (24 - 8 * i));
  return result;
}

std::uint32_t address_in(const RTM_NET_ADDRESS& prefix) {
  const UCHAR* bits = prefix.AddrBits;
  return std::uint32_t{bits[0]} << 24 | std::uint32_t{bits[1]} << 16 | std::uint32_t{bits[2]} << 8 | bits[3];
}

// What a subscriber was told last of each destination.
class Watcher {
 public:
  void note(const RTM_DEST_INFO& record) {
    const std::lock_guard lock(mutex_);
    best_[address_in(record.DestAddress)] = record.ViewInfo[0].Route;
  }
  bool was_told(std::uint32_t address, RTM_ROUTE_HANDLE best) {
    const std::lock_guard lock(mutex_);
    const auto found = best_.find(address);
    return found != best_.end() && found->second == best;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, RTM_ROUTE_HANDLE> best_;
};

// Reads whatever waits, inside the event: the callback of a subscriber.
DWORD WINAPI read_changes(RTM_ENTITY_HANDLE self, RTM_EVENT_TYPE event, PVOID context1, PVOID context2) {
  if (event == RTM_ROUTE_EXPIRED) return ERROR_NOT_SUPPORTED;
  if (event != RTM_CHANGE_NOTIFICATION) return NO_ERROR;
  std::array<RTM_DEST_INFO, 16> records;
  for (;;) {
    UINT count = records.size();
    if (RtmGetChangedDests(self, context1, &count, records.data()) != NO_ERROR || count == 0) return NO_ERROR;
    for (UINT i = 0; i < count; ++i) static_cast<Watcher*>(context2)->note(records[i]);
    RtmReleaseChangedDests(self, context1, count, records.data());
  }
}

// One entity's life: it comes, owns things, is looked at by the others meanwhile, and goes, tidily or not.
class Life {
 public:
  Life(unsigned seed, ULONG instance) : random_(seed), instance_(instance) {}

  void live() {
    register_self();
    for (unsigned i = 0; i < kRoutes; ++i) {
      add(i);
      if (i % 8 == 3) look(i);
      if (i % 16 == 7) walk();
      if (i % 5 == 4) remove(i - 3);
    }
    verify();
    if (notify_ != nullptr && random_() % 2 == 0) {
      EXPECT_EQ(RtmDeregisterFromChangeNotification(self_, notify_), DWORD{NO_ERROR});
    }
    EXPECT_EQ(RtmDeregisterEntity(self_), DWORD{NO_ERROR});
    EXPECT_EQ(RtmDeregisterEntity(self_), DWORD{ERROR_INVALID_HANDLE});
  }

 private:
  void register_self() {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = PROTO_IP_RIP;
    info.EntityId.EntityInstanceId = instance_;
    RTM_REGN_PROFILE profile;
    ASSERT_EQ(RtmRegisterEntity(&info, nullptr, read_changes, FALSE, &profile, &self_), DWORD{NO_ERROR});
    const DWORD status =
        RtmRegisterForChangeNotification(self_, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_ALL, &watcher_, &notify_);
    ASSERT_TRUE(status == NO_ERROR || status == ERROR_NO_SYSTEM_RESOURCES);
    RTM_NEXTHOP_INFO hop{};
    hop.NextHopAddress = net_address(0xC0000200U + instance_, 32);
    hop.InterfaceIndex = 1;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    ASSERT_EQ(RtmAddNextHop(self_, &hop, &hop_, &flags), DWORD{NO_ERROR});
  }

  // Half of the destinations are shared by everybody, half are this entity's alone.
  RTM_NET_ADDRESS destination(unsigned i) const {
    const std::uint32_t space = i % 2 == 0 ? 0x0A000000U : 0x14000000U + (instance_ << 12);
    return net_address(space + (i << 4), 28);
  }

  void add(unsigned i) {
    RTM_ROUTE_INFO route{};
    route.Neighbour = hop_;
    route.PrefInfo = {static_cast<ULONG>(random_() % 4), 1 + static_cast<ULONG>(random_() % 4)};
    route.BelongsToViews = RTM_VIEW_MASK_UCAST | RTM_VIEW_MASK_MCAST;
    route.EntitySpecificInfo = this;
    route.NextHopsList.NumNextHops = 1;
    route.NextHopsList.NextHops[0] = hop_;
    RTM_NET_ADDRESS address = destination(i);
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    RTM_ROUTE_HANDLE handle = nullptr;
    EXPECT_EQ(RtmAddRouteToDest(self_, &handle, &address, &route, INFINITE, nullptr, 0, nullptr, &flags),
              DWORD{NO_ERROR});
    RTM_VIEW_SET best = 0;
    EXPECT_EQ(RtmIsBestRoute(self_, handle, &best), DWORD{NO_ERROR});
    if (random_() % 4 != 0) {
      EXPECT_EQ(RtmReleaseRoutes(self_, 1, &handle), DWORD{NO_ERROR});
    }
  }

  void remove(unsigned i) {
    RTM_ROUTE_HANDLE handle = find(i);
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    ASSERT_NE(handle, nullptr);
    EXPECT_EQ(RtmDeleteRouteToDest(self_, handle, &flags), DWORD{NO_ERROR});
    removed_[i] = true;
  }

  RTM_ROUTE_HANDLE find(unsigned i) {
    RTM_NET_ADDRESS address = destination(i);
    RTM_ROUTE_INFO info{};
    info.RouteOwner = self_;
    RTM_ROUTE_HANDLE handle = nullptr;
    if (RtmGetExactMatchRoute(self_, &address, RTM_MATCH_OWNER, &info, 0, RTM_VIEW_MASK_ANY, &handle) != NO_ERROR)
      return nullptr;
    EXPECT_EQ(info.EntitySpecificInfo, this);
    EXPECT_EQ(RtmReleaseRouteInfo(self_, &info), DWORD{NO_ERROR});
    return handle;
  }

  void look(unsigned i) {
    RTM_NET_ADDRESS address = destination(i);
    RTM_DEST_INFO info;
    ASSERT_EQ(RtmGetMostSpecificDestination(self_, &address, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &info),
              DWORD{NO_ERROR});
    RTM_ROUTE_INFO route;
    if (info.ViewInfo[0].Route != nullptr &&
        RtmGetRouteInfo(self_, info.ViewInfo[0].Route, &route, nullptr) == NO_ERROR) {
      EXPECT_EQ(route.RouteOwner, info.ViewInfo[0].Owner);
      EXPECT_EQ(RtmReleaseRouteInfo(self_, &route), DWORD{NO_ERROR});
    }
    EXPECT_EQ(RtmReleaseDestInfo(self_, &info), DWORD{NO_ERROR});
  }

  void walk() {
    RTM_ENUM_HANDLE walk = nullptr;
    ASSERT_EQ(RtmCreateDestEnum(self_, RTM_VIEW_MASK_UCAST, RTM_ENUM_START, nullptr, RTM_BEST_PROTOCOL, &walk),
              DWORD{NO_ERROR});
    std::array<RTM_DEST_INFO, 8> records;
    std::uint32_t last = 0;
    for (;;) {
      UINT count = records.size();
      if (RtmGetEnumDests(self_, walk, &count, records.data()) != NO_ERROR) break;
      for (UINT i = 0; i < count; ++i) {
        const std::uint32_t at = address_in(records[i].DestAddress);
        EXPECT_TRUE(last == 0 || at > last) << "an enumeration went back or repeated itself";
        last = at;
      }
      EXPECT_EQ(RtmReleaseDests(self_, count, records.data()), DWORD{NO_ERROR});
    }
    EXPECT_EQ(RtmDeleteEnumHandle(self_, walk), DWORD{NO_ERROR});
  }

  void verify() {
    for (unsigned i = 0; i < kRoutes; ++i) {
      RTM_ROUTE_HANDLE handle = find(i);
      EXPECT_EQ(handle == nullptr, removed_[i]);
      if (notify_ != nullptr && i % 2 == 1) expect_told(i, handle);
      if (handle != nullptr) {
        EXPECT_EQ(RtmReleaseRoutes(self_, 1, &handle), DWORD{NO_ERROR});
      }
    }
  }

  // Of a destination that is this entity's alone: what it did there last is what it hears in the end.
  void expect_told(unsigned i, RTM_ROUTE_HANDLE best) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!watcher_.was_told(address_in(destination(i)), best)) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "a change was lost";
      std::this_thread::yield();
    }
  }

  std::minstd_rand random_;
  ULONG instance_;
  RTM_ENTITY_HANDLE self_ = nullptr;
  RTM_NEXTHOP_HANDLE hop_ = nullptr;
  RTM_NOTIFY_HANDLE notify_ = nullptr;
  Watcher watcher_;
  std::array<bool, kRoutes> removed_{};
};

// clauses: RTM2-244
TEST(RtmStress, ManyThreadsOneTable) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([thread] {
      for (int round = 0; round < kRounds; ++round) {
        const auto number = static_cast<unsigned>(thread * kRounds + round);
        Life first(number, 1 + number * 2);
        Life second(number + 1000, 2 + number * 2);
        std::thread beside([&] { second.live(); });
        first.live();
        beside.join();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  TpDrain();
  for (std::uint32_t kind = TP_KIND_ANY; kind <= TP_KIND_NOTIFICATION; ++kind) {
    EXPECT_EQ(TpObjectCount(kind), 0U) << "kind " << kind;
    EXPECT_EQ(TpReferenceCount(kind), 0U) << "kind " << kind;
  }
}

}  // namespace
}  // namespace turnpike::model
