// Addresses, neighbours, rules, settings; what a port is beside its objects.
#include "kernel/conformance/parts.h"

#include <thread>

namespace turnpike::kernel {
namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Addresses, neighbours, rules

void addresses_come_and_go(World& world) {
  Bench bench(world);
  Topics topics;
  topics.addresses = true;
  const auto monitor = bench.listen(topics);
  InterfaceAddress address;
  address.link = bench.a;
  address.local = "10.9.0.1"_address;
  address.prefix_length = 16;
  bench.make(Change::kAdd, address);
  EXPECT_EQ(bench.errno_of(Change::kAdd, address), EEXIST);
  std::vector<InterfaceAddress> found;
  const Taker<InterfaceAddress> taker{[&] { found.clear(); },
                                      [&](const InterfaceAddress& one) {
                                        if (one.local == address.local) found.push_back(one);
                                      }};
  ASSERT_TRUE(bench.port.dump_addresses(taker));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].link, bench.a);
  EXPECT_EQ(found[0].prefix_length, 16);
  EXPECT_EQ(found[0].flags, kAddressPermanent);
  EXPECT_THAT(bench.destinations({.table = kMainTable, .protocol = std::uint8_t{2}}),
              ::testing::Contains("10.9.0.0/16"));
  const OneHop route("1.0.0.0/8"_prefix, bench.a, "10.9.0.2"_address);
  bench.make(Change::kAdd, route.route);
  OneHop sourced("2.0.0.0/8"_prefix, bench.a, "10.0.0.2"_address);
  sourced.route.preferred_source = address.local;
  bench.make(Change::kAdd, sourced.route);
  bench.make(Change::kRemove, address);
  EXPECT_EQ(bench.errno_of(Change::kRemove, address), EADDRNOTAVAIL);
  EXPECT_THAT(heard_of(*monitor, "address 10.9.0.1"), ElementsAre("+address 10.9.0.1", "-address 10.9.0.1"));
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8"))
      << "a route that names the address goes, one through its network stays";
  EXPECT_EQ(bench.errno_of(Change::kAdd, sourced.route), EINVAL) << "nor can one be made that names it";
  address.link = InterfaceIndex(987);
  EXPECT_EQ(bench.errno_of(Change::kAdd, address), ENODEV);
}

void neighbours_come_and_go(World& world) {
  Bench bench(world);
  Topics topics;
  topics.neighbours = true;
  const auto monitor = bench.listen(topics);
  Neighbour neighbour;
  neighbour.link = bench.a;
  neighbour.address = "10.0.0.9"_address;
  neighbour.mac = "02:00:00:00:00:09"_mac;
  bench.make(Change::kAdd, neighbour);
  EXPECT_EQ(bench.errno_of(Change::kAdd, neighbour), EEXIST);
  std::vector<Neighbour> found;
  const auto dump = [&] {
    found.clear();
    EXPECT_TRUE(bench.port.dump_neighbours({{}, [&](const Neighbour& one) {
                                              if (one.address == neighbour.address) found.push_back(one);
                                            }}));
  };
  dump();
  EXPECT_THAT(found, ElementsAre(neighbour));
  EXPECT_THAT(heard_of(*monitor, "neighbour 10.0.0.9"), ElementsAre("+neighbour 10.0.0.9"));
  bench.make(Change::kRemove, neighbour);
  neighbour.link = InterfaceIndex(987);
  EXPECT_EQ(bench.errno_of(Change::kAdd, neighbour), ENODEV);
}

void rules_come_and_go(World& world) {
  Bench bench(world);
  Topics topics;
  topics.rules = true;
  const auto monitor = bench.listen(topics);
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Rule rule;
    rule.family = family;
    rule.priority = 100;
    rule.table = 1000;
    rule.in_link = "a";
    rule.mark = 1;
    rule.mark_mask = 0xff;
    rule.suppress_prefix_length = 0;
    rule.destination = Prefix::everything(family) == "0.0.0.0/0"_prefix ? "10.0.0.0/8"_prefix : "2001:db8::/32"_prefix;
    bench.make(Change::kAdd, rule);
    EXPECT_EQ(bench.errno_of(Change::kAdd, rule), EEXIST);
    std::vector<Rule> rules;
    ASSERT_TRUE(bench.port.dump_rules({[&] { rules.clear(); },
                                       [&](const Rule& one) {
                                         if (one.family == family) rules.push_back(one);
                                       }}));
    ASSERT_GE(rules.size(), 3u) << "local and main were there";
    EXPECT_EQ(rules[0].table, kLocalTable);
    EXPECT_EQ(rules[1], rule);
    bench.make(Change::kRemove, rule);
    EXPECT_EQ(bench.errno_of(Change::kRemove, rule), ENOENT);
  }
  EXPECT_THAT(heard_by(*monitor), ElementsAre("+rule 100", "-rule 100", "+rule 100", "-rule 100"));
}

// ---------------------------------------------------------------------------------------------------------------------
// The rest

void settings_are_read_and_written(World& world) {
  Port& port = world.port();
  EXPECT_EQ(port.read_setting(kCompatMode).value(), "1");
  ASSERT_TRUE(port.write_setting(kCompatMode, "0"));
  EXPECT_EQ(port.read_setting(kCompatMode).value(), "0");
  EXPECT_EQ(port.write_setting(kCompatMode, "7").error().kind, ErrorKind::kKernel);
  EXPECT_EQ(port.read_setting("net/ipv4/no_such_thing").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(port.write_setting("net/ipv4/no_such_thing", "1").error().kind, ErrorKind::kNotFound);
  for (const std::string_view wrong :
       {"", "net", "net/", "kernel/hostname", "/proc/sys/net/ipv4/ip_forward", "net/../kernel/hostname", "net//ipv4",
        "net/./ipv4", "net/ipv4/", "net/ipv4/ip_forward\n"}) {
    EXPECT_EQ(port.read_setting(wrong).error().kind, ErrorKind::kInvalidArgument) << wrong;
    EXPECT_EQ(port.write_setting(wrong, "1").error().kind, ErrorKind::kInvalidArgument) << wrong;
  }
  EXPECT_EQ(port.read_setting(std::string_view("net/ipv4\0x", 10)).error().kind, ErrorKind::kInvalidArgument);
}

void a_probe_tells_what_there_is(World& world) {
  const auto found = world.port().probe();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->release.empty());
  EXPECT_TRUE(found->may_write);
  EXPECT_TRUE(found->next_hop_objects);
  EXPECT_TRUE(found->strict_dumps);
  EXPECT_TRUE(found->clear_errors);
  EXPECT_TRUE(found->compat_mode_setting);
  EXPECT_GT(found->receive_buffer, 0u);
}

void a_port_serves_any_thread(World& world) {
  Bench bench(world);
  std::thread elsewhere([&] {
    const auto writer = bench.port.open_writer();
    ASSERT_TRUE(writer);
    EXPECT_TRUE(write_now(**writer, Change::kAdd, dropping("1.0.0.0/8"_prefix, RouteType::kBlackhole)));
    EXPECT_EQ(bench.routes().size(), 1u);
    EXPECT_TRUE(bench.port.write_setting(kCompatMode, "0"));
  });
  elsewhere.join();
  EXPECT_THAT(bench.destinations(), ElementsAre("1.0.0.0/8"));
  EXPECT_EQ(bench.port.read_setting(kCompatMode).value(), "0");
}

}  // namespace

std::vector<Case> cases_of_others() {
  return {
      {"AddressesComeAndGo", addresses_come_and_go},
      {"NeighboursComeAndGo", neighbours_come_and_go},
      {"RulesComeAndGo", rules_come_and_go},
      {"SettingsAreReadAndWritten", settings_are_read_and_written},
      {"AProbeTellsWhatThereIs", a_probe_tells_what_there_is},
      {"APortServesAnyThread", a_port_serves_any_thread},
  };
}

}  // namespace turnpike::kernel
