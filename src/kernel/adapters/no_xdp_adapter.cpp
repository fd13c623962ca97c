#include "kernel/adapters/adapter_opening.h"

namespace turnpike::kernel {

bool has_xdp() noexcept { return false; }

Result<std::unique_ptr<ndis::Adapter>> open_xdp_adapter(const AdapterOpening&, Steal) {
  return fail(ErrorKind::kUnsupported, "this build has no AF_XDP: libxdp and libbpf were not there");
}

}  // namespace turnpike::kernel
