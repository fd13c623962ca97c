#include "kernel/multicast/multicast_socket.h"

// Before the kernel's headers, which leave out what libc has declared.
#include <netinet/in.h>

#include <linux/filter.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/mroute.h>
#include <linux/mroute6.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace turnpike::kernel {
namespace {

static_assert(MAXVIFS == kMostVifs && MAXMIFS == kMostVifs);

// The options that both families have, under the same numbers.
static_assert(MRT_INIT == MRT6_INIT && MRT_DONE == MRT6_DONE && MRT_ADD_VIF == MRT6_ADD_MIF &&
              MRT_DEL_VIF == MRT6_DEL_MIF && MRT_ADD_MFC == MRT6_ADD_MFC && MRT_DEL_MFC == MRT6_DEL_MFC &&
              MRT_PIM == MRT6_PIM && MRT_TABLE == MRT6_TABLE);

sockaddr_in6 socket_address(const net::Address& address) {
  sockaddr_in6 result{};
  result.sin6_family = AF_INET6;
  result.sin6_addr = address.to_network<in6_addr>();
  return result;
}

mfcctl entry_of(const mgm::Flow& flow) {
  mfcctl entry{};
  entry.mfcc_origin = flow.source.to_network<in_addr>();
  entry.mfcc_mcastgrp = flow.group.to_network<in_addr>();
  return entry;
}

mf6cctl entry6_of(const mgm::Flow& flow) {
  mf6cctl entry{};
  entry.mf6cc_origin = socket_address(flow.source);
  entry.mf6cc_mcastgrp = socket_address(flow.group);
  return entry;
}

// The kernel's count of packets is of all that matched, those on a wrong interface included.
template <class Request>
mgm::FlowCounters counters_of(const Request& answer) {
  return {answer.pktcnt - std::min(answer.wrong_if, answer.pktcnt), answer.bytecnt, answer.wrong_if};
}

template <class Request>
Result<void> ask(int socket, unsigned long request, Request& about, const char* what) {
  if (::ioctl(socket, request, &about) != 0) return fail_errno(errno, what);
  return {};
}

}  // namespace

Result<MulticastSocket> MulticastSocket::open(net::Family family, std::size_t receive_buffer) {
  const bool is_ipv4 = family == net::Family::kIpv4;
  const int protocol = is_ipv4 ? int{IPPROTO_IGMP} : int{IPPROTO_ICMPV6};
  Descriptor made(::socket(is_ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!made.is_open()) return fail_errno(errno, "no raw socket for multicast routing");
  return adopt(family, std::move(made), receive_buffer);
}

Result<MulticastSocket> MulticastSocket::adopt(net::Family family, Descriptor descriptor, std::size_t receive_buffer) {
  MulticastSocket socket(family, std::move(descriptor));
  if (const auto prepared = socket.prepare(receive_buffer); !prepared) return tl::unexpected(prepared.error());
  return socket;
}

// A raw socket hears every packet of its protocol as well: reports of hosts, which anybody can send in any number. They
// are dropped in the kernel, so that they cannot fill the buffer that upcalls need; who wants them has a socket of its
// own.
Result<void> MulticastSocket::prepare(std::size_t receive_buffer) {
  bool filtered = false;
  if (family_ == net::Family::kIpv4) {
    sock_filter is_upcall[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
                               BPF_STMT(BPF_RET | BPF_K, 0xffffffff), BPF_STMT(BPF_RET | BPF_K, 0)};
    const sock_fprog program{static_cast<unsigned short>(std::size(is_upcall)), is_upcall};
    filtered = ::setsockopt(number(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
  } else {
    icmp6_filter none{};
    std::memset(&none, 0xff, sizeof none);  // a bit set is a type that is left out
    filtered = ::setsockopt(number(), IPPROTO_ICMPV6, ICMPV6_FILTER, &none, sizeof none) == 0;
  }
  const int one = 1;
  if (!filtered || ::setsockopt(number(), SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one) != 0)
    return fail_errno(errno, "an option of a multicast routing socket was refused");
  const int wanted = static_cast<int>(std::min<std::size_t>(receive_buffer, std::numeric_limits<int>::max() / 2));
  if (::setsockopt(number(), SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
    (void)::setsockopt(number(), SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  return {};
}

std::size_t MulticastSocket::receive_buffer() const {
  int granted = 0;
  socklen_t size = sizeof granted;
  if (::getsockopt(number(), SOL_SOCKET, SO_RCVBUF, &granted, &size) != 0) return 0;
  return static_cast<std::size_t>(granted);
}

Result<void> MulticastSocket::set(int option, const void* value, std::size_t size, const char* what) {
  const int level = family_ == net::Family::kIpv4 ? IPPROTO_IP : IPPROTO_IPV6;
  if (::setsockopt(number(), level, option, value, static_cast<socklen_t>(size)) != 0) return fail_errno(errno, what);
  return {};
}

Result<void> MulticastSocket::claim(std::uint32_t table) {
  if (table != 0) {
    if (const auto chosen = set(MRT_TABLE, &table, sizeof table, "the kernel has no such multicast table"); !chosen)
      return chosen;
  }
  return set_number(MRT_INIT, 1, "the multicast table was not given to us");
}

Result<void> MulticastSocket::tell_wrong_interfaces(bool on) {
  return set_number(MRT_PIM, on ? 1 : 0, "the kernel does not tell of wrong interfaces");
}

void MulticastSocket::give_back() { (void)set_number(MRT_DONE, 1, "the multicast table was not taken back"); }

Result<void> MulticastSocket::add_vif(mgm::Vif number, net::InterfaceIndex device) {
  constexpr const char* kWhat = "the kernel made no virtual interface";
  if (family_ == net::Family::kIpv6) {
    mif6ctl vif{};
    vif.mif6c_mifi = number;
    vif.mif6c_pifi = static_cast<std::uint16_t>(device.value());
    if (vif.mif6c_pifi != device.value()) return fail_errno(EOVERFLOW, "an interface index beyond 65,535, in IPv6");
    vif.vifc_threshold = 1;
    return set(MRT6_ADD_MIF, &vif, sizeof vif, kWhat);
  }
  vifctl vif{};
  vif.vifc_vifi = number;
  vif.vifc_flags = VIFF_USE_IFINDEX;
  vif.vifc_threshold = 1;
  vif.vifc_lcl_ifindex = static_cast<int>(device.value());
  return set(MRT_ADD_VIF, &vif, sizeof vif, kWhat);
}

Result<void> MulticastSocket::remove_vif(mgm::Vif number) {
  constexpr const char* kWhat = "the kernel removed no virtual interface";
  if (family_ == net::Family::kIpv6) {
    const mifi_t mif = number;
    return set(MRT6_DEL_MIF, &mif, sizeof mif, kWhat);
  }
  vifctl vif{};
  vif.vifc_vifi = number;
  return set(MRT_DEL_VIF, &vif, sizeof vif, kWhat);
}

Result<VifCounters> MulticastSocket::vif_counters(mgm::Vif vif) {
  constexpr const char* kWhat = "no counters of a virtual interface";
  const auto read = [&](auto request, unsigned long code) -> Result<VifCounters> {
    if (const auto asked = ask(number(), code, request, kWhat); !asked) return tl::unexpected(asked.error());
    return VifCounters{request.icount, request.ocount, request.ibytes, request.obytes};
  };
  if (family_ == net::Family::kIpv6) {
    sioc_mif_req6 request{};
    request.mifi = vif;
    return read(request, SIOCGETMIFCNT_IN6);
  }
  sioc_vif_req request{};
  request.vifi = vif;
  return read(request, SIOCGETVIFCNT);
}

// IPv6 has no thresholds: an interface is in the entry or not.
Result<void> MulticastSocket::put(const mgm::Flow& flow, mgm::Vif parent, const Thresholds& thresholds) {
  constexpr const char* kWhat = "the kernel refused a multicast entry";
  if (family_ == net::Family::kIpv6) {
    mf6cctl entry = entry6_of(flow);
    entry.mf6cc_parent = parent;
    for (unsigned vif = 0; vif < kMostVifs; ++vif) {
      if (thresholds[vif] != 0 && thresholds[vif] != 255)
        entry.mf6cc_ifset.ifs_bits[vif / NIFBITS] |= 1U << vif % NIFBITS;
    }
    return set(MRT6_ADD_MFC, &entry, sizeof entry, kWhat);
  }
  mfcctl entry = entry_of(flow);
  entry.mfcc_parent = parent;
  std::copy(thresholds.begin(), thresholds.end(), entry.mfcc_ttls);
  return set(MRT_ADD_MFC, &entry, sizeof entry, kWhat);
}

Result<void> MulticastSocket::remove(const mgm::Flow& flow) {
  constexpr const char* kWhat = "the kernel removed no multicast entry";
  if (family_ == net::Family::kIpv6) {
    const mf6cctl entry = entry6_of(flow);
    return set(MRT6_DEL_MFC, &entry, sizeof entry, kWhat);
  }
  const mfcctl entry = entry_of(flow);
  return set(MRT_DEL_MFC, &entry, sizeof entry, kWhat);
}

Result<mgm::FlowCounters> MulticastSocket::counters(const mgm::Flow& flow) {
  constexpr const char* kWhat = "no counters of a multicast entry";
  const auto read = [&](auto request, unsigned long code) -> Result<mgm::FlowCounters> {
    if (const auto asked = ask(number(), code, request, kWhat); !asked) return tl::unexpected(asked.error());
    return counters_of(request);
  };
  if (family_ == net::Family::kIpv6) {
    sioc_sg_req6 request{};
    request.src = socket_address(flow.source);
    request.grp = socket_address(flow.group);
    return read(request, SIOCGETSGCNT_IN6);
  }
  sioc_sg_req request{};
  request.src = flow.source.to_network<in_addr>();
  request.grp = flow.group.to_network<in_addr>();
  return read(request, SIOCGETSGCNT);
}

}  // namespace turnpike::kernel
