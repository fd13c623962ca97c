// Tracing: numbered clients, lines of theirs in the log, masks, and numbers that are none.
#include <gtest/gtest.h>
#include <rtutils.h>
#include <windows.h>

#include <string>
#include <thread>
#include <vector>

#include "base/log_capture.h"

namespace turnpike::win32 {
namespace {

std::string about(const char* client) {
  return std::string(" client=") + client + " thread=" + std::to_string(GetCurrentThreadId());
}

class Tracing : public testing::Test {
 protected:
  Tracing() : id_(TraceRegisterA("RIP")) { EXPECT_NE(id_, INVALID_TRACEID); }
  ~Tracing() override { EXPECT_EQ(TraceDeregisterA(id_), DWORD{NO_ERROR}); }

  const DWORD id_;
  const LogCapture capture_{process_log()};
};

TEST_F(Tracing, LinesGoToTheLog) {
  EXPECT_EQ(TracePrintfA(id_, "%s is %d", "eth0", 3), 9U);
  EXPECT_EQ(TracePrintfW(id_, L"%s %lu", L"\u20AC", 7U), 3U);
  EXPECT_EQ(TracePutsA(id_, "100%s\r\n"), 7U);
  EXPECT_EQ(TracePutsW(id_, L"wide"), 4U);
  EXPECT_EQ(capture_.lines(),
            (std::vector<std::string>{"<7>trace: eth0 is 3" + about("RIP"), "<7>trace: \xE2\x82\xAC 7" + about("RIP"),
                                      "<7>trace: 100%s" + about("RIP"), "<7>trace: wide" + about("RIP")}));
}

TEST_F(Tracing, FlagsOfALine) {
  EXPECT_EQ(TracePrintfExA(id_, TRACE_NO_STDINFO | TRACE_USE_MSEC | TRACE_USE_DATE, "bare"), 4U);
  EXPECT_EQ(TracePrintfExA(id_, TRACE_USE_MASK | TRACE_NO_STDINFO | 0x00010000, "masked"), 6U);
  EXPECT_EQ(TracePrintfExA(id_, TRACE_USE_MASK, "no bit of the mask"), 0U);
  EXPECT_EQ(TracePutsExA(id_, 0xFFFF0000 | TRACE_NO_STDINFO, "mask without the flag"), 21U);
  EXPECT_EQ(capture_.lines(),
            (std::vector<std::string>{"<7>trace: bare", "<7>trace: masked", "<7>trace: mask without the flag"}));
}

template <class Char>
DWORD with_list(DWORD id, const Char* format, ...) {
  va_list list;
  va_start(list, format);
  DWORD written = 0;
  if constexpr (sizeof(Char) == 1) {
    written = TraceVprintfExA(id, TRACE_NO_STDINFO, format, list);
  } else {
    written = TraceVprintfExW(id, TRACE_NO_STDINFO, format, list);
  }
  va_end(list);
  return written;
}

TEST_F(Tracing, WithAListAndInBothWidths) {
  EXPECT_EQ(with_list(id_, "%s %d", "narrow", 1), 8U);
  EXPECT_EQ(with_list(id_, L"%s %d", L"wide", 2), 6U);
  EXPECT_EQ(TracePrintfExW(id_, TRACE_NO_STDINFO, L"%s", L"three"), 5U);
  EXPECT_EQ(TracePutsExW(id_, TRACE_NO_STDINFO, L"four"), 4U);
  EXPECT_EQ(capture_.lines(),
            (std::vector<std::string>{"<7>trace: narrow 1", "<7>trace: wide 2", "<7>trace: three", "<7>trace: four"}));
  const DWORD id = TraceRegisterExA("OSPF", 0);
  EXPECT_EQ(TraceDeregisterExA(id, 0), DWORD{NO_ERROR});
  EXPECT_EQ(TraceDeregisterExA(id, 0), DWORD{ERROR_INVALID_PARAMETER});
}

TEST_F(Tracing, ALineHasAnEnd) {
  const std::string text(10000, 'x');
  EXPECT_EQ(TracePutsA(id_, text.c_str()), 4096U);
  EXPECT_EQ(TracePrintfA(id_, "%s", text.c_str()), 4096U);
  EXPECT_EQ(TracePrintfA(id_, "%2000000000d", 1), 4096U);
}

TEST_F(Tracing, Dump) {
  BYTE bytes[20];
  for (BYTE i = 0; i < 20; ++i) bytes[i] = static_cast<BYTE>('A' + i);
  EXPECT_NE(TraceDumpExA(id_, TRACE_NO_STDINFO, bytes, 20, 1, FALSE, "> "), 0U);
  EXPECT_NE(TraceDumpExW(id_, TRACE_NO_STDINFO, bytes, 5, 4, FALSE, nullptr), 0U);
  EXPECT_NE(TraceDumpExA(id_, TRACE_NO_STDINFO, bytes, 2, 2, TRUE, nullptr), 0U);
  char address[17];
  _snprintf(address, 17, "%p", static_cast<void*>(bytes));
  EXPECT_EQ(capture_.lines(),
            (std::vector<std::string>{
                "<7>trace: > 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D 4E 4F 50 |ABCDEFGHIJKLMNOP|",
                "<7>trace: > 51 52 53 54                                     |QRST|",
                "<7>trace: 44434241       45                   |ABCDE|",
                std::string("<7>trace: ") + address + ": 4241                                    |AB|"}));
  EXPECT_EQ(TraceDumpA(id_, bytes, 0, 1, FALSE, nullptr), 0U);
}

TEST_F(Tracing, BadInput) {
  BYTE byte = 0;
  const auto error = [](DWORD written) {
    EXPECT_EQ(written, 0U);
    const DWORD code = GetLastError();
    SetLastError(0);
    return code;
  };
  const DWORD invalid = ERROR_INVALID_PARAMETER;
  for (const DWORD bad : {DWORD{0}, DWORD{INVALID_TRACEID}, id_ + 1, id_ + 1024, id_ - 1024}) {
    EXPECT_EQ(error(TracePrintfA(bad, "a")), invalid);
    EXPECT_EQ(error(TracePrintfExW(bad, 0, L"a")), invalid);
    EXPECT_EQ(error(TracePutsA(bad, "a")), invalid);
    EXPECT_EQ(error(TraceDumpA(bad, &byte, 1, 1, FALSE, nullptr)), invalid);
    EXPECT_EQ(TraceDeregisterA(bad), invalid);
    EXPECT_EQ(TraceDeregisterExW(bad, 0), invalid);
  }
  EXPECT_EQ(error(TracePrintfA(id_, nullptr)), invalid);
  EXPECT_EQ(error(TracePutsW(id_, nullptr)), invalid);
  EXPECT_EQ(error(TracePutsExA(id_, 0x100, "a")), invalid);
  EXPECT_EQ(error(TraceDumpA(id_, nullptr, 1, 1, FALSE, nullptr)), invalid);
  EXPECT_EQ(error(TraceDumpA(id_, &byte, 1, 3, FALSE, nullptr)), invalid);
  EXPECT_TRUE(capture_.lines().empty());

  for (const char* const name : {static_cast<const char*>(nullptr), ""}) {
    EXPECT_EQ(TraceRegisterA(name), INVALID_TRACEID);
    EXPECT_EQ(GetLastError(), invalid);
  }
  EXPECT_EQ(TraceRegisterExA("a", 0x100), INVALID_TRACEID);
  HANDLE console = nullptr;
  EXPECT_EQ(TraceGetConsoleA(id_, &console), DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(TraceGetConsoleA(id_, nullptr), invalid);
  EXPECT_EQ(TraceGetConsoleW(id_ + 1, &console), invalid);
}

TEST_F(Tracing, ANumberIsRefusedForEver) {
  const DWORD first = TraceRegisterExW(L"OSPF", TRACE_USE_FILE | TRACE_USE_CONSOLE);
  EXPECT_EQ(TraceDeregisterW(first), DWORD{NO_ERROR});
  EXPECT_EQ(TraceDeregisterW(first), DWORD{ERROR_INVALID_PARAMETER});
  const DWORD second = TraceRegisterA("BGP");
  EXPECT_NE(second, first);
  EXPECT_EQ(TracePutsA(first, "gone"), 0U);
  EXPECT_EQ(TracePutsExA(second, TRACE_NO_STDINFO, "here"), 4U);
  EXPECT_EQ(capture_.lines(), std::vector<std::string>{"<7>trace: here"});
  EXPECT_EQ(TraceDeregisterA(second), DWORD{NO_ERROR});
}

TEST_F(Tracing, OnlySoManyClients) {
  std::vector<DWORD> ids;
  for (DWORD id = TraceRegisterA("many"); id != INVALID_TRACEID; id = TraceRegisterA("many")) ids.push_back(id);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NOT_ENOUGH_MEMORY});
  EXPECT_EQ(ids.size(), 1023U);
  for (const DWORD id : ids) EXPECT_EQ(TraceDeregisterA(id), DWORD{NO_ERROR});
}

TEST(TracingUnheard, IsSilentAndStillChecks) {
  const DWORD id = TraceRegisterA("RIP");
  SetLastError(7);
  EXPECT_EQ(TracePrintfA(id, "%s", "nobody"), 0U);
  EXPECT_EQ(GetLastError(), 7U);
  EXPECT_EQ(TracePutsA(id + 1, "nobody"), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(TraceDeregisterA(id), DWORD{NO_ERROR});
}

TEST(TracingThreads, ClientsComeAndGoWhileOthersTrace) {
  const LogCapture capture(process_log());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 100; ++round) {
        const DWORD id = TraceRegisterA("thread");
        EXPECT_NE(TracePutsA(id, "line"), 0U);
        EXPECT_EQ(TraceDeregisterA(id), DWORD{NO_ERROR});
        EXPECT_EQ(TracePutsA(id, "line"), 0U);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(capture.lines().size(), 400U);
}

}  // namespace
}  // namespace turnpike::win32
