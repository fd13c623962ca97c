#include "router/route_info.h"

#include <iprtrmib.h>
#include <rtmv2.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "router/protocol.h"

namespace turnpike::router {
namespace {

using dim::InfoBlock;
using dim::InfoHeader;

std::uint32_t type_of(dim::TransportId transport) {
  return transport == dim::TransportId::kIpv6 ? IPV6_ROUTE_INFO : IP_ROUTE_INFO;
}

bool is_autostatic(const INTERFACE_ROUTE_INFO& route) { return route.dwRtInfoProto == PROTO_IP_NT_AUTOSTATIC; }

INTERFACE_ROUTE_INFO of_row(const MIB_IPFORWARDROW& row) {
  INTERFACE_ROUTE_INFO route{};
  route.dwRtInfoDest = row.dwForwardDest;
  route.dwRtInfoMask = row.dwForwardMask;
  route.dwRtInfoPolicy = row.dwForwardPolicy;
  route.dwRtInfoNextHop = row.dwForwardNextHop;
  route.dwRtInfoAge = row.dwForwardAge;
  route.dwRtInfoNextHopAS = row.dwForwardNextHopAS;
  route.dwRtInfoMetric1 = row.dwForwardMetric1;
  route.dwRtInfoMetric2 = row.dwForwardMetric2;
  route.dwRtInfoMetric3 = row.dwForwardMetric3;
  route.dwRtInfoIfIndex = row.dwForwardIfIndex;
  route.dwRtInfoType = row.dwForwardType;
  route.dwRtInfoProto = row.dwForwardProto;
  route.dwRtInfoViewSet = RTM_VIEW_MASK_UCAST;
  route.bV4 = TRUE;
  return route;
}

// Blocks lie where the header does, so items are copied out.
template <class Item>
std::vector<Item> items_of(std::span<const std::byte> data) {
  std::vector<Item> items(data.size() / sizeof(Item));
  if (!items.empty()) std::memcpy(items.data(), data.data(), items.size() * sizeof(Item));
  return items;
}

}  // namespace

std::optional<RouteItems> routes_in(const dim::Bytes& header, dim::TransportId transport) {
  const Result<InfoHeader> parsed = InfoHeader::parse(header);
  const auto block = parsed ? parsed->find(type_of(transport)) : std::nullopt;
  if (!block || block->data.empty()) return RouteItems();
  if (block->item_size == sizeof(INTERFACE_ROUTE_INFO)) return items_of<INTERFACE_ROUTE_INFO>(block->data);
  if (block->item_size != sizeof(MIB_IPFORWARDROW) || transport != dim::TransportId::kIp) return std::nullopt;
  RouteItems routes;
  for (const MIB_IPFORWARDROW& row : items_of<MIB_IPFORWARDROW>(block->data)) routes.push_back(of_row(row));
  return routes;
}

RouteItems autostatic_routes_in(const dim::Bytes& header, dim::TransportId transport) {
  RouteItems routes = routes_in(header, transport).value_or(RouteItems());
  std::erase_if(routes, [](const INTERFACE_ROUTE_INFO& each) { return !is_autostatic(each); });
  return routes;
}

dim::Bytes with_autostatic_routes(const dim::Bytes& header, dim::TransportId transport, const RouteItems& routes) {
  RouteItems all = routes_in(header, transport).value_or(RouteItems());
  std::erase_if(all, is_autostatic);
  all.insert(all.end(), routes.begin(), routes.end());
  std::vector<InfoBlock> blocks;
  if (const Result<InfoHeader> parsed = InfoHeader::parse(header); parsed) blocks = parsed->blocks();
  std::erase_if(blocks, [&](const InfoBlock& each) { return each.type == type_of(transport); });
  if (!all.empty()) {
    blocks.push_back({type_of(transport), sizeof(INTERFACE_ROUTE_INFO), static_cast<std::uint32_t>(all.size()),
                      std::as_bytes(std::span(all))});
  }
  return dim::join(blocks).value_or(header);
}

}  // namespace turnpike::router
