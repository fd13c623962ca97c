// NDIS-087 … NDIS-099, NDIS-117 … NDIS-125: sending.
#include <set>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// P is bound to a.
class NdisSend5 : public NdisTest {
 protected:
  NdisSend5() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  Adapter adapter_{"a"};
  Driver5 p_{"P"};
};
class NdisSend6 : public NdisTest {
 protected:
  NdisSend6() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  Adapter adapter_{"a"};
  Driver6 p_{"P"};
};
const PVOID kOne = reinterpret_cast<PVOID>(1);  // NOLINT: cancel ids are numbers
const PVOID kTwo = reinterpret_cast<PVOID>(2);  // NOLINT

// clauses: NDIS-087
TEST_F(NdisSend5, ThatSucceedsIsNotCompleted) {
  knob(TP_NDIS_KNOB_PEND, 0);
  EXPECT_EQ(p_.send_one(at(), p_.packet(frame(kPeer, "out"))), NDIS_STATUS_SUCCESS);
  quiesce();
  EXPECT_EQ(adapter_.sent_texts(), Lines{"out"});
  EXPECT_EQ(told(), Lines{});
}

// clauses: NDIS-088
TEST_F(NdisSend5, ThatPendsIsCompletedOnce) {
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_SEND);
  EXPECT_EQ(p_.send_one(at(), p_.packet(frame(kPeer, "out"))), NDIS_STATUS_PENDING);
  quiesce();
  EXPECT_EQ(told(), Lines{"P: sent a out SUCCESS"});
  EXPECT_EQ(adapter_.sent_texts(), Lines{"out"});
}

// clauses: NDIS-089
TEST_F(NdisSend5, OfManyIsCompletedForEach) {
  Bytes long_one = frame(kPeer, "long");
  long_one.resize(1515);
  p_.send_many(at(), {p_.packet(frame(kPeer, "1")), p_.packet(long_one), p_.packet(frame(kPeer, "2"))});
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(lines.size(), 3U);
  EXPECT_EQ(count(lines, "P: sent a 1 SUCCESS"), 1);
  EXPECT_EQ(count(lines, "P: sent a long INVALID_PACKET"), 1);
  EXPECT_EQ(count(lines, "P: sent a 2 SUCCESS"), 1);
  EXPECT_EQ(adapter_.sent_texts(), (Lines{"1", "2"}));
}

// clauses: NDIS-090
TEST_F(NdisSend5, MayBeCompleteBeforeItReturns) {
  knob(TP_NDIS_KNOB_INLINE_COMPLETION, 1);
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_SEND);
  EXPECT_EQ(p_.send_one(at(), p_.packet(frame(kPeer, "out"))), NDIS_STATUS_PENDING);
  const std::vector<Told> all = told_in_full();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].line, "P: sent a out SUCCESS");
  EXPECT_EQ(all[0].thread, std::this_thread::get_id());
}

// clauses: NDIS-091
TEST_F(NdisSend5, KeepsTheOrder) {
  Lines wanted;
  for (int call = 0; call < 100; ++call) {
    std::vector<PNDIS_PACKET> packets;
    for (int each = 0; each < 5; ++each) {
      wanted.push_back(std::to_string(wanted.size()));
      packets.push_back(p_.packet(frame(kPeer, wanted.back())));
    }
    p_.send_many(at(), packets);
  }
  quiesce();
  EXPECT_EQ(adapter_.sent_texts(), wanted);
  EXPECT_EQ(told().size(), wanted.size());
}

// clauses: NDIS-092 NDIS-100
TEST_F(NdisSend5, GathersTheBuffers_choice) {
  Bytes whole = frame(kBroadcast, "gathered", 0x88b5, kStranger);
  whole.resize(200, 0x41);
  for (std::size_t parts = 1; parts <= 8; ++parts) {
    std::vector<Bytes> pieces;
    const std::size_t step = whole.size() / parts;
    for (std::size_t part = 0; part < parts; ++part) {
      const auto from = whole.begin() + static_cast<std::ptrdiff_t>(part * step);
      pieces.emplace_back(from, part + 1 == parts ? whole.end() : from + static_cast<std::ptrdiff_t>(step));
    }
    const PNDIS_PACKET packet = p_.packet(pieces);
    packet->ProtocolReserved[0] = 0x5a;
    p_.send_many(at(), {packet});
    quiesce();
    EXPECT_EQ(adapter_.sent(), std::vector<Bytes>{whole});
    EXPECT_EQ(bytes_of(packet), whole);
    EXPECT_EQ(packet->ProtocolReserved[0], 0x5a);
  }
  told();
}

// clauses: NDIS-093
TEST_F(NdisSend5, PadsShortFrames_choice) {
  knob(TP_NDIS_KNOB_PEND, 0);
  for (const std::size_t length : {14U, 15U, 59U, 60U}) {
    Bytes whole = frame(kPeer, "");
    whole.resize(length);
    whole.back() = 0x77;
    const PNDIS_PACKET packet = p_.packet(whole);
    EXPECT_EQ(p_.send_one(at(), packet), NDIS_STATUS_SUCCESS);
    Bytes padded = whole;
    padded.resize(60);
    EXPECT_EQ(adapter_.sent(), std::vector<Bytes>{padded});
    EXPECT_EQ(bytes_of(packet), whole);
  }
}

// clauses: NDIS-094
TEST_F(NdisSend5, HasABoundOfLength) {
  knob(TP_NDIS_KNOB_PEND, 0);
  Bytes whole = frame(kPeer, "x");
  whole.resize(1514);
  EXPECT_EQ(p_.send_one(at(), p_.packet(whole)), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(adapter_.sent(), std::vector<Bytes>{whole});
  whole.resize(1515);
  EXPECT_EQ(p_.send_one(at(), p_.packet(whole)), NDIS_STATUS_INVALID_PACKET);
  EXPECT_TRUE(adapter_.sent().empty());
}

// clauses: NDIS-095
TEST_F(NdisSend5, WantsACable_choice) {
  knob(TP_NDIS_KNOB_PEND, 0);
  adapter_.carrier(false);
  quiesce();
  EXPECT_EQ(p_.send_one(at(), p_.packet(frame(kPeer, "x"))), NDIS_STATUS_NO_CABLE);
  adapter_.carrier(true);
  quiesce();
  EXPECT_EQ(p_.send_one(at(), p_.packet(frame(kPeer, "y"))), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(adapter_.sent_texts(), Lines{"y"});
  EXPECT_EQ(count(told(), "P: bind a"), 0);
}

// clauses: NDIS-096
TEST_F(NdisSend5, IsCancelledById) {
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "1"), kOne);
  p_.send(at(), frame(kPeer, "2"), kTwo);
  NdisCancelSendPackets(at().handle, kGarbage);
  NdisCancelSendPackets(at().handle, kOne);
  adapter_.room(-1);
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_EQ(count(lines, "P: sent a 1 REQUEST_ABORTED"), 1);
  EXPECT_EQ(count(lines, "P: sent a 2 SUCCESS"), 1);
  EXPECT_EQ(adapter_.sent_texts(), Lines{"2"});
}

// clauses: NDIS-097
TEST_F(NdisSend5, IsCancelledOnOneBindingAlone) {
  Driver5 q("Q");
  q.start();
  told();
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "p"), kOne);
  q.send(q.last(), frame(kPeer, "q"), kOne);
  NdisCancelSendPackets(at().handle, kOne);
  adapter_.room(-1);
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: sent a p REQUEST_ABORTED"), 1);
  EXPECT_EQ(count(lines, "Q: sent a q SUCCESS"), 1);
}

// clauses: NDIS-222
TEST_F(NdisSend5, IsCountedWhileItIsPending) {
  knob(TP_NDIS_KNOB_INLINE_COMPLETION, 0);
  const auto pending = [this] {
    ULONG count = 77;
    EXPECT_EQ(NdisQueryPendingIOCount(at().handle, &count), NDIS_STATUS_SUCCESS);
    return count;
  };
  Driver5 q("Q");
  q.start();
  EXPECT_EQ(pending(), 0U);
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "1"));
  p_.send(at(), frame(kPeer, "2"));
  EXPECT_EQ(pending(), 2U);
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  Request& request = p_.request(at(), NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
  EXPECT_EQ(pending(), 3U);
  ULONG of_another = 77;
  EXPECT_EQ(NdisQueryPendingIOCount(q.last().handle, &of_another), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(of_another, 0U);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 0);
  EXPECT_TRUE(request.done.wait());
  adapter_.room(-1);
  quiesce();
  EXPECT_EQ(pending(), 0U);
}

// clauses: NDIS-222
TEST_F(NdisSend5, IsNotCountedWhereTheCloseWaitsForAFrame) {
  PNDIS_PACKET kept = nullptr;
  p_.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    kept = packet;
    return 1;
  };
  adapter_.inject(frame(kBroadcast, "x"));
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(p_.close(at()), NDIS_STATUS_PENDING);
  ULONG count = 77;
  EXPECT_EQ(NdisQueryPendingIOCount(at().handle, &count), NDIS_STATUS_CLOSING);
  EXPECT_EQ(count, 0U);
  NdisReturnPackets(&kept, 1);
  EXPECT_TRUE(at().close_complete.wait());
}

// clauses: NDIS-222
TEST_F(NdisSend5, IsCountedOfBindingsAlone) {
  Driver6 six("Six");
  six.start();
  for (const NDIS_HANDLE bad : {NDIS_HANDLE{nullptr}, kGarbage, p_.handle(), six.last().handle}) {
    ULONG count = 77;
    EXPECT_EQ(NdisQueryPendingIOCount(bad, &count), NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(violations(), Lines{"NdisQueryPendingIOCount"});
  }
  EXPECT_EQ(NdisQueryPendingIOCount(at().handle, nullptr), NDIS_STATUS_FAILURE);
  const NDIS_HANDLE gone = at().handle;
  p_.close_and_wait(at());
  ULONG count = 77;
  EXPECT_EQ(NdisQueryPendingIOCount(gone, &count), NDIS_STATUS_ADAPTER_NOT_OPEN);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(violations(), Lines{"NdisQueryPendingIOCount"});
}

// clauses: NDIS-098
TEST_F(NdisSend5, CancelIdsDiffer_choice) {
  std::set<int> seen;
  for (int call = 0; call < 255; ++call) {
    seen.insert(NdisGeneratePartialCancelId());
  }
  EXPECT_EQ(seen.size(), 255U);
}

// clauses: NDIS-099
TEST_F(NdisSend5, IsHeardByItsSender_choice) {
  const auto heard = [&](ULONG flags) {
    const PNDIS_PACKET packet = p_.packet(frame(kBroadcast, "x"));
    NdisSetPacketFlags(packet, flags);
    p_.send_many(at(), {packet});
    quiesce();
    return p_.received();
  };
  const std::vector<Received> own = heard(0);
  ASSERT_EQ(own.size(), 1U);
  EXPECT_TRUE(own[0].looped);
  EXPECT_TRUE(heard(NDIS_FLAGS_DONT_LOOPBACK).empty());
  EXPECT_EQ(p_.set(at(), OID_GEN_PROTOCOL_OPTIONS, bytes_of(NDIS_PROT_OPTION_NO_LOOPBACK)).status, NDIS_STATUS_SUCCESS);
  EXPECT_TRUE(heard(0).empty());
  told();
}

// clauses: NDIS-117 NDIS-118
TEST_F(NdisSend6, CompletesEachListOnceAndKeepsTheOrder) {
  Lines wanted;
  PNET_BUFFER_LIST first = nullptr;
  PNET_BUFFER_LIST last = nullptr;
  std::vector<PNET_BUFFER_LIST> all;
  for (int each = 0; each < 64; ++each) {
    std::vector<Bytes> frames;
    for (int part = 0; part < 3; ++part) {
      wanted.push_back(std::to_string(wanted.size()));
      frames.push_back(frame(kPeer, wanted.back()));
    }
    all.push_back(p_.list(frames));
    (first == nullptr ? first : NET_BUFFER_LIST_NEXT_NBL(last)) = all.back();
    last = all.back();
  }
  p_.send_lists(at(), first);
  quiesce();
  EXPECT_EQ(adapter_.sent_texts(), wanted);
  for (const PNET_BUFFER_LIST list : all) {
    EXPECT_EQ(p_.completions(list), 1);
  }
  EXPECT_EQ(told().size(), all.size());
}

// clauses: NDIS-119
TEST_F(NdisSend6, SaysHowItWent) {
  Bytes long_one = frame(kPeer, "long");
  long_one.resize(1515);
  p_.send(at(), long_one);
  p_.send_lists(at(), p_.list(frame(kPeer, "port")), 0, 7);
  adapter_.carrier(false);
  quiesce();
  p_.send(at(), frame(kPeer, "cut"));
  adapter_.carrier(true);
  quiesce();
  p_.send(at(), frame(kPeer, "good"));
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: sent a long INVALID_LENGTH"), 1);
  EXPECT_EQ(count(lines, "P: sent a port INVALID_PORT"), 1);
  EXPECT_EQ(count(lines, "P: sent a cut MEDIA_DISCONNECTED"), 1);
  EXPECT_EQ(count(lines, "P: sent a good SUCCESS"), 1);
  EXPECT_EQ(adapter_.sent_texts(), Lines{"good"});
}

// clauses: NDIS-120
TEST_F(NdisSend6, InABindCallbackIsPaused) {
  p_.deregister();
  p_.on_bind = [&](Binding& binding) {
    EXPECT_EQ(p_.open_and_wait(binding), NDIS_STATUS_SUCCESS);
    p_.send(binding, frame(kPeer, "early"));
    return NDIS_STATUS_SUCCESS;
  };
  p_.start();
  EXPECT_EQ(count(told(), "P: sent a early PAUSED"), 1);
  EXPECT_EQ(adapter_.sent_texts(), Lines{});
}

// clauses: NDIS-121
TEST_F(NdisSend6, IsDrainedByAPause) {
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "before"));
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (event->NetEvent == NetEventPause) {
      p_.send(*binding, frame(kPeer, "during"));
    }
    return NDIS_STATUS_SUCCESS;
  };
  EXPECT_EQ(NdisUnbindAdapter(at().handle), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("P: sent a during PAUSED"));
  adapter_.room(-1);
  quiesce();
  const Lines lines = told_but_completions();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "P: pause a");
  EXPECT_EQ(lines[1], "P: sent a during PAUSED");
  EXPECT_EQ(lines[2], "P: sent a before SUCCESS");
  EXPECT_EQ(lines[3], "P: unbind a");
}

// clauses: NDIS-122 NDIS-123
TEST_F(NdisSend6, IsNotHeardByItsSenderUnlessItAsks) {
  Driver6 q("Q");
  q.start();
  Driver6 r("R");
  r.filter = NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_ALL_LOCAL;
  r.start();
  p_.send_lists(at(), p_.list(frame(kBroadcast, "plain")));
  quiesce();
  EXPECT_TRUE(p_.received().empty());
  const std::size_t others = r.received().size();
  p_.send_lists(at(), p_.list(frame(kBroadcast, "asked")), NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK);
  quiesce();
  const std::vector<Received> own = p_.received();
  ASSERT_EQ(own.size(), 1U);
  EXPECT_TRUE(own[0].looped);
  EXPECT_EQ(r.received().size(), others);
  told();
}

// clauses: NDIS-124
TEST_F(NdisSend6, IsHeardByThoseWhoWantLocalFrames) {
  const std::vector<std::pair<std::uint32_t, bool>> filters{
      {NDIS_PACKET_TYPE_PROMISCUOUS, true},
      {NDIS_PACKET_TYPE_ALL_LOCAL, true},
      {NDIS_PACKET_TYPE_PROMISCUOUS | NDIS_PACKET_TYPE_NO_LOCAL, false},
      {NDIS_PACKET_TYPE_DIRECTED, false},
  };
  for (const auto& [filter, hears] : filters) {
    Driver6 q("Q");
    q.filter = filter;
    q.start();
    p_.send(at(), frame(kPeer, "x"));
    quiesce();
    EXPECT_EQ(q.received().size(), hears ? 1U : 0U) << "filter " << filter;
  }
  told();
}

// clauses: NDIS-125
TEST_F(NdisSend6, IsCancelledById) {
  adapter_.room(0);
  p_.send(at(), frame(kPeer, "1"), kOne);
  p_.send(at(), frame(kPeer, "2"), kTwo);
  NdisCancelSendNetBufferLists(at().handle, kOne);
  adapter_.room(-1);
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_EQ(count(lines, "P: sent a 1 SEND_ABORTED"), 1);
  EXPECT_EQ(count(lines, "P: sent a 2 SUCCESS"), 1);
  EXPECT_EQ(adapter_.sent_texts(), Lines{"2"});
}

}  // namespace
}  // namespace turnpike::conformance
