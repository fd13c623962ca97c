// How a record looks in each form, above all when its values are hostile.
#include "base/log_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace turnpike {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kMoment = 1'714'979'289'123'456'789;  // 2024-05-06T07:08:09.123456789Z

LogRecord record_of(std::string_view message, const std::vector<LogField>& fields = {}) {
  return {LogLevel::kWarning, "kernel", message, fields, kMoment};
}

std::string human(std::string_view message, const std::vector<LogField>& fields = {}) {
  std::string out;
  append_human(out, record_of(message, fields), LogPrefix::kPriority);
  return out;
}

std::string json(std::string_view message, const std::vector<LogField>& fields = {}) {
  std::string out;
  append_json(out, record_of(message, fields));
  return out;
}

// What stands between the message and the closing brace.
std::string json_value(const LogField& field) {
  const std::string line = json("m", {field});
  const std::string before = "\"message\":\"m\",\"k\":";
  const std::size_t begin = line.find(before) + before.size();
  return line.substr(begin, line.size() - 2 - begin);
}

std::string journal(std::string_view message, const std::vector<LogField>& fields = {}) {
  std::string out;
  append_journal(out, record_of(message, fields), "test");
  return out;
}

TEST(LogHuman, HasTimeLevelRoomMessageFields) {
  std::string out;
  const std::vector<LogField> fields{{"n", -3}, {"u", ~std::uint64_t{0}}, {"r", 0.25}, {"f", false}, {"t", "word"}};
  append_human(out, record_of("it happened", fields), LogPrefix::kTimeAndLevel);
  EXPECT_EQ(
      out,
      "2024-05-06T07:08:09.123456Z warning kernel: it happened n=-3 u=18446744073709551615 r=0.25 f=false t=word\n");
}

TEST(LogHuman, PriorityPrefixReplacesTimeAndLevel) { EXPECT_EQ(human("m"), "<4>kernel: m\n"); }

TEST(LogHuman, TimesAtTheEndsOfTheirRange) {
  LogRecord record = record_of("m");
  for (const auto& [moment, text] : {std::pair{std::uint64_t{0}, "1970-01-01T00:00:00.000000Z"},
                                     std::pair{~std::uint64_t{0}, "2554-07-21T23:34:33.709551Z"}}) {
    std::string out;
    record.wall_ns = moment;
    append_human(out, record, LogPrefix::kTimeAndLevel);
    EXPECT_TRUE(out.starts_with(text)) << out;
  }
}

TEST(LogHuman, AmbiguousValuesAreQuoted) {
  EXPECT_EQ(human("m", {{"k", ""}}), "<4>kernel: m k=\"\"\n");
  EXPECT_EQ(human("m", {{"k", "two words"}}), "<4>kernel: m k=\"two words\"\n");
  EXPECT_EQ(human("m", {{"k", "a=b"}}), "<4>kernel: m k=\"a=b\"\n");
  EXPECT_EQ(human("m", {{"k", "say \"x\\y\""}}), "<4>kernel: m k=\"say \\\"x\\\\y\\\"\"\n");
  EXPECT_EQ(human("m", {{"k", "münchen"}}), "<4>kernel: m k=münchen\n");
}

TEST(LogHuman, NoValueStartsALineOrTalksToATerminal) {
  EXPECT_EQ(human("a\nb\x1b[2J"), "<4>kernel: a\\nb\\x1b[2J\n");
  EXPECT_EQ(human("m", {{"k", "\r\n\t\x7f"s}}), "<4>kernel: m k=\"\\r\\n\\t\\x7f\"\n");
  EXPECT_EQ(human("m", {{"k",
                         "\xC2\x9B"
                         "2J"}}),
            "<4>kernel: m k=\"\\x9b2J\"\n");
  EXPECT_EQ(human("nul\0end"s), "<4>kernel: nul\\x00end\n");
  EXPECT_EQ(human("\xff"), "<4>kernel: \uFFFD\n");
}

TEST(LogJson, HasEveryMember) {
  EXPECT_EQ(json("it happened", {{"n", -3}, {"t", "word"}, {"f", true}}),
            "{\"time\":\"2024-05-06T07:08:09.123456Z\",\"level\":\"warning\",\"room\":\"kernel\","
            "\"message\":\"it happened\",\"n\":-3,\"t\":\"word\",\"f\":true}\n");
}

TEST(LogJson, EscapesWhatJsonReserves) {
  EXPECT_EQ(json_value({"k", "\"\\/"}), "\"\\\"\\\\/\"");
  EXPECT_EQ(json_value({"k", "\n\r\t\b\f\x1f"}), "\"\\n\\r\\t\\u0008\\u000c\\u001f\"");
  EXPECT_EQ(json_value({"k", "a\0b"s}), "\"a\\u0000b\"");
  EXPECT_EQ(json_value({"k", "\x7f"}), "\"\x7f\"");
}

TEST(LogJson, KeepsUtf8AndReplacesWhatIsNot) {
  const std::string bad = "\uFFFD";
  EXPECT_EQ(json_value({"k", "\u00e4\u20ac\U0001F600"}), "\"\u00e4\u20ac\U0001F600\"");
  EXPECT_EQ(json_value({"k", "a\xffz"}), "\"a" + bad + "z\"");
  EXPECT_EQ(json_value({"k", "\xc3"}), "\"" + bad + "\"") << "cut short";
  EXPECT_EQ(json_value({"k", "\xc0\x80"}), "\"" + bad + bad + "\"") << "overlong";
  EXPECT_EQ(json_value({"k", "\xed\xa0\x80"}), "\"" + bad + bad + bad + "\"") << "surrogate";
  EXPECT_EQ(json_value({"k", "\xf4\x90\x80\x80"}), "\"" + bad + bad + bad + bad + "\"") << "beyond U+10FFFF";
  EXPECT_EQ(json_value({"k", "\xf4\x8f\xbf\xbf"}), "\"\xf4\x8f\xbf\xbf\"") << "U+10FFFF itself";
  EXPECT_EQ(json_value({"k", "\x80"}), "\"" + bad + "\"") << "stray continuation";
}

TEST(LogJson, NumbersAreNumbersOrNull) {
  EXPECT_EQ(json_value({"k", std::numeric_limits<std::int64_t>::min()}), "-9223372036854775808");
  EXPECT_EQ(json_value({"k", 1e300}), "1e+300");
  EXPECT_EQ(json_value({"k", -0.5}), "-0.5");
  EXPECT_EQ(json_value({"k", std::nan("")}), "null");
  EXPECT_EQ(json_value({"k", std::numeric_limits<double>::infinity()}), "null");
}

TEST(LogJournal, HasTheDocumentedFields) {
  EXPECT_EQ(journal("it happened", {{"next_hop4", "192.0.2.1"}, {"n", -3}, {"f", true}, {"r", 0.5}}),
            "PRIORITY=4\nMESSAGE=it happened\nSYSLOG_IDENTIFIER=test\nTURNPIKE_ROOM=kernel\n"
            "TURNPIKE_NEXT_HOP4=192.0.2.1\nTURNPIKE_N=-3\nTURNPIKE_F=true\nTURNPIKE_R=0.5\n");
}

TEST(LogJournal, AValueWithANewlineIsLengthPrefixed) {
  EXPECT_EQ(journal("a\nb", {{"k", "\n"}}),
            "PRIORITY=4\nMESSAGE\n\x03\0\0\0\0\0\0\0a\nb\nSYSLOG_IDENTIFIER=test\nTURNPIKE_ROOM=kernel\n"
            "TURNPIKE_K\n\x01\0\0\0\0\0\0\0\n\n"s);
}

TEST(LogJournal, OtherBytesGoOutAsTheyAre) {
  EXPECT_NE(journal("m", {{"k", "=\xff\0\x1b"s}}).find("TURNPIKE_K==\xff\0\x1b\n"s), std::string::npos);
}

TEST(LogJournal, ALongLengthIsLittleEndian) {
  const std::string value = "\n" + std::string(0x01'02'03 - 1, 'x');
  EXPECT_NE(journal("m", {{"k", value}}).find("TURNPIKE_K\n\x03\x02\x01\0\0\0\0\0\nxxx"s), std::string::npos);
}

TEST(LogText, AppendsAndKeepsWhatWasThere) {
  std::string out = "before";
  append_human(out, record_of("m"), LogPrefix::kPriority);
  append_json(out, record_of("m"));
  append_journal(out, record_of("m"), "i");
  EXPECT_TRUE(out.starts_with("before<4>kernel: m\n{\"time\""));
}

}  // namespace
}  // namespace turnpike
