// RTM2-028, RTM2-052, RTM2-245 and the like, once for every function: what is answered to a handle that is dead, or of
// the wrong kind. One table of all calls; each entry makes one call whose only fault is the handle it is given.
#include <algorithm>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

/// A client that has one of everything.
struct World {
  Client client;
  NextHop hop = client.next_hop("192.0.2.1");
  Route route = client.route("10.0.0.0/8", {.hops = {hop}});
  DestInfo destination = client.find("10.0.0.0/8");
  HANDLE dest_enum = nullptr;
  HANDLE route_enum = nullptr;
  HANDLE hop_enum = nullptr;
  HANDLE list = nullptr;
  HANDLE list_enum = nullptr;
  Watch watch{client, RTM_CHANGE_TYPE_ALL};

  World() {
    EXPECT_EQ(RtmCreateDestEnum(client, kBoth, RTM_ENUM_START, nullptr, 0, &dest_enum), DWORD{NO_ERROR});
    EXPECT_EQ(
        RtmCreateRouteEnum(client, nullptr, kBoth, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0, &route_enum),
        DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateNextHopEnum(client, RTM_ENUM_START, nullptr, &hop_enum), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateRouteList(client, &list), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateRouteListEnum(client, list, &list_enum), DWORD{NO_ERROR});
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() {
    for (const HANDLE each : {dest_enum, route_enum, hop_enum, list_enum}) {
      EXPECT_EQ(RtmDeleteEnumHandle(client, each), DWORD{NO_ERROR});
    }
    EXPECT_EQ(RtmDeleteRouteList(client, list), DWORD{NO_ERROR});
  }
};

/// Room for whatever a call may want to write; nothing should be written here.
struct Scratch {
  explicit Scratch(RTM_ENTITY_HANDLE client) : destination(client), route(client) {}
  DestInfo destination;
  RouteInfo route;
  RTM_ENTITY_INFO entity{};
  RTM_NEXTHOP_INFO hop{};
  RTM_REGN_PROFILE profile{};
  RTM_NET_ADDRESS address{};
  RTM_ENTITY_METHOD_INPUT input{};
  RTM_ENTITY_METHOD_OUTPUT output{};
  RTM_ENTITY_EXPORT_METHOD method = nullptr;
  UINT count = 1;
  UINT size = sizeof(RTM_ENTITY_METHOD_OUTPUT);
  DWORD flags = 0;
  BOOL truth = FALSE;
  PVOID pointer = nullptr;
  PRTM_ROUTE_INFO route_pointer = nullptr;
  PRTM_NEXTHOP_INFO hop_pointer = nullptr;
  HANDLE out = nullptr;
};

enum Kind : size_t {
  kEntity,
  kDestination,
  kRoute,
  kHop,
  kDestEnum,
  kRouteEnum,
  kHopEnum,
  kListEnum,
  kList,
  kNotification
};
constexpr size_t kKinds = 10;

using Kinds = std::vector<Kind>;

/// One handle parameter of one function: which kinds it takes, and a call that is right but for that handle.
struct Call {
  const char* name;
  Kinds takes;
  std::function<DWORD(World&, Scratch&, HANDLE)> call;
};

// The first parameter of each function.
const std::vector<Call>& calls_by_registration() {
  static const std::vector<Call> calls = {
#define CALL(function, ...)                                    \
  Call {                                                       \
    #function, {kEntity}, [](World& w, Scratch& s, HANDLE h) { \
      (void)w, (void)s;                                        \
      return function(h __VA_OPT__(, ) __VA_ARGS__);           \
    }                                                          \
  }
      CALL(RtmGetRegisteredEntities, &s.count, &s.out, &s.entity),
      CALL(RtmReleaseEntities, 1, &s.out),
      CALL(RtmLockDestination, w.destination.handle(), FALSE, TRUE),
      CALL(RtmGetOpaqueInformationPointer, w.destination.handle(), &s.pointer),
      CALL(RtmGetEntityMethods, w.client, &s.count, &s.method),
      CALL(RtmInvokeMethod, w.client, &s.input, &s.size, &s.output),
      CALL(RtmBlockMethods, nullptr, 0, RTM_BLOCK_METHODS),
      CALL(RtmGetEntityInfo, w.client, &s.entity),
      CALL(RtmGetDestInfo, w.destination.handle(), 0, kBoth, s.destination),
      CALL(RtmGetRouteInfo, w.route, s.route, &s.address),
      CALL(RtmGetNextHopInfo, w.hop, &s.hop),
      CALL(RtmReleaseEntityInfo, &s.entity),
      CALL(RtmReleaseDestInfo, w.destination),
      CALL(RtmReleaseRouteInfo, s.route),
      CALL(RtmReleaseNextHopInfo, &s.hop),
      CALL(RtmAddRouteToDest, nullptr, Net("10.1.0.0/16"), s.route, INFINITE, nullptr, 0, nullptr, &s.flags),
      CALL(RtmDeleteRouteToDest, w.route, &s.flags),
      CALL(RtmHoldDestination, w.destination.handle(), kUnicast, 1000),
      CALL(RtmGetRoutePointer, w.route, &s.route_pointer),
      CALL(RtmLockRoute, w.route, TRUE, TRUE, &s.route_pointer),
      CALL(RtmUpdateAndUnlockRoute, w.route, INFINITE, nullptr, 0, nullptr, &s.flags),
      CALL(RtmGetExactMatchDestination, Net("10.0.0.0/8"), 0, kBoth, s.destination),
      CALL(RtmGetMostSpecificDestination, Net("10.0.0.0/8"), 0, kBoth, s.destination),
      CALL(RtmGetLessSpecificDestination, w.destination.handle(), 0, kBoth, s.destination),
      CALL(RtmGetExactMatchRoute, Net("10.0.0.0/8"), RTM_MATCH_NONE, s.route, 0, kBoth, &s.out),
      CALL(RtmIsBestRoute, w.route, &s.flags),
      CALL(RtmAddNextHop, &s.hop, &s.out, &s.flags),
      CALL(RtmFindNextHop, &s.hop, &s.out, &s.hop_pointer),
      CALL(RtmDeleteNextHop, w.hop, nullptr),
      CALL(RtmGetNextHopPointer, w.hop, &s.hop_pointer),
      CALL(RtmLockNextHop, w.hop, TRUE, TRUE, &s.hop_pointer),
      CALL(RtmCreateDestEnum, kBoth, RTM_ENUM_START, nullptr, 0, &s.out),
      CALL(RtmGetEnumDests, w.dest_enum, &s.count, s.destination),
      CALL(RtmReleaseDests, 1, w.destination),
      CALL(RtmCreateRouteEnum, nullptr, kBoth, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0, &s.out),
      CALL(RtmGetEnumRoutes, w.route_enum, &s.count, &s.out),
      CALL(RtmReleaseRoutes, 1, &s.out),
      CALL(RtmCreateNextHopEnum, RTM_ENUM_START, nullptr, &s.out),
      CALL(RtmGetEnumNextHops, w.hop_enum, &s.count, &s.out),
      CALL(RtmReleaseNextHops, 1, &s.out),
      CALL(RtmDeleteEnumHandle, w.dest_enum),
      CALL(RtmRegisterForChangeNotification, kBoth, RTM_CHANGE_TYPE_ALL, nullptr, &s.out),
      CALL(RtmGetChangedDests, w.watch, &s.count, s.destination),
      CALL(RtmReleaseChangedDests, w.watch, 1, w.destination),
      CALL(RtmIgnoreChangedDests, w.watch, 1, &s.out),
      CALL(RtmGetChangeStatus, w.watch, w.destination.handle(), &s.truth),
      CALL(RtmMarkDestForChangeNotification, w.watch, w.destination.handle(), TRUE),
      CALL(RtmIsMarkedForChangeNotification, w.watch, w.destination.handle(), &s.truth),
      CALL(RtmDeregisterFromChangeNotification, w.watch),
      CALL(RtmCreateRouteList, &s.out),
      CALL(RtmInsertInRouteList, w.list, 1, &s.out),
      CALL(RtmCreateRouteListEnum, w.list, &s.out),
      CALL(RtmGetListEnumRoutes, w.list_enum, &s.count, &s.out),
      CALL(RtmDeleteRouteList, w.list),
      CALL(RtmReferenceHandles, 1, &s.out),
      CALL(RtmDeregisterEntity),
#undef CALL
  };
  return calls;
}

DWORD add_with(World& w, Scratch& s, const RouteSpec& spec, HANDLE* route = nullptr) {
  RouteInfo info(w.client, spec);
  return RtmAddRouteToDest(w.client, route, Net("10.0.0.0/8"), info, INFINITE, spec.list, 0, nullptr, &s.flags);
}

// Every other parameter that is a handle.
const std::vector<Call>& calls_by_object() {
  static const std::vector<Call> calls = {
#define CALL(function, kinds, ...)                         \
  Call {                                                   \
    #function, kinds, [](World& w, Scratch& s, HANDLE h) { \
      (void)s;                                             \
      return function(w.client, __VA_ARGS__);              \
    }                                                      \
  }
      CALL(RtmReleaseEntities, Kinds{kEntity}, 1, &h),
      CALL(RtmLockDestination, Kinds{kDestination}, h, FALSE, TRUE),
      CALL(RtmGetOpaqueInformationPointer, Kinds{kDestination}, h, &s.pointer),
      CALL(RtmGetEntityMethods, Kinds{kEntity}, h, &s.count, &s.method),
      CALL(RtmInvokeMethod, Kinds{kEntity}, h, &s.input, &s.size, &s.output),
      CALL(RtmGetEntityInfo, Kinds{kEntity}, h, &s.entity),
      CALL(RtmGetDestInfo, Kinds{kDestination}, h, 0, kBoth, s.destination),
      CALL(RtmGetRouteInfo, Kinds{kRoute}, h, s.route, &s.address),
      CALL(RtmGetNextHopInfo, Kinds{kHop}, h, &s.hop),
      CALL(RtmDeleteRouteToDest, Kinds{kRoute}, h, &s.flags),
      CALL(RtmHoldDestination, Kinds{kDestination}, h, kUnicast, 1000),
      CALL(RtmGetRoutePointer, Kinds{kRoute}, h, &s.route_pointer),
      CALL(RtmLockRoute, Kinds{kRoute}, h, TRUE, TRUE, &s.route_pointer),
      CALL(RtmUpdateAndUnlockRoute, Kinds{kRoute}, h, INFINITE, nullptr, 0, nullptr, &s.flags),
      CALL(RtmGetLessSpecificDestination, Kinds{kDestination}, h, 0, kBoth, s.destination),
      CALL(RtmIsBestRoute, Kinds{kRoute}, h, &s.flags),
      CALL(RtmAddNextHop, Kinds{kHop}, &s.hop, &h, &s.flags),
      CALL(RtmDeleteNextHop, Kinds{kHop}, h, nullptr),
      CALL(RtmGetNextHopPointer, Kinds{kHop}, h, &s.hop_pointer),
      CALL(RtmLockNextHop, Kinds{kHop}, h, TRUE, TRUE, &s.hop_pointer),
      CALL(RtmGetEnumDests, Kinds{kDestEnum}, h, &s.count, s.destination),
      CALL(RtmCreateRouteEnum, Kinds{kDestination}, h, kBoth, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0,
           &s.out),
      CALL(RtmGetEnumRoutes, Kinds{kRouteEnum}, h, &s.count, &s.out),
      CALL(RtmReleaseRoutes, Kinds{kRoute}, 1, &h),
      CALL(RtmGetEnumNextHops, Kinds{kHopEnum}, h, &s.count, &s.out),
      CALL(RtmReleaseNextHops, Kinds{kHop}, 1, &h),
      CALL(RtmDeleteEnumHandle, (Kinds{kDestEnum, kRouteEnum, kHopEnum, kListEnum}), h),
      CALL(RtmGetChangedDests, Kinds{kNotification}, h, &s.count, s.destination),
      CALL(RtmReleaseChangedDests, Kinds{kNotification}, h, 0, s.destination),
      CALL(RtmIgnoreChangedDests, Kinds{kNotification}, h, 0, &s.out),
      CALL(RtmIgnoreChangedDests, Kinds{kDestination}, w.watch, 1, &h),
      CALL(RtmGetChangeStatus, Kinds{kNotification}, h, w.destination.handle(), &s.truth),
      CALL(RtmGetChangeStatus, Kinds{kDestination}, w.watch, h, &s.truth),
      CALL(RtmMarkDestForChangeNotification, Kinds{kNotification}, h, w.destination.handle(), TRUE),
      CALL(RtmMarkDestForChangeNotification, Kinds{kDestination}, w.watch, h, TRUE),
      CALL(RtmIsMarkedForChangeNotification, Kinds{kNotification}, h, w.destination.handle(), &s.truth),
      CALL(RtmIsMarkedForChangeNotification, Kinds{kDestination}, w.watch, h, &s.truth),
      CALL(RtmDeregisterFromChangeNotification, Kinds{kNotification}, h),
      CALL(RtmInsertInRouteList, Kinds{kList}, h, 0, &s.out),
      CALL(RtmInsertInRouteList, Kinds{kRoute}, w.list, 1, &h),
      CALL(RtmCreateRouteListEnum, Kinds{kList}, h, &s.out),
      CALL(RtmGetListEnumRoutes, Kinds{kListEnum}, h, &s.count, &s.out),
      CALL(RtmDeleteRouteList, Kinds{kList}, h),
      CALL(RtmReferenceHandles, (Kinds{kEntity, kDestination, kRoute, kHop}), 1, &h),
#undef CALL
      {"RtmAddRouteToDest, route", {kRoute}, [](World& w, Scratch& s, HANDLE h) { return add_with(w, s, {}, &h); }},
      {"RtmAddRouteToDest, neighbour",
       {kHop},
       [](World& w, Scratch& s, HANDLE h) { return add_with(w, s, {.neighbour = h}); }},
      {"RtmAddRouteToDest, next hop",
       {kHop},
       [](World& w, Scratch& s, HANDLE h) { return add_with(w, s, {.hops = {h}}); }},
      {"RtmAddRouteToDest, list", {kList}, [](World& w, Scratch& s, HANDLE h) { return add_with(w, s, {.list = h}); }},
  };
  return calls;
}

using EveryCall = RtmTest;

// clauses: RTM2-028
TEST_F(EveryCall, RefusesTheHandleOfOneWhoLeft_choice) {
  Client gone;
  const HANDLE dead = gone;
  gone.deregister();
  World world;  // may live where the other did
  const Books before = Books::now();
  for (const HANDLE bad : {dead, HANDLE{nullptr}, kInvalid, kGarbage}) {
    for (const Call& each : calls_by_registration()) {
      Scratch scratch(world.client);
      EXPECT_EQ(each.call(world, scratch, bad), DWORD{ERROR_INVALID_HANDLE}) << each.name << " with " << bad;
    }
  }
  EXPECT_EQ(Books::now(), before);
}

// clauses: RTM2-245
TEST_F(EveryCall, RefusesAHandleOfAnotherKind_choice) {
  World world;
  const std::array<HANDLE, kKinds> handles = {world.client,    world.destination.handle(),
                                              world.route,     world.hop,
                                              world.dest_enum, world.route_enum,
                                              world.hop_enum,  world.list_enum,
                                              world.list,      world.watch};
  const Books before = Books::now();
  for (const Call& each : calls_by_object()) {
    for (size_t kind = 0; kind < kKinds; ++kind) {
      if (std::find(each.takes.begin(), each.takes.end(), Kind{kind}) == each.takes.end()) {
        Scratch scratch(world.client);
        EXPECT_EQ(each.call(world, scratch, handles[kind]), DWORD{ERROR_INVALID_HANDLE})
            << each.name << ", kind " << kind;
      }
    }
    for (const HANDLE bad : {kInvalid, kGarbage}) {
      Scratch scratch(world.client);
      EXPECT_EQ(each.call(world, scratch, bad), DWORD{ERROR_INVALID_HANDLE}) << each.name << " with " << bad;
    }
  }
  for (const Call& each : calls_by_registration()) {
    for (size_t kind = kDestination; kind < kKinds; ++kind) {
      Scratch scratch(world.client);
      EXPECT_EQ(each.call(world, scratch, handles[kind]), DWORD{ERROR_INVALID_HANDLE})
          << each.name << ", kind " << kind;
    }
  }
  EXPECT_EQ(Books::now(), before);
}

}  // namespace
}  // namespace turnpike::conformance
