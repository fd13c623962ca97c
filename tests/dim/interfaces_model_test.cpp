// Random calls, and after each of them two things that must hold whatever came before:
//   * the state of each interface is what the facts alone give, worked out anew by `expected_state`;
//   * whoever does no more than follow the events (as a module does) knows what there is.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "dim/interfaces.h"

namespace turnpike::dim {
namespace {

struct Followed {
  bool enabled = false;
  bool media = false;
  std::vector<LinkAddress> addresses;
};

class Model {
 public:
  explicit Model(unsigned seed) : random_(seed) {}

  void step() {
    act();
    follow();
    check();
  }

 private:
  unsigned below(unsigned end) { return std::uniform_int_distribution<unsigned>(0, end - 1)(random_); }
  bool coin() { return below(2) == 0; }
  std::string name() { return (coin() ? "eth" : "dial") + std::to_string(below(3)); }
  InterfaceIndex device() { return InterfaceIndex(1 + below(5)); }

  Link link() {
    Link made;
    made.index = device();
    made.name = made.index == InterfaceIndex(1) ? "lo" : name();
    made.loopback = made.name == "lo";
    made.dial = made.index == InterfaceIndex(5);
    made.up = coin();
    made.carrier = coin();
    return made;
  }
  LinkAddress address() { return {net::Address::ipv4(0xc0000200U + below(4)), 24, {}}; }

  InterfaceId any() {
    if (dim_.all().empty() || below(20) == 0) return InterfaceId{9999999};
    auto at = dim_.all().begin();
    std::advance(at, below(static_cast<unsigned>(dim_.all().size())));
    return at->first;
  }

  void snapshot() {
    std::vector<Link> links;
    std::set<InterfaceIndex> taken;
    for (unsigned i = below(5); i > 0; --i) {
      links.push_back(link());
      if (coin()) links.back().addresses.push_back(address());
      if (!taken.insert(links.back().index).second) links.pop_back();
    }
    dim_.see_all(links);
  }

  void act() {
    switch (below(15)) {
      case 0:
        (void)dim_.create(name(), static_cast<InterfaceType>(below(9)), coin());
        break;
      case 1:
        (void)dim_.remove(any());
        break;
      case 2:
        (void)dim_.set_enabled(any(), coin());
        break;
      case 3:
        (void)dim_.connect(any());
        break;
      case 4:
        (void)dim_.connected(any(), device());
        break;
      case 5:
        (void)dim_.failed(any(), 718);
        break;
      case 6:
        (void)dim_.disconnect(any(), 929);
        break;
      case 7:
        (void)dim_.forgive(any());
        break;
      case 8:
        (void)dim_.set_reason(any(), 1U << below(6), coin());
        break;
      case 9:
        dim_.lose_link(device());
        break;
      case 10:
        dim_.see_address(device(), address());
        break;
      case 11:
        dim_.lose_address(device(), address());
        break;
      case 12:
        snapshot();
        break;
      default:
        dim_.see_link(link());
        break;
    }
  }

  // What an event says must be news.
  void follow(const Event& event) {
    if (event.kind == EventKind::kCreated) {
      ASSERT_TRUE(entries_.insert(event.id).second);
    } else if (event.kind == EventKind::kDeleted) {
      ASSERT_EQ(entries_.erase(event.id), 1U);
    } else if (event.kind == EventKind::kAttached) {
      ASSERT_TRUE(followed_.try_emplace(event.index).second);
    } else if (event.kind == EventKind::kDetached) {
      ASSERT_FALSE(followed_.at(event.index).enabled);
      followed_.erase(event.index);
    } else if (event.kind == EventKind::kEnabled || event.kind == EventKind::kDisabled) {
      ASSERT_NE(std::exchange(followed_.at(event.index).enabled, event.kind == EventKind::kEnabled),
                event.kind == EventKind::kEnabled);
    } else if (event.kind == EventKind::kMediaPresent || event.kind == EventKind::kMediaAbsent) {
      ASSERT_NE(std::exchange(followed_.at(event.index).media, event.kind == EventKind::kMediaPresent),
                event.kind == EventKind::kMediaPresent);
    } else if (event.kind == EventKind::kAddresses) {
      const Interface* interface = dim_.find(event.index);
      if (interface == nullptr) return;  // gone since, which a later event says
      followed_.at(event.index).addresses = interface->link ? interface->link->addresses : std::vector<LinkAddress>();
    }
  }
  void follow() {
    for (const Event& event : dim_.take_events()) follow(event);
  }

  static Reasons expected_reasons(const Interface& interface) {
    if (interface.type == InterfaceType::kLoopback || interface.type == InterfaceType::kInternal) return 0;
    Reasons reasons = interface.enabled ? 0 : kAdminDisabled;
    if (is_dialled(interface.type)) return reasons;
    if (!interface.link) return reasons | kNoDevice;
    if (!interface.link->up) return reasons | kAdminDisabled;
    return interface.link->carrier ? reasons : reasons | kNoMediaSense;
  }

  static void check_state(const Interface& interface) {
    const Reasons expected = expected_reasons(interface);
    EXPECT_EQ(interface.reasons != 0, interface.state == ConnectionState::kUnreachable) << interface.name;
    if (is_dialled(interface.type)) {
      EXPECT_EQ(interface.reasons & kAdminDisabled, expected);
      EXPECT_EQ(interface.link.has_value(), interface.state == ConnectionState::kConnected);
      EXPECT_GT(interface.index.value(), kOwnIndexBase);
    } else {
      EXPECT_EQ(interface.reasons, expected);
      EXPECT_NE(interface.state, ConnectionState::kConnecting);
    }
    if (is_of_device(interface.type)) {
      EXPECT_EQ(interface.index, interface.link ? interface.link->index : InterfaceIndex());
      EXPECT_TRUE(interface.planned || interface.link) << interface.name;
    }
  }

  void check() {
    std::size_t attached = 0;
    std::set<InterfaceIndex> devices;
    EXPECT_EQ(entries_.size(), dim_.all().size());
    for (const auto& [id, interface] : dim_.all()) {
      check_state(interface);
      EXPECT_EQ(dim_.find(id), &interface);
      if (interface.link) {
        EXPECT_TRUE(devices.insert(interface.link->index).second) << "two interfaces have one device";
      }
      if (interface.index.is_none()) continue;
      ++attached;
      ASSERT_TRUE(followed_.contains(interface.index));
      const Followed& followed = followed_.at(interface.index);
      EXPECT_EQ(dim_.find(interface.index), &interface);
      EXPECT_EQ(followed.enabled, interface.is_usable());
      EXPECT_EQ(followed.media, interface.has_media());
      EXPECT_EQ(followed.addresses, interface.link ? interface.link->addresses : std::vector<LinkAddress>());
    }
    EXPECT_EQ(attached, followed_.size());
  }

  std::mt19937 random_;
  Interfaces dim_;
  std::set<InterfaceId> entries_;
  std::map<InterfaceIndex, Followed> followed_;
};

TEST(InterfacesModel, HoldsUnderRandomCalls) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Model model(seed);
    for (int i = 0; i < 500 && !testing::Test::HasFailure(); ++i) model.step();
  }
}

}  // namespace
}  // namespace turnpike::dim
