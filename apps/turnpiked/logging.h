// Where the daemon's lines and the library's go: the journal where one listens, else standard error.
#pragma once

#include <cstdint>

namespace turnpike::daemon {

void open_log();
// TP_LOG_…
void set_log_level(std::uint32_t level);

}  // namespace turnpike::daemon
