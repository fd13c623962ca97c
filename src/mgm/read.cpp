// What is shown: entries one by one, groups as a snapshot, counts.
#include <algorithm>
#include <new>

#include "mgm/manager.h"

namespace turnpike::mgm {

bool Manager::show(const Entry& entry, EntryImage& image) const {
  const Client* client = entry.in != nullptr ? entry.in->responsible() : nullptr;
  image.flow = entry.flow;
  image.incoming = entry.in->id;
  image.incoming_protocol = client != nullptr ? client->info.protocol : 0;
  image.upstream = entry.upstream;
  image.route = entry.route;
  image.age = ports_.clock.now() - entry.created;
  image.timeout = entry.timeout;
  image.counters = entry.seen;
  image.out_packets = entry.out_packets;
  image.negative_packets = entry.negative_packets;
  image.out.clear();
  for (const Out& out : entry.out) {
    image.out.push_back({out.interface->id, out.packets});
  }
  return true;
}

// The forwarder is asked without the lock; that the entry is still the same is seen by its number. With
// forwarder_mutex_, so that what it has is what the entry says.
void Manager::count(const Flow& flow) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(flow);
    if (at == entries_.end() || !at->second->installed) {
      return;
    }
    number = at->second->number;
  }
  const auto counters = ports_.forwarder.counters(flow);
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(flow);
  if (counters && at != entries_.end() && at->second->number == number) {
    at->second->count(*counters);
  }
}

bool Manager::entry(const Flow& flow, bool with_counters, EntryImage& image) {
  std::unique_lock turn(forwarder_mutex_, std::defer_lock);
  if (with_counters) {
    turn.lock();
    count(flow);
  }
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(flow);
  return at != entries_.end() && at->second->state == Entry::State::kLive && show(*at->second, image);
}

bool Manager::next_entry(const Flow* after, bool with_counters, EntryImage& image) {
  Flow flow;
  {
    const std::lock_guard lock(mutex_);
    auto at = after != nullptr ? entries_.upper_bound(*after) : entries_.begin();
    while (at != entries_.end() && at->second->state != Entry::State::kLive) {
      ++at;
    }
    if (at == entries_.end()) {
      return false;
    }
    if (!with_counters) {
      return show(*at->second, image);
    }
    flow = at->first;
  }
  return entry(flow, true, image) || next_entry(&flow, true, image);  // it may have gone in between
}

Manager::Enumeration* Manager::find_enumeration(Handle handle) {
  const Pin<Enumeration> enumeration = handles_->pin_tagged<Enumeration>(handle, enumeration_tag());
  return enumeration.get();
}

Result<Handle> Manager::start_groups(Handle self, bool all_sources) {
  const std::lock_guard lock(mutex_);
  Client* client = find_client(self);
  if (client == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such client");
  }
  try {
    auto enumeration = std::make_unique<Enumeration>();
    for (const auto& [flow, group] : memberships_.groups()) {
      const bool is_of_last = !enumeration->flows.empty() && enumeration->flows.back().group == flow.group;
      if (all_sources || (!flow.any_source() && !is_of_last)) {
        enumeration->flows.push_back(flow);
      }
    }
    const auto handle = handles_->add(enumeration_tag(), enumeration.get(), OwnerId(client->number));
    if (handle) {
      static_cast<void>(enumeration.release());  // the table's from here on
    }
    return handle;
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for an enumeration");
  }
}

Result<bool> Manager::next_groups(Handle handle, std::size_t room, const std::function<void(const Flow&)>& visit) {
  const std::lock_guard lock(mutex_);
  Enumeration* enumeration = find_enumeration(handle);
  if (enumeration == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such enumeration");
  }
  const std::size_t left = enumeration->flows.size() - enumeration->next;
  if (left != 0 && room == 0) {
    return fail(ErrorKind::kBufferTooSmall, "no room for one group");
  }
  const std::size_t end = enumeration->next + std::min(left, room);
  while (enumeration->next != end) {
    visit(enumeration->flows[enumeration->next++]);
  }
  return end != enumeration->flows.size();
}

Result<void> Manager::end_groups(Handle enumeration) {
  const std::lock_guard lock(mutex_);
  if (find_enumeration(enumeration) == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "no such enumeration");
  }
  return handles_->remove(enumeration);
}

Status Manager::status() const {
  const std::lock_guard lock(mutex_);
  Status status = counts_;
  status.clients = clients_.size();
  status.interfaces = interfaces_.size();
  status.memberships = memberships_.size();
  status.entries = entries_.size();
  status.enumerations = handles_->census().of(enumeration_tag());
  return status;
}

}  // namespace turnpike::mgm
