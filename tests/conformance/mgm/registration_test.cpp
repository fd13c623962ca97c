// MGM-001 … MGM-014: clients come and go.
#include <atomic>
#include <thread>

#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

class MgmRegistration : public MgmTest {};

const Key kG = any_source("239.1.1.1");

// clauses: MGM-001 MGM-003
TEST_F(MgmRegistration, GivesEachPairItsHandle) {
  const Protocol first("first", 100, 0);
  const Protocol second("second", 100, 1);
  const Protocol third("third", 101, 0);
  EXPECT_NE(static_cast<HANDLE>(first), static_cast<HANDLE>(second));
  EXPECT_NE(static_cast<HANDLE>(first), static_cast<HANDLE>(third));
  EXPECT_NE(static_cast<HANDLE>(first), nullptr);
}

// clauses: MGM-002
TEST_F(MgmRegistration, RefusesThePairTwice) {
  Protocol first("first", 100, 7);
  ROUTING_PROTOCOL_CONFIG config = {};
  HANDLE handle = kGarbage;
  EXPECT_EQ(MgmRegisterMProtocol(&config, 100, 7, &handle), static_cast<DWORD>(ERROR_ALREADY_EXISTS));
  EXPECT_EQ(handle, kGarbage);
  first.holds({1});
}

// clauses: MGM-004
TEST_F(MgmRegistration, RefusesNullPointers) {
  ROUTING_PROTOCOL_CONFIG config = {};
  HANDLE handle = kGarbage;
  EXPECT_EQ(MgmRegisterMProtocol(nullptr, 100, 0, &handle), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(MgmRegisterMProtocol(&config, 100, 0, nullptr), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(handle, kGarbage);
}

// clauses: MGM-005
TEST_F(MgmRegistration, CopiesTheConfiguration) {
  Protocol p("p");
  ROUTING_PROTOCOL_CONFIG config = config_at(5);
  HANDLE handle = nullptr;
  ASSERT_EQ(MgmRegisterMProtocol(&config, 100, 0, &handle), NO_ERROR);
  config = {};
  p.holds({1});
  EXPECT_EQ(p.add(kG, 1), NO_ERROR);
  EXPECT_EQ(told(), Lines{": join (*,239.1.1.1) TRUE"});
  EXPECT_EQ(MgmDeRegisterMProtocol(handle), NO_ERROR);
}

// clauses: MGM-006
TEST_F(MgmRegistration, NeedsNoCallbacks) {
  Protocol silent("silent", 0, 0, true);
  Protocol igmp("igmp", kIgmp, 0, true);
  Protocol p("p");
  const Way way("10.0.0.0", 8, 1);
  igmp.holds({1});
  silent.holds({1});
  p.holds({2});
  EXPECT_EQ(igmp.add(kG, 1), NO_ERROR);
  EXPECT_EQ(p.add(kG, 2), NO_ERROR);
  EXPECT_EQ(packet(key("10.0.0.1", "239.1.1.1"), 1), std::vector<DWORD>{2});
  EXPECT_EQ(p.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(igmp.remove(kG, 1), NO_ERROR);
}

// clauses: MGM-007
TEST_F(MgmRegistration, TellsNobodyAnything) {
  Protocol p("p");
  p.holds({1});
  EXPECT_EQ(p.add(kG, 1), NO_ERROR);
  const Protocol late("late");
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(late.groups(), Lines{"(*,239.1.1.1)"});
}

// clauses: MGM-008 MGM-011
TEST_F(MgmRegistration, EndsWithDeregistration) {
  Protocol p("p", 100, 0);
  const HANDLE handle = p;
  EXPECT_EQ(p.deregister(), NO_ERROR);
  const auto kRefused = static_cast<DWORD>(ERROR_INVALID_PARAMETER);
  HANDLE enumeration = nullptr;
  EXPECT_EQ(MgmTakeInterfaceOwnership(handle, 1, 0), kRefused);
  EXPECT_EQ(MgmReleaseInterfaceOwnership(handle, 1, 0), kRefused);
  EXPECT_EQ(MgmAddGroupMembershipEntry(handle, 0, 0, kG.group, kAllOnes, 1, 0, kJoin), kRefused);
  EXPECT_EQ(MgmGroupEnumerationStart(handle, ALL_SOURCES, &enumeration), kRefused);
  const Protocol again("again", 100, 0);
  EXPECT_NE(static_cast<HANDLE>(again), handle);
}

// clauses: MGM-009
TEST_F(MgmRegistration, IsKeptWhileInterfacesAreOwned) {
  Protocol p("p");
  p.holds({1});
  EXPECT_EQ(p.add(kG, 1), NO_ERROR);
  EXPECT_EQ(p.deregister(), static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
  DWORD protocol = 0;
  DWORD component = 9;
  EXPECT_EQ(MgmGetProtocolOnInterface(1, 0, &protocol, &component), NO_ERROR);
  EXPECT_EQ(protocol, p.id());
  EXPECT_EQ(p.groups(), Lines{"(*,239.1.1.1)"});
}

// clauses: MGM-010
TEST_F(MgmRegistration, RefusesBadHandles) {
  Protocol p("p");
  const HANDLE handle = p;
  EXPECT_EQ(p.deregister(), NO_ERROR);
  for (const HANDLE bad : {HANDLE{}, kGarbage, kInvalid, handle}) {
    EXPECT_EQ(MgmDeRegisterMProtocol(bad), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  }
}

// clauses: MGM-012
TEST_F(MgmRegistration, TakesEnumerationsAlong) {
  Protocol p("p");
  HANDLE enumeration = nullptr;
  ASSERT_EQ(MgmGroupEnumerationStart(p, ALL_SOURCES, &enumeration), NO_ERROR);
  EXPECT_EQ(p.deregister(), NO_ERROR);
  SOURCE_GROUP_ENTRY entry;
  DWORD size = sizeof(entry);
  DWORD count = 9;
  EXPECT_EQ(MgmGroupEnumerationGetNext(enumeration, &size, reinterpret_cast<PBYTE>(&entry), &count),
            static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

// clauses: MGM-013
TEST_F(MgmRegistration, DoesNotEndInsideAnOwnCallback) {
  Protocol p("p");
  Protocol q("q");
  p.holds({1});
  DWORD answer = NO_ERROR;
  q->on_any = [&] { answer = q.deregister(); };
  EXPECT_EQ(p.add(kG, 1), NO_ERROR);
  EXPECT_EQ(answer, static_cast<DWORD>(ERROR_CAN_NOT_COMPLETE));
}

// clauses: MGM-014
TEST_F(MgmRegistration, IsOverWhenDeregistrationReturns) {
  Protocol p("p");
  p.holds({1});
  for (int round = 0; round < 50; ++round) {
    Protocol q("q");
    std::atomic<bool> gone = false;
    std::atomic<int> late = 0;
    q->on_any = [&] { late += gone ? 1 : 0; };
    std::thread joiner([&] {
      EXPECT_EQ(p.add(kG, 1), NO_ERROR);
      EXPECT_EQ(p.remove(kG, 1), NO_ERROR);
    });
    EXPECT_EQ(q.deregister(), NO_ERROR);
    gone = true;
    joiner.join();
    EXPECT_EQ(late, 0);
  }
}

}  // namespace
}  // namespace turnpike::conformance
