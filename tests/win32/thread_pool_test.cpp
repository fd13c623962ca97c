#include "win32/threads/thread_pool.h"

#include <rtutils.h>

#include <array>
#include <atomic>
#include <mutex>
#include <set>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

using WorkItems = NoHandleLeft;

DWORD WINAPI set_event(LPVOID event) {
  SetEvent(event);
  return 0;
}

TEST_F(WorkItems, RunOnce) {
  std::atomic<int> calls{0};
  const auto count = [](LPVOID where) -> DWORD {
    ++*static_cast<std::atomic<int>*>(where);
    return 0;
  };
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(QueueUserWorkItem(count, &calls, WT_EXECUTEDEFAULT));
  }
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls, 1000);
}

TEST_F(WorkItems, BadArguments) {
  EXPECT_FALSE(QueueUserWorkItem(nullptr, nullptr, 0));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_FALSE(QueueUserWorkItem(set_event, nullptr, WT_EXECUTEINTIMERTHREAD));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  const OwnedHandle done = auto_event();
  ULONG flags = WT_EXECUTELONGFUNCTION | WT_TRANSFER_IMPERSONATION;
  EXPECT_TRUE(QueueUserWorkItem(set_event, done, WT_SET_MAX_THREADPOOL_THREADS(flags, 1000)));
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
}

// Each waits for the one queued after it: only a pool that grows beyond its eager workers ends this.
TEST_F(WorkItems, ThatBlockDoNotStarveTheOthers) {
  constexpr int kItems = 24;
  std::vector<OwnedHandle> events;
  for (int i = 0; i <= kItems; ++i) {
    events.push_back(auto_event());
  }
  struct Link {
    HANDLE wait_for;
    HANDLE then_set;
  };
  std::vector<Link> links;
  for (int i = 0; i < kItems; ++i) {
    links.push_back({events[static_cast<std::size_t>(i) + 1], events[static_cast<std::size_t>(i)]});
  }
  const auto follow = [](LPVOID where) -> DWORD {
    const auto* link = static_cast<Link*>(where);
    WaitForSingleObject(link->wait_for, INFINITE);
    return set_event(link->then_set);
  };
  for (Link& link : links) {
    ASSERT_TRUE(QueueUserWorkItem(follow, &link, 0));
  }
  ASSERT_TRUE(QueueUserWorkItem(set_event, events[kItems], 0));
  EXPECT_TRUE(settle());
}

TEST_F(WorkItems, OfThePersistentThreadStayOnIt) {
  struct Where {
    std::atomic<DWORD> thread{0};
    HANDLE done;
  };
  const OwnedHandle done = auto_event();
  std::array<Where, 2> where;
  for (Where& item : where) {
    item.done = done;
    const auto note = [](LPVOID argument) -> DWORD {
      auto* noted = static_cast<Where*>(argument);
      noted->thread = GetCurrentThreadId();
      return set_event(noted->done);
    };
    ASSERT_TRUE(QueueUserWorkItem(note, &item, WT_EXECUTEINPERSISTENTTHREAD));
    EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
  }
  EXPECT_EQ(where[0].thread, where[1].thread);
}

TEST_F(WorkItems, OfThePersistentThreadMayLeaveApcsBehind) {
  const OwnedHandle done = auto_event();
  const auto leave = [](LPVOID event) -> DWORD {
    QueueUserAPC([](ULONG_PTR handle) { SetEvent(reinterpret_cast<HANDLE>(handle)); }, GetCurrentThread(),
                 reinterpret_cast<ULONG_PTR>(event));
    return 0;
  };
  ASSERT_TRUE(QueueUserWorkItem(leave, done, WT_EXECUTEINIOTHREAD));
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
}

// QueueWorkItem: the same under an older name, with a function that returns nothing and a code for an answer.
TEST_F(WorkItems, OfRouters) {
  const OwnedHandle done = auto_event();
  const WORKERFUNCTION set = [](PVOID event) { SetEvent(event); };
  const WORKERFUNCTION leave = [](PVOID event) {
    QueueUserAPC([](ULONG_PTR handle) { SetEvent(reinterpret_cast<HANDLE>(handle)); }, GetCurrentThread(),
                 reinterpret_cast<ULONG_PTR>(event));
  };
  EXPECT_EQ(QueueWorkItem(set, done, FALSE), static_cast<DWORD>(NO_ERROR));
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
  EXPECT_EQ(QueueWorkItem(leave, done, TRUE), static_cast<DWORD>(NO_ERROR));
  EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
  EXPECT_EQ(QueueWorkItem(nullptr, done, FALSE), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_TRUE(settle());
}

TEST_F(WorkItems, MayEndTheirThread) {
  const auto exit = [](LPVOID) -> DWORD { ExitThread(1); };
  for (const ULONG flags : {WT_EXECUTEDEFAULT, WT_EXECUTELONGFUNCTION, WT_EXECUTEINPERSISTENTTHREAD}) {
    ASSERT_TRUE(QueueUserWorkItem(exit, nullptr, flags));
    const OwnedHandle done = auto_event();
    ASSERT_TRUE(QueueUserWorkItem(set_event, done, flags));
    EXPECT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
  }
  EXPECT_TRUE(settle());
}

struct Again {
  std::atomic<int>* calls;
  int left;
};

// A work item that queues itself again.
DWORD WINAPI again(LPVOID where) {
  auto* item = static_cast<Again*>(where);
  ++*item->calls;
  if (--item->left > 0) {
    EXPECT_TRUE(QueueUserWorkItem(again, item, 0));
  }
  return 0;
}

TEST_F(WorkItems, StressFromManyThreads) {
  std::atomic<int> calls{0};
  std::vector<Again> items(64, Again{&calls, 100});
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&items, t] {
      for (std::size_t i = t; i < items.size(); i += 4) {
        EXPECT_TRUE(QueueUserWorkItem(again, &items[i], 0));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(settle());
  EXPECT_EQ(calls, 6400);
}

}  // namespace
}  // namespace turnpike::win32
