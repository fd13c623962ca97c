// MGM-042 … MGM-059, MGM-131: membership calls, and what they make of entries.
#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;
const Key kG = any_source("239.1.1.1");
const Key kFlow = key("10.0.0.1", "239.1.1.1");
const Key kOther = key("10.0.0.2", "239.1.1.1");

// P is on the way to 10/8, behind 1; Q has 2, 3 and 4.
class MgmMembership : public MgmTest {
 protected:
  MgmMembership() {
    p_.holds({1, 5});
    q_.holds({2, 3, 4});
  }

  Protocol p_{"p"};
  Protocol q_{"q"};
  Way way_{"10.0.0.0", 8, 1};
};

// clauses: MGM-042
TEST_F(MgmMembership, IsRecorded) {
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  EXPECT_EQ(p_.groups(), Lines{"(*,239.1.1.1)"});
}

// clauses: MGM-043 MGM-131
TEST_F(MgmMembership, WantsAHandle) {
  for (const HANDLE bad : {HANDLE{}, kGarbage, kInvalid}) {
    EXPECT_EQ(MgmAddGroupMembershipEntry(bad, 0, 0, kG.group, kAllOnes, 2, 0, kJoin), kWrong);
    EXPECT_EQ(MgmDeleteGroupMembershipEntry(bad, 0, 0, kG.group, kAllOnes, 2, 0, kJoin), kWrong);
  }
}

// clauses: MGM-044 MGM-049 MGM-050
TEST_F(MgmMembership, WantsAnInterfaceOfTheCaller) {
  EXPECT_EQ(q_.add(kG, 1), kWrong);
  EXPECT_EQ(q_.add(kG, 9), kWrong);
  EXPECT_EQ(q_.remove(kG, 1), kWrong);
  EXPECT_EQ(q_.remove(kG, 9), static_cast<DWORD>(ERROR_NOT_FOUND));
  EXPECT_EQ(q_.remove(kG, 2, kJoin, ip("10.0.0.1")), static_cast<DWORD>(ERROR_NOT_FOUND));
  EXPECT_EQ(p_.groups(), Lines{});
}

// clauses: MGM-045
TEST_F(MgmMembership, WantsKnownFlags) {
  for (const DWORD flags : {0U, 4U, 5U, 0x80000001U}) {
    EXPECT_EQ(q_.add(kG, 2, flags), kWrong);
    EXPECT_EQ(q_.remove(kG, 2, flags), kWrong);
    EXPECT_EQ(q_.remove(kG, 9, flags), kWrong);  // flags are looked at before interfaces
  }
}

// clauses: MGM-046 MGM-047
TEST_F(MgmMembership, WantsWholeAddressesOrNone) {
  struct {
    const char* source;
    DWORD source_mask;
    const char* group;
    DWORD group_mask;
  } const bad[] = {
      {"10.0.0.0", htonl(0xff000000), "239.1.1.1", kAllOnes},  // ranges
      {"*", 0, "239.0.0.0", htonl(0xff000000)},
      {"*", kAllOnes, "239.1.1.1", kAllOnes},  // address 0 with a mask
      {"*", 0, "*", kAllOnes},
      {"10.0.0.1", 0, "239.1.1.1", kAllOnes},  // an address without one
      {"*", 0, "239.1.1.1", 0},
      {"*", 0, "10.1.1.1", kAllOnes},  // no group
      {"*", 0, "240.0.0.1", kAllOnes},
      {"10.0.0.1", kAllOnes, "*", 0},  // (s,*)
  };
  for (const auto& each : bad) {
    EXPECT_EQ(
        MgmAddGroupMembershipEntry(q_, ip(each.source), each.source_mask, ip(each.group), each.group_mask, 2, 0, kJoin),
        kWrong);
    EXPECT_EQ(MgmDeleteGroupMembershipEntry(q_, ip(each.source), each.source_mask, ip(each.group), each.group_mask, 2,
                                            0, kJoin),
              kWrong);
  }
  EXPECT_EQ(p_.groups(), Lines{});
}

// clauses: MGM-048
TEST_F(MgmMembership, IsASet) {
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  told();
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(p_.groups(), Lines{});
}

// clauses: MGM-051
TEST_F(MgmMembership, MayBeAbsentWhenDeleted) {
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(q_.remove(kFlow, 2), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
}

// clauses: MGM-052 MGM-053
TEST_F(MgmMembership, MovesEntriesThatExist) {
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{});
  EXPECT_EQ(q_.add(kG, 2), NO_ERROR);
  EXPECT_EQ(shown(kFlow), "1 -> 2");
  EXPECT_EQ(forwarded(kFlow), "1 -> 2");
  EXPECT_EQ(q_.add(kFlow, 2), NO_ERROR);
  EXPECT_EQ(q_.add(anything(), 3), NO_ERROR);
  EXPECT_EQ(shown(kFlow), "1 -> 2 3");
  EXPECT_EQ(q_.remove(kG, 2), NO_ERROR);
  EXPECT_EQ(shown(kFlow), "1 -> 2 3");  // (s,g) still covers 2
  EXPECT_EQ(q_.remove(kFlow, 2), NO_ERROR);
  EXPECT_EQ(q_.remove(anything(), 3), NO_ERROR);
  EXPECT_EQ(shown(kFlow), "1 ->");
  EXPECT_EQ(forwarded(kFlow), "1 ->");
}

// clauses: MGM-054 MGM-055
TEST_F(MgmMembership, IsNotMadeByForwarding) {
  packet(kFlow, 1);
  packet(kOther, 1);
  EXPECT_EQ(q_.add(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 2");
  EXPECT_EQ(forwarded(kOther), "1 ->");
  EXPECT_EQ(p_.groups(), Lines{});
  EXPECT_EQ(q_.add(kG, 3), NO_ERROR);
  EXPECT_EQ(q_.remove(kFlow, 3, kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 2");
  EXPECT_EQ(forwarded(kOther), "1 -> 3");
  EXPECT_EQ(p_.groups(), Lines{"(*,239.1.1.1)"});
}

// With a wildcard it is about all entries of the group, or all there are.
TEST_F(MgmMembership, ForwardsByWildcards) {
  const Key elsewhere = key("10.0.0.1", "239.9.9.9");
  packet(kFlow, 1);
  packet(kOther, 1);
  packet(elsewhere, 1);
  EXPECT_EQ(q_.add(kG, 2, kForward), NO_ERROR);
  EXPECT_EQ(q_.add(anything(), 3, kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 2 3");
  EXPECT_EQ(forwarded(kOther), "1 -> 2 3");
  EXPECT_EQ(forwarded(elsewhere), "1 -> 3");
  EXPECT_EQ(q_.remove(kFlow, 2), NO_ERROR);  // a JOIN_STATE delete ends it too
  EXPECT_EQ(forwarded(kFlow), "1 -> 3");
  EXPECT_EQ(q_.add(kFlow, 4, kJoin | kForward), NO_ERROR);
  EXPECT_EQ(q_.remove(kFlow, 4, kJoin | kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 -> 3");
}

// clauses: MGM-056
TEST_F(MgmMembership, ForwardingNeedsAnEntry) {
  EXPECT_EQ(q_.add(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(q_.remove(kFlow, 3, kForward), NO_ERROR);
  EXPECT_EQ(told(), Lines{});
  EXPECT_EQ(q_.add(kG, 3), NO_ERROR);
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{3});
}

// clauses: MGM-057
TEST_F(MgmMembership, NeverSendsBack) {
  EXPECT_EQ(p_.add(kG, 1), NO_ERROR);
  packet(kFlow, 1);
  EXPECT_EQ(forwarded(kFlow), "1 ->");
  EXPECT_EQ(p_.add(kFlow, 1, kJoin | kForward), NO_ERROR);
  EXPECT_EQ(forwarded(kFlow), "1 ->");
}

// clauses: MGM-058 MGM-059
TEST_F(MgmMembership, IsWhatLetsDataOut) {
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{});
  EXPECT_EQ(q_.add(kG, 3), NO_ERROR);
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{3});
  EXPECT_EQ(q_.add(kFlow, 2, kForward), NO_ERROR);
  EXPECT_EQ(packet(kFlow, 1), (std::vector<DWORD>{2, 3}));
  EXPECT_EQ(q_.remove(kG, 3), NO_ERROR);
  EXPECT_EQ(q_.remove(kFlow, 2), NO_ERROR);
  EXPECT_EQ(packet(kFlow, 1), std::vector<DWORD>{});
}

}  // namespace
}  // namespace turnpike::conformance
