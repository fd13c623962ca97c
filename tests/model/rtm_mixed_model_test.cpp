// RTMv1 and RTMv2 clients at random on one table, compared after every step with a table as a child would build it: a
// list of routes, and a loop for everything.
//
// What both versions agree on is compared exactly: the answer of each call, every client's messages in order, all the
// routes, the best of each network, RTMv2's view of it, and the networks that RTMv2 watchers (of the best, and of
// what is forwarded by) were told of. A step that
// removes several routes (a departure, an ageing, a block of deletions) may do so in any order; there the messages must
// lead from the state before to the state after.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "conformance/rtmv1/entity.h"
#include "conformance/rtmv1/route_client.h"

namespace turnpike::model {
namespace {

using conformance::Answer;
using conformance::Client;
using conformance::Entity;
using conformance::kIp;
using conformance::Via;

const char* const kNetworks[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "10.1.1.0/24"};
const char* const kHops[] = {"0.0.0.0", "192.0.2.1", "192.0.2.2"};

// All of a route but its time stamp.
std::string whole(const RTM_IP_ROUTE& route) {
  const IP_SPECIFIC_DATA& data = route.RR_FamilySpecificData;
  std::string text = conformance::text_of(route);
  for (const DWORD each : {data.FSD_Type, data.FSD_Policy, data.FSD_Priority, data.FSD_Metric1, data.FSD_Metric2,
                           data.FSD_Flags, route.RR_ProtocolSpecificData.PSD_Data[0]}) {
    text += " " + std::to_string(each);
  }
  return text;
}
std::string whole(const Answer& answer) {
  std::string text = std::to_string(answer.code) + ":" + std::to_string(answer.flags);
  text += (answer.flags & RTM_CURRENT_BEST_ROUTE) != 0 ? " now " + whole(answer.current) : "";
  return text + ((answer.flags & RTM_PREVIOUS_BEST_ROUTE) != 0 ? " before " + whole(answer.previous) : "");
}

// --- the reference

struct Held {
  int owner = 0;
  RTM_IP_ROUTE route{};   // as RTMv1 shows it
  unsigned flags = 0;     // RTMv2's
  unsigned sequence = 0;  // of its insertion
  std::int64_t expires = -1;
};

using Network = std::string;  // its text
Network network_of(const RTM_IP_ROUTE& route) {
  const std::string text = conformance::text_of(route);
  return text.substr(0, text.find(' '));
}

bool is_same(const RTM_IP_ROUTE& a, const RTM_IP_ROUTE& b) {
  return a.RR_RoutingProtocol == b.RR_RoutingProtocol && a.RR_InterfaceID == b.RR_InterfaceID &&
         a.RR_NextHopAddress.N_NetNumber == b.RR_NextHopAddress.N_NetNumber &&
         std::memcmp(&a.RR_FamilySpecificData, &b.RR_FamilySpecificData, sizeof a.RR_FamilySpecificData) == 0;
}

using Best = std::optional<Held>;
// What RTMv1 says of a change from one best route to another.
Answer change(const Best& before, const Best& after) {
  Answer said;
  said.flags = (after ? RTM_CURRENT_BEST_ROUTE : 0) | (before ? RTM_PREVIOUS_BEST_ROUTE : 0);
  if (before && after && is_same(before->route, after->route)) {
    said.flags = RTM_NO_CHANGE;
  }
  said.current = after ? after->route : said.current;
  said.previous = before ? before->route : said.previous;
  return said;
}
// Whether RTMv2 counts it as a change of the best route; where only the flags differ, by these of them.
bool counts(const Best& before, const Best& after, unsigned flags) {
  if (!before || !after) {
    return before.has_value() != after.has_value();
  }
  const auto& a = before->route.RR_FamilySpecificData;
  const auto& b = after->route.RR_FamilySpecificData;
  return before->sequence != after->sequence || ((before->flags ^ after->flags) & flags) != 0 ||
         a.FSD_Priority != b.FSD_Priority || a.FSD_Metric != b.FSD_Metric ||
         before->route.RR_InterfaceID != after->route.RR_InterfaceID ||
         before->route.RR_NextHopAddress.N_NetNumber != after->route.RR_NextHopAddress.N_NetNumber;
}

class Reference {
 public:
  std::vector<Held> routes;

  Best best(const Network& network) const {
    const auto known = best_.find(network);
    return known != best_.end() ? find(known->second) : std::nullopt;
  }
  std::map<Network, Best> all_best() const {
    std::map<Network, Best> all;
    for (const char* each : kNetworks) {
      all[each] = best(each);
    }
    return all;
  }
  // Adds it, or puts it in the place of one.
  void put(Held held, const Held* old) {
    if (old != nullptr) {
      held.sequence = old->sequence;
      std::erase_if(routes, [&](const Held& each) { return each.sequence == held.sequence; });
    } else {
      held.sequence = ++last_;
    }
    routes.push_back(held);
    settle();
  }
  template <class Which>
  std::size_t remove(Which&& which) {
    const std::size_t count = std::erase_if(routes, which);
    settle();
    return count;
  }

 private:
  Best find(unsigned sequence) const {
    const auto found =
        std::find_if(routes.begin(), routes.end(), [&](const Held& h) { return h.sequence == sequence; });
    return found != routes.end() ? Best(*found) : std::nullopt;
  }
  static std::pair<DWORD, DWORD> rank(const Held& held) {
    return {held.route.RR_FamilySpecificData.FSD_Priority, held.route.RR_FamilySpecificData.FSD_Metric};
  }
  // The best stays among its equals, else the first that came.
  void settle() {
    for (const char* network : kNetworks) {
      Best chosen = best(network);
      for (const Held& each : routes) {
        if (network_of(each.route) != network) {
          continue;
        }
        const bool is_incumbent = chosen && best_[network] == chosen->sequence;
        if (!chosen || rank(each) < rank(*chosen) ||
            (rank(each) == rank(*chosen) && !is_incumbent && each.sequence < chosen->sequence)) {
          chosen = each;
        }
      }
      best_[network] = chosen ? chosen->sequence : 0;
    }
  }
  std::map<Network, unsigned> best_;
  unsigned last_ = 0;
};

// --- both, step by step

class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed) {
    EXPECT_EQ(RtmRegisterForChangeNotification(*watcher_, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, nullptr, &notify_),
              DWORD{NO_ERROR});
    EXPECT_EQ(RtmRegisterForChangeNotification(*watcher_, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_FORWARDING, nullptr,
                                               &forwarding_),
              DWORD{NO_ERROR});
    for (int i = 0; i < kV1; ++i) {
      arrive(i);
    }
    for (int i = 0; i < kV2; ++i) {
      entities_[i] = std::make_unique<Entity>(kV2Protocols[i]);
    }
  }

  void step() {
    const unsigned what = below(100);
    const auto before = reference_.all_best();
    if (what < 40) {
      add();
    } else if (what < 53) {
      remove();
    } else if (what < 66) {
      put_by_entity();
    } else if (what < 73) {
      remove_by_entity();
    } else if (what < 83) {
      read_message(below(kV1));
    } else {
      several(what);
    }
    compare(before);
  }

 private:
  static constexpr int kV1 = 3;
  static constexpr int kV2 = 2;
  static constexpr DWORD kV1Protocols[kV1] = {PROTO_IP_RIP, PROTO_IP_OSPF, 4711};
  static constexpr DWORD kV1Priorities[kV1] = {120, 110, 100};
  static constexpr DWORD kV2Protocols[kV2] = {4712, PROTO_IP_RIP};  // of equal priority with RTMv1's
  static constexpr DWORD kV2Priorities[kV2] = {100, 120};

  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool is_single(int client) const { return client == 1; }

  void arrive(int i) {
    clients_[i] = std::make_unique<Client>(kV1Protocols[i], is_single(i) ? RTM_PROTOCOL_SINGLE_ROUTE : 0);
    queues_[i].clear();
  }

  RTM_IP_ROUTE some_route() {
    RTM_IP_ROUTE route = conformance::route(kNetworks[below(5)], Via{.hop = kHops[below(3)],
                                                                     .interface = 1 + below(2),
                                                                     .metric = 1 + below(3),
                                                                     .flags = below(4) != 0 ? 1U : 0U});
    route.RR_FamilySpecificData.FSD_Type = 1 + below(4);
    route.RR_FamilySpecificData.FSD_Policy = below(2);
    route.RR_ProtocolSpecificData.PSD_Data[0] = below(3);
    return route;
  }
  // The client's route that is meant.
  const Held* meant(int owner, const RTM_IP_ROUTE& route) const {
    for (const Held& each : reference_.routes) {
      if (each.owner == owner && network_of(each.route) == network_of(route) &&
          (is_single(owner) || (each.route.RR_InterfaceID == route.RR_InterfaceID &&
                                each.route.RR_NextHopAddress.N_NetNumber == route.RR_NextHopAddress.N_NetNumber))) {
        return &each;
      }
    }
    return nullptr;
  }
  // Queues what the others are told, and returns what the cause is told.
  Answer tell(int cause, const Network& network, const Best& before) {
    const Answer said = change(before, reference_.best(network));
    for (int i = 0; said.flags != RTM_NO_CHANGE && i < kV1; ++i) {
      if (i != cause) {
        queues_[i].push_back(said);
      }
    }
    return said;
  }

  void add() {
    const auto i = static_cast<int>(below(kV1));
    Held held{.owner = i, .route = some_route()};
    IP_SPECIFIC_DATA& data = held.route.RR_FamilySpecificData;
    const DWORD seconds = below(3) == 0 ? 1 + below(30) : INFINITE;
    const Answer answer = clients_[i]->add(held.route, seconds);
    held.route.RR_RoutingProtocol = kV1Protocols[i];
    data.FSD_Priority = kV1Priorities[i];
    held.flags =
        ((data.FSD_Flags & 1) == 0 ? RTM_ROUTE_FLAGS_INACTIVE : 0) | (data.FSD_Type == 3   ? RTM_ROUTE_FLAGS_LOCAL
                                                                      : data.FSD_Type == 4 ? RTM_ROUTE_FLAGS_REMOTE
                                                                                           : 0);
    held.expires = seconds == INFINITE ? -1 : now_ + seconds;
    const Best before = reference_.best(network_of(held.route));
    const Held* old = meant(i, held.route);
    const Held copy = old != nullptr ? *old : Held();
    reference_.put(held, old != nullptr ? &copy : nullptr);
    EXPECT_EQ(whole(answer), whole(tell(i, network_of(held.route), before)));
  }

  void remove() {
    const auto i = static_cast<int>(below(kV1));
    RTM_IP_ROUTE named = some_route();
    if (below(3) != 0 && !reference_.routes.empty()) {
      named = reference_.routes[below(static_cast<unsigned>(reference_.routes.size()))].route;
    }
    const Answer answer = clients_[i]->remove(named);
    const Held* old = meant(i, named);
    EXPECT_EQ(answer.code, old != nullptr ? DWORD{NO_ERROR} : DWORD{ERROR_NO_SUCH_ROUTE});
    if (old == nullptr) {
      return;
    }
    const unsigned sequence = old->sequence;
    const Best before = reference_.best(network_of(named));
    reference_.remove([&](const Held& each) { return each.sequence == sequence; });
    const Answer said = tell(i, network_of(named), before);
    EXPECT_EQ(answer.flags, said.flags);
    if ((said.flags & RTM_CURRENT_BEST_ROUTE) != 0) {
      EXPECT_EQ(whole(answer.current), whole(said.current));
    }
  }

  void put_by_entity() {
    const auto i = static_cast<int>(below(kV2));
    const char* network = kNetworks[below(5)];
    const Via via{.hop = kHops[below(3)], .interface = 1 + below(2), .metric = 1 + below(3)};
    const unsigned flags = std::vector<unsigned>{0, RTM_ROUTE_FLAGS_INACTIVE, RTM_ROUTE_FLAGS_LOCAL}[below(3)];
    entities_[i]->add(network, via, static_cast<USHORT>(flags));
    Held held{.owner = kV1 + i, .route = conformance::route(network, via), .flags = flags};
    const bool has_hop = held.route.RR_NextHopAddress.N_NetNumber != 0;
    held.route.RR_InterfaceID = has_hop ? via.interface : 0;
    held.route.RR_RoutingProtocol = kV2Protocols[i];
    IP_SPECIFIC_DATA& data = held.route.RR_FamilySpecificData;
    data = {.FSD_Type = !has_hop || flags == RTM_ROUTE_FLAGS_LOCAL ? 3U : 4U,
            .FSD_Policy = 0,
            .FSD_NextHopAS = 0,
            .FSD_Priority = kV2Priorities[i],
            .FSD_Metric = via.metric,
            .FSD_Metric1 = via.metric,
            .FSD_Metric2 = ~0U,
            .FSD_Metric3 = ~0U,
            .FSD_Metric4 = ~0U,
            .FSD_Metric5 = ~0U,
            .FSD_Flags = flags == RTM_ROUTE_FLAGS_INACTIVE ? 0U : 1U};
    const Best before = reference_.best(network);
    const Held* old = of_entity(i, network);
    const Held copy = old != nullptr ? *old : Held();
    reference_.put(held, old != nullptr ? &copy : nullptr);
    tell(-1, network, before);
  }
  // An entity's routes have no neighbour, so it has one a network.
  const Held* of_entity(int i, const Network& network) const {
    for (const Held& each : reference_.routes) {
      if (each.owner == kV1 + i && network_of(each.route) == network) {
        return &each;
      }
    }
    return nullptr;
  }
  void remove_by_entity() {
    const auto i = static_cast<int>(below(kV2));
    const char* network = kNetworks[below(5)];
    if (of_entity(i, network) == nullptr) {
      return;
    }
    entities_[i]->remove(network);
    const Best before = reference_.best(network);
    reference_.remove([&](const Held& each) { return each.owner == kV1 + i && network_of(each.route) == network; });
    tell(-1, network, before);
  }

  void read_message(unsigned i) {
    Answer expected;
    if (queues_[i].empty()) {
      expected.code = ERROR_NO_MESSAGES;
      EXPECT_EQ(clients_[i]->next().code, expected.code);
      return;
    }
    expected = queues_[i].front();
    queues_[i].pop_front();
    expected.code = queues_[i].empty() ? DWORD{NO_ERROR} : DWORD{ERROR_MORE_MESSAGES};
    EXPECT_TRUE(clients_[i]->is_told());
    EXPECT_EQ(whole(clients_[i]->next()), whole(expected));
    EXPECT_EQ(clients_[i]->is_told(), !queues_[i].empty());
  }

  // --- steps that remove several

  void several(unsigned what) {
    for (unsigned i = 0; i < kV1; ++i) {
      while (!queues_[i].empty()) {
        read_message(i);
      }
    }
    const auto before = reference_.all_best();
    int departed = -1;
    if (what < 90) {
      const unsigned seconds = 1 + below(10);
      conformance::pass(seconds);
      now_ += seconds;
      reference_.remove([&](const Held& each) { return each.expires >= 0 && each.expires <= now_; });
    } else if (what < 94) {
      block(static_cast<int>(below(kV1)));
    } else if (what < 97) {
      departed = static_cast<int>(below(kV1));
      clients_[departed].reset();
      reference_.remove([&](const Held& each) { return each.owner == departed; });
    } else {
      const auto i = static_cast<int>(below(kV2));
      entities_[i].reset();
      reference_.remove([&](const Held& each) { return each.owner == kV1 + i; });
      entities_[i] = std::make_unique<Entity>(kV2Protocols[i]);
    }
    for (int i = 0; i < kV1; ++i) {
      if (i != departed) {
        follow(*clients_[i], before);
      }
    }
    if (departed >= 0) {
      arrive(departed);
    }
  }

  void block(int i) {
    const DWORD flags = below(16);
    RTM_IP_ROUTE criteria = some_route();
    criteria.RR_RoutingProtocol = kV1Protocols[below(2) == 0 ? below(kV1) : static_cast<unsigned>(i)];
    const DWORD code = RtmBlockDeleteRoutes(*clients_[i], flags, &criteria);
    const std::size_t count = reference_.remove([&](const Held& each) {
      return each.owner == i &&
             ((flags & RTM_ONLY_THIS_NETWORK) == 0 || network_of(each.route) == network_of(criteria)) &&
             ((flags & RTM_ONLY_THIS_INTERFACE) == 0 || each.route.RR_InterfaceID == criteria.RR_InterfaceID) &&
             ((flags & RTM_ONLY_THIS_PROTOCOL) == 0 || each.route.RR_RoutingProtocol == criteria.RR_RoutingProtocol);
    });
    EXPECT_EQ(code, count != 0 ? DWORD{NO_ERROR} : DWORD{ERROR_NO_ROUTES});
  }

  // The client's messages lead from what was best to what is.
  void follow(const Client& client, std::map<Network, Best> before) {
    std::map<Network, std::string> state;
    std::map<Network, std::string> after;
    for (const auto& [network, best] : before) {
      const Best now = reference_.best(network);
      const bool same = best && now && is_same(best->route, now->route);
      state[network] = best ? whole(best->route) : "";
      after[network] = same ? state[network] : now ? whole(now->route) : "";
    }
    for (Answer answer = client.next(); answer.code != ERROR_NO_MESSAGES; answer = client.next()) {
      const bool had = (answer.flags & RTM_PREVIOUS_BEST_ROUTE) != 0;
      const bool has = (answer.flags & RTM_CURRENT_BEST_ROUTE) != 0;
      std::string& known = state[network_of(has ? answer.current : answer.previous)];
      EXPECT_EQ(had ? whole(answer.previous) : "", known);
      known = has ? whole(answer.current) : "";
      if (answer.code != ERROR_MORE_MESSAGES) {
        break;
      }
    }
    EXPECT_EQ(state, after);
    EXPECT_FALSE(client.is_told());
  }

  // --- what there is

  void compare(const std::map<Network, Best>& before) {
    std::vector<std::string> expected;
    std::set<Network> networks;
    for (const Held& each : reference_.routes) {
      expected.push_back(conformance::text_of(each.route));
      networks.insert(network_of(each.route));
    }
    std::sort(expected.begin(), expected.end());
    std::vector<std::string> found = conformance::enumerated();
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected);
    EXPECT_EQ(RtmGetNetworkCount(kIp), networks.size());
    std::set<Network> changed;
    std::set<Network> forwarded_otherwise;
    for (const char* network : kNetworks) {
      const Best best = reference_.best(network);
      compare_best(network, best);
      if (counts(before.at(network), best, ~0U)) {
        changed.insert(network);
      }
      // What RTMv1 calls directly reachable has no gateway; RTMv2's LOCAL is no forwarding flag.
      const bool is_v1 = best && best->owner < kV1;
      if (counts(before.at(network), best, RTM_ROUTE_FLAGS_INACTIVE | (is_v1 ? RTM_ROUTE_FLAGS_LOCAL : 0U))) {
        forwarded_otherwise.insert(network);
      }
    }
    EXPECT_EQ(told_by_rtmv2(notify_), changed);
    EXPECT_EQ(told_by_rtmv2(forwarding_), forwarded_otherwise);
  }

  void compare_best(const char* network, const Best& best) {
    IP_NETWORK asked = conformance::network(network);
    RTM_IP_ROUTE shown{};
    EXPECT_EQ(RtmIsRoute(kIp, &asked, &shown) != FALSE, best.has_value());
    RTM_NET_ADDRESS address = Entity::net(network);
    RTM_ROUTE_INFO info{};
    const DWORD code =
        RtmGetExactMatchRoute(*watcher_, &address, RTM_MATCH_NONE, &info, 0, RTM_VIEW_MASK_UCAST, nullptr);
    ASSERT_EQ(code, best ? DWORD{NO_ERROR} : DWORD{ERROR_NOT_FOUND}) << network;
    if (best) {
      EXPECT_EQ(whole(shown), whole(best->route));
      EXPECT_EQ(info.PrefInfo.Metric, best->route.RR_FamilySpecificData.FSD_Metric);
      EXPECT_EQ(info.PrefInfo.Preference, best->route.RR_FamilySpecificData.FSD_Priority);
      EXPECT_EQ(info.Flags, best->flags);
      EXPECT_EQ(RtmReleaseRouteInfo(*watcher_, &info), DWORD{NO_ERROR});
    }
  }

  std::set<Network> told_by_rtmv2(RTM_NOTIFY_HANDLE notify) {
    std::set<Network> told;
    RTM_DEST_INFO infos[8];
    UINT count = 8;
    while (RtmGetChangedDests(*watcher_, notify, &count, infos) == NO_ERROR) {
      for (UINT i = 0; i < count; ++i) {
        DWORD number = 0;
        std::memcpy(&number, infos[i].DestAddress.AddrBits, sizeof number);
        RTM_IP_ROUTE shown{};
        shown.RR_Network = {number, 0};
        told.insert(network_text(shown, infos[i].DestAddress.NumBits));
      }
      EXPECT_EQ(RtmReleaseChangedDests(*watcher_, notify, count, infos), DWORD{NO_ERROR});
      count = 8;
    }
    return told;
  }
  static Network network_text(const RTM_IP_ROUTE& shown, unsigned bits) {
    const Network number = network_of(shown);
    return number.substr(0, number.find('/') + 1) + std::to_string(bits);
  }

  std::mt19937 random_;
  std::int64_t now_ = 0;
  const std::unique_ptr<Entity> watcher_ = std::make_unique<Entity>(9999);
  RTM_NOTIFY_HANDLE notify_ = nullptr;
  RTM_NOTIFY_HANDLE forwarding_ = nullptr;
  std::unique_ptr<Client> clients_[kV1];
  std::unique_ptr<Entity> entities_[kV2];
  std::deque<Answer> queues_[kV1];
  Reference reference_;
};

class Mixed : public conformance::RtmV1Test, public ::testing::WithParamInterface<unsigned> {};

TEST_P(Mixed, OneTableForBothVersions) {
  Walk walk(GetParam());
  for (unsigned step = 0; step < 500 && !HasFailure(); ++step) {
    SCOPED_TRACE("seed " + std::to_string(GetParam()) + ", step " + std::to_string(step));
    walk.step();
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, Mixed, ::testing::Range(1U, 7U));

}  // namespace
}  // namespace turnpike::model
