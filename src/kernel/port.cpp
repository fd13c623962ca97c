#include "kernel/port.h"

#include <cstring>

namespace turnpike::kernel {

std::string describe(const Refusal& refusal) {
  const char* const name = strerrorname_np(refusal.error);
  const char* const meaning = strerrordesc_np(refusal.error);
  std::string text = name != nullptr ? name : "errno " + std::to_string(refusal.error);
  if (meaning != nullptr) text.append(" (").append(meaning).append(")");
  if (!refusal.text.empty()) text.append(": ").append(refusal.text);
  return text;
}

}  // namespace turnpike::kernel
