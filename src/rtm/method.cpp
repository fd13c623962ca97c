// Methods: the gate before the functions that a client exports to others.
//
// The table keeps the pointers and says when they may be called; the face calls them, on the invoker's thread, between
// `enter_methods` and `leave_methods`. The gate is closed while the exporter has blocked it (then the invoker waits)
// and, once the exporter begins to leave, for ever.
#include <algorithm>

#include "rtm/list.h"
#include "rtm/lock.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_target() { return fail(ErrorKind::kInvalidHandle, "not the handle of a registered entity"); }

}  // namespace

Result<std::vector<AnyFunction>> Table::entity_methods(Handle self, Handle entity) {
  return attempt(self, [&](Entity&, Blocked&) -> Result<std::vector<AnyFunction>> {
    const Entity* target = find_caller(entity);
    return target != nullptr ? Result<std::vector<AnyFunction>>(target->methods) : bad_target();
  });
}

Result<std::span<const AnyFunction>> Table::enter_methods(Handle self, Handle target) {
  return attempt(self, [&](Entity&, Blocked& blocked) -> Result<std::span<const AnyFunction>> {
    const std::lock_guard lock(mutex_);
    Entity* callee = find_caller(target);
    if (callee == nullptr) {
      return bad_target();
    }
    if (callee->methods_blocked) {
      blocked = {Blocked::On::kMethods, Kind::kEntity, callee->index, generation_of(callee->handle)};
      return {};
    }
    callee->running.push_back(this_thread_number());
    ++callee->pins;
    return std::span(callee->methods);
  });
}

void Table::leave_methods(Handle target) {
  const Epoch::Reader reading(epoch_);
  const std::lock_guard lock(mutex_);
  Entity& callee = *find_entity(target);  // pinned by enter_methods
  callee.running.erase(std::find(callee.running.begin(), callee.running.end(), this_thread_number()));
  woken_.notify_all();
  unpin(callee);
}

bool Table::only_this_thread_runs(const Entity& entity) {
  return std::all_of(entity.running.begin(), entity.running.end(),
                     [me = this_thread_number()](std::uint64_t thread) { return thread == me; });
}

bool Table::runs_own_method(Handle self) {
  const Epoch::Reader reading(epoch_);
  const std::lock_guard lock(mutex_);
  const Entity* client = find_caller(self);
  return client != nullptr && std::count(client->running.begin(), client->running.end(), this_thread_number()) != 0;
}

Result<void> Table::block_methods(Handle self, bool block) {
  Lock lock(mutex_);
  Entity* client = find_caller(self);
  if (client == nullptr) {
    return bad_target();
  }
  client->methods_blocked = block;
  woken_.notify_all();
  if (block) {
    ++client->waiting;
    woken_.wait(lock, [&] {
      return only_this_thread_runs(*client) || client->state.load(std::memory_order_relaxed) != Entity::State::kLive;
    });
    --client->waiting;
    woken_.notify_all();
  }
  return {};
}

}  // namespace turnpike::rtm
