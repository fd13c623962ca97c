#include "mgm/memory_forwarder.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "mgm/manager.h"

namespace turnpike::mgm {

MemoryForwarder::MemoryForwarder(IsDevice is_device, Vif vifs) : is_device_(std::move(is_device)), vifs_(vifs) {}

bool MemoryForwarder::refuses() {
  if (calls_left_ > 0) {
    --calls_left_;
    return false;
  }
  return calls_left_ == 0;
}

net::InterfaceIndex MemoryForwarder::device_of(Vif vif) const {
  return vif < vifs_.size() ? vifs_[vif] : net::InterfaceIndex();
}

Vif MemoryForwarder::vif_of(net::InterfaceIndex device) const {
  const auto at = std::find(vifs_.begin(), vifs_.end(), device);
  return at != vifs_.end() && !device.is_none() ? static_cast<Vif>(at - vifs_.begin()) : kNoVif;
}

Result<void> MemoryForwarder::add_vif(Vif vif, net::InterfaceIndex device) noexcept {
  const std::lock_guard lock(mutex_);
  if (refuses()) {
    return fail_errno(system_code_, "told to refuse a virtual interface");
  }
  if (is_device_ && !is_device_(device)) {
    return fail_errno(ENODEV, "no such device");
  }
  if (vif >= vifs_.size()) {
    return fail_errno(ENFILE, "no such virtual interface");
  }
  if (!vifs_[vif].is_none()) {
    return fail_errno(EADDRINUSE, "the virtual interface is in use");
  }
  vifs_[vif] = device;
  return {};
}

Result<void> MemoryForwarder::remove_vif(Vif vif) noexcept {
  const std::lock_guard lock(mutex_);
  if (device_of(vif).is_none()) {
    return fail_errno(EADDRNOTAVAIL, "no such virtual interface");
  }
  vifs_[vif] = {};
  return {};
}

Result<void> MemoryForwarder::put(const ForwarderEntry& entry) noexcept {
  const std::lock_guard lock(mutex_);
  if (refuses()) {
    return fail_errno(system_code_, "told to refuse an entry");
  }
  try {
    Kept& kept = entries_[entry.flow];
    kept.parent = entry.parent;
    kept.out.assign(entry.out.begin(), entry.out.end());
    if (const auto waiting = unresolved_.find(entry.flow); waiting != unresolved_.end()) {
      for (const Vif arrival : waiting->second) {
        take(kept, arrival, 64, nullptr);
      }
      unresolved_.erase(waiting);
    }
    return {};
  } catch (const std::bad_alloc&) {
    return fail_errno(ENOMEM, "no memory for an entry");
  }
}

Result<void> MemoryForwarder::remove(const Flow& flow) noexcept {
  const std::lock_guard lock(mutex_);
  return entries_.erase(flow) != 0 ? Result<void>() : fail_errno(ENOENT, "no such entry");
}

Result<FlowCounters> MemoryForwarder::counters(const Flow& flow) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(flow);
  if (at == entries_.end()) {
    return fail_errno(EADDRNOTAVAIL, "no such entry");
  }
  return at->second.counters;
}

void MemoryForwarder::take(Kept& kept, Vif arrival, std::uint8_t ttl, std::vector<net::InterfaceIndex>* left) {
  constexpr std::uint64_t kOctets = 100;
  kept.counters.octets += kOctets;
  if (arrival != kept.parent) {
    ++kept.counters.wrong_interface;
    return;
  }
  ++kept.counters.packets;
  for (const OutVif& out : kept.out) {
    if (left != nullptr && ttl > out.threshold) {
      left->push_back(device_of(out.vif));
    }
  }
}

bool MemoryForwarder::packet(Manager& manager, const Flow& flow, net::InterfaceIndex arrival,
                             std::span<const std::byte> header, std::vector<net::InterfaceIndex>* left,
                             std::uint8_t ttl) {
  Vif vif = kNoVif;
  bool is_wrong = false;
  {
    const std::lock_guard lock(mutex_);
    vif = vif_of(arrival);
    if (vif == kNoVif) {
      return false;
    }
    const auto at = entries_.find(flow);
    if (at != entries_.end()) {
      is_wrong = at->second.parent != vif;
      take(at->second, vif, ttl, left);
    } else {
      auto& waiting = unresolved_[flow];
      if (waiting.size() < kWaiting) {
        waiting.push_back(vif);
      }
      if (waiting.size() > 1) {
        return false;
      }
    }
    if (at != entries_.end() && !is_wrong) {
      return true;
    }
  }
  if (is_wrong) {
    manager.wrong_interface(flow, vif, header);
    return true;
  }
  manager.unknown_flow(flow, vif, header);
  const std::lock_guard lock(mutex_);
  unresolved_.erase(flow);  // as if its ten seconds were over, where nothing came of it
  const auto at = entries_.find(flow);
  if (at == entries_.end()) {
    return false;
  }
  for (const OutVif& out : at->second.out) {
    if (left != nullptr && vif == at->second.parent && ttl > out.threshold) {
      left->push_back(device_of(out.vif));
    }
  }
  return true;
}

std::optional<MemoryForwarder::Held> MemoryForwarder::entry(const Flow& flow) const {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(flow);
  if (at == entries_.end()) {
    return std::nullopt;
  }
  Held held{device_of(at->second.parent), {}};
  for (const OutVif& out : at->second.out) {
    held.out.push_back(device_of(out.vif));
  }
  return held;
}

std::vector<net::InterfaceIndex> MemoryForwarder::devices() const {
  const std::lock_guard lock(mutex_);
  std::vector<net::InterfaceIndex> devices;
  std::copy_if(vifs_.begin(), vifs_.end(), std::back_inserter(devices), [](auto each) { return !each.is_none(); });
  return devices;
}

std::size_t MemoryForwarder::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void MemoryForwarder::set_devices(IsDevice is_device) {
  const std::lock_guard lock(mutex_);
  is_device_ = std::move(is_device);
}

void MemoryForwarder::fail_after(int calls, int system_code) {
  const std::lock_guard lock(mutex_);
  calls_left_ = calls;
  system_code_ = system_code;
}

}  // namespace turnpike::mgm
