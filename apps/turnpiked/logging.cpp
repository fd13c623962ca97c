// The program has the rooms that it is made of beside the library, so there are two logs in the process: that of the
// library, which its modules write to as well, and the program's own. Both have the same sinks.
#include "logging.h"

#include <turnpike/log.h>

#include <cstdlib>

#include "base/log.h"
#include "base/log_sinks.h"

namespace turnpike::daemon {
namespace {

struct Sinks {
  LogSinkId own;
  TpLogSink of_library = 0;
};

Sinks sinks;

}  // namespace

void open_log() {
  // A service's standard error is the journal already; lines sent there directly keep their fields.
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  auto own = journal ? make_journal_sink("turnpiked") : make_stderr_sink(LogPrefix::kTimeAndLevel);
  if (!own) own = make_stderr_sink(LogPrefix::kTimeAndLevel);
  if (own) {
    if (const auto id = process_log().open(std::move(*own), LogLevel::kNotice)) sinks.own = *id;
  }
  if (!journal || TpLogOpenJournal(TP_LOG_NOTICE, "turnpiked", &sinks.of_library) != 0) {
    TpLogOpenStderr(TP_LOG_NOTICE, TP_LOG_TIME, &sinks.of_library);
  }
}

void set_log_level(std::uint32_t level) {
  static_cast<void>(process_log().set_level(sinks.own, static_cast<LogLevel>(level)));
  TpLogSetLevel(sinks.of_library, level);
}

}  // namespace turnpike::daemon
