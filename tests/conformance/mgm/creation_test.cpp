// MGM-082 … MGM-099, MGM-123 … MGM-125, MGM-133: how entries are made, changed and ended.
#include <algorithm>
#include <array>

#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

const Key kG = any_source("239.1.1.1");
const Key kFlow = key("10.0.0.1", "239.1.1.1");

// P is on the way to 10/8, behind 1, through 10.1.1.1, and has 5; Q has 2, R has 3 and 4; IGMP is on 2.
class MgmCreation : public MgmTest {
 protected:
  MgmCreation() {
    p_.holds({1, 5});
    q_.holds({2});
    r_.holds({3, 4});
    igmp_.holds({2});
    told();
  }
  void join(const Protocol& protocol, DWORD index) {
    EXPECT_EQ(protocol.add(kG, index), NO_ERROR);
    told();
  }

  Protocol p_{"p"};
  Protocol q_{"q"};
  Protocol r_{"r"};
  Protocol igmp_{"igmp", kIgmp};
  Way way_{"10.0.0.0", 8, 1, "10.1.1.1"};
};

// clauses: MGM-082 MGM-083 MGM-133
TEST_F(MgmCreation, AsksWhoIsOnTheWay) {
  RTM_DEST_INFO route = {};
  p_->on_rpf = [&](const RpfCall& call) {
    route = *call.route;
    *call.upstream = ip("10.9.9.9");
  };
  packet(kFlow, 2);
  EXPECT_EQ(told().front(), "p: rpf (10.0.0.1,239.1.1.1) 1 by 10.1.1.1");
  EXPECT_EQ(route.DestAddress.NumBits, 8U);
  EXPECT_EQ(route.DestAddress.AddrBits[0], 10);
  EXPECT_EQ(route.NumberOfViews, 1U);
  EXPECT_EQ(route.ViewInfo[0].ViewId, RTM_VIEW_ID_MCAST);
  EXPECT_EQ(route.ViewInfo[0].Owner, way_.entity());
  EXPECT_EQ(mfe(kFlow).head.dwInIfIndex, 1U);
  EXPECT_EQ(mfe(kFlow).head.dwUpStrmNgbr, ip("10.9.9.9"));
  const Way direct("10.7.0.0", 16, 5);
  packet(key("10.7.0.1", "239.1.1.1"), 5);
  EXPECT_EQ(told().front(), "p: rpf (10.7.0.1,239.1.1.1) 5 by *");
}

// clauses: MGM-084
TEST_F(MgmCreation, TakesTheInterfaceThatTheClientChose) {
  join(q_, 2);
  p_->on_rpf = [](const RpfCall& call) { *call.index = 5; };
  packet(kFlow, 1);
  EXPECT_EQ(mfe(kFlow).head.dwInIfIndex, 5U);
  EXPECT_EQ(forwarded(kFlow), "5 -> 2");
  EXPECT_EQ(packet(kFlow, 5), std::vector<DWORD>{2});
}

// clauses: MGM-085
TEST_F(MgmCreation, IgnoresAnInterfaceThatNobodyHolds) {
  p_->on_rpf = [](const RpfCall& call) { *call.index = 50; };
  packet(kFlow, 1);
  EXPECT_EQ(forwarded(kFlow), "1 ->");
}

// clauses: MGM-086 MGM-087 MGM-089 MGM-091
TEST_F(MgmCreation, ShowsEachClientItsInterfaces) {
  join(r_, 3);
  join(igmp_, 2);
  join(r_, 4);
  packet(kFlow, 1);
  EXPECT_EQ(told(), (Lines{"p: rpf (10.0.0.1,239.1.1.1) 1 by 10.1.1.1", "q: creation (10.0.0.1,239.1.1.1) 1 -> 2+igmp",
                           "r: creation (10.0.0.1,239.1.1.1) 1 -> 3 4", "p: join (10.0.0.1,239.1.1.1) FALSE"}));
}

// clauses: MGM-088
TEST_F(MgmCreation, LetsClientsVeto) {
  join(q_, 2);
  join(r_, 3);
  join(r_, 4);
  r_->on_creation = [](MGM_IF_ENTRY* list, DWORD) { list[0].bIsEnabled = FALSE; };
  EXPECT_EQ(packet(kFlow, 1), (std::vector<DWORD>{2, 4}));
  EXPECT_EQ(shown(kFlow), "1 -> 2 4");
  EXPECT_EQ(forwarded(kFlow), "1 -> 2 4");
}

// clauses: MGM-090
TEST_F(MgmCreation, AsksOnce) {
  join(q_, 2);
  p_->on_rpf = [&](const RpfCall&) {
    for (int i = 0; i < 3; ++i) packet(kFlow, 1);
  };
  packet(kFlow, 1);
  packet(kFlow, 1);
  EXPECT_EQ(told(), (Lines{"p: rpf (10.0.0.1,239.1.1.1) 1 by 10.1.1.1", "q: creation (10.0.0.1,239.1.1.1) 1 -> 2+igmp",
                           "p: join (10.0.0.1,239.1.1.1) FALSE"}));
}

// clauses: MGM-092 MGM-093
TEST_F(MgmCreation, TellsThatNobodyWantsIt) {
  packet(kFlow, 1);  // that the time-out is 900 on entry every test checks
  EXPECT_EQ(told(), (Lines{"p: rpf (10.0.0.1,239.1.1.1) 1 by 10.1.1.1", "p: prune (10.0.0.1,239.1.1.1) 1 FALSE"}));
  EXPECT_EQ(mfe(kFlow).head.ulTimeOut, 900U);
  p_->on_prune = [](PDWORD timeout) { *timeout = 60; };
  packet(key("10.0.0.2", "239.1.1.1"), 1);
  EXPECT_EQ(mfe(key("10.0.0.2", "239.1.1.1")).head.ulTimeOut, 60U);
  p_->on_prune = [](PDWORD timeout) { *timeout = 0; };
  packet(key("10.0.0.3", "239.1.1.1"), 1);
  EXPECT_EQ(mfe(key("10.0.0.3", "239.1.1.1")).head.ulTimeOut, 900U);
}

// clauses: MGM-094
TEST_F(MgmCreation, TellsOfTheLastAndTheFirstInterface) {
  join(q_, 2);
  join(r_, 3);
  packet(kFlow, 1);
  told();
  EXPECT_EQ(r_.remove(kG, 3), NO_ERROR);
  EXPECT_EQ(told(), Lines{"q: prune (*,239.1.1.1) 3 TRUE"});
  EXPECT_EQ(q_.remove(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: prune (10.0.0.1,239.1.1.1) 1 FALSE"});
  EXPECT_EQ(q_.add(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: join (10.0.0.1,239.1.1.1) FALSE"});
  EXPECT_EQ(p_.add(kFlow, 5, kForward), NO_ERROR);  // not the first
  EXPECT_EQ(q_.remove(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(p_.remove(kFlow, 5, kForward), NO_ERROR);  // of the client behind the incoming interface itself
  EXPECT_EQ(told(), Lines{});
}

// clauses: MGM-096
TEST_F(MgmCreation, ShowsThePacketsHeader) {
  std::array<BYTE, 28> sent = {0x47, 0x10, 0x05, 0xdc, 0x12, 0x34, 0, 0, 64, 17, 0xab, 0xcd};
  const Key flow = kFlow;
  std::copy_n(reinterpret_cast<const BYTE*>(&flow.source), 4, &sent[12]);
  std::copy_n(reinterpret_cast<const BYTE*>(&flow.group), 4, &sent[16]);
  std::copy_n("\x94\x04\x00\x00\x01\x01\x01\x00", 8, &sent[20]);
  std::vector<BYTE> seen;
  p_->on_rpf = [&](const RpfCall& call) { seen.assign(call.header, call.header + call.header_size); };
  std::vector<BYTE> packet(sent.begin(), sent.end());
  packet.resize(100, 0x55);  // data, which is not shown
  EXPECT_EQ(TpMgmPacket(flow.source, flow.group, 1, packet.data(), 100, nullptr, 0), 0);
  for (const std::size_t zero : {2U, 3U, 8U, 9U, 10U, 11U}) sent[zero] = 0;
  EXPECT_EQ(seen, std::vector<BYTE>(sent.begin(), sent.end()));
}

// clauses: MGM-097
TEST_F(MgmCreation, NeverTellsOfWrongInterfaces) {
  packet(kFlow, 1);
  told();
  packet(kFlow, 2);
  packet(kFlow, 3);
  EXPECT_EQ(told(), Lines{});
}

// clauses: MGM-098
TEST_F(MgmCreation, KeepsTheLinksGroupsOnTheLink) {
  EXPECT_EQ(q_.add(any_source("224.0.0.5"), 2), NO_ERROR);
  EXPECT_EQ(q_.groups(), Lines{"(*,224.0.0.5)"});
  told();
  EXPECT_EQ(packet(key("10.0.0.1", "224.0.0.5"), 1), std::vector<DWORD>{kNoEntry});
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(shown(key("10.0.0.1", "224.0.0.5")), "none");
}

// clauses: MGM-099
TEST_F(MgmCreation, EndsInTime) {
  join(q_, 2);
  packet(kFlow, 1);
  pass(899);
  EXPECT_EQ(shown(kFlow), "1 -> 2");
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{2});  // traffic does not keep it
  pass(1);
  EXPECT_EQ(mfe(kFlow).code, static_cast<DWORD>(ERROR_NOT_FOUND));
  EXPECT_EQ(forwarded(kFlow), "none");
  told();
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{2});
  EXPECT_EQ(told().size(), 3U);
}

// A source that is out of reach: nobody is asked, and nothing is forwarded.
TEST_F(MgmCreation, NeedsAWay) {
  join(q_, 2);
  const Key far = key("192.0.2.1", "239.1.1.1");
  EXPECT_EQ(packet(far, 1), std::vector<DWORD>{});
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(forwarded(far), "1 ->");
}

// The multicast view changes: the entry goes, and the next packet makes another.
TEST_F(MgmCreation, FollowsTheView) {
  join(q_, 2);
  packet(kFlow, 1);
  {
    const Way better("10.0.0.0", 16, 3);
    EXPECT_EQ(shown(kFlow), "none");
    EXPECT_EQ(packet(kFlow, 3), std::vector<DWORD>{2});
  }
  EXPECT_EQ(shown(kFlow), "none");
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{2});
}

// clauses: MGM-123
TEST_F(MgmCreation, ProlongsAnEntryThatIsThere) {
  join(q_, 2);
  packet(kFlow, 1);
  pass(100);
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);  // 900 is left as it is
  EXPECT_EQ(mfe(kFlow).head.ulTimeOut, 900U);
  join(q_, 2);
  p_->on_prune = [](PDWORD timeout) { *timeout = 50; };
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(mfe(kFlow).head.ulTimeOut, 150U);
  EXPECT_EQ(mfe(kFlow).head.ulExpiryTime, 50U);
  pass(50);
  EXPECT_EQ(shown(kFlow), "none");
}

// clauses: MGM-124
TEST_F(MgmCreation, KeepsAVeto) {
  join(r_, 3);
  r_->on_creation = [](MGM_IF_ENTRY* list, DWORD) { list[0].bIsEnabled = FALSE; };
  packet(kFlow, 1);
  EXPECT_EQ(forwarded(kFlow), "1 ->");
  join(q_, 2);
  EXPECT_EQ(r_.add(kFlow, 3), NO_ERROR);
  EXPECT_EQ(q_.add(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 2");
  EXPECT_EQ(r_.add(kFlow, 3, kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 2 3");
  EXPECT_EQ(r_.remove(kFlow, 3, kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 2");
  EXPECT_EQ(r_.remove(kFlow, 3), NO_ERROR);
  EXPECT_EQ(r_.remove(kG, 3), NO_ERROR);
  join(r_, 3);  // gone and come back
  EXPECT_EQ(forwarded(kFlow), "1 -> 2 3");
}

// clauses: MGM-125
TEST_F(MgmCreation, OffersVetoedInterfacesAgain) {
  join(r_, 3);
  r_->on_creation = [](MGM_IF_ENTRY* list, DWORD) { list[0].bIsEnabled = FALSE; };
  packet(kFlow, 1);
  pass(900);
  r_->on_creation = nullptr;  // that it arrives TRUE every test checks
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{3});
}

}  // namespace
}  // namespace turnpike::conformance
