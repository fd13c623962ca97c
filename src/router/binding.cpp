#include "router/binding.h"

#include <algorithm>
#include <cstring>

#include "router/protocol.h"

namespace turnpike::router {
namespace {

using dim::LinkAddress;

// In network byte order.
DWORD mask_of(unsigned length) {
  return length == 0 ? 0 : net::Address::ipv4(0xffffffffU << (32 - length)).ipv4_network();
}

IN6_ADDR in6(const net::Address& address) {
  IN6_ADDR result{};
  const auto bytes = address.bytes();
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(&result));
  return result;
}

void fill(IP_ADAPTER_BINDING_INFO& info, const std::vector<LinkAddress>& addresses) {
  for (const LinkAddress& each : addresses) {
    const IP_LOCAL_BINDING local = {each.local.ipv4_network(), mask_of(each.prefix_length)};
    std::memcpy(&info.Address[info.AddressCount++], &local, sizeof(local));
    if (each.remote) info.RemoteAddress = each.remote->ipv4_network();
  }
}

void fill(IPV6_ADAPTER_BINDING_INFO& info, const std::vector<LinkAddress>& addresses) {
  for (const LinkAddress& each : addresses) {
    const IPV6_LOCAL_BINDING local = {in6(each.local), each.prefix_length};
    std::memcpy(&info.Address[info.AddressCount++], &local, sizeof(local));
    if (each.remote) info.RemoteAddress = in6(*each.remote);
  }
}

template <class Info>
void fill(std::vector<std::uint64_t>& words, std::size_t size, const dim::Interface& interface,
          const std::vector<LinkAddress>& addresses) {
  words.assign((size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t), 0);
  auto& info = *reinterpret_cast<Info*>(words.data());
  info.Mtu = interface.link ? interface.link->mtu : 0;
  info.Speed = interface.link ? interface.link->bits_per_second : 0;
  fill(info, addresses);
}

}  // namespace

std::vector<LinkAddress> addresses_of(const dim::Interface& interface, dim::TransportId transport) {
  std::vector<LinkAddress> result;
  if (!interface.link) return result;
  const bool wants_ipv4 = transport == dim::TransportId::kIp;
  std::ranges::copy_if(interface.link->addresses, std::back_inserter(result),
                       [&](const LinkAddress& each) { return each.local.is_ipv4() == wants_ipv4; });
  return result;
}

BindingInfo::BindingInfo(const dim::Interface& interface, dim::TransportId transport) {
  const std::vector<LinkAddress> addresses = addresses_of(interface, transport);
  if (transport == dim::TransportId::kIpv6) {
    fill<IPV6_ADAPTER_BINDING_INFO>(words_, SIZEOF_IPV6_BINDING(addresses.size()), interface, addresses);
  } else {
    fill<IP_ADAPTER_BINDING_INFO>(words_, SIZEOF_IP_BINDING(addresses.size()), interface, addresses);
  }
}

}  // namespace turnpike::router
