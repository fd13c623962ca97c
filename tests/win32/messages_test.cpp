// FormatMessage: texts of the system and of clients, inserts in any order, widths, and every way to fail.
#include <gtest/gtest.h>
#include <mprerror.h>
#include <windows.h>

#include <string>

namespace {

std::string message(DWORD flags, const char* text, va_list* arguments, DWORD id = 0) {
  char out[512] = "untouched";
  SetLastError(0);
  const DWORD length = FormatMessageA(flags, text, id, 0, out, sizeof out, arguments);
  if (length == 0) return "error " + std::to_string(GetLastError()) + " " + out;
  EXPECT_EQ(length, strlen(out));
  return out;
}

std::string from(const char* text, ...) {
  va_list list;
  va_start(list, text);
  const std::string out = message(FORMAT_MESSAGE_FROM_STRING, text, &list);
  va_end(list);
  return out;
}

std::string ignoring(const char* text, DWORD more = 0) {
  return message(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_IGNORE_INSERTS | more, text, nullptr);
}

TEST(FormatMessage, TextsOfTheSystem) {
  const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
  EXPECT_EQ(message(flags, nullptr, nullptr, ERROR_INVALID_HANDLE),
            "The handle is null, closed or of another kind.\r\n");
  EXPECT_EQ(message(flags, nullptr, nullptr, ERROR_NO_SUCH_INTERFACE),
            "There is no such interface, or the transport is not on it.\r\n");
  EXPECT_EQ(message(flags, nullptr, nullptr, static_cast<DWORD>(E_ACCESSDENIED)), "The caller may not do that.\r\n");
  EXPECT_EQ(message(flags | 255, nullptr, nullptr, ERROR_CONTINUE), "Go on. ");
  EXPECT_EQ(message(flags, nullptr, nullptr, 999999), "error 317 untouched");
  EXPECT_EQ(message(FORMAT_MESSAGE_FROM_HMODULE, nullptr, nullptr, ERROR_CONTINUE), "error 317 untouched");
  EXPECT_EQ(message(flags | FORMAT_MESSAGE_FROM_HMODULE, nullptr, nullptr, ERROR_CONTINUE), "Go on.\r\n");
  wchar_t wide[64];
  EXPECT_EQ(FormatMessageW(flags, nullptr, ERROR_CONTINUE, 0, wide, 64, nullptr), 8U);
  EXPECT_STREQ(wide, L"Go on.\r\n");
}

TEST(FormatMessage, InsertsInAnyOrder) {
  EXPECT_EQ(from("%2 before %1, %3!u! and %4!08lx!", "b", "a", 7U, 0xBEEFU), "a before b, 7 and 0000beef");
  EXPECT_EQ(from("%1 %1 %2!-5d!|%2!I64d!", "x", -3LL), "x x -3   |-3");
  EXPECT_EQ(from("%1!S! %2!hs! %3!c!", L"wide", "narrow", 'c'), "wide narrow c");
  EXPECT_EQ(from("%1!*.*s!", 5, 2, "abc"), "   ab");
  EXPECT_EQ(from("%10%1", "a", "b", "c", "d", "e", "f", "g", "h", "i", "tenth"), "tentha");
  EXPECT_EQ(from("%1!s", "a"), "a!s");  // a format without its end is none
  wchar_t wide[64];
  const DWORD_PTR arguments[] = {reinterpret_cast<DWORD_PTR>(L"\u20AC"), 42};
  EXPECT_EQ(FormatMessageW(FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY, L"%1=%2!d!", 0, 0, wide, 64,
                           reinterpret_cast<va_list*>(const_cast<DWORD_PTR*>(arguments))),
            4U);
  EXPECT_STREQ(wide, L"\u20AC=42");
}

TEST(FormatMessage, Escapes) {
  EXPECT_EQ(from("a%nb%rc%td"), "a\r\nb\rc\td");
  EXPECT_EQ(from("100%% %. %! % x"), "100% . !  x");
  EXPECT_EQ(from("kept%0dropped"), "kept");
  EXPECT_EQ(from("end%"), "end");
  EXPECT_EQ(ignoring("%1 %2!d! %n"), "%1 %2!d! \r\n");
}

TEST(FormatMessage, Widths) {
  EXPECT_EQ(ignoring("one\r\ntwo\nthree%nfour", 255), "one two three\r\nfour");
  EXPECT_EQ(ignoring("one two three", 8), "one two\r\nthree");
  EXPECT_EQ(ignoring("one two three%nfour five six", 9), "one two\r\nthree\r\nfour five\r\nsix");
  EXPECT_EQ(ignoring("unbreakable", 4), "unbr\r\neaka\r\nble");
}

TEST(FormatMessage, AllocatesWhereAsked) {
  char* text = nullptr;
  const DWORD flags = FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM;
  EXPECT_EQ(FormatMessageA(flags, nullptr, ERROR_CONTINUE, 0, reinterpret_cast<LPSTR>(&text), 100, nullptr), 8U);
  EXPECT_STREQ(text, "Go on.\r\n");
  EXPECT_GE(LocalSize(text), 100U);
  EXPECT_EQ(LocalFree(text), nullptr);
  wchar_t* wide = nullptr;
  EXPECT_EQ(FormatMessageW(flags, nullptr, ERROR_CONTINUE, 0, reinterpret_cast<LPWSTR>(&wide), 0, nullptr), 8U);
  EXPECT_STREQ(wide, L"Go on.\r\n");
  EXPECT_EQ(LocalFree(wide), nullptr);
}

TEST(FormatMessage, BadInput) {
  char out[8] = "old";
  const auto error = [&out](DWORD flags, LPCVOID source, DWORD id, LPSTR buffer, DWORD size) {
    SetLastError(0);
    EXPECT_EQ(FormatMessageA(flags, source, id, 0, buffer, size, nullptr), 0U);
    EXPECT_STREQ(out, "old");
    return GetLastError();
  };
  const DWORD system = FORMAT_MESSAGE_FROM_SYSTEM, string = FORMAT_MESSAGE_FROM_STRING;
  EXPECT_EQ(error(0, nullptr, 5, out, 8), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(system, nullptr, 5, nullptr, 8), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(string, nullptr, 0, out, 8), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(string | system, "a", 5, out, 8), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(system | 0x80000000, nullptr, 5, out, 8), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(string, "%1", 0, out, 8), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(string, "12345678", 0, out, 8), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(error(system, nullptr, ERROR_CONTINUE, out, 0), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(FormatMessageA(string, "", 0, 0, out, 8, nullptr), 0U);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  EXPECT_STREQ(out, "");
}

TEST(FormatMessage, AnAbsurdWidthEndsAtTheLongestMessage) {
  char* text = nullptr;
  const DWORD_PTR arguments[] = {7};
  const DWORD length = FormatMessageA(
      FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY, "%1!2000000000d!", 0,
      0, reinterpret_cast<LPSTR>(&text), 0, reinterpret_cast<va_list*>(const_cast<DWORD_PTR*>(arguments)));
  EXPECT_EQ(length, 0xFFFFU);
  LocalFree(text);
}

}  // namespace
