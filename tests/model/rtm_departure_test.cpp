// The end of a client that owns a million routes and has everything open, while others read, add, and wait in their
// callbacks: what decision 6 of the contract promises of the moment when RtmDeregisterEntity returns, and of the stream
// of changes that another client has seen by the end.
#include <gtest/gtest.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/testing.h>
#include <winerror.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

namespace turnpike::model {
namespace {

#if defined(__SANITIZE_THREAD__)
constexpr std::uint32_t kRoutes = 30'000;
#else
constexpr std::uint32_t kRoutes = 1'000'000;
#endif
constexpr std::uint32_t kEvery = 1000;  // as often a route is held, listed, locked

constexpr std::uint32_t address_of(std::uint32_t number) { return 0x01000000 + (number << 4); }

RTM_NET_ADDRESS prefix_of(std::uint32_t address) {
  RTM_NET_ADDRESS made{};
  RTM_IPV4_SET_ADDR_AND_LEN(&made, __builtin_bswap32(address), 28);
  return made;
}
std::uint32_t address_in(const RTM_NET_ADDRESS& prefix) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, prefix.AddrBits, sizeof bits);
  return __builtin_bswap32(bits);
}

using Reaction = std::function<void(RTM_EVENT_TYPE)>;

class Client {
 public:
  explicit Client(ULONG protocol, Reaction reaction = nullptr) : reaction_(std::move(reaction)) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = protocol;
    by_protocol(protocol) = this;
    RTM_REGN_PROFILE profile{};
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr,
                                protocol == 1   ? on_event<1>
                                : protocol == 2 ? on_event<2>
                                                : on_event<3>,
                                TRUE, &profile, &handle),
              DWORD{NO_ERROR});
  }

  RTM_ROUTE_HANDLE add(std::uint32_t address, ULONG preference, bool keep) const {
    RTM_NET_ADDRESS destination = prefix_of(address);
    RTM_ROUTE_INFO route{};
    route.PrefInfo = {1, preference};
    route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    RTM_ROUTE_HANDLE made = nullptr;
    EXPECT_EQ(
        RtmAddRouteToDest(handle, keep ? &made : nullptr, &destination, &route, INFINITE, nullptr, 0, nullptr, &flags),
        DWORD{NO_ERROR});
    return made;
  }
  bool find(std::uint32_t address, RTM_DEST_INFO& found) const {
    RTM_NET_ADDRESS host = prefix_of(address);
    host.NumBits = 32;
    return RtmGetMostSpecificDestination(handle, &host, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &found) == NO_ERROR;
  }
  // visit(record) for each destination of the unicast view.
  void walk(const std::function<void(const RTM_DEST_INFO&)>& visit) const {
    RTM_ENUM_HANDLE all = nullptr;
    ASSERT_EQ(RtmCreateDestEnum(handle, RTM_VIEW_MASK_UCAST, RTM_ENUM_START, nullptr, RTM_BEST_PROTOCOL, &all),
              DWORD{NO_ERROR});
    std::array<RTM_DEST_INFO, 100> records;
    for (UINT count = records.size(); RtmGetEnumDests(handle, all, &count, records.data()) == NO_ERROR;
         count = records.size()) {
      for (UINT i = 0; i < count; ++i) visit(records[i]);
      EXPECT_EQ(RtmReleaseDests(handle, count, records.data()), DWORD{NO_ERROR});
    }
    EXPECT_EQ(RtmDeleteEnumHandle(handle, all), DWORD{NO_ERROR});
  }
  std::uint64_t events() const { return events_; }

  RTM_ENTITY_HANDLE handle = nullptr;

 private:
  static Client*& by_protocol(ULONG protocol) {
    static std::array<Client*, 4> all;
    return all.at(protocol);
  }
  template <ULONG protocol>
  static DWORD WINAPI on_event(RTM_ENTITY_HANDLE, RTM_EVENT_TYPE type, PVOID, PVOID) {
    Client& self = *by_protocol(protocol);
    ++self.events_;
    if (self.reaction_) self.reaction_(type);
    return NO_ERROR;
  }

  Reaction reaction_;
  std::atomic<std::uint64_t> events_{0};
};

// What the stream of changes says of the table: who owns the best route to where.
class Mirror {
 public:
  void follow(const Client& client) {
    EXPECT_EQ(
        RtmRegisterForChangeNotification(client.handle, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, nullptr, &notify_),
        DWORD{NO_ERROR});
    self_ = client.handle;
  }
  void read() {
    std::array<RTM_DEST_INFO, 100> records;
    for (UINT count = records.size(); RtmGetChangedDests(self_, notify_, &count, records.data()) == NO_ERROR;
         count = records.size()) {
      for (UINT i = 0; i < count; ++i) {
        const std::uint32_t address = address_in(records[i].DestAddress);
        if (records[i].ViewInfo[0].Route == nullptr) {
          best_.erase(address);  // or it came and went between two readings
        } else {
          best_[address] = records[i].ViewInfo[0].Owner;
        }
      }
      EXPECT_EQ(RtmReleaseChangedDests(self_, notify_, count, records.data()), DWORD{NO_ERROR});
    }
  }
  void expect_what(const Client& client) const {
    std::size_t seen = 0;
    client.walk([&](const RTM_DEST_INFO& record) {
      ++seen;
      const auto known = best_.find(address_in(record.DestAddress));
      ASSERT_NE(known, best_.end());
      ASSERT_EQ(known->second, record.ViewInfo[0].Owner);
    });
    EXPECT_EQ(seen, best_.size());
  }

 private:
  std::unordered_map<std::uint32_t, RTM_ENTITY_HANDLE> best_;
  RTM_ENTITY_HANDLE self_ = nullptr;
  RTM_NOTIFY_HANDLE notify_ = nullptr;
};

// Everything that a client can have open, half way through.
void open_everything(const Client& owner, std::vector<RTM_ROUTE_HANDLE>& held) {
  std::array<RTM_DEST_INFO, 10> dests;
  std::array<RTM_ROUTE_HANDLE, 10> routes;
  UINT count = dests.size();
  RTM_ENUM_HANDLE all = nullptr;
  ASSERT_EQ(RtmCreateDestEnum(owner.handle, RTM_VIEW_MASK_UCAST, RTM_ENUM_START, nullptr, 0, &all), DWORD{NO_ERROR});
  ASSERT_EQ(RtmGetEnumDests(owner.handle, all, &count, dests.data()), DWORD{NO_ERROR});
  ASSERT_EQ(RtmCreateRouteEnum(owner.handle, nullptr, RTM_VIEW_MASK_UCAST, RTM_ENUM_START, nullptr, RTM_MATCH_NONE,
                               nullptr, 0, &all),
            DWORD{NO_ERROR});
  ASSERT_EQ(RtmGetEnumRoutes(owner.handle, all, &count, routes.data()), DWORD{NO_ERROR});
  RTM_ROUTE_LIST_HANDLE list = nullptr;
  ASSERT_EQ(RtmCreateRouteList(owner.handle, &list), DWORD{NO_ERROR});
  ASSERT_EQ(RtmInsertInRouteList(owner.handle, list, static_cast<UINT>(held.size()), held.data()), DWORD{NO_ERROR});
  ASSERT_EQ(RtmCreateRouteListEnum(owner.handle, list, &all), DWORD{NO_ERROR});
  ASSERT_EQ(RtmGetListEnumRoutes(owner.handle, all, &count, routes.data()), DWORD{NO_ERROR});
  RTM_NOTIFY_HANDLE notify = nullptr;
  ASSERT_EQ(RtmRegisterForChangeNotification(owner.handle, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_ALL, nullptr, &notify),
            DWORD{NO_ERROR});
  ASSERT_EQ(RtmMarkDestForChangeNotification(owner.handle, notify, dests[0].DestHandle, TRUE), DWORD{NO_ERROR});
  ASSERT_EQ(RtmHoldDestination(owner.handle, dests[1].DestHandle, RTM_VIEW_MASK_UCAST, 3'600'000), DWORD{NO_ERROR});
  PVOID slot = nullptr;
  ASSERT_EQ(RtmGetOpaqueInformationPointer(owner.handle, dests[2].DestHandle, &slot), DWORD{NO_ERROR});
  *static_cast<PVOID*>(slot) = &slot;
  ASSERT_EQ(RtmLockDestination(owner.handle, dests[3].DestHandle, TRUE, TRUE), DWORD{NO_ERROR});
}

// clauses: RTM2-244
TEST(RtmDeparture, OfAMillionRoutesWithEverythingOpen) {
  Mirror mirror;
  std::atomic<bool> go_on{false};
  std::atomic<bool> stop{false};
  Client follower(2, [&](RTM_EVENT_TYPE type) {
    if (type == RTM_CHANGE_NOTIFICATION) mirror.read();
  });
  Client waiting(3, [&](RTM_EVENT_TYPE type) {
    while (type == RTM_CHANGE_NOTIFICATION && !go_on) std::this_thread::yield();
  });
  mirror.follow(follower);
  RTM_NOTIFY_HANDLE never_read = nullptr;
  ASSERT_EQ(
      RtmRegisterForChangeNotification(waiting.handle, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_ALL, nullptr, &never_read),
      DWORD{NO_ERROR});

  Client owner(1);
  std::vector<RTM_ROUTE_HANDLE> held;
  for (std::uint32_t i = 0; i < kRoutes; ++i) {
    const RTM_ROUTE_HANDLE made = owner.add(address_of(i), 5, i % kEvery == 0);
    if (made != nullptr) held.push_back(made);
    if (i % 10 == 0) follower.add(address_of(i), 9, false);
  }
  RTM_DEST_INFO kept;
  ASSERT_TRUE(follower.find(address_of(1), kept)) << "the route of another, held beyond its end";
  open_everything(owner, held);

  std::vector<std::thread> others;
  others.emplace_back([&] {
    std::minstd_rand random(1);
    while (!stop) {
      RTM_DEST_INFO found;
      if (follower.find(address_of(static_cast<std::uint32_t>(random()) % kRoutes), found)) {
        ASSERT_EQ(RtmReleaseDestInfo(follower.handle, &found), DWORD{NO_ERROR});
      }
    }
  });
  others.emplace_back([&] {
    for (std::uint32_t i = 0; !stop && i < kRoutes; ++i) waiting.add(address_of(kRoutes + i), 7, false);
  });
  ASSERT_EQ(RtmDeregisterEntity(owner.handle), DWORD{NO_ERROR});

  const std::uint64_t told = owner.events();
  EXPECT_EQ(RtmDeregisterEntity(owner.handle), DWORD{ERROR_INVALID_HANDLE});
  for (const RTM_ROUTE_HANDLE dead : held) {
    RTM_ROUTE_INFO info;
    ASSERT_EQ(RtmGetRouteInfo(follower.handle, dead, &info, nullptr), DWORD{ERROR_INVALID_HANDLE});
  }
  follower.walk([&](const RTM_DEST_INFO& record) { ASSERT_NE(record.ViewInfo[0].Owner, owner.handle); });
  EXPECT_EQ(TpObjectCount(TP_KIND_ENUMERATION) + TpObjectCount(TP_KIND_ROUTE_LIST), 0U);
  EXPECT_EQ(TpObjectCount(TP_KIND_NOTIFICATION), 2U) << "those of the others";

  stop = true;
  for (std::thread& each : others) each.join();
  go_on = true;
  ASSERT_EQ(TpDrain(), 1);
  EXPECT_EQ(owner.events(), told) << "nothing is said to one who has left";
  mirror.expect_what(follower);
  RTM_ROUTE_INFO tombstone;
  ASSERT_EQ(RtmGetRouteInfo(follower.handle, kept.ViewInfo[0].Route, &tombstone, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(tombstone.State, RTM_ROUTE_STATE_DELETED);
  EXPECT_EQ(RtmReleaseRouteInfo(follower.handle, &tombstone), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseDestInfo(follower.handle, &kept), DWORD{NO_ERROR});
  EXPECT_EQ(TpReferenceCount(TP_KIND_ANY), 0U) << "nobody holds anything, and what the owner held was given back";
  EXPECT_EQ(RtmDeregisterEntity(follower.handle), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeregisterEntity(waiting.handle), DWORD{NO_ERROR});
  EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U);
}

}  // namespace
}  // namespace turnpike::model
