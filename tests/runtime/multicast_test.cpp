// The process's multicast group manager with the routing table behind it, on real threads and the system's clock.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <mgm.h>
#include <rtmv2.h>
#include <turnpike/mgm.h>
#include <turnpike/testing.h>

#include <atomic>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

namespace turnpike::runtime {
namespace {

constexpr DWORD kWhole = 0xffffffff;
constexpr DWORD kIgmp = 10;

DWORD group(std::uint32_t i) { return htonl(0xef010100 + i); }
DWORD source(std::uint32_t network) { return htonl(0x0a000009 + (network << 16)); }

std::atomic<std::uint64_t> calls{0};

DWORD rpf(DWORD, DWORD, DWORD, DWORD, PDWORD, PDWORD, PDWORD, DWORD, PBYTE, PBYTE route) {
  calls += reinterpret_cast<RTM_DEST_INFO*>(route)->NumberOfViews;
  return 0;
}
DWORD creation(DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, DWORD count, PMGM_IF_ENTRY list) {
  list[count - 1].bIsEnabled = calls++ % 2 == 0 ? TRUE : FALSE;
  return 0;
}
DWORD prune(DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, BOOL, PDWORD timeout) {
  *timeout = 1;
  return static_cast<DWORD>(++calls);
}
DWORD join(DWORD, DWORD, DWORD, DWORD, BOOL) { return static_cast<DWORD>(++calls); }
DWORD local(DWORD, DWORD, DWORD, DWORD, DWORD, DWORD) { return static_cast<DWORD>(++calls); }
DWORD igmp(DWORD, DWORD) { return static_cast<DWORD>(++calls); }

HANDLE enroll(DWORD protocol) {
  ROUTING_PROTOCOL_CONFIG config = {0, rpf, creation, prune, join, nullptr, local, local, igmp, igmp};
  HANDLE handle = nullptr;
  EXPECT_EQ(MgmRegisterMProtocol(&config, protocol, 0, &handle), NO_ERROR);
  return handle;
}

void live(DWORD protocol) {
  std::minstd_rand random(protocol);
  for (int life = 0; life < 10; ++life) {
    const HANDLE self = enroll(protocol);
    for (int step = 0; step < 60; ++step) {
      const auto index = 1 + static_cast<DWORD>(random() % 3);
      const DWORD where = group(static_cast<std::uint32_t>(random() % 4));
      const DWORD from = random() % 3 == 0 ? source(1 + static_cast<std::uint32_t>(random() % 3)) : 0;
      MgmTakeInterfaceOwnership(self, index, 0);
      MgmAddGroupMembershipEntry(self, from, from != 0 ? kWhole : 0, where, kWhole, index, 0, MGM_JOIN_STATE_FLAG);
      if (random() % 3 == 0) {
        MgmDeleteGroupMembershipEntry(self, from, from != 0 ? kWhole : 0, where, kWhole, index, 0, MGM_JOIN_STATE_FLAG);
      }
      if (random() % 5 == 0) MgmReleaseInterfaceOwnership(self, index, 0);
    }
    for (DWORD index = 1; index <= 3; ++index) MgmReleaseInterfaceOwnership(self, index, 0);
    EXPECT_EQ(MgmDeRegisterMProtocol(self), NO_ERROR);
  }
}

RTM_ENTITY_HANDLE enter_table() {
  RTM_ENTITY_INFO info = {};
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = 4242;
  RTM_REGN_PROFILE profile;
  RTM_ENTITY_HANDLE self = nullptr;
  EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self), NO_ERROR);
  return self;
}

// A route of the multicast view to 10.<network>/16, through that interface.
RTM_ROUTE_HANDLE add_route(RTM_ENTITY_HANDLE self, std::uint32_t network, DWORD index) {
  RTM_NEXTHOP_INFO hop = {};
  hop.InterfaceIndex = index;
  hop.NextHopAddress.AddressFamily = AF_INET;
  hop.NextHopAddress.NumBits = 32;
  RTM_NEXTHOP_HANDLE hop_handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  EXPECT_EQ(RtmAddNextHop(self, &hop, &hop_handle, &hop_flags), NO_ERROR);
  RTM_ROUTE_INFO wanted = {};
  wanted.BelongsToViews = RTM_VIEW_MASK_MCAST;
  wanted.NextHopsList.NumNextHops = 1;
  wanted.NextHopsList.NextHops[0] = hop_handle;
  RTM_NET_ADDRESS destination = {};
  const DWORD base = htonl(0x0a000000 + (network << 16));
  RTM_IPV4_MAKE_NET_ADDRESS(&destination, base, 16);
  RTM_ROUTE_CHANGE_FLAGS flags = RTM_ROUTE_CHANGE_NEW;
  RTM_ROUTE_HANDLE added = nullptr;
  EXPECT_EQ(RtmAddRouteToDest(self, &added, &destination, &wanted, INFINITE, nullptr, 0, nullptr, &flags), NO_ERROR);
  EXPECT_EQ(RtmReleaseNextHops(self, 1, &hop_handle), NO_ERROR);
  return added;
}

// Routes come and go.
void route(const std::atomic<bool>& done) {
  const RTM_ENTITY_HANDLE self = enter_table();
  for (std::uint32_t turn = 0; !done; ++turn) {
    RTM_ROUTE_HANDLE added = add_route(self, 1 + turn % 3, 1 + turn / 3 % 3);
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    if (turn % 4 == 3) {
      ASSERT_EQ(RtmDeleteRouteToDest(self, added, &flags), NO_ERROR);
    } else {
      ASSERT_EQ(RtmReleaseRoutes(self, 1, &added), NO_ERROR);
    }
  }
  ASSERT_EQ(RtmDeregisterEntity(self), NO_ERROR);
}

void send_and_read(const std::atomic<bool>& done) {
  std::minstd_rand random(9);
  std::vector<BYTE> buffer(4000);
  while (!done) {
    TpMgmPacket(source(1 + static_cast<std::uint32_t>(random() % 3)), group(static_cast<std::uint32_t>(random() % 4)),
                1 + static_cast<std::uint32_t>(random() % 3), nullptr, 0, nullptr, 0);
    auto size = static_cast<DWORD>(buffer.size());
    DWORD count = 0;
    const DWORD answer = MgmGetFirstMfeStats(&size, buffer.data(), &count, MGM_MFE_STATS_1);
    EXPECT_TRUE(answer == ERROR_NO_MORE_ITEMS || answer == ERROR_MORE_DATA);
  }
}

TEST(RuntimeMulticast, StandsAStormOfClientsRoutesAndPackets) {
  const uint32_t devices[] = {1, 2, 3};
  ASSERT_EQ(TpMgmUseDevices(devices, 3), 1);
  std::atomic<bool> done = false;
  std::thread routes([&] { route(done); });
  std::thread packets([&] { send_and_read(done); });
  std::vector<std::thread> clients;
  for (const DWORD protocol : {100U, 101U, kIgmp}) clients.emplace_back(live, protocol);
  for (std::thread& client : clients) client.join();
  done = true;
  routes.join();
  packets.join();
  TP_MGM_STATUS status = {};
  status.size = sizeof(status);
  ASSERT_EQ(TpMgmGetStatus(&status), 0U);
  EXPECT_EQ(status.clients + status.interfaces + status.memberships + status.entries + status.enumerations, 0U);
  EXPECT_EQ(TpMgmForwarderDevices(), 0U);
  EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U);
  EXPECT_GT(calls, 0U);
  EXPECT_EQ(TpMgmUseDevices(nullptr, 0), 1);
}

// Entries end by themselves on the system's clock too: whoever waits for it waits for the thing itself.
TEST(RuntimeMulticast, EndsEntriesOnTheSystemsClock) {
  const uint32_t device = 1;
  ASSERT_EQ(TpMgmUseDevices(&device, 1), 1);
  const HANDLE self = enroll(100);
  ASSERT_EQ(MgmTakeInterfaceOwnership(self, 1, 0), NO_ERROR);
  const RTM_ENTITY_HANDLE entity = enter_table();
  RTM_ROUTE_HANDLE added = add_route(entity, 1, 1);
  ASSERT_EQ(RtmReleaseRoutes(entity, 1, &added), NO_ERROR);
  ASSERT_EQ(TpDrain(), 1);
  ASSERT_EQ(TpMgmPacket(source(1), group(1), 1, nullptr, 0, nullptr, 0), 0);  // PRUNE stores one second
  while (TpMgmForwarderEntry(source(1), group(1), nullptr, nullptr, 0) >= 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(MgmReleaseInterfaceOwnership(self, 1, 0), NO_ERROR);
  EXPECT_EQ(MgmDeRegisterMProtocol(self), NO_ERROR);
  EXPECT_EQ(RtmDeregisterEntity(entity), NO_ERROR);
  EXPECT_EQ(TpMgmUseDevices(nullptr, 0), 1);
}

}  // namespace
}  // namespace turnpike::runtime
