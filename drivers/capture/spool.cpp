#include "spool.h"

#include <utility>

namespace capture {

Spool::Spool(const Limits& limits) : limits_(limits) { waiting_.blocks.reserve(limits.bytes); }

std::uint32_t Spool::add_interface(Interface interface) {
  const std::lock_guard lock(mutex_);
  interface.snap_length = limits_.snap_length;
  waiting_.interfaces.push_back(std::move(interface));
  counts_.emplace_back();
  return static_cast<std::uint32_t>(counts_.size() - 1);
}

void Spool::add(const Packet& packet) {
  const std::lock_guard lock(mutex_);
  if (limits_.frames != 0 && frames_ == limits_.frames) return;
  Counts& counts = counts_[packet.interface];
  ++counts.received;
  const std::size_t size = block_size_of(captured_of(packet, limits_.snap_length));
  if (waiting_.blocks.size() + size > limits_.bytes) {
    ++counts.dropped;
    return;
  }
  put_packet(waiting_.blocks, packet, limits_.snap_length);
  ++frames_;
}

bool Spool::take(Batch& into) {
  into.interfaces.clear();
  into.blocks.clear();
  into.blocks.reserve(limits_.bytes);
  const std::lock_guard lock(mutex_);
  std::swap(into, waiting_);
  return !into.interfaces.empty() || !into.blocks.empty();
}

bool Spool::is_complete() const {
  const std::lock_guard lock(mutex_);
  return limits_.frames != 0 && frames_ == limits_.frames;
}

Spool::Counts Spool::counts(std::uint32_t interface) const {
  const std::lock_guard lock(mutex_);
  return counts_[interface];
}

}  // namespace capture
