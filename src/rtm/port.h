// Port: what a table needs of the world. src/runtime has the real one; tests and replays have one that they turn by
// hand.
#pragma once

#include <cstdint>

#include "rtm/reference.h"

namespace turnpike::rtm {

class Table;

class Port {
 public:
  Port() = default;
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  virtual ~Port() = default;

  // A clock that never goes back, in nanoseconds; and the wall's, in FILETIME ticks of 100 ns since 1601.
  virtual std::uint64_t nanoseconds() noexcept = 0;
  virtual std::uint64_t file_time() noexcept = 0;

  // Both are called under the table's lock: they only note it and wake somebody.
  // The client has events: somebody is to call table.deliver(client), on a thread that nobody else waits for. Called
  // once until then.
  virtual void events_waiting(Table& table, ClientIndex client) noexcept = 0;
  // table.next_deadline() has become sooner: somebody is to call table.run_deadlines() at that time.
  virtual void deadline_moved(Table& table, std::uint64_t at) noexcept = 0;
};

}  // namespace turnpike::rtm
