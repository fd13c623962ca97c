// The sinks that Turnpike brings. None of them waits: where a write would, the line is lost and the Log counts it.
#pragma once

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/log_text.h"

namespace turnpike {

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

// Lines for a person on standard error (descriptor 2, whatever that is when a line is written: a host may redirect it).
// kExhausted: out of memory, here as in the other functions.
Result<std::unique_ptr<LogSink>> make_stderr_sink(LogPrefix prefix) noexcept;

// JSON lines to a copy of `descriptor`; the caller may close his. kInvalidHandle: it is not open for writing.
Result<std::unique_ptr<LogSink>> make_json_sink(int descriptor) noexcept;

// Structured entries for the journal, spoken natively. An empty identifier stands for the program's name.
// kUnsupported: no journal listens at `path`. kInvalidArgument: `path` is null or too long for a socket's address.
Result<std::unique_ptr<LogSink>> make_journal_sink(std::string_view identifier,
                                                   const char* path = kJournalSocket) noexcept;

// Calls `callback` for each record, on the thread that logs; views are valid for the call. What it throws costs the
// line. kInvalidArgument: an empty function.
Result<std::unique_ptr<LogSink>> make_callback_sink(std::function<void(const LogRecord&)> callback) noexcept;

namespace detail {

// Runs `make`, which may run out of memory.
template <class Make>
Result<std::unique_ptr<LogSink>> in_memory(Make make) noexcept try {
  return std::unique_ptr<LogSink>(make());
} catch (const std::bad_alloc&) {
  return fail(ErrorKind::kExhausted, "no memory for a log sink");
}

// A sink's buffer keeps its memory from line to line, unless one line was huge.
inline void trim(std::string& buffer) {
  constexpr std::size_t kKept = 65536;
  if (buffer.capacity() > kKept) std::string().swap(buffer);
}

}  // namespace detail

}  // namespace turnpike
