// Frames that come in: which binding sees which (sections A.6, A.7, E.2).
//
// One walk over the fan-out for each batch. A binding is used while a callback of it is counted, so a close that has
// begun meanwhile waits; it is not used at all unless it is running.
#include <algorithm>

#include "ndis/engine.h"

namespace turnpike::ndis {
namespace {

std::uint16_t type_at(std::span<const std::byte> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8 |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}

// What all bindings need to know of a frame.
struct Classified {
  net::MacAddress to;
  std::uint16_t type = 0;
  bool valid = false;
  bool tagged_inline = false;
};

Classified classify(const FanOut& fan_out, const InFrame& frame) {
  Classified seen;
  if (!fan_out.filtered) {
    seen.valid = !frame.bytes.empty();
    return seen;
  }
  if (frame.bytes.size() < fan_out.header) {
    return seen;
  }
  net::MacAddress::Bytes to{};
  std::ranges::transform(frame.bytes.first<6>(), to.begin(),
                         [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  seen.to = net::MacAddress(to);
  seen.type = type_at(frame.bytes, 12);
  seen.tagged_inline = seen.type == 0x8100 || seen.type == 0x88A8;
  if (seen.tagged_inline && frame.bytes.size() >= 18) {
    seen.type = type_at(frame.bytes, 16);
  }
  seen.valid = true;
  return seen;
}

bool passes_filter(const FanOut& fan_out, const Outlet& outlet, const Classified& frame, bool local) {
  const std::uint32_t filter = outlet.filter;
  if ((filter & packet_type::kPromiscuous) != 0 || ((filter & packet_type::kAllLocal) != 0)) {
    return true;
  }
  if (local && filter == 0) {
    return false;
  }
  if (!outlet.frame_types.empty() && std::ranges::find(outlet.frame_types, frame.type) == outlet.frame_types.end()) {
    return false;
  }
  if (frame.to.is_broadcast()) {
    return (filter & packet_type::kBroadcast) != 0;
  }
  if (frame.to.is_multicast()) {
    return (filter & packet_type::kAllMulticast) != 0 ||
           ((filter & packet_type::kMulticast) != 0 && std::ranges::binary_search(outlet.groups, frame.to));
  }
  return (filter & packet_type::kDirected) != 0 && frame.to == fan_out.mac;
}

}  // namespace

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
    std::array<Classified, kIndicatedAtOnce> seen;
    for (std::size_t i = 0; i < part.size(); ++i) {
      seen[i] = classify(*fan_out, part[i]);
      if (seen[i].valid && part[i].bytes.size() > fan_out->longest + (seen[i].tagged_inline ? 4 : 0)) {
        seen[i].valid = false;
        nic.counters.oversized.fetch_add(1, std::memory_order_relaxed);
      }
    }
    for (const Outlet& outlet : fan_out->outlets) {
      Binding& binding = *outlet.binding;
      const bool own = sender == &binding;
      if (own && (!to_self || (outlet.options & option::kNoLoopback) != 0)) {
        continue;
      }
      std::array<Indicated, kIndicatedAtOnce> chosen;
      std::size_t n = 0;
      for (std::size_t i = 0; i < part.size(); ++i) {
        const bool local = sender != nullptr || part[i].direction == Direction::kOutgoing;
        if (!seen[i].valid || (local && !own && !sees_local(*fan_out, outlet)) ||
            (fan_out->filtered && !passes_filter(*fan_out, outlet, seen[i], local))) {
          continue;
        }
        chosen[n++] = {&part[i], local};
      }
      if (n != 0) {
        indicate(binding, std::span(chosen).first(n));
      }
    }
  }
}

// Whether frames that somebody else on this machine sends may be shown to it (A.7).
bool Engine::sees_local(const FanOut& fan_out, const Outlet& outlet) {
  if (!fan_out.filtered || (outlet.filter & packet_type::kNoLocal) != 0) {
    return false;
  }
  return outlet.binding->generation() == Generation::k5 ? (outlet.options & option::kNoLoopback) == 0
                                                        : fan_out.v6_local;
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
