// Section 9 of the contract, played.
#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

class MgmSequences : public MgmTest {};

const Key kG = any_source("239.1.1.1");
const Key kFlow = key("10.0.9.9", "239.1.1.1");

// 9.1 and 9.3
TEST_F(MgmSequences, StartAndEndBesideIgmp) {
  Protocol igmp("igmp", kIgmp);
  igmp.holds({7});
  EXPECT_EQ(igmp.add(kG, 7), NO_ERROR);
  Protocol p("p");
  EXPECT_EQ(p.take(7), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"igmp: disable 7", "igmp: enable 7"}));
  EXPECT_EQ(p.take(8), NO_ERROR);
  EXPECT_EQ(p.groups(), Lines{});
  EXPECT_EQ(igmp.add(kG, 7), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: local join (*,239.1.1.1) 7"});
  EXPECT_EQ(p.deregister(), static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
  EXPECT_EQ(p.release(7), NO_ERROR);
  EXPECT_EQ(p.release(8), NO_ERROR);
  EXPECT_EQ(p.deregister(), NO_ERROR);
}

// 9.2
TEST_F(MgmSequences, AHostJoins) {
  Protocol p("p");
  Protocol q("q");
  Protocol r("r");
  Protocol igmp("igmp", kIgmp);
  p.holds({7, 8});
  q.holds({9});
  r.holds({10});
  igmp.holds({7});
  const Way way("10.0.9.0", 24, 9);
  EXPECT_EQ(igmp.add(kG, 7), NO_ERROR);
  EXPECT_EQ(told(),
            (Lines{"p: local join (*,239.1.1.1) 7", "q: join (*,239.1.1.1) TRUE", "r: join (*,239.1.1.1) TRUE"}));
  EXPECT_EQ(q.add(kG, 9), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: join (*,239.1.1.1) TRUE"});
  EXPECT_EQ(r.add(kG, 10), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(packet(kFlow, 9), (std::vector<DWORD>{7, 10}));
  EXPECT_EQ(told(), (Lines{"q: rpf (10.0.9.9,239.1.1.1) 9 by *", "p: creation (10.0.9.9,239.1.1.1) 9 -> 7+igmp",
                           "r: creation (10.0.9.9,239.1.1.1) 9 -> 10", "q: join (10.0.9.9,239.1.1.1) FALSE"}));
  EXPECT_EQ(r.remove(kG, 10), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(shown(kFlow), "9 -> 7");
  EXPECT_EQ(igmp.remove(kG, 7), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: local leave (*,239.1.1.1) 7", "q: prune (*,239.1.1.1) 7 TRUE",
                           "q: prune (10.0.9.9,239.1.1.1) 9 FALSE"}));
  EXPECT_EQ(q.remove(kG, 9), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: prune (*,239.1.1.1) 9 TRUE", "r: prune (*,239.1.1.1) 9 TRUE",
                           "igmp: prune (*,239.1.1.1) 9 TRUE"}));
}

// What the forwarder refuses: the call tells of an interface, the entry is kept and tried again.
TEST_F(MgmSequences, AForwarderThatRefuses) {
  const Protocol p("p");
  TpMgmForwarderFailAfter(0, ENOMEM);
  EXPECT_EQ(p.take(1), static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
  TpMgmForwarderFailAfter(1, ENOMEM);
  EXPECT_EQ(p.take(1), NO_ERROR);
  const Way way("10.0.9.0", 24, 1);
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{kNoEntry});
  EXPECT_EQ(shown(kFlow), "1 ->");
  EXPECT_EQ(forwarded(kFlow), "none");
  TpMgmForwarderFailAfter(-1, 0);
  pass(10);
  EXPECT_EQ(forwarded(kFlow), "1 ->");
}

}  // namespace
}  // namespace turnpike::conformance
