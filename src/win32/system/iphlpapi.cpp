// The tables of <iphlpapi.h>, made of what network_tables.h reads.
#include <iphlpapi.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "net/text.h"
#include "win32/last_error.h"
#include "win32/system/network_tables.h"
#include "win32/text/text.h"

namespace turnpike::win32 {
namespace {

DWORD code_of(const Error& error) {
  if (error.kind == ErrorKind::kBusy) return ERROR_BUSY;
  switch (error.system_code) {
    case ENETUNREACH:
      return ERROR_NETWORK_UNREACHABLE;
    case EHOSTUNREACH:
      return ERROR_HOST_UNREACHABLE;
    case EINVAL:
      return ERROR_INVALID_PARAMETER;
    case ENOMEM:
    case ENOBUFS:
    case EMFILE:
    case ENFILE:
      return ERROR_NOT_ENOUGH_MEMORY;
    case EACCES:
    case EPERM:
      return ERROR_ACCESS_DENIED;
    default:
      return ERROR_GEN_FAILURE;
  }
}

// What `body` answers. The tables are made in memory first.
template <class Body>
DWORD answered(Body body) {
  return unless_memory_is_out(DWORD{ERROR_NOT_ENOUGH_MEMORY}, body);
}

// Tells what is needed, and whether that much is there.
bool fits(const void* buffer, ULONG& size, std::size_t needed) {
  const bool enough = buffer != nullptr && size >= needed;
  size = static_cast<ULONG>(needed);
  return enough;
}

// Every table is a count and rows behind it. A table's structure has a first row, so a buffer has room for one at
// least.
template <class Table, class Row>
DWORD put_table(Table* table, PULONG size, const std::vector<Row>& rows) {
  const ULONG given = *size;
  const std::size_t needed = offsetof(Table, table) + std::max<std::size_t>(rows.size(), 1) * sizeof(Row);
  if (!fits(table, *size, needed)) return ERROR_INSUFFICIENT_BUFFER;
  *size = given;
  table->dwNumEntries = static_cast<DWORD>(rows.size());
  std::copy(rows.begin(), rows.end(), table->table);
  return NO_ERROR;
}

bool is_loopback(const Link& link) { return (link.flags & IFF_LOOPBACK) != 0; }
bool is_up(const Link& link) { return (link.flags & IFF_UP) != 0; }

DWORD type_of(const Link& link) {
  switch (link.hardware_type) {
    case ARPHRD_ETHER:
      return IF_TYPE_ETHERNET_CSMACD;
    case ARPHRD_LOOPBACK:
      return IF_TYPE_SOFTWARE_LOOPBACK;
    case ARPHRD_PPP:
      return IF_TYPE_PPP;
    case ARPHRD_SLIP:
      return IF_TYPE_SLIP;
    case ARPHRD_FDDI:
      return IF_TYPE_FDDI;
    case ARPHRD_IEEE80211:
    case ARPHRD_IEEE80211_PRISM:
    case ARPHRD_IEEE80211_RADIOTAP:
      return IF_TYPE_IEEE80211;
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_IP6GRE:
      return IF_TYPE_TUNNEL;
    case ARPHRD_NONE:
      return IF_TYPE_PROP_VIRTUAL;
    default:
      return IF_TYPE_OTHER;
  }
}

DWORD state_of(const Link& link) {
  if (!is_up(link)) return MIB_IF_OPER_STATUS_NON_OPERATIONAL;
  // The carrier itself: the operational state follows it up to a second later.
  if ((link.flags & IFF_LOWER_UP) == 0) return MIB_IF_OPER_STATUS_DISCONNECTED;
  switch (link.operational_state) {
    case IF_OPER_UP:
      return MIB_IF_OPER_STATUS_OPERATIONAL;
    case IF_OPER_DORMANT:
      return MIB_IF_OPER_STATUS_CONNECTING;
    case IF_OPER_UNKNOWN:  // a link that does not look at its carrier, loopback and tunnels
      return (link.flags & IFF_RUNNING) != 0 ? MIB_IF_OPER_STATUS_OPERATIONAL : MIB_IF_OPER_STATUS_DISCONNECTED;
    default:
      return MIB_IF_OPER_STATUS_DISCONNECTED;
  }
}

DWORD cut(std::uint64_t counter) { return static_cast<DWORD>(counter); }

void put_wide(const std::string& text, std::span<WCHAR> out) {
  const std::wstring wide = to_wide(text);
  put_text<WCHAR>(std::wstring_view(wide).substr(0, out.size() - 1), out.data(), static_cast<DWORD>(out.size()));
}

void put_narrow(std::string_view text, std::span<char> out) {
  put_text<char>(text.substr(0, out.size() - 1), out.data(), static_cast<DWORD>(out.size()));
}

template <class Length>
void put_physical(const Link& link, std::span<BYTE> out, Length& length) {
  length = static_cast<Length>(std::min(link.address.size(), out.size()));
  std::copy_n(link.address.begin(), length, out.begin());
}

void put_counters(const LinkCounters& counters, MIB_IFROW& row) {
  row.dwInOctets = cut(counters.rx_bytes);
  row.dwInUcastPkts = cut(counters.rx_packets - std::min(counters.rx_packets, counters.rx_multicast));
  row.dwInNUcastPkts = cut(counters.rx_multicast);
  row.dwInDiscards = cut(counters.rx_dropped);
  row.dwInErrors = cut(counters.rx_errors);
  row.dwInUnknownProtos = cut(counters.rx_nohandler);
  row.dwOutOctets = cut(counters.tx_bytes);
  row.dwOutUcastPkts = cut(counters.tx_packets);
  row.dwOutDiscards = cut(counters.tx_dropped);
  row.dwOutErrors = cut(counters.tx_errors);
}

MIB_IFROW row_of(const Link& link) {
  MIB_IFROW row{};
  put_wide(link.name, row.wszName);
  row.dwIndex = link.index;
  row.dwType = type_of(link);
  row.dwMtu = link.mtu;
  row.dwSpeed = static_cast<DWORD>(std::min<std::uint64_t>(speed_of(link.name), std::numeric_limits<DWORD>::max()));
  put_physical(link, row.bPhysAddr, row.dwPhysAddrLen);
  row.dwAdminStatus = is_up(link) ? MIB_IF_ADMIN_STATUS_UP : MIB_IF_ADMIN_STATUS_DOWN;
  row.dwOperStatus = state_of(link);
  put_counters(link.counters, row);
  const std::string& description = link.alias.empty() ? link.name : link.alias;
  row.dwDescrLen = static_cast<DWORD>(std::min<std::size_t>(description.size(), MAXLEN_IFDESCR - 1));
  std::memcpy(row.bDescr, description.data(), row.dwDescrLen);
  return row;
}

// ---- Adapters: a list of structures of one size, and behind them the further addresses that some of them have.

struct Adapter {
  const Link* link;
  std::vector<const LinkAddress*> addresses;
  std::vector<net::Address> gateways;
};

IP_ADDR_STRING address_text(const net::Address& address, const net::Address& mask, DWORD context) {
  IP_ADDR_STRING out{};
  put_narrow(net::to_text(address).view(), out.IpAddress.String);
  put_narrow(net::to_text(mask).view(), out.IpMask.String);
  out.Context = context;
  return out;
}

// Fills a list whose first element lies in the adapter and whose others are taken from `more`.
void put_list(const std::vector<IP_ADDR_STRING>& texts, IP_ADDR_STRING& first, IP_ADDR_STRING*& more) {
  IP_ADDR_STRING* at = &first;
  *at = texts.empty() ? address_text(net::Address{}, net::Address{}, 0) : texts[0];
  for (std::size_t i = 1; i < texts.size(); ++i) {
    at->Next = more++;
    at = at->Next;
    *at = texts[i];
  }
}

void put_adapter(const Adapter& adapter, IP_ADAPTER_INFO& out, IP_ADDR_STRING*& more) {
  const Link& link = *adapter.link;
  out = {};
  out.ComboIndex = link.index;
  put_narrow(link.name, out.AdapterName);
  put_narrow(link.alias.empty() ? link.name : link.alias, out.Description);
  put_physical(link, out.Address, out.AddressLength);
  out.Index = link.index;
  out.Type = type_of(link);
  std::vector<IP_ADDR_STRING> addresses, gateways;
  for (const LinkAddress* address : adapter.addresses) {
    const net::Address mask = net::Address::netmask(net::Family::kIpv4, address->network.length());
    addresses.push_back(address_text(address->address, mask, link.index));
    if (!address->permanent) out.DhcpEnabled = TRUE;
  }
  const net::Address whole = net::Address::netmask(net::Family::kIpv4, 32);
  for (const net::Address& gateway : adapter.gateways) gateways.push_back(address_text(gateway, whole, 0));
  put_list(addresses, out.IpAddressList, more);
  put_list(gateways, out.GatewayList, more);
  for (IP_ADDR_STRING* none : {&out.DhcpServer, &out.PrimaryWinsServer, &out.SecondaryWinsServer}) {
    put_list({}, *none, more);
  }
}

std::vector<Adapter> adapters_of(const std::vector<Link>& links, const std::vector<LinkAddress>& addresses,
                                 const std::vector<KernelRoute>& routes) {
  std::vector<Adapter> adapters;
  for (const Link& link : links) {
    if (is_loopback(link)) continue;
    Adapter adapter{&link, {}, {}};
    for (const LinkAddress& address : addresses) {
      if (address.index == link.index) adapter.addresses.push_back(&address);
    }
    for (const KernelRoute& route : routes) {
      if (route.index == link.index && route.destination.is_default() && route.gateway && route.gateway->is_ipv4()) {
        adapter.gateways.push_back(*route.gateway);
      }
    }
    adapters.push_back(std::move(adapter));
  }
  return adapters;
}

ULONG put_adapters(const std::vector<Adapter>& adapters, PIP_ADAPTER_INFO out, PULONG size) {
  std::size_t further = 0;
  for (const Adapter& adapter : adapters) {
    further += std::max<std::size_t>(adapter.addresses.size(), 1) - 1;
    further += std::max<std::size_t>(adapter.gateways.size(), 1) - 1;
  }
  const ULONG given = *size;
  const std::size_t needed = adapters.size() * sizeof(IP_ADAPTER_INFO) + further * sizeof(IP_ADDR_STRING);
  if (!fits(out, *size, needed)) return ERROR_BUFFER_OVERFLOW;
  *size = given;
  auto* more = reinterpret_cast<IP_ADDR_STRING*>(out + adapters.size());
  for (std::size_t i = 0; i < adapters.size(); ++i) {
    put_adapter(adapters[i], out[i], more);
    out[i].Next = i + 1 < adapters.size() ? &out[i + 1] : nullptr;
  }
  return NO_ERROR;
}

// ---- Addresses and routes.

MIB_IPADDRROW row_of(const LinkAddress& address, const std::vector<Link>& links) {
  const auto link = std::ranges::find(links, address.index, &Link::index);
  const bool connected = link != links.end() && state_of(*link) == MIB_IF_OPER_STATUS_OPERATIONAL;
  MIB_IPADDRROW row{};
  row.dwAddr = address.address.ipv4_network();
  row.dwIndex = address.index;
  row.dwMask = address.network.netmask().ipv4_network();
  row.dwBCastAddr = 1;
  row.dwReasmSize = 0xFFFF;
  row.wType = static_cast<unsigned short>((address.secondary ? 0 : MIB_IPADDR_PRIMARY) |
                                          (address.permanent ? 0 : MIB_IPADDR_DYNAMIC) |
                                          (connected ? 0 : MIB_IPADDR_DISCONNECTED));
  return row;
}

// Who made a route, in the numbers of the router's interfaces.
DWORD protocol_of(std::uint8_t kernel) {
  switch (kernel) {
    case RTPROT_REDIRECT:
      return PROTO_IP_ICMP;
    case RTPROT_KERNEL:
      return PROTO_IP_LOCAL;
    case RTPROT_BOOT:
    case RTPROT_STATIC:
    case RTPROT_DHCP:
      return PROTO_IP_NETMGMT;
    case RTPROT_RIP:
      return PROTO_IP_RIP;
    case RTPROT_ISIS:
      return PROTO_IP_IS_IS;
    case RTPROT_OSPF:
      return PROTO_IP_OSPF;
    case RTPROT_BGP:
      return PROTO_IP_BGP;
    default:
      return PROTO_IP_OTHER;
  }
}

MIB_IPFORWARDROW row_of(const KernelRoute& route, const std::vector<LinkAddress>& addresses) {
  net::Address next_hop = route.source;
  if (route.gateway) {
    next_hop = *route.gateway;
  } else if (next_hop.is_unspecified()) {
    const auto own = std::ranges::find(addresses, route.index, &LinkAddress::index);
    if (own != addresses.end()) next_hop = own->address;
  }
  MIB_IPFORWARDROW row{};
  row.dwForwardDest = route.destination.address().ipv4_network();
  row.dwForwardMask = route.destination.netmask().ipv4_network();
  row.dwForwardNextHop = next_hop.ipv4_network();
  row.dwForwardIfIndex = route.index;
  row.dwForwardType = route.gateway ? MIB_IPROUTE_TYPE_INDIRECT : MIB_IPROUTE_TYPE_DIRECT;
  row.dwForwardProto = protocol_of(route.protocol);
  row.dwForwardMetric1 = route.metric;
  for (DWORD* metric : {&row.dwForwardMetric2, &row.dwForwardMetric3, &row.dwForwardMetric4, &row.dwForwardMetric5}) {
    *metric = MIB_IPROUTE_METRIC_UNUSED;
  }
  return row;
}

auto order_of(const MIB_IPFORWARDROW& row) {
  const auto number = [](DWORD address) { return net::Address::from_network(address).ipv4_host(); };
  return std::tuple(number(row.dwForwardDest), number(row.dwForwardMask), row.dwForwardMetric1,
                    number(row.dwForwardNextHop), row.dwForwardIfIndex);
}

DWORD find_interface_for(const net::Address& destination, PDWORD out) {
  if (out == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    const Result<std::uint32_t> index = find_interface(destination);
    if (!index) return code_of(index.error());
    *out = *index;
    return NO_ERROR;
  });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::Result;
using turnpike::net::Address;
using turnpike::win32::answered;
using turnpike::win32::code_of;
using turnpike::win32::KernelRoute;
using turnpike::win32::Link;
using turnpike::win32::LinkAddress;
using turnpike::win32::put_table;
using turnpike::win32::read_addresses;
using turnpike::win32::read_links;
using turnpike::win32::read_routes;
using turnpike::win32::row_of;

DWORD WINAPI GetNumberOfInterfaces(PDWORD pdwNumIf) {
  if (pdwNumIf == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    const auto links = read_links();
    if (!links) return code_of(links.error());
    *pdwNumIf = static_cast<DWORD>(links->size());
    return NO_ERROR;
  });
}

DWORD WINAPI GetIfTable(PMIB_IFTABLE pIfTable, PULONG pdwSize, BOOL) {
  if (pdwSize == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    const auto links = read_links();
    if (!links) return code_of(links.error());
    std::vector<MIB_IFROW> rows;
    for (const Link& link : *links) rows.push_back(row_of(link));
    return put_table(pIfTable, pdwSize, rows);
  });
}

DWORD WINAPI GetIfEntry(PMIB_IFROW pIfRow) {
  if (pIfRow == nullptr) return ERROR_INVALID_PARAMETER;
  if (pIfRow->dwIndex == 0) return ERROR_INVALID_DATA;
  return answered([&]() -> DWORD {
    const auto links = read_links();
    if (!links) return code_of(links.error());
    const auto found = std::ranges::find(*links, pIfRow->dwIndex, &Link::index);
    if (found == links->end()) return ERROR_NOT_FOUND;
    *pIfRow = row_of(*found);
    return NO_ERROR;
  });
}

DWORD WINAPI GetInterfaceInfo(PIP_INTERFACE_INFO pIfTable, PULONG dwOutBufLen) {
  if (dwOutBufLen == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    auto links = read_links();
    if (!links) return code_of(links.error());
    std::erase_if(*links, turnpike::win32::is_loopback);
    if (links->empty()) return ERROR_NO_DATA;
    const ULONG given = *dwOutBufLen;
    const std::size_t needed = offsetof(IP_INTERFACE_INFO, Adapter) + links->size() * sizeof(IP_ADAPTER_INDEX_MAP);
    if (!turnpike::win32::fits(pIfTable, *dwOutBufLen, needed)) return ERROR_INSUFFICIENT_BUFFER;
    *dwOutBufLen = given;
    pIfTable->NumAdapters = static_cast<LONG>(links->size());
    for (std::size_t i = 0; i < links->size(); ++i) {
      pIfTable->Adapter[i].Index = (*links)[i].index;
      turnpike::win32::put_wide((*links)[i].name, pIfTable->Adapter[i].Name);
    }
    return NO_ERROR;
  });
}

ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO AdapterInfo, PULONG SizePointer) {
  if (SizePointer == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    const auto links = read_links();
    if (!links) return code_of(links.error());
    const auto addresses = read_addresses();
    if (!addresses) return code_of(addresses.error());
    const auto routes = read_routes();
    if (!routes) return code_of(routes.error());
    const auto adapters = turnpike::win32::adapters_of(*links, *addresses, *routes);
    return adapters.empty() ? ERROR_NO_DATA : turnpike::win32::put_adapters(adapters, AdapterInfo, SizePointer);
  });
}

DWORD WINAPI GetIpAddrTable(PMIB_IPADDRTABLE pIpAddrTable, PULONG pdwSize, BOOL bOrder) {
  if (pdwSize == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    const auto links = read_links();
    if (!links) return code_of(links.error());
    auto addresses = read_addresses();
    if (!addresses) return code_of(addresses.error());
    if (bOrder != FALSE) sort_by(*addresses, &LinkAddress::address);
    std::vector<MIB_IPADDRROW> rows;
    for (const LinkAddress& address : *addresses) rows.push_back(row_of(address, *links));
    return put_table(pIpAddrTable, pdwSize, rows);
  });
}

DWORD WINAPI GetIpForwardTable(PMIB_IPFORWARDTABLE pIpForwardTable, PULONG pdwSize, BOOL bOrder) {
  if (pdwSize == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    const auto addresses = read_addresses();
    if (!addresses) return code_of(addresses.error());
    const auto routes = read_routes();
    if (!routes) return code_of(routes.error());
    if (routes->empty()) return ERROR_NO_DATA;
    std::vector<MIB_IPFORWARDROW> rows;
    for (const KernelRoute& route : *routes) rows.push_back(row_of(route, *addresses));
    if (bOrder != FALSE) turnpike::win32::sort_by(rows, turnpike::win32::order_of);
    return put_table(pIpForwardTable, pdwSize, rows);
  });
}

DWORD WINAPI GetBestRoute(DWORD dwDestAddr, DWORD dwSourceAddr, PMIB_IPFORWARDROW pBestRoute) {
  if (pBestRoute == nullptr) return ERROR_INVALID_PARAMETER;
  return answered([&]() -> DWORD {
    std::optional<Address> source;
    if (dwSourceAddr != 0) source = Address::from_network(dwSourceAddr);
    const auto route = turnpike::win32::find_route(Address::from_network(dwDestAddr), source);
    if (!route) return code_of(route.error());
    const auto addresses = read_addresses();
    if (!addresses) return code_of(addresses.error());
    *pBestRoute = row_of(*route, *addresses);
    return NO_ERROR;
  });
}

DWORD WINAPI GetBestInterface(IPAddr dwDestAddr, PDWORD pdwBestIfIndex) {
  return turnpike::win32::find_interface_for(Address::from_network(dwDestAddr), pdwBestIfIndex);
}

DWORD WINAPI GetBestInterfaceEx(struct sockaddr* pDestAddr, PDWORD pdwBestIfIndex) {
  if (pDestAddr == nullptr || pdwBestIfIndex == nullptr) return ERROR_INVALID_PARAMETER;
  if (pDestAddr->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(pDestAddr);
    return turnpike::win32::find_interface_for(Address::from_network(v4->sin_addr), pdwBestIfIndex);
  }
  if (pDestAddr->sa_family != AF_INET6) return ERROR_INVALID_PARAMETER;
  const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(pDestAddr);
  const Address destination = Address::from_network(v6->sin6_addr);
  if (destination.is_link_local() && v6->sin6_scope_id != 0) {
    *pdwBestIfIndex = v6->sin6_scope_id;
    return NO_ERROR;
  }
  return turnpike::win32::find_interface_for(destination, pdwBestIfIndex);
}
