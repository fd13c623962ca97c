// NDIS-171 … NDIS-176, NDIS-181 … NDIS-183, NDIS-212, NDIS-213: what drivers are told without asking, and resets.
#include <algorithm>
#include <cstring>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// P is bound to a.
template <class Kind>
class BoundTest : public NdisTest {
 protected:
  BoundTest() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  Adapter adapter_{"a"};
  Kind p_{"P"};
};
class NdisStatus5 : public BoundTest<Driver5> {};
class NdisStatus6 : public BoundTest<Driver6> {};
class NdisReset5 : public BoundTest<Driver5> {};
class NdisReset6 : public BoundTest<Driver6> {};

using NdisStatus = NdisBoth;
NDIS_BOTH(NdisStatus);

// Whatever the driver is told: a function to be called with its status.
void on_status_of(Driver& driver, std::function<void(Binding&, NDIS_STATUS)> call) {
  if (auto* const six = dynamic_cast<Driver6*>(&driver)) {
    six->on_status = [call](Binding& binding, PNDIS_STATUS_INDICATION told_of) { call(binding, told_of->StatusCode); };
  } else {
    dynamic_cast<Driver5&>(driver).on_status = [call](Binding& binding, NDIS_STATUS code, const Bytes&) {
      call(binding, code);
    };
  }
}

// What concerns one driver, in its order.
Lines lines_of(const Lines& all, const std::string& driver) {
  Lines own;
  std::copy_if(all.begin(), all.end(), std::back_inserter(own),
               [&](const std::string& line) { return line.compare(0, driver.size() + 2, driver + ": ") == 0; });
  return own;
}

// clauses: NDIS-172
TEST_F(NdisStatus5, SaysWhenTheCarrierGoesAndComes) {
  adapter_.carrier(false);
  quiesce();
  EXPECT_EQ(told(), (Lines{"P: status a MEDIA_DISCONNECT", "P: status-complete a"}));
  p_.on_status = [](Binding&, NDIS_STATUS, const Bytes& buffer) { EXPECT_TRUE(buffer.empty()); };
  adapter_.carrier(true);
  quiesce();
  EXPECT_EQ(told(), (Lines{"P: status a MEDIA_CONNECT", "P: status-complete a"}));
}

// clauses: NDIS-173 NDIS-174
TEST_F(NdisStatus6, SaysTheStateOfTheLink) {
  std::vector<NDIS_LINK_STATE> states;
  std::vector<NET_IF_OPER_STATUS> operational;
  p_.on_status = [&](Binding&, PNDIS_STATUS_INDICATION shown) {
    EXPECT_EQ(shown->Header.Type, 0x98);
    EXPECT_EQ(shown->Header.Revision, 1);
    EXPECT_GE(shown->Header.Size, sizeof(NDIS_STATUS_INDICATION));
    EXPECT_EQ(shown->PortNumber, 0U);
    ASSERT_NE(shown->StatusBuffer, nullptr);
    if (shown->StatusCode == NDIS_STATUS_OPER_STATUS) {
      EXPECT_EQ(shown->StatusBufferSize, sizeof(NDIS_OPER_STATE));
      operational.push_back(static_cast<const NDIS_OPER_STATE*>(shown->StatusBuffer)->OperationalStatus);
      return;
    }
    EXPECT_EQ(static_cast<ULONG>(shown->StatusCode), 0x40010017U);
    ASSERT_EQ(shown->StatusBufferSize, 40U);
    states.emplace_back();
    std::memcpy(&states.back(), shown->StatusBuffer, sizeof(NDIS_LINK_STATE));
    std::memset(shown->StatusBuffer, 0x5a, 40);  // the driver's during the call: the next one is told in another
  };
  for (const bool on : {false, true}) {
    adapter_.carrier(on);
    quiesce();
    EXPECT_EQ(told(), (Lines{"P: status a LINK_STATE", "P: status a OPER_STATUS"}));
  }
  ASSERT_EQ(states.size(), 2U);
  for (std::size_t each = 0; each < states.size(); ++each) {
    EXPECT_EQ(states[each].Header.Type, 0x80);
    EXPECT_EQ(states[each].Header.Revision, 1);
    EXPECT_EQ(states[each].Header.Size, 40);
    EXPECT_EQ(states[each].MediaConnectState, each == 0 ? MediaConnectStateDisconnected : MediaConnectStateConnected);
    EXPECT_EQ(states[each].MediaDuplexState, MediaDuplexStateFull);
    EXPECT_EQ(states[each].XmitLinkSpeed, 1'000'000'000U);
    EXPECT_EQ(states[each].RcvLinkSpeed, 1'000'000'000U);
  }
  EXPECT_EQ(operational, (std::vector<NET_IF_OPER_STATUS>{NET_IF_OPER_STATUS_DOWN, NET_IF_OPER_STATUS_UP}));
}

// clauses: NDIS-175
TEST_P(NdisStatus, IsNotToldTwice_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  told();
  adapter.carrier(true);
  adapter.mtu(1500);
  adapter.address(adapter.mac());
  quiesce();
  EXPECT_EQ(told(), Lines{});
  for (int time = 0; time < 3; ++time) {
    adapter.carrier(false);
  }
  quiesce();
  const Lines once = six() ? Lines{"P: status a LINK_STATE", "P: status a OPER_STATUS"}
                           : Lines{"P: status a MEDIA_DISCONNECT", "P: status-complete a"};
  EXPECT_EQ(told(), once);
}

// clauses: NDIS-176
TEST_F(NdisStatus6, ReachesEveryBindingOfTheAdapter) {
  const Adapter elsewhere("b");
  Driver6 q("Q");
  Driver6 r("R");
  Driver5 s("S");
  q.start();
  r.start();
  s.start();
  told();
  adapter_.carrier(false);
  quiesce();
  const Lines lines = told();
  for (const char* name : {"P", "Q", "R"}) {
    EXPECT_EQ(lines_of(lines, name),
              (Lines{std::string(name) + ": status a LINK_STATE", std::string(name) + ": status a OPER_STATUS"}));
  }
  EXPECT_EQ(lines_of(lines, "S"), (Lines{"S: status a MEDIA_DISCONNECT", "S: status-complete a"}));
}

// clauses: NDIS-213
TEST_F(NdisStatus6, IsToldFromTheOpenOnAndWhilePaused) {
  p_.deregister();
  told();
  p_.on_bind = [&](Binding& binding) {
    EXPECT_EQ(p_.open_and_wait(binding), NDIS_STATUS_SUCCESS);
    adapter_.carrier(false);
    EXPECT_TRUE(comes("P: status a OPER_STATUS"));
    return NDIS_STATUS_SUCCESS;
  };
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {  // never lets it run
    return binding != nullptr && event->NetEvent == NetEventRestart ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
  };
  p_.start();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: status a LINK_STATE"), 1);
  EXPECT_LT(std::find(lines.begin(), lines.end(), "P: status a LINK_STATE"),
            std::find(lines.begin(), lines.end(), "P: restart a"));
  p_.send(at(), frame(kPeer, "x"));
  ASSERT_TRUE(comes("P: sent a x PAUSED"));
  told();
  adapter_.carrier(true);
  ASSERT_TRUE(comes("P: status a OPER_STATUS"));
  EXPECT_EQ(count(told(), "P: status a LINK_STATE"), 1);
}

// clauses: NDIS-181
TEST_F(NdisReset5, IsToldToEveryBindingAndThenComplete) {
  const Adapter elsewhere("b");
  Driver5 q("Q");
  q.start();
  told();
  const NDIS_STATUS answer = p_.reset(at());
  quiesce();
  const Lines lines = told();
  Lines told_of_p{"P: status a RESET_START", "P: status-complete a", "P: status a RESET_END", "P: status-complete a"};
  const Lines told_of_q{"Q: status a RESET_START", "Q: status-complete a", "Q: status a RESET_END",
                        "Q: status-complete a"};
  EXPECT_EQ(lines_of(lines, "Q"), told_of_q);
  EXPECT_EQ(count(lines, "P: reset a SUCCESS"), answer == NDIS_STATUS_PENDING ? 1 : 0);
  if (answer == NDIS_STATUS_PENDING) {
    EXPECT_EQ(lines.back(), "P: reset a SUCCESS");
    told_of_p.emplace_back("P: reset a SUCCESS");
  } else {
    EXPECT_EQ(answer, NDIS_STATUS_SUCCESS);
  }
  EXPECT_EQ(lines_of(lines, "P"), told_of_p);
  EXPECT_EQ(p_.number(at(), OID_GEN_RESET_COUNTS), 1U);
  EXPECT_EQ(p_.number(p_.at(elsewhere), OID_GEN_RESET_COUNTS), 0U);
}

// clauses: NDIS-182
TEST_F(NdisReset5, SendsItsQueueBackAndKeepsTheFilter_choice) {
  const std::uint32_t filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST;
  EXPECT_EQ(p_.set_filter(at(), filter), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(p_.set(at(), OID_802_3_MULTICAST_LIST, bytes_of(kGroup)).status, NDIS_STATUS_SUCCESS);
  Driver6 q("Q");
  q.filter = 0;
  q.start();
  const auto asked_for = [&] {
    std::uint32_t asked = 0;
    std::uint32_t groups = 0;
    EXPECT_EQ(TpNdisAdapterGetReception(adapter_.index(), &asked, &groups), NO_ERROR);
    return std::pair(asked, groups);
  };
  EXPECT_EQ(asked_for(), std::pair(filter, 1U));
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "p1"));
  p_.send(at(), frame(kPeer, "p2"));
  q.send(q.last(), frame(kPeer, "q1"));
  EXPECT_EQ(counters().sends, 3U);
  told();
  EXPECT_EQ(p_.reset(at()), NDIS_STATUS_PENDING);
  ASSERT_TRUE(comes("P: reset a SUCCESS"));
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: sent a p1 RESET_IN_PROGRESS"), 1);
  EXPECT_EQ(count(lines, "P: sent a p2 RESET_IN_PROGRESS"), 1);
  EXPECT_EQ(count(lines, "Q: sent a q1 RESET_IN_PROGRESS"), 1);
  EXPECT_EQ(counters().sends, 0U);

  EXPECT_EQ(asked_for(), std::pair(filter, 1U));
  EXPECT_EQ(p_.number(at(), OID_GEN_CURRENT_PACKET_FILTER), filter);
  EXPECT_EQ(p_.query(at(), OID_802_3_MULTICAST_LIST, 60).bytes, bytes_of(kGroup));
  adapter_.inject(frame(kGroup, "group"));
  adapter_.inject(frame(kOtherGroup, "other"));
  adapter_.room(-1);
  p_.send(at(), frame(kPeer, "after"));
  quiesce();
  const Lines after = told();
  EXPECT_EQ(count(after, "P: gets a group"), 1);
  EXPECT_EQ(count(after, "P: gets a other"), 0);
  EXPECT_EQ(count(after, "P: sent a after SUCCESS"), 1);
  EXPECT_EQ(adapter_.sent_texts(), Lines{"after"});
}

// clauses: NDIS-171 NDIS-181
TEST_F(NdisReset5, RefusesEverythingWhileItLasts) {
  knob(TP_NDIS_KNOB_PEND, 0);
  Driver5 q("Q");
  q.start();
  Binding& other = q.at(adapter_);
  const PNDIS_PACKET packet = q.packet(frame(kPeer, "during"));
  int asked = 0;
  q.on_status = [&](Binding& binding, NDIS_STATUS code, const Bytes&) {
    if (code == NDIS_STATUS_RESET_START) {
      ++asked;
      const Request& query = q.request(binding, NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
      EXPECT_EQ(query.answer, NDIS_STATUS_RESET_IN_PROGRESS);
      const Request& set = q.request(binding, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, bytes_of(0U));
      EXPECT_EQ(set.answer, NDIS_STATUS_RESET_IN_PROGRESS);
      EXPECT_EQ(q.send_one(binding, packet), NDIS_STATUS_RESET_IN_PROGRESS);
      EXPECT_EQ(q.reset(binding), NDIS_STATUS_RESET_IN_PROGRESS);
    }
  };
  EXPECT_EQ(p_.reset(at()), NDIS_STATUS_PENDING);
  ASSERT_TRUE(comes("P: reset a SUCCESS"));
  quiesce();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(q.number(other, OID_GEN_CURRENT_PACKET_FILTER), q.filter) << "refused, and done nevertheless";
  EXPECT_EQ(adapter_.sent_texts(), Lines{});
  EXPECT_EQ(q.query(other, OID_GEN_MAXIMUM_FRAME_SIZE, 4).status, NDIS_STATUS_SUCCESS);
  told();
}

// A request that waits when the reset comes ends with it.
// clauses: NDIS-171
TEST_F(NdisReset5, EndsTheRequestsThatWait) {
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  Request& request = p_.request(at(), NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
  EXPECT_EQ(request.answer, NDIS_STATUS_PENDING);
  EXPECT_EQ(p_.reset(at()), NDIS_STATUS_PENDING);
  EXPECT_TRUE(request.done.wait());
  EXPECT_EQ(request.status, NDIS_STATUS_RESET_IN_PROGRESS);
  ASSERT_TRUE(comes("P: reset a SUCCESS"));
}

// The close waits for a status callback; meanwhile the binding is closing.
// clauses: NDIS-171
TEST_P(NdisStatus, ARequestDuringTheCloseIsRefused) {
  knob(TP_NDIS_KNOB_INLINE_COMPLETION, 0);  // else the status would be told on this very thread
  const Adapter adapter("a");
  const auto p = driver("P");
  Gate inside;
  Gate leave;
  on_status_of(*p, [&](Binding&, NDIS_STATUS) {
    inside.open();
    EXPECT_TRUE(leave.wait());
  });
  p->on_event = [](Binding* binding, PNET_PNP_EVENT event) {  // stays paused: nothing is to be drained
    return binding != nullptr && event->NetEvent == NetEventRestart ? NDIS_STATUS_RESOURCES : NDIS_STATUS_SUCCESS;
  };
  p->on_unbind = [&](Binding& binding) {
    EXPECT_EQ(p->close(binding), NDIS_STATUS_PENDING);
    const Request& request = p->request(binding, NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
    EXPECT_EQ(request.answer, NDIS_STATUS_CLOSING);
    leave.open();
    EXPECT_TRUE(binding.close_complete.wait());
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  adapter.carrier(false);
  ASSERT_TRUE(inside.wait());
  p->deregister();
  EXPECT_EQ(count(told(), "P: closed a"), 1);
  violations();  // that the handle was used at all may be one
}

// clauses: NDIS-183
TEST_F(NdisReset6, HasNoEntryForThem) {
  // What is declared to an NDIS 6 driver is shown at compile time, by tests/conformance/ndis_services. One that finds
  // the symbol all the same has no handle for it.
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NdisReset(&status, at().handle);
  EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
  EXPECT_EQ(violations(), Lines{"NdisReset"});
  quiesce();
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(p_.number(at(), OID_GEN_RESET_COUNTS), 0U);
}

// clauses: NDIS-212
TEST_F(NdisReset6, OfAnNdis5ProtocolIsToldAndRefusesRequests) {
  Driver6 r("R");
  r.start();
  Driver5 q("Q");
  q.start();
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "queued"));
  told();
  NDIS_STATUS asked = NDIS_STATUS_PENDING;
  p_.on_status = [&](Binding& binding, PNDIS_STATUS_INDICATION shown) {
    if (shown->StatusCode == NDIS_STATUS_RESET_START) {
      asked = p_.request(binding, NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4)).answer;
      p_.send(binding, frame(kPeer, "during"));
    }
  };
  EXPECT_EQ(q.reset(q.at(adapter_)), NDIS_STATUS_PENDING);
  ASSERT_TRUE(comes("Q: reset a SUCCESS"));
  quiesce();
  EXPECT_EQ(asked, NDIS_STATUS_RESET_IN_PROGRESS);
  const Lines lines = told();
  EXPECT_EQ(lines_of(lines, "R"), (Lines{"R: status a RESET_START", "R: status a RESET_END"}));
  const auto place = [&](const char* line) { return std::find(lines.begin(), lines.end(), line) - lines.begin(); };
  EXPECT_EQ(count(lines, "P: status a RESET_START"), 1);
  EXPECT_EQ(count(lines, "P: status a RESET_END"), 1);
  EXPECT_EQ(count(lines, "P: sent a queued RESET_IN_PROGRESS"), 1);
  EXPECT_EQ(count(lines, "P: sent a during RESET_IN_PROGRESS"), 1);
  EXPECT_LT(place("P: status a RESET_START"), place("P: sent a queued RESET_IN_PROGRESS"));
  EXPECT_LT(place("P: sent a queued RESET_IN_PROGRESS"), place("P: status a RESET_END"));
  adapter_.room(-1);
  p_.send(at(), frame(kPeer, "after"));
  quiesce();
  EXPECT_EQ(adapter_.sent_texts(), Lines{"after"});
  told();
}

}  // namespace
}  // namespace turnpike::conformance
