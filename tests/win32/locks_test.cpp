#include <array>
#include <atomic>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

using CriticalSections = NoHandleLeft;
using SlimLocks = NoHandleLeft;
using ConditionVariables = TurnedClock;
using OnceOnly = NoHandleLeft;
using Interlocked = NoHandleLeft;

constexpr int kThreads = 4;

template <class Body>
void in_threads(Body body) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back(body, t);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST_F(CriticalSections, AreRecursiveAndOwned) {
  CRITICAL_SECTION section;
  EXPECT_TRUE(InitializeCriticalSectionAndSpinCount(&section, 0x80000400));
  EXPECT_EQ(section.SpinCount, 0x400U);
  EXPECT_TRUE(TryEnterCriticalSection(&section));
  EnterCriticalSection(&section);
  std::thread([&] {
    EXPECT_FALSE(TryEnterCriticalSection(&section));
    LeaveCriticalSection(&section);  // not its own: nothing
  }).join();
  LeaveCriticalSection(&section);
  std::thread([&] { EXPECT_FALSE(TryEnterCriticalSection(&section)); }).join();
  LeaveCriticalSection(&section);
  std::thread([&] {
    EXPECT_TRUE(TryEnterCriticalSection(&section));
    LeaveCriticalSection(&section);
  }).join();
  EXPECT_EQ(SetCriticalSectionSpinCount(&section, 7), 0x400U);
  DeleteCriticalSection(&section);
}

TEST_F(CriticalSections, BadArguments) {
  CRITICAL_SECTION section;
  EXPECT_FALSE(InitializeCriticalSectionEx(nullptr, 0, 0));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_FALSE(InitializeCriticalSectionEx(&section, 0, 1));
  EXPECT_TRUE(InitializeCriticalSectionEx(&section, 0, CRITICAL_SECTION_NO_DEBUG_INFO));
  DeleteCriticalSection(&section);
  DeleteCriticalSection(nullptr);
}

TEST_F(CriticalSections, StressOfExclusion) {
  for (const DWORD spins : {0U, 1000U}) {
    CRITICAL_SECTION section;
    InitializeCriticalSectionAndSpinCount(&section, spins);
    int counter = 0;
    in_threads([&](int) {
      for (int i = 0; i < 5000; ++i) {
        EnterCriticalSection(&section);
        ++counter;
        LeaveCriticalSection(&section);
      }
    });
    EXPECT_EQ(counter, kThreads * 5000);
    DeleteCriticalSection(&section);
  }
}

TEST_F(SlimLocks, SharedAndExclusive) {
  SRWLOCK lock = SRWLOCK_INIT;
  AcquireSRWLockShared(&lock);
  EXPECT_TRUE(TryAcquireSRWLockShared(&lock));
  EXPECT_FALSE(TryAcquireSRWLockExclusive(&lock));
  ReleaseSRWLockShared(&lock);
  ReleaseSRWLockShared(&lock);
  ReleaseSRWLockShared(&lock);  // one too many: nothing
  EXPECT_TRUE(TryAcquireSRWLockExclusive(&lock));
  EXPECT_FALSE(TryAcquireSRWLockShared(&lock));
  ReleaseSRWLockExclusive(&lock);
  ReleaseSRWLockExclusive(&lock);
  EXPECT_EQ(lock.Ptr, nullptr);
}

TEST_F(SlimLocks, StressOfReadersAndWriters) {
  SRWLOCK lock = SRWLOCK_INIT;
  int value = 0;
  std::atomic<int> readers{0};
  in_threads([&](int t) {
    for (int i = 0; i < 4000; ++i) {
      if ((i + t) % 3 == 0) {
        AcquireSRWLockExclusive(&lock);
        EXPECT_EQ(readers, 0);
        ++value;
        ReleaseSRWLockExclusive(&lock);
      } else {
        AcquireSRWLockShared(&lock);
        ++readers;
        EXPECT_GE(value, 0);
        --readers;
        ReleaseSRWLockShared(&lock);
      }
    }
  });
  EXPECT_EQ(lock.Ptr == nullptr || TryAcquireSRWLockExclusive(&lock), true);
}

TEST_F(ConditionVariables, HandOverWithBothKindsOfLock) {
  CRITICAL_SECTION section;
  InitializeCriticalSection(&section);
  SRWLOCK lock = SRWLOCK_INIT;
  CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
  int turn = 0;
  in_threads([&](int t) {
    for (int i = 0; i < 200; ++i) {
      EnterCriticalSection(&section);
      while (turn != t) {
        EXPECT_TRUE(SleepConditionVariableCS(&changed, &section, INFINITE));
      }
      turn = (turn + 1) % kThreads;
      LeaveCriticalSection(&section);
      WakeAllConditionVariable(&changed);
    }
  });
  bool ready = false;
  std::thread waiter([&] {
    AcquireSRWLockShared(&lock);
    while (!ready) {
      EXPECT_TRUE(SleepConditionVariableSRW(&changed, &lock, INFINITE, CONDITION_VARIABLE_LOCKMODE_SHARED));
    }
    ReleaseSRWLockShared(&lock);
  });
  AcquireSRWLockExclusive(&lock);
  ready = true;
  ReleaseSRWLockExclusive(&lock);
  WakeConditionVariable(&changed);
  waiter.join();
  DeleteCriticalSection(&section);
}

TEST_F(ConditionVariables, TimeOut) {
  SRWLOCK lock;
  CONDITION_VARIABLE changed;
  InitializeSRWLock(&lock);
  InitializeConditionVariable(&changed);
  std::atomic<DWORD> error{0};
  std::thread waiter([&] {
    AcquireSRWLockExclusive(&lock);
    EXPECT_FALSE(SleepConditionVariableSRW(&changed, &lock, 1000, 0));
    error = GetLastError();
    ReleaseSRWLockExclusive(&lock);
  });
  while (error == 0) {
    advance(100);
  }
  waiter.join();
  EXPECT_EQ(error, static_cast<DWORD>(ERROR_TIMEOUT));
  EXPECT_FALSE(SleepConditionVariableSRW(&changed, &lock, 0, 2));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

INIT_ONCE once = INIT_ONCE_STATIC_INIT;
std::atomic<int> initialisations{0};

BOOL CALLBACK initialise(PINIT_ONCE, PVOID parameter, PVOID* context) {
  if (++initialisations == 1) {
    SetLastError(ERROR_NOT_READY);
    return FALSE;  // the first attempt fails, and another follows
  }
  *context = parameter;
  return TRUE;
}

TEST_F(OnceOnly, OneSucceedsAndAllSeeIt) {
  alignas(8) static int what = 0;
  InitOnceInitialize(&once);
  initialisations = 0;
  std::atomic<int> failures{0};
  in_threads([&](int) {
    PVOID context = nullptr;
    if (InitOnceExecuteOnce(&once, initialise, &what, &context)) {
      EXPECT_EQ(context, &what);
    } else {
      EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_NOT_READY));
      ++failures;
    }
  });
  EXPECT_EQ(failures, 1);
  EXPECT_EQ(initialisations, 2);
}

TEST_F(OnceOnly, InTwoSteps) {
  alignas(8) static int what = 0;
  INIT_ONCE step = INIT_ONCE_STATIC_INIT;
  BOOL pending = FALSE;
  LPVOID context = nullptr;
  EXPECT_FALSE(InitOnceBeginInitialize(&step, INIT_ONCE_CHECK_ONLY, &pending, &context));
  EXPECT_TRUE(InitOnceBeginInitialize(&step, 0, &pending, &context));
  EXPECT_TRUE(pending);
  EXPECT_FALSE(InitOnceComplete(&step, INIT_ONCE_ASYNC, nullptr));  // it began otherwise
  EXPECT_FALSE(InitOnceComplete(&step, 0, reinterpret_cast<LPVOID>(std::uintptr_t{2})));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_TRUE(InitOnceComplete(&step, INIT_ONCE_INIT_FAILED, nullptr));
  EXPECT_TRUE(InitOnceBeginInitialize(&step, INIT_ONCE_ASYNC, &pending, nullptr));
  EXPECT_TRUE(InitOnceBeginInitialize(&step, INIT_ONCE_ASYNC, &pending, nullptr));  // as many as like
  EXPECT_TRUE(pending);
  EXPECT_FALSE(InitOnceBeginInitialize(&step, 0, &pending, nullptr));
  EXPECT_TRUE(InitOnceComplete(&step, INIT_ONCE_ASYNC, &what));
  EXPECT_FALSE(InitOnceComplete(&step, INIT_ONCE_ASYNC, nullptr));  // another was first
  EXPECT_TRUE(InitOnceBeginInitialize(&step, INIT_ONCE_CHECK_ONLY, &pending, &context));
  EXPECT_FALSE(pending);
  EXPECT_EQ(context, &what);
  EXPECT_FALSE(InitOnceExecuteOnce(&step, nullptr, nullptr, nullptr));
  EXPECT_FALSE(InitOnceBeginInitialize(&step, 0, nullptr, nullptr));
}

TEST_F(Interlocked, Operations) {
  LONG number = 5;
  DWORD word = 7;
  LONG64 wide = 1LL << 40;
  EXPECT_EQ(InterlockedIncrement(&number), 6);
  EXPECT_EQ(InterlockedDecrement(&word), 6U);
  EXPECT_EQ(InterlockedExchange(&number, 9), 6);
  EXPECT_EQ(InterlockedExchangeAdd(&number, 2), 9);
  EXPECT_EQ(InterlockedCompareExchange(&number, 20, 11), 11);
  EXPECT_EQ(InterlockedCompareExchange(&number, 30, 11), 20);
  EXPECT_EQ(InterlockedOr(&number, 1), 20);
  EXPECT_EQ(InterlockedAnd(&number, 1), 21);
  EXPECT_EQ(number, 1);
  EXPECT_EQ(InterlockedExchangeAdd64(&wide, 1), 1LL << 40);
  int thing = 0;
  int* pointer = nullptr;
  EXPECT_EQ(InterlockedExchangePointer(&pointer, &thing), nullptr);
  EXPECT_EQ(InterlockedCompareExchangePointer(&pointer, nullptr, &thing), &thing);
  EXPECT_EQ(pointer, nullptr);
  std::array<LONG, 2> bits{};
  EXPECT_FALSE(InterlockedBitTestAndSet(bits.data(), 33));
  EXPECT_TRUE(InterlockedBitTestAndSet(bits.data(), 33));
  EXPECT_EQ(bits[1], 2);
  EXPECT_TRUE(InterlockedBitTestAndReset(bits.data(), 33));
  EXPECT_EQ(bits[1], 0);
}

TEST_F(Interlocked, OfEveryWidthAndOrder) {
  CHAR narrow = 6;
  SHORT half = 1;
  LONG64 wide = 1LL << 40;
  SIZE_T size = 7;
  EXPECT_EQ(InterlockedAnd8(&narrow, 3), 6);
  EXPECT_EQ(InterlockedOr8Release(&narrow, 8), 2);
  EXPECT_EQ(InterlockedExchange8(&narrow, 1), 10);
  EXPECT_EQ(InterlockedIncrementAcquire16(&half), 2);
  EXPECT_EQ(InterlockedXor16NoFence(&half, 3), 2);
  EXPECT_EQ(InterlockedCompareExchangeRelease16(&half, 9, 1), 1);
  EXPECT_EQ(half, 9);
  EXPECT_EQ(InterlockedAddNoFence64(&wide, 1), (1LL << 40) + 1);
  EXPECT_EQ(InterlockedExchangeAddAcquire64(&wide, -1), (1LL << 40) + 1);
  EXPECT_EQ(InterlockedCompareExchangeAcquire64(&wide, -2, 1LL << 40), 1LL << 40);
  EXPECT_EQ(InterlockedAnd64Acquire(&wide, 0xFF), -2);
  EXPECT_EQ(InterlockedDecrementRelease64(&wide), 0xFD);
  EXPECT_EQ(InterlockedIncrementSizeT(&size), 8U);
  int thing = 0;
  int* pointer = nullptr;
  EXPECT_EQ(InterlockedExchangePointerNoFence(&pointer, &thing), nullptr);
  EXPECT_EQ(InterlockedCompareExchangePointerRelease(&pointer, nullptr, &thing), &thing);
}

TEST_F(Interlocked, BitsAndLooks) {
  LONG number = 0;
  std::array<LONG64, 2> wide{};
  EXPECT_FALSE(InterlockedBitTestAndComplement(&number, 31));
  EXPECT_EQ(number, INT32_MIN);
  EXPECT_TRUE(InterlockedBitTestAndComplement(&number, 31));
  EXPECT_EQ(number, 0);
  EXPECT_FALSE(InterlockedBitTestAndSet64(wide.data(), 127));
  EXPECT_EQ(wide[1], INT64_MIN);
  EXPECT_TRUE(InterlockedBitTestAndReset64(wide.data(), 127));
  EXPECT_EQ(wide[1], 0);
  WriteRelease(&number, 5);
  EXPECT_EQ(ReadAcquire(&number), 5);
  WriteNoFence(&number, 6);
  EXPECT_EQ(ReadNoFence(&number), 6);
  WriteRelease64(wide.data(), 7);
  EXPECT_EQ(ReadAcquire64(wide.data()), 7);
  WriteNoFence64(wide.data(), 8);
  EXPECT_EQ(ReadNoFence64(wide.data()), 8);
  PVOID pointer = nullptr;
  WritePointerRelease(&pointer, &number);
  EXPECT_EQ(ReadPointerAcquire(&pointer), &number);
  WritePointerNoFence(&pointer, nullptr);
  EXPECT_EQ(ReadPointerNoFence(&pointer), nullptr);
}

TEST_F(Interlocked, Lists) {
  struct Item {
    SLIST_ENTRY entry;
    int payload;
  };
  std::array<Item, 400> items{};
  SLIST_HEADER list;
  InitializeSListHead(&list);
  in_threads([&](int t) {
    for (std::size_t i = static_cast<std::size_t>(t); i < items.size(); i += kThreads) {
      InterlockedPushEntrySList(&list, &items[i].entry);
    }
  });
  EXPECT_EQ(QueryDepthSList(&list), items.size());
  std::atomic<int> popped{0};
  in_threads([&](int) {
    for (int i = 0; i < 50; ++i) {
      popped += InterlockedPopEntrySList(&list) != nullptr ? 1 : 0;
    }
  });
  EXPECT_EQ(popped, 200);
  EXPECT_NE(InterlockedFlushSList(&list), nullptr);
  EXPECT_EQ(InterlockedPopEntrySList(&list), nullptr);
}

}  // namespace
}  // namespace turnpike::win32
