// Net buffer pools, lists, contexts, data that begins earlier or later, clones (ndis.md D.16).
#include <gtest/gtest.h>
#include <ndis.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace {

UINT draw(std::mt19937& random) { return static_cast<UINT>(random()); }

int owner;  // whose address stands for an NdisHandle: pools ask nothing of it but to be one
const NDIS_HANDLE kOwner = &owner;
constexpr ULONG kTag = 0x74736574;

NET_BUFFER_LIST_POOL_PARAMETERS list_parameters(BOOLEAN with_buffer, ULONG data = 0, USHORT context = 0,
                                                ULONG flags = 0) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2,
                       NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_2};
  parameters.fAllocateNetBuffer = with_buffer;
  parameters.DataSize = data;
  parameters.ContextSize = context;
  parameters.Flags = flags;
  return parameters;
}
NET_BUFFER_POOL_PARAMETERS buffer_parameters(ULONG data = 0) {
  NET_BUFFER_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
  parameters.DataSize = data;
  return parameters;
}

// A pool of lists, freed at the end.
class ListPool {
 public:
  explicit ListPool(NET_BUFFER_LIST_POOL_PARAMETERS parameters)
      : handle_(NdisAllocateNetBufferListPool(kOwner, &parameters)) {
    EXPECT_NE(handle_, nullptr);
  }
  ~ListPool() { NdisFreeNetBufferListPool(handle_); }
  ListPool(const ListPool&) = delete;
  ListPool& operator=(const ListPool&) = delete;
  operator NDIS_HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)

 private:
  NDIS_HANDLE handle_;
};

// Memory in pieces of these sizes, one descriptor each, filled with 0, 1, 2, …
class Pieces {
 public:
  explicit Pieces(const std::vector<UINT>& sizes) : memory_(std::accumulate(sizes.begin(), sizes.end(), 0U)) {
    std::iota(memory_.begin(), memory_.end(), static_cast<unsigned char>(0));
    unsigned char* at = memory_.data();
    for (const UINT size : sizes) {
      mdls_.push_back(NdisAllocateMdl(kOwner, at, size));
      EXPECT_NE(mdls_.back(), nullptr);
      if (mdls_.size() > 1) mdls_[mdls_.size() - 2]->Next = mdls_.back();
      at += size;
    }
  }
  ~Pieces() {
    for (const PMDL mdl : mdls_) NdisFreeMdl(mdl);
  }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  PMDL first() const { return mdls_.front(); }
  const std::vector<PMDL>& mdls() const { return mdls_; }
  std::vector<unsigned char>& memory() { return memory_; }

 private:
  std::vector<unsigned char> memory_;
  std::vector<PMDL> mdls_;
};

std::vector<unsigned char> data_of(PNET_BUFFER buffer) {
  std::vector<unsigned char> storage(NET_BUFFER_DATA_LENGTH(buffer));
  const void* const data =
      storage.empty() ? nullptr : NdisGetDataBuffer(buffer, NET_BUFFER_DATA_LENGTH(buffer), storage.data(), 1, 0);
  if (data != nullptr && data != storage.data()) std::memcpy(storage.data(), data, storage.size());
  return storage;
}

TEST(NetBufferPools, GiveListsAsTheirParametersSay) {
  const ListPool bare(list_parameters(FALSE));
  const PNET_BUFFER_LIST empty = NdisAllocateNetBufferList(bare, 0, 0);
  ASSERT_NE(empty, nullptr);
  EXPECT_EQ(NET_BUFFER_LIST_FIRST_NB(empty), nullptr);
  EXPECT_EQ(empty->Context, nullptr);
  EXPECT_EQ(NdisGetPoolFromNetBufferList(empty), NDIS_HANDLE{bare});
  NdisFreeNetBufferList(empty);

  const ListPool with_data(list_parameters(TRUE, 256, 32));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(with_data, 16, 16);
  ASSERT_NE(list, nullptr);
  const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);
  ASSERT_NE(buffer, nullptr);
  EXPECT_EQ(NdisGetPoolFromNetBuffer(buffer), NDIS_HANDLE{with_data});
  EXPECT_EQ(NET_BUFFER_DATA_LENGTH(buffer), 0U);
  ASSERT_EQ(NdisRetreatNetBufferDataStart(buffer, 256, 0, nullptr), NDIS_STATUS_SUCCESS);
  std::memset(NdisGetDataBuffer(buffer, 256, nullptr, 1, 0), 1, 256);
  EXPECT_EQ(NET_BUFFER_FIRST_MDL(buffer)->Next, nullptr) << "the room that came with it was enough";
  NdisFreeNetBufferList(list);

  NET_BUFFER_POOL_PARAMETERS parameters = buffer_parameters(64);
  const NDIS_HANDLE pool = NdisAllocateNetBufferPool(kOwner, &parameters);
  ASSERT_NE(pool, nullptr);
  EXPECT_EQ(NdisAllocateNetBuffer(pool, nullptr, 0, 0), nullptr) << "plain ones come from pools without data";
  const PNET_BUFFER one = NdisAllocateNetBufferMdlAndData(pool);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(NET_BUFFER_FIRST_MDL(one)->ByteCount, 64U);
  NdisFreeNetBuffer(one);
  NdisFreeNetBufferPool(pool);
}

// clauses: NDIS-199
TEST(NetBufferPools, RefuseADescriptorWhereTheyHaveData) {
  Pieces pieces({100});
  const ListPool with_data(list_parameters(TRUE, 64));
  EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(with_data, 0, 0, pieces.first(), 0, 100), nullptr);
  const ListPool without_buffers(list_parameters(FALSE));
  EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(without_buffers, 0, 0, pieces.first(), 0, 100), nullptr);
  const ListPool good(list_parameters(TRUE));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(good, 0, 0, pieces.first(), 10, 90);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(NET_BUFFER_DATA_OFFSET(NET_BUFFER_LIST_FIRST_NB(list)), 10U);
  EXPECT_EQ(data_of(NET_BUFFER_LIST_FIRST_NB(list)).front(), 10);
  NdisFreeNetBufferList(list);
}

int allocated_mdls;
PMDL allocate_mdl(PULONG size) {
  ++allocated_mdls;
  auto memory = std::make_unique<char[]>(*size);
  return NdisAllocateMdl(kOwner, memory.release(), *size);
}
void free_mdl(PMDL mdl) {
  --allocated_mdls;
  const std::unique_ptr<char[]> memory(static_cast<char*>(MmGetMdlVirtualAddress(mdl)));
  NdisFreeMdl(mdl);
}
PMDL refuse_mdl(PULONG) { return nullptr; }

// clauses: NDIS-200
TEST(NetBuffers, RetreatAndAdvanceFollowAModel) {
  std::mt19937 random(11);
  const ListPool pool(list_parameters(TRUE));
  for (int round = 0; round < 300; ++round) {
    const bool own = round % 2 == 0;
    Pieces pieces({40, 1, 90});
    const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 30, 50);
    ASSERT_NE(list, nullptr);
    const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);
    std::vector<unsigned char> model(pieces.memory().begin() + 30, pieces.memory().begin() + 80);
    std::vector<ULONG> headers;  // that were retreated for
    for (int step = 0; step < 20; ++step) {
      const ULONG offset = NET_BUFFER_DATA_OFFSET(buffer);
      if (headers.empty() || draw(random) % 2 == 0) {
        const ULONG delta = draw(random) % 50;
        const ULONG back_fill = draw(random) % 40;
        const PMDL chain = NET_BUFFER_FIRST_MDL(buffer);
        const int before = allocated_mdls;
        ASSERT_EQ(NdisRetreatNetBufferDataStart(buffer, delta, back_fill, own ? allocate_mdl : nullptr),
                  NDIS_STATUS_SUCCESS);
        if (delta <= offset) {
          ASSERT_EQ(NET_BUFFER_FIRST_MDL(buffer), chain) << "there was room";
          ASSERT_EQ(allocated_mdls, before);
        } else {
          ASSERT_EQ(NET_BUFFER_FIRST_MDL(buffer)->Next, chain);
          ASSERT_EQ(NET_BUFFER_FIRST_MDL(buffer)->ByteCount, delta + back_fill);
          ASSERT_EQ(allocated_mdls, before + (own ? 1 : 0));
        }
        // The driver writes its header.
        std::vector<unsigned char> header(delta);
        for (auto& byte : header) byte = static_cast<unsigned char>(draw(random));
        PMDL mdl = NET_BUFFER_CURRENT_MDL(buffer);
        ULONG at = NET_BUFFER_CURRENT_MDL_OFFSET(buffer);
        for (const unsigned char byte : header) {
          while (at >= mdl->ByteCount) {
            mdl = mdl->Next;
            at = 0;
          }
          static_cast<unsigned char*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority))[at++] = byte;
        }
        model.insert(model.begin(), header.begin(), header.end());
        headers.push_back(delta);
      } else {
        NdisAdvanceNetBufferDataStart(buffer, headers.back(), TRUE, own ? free_mdl : nullptr);
        model.erase(model.begin(), model.begin() + headers.back());
        headers.pop_back();
      }
      ASSERT_EQ(NET_BUFFER_DATA_LENGTH(buffer), model.size());
      ASSERT_EQ(data_of(buffer), model);
    }
    for (; !headers.empty(); headers.pop_back()) {
      NdisAdvanceNetBufferDataStart(buffer, headers.back(), TRUE, own ? free_mdl : nullptr);
    }
    ASSERT_EQ(NET_BUFFER_FIRST_MDL(buffer), pieces.first()) << "everything in front was taken away again";
    ASSERT_EQ(allocated_mdls, 0);
    NdisFreeNetBufferList(list);
  }
}

// Received data: nothing is freed and the chain stays.
TEST(NetBuffers, AdvanceWithoutFreeingKeepsTheChain) {
  Pieces pieces({14, 50});
  const ListPool pool(list_parameters(TRUE));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 0, 64);
  const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);
  NdisAdvanceNetBufferListDataStart(list, 14, FALSE, nullptr);
  EXPECT_EQ(NET_BUFFER_FIRST_MDL(buffer), pieces.first());
  EXPECT_EQ(NET_BUFFER_CURRENT_MDL(buffer), pieces.mdls()[1]);
  EXPECT_EQ(NET_BUFFER_CURRENT_MDL_OFFSET(buffer), 0U);
  EXPECT_EQ(NdisRetreatNetBufferListDataStart(list, 14, 0, nullptr, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(NET_BUFFER_CURRENT_MDL(buffer), pieces.first());
  EXPECT_EQ(data_of(buffer), pieces.memory());
  NET_BUFFER_DATA_OFFSET(buffer) = 20;
  NdisAdjustNetBufferCurrentMdl(buffer);
  EXPECT_EQ(NET_BUFFER_CURRENT_MDL(buffer), pieces.mdls()[1]);
  EXPECT_EQ(NET_BUFFER_CURRENT_MDL_OFFSET(buffer), 6U);
  NdisFreeNetBufferList(list);
}

// clauses: NDIS-201
TEST(NetBuffers, GetDataBufferHasFourOutcomes) {
  Pieces pieces({20, 44});
  const ListPool pool(list_parameters(TRUE));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 4, 60);
  const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);
  std::array<unsigned char, 64> storage{};
  EXPECT_EQ(NdisGetDataBuffer(buffer, 61, storage.data(), 1, 0), nullptr) << "shorter than that";
  EXPECT_EQ(NdisGetDataBuffer(buffer, 16, nullptr, 1, 0), pieces.memory().data() + 4) << "in one piece";
  EXPECT_EQ(NdisGetDataBuffer(buffer, 17, storage.data(), 1, 0), storage.data()) << "in two: copied";
  EXPECT_EQ(storage[16], 20);
  EXPECT_EQ(NdisGetDataBuffer(buffer, 17, nullptr, 1, 0), nullptr) << "and nowhere to copy to";
  const auto odd = reinterpret_cast<ULONG_PTR>(pieces.memory().data() + 4) % 64;
  EXPECT_EQ(NdisGetDataBuffer(buffer, 8, nullptr, 64, static_cast<UINT>(odd)), pieces.memory().data() + 4);
  EXPECT_EQ(NdisGetDataBuffer(buffer, 8, nullptr, 64, static_cast<UINT>(odd + 1)), nullptr) << "not aligned";
  EXPECT_EQ(NdisGetDataBuffer(buffer, 8, storage.data(), 64, static_cast<UINT>(odd + 1)), storage.data());
  NdisFreeNetBufferList(list);
}

TEST(NetBuffers, CopyIsShortWhereEitherEndIs) {
  Pieces from({10, 30});
  Pieces to({7, 13});
  std::fill(to.memory().begin(), to.memory().end(), static_cast<unsigned char>(0xEE));
  const ListPool pool(list_parameters(TRUE));
  const PNET_BUFFER_LIST source = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, from.first(), 5, 30);
  const PNET_BUFFER_LIST target = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, to.first(), 2, 0);
  const PNET_BUFFER destination = NET_BUFFER_LIST_FIRST_NB(target);
  ULONG copied = 0;
  const auto copy = [&](ULONG at, ULONG bytes, ULONG begin) {
    EXPECT_EQ(
        NdisCopyFromNetBufferToNetBuffer(destination, at, bytes, NET_BUFFER_LIST_FIRST_NB(source), begin, &copied),
        NDIS_STATUS_SUCCESS);
    return copied;
  };
  EXPECT_EQ(copy(0, 100, 0), 18U) << "what the target has behind its data's beginning";
  EXPECT_EQ(to.memory()[2], 5);
  EXPECT_EQ(to.memory()[19], 22);
  EXPECT_EQ(copy(1, 100, 25), 5U) << "what is left of the source";
  EXPECT_EQ(copy(18, 5, 0), 0U);
  EXPECT_EQ(copy(0, 5, 30), 0U);
  EXPECT_EQ(copy(0, 3, 0), 3U);
  EXPECT_EQ(NET_BUFFER_DATA_LENGTH(destination), 0U) << "the target's own fields stay";
  NdisFreeNetBufferList(source);
  NdisFreeNetBufferList(target);
}

// clauses: NDIS-202 NDIS-214
TEST(Clones, ShareTheDataAndLeaveTheOriginalIntact) {
  const ListPool pool(list_parameters(TRUE));
  NET_BUFFER_POOL_PARAMETERS parameters = buffer_parameters();
  const NDIS_HANDLE buffers = NdisAllocateNetBufferPool(kOwner, &parameters);
  for (const ULONG flags : {0U, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS}) {
    for (const bool own_pools : {false, true}) {
      Pieces pieces({16, 16, 32});
      const PNET_BUFFER_LIST original = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 20, 40);
      const PNET_BUFFER second = NdisAllocateNetBuffer(buffers, pieces.first(), 0, 64);
      NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(original)) = second;
      std::vector<PNET_BUFFER_LIST> clones;
      for (LONG count = 1; count <= 3; ++count) {
        const PNET_BUFFER_LIST clone = NdisAllocateCloneNetBufferList(original, own_pools ? nullptr : NDIS_HANDLE{pool},
                                                                      own_pools ? nullptr : buffers, flags);
        ASSERT_NE(clone, nullptr);
        EXPECT_EQ(clone->ParentNetBufferList, original);
        EXPECT_EQ(original->ChildRefCount, count);
        EXPECT_EQ(clone->Context, nullptr);
        const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(clone);
        EXPECT_EQ(data_of(buffer), data_of(NET_BUFFER_LIST_FIRST_NB(original)));
        EXPECT_EQ(data_of(NET_BUFFER_NEXT_NB(buffer)), pieces.memory());
        EXPECT_EQ(NdisGetDataBuffer(buffer, 4, nullptr, 1, 0), pieces.memory().data() + 20) << "the same bytes";
        EXPECT_EQ(NET_BUFFER_FIRST_MDL(buffer) == pieces.mdls()[1], flags != 0) << "the same descriptors";
        clones.push_back(clone);
      }
      for (const PNET_BUFFER_LIST clone : clones) NdisFreeCloneNetBufferList(clone, flags);
      EXPECT_EQ(original->ChildRefCount, 0);
      EXPECT_EQ(NET_BUFFER_FIRST_MDL(second), pieces.first());
      EXPECT_EQ(pieces.mdls()[0]->Next, pieces.mdls()[1]);
      EXPECT_EQ(data_of(second), pieces.memory());
      NdisFreeNetBuffer(second);
      NdisFreeNetBufferList(original);
    }
  }
  NdisFreeNetBufferPool(buffers);
}

// clauses: NDIS-217
TEST(Clones, FragmentsAndWhatIsPutTogetherShowTheSameBytes) {
  const ListPool pool(list_parameters(TRUE));
  Pieces pieces({50, 1, 60});
  const PNET_BUFFER_LIST original = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 0, 111);
  const PNET_BUFFER_LIST fragments = NdisAllocateFragmentNetBufferList(original, pool, nullptr, 11, 40, 8, 16, 0);
  ASSERT_NE(fragments, nullptr);
  EXPECT_EQ(original->ChildRefCount, 1);
  std::vector<ULONG> lengths;
  ULONG at = 11;
  for (PNET_BUFFER each = NET_BUFFER_LIST_FIRST_NB(fragments); each != nullptr; each = NET_BUFFER_NEXT_NB(each)) {
    lengths.push_back(NET_BUFFER_DATA_LENGTH(each));
    const auto bytes = data_of(each);
    EXPECT_TRUE(std::equal(bytes.begin() + 8, bytes.end(), pieces.memory().begin() + at));
    EXPECT_EQ(NET_BUFFER_DATA_OFFSET(each), 16U) << "room in front";
    at += 40;
  }
  EXPECT_EQ(lengths, (std::vector<ULONG>{48, 48, 28}));

  const PNET_BUFFER_LIST whole = NdisAllocateReassembledNetBufferList(fragments, nullptr, 8, 4, 0, 0);
  ASSERT_NE(whole, nullptr);
  const auto bytes = data_of(NET_BUFFER_LIST_FIRST_NB(whole));
  ASSERT_EQ(bytes.size(), 104U);
  EXPECT_TRUE(std::equal(bytes.begin() + 4, bytes.end(), pieces.memory().begin() + 11));
  NdisFreeReassembledNetBufferList(whole, 4, 0);
  NdisFreeFragmentNetBufferList(fragments, 8, 0);
  EXPECT_EQ(original->ChildRefCount, 0);
  EXPECT_EQ(data_of(NET_BUFFER_LIST_FIRST_NB(original)), pieces.memory());
  NdisFreeNetBufferList(original);
}

// clauses: NDIS-217
TEST(Clones, EachBufferIsFragmentedByItself) {
  const ListPool pool(list_parameters(TRUE));
  NET_BUFFER_POOL_PARAMETERS parameters = buffer_parameters();
  const NDIS_HANDLE buffers = NdisAllocateNetBufferPool(kOwner, &parameters);
  Pieces pieces({10, 20});
  const PNET_BUFFER_LIST original = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 4, 26);
  const PNET_BUFFER second = NdisAllocateNetBuffer(buffers, pieces.first(), 0, 6);
  NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(original)) = second;
  const auto lengths = [&](ULONG start, ULONG most) {
    const PNET_BUFFER_LIST made = NdisAllocateFragmentNetBufferList(original, nullptr, buffers, start, most, 0, 0, 0);
    EXPECT_NE(made, nullptr);
    EXPECT_EQ(made->ParentNetBufferList, original);
    EXPECT_EQ(made->Context, nullptr);
    std::vector<ULONG> all;
    for (PNET_BUFFER each = NET_BUFFER_LIST_FIRST_NB(made); each != nullptr; each = NET_BUFFER_NEXT_NB(each)) {
      all.push_back(NET_BUFFER_DATA_LENGTH(each));
    }
    NdisFreeFragmentNetBufferList(made, 0, 0);
    EXPECT_EQ(original->ChildRefCount, 0);
    return all;
  };
  EXPECT_EQ(lengths(0, 10), (std::vector<ULONG>{10, 10, 6, 6})) << "no fragment has bytes of two";
  EXPECT_EQ(lengths(5, 26), (std::vector<ULONG>{21, 1})) << "the start is left out of each";
  EXPECT_EQ(lengths(6, ~0U), (std::vector<ULONG>{20})) << "nothing is left of the second";
  EXPECT_EQ(lengths(~0U, 1), std::vector<ULONG>{});
  NET_BUFFER_DATA_LENGTH(second) = ~0U;
  EXPECT_EQ(lengths(26, 20), (std::vector<ULONG>{4})) << "no more than there is, whatever its length says";
  NET_BUFFER_DATA_LENGTH(second) = 6;

  const PNET_BUFFER_LIST fragments = NdisAllocateFragmentNetBufferList(original, pool, buffers, 0, 8, 4, 0, 0);
  const PNET_BUFFER_LIST nothing = NdisAllocateReassembledNetBufferList(fragments, pool, ~0U, 0, 0, 0);
  EXPECT_EQ(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(nothing)), 0U);
  EXPECT_EQ(fragments->ChildRefCount, 1);
  NdisFreeNetBufferList(nothing);  // not so
  NdisFreeReassembledNetBufferList(nothing, 0, 0);
  EXPECT_EQ(fragments->ChildRefCount, 0);
  EXPECT_EQ(NdisAllocateReassembledNetBufferList(fragments, buffers, 4, 0, 0, 0), nullptr) << "no pool of lists";
  EXPECT_EQ(fragments->ChildRefCount, 0);
  NdisFreeFragmentNetBufferList(fragments, ~0U, 0);  // another delta: no more than there is
  NdisFreeFragmentNetBufferList(fragments, 4, 0);
  EXPECT_EQ(original->ChildRefCount, 0);
  EXPECT_EQ(data_of(second), std::vector<unsigned char>(pieces.memory().begin(), pieces.memory().begin() + 6));
  NdisFreeNetBuffer(second);
  NdisFreeNetBufferList(original);
  NdisFreeNetBufferPool(buffers);
}

// clauses: NDIS-203
TEST(Contexts, AreTakenAndGivenBackInTurnAndUseTheRoomInFront) {
  const ListPool pool(list_parameters(FALSE, 0, 64));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 16, 48);
  ASSERT_NE(list, nullptr);
  const PNET_BUFFER_LIST_CONTEXT first = list->Context;
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_SIZE(list), 64);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list), first->ContextData + 48);
  std::memset(NET_BUFFER_LIST_CONTEXT_DATA_START(list), 1, 16);

  EXPECT_EQ(NdisAllocateNetBufferListContext(list, 48, 0, kTag), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(list->Context, first) << "there was room in front";
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list), first->ContextData);
  std::memset(NET_BUFFER_LIST_CONTEXT_DATA_START(list), 2, 48);

  EXPECT_EQ(NdisAllocateNetBufferListContext(list, 24, 8, kTag), NDIS_STATUS_SUCCESS);
  EXPECT_NE(list->Context, first);
  EXPECT_EQ(list->Context->Next, first);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_SIZE(list), 32);
  std::memset(NET_BUFFER_LIST_CONTEXT_DATA_START(list), 3, 24);
  EXPECT_EQ(NdisAllocateNetBufferListContext(list, 8, 0, kTag), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(list->Context->Next, first);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list)[8], 3);

  NdisFreeNetBufferListContext(list, 8);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list)[0], 3);
  NdisFreeNetBufferListContext(list, 24);
  EXPECT_EQ(list->Context, first);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list)[0], 2);
  NdisFreeNetBufferListContext(list, 48);
  EXPECT_EQ(NET_BUFFER_LIST_CONTEXT_DATA_START(list)[0], 1);
  NdisFreeNetBufferList(list);
}

// clauses: NDIS-204
TEST(VerifyingPoolsDeathTest, MakeUseAfterFreeAFault) {
  const ListPool pool(list_parameters(TRUE, 64, 0, NET_BUFFER_LIST_POOL_FLAG_VERIFY));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  ASSERT_NE(list, nullptr);
  std::memset(MmGetMdlVirtualAddress(NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(list))), 1, 64);
  NdisFreeNetBufferList(list);
  EXPECT_DEATH(static_cast<void>(static_cast<volatile NET_BUFFER_LIST*>(list)->Status), "");
  for (int count = 0; count < 100; ++count) {
    const PNET_BUFFER_LIST other = NdisAllocateNetBufferList(pool, 0, 0);
    ASSERT_NE(other, nullptr);
    EXPECT_TRUE(count > 60 || other != list) << "not at once";
    NdisFreeNetBufferList(other);
  }
}

TEST(NetBuffers, ListInfoAndFlagsAreCopiedAndSet) {
  const ListPool pool(list_parameters(FALSE));
  const PNET_BUFFER_LIST from = NdisAllocateNetBufferList(pool, 0, 0);
  const PNET_BUFFER_LIST to = NdisAllocateNetBufferList(pool, 0, 0);
  NDIS_NET_BUFFER_LIST_8021Q_INFO tag{};
  tag.TagHeader.UserPriority = 5;
  tag.TagHeader.VlanId = 100;
  NET_BUFFER_LIST_INFO(from, Ieee8021QNetBufferListInfo) = tag.Value;
  NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(from, from);
  NdisCopySendNetBufferListInfo(to, from);
  EXPECT_EQ(NET_BUFFER_LIST_INFO(to, Ieee8021QNetBufferListInfo), tag.Value);
  EXPECT_EQ(NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(to), from);
  NET_BUFFER_LIST_INFO(from, NetBufferListFrameType) = &owner;
  NdisCopyReceiveNetBufferListInfo(to, from);
  EXPECT_EQ(NET_BUFFER_LIST_INFO(to, NetBufferListFrameType), NDIS_HANDLE{&owner});
  NdisSetNblFlag(to, NDIS_NBL_FLAGS_IS_IPV4 | NDIS_NBL_FLAGS_IS_TCP);
  EXPECT_TRUE(NdisTestNblFlag(to, NDIS_NBL_FLAGS_IS_IPV4));
  EXPECT_TRUE(NdisTestNblFlags(to, NDIS_NBL_FLAGS_IS_IPV4 | NDIS_NBL_FLAGS_IS_TCP));
  NdisClearNblFlag(to, NDIS_NBL_FLAGS_IS_TCP);
  EXPECT_FALSE(NdisTestNblFlags(to, NDIS_NBL_FLAGS_IS_IPV4 | NDIS_NBL_FLAGS_IS_TCP));
  NdisFreeNetBufferList(from);
  NdisFreeNetBufferList(to);
}

// clauses: NDIS-223
TEST(NetBuffers, HashesHaveThreePartsThatLeaveEachOtherAlone) {
  const ListPool pool(list_parameters(FALSE));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  using Parts = std::array<ULONG, 3>;
  const auto parts = [&] {
    return Parts{static_cast<ULONG>(NET_BUFFER_LIST_GET_HASH_VALUE(list)), NET_BUFFER_LIST_GET_HASH_TYPE(list),
                 NET_BUFFER_LIST_GET_HASH_FUNCTION(list)};
  };
  EXPECT_EQ(parts(), (Parts{0, 0, 0}));
  NET_BUFFER_LIST_SET_HASH_VALUE(list, 0x89abcdefU);
  EXPECT_EQ(parts(), (Parts{0x89abcdefU, 0, 0}));
  NET_BUFFER_LIST_SET_HASH_TYPE(list, ~0U);
  EXPECT_EQ(parts(), (Parts{0x89abcdefU, NDIS_HASH_TYPE_MASK, 0})) << "no more than there is room for";
  NET_BUFFER_LIST_SET_HASH_FUNCTION(list, ~0U);
  EXPECT_EQ(parts(), (Parts{0x89abcdefU, NDIS_HASH_TYPE_MASK, NDIS_HASH_FUNCTION_MASK}));
  NET_BUFFER_LIST_SET_HASH_TYPE(list, NDIS_HASH_TCP_IPV6);
  NET_BUFFER_LIST_SET_HASH_FUNCTION(list, NdisHashFunctionToeplitz);
  EXPECT_EQ(parts(), (Parts{0x89abcdefU, NDIS_HASH_TCP_IPV6, NdisHashFunctionToeplitz}));
  const ULONG info = PtrToUlong(NET_BUFFER_LIST_INFO(list, NetBufferListHashInfo));
  EXPECT_EQ(info, NDIS_RSS_HASH_INFO_FROM_TYPE_AND_FUNC(NDIS_HASH_TCP_IPV6, NdisHashFunctionToeplitz));
  EXPECT_EQ(NDIS_RSS_HASH_TYPE_FROM_HASH_INFO(info), NDIS_HASH_TCP_IPV6);
  EXPECT_EQ(NDIS_RSS_HASH_FUNC_FROM_HASH_INFO(info), NdisHashFunctionToeplitz);
  NdisFreeNetBufferList(list);
}

// clauses: NDIS-224
TEST(NetBuffers, WhatWasCoalescedIsReadFromItsPlace) {
  const ListPool pool(list_parameters(FALSE));
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  EXPECT_EQ(NET_BUFFER_LIST_COALESCED_SEG_COUNT(list), 0);
  EXPECT_EQ(NET_BUFFER_LIST_DUP_ACK_COUNT(list), 0);
  NDIS_RSC_NBL_INFO info{};
  info.Info.CoalescedSegCount = 0xfffe;
  info.Info.DupAckCount = 3;
  NET_BUFFER_LIST_INFO(list, TcpRecvSegCoalesceInfo) = info.Value;
  EXPECT_EQ(NET_BUFFER_LIST_COALESCED_SEG_COUNT(list), 0xfffe);
  EXPECT_EQ(NET_BUFFER_LIST_DUP_ACK_COUNT(list), 3);
  NdisFreeNetBufferList(list);
}

// clauses: NDIS-219
TEST(NetBuffers, TimestampsAreKeptAndCopied) {
  const ListPool pool(list_parameters(TRUE));
  const PNET_BUFFER_LIST from = NdisAllocateNetBufferList(pool, 0, 0);
  const PNET_BUFFER_LIST to = NdisAllocateNetBufferList(pool, 0, 0);
  const auto time_of = [](PNET_BUFFER_LIST list) {
    NET_BUFFER_LIST_TIMESTAMP time{1};
    NdisGetNblTimestampInfo(list, &time);
    return time.Timestamp;
  };
  EXPECT_EQ(time_of(from), 0U);
  for (const ULONG64 at : {ULONG64{1}, ~ULONG64{0}, ULONG64{1} << 32, ULONG64{0}, ULONG64{77}}) {
    const NET_BUFFER_LIST_TIMESTAMP time{at};
    NdisSetNblTimestampInfo(from, &time);
    EXPECT_EQ(time_of(from), at);
    NdisCopyNblTimestampInfo(to, from);
    EXPECT_EQ(time_of(to), at);
  }
  for (const auto copy : {&NdisCopyReceiveNetBufferListInfo, &NdisCopySendNetBufferListInfo}) {
    const NET_BUFFER_LIST_TIMESTAMP none{};
    NdisSetNblTimestampInfo(to, &none);
    copy(to, from);
    EXPECT_EQ(time_of(to), 77U);
  }

  NET_BUFFER_LIST_TIMESTAMP time{5};
  NdisGetNblTimestampInfo(nullptr, &time);
  EXPECT_EQ(time.Timestamp, 0U);
  NdisGetNblTimestampInfo(from, nullptr);
  NdisSetNblTimestampInfo(nullptr, &time);
  NdisSetNblTimestampInfo(from, nullptr);
  NdisCopyNblTimestampInfo(nullptr, from);
  NdisCopyNblTimestampInfo(from, nullptr);
  EXPECT_EQ(time_of(from), 77U);

  NdisFreeNetBufferList(from);
  const PNET_BUFFER_LIST again = NdisAllocateNetBufferList(pool, 0, 0);
  EXPECT_EQ(time_of(again), 0U) << "whoever had it before";
  NdisFreeNetBufferList(again);
  NdisFreeNetBufferList(to);
}

TEST(NetBufferPools, BadInputIsRefused) {
  NET_BUFFER_LIST_POOL_PARAMETERS good = list_parameters(TRUE);
  EXPECT_EQ(NdisAllocateNetBufferListPool(nullptr, &good), nullptr);
  EXPECT_EQ(NdisAllocateNetBufferListPool(kOwner, nullptr), nullptr);
  const auto refused = [](auto&& change) {
    NET_BUFFER_LIST_POOL_PARAMETERS parameters = list_parameters(TRUE);
    change(parameters);
    return NdisAllocateNetBufferListPool(kOwner, &parameters) == nullptr;
  };
  EXPECT_TRUE(refused([](auto& p) { p.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST; }));
  EXPECT_TRUE(refused([](auto& p) { p.Header.Revision = 0; }));
  EXPECT_TRUE(refused([](auto& p) { p.Header.Size -= 1; }));
  EXPECT_TRUE(refused([](auto& p) { p.Header = {NDIS_OBJECT_TYPE_DEFAULT, 1, 15}; }));
  EXPECT_TRUE(refused([](auto& p) { p.ContextSize = 8; }));
  EXPECT_TRUE(refused([](auto& p) { p.DataSize = ~0U; }));
  EXPECT_TRUE(refused([](auto& p) { p.DataSize = 16, p.fAllocateNetBuffer = FALSE; }));
  NET_BUFFER_LIST_POOL_PARAMETERS newer = list_parameters(TRUE);
  newer.Header = {NDIS_OBJECT_TYPE_DEFAULT, 9, 4096};
  const NDIS_HANDLE of_newer = NdisAllocateNetBufferListPool(kOwner, &newer);
  EXPECT_NE(of_newer, nullptr) << "a newer revision counts as the newest known";
  NdisFreeNetBufferListPool(of_newer);

  NET_BUFFER_POOL_PARAMETERS parameters = buffer_parameters();
  EXPECT_EQ(NdisAllocateNetBufferPool(nullptr, &parameters), nullptr);
  EXPECT_EQ(NdisAllocateNetBufferPool(kOwner, nullptr), nullptr);
  parameters.Header.Size = 8;
  EXPECT_EQ(NdisAllocateNetBufferPool(kOwner, &parameters), nullptr);

  parameters = buffer_parameters();
  const NDIS_HANDLE buffers = NdisAllocateNetBufferPool(kOwner, &parameters);
  for (const NDIS_HANDLE bad : {NDIS_HANDLE{nullptr}, of_newer, buffers, NDIS_HANDLE{&good}, INVALID_HANDLE_VALUE}) {
    EXPECT_EQ(NdisAllocateNetBufferList(bad, 0, 0), nullptr);
    EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(bad, 0, 0, nullptr, 0, 0), nullptr);
    EXPECT_EQ(NdisAllocateNetBufferMdlAndData(bad), nullptr);
    NdisFreeNetBufferListPool(bad);
  }
  EXPECT_EQ(NdisAllocateNetBuffer(nullptr, nullptr, 0, 0), nullptr);
  EXPECT_EQ(NdisAllocateNetBuffer(buffers, nullptr, 1, 0), nullptr) << "no memory, no offset";
  EXPECT_EQ(NdisAllocateNetBuffer(buffers, nullptr, 0, 1), nullptr);
  NdisFreeNetBufferPool(nullptr);
  NdisFreeNetBufferPool(buffers);
  NdisFreeNetBufferPool(buffers);
}

TEST(NetBuffers, BadInputIsRefused) {
  const ListPool pool(list_parameters(TRUE));
  EXPECT_EQ(NdisAllocateNetBufferList(pool, 8, 0), nullptr);
  EXPECT_EQ(NdisAllocateNetBufferList(pool, 0, 8), nullptr);
  EXPECT_EQ(NdisAllocateNetBufferList(pool, 0xFFF0, 0xFFF0), nullptr);
  EXPECT_EQ(NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, nullptr, 1, 0), nullptr);
  Pieces pieces({64});
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, pieces.first(), 0, 64);
  const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);

  NdisFreeNetBufferList(nullptr);
  NdisFreeNetBufferList(reinterpret_cast<PNET_BUFFER_LIST>(&owner));
  NdisFreeNetBuffer(nullptr);
  NdisFreeNetBuffer(buffer);  // it came with its list
  NdisFreeCloneNetBufferList(nullptr, 0);
  NdisFreeCloneNetBufferList(list, 0);
  NdisFreeFragmentNetBufferList(list, 0, 0);
  NdisFreeReassembledNetBufferList(nullptr, 0, 0);
  const PNET_BUFFER_LIST clone = NdisAllocateCloneNetBufferList(list, pool, nullptr, 0);
  NdisFreeNetBufferList(clone);  // not so
  NdisFreeFragmentNetBufferList(clone, 0, 0);
  EXPECT_EQ(list->ChildRefCount, 1);
  NdisFreeCloneNetBufferList(clone, NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS);  // other flags: freed as it was made
  EXPECT_EQ(list->ChildRefCount, 0);
  NdisFreeCloneNetBufferList(clone, 0);
  EXPECT_EQ(list->ChildRefCount, 0);
  EXPECT_EQ(NdisAllocateCloneNetBufferList(nullptr, pool, nullptr, 0), nullptr);
  EXPECT_EQ(NdisAllocateCloneNetBufferList(list, &owner, nullptr, 0), nullptr);
  EXPECT_EQ(NdisAllocateFragmentNetBufferList(nullptr, pool, nullptr, 0, 1, 0, 0, 0), nullptr);
  EXPECT_EQ(NdisAllocateFragmentNetBufferList(list, pool, nullptr, 0, 0, 0, 0, 0), nullptr);
  EXPECT_EQ(NdisAllocateReassembledNetBufferList(nullptr, pool, 0, 0, 0, 0), nullptr);

  EXPECT_EQ(NdisAllocateNetBufferListContext(nullptr, 16, 0, 0), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisAllocateNetBufferListContext(list, 7, 0, 0), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisAllocateNetBufferListContext(list, 0xFFF8, 0xFFF8, 0), NDIS_STATUS_FAILURE);
  NdisFreeNetBufferListContext(nullptr, 16);
  NdisFreeNetBufferListContext(list, 16);

  EXPECT_EQ(NdisRetreatNetBufferDataStart(nullptr, 1, 0, nullptr), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisRetreatNetBufferDataStart(buffer, ~0U, 0, nullptr), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisRetreatNetBufferDataStart(buffer, 1, ~0U, nullptr), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisRetreatNetBufferDataStart(buffer, 16, 0, refuse_mdl), NDIS_STATUS_RESOURCES);
  EXPECT_EQ(NdisRetreatNetBufferListDataStart(nullptr, 1, 0, nullptr, nullptr), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisRetreatNetBufferListDataStart(list, 16, 0, refuse_mdl, nullptr), NDIS_STATUS_RESOURCES);
  NdisAdvanceNetBufferDataStart(nullptr, 1, TRUE, nullptr);
  NdisAdvanceNetBufferDataStart(buffer, 65, TRUE, nullptr);
  NdisAdvanceNetBufferListDataStart(nullptr, 1, TRUE, nullptr);
  NdisAdjustNetBufferCurrentMdl(nullptr);
  EXPECT_EQ(NET_BUFFER_DATA_LENGTH(buffer), 64U);
  EXPECT_EQ(NdisGetDataBuffer(nullptr, 1, nullptr, 1, 0), nullptr);
  ULONG copied = 0;
  EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(nullptr, 0, 1, buffer, 0, &copied), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(buffer, 0, 1, nullptr, 0, &copied), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisCopyFromNetBufferToNetBuffer(buffer, 0, 1, buffer, 0, nullptr), NDIS_STATUS_FAILURE);
  NdisCopySendNetBufferListInfo(nullptr, list);
  NdisCopyReceiveNetBufferListInfo(list, nullptr);
  EXPECT_EQ(NdisGetPoolFromNetBufferList(nullptr), nullptr);
  EXPECT_EQ(NdisGetPoolFromNetBuffer(nullptr), nullptr);
  EXPECT_EQ(NdisQueryNetBufferPhysicalCount(nullptr), 0U);
  EXPECT_GE(NdisQueryNetBufferPhysicalCount(buffer), 1U);
  EXPECT_EQ(NdisAllocateMdl(nullptr, &owner, 4), nullptr);
  EXPECT_EQ(NdisAllocateMdl(kOwner, nullptr, 4), nullptr);
  NdisFreeMdl(nullptr);
  NdisFreeMdl(reinterpret_cast<PMDL>(buffer));
  NdisAdjustMdlLength(nullptr, 4);

  NdisFreeNetBufferList(list);
  NdisFreeNetBufferList(list);
}

}  // namespace
