// StringCch… and StringCb…: results, flags and the ends that the Ex forms tell.
#include <gtest/gtest.h>
#include <strsafe.h>

#include <cstdarg>
#include <string>
#include <string_view>

namespace {

constexpr HRESULT kTooSmall = STRSAFE_E_INSUFFICIENT_BUFFER;
constexpr HRESULT kInvalid = STRSAFE_E_INVALID_PARAMETER;

TEST(StringCchCopy, FitsOrIsCut) {
  char text[5] = "????";
  EXPECT_EQ(StringCchCopyA(text, 5, "abcd"), S_OK);
  EXPECT_STREQ(text, "abcd");
  EXPECT_EQ(StringCchCopyA(text, 5, "abcde"), kTooSmall);
  EXPECT_STREQ(text, "abcd");
  EXPECT_EQ(StringCchCopyA(text, 1, "x"), kTooSmall);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(StringCchCopyA(text, 1, ""), S_OK);
  wchar_t wide[3];
  EXPECT_EQ(StringCchCopyW(wide, 3, L"\u20ACxy"), kTooSmall);
  EXPECT_STREQ(wide, L"\u20ACx");
}

TEST(StringCchCopy, BadInput) {
  char text[4] = "old";
  EXPECT_EQ(StringCchCopyA(nullptr, 4, "a"), kInvalid);
  EXPECT_EQ(StringCchCopyA(text, 4, nullptr), kInvalid);
  EXPECT_EQ(StringCchCopyA(text, 0, "a"), kInvalid);
  EXPECT_EQ(StringCchCopyA(text, 0, ""), kInvalid);
  EXPECT_EQ(StringCchCopyA(text, size_t{STRSAFE_MAX_CCH} + 1, "a"), kInvalid);
  EXPECT_EQ(StringCchCopyW(nullptr, 4, L"a"), kInvalid);
  wchar_t wide[2] = L"x";
  EXPECT_EQ(StringCchCopyW(wide, SIZE_MAX, L"a"), kInvalid);  // in bytes it would wrap around
  EXPECT_EQ(StringCchCopyW(wide, (SIZE_MAX >> 2) + 2, L"a"), kInvalid);
  EXPECT_STREQ(text, "old");
  EXPECT_STREQ(wide, L"x");
}

TEST(StringCchCopyN, TakesSoMany) {
  char text[5];
  EXPECT_EQ(StringCchCopyNA(text, 5, "abcdef", 3), S_OK);
  EXPECT_STREQ(text, "abc");
  EXPECT_EQ(StringCchCopyNA(text, 5, "abcdef", 5), kTooSmall);
  EXPECT_STREQ(text, "abcd");
  EXPECT_EQ(StringCchCopyNA(text, 5, "ab", 100), S_OK);
  EXPECT_STREQ(text, "ab");
  const char unterminated[] = {'x', 'y'};
  EXPECT_EQ(StringCchCopyNA(text, 5, unterminated, 2), S_OK);
  EXPECT_STREQ(text, "xy");
  EXPECT_EQ(StringCchCopyNA(text, 5, "ab", size_t{STRSAFE_MAX_CCH} + 1), kInvalid);
  EXPECT_STREQ(text, "xy");
  EXPECT_EQ(StringCchCopyNA(text, 5, "ab", 0), S_OK);
  EXPECT_STREQ(text, "");
}

TEST(StringCchCat, AppendsWhatFits) {
  char text[6] = "ab";
  EXPECT_EQ(StringCchCatA(text, 6, "cd"), S_OK);
  EXPECT_STREQ(text, "abcd");
  EXPECT_EQ(StringCchCatA(text, 6, "ef"), kTooSmall);
  EXPECT_STREQ(text, "abcde");
  EXPECT_EQ(StringCchCatA(text, 6, ""), S_OK);
  EXPECT_EQ(StringCchCatA(text, 6, nullptr), kInvalid);
  EXPECT_EQ(StringCchCatA(text, 3, "x"), kInvalid);  // no null among the first 3
  EXPECT_STREQ(text, "abcde");
  text[1] = 0;
  EXPECT_EQ(StringCchCatNA(text, 6, "xyz", 2), S_OK);
  EXPECT_STREQ(text, "axy");
  wchar_t wide[4] = L"a";
  EXPECT_EQ(StringCchCatW(wide, 4, L"bc"), S_OK);
  EXPECT_EQ(StringCchCatNW(wide, 4, L"de", 1), kTooSmall);
  EXPECT_STREQ(wide, L"abc");
}

TEST(StringCchPrintf, FollowsTheRulesOfWindows) {
  wchar_t wide[32];
  EXPECT_EQ(StringCchPrintfW(wide, 32, L"%s %hs %lu", L"wide", "narrow", 7U), S_OK);
  EXPECT_STREQ(wide, L"wide narrow 7");
  char text[4] = "old";
  EXPECT_EQ(StringCchPrintfA(text, 4, "%d", 12345), kTooSmall);
  EXPECT_STREQ(text, "123");
  EXPECT_EQ(StringCchPrintfA(text, 4, nullptr), kInvalid);
  EXPECT_EQ(StringCchPrintfA(nullptr, 4, "a"), kInvalid);
  EXPECT_EQ(StringCchPrintfA(text, 0, "a"), kInvalid);
  EXPECT_STREQ(text, "123");
}

TEST(StringCb, CountsBytes) {
  wchar_t wide[4] = L"???";
  EXPECT_EQ(StringCbCopyW(wide, sizeof wide, L"abc"), S_OK);
  EXPECT_EQ(StringCbCopyW(wide, sizeof wide - 1, L"abc"), kTooSmall);  // room for 3 and a part of one
  EXPECT_STREQ(wide, L"ab");
  EXPECT_EQ(StringCbCopyW(wide, 3, L""), kInvalid);  // not even one
  EXPECT_EQ(StringCbCopyNW(wide, sizeof wide, L"abc", 8), S_OK);
  EXPECT_STREQ(wide, L"ab");
  EXPECT_EQ(StringCbCatW(wide, sizeof wide, L"c"), S_OK);
  EXPECT_EQ(StringCbCatNW(wide, sizeof wide, L"d", 4), kTooSmall);
  size_t length = 7;
  EXPECT_EQ(StringCbLengthW(wide, sizeof wide, &length), S_OK);
  EXPECT_EQ(length, 12U);
  EXPECT_EQ(StringCbPrintfW(wide, sizeof wide, L"%d", 12), S_OK);
  EXPECT_STREQ(wide, L"12");
  EXPECT_EQ(StringCbCopyW(wide, SIZE_MAX, L"a"), kInvalid);
}

TEST(StringCchLength, WantsAnEnd) {
  size_t length = 7;
  EXPECT_EQ(StringCchLengthA("abc", 4, &length), S_OK);
  EXPECT_EQ(length, 3U);
  EXPECT_EQ(StringCchLengthA("abc", 3, &length), kInvalid);
  EXPECT_EQ(length, 0U);
  EXPECT_EQ(StringCchLengthA(nullptr, 3, &length), kInvalid);
  EXPECT_EQ(StringCchLengthA("", 0, &length), kInvalid);
  EXPECT_EQ(StringCchLengthW(L"abc", STRSAFE_MAX_CCH, nullptr), S_OK);
  EXPECT_EQ(StringCchLengthW(L"abc", SIZE_MAX, nullptr), kInvalid);
}

// What an Ex form left and told.
struct Outcome {
  HRESULT result;
  std::string bytes;
  std::ptrdiff_t end;
  size_t remaining;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << std::hex << outcome.result << " " << testing::PrintToString(outcome.bytes) << " end " << outcome.end
             << " remaining " << outcome.remaining;
}

using Function = HRESULT (*)(char*, size_t, const char*, char**, size_t*, DWORD);

// Onto a target of six characters that holds "old".
Outcome call(Function function, const char* source, DWORD flags) {
  char text[6] = {'o', 'l', 'd', 0, '?', '?'};
  char* end = text;
  size_t remaining = 99;
  const HRESULT result = function(text, 6, source, &end, &remaining, flags);
  return {result, std::string(text, 6), end - text, remaining};
}

std::string bytes(const char (&text)[7]) { return {text, 6}; }

TEST(StringCchCopyEx, Flags) {
  const Function copy = StringCchCopyExA;
  EXPECT_EQ(call(copy, "ab", 0), (Outcome{S_OK, bytes("ab\0\0??"), 2, 4}));
  EXPECT_EQ(call(copy, "abcdef", 0), (Outcome{kTooSmall, bytes("abcde\0"), 5, 1}));
  EXPECT_EQ(call(copy, nullptr, 0), (Outcome{kInvalid, bytes("old\0??"), 0, 99}));
  EXPECT_EQ(call(copy, nullptr, STRSAFE_IGNORE_NULLS), (Outcome{S_OK, bytes("\0ld\0??"), 0, 6}));
  EXPECT_EQ(call(copy, "ab", STRSAFE_FILL_BYTE('z')), (Outcome{S_OK, bytes("ab\0zzz"), 2, 4}));
  EXPECT_EQ(call(copy, "abcdef", STRSAFE_FAILURE_BYTE('z')), (Outcome{kTooSmall, bytes("zzzzz\0"), 5, 1}));
  EXPECT_EQ(call(copy, "abcdef", STRSAFE_FAILURE_BYTE(0)), (Outcome{kTooSmall, bytes("\0\0\0\0\0\0"), 0, 6}));
  EXPECT_EQ(call(copy, "abcdef", STRSAFE_NULL_ON_FAILURE), (Outcome{kTooSmall, bytes("\0bcde\0"), 0, 6}));
  EXPECT_EQ(call(copy, "abcdef", STRSAFE_NO_TRUNCATION), (Outcome{kTooSmall, bytes("\0bcde\0"), 0, 6}));
  EXPECT_EQ(call(copy, nullptr, STRSAFE_NULL_ON_FAILURE), (Outcome{kInvalid, bytes("\0ld\0??"), 0, 99}));
  EXPECT_EQ(call(copy, "ab", STRSAFE_NO_TRUNCATION), (Outcome{S_OK, bytes("ab\0\0??"), 2, 4}));
  EXPECT_EQ(call(copy, "ab", 0x2000), (Outcome{kInvalid, bytes("old\0??"), 0, 99}));
  EXPECT_EQ(call(copy, "ab", 0x80000000), (Outcome{kInvalid, bytes("old\0??"), 0, 99}));
}

TEST(StringCchCatEx, Flags) {
  const Function append = StringCchCatExA;
  EXPECT_EQ(call(append, "ab", 0), (Outcome{S_OK, bytes("oldab\0"), 5, 1}));
  EXPECT_EQ(call(append, "abc", 0), (Outcome{kTooSmall, bytes("oldab\0"), 5, 1}));
  EXPECT_EQ(call(append, "abc", STRSAFE_NO_TRUNCATION), (Outcome{kTooSmall, bytes("old\0b\0"), 3, 3}));
  EXPECT_EQ(call(append, "abc", STRSAFE_NULL_ON_FAILURE), (Outcome{kTooSmall, bytes("\0ldab\0"), 0, 6}));
  EXPECT_EQ(call(append, nullptr, STRSAFE_IGNORE_NULLS | STRSAFE_FILL_BYTE('z')),
            (Outcome{S_OK, bytes("old\0zz"), 3, 3}));
  EXPECT_EQ(call(append, nullptr, STRSAFE_NO_TRUNCATION), (Outcome{kInvalid, bytes("old\0??"), 0, 99}));
  char full[3] = {'a', 'b', 'c'};
  EXPECT_EQ(StringCchCatExA(full, 3, "d", nullptr, nullptr, STRSAFE_NO_TRUNCATION), kInvalid);
  EXPECT_EQ(std::string(full, 3), "abc");
  EXPECT_EQ(StringCchCatExA(full, 3, "d", nullptr, nullptr, STRSAFE_NULL_ON_FAILURE), kInvalid);
  EXPECT_EQ(full[0], 0);
}

TEST(StringCchEx, ATargetOfNothing) {
  char* end = nullptr;
  size_t remaining = 99;
  EXPECT_EQ(StringCchCopyExA(nullptr, 0, "", &end, &remaining, STRSAFE_IGNORE_NULLS), S_OK);
  EXPECT_EQ(remaining, 0U);
  EXPECT_EQ(StringCchCopyExA(nullptr, 0, "", &end, &remaining, 0), kInvalid);
  EXPECT_EQ(StringCchCopyExA(nullptr, 0, "a", &end, &remaining, STRSAFE_IGNORE_NULLS), kInvalid);
  EXPECT_EQ(StringCchCopyExA(nullptr, 3, "", &end, &remaining, STRSAFE_IGNORE_NULLS), kInvalid);
  char text[1] = {'x'};
  EXPECT_EQ(StringCchCopyExA(text, 0, "", &end, &remaining, 0), S_OK);
  EXPECT_EQ(StringCchCopyExA(text, 0, "a", &end, &remaining, STRSAFE_FAILURE_BYTE('z')), kTooSmall);
  EXPECT_EQ(StringCchCatExA(text, 0, "a", &end, &remaining, STRSAFE_NULL_ON_FAILURE), kTooSmall);
  EXPECT_EQ(end, text);
  EXPECT_EQ(text[0], 'x');
}

TEST(StringCchEx, PrintfAndN) {
  char text[8];
  char* end = nullptr;
  size_t remaining = 0;
  EXPECT_EQ(StringCchPrintfExA(text, 8, &end, &remaining, 0, "%d-%s", 12, "a"), S_OK);
  EXPECT_STREQ(text, "12-a");
  EXPECT_EQ(end, text + 4);
  EXPECT_EQ(remaining, 4U);
  EXPECT_EQ(StringCchPrintfExA(text, 8, &end, &remaining, STRSAFE_IGNORE_NULLS, nullptr), S_OK);
  EXPECT_STREQ(text, "");
  EXPECT_EQ(StringCchCopyNExA(text, 8, "abcdef", 2, &end, &remaining, 0), S_OK);
  EXPECT_EQ(StringCchCatNExA(text, 8, "abcdef", 2, &end, &remaining, 0), S_OK);
  EXPECT_STREQ(text, "abab");
  EXPECT_EQ(end, text + 4);
}

TEST(StringCbEx, TellsBytes) {
  wchar_t wide[4];
  wchar_t* end = nullptr;
  size_t remaining = 0;
  EXPECT_EQ(StringCbCopyExW(wide, sizeof wide - 1, L"a", &end, &remaining, 0), S_OK);
  EXPECT_EQ(end, wide + 1);
  EXPECT_EQ(remaining, 11U);  // two characters and the three bytes behind them
  EXPECT_EQ(StringCbPrintfExW(wide, sizeof wide, &end, &remaining, 0, L"%d", 1), S_OK);
  EXPECT_EQ(remaining, 12U);
}

// ---- Every form once, in both widths and both units, by one text: a face that leads to another's body is seen here.

#define FORMS(name, Char, Unit, UNIT, AW)                                                                           \
  struct name {                                                                                                     \
    using Character = Char;                                                                                         \
    static constexpr std::size_t kUnit = Unit;                                                                      \
    static constexpr auto copy = String##UNIT##Copy##AW;                                                            \
    static constexpr auto copy_n = String##UNIT##CopyN##AW;                                                         \
    static constexpr auto copy_ex = String##UNIT##CopyEx##AW;                                                       \
    static constexpr auto copy_n_ex = String##UNIT##CopyNEx##AW;                                                    \
    static constexpr auto cat = String##UNIT##Cat##AW;                                                              \
    static constexpr auto cat_n = String##UNIT##CatN##AW;                                                           \
    static constexpr auto cat_ex = String##UNIT##CatEx##AW;                                                         \
    static constexpr auto cat_n_ex = String##UNIT##CatNEx##AW;                                                      \
    static constexpr auto print = String##UNIT##Printf##AW;                                                         \
    static constexpr auto print_ex = String##UNIT##PrintfEx##AW;                                                    \
    static constexpr auto length = String##UNIT##Length##AW;                                                        \
    static HRESULT print_list(Char* target, std::size_t size, const Char* format, ...) {                            \
      va_list list;                                                                                                 \
      va_start(list, format);                                                                                       \
      const HRESULT result = String##UNIT##VPrintf##AW(target, size, format, list);                                 \
      va_end(list);                                                                                                 \
      return result;                                                                                                \
    }                                                                                                               \
    static HRESULT print_list_ex(Char* target, std::size_t size, Char** end, std::size_t* left, const Char* format, \
                                 ...) {                                                                             \
      va_list list;                                                                                                 \
      va_start(list, format);                                                                                       \
      const HRESULT result = String##UNIT##VPrintfEx##AW(target, size, end, left, 0, format, list);                 \
      va_end(list);                                                                                                 \
      return result;                                                                                                \
    }                                                                                                               \
  }

FORMS(CharactersA, char, 1, Cch, A);
FORMS(CharactersW, wchar_t, 1, Cch, W);
FORMS(BytesA, char, 1, Cb, A);
FORMS(BytesW, wchar_t, sizeof(wchar_t), Cb, W);

template <class Forms>
class StringForms : public testing::Test {
 protected:
  using Char = typename Forms::Character;
  using Text = std::basic_string<Char>;

  static constexpr std::size_t kSize = 6 * Forms::kUnit;
  static Text text(std::string_view ascii) { return Text(ascii.begin(), ascii.end()); }

  // What the target holds, and that the Ex form told its end.
  void expect(std::string_view ascii) { EXPECT_EQ(Text(target_), text(ascii)); }
  void expect_end(std::string_view ascii) {
    expect(ascii);
    EXPECT_EQ(end_, target_ + ascii.size());
    EXPECT_EQ(left_, kSize - ascii.size() * Forms::kUnit);
    end_ = nullptr;
    left_ = 0;
  }

  Char target_[6] = {};
  Char* end_ = nullptr;
  std::size_t left_ = 0;
};

using AllForms = testing::Types<CharactersA, CharactersW, BytesA, BytesW>;
TYPED_TEST_SUITE(StringForms, AllForms, );

TYPED_TEST(StringForms, CopyAndAppend) {
  constexpr std::size_t size = TestFixture::kSize, kTwo = 2 * TypeParam::kUnit;
  const auto abc = this->text("abc"), xyz = this->text("xyz");
  EXPECT_EQ(TypeParam::copy(this->target_, size, abc.c_str()), S_OK);
  EXPECT_EQ(TypeParam::cat(this->target_, size, xyz.c_str()), kTooSmall);
  this->expect("abcxy");
  EXPECT_EQ(TypeParam::copy_n(this->target_, size, abc.c_str(), kTwo), S_OK);
  EXPECT_EQ(TypeParam::cat_n(this->target_, size, xyz.c_str(), kTwo), S_OK);
  this->expect("abxy");
  std::size_t length = 0;
  EXPECT_EQ(TypeParam::length(this->target_, size, &length), S_OK);
  EXPECT_EQ(length, 2 * kTwo);
}

TYPED_TEST(StringForms, TellTheEnd) {
  constexpr std::size_t size = TestFixture::kSize, kOne = TypeParam::kUnit;
  const auto ab = this->text("ab"), xy = this->text("xy");
  EXPECT_EQ(TypeParam::copy_ex(this->target_, size, ab.c_str(), &this->end_, &this->left_, 0), S_OK);
  this->expect_end("ab");
  EXPECT_EQ(TypeParam::cat_ex(this->target_, size, xy.c_str(), &this->end_, &this->left_, 0), S_OK);
  this->expect_end("abxy");
  EXPECT_EQ(TypeParam::copy_n_ex(this->target_, size, ab.c_str(), kOne, &this->end_, &this->left_, 0), S_OK);
  this->expect_end("a");
  EXPECT_EQ(TypeParam::cat_n_ex(this->target_, size, xy.c_str(), kOne, &this->end_, &this->left_, 0), S_OK);
  this->expect_end("ax");
}

TYPED_TEST(StringForms, Print) {
  constexpr std::size_t size = TestFixture::kSize;
  const auto format = this->text("%d-%s"), ab = this->text("ab");
  EXPECT_EQ(TypeParam::print(this->target_, size, format.c_str(), 1, ab.c_str()), S_OK);
  this->expect("1-ab");
  EXPECT_EQ(TypeParam::print_list(this->target_, size, format.c_str(), 123, ab.c_str()), kTooSmall);
  this->expect("123-a");
  EXPECT_EQ(TypeParam::print_ex(this->target_, size, &this->end_, &this->left_, 0, format.c_str(), 12, ab.c_str()),
            S_OK);
  this->expect_end("12-ab");
  EXPECT_EQ(TypeParam::print_list_ex(this->target_, size, &this->end_, &this->left_, format.c_str(), 3, ab.c_str()),
            S_OK);
  this->expect_end("3-ab");
}

}  // namespace
