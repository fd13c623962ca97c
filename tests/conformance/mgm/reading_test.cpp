// MGM-100 … MGM-116, MGM-128, MGM-129, MGM-132: reading entries and their statistics.
#include <cstring>
#include <functional>

#include "mgm_client.h"

namespace turnpike::conformance {
namespace {

constexpr DWORD kMore = ERROR_MORE_DATA;
constexpr DWORD kEnd = ERROR_NO_MORE_ITEMS;
constexpr DWORD kSmall = ERROR_INSUFFICIENT_BUFFER;
constexpr DWORD kWrong = ERROR_INVALID_PARAMETER;
constexpr DWORD kNotFound = ERROR_NOT_FOUND;

// The three forms of an entry: each with the calls that read it, and its size.
struct Form {
  std::function<DWORD(PMIB_IPMCAST_MFE, PDWORD, PBYTE)> get;
  std::function<DWORD(PDWORD, PBYTE, PDWORD)> first;
  std::function<DWORD(PMIB_IPMCAST_MFE, PDWORD, PBYTE, PDWORD)> next;
  DWORD head;
  DWORD each;
  std::size_t count_at;

  DWORD size(ULONG out) const { return head + each * out; }
};

Form statistics(DWORD flags, DWORD head) {
  return {[flags](auto which, auto size, auto buffer) { return MgmGetMfeStats(which, size, buffer, flags); },
          [flags](auto size, auto buffer, auto count) { return MgmGetFirstMfeStats(size, buffer, count, flags); },
          [flags](auto start, auto size, auto buffer, auto count) {
            return MgmGetNextMfeStats(start, size, buffer, count, flags);
          },
          head,
          28,
          offsetof(MIB_IPMCAST_MFE_STATS, ulNumOutIf)};
}

const Form kForms[] = {
    {MgmGetMfe, MgmGetFirstMfe, MgmGetNextMfe, 60, 16, offsetof(MIB_IPMCAST_MFE, ulNumOutIf)},
    statistics(MGM_MFE_STATS_0, 64),
    statistics(MGM_MFE_STATS_1, 84),
};

MIB_IPMCAST_MFE which(const Key& key) {
  MIB_IPMCAST_MFE entry = {};
  entry.dwSource = key.source;
  entry.dwGroup = key.group;
  return entry;
}

// P is behind 1, on the way to 10/8; Q has 2 and 3, and wants 239.1.1.1 on both, 239.1.1.2 on 2, 239.1.1.3 not at all.
class MgmReading : public MgmTest {
 protected:
  MgmReading() {
    p_.holds({1});
    q_.holds({2, 3});
    EXPECT_EQ(q_.add(any_source("239.1.1.1"), 2), NO_ERROR);
    EXPECT_EQ(q_.add(any_source("239.1.1.1"), 3), NO_ERROR);
    EXPECT_EQ(q_.add(any_source("239.1.1.2"), 2), NO_ERROR);
  }
  static void make_entries() {
    for (const Key& key : kKeys) packet(key, 1);
  }

  // In their order: by group, then by source, as numbers.
  inline static const std::vector<Key> kKeys = {key("10.0.0.2", "239.1.1.1"), key("10.0.0.10", "239.1.1.1"),
                                                key("10.0.0.1", "239.1.1.2"), key("10.0.0.1", "239.1.1.3")};
  static constexpr ULONG kOut[] = {2, 2, 1, 0};

  Protocol p_{"p"};
  Protocol q_{"q"};
  Way way_{"10.0.0.0", 8, 1, "10.1.1.1"};
};

// clauses: MGM-100 MGM-101 MGM-102 MGM-111 MGM-128
TEST_F(MgmReading, OfOneEntry) {
  make_entries();
  for (const Form& form : kForms) {
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      MIB_IPMCAST_MFE wanted = which(kKeys[i]);
      const DWORD exact = form.size(kOut[i]);
      std::vector<BYTE> buffer(exact + 1, 0x55);
      DWORD size = exact - 1;
      EXPECT_EQ(form.get(&wanted, &size, buffer.data()), kSmall);
      EXPECT_EQ(size, exact);
      EXPECT_EQ(buffer, std::vector<BYTE>(exact + 1, 0x55));
      EXPECT_EQ(form.get(&wanted, &size, buffer.data()), NO_ERROR);
      EXPECT_EQ(size, exact);
      EXPECT_EQ(buffer.back(), 0x55);
      size = 4000;
      buffer.resize(size);
      EXPECT_EQ(form.get(&wanted, &size, buffer.data()), NO_ERROR);
      EXPECT_EQ(size, 4000U);
      DWORD key[2];
      std::memcpy(key, buffer.data(), sizeof(key));
      EXPECT_EQ(key[0], kKeys[i].group);
      EXPECT_EQ(key[1], kKeys[i].source);
    }
    MIB_IPMCAST_MFE unknown = which(key("10.0.0.9", "239.1.1.1"));
    BYTE byte = 0x55;
    DWORD size = 1;
    EXPECT_EQ(form.get(&unknown, &size, &byte), kNotFound);
    EXPECT_EQ(size, 1U);
    EXPECT_EQ(byte, 0x55);
  }
}

// clauses: MGM-103 MGM-104
TEST_F(MgmTest, NeedsNoRegistration) {
  std::vector<BYTE> buffer(1000);
  for (const Form& form : kForms) {
    DWORD size = 1000;
    DWORD count = 9;
    EXPECT_EQ(form.first(&size, buffer.data(), &count), kEnd);
    EXPECT_EQ(count, 0U);
    MIB_IPMCAST_MFE unknown = which(key("10.0.0.9", "239.1.1.1"));
    EXPECT_EQ(form.get(&unknown, &size, buffer.data()), kNotFound);
    count = 9;
    EXPECT_EQ(form.next(&unknown, &size, buffer.data(), &count), kEnd);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(size, 1000U);
  }
}

// Reads all with buffers of that size; the keys in their order, and what each call answered.
std::vector<std::string> walk(const Form& form, DWORD room, std::vector<DWORD>& answers) {
  std::vector<std::string> keys;
  std::vector<BYTE> buffer(room);
  MIB_IPMCAST_MFE last = {};
  DWORD answer = kMore;
  while (answer == kMore) {
    DWORD size = room;
    DWORD count = 9;
    answer = keys.empty() ? form.first(&size, buffer.data(), &count) : form.next(&last, &size, buffer.data(), &count);
    EXPECT_EQ(size == room, answer != kSmall);
    answers.push_back(answer);
    const BYTE* at = buffer.data();
    for (DWORD i = 0; i < count; ++i) {
      ULONG out = 0;
      std::memcpy(&last, at, 8);
      std::memcpy(&out, at + form.count_at, sizeof(out));
      keys.push_back("(" + text_of(last.dwSource) + "," + text_of(last.dwGroup) + ")");
      at += form.size(out);
    }
    EXPECT_LE(at - buffer.data(), static_cast<std::ptrdiff_t>(room));
  }
  return keys;
}

// clauses: MGM-105 MGM-106 MGM-107 MGM-129
TEST_F(MgmReading, OfAllEntries) {
  make_entries();
  const std::vector<std::string> all = {"(10.0.0.2,239.1.1.1)", "(10.0.0.10,239.1.1.1)", "(10.0.0.1,239.1.1.2)",
                                        "(10.0.0.1,239.1.1.3)"};
  for (const Form& form : kForms) {
    const DWORD whole = 2 * form.size(2) + form.size(1) + form.size(0);
    for (DWORD room = form.size(2); room <= whole + 10; ++room) {
      std::vector<DWORD> answers;
      EXPECT_EQ(walk(form, room, answers), all) << room;
      EXPECT_EQ(answers.size() == 1, room >= whole) << room;
    }
  }
}

// clauses: MGM-108 MGM-109
TEST_F(MgmReading, GoesOnFromAnywhere) {
  make_entries();
  for (const Form& form : kForms) {
    std::vector<BYTE> buffer(1000);
    DWORD size = form.size(2) - 1;
    DWORD count = 9;
    EXPECT_EQ(form.first(&size, buffer.data(), &count), kSmall);
    EXPECT_EQ(size, form.size(2));
    EXPECT_EQ(count, 0U);
    MIB_IPMCAST_MFE gone = which(key("10.0.0.200", "239.1.1.1"));
    size = form.size(1) - 1;
    count = 9;
    EXPECT_EQ(form.next(&gone, &size, buffer.data(), &count), kSmall);
    EXPECT_EQ(size, form.size(1));
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(form.next(&gone, &size, buffer.data(), &count), kMore);
    EXPECT_EQ(count, 1U);
    DWORD group = 0;
    std::memcpy(&group, buffer.data(), sizeof(group));
    EXPECT_EQ(group, ip("239.1.1.2"));
  }
}

// clauses: MGM-110
TEST_F(MgmReading, ShowsTimes) {
  make_entries();
  pass(200);
  const MIB_IPMCAST_MFE head = mfe(kKeys[0]).head;
  EXPECT_EQ(head.ulUpTime, 200U);
  EXPECT_EQ(head.ulExpiryTime, 700U);
  EXPECT_EQ(head.ulTimeOut, 900U);
  EXPECT_EQ(stats(kKeys[0]).head.ulUpTime, 20000U);
  EXPECT_EQ(stats(kKeys[0]).head.ulExpiryTime, 70000U);
}

// clauses: MGM-112
TEST_F(MgmReading, WantsOneLevel) {
  make_entries();
  MIB_IPMCAST_MFE wanted = which(kKeys[0]);
  std::vector<BYTE> buffer(1000);
  for (const DWORD flags : {0U, 3U, 4U, 0x80000001U}) {
    DWORD size = 1000;
    DWORD count = 9;
    EXPECT_EQ(MgmGetMfeStats(&wanted, &size, buffer.data(), flags), kWrong);
    EXPECT_EQ(MgmGetFirstMfeStats(&size, buffer.data(), &count, flags), kWrong);
    EXPECT_EQ(MgmGetNextMfeStats(&wanted, &size, buffer.data(), &count, flags), kWrong);
    EXPECT_EQ(size, 1000U);
  }
}

// clauses: MGM-113 MGM-114
TEST_F(MgmReading, CountsPackets) {
  for (int i = 0; i < 7; ++i) packet(kKeys[0], 1);
  packet(kKeys[0], 2);
  packet(kKeys[0], 3);
  const Stats read = stats(kKeys[0]);
  EXPECT_EQ(read.head.ulInPkts, 7U);
  EXPECT_EQ(read.head.ulPktsDifferentIf, 2U);
  EXPECT_EQ(read.head.ulTotalOutPackets, 14U);
  ASSERT_EQ(read.out.size(), 2U);
  EXPECT_EQ(read.out[0].dwOutIfIndex, 2U);
  EXPECT_EQ(read.out[0].ulOutPackets, 7U);
  EXPECT_EQ(read.out[1].ulOutPackets, 7U);
  EXPECT_EQ(q_.remove(any_source("239.1.1.1"), 3), NO_ERROR);  // counters stay when interfaces change
  packet(kKeys[0], 1);
  EXPECT_EQ(stats(kKeys[0]).head.ulInPkts, 8U);
  EXPECT_EQ(stats(kKeys[0]).out[0].ulOutPackets, 8U);
  EXPECT_EQ(stats(kKeys[0]).head.ulTotalOutPackets, 15U);
  pass(900);  // and begin anew with the entry
  packet(kKeys[0], 1);
  EXPECT_EQ(stats(kKeys[0]).head.ulInPkts, 1U);
  packet(kKeys[3], 1);
  packet(kKeys[3], 1);
  EXPECT_EQ(stats(kKeys[3]).head.ulNegativeMfe, 2U);
}

// clauses: MGM-115 MGM-116
TEST_F(MgmReading, ChangesTheNeighbour) {
  make_entries();
  const MIB_IPMCAST_MFE before = mfe(kKeys[0]).head;
  told();
  MIB_IPMCAST_MFE change = which(kKeys[0]);
  change.dwUpStrmNgbr = ip("10.7.7.7");
  change.dwInIfIndex = 3;
  change.ulTimeOut = 1;
  EXPECT_EQ(MgmSetMfe(q_, &change), NO_ERROR);
  MIB_IPMCAST_MFE after = mfe(kKeys[0]).head;
  EXPECT_EQ(after.dwUpStrmNgbr, ip("10.7.7.7"));
  after.dwUpStrmNgbr = before.dwUpStrmNgbr;
  EXPECT_EQ(std::memcmp(&after, &before, SIZEOF_BASIC_MIB_MFE), 0);
  EXPECT_EQ(forwarded(kKeys[0]), "1 -> 2 3");
  EXPECT_EQ(told(), Lines{});
  MIB_IPMCAST_MFE unknown = which(key("10.0.0.9", "239.1.1.1"));
  EXPECT_EQ(MgmSetMfe(q_, &unknown), kNotFound);
  EXPECT_EQ(MgmSetMfe(kGarbage, &change), kWrong);
  EXPECT_EQ(MgmSetMfe(q_, nullptr), kWrong);
}

// clauses: MGM-132
TEST_F(MgmReading, NamesOwnerAndRoute) {
  make_entries();
  const Mfe read = mfe(kKeys[0]);
  EXPECT_EQ(read.head.dwSrcMask, kAllOnes);
  EXPECT_EQ(read.head.dwInIfIndex, 1U);
  EXPECT_EQ(read.head.dwInIfProtocol, p_.id());
  EXPECT_EQ(read.head.dwUpStrmNgbr, ip("10.1.1.1"));
  EXPECT_EQ(read.head.dwRouteProtocol, Way::kProtocol);
  EXPECT_EQ(read.head.dwRouteNetwork, ip("10.0.0.0"));
  EXPECT_EQ(read.head.dwRouteMask, ip("255.0.0.0"));
  EXPECT_EQ(read.head.fFlags + read.head.dwReserved, 0U);
  EXPECT_EQ(read.out, (std::vector<DWORD>{2, 3}));
}

// The common rule: a null pointer that is needed, or no room to write to.
TEST_F(MgmReading, RefusesNullPointers) {
  make_entries();
  MIB_IPMCAST_MFE wanted = which(kKeys[0]);
  std::vector<BYTE> buffer(1000);
  for (const Form& form : kForms) {
    DWORD size = 1000;
    DWORD count = 0;
    EXPECT_EQ(form.get(nullptr, &size, buffer.data()), kWrong);
    EXPECT_EQ(form.get(&wanted, nullptr, buffer.data()), kWrong);
    EXPECT_EQ(form.get(&wanted, &size, nullptr), kWrong);
    EXPECT_EQ(form.first(nullptr, buffer.data(), &count), kWrong);
    EXPECT_EQ(form.first(&size, nullptr, &count), kWrong);
    EXPECT_EQ(form.first(&size, buffer.data(), nullptr), kWrong);
    EXPECT_EQ(form.next(nullptr, &size, buffer.data(), &count), kWrong);
    size = 0;  // how one asks for the size
    EXPECT_EQ(form.get(&wanted, &size, nullptr), kSmall);
    EXPECT_EQ(size, form.size(2));
  }
  EXPECT_EQ(MgmGetProtocolOnInterface(1, 0, nullptr, &wanted.dwGroup), kWrong);
  EXPECT_EQ(MgmGetProtocolOnInterface(1, 0, &wanted.dwGroup, nullptr), kWrong);
}

}  // namespace
}  // namespace turnpike::conformance
