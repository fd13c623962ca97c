// Threads: one order of alerts for each client; departures that wait for callbacks; nobody waits for ever.
#include <atomic>
#include <condition_variable>
#include <random>
#include <thread>

#include "world.h"

namespace turnpike::mgm::testing {
namespace {

constexpr std::uint32_t kGroups = 4;

class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

Flow group(std::uint32_t i) { return {net::Address::ipv4(0xef010100 + i), net::Address()}; }

net::Address source_behind(std::uint32_t device) { return net::Address::ipv4(0x0a000009 + 0x100 * device); }

// What one client has been told: at any time, whether there are receivers elsewhere. Two joins in a row, or two prunes,
// would be out of order; and two callbacks at once would be.
class Watcher final : public Callbacks {
 public:
  void joined(const Flow& flow, bool) override { told(flow, 1); }
  void pruned(const Flow& flow, const InterfaceId&, bool, std::uint32_t&) override { told(flow, -1); }

  [[nodiscard]] int elsewhere(std::uint32_t i) const { return elsewhere_[i]; }
  std::atomic<int> wrong{0};

 private:
  void told(const Flow& flow, int change) {
    wrong += inside_.exchange(true) ? 1 : 0;
    int& state = elsewhere_[flow.group.ipv4_host() & 0xff];
    state += change;
    wrong += state < 0 || state > 1 ? 1 : 0;
    inside_ = false;
  }

  std::atomic<bool> inside_{false};
  std::array<int, kGroups> elsewhere_{};
};

class MgmThreads : public MgmWorld {};

TEST_F(MgmThreads, TellEachClientInOneOrder) {
  constexpr std::uint32_t kClients = 4;
  std::vector<Watcher*> watchers;
  std::vector<Handle> handles;
  for (std::uint32_t i = 0; i < kClients; ++i) {
    auto watcher = std::make_unique<Watcher>();
    watchers.push_back(watcher.get());
    handles.push_back(manager_->register_client({{100 + i, 0}, std::move(watcher), kAllCallbacks}).value());
    ASSERT_TRUE(manager_->take(handles.back(), on(i + 1)));
  }
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      std::minstd_rand random(i);
      for (int step = 0; step < 2000; ++step) {
        const Flow flow = group(static_cast<std::uint32_t>(random() % kGroups));
        const bool joins = random() % 2 == 0;
        const auto done = joins ? manager_->add(handles[i], flow, on(i + 1), kJoinState)
                                : manager_->remove(handles[i], flow, on(i + 1), kJoinState);
        ASSERT_TRUE(done);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::uint32_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(watchers[i]->wrong, 0);
    ASSERT_TRUE(manager_->release(handles[i], on(i + 1)));
  }
  for (std::uint32_t i = 0; i < kClients; ++i) {
    EXPECT_EQ(watchers[i]->wrong, 0);
    for (std::uint32_t g = 0; g < kGroups; ++g) {
      EXPECT_EQ(watchers[i]->elsewhere(g), 0);
    }
    ASSERT_TRUE(manager_->deregister_client(handles[i]));
  }
}

TEST_F(MgmThreads, DeparturesWaitForCallbacksInFlight) {
  Party a = party("a", 100);
  Party b = party("b", 101);
  a.take(on(1));
  Gate inside;
  Gate go_on;
  std::atomic<bool> returned = false;
  b->on_any = [&] {
    inside.open();
    go_on.wait();
    returned = true;
  };
  std::thread joiner([&] { a.add(group(1), 1); });
  inside.wait();
  std::thread opener([&] {
    while (manager_->start_groups(b, true)) {  // until its handle is refused: then it is leaving
      std::this_thread::yield();
    }
    go_on.open();
  });
  EXPECT_TRUE(manager_->deregister_client(b));
  EXPECT_TRUE(returned);
  joiner.join();
  opener.join();
  a.remove(group(1), 1);
  EXPECT_EQ(book_.read(), Lines{"b: join (*,239.1.1.1) member"});
}

TEST_F(MgmThreads, AClientThatHangsIsToldLater) {
  make({.patience = std::chrono::milliseconds(1)});
  Party a = party("a", 100);
  Party b = party("b", 101);
  const Party c = party("c", 102);
  ASSERT_TRUE(static_cast<Handle>(c) != Handle::kNone);
  a.take(on(1));
  Gate inside;
  Gate go_on;
  bool again = false;
  b->on_any = [&] {
    if (std::exchange(again, true)) return;
    inside.open();
    go_on.wait();
  };
  std::thread joiner([&] { a.add(group(1), 1); });
  inside.wait();
  a.add(group(2), 1);  // B is not told now; C is
  const Lines meanwhile = book_.read();
  EXPECT_EQ(meanwhile,
            (Lines{"b: join (*,239.1.1.1) member", "c: join (*,239.1.1.1) member", "c: join (*,239.1.1.2) member"}));
  EXPECT_EQ(manager_->status().alerts_left, 2U);
  go_on.open();
  joiner.join();
  EXPECT_EQ(book_.read(), Lines{"b: join (*,239.1.1.2) member"});
}

// Two clients whose callbacks tell each other, on two threads: whoever waited would wait for ever.
TEST_F(MgmThreads, CallbacksThatCallBackDoNotWait) {
  make({.patience = std::chrono::hours(1)});
  Party a = party("a", 100);
  Party b = party("b", 101);
  a.take(on(1));
  b.take(on(2));
  std::atomic<int> depth = 0;
  const auto answer = [&](Party& who, std::uint32_t device) {
    if (++depth < 1000) {
      const Flow flow = group(2 + static_cast<std::uint32_t>(depth.load()) % 2);
      static_cast<void>(manager_->add(who, flow, on(device), kJoinState));
      static_cast<void>(manager_->remove(who, flow, on(device), kJoinState));
    }
  };
  a->on_any = [&] { answer(a, 1); };
  b->on_any = [&] { answer(b, 2); };
  const auto work = [&](Party& who, std::uint32_t device) {
    for (int i = 0; i < 300; ++i) {
      who.add(group(device - 1), device);
      who.remove(group(device - 1), device);
    }
  };
  std::thread first([&] { work(a, 1); });
  std::thread second([&] { work(b, 2); });
  first.join();
  second.join();
  a.release(on(1));
  b.release(on(2));
  EXPECT_TRUE(manager_->deregister_client(a));
  EXPECT_TRUE(manager_->deregister_client(b));
}

// Everything at once: clients come, take, join, see packets, release, go; IGMP is switched; entries end.
TEST_F(MgmThreads, StandAStorm) {
  make({.timeout = 1});
  routes_.set("10.0.1.0/24", 1);
  routes_.set("10.0.2.0/24", 2);
  routes_.set("10.0.3.0/24", 3);
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      std::minstd_rand random(i + 1);
      const std::uint32_t protocol = i == 2 ? kIgmp : 100 + i;
      for (int life = 0; life < 40; ++life) {
        const Handle self =
            manager_->register_client({{protocol, 0}, std::make_unique<Watcher>(), kAllCallbacks}).value();
        for (int step = 0; step < 30; ++step) {
          const InterfaceId where = on(1 + static_cast<std::uint32_t>(random() % 3));
          Flow flow = group(static_cast<std::uint32_t>(random() % kGroups));
          if (random() % 3 == 0) flow.source = source_behind(1 + static_cast<std::uint32_t>(random() % 3));
          static_cast<void>(manager_->take(self, where));
          static_cast<void>(manager_->add(self, flow, where, 1 + static_cast<States>(random() % 3)));
          static_cast<void>(manager_->remove(self, flow, where, 1 + static_cast<States>(random() % 3)));
          static_cast<void>(manager_->add(self, flow, where, kJoinState));
          if (random() % 4 == 0) static_cast<void>(manager_->release(self, where));
        }
        for (std::uint32_t device = 1; device <= 3; ++device) static_cast<void>(manager_->release(self, on(device)));
        ASSERT_TRUE(manager_->deregister_client(self));
      }
    });
  }
  std::thread wire([&] {
    std::minstd_rand random(9);
    EntryImage image;
    while (!done) {
      const auto device = 1 + static_cast<std::uint32_t>(random() % 3);
      Flow flow = group(static_cast<std::uint32_t>(random() % kGroups));
      flow.source = source_behind(device);
      forwarder_.packet(*manager_, flow, net::InterfaceIndex(device), {});
      static_cast<void>(manager_->next_entry(nullptr, true, image));
      static_cast<void>(clock_.advance(std::chrono::milliseconds(100)));
      manager_->run_deadlines();
      manager_->routes_changed(net::parse_prefix("10.0.2.0/24").value());
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  wire.join();
  const Status status = manager_->status();
  EXPECT_EQ(status.clients + status.interfaces + status.memberships + status.entries, 0U);
  EXPECT_EQ(forwarder_.entries(), 0U);
  EXPECT_TRUE(forwarder_.devices().empty());
}

}  // namespace
}  // namespace turnpike::mgm::testing
