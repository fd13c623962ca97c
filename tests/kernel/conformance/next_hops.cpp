// Next hop objects and groups, and what goes when something else goes.
#include "kernel/conformance/parts.h"

namespace turnpike::kernel {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Next hop objects

void next_hops_come_and_go(World& world) {
  Bench bench(world);
  NextHop drop;
  drop.id = 3;
  drop.kind = NextHopKind::kBlackhole;
  const std::array all{single(1, bench.a, "10.0.0.2"_address), single(2, bench.a, "fd00::2"_address), drop,
                       single(4, bench.a, std::nullopt)};
  for (const NextHop& one : all) {
    bench.make(Change::kAdd, one);
    EXPECT_EQ(bench.errno_of(Change::kAdd, one), EEXIST);
  }
  const auto read = bench.next_hops();
  ASSERT_EQ(read.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(read[i], NextHopCopy(all[i])) << i;
  bench.make(Change::kReplace, single(1, bench.a, "10.0.0.8"_address));
  EXPECT_EQ(bench.next_hops()[0].view().gateway, "10.0.0.8"_address);
  bench.make(Change::kUpdate, single(1, bench.a, "10.0.0.9"_address));
  EXPECT_EQ(bench.next_hops()[0].view().gateway, "10.0.0.9"_address);
  EXPECT_EQ(bench.errno_of(Change::kUpdate, single(77, bench.a, "10.0.0.9"_address)), ENOENT);
  NextHop foreign = single(9, bench.a, "10.0.0.2"_address);
  foreign.protocol = 4;
  bench.make(Change::kReplace, foreign);
  EXPECT_EQ(bench.next_hops({.protocol = kOurProtocol}).size(), all.size());
  EXPECT_EQ(bench.next_hops({.link = InterfaceIndex(987)}).size(), 0u);
  for (const NextHop& one : all) bench.make(Change::kRemove, one);
  EXPECT_EQ(bench.errno_of(Change::kRemove, all[0]), ENOENT);
  EXPECT_THAT(bench.ids(), ElementsAre(9u));
}

void next_hops_that_cannot_be_are_refused(World& world) {
  Bench bench(world);
  EXPECT_EQ(bench.errno_of(Change::kAdd, single(1, InterfaceIndex(987), "10.0.0.2"_address)), EINVAL);
  EXPECT_EQ(bench.errno_of(Change::kAdd, single(1, bench.a, "99.0.0.2"_address)), ENETUNREACH);
  const std::array unknown{GroupMember{77, 1}};
  EXPECT_EQ(bench.words_for(Change::kAdd, group(2, unknown)).substr(0, 45),
            "EINVAL (Invalid argument): Invalid nexthop id");
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  const std::array known{GroupMember{1, 1}};
  bench.make(Change::kAdd, group(2, known));
  const std::array nested{GroupMember{2, 1}};
  EXPECT_EQ(bench.errno_of(Change::kAdd, group(3, nested)), EINVAL);
  EXPECT_EQ(bench.errno_of(Change::kReplace, single(2, bench.a, "10.0.0.3"_address)), EINVAL)
      << "a group stays a group";
  bench.make(LinkChange{bench.a, false, {}});
  EXPECT_EQ(bench.errno_of(Change::kAdd, single(5, bench.a, "10.0.0.2"_address)), ENETDOWN);
}

void routes_share_next_hops(World& world) {
  Bench bench(world);
  EXPECT_EQ(bench.words_for(Change::kAdd, shared("1.0.0.0/8"_prefix, 1)).substr(0, 51),
            "EINVAL (Invalid argument): Nexthop id does not exis");
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  EXPECT_EQ(bench.errno_of(Change::kAdd, shared("2001:db8::/32"_prefix, 1)), EINVAL) << "an IPv4 next hop";
  bench.make(Change::kAdd, single(2, bench.a, "fd00::2"_address));
  bench.make(Change::kAdd, shared("2.0.0.0/8"_prefix, 2));
  bench.make(Change::kAdd, shared("2001:db8::/32"_prefix, 2));
  for (const RouteCopy& copy : bench.routes()) {
    const Route route = copy.view();
    EXPECT_NE(route.next_hop_id, 0u);
    ASSERT_EQ(route.hops.size(), 1u) << "the compatible mode writes out what the next hop holds";
    EXPECT_EQ(route.hops[0].link, bench.a);
  }
  EXPECT_THAT(bench.destinations({.link = bench.a}), ElementsAre("1.0.0.0/8", "2.0.0.0/8", "2001:db8::/32"));
  EXPECT_THAT(bench.destinations({.link = InterfaceIndex(987)}), ElementsAre());
}

void groups_have_weights_and_shrink(World& world) {
  Bench bench(world);
  for (const std::uint32_t id : {1U, 2U}) bench.make(Change::kAdd, single(id, bench.a, Address::ipv4(0x0a000001 + id)));
  const std::array members{GroupMember{1, 1}, GroupMember{2, 256}};
  bench.make(Change::kAdd, group(3, members));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 3));
  ASSERT_EQ(bench.next_hops().size(), 3u);
  EXPECT_EQ(bench.next_hops()[2], NextHopCopy(group(3, members)));
  ASSERT_EQ(bench.routes().size(), 1u);
  EXPECT_EQ(bench.routes()[0].view().hops.size(), 2u);
  EXPECT_EQ(bench.routes()[0].view().hops[1].weight, 256);
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(Change::kRemove, single(1, bench.a, std::nullopt));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("-nexthop 1", "+nexthop 3"));
  const std::array left{GroupMember{2, 256}};
  EXPECT_EQ(bench.next_hops()[1], NextHopCopy(group(3, left)));
  bench.make(Change::kRemove, single(2, bench.a, std::nullopt));
  EXPECT_THAT(bench.ids(), ElementsAre()) << "a group goes with its last member";
  EXPECT_THAT(bench.destinations(), ElementsAre());
}

void a_group_is_repointed_in_place(World& world) {
  Bench bench(world);
  for (const std::uint32_t id : {1U, 2U, 3U})
    bench.make(Change::kAdd, single(id, bench.a, Address::ipv4(0x0a000001 + id)));
  const std::array before{GroupMember{1, 1}, GroupMember{2, 1}};
  const std::array after{GroupMember{3, 7}};
  bench.make(Change::kAdd, group(9, before));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 9));
  bench.make(Change::kReplace, group(9, after));
  EXPECT_EQ(bench.next_hops().back(), NextHopCopy(group(9, after)));
  ASSERT_EQ(bench.routes().size(), 1u);
  ASSERT_EQ(bench.routes()[0].view().hops.size(), 1u);
  EXPECT_EQ(bench.routes()[0].view().hops[0].gateway, "10.0.0.4"_address);
  bench.make(Change::kRemove, single(1, bench.a, std::nullopt));
  EXPECT_EQ(bench.routes().size(), 1u) << "the old members are out of it";
}

void what_uses_a_next_hop_goes_with_it(World& world) {
  Bench bench(world);
  bench.make(Change::kAdd, single(1, bench.a, "fd00::2"_address));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  bench.make(Change::kAdd, shared("2001:db8::/32"_prefix, 1));
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(Change::kRemove, single(1, bench.a, std::nullopt));
  EXPECT_THAT(heard_by(*monitor), UnorderedElementsAre("-nexthop 1", "-route 2001:db8::/32")) << "IPv4 says nothing";
  EXPECT_THAT(bench.destinations(), ElementsAre());
}

void replacing_a_next_hop_moves_its_routes(World& world) {
  Bench bench(world);
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  const std::array members{GroupMember{1, 1}};
  bench.make(Change::kAdd, group(2, members));
  bench.make(Change::kAdd, shared("1.0.0.0/8"_prefix, 1));
  bench.make(Change::kAdd, shared("2.0.0.0/8"_prefix, 2));
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(Change::kReplace, single(1, bench.a, "10.0.0.3"_address));
  EXPECT_THAT(heard_by(*monitor), UnorderedElementsAre("+nexthop 1", "~route 1.0.0.0/8", "~route 2.0.0.0/8"))
      << "the compatible mode tells each route";
  for (const RouteCopy& route : bench.routes()) EXPECT_EQ(route.view().hops[0].gateway, "10.0.0.3"_address);
  ASSERT_TRUE(bench.port.write_setting(kCompatMode, "0"));
  bench.make(Change::kReplace, single(1, bench.a, "10.0.0.4"_address));
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+nexthop 1"));
  for (const RouteCopy& route : bench.routes()) EXPECT_TRUE(route.view().hops.empty());
}

// ---------------------------------------------------------------------------------------------------------------------
// What goes when a link goes

void fill_two_links(Bench& bench, InterfaceIndex b) {
  bench.make(Change::kAdd, single(1, bench.a, "10.0.0.2"_address));
  bench.make(Change::kAdd, single(2, b, "10.0.1.2"_address));
  const std::array members{GroupMember{1, 1}, GroupMember{2, 1}};
  bench.make(Change::kAdd, group(3, members));
  const OneHop own("1.0.0.0/8"_prefix, b, "10.0.1.2"_address);
  const OneHop six("2001:db8::/32"_prefix, b, "fd00:1::2"_address);
  const std::array both{hop(bench.a, "10.0.0.2"_address), hop(b, "10.0.1.2"_address)};
  Route wide;
  wide.destination = "4.0.0.0/8"_prefix;
  wide.hops = both;
  for (const Route& route : {own.route, shared("2.0.0.0/8"_prefix, 2), shared("3.0.0.0/8"_prefix, 3), wide, six.route})
    bench.make(Change::kAdd, route);
}

void a_link_that_goes_down_takes_routes_and_next_hops(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  fill_two_links(bench, b);
  const auto monitor = bench.listen(kRoutesAndNextHops);
  bench.make(LinkChange{b, false, {}});
  EXPECT_THAT(bench.ids(), ElementsAre(1u, 3u));
  EXPECT_THAT(bench.destinations(), ElementsAre("3.0.0.0/8", "4.0.0.0/8"));
  const auto heard = heard_by(*monitor);
  EXPECT_THAT(heard, ::testing::Contains("-route 2001:db8::/32"));
  for (const char* silent : {"-nexthop 2", "-route 1.0.0.0/8", "-route 2.0.0.0/8"})
    EXPECT_THAT(heard, ::testing::Not(::testing::Contains(silent)));
  for (const RouteCopy& copy : bench.routes()) {
    const Route route = copy.view();
    if (route.next_hop_id != 0) continue;
    ASSERT_EQ(route.hops.size(), 2u) << "a hop beside others stays";
    EXPECT_EQ(route.hops[0].flags & kHopDead, 0);
    EXPECT_EQ(route.hops[1].flags & kHopDead, kHopDead);
  }
  bench.make(LinkChange{b, true, {}});
  EXPECT_THAT(bench.destinations(), ElementsAre("3.0.0.0/8", "4.0.0.0/8")) << "nothing comes back by itself";
  for (const RouteCopy& copy : bench.routes()) {
    for (const Hop& one : copy.view().hops) EXPECT_EQ(one.flags & kHopDead, 0);
  }
}

void a_link_that_is_removed_takes_all(World& world) {
  Bench bench(world);
  const InterfaceIndex b = bench.add_link("b", "10.0.1.1"_address, "fd00:1::1"_address);
  fill_two_links(bench, b);
  Topics topics;
  topics.links = topics.addresses = true;
  const auto monitor = bench.listen(topics);
  world.remove_link("b");
  EXPECT_THAT(bench.ids(), ElementsAre(1u, 3u));
  EXPECT_FALSE(bench.link("b"));
  EXPECT_TRUE(bench.link("a"));
  const auto heard = heard_by(*monitor);
  EXPECT_THAT(heard, ::testing::Contains("-link b"));
  EXPECT_THAT(heard, ::testing::Contains("-address 10.0.1.1"));
  EXPECT_THAT(heard, ::testing::Contains("-address fd00:1::1"));
  const auto left = bench.destinations();
  EXPECT_FALSE(left.contains("1.0.0.0/8"));
  EXPECT_FALSE(left.contains("2.0.0.0/8"));
  EXPECT_TRUE(left.contains("3.0.0.0/8"));
}

void links_are_changed(World& world) {
  Bench bench(world);
  const auto before = bench.link("a");
  ASSERT_TRUE(before);
  EXPECT_EQ(before->index, bench.a);
  EXPECT_EQ(before->kind, "veth");
  EXPECT_EQ(before->flags & (kLinkUp | kLinkLowerUp), kLinkUp | kLinkLowerUp);
  EXPECT_TRUE(before->mac);
  Topics topics;
  topics.links = true;
  const auto monitor = bench.listen(topics);
  bench.make(LinkChange{bench.a, {}, 1400});
  EXPECT_EQ(bench.link("a")->mtu, 1400u);
  EXPECT_THAT(heard_by(*monitor), ::testing::Contains("+link a"));
  bench.make(LinkChange{bench.a, false, {}});
  EXPECT_EQ(bench.link("a")->flags & kLinkUp, 0u);
  EXPECT_EQ(bench.errno_of(LinkChange{InterfaceIndex(987), true, {}}), ENODEV);
  EXPECT_EQ(bench.errno_of(LinkChange{bench.a, {}, 1}), EINVAL);
}

}  // namespace

std::vector<Case> cases_of_next_hops() {
  return {
      {"NextHopsComeAndGo", next_hops_come_and_go},
      {"NextHopsThatCannotBeAreRefused", next_hops_that_cannot_be_are_refused},
      {"RoutesShareNextHops", routes_share_next_hops},
      {"GroupsHaveWeightsAndShrink", groups_have_weights_and_shrink},
      {"AGroupIsRepointedInPlace", a_group_is_repointed_in_place},
      {"WhatUsesANextHopGoesWithIt", what_uses_a_next_hop_goes_with_it},
      {"ReplacingANextHopMovesItsRoutes", replacing_a_next_hop_moves_its_routes},
      {"ALinkThatGoesDownTakesRoutesAndNextHops", a_link_that_goes_down_takes_routes_and_next_hops},
      {"ALinkThatIsRemovedTakesAll", a_link_that_is_removed_takes_all},
      {"LinksAreChanged", links_are_changed},
  };
}

}  // namespace turnpike::kernel
