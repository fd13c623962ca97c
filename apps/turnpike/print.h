// The one place that turns what a command found into text for a person; JSON of the same value is base/value.h's.
#pragma once

#include <string>

#include "base/value.h"

namespace turnpike::cli {

// A list of objects as a table with a head, an object as a line for each member, everything else as it is.
//
//   NAME   TYPE       STATE         id         192.0.2.1
//   eth0   dedicated  connected     interfaces  3
[[nodiscard]] std::string to_text(const Value& value);

}  // namespace turnpike::cli
