// The mirror: keeps the forwarder as the entries want it.
//
// The forwarder's port may take its time (the kernel takes a lock that others hold for milliseconds), so it is never
// called under the manager's lock. What is to be done is queued under that lock as orders, and carried out in their
// order by whoever holds forwarder_mutex_: usually the thread that caused them, which does not come back to its caller
// before they are done. An order is an entry in a list through the entries, so giving one cannot fail; it says "this
// entry", not what it shall be, so several changes while it waits are one call, and one that dies is taken out and
// freed in its place. Virtual interfaces go when no order is left that may name them.
//
// What the forwarder refuses stays wanted: the entry remembers the errno and is tried again, when it changes, when the
// forwarder asks for its flow, and after Config::retry.
#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "base/log.h"
#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

void log_refusal(const Result<void>& done, const char* what) {
  if (!done) {
    TURNPIKE_LOG(LogLevel::kWarning, "mgm", "the forwarder refused", {"what", what},
                 {"errno", done.error().system_code});
  }
}

}  // namespace

void Manager::mark(Entry& entry) noexcept {
  if (entry.queued) {
    return;
  }
  entry.queued = true;
  entry.next_order = nullptr;
  (last_order_ != nullptr ? last_order_->next_order : first_order_) = &entry;
  last_order_ = &entry;
}

void Manager::retry_later() {
  if (!retry_at_) {
    retry_at_ = later(ports_.clock.now(), config_.retry);
    ports_.alarm.deadline_moved(*retry_at_);
  }
}

void Manager::mirror() {
  const std::lock_guard turn(forwarder_mutex_);
  carry_out_orders();
}

// Comes and goes without the manager's lock, and gives it up only while the forwarder works: taking an order, making
// out what it asks for, and noting what became of the one before are one hold.
void Manager::carry_out_orders() {
  Lock lock(mutex_);
  while (first_order_ != nullptr) {
    Entry& entry = *std::exchange(first_order_, first_order_->next_order);
    last_order_ = first_order_ != nullptr ? last_order_ : nullptr;
    entry.queued = false;
    if (auto dead = std::move(entry.own); dead != nullptr) {
      retire(std::move(dead), lock);
    } else {
      put(entry, lock);
    }
  }
  for (Vif vif = next_leaving_vif(); vif != kNoVif; vif = next_leaving_vif()) {
    lock.unlock();
    const auto removed = ports_.forwarder.remove_vif(vif);
    log_refusal(removed, "the forwarder did not remove a virtual interface");
    lock.lock();
    counts_.forwarder_refusals += removed ? 0 : 1;
    vifs_[vif] = VifState::kFree;
  }
}

Vif Manager::next_leaving_vif() {
  if (!has_leaving_vif_ || first_order_ != nullptr) {  // an entry may still name it: whoever queued that comes here too
    return kNoVif;
  }
  const auto at = std::find(vifs_.begin(), vifs_.end(), VifState::kLeaving);
  has_leaving_vif_ = at != vifs_.end();
  return at != vifs_.end() ? static_cast<Vif>(at - vifs_.begin()) : kNoVif;
}

void Manager::put(Entry& entry, Lock& lock) {
  // It counts as installed while the forwarder is busy with it: if it dies, it waits in the queue, and lives as long as
  // this function needs it.
  const bool was_installed = std::exchange(entry.installed, true);
  if (was_installed) {
    lock.unlock();
    const auto counters = ports_.forwarder.counters(entry.flow);
    lock.lock();
    if (entry.state != Entry::State::kLive) {
      return;
    }
    if (counters) {
      entry.count(*counters);
    }
  }
  ForwarderEntry wanted{.flow = entry.flow, .parent = kNoVif, .out = {}};
  prepare(entry, wanted);
  lock.unlock();
  const auto done = ports_.forwarder.put(wanted);
  lock.lock();
  entry.refused = done ? 0 : done.error().system_code != 0 ? done.error().system_code : EIO;
  if (!done) {
    entry.installed = was_installed;
    ++counts_.forwarder_refusals;
    TURNPIKE_LOG(LogLevel::kWarning, "mgm", "the forwarder refused an entry, which is tried again",
                 {"errno", entry.refused}, {"what", done.error().what});
    retry_later();
  }
}

// Several interfaces may be links of one device, which is one virtual interface.
void Manager::prepare(Entry& entry, ForwarderEntry& wanted) {
  out_vifs_.clear();
  for (Out& out : entry.out) {
    out.installed = true;
    const Vif vif = out.interface->vif;
    if (std::none_of(out_vifs_.begin(), out_vifs_.end(), [&](OutVif each) { return each.vif == vif; })) {
      const auto scope = scopes_.find(out.interface->id.device);
      out_vifs_.push_back({vif, scope != scopes_.end() ? scope->second.threshold : std::uint8_t{1}});
    }
  }
  entry.installed_out = static_cast<std::uint32_t>(entry.out.size());
  wanted.parent = entry.in->vif;
  wanted.out = out_vifs_;
}

void Manager::retire(std::unique_ptr<Entry> dead, Lock& lock) {
  if (!dead->installed) {
    return;
  }
  lock.unlock();
  const auto removed = ports_.forwarder.remove(dead->flow);
  log_refusal(removed, "the forwarder did not remove an entry");
  dead.reset();
  lock.lock();
  counts_.forwarder_refusals += removed ? 0 : 1;
}

Result<Vif> Manager::add_vif(net::InterfaceIndex device) {
  const std::lock_guard turn(forwarder_mutex_);
  carry_out_orders();  // one that goes has gone first
  Vif vif = 0;
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = devices_.find(device); known != devices_.end()) {
      ++known->second.users;
      return known->second.vif;
    }
    vif = static_cast<Vif>(std::find(vifs_.begin(), vifs_.end(), VifState::kFree) - vifs_.begin());
    if (vif == vifs_.size()) {
      return fail_errno(ENFILE, "the forwarder has no virtual interface left");
    }
    try {
      devices_[device] = {vif, 1};
    } catch (const std::bad_alloc&) {
      return fail(ErrorKind::kExhausted, "no memory for a device");
    }
    vifs_[vif] = VifState::kUsed;
  }
  if (const auto added = ports_.forwarder.add_vif(vif, device); !added) {
    const std::lock_guard lock(mutex_);
    ++counts_.forwarder_refusals;
    vifs_[vif] = VifState::kFree;
    devices_.erase(device);
    return tl::unexpected(added.error());
  }
  return vif;
}

void Manager::give_up_vif(net::InterfaceIndex device) {
  const auto held = devices_.find(device);
  if (--held->second.users == 0) {
    vifs_[held->second.vif] = VifState::kLeaving;
    has_leaving_vif_ = true;
    devices_.erase(held);
  }
}

}  // namespace turnpike::mgm
