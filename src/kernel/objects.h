// What the kernel has and says, as values: links, addresses, routes, next hops, rules, neighbours.
//
// This header and port.h are what the rooms above see of Linux: no kernel header is included, so whoever uses them
// replays and tests without one. Numbers that only pass through (table, protocol, priority, flags) keep the kernel's
// values; codec.cpp holds them against the kernel's headers.
//
// A value that has a list inside (the hops of a route, the members of a group) has a span, so that reading a million
// routes allocates nothing: whoever is handed one inside a callback and wants to keep it makes a RouteCopy or
// NextHopCopy.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/interface_index.h"
#include "net/mac_address.h"
#include "net/prefix.h"

namespace turnpike::kernel {

using net::Address;
using net::Family;
using net::InterfaceIndex;
using net::MacAddress;
using net::Prefix;

// What every route and next hop of ours carries, so that adopting and sweeping never touch anybody else's.
inline constexpr std::uint8_t kOurProtocol = 220;

inline constexpr std::uint32_t kDefaultTable = 253;
inline constexpr std::uint32_t kMainTable = 254;
inline constexpr std::uint32_t kLocalTable = 255;

inline constexpr std::uint8_t kScopeUniverse = 0;
inline constexpr std::uint8_t kScopeLink = 253;
inline constexpr std::uint8_t kScopeHost = 254;
inline constexpr std::uint8_t kScopeNowhere = 255;

enum class RouteType : std::uint8_t {
  kUnspecified,
  kUnicast,
  kLocal,
  kBroadcast,
  kAnycast,
  kMulticast,
  kBlackhole,    // drops in silence
  kUnreachable,  // drops, and says so to the sender
  kProhibit,     // the same, as forbidden
  kThrow,        // look on in the next table
  kNat,          // has no meaning any more
};

// Flags of a hop. The kernel sets all but kOnLink, and ignores them when written.
inline constexpr std::uint8_t kHopDead = 1;
inline constexpr std::uint8_t kHopOnLink = 4;  // the gateway is on the link, whatever the routes say
inline constexpr std::uint8_t kHopOffload = 8;
inline constexpr std::uint8_t kHopLinkDown = 16;
inline constexpr std::uint8_t kHopTrap = 64;

// Flags of a route; all set by the kernel.
inline constexpr std::uint32_t kRouteCloned = 0x200;  // an exception (path MTU, redirect), no entry of the table
inline constexpr std::uint32_t kRouteOffload = 0x4000;
inline constexpr std::uint32_t kRouteTrap = 0x8000;
inline constexpr std::uint32_t kRouteOffloadFailed = 0x20000000;

struct Hop {
  InterfaceIndex link;             // none: the kernel finds it by the gateway (IPv4)
  std::optional<Address> gateway;  // may be IPv6 where the route is IPv4
  std::uint16_t weight = 1;        // 1 to 256
  std::uint8_t flags = 0;

  friend bool operator==(const Hop&, const Hop&) = default;
};

struct RouteMetrics {
  std::uint32_t mtu = 0;  // 0 each: not set
  std::uint32_t advertised_mss = 0;
  std::uint32_t hop_limit = 0;

  friend bool operator==(const RouteMetrics&, const RouteMetrics&) = default;
};

// A route has either a next hop's id or hops of its own; a blackhole and its kin have neither. One that is read may
// have both: in the compatible mode the kernel writes out what the next hop object holds.
struct Route {
  Prefix destination;
  std::optional<Prefix> source;  // IPv6: only for packets from there
  std::uint32_t table = kMainTable;
  RouteType type = RouteType::kUnicast;
  std::uint8_t protocol = kOurProtocol;
  std::uint8_t tos = 0;
  std::optional<std::uint8_t> scope;  // written: what `ip route` would choose where it is absent. Read: always there
  std::uint32_t priority = 0;         // the kernel's "metric", lower is better; IPv6 turns 0 into 1024
  std::uint32_t flags = 0;
  std::uint32_t next_hop_id = 0;  // 0: none
  std::optional<Address> preferred_source;
  RouteMetrics metrics;
  bool has_encapsulation = false;  // has something more (a tunnel label); ours never have, and it is not read
  std::span<const Hop> hops;

  friend bool operator==(const Route& a, const Route& b);
};

struct GroupMember {
  std::uint32_t id = 0;
  std::uint16_t weight = 1;  // more than 256 since Linux 6.12

  friend bool operator==(const GroupMember&, const GroupMember&) = default;
};

enum class NextHopKind : std::uint8_t {
  kGateway,  // a link, and a gateway unless what is to be reached is on the link
  kBlackhole,
  kGroup,  // members with weights, chosen by the hash of a flow
  kOther,  // resilient, encapsulating, of a bridge's table: never ours, and not read further
};

struct NextHop {
  std::uint32_t id = 0;
  NextHopKind kind = NextHopKind::kGateway;
  Family family = Family::kIpv4;  // where there is no gateway: of the routes that may use it. A group has none
  std::uint8_t protocol = kOurProtocol;
  std::uint8_t flags = 0;  // of a hop
  InterfaceIndex link;
  std::optional<Address> gateway;
  std::span<const GroupMember> members;

  friend bool operator==(const NextHop& a, const NextHop& b);
};

// A value with its list. `view` lives as long as this does and is not changed.
template <class T, class Part, std::span<const Part> T::* kList>
class Copy {
 public:
  explicit Copy(const T& original) : value_(original), parts_((original.*kList).begin(), (original.*kList).end()) {
    value_.*kList = {};
  }
  [[nodiscard]] T view() const {
    T result = value_;
    result.*kList = parts_;
    return result;
  }
  friend bool operator==(const Copy& a, const Copy& b) { return a.view() == b.view(); }

 private:
  T value_;
  std::vector<Part> parts_;
};
using RouteCopy = Copy<Route, Hop, &Route::hops>;
using NextHopCopy = Copy<NextHop, GroupMember, &NextHop::members>;

// Flags of a link.
inline constexpr std::uint32_t kLinkUp = 0x1;  // by the administrator
inline constexpr std::uint32_t kLinkBroadcast = 0x2;
inline constexpr std::uint32_t kLinkLoopback = 0x8;
inline constexpr std::uint32_t kLinkPointToPoint = 0x10;
inline constexpr std::uint32_t kLinkRunning = 0x40;
inline constexpr std::uint32_t kLinkMulticast = 0x1000;
inline constexpr std::uint32_t kLinkLowerUp = 0x10000;  // has a carrier

struct Link {
  InterfaceIndex index;
  std::string name;
  std::string kind;  // "veth", "bridge"; empty for a device of hardware and for loopback
  std::uint32_t flags = 0;
  std::uint16_t hardware_type = 0;     // as ARP numbers them: 1 Ethernet, 772 loopback, 65534 none
  std::uint8_t operational_state = 0;  // as RFC 2863 numbers them from 0: unknown, not present, down, lower layer
                                       // down, testing, dormant, up
  std::uint32_t mtu = 0;
  InterfaceIndex master;               // the bridge, bond or VRF that it belongs to
  std::optional<InterfaceIndex> peer;  // the other end or lower link, where it has one; perhaps in another namespace
  std::optional<MacAddress> mac;
  std::optional<MacAddress> permanent_mac;  // the device's own, whatever it uses now
  std::string alias;                        // the administrator's words
  std::string parent_device;                // of hardware: "0000:00:1f.6"
  std::uint32_t promiscuity = 0;            // how many want all that passes
  std::uint16_t vlan_id = 0;                // of a VLAN's link

  friend bool operator==(const Link&, const Link&) = default;
};

// What can be asked of a link that is there.
struct LinkChange {
  InterfaceIndex index;
  std::optional<bool> up;
  std::optional<std::uint32_t> mtu;
};

// Flags of an address.
inline constexpr std::uint32_t kAddressSecondary = 0x01;
inline constexpr std::uint32_t kAddressNoDad = 0x02;  // usable at once, without asking whether another has it
inline constexpr std::uint32_t kAddressDadFailed = 0x08;
inline constexpr std::uint32_t kAddressDeprecated = 0x20;
inline constexpr std::uint32_t kAddressTentative = 0x40;
inline constexpr std::uint32_t kAddressPermanent = 0x80;
inline constexpr std::uint32_t kAddressNoPrefixRoute = 0x200;

inline constexpr std::uint32_t kForever = 0xffffffff;

struct InterfaceAddress {
  InterfaceIndex link;
  Address local;
  std::uint8_t prefix_length = 0;
  std::optional<Address> peer;  // of a point-to-point link
  std::optional<Address> broadcast;
  std::uint8_t scope = kScopeUniverse;
  std::uint32_t flags = 0;
  std::uint32_t preferred_seconds = kForever;
  std::uint32_t valid_seconds = kForever;

  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

// States of a neighbour.
inline constexpr std::uint16_t kNeighbourIncomplete = 0x01;
inline constexpr std::uint16_t kNeighbourReachable = 0x02;
inline constexpr std::uint16_t kNeighbourStale = 0x04;
inline constexpr std::uint16_t kNeighbourDelay = 0x08;
inline constexpr std::uint16_t kNeighbourProbe = 0x10;
inline constexpr std::uint16_t kNeighbourFailed = 0x20;
inline constexpr std::uint16_t kNeighbourNoArp = 0x40;
inline constexpr std::uint16_t kNeighbourPermanent = 0x80;

struct Neighbour {
  InterfaceIndex link;
  Address address;
  std::uint16_t state = kNeighbourPermanent;
  std::uint8_t flags = 0;
  std::optional<MacAddress> mac;

  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

enum class RuleAction : std::uint8_t {
  kTable = 1,  // look into `table`
  kGoto = 2,
  kNothing = 3,
  kBlackhole = 6,
  kUnreachable = 7,
  kProhibit = 8,
};

struct Rule {
  Family family = Family::kIpv4;
  std::uint32_t priority = 0;
  RuleAction action = RuleAction::kTable;
  std::uint32_t table = 0;
  std::uint32_t go_to = 0;  // the priority of the rule to go on with
  std::uint8_t protocol = kOurProtocol;
  std::uint8_t tos = 0;
  bool inverted = false;
  bool of_vrf = false;  // looks into the table of the packet's VRF
  std::optional<Prefix> source;
  std::optional<Prefix> destination;
  std::string in_link;
  std::string out_link;
  std::uint32_t mark = 0;
  std::uint32_t mark_mask = 0;  // 0: the mark does not matter
  std::optional<std::uint32_t> suppress_prefix_length;

  friend bool operator==(const Rule&, const Rule&) = default;
};

inline bool operator==(const Route& a, const Route& b) {
  return a.destination == b.destination && a.source == b.source && a.table == b.table && a.type == b.type &&
         a.protocol == b.protocol && a.tos == b.tos && a.scope == b.scope && a.priority == b.priority &&
         a.flags == b.flags && a.next_hop_id == b.next_hop_id && a.preferred_source == b.preferred_source &&
         a.metrics == b.metrics && a.has_encapsulation == b.has_encapsulation && std::ranges::equal(a.hops, b.hops);
}

inline bool operator==(const NextHop& a, const NextHop& b) {
  return a.id == b.id && a.kind == b.kind && a.family == b.family && a.protocol == b.protocol && a.flags == b.flags &&
         a.link == b.link && a.gateway == b.gateway && std::ranges::equal(a.members, b.members);
}

}  // namespace turnpike::kernel
