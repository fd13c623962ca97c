#include "base/error.h"

#include <gtest/gtest.h>

#include "base/result.h"

namespace turnpike {
namespace {

TEST(Error, EveryKindHasANameAndAnAdvice) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    EXPECT_FALSE(name_of(static_cast<ErrorKind>(kind)).empty());
    EXPECT_TRUE(advice_for(static_cast<ErrorKind>(kind)).ends_with('.'));
  }
}

TEST(Error, KindOutOfRangeIsOurDefect) { EXPECT_EQ(name_of(static_cast<ErrorKind>(200)), "internal"); }

TEST(Result, CarriesTheErrno) {
  const Result<int> result = fail_errno(105, "netlink receive");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::kKernel);
  EXPECT_EQ(result.error().system_code, 105);
  EXPECT_STREQ(result.error().what, "netlink receive");
}

}  // namespace
}  // namespace turnpike
