#include "table_reader.h"

#include <routprot.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <turnpike/forwarder.h>
#include <turnpike/rtm.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>

#include "kernel_answer.h"
#include "net/text.h"
#include "route_walk.h"

namespace turnpike::daemon {
namespace {

constexpr std::uint32_t kInstance = 0x7475726e;  // ours among the clients of protocol OTHER

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

std::string text_of(const net::Prefix& prefix) { return std::string(to_text(prefix).view()); }

std::string prefix_text(const TpRtmAddress& from) {
  const auto address = net::Address::from_bytes({from.address, from.family == AF_INET ? 4U : 16U});
  return text_of(net::Prefix(*address, from.bits));
}

// Names of interfaces are the kernel's to tell: asked once in a walk.
class InterfaceNames {
 public:
  const std::string& of(std::uint32_t index) {
    const auto known = names_.find(index);
    return known != names_.end() ? known->second : names_.emplace(index, interface_name(index)).first->second;
  }

 private:
  std::map<std::uint32_t, std::string> names_;
};

std::string text_of(const ShownHop& hop, InterfaceNames& names) {
  std::string text = hop.via ? std::string(to_text(*hop.via).view()) : "on link";
  if (hop.interface != 0) text += " dev " + names.of(hop.interface);
  return text;
}

Value::Object described(const ShownRoute& route, InterfaceNames& names) {
  Value::List hops;
  for (const ShownHop& hop : route.hops) hops.emplace_back(text_of(hop, names));
  return {{"destination", text_of(route.destination)},
          {"best", route.is_best},
          {"protocol", name_of_protocol(route.protocol)},
          {"preference", route.preference},
          {"metric", route.metric},
          {"type", type_of(route.flags)},
          {"next_hops", std::move(hops)},
          {"kernel", route.kernel.empty() ? Value() : Value(route.kernel)}};
}

// Why a route lost against the one that wins: the longer prefix, then preference, then metric.
std::string why_lost(const ShownRoute& winner, const ShownRoute& loser) {
  if (winner.destination.length() > loser.destination.length()) {
    return "a longer prefix is there: " + text_of(winner.destination);
  }
  const auto against = [](const char* what, std::uint32_t its, std::uint32_t other) {
    return std::string("its ") + what + " is higher: " + std::to_string(its) + " against " + std::to_string(other);
  };
  if (loser.preference > winner.preference) return against("preference", loser.preference, winner.preference);
  if (loser.metric > winner.metric) return against("metric", loser.metric, winner.metric);
  if (loser.protocol != winner.protocol)
    return "equally good, and " + name_of_protocol(winner.protocol) + " came first";
  return "equally good, and the other was there first";
}

// Every route that covers the address, from the longest prefix to the shortest, by rank for each. A route that is in no
// unicast view is none that packets go by.
std::vector<ShownRoute> candidates_for(RTM_ENTITY_HANDLE self, const net::Address& address) {
  std::vector<ShownRoute> out;
  RTM_NET_ADDRESS wanted = rtm_address(net::Prefix::host(address));
  RTM_DEST_INFO info{};
  DWORD status = RtmGetMostSpecificDestination(self, &wanted, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &info);
  while (status == NO_ERROR) {
    RouteWalk walk(self, info.DestHandle);
    for (auto some = walk.next(); !some.empty(); some = walk.next()) std::ranges::move(some, std::back_inserter(out));
    RTM_DEST_INFO shorter{};
    status = RtmGetLessSpecificDestination(self, info.DestHandle, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &shorter);
    (void)RtmReleaseDestInfo(self, &info);
    info = shorter;
  }
  return out;
}

bool leads_there(const ShownRoute& route, const KernelAnswer& kernel) {
  return std::ranges::any_of(route.hops, [&](const ShownHop& hop) {
    return (hop.interface == 0 || hop.interface == kernel.interface) && (!hop.via || hop.via == kernel.via);
  });
}

std::string drift_of(const ShownRoute* winner, const KernelAnswer& kernel) {
  const std::string goes = kernel.route ? "the kernel goes by " + text_of(*kernel.route) + " of " + kernel.owner()
                                        : "the kernel says: " + kernel.text;
  if (winner == nullptr) return kernel.is_dropped ? "none" : "no route of the table covers it, but " + goes;
  const std::string_view type = type_of(winner->flags);
  const bool is_there = winner->state == TP_FORWARDER_INSTALLED || winner->state == TP_FORWARDER_FOREIGN;
  if (type != "unicast") return kernel.is_dropped ? "none" : "the table drops it, but " + goes;
  if (!is_there) return winner->kernel + ": " + goes;
  if (kernel.route && *kernel.route != winner->destination)
    return "the table says " + text_of(winner->destination) + ", but " + goes;
  if (kernel.is_dropped || !leads_there(*winner, kernel))
    return "its next hop is another in the kernel: " + kernel.text;
  return "none";
}

}  // namespace

std::string name_of_protocol(std::uint32_t protocol) {
  const auto known = std::ranges::find(kProtocols, protocol, &std::pair<std::uint32_t, std::string_view>::first);
  return known != std::end(kProtocols) ? std::string(known->second) : std::to_string(protocol);
}

std::optional<std::uint32_t> protocol_called(const std::string& name) {
  const auto known = std::ranges::find(kProtocols, name, &std::pair<std::uint32_t, std::string_view>::second);
  if (known != std::end(kProtocols)) return known->first;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.empty() || error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
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

std::function<std::optional<Value>()> TableReader::walk(RouteFilter filter) const {
  struct Walk {
    std::vector<void*> tables;  // that are to be walked yet
    std::unique_ptr<RouteWalk> now;
    InterfaceNames names;
  };
  // Shared by the copies of the function object, which std::function makes.
  const auto walk = std::make_shared<Walk>();
  for (const Table& table : tables_) {
    const bool wanted = !filter.within || table.self == table_of(filter.within->family()).self;
    if (table.self != nullptr && wanted) walk->tables.push_back(table.self);
  }
  return [walk, filter = std::move(filter)]() -> std::optional<Value> {
    for (;;) {
      if (walk->now == nullptr) {
        if (walk->tables.empty()) return std::nullopt;
        walk->now = std::make_unique<RouteWalk>(walk->tables.front(), filter.within);
        walk->tables.erase(walk->tables.begin());
      }
      const std::vector<ShownRoute> routes = walk->now->next();
      if (routes.empty()) {
        walk->now.reset();
        continue;
      }
      Value::List shown;  // none of a few is a list as well: whoever asks has his turn
      for (const ShownRoute& route : routes) {
        if (!filter.protocol || route.protocol == *filter.protocol) {
          shown.push_back(Value(described(route, walk->names)));
        }
      }
      return Value(std::move(shown));
    }
  };
}

Value TableReader::explain(const net::Address& address) const {
  const Table& table = table_of(address.family());
  const std::vector<ShownRoute> candidates = candidates_for(table.self, address);
  InterfaceNames names;
  Value::List shown;
  for (const ShownRoute& candidate : candidates) {
    Value::Object route = described(candidate, names);
    const bool wins = &candidate == candidates.data();
    route.push_back({"verdict", wins ? std::string("wins") : why_lost(candidates[0], candidate)});
    shown.push_back(Value(std::move(route)));
  }
  const KernelAnswer kernel = ask_kernel(address);
  Value::Object out{{"address", std::string(to_text(address).view())},
                    {"forwarder", candidates.empty() ? "no route covers it" : candidates[0].kernel},
                    {"kernel", kernel.text}};
  if (kernel.route) out.push_back({"kernel_route", text_of(*kernel.route) + " of " + kernel.owner()});
  out.push_back({"drift", drift_of(candidates.empty() ? nullptr : candidates.data(), kernel)});
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
  const std::lock_guard lock(watch_mutex_);
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

void TableReader::unwatch() {
  const std::lock_guard lock(watch_mutex_);
  for (Table& table : tables_) {
    if (table.notify != nullptr) (void)RtmDeregisterFromChangeNotification(table.self, table.notify);
    table.notify = nullptr;
    table.descriptor = -1;
  }
}

std::vector<int> TableReader::descriptors() const {
  const std::lock_guard lock(watch_mutex_);
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
  const std::lock_guard lock(watch_mutex_);
  std::vector<Value> out;
  for (const Table& table : tables_) {
    if (table.notify != nullptr) read_changes(table, out);
  }
  return out;
}

}  // namespace turnpike::daemon
