// Formats by the rules of Windows, through _snprintf (all of them) and wsprintf (fewer), in both widths.
#include <errhandlingapi.h>
#include <gtest/gtest.h>
#include <ntdef.h>
#include <turnpike_crt.h>
#include <winerror.h>
#include <winuser.h>

#include <climits>
#include <string>

namespace {

template <class... Arguments>
std::string narrow(const char* format, Arguments... arguments) {
  char text[256];
  const int length = _snprintf(text, 256, format, arguments...);
  return length < 0 ? "failed" : std::string(text, static_cast<std::size_t>(length));
}

template <class... Arguments>
std::wstring wide(const wchar_t* format, Arguments... arguments) {
  wchar_t text[256];
  const int length = _snwprintf(text, 256, format, arguments...);
  return length < 0 ? L"failed" : std::wstring(text, static_cast<std::size_t>(length));
}

const void* const kNull = nullptr;

TEST(Format, Numbers) {
  EXPECT_EQ(narrow("%d|%i|%u", -1, INT_MIN, 4000000000U), "-1|-2147483648|4000000000");
  EXPECT_EQ(narrow("%x %X %#x %#X %#x", 48879, 48879, 48879, 48879, 0), "beef BEEF 0xbeef 0XBEEF 0");
  EXPECT_EQ(narrow("%o %#o", 8, 8), "10 010");
  EXPECT_EQ(narrow("%5d|%-5d|%05d|%+d|% d|%-05d|", 42, 42, 42, 42, 42, 42), "   42|42   |00042|+42| 42|42   |");
  EXPECT_EQ(narrow("%.3d|%6.3d|%06.3d|%.0d|%5.0d|", 7, 7, 7, 0, 0), "007|   007|   007||     |");
  EXPECT_EQ(narrow("%*d|%-*d|%*d|%.*d", 4, 7, 4, 7, -4, 7, 3, 7), "   7|7   |7   |007");
  EXPECT_EQ(narrow("%.*d", -1, 7), "7");
  EXPECT_EQ(narrow("%05d|%+05d|%#06x", -7, 7, 255), "-0007|+0007|0x00ff");
  EXPECT_EQ(wide(L"%d %08x", -5, 0xABC), L"-5 00000abc");
}

TEST(Format, SizesAreThoseOfWindows) {
  const long long large = 0x123456789ABCDEF0;
  EXPECT_EQ(narrow("%ld %lu %lx", -5, 4000000000U, 0xFFFFFFFFU), "-5 4000000000 ffffffff");
  EXPECT_EQ(narrow("%lx", large), "9abcdef0");  // a long has 32 bits
  EXPECT_EQ(narrow("%I64x %llx %jx", large, large, large), "123456789abcdef0 123456789abcdef0 123456789abcdef0");
  EXPECT_EQ(narrow("%Ix %zx %tx", large, large, large), "123456789abcdef0 123456789abcdef0 123456789abcdef0");
  EXPECT_EQ(narrow("%I64d %I64u", LLONG_MIN, ULLONG_MAX), "-9223372036854775808 18446744073709551615");
  EXPECT_EQ(narrow("%I32d %I32u", -5, 5U), "-5 5");
  EXPECT_EQ(narrow("%hd %hu %hhd %hhu", 0x18000, 0x18000, 0x180, 0x180), "-32768 32768 -128 128");
}

TEST(Format, Pointers) {
  EXPECT_EQ(narrow("%p", reinterpret_cast<void*>(0xDEADBEEF)), "00000000DEADBEEF");
  EXPECT_EQ(narrow("%20p|", kNull), "    0000000000000000|");
}

TEST(Format, TextTakesTheWidthOfTheFunction) {
  EXPECT_EQ(narrow("%s %S %hs %ls %ws %hS %lS", "a", L"b", "c", L"d", L"e", "f", L"g"), "a b c d e f g");
  EXPECT_EQ(wide(L"%s %S %hs %ls %ws %hS %lS", L"a", "b", "c", L"d", L"e", "f", L"g"), L"a b c d e f g");
  EXPECT_EQ(narrow("%c%C%hc%lc", 'a', L'b', 'c', L'd'), "abcd");
  EXPECT_EQ(wide(L"%c%C%hc%lc", L'a', 'b', 'c', L'd'), L"abcd");
}

TEST(Format, TextIsConvertedByWayOfUtf8) {
  EXPECT_EQ(narrow("%ls|%lc", L"\u20AC\U0001F600", L'\u00E9'), "\xE2\x82\xAC\xF0\x9F\x98\x80|\xC3\xA9");
  EXPECT_EQ(wide(L"%hs", "\xE2\x82\xAC\xF0\x9F\x98\x80"), L"\u20AC\U0001F600");
  EXPECT_EQ(wide(L"%hs|%hc", "a\xFF", 0xE9), L"a\uFFFD|\uFFFD");
  const wchar_t surrogate[] = {wchar_t{0xD800}, 0};
  EXPECT_EQ(narrow("%ls", surrogate), "\xEF\xBF\xBD");
  EXPECT_EQ(narrow("%s", "\xFF\xFE"), "\xFF\xFE");  // same width: as it stands
}

TEST(Format, WidthAndPrecisionOfText) {
  EXPECT_EQ(narrow("%5s|%-5s|%.2s|%5.1s|", "abc", "abc", "abc", "abc"), "  abc|abc  |ab|    a|");
  EXPECT_EQ(narrow("%4ls|%.4ls|%.2ls", L"\u20AC", L"\u20AC\u20AC", L"\u20AC"), " \xE2\x82\xAC|\xE2\x82\xAC|");
  EXPECT_EQ(wide(L"%3hs|%.1hs", "\xE2\x82\xAC", "\xE2\x82\xAC\xE2\x82\xAC"), L"  \u20AC|\u20AC");
  const char unterminated[] = {'a', 'b'};
  EXPECT_EQ(narrow("%.2s", unterminated), "ab");
  EXPECT_EQ(wide(L"%.2hs", unterminated), L"ab");
  EXPECT_EQ(narrow("%s|%ls|%.3s|%8s", kNull, kNull, kNull, kNull), "(null)|(null)|(nu|  (null)");
  EXPECT_EQ(wide(L"%s|%hs", kNull, kNull), L"(null)|(null)");
}

TEST(Format, CountedTextOfDrivers) {
  wchar_t letters[] = L"ethernet\u00fc and more";
  char bytes[] = "ethernet";
  const UNICODE_STRING counted = {9 * sizeof(wchar_t), sizeof(letters), letters}, none = {8, 8, nullptr};
  const STRING narrow_counted = {3, sizeof(bytes), bytes};
  const void *const it = &counted, *const nothing = &none, *const short_one = &narrow_counted;
  EXPECT_EQ(narrow("<%wZ> <%lZ> <%Z>", it, it, short_one), "<ethernet\u00fc> <ethernet\u00fc> <eth>");
  EXPECT_EQ(narrow("<%12wZ> <%-5Z> <%.2wZ>", it, short_one, it), "<  ethernet\u00fc> <eth  > <et>");
  EXPECT_EQ(narrow("%wZ %wZ", nothing, kNull), "(null) (null)");
  EXPECT_EQ(wide(L"%wZ %Z", it, short_one), L"ethernet\u00fc eth");
}

TEST(Format, ANullCharacterIsACharacter) {
  EXPECT_EQ(narrow("%c%2c", 0, 0), std::string("\0 \0", 3));
  EXPECT_EQ(wide(L"%hc", 0), std::wstring(1, 0));
  EXPECT_EQ(narrow("%lc", 0x100), "\xC4\x80");  // its low byte is 0, it is not
}

TEST(Format, RealNumbers) {
  EXPECT_EQ(narrow("%f %.2f %e %g", 1.5, 2.345, 1e10, 0.0001), "1.500000 2.35 1.000000e+10 0.0001");
  EXPECT_EQ(narrow("%8.3f|%-8.1f|%08.2f|%+.0e", 3.14159, 2.5, -1.5, 1.0), "   3.142|2.5     |-0001.50|+1e+00");
  EXPECT_EQ(narrow("%Lf", 1.5L), "1.500000");
  EXPECT_EQ(wide(L"%.1f%%", 99.5), L"99.5%");
  char large[2048];
  EXPECT_EQ(_snprintf(large, sizeof large, "%.2000f", 1.0), 1102);  // 1100 digits behind the point are all there is
  EXPECT_EQ(_snprintf(large, sizeof large, "%f", -1.7976931348623157e308), 317);
}

TEST(Format, OddFormats) {
  int untouched = 7;
  EXPECT_EQ(narrow("a%nb", &untouched), "ab");
  EXPECT_EQ(untouched, 7);
  EXPECT_EQ(narrow("100%%"), "100%");
  EXPECT_EQ(narrow("%y|%"), "y|");
  EXPECT_EQ(narrow("%5%|%d", 3), "5%|3");
  EXPECT_EQ(narrow("%\xC3\xA9"), "\xC3\xA9");
  EXPECT_EQ(wide(L"%\u20AC"), L"\u20AC");
  EXPECT_EQ(narrow(""), "");
}

TEST(Format, AbsurdWidthsAreCountedNotKept) {
  char text[8];
  EXPECT_EQ(_snprintf(text, 8, "%99999999999999999999d", 1), -1);
  EXPECT_EQ(std::string(text, 8), "        ");
  errno = 0;
  EXPECT_EQ(_snprintf(nullptr, 0, "%2147483647d%2147483647d", 1, 1), -1);
  EXPECT_EQ(errno, EOVERFLOW);
  EXPECT_EQ(_snprintf(nullptr, 0, "%*d", INT_MIN, 1), -1);
}

TEST(Wsprintf, KnowsLess) {
  char text[1024];
  EXPECT_EQ(wsprintfA(text, "%d %u %lu %x %#x %s %S %c", -1, 7U, 8U, 255, 255, "a", L"b", 'c'), 20);
  EXPECT_STREQ(text, "-1 7 8 ff 0xff a b c");
  EXPECT_EQ(wsprintfA(text, "%+d|% d|%f|%o|%*d"), 12);
  EXPECT_STREQ(text, "+d| d|f|o|*d");
  wchar_t wide_text[1024];
  EXPECT_EQ(wsprintfW(wide_text, L"%s-%hs-%04d", L"\u20AC", "x", 12), 8);
  EXPECT_STREQ(wide_text, L"\u20AC-x-0012");
}

TEST(Wsprintf, WritesAtMost1024Characters) {
  const std::string text(2000, 'x');
  char target[1025];
  target[1024] = '!';
  EXPECT_EQ(wsprintfA(target, "%s", text.c_str()), 1023);
  EXPECT_EQ(strlen(target), 1023U);
  EXPECT_EQ(target[1024], '!');
}

TEST(Wsprintf, BadInput) {
  char text[4] = "abc";
  SetLastError(0);
  EXPECT_EQ(wsprintfA(nullptr, "a"), 0);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(wsprintfA(text, nullptr), 0);
  EXPECT_EQ(wsprintfW(nullptr, L"a"), 0);
  EXPECT_STREQ(text, "abc");
}

}  // namespace
