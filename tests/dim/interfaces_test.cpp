// Interfaces: where they come from, what state they are in, what is told of them and in which order.
#include "dim/interfaces.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "net/text.h"

namespace turnpike::dim {
namespace {

using K = EventKind;

Link device(std::uint32_t index, std::string name, bool up = true, bool carrier = true) {
  Link link;
  link.index = InterfaceIndex(index);
  link.name = std::move(name);
  link.up = up;
  link.carrier = carrier;
  return link;
}

LinkAddress address(std::string_view text, std::uint8_t length = 24) { return {*net::parse_address(text), length, {}}; }

class InterfacesTest : public testing::Test {
 protected:
  // The events since the last call, which must be these, all of one interface.
  void told(std::initializer_list<EventKind> wanted) {
    std::vector<EventKind> kinds;
    for (const Event& event : dim_.take_events()) kinds.push_back(event.kind);
    EXPECT_EQ(kinds, std::vector<EventKind>(wanted)) << [&] {
      std::string text = "told:";
      for (const EventKind kind : kinds) text += " [" + std::string(name_of(kind)) + "]";
      return text;
    }();
  }
  InterfaceId planned(std::string_view name, InterfaceType type = InterfaceType::kDedicated, bool enabled = true) {
    const auto id = dim_.create(name, type, enabled);
    EXPECT_TRUE(id) << name;
    return id.value_or(InterfaceId{});
  }
  InterfaceId dial() {
    const InterfaceId id = planned("branch", InterfaceType::kFullRouter);
    dim_.take_events();
    return id;
  }
  const Interface& at(InterfaceId id) { return *dim_.find(id); }
  void is(InterfaceId id, ConnectionState state, Reasons reasons = 0) {
    EXPECT_EQ(at(id).state, state);
    EXPECT_EQ(at(id).reasons, reasons);
  }

  Interfaces dim_;
};

TEST_F(InterfacesTest, ComeWithTheirDevice) {
  dim_.see_link(device(2, "eth0"));
  told({K::kCreated, K::kState, K::kAttached, K::kMediaPresent, K::kEnabled});
  const Interface* eth0 = dim_.find("ETH0");
  ASSERT_NE(eth0, nullptr);
  EXPECT_EQ(eth0->index, InterfaceIndex(2));
  EXPECT_FALSE(eth0->planned);
  EXPECT_EQ(dim_.find(InterfaceIndex(2)), eth0);
  is(eth0->id, ConnectionState::kConnected);
  dim_.lose_link(InterfaceIndex(2));
  told({K::kState, K::kDisabled, K::kDetached, K::kDeleted});
  EXPECT_EQ(dim_.find("eth0"), nullptr);
}

TEST_F(InterfacesTest, MayBePlannedBeforeTheirDevice) {
  const InterfaceId id = planned("eth0");
  told({K::kCreated});
  is(id, ConnectionState::kUnreachable, kNoDevice);
  EXPECT_TRUE(at(id).index.is_none());
  dim_.see_link(device(7, "eth0"));
  told({K::kState, K::kAttached, K::kMediaPresent, K::kEnabled});
  is(id, ConnectionState::kConnected);
  dim_.lose_link(InterfaceIndex(7));
  told({K::kState, K::kDisabled, K::kDetached});
  is(id, ConnectionState::kUnreachable, kNoDevice);
  dim_.see_link(device(9, "eth0"));
  EXPECT_EQ(at(id).index, InterfaceIndex(9));
}

TEST_F(InterfacesTest, AreTakenOverByAPlanAndOutliveIt) {
  dim_.see_link(device(2, "eth0"));
  dim_.take_events();
  const InterfaceId id = planned("eth0", InterfaceType::kDedicated, false);
  told({K::kState, K::kDisabled});
  ASSERT_TRUE(dim_.set_transport(id, TransportId::kIp, Bytes(12)));
  told({K::kTransportAdded});
  ASSERT_TRUE(dim_.remove(id));
  told({K::kTransportRemoved, K::kState, K::kEnabled});
  EXPECT_FALSE(at(id).planned);
  EXPECT_EQ(dim_.remove(id).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(InterfacesTest, TellAddressesBeforeMediaBeforeEnabled) {
  dim_.see_link(device(2, "eth0", false, false));
  dim_.see_address(InterfaceIndex(2), address("192.0.2.1"));
  told({K::kCreated, K::kState, K::kAttached, K::kAddresses});
  is(dim_.find("eth0")->id, ConnectionState::kUnreachable, kAdminDisabled);
  dim_.see_link(device(2, "eth0", true, false));
  told({K::kState, K::kEnabled});
  is(dim_.find("eth0")->id, ConnectionState::kUnreachable, kNoMediaSense);
  dim_.see_link(device(2, "eth0"));
  told({K::kState, K::kMediaPresent});
  dim_.see_link(device(2, "eth0", true, false));
  told({K::kState, K::kMediaAbsent});
  dim_.see_link(device(2, "eth0", false, false));
  told({K::kState, K::kDisabled});
}

TEST_F(InterfacesTest, TellAChangeOnce) {
  dim_.see_link(device(2, "eth0"));
  dim_.see_address(InterfaceIndex(2), address("192.0.2.1"));
  dim_.take_events();
  dim_.see_link(device(2, "eth0"));
  dim_.see_address(InterfaceIndex(2), address("192.0.2.1"));
  dim_.lose_address(InterfaceIndex(2), address("192.0.2.2"));
  dim_.see_address(InterfaceIndex(8), address("192.0.2.2"));
  dim_.lose_link(InterfaceIndex(8));
  ASSERT_TRUE(dim_.set_enabled(dim_.find("eth0")->id, true));
  told({});
  dim_.see_address(InterfaceIndex(2), address("192.0.2.2"));
  dim_.lose_address(InterfaceIndex(2), address("192.0.2.1"));
  told({K::kAddresses, K::kAddresses});
  EXPECT_EQ(dim_.find("eth0")->link->addresses, std::vector{address("192.0.2.2")});
}

TEST_F(InterfacesTest, OfARenamedDeviceAreOthers) {
  dim_.see_link(device(2, "eth0"));
  dim_.see_address(InterfaceIndex(2), address("192.0.2.1"));
  const InterfaceId before = dim_.find("eth0")->id;
  const InterfaceId wan = planned("wan");
  dim_.take_events();
  dim_.see_link(device(2, "wan"));
  EXPECT_EQ(dim_.find(before), nullptr);
  EXPECT_EQ(at(wan).index, InterfaceIndex(2));
  EXPECT_EQ(dim_.find("eth0"), nullptr);
}

TEST_F(InterfacesTest, OfLoopbackComeAloneAndAreAlwaysConnected) {
  Link lo = device(1, "lo", false, false);
  lo.loopback = true;
  dim_.see_link(lo);
  const InterfaceId id = dim_.find("lo")->id;
  is(id, ConnectionState::kConnected);
  EXPECT_EQ(at(id).type, InterfaceType::kLoopback);
  EXPECT_EQ(dim_.create("lo", InterfaceType::kDedicated, true).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(dim_.create("lo1", InterfaceType::kLoopback, true).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(InterfacesTest, AreNotCreatedTwiceNorBadly) {
  planned("eth0");
  dim_.see_link(device(3, "eth1"));
  dim_.take_events();
  EXPECT_EQ(dim_.create("Eth0", InterfaceType::kDedicated, true).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(dim_.create("eth1", InterfaceType::kFullRouter, true).error().kind, ErrorKind::kAlreadyExists);
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string("a\0b", 3), std::string(257, 'x')}) {
    EXPECT_EQ(dim_.create(name, InterfaceType::kDedicated, true).error().kind, ErrorKind::kInvalidArgument);
  }
  EXPECT_EQ(dim_.create("x", static_cast<InterfaceType>(8), true).error().kind, ErrorKind::kInvalidArgument);
  told({});
  std::string longest;
  for (int i = 0; i < 256; ++i) longest += "\xc3\xa9";  // é
  EXPECT_TRUE(dim_.create(longest, InterfaceType::kDedicated, true));
}

TEST_F(InterfacesTest, KeepTheIndexOfTheirName) {
  const InterfaceId branch = planned("branch", InterfaceType::kFullRouter);
  const InterfaceId other = planned("other", InterfaceType::kDialOut);
  const InterfaceIndex index = at(branch).index;
  EXPECT_EQ(index, InterfaceIndex(kOwnIndexBase + 1));
  EXPECT_EQ(at(other).index, InterfaceIndex(kOwnIndexBase + 2));
  ASSERT_TRUE(dim_.remove(branch));
  EXPECT_EQ(dim_.find(index), nullptr);
  planned("third", InterfaceType::kFullRouter);
  const InterfaceId again = planned("Branch", InterfaceType::kHomeRouter);
  EXPECT_NE(again, branch);
  EXPECT_EQ(at(again).index, index);
}

TEST_F(InterfacesTest, OfClientsShareNamesAndNoIndex) {
  const InterfaceId one = planned("anna", InterfaceType::kClient);
  const InterfaceId two = planned("anna", InterfaceType::kClient);
  EXPECT_NE(at(one).index, at(two).index);
  ASSERT_TRUE(dim_.remove(one));
  EXPECT_EQ(dim_.find("anna")->id, two);
}

TEST_F(InterfacesTest, AreConnectedOnDemand) {
  const InterfaceId id = dial();
  is(id, ConnectionState::kDisconnected);
  ASSERT_TRUE(dim_.connect(id));
  told({K::kState, K::kDialWanted});
  is(id, ConnectionState::kConnecting);
  EXPECT_EQ(dim_.connect(id).error().kind, ErrorKind::kBusy);
  Link ppp = device(12, "ppp0");
  ppp.dial = true;
  dim_.see_link(ppp);
  dim_.see_address(InterfaceIndex(12), address("198.51.100.1", 32));
  told({});
  EXPECT_EQ(dim_.connected(id, InterfaceIndex(99)).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(dim_.connected(id, InterfaceIndex(12)));
  told({K::kState, K::kAddresses, K::kMediaPresent, K::kEnabled});
  is(id, ConnectionState::kConnected);
  EXPECT_EQ(dim_.connect(id).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(dim_.remove(id).error().kind, ErrorKind::kBusy);
  ASSERT_TRUE(dim_.disconnect(id, 929));
  told({K::kState, K::kDisabled, K::kAddresses, K::kMediaAbsent, K::kHangUpWanted});
  is(id, ConnectionState::kDisconnected);
  EXPECT_EQ(at(id).last_error, 929U);
  EXPECT_EQ(dim_.disconnect(id, 929).error().kind, ErrorKind::kNotFound);
}

TEST_F(InterfacesTest, AreDisconnectedWithTheirDevice) {
  const InterfaceId id = dial();
  dim_.see_link(device(12, "wg0"));
  ASSERT_NE(dim_.find("wg0"), nullptr);
  ASSERT_TRUE(dim_.connected(id, InterfaceIndex(12)));
  EXPECT_EQ(dim_.find("wg0"), nullptr);
  dim_.lose_link(InterfaceIndex(12));
  is(id, ConnectionState::kDisconnected);
  EXPECT_EQ(at(id).last_error, 629U);
}

TEST_F(InterfacesTest, RememberAFailureUntilItIsForgiven) {
  const InterfaceId id = dial();
  EXPECT_EQ(dim_.failed(id, 1).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(dim_.connect(id));
  ASSERT_TRUE(dim_.failed(id, 718));
  is(id, ConnectionState::kUnreachable, kConnectionFailure);
  EXPECT_EQ(at(id).last_error, 718U);
  ASSERT_TRUE(dim_.forgive(id));
  is(id, ConnectionState::kDisconnected);
  ASSERT_TRUE(dim_.connect(id));
  ASSERT_TRUE(dim_.failed(id, 718));
  ASSERT_TRUE(dim_.connect(id));
  is(id, ConnectionState::kConnecting);
}

TEST_F(InterfacesTest, AreNotConnectedForAReason) {
  const InterfaceId id = dial();
  ASSERT_TRUE(dim_.set_reason(id, kDialOutHours, true));
  is(id, ConnectionState::kUnreachable, kDialOutHours);
  EXPECT_EQ(dim_.connect(id).error().kind, ErrorKind::kDenied);
  ASSERT_TRUE(dim_.set_enabled(id, false));
  is(id, ConnectionState::kUnreachable, kDialOutHours | kAdminDisabled);
  ASSERT_TRUE(dim_.set_reason(id, kDialOutHours, false));
  EXPECT_EQ(dim_.connect(id).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(dim_.set_reason(id, kNoDevice, true).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(dim_.set_reason(id, 0, true).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(InterfacesTest, HangUpWhenDisabled) {
  const InterfaceId id = dial();
  ASSERT_TRUE(dim_.connect(id));
  dim_.take_events();
  ASSERT_TRUE(dim_.set_enabled(id, false));
  told({K::kState, K::kHangUpWanted, K::kState});
  is(id, ConnectionState::kUnreachable, kAdminDisabled);
}

TEST_F(InterfacesTest, WithoutConnectionsRefuseThem) {
  dim_.see_link(device(2, "eth0"));
  const InterfaceId id = dim_.find("eth0")->id;
  for (const auto& answer : {dim_.connect(id), dim_.connected(id, InterfaceIndex(2)), dim_.failed(id, 1),
                             dim_.disconnect(id, 1), dim_.forgive(id), dim_.set_reason(id, kDialOutHours, true)}) {
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnsupported);
  }
}

TEST_F(InterfacesTest, ThatAreGoneAreNotFound) {
  const auto gone = InterfaceId{77};
  for (const auto& answer :
       {dim_.remove(gone), dim_.set_enabled(gone, true), dim_.set_transport(gone, TransportId::kIp, {}),
        dim_.remove_transport(gone, TransportId::kIp), dim_.connect(gone), dim_.forgive(gone)}) {
    EXPECT_EQ(answer.error().kind, ErrorKind::kNotFound);
  }
}

TEST_F(InterfacesTest, CarryTransports) {
  const InterfaceId id = planned("eth0");
  dim_.take_events();
  ASSERT_TRUE(dim_.set_transport(id, TransportId::kIp, Bytes(12)));
  ASSERT_TRUE(dim_.set_transport(id, TransportId::kIp, Bytes(12)));
  ASSERT_TRUE(dim_.set_transport(id, TransportId::kIp, Bytes(40)));
  ASSERT_TRUE(dim_.set_transport(id, TransportId::kIpv6, {}));
  ASSERT_TRUE(dim_.remove_transport(id, TransportId::kIp));
  EXPECT_EQ(dim_.remove_transport(id, TransportId::kIp).error().kind, ErrorKind::kNotFound);
  told({K::kTransportAdded, K::kTransportChanged, K::kTransportAdded, K::kTransportRemoved});
  EXPECT_EQ(at(id).transports.size(), 1U);
}

TEST_F(InterfacesTest, AreSetRightByWhatIsThere) {
  dim_.see_link(device(2, "eth0"));
  dim_.see_link(device(3, "eth1"));
  dim_.see_address(InterfaceIndex(2), address("192.0.2.1"));
  dim_.take_events();
  Link eth0 = device(2, "eth0");
  eth0.addresses = {address("192.0.2.9")};
  const Link all[] = {eth0, device(4, "eth2")};
  dim_.see_all(all);
  EXPECT_EQ(dim_.find("eth1"), nullptr);
  EXPECT_NE(dim_.find("eth2"), nullptr);
  EXPECT_EQ(dim_.find("eth0")->link->addresses, std::vector{address("192.0.2.9")});
  dim_.take_events();
  dim_.see_all(all);
  told({});
}

}  // namespace
}  // namespace turnpike::dim
