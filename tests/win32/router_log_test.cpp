// Event logging: records of the log with the event's strings as fields, and handles that are no log's.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <mprerror.h>
#include <rtutils.h>
#include <windows.h>

#include <string>
#include <vector>

#include "base/log_capture.h"
#include "waiting.h"

namespace turnpike::win32 {
namespace {

const HANDLE process_heap = GetProcessHeap();  // it is made at its first use, and stays

class RouterLog : public NoHandleLeft {
 protected:
  RouterLog() : log_(RouterLogRegisterA("RIP")) { EXPECT_NE(log_, nullptr); }
  ~RouterLog() override { RouterLogDeregisterA(log_); }

  std::string last() const { return capture_.lines().empty() ? "nothing" : capture_.lines().back(); }

  const HANDLE log_;
  const LogCapture capture_{process_log()};
  char a_[6] = "eth0 ", b_[2] = "b";
  char* narrow_[2] = {a_, b_};
};

TEST_F(RouterLog, EventsAreRecords) {
  RouterLogErrorA(log_, 20103, 0, nullptr, NO_ERROR);
  EXPECT_EQ(last(), "<3>router: event source=RIP event=20103");
  RouterLogWarningA(log_, 1, 2, narrow_, ERROR_NO_SUCH_INTERFACE);
  EXPECT_EQ(last(),
            "<4>router: event source=RIP event=1 text=\"eth0 \" text2=b error=905 error_name=ERROR_NO_SUCH_INTERFACE");
  wchar_t euro[] = L"\u20AC";
  wchar_t* wide[] = {euro};
  RouterLogInformationW(log_, 2, 1, wide, 999999);
  EXPECT_EQ(last(), "<6>router: event source=RIP event=2 text=\xE2\x82\xAC error=999999");
}

TEST_F(RouterLog, DataBecomeHexadecimal) {
  BYTE data[] = {0x00, 0xAB, 0xFF};
  RouterLogErrorDataA(log_, 3, 1, narrow_, 3, data);
  EXPECT_EQ(last(), "<3>router: event source=RIP event=3 text=\"eth0 \" data=00abff");
  std::vector<BYTE> large(1000, 0x11);
  RouterLogWarningDataW(log_, 3, 0, nullptr, 1000, large.data());
  EXPECT_EQ(last(), "<4>router: event source=RIP event=3 data=" + std::string(512, '1'));
}

TEST_F(RouterLog, AnErrorsTextMayBeAString) {
  RouterLogErrorStringA(log_, 4, 2, narrow_, ERROR_CONTINUE, 1);
  EXPECT_EQ(last(),
            "<3>router: event source=RIP event=4 text=\"eth0 \" text2=\"Go on.\" text3=b error=1246 "
            "error_name=ERROR_CONTINUE");
  RouterLogInformationStringA(log_, 4, 0, nullptr, 999999, 0);
  EXPECT_EQ(last(), "<6>router: event source=RIP event=4 text=\"error 999999\" error=999999");
}

TEST_F(RouterLog, EachConversionOfAFormatIsAString) {
  RouterLogEventExA(log_, EVENTLOG_INFORMATION_TYPE, NO_ERROR, 5, "%s: %d%%, %S %I %I64d %08lx", "eth0", 7, L"w",
                    htonl(0xC0000201), -1LL, 0xBEEFU);
  EXPECT_EQ(last(),
            "<6>router: event source=RIP event=5 text=eth0 text2=7 text3=w text4=192.0.2.1 text5=-1 text6=0000beef");
  RouterLogEventExW(log_, EVENTLOG_ERROR_TYPE, ERROR_BUSY, 6, L"%s%I", L"\u00E9", htonl(0x0A000001));
  EXPECT_EQ(last(), "<3>router: event source=RIP event=6 text=\xC3\xA9 text2=10.0.0.1 error=170 error_name=ERROR_BUSY");
  RouterLogEventExA(log_, EVENTLOG_ERROR_TYPE, NO_ERROR, 7, "no conversion %");
  EXPECT_EQ(last(), "<3>router: event source=RIP event=7 text=\"\"");
}

template <class Char>
void with_list(HANDLE log, DWORD id, const Char* format, ...) {
  va_list list;
  va_start(list, format);
  if constexpr (sizeof(Char) == 1) {
    RouterLogEventValistExA(log, EVENTLOG_ERROR_TYPE, NO_ERROR, id, format, list);
  } else {
    RouterLogEventValistExW(log, EVENTLOG_ERROR_TYPE, NO_ERROR, id, format, list);
  }
  va_end(list);
}

TEST_F(RouterLog, WithAListAndInBothWidths) {
  with_list(log_, 1, "%s%d", "a", 1);
  EXPECT_EQ(last(), "<3>router: event source=RIP event=1 text=a text2=1");
  with_list(log_, 2, L"%s%d", L"b", 2);
  EXPECT_EQ(last(), "<3>router: event source=RIP event=2 text=b text2=2");
  wchar_t word[] = L"c";
  wchar_t* wide[] = {word};
  BYTE byte = 0x5A;
  RouterLogEventW(log_, EVENTLOG_WARNING_TYPE, 3, 1, wide, NO_ERROR);
  EXPECT_EQ(last(), "<4>router: event source=RIP event=3 text=c");
  RouterLogEventDataW(log_, EVENTLOG_AUDIT_FAILURE, 4, 1, wide, 1, &byte);
  EXPECT_EQ(last(), "<4>router: event source=RIP event=4 text=c data=5a");
  RouterLogEventStringW(log_, EVENTLOG_AUDIT_SUCCESS, 5, 1, wide, ERROR_CONTINUE, 0);
  EXPECT_EQ(last(), "<6>router: event source=RIP event=5 text=\"Go on.\" text2=c error=1246 error_name=ERROR_CONTINUE");
  LogErrorW(6, 1, wide, NO_ERROR);
  EXPECT_EQ(last(), "<3>router: event source=router event=6 text=c");
  LogEventA(EVENTLOG_SUCCESS, 7, 1, narrow_);
  EXPECT_EQ(last(), "<6>router: event source=router event=7 text=\"eth0 \"");
}

TEST_F(RouterLog, ManyStringsEndAtSixteen) {
  std::vector<char*> strings(100, b_);
  RouterLogErrorA(log_, 8, 100, strings.data(), NO_ERROR);
  EXPECT_NE(last().find("text16=b"), std::string::npos);
  EXPECT_EQ(last().find("text17"), std::string::npos);
}

TEST_F(RouterLog, WithoutAHandle) {
  LogErrorA(9, 1, narrow_, ERROR_BUSY);
  EXPECT_EQ(last(), "<3>router: event source=router event=9 text=\"eth0 \" error=170 error_name=ERROR_BUSY");
  LogEventW(EVENTLOG_WARNING_TYPE, 10, 0, nullptr);
  EXPECT_EQ(last(), "<4>router: event source=router event=10");
}

TEST_F(RouterLog, BadInput) {
  const auto error = [this] {
    EXPECT_EQ(last(), "nothing");
    const DWORD code = GetLastError();
    SetLastError(0);
    return code;
  };
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  for (const HANDLE bad : {HANDLE{nullptr}, INVALID_HANDLE_VALUE, event, GetProcessHeap()}) {
    RouterLogEventA(bad, EVENTLOG_ERROR_TYPE, 1, 0, nullptr, 0);
    EXPECT_EQ(error(), DWORD{ERROR_INVALID_HANDLE});
    RouterLogEventExW(bad, EVENTLOG_ERROR_TYPE, 0, 1, L"%d", 1);
    EXPECT_EQ(error(), DWORD{ERROR_INVALID_HANDLE});
    RouterLogDeregisterW(bad);
    EXPECT_EQ(error(), DWORD{ERROR_INVALID_HANDLE});
  }
  EXPECT_TRUE(CloseHandle(event));
  EXPECT_FALSE(CloseHandle(log_));
  SetLastError(0);

  char* with_null[] = {a_, nullptr};
  RouterLogEventA(log_, EVENTLOG_ERROR_TYPE, 1, 1, nullptr, 0);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});
  RouterLogEventA(log_, EVENTLOG_ERROR_TYPE, 1, 2, with_null, 0);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});
  RouterLogEventDataA(log_, EVENTLOG_ERROR_TYPE, 1, 0, nullptr, 1, nullptr);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});
  RouterLogEventStringA(log_, EVENTLOG_ERROR_TYPE, 1, 1, narrow_, 5, 2);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});
  RouterLogEventExA(log_, EVENTLOG_ERROR_TYPE, 0, 1, nullptr);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});
  LogErrorA(1, 1, nullptr, 0);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RouterLogRegisterA(nullptr), nullptr);
  EXPECT_EQ(RouterLogRegisterW(L""), nullptr);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_PARAMETER});

  const HANDLE gone = RouterLogRegisterW(L"gone");
  RouterLogDeregisterW(gone);
  RouterLogEventA(gone, EVENTLOG_ERROR_TYPE, 1, 0, nullptr, 0);
  EXPECT_EQ(error(), DWORD{ERROR_INVALID_HANDLE});
}

TEST(RouterGetErrorString, AllocatesTheText) {
  char* text = nullptr;
  EXPECT_EQ(RouterGetErrorStringA(ERROR_DDM_NOT_RUNNING, &text), DWORD{NO_ERROR});
  EXPECT_STREQ(text, "The demand-dial manager is not running.");
  EXPECT_EQ(LocalFree(text), nullptr);
  wchar_t* wide = nullptr;
  EXPECT_EQ(RouterGetErrorStringW(ERROR_CONTINUE, &wide), DWORD{NO_ERROR});
  EXPECT_STREQ(wide, L"Go on.");
  EXPECT_EQ(LocalFree(wide), nullptr);
  EXPECT_EQ(RouterGetErrorStringA(999999, &text), DWORD{ERROR_MR_MID_NOT_FOUND});
  EXPECT_EQ(RouterGetErrorStringA(5, nullptr), DWORD{ERROR_INVALID_PARAMETER});
}

}  // namespace
}  // namespace turnpike::win32
