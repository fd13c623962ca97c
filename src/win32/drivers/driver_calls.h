// Which code of drivers is called on threads of ours, now or soon: by timers and work items. A shared object may be
// unmapped only when nothing comes into it any more (turnpike/drivers.h).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace turnpike::win32 {

// Where a shared object lies.
class CodeRange {
 public:
  static std::optional<CodeRange> around(const void* inside);
  [[nodiscard]] bool holds(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at >= begin_ && at < end_;
  }

 private:
  CodeRange(std::uintptr_t begin, std::uintptr_t end) : begin_(begin), end_(end) {}
  std::uintptr_t begin_, end_;
};

class DriverCalls {
 public:
  class Running;

  static DriverCalls& instance();

  void begin(const void* code);  // when it is decided that the call will come
  void end(const void* code);    // when it has returned

  // Waits for those of code in that range. False: after that time some are left, or this is called inside one.
  bool await_none(const CodeRange& range, std::chrono::milliseconds patience);

 private:
  static thread_local const void* running_;  // on this thread, the innermost

  std::mutex mutex_;
  std::condition_variable ended_;
  std::map<const void*, std::uint32_t> calls_;
};

// While a call that has begun runs; ends it.
class DriverCalls::Running {
 public:
  explicit Running(const void* code) : code_(code), outer_(std::exchange(running_, code)) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    running_ = outer_;
    instance().end(code_);
  }

 private:
  const void* const code_;
  const void* const outer_;
};

}  // namespace turnpike::win32
