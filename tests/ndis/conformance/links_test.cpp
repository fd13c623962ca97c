// NDIS-184, NDIS-185, NDIS-188, NDIS-191: adapters that come, change and go. What only a kernel does is in
// kernel_links_test.cpp.
#include <algorithm>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using NdisLinks = NdisBoth;
NDIS_BOTH(NdisLinks);
class NdisLinks5 : public NdisTest {};
class NdisLinks6 : public NdisTest {};

// clauses: NDIS-184
TEST_P(NdisLinks, RemovalUnbindsOnceAndFreesEverything_choice) {
  Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  Binding& binding = p->at(adapter);
  adapter.room(0);
  p->send(binding, frame(kPeer, "1"));
  p->send(binding, frame(kPeer, "2"));
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  Request& request = p->request(binding, NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
  p->on_unbind = [&](Binding& leaving) {  // as a driver should: its requests are done before it closes
    EXPECT_TRUE(request.done.wait());
    p->close_and_wait(leaving);
    return NDIS_STATUS_SUCCESS;
  };
  std::thread traffic([&, index = adapter.index()] {
    const Bytes hello = frame(kBroadcast, "hello");
    while (TpNdisAdapterInject(index, hello.data(), hello.size()) == NO_ERROR) {
    }
  });
  EXPECT_TRUE(comes("P: gets a hello", 3));
  adapter.remove();
  traffic.join();
  EXPECT_TRUE(comes("P: unbind a"));
  quiesce();
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 0);
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: unbind a"), 1);
  EXPECT_EQ(count(lines, "P: pause a"), six() ? 1 : 0);
  for (const char* const text : {"1", "2"}) {
    EXPECT_EQ(count(lines, std::string("P: sent a ") + text + (six() ? " SEND_ABORTED" : " REQUEST_ABORTED")), 1);
  }
  EXPECT_EQ(request.completions, 1);
  EXPECT_EQ(request.status, NDIS_STATUS_ADAPTER_REMOVED);
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_EQ(counters().adapters, 0U);
}

// clauses: NDIS-184
TEST_P(NdisLinks, RemovalWhileABindPendsWaitsForIt_choice) {
  Adapter adapter("a");
  const auto p = driver("P");
  ASSERT_NO_FATAL_FAILURE(start_with_a_bind_that_pends(*p));
  adapter.remove();
  quiesce();
  EXPECT_EQ(count(told(), "P: unbind a"), 0);
  p->complete_bind(p->last(), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("P: unbind a"));
  quiesce();
  EXPECT_EQ(count(told(), "P: unbind a"), 1);
  EXPECT_EQ(counters().bindings, 0U);
}

// clauses: NDIS-185
TEST_P(NdisLinks, TheSameNameAgainIsAnotherAdapter_choice) {
  auto adapter = std::make_unique<Adapter>("a");
  const auto p = driver("P");
  p->start();
  const std::wstring first = p->last().device;
  told();
  adapter.reset();
  adapter = std::make_unique<Adapter>("a");
  quiesce();
  Lines lines = told_but_completions();
  std::erase(lines, "P: pause a");
  std::erase(lines, "P: restart a");
  EXPECT_EQ(lines, (Lines{"P: unbind a", "P: bind a"}));
  EXPECT_NE(p->last().device, first);
}

// clauses: NDIS-188
TEST_P(NdisLinks, ANewAddressBindsAgain_choice) {
  const Adapter adapter("a");
  constexpr Mac kNew{0x02, 1, 2, 3, 4, 5};
  const auto p = driver("P");
  p->start();
  const std::wstring device = p->last().device;
  told();
  adapter.address(kNew);
  quiesce();
  const Lines lines = told_but_completions();
  EXPECT_EQ(lines, six() ? (Lines{"P: pause a", "P: unbind a", "P: bind a", "P: restart a"})
                         : (Lines{"P: unbind a", "P: bind a"}));
  EXPECT_EQ(p->last().device, device) << "it is the same adapter";
  adapter.inject(frame(kNew, "new"));
  EXPECT_TRUE(comes("P: gets a new"));
}

// clauses: NDIS-188
TEST_F(NdisLinks6, ANewAddressPausesWhoCanTakeIt_choice) {
  const Adapter adapter("a");
  const Mac old = adapter.mac();
  constexpr Mac kNew{0x02, 1, 2, 3, 4, 5};
  Driver6 p("P");
  p.characteristics.Flags = 0x2;  // SUPPORTS_CURRENT_MAC_ADDRESS_CHANGE
  p.start();
  told();
  adapter.address(kNew);
  quiesce();
  EXPECT_EQ(told(), (Lines{"P: pause a", "P: restart a"}));
  EXPECT_EQ(p.query(p.last(), OID_802_3_CURRENT_ADDRESS, 6).bytes, bytes_of(kNew));
  told();
  adapter.inject(frame(old, "old"));
  adapter.inject(frame(kNew, "new"));
  quiesce();
  EXPECT_EQ(told(), Lines{"P: gets a new"});
}

// clauses: NDIS-191
TEST_P(NdisLinks, AThousandComeAndGo_choice) {
  const auto p = driver("P");
  p->start();
  const TP_NDIS_COUNTERS before = counters();
  for (int cycle = 0; cycle < 1000; ++cycle) {
    Adapter adapter("a");
    quiesce();
    Binding& binding = p->last();
    EXPECT_EQ(p->set(binding, OID_802_3_MULTICAST_LIST, bytes_of(kGroup)).status, NDIS_STATUS_SUCCESS);
    adapter.remove();
    quiesce();
    p->forget(binding);
    const Lines lines = told();
    ASSERT_EQ(count(lines, "P: bind a"), 1);
    ASSERT_EQ(count(lines, "P: unbind a"), 1);
  }
  const TP_NDIS_COUNTERS after = counters();
  EXPECT_EQ(after.adapters, before.adapters);
  EXPECT_EQ(after.bindings, before.bindings);
  EXPECT_EQ(after.bind_operations + after.unbind_operations, 0U);
  EXPECT_EQ(after.sends + after.requests + after.retained + after.callbacks, 0U);
}

}  // namespace
}  // namespace turnpike::conformance
