// lstr*, wsprintf and the changing of case.
#include <winbase.h>
#include <winuser.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <cwchar>
#include <string>
#include <string_view>

#include "win32/last_error.h"
#include "win32/text/format.h"
#include "win32/text/letters.h"
#include "win32/text/utf8.h"

namespace turnpike::win32 {
namespace {

template <class Char>
int length_of(const Char* text) {
  if (text == nullptr) return 0;
  return static_cast<int>(std::min<std::size_t>(std::char_traits<Char>::length(text), INT_MAX));
}

// How long the target is, only the caller knows; that is what these functions are.
template <class Char>
Char* copy(Char* target, const Char* source, std::size_t most) {
  if (target == nullptr || source == nullptr) return nullptr;
  std::size_t length = 0;
  while (length < most && source[length] != 0) ++length;
  std::char_traits<Char>::move(target, source, length);
  target[length] = 0;
  return target;
}

template <class Char>
Char* append(Char* target, const Char* source) {
  if (target == nullptr || source == nullptr) return nullptr;
  copy(target + std::char_traits<Char>::length(target), source, SIZE_MAX);
  return target;
}

// Takes the text's first character off it; 0 at its end.
wchar_t take(std::wstring_view& text) {
  if (text.empty()) return 0;
  const wchar_t character = text[0];
  text.remove_prefix(1);
  return character;
}
wchar_t take(std::string_view& text) {
  if (text.empty()) return 0;
  const Decoded next = decode(text);
  text.remove_prefix(next.bytes);
  return static_cast<wchar_t>(next.code == kMalformed ? kReplacement : next.code);
}

enum class Case : std::uint8_t { kMatters, kIgnored };

template <class Char>
int compare(const Char* left_text, const Char* right_text, Case letters) {
  if (left_text == nullptr || right_text == nullptr) return (left_text != nullptr) - (right_text != nullptr);
  std::basic_string_view<Char> left(left_text), right(right_text);
  int by_case = 0;
  while (!left.empty() || !right.empty()) {
    const wchar_t a = take(left), b = take(right);
    const wchar_t lower_a = to_lower(a), lower_b = to_lower(b);
    if (lower_a != lower_b) return lower_a < lower_b ? -1 : 1;
    if (by_case == 0 && a != b) by_case = a == lower_a ? -1 : 1;
  }
  return letters == Case::kMatters ? by_case : 0;
}

template <class Char>
int write_formatted(Char* target, const Char* text, std::va_list list) {
  if (target == nullptr || text == nullptr) return fail_with(ERROR_INVALID_PARAMETER, 0);
  static constexpr std::size_t kMost = 1024;
  BoundedTarget<Char> out(target, kMost - 1);
  VariadicArguments arguments(list);
  format(out, text, arguments, FormatRules::kWsprintf);
  target[out.kept()] = 0;
  return static_cast<int>(out.kept());
}

template <class Char>
DWORD change(Char* text, std::size_t length, Char (*how)(Char)) {
  if (text == nullptr) return 0;
  std::transform(text, text + length, text, how);
  return static_cast<DWORD>(length);
}

// A text, or one character in the place of its address.
template <class Char>
Char* change(Char* text, Char (*how)(Char)) {
  const auto bits = reinterpret_cast<std::uintptr_t>(text);
  if (bits < 0x10000) {
    using Bits = std::make_unsigned_t<Char>;
    return reinterpret_cast<Char*>(static_cast<std::uintptr_t>(static_cast<Bits>(how(static_cast<Char>(bits)))));
  }
  change(text, std::char_traits<Char>::length(text), how);
  return text;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::append;
using turnpike::win32::Case;
using turnpike::win32::change;
using turnpike::win32::compare;
using turnpike::win32::copy;
using turnpike::win32::length_of;
using turnpike::win32::to_lower;
using turnpike::win32::to_upper;
using turnpike::win32::write_formatted;

int WINAPI lstrlenA(LPCSTR lpString) { return length_of(lpString); }
int WINAPI lstrlenW(LPCWSTR lpString) { return length_of(lpString); }

LPSTR WINAPI lstrcpyA(LPSTR lpString1, LPCSTR lpString2) { return copy(lpString1, lpString2, SIZE_MAX); }
LPWSTR WINAPI lstrcpyW(LPWSTR lpString1, LPCWSTR lpString2) { return copy(lpString1, lpString2, SIZE_MAX); }

LPSTR WINAPI lstrcpynA(LPSTR lpString1, LPCSTR lpString2, int iMaxLength) {
  return iMaxLength < 1 ? nullptr : copy(lpString1, lpString2, static_cast<std::size_t>(iMaxLength - 1));
}
LPWSTR WINAPI lstrcpynW(LPWSTR lpString1, LPCWSTR lpString2, int iMaxLength) {
  return iMaxLength < 1 ? nullptr : copy(lpString1, lpString2, static_cast<std::size_t>(iMaxLength - 1));
}

LPSTR WINAPI lstrcatA(LPSTR lpString1, LPCSTR lpString2) { return append(lpString1, lpString2); }
LPWSTR WINAPI lstrcatW(LPWSTR lpString1, LPCWSTR lpString2) { return append(lpString1, lpString2); }

int WINAPI lstrcmpA(LPCSTR lpString1, LPCSTR lpString2) { return compare(lpString1, lpString2, Case::kMatters); }
int WINAPI lstrcmpW(LPCWSTR lpString1, LPCWSTR lpString2) { return compare(lpString1, lpString2, Case::kMatters); }
int WINAPI lstrcmpiA(LPCSTR lpString1, LPCSTR lpString2) { return compare(lpString1, lpString2, Case::kIgnored); }
int WINAPI lstrcmpiW(LPCWSTR lpString1, LPCWSTR lpString2) { return compare(lpString1, lpString2, Case::kIgnored); }

int WINAPI wvsprintfA(LPSTR target, LPCSTR text, va_list arglist) { return write_formatted(target, text, arglist); }
int WINAPI wvsprintfW(LPWSTR target, LPCWSTR text, va_list arglist) { return write_formatted(target, text, arglist); }

int WINAPIV wsprintfA(LPSTR target, LPCSTR text, ...) {
  va_list list;
  va_start(list, text);
  const int length = write_formatted(target, text, list);
  va_end(list);
  return length;
}

int WINAPIV wsprintfW(LPWSTR target, LPCWSTR text, ...) {
  va_list list;
  va_start(list, text);
  const int length = write_formatted(target, text, list);
  va_end(list);
  return length;
}

LPSTR WINAPI CharUpperA(LPSTR lpsz) { return change<char>(lpsz, to_upper); }
LPWSTR WINAPI CharUpperW(LPWSTR lpsz) { return change<wchar_t>(lpsz, to_upper); }
LPSTR WINAPI CharLowerA(LPSTR lpsz) { return change<char>(lpsz, to_lower); }
LPWSTR WINAPI CharLowerW(LPWSTR lpsz) { return change<wchar_t>(lpsz, to_lower); }

DWORD WINAPI CharUpperBuffA(LPSTR lpsz, DWORD cchLength) { return change<char>(lpsz, cchLength, to_upper); }
DWORD WINAPI CharUpperBuffW(LPWSTR lpsz, DWORD cchLength) { return change<wchar_t>(lpsz, cchLength, to_upper); }
DWORD WINAPI CharLowerBuffA(LPSTR lpsz, DWORD cchLength) { return change<char>(lpsz, cchLength, to_lower); }
DWORD WINAPI CharLowerBuffW(LPWSTR lpsz, DWORD cchLength) { return change<wchar_t>(lpsz, cchLength, to_lower); }
