// Two kinds of object for tests of the handle table, and a table that counts how they die.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/handle_table.h"

namespace turnpike {

struct Apple {
  int weight = 0;
};
struct Pear {
  int weight = 0;
};

template <>
struct HandleKind<Apple> {
  static constexpr HandleTag tag{1};
  static constexpr const char* name = "apple";
};
template <>
struct HandleKind<Pear> {
  static constexpr HandleTag tag{254};
  static constexpr const char* name = "pear";
};

// Objects belong to the table: the destroyer deletes them.
class Orchard {
 public:
  explicit Orchard(const HandleTableOptions& options = {}) : table_(std::move(HandleTable::create(options).value())) {
    EXPECT_TRUE(table_->register_kind<Apple>([this](Apple& apple) { eat(&apple); }));
    EXPECT_TRUE(table_->register_kind<Pear>([this](Pear& pear) { eat(&pear); }));
  }

  HandleTable* operator->() { return table_.get(); }
  HandleTable& table() { return *table_; }
  int destroyed() const { return destroyed_.load(); }

  template <class T = Apple>
  Result<Handle> try_add(OwnerId owner = OwnerId::kNobody, int weight = 0) {
    auto object = std::make_unique<T>(T{weight});
    Result<Handle> handle = table_->add(*object, owner);
    if (handle) {
      static_cast<void>(object.release());
    }
    return handle;
  }
  template <class T = Apple>
  Handle add(OwnerId owner = OwnerId::kNobody, int weight = 0) {
    return try_add<T>(owner, weight).value();
  }

 private:
  template <class T>
  void eat(T* object) {
    delete object;
    ++destroyed_;
  }

  std::atomic<int> destroyed_{0};
  std::unique_ptr<HandleTable> table_;
};

constexpr OwnerId kAnn{7};
constexpr OwnerId kBob{8};

inline ErrorKind kind_of(const Result<void>& result) { return result.error().kind; }

}  // namespace turnpike
