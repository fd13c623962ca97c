// Text across the C face: what comes in, in either width, becomes UTF-8; what goes out goes into a buffer of the
// caller's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "win32/text/utf8.h"

namespace turnpike::win32 {

inline std::string utf8_of(std::string_view text) { return std::string(text); }
inline std::string utf8_of(std::wstring_view text) { return to_utf8(text); }

// UTF-8 in the width of the caller.
template <class Char>
std::basic_string<Char> in_width(std::string_view utf8) {
  if constexpr (std::is_same_v<Char, char>) {
    return std::string(utf8);
  } else {
    return to_wide(utf8);
  }
}

// Writes `text` and a null where `room` characters hold both; else nothing, and false.
template <class Char>
bool put_text(std::basic_string_view<Char> text, Char* buffer, std::uint32_t room) {
  if (buffer == nullptr || text.size() >= room) return false;
  *std::copy(text.begin(), text.end(), buffer) = 0;
  return true;
}

}  // namespace turnpike::win32
