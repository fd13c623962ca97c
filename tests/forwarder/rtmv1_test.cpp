// RTM1-088 … RTM1-090: what becomes of RTMv1's routes in the kernel.
#include "rtm/v1.h"
#include "scene.h"

namespace turnpike::forwarder {
namespace {

class RtmV1Forwarding : public Scene {
 protected:
  Handle v1_client(std::uint32_t protocol) { return *routes.table->v1().register_client(protocol, false, {}); }
  static std::uint32_t number(const char* address) {
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, rtm::TestTable::net(address).address, sizeof bytes);
    return bytes;
  }
  rtm::V1Route v1_route(const char* prefix, const char* hop, kernel::InterfaceIndex link, std::uint32_t metric = 1) {
    rtm::V1Route made;
    made.network = number(prefix);
    const unsigned bits = rtm::TestTable::net(prefix).bits;
    made.mask = __builtin_bswap32(static_cast<std::uint32_t>(rtm::leading_ones(bits) >> 32));
    made.interface_index = link.value();
    made.hop[0] = number(hop);
    made.specific.type = rtm::v1::kRemote;
    made.specific.metric = metric;
    made.specific.flags = rtm::v1::kValid;
    return made;
  }
  void add(Handle owner, const rtm::V1Route& route, std::uint32_t milliseconds = rtm::kInfinite) {
    rtm::V1Change change;
    EXPECT_TRUE(routes.table->v1().add_route(owner, route, milliseconds, change));
    run();
  }
};

// clauses: RTM1-088
TEST_F(RtmV1Forwarding, TheBestValidRouteIsInTheKernel) {
  start();
  const Handle rip = v1_client(8);
  const Handle ospf = v1_client(13);
  add(rip, v1_route("10.9.0.0/16", "10.0.1.2", left));
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.1.2", left)});
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  add(ospf, v1_route("10.9.0.0/16", "10.0.2.2", right, 0));
  EXPECT_EQ(kernel_routes(), Texts{"10.9.0.0/16" + via("10.0.2.2", right)});
  rtm::V1Change change;
  for (const Handle owner : {ospf, rip}) {
    const rtm::V1Route named =
        owner == ospf ? v1_route("10.9.0.0/16", "10.0.2.2", right) : v1_route("10.9.0.0/16", "10.0.1.2", left);
    EXPECT_TRUE(routes.table->v1().delete_route(owner, named, change));
    run();
    EXPECT_EQ(kernel_routes(), owner == ospf ? Texts{"10.9.0.0/16" + via("10.0.1.2", left)} : Texts{});
  }
}

// Section 5 of the contract: FSD_Type 3 says that the destination is directly reachable. Then the next hop is no
// gateway, as it is none where there is no address. clauses: RTM1-088
TEST_F(RtmV1Forwarding, ADirectlyReachableDestinationIsADeviceRoute) {
  start();
  const Handle rip = v1_client(8);
  rtm::V1Route route = v1_route("10.9.0.0/16", "10.0.1.1", left);
  const std::string on_link = "10.9.0.0/16 dev " + std::to_string(left.value());
  for (const auto& [type, expected] :
       {std::pair(rtm::v1::kLocal, on_link), std::pair(rtm::v1::kRemote, "10.9.0.0/16" + via("10.0.1.1", left)),
        std::pair(1U, "10.9.0.0/16" + via("10.0.1.1", left)), std::pair(rtm::v1::kLocal, on_link)}) {
    route.specific.type = type;
    add(rip, route);
    EXPECT_EQ(kernel_routes(), Texts{expected}) << "FSD_Type " << type;
  }
  EXPECT_TRUE(is_marked("10.9.0.0/16"));
  add(rip, v1_route("10.8.0.0/16", "0.0.0.0", left));
  EXPECT_EQ(kernel_routes(), (Texts{"10.8.0.0/16 dev " + std::to_string(left.value()), on_link}));
}

// clauses: RTM1-089
TEST_F(RtmV1Forwarding, WhatIsNeverInTheKernel) {
  start();
  const Handle rip = v1_client(8);
  const Handle local = v1_client(2);
  const auto imported = routes.table->v1().network_count();
  add(rip, v1_route("10.9.0.0/16", "10.0.1.2", left));
  add(rip, v1_route("10.9.0.0/16", "10.0.2.2", right, 2));
  const Texts only{"10.9.0.0/16" + via("10.0.1.2", left)};
  EXPECT_EQ(kernel_routes(), only) << "not one that is not best";
  rtm::V1Route invalid = v1_route("10.8.0.0/16", "10.0.1.2", left);
  invalid.specific.flags = 0;
  add(rip, invalid);
  add(rip, v1_route("224.1.0.0/16", "10.0.1.2", left));
  add(rip, v1_route("255.255.255.255/32", "10.0.1.2", left));
  add(rip, v1_route("127.0.0.0/8", "10.0.1.2", left));
  add(rip, v1_route("10.7.0.0/16", "127.0.0.1", left));
  add(local, v1_route("10.6.0.0/16", "10.0.1.2", left));
  EXPECT_EQ(kernel_routes(), only);
  EXPECT_EQ(routes.table->v1().network_count() - imported, 7U) << "they are in the table";
}

// clauses: RTM1-090
TEST_F(RtmV1Forwarding, DeparturesAndAgeingCleanTheKernel) {
  start();
  const Handle rip = v1_client(8);
  const Handle ospf = v1_client(13);
  add(rip, v1_route("10.9.0.0/16", "10.0.1.2", left), 30'000);
  add(ospf, v1_route("10.8.0.0/16", "10.0.1.2", left));
  EXPECT_EQ(kernel_routes().size(), 2U);
  routes.pass(30'001);
  run();
  EXPECT_EQ(kernel_routes(), Texts{"10.8.0.0/16" + via("10.0.1.2", left)});
  EXPECT_TRUE(routes.table->deregister_entity(ospf));
  run();
  EXPECT_EQ(kernel_routes(), Texts{});
  EXPECT_EQ(kernel_objects(), 0U);
}

}  // namespace
}  // namespace turnpike::forwarder
