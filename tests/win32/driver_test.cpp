// The driver tier of the base shim (wdm.h): levels, locks, events, mutexes, timers, work items, memory, counted text.
#include <gtest/gtest.h>
#include <wdm.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

constexpr ULONG kTag = 0x74736554;

LARGE_INTEGER in(LONGLONG milliseconds) {
  LARGE_INTEGER due;
  due.QuadPart = -milliseconds * 10'000;
  return due;
}
constexpr auto kTimedOut = static_cast<NTSTATUS>(STATUS_TIMEOUT);

NTSTATUS poll(PVOID object) {
  LARGE_INTEGER now{};
  return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &now);
}
NTSTATUS wait(PVOID object) { return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, nullptr); }

TEST(DriverLevels, AreTheThreadsOwn) {
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  KIRQL before = DISPATCH_LEVEL;
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  EXPECT_EQ(before, PASSIVE_LEVEL);
  EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
  std::thread([] { EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL); }).join();
  EXPECT_EQ(KfRaiseIrql(APC_LEVEL), DISPATCH_LEVEL) << "raising never lowers";
  EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
  KeLowerIrql(before);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  KeLowerIrql(DISPATCH_LEVEL);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL) << "nor does lowering raise";
}

TEST(DriverLocks, ExcludeAndRaise) {
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  long long guarded = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5000; ++round) {
        KIRQL before = 9;
        KeAcquireSpinLock(&lock, &before);
        EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
        ++guarded;
        KeReleaseSpinLock(&lock, before);
      }
      EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(guarded, 20000);
  EXPECT_TRUE(KeTryToAcquireSpinLockAtDpcLevel(&lock));
  EXPECT_FALSE(KeTryToAcquireSpinLockAtDpcLevel(&lock));
  KeReleaseSpinLockFromDpcLevel(&lock);
}

TEST(DriverEvents, NotifyAllOrSynchroniseOne) {
  KEVENT all;
  KEVENT one;
  KeInitializeEvent(&all, NotificationEvent, FALSE);
  KeInitializeEvent(&one, SynchronizationEvent, TRUE);
  EXPECT_EQ(poll(&all), kTimedOut);
  EXPECT_EQ(KeSetEvent(&all, 0, FALSE), 0);
  EXPECT_EQ(KeSetEvent(&all, 0, FALSE), 1);
  EXPECT_EQ(poll(&all), STATUS_SUCCESS);
  EXPECT_EQ(KeReadStateEvent(&all), 1);
  EXPECT_EQ(KeResetEvent(&all), 1);
  KeClearEvent(&all);
  EXPECT_EQ(KeReadStateEvent(&all), 0);
  EXPECT_EQ(poll(&one), STATUS_SUCCESS);
  EXPECT_EQ(poll(&one), kTimedOut) << "one wait took it";
  LARGE_INTEGER soon = in(1);
  EXPECT_EQ(KeWaitForSingleObject(&one, Executive, KernelMode, FALSE, &soon), kTimedOut);

  std::atomic<int> through{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&] {
      EXPECT_EQ(wait(&all), STATUS_SUCCESS);
      EXPECT_EQ(wait(&one), STATUS_SUCCESS);
      ++through;
      KeSetEvent(&one, 0, FALSE);
    });
  }
  KeSetEvent(&all, 0, FALSE);
  KeSetEvent(&one, 0, FALSE);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(through, 3);
}

TEST(DriverMutexes, BelongToAThreadThatMayTakeThemAgain) {
  KMUTEX mutex;
  KeInitializeMutex(&mutex, 0);
  FAST_MUTEX fast;
  ExInitializeFastMutex(&fast);
  int guarded = 0;
  int guarded_fast = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        EXPECT_EQ(wait(&mutex), STATUS_SUCCESS);
        EXPECT_EQ(wait(&mutex), STATUS_SUCCESS);
        ++guarded;
        KeReleaseMutex(&mutex, FALSE);
        KeReleaseMutex(&mutex, FALSE);
        ExAcquireFastMutex(&fast);
        EXPECT_EQ(KeGetCurrentIrql(), APC_LEVEL);
        ++guarded_fast;
        ExReleaseFastMutex(&fast);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(guarded, 1500);
  EXPECT_EQ(guarded_fast, 1500);
  EXPECT_EQ(wait(&mutex), STATUS_SUCCESS);
  std::thread([&] {
    EXPECT_EQ(poll(&mutex), kTimedOut);
    KeReleaseMutex(&mutex, FALSE);  // not his
    EXPECT_EQ(poll(&mutex), kTimedOut);
  }).join();
  KeReleaseMutex(&mutex, FALSE);
  EXPECT_TRUE(ExTryToAcquireFastMutex(&fast));
  EXPECT_FALSE(ExTryToAcquireFastMutex(&fast));
  ExReleaseFastMutex(&fast);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

using DriverTimers = TurnedClock;

struct Fired {
  std::atomic<int> count{0};
  std::atomic<KIRQL> level{9};
};
VOID NTAPI note_fire(PKDPC, PVOID context, PVOID, PVOID) {
  auto& fired = *static_cast<Fired*>(context);
  fired.level = KeGetCurrentIrql();
  ++fired.count;
}

TEST_F(DriverTimers, FireOnceOrAgainAndAgainAtDispatchLevel) {
  Fired fired;
  KTIMER timer;
  KDPC dpc;
  KeInitializeTimer(&timer);
  KeInitializeDpc(&dpc, note_fire, &fired);
  EXPECT_FALSE(KeSetTimer(&timer, in(100), &dpc));
  EXPECT_TRUE(KeSetTimer(&timer, in(200), &dpc)) << "it was set";
  advance(150);
  EXPECT_EQ(fired.count, 0);
  EXPECT_FALSE(KeReadStateTimer(&timer));
  advance(50);
  EXPECT_EQ(fired.count, 1);
  EXPECT_EQ(fired.level, DISPATCH_LEVEL);
  EXPECT_TRUE(KeReadStateTimer(&timer));
  EXPECT_EQ(poll(&timer), STATUS_SUCCESS);
  EXPECT_FALSE(KeCancelTimer(&timer)) << "it has fired";

  EXPECT_FALSE(KeSetTimerEx(&timer, in(10), 20, &dpc));
  for (int round = 0; round < 5; ++round) advance(round == 0 ? 10 : 20);
  EXPECT_EQ(fired.count, 6);
  EXPECT_TRUE(KeCancelTimer(&timer));
  EXPECT_FALSE(KeCancelTimer(&timer));
  advance(100);
  EXPECT_EQ(fired.count, 6);

  LARGE_INTEGER at;
  KeQuerySystemTime(&at);
  at.QuadPart += 50 * 10'000;
  KeInitializeTimerEx(&timer, SynchronizationTimer);
  EXPECT_FALSE(KeSetTimer(&timer, at, &dpc));
  advance(49);
  EXPECT_EQ(fired.count, 6);
  advance(1);
  EXPECT_EQ(fired.count, 7);
  EXPECT_EQ(poll(&timer), STATUS_SUCCESS);
  EXPECT_EQ(poll(&timer), kTimedOut);
}

TEST_F(DriverTimers, MayBeForgottenOnceTheyAreCancelled) {
  Fired fired;
  KDPC dpc;
  KeInitializeDpc(&dpc, note_fire, &fired);
  for (int round = 0; round < 50; ++round) {
    auto timer = std::make_unique<KTIMER>();
    KeInitializeTimer(timer.get());
    KeSetTimerEx(timer.get(), in(1), 1, &dpc);
    EXPECT_TRUE(KeCancelTimer(timer.get()));
    timer.reset();
    advance(2);
  }
  EXPECT_EQ(fired.count, 0);
}

TEST_F(DriverTimers, TimeIsTheClocks) {
  LARGE_INTEGER before;
  LARGE_INTEGER after;
  KeQueryTickCount(&before);
  const ULONGLONG interrupt = KeQueryInterruptTime();
  advance(1000);
  KeQueryTickCount(&after);
  EXPECT_EQ((after.QuadPart - before.QuadPart) * KeQueryTimeIncrement(), 10'000'000);
  EXPECT_EQ(KeQueryInterruptTime() - interrupt, 10'000'000U);
  LARGE_INTEGER nothing{};
  EXPECT_EQ(KeDelayExecutionThread(KernelMode, FALSE, &nothing), STATUS_SUCCESS);
  KeStallExecutionProcessor(1);
  EXPECT_LT(KeGetCurrentProcessorNumber(), 4096U);
}

struct Work {
  WORK_QUEUE_ITEM item{};
  KEVENT done{};
  int runs = 0;
};

TEST(DriverWork, RunsAtPassiveLevelEachTimeItIsQueued) {
  Work work;
  KeInitializeEvent(&work.done, SynchronizationEvent, FALSE);
  ExInitializeWorkItem(
      &work.item,
      [](PVOID parameter) {
        auto& mine = *static_cast<Work*>(parameter);
        EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
        ++mine.runs;
        KeSetEvent(&mine.done, 0, FALSE);
      },
      &work);
  for (int round = 0; round < 20; ++round) {
    ExQueueWorkItem(&work.item, DelayedWorkQueue);
    EXPECT_EQ(wait(&work.done), STATUS_SUCCESS);
  }
  EXPECT_EQ(work.runs, 20);
}

TEST(DriverMemory, ComesFromThePoolAndGoesBack) {
  auto* const plain = static_cast<char*>(ExAllocatePool(NonPagedPool, 100));
  auto* const tagged = static_cast<char*>(ExAllocatePoolWithTag(PagedPool, 100, kTag));
  auto* const zeroed = static_cast<char*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, kTag));
  ASSERT_TRUE(plain != nullptr && tagged != nullptr && zeroed != nullptr);
  EXPECT_EQ(std::string(zeroed, 100), std::string(100, '\0'));
  std::memset(plain, 1, 100);
  std::memset(tagged, 1, 100);
  ExFreePool(plain);
  ExFreePoolWithTag(tagged, kTag);
  ExFreePool(zeroed);

  NPAGED_LOOKASIDE_LIST list;
  ExInitializeNPagedLookasideList(&list, nullptr, nullptr, 0, 48, kTag, 2);
  std::array<PVOID, 4> entries{};
  for (auto& entry : entries) {
    entry = ExAllocateFromNPagedLookasideList(&list);
    ASSERT_NE(entry, nullptr);
    std::memset(entry, 7, 48);
  }
  for (const PVOID entry : entries) ExFreeToNPagedLookasideList(&list, entry);
  EXPECT_EQ(QueryDepthSList(&list.Free), 2);
  EXPECT_EQ(ExAllocateFromNPagedLookasideList(&list), entries[1]) << "the last that was kept";
  ExFreeToNPagedLookasideList(&list, entries[1]);
  ExDeleteNPagedLookasideList(&list);
}

TEST(DriverMemory, DescriptorsShowRanges) {
  std::array<char, 64> memory{};
  const PMDL mdl = IoAllocateMdl(memory.data(), 64, FALSE, FALSE, nullptr);
  ASSERT_NE(mdl, nullptr);
  MmBuildMdlForNonPagedPool(mdl);
  EXPECT_EQ(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), memory.data());
  EXPECT_EQ(MmGetMdlVirtualAddress(mdl), memory.data());
  EXPECT_EQ(MmGetMdlByteCount(mdl), 64U);
  MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
  EXPECT_TRUE(mdl->MdlFlags & MDL_PAGES_LOCKED);
  MmUnlockPages(mdl);
  EXPECT_FALSE(mdl->MdlFlags & MDL_PAGES_LOCKED);
  MDL part;
  IoBuildPartialMdl(mdl, &part, memory.data() + 10, 20);
  EXPECT_EQ(MmGetMdlVirtualAddress(&part), memory.data() + 10);
  EXPECT_EQ(part.ByteCount, 20U);
  IoBuildPartialMdl(mdl, &part, memory.data() + 60, 0);
  EXPECT_EQ(part.ByteCount, 4U) << "to the end";
  EXPECT_EQ(MmSizeOfMdl(memory.data(), 64), sizeof(MDL));
  IoFreeMdl(mdl);
}

TEST(DriverLists, AreInOrder) {
  LIST_ENTRY head;
  std::array<LIST_ENTRY, 4> entries{};
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  InitializeListHead(&head);
  EXPECT_TRUE(IsListEmpty(&head));
  EXPECT_EQ(ExInterlockedInsertHeadList(&head, &entries[1], &lock), nullptr);
  EXPECT_EQ(ExInterlockedInsertHeadList(&head, &entries[0], &lock), &entries[1]);
  EXPECT_EQ(ExInterlockedInsertTailList(&head, &entries[2], &lock), &entries[1]);
  InsertTailList(&head, &entries[3]);
  EXPECT_FALSE(RemoveEntryList(&entries[2]));
  EXPECT_EQ(RemoveTailList(&head), &entries[3]);
  EXPECT_EQ(ExInterlockedRemoveHeadList(&head, &lock), &entries[0]);
  EXPECT_EQ(RemoveHeadList(&head), &entries[1]);
  EXPECT_EQ(ExInterlockedRemoveHeadList(&head, &lock), nullptr);
  ULONG sum = 5;
  EXPECT_EQ(ExInterlockedAddUlong(&sum, 3, &lock), 5U);
  EXPECT_EQ(sum, 8U);
}

std::wstring text_of(const UNICODE_STRING& text) { return {text.Buffer, text.Length / sizeof(WCHAR)}; }

TEST(DriverStrings, AreCountedInBytes) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, L"\\Device\\eth0");
  EXPECT_EQ(name.Length, 12 * sizeof(WCHAR));
  EXPECT_EQ(name.MaximumLength, 13 * sizeof(WCHAR));
  std::array<WCHAR, 20> memory{};
  UNICODE_STRING copy;
  RtlInitEmptyUnicodeString(&copy, memory.data(), sizeof(memory));
  RtlCopyUnicodeString(&copy, &name);
  EXPECT_EQ(text_of(copy), L"\\Device\\eth0");
  EXPECT_EQ(RtlAppendUnicodeToString(&copy, L".100"), STATUS_SUCCESS);
  EXPECT_EQ(RtlAppendUnicodeStringToString(&copy, &name), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(text_of(copy), L"\\Device\\eth0.100");
  EXPECT_TRUE(RtlPrefixUnicodeString(&name, &copy, FALSE));
  EXPECT_FALSE(RtlPrefixUnicodeString(&copy, &name, FALSE));

  UNICODE_STRING upper{};
  EXPECT_EQ(RtlUpcaseUnicodeString(&upper, &name, TRUE), STATUS_SUCCESS);
  EXPECT_EQ(text_of(upper), L"\\DEVICE\\ETH0");
  EXPECT_TRUE(RtlEqualUnicodeString(&upper, &name, TRUE));
  EXPECT_FALSE(RtlEqualUnicodeString(&upper, &name, FALSE));
  EXPECT_LT(RtlCompareUnicodeString(&upper, &name, FALSE), 0);
  EXPECT_EQ(RtlUpcaseUnicodeChar(L'é'), L'É');
  RtlFreeUnicodeString(&upper);
  EXPECT_EQ(upper.Buffer, nullptr);

  ANSI_STRING narrow;
  RtlInitAnsiString(&narrow, "Zürich");
  UNICODE_STRING wide{};
  EXPECT_EQ(RtlAnsiStringToUnicodeString(&wide, &narrow, TRUE), STATUS_SUCCESS);
  EXPECT_EQ(text_of(wide), L"Zürich");
  ANSI_STRING back{};
  EXPECT_EQ(RtlUnicodeStringToAnsiString(&back, &wide, TRUE), STATUS_SUCCESS);
  EXPECT_TRUE(RtlEqualString(&back, &narrow, FALSE));
  RtlFreeUnicodeString(&wide);
  RtlFreeAnsiString(&back);
}

TEST(DriverStrings, BecomeNumbersAndComeFromThem) {
  const struct {
    const WCHAR* text;
    ULONG base, number;
  } cases[] = {{L" 42", 0, 42},  {L"0x1F", 0, 31}, {L"0b101", 0, 5}, {L"0o17", 0, 15}, {L"ff", 16, 255},
               {L"-1", 10, ~0U}, {L"12x", 10, 12}, {L"", 0, 0},      {L"x", 10, 0}};
  for (const auto& one : cases) {
    UNICODE_STRING text;
    RtlInitUnicodeString(&text, one.text);
    ULONG number = 7;
    EXPECT_EQ(RtlUnicodeStringToInteger(&text, one.base, &number), STATUS_SUCCESS);
    EXPECT_EQ(number, one.number) << one.number;
  }
  std::array<WCHAR, 9> memory{};
  UNICODE_STRING text;
  RtlInitEmptyUnicodeString(&text, memory.data(), sizeof(memory));
  EXPECT_EQ(RtlIntegerToUnicodeString(0xCAFE, 16, &text), STATUS_SUCCESS);
  EXPECT_EQ(text_of(text), L"CAFE");
  EXPECT_EQ(RtlIntegerToUnicodeString(~0U, 10, &text), STATUS_BUFFER_OVERFLOW);
}

}  // namespace
}  // namespace turnpike::win32
