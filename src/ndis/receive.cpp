// Frames that come in: which binding sees which (sections A.6, A.7, E.2).
//
// One walk over the fan-out for each batch. A binding is used while a callback of it is counted, so a close that has
// begun meanwhile waits; it is not used at all unless it is running.
#include <algorithm>

#include "ndis/engine.h"
#include "ndis/match.h"

namespace turnpike::ndis {

void Nic::received(std::span<const InFrame> batch) noexcept { engine.deliver(*this, batch, nullptr, false); }

// `sender`: the binding that sent these frames, null where they came from the adapter; `to_self`: it sees them, too.
void Engine::deliver(Nic& nic, std::span<const InFrame> batch, const Binding* sender, bool to_self) {
  const Shared<const FanOut> fan_out = nic.fan_out();
  if (sender == nullptr) {
    nic.counters.received.fetch_add(batch.size(), std::memory_order_relaxed);
  }
  while (!batch.empty()) {
    const auto part = batch.first(std::min(batch.size(), kIndicatedAtOnce));
    batch = batch.subspan(part.size());
    std::array<Seen, kIndicatedAtOnce> seen;
    for (std::size_t i = 0; i < part.size(); ++i) {
      seen[i] = look_at(*fan_out, part[i].bytes);
      if (seen[i].valid && part[i].bytes.size() > fan_out->longest + (seen[i].tagged_inline ? 4 : 0)) {
        seen[i].valid = false;
        nic.counters.oversized.fetch_add(1, std::memory_order_relaxed);
      }
    }
    for (const Outlet& outlet : fan_out->outlets) {
      std::array<Indicated, kIndicatedAtOnce> chosen;
      std::size_t n = 0;
      for (std::size_t i = 0; i < part.size(); ++i) {
        const Origin origin{.local = sender != nullptr || part[i].direction == Direction::kOutgoing,
                            .sender = sender,
                            .to_self = to_self};
        if (seen[i].valid && is_for(*fan_out, outlet, seen[i], origin)) {
          chosen[n++] = {&part[i], origin.local};
        }
      }
      if (n != 0) {
        indicate(*outlet.binding, std::span(chosen).first(n));
      }
    }
  }
}

void Engine::indicate(Binding& binding, std::span<const Indicated> frames) {
  binding.hold(Held::kCallback);
  if (binding.now() == BindingState::kRunning) {
    binding.nic->counters.delivered.fetch_add(frames.size(), std::memory_order_relaxed);
    const CallbackScope inside(*binding.protocol, &binding, Inside::kData);
    binding.protocol->driver->receive(binding, frames);
  }
  binding.release(Held::kCallback);
}

}  // namespace turnpike::ndis
