#include "base/error.h"

#include <array>

namespace turnpike {
namespace {

struct KindText {
  std::string_view name;
  std::string_view advice;
};

constexpr std::array<KindText, 12> kTexts{{
    {"invalid argument", "An argument can never be right: mend the call."},
    {"invalid handle", "The handle is null, released, or of another kind: mend the caller."},
    {"not found", "Nothing has that name."},
    {"already exists", "Something has that name already: use it, or remove it first."},
    {"no more items", "The walk is over."},
    {"buffer too small", "Call again with a larger buffer."},
    {"exhausted", "A bound or memory is used up: release something, or try later."},
    {"busy", "Somebody uses it now: try again later."},
    {"denied", "The caller lacks the right: ask the administrator."},
    {"unsupported", "This will never work here: do without it."},
    {"kernel refused", "The kernel said no: its errno tells why."},
    {"internal", "A defect of Turnpike: please report it."},
}};
static_assert(kTexts.size() == static_cast<std::size_t>(ErrorKind::kInternal) + 1);

const KindText& text_of(ErrorKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kTexts.size() ? kTexts[index] : kTexts.back();
}

}  // namespace

std::string_view name_of(ErrorKind kind) { return text_of(kind).name; }
std::string_view advice_for(ErrorKind kind) { return text_of(kind).advice; }

}  // namespace turnpike
