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

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";

Result<void> write_whole(const std::string& file, int flags, const std::string& text) {
  const Descriptor descriptor(::open(file.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!descriptor.is_open()) return fail_errno(errno, "the record of crashes cannot be opened");
  const ssize_t written = ::write(descriptor.number(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) return fail_errno(errno, "the record of crashes cannot be written");
  return {};
}

// The machine's run; all runs are one where the kernel does not say.
std::string this_run() {
  std::string id;
  std::ifstream(kBootId) >> id;
  return id.empty() ? "-" : id;
}

// Another one when the file was replaced or written to.
std::string file_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return "-";
  return std::to_string(status.st_ino) + ':' + std::to_string(status.st_ctim.tv_sec) + '.' +
         std::to_string(status.st_ctim.tv_nsec);
}

}  // namespace

CrashLine crash_line(const std::string& module_path) {
  return {this_run() + ' ', ' ' + file_of(module_path) + ' ' + module_path + '\n'};
}

std::vector<Quarantine::Crash> Quarantine::crashes() const {
  const std::string run = this_run();
  std::vector<Crash> result;
  std::ifstream file(record_);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string its_run;
    std::int64_t at = 0;
    Crash crash;
    // A time that no clock shows: not a line of ours.
    if (words >> its_run >> at >> crash.file && its_run == run && at >= 0 && at < 4'000'000'000 && words.get() == ' ' &&
        std::getline(words, crash.path) && !crash.path.empty()) {
      crash.at = MonotonicTime{seconds(at)};
      crash.line = line + '\n';
      result.push_back(std::move(crash));
    }
  }
  return result;
}

std::optional<std::string> Quarantine::objection(const std::string& module_path) const {
  const MonotonicTime oldest = clock_.now() - kWindow;
  const std::string file = file_of(module_path);
  const std::vector<Crash> all = crashes();
  const auto counts = [&](const Crash& crash) {
    return crash.path == module_path && crash.file == file && crash.at >= oldest;
  };
  const auto number = std::ranges::count_if(all, counts);
  if (number < kMostCrashes) return std::nullopt;
  return "is in quarantine: it took the router down " + std::to_string(number) + " times in ten minutes";
}

Result<void> Quarantine::add_crash(const std::string& module_path) {
  const CrashLine line = crash_line(module_path);
  const auto at = std::chrono::duration_cast<seconds>(clock_.now().time_since_epoch()).count();
  // A line of its own, even behind half a line.
  return write_whole(record_, O_APPEND, '\n' + line.before + std::to_string(at) + line.after);
}

Result<void> Quarantine::forgive(const std::string& module_path) {
  std::string kept;
  for (const Crash& crash : crashes()) {
    if (crash.path != module_path) kept += crash.line;
  }
  const std::string draft = record_ + ".new";
  if (const Result<void> written = write_whole(draft, O_TRUNC, kept); !written) return written;
  if (::rename(draft.c_str(), record_.c_str()) != 0)
    return fail_errno(errno, "the record of crashes cannot be replaced");
  return {};
}

}  // namespace turnpike::router
