#include "win32/text/letters.h"

#include <clocale>
#include <cwctype>

namespace turnpike::win32 {
namespace {

// The C library's tables of Unicode; null on a system without them, where ASCII has to do. Kept for ever.
locale_t unicode() {
  static const locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return made;
}

constexpr bool is_ascii(wchar_t letter) { return letter >= 0 && letter < 0x80; }

}  // namespace

wchar_t to_upper(wchar_t letter) {
  if (is_ascii(letter) || unicode() == nullptr) return letter >= L'a' && letter <= L'z' ? letter - 32 : letter;
  return static_cast<wchar_t>(towupper_l(static_cast<wint_t>(letter), unicode()));
}

wchar_t to_lower(wchar_t letter) {
  if (is_ascii(letter) || unicode() == nullptr) return letter >= L'A' && letter <= L'Z' ? letter + 32 : letter;
  return static_cast<wchar_t>(towlower_l(static_cast<wint_t>(letter), unicode()));
}

}  // namespace turnpike::win32
