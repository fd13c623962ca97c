// The settings as text, from the tables that check them: what no manual can forget, and where none can be out of date.
#pragma once

#include <string>

#include "turnpike/module.h"

namespace turnpike::config {

// The sections of the file as the body of turnpike.toml(5), in roff.
[[nodiscard]] std::string manual();

// A protocol's settings for a person at a terminal.
[[nodiscard]] std::string settings_text(const TpModule& module);
// The same as a section of a manual page, in roff.
[[nodiscard]] std::string settings_manual(const TpModule& module);

}  // namespace turnpike::config
