#include "base/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace turnpike {
namespace {

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

TEST(Descriptor, ClosesAtItsEnd) {
  const int number = open_null();
  {
    const Descriptor owner(number);
    EXPECT_TRUE(owner.is_open());
    EXPECT_EQ(owner.number(), number);
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Descriptor, MovesItsOwnership) {
  Descriptor first(open_null());
  const int a = first.number();
  Descriptor second(std::move(first));
  EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): what a moved-from owner says is promised
  const int b = open_null();
  first = Descriptor(b);
  second = std::move(first);
  EXPECT_FALSE(is_open(a)) << "what it had before is closed";
  EXPECT_EQ(second.number(), b);
  Descriptor& same = second;
  second = std::move(same);
  EXPECT_TRUE(is_open(b));
}

TEST(Descriptor, ReleaseAndReset) {
  Descriptor owner(open_null());
  const int number = owner.release();
  EXPECT_FALSE(owner.is_open());
  EXPECT_TRUE(is_open(number));
  owner.reset(number);
  owner.reset();
  EXPECT_FALSE(is_open(number));
}

TEST(Descriptor, NoDescriptorIsHarmless) {
  Descriptor none(-1);
  none.reset();
  EXPECT_FALSE(Descriptor().is_open());
}

}  // namespace
}  // namespace turnpike
