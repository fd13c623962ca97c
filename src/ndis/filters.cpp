// What the bindings of an adapter want to receive: the union goes to the adapter, each one's own wishes into the
// fan-out, which receiving threads read without waiting for anybody who changes it.
#include <algorithm>

#include "ndis/change_wishes.h"

namespace turnpike::ndis {
namespace {

bool sees_local_sends(const Binding& binding) {
  const std::uint32_t filter = binding.wishes.filter;
  if ((filter & packet_type::kNoLocal) != 0) {
    return false;
  }
  if (binding.generation() == Generation::k5) {
    return filter != 0 && (binding.wishes.options & option::kNoLoopback) == 0;
  }
  return (filter & (packet_type::kPromiscuous | packet_type::kAllLocal)) != 0;
}

bool is_filtered(Medium medium) { return header_size(medium) != 0; }

}  // namespace

// The first binding opens the adapter.
Result<void> Engine::attach(const Shared<Binding>& binding) {
  Nic& nic = *binding->nic;
  const std::lock_guard setup(nic.setup_mutex);
  if (nic.adapter == nullptr) {
    auto opened = source_.open(nic.index, nic);
    if (!opened) {
      return Failure(opened.error());
    }
    const std::lock_guard sending(nic.tx_mutex);
    nic.adapter = std::move(*opened);
    open_adapters_ += 1;
    nic.backend = nic.adapter->facts();
    nic.stalled = false;
  }
  nic.bindings.push_back(binding);
  auto asked = ask(nic);
  if (!asked) {
    nic.bindings.pop_back();
    if (nic.bindings.empty()) {
      const std::lock_guard sending(nic.tx_mutex);
      nic.adapter.reset();
      open_adapters_ -= 1;
    }
  }
  return asked;
}

// The last binding closes it. Nobody is in a callback then, so closing waits for nobody's.
void Engine::detach(Binding& binding) {
  Nic& nic = *binding.nic;
  const std::lock_guard setup(nic.setup_mutex);
  std::erase_if(nic.bindings, [&](const auto& other) { return other.get() == &binding; });
  publish(nic);
  if (!nic.bindings.empty()) {
    (void)ask(nic);  // asking for less; where it fails, more arrives than is wanted
    return;
  }
  std::unique_ptr<Adapter> closed;
  {
    const std::lock_guard sending(nic.tx_mutex);
    closed = std::move(nic.adapter);
  }
  open_adapters_ -= closed != nullptr ? 1 : 0;
}

Result<void> Engine::ask(Nic& nic) {
  Reception wanted;
  std::vector<net::MacAddress> groups;
  std::vector<std::uint16_t> types;
  bool all_types = false;
  {
    const std::lock_guard lock(mutex_);
    wanted.everything = !is_filtered(nic.facts.medium);
  }
  for (const auto& binding : nic.bindings) {
    if (binding->now() >= BindingState::kClosing) {
      continue;
    }
    const Wishes& wishes = binding->wishes;
    wanted.filter |= wishes.filter;
    wanted.local_sends |= sees_local_sends(*binding);
    if ((wishes.filter & packet_type::kMulticast) != 0) {
      std::ranges::transform(wishes.groups, std::back_inserter(groups), &Group::address);
    }
    all_types |=
        binding->frame_types.empty() || (wishes.filter & (packet_type::kPromiscuous | packet_type::kAllLocal)) != 0;
    types.insert(types.end(), binding->frame_types.begin(), binding->frame_types.end());
  }
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  wanted.groups = groups;
  if (!all_types) {
    wanted.frame_types = types;
  }
  return nic.adapter->receive(wanted);
}

void Engine::publish(Nic& nic) {
  auto fan_out = make_shared<FanOut>();
  {
    const std::lock_guard lock(mutex_);
    fan_out->filtered = is_filtered(nic.facts.medium);
    fan_out->mac = nic.facts.mac;
    fan_out->header = header_size(nic.facts.medium);
    fan_out->longest = fan_out->header + nic.facts.mtu;
  }
  for (const auto& binding : nic.bindings) {
    const BindingState state = binding->now();
    if (state == BindingState::kOpening || state >= BindingState::kClosing) {
      continue;
    }
    Outlet outlet{.binding = binding, .filter = binding->wishes.filter, .options = binding->wishes.options};
    std::ranges::transform(binding->wishes.groups, std::back_inserter(outlet.groups), &Group::address);
    outlet.frame_types = binding->frame_types;
    const bool local = sees_local_sends(*binding);
    fan_out->local |= local;
    fan_out->v6_local |= local && binding->generation() == Generation::k6;
    fan_out->outlets.push_back(std::move(outlet));
  }
  nic.shows_local.store(fan_out->local, std::memory_order_relaxed);
  const std::lock_guard lock(nic.fan_out_mutex);
  nic.current_fan_out = std::move(fan_out);
}

}  // namespace turnpike::ndis
