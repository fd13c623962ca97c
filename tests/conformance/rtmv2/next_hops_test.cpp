// RTM2-080 … RTM2-096: the list of next hops that each client has.
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class NextHops : public RtmTest {
 protected:
  Client owner_;
  Client other_;
};

RTM_NEXTHOP_INFO key(const char* address, ULONG interface = 1) {
  RTM_NEXTHOP_INFO info{};
  info.NextHopAddress = Net(address).value();
  info.InterfaceIndex = interface;
  return info;
}

/// What the library says of a next hop; the references inside are given back at once, the values stay to be compared.
RTM_NEXTHOP_INFO info_of(const Client& client, RTM_NEXTHOP_HANDLE hop) {
  RTM_NEXTHOP_INFO info{};
  EXPECT_EQ(RtmGetNextHopInfo(client, hop, &info), DWORD{NO_ERROR});
  RTM_NEXTHOP_INFO released = info;
  EXPECT_EQ(RtmReleaseNextHopInfo(client, &released), DWORD{NO_ERROR});
  return info;
}

DWORD find(const Client& client, RTM_NEXTHOP_INFO wanted, RTM_NEXTHOP_HANDLE* handle = nullptr,
           PRTM_NEXTHOP_INFO* pointer = nullptr) {
  return RtmFindNextHop(client, &wanted, handle, pointer);
}

// clauses: RTM2-080
TEST_F(NextHops, ANewOne) {
  RTM_NEXTHOP_INFO wanted = key("192.0.2.1", 7);
  wanted.Flags = RTM_NEXTHOP_FLAGS_DOWN;
  wanted.EntitySpecificInfo = &wanted;
  RTM_NEXTHOP_HANDLE handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0xFFFF;
  ASSERT_EQ(RtmAddNextHop(owner_, &wanted, &handle, &flags), DWORD{NO_ERROR});
  const NextHop hop(owner_, handle);
  EXPECT_NE(handle, nullptr);
  EXPECT_EQ(flags, DWORD{RTM_NEXTHOP_CHANGE_NEW});
  RTM_NEXTHOP_INFO info = info_of(owner_, hop);
  EXPECT_EQ(text_of(info.NextHopAddress), "192.0.2.1/32");
  EXPECT_EQ(info.InterfaceIndex, 7U);
  EXPECT_EQ(info.NextHopOwner, HANDLE{owner_});
  EXPECT_EQ(info.State, RTM_NEXTHOP_STATE_CREATED);
  EXPECT_EQ(info.Flags, RTM_NEXTHOP_FLAGS_DOWN);
  EXPECT_EQ(info.EntitySpecificInfo, &wanted);
  EXPECT_EQ(info.RemoteNextHop, nullptr);
}

// clauses: RTM2-081
TEST_F(NextHops, TheSameKeyAgainIsAnUpdate) {
  const NextHop first = owner_.next_hop("192.0.2.1");
  RTM_NEXTHOP_INFO wanted = key("192.0.2.1");
  wanted.Flags = RTM_NEXTHOP_FLAGS_DOWN;
  wanted.EntitySpecificInfo = &wanted;
  RTM_NEXTHOP_HANDLE handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0xFFFF;
  ASSERT_EQ(RtmAddNextHop(owner_, &wanted, &handle, &flags), DWORD{NO_ERROR});
  const NextHop second(owner_, handle);
  EXPECT_EQ(flags, 0U);
  EXPECT_EQ(HANDLE{first}, HANDLE{second});
  EXPECT_EQ(info_of(owner_, first).Flags, RTM_NEXTHOP_FLAGS_DOWN);
  EXPECT_EQ(info_of(owner_, first).EntitySpecificInfo, &wanted);
}

// clauses: RTM2-082
TEST_F(NextHops, AnotherInterfaceIsAnotherNextHop) {
  const NextHop one = owner_.next_hop("192.0.2.1", 1);
  const NextHop two = owner_.next_hop("192.0.2.1", 2);
  EXPECT_NE(HANDLE{one}, HANDLE{two});
  EXPECT_EQ(info_of(owner_, one).InterfaceIndex, 1U);
  EXPECT_EQ(info_of(owner_, two).InterfaceIndex, 2U);
}

// clauses: RTM2-083 RTM2-088
TEST_F(NextHops, EachClientHasItsOwnList) {
  const NextHop mine = owner_.next_hop("192.0.2.1");
  EXPECT_EQ(find(other_, key("192.0.2.1")), DWORD{ERROR_NOT_FOUND});
  const NextHop theirs = other_.next_hop("192.0.2.1");
  EXPECT_NE(HANDLE{mine}, HANDLE{theirs});
  EXPECT_EQ(info_of(owner_, theirs).NextHopOwner, HANDLE{other_});
}

// clauses: RTM2-084
TEST_F(NextHops, UpdateByHandle) {
  const NextHop hop = owner_.next_hop("192.0.2.1");
  const Books before = Books::now();
  RTM_NEXTHOP_INFO wanted = key("192.0.2.99", 99);  // ignored: the handle says which
  wanted.Flags = RTM_NEXTHOP_FLAGS_DOWN;
  RTM_NEXTHOP_HANDLE handle = hop;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0xFFFF;
  ASSERT_EQ(RtmAddNextHop(owner_, &wanted, &handle, &flags), DWORD{NO_ERROR});
  EXPECT_EQ(handle, HANDLE{hop});
  EXPECT_EQ(flags, 0U);
  EXPECT_EQ(Books::now(), before) << "an update by handle takes no reference";
  EXPECT_EQ(info_of(owner_, hop).Flags, RTM_NEXTHOP_FLAGS_DOWN);
  EXPECT_EQ(text_of(info_of(owner_, hop).NextHopAddress), "192.0.2.1/32");

  wanted.Flags = 0;
  EXPECT_EQ(RtmAddNextHop(other_, &wanted, &handle, &flags), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(info_of(owner_, hop).Flags, RTM_NEXTHOP_FLAGS_DOWN);
}

// clauses: RTM2-085
TEST_F(NextHops, WithoutAHandle) {
  RTM_NEXTHOP_INFO wanted = key("192.0.2.1");
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  const uint64_t before = TpReferenceCount(TP_KIND_NEXT_HOP);
  EXPECT_EQ(RtmAddNextHop(owner_, &wanted, nullptr, &flags), DWORD{NO_ERROR});
  EXPECT_EQ(flags, DWORD{RTM_NEXTHOP_CHANGE_NEW});
  EXPECT_EQ(TpReferenceCount(TP_KIND_NEXT_HOP), before);
  EXPECT_EQ(find(owner_, key("192.0.2.1")), DWORD{NO_ERROR});
}

// clauses: RTM2-086
TEST_F(NextHops, OwnerAndStateOfTheInputAreIgnored) {
  RTM_NEXTHOP_INFO wanted = key("192.0.2.1");
  wanted.NextHopOwner = kGarbage;
  wanted.State = RTM_NEXTHOP_STATE_DELETED;
  RTM_NEXTHOP_HANDLE handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  ASSERT_EQ(RtmAddNextHop(owner_, &wanted, &handle, &flags), DWORD{NO_ERROR});
  const NextHop hop(owner_, handle);
  EXPECT_EQ(info_of(owner_, hop).NextHopOwner, HANDLE{owner_});
  EXPECT_EQ(info_of(owner_, hop).State, RTM_NEXTHOP_STATE_CREATED);
}

// clauses: RTM2-087
TEST_F(NextHops, AreFoundByTheirKey) {
  const NextHop hop = owner_.next_hop("192.0.2.1", 3);
  RTM_NEXTHOP_HANDLE handle = nullptr;
  PRTM_NEXTHOP_INFO pointer = nullptr;
  ASSERT_EQ(find(owner_, key("192.0.2.1", 3), &handle, &pointer), DWORD{NO_ERROR});
  const NextHop found(owner_, handle);
  EXPECT_EQ(handle, HANDLE{hop});
  ASSERT_NE(pointer, nullptr);
  EXPECT_EQ(pointer->InterfaceIndex, 3U);

  const Books before = Books::now();
  pointer = nullptr;
  EXPECT_EQ(find(owner_, key("192.0.2.1", 3), nullptr, &pointer), DWORD{NO_ERROR});
  EXPECT_NE(pointer, nullptr);
  EXPECT_EQ(Books::now(), before) << "a pointer is borrowed";
  EXPECT_EQ(find(owner_, key("192.0.2.1", 4), &handle), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(find(owner_, key("192.0.2.2", 3), &handle), DWORD{ERROR_NOT_FOUND});
}

// clauses: RTM2-089
TEST_F(NextHops, AreDeletedByTheirKey) {
  owner_.next_hop("192.0.2.1").release();
  RTM_NEXTHOP_INFO wanted = key("192.0.2.1");
  EXPECT_EQ(RtmDeleteNextHop(owner_, nullptr, &wanted), DWORD{NO_ERROR});
  EXPECT_EQ(find(owner_, wanted), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(RtmDeleteNextHop(owner_, nullptr, &wanted), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(TpObjectCount(TP_KIND_NEXT_HOP), 0U);
}

// clauses: RTM2-090
TEST_F(NextHops, AreDeletedByTheirHandleWhichIsConsumed) {
  NextHop hop = owner_.next_hop("192.0.2.1");
  EXPECT_EQ(RtmDeleteNextHop(other_, hop, nullptr), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(find(owner_, key("192.0.2.1")), DWORD{NO_ERROR});
  HANDLE consumed = hop.consume();
  EXPECT_EQ(RtmDeleteNextHop(owner_, consumed, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(find(owner_, key("192.0.2.1")), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(TpReferenceCount(TP_KIND_NEXT_HOP), 0U);
  EXPECT_EQ(RtmReleaseNextHops(owner_, 1, &consumed), DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-091
TEST_F(NextHops, DeletingWithoutSayingWhich_choice) {
  EXPECT_EQ(RtmDeleteNextHop(owner_, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RTM2-092
TEST_F(NextHops, ADeletedOneLivesInTheRoutesThatUseIt_choice) {
  NextHop old = owner_.next_hop("192.0.2.1");
  const Route route = owner_.route("10.0.0.0/8", {.hops = {old}});
  HANDLE old_handle = old;
  ASSERT_EQ(RtmDeleteNextHop(owner_, old.consume(), nullptr), DWORD{NO_ERROR});

  RTM_NEXTHOP_INFO wanted = key("192.0.2.1");
  RTM_NEXTHOP_HANDLE handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  ASSERT_EQ(RtmAddNextHop(owner_, &wanted, &handle, &flags), DWORD{NO_ERROR});
  const NextHop fresh(owner_, handle);
  EXPECT_EQ(flags, DWORD{RTM_NEXTHOP_CHANGE_NEW});
  EXPECT_NE(handle, old_handle);

  RouteInfo info(owner_);
  ASSERT_EQ(RtmGetRouteInfo(owner_, route, info, nullptr), DWORD{NO_ERROR});
  ASSERT_EQ(info.hops(), std::vector<HANDLE>{old_handle});
  EXPECT_EQ(info_of(owner_, old_handle).State, RTM_NEXTHOP_STATE_DELETED);
  EXPECT_EQ(text_of(info_of(owner_, old_handle).NextHopAddress), "192.0.2.1/32");
}

// clauses: RTM2-093
TEST_F(NextHops, ThePointerIsForTheOwner) {
  const NextHop hop = owner_.next_hop("192.0.2.1", 3);
  PRTM_NEXTHOP_INFO pointer = nullptr;
  EXPECT_EQ(RtmGetNextHopPointer(other_, hop, &pointer), DWORD{ERROR_ACCESS_DENIED});
  EXPECT_EQ(pointer, nullptr);
  ASSERT_EQ(RtmGetNextHopPointer(owner_, hop, &pointer), DWORD{NO_ERROR});
  ASSERT_NE(pointer, nullptr);
  const RTM_NEXTHOP_INFO info = info_of(owner_, hop);
  EXPECT_EQ(text_of(pointer->NextHopAddress), text_of(info.NextHopAddress));
  EXPECT_EQ(pointer->NextHopOwner, info.NextHopOwner);
  EXPECT_EQ(pointer->InterfaceIndex, info.InterfaceIndex);
  EXPECT_EQ(pointer->State, info.State);
  EXPECT_EQ(pointer->Flags, info.Flags);
  EXPECT_EQ(pointer->EntitySpecificInfo, info.EntitySpecificInfo);
  EXPECT_EQ(pointer->RemoteNextHop, info.RemoteNextHop);
}

// clauses: RTM2-094
TEST_F(NextHops, AnybodyMayReadThem) {
  const NextHop hop = owner_.next_hop("192.0.2.1", 3);
  EXPECT_EQ(info_of(other_, hop).InterfaceIndex, 3U);
  RTM_NEXTHOP_INFO info{};
  for (const HANDLE bad : {HANDLE{nullptr}, kInvalid, kGarbage}) {
    EXPECT_EQ(RtmGetNextHopInfo(owner_, bad, &info), DWORD{ERROR_INVALID_HANDLE});
  }
}

// clauses: RTM2-095
TEST_F(NextHops, EditedInPlace) {
  const NextHop hop = owner_.next_hop("192.0.2.1");
  const Route route = owner_.route("10.0.0.0/8");
  DestInfo far = owner_.find("10.0.0.0/8");
  PRTM_NEXTHOP_INFO pointer = nullptr;
  ASSERT_EQ(RtmLockNextHop(owner_, hop, TRUE, TRUE, &pointer), DWORD{NO_ERROR});
  pointer->Flags = RTM_NEXTHOP_FLAGS_REMOTE;
  pointer->EntitySpecificInfo = &far;
  pointer->RemoteNextHop = far.handle();
  ASSERT_EQ(RtmLockNextHop(owner_, hop, TRUE, FALSE, nullptr), DWORD{NO_ERROR});
  const RTM_NEXTHOP_INFO info = info_of(other_, hop);
  EXPECT_EQ(info.Flags, RTM_NEXTHOP_FLAGS_REMOTE);
  EXPECT_EQ(info.EntitySpecificInfo, &far);
  EXPECT_EQ(info.RemoteNextHop, far.handle());
}

// clauses: RTM2-096
TEST_F(NextHops, ARemoteDestinationStaysWhileItIsStored_choice) {
  NextHop hop;
  HANDLE far_handle = nullptr;
  {
    Route route = owner_.route("10.0.0.0/8");
    DestInfo far = owner_.find("10.0.0.0/8");
    far_handle = far.handle();
    RTM_NEXTHOP_INFO wanted = key("192.0.2.1");
    wanted.Flags = RTM_NEXTHOP_FLAGS_REMOTE;
    wanted.RemoteNextHop = far_handle;
    RTM_NEXTHOP_HANDLE handle = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    ASSERT_EQ(RtmAddNextHop(owner_, &wanted, &handle, &flags), DWORD{NO_ERROR});
    hop = NextHop(owner_, handle);
    far.release();
    owner_.remove(std::move(route));
  }
  EXPECT_FALSE(owner_.has("10.0.0.0/8"));
  EXPECT_EQ(TpObjectCount(TP_KIND_DESTINATION), 1U);
  RTM_NEXTHOP_INFO info{};
  ASSERT_EQ(RtmGetNextHopInfo(owner_, hop, &info), DWORD{NO_ERROR});
  EXPECT_EQ(info.RemoteNextHop, far_handle);
  EXPECT_EQ(owner_.look(info.RemoteNextHop).prefix(), "10.0.0.0/8");
  EXPECT_EQ(RtmReleaseNextHopInfo(owner_, &info), DWORD{NO_ERROR});
  ASSERT_EQ(RtmDeleteNextHop(owner_, hop.consume(), nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(TpObjectCount(TP_KIND_DESTINATION), 0U);
}

}  // namespace
}  // namespace turnpike::conformance
