// The parts of Table that are templates. Included by its source files alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>

#include "rtm/table.h"

namespace turnpike::rtm {

// How many NeverWaits this thread has.
inline thread_local unsigned never_waits = 0;

template <class Run>
auto Table::attempt(Handle self, Run&& run) -> decltype(run(std::declval<Entity&>(), std::declval<Blocked&>())) {
  while (true) {
    Blocked blocked;
    {
      const Epoch::Reader reading(epoch_);
      Entity* client = find_caller(self);
      if (client == nullptr) [[unlikely]] {
        return fail(ErrorKind::kInvalidHandle, "not the handle of a registered client");
      }
      auto result = run(*client, blocked);
      if (!blocked) [[likely]] {
        return result;
      }
      if (never_waits) {
        return fail(ErrorKind::kBusy, "somebody has locked the object");
      }
    }
    wait_until_free(self, blocked);
  }
}

template <class Run>
auto Table::attempt_change(Handle self, Run&& run) -> decltype(run(std::declval<Entity&>(), std::declval<Blocked&>())) {
  Upkeep wanted;
  auto result = attempt(self, [&](Entity& client, Blocked& blocked) {
    const std::lock_guard lock(mutex_);
    auto changed = run(client, blocked);
    wanted = take_upkeep();
    return changed;
  });
  if (wanted.low != nullptr || wanted.has_bags) [[unlikely]] {
    keep_up(wanted);
  }
  return result;
}

inline Entity* Table::find_entity(Handle handle) const {
  const std::uint32_t index = index_of(handle);
  if (kind_of(handle) != Kind::kEntity || table_of(handle) != id_ || index > kMaxClients) {
    return nullptr;
  }
  Entity* entity = entity_at(static_cast<ClientIndex>(index));
  return entity != nullptr && entity->handle == handle ? entity : nullptr;
}

inline Shared<std::uint32_t>& Table::best(const Destination& dest, unsigned view_rank) const {
  const auto behind = reinterpret_cast<std::uintptr_t>(&dest) + sizeof(Destination);
  return reinterpret_cast<Shared<std::uint32_t>*>(behind)[view_rank];
}

template <class F>
void Table::for_each_hop(std::uint64_t hops, F&& visit) {
  if ((hops & 1) != 0) {
    visit(static_cast<std::uint32_t>(hops >> 1));
  } else if (hops != 0) {
    const auto& set = *reinterpret_cast<const HopSet*>(hops);
    for (std::uint32_t i = 0; i < set.count; ++i) {
      visit(set.hops[i]);
    }
  }
}

// visit(view, its rank) for each supported view of a set.
template <class F>
void Table::for_each_view(ViewSet views, F&& visit) const {
  for (ViewSet left = views & config_.views; left != 0; left &= left - 1) {
    const auto view = static_cast<unsigned>(std::countr_zero(left));
    visit(view, rank_of_view(view));
  }
}

// Runs read() until the destination's version was even before and the same after; undo() takes back what a read that
// does not count has done. False if read() says so: the thing is gone.
template <class Read, class Undo>
bool Table::consistently(const Destination& dest, Read&& read, Undo&& undo) {
  constexpr unsigned kTries = 32;
  for (unsigned tries = 0; tries < kTries; ++tries) {
    const std::uint32_t version = dest.version;
    if ((version & 1) != 0) {
      continue;
    }
    const bool good = read();
    if (dest.version == version) [[likely]] {
      return good;
    }
    if (good) {
      undo();
    }
  }
  const std::lock_guard lock(mutex_);
  return read();
}

// What this thread has used of a processor.
inline std::uint64_t busy_nanoseconds() {
  std::timespec now{};
  static_cast<void>(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now));
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

// Long work in short holds of the lock: a tenth of a millisecond each, so that even a step that meets a slow item stays
// well below one. The clock is asked only for every 16th item. A thread that is put to sleep in the middle of a step
// makes others wait for as long: the statistics keep both times, since only one of them is ours.
//
// Rejected: to offer the processor between two steps, once a millisecond, so as not to be put to sleep within one.
// Beside eight other threads on two processors the longest hold was the same by the wall.
template <class Step>
void Table::in_steps(Step&& step) {
  using Clock = std::chrono::steady_clock;
  constexpr auto kHold = std::chrono::microseconds(100);
  for (bool more = true; more;) {
    Upkeep wanted;
    {
      const std::lock_guard lock(mutex_);
      const Clock::time_point begun = Clock::now();
      const std::uint64_t busy_before = busy_nanoseconds();
      unsigned items = 0;
      more = step([&] { return ++items % 16 == 0 && Clock::now() - begun >= kHold; });
      longest_step_busy_ns_ = std::max(longest_step_busy_ns_, busy_nanoseconds() - busy_before);
      const auto held = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count();
      longest_step_ns_ = std::max(longest_step_ns_, static_cast<std::uint64_t>(held));
      ++steps_;
      wanted = take_upkeep();
    }
    keep_up(wanted);
    if (more) {
      mutex_.let_others_in();
    }
  }
}

}  // namespace turnpike::rtm
