// What the multicast group manager costs: the engine of src/mgm, over a forwarder that takes everything and does
// nothing, and routes that are known.
//
//   entries          an unknown flow comes in until its entry is in the forwarder and its alerts are said: two
//                    arbitrated clients, one on the way to the sources (RPF, JOIN), one with receivers (CREATION)
//   join, leave      (*,g) memberships of as many groups, one client, another one that is told of each; `bytes` is what
//                    one takes of the heap, with what malloc adds
//   further          a group joined on eight interfaces
//   statistics       a walk over all entries with their counters, as MgmGetFirstMfeStats makes it
//
// One iteration is the whole run, so figures are rates over all of it; growth by size shows that they are linear.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>
#include <vector>

#include "mgm/manager.h"

namespace turnpike::mgm {
namespace {

class Sink final : public Forwarder {
 public:
  Vif vif_limit() const noexcept override { return 32; }
  Result<void> add_vif(Vif, net::InterfaceIndex) noexcept override { return {}; }
  Result<void> remove_vif(Vif) noexcept override { return {}; }
  Result<void> put(const ForwarderEntry& entry) noexcept override {
    out += entry.out.size();
    return {};
  }
  Result<void> remove(const Flow&) noexcept override { return {}; }
  Result<FlowCounters> counters(const Flow&) noexcept override { return FlowCounters{1, 100, 0}; }

  std::uint64_t out = 0;
};

class OneRoute final : public Routes {
 public:
  void look_up(const net::Address&, const Found& found) override {
    found({net::InterfaceIndex(1), {}, 7, net::Prefix::everything(net::Family::kIpv4)}, nullptr);
  }
};

class Quiet final : public Alarm {
 public:
  void deadline_moved(MonotonicTime) noexcept override {}
};

class Counting final : public Callbacks {
 public:
  explicit Counting(std::uint64_t& calls) : calls_(calls) {}
  void rpf(const Flow&, std::span<const std::byte>, Rpf&) override { ++calls_; }
  void created(const Flow&, const InterfaceId&, std::span<OutInterface>) override { ++calls_; }
  void joined(const Flow&, bool) override { ++calls_; }
  void pruned(const Flow&, const InterfaceId&, bool, std::uint32_t&) override { ++calls_; }

 private:
  std::uint64_t& calls_;
};

std::size_t allocated_bytes() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

InterfaceId on(std::uint32_t device) { return {net::InterfaceIndex(device), {}}; }
Flow any_source(std::uint32_t i) { return {net::Address::ipv4(0xe1000000 + i), {}}; }

// Groups and sources in no order, as they come from the wire.
Flow flow(std::uint32_t i) {
  const std::uint32_t mixed = i * 2654435761U;
  return {net::Address::ipv4(0xef000000 + (mixed >> 8 & 0x3ff)), net::Address::ipv4(0x0a000000 + (mixed & 0xffffff))};
}

struct World {
  World() : manager(std::move(*Manager::make({}, {forwarder, routes, clock, alarm}))) {
    for (std::uint32_t i = 0; i < 2; ++i) {
      clients.push_back(*manager->register_client({{100 + i, 0}, std::make_unique<Counting>(calls), kAllCallbacks}));
    }
    static_cast<void>(manager->take(clients[0], on(1)));
    for (std::uint32_t device = 2; device <= 9; ++device) static_cast<void>(manager->take(clients[1], on(device)));
  }

  Sink forwarder;
  OneRoute routes;
  TestClock clock;
  Quiet alarm;
  std::uint64_t calls = 0;
  std::unique_ptr<Manager> manager;
  std::vector<Handle> clients;
};

void make_entries(World& world, std::uint32_t count) {
  static_cast<void>(world.manager->add(world.clients[1], {{}, {}}, on(2), kJoinState));
  for (std::uint32_t i = 0; i < count; ++i) world.manager->unknown_flow(flow(i), 0, {});
}

void entries(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    auto world = std::make_unique<World>();
    state.ResumeTiming();
    make_entries(*world, count);
    state.PauseTiming();
    const bool right =
        world->manager->status().entries == count && world->forwarder.out == count && world->calls == 3ULL * count + 1;
    if (!right) state.SkipWithError("not every entry was made");
    world.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(entries)->Arg(1000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void join(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto world = std::make_unique<World>();
    const std::size_t before = allocated_bytes();
    state.ResumeTiming();
    for (std::uint32_t i = 0; i < count; ++i) {
      static_cast<void>(world->manager->add(world->clients[1], any_source(i), on(2), kJoinState));
    }
    state.PauseTiming();
    bytes = static_cast<double>(allocated_bytes() - before) / count;
    if (world->manager->status().memberships != count) state.SkipWithError("not every membership was made");
    world.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes"] = bytes;
}
BENCHMARK(join)->Arg(1000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(3);

void leave(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    World world;
    for (std::uint32_t i = 0; i < count; ++i) {
      static_cast<void>(world.manager->add(world.clients[1], any_source(i), on(2), kJoinState));
    }
    state.ResumeTiming();
    for (std::uint32_t i = 0; i < count; ++i) {
      static_cast<void>(world.manager->remove(world.clients[1], any_source(i), on(2), kJoinState));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(leave)->Arg(1000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void further(benchmark::State& state) {
  const auto count = static_cast<std::uint32_t>(state.range(0));
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    auto world = std::make_unique<World>();
    const std::size_t before = allocated_bytes();
    state.ResumeTiming();
    for (std::uint32_t i = 0; i < count; ++i) {
      static_cast<void>(world->manager->add(world->clients[1], any_source(i / 8), on(2 + i % 8), kJoinState));
    }
    state.PauseTiming();
    bytes = static_cast<double>(allocated_bytes() - before) / count;
    world.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes"] = bytes;
}
BENCHMARK(further)->Arg(100'000)->Unit(benchmark::kMillisecond)->Iterations(3);

void statistics(benchmark::State& state) {
  World world;
  const auto count = static_cast<std::uint32_t>(state.range(0));
  make_entries(world, count);
  EntryImage image;
  for (auto _ : state) {
    std::uint32_t seen = 0;
    Flow last;
    while (world.manager->next_entry(seen != 0 ? &last : nullptr, true, image)) {
      last = image.flow;
      ++seen;
    }
    if (seen != count) state.SkipWithError("not every entry was shown");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(statistics)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turnpike::mgm
