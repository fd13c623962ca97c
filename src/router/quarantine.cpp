#include "router/quarantine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/descriptor.h"

namespace turnpike::router {
namespace {

using std::chrono::seconds;

std::string line_of(WallTime at, const std::string& path) {
  return std::to_string(std::chrono::duration_cast<seconds>(at.time_since_epoch()).count()) + " " + path + "\n";
}

Result<void> write_whole(const std::string& file, int flags, const std::string& text) {
  const Descriptor descriptor(::open(file.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!descriptor.is_open()) return fail_errno(errno, "the record of crashes cannot be opened");
  const ssize_t written = ::write(descriptor.number(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) return fail_errno(errno, "the record of crashes cannot be written");
  return {};
}

// A file that was replaced since is not the one that crashed.
WallTime changed_at(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return WallTime{};
  return WallTime{seconds(status.st_ctim.tv_sec) + std::chrono::nanoseconds(status.st_ctim.tv_nsec)};
}

}  // namespace

std::vector<Quarantine::Crash> Quarantine::crashes() const {
  std::vector<Crash> result;
  std::ifstream file(record_);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::int64_t at = 0;
    std::string path;
    // A time that no clock shows: not a line of ours.
    if (words >> at && at > 0 && at < 4'000'000'000 && words.get() == ' ' && std::getline(words, path) &&
        !path.empty()) {
      result.push_back({WallTime{seconds(at)}, path});
    }
  }
  return result;
}

std::optional<std::string> Quarantine::objection(const std::string& module_path) const {
  // A clock that was set back leaves crashes in the future: they count as new ones.
  const WallTime now = clock_.wall();
  const WallTime oldest = std::max(now - kWindow, changed_at(module_path) - seconds(1));
  const std::vector<Crash> all = crashes();
  const auto counts = [&](const Crash& crash) { return crash.path == module_path && crash.at >= oldest; };
  const auto number = std::ranges::count_if(all, counts);
  if (number < kMostCrashes) return std::nullopt;
  return "is in quarantine: it took the router down " + std::to_string(number) + " times in ten minutes";
}

Result<void> Quarantine::add_crash(const std::string& module_path) {
  // A line of its own, even behind half a line.
  return write_whole(record_, O_APPEND, "\n" + line_of(clock_.wall(), module_path));
}

Result<void> Quarantine::forgive(const std::string& module_path) {
  std::string kept;
  for (const Crash& crash : crashes()) {
    if (crash.path != module_path) kept += line_of(crash.at, crash.path);
  }
  const std::string draft = record_ + ".new";
  if (const Result<void> written = write_whole(draft, O_TRUNC, kept); !written) return written;
  if (::rename(draft.c_str(), record_.c_str()) != 0)
    return fail_errno(errno, "the record of crashes cannot be replaced");
  return {};
}

}  // namespace turnpike::router
