#include "protocol.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

// After windows.h.
#include <mgm.h>

#include "turnpike/log.h"

namespace turnpike::modules {
namespace {

constexpr std::uint32_t kOurs = 1;    // preference of a way that the operator wrote
constexpr std::uint32_t kLast = 254;  // of one that is better than none
constexpr DWORD kAddress = sizeof(DWORD);

// The elements of a list in a block that was found right.
template <class T>
std::vector<T> elements(const std::vector<std::uint8_t>& block, TpModuleList list) {
  std::vector<T> out(list.count);
  if (!out.empty()) std::memcpy(out.data(), block.data() + list.offset, out.size() * sizeof(T));
  return out;
}

Flow flow_of(const TpModuleAddress& group, const TpModuleAddress& source) {
  return {group, source.family != 0 ? source : any_address(group.family)};
}

void copy_name(const std::string& from, char (&to)[16]) { from.copy(to, sizeof to - 1); }

}  // namespace

MstaticProtocol::Family::Family(std::uint16_t which, const SUPPORT_FUNCTIONS& support)
    : number(which),
      arbiter(which == AF_INET ? make_arbiter4(rules) : make_arbiter6(rules)),
      ways(which, kMstaticModule.protocol_id, RTM_VIEW_MASK_MCAST, support) {}

MstaticProtocol::MstaticProtocol(const SUPPORT_FUNCTIONS& support, std::vector<std::uint8_t> block)
    : Protocol(support, std::move(block)), ipv4_(AF_INET, support_), ipv6_(AF_INET6, support_) {
  MstaticProtocol::use();
  ear_.emplace([this] { return try_again(); });
}

MstaticProtocol::~MstaticProtocol() { ear_.reset(); }

void MstaticProtocol::use() {
  MstaticSettings settings{};
  std::memcpy(&settings, block_.data(), sizeof settings);
  std::vector<Route> routes;
  std::vector<Wish> wishes;
  std::vector<Way> ways;
  for (const MulticastRoute& from : elements<MulticastRoute>(block_, settings.routes)) {
    Route route{flow_of(from.group, from.source), from.from, {}, from.join != 0};
    for (const InterfaceName& each : elements<InterfaceName>(block_, from.to)) route.to.emplace_back(each.name);
    if (route.join) wishes.push_back({route.flow, route.from});
    routes.push_back(std::move(route));
  }
  for (const MulticastJoin& from : elements<MulticastJoin>(block_, settings.joins)) {
    wishes.push_back({flow_of(from.group, from.source), from.interface});
  }
  for (const MulticastWay& from : elements<MulticastWay>(block_, settings.ways))
    ways.push_back({from.to, from.interface});
  routes_ = std::move(routes);
  wishes_ = std::move(wishes);
  ways_ = std::move(ways);
}

// A route whose `from` is not there is no rule: its packets come in nowhere.
RuleSet MstaticProtocol::rules_of(const Family& family, std::set<std::uint32_t>& interfaces, Members& members) const {
  std::vector<Rule> rules;
  for (const Route& route : routes_) {
    if (route.flow.group.family != family.number) continue;
    Rule rule{route.flow, route.from.empty() ? 0 : index_of(route.from), {}};
    if (!route.from.empty() && rule.from == 0) continue;
    if (rule.from != 0) interfaces.insert(rule.from);
    for (const std::string& name : route.to) {
      const std::uint32_t out = index_of(name);
      if (out == 0) continue;
      rule.to.push_back(out);
      interfaces.insert(out);
      members.insert({route.flow, out});
    }
    rules.push_back(std::move(rule));
  }
  for (const Way& way : ways_) {
    const std::uint32_t index = way.to.family == family.number ? index_of(way.interface) : 0;
    if (index != 0) interfaces.insert(index);
  }
  return RuleSet(std::move(rules));
}

// Of the routes that name no source, the first has the sources that nobody knows a way to.
RouteSet MstaticProtocol::ways_of(const Family& family) const {
  RouteSet ways;
  const auto add = [&](const TpModuleAddress& to, std::uint32_t index, std::uint32_t preference) {
    if (index != 0) ways.emplace(RouteKey{to, Hop{{}, index}}, RouteValue{Kind::kUnicast, 1, preference});
  };
  bool has_default = false;
  for (const Way& way : ways_) {
    if (way.to.family == family.number) add(way.to, index_of(way.interface), kOurs);
  }
  for (const Route& route : routes_) {
    if (route.flow.group.family != family.number || route.from.empty()) continue;
    const std::uint32_t index = index_of(route.from);
    TpModuleAddress to = route.flow.source;
    if (is_any(to)) {
      if (has_default || index == 0) continue;
      has_default = true;
      to.bits = 0;
    }
    add(to, index, to.bits == 0 ? kLast : kOurs);
  }
  return ways;
}

Members MstaticProtocol::joins_of(const Family& family) const {
  Members joins;
  for (const Wish& wish : wishes_) {
    const std::uint32_t index = wish.flow.group.family == family.number ? index_of(wish.interface) : 0;
    if (index != 0) joins.insert({wish.flow, index});
  }
  return joins;
}

// What decides comes before what it decides about: rules and ways, then the memberships, then the entries that are
// there. An interface that is another's, or that the kernel does not take, is no error: it is shown, and tried again.
bool MstaticProtocol::settle(Family& family) {
  std::set<std::uint32_t> interfaces;
  Members members;
  RuleSet rules = rules_of(family, interfaces, members);
  const RuleSet before = family.rules.set(rules);
  const bool has_ways = family.ways.become(ways_of(family)) == NO_ERROR;
  const bool is_client = family.arbiter->become(interfaces, members);
  if (!(before == rules)) family.arbiter->review(before);
  family.reports.become(joins_of(family));
  return has_ways && is_client;
}

DWORD MstaticProtocol::settle() {
  const bool good4 = settle(ipv4_);
  const bool good6 = settle(ipv6_);
  for (const Family* family : {&ipv4_, &ipv6_}) {
    if (family->arbiter->has_wishes() || family->reports.has_wishes()) ear_->wake();
  }
  return good4 && good6 ? NO_ERROR : ERROR_CAN_NOT_COMPLETE;
}

bool MstaticProtocol::try_again() {
  const std::lock_guard guard(lock_);
  if (!complete_) return false;
  const bool good4 = settle(ipv4_);
  const bool good6 = settle(ipv6_);
  return !good4 || !good6 || ipv4_.arbiter->has_wishes() || ipv6_.arbiter->has_wishes() || ipv4_.reports.has_wishes() ||
         ipv6_.reports.has_wishes();
}

// --- what is shown ---------------------------------------------------------------------------------------------------

RowState MstaticProtocol::state_of(const Route& route, const std::string& to) {
  const std::uint32_t index = index_of(to);
  if (index == 0 || (!route.from.empty() && index_of(route.from) == 0)) return RowState::kNoInterface;
  const DWORD state = family_of(route.flow).arbiter->state_of(Member{route.flow, index});
  if (state == NO_ERROR) return RowState::kActive;
  return state == ERROR_ALREADY_EXISTS ? RowState::kNotOurs : RowState::kRefused;
}

RowState MstaticProtocol::state_of(const Wish& wish) {
  const std::uint32_t index = index_of(wish.interface);
  if (index == 0) return RowState::kNoInterface;
  return family_of(wish.flow).reports.state_of({wish.flow, index}) == 0 ? RowState::kActive : RowState::kRefused;
}

MstaticCounts MstaticProtocol::counts() {
  const std::lock_guard guard(lock_);
  MstaticCounts counts;
  counts.interfaces = static_cast<std::uint32_t>(ipv4_.arbiter->owned() + ipv6_.arbiter->owned());
  for (const Route& route : routes_) {
    for (const std::string& to : route.to) {
      ++counts.outputs;
      counts.active += complete_ && state_of(route, to) == RowState::kActive ? 1 : 0;
    }
  }
  counts.joins = static_cast<std::uint32_t>(wishes_.size());
  for (const Wish& wish : wishes_) counts.joined += complete_ && state_of(wish) == RowState::kActive ? 1 : 0;
  return counts;
}

DWORD MstaticProtocol::row(std::uint32_t number, MstaticRow& row) {
  const std::lock_guard guard(lock_);
  std::uint32_t left = number;
  row = {};
  row.number = number;
  const auto fill = [&](RowKind kind, RowState state, const Flow& flow, const std::string& interface) {
    row.kind = kind;
    row.state = complete_ ? state : RowState::kNoInterface;
    row.group = flow.group;
    row.source = is_any(flow.source) ? TpModuleAddress{} : flow.source;
    copy_name(interface, row.interface);
  };
  for (const Route& route : routes_) {
    if (left >= route.to.size()) {
      left -= static_cast<std::uint32_t>(route.to.size());
      continue;
    }
    fill(RowKind::kRoute, state_of(route, route.to[left]), route.flow, route.to[left]);
    copy_name(route.from, row.from);
    return NO_ERROR;
  }
  if (left >= wishes_.size()) return ERROR_NO_MORE_ITEMS;
  fill(RowKind::kJoin, state_of(wishes_[left]), wishes_[left].flow, wishes_[left].interface);
  return NO_ERROR;
}

// --- what routers ask a multicast protocol ---------------------------------------------------------------------------

// We ask nobody for groups ourselves; but another program of this box may, and then the router is the querier.
DWORD MstaticProtocol::neighbours(std::uint32_t index, DWORD* list, DWORD* size, BYTE* flags) {
  const std::lock_guard guard(lock_);
  const Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  const auto querier = ear_->querier(index);
  if (!querier) return ERROR_CAN_NOT_COMPLETE;
  const bool is_here = std::any_of(link->addresses.begin(), link->addresses.end(),
                                   [&](const IP_LOCAL_BINDING& each) { return each.Address == *querier; });
  if (is_here) {
    *size = 0;
    *flags |= MRINFO_QUERIER_FLAG;
    return NO_ERROR;
  }
  const DWORD room = *size;
  *size = kAddress;
  if (room < kAddress || list == nullptr) return ERROR_INSUFFICIENT_BUFFER;
  std::memcpy(list, &*querier, kAddress);
  return NO_ERROR;
}

DWORD MstaticProtocol::status_of(std::uint32_t index, DWORD group, DWORD source, BYTE& code) {
  const std::lock_guard guard(lock_);
  if (links_.find(index) == nullptr) return ERROR_INVALID_PARAMETER;
  Flow flow{any_address(AF_INET), any_address(AF_INET)};
  std::memcpy(flow.group.address, &group, sizeof group);
  std::memcpy(flow.source.address, &source, sizeof source);
  if (flow.group.address[0] >> 4 != 0xE || source == 0 || flow.source.address[0] >> 4 == 0xE) {
    return ERROR_INVALID_PARAMETER;
  }
  MIB_IPMCAST_MFE entry{};
  entry.dwGroup = group;
  entry.dwSource = source;
  std::vector<BYTE> room(SIZEOF_MIB_MFE(64));
  auto size = static_cast<DWORD>(room.size());
  bool comes_in = false;
  if (MgmGetMfe(&entry, &size, room.data()) == NO_ERROR) {
    std::memcpy(&entry, room.data(), SIZEOF_BASIC_MIB_MFE);
    comes_in = entry.dwInIfIndex == index;
  }
  code = ipv4_.rules.ask([&](const RuleSet& now) -> BYTE {
    comes_in = comes_in || now.is_incoming(flow, index);
    if (!comes_in && !now.has_member(flow, index)) return MFE_OIF_PRUNED;
    return now.leaves_anywhere(flow) ? MFE_NO_ERROR : MFE_PRUNED_UPSTREAM;
  });
  return NO_ERROR;
}

}  // namespace turnpike::modules
