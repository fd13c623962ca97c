// NDIS-218, NDIS-220, NDIS-221, NDIS-223, NDIS-224: what comes along with received frames, over adapters in memory.
// What a kernel says of them is in kernel_changes_test.cpp.
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
        EXPECT_EQ(NET_BUFFER_LIST_GET_HASH_TYPE(each) | NET_BUFFER_LIST_GET_HASH_FUNCTION(each), 0U);
        EXPECT_EQ(NET_BUFFER_LIST_COALESCED_SEG_COUNT(each) | NET_BUFFER_LIST_DUP_ACK_COUNT(each), 0);
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

// And nothing of hashes, or of having been made of several.
// clauses: NDIS-218 NDIS-223 NDIS-224
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

// --- checksums

enum : std::uint32_t { kNothing = 0, kTcp = 8, kUdp = 16 };  // bits of both generations

void put16(Bytes& bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(value);
}

// A packet of IP that says it carries `protocol`, with 0xab in its first bytes: neither the UDP length nor a checksum
// is zero.
Bytes packet(int version, std::uint8_t protocol) {
  Bytes bytes(version == 4 ? 20 : 40, 0);
  bytes[0] = version == 4 ? 0x45 : 0x60;
  bytes[version == 4 ? 9 : 6] = protocol;
  bytes.insert(bytes.end(), 40, 0xab);
  return bytes;
}

Bytes over_ethernet(const Bytes& packet, const std::vector<std::uint16_t>& types) {
  Bytes bytes = bytes_of(kBroadcast);
  const Bytes from = bytes_of(kPeer);
  bytes.insert(bytes.end(), from.begin(), from.end());
  for (const std::uint16_t type : types) {  // of a tag, its content too
    bytes.resize(bytes.size() + 2);
    put16(bytes, bytes.size() - 2, type);
  }
  bytes.insert(bytes.end(), packet.begin(), packet.end());
  return bytes;
}

class NdisChecksums : public NdisBoth {
 protected:
  // What the driver is told of the frames, in order.
  std::vector<ULONG_PTR> said_of(const std::vector<Arriving>& frames) {
    said_.clear();
    adapter_.inject_together(frames);
    return said_;
  }
  ULONG_PTR told_of(const Bytes& frame) { return said_of({{frame, 0, 0, false, true}}).at(0); }
  void SetUp() override {
    if (six()) {
      auto p = std::make_unique<Driver6>("P");
      p->on_lists = [this](Indication& indication) {
        for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
          NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO info{};
          info.Value = NET_BUFFER_LIST_INFO(each, TcpIpChecksumNetBufferListInfo);
          EXPECT_EQ(info.Receive.TcpChecksumSucceeded, info.Value == TP_POINTER(PVOID, kTcp) ? 1U : 0U);
          EXPECT_EQ(info.Receive.UdpChecksumSucceeded, info.Value == TP_POINTER(PVOID, kUdp) ? 1U : 0U);
          said_.push_back(TP_BITS(info.Value));
        }
        if (NDIS_TEST_RECEIVE_CAN_PEND(indication.flags)) {
          NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
        }
      };
      p_ = std::move(p);
    } else {
      auto p = std::make_unique<Driver5>("P");
      p->on_packet = [this](Binding&, PNDIS_PACKET packet) {
        NDIS_TCP_IP_CHECKSUM_PACKET_INFO info{};
        const PVOID value = NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpIpChecksumPacketInfo);
        info.Value = PtrToUlong(value);
        EXPECT_EQ(info.Receive.NdisPacketTcpChecksumSucceeded, info.Value == kTcp ? 1U : 0U);
        EXPECT_EQ(info.Receive.NdisPacketUdpChecksumSucceeded, info.Value == kUdp ? 1U : 0U);
        said_.push_back(TP_BITS(value));
        return 0;
      };
      p_ = std::move(p);
    }
    p_->start();
  }
  Adapter adapter_{"a"};
  std::unique_ptr<Driver> p_;
  std::vector<ULONG_PTR> said_;
};
NDIS_BOTH(NdisChecksums);

// clauses: NDIS-221
TEST_P(NdisChecksums, OfTcpAndUdpAreVouchedFor) {
  for (const int version : {4, 6}) {
    const std::uint16_t type = version == 4 ? 0x0800 : 0x86dd;
    for (const auto& [protocol, bit] : {std::pair{6, kTcp}, std::pair{17, kUdp}, std::pair{1, kNothing},
                                        std::pair{4, kNothing}, std::pair{47, kNothing}}) {
      const Bytes inner = packet(version, static_cast<std::uint8_t>(protocol));
      EXPECT_EQ(told_of(over_ethernet(inner, {type})), bit);
      EXPECT_EQ(told_of(over_ethernet(inner, {0x8100, 5, type})), bit);
      EXPECT_EQ(told_of(over_ethernet(inner, {0x88a8, 5, 0x8100, 6, type})), bit);
      EXPECT_EQ(said_of({{over_ethernet(inner, {type}), 0x8100, 5, false, true}}).at(0), bit) << "a tag that was apart";
      EXPECT_EQ(said_of({{over_ethernet(inner, {type})}}).at(0), kNothing) << "nobody has looked";
    }
  }
  const Bytes tcp = over_ethernet(packet(4, 6), {0x0800}), udp = over_ethernet(packet(4, 17), {0x0800});
  EXPECT_EQ(said_of({{tcp, 0, 0, false, true}, {tcp}, {udp, 0, 0, false, true}}),
            (std::vector<ULONG_PTR>{kTcp, kNothing, kUdp}))
      << "each for itself";
  knob(TP_NDIS_KNOB_RESOURCES, 1);
  EXPECT_EQ(told_of(tcp), kTcp);
}

// clauses: NDIS-221
TEST_P(NdisChecksums, AreNotWhereOneCannotBe) {
  Bytes options = packet(4, 6);
  options[0] = 0x46;
  EXPECT_EQ(told_of(over_ethernet(options, {0x0800})), kTcp);
  Bytes dont_fragment = packet(4, 6);
  put16(dont_fragment, 6, 0x4000);
  EXPECT_EQ(told_of(over_ethernet(dont_fragment, {0x0800})), kTcp);

  std::vector<Bytes> nothing;
  for (const unsigned fragment : {0x2000U, 0x0001U, 0x1fffU, 0x3fffU}) {
    nothing.push_back(over_ethernet(packet(4, 6), {0x0800}));
    put16(nothing.back(), 14 + 6, fragment);
  }
  nothing.push_back(over_ethernet(packet(4, 17), {0x0800}));
  put16(nothing.back(), 14 + 20 + 6, 0);  // without
  nothing.push_back(over_ethernet(packet(6, 17), {0x86dd}));
  put16(nothing.back(), 14 + 40 + 6, 0);
  nothing.push_back(over_ethernet(packet(6, 44), {0x86dd}));  // a fragment header is before it
  nothing.push_back(over_ethernet(packet(4, 6), {0x86dd}));   // a type that lies
  nothing.push_back(over_ethernet(packet(6, 6), {0x88b5}));
  nothing.push_back(over_ethernet(packet(4, 6), {0x8100, 1, 0x8100, 2, 0x8100, 3, 0x0800}));
  nothing.push_back(over_ethernet(packet(4, 6), {0x0800}));
  nothing.back()[14] = 0x44;  // a header too short to be one
  nothing.push_back(over_ethernet(packet(4, 6), {0x0800}));
  nothing.back()[14] = 0x4f;  // 60 bytes of header leave no room
  nothing.push_back(over_ethernet(Bytes{}, {0x8100}));
  nothing.push_back(over_ethernet(Bytes{}, {0x0800}));
  for (std::size_t each = 0; each < nothing.size(); ++each) {
    EXPECT_EQ(told_of(nothing[each]), kNothing) << each;
  }
  for (const Bytes& whole :
       {over_ethernet(packet(4, 6), {0x0800}), over_ethernet(packet(6, 17), {0x8100, 5, 0x86dd})}) {
    for (std::size_t length = 14; length < whole.size() - 32; ++length) {
      EXPECT_EQ(told_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length))), kNothing) << length;
    }
  }
}

}  // namespace
}  // namespace turnpike::conformance
