// NDIS-129 … NDIS-138: what a driver of NDIS 6 receives.
#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

std::vector<PNET_BUFFER_LIST> each_of(const Indication& indication) {
  std::vector<PNET_BUFFER_LIST> all;
  for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
    all.push_back(each);
  }
  return all;
}

PNET_BUFFER_LIST linked(const std::vector<PNET_BUFFER_LIST>& lists) {
  for (std::size_t at = 0; at < lists.size(); ++at) {
    NET_BUFFER_LIST_NEXT_NBL(lists[at]) = at + 1 < lists.size() ? lists[at + 1] : nullptr;
  }
  return lists.empty() ? nullptr : lists[0];
}

Bytes bytes_of(PNET_BUFFER_LIST list) { return conformance::bytes_of(NET_BUFFER_LIST_FIRST_NB(list)); }

std::vector<Arriving> numbered(int count, std::uint16_t type = 0x88b5) {
  std::vector<Arriving> frames;
  for (int each = 0; each < count; ++each) {
    frames.push_back({frame(kBroadcast, std::to_string(each), type)});
  }
  return frames;
}

std::uint64_t retained() { return counters().retained; }

// P is to be bound to a.
class NdisReceive6 : public NdisTest {
 protected:
  void start() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  void give_back(const std::vector<PNET_BUFFER_LIST>& lists) {
    NdisReturnNetBufferLists(at().handle, linked(lists), 0);
  }
  Adapter adapter_{"a"};
  Driver6 p_{"P"};
};

// clauses: NDIS-129
TEST_F(NdisReceive6, KeepsItsFramesAsTheyWere) {
  std::vector<PNET_BUFFER_LIST> kept;
  p_.on_lists = [&](Indication& indication) {
    EXPECT_TRUE(NDIS_TEST_RECEIVE_CAN_PEND(indication.flags));
    for (const PNET_BUFFER_LIST each : each_of(indication)) {
      NET_BUFFER_LIST_NEXT_NBL(each) = nullptr;
      if (kept.size() < 200) {
        kept.push_back(each);
      } else {
        NdisReturnNetBufferLists(indication.binding.handle, each, 0);
      }
    }
  };
  start();
  adapter_.inject_together(numbered(200));
  for (int load = 0; load < 3000; ++load) {
    adapter_.inject(frame(kBroadcast, "load " + std::to_string(load), 0x88b6, kStranger));
  }
  ASSERT_EQ(kept.size(), 200U);
  EXPECT_EQ(retained(), 200U);
  for (std::size_t each = 0; each < kept.size(); ++each) {
    ASSERT_EQ(bytes_of(kept[each]), frame(kBroadcast, std::to_string(each)));
  }
  give_back(kept);
  EXPECT_EQ(retained(), 0U);
}

// clauses: NDIS-130
TEST_F(NdisReceive6, GivesBackInAnyGrouping) {
  std::mt19937 dice(130);  // NOLINT: the same each time
  std::vector<PNET_BUFFER_LIST> kept;
  p_.on_lists = [&](Indication& indication) {
    const std::vector<PNET_BUFFER_LIST> all = each_of(indication);
    kept.insert(kept.end(), all.begin(), all.end());
  };
  start();
  for (int round = 0; round < 20; ++round) {
    for (const int count : {1, 7, 64, 3}) {
      adapter_.inject_together(numbered(count));
    }
    std::uint64_t left = kept.size();
    EXPECT_EQ(left, 75U);
    std::shuffle(kept.begin(), kept.end(), dice);
    while (!kept.empty()) {
      const std::size_t size =
          std::uniform_int_distribution<std::size_t>(1, std::min<std::size_t>(kept.size(), 20))(dice);
      const std::vector<PNET_BUFFER_LIST> group(kept.end() - static_cast<std::ptrdiff_t>(size), kept.end());
      kept.resize(kept.size() - size);
      give_back(group);
      left -= size;
      EXPECT_EQ(retained(), left);
    }
  }
  EXPECT_EQ(p_.received().size(), 20U * 75U);
}

// clauses: NDIS-131
TEST_F(NdisReceive6, GivesBackFromInsideTheCallback) {
  std::vector<PNET_BUFFER_LIST> rest;
  p_.on_lists = [&](Indication& indication) {
    EXPECT_TRUE(NDIS_TEST_RECEIVE_CAN_PEND(indication.flags));
    std::vector<PNET_BUFFER_LIST> all = each_of(indication);
    rest.assign(all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
    all.resize(all.size() / 2);
    if (!all.empty()) {
      give_back(all);
    }
    give_back(rest);
  };
  start();
  for (int round = 0; round < 100; ++round) {
    adapter_.inject_together(numbered(1 + round % 64));
    EXPECT_EQ(retained(), 0U);
  }
  give_back({rest[0]});
  EXPECT_EQ(violations(), Lines{"NdisReturnNetBufferLists"});  // once too often
  EXPECT_EQ(retained(), 0U);
}

// clauses: NDIS-132
TEST_F(NdisReceive6, LosesAtOnceWhatComesWithResources) {
  bool wrong = false;
  int lists = 0;
  p_.on_lists = [&](Indication& indication) {
    EXPECT_TRUE(NDIS_TEST_RECEIVE_CANNOT_PEND(indication.flags));
    lists += static_cast<int>(indication.count);
    if (wrong) {
      NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
      EXPECT_EQ(each_of(indication).size(), indication.count);
    }
  };
  start();
  knob(TP_NDIS_KNOB_RESOURCES, 1);
  adapter_.inject_together(numbered(5));
  EXPECT_EQ(lists, 5);
  EXPECT_EQ(retained(), 0U);
  EXPECT_EQ(violations(), Lines{});
  const std::vector<Received> got = p_.received();
  ASSERT_EQ(got.size(), 5U);
  EXPECT_EQ(got[4].bytes, frame(kBroadcast, "4"));
  wrong = true;
  adapter_.inject_together(numbered(2));
  EXPECT_GE(count(violations(), "NdisReturnNetBufferLists"), 1);
  EXPECT_EQ(retained(), 0U);
  wrong = false;
  adapter_.inject_together(numbered(2));
  EXPECT_EQ(lists, 9);
  EXPECT_EQ(violations(), Lines{});
}

// clauses: NDIS-133
TEST_F(NdisReceive6, LeavesAListWithResourcesIntact) {
  enum class Act { kDrop, kDropAndRestore, kNothing } act = Act::kNothing;
  p_.on_lists = [&](Indication& indication) {
    const PNET_BUFFER_LIST next = NET_BUFFER_LIST_NEXT_NBL(indication.lists);
    if (act != Act::kNothing) {
      NET_BUFFER_LIST_NEXT_NBL(indication.lists) = nullptr;
    }
    if (act == Act::kDropAndRestore) {
      NET_BUFFER_LIST_NEXT_NBL(indication.lists) = next;
    }
  };
  start();
  knob(TP_NDIS_KNOB_RESOURCES, 1);
  adapter_.inject_together(numbered(3));
  act = Act::kDropAndRestore;
  adapter_.inject_together(numbered(3));
  EXPECT_EQ(violations(), Lines{});
  act = Act::kDrop;
  adapter_.inject_together(numbered(3));
  EXPECT_EQ(violations(), Lines{"ProtocolReceiveNetBufferLists"});
  act = Act::kNothing;
  adapter_.inject_together(numbered(3));
  EXPECT_EQ(violations(), Lines{});
  EXPECT_EQ(p_.received().size(), 12U);
}

// clauses: NDIS-134
TEST_F(NdisReceive6, CountsWhatItIsGiven) {
  std::size_t counted = 0;  // the driver itself compares each count, port and net buffer (driver6.cpp)
  p_.on_lists = [&](Indication& indication) {
    EXPECT_EQ(indication.port, 0U);
    counted += indication.count;
    for (const PNET_BUFFER_LIST each : each_of(indication)) {
      EXPECT_EQ(NET_BUFFER_NEXT_NB(NET_BUFFER_LIST_FIRST_NB(each)), nullptr);
      EXPECT_EQ(each->SourceHandle, indication.binding.handle);
    }
    NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
  };
  start();
  for (const int size : {1, 2, 63, 64, 65, 200}) {
    counted = 0;
    adapter_.inject_together(numbered(size));
    EXPECT_EQ(counted, static_cast<std::size_t>(size));
    const std::vector<Received> got = p_.received();
    ASSERT_EQ(got.size(), static_cast<std::size_t>(size));
    for (std::size_t each = 0; each < got.size(); ++each) {
      EXPECT_EQ(text_of(got[each].bytes), std::to_string(each));
    }
  }
}

// clauses: NDIS-135
TEST_F(NdisReceive6, IsToldOfOneTypeOrVlanOnlyWhereThereIsOne) {
  struct Told135 {
    bool one_type = true;
    bool one_vlan = true;
    std::set<std::uint16_t> types;
    std::set<std::uint64_t> vlans;
  };
  std::vector<Told135> all;
  p_.on_lists = [&](Indication& indication) {
    Told135 now;
    now.one_type = (indication.flags & NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE) != 0;
    now.one_vlan = (indication.flags & NDIS_RECEIVE_FLAGS_SINGLE_VLAN) != 0;
    for (const PNET_BUFFER_LIST each : each_of(indication)) {
      const Bytes bytes = bytes_of(each);
      now.types.insert(static_cast<std::uint16_t>(bytes[12] << 8 | bytes[13]));
      NDIS_NET_BUFFER_LIST_8021Q_INFO info{};
      info.Value = NET_BUFFER_LIST_INFO(each, Ieee8021QNetBufferListInfo);
      now.vlans.insert(info.TagHeader.VlanId);
    }
    all.push_back(now);
    NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
  };
  start();
  const auto given = [&](const std::vector<Arriving>& frames) {
    all.clear();
    adapter_.inject_together(frames);
    EXPECT_FALSE(all.empty());
    for (const Told135& each : all) {
      EXPECT_EQ(each.one_type, each.types.size() == 1);
      EXPECT_TRUE(!each.one_vlan || each.vlans.size() == 1);
    }
  };
  const auto of = [](std::uint16_t type, std::uint16_t vlan) {
    return Arriving{frame(kBroadcast, "x", type), static_cast<std::uint16_t>(vlan == 0 ? 0 : 0x8100), vlan};
  };
  given({of(0x88b5, 0), of(0x88b5, 0), of(0x88b5, 0)});
  EXPECT_EQ(all[0].types, std::set<std::uint16_t>{0x88b5});
  given({of(0x88b5, 0), of(0x88b6, 0)});
  given({of(0x88b5, 0), of(0x88b6, 0), of(0x88b5, 0)});
  given({of(0x88b5, 7), of(0x88b5, 7)});
  EXPECT_TRUE(all[0].one_vlan);
  EXPECT_EQ(all[0].vlans, std::set<std::uint64_t>{7});
  given({of(0x88b5, 7), of(0x88b5, 8)});
  given({of(0x88b5, 7), of(0x88b5, 0)});
  given({of(0x88b5, 7), of(0x88b6, 7)});
  EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const Told135& each) { return each.one_vlan; }));
  given({of(0x88b5, 7)});
  EXPECT_TRUE(all[0].one_type && all[0].one_vlan);
}

// clauses: NDIS-136
TEST_F(NdisReceive6, StopsNobodyByKeepingEverything_choice) {
  constexpr int kFrames = 3000;
  int refused = 0;
  std::vector<PNET_BUFFER_LIST> kept;
  p_.on_lists = [&](Indication& indication) {
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(indication.flags)) {
      refused += static_cast<int>(indication.count);
      return;
    }
    EXPECT_EQ(refused, 0) << "could keep one again, and had given none back";
    const std::vector<PNET_BUFFER_LIST> all = each_of(indication);
    kept.insert(kept.end(), all.begin(), all.end());
  };
  start();
  Driver6 q("Q");
  int refused_q = 0;
  q.on_lists = [&](Indication& indication) {
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(indication.flags)) {
      ++refused_q;
    } else {
      NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
    }
  };
  q.start();
  for (int each = 0; each < kFrames; ++each) {
    adapter_.inject(frame(kBroadcast, std::to_string(each)));
  }
  const std::vector<Received> got = p_.received();
  ASSERT_EQ(got.size(), static_cast<std::size_t>(kFrames));
  EXPECT_EQ(text_of(got.back().bytes), std::to_string(kFrames - 1));
  EXPECT_EQ(q.received().size(), static_cast<std::size_t>(kFrames));
  EXPECT_EQ(refused_q, 0);
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(kept.empty());
  EXPECT_EQ(retained(), kept.size());
  give_back(kept);
  kept.clear();
  refused = 0;
  adapter_.inject(frame(kBroadcast, "again"));
  EXPECT_EQ(refused, 0);
  give_back(kept);
  told();
}

// clauses: NDIS-137
TEST_F(NdisReceive6, HearsNothingBeforeItIsRestarted) {
  p_.on_bind = [&](Binding& binding) {
    const NDIS_STATUS status = p_.open_and_wait(binding);
    adapter_.inject(frame(kBroadcast, "in the bind"));
    return status;
  };
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (binding != nullptr && event->NetEvent == NetEventRestart) {
      adapter_.inject(frame(kBroadcast, "before the restart"));
    }
    return NDIS_STATUS_SUCCESS;
  };
  start();
  EXPECT_TRUE(p_.received().empty());
  adapter_.inject(frame(kBroadcast, "running"));
  EXPECT_EQ(p_.received().size(), 1U);
}

// clauses: NDIS-137
TEST_F(NdisReceive6, HearsNothingWhileItIsPaused) {
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (binding != nullptr && event->NetEvent == NetEventPause) {
      adapter_.inject(frame(kBroadcast, "pausing"));
    }
    if (binding != nullptr && event->NetEvent == NetEventRestart) {
      adapter_.inject(frame(kBroadcast, "paused"));
    }
    return NDIS_STATUS_SUCCESS;
  };
  start();
  for (int round = 1; round <= 20; ++round) {
    EXPECT_EQ(TpNdisAdapterSetMtu(adapter_.index(), static_cast<std::uint32_t>(1400 + round)), NO_ERROR);
    EXPECT_TRUE(comes("P: restart a", round));
    quiesce();
  }
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: pause a"), 20);
  EXPECT_EQ(count(lines, "P: gets a pausing"), 0);
  EXPECT_EQ(count(lines, "P: gets a paused"), 0);
}

// clauses: NDIS-137
TEST_F(NdisReceive6, HearsNothingWhileItIsPausedUnderTraffic) {
  std::atomic<bool> enough{false};
  std::atomic<bool> paused{false};
  std::atomic<int> heard{0};
  p_.on_frame = [&](Binding&) { heard += paused ? 1 : 0; };
  p_.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (binding != nullptr && event->NetEvent == NetEventRestart) {
      paused = true;  // as it has been since the pause was over
      for (int each = 0; each < 100; ++each) {
        adapter_.inject(frame(kBroadcast, "paused"));
      }
      paused = false;
    }
    return NDIS_STATUS_SUCCESS;
  };
  start();
  std::thread traffic([&] {
    while (!enough) {
      adapter_.inject(frame(kBroadcast, "traffic"));
    }
  });
  for (int round = 1; round <= 20; ++round) {
    EXPECT_EQ(TpNdisAdapterSetMtu(adapter_.index(), static_cast<std::uint32_t>(1400 + round)), NO_ERROR);
    EXPECT_TRUE(comes("P: restart a", round));
    quiesce();
  }
  enough = true;
  traffic.join();
  EXPECT_EQ(heard, 0);
  EXPECT_EQ(count(told(), "P: pause a"), 20);
}

// clauses: NDIS-138
TEST_F(NdisReceive6, KnowsTheTypeOfAFrameWithoutItsTag) {
  std::vector<std::uint64_t> types;
  std::vector<NDIS_NET_BUFFER_LIST_8021Q_INFO> tags;
  p_.on_lists = [&](Indication& indication) {
    for (const PNET_BUFFER_LIST each : each_of(indication)) {
      types.push_back(reinterpret_cast<std::uintptr_t>(NET_BUFFER_LIST_INFO(each, NetBufferListFrameType)));
      NDIS_NET_BUFFER_LIST_8021Q_INFO info{};
      info.Value = NET_BUFFER_LIST_INFO(each, Ieee8021QNetBufferListInfo);
      tags.push_back(info);
    }
    NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
  };
  start();
  const Bytes bytes = frame(kBroadcast, "x", 0x0806);
  adapter_.inject_together({{bytes}, {bytes, 0x8100, 0xa123}, {frame(kBroadcast, "y", 0x86dd)}});
  EXPECT_EQ(types, (std::vector<std::uint64_t>{0x0806, 0x0806, 0x86dd}));
  ASSERT_EQ(tags.size(), 3U);
  EXPECT_EQ(tags[0].Value, nullptr);
  EXPECT_EQ(tags[1].TagHeader.UserPriority, 5U);
  EXPECT_EQ(tags[1].TagHeader.CanonicalFormatId, 0U);
  EXPECT_EQ(tags[1].TagHeader.VlanId, 0x123U);
  const std::vector<Received> got = p_.received();
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[1].bytes, bytes);  // the tag stays out of the bytes
}

}  // namespace
}  // namespace turnpike::conformance
