// IPv4 routes over IPv6 neighbours (RFC 8950): as they are, recursively, of other managers, and as a daemon sends them.
#include "scene.h"

namespace turnpike::forwarder {
namespace {

class GatewaysTest : public Scene {
 protected:
  GatewaysTest() {
    routes6 = std::make_unique<rtm::TestTable>(rtm::TestTable::ipv6(), 8);
    self6 = routes6->client(9);
    address(left, "fd00:1::1");
    address(right, "fd00:2::1");
  }
  void address(kernel::InterfaceIndex link, const char* text) {
    kernel::InterfaceAddress made;
    made.link = link;
    made.local = net::parse_address(text).value();
    made.prefix_length = 64;
    port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(0, Change::kAdd, made).error, 0); });
  }
  Handle route6(const char* prefix, const char* gateway, kernel::InterfaceIndex link) {
    rtm::NextHopRequest hop;
    hop.address = rtm::TestTable::net(gateway);
    hop.interface_index = link.value();
    const auto over = routes6->table->add_next_hop(self6, Handle::kNone, hop, true);
    EXPECT_TRUE(over);
    rtm::RouteRequest request;
    request.preference = {1, 10};
    request.views = 1;
    request.hops = std::span(&over->first, 1);
    request.change_flags = rtm::change::kFirst;
    const auto added = routes6->table->add_route(self6, Handle::kNone, rtm::TestTable::net(prefix), request, true);
    EXPECT_TRUE(added);
    return added ? added->route : Handle::kNone;
  }

  Handle self6 = Handle::kNone;
};

TEST_F(GatewaysTest, AreWrittenAsTheyAreAndSharedByBothFamilies) {
  start();
  const Handle over = hop("fe80::2", left);
  route("10.9.0.0/16", {over});
  route("10.8.0.0/16", {over, hop("10.0.2.2", right)});
  route6("fd00:9::/32", "fe80::2", left);
  run();
  EXPECT_EQ(kernel_routes(), (Texts{"10.8.0.0/16" + via("fe80::2", left) + " +" + via("10.0.2.2", right),
                                    "10.9.0.0/16" + via("fe80::2", left), "fd00:9::/32" + via("fe80::2", left)}));
  EXPECT_EQ(kernel_objects(), 3U) << "two ways, and the group of both";
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
}

TEST_F(GatewaysTest, AreFoundInTheIpv6TableAndFollowedThere) {
  start();
  const Handle igp = route6("fd00:7::/32", "fd00:1::2", left);
  const Handle far = hop("fd00:7::7", {});
  for (int i = 0; i < 50; ++i) route(("10." + std::to_string(100 + i) + ".0.0/16").c_str(), {far});
  run();
  ASSERT_EQ(kernel_routes().size(), 51U);
  EXPECT_EQ(kernel_routes().front(), "10.100.0.0/16" + via("fd00:1::2", left));
  const auto written = forwarder->status().ipv4.written;
  route6("fd00:7::/32", "fd00:2::2", right);
  run();
  EXPECT_EQ(kernel_routes().front(), "10.100.0.0/16" + via("fd00:2::2", right));
  EXPECT_EQ(forwarder->status().ipv4.written, written) << "the group moved, and no route was written";
  EXPECT_TRUE(routes6->table->delete_route(self6, igp));
  run();
  EXPECT_EQ(kernel_routes(), Texts{}) << "nothing leads there any more";
  EXPECT_EQ(explain("10.100.0.0/16").error, ENETUNREACH);
  route6("fd00:7::/48", "fd00:1::3", left);
  run();
  EXPECT_EQ(kernel_routes().size(), 51U);
  EXPECT_EQ(kernel_routes().front(), "10.100.0.0/16" + via("fd00:1::3", left));
}

TEST_F(GatewaysTest, OnAConnectedNetworkAreTheirOwn) {
  start();
  route("10.9.0.0/16", {hop("fd00:2::77", {})});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("fd00:2::77", right)});
}

TEST_F(GatewaysTest, LeadNowhereWithoutAnIpv6Table) {
  routes6.reset();
  start();
  route("10.9.0.0/16", {hop("fd00:1::2", {})});
  route("10.8.0.0/16", {hop("fd00:1::2", left)});
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("fd00:1::2", left)});
  EXPECT_EQ(explain("10.9.0.0/16").error, ENETUNREACH);
}

// Of another manager: seen as it is, and what is found through it leads the same way.
TEST_F(GatewaysTest, OfOthersAreImportedAndResolvedThrough) {
  start();
  kernel::Route theirs;
  theirs.destination = "192.0.2.0/24"_prefix;
  theirs.protocol = 186;
  const kernel::Hop over{.link = left, .gateway = "fd00:1::2"_address};
  theirs.hops = std::span(&over, 1);
  port.with_model([&](kernel::KernelModel& model) { EXPECT_EQ(model.change(77, Change::kAdd, theirs).error, 0); });
  route("10.9.0.0/16", {hop("192.0.2.1", {})});
  run();
  EXPECT_EQ(best("192.0.2.0/24"), (Found{.protocol = 14, .flags = 0x20, .metric = 0, .hops = 1}));
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("fd00:1::2", left)});
}

// A restart finds its own routes as they should be.
TEST_F(GatewaysTest, AreTakenOverByARestart) {
  start();
  route("10.9.0.0/16", {hop("fe80::2", left)});
  route("10.8.0.0/16", {hop("fd00:1::7", {})});
  run();
  forwarder->stop(false);
  const auto before = writes();
  start();
  EXPECT_EQ(kernel_routes().size(), 2U);
  EXPECT_EQ(forwarder->status().ipv4.kept, 2U);
  EXPECT_EQ(writes(), before);
}

}  // namespace
}  // namespace turnpike::forwarder
