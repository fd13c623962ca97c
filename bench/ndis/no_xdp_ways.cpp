#include <cstdio>

#include "ways.h"

namespace turnpike::bench {

std::vector<Kind> xdp_ways() {
  std::puts("AF_XDP (libxdp, libbpf) is not compared with: it was not here when this was built");
  return {};
}

}  // namespace turnpike::bench
