// When what a driver has sent comes back to it at once.
#include "ndis/haste.h"

#include <gtest/gtest.h>

namespace turnpike::ndis {
namespace {

// A driver that has `window` packets, sends `burst` of them a call, and goes on when they come back: how many are out
// when they are hurried, 0 if it has to wait for the worker's rest to end.
std::uint32_t hurried_at(Haste& haste, std::uint32_t window, std::uint32_t burst) {
  for (std::uint32_t out = burst; out <= window; out += burst) {
    if (!haste.wanted(out)) continue;
    haste.come_back(out);
    return out;
  }
  haste.come_back(window - window % burst);
  return 0;
}

TEST(Haste, IsForWhoWaitsForWhatItHasSent) {
  for (const std::uint32_t window : {1U, 10U, 32U, 60U}) {
    Haste haste;
    for (int round = 0; round < 4; ++round) hurried_at(haste, window, 1);
    for (int round = 0; round < 100; ++round) EXPECT_NE(hurried_at(haste, window, 1), 0U) << window;
  }
}

TEST(Haste, FollowsADriverThatHasLessOrMoreToSendThanBefore) {
  Haste haste;
  for (const std::uint32_t window : {48U, 6U, 30U}) {
    for (int round = 0; round < 4; ++round) hurried_at(haste, window, window);
    EXPECT_EQ(hurried_at(haste, window, window), window);
  }
}

// It sends on while the worker wakes up, so it does not wait; and what is out then grows until it is a batch.
TEST(Haste, LeavesWhoSendsWithoutAPauseAlone) {
  Haste haste;
  int hurried = 0;
  for (std::uint32_t out = 0, call = 0; call < 1000; ++call) {
    out += 4;
    if (!haste.wanted(out) && out < 2 * Haste::kBatch) continue;
    hurried += haste.wanted(out) ? 1 : 0;
    haste.come_back(out + 8);
    out = 0;
  }
  EXPECT_LT(hurried, 10);
}

TEST(Haste, IsNotForAWholeBatch) {
  Haste haste;
  EXPECT_TRUE(haste.wanted(Haste::kBatch - 1));
  EXPECT_FALSE(haste.wanted(Haste::kBatch));
}

}  // namespace
}  // namespace turnpike::ndis
