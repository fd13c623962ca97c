#include "net/interface_index.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "net/text.h"

namespace turnpike::net {
namespace {

static_assert(InterfaceIndex().is_none() && !InterfaceIndex(1).is_none());
static_assert(InterfaceIndex(2) < InterfaceIndex(10));
static_assert(!std::is_convertible_v<std::uint32_t, InterfaceIndex> && !std::is_convertible_v<InterfaceIndex, int>);
static_assert(parse_interface_index("4294967295").value() == InterfaceIndex(0xffffffff));

TEST(InterfaceIndex, Text) {
  for (const std::uint32_t value : {0U, 1U, 10U, 0x7fffffffU, 0xffffffffU}) {
    const InterfaceIndex index(value);
    EXPECT_EQ(parse_interface_index(to_text(index).view()).value(), index);
    EXPECT_EQ(to_text(index).view(), std::to_string(value));
  }
  for (const std::string_view text :
       {"", "-1", "+1", " 1", "1 ", "01", "00", "0x1", "4294967296", "99999999999999999999999"}) {
    EXPECT_FALSE(parse_interface_index(text)) << text;
  }
}

TEST(InterfaceIndex, HashTellsThemApart) {
  const std::unordered_set<InterfaceIndex> set{InterfaceIndex(), InterfaceIndex(1), InterfaceIndex(2),
                                               InterfaceIndex(1)};
  EXPECT_EQ(set.size(), 3U);
}

}  // namespace
}  // namespace turnpike::net
