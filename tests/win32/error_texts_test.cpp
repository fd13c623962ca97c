// Every code of the headers has a text, and every text is a sentence.
#include "win32/text/error_texts.h"

#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace turnpike::win32 {
namespace {

// "#define NAME 123" or "#define NAME (BASE + 12)" of a header, BASE as given.
std::size_t codes_of(const std::string& header, unsigned base, std::set<std::uint32_t>& numbers) {
  std::size_t count = 0;
  std::ifstream file(std::string(HEADERS) + "/" + header);
  EXPECT_TRUE(file) << header;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string define, name, value, plus, offset;
    words >> define >> name >> value >> plus >> offset;
    if (define != "#define" || name.empty() || name.starts_with("SEVERITY") || name.starts_with("FACILITY")) continue;
    const bool is_number = !value.empty() && std::isdigit(static_cast<unsigned char>(value[0])) && plus.empty();
    const bool is_sum = value.starts_with("(") && value.ends_with("BASE") && plus == "+";
    if (!is_number && !is_sum) continue;
    ++count;
    numbers.insert(is_number ? static_cast<std::uint32_t>(std::stoul(value))
                             : base + static_cast<std::uint32_t>(std::stoul(offset)));
  }
  return count;
}

TEST(ErrorTexts, EveryCodeOfTheHeadersHasOne) {
  std::set<std::uint32_t> numbers;
  EXPECT_GT(codes_of("winerror.h", 0, numbers), 350U);
  EXPECT_GT(codes_of("mprerror.h", 900, numbers), 50U);
  EXPECT_GT(codes_of("raserror.h", 600, numbers), 15U);
  numbers.erase(10000);  // WSABASEERR: what the others are counted from
  for (const std::uint32_t number : numbers) {
    EXPECT_NE(find_error(number), nullptr) << number;
  }
}

TEST(ErrorTexts, EachIsASentence) {
  for (std::uint32_t code = 0; code < 20000; ++code) {
    const ErrorText* const found = find_error(code);
    if (found == nullptr) continue;
    const std::string text = found->text;
    EXPECT_EQ(found->code, code);
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(text[0])) || text.starts_with("WSA")) << text;
    EXPECT_TRUE(text.ends_with('.')) << text;
    EXPECT_EQ(text.find('%'), text.npos) << text << ": would be taken for an insert";
  }
}

TEST(ErrorTexts, NamesAreThoseOfTheHeaders) {
  EXPECT_STREQ(find_error(6)->name, "ERROR_INVALID_HANDLE");
  EXPECT_STREQ(find_error(905)->name, "ERROR_NO_SUCH_INTERFACE");
  EXPECT_STREQ(find_error(10035)->name, "WSAEWOULDBLOCK");
  EXPECT_STREQ(find_error(0x80070005)->name, "ERROR_ACCESS_DENIED");
  EXPECT_EQ(find_error(999999), nullptr);
  EXPECT_EQ(find_error(0xFFFFFFFF), nullptr);
}

}  // namespace
}  // namespace turnpike::win32
