#include "kernel/port_conformance.h"

#include "kernel/conformance/parts.h"

namespace turnpike::kernel {

const std::vector<Case>& conformance_cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> cases;
    for (const auto& some : {cases_of_changes(), cases_of_next_hops(), cases_of_hearing(), cases_of_others()})
      cases.insert(cases.end(), some.begin(), some.end());
    return cases;
  }();
  return all;
}

}  // namespace turnpike::kernel
