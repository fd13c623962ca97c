// Bad input to the driver tier (wdm.h): null pointers, foreign and stale ones, numbers out of range. Nothing crashes.
#include <gtest/gtest.h>
#include <wdm.h>

#include <cstring>

namespace {

TEST(BadDriver, TimeGoesToNowhereIfThereIsNoPlace) {
  const LARGE_INTEGER before = KeQueryPerformanceCounter(nullptr);
  LARGE_INTEGER frequency;
  EXPECT_GE(KeQueryPerformanceCounter(&frequency).QuadPart, before.QuadPart);
  EXPECT_EQ(frequency.QuadPart, 10'000'000);
  KeQuerySystemTime(nullptr);
  KeQueryTickCount(nullptr);
  KeStallExecutionProcessor(0);
  EXPECT_EQ(KeDelayExecutionThread(KernelMode, FALSE, nullptr), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
}

TEST(BadDriver, NoTextIsNotPrinted) { EXPECT_EQ(DbgPrint(nullptr), 0U); }

TEST(BadDriver, LevelsAndLocksThatAreNoneAreLeftAlone) {
  KeLowerIrql(255);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  EXPECT_EQ(KfRaiseIrql(0), PASSIVE_LEVEL);
  EXPECT_EQ(KeRaiseIrqlToDpcLevel(), PASSIVE_LEVEL);
  KeLowerIrql(PASSIVE_LEVEL);
  KeInitializeSpinLock(nullptr);
  KeReleaseSpinLock(nullptr, KeAcquireSpinLockRaiseToDpc(nullptr));
  KeAcquireSpinLockAtDpcLevel(nullptr);
  KeReleaseSpinLockFromDpcLevel(nullptr);
  EXPECT_FALSE(KeTryToAcquireSpinLockAtDpcLevel(nullptr));
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

TEST(BadDriver, ObjectsThatAreNoneAreNotWaitedFor) {
  KeInitializeEvent(nullptr, NotificationEvent, FALSE);
  EXPECT_EQ(KeSetEvent(nullptr, 0, FALSE), 0);
  EXPECT_EQ(KeResetEvent(nullptr), 0);
  KeClearEvent(nullptr);
  EXPECT_EQ(KeReadStateEvent(nullptr), 0);
  KeInitializeMutex(nullptr, 0);
  EXPECT_EQ(KeReleaseMutex(nullptr, FALSE), 0);
  ExInitializeFastMutex(nullptr);
  ExAcquireFastMutex(nullptr);
  EXPECT_FALSE(ExTryToAcquireFastMutex(nullptr));
  ExReleaseFastMutex(nullptr);
  constexpr auto kInvalid = static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER);
  EXPECT_EQ(KeWaitForSingleObject(nullptr, Executive, KernelMode, FALSE, nullptr), kInvalid);
  KMUTEX garbage;
  std::memset(&garbage, 0xA5, sizeof(garbage));
  EXPECT_EQ(KeWaitForSingleObject(&garbage, Executive, KernelMode, FALSE, nullptr), kInvalid);
  KEVENT zeros{};  // an event that is not signalled
  LARGE_INTEGER ever;
  ever.QuadPart = INT64_MIN;
  KeSetEvent(&zeros, 0, FALSE);
  EXPECT_EQ(KeWaitForSingleObject(&zeros, Executive, KernelMode, FALSE, &ever), STATUS_SUCCESS);
}

TEST(BadDriver, TimersAndWorkThatAreNoneDoNothing) {
  LARGE_INTEGER due{};
  KeInitializeTimer(nullptr);
  KeInitializeTimerEx(nullptr, SynchronizationTimer);
  KeInitializeDpc(nullptr, nullptr, nullptr);
  EXPECT_FALSE(KeSetTimer(nullptr, due, nullptr));
  EXPECT_FALSE(KeSetTimerEx(nullptr, due, 1, nullptr));
  EXPECT_FALSE(KeCancelTimer(nullptr));
  EXPECT_FALSE(KeReadStateTimer(nullptr));
  KTIMER timer;
  KeInitializeTimer(&timer);
  EXPECT_FALSE(KeSetTimerEx(&timer, due, -1, nullptr));
  due.QuadPart = INT64_MIN;
  EXPECT_FALSE(KeSetTimerEx(&timer, due, 0, nullptr)) << "never";
  EXPECT_TRUE(KeCancelTimer(&timer));
  ExQueueWorkItem(nullptr, DelayedWorkQueue);
  WORK_QUEUE_ITEM nothing{};
  ExQueueWorkItem(&nothing, DelayedWorkQueue);
}

TEST(BadDriver, MemoryThatIsNoneIsNotFreed) {
  char byte = 0;
  for (PVOID bad : {PVOID{nullptr}, PVOID{&byte}, PVOID{reinterpret_cast<PVOID>(0x1000)}}) {
    ExFreePool(bad);
    ExFreePoolWithTag(bad, 1);
    IoFreeMdl(static_cast<PMDL>(bad));
  }
  PVOID const once = ExAllocatePoolWithTag(NonPagedPool, 8, 1);
  ExFreePool(once);
  EXPECT_EQ(ExAllocatePool(NonPagedPool, ~SIZE_T{0}), nullptr);
  EXPECT_EQ(ExAllocatePoolWithTag(NonPagedPool, SIZE_T{1} << 50, 1), nullptr);
  EXPECT_EQ(ExAllocatePool2(POOL_FLAG_NON_PAGED, 0, 1), nullptr);
  ExInitializeNPagedLookasideList(nullptr, nullptr, nullptr, 0, 8, 1, 0);
  ExDeleteNPagedLookasideList(nullptr);
  EXPECT_EQ(ExAllocateFromNPagedLookasideList(nullptr), nullptr);
  ExFreeToNPagedLookasideList(nullptr, &byte);
  NPAGED_LOOKASIDE_LIST gone{};
  EXPECT_EQ(ExAllocateFromNPagedLookasideList(&gone), nullptr);
  ExFreeToNPagedLookasideList(&gone, &byte);
  ExDeleteNPagedLookasideList(&gone);
}

TEST(BadDriver, ListsAndDescriptorsThatAreNoneAreLeftAlone) {
  LIST_ENTRY head;
  InitializeListHead(&head);
  EXPECT_EQ(ExInterlockedInsertHeadList(nullptr, &head, nullptr), nullptr);
  EXPECT_EQ(ExInterlockedInsertTailList(&head, nullptr, nullptr), nullptr);
  EXPECT_EQ(ExInterlockedRemoveHeadList(nullptr, nullptr), nullptr);
  EXPECT_EQ(ExInterlockedAddUlong(nullptr, 1, nullptr), 0U);
  MmBuildMdlForNonPagedPool(nullptr);
  MmProbeAndLockPages(nullptr, KernelMode, IoReadAccess);
  MmUnlockPages(nullptr);
  EXPECT_GT(MmSizeOfMdl(nullptr, 0), 0U);
  IoBuildPartialMdl(nullptr, nullptr, nullptr, 0);
  char memory[16];
  const PMDL mdl = IoAllocateMdl(memory, 8, FALSE, FALSE, nullptr);
  MDL part{};
  IoBuildPartialMdl(mdl, &part, memory + 9, 1);  // outside
  EXPECT_EQ(part.ByteCount, 0U);
  IoFreeMdl(mdl);
  IoFreeMdl(mdl);
}

TEST(BadDriver, TextThatIsNoneIsEmpty) {
  RtlInitUnicodeString(nullptr, L"x");
  RtlInitAnsiString(nullptr, "x");
  RtlInitString(nullptr, "x");
  UNICODE_STRING empty;
  RtlInitUnicodeString(&empty, nullptr);
  EXPECT_EQ(empty.Length + empty.MaximumLength, 0);
  UNICODE_STRING lying{8, 0, nullptr};
  EXPECT_TRUE(RtlEqualUnicodeString(&empty, &lying, TRUE));
  EXPECT_EQ(RtlCompareUnicodeString(nullptr, &empty, FALSE), 0);
  EXPECT_TRUE(RtlPrefixUnicodeString(nullptr, nullptr, FALSE));
  EXPECT_TRUE(RtlEqualString(nullptr, nullptr, FALSE));
  EXPECT_EQ(RtlUpcaseUnicodeChar(0x7FFFFFFF), 0x7FFFFFFF);
  RtlCopyUnicodeString(nullptr, &empty);
  RtlCopyUnicodeString(&lying, nullptr);
  EXPECT_EQ(RtlUpcaseUnicodeString(nullptr, &empty, TRUE), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  UNICODE_STRING text;
  RtlInitUnicodeString(&text, L"text");
  EXPECT_EQ(RtlUpcaseUnicodeString(&empty, &text, FALSE), STATUS_BUFFER_OVERFLOW);
  EXPECT_EQ(RtlAppendUnicodeToString(nullptr, L"x"), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  EXPECT_EQ(RtlAppendUnicodeToString(&empty, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(RtlAppendUnicodeStringToString(&empty, &text), STATUS_BUFFER_TOO_SMALL);
  EXPECT_EQ(RtlAnsiStringToUnicodeString(nullptr, nullptr, TRUE), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  EXPECT_EQ(RtlUnicodeStringToAnsiString(nullptr, nullptr, FALSE), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  RtlFreeUnicodeString(nullptr);
  RtlFreeAnsiString(nullptr);
  ULONG number = 0;
  EXPECT_EQ(RtlUnicodeStringToInteger(&text, 7, &number), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  EXPECT_EQ(RtlUnicodeStringToInteger(&text, 10, nullptr), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  EXPECT_EQ(RtlIntegerToUnicodeString(1, 7, &text), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
  EXPECT_EQ(RtlIntegerToUnicodeString(1, 10, nullptr), static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER));
}

}  // namespace
