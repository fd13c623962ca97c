#include "base/log_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace turnpike {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  char32_t code = 0;
  std::size_t length = 0;  // in bytes; 0: not UTF-8
};

// The character that the text begins with. Overlong forms, surrogates and what lies beyond U+10FFFF are not UTF-8.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  const auto length = static_cast<std::size_t>(std::countl_one(byte(0)));
  if (length < 2 || length > 4 || length > text.size()) return {};
  char32_t code = byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length};
}

// Calls `each(code, bytes)` for every character, with U+FFFD in place of every byte that belongs to none.
template <class Each>
void for_each_character(std::string_view text, Each each) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.length == 0) {
      each(char32_t{0xFFFD}, kReplacement);
    } else {
      each(character.code, text.substr(0, character.length));
    }
    text.remove_prefix(character.length == 0 ? 1 : character.length);
  }
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), number);
  out.append(digits.begin(), end.ptr);
}

void append_hex(std::string& out, std::string_view introduction, char32_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.append(introduction);
  out.push_back(kDigits[code >> 4 & 0xF]);
  out.push_back(kDigits[code & 0xF]);
}

void append_time(std::string& out, std::uint64_t wall_ns) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::microseconds> time{chrono::microseconds(wall_ns / 1000)};
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{time - day};
  std::array<char, 48> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int{date.year()}, unsigned{date.month()},
      unsigned{date.day()}, static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  out.append(text.data(), static_cast<std::size_t>(length));
}

// The escapes that JSON and the human form share; false: none of them applies.
bool append_short_escape(std::string& out, char32_t code) {
  switch (code) {
    case U'\n':
      out.append("\\n");
      return true;
    case U'\r':
      out.append("\\r");
      return true;
    case U'\t':
      out.append("\\t");
      return true;
    default:
      return false;
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for_each_character(text, [&](char32_t code, std::string_view bytes) {
    if (code == U'"' || code == U'\\') {
      out.push_back('\\');
      out.append(bytes);
    } else if (code >= 0x20) {
      out.append(bytes);
    } else if (!append_short_escape(out, code)) {
      append_hex(out, "\\u00", code);
    }
  });
  out.push_back('"');
}

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

void append_human_text(std::string& out, std::string_view text, bool in_quotes) {
  for_each_character(text, [&](char32_t code, std::string_view bytes) {
    if (is_control(code)) {
      if (!append_short_escape(out, code)) append_hex(out, "\\x", code);
      return;
    }
    if (in_quotes && (code == U'"' || code == U'\\')) out.push_back('\\');
    out.append(bytes);
  });
}

bool needs_quotes(std::string_view text) {
  bool needed = text.empty();
  for_each_character(text, [&](char32_t code, std::string_view) {
    needed = needed || is_control(code) || code == U' ' || code == U'"' || code == U'\\' || code == U'=';
  });
  return needed;
}

void append_human_string(std::string& out, std::string_view text) {
  const bool quotes = needs_quotes(text);
  if (quotes) out.push_back('"');
  append_human_text(out, text, quotes);
  if (quotes) out.push_back('"');
}

// A value's text: what differs between the forms is how strings are written, and how a number that is none.
template <class AppendString>
void append_value(std::string& out, const LogValue& value, bool json, AppendString append_string) {
  if (const auto* const text = std::get_if<std::string_view>(&value)) {
    append_string(out, *text);
  } else if (const auto* const flag = std::get_if<bool>(&value)) {
    out.append(*flag ? "true" : "false");
  } else if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    append_number(out, *number);
  } else if (const auto* const count = std::get_if<std::uint64_t>(&value)) {
    append_number(out, *count);
  } else if (const double real = std::get<double>(value); json && !std::isfinite(real)) {
    out.append("null");
  } else {
    append_number(out, real);
  }
}

// NAME=value, or NAME, newline, the length in eight little-endian bytes, value. `write_value` appends the value.
template <class WriteValue>
void append_journal_field(std::string& out, WriteValue write_value) {
  out.push_back('=');
  const std::size_t begin = out.size();
  write_value();
  const std::string_view value = std::string_view(out).substr(begin);
  if (value.find('\n') != std::string_view::npos) {
    std::array<char, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(value.size() >> (8 * i) & 0xFF);
    out[begin - 1] = '\n';
    out.insert(begin, length.data(), length.size());
  }
  out.push_back('\n');
}

void append_raw(std::string& out, std::string_view text) { out.append(text); }

void append_upper(std::string& out, std::string_view key) {
  for (const char c : key) out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
}

}  // namespace

void append_human(std::string& out, const LogRecord& record, LogPrefix prefix) {
  if (prefix == LogPrefix::kPriority) {
    out.push_back('<');
    append_number(out, static_cast<int>(record.level));
    out.push_back('>');
  } else {
    append_time(out, record.wall_ns);
    out.append(" ").append(name_of(record.level)).append(" ");
  }
  append_human_text(out, record.room, false);
  out.append(": ");
  append_human_text(out, record.message, false);
  for (const LogField& field : record.fields) {
    out.append(" ").append(field.key.name()).append("=");
    append_value(out, field.value, false, append_human_string);
  }
  out.push_back('\n');
}

void append_json(std::string& out, const LogRecord& record) {
  out.append("{\"time\":\"");
  append_time(out, record.wall_ns);
  out.append("\",\"level\":\"").append(name_of(record.level)).append("\",\"room\":");
  append_json_string(out, record.room);
  out.append(",\"message\":");
  append_json_string(out, record.message);
  for (const LogField& field : record.fields) {
    out.append(",\"").append(field.key.name()).append("\":");
    append_value(out, field.value, true, append_json_string);
  }
  out.append("}\n");
}

void append_journal(std::string& out, const LogRecord& record, std::string_view identifier) {
  const auto append_text = [&out](std::string_view name, std::string_view text) {
    out.append(name);
    append_journal_field(out, [&] { out.append(text); });
  };
  out.append("PRIORITY=");
  append_number(out, static_cast<int>(record.level));
  out.push_back('\n');
  append_text("MESSAGE", record.message);
  append_text("SYSLOG_IDENTIFIER", identifier);
  append_text("TURNPIKE_ROOM", record.room);
  for (const LogField& field : record.fields) {
    out.append("TURNPIKE_");
    append_upper(out, field.key.name());
    append_journal_field(out, [&] { append_value(out, field.value, false, append_raw); });
  }
}

}  // namespace turnpike
