// Upcalls, as the kernel lays them out. IPv4: a copy of the packet's IP header in which the protocol is 0, which no
// packet has; type and virtual interface stand in the place of TTL and checksum (struct igmpmsg). IPv6: struct mrt6msg,
// whose first byte is 0, as no ICMPv6 message's is.
// Before the kernel's headers, which leave out what libc has declared.
#include <netinet/in.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <cstddef>
#include <cstring>

#include "kernel/multicast/multicast_port.h"

namespace turnpike::kernel {
namespace {

using Bytes = std::span<const std::byte>;

static_assert(sizeof(igmpmsg) == 20 && offsetof(igmpmsg, im_msgtype) == 8 && offsetof(igmpmsg, im_vif_hi) == 11);
static_assert(IGMPMSG_NOCACHE == MRT6MSG_NOCACHE && IGMPMSG_WRONGVIF == MRT6MSG_WRONGMIF &&
              IGMPMSG_WHOLEPKT == MRT6MSG_WHOLEPKT && IGMPMSG_WRVIFWHOLE == MRT6MSG_WRMIFWHOLE);

Result<UpcallKind> kind_of(unsigned type) {
  switch (type) {
    case IGMPMSG_NOCACHE:
      return UpcallKind::kUnknownFlow;
    case IGMPMSG_WRONGVIF:
      return UpcallKind::kWrongInterface;
    case IGMPMSG_WHOLEPKT:
      return UpcallKind::kWholePacket;
    case IGMPMSG_WRVIFWHOLE:
      return UpcallKind::kWholeWrong;
    default:
      return fail(ErrorKind::kInvalidArgument, "an upcall of no known type");
  }
}

template <class T>
T load_front(Bytes bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

Result<Upcall> finish(unsigned type, unsigned vif, const net::Address& group, const net::Address& source,
                      Bytes header) {
  const auto kind = kind_of(type);
  if (!kind) return tl::unexpected(kind.error());
  if (!group.is_multicast()) return fail(ErrorKind::kInvalidArgument, "an upcall about no group");
  return Upcall{*kind, {group, source}, static_cast<mgm::Vif>(vif), header};
}

Result<Upcall> decode_ipv4(Bytes datagram) {
  if (datagram.size() < sizeof(igmpmsg)) return fail(ErrorKind::kInvalidArgument, "shorter than an IP header");
  const auto message = load_front<igmpmsg>(datagram);
  if (message.im_mbz != 0) return fail(ErrorKind::kUnsupported, "a packet, not an upcall");
  const auto first = std::to_integer<std::size_t>(datagram.front());
  const std::size_t length = (first & 0xf) * 4;
  if (first >> 4 != 4 || length < sizeof(igmpmsg) || length > datagram.size())
    return fail(ErrorKind::kInvalidArgument, "an upcall without an IP header");
  return finish(message.im_msgtype, message.im_vif + message.im_vif_hi * 256U,
                net::Address::from_network(message.im_dst), net::Address::from_network(message.im_src),
                datagram.first(length));
}

Result<Upcall> decode_ipv6(Bytes datagram) {
  if (datagram.empty()) return fail(ErrorKind::kInvalidArgument, "nothing");
  if (datagram.front() != std::byte{0}) return fail(ErrorKind::kUnsupported, "a packet, not an upcall");
  if (datagram.size() < sizeof(mrt6msg)) return fail(ErrorKind::kInvalidArgument, "shorter than an upcall");
  const auto message = load_front<mrt6msg>(datagram);
  return finish(message.im6_msgtype, message.im6_mif, net::Address::from_network(message.im6_dst),
                net::Address::from_network(message.im6_src), {});
}

}  // namespace

Result<Upcall> decode_upcall(net::Family family, std::span<const std::byte> datagram) {
  return family == net::Family::kIpv4 ? decode_ipv4(datagram) : decode_ipv6(datagram);
}

}  // namespace turnpike::kernel
