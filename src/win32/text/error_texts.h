// What each error code is called and means.
#pragma once

#include <cstdint>
#include <span>

namespace turnpike::win32 {

struct ErrorText {
  std::uint32_t code;
  const char* name;  // as the header spells it
  const char* text;  // one plain sentence
};

// Null for a code that no header names. An HRESULT that wraps a code (0x8007….) is looked up as that code.
const ErrorText* find_error(std::uint32_t code);

// All of them, ordered by number.
std::span<const ErrorText> all_errors();

}  // namespace turnpike::win32
