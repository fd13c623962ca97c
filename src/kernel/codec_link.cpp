// Links, addresses, neighbours and rules as netlink messages.
#include <tuple>

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/codec_parts.h"

namespace turnpike::kernel {

const AttributeTable kLinkAttributes{
    {IFLA_ADDRESS, Shape::kBytes, "IFLA_ADDRESS"},
    {IFLA_IFNAME, Shape::kText, "IFLA_IFNAME"},
    {IFLA_MTU, Shape::kU32, "IFLA_MTU"},
    {IFLA_LINK, Shape::kU32, "IFLA_LINK"},
    {IFLA_MASTER, Shape::kU32, "IFLA_MASTER"},
    {IFLA_OPERSTATE, Shape::kU8, "IFLA_OPERSTATE"},
    {IFLA_LINKINFO, Shape::kNested, "IFLA_LINKINFO"},
    {IFLA_IFALIAS, Shape::kText, "IFLA_IFALIAS"},
    {IFLA_PROMISCUITY, Shape::kU32, "IFLA_PROMISCUITY"},
    {IFLA_PERM_ADDRESS, Shape::kBytes, "IFLA_PERM_ADDRESS"},
    {IFLA_PARENT_DEV_NAME, Shape::kText, "IFLA_PARENT_DEV_NAME"},
};

const AttributeTable kAddressAttributes{
    {IFA_ADDRESS, Shape::kAddress, "IFA_ADDRESS"},   {IFA_LOCAL, Shape::kAddress, "IFA_LOCAL"},
    {IFA_LABEL, Shape::kSkipped, "IFA_LABEL"},       {IFA_BROADCAST, Shape::kAddress, "IFA_BROADCAST"},
    {IFA_CACHEINFO, Shape::kBytes, "IFA_CACHEINFO"}, {IFA_FLAGS, Shape::kU32, "IFA_FLAGS"},
};

const AttributeTable kNeighbourAttributes{
    {NDA_DST, Shape::kAddress, "NDA_DST"},
    {NDA_LLADDR, Shape::kBytes, "NDA_LLADDR"},
};

const AttributeTable kRuleAttributes{
    {FRA_DST, Shape::kAddress, "FRA_DST"},
    {FRA_SRC, Shape::kAddress, "FRA_SRC"},
    {FRA_IIFNAME, Shape::kText, "FRA_IIFNAME"},
    {FRA_GOTO, Shape::kU32, "FRA_GOTO"},
    {FRA_PRIORITY, Shape::kU32, "FRA_PRIORITY"},
    {FRA_FWMARK, Shape::kU32, "FRA_FWMARK"},
    {FRA_SUPPRESS_PREFIXLEN, Shape::kU32, "FRA_SUPPRESS_PREFIXLEN"},
    {FRA_TABLE, Shape::kU32, "FRA_TABLE"},
    {FRA_FWMASK, Shape::kU32, "FRA_FWMASK"},
    {FRA_OIFNAME, Shape::kText, "FRA_OIFNAME"},
    {FRA_L3MDEV, Shape::kU8, "FRA_L3MDEV"},
    {FRA_PROTOCOL, Shape::kU8, "FRA_PROTOCOL"},
};

namespace {

const AttributeTable kLinkInfoAttributes{
    {IFLA_INFO_KIND, Shape::kText, "IFLA_INFO_KIND"},
    {IFLA_INFO_DATA, Shape::kBytes, "IFLA_INFO_DATA"},  // laid out as each kind likes
};
const AttributeTable kVlanAttributes{{IFLA_VLAN_ID, Shape::kU16, "IFLA_VLAN_ID"}};

static_assert(kLinkUp == IFF_UP && kLinkBroadcast == IFF_BROADCAST && kLinkLoopback == IFF_LOOPBACK);
static_assert(kLinkPointToPoint == IFF_POINTOPOINT && kLinkRunning == IFF_RUNNING && kLinkMulticast == IFF_MULTICAST);
static_assert(kLinkLowerUp == IFF_LOWER_UP);
static_assert(kAddressSecondary == IFA_F_SECONDARY && kAddressNoDad == IFA_F_NODAD);
static_assert(kAddressDadFailed == IFA_F_DADFAILED && kAddressDeprecated == IFA_F_DEPRECATED);
static_assert(kAddressTentative == IFA_F_TENTATIVE && kAddressPermanent == IFA_F_PERMANENT);
static_assert(kAddressNoPrefixRoute == IFA_F_NOPREFIXROUTE);
static_assert(kNeighbourIncomplete == NUD_INCOMPLETE && kNeighbourReachable == NUD_REACHABLE);
static_assert(kNeighbourStale == NUD_STALE && kNeighbourDelay == NUD_DELAY && kNeighbourProbe == NUD_PROBE);
static_assert(kNeighbourFailed == NUD_FAILED && kNeighbourNoArp == NUD_NOARP && kNeighbourPermanent == NUD_PERMANENT);
static_assert(static_cast<int>(RuleAction::kTable) == FR_ACT_TO_TBL &&
              static_cast<int>(RuleAction::kGoto) == FR_ACT_GOTO);
static_assert(static_cast<int>(RuleAction::kNothing) == FR_ACT_NOP);
static_assert(static_cast<int>(RuleAction::kProhibit) == FR_ACT_PROHIBIT);

// InfiniBand and tunnels have link addresses of other sizes: no MAC address.
std::optional<MacAddress> mac_of(Bytes bytes) {
  const auto mac = MacAddress::from_bytes(bytes);
  return mac ? std::optional(*mac) : std::nullopt;
}

bool all_of(Family family, std::initializer_list<std::optional<Address>> addresses) {
  return std::ranges::all_of(addresses, [family](const auto& one) { return !one || one->family() == family; });
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Links

Result<Link> Decoder::link(const Message& message) {
  const auto fixed = open_message<ifinfomsg>(message, kLinkAttributes, attributes_);
  if (!fixed) return tl::unexpected(fixed.error());
  if (fixed->ifi_family != AF_UNSPEC)
    return fail(ErrorKind::kUnsupported, "what a bridge or a protocol says about a link is not ours");
  if (fixed->ifi_index <= 0) return fail(ErrorKind::kInvalidArgument, "a link has no index");
  Link link;
  link.index = InterfaceIndex(static_cast<std::uint32_t>(fixed->ifi_index));
  link.name = attributes_.text(IFLA_IFNAME);
  link.flags = fixed->ifi_flags;
  link.hardware_type = fixed->ifi_type;
  link.operational_state = attributes_.u8(IFLA_OPERSTATE);
  link.mtu = attributes_.u32(IFLA_MTU);
  link.master = InterfaceIndex(attributes_.u32(IFLA_MASTER));
  if (attributes_.has(IFLA_LINK)) link.peer = InterfaceIndex(attributes_.u32(IFLA_LINK));
  link.mac = mac_of(attributes_.bytes(IFLA_ADDRESS));
  link.permanent_mac = mac_of(attributes_.bytes(IFLA_PERM_ADDRESS));
  link.alias = attributes_.text(IFLA_IFALIAS);
  link.parent_device = attributes_.text(IFLA_PARENT_DEV_NAME);
  link.promiscuity = attributes_.u32(IFLA_PROMISCUITY);
  if (attributes_.has(IFLA_LINKINFO)) {
    if (const auto read = inner_.read(attributes_.bytes(IFLA_LINKINFO), kLinkInfoAttributes); !read)
      return tl::unexpected(read.error());
    link.kind = inner_.text(IFLA_INFO_KIND);
    if (link.kind == "vlan") {
      Attributes own;
      if (const auto read = own.read(inner_.bytes(IFLA_INFO_DATA), kVlanAttributes); !read)
        return tl::unexpected(read.error());
      link.vlan_id = own.u16(IFLA_VLAN_ID);
    }
  }
  return link;
}

Result<void> encode(MessageBuilder& out, Sequence sequence, const LinkChange& change) {
  if (change.index.is_none()) return fail(ErrorKind::kInvalidArgument, "a link has an index");
  ifinfomsg fixed{};
  fixed.ifi_index = static_cast<int>(change.index.value());
  fixed.ifi_flags = change.up.value_or(false) ? kLinkUp : 0;
  fixed.ifi_change = change.up ? kLinkUp : 0;
  out.begin(RTM_NEWLINK, NLM_F_REQUEST, sequence, fixed);
  if (change.mtu) out.put(IFLA_MTU, *change.mtu);
  return end_of(out);
}

// ---------------------------------------------------------------------------------------------------------------------
// Addresses

// With a peer, IFA_LOCAL is ours and IFA_ADDRESS the other's. Without one IPv4 says the same twice, IPv6 IFA_ADDRESS
// alone.
Result<InterfaceAddress> Decoder::address(const Message& message) {
  const auto fixed = open_message<ifaddrmsg>(message, kAddressAttributes, attributes_);
  if (!fixed) return tl::unexpected(fixed.error());
  const auto family = family_of(fixed->ifa_family);
  if (!family) return fail(ErrorKind::kUnsupported, "an address of a family that is not ours");
  const auto far = attributes_.address(IFA_ADDRESS);
  const auto local = attributes_.has(IFA_LOCAL) ? attributes_.address(IFA_LOCAL) : far;
  const auto broadcast = attributes_.address(IFA_BROADCAST);
  if (!local || !all_of(*family, {local, far, broadcast}) || fixed->ifa_prefixlen > net::width_of(*family))
    return fail(ErrorKind::kInvalidArgument, "an address is missing, too long, or of another family than it says");
  InterfaceAddress address;
  address.link = InterfaceIndex(fixed->ifa_index);
  address.local = *local;
  address.prefix_length = fixed->ifa_prefixlen;
  if (far && *far != *local) address.peer = far;
  address.broadcast = broadcast;
  address.scope = fixed->ifa_scope;
  address.flags = attributes_.has(IFA_FLAGS) ? attributes_.u32(IFA_FLAGS) : fixed->ifa_flags;
  if (const auto life = load<ifa_cacheinfo>(attributes_.bytes(IFA_CACHEINFO))) {
    address.preferred_seconds = life->ifa_prefered;
    address.valid_seconds = life->ifa_valid;
  }
  return address;
}

Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const InterfaceAddress& address) {
  const Family family = address.local.family();
  if (!all_of(family, {address.peer, address.broadcast}) || address.prefix_length > net::width_of(family))
    return fail(ErrorKind::kInvalidArgument, "an address's parts are of two families, or its prefix is too long");
  const bool removes = change == Change::kRemove;
  ifaddrmsg fixed{};
  fixed.ifa_family = af_of(family);
  fixed.ifa_prefixlen = address.prefix_length;
  fixed.ifa_scope = address.scope;
  fixed.ifa_index = address.link.value();
  out.begin(removes ? RTM_DELADDR : RTM_NEWADDR, flags_for(change), sequence, fixed);
  out.put_address(IFA_LOCAL, address.local);
  out.put_address(IFA_ADDRESS, address.peer.value_or(address.local));
  if (removes) return end_of(out);
  if (address.broadcast) out.put_address(IFA_BROADCAST, *address.broadcast);
  if (address.flags != 0) out.put(IFA_FLAGS, address.flags);
  if (address.valid_seconds != kForever || address.preferred_seconds != kForever)
    out.put(IFA_CACHEINFO, ifa_cacheinfo{address.preferred_seconds, address.valid_seconds, 0, 0});
  return end_of(out);
}

// ---------------------------------------------------------------------------------------------------------------------
// Neighbours

Result<Neighbour> Decoder::neighbour(const Message& message) {
  const auto fixed = open_message<ndmsg>(message, kNeighbourAttributes, attributes_);
  if (!fixed) return tl::unexpected(fixed.error());
  const auto family = family_of(fixed->ndm_family);
  if (!family) return fail(ErrorKind::kUnsupported, "an entry of a bridge is no neighbour");
  const auto address = attributes_.address(NDA_DST);
  if (!address || address->family() != *family)
    return fail(ErrorKind::kInvalidArgument, "a neighbour's address is missing, or of another family than it says");
  Neighbour neighbour;
  neighbour.link = InterfaceIndex(static_cast<std::uint32_t>(fixed->ndm_ifindex));
  neighbour.address = *address;
  neighbour.state = fixed->ndm_state;
  neighbour.flags = fixed->ndm_flags;
  neighbour.mac = mac_of(attributes_.bytes(NDA_LLADDR));
  return neighbour;
}

Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const Neighbour& neighbour) {
  const bool removes = change == Change::kRemove;
  ndmsg fixed{};
  fixed.ndm_family = af_of(neighbour.address.family());
  fixed.ndm_ifindex = static_cast<int>(neighbour.link.value());
  fixed.ndm_state = neighbour.state;
  fixed.ndm_flags = neighbour.flags;
  out.begin(removes ? RTM_DELNEIGH : RTM_NEWNEIGH, flags_for(change), sequence, fixed);
  out.put_address(NDA_DST, neighbour.address);
  if (neighbour.mac && !removes) out.put_bytes(NDA_LLADDR, neighbour.mac->bytes());
  return end_of(out);
}

// ---------------------------------------------------------------------------------------------------------------------
// Rules

Result<Rule> Decoder::rule(const Message& message) {
  const auto fixed = open_message<fib_rule_hdr>(message, kRuleAttributes, attributes_);
  if (!fixed) return tl::unexpected(fixed.error());
  const auto family = family_of(fixed->family);
  if (!family) return fail(ErrorKind::kUnsupported, "a rule of a family that is not ours");
  Rule rule;
  rule.family = *family;
  rule.priority = attributes_.u32(FRA_PRIORITY);
  rule.action = static_cast<RuleAction>(fixed->action);
  rule.table = attributes_.has(FRA_TABLE) ? attributes_.u32(FRA_TABLE) : fixed->table;
  rule.go_to = attributes_.u32(FRA_GOTO);
  rule.protocol = attributes_.u8(FRA_PROTOCOL);
  rule.tos = fixed->tos;
  rule.inverted = (fixed->flags & FIB_RULE_INVERT) != 0;
  rule.of_vrf = attributes_.u8(FRA_L3MDEV) != 0;
  rule.in_link = attributes_.text(FRA_IIFNAME);
  rule.out_link = attributes_.text(FRA_OIFNAME);
  rule.mark = attributes_.u32(FRA_FWMARK);
  rule.mark_mask = attributes_.u32(FRA_FWMASK);
  for (const auto& [type, length, to] :
       {std::tuple{FRA_SRC, fixed->src_len, &rule.source}, std::tuple{FRA_DST, fixed->dst_len, &rule.destination}}) {
    if (length == 0) continue;
    const auto prefix = prefix_of(*family, attributes_.address(type), length);
    if (!prefix) return tl::unexpected(prefix.error());
    *to = *prefix;
  }
  // The kernel says "none" by a number.
  const std::uint32_t suppressed = attributes_.u32(FRA_SUPPRESS_PREFIXLEN);
  if (attributes_.has(FRA_SUPPRESS_PREFIXLEN) && suppressed != 0xffffffff) rule.suppress_prefix_length = suppressed;
  return rule;
}

namespace {

const char* fault_of(const Rule& rule) {
  for (const auto* prefix : {&rule.source, &rule.destination}) {
    if (*prefix && (*prefix)->family() != rule.family) return "a rule's prefix is of another family than the rule";
  }
  if (rule.in_link.size() >= IFNAMSIZ || rule.out_link.size() >= IFNAMSIZ) return "a link's name is too long";
  return nullptr;
}

}  // namespace

Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const Rule& rule) {
  if (const char* const fault = fault_of(rule)) return fail(ErrorKind::kInvalidArgument, fault);
  fib_rule_hdr fixed{};
  fixed.family = af_of(rule.family);
  fixed.src_len = static_cast<std::uint8_t>(rule.source ? rule.source->length() : 0);
  fixed.dst_len = static_cast<std::uint8_t>(rule.destination ? rule.destination->length() : 0);
  fixed.tos = rule.tos;
  fixed.table = static_cast<std::uint8_t>(rule.table < 256 ? rule.table : RT_TABLE_UNSPEC);
  fixed.action = static_cast<std::uint8_t>(rule.action);
  fixed.flags = rule.inverted ? FIB_RULE_INVERT : 0U;
  out.begin(change == Change::kRemove ? RTM_DELRULE : RTM_NEWRULE, flags_for(change), sequence, fixed);
  out.put(FRA_PRIORITY, rule.priority);
  out.put(FRA_PROTOCOL, rule.protocol);
  if (rule.table >= 256) out.put(FRA_TABLE, rule.table);
  if (rule.action == RuleAction::kGoto) out.put(FRA_GOTO, rule.go_to);
  if (rule.of_vrf) out.put(FRA_L3MDEV, std::uint8_t{1});
  if (rule.source) out.put_address(FRA_SRC, rule.source->address());
  if (rule.destination) out.put_address(FRA_DST, rule.destination->address());
  if (!rule.in_link.empty()) out.put_text(FRA_IIFNAME, rule.in_link);
  if (!rule.out_link.empty()) out.put_text(FRA_OIFNAME, rule.out_link);
  if (rule.mark_mask != 0) {
    out.put(FRA_FWMARK, rule.mark);
    out.put(FRA_FWMASK, rule.mark_mask);
  }
  if (rule.suppress_prefix_length) out.put(FRA_SUPPRESS_PREFIXLEN, *rule.suppress_prefix_length);
  return end_of(out);
}

// ---------------------------------------------------------------------------------------------------------------------
// Dumps without a filter

Result<void> encode_dump(MessageBuilder& out, Sequence sequence, Subject subject) {
  constexpr std::uint16_t kDump = NLM_F_REQUEST | NLM_F_DUMP;
  switch (subject) {
    case Subject::kLink:
      out.begin(RTM_GETLINK, kDump, sequence, ifinfomsg{});
      out.put(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
      break;
    case Subject::kAddress:
      out.begin(RTM_GETADDR, kDump, sequence, ifaddrmsg{});
      break;
    case Subject::kNeighbour:
      out.begin(RTM_GETNEIGH, kDump, sequence, ndmsg{});
      break;
    case Subject::kRule:
      out.begin(RTM_GETRULE, kDump, sequence, fib_rule_hdr{});
      break;
    default:
      return fail(ErrorKind::kInvalidArgument, "that dump has a filter");
  }
  return end_of(out);
}

}  // namespace turnpike::kernel
