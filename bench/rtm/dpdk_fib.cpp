#include "dpdk_fib.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_memory.h>

#include <cstdio>

namespace turnpike::bench {
namespace {

// Of 256 places each, for what is longer than /24. The trie counts each that it might need: more than it uses.
constexpr std::uint32_t kExtensions4 = 65536;
constexpr std::uint32_t kExtensions6 = 400'000;

bool start() {
  static const bool started = [] {
    const char* arguments[] = {"bench", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
                               "-m",    "2048",      "-l",       "0",           "--log-level=3"};
    return rte_eal_init(std::size(arguments), const_cast<char**>(arguments)) >= 0;
  }();
  return started;
}

class Fib4 : public DpdkFib {
 public:
  explicit Fib4(rte_fib* fib) : fib_(fib) {}
  ~Fib4() override { rte_fib_free(fib_); }
  std::size_t bytes() const override { return (std::size_t{1} << 24) * 4 + std::size_t{kExtensions4} * 256 * 4; }
  void find(const void* addresses, std::uint64_t* values, std::size_t count) override {
    auto* asked = const_cast<std::uint32_t*>(static_cast<const std::uint32_t*>(addresses));
    rte_fib_lookup_bulk(fib_, asked, values, static_cast<int>(count));
  }

 private:
  rte_fib* fib_;
};

class Fib6 : public DpdkFib {
 public:
  explicit Fib6(rte_fib6* fib) : fib_(fib) {}
  ~Fib6() override { rte_fib6_free(fib_); }
  std::size_t bytes() const override { return (std::size_t{1} << 24) * 4 + std::size_t{kExtensions6} * 256 * 4; }
  void find(const void* addresses, std::uint64_t* values, std::size_t count) override {
    auto* asked = static_cast<std::uint8_t(*)[RTE_FIB6_IPV6_ADDR_SIZE]>(const_cast<void*>(addresses));
    rte_fib6_lookup_bulk(fib_, asked, values, static_cast<int>(count));
  }

 private:
  rte_fib6* fib_;
};

rte_fib* make_4(std::span<const net::Prefix> prefixes) {
  rte_fib_conf conf{};
  conf.type = RTE_FIB_DIR24_8;
  conf.max_routes = static_cast<int>(prefixes.size() + 1);
  conf.dir24_8 = {RTE_FIB_DIR24_8_4B, kExtensions4};
  rte_fib* fib = rte_fib_create("bench4", SOCKET_ID_ANY, &conf);
  for (std::uint64_t value = 1; fib != nullptr && value <= prefixes.size(); ++value) {
    const net::Prefix& prefix = prefixes[value - 1];
    if (rte_fib_add(fib, prefix.address().ipv4_host(), static_cast<std::uint8_t>(prefix.length()), value) != 0) {
      rte_fib_free(fib);
      return nullptr;
    }
  }
  return fib;
}

rte_fib6* make_6(std::span<const net::Prefix> prefixes) {
  rte_fib6_conf conf{};
  conf.type = RTE_FIB6_TRIE;
  conf.max_routes = static_cast<int>(prefixes.size() + 1);
  conf.trie = {RTE_FIB6_TRIE_4B, kExtensions6};
  rte_fib6* fib = rte_fib6_create("bench6", SOCKET_ID_ANY, &conf);
  for (std::uint64_t value = 1; fib != nullptr && value <= prefixes.size(); ++value) {
    const net::Prefix& prefix = prefixes[value - 1];
    if (rte_fib6_add(fib, prefix.address().bytes().data(), static_cast<std::uint8_t>(prefix.length()), value) != 0) {
      rte_fib6_free(fib);
      return nullptr;
    }
  }
  return fib;
}

}  // namespace

std::unique_ptr<DpdkFib> DpdkFib::make(std::span<const net::Prefix> prefixes) {
  std::unique_ptr<DpdkFib> made;
  if (start() && !prefixes.empty() && prefixes[0].family() == net::Family::kIpv4) {
    if (rte_fib* fib = make_4(prefixes); fib != nullptr) made = std::make_unique<Fib4>(fib);
  } else if (start() && !prefixes.empty()) {
    if (rte_fib6* fib = make_6(prefixes); fib != nullptr) made = std::make_unique<Fib6>(fib);
  }
  if (made == nullptr) std::fprintf(stderr, "no peer: DPDK said \"%s\"\n", rte_strerror(rte_errno));
  return made;
}

}  // namespace turnpike::bench
