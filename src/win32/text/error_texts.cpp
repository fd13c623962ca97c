#include "win32/text/error_texts.h"

#include <mprerror.h>
#include <raserror.h>
#include <winerror.h>

#include <algorithm>
#include <iterator>

namespace turnpike::win32 {
namespace {

#define TP_ERROR(name, text) {name, #name, text},
constexpr ErrorText kTexts[] = {
#include "win32/text/error_texts.inc"
};
#undef TP_ERROR

static_assert(std::is_sorted(std::begin(kTexts), std::end(kTexts),
                             [](const ErrorText& a, const ErrorText& b) { return a.code <= b.code; }),
              "error_texts.inc is ordered by number, and has none twice");

}  // namespace

const ErrorText* find_error(std::uint32_t code) {
  if ((code & 0xFFFF0000) == 0x80070000) code &= 0xFFFF;
  const auto* const found =
      std::lower_bound(std::begin(kTexts), std::end(kTexts), code,
                       [](const ErrorText& entry, std::uint32_t wanted) { return entry.code < wanted; });
  return found != std::end(kTexts) && found->code == code ? found : nullptr;
}

std::span<const ErrorText> all_errors() { return kTexts; }

}  // namespace turnpike::win32
