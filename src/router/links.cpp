#include "router/links.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"

namespace turnpike::router {
namespace {

constexpr std::uint16_t kHardwarePpp = 512;  // as ARP numbers them
constexpr std::size_t kReadAtATime = 256;    // then others have their turn

dim::Link to_dim(const kernel::Link& link) {
  dim::Link result;
  result.index = link.index;
  result.name = link.name;
  result.up = (link.flags & kernel::kLinkUp) != 0;
  result.carrier = (link.flags & kernel::kLinkLowerUp) != 0;
  result.loopback = (link.flags & kernel::kLinkLoopback) != 0;
  result.dial = link.hardware_type == kHardwarePpp;
  result.mtu = link.mtu;
  return result;
}

dim::LinkAddress to_dim(const kernel::InterfaceAddress& address) {
  return {address.local, address.prefix_length, address.peer};
}

// One that is still being asked about, or that another has, is not the interface's.
bool is_in_use(const kernel::InterfaceAddress& address) {
  return (address.flags & (kernel::kAddressTentative | kernel::kAddressDadFailed)) == 0;
}

}  // namespace

Links::Links(kernel::Port& port, dim::Interfaces& interfaces, std::function<void()> changed)
    : port_(port), interfaces_(interfaces), changed_(std::move(changed)) {}

Result<void> Links::start() {
  kernel::MonitorOptions options;
  options.topics.links = true;
  options.topics.addresses = true;
  auto monitor = port_.open_monitor(options);
  if (!monitor) return tl::unexpected(monitor.error());
  monitor_ = std::move(*monitor);
  return read_all();
}

Result<void> Links::read_all() {
  std::vector<dim::Link> links;
  std::vector<kernel::InterfaceAddress> addresses;
  const auto of_links =
      port_.dump_links({[&] { links.clear(); }, [&](const kernel::Link& link) { links.push_back(to_dim(link)); }});
  if (!of_links) return tl::unexpected(of_links.error());
  const auto of_addresses = port_.dump_addresses(
      {[&] { addresses.clear(); }, [&](const kernel::InterfaceAddress& each) { addresses.push_back(each); }});
  if (!of_addresses) return tl::unexpected(of_addresses.error());
  std::ranges::sort(links, {}, &dim::Link::index);
  for (const kernel::InterfaceAddress& each : addresses) {
    const auto link = std::ranges::lower_bound(links, each.link, {}, &dim::Link::index);
    if (link != links.end() && link->index == each.link && is_in_use(each)) link->addresses.push_back(to_dim(each));
  }
  interfaces_.see_all(links);
  changed_();
  return {};
}

bool Links::step() {
  if (!monitor_) return false;
  const Result<std::size_t> read = monitor_->read(*this, kReadAtATime);
  const bool again = std::exchange(lost_, false) || !read;
  if (again) {
    TURNPIKE_LOG(LogLevel::kWarning, "router", "links were missed, reading them all again");
    if (const Result<void> all = read_all(); !all) {
      TURNPIKE_LOG(LogLevel::kError, "router", "links cannot be read", {"error", all.error().what},
                   {"errno", all.error().system_code});
      lost_ = true;
      return false;
    }
  }
  return again || *read != 0;
}

void Links::on_link(const kernel::Notice& notice, const kernel::Link& link) {
  if (notice.gone) {
    interfaces_.lose_link(link.index);
  } else {
    interfaces_.see_link(to_dim(link));
  }
  changed_();
}

void Links::on_address(const kernel::Notice& notice, const kernel::InterfaceAddress& address) {
  if (notice.gone || !is_in_use(address)) {
    interfaces_.lose_address(address.link, to_dim(address));
  } else {
    interfaces_.see_address(address.link, to_dim(address));
  }
  changed_();
}

void Links::on_loss(kernel::Loss) { lost_ = true; }

}  // namespace turnpike::router
