#include "kernel/real_port.h"

#include <sys/utsname.h>

#include "kernel/codec.h"
#include "kernel/dump.h"
#include "kernel/netlink_monitor.h"
#include "kernel/netlink_writer.h"
#include "kernel/settings.h"

namespace turnpike::kernel {
namespace {

constexpr Sequence kOnly = 1;  // each dump has a socket of its own

class RealPort final : public Port {
 public:
  explicit RealPort(NetNamespace where) : where_(std::move(where)) {}

  Result<std::unique_ptr<Writer>> open_writer() override {
    return NetlinkSocket::open(where_, NetlinkWriter::kReceiveBytes).map([](NetlinkSocket&& socket) {
      return std::unique_ptr<Writer>(std::make_unique<NetlinkWriter>(std::move(socket)));
    });
  }
  Result<std::unique_ptr<Monitor>> open_monitor(const MonitorOptions& options) override {
    return NetlinkMonitor::open(where_, options);
  }

  Result<Dumped> dump_links(const Taker<Link>& taker) override {
    return dump_all(Subject::kLink, &Decoder::link, taker);
  }
  Result<Dumped> dump_addresses(const Taker<InterfaceAddress>& taker) override {
    return dump_all(Subject::kAddress, &Decoder::address, taker);
  }
  Result<Dumped> dump_neighbours(const Taker<Neighbour>& taker) override {
    return dump_all(Subject::kNeighbour, &Decoder::neighbour, taker);
  }
  Result<Dumped> dump_rules(const Taker<Rule>& taker) override {
    return dump_all(Subject::kRule, &Decoder::rule, taker);
  }
  Result<Dumped> dump_routes(const RouteFilter& filter, const Taker<Route>& taker) override;
  Result<Dumped> dump_next_hops(const NextHopFilter& filter, const Taker<NextHop>& taker) override;

  Result<std::string> read_setting(std::string_view name) override { return kernel::read_setting(where_, name); }
  Result<void> write_setting(std::string_view name, std::string_view value) override {
    return kernel::write_setting(where_, name, value);
  }
  Result<Capabilities> probe() override;
  void read_ahead(Background* there) override { background_ = there; }

 private:
  // `passes` says whether an object is wanted.
  template <class T, class Passes>
  Result<Dumped> dump(const std::vector<Dump::Encode>& requests, Subject subject,
                      Result<T> (Decoder::*decode)(const Message&), const Taker<T>& taker, const Passes& passes) {
    Decoder decoder;
    return Dump(where_, background_).run(requests, taker.begin, [&](const Message& message) -> Result<void> {
      if (subject_of(message) != subject) return {};
      const auto object = (decoder.*decode)(message);
      if (!object) return tl::unexpected(object.error());
      if (taker.take && passes(*object)) taker.take(*object);
      return {};
    });
  }
  template <class T>
  Result<Dumped> dump_all(Subject subject, Result<T> (Decoder::*decode)(const Message&), const Taker<T>& taker) {
    const auto encode = [subject](MessageBuilder& out) { return encode_dump(out, kOnly, subject); };
    return dump({encode}, subject, decode, taker, [](const T&) { return true; });
  }

  bool may_write();

  NetNamespace where_;
  Background* background_ = nullptr;
};

Result<Dumped> RealPort::dump_routes(const RouteFilter& filter, const Taker<Route>& taker) {
  std::vector<Dump::Encode> requests;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    if (filter.family && *filter.family != family) continue;
    requests.emplace_back([&filter, family](MessageBuilder& out) { return encode_dump(out, kOnly, family, filter); });
  }
  return dump(requests, Subject::kRoute, &Decoder::route, taker,
              [&filter](const Route& route) { return passes(filter, route); });
}

Result<Dumped> RealPort::dump_next_hops(const NextHopFilter& filter, const Taker<NextHop>& taker) {
  const auto encode = [&filter](MessageBuilder& out) { return encode_dump(out, kOnly, filter); };
  return dump({encode}, Subject::kNextHop, &Decoder::next_hop, taker,
              [&filter](const NextHop& next_hop) { return passes(filter, next_hop); });
}

// The kernel asks for the right before it looks at the request, so one that can do no harm tells: to remove a neighbour
// from a link that cannot be.
bool RealPort::may_write() {
  const auto writer = open_writer();
  if (!writer) return false;
  const Neighbour nobody{InterfaceIndex(0x7fffffff), Address{}, 0, 0, std::nullopt};
  const auto removed = write_now(**writer, Change::kRemove, nobody);
  return removed || (removed.error().system_code != EPERM && removed.error().system_code != EACCES);
}

Result<Capabilities> RealPort::probe() {
  const auto socket = NetlinkSocket::open(where_, MonitorOptions{}.receive_buffer);
  if (!socket) return tl::unexpected(socket.error());
  const Granted& granted = socket->granted();
  Capabilities found;
  utsname system{};
  if (::uname(&system) == 0) found.release = system.release;
  found.may_write = may_write();
  found.next_hop_objects = dump_next_hops({}, {}).has_value();
  found.strict_dumps = granted.strict_dumps;
  found.clear_errors = granted.words_in_answers;
  found.compat_mode_setting = read_setting(kCompatMode).has_value();
  found.receive_buffer_forced = granted.buffer_forced;
  found.receive_buffer = granted.receive_buffer;
  return found;
}

}  // namespace

Result<std::unique_ptr<Port>> open_real_port() {
  return NetNamespace::current().map(
      [](NetNamespace&& where) { return std::unique_ptr<Port>(std::make_unique<RealPort>(std::move(where))); });
}

}  // namespace turnpike::kernel
