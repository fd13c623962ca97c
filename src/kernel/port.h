// Port: what Turnpike asks of the kernel's routing, as one narrow abstract class. Real: real_port.h, by netlink.
// Scripted: scripted_port.h, in memory, for tests; it can fail, delay, overrun, reorder and lie. Both pass
// tests/kernel/port_conformance.h, so what is said here is what they do.
//
// A Writer changes, a Monitor hears what has changed, a dump reads what is there. Each has its own socket, so none
// waits for another, and none needs a thread. A Writer or a Monitor belongs to one thread at a time; the Port itself
// may be called from any.
//
// Why writing is put, put, put, submit, and no queue of promises: the kernel works off what a netlink socket sends
// before the call returns, and answers into that socket's buffer. So when `submit` comes back, the fate of every change
// is known, there is nothing outstanding that could be lost, and no thread has to wait for an answer. A submit takes
// the kernel's own time for its changes (2.5 µs each where batches are full) and no longer.
//
// What follows for whoever keeps a table and the kernel one:
//   * Within a submit the kernel works in the order of the puts: next hops before the routes that use them.
//   * kReplace overwrites whatever has the same key, a foreign route too: whoever minds says kAdd, and meets EEXIST.
//   * Changes that follow from others are mostly silent: IPv4 routes that go with their next hop or their link are not
//     told one by one, and a next hop that goes with its link is not told at all. (tests/kernel/conformance shows
//     each.)
//   * After a Loss nothing is known but by a new dump. Open the monitor before the dump, and let its events win.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kernel/background.h"
#include "kernel/objects.h"

namespace turnpike::kernel {

// ---------------------------------------------------------------------------------------------------------------------
// Writing

enum class Change : std::uint8_t {
  kAdd,      // refused (EEXIST) where the key is taken
  kReplace,  // adds, or takes the place of what has the same key, without a moment in which there is neither
  kUpdate,   // takes the place of what is there; refused (ENOENT) where nothing is: of routes and next hops alone
  kRemove,   // by its key alone; refused (ESRCH, ENOENT) where nothing has it
};
// Keys: a route's is table, destination, tos, priority (0 removes at any priority) and, to remove, the protocol;
// a next hop's is its id; of rules, addresses, neighbours what identifies them to the kernel.

using Cookie = std::uint64_t;  // the caller's; comes back with a refusal

struct Refusal {
  Cookie cookie = 0;
  int error = 0;          // an errno
  std::string_view text;  // the kernel's own words and the attribute that they are about; may be empty
};

// "EINVAL (Invalid argument): Nexthop id does not exist, at RTA_NH_ID".
std::string describe(const Refusal& refusal);

struct Report {
  std::size_t submitted = 0;
  // In the order of the puts; valid until the next put. What is not named was done, unless:
  std::span<const Refusal> refused;
  bool answers_lost = false;  // any of this submit may have failed: read what is there
};

// Who wrote, as every notification of the change says.
using Identity = std::uint32_t;

class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;

  // Notes one change for the next submit, and copies what it needs. False: full, nothing noted; submit, and put again.
  // What can never be written (an IPv4 gateway for an IPv6 route, a group without members) is taken, and refused with
  // EINVAL by the report like everything else that is wrong.
  [[nodiscard]] virtual bool put(Change change, const Route& route, Cookie cookie) = 0;
  [[nodiscard]] virtual bool put(Change change, const NextHop& next_hop, Cookie cookie) = 0;
  [[nodiscard]] virtual bool put(Change change, const InterfaceAddress& address, Cookie cookie) = 0;
  [[nodiscard]] virtual bool put(Change change, const Neighbour& neighbour, Cookie cookie) = 0;
  [[nodiscard]] virtual bool put(Change change, const Rule& rule, Cookie cookie) = 0;
  [[nodiscard]] virtual bool put(const LinkChange& change, Cookie cookie) = 0;

  // Has the kernel make the changes noted, and says what became of each. Nothing noted: an empty report.
  virtual Report submit() = 0;

  // How many changes are noted and not yet submitted.
  [[nodiscard]] virtual std::size_t noted() const = 0;

  [[nodiscard]] virtual Identity identity() const = 0;
};

// A lone change, at once, with the kernel's answer. kBusy where changes are noted that were not yet submitted; nothing
// is written then. kKernel with the errno where it was refused.
template <class... Object>
Result<void> write_now(Writer& writer, const Object&... what);

// ---------------------------------------------------------------------------------------------------------------------
// Hearing

struct Notice {
  bool gone = false;      // else there, or changed
  bool replaced = false;  // a route that took the place of what had its key
  Identity writer = 0;    // 0: the kernel itself
};

enum class Loss : std::uint8_t {
  kOverrun,     // the kernel had more to say than the buffer held
  kUnreadable,  // it said what we cannot read
};

// What a monitor calls. Values live as long as the call.
class Listener {
 public:
  Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  virtual ~Listener() = default;

  virtual void on_link(const Notice&, const Link&) {}
  virtual void on_address(const Notice&, const InterfaceAddress&) {}
  virtual void on_route(const Notice&, const Route&) {}
  virtual void on_next_hop(const Notice&, const NextHop&) {}
  virtual void on_neighbour(const Notice&, const Neighbour&) {}
  virtual void on_rule(const Notice&, const Rule&) {}

  // Something was said that nobody heard: what is known of the kernel is out of date, by nobody knows what. What waited
  // to be heard is gone too: what is told from now on happened after this call. There is no default: who does not dump
  // and reconcile drifts.
  virtual void on_loss(Loss why) = 0;
};

struct Topics {
  bool links = false;
  bool addresses = false;
  bool ipv4_routes = false;
  bool ipv6_routes = false;
  bool next_hops = false;
  bool neighbours = false;
  bool rules = false;
};

struct MonitorOptions {
  Topics topics = {};
  std::size_t receive_buffer = std::size_t{64} << 20;  // bytes asked for; Capabilities says what is granted
  // NETLINK_BROADCAST_ERROR: whoever made the change is told that we missed it. Our own losses we notice by ourselves,
  // and others are not to suffer for them.
  bool tell_senders_of_losses = false;
};

class Monitor {
 public:
  Monitor() = default;
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  virtual ~Monitor() = default;

  // Readable when there is something to read.
  [[nodiscard]] virtual int descriptor() const = 0;

  // Reads what waits, without waiting, but no more than about `most` events, so that a flood leaves time for other
  // work. Gives the number of notifications that were read; 0: there are none. The listener may write, dump and open
  // monitors, but not read this one.
  virtual Result<std::size_t> read(Listener& listener, std::size_t most = 4096) = 0;

  // From now on leaves out what this writer causes. The kernel drops it before it costs memory: a million own changes
  // can then not overrun the monitor. Up to 16 writers; kExhausted beyond.
  virtual Result<void> leave_out(Identity writer) = 0;
};

// ---------------------------------------------------------------------------------------------------------------------
// Reading

// `begin` is called first, and again whenever the dump was disturbed by a change and begins anew: forget what was
// taken. Either may be absent.
template <class T>
struct Taker {
  std::function<void()> begin = {};
  std::function<void(const T&)> take = {};
};

struct Dumped {
  unsigned attempts = 1;
  // False: every attempt was disturbed; what the last one gave may lack what changed meanwhile, which a monitor has
  // heard of. The kernel tells disturbances of links, addresses, rules and next hops; a dump of routes it never calls
  // disturbed: routes that stand still are all there, others may be.
  bool consistent = true;
};

inline constexpr unsigned kMostAttempts = 5;

// What is absent does not matter. The kernel does the choosing where it can, else we do.
struct RouteFilter {
  std::optional<Family> family = {};
  std::optional<std::uint32_t> table = {};
  std::optional<std::uint8_t> protocol = {};
  std::optional<InterfaceIndex> link = {};  // one of its hops goes there
};

struct NextHopFilter {
  std::optional<std::uint8_t> protocol = {};
  std::optional<InterfaceIndex> link = {};
};

// What this kernel grants this process; for `doctor`.
struct Capabilities {
  std::string release;
  bool may_write = false;
  bool next_hop_objects = false;       // Linux 5.3
  bool strict_dumps = false;           // Linux 4.20: the kernel filters
  bool clear_errors = false;           // Linux 4.12: refusals come with words
  bool compat_mode_setting = false;    // net.ipv4.nexthop_compat_mode, Linux 5.8
  bool receive_buffer_forced = false;  // beyond net.core.rmem_max; needs CAP_NET_ADMIN in the first user namespace
  std::size_t receive_buffer = 0;      // bytes that a monitor of default options gets
};

// A setting of this network namespace below /proc/sys, for instance:
inline constexpr std::string_view kCompatMode = "net/ipv4/nexthop_compat_mode";

class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  // kKernel with the errno where a socket cannot be had, also below.
  virtual Result<std::unique_ptr<Writer>> open_writer() = 0;
  virtual Result<std::unique_ptr<Monitor>> open_monitor(const MonitorOptions& options) = 0;

  virtual Result<Dumped> dump_links(const Taker<Link>& taker) = 0;
  virtual Result<Dumped> dump_addresses(const Taker<InterfaceAddress>& taker) = 0;
  virtual Result<Dumped> dump_routes(const RouteFilter& filter, const Taker<Route>& taker) = 0;
  virtual Result<Dumped> dump_next_hops(const NextHopFilter& filter, const Taker<NextHop>& taker) = 0;
  virtual Result<Dumped> dump_neighbours(const Taker<Neighbour>& taker) = 0;
  virtual Result<Dumped> dump_rules(const Taker<Rule>& taker) = 0;

  // "net/ipv4/ip_forward". kInvalidArgument for what is no such name or leads out of net/, kNotFound for what this
  // kernel has not, kDenied, kKernel. A value that is read comes without its line end.
  virtual Result<std::string> read_setting(std::string_view name) = 0;
  virtual Result<void> write_setting(std::string_view name, std::string_view value) = 0;

  virtual Result<Capabilities> probe() = 0;

  // A long dump may be read there from now on, while what came before is taken here. Null: no longer. It changes no
  // answer, so a port need not.
  virtual void read_ahead(Background*) {}
};

template <class... Object>
Result<void> write_now(Writer& writer, const Object&... what) {
  if (writer.noted() != 0 || !writer.put(what..., Cookie{0}))
    return fail(ErrorKind::kBusy, "other changes wait to be submitted");
  const Report report = writer.submit();
  if (!report.refused.empty()) return fail_errno(report.refused.front().error, "the kernel refused the change");
  if (report.answers_lost) return fail(ErrorKind::kInternal, "the kernel's answer was lost");
  return {};
}

}  // namespace turnpike::kernel
