// Routes and next hop objects as netlink messages.
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "kernel/codec_parts.h"

namespace turnpike::kernel {

const AttributeTable kRouteAttributes{
    {RTA_DST, Shape::kAddress, "RTA_DST"},
    {RTA_SRC, Shape::kAddress, "RTA_SRC"},
    {RTA_IIF, Shape::kSkipped, "RTA_IIF"},
    {RTA_OIF, Shape::kU32, "RTA_OIF"},
    {RTA_GATEWAY, Shape::kAddress, "RTA_GATEWAY"},
    {RTA_PRIORITY, Shape::kU32, "RTA_PRIORITY"},
    {RTA_PREFSRC, Shape::kAddress, "RTA_PREFSRC"},
    {RTA_METRICS, Shape::kNested, "RTA_METRICS"},
    {RTA_MULTIPATH, Shape::kBytes, "RTA_MULTIPATH"},
    {RTA_FLOW, Shape::kSkipped, "RTA_FLOW"},
    {RTA_CACHEINFO, Shape::kSkipped, "RTA_CACHEINFO"},
    {RTA_TABLE, Shape::kU32, "RTA_TABLE"},
    {RTA_MARK, Shape::kSkipped, "RTA_MARK"},
    {RTA_VIA, Shape::kBytes, "RTA_VIA"},
    {RTA_PREF, Shape::kSkipped, "RTA_PREF"},
    {RTA_ENCAP_TYPE, Shape::kFlag, "RTA_ENCAP_TYPE"},
    {RTA_ENCAP, Shape::kFlag, "RTA_ENCAP"},
    {RTA_EXPIRES, Shape::kSkipped, "RTA_EXPIRES"},
    {RTA_NH_ID, Shape::kU32, "RTA_NH_ID"},
};

// Of Linux 6.9 and 6.12; older headers have no names for them.
constexpr std::uint16_t kNhaOpFlags = 14;
constexpr std::uint32_t kWeightsHave16Bits = 1U << 31;  // NHA_OP_FLAG_RESP_GRP_RESVD_0
struct GroupEntry {                                     // struct nexthop_grp
  std::uint32_t id;
  std::uint8_t weight_low;
  std::uint8_t weight_high;
  std::uint16_t zero;
};
static_assert(sizeof(GroupEntry) == sizeof(nexthop_grp));

const AttributeTable kNextHopAttributes{
    {NHA_ID, Shape::kU32, "NHA_ID"},
    {NHA_GROUP, Shape::kBytes, "NHA_GROUP"},
    {NHA_GROUP_TYPE, Shape::kU16, "NHA_GROUP_TYPE"},
    {NHA_BLACKHOLE, Shape::kFlag, "NHA_BLACKHOLE"},
    {NHA_OIF, Shape::kU32, "NHA_OIF"},
    {NHA_GATEWAY, Shape::kAddress, "NHA_GATEWAY"},
    {NHA_ENCAP_TYPE, Shape::kFlag, "NHA_ENCAP_TYPE"},
    {NHA_ENCAP, Shape::kFlag, "NHA_ENCAP"},
    {NHA_GROUPS, Shape::kSkipped, "NHA_GROUPS"},
    {NHA_MASTER, Shape::kSkipped, "NHA_MASTER"},
    {NHA_FDB, Shape::kFlag, "NHA_FDB"},
    {NHA_RES_GROUP, Shape::kFlag, "NHA_RES_GROUP"},
    {kNhaOpFlags, Shape::kU32, "NHA_OP_FLAGS"},
};

namespace {

const AttributeTable kMetricAttributes{
    {RTAX_MTU, Shape::kU32, "RTAX_MTU"},
    {RTAX_ADVMSS, Shape::kU32, "RTAX_ADVMSS"},
    {RTAX_HOPLIMIT, Shape::kU32, "RTAX_HOPLIMIT"},
};
const AttributeTable kHopAttributes{
    {RTA_GATEWAY, Shape::kAddress, "RTA_GATEWAY"},
    {RTA_VIA, Shape::kBytes, "RTA_VIA"},
};

static_assert(static_cast<int>(RouteType::kUnicast) == RTN_UNICAST && static_cast<int>(RouteType::kNat) == RTN_NAT);
static_assert(static_cast<int>(RouteType::kBlackhole) == RTN_BLACKHOLE);
static_assert(kHopDead == RTNH_F_DEAD && kHopOnLink == RTNH_F_ONLINK && kHopOffload == RTNH_F_OFFLOAD);
static_assert(kHopLinkDown == RTNH_F_LINKDOWN && kHopTrap == RTNH_F_TRAP);
static_assert(kRouteCloned == RTM_F_CLONED && kRouteOffload == RTM_F_OFFLOAD && kRouteTrap == RTM_F_TRAP);
static_assert(kRouteOffloadFailed == RTM_F_OFFLOAD_FAILED);
static_assert(kMainTable == RT_TABLE_MAIN && kDefaultTable == RT_TABLE_DEFAULT && kLocalTable == RT_TABLE_LOCAL);
static_assert(kScopeLink == RT_SCOPE_LINK && kScopeHost == RT_SCOPE_HOST && kScopeNowhere == RT_SCOPE_NOWHERE);

// RTA_GATEWAY, or RTA_VIA where its family is another one than the route's. An RTA_VIA holds a family and an address.
Result<std::optional<Address>> gateway_of(const Attributes& attributes) {
  if (!attributes.has(RTA_VIA)) return attributes.address(RTA_GATEWAY);
  const Bytes via = attributes.bytes(RTA_VIA);
  const auto af = load<std::uint16_t>(via);
  const auto address = af ? Address::from_bytes(via.subspan(sizeof *af)) : fail(ErrorKind::kInvalidArgument, "");
  if (!address || *af != af_of(address->family())) return fail(ErrorKind::kInvalidArgument, "an RTA_VIA is malformed");
  return *address;
}

// What `ip route` gives a route of IPv4 that says nothing; IPv6 ignores it.
std::uint8_t natural_scope(const Route& route) {
  switch (route.type) {
    case RouteType::kLocal:
      return kScopeHost;
    case RouteType::kBroadcast:
    case RouteType::kAnycast:
    case RouteType::kMulticast:
      return kScopeLink;
    case RouteType::kUnicast:
      return route.next_hop_id == 0 && route.hops.size() == 1 && !route.hops[0].gateway ? kScopeLink : kScopeUniverse;
    default:
      return kScopeUniverse;
  }
}

const char* fault_of(const Route& route) {
  const Family family = route.destination.family();
  if (route.source && (route.source->family() != family || family == Family::kIpv4))
    return "only an IPv6 route has a source";
  if (route.preferred_source && route.preferred_source->family() != family)
    return "the preferred source is of another family than the route";
  for (const Hop& hop : route.hops) {
    if (hop.weight < 1 || hop.weight > 256) return "a hop's weight is 1 to 256";
    if (hop.gateway && hop.gateway->is_ipv4() && family == Family::kIpv6) return "an IPv6 route has no IPv4 gateway";
  }
  return nullptr;
}

void put_gateway(MessageBuilder& out, Family family, const Hop& hop) {
  if (!hop.gateway) return;
  if (hop.gateway->family() == family) return out.put_address(RTA_GATEWAY, *hop.gateway);
  std::array<std::uint8_t, sizeof(std::uint16_t) + 16> via{};
  const std::uint16_t af = af_of(hop.gateway->family());
  const Bytes address = hop.gateway->bytes();
  std::memcpy(via.data(), &af, sizeof af);
  std::memcpy(via.data() + sizeof af, address.data(), address.size());
  out.put_bytes(RTA_VIA, Bytes(via).first(sizeof af + address.size()));
}

void put_hops(MessageBuilder& out, const Route& route) {
  const Family family = route.destination.family();
  if (route.hops.size() == 1) {
    const Hop& hop = route.hops.front();
    if (!hop.link.is_none()) out.put(RTA_OIF, hop.link.value());
    return put_gateway(out, family, hop);
  }
  const std::size_t all = out.open(RTA_MULTIPATH);
  for (const Hop& hop : route.hops) {
    rtnexthop head{};
    head.rtnh_flags = hop.flags & kHopOnLink;
    head.rtnh_hops = static_cast<unsigned char>(hop.weight - 1);
    head.rtnh_ifindex = static_cast<int>(hop.link.value());
    const std::size_t one = out.open_fixed(head);
    put_gateway(out, family, hop);
    out.close(one);
  }
  out.close(all);
}

void put_metrics(MessageBuilder& out, const RouteMetrics& metrics) {
  if (metrics == RouteMetrics{}) return;
  const std::size_t nested = out.open(RTA_METRICS);
  if (metrics.mtu != 0) out.put(RTAX_MTU, metrics.mtu);
  if (metrics.advertised_mss != 0) out.put(RTAX_ADVMSS, metrics.advertised_mss);
  if (metrics.hop_limit != 0) out.put(RTAX_HOPLIMIT, metrics.hop_limit);
  out.close(nested);
}

// Whether a route of this type goes somewhere, and so has hops or a next hop.
bool goes_somewhere(RouteType type) { return type < RouteType::kBlackhole; }

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Routes

// The legs of RTA_MULTIPATH: each a fixed part that begins with its length, and its own attributes.
Result<void> Decoder::read_multipath(Bytes hops) {
  while (!hops.empty()) {
    const auto head = load<rtnexthop>(hops);
    if (!head || head->rtnh_len < sizeof *head || head->rtnh_len > hops.size())
      return fail(ErrorKind::kInvalidArgument, "a hop of a route says a wrong length");
    if (const auto read = inner_.read(hops.subspan(sizeof *head, head->rtnh_len - sizeof *head), kHopAttributes); !read)
      return tl::unexpected(read.error());
    const auto gateway = gateway_of(inner_);
    if (!gateway) return tl::unexpected(gateway.error());
    hops_.push_back({InterfaceIndex(static_cast<std::uint32_t>(head->rtnh_ifindex)), *gateway,
                     static_cast<std::uint16_t>(head->rtnh_hops + 1), head->rtnh_flags});
    hops = hops.subspan(std::min(aligned(head->rtnh_len), hops.size()));
  }
  return {};
}

Result<void> Decoder::read_hops(Family family) {
  hops_.clear();
  if (attributes_.has(RTA_MULTIPATH)) {
    if (const auto read = read_multipath(attributes_.bytes(RTA_MULTIPATH)); !read) return read;
  } else {
    const auto gateway = gateway_of(attributes_);
    if (!gateway) return tl::unexpected(gateway.error());
    if (attributes_.has(RTA_OIF) || *gateway) hops_.push_back({InterfaceIndex(attributes_.u32(RTA_OIF)), *gateway});
  }
  const auto foreign = [family](const Hop& hop) {
    return hop.gateway && hop.gateway->is_ipv4() && family != Family::kIpv4;
  };
  if (std::ranges::any_of(hops_, foreign))
    return fail(ErrorKind::kInvalidArgument, "an IPv6 route has an IPv4 gateway");
  return {};
}

Result<Route> Decoder::route(const Message& message) {
  const auto fixed = open_message<rtmsg>(message, kRouteAttributes, attributes_);
  if (!fixed) return tl::unexpected(fixed.error());
  const auto family = family_of(fixed->rtm_family);
  if (!family || fixed->rtm_type > RTN_NAT)
    return fail(ErrorKind::kUnsupported, "a route of a family or type that is not ours");
  const auto destination = prefix_of(*family, attributes_.address(RTA_DST), fixed->rtm_dst_len);
  if (!destination) return tl::unexpected(destination.error());
  if (const auto read = read_hops(*family); !read) return tl::unexpected(read.error());
  if (hops_.size() == 1 && !attributes_.has(RTA_MULTIPATH))
    hops_[0].flags = static_cast<std::uint8_t>(fixed->rtm_flags);
  Route route;
  route.destination = *destination;
  route.table = attributes_.has(RTA_TABLE) ? attributes_.u32(RTA_TABLE) : fixed->rtm_table;
  route.type = static_cast<RouteType>(fixed->rtm_type);
  route.protocol = fixed->rtm_protocol;
  route.tos = fixed->rtm_tos;
  route.scope = fixed->rtm_scope;
  route.priority = attributes_.u32(RTA_PRIORITY);
  route.flags = fixed->rtm_flags & ~std::uint32_t{0xff};  // the lowest byte is about the hop
  route.next_hop_id = attributes_.u32(RTA_NH_ID);
  route.preferred_source = attributes_.address(RTA_PREFSRC);
  route.has_encapsulation = attributes_.has(RTA_ENCAP) || attributes_.has(RTA_ENCAP_TYPE);
  // IPv6 names loopback as the link of a route that goes nowhere.
  if (goes_somewhere(route.type)) route.hops = hops_;
  if (route.preferred_source && route.preferred_source->family() != *family)
    return fail(ErrorKind::kInvalidArgument, "the preferred source is of another family than the route");
  if (fixed->rtm_src_len != 0) {
    const auto source = prefix_of(*family, attributes_.address(RTA_SRC), fixed->rtm_src_len);
    if (!source) return tl::unexpected(source.error());
    route.source = *source;
  }
  if (attributes_.has(RTA_METRICS)) {
    if (const auto read = inner_.read(attributes_.bytes(RTA_METRICS), kMetricAttributes); !read)
      return tl::unexpected(read.error());
    route.metrics = {inner_.u32(RTAX_MTU), inner_.u32(RTAX_ADVMSS), inner_.u32(RTAX_HOPLIMIT)};
  }
  return route;
}

Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const Route& route) {
  if (const char* const fault = fault_of(route)) return fail(ErrorKind::kInvalidArgument, fault);
  const bool removes = change == Change::kRemove;
  rtmsg fixed{};
  fixed.rtm_family = af_of(route.destination.family());
  fixed.rtm_dst_len = static_cast<unsigned char>(route.destination.length());
  fixed.rtm_src_len = static_cast<unsigned char>(route.source ? route.source->length() : 0);
  fixed.rtm_tos = route.tos;
  fixed.rtm_table = static_cast<unsigned char>(route.table < 256 ? route.table : RT_TABLE_UNSPEC);
  fixed.rtm_protocol = route.protocol;
  fixed.rtm_scope = removes ? kScopeNowhere : route.scope.value_or(natural_scope(route));
  fixed.rtm_type = removes ? std::uint8_t{RTN_UNSPEC} : static_cast<std::uint8_t>(route.type);
  const bool has_hops = !removes && route.next_hop_id == 0 && !route.hops.empty() && goes_somewhere(route.type);
  if (has_hops && route.hops.size() == 1) fixed.rtm_flags = route.hops[0].flags & kHopOnLink;

  out.begin(removes ? RTM_DELROUTE : RTM_NEWROUTE, flags_for(change), sequence, fixed);
  out.put_address(RTA_DST, route.destination.address());
  if (route.source) out.put_address(RTA_SRC, route.source->address());
  if (route.table >= 256) out.put(RTA_TABLE, route.table);
  if (route.priority != 0) out.put(RTA_PRIORITY, route.priority);
  if (removes) return end_of(out);
  if (route.next_hop_id != 0) out.put(RTA_NH_ID, route.next_hop_id);
  if (has_hops) put_hops(out, route);
  if (route.preferred_source) out.put_address(RTA_PREFSRC, *route.preferred_source);
  put_metrics(out, route.metrics);
  return end_of(out);
}

Result<void> encode_dump(MessageBuilder& out, Sequence sequence, Family family, const RouteFilter& filter) {
  rtmsg fixed{};
  fixed.rtm_family = af_of(family);
  fixed.rtm_protocol = filter.protocol.value_or(0);
  out.begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence, fixed);
  if (filter.table) out.put(RTA_TABLE, *filter.table);
  if (filter.link) out.put(RTA_OIF, filter.link->value());
  return end_of(out);
}

bool passes(const RouteFilter& filter, const Route& route) {
  const auto leads_there = [&](const Hop& hop) { return hop.link == *filter.link; };
  const bool knows_no_hops = route.hops.empty() && route.next_hop_id != 0;  // they are the kernel's to judge
  return (route.flags & kRouteCloned) == 0 && (!filter.family || route.destination.family() == *filter.family) &&
         (!filter.table || route.table == *filter.table) && (!filter.protocol || route.protocol == *filter.protocol) &&
         (!filter.link || knows_no_hops || std::ranges::any_of(route.hops, leads_there));
}

// ---------------------------------------------------------------------------------------------------------------------
// Next hops

// An array of GroupEntry. The high byte of a weight is what older kernels may leave undefined: they say nothing about
// it, newer ones say that it is meant.
Result<void> Decoder::read_members() {
  members_.clear();
  Bytes given = attributes_.bytes(NHA_GROUP);
  if (given.size() % sizeof(GroupEntry) != 0) return fail(ErrorKind::kInvalidArgument, "an NHA_GROUP is malformed");
  const bool wide = (attributes_.u32(kNhaOpFlags) & kWeightsHave16Bits) != 0;
  for (; !given.empty(); given = given.subspan(sizeof(GroupEntry))) {
    const auto member = *load<GroupEntry>(given);
    const unsigned weight = (wide ? member.weight_high * 256U : 0) + member.weight_low + 1;
    members_.push_back({member.id, static_cast<std::uint16_t>(std::min(weight, 0xffffU))});
  }
  return {};
}

Result<NextHop> Decoder::next_hop(const Message& message) {
  const auto fixed = open_message<nhmsg>(message, kNextHopAttributes, attributes_);
  if (!fixed) return tl::unexpected(fixed.error());
  const auto family = family_of(fixed->nh_family);
  const bool is_group = attributes_.has(NHA_GROUP);
  NextHop next_hop;
  next_hop.id = attributes_.u32(NHA_ID);
  next_hop.family = family.value_or(Family::kIpv4);
  next_hop.protocol = fixed->nh_protocol;
  next_hop.flags = static_cast<std::uint8_t>(fixed->nh_flags);
  if (next_hop.id == 0) return fail(ErrorKind::kInvalidArgument, "a next hop has no id");
  if (attributes_.has(NHA_FDB) || attributes_.has(NHA_ENCAP) || attributes_.has(NHA_ENCAP_TYPE) ||
      attributes_.u16(NHA_GROUP_TYPE) != NEXTHOP_GRP_TYPE_MPATH || (!is_group && !family)) {
    next_hop.kind = NextHopKind::kOther;
    return next_hop;
  }
  if (is_group) {
    if (const auto read = read_members(); !read) return tl::unexpected(read.error());
    next_hop.kind = NextHopKind::kGroup;
    next_hop.members = members_;
    return next_hop;
  }
  next_hop.kind = attributes_.has(NHA_BLACKHOLE) ? NextHopKind::kBlackhole : NextHopKind::kGateway;
  next_hop.link = InterfaceIndex(attributes_.u32(NHA_OIF));
  next_hop.gateway = attributes_.address(NHA_GATEWAY);
  if (next_hop.gateway && next_hop.gateway->family() != *family)
    return fail(ErrorKind::kInvalidArgument, "a next hop's gateway is of another family than it says");
  return next_hop;
}

namespace {

const char* fault_of(const NextHop& next_hop) {
  if (next_hop.id == 0) return "a next hop has an id";
  if (next_hop.kind == NextHopKind::kOther) return "such a next hop is not ours to write";
  if (next_hop.kind == NextHopKind::kGroup && next_hop.members.empty()) return "a group has members";
  if (std::ranges::any_of(next_hop.members, [](const GroupMember& member) { return member.weight == 0; }))
    return "a member's weight is at least 1";
  return nullptr;
}

void put_members(MessageBuilder& out, std::span<const GroupMember> members) {
  const std::size_t opened = out.open(NHA_GROUP);
  for (const GroupMember& member : members) {
    const auto low = static_cast<std::uint8_t>((member.weight - 1) & 0xff);
    const auto high = static_cast<std::uint8_t>((member.weight - 1) >> 8);
    (void)out.open_fixed(GroupEntry{member.id, low, high, 0});
  }
  out.close(opened);
}

void put_target(MessageBuilder& out, const NextHop& next_hop) {
  switch (next_hop.kind) {
    case NextHopKind::kGroup:
      return put_members(out, next_hop.members);
    case NextHopKind::kBlackhole:
      return out.put_flag(NHA_BLACKHOLE);
    default:
      if (!next_hop.link.is_none()) out.put(NHA_OIF, next_hop.link.value());
      if (next_hop.gateway) out.put_address(NHA_GATEWAY, *next_hop.gateway);
  }
}

}  // namespace

Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const NextHop& next_hop) {
  nhmsg fixed{};
  if (change == Change::kRemove) {
    if (next_hop.id == 0) return fail(ErrorKind::kInvalidArgument, "a next hop has an id");
    out.begin(RTM_DELNEXTHOP, flags_for(change), sequence, fixed);
    out.put(NHA_ID, next_hop.id);
    return end_of(out);
  }
  if (const char* const fault = fault_of(next_hop)) return fail(ErrorKind::kInvalidArgument, fault);
  const bool is_group = next_hop.kind == NextHopKind::kGroup;
  const Family family = next_hop.gateway ? next_hop.gateway->family() : next_hop.family;
  fixed.nh_family = is_group ? std::uint8_t{AF_UNSPEC} : af_of(family);
  fixed.nh_protocol = next_hop.protocol;
  fixed.nh_flags = next_hop.flags & kHopOnLink;
  out.begin(RTM_NEWNEXTHOP, flags_for(change), sequence, fixed);
  out.put(NHA_ID, next_hop.id);
  put_target(out, next_hop);
  return end_of(out);
}

Result<void> encode_dump(MessageBuilder& out, Sequence sequence, const NextHopFilter& filter) {
  out.begin(RTM_GETNEXTHOP, NLM_F_REQUEST | NLM_F_DUMP, sequence, nhmsg{});
  if (filter.link) out.put(NHA_OIF, filter.link->value());
  return end_of(out);
}

bool passes(const NextHopFilter& filter, const NextHop& next_hop) {
  return (!filter.protocol || next_hop.protocol == *filter.protocol) && (!filter.link || next_hop.link == *filter.link);
}

}  // namespace turnpike::kernel
