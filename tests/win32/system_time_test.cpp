// What time it is by a clock that the test turns, and one form of time as another.
#include <gtest/gtest.h>
#include <windows.h>

#include <cstdlib>
#include <ctime>

#include "turned_clock.h"

namespace turnpike::win32 {
namespace {

FILETIME file_time(std::uint64_t ticks) { return {static_cast<DWORD>(ticks), static_cast<DWORD>(ticks >> 32)}; }
std::uint64_t ticks(const FILETIME& time) { return std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime; }

constexpr std::uint64_t kNewYear2026 = 134'116'992'000'000'000;  // where a test clock's wall begins

struct Date {
  int year, month, day, weekday, hour, minute, second, milliseconds;
  friend bool operator==(const Date&, const Date&) = default;
};

Date date(const SYSTEMTIME& t) {
  return {t.wYear, t.wMonth, t.wDay, t.wDayOfWeek, t.wHour, t.wMinute, t.wSecond, t.wMilliseconds};
}

class SystemTime : public TurnedClock {};

TEST_F(SystemTime, FollowsTheClock) {
  FILETIME time{};
  GetSystemTimeAsFileTime(&time);
  EXPECT_EQ(ticks(time), kNewYear2026);
  advance(1500);
  GetSystemTimePreciseAsFileTime(&time);
  EXPECT_EQ(ticks(time), kNewYear2026 + 15'000'000);
  SYSTEMTIME system{};
  GetSystemTime(&system);
  EXPECT_EQ(date(system), (Date{2026, 1, 1, 4, 0, 0, 1, 500}));
}

TEST_F(SystemTime, TicksFollowTheClock) {
  const ULONGLONG before = GetTickCount64();
  EXPECT_EQ(GetTickCount(), static_cast<DWORD>(before));
  LARGE_INTEGER count_before, count, frequency;
  EXPECT_TRUE(QueryPerformanceCounter(&count_before));
  advance(250);
  EXPECT_EQ(GetTickCount64(), before + 250);
  EXPECT_TRUE(QueryPerformanceCounter(&count));
  EXPECT_TRUE(QueryPerformanceFrequency(&frequency));
  EXPECT_EQ((count.QuadPart - count_before.QuadPart) * 1000 / frequency.QuadPart, 250);
}

TEST_F(SystemTime, TicksBeginAnewAfter49Days) {
  const DWORD before = GetTickCount();
  advance((std::int64_t{1} << 32) + 5);
  EXPECT_EQ(GetTickCount(), before + 5);
}

TEST_F(SystemTime, LocalTimeIsAheadByTheZonesOffset) {
  setenv("TZ", "TST-02:30", 1);
  tzset();
  SYSTEMTIME local{};
  GetLocalTime(&local);
  EXPECT_EQ(date(local), (Date{2026, 1, 1, 4, 2, 30, 0, 0}));
  FILETIME there{}, back{};
  const FILETIME here = file_time(kNewYear2026);
  EXPECT_TRUE(FileTimeToLocalFileTime(&here, &there));
  EXPECT_EQ(ticks(there) - kNewYear2026, 9000ULL * 10'000'000);
  EXPECT_TRUE(LocalFileTimeToFileTime(&there, &back));
  EXPECT_EQ(ticks(back), kNewYear2026);
  const FILETIME first = file_time(0), last = file_time(0x7FFFFFFFFFFFFFFF);
  EXPECT_FALSE(LocalFileTimeToFileTime(&first, &back));
  EXPECT_FALSE(FileTimeToLocalFileTime(&last, &there));
  unsetenv("TZ");
  tzset();
}

TEST(FileTime, ThereAndBack) {
  const struct {
    std::uint64_t ticks;
    Date date;
  } cases[] = {
      {0, {1601, 1, 1, 1, 0, 0, 0, 0}},
      {116'444'736'000'000'000, {1970, 1, 1, 4, 0, 0, 0, 0}},
      {125'963'423'999'990'000, {2000, 2, 29, 2, 23, 59, 59, 999}},
      {kNewYear2026 + 10'000, {2026, 1, 1, 4, 0, 0, 0, 1}},
      {0x7FFF35F4F06C58F0 / 10'000 * 10'000, {30827, 12, 31, 5, 23, 59, 59, 999}},
  };
  for (const auto& [count, expected] : cases) {
    const FILETIME time = file_time(count);
    SYSTEMTIME system{};
    ASSERT_TRUE(FileTimeToSystemTime(&time, &system));
    EXPECT_EQ(date(system), expected) << count;
    system.wDayOfWeek = 99;
    FILETIME back{};
    ASSERT_TRUE(SystemTimeToFileTime(&system, &back)) << count;
    EXPECT_EQ(ticks(back), count);
  }
}

TEST(FileTime, BadInput) {
  const FILETIME negative = file_time(0x8000000000000000), good = file_time(1);
  SYSTEMTIME system{};
  FILETIME time{};
  SetLastError(0);
  EXPECT_FALSE(FileTimeToSystemTime(&negative, &system));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(FileTimeToSystemTime(nullptr, &system));
  EXPECT_FALSE(FileTimeToSystemTime(&good, nullptr));
  EXPECT_FALSE(SystemTimeToFileTime(nullptr, &time));
  EXPECT_FALSE(FileTimeToLocalFileTime(&negative, &time));
  EXPECT_FALSE(FileTimeToLocalFileTime(nullptr, &time));
  EXPECT_FALSE(LocalFileTimeToFileTime(&good, nullptr));
  const SYSTEMTIME bad[] = {
      {1600, 12, 0, 31, 0, 0, 0, 0},  {30828, 1, 0, 1, 0, 0, 0, 0},         {2026, 0, 0, 1, 0, 0, 0, 0},
      {2026, 13, 0, 1, 0, 0, 0, 0},   {2026, 2, 0, 29, 0, 0, 0, 0},         {2026, 1, 0, 0, 0, 0, 0, 0},
      {2026, 1, 0, 1, 24, 0, 0, 0},   {2026, 1, 0, 1, 0, 60, 0, 0},         {2026, 1, 0, 1, 0, 0, 60, 0},
      {2026, 1, 0, 1, 0, 0, 0, 1000}, {65535, 65535, 0, 65535, 0, 0, 0, 0},
  };
  for (const SYSTEMTIME& date : bad) {
    SetLastError(0);
    EXPECT_FALSE(SystemTimeToFileTime(&date, &time)) << &date - bad;
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  }
  EXPECT_EQ(ticks(time), 0U);
}

TEST(FileTime, Compare) {
  const FILETIME small = file_time(0xFFFFFFFF), large = file_time(0x100000000), larger = file_time(~0ULL);
  EXPECT_EQ(CompareFileTime(&small, &large), -1);
  EXPECT_EQ(CompareFileTime(&larger, &large), 1);
  EXPECT_EQ(CompareFileTime(&large, &large), 0);
  SetLastError(0);
  EXPECT_EQ(CompareFileTime(nullptr, &large), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST(Time, NullPointers) {
  for (void (*function)(LPFILETIME) : {GetSystemTimeAsFileTime, GetSystemTimePreciseAsFileTime}) {
    SetLastError(0);
    function(nullptr);
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  }
  SetLastError(0);
  GetSystemTime(nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  GetLocalTime(nullptr);
  EXPECT_FALSE(QueryPerformanceCounter(nullptr));
  EXPECT_FALSE(QueryPerformanceFrequency(nullptr));
}

TEST(Time, TheSystemsClockAgreesWithTheCLibrary) {
  FILETIME time{};
  const std::time_t before = std::time(nullptr);
  GetSystemTimeAsFileTime(&time);
  const std::time_t after = std::time(nullptr);
  const auto seconds = static_cast<std::time_t>((ticks(time) - 116'444'736'000'000'000) / 10'000'000);
  EXPECT_LE(before, seconds + 1);  // the C library's clock is a coarse one
  EXPECT_GE(after + 1, seconds);
}

}  // namespace
}  // namespace turnpike::win32
