// The engine by itself, on one thread: what the C face cannot show, or shows less plainly. What the contract says is
// tested in tests/conformance/rtmv2.
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "manual_port.h"

namespace turnpike::rtm {
namespace {

class TableTest : public testing::Test, public TestTable {
 protected:
  // What a look-up finds, or "none"; everything that it referenced is given back.
  std::string longest(Handle self, const char* address) {
    DestImage info;
    if (!table->most_specific_destination(self, net(address), kBestProtocol, 1, info)) {
      return "none";
    }
    const std::string found = text(info.address);
    EXPECT_TRUE(table->release_dest_infos(self, 1, reinterpret_cast<const std::byte*>(&info)));
    return found;
  }
  std::vector<std::string> changes(Handle self, Handle registration) {
    std::vector<std::string> all;
    std::vector<std::byte> room(10 * size_of_dest_image(1));
    while (const auto count = table->changed_dests(self, registration, 10, room.data())) {
      for (std::uint32_t i = 0; i < *count; ++i) {
        all.push_back(text(reinterpret_cast<const DestImage*>(room.data() + i * size_of_dest_image(1))->address));
      }
      EXPECT_TRUE(table->release_changed_dests(self, registration, *count, room.data()));
    }
    return all;
  }
};

TEST_F(TableTest, NothingIsLeftWhenTheLastClientHasLeft) {
  const Handle rip = client(8);
  const Handle ospf = client(13);
  const Handle hop = next_hop(rip);
  for (int i = 0; i < 500; ++i) {
    route(rip, ("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24").c_str(), 1, hop);
  }
  const auto registration = table->register_for_changes(ospf, 1, change::kAll, nullptr);
  ASSERT_TRUE(registration);
  route(ospf, "10.0.0.0/24", 5);
  DestImage info;
  ASSERT_TRUE(table->most_specific_destination(ospf, net("10.0.1.1"), kBestProtocol, 1, info));
  EXPECT_TRUE(table->deregister_entity(rip));
  EXPECT_EQ(longest(ospf, "10.0.0.1"), "10.0.0.0/24");
  EXPECT_EQ(longest(ospf, "10.0.1.1"), "none");
  EXPECT_TRUE(table->deregister_entity(ospf));

  const Statistics left = table->statistics();
  EXPECT_EQ(left.entities, 0U);
  EXPECT_EQ(left.destinations, 0U);
  EXPECT_EQ(left.routes, 0U);
  EXPECT_EQ(left.next_hops, 0U);
  EXPECT_EQ(left.registrations, 0U);
  for (const Kind kind : {Kind::kEntity, Kind::kDestination, Kind::kRoute, Kind::kNextHop}) {
    EXPECT_EQ(table->reference_count(kind), 0U) << name_of(kind);
  }
  EXPECT_EQ(table->leak_count(Kind::kRoute), 502U) << "the handles that were not released, and one in the structure";
  EXPECT_EQ(table->leak_count(Kind::kDestination), 1U);
  EXPECT_EQ(table->leak_count(Kind::kNextHop), 1U);
  EXPECT_EQ(table->leak_count(Kind::kNotification), 1U);
}

TEST_F(TableTest, WhatOthersHoldStaysReadableUntilTheyLetGo) {
  const Handle rip = client(8);
  const Handle reader = client(1000);
  const Handle hop = next_hop(rip);
  release_route(rip, route(rip, "10.0.0.0/8", 7, hop));
  ASSERT_TRUE(table->release_next_hops(rip, std::span(&hop, 1)));
  DestImage info;
  ASSERT_TRUE(table->exact_destination(reader, net("10.0.0.0/8"), kBestProtocol, 1, info));
  ASSERT_TRUE(table->deregister_entity(rip));

  RouteImage route_image;
  ASSERT_TRUE(table->route_info(reader, info.view[0].route, &route_image, nullptr));
  EXPECT_EQ(route_image.state, route_state::kDeleted);
  EXPECT_EQ(route_image.preference.metric, 7U);
  EXPECT_EQ(table->entity_info(reader, route_image.owner)->protocol, 8U);
  NextHopImage hop_image;
  ASSERT_TRUE(table->next_hop_info(reader, route_image.hops[0], hop_image));
  EXPECT_EQ(hop_image.state, next_hop_state::kDeleted);

  EXPECT_TRUE(table->release_next_hop_info(reader, hop_image));
  EXPECT_TRUE(table->release_route_info(reader, route_image));
  EXPECT_TRUE(table->release_dest_infos(reader, 1, reinterpret_cast<const std::byte*>(&info)));
  const Statistics left = table->statistics();
  EXPECT_EQ(left.destinations + left.routes + left.next_hops, 0U);
  EXPECT_EQ(left.entities, 1U);
  EXPECT_EQ(table->entity_info(reader, route_image.owner).error().kind, ErrorKind::kInvalidHandle);
}

TEST_F(TableTest, AHandleNeverComesBack) {
  const Handle rip = client(8);
  std::vector<Handle> gone;
  for (int i = 0; i < 2000; ++i) {  // far more than wait in limbo
    const Handle made = route(rip, "10.0.0.0/8");
    for (const Handle old : gone) {
      ASSERT_NE(old, made);
    }
    ASSERT_TRUE(table->delete_route(rip, made));
    ASSERT_FALSE(table->is_alive(Kind::kRoute, made));
    if (i % 100 == 0) {
      gone.push_back(made);
    }
  }
}

TEST_F(TableTest, ASuccessorsHandlesAreNew) {
  const Handle rip = client(8);
  const Handle first = route(rip, "10.0.0.0/8");
  ASSERT_TRUE(table->delete_route(rip, first));
  ASSERT_TRUE(table->deregister_entity(rip));
  const std::uint32_t next = table->next_generation();
  table = std::move(*Table::make(7, ipv4(), port, *epoch, next));
  const Handle again = client(8);
  EXPECT_NE(again, rip);
  EXPECT_NE(route(again, "10.0.0.0/8"), first);
  EXPECT_FALSE(table->is_client(rip));
}

TEST_F(TableTest, AChangeIsToldOnceAndInOrder) {
  const Handle rip = client(8);
  int events = 0;
  const Handle reader = client(1000, [&](Handle, const Event& event) -> std::uint32_t {
    events += event.type == EventType::kChangeNotification ? 1 : 0;
    return 0;
  });
  deliver();
  const Handle registration = *table->register_for_changes(reader, 1, change::kBestRoute, nullptr);
  const Handle b = route(rip, "10.2.0.0/16");
  route(rip, "10.1.0.0/16");
  ASSERT_TRUE(table->delete_route(rip, b));
  deliver();
  EXPECT_EQ(events, 1);
  EXPECT_EQ(changes(reader, registration), (std::vector<std::string>{"10.2.0.0/16", "10.1.0.0/16"}));
  EXPECT_EQ(table->statistics().destinations, 1U) << "the one that was kept for its change alone has gone";
}

TEST_F(TableTest, AThrowingCallbackIsContained) {
  const Handle rip = client(8);
  const Handle reader = client(1000, [](Handle, const Event&) -> std::uint32_t { throw std::runtime_error("mine"); });
  ASSERT_TRUE(table->register_for_changes(reader, 1, change::kAll, nullptr));
  route(rip, "10.0.0.0/8");
  deliver();
  route(rip, "10.0.0.0/8", 2);
  deliver();
  EXPECT_EQ(table->statistics().callback_throws, 2U);
}

// Writes down what it is told; the Log owns it, so the lines are the test's.
class Lines final : public LogSink {
 public:
  explicit Lines(std::vector<std::string>& lines) : lines_(lines) {}
  bool write(const LogRecord& record) override {
    std::string line(record.message);
    for (const LogField& field : record.fields) {
      if (const auto* number = std::get_if<std::uint64_t>(&field.value)) {
        line += " " + std::string(field.key.name()) + "=" + std::to_string(*number);
      }
    }
    lines_.push_back(line);
    return true;
  }

 private:
  std::vector<std::string>& lines_;
};

TEST_F(TableTest, ACallbackThatHangsIsNamedAgainAndAgain) {
  std::vector<std::string> lines;
  const auto sink = process_log().open(std::make_unique<Lines>(lines), LogLevel::kWarning);
  ASSERT_TRUE(sink);
  const Handle rip = client(8);
  const Handle reader = client(1000, [&](Handle, const Event&) -> std::uint32_t {
    const auto wait = [&](std::uint64_t milliseconds) {  // as the timer's thread sees it
      port.now += milliseconds * 1'000'000;
      table->run_deadlines();
      return lines.size();
    };
    EXPECT_EQ(wait(4999), 0U);
    EXPECT_EQ(wait(1), 1U);
    EXPECT_EQ(wait(59'999), 1U);
    EXPECT_EQ(wait(1), 2U);
    return 0;
  });
  ASSERT_TRUE(table->register_for_changes(reader, 1, change::kAll, nullptr));
  route(rip, "10.0.0.0/8");
  deliver();
  pass(1'000'000);
  EXPECT_EQ(lines.size(), 2U) << "it has returned";
  EXPECT_EQ(table->statistics().deadlines, 0U);
  EXPECT_TRUE(process_log().close(*sink));
  EXPECT_NE(lines.at(0).find("protocol=1000"), std::string::npos) << lines[0];
}

TEST_F(TableTest, AClientMayLeaveFromInsideItsExpiry) {
  Handle rip = Handle::kNone;
  int calls = 0;
  rip = client(8, [&](Handle self, const Event& event) -> std::uint32_t {
    if (event.type == EventType::kRouteExpired) {
      ++calls;
      EXPECT_EQ(Table::current_event(), EventType::kRouteExpired);
      EXPECT_TRUE(table->deregister_entity(self));
    }
    return 0;
  });
  release_route(rip, route(rip, "10.0.0.0/8", 1, Handle::kNone, 1000));
  release_route(rip, route(rip, "11.0.0.0/8", 1, Handle::kNone, 1000));
  pass(999);
  EXPECT_EQ(calls, 0);
  pass(1);
  EXPECT_EQ(calls, 1) << "none after it has left";
  EXPECT_FALSE(table->is_client(rip));
  const Statistics left = table->statistics();
  EXPECT_EQ(left.entities + left.routes + left.destinations, 0U);
}

TEST_F(TableTest, TheNextDeadlineIsTold) {
  const Handle rip = client(8);
  EXPECT_FALSE(table->next_deadline());
  route(rip, "10.0.0.0/8", 1, Handle::kNone, 5000);
  EXPECT_EQ(port.told_deadline, port.now + 5'000'000'000);
  route(rip, "11.0.0.0/8", 1, Handle::kNone, 2000);
  EXPECT_EQ(port.told_deadline, port.now + 2'000'000'000);
  route(rip, "12.0.0.0/8", 1, Handle::kNone, 9000);
  EXPECT_EQ(port.told_deadline, port.now + 2'000'000'000) << "only when it becomes sooner";
  EXPECT_EQ(table->next_deadline(), port.now + 2'000'000'000);
}

TEST_F(TableTest, WithoutACallbackAnExpiredRouteGoes) {
  const Handle rip = client(8);
  const Handle kept = route(rip, "10.0.0.0/8", 1, Handle::kNone, 1000);
  pass(1000);
  RouteImage image;
  ASSERT_TRUE(table->route_info(rip, kept, &image, nullptr));
  EXPECT_EQ(image.state, route_state::kDeleted);
  EXPECT_TRUE(table->release_route_info(rip, image));
  EXPECT_EQ(longest(rip, "10.0.0.1"), "none");
}

TEST_F(TableTest, TellsWhereADestinationLeadsFirst) {
  const Handle rip = client(8);
  const Handle ospf = client(13);
  const Handle hop = next_hop(rip, "192.0.2.7", 3);
  route(rip, "10.0.0.0/8", 5, hop);
  DestImage info;
  ASSERT_TRUE(table->most_specific_destination(ospf, net("10.1.1.1"), kBestProtocol, 1, info));
  const auto led = table->first_hop(ospf, info.destination, 1);
  ASSERT_TRUE(led);
  EXPECT_EQ(text(led->address), "192.0.2.7/32");
  EXPECT_EQ(led->interface_index, 3U);
  EXPECT_EQ(led->flags, 0U);
  EXPECT_EQ(led->protocol, 8U);
  EXPECT_EQ(table->first_hop(ospf, info.destination, 2).error().kind, ErrorKind::kNotFound) << "not in that view";
  for (const ViewSet wrong : {ViewSet{0}, ViewSet{3}, kAnyView, ViewSet{1} << 31}) {
    EXPECT_EQ(table->first_hop(ospf, info.destination, wrong).error().kind, ErrorKind::kInvalidArgument) << wrong;
  }
  for (const Handle wrong : {Handle::kNone, hop, rip}) {
    EXPECT_EQ(table->first_hop(ospf, wrong, 1).error().kind, ErrorKind::kInvalidHandle);
    EXPECT_EQ(table->first_hop(wrong == rip ? info.destination : wrong, info.destination, 1).error().kind,
              ErrorKind::kInvalidHandle);
  }
  ASSERT_TRUE(table->lock_destination(rip, info.destination, true));
  EXPECT_EQ(table->first_hop(ospf, info.destination, 1)->interface_index, 3U) << "and waits for nobody";
  ASSERT_TRUE(table->unlock_destination(rip, info.destination, true));
  ASSERT_TRUE(table->deregister_entity(rip));
  EXPECT_EQ(table->first_hop(ospf, info.destination, 1).error().kind, ErrorKind::kNotFound) << "nobody leads there now";
  EXPECT_TRUE(table->release_dest_infos(ospf, 1, reinterpret_cast<const std::byte*>(&info)));
  EXPECT_EQ(table->first_hop(ospf, info.destination, 1).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(table->first_hop(rip, info.destination, 1).error().kind, ErrorKind::kInvalidHandle);
}

// Preference and metric tie; then a route that became the best stays it, and else the order of insertion counts.
TEST_F(TableTest, TheIncumbentStays) {
  const Handle rip = client(8);
  const Handle ospf = client(13);
  const Handle first = route(rip, "10.0.0.0/8", 9);
  const Handle second = route(ospf, "10.0.0.0/8", 5);
  EXPECT_EQ(*table->best_in_views(ospf, second), 1U);
  route(rip, "10.0.0.0/8", 5);
  EXPECT_EQ(*table->best_in_views(ospf, second), 1U);
  EXPECT_EQ(*table->best_in_views(rip, first), 0U);
  ASSERT_TRUE(table->delete_route(ospf, second));
  EXPECT_EQ(*table->best_in_views(rip, first), 1U);
}

// One without a record yet: there is nothing to look at.
TEST_F(TableTest, AnEmptyTableMatchesNothing) {
  for (const Config& config : {TestTable::ipv4(), TestTable::ipv6()}) {
    TestTable empty(config);
    const Handle client = empty.table->register_entity({}).value();
    const std::array<std::byte, 16> address{std::byte{10}};
    Match match;
    ASSERT_TRUE(empty.table->match_routes(client, 1, address.data(), {&match, 1}));
    EXPECT_EQ(match.destination, Handle::kNone);
    Handle destination = Handle::kNone;
    ASSERT_TRUE(empty.table->match_destinations(client, 1, address.data(), {&destination, 1}));
    EXPECT_EQ(destination, Handle::kNone);
  }
}

TEST_F(TableTest, ABitStringTableServesAnyWidth) {
  Config ipx;
  ipx.family = 6;
  ipx.width = 80;
  TestTable wide(ipx);
  const Handle rip = wide.client(8);
  NetAddress address;
  address.family = 6;
  address.bits = 80;
  for (int i = 0; i < 10; ++i) {
    address.address[i] = static_cast<std::uint8_t>(0x10 + i);
  }
  RouteRequest request;
  request.views = 1;
  ASSERT_TRUE(wide.table->add_route(rip, Handle::kNone, address, request, false));
  address.bits = 32;
  ASSERT_TRUE(wide.table->add_route(rip, Handle::kNone, address, request, false));
  address.bits = 81;
  EXPECT_EQ(wide.table->add_route(rip, Handle::kNone, address, request, false).error().kind,
            ErrorKind::kInvalidArgument);
  address.bits = 80;
  address.address[9] = 0;
  DestImage info;
  ASSERT_TRUE(wide.table->most_specific_destination(rip, address, kBestProtocol, 1, info));
  EXPECT_EQ(info.address.bits, 32);
}

// In steps, between which others open and lock: each end is looked for among what is there then.
TEST_F(TableTest, ADepartureEndsAllThatIsItsOwnAndNothingElse) {
  constexpr int kMany = 3000;
  const Handle leaver = client(8, [](Handle, const Event&) { return 0U; });
  const Handle stays = client(13);
  std::vector<Handle> theirs;
  for (int i = 0; i < kMany; ++i) {
    const std::string prefix = "10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24";
    const Handle self = i % 3 == 0 ? stays : leaver;
    release_route(self, route(self, prefix.c_str(), 1, Handle::kNone, self == leaver ? 1000 : kInfinite));
    DestImage info;
    ASSERT_TRUE(table->exact_destination(self, net(prefix.c_str()), kBestProtocol, kAnyView, info));
    ASSERT_TRUE(table->lock_destination(self, info.destination, false));
    const auto walk = table->create_dest_enum(self, kAnyView, 0, nullptr, kBestProtocol);
    ASSERT_TRUE(walk);
    ASSERT_TRUE(table->create_list(self));
    if (self == stays) {
      theirs.push_back(*walk);
    }
  }
  ASSERT_TRUE(table->register_for_changes(leaver, 1, change::kAll, nullptr));
  port.now += 2'000'000'000;
  table->run_deadlines();  // its events wait, and are never delivered
  ASSERT_TRUE(table->deregister_entity(leaver));

  const Statistics left = table->statistics();
  EXPECT_EQ(left.object_locks, kMany / 3U);
  EXPECT_EQ(left.enumerations, kMany / 3U);
  EXPECT_EQ(left.lists, kMany / 3U);
  EXPECT_EQ(left.registrations, 0U);
  EXPECT_EQ(left.live_routes, kMany / 3U);
  EXPECT_EQ(left.deadlines, 0U);
  EXPECT_EQ(table->leak_count(Kind::kEnumeration), 2U * kMany / 3);
  EXPECT_EQ(table->leak_count(Kind::kRouteList), 2U * kMany / 3);
  for (const Handle walk : theirs) {
    ASSERT_TRUE(table->delete_enum(stays, walk));
  }
  ASSERT_TRUE(table->deregister_entity(stays));
  const Statistics none = table->statistics();
  EXPECT_EQ(none.object_locks + none.enumerations + none.lists + none.routes + none.destinations + none.entities, 0U);
}

TEST_F(TableTest, LongWorkIsDoneInShortHolds) {
  const Handle rip = client(8);
  for (int i = 0; i < 20000; ++i) {
    release_route(rip, route(rip, ("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24").c_str()));
  }
  const std::uint64_t before = table->statistics().steps;
  ASSERT_TRUE(table->deregister_entity(rip));
  EXPECT_GT(table->statistics().steps, before + 3);
  EXPECT_EQ(table->statistics().routes, 0U);
}

}  // namespace
}  // namespace turnpike::rtm
