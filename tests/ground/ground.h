// The test ground: small networks made of network namespaces, for tests against the real kernel.
//
//   TEST(Veth, TwoHostsPing) {
//     auto ground = Ground::unprivileged({"veth"});
//     if (!ground) return;  // played in a process of its own, or skipped: the results are recorded
//     Host& left = ground->host("left");
//     Host& right = ground->host("right");
//     ground->wire({left, "eth0", {"10.0.0.1/24"}}, {right, "eth0", {"10.0.0.2/24"}});
//     EXPECT_TRUE(left.ping("10.0.0.2"));
//   }
//
// How it works, and why so:
//
// * Each such test is played in a process of its own: the same program started again for that one test, as the first
//   process of a fresh user, network, mount and process namespace (`unshare` of util-linux). What it asserts comes back
//   through a pipe and is recorded in the test that the outer program runs. Entering a user namespace needs a process
//   with one thread, which a sanitised program does not have; and a process that was born inside has no other network
//   to reach by mistake: not a frame can leave the ground.
// * A host is a network namespace, held by a descriptor and by nothing else: no name, no file below /run/netns, no
//   process. A thread enters a host for as long as it runs a piece of code (`inside`), so the code under test runs in
//   the test's own process, with its assertions, its sanitizer and its debugger; sockets opened and threads begun in
//   there belong to that host for good. (A forked child for each piece of code was rejected: it cannot hand objects
//   back.)
// * Nothing is left over, however the test ends. The kernel kills the process namespace when its first process dies,
//   which dies with `unshare`, which dies with the outer test (PR_SET_PDEATHSIG), daemons that cut themselves loose
//   included; the last descriptor that closes takes the networks along.
//
// Nothing here waits by sleeping: every wait is a poll with a deadline.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ground/frames.h"
#include "ground/play.h"
#include "ground/process.h"

namespace turnpike::ground {

// One network namespace: a machine as far as the network goes. Its file system is the one of the test. Fresh: loopback
// up, no forwarding, no reverse-path filter, no router advertisements, and no duplicate address detection, so that an
// IPv6 address is usable at once (a test of that detection turns it on again by `sysctl`).
class Host {
 public:
  // Ground::host makes one. `number` tells its links from those of others: see next_identity.
  Host(std::string name, int number);

  const std::string& name() const { return name_; }

  // Calls `work` with the calling thread in this namespace.
  template <class Work>
  auto inside(Work&& work) const {
    const Visit visit(*this);
    return std::forward<Work>(work)();
  }

  // Commands; as in process.h, started in this namespace.
  std::string run(const Words& command, milliseconds within = kSoon) const;
  Output attempt(const Words& command, milliseconds within = kSoon) const;
  Process spawn(const Words& command) const;

  // Lines for iproute2, without the leading `ip`, all in one process: ip({"link set eth0 up", "route add …"}).
  // The first that fails ends the batch with a GroundError.
  void ip(const std::vector<std::string>& lines) const;

  // Writes /proc/sys/<path>, as in sysctl("net/ipv4/ip_forward", "1").
  void sysctl(const std::string& path, std::string_view value) const;

  // Lets it forward IPv4 and IPv6.
  void forward() const;

  // Sends one echo request and waits for its answer. `address` is numeric, with %link where it is link-local.
  bool ping(const std::string& address, milliseconds within = kSoon) const;

  Capture capture(const std::string& link) const;
  // What is injected from one host after the other arrives in this order.
  void inject(const std::string& link, std::span<const std::uint8_t> frame) const;

  // A device whose other end is the test; up on return. Needs the part "tun".
  Tunnel tun(const std::string& link) const;
  Tunnel tap(const std::string& link) const;

  // Waits until `there` (called inside) says yes, asking again whenever rtnetlink tells of a change to links,
  // addresses, routes, rules or neighbours of this host: so it is for conditions that such a change brings about.
  // GroundError, with `what` was waited for, when the time is over.
  void await_that(std::string_view what, const std::function<bool()>& there, milliseconds within = kSoon) const;

  // The link is up and has its carrier.
  void await_running(const std::string& link, milliseconds within = kSoon) const;

  // The link has the address, past duplicate address detection.
  void await_address(const std::string& link, const std::string& address, milliseconds within = kSoon) const;

  // What to tell iproute2 about the next link of this host, so that no two links of a ground are alike: the third link
  // of host 2 has the index 2003 and the MAC address 02:00:00:00:02:03. (Equal indices at both ends of a veth pair
  // would also make the kernel take up to a second to notice a carrier.)
  std::string next_identity();

  // A path that stands for this namespace, for `ip link … netns PATH`.
  std::string path() const;

 private:
  // The calling thread's stay in a host.
  class Visit {
   public:
    explicit Visit(const Host& host);
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit();

   private:
    Descriptor home_;
  };

  Tunnel tunnel(const std::string& link, int flags) const;

  std::string name_;
  int number_;
  int links_ = 0;
  Descriptor namespace_;
};

// Where a wire ends: the host, the name of the link there, its addresses ("10.0.0.1/24", "fd00::1/64").
struct End {
  Host& host;
  std::string link;
  std::vector<std::string> addresses;
};

class Ground {
 public:
  // A ground for the running test; to be called first in the test's body. It names the parts of the kernel that the
  // test needs (parts.txt); one that is missing skips the test with the reason.
  //
  // Nothing: this is the outer process. The test has been played, or cannot be played here; either is recorded; return.
  //
  // unprivileged: root in a user namespace, with rights over this ground alone. Where user namespaces are forbidden and
  // this is root, it is played as by `privileged`.
  // privileged: real root, for what the kernel grants nobody else. Skips the test when this is not root.
  static std::optional<Ground> unprivileged(const std::vector<std::string>& parts = {});
  static std::optional<Ground> privileged(const std::vector<std::string>& parts = {});

  // A new host, or the one that already has this name.
  Host& host(const std::string& name);

  // A veth pair between two hosts; both ends are up, running, and have their addresses. Needs the part "veth".
  void wire(const End& one, const End& other);

  // A switch: a host called `name` with a bridge `br0`, and a wire from its port p1, p2, … to each end, in this order.
  // Needs the parts "veth" and "bridge".
  Host& bridge(const std::string& name, const std::vector<End>& ends);

 private:
  Ground() = default;
  static std::optional<Ground> begin(Privilege privilege, const std::vector<std::string>& parts);

  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace turnpike::ground
