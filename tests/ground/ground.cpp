#include "ground/ground.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "ground/one_processor.h"
#include "ground/parts.h"

namespace turnpike::ground {
namespace {

constexpr milliseconds kLongestTest{300'000};

// The namespace of the calling thread, not of its process.
Descriptor this_namespace() {
  return own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "this thread's network");
}

void enter(const Descriptor& wanted) {
  if (::setns(wanted.get(), CLONE_NEWNET) == 0) return;
  // Going on in the wrong network would be worse than no test at all.
  std::perror("ground: setns");
  std::abort();
}

int index_of(const std::string& link) {
  const unsigned index = ::if_nametoindex(link.c_str());
  if (index == 0) fail_with_errno(link);
  return static_cast<int>(index);
}

sockaddr_ll link_address(const std::string& link, std::uint16_t protocol) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol);
  address.sll_ifindex = index_of(link);
  return address;
}

Descriptor packet_socket() {
  // Protocol 0: it hears nothing until it is bound to a link.
  return own(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "packet socket");
}

template <class Value>
void set_option(const Descriptor& socket, int level, int option, const Value& value, const char* what) {
  if (::setsockopt(socket.get(), level, option, &value, sizeof value) != 0) fail_with_errno(what);
}

Descriptor rtnetlink_listener() {
  Descriptor socket = own(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), "rtnetlink");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE |
                      RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail_with_errno("rtnetlink");
  return socket;
}

void drain(const Descriptor& socket) {
  std::array<char, 32768> buffer{};
  while (::recv(socket.get(), buffer.data(), buffer.size(), 0) >= 0 || errno == ENOBUFS || errno == EINTR) {
  }
}

bool is_running(const std::string& link) {
  const Descriptor socket = own(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
  ifreq request{};
  link.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return false;
  if ((request.ifr_flags & IFF_UP) == 0 || (request.ifr_flags & IFF_RUNNING) == 0) return false;
  // Who makes a link run says so first, and then hangs in the queue that it sends by, and tells others. A question that
  // waits for the lock which he holds meanwhile comes after all that.
  ethtool_value carrier{ETHTOOL_GLINK, 0};
  request.ifr_data = reinterpret_cast<char*>(&carrier);
  ::ioctl(socket.get(), SIOCETHTOOL, &request);
  return true;
}

struct NumericAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool is_v6() const { return storage.ss_family == AF_INET6; }
};

NumericAddress numeric(const std::string& text) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  hints.ai_socktype = SOCK_RAW;
  addrinfo* found = nullptr;
  if (::getaddrinfo(text.c_str(), nullptr, &hints, &found) != 0) throw GroundError(text + " is not a numeric address");
  NumericAddress address;
  address.size = found->ai_addrlen;
  std::memcpy(&address.storage, found->ai_addr, address.size);
  ::freeaddrinfo(found);
  return address;
}

// One echo request and its answer, over a raw socket that is connected to the one who shall answer.
bool echo(const NumericAddress& to, const Deadline& deadline) {
  constexpr std::uint8_t kRequest4 = 8;
  constexpr std::uint8_t kReply4 = 0;
  constexpr std::uint8_t kRequest6 = 128;
  constexpr std::uint8_t kReply6 = 129;
  const bool v6 = to.is_v6();
  const int protocol = v6 ? int{IPPROTO_ICMPV6} : int{IPPROTO_ICMP};
  const Descriptor socket = own(::socket(to.storage.ss_family, SOCK_RAW | SOCK_CLOEXEC, protocol), "raw socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0) return false;
  std::array<std::uint8_t, 8> request{v6 ? kRequest6 : kRequest4, 0, 0, 0, 0x54, 0x50, 0, 1};
  const std::uint16_t sum = v6 ? std::uint16_t{0} : internet_checksum(request);  // the kernel puts ICMPv6's
  request[2] = static_cast<std::uint8_t>(sum >> 8);
  request[3] = static_cast<std::uint8_t>(sum & 0xff);
  if (::send(socket.get(), request.data(), request.size(), 0) < 0) return false;
  while (deadline.await_readable(socket.get())) {
    std::array<std::uint8_t, 2048> packet{};
    const ssize_t size = ::recv(socket.get(), packet.data(), packet.size(), 0);
    if (size < 0) return false;  // an ICMP error: unreachable
    const std::size_t header = v6 ? 0 : static_cast<std::size_t>(packet[0] & 0x0f) * 4;
    if (packet.at(header) == (v6 ? kReply6 : kReply4) && packet.at(header + 4) == 0x54) return true;
  }
  return false;
}

// In the outer process: plays the test that runs, and records how it went.
void play_running_test(Privilege privilege) {
  if (const std::string reason = obstacle(privilege); !reason.empty()) {
    GTEST_SKIP() << reason;
  }
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  Play play(this_program(), std::string(test->test_suite_name()) + "." + test->name(), privilege);
  record(play.await_end(kLongestTest));
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// A host

Host::Visit::Visit(const Host& host) : home_(this_namespace()) { enter(host.namespace_); }

Host::Visit::~Visit() { enter(home_); }

Host::Host(std::string name, int number) : name_(std::move(name)), number_(number) {
  const Descriptor home = this_namespace();
  if (::unshare(CLONE_NEWNET) != 0) fail_with_errno("a new network namespace");
  namespace_ = this_namespace();
  enter(home);
  for (const char* scope : {"all", "default"}) {
    const std::string place = scope;
    // IPv4's settings are copied from the namespace that the machine began with: undo what matters.
    sysctl("net/ipv4/conf/" + place + "/forwarding", "0");
    sysctl("net/ipv4/conf/" + place + "/rp_filter", "0");
    sysctl("net/ipv6/conf/" + place + "/accept_dad", "0");
    sysctl("net/ipv6/conf/" + place + "/accept_ra", "0");
    sysctl("net/ipv6/conf/" + place + "/router_solicitations", "0");
  }
  ip({"link set lo up"});
}

std::string Host::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(namespace_.get());
}

std::string Host::next_identity() {
  ++links_;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "index %d address 02:00:00:00:%02x:%02x", number_ * 1000 + links_,
                number_ & 0xff, links_ & 0xff);
  return text.data();
}

std::string Host::run(const Words& command, milliseconds within) const {
  return inside([&] { return ground::run(command, within); });
}

Output Host::attempt(const Words& command, milliseconds within) const {
  return inside([&] { return ground::attempt(command, within); });
}

Process Host::spawn(const Words& command) const {
  return inside([&] { return Process(command); });
}

void Host::ip(const std::vector<std::string>& lines) const {
  std::string batch;
  for (const auto& line : lines) batch += line + "\n";
  const Output output = inside([&] { return ground::attempt({"ip", "-batch", "-"}, kSoon, batch); });
  if (output.status == 127) throw GroundError("ip is not installed; mend with: tools/setup check");
  if (output.status != 0) throw GroundError(name_ + ": ip: " + output.err + "in the batch:\n" + batch);
}

void Host::sysctl(const std::string& path, std::string_view value) const {
  inside([&] {
    std::ofstream file("/proc/sys/" + path);
    file << value;
    if (!file.flush()) throw GroundError(name_ + ": cannot set " + path + " to " + std::string(value));
  });
}

void Host::forward() const {
  sysctl("net/ipv4/ip_forward", "1");
  sysctl("net/ipv6/conf/all/forwarding", "1");
}

bool Host::ping(const std::string& address, milliseconds within) const {
  const Deadline deadline(within);
  return inside([&] { return echo(numeric(address), deadline); });
}

Capture Host::capture(const std::string& link) const {
  return inside([&] {
    Descriptor socket = packet_socket();
    const int on = 1;
    const int buffer = 32 << 20;
    set_option(socket, SOL_PACKET, PACKET_AUXDATA, on, "PACKET_AUXDATA");
    set_option(socket, SOL_SOCKET, SO_TIMESTAMPNS, on, "SO_TIMESTAMPNS");
    // The first is for root alone, the second is cut to what net.core.rmem_max allows.
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0) {
      set_option(socket, SOL_SOCKET, SO_RCVBUF, buffer, "SO_RCVBUF");
    }
    const sockaddr_ll address = link_address(link, ETH_P_ALL);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      fail_with_errno("bind to " + link);
    return Capture(std::move(socket));
  });
}

void Host::inject(const std::string& link, std::span<const std::uint8_t> frame) const {
  inside([&] {
    const Descriptor socket = packet_socket();
    const sockaddr_ll address = link_address(link, 0);
    const OneProcessor order;
    const ssize_t sent = ::sendto(socket.get(), frame.data(), frame.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (sent != static_cast<ssize_t>(frame.size())) fail_with_errno("inject into " + link);
  });
}

Tunnel Host::tun(const std::string& link) const { return tunnel(link, IFF_TUN | IFF_NO_PI); }

Tunnel Host::tap(const std::string& link) const { return tunnel(link, IFF_TAP | IFF_NO_PI); }

Tunnel Host::tunnel(const std::string& link, int flags) const {
  Descriptor device = inside([&] {
    Descriptor opened = own(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), "/dev/net/tun");
    ifreq request{};
    link.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(flags);
    if (::ioctl(opened.get(), TUNSETIFF, &request) != 0) fail_with_errno("TUNSETIFF");
    return opened;
  });
  ip({"link set " + link + " up"});
  await_running(link);
  return Tunnel(std::move(device));
}

void Host::await_that(std::string_view what, const std::function<bool()>& there, milliseconds within) const {
  const Deadline deadline(within);
  inside([&] {
    const Descriptor socket = rtnetlink_listener();  // before the first question, so that no change falls between
    while (!there()) {
      if (!deadline.await_readable(socket.get())) throw GroundError(name_ + ": waited in vain: " + std::string(what));
      drain(socket);
    }
  });
}

void Host::await_running(const std::string& link, milliseconds within) const {
  await_that(link + " runs", [&] { return is_running(link); }, within);
}

void Host::await_address(const std::string& link, const std::string& address, milliseconds within) const {
  const Words question{"ip", "-o", "addr", "show", "dev", link, "to", address, "-tentative"};
  await_that(link + " has " + address, [&] { return !ground::run(question).empty(); }, within);
}

// ---------------------------------------------------------------------------------------------------------------------
// The ground

std::optional<Ground> Ground::unprivileged(const std::vector<std::string>& parts) {
  const bool user_namespaces = is_played() || obstacle(Privilege::kUserNamespace).empty() || ::geteuid() != 0;
  return begin(user_namespaces ? Privilege::kUserNamespace : Privilege::kRoot, parts);
}

std::optional<Ground> Ground::privileged(const std::vector<std::string>& parts) {
  return begin(Privilege::kRoot, parts);
}

std::optional<Ground> Ground::begin(Privilege privilege, const std::vector<std::string>& parts) {
  if (!is_played()) {
    play_running_test(privilege);
    return std::nullopt;
  }
  begin_played_test();
  std::string lacks;
  for (const auto& part : parts) {
    if (const std::string lack = lack_of(part, Host("scratch", 0)); !lack.empty()) lacks += lack;
  }
  if (lacks.empty()) return Ground();
  [&lacks] { GTEST_SKIP() << lacks; }();
  return std::nullopt;
}

Host& Ground::host(const std::string& name) {
  const auto found = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& host) { return host->name() == name; });
  if (found != hosts_.end()) return **found;
  return *hosts_.emplace_back(std::make_unique<Host>(name, static_cast<int>(hosts_.size()) + 1));
}

void Ground::wire(const End& one, const End& other) {
  one.host.ip({"link add " + one.link + " " + one.host.next_identity() + " type veth peer name " + other.link + " " +
               other.host.next_identity() + " netns " + other.host.path()});
  for (const End* end : {&one, &other}) {
    std::vector<std::string> lines{"link set " + end->link + " up"};
    for (const auto& address : end->addresses) lines.push_back("addr add " + address + " dev " + end->link);
    end->host.ip(lines);
  }
  for (const End* end : {&one, &other}) end->host.await_running(end->link);
}

Host& Ground::bridge(const std::string& name, const std::vector<End>& ends) {
  Host& middle = host(name);
  middle.ip({"link add br0 " + middle.next_identity() + " type bridge stp_state 0", "link set br0 up"});
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::string port = "p" + std::to_string(i + 1);
    wire({middle, port, {}}, ends[i]);
    middle.ip({"link set " + port + " master br0"});
  }
  if (!ends.empty()) middle.await_running("br0");
  return middle;
}

}  // namespace turnpike::ground
