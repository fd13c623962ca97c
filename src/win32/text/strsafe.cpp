// StringCch… and StringCb…: 52 functions around one idea. A Target is the caller's buffer with the rules that apply to
// it; a writer fills it; what the flags want done afterwards is in one place.
#include <strsafe.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "win32/text/format.h"

namespace turnpike::win32 {
namespace {

// What a size counts.
enum class Unit : std::uint8_t { kCharacters, kBytes };

template <class Char>
std::optional<std::size_t> bounded_length(const Char* text, std::size_t most) {
  const Char* const end = std::char_traits<Char>::find(text, most, Char{0});
  if (end == nullptr) return std::nullopt;
  return static_cast<std::size_t>(end - text);
}

template <class Char>
std::size_t characters(Unit unit, std::size_t size) {
  return unit == Unit::kBytes ? size / sizeof(Char) : size;
}

template <class Char>
struct Target {
  Char* text;
  std::size_t room;   // characters
  std::size_t spare;  // bytes behind them, too few for one more
  Unit unit;
  bool extended;  // one of the Ex forms
  Char** end;
  std::size_t* remaining;
  DWORD flags;

  static Target plain(Unit unit, Char* text, std::size_t size) {
    return {text, characters<Char>(unit, size), 0, unit, false, nullptr, nullptr, 0};
  }
  static Target with(Unit unit, Char* text, std::size_t size, Char** end, std::size_t* remaining, DWORD flags) {
    const std::size_t spare = unit == Unit::kBytes ? size % sizeof(Char) : 0;
    return {text, characters<Char>(unit, size), spare, unit, true, end, remaining, flags};
  }

  [[nodiscard]] bool has(DWORD flag) const { return (flags & flag) != 0; }

  // Wrong, whatever is to be written.
  [[nodiscard]] bool is_bad() const {
    if (room > STRSAFE_MAX_CCH || (flags & ~STRSAFE_VALID_FLAGS) != 0) return true;
    if (!extended) return text == nullptr || room == 0;
    return text == nullptr && (room != 0 || !has(STRSAFE_IGNORE_NULLS));
  }

  HRESULT tell(HRESULT result, std::size_t length) const {
    if (end != nullptr) *end = text == nullptr ? nullptr : text + length;
    if (remaining != nullptr)
      *remaining = unit == Unit::kBytes ? (room - length) * sizeof(Char) + spare : room - length;
    return result;
  }

  HRESULT succeed(std::size_t length) const {
    if (has(STRSAFE_FILL_BEHIND_NULL) && room > 0) {
      std::memset(text + length + 1, STRSAFE_GET_FILL_PATTERN(flags), (room - length - 1) * sizeof(Char) + spare);
    }
    return tell(S_OK, length);
  }

  // Leaves what the flags say. `length` characters stand there now; STRSAFE_NO_TRUNCATION goes back to `restored`.
  HRESULT fail(HRESULT result, std::size_t length, std::optional<std::size_t> restored) const {
    if (room > 0) {
      if (has(STRSAFE_FILL_ON_FAILURE)) {
        std::memset(text, STRSAFE_GET_FILL_PATTERN(flags), room * sizeof(Char) + spare);
        length = STRSAFE_GET_FILL_PATTERN(flags) == 0 ? 0 : room - 1;
        text[length] = 0;
      } else if (has(STRSAFE_NO_TRUNCATION) && restored) {
        text[length = *restored] = 0;
      }
      if (has(STRSAFE_NULL_ON_FAILURE)) text[length = 0] = 0;
    }
    return result == STRSAFE_E_INSUFFICIENT_BUFFER ? tell(result, length) : result;
  }
};

enum class Mode : std::uint8_t { kCopy, kAppend };

// `write` puts all of the text into the FormatTarget that it is given.
template <class Char, class Write>
HRESULT write_to(const Target<Char>& target, Mode mode, bool source_is_bad, Write write) {
  if (target.is_bad()) return STRSAFE_E_INVALID_PARAMETER;
  std::optional<std::size_t> before = 0;
  if (mode == Mode::kAppend && target.room > 0) before = bounded_length(target.text, target.room);
  if (!before || source_is_bad) return target.fail(STRSAFE_E_INVALID_PARAMETER, 0, before);

  BoundedTarget<Char> out(target.text + *before, target.room == 0 ? 0 : target.room - *before - 1);
  write(out);
  const std::size_t length = *before + out.kept();
  if (target.room > 0) target.text[length] = 0;
  if (!out.is_cut()) return target.succeed(length);
  return target.fail(target.text == nullptr ? STRSAFE_E_INVALID_PARAMETER : STRSAFE_E_INSUFFICIENT_BUFFER, length,
                     *before);
}

template <class Char>
HRESULT write_text(const Target<Char>& target, Mode mode, const Char* source, std::size_t most = STRSAFE_MAX_CCH) {
  static constexpr Char kNothing[] = {0};
  if (source == nullptr && target.has(STRSAFE_IGNORE_NULLS)) source = kNothing;
  return write_to(target, mode, source == nullptr || most > STRSAFE_MAX_CCH, [&](BoundedTarget<Char>& out) {
    const std::size_t reach = std::min(most, target.room + 1);  // one character too many is enough to know
    out.put({source, bounded_length(source, reach).value_or(reach)});
  });
}

template <class Char>
HRESULT write_formatted(const Target<Char>& target, const Char* text, std::va_list list) {
  static constexpr Char kNothing[] = {0};
  if (text == nullptr && target.has(STRSAFE_IGNORE_NULLS)) text = kNothing;
  return write_to(target, Mode::kCopy, text == nullptr, [&](BoundedTarget<Char>& out) {
    VariadicArguments arguments(list);
    format(out, text, arguments);
  });
}

template <class Char>
HRESULT length_of(Unit unit, const Char* text, std::size_t most, std::size_t* length) {
  std::optional<std::size_t> found;
  most = characters<Char>(unit, most);
  if (text != nullptr && most <= STRSAFE_MAX_CCH) found = bounded_length(text, most);
  if (length != nullptr) *length = found.value_or(0) * (unit == Unit::kBytes ? sizeof(Char) : 1);
  return found ? S_OK : STRSAFE_E_INVALID_PARAMETER;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::characters;
using turnpike::win32::length_of;
using turnpike::win32::Mode;
using turnpike::win32::Target;
using turnpike::win32::Unit;
using turnpike::win32::write_formatted;
using turnpike::win32::write_text;

// One definition of each function for both units and both widths.
#define TP_DEFINE(UNIT, NAME, AW, CHAR)                                                                                \
  HRESULT WINAPI String##NAME##Copy##AW(CHAR* dest, size_t size, const CHAR* source) {                                 \
    return write_text(Target<CHAR>::plain(UNIT, dest, size), Mode::kCopy, source);                                     \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##CopyN##AW(CHAR* dest, size_t size, const CHAR* source, size_t most) {                   \
    return write_text(Target<CHAR>::plain(UNIT, dest, size), Mode::kCopy, source, characters<CHAR>(UNIT, most));       \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##Cat##AW(CHAR* dest, size_t size, const CHAR* source) {                                  \
    return write_text(Target<CHAR>::plain(UNIT, dest, size), Mode::kAppend, source);                                   \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##CatN##AW(CHAR* dest, size_t size, const CHAR* source, size_t most) {                    \
    return write_text(Target<CHAR>::plain(UNIT, dest, size), Mode::kAppend, source, characters<CHAR>(UNIT, most));     \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##VPrintf##AW(CHAR* dest, size_t size, const CHAR* format, va_list arguments) {           \
    return write_formatted(Target<CHAR>::plain(UNIT, dest, size), format, arguments);                                  \
  }                                                                                                                    \
  HRESULT WINAPIV String##NAME##Printf##AW(CHAR* dest, size_t size, const CHAR* format, ...) {                         \
    va_list list;                                                                                                      \
    va_start(list, format);                                                                                            \
    const HRESULT result = write_formatted(Target<CHAR>::plain(UNIT, dest, size), format, list);                       \
    va_end(list);                                                                                                      \
    return result;                                                                                                     \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##CopyEx##AW(CHAR* dest, size_t size, const CHAR* source, CHAR** end, size_t* remaining,  \
                                          DWORD flags) {                                                               \
    return write_text(Target<CHAR>::with(UNIT, dest, size, end, remaining, flags), Mode::kCopy, source);               \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##CopyNEx##AW(CHAR* dest, size_t size, const CHAR* source, size_t most, CHAR** end,       \
                                           size_t* remaining, DWORD flags) {                                           \
    return write_text(Target<CHAR>::with(UNIT, dest, size, end, remaining, flags), Mode::kCopy, source,                \
                      characters<CHAR>(UNIT, most));                                                                   \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##CatEx##AW(CHAR* dest, size_t size, const CHAR* source, CHAR** end, size_t* remaining,   \
                                         DWORD flags) {                                                                \
    return write_text(Target<CHAR>::with(UNIT, dest, size, end, remaining, flags), Mode::kAppend, source);             \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##CatNEx##AW(CHAR* dest, size_t size, const CHAR* source, size_t most, CHAR** end,        \
                                          size_t* remaining, DWORD flags) {                                            \
    return write_text(Target<CHAR>::with(UNIT, dest, size, end, remaining, flags), Mode::kAppend, source,              \
                      characters<CHAR>(UNIT, most));                                                                   \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##VPrintfEx##AW(CHAR* dest, size_t size, CHAR** end, size_t* remaining, DWORD flags,      \
                                             const CHAR* format, va_list arguments) {                                  \
    return write_formatted(Target<CHAR>::with(UNIT, dest, size, end, remaining, flags), format, arguments);            \
  }                                                                                                                    \
  HRESULT WINAPIV String##NAME##PrintfEx##AW(CHAR* dest, size_t size, CHAR** end, size_t* remaining, DWORD flags,      \
                                             const CHAR* format, ...) {                                                \
    va_list list;                                                                                                      \
    va_start(list, format);                                                                                            \
    const HRESULT result = write_formatted(Target<CHAR>::with(UNIT, dest, size, end, remaining, flags), format, list); \
    va_end(list);                                                                                                      \
    return result;                                                                                                     \
  }                                                                                                                    \
  HRESULT WINAPI String##NAME##Length##AW(const CHAR* text, size_t most, size_t* length) {                             \
    return length_of(UNIT, text, most, length);                                                                        \
  }

TP_DEFINE(Unit::kCharacters, Cch, A, CHAR)
TP_DEFINE(Unit::kCharacters, Cch, W, WCHAR)
TP_DEFINE(Unit::kBytes, Cb, A, CHAR)
TP_DEFINE(Unit::kBytes, Cb, W, WCHAR)
