// Where a module's own changes of its settings go, to be there at the next start: the stored configuration over the
// operator's file. The router has none of its own.
#pragma once

#include <string>

#include "base/result.h"
#include "dim/terms.h"

namespace turnpike::router {

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  // Each: a whole information header, in place of what was stored there.
  virtual Result<void> keep_global(dim::TransportId transport, const dim::Bytes& header) = 0;
  virtual Result<void> keep_interface(const std::string& name, dim::TransportId transport,
                                      const dim::Bytes& header) = 0;
};

}  // namespace turnpike::router
