// Upper and lower case, the same whatever locale the program chose.
#pragma once

#include <concepts>

namespace turnpike::win32 {

wchar_t to_upper(wchar_t letter);
wchar_t to_lower(wchar_t letter);

// Of UTF-8 only ASCII can be changed in place.
constexpr char to_upper(char letter) {
  return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
}
constexpr char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
}

}  // namespace turnpike::win32
