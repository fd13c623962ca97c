// NDIS-218, NDIS-220: what comes along with received frames, over adapters in memory. What a kernel says of them is in
// kernel_changes_test.cpp.
#include <algorithm>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

constexpr ULONG64 kInexact = 1000;  // of 100 ns: two clocks are compared, and a thread may be put aside between them

ULONG64 counter() { return static_cast<ULONG64>(KeQueryPerformanceCounter(nullptr).QuadPart); }
ULONG64 system_time() {
  LARGE_INTEGER now;
  NdisGetCurrentSystemTime(&now);
  return static_cast<ULONG64>(now.QuadPart);
}

ULONG64 time_of(PNET_BUFFER_LIST list) {
  NET_BUFFER_LIST_TIMESTAMP time{};
  NdisGetNblTimestampInfo(list, &time);
  return time.Timestamp;
}

// P is to be bound to a.
class NdisOutOfBand6 : public NdisTest {
 protected:
  void start() {
    p_.on_lists = [&](Indication& indication) {
      const ULONG64 now = counter();
      for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
        EXPECT_GE(time_of(each), last_);
        EXPECT_LE(time_of(each), now + kInexact);
        last_ = time_of(each);
        ++lists_;
      }
      if (NDIS_TEST_RECEIVE_CAN_PEND(indication.flags)) {
        NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
      }
    };
    p_.start();
    last_ = counter() - kInexact;
  }
  Adapter adapter_{"a"};
  Driver6 p_{"P"};
  ULONG64 last_ = 0;
  std::atomic<int> lists_{0};
};

// clauses: NDIS-218
TEST_F(NdisOutOfBand6, SaysWhenFramesCame) {
  start();
  for (const std::uint32_t without_copies : {0U, 1U}) {
    knob(TP_NDIS_KNOB_RESOURCES, without_copies);
    adapter_.inject(frame(kBroadcast, "one"));
    adapter_.inject_together({{frame(kBroadcast, "two")}, {frame(kBroadcast, "three"), 0x8100, 5}});
  }
  EXPECT_EQ(lists_, 6);
}

// clauses: NDIS-218
TEST_F(NdisOutOfBand6, SaysWhenFramesWentRound) {
  start();
  for (int count = 1; count <= 3; ++count) {
    p_.send_lists(p_.at(adapter_), p_.list(frame(kBroadcast, "round")), NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK);
    EXPECT_TRUE(comes("P: gets a round", count));
    quiesce();
  }
  EXPECT_EQ(lists_, 3);
}

// clauses: NDIS-220
TEST_F(NdisTest, PacketsSayWhenTheyCame) {
  const Adapter adapter("a");
  Driver5 p("P");
  ULONG64 last = 0;
  int packets = 0;
  p.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    const ULONG64 at = NDIS_GET_PACKET_TIME_RECEIVED(packet);
    EXPECT_GE(at, last);
    EXPECT_LE(at, system_time());
    last = at;
    ++packets;
    return 0;
  };
  p.on_receive = [&](Lookahead& shown) {
    const PNDIS_PACKET packet = NdisGetReceivedPacket(shown.binding.handle, shown.context);
    EXPECT_NE(packet, nullptr);
    return packet != nullptr && p.on_packet(shown.binding, packet) == 0 ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE;
  };
  p.start();
  last = system_time();
  for (const std::uint32_t without_copies : {0U, 1U}) {
    knob(TP_NDIS_KNOB_RESOURCES, without_copies);
    adapter.inject(frame(kBroadcast, "one"));
    adapter.inject_together({{frame(kBroadcast, "two")}, {frame(kBroadcast, "three"), 0x8100, 5}});
  }
  EXPECT_EQ(packets, 6);
  p.send(p.at(adapter), frame(kBroadcast, "round"));
  EXPECT_TRUE(comes("P: gets a round"));
  quiesce();
  EXPECT_EQ(packets, 7);
}

}  // namespace
}  // namespace turnpike::conformance
