// Quarantine: what is remembered of modules that took the process down.
//
// A module shares the process with the router, so its crash is the router's (decision 8 of the contract). The daemon
// comes back, and would load the module again. Therefore each crash is written down while the process dies
// (crash_watch.h): one line with the time and the module. At the next starts they are counted: a module that crashed
// kMostCrashes times within kWindow is not loaded, until its file changes, an administrator forgives it, or the crashes
// have become old.
//
// The record outlives the process, but need not outlive the machine's run: so the time is the monotonic clock's, which
// all processes of one run share, beside the run's own number (boot_id). Whoever sets the wall's clock changes nothing.
// A file is known by its inode and the time stamp of its last change, which are compared and never reckoned with.
//
// The record is a file of lines "RUN SECONDS FILE PATH", appended with one write each, so a half-written line at the
// end is the worst that there can be; lines that are none, or are of another run, are left out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace turnpike::router {

// The line of a crash, but for the seconds that stand between its two parts: made while there is time to make it.
struct CrashLine {
  std::string before, after;
};
[[nodiscard]] CrashLine crash_line(const std::string& module_path);

class Quarantine {
 public:
  static constexpr unsigned kMostCrashes = 3;
  static constexpr Duration kWindow = std::chrono::minutes(10);

  // `record` need not exist yet; its folder must.
  Quarantine(std::string record, Clock& clock) : record_(std::move(record)), clock_(clock) {}

  // Why the module in that file is not to be loaded; nothing: it may be.
  [[nodiscard]] std::optional<std::string> objection(const std::string& module_path) const;
  // One more crash. kKernel.
  Result<void> add_crash(const std::string& module_path);
  // Forgets the crashes of one module. kKernel.
  Result<void> forgive(const std::string& module_path);

  [[nodiscard]] const std::string& record() const { return record_; }

 private:
  struct Crash {
    MonotonicTime at;
    std::string file;
    std::string path;
    std::string line;
  };
  [[nodiscard]] std::vector<Crash> crashes() const;  // of this run

  std::string record_;
  Clock& clock_;
};

}  // namespace turnpike::router
