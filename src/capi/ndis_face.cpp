#include "capi/ndis_face.h"

#include "ndis/pools/misuse.h"
#include "win32/text/utf8.h"

namespace turnpike::capi {

std::string text_of(const NDIS_STRING* string) {
  if (string == nullptr || string->Buffer == nullptr) {
    return {};
  }
  return win32::to_utf8({string->Buffer, string->Length / sizeof(WCHAR)});
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return text;
}

void WideText::set(const std::string& text) {
  text_ = win32::to_wide(text);
  string_.Buffer = text_.data();
  string_.Length = static_cast<USHORT>(text_.size() * sizeof(WCHAR));
  string_.MaximumLength = static_cast<USHORT>(string_.Length + sizeof(WCHAR));
}

void hear_misuse() {
  ndis::listen_to_misuse([](const char* function, const char* what, std::uint64_t subject) {
    if (ndis::Engine* const ndis = running_engine()) {
      ndis->violation(function, what, Handle(subject));
    }
  });
}

void keep_histories(bool on) {
  if (!on) return ndis::listen_to_uses(nullptr);
  ndis::listen_to_uses([](const void* descriptor, const char* what) {
    if (ndis::Engine* const ndis = running_engine()) {
      ndis->verifier().note_element(descriptor, what);
    }
  });
}

ndis::Engine* engine() {
  hear_misuse();
  const auto started = runtime::NdisWorld::instance().engine();
  return started ? *started : nullptr;
}

void only_at_passive(const char* function) {
  ndis::Engine* const ndis = running_engine();
  if (ndis != nullptr && ndis->knobs().checked.load(std::memory_order_relaxed) && KeGetCurrentIrql() > PASSIVE_LEVEL) {
    ndis->violation(function, "called above PASSIVE_LEVEL", Handle::kNone);
  }
}

bool is_foreign(ndis::Engine& ndis, Handle handle, ndis::Generation own, const char* function) {
  const auto binding = ndis.pin(handle);
  const bool foreign = binding && binding->generation() != own;
  if (foreign) {
    ndis.violation(function, "the handle names a binding of the other generation", handle);
  }
  return foreign;
}

ndis::Engine* running_engine() { return runtime::NdisWorld::instance().running(); }

}  // namespace turnpike::capi
