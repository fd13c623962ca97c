// Entities: who they are, how they come, and who may still name them when they have gone. How they go is sweep.cpp.
#include "rtm/entity.h"

#include "rtm/list.h"
#include "rtm/lock.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_entity() { return fail(ErrorKind::kInvalidHandle, "not the handle of an entity of this table"); }

}  // namespace

Result<Handle> Table::register_entity(Registration registration) {
  const std::lock_guard lock(mutex_);
  const EntityInfo info{config_.instance, config_.family, registration.protocol, registration.protocol_instance};
  ClientIndex free = 0;
  for (ClientIndex i = kMaxClients; i != 0; --i) {
    const Entity* there = entity_at(i);
    if (there == nullptr) {
      free = entity_generations_[i] <= kMaxGeneration ? i : free;
    } else if (there->state != Entity::State::kGone && there->info.protocol == info.protocol &&
               there->info.protocol_instance == info.protocol_instance) {
      return fail(ErrorKind::kAlreadyExists, "an entity of that id is registered");
    }
  }
  if (free == 0) {
    return fail(ErrorKind::kExhausted, "no room for another entity");
  }
  int slot = -1;
  if (registration.reserve_opaque) {
    slot = std::countr_one(opaque_taken_);
    if (static_cast<std::uint32_t>(slot) >= config_.opaque_slots) {
      return fail(ErrorKind::kExhausted, "every opaque slot is taken");
    }
  }
  v1_.expect_client();
  const Handle handle = make_handle(Kind::kEntity, id_, entity_generations_[free], free);
  Entity* entity = std::make_unique<Entity>(info, free, handle, std::move(registration), slot).release();
  entities_[free].store(entity, std::memory_order_release);
  opaque_taken_ |= slot >= 0 ? 1U << slot : 0;
  ++entity_count_;
  ++live_entities_;
  v1_.welcome(*entity);
  announce_to_others(EventType::kEntityRegistered, *entity);
  return entity->caller;
}

bool Table::has_clients() const {
  const std::lock_guard lock(mutex_);
  return live_entities_ != 0;
}

Result<void> Table::for_each_entity(Handle self,
                                    const std::function<bool(std::size_t, Handle, const EntityInfo&)>& visit) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    const std::lock_guard lock(mutex_);
    std::size_t total = 0;
    const auto live = [&](ClientIndex i) {
      const Entity* entity = entity_at(i);
      return entity != nullptr && entity->state == Entity::State::kLive ? entity : nullptr;
    };
    for (ClientIndex i = 1; i <= kMaxClients; ++i) {
      total += live(i) != nullptr ? 1 : 0;
    }
    for (ClientIndex i = 1; i <= kMaxClients; ++i) {
      if (const Entity* entity = live(i); entity != nullptr && visit(total, entity->handle, entity->info)) {
        client.references.take(i);
      }
    }
    return {};
  });
}

Result<EntityInfo> Table::entity_info(Handle self, Handle entity) {
  return attempt(self, [&](Entity&, Blocked&) -> Result<EntityInfo> {
    const Entity* found = find_entity(entity);
    return found != nullptr ? Result<EntityInfo>(found->info) : bad_entity();
  });
}

bool Table::is_client(Handle self) {
  const Epoch::Reader reading(epoch_);
  return find_caller(self) != nullptr;
}

bool Table::is_alive(Kind kind, Handle handle) {
  const Epoch::Reader reading(epoch_);
  return kind == Kind::kEntity ? find_entity(handle) != nullptr : find(kind, handle) != 0;
}

void Table::unpin(Entity& entity, std::uint64_t count) {
  entity.pins -= count;
  collect_entity(entity);
}

// Frees one that has left, if nothing names it any more: under the lock, after its last pin or the release of a
// reference. Nobody can take a reference meanwhile: that needs a handle that somebody holds, or a route of it, which
// pins.
void Table::collect_entity(Entity& entity) {
  if (entity.state.load(std::memory_order_relaxed) != Entity::State::kGone || entity.pins != 0) {
    return;
  }
  for (ClientIndex i = 1; i <= kMaxClients; ++i) {
    if (const Entity* holder = entity_at(i); holder != nullptr && holder->references.held(entity.index) != 0) {
      return;
    }
  }
  entities_[entity.index].store(nullptr, std::memory_order_release);
  ++entity_generations_[entity.index];
  --entity_count_;
  limbo_.retire(std::unique_ptr<Entity>(&entity));
}

// Waits, while the call that was blocked reads nothing. The call is then tried again from its beginning, which finds
// out what has become of its handles.
void Table::wait_until_free(Handle self, const Blocked& blocked) {
  Lock lock(mutex_);
  Entity* client = find_caller(self);
  if (client == nullptr) {
    return;
  }
  ++client->waiting;
  woken_.wait(lock, [&] {
    return client->state.load(std::memory_order_relaxed) != Entity::State::kLive || !is_blocked(blocked);
  });
  --client->waiting;
  woken_.notify_all();  // a deregistration may wait for this call
}

}  // namespace turnpike::rtm
