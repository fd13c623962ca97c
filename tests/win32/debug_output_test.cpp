// Words to a debugger go to the log, and to nobody where nobody listens.
#include <gtest/gtest.h>
#include <windows.h>

#include "base/log_capture.h"

namespace turnpike::win32 {
namespace {

TEST(OutputDebugString, IsALineOfTheLog) {
  const LogCapture capture(process_log());
  OutputDebugStringA("interface 3 is up\r\n");
  OutputDebugStringW(L"\u20AC");
  OutputDebugStringA(nullptr);
  OutputDebugStringA("");
  EXPECT_EQ(capture.lines(),
            (std::vector<std::string>{"<7>debug: interface 3 is up", "<7>debug: \xE2\x82\xAC", "<7>debug: "}));
}

TEST(OutputDebugString, IsSilentWhereNobodyListens) {
  OutputDebugStringA("a");
  OutputDebugStringW(L"b");
  EXPECT_FALSE(process_log().enabled(LogLevel::kDebug));
}

TEST(IsDebuggerPresent, Answers) { EXPECT_EQ(IsDebuggerPresent(), IsDebuggerPresent()); }

using DebugBreakDeathTest = testing::Test;
TEST(DebugBreakDeathTest, EndsAProgramWithoutADebugger) {
  EXPECT_EXIT(DebugBreak(), testing::KilledBySignal(SIGTRAP), "");
}

}  // namespace
}  // namespace turnpike::win32
