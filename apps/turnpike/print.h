// The one place that turns what a command found into text for a person; JSON of the same value is base/value.h's.
#pragma once

#include <string>
#include <vector>

#include "base/value.h"

namespace turnpike::cli {

// A list of objects as a table with a head, an object as a line for each member, everything else as it is.
//
//   NAME   TYPE       STATE         id         192.0.2.1
//   eth0   dedicated  connected     interfaces  3
[[nodiscard]] std::string to_text(const Value& value);

// A list that comes in parts, as one: a table whose head stands once and whose columns are those of the first part that
// has a row, wider where one needs it; or one JSON list.
class Pages {
 public:
  explicit Pages(bool json) : json_(json) {}
  // What is to be printed for the next part of the list; and at the end.
  [[nodiscard]] std::string part(const Value& value);
  [[nodiscard]] std::string end() const { return !json_ ? "" : is_first_ ? "[]\n" : "]\n"; }

 private:
  const bool json_;
  bool is_first_ = true;
  std::vector<std::string> names_;
  std::vector<std::size_t> widths_;
};

}  // namespace turnpike::cli
