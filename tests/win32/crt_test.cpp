// The names of Microsoft's C run-time library: the three rules for the end of a buffer, streams, bounded text, numbers.
#define TP_WINDOWS_WPRINTF
#include <gtest/gtest.h>
#include <tchar.h>
#include <turnpike_crt.h>
#include <unistd.h>
#include <winuser.h>

#include <climits>
#include <cstdint>
#include <string>

namespace {

TEST(Snprintf, AFullTargetHasNoNull) {
  char text[4] = {'?', '?', '?', '?'};
  EXPECT_EQ(_snprintf(text, 3, "%s", "abc"), 3);
  EXPECT_EQ(std::string(text, 4), "abc?");
  EXPECT_EQ(_snprintf(text, 3, "%s", "abcd"), -1);
  EXPECT_EQ(_snprintf(text, 3, "%s", "ab"), 2);
  EXPECT_STREQ(text, "ab");
  EXPECT_EQ(_snprintf(nullptr, 0, "%s", "abcd"), 4);
  EXPECT_EQ(_snprintf(text, 0, "%s", "abcd"), -1);
  EXPECT_EQ(_snprintf(text, 0, ""), 0);
  EXPECT_STREQ(text, "ab");
  wchar_t wide[3];
  EXPECT_EQ(_snwprintf(wide, 3, L"%s", L"ab"), 2);
  EXPECT_EQ(_scprintf("%d", 1234), 4);
  EXPECT_EQ(_scwprintf(L"%s", L"12345"), 5);
}

TEST(Snprintf, BadInput) {
  char text[4] = "old";
  EXPECT_EQ(_snprintf(text, 4, nullptr), -1);
  errno = 0;
  EXPECT_EQ(_snprintf(nullptr, 4, "a"), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(_snwprintf(nullptr, 4, L"a"), -1);
  EXPECT_EQ(_scprintf(nullptr), -1);
  EXPECT_STREQ(text, "old");
}

TEST(SprintfS, IsEmptyWhereItDoesNotFit) {
  char text[4] = "old";
  EXPECT_EQ(sprintf_s(text, 4, "%d", 123), 3);
  EXPECT_STREQ(text, "123");
  errno = 0;
  EXPECT_EQ(sprintf_s(text, 4, "%d", 1234), -1);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(errno, ERANGE);
  EXPECT_EQ(sprintf_s(text, "%d", 12), 2);  // C++ knows the size
  EXPECT_EQ(sprintf_s(nullptr, 4, "a"), -1);
  EXPECT_EQ(sprintf_s(text, 0, "a"), -1);
  EXPECT_STREQ(text, "12");
  EXPECT_EQ(sprintf_s(text, 4, nullptr), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_STREQ(text, "");
  wchar_t wide[4];
  EXPECT_EQ(swprintf_s(wide, L"%s", L"ab"), 2);
  EXPECT_STREQ(wide, L"ab");
}

TEST(SnprintfS, CutsWhereAsked) {
  char text[4];
  EXPECT_EQ(_snprintf_s(text, 4, _TRUNCATE, "%s", "abcdef"), -1);
  EXPECT_STREQ(text, "abc");
  EXPECT_EQ(_snprintf_s(text, 4, 2, "%s", "abcdef"), -1);
  EXPECT_STREQ(text, "ab");
  EXPECT_EQ(_snprintf_s(text, 4, 10, "%s", "abcdef"), -1);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(_snprintf_s(text, 4, 10, "%s", "abc"), 3);
  wchar_t wide[4];
  EXPECT_EQ(_snwprintf_s(wide, 4, _TRUNCATE, L"%s", L"abcdef"), -1);
  EXPECT_STREQ(wide, L"abc");
}

// A stream in a file without a name, of the orientation asked for, and what it has got.
class Stream {
 public:
  explicit Stream(int orientation) : file_(tmpfile()) { fwide(file_, orientation); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { fclose(file_); }

  FILE* file() { return file_; }
  std::string written() {
    fflush(file_);
    std::string text(256, 0);
    text.resize(static_cast<std::size_t>(pread(fileno(file_), text.data(), text.size(), 0)));
    return text;
  }

 private:
  FILE* file_;
};

TEST(Streams, WideTextIsUtf8OnAStreamOfBytes) {
  Stream stream(0);
  EXPECT_EQ(fwprintf(stream.file(), L"%s|%hs|%lu\n", L"\u20AC", "x", 7U), 6);
  EXPECT_EQ(TpFprintf(stream.file(), "%s|%ls\n", "a", L"\u00E9"), 5);
  EXPECT_EQ(stream.written(), "\xE2\x82\xAC|x|7\na|\xC3\xA9\n");
}

TEST(Streams, AWideStreamStaysOne) {
  Stream stream(1);
  EXPECT_EQ(fwprintf(stream.file(), L"%s", L"a"), 1);
  EXPECT_EQ(TpFprintf(stream.file(), "%s", "b"), 1);
  EXPECT_EQ(stream.written(), "ab");
}

TEST(Streams, BadInput) {
  EXPECT_EQ(fwprintf(nullptr, L"a"), -1);
  EXPECT_EQ(TpFprintf(nullptr, "a"), -1);
  EXPECT_EQ(TpFprintf(stderr, nullptr), -1);
  FILE* full = fopen("/dev/full", "w");
  setvbuf(full, nullptr, _IONBF, 0);
  EXPECT_EQ(TpFprintf(full, "text"), -1);
  fclose(full);
}

TEST(Swprintf, IsOursWhereTheClientSaysSo) {
  wchar_t wide[4];
  EXPECT_EQ(swprintf(wide, 4, L"%s", L"abc"), 3);
  EXPECT_STREQ(wide, L"abc");
  EXPECT_EQ(swprintf(wide, 4, L"%s", L"abcd"), -1);
  EXPECT_STREQ(wide, L"abc");
}

// ---- The forms that take a list: each says what its sibling with dots says.

template <class Char, class Print>
int with_list(Print print, const Char* format, ...) {
  va_list list;
  va_start(list, format);
  const int length = print(format, list);
  va_end(list);
  return length;
}

TEST(Lists, IntoATarget) {
  char text[8];
  const auto narrow = [&](auto print) { return with_list(print, "%d-%s", 12, "ab"); };
  EXPECT_EQ(narrow([](const char* format, va_list list) { return _vscprintf(format, list); }), 5);
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return _vsnprintf(text, 8, format, list); }), 5);
  EXPECT_STREQ(text, "12-ab");
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return _vsnprintf(text, 5, format, list); }), 5);
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return _vsnprintf(text, 4, format, list); }), -1);
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return vsprintf_s(text, 8, format, list); }), 5);
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return vsprintf_s(text, 5, format, list); }), -1);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return _vsnprintf_s(text, 8, 3, format, list); }), -1);
  EXPECT_STREQ(text, "12-");
  EXPECT_EQ(narrow([&](const char* format, va_list list) { return wvsprintfA(text, format, list); }), 5);
  EXPECT_STREQ(text, "12-ab");
}

TEST(Lists, IntoAWideTarget) {
  wchar_t text[8];
  const auto wide = [&](auto print) { return with_list(print, L"%d-%s", 12, L"ab"); };
  EXPECT_EQ(wide([](const wchar_t* format, va_list list) { return _vscwprintf(format, list); }), 5);
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return _vsnwprintf(text, 8, format, list); }), 5);
  EXPECT_STREQ(text, L"12-ab");
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return vswprintf_s(text, 8, format, list); }), 5);
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return vswprintf_s(text, 5, format, list); }), -1);
  EXPECT_STREQ(text, L"");
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return _vsnwprintf_s(text, 8, 3, format, list); }), -1);
  EXPECT_STREQ(text, L"12-");
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return TpVswprintf(text, 8, format, list); }), 5);
  EXPECT_STREQ(text, L"12-ab");
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return TpVswprintf(text, 5, format, list); }), -1);
  EXPECT_EQ(wide([&](const wchar_t* format, va_list list) { return wvsprintfW(text, format, list); }), 5);
  EXPECT_STREQ(text, L"12-ab");
}

TEST(Lists, ToAStream) {
  Stream stream(0);
  EXPECT_EQ(with_list([&](const char* format, va_list list) { return TpVfprintf(stream.file(), format, list); },
                      "%s-%ls|", "ab", L"\u20AC"),
            7);
  EXPECT_EQ(with_list([&](const wchar_t* format, va_list list) { return TpVfwprintf(stream.file(), format, list); },
                      L"%s-%hs", L"\u20AC", "ab"),
            4);
  EXPECT_EQ(stream.written(), "ab-\xE2\x82\xAC|\xE2\x82\xAC-ab");
}

TEST(Streams, StandardOutput) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(TpPrintf("%I64d|", 1LL), 2);
  EXPECT_EQ(TpWprintf(L"%s|", L"\u20AC"), 2);
  EXPECT_EQ(with_list([](const char* format, va_list list) { return TpVprintf(format, list); }, "%S|", L"c"), 2);
  EXPECT_EQ(with_list([](const wchar_t* format, va_list list) { return TpVwprintf(format, list); }, L"%S", "d"), 1);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "1|\xE2\x82\xAC|c|d");
}

TEST(StrcpyS, Bounded) {
  char text[4] = "old";
  EXPECT_EQ(strcpy_s(text, 4, "abc"), 0);
  EXPECT_STREQ(text, "abc");
  EXPECT_EQ(strcpy_s(text, "xy"), 0);
  EXPECT_EQ(strcat_s(text, 4, "z"), 0);
  EXPECT_STREQ(text, "xyz");
  EXPECT_EQ(strcat_s(text, "!"), ERANGE);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(strcpy_s(text, 4, "abcd"), ERANGE);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(strcpy_s(nullptr, 4, "a"), EINVAL);
  EXPECT_EQ(strcpy_s(text, 0, "a"), EINVAL);
  text[0] = 'x';
  EXPECT_EQ(strcpy_s(text, 4, nullptr), EINVAL);
  EXPECT_STREQ(text, "");
  char endless[2] = {'a', 'b'};
  EXPECT_EQ(strcat_s(endless, 2, "c"), ERANGE);
  EXPECT_EQ(endless[0], 0);
  wchar_t wide[4] = L"";
  EXPECT_EQ(wcscpy_s(wide, L"ab"), 0);
  EXPECT_EQ(wcscat_s(wide, L"c"), 0);
  EXPECT_STREQ(wide, L"abc");
}

TEST(StrncpyS, TakesSoManyOrWhatFits) {
  char text[4];
  EXPECT_EQ(strncpy_s(text, 4, "abcdef", 3), 0);
  EXPECT_STREQ(text, "abc");
  EXPECT_EQ(strncpy_s(text, 4, "abcdef", 4), ERANGE);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(strncpy_s(text, 4, "abcdef", _TRUNCATE), STRUNCATE);
  EXPECT_STREQ(text, "abc");
  EXPECT_EQ(strncpy_s(text, 4, "ab", _TRUNCATE), 0);
  EXPECT_EQ(strncat_s(text, 4, "xyz", 1), 0);
  EXPECT_STREQ(text, "abx");
  EXPECT_EQ(strncat_s(text, 4, "yz", _TRUNCATE), STRUNCATE);
  EXPECT_STREQ(text, "abx");
  const char unterminated[] = {'p', 'q'};
  EXPECT_EQ(strncpy_s(text, 4, unterminated, 2), 0);
  EXPECT_STREQ(text, "pq");
  wchar_t wide[4];
  EXPECT_EQ(wcsncpy_s(wide, 4, L"abcdef", 2), 0);
  EXPECT_EQ(wcsncat_s(wide, 4, L"xyz", 1), 0);
  EXPECT_STREQ(wide, L"abx");
  EXPECT_EQ(wcsncat_s(wide, 4, L"yz", _TRUNCATE), STRUNCATE);
  EXPECT_EQ(wcsncpy_s(wide, 4, L"abcd", 4), ERANGE);
  EXPECT_STREQ(wide, L"");
}

TEST(MemcpyS, ZeroesWhatItCannotFill) {
  char bytes[] = "abcd";
  EXPECT_EQ(memcpy_s(bytes, 4, "xy", 2), 0);
  EXPECT_STREQ(bytes, "xycd");
  EXPECT_EQ(memmove_s(bytes + 1, 3, bytes, 3), 0);
  EXPECT_STREQ(bytes, "xxyc");
  EXPECT_EQ(memcpy_s(bytes, 2, "pqr", 3), ERANGE);
  EXPECT_EQ(std::string(bytes, 4), std::string("\0\0yc", 4));
  EXPECT_EQ(memcpy_s(nullptr, 2, "p", 1), EINVAL);
  EXPECT_EQ(memcpy_s(bytes, 4, nullptr, 1), EINVAL);
  EXPECT_EQ(memcpy_s(nullptr, 0, nullptr, 0), 0);
}

TEST(Numbers, AsText) {
  char text[65];
  EXPECT_STREQ(_itoa(INT_MIN, text, 10), "-2147483648");
  EXPECT_STREQ(_itoa(-1, text, 16), "ffffffff");
  EXPECT_STREQ(_ultoa(4000000000U, text, 10), "4000000000");
  EXPECT_STREQ(_i64toa(LLONG_MIN, text, 10), "-9223372036854775808");
  EXPECT_STREQ(_ui64toa(ULLONG_MAX, text, 2), std::string(64, '1').c_str());
  EXPECT_STREQ(_ltoa(35, text, 36), "z");
  EXPECT_STREQ(_itoa(0, text, 10), "0");
  EXPECT_STREQ(_itoa(5, text, 1), "");
  EXPECT_STREQ(_itoa(5, text, 37), "");
  EXPECT_EQ(_itoa(5, nullptr, 10), nullptr);
  wchar_t wide[65];
  EXPECT_STREQ(_itow(-7, wide, 10), L"-7");
  EXPECT_STREQ(_ui64tow(255, wide, 16), L"ff");
  EXPECT_STREQ(_ltow(-8, wide, 10), L"-8");
  EXPECT_STREQ(_ultow(4000000000U, wide, 10), L"4000000000");
  EXPECT_STREQ(_i64tow(LLONG_MIN, wide, 10), L"-9223372036854775808");
}

TEST(Numbers, FromText) {
  EXPECT_EQ(_wtoi(L" -42x"), -42);
  EXPECT_EQ(_wtoi(L"99999999999"), INT_MAX);
  EXPECT_EQ(_wtol(L"-99999999999"), INT_MIN);
  EXPECT_EQ(_wtoi64(L"99999999999"), 99999999999);
  EXPECT_EQ(_atoi64("-99999999999"), -99999999999);
  EXPECT_EQ(_wtoi(L""), 0);
  EXPECT_EQ(_wtoi(nullptr), 0);
  EXPECT_EQ(_atoi64(nullptr), 0);
}

TEST(OtherNames, OfTheCLibrary) {
  EXPECT_EQ(_stricmp("RIP", "rip"), 0);
  EXPECT_EQ(_strnicmp("RIPv2", "ripng", 3), 0);
  EXPECT_EQ(_wcsicmp(L"RIP", L"rip"), 0);
  EXPECT_LT(_wcsnicmp(L"RIP", L"rjp", 2), 0);
  char list[] = "a,b";
  char* context = nullptr;
  EXPECT_STREQ(strtok_s(list, ",", &context), "a");
  EXPECT_STREQ(strtok_s(nullptr, ",", &context), "b");
  char* copy = _strdup("text");
  EXPECT_STREQ(_strupr(copy), "TEXT");
  EXPECT_STREQ(_strlwr(copy), "text");
  free(copy);
  wchar_t wide[] = L"\u00E9";
  EXPECT_STREQ(_wcsupr(wide), L"\u00C9");
  EXPECT_STREQ(_wcslwr(wide), L"\u00E9");
  EXPECT_EQ(_strlwr(nullptr), nullptr);
}

TEST(Tchar, FollowsUnicode) {
  TCHAR text[16];
  EXPECT_EQ(_sntprintf(text, _countof(text), _T("%s"), _T("rtm")), 3);
  EXPECT_EQ(_tcsicmp(text, _T("RTM")), 0);
  EXPECT_EQ(_stprintf(text, _T("%s %lu"), _T("mgm"), 7U), 5);
  EXPECT_EQ(_tcscmp(text, _T("mgm 7")), 0);
}

}  // namespace
