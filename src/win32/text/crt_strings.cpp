// Bounded copies, case and numbers, under the names of Microsoft's C run-time library.
#include <turnpike_crt.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <limits>
#include <string>

#include "win32/text/letters.h"

namespace turnpike::win32 {
namespace {

template <class Char>
using Text = std::char_traits<Char>;

// Writes up to `most` characters of `source` behind the first `at` of the target, which has room for `size`.
template <class Char>
errno_t put(Char* target, std::size_t size, std::size_t at, const Char* source, std::size_t most) {
  if (source == nullptr) {
    target[0] = 0;
    return EINVAL;
  }
  const std::size_t reach = std::min(most, size - at);  // no further than one character too many
  const Char* const null = Text<Char>::find(source, reach, Char{0});
  const std::size_t length = null != nullptr ? static_cast<std::size_t>(null - source) : reach;
  if (length < size - at) {
    Text<Char>::move(target + at, source, length);
    target[at + length] = 0;
    return 0;
  }
  if (most != _TRUNCATE) {
    target[0] = 0;
    return ERANGE;
  }
  Text<Char>::move(target + at, source, length - 1);
  target[at + length - 1] = 0;
  return STRUNCATE;
}

// `most` where the caller set no bound: everything, but not cut.
constexpr std::size_t kAll = _TRUNCATE - 1;

template <class Char>
errno_t copy(Char* target, std::size_t size, const Char* source, std::size_t most) {
  return target == nullptr || size == 0 ? EINVAL : put(target, size, 0, source, most);
}

template <class Char>
errno_t append(Char* target, std::size_t size, const Char* source, std::size_t most) {
  if (target == nullptr || size == 0) return EINVAL;
  const Char* const end = Text<Char>::find(target, size, Char{0});
  if (end != nullptr) return put(target, size, static_cast<std::size_t>(end - target), source, most);
  target[0] = 0;
  return ERANGE;
}

errno_t copy_bytes(void* target, std::size_t size, const void* source, std::size_t count) {
  if (count == 0) return 0;
  if (target == nullptr) return EINVAL;
  if (source == nullptr || size < count) {
    std::memset(target, 0, size);
    return source == nullptr ? EINVAL : ERANGE;
  }
  std::memmove(target, source, count);
  return 0;
}

template <class Char>
Char* change(Char* text, Char (*how)(Char)) {
  for (Char* at = text; at != nullptr && *at != 0; ++at) *at = how(*at);
  return text;
}

// A negative number has a sign in base 10; in another its bits are shown, as many as its type has.
template <class Char, class Number>
Char* write(Number value, Char* target, int base) {
  if (target == nullptr) return nullptr;
  if (base < 2 || base > 36) {
    errno = EINVAL;
    target[0] = 0;
    return target;
  }
  const bool negative = base == 10 && value < 0;
  auto magnitude = static_cast<std::make_unsigned_t<Number>>(value);
  if (negative) magnitude = 0 - magnitude;
  std::array<Char, 65> digits;
  std::size_t begin = digits.size();
  do {
    digits[--begin] =
        static_cast<Char>("0123456789abcdefghijklmnopqrstuvwxyz"[magnitude % static_cast<unsigned>(base)]);
    magnitude /= static_cast<unsigned>(base);
  } while (magnitude != 0);
  if (negative) digits[--begin] = '-';
  *std::copy(digits.begin() + static_cast<std::ptrdiff_t>(begin), digits.end(), target) = 0;
  return target;
}

template <class Number>
Number nearest(long long value) {
  using Limits = std::numeric_limits<Number>;
  return static_cast<Number>(std::clamp<long long>(value, Limits::min(), Limits::max()));
}

long long read(const wchar_t* text) { return text == nullptr ? 0 : std::wcstoll(text, nullptr, 10); }

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::append;
using turnpike::win32::change;
using turnpike::win32::copy;
using turnpike::win32::copy_bytes;
using turnpike::win32::kAll;
using turnpike::win32::nearest;
using turnpike::win32::read;
using turnpike::win32::to_lower;
using turnpike::win32::to_upper;
using turnpike::win32::write;

errno_t strcpy_s(char* target, size_t size, const char* source) { return copy(target, size, source, kAll); }
errno_t wcscpy_s(wchar_t* target, size_t size, const wchar_t* source) { return copy(target, size, source, kAll); }
errno_t strncpy_s(char* target, size_t size, const char* source, size_t most) {
  return copy(target, size, source, most);
}
errno_t wcsncpy_s(wchar_t* target, size_t size, const wchar_t* source, size_t most) {
  return copy(target, size, source, most);
}
errno_t strcat_s(char* target, size_t size, const char* source) { return append(target, size, source, kAll); }
errno_t wcscat_s(wchar_t* target, size_t size, const wchar_t* source) { return append(target, size, source, kAll); }
errno_t strncat_s(char* target, size_t size, const char* source, size_t most) {
  return append(target, size, source, most);
}
errno_t wcsncat_s(wchar_t* target, size_t size, const wchar_t* source, size_t most) {
  return append(target, size, source, most);
}
errno_t memcpy_s(void* target, size_t size, const void* source, size_t count) {
  return copy_bytes(target, size, source, count);
}
errno_t memmove_s(void* target, size_t size, const void* source, size_t count) {
  return copy_bytes(target, size, source, count);
}

char* _strlwr(char* text) { return change<char>(text, to_lower); }
char* _strupr(char* text) { return change<char>(text, to_upper); }
wchar_t* _wcslwr(wchar_t* text) { return change<wchar_t>(text, to_lower); }
wchar_t* _wcsupr(wchar_t* text) { return change<wchar_t>(text, to_upper); }

char* _itoa(int value, char* target, int base) { return write(value, target, base); }
char* _ltoa(LONG value, char* target, int base) { return write(value, target, base); }
char* _ultoa(ULONG value, char* target, int base) { return write(value, target, base); }
char* _i64toa(LONGLONG value, char* target, int base) { return write(value, target, base); }
char* _ui64toa(ULONGLONG value, char* target, int base) { return write(value, target, base); }
wchar_t* _itow(int value, wchar_t* target, int base) { return write(value, target, base); }
wchar_t* _ltow(LONG value, wchar_t* target, int base) { return write(value, target, base); }
wchar_t* _ultow(ULONG value, wchar_t* target, int base) { return write(value, target, base); }
wchar_t* _i64tow(LONGLONG value, wchar_t* target, int base) { return write(value, target, base); }
wchar_t* _ui64tow(ULONGLONG value, wchar_t* target, int base) { return write(value, target, base); }

int _wtoi(const wchar_t* text) { return nearest<int>(read(text)); }
LONG _wtol(const wchar_t* text) { return nearest<LONG>(read(text)); }
LONGLONG _wtoi64(const wchar_t* text) { return read(text); }
LONGLONG _atoi64(const char* text) { return text == nullptr ? 0 : std::strtoll(text, nullptr, 10); }
