// Clients that do what they should not: garbage for handles and structures, callbacks that throw, hang, or leave.
// What is looked for: no crash, an error for what is wrong, others undisturbed, and nothing left when all have gone.
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <random>
#include <stdexcept>

#include "attempt.h"
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Attack = RtmTest;

/// Random bytes in the caller's own memory, now and then with a handle that is good, or nearly.
class Garbage {
 public:
  Garbage(unsigned seed, std::vector<HANDLE> handles) : random_(seed), handles_(std::move(handles)) {}

  unsigned below(unsigned end) { return static_cast<unsigned>(random_() % end); }
  DWORD word() { return below(3) == 0 ? static_cast<DWORD>(random_()) : below(9); }

  HANDLE handle() {
    const HANDLE good = handles_[below(static_cast<unsigned>(handles_.size()))];
    switch (below(6)) {
      case 0:
        return nullptr;
      case 1:
        return reinterpret_cast<HANDLE>(std::uintptr_t{random_()});  // NOLINT: that is the point
      case 2:
        return reinterpret_cast<HANDLE>(reinterpret_cast<std::uintptr_t>(good) ^ std::uintptr_t{1} << below(64));
      default:
        return good;
    }
  }

  /// Nobody, whatever it looks like.
  HANDLE stranger() { return reinterpret_cast<HANDLE>(std::uintptr_t{random_()} | 0x80); }  // NOLINT: as above

  /// A structure of that type with room behind it, so that what its counts say is the caller's memory.
  template <class T>
  T* structure() {
    auto* words = reinterpret_cast<std::uint64_t*>(room_.data());
    for (size_t i = 0; i < room_.size() / sizeof *words; ++i) {
      const HANDLE known = handle();
      words[i] = below(2) == 0 ? random_() : reinterpret_cast<std::uintptr_t>(known);
    }
    return reinterpret_cast<T*>(room_.data());
  }
  RTM_NET_ADDRESS* address() {
    for (auto& byte : address_) byte = static_cast<std::uint8_t>(random_());
    auto* made = reinterpret_cast<RTM_NET_ADDRESS*>(address_.data());
    if (below(2) == 0) {
      made->AddressFamily = AF_INET;
      made->NumBits = static_cast<USHORT>(below(40));
    }
    return below(10) == 0 ? nullptr : made;
  }

 private:
  std::mt19937_64 random_;
  std::vector<HANDLE> handles_;
  // 32 views, 64 next hops, or a batch of records: whichever is longest.
  alignas(8) std::array<std::byte, 4096> room_{};
  alignas(8) std::array<std::uint8_t, 24> address_{};
};

/// The same of what reads, locks, enumerates and ends.
void look_or_lock_at_random(Garbage& g, HANDLE self) {
  HANDLE out = g.handle();
  PVOID pointer = nullptr;
  PRTM_ROUTE_INFO route = nullptr;
  PRTM_NEXTHOP_INFO hop = nullptr;
  DWORD flags = g.word();
  UINT count = g.below(12);
  BOOL truth = 0;
  switch (g.below(23)) {
    case 0:
      RtmGetRegisteredEntities(self, &count, g.structure<HANDLE>(), nullptr);
      break;
    case 1:
      RtmReleaseEntities(self, count, g.structure<HANDLE>());
      break;
    case 2:
      RtmLockDestination(self, g.handle(), static_cast<BOOL>(g.below(2)), static_cast<BOOL>(g.below(3)));
      break;
    case 3:
      // Whoever has it exclusively may write what he likes into the route: what is wrong is refused when he commits it.
      if (RtmLockRoute(self, g.handle(), TRUE, TRUE, &route) == NO_ERROR && g.below(2) == 0)
        std::memcpy(route, g.structure<RTM_ROUTE_INFO>(), sizeof *route);
      break;
    case 4:
      RtmLockRoute(self, g.handle(), static_cast<BOOL>(g.below(2)), FALSE, &route);
      break;
    case 5:
      RtmUpdateAndUnlockRoute(self, g.handle(), g.word(), g.handle(), g.word(), g.handle(), &flags);
      break;
    case 6:
      RtmLockNextHop(self, g.handle(), static_cast<BOOL>(g.below(2)), static_cast<BOOL>(g.below(3)), &hop);
      break;
    case 7:
      RtmGetRoutePointer(self, g.handle(), &route);
      break;
    case 8:
      RtmGetNextHopPointer(self, g.handle(), &hop);
      break;
    case 9:
      RtmGetOpaqueInformationPointer(self, g.handle(), &pointer);
      break;
    case 10:
      RtmGetEntityMethods(self, g.handle(), &count, g.structure<RTM_ENTITY_EXPORT_METHOD>());
      break;
    case 11:
      RtmInvokeMethod(self, g.handle(), g.structure<RTM_ENTITY_METHOD_INPUT>(), &count,
                      g.structure<RTM_ENTITY_METHOD_OUTPUT>());
      break;
    case 12:
      RtmBlockMethods(self, g.handle(), static_cast<UCHAR>(g.word()), g.word() | 2);
      break;
    case 13:
      RtmGetEntityInfo(self, g.handle(), g.structure<RTM_ENTITY_INFO>());
      RtmReleaseEntityInfo(self, g.structure<RTM_ENTITY_INFO>());
      break;
    case 14:
      RtmGetLessSpecificDestination(self, g.handle(), g.word(), g.word(), g.structure<RTM_DEST_INFO>());
      break;
    case 15:
      RtmGetExactMatchDestination(self, g.address(), g.word(), g.word(), g.structure<RTM_DEST_INFO>());
      break;
    case 16:
      RtmIsBestRoute(self, g.handle(), &flags);
      break;
    case 17:
      RtmFindNextHop(self, g.structure<RTM_NEXTHOP_INFO>(), &out, &hop);
      break;
    case 18:
      RtmCreateNextHopEnum(self, g.word(), g.address(), &out);
      RtmGetEnumNextHops(self, g.below(2) == 0 ? out : g.handle(), &count, g.structure<HANDLE>());
      break;
    case 19:
      RtmCreateRouteListEnum(self, g.handle(), &out);
      RtmGetListEnumRoutes(self, g.below(2) == 0 ? out : g.handle(), &count, g.structure<HANDLE>());
      break;
    case 20:
      RtmDeleteEnumHandle(self, g.handle());
      RtmReleaseDests(self, g.below(4), g.structure<RTM_DEST_INFO>());
      break;
    case 21:
      RtmIgnoreChangedDests(self, g.handle(), count, g.structure<HANDLE>());
      RtmIsMarkedForChangeNotification(self, g.handle(), g.handle(), &truth);
      RtmDeregisterFromChangeNotification(self, g.handle());
      break;
    default:
      RtmDeleteRouteToDest(self, g.handle(), &flags);
      break;
  }
}

/// One call with nothing right in it but, perhaps, the caller.
void call_at_random(Garbage& garbage, HANDLE self) {
  Garbage& g = garbage;
  HANDLE out = g.handle();
  DWORD flags = g.word();
  UINT count = g.below(12);
  BOOL truth = 0;
  switch (g.below(22)) {
    case 0:
      RtmReleaseDestInfo(self, g.structure<RTM_DEST_INFO>());
      break;
    case 1:
      RtmReleaseRouteInfo(self, g.structure<RTM_ROUTE_INFO>());
      break;
    case 2:
      RtmReleaseNextHopInfo(self, g.structure<RTM_NEXTHOP_INFO>());
      break;
    case 3:
      RtmAddRouteToDest(self, &out, g.address(), g.structure<RTM_ROUTE_INFO>(), g.word(), g.handle(), g.word(),
                        g.handle(), &flags);
      break;
    case 4:
      RtmAddNextHop(self, g.structure<RTM_NEXTHOP_INFO>(), &out, &flags);
      break;
    case 5:
      RtmGetDestInfo(self, g.handle(), g.word(), g.word(), g.structure<RTM_DEST_INFO>());
      break;
    case 6:
      RtmGetRouteInfo(self, g.handle(), g.structure<RTM_ROUTE_INFO>(), g.address());
      break;
    case 7:
      RtmGetMostSpecificDestination(self, g.address(), g.word(), g.word(), g.structure<RTM_DEST_INFO>());
      break;
    case 8:
      RtmGetExactMatchRoute(self, g.address(), g.word(), g.structure<RTM_ROUTE_INFO>(), g.word(), g.word(), &out);
      break;
    case 9:
      RtmCreateDestEnum(self, g.word(), g.word(), g.address(), g.word(), &out);
      break;
    case 10:
      RtmCreateRouteEnum(self, g.handle(), g.word(), g.word(), g.address(), g.word(), g.structure<RTM_ROUTE_INFO>(),
                         g.word(), &out);
      break;
    case 11:
      RtmGetEnumDests(self, g.handle(), &count, g.structure<RTM_DEST_INFO>());
      break;
    case 12:
      RtmGetEnumRoutes(self, g.handle(), &count, g.structure<HANDLE>());
      break;
    case 13:
      RtmReferenceHandles(self, count, g.structure<HANDLE>());
      break;
    case 14:
      RtmReleaseRoutes(self, count, g.structure<HANDLE>());
      break;
    case 15:
      RtmReleaseNextHops(self, count, g.structure<HANDLE>());
      break;
    case 16:
      RtmRegisterForChangeNotification(self, g.word(), g.word(), g.handle(), &out);
      break;
    case 17:
      RtmGetChangedDests(self, g.handle(), &count, g.structure<RTM_DEST_INFO>());
      break;
    case 18:
      RtmReleaseChangedDests(self, g.handle(), g.below(2), g.structure<RTM_DEST_INFO>());
      break;
    case 19:
      RtmMarkDestForChangeNotification(self, g.handle(), g.handle(), static_cast<BOOL>(g.word()));
      RtmGetChangeStatus(self, g.handle(), g.handle(), &truth);
      break;
    case 20:
      RtmInsertInRouteList(self, g.handle(), count, g.structure<HANDLE>());
      break;
    default:
      RtmHoldDestination(self, g.handle(), g.word(), g.word());
      RtmDeleteNextHop(self, g.handle(), nullptr);
      break;
  }
}

using CallAtRandom = void (*)(Garbage&, HANDLE self);

void attack(const Client& bystander, HANDLE its_route, unsigned seed, std::initializer_list<CallAtRandom> calls) {
  Client attacker;
  attacker.leaves_things_behind();
  const HANDLE self = attacker;
  Route route = attacker.route("10.78.0.0/16");
  DestInfo dest = bystander.find("10.77.0.0/16");
  NextHop hop = attacker.next_hop("192.0.2.9");
  HANDLE list = nullptr;
  ASSERT_EQ(RtmCreateRouteList(attacker, &list), DWORD{NO_ERROR});
  Garbage garbage(seed, {self, HANDLE{bystander}, route.consume(), its_route, dest.handle(), hop.consume(), list});
  for (int i = 0; i < 500; ++i) {
    const CallAtRandom call = *(calls.begin() + garbage.below(static_cast<unsigned>(calls.size())));
    call(garbage, garbage.below(20) == 0 ? garbage.stranger() : self);
  }
}

TEST_F(Attack, GarbageIsRefusedAndHarmsNobody) {
  Client bystander;
  const Route kept = bystander.route("10.77.0.0/16");
  for (unsigned seed = 1; seed <= 20; ++seed) {
    attack(bystander, kept, seed, {&call_at_random});
    EXPECT_TRUE(bystander.has("10.77.0.0/16", kUnicast)) << "seed " << seed;
  }
}

// Here it may also lock what is the bystander's, until it leaves.
TEST_F(Attack, GarbageUnderLocksIsRefusedAndGoesWithItsMaker) {
  Client bystander;
  const Route kept = bystander.route("10.77.0.0/16", {.metric = 7});
  for (unsigned seed = 1; seed <= 40; ++seed) {
    attack(bystander, kept, seed, {&look_or_lock_at_random, &look_or_lock_at_random, &call_at_random});
    EXPECT_EQ(bystander.best("10.77.0.0/16"), HANDLE{kept}) << "seed " << seed;
    RouteInfo info(bystander);
    ASSERT_EQ(RtmGetRouteInfo(bystander, kept, info, nullptr), DWORD{NO_ERROR});
    EXPECT_EQ(info->PrefInfo.Metric, 7U) << "seed " << seed;
  }
}

/// What a client with a raw callback needs beside it.
RTM_ENTITY_HANDLE join(ULONG protocol, RTM_EVENT_CALLBACK callback) {
  RTM_ENTITY_INFO info{};
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = protocol;
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE self = nullptr;
  EXPECT_EQ(RtmRegisterEntity(&info, nullptr, callback, FALSE, &profile, &self), DWORD{NO_ERROR});
  return self;
}

int told = 0;
DWORD left = 0;

template <RTM_EVENT_TYPE type>
DWORD WINAPI leave_when(RTM_ENTITY_HANDLE self, RTM_EVENT_TYPE event, PVOID, PVOID) {
  if (event == type) {
    ++told;
    left = RtmDeregisterEntity(self);
  }
  return ERROR_NOT_SUPPORTED;
}

template <RTM_EVENT_TYPE type>
RTM_ENTITY_HANDLE one_who_leaves_when() {
  told = 0;
  left = DWORD{ERROR_NOT_FOUND};
  return join(4000 + static_cast<ULONG>(type), &leave_when<type>);
}

// Section 4.1 forbids it there. A refusal is one: the client is as it was.
TEST_F(Attack, LeavingFromInsideAChangeCallbackIsRefused) {
  Client other;
  const HANDLE stays = one_who_leaves_when<RTM_CHANGE_NOTIFICATION>();
  RTM_NOTIFY_HANDLE notify = nullptr;
  ASSERT_EQ(RtmRegisterForChangeNotification(stays, kUnicast, RTM_CHANGE_TYPE_ALL, nullptr, &notify), DWORD{NO_ERROR});
  for (int times = 1; times <= 2; ++times) {
    const Route route = other.route("10.0.0.0/8", {.metric = static_cast<ULONG>(times)});
    settle();
    EXPECT_EQ(left, DWORD{ERROR_NOT_SUPPORTED});
    EXPECT_EQ(told, times);
  }
  EXPECT_EQ(RtmDeregisterEntity(stays), DWORD{NO_ERROR});
}

TEST_F(Attack, LeavingFromInsideAnEntityCallbackIsRefused) {
  const HANDLE stays = one_who_leaves_when<RTM_ENTITY_REGISTERED>();
  for (int times = 1; times <= 2; ++times) {
    Client other;
    settle();
    EXPECT_EQ(left, DWORD{ERROR_NOT_SUPPORTED});
    EXPECT_EQ(told, times);
  }
  EXPECT_EQ(RtmDeregisterEntity(stays), DWORD{NO_ERROR});
}

// There it is allowed, and what has expired with it is not told any more.
TEST_F(Attack, AClientLeavesFromInsideItsExpiryWithMoreToExpire) {
  const HANDLE leaver = one_who_leaves_when<RTM_ROUTE_EXPIRED>();
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8"}) {
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    RTM_ROUTE_INFO route{};
    route.BelongsToViews = kUnicast;
    ASSERT_EQ(RtmAddRouteToDest(leaver, nullptr, Net(prefix), &route, 1000, nullptr, 0, nullptr, &flags),
              DWORD{NO_ERROR});
  }
  pass(1000);
  EXPECT_EQ(left, DWORD{NO_ERROR});
  EXPECT_EQ(told, 1);
  EXPECT_EQ(TpObjectCount(TP_KIND_ROUTE), 0U);
}

TEST_F(Attack, ACallbackThatThrowsIsToldTheNextThingToo) {
  Client other;
  Client thrower;
  const Watch watch(thrower, RTM_CHANGE_TYPE_ALL);
  int calls = 0;
  thrower.on_event([&](const Event&) -> DWORD {
    ++calls;
    throw std::runtime_error("a client's own");
  });
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8"}) {
    const Route route = other.route(prefix);
    settle();
  }
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(watch.changed().size(), 2U) << "what it did not fetch waits";
}

TEST_F(Attack, ACallbackThatHangsDelaysNobodyElse) {
  Signal is_in;  // before the clients: they are called back until they have gone
  Signal go_on;
  std::array<Signal, 3> heard;
  size_t changes = 0;
  Client hanging;
  Client other;
  Client writer;
  const Watch its(hanging, RTM_CHANGE_TYPE_ALL);
  const Watch others(other, RTM_CHANGE_TYPE_ALL);
  settle();
  hanging.on_event([&](const Event&) {
    is_in.raise();
    EXPECT_TRUE(go_on.wait());
    return DWORD{NO_ERROR};
  });
  other.on_event([&](const Event& event) {
    if (event.type == RTM_CHANGE_NOTIFICATION) heard.at(++changes).raise();
    return DWORD{NO_ERROR};
  });
  const Route first = writer.route("10.0.0.0/8");
  ASSERT_TRUE(is_in.wait());
  ASSERT_TRUE(heard[1].wait());
  const Route second = writer.route("11.0.0.0/8");
  EXPECT_TRUE(heard[2].wait()) << "another client's callback";
  EXPECT_TRUE(writer.has("11.0.0.0/8", kUnicast));
  {
    Client passer;  // comes, and goes
    passer.route("12.0.0.0/8").consume();
    passer.leaves_things_behind();
  }
  EXPECT_FALSE(go_on.raised());
  go_on.raise();
  settle();
}

}  // namespace
}  // namespace turnpike::conformance
