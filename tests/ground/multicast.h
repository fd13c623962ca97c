// Multicast as hosts send and receive it: datagrams to groups, IPv4 and IPv6.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ground/ground.h"

namespace turnpike::ground {

// Where multicast is forwarded: a source, a router, a receiver behind each of two links. On the router the links are
// "in", "west" and "east", on the others "eth0"; networks are 10.0.0.0/24, 10.0.1.0/24, 10.0.2.0/24 and fd00::/64,
// fd00:1::/64, fd00:2::/64, in which the router has 1 and the others have 2. Needs the part "veth".
struct Fork {
  explicit Fork(Ground& ground);
  Host& source;
  Host& router;
  Host& left;
  Host& right;
  std::uint32_t in = 0;  // indexes
  std::uint32_t west = 0;
  std::uint32_t east = 0;
};

// Joins a group on a link of a host (the kernel there reports it by IGMP or MLD, as any host does) and takes what is
// sent to it. `source`: that one alone, by a report of IGMPv3 or MLDv2. It leaves with this object.
class GroupReceiver {
 public:
  GroupReceiver(const Host& host, const std::string& link, const std::string& group, const std::string& source = "");

  // Waits for that many datagrams since the last call, or until the time is over; gives the numbers that they carry.
  std::vector<std::uint32_t> await(std::size_t count, milliseconds within = kSoon);
  // What has come by now.
  std::vector<std::uint32_t> take() { return await(0, milliseconds(0)); }

 private:
  Descriptor socket_;
};

// Sends to groups out of a link of a host.
class GroupSender {
 public:
  GroupSender(const Host& host, const std::string& link, bool ipv6 = false);

  void send(const std::string& group, std::uint32_t number, int ttl = 32) const;
  // With a source address of the caller's choice, `options` 32-bit words of IP options that do nothing, IPv4 alone;
  // addresses in host order.
  void send_as(std::uint32_t source, std::uint32_t group, std::uint32_t number, int ttl = 32,
               unsigned options = 0) const;

 private:
  Descriptor socket_;
  Descriptor raw_;
  int index_ = 0;
};

// A general query of IGMPv2 out of a link, as a router sends it.
void ask_for_groups(const Host& host, const std::string& link);

}  // namespace turnpike::ground
