// What port.h says by itself; what ports do is in tests/kernel/conformance.
#include "kernel/port.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace turnpike::kernel {
namespace {

TEST(Port, RefusalsAreDescribed) {
  EXPECT_EQ(describe({1, EEXIST, ""}), "EEXIST (File exists)");
  EXPECT_EQ(describe({1, EINVAL, "Nexthop id does not exist, at RTA_NH_ID"}),
            "EINVAL (Invalid argument): Nexthop id does not exist, at RTA_NH_ID");
  EXPECT_EQ(describe({1, 4000, ""}), "errno 4000");
}

TEST(Port, CopiesKeepTheirLists) {
  std::vector<Hop> hops{{InterfaceIndex(1), std::nullopt, 2}};
  Route route;
  route.hops = hops;
  const RouteCopy copy(route);
  hops[0].weight = 3;
  EXPECT_EQ(copy.view().hops[0].weight, 2);
  const RouteCopy second = copy;
  EXPECT_EQ(second, copy);
  EXPECT_NE(second.view().hops.data(), copy.view().hops.data());
  EXPECT_NE(RouteCopy(route), copy);
}

}  // namespace
}  // namespace turnpike::kernel
