// Frames that were sent here and are to be seen here (section A.7): an adapter never shows us what we sent.
//
// Who sends copies them into a queue of the adapter; the data thread takes the whole queue, shows it, and leaves its
// memory for the next time. There are two such pieces of memory, so in steady state nothing is allocated, and who sends
// never waits for a driver that receives.
#include <algorithm>

#include "ndis/engine.h"
#include "ndis/match.h"

namespace turnpike::ndis {
namespace {

constexpr std::uint64_t kMostLoopedBytes = 4U << 20;  // that wait to be looped back, for each adapter

// The first bytes of a frame that lies in pieces, copied where they do not lie in one.
std::span<const std::byte> beginning_of(const OutFrame& frame, std::array<std::byte, kLookedAt>& room) {
  if (!frame.pieces.empty() && frame.pieces[0].size() >= room.size()) {
    return frame.pieces[0].first(room.size());
  }
  std::size_t n = 0;
  for (const std::span<const std::byte> piece : frame.pieces) {
    const auto some = piece.first(std::min(piece.size(), room.size() - n));
    std::ranges::copy(some, room.begin() + static_cast<std::ptrdiff_t>(n));
    n += some.size();
  }
  return std::span(room).first(n);
}

void append(LoopQueue& queue, const OutFrame& frame, const Queued& item) {
  const std::size_t at = queue.bytes.size();
  for (const std::span<const std::byte> piece : frame.pieces) {
    queue.bytes.insert(queue.bytes.end(), piece.begin(), piece.end());
  }
  queue.bytes.resize(at + std::max(frame.length, frame.pad_to));
  queue.frames.push_back({.at = at,
                          .length = queue.bytes.size() - at,
                          .vlan = frame.vlan,
                          .sender = item.binding,
                          .to_self = (item.flags & send_flag::kLoopToSelf) != 0});
}

}  // namespace

// Of the others nothing is copied. Under tx_mutex.
void Engine::loop_back(Nic& nic, const FanOut& fan_out, const Queued& item, std::span<const OutFrame> frames) {
  if (!fan_out.filtered) {
    return;
  }
  const Origin origin{.local = true, .sender = item.binding, .to_self = (item.flags & send_flag::kLoopToSelf) != 0};
  bool wake = false;
  for (const OutFrame& frame : frames) {
    std::array<std::byte, kLookedAt> beginning;
    const Seen seen = look_at(fan_out, beginning_of(frame, beginning));
    if (!seen.valid || std::ranges::none_of(fan_out.outlets, [&](const Outlet& outlet) {
          return is_for(fan_out, outlet, seen, origin);
        })) {
      continue;
    }
    const std::size_t length = std::max(frame.length, frame.pad_to);
    if (nic.counters.loopback_waits.fetch_add(length) + length > kMostLoopedBytes) {
      nic.counters.loopback_waits -= length;
      nic.counters.loopback_lost += 1;
      continue;
    }
    const std::lock_guard lock(nic.loop_mutex);
    append(nic.looping, frame, item);
    if (nic.looping_self == nullptr) {
      nic.looping_self = nic.shared_from_this();
      wake = true;
    }
  }
  if (wake) {
    data_.post([looping = &nic] { looping->engine.show_looped(*looping); });  // so small that it costs no memory
  }
}

// On the data thread. In runs of one sender, which is only compared with, never used: it may be gone by then.
void Engine::show_looped(Nic& nic) {
  Shared<Nic> keep;
  {
    const std::lock_guard lock(nic.loop_mutex);
    nic.looping.bytes.swap(nic.looped.bytes);
    nic.looping.frames.swap(nic.looped.frames);
    keep = std::move(nic.looping_self);
  }
  const std::span<const std::byte> bytes = nic.looped.bytes;
  std::span<const LoopedFrame> left = nic.looped.frames;
  const WallTime now = clock_.wall();
  while (!left.empty()) {
    const LoopedFrame first = left.front();
    std::array<InFrame, kIndicatedAtOnce> batch;
    std::size_t n = 0;
    for (;
         n < std::min(left.size(), batch.size()) && left[n].sender == first.sender && left[n].to_self == first.to_self;
         ++n) {
      batch[n].bytes = bytes.subspan(left[n].at, left[n].length);
      batch[n].vlan = left[n].vlan;
      batch[n].direction = Direction::kOutgoing;
      batch[n].received = now;
    }
    deliver(nic, std::span(batch).first(n), first.sender, first.to_self);
    left = left.subspan(n);
  }
  nic.counters.loopback_waits -= bytes.size();
  nic.looped.bytes.clear();
  nic.looped.frames.clear();
}

}  // namespace turnpike::ndis
