#include "kernel/adapters/packet_socket.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "kernel/adapters/reception_program.h"

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;
using net::MacAddress;

constexpr std::uint16_t on_the_wire(std::uint16_t number) {
  return std::endian::native == std::endian::little ? static_cast<std::uint16_t>(number << 8 | number >> 8) : number;
}

}  // namespace

Memberships Memberships::of(const ndis::Reception& wanted) {
  Memberships made;
  made.promiscuous = (wanted.filter & type::kPromiscuous) != 0;
  made.all_groups = (wanted.filter & type::kAllMulticast) != 0;
  if ((wanted.filter & type::kMulticast) != 0) made.groups = {wanted.groups.begin(), wanted.groups.end()};
  return made;
}

Result<PacketSocket> PacketSocket::open(const AdapterOpening& opening) {
  Descriptor descriptor;
  int error = 0;
  const auto entered = opening.where->inside([&] {
    descriptor.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    error = errno;
  });
  if (!entered)
    return tl::unexpected(
        denied_or_kernel(entered.error().system_code, entered.error().what, "CAP_SYS_ADMIN", opening));
  if (!descriptor.is_open()) return tl::unexpected(denied_or_kernel(error, "no packet socket", "CAP_NET_RAW", opening));
  PacketSocket made(std::move(descriptor), opening.index);
  return made;
}

Result<void> PacketSocket::set(int option, int value) {
  if (::setsockopt(number(), SOL_PACKET, option, &value, sizeof value) == 0) return {};
  return fail_errno(errno, "the packet socket takes no such option");
}

Result<void> PacketSocket::bind(std::uint16_t type) {
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = on_the_wire(type);
  where.sll_ifindex = index_;
  if (::bind(number(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    if (errno == ENODEV) return fail(ErrorKind::kNotFound, "the interface has gone");
    return fail_errno(errno, "the interface cannot be bound to");
  }
  bound_ = type;
  return {};
}

bool PacketSocket::is_bound() const {
  sockaddr_ll where{};
  socklen_t size = sizeof where;
  return ::getsockname(number(), reinterpret_cast<sockaddr*>(&where), &size) == 0 && where.sll_ifindex == index_;
}

Result<void> PacketSocket::sift(const ndis::Reception& wanted, bool sifted) {
  if (!sifted) {
    const int unused = 0;
    if (::setsockopt(number(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused) == 0 || errno == ENOENT) return {};
    return fail_errno(errno, "the kernel keeps its packet filter");
  }
  const auto program = reception_program(wanted);
  const sock_fprog whole{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  if (::setsockopt(number(), SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof whole) == 0) return {};
  return fail_errno(errno, "the kernel takes no packet filter");
}

Result<void> PacketSocket::membership(bool add, unsigned short kind, const MacAddress& group) {
  packet_mreq request{};
  request.mr_ifindex = index_;
  request.mr_type = kind;
  request.mr_alen = kind == PACKET_MR_MULTICAST ? 6 : 0;
  std::ranges::copy(group.bytes(), request.mr_address);
  if (::setsockopt(number(), SOL_PACKET, add ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &request,
                   sizeof request) == 0)
    return {};
  return fail_errno(errno, "the device takes no such membership");
}

// Adds (or drops) what `to` has and `from` has not.
Result<void> PacketSocket::change(const Memberships& to, bool add, const Memberships& from) {
  Result<void> result;
  const auto note = [&result](Result<void> one) {
    if (!one && result) result = one;
  };
  if (to.promiscuous && !from.promiscuous) note(membership(add, PACKET_MR_PROMISC));
  if (to.all_groups && !from.all_groups) note(membership(add, PACKET_MR_ALLMULTI));
  for (const MacAddress& group : to.groups) {
    if (!from.groups.contains(group)) note(membership(add, PACKET_MR_MULTICAST, group));
  }
  return result;
}

Result<void> PacketSocket::want_of_device(const ndis::Reception& wanted) {
  Memberships next = Memberships::of(wanted);
  if (const auto added = change(next, true, memberships_); !added) {
    static_cast<void>(change(next, false, memberships_));
    return added;
  }
  static_cast<void>(change(memberships_, false, next));
  memberships_ = std::move(next);
  return {};
}

// What widens first, what narrows last: nothing that both wishes hold is missed between.
Result<void> PacketSocket::want(const ndis::Reception& wanted, bool sifted) {
  Memberships next = Memberships::of(wanted);
  if (const auto added = change(next, true, memberships_); !added) {
    static_cast<void>(change(next, false, memberships_));
    return added;
  }
  const auto done = set(PACKET_IGNORE_OUTGOING, wanted.local_sends ? 0 : 1)
                        .and_then([&] { return sift(wanted, sifted); })
                        .and_then([&]() -> Result<void> {
                          const std::uint16_t wanted_type = wants_frames(wanted) ? ETH_P_ALL : 0;
                          return wanted_type == bound_ ? Result<void>{} : bind(wanted_type);
                        });
  if (!done) {
    static_cast<void>(change(next, false, memberships_));
    return done;
  }
  // What cannot be dropped went with its device.
  static_cast<void>(change(memberships_, false, next));
  memberships_ = std::move(next);
  return {};
}

void PacketSocket::want_nothing() noexcept {
  constexpr sock_filter kNothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog whole{1, const_cast<sock_filter*>(&kNothing)};
  ::setsockopt(number(), SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof whole);
  static_cast<void>(change(memberships_, false, {}));
  memberships_ = {};
}

}  // namespace turnpike::kernel
