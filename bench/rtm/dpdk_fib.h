// The peer of lookup_bench.cpp: DPDK's rte_fib (DIR-24-8) and rte_fib6 (trie), apart because its headers want flags of
// their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "net/prefix.h"

namespace turnpike::bench {

// Null, and why on standard error, where DPDK cannot run or has no room.
class DpdkFib {
 public:
  static std::unique_ptr<DpdkFib> make(std::span<const net::Prefix> prefixes);  // the values are 1, 2, …
  virtual ~DpdkFib() = default;
  virtual std::size_t bytes() const = 0;  // of its table of places, as it is configured
  // IPv4 addresses in host order, IPv6 ones as 16 bytes each.
  virtual void find(const void* addresses, std::uint64_t* values, std::size_t count) = 0;
};

}  // namespace turnpike::bench
