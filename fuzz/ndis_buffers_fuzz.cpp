// Any order of calls on packets, net buffers and lists, with any numbers, freed once, twice or never: every byte that a
// net buffer shows is memory of ours, what is freed twice is refused, and nothing is left but what we still hold.
#include <ndis.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

int owner;

void expect(bool kept) {
  if (!kept) std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  std::uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  ULONG number() {  // small ones mostly
    const std::uint8_t first = byte();
    return first < 240 ? first : first == 255 ? ~0U : ULONG{first} << (byte() % 24);
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

NDIS_HANDLE list_pool(ULONG data, USHORT context) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, 1, NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  parameters.fAllocateNetBuffer = TRUE;
  parameters.DataSize = data;
  parameters.ContextSize = context;
  return NdisAllocateNetBufferListPool(&owner, &parameters);
}

// Reads and writes every byte in use: the sanitizer's to judge.
void touch(PNET_BUFFER buffer) {
  PMDL mdl = NET_BUFFER_CURRENT_MDL(buffer);
  ULONG at = NET_BUFFER_CURRENT_MDL_OFFSET(buffer);
  for (ULONG left = NET_BUFFER_DATA_LENGTH(buffer); left != 0;) {
    expect(mdl != nullptr);
    if (at >= mdl->ByteCount) {
      mdl = mdl->Next;
      at = 0;
      continue;
    }
    ++static_cast<unsigned char*>(MmGetMdlVirtualAddress(mdl))[at++];
    --left;
  }
}

struct Lists {
  std::array<unsigned char, 512> memory{};
  std::array<NDIS_HANDLE, 2> pools{list_pool(0, 32), list_pool(128, 0)};
  PMDL mdls[2] = {NdisAllocateMdl(&owner, memory.data(), 100), NdisAllocateMdl(&owner, memory.data() + 200, 300)};
  std::vector<PNET_BUFFER_LIST> lists;
  PNET_BUFFER_LIST stale = nullptr;

  Lists() { mdls[0]->Next = mdls[1]; }
  ~Lists() {
    for (const PNET_BUFFER_LIST list : lists) NdisFreeNetBufferList(list);
    for (const NDIS_HANDLE pool : pools) NdisFreeNetBufferListPool(pool);
    NdisFreeMdl(mdls[0]);
    NdisFreeMdl(mdls[1]);
  }

  void make(Input& input) {
    const ULONG offset = input.byte();
    const PNET_BUFFER_LIST made =
        input.byte() % 2 == 0
            ? NdisAllocateNetBufferAndNetBufferList(pools[0], input.byte(), input.byte(), mdls[0], offset, 400 - offset)
            : NdisAllocateNetBufferList(pools[1], input.byte(), input.byte());
    if (made != nullptr) lists.push_back(made);
  }

  void use(Input& input) {
    const PNET_BUFFER_LIST list = lists[input.byte() % lists.size()];
    const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list);
    const ULONG number = input.number();
    switch (input.byte() % 8) {
      case 0:
        if (number + NET_BUFFER_DATA_LENGTH(buffer) < 100'000) {
          NdisRetreatNetBufferDataStart(buffer, number, input.number() % 5000, nullptr);
        }
        break;
      case 1:
        NdisAdvanceNetBufferDataStart(buffer, number, input.byte() % 2, nullptr);
        break;
      case 2: {
        std::vector<unsigned char> storage(number % 2000);
        const PVOID data = NdisGetDataBuffer(buffer, number % 2000, storage.data(), 1U << number % 8, input.byte());
        expect(data != nullptr || storage.empty() || storage.size() > NET_BUFFER_DATA_LENGTH(buffer));
        break;
      }
      case 3: {
        ULONG copied = ~0U;
        const PNET_BUFFER other = NET_BUFFER_LIST_FIRST_NB(lists[input.byte() % lists.size()]);
        NdisCopyFromNetBufferToNetBuffer(buffer, input.number(), input.number(), other, number, &copied);
        expect(copied <= NET_BUFFER_DATA_LENGTH(other));
        break;
      }
      case 4:
        NdisAllocateNetBufferListContext(list, static_cast<USHORT>(number), input.byte(), 0);
        break;
      case 5:
        NdisFreeNetBufferListContext(list, static_cast<USHORT>(number));
        break;
      case 6: {
        const ULONG flags = number % 2 * NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS;
        const PNET_BUFFER_LIST clone = NdisAllocateCloneNetBufferList(list, nullptr, nullptr, flags);
        expect(clone != nullptr &&
               NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(clone)) == NET_BUFFER_DATA_LENGTH(buffer));
        touch(NET_BUFFER_LIST_FIRST_NB(clone));
        NdisFreeCloneNetBufferList(clone, input.byte() % 4);
        expect(list->ChildRefCount == 0);
        break;
      }
      default: {
        const PNET_BUFFER_LIST parts = NdisAllocateFragmentNetBufferList(
            list, nullptr, nullptr, number, 1 + input.number() % 500, input.byte(), input.byte(), 0);
        expect(parts != nullptr);
        for (PNET_BUFFER part = NET_BUFFER_LIST_FIRST_NB(parts); part != nullptr; part = NET_BUFFER_NEXT_NB(part)) {
          touch(part);
        }
        NdisFreeFragmentNetBufferList(parts, input.byte(), 0);
        NdisFreeFragmentNetBufferList(parts, 0, 0);
      }
    }
    touch(buffer);
  }

  void free_one(Input& input) {
    const std::size_t which = input.byte() % lists.size();
    stale = lists[which];
    NdisFreeNetBufferList(stale);
    lists.erase(lists.begin() + static_cast<std::ptrdiff_t>(which));
    if (input.byte() % 4 == 0) NdisFreeNetBufferList(stale);
    NdisFreeNetBuffer(reinterpret_cast<PNET_BUFFER>(memory.data() + input.byte()));
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Lists lists;
  for (int step = 0; step < 200 && !input.empty(); ++step) {
    const std::uint8_t what = input.byte() % 4;
    if (lists.lists.empty() || (what == 0 && lists.lists.size() < 16)) {
      lists.make(input);
    } else if (what == 3) {
      lists.free_one(input);
    } else {
      lists.use(input);
    }
  }
  return 0;
}
