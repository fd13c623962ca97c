// MGM-015 … MGM-041: interfaces.
#include <thread>

#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

class MgmOwnership : public MgmTest {
 protected:
  static DWORD owner(DWORD index, DWORD next_hop = 0) {
    DWORD protocol = 0;
    DWORD component = 0;
    const DWORD answer = MgmGetProtocolOnInterface(index, next_hop, &protocol, &component);
    return answer == NO_ERROR ? protocol : answer + 1'000'000;
  }
};

constexpr DWORD kNobody = ERROR_NOT_FOUND + 1'000'000;
constexpr DWORD kExists = ERROR_ALREADY_EXISTS;
constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;
constexpr DWORD kCannot = ERROR_CAN_NOT_COMPLETE;
const Key kG = any_source("239.1.1.1");
const Key kFlow = key("10.0.0.1", "239.1.1.1");

// clauses: MGM-015 MGM-039
TEST_F(MgmOwnership, IsTakenByOne) {
  EXPECT_EQ(owner(1), kNobody);
  const Protocol p("p", 100, 3);
  EXPECT_EQ(p.take(1), NO_ERROR);
  DWORD protocol = 0;
  DWORD component = 0;
  EXPECT_EQ(MgmGetProtocolOnInterface(1, 0, &protocol, &component), NO_ERROR);
  EXPECT_EQ(protocol, 100U);
  EXPECT_EQ(component, 3U);
}

// clauses: MGM-016 MGM-023
TEST_F(MgmOwnership, IsNotTakenTwice) {
  Protocol p("p");
  const Protocol q("q");
  p.holds({1});
  EXPECT_EQ(q.take(1), kExists);
  EXPECT_EQ(p.take(1), kExists);
  EXPECT_EQ(owner(1), p.id());
  Protocol igmp("igmp", kIgmp);
  igmp.holds({1});
  EXPECT_EQ(igmp.take(1), kExists);
  const Protocol other("other igmp", 0x4137000A);
  EXPECT_EQ(other.take(1), kExists);
}

// clauses: MGM-017 MGM-022
TEST_F(MgmOwnership, LetsIgmpIn) {
  Protocol p("p");
  p.holds({1});
  const Protocol igmp("igmp", kIgmp);
  EXPECT_EQ(igmp.take(1), NO_ERROR);
  EXPECT_EQ(owner(1), p.id());
  EXPECT_EQ(told(), Lines{});
}

// clauses: MGM-018 MGM-019 MGM-020 MGM-021
TEST_F(MgmOwnership, SwitchesIgmpWhenTaken) {
  Protocol igmp("igmp", kIgmp);
  igmp.holds({1, 2});
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  EXPECT_EQ(igmp.add(any_source("239.1.1.2"), 2), NO_ERROR);
  const Protocol p("p");
  EXPECT_EQ(p.take(1), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"igmp: disable 1", "igmp: enable 1"}));
  EXPECT_EQ(igmp.groups(), Lines{"(*,239.1.1.2)"});
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  EXPECT_EQ(igmp.groups(), (Lines{"(*,239.1.1.1)", "(*,239.1.1.2)"}));
}

// clauses: MGM-024 MGM-032
TEST_F(MgmOwnership, WantsAHandle) {
  for (const HANDLE bad : {HANDLE{}, kGarbage, kInvalid}) {
    EXPECT_EQ(MgmTakeInterfaceOwnership(bad, 1, 0), kWrong);
    EXPECT_EQ(MgmReleaseInterfaceOwnership(bad, 1, 0), kWrong);
  }
}

// clauses: MGM-025
TEST_F(MgmOwnership, TellsLinksOfOneDeviceApart) {
  const Protocol p("p");
  const Protocol q("q");
  const DWORD first = ip("10.0.0.1");
  const DWORD second = ip("10.0.0.2");
  EXPECT_EQ(p.take(5, first), NO_ERROR);
  EXPECT_EQ(q.take(5, second), NO_ERROR);
  EXPECT_EQ(owner(5, first), p.id());
  EXPECT_EQ(owner(5, second), q.id());
  EXPECT_EQ(owner(5), kNobody);
  EXPECT_EQ(TpMgmForwarderDevices(), 1U);
}

// clauses: MGM-026
TEST_F(MgmOwnership, NeedsADevice) {
  const Protocol p("p");
  EXPECT_EQ(p.take(999), kCannot);
  EXPECT_EQ(owner(999), kNobody);
}

// One virtual interface a device, made with the first holder, removed with the last: as far as a forwarder in memory
// shows it.
TEST_F(MgmOwnership, MakesOneVirtualInterface) {
  const Protocol p("p");
  const Protocol igmp("igmp", kIgmp);
  EXPECT_EQ(TpMgmForwarderHasDevice(1), 0);
  EXPECT_EQ(p.take(1), NO_ERROR);
  EXPECT_EQ(igmp.take(1), NO_ERROR);
  EXPECT_EQ(TpMgmForwarderDevices(), 1U);
  EXPECT_EQ(p.release(1), NO_ERROR);
  EXPECT_EQ(TpMgmForwarderHasDevice(1), 1);
  EXPECT_EQ(igmp.release(1), NO_ERROR);
  EXPECT_EQ(TpMgmForwarderHasDevice(1), 0);
}

// clauses: MGM-028
TEST_F(MgmOwnership, HasRoomForThirtyTwoDevices) {
  const Protocol p("p");
  for (DWORD index = 1; index <= 32; ++index) ASSERT_EQ(p.take(index), NO_ERROR);
  EXPECT_EQ(p.take(33), kCannot);
  EXPECT_EQ(owner(33), kNobody);
  EXPECT_EQ(p.add(kG, 32), NO_ERROR);
  EXPECT_EQ(p.release(7), NO_ERROR);
  EXPECT_EQ(p.take(33), NO_ERROR);
}

// clauses: MGM-029
TEST_F(MgmOwnership, EndsWithRelease) {
  const Protocol p("p");
  EXPECT_EQ(p.take(1), NO_ERROR);
  EXPECT_EQ(p.release(1), NO_ERROR);
  EXPECT_EQ(owner(1), kNobody);
}

// clauses: MGM-030 MGM-031
TEST_F(MgmOwnership, IsNotReleasedByOthers) {
  Protocol p("p");
  const Protocol q("q");
  p.holds({1});
  EXPECT_EQ(q.release(1), kWrong);
  EXPECT_EQ(q.release(2), kWrong);
  EXPECT_EQ(owner(1), p.id());
}

// clauses: MGM-033 MGM-035
TEST_F(MgmOwnership, TakesEntriesAndMembershipsAlong) {
  Protocol p("p");
  Protocol q("q");
  const Way way("10.0.0.0", 8, 1);
  p.holds({1});
  q.holds({2, 3});
  EXPECT_EQ(q.add(kG, 2), NO_ERROR);
  EXPECT_EQ(q.add(any_source("239.1.1.2"), 2), NO_ERROR);
  EXPECT_EQ(q.add(kG, 3), NO_ERROR);
  EXPECT_EQ(packet(kFlow, 1), (std::vector<DWORD>{2, 3}));
  told();
  EXPECT_EQ(q.release(2), NO_ERROR);
  EXPECT_EQ(told(), Lines{"p: prune (*,239.1.1.2) 2 TRUE"});  // q still wants 239.1.1.1
  EXPECT_EQ(shown(kFlow), "1 -> 3");
  EXPECT_EQ(forwarded(kFlow), "1 -> 3");
  EXPECT_EQ(p.release(1), NO_ERROR);
  EXPECT_EQ(shown(kFlow), "none");
  EXPECT_EQ(forwarded(kFlow), "none");
  EXPECT_EQ(q.groups(), Lines{"(*,239.1.1.1)"});
}

// clauses: MGM-034
TEST_F(MgmOwnership, SwitchesIgmpWhenReleased) {
  Protocol p("p");
  Protocol q("q");
  Protocol igmp("igmp", kIgmp);
  p.holds({1});
  igmp.holds({1});
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  told();
  EXPECT_EQ(p.release(1), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"igmp: disable 1", "q: prune (*,239.1.1.1) 1 TRUE", "igmp: prune (*,239.1.1.1) 1 TRUE",
                           "igmp: enable 1"}));
  EXPECT_EQ(owner(1), igmp.id());
  EXPECT_EQ(igmp.groups(), Lines{});
}

// clauses: MGM-037
TEST_F(MgmOwnership, LosesIgmpQuietly) {
  Protocol p("p");
  const Protocol igmp("igmp", kIgmp);
  p.holds({1});
  EXPECT_EQ(igmp.take(1), NO_ERROR);
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  EXPECT_EQ(igmp.add(kFlow, 1), NO_ERROR);
  told();
  EXPECT_EQ(igmp.release(1), NO_ERROR);
  EXPECT_EQ(told(), (Lines{"p: local leave (*,239.1.1.1) 1", "p: local leave (10.0.0.1,239.1.1.1) 1"}));
}

// clauses: MGM-038
TEST_F(MgmOwnership, IsReportedOfTheOwner) {
  const Protocol p("p");
  Protocol igmp("igmp", kIgmp);
  igmp.holds({1});
  EXPECT_EQ(owner(1), kIgmp);
  EXPECT_EQ(p.take(1), NO_ERROR);
  EXPECT_EQ(owner(1), p.id());
  EXPECT_EQ(p.release(1), NO_ERROR);
  EXPECT_EQ(owner(1), kIgmp);
}

// clauses: MGM-040 MGM-041
TEST_F(MgmOwnership, RefusesCallsWhileIgmpIsSwitched) {
  const Protocol p("p");
  Protocol igmp("igmp", kIgmp);
  igmp.holds({1, 2});
  std::vector<DWORD> answers;
  igmp->on_switch = [&] {
    for (const DWORD answer : {igmp.add(kG, 1), igmp.remove(kG, 1), igmp.take(3), igmp.release(2)}) {
      answers.push_back(answer);
    }
  };
  EXPECT_EQ(p.take(1), NO_ERROR);
  EXPECT_EQ(answers, std::vector<DWORD>(8, kCannot));
  std::thread([&] { EXPECT_EQ(igmp.add(kG, 1), NO_ERROR); }).join();
  EXPECT_EQ(igmp.groups(), Lines{"(*,239.1.1.1)"});
}

}  // namespace
}  // namespace turnpike::conformance
