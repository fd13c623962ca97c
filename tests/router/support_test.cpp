// RP-053 … RP-060: what modules may ask of the router.
#include <iphlpapi.h>
#include <ipinfoid.h>
#include <iprtrmib.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/rtm.h>

#include <cstring>
#include <thread>

#include "net/text.h"
#include "router_scene.h"

namespace turnpike::router::test {
namespace {

DWORD network(std::string_view text) { return net::parse_address(text)->ipv4_network(); }

class SupportOfModules : public RouterTest {
 protected:
  void run(Plan plan = plan_of_two()) {
    eth0_ = add_link("eth0");
    ASSERT_TRUE(start(plan).refusals.empty());
    (void)a_.told();
    (void)b_.told();
  }

  net::InterfaceIndex eth0_;
};

// clauses: RP-053
TEST_F(SupportOfModules, PassesAQuestionToAPeer) {
  run();
  char question[] = "ifTable";
  char answer[32] = {};
  DWORD size = 3;
  EXPECT_EQ(a_.support.MIBEntryGet(kB, 7, question, &size, answer), static_cast<DWORD>(ERROR_INSUFFICIENT_BUFFER));
  EXPECT_EQ(size, 8U);
  size = sizeof(answer);
  EXPECT_EQ(a_.support.MIBEntryGet(kB, 7, question, &size, answer), NO_ERROR);
  EXPECT_EQ(size, 8U);
  EXPECT_STREQ(answer, "ifTable!");
  EXPECT_EQ(b_.told(), (Lines{"MibG 'ifTable' 3", "MibG 'ifTable' 32"}));
  b_.answers["MibG"] = ERROR_ACCESS_DENIED;
  EXPECT_EQ(a_.support.MIBEntryGet(kB, 7, question, &size, answer), static_cast<DWORD>(ERROR_ACCESS_DENIED));
}

// clauses: RP-054
TEST_F(SupportOfModules, PassesEveryKindOfRequest) {
  run();
  char data[] = "x";
  char answer[8];
  DWORD size = sizeof(answer);
  EXPECT_EQ(a_.support.MIBEntryCreate(kB, 1, data), NO_ERROR);
  EXPECT_EQ(a_.support.MIBEntryDelete(kB, 1, data), NO_ERROR);
  EXPECT_EQ(a_.support.MIBEntrySet(kB, 1, data), NO_ERROR);
  EXPECT_EQ(a_.support.MIBEntryGet(kB, 1, data, &size, answer), NO_ERROR);
  EXPECT_EQ(a_.support.MIBEntryGetFirst(kB, 1, data, &size, answer), NO_ERROR);
  EXPECT_EQ(a_.support.MIBEntryGetNext(kB, 1, data, &size, answer), NO_ERROR);
  EXPECT_EQ(functions_of(b_.told()), (Lines{"MibC", "MibD", "MibS", "MibG", "MibF", "MibN"}));
  EXPECT_EQ(a_.told(), Lines());
}

// clauses: RP-055
TEST_F(SupportOfModules, AnswersForTheRouterManager) {
  run();
  add_link("eth1");
  settle();
  struct {
    DWORD id, pad;
    MIB_IFNUMBER number;
  } answer{};
  DWORD query[2] = {IF_NUMBER, 0};
  DWORD size = sizeof(answer);
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 4, query, &size, &answer), NO_ERROR);
  DWORD links = 0;  // of the host that the test runs on: what the kernel's tables answer is not the scripted kernel's
  EXPECT_EQ(GetNumberOfInterfaces(&links), NO_ERROR);
  EXPECT_EQ(answer.number.dwValue, links);
  struct {
    DWORD id, pad;
    MIB_IFSTATUS status;
  } row{};
  query[0] = IF_STATUS;
  size = 1;
  EXPECT_EQ(a_.support.MIBEntryGetFirst(IPRTRMGR_PID, 4, query, &size, &row),
            static_cast<DWORD>(ERROR_INSUFFICIENT_BUFFER));
  EXPECT_EQ(size, MIB_INFO_SIZE(MIB_IFSTATUS));
  EXPECT_EQ(a_.support.MIBEntryGetFirst(IPRTRMGR_PID, 4, query, &size, &row), NO_ERROR);
  EXPECT_EQ(row.status.dwIfIndex, eth0_.value());
  EXPECT_EQ(row.status.dwOperationalStatus, static_cast<DWORD>(MIB_IF_OPER_STATUS_CONNECTED));
  query[1] = row.status.dwIfIndex;
  EXPECT_EQ(a_.support.MIBEntryGetNext(IPRTRMGR_PID, 8, query, &size, &row), NO_ERROR);
  query[1] = row.status.dwIfIndex;
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 8, query, &size, &row), NO_ERROR);
  EXPECT_EQ(a_.support.MIBEntryGetNext(IPRTRMGR_PID, 8, query, &size, &row), static_cast<DWORD>(ERROR_NO_MORE_ITEMS));
  query[1] = 4711;
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 8, query, &size, &row), static_cast<DWORD>(ERROR_NOT_FOUND));
}

TEST_F(SupportOfModules, RefusesQuestionsThatAreNone) {
  run();
  DWORD query[2] = {NUMBER_OF_EXPORTED_VARIABLES, 0};
  DWORD size = 0;
  char room[8];
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 4, query, &size, room), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 3, query, &size, room), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 4, nullptr, &size, room), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  query[0] = IF_NUMBER;
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 4, query, nullptr, room), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(a_.support.MIBEntrySet(IPRTRMGR_PID, 4, query), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
  query[0] = IF_STATUS;
  EXPECT_EQ(a_.support.MIBEntryGet(IPRTRMGR_PID, 4, query, &size, room), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

// clauses: RP-056
TEST_F(SupportOfModules, KnowsNoOtherPeers) {
  b_.at_registration = [](auto& routing, auto&) { routing.pfnMibSetEntry = nullptr; };
  run();
  EXPECT_EQ(a_.support.MIBEntrySet(99, 0, nullptr), static_cast<DWORD>(ERROR_UNKNOWN_PROTOCOL_ID));
  EXPECT_EQ(a_.support.MIBEntrySet(kB, 0, nullptr), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
  EXPECT_EQ(a_.support.MIBEntrySet(kA, 0, nullptr), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(a_.told(), Lines());
}

// A module may ask from within a call, and from a thread that the call waits for: nothing here waits for the router.
TEST_F(SupportOfModules, AnswersInTheMiddleOfACall) {
  run();
  bool answered = false;
  b_.at_call = [&](const std::string& function) {
    if (function != "SetGlobalInfo") return;
    std::thread([&] {
      DWORD query[1] = {IF_NUMBER};
      char room[16];
      DWORD size = sizeof(room);
      answered = b_.support.MIBEntryGet(IPRTRMGR_PID, 4, query, &size, room) == NO_ERROR &&
                 b_.support.MIBEntrySet(kA, 0, nullptr) == NO_ERROR;
    }).join();
  };
  EXPECT_TRUE(router_->set_global_info(TransportId::kIp, header({{kB, "anew"}})).done);
  EXPECT_TRUE(answered);
}

// clauses: RP-057
TEST_F(SupportOfModules, CountsWishesForMulticastByProtocol) {
  run();
  const DWORD index = eth0_.value();
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, index, IR_PROMISCUOUS_MULTICAST, TRUE), NO_ERROR);
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, index, IR_PROMISCUOUS_MULTICAST, TRUE), NO_ERROR);
  EXPECT_EQ(b_.support.SetInterfaceReceiveType(kB, index, IR_PROMISCUOUS_MULTICAST, TRUE), NO_ERROR);
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, index, IR_PROMISCUOUS, TRUE), NO_ERROR);
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, index, IR_PROMISCUOUS_MULTICAST, FALSE), NO_ERROR);
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, index, IR_PROMISCUOUS_MULTICAST, FALSE), NO_ERROR);
  const std::string eth0 = std::to_string(index);
  EXPECT_EQ(reception_.lines, (Lines{eth0 + " all-multicast on", eth0 + " all on"}));
  EXPECT_EQ(b_.support.SetInterfaceReceiveType(kB, index, IR_PROMISCUOUS_MULTICAST, FALSE), NO_ERROR);
  EXPECT_EQ(reception_.lines.back(), eth0 + " all-multicast off");
  stop();
  EXPECT_EQ(reception_.lines.back(), eth0 + " all off");
}

TEST_F(SupportOfModules, RefusesWishesThatCannotBe) {
  run();
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, 4711, IR_PROMISCUOUS, TRUE),
            static_cast<DWORD>(ERROR_NO_SUCH_INTERFACE));
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, eth0_.value(), 2, TRUE),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  reception_.fails = true;
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, eth0_.value(), IR_PROMISCUOUS, TRUE),
            static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
  reception_.fails = false;
  EXPECT_EQ(a_.support.SetInterfaceReceiveType(kA, eth0_.value(), IR_PROMISCUOUS, TRUE), NO_ERROR);
  EXPECT_EQ(reception_.lines.size(), 1U);
}

// clauses: RP-058
TEST_F(SupportOfModules, GivesRoutesThePreferenceOfTheirProtocol) {
  Plan plan = plan_of_two();
  const DWORD priorities[] = {2, kA, 33, PROTO_IP_BGP, 44};
  plan.transports[0].global_info =
      header({{kA, "ga"},
              {kB, "gb"},
              {IP_PROT_PRIORITY_INFO, {reinterpret_cast<const char*>(priorities), sizeof(priorities)}}});
  run(plan);
  RTM_ROUTE_INFO route{};
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  const auto preference_of = [&](DWORD protocol) {
    EXPECT_EQ(a_.support.ValidateRoute(protocol, &route, nullptr), NO_ERROR);
    return route.PrefInfo.Preference;
  };
  EXPECT_EQ(preference_of(kA), 33U);
  EXPECT_EQ(preference_of(PROTO_IP_BGP), 44U);
  EXPECT_EQ(preference_of(PROTO_IP_OSPF), 110U);
  EXPECT_EQ(preference_of(kB), 100U);
  RTM_NET_ADDRESS destination{};
  RTM_IPV4_MAKE_NET_ADDRESS(&destination, network("10.0.0.0"), 8);
  EXPECT_EQ(a_.support.ValidateRoute(kA, &route, &destination), NO_ERROR);
  // The routing tables go by the same, also that of a family whose transport has nothing to say.
  const auto preference_in = [](std::uint16_t family, DWORD protocol) {
    std::uint32_t found = 0;
    EXPECT_EQ(TpRtmGetPreference(0, family, protocol, &found), NO_ERROR);
    return found;
  };
  EXPECT_EQ(preference_in(AF_INET, kA), 33U);
  EXPECT_EQ(preference_in(AF_INET6, kA), 33U);
  EXPECT_EQ(preference_in(AF_INET, PROTO_IP_OSPF), 110U);
  EXPECT_TRUE(router_->set_global_info(TransportId::kIp, header({{IP_PROT_PRIORITY_INFO, ""}})).done);
  EXPECT_EQ(preference_of(kA), 120U);
  EXPECT_EQ(preference_in(AF_INET, kA), 120U);
}

// clauses: RP-058
TEST_F(SupportOfModules, TakesNoPreferencesThatAreNone_choice) {
  run();
  const auto set = [&](std::vector<DWORD> words) {
    const std::string_view bytes(reinterpret_cast<const char*>(words.data()), words.size() * sizeof(DWORD));
    return router_->set_global_info(TransportId::kIp, header({{IP_PROT_PRIORITY_INFO, bytes}}));
  };
  for (const std::vector<DWORD>& bad :
       {std::vector<DWORD>{1}, {0, kA}, {2, kA, 5}, {1, kA, 0}, {2, kA, 5, kA, 6}, {1, kA, 5, kB, 6}}) {
    const Outcome outcome = set(bad);
    EXPECT_FALSE(outcome.done);
    ASSERT_EQ(outcome.refusals.size(), 1U);
    EXPECT_EQ(outcome.refusals[0].subject, "transport 0x21");
  }
  EXPECT_TRUE(set({0}).done);
  // One that is refused for another reason leaves them as they were.
  ASSERT_TRUE(set({1, kA, 5}).done);
  a_.answers["SetGlobalInfo"] = ERROR_INVALID_PARAMETER;
  Plan plan = router_->plan();
  const DWORD words[] = {1, kA, 6};
  plan.transports[0].global_info =
      header({{kA, "other"}, {kB, "gb"}, {IP_PROT_PRIORITY_INFO, {reinterpret_cast<const char*>(words), 12}}});
  EXPECT_FALSE(router_->apply(plan).done);
  std::uint32_t found = 0;
  EXPECT_EQ(TpRtmGetPreference(0, AF_INET, kA, &found), NO_ERROR);
  EXPECT_EQ(found, 5U);
}

// clauses: RP-058
TEST_F(SupportOfModules, RefusesRoutesThatCannotBe) {
  run();
  RTM_ROUTE_INFO route{};
  RTM_NET_ADDRESS destination{};
  EXPECT_EQ(a_.support.ValidateRoute(kA, nullptr, nullptr), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(a_.support.ValidateRoute(kA, &route, nullptr), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  EXPECT_EQ(a_.support.ValidateRoute(kA, &route, &destination), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  RTM_IPV4_MAKE_NET_ADDRESS(&destination, network("10.0.0.0"), 33);
  EXPECT_EQ(a_.support.ValidateRoute(kA, &route, &destination), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(route.PrefInfo.Preference, 0U);
}

// clauses: RP-059
TEST_F(SupportOfModules, KnowsBoundaries) {
  run();
  const DWORD boundary[] = {network("239.192.0.0"), network("255.252.0.0")};
  EXPECT_FALSE(a_.support.HasMulticastBoundary(eth0_.value(), network("239.193.1.1")));
  ASSERT_TRUE(router_
                  ->set_interface_info(
                      "eth0", TransportId::kIp,
                      header({{IP_MCAST_BOUNDARY_INFO, {reinterpret_cast<const char*>(boundary), sizeof(boundary)}}}))
                  .done);
  EXPECT_TRUE(a_.support.HasMulticastBoundary(eth0_.value(), network("239.193.1.1")));
  EXPECT_FALSE(a_.support.HasMulticastBoundary(eth0_.value(), network("239.196.1.1")));
  EXPECT_FALSE(a_.support.HasMulticastBoundary(4711, network("239.193.1.1")));
}

// clauses: RP-059
TEST_F(SupportOfModules, KnowsTheRoutersId) {
  run();
  EXPECT_EQ(a_.support.GetRouterId(), 0U);
  add_address(eth0_, "192.0.2.1");
  add_address(eth0_, "198.51.100.1");
  settle();
  EXPECT_EQ(a_.support.GetRouterId(), network("198.51.100.1"));
  set_up(eth0_, false);
  settle();
  EXPECT_EQ(a_.support.GetRouterId(), network("198.51.100.1"));
  Plan plan = router_->plan();
  plan.router_id = net::parse_address("10.0.0.1").value();
  ASSERT_TRUE(router_->apply(plan).done);
  add_address(eth0_, "203.0.113.1");
  settle();
  EXPECT_EQ(a_.support.GetRouterId(), network("10.0.0.1"));
}

TEST_F(SupportOfModules, AsksForConnections) {
  Plan plan = plan_of_two();
  plan.interfaces.push_back({"branch", InterfaceType::kFullRouter, true, {}});
  run(plan);
  const dim::Interface& branch = *router_->interfaces().find("branch");
  EXPECT_EQ(a_.support.DemandDialRequest(kA, eth0_.value()), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
  EXPECT_EQ(a_.support.DemandDialRequest(kA, 4711), static_cast<DWORD>(ERROR_NO_SUCH_INTERFACE));
  EXPECT_EQ(wakes_, 0);
  EXPECT_EQ(a_.support.DemandDialRequest(kA, branch.index.value()), NO_ERROR);
  EXPECT_EQ(wakes_, 1);
  settle();
  EXPECT_EQ(branch.state, dim::ConnectionState::kUnreachable);  // nobody is there to make connections
  EXPECT_EQ(branch.reasons, dim::kConnectionFailure);
  EXPECT_EQ(branch.last_error, static_cast<std::uint32_t>(ERROR_INTERFACE_HAS_NO_DEVICES));
  ASSERT_TRUE(router_->set_enabled("branch", false).done);
  EXPECT_EQ(a_.support.DemandDialRequest(kA, branch.index.value()), static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
}

}  // namespace
}  // namespace turnpike::router::test
