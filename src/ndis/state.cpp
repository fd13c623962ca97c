// What there is, for who looks at a running engine: each binding, how it stands, what it still owes or is owed, and
// what its adapter has carried. A picture of one moment for each binding, not of one for all.
#include "ndis/engine.h"

namespace turnpike::ndis {
namespace {

std::vector<Shared<Binding>> all_bindings(const std::vector<Shared<Protocol>>& protocols) {
  std::vector<Shared<Binding>> all;
  for (const auto& protocol : protocols) {
    for (const auto& seat : protocol->seats) {
      all.insert(all.end(), seat->bindings.begin(), seat->bindings.end());
    }
  }
  return all;
}

BindingReport report_of(const Binding& binding) {
  return {.protocol = binding.protocol->registration.name,
          .generation = binding.generation(),
          .adapter = binding.nic->index,
          .state = binding.now(),
          .sends = binding.held(Held::kSend),
          .requests = binding.held(Held::kRequest),
          .retained = binding.held(Held::kRetained),
          .callbacks = binding.held(Held::kCallback)};
}

}  // namespace

std::vector<BindingReport> Engine::bindings() const {
  std::vector<Shared<Binding>> all;
  {
    const std::lock_guard lock(mutex_);
    all = all_bindings(protocols_);
  }
  std::vector<BindingReport> reports;
  for (const auto& binding : all) {
    BindingReport report = report_of(*binding);
    Nic& nic = *binding->nic;
    AdapterLosses losses;
    {
      const std::lock_guard setup(nic.setup_mutex);
      report.filter = binding->wishes.filter;
      losses = nic.adapter != nullptr ? nic.adapter->losses() : losses;
    }
    const NicCounters& counters = nic.counters;
    report.received = counters.received.load();
    report.delivered = counters.delivered.load();
    report.sent = counters.sent.load();
    report.lost = losses.ring_full + losses.oversized + losses.malformed + counters.oversized.load() +
                  counters.loopback_lost.load();
    report.interface_name = facts_of(*binding).name;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace turnpike::ndis
