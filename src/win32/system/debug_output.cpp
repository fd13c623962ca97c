// Words to a debugger: a line of the log.
#include <debugapi.h>

#include <csignal>
#include <fstream>
#include <string>

#include "base/log.h"
#include "win32/text/text.h"

namespace turnpike::win32 {
namespace {

template <class Char>
void say(const Char* text) {
  if (text == nullptr || !process_log().enabled(LogLevel::kDebug)) return;
  std::string line = utf8_of(text);
  line.erase(line.find_last_not_of("\r\n") + 1);
  // Nobody may be told that a sink failed: the function has no result.
  static_cast<void>(process_log().write(LogLevel::kDebug, "debug", line, {}));
}

}  // namespace
}  // namespace turnpike::win32

VOID WINAPI OutputDebugStringA(LPCSTR lpOutputString) { turnpike::win32::say(lpOutputString); }
VOID WINAPI OutputDebugStringW(LPCWSTR lpOutputString) { turnpike::win32::say(lpOutputString); }

BOOL WINAPI IsDebuggerPresent(VOID) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("TracerPid:")) return line.find_first_of("123456789") != line.npos ? TRUE : FALSE;
  }
  return FALSE;
}

VOID WINAPI DebugBreak(VOID) { std::raise(SIGTRAP); }
