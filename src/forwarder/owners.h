// Owners: the entities under which the routes of others stand in a routing table, and their next hops.
//
// What the kernel has from others (importer.h) and what a routing daemon sends (fpm.h) appear in the same way: under an
// entity for each protocol id, with one next hop for each link and gateway, shared and counted. What differs is who
// says what there is; so that is left to them, and this is what they share.
//
// | in the kernel, or said by zebra         | protocol id         |
// |-----------------------------------------|---------------------|
// | kernel (2)                              | PROTO_IP_LOCAL      |
// | redirect (1), router advertisements (9) | PROTO_IP_ICMP       |
// | BGP (186), OSPF (188), IS-IS (187), RIP (189), as FRRouting numbers them | PROTO_IP_BGP, _OSPF, _IS_IS, _RIP |
// | all else: `ip route`, DHCP, BIRD (12), static routes of FRRouting (196)  | PROTO_IP_NETMGMT |
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "kernel/objects.h"
#include "rtm/table.h"

namespace turnpike::forwarder {

std::uint32_t protocol_id_of(std::uint8_t kernel_protocol);

// RTM_ROUTE_FLAGS_… of a route with these hops.
std::uint16_t route_flags_of(const kernel::Route& route, std::span<const kernel::Hop> hops);

// Whether a table of destinations can hold it: no broadcast, multicast and anycast entries, which no client routes by;
// no source-specific IPv6 routes; no cached exceptions.
bool can_stand_in_a_table(const kernel::Route& route);

// Next hop objects of others, and the gateways that one leads to; of a group all that are known.
using NextHopObjects = std::unordered_map<std::uint32_t, kernel::NextHopCopy>;
std::vector<kernel::Hop> hops_through(const NextHopObjects& objects, std::uint32_t id);

// One hop of an entity: protocol id, link, gateway (unspecified where what is to be reached is on the link).
using OwnedHop = std::tuple<std::uint32_t, kernel::InterfaceIndex, kernel::Address>;

class Owners {
 public:
  // Is told of each entity that is registered.
  using Told = std::function<void(rtm::Handle owner)>;

  // `instance`: the entities' protocol instance, which tells them from clients with the same protocol id.
  Owners(rtm::Table& table, kernel::Family family, std::uint32_t instance, Told told)
      : table_(table), family_(family), instance_(instance), told_(std::move(told)) {}

  // kNone where the table takes no more entities, which is logged.
  rtm::Handle entity(std::uint32_t protocol_id);

  // The hops that a table's route can name, as many as it takes.
  [[nodiscard]] std::vector<OwnedHop> owned(std::uint32_t protocol_id, std::span<const kernel::Hop> hops) const;

  // The handles of these hops, each once more in use; those that the table refuses leave the list.
  std::vector<rtm::Handle> use(std::vector<OwnedHop>& hops);
  void release(std::span<const OwnedHop> hops);

  // Adds a route, or changes the one that `route` names; gives its handle. kBusy: a client has locked the destination.
  Result<rtm::Handle> put(std::uint32_t protocol_id, rtm::Handle route, const kernel::Prefix& destination,
                          std::uint16_t flags, std::uint32_t metric, std::span<const rtm::Handle> hops);
  Result<void> drop(std::uint32_t protocol_id, rtm::Handle route);

  // Takes a route out whose handle is all that is known, however it stands: for the end.
  void drop_or_release(std::uint32_t protocol_id, rtm::Handle route);
  // All next hops and entities go; `routes` have gone before.
  void stop();

 private:
  struct Shared {
    rtm::Handle handle = rtm::Handle::kNone;
    std::uint32_t uses = 0;
  };
  Result<rtm::Handle> use(const OwnedHop& hop);

  rtm::Table& table_;
  const kernel::Family family_;
  const std::uint32_t instance_;
  const Told told_;
  std::map<std::uint32_t, rtm::Handle> entities_;  // by protocol id
  std::map<OwnedHop, Shared> hops_;
};

}  // namespace turnpike::forwarder
