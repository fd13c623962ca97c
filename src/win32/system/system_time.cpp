// What time it is, and one form of time as another. All of it by the shim's clock, which a test may turn.
#include <errhandlingapi.h>
#include <fileapi.h>
#include <profileapi.h>
#include <sysinfoapi.h>
#include <time.h>
#include <timezoneapi.h>

#include <chrono>
#include <limits>
#include <optional>

#include "win32/last_error.h"
#include "win32/system/file_time.h"
#include "win32/threads/time_service.h"

namespace turnpike::win32 {
namespace {

using FileTicks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;
using Days = std::chrono::days;
constexpr std::chrono::sys_days kEpoch = std::chrono::year(1601) / 1 / 1;  // of a FILETIME
constexpr int kLastYear = 30827;

std::int64_t ticks_of(const FILETIME& time) {
  return static_cast<std::int64_t>(std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime);
}

FILETIME file_time_of(std::int64_t ticks) {
  return {static_cast<DWORD>(ticks), static_cast<DWORD>(static_cast<std::uint64_t>(ticks) >> 32)};
}

SYSTEMTIME date_of(std::int64_t ticks) {
  const FileTicks since_epoch(ticks);
  const auto day = std::chrono::floor<Days>(since_epoch);
  const std::chrono::year_month_day date(kEpoch + day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(since_epoch - day));
  SYSTEMTIME out{};
  out.wYear = static_cast<WORD>(static_cast<int>(date.year()));
  out.wMonth = static_cast<WORD>(static_cast<unsigned>(date.month()));
  out.wDayOfWeek = static_cast<WORD>(std::chrono::weekday(kEpoch + day).c_encoding());
  out.wDay = static_cast<WORD>(static_cast<unsigned>(date.day()));
  out.wHour = static_cast<WORD>(clock.hours().count());
  out.wMinute = static_cast<WORD>(clock.minutes().count());
  out.wSecond = static_cast<WORD>(clock.seconds().count());
  out.wMilliseconds = static_cast<WORD>(clock.subseconds().count());
  return out;
}

std::optional<std::int64_t> ticks_of(const SYSTEMTIME& time) {
  const std::chrono::year_month_day date(std::chrono::year(time.wYear), std::chrono::month(time.wMonth),
                                         std::chrono::day(time.wDay));
  const bool good = time.wYear >= 1601 && time.wYear <= kLastYear && date.ok() && time.wHour < 24 &&
                    time.wMinute < 60 && time.wSecond < 60 && time.wMilliseconds < 1000;
  if (!good) return std::nullopt;
  const FileTicks ticks = (std::chrono::sys_days(date) - kEpoch) + std::chrono::hours(time.wHour) +
                          std::chrono::minutes(time.wMinute) + std::chrono::seconds(time.wSecond) +
                          std::chrono::milliseconds(time.wMilliseconds);
  return ticks.count();
}

// How far the local time is ahead of UTC at this moment.
std::int64_t local_offset() {
  const time_t now = std::chrono::duration_cast<std::chrono::seconds>(clock().wall().time_since_epoch()).count();
  struct tm local{};
  localtime_r(&now, &local);
  return FileTicks(std::chrono::seconds(local.tm_gmtoff)).count();
}

std::int64_t now() { return to_file_time(clock().wall()); }

void tell_file_time(LPFILETIME out) {
  if (out == nullptr) return set_last_error(ERROR_INVALID_PARAMETER);
  *out = file_time_of(now());
}

void tell_date(LPSYSTEMTIME out, std::int64_t ticks) {
  if (out == nullptr) return set_last_error(ERROR_INVALID_PARAMETER);
  *out = date_of(ticks);
}

BOOL shift(const FILETIME* from, std::int64_t offset, LPFILETIME out) {
  if (from == nullptr || out == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  std::int64_t shifted = 0;
  if (ticks_of(*from) < 0 || __builtin_add_overflow(ticks_of(*from), offset, &shifted) || shifted < 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  *out = file_time_of(shifted);
  return TRUE;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::FileTicks;
using turnpike::win32::ticks_of;

VOID WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime) {
  turnpike::win32::tell_date(lpSystemTime, turnpike::win32::now());
}
VOID WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime) {
  turnpike::win32::tell_date(lpSystemTime, turnpike::win32::now() + turnpike::win32::local_offset());
}
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime) {
  turnpike::win32::tell_file_time(lpSystemTimeAsFileTime);
}
VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime) {
  turnpike::win32::tell_file_time(lpSystemTimeAsFileTime);
}

ULONGLONG WINAPI GetTickCount64(VOID) {
  const auto awake = turnpike::win32::clock().now().time_since_epoch();
  return static_cast<ULONGLONG>(std::chrono::duration_cast<std::chrono::milliseconds>(awake).count());
}
DWORD WINAPI GetTickCount(VOID) { return static_cast<DWORD>(GetTickCount64()); }

BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER* lpPerformanceCount) {
  if (lpPerformanceCount == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  const auto awake = turnpike::win32::clock().now().time_since_epoch();
  lpPerformanceCount->QuadPart = std::chrono::duration_cast<FileTicks>(awake).count();
  return TRUE;
}

BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER* lpFrequency) {
  if (lpFrequency == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  lpFrequency->QuadPart = FileTicks::period::den;
  return TRUE;
}

BOOL WINAPI FileTimeToSystemTime(const FILETIME* lpFileTime, LPSYSTEMTIME lpSystemTime) {
  if (lpFileTime == nullptr || lpSystemTime == nullptr || ticks_of(*lpFileTime) < 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  *lpSystemTime = turnpike::win32::date_of(ticks_of(*lpFileTime));
  return TRUE;
}

BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME* lpSystemTime, LPFILETIME lpFileTime) {
  if (lpSystemTime == nullptr || lpFileTime == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  const auto ticks = ticks_of(*lpSystemTime);
  if (!ticks) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  *lpFileTime = turnpike::win32::file_time_of(*ticks);
  return TRUE;
}

LONG WINAPI CompareFileTime(const FILETIME* lpFileTime1, const FILETIME* lpFileTime2) {
  if (lpFileTime1 == nullptr || lpFileTime2 == nullptr) return fail_with(ERROR_INVALID_PARAMETER, 0);
  const auto left = static_cast<std::uint64_t>(ticks_of(*lpFileTime1));
  const auto right = static_cast<std::uint64_t>(ticks_of(*lpFileTime2));
  return (left > right) - (left < right);
}

BOOL WINAPI FileTimeToLocalFileTime(const FILETIME* lpFileTime, LPFILETIME lpLocalFileTime) {
  return turnpike::win32::shift(lpFileTime, turnpike::win32::local_offset(), lpLocalFileTime);
}
BOOL WINAPI LocalFileTimeToFileTime(const FILETIME* lpLocalFileTime, LPFILETIME lpFileTime) {
  return turnpike::win32::shift(lpLocalFileTime, -turnpike::win32::local_offset(), lpFileTime);
}
