// What this machine and kernel lack, and for which feature of the router.
#pragma once

#include <string>
#include <vector>

#include "base/value.h"

namespace turnpike::cli {

// One thing that a feature needs.
struct Finding {
  enum class State { kGood, kMissing, kNote };
  std::string feature;
  std::string need;
  State state = State::kGood;
  std::string found;
  std::string remedy;  // where it is not good
};

// Asks the kernel, and changes nothing.
[[nodiscard]] std::vector<Finding> examine();
[[nodiscard]] Value describe(const std::vector<Finding>& findings);
// Whether something that the router cannot do without is missing.
[[nodiscard]] bool is_healthy(const std::vector<Finding>& findings);

}  // namespace turnpike::cli
