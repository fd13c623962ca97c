// The hooks for tests: include/turnpike/testing.h over the runtime.
#include "turnpike/testing.h"

#include <new>
#include <vector>

#include "runtime/world.h"

namespace turnpike::capi {
namespace {

using runtime::World;

// The sum over all tables, for one kind or for all of them.
template <class Count>
std::uint64_t sum(std::uint32_t kind, Count&& count) {
  std::uint64_t all = 0;
  World::instance().for_each_table([&](rtm::Table& table) {
    for (std::uint32_t each = 1; each < rtm::kKinds; ++each) {
      if (kind == TP_KIND_ANY || kind == each) {
        all += count(table, static_cast<rtm::Kind>(each));
      }
    }
  });
  return all;
}

}  // namespace
}  // namespace turnpike::capi

using turnpike::capi::sum;
using turnpike::runtime::World;

int TpClockUseTest(void) noexcept { return World::instance().use_test_clock() ? 1 : 0; }
int TpClockUseSystem(void) noexcept { return World::instance().use_system_clock() ? 1 : 0; }
int TpClockAdvance(uint32_t milliseconds) noexcept { return World::instance().advance(milliseconds) ? 1 : 0; }
int TpDrain(void) noexcept { return World::instance().drain() ? 1 : 0; }

uint64_t TpObjectCount(uint32_t kind) noexcept {
  return sum(kind, [](auto& table, auto each) { return table.object_count(each); });
}
uint64_t TpReferenceCount(uint32_t kind) noexcept {
  return sum(kind, [](auto& table, auto each) { return table.reference_count(each); });
}
uint64_t TpLeakCount(uint32_t kind) noexcept {
  return sum(kind, [](auto& table, auto each) { return table.leak_count(each); });
}

int TpRtmConfigure(const TP_RTM_TABLE* tables, uint32_t count) noexcept {
  try {
    std::vector<turnpike::rtm::Config> configuration;
    for (uint32_t i = 0; tables != nullptr && i < count; ++i) {
      const TP_RTM_TABLE& from = tables[i];
      auto& config = configuration.emplace_back(World::default_config(from.instance, from.family));
      config.max_next_hops = from.max_next_hops_in_route;
      config.max_handles_in_enum = from.max_handles_in_enum;
      config.opaque_slots = from.opaque_slots;
      config.change_registrations = from.max_change_registrations;
    }
    return World::instance().configure(tables != nullptr ? configuration : World::default_configuration()) ? 1 : 0;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}
