// RTM2-207 … RTM2-221, RTM2-225 … RTM2-228: what counts as a change, and how changes are fetched. (Marks, callbacks and
// the life of a registration are in registration_for_changes_test.cpp.)
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

using Prefixes = std::vector<std::string>;
const Prefixes kTen = {"10.0.0.0/8"};
const Prefixes kNone = {};

class Changes : public RtmTest {
 protected:
  /// What each of the three registrations reports now.
  void expect(bool all, bool best, bool forwarding) {
    EXPECT_EQ(all_.changed(), all ? kTen : kNone);
    EXPECT_EQ(best_.changed(), best ? kTen : kNone);
    EXPECT_EQ(forwarding_.changed(), forwarding ? kTen : kNone);
  }
  /// Adds a route and forgets that it was reported.
  Route begin_with(const RouteSpec& spec) {
    Route route = owner_.route("10.0.0.0/8", spec);
    expect(true, true, true);
    return route;
  }

  Client owner_;
  Client watcher_;
  Watch all_{watcher_, RTM_CHANGE_TYPE_ALL};
  Watch best_{watcher_, RTM_CHANGE_TYPE_BEST};
  Watch forwarding_{watcher_, RTM_CHANGE_TYPE_FORWARDING};
};

// clauses: RTM2-207
TEST_F(Changes, UnsupportedViews) {
  HANDLE untouched = kGarbage;
  for (const RTM_VIEW_SET views : {kUnsupportedView, kUnicast | kUnsupportedView}) {
    EXPECT_EQ(RtmRegisterForChangeNotification(watcher_, views, RTM_CHANGE_TYPE_ALL, nullptr, &untouched),
              DWORD{ERROR_NOT_SUPPORTED});
  }
  EXPECT_EQ(untouched, kGarbage);
  for (const RTM_VIEW_SET views : {kAny, RTM_VIEW_SET{RTM_VIEW_MASK_ALL}}) {
    const Watch fine(watcher_, RTM_CHANGE_TYPE_ALL, views);
    EXPECT_NE(HANDLE{fine}, nullptr);
  }
}

// clauses: RTM2-208
TEST_F(Changes, BadFlags_choice) {
  HANDLE untouched = kGarbage;
  for (const RTM_NOTIFY_FLAGS flags : {DWORD{0}, DWORD{RTM_NOTIFY_ONLY_MARKED_DESTS}, DWORD{0x8}, DWORD{0x00020001}}) {
    EXPECT_EQ(RtmRegisterForChangeNotification(watcher_, kUnicast, flags, nullptr, &untouched),
              DWORD{ERROR_INVALID_PARAMETER});
  }
  EXPECT_EQ(untouched, kGarbage);
}

// clauses: RTM2-211
TEST_F(Changes, ANewBestRoute) {
  const Route first = owner_.route("10.0.0.0/8", {.metric = 5});
  expect(true, true, true);
  const Route better = owner_.route("10.0.0.0/8", {.metric = 1, .change = RTM_ROUTE_CHANGE_NEW});
  expect(true, true, true);
}

// clauses: RTM2-211 RTM2-219
TEST_F(Changes, TheBestRouteGoes) {
  Route route = begin_with({});
  owner_.remove(std::move(route));
  DestInfo record(watcher_, 1);
  UINT count = 1;
  ASSERT_EQ(RtmGetChangedDests(watcher_, best_, &count, record), DWORD{NO_ERROR});
  EXPECT_EQ(record.prefix(), "10.0.0.0/8");
  ASSERT_EQ(record->NumberOfViews, 1U);
  EXPECT_EQ(record.view(0).ViewId, RTM_VIEW_ID_UCAST);
  EXPECT_EQ(record.view(0).Route, nullptr) << "withdrawn";
  EXPECT_EQ(record.view(0).Owner, nullptr);
  EXPECT_EQ(record->BelongsToViews, 0U);
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, best_, 1, record), DWORD{NO_ERROR});
  record.consume();
  EXPECT_EQ(all_.changed(), kTen);
  EXPECT_EQ(forwarding_.changed(), kTen);
}

// clauses: RTM2-212
TEST_F(Changes, AWorseRoute) {
  const Route best = begin_with({.metric = 1});
  Route worse = owner_.route("10.0.0.0/8", {.metric = 5, .change = RTM_ROUTE_CHANGE_NEW});
  expect(true, false, false);
  owner_.update(worse, "10.0.0.0/8", {.metric = 6});
  expect(true, false, false);
  owner_.remove(std::move(worse));
  expect(true, false, false);
}

// clauses: RTM2-213
TEST_F(Changes, ThePreferenceOfTheBestRoute) {
  const Route route = begin_with({.preference = 10});
  owner_.update(route, "10.0.0.0/8", {.preference = 11});
  expect(true, true, true);
}

// clauses: RTM2-214
TEST_F(Changes, TheNextHopsOfTheBestRoute) {
  const NextHop one = owner_.next_hop("192.0.2.1");
  const NextHop two = owner_.next_hop("192.0.2.2");
  const Route route = begin_with({.hops = {one}});
  owner_.update(route, "10.0.0.0/8", {.hops = {two}});
  expect(true, true, true);
  owner_.update(route, "10.0.0.0/8", {.hops = {two, one}});
  expect(true, true, true);
}

// clauses: RTM2-215
TEST_F(Changes, AForwardingFlagOfTheBestRoute) {
  const Route route = begin_with({.flags = RTM_ROUTE_FLAGS_REMOTE});
  for (const int flag :
       {RTM_ROUTE_FLAGS_MARTIAN, RTM_ROUTE_FLAGS_BLACKHOLE, RTM_ROUTE_FLAGS_DISCARD, RTM_ROUTE_FLAGS_INACTIVE}) {
    owner_.update(route, "10.0.0.0/8", {.flags = static_cast<USHORT>(RTM_ROUTE_FLAGS_REMOTE | flag)});
    expect(true, true, true);
  }
}

// clauses: RTM2-216
TEST_F(Changes, AnotherFlagOfTheBestRoute) {
  const Route route = begin_with({.flags = RTM_ROUTE_FLAGS_REMOTE});
  owner_.update(route, "10.0.0.0/8", {.flags = RTM_ROUTE_FLAGS_LOCAL});
  expect(true, true, false);
}

// clauses: RTM2-213
TEST_F(Changes, TheMetricCountsLikeThePreferencePrivateDataDoesNot_choice) {
  const Route route = begin_with({.metric = 1});
  owner_.update(route, "10.0.0.0/8", {.metric = 2});
  expect(true, true, true);
  int data = 0;
  owner_.update(route, "10.0.0.0/8", {.metric = 2, .data = &data});
  expect(true, false, false);
  owner_.update(route, "10.0.0.0/8", {.metric = 2, .data = &data, .lives = 1000});
  expect(true, false, false);
}

// clauses: RTM2-217
TEST_F(Changes, InAnotherView) {
  const Route route = owner_.route("10.0.0.0/8", {.views = kMulticast});
  expect(false, false, false);
  owner_.update(route, "10.0.0.0/8", {.views = kBoth});
  expect(true, true, true);
}

// clauses: RTM2-218
TEST_F(Changes, TwoOfOneDestinationAreOneRecordOfTheLatestState) {
  const Route first = owner_.route("10.0.0.0/8", {.metric = 5});
  const Route better = owner_.route("10.0.0.0/8", {.metric = 1, .change = RTM_ROUTE_CHANGE_NEW});
  UINT count = 5;
  std::vector<UCHAR> records(5 * RTM_SIZE_OF_DEST_INFO(1));
  const auto record = reinterpret_cast<PRTM_DEST_INFO>(records.data());
  ASSERT_EQ(RtmGetChangedDests(watcher_, best_, &count, record), DWORD{NO_ERROR});
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(record->ViewInfo[0].Route, HANDLE{better});
  EXPECT_EQ(record->ViewInfo[0].NumRoutes, 2U);
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, best_, count, record), DWORD{NO_ERROR});
  EXPECT_EQ(best_.changed(), kNone);
}

// clauses: RTM2-219
TEST_F(Changes, RecordsCarryTheRegisteredViews) {
  const Watch both(watcher_, RTM_CHANGE_TYPE_ALL, kBoth);
  const Watch any(watcher_, RTM_CHANGE_TYPE_ALL, kAny);
  const Route route = owner_.route("10.0.0.0/8", {.views = kMulticast});
  DestInfo record(watcher_, 2);
  UINT count = 1;
  ASSERT_EQ(RtmGetChangedDests(watcher_, both, &count, record), DWORD{NO_ERROR});
  ASSERT_EQ(record->NumberOfViews, 2U);
  EXPECT_EQ(record.view(0).ViewId, RTM_VIEW_ID_UCAST);
  EXPECT_EQ(record.view(0).Route, nullptr);
  EXPECT_EQ(record.view(1).Route, HANDLE{route});
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, both, 1, record), DWORD{NO_ERROR});
  record.consume();
  DestInfo bare(watcher_, 0);
  ASSERT_EQ(RtmGetChangedDests(watcher_, any, &count, bare), DWORD{NO_ERROR});
  EXPECT_EQ(bare->NumberOfViews, 0U);
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, any, 1, bare), DWORD{NO_ERROR});
  bare.consume();
}

BOOL status(const Client& client, RTM_NOTIFY_HANDLE watch, RTM_DEST_HANDLE destination) {
  BOOL truth = 2;
  EXPECT_EQ(RtmGetChangeStatus(client, watch, destination, &truth), DWORD{NO_ERROR});
  return truth;
}

// clauses: RTM2-220
TEST_F(Changes, TheStatusTellsWhatWaits) {
  const Route route = begin_with({});
  DestInfo destination = watcher_.find("10.0.0.0/8");
  EXPECT_EQ(status(watcher_, best_, destination.handle()), FALSE);
  owner_.update(route, "10.0.0.0/8", {.metric = 2});
  EXPECT_EQ(status(watcher_, best_, destination.handle()), TRUE);
  EXPECT_EQ(best_.changed(), kTen);
  EXPECT_EQ(status(watcher_, best_, destination.handle()), FALSE);
  EXPECT_EQ(status(watcher_, all_, destination.handle()), TRUE) << "each registration has its own";
  HANDLE handle = destination.handle();
  EXPECT_EQ(RtmIgnoreChangedDests(watcher_, all_, 1, &handle), DWORD{NO_ERROR});
  EXPECT_EQ(status(watcher_, all_, destination.handle()), FALSE);
}

// clauses: RTM2-221
TEST_F(Changes, AnIgnoredOneIsDroppedALaterOneIsNot) {
  const Route route = begin_with({});
  DestInfo destination = watcher_.find("10.0.0.0/8");
  HANDLE handle = destination.handle();
  owner_.update(route, "10.0.0.0/8", {.metric = 2});
  const Books before = Books::now();
  EXPECT_EQ(RtmIgnoreChangedDests(watcher_, best_, 1, &handle), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now().references, before.references) << "the handles are not consumed";
  EXPECT_EQ(best_.changed(), kNone);
  EXPECT_EQ(all_.changed(), kTen);
  EXPECT_EQ(RtmIgnoreChangedDests(watcher_, best_, 1, &handle), DWORD{NO_ERROR}) << "none is pending";
  owner_.update(route, "10.0.0.0/8", {.metric = 3});
  EXPECT_EQ(best_.changed(), kTen);
}

// clauses: RTM2-225
TEST_F(Changes, ThereAreNoMore) {
  const Route ten = owner_.route("10.0.0.0/8");
  const Route eleven = owner_.route("11.0.0.0/8");
  UINT count = 1;
  std::vector<UCHAR> records(3 * RTM_SIZE_OF_DEST_INFO(1));
  const auto record = reinterpret_cast<PRTM_DEST_INFO>(records.data());
  ASSERT_EQ(RtmGetChangedDests(watcher_, all_, &count, record), DWORD{NO_ERROR});
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(text_of(record->DestAddress), "10.0.0.0/8") << "first queued, first out";
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, all_, 1, record), DWORD{NO_ERROR});
  count = 3;
  ASSERT_EQ(RtmGetChangedDests(watcher_, all_, &count, record), DWORD{NO_ERROR});
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(text_of(record->DestAddress), "11.0.0.0/8");
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, all_, 1, record), DWORD{NO_ERROR});
  count = 3;
  EXPECT_EQ(RtmGetChangedDests(watcher_, all_, &count, record), DWORD{ERROR_NO_MORE_ITEMS});
  EXPECT_EQ(count, 0U);
}

// clauses: RTM2-226
TEST_F(Changes, ReleasingRecordsReleasesAllTheirReferences) {
  const Route route = owner_.route("10.0.0.0/8");
  const Route other = owner_.route("11.0.0.0/8");
  const std::array<uint64_t, 8> before = Books::now().references;
  std::vector<UCHAR> records(2 * RTM_SIZE_OF_DEST_INFO(1));
  const auto record = reinterpret_cast<PRTM_DEST_INFO>(records.data());
  UINT count = 2;
  ASSERT_EQ(RtmGetChangedDests(watcher_, all_, &count, record), DWORD{NO_ERROR});
  ASSERT_EQ(count, 2U);
  EXPECT_EQ(TpReferenceCount(TP_KIND_DESTINATION), before[TP_KIND_DESTINATION] + 2);
  EXPECT_EQ(TpReferenceCount(TP_KIND_ROUTE), before[TP_KIND_ROUTE] + 2);
  EXPECT_EQ(RtmReleaseChangedDests(watcher_, all_, count, record), DWORD{NO_ERROR});
  EXPECT_EQ(Books::now().references, before);
}

// clauses: RTM2-227
TEST_F(Changes, OnesOwnAreReportedToo_choice) {
  const Watch own(owner_, RTM_CHANGE_TYPE_BEST);
  const Route route = owner_.route("10.0.0.0/8");
  EXPECT_EQ(own.changed(), kTen);
}

// clauses: RTM2-228
TEST_F(Changes, ThePastIsNotReplayed_choice) {
  const Route route = owner_.route("10.0.0.0/8");
  const Watch late(watcher_, RTM_CHANGE_TYPE_ALL);
  EXPECT_EQ(late.changed(), kNone);
  for (const Event& event : watcher_.events(RTM_CHANGE_NOTIFICATION)) {
    EXPECT_NE(event.first, HANDLE{late});
  }
}

}  // namespace
}  // namespace turnpike::conformance
