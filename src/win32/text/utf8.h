// UTF-8 to wchar_t (which is UTF-32 here) and back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace turnpike::win32 {

inline constexpr char32_t kReplacement = 0xFFFD;  // what stands for something malformed
inline constexpr char32_t kMalformed = 0xFFFFFFFF;

// The code point that `text`, which is not empty, begins with, and the bytes it took. Malformed: kMalformed, and the
// bytes that Unicode says one replacement stands for (a "maximal subpart": the longest beginning of something
// well-formed).
struct Decoded {
  char32_t code = kMalformed;
  std::size_t bytes = 1;
};
Decoded decode(std::string_view text);

// Writes `code` into `out`, which has room for 4, and says how many bytes it took; 0 where it is no code point.
std::size_t encode(char32_t code, char* out);

// Whole texts, what is malformed replaced.
std::wstring to_wide(std::string_view text);
std::string to_utf8(std::wstring_view text);

}  // namespace turnpike::win32
