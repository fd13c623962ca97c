#include "runtime/multicast_view.h"

#include <sys/socket.h>

#include <algorithm>

#include "base/log.h"
#include "runtime/world.h"

namespace turnpike::runtime {
namespace {

constexpr std::uint32_t kProtocol = 10009;  // PROTO_IP_MGM
constexpr int kDepth = 8;                   // of next hops that are not neighbours

}  // namespace

rtm::NetAddress MulticastView::key_of(const net::Address& address) const {
  rtm::NetAddress key;
  key.family = family_ == net::Family::kIpv6 ? AF_INET6 : AF_INET;
  key.bits = static_cast<std::uint16_t>(address.width());
  std::copy(address.bytes().begin(), address.bytes().end(), key.address);
  return key;
}

net::Address MulticastView::address_of(const rtm::NetAddress& address) const {
  const std::size_t size = family_ == net::Family::kIpv6 ? 16 : 4;
  return net::Address::from_bytes({address.address, size}).value_or(net::Address::netmask(family_, 0));
}

void MulticastView::open() {
  rtm::Registration registration;
  registration.protocol = kProtocol;
  registration.handler = [this](rtm::Handle self, const rtm::Event& event) -> std::uint32_t {
    if (event.type == rtm::EventType::kChangeNotification) {
      note_changes(self, event.subject);
    }
    return 0;
  };
  rtm::Table* table = nullptr;
  const auto self =
      world_.register_entity(0, family_ == net::Family::kIpv6 ? AF_INET6 : AF_INET, std::move(registration), table);
  if (!self) {
    TURNPIKE_LOG(LogLevel::kError, "runtime", "no multicast view: every source is out of reach",
                 {"what", self.error().what});
    return;
  }
  table_ = table;
  self_ = *self;
  const auto watching =
      table->register_for_changes(*self, mask_, rtm::change::kBestRoute | rtm::change::kForwarding, nullptr);
  if (!watching) {
    TURNPIKE_LOG(LogLevel::kError, "runtime", "multicast entries do not follow changes of routes",
                 {"what", watching.error().what});
  }
}

void MulticastView::close() {
  rtm::Table* table = table_.exchange(nullptr);
  if (table != nullptr) {
    static_cast<void>(world_.deregister_entity(*table, self_.exchange(rtm::Handle::kNone)));
  }
}

void MulticastView::look_up(const net::Address& source, const Found& found) {
  rtm::Table* table = table_;
  const rtm::Handle self = self_;
  if (table == nullptr) {
    return;
  }
  rtm::DestImage first;
  rtm::NetAddress towards = key_of(source);
  std::uint32_t protocol = 0;  // of the first destination's route
  for (int depth = 0; depth < kDepth; ++depth) {
    rtm::DestImage next;
    rtm::DestImage& destination = depth == 0 ? first : next;
    if (!table->most_specific_destination(self, towards, rtm::kBestProtocol, mask_, destination)) {
      break;
    }
    const auto hop = table->first_hop(self, destination.destination, mask_);
    if (depth != 0) {
      static_cast<void>(table->release_dest_infos(self, 1, reinterpret_cast<const std::byte*>(&next)));
    }
    if (!hop) {
      break;
    }
    protocol = depth == 0 ? hop->protocol : protocol;
    if ((hop->flags & rtm::kRemoteNextHop) == 0) {
      const bool is_ours = hop->address.family == towards.family;  // else the interface is what we know of it
      const rtm::NetAddress upstream = is_ours ? hop->address : rtm::NetAddress{towards.family, 0, {}};
      const net::Prefix network(address_of(first.address), first.address.bits);
      rtm::DestImage shown = first;  // the client may write over it
      found({net::InterfaceIndex(hop->interface_index), address_of(upstream), protocol, network}, &shown);
      break;
    }
    towards = hop->address;
    towards.bits = static_cast<std::uint16_t>(source.width());
  }
  if (first.destination != rtm::Handle::kNone) {
    static_cast<void>(table->release_dest_infos(self, 1, reinterpret_cast<const std::byte*>(&first)));
  }
}

void MulticastView::read_back(const rtm::DestImage& shown, mgm::Route& route) {
  rtm::Table* table = table_;
  const auto owner = table != nullptr && shown.view_count != 0
                         ? table->entity_info(self_, shown.view[0].owner)
                         : Result<rtm::EntityInfo>(fail(ErrorKind::kNotFound, "no owner"));
  route.protocol = owner ? owner->protocol : route.protocol;
  route.network = net::Prefix(address_of(shown.address), shown.address.bits);
}

// On a notifier's thread. The registration has one view, so the records of changes have one.
void MulticastView::note_changes(rtm::Handle self, rtm::Handle registration) {
  constexpr std::uint32_t kBatch = 32;
  rtm::DestImage changed[kBatch];
  rtm::Table* table = world_.table_of(self);
  while (true) {
    auto* bytes = reinterpret_cast<std::byte*>(changed);
    const auto count = table->changed_dests(self, registration, kBatch, bytes);
    if (!count) {
      return;
    }
    for (std::uint32_t i = 0; i < *count; ++i) {
      changed_(net::Prefix(address_of(changed[i].address), changed[i].address.bits));
    }
    static_cast<void>(table->release_changed_dests(self, registration, *count, bytes));
  }
}

}  // namespace turnpike::runtime
