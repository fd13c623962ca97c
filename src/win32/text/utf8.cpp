#include "win32/text/utf8.h"

#include <algorithm>

namespace turnpike::win32 {
namespace {

// What a lead byte promises: how many bytes follow, and the range of the first of them, which rules out overlong forms,
// surrogates and what lies above U+10FFFF.
struct Lead {
  int followers;
  unsigned char low, high;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) {
    return {1, 0x80, 0xBF};
  }
  if (byte >= 0xE0 && byte <= 0xEF) {
    return {2, byte == 0xE0 ? static_cast<unsigned char>(0xA0) : static_cast<unsigned char>(0x80),
            byte == 0xED ? static_cast<unsigned char>(0x9F) : static_cast<unsigned char>(0xBF)};
  }
  if (byte >= 0xF0 && byte <= 0xF4) {
    return {3, byte == 0xF0 ? static_cast<unsigned char>(0x90) : static_cast<unsigned char>(0x80),
            byte == 0xF4 ? static_cast<unsigned char>(0x8F) : static_cast<unsigned char>(0xBF)};
  }
  return {0, 0, 0};
}

}  // namespace

Decoded decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    return {first, 1};
  }
  Lead lead = lead_of(first);
  if (lead.followers == 0) {
    return {kMalformed, 1};
  }
  const auto wanted = static_cast<std::size_t>(lead.followers) + 1;
  char32_t code = first & (0xFFU >> (lead.followers + 2));
  for (std::size_t i = 1; i < wanted; ++i) {
    const unsigned char byte = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    if (byte < lead.low || byte > lead.high) {
      return {kMalformed, i};
    }
    code = (code << 6) | (byte & 0x3FU);
    lead.low = 0x80;
    lead.high = 0xBF;
  }
  return {code, wanted};
}

std::size_t encode(char32_t code, char* out) {
  if (code < 0x80) {
    out[0] = static_cast<char>(code);
    return 1;
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    return 0;
  }
  const std::size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (std::size_t i = bytes; i-- > 1; code >>= 6) {
    out[i] = static_cast<char>(0x80 | (code & 0x3F));
  }
  out[0] = static_cast<char>((0xF00U >> bytes) | code);  // as many leading ones as bytes
  return bytes;
}

std::wstring to_wide(std::string_view text) {
  std::wstring wide;
  wide.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    wide.push_back(static_cast<wchar_t>(next.code == kMalformed ? kReplacement : next.code));
    text.remove_prefix(next.bytes);
  }
  return wide;
}

std::string to_utf8(std::wstring_view text) {
  std::string narrow;
  narrow.reserve(text.size());
  for (const wchar_t character : text) {
    char bytes[4];
    std::size_t count = encode(static_cast<char32_t>(character), bytes);
    if (count == 0) {
      count = encode(kReplacement, bytes);
    }
    narrow.append(bytes, count);
  }
  return narrow;
}

}  // namespace turnpike::win32
