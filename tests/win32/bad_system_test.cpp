// Bad input to what is about memory, the host, its environment, modules, traces and logs.
#include <rtutils.h>

#include <array>
#include <cstdarg>
#include <string>
#include <thread>

#include "bad_input.h"

namespace {

constexpr DWORD kInvalid = ERROR_INVALID_PARAMETER;

// What is refused leaves no handle behind.
class BadSystem : public testing::Test {
 protected:
  ~BadSystem() override { EXPECT_EQ(handles(), before_); }

 private:
  static DWORD handles() {
    GetProcessHeap();  // made at the first need, for good
    DWORD count = 0;
    EXPECT_TRUE(GetProcessHandleCount(GetCurrentProcess(), &count));
    return count;
  }

  const DWORD before_ = handles();
};

TEST_F(BadSystem, MemoryThatIsNoneIsRefused) {
  char byte = 0;
  for (const HGLOBAL bad : {HGLOBAL{nullptr}, HGLOBAL{INVALID_HANDLE_VALUE}, HGLOBAL{&byte}}) {
    EXPECT_REFUSED(GlobalLock(bad), nullptr, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(GlobalUnlock(bad), FALSE, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(GlobalSize(bad), 0U, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(GlobalFlags(bad), GMEM_INVALID_HANDLE, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(GlobalHandle(bad), nullptr, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(GlobalReAlloc(bad, 8, GMEM_MOVEABLE), nullptr, ERROR_INVALID_HANDLE);
    EXPECT_EQ(GlobalFree(bad), bad);
  }
  EXPECT_REFUSED(GlobalAlloc(0x80000000, 8), nullptr, kInvalid);
  EXPECT_REFUSED(GlobalAlloc(GPTR, SIZE_MAX), nullptr, ERROR_NOT_ENOUGH_MEMORY);
  PROCESS_HEAP_ENTRY entry{};
  ULONG kind = 7;
  for (const HANDLE bad : {HANDLE{nullptr}, INVALID_HANDLE_VALUE, HANDLE{&byte}}) {
    EXPECT_REFUSED(HeapLock(bad), FALSE, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(HeapUnlock(bad), FALSE, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(HeapWalk(bad, &entry), FALSE, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(HeapCompact(bad, 0), 0U, ERROR_INVALID_HANDLE);
    EXPECT_REFUSED(HeapQueryInformation(bad, HeapCompatibilityInformation, &kind, sizeof(kind), nullptr), FALSE,
                   ERROR_INVALID_HANDLE);
  }
  EXPECT_REFUSED(HeapUnlock(GetProcessHeap()), FALSE, ERROR_NOT_LOCKED);
  EXPECT_REFUSED(HeapWalk(GetProcessHeap(), nullptr), FALSE, kInvalid);
  entry.lpData = &byte;
  EXPECT_REFUSED(HeapWalk(GetProcessHeap(), &entry), FALSE, kInvalid);
  EXPECT_EQ(kind, 7U);
  EXPECT_REFUSED(HeapSetInformation(&byte, HeapCompatibilityInformation, nullptr, 0), FALSE, ERROR_INVALID_HANDLE);
}

TEST_F(BadSystem, NullPointersOfTheHostAreRefused) {
  SYSTEMTIME time{};
  FILETIME file{};
  DWORD size = 4;
  WCHAR wide[4] = L"old";
  char text[4] = "old";
  EXPECT_NOTHING_DONE(GetSystemInfo(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(GetNativeSystemInfo(nullptr), kInvalid);
  EXPECT_REFUSED(GetVersionExA(nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(GetVersionExW(nullptr), FALSE, kInvalid);
  OSVERSIONINFOW version{};
  EXPECT_REFUSED(GetVersionExW(&version), FALSE, ERROR_INSUFFICIENT_BUFFER);  // of no size
  EXPECT_REFUSED(GetComputerNameExW(ComputerNameMax, wide, &size), FALSE, kInvalid);
  EXPECT_REFUSED(GetComputerNameExA(ComputerNameNetBIOS, nullptr, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(GetComputerNameW(wide, nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(GetComputerNameA(nullptr, &size), FALSE, kInvalid);
  EXPECT_REFUSED(CompareFileTime(nullptr, &file), 0, kInvalid);
  EXPECT_REFUSED(FileTimeToSystemTime(nullptr, &time), FALSE, kInvalid);
  EXPECT_REFUSED(SystemTimeToFileTime(&time, &file), FALSE, kInvalid);  // month 0
  EXPECT_REFUSED(QueryPerformanceCounter(nullptr), FALSE, kInvalid);
  EXPECT_NOTHING_DONE(GetSystemTime(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(GetLocalTime(nullptr), kInvalid);
  EXPECT_NOTHING_DONE(GetSystemTimeAsFileTime(nullptr), kInvalid);
  EXPECT_STREQ(text, "old");
  EXPECT_STREQ(wide, L"old");
}

TEST_F(BadSystem, NamesOfVariablesThatMakeNoSenseAreRefused) {
  char text[4] = "old";
  EXPECT_REFUSED(GetEnvironmentVariableA(nullptr, text, 4), 0U, kInvalid);
  EXPECT_REFUSED(GetEnvironmentVariableW(nullptr, nullptr, 0), 0U, kInvalid);
  EXPECT_REFUSED(GetEnvironmentVariableA("no such variable", text, 4), 0U, ERROR_ENVVAR_NOT_FOUND);
  EXPECT_REFUSED(GetEnvironmentVariableW(L"", nullptr, 0), 0U, ERROR_ENVVAR_NOT_FOUND);
  EXPECT_GT(GetEnvironmentVariableA("PATH", nullptr, 100), 0U);  // no buffer: how much it would take
  for (const char* const bad : {static_cast<const char*>(nullptr), "", "a=b"}) {
    EXPECT_REFUSED(SetEnvironmentVariableA(bad, "x"), FALSE, kInvalid);
  }
  EXPECT_REFUSED(SetEnvironmentVariableW(nullptr, L"x"), FALSE, kInvalid);
  EXPECT_REFUSED(SetEnvironmentVariableW(L"=", nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(ExpandEnvironmentStringsA(nullptr, text, 4), 0U, kInvalid);
  EXPECT_REFUSED(ExpandEnvironmentStringsW(nullptr, nullptr, 0), 0U, kInvalid);
  EXPECT_EQ(ExpandEnvironmentStringsA("longer", text, 4), 7U);
  EXPECT_STREQ(text, "old");
}

TEST_F(BadSystem, ModulesThatAreNoneAreRefused) {
  WCHAR wide[4] = L"old";
  char text[4] = "old";
  char on_the_heap = 0;
  HMODULE out = nullptr;
  const auto no_module = reinterpret_cast<HMODULE>(&on_the_heap);
  EXPECT_REFUSED(GetModuleHandleW(L"no_such_module.dll"), nullptr, ERROR_MOD_NOT_FOUND);
  EXPECT_REFUSED(GetModuleHandleExA(0, "no_such_module.dll", &out), FALSE, ERROR_MOD_NOT_FOUND);
  EXPECT_REFUSED(GetModuleHandleExA(0, "rtm.dll", nullptr), FALSE, kInvalid);
  EXPECT_REFUSED(GetModuleHandleExW(0x80, L"rtm.dll", &out), FALSE, kInvalid);
  EXPECT_REFUSED(GetModuleHandleExW(0, L"no_such_module.dll", &out), FALSE, ERROR_MOD_NOT_FOUND);
  EXPECT_EQ(out, nullptr);
  EXPECT_EQ(GetModuleFileNameA(no_module, text, 4), 0U);
  EXPECT_EQ(GetModuleFileNameW(no_module, wide, 4), 0U);
  EXPECT_EQ(GetModuleFileNameA(nullptr, nullptr, 4), 0U);
  EXPECT_EQ(GetModuleFileNameW(nullptr, nullptr, 4), 0U);
  EXPECT_STREQ(text, "old");
  EXPECT_FALSE(FreeLibrary(no_module));
  const HANDLE thread = CreateThread(
      nullptr, 0, [](LPVOID module) -> DWORD { FreeLibraryAndExitThread(static_cast<HMODULE>(module), 7); }, no_module,
      0, nullptr);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 7U);  // a bad handle only ends the thread
  EXPECT_TRUE(CloseHandle(thread));
}

DWORD traced(DWORD id, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const DWORD written = TraceVprintfExA(id, 0, format, arguments);
  va_end(arguments);
  return written;
}

DWORD traced(DWORD id, const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const DWORD written = TraceVprintfExW(id, 0, format, arguments);
  va_end(arguments);
  return written;
}

TEST_F(BadSystem, TracesOfNobodyAreRefused) {
  BYTE byte = 0;
  for (const DWORD bad : {DWORD{0}, INVALID_TRACEID, DWORD{0x7FFFFFFF}}) {
    EXPECT_REFUSED(TracePrintfA(bad, "a"), 0U, kInvalid);
    EXPECT_REFUSED(TracePrintfW(bad, L"a"), 0U, kInvalid);
    EXPECT_REFUSED(TracePrintfExA(bad, 0, "a"), 0U, kInvalid);
    EXPECT_REFUSED(TracePrintfExW(bad, 0, L"a"), 0U, kInvalid);
    EXPECT_REFUSED(traced(bad, "a"), 0U, kInvalid);
    EXPECT_REFUSED(traced(bad, L"a"), 0U, kInvalid);
    EXPECT_REFUSED(TracePutsExA(bad, 0, "a"), 0U, kInvalid);
    EXPECT_REFUSED(TracePutsExW(bad, 0, L"a"), 0U, kInvalid);
    EXPECT_REFUSED(TraceDumpExA(bad, 0, &byte, 1, 1, FALSE, nullptr), 0U, kInvalid);
    EXPECT_REFUSED(TraceDumpExW(bad, 0, &byte, 1, 1, FALSE, nullptr), 0U, kInvalid);
    EXPECT_EQ(TraceDeregisterExA(bad, 0), kInvalid);
    EXPECT_EQ(TraceDeregisterExW(bad, 0), kInvalid);
  }
  const DWORD id = TraceRegisterExA("bad input", 0);
  EXPECT_REFUSED(traced(id, static_cast<const char*>(nullptr)), 0U, kInvalid);
  EXPECT_REFUSED(traced(id, static_cast<const wchar_t*>(nullptr)), 0U, kInvalid);
  EXPECT_REFUSED(TracePutsExW(id, 0x100, L"a"), 0U, kInvalid);
  EXPECT_REFUSED(TraceDumpExW(id, 0, nullptr, 1, 1, FALSE, nullptr), 0U, kInvalid);
  EXPECT_REFUSED(TraceDumpExA(id, 0, &byte, 1, 3, FALSE, nullptr), 0U, kInvalid);
  EXPECT_EQ(TraceDeregisterExA(id, 0), DWORD{NO_ERROR});
}

void logged(HANDLE log, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  RouterLogEventValistExA(log, EVENTLOG_ERROR_TYPE, 0, 1, format, arguments);
  va_end(arguments);
}

void logged(HANDLE log, const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  RouterLogEventValistExW(log, EVENTLOG_ERROR_TYPE, 0, 1, format, arguments);
  va_end(arguments);
}

TEST_F(BadSystem, LogsThatAreNoneAreRefused) {
  constexpr WORD kType = EVENTLOG_ERROR_TYPE;
  for (const HANDLE bad : {HANDLE{nullptr}, INVALID_HANDLE_VALUE, GetCurrentThread()}) {
    EXPECT_NOTHING_DONE(RouterLogDeregisterA(bad), ERROR_INVALID_HANDLE);
    EXPECT_NOTHING_DONE(RouterLogEventW(bad, kType, 1, 0, nullptr, 0), ERROR_INVALID_HANDLE);
    EXPECT_NOTHING_DONE(RouterLogEventDataW(bad, kType, 1, 0, nullptr, 0, nullptr), ERROR_INVALID_HANDLE);
    EXPECT_NOTHING_DONE(RouterLogEventStringW(bad, kType, 1, 0, nullptr, 0, 0), ERROR_INVALID_HANDLE);
    EXPECT_NOTHING_DONE(logged(bad, "a"), ERROR_INVALID_HANDLE);
    EXPECT_NOTHING_DONE(logged(bad, L"a"), ERROR_INVALID_HANDLE);
  }
  const HANDLE log = RouterLogRegisterA("bad input");
  WCHAR wide[] = L"a";
  WCHAR* with_null[] = {wide, nullptr};
  char text[] = "a";
  char* narrow_with_null[] = {text, nullptr};
  EXPECT_NOTHING_DONE(RouterLogEventW(log, kType, 1, 1, nullptr, 0), kInvalid);
  EXPECT_NOTHING_DONE(RouterLogEventW(log, kType, 1, 2, with_null, 0), kInvalid);
  EXPECT_NOTHING_DONE(RouterLogEventDataW(log, kType, 1, 0, nullptr, 1, nullptr), kInvalid);
  EXPECT_NOTHING_DONE(RouterLogEventStringW(log, kType, 1, 1, with_null, 5, 2), kInvalid);
  EXPECT_NOTHING_DONE(logged(log, static_cast<const char*>(nullptr)), kInvalid);
  EXPECT_NOTHING_DONE(logged(log, static_cast<const wchar_t*>(nullptr)), kInvalid);
  RouterLogDeregisterA(log);
  EXPECT_NOTHING_DONE(LogErrorW(1, 2, with_null, 0), kInvalid);
  EXPECT_NOTHING_DONE(LogEventA(kType, 1, 2, narrow_with_null), kInvalid);
  EXPECT_NOTHING_DONE(LogEventW(kType, 1, 1, nullptr), kInvalid);
  LPSTR found = nullptr;
  LPWSTR found_wide = nullptr;
  EXPECT_EQ(RouterGetErrorStringA(ERROR_ACCESS_DENIED, nullptr), kInvalid);
  EXPECT_EQ(RouterGetErrorStringW(ERROR_ACCESS_DENIED, nullptr), kInvalid);
  EXPECT_EQ(RouterGetErrorStringA(0x7FFFFFFF, &found), DWORD{ERROR_MR_MID_NOT_FOUND});
  EXPECT_EQ(RouterGetErrorStringW(0x7FFFFFFF, &found_wide), DWORD{ERROR_MR_MID_NOT_FOUND});
  EXPECT_EQ(found, nullptr);
  EXPECT_EQ(QueueWorkItem(nullptr, nullptr, FALSE), kInvalid);
  EXPECT_EQ(SetIoCompletionProc(nullptr, nullptr), DWORD{ERROR_INVALID_HANDLE});
  WCHAR buffer[8];
  EXPECT_REFUSED(FormatMessageW(0, nullptr, 0, 0, buffer, 8, nullptr), 0U, kInvalid);
}

}  // namespace
