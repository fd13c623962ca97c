// NDIS-211: what a driver may not rely on. The suite once more, with everything that can pend pending, with completions
// on the stack of the call, and with both. A test that is about a knob sets it; all others must pass whichever way the
// knobs stand, on the real kernel as in memory. Left out are those of a thousand cycles.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "ground/process.h"

namespace turnpike::conformance {
namespace {

class NdisMatrix : public testing::TestWithParam<std::pair<int, int>> {};
INSTANTIATE_TEST_SUITE_P(Knobs, NdisMatrix, testing::Values(std::pair(0x1f, 0), std::pair(0, 1), std::pair(0x1f, 1)),
                         [](const auto& info) {
                           return std::string(info.param.first != 0 ? "Pend" : "") +
                                  (info.param.second != 0 ? "Inline" : "");
                         });

// clauses: NDIS-211
TEST_P(NdisMatrix, TheSuitePasses_choice) {
  const auto& [pend, inlined] = GetParam();
  const ground::Output output = ground::attempt(
      {"env", "-u", "GTEST_OUTPUT", "NDIS_PEND=" + std::to_string(pend), "NDIS_INLINE=" + std::to_string(inlined),
       NDIS_CONFORMANCE, "--gtest_brief=1", "--gtest_filter=-*AThousand*"},
      std::chrono::minutes(15));
  EXPECT_EQ(output.status, 0) << output.out << output.err;
  EXPECT_EQ(output.out.find("Running 0 tests"), std::string::npos);
  EXPECT_NE(output.out.find("[  PASSED  ]"), std::string::npos) << "no test was run";
}

}  // namespace
}  // namespace turnpike::conformance
