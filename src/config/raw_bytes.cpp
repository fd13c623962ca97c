#include "config/raw_bytes.h"

#include <cstdint>

namespace turnpike::config {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kHexadecimal = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::optional<std::vector<std::byte>> parse_hexadecimal(std::string_view text) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kBlank.find(text[i]) != std::string_view::npos) continue;
    const auto digit = [&](std::size_t at) {
      return at < text.size() ? kHexadecimal.find(static_cast<char>(text[at] | 0x20)) : std::string_view::npos;
    };
    const std::size_t high = digit(i);
    const std::size_t low = digit(++i);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return out;
}

std::optional<std::vector<std::byte>> parse_base64(std::string_view text) {
  std::vector<std::byte> out;
  std::uint32_t bits = 0;
  int held = 0;
  std::size_t letters = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (kBlank.find(c) != std::string_view::npos) continue;
    ++letters;
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::size_t value = kBase64.find(c);
    if (value == std::string_view::npos || padding > 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::byte>(bits >> held & 0xFF));
    }
  }
  // Whole groups of four, and nothing left over that was not zero.
  if (letters % 4 != 0 || padding > 2 || held != static_cast<int>(padding) * 2 || (bits & ((1U << held) - 1)) != 0) {
    return std::nullopt;
  }
  return out;
}

}  // namespace turnpike::config
