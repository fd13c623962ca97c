#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <new>

#include "handle_table_fixture.h"

namespace turnpike {
namespace {

TEST(HandleTableBound, OneObjectBearsSoManyPinsAndNoMore) {
  const auto table = HandleTable::create().value();
  ASSERT_TRUE(table->register_kind<Apple>([](Apple&) {}));
  Apple apple;
  const Handle handle = table->add(apple, kAnn).value();
  // Pins that are never let go: their storage is used again without ending them.
  alignas(Pin<Apple>) std::array<std::byte, sizeof(Pin<Apple>)> storage;
  for (std::uint32_t i = 0; i < HandleTable::kMaxPins; ++i) {
    ASSERT_TRUE(*new (storage.data()) Pin<Apple>(table->pin<Apple>(handle)));
  }
  EXPECT_FALSE(table->pin<Apple>(handle));
  EXPECT_TRUE(table->check(handle));
  EXPECT_TRUE(table->remove(handle));
}

}  // namespace
}  // namespace turnpike
