#include "doctor.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/descriptor.h"

namespace turnpike::cli {
namespace {

using State = Finding::State;

// The first line of a file of the kernel's.
std::optional<std::string> first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

bool is_there(const char* path) { return ::access(path, F_OK) == 0; }

bool has_capability(unsigned number) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    const std::size_t digits = line.find_first_not_of(" \t", 7);
    std::uint64_t set = 0;
    if (digits == std::string::npos) return false;
    std::from_chars(line.data() + digits, line.data() + line.size(), set, 16);
    return (set >> number & 1) != 0;
  }
  return false;
}

// Whether the kernel has next hops as objects: it answers a question for the first of them.
State knows_next_hops(std::string& found) {
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct {
    nlmsghdr head;
    nhmsg body;
  } ask{};
  ask.head = {sizeof ask, RTM_GETNEXTHOP, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
  std::array<char, 32768> answer{};
  const timeval limit{2, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::send(socket.number(), &ask, sizeof ask, 0) != sizeof ask) return found = "no netlink", State::kMissing;
  const ssize_t got = ::recv(socket.number(), answer.data(), answer.size(), 0);
  nlmsghdr head{};
  nlmsgerr error{};
  if (got < static_cast<ssize_t>(sizeof head)) return found = "no answer", State::kMissing;
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type != NLMSG_ERROR) return found = "yes", State::kGood;
  std::memcpy(&error, answer.data() + sizeof head, std::min(sizeof error, static_cast<std::size_t>(got) - sizeof head));
  return found = std::string("refused: ") + strerrorname_np(-error.error), State::kMissing;
}

Finding kernel() {
  Finding made{"forwarding", "Linux 5.3, with next hops as objects", State::kGood, "", "use a newer kernel"};
  made.state = knows_next_hops(made.found);
  utsname name{};
  if (::uname(&name) == 0) made.found = std::string("Linux ") + name.release + ", " + made.found;
  return made;
}

Finding capability(const char* feature, unsigned number, const char* name) {
  const bool has = has_capability(number);
  return {feature, std::string("the right ") + name, has ? State::kGood : State::kNote, has ? "yes" : "not this user",
          "ask as root; turnpiked gets it from its unit"};
}

// A setting of the kernel that should have a value.
Finding setting(const char* feature, const char* name, const std::string& wanted, const std::string& remedy,
                State otherwise = State::kMissing) {
  std::string path = std::string("/proc/sys/") + name;
  std::ranges::replace(path, '.', '/');
  const auto value = first_line(path);
  Finding made{feature, std::string(name) + " = " + wanted, State::kGood, value.value_or("not there"), remedy};
  if (value != wanted) made.state = otherwise;
  return made;
}

Finding file(const char* feature, const char* need, const char* path, const char* remedy) {
  const bool there = is_there(path);
  return {feature, need, there ? State::kGood : State::kNote, there ? "yes" : std::string(path) + " is not there",
          remedy};
}

// Whether the kernel has sockets of that family, and whether it gives this user one.
Finding sockets(const char* feature, const char* need, int family, const char* right, const char* remedy) {
  const Descriptor socket(::socket(family, SOCK_RAW | SOCK_CLOEXEC, 0));
  const int error = socket.is_open() ? 0 : errno;
  if (error == 0) return {feature, need, State::kGood, "yes", remedy};
  if (error == EPERM || error == EACCES)
    return {feature, need, State::kNote, std::string("not this user: it lacks ") + right, "ask as root"};
  return {feature, need, State::kNote, strerrorname_np(error), remedy};
}

// As a device that a driver would be the other end of: without rights over the network the file opens, the device not.
Finding tap() {
  const Descriptor device(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  const int error = device.is_open() ? 0 : errno;
  return {"TAP devices", "to open /dev/net/tun", error == 0 ? State::kGood : State::kNote,
          error == 0 ? "yes" : strerrorname_np(error),
          error == EACCES ? "ask as root, or open it to this user" : "modprobe tun"};
}

Finding descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const bool good = limit.rlim_cur >= 1024;
  return {"many interfaces", "1024 open files", good ? State::kGood : State::kNote, std::to_string(limit.rlim_cur),
          "raise LimitNOFILE= in the unit"};
}

std::string_view name_of(State state) {
  return state == State::kGood ? "good" : state == State::kMissing ? "missing" : "note";
}

}  // namespace

std::vector<Finding> examine() {
  return {
      kernel(),
      capability("forwarding", CAP_NET_ADMIN, "CAP_NET_ADMIN"),
      capability("routing protocols", CAP_NET_RAW, "CAP_NET_RAW"),
      setting("IPv4 forwarding", "net.ipv4.ip_forward", "1", "sysctl net.ipv4.ip_forward=1"),
      setting("IPv6 forwarding", "net.ipv6.conf.all.forwarding", "1", "sysctl net.ipv6.conf.all.forwarding=1"),
      setting("asymmetric routes", "net.ipv4.conf.all.rp_filter", "0",
              "1 drops packets that come in where they would not go out: sysctl net.ipv4.conf.all.rp_filter=0 or 2",
              State::kNote),
      setting("quick changes of next hops", "net.ipv4.nexthop_compat_mode", "0",
              "where nobody else manages routes: sysctl net.ipv4.nexthop_compat_mode=0", State::kNote),
      file("IPv4 multicast", "multicast routing", "/proc/net/ip_mr_vif", "a kernel with CONFIG_IP_MROUTE"),
      file("IPv6 multicast", "multicast routing", "/proc/net/ip6_mr_vif", "a kernel with CONFIG_IPV6_MROUTE"),
      sockets("NDIS drivers", "packet sockets (AF_PACKET)", AF_PACKET, "CAP_NET_RAW", "a kernel with CONFIG_PACKET"),
      sockets("NDIS drivers over AF_XDP", "AF_XDP", AF_XDP, "CAP_NET_RAW", "a kernel with CONFIG_XDP_SOCKETS"),
      capability("NDIS drivers over AF_XDP", CAP_BPF, "CAP_BPF"),
      tap(),
      file("tunnels", "TUN devices", "/dev/net/tun", "modprobe tun"),
      file("demand dial", "PPP", "/dev/ppp", "modprobe ppp_generic"),
      file("logging", "the journal", "/run/systemd/journal/socket", "without it turnpiked writes to standard error"),
      descriptors(),
  };
}

Value describe(const std::vector<Finding>& findings) {
  Value::List out;
  for (const Finding& finding : findings) {
    out.push_back(Value::Object{{"state", name_of(finding.state)},
                                {"feature", finding.feature},
                                {"needs", finding.need},
                                {"found", finding.found},
                                {"remedy", finding.state == State::kGood ? "" : finding.remedy}});
  }
  return out;
}

bool is_healthy(const std::vector<Finding>& findings) {
  return std::ranges::none_of(findings, [](const Finding& finding) { return finding.state == State::kMissing; });
}

}  // namespace turnpike::cli
