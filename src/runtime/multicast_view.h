// MulticastView: how the multicast group manager finds the way to a source: in the multicast view of the process's
// routing table, or where it is told so in the unicast view; as a client of that table like any other (protocol
// PROTO_IP_MGM).
//
// A route leads to a next hop; one that is not on a network of ours (remote) is looked up in its turn, a few times at
// most. The first destination that is found is what an RPF callback is shown: an RTM_DEST_INFO, referenced until the
// callback has returned. When a best route or its next hops change, the manager is told which prefix.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>

#include "mgm/route_port.h"
#include "rtm/image.h"
#include "rtm/table.h"

namespace turnpike::runtime {

class World;

class MulticastView final : public mgm::Routes {
 public:
  using Changed = std::function<void(const net::Prefix&)>;

  MulticastView(World& world, net::Family family, Changed changed)
      : world_(world), family_(family), changed_(std::move(changed)) {}

  // Which view; while it is closed.
  enum class Kind : std::uint8_t { kMulticast, kUnicast };
  void look_into(Kind kind) { mask_ = kind == Kind::kUnicast ? kUnicastMask : kMulticastMask; }

  // Registers with the table, or leaves it. Without a table there are no routes, and the log says so.
  void open();
  void close();

  void look_up(const net::Address& source, const Found& found) override;

  // Calls `ask`, in which a client may write over the destination that it is shown (`details` of look_up; null: none),
  // and takes over what it has made of it: whose route, and to which network.
  template <class Ask>
  void show(void* details, mgm::Route& route, Ask&& ask) {
    const auto* shown = static_cast<const rtm::DestImage*>(details);
    const rtm::DestImage before = shown != nullptr ? *shown : rtm::DestImage();
    ask();
    if (shown != nullptr && (shown->view[0].owner != before.view[0].owner || shown->view_count != before.view_count ||
                             std::memcmp(&shown->address, &before.address, sizeof before.address) != 0)) {
      read_back(*shown, route);
    }
  }

 private:
  void read_back(const rtm::DestImage& shown, mgm::Route& route);
  rtm::NetAddress key_of(const net::Address& address) const;
  net::Address address_of(const rtm::NetAddress& address) const;
  void note_changes(rtm::Handle self, rtm::Handle registration);

  static constexpr rtm::ViewSet kUnicastMask = 1;    // RTM_VIEW_MASK_UCAST
  static constexpr rtm::ViewSet kMulticastMask = 2;  // RTM_VIEW_MASK_MCAST

  World& world_;
  const net::Family family_;
  const Changed changed_;
  rtm::ViewSet mask_ = kMulticastMask;
  std::atomic<rtm::Table*> table_{nullptr};
  std::atomic<rtm::Handle> self_{rtm::Handle::kNone};
};

}  // namespace turnpike::runtime
