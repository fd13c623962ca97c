#include "base/log.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>

namespace turnpike {
namespace {

// Set while this thread runs a sink. Initial-exec: a load from the thread pointer, in a shared library too.
[[gnu::tls_model("initial-exec")]] constinit thread_local bool in_sink = false;

// This thread is in a sink. A line is often written between a failed call and the look at its errno: that survives.
class InSink {
 public:
  InSink() { in_sink = true; }
  InSink(const InSink&) = delete;
  InSink& operator=(const InSink&) = delete;
  ~InSink() {
    in_sink = false;
    errno = errno_before_;
  }

 private:
  int errno_before_ = errno;
};

std::uint64_t read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

namespace detail {
constinit Immortal<Log> process_log_storage;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kNotice:
      return "notice";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      break;
  }
  return "debug";
}

std::uint64_t LogTime::system_monotonic(void*) { return read_clock(CLOCK_MONOTONIC); }
std::uint64_t LogTime::system_wall(void*) { return read_clock(CLOCK_REALTIME); }

// ---------------------------------------------------------------------------------------------------------------------
// The limit of a call site. The interval's number and the lines admitted in it share a word: a thread that finds the
// word in an earlier interval starts the new one with the same compare-and-swap that admits its line, so a limit of N
// admits exactly N however many threads come at once. The number keeps 40 bits, 34 years at the shortest interval.

namespace {
constexpr unsigned kLineBits = 24;
constexpr std::uint64_t kLineMask = (std::uint64_t{1} << kLineBits) - 1;
}  // namespace

std::uint64_t LogSite::interval_at(std::uint64_t now_ns) const {
  const std::uint64_t length = std::uint64_t{std::max(limit_.interval_ms, 1U)} * 1'000'000;
  return (now_ns / length + 1) & (~std::uint64_t{0} >> kLineBits);  // never 0: that is a site that has not spoken yet
}

bool LogSite::admit(std::uint64_t now_ns) {
  if (limit_.lines == 0) return true;
  const std::uint64_t interval = interval_at(now_ns);
  const std::uint64_t most = std::min<std::uint64_t>(limit_.lines, kLineMask);
  std::uint64_t seen = admitted_.load(std::memory_order_relaxed);
  for (;;) {
    const bool fresh =
        interval > seen >> kLineBits;  // a thread that read its clock earlier counts into the newer interval
    if (!fresh && (seen & kLineMask) >= most) return false;
    const std::uint64_t wanted = fresh ? (interval << kLineBits | 1) : seen + 1;
    if (admitted_.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) return true;
  }
}

bool LogSite::interval_is_over(std::uint64_t now_ns) const {
  return interval_at(now_ns) > admitted_.load(std::memory_order_relaxed) >> kLineBits;
}

void Log::suppress(LogSite& site) noexcept {
  suppressed_.fetch_add(1, std::memory_order_relaxed);
  site.suppressed_.fetch_add(1, std::memory_order_release);
  if (!site.waits_.exchange(true, std::memory_order_acq_rel)) wait_to_tell(site);
}

// The sites that have something to tell: a stack onto which anybody pushes and from which one thread takes all, so no
// pop can meet a node that has left and come back.
void Log::wait_to_tell(LogSite& site) noexcept {
  site.next_ = waiting_.load(std::memory_order_relaxed);
  while (!waiting_.compare_exchange_weak(site.next_, &site, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void Log::tell_suppressed(std::uint64_t now_ns) noexcept {
  if (waiting_.load(std::memory_order_relaxed) == nullptr) return;
  LogSite* next = nullptr;
  for (LogSite* site = waiting_.exchange(nullptr, std::memory_order_acquire); site != nullptr; site = next) {
    next = site->next_;
    if (now_ns != kEndOfTime && !site->interval_is_over(now_ns)) {
      wait_to_tell(*site);
      continue;
    }
    site->waits_.store(false, std::memory_order_release);  // before the count is taken: who comes after counts anew
    const std::uint64_t times = site->suppressed_.exchange(0, std::memory_order_acq_rel);
    if (times == 0) continue;
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(), "%.200s: suppressed %llu times", site->message_,
                  static_cast<unsigned long long>(times));
    const LogField field("suppressed", times);
    deliver({site->level_, site->room_, text.data(), {&field, 1}, time_.wall_ns(time_.context)});
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Records on their way to the sinks.

void Log::write(LogSite& site, std::initializer_list<LogField> fields) noexcept {
  if (in_sink) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t now = time_.monotonic_ns(time_.context);
  tell_suppressed(now);
  if (!site.admit(now)) return suppress(site);
  deliver({site.level_, site.room_, site.message_, {fields.begin(), fields.size()}, time_.wall_ns(time_.context)});
}

Result<void> Log::write(LogLevel level, std::string_view room, std::string_view message,
                        std::span<const LogField> fields) noexcept {
  if (!is_valid(level)) return fail(ErrorKind::kInvalidArgument, "no such log level");
  if (in_sink) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return fail(ErrorKind::kBusy, "a log sink may not log");
  }
  if (!enabled(level)) return {};
  tell_suppressed(time_.monotonic_ns(time_.context));
  deliver({level, room, message, fields, time_.wall_ns(time_.context)});
  return {};
}

void Log::deliver(const LogRecord& record) noexcept {
  for (Slot& slot : slots_) {
    if (static_cast<int>(record.level) <= slot.level.load(std::memory_order_relaxed)) write_to(slot, record);
  }
}

void Log::write_to(Slot& slot, const LogRecord& record) noexcept {
  const std::lock_guard lock(slot.writing);
  // Again, now that we have the slot: it may have changed hands while we waited.
  if (slot.sink == nullptr || static_cast<int>(record.level) > slot.level.load(std::memory_order_relaxed)) return;
  if (slot.lost != 0) {
    const LogField field("lost", slot.lost);
    const LogRecord confession{LogLevel::kWarning, "log", "lines were lost here", {&field, 1}, record.wall_ns};
    if (attempt(slot, confession)) slot.lost = 0;
  }
  // Where the confession does not get through the line is not tried: the order of the two is what makes it true.
  if (slot.lost != 0 || !attempt(slot, record)) {
    ++slot.lost;
    lost_.fetch_add(1, std::memory_order_relaxed);
  }
}

bool Log::attempt(Slot& slot, const LogRecord& record) noexcept {
  const InSink here;
  try {
    return slot.sink->write(record);
  } catch (...) {  // out of memory, or a callback's own exception: either way the line is lost and counted
    return false;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Opening and closing. `settings_` says which slots are in use and at which level; a slot's own mutex guards its sink.
// The two are never held together, so a sink that waits cannot keep anybody from opening another.

Log::~Log() {
  for (std::uint32_t i = 0; i < kMaxSinks; ++i) {
    if (slots_[i].taken) static_cast<void>(close({i, slots_[i].generation}));
  }
  tell_suppressed(kEndOfTime);  // to nobody, if every sink is gone: but no call site may keep a pointer to us
}

bool Log::is_open(LogSinkId id) const {
  return id.index < kMaxSinks && id.generation % 2 == 1 && slots_[id.index].generation == id.generation;
}

void Log::set_level_of(Slot& slot, int level) {
  slot.level.store(level, std::memory_order_relaxed);
  int most = kNone;
  for (const Slot& each : slots_) most = std::max(most, each.level.load(std::memory_order_relaxed));
  threshold_.store(most, std::memory_order_relaxed);
}

Result<LogSinkId> Log::open(std::unique_ptr<LogSink> sink, LogLevel level) noexcept {
  if (sink == nullptr) return fail(ErrorKind::kInvalidArgument, "no log sink");
  if (!is_valid(level)) return fail(ErrorKind::kInvalidArgument, "no such log level");
  Slot* slot = nullptr;
  {
    const std::lock_guard lock(settings_);
    slot = std::ranges::find_if(slots_, [](const Slot& each) { return !each.taken; });
    if (slot == slots_.end()) return fail(ErrorKind::kExhausted, "too many log sinks are open");
    slot->taken = true;
  }
  {
    const std::lock_guard lock(slot->writing);
    slot->sink = std::move(sink);
    slot->lost = 0;
  }
  const std::lock_guard lock(settings_);
  ++slot->generation;
  set_level_of(*slot, static_cast<int>(level));
  return LogSinkId{static_cast<std::uint32_t>(slot - slots_.begin()), slot->generation};
}

Result<void> Log::set_level(LogSinkId id, LogLevel level) noexcept {
  if (!is_valid(level)) return fail(ErrorKind::kInvalidArgument, "no such log level");
  const std::lock_guard lock(settings_);
  if (!is_open(id)) return fail(ErrorKind::kInvalidHandle, "this log sink is not open");
  set_level_of(slots_[id.index], static_cast<int>(level));
  return {};
}

Result<void> Log::close(LogSinkId id) noexcept {
  if (in_sink) return fail(ErrorKind::kBusy, "a log sink may not close one");
  {
    const std::lock_guard lock(settings_);
    if (!is_open(id)) return fail(ErrorKind::kInvalidHandle, "this log sink is not open");
  }
  tell_suppressed(kEndOfTime);
  Slot& slot = slots_[id.index];
  {
    const std::lock_guard lock(settings_);
    if (!is_open(id)) return fail(ErrorKind::kInvalidHandle, "this log sink is not open");  // another was faster
    ++slot.generation;
    set_level_of(slot, kNone);
  }
  std::unique_ptr<LogSink> sink;
  {
    const std::lock_guard lock(slot.writing);
    sink = std::move(slot.sink);
  }
  sink.reset();
  const std::lock_guard lock(settings_);
  slot.taken = false;
  return {};
}

LogStats Log::stats() const noexcept {
  return {lost_.load(std::memory_order_relaxed), suppressed_.load(std::memory_order_relaxed)};
}

}  // namespace turnpike
