// The manager against a slow, obvious reference: whatever sequence of calls, packets and time, legal or not, both
// answer alike, tell the same clients the same things in the same order, and have the same entries.
//
// The reference keeps plain sets and computes everything anew from the contract's definitions: who is joined, what
// covers an interface, where an entry leads. It knows nothing of incremental changes, locks or queues.
#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <tuple>

#include "world.h"

namespace turnpike::mgm::testing {
namespace {

constexpr std::uint32_t kInterfaces = 4;
constexpr std::size_t kIgmpSlot = 3;

const std::vector<Flow> kEntryFlows = {flow("10.1.0.1", "239.1.1.1"), flow("10.2.0.1", "239.1.1.1"),
                                       flow("10.1.0.1", "239.1.1.2"), flow("10.2.0.1", "239.1.1.2")};
const std::vector<Flow> kFlows = {flow("*", "*"), flow("*", "239.1.1.1"), flow("*", "239.1.1.2"), kEntryFlows[0],
                                  kEntryFlows[1], kEntryFlows[2],         kEntryFlows[3]};

struct Player {
  std::string name;
  std::uint32_t protocol;
  std::uint32_t seconds;  // what its prune callbacks store
};
const std::array<Player, 4> kPlayers = {{{"a", 100, 0}, {"b", 101, 30}, {"c", 102, 2000}, {"igmp", kIgmp, 0}}};

// What clients do in their callbacks: fixed, so that the reference can do the same.
std::uint32_t chosen_way(const Flow& flow, std::uint32_t shown) {
  return flow == kEntryFlows[1] ? shown % kInterfaces + 1 : shown;
}
bool is_vetoed_at_birth(const Flow& flow, std::uint32_t interface) { return flow == kEntryFlows[2] && interface == 2; }

std::string address_text(std::uint32_t source_network) { return "10." + std::to_string(source_network) + ".0.0/16"; }
std::uint32_t network_of(const Flow& flow) { return flow.source.ipv4_host() >> 16 & 0xff; }

using Client = std::size_t;  // a place in kPlayers
using Outcome = std::optional<ErrorKind>;

class Reference {
 public:
  struct Interface {
    std::optional<Client> owner, igmp;
    bool barred = false;  // for 239.1.1.1
    [[nodiscard]] std::optional<Client> responsible() const { return owner ? owner : igmp; }
    [[nodiscard]] bool is_held_by(Client client) const { return owner == client || igmp == client; }
  };
  struct Entry {
    std::uint32_t in = 0;
    bool negative = false;
    std::uint32_t in_view = 0;
    std::set<std::uint32_t> forced, vetoed, out;
    std::uint32_t created = 0, timeout = 900;
    int number = 0;
  };

  Lines lines;
  std::map<std::uint32_t, Interface> interfaces;
  std::map<Flow, Entry> entries;
  std::map<std::uint32_t, std::uint32_t> routes;  // network, interface
  std::uint32_t now = 0;

  bool is_here(Client client) const { return std::find(here_.begin(), here_.end(), client) != here_.end(); }

  Outcome come(Client client) {
    if (is_here(client)) return ErrorKind::kAlreadyExists;
    here_.push_back(client);
    return {};
  }
  Outcome go(Client client) {
    if (!is_here(client)) return ErrorKind::kInvalidHandle;
    for (const auto& [number, interface] : interfaces) {
      if (interface.is_held_by(client)) return ErrorKind::kBusy;
    }
    std::erase(here_, client);
    return {};
  }

  Outcome take(Client client, std::uint32_t number) {
    if (!is_here(client)) return ErrorKind::kInvalidHandle;
    Interface& interface = interfaces[number];
    const bool is_new = !interface.responsible();
    auto& place = client == kIgmpSlot ? interface.igmp : interface.owner;
    if (place) return ErrorKind::kAlreadyExists;
    if (is_new) {
      std::erase_if(entries, [](const auto& each) { return each.second.negative; });
    } else if (client != kIgmpSlot) {
      tell(*interface.igmp, "disable " + std::to_string(number));
      drop(client, number, kIgmpSlot);
    }
    place = client;
    if (!is_new && client != kIgmpSlot) tell(*interface.igmp, "enable " + std::to_string(number));
    end_lives();
    return {};
  }

  Outcome release(Client client, std::uint32_t number) {
    if (!is_here(client)) return ErrorKind::kInvalidHandle;
    Interface& interface = interfaces[number];
    if (!interface.is_held_by(client)) return ErrorKind::kInvalidArgument;
    const bool igmp_stays = client != kIgmpSlot && interface.igmp;
    if (igmp_stays) tell(*interface.igmp, "disable " + std::to_string(number));
    drop(client, number, client);
    if (igmp_stays) drop(client, number, kIgmpSlot);
    const bool is_last = igmp_stays || !(client == kIgmpSlot ? interface.owner : interface.igmp);
    if (is_last) {  // nothing of the interface is left in any entry
      std::erase_if(entries, [&](const auto& each) { return each.second.in == number; });
      for (auto& [flow, entry] : entries) {
        entry.forced.erase(number);
        entry.vetoed.erase(number);
      }
      settle(client);
    }
    (client == kIgmpSlot ? interface.igmp : interface.owner).reset();
    if (igmp_stays) tell(*interface.igmp, "enable " + std::to_string(number));
    end_lives();
    return {};
  }

  Outcome change(Client client, const Flow& flow, std::uint32_t number, States states, bool adds) {
    if (!is_here(client)) return ErrorKind::kInvalidHandle;
    if (states == 0 || states > 3) return ErrorKind::kInvalidArgument;
    const Interface& interface = interfaces[number];
    if (!interface.responsible()) return adds ? ErrorKind::kInvalidArgument : ErrorKind::kNotFound;
    if (!interface.is_held_by(client)) return ErrorKind::kInvalidArgument;
    if ((states & kJoinState) != 0) {
      adds ? join(client, flow, number) : part(client, flow, number, client);
    }
    if ((states & kForwardState) != 0) {
      for (auto& [key, entry] : entries) {
        if (matches(flow, key) && !entry.negative && entry.in != number) {
          const bool covered = covers(key, number);
          entry.forced.erase(number);
          entry.vetoed.erase(number);
          if (adds) entry.forced.insert(number);
          if (!adds && covered) entry.vetoed.insert(number);
        }
      }
      settle(client);
    }
    end_lives();
    return {};
  }

  void packet(const Flow& flow, std::uint32_t arrival) {
    if (!interfaces[arrival].responsible() || entries.contains(flow)) return;
    Entry entry;
    entry.created = now;
    entry.number = ++last_number_;
    entry.in = arrival;
    const auto way = way_to(flow);
    entry.negative = !way;
    std::optional<Client> in_client;
    if (way) {
      entry.in = entry.in_view = *way;
      in_client = interfaces[*way].responsible();
      tell(*in_client, "rpf " + text(flow) + " " + std::to_string(*way) + " *");
      const std::uint32_t chosen = chosen_way(flow, *way);
      if (interfaces[chosen].responsible()) entry.in = chosen;
      in_client = interfaces[entry.in].responsible();
      offer(flow, entry);
    }
    entry.out = out_of(flow, entry);
    const bool others = std::any_of(entry.out.begin(), entry.out.end(), [&](std::uint32_t number) {
      return interfaces[number].responsible() != in_client;
    });
    entries[flow] = entry;
    if (!entry.negative && entry.out.empty()) {
      tell_by_entry("prune", flow, entry, {});
    } else if (others) {
      tell_by_entry("join", flow, entry, {});
    }
    end_lives();
  }

  void pass(std::uint32_t seconds) {
    now += seconds;
    std::erase_if(entries, [&](const auto& each) { return each.second.created + each.second.timeout <= now; });
  }

  void set_route(std::uint32_t network, std::optional<std::uint32_t> interface) {
    routes.erase(network);
    if (interface) routes[network] = *interface;
    std::erase_if(entries, [&](const auto& each) {
      const auto& [flow, entry] = each;
      if (network_of(flow) != network) return false;
      const auto way = way_to(flow);
      return entry.negative ? way.has_value() : way != entry.in_view;
    });
  }

  void set_barred(std::uint32_t number, bool barred) {
    interfaces[number].barred = barred;
    settle({});
    end_lives();
  }

  Lines groups() const {
    std::set<Flow> flows;
    for (const auto& [flow, number, holder] : memberships_) flows.insert(flow);
    Lines shown;
    for (const Flow& flow : flows) shown.push_back(text(flow));
    return shown;
  }
  std::size_t memberships() const {
    std::set<std::pair<Flow, std::uint32_t>> pairs;
    for (const auto& [flow, number, holder] : memberships_) pairs.insert({flow, number});
    return pairs.size();
  }

 private:
  void tell(Client client, const std::string& line) { lines.push_back(kPlayers[client].name + ": " + line); }

  static bool matches(const Flow& wanted, const Flow& key) {
    return (wanted.any_group() || wanted.group == key.group) && (wanted.any_source() || wanted.source == key.source);
  }
  std::optional<std::uint32_t> way_to(const Flow& flow) const {
    const auto route = routes.find(network_of(flow));
    if (route == routes.end() || !interfaces.contains(route->second)) return {};
    return interfaces.at(route->second).responsible() ? std::optional(route->second) : std::nullopt;
  }
  bool covers(const Flow& key, std::uint32_t number) const {
    return std::any_of(memberships_.begin(), memberships_.end(), [&](const auto& each) {
      return std::get<1>(each) == number && matches(std::get<0>(each), key);
    });
  }
  std::set<Client> joined(const Flow& flow) const {
    std::set<Client> clients;
    for (const auto& [key, number, holder] : memberships_) {
      if (key == flow) clients.insert(*interfaces.at(number).responsible());
    }
    return clients;
  }
  bool may_forward(const Flow& flow, const Entry& entry, std::uint32_t number) const {
    const bool barred = interfaces.at(number).barred && flow.group == kEntryFlows[0].group;
    return !entry.negative && number != entry.in && !barred;
  }
  std::set<std::uint32_t> out_of(const Flow& flow, const Entry& entry) const {
    std::set<std::uint32_t> out;
    for (const auto& [number, interface] : interfaces) {
      const bool wanted = entry.forced.contains(number) || (!entry.vetoed.contains(number) && covers(flow, number));
      if (wanted && may_forward(flow, entry, number)) out.insert(number);
    }
    return out;
  }

  void offer(const Flow& flow, Entry& entry) {
    for (const Client client : here_) {
      std::string line;
      for (const auto& [number, interface] : interfaces) {
        if (interface.responsible() == client && covers(flow, number) && may_forward(flow, entry, number)) {
          line += " " + std::to_string(number) + (interface.igmp ? "i" : "");
          if (is_vetoed_at_birth(flow, number)) entry.vetoed.insert(number);
        }
      }
      if (!line.empty()) tell(client, "created " + text(flow) + " " + std::to_string(entry.in) + " ->" + line);
    }
  }

  // Who is told that the client of an interface has come to be joined, or is so no more.
  void tell_change(const std::string& what, const Flow& flow, std::uint32_t number, const std::set<Client>& others,
                   Client caller) {
    const std::string line =
        what + " " + text(flow) + (what == "prune" ? " " + std::to_string(number) : "") + " member";
    const Client a = *interfaces[number].responsible();
    if (!flow.any_source()) {
      const auto way = way_to(flow);
      const auto w = way ? interfaces[*way].responsible() : std::nullopt;
      const bool has_other = std::any_of(others.begin(), others.end(), [&](Client each) { return each != w; });
      if (w && w != a && w != caller && !has_other) tell(*w, line);
    } else if (others.empty()) {
      for (const Client each : here_) {
        if (each != a && each != caller) tell(each, line);
      }
    } else if (others.size() == 1 && !others.contains(a)) {
      tell(*others.begin(), line);
    }
  }

  void tell_by_entry(const std::string& what, const Flow& flow, const Entry& entry, std::optional<Client> caller) {
    const Client client = *interfaces[entry.in].responsible();
    if (client == caller) return;
    tell(client, what + " " + text(flow) + (what == "prune" ? " " + std::to_string(entry.in) : "") + " entry");
    if (what == "prune" && kPlayers[client].seconds != 0)
      lives_.push_back({flow, entry.number, kPlayers[client].seconds});
  }

  // Every entry leads where its definition says; who is behind it hears of the last and the first interface.
  void settle(std::optional<Client> caller) {
    for (auto& [flow, entry] : entries) {
      const auto before = std::exchange(entry.out, out_of(flow, entry));
      if (before.empty() != entry.out.empty()) {
        tell_by_entry(entry.out.empty() ? "prune" : "join", flow, entry, caller);
      }
    }
  }

  void join(Client client, const Flow& flow, std::uint32_t number) {
    const std::set<Client> before = joined(flow);
    if (memberships_.insert({flow, number, client}).second) {
      const auto owner = interfaces[number].owner;
      if (client == kIgmpSlot && owner) tell(*owner, "local join " + text(flow) + " " + std::to_string(number));
      tell_change("join", flow, number, before, client);
    }
    settle(client);
  }

  void part(Client caller, const Flow& flow, std::uint32_t number, Client holder) {
    if (memberships_.erase({flow, number, holder}) != 0) {
      const auto owner = interfaces[number].owner;
      if (holder == kIgmpSlot && owner && owner != caller) {
        tell(*owner, "local leave " + text(flow) + " " + std::to_string(number));
      }
      tell_change("prune", flow, number, joined(flow), caller);
    }
    for (auto& [key, entry] : entries) {
      if (!matches(flow, key)) continue;
      entry.forced.erase(number);
      if (!covers(key, number)) entry.vetoed.erase(number);
    }
    settle(caller);
  }

  void drop(Client caller, std::uint32_t number, Client holder) {
    for (const auto& [flow, where, who] : std::set(memberships_)) {
      if (where == number && who == holder) part(caller, flow, number, holder);
    }
  }

  void end_lives() {
    for (const auto& [flow, number, seconds] : std::exchange(lives_, {})) {
      const auto at = entries.find(flow);
      if (at != entries.end() && at->second.number == number) at->second.timeout = now - at->second.created + seconds;
    }
  }

  struct Life {
    Flow flow;
    int number;
    std::uint32_t seconds;
  };
  std::vector<Client> here_;  // in the order of registration
  std::set<std::tuple<Flow, std::uint32_t, Client>> memberships_;
  std::vector<Life> lives_;
  int last_number_ = 0;
};

class MgmModel : public MgmWorld, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    random_.seed(static_cast<unsigned>(GetParam()));
    handles_.fill(Handle::kNone);
  }

  std::uint32_t one_of(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }
  static Outcome outcome(const Result<void>& result) { return result ? Outcome() : Outcome(result.error().kind); }

  Outcome come(Client client) {
    const Player& player = kPlayers[client];
    auto scribe = std::make_unique<Scribe>(player.name, book_);
    scribe->seconds = player.seconds;
    scribe->on_rpf = [this](Rpf& rpf) { rpf.incoming = on(chosen_way(asked_, rpf.incoming.device.value())); };
    scribe->on_created = [this](std::span<OutInterface> out) {
      for (OutInterface& each : out) each.enabled = !is_vetoed_at_birth(asked_, each.id.device.value());
    };
    const auto handle = manager_->register_client({{player.protocol, 0}, std::move(scribe), kAllCallbacks});
    handles_[client] = handle ? *handle : handles_[client];
    return handle ? Outcome() : Outcome(handle.error().kind);
  }

  // One step on both sides: what each answered, and what it was, for the report.
  std::string step(Outcome& real, Outcome& expected) {
    const Client client = one_of(4);
    const std::uint32_t interface = 1 + one_of(kInterfaces);
    const Flow flow = kFlows[one_of(static_cast<std::uint32_t>(kFlows.size()))];
    const States states = one_of(12) == 0 ? one_of(6) : one_of(3) == 0 ? 1 + one_of(3) : kJoinState;
    const std::string who = kPlayers[client].name + " " + std::to_string(interface) + " " + text(flow);
    switch (one_of(16)) {
      case 0:
        real = come(client);
        expected = reference_.come(client);
        return "come " + who;
      case 1:
        real = outcome(manager_->deregister_client(handles_[client]));
        expected = reference_.go(client);
        return "go " + who;
      case 2:
      case 3:
        real = outcome(manager_->take(handles_[client], on(interface)));
        expected = reference_.take(client, interface);
        return "take " + who;
      case 4:
        real = outcome(manager_->release(handles_[client], on(interface)));
        expected = reference_.release(client, interface);
        return "release " + who;
      case 5:
      case 6:
      case 7:
      case 8:
        real = outcome(manager_->add(handles_[client], flow, on(interface), states));
        expected = reference_.change(client, flow, interface, states, true);
        return "add " + who + " " + std::to_string(states);
      case 9:
      case 10:
      case 11:
        real = outcome(manager_->remove(handles_[client], flow, on(interface), states));
        expected = reference_.change(client, flow, interface, states, false);
        return "remove " + who + " " + std::to_string(states);
      case 12:
        return change_surroundings(interface);
      default:
        asked_ = kEntryFlows[one_of(4)];
        packet(asked_, interface);
        reference_.packet(asked_, interface);
        return "packet " + text(asked_) + " on " + std::to_string(interface);
    }
  }

  std::string change_surroundings(std::uint32_t interface) {
    const std::uint32_t network = 1 + one_of(2);
    switch (one_of(3)) {
      case 0: {
        const std::uint32_t seconds = 1 + one_of(400);
        pass(std::chrono::seconds(seconds));
        reference_.pass(seconds);
        return "pass " + std::to_string(seconds);
      }
      case 1: {
        const bool barred = one_of(2) == 0;
        manager_->set_scope(
            net::InterfaceIndex(interface),
            {.threshold = 1,
             .boundaries = barred ? std::vector{net::Prefix::host(address("239.1.1.1"))} : std::vector<net::Prefix>{}});
        reference_.set_barred(interface, barred);
        return "scope";
      }
      default: {
        const bool gone = one_of(4) == 0;
        reference_.set_route(network, gone ? std::nullopt : std::optional(interface));
        routes_.clear();
        for (const auto& [known, where] : reference_.routes) routes_.set(address_text(known), where);
        manager_->routes_changed(net::parse_prefix(address_text(network)).value());
        return "route of " + std::to_string(network) + " to " + std::to_string(interface);
      }
    }
  }

  std::string expected_entry(const Flow& flow) const {
    const auto at = reference_.entries.find(flow);
    if (at == reference_.entries.end()) return "none";
    std::string line = std::to_string(at->second.in) + " ->";
    for (const std::uint32_t number : at->second.out) line += " " + std::to_string(number);
    return line;
  }

  void compare() {
    ASSERT_EQ(book_.read(), std::exchange(reference_.lines, {}));
    for (const Flow& flow : kEntryFlows) {
      ASSERT_EQ(shown(flow), expected_entry(flow)) << text(flow);
      ASSERT_EQ(entry(flow), expected_entry(flow)) << text(flow);
      EntryImage image;
      if (manager_->entry(flow, false, image)) {
        ASSERT_EQ(image.timeout, reference_.entries.at(flow).timeout) << text(flow);
      }
    }
    for (Client client = 0; client < 4; ++client) {
      if (reference_.is_here(client)) {
        ASSERT_EQ(groups(handles_[client]), reference_.groups());
        break;
      }
    }
    ASSERT_EQ(manager_->status().memberships, reference_.memberships());
  }

  std::minstd_rand random_;
  std::array<Handle, 4> handles_;
  Reference reference_;
  Flow asked_;
};

TEST_P(MgmModel, ManagerAndReferenceAgree) {
  constexpr int kSteps = 1500;
  for (Client client = 0; client < 4; ++client) {
    ASSERT_EQ(come(client), reference_.come(client));
  }
  for (int i = 0; i < kSteps; ++i) {
    Outcome real;
    Outcome expected;
    const std::string what = step(real, expected);
    SCOPED_TRACE("step " + std::to_string(i) + ": " + what);
    ASSERT_EQ(real, expected);
    compare();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MgmModel, ::testing::Range(1, 13));

}  // namespace
}  // namespace turnpike::mgm::testing
