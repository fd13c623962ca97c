// A routing table, a kernel in memory, and the forwarder between them, on one thread: a test tells each what to do and
// runs the forwarder until it rests.
#ifndef TURNPIKE_TESTS_FORWARDER_SCENE_H
#define TURNPIKE_TESTS_FORWARDER_SCENE_H

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "forwarder/forwarder.h"
#include "kernel/scripted/scripted_port.h"
#include "net/text.h"
#include "rtm/manual_port.h"

namespace turnpike::forwarder {

using namespace net::literals;
using kernel::Change;
using rtm::Handle;

class Scene : public testing::Test {
 protected:
  Scene() {
    left = add_link("left", "10.0.1.1"_address);
    right = add_link("right", "10.0.2.1"_address);
  }
  ~Scene() override { forwarder.reset(); }

  kernel::InterfaceIndex add_link(const char* name, const net::Address& address) {
    kernel::InterfaceIndex link;
    port.with_model([&](kernel::KernelModel& model) {
      link = model.add_link(name);
      kernel::InterfaceAddress made;
      made.link = link;
      made.local = address;
      made.prefix_length = 24;
      EXPECT_EQ(model.change(0, Change::kAdd, made).error, 0);
    });
    return link;
  }
  void set_link(kernel::InterfaceIndex link, bool up) {
    port.with_model([&](kernel::KernelModel& model) {
      kernel::LinkChange change;
      change.index = link;
      change.up = up;
      EXPECT_EQ(model.change(0, change).error, 0);
    });
  }

  void start(Settings settings = {}, TableSettings table_settings = {}) {
    std::vector<Binding> tables{{routes.table.get(), table_settings}};
    TableSettings settings6;
    settings6.family = net::Family::kIpv6;
    if (routes6 != nullptr) tables.push_back({routes6->table.get(), settings6});
    auto made = Forwarder::start(port, std::move(tables), settings, clock, [this] { ++wakes; }, background.get());
    ASSERT_TRUE(made) << made.error().what;
    forwarder = std::move(*made);
    run();
  }
  // Until it rests. More than so many steps: it never does.
  void run() {
    for (unsigned steps = 0; forwarder->step(); ++steps) {
      ASSERT_LT(steps, 10'000U) << "the forwarder does not come to rest";
    }
  }
  void pass(Duration time) {
    static_cast<void>(clock.advance(time));
    run();
  }

  Handle client() {
    if (self == Handle::kNone) self = routes.client(8);
    return self;
  }
  // 0.0.0.0 for none; link 0: a remote one.
  Handle hop(const char* address, kernel::InterfaceIndex link) {
    rtm::NextHopRequest request;
    request.address = rtm::TestTable::net(address);
    request.interface_index = link.value();
    request.flags = link.is_none() ? rtm::kRemoteNextHop : std::uint16_t{0};
    request.may_be_of_other_family = true;
    const auto added = routes.table->add_next_hop(client(), Handle::kNone, request, true);
    EXPECT_TRUE(added);
    return added ? added->first : Handle::kNone;
  }
  Handle route(const char* prefix, std::vector<Handle> hops, std::uint16_t flags = 0, Handle as = Handle::kNone) {
    rtm::RouteRequest request;
    request.preference = {1, 10};
    request.views = 1;
    request.hops = hops;
    request.flags = flags;
    request.change_flags = rtm::change::kFirst;
    const auto added = routes.table->add_route(as == Handle::kNone ? client() : as, Handle::kNone,
                                               rtm::TestTable::net(prefix), request, true);
    EXPECT_TRUE(added) << prefix;
    return added ? added->route : Handle::kNone;
  }
  void remove(Handle route) { EXPECT_TRUE(routes.table->delete_route(client(), route)); }

  // What the kernel has with our number: "10.9.0.0/16 via 10.0.1.2 dev 1 + via …", or "10.9.0.0/16 blackhole".
  std::vector<std::string> kernel_routes(std::uint8_t protocol = kernel::kOurProtocol) {
    std::map<std::uint32_t, kernel::NextHopCopy> objects;
    EXPECT_TRUE(port.dump_next_hops({}, {{}, [&](const kernel::NextHop& each) { objects.emplace(each.id, each); }}));
    std::vector<std::string> all;
    EXPECT_TRUE(port.dump_routes({.protocol = protocol}, {{}, [&](const kernel::Route& each) {
                                                            all.push_back(
                                                                std::string(net::to_text(each.destination).view()) +
                                                                text_of(each, objects));
                                                          }}));
    return all;
  }
  static std::string text_of(const kernel::Route& route, const std::map<std::uint32_t, kernel::NextHopCopy>& objects) {
    constexpr const char* kTypes[] = {"?", "", "", "", "", "", " blackhole", " unreachable", " prohibit"};
    std::string text = kTypes[static_cast<std::size_t>(route.type) % 9];
    if (route.next_hop_id == 0) return text;
    const kernel::NextHop object = objects.at(route.next_hop_id).view();
    if (object.kind != kernel::NextHopKind::kGroup) return text + text_of(object);
    for (const kernel::GroupMember& member : object.members) {
      text += (text.empty() ? "" : " +") + text_of(objects.at(member.id).view());
      if (member.weight != 1) text += " *" + std::to_string(member.weight);
    }
    return text;
  }
  static std::string text_of(const kernel::NextHop& leaf) {
    return (leaf.gateway ? " via " + std::string(net::to_text(*leaf.gateway).view()) : "") + " dev " +
           std::to_string(leaf.link.value());
  }
  std::size_t kernel_objects() {
    std::size_t count = 0;
    EXPECT_TRUE(
        port.dump_next_hops({.protocol = kernel::kOurProtocol}, {{}, [&](const kernel::NextHop&) { ++count; }}));
    return count;
  }
  // RTM_DEST_FLAG_FWD_ENGIN_ADD.
  bool is_marked(const char* prefix) {
    rtm::DestImage info;
    if (!routes.table->exact_destination(client(), rtm::TestTable::net(prefix), rtm::kBestProtocol, 1, info))
      return false;
    EXPECT_TRUE(routes.table->release_dest_infos(client(), 1, reinterpret_cast<const std::byte*>(&info)));
    return (info.view[0].flags & rtm::dest_flag::kInstalled) != 0;
  }
  Unicast::Explained explain(const char* prefix) {
    rtm::DestImage info;
    if (!routes.table->exact_destination(client(), rtm::TestTable::net(prefix), rtm::kBestProtocol, 1, info)) return {};
    EXPECT_TRUE(routes.table->release_dest_infos(client(), 1, reinterpret_cast<const std::byte*>(&info)));
    return forwarder->explain(info.destination);
  }
  struct Found {
    std::uint32_t protocol = 0;
    std::uint16_t flags = 0;
    std::uint32_t metric = 0;
    std::uint16_t hops = 0;
    friend bool operator==(const Found&, const Found&) = default;
  };
  // The best route to just this prefix.
  std::optional<Found> best(const char* prefix) {
    rtm::DestImage info;
    if (!routes.table->exact_destination(client(), rtm::TestTable::net(prefix), rtm::kBestProtocol, 1, info)) return {};
    std::array<std::byte, 4096> room{};
    auto& image = *reinterpret_cast<rtm::RouteImage*>(room.data());
    Found found;
    if (routes.table->route_info(client(), info.view[0].route, &image, nullptr)) {
      const auto owner = routes.table->entity_info(client(), image.owner);
      found = {owner ? owner->protocol : 0, image.flags, image.preference.metric, image.hop_count};
      EXPECT_TRUE(routes.table->release_route_info(client(), image));
    }
    EXPECT_TRUE(routes.table->release_dest_infos(client(), 1, reinterpret_cast<const std::byte*>(&info)));
    return found;
  }
  std::uint64_t writes() { return port.next_attempt(); }

  using Texts = std::vector<std::string>;
  std::string via(const char* gateway, kernel::InterfaceIndex link) {
    return std::string(" via ") + gateway + " dev " + std::to_string(link.value());
  }

  TestClock clock;
  kernel::ScriptedPort port;
  rtm::TestTable routes;
  std::unique_ptr<rtm::TestTable> routes6;  // a test that wants an IPv6 table too makes it before `start`
  kernel::InterfaceIndex left, right;
  Handle self = Handle::kNone;
  unsigned wakes = 0;
  std::unique_ptr<Background> background;
  std::unique_ptr<Forwarder> forwarder;
};

}  // namespace turnpike::forwarder

#endif
