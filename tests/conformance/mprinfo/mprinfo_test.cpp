// MPR-016 … MPR-039: information headers in memory.
#include <gtest/gtest.h>
#include <mprapi.h>
#include <rtinfo.h>
#include <winerror.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

const DWORD kBad = ERROR_INVALID_PARAMETER;
const DWORD kAbsent = ERROR_NOT_FOUND;
LPVOID const kGarbage = reinterpret_cast<LPVOID>(std::uintptr_t{0xdead});

// Data of a caller, to hand over through the documented pointer.
LPBYTE bytes_of(const std::string& data) { return reinterpret_cast<LPBYTE>(const_cast<char*>(data.data())); }

struct Found {
  DWORD code = 0;
  DWORD size = 7;
  DWORD count = 7;
  LPBYTE data = static_cast<LPBYTE>(kGarbage);
  [[nodiscard]] std::string text() const { return {reinterpret_cast<char*>(data), std::size_t{size} * count}; }
};

class Header {
 public:
  Header() { EXPECT_EQ(MprInfoCreate(RTR_INFO_BLOCK_VERSION, &header_), NO_ERROR); }
  explicit Header(LPVOID header) : header_(header) {}
  Header(Header&& other) noexcept : header_(std::exchange(other.header_, nullptr)) {}
  Header& operator=(Header&& other) noexcept {
    std::swap(header_, other.header_);
    return *this;
  }
  Header(const Header&) = delete;
  Header& operator=(const Header&) = delete;
  ~Header() {
    if (header_ != nullptr) {
      EXPECT_EQ(MprInfoDelete(header_), NO_ERROR);
    }
  }

  [[nodiscard]] LPVOID get() const { return header_; }
  [[nodiscard]] std::string bytes() const { return {static_cast<char*>(header_), MprInfoBlockQuerySize(header_)}; }

  [[nodiscard]] Found find(DWORD type) const {
    Found found;
    found.code = MprInfoBlockFind(header_, type, &found.size, &found.count, &found.data);
    return found;
  }
  [[nodiscard]] Header add(DWORD type, DWORD size, DWORD count, const std::string& data) const {
    LPVOID result = nullptr;
    EXPECT_EQ(MprInfoBlockAdd(header_, type, size, count, bytes_of(data), &result), NO_ERROR);
    return Header(result);
  }
  [[nodiscard]] Header add(DWORD type, const std::string& data) const {
    return add(type, static_cast<DWORD>(data.size()), 1, data);
  }
  [[nodiscard]] Header set(DWORD type, DWORD size, DWORD count, const std::string& data) const {
    LPVOID result = nullptr;
    EXPECT_EQ(MprInfoBlockSet(header_, type, size, count, bytes_of(data), &result), NO_ERROR);
    return Header(result);
  }
  [[nodiscard]] Header remove(DWORD type) const {
    LPVOID result = nullptr;
    EXPECT_EQ(MprInfoBlockRemove(header_, type, &result), NO_ERROR);
    return Header(result);
  }

 private:
  LPVOID header_ = nullptr;
};

Header three_blocks() { return Header().add(1, "one").add(2, 4, 2, "twofour2").add(0xffff0005, "static routes"); }

void has_one_and_three(const Header& header) {
  EXPECT_EQ(header.find(1).text(), "one");
  EXPECT_EQ(header.find(1).size, 3U);
  EXPECT_EQ(header.find(1).count, 1U);
  EXPECT_EQ(header.find(0xffff0005).text(), "static routes");
  EXPECT_EQ(header.find(0xffff0005).size, 13U);
}

// clauses: MPR-016
TEST(MprInfo, BeginsEmpty) {
  LPVOID made = nullptr;
  ASSERT_EQ(MprInfoCreate(1, &made), NO_ERROR);
  const Header header(made);
  ASSERT_NE(made, nullptr);
  for (const DWORD type : {0U, 1U, 8U, 0xffff0001U, 0xffffffffU}) EXPECT_EQ(header.find(type).code, kAbsent);
}

// clauses: MPR-017
TEST(MprInfo, NeedsAPlaceForTheNewHeader) { EXPECT_EQ(MprInfoCreate(1, nullptr), kBad); }

// clauses: MPR-018
TEST(MprInfo, HasOneVersion_choice) {
  for (const DWORD version : {0U, 2U, 0x500U, 0xffffffffU}) {
    LPVOID made = kGarbage;
    EXPECT_EQ(MprInfoCreate(version, &made), kBad);
    EXPECT_EQ(made, nullptr);
  }
}

// clauses: MPR-019
TEST(MprInfo, OfNothingIsTwelveBytes_choice) {
  const Header header;
  EXPECT_EQ(MprInfoBlockQuerySize(header.get()), 12U);
  EXPECT_EQ(header.bytes(), std::string("\1\0\0\0\14\0\0\0\0\0\0\0", 12));
}

// clauses: MPR-020
TEST(MprInfo, GivesBackWhatWasAdded) {
  const Header header = Header().add(8, 4, 3, "abcdefghijkl");
  const Found found = header.find(8);
  EXPECT_EQ(found.code, NO_ERROR);
  EXPECT_EQ(found.size, 4U);
  EXPECT_EQ(found.count, 3U);
  EXPECT_EQ(found.text(), "abcdefghijkl");
}

// clauses: MPR-021
TEST(MprInfo, IsNotChangedByAdding) {
  const Header header = three_blocks();
  const std::string before = header.bytes();
  const Header larger = header.add(9, "nine");
  EXPECT_EQ(header.bytes(), before);
  EXPECT_NE(larger.get(), header.get());
  EXPECT_EQ(header.find(9).code, kAbsent);
}

// clauses: MPR-022
TEST(MprInfo, HasOneBlockOfAType) {
  const Header header = three_blocks();
  LPVOID result = kGarbage;
  EXPECT_EQ(MprInfoBlockAdd(header.get(), 2, 3, 1, bytes_of("new"), &result), kBad);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(header.find(2).text(), "twofour2");
}

// clauses: MPR-023
TEST(MprInfo, RefusesToAddNothing) {
  const Header header;
  LPVOID result = kGarbage;
  EXPECT_EQ(MprInfoBlockAdd(nullptr, 1, 3, 1, bytes_of("new"), &result), kBad);
  EXPECT_EQ(result, nullptr);
  result = kGarbage;
  EXPECT_EQ(MprInfoBlockAdd(header.get(), 1, 3, 1, nullptr, &result), kBad);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(MprInfoBlockAdd(header.get(), 1, 3, 1, bytes_of("new"), nullptr), kBad);
}

// clauses: MPR-024
TEST(MprInfo, KnowsItsSize) {
  Header header;
  for (DWORD type = 1; type <= 20; ++type) {
    const DWORD before = MprInfoBlockQuerySize(header.get());
    header = header.add(type, std::string(type, 'x'));
    const DWORD now = MprInfoBlockQuerySize(header.get());
    EXPECT_GT(now, before);
    EXPECT_EQ(now, static_cast<PRTR_INFO_BLOCK_HEADER>(header.get())->Size);
  }
  EXPECT_EQ(MprInfoBlockQuerySize(nullptr), 0U);
}

// clauses: MPR-025
TEST(MprInfo, LosesOneBlock) {
  const Header header = three_blocks().remove(2);
  EXPECT_EQ(header.find(2).code, kAbsent);
  has_one_and_three(header);
}

// clauses: MPR-026
TEST(MprInfo, LosesNothingThatIsNotThere) {
  const Header header = three_blocks();
  LPVOID result = kGarbage;
  EXPECT_EQ(MprInfoBlockRemove(header.get(), 3, &result), kBad);
  EXPECT_EQ(result, nullptr);
  result = kGarbage;
  EXPECT_EQ(MprInfoBlockRemove(nullptr, 1, &result), kBad);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(MprInfoBlockRemove(header.get(), 1, nullptr), kBad);
}

// clauses: MPR-027
TEST(MprInfo, ReplacesABlock) {
  const Header header = three_blocks();
  for (const auto& [size, count, data] :
       {std::tuple<DWORD, DWORD, const char*>{4, 2, "TWOFOUR2"}, {1, 3, "two"}, {19, 1, "a much larger block"}}) {
    const Header replaced = header.set(2, size, count, data);
    EXPECT_EQ(replaced.find(2).size, size);
    EXPECT_EQ(replaced.find(2).count, count);
    EXPECT_EQ(replaced.find(2).text(), data);
    has_one_and_three(replaced);
  }
  EXPECT_EQ(header.find(2).text(), "twofour2");
}

// clauses: MPR-028
TEST(MprInfo, ReplacesNothingThatIsNotThere) {
  const Header header = three_blocks();
  LPVOID result = kGarbage;
  EXPECT_EQ(MprInfoBlockSet(header.get(), 3, 3, 1, bytes_of("new"), &result), kBad);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(MprInfoBlockSet(nullptr, 2, 3, 1, bytes_of("new"), &result), kBad);
  EXPECT_EQ(MprInfoBlockSet(header.get(), 2, 3, 1, nullptr, &result), kBad);
  EXPECT_EQ(MprInfoBlockSet(header.get(), 2, 3, 1, bytes_of("new"), nullptr), kBad);
  EXPECT_EQ(header.find(2).text(), "twofour2");
}

// clauses: MPR-029
TEST(MprInfo, SaysWhatIsNotThere) {
  const Header header = three_blocks();
  Found found = header.find(77);
  EXPECT_EQ(found.code, kAbsent);
  EXPECT_EQ(found.data, nullptr);
  EXPECT_EQ(found.size, 0U);
  EXPECT_EQ(found.count, 0U);
  found.data = static_cast<LPBYTE>(kGarbage);
  EXPECT_EQ(MprInfoBlockFind(nullptr, 1, nullptr, nullptr, &found.data), kBad);
  EXPECT_EQ(found.data, nullptr);
}

// clauses: MPR-030
TEST(MprInfo, AnswersWhatIsAskedFor) {
  const Header header = three_blocks();
  for (unsigned wanted = 0; wanted < 8; ++wanted) {
    Found found;
    EXPECT_EQ(MprInfoBlockFind(header.get(), 2, (wanted & 1) != 0 ? &found.size : nullptr,
                               (wanted & 2) != 0 ? &found.count : nullptr, (wanted & 4) != 0 ? &found.data : nullptr),
              NO_ERROR);
    EXPECT_EQ(found.size, (wanted & 1) != 0 ? 4U : 7U);
    EXPECT_EQ(found.count, (wanted & 2) != 0 ? 2U : 7U);
    if ((wanted & 4) != 0) {
      EXPECT_EQ(std::string(reinterpret_cast<char*>(found.data), 8), "twofour2");
    }
  }
}

// clauses: MPR-031
TEST(MprInfo, PointsIntoItself_choice) {
  const Header header = three_blocks();
  const auto begin = reinterpret_cast<std::uintptr_t>(header.get());
  for (const DWORD type : {1U, 2U, 0xffff0005U}) {
    const Found found = header.find(type);
    const auto data = reinterpret_cast<std::uintptr_t>(found.data);
    EXPECT_GE(data, begin + 12);
    EXPECT_LE(data + found.size * found.count, begin + MprInfoBlockQuerySize(header.get()));
    EXPECT_EQ((data - begin) % ALIGN_SIZE, 0U);
    EXPECT_EQ(MprInfoDelete(found.data), kBad);
  }
}

// clauses: MPR-032
TEST(MprInfo, TellsPresentTypes) {
  const Header header = three_blocks();
  for (const DWORD type : {1U, 2U, 0xffff0005U}) EXPECT_TRUE(MprInfoBlockExists(header.get(), type));
  for (const DWORD type : {0U, 3U, 0xffff0004U, 0xffff0006U}) EXPECT_FALSE(MprInfoBlockExists(header.get(), type));
}

// clauses: MPR-033
TEST(MprInfo, IsCopiedWhole) {
  LPVOID result = nullptr;
  {
    const Header header = three_blocks();
    ASSERT_EQ(MprInfoDuplicate(header.get(), &result), NO_ERROR);
    EXPECT_NE(result, header.get());
    EXPECT_EQ(MprInfoDuplicate(header.get(), nullptr), kBad);
  }
  const Header copy(result);
  EXPECT_EQ(copy.bytes(), three_blocks().bytes());
  result = kGarbage;
  EXPECT_EQ(MprInfoDuplicate(nullptr, &result), kBad);
  EXPECT_EQ(result, nullptr);
}

// clauses: MPR-034
TEST(MprInfo, LosesAllBlocks) {
  const Header header = three_blocks();
  LPVOID result = nullptr;
  ASSERT_EQ(MprInfoRemoveAll(header.get(), &result), NO_ERROR);
  const Header empty(result);
  EXPECT_EQ(empty.bytes(), Header().bytes());
  EXPECT_EQ(header.bytes(), three_blocks().bytes());
  EXPECT_EQ(MprInfoRemoveAll(nullptr, &result), kBad);
  EXPECT_EQ(MprInfoRemoveAll(header.get(), nullptr), kBad);
}

// clauses: MPR-035
TEST(MprInfo, IsGivenBackOnce) {
  EXPECT_EQ(MprInfoDelete(nullptr), kBad);
  LPVOID header = nullptr;
  ASSERT_EQ(MprInfoCreate(1, &header), NO_ERROR);
  EXPECT_EQ(MprInfoDelete(header), NO_ERROR);
}

// clauses: MPR-036
TEST(MprInfo, HasTheCanonicalBytes_choice) {
  const std::string data(144, 'r');
  const std::string contents(
      "\1\0\0\0\xb0\0\0\0\1\0\0\0"
      "\5\0\xff\xff\x48\0\0\0\2\0\0\0\x20\0\0\0"
      "\0\0\0\0",
      32);
  EXPECT_EQ(Header().add(0xffff0005, 72, 2, data).bytes(), contents + data);
}

// clauses: MPR-037
TEST(MprInfo, HasBlocksWithoutABytes_choice) {
  const Header header;
  LPVOID result = kGarbage;
  EXPECT_EQ(MprInfoBlockAdd(header.get(), 1, 0x10000, 0x10000, bytes_of("x"), &result), kBad);
  EXPECT_EQ(MprInfoBlockAdd(header.get(), 1, 0xffffffff, 2, bytes_of("x"), &result), kBad);
  EXPECT_EQ(result, nullptr);
  for (const auto& [size, count] : {std::pair<DWORD, DWORD>{0, 5}, {5, 0}, {0, 0}, {0, 0xffffffff}}) {
    const Header with = header.add(1, size, count, "").add(2, "behind");
    EXPECT_EQ(with.find(1).code, NO_ERROR);
    EXPECT_EQ(with.find(1).size, size);
    EXPECT_EQ(with.find(1).count, count);
    EXPECT_EQ(with.find(1).data, nullptr);
    EXPECT_EQ(with.find(2).text(), "behind");
  }
}

// What a corrupt header looks like: one with two blocks (types 1 and 2, 8 bytes each, at 48 and 56), and one field of
// it overwritten.
struct Corruption {
  const char* what;
  std::size_t offset;
  DWORD value;
};
const Corruption kCorruptions[] = {
    {"version 0", 0, 0},
    {"version 2", 0, 2},
    {"no size", 4, 0},
    {"a size below the fixed part", 4, 11},
    {"a size that ends in the contents", 4, 43},
    {"a size that cuts the last block", 4, 60},
    {"a size beyond the memory", 4, 0x1000},
    {"more entries than fit", 8, 4},
    {"so many entries that their size overflows", 8, 0x10000000},
    {"an item size that overflows", 16, 0xffffffff},
    {"an item larger than what is left", 16, 17},
    {"a count that overflows", 20, 0xffffffff},
    {"a count that reaches beyond the end", 20, 3},
    {"a block in the fixed part", 24, 4},
    {"a block in the contents", 24, 40},
    {"a block behind the end", 24, 64},
    {"a block far behind the end", 24, 0xfffffff8},
    {"two blocks of one type", 28, 1},
};

void is_refused(LPVOID header, const char* what) {
  LPVOID result = kGarbage;
  EXPECT_EQ(MprInfoBlockFind(header, 1, nullptr, nullptr, nullptr), kBad) << what;
  EXPECT_EQ(MprInfoBlockAdd(header, 9, 3, 1, bytes_of("new"), &result), kBad) << what;
  EXPECT_EQ(MprInfoBlockSet(header, 1, 3, 1, bytes_of("new"), &result), kBad) << what;
  EXPECT_EQ(MprInfoBlockRemove(header, 1, &result), kBad) << what;
  EXPECT_EQ(MprInfoDuplicate(header, &result), kBad) << what;
  EXPECT_EQ(MprInfoRemoveAll(header, &result), kBad) << what;
  EXPECT_EQ(result, nullptr) << what;
}

// clauses: MPR-038
TEST(MprInfo, RefusesWhatIsNoHeader_choice) {
  for (const Corruption& corruption : kCorruptions) {
    const Header header = Header().add(1, "8 bytes!").add(2, "8 bytes?");
    ASSERT_EQ(MprInfoBlockQuerySize(header.get()), 64U);
    std::memcpy(static_cast<char*>(header.get()) + corruption.offset, &corruption.value, sizeof(DWORD));
    is_refused(header.get(), corruption.what);
  }
}

// clauses: MPR-038
TEST(MprInfo, ReadsWhatOthersWrote_choice) {
  // In memory of the caller, blocks not in the order of their entries, not aligned, bytes between them.
  const std::string odd(
      "\1\0\0\0\x3b\0\0\0\2\0\0\0"
      "\7\0\0\0\1\0\0\0\3\0\0\0\x38\0\0\0"
      "\6\0\0\0\2\0\0\0\2\0\0\0\x31\0\0\0"
      "?????sixs???sev",
      59);
  const Header header([&] {
    LPVOID result = nullptr;
    EXPECT_EQ(MprInfoDuplicate(bytes_of(odd), &result), NO_ERROR);
    return result;
  }());
  EXPECT_EQ(header.bytes(), odd);
  EXPECT_EQ(header.find(7).text(), "sev");
  EXPECT_EQ(header.find(6).text(), "sixs");
  EXPECT_EQ(header.add(8, "eight").remove(8).bytes(), Header().add(7, 1, 3, "sev").add(6, 2, 2, "sixs").bytes());
  EXPECT_EQ(MprInfoDelete(bytes_of(odd)), kBad);
}

// clauses: MPR-039
TEST(MprInfo, HoldsManyBlocks_choice) {
  std::mt19937 random(7);
  std::vector<DWORD> types(200);
  std::iota(types.begin(), types.end(), 1000U);
  const auto data_of = [](DWORD type) { return std::string(type % 37, static_cast<char>('a' + type % 26)); };
  std::shuffle(types.begin(), types.end(), random);
  Header header;
  for (const DWORD type : types) header = header.add(type, 1, type % 37, data_of(type));
  for (const DWORD type : types) EXPECT_EQ(header.find(type).text(), data_of(type));
  std::shuffle(types.begin(), types.end(), random);
  for (const DWORD type : types) header = header.remove(type);
  EXPECT_EQ(MprInfoBlockQuerySize(header.get()), 12U);
}

}  // namespace
