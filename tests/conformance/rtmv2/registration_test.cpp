// RTM2-012 … RTM2-031: registering and leaving. (RTM2-028, which asks every function, is in every_call_test.cpp.)
#include <algorithm>
#include <optional>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Registration = RtmTest;

RTM_ENTITY_INFO some_entity(USHORT family = AF_INET, USHORT rtm_instance = 0) {
  RTM_ENTITY_INFO info{};
  info.RtmInstanceId = rtm_instance;
  info.AddressFamily = family;
  info.EntityId.EntityProtocolId = 4711;
  info.EntityId.EntityInstanceId = 1;
  return info;
}

/// Registers with all but the entity left out; leaves again at once where that succeeded.
DWORD register_and_leave(RTM_ENTITY_INFO info, bool opaque = false) {
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE handle = nullptr;
  const DWORD answer = RtmRegisterEntity(&info, nullptr, nullptr, opaque ? TRUE : FALSE, &profile, &handle);
  if (answer == NO_ERROR) {
    EXPECT_EQ(RtmDeregisterEntity(handle), DWORD{NO_ERROR});
  } else {
    EXPECT_EQ(handle, nullptr);
  }
  return answer;
}

// clauses: RTM2-012 RTM2-014
TEST_F(Registration, WithoutMethodsAndCallbackGivesHandleAndProfile) {
  RTM_ENTITY_INFO info = some_entity();
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE handle = nullptr;
  ASSERT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle), DWORD{NO_ERROR});
  EXPECT_NE(handle, nullptr);
  EXPECT_GE(profile.MaxNextHopsInRoute, 1U);
  EXPECT_GE(profile.MaxHandlesInEnum, 1U);
  RTM_ENTITY_INFO back{};
  EXPECT_EQ(RtmGetEntityInfo(handle, handle, &back), DWORD{NO_ERROR});
  EXPECT_EQ(back.EntityId.EntityId, info.EntityId.EntityId);
  EXPECT_EQ(RtmDeregisterEntity(handle), DWORD{NO_ERROR});
}

// clauses: RTM2-013
TEST_F(Registration, ProfileCountsItsViews) {
  const Client client;
  EXPECT_EQ(client.profile().NumberOfViews, static_cast<UINT>(__builtin_popcount(client.profile().ViewsSupported)));
  EXPECT_EQ(client.profile().ViewsSupported & kBoth, kBoth);
}

// clauses: RTM2-015
TEST_F(Registration, SameIdTwiceIsRefusedAndHarmsNothing) {
  const Client first({.protocol = 5, .instance = 9});
  RTM_ENTITY_INFO info = first.info();
  EXPECT_EQ(register_and_leave(info), DWORD{ERROR_ALREADY_EXISTS});
  EXPECT_EQ(RtmGetEntityInfo(first, first, &info), DWORD{NO_ERROR});
}

// clauses: RTM2-016
TEST_F(Registration, SameProtocolInSeveralInstances) {
  const Client one({.protocol = 5, .instance = 1});
  const Client two({.protocol = 5, .instance = 2});
  EXPECT_NE(RTM_ENTITY_HANDLE{one}, RTM_ENTITY_HANDLE{two});
}

// clauses: RTM2-017
TEST_F(Registration, SameIdInAnotherFamily) {
  const Client four({.protocol = 5, .instance = 1, .family = AF_INET});
  const Client six({.protocol = 5, .instance = 1, .family = AF_INET6});
  EXPECT_NE(RTM_ENTITY_HANDLE{four}, RTM_ENTITY_HANDLE{six});
}

// clauses: RTM2-018
TEST_F(Registration, AnIdIsFreeAgainAfterLeaving) {
  EXPECT_EQ(register_and_leave(some_entity()), DWORD{NO_ERROR});
  EXPECT_EQ(register_and_leave(some_entity()), DWORD{NO_ERROR});
}

// clauses: RTM2-019
TEST_F(Registration, WithoutAConfigurationOfTheTable) {
  configure({kDefaultTable});
  EXPECT_EQ(register_and_leave(some_entity(AF_INET)), DWORD{NO_ERROR});
  EXPECT_EQ(register_and_leave(some_entity(AF_INET6)), DWORD{ERROR_FILE_NOT_FOUND});
}

// clauses: RTM2-020
TEST_F(Registration, WithACorruptConfiguration) {
  std::vector<TP_RTM_TABLE> bad(6, kDefaultTable);
  bad[0].max_next_hops_in_route = 0;
  bad[1].max_next_hops_in_route = 65;
  bad[2].max_handles_in_enum = 0;
  bad[3].max_handles_in_enum = 10001;
  bad[4].opaque_slots = 33;
  bad[5].max_change_registrations = 65;
  for (size_t which = 0; which < bad.size(); ++which) {
    configure({bad[which]});
    EXPECT_EQ(register_and_leave(some_entity()), DWORD{ERROR_BAD_CONFIGURATION}) << which;
  }
}

// clauses: RTM2-021
TEST_F(Registration, UnknownInstance_choice) {
  EXPECT_EQ(register_and_leave(some_entity(AF_INET, 77)), DWORD{ERROR_FILE_NOT_FOUND});
}

// clauses: RTM2-022
TEST_F(Registration, UnsupportedFamily_choice) {
  constexpr USHORT kWindowsInet6 = 23;
  for (const USHORT family : {USHORT{0}, kWindowsInet6, USHORT{99}, USHORT{0xFFFF}}) {
    EXPECT_EQ(register_and_leave(some_entity(family)), DWORD{ERROR_INVALID_PARAMETER}) << family;
  }
}

// clauses: RTM2-023
TEST_F(Registration, NullPointers_choice) {
  RTM_ENTITY_INFO info = some_entity();
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE handle = nullptr;
  EXPECT_EQ(RtmRegisterEntity(nullptr, nullptr, nullptr, FALSE, &profile, &handle), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, nullptr, &handle), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(handle, nullptr);
  EXPECT_EQ(register_and_leave(info), DWORD{NO_ERROR}) << "a refused registration must leave the id free";
}

VOID WINAPI do_nothing(RTM_ENTITY_HANDLE, RTM_ENTITY_HANDLE, RTM_ENTITY_METHOD_INPUT*, RTM_ENTITY_METHOD_OUTPUT*) {}

// clauses: RTM2-024
TEST_F(Registration, AtMost32Methods_choice) {
  const Client most({.methods = std::vector<RTM_ENTITY_EXPORT_METHOD>(32, do_nothing)});
  UINT count = 0;
  EXPECT_EQ(RtmGetEntityMethods(most, most, &count, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(count, 32U);

  struct {
    RTM_ENTITY_EXPORT_METHODS head;
    std::array<RTM_ENTITY_EXPORT_METHOD, 32> more;
  } many{{33, {do_nothing}}, {}};
  many.more.fill(do_nothing);
  RTM_ENTITY_INFO info = some_entity();
  RTM_REGN_PROFILE profile{};
  RTM_ENTITY_HANDLE handle = nullptr;
  EXPECT_EQ(RtmRegisterEntity(&info, &many.head, nullptr, FALSE, &profile, &handle), DWORD{ERROR_INVALID_DATA});
  EXPECT_EQ(handle, nullptr);
}

PVOID* slot_of(const Client& client, RTM_DEST_HANDLE destination) {
  PVOID slot = nullptr;
  return RtmGetOpaqueInformationPointer(client, destination, &slot) == NO_ERROR ? static_cast<PVOID*>(slot) : nullptr;
}

// clauses: RTM2-025
TEST_F(Registration, NoOpaqueSlotIsLeft_choice) {
  configure({{0, AF_INET, 8, 100, 2, 16}});
  const Client one({.opaque = true});
  const Client two({.opaque = true});
  EXPECT_EQ(register_and_leave(some_entity(), true), DWORD{ERROR_NO_SYSTEM_RESOURCES});
  EXPECT_EQ(register_and_leave(some_entity(), false), DWORD{NO_ERROR});
}

// clauses: RTM2-026
TEST_F(Registration, OpaqueSlotsGoToThoseWhoComeFirst) {
  configure({{0, AF_INET, 8, 100, 2, 16}});
  const Client owner;
  const Route route = owner.route("10.0.0.0/8");
  DestInfo destination = owner.find("10.0.0.0/8");
  const Client one({.opaque = true});
  std::optional<Client> two(std::in_place, ClientOptions{.opaque = true});
  EXPECT_NE(slot_of(one, destination.handle()), nullptr);
  EXPECT_NE(slot_of(*two, destination.handle()), nullptr);
  EXPECT_EQ(register_and_leave(some_entity(), true), DWORD{ERROR_NO_SYSTEM_RESOURCES});
  two.reset();
  const Client three({.opaque = true});
  EXPECT_NE(slot_of(three, destination.handle()), nullptr);
}

// clauses: RTM2-027
TEST_F(Registration, LeavingWithABadHandle) {
  const Client client;
  const Route route = client.route("10.0.0.0/8");
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage, HANDLE{route}}) {
    EXPECT_EQ(RtmDeregisterEntity(bad), DWORD{ERROR_INVALID_HANDLE}) << bad;
  }
  EXPECT_TRUE(client.has("10.0.0.0/8"));
}

/// What `stranger` may not reach of what `owner` has.
void expect_out_of_reach(const Client& stranger, const Client& owner, RTM_ROUTE_HANDLE route, RTM_NEXTHOP_HANDLE hop,
                         RTM_DEST_HANDLE destination) {
  RTM_ENTITY_INFO entity{};
  RTM_NEXTHOP_INFO hop_info{};
  RouteInfo route_info(stranger);
  DestInfo info(stranger);
  EXPECT_EQ(RtmGetEntityInfo(stranger, owner, &entity), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmGetRouteInfo(stranger, route, route_info, nullptr), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmGetNextHopInfo(stranger, hop, &hop_info), DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(RtmGetDestInfo(stranger, destination, 0, kBoth, info), DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-029
TEST_F(Registration, TablesDoNotReachIntoEachOther) {
  configure({kDefaultTable, {1, AF_INET, 8, 100, 5, 16}, {0, AF_INET6, 8, 100, 5, 16}});
  const Client owner;
  const NextHop hop = owner.next_hop("192.0.2.1");
  const Route route = owner.route("10.0.0.0/8", {.hops = {hop}});
  DestInfo destination = owner.find("10.0.0.0/8");
  const Client other_family({.family = AF_INET6});
  const Client other_instance({.rtm_instance = 1});
  expect_out_of_reach(other_family, owner, route, hop, destination.handle());
  expect_out_of_reach(other_instance, owner, route, hop, destination.handle());
  EXPECT_FALSE(other_instance.has("10.0.0.0/8"));
}

// clauses: RTM2-030
TEST_F(Registration, RoutesLeftBehindGoAndOthersAreTold_choice) {
  const Client watcher;
  const Watch watch(watcher, RTM_CHANGE_TYPE_ALL);
  std::optional<Client> owner(std::in_place);
  owner->route("10.0.0.0/8").release();
  owner->route("10.1.0.0/16").release();
  EXPECT_EQ(watch.changed().size(), 2U);
  DestInfo destination = watcher.find("10.1.0.0/16");
  ASSERT_EQ(RtmReferenceHandles(watcher, 1, &destination.view(0).Route), DWORD{NO_ERROR});
  const Route tombstone(watcher, destination.view(0).Route);
  destination.release();

  owner->leaves_things_behind();
  owner.reset();
  std::vector<std::string> told = watch.changed();
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::string>{"10.0.0.0/8", "10.1.0.0/16"}));
  EXPECT_FALSE(watcher.has("10.0.0.0/8"));
  EXPECT_FALSE(watcher.has("10.1.0.0/16"));
  RouteInfo info(watcher);
  ASSERT_EQ(RtmGetRouteInfo(watcher, tombstone, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->State, RTM_ROUTE_STATE_DELETED);
}

// clauses: RTM2-031
TEST_F(Registration, EverythingElseLeftBehindIsFreedAndCounted_choice) {
  const Books before = Books::now();
  std::array<uint64_t, 8> leaks{};
  for (uint32_t kind = TP_KIND_ENTITY; kind <= TP_KIND_NOTIFICATION; ++kind) {
    leaks[kind] = TpLeakCount(kind);
  }
  {
    Client client({.opaque = true});
    client.leaves_things_behind();
    client.next_hop("192.0.2.1").consume();
    client.route("10.0.0.0/8").consume();
    client.find("10.0.0.0/8").consume();
    HANDLE handle = nullptr;
    EXPECT_EQ(RtmCreateRouteList(client, &handle), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateRouteListEnum(client, handle, &handle), DWORD{NO_ERROR});
    EXPECT_EQ(RtmCreateDestEnum(client, kAny, RTM_ENUM_START, nullptr, 0, &handle), DWORD{NO_ERROR});
    EXPECT_EQ(RtmRegisterForChangeNotification(client, kUnicast, RTM_CHANGE_TYPE_ALL, nullptr, &handle),
              DWORD{NO_ERROR});
  }
  EXPECT_EQ(Books::now(), before);
  for (const uint32_t kind : {TP_KIND_DESTINATION, TP_KIND_ROUTE, TP_KIND_NEXT_HOP, TP_KIND_ENUMERATION,
                              TP_KIND_ROUTE_LIST, TP_KIND_NOTIFICATION}) {
    EXPECT_GT(TpLeakCount(kind), leaks[kind]) << "not reported, kind " << kind;
  }
}

}  // namespace
}  // namespace turnpike::conformance
