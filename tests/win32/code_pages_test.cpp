// MultiByteToWideChar and WideCharToMultiByte: what they convert, what they refuse, and that a refusal touches nothing.
#include <errhandlingapi.h>
#include <gtest/gtest.h>
#include <stringapiset.h>

#include <climits>
#include <string>

namespace {

constexpr UINT kUtf8Pages[] = {CP_UTF8, CP_ACP, CP_OEMCP, CP_MACCP, CP_THREAD_ACP};
const char kNarrow[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
const wchar_t kWide[] = L"a\u00E9\u20AC\U0001F600";

std::wstring widened(std::string_view text) {
  wchar_t out[64];
  const int count = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), out, 64);
  return {out, static_cast<std::size_t>(count)};
}

TEST(MultiByteToWideChar, ConvertsEveryLengthOfCharacter) {
  for (const UINT page : kUtf8Pages) {
    wchar_t out[5] = {};
    EXPECT_EQ(MultiByteToWideChar(page, 0, kNarrow, -1, out, 5), 5) << page;
    EXPECT_STREQ(out, kWide) << page;
  }
}

TEST(MultiByteToWideChar, CountsTheNullOnlyWhereTheLengthIsMinusOne) {
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, 0, kNarrow, -1, nullptr, 0), 5);
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, 0, kNarrow, sizeof kNarrow - 1, nullptr, 0), 4);
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, 0, "", -1, nullptr, 0), 1);
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, 0, "a\0b", 3, nullptr, 0), 3);
}

TEST(MultiByteToWideChar, ReplacesMalformedTextAsUnicodeSays) {
  EXPECT_EQ(widened("\xFFx"), L"\uFFFDx");
  EXPECT_EQ(widened("\xC0\x80"), L"\uFFFD\uFFFD");            // overlong: two pieces
  EXPECT_EQ(widened("\xED\xA0\x80"), L"\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(widened("\xF0\x9F\x98"), L"\uFFFD");              // cut off: one piece
  EXPECT_EQ(widened("\xF4\x90\x80\x80").size(), 4U);          // beyond U+10FFFF
  EXPECT_EQ(widened("\xE2\x82\x41"), L"\uFFFD\u0041");
}

TEST(MultiByteToWideChar, RefusesMalformedTextWhereAsked) {
  wchar_t out[4] = {L'x'};
  SetLastError(0);
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "a\xFF", 2, out, 4), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NO_UNICODE_TRANSLATION});
  EXPECT_EQ(out[0], L'x');
  EXPECT_EQ(MultiByteToWideChar(CP_ACP, MB_ERR_INVALID_CHARS | MB_PRECOMPOSED, "\xC3\xA9", 2, out, 4), 1);
}

TEST(MultiByteToWideChar, TooSmallATargetStaysAsItWas) {
  wchar_t out[4] = {L'x', L'x', L'x', L'x'};
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, 0, kNarrow, -1, out, 4), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(std::wstring(out, 4), L"xxxx");
}

struct Bad {
  UINT page;
  DWORD flags;
  const void* source;
  int length;
  bool target;
  int room;
  DWORD error;
};

TEST(MultiByteToWideChar, BadInput) {
  const Bad cases[] = {
      {1252, 0, "a", 1, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF7, 0, "a", 1, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, nullptr, 1, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, "a", 0, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, "a", -2, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, "a", INT_MIN, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, "a", 1, false, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, "a", 1, true, -1, ERROR_INVALID_PARAMETER},
      {CP_UTF8, MB_PRECOMPOSED, "a", 1, true, 4, ERROR_INVALID_FLAGS},
      {CP_ACP, 0x10, "a", 1, true, 4, ERROR_INVALID_FLAGS},
  };
  for (const Bad& bad : cases) {
    wchar_t out[4] = {L'x'};
    SetLastError(0);
    EXPECT_EQ(MultiByteToWideChar(bad.page, bad.flags, static_cast<const char*>(bad.source), bad.length,
                                  bad.target ? out : nullptr, bad.room),
              0);
    EXPECT_EQ(GetLastError(), bad.error) << &bad - cases;
    EXPECT_EQ(out[0], L'x');
  }
  wchar_t same[4] = {};
  EXPECT_EQ(MultiByteToWideChar(CP_UTF8, 0, reinterpret_cast<char*>(same), 1, same, 4), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST(WideCharToMultiByte, ConvertsEveryLengthOfCharacter) {
  for (const UINT page : kUtf8Pages) {
    char out[sizeof kNarrow] = {};
    EXPECT_EQ(WideCharToMultiByte(page, 0, kWide, -1, out, sizeof out, nullptr, nullptr), int{sizeof kNarrow});
    EXPECT_STREQ(out, kNarrow) << page;
  }
  EXPECT_EQ(WideCharToMultiByte(CP_UTF8, 0, kWide, 4, nullptr, 0, nullptr, nullptr), 10);
}

TEST(WideCharToMultiByte, MalformedText) {
  const wchar_t surrogate[] = {L'a', wchar_t{0xD800}, 0};
  char out[8] = {};
  EXPECT_EQ(WideCharToMultiByte(CP_UTF8, 0, surrogate, -1, out, 8, nullptr, nullptr), 5);
  EXPECT_STREQ(out, "a\xEF\xBF\xBD");
  EXPECT_EQ(WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, surrogate, -1, out, 8, nullptr, nullptr), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_NO_UNICODE_TRANSLATION});

  BOOL used = 7;
  EXPECT_EQ(WideCharToMultiByte(CP_ACP, WC_NO_BEST_FIT_CHARS, surrogate, -1, out, 8, "?", &used), 3);
  EXPECT_STREQ(out, "a?");
  EXPECT_EQ(used, TRUE);
  EXPECT_EQ(WideCharToMultiByte(CP_ACP, 0, L"a", -1, out, 8, "?", &used), 2);
  EXPECT_EQ(used, FALSE);
}

TEST(WideCharToMultiByte, TooSmallATargetStaysAsItWas) {
  char out[] = "xxxx";
  BOOL used = 7;
  EXPECT_EQ(WideCharToMultiByte(CP_ACP, 0, kWide, -1, out, 4, nullptr, &used), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_STREQ(out, "xxxx");
  EXPECT_EQ(used, 7);
}

TEST(WideCharToMultiByte, BadInput) {
  const Bad cases[] = {
      {437, 0, L"a", 1, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, nullptr, 1, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, L"a", 0, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, L"a", -2, true, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, L"a", 1, false, 4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, 0, L"a", 1, true, -4, ERROR_INVALID_PARAMETER},
      {CP_UTF8, WC_NO_BEST_FIT_CHARS, L"a", 1, true, 4, ERROR_INVALID_FLAGS},
      {CP_ACP, 0x80000000, L"a", 1, true, 4, ERROR_INVALID_FLAGS},
  };
  for (const Bad& bad : cases) {
    char out[4] = {'x'};
    SetLastError(0);
    EXPECT_EQ(WideCharToMultiByte(bad.page, bad.flags, static_cast<const wchar_t*>(bad.source), bad.length,
                                  bad.target ? out : nullptr, bad.room, nullptr, nullptr),
              0);
    EXPECT_EQ(GetLastError(), bad.error) << &bad - cases;
    EXPECT_EQ(out[0], 'x');
  }
  char out[4];
  BOOL used = FALSE;
  EXPECT_EQ(WideCharToMultiByte(CP_UTF8, 0, L"a", 1, out, 4, "?", nullptr), 0);
  EXPECT_EQ(WideCharToMultiByte(CP_UTF8, 0, L"a", 1, out, 4, nullptr, &used), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST(CodePages, ThereIsOne) {
  EXPECT_EQ(GetACP(), CP_UTF8);
  EXPECT_EQ(GetOEMCP(), CP_UTF8);
  EXPECT_EQ(IsValidCodePage(CP_UTF8), TRUE);
  EXPECT_EQ(IsValidCodePage(CP_ACP), FALSE);
  EXPECT_EQ(IsValidCodePage(1252), FALSE);
}

}  // namespace
