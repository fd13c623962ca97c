// Log: what the rooms have to say to the person who runs them, as records that stay structured until a sink writes
// them.
//
//   TURNPIKE_LOG(LogLevel::kWarning, "kernel", "netlink overrun, reading everything again", {"socket", name}, {"lost",
//   n});
//
// A record is a level, a room, a message that never varies, and typed fields that do. A constant message can be
// counted, searched and limited; whatever differs from one line to the next belongs into a field.
//
// Silent unless asked. Turnpike is first a library, and a library that writes where nobody asked for it is a nuisance:
// until its host opens a sink nothing is written anywhere, at any level. A call that no sink wants costs one relaxed
// load and a branch; its fields are not even evaluated.
//
// Never in the way. Logging does not throw, leaves errno alone, and no sink of ours waits: a line that cannot be
// written now (pipe full, journal gone, callback that throws) is lost, the sink counts it, and once the sink works
// again it says so in one line. A call site that talks too much is limited: so many lines in an interval, the rest
// counted and told in one line, "… suppressed K times", with the first line of anybody after the interval has ended, at
// the latest when a sink is closed. Debug lines are not limited: who asks for them asks for all.
//
// Locks. Each sink has its own mutex, held only while that sink writes one line; nothing is locked before. A callback
// may open sinks and change levels. It may not close one: two callbacks that close each other's sink would wait for
// ever, so `close` answers kBusy there. What a callback logs itself is dropped and counted as lost. When `close` has
// returned, the sink's last line is written and no other will be.
//
// One per process. `process_log()` is the one global beside the runtime's object: standard error and the journal belong
// to the process, a destructor has a reason to speak where no context reaches it, and a lost log line changes no
// result. It is never destroyed, so threads that outlive main() may still speak. Tests make a Log of their own.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/immortal.h"
#include "base/result.h"

namespace turnpike {

// The numbers are syslog's. A sink opened at a level writes that level and the graver ones.
enum class LogLevel : std::uint8_t { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6, kDebug = 7 };

[[nodiscard]] constexpr bool is_valid(LogLevel level) { return level >= LogLevel::kError && level <= LogLevel::kDebug; }

// "error" … "debug"; "debug" for a number that is no level.
[[nodiscard]] std::string_view name_of(LogLevel level);

// A field's name: a lower-case letter, then letters, digits and underscores, 40 at most, and not one of the names that
// every record has. So it needs no escaping in any sink, and collides with nothing. Wrong keys do not compile.
class LogKey {
 public:
  constexpr LogKey() = default;  // "none"

  // NOLINTNEXTLINE(google-explicit-constructor): written as a plain literal wherever a field is
  consteval LogKey(const char* name) : name_(name) {
    if (!is_valid(name_)) throw "a log key is [a-z][a-z0-9_]*, at most 40 characters, and no reserved name";
  }

  // The same for a name that comes from outside; none if it is not a valid key. The text must outlive the key.
  [[nodiscard]] static constexpr std::optional<LogKey> checked(std::string_view name) {
    if (!is_valid(name)) return std::nullopt;
    return LogKey(name);
  }

  [[nodiscard]] constexpr std::string_view name() const { return name_; }

 private:
  constexpr explicit LogKey(std::string_view name) : name_(name) {}

  [[nodiscard]] static constexpr bool is_valid(std::string_view name) {
    for (const std::string_view reserved : {"time", "level", "room", "message"}) {
      if (name == reserved) return false;
    }
    if (name.empty() || name.size() > 40 || name[0] < 'a' || name[0] > 'z') return false;
    for (const char c : name) {
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
  }

  std::string_view name_ = "none";
};

using LogValue = std::variant<std::int64_t, std::uint64_t, double, bool, std::string_view>;

// One field, a view: it lives for the call that logs it. Text may hold any bytes; a null `const char*` is empty text.
struct LogField {
  constexpr LogField() = default;  // a place for a field, in an array
  template <class T>
  constexpr LogField(LogKey field_key, const T& field_value) : key(field_key), value(widen(field_value)) {}

  LogKey key;
  LogValue value;

 private:
  template <class T>
  static constexpr LogValue widen(const T& from) {
    static_assert(!std::same_as<T, char>, "a character is neither a number nor text: say which");
    if constexpr (std::same_as<T, bool> || std::same_as<T, LogValue>) {
      return from;
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(from);
    } else if constexpr (std::signed_integral<T>) {
      return std::int64_t{from};
    } else if constexpr (std::unsigned_integral<T>) {
      return std::uint64_t{from};
    } else if constexpr (std::convertible_to<const T&, const char*>) {
      const char* const text = from;
      return text != nullptr ? std::string_view(text) : std::string_view();
    } else if constexpr (requires { std::string_view(from.view()); }) {
      return std::string_view(from.view());  // net's texts: {"prefix", to_text(prefix)}
    } else {
      return std::string_view(from);
    }
  }
};

struct LogRecord {
  LogLevel level;
  std::string_view room;
  std::string_view message;
  std::span<const LogField> fields;
  std::uint64_t wall_ns;  // since 1970, UTC
};

// Where records go. Called for one record at a time; never after `Log::close` has returned.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;

  // False (or an exception): the line is lost, and the Log counts it. Must not wait for anybody.
  virtual bool write(const LogRecord& record) = 0;
};

// At most `lines` in each span of `interval_ms` (spans are counted from the clock's zero); `lines` 0: no limit.
struct LogLimit {
  std::uint32_t lines = 10;
  std::uint32_t interval_ms = 5000;

  [[nodiscard]] static constexpr LogLimit usual_for(LogLevel level) {
    return level == LogLevel::kDebug ? LogLimit{0, 0} : LogLimit{};
  }
};

// A place in the source that logs: what is constant there, and its share of the limit. Static, made by the macros
// below.
class LogSite {
 public:
  constexpr LogSite(LogLevel level, const char* room, const char* message, LogLimit limit)
      : level_(level), room_(room), message_(message), limit_(limit) {}

 private:
  friend class Log;

  [[nodiscard]] std::uint64_t interval_at(std::uint64_t now_ns) const;
  [[nodiscard]] bool admit(std::uint64_t now_ns);
  [[nodiscard]] bool interval_is_over(std::uint64_t now_ns) const;

  const LogLevel level_;
  const char* const room_;
  const char* const message_;
  const LogLimit limit_;
  std::atomic<std::uint64_t> admitted_{0};  // the number of an interval, and the lines admitted in it: one word, exact
  std::atomic<std::uint64_t> suppressed_{0};  // not told yet
  std::atomic<bool> waits_{false};            // in the Log's list of sites that have something to tell
  LogSite* next_ = nullptr;                   // in that list
};

// Where a Log takes its time from: two plain functions, so that a constant can hold them and a test can turn them.
struct LogTime {
  static std::uint64_t system_monotonic(void*);
  static std::uint64_t system_wall(void*);

  std::uint64_t (*monotonic_ns)(void* context) = system_monotonic;
  std::uint64_t (*wall_ns)(void* context) = system_wall;
  void* context = nullptr;
};

struct LogSinkId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;  // never 0 for a sink that was opened
};

struct LogStats {
  std::uint64_t lost = 0;        // lines that a sink could not write, summed over the sinks
  std::uint64_t suppressed = 0;  // lines that a call site's limit held back
};

class Log {
 public:
  static constexpr std::uint32_t kMaxSinks = 8;

  constexpr Log() = default;
  constexpr explicit Log(const LogTime& time) : time_(time) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();  // closes every sink; nobody may be logging

  // Does any sink want this level? One relaxed load.
  [[nodiscard]] bool enabled(LogLevel level) const noexcept {
    return static_cast<int>(level) <= threshold_.load(std::memory_order_relaxed);
  }

  // Adds a sink. kInvalidArgument: no sink, or no such level. kExhausted: kMaxSinks are open.
  Result<LogSinkId> open(std::unique_ptr<LogSink> sink, LogLevel level) noexcept;

  // kInvalidHandle: not open (any more). kInvalidArgument: no such level.
  Result<void> set_level(LogSinkId id, LogLevel level) noexcept;

  // Tells what is still to tell, waits for the line being written, and destroys the sink.
  // kInvalidHandle: not open (any more). kBusy: called by a sink.
  Result<void> close(LogSinkId id) noexcept;

  // What the macros call. The site's limit applies.
  void write(LogSite& site, std::initializer_list<LogField> fields) noexcept;

  // Without a site and thus without a limit, for lines that come through the C face. kBusy: called by a sink.
  // kInvalidArgument: no such level. That nobody listens, or that a sink lost it, is no error of the caller.
  Result<void> write(LogLevel level, std::string_view room, std::string_view message,
                     std::span<const LogField> fields) noexcept;

  [[nodiscard]] LogStats stats() const noexcept;

 private:
  static constexpr int kNone = -1;
  static constexpr std::uint64_t kEndOfTime = ~std::uint64_t{0};

  struct Slot {
    std::atomic<int> level{kNone};  // written under settings_
    std::uint32_t generation = 0;   // under settings_; odd while open
    bool taken = false;             // under settings_; outlasts `open` until the sink is gone
    std::mutex writing;
    std::unique_ptr<LogSink> sink;  // under writing
    std::uint64_t lost = 0;         // under writing; since the last line that was written
  };

  [[nodiscard]] bool is_open(LogSinkId id) const;
  void set_level_of(Slot& slot, int level);
  void deliver(const LogRecord& record) noexcept;
  void write_to(Slot& slot, const LogRecord& record) noexcept;
  bool attempt(Slot& slot, const LogRecord& record) noexcept;
  void suppress(LogSite& site) noexcept;
  void wait_to_tell(LogSite& site) noexcept;
  void tell_suppressed(std::uint64_t now_ns) noexcept;

  std::atomic<int> threshold_{kNone};  // the most talkative sink's level
  LogTime time_{};
  std::atomic<LogSite*> waiting_{nullptr};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> suppressed_{0};
  std::mutex settings_;  // never held while anything is written; taken last
  std::array<Slot, kMaxSinks> slots_{};
};

namespace detail {

extern constinit Immortal<Log> process_log_storage;

}  // namespace detail

[[nodiscard]] inline Log& process_log() { return detail::process_log_storage.value; }

// Log a record: level, room and message are constants, then come fields, each {"key", value}.
#define TURNPIKE_LOG(level, room, message, ...) \
  TURNPIKE_LOG_TO(::turnpike::process_log(), level, room, message __VA_OPT__(, ) __VA_ARGS__)

#define TURNPIKE_LOG_TO(log, level, room, message, ...) \
  TURNPIKE_LOG_LIMITED(log, ::turnpike::LogLimit::usual_for(level), level, room, message __VA_OPT__(, ) __VA_ARGS__)

#define TURNPIKE_LOG_LIMITED(log, limit, level, room, message, ...)                          \
  do {                                                                                       \
    if ((log).enabled(level)) {                                                              \
      static constinit ::turnpike::LogSite turnpike_log_site{level, room, message, (limit)}; \
      (log).write(turnpike_log_site, {__VA_ARGS__});                                         \
    }                                                                                        \
  } while (false)

}  // namespace turnpike
