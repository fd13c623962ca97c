// NDIS-047 … NDIS-061: closing and unbinding.
#include <algorithm>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using NdisClose = NdisBoth;
NDIS_BOTH(NdisClose);
class NdisClose5 : public NdisTest {};
class NdisClose6 : public NdisTest {};

// What is bound to nothing any more, without waiting for it.
void unbind_all() {
  TP_NDIS_POLICY nothing{};
  nothing.size = sizeof(nothing);
  nothing.bind = TP_NDIS_BIND_NONE;
  EXPECT_EQ(TpNdisSetBindPolicy(nullptr, &nothing), NO_ERROR);
}

std::ptrdiff_t place_of(const Lines& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) - lines.begin();
}

// clauses: NDIS-047
TEST_P(NdisClose, OfAnIdleBindingIsDoneAtOnce) {
  const Adapter adapter("a");
  const auto p = driver("P");
  knob(TP_NDIS_KNOB_PEND, 0);
  p->on_unbind = [&](Binding& binding) {
    EXPECT_EQ(p->close(binding), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  policy(TP_NDIS_BIND_NONE);
  EXPECT_EQ(p->last().close_completions, 0);
  EXPECT_EQ(count(told(), "P: unbind a"), 1);
}

// clauses: NDIS-048
TEST_P(NdisClose, ThatPendsIsCompletedOnce) {
  const Adapter adapter("a");
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_CLOSE);
  const auto p = driver("P");
  p->on_unbind = [&](Binding& binding) {
    EXPECT_EQ(p->close(binding), NDIS_STATUS_PENDING);
    EXPECT_TRUE(binding.close_complete.wait());
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  policy(TP_NDIS_BIND_NONE);
  EXPECT_EQ(p->last().close_completions, 1);
  EXPECT_EQ(count(told(), "P: closed a"), 1);
}

// clauses: NDIS-049
TEST_F(NdisClose5, WaitsForWhatIsRetained) {
  const Adapter adapter("a");
  Driver5 p("P");
  p.start();
  p.keep_all();
  adapter.inject(frame(kBroadcast, "kept"));
  EXPECT_EQ(counters().retained, 1U);
  EXPECT_EQ(p.close(p.last()), NDIS_STATUS_PENDING);
  EXPECT_TRUE(p.last().close_complete.stays_shut());
  p.give_back();
  EXPECT_TRUE(p.last().close_complete.wait());
  EXPECT_EQ(p.last().close_completions, 1);
}

// clauses: NDIS-049
TEST_F(NdisClose5, WaitsForARequest) {
  const Adapter adapter("a");
  Driver5 p("P");
  p.start();
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  Request& request = p.request(p.last(), NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
  EXPECT_EQ(request.answer, NDIS_STATUS_PENDING);
  const NDIS_STATUS status = p.close(p.last());
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 0);
  if (status == NDIS_STATUS_PENDING) {
    EXPECT_TRUE(p.last().close_complete.wait());
  }
  EXPECT_EQ(request.completions, 1) << "the close was complete first";
  quiesce();
}

// clauses: NDIS-049
TEST_F(NdisClose5, WaitsForSends) {
  const Adapter adapter("a");
  Driver5 p("P");
  p.start();
  told();
  adapter.room(0);
  p.send(p.last(), frame(kPeer, "stuck"));
  EXPECT_EQ(counters().sends, 1U);
  if (p.close(p.last()) == NDIS_STATUS_PENDING) {
    EXPECT_TRUE(p.last().close_complete.wait());
  }
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: sent a stuck REQUEST_ABORTED"), 1);
  EXPECT_LE(place_of(lines, "P: sent a stuck REQUEST_ABORTED"), place_of(lines, "P: closed a"));
  adapter.room(-1);
  EXPECT_EQ(adapter.sent_texts(), Lines{});
}

// clauses: NDIS-049
TEST_P(NdisClose, WaitsForACallbackThatRuns) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  Gate inside;
  Gate leave;
  p->on_frame = [&](Binding&) {
    inside.open();
    EXPECT_TRUE(leave.wait());
  };
  std::thread traffic([&] { adapter.inject(frame(kBroadcast, "slow")); });
  ASSERT_TRUE(inside.wait());
  Gate unbound;
  std::thread leaving([&] {
    p->deregister();
    unbound.open();
  });
  EXPECT_TRUE(unbound.stays_shut());
  leave.open();
  leaving.join();
  traffic.join();
  EXPECT_EQ(count(told(), "P: unbind a"), 1);
}

// clauses: NDIS-050
TEST_P(NdisClose, MakesTheHandleDead) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_unbind = [&](Binding& binding) {
    p->close_and_wait(binding);
    EXPECT_EQ(p->query(binding, OID_GEN_MAXIMUM_FRAME_SIZE, 4).status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(violations().size(), 1U);
    p->close(binding);
    EXPECT_EQ(violations().size(), 1U);
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  policy(TP_NDIS_BIND_NONE);
  policy(TP_NDIS_BIND_ALL_ETHERNET);
  EXPECT_EQ(count(told(), "P: bind a"), 2) << "the library goes on";
}

// clauses: NDIS-050
TEST_F(NdisClose5, MakesTheHandleDeadForSends) {
  const Adapter adapter("a");
  Driver5 p("P");
  p.start();
  p.close_and_wait(p.last());
  const PNDIS_PACKET packet = p.packet(frame(kPeer, "late"));
  EXPECT_EQ(p.send_one(p.last(), packet), NDIS_STATUS_ADAPTER_NOT_OPEN);
  EXPECT_EQ(violations().size(), 1U);
  EXPECT_EQ(adapter.sent_texts(), Lines{});
}

// clauses: NDIS-051 NDIS-053
TEST_P(NdisClose, UnbindPendsUntilItIsCompleted) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_unbind = [&](Binding& binding) {  // it is the binding: the contexts stand where they should
    EXPECT_EQ(&binding, &p->last());
    EXPECT_NE(binding.unbind_context, static_cast<NDIS_HANDLE>(&binding));
    p->close_and_wait(binding);
    note("closed");
    return NDIS_STATUS_PENDING;
  };
  p->start();
  unbind_all();
  ASSERT_TRUE(comes("closed"));
  EXPECT_EQ(counters().unbind_operations, 1U);
  std::thread([&] { p->complete_unbind(p->last()); }).join();
  quiesce();
  EXPECT_EQ(counters().unbind_operations, 0U);
  EXPECT_EQ(count(told(), "P: unbind a"), 1);
}

// clauses: NDIS-052
TEST_P(NdisClose, UnbindCannotBeRefused) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_unbind = [&](Binding& binding) {
    p->close_and_wait(binding);
    return NDIS_STATUS_FAILURE;
  };
  p->start();
  policy(TP_NDIS_BIND_NONE);
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_EQ(counters().unbind_operations, 0U);
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: unbind a"), 1);
  EXPECT_EQ(count(lines, "P: bind a"), 1);
  violations();
}

// clauses: NDIS-054
TEST_F(NdisClose6, ComesAfterAPause) {
  const Adapter adapter("a");
  Driver6 p("P");
  p.on_unbind = [&](Binding& binding) {
    p.send(binding, frame(kPeer, "late"));
    EXPECT_TRUE(comes("P: sent a late PAUSED"));
    p.close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  p.start();
  told();
  EXPECT_EQ(NdisUnbindAdapter(p.last().handle), NDIS_STATUS_SUCCESS);
  quiesce();
  Lines lines = told();
  std::erase(lines, "P: closed a");  // it pends while the send's completion is still on its way out of the driver
  EXPECT_EQ(lines, (Lines{"P: pause a", "P: unbind a", "P: sent a late PAUSED"}));
}

// clauses: NDIS-055
TEST_F(NdisClose6, IsWaitedForWhenTheDriverDoesNot) {
  const Adapter adapter("a");
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_CLOSE);
  Driver6 p("P");
  p.on_unbind = [&](Binding& binding) {
    EXPECT_EQ(p.close(binding), NDIS_STATUS_PENDING);
    return NDIS_STATUS_SUCCESS;
  };
  p.start();
  policy(TP_NDIS_BIND_NONE);
  EXPECT_EQ(p.last().close_completions, 1) << "the unbind was done first";
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_LE(violations().size(), 1U) << "none, if the close was done before the unbind returned";
}

// clauses: NDIS-056
TEST_P(NdisClose, IsDoneForADriverThatForgot_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_unbind = [](Binding&) { return NDIS_STATUS_SUCCESS; };
  p->start();
  policy(TP_NDIS_BIND_NONE);
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_EQ(violations().size(), 1U);
}

// clauses: NDIS-057
TEST_F(NdisClose6, MayBeAskedForInADataCallback) {
  const Adapter adapter("a");
  Driver6 p("P");
  p.start();
  p.on_frame = [](Binding& binding) { EXPECT_EQ(NdisUnbindAdapter(binding.handle), NDIS_STATUS_SUCCESS); };
  told();
  adapter.inject(frame(kBroadcast, "go"));
  quiesce();
  const std::vector<Told> all = told_in_full();
  ASSERT_GE(all.size(), 3U);  // and perhaps the close's completion
  EXPECT_EQ(all[0].line, "P: gets a go");
  EXPECT_EQ(all[1].line, "P: pause a");
  EXPECT_EQ(all[2].line, "P: unbind a");
  EXPECT_NE(all[2].thread, all[0].thread);
  EXPECT_EQ(all[2].level, PASSIVE_LEVEL);
  violations();  // the frame goes back through a handle that its driver has given up
}

// clauses: NDIS-058
TEST_F(NdisClose6, AskedForOftenComesOnce_choice) {
  Adapter adapter("a");
  Driver6 p("P");
  p.start();
  std::thread one([&] { NdisUnbindAdapter(p.last().handle); });
  std::thread two([&] { NdisUnbindAdapter(p.last().handle); });
  adapter.remove();
  one.join();
  two.join();
  quiesce();
  EXPECT_EQ(count(told(), "P: unbind a"), 1);
  violations();
}

// clauses: NDIS-059
TEST_F(NdisClose6, LastsUntilSomebodyAsksOrTheAdapterIsAnother_choice) {
  Adapter adapter("a");
  Driver6 p("P");
  p.start();
  EXPECT_EQ(NdisUnbindAdapter(p.last().handle), NDIS_STATUS_SUCCESS);
  quiesce();
  told();
  adapter.carrier(false);
  adapter.carrier(true);
  EXPECT_EQ(TpNdisAdapterSetMtu(adapter.index(), 1400), NO_ERROR);
  const Adapter other("b");
  quiesce();
  EXPECT_EQ(count(told(), "P: bind a"), 0);
  adapter.remove();
  const Adapter again("a");
  quiesce();
  EXPECT_EQ(count(told(), "P: bind a"), 1);
}

// clauses: NDIS-060
TEST_P(NdisClose, NothingTouchesTheContextAfterwards) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_unbind = [&](Binding& binding) {
    p->close_and_wait(binding);
    p->forget(binding);
    return NDIS_STATUS_SUCCESS;
  };
  std::atomic<bool> enough{false};
  std::thread traffic([&] {
    const Bytes any = frame(kBroadcast, "x");
    while (!enough) {
      TpNdisAdapterInject(adapter.index(), any.data(), any.size());
    }
  });
  for (int round = 0; round < 5; ++round) {
    p->start();
    p->deregister();
  }
  enough = true;
  traffic.join();
  EXPECT_EQ(count(told(), "P: unbind a"), 5);
}

// clauses: NDIS-061
TEST_P(NdisClose, UndoesABindThatFails) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_bind = [&](Binding& binding) {
    EXPECT_EQ(p->open_and_wait(binding), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(p->set_filter(binding, NDIS_PACKET_TYPE_SMT), NDIS_STATUS_NOT_SUPPORTED);
    p->close_and_wait(binding);
    return NDIS_STATUS_NOT_SUPPORTED;
  };
  p->start();
  EXPECT_EQ(counters().bindings, 0U);
  p->deregister();
  EXPECT_EQ(count(told(), "P: unbind a"), 0);
}

}  // namespace
}  // namespace turnpike::conformance
