// lstr* with their tolerance of null, the changing of case, and a client in C in both widths.
#include <gtest/gtest.h>
#include <winbase.h>
#include <winuser.h>

#include <string>

extern "C" {
int strings_client(void);
int strings_client_unicode(void);
}

namespace {

TEST(Strings, AClientInC) {
  EXPECT_EQ(strings_client(), 0) << "the line of strings_client.inc that does not hold";
  EXPECT_EQ(strings_client_unicode(), 0) << "the line of strings_client.inc that does not hold with UNICODE";
}

TEST(Lstrlen, OfNullIsZero) {
  EXPECT_EQ(lstrlenA(nullptr), 0);
  EXPECT_EQ(lstrlenW(nullptr), 0);
  EXPECT_EQ(lstrlenA("abc"), 3);
  EXPECT_EQ(lstrlenW(L"\u20AC"), 1);
}

TEST(Lstrcpy, NullIsRefusedAndNothingWritten) {
  char text[8] = "old";
  EXPECT_EQ(lstrcpyA(text, nullptr), nullptr);
  EXPECT_EQ(lstrcpyA(nullptr, "new"), nullptr);
  EXPECT_EQ(lstrcatA(text, nullptr), nullptr);
  EXPECT_EQ(lstrcatA(nullptr, "new"), nullptr);
  EXPECT_EQ(lstrcpynA(text, nullptr, 4), nullptr);
  EXPECT_EQ(lstrcpynA(nullptr, "new", 4), nullptr);
  EXPECT_STREQ(text, "old");
  EXPECT_EQ(lstrcpyA(text, "new"), text);
  EXPECT_EQ(lstrcatA(text, "er"), text);
  EXPECT_STREQ(text, "newer");
  wchar_t wide[8] = L"old";
  EXPECT_EQ(lstrcpyW(wide, nullptr), nullptr);
  EXPECT_EQ(lstrcatW(lstrcpyW(wide, L"new"), L"er"), wide);
  EXPECT_STREQ(wide, L"newer");
}

TEST(Lstrcpyn, CountsTheNull) {
  char text[8] = "1234567";
  EXPECT_EQ(lstrcpynA(text, "abcdef", 4), text);
  EXPECT_STREQ(text, "abc");
  EXPECT_EQ(text[4], '5');
  EXPECT_EQ(lstrcpynA(text, "abcdef", 1), text);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(lstrcpynA(text, "xyz", 0), nullptr);
  EXPECT_EQ(lstrcpynA(text, "xyz", -1), nullptr);
  EXPECT_STREQ(text, "");
  wchar_t wide[4];
  EXPECT_EQ(lstrcpynW(wide, L"abcdef", 4), wide);
  EXPECT_STREQ(wide, L"abc");
}

TEST(Lstrcmp, OrdersByLetterThenByCase) {
  const char* const ordered[] = {nullptr, "", "1", "a", "A", "ab", "aB", "Ab", "b", "B", "\xC3\xA9", "\xC3\x89"};
  for (const char* const& left : ordered) {
    for (const char* const& right : ordered) {
      const int expected = &left < &right ? -1 : &left > &right ? 1 : 0;
      EXPECT_EQ(lstrcmpA(left, right), expected) << (left ? left : "null") << ' ' << (right ? right : "null");
    }
  }
  EXPECT_EQ(lstrcmpW(L"a", L"A"), -1);
  EXPECT_EQ(lstrcmpW(L"B", L"a"), 1);
  EXPECT_EQ(lstrcmpW(nullptr, nullptr), 0);
}

TEST(Lstrcmpi, LooksThroughCase) {
  EXPECT_EQ(lstrcmpiA("RTM.DLL", "rtm.dll"), 0);
  EXPECT_EQ(lstrcmpiA("\xC3\x89t\xC3\xA9", "\xC3\xA9T\xC3\x89"), 0);
  EXPECT_EQ(lstrcmpiA("a", "b"), -1);
  EXPECT_EQ(lstrcmpiW(L"\u00C9T\u00C9", L"\u00E9t\u00E9"), 0);
  EXPECT_EQ(lstrcmpiW(nullptr, L""), -1);
  EXPECT_EQ(lstrcmpiW(L"", nullptr), 1);
}

TEST(CharUpper, ChangesATextOrACharacter) {
  char text[] = "aBc\xC3\xA9";
  EXPECT_EQ(CharUpperA(text), text);
  EXPECT_STREQ(text, "ABC\xC3\xA9");
  EXPECT_EQ(CharLowerA(text), text);
  EXPECT_STREQ(text, "abc\xC3\xA9");
  wchar_t wide[] = L"a\u00E9";
  EXPECT_STREQ(CharUpperW(wide), L"A\u00C9");
  EXPECT_STREQ(CharLowerW(wide), L"a\u00E9");
  EXPECT_EQ(CharUpperA(reinterpret_cast<char*>('x')), reinterpret_cast<char*>('X'));
  EXPECT_EQ(CharLowerW(reinterpret_cast<wchar_t*>(0xC9)), reinterpret_cast<wchar_t*>(0xE9));
  EXPECT_EQ(CharUpperA(nullptr), nullptr);
  EXPECT_EQ(CharUpperW(nullptr), nullptr);
}

TEST(CharUpperBuff, GoesBeyondANull) {
  char text[] = "a\0b";
  EXPECT_EQ(CharUpperBuffA(text, 3), 3U);
  EXPECT_EQ(std::string(text, 3), std::string("A\0B", 3));
  EXPECT_EQ(CharLowerBuffA(text, 1), 1U);
  EXPECT_EQ(text[0], 'a');
  wchar_t wide[] = L"ab";
  EXPECT_EQ(CharUpperBuffW(wide, 1), 1U);
  EXPECT_STREQ(wide, L"Ab");
  EXPECT_EQ(CharLowerBuffW(wide, 0), 0U);
  EXPECT_EQ(CharUpperBuffA(nullptr, 3), 0U);
}

}  // namespace
