// News of the kernel come late, by any amount, while links flap, others take routes away and clients come and go: what
// is thought of the kernel is wrong most of the time. When all has been heard, the kernel has what is wanted, and
// nothing else. The same each time: what happens is drawn from the round's number.
#include <map>
#include <random>
#include <utility>

#include "scene.h"

namespace turnpike::forwarder {
namespace {

class LateNewsTest : public Scene {
 protected:
  using Random = std::minstd_rand;
  static constexpr std::uint8_t kTheirs = 99;
  static unsigned draw(Random& random, unsigned end) { return static_cast<unsigned>(random() % end); }

  void add(Random& random) {
    const std::string prefix = "10.100." + std::to_string(draw(random, 40)) + ".0/24";
    const auto which = draw(random, 4);
    const std::vector<Handle> hops = which == 0   ? std::vector{over_left}
                                     : which == 1 ? std::vector{over_right}
                                     : which == 2 ? std::vector{over_left, over_right}
                                                  : std::vector{remote};
    if (const auto there = wanted.find(prefix); there != wanted.end()) {
      remove(there->second.route);
      wanted.erase(there);
    }
    const std::string texts[] = {via("10.0.1.2", left), via("10.0.2.2", right),
                                 via("10.0.1.2", left) + " +" + via("10.0.2.2", right), via("10.0.2.9", right)};
    wanted.emplace(prefix, Wanted{route(prefix.c_str(), hops), texts[which]});
  }
  void withdraw(Random& random) {
    if (wanted.empty()) return;
    const auto which = std::next(wanted.begin(), draw(random, static_cast<unsigned>(wanted.size())));
    remove(which->second.route);
    wanted.erase(which);
  }
  void withdraw_all() {
    for (const auto& [prefix, each] : wanted) remove(each.route);
    wanted.clear();
  }
  void flap(Random& random) {
    const auto link = draw(random, 3) != 0 ? left : right;
    set_link(link, false);
    if (draw(random, 4) != 0) set_link(link, true);
  }
  // Somebody else's doing, to a route or a next hop of ours.
  void rob(Random& random) {
    port.with_model([&](kernel::KernelModel& model) {
      std::vector<kernel::RouteCopy> ours;
      for (const kernel::RouteCopy& each : model.routes()) {
        if (each.view().protocol == kernel::kOurProtocol) ours.push_back(each);
      }
      if (ours.empty()) return;
      const kernel::Route route = ours[draw(random, static_cast<unsigned>(ours.size()))].view();
      kernel::NextHop object;
      object.id = route.next_hop_id;
      const auto done =
          draw(random, 3) != 0 ? model.change(77, Change::kRemove, route) : model.change(77, Change::kRemove, object);
      EXPECT_EQ(done.error, 0);
    });
  }
  // Somebody else's route in the place of one of ours, or where one may come.
  void take_place(Random& random) {
    kernel::Route theirs;
    theirs.destination = net::parse_prefix("10.100." + std::to_string(draw(random, 40)) + ".0/24").value();
    theirs.protocol = kTheirs;
    theirs.type = kernel::RouteType::kBlackhole;
    theirs.priority = 20;
    const auto change = draw(random, 2) != 0 ? Change::kReplace : Change::kAdd;
    port.with_model([&](kernel::KernelModel& model) { static_cast<void>(model.change(77, change, theirs)); });
  }
  void give_places_back() {
    port.with_model([&](kernel::KernelModel& model) {
      for (const kernel::RouteCopy& each : std::vector(model.routes())) {
        if (each.view().protocol != kTheirs) continue;
        EXPECT_EQ(model.change(77, Change::kRemove, each.view()).error, 0);
      }
    });
  }
  // What the kernel says is lost.
  void lose(Random& random) { draw(random, 2) != 0 ? port.overrun_monitors() : port.lose_next_answers(); }

  void happen(Random& random) {
    switch (draw(random, 14)) {
      case 12:
        return draw(random, 3) == 0 ? lose(random) : void();
      case 13:
        return draw(random, 3) == 0 ? take_place(random) : give_places_back();
      case 0:
        return port.hold_notifications();
      case 1:
        return port.release_notifications();
      case 2:
        return flap(random);
      case 3:
        return draw(random, 8) == 0 ? withdraw_all() : withdraw(random);
      case 4:
        return withdraw(random);
      case 5:
        return draw(random, 4) == 0 ? rob(random) : void();
      case 6:
        return pass(std::chrono::milliseconds(draw(random, 300)));
      case 7:
        submits_until_flap = 1 + draw(random, 4);
        return;
      case 8:
      case 9:
        return add(random);
      default:
        static_cast<void>(forwarder->step());
    }
  }
  void come_to_rest() {
    submits_until_flap = 0;
    set_link(left, true);
    set_link(right, true);
    give_places_back();
    port.release_notifications();
    run();
    for (int i = 0; i < 5; ++i) pass(std::chrono::seconds(1));
  }

  // With the members of each group in order.
  Texts routes_in_order() {
    Texts all = kernel_routes();
    const std::string a = via("10.0.1.2", left), b = via("10.0.2.2", right);
    for (std::string& each : all) {
      if (each.ends_with(b + " +" + a))
        each.replace(each.size() - a.size() - b.size() - 2, std::string::npos, a + " +" + b);
    }
    std::ranges::sort(all);
    return all;
  }

  struct Wanted {
    Handle route;
    std::string text;
  };
  std::map<std::string, Wanted> wanted;
  unsigned submits_until_flap = 0;  // 0: none
  Handle over_left = Handle::kNone, over_right = Handle::kNone, remote = Handle::kNone;
};

TEST_F(LateNewsTest, EndWithTheWantedTable) {
  start();
  Random in_between(1);
  port.before_submits([&] {
    if (submits_until_flap != 0 && --submits_until_flap == 0) flap(in_between);
  });
  over_left = hop("10.0.1.2", left);
  over_right = hop("10.0.2.2", right);
  remote = hop("10.0.2.9", {});
  for (unsigned round = 1; round <= 400 && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Random random(round);
    in_between.seed(round);
    if (round % 8 == 0) {  // and a new life begins with what the last one left
      forwarder->stop(false);
      start();
    }
    for (unsigned left_over = 20 + draw(random, 60); left_over != 0; --left_over) happen(random);
    come_to_rest();
    pass(std::chrono::minutes(10));  // whoever fought over a route has given up
    Texts texts;
    for (const auto& [prefix, each] : wanted) texts.push_back(prefix + each.text);
    std::ranges::sort(texts);
    EXPECT_EQ(routes_in_order(), texts);
    const auto& states = forwarder->status().ipv4.routes;
    EXPECT_EQ(states[static_cast<std::size_t>(RouteState::kInstalled)], wanted.size());
    EXPECT_LE(kernel_objects(), 5U) << "two leaves, their group, and the remote one's leaf and group";
  }
  port.before_submits(nullptr);
}

}  // namespace
}  // namespace turnpike::forwarder
