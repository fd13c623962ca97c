// Two hosts on a wire, and an adapter at the right end; or one host, which is left and right, with a TAP interface, and
// the adapter at its far end.
#pragma once

#include <gtest/gtest.h>
#include <net/if.h>

#include "adapter_parts.h"

namespace turnpike::kernel {

inline constexpr std::uint16_t kType = 0x88b5;

enum class Wire { kVeth, kTap, kTun };

inline AdapterOptions with(AdapterKind kind, Steal steal = Steal::kNamedTypes) {
  AdapterOptions options;
  options.choose = [kind, steal](const ndis::AdapterFacts&) { return AdapterChoice{kind, steal}; };
  return options;
}

class Scene {
 public:
  explicit Scene(ground::Ground& ground, AdapterOptions options = {}, Wire its_wire = Wire::kVeth)
      : left(ground.host("left")), right(ground.host(its_wire == Wire::kVeth ? "right" : "left")), wire(its_wire) {
    if (wire == Wire::kVeth) {
      ground.wire({left, "eth0", {"10.0.0.1/24"}}, {right, "eth0", {"10.0.0.2/24"}});
    } else {
      left.ip({std::string("tuntap add eth0 mode ") + (wire == Wire::kTap ? "tap" : "tun"),
               "addr add 10.0.0.1/24 dev eth0", "link set eth0 up"});
    }
    right.inside([&] {
      index = net::InterfaceIndex(::if_nametoindex("eth0"));
      source = open_real_adapters(std::move(options)).value();
    });
    EXPECT_TRUE(source->start(events));
    EXPECT_TRUE(events.await_listed());
  }
  ~Scene() {
    adapter.reset();
    source->stop();
  }
  void open() {
    auto opened = source->open(index, frames);
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    adapter = std::move(*opened);
    left.await_running("eth0");  // a TAP has no carrier before, and no queue to send from
  }
  void receive(std::uint32_t filter, std::vector<net::MacAddress> groups = {}, std::vector<std::uint16_t> types = {},
               bool local_sends = false) {
    ndis::Reception wanted;
    wanted.filter = filter;
    wanted.groups = groups;
    wanted.frame_types = types;
    wanted.local_sends = local_sends;
    const auto done = adapter->receive(wanted);
    ASSERT_TRUE(done.has_value()) << done.error().what << done.error().system_code;
  }
  ndis::SendAnswer send(const Octets& frame, ndis::VlanTag tag = {}, std::size_t pad = 0) {
    const std::array pieces{std::as_bytes(std::span(frame)).first(5), std::as_bytes(std::span(frame)).subspan(5)};
    const ndis::OutFrame out{pieces, frame.size(), pad, tag};
    return adapter->send({&out, 1});
  }
  // Injected at the left end; when this returns the right end has done with it, too.
  void pass_by(const Octets& frame) {
    auto at_right = right.capture("eth0");
    left.inject("eth0", frame);
    EXPECT_TRUE(at_right.await([&](const ground::Frame& seen) { return seen.bytes == frame; }));
  }
  ndis::AdapterFacts facts(const std::string& link = "eth0") const { return events.facts(link).value(); }
  Octets mac() const {
    const auto bytes = facts().mac.bytes();
    return {bytes.begin(), bytes.end()};
  }
  // A frame to `to` from a station of no interface.
  static Octets frame(const Octets& to, std::uint16_t ether_type = kType, std::size_t payload = 46) {
    Octets made = to;
    made.insert(made.end(), {2, 0, 0, 0, 0, 0x77, static_cast<std::uint8_t>(ether_type >> 8),
                             static_cast<std::uint8_t>(ether_type)});
    made.insert(made.end(), payload, 0x5a);
    return made;
  }

  ground::Host& left;
  ground::Host& right;
  Wire wire;
  Events events;
  Frames frames;
  net::InterfaceIndex index;
  std::unique_ptr<ndis::AdapterSource> source;
  std::unique_ptr<ndis::Adapter> adapter;
};

inline const Octets kAll(6, 0xff);
inline const Octets kGroupA{1, 0, 0, 0, 0, 0xa};
inline const Octets kGroupB{1, 0, 0, 0, 0, 0xb};
inline const Octets kOther{2, 9, 9, 9, 9, 9};

inline net::MacAddress mac_of(const Octets& bytes) { return net::MacAddress::from_bytes(bytes).value(); }

}  // namespace turnpike::kernel
