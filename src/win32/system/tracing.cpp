// Tracing of router modules: numbered clients, and lines of theirs in the log.
//
// A client's number is 32 bits wide, as the interface has it, and so not a handle of the handle table: ten bits of
// slot, the rest a generation that only rises, so a number that was once refused is refused for ever; a slot that has
// used its last generation is not used again. A line is written with no lock held, from copies: a sink may trace,
// register and deregister. One that is under way when its client deregisters may still appear, and touches nothing of
// the client's.
#include <processthreadsapi.h>
#include <rtutils.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/immortal.h"
#include "base/log.h"
#include "win32/last_error.h"
#include "win32/text/format.h"
#include "win32/text/text.h"

namespace turnpike::win32 {
namespace {

constexpr unsigned kSlotBits = 10;
constexpr std::uint32_t kSlots = 1U << kSlotBits;
constexpr std::uint32_t kLastGeneration = (1U << (32 - kSlotBits)) - 2;  // one less: INVALID_TRACEID is no client
constexpr std::size_t kMostInLine = 4096;

constexpr DWORD kRegisterFlags = TRACE_USE_FILE | TRACE_USE_CONSOLE | TRACE_NO_SYNCH;
constexpr DWORD kMask = 0xFFFF0000;
constexpr DWORD kLineFlags = TRACE_NO_STDINFO | TRACE_USE_MASK | TRACE_USE_MSEC | TRACE_USE_DATE | kMask;

class TraceClients {
 public:
  // Nothing where every slot is taken.
  std::optional<DWORD> add(std::string name) {
    const std::lock_guard lock(lock_);
    const auto free = std::find_if(slots_.begin(), slots_.end(),
                                   [](const Slot& slot) { return !slot.name && slot.generation < kLastGeneration; });
    if (free == slots_.end()) return std::nullopt;
    free->name = std::move(name);
    return ++free->generation << kSlotBits | static_cast<DWORD>(free - slots_.begin());
  }

  bool remove(DWORD id) {
    const std::lock_guard lock(lock_);
    Slot& slot = slots_[id % kSlots];
    if (!slot.name || slot.generation != id >> kSlotBits) return false;
    slot.name.reset();
    return true;
  }

  std::optional<std::string> name_of(DWORD id) {
    const std::lock_guard lock(lock_);
    const Slot& slot = slots_[id % kSlots];
    return slot.generation == id >> kSlotBits ? slot.name : std::nullopt;
  }

 private:
  struct Slot {
    std::optional<std::string> name;  // none: free
    std::uint32_t generation = 0;
  };

  std::mutex lock_;
  std::array<Slot, kSlots> slots_;
};

constinit Immortal<TraceClients> storage;
TraceClients& clients() { return storage.value; }

template <class Char>
DWORD add_client(const Char* name, DWORD flags) {
  if (name == nullptr || *name == 0 || (flags & ~kRegisterFlags) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, DWORD{INVALID_TRACEID});
  }
  return unless_memory_is_out(DWORD{INVALID_TRACEID}, [&] {
    const auto id = clients().add(utf8_of(name));
    return id ? *id : fail_with(ERROR_NOT_ENOUGH_MEMORY, DWORD{INVALID_TRACEID});
  });
}

DWORD remove_client(DWORD id) { return clients().remove(id) ? NO_ERROR : ERROR_INVALID_PARAMETER; }

// A client that may write a line now, or the reason why nothing is written: an error, or nobody who listens.
struct Speaker {
  std::optional<std::string> name;
  DWORD flags = 0;

  static Speaker of(DWORD id, DWORD flags, const void* text) {
    Speaker speaker{clients().name_of(id), flags};
    if (!speaker.name || text == nullptr || (flags & ~kLineFlags) != 0) {
      set_last_error(ERROR_INVALID_PARAMETER);
      speaker.name.reset();
    } else if (!process_log().enabled(LogLevel::kDebug) || ((flags & TRACE_USE_MASK) != 0 && (flags & kMask) == 0)) {
      speaker.name.reset();
    }
    return speaker;
  }

  explicit operator bool() const { return name.has_value(); }

  void say(std::string_view line) const {
    line = line.substr(0, line.find_last_not_of("\r\n") + 1);
    const LogField fields[] = {{"client", *name}, {"thread", GetCurrentThreadId()}};
    const std::span<const LogField> all(fields);
    // That a sink failed is no error of the client's, and the log counts it.
    static_cast<void>(
        process_log().write(LogLevel::kDebug, "trace", line, (flags & TRACE_NO_STDINFO) != 0 ? all.first(0) : all));
  }
};

// Lets `body` speak as a client that may. It returns how many characters it wrote.
template <class Body>
DWORD traced(DWORD id, DWORD flags, const void* text, Body body) {
  return unless_memory_is_out(DWORD{0}, [&]() -> DWORD {
    const Speaker speaker = Speaker::of(id, flags, text);
    return speaker ? static_cast<DWORD>(body(speaker)) : 0;
  });
}

template <class Char>
DWORD print(DWORD id, DWORD flags, const Char* text, std::va_list list) {
  return traced(id, flags, text, [&](const Speaker& speaker) {
    TextTarget<Char> out(kMostInLine);
    VariadicArguments arguments(list);
    format(out, text, arguments);
    speaker.say(utf8_of(out.text()));
    return out.text().size();
  });
}

template <class Char>
DWORD put(DWORD id, DWORD flags, const Char* text) {
  return traced(id, flags, text, [&](const Speaker& speaker) {
    const std::basic_string_view<Char> line(text, std::min(std::char_traits<Char>::length(text), kMostInLine));
    speaker.say(utf8_of(line));
    return line.size();
  });
}

std::string address_of(const BYTE* byte) {
  std::array<char, 24> text;
  const int length = std::snprintf(text.data(), text.size(), "%016lX: ", reinterpret_cast<ULONG_PTR>(byte));
  return {text.data(), static_cast<std::size_t>(length)};
}

// "00000001 00000002 … |........|" of up to 16 bytes.
std::string dumped(std::span<const BYTE> bytes, std::size_t group) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string hex, text;
  for (std::size_t at = 0; at < 16; at += group) {
    for (std::size_t i = group; i-- > 0;) {  // little-endian: a number's last byte comes first on the page
      if (at + i < bytes.size()) {
        hex += {kDigits[bytes[at + i] >> 4], kDigits[bytes[at + i] & 0xF]};
      } else {
        hex += "  ";
      }
    }
    hex += ' ';
  }
  for (const BYTE byte : bytes) text += byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '.';
  return hex + "|" + text + "|";
}

template <class Char>
DWORD dump(DWORD id, DWORD flags, const BYTE* bytes, DWORD count, DWORD group, BOOL addresses, const Char* prefix) {
  if (group != 1 && group != 2 && group != 4) return fail_with(ERROR_INVALID_PARAMETER, DWORD{0});
  return traced(id, flags, bytes, [&](const Speaker& speaker) {
    const std::string before = prefix == nullptr ? "" : utf8_of(prefix);
    std::size_t written = 0;
    for (std::size_t at = 0; at < count; at += 16) {
      const std::string line = before + (addresses != FALSE ? address_of(bytes + at) : "") +
                               dumped({bytes + at, std::min<std::size_t>(count - at, 16)}, group);
      speaker.say(line);
      written += line.size();
    }
    return written;
  });
}

DWORD get_console(DWORD id, LPHANDLE console) {
  return console == nullptr || !clients().name_of(id) ? ERROR_INVALID_PARAMETER : ERROR_NOT_SUPPORTED;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::add_client;
using turnpike::win32::dump;
using turnpike::win32::get_console;
using turnpike::win32::print;
using turnpike::win32::put;
using turnpike::win32::remove_client;

DWORD WINAPI TraceRegisterExA(LPCSTR lpszCallerName, DWORD dwFlags) { return add_client(lpszCallerName, dwFlags); }
DWORD WINAPI TraceRegisterExW(LPCWSTR lpszCallerName, DWORD dwFlags) { return add_client(lpszCallerName, dwFlags); }
DWORD WINAPI TraceDeregisterA(DWORD dwTraceID) { return remove_client(dwTraceID); }
DWORD WINAPI TraceDeregisterW(DWORD dwTraceID) { return remove_client(dwTraceID); }
DWORD WINAPI TraceDeregisterExA(DWORD dwTraceID, DWORD) { return remove_client(dwTraceID); }
DWORD WINAPI TraceDeregisterExW(DWORD dwTraceID, DWORD) { return remove_client(dwTraceID); }
DWORD WINAPI TraceGetConsoleA(DWORD dwTraceID, LPHANDLE lphConsole) { return get_console(dwTraceID, lphConsole); }
DWORD WINAPI TraceGetConsoleW(DWORD dwTraceID, LPHANDLE lphConsole) { return get_console(dwTraceID, lphConsole); }

DWORD WINAPI TraceVprintfExA(DWORD dwTraceID, DWORD dwFlags, LPCSTR lpszFormat, va_list arglist) {
  return print(dwTraceID, dwFlags, lpszFormat, arglist);
}
DWORD WINAPI TraceVprintfExW(DWORD dwTraceID, DWORD dwFlags, LPCWSTR lpszFormat, va_list arglist) {
  return print(dwTraceID, dwFlags, lpszFormat, arglist);
}

#define TP_TRACE(flags)                                            \
  va_list list;                                                    \
  va_start(list, lpszFormat);                                      \
  const DWORD written = print(dwTraceID, flags, lpszFormat, list); \
  va_end(list);                                                    \
  return written

DWORD __cdecl TracePrintfA(DWORD dwTraceID, LPCSTR lpszFormat, ...) { TP_TRACE(0); }
DWORD __cdecl TracePrintfW(DWORD dwTraceID, LPCWSTR lpszFormat, ...) { TP_TRACE(0); }
DWORD __cdecl TracePrintfExA(DWORD dwTraceID, DWORD dwFlags, LPCSTR lpszFormat, ...) { TP_TRACE(dwFlags); }
DWORD __cdecl TracePrintfExW(DWORD dwTraceID, DWORD dwFlags, LPCWSTR lpszFormat, ...) { TP_TRACE(dwFlags); }

DWORD WINAPI TracePutsExA(DWORD dwTraceID, DWORD dwFlags, LPCSTR lpszString) {
  return put(dwTraceID, dwFlags, lpszString);
}
DWORD WINAPI TracePutsExW(DWORD dwTraceID, DWORD dwFlags, LPCWSTR lpszString) {
  return put(dwTraceID, dwFlags, lpszString);
}

DWORD WINAPI TraceDumpExA(DWORD dwTraceID, DWORD dwFlags, LPBYTE lpbBytes, DWORD dwByteCount, DWORD dwGroupSize,
                          BOOL bAddressPrefix, LPCSTR lpszPrefix) {
  return dump(dwTraceID, dwFlags, lpbBytes, dwByteCount, dwGroupSize, bAddressPrefix, lpszPrefix);
}
DWORD WINAPI TraceDumpExW(DWORD dwTraceID, DWORD dwFlags, LPBYTE lpbBytes, DWORD dwByteCount, DWORD dwGroupSize,
                          BOOL bAddressPrefix, LPCWSTR lpszPrefix) {
  return dump(dwTraceID, dwFlags, lpbBytes, dwByteCount, dwGroupSize, bAddressPrefix, lpszPrefix);
}
