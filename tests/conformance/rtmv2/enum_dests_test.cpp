// RTM2-172 … RTM2-183, RTM2-193: enumerations of destinations, and what holds for every kind of enumeration.
#include <algorithm>

#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Prefixes = std::vector<std::string>;

/// An enumeration of destinations, closed at the end of the scope.
class DestEnum {
 public:
  DestEnum(const Client& client, RTM_VIEW_SET views, RTM_ENUM_FLAGS flags, PRTM_NET_ADDRESS from = nullptr,
           ULONG protocol = RTM_BEST_PROTOCOL)
      : client_(client), views_(static_cast<UINT>(__builtin_popcount(views))) {
    EXPECT_EQ(RtmCreateDestEnum(client, views, flags, from, protocol, &handle_), DWORD{NO_ERROR});
  }
  DestEnum(const DestEnum&) = delete;
  DestEnum& operator=(const DestEnum&) = delete;
  ~DestEnum() { EXPECT_EQ(RtmDeleteEnumHandle(client_, handle_), DWORD{NO_ERROR}); }

  operator RTM_ENUM_HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)

  /// The next ones, at most so many.
  Prefixes next(UINT most) const {
    Prefixes prefixes;
    std::vector<UCHAR> records(most * RTM_SIZE_OF_DEST_INFO(views_));
    UINT count = most;
    const DWORD answer = RtmGetEnumDests(client_, handle_, &count, reinterpret_cast<PRTM_DEST_INFO>(records.data()));
    EXPECT_TRUE(answer == NO_ERROR || answer == ERROR_NO_MORE_ITEMS) << answer;
    EXPECT_LE(count, most);
    for (UINT i = 0; i < count; ++i) {
      prefixes.push_back(
          text_of(reinterpret_cast<PRTM_DEST_INFO>(records.data() + i * RTM_SIZE_OF_DEST_INFO(views_))->DestAddress));
    }
    EXPECT_EQ(RtmReleaseDests(client_, count, reinterpret_cast<PRTM_DEST_INFO>(records.data())), DWORD{NO_ERROR});
    return prefixes;
  }
  Prefixes all(UINT batch = 3) const {
    Prefixes prefixes;
    for (Prefixes some = next(batch); !some.empty(); some = next(batch)) {
      prefixes.insert(prefixes.end(), some.begin(), some.end());
    }
    return prefixes;
  }

 private:
  const Client& client_;
  UINT views_;
  RTM_ENUM_HANDLE handle_ = nullptr;
};

class DestEnums : public RtmTest {
 protected:
  void add(const Client& client, const Prefixes& prefixes, const RouteSpec& spec = {}) {
    for (const std::string& prefix : prefixes) {
      client.route(prefix.c_str(), spec).release();
    }
  }

  Client client_;
  Client other_;
  // In the order of the table.
  const Prefixes table_ = {"0.0.0.0/0",   "9.255.0.0/16",  "10.0.0.0/8",        "10.0.0.0/16", "10.0.0.0/24",
                           "10.1.0.0/16", "10.255.0.0/16", "10.255.255.255/32", "11.0.0.0/8",  "192.0.2.0/24"};
};

// clauses: RTM2-172 RTM2-173
TEST_F(DestEnums, TheWholeTableInTheOrderOfAddresses_choice) {
  Prefixes shuffled = table_;
  std::rotate(shuffled.begin(), shuffled.begin() + 4, shuffled.end());
  std::swap(shuffled[1], shuffled[6]);
  add(client_, shuffled);
  for (const UINT batch : {1U, 3U, 100U}) {
    EXPECT_EQ(DestEnum(other_, kUnicast, RTM_ENUM_START).all(batch), table_) << batch;
  }
}

// clauses: RTM2-172
TEST_F(DestEnums, EachOneOnceAscending) {
  const Prefixes ascending = {"1.0.0.0/8", "2.0.0.0/8", "2.1.0.0/16", "127.0.0.0/8", "128.0.0.0/8", "255.0.0.0/8"};
  Prefixes descending(ascending.rbegin(), ascending.rend());
  add(client_, descending);
  add(other_, ascending);  // a second route each
  EXPECT_EQ(DestEnum(other_, kUnicast, RTM_ENUM_START).all(), ascending);
}

// clauses: RTM2-174
TEST_F(DestEnums, ARangeIsASubtreeWithItsRoot) {
  add(client_, table_);
  EXPECT_EQ(
      DestEnum(client_, kUnicast, RTM_ENUM_RANGE, Net("10.0.0.0/8")).all(),
      (Prefixes{"10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.1.0.0/16", "10.255.0.0/16", "10.255.255.255/32"}));
  EXPECT_EQ(DestEnum(client_, kUnicast, RTM_ENUM_RANGE, Net("10.0.0.0/15")).all(),
            (Prefixes{"10.0.0.0/16", "10.0.0.0/24", "10.1.0.0/16"}));
  EXPECT_EQ(DestEnum(client_, kUnicast, RTM_ENUM_RANGE, Net("172.16.0.0/12")).all(), Prefixes{});
  EXPECT_EQ(DestEnum(client_, kUnicast, RTM_ENUM_RANGE, Net("0.0.0.0/0")).all(), table_);
}

// clauses: RTM2-175
TEST_F(DestEnums, NextBeginsAtTheAddress) {
  add(client_, table_);
  EXPECT_EQ(DestEnum(client_, kUnicast, RTM_ENUM_NEXT, Net("10.0.0.0/8")).all(),
            Prefixes(table_.begin() + 2, table_.end()));
  EXPECT_EQ(DestEnum(client_, kUnicast, RTM_ENUM_NEXT, Net("10.2.0.0/16")).all(),
            Prefixes(table_.begin() + 6, table_.end()));
  EXPECT_EQ(DestEnum(client_, kUnicast, RTM_ENUM_NEXT, Net("223.0.0.0/8")).all(), Prefixes{});
}

// clauses: RTM2-176
TEST_F(DestEnums, OwnAreThoseWhereTheCallersRouteIsTheBest) {
  add(client_, {"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"}, {.metric = 5});
  add(other_, {"10.0.0.0/8"}, {.metric = 9});
  add(other_, {"11.0.0.0/8"}, {.metric = 1});
  add(other_, {"12.0.0.0/8", "13.0.0.0/8"}, {.metric = 1, .views = kMulticast});
  const RTM_ENUM_FLAGS own = RTM_ENUM_START | RTM_ENUM_OWN_DESTS;
  EXPECT_EQ(DestEnum(client_, kUnicast, own).all(), (Prefixes{"10.0.0.0/8", "12.0.0.0/8"}));
  EXPECT_EQ(DestEnum(other_, kUnicast, own).all(), (Prefixes{"11.0.0.0/8"}));
  EXPECT_EQ(DestEnum(other_, kMulticast, own).all(), (Prefixes{"12.0.0.0/8", "13.0.0.0/8"}));
  EXPECT_EQ(DestEnum(other_, kBoth, own).all(), (Prefixes{"11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8"}));
}

// clauses: RTM2-177
TEST_F(DestEnums, UnsupportedViews) {
  HANDLE untouched = kGarbage;
  EXPECT_EQ(RtmCreateDestEnum(client_, kUnsupportedView, RTM_ENUM_START, nullptr, 0, &untouched),
            DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(RtmCreateDestEnum(client_, kUnicast | kUnsupportedView, RTM_ENUM_START, nullptr, 0, &untouched),
            DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(RtmCreateRouteEnum(client_, nullptr, kUnsupportedView, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0,
                               &untouched),
            DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(untouched, kGarbage);
}

// clauses: RTM2-178
TEST_F(DestEnums, BadFlagsAndMissingAddress_choice) {
  HANDLE untouched = kGarbage;
  for (const RTM_ENUM_FLAGS flags : {DWORD{RTM_ENUM_NEXT | RTM_ENUM_RANGE}, DWORD{0x4}, DWORD{0x80000000}}) {
    EXPECT_EQ(RtmCreateDestEnum(client_, kUnicast, flags, Net("10.0.0.0/8"), 0, &untouched),
              DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmCreateRouteEnum(client_, nullptr, kUnicast, flags, Net("10.0.0.0/8"), RTM_MATCH_NONE, nullptr, 0,
                                 &untouched),
              DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmCreateNextHopEnum(client_, flags, Net("10.0.0.0/8"), &untouched), DWORD{ERROR_INVALID_PARAMETER});
  }
  for (const RTM_ENUM_FLAGS flags : {DWORD{RTM_ENUM_NEXT}, DWORD{RTM_ENUM_RANGE}}) {
    EXPECT_EQ(RtmCreateDestEnum(client_, kUnicast, flags, nullptr, 0, &untouched), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmCreateRouteEnum(client_, nullptr, kUnicast, flags, nullptr, RTM_MATCH_NONE, nullptr, 0, &untouched),
              DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmCreateNextHopEnum(client_, flags, nullptr, &untouched), DWORD{ERROR_INVALID_PARAMETER});
  }
  EXPECT_EQ(untouched, kGarbage);
}

// clauses: RTM2-179 RTM2-225 RTM2-238
TEST_F(DestEnums, NoCallFetchesMoreThanTheProfileSays) {
  const UINT most = client_.profile().MaxHandlesInEnum;
  std::vector<UCHAR> records((most + 1) * RTM_SIZE_OF_DEST_INFO(2));
  std::vector<HANDLE> handles(most + 1);
  HANDLE routes = nullptr;
  HANDLE hops = nullptr;
  HANDLE list = nullptr;
  HANDLE listed = nullptr;
  ASSERT_EQ(RtmCreateRouteEnum(client_, nullptr, kAny, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr, 0, &routes),
            DWORD{NO_ERROR});
  ASSERT_EQ(RtmCreateNextHopEnum(client_, RTM_ENUM_START, nullptr, &hops), DWORD{NO_ERROR});
  ASSERT_EQ(RtmCreateRouteList(client_, &list), DWORD{NO_ERROR});
  ASSERT_EQ(RtmCreateRouteListEnum(client_, list, &listed), DWORD{NO_ERROR});
  const DestEnum dests(client_, kUnicast, RTM_ENUM_START);
  const Watch watch(client_, RTM_CHANGE_TYPE_ALL);
  const auto record = reinterpret_cast<PRTM_DEST_INFO>(records.data());
  for (const UINT wrong : {most + 1, 0U}) {
    UINT count = wrong;
    EXPECT_EQ(RtmGetEnumDests(client_, dests, &count, record), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmGetEnumRoutes(client_, routes, &count, handles.data()), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmGetEnumNextHops(client_, hops, &count, handles.data()), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmGetListEnumRoutes(client_, listed, &count, handles.data()), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(RtmGetChangedDests(client_, watch, &count, record), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(count, wrong);
  }
  for (const HANDLE each : {routes, hops, listed}) {
    EXPECT_EQ(RtmDeleteEnumHandle(client_, each), DWORD{NO_ERROR});
  }
  EXPECT_EQ(RtmDeleteRouteList(client_, list), DWORD{NO_ERROR});
}

// clauses: RTM2-180
TEST_F(DestEnums, TheEndStaysTheEnd) {
  add(client_, {"10.0.0.0/8"});
  const DestEnum dests(client_, kUnicast, RTM_ENUM_START);
  EXPECT_EQ(dests.next(5).size(), 1U);
  for (int i = 0; i < 3; ++i) {
    UINT count = 5;
    std::vector<UCHAR> records(5 * RTM_SIZE_OF_DEST_INFO(1));
    EXPECT_EQ(RtmGetEnumDests(client_, dests, &count, reinterpret_cast<PRTM_DEST_INFO>(records.data())),
              DWORD{ERROR_NO_MORE_ITEMS});
    EXPECT_EQ(count, 0U);
  }
}

// clauses: RTM2-182
TEST_F(DestEnums, TheEndComesWithoutItems_choice) {
  add(client_, {"10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"});
  const DestEnum dests(client_, kUnicast, RTM_ENUM_START);
  std::vector<UCHAR> records(2 * RTM_SIZE_OF_DEST_INFO(1));
  const auto record = reinterpret_cast<PRTM_DEST_INFO>(records.data());
  for (const UINT wanted : {2U, 1U, 0U}) {
    UINT count = 2;
    const DWORD answer = RtmGetEnumDests(client_, dests, &count, record);
    EXPECT_EQ(count, wanted);
    EXPECT_EQ(answer, wanted == 0 ? DWORD{ERROR_NO_MORE_ITEMS} : DWORD{NO_ERROR});
    EXPECT_EQ(RtmReleaseDests(client_, count, record), DWORD{NO_ERROR});
  }
}

// clauses: RTM2-181
TEST_F(DestEnums, RecordsHaveTheStrideOfTheViewsAskedFor_choice) {
  add(client_, {"10.0.0.0/8", "11.0.0.0/8"}, {.views = kBoth});
  for (const RTM_VIEW_SET views : {kAny, kUnicast, kMulticast, kBoth, RTM_VIEW_SET{RTM_VIEW_MASK_ALL}}) {
    const UINT count_of_views = views == RTM_VIEW_MASK_ALL ? 2 : static_cast<UINT>(__builtin_popcount(views));
    const size_t stride = RTM_SIZE_OF_DEST_INFO(count_of_views);
    HANDLE dests = nullptr;
    ASSERT_EQ(RtmCreateDestEnum(client_, views, RTM_ENUM_START, nullptr, 0, &dests), DWORD{NO_ERROR});
    std::vector<UCHAR> records(3 * stride, 0xA5);
    UINT count = 3;
    ASSERT_EQ(RtmGetEnumDests(client_, dests, &count, reinterpret_cast<PRTM_DEST_INFO>(records.data())),
              DWORD{NO_ERROR});
    ASSERT_EQ(count, 2U);
    const auto second = reinterpret_cast<PRTM_DEST_INFO>(records.data() + stride);
    EXPECT_EQ(text_of(second->DestAddress), "11.0.0.0/8");
    EXPECT_EQ(second->NumberOfViews, count_of_views);
    EXPECT_TRUE(std::all_of(records.begin() + static_cast<ptrdiff_t>(2 * stride), records.end(),
                            [](UCHAR one) { return one == 0xA5; }));
    EXPECT_EQ(RtmReleaseDests(client_, count, reinterpret_cast<PRTM_DEST_INFO>(records.data())), DWORD{NO_ERROR});
    EXPECT_EQ(RtmDeleteEnumHandle(client_, dests), DWORD{NO_ERROR});
  }
}

// clauses: RTM2-183
TEST_F(DestEnums, NothingCanBeReleasedAndInserted) {
  const Watch watch(client_, RTM_CHANGE_TYPE_ALL);
  HANDLE list = nullptr;
  ASSERT_EQ(RtmCreateRouteList(client_, &list), DWORD{NO_ERROR});
  RTM_DEST_INFO record{};
  HANDLE handle = nullptr;
  EXPECT_EQ(RtmReleaseDests(client_, 0, &record), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseRoutes(client_, 0, &handle), DWORD{NO_ERROR});
  EXPECT_EQ(RtmReleaseChangedDests(client_, watch, 0, &record), DWORD{NO_ERROR});
  EXPECT_EQ(RtmInsertInRouteList(client_, list, 0, &handle), DWORD{NO_ERROR});
  EXPECT_EQ(RtmDeleteRouteList(client_, list), DWORD{NO_ERROR});
}

// clauses: RTM2-193
TEST_F(DestEnums, GoOnWhileTheTableChanges_choice) {
  Route under = client_.route("10.1.0.0/16");
  Route ahead = client_.route("10.3.0.0/16");
  add(client_, {"10.0.0.0/16", "10.2.0.0/16", "10.4.0.0/16"});
  const DestEnum dests(client_, kUnicast, RTM_ENUM_START);
  EXPECT_EQ(dests.next(2), (Prefixes{"10.0.0.0/16", "10.1.0.0/16"}));
  client_.remove(std::move(under));  // where the cursor stands
  client_.remove(std::move(ahead));
  add(client_, {"10.0.1.0/24", "9.0.0.0/8"});  // behind it
  add(client_, {"10.3.1.0/24"});               // ahead of it
  EXPECT_EQ(dests.all(1), (Prefixes{"10.2.0.0/16", "10.3.1.0/24", "10.4.0.0/16"}));
}

// clauses: RTM2-193
TEST_F(DestEnums, ADestinationThatIsAddedAgainIsNotRepeated_choice) {
  Route again = client_.route("10.1.0.0/16");
  add(client_, {"10.0.0.0/16", "10.2.0.0/16"});
  const DestEnum dests(client_, kUnicast, RTM_ENUM_START);
  EXPECT_EQ(dests.next(2), (Prefixes{"10.0.0.0/16", "10.1.0.0/16"}));
  client_.remove(std::move(again));
  add(client_, {"10.1.0.0/16"});
  EXPECT_EQ(dests.all(), (Prefixes{"10.2.0.0/16"}));
}

}  // namespace
}  // namespace turnpike::conformance
