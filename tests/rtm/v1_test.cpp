// RTMv1's engine where the C face does not reach: the queue of messages by itself, and memory that runs out in the
// middle of a call.
#include "rtm/v1.h"

#include <string>
#include <vector>

#include "../base/scarce_memory.h"
#include "manual_port.h"

namespace turnpike::rtm {
namespace {

// --- the queue

/// A queue of four, and messages named by their metrics: 0 is no route.
class V1Messages : public ::testing::Test {
 protected:
  ~V1Messages() override {
    while (queue_.size() != 0) {
      pop();
    }
    for (V1Snapshot* each : made_) {
      snapshots_.drop(each);  // what the test itself held
    }
  }
  V1Snapshot* snapshot(std::uint32_t metric) {
    if (metric == 0) {
      return nullptr;
    }
    V1Route route;
    route.specific.metric = metric;
    V1Snapshot* made = snapshots_.make(route);
    ++made->holders;
    made_.push_back(made);
    return made;
  }
  int push(std::uint32_t destination, std::uint32_t previous, std::uint32_t current) {
    EXPECT_TRUE(queue_.reserve(destination + 1));
    return queue_.push({snapshot(previous), snapshot(current), destination}, snapshots_);
  }
  static std::string metric_of(const V1Snapshot* snapshot) {
    return snapshot == nullptr ? "-" : std::to_string(snapshot->route.specific.metric);
  }
  std::string pop() {
    const V1Queue::Message message = queue_.pop();
    const std::string text =
        std::to_string(message.destination) + ":" + metric_of(message.previous) + ">" + metric_of(message.current);
    snapshots_.drop(message.previous);
    snapshots_.drop(message.current);
    return text;
  }
  std::vector<std::string> all() {
    std::vector<std::string> texts;
    while (queue_.size() != 0) {
      texts.push_back(pop());
    }
    return texts;
  }
  V1Snapshots snapshots_;
  V1Queue queue_{4};
  std::vector<V1Snapshot*> made_;
};
using Texts = std::vector<std::string>;

TEST_F(V1Messages, ComeInOrder) {
  EXPECT_EQ(push(7, 0, 1), 1);
  EXPECT_EQ(push(8, 0, 2), 1);
  EXPECT_EQ(push(7, 1, 3), 1);
  EXPECT_EQ(push(5000, 0, 4), 1);
  EXPECT_EQ(all(), (Texts{"7:->1", "8:->2", "7:1>3", "5000:->4"}));
  push(7, 3, 5);
  EXPECT_EQ(all(), (Texts{"7:3>5"}));
  EXPECT_EQ(queue_.merged(), 0U);
}

TEST_F(V1Messages, BeyondTheLimitTheOldestOfTheNetworkMerge) {
  push(7, 1, 2);
  push(8, 0, 9);
  push(7, 2, 3);
  push(7, 3, 4);
  EXPECT_EQ(push(7, 4, 5), 0);
  EXPECT_EQ(all(), (Texts{"8:->9", "7:1>3", "7:3>4", "7:4>5"}));
  EXPECT_EQ(queue_.merged(), 1U);
}

TEST_F(V1Messages, ANetworkThatHasNoOtherIsKept) {
  for (std::uint32_t destination = 1; destination <= 20; ++destination) {
    EXPECT_EQ(push(destination, 0, destination), 1);
  }
  EXPECT_EQ(push(3, 3, 30), 0);
  EXPECT_EQ(queue_.size(), 20U);
}

TEST_F(V1Messages, WhatCameAndWentLeavesNothing) {
  for (std::uint32_t i = 1; i <= 4; ++i) {
    push(i, 0, i);
  }
  EXPECT_EQ(push(2, 2, 0), -1);
  EXPECT_EQ(all(), (Texts{"1:->1", "3:->3", "4:->4"}));
}

TEST_F(V1Messages, TheMemoryOfALongAbsenceGoes) {
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    push(i, 0, i);
  }
  EXPECT_GT(queue_.bytes(), 5000U * 32);
  EXPECT_EQ(queue_.shed().first.size(), 0U) << "while it is in use";
  all();
  EXPECT_GE(queue_.shed().first.size(), 5000U);
  EXPECT_EQ(queue_.bytes(), 0U);
  EXPECT_EQ(push(1, 0, 1), 1);
  EXPECT_EQ(all(), (Texts{"1:->1"}));
}

// --- a table that runs out of memory

class V1Memory : public ::testing::Test {
 protected:
  Handle client(std::uint32_t protocol, bool listens = true) {
    const auto made = v1().register_client(
        protocol, false, listens ? [this](bool set) { signalled_ = set; } : std::function<void(bool)>());
    EXPECT_TRUE(made);
    return *made;
  }
  V1& v1() { return table_.table->v1(); }
  static V1Route route(std::uint32_t network, std::uint32_t hop = 1, std::uint32_t metric = 1) {
    V1Route made;
    made.network = __builtin_bswap32(network << 8);
    made.mask = 0x00ffffff;
    made.hop[0] = hop;
    made.specific.metric = metric;
    return made;
  }
  /// Everything that a failed call must have left alone.
  std::vector<std::uint64_t> state() {
    const Statistics all = table_.table->statistics();
    std::vector<std::uint64_t> state{all.destinations,     all.routes,    all.next_hops,        all.live_routes,
                                     all.entities,         all.deadlines, v1().network_count(), v1().lost(),
                                     signalled_ ? 1U : 0U, v1().cursors()};
    V1Route at;
    for (auto found = v1().first_route(0, at); found; found = v1().next_route(0, at)) {
      state.insert(state.end(), {at.network, at.hop[0], at.specific.metric, at.stamp.low});
    }
    return state;
  }
  /// Runs call() with ever more memory until it succeeds; each failure must be kExhausted and change nothing. How often
  /// it failed.
  template <class Call>
  int until_it_succeeds(Call&& call) {
    for (int allowed = 0;; ++allowed) {
      const auto before = state();
      ErrorKind kind = ErrorKind::kInternal;
      bool done = false;
      try {
        const NoMemory after(allowed);
        const auto result = call();
        done = result.has_value();
        kind = done ? kind : result.error().kind;
      } catch (const std::bad_alloc&) {
        kind = ErrorKind::kExhausted;
      }
      if (done) {
        return allowed;
      }
      EXPECT_EQ(kind, ErrorKind::kExhausted) << "with " << allowed << " allocations";
      EXPECT_EQ(state(), before) << "with " << allowed << " allocations";
      if (allowed > 1000) {
        ADD_FAILURE() << "it never succeeds";
        return allowed;
      }
    }
  }

  TestTable table_;
  bool signalled_ = false;
};

TEST_F(V1Memory, AddingChangesNothingOrEverything) {
  const Handle rip = client(8);
  client(13);
  V1Change change;
  EXPECT_GT(until_it_succeeds([&] { return v1().add_route(rip, route(0x0a0000), 1000, change); }), 0);
  EXPECT_EQ(change.what, v1::kCurrent);
  EXPECT_TRUE(signalled_);
  until_it_succeeds([&] { return v1().add_route(rip, route(0x0a0000, 2), 1000, change); });
  until_it_succeeds([&] { return v1().add_route(rip, route(0x0a0000, 1, 9), kInfinite, change); });
  EXPECT_EQ(change.what, v1::kCurrent | v1::kPrevious);
  for (std::uint32_t i = 1; i < 100; ++i) {
    until_it_succeeds([&] { return v1().add_route(rip, route(0x0a0000 + i, i), 1000, change); });
    ASSERT_TRUE(v1().add_route(rip, route(0x0b0000 + i), kInfinite, change));  // with memory, so the limbo is emptied
  }
  EXPECT_EQ(v1().network_count(), 199U);
  EXPECT_EQ(v1().lost(), 0U);
}

TEST_F(V1Memory, DeletingChangesNothingOrEverything) {
  const Handle rip = client(8);
  client(13);
  V1Change change;
  for (std::uint32_t i = 0; i < 60; ++i) {
    ASSERT_TRUE(v1().add_route(rip, route(0x0a0000 + i), 1000, change));
  }
  for (std::uint32_t i = 61; i < 1024; ++i) {  // the queue's first page is full: the next message needs another
    ASSERT_TRUE(v1().add_route(rip, route(0x0a0000, 1, i), 1000, change));
  }
  EXPECT_GT(until_it_succeeds([&] { return v1().delete_route(rip, route(0x0a0000), change); }), 0);
  for (std::uint32_t i = 1; i < 40; ++i) {
    until_it_succeeds([&] { return v1().delete_route(rip, route(0x0a0000 + i), change); });
  }
  EXPECT_EQ(v1().network_count(), 20U);
  EXPECT_EQ(v1().lost(), 0U);
  until_it_succeeds([&] { return v1().delete_routes(rip, 0, V1Route()); });
  EXPECT_EQ(v1().network_count(), 0U);
}

TEST_F(V1Memory, ComingAndReadingChangeNothingOrEverything) {
  EXPECT_GT(until_it_succeeds([&] { return v1().register_client(8, false, [](bool) {}); }), 0);
  const Handle ospf = client(13);
  V1Change change;
  ASSERT_TRUE(v1().add_route(ospf, route(0x0a0000), kInfinite, change));
  Handle enumeration = Handle::kNone;
  EXPECT_GT(until_it_succeeds([&] {
              auto made = v1().create_enumeration(0, V1Route());
              enumeration = made.value_or(Handle::kNone);
              return made;
            }),
            0);
  V1Route found;
  EXPECT_GT(until_it_succeeds([&] { return v1().first_route(0, found); }), 0);
  until_it_succeeds([&] { return v1().enumerate(enumeration, found); });
  EXPECT_EQ(v1().close_enumeration(enumeration).has_value(), true);
}

// A departure must not fail for want of memory, nor an ageing: they go through, and what could not be told is counted.
// (Few routes: with many the table would give up memory that it cannot remember to free, limbo.h.)
TEST_F(V1Memory, DeparturesAndAgeingGoThrough) {
  const Handle rip = client(8, false);
  const Handle ospf = client(13);
  const Handle other = client(99, false);
  V1Change change;
  for (std::uint32_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(v1().add_route(rip, route(0x0a0000 + i), kInfinite, change));
    ASSERT_TRUE(v1().add_route(other, route(0x0b0000 + i), 1000, change));
  }
  while (v1().dequeue(ospf, change)) {
  }
  {
    const NoMemory none;
    EXPECT_TRUE(table_.table->deregister_entity(rip));
  }
  EXPECT_EQ(table_.table->deregister_entity(rip).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(v1().network_count(), 10U);
  {
    const NoMemory none;
    table_.pass(1001);
  }
  EXPECT_EQ(v1().network_count(), 0U);
  std::uint64_t told = 0;
  while (v1().dequeue(ospf, change)) {
    ++told;
  }
  EXPECT_EQ(told + v1().lost(), 20U);
  EXPECT_FALSE(signalled_);
  EXPECT_EQ(table_.table->statistics().routes, 0U);
  EXPECT_EQ(table_.table->statistics().next_hops, 0U);
}

// A table of RTMv1 routes is described whole by RTMv2's figures.
TEST_F(V1Memory, WhatARouteCosts) {
  const Handle rip = client(8, false);
  V1Change change;
  for (std::uint32_t i = 0; i < 100000; ++i) {
    ASSERT_TRUE(v1().add_route(rip, route(i), kInfinite, change));
  }
  EXPECT_LT(v1().bytes(), 100000U * 90) << "64 a route, and what is left of the last step";
  ASSERT_TRUE(table_.table->deregister_entity(rip));
  EXPECT_EQ(table_.table->statistics().routes, 0U);
}

}  // namespace
}  // namespace turnpike::rtm
