// In the place of dpdk_fib.cpp where DPDK is not installed.
#include <cstdio>

#include "dpdk_fib.h"

namespace turnpike::bench {

std::unique_ptr<DpdkFib> DpdkFib::make(std::span<const net::Prefix> /*prefixes*/) {
  std::fputs("no peer: built without DPDK (Debian: libdpdk-dev)\n", stderr);
  return nullptr;
}

}  // namespace turnpike::bench
