// MGM-060 … MGM-081: who is told of memberships.
#include <algorithm>
#include <thread>
#include <utility>

#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

const Key kG = any_source("239.1.1.1");
const Key kFlow = key("10.0.0.1", "239.1.1.1");

// P has 1 and 11, Q has 2, R has 3, all of them in this order.
class MgmAlerts : public MgmTest {
 protected:
  MgmAlerts() {
    p_.holds({1, 11});
    q_.holds({2});
    r_.holds({3});
  }

  Protocol p_{"p"};
  Protocol q_{"q"};
  Protocol r_{"r"};
};

// clauses: MGM-060 MGM-061 MGM-062 MGM-063
TEST_F(MgmAlerts, OfJoins) {
  EXPECT_EQ(p_.add(kG, 1), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"q: join (*,239.1.1.1) TRUE", "r: join (*,239.1.1.1) TRUE"}));
  EXPECT_EQ(p_.add(kG, 11), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: join (*,239.1.1.1) TRUE"});
  EXPECT_EQ(r_.add(kG, 3), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
}

// clauses: MGM-064 MGM-065 MGM-066 MGM-067
TEST_F(MgmAlerts, OfPrunes) {
  EXPECT_EQ(p_.add(kG, 1), NO_ERROR);
  EXPECT_EQ(p_.add(kG, 11), NO_ERROR);
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  EXPECT_EQ(r_.add(kG, 3), NO_ERROR);
  told();
  EXPECT_EQ(r_.remove(kG, 3), NO_ERROR);
  EXPECT_EQ(p_.remove(kG, 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(p_.remove(kG, 11), NO_ERROR);
  EXPECT_EQ(told(), Lines{"q: prune (*,239.1.1.1) 11 TRUE"});
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: prune (*,239.1.1.1) 2 TRUE", "r: prune (*,239.1.1.1) 2 TRUE"}));
}

// clauses: MGM-068
TEST_F(MgmAlerts, OfAllGroups) {
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  told();
  EXPECT_EQ(p_.add(anything(), 1), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"q: join (*,*) TRUE", "r: join (*,*) TRUE"}));
  EXPECT_EQ(q_.add(anything(), 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: join (*,*) TRUE"});
  EXPECT_EQ(p_.remove(anything(), 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{"q: prune (*,*) 1 TRUE"});
  EXPECT_EQ(q_.remove(anything(), 2), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: prune (*,*) 2 TRUE", "r: prune (*,*) 2 TRUE"}));
}

// clauses: MGM-069 MGM-070 MGM-071 MGM-072
TEST_F(MgmAlerts, OfSources) {
  EXPECT_EQ(q_.add(kFlow, 2), NO_ERROR);  // no route
  EXPECT_EQ(q_.remove(kFlow, 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  const Way way("10.0.0.0", 8, 1);
  EXPECT_EQ(p_.add(kFlow, 11), NO_ERROR);  // its own
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(q_.add(kFlow, 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: join (10.0.0.1,239.1.1.1) TRUE"});
  EXPECT_EQ(r_.add(kFlow, 3), NO_ERROR);
  EXPECT_EQ(q_.remove(kFlow, 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(r_.remove(kFlow, 3), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: prune (10.0.0.1,239.1.1.1) 3 TRUE"});
  EXPECT_EQ(p_.remove(kFlow, 11), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
}

// Every callback of these tests returns garbage; that nothing comes of it the others show.
// clauses: MGM-073
TEST_F(MgmAlerts, DoNotDependOnAnswers) {
  const Way way("10.0.0.0", 8, 1);
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{2});
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(mfe(kFlow).head.ulTimeOut, 900U);
}

// clauses: MGM-074
TEST_F(MgmAlerts, ComeOnTheCallersThread) {
  const auto here = std::this_thread::get_id();
  int others = 0;
  for (Protocol* protocol : {&q_, &r_}) {
    (*protocol)->on_any = [&] { others += std::this_thread::get_id() == here ? 0 : 1; };
  }
  EXPECT_EQ(p_.add(kG, 1), NO_ERROR);
  EXPECT_EQ(told().size(), 2U);
  EXPECT_EQ(p_.remove(kG, 1), NO_ERROR);
  EXPECT_EQ(told().size(), 2U);
  EXPECT_EQ(others, 0);
}

// clauses: MGM-075
TEST_F(MgmAlerts, MayLeadToCalls) {
  bool again = false;
  q_->on_any = [&] {
    if (std::exchange(again, true)) return;
    EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  };
  EXPECT_EQ(p_.add(kG, 1), NO_ERROR);
  const Lines lines = told();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "p: join (*,239.1.1.1) TRUE"), 1);
  EXPECT_EQ(lines.size(), 3U);
  EXPECT_EQ(p_.remove(kG, 1), NO_ERROR);
  EXPECT_EQ(p_.groups(), Lines{"(*,239.1.1.1)"});
}

// clauses: MGM-076 MGM-077 MGM-080 MGM-081
TEST_F(MgmAlerts, OfIgmpGoToTheOwner) {
  Protocol igmp("igmp", kIgmp);
  igmp.holds({1});
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  EXPECT_EQ(told(),
            (Lines{"p: local join (*,239.1.1.1) 1", "q: join (*,239.1.1.1) TRUE", "r: join (*,239.1.1.1) TRUE"}));
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(igmp.add(kFlow, 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: local join (10.0.0.1,239.1.1.1) 1"});
  EXPECT_EQ(igmp.remove(kFlow, 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: local leave (10.0.0.1,239.1.1.1) 1"});
  EXPECT_EQ(igmp.remove(kG, 1), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: local leave (*,239.1.1.1) 1", "q: prune (*,239.1.1.1) 1 TRUE",
                           "r: prune (*,239.1.1.1) 1 TRUE"}));
}

// clauses: MGM-078 MGM-079
TEST_F(MgmAlerts, OfIgmpAloneAreOrdinary) {
  Protocol igmp("igmp", kIgmp);
  igmp.holds({1, 9});
  EXPECT_EQ(igmp.add(kG, 9), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: join (*,239.1.1.1) TRUE", "q: join (*,239.1.1.1) TRUE", "r: join (*,239.1.1.1) TRUE"}));
  EXPECT_EQ(p_.add(kG, 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{"igmp: join (*,239.1.1.1) TRUE"});
  EXPECT_EQ(igmp.remove(kG, 9), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: prune (*,239.1.1.1) 9 TRUE"});
}

}  // namespace
}  // namespace turnpike::conformance
