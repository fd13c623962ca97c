#include "kernel/netlink_monitor.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstddef>

namespace turnpike::kernel {
namespace {

constexpr std::size_t kMostLeftOut = 16;
constexpr std::size_t kMostDiscarded = std::size_t{1} << 20;

std::vector<int> groups_of(const Topics& topics) {
  std::vector<int> groups;
  const auto add = [&groups](bool wanted, std::initializer_list<int> more) {
    if (wanted) groups.insert(groups.end(), more);
  };
  add(topics.links, {RTNLGRP_LINK});
  add(topics.addresses, {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR});
  add(topics.ipv4_routes, {RTNLGRP_IPV4_ROUTE});
  add(topics.ipv6_routes, {RTNLGRP_IPV6_ROUTE});
  add(topics.next_hops, {RTNLGRP_NEXTHOP});
  add(topics.neighbours, {RTNLGRP_NEIGH});
  add(topics.rules, {RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
  return groups;
}

// Says what was decoded; what is not ours is passed over, what cannot be read is a loss.
template <class T>
void say(Listener& listener, void (Listener::*on)(const Notice&, const T&), const Notice& notice,
         const Result<T>& object) {
  if (object) return (listener.*on)(notice, *object);
  if (object.error().kind != ErrorKind::kUnsupported) listener.on_loss(Loss::kUnreadable);
}

}  // namespace

NetlinkMonitor::NetlinkMonitor(NetlinkSocket socket) : socket_(std::move(socket)), buffer_(std::size_t{64} << 10) {}

Result<std::unique_ptr<Monitor>> NetlinkMonitor::open(const NetNamespace& where, const MonitorOptions& options) {
  auto socket = NetlinkSocket::open(where, options.receive_buffer);
  if (!socket) return tl::unexpected(socket.error());
  if (options.tell_senders_of_losses) {
    if (const auto set = socket->set(NETLINK_BROADCAST_ERROR, 1); !set) return tl::unexpected(set.error());
  }
  for (const int group : groups_of(options.topics)) {
    const auto joined = socket->set(NETLINK_ADD_MEMBERSHIP, group);
    // A kernel without next hop objects has no such group either, and nothing to tell.
    if (!joined && group != RTNLGRP_NEXTHOP) return tl::unexpected(joined.error());
  }
  return std::make_unique<NetlinkMonitor>(std::move(*socket));
}

// A program for the kernel's packet filter. Each notification is one message, whose head names who caused it; the
// filter reads numbers as big-endian, hence the turned ones.
Result<void> NetlinkMonitor::leave_out(Identity writer) {
  if (std::ranges::find(left_out_, writer) != left_out_.end()) return {};
  if (left_out_.size() == kMostLeftOut) return fail(ErrorKind::kExhausted, "too many writers are left out");
  left_out_.push_back(writer);
  std::vector<sock_filter> program{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(nlmsghdr, nlmsg_pid)}};
  for (std::size_t i = 0; i < left_out_.size(); ++i) {
    const auto to_end = static_cast<std::uint8_t>(left_out_.size() - i);
    program.push_back({BPF_JMP | BPF_JEQ | BPF_K, to_end, 0, net::detail::big_endian(left_out_[i])});
  }
  program.push_back({BPF_RET | BPF_K, 0, 0, 0xffffffff});
  program.push_back({BPF_RET | BPF_K, 0, 0, 0});
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  return socket_.set(SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof whole);
}

void NetlinkMonitor::tell(Listener& listener, const Message& message) {
  const Notice notice = notice_of(message);
  switch (subject_of(message)) {
    case Subject::kLink:
      return say(listener, &Listener::on_link, notice, decoder_.link(message));
    case Subject::kAddress:
      return say(listener, &Listener::on_address, notice, decoder_.address(message));
    case Subject::kRoute:
      return say(listener, &Listener::on_route, notice, decoder_.route(message));
    case Subject::kNextHop:
      return say(listener, &Listener::on_next_hop, notice, decoder_.next_hop(message));
    case Subject::kNeighbour:
      return say(listener, &Listener::on_neighbour, notice, decoder_.neighbour(message));
    case Subject::kRule:
      return say(listener, &Listener::on_rule, notice, decoder_.rule(message));
    case Subject::kOther:
      return;
  }
}

// Reads empty what the kernel has queued.
void NetlinkMonitor::discard() {
  lost_ = true;
  for (std::size_t count = 0; count < kMostDiscarded; ++count) {
    const auto received = socket_.receive(buffer_);
    if (received || received.error().kind == ErrorKind::kExhausted ||
        received.error().kind == ErrorKind::kBufferTooSmall) {
      continue;
    }
    lost_ = false;
    return;
  }
}

Result<std::size_t> NetlinkMonitor::read(Listener& listener, std::size_t most) {
  std::size_t count = 0;
  while (count < most) {
    if (lost_) {
      discard();
      listener.on_loss(Loss::kOverrun);
      if (lost_) return std::size_t{1};  // somebody writes faster than we can throw away
    }
    const auto received = socket_.receive(buffer_);
    if (!received) {
      const Error error = received.error();
      if (error.kind == ErrorKind::kNoMoreItems) break;
      if (error.kind == ErrorKind::kKernel) return tl::unexpected(error);
      lost_ = error.kind == ErrorKind::kExhausted;
      if (!lost_) listener.on_loss(Loss::kUnreadable);
      continue;
    }
    Bytes rest = *received;
    while (const auto message = take_message(rest)) {
      tell(listener, *message);
      ++count;
    }
    if (!rest.empty()) listener.on_loss(Loss::kUnreadable);
  }
  return count;
}

}  // namespace turnpike::kernel
