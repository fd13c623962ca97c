// What a routing daemon sends, as routes of a table and of the kernel.
#include <deque>

#include "scene.h"

namespace turnpike::forwarder {
namespace {

using kernel::FpmListener;

// A feed that says what the test tells it to.
class ScriptedFeed : public kernel::FpmFeed {
 public:
  using Words = std::function<void(FpmListener&)>;
  struct Script {
    std::deque<Words> words;
    Counts counts;
  };
  explicit ScriptedFeed(Script& script) : script_(script) {}
  int descriptor() const override { return -1; }
  bool read(FpmListener& listener) override {
    for (const Words& each : std::exchange(script_.words, {})) each(listener);
    return false;
  }
  Counts counts() const override { return script_.counts; }

 private:
  Script& script_;
};

class FpmTest : public Scene {
 protected:
  void start_with(FpmSettings settings) {
    start();
    ASSERT_TRUE(forwarder->start_fpm(std::make_unique<ScriptedFeed>(script), settings));
    open();
  }
  // Each goes on at once, as a read of its own.
  void say(ScriptedFeed::Words words) {
    script.words.push_back(std::move(words));
    run();
  }
  void open() {
    script.counts.connected = true;
    say([](FpmListener& to) { to.on_open(); });
  }
  void close() {
    script.counts.connected = false;
    say([](FpmListener& to) { to.on_close(); });
  }
  static kernel::Route theirs(const char* prefix, std::uint32_t next_hop_id, std::uint8_t protocol = 186,
                              std::uint32_t priority = 20) {
    kernel::Route made;
    made.destination = net::parse_prefix(prefix).value();
    made.protocol = protocol;
    made.priority = priority;
    made.next_hop_id = next_hop_id;
    return made;
  }
  void add(const kernel::Route& route) {
    say([&](FpmListener& to) { to.on_route(false, route); });
  }
  void take_away(const char* prefix) {
    say([&](FpmListener& to) { to.on_route(true, theirs(prefix, 0)); });
  }
  void object(std::uint32_t id, const char* gateway, kernel::InterfaceIndex link) {
    kernel::NextHop made;
    made.id = id;
    made.link = link;
    made.gateway = net::parse_address(gateway).value();
    say([&](FpmListener& to) { to.on_next_hop(false, made); });
  }
  void group(std::uint32_t id, std::vector<kernel::GroupMember> members) {
    kernel::NextHop made;
    made.id = id;
    made.kind = kernel::NextHopKind::kGroup;
    made.members = members;
    say([&](FpmListener& to) { to.on_next_hop(false, made); });
  }
  void object_goes(std::uint32_t id) {
    kernel::NextHop gone;
    gone.id = id;
    say([&](FpmListener& to) { to.on_next_hop(true, gone); });
  }
  Fpm::Status status() { return forwarder->fpm()->status(); }

  ScriptedFeed::Script script;
};

TEST_F(FpmTest, AnIpv4RouteMayLeadOverAnIpv6Neighbour) {
  start_with({});
  object(7, "fe80::2", left);
  add(theirs("10.9.0.0/16", 7));
  EXPECT_EQ(best("10.9.0.0/16"), (Found{.protocol = 14, .flags = 0x20, .metric = 20, .hops = 1}));
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("fe80::2", left)});
}

TEST_F(FpmTest, RoutesAreWrittenUnderTheirProtocols) {
  start_with({});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  const kernel::Hop own{.link = right, .gateway = "10.0.2.2"_address};
  kernel::Route by_hop = theirs("10.8.0.0/16", 0, 188, 110);
  by_hop.hops = std::span(&own, 1);
  add(by_hop);
  kernel::Route dropped = theirs("10.7.0.0/16", 0, 196);
  dropped.type = kernel::RouteType::kBlackhole;
  add(dropped);
  EXPECT_EQ(best("10.9.0.0/16"), (Found{.protocol = 14, .flags = 0x20, .metric = 20, .hops = 1}));
  EXPECT_EQ(best("10.8.0.0/16"), (Found{.protocol = 13, .flags = 0x20, .metric = 110, .hops = 1}));
  EXPECT_EQ(best("10.7.0.0/16"), (Found{.protocol = 3, .flags = 0x02, .metric = 20, .hops = 0}));
  EXPECT_EQ(kernel_routes(), (Texts{"10.7.0.0/16 blackhole", "10.8.0.0/16" + via("10.0.2.2", right),
                                    "10.9.0.0/16" + via("10.0.1.2", left)}));
  take_away("10.8.0.0/16");
  EXPECT_EQ(best("10.8.0.0/16"), std::nullopt);
  EXPECT_EQ(kernel_routes().size(), 2U);
  EXPECT_EQ(status().routes.routes, 2U);
  take_away("10.8.0.0/16");
  EXPECT_EQ(status().routes.routes, 2U) << "what is not there can go";
}

TEST_F(FpmTest, WhatTheSenderWritesItselfIsNotWritten) {
  start_with({.table_only = true});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  EXPECT_EQ(best("10.9.0.0/16").value_or(Found{}).protocol, 14U);
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(explain("10.9.0.0/16").state, RouteState::kForeign);
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
}

TEST_F(FpmTest, ARouteWaitsForItsNextHopAndFollowsIt) {
  start_with({});
  add(theirs("10.9.0.0/16", 9));
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
  EXPECT_EQ(status().routes.absent, 1U);
  group(9, {{.id = 7}, {.id = 8}});  // before its members, as zebra sends it
  object(7, "10.0.1.2", left);
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
  object(8, "10.0.2.2", right);
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left) + " +" + via("10.0.2.2", right)});
  EXPECT_EQ(status().routes.absent, 0U);
  object(7, "10.0.1.3", left);
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.2.2", right) + " +" + via("10.0.1.3", left)});
  group(9, {{.id = 8}});
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.2.2", right)});
  object_goes(9);
  EXPECT_EQ(kernel_routes(), Texts{}) << "as the kernel does";
  EXPECT_EQ(status().routes.absent, 1U);
  EXPECT_EQ(status().next_hops, 2U);
}

TEST_F(FpmTest, AChangeWritesInPlace) {
  start_with({});
  object(7, "10.0.1.2", left);
  object(8, "10.0.2.2", right);
  add(theirs("10.9.0.0/16", 7));
  const auto removed = forwarder->status().ipv4.removed;
  add(theirs("10.9.0.0/16", 8));
  add(theirs("10.9.0.0/16", 7, 188));  // another protocol's now
  EXPECT_EQ(best("10.9.0.0/16").value_or(Found{}).protocol, 13U);
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
  EXPECT_EQ(forwarder->status().ipv4.removed, removed);
  const auto before = writes();
  add(theirs("10.9.0.0/16", 7, 188));
  EXPECT_EQ(writes(), before) << "said again";
  take_away("10.9.0.0/16");
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
}

TEST_F(FpmTest, WhatTheSenderHasFromItsKernelIsLeftOut) {
  start_with({});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7, 2));
  add(theirs("10.8.0.0/16", 7, kernel::kOurProtocol));
  kernel::Route other_table = theirs("10.7.0.0/16", 7);
  other_table.table = 77;
  add(other_table);
  kernel::Route tunnelled = theirs("10.6.0.0/16", 7);
  tunnelled.has_encapsulation = true;
  add(tunnelled);
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(status().ignored, 4U);
  add(theirs("10.9.0.0/16", 7));
  EXPECT_EQ(kernel_routes().size(), 1U);
  add(theirs("10.9.0.0/16", 7, 2));
  EXPECT_EQ(kernel_routes(), Texts{}) << "the sender has one route to a destination: it is this one now";
}

TEST_F(FpmTest, AnothersInterfacesMeanNothing) {
  start_with({.gateways_only = true});
  object(7, "10.0.1.2", kernel::InterfaceIndex(4711));
  add(theirs("10.9.0.0/16", 7));
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)}) << "found through the connected network";
  kernel::NextHop direct;
  direct.id = 8;
  direct.link = kernel::InterfaceIndex(4712);
  say([&](FpmListener& to) { to.on_next_hop(false, direct); });
  add(theirs("10.8.0.0/16", 8));
  EXPECT_EQ(best("10.8.0.0/16"), std::nullopt);
  EXPECT_EQ(status().routes.absent, 1U);
}

TEST_F(FpmTest, ANewConnectionResynchronises) {
  start_with({.sweep_after = std::chrono::seconds(30)});
  object(7, "10.0.1.2", left);
  for (const char* each : {"10.9.0.0/16", "10.8.0.0/16", "10.7.0.0/16"}) add(theirs(each, 7));
  close();
  EXPECT_EQ(kernel_routes().size(), 3U);
  EXPECT_EQ(status().routes.stale, 3U);
  open();
  object(7, "10.0.2.9", right);  // a restarted daemon numbers its objects anew
  EXPECT_EQ(kernel_routes(), (Texts{"10.7.0.0/16" + via("10.0.1.2", left), "10.8.0.0/16" + via("10.0.1.2", left),
                                    "10.9.0.0/16" + via("10.0.1.2", left)}))
      << "what is stale goes its old way";
  object(3, "10.0.1.2", left);
  const auto before = writes();
  add(theirs("10.9.0.0/16", 3));
  EXPECT_EQ(writes(), before) << "the same way under another number";
  add(theirs("10.8.0.0/16", 7));
  EXPECT_EQ(status().routes.stale, 1U);
  pass(std::chrono::seconds(29));
  EXPECT_EQ(kernel_routes().size(), 3U);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(kernel_routes(), (Texts{"10.8.0.0/16" + via("10.0.2.9", right), "10.9.0.0/16" + via("10.0.1.2", left)}));
  EXPECT_EQ(status().routes.stale, 0U);
  EXPECT_EQ(status().routes.routes, 2U);
}

TEST_F(FpmTest, WhoKnowsThatAllWasSentNeedNotWait) {
  start_with({});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  close();
  EXPECT_EQ(forwarder->fpm()->all_sent().error().kind, ErrorKind::kNotFound);
  open();
  EXPECT_TRUE(forwarder->fpm()->all_sent());
  run();
  EXPECT_EQ(kernel_routes(), Texts{});
}

TEST_F(FpmTest, WithoutAConnectionAllGoesInTheEnd) {
  start_with({.sweep_after = std::chrono::seconds(30)});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  pass(std::chrono::minutes(10));
  EXPECT_EQ(kernel_routes().size(), 1U) << "the connection stands, so what it said does";
  close();
  pass(std::chrono::seconds(31));
  EXPECT_EQ(kernel_routes(), Texts{});
}

TEST_F(FpmTest, ALockedDestinationIsComeBackTo) {
  start_with({});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  rtm::DestImage info;
  ASSERT_TRUE(routes.table->exact_destination(client(), rtm::TestTable::net("10.9.0.0/16"), 0, 1, info));
  std::thread([&] { ASSERT_TRUE(routes.table->lock_destination(client(), info.destination, true)); }).join();
  take_away("10.9.0.0/16");
  EXPECT_EQ(status().routes.routes, 1U) << "and nobody waited for the lock";
  ASSERT_TRUE(routes.table->deregister_entity(std::exchange(self, Handle::kNone)));  // which gives its locks back
  pass(std::chrono::milliseconds(5));
  EXPECT_EQ(status().routes.routes, 0U);
  EXPECT_EQ(kernel_routes(), Texts{});
}

TEST_F(FpmTest, StoppingForgetsNothing) {
  start_with({.table_only = true});
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  add(theirs("10.8.0.0/16", 99));
  EXPECT_EQ(forwarder->start_fpm(std::make_unique<ScriptedFeed>(script), {}).error().kind, ErrorKind::kAlreadyExists);
  ASSERT_TRUE(forwarder->stop_fpm());
  EXPECT_EQ(best("10.9.0.0/16"), std::nullopt);
  EXPECT_EQ(forwarder->stop_fpm().error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(forwarder->start_fpm(std::make_unique<ScriptedFeed>(script), {}));
  open();
  object(7, "10.0.1.2", left);
  add(theirs("10.9.0.0/16", 7));
  EXPECT_EQ(kernel_routes().size(), 1U) << "now it is ours to write";
  forwarder->stop(true);
  EXPECT_EQ(kernel_routes(), Texts{});
  for (const rtm::Kind kind : {rtm::Kind::kRoute, rtm::Kind::kNextHop, rtm::Kind::kDestination, rtm::Kind::kEntity}) {
    EXPECT_EQ(routes.table->leak_count(kind), 0U) << rtm::name_of(kind);
  }
}

}  // namespace
}  // namespace turnpike::forwarder
