// Bad input to functions of text: null pointers, sizes of nothing and of everything, numbers in no base. Each family
// answers in one way, so each is put to all of its functions.
#include <strsafe.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <string>

#include "bad_input.h"

namespace turnpike::win32 {
namespace {

constexpr HRESULT kInvalid = STRSAFE_E_INVALID_PARAMETER;
constexpr std::size_t kTooLarge = (std::size_t{STRSAFE_MAX_CCH} + 1) * sizeof(WCHAR);  // in either unit

template <class Char>
struct Text {
  std::array<Char, 4> target{'o', 'l', 'd', 0};
  std::array<Char, 2> source{'a', 0};
  const std::array<Char, 4> before = target;
  static constexpr std::size_t kSize = 4 * sizeof(Char);  // enough in either unit; nothing is written

  ~Text() { EXPECT_EQ(target, before); }
};

// `call` is given a target, its size, and a source.
template <class Char, class Call>
void expect_refusals(Call call) {
  Text<Char> text;
  EXPECT_EQ(call(static_cast<Char*>(nullptr), Text<Char>::kSize, text.source.data()), kInvalid);
  EXPECT_EQ(call(text.target.data(), Text<Char>::kSize, static_cast<Char*>(nullptr)), kInvalid);
  EXPECT_EQ(call(text.target.data(), 0, text.source.data()), kInvalid);
  EXPECT_EQ(call(text.target.data(), kTooLarge, text.source.data()), kInvalid);
  EXPECT_EQ(call(text.target.data(), SIZE_MAX, text.source.data()), kInvalid);
}

template <class Char>
void refuses(HRESULT (*function)(Char*, std::size_t, const Char*)) {
  expect_refusals<Char>(function);
}

template <class Char>
void refuses(HRESULT (*function)(Char*, std::size_t, const Char*, std::size_t)) {
  expect_refusals<Char>([=](Char* to, std::size_t size, const Char* from) { return function(to, size, from, 1); });
  Text<Char> text;
  EXPECT_EQ(function(text.target.data(), Text<Char>::kSize, text.source.data(), kTooLarge), kInvalid);
}

template <class Char>
void refuses(HRESULT (*function)(Char*, std::size_t, const Char*, ...)) {
  expect_refusals<Char>([=](Char* to, std::size_t size, const Char* from) { return function(to, size, from); });
}

// Flags 0 and none that exist; a size of 0 is allowed to the Ex forms where nothing is to be written.
template <class Char, class Call>
void expect_refusals_with_flags(Call call) {
  expect_refusals<Char>([&](Char* to, std::size_t size, const Char* from) {
    return size != 0 ? call(to, size, from, DWORD{0}) : kInvalid;
  });
  Text<Char> text;
  EXPECT_EQ(call(text.target.data(), Text<Char>::kSize, text.source.data(), STRSAFE_VALID_FLAGS + 1), kInvalid);
}

template <class Char>
void refuses(HRESULT (*function)(Char*, std::size_t, const Char*, Char**, std::size_t*, DWORD)) {
  expect_refusals_with_flags<Char>([=](Char* to, std::size_t size, const Char* from, DWORD flags) {
    return function(to, size, from, nullptr, nullptr, flags);
  });
}

template <class Char>
void refuses(HRESULT (*function)(Char*, std::size_t, const Char*, std::size_t, Char**, std::size_t*, DWORD)) {
  expect_refusals_with_flags<Char>([=](Char* to, std::size_t size, const Char* from, DWORD flags) {
    return function(to, size, from, 1, nullptr, nullptr, flags);
  });
}

template <class Char>
void refuses(HRESULT (*function)(Char*, std::size_t, Char**, std::size_t*, DWORD, const Char*, ...)) {
  expect_refusals_with_flags<Char>([=](Char* to, std::size_t size, const Char* from, DWORD flags) {
    return function(to, size, nullptr, nullptr, flags, from);
  });
}

template <class Char>
HRESULT with_list(HRESULT (*function)(Char*, std::size_t, const Char*, va_list), Char* to, std::size_t size,
                  const Char* from, ...) {
  va_list arguments;
  va_start(arguments, from);
  const HRESULT result = function(to, size, from, arguments);
  va_end(arguments);
  return result;
}

template <class Char>
void refuses_list(HRESULT (*function)(Char*, std::size_t, const Char*, va_list)) {
  expect_refusals<Char>(
      [=](Char* to, std::size_t size, const Char* from) { return with_list(function, to, size, from); });
}

template <class Char>
HRESULT with_list(HRESULT (*function)(Char*, std::size_t, Char**, std::size_t*, DWORD, const Char*, va_list), Char* to,
                  std::size_t size, DWORD flags, const Char* from, ...) {
  va_list arguments;
  va_start(arguments, from);
  const HRESULT result = function(to, size, nullptr, nullptr, flags, from, arguments);
  va_end(arguments);
  return result;
}

template <class Char>
void refuses_list(HRESULT (*function)(Char*, std::size_t, Char**, std::size_t*, DWORD, const Char*, va_list)) {
  expect_refusals_with_flags<Char>([=](Char* to, std::size_t size, const Char* from, DWORD flags) {
    return with_list(function, to, size, flags, from);
  });
}

template <class Char>
void refuses_length(HRESULT (*function)(const Char*, std::size_t, std::size_t*)) {
  Text<Char> text;
  std::size_t length = 7;
  EXPECT_EQ(function(nullptr, 4, &length), kInvalid);
  EXPECT_EQ(length, 0U);
  EXPECT_EQ(function(text.target.data(), 0, &length), kInvalid);
  EXPECT_EQ(function(text.target.data(), 3, &length), kInvalid);  // it is not over by then
  EXPECT_EQ(function(text.target.data(), kTooLarge, &length), kInvalid);
  EXPECT_EQ(function(text.target.data(), Text<Char>::kSize, nullptr), S_OK);
}

TEST(BadText, IsRefusedByStrsafe) {
  refuses(StringCchCopyA), refuses(StringCchCopyW), refuses(StringCbCopyA), refuses(StringCbCopyW);
  refuses(StringCchCatA), refuses(StringCchCatW), refuses(StringCbCatA), refuses(StringCbCatW);
  refuses(StringCchCopyNA), refuses(StringCchCopyNW), refuses(StringCbCopyNA), refuses(StringCbCopyNW);
  refuses(StringCchCatNA), refuses(StringCchCatNW), refuses(StringCbCatNA), refuses(StringCbCatNW);
  refuses(StringCchPrintfA), refuses(StringCchPrintfW), refuses(StringCbPrintfA), refuses(StringCbPrintfW);
  refuses(StringCchCopyExA), refuses(StringCchCopyExW), refuses(StringCbCopyExA), refuses(StringCbCopyExW);
  refuses(StringCchCatExA), refuses(StringCchCatExW), refuses(StringCbCatExA), refuses(StringCbCatExW);
  refuses(StringCchCopyNExA), refuses(StringCchCopyNExW), refuses(StringCbCopyNExA), refuses(StringCbCopyNExW);
  refuses(StringCchCatNExA), refuses(StringCchCatNExW), refuses(StringCbCatNExA), refuses(StringCbCatNExW);
  refuses(StringCchPrintfExA), refuses(StringCchPrintfExW), refuses(StringCbPrintfExA), refuses(StringCbPrintfExW);
  refuses_list(StringCchVPrintfA), refuses_list(StringCchVPrintfW);
  refuses_list(StringCbVPrintfA), refuses_list(StringCbVPrintfW);
  refuses_list(StringCchVPrintfExA), refuses_list(StringCchVPrintfExW);
  refuses_list(StringCbVPrintfExA), refuses_list(StringCbVPrintfExW);
  refuses_length(StringCchLengthA), refuses_length(StringCchLengthW);
  refuses_length(StringCbLengthA), refuses_length(StringCbLengthW);
}

// ---- the C library's names

template <class Char>
void refuses_bounded(errno_t (*function)(Char*, std::size_t, const Char*)) {
  std::array<Char, 4> target{'o', 'l', 'd', 0};
  const std::array<Char, 2> source{'a', 0};
  EXPECT_EQ(function(nullptr, 4, source.data()), EINVAL);
  EXPECT_EQ(function(target.data(), 0, source.data()), EINVAL);
  EXPECT_EQ(target[0], 'o');
  EXPECT_EQ(function(target.data(), 4, nullptr), EINVAL);
  EXPECT_EQ(target[0], 0);
}

template <class Char>
void refuses_bounded(errno_t (*function)(Char*, std::size_t, const Char*, std::size_t)) {
  std::array<Char, 4> target{'o', 'l', 'd', 0};
  const std::array<Char, 2> source{'a', 0};
  EXPECT_EQ(function(nullptr, 4, source.data(), 1), EINVAL);
  EXPECT_EQ(function(target.data(), 0, source.data(), 1), EINVAL);
  EXPECT_EQ(target[0], 'o');
  EXPECT_EQ(function(target.data(), 4, nullptr, 1), EINVAL);
  EXPECT_EQ(target[0], 0);
}

template <class Char>
int with_arguments(int (*function)(Char*, std::size_t, const Char*, va_list), Char* to, std::size_t size,
                   const Char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = function(to, size, format, arguments);
  va_end(arguments);
  return result;
}

template <class Char, class Call>
void expect_unformatted(Call call) {
  std::array<Char, 4> target{'o', 'l', 'd', 0};
  const std::array<Char, 2> format{'a', 0};
  EXPECT_EQ(call(static_cast<Char*>(nullptr), 4, format.data()), -1);
  EXPECT_EQ(target[0], 'o');
  EXPECT_EQ(call(target.data(), 4, static_cast<const Char*>(nullptr)), -1);
}

template <class Char>
void does_not_format(int (*function)(Char*, std::size_t, const Char*, ...)) {
  expect_unformatted<Char>([=](Char* to, std::size_t size, const Char* format) { return function(to, size, format); });
}

template <class Char>
void does_not_format(int (*function)(Char*, std::size_t, std::size_t, const Char*, ...)) {
  expect_unformatted<Char>(
      [=](Char* to, std::size_t size, const Char* format) { return function(to, size, 1, format); });
}

template <class Char>
void does_not_format_list(int (*function)(Char*, std::size_t, const Char*, va_list)) {
  expect_unformatted<Char>(
      [=](Char* to, std::size_t size, const Char* format) { return with_arguments(function, to, size, format); });
}

template <class Char>
int count_with_arguments(int (*function)(const Char*, va_list), const Char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = function(format, arguments);
  va_end(arguments);
  return result;
}

template <class Function, class Char>
int most_with_arguments(Function function, Char* to, std::size_t size, const Char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = function(to, size, 1, format, arguments);
  va_end(arguments);
  return result;
}

TEST(BadText, IsRefusedByTheFormattingOfTheCLibrary) {
  does_not_format<char>(_snprintf), does_not_format<wchar_t>(_snwprintf);
  does_not_format<char>(sprintf_s), does_not_format<wchar_t>(swprintf_s);
  does_not_format<char>(_snprintf_s), does_not_format<wchar_t>(_snwprintf_s);
  does_not_format<wchar_t>(TpSwprintf), does_not_format_list<wchar_t>(TpVswprintf);
  does_not_format_list<char>(_vsnprintf), does_not_format_list<wchar_t>(_vsnwprintf);
  does_not_format_list<char>(vsprintf_s), does_not_format_list<wchar_t>(vswprintf_s);
  char text[4] = "old";
  wchar_t wide[4] = L"old";
  EXPECT_EQ(most_with_arguments(_vsnprintf_s, static_cast<char*>(nullptr), 4, "a"), -1);
  EXPECT_EQ(most_with_arguments(_vsnprintf_s, text, 4, static_cast<const char*>(nullptr)), -1);
  EXPECT_EQ(most_with_arguments(_vsnwprintf_s, static_cast<wchar_t*>(nullptr), 4, L"a"), -1);
  EXPECT_EQ(most_with_arguments(_vsnwprintf_s, wide, 4, static_cast<const wchar_t*>(nullptr)), -1);
  EXPECT_EQ(_scprintf(nullptr), -1);
  EXPECT_EQ(_scwprintf(nullptr), -1);
  EXPECT_EQ(count_with_arguments<char>(_vscprintf, nullptr), -1);
  EXPECT_EQ(count_with_arguments<wchar_t>(_vscwprintf, nullptr), -1);
  EXPECT_EQ(TpPrintf(nullptr), -1);
  EXPECT_EQ(TpWprintf(nullptr), -1);
  EXPECT_EQ(count_with_arguments<char>(TpVprintf, nullptr), -1);
  EXPECT_EQ(count_with_arguments<wchar_t>(TpVwprintf, nullptr), -1);
  EXPECT_EQ(TpFprintf(nullptr, "a"), -1);
  EXPECT_EQ(TpFwprintf(nullptr, L"a"), -1);
  EXPECT_EQ(TpFprintf(stderr, nullptr), -1);
  EXPECT_EQ(TpFwprintf(stderr, nullptr), -1);
  const auto to_stream = [](auto function, FILE* stream, const auto* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int result = function(stream, format, arguments);
    va_end(arguments);
    return result;
  };
  EXPECT_EQ(to_stream(TpVfprintf, nullptr, "a"), -1);
  EXPECT_EQ(to_stream(TpVfprintf, stderr, static_cast<const char*>(nullptr)), -1);
  EXPECT_EQ(to_stream(TpVfwprintf, nullptr, L"a"), -1);
  EXPECT_EQ(to_stream(TpVfwprintf, stderr, static_cast<const wchar_t*>(nullptr)), -1);
}

TEST(BadText, IsRefusedByTheCopyingOfTheCLibrary) {
  refuses_bounded<char>(strcpy_s), refuses_bounded<wchar_t>(wcscpy_s);
  refuses_bounded<char>(strcat_s), refuses_bounded<wchar_t>(wcscat_s);
  refuses_bounded<char>(strncpy_s), refuses_bounded<wchar_t>(wcsncpy_s);
  refuses_bounded<char>(strncat_s), refuses_bounded<wchar_t>(wcsncat_s);
  char bytes[4] = "old";
  EXPECT_EQ(memcpy_s(nullptr, 4, bytes, 1), EINVAL);
  EXPECT_EQ(memmove_s(nullptr, 4, bytes, 1), EINVAL);
  EXPECT_EQ(memcpy_s(bytes, 0, "a", 1), ERANGE);
  EXPECT_STREQ(bytes, "old");
  EXPECT_EQ(memmove_s(bytes, 4, nullptr, 1), EINVAL);
  EXPECT_EQ(bytes[1], 0);
  EXPECT_EQ(_strlwr(nullptr), nullptr);
  EXPECT_EQ(_strupr(nullptr), nullptr);
  EXPECT_EQ(_wcslwr(nullptr), nullptr);
  EXPECT_EQ(_wcsupr(nullptr), nullptr);
}

template <class Char, class Number>
void refuses_base(Char* (*function)(Number, Char*, int)) {
  std::array<Char, 4> target{'o', 'l', 'd', 0};
  EXPECT_EQ(function(1, nullptr, 10), nullptr);
  for (const int base : {-10, 0, 1, 37, INT_MAX}) {
    target[0] = 'o';
    EXPECT_EQ(function(1, target.data(), base), target.data());
    EXPECT_EQ(target[0], 0);
  }
}

TEST(BadText, IsRefusedByConversions) {
  refuses_base(_itoa), refuses_base(_ltoa), refuses_base(_ultoa), refuses_base(_i64toa), refuses_base(_ui64toa);
  refuses_base(_itow), refuses_base(_ltow), refuses_base(_ultow), refuses_base(_i64tow), refuses_base(_ui64tow);
  EXPECT_EQ(_wtoi(nullptr), 0);
  EXPECT_EQ(_wtol(L"none"), 0);
  EXPECT_EQ(_wtol(nullptr), 0);
  EXPECT_EQ(_wtoi64(nullptr), 0);
  EXPECT_EQ(_atoi64(nullptr), 0);
  EXPECT_EQ(_wtoi(L"99999999999999999999"), INT_MAX);
}

TEST(BadText, IsRefusedByTheFunctionsOfWindows) {
  char text[4] = "old";
  EXPECT_EQ(lstrcpyA(nullptr, "a"), nullptr);
  EXPECT_EQ(lstrcpyW(nullptr, L"a"), nullptr);
  EXPECT_EQ(lstrcatA(text, nullptr), nullptr);
  EXPECT_EQ(lstrcatW(nullptr, L"a"), nullptr);
  EXPECT_EQ(lstrcpynA(text, "a", 0), nullptr);
  EXPECT_EQ(lstrcpynW(nullptr, L"a", 4), nullptr);
  EXPECT_EQ(lstrlenA(nullptr), 0);
  EXPECT_EQ(lstrlenW(nullptr), 0);
  EXPECT_LT(lstrcmpA(nullptr, ""), 0);  // before everything
  EXPECT_GT(lstrcmpW(L"", nullptr), 0);
  EXPECT_EQ(lstrcmpiA(nullptr, nullptr), 0);
  EXPECT_LT(lstrcmpiW(nullptr, L""), 0);
  EXPECT_EQ(CharLowerA(nullptr), nullptr);
  EXPECT_EQ(CharLowerW(nullptr), nullptr);
  EXPECT_EQ(CharUpperA(nullptr), nullptr);
  EXPECT_EQ(CharUpperW(nullptr), nullptr);
  EXPECT_EQ(CharLowerBuffA(nullptr, 4), 0U);
  EXPECT_EQ(CharLowerBuffW(nullptr, 4), 0U);
  EXPECT_EQ(CharUpperBuffA(nullptr, 4), 0U);
  EXPECT_EQ(CharUpperBuffW(nullptr, 4), 0U);
  EXPECT_EQ(wsprintfA(nullptr, "a"), 0);
  EXPECT_EQ(wsprintfW(nullptr, L"a"), 0);
  const auto listed = [](auto function, auto* to, const auto* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int result = function(to, format, arguments);
    va_end(arguments);
    return result;
  };
  EXPECT_EQ(listed(wvsprintfA, text, static_cast<const char*>(nullptr)), 0);
  EXPECT_EQ(listed(wvsprintfW, static_cast<WCHAR*>(nullptr), L"a"), 0);
  EXPECT_STREQ(text, "old");
  OutputDebugStringA(nullptr);
  OutputDebugStringW(nullptr);
  EXPECT_FALSE(IsValidCodePage(77));
  EXPECT_EQ(MultiByteToWideChar(77, 0, "a", 1, nullptr, 0), 0);
  EXPECT_EQ(WideCharToMultiByte(CP_UTF8, 0, nullptr, 1, nullptr, 0, nullptr, nullptr), 0);
}

}  // namespace
}  // namespace turnpike::win32
