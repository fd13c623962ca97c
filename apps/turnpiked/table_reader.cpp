#include "table_reader.h"

#include <routprot.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/forwarder.h>
#include <turnpike/rtm.h>

#include <algorithm>
#include <array>

#include "kernel_answer.h"
#include "net/text.h"

namespace turnpike::daemon {
namespace {

constexpr std::uint32_t kInstance = 0x7475726e;  // ours among the clients of protocol OTHER
constexpr std::uint32_t kPage = 256;

constexpr std::pair<std::uint32_t, std::string_view> kProtocols[] = {
    {PROTO_IP_OTHER, "other"},
    {PROTO_IP_LOCAL, "local"},
    {PROTO_IP_NETMGMT, "netmgmt"},
    {PROTO_IP_RIP, "rip"},
    {PROTO_IP_IS_IS, "is-is"},
    {PROTO_IP_OSPF, "ospf"},
    {PROTO_IP_BGP, "bgp"},
    {MS_IP_BGP, "bgp"},
    {PROTO_IP_NT_AUTOSTATIC, "autostatic"},
    {PROTO_IP_NT_STATIC, "static"},
    {PROTO_IP_NT_STATIC_NON_DOD, "static-non-dod"},
};

constexpr std::pair<std::uint32_t, std::string_view> kStates[] = {
    {TP_FORWARDER_IDLE, "not to be there"}, {TP_FORWARDER_PENDING, "pending"},   {TP_FORWARDER_INSTALLED, "installed"},
    {TP_FORWARDER_FAILED, "failed"},        {TP_FORWARDER_CONFLICT, "conflict"}, {TP_FORWARDER_FOREIGN, "foreign"},
    {TP_FORWARDER_CONTESTED, "contested"},
};

net::Address address_of(const TpRtmAddress& from) {
  return *net::Address::from_bytes({from.address, from.family == AF_INET ? 4U : 16U});
}

std::string prefix_text(const TpRtmAddress& from) {
  return std::string(to_text(address_of(from)).view()) + '/' + std::to_string(from.bits);
}

Value hops_of(const TpRtmSnapshotRoute& route) {
  Value::List out;
  for (unsigned i = 0; i < route.hop_count; ++i) {
    const TpRtmSnapshotHop& hop = route.hops[i];
    std::string text = hop.address.bits == 0 ? "on link" : std::string(to_text(address_of(hop.address)).view());
    if (hop.interface_index != 0) text += " dev " + interface_name(hop.interface_index);
    out.emplace_back(std::move(text));
  }
  return out;
}

std::string type_of(std::uint16_t flags) {
  const bool black = (flags & RTM_ROUTE_FLAGS_BLACKHOLE) != 0;
  const bool discard = (flags & RTM_ROUTE_FLAGS_DISCARD) != 0;
  if (black || discard) return black && discard ? "prohibit" : black ? "blackhole" : "unreachable";
  return (flags & RTM_ROUTE_FLAGS_MARTIAN) != 0 ? "martian" : "unicast";
}

// What became of the best route of a destination in the kernel.
Value state_of(void* self, const TpRtmAddress& destination) {
  auto wanted = destination;
  RTM_DEST_INFO info{};
  if (RtmGetExactMatchDestination(self, reinterpret_cast<PRTM_NET_ADDRESS>(&wanted), RTM_BEST_PROTOCOL,
                                  RTM_VIEW_MASK_UCAST, &info) != NO_ERROR) {
    return {};
  }
  TP_FORWARDER_ROUTE route{};
  const std::uint32_t status = TpForwarderRoute(info.DestHandle, &route);
  RtmReleaseDestInfo(self, &info);
  if (status != NO_ERROR) return "no forwarder";
  const auto known = std::ranges::find(kStates, route.state, &std::pair<std::uint32_t, std::string_view>::first);
  std::string text(known != std::end(kStates) ? known->second : "unknown");
  if (route.error != 0) text += std::string(" (") + strerrorname_np(route.error) + ")";
  return Value(std::move(text));
}

Value::Object described(const TpRtmSnapshotRoute& route) {
  return {{"destination", prefix_text(route.destination)},
          {"best", route.best_in != 0},
          {"protocol", name_of_protocol(route.protocol)},
          {"preference", route.preference},
          {"metric", route.metric},
          {"type", type_of(route.flags)},
          {"next_hops", hops_of(route)}};
}

// Calls `visit` with every route of the table, ordered by destination and rank.
template <class F>
void each_route(void* self, F&& visit) {
  TpRtmSnapshot snapshot = 0;
  if (TpRtmOpenSnapshot(self, &snapshot) != NO_ERROR) return;
  std::array<TpRtmSnapshotRoute, kPage> page;
  std::uint64_t first = 0;
  for (std::uint32_t count = kPage; TpRtmReadSnapshot(snapshot, first, page.data(), &count) == NO_ERROR;
       count = kPage) {
    for (std::uint32_t i = 0; i < count; ++i) visit(page[i]);
    first += count;
  }
  TpRtmCloseSnapshot(snapshot);
}

struct Candidate {
  TpRtmSnapshotRoute route;
  std::size_t place;  // in the table's order
  Value::Object shown;
};

// Why a route lost against the one before it: the longer prefix wins, then preference, then metric.
std::string why_lost(const TpRtmSnapshotRoute& winner, const TpRtmSnapshotRoute& loser) {
  if (winner.destination.bits > loser.destination.bits) return "a longer prefix is there";
  if (loser.preference > winner.preference) return "its preference is higher (the lower wins)";
  if (loser.metric > winner.metric) return "its metric is higher (the lower wins)";
  return "the other one was ranked first";
}

}  // namespace

std::string name_of_protocol(std::uint32_t protocol) {
  const auto known = std::ranges::find(kProtocols, protocol, &std::pair<std::uint32_t, std::string_view>::first);
  return known != std::end(kProtocols) ? std::string(known->second) : std::to_string(protocol);
}

TableReader::TableReader() : tables_{{AF_INET}, {AF_INET6}} {
  for (Table& table : tables_) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = table.family;
    info.EntityId.EntityProtocolId = PROTO_IP_OTHER;
    info.EntityId.EntityInstanceId = kInstance;
    RTM_REGN_PROFILE profile{};
    if (RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &table.self) != NO_ERROR) table.self = nullptr;
  }
}

TableReader::~TableReader() {
  for (Table& table : tables_) {
    if (table.self != nullptr) RtmDeregisterEntity(table.self);
  }
}

Value TableReader::routes(const std::optional<net::Prefix>& within) const {
  Value::List out;
  for (const Table& table : tables_) {
    const bool wanted = !within || table.self == table_of(within->family()).self;
    if (table.self == nullptr || !wanted) continue;
    each_route(table.self, [&](const TpRtmSnapshotRoute& route) {
      const net::Prefix destination(address_of(route.destination), route.destination.bits);
      if (within && !within->contains(destination)) return;
      Value::Object shown = described(route);
      shown.push_back({"kernel", route.best_in != 0 ? state_of(table.self, route.destination) : Value()});
      out.push_back(Value(std::move(shown)));
    });
  }
  return out;
}

Value TableReader::explain(const net::Address& address) const {
  const Table& table = table_of(address.family());
  std::vector<Candidate> candidates;
  if (table.self != nullptr) {
    each_route(table.self, [&](const TpRtmSnapshotRoute& route) {
      const net::Prefix destination(address_of(route.destination), route.destination.bits);
      if (destination.contains(address)) candidates.push_back({route, candidates.size(), described(route)});
    });
  }
  // Ordered by destination, the shorter prefix first, and by rank: the longest prefix comes to the front, ranks stay.
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.route.destination.bits != b.route.destination.bits)
      return a.route.destination.bits > b.route.destination.bits;
    return a.place < b.place;
  });
  Value::List shown;
  for (Candidate& candidate : candidates) {
    const bool first = &candidate == candidates.data();
    candidate.shown.push_back(
        {"verdict", first ? std::string("wins") : why_lost(candidates[0].route, candidate.route)});
    shown.push_back(Value(std::move(candidate.shown)));
  }
  Value::Object out{{"address", std::string(to_text(address).view())}};
  out.push_back({"forwarder", candidates.empty() ? Value("no route covers it")
                                                 : state_of(table.self, candidates[0].route.destination)});
  out.push_back({"kernel", kernel_answer(address)});
  out.push_back({"routes", Value(std::move(shown))});
  return out;
}

std::int64_t TableReader::size() const {
  std::int64_t routes = 0;
  for (const Table& table : tables_) {
    TpRtmTableStatistics statistics{};
    statistics.size = sizeof statistics;
    if (TpRtmGetTableStatistics(table.self, &statistics) == NO_ERROR) {
      routes += static_cast<std::int64_t>(statistics.live_routes);
    }
  }
  return routes;
}

Value TableReader::entities() const {
  Value::List out;
  for (const Table& table : tables_) {
    std::array<RTM_ENTITY_HANDLE, 256> handles{};
    std::array<RTM_ENTITY_INFO, 256> infos{};
    UINT count = handles.size();
    const DWORD status = RtmGetRegisteredEntities(table.self, &count, handles.data(), infos.data());
    if (status != NO_ERROR && status != ERROR_INSUFFICIENT_BUFFER) continue;
    count = std::min<UINT>(count, handles.size());
    for (UINT i = 0; i < count; ++i) {
      TpRtmEntityStatistics statistics{};
      statistics.size = sizeof statistics;
      TpRtmGetEntityStatistics(table.self, handles[i], &statistics);
      const RTM_ENTITY_ID& id = infos[i].EntityId;
      const bool is_us = id.EntityProtocolId == PROTO_IP_OTHER && id.EntityInstanceId == kInstance;
      out.push_back(Value::Object{{"family", table.family == AF_INET ? "ipv4" : "ipv6"},
                                  {"protocol", is_us ? "administration" : name_of_protocol(id.EntityProtocolId)},
                                  {"instance", id.EntityInstanceId},
                                  {"routes", static_cast<std::int64_t>(statistics.routes)},
                                  {"next_hops", static_cast<std::int64_t>(statistics.next_hops)},
                                  {"registrations", static_cast<std::int64_t>(statistics.registrations)}});
    }
    RtmReleaseEntities(table.self, count, handles.data());
  }
  return out;
}

void TableReader::watch() {
  for (Table& table : tables_) {
    if (table.self == nullptr || table.notify != nullptr) continue;
    if (RtmRegisterForChangeNotification(table.self, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, this, &table.notify) !=
        NO_ERROR) {
      table.notify = nullptr;
      continue;
    }
    if (TpRtmChangeDescriptor(table.self, table.notify, &table.descriptor) != NO_ERROR) table.descriptor = -1;
    std::vector<Value> before;  // what is there at the beginning is no change
    read_changes(table, before);
  }
}

std::vector<int> TableReader::descriptors() const {
  std::vector<int> out;
  for (const Table& table : tables_) {
    if (table.descriptor >= 0) out.push_back(table.descriptor);
  }
  return out;
}

void TableReader::read_changes(const Table& table, std::vector<Value>& out) {
  for (DWORD status = NO_ERROR; status == NO_ERROR;) {
    std::array<RTM_DEST_INFO, 16> infos{};
    UINT count = infos.size();
    status = RtmGetChangedDests(table.self, table.notify, &count, infos.data());
    if (status != NO_ERROR && status != ERROR_NO_MORE_ITEMS) return;
    for (UINT i = 0; i < count; ++i) {
      TpRtmAddress destination{};
      destination.family = infos[i].DestAddress.AddressFamily;
      destination.bits = infos[i].DestAddress.NumBits;
      std::copy_n(infos[i].DestAddress.AddrBits, sizeof destination.address, destination.address);
      Value::Object shown{{"event", infos[i].ViewInfo[0].Route != nullptr ? "route" : "route gone"},
                          {"destination", prefix_text(destination)}};
      RTM_ENTITY_INFO owner{};
      if (infos[i].ViewInfo[0].Owner != nullptr &&
          RtmGetEntityInfo(table.self, infos[i].ViewInfo[0].Owner, &owner) == NO_ERROR) {
        shown.push_back({"protocol", name_of_protocol(owner.EntityId.EntityProtocolId)});
      }
      out.push_back(Value(std::move(shown)));
    }
    RtmReleaseChangedDests(table.self, table.notify, count, infos.data());
  }
}

std::vector<Value> TableReader::changes() {
  std::vector<Value> out;
  for (const Table& table : tables_) {
    if (table.notify != nullptr) read_changes(table, out);
  }
  return out;
}

}  // namespace turnpike::daemon
