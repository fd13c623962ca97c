// The property: whatever sequence of calls, legal or not, the library and the reference answer alike.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <vector>

#include "rtm_driver.h"

namespace turnpike::model {
namespace {

constexpr int kSeeds = 150;
constexpr std::size_t kBytes = 6000;

std::vector<std::uint8_t> bytes_of_seed(unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint8_t> bytes(kBytes);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(generator());
  return bytes;
}

class RtmModel : public testing::TestWithParam<int> {};

TEST_P(RtmModel, LibraryAndReferenceAnswerAlike) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const std::string difference = drive_and_compare(bytes_of_seed(seed), GetParam());
    ASSERT_EQ(difference, "") << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, RtmModel, testing::Values(AF_INET, AF_INET6));

}  // namespace
}  // namespace turnpike::model
