// An interface's addresses in the form in which modules are told them: IP_ADAPTER_BINDING_INFO and its IPv6 sister.
#pragma once

#include <vector>

#include "dim/interfaces.h"

namespace turnpike::router {

// Those of the transport's family, in the order in which they came. Empty where there is no link.
[[nodiscard]] std::vector<dim::LinkAddress> addresses_of(const dim::Interface& interface, dim::TransportId transport);

// The structure, with its trailing array, aligned for itself.
class BindingInfo {
 public:
  BindingInfo(const dim::Interface& interface, dim::TransportId transport);
  [[nodiscard]] void* get() { return words_.data(); }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace turnpike::router
