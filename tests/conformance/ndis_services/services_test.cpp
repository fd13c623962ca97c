// Services of ndis.h: memory, locks, events, timers, work items, configuration, text, time, the host.
#include <gtest/gtest.h>
#include <ndis.h>
#include <turnpike/drivers.h>
#include <turnpike/log.h>
#include <turnpike/ndis_configuration.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

int owner;  // whose address stands for an NdisHandle
const NDIS_HANDLE kOwner = &owner;
constexpr ULONG kTag = 0x74736574;

NDIS_STRING text(const WCHAR* words) {
  NDIS_STRING made;
  NdisInitUnicodeString(&made, words);
  return made;
}
std::wstring words_of(const NDIS_STRING& from) { return {from.Buffer, from.Length / sizeof(WCHAR)}; }

// --- configuration

NDIS_HANDLE section(const WCHAR* name) {
  NDIS_STRING path = text(name);
  NDIS_STATUS status = -1;
  NDIS_HANDLE handle = nullptr;
  NdisOpenProtocolConfiguration(&status, &handle, &path);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  return handle;
}
PNDIS_CONFIGURATION_PARAMETER value(NDIS_HANDLE from, const WCHAR* keyword, NDIS_PARAMETER_TYPE type) {
  NDIS_STRING name = text(keyword);
  NDIS_STATUS status = -1;
  PNDIS_CONFIGURATION_PARAMETER parameter = nullptr;
  NdisReadConfiguration(&status, &parameter, from, &name, type);
  EXPECT_EQ(status, parameter != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE);
  return parameter;
}

// clauses: NDIS-206
TEST(Configuration, GivesTypedValuesInAnyCaseUntilItIsClosed) {
  const std::array<std::array<const char*, 2>, 7> given{{{"Count", "30"},
                                                         {"Mask", "ff00"},
                                                         {"Hex", "0x1F"},
                                                         {"Name", "Zürich"},
                                                         {"Names", "one\ntwo"},
                                                         {"Address", "01:80 c2-00000e"},
                                                         {"Huge", "4294967296"}}};
  for (const auto& [keyword, words] : given) {
    ASSERT_EQ(TpNdisSetConfiguration("Lldp\\Parameters", keyword, words), 0U);
  }
  ASSERT_EQ(TpNdisSetConfiguration("Lldp\\Parameters\\Adapters\\eth1", "Count", "7"), 0U);
  ASSERT_EQ(TpNdisSetConfiguration("Lldp\\Parameters\\Adapters\\eth0", "Count", "5"), 0U);
  const NDIS_HANDLE handle = section(L"LLDP\\PARAMETERS");
  const auto* const count = value(handle, L"count", NdisParameterInteger);
  ASSERT_NE(count, nullptr);
  EXPECT_EQ(count->ParameterType, NdisParameterInteger);
  EXPECT_EQ(count->ParameterData.IntegerData, 30U);
  EXPECT_EQ(value(handle, L"MASK", NdisParameterHexInteger)->ParameterData.IntegerData, 0xFF00U);
  EXPECT_EQ(value(handle, L"Hex", NdisParameterInteger)->ParameterData.IntegerData, 0x1FU);
  EXPECT_EQ(words_of(value(handle, L"Name", NdisParameterString)->ParameterData.StringData), L"Zürich");
  EXPECT_EQ(words_of(value(handle, L"Names", NdisParameterMultiString)->ParameterData.StringData),
            std::wstring(L"one\0two\0\0", 9));
  const auto& bytes = value(handle, L"Address", NdisParameterBinary)->ParameterData.BinaryData;
  ASSERT_EQ(bytes.Length, 6);
  EXPECT_EQ(std::memcmp(bytes.Buffer, "\x01\x80\xc2\x00\x00\x0e", 6), 0);
  EXPECT_EQ(value(handle, L"Missing", NdisParameterInteger), nullptr);
  EXPECT_EQ(value(handle, L"Name", NdisParameterInteger), nullptr) << "not a number";
  EXPECT_EQ(value(handle, L"Huge", NdisParameterInteger), nullptr);
  EXPECT_EQ(value(handle, L"Name", NdisParameterBinary), nullptr);
  EXPECT_EQ(value(handle, L"NdisVersion", NdisParameterInteger)->ParameterData.IntegerData, NdisGetVersion());
  EXPECT_NE(value(handle, L"ProcessorType", NdisParameterInteger), nullptr);
  EXPECT_EQ(count->ParameterData.IntegerData, 30U) << "lives until the handle is closed";

  NDIS_STATUS status = -1;
  NDIS_HANDLE adapters = nullptr;
  NDIS_STRING name = text(L"adapters");
  NdisOpenConfigurationKeyByName(&status, handle, &name, &adapters);
  ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
  for (const ULONG index : {0U, 1U}) {
    NDIS_STRING found{};
    NDIS_HANDLE adapter = nullptr;
    NdisOpenConfigurationKeyByIndex(&status, adapters, index, &found, &adapter);
    ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(words_of(found), index == 0 ? L"eth0" : L"eth1");
    EXPECT_EQ(value(adapter, L"Count", NdisParameterInteger)->ParameterData.IntegerData, index == 0 ? 5U : 7U);
    NdisCloseConfiguration(adapter);
  }
  NDIS_STRING found{};
  NDIS_HANDLE none = nullptr;
  NdisOpenConfigurationKeyByIndex(&status, adapters, 2, &found, &none);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  NdisOpenConfigurationKeyByName(&status, adapters, &name, &none);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  NdisCloseConfiguration(adapters);

  // What a driver writes it reads back as the same.
  for (const NDIS_PARAMETER_TYPE type : {NdisParameterInteger, NdisParameterHexInteger, NdisParameterString,
                                         NdisParameterMultiString, NdisParameterBinary}) {
    NDIS_STRING keyword = text(L"Written");
    NDIS_CONFIGURATION_PARAMETER parameter{};
    parameter.ParameterType = type;
    unsigned char raw[] = {0, 0xAB, 0xFF};
    if (type == NdisParameterBinary) {
      parameter.ParameterData.BinaryData = {3, raw};
    } else if (type == NdisParameterString || type == NdisParameterMultiString) {
      parameter.ParameterData.StringData = text(L"words");
    } else {
      parameter.ParameterData.IntegerData = 4711;
    }
    NdisWriteConfiguration(&status, handle, &keyword, &parameter);
    ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
    const auto* const read = value(handle, L"WRITTEN", type);
    ASSERT_NE(read, nullptr);
    if (type == NdisParameterBinary) {
      ASSERT_EQ(read->ParameterData.BinaryData.Length, 3);
      EXPECT_EQ(std::memcmp(read->ParameterData.BinaryData.Buffer, raw, 3), 0);
    } else if (type == NdisParameterString) {
      EXPECT_EQ(words_of(read->ParameterData.StringData), L"words");
    } else if (type != NdisParameterMultiString) {
      EXPECT_EQ(read->ParameterData.IntegerData, 4711U);
    }
  }
  NdisCloseConfiguration(handle);
}

// --- events, timers, work items

// clauses: NDIS-207
TEST(Events, WaitForeverOrForAWhileAndWakeAll) {
  NDIS_EVENT event;
  NdisInitializeEvent(&event);
  EXPECT_FALSE(NdisWaitEvent(&event, 1));
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      EXPECT_TRUE(NdisWaitEvent(&event, 0));
      ++woken;
    });
  }
  NdisSetEvent(&event);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(woken, 4);
  EXPECT_TRUE(NdisWaitEvent(&event, 1)) << "stays signalled";
  NdisResetEvent(&event);
  EXPECT_FALSE(NdisWaitEvent(&event, 1)) << "until it is reset";
}

struct Ticks {
  NDIS_EVENT event;
  std::atomic<int> count{0};
  std::atomic<KIRQL> level{9};
  Ticks() { NdisInitializeEvent(&event); }
};
VOID tick(PVOID, PVOID context, PVOID, PVOID) {
  auto& ticks = *static_cast<Ticks*>(context);
  ticks.level = KeGetCurrentIrql();
  ++ticks.count;
  NdisSetEvent(&ticks.event);
}

// clauses: NDIS-208
TEST(Timers, FireAtDispatchLevelAndSayWhetherTheyWereQueued) {
  Ticks ticks;
  NDIS_TIMER timer;
  NdisInitializeTimer(&timer, tick, &ticks);
  BOOLEAN cancelled = TRUE;
  NdisCancelTimer(&timer, &cancelled);
  EXPECT_FALSE(cancelled);
  NdisSetTimer(&timer, 3'600'000);
  NdisCancelTimer(&timer, &cancelled);
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(ticks.count, 0);
  NdisSetTimer(&timer, 1);
  EXPECT_TRUE(NdisWaitEvent(&ticks.event, 0));
  EXPECT_EQ(ticks.level, DISPATCH_LEVEL);
  NdisCancelTimer(&timer, &cancelled);
  EXPECT_FALSE(cancelled);
  Ticks others;
  NdisSetTimerEx(&timer, 0, &others);
  EXPECT_TRUE(NdisWaitEvent(&others.event, 0));
  NdisSetPeriodicTimer(&timer, 1);
  while (others.count < 4) {
    NdisResetEvent(&others.event);
    NdisWaitEvent(&others.event, 0);
  }
  NdisCancelTimer(&timer, &cancelled);
  EXPECT_TRUE(cancelled);

  NDIS_TIMER_CHARACTERISTICS characteristics{};
  characteristics.Header = {NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS, NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                            NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1};
  characteristics.TimerFunction = tick;
  Ticks own;
  Ticks other;
  characteristics.FunctionContext = &own;
  NDIS_HANDLE object = nullptr;
  ASSERT_EQ(NdisAllocateTimerObject(kOwner, &characteristics, &object), NDIS_STATUS_SUCCESS);
  LARGE_INTEGER hour;
  hour.QuadPart = -36'000'000'000;
  LARGE_INTEGER now;
  now.QuadPart = -1;
  EXPECT_FALSE(NdisSetTimerObject(object, hour, 0, nullptr));
  EXPECT_TRUE(NdisSetTimerObject(object, now, 0, nullptr)) << "it was queued";
  EXPECT_TRUE(NdisWaitEvent(&own.event, 0));
  EXPECT_EQ(own.level, DISPATCH_LEVEL);
  EXPECT_FALSE(NdisSetCoalescableTimerObject(object, now, 0, &other, 10));
  EXPECT_TRUE(NdisWaitEvent(&other.event, 0));
  EXPECT_FALSE(NdisSetTimerObject(object, hour, 0, nullptr));
  EXPECT_TRUE(NdisCancelTimerObject(object));
  EXPECT_FALSE(NdisCancelTimerObject(object));
  EXPECT_FALSE(NdisSetTimerObject(object, hour, 0, nullptr));
  std::uint32_t left = 0;
  EXPECT_EQ(TpReleaseDriverCode(reinterpret_cast<const void*>(&tick), 60'000, &left), 0U);
  EXPECT_EQ(left, 1U) << "it is of whose function it calls";
  EXPECT_FALSE(NdisCancelTimerObject(object));
  NdisFreeTimerObject(object);
  EXPECT_FALSE(NdisSetTimerObject(object, now, 0, nullptr)) << "freed";
}

TEST(WorkItems, RunAtPassiveLevelAndMayFreeThemselves) {
  Ticks ticks;
  NDIS_WORK_ITEM item;
  NdisInitializeWorkItem(
      &item, [](PNDIS_WORK_ITEM, PVOID context) { tick(nullptr, context, nullptr, nullptr); }, &ticks);
  EXPECT_EQ(NdisScheduleWorkItem(&item), NDIS_STATUS_SUCCESS);
  EXPECT_TRUE(NdisWaitEvent(&ticks.event, 0));
  EXPECT_EQ(ticks.level, PASSIVE_LEVEL);
  Ticks others;
  const NDIS_HANDLE io = NdisAllocateIoWorkItem(kOwner);
  ASSERT_NE(io, nullptr);
  NdisQueueIoWorkItem(
      io,
      [](PVOID context, NDIS_HANDLE handle) {
        NdisFreeIoWorkItem(handle);
        tick(nullptr, context, nullptr, nullptr);
      },
      &others);
  EXPECT_TRUE(NdisWaitEvent(&others.event, 0));
}

// --- locks

TEST(Locks, ReadersShareAndWritersDoNot) {
  NDIS_RW_LOCK lock;
  NdisInitializeReadWriteLock(&lock);
  const PNDIS_RW_LOCK_EX lock_ex = NdisAllocateRWLock(kOwner);
  ASSERT_NE(lock_ex, nullptr);
  NDIS_SPIN_LOCK spin;
  NdisAllocateSpinLock(&spin);
  long long counts[3] = {};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      for (int round = 0; round < 1000; ++round) {
        LOCK_STATE state;
        NdisAcquireReadWriteLock(&lock, round % 4 == number ? TRUE : FALSE, &state);
        EXPECT_EQ(KeGetCurrentIrql(), DISPATCH_LEVEL);
        if (round % 4 == number) ++counts[0];
        NdisReleaseReadWriteLock(&lock, &state);
        LOCK_STATE_EX state_ex;
        if (round % 4 == number) {
          NdisAcquireRWLockWrite(lock_ex, &state_ex, 0);
          ++counts[1];
        } else {
          NdisAcquireRWLockRead(lock_ex, &state_ex, 0);
        }
        NdisReleaseRWLock(lock_ex, &state_ex);
        NdisAcquireSpinLock(&spin);
        NdisDprReleaseSpinLock(&spin);
        NdisDprAcquireSpinLock(&spin);
        ++counts[2];
        NdisReleaseSpinLock(&spin);
        EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counts[0], 1000);
  EXPECT_EQ(counts[1], 1000);
  EXPECT_EQ(counts[2], 4000);
  LOCK_STATE first;
  LOCK_STATE second;
  NdisAcquireReadWriteLock(&lock, FALSE, &first);
  NdisAcquireReadWriteLock(&lock, FALSE, &second);
  NdisReleaseReadWriteLock(&lock, &second);
  NdisReleaseReadWriteLock(&lock, &first);
  NdisFreeRWLock(lock_ex);
  NdisFreeSpinLock(&spin);
  NDIS_MUTEX mutex;
  NDIS_INIT_MUTEX(&mutex);
  EXPECT_EQ(NDIS_WAIT_FOR_MUTEX(&mutex), STATUS_SUCCESS);
  NDIS_RELEASE_MUTEX(&mutex);
}

struct Heard {
  std::mutex mutex;
  std::string lines;
};
void hear(void* context, const TpLogRecord* record) {
  auto& heard = *static_cast<Heard*>(context);
  const std::lock_guard lock(heard.mutex);
  heard.lines += record->message;
  heard.lines += '\n';
}
bool has_heard(Heard& heard, const char* message) {
  const std::lock_guard lock(heard.mutex);
  return heard.lines.find(message) != std::string::npos;
}

// The log holds back what one place says too often: broken again until it is told, whatever the tests before this one
// have broken in the same second.
// clauses: NDIS-210
TEST(Levels, APassiveCallAtDispatchLevelIsReported) {
  Heard heard;
  TpLogSink sink{};
  ASSERT_EQ(TpLogOpenCallback(TP_LOG_INFO, hear, &heard, &sink), 0U);
  NDIS_SPIN_LOCK lock;
  NdisAllocateSpinLock(&lock);
  NDIS_STATUS status = -1;
  NDIS_HANDLE handle = nullptr;
  NDIS_STRING path = text(L"Levels");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  do {
    NdisAcquireSpinLock(&lock);
    NdisOpenProtocolConfiguration(&status, &handle, &path);
    NdisReleaseSpinLock(&lock);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS) << "and done all the same";
    NdisCloseConfiguration(handle);
  } while (!has_heard(heard, "a driver breaks a rule") && std::chrono::steady_clock::now() < end);
  ASSERT_EQ(TpLogClose(sink), 0U);
  EXPECT_TRUE(has_heard(heard, "a driver breaks a rule")) << heard.lines;
}

// --- memory, text, time, host

TEST(Services, MemoryAndText) {
  PVOID memory = nullptr;
  EXPECT_EQ(NdisAllocateMemory(&memory, 64, 0, NDIS_PHYSICAL_ADDRESS NDIS_PHYSICAL_ADDRESS_CONST(-1, -1)),
            NDIS_STATUS_SUCCESS);
  NdisZeroMemory(memory, 64);
  ULONG number = 0;
  NdisStoreUlong(static_cast<char*>(memory) + 1, 0x12345678U);
  NdisRetrieveUlong(&number, static_cast<char*>(memory) + 1);
  EXPECT_EQ(number, 0x12345678U);
  NdisFreeMemory(memory, 0, 0);
  EXPECT_EQ(NdisAllocateMemoryWithTag(&memory, 8, kTag), NDIS_STATUS_SUCCESS);
  NdisFreeMemoryWithTag(memory, kTag);
  memory = NdisAllocateMemoryWithTagPriority(kOwner, 8, kTag, NormalPoolPriority);
  ASSERT_NE(memory, nullptr);
  NdisFreeMemoryWithTagPriority(kOwner, memory, kTag);
  const PNDIS_GENERIC_OBJECT object = NdisAllocateGenericObject(nullptr, kTag, sizeof(NDIS_GENERIC_OBJECT) + 8);
  ASSERT_NE(object, nullptr);
  NdisFreeGenericObject(object);
  PVOID mapped = nullptr;
  NdisCreateLookaheadBufferFromSharedMemory(&owner, 4, &mapped);
  EXPECT_EQ(mapped, &owner);
  NdisDestroyLookaheadBufferFromSharedMemory(mapped);

  NDIS_STRING constant = NDIS_STRING_CONST("NdisTest");
  std::array<WCHAR, 16> room{};
  NDIS_STRING upper{0, sizeof(room), room.data()};
  EXPECT_EQ(NdisUpcaseUnicodeString(&upper, &constant), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(words_of(upper), L"NDISTEST");
  EXPECT_TRUE(NdisEqualString(&upper, &constant, TRUE));
  EXPECT_FALSE(NdisEqualString(&upper, &constant, FALSE));
  std::array<char, 16> narrow_room{};
  ANSI_STRING narrow{0, sizeof(narrow_room), narrow_room.data()};
  EXPECT_EQ(NdisUnicodeStringToAnsiString(&narrow, &constant), NDIS_STATUS_SUCCESS);
  EXPECT_STREQ(narrow.Buffer, "NdisTest");
  NdisInitAnsiString(&narrow, "x");
  EXPECT_EQ(NdisAnsiStringToUnicodeString(&upper, &narrow), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(words_of(upper), L"x");
  NDIS_STRING made{};
  std::array<UCHAR, 4> letters{'a', 'b', 'c', 0};
  NdisInitializeString(&made, letters.data());
  EXPECT_EQ(words_of(made), L"abc");
  NdisFreeString(made);
}

TEST(Services, TimeAndHost) {
  LARGE_INTEGER now;
  NdisGetCurrentSystemTime(&now);
  EXPECT_GT(now.QuadPart, 132'000'000'000'000'000) << "after 2019, since 1601";
  ULONG milliseconds = 0;
  NdisGetSystemUpTime(&milliseconds);
  NdisGetSystemUpTimeEx(&now);
  EXPECT_LT(static_cast<ULONG>(now.QuadPart) - milliseconds, 10'000U);
  NdisStallExecution(1);
  NdisMSleep(1);
  EXPECT_GE(NdisSystemProcessorCount(), 1);
  EXPECT_GE(NdisGroupActiveProcessorCount(ALL_PROCESSOR_GROUPS), 1U);
  EXPECT_EQ(NdisGroupMaxProcessorCount(7), 0U);
  EXPECT_EQ(NdisMaxGroupCount() + NdisActiveGroupCount(), 2);
  PROCESSOR_NUMBER number = NdisCurrentGroupAndProcessor();
  EXPECT_EQ(number.Group, 0);
  EXPECT_EQ(NdisProcessorIndexToNumber(0, &number), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(NdisProcessorNumberToIndex(&number), 0U);
  ULONG usage = 101;
  NdisGetCurrentProcessorCpuUsage(&usage);
  EXPECT_LE(usage, 100U);
  ULONG idle = 0;
  ULONG busy = 0;
  ULONG index = 0;
  NdisGetCurrentProcessorCounts(&idle, &busy, &index);
  EXPECT_GT(idle + busy, 0U);
  EXPECT_EQ(NdisGetSharedDataAlignment(), 64U);
  EXPECT_EQ(NdisGetVersion() >> 16, 6U);
  NDIS_STRING name = text(L"NdisGetVersion");
  EXPECT_EQ(NdisGetRoutineAddress(&name), reinterpret_cast<PVOID>(NdisGetVersion));
  name = text(L"KeSetEvent");
  EXPECT_NE(NdisGetRoutineAddress(&name), nullptr);
  name = text(L"NdisNoSuchFunction");
  EXPECT_EQ(NdisGetRoutineAddress(&name), nullptr);
  NDIS_HANDLE wrapper = nullptr;
  NdisInitializeWrapper(&wrapper, nullptr, nullptr, nullptr);
  EXPECT_NE(wrapper, nullptr);
  NdisTerminateWrapper(wrapper, nullptr);
  NdisPrintString(name);
  NdisWriteErrorLogEntry(nullptr, 5, 2, 1U, 2U);
  PWSTR words[] = {const_cast<PWSTR>(L"one"), nullptr};
  EXPECT_EQ(NdisWriteEventLogEntry(&owner, 1, 2, 2, words, 0, nullptr), NDIS_STATUS_SUCCESS);
  NDIS_STATUS status = 0;
  NdisOpenFile(&status, nullptr, nullptr, nullptr, {});
  EXPECT_EQ(status, NDIS_STATUS_NOT_SUPPORTED);
  NdisMapFile(&status, nullptr, nullptr);
  EXPECT_EQ(status, NDIS_STATUS_NOT_SUPPORTED);
  NdisUnmapFile(nullptr);
  NdisCloseFile(nullptr);
}

TEST(Services, ListsUnderASpinLock) {
  NDIS_SPIN_LOCK lock;
  NdisAllocateSpinLock(&lock);
  LIST_ENTRY head;
  std::array<LIST_ENTRY, 2> entries{};
  NdisInitializeListHead(&head);
  EXPECT_EQ(NdisInterlockedInsertHeadList(&head, &entries[0], &lock), nullptr);
  EXPECT_EQ(NdisInterlockedInsertTailList(&head, &entries[1], &lock), &entries[0]);
  EXPECT_EQ(NdisInterlockedRemoveHeadList(&head, &lock), &entries[0]);
  EXPECT_EQ(NdisInterlockedRemoveHeadList(&head, &lock), &entries[1]);
  ULONG sum = 1;
  NdisInterlockedAddUlong(&sum, 2, &lock);
  EXPECT_EQ(sum, 3U);
  NPAGED_LOOKASIDE_LIST pieces;
  NdisInitializeNPagedLookasideList(&pieces, nullptr, nullptr, 0, 32, kTag, 0);
  PVOID const piece = NdisAllocateFromNPagedLookasideList(&pieces);
  EXPECT_NE(piece, nullptr);
  NdisFreeToNPagedLookasideList(&pieces, piece);
  NdisDeleteNPagedLookasideList(&pieces);
}

TEST(Services, BadInputIsRefused) {
  NDIS_STATUS status = 0;
  NDIS_HANDLE handle = nullptr;
  PVOID memory = nullptr;
  char byte = 0;
  EXPECT_EQ(NdisAllocateMemory(nullptr, 4, 0, {}), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisAllocateMemoryWithTag(nullptr, 4, 0), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisAllocateMemoryWithTagPriority(nullptr, 4, 0, LowPoolPriority), nullptr);
  for (PVOID bad : {PVOID{nullptr}, PVOID{&byte}}) {
    NdisFreeMemory(bad, 0, 0);
    NdisFreeMemoryWithTag(bad, 0);
    NdisFreeMemoryWithTagPriority(kOwner, bad, 0);
    NdisFreeGenericObject(static_cast<PNDIS_GENERIC_OBJECT>(bad));
    NdisFreeRWLock(static_cast<PNDIS_RW_LOCK_EX>(bad));
  }
  NdisCreateLookaheadBufferFromSharedMemory(nullptr, 0, nullptr);
  NdisDestroyLookaheadBufferFromSharedMemory(nullptr);

  NdisInitializeEvent(nullptr);
  NdisSetEvent(nullptr);
  NdisResetEvent(nullptr);
  EXPECT_FALSE(NdisWaitEvent(nullptr, 0));
  NdisAllocateSpinLock(nullptr);
  NdisFreeSpinLock(nullptr);
  NdisAcquireSpinLock(nullptr);
  NdisReleaseSpinLock(nullptr);
  NdisDprAcquireSpinLock(nullptr);
  NdisDprReleaseSpinLock(nullptr);
  NdisInitializeReadWriteLock(nullptr);
  LOCK_STATE state{};
  NDIS_RW_LOCK lock{};
  NdisAcquireReadWriteLock(nullptr, TRUE, &state);
  NdisAcquireReadWriteLock(&lock, TRUE, nullptr);
  NdisReleaseReadWriteLock(&lock, &state);  // not held
  NdisReleaseReadWriteLock(nullptr, nullptr);
  EXPECT_EQ(NdisAllocateRWLock(nullptr), nullptr);
  NdisAcquireRWLockRead(nullptr, nullptr, 0);
  NdisAcquireRWLockWrite(nullptr, nullptr, 0);
  NdisReleaseRWLock(nullptr, nullptr);
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);

  NdisInitializeTimer(nullptr, nullptr, nullptr);
  NdisSetTimer(nullptr, 1);
  NdisSetTimerEx(nullptr, 1, nullptr);
  NdisSetPeriodicTimer(nullptr, 1);
  NdisCancelTimer(nullptr, nullptr);
  NDIS_TIMER_CHARACTERISTICS characteristics{};
  EXPECT_EQ(NdisAllocateTimerObject(kOwner, &characteristics, &handle), NDIS_STATUS_INVALID_PARAMETER);
  EXPECT_EQ(NdisAllocateTimerObject(nullptr, nullptr, nullptr), NDIS_STATUS_INVALID_PARAMETER);
  for (const NDIS_HANDLE bad : {NDIS_HANDLE{nullptr}, kOwner, INVALID_HANDLE_VALUE}) {
    EXPECT_FALSE(NdisSetTimerObject(bad, {}, 0, nullptr));
    EXPECT_FALSE(NdisSetCoalescableTimerObject(bad, {}, 0, nullptr, 0));
    EXPECT_FALSE(NdisCancelTimerObject(bad));
    NdisFreeTimerObject(bad);
    NdisQueueIoWorkItem(bad, [](PVOID, NDIS_HANDLE) { ADD_FAILURE(); }, nullptr);
    NdisFreeIoWorkItem(bad);
    NdisCloseConfiguration(bad);
    NDIS_STRING name = text(L"x");
    PNDIS_CONFIGURATION_PARAMETER parameter = nullptr;
    NdisReadConfiguration(&status, &parameter, bad, &name, NdisParameterInteger);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    NdisWriteConfiguration(&status, bad, &name, nullptr);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    NdisOpenConfigurationKeyByName(&status, bad, &name, &handle);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    NdisOpenConfigurationKeyByIndex(&status, bad, 0, &name, &handle);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    NdisOpenConfiguration(&status, &handle, bad);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  }
  EXPECT_EQ(NdisScheduleWorkItem(nullptr), NDIS_STATUS_FAILURE);
  NDIS_WORK_ITEM nothing{};
  EXPECT_EQ(NdisScheduleWorkItem(&nothing), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisAllocateIoWorkItem(nullptr), nullptr);
  NDIS_CONFIGURATION_OBJECT object{};
  EXPECT_EQ(NdisOpenConfigurationEx(&object, &handle), NDIS_STATUS_INVALID_PARAMETER);
  EXPECT_EQ(NdisOpenConfigurationEx(nullptr, nullptr), NDIS_STATUS_INVALID_PARAMETER);
  NdisOpenProtocolConfiguration(&status, nullptr, nullptr);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(TpNdisSetConfiguration(nullptr, "a", "b"), 87U);
  EXPECT_EQ(TpNdisSetConfiguration("a", "", "b"), 87U);
  EXPECT_EQ(TpNdisSetConfiguration("a", "gone", nullptr), 0U);

  EXPECT_EQ(NdisInterlockedInsertHeadList(nullptr, nullptr, nullptr), nullptr);
  EXPECT_EQ(NdisInterlockedInsertTailList(nullptr, nullptr, nullptr), nullptr);
  EXPECT_EQ(NdisInterlockedRemoveHeadList(nullptr, nullptr), nullptr);
  EXPECT_EQ(NdisInterlockedAddUlong(nullptr, 1, nullptr), 0U);
  NdisInitAnsiString(nullptr, nullptr);
  NdisInitUnicodeString(nullptr, nullptr);
  NdisInitializeString(nullptr, nullptr);
  NdisFreeString({});
  EXPECT_NE(NdisAnsiStringToUnicodeString(nullptr, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_NE(NdisUnicodeStringToAnsiString(nullptr, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_NE(NdisUpcaseUnicodeString(nullptr, nullptr), NDIS_STATUS_SUCCESS);
  EXPECT_TRUE(NdisEqualString(nullptr, nullptr, FALSE));
  NdisGetCurrentSystemTime(nullptr);
  NdisGetSystemUpTime(nullptr);
  NdisGetSystemUpTimeEx(nullptr);
  NdisGetCurrentProcessorCpuUsage(nullptr);
  NdisGetCurrentProcessorCounts(nullptr, nullptr, nullptr);
  EXPECT_EQ(NdisProcessorIndexToNumber(~0U, nullptr), NDIS_STATUS_INVALID_PARAMETER);
  EXPECT_EQ(NdisProcessorNumberToIndex(nullptr), ~0U);
  EXPECT_EQ(NdisGetRoutineAddress(nullptr), nullptr);
  NdisInitializeWrapper(nullptr, nullptr, nullptr, nullptr);
  NdisPrintString({});
  NdisWriteErrorLogEntry(nullptr, 0, 0);
  EXPECT_EQ(NdisWriteEventLogEntry(nullptr, 0, 0, 0, nullptr, 0, nullptr), NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisWriteEventLogEntry(&byte, 0, 0, 1, nullptr, 0, nullptr), NDIS_STATUS_FAILURE);
  static_cast<void>(memory);
}

}  // namespace
