// Pools that many threads take from and give back to, while they are made and freed, and while somebody frees what is
// not his. Under ThreadSanitizer.
#include <gtest/gtest.h>
#include <ndis.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace {

TEST(PoolsThreads, TakeGiveBackAndEndAtTheSameTime) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 3000;
  std::array<std::atomic<NDIS_HANDLE>, 2> pools{};
  for (auto& pool : pools) {
    NDIS_STATUS status = -1;
    NDIS_HANDLE handle = nullptr;
    NdisAllocatePacketPool(&status, &handle, 200, 32);
    pool = handle;
  }
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      std::mt19937 random(static_cast<unsigned>(number));
      std::vector<PNDIS_PACKET> mine;
      PNDIS_PACKET stale = nullptr;
      for (int round = 0; round < kRounds; ++round) {
        if (random() % 2 == 0 || mine.empty()) {
          NDIS_STATUS status = -1;
          PNDIS_PACKET packet = nullptr;
          NdisAllocatePacket(&status, &packet, pools[random() % 2]);
          if (status == NDIS_STATUS_SUCCESS) mine.push_back(packet);
        } else {
          stale = mine.back();
          NdisFreePacket(stale);
          mine.pop_back();
        }
        if (number == 0 && round % 100 == 0) {  // another pool in its place; its packets live on
          NDIS_STATUS status = -1;
          NDIS_HANDLE handle = nullptr;
          NdisAllocatePacketPool(&status, &handle, 200, 32);
          NdisFreePacketPool(pools[random() % 2].exchange(handle));
        }
        NdisGetPoolFromPacket(PNDIS_PACKET{nullptr});
      }
      for (const PNDIS_PACKET each : mine) NdisFreePacket(each);
    });
  }
  for (auto& thread : threads) thread.join();
  for (auto& pool : pools) {
    EXPECT_EQ(NdisPacketPoolUsage(pool), 0U);
    NdisFreePacketPool(pool);
  }
}

}  // namespace
