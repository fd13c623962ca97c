#include "base/reservation.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <limits>
#include <utility>

namespace turnpike {
namespace {

const auto kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

TEST(Reservation, RefusesNothingAndTooMuch) {
  EXPECT_EQ(Reservation::make(0).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Reservation::make(std::numeric_limits<std::size_t>::max()).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Reservation::make(std::size_t{1} << 60).error().kind, ErrorKind::kExhausted);
}

TEST(Reservation, CommittedPartsReadAsZerosAndKeepWhatIsWritten) {
  Reservation memory = Reservation::make(4 * kPage).value();
  ASSERT_EQ(memory.size(), 4 * kPage);
  ASSERT_TRUE(memory.commit(kPage, 2 * kPage));
  auto* bytes = static_cast<unsigned char*>(memory.data());
  EXPECT_EQ(bytes[kPage], 0);
  std::memset(bytes + kPage, 7, 2 * kPage);
  ASSERT_TRUE(memory.commit(kPage, 2 * kPage));
  EXPECT_EQ(bytes[3 * kPage - 1], 7);
  memory.discard(kPage, kPage);
  EXPECT_EQ(bytes[kPage], 0);
  EXPECT_EQ(bytes[2 * kPage], 7);
}

TEST(Reservation, TakesPagesBeforeTheyAreWritten) {
  constexpr std::size_t kPages = 16;
  Reservation memory = Reservation::make(kPages * kPage).value();
  ASSERT_TRUE(memory.commit(0, kPages * kPage));
  auto* bytes = static_cast<unsigned char*>(memory.data());
  bytes[kPage] = 7;
  memory.take_pages(kPage, 4 * kPage);
  std::array<unsigned char, kPages> there{};
  ASSERT_EQ(mincore(memory.data(), kPages * kPage, there.data()), 0);
  for (std::size_t page = 0; page < kPages; ++page) {
    EXPECT_EQ(there[page] & 1, page >= 1 && page < 5 ? 1 : 0) << page;
  }
  EXPECT_EQ(bytes[kPage], 7);
  EXPECT_EQ(bytes[2 * kPage], 0);
  memory.take_pages(kPage, kPages * kPage);  // out of range: nothing happens
  ASSERT_EQ(mincore(memory.data(), kPages * kPage, there.data()), 0);
  EXPECT_EQ(there[kPages - 1] & 1, 0);
}

TEST(Reservation, RefusesPartsOutOfRange) {
  Reservation memory = Reservation::make(kPage).value();
  EXPECT_EQ(memory.commit(0, 2 * kPage).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(memory.commit(2 * kPage, 0).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(memory.commit(kPage, std::numeric_limits<std::size_t>::max()).error().kind, ErrorKind::kInvalidArgument);
  memory.discard(kPage, kPage);
}

TEST(Reservation, Moves) {
  Reservation memory = Reservation::make(kPage).value();
  ASSERT_TRUE(memory.commit(0, kPage));
  void* data = memory.data();
  Reservation other = std::move(memory);
  EXPECT_EQ(other.data(), data);
  EXPECT_EQ(memory.data(), nullptr);  // NOLINT(bugprone-use-after-move): what it is afterwards is documented
  EXPECT_FALSE(memory.commit(0, 1));
  memory = std::move(other);
  EXPECT_EQ(memory.data(), data);
}

}  // namespace
}  // namespace turnpike
