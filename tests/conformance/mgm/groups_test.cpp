// MGM-117 … MGM-122, MGM-129, MGM-130: enumerating groups.
#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;

class MgmGroups : public MgmTest {
 protected:
  MgmGroups() {
    p_.holds({1});
    q_.holds({2});
    for (const Protocol* protocol : {&p_, &q_}) {
      const DWORD index = protocol == &p_ ? 1 : 2;
      EXPECT_EQ(protocol->add(anything(), index), NO_ERROR);
      EXPECT_EQ(protocol->add(any_source("239.1.1.1"), index), NO_ERROR);
      EXPECT_EQ(protocol->add(key("10.0.0.10", "239.1.1.1"), index), NO_ERROR);
    }
    EXPECT_EQ(p_.add(key("10.0.0.9", "239.1.1.1"), 1), NO_ERROR);
    EXPECT_EQ(p_.add(any_source("239.1.1.2"), 1), NO_ERROR);
  }
  HANDLE start() {
    HANDLE enumeration = nullptr;
    EXPECT_EQ(MgmGroupEnumerationStart(p_, ALL_SOURCES, &enumeration), NO_ERROR);
    return enumeration;
  }
  static DWORD next(HANDLE enumeration, DWORD size, DWORD& count, DWORD* size_after = nullptr) {
    std::vector<SOURCE_GROUP_ENTRY> entries(10);
    const DWORD answer =
        MgmGroupEnumerationGetNext(enumeration, &size, reinterpret_cast<PBYTE>(entries.data()), &count);
    if (size_after != nullptr) *size_after = size;
    return answer;
  }

  Protocol p_{"p"};
  Protocol q_{"q"};
};

// clauses: MGM-117
TEST_F(MgmGroups, ShowsEachOnce) {
  EXPECT_EQ(q_.groups(),
            (Lines{"(*,*)", "(*,239.1.1.1)", "(*,239.1.1.2)", "(10.0.0.10,239.1.1.1)", "(10.0.0.9,239.1.1.1)"}));
}

// clauses: MGM-118
TEST_F(MgmGroups, ShowsGroupsWithASource) { EXPECT_EQ(q_.groups(ANY_SOURCE), Lines{"(10.0.0.9,239.1.1.1)"}); }

// clauses: MGM-119
TEST_F(MgmGroups, WantsRoomForOne) {
  const HANDLE enumeration = start();
  for (const DWORD room : {0U, 15U}) {
    DWORD count = 9;
    DWORD size = 0;
    EXPECT_EQ(next(enumeration, room, count, &size), static_cast<DWORD>(ERROR_INSUFFICIENT_BUFFER));
    EXPECT_EQ(size, 16U);
    EXPECT_EQ(count, 0U);
  }
  DWORD count = 0;
  EXPECT_EQ(next(enumeration, 160, count), static_cast<DWORD>(ERROR_NO_MORE_ITEMS));
  EXPECT_EQ(count, 5U);
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), NO_ERROR);
}

// clauses: MGM-120
TEST_F(MgmGroups, ComesInBatches) {
  const HANDLE enumeration = start();
  const std::pair<DWORD, DWORD> expected[] = {
      {ERROR_MORE_DATA, 2}, {ERROR_MORE_DATA, 2}, {ERROR_NO_MORE_ITEMS, 1}, {ERROR_NO_MORE_ITEMS, 0}};
  for (const auto& [answer, some] : expected) {
    DWORD count = 9;
    DWORD size = 0;
    EXPECT_EQ(next(enumeration, 47, count, &size), answer);
    EXPECT_EQ(count, some);
    EXPECT_EQ(size, 47U);
  }
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), NO_ERROR);
}

// clauses: MGM-121
TEST_F(MgmGroups, IsASnapshot) {
  const HANDLE enumeration = start();
  EXPECT_EQ(p_.add(any_source("239.1.1.3"), 1), NO_ERROR);
  EXPECT_EQ(p_.remove(any_source("239.1.1.2"), 1), NO_ERROR);
  DWORD count = 0;
  EXPECT_EQ(next(enumeration, 160, count), static_cast<DWORD>(ERROR_NO_MORE_ITEMS));
  EXPECT_EQ(count, 5U);
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), NO_ERROR);
}

// clauses: MGM-122 MGM-130
TEST_F(MgmGroups, EndsOnce) {
  const HANDLE enumeration = start();
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), NO_ERROR);
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), kWrong);
  HANDLE made = kGarbage;
  for (const HANDLE bad : {HANDLE{}, kGarbage, kInvalid, enumeration, static_cast<HANDLE>(p_)}) {
    DWORD count = 9;
    EXPECT_EQ(next(bad, 160, count), kWrong);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(MgmGroupEnumerationEnd(bad), kWrong);
    if (bad != static_cast<HANDLE>(p_)) {
      EXPECT_EQ(MgmGroupEnumerationStart(bad, ALL_SOURCES, &made), kWrong);
    }
  }
  auto* const in_c = reinterpret_cast<DWORD (*)(HANDLE, int, HANDLE*)>(&MgmGroupEnumerationStart);
  EXPECT_EQ(in_c(p_, 2, &made), kWrong);  // no C++ enumeration has that value
  EXPECT_EQ(MgmGroupEnumerationStart(p_, ALL_SOURCES, nullptr), kWrong);
  EXPECT_EQ(made, kGarbage);
}

}  // namespace
}  // namespace turnpike::conformance
