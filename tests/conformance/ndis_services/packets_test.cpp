// Packet and buffer pools of NDIS 5, and what is done with a packet's chain (ndis.md D.9).
#include <gtest/gtest.h>
#include <ndis.h>

#include <array>
#include <cstring>
#include <deque>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

namespace {

UINT draw(std::mt19937& random) { return static_cast<UINT>(random()); }

constexpr UINT kReserved = 4 * sizeof(PVOID);

// A pool of packets and one of buffers.
class Packets : public testing::Test {
 protected:
  Packets() {
    NDIS_STATUS status = -1;
    NdisAllocatePacketPool(&status, &packets_, 64, kReserved);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisAllocateBufferPool(&status, &buffers_, 64);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  }
  ~Packets() override {
    EXPECT_EQ(NdisPacketPoolUsage(packets_), 0U);
    NdisFreePacketPool(packets_);
    NdisFreeBufferPool(buffers_);
  }

  PNDIS_PACKET packet() const {
    NDIS_STATUS status = -1;
    PNDIS_PACKET made = nullptr;
    NdisAllocatePacket(&status, &made, packets_);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    return made;
  }
  PNDIS_BUFFER buffer(void* memory, UINT length) const {
    NDIS_STATUS status = -1;
    PNDIS_BUFFER made = nullptr;
    NdisAllocateBuffer(&status, &made, buffers_, memory, length);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    return made;
  }
  static void empty(PNDIS_PACKET packet) {
    PNDIS_BUFFER one = nullptr;
    for (NdisUnchainBufferAtFront(packet, &one); one != nullptr; NdisUnchainBufferAtFront(packet, &one)) {
      NdisFreeBuffer(one);
    }
  }

  NDIS_HANDLE packets_ = nullptr;
  NDIS_HANDLE buffers_ = nullptr;
};

// clauses: NDIS-192 NDIS-193
TEST(PacketPools, HaveTheSizeThatWasAskedForAndNotMore) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NDIS_HANDLE pool = &status;
  NdisAllocatePacketPoolEx(&status, &pool, 0x10000, 0, kReserved);
  EXPECT_EQ(status, NDIS_STATUS_RESOURCES);
  EXPECT_EQ(pool, nullptr);
  NdisAllocatePacketPool(&status, &pool, 0x10000, kReserved);
  EXPECT_EQ(status, NDIS_STATUS_RESOURCES);

  const struct {
    UINT count, overflow, capacity;
  } cases[] = {{3, 2, 5}, {1, 0, 1}, {0, 0, 0}, {0xFFFE, 100, 0xFFFF}, {0xFFFF, 1, 0xFFFF}};
  for (const auto& one : cases) {
    NdisAllocatePacketPoolEx(&status, &pool, one.count, one.overflow, 0);
    ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
    std::vector<PNDIS_PACKET> taken;
    PNDIS_PACKET packet = nullptr;
    for (NdisAllocatePacket(&status, &packet, pool); status == NDIS_STATUS_SUCCESS;
         NdisAllocatePacket(&status, &packet, pool)) {
      taken.push_back(packet);
      ASSERT_EQ(NdisPacketPoolUsage(pool), taken.size());
    }
    EXPECT_EQ(status, NDIS_STATUS_RESOURCES);
    EXPECT_EQ(packet, nullptr);
    EXPECT_EQ(taken.size(), one.capacity);
    for (const PNDIS_PACKET each : taken) NdisFreePacket(each);
    EXPECT_EQ(NdisPacketPoolUsage(pool), 0U);
    NdisFreePacketPool(pool);
  }
}

TEST_F(Packets, BeginEmptyAndKnowTheirPool) {
  const PNDIS_PACKET one = packet();
  EXPECT_EQ(NdisGetPoolFromPacket(one), packets_);
  EXPECT_EQ(NDIS_PACKET_FIRST_NDIS_BUFFER(one), nullptr);
  EXPECT_EQ(NdisGetPacketFlags(one), 0U);
  EXPECT_EQ(one->Private.NdisPacketFlags & fPACKET_ALLOCATED_BY_NDIS, fPACKET_ALLOCATED_BY_NDIS);
  EXPECT_EQ(one->Private.NdisPacketOobOffset, offsetof(NDIS_PACKET, ProtocolReserved) + kReserved);
  EXPECT_EQ(NdisPacketSize(kReserved),
            one->Private.NdisPacketOobOffset + sizeof(NDIS_PACKET_OOB_DATA) + sizeof(NDIS_PACKET_EXTENSION));
  for (int id = 0; id < MaxPerPacketInfo; ++id) {
    EXPECT_EQ(NDIS_PER_PACKET_INFO_FROM_PACKET(one, id), nullptr);
  }
  NDIS_SET_PACKET_CANCEL_ID(one, one);
  NDIS_SET_PACKET_STATUS(one, NDIS_STATUS_FAILURE);
  NDIS_SET_PACKET_HEADER_SIZE(one, 14);
  std::memset(one->ProtocolReserved, 0x55, kReserved);
  EXPECT_EQ(NDIS_GET_PACKET_CANCEL_ID(one), one);
  EXPECT_EQ(NDIS_GET_PACKET_STATUS(one), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NDIS_GET_PACKET_HEADER_SIZE(one), 14U);
  NdisFreePacket(one);
  const PNDIS_PACKET again = packet();  // most likely the same memory
  EXPECT_EQ(NDIS_GET_PACKET_CANCEL_ID(again), nullptr);
  EXPECT_EQ(NDIS_GET_PACKET_STATUS(again), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(again->ProtocolReserved[0], 0);
  NdisFreePacket(again);
}

// clauses: NDIS-194
TEST_F(Packets, ReinitializeClearsTheChainAndItsCountsAlone) {
  std::array<char, 8> memory{};
  const PNDIS_PACKET one = packet();
  const PNDIS_BUFFER only = buffer(memory.data(), memory.size());
  NdisChainBufferAtFront(one, only);
  NdisSetPacketFlags(one, NDIS_FLAGS_DONT_LOOPBACK);
  NDIS_SET_PACKET_HEADER_SIZE(one, 14);
  NDIS_SET_PACKET_CANCEL_ID(one, &memory);
  NdisRecalculatePacketCounts(one);
  EXPECT_TRUE(NDIS_PACKET_VALID_COUNTS(one));
  NdisReinitializePacket(one);
  EXPECT_EQ(NDIS_PACKET_FIRST_NDIS_BUFFER(one), nullptr);
  EXPECT_FALSE(NDIS_PACKET_VALID_COUNTS(one));
  EXPECT_EQ(NdisGetPacketFlags(one), NDIS_FLAGS_DONT_LOOPBACK);
  EXPECT_EQ(NDIS_GET_PACKET_HEADER_SIZE(one), 14U);
  EXPECT_EQ(NDIS_GET_PACKET_CANCEL_ID(one), &memory);
  UINT count = 9;
  UINT total = 9;
  NdisQueryPacket(one, nullptr, &count, nullptr, &total);
  EXPECT_EQ(count + total, 0U);
  NdisFreeBuffer(only);
  NdisFreePacket(one);
}

// clauses: NDIS-195
TEST_F(Packets, ChainsFollowAModel) {
  std::mt19937 random(5);
  std::array<char, 64> memory{};
  const PNDIS_PACKET one = packet();
  std::deque<PNDIS_BUFFER> model;
  for (int step = 0; step < 4000; ++step) {
    const auto choice = draw(random) % 5;
    if (choice < 2) {
      PNDIS_BUFFER chain = nullptr;  // of one to three
      std::vector<PNDIS_BUFFER> added;
      for (auto n = draw(random) % 3 + 1; n > 0; --n) {
        added.push_back(buffer(memory.data(), draw(random) % memory.size()));
        NDIS_BUFFER_LINKAGE(added.back()) = nullptr;
        if (added.size() > 1) NDIS_BUFFER_LINKAGE(added[added.size() - 2]) = added.back();
      }
      chain = added.front();
      if (choice == 0) {
        NdisChainBufferAtFront(one, chain);
        model.insert(model.begin(), added.begin(), added.end());
      } else {
        NdisChainBufferAtBack(one, chain);
        model.insert(model.end(), added.begin(), added.end());
      }
    } else if (choice < 4) {
      PNDIS_BUFFER taken = model.empty() ? PNDIS_BUFFER{nullptr} : model.front();
      choice == 2 ? NdisUnchainBufferAtFront(one, &taken) : NdisUnchainBufferAtBack(one, &taken);
      if (model.empty()) {
        ASSERT_EQ(taken, nullptr);
        continue;
      }
      ASSERT_EQ(taken, choice == 2 ? model.front() : model.back());
      ASSERT_EQ(NDIS_BUFFER_LINKAGE(taken), nullptr);
      choice == 2 ? model.pop_front() : model.pop_back();
      NdisFreeBuffer(taken);
    }
    UINT physical = 0;
    UINT count = 0;
    UINT total = 0;
    PNDIS_BUFFER first = nullptr;
    NdisQueryPacket(one, &physical, &count, &first, &total);
    UINT length = 0;
    NdisQueryPacketLength(one, &length);
    const UINT expected = std::accumulate(model.begin(), model.end(), 0U,
                                          [](UINT sum, PNDIS_BUFFER each) { return sum + NdisBufferLength(each); });
    ASSERT_EQ(count, model.size());
    ASSERT_EQ(total, expected);
    ASSERT_EQ(length, expected);
    ASSERT_EQ(first, model.empty() ? nullptr : model.front());
    if (!model.empty()) {
      ASSERT_EQ(NDIS_PACKET_LAST_NDIS_BUFFER(one), model.back());
    }
  }
  empty(one);
  NdisFreePacket(one);
}

// clauses: NDIS-196
TEST_F(Packets, ABufferThatCannotBeHadIsAFailure) {
  NDIS_STATUS status = -1;
  NDIS_HANDLE pool = nullptr;
  for (const UINT count : {0U, 1U, ~0U}) {
    NdisAllocateBufferPool(&status, &pool, count);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisFreeBufferPool(pool);
  }
  NDIS_BUFFER none{};
  PNDIS_BUFFER one = &none;
  NdisAllocateBuffer(&status, &one, pool, &status, sizeof(status));  // the pool was freed
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(one, nullptr);
}

// clauses: NDIS-197
TEST_F(Packets, CopiesAsMuchAsRequestSourceAndTargetAllow) {
  std::mt19937 random(9);
  std::array<unsigned char, 512> from{};
  std::array<unsigned char, 512> to{};
  for (int round = 0; round < 500; ++round) {
    const PNDIS_PACKET source = packet();
    const PNDIS_PACKET target = packet();
    NDIS_SET_PACKET_HEADER_SIZE(source, 77);
    for (auto& byte : from) byte = static_cast<unsigned char>(draw(random));
    to.fill(0);
    UINT source_length = 0;
    UINT target_length = 0;
    while (source_length < 300 && draw(random) % 6 != 0) {
      const UINT piece = draw(random) % 60;
      NdisChainBufferAtBack(source, buffer(from.data() + source_length, piece));
      source_length += piece;
    }
    while (target_length < 300 && draw(random) % 6 != 0) {
      const UINT piece = draw(random) % 60;
      NdisChainBufferAtBack(target, buffer(to.data() + target_length, piece));
      target_length += piece;
    }
    const UINT source_offset = draw(random) % 100;
    const UINT target_offset = draw(random) % 100;
    const UINT wanted = draw(random) % 400;
    UINT copied = ~0U;
    (round % 2 == 0 ? NdisCopyFromPacketToPacket(target, target_offset, wanted, source, source_offset, &copied)
                    : NdisCopyFromPacketToPacketSafe(target, target_offset, wanted, source, source_offset, &copied,
                                                     NormalPagePriority));
    const UINT expected = std::min({wanted, source_length - std::min(source_length, source_offset),
                                    target_length - std::min(target_length, target_offset)});
    ASSERT_EQ(copied, expected);
    ASSERT_EQ(std::memcmp(to.data() + target_offset, from.data() + source_offset, copied), 0);
    ASSERT_EQ(NDIS_GET_PACKET_HEADER_SIZE(target), 0U);
    for (const PNDIS_PACKET each : {source, target}) {
      empty(each);
      NdisFreePacket(each);
    }
  }
}

// clauses: NDIS-198
TEST_F(Packets, FreeingLeavesTheDriversMemoryAlone) {
  auto memory = std::make_unique<std::array<char, 100>>();
  memory->fill('x');
  const PNDIS_PACKET one = packet();
  const PNDIS_BUFFER only = buffer(memory->data(), 100);
  NdisChainBufferAtBack(one, only);
  NdisFreePacket(one);
  PVOID address = nullptr;
  UINT length = 0;
  NdisQueryBuffer(only, &address, &length);  // the buffer is still there, too
  EXPECT_EQ(address, memory->data());
  EXPECT_EQ(length, 100U);
  NdisFreeBuffer(only);
  EXPECT_EQ((*memory)[99], 'x');  // and under ASan the array's end frees it the first time
}

TEST_F(Packets, BuffersSayWhereTheyLie) {
  alignas(PAGE_SIZE) static std::array<char, 3 * PAGE_SIZE> memory;
  const PNDIS_BUFFER whole = buffer(memory.data() + 100, 2 * PAGE_SIZE);
  EXPECT_EQ(NDIS_BUFFER_TO_SPAN_PAGES(whole), 3U);
  UINT pages = 0;
  NdisGetBufferPhysicalArraySize(whole, &pages);
  EXPECT_EQ(pages, 3U);
  UINT offset = 0;
  UINT length = 0;
  NdisQueryBufferOffset(whole, &offset, &length);
  EXPECT_EQ(offset, 100U);
  EXPECT_EQ(length, 2U * PAGE_SIZE);
  EXPECT_EQ(MmGetMdlVirtualAddress(whole), memory.data() + 100);
  EXPECT_EQ(MmGetSystemAddressForMdlSafe(whole, NormalPagePriority), memory.data() + 100);

  NDIS_STATUS status = -1;
  PNDIS_BUFFER part = nullptr;
  NdisCopyBuffer(&status, &part, buffers_, whole, 50, 10);
  ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(NdisBufferVirtualAddress(part), memory.data() + 150);
  EXPECT_EQ(NdisBufferLength(part), 10U);
  NdisAdjustBufferLength(part, 4);
  EXPECT_EQ(NdisBufferLength(part), 4U);

  const PNDIS_PACKET one = packet();
  NdisChainBufferAtBack(one, part);
  NdisChainBufferAtBack(one, whole);
  PNDIS_BUFFER first = nullptr;
  PVOID address = nullptr;
  UINT total = 0;
  NdisGetFirstBufferFromPacketSafe(one, &first, &address, &length, &total, NormalPagePriority);
  EXPECT_EQ(first, part);
  EXPECT_EQ(address, memory.data() + 150);
  EXPECT_EQ(length, 4U);
  EXPECT_EQ(total, 4U + 2 * PAGE_SIZE);
  PNDIS_BUFFER next = nullptr;
  NdisGetNextBuffer(first, &next);
  EXPECT_EQ(next, whole);
  empty(one);
  NdisFreePacket(one);
}

// A pool that is freed too early lives as long as its packets (free mode), but its handle does not.
TEST_F(Packets, OutliveAPoolThatIsFreedTooEarly) {
  NDIS_STATUS status = -1;
  NDIS_HANDLE pool = nullptr;
  NdisAllocatePacketPool(&status, &pool, 4, 16);
  PNDIS_PACKET one = nullptr;
  NdisAllocatePacket(&status, &one, pool);
  ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
  NdisFreePacketPool(pool);
  std::memset(one->ProtocolReserved, 7, 16);
  PNDIS_PACKET more = one;
  NdisAllocatePacket(&status, &more, pool);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(more, nullptr);
  NdisFreePacket(one);
  NdisFreePacket(one);  // and once more, when the pool is gone as well
}

// clauses: NDIS-225
TEST_F(Packets, CarryWhatTheirMediumHasToSay) {
  const PNDIS_PACKET one = packet();
  PVOID info = one;
  UINT size = 77;
  NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(one, &info, &size);
  EXPECT_EQ(info, nullptr);
  EXPECT_EQ(size, 0U);
  MEDIA_SPECIFIC_INFORMATION entry{};
  entry.ClassId = NdisClass802_3Priority;
  entry.Size = sizeof(ULONG);
  NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(one, &entry, 0);
  NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(one, &info, &size);
  EXPECT_EQ(info, nullptr) << "of no length";
  NDIS_SET_PACKET_MEDIA_SPECIFIC_INFO(one, &entry, sizeof(entry));
  NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(one, &info, &size);
  EXPECT_EQ(info, &entry);
  EXPECT_EQ(size, sizeof(entry));
  NdisFreePacket(one);
  const PNDIS_PACKET next = packet();
  NDIS_GET_PACKET_MEDIA_SPECIFIC_INFO(next, &info, &size);
  EXPECT_EQ(info, nullptr) << "whoever had it before";
  NdisFreePacket(next);
}

TEST_F(Packets, BadInputIsRefused) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NDIS_HANDLE pool = nullptr;
  int foreign = 0;
  const PNDIS_PACKET one = packet();
  const PNDIS_BUFFER only = buffer(&foreign, sizeof(foreign));

  // Handles: null, of another kind, of nothing.
  for (const NDIS_HANDLE bad :
       {NDIS_HANDLE{nullptr}, buffers_, NDIS_HANDLE{&foreign}, NDIS_HANDLE{one}, INVALID_HANDLE_VALUE}) {
    PNDIS_PACKET none = one;
    NdisAllocatePacket(&status, &none, bad);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(none, nullptr);
    EXPECT_EQ(NdisPacketPoolUsage(bad), 0U);
    NdisSetPacketPoolProtocolId(bad, NDIS_PROTOCOL_ID_TCP_IP);
    NdisFreePacketPool(bad);
  }
  NdisFreeBufferPool(packets_);
  NdisFreeBufferPool(nullptr);

  // Descriptors: null, foreign, in the middle, freed twice, of another kind.
  NdisFreePacket(nullptr);
  NdisFreePacket(reinterpret_cast<PNDIS_PACKET>(&foreign));
  NdisFreePacket(reinterpret_cast<PNDIS_PACKET>(one->ProtocolReserved));
  NdisFreePacket(reinterpret_cast<PNDIS_PACKET>(only));
  NdisFreeBuffer(nullptr);
  NdisFreeBuffer(reinterpret_cast<PNDIS_BUFFER>(one));
  EXPECT_EQ(NdisGetPoolFromPacket(nullptr), nullptr);
  EXPECT_EQ(NdisGetPoolFromPacket(reinterpret_cast<PNDIS_PACKET>(&foreign)), nullptr);
  const PNDIS_PACKET twice = packet();
  NdisFreePacket(twice);
  NdisFreePacket(twice);
  EXPECT_EQ(NdisPacketPoolUsage(packets_), 1U);

  // No place for the answer, and nothing to ask.
  NdisAllocatePacketPool(&status, nullptr, 1, 0);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  NdisAllocatePacketPoolEx(nullptr, nullptr, 1, 0, 0);
  NdisAllocatePacketPool(&status, &pool, 1, 0xFFFFFFFF);
  EXPECT_EQ(status, NDIS_STATUS_RESOURCES);
  NdisAllocatePacket(&status, nullptr, packets_);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  NdisAllocateBufferPool(&status, nullptr, 1);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  NdisAllocateBuffer(&status, nullptr, buffers_, &foreign, 4);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  PNDIS_BUFFER none = only;
  NdisAllocateBuffer(&status, &none, buffers_, nullptr, 4);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(none, nullptr);
  for (const UINT offset : {5U, ~0U}) {
    none = only;
    NdisCopyBuffer(&status, &none, buffers_, only, offset, 0);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(none, nullptr);
  }
  NdisCopyBuffer(&status, &none, buffers_, only, 1, 4);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  NdisCopyBuffer(nullptr, nullptr, nullptr, nullptr, 0, 0);
  NdisQueryPacket(one, nullptr, nullptr, nullptr, nullptr);
  NdisQueryPacket(nullptr, nullptr, nullptr, &none, nullptr);
  EXPECT_EQ(none, nullptr);
  NdisQueryPacketLength(nullptr, nullptr);
  NdisRecalculatePacketCounts(nullptr);
  NdisGetFirstBufferFromPacket(nullptr, nullptr, nullptr, nullptr, nullptr);
  NdisGetFirstBufferFromPacketSafe(nullptr, nullptr, nullptr, nullptr, nullptr, LowPagePriority);
  NdisChainBufferAtFront(nullptr, only);
  NdisChainBufferAtFront(one, nullptr);
  NdisChainBufferAtBack(nullptr, only);
  NdisChainBufferAtBack(one, nullptr);
  NdisUnchainBufferAtFront(nullptr, &none);
  NdisUnchainBufferAtFront(one, nullptr);
  NdisUnchainBufferAtBack(nullptr, nullptr);
  UINT copied = 7;
  NdisCopyFromPacketToPacket(nullptr, 0, 1, one, 0, &copied);
  EXPECT_EQ(copied, 0U);
  NdisCopyFromPacketToPacketSafe(one, 0, 1, nullptr, 0, nullptr, NormalPagePriority);
  NdisQueryBuffer(nullptr, nullptr, nullptr);
  NdisQueryBufferSafe(nullptr, nullptr, &copied, NormalPagePriority);
  NdisQueryBufferOffset(nullptr, nullptr, nullptr);
  NdisAdjustBufferLength(nullptr, 1);
  EXPECT_EQ(NdisBufferLength(nullptr), 0U);
  EXPECT_EQ(NdisBufferVirtualAddress(nullptr), nullptr);
  NdisGetBufferPhysicalArraySize(nullptr, nullptr);
  EXPECT_EQ(NDIS_BUFFER_TO_SPAN_PAGES(nullptr), 0U);
  EXPECT_EQ(NdisIMGetCurrentPacketStack(one, nullptr), nullptr);
  BOOLEAN remaining = TRUE;
  EXPECT_EQ(NdisIMGetCurrentPacketStack(nullptr, &remaining), nullptr);
  EXPECT_EQ(remaining, FALSE);
  EXPECT_GE(NdisPacketSize(~0U), NdisPacketSize(0));

  // A chain that bites its tail is walked for a while and no longer.
  only->Next = only;
  one->Private.Head = only;
  one->Private.ValidCounts = FALSE;
  NdisQueryPacketLength(one, &copied);
  NdisUnchainBufferAtBack(one, &none);
  only->Next = nullptr;
  NdisReinitializePacket(one);
  NdisFreeBuffer(only);
  NdisFreePacket(one);
}

}  // namespace
