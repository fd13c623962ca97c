#include "ear.h"

#include <netinet/igmp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>

namespace turnpike::modules {
namespace {

constexpr int kPause = 5000;                          // milliseconds between two tries
constexpr auto kPresent = std::chrono::seconds(255);  // RFC 3376, 8.5: as long as a querier may be silent

int open_igmp() {
  const int socket = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_IGMP);
  const int on = 1;
  if (socket >= 0) static_cast<void>(::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
  return socket;
}

// The interface where a datagram came in; 0: it does not say.
std::uint32_t arrival_of(msghdr& message) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != IPPROTO_IP || each->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info{};
    std::memcpy(&info, CMSG_DATA(each), sizeof info);
    return static_cast<std::uint32_t>(info.ipi_ifindex);
  }
  return 0;
}

// The sender of a query; nothing: it is something else.
std::optional<std::uint32_t> querier_in(const unsigned char* packet, std::size_t size) {
  iphdr head{};
  if (size < sizeof head) return std::nullopt;
  std::memcpy(&head, packet, sizeof head);
  const std::size_t length = head.ihl * 4U;
  if (length < sizeof head || size < length + 8 || packet[length] != IGMP_MEMBERSHIP_QUERY || head.saddr == 0) {
    return std::nullopt;
  }
  return head.saddr;
}

}  // namespace

Ear::Ear(std::function<bool()> try_again)
    : try_again_(std::move(try_again)), socket_(open_igmp()), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // Signals are the program's.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    if (wake_ >= 0) thread_ = std::thread([this] { loop(); });
  } catch (const std::exception&) {
    // Then nobody is heard.
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (thread_.joinable()) pthread_setname_np(thread_.native_handle(), "tp-mstatic");
}

Ear::~Ear() {
  done_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  if (socket_ >= 0) ::close(socket_);
  if (wake_ >= 0) ::close(wake_);
}

// A failed write means that the counter is full, and so the thread is awake.
void Ear::wake() {
  has_wishes_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Ear::loop() {
  pollfd watched[] = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
  while (!done_) {
    const int ready = ::poll(watched, 2, has_wishes_ ? kPause : -1);
    if (ready == 0) has_wishes_ = try_again_();
    if (watched[0].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto taken = ::read(wake_, &count, sizeof count);
    }
    if (watched[1].revents != 0) hear();
  }
}

void Ear::hear() {
  std::array<unsigned char, 512> packet{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  iovec part{packet.data(), packet.size()};
  for (;;) {
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_, &message, 0);
    if (size < 0) return;
    const auto sender = querier_in(packet.data(), static_cast<std::size_t>(size));
    const std::uint32_t interface = arrival_of(message);
    if (!sender || interface == 0) continue;
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard guard(lock_);
    Heard& heard = heard_[interface];
    // Of two that ask, the one with the lower address goes on.
    if (heard.until <= now || ntohl(*sender) <= ntohl(heard.address)) heard = {*sender, now + kPresent};
  }
}

std::optional<std::uint32_t> Ear::querier(std::uint32_t interface) const {
  const std::lock_guard guard(lock_);
  const auto at = heard_.find(interface);
  if (at == heard_.end() || at->second.until <= std::chrono::steady_clock::now()) return std::nullopt;
  return at->second.address;
}

}  // namespace turnpike::modules
