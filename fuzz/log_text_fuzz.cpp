// Whatever the texts of a record hold, a line stays one line, JSON stays JSON, and the journal gets back every byte.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/log_text.h"

namespace {

void expect(bool kept) {
  if (!kept) std::abort();
}

// One line that no terminal and no parser of lines can take for two.
void expect_one_line(std::string_view line) {
  expect(line.ends_with('\n'));
  line.remove_suffix(1);
  expect(std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
}

// Strings are closed and escaped; braces and brackets are not ours to count, we write none but the outer pair.
void expect_json_strings(std::string_view line) {
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (inside && line[i] == '\\') {
      const std::size_t skipped = line[i + 1] == 'u' ? 5 : 1;
      expect(std::string_view("\"\\nrtu").find(line[i + 1]) != std::string_view::npos);
      i += skipped;
    } else if (line[i] == '"') {
      inside = !inside;
    }
  }
  expect(!inside && line.ends_with("}\n"));
}

// Takes one field off the front, as journald does, and answers its value.
std::string_view next_value(std::string_view& entry, std::string_view name) {
  expect(entry.starts_with(name));
  entry.remove_prefix(name.size());
  const bool plain = entry.starts_with('=');
  std::size_t size = 0;
  if (plain) {
    size = entry.find('\n') - 1;
  } else {
    for (std::size_t i = 0; i < 8; ++i) size |= std::size_t{static_cast<unsigned char>(entry.at(1 + i))} << (8 * i);
  }
  entry.remove_prefix(plain ? 1 : 9);
  const std::string_view value = entry.substr(0, size);
  expect(value.size() == size && entry.at(size) == '\n');
  entry.remove_prefix(size + 1);
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view message = input.substr(0, size / 3);
  const std::string_view room = input.substr(size / 3, size / 3);
  const std::string_view text = input.substr(size / 3 * 2);
  const turnpike::LogField field("text", text);
  const turnpike::LogRecord record{turnpike::LogLevel::kInfo, room, message, {&field, 1}, size};

  std::string human;
  append_human(human, record, turnpike::LogPrefix::kTimeAndLevel);
  expect_one_line(human);

  std::string json;
  append_json(json, record);
  expect_one_line(json);
  expect_json_strings(json);

  std::string journal;
  append_journal(journal, record, room);
  std::string_view rest = journal;
  expect(next_value(rest, "PRIORITY") == "6");
  expect(next_value(rest, "MESSAGE") == message);
  expect(next_value(rest, "SYSLOG_IDENTIFIER") == room);
  expect(next_value(rest, "TURNPIKE_ROOM") == room);
  expect(next_value(rest, "TURNPIKE_TEXT") == text);
  expect(rest.empty());
  return 0;
}
