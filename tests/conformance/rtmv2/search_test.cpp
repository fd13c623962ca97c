// RTM2-160 … RTM2-171: searching destinations and routes.
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

class Searching : public RtmTest {
 protected:
  /// The longest match, or the answer where there is none.
  std::string most_specific(Net address, RTM_VIEW_SET views = kUnicast) const {
    DestInfo info(client_);
    const DWORD answer = RtmGetMostSpecificDestination(client_, address, 0, views, info);
    return answer == NO_ERROR ? info.prefix() : std::to_string(answer);
  }
  /// The prefixes met on the way up, and the answer at its end.
  std::vector<std::string> walk_up(RTM_DEST_HANDLE from, RTM_VIEW_SET views = kUnicast) const {
    std::vector<std::string> met;
    std::vector<DestInfo> held;
    for (;;) {
      DestInfo next(client_);
      const DWORD answer = RtmGetLessSpecificDestination(client_, from, 0, views, next);
      if (answer != NO_ERROR) {
        met.push_back(std::to_string(answer));
        return met;
      }
      met.push_back(next.prefix());
      from = next.handle();
      held.push_back(std::move(next));
    }
  }

  Client client_;
};
const std::string kNotFound = std::to_string(ERROR_NOT_FOUND);

// clauses: RTM2-160
TEST_F(Searching, ExactMatchMeansAddressAndLength) {
  const Route route = client_.route("10.1.0.0/16");
  EXPECT_TRUE(client_.has("10.1.0.0/16", kUnicast));
  for (const char* other : {"10.1.0.0/15", "10.1.0.0/17", "10.2.0.0/16", "0.0.0.0/0", "10.1.0.0/32"}) {
    DestInfo info(client_);
    EXPECT_EQ(RtmGetExactMatchDestination(client_, Net(other), 0, kUnicast, info), DWORD{ERROR_NOT_FOUND}) << other;
  }
}

// clauses: RTM2-161
TEST_F(Searching, MostSpecificIsTheExactMatchElseTheLongest) {
  const Route eight = client_.route("10.0.0.0/8");
  const Route sixteen = client_.route("10.1.0.0/16");
  const Route host = client_.route("10.1.2.3/32");
  EXPECT_EQ(most_specific("10.1.0.0/16"), "10.1.0.0/16");
  EXPECT_EQ(most_specific("10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(most_specific("10.1.2.4"), "10.1.0.0/16");
  EXPECT_EQ(most_specific("10.1.2.0/24"), "10.1.0.0/16");
  EXPECT_EQ(most_specific("10.2.0.0/16"), "10.0.0.0/8");
  EXPECT_EQ(most_specific("10.0.0.0/9"), "10.0.0.0/8");
}

// clauses: RTM2-161
TEST_F(Searching, MostSpecificInIpv6) {
  const Client six({.family = AF_INET6});
  const Route wide = six.route("2001:db8::/32");
  const Route narrow = six.route("2001:db8:0:0:8000::/65");
  DestInfo info(six);
  ASSERT_EQ(RtmGetMostSpecificDestination(six, Net("2001:db8::8000:0:0:1"), 0, kUnicast, info), DWORD{NO_ERROR});
  EXPECT_EQ(info.prefix(), "2001:db8:0:0:8000::/65");
}

// clauses: RTM2-162
TEST_F(Searching, NoPrefixCoversIt) {
  const Route route = client_.route("10.0.0.0/8");
  EXPECT_EQ(most_specific("11.0.0.0/8"), kNotFound);
  EXPECT_EQ(most_specific("10.0.0.0/7"), kNotFound);
}

// clauses: RTM2-163
TEST_F(Searching, UpwardsToTheDefaultRoute) {
  const Watch watch(client_, RTM_CHANGE_TYPE_ALL);
  std::vector<Route> kept;
  for (const char* prefix : {"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.2.0.0/16"}) {
    kept.push_back(client_.route(prefix));
  }
  const std::vector<std::string> above = {"10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0", kNotFound};
  DestInfo searched(client_);
  ASSERT_EQ(RtmGetMostSpecificDestination(client_, Net("10.1.2.3"), 0, kUnicast, searched), DWORD{NO_ERROR});
  EXPECT_EQ(walk_up(searched.handle()), above);
  DestInfo looked = client_.look(searched.handle());
  EXPECT_EQ(walk_up(looked.handle()), above);

  UINT count = 5;
  std::vector<UCHAR> records(5 * RTM_SIZE_OF_DEST_INFO(1));
  ASSERT_EQ(RtmGetChangedDests(client_, watch, &count, reinterpret_cast<PRTM_DEST_INFO>(records.data())),
            DWORD{NO_ERROR});
  ASSERT_EQ(count, 5U);
  const PRTM_DEST_INFO fourth = reinterpret_cast<PRTM_DEST_INFO>(records.data() + 3 * RTM_SIZE_OF_DEST_INFO(1));
  EXPECT_EQ(text_of(fourth->DestAddress), "10.1.2.0/24");
  EXPECT_EQ(walk_up(fourth->DestHandle), above);
  EXPECT_EQ(RtmReleaseChangedDests(client_, watch, count, reinterpret_cast<PRTM_DEST_INFO>(records.data())),
            DWORD{NO_ERROR});
}

// clauses: RTM2-164
TEST_F(Searching, UpwardsWithoutADefaultRoute) {
  const Route eight = client_.route("10.0.0.0/8");
  const Route sixteen = client_.route("10.1.0.0/16");
  DestInfo from = client_.find("10.1.0.0/16");
  EXPECT_EQ(walk_up(from.handle()), (std::vector<std::string>{"10.0.0.0/8", kNotFound}));
}

// clauses: RTM2-165
TEST_F(Searching, TheViewIsAFilter_choice) {
  const Route unicast = client_.route("10.0.0.0/8", {.views = kUnicast});
  const Route multicast = client_.route("10.1.0.0/16", {.views = kMulticast});
  EXPECT_FALSE(client_.has("10.1.0.0/16", kUnicast));
  EXPECT_TRUE(client_.has("10.1.0.0/16", kMulticast));
  EXPECT_TRUE(client_.has("10.1.0.0/16", kBoth));
  EXPECT_TRUE(client_.has("10.1.0.0/16", kAny));
  EXPECT_EQ(most_specific("10.1.0.0/16", kUnicast), "10.0.0.0/8");
  EXPECT_EQ(most_specific("10.1.0.0/16", kAny), "10.1.0.0/16");
  DestInfo from = client_.find("10.1.0.0/16", kAny);
  EXPECT_EQ(walk_up(from.handle(), kMulticast), std::vector<std::string>{kNotFound});
}

// clauses: RTM2-166
TEST_F(Searching, UpwardsFromNowhere_choice) {
  DestInfo info(client_);
  EXPECT_EQ(RtmGetLessSpecificDestination(client_, nullptr, 0, kUnicast, info), DWORD{ERROR_INVALID_PARAMETER});
}

/// Three routes on one prefix that differ in everything that can be matched.
class Matching : public RtmTest {
 protected:
  struct Found {
    DWORD answer;
    HANDLE route;
  };
  /// The route that matches, as a bare value.
  Found match(RTM_MATCH_FLAGS flags, const RouteSpec& criteria, ULONG interface = 0, HANDLE owner = nullptr,
              RTM_VIEW_SET views = kUnicast) const {
    RouteInfo info(asker_, criteria);
    info->RouteOwner = owner;
    HANDLE found = nullptr;
    const DWORD answer = RtmGetExactMatchRoute(asker_, Net("10.0.0.0/8"), flags, info, interface, views, &found);
    const Route held(asker_, found);
    return {answer, found};
  }

  Client asker_;
  Client one_;
  Client two_;
  NextHop first_ = one_.next_hop("192.0.2.1", 1);
  NextHop second_ = one_.next_hop("192.0.2.2", 2);
  NextHop third_ = one_.next_hop("192.0.2.3", 3);
  NextHop fourth_ = two_.next_hop("192.0.2.4", 4);
  Route best_ = one_.route("10.0.0.0/8", {.metric = 1, .neighbour = first_, .hops = {first_}});
  Route middle_ = one_.route("10.0.0.0/8", {.metric = 2, .neighbour = second_, .hops = {first_, second_, third_}});
  Route last_ = two_.route("10.0.0.0/8", {.preference = 20, .metric = 1, .neighbour = fourth_, .hops = {fourth_}});
};

// clauses: RTM2-167
TEST_F(Matching, EachCriterionAlone) {
  EXPECT_EQ(match(RTM_MATCH_OWNER, {}, 0, two_).route, HANDLE{last_});
  EXPECT_EQ(match(RTM_MATCH_NEIGHBOUR, {.neighbour = second_}).route, HANDLE{middle_});
  EXPECT_EQ(match(RTM_MATCH_PREF, {.preference = 20, .metric = 1}).route, HANDLE{last_});
  EXPECT_EQ(match(RTM_MATCH_PREF, {.preference = 10, .metric = 2}).route, HANDLE{middle_});
  EXPECT_EQ(match(RTM_MATCH_NEXTHOP, {.hops = {third_}}).route, HANDLE{middle_});
  EXPECT_EQ(match(RTM_MATCH_INTERFACE, {}, 4).route, HANDLE{last_});
}

// clauses: RTM2-167
TEST_F(Matching, AllCriteriaTogether) {
  const RouteSpec of_middle{.preference = 10, .metric = 2, .neighbour = second_, .hops = {first_}};
  EXPECT_EQ(match(RTM_MATCH_FULL, of_middle, 3, one_).route, HANDLE{middle_});
  EXPECT_EQ(match(RTM_MATCH_FULL, of_middle, 3, two_).answer, DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(match(RTM_MATCH_FULL, of_middle, 4, one_).answer, DWORD{ERROR_NOT_FOUND});
  RouteSpec other_metric = of_middle;
  other_metric.metric = 1;
  EXPECT_EQ(match(RTM_MATCH_FULL, other_metric, 3, one_).answer, DWORD{ERROR_NOT_FOUND});
}

// clauses: RTM2-168
TEST_F(Matching, NoMatchLeavesTheOutputsAlone) {
  RouteInfo info(asker_, {.metric = 77});
  HANDLE untouched = kGarbage;
  EXPECT_EQ(RtmGetExactMatchRoute(asker_, Net("10.0.0.0/8"), RTM_MATCH_PREF, info, 0, kUnicast, &untouched),
            DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(untouched, kGarbage);
  EXPECT_EQ(info->PrefInfo.Metric, 77U);
  EXPECT_EQ(info->DestHandle, nullptr);
  EXPECT_EQ(RtmGetExactMatchRoute(asker_, Net("10.0.0.0/9"), RTM_MATCH_NONE, info, 0, kUnicast, &untouched),
            DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(match(RTM_MATCH_NONE, {}, 0, nullptr, kMulticast).answer, DWORD{ERROR_NOT_FOUND});
}

// clauses: RTM2-169
TEST_F(Matching, AnyNextHopOnTheInterfaceWillDo) {
  for (const ULONG interface : {2U, 3U}) {
    EXPECT_EQ(match(RTM_MATCH_INTERFACE, {}, interface).route, HANDLE{middle_}) << interface;
  }
  EXPECT_EQ(match(RTM_MATCH_INTERFACE, {}, 5).answer, DWORD{ERROR_NOT_FOUND});
}

// clauses: RTM2-170
TEST_F(Matching, WithoutCriteriaTheBestOne_choice) {
  EXPECT_EQ(match(RTM_MATCH_NONE, {}).route, HANDLE{best_});
  EXPECT_EQ(match(RTM_MATCH_OWNER, {}, 0, one_).route, HANDLE{best_}) << "the best-ranked of several";
}

// clauses: RTM2-171
TEST_F(Matching, TheHandleIsOptionalAndOfTheSameRoute) {
  const Books before = Books::now();
  {
    RouteInfo info(asker_);
    ASSERT_EQ(RtmGetExactMatchRoute(asker_, Net("10.0.0.0/8"), RTM_MATCH_NONE, info, 0, kUnicast, nullptr),
              DWORD{NO_ERROR});
    EXPECT_EQ(info->Neighbour, HANDLE{first_});
    EXPECT_EQ(TpReferenceCount(TP_KIND_ROUTE), before.references[TP_KIND_ROUTE]);
  }
  {
    RouteInfo info(asker_);
    HANDLE handle = nullptr;
    ASSERT_EQ(RtmGetExactMatchRoute(asker_, Net("10.0.0.0/8"), RTM_MATCH_NONE, info, 0, kUnicast, &handle),
              DWORD{NO_ERROR});
    const Route held(asker_, handle);
    RouteInfo by_handle(asker_);
    ASSERT_EQ(RtmGetRouteInfo(asker_, held, by_handle, nullptr), DWORD{NO_ERROR});
    EXPECT_EQ(by_handle->Neighbour, info->Neighbour);
    EXPECT_EQ(by_handle->RouteOwner, info->RouteOwner);
    EXPECT_EQ(by_handle->DestHandle, info->DestHandle);
  }
  EXPECT_EQ(Books::now(), before);
}

}  // namespace
}  // namespace turnpike::conformance
