// What a packet, a net buffer list and the moving of its data's beginning cost, beside malloc and free of as many bytes
// in the same run. Each figure is for a pair: taken and given back, retreated and advanced.
#include <benchmark/benchmark.h>
#include <ndis.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace {

int owner;

NDIS_HANDLE packet_pool() {
  static const NDIS_HANDLE pool = [] {
    NDIS_STATUS status = 0;
    NDIS_HANDLE made = nullptr;
    NdisAllocatePacketPool(&status, &made, 0xFFFF, 4 * sizeof(PVOID));
    return made;
  }();
  return pool;
}
NDIS_HANDLE list_pool(ULONG data) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_DEFAULT, 1, NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  parameters.fAllocateNetBuffer = TRUE;
  parameters.DataSize = data;
  return NdisAllocateNetBufferListPool(&owner, &parameters);
}

void malloc_and_free(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    void* const memory = std::calloc(1, size);
    benchmark::DoNotOptimize(memory);
    std::free(memory);
  }
}
BENCHMARK(malloc_and_free)->Arg(264)->Arg(480);

void packet(benchmark::State& state) {
  const NDIS_HANDLE pool = packet_pool();
  for (auto _ : state) {
    NDIS_STATUS status = 0;
    PNDIS_PACKET one = nullptr;
    NdisAllocatePacket(&status, &one, pool);
    benchmark::DoNotOptimize(one);
    NdisFreePacket(one);
  }
}
BENCHMARK(packet)->Threads(1)->Threads(2);

void buffer(benchmark::State& state) {
  NDIS_STATUS status = 0;
  NDIS_HANDLE pool = nullptr;
  NdisAllocateBufferPool(&status, &pool, 1);
  std::array<char, 64> memory{};
  for (auto _ : state) {
    PNDIS_BUFFER one = nullptr;
    NdisAllocateBuffer(&status, &one, pool, memory.data(), 64);
    benchmark::DoNotOptimize(one);
    NdisFreeBuffer(one);
  }
  NdisFreeBufferPool(pool);
}
BENCHMARK(buffer);

void list_with_net_buffer(benchmark::State& state) {
  const NDIS_HANDLE pool = list_pool(static_cast<ULONG>(state.range(0)));
  for (auto _ : state) {
    const PNET_BUFFER_LIST one = NdisAllocateNetBufferList(pool, 0, 0);
    benchmark::DoNotOptimize(one);
    NdisFreeNetBufferList(one);
  }
  NdisFreeNetBufferListPool(pool);
}
BENCHMARK(list_with_net_buffer)->Arg(0)->Arg(1514);

void retreat_and_advance(benchmark::State& state) {
  const NDIS_HANDLE pool = list_pool(256);
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  const PNET_BUFFER one = NET_BUFFER_LIST_FIRST_NB(list);
  const auto delta = static_cast<ULONG>(state.range(0));
  for (auto _ : state) {
    NdisRetreatNetBufferDataStart(one, delta, 0, nullptr);
    NdisAdvanceNetBufferDataStart(one, delta, TRUE, nullptr);
  }
  NdisFreeNetBufferList(list);
  NdisFreeNetBufferListPool(pool);
}
BENCHMARK(retreat_and_advance)->Arg(14)->Arg(300);

void clone(benchmark::State& state) {
  const NDIS_HANDLE pool = list_pool(0);
  std::array<char, 1514> memory{};
  const PMDL mdl = NdisAllocateMdl(&owner, memory.data(), 1514);
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, mdl, 0, 1514);
  const auto flags = static_cast<ULONG>(state.range(0));
  for (auto _ : state) {
    const PNET_BUFFER_LIST one = NdisAllocateCloneNetBufferList(list, pool, nullptr, flags);
    benchmark::DoNotOptimize(one);
    NdisFreeCloneNetBufferList(one, flags);
  }
  NdisFreeNetBufferList(list);
  NdisFreeMdl(mdl);
  NdisFreeNetBufferListPool(pool);
}
BENCHMARK(clone)->Arg(0)->Arg(NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS);

}  // namespace
