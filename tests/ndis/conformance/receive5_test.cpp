// NDIS-101 … NDIS-116: what a driver of NDIS 5 receives.
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// P is to be bound to a.
class NdisReceive5 : public NdisTest {
 protected:
  void start() {
    p_.start();
    told();
  }
  void start_without_packets() {
    p_.characteristics.ReceivePacketHandler = nullptr;
    start();
  }
  Binding& at() { return p_.at(adapter_); }
  Bytes of_length(std::size_t length) const {
    Bytes bytes = frame(adapter_.mac(), "x");
    for (std::size_t at = bytes.size(); at < length; ++at) {
      bytes.push_back(static_cast<std::uint8_t>(at));
    }
    return bytes;
  }
  Adapter adapter_{"a"};
  Driver5 p_{"P"};
};

std::uint64_t retained() { return counters().retained; }

// clauses: NDIS-101
TEST_F(NdisReceive5, GetsWholeFramesAsPackets) {
  int shown = 0;
  p_.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    ++shown;
    EXPECT_EQ(NDIS_GET_PACKET_STATUS(packet), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NDIS_GET_PACKET_HEADER_SIZE(packet), 14U);
    return 0;
  };
  p_.on_receive = [](Lookahead&) {
    ADD_FAILURE() << "ProtocolReceive, though the driver takes packets";
    return NDIS_STATUS_SUCCESS;
  };
  start();
  for (const std::size_t length : {60U, 61U, 1513U, 1514U}) {
    adapter_.inject(of_length(length));
    const std::vector<Received> got = p_.received();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].bytes, of_length(length));
    EXPECT_FALSE(got[0].looped);
  }
  EXPECT_EQ(shown, 4);
}

// clauses: NDIS-102
TEST_F(NdisReceive5, IsDoneWithAPacketThatItReturnsZeroFor) {
  PNDIS_PACKET last = nullptr;
  p_.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    EXPECT_EQ(NDIS_GET_PACKET_STATUS(packet), NDIS_STATUS_SUCCESS);
    last = packet;
    return 0;
  };
  start();
  for (int each = 0; each < 5000; ++each) {
    adapter_.inject(frame(adapter_.mac(), "x"));
  }
  EXPECT_EQ(p_.received().size(), 5000U);
  EXPECT_EQ(retained(), 0U);
  NdisReturnPackets(&last, 1);
  EXPECT_EQ(violations(), Lines{"NdisReturnPackets"});
  EXPECT_EQ(retained(), 0U);
}

// clauses: NDIS-103
TEST_F(NdisReceive5, OwesAsManyReturnsAsItSaid) {
  std::vector<PNDIS_PACKET> kept;
  p_.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    kept.push_back(packet);
    return static_cast<INT>(kept.size());
  };
  start();
  for (const char* text : {"1", "2", "3"}) {
    adapter_.inject(frame(adapter_.mac(), text));
  }
  ASSERT_EQ(kept.size(), 3U);
  const auto give_back = [&](std::vector<std::size_t> which) {
    std::vector<PNDIS_PACKET> packets;
    for (const std::size_t each : which) {
      packets.push_back(kept[each - 1]);
    }
    NdisReturnPackets(packets.data(), static_cast<UINT>(packets.size()));
    return retained();
  };
  EXPECT_EQ(give_back({3, 2}), 3U);
  EXPECT_EQ(text_of(bytes_of(kept[1])), "2");
  EXPECT_EQ(give_back({1}), 2U);
  EXPECT_EQ(give_back({3, 2}), 1U);
  EXPECT_EQ(text_of(bytes_of(kept[2])), "3");
  EXPECT_EQ(give_back({3}), 0U);
  EXPECT_EQ(violations(), Lines{});
  EXPECT_EQ(give_back({3}), 0U);
  EXPECT_EQ(violations(), Lines{"NdisReturnPackets"});
}

// clauses: NDIS-104
TEST_F(NdisReceive5, GivesBackFramesOfManyIndicationsAndBindings) {
  const Adapter other("b");
  p_.keep_all();
  start();
  for (const char* text : {"1", "2", "3"}) {
    adapter_.inject(frame(kBroadcast, text));
    other.inject(frame(kBroadcast, text));
  }
  EXPECT_EQ(retained(), 6U);
  EXPECT_EQ(p_.close(at()), NDIS_STATUS_PENDING);
  EXPECT_TRUE(at().close_complete.stays_shut());
  p_.give_back();
  EXPECT_TRUE(at().close_complete.wait());
  EXPECT_EQ(retained(), 0U);
}

// clauses: NDIS-105
TEST_F(NdisReceive5, IsToldWhenItMayNotKeepAPacket) {
  knob(TP_NDIS_KNOB_RESOURCES, 1);
  int refused = 0;
  p_.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    refused += NDIS_GET_PACKET_STATUS(packet) == NDIS_STATUS_RESOURCES ? 1 : 0;
    return 0;
  };
  p_.on_receive = [&](Lookahead&) {
    ++refused;  // the contract allows either
    return NDIS_STATUS_SUCCESS;
  };
  start();
  adapter_.inject(of_length(200));
  EXPECT_EQ(refused, 1);
  const std::vector<Received> got = p_.received();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].bytes, of_length(200));
  knob(TP_NDIS_KNOB_RESOURCES, 0);
  adapter_.inject(of_length(200));
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(p_.received().size(), 1U);
}

// clauses: NDIS-106
TEST_F(NdisReceive5, CannotKeepAPacketThatCameWithResources) {
  knob(TP_NDIS_KNOB_RESOURCES, 1);
  p_.on_packet = [](Binding&, PNDIS_PACKET) { return 1; };
  start();
  adapter_.inject(frame(adapter_.mac(), "x"));
  EXPECT_EQ(violations(), Lines{"ProtocolReceivePacket"});
  EXPECT_EQ(retained(), 0U);
}

// clauses: NDIS-107 NDIS-108
TEST_F(NdisReceive5, LooksAheadAtEveryLength) {
  std::size_t length = 0;
  UINT wanted = 0;
  int shown = 0;
  p_.on_receive = [&](Lookahead& seen) {
    ++shown;
    EXPECT_EQ(seen.header.size(), 14U);
    EXPECT_EQ(seen.packet_size, length - 14);
    EXPECT_GE(seen.data.size(), std::min<std::size_t>(wanted, seen.packet_size));
    EXPECT_LE(seen.data.size(), seen.packet_size);
    return NDIS_STATUS_SUCCESS;
  };
  start_without_packets();
  wanted = p_.number(at(), OID_GEN_CURRENT_LOOKAHEAD);
  EXPECT_EQ(wanted, 1500U);
  for (length = 60; length <= 1514; length += 7) {
    adapter_.inject(of_length(length));
    const std::vector<Received> got = p_.received();
    ASSERT_EQ(got.size(), 1U);
    ASSERT_EQ(got[0].bytes, of_length(length));  // all of it, since the lookahead is as long as the packet
  }
  wanted = 128;
  EXPECT_EQ(p_.set(at(), OID_GEN_CURRENT_LOOKAHEAD, bytes_of(wanted)).status, NDIS_STATUS_SUCCESS);
  shown = 0;
  for (const std::size_t each : {60U, 141U, 142U, 143U, 1514U}) {
    length = each;
    adapter_.inject(of_length(length));
  }
  EXPECT_EQ(shown, 5);
  told();
}

// clauses: NDIS-109
TEST_F(NdisReceive5, FetchesWhatItWasNotShown) {
  knob(TP_NDIS_KNOB_PEND, 0);  // transfers are done at once
  const Bytes whole = of_length(1514);
  Bytes put_together;
  p_.on_receive = [&](Lookahead& seen) {
    const auto shown = static_cast<UINT>(seen.data.size());
    const PNDIS_PACKET rest = p_.packet({Bytes(100), Bytes(1400)});
    NDIS_STATUS status = NDIS_STATUS_PENDING;
    UINT moved = 0;
    NdisTransferData(&status, seen.binding.handle, seen.context, shown, seen.packet_size - shown, rest, &moved);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(moved, seen.packet_size - shown);
    put_together = seen.header;
    put_together.insert(put_together.end(), seen.data.begin(), seen.data.end());
    const Bytes fetched = bytes_of(rest);
    put_together.insert(put_together.end(), fetched.begin(), fetched.begin() + static_cast<std::ptrdiff_t>(moved));
    return NDIS_STATUS_SUCCESS;
  };
  start_without_packets();
  for (const UINT lookahead : {64U, 128U, 256U}) {
    knob(TP_NDIS_KNOB_LOOKAHEAD, lookahead);
    adapter_.inject(whole);
    EXPECT_EQ(put_together, whole);
    EXPECT_EQ(p_.received().at(0).bytes.size(), lookahead + 14U);
  }
}

// clauses: NDIS-110
TEST_F(NdisReceive5, FetchesNothingBeyondTheEnd) {
  knob(TP_NDIS_KNOB_PEND, 0);  // transfers are done at once
  struct Case {
    UINT from, count;
    std::vector<Bytes> room;
    NDIS_STATUS status;
    UINT moved;
  };
  constexpr UINT kHuge = std::numeric_limits<UINT>::max();
  const std::vector<Case> cases{
      {0, 0, {Bytes(100)}, NDIS_STATUS_SUCCESS, 0},
      {100, 0, {Bytes(100)}, NDIS_STATUS_SUCCESS, 0},
      {0, 100, {Bytes(100)}, NDIS_STATUS_SUCCESS, 100},
      {99, 1, {Bytes(100)}, NDIS_STATUS_SUCCESS, 1},
      {0, 100, {Bytes(10)}, NDIS_STATUS_SUCCESS, 10},
      {50, 50, {Bytes(4), Bytes(3)}, NDIS_STATUS_SUCCESS, 7},
      {0, 100, {}, NDIS_STATUS_SUCCESS, 0},
      {101, 0, {Bytes(100)}, NDIS_STATUS_FAILURE, 0},
      {100, 1, {Bytes(100)}, NDIS_STATUS_FAILURE, 0},
      {0, 101, {Bytes(200)}, NDIS_STATUS_FAILURE, 0},
      {1, kHuge, {Bytes(100)}, NDIS_STATUS_FAILURE, 0},
      {kHuge, 1, {Bytes(100)}, NDIS_STATUS_FAILURE, 0},
      {kHuge, kHuge, {Bytes(100)}, NDIS_STATUS_FAILURE, 0},
  };
  std::size_t done = 0;
  p_.on_receive = [&](Lookahead& seen) {
    for (const Case& each : cases) {
      const PNDIS_PACKET packet = p_.packet(each.room);
      NDIS_STATUS status = NDIS_STATUS_PENDING;
      UINT moved = 0;
      NdisTransferData(&status, seen.binding.handle, seen.context, each.from, each.count, packet, &moved);
      EXPECT_EQ(status, each.status) << each.from << " " << each.count;
      Bytes wanted;
      if (each.status == NDIS_STATUS_SUCCESS) {
        EXPECT_EQ(moved, each.moved) << each.from << " " << each.count;
        const auto first = seen.data.begin() + static_cast<std::ptrdiff_t>(each.from);
        wanted.assign(first, first + static_cast<std::ptrdiff_t>(each.moved));
      }
      const Bytes now = bytes_of(packet);
      wanted.resize(now.size());  // what was not fetched stays as it was
      EXPECT_EQ(now, wanted) << each.from << " " << each.count;
      ++done;
    }
    return NDIS_STATUS_SUCCESS;
  };
  start_without_packets();
  adapter_.inject(of_length(114));
  EXPECT_EQ(done, cases.size());
}

// clauses: NDIS-111
TEST_F(NdisReceive5, IsToldOnceWhenATransferThatPendedIsDone) {
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_TRANSFER);
  p_.on_receive = [&](Lookahead& seen) {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    UINT moved = 0;
    NdisTransferData(&status, seen.binding.handle, seen.context, 0, 40, p_.packet(Bytes(64)), &moved);
    EXPECT_EQ(status, NDIS_STATUS_PENDING);
    return NDIS_STATUS_SUCCESS;
  };
  start_without_packets();
  adapter_.inject(frame(adapter_.mac(), "--------------moved"));  // the line leaves out what would be a header
  quiesce();
  const Lines lines = told_but_completions();
  EXPECT_EQ(count(lines, "P: transferred a moved SUCCESS 40"), 1);
  EXPECT_EQ(lines.size(), 3U);  // beside the frame and the end of its batch
}

// clauses: NDIS-112
TEST_F(NdisReceive5, CannotUseAContextAfterTheCallback_choice) {
  std::vector<NDIS_HANDLE> saved;
  const PNDIS_PACKET packet = p_.packet(Bytes(64, 0x33));
  const auto use = [&](NDIS_HANDLE context) {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    UINT moved = 0;
    NdisTransferData(&status, at().handle, context, 0, 40, packet, &moved);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisGetReceivedPacket(at().handle, context), nullptr);
  };
  p_.on_receive = [&](Lookahead& seen) {
    if (!saved.empty()) {
      use(saved[0]);  // while another frame is shown
    }
    saved.push_back(seen.context);
    return NDIS_STATUS_SUCCESS;
  };
  start_without_packets();
  adapter_.inject(frame(adapter_.mac(), "1"));
  adapter_.inject(frame(adapter_.mac(), "2"));
  ASSERT_EQ(saved.size(), 2U);
  use(saved[1]);
  EXPECT_EQ(bytes_of(packet), Bytes(64, 0x33));
  EXPECT_EQ(count(violations(), "NdisTransferData"), 2);
}

// clauses: NDIS-113
TEST_F(NdisReceive5, HearsTheEndOfEachBatch) {
  start_without_packets();
  const Bytes ours = frame(adapter_.mac(), "1");
  adapter_.inject_together(
      {{ours}, {frame(kStranger, "not ours")}, {frame(kBroadcast, "2")}, {frame(adapter_.mac(), "3")}});
  EXPECT_EQ(told(), (Lines{"P: gets a 1", "P: gets a 2", "P: gets a 3", "P: batch a"}));
  adapter_.inject(ours);
  EXPECT_EQ(told(), (Lines{"P: gets a 1", "P: batch a"}));
  adapter_.inject_together({{frame(kStranger, "not ours")}});
  EXPECT_EQ(told(), Lines{});
}

// clauses: NDIS-114
TEST_F(NdisReceive5, HearsTheEndThoughItAcceptedNothing) {
  p_.on_receive = [](Lookahead&) { return NDIS_STATUS_NOT_ACCEPTED; };
  start_without_packets();
  Driver5 q("Q");
  q.start();
  told();
  adapter_.inject_together({{frame(kBroadcast, "1")}, {frame(kBroadcast, "2")}});
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: gets a 1"), 1);
  EXPECT_EQ(count(lines, "P: gets a 2"), 1);
  EXPECT_EQ(count(lines, "P: batch a"), 1);
  EXPECT_EQ(q.received().size(), 2U);  // what P says of them is nobody else's matter
}

// clauses: NDIS-115
TEST_F(NdisReceive5, CanHaveThePacketBehindALookahead) {
  knob(TP_NDIS_KNOB_LOOKAHEAD, 64);
  Bytes behind;
  p_.on_receive = [&](Lookahead& seen) {
    const PNDIS_PACKET packet = NdisGetReceivedPacket(seen.binding.handle, seen.context);
    EXPECT_NE(packet, nullptr);
    behind = packet == nullptr ? Bytes() : bytes_of(packet);
    return NDIS_STATUS_SUCCESS;
  };
  start_without_packets();
  for (const std::size_t length : {60U, 1514U}) {
    adapter_.inject(of_length(length));
    EXPECT_EQ(behind, of_length(length));
  }
}

// clauses: NDIS-116
TEST_F(NdisReceive5, HasRoomOfItsOwnInAPacketThatItKeeps_choice) {
  using Room = std::array<PVOID, 4>;
  const auto room_of = [](PNDIS_PACKET packet) {
    return reinterpret_cast<std::uint8_t*>(packet) + offsetof(NDIS_PACKET, ProtocolReserved);
  };
  std::vector<PNDIS_PACKET> kept;
  p_.on_packet = [&](Binding&, PNDIS_PACKET packet) {
    const Room mine{packet, &kept, this, kGarbage};
    std::memcpy(room_of(packet), mine.data(), sizeof(mine));
    kept.push_back(packet);
    return 1;
  };
  start();
  for (int each = 0; each < 100; ++each) {
    adapter_.inject(frame(kBroadcast, std::to_string(each)));
  }
  ASSERT_EQ(kept.size(), 100U);
  for (std::size_t each = 0; each < kept.size(); ++each) {
    Room mine{};
    std::memcpy(mine.data(), room_of(kept[each]), sizeof(mine));
    EXPECT_EQ(mine, (Room{kept[each], &kept, this, kGarbage}));
    EXPECT_EQ(bytes_of(kept[each]), frame(kBroadcast, std::to_string(each)));
    EXPECT_EQ(NDIS_GET_PACKET_STATUS(kept[each]), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(NDIS_GET_PACKET_HEADER_SIZE(kept[each]), 14U);
  }
  NdisReturnPackets(kept.data(), static_cast<UINT>(kept.size()));
  EXPECT_EQ(retained(), 0U);
}

}  // namespace
}  // namespace turnpike::conformance
