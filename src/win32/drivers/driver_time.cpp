// Time and words as drivers ask for them.
#include <sched.h>
#include <wdm.h>

#include <chrono>
#include <cstdarg>
#include <string>

#include "base/log.h"
#include "win32/system/file_time.h"
#include "win32/text/format.h"
#include "win32/threads/time_service.h"

namespace turnpike::win32 {
namespace {

constexpr LONGLONG kTicksPerSecond = 10'000'000;  // of 100 ns, as on Windows

}  // namespace
}  // namespace turnpike::win32

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime) {
  if (CurrentTime != nullptr) {
    CurrentTime->QuadPart = turnpike::win32::to_file_time(turnpike::win32::clock().wall());
  }
}

ULONGLONG KeQueryInterruptTime(VOID) {
  return static_cast<ULONGLONG>(turnpike::win32::clock().now().time_since_epoch().count()) / 100;
}

// A tick is a millisecond.
ULONG KeQueryTimeIncrement(VOID) { return turnpike::win32::kTicksPerSecond / 1000; }
VOID KeQueryTickCount(PLARGE_INTEGER CurrentCount) {
  if (CurrentCount != nullptr) {
    CurrentCount->QuadPart = static_cast<LONGLONG>(KeQueryInterruptTime() / KeQueryTimeIncrement());
  }
}

VOID KeStallExecutionProcessor(ULONG MicroSeconds) {
  // By the system's clock, and without sleeping: it is for a few microseconds.
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(MicroSeconds);
  while (std::chrono::steady_clock::now() < until) {
  }
}

ULONG KeGetCurrentProcessorNumber(VOID) {
  const int cpu = ::sched_getcpu();
  return cpu >= 0 ? static_cast<ULONG>(cpu) : 0;
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Interval) {
  if (Interval == nullptr) {
    return static_cast<NTSTATUS>(STATUS_INVALID_PARAMETER);
  }
  KEVENT never;
  KeInitializeEvent(&never, NotificationEvent, FALSE);
  KeWaitForSingleObject(&never, DelayExecution, KernelMode, FALSE, Interval);
  return STATUS_SUCCESS;
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency) {
  if (PerformanceFrequency != nullptr) {
    PerformanceFrequency->QuadPart = turnpike::win32::kTicksPerSecond;
  }
  LARGE_INTEGER now;
  now.QuadPart = turnpike::win32::clock().now().time_since_epoch().count() / 100;
  return now;
}

ULONG DbgPrint(PCSTR Format, ...) {
  using turnpike::LogLevel;
  if (Format == nullptr || !turnpike::process_log().enabled(LogLevel::kDebug)) {
    return STATUS_SUCCESS;
  }
  char line[512];  // what Windows prints at most
  turnpike::win32::BoundedTarget<char> target(line, sizeof(line));
  std::va_list list;
  va_start(list, Format);
  turnpike::win32::VariadicArguments arguments(list);
  va_end(list);
  turnpike::win32::format(target, Format, arguments);
  std::string_view said = target.text();
  said = said.substr(0, said.find_last_not_of("\r\n") + 1);
  // Nobody may be told that a sink failed: drivers do not look at the result.
  static_cast<void>(turnpike::process_log().write(LogLevel::kDebug, "driver", said, {}));
  return STATUS_SUCCESS;
}
