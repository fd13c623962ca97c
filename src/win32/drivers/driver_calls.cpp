#include "win32/drivers/driver_calls.h"

#include <link.h>

#include <algorithm>

#include "base/immortal.h"

namespace turnpike::win32 {
namespace {

struct Sought {
  std::uintptr_t inside = 0;
  std::uintptr_t begin = UINTPTR_MAX, end = 0;
};

// Of dl_iterate_phdr(): not 0 ends the walk.
int look(dl_phdr_info* object, std::size_t, void* context) {
  auto& sought = *static_cast<Sought*>(context);
  std::uintptr_t begin = UINTPTR_MAX, end = 0;
  bool found = false;
  for (int at = 0; at < object->dlpi_phnum; ++at) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[at];
    if (segment.p_type != PT_LOAD) continue;
    const std::uintptr_t from = object->dlpi_addr + segment.p_vaddr, to = from + segment.p_memsz;
    found = found || (sought.inside >= from && sought.inside < to);
    begin = std::min(begin, from);
    end = std::max(end, to);
  }
  if (found) sought.begin = begin, sought.end = end;
  return found ? 1 : 0;
}

}  // namespace

std::optional<CodeRange> CodeRange::around(const void* inside) {
  Sought sought{.inside = reinterpret_cast<std::uintptr_t>(inside)};
  if (::dl_iterate_phdr(look, &sought) == 0) return std::nullopt;
  return CodeRange(sought.begin, sought.end);
}

thread_local const void* DriverCalls::running_ = nullptr;

DriverCalls& DriverCalls::instance() {
  static Immortal<DriverCalls> all;  // timers may still run while the process ends
  return all.value;
}

void DriverCalls::begin(const void* code) {
  const std::lock_guard lock(mutex_);
  ++calls_[code];
}

void DriverCalls::end(const void* code) {
  const std::lock_guard lock(mutex_);
  if (const auto found = calls_.find(code); --found->second == 0) calls_.erase(found);
  ended_.notify_all();
}

bool DriverCalls::await_none(const CodeRange& range, std::chrono::milliseconds patience) {
  if (range.holds(running_)) return false;
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, patience, [&] {
    return std::ranges::none_of(calls_, [&](const auto& call) { return range.holds(call.first); });
  });
}

}  // namespace turnpike::win32
