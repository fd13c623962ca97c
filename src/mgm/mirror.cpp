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

void Manager::carry_out_orders() {
  while (true) {
    Entry* entry = nullptr;
    std::unique_ptr<Entry> dead;
    bool was_installed = false;
    {
      const std::lock_guard lock(mutex_);
      if (first_order_ == nullptr) {
        break;
      }
      entry = std::exchange(first_order_, first_order_->next_order);
      last_order_ = first_order_ != nullptr ? last_order_ : nullptr;
      entry->queued = false;
      dead = std::move(entry->own);
      // It counts as installed while the forwarder is busy with it: if it dies, it waits in the queue, and lives as
      // long as this loop needs it.
      was_installed = dead != nullptr ? entry->installed : std::exchange(entry->installed, true);
    }
    dead != nullptr ? retire(*dead) : put(*entry, was_installed);
  }
  for (Vif vif = next_leaving_vif(); vif != kNoVif; vif = next_leaving_vif()) {
    if (const auto removed = ports_.forwarder.remove_vif(vif); !removed) {
      note_refusal(removed.error(), "the forwarder did not remove a virtual interface");
    }
    const std::lock_guard lock(mutex_);
    vifs_[vif] = VifState::kFree;
  }
}

Vif Manager::next_leaving_vif() {
  const std::lock_guard lock(mutex_);
  if (first_order_ != nullptr) {  // an entry may still name it: whoever queued that comes here too
    return kNoVif;
  }
  const auto at = std::find(vifs_.begin(), vifs_.end(), VifState::kLeaving);
  has_leaving_vif_ = at != vifs_.end();
  return at != vifs_.end() ? static_cast<Vif>(at - vifs_.begin()) : kNoVif;
}

void Manager::put(Entry& entry, bool was_installed) {
  Result<FlowCounters> counters = FlowCounters{};
  if (was_installed) {
    counters = ports_.forwarder.counters(entry.flow);
  }
  ForwarderEntry wanted{.flow = entry.flow, .parent = kNoVif, .out = {}};
  {
    const std::lock_guard lock(mutex_);
    if (entry.state != Entry::State::kLive) {
      entry.installed = was_installed;
      return;
    }
    if (counters && was_installed) {
      entry.count(*counters);
    }
    prepare(entry, wanted);
  }
  const auto done = ports_.forwarder.put(wanted);
  if (done && entry.refused == 0) {  // written here alone
    return;
  }
  const std::lock_guard lock(mutex_);
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

void Manager::retire(Entry& entry) {
  if (entry.installed) {
    if (const auto removed = ports_.forwarder.remove(entry.flow); !removed) {
      note_refusal(removed.error(), "the forwarder did not remove an entry");
    }
  }
}

void Manager::note_refusal(const Error& error, const char* what) {
  TURNPIKE_LOG(LogLevel::kWarning, "mgm", "the forwarder refused", {"what", what}, {"errno", error.system_code});
  const std::lock_guard lock(mutex_);
  ++counts_.forwarder_refusals;
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
