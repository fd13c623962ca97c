// LogCapture: what a Log says while this object lives, for a test to look at.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/log_sinks.h"

namespace turnpike {

class LogCapture {
 public:
  // Opens a sink on `log`, which must outlive this object; `is_open` is false if the Log has no slot left.
  explicit LogCapture(Log& log, LogLevel level = LogLevel::kDebug) : log_(log) {
    auto sink = make_callback_sink([this](const LogRecord& record) { keep(record); });
    if (sink) id_ = log_.open(std::move(*sink), level);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  ~LogCapture() {
    if (id_) static_cast<void>(log_.close(*id_));
  }

  [[nodiscard]] bool is_open() const { return id_.has_value(); }

  // A copy of the lines so far, in the human form: "<4>kernel: netlink overrun socket=3", without the newline.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void keep(const LogRecord& record) {
    std::string line;
    append_human(line, record, LogPrefix::kPriority);
    line.pop_back();
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }

  Log& log_;
  Result<LogSinkId> id_ = fail(ErrorKind::kInternal, "not opened");
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace turnpike
