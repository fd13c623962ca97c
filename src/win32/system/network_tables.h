// The host's links, addresses and routes, read from the kernel: what <iphlpapi.h> answers from.
//
// Why it is here: the room that watches the kernel (src/kernel) lies above this one and keeps state; a client of
// iphlpapi asks once and wants what holds at that moment, in whatever network namespace its thread is. So this only
// reads: a socket a question, a dump, and nothing kept. It shall be the only other place that speaks netlink.
//
// A dump that the kernel says was disturbed is asked for again; after kTries times the answer is kBusy, never half a
// table.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "net/address.h"
#include "net/prefix.h"

namespace turnpike::win32 {

struct LinkCounters {
  std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0, rx_multicast = 0, rx_nohandler = 0;
  std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
};

struct Link {
  std::uint32_t index = 0;
  std::string name;
  std::string alias;                   // what the administrator calls it; mostly empty
  std::uint16_t hardware_type = 0;     // ARPHRD_…
  std::uint32_t flags = 0;             // IFF_…
  std::uint8_t operational_state = 0;  // IF_OPER_…
  std::uint32_t mtu = 0;
  std::vector<std::uint8_t> address;
  LinkCounters counters;
};

// An IPv4 address of a link.
struct LinkAddress {
  std::uint32_t index = 0;
  net::Address address;
  net::Prefix network;
  bool secondary = false;
  bool permanent = true;  // not given for a time, as DHCP does
};

// One next hop of an IPv4 route of the main table.
struct KernelRoute {
  net::Prefix destination;
  std::optional<net::Address> gateway;
  net::Address source;  // unspecified: none is preferred
  std::uint32_t index = 0;
  std::uint32_t metric = 0;
  std::uint8_t protocol = 0;  // RTPROT_…
  std::uint8_t type = 0;      // RTN_…
};

// Sorts by key(row); rows with the same key stay in the kernel's order. Not std::stable_sort: clang warns of what that
// of libstdc++ 12 is made of.
template <class T, class KeyOf>
void sort_by(std::vector<T>& rows, KeyOf key_of) {
  std::multimap<std::decay_t<std::invoke_result_t<KeyOf, const T&>>, T> sorted;
  for (const T& row : rows) sorted.emplace(std::invoke(key_of, row), row);
  rows.clear();
  for (const auto& [key, row] : sorted) rows.push_back(row);
}

// Ordered by index, and by index and the kernel's order; routes in the kernel's order.
Result<std::vector<Link>> read_links();
Result<std::vector<LinkAddress>> read_addresses();
Result<std::vector<KernelRoute>> read_routes();

// The route that a packet to `destination` takes, perhaps one from `source`; the prefix is that of the route. No way:
// kKernel with ENETUNREACH or its like.
Result<KernelRoute> find_route(const net::Address& destination, std::optional<net::Address> source);

// The link that a packet to an address of either family leaves by.
Result<std::uint32_t> find_interface(const net::Address& destination);

// Bits a second; 0 where the link does not say.
std::uint64_t speed_of(const std::string& link_name);

}  // namespace turnpike::win32
