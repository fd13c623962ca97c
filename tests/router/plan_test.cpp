// Plans: what is wrong with one, and what leads from one to another.
#include "router/plan.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "dim/info_header.h"
#include "net/text.h"

namespace turnpike::router {
namespace {

Bytes header(std::initializer_list<std::pair<std::uint32_t, std::string_view>> blocks) {
  std::vector<dim::InfoBlock> all;
  for (const auto& [type, text] : blocks) all.push_back(dim::single(type, std::as_bytes(std::span(text))));
  return *dim::join(all);
}

Plan usual() {
  Plan plan;
  plan.modules = {{"rip", "/lib/rip.so", TransportId::kIp, 8}, {"igmp", "/lib/igmp.so", TransportId::kIp, 10}};
  plan.transports = {{TransportId::kIp, header({{8, "global rip"}, {10, "global igmp"}}), {}}};
  plan.interfaces = {{"eth0", InterfaceType::kDedicated, true, {{TransportId::kIp, header({{8, "rip on eth0"}})}}},
                     {"branch", InterfaceType::kFullRouter, false, {}}};
  return plan;
}

std::vector<std::string> texts(const Plan& from, const Plan& to) {
  std::vector<std::string> result;
  for (const Difference& each : differences(from, to)) result.push_back(to_text(each, from, to));
  return result;
}
using Texts = std::vector<std::string>;

TEST(Plan, OfUsualThingsIsSound) { EXPECT_EQ(flaws(usual()), std::vector<Refusal>()); }

TEST(Plan, IsToldAllItsFlaws) {
  Plan plan = usual();
  plan.router_id = *net::parse_address("2001:db8::1");
  plan.modules.push_back({"RIP", "/lib/other.so", TransportId::kIp, 9});
  plan.modules.push_back({"third", "", TransportId::kIp, 8});
  plan.transports.push_back({TransportId::kIp, {}, Bytes(5)});
  plan.interfaces.push_back({"ETH0", InterfaceType::kDedicated, true, {{TransportId::kIpv6, {}}}});
  plan.interfaces[0].transports.push_back({TransportId::kIp, Bytes(11)});
  std::vector<std::string> subjects;
  for (const Refusal& flaw : flaws(plan)) subjects.push_back(flaw.subject);
  EXPECT_EQ(subjects, (Texts{"module RIP", "module third", "module third", "transport 0x21", "transport 0x21",
                             "interface eth0, transport 0x21", "interface eth0, transport 0x21", "interface ETH0",
                             "interface ETH0, transport 0x57", "router id"}));
}

TEST(Plan, DiffersNotByOrderPaddingOrEmptyBlocks) {
  Plan other = usual();
  std::swap(other.modules[0], other.modules[1]);
  std::swap(other.interfaces[0], other.interfaces[1]);
  other.transports[0].global_info = header({{10, "global igmp"}, {9, ""}, {8, "global rip"}});
  other.transports[0].global_info.resize(other.transports[0].global_info.size() + 3);
  EXPECT_EQ(texts(usual(), other), Texts());
}

TEST(Plan, DiffersByModules) {
  Plan other = usual();
  other.modules[0].path = "/lib/rip2.so";
  other.modules[1] = {"ospf", "/lib/ospf.so", TransportId::kIp, 13};
  EXPECT_EQ(texts(usual(), other), (Texts{"module igmp removed", "module rip changed", "module ospf added"}));
}

TEST(Plan, DiffersByGlobalSettings) {
  Plan other = usual();
  other.router_id = net::Address::ipv4(0x0a000001);
  other.transports[0].global_info = header({{8, "other rip"}, {0xffff0003, "logging"}});
  EXPECT_EQ(texts(usual(), other), (Texts{"router id changed", "transport 0x21: global settings of module rip changed",
                                          "transport 0x21: global settings of module igmp removed",
                                          "transport 0x21: global settings of block 0xffff0003 added"}));
}

TEST(Plan, DiffersByTransports) {
  Plan other = usual();
  other.transports[0].global_info.clear();
  other.transports[0].client_info = header({{8, "for clients"}});
  other.transports.push_back({TransportId::kIpv6, header({}), {}});
  EXPECT_EQ(texts(usual(), other),
            (Texts{"transport 0x21 removed", "transport 0x21: global settings of module rip removed",
                   "transport 0x21: global settings of module igmp removed",
                   "transport 0x21: settings for clients added", "transport 0x57 added"}));
}

TEST(Plan, DiffersByInterfaces) {
  Plan other = usual();
  other.interfaces[0].transports[0].info = header({{8, "rip otherwise"}, {10, "igmp on eth0"}});
  other.interfaces[0].enabled = false;
  other.interfaces[1] = {"eth1", InterfaceType::kDedicated, true, {}};
  EXPECT_EQ(texts(usual(), other), (Texts{"interface branch removed", "interface eth0: disabled",
                                          "interface eth0: settings of module rip changed",
                                          "interface eth0: settings of module igmp added", "interface eth1 added"}));
  other = usual();
  other.interfaces[0].transports = {{TransportId::kIpv6, {}}};
  other.interfaces[1].type = InterfaceType::kDialOut;
  EXPECT_EQ(texts(usual(), other), (Texts{"interface branch changed", "interface eth0: transport 0x21 removed",
                                          "interface eth0: transport 0x57 added"}));
}

}  // namespace
}  // namespace turnpike::router
