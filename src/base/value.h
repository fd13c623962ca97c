// Value: something to show, without a form yet. What describes a thing makes one; JSON, tables for people and the
// command line print it, so they never drift apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace turnpike {

struct Member;

struct Value {
  using List = std::vector<Value>;
  using Object = std::vector<Member>;  // in the order in which it is shown

  std::variant<std::monostate, bool, std::int64_t, std::string, List, Object> held;

  Value();
  // NOLINTBEGIN(google-explicit-constructor): written as plain values wherever something is described
  Value(bool flag);
  Value(std::int64_t number);
  Value(std::uint32_t number);
  Value(std::string text);
  Value(std::string_view text);
  Value(const char* text);
  Value(List list);
  Value(Object object);
  // NOLINTEND(google-explicit-constructor)

  // Of an object; null: it has none of that name, or is none.
  [[nodiscard]] const Value* find(std::string_view name) const;
};

struct Member {
  std::string name;
  Value value;
};

// Behind Member, without which an object is incomplete.
inline Value::Value() = default;
inline Value::Value(bool flag) : held(flag) {}
inline Value::Value(std::int64_t number) : held(number) {}
inline Value::Value(std::uint32_t number) : held(std::int64_t{number}) {}
inline Value::Value(std::string text) : held(std::move(text)) {}
inline Value::Value(std::string_view text) : held(std::string(text)) {}
inline Value::Value(const char* text) : held(std::string(text)) {}
inline Value::Value(List list) : held(std::move(list)) {}
inline Value::Value(Object object) : held(std::move(object)) {}

// One line of JSON (RFC 8259), without a newline.
[[nodiscard]] std::string to_json(const Value& value);

}  // namespace turnpike
