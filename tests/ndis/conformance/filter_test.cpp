// NDIS-141 … NDIS-151, NDIS-153; NDIS-139 and NDIS-140: who is given which frame.
#include <algorithm>
#include <set>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

constexpr NDIS_STATUS kSuccess = NDIS_STATUS_SUCCESS;

// A list of groups as the OID takes and gives it.
Bytes list_of(const std::vector<Mac>& groups) {
  Bytes bytes;
  for (const Mac& each : groups) {
    bytes.insert(bytes.end(), each.begin(), each.end());
  }
  return bytes;
}

std::set<Bytes> groups_of(const Bytes& list) {
  EXPECT_EQ(list.size() % 6, 0U);
  std::set<Bytes> groups;
  for (std::size_t at = 0; at + 6 <= list.size(); at += 6) {
    groups.emplace(list.begin() + static_cast<std::ptrdiff_t>(at), list.begin() + static_cast<std::ptrdiff_t>(at + 6));
  }
  EXPECT_EQ(groups.size(), list.size() / 6) << "a group is there twice";
  return groups;
}

std::set<Bytes> set_of(const std::vector<Mac>& groups) { return groups_of(list_of(groups)); }

std::vector<Mac> many(int count) {
  std::vector<Mac> groups;
  for (int each = 0; each < count; ++each) {
    groups.push_back({0x01, 0, 0x5e, 0, static_cast<std::uint8_t>(each >> 8), static_cast<std::uint8_t>(each)});
  }
  return groups;
}

// P is to be bound to a, with no filter of its own.
class NdisFilter : public NdisBoth {
 protected:
  NdisFilter() : p_(driver("P")) { p_->filter = 0; }
  void start() {
    p_->start();
    told();
  }
  Binding& at() { return p_->at(adapter_); }
  NDIS_STATUS set_list(Driver& driver, const Bytes& list) {
    return driver.set(driver.at(adapter_), OID_802_3_MULTICAST_LIST, list).status;
  }
  NDIS_STATUS add(const Mac& group) {
    return p_->set(at(), OID_802_3_ADD_MULTICAST_ADDRESS, conformance::bytes_of(group)).status;
  }
  NDIS_STATUS take_out(const Mac& group) {
    return p_->set(at(), OID_802_3_DELETE_MULTICAST_ADDRESS, conformance::bytes_of(group)).status;
  }
  std::set<Bytes> list(Driver& driver) {
    const Answer answer = driver.query(driver.at(adapter_), OID_802_3_MULTICAST_LIST, 6 * 600);
    EXPECT_EQ(answer.status, kSuccess);
    return groups_of(answer.bytes);
  }
  /// Whether the driver is given a frame to that station.
  bool hears(Driver& driver, const Mac& to) {
    driver.received();
    adapter_.inject(frame(to, "x"));
    return driver.received().size() == 1;
  }
  Adapter adapter_{"a"};
  std::unique_ptr<Driver> p_;
};
NDIS_BOTH(NdisFilter);

// clauses: NDIS-141
TEST_P(NdisFilter, DeliversTheClassesItNames) {
  struct Class {
    const char* name;
    Mac to;
    std::uint32_t filters;  // any of which lets it in
  };
  constexpr std::uint32_t kEverything = NDIS_PACKET_TYPE_PROMISCUOUS | NDIS_PACKET_TYPE_ALL_LOCAL;
  const std::vector<Class> classes{
      {"ours", adapter_.mac(), NDIS_PACKET_TYPE_DIRECTED | kEverything},
      {"another station's", kStranger, kEverything},
      {"to all", kBroadcast, NDIS_PACKET_TYPE_BROADCAST | kEverything},
      {"to a group of the list", kGroup, NDIS_PACKET_TYPE_MULTICAST | NDIS_PACKET_TYPE_ALL_MULTICAST | kEverything},
      {"to another group", kOtherGroup, NDIS_PACKET_TYPE_ALL_MULTICAST | kEverything},
  };
  start();
  EXPECT_EQ(set_list(*p_, list_of({kGroup})), kSuccess);
  for (std::uint32_t filter = 0; filter < 0x100; ++filter) {
    constexpr std::uint32_t kOffered = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST |
                                       NDIS_PACKET_TYPE_ALL_MULTICAST | NDIS_PACKET_TYPE_BROADCAST | kEverything;
    if ((filter & ~kOffered) != 0) {
      continue;
    }
    ASSERT_EQ(p_->set_filter(at(), filter), kSuccess);
    EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_PACKET_FILTER), filter);
    for (const Class& each : classes) {
      EXPECT_EQ(hears(*p_, each.to), (filter & each.filters) != 0) << each.name << ", filter " << filter;
    }
  }
}

// clauses: NDIS-142
TEST_P(NdisFilter, OfZeroStopsEverything) {
  start();
  const std::vector<Mac> stations{kBroadcast, adapter_.mac(), kGroup, kStranger};
  std::atomic<bool> enough{false};
  std::thread traffic([&] {
    while (!enough) {
      for (const Mac& to : stations) {
        adapter_.inject(frame(to, "x"));
      }
    }
  });
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(p_->set_filter(at(), NDIS_PACKET_TYPE_PROMISCUOUS), kSuccess);
    EXPECT_TRUE(comes("P: gets a x"));
    EXPECT_EQ(p_->set_filter(at(), 0), kSuccess);
    // What was on its way by then may still be shown; these come later.
    for (const Mac& to : stations) {
      adapter_.inject(frame(to, "late"));
    }
    EXPECT_EQ(count(told(), "P: gets a late"), 0);
  }
  enough = true;
  traffic.join();
}

// clauses: NDIS-143
TEST_P(NdisFilter, IsNobodyElsesMatter) {
  p_->filter = NDIS_PACKET_TYPE_DIRECTED;
  start();
  const auto q = driver("Q");
  q->filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  q->start();
  for (const auto& [to, heard] :
       std::vector<std::pair<Mac, bool>>{{adapter_.mac(), true}, {kStranger, false}, {kBroadcast, false}}) {
    EXPECT_EQ(hears(*p_, to), heard);
    EXPECT_EQ(q->received().size(), 1U);
  }
  EXPECT_EQ(q->set_filter(q->at(adapter_), 0), kSuccess);
  EXPECT_TRUE(hears(*p_, adapter_.mac()));
  EXPECT_TRUE(q->received().empty());
}

// clauses: NDIS-144
TEST_P(NdisFilter, IsAnsweredAsTheUnion) {
  p_->filter = NDIS_PACKET_TYPE_DIRECTED;
  start();
  EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_PACKET_FILTER), 1U);
  {
    const auto q = driver("Q");
    q->filter = NDIS_PACKET_TYPE_BROADCAST;
    q->start();
    for (Driver* each : {p_.get(), q.get()}) {
      EXPECT_EQ(each->number(each->at(adapter_), OID_GEN_CURRENT_PACKET_FILTER), 9U);
    }
    EXPECT_EQ(p_->set_filter(at(), NDIS_PACKET_TYPE_ALL_MULTICAST), kSuccess);
    EXPECT_EQ(q->number(q->at(adapter_), OID_GEN_CURRENT_PACKET_FILTER), 12U);
  }
  EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_PACKET_FILTER), 4U);
}

// clauses: NDIS-145
TEST_P(NdisFilter, OfGroupsWantsTheBitAndTheList) {
  start();
  EXPECT_EQ(set_list(*p_, list_of({kGroup})), kSuccess);
  EXPECT_FALSE(hears(*p_, kGroup));
  EXPECT_EQ(p_->set_filter(at(), NDIS_PACKET_TYPE_MULTICAST), kSuccess);
  EXPECT_TRUE(hears(*p_, kGroup));
  EXPECT_EQ(set_list(*p_, {}), kSuccess);
  EXPECT_FALSE(hears(*p_, kGroup));
  EXPECT_EQ(set_list(*p_, list_of({kOtherGroup, kGroup})), kSuccess);  // the bit is there already
  EXPECT_TRUE(hears(*p_, kGroup));
  EXPECT_TRUE(hears(*p_, kOtherGroup));
  EXPECT_EQ(p_->set_filter(at(), NDIS_PACKET_TYPE_BROADCAST), kSuccess);
  EXPECT_FALSE(hears(*p_, kGroup));
  EXPECT_EQ(p_->set_filter(at(), NDIS_PACKET_TYPE_MULTICAST), kSuccess);
  EXPECT_TRUE(hears(*p_, kGroup));
}

// clauses: NDIS-146 NDIS-148
TEST_P(NdisFilter, OfGroupsGoesByTheBindingsOwnList) {
  p_->filter = NDIS_PACKET_TYPE_MULTICAST;
  start();
  const auto q = driver("Q");
  q->filter = NDIS_PACKET_TYPE_MULTICAST;
  q->start();
  EXPECT_EQ(set_list(*p_, list_of({kGroup})), kSuccess);
  EXPECT_EQ(set_list(*q, list_of({kOtherGroup})), kSuccess);
  EXPECT_TRUE(hears(*p_, kGroup));
  EXPECT_TRUE(q->received().empty());
  EXPECT_FALSE(hears(*p_, kOtherGroup));
  EXPECT_EQ(q->received().size(), 1U);
  const std::set<Bytes> both = set_of({kGroup, kOtherGroup});
  EXPECT_EQ(list(*p_), both);
  EXPECT_EQ(list(*q), both);
  const Answer short_one = p_->query(at(), OID_802_3_MULTICAST_LIST, 11);
  EXPECT_NE(short_one.status, kSuccess);
  EXPECT_EQ(short_one.needed, 12U);
  EXPECT_EQ(set_list(*q, list_of({kGroup})), kSuccess);
  EXPECT_EQ(list(*p_), set_of({kGroup}));
  EXPECT_TRUE(hears(*p_, kGroup));
  EXPECT_EQ(q->received().size(), 1U);
}

// clauses: NDIS-147
TEST_P(NdisFilter, ListOfGroupsIsReplaced) {
  p_->filter = NDIS_PACKET_TYPE_MULTICAST;
  start();
  EXPECT_EQ(set_list(*p_, list_of({kGroup, kOtherGroup, kGroup, kGroup})), kSuccess);
  EXPECT_EQ(list(*p_), set_of({kGroup, kOtherGroup}));
  EXPECT_EQ(set_list(*p_, list_of({kGroup})), kSuccess);
  EXPECT_EQ(list(*p_), set_of({kGroup}));
  EXPECT_FALSE(hears(*p_, kOtherGroup));
  EXPECT_EQ(set_list(*p_, {}), kSuccess);
  EXPECT_EQ(list(*p_), std::set<Bytes>{});
  EXPECT_FALSE(hears(*p_, kGroup));
}

// clauses: NDIS-149
TEST_P(NdisFilter, ListOfGroupsIsRefusedAsAWhole) {
  p_->filter = NDIS_PACKET_TYPE_MULTICAST;
  start();
  const std::uint32_t most = p_->number(at(), OID_802_3_MAXIMUM_LIST_SIZE);
  EXPECT_EQ(most, 256U);
  EXPECT_EQ(set_list(*p_, list_of({kGroup})), kSuccess);
  Mac no_group = kOtherGroup;
  no_group[0] = 0x00;
  EXPECT_EQ(set_list(*p_, list_of({kOtherGroup, no_group})), NDIS_STATUS_MULTICAST_FULL);
  EXPECT_EQ(list(*p_), set_of({kGroup}));
  EXPECT_EQ(set_list(*p_, list_of(many(257))), NDIS_STATUS_MULTICAST_FULL);
  EXPECT_EQ(list(*p_), set_of({kGroup}));
  EXPECT_TRUE(hears(*p_, kGroup));
  EXPECT_FALSE(hears(*p_, kOtherGroup));
  EXPECT_EQ(add(no_group), NDIS_STATUS_MULTICAST_FULL);
  EXPECT_EQ(set_list(*p_, list_of(many(256))), kSuccess);
  EXPECT_EQ(list(*p_), set_of(many(256)));
  EXPECT_EQ(add(kGroup), NDIS_STATUS_MULTICAST_FULL);
  EXPECT_EQ(list(*p_), set_of(many(256)));
  EXPECT_EQ(add(many(1)[0]), kSuccess);  // which is there
  std::vector<Mac> with_doubles = many(256);
  with_doubles.push_back(with_doubles[0]);
  EXPECT_EQ(set_list(*p_, list_of(with_doubles)), kSuccess);
}

// clauses: NDIS-150
TEST_P(NdisFilter, ListOfGroupsHoldsWholeAddresses_choice) {
  start();
  EXPECT_EQ(set_list(*p_, list_of({kGroup})), kSuccess);
  for (const std::size_t length : {1U, 5U, 7U, 11U, 13U}) {
    Bytes bytes = list_of({kOtherGroup, kOtherGroup, kOtherGroup});
    bytes.resize(length);
    const Answer answer = p_->set(at(), OID_802_3_MULTICAST_LIST, bytes);
    EXPECT_EQ(answer.status, NDIS_STATUS_INVALID_LENGTH) << length;
    EXPECT_EQ(answer.needed, length / 6 * 6) << length;
    EXPECT_EQ(list(*p_), set_of({kGroup}));
  }
  EXPECT_EQ(p_->set(at(), OID_802_3_ADD_MULTICAST_ADDRESS, Bytes(7, 0x01)).status, NDIS_STATUS_INVALID_LENGTH);
  EXPECT_EQ(p_->set(at(), OID_802_3_DELETE_MULTICAST_ADDRESS, Bytes(5, 0x01)).status, NDIS_STATUS_INVALID_LENGTH);
  EXPECT_EQ(list(*p_), set_of({kGroup}));
}

// clauses: NDIS-151
TEST_P(NdisFilter, CountsHowOftenAGroupWasAdded_choice) {
  p_->filter = NDIS_PACKET_TYPE_MULTICAST;
  start();
  EXPECT_EQ(add(kGroup), kSuccess);
  EXPECT_EQ(add(kGroup), kSuccess);
  EXPECT_EQ(list(*p_), set_of({kGroup}));
  EXPECT_EQ(take_out(kGroup), kSuccess);
  EXPECT_TRUE(hears(*p_, kGroup));
  EXPECT_EQ(take_out(kGroup), kSuccess);
  EXPECT_FALSE(hears(*p_, kGroup));
  EXPECT_EQ(list(*p_), std::set<Bytes>{});
  EXPECT_EQ(take_out(kGroup), NDIS_STATUS_MULTICAST_NOT_FOUND);
  // A list that is set counts each of its groups once.
  EXPECT_EQ(add(kGroup), kSuccess);
  EXPECT_EQ(add(kGroup), kSuccess);
  EXPECT_EQ(set_list(*p_, list_of({kGroup, kGroup})), kSuccess);
  EXPECT_EQ(take_out(kGroup), kSuccess);
  EXPECT_EQ(take_out(kGroup), NDIS_STATUS_MULTICAST_NOT_FOUND);
}

// clauses: NDIS-153
TEST_P(NdisFilter, WithAnUnknownBitIsRefused_choice) {
  p_->filter = NDIS_PACKET_TYPE_BROADCAST;
  start();
  for (const std::uint32_t wrong :
       {std::uint32_t{NDIS_PACKET_TYPE_SMT}, std::uint32_t{NDIS_PACKET_TYPE_SMT | NDIS_PACKET_TYPE_DIRECTED},
        std::uint32_t{NDIS_PACKET_TYPE_SOURCE_ROUTING}, 0x8000'0000U}) {
    EXPECT_EQ(p_->set_filter(at(), wrong), NDIS_STATUS_NOT_SUPPORTED) << wrong;
    EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_PACKET_FILTER), 8U);
    EXPECT_TRUE(hears(*p_, kBroadcast));
    EXPECT_FALSE(hears(*p_, adapter_.mac()));
  }
  const Answer answer = p_->set(at(), OID_GEN_CURRENT_PACKET_FILTER, Bytes(3));
  EXPECT_EQ(answer.status, NDIS_STATUS_INVALID_LENGTH);
  EXPECT_EQ(answer.needed, 4U);
}

// clauses: NDIS-154
TEST_P(NdisFilter, OfAllLocalShowsWhatThisMachineSends) {
  start();
  const auto q = driver("Q");
  q->filter = 0;
  q->start();
  const auto hear_local = [&](std::uint32_t filter) {
    EXPECT_EQ(p_->set_filter(at(), filter), kSuccess);
    p_->received();
    adapter_.inject_together({{frame(kPeer, "to a peer"), 0, 0, true}, {frame(kBroadcast, "to all"), 0, 0, true}});
    const std::vector<Received> got = p_->received();
    return std::all_of(got.begin(), got.end(), [](const Received& each) { return each.looped; }) ? got.size() : 99;
  };
  EXPECT_EQ(hear_local(NDIS_PACKET_TYPE_ALL_LOCAL), 2U);
  std::uint32_t asked = 0;
  std::uint32_t groups = 0;
  EXPECT_EQ(TpNdisAdapterGetReception(adapter_.index(), &asked, &groups), NO_ERROR);
  EXPECT_EQ(asked, std::uint32_t{NDIS_PACKET_TYPE_ALL_LOCAL});  // and nothing of promiscuous mode
  EXPECT_EQ(hear_local(NDIS_PACKET_TYPE_ALL_LOCAL | NDIS_PACKET_TYPE_NO_LOCAL), 0U);
  EXPECT_EQ(hear_local(0), 0U);
  EXPECT_TRUE(q->received().empty());
}

// clauses: NDIS-139
TEST_P(NdisFilter, NeverShowsAFrameThatIsTooLong) {
  p_->filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  start();
  for (const std::uint32_t mtu : {1500U, 9000U, 1280U}) {
    EXPECT_EQ(TpNdisAdapterSetMtu(adapter_.index(), mtu), NO_ERROR);
    quiesce();
    EXPECT_EQ(p_->set_filter(at(), NDIS_PACKET_TYPE_PROMISCUOUS), kSuccess);  // NDIS 5 was bound anew
    const std::uint32_t longest = p_->number(at(), OID_GEN_MAXIMUM_TOTAL_SIZE);
    EXPECT_EQ(longest, mtu + 14);
    p_->received();
    for (const std::size_t length : {longest - 1U, longest + 0U, longest + 1U, longest + 100U, 65535U}) {
      Bytes bytes = frame(kBroadcast, "x");
      bytes.resize(length, 0x5a);
      adapter_.inject(bytes);
    }
    const std::vector<Received> got = p_->received();
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[1].bytes.size(), longest);
  }
  told();
}

// clauses: NDIS-140
TEST_P(NdisFilter, HoldsWhenFramesComeFromManySides) {
  constexpr int kSides = 4;
  constexpr int kEach = 200;  // all of which a driver may keep
  p_->filter = NDIS_PACKET_TYPE_BROADCAST;
  start();
  p_->keep_all();
  std::vector<std::thread> sides;
  for (int side = 0; side < kSides; ++side) {
    sides.emplace_back([&, side] {
      for (int each = 0; each < kEach; each += 2) {
        const std::string name = std::to_string(side) + "." + std::to_string(each);
        adapter_.inject_together({{frame(kBroadcast, name)}, {frame(kBroadcast, name + "+")}});
        if (six() && each % 16 == side) {
          p_->give_back();  // of NDIS 5 a packet may not be returned before its callback has, wherever that runs
        }
      }
    });
  }
  for (std::thread& side : sides) {
    side.join();
  }
  p_->give_back();
  std::set<std::string> texts;
  const std::vector<Received> got = p_->received();
  for (const Received& each : got) {
    texts.insert(text_of(each.bytes));
    EXPECT_EQ(each.bytes, frame(kBroadcast, text_of(each.bytes)));
  }
  EXPECT_EQ(got.size(), static_cast<std::size_t>(kSides * kEach));
  EXPECT_EQ(texts.size(), got.size());
  EXPECT_EQ(counters().retained, 0U);
}

}  // namespace
}  // namespace turnpike::conformance
