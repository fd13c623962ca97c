// Environment variables and the command line.
#include <gtest/gtest.h>
#include <windows.h>

#include <cstdlib>
#include <string>

namespace {

class Environment : public testing::Test {
 protected:
  Environment() {
    setenv("TP_TEST", "v\xC3\xA9", 1);
    setenv("TP_EMPTY", "", 1);
    unsetenv("TP_NONE");
  }
};

TEST_F(Environment, Get) {
  char text[8] = "old";
  EXPECT_EQ(GetEnvironmentVariableA("TP_TEST", text, 8), 3U);
  EXPECT_STREQ(text, "v\xC3\xA9");
  wchar_t wide[8];
  EXPECT_EQ(GetEnvironmentVariableW(L"TP_TEST", wide, 8), 2U);
  EXPECT_STREQ(wide, L"v\u00E9");
}

TEST_F(Environment, GetTellsTheSizeThatItNeeds) {
  char text[8] = "old";
  EXPECT_EQ(GetEnvironmentVariableA("TP_TEST", text, 3), 4U);
  EXPECT_STREQ(text, "old");
  EXPECT_EQ(GetEnvironmentVariableA("TP_TEST", nullptr, 0), 4U);
  EXPECT_EQ(GetEnvironmentVariableW(L"TP_TEST", nullptr, 0), 3U);
}

TEST_F(Environment, ZeroIsEmptyOrAbsent) {
  char text[8] = "old";
  SetLastError(7);
  EXPECT_EQ(GetEnvironmentVariableA("TP_EMPTY", text, 8), 0U);
  EXPECT_EQ(GetLastError(), DWORD{NO_ERROR});
  EXPECT_STREQ(text, "");
  EXPECT_EQ(GetEnvironmentVariableA("TP_NONE", text, 8), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_ENVVAR_NOT_FOUND});
  EXPECT_EQ(GetEnvironmentVariableA(nullptr, text, 8), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST_F(Environment, Set) {
  EXPECT_TRUE(SetEnvironmentVariableW(L"TP_TEST", L"\u20AC"));
  EXPECT_STREQ(getenv("TP_TEST"), "\xE2\x82\xAC");
  EXPECT_TRUE(SetEnvironmentVariableA("TP_TEST", nullptr));
  EXPECT_EQ(getenv("TP_TEST"), nullptr);
  for (const char* const bad : {static_cast<const char*>(nullptr), "", "A=B"}) {
    SetLastError(0);
    EXPECT_FALSE(SetEnvironmentVariableA(bad, "x"));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
    EXPECT_FALSE(SetEnvironmentVariableA(bad, nullptr));
  }
}

std::string expanded(const char* source) {
  char text[64] = "?";
  const DWORD size = ExpandEnvironmentStringsA(source, text, 64);
  EXPECT_EQ(size, strlen(text) + 1);
  return text;
}

TEST_F(Environment, Expand) {
  EXPECT_EQ(expanded("a%TP_TEST%b"),
            "av\xC3\xA9"
            "b");
  EXPECT_EQ(expanded("%TP_EMPTY%%TP_TEST%"), "v\xC3\xA9");
  EXPECT_EQ(expanded("%TP_NONE%"), "%TP_NONE%");
  EXPECT_EQ(expanded("%TP_NONE%TP_TEST%"), "%TP_NONEv\xC3\xA9");
  EXPECT_EQ(expanded("100%"), "100%");
  EXPECT_EQ(expanded("%%"), "%%");
  EXPECT_EQ(expanded(""), "");
  wchar_t wide[8] = L"old";
  EXPECT_EQ(ExpandEnvironmentStringsW(L"%TP_TEST%!", wide, 3), 4U);
  EXPECT_STREQ(wide, L"old");
  EXPECT_EQ(ExpandEnvironmentStringsW(L"%TP_TEST%!", wide, 4), 4U);
  EXPECT_STREQ(wide, L"v\u00E9!");
  SetLastError(0);
  EXPECT_EQ(ExpandEnvironmentStringsA(nullptr, nullptr, 0), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST(CommandLine, IsOneLineForEver) {
  const std::string line = GetCommandLineA();
  EXPECT_NE(line.find("test_win32_environment"), line.npos);
  EXPECT_EQ(GetCommandLineA(), GetCommandLineA());
  EXPECT_NE(std::wstring(GetCommandLineW()).find(L"test_win32_environment"), line.npos);
}

}  // namespace
