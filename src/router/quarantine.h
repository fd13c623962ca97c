// Quarantine: what is remembered of modules that took the process down.
//
// A module shares the process with the router, so its crash is the router's (decision 8 of the contract). The daemon
// comes back, and would load the module again. Therefore each crash is written down while the process dies
// (crash_watch.h): one line with the time and the module's path. At the next starts they are counted: a module that
// crashed kMostCrashes times within kWindow is not loaded, until its file changes, an administrator forgives it, or the
// crashes have become old.
//
// The record is a file of lines "seconds-since-1970 path", appended with one write each, so a half-written line at the
// end is the worst that there can be; lines that are none are left out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace turnpike::router {

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
    WallTime at;
    std::string path;
  };
  [[nodiscard]] std::vector<Crash> crashes() const;

  std::string record_;
  Clock& clock_;
};

}  // namespace turnpike::router
