// RTM2-246, RTM2-247: the worked sequences W1 … W9 of section 7, as a client would write them. That nothing is left
// when the clients are gone is checked by the fixture after each of them.
#include <algorithm>
#include <cstring>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class Sequences : public RtmTest {
 protected:
  Client client_{{.protocol = 8, .opaque = true}};
};

// clauses: RTM2-247
TEST_F(Sequences, W1RegisterPublishWithdrawLeave_choice) {
  RTM_NEXTHOP_INFO hop_info{};
  hop_info.NextHopAddress = Net("192.0.2.1").value();
  hop_info.InterfaceIndex = 2;
  RTM_NEXTHOP_HANDLE hop = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  ASSERT_EQ(RtmAddNextHop(client_, &hop_info, &hop, &hop_flags), DWORD{NO_ERROR});
  {
    RouteInfo info(client_, {.metric = 3, .neighbour = hop, .hops = {hop}});
    RTM_ROUTE_HANDLE route = nullptr;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    ASSERT_EQ(RtmAddRouteToDest(client_, &route, Net("10.0.0.0/8"), info, 180000, nullptr, 0, nullptr, &flags),
              DWORD{NO_ERROR});
    EXPECT_EQ(flags, DWORD{RTM_ROUTE_CHANGE_NEW | RTM_ROUTE_CHANGE_BEST});
    EXPECT_EQ(RtmReleaseNextHops(client_, 1, &hop), DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseRoutes(client_, 1, &route), DWORD{NO_ERROR});
  }
  {
    RTM_NEXTHOP_HANDLE again = nullptr;
    ASSERT_EQ(RtmFindNextHop(client_, &hop_info, &again, nullptr), DWORD{NO_ERROR});
    RouteInfo info(client_, {.neighbour = again});
    info->RouteOwner = client_;
    RTM_ROUTE_HANDLE route = nullptr;
    ASSERT_EQ(RtmGetExactMatchRoute(client_, Net("10.0.0.0/8"), RTM_MATCH_OWNER | RTM_MATCH_NEIGHBOUR, info, 0,
                                    kUnicast, &route),
              DWORD{NO_ERROR});
    info.release();
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmDeleteRouteToDest(client_, route, &flags), DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseNextHops(client_, 1, &again), DWORD{NO_ERROR});
  }
  EXPECT_EQ(RtmDeleteNextHop(client_, nullptr, &hop_info), DWORD{NO_ERROR});
  EXPECT_EQ(TpObjectCount(TP_KIND_DESTINATION) + TpObjectCount(TP_KIND_ROUTE) + TpObjectCount(TP_KIND_NEXT_HOP), 0U);
}

// clauses: RTM2-247
TEST_F(Sequences, W2FollowTheUnicastTable_choice) {
  Client follower;
  std::vector<std::string> table;
  HANDLE watch = nullptr;
  follower.on_event([&](const Event& event) {
    std::vector<UCHAR> records(4 * RTM_SIZE_OF_DEST_INFO(1));
    for (;;) {
      UINT count = 4;
      const auto first = reinterpret_cast<PRTM_DEST_INFO>(records.data());
      const DWORD answer = RtmGetChangedDests(follower, event.first, &count, first);
      for (UINT i = 0; i < count; ++i) {
        const auto record = reinterpret_cast<PRTM_DEST_INFO>(records.data() + i * RTM_SIZE_OF_DEST_INFO(1));
        std::erase(table, text_of(record->DestAddress));
        if (record->ViewInfo[0].Route != nullptr) {
          RouteInfo info(follower);
          EXPECT_EQ(RtmGetRouteInfo(follower, record->ViewInfo[0].Route, info, nullptr), DWORD{NO_ERROR});
          table.push_back(text_of(record->DestAddress));
        }
      }
      EXPECT_EQ(RtmReleaseChangedDests(follower, event.first, count, first), DWORD{NO_ERROR});
      if (answer == ERROR_NO_MORE_ITEMS || count == 0) {
        return DWORD{NO_ERROR};
      }
    }
  });
  ASSERT_EQ(RtmRegisterForChangeNotification(follower, kUnicast, RTM_CHANGE_TYPE_BEST, nullptr, &watch),
            DWORD{NO_ERROR});
  std::vector<Route> kept;
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8", "14.0.0.0/8"}) {
    kept.push_back(client_.route(prefix));
  }
  client_.remove(std::move(kept[1]));
  settle();
  std::sort(table.begin(), table.end());
  EXPECT_EQ(table, (std::vector<std::string>{"10.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8", "14.0.0.0/8"}));
  EXPECT_EQ(RtmDeregisterFromChangeNotification(follower, watch), DWORD{NO_ERROR});
}

// clauses: RTM2-247
TEST_F(Sequences, W3UpdateInPlace_choice) {
  const NextHop from = client_.next_hop("192.0.2.1");
  const NextHop to = client_.next_hop("192.0.2.2");
  const Route route = client_.route("10.0.0.0/8", {.hops = {from}});
  PRTM_ROUTE_INFO edited = nullptr;
  ASSERT_EQ(RtmLockRoute(client_, route, TRUE, TRUE, &edited), DWORD{NO_ERROR});
  edited->PrefInfo.Metric = 4;
  edited->EntitySpecificInfo = this;
  EXPECT_EQ(RtmReleaseNextHops(client_, 1, &edited->NextHopsList.NextHops[0]), DWORD{NO_ERROR});
  edited->NextHopsList.NextHops[0] = to;
  EXPECT_EQ(RtmReferenceHandles(client_, 1, &edited->NextHopsList.NextHops[0]), DWORD{NO_ERROR});
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmUpdateAndUnlockRoute(client_, route, INFINITE, nullptr, 0, nullptr, &flags), DWORD{NO_ERROR});
  RouteInfo info(client_);
  EXPECT_EQ(RtmGetRouteInfo(client_, route, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->PrefInfo.Metric, 4U);
  EXPECT_EQ(info->EntitySpecificInfo, this);
  EXPECT_EQ(info.hops(), std::vector<HANDLE>{to});
}

// clauses: RTM2-247
TEST_F(Sequences, W4WalkUpThePrefixTree_choice) {
  std::vector<Route> kept;
  for (const char* prefix : {"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16"}) {
    kept.push_back(client_.route(prefix));
  }
  std::array<DestInfo, 2> buffers = {DestInfo(client_), DestInfo(client_)};
  ASSERT_EQ(RtmGetMostSpecificDestination(client_, Net("10.1.2.3"), 0, kUnicast, buffers[0]), DWORD{NO_ERROR});
  size_t at = 0;
  std::vector<std::string> met = {buffers[0].prefix()};
  while (RtmGetLessSpecificDestination(client_, buffers[at].handle(), 0, kUnicast, buffers[1 - at]) == NO_ERROR) {
    buffers[at].release();
    at = 1 - at;
    met.push_back(buffers[at].prefix());
  }
  EXPECT_EQ(met, (std::vector<std::string>{"10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0"}));
}

// clauses: RTM2-247
TEST_F(Sequences, W5HoldDown_choice) {
  const Watch watch(client_, RTM_CHANGE_TYPE_BEST);
  Route old = client_.route("10.0.0.0/8");
  const HANDLE held = old;
  DestInfo destination = client_.find("10.0.0.0/8");
  ASSERT_EQ(RtmHoldDestination(client_, destination.handle(), kUnicast, 30000), DWORD{NO_ERROR});
  client_.remove(std::move(old));
  {
    DestInfo seen = client_.look(destination.handle(), kUnicast);
    EXPECT_EQ(seen.view(0).Route, nullptr);
    EXPECT_EQ(seen.view(0).HoldRoute, held);
  }
  pass(10000);
  const Route fresh = client_.route("10.0.0.0/8");
  {
    DestInfo seen = client_.look(destination.handle(), kUnicast);
    EXPECT_EQ(seen.view(0).Route, HANDLE{fresh});
    EXPECT_EQ(seen.view(0).HoldRoute, held);
  }
  EXPECT_EQ(watch.changed().size(), 1U);
  pass(20500);
  EXPECT_EQ(watch.changed().size(), 1U) << "the end of the hold-down";
  DestInfo seen = client_.look(destination.handle(), kUnicast);
  EXPECT_EQ(seen.view(0).HoldRoute, nullptr);
}

// clauses: RTM2-247
TEST_F(Sequences, W6OpaqueSlot_choice) {
  struct Block {
    int visits = 0;
  };
  std::vector<Route> kept;
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8"}) {
    kept.push_back(client_.route(prefix));
  }
  const auto visit = [&](const char* prefix, const std::function<void(PVOID*)>& what) {
    DestInfo destination = client_.find(prefix);
    PVOID slot = nullptr;
    EXPECT_EQ(RtmLockDestination(client_, destination.handle(), TRUE, TRUE), DWORD{NO_ERROR});
    EXPECT_EQ(RtmGetOpaqueInformationPointer(client_, destination.handle(), &slot), DWORD{NO_ERROR});
    what(static_cast<PVOID*>(slot));
    EXPECT_EQ(RtmLockDestination(client_, destination.handle(), TRUE, FALSE), DWORD{NO_ERROR});
  };
  int visits = 0;
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8", "10.0.0.0/8"}) {
    visit(prefix, [&](PVOID* slot) {
      if (*slot == nullptr) {
        *slot = new Block;
      }
      visits += ++static_cast<Block*>(*slot)->visits;
    });
  }
  EXPECT_EQ(visits, 1 + 1 + 2);
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8"}) {
    visit(prefix, [](PVOID* slot) { delete static_cast<Block*>(std::exchange(*slot, nullptr)); });
  }
}

VOID WINAPI route_tag(RTM_ENTITY_HANDLE, RTM_ENTITY_HANDLE, RTM_ENTITY_METHOD_INPUT*,
                      RTM_ENTITY_METHOD_OUTPUT* output) {
  const ULONG tag = 0xCAFE;
  std::memcpy(output->OutputData, &tag, sizeof(tag));
  output->OutputSize = sizeof(tag);
}

// clauses: RTM2-247
TEST_F(Sequences, W7Methods_choice) {
  const Client exporter({.protocol = 77, .methods = {nullptr, nullptr, route_tag}});
  UINT count = 0;
  ASSERT_EQ(RtmGetRegisteredEntities(client_, &count, nullptr, nullptr), DWORD{ERROR_INSUFFICIENT_BUFFER});
  std::vector<HANDLE> handles(count);
  std::vector<RTM_ENTITY_INFO> infos(count);
  ASSERT_EQ(RtmGetRegisteredEntities(client_, &count, handles.data(), infos.data()), DWORD{NO_ERROR});
  for (UINT i = 0; i < count; ++i) {
    if (infos[i].EntityId.EntityProtocolId == 77) {
      UINT methods = 0;
      EXPECT_EQ(RtmGetEntityMethods(client_, handles[i], &methods, nullptr), DWORD{NO_ERROR});
      EXPECT_EQ(methods, 3U);
      RTM_ENTITY_METHOD_INPUT input{METHOD_RIP2_ROUTE_TAG, 0, {0}};
      std::array<UCHAR, 64> output{};
      UINT size = 64;
      EXPECT_EQ(RtmInvokeMethod(client_, handles[i], &input, &size,
                                reinterpret_cast<PRTM_ENTITY_METHOD_OUTPUT>(output.data())),
                DWORD{NO_ERROR});
      EXPECT_EQ(size, 16U);
      ULONG tag = 0;
      std::memcpy(&tag, output.data() + offsetof(RTM_ENTITY_METHOD_OUTPUT, OutputData), sizeof(tag));
      EXPECT_EQ(tag, 0xCAFEU);
    }
  }
  EXPECT_EQ(RtmReleaseEntities(client_, count, handles.data()), DWORD{NO_ERROR});
  EXPECT_EQ(RtmBlockMethods(exporter, nullptr, 0, RTM_BLOCK_METHODS), DWORD{NO_ERROR});
  EXPECT_EQ(RtmBlockMethods(exporter, nullptr, 0, RTM_RESUME_METHODS), DWORD{NO_ERROR});
}

// clauses: RTM2-247
TEST_F(Sequences, W8RouteList_choice) {
  HANDLE lists[2] = {};
  ASSERT_EQ(RtmCreateRouteList(client_, &lists[0]), DWORD{NO_ERROR});
  ASSERT_EQ(RtmCreateRouteList(client_, &lists[1]), DWORD{NO_ERROR});
  for (const char* prefix : {"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"}) {
    client_.route(prefix, {.list = lists[0]}).release();
  }
  HANDLE enumeration = nullptr;
  ASSERT_EQ(RtmCreateRouteListEnum(client_, lists[0], &enumeration), DWORD{NO_ERROR});
  UINT moved = 0;
  UINT count = 2;
  do {
    HANDLE batch[2] = {};
    count = 2;
    ASSERT_EQ(RtmGetListEnumRoutes(client_, enumeration, &count, batch), DWORD{NO_ERROR});
    EXPECT_EQ(RtmInsertInRouteList(client_, lists[1], count, batch), DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseRoutes(client_, count, batch), DWORD{NO_ERROR});
    moved += count;
  } while (count == 2);
  EXPECT_EQ(moved, 3U);
  EXPECT_EQ(RtmDeleteEnumHandle(client_, enumeration), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteRouteList(client_, lists[0]), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteRouteList(client_, lists[1]), DWORD{NO_ERROR});
  EXPECT_TRUE(client_.has("12.0.0.0/8"));
}

// clauses: RTM2-247
TEST_F(Sequences, W9Ageing_choice) {
  const Route aged = client_.route("10.0.0.0/8", {.lives = 1000});
  client_.route("11.0.0.0/8", {.lives = 1000}).release();
  client_.on_event([&](const Event& event) {
    if (event.first != HANDLE{aged}) {
      return DWORD{ERROR_NOT_SUPPORTED};  // the library deletes it
    }
    HANDLE route = event.first;
    PRTM_ROUTE_INFO info = nullptr;
    EXPECT_EQ(RtmLockRoute(client_, route, TRUE, TRUE, &info), DWORD{NO_ERROR});
    info->PrefInfo.Metric = 16;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmUpdateAndUnlockRoute(client_, route, INFINITE, nullptr, 0, nullptr, &flags), DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseRoutes(client_, 1, &route), DWORD{NO_ERROR});
    return DWORD{NO_ERROR};
  });
  pass(1500);
  EXPECT_FALSE(client_.has("11.0.0.0/8"));
  RouteInfo info(client_);
  ASSERT_EQ(RtmGetRouteInfo(client_, aged, info, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(info->PrefInfo.Metric, 16U);
}

// clauses: RTM2-246
TEST_F(Sequences, PointersThatAreGivenOutAreBorrowed) {
  const NextHop hop = client_.next_hop("192.0.2.1");
  const Route route = client_.route("10.0.0.0/8", {.hops = {hop}});
  DestInfo destination = client_.find("10.0.0.0/8");
  RTM_NEXTHOP_INFO key{};
  key.NextHopAddress = Net("192.0.2.1").value();
  key.InterfaceIndex = 1;
  const Books before = Books::now();
  // The same each time: nothing was made for the caller, and nothing is to be freed.
  PRTM_ROUTE_INFO routes[2] = {};
  PRTM_NEXTHOP_INFO hops[2] = {};
  PRTM_NEXTHOP_INFO found[2] = {};
  PVOID slots[2] = {};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(RtmGetRoutePointer(client_, route, &routes[i]), DWORD{NO_ERROR});
    EXPECT_EQ(RtmGetNextHopPointer(client_, hop, &hops[i]), DWORD{NO_ERROR});
    EXPECT_EQ(RtmFindNextHop(client_, &key, nullptr, &found[i]), DWORD{NO_ERROR});
    EXPECT_EQ(RtmGetOpaqueInformationPointer(client_, destination.handle(), &slots[i]), DWORD{NO_ERROR});
  }
  EXPECT_EQ(routes[0], routes[1]);
  EXPECT_EQ(hops[0], hops[1]);
  EXPECT_EQ(found[0], hops[0]);
  EXPECT_EQ(found[1], hops[0]);
  EXPECT_EQ(slots[0], slots[1]);
  EXPECT_EQ(Books::now(), before);
}

}  // namespace
}  // namespace turnpike::conformance
