// NDIS-177 … NDIS-180, NDIS-205, NDIS-215, NDIS-216: pauses and restarts, adapters that are asked to be let go, and
// what a bind tells of them.
#include <algorithm>
#include <cstring>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// P is bound to a.
class NdisPause6 : public NdisTest {
 protected:
  NdisPause6() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  // The next pause pends; what it was told with is kept.
  void pend_one_pause() {
    p_.on_notification = [this](Binding&, PNET_PNP_EVENT_NOTIFICATION notification) {
      shown_ = shown_ == nullptr ? notification : shown_;
    };
    p_.on_event = [pends = true](Binding* binding, PNET_PNP_EVENT event) mutable {
      return binding != nullptr && event->NetEvent == NetEventPause && std::exchange(pends, false)
                 ? NDIS_STATUS_PENDING
                 : NDIS_STATUS_SUCCESS;
    };
  }
  PNET_PNP_EVENT_NOTIFICATION shown_ = nullptr;
  Adapter adapter_{"a"};
  Driver6 p_{"P"};
};
class NdisBind6Parameters : public NdisTest {};
using NdisRelease = NdisBoth;
NDIS_BOTH(NdisRelease);
using NdisNames = NdisBoth;
NDIS_BOTH(NdisNames);

const NDIS_RESTART_GENERAL_ATTRIBUTES* general_attributes_of(PNET_PNP_EVENT_NOTIFICATION shown) {
  const auto* const parameters = static_cast<const NDIS_PROTOCOL_RESTART_PARAMETERS*>(shown->NetPnPEvent.Buffer);
  if (parameters == nullptr) {
    return nullptr;
  }
  EXPECT_EQ(parameters->Header.Type, 0xA3);
  for (const NDIS_RESTART_ATTRIBUTES* each = parameters->RestartAttributes; each != nullptr; each = each->Next) {
    if (each->Oid == OID_GEN_MINIPORT_RESTART_ATTRIBUTES) {
      EXPECT_GE(each->DataLength, NDIS_SIZEOF_NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_1);
      return reinterpret_cast<const NDIS_RESTART_GENERAL_ATTRIBUTES*>(each->Data);
    }
  }
  return nullptr;
}

// clauses: NDIS-177 NDIS-215
TEST_F(NdisPause6, ANewMtuPausesAndRestarts) {
  int restarts = 0;
  NDIS_STATISTICS_INFO statistics{};
  const Answer counted = p_.query(at(), OID_GEN_STATISTICS, sizeof(statistics));
  ASSERT_EQ(counted.bytes.size(), sizeof(statistics));
  std::memcpy(&statistics, counted.bytes.data(), sizeof(statistics));
  const Bytes listed = p_.query(at(), OID_GEN_SUPPORTED_LIST, 1024).bytes;
  told();
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (binding != nullptr && event->NetEvent == NetEventPause) {
      p_.send(*binding, frame(kPeer, "paused"));
    }
    return NDIS_STATUS_SUCCESS;
  };
  p_.on_notification = [&](Binding&, PNET_PNP_EVENT_NOTIFICATION shown) {
    EXPECT_EQ(shown->Header.Type, 0x80);
    EXPECT_EQ(shown->PortNumber, 0U);
    if (shown->NetPnPEvent.NetEvent == NetEventPause) {
      ASSERT_NE(shown->NetPnPEvent.Buffer, nullptr);
      const auto& pause = *static_cast<const NDIS_PROTOCOL_PAUSE_PARAMETERS*>(shown->NetPnPEvent.Buffer);
      EXPECT_EQ(pause.Header.Type, 0x80);
      EXPECT_EQ(pause.PauseReason, NDIS_PAUSE_NDIS_INTERNAL);
      return;
    }
    ++restarts;
    const NDIS_RESTART_GENERAL_ATTRIBUTES* const general = general_attributes_of(shown);
    ASSERT_NE(general, nullptr) << "nothing is said to have changed";
    EXPECT_EQ(general->Header.Type, 0xA2);
    EXPECT_EQ(general->MtuSize, 1400U);
    EXPECT_EQ(general->LookaheadSize, 1400U);
    EXPECT_EQ(general->SupportedPacketFilters, 0x100AFU);
    EXPECT_EQ(general->MaxMulticastListSize, 256U);
    EXPECT_EQ(general->AccessType, NET_IF_ACCESS_BROADCAST);
    EXPECT_EQ(general->ConnectionType, NET_IF_CONNECTION_DEDICATED);
    EXPECT_NE(general->SupportedStatistics, 0U);
    EXPECT_EQ(general->SupportedStatistics, statistics.SupportedStatistics);
    ASSERT_EQ(general->SupportedOidListLength, listed.size());
    EXPECT_EQ(std::memcmp(general->SupportedOidList, listed.data(), listed.size()), 0);
    ASSERT_NE(general->RecvScaleCapabilities, nullptr);
    const NDIS_RECEIVE_SCALE_CAPABILITIES zeros{};
    EXPECT_EQ(std::memcmp(general->RecvScaleCapabilities, &zeros, sizeof(zeros)), 0);
  };
  adapter_.mtu(1400);
  quiesce();
  EXPECT_EQ(restarts, 1);
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: pause a"), 1);
  EXPECT_EQ(count(lines, "P: restart a"), 1);
  EXPECT_EQ(lines.front(), "P: pause a");
  EXPECT_EQ(count(lines, "P: sent a paused PAUSED"), 1);
  EXPECT_EQ(count(lines, "P: unbind a"), 0);
  p_.on_notification = nullptr;
  p_.on_event = nullptr;
  Bytes longest = frame(kPeer, "long");
  longest.resize(1414);
  p_.send(at(), longest);
  longest.resize(1415);
  p_.send(at(), longest);
  quiesce();
  const Lines sent = told();
  EXPECT_EQ(count(sent, "P: sent a long SUCCESS"), 1);
  EXPECT_EQ(count(sent, "P: sent a long INVALID_LENGTH"), 1);
}

// clauses: NDIS-178
TEST_F(NdisPause6, LastsUntilTheDriverHasCompletedIt) {
  pend_one_pause();
  adapter_.mtu(1400);
  ASSERT_TRUE(comes("P: pause a"));
  quiesce();
  adapter_.inject(frame(kBroadcast, "pausing"));
  p_.send(at(), frame(kPeer, "pausing"));
  quiesce();
  EXPECT_EQ(told(), (Lines{"P: pause a", "P: sent a pausing PAUSED"})) << "it was not waited for";
  EXPECT_EQ(p_.number(at(), OID_GEN_MAXIMUM_FRAME_SIZE), 1400U);
  ASSERT_NE(shown_, nullptr);
  EXPECT_EQ(shown_->NetPnPEvent.NetEvent, NetEventPause) << "its memory is the library's until it is complete";
  NdisCompleteNetPnPEvent(at().handle, shown_, NDIS_STATUS_SUCCESS);
  quiesce();
  EXPECT_EQ(told_but_completions(), Lines{"P: restart a"});
  adapter_.inject(frame(kBroadcast, "running"));
  EXPECT_TRUE(comes("P: gets a running"));
}

// clauses: NDIS-178
TEST_F(NdisPause6, IsOverBeforeTheUnbind) {
  pend_one_pause();
  EXPECT_EQ(NdisUnbindAdapter(at().handle), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("P: pause a"));
  quiesce();
  EXPECT_EQ(told(), Lines{"P: pause a"});
  NdisCompleteNetPnPEvent(at().handle, shown_, NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("P: unbind a"));
  quiesce();
  told();
}

// clauses: NDIS-179
TEST_F(NdisPause6, ARestartThatFailsLeavesItPaused) {
  NDIS_STATUS restart = NDIS_STATUS_RESOURCES;
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    return binding != nullptr && event->NetEvent == NetEventRestart ? restart : NDIS_STATUS_SUCCESS;
  };
  for (const NDIS_STATUS refusal : {NDIS_STATUS_RESOURCES, NDIS_STATUS_FAILURE}) {
    restart = refusal;
    adapter_.mtu(refusal == NDIS_STATUS_RESOURCES ? 1400 : 1300);
    quiesce();
    EXPECT_EQ(count(told(), "P: restart a"), 1);
    adapter_.inject(frame(kBroadcast, "in"));
    p_.send(at(), frame(kPeer, "out"));
    quiesce();
    EXPECT_EQ(told(), Lines{"P: sent a out PAUSED"});
    EXPECT_EQ(p_.query(at(), OID_GEN_MAXIMUM_FRAME_SIZE, 4).status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(p_.set_filter(at(), p_.filter), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(counters().bindings, 1U);
    told();
  }
  restart = NDIS_STATUS_SUCCESS;
  adapter_.mtu(1200);  // the next trigger
  quiesce();
  EXPECT_EQ(told(), Lines{"P: restart a"});
  p_.send(at(), frame(kPeer, "out"));
  EXPECT_TRUE(comes("P: sent a out SUCCESS"));
  p_.on_event = nullptr;
}

// clauses: NDIS-180
TEST_P(NdisRelease, MayBeRefused) {
  const Adapter adapter("a");
  const Adapter elsewhere("b");
  const auto p = driver("P");
  const auto q = driver("Q");
  bool agrees = false;
  q->on_event = [&](Binding*, PNET_PNP_EVENT event) {
    return event->NetEvent == NetEventQueryRemoveDevice && !agrees ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
  };
  p->start();
  q->start();
  told();
  EXPECT_EQ(TpNdisReleaseAdapter(adapter.index()), DWORD{ERROR_BUSY});
  quiesce();
  const Lines refused = told();
  EXPECT_EQ(count(refused, "Q: query-remove a"), 1);
  EXPECT_EQ(count(refused, "P: cancel-remove a"), count(refused, "P: query-remove a")) << "who agreed is told";
  EXPECT_EQ(count(refused, "P: query-remove a"), 1);
  for (const Driver* const each : {p.get(), q.get()}) {
    EXPECT_EQ(count(refused, each->name() + ": unbind a"), 0);
    EXPECT_EQ(count(refused, each->name() + ": pause a"), 0);
    EXPECT_EQ(count(refused, each->name() + ": query-remove b"), 0);
  }
  EXPECT_EQ(counters().bindings, 4U);
  adapter.inject(frame(kBroadcast, "still"));
  EXPECT_TRUE(comes("P: gets a still"));
  EXPECT_TRUE(comes("Q: gets a still"));
  told();

  agrees = true;
  EXPECT_EQ(TpNdisReleaseAdapter(adapter.index()), NO_ERROR);
  quiesce();
  const Lines agreed = told();
  for (const Driver* const each : {p.get(), q.get()}) {
    EXPECT_EQ(count(agreed, each->name() + ": query-remove a"), 1);
    EXPECT_EQ(count(agreed, each->name() + ": unbind a"), 1);
    EXPECT_EQ(count(agreed, each->name() + ": cancel-remove a"), 0);
    EXPECT_EQ(count(agreed, each->name() + ": unbind b"), 0);
  }
  EXPECT_EQ(counters().bindings, 2U);
}

// clauses: NDIS-205
TEST_P(NdisNames, AreTheDriversToFree) {
  const Adapter adapter("uplink7");
  const auto p = driver("P");
  p->on_bind = [&](Binding& binding) {  // freed, and asked again: it is memory of its own each time
    NDIS_STRING one{};
    NDIS_STRING two{};
    EXPECT_EQ(NdisQueryBindInstanceName(&one, binding.bind_context), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NdisQueryBindInstanceName(&two, binding.bind_context), NDIS_STATUS_SUCCESS);
    EXPECT_NE(one.Buffer, two.Buffer);
    EXPECT_EQ(wide_text_of(one), L"uplink7");
    NdisFreeMemory(one.Buffer, 0, 0);
    EXPECT_EQ(wide_text_of(two), L"uplink7");
    NdisFreeMemory(two.Buffer, 0, 0);
    return p->open_and_wait(binding);
  };
  p->start();
  NDIS_STRING name{};
  EXPECT_EQ(NdisQueryAdapterInstanceName(&name, p->last().handle), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(wide_text_of(name), L"uplink7");
  EXPECT_EQ(name.Length, 7 * sizeof(WCHAR));
  EXPECT_GE(name.MaximumLength, name.Length);
  p->deregister();
  EXPECT_EQ(wide_text_of(name), L"uplink7") << "it was not the driver's own";
  NdisFreeMemory(name.Buffer, 0, 0);
  NDIS_STRING none{};
  EXPECT_NE(NdisQueryAdapterInstanceName(&none, kGarbage), NDIS_STATUS_SUCCESS);
  EXPECT_NE(NdisQueryBindInstanceName(&none, kGarbage), NDIS_STATUS_SUCCESS);
  EXPECT_NE(NdisQueryAdapterInstanceName(nullptr, kGarbage), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(none.Buffer, nullptr);
  violations();
}

// clauses: NDIS-216
TEST_F(NdisBind6Parameters, AreAsLongAsTheVersionSays) {
  const Adapter adapter("a");
  struct Shape {
    UCHAR minor;
    UCHAR revision;
    USHORT size;
  };
  for (const Shape shape : {Shape{0, 1, 248}, Shape{1, 2, 256}, Shape{20, 3, 280}, Shape{30, 4, 312}, Shape{40, 4, 312},
                            Shape{89, 4, 312}}) {
    Driver6 p("P");
    p.characteristics.MinorNdisVersion = shape.minor;
    int binds = 0;
    p.on_bind = [&](Binding& binding) {
      ++binds;
      EXPECT_EQ(binding.parameters->Header.Revision, shape.revision) << int{shape.minor};
      EXPECT_EQ(binding.parameters->Header.Size, shape.size) << int{shape.minor};
      return NDIS_STATUS_FAILURE;
    };
    p.start();
    EXPECT_EQ(binds, 1);
  }
}

}  // namespace
}  // namespace turnpike::conformance
