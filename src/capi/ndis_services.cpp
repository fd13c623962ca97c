// The services of ndis.h that need neither a protocol nor a pool: what the driver tier of the base shim (wdm.h) has
// under another name, and a few facts about the host. Null pointers are answered there, or here where nothing is
// called.
#include <dlfcn.h>
#include <ndis.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <fstream>
#include <sstream>
#include <string>

#include "base/log.h"
#include "ndis/pools/misuse.h"

using turnpike::LogLevel;
using turnpike::ndis::report_misuse;

namespace {

template <class T>
void store(T* place, T value) {
  if (place != nullptr) {
    *place = value;
  }
}

std::string text_of(const NDIS_STRING& text) {
  ANSI_STRING narrow{};
  std::string out;
  if (RtlUnicodeStringToAnsiString(&narrow, &text, TRUE) == STATUS_SUCCESS) {
    out.assign(narrow.Buffer, narrow.Length);
    RtlFreeAnsiString(&narrow);
  }
  return out;
}

void check_passive(const char* function) {
  if (KeGetCurrentIrql() >= DISPATCH_LEVEL) {
    report_misuse(function, "this call is for PASSIVE_LEVEL", std::uint64_t{KeGetCurrentIrql()});
  }
}

LARGE_INTEGER in_microseconds(ULONGLONG microseconds) {
  LARGE_INTEGER due;
  due.QuadPart = -static_cast<LONGLONG>(microseconds * 10);
  return due;
}

}  // namespace

// --- memory

NDIS_STATUS NdisAllocateMemory(PVOID* VirtualAddress, UINT Length, UINT, NDIS_PHYSICAL_ADDRESS) {
  return NdisAllocateMemoryWithTag(VirtualAddress, Length, 0);
}
NDIS_STATUS NdisAllocateMemoryWithTag(PVOID* VirtualAddress, UINT Length, ULONG Tag) {
  if (VirtualAddress == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  *VirtualAddress = ExAllocatePoolWithTag(NonPagedPool, Length, Tag);
  return *VirtualAddress != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_FAILURE;
}
PVOID NdisAllocateMemoryWithTagPriority(NDIS_HANDLE NdisHandle, UINT Length, ULONG Tag, EX_POOL_PRIORITY) {
  if (NdisHandle == nullptr) {
    report_misuse(__func__, "memory is allocated with a handle", NdisHandle);
    return nullptr;
  }
  return ExAllocatePoolWithTag(NonPagedPool, Length, Tag);
}
VOID NdisFreeMemory(PVOID VirtualAddress, UINT, UINT) { ExFreePool(VirtualAddress); }
VOID NdisFreeMemoryWithTag(PVOID VirtualAddress, ULONG Tag) { ExFreePoolWithTag(VirtualAddress, Tag); }
VOID NdisFreeMemoryWithTagPriority(NDIS_HANDLE, PVOID VirtualAddress, ULONG Tag) {
  ExFreePoolWithTag(VirtualAddress, Tag);
}

PNDIS_GENERIC_OBJECT NdisAllocateGenericObject(PDRIVER_OBJECT DriverObject, ULONG Tag, USHORT Size) {
  const SIZE_T size = std::max<SIZE_T>(Size, sizeof(NDIS_GENERIC_OBJECT));
  auto* const object = static_cast<PNDIS_GENERIC_OBJECT>(ExAllocatePool2(POOL_FLAG_NON_PAGED, size, Tag));
  if (object != nullptr) {
    object->Header = {NDIS_OBJECT_TYPE_DEFAULT, NDIS_GENERIC_OBJECT_REVISION_1, static_cast<USHORT>(size)};
    object->DriverObject = DriverObject;
  }
  return object;
}
VOID NdisFreeGenericObject(PNDIS_GENERIC_OBJECT NdisObject) { ExFreePool(NdisObject); }

// The mapping is the identity.
VOID NdisCreateLookaheadBufferFromSharedMemory(PVOID pSharedMemory, UINT, PVOID* pLookaheadBuffer) {
  store(pLookaheadBuffer, pSharedMemory);
}
VOID NdisDestroyLookaheadBufferFromSharedMemory(PVOID) {}

// --- events, lists

VOID NdisInitializeEvent(PNDIS_EVENT Event) {
  KeInitializeEvent(Event != nullptr ? &Event->Event : nullptr, NotificationEvent, FALSE);
}
VOID NdisSetEvent(PNDIS_EVENT Event) { KeSetEvent(Event != nullptr ? &Event->Event : nullptr, 0, FALSE); }
VOID NdisResetEvent(PNDIS_EVENT Event) { KeResetEvent(Event != nullptr ? &Event->Event : nullptr); }
BOOLEAN NdisWaitEvent(PNDIS_EVENT Event, UINT MsToWait) {
  if (Event == nullptr) {
    return FALSE;
  }
  check_passive(__func__);
  LARGE_INTEGER due = in_microseconds(ULONGLONG{MsToWait} * 1000);
  return KeWaitForSingleObject(&Event->Event, Executive, KernelMode, FALSE, MsToWait != 0 ? &due : nullptr) ==
                 STATUS_SUCCESS
             ? TRUE
             : FALSE;
}

namespace {
PKSPIN_LOCK lock_of(PNDIS_SPIN_LOCK lock) { return lock != nullptr ? &lock->SpinLock : nullptr; }
}  // namespace

PLIST_ENTRY NdisInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PNDIS_SPIN_LOCK SpinLock) {
  return ExInterlockedInsertHeadList(ListHead, ListEntry, lock_of(SpinLock));
}
PLIST_ENTRY NdisInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PNDIS_SPIN_LOCK SpinLock) {
  return ExInterlockedInsertTailList(ListHead, ListEntry, lock_of(SpinLock));
}
PLIST_ENTRY NdisInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PNDIS_SPIN_LOCK SpinLock) {
  return ExInterlockedRemoveHeadList(ListHead, lock_of(SpinLock));
}
ULONG NdisInterlockedAddUlong(PULONG Addend, ULONG Increment, PNDIS_SPIN_LOCK SpinLock) {
  return ExInterlockedAddUlong(Addend, Increment, lock_of(SpinLock));
}

// --- text

VOID NdisInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString) {
  RtlInitAnsiString(DestinationString, SourceString);
}
VOID NdisInitUnicodeString(PNDIS_STRING DestinationString, PCWSTR SourceString) {
  RtlInitUnicodeString(DestinationString, SourceString);
}
VOID NdisInitializeString(PNDIS_STRING Destination, PUCHAR Source) {
  ANSI_STRING narrow;
  RtlInitAnsiString(&narrow, reinterpret_cast<PCSTR>(Source));
  if (Destination != nullptr && RtlAnsiStringToUnicodeString(Destination, &narrow, TRUE) != STATUS_SUCCESS) {
    *Destination = {};
  }
}
VOID NdisFreeString(NDIS_STRING String) { RtlFreeUnicodeString(&String); }
NDIS_STATUS NdisAnsiStringToUnicodeString(PNDIS_STRING DestinationString, PANSI_STRING SourceString) {
  return RtlAnsiStringToUnicodeString(DestinationString, SourceString, FALSE);
}
NDIS_STATUS NdisUnicodeStringToAnsiString(PANSI_STRING DestinationString, PNDIS_STRING SourceString) {
  return RtlUnicodeStringToAnsiString(DestinationString, SourceString, FALSE);
}
NDIS_STATUS NdisUpcaseUnicodeString(PNDIS_STRING DestinationString, PNDIS_STRING SourceString) {
  return RtlUpcaseUnicodeString(DestinationString, SourceString, FALSE);
}
BOOLEAN NdisEqualString(PNDIS_STRING String1, PNDIS_STRING String2, BOOLEAN CaseInsensitive) {
  return RtlEqualUnicodeString(String1, String2, CaseInsensitive);
}

// --- time and the host

VOID NdisGetCurrentSystemTime(PLARGE_INTEGER pSystemTime) { KeQuerySystemTime(pSystemTime); }
VOID NdisGetSystemUpTimeEx(PLARGE_INTEGER pSystemUpTime) { KeQueryTickCount(pSystemUpTime); }
VOID NdisGetSystemUpTime(PULONG pSystemUpTime) {
  LARGE_INTEGER milliseconds;
  KeQueryTickCount(&milliseconds);
  store(pSystemUpTime, milliseconds.LowPart);
}
VOID NdisStallExecution(UINT MicrosecondsToStall) { KeStallExecutionProcessor(MicrosecondsToStall); }
VOID NdisMSleep(ULONG MicrosecondsToSleep) {
  check_passive(__func__);
  LARGE_INTEGER span = in_microseconds(MicrosecondsToSleep);
  KeDelayExecutionThread(KernelMode, FALSE, &span);
}

namespace {

ULONG processors() { return static_cast<ULONG>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN))); }

struct Usage {
  ULONG idle = 0;
  ULONG busy = 0;  // hundredths of a second
};
Usage usage_of(ULONG cpu) {
  std::ifstream stat("/proc/stat");
  const std::string wanted = "cpu" + std::to_string(cpu) + " ";
  for (std::string line; std::getline(stat, line);) {
    if (line.starts_with(wanted)) {
      std::istringstream numbers(line.substr(wanted.size()));
      unsigned long long user = 0, nice = 0, system = 0, idle = 0, waiting = 0;
      numbers >> user >> nice >> system >> idle >> waiting;
      return {static_cast<ULONG>(idle + waiting), static_cast<ULONG>(user + nice + system)};
    }
  }
  return {};
}

}  // namespace

CCHAR NdisSystemProcessorCount(VOID) { return static_cast<CCHAR>(std::min(processors(), 127U)); }
VOID NdisGetCurrentProcessorCpuUsage(PULONG pCpuUsage) {
  const Usage usage = usage_of(NdisCurrentProcessorIndex());
  const ULONGLONG all = ULONGLONG{usage.idle} + usage.busy;
  store(pCpuUsage, all != 0 ? static_cast<ULONG>(ULONGLONG{usage.busy} * 100 / all) : 0U);
}
VOID NdisGetCurrentProcessorCounts(PULONG pIdleCount, PULONG pKernelAndUser, PULONG pIndex) {
  const ULONG index = NdisCurrentProcessorIndex();
  const Usage usage = usage_of(index);
  store(pIdleCount, usage.idle);
  store(pKernelAndUser, usage.busy);
  store(pIndex, index);
}
ULONG NdisGetSharedDataAlignment(VOID) { return 64; }
// There is one group.
ULONG NdisGroupMaxProcessorCount(USHORT Group) { return NdisGroupActiveProcessorCount(Group); }
ULONG NdisGroupActiveProcessorCount(USHORT Group) {
  return Group == 0 || Group == ALL_PROCESSOR_GROUPS ? processors() : 0;
}
USHORT NdisMaxGroupCount(VOID) { return 1; }
USHORT NdisActiveGroupCount(VOID) { return 1; }
ULONG NdisCurrentProcessorIndex(VOID) { return KeGetCurrentProcessorNumber(); }
PROCESSOR_NUMBER NdisCurrentGroupAndProcessor(VOID) {
  return {0, static_cast<UCHAR>(std::min(NdisCurrentProcessorIndex(), 255U)), 0};
}
NDIS_STATUS NdisProcessorIndexToNumber(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNum) {
  if (ProcNum == nullptr || ProcIndex >= processors() || ProcIndex > 255) {
    return NDIS_STATUS_INVALID_PARAMETER;
  }
  *ProcNum = {0, static_cast<UCHAR>(ProcIndex), 0};
  return NDIS_STATUS_SUCCESS;
}
ULONG NdisProcessorNumberToIndex(PPROCESSOR_NUMBER ProcNum) {
  return ProcNum != nullptr && ProcNum->Group == 0 && ProcNum->Number < processors() ? ProcNum->Number : ~0U;
}

UINT NdisGetVersion(VOID) { return 6U << 16 | 89; }
PVOID NdisGetRoutineAddress(PNDIS_STRING NdisRoutineName) {
  if (NdisRoutineName == nullptr) {
    return nullptr;
  }
  const std::string name = text_of(*NdisRoutineName);
  if (name.empty()) {
    return nullptr;
  }
  PVOID const found = ::dlsym(RTLD_DEFAULT, name.c_str());
  return found != nullptr ? found : ::dlsym(RTLD_DEFAULT, ("tp_" + name).c_str());
}
VOID NdisInitializeWrapper(PNDIS_HANDLE NdisWrapperHandle, PVOID, PVOID, PVOID) {
  static char wrapper;  // the handle stands for nothing
  store(NdisWrapperHandle, NDIS_HANDLE{&wrapper});
}
VOID NdisTerminateWrapper(NDIS_HANDLE, PVOID) {}

// --- words

VOID NdisPrintString(NDIS_STRING String) { DbgPrint("%s", text_of(String).c_str()); }

VOID NdisWriteErrorLogEntry(NDIS_HANDLE, NDIS_ERROR_CODE ErrorCode, ULONG NumberOfErrorValues, ...) {
  constexpr ULONG kMost = 32;  // an entry has no room for more
  std::string values;
  std::va_list arguments;
  va_start(arguments, NumberOfErrorValues);
  for (ULONG at = 0; at < std::min(NumberOfErrorValues, kMost); ++at) {
    values += (at == 0 ? "" : " ") + std::to_string(va_arg(arguments, ULONG));
  }
  va_end(arguments);
  TURNPIKE_LOG(LogLevel::kError, "ndis", "a driver reports an error", {"code", ErrorCode}, {"values", values});
}

NDIS_STATUS NdisWriteEventLogEntry(PVOID LogHandle, NDIS_STATUS EventCode, ULONG UniqueEventValue, USHORT NumStrings,
                                   PVOID StringsList, ULONG DataSize, PVOID Data) {
  if (LogHandle == nullptr || (NumStrings != 0 && StringsList == nullptr) || (DataSize != 0 && Data == nullptr)) {
    return NDIS_STATUS_FAILURE;
  }
  std::string words;
  for (USHORT at = 0; at < NumStrings; ++at) {
    UNICODE_STRING one;
    RtlInitUnicodeString(&one, static_cast<PWSTR*>(StringsList)[at]);
    words += (at == 0 ? "" : " ") + text_of(one);
  }
  TURNPIKE_LOG(LogLevel::kNotice, "ndis", "a driver reports an event", {"code", static_cast<ULONG>(EventCode)},
               {"unique", UniqueEventValue}, {"words", words}, {"data_bytes", DataSize});
  return NDIS_STATUS_SUCCESS;
}

// --- firmware files: none yet (contract, B.1: later)

VOID NdisOpenFile(PNDIS_STATUS Status, PNDIS_HANDLE, PUINT, PNDIS_STRING, NDIS_PHYSICAL_ADDRESS) {
  store(Status, NDIS_STATUS_NOT_SUPPORTED);
}
VOID NdisMapFile(PNDIS_STATUS Status, PVOID*, NDIS_HANDLE) { store(Status, NDIS_STATUS_NOT_SUPPORTED); }
VOID NdisUnmapFile(NDIS_HANDLE) {}
VOID NdisCloseFile(NDIS_HANDLE) {}
