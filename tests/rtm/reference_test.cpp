// References: exact for each client, whatever spills, and however threads share them.
#include "rtm/reference.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace turnpike::rtm {
namespace {

using Dropped = References::Dropped;
constexpr std::uint64_t kId = References::id(Kind::kRoute, 5);

TEST(References, AClientDropsWhatItTook) {
  References references;
  ReferenceWord word;
  word.begin(3);
  EXPECT_TRUE(references.take(word, kId, 1, 3));
  EXPECT_TRUE(references.take(word, kId, 1, 3));
  EXPECT_EQ(references.drop(word, kId, 2, 3), Dropped::kNone);
  EXPECT_EQ(references.drop(word, kId, 1, 3), Dropped::kOne);
  EXPECT_EQ(references.drop(word, kId, 1, 3), Dropped::kOne) << "the table still needs it";
  EXPECT_EQ(references.drop(word, kId, 1, 3), Dropped::kNone);
  EXPECT_TRUE(word.unroot());
  EXPECT_FALSE(references.take(word, kId, 1, 3)) << "dead";
}

TEST(References, TheLastReferenceOfWhatIsNotNeededEndsIt) {
  References references;
  ReferenceWord word;
  word.begin(1);
  ASSERT_TRUE(references.take(word, kId, 1, 1));
  EXPECT_FALSE(word.unroot());
  EXPECT_EQ(references.drop(word, kId, 1, 1), Dropped::kLast);
}

TEST(References, OtherGenerationsAreRefused) {
  References references;
  ReferenceWord word;
  word.begin(1);
  word.unroot();
  word.end();
  EXPECT_EQ(word.generation(), 2U);
  word.begin(word.generation());
  EXPECT_FALSE(references.take(word, kId, 1, 1));
  EXPECT_TRUE(references.take(word, kId, 1, 2));
  EXPECT_EQ(references.drop(word, kId, 1, 1), Dropped::kNone);
}

// Few clients and long runs, so that words spill by their number and by their counts, and come back.
TEST(References, EveryCountIsTheModels) {
  References references;
  ReferenceWord word;
  word.begin(1);
  std::mt19937 random(1);
  std::vector<std::uint64_t> model(6, 0);
  for (int step = 0; step < 60000; ++step) {
    const auto client = static_cast<ClientIndex>(1 + random() % 5);
    const bool up = (step / 15000) % 2 == 0 ? random() % 4 != 0 : random() % 4 == 0;
    const int times = random() % 64 == 0 ? 300 : 1;
    for (int i = 0; i < times; ++i) {
      if (up) {
        ASSERT_TRUE(references.take(word, kId, client, 1));
        ++model[client];
      } else {
        ASSERT_EQ(references.drop(word, kId, client, 1), model[client] != 0 ? Dropped::kOne : Dropped::kNone);
        model[client] -= model[client] != 0 ? 1 : 0;
      }
    }
    std::uint64_t sum = 0;
    for (ClientIndex each = 1; each <= 5; ++each) {
      ASSERT_EQ(references.held_by(word, kId, each), model[each]);
      sum += model[each];
    }
    ASSERT_EQ(references.held(word), sum);
  }
}

TEST(References, ManyAtOnce) {
  References references;
  ReferenceWord word;
  word.begin(1);
  const auto drop_many = [&](ClientIndex client, std::uint64_t count) {
    return references.drop(word, kId, client, 1, count);
  };
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(references.take(word, kId, 4, 1));
  }
  EXPECT_EQ(drop_many(4, 3001), Dropped::kNone);
  EXPECT_EQ(drop_many(4, 2500), Dropped::kOne);
  EXPECT_EQ(references.held_by(word, kId, 4), 500U);
  EXPECT_EQ(drop_many(4, 500), Dropped::kOne);
}

TEST(ReferencesThreads, NoneIsLostAndNoneTooMany) {
  References references;
  ReferenceWord word;
  word.begin(1);
  std::vector<std::thread> threads;
  for (ClientIndex client = 1; client <= 4; ++client) {
    threads.emplace_back([&, client] {
      for (int round = 0; round < 20000; ++round) {
        ASSERT_TRUE(references.take(word, kId, client, 1));
        ASSERT_NE(references.drop(word, kId, client, 1), Dropped::kNone);
      }
      ASSERT_TRUE(references.take(word, kId, client, 1));
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (ClientIndex client = 1; client <= 4; ++client) {
    EXPECT_EQ(references.held_by(word, kId, client), 1U);
  }
}

TEST(EntityReferences, ARefusalIsExact) {
  EntityReferences references;
  references.take(9);
  std::thread([&] { references.take(9); }).join();  // in another stripe
  EXPECT_EQ(references.held(9), 2U);
  EXPECT_FALSE(references.drop(9, 3));
  EXPECT_TRUE(references.drop(9, 2));
  EXPECT_FALSE(references.drop(9));
  EXPECT_FALSE(references.drop(8));
}

// Each thread drops what its neighbour took.
TEST(EntityReferencesThreads, AReferenceMayChangeThreads) {
  EntityReferences references;
  constexpr int kRounds = 5000;
  std::atomic<int> held{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        references.take(1);
        held.fetch_add(1);
      }
    });
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds;) {
        int now = held.load();
        if (now == 0) {
          std::this_thread::yield();
        } else if (held.compare_exchange_weak(now, now - 1)) {
          ASSERT_TRUE(references.drop(1));
          ++round;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(references.held(1), 0U);
}

}  // namespace
}  // namespace turnpike::rtm
