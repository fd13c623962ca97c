// What a look-up by handle costs, alone and with a second thread at it.
//
// `hot` looks up one handle, over and over: what the instructions cost. `million` takes the handles of a full table in
// random order: what a table of routes sees is cache misses. With two threads, `shared` pins the same handle on both,
// so that the cache line of its slot travels; `own` gives each thread its own.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "base/epoch.h"
#include "base/handle_table.h"

namespace turnpike {
namespace {

struct Thing {
  std::uint64_t weight = 1;
};

}  // namespace

template <>
struct HandleKind<Thing> {
  static constexpr HandleTag tag{1};
  static constexpr const char* name = "thing";
};

namespace {

constexpr OwnerId kFew{1};
constexpr OwnerId kMany{2};
constexpr std::size_t kMillion = 1'000'000;

std::unique_ptr<HandleTable> new_table() {
  auto table = std::move(HandleTable::create().value());
  if (!table->register_kind<Thing>([](Thing&) {})) {
    std::abort();
  }
  return table;
}

// A million handles of one owner, shuffled, and eight of another, far enough apart to share no cache line.
struct World {
  std::vector<Thing> things{kMillion + 64};
  std::unique_ptr<HandleTable> table = new_table();
  std::vector<Handle> few;
  std::vector<Handle> many;

  World() {
    for (std::size_t i = 0; i < 64; ++i) {
      few.push_back(table->add(things[i], kFew).value());
    }
    for (std::size_t i = 0; i < kMillion; ++i) {
      many.push_back(table->add(things[64 + i], kMany).value());
    }
    std::shuffle(many.begin(), many.end(), std::mt19937_64(1));
  }
  Handle own(const benchmark::State& state) const { return few[static_cast<std::size_t>(state.thread_index()) * 8]; }
};

World& world() {
  static World instance;
  return instance;
}

void check_hot(benchmark::State& state) {
  Handle handle = world().own(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(handle);
    benchmark::DoNotOptimize(world().table->check<Thing>(handle));
  }
}
BENCHMARK(check_hot)->Threads(1)->Threads(2)->UseRealTime();

void peek_hot(benchmark::State& state) {
  Handle handle = world().own(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(handle);
    benchmark::DoNotOptimize(world().table->peek<Thing>(handle));
  }
}
BENCHMARK(peek_hot)->Threads(1)->Threads(2)->UseRealTime();

void pin_own(benchmark::State& state) {
  Handle handle = world().own(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(handle);
    benchmark::DoNotOptimize(world().table->pin<Thing>(handle));
  }
}
BENCHMARK(pin_own)->Threads(1)->Threads(2)->UseRealTime();

void pin_shared(benchmark::State& state) {
  Handle handle = world().few[0];
  for (auto _ : state) {
    benchmark::DoNotOptimize(handle);
    benchmark::DoNotOptimize(world().table->pin<Thing>(handle));
  }
}
BENCHMARK(pin_shared)->Threads(1)->Threads(2)->UseRealTime();

// The same without a write to what is shared: an Epoch's reader and peek().
Epoch& epoch() {
  static const std::unique_ptr<Epoch> instance = std::move(Epoch::create().value());
  return *instance;
}

void epoch_enter_leave(benchmark::State& state) {
  for (auto _ : state) {
    const Epoch::Reader reader(epoch());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(epoch_enter_leave)->Threads(1)->Threads(2)->UseRealTime();

void epoch_peek_shared(benchmark::State& state) {
  Handle handle = world().few[0];
  for (auto _ : state) {
    benchmark::DoNotOptimize(handle);
    const Epoch::Reader reader(epoch());
    benchmark::DoNotOptimize(world().table->peek<Thing>(handle)->weight);
  }
}
BENCHMARK(epoch_peek_shared)->Threads(1)->Threads(2)->UseRealTime();

void epoch_retire_collect(benchmark::State& state) {
  for (auto _ : state) {
    epoch().retire(&state, [](void*, void*) {});
    epoch().collect(256);
  }
}
BENCHMARK(epoch_retire_collect);

void epoch_synchronize(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(epoch().synchronize());
  }
}
BENCHMARK(epoch_synchronize);

template <class F>
void over_a_million(benchmark::State& state, F look_up) {
  const std::vector<Handle>& handles = world().many;
  std::size_t next = static_cast<std::size_t>(state.thread_index()) * (kMillion / 2);
  for (auto _ : state) {
    benchmark::DoNotOptimize(look_up(handles[next]));
    next = next + 1 == kMillion ? 0 : next + 1;
  }
}

void peek_million(benchmark::State& state) {
  over_a_million(state, [](Handle handle) { return world().table->peek<Thing>(handle); });
}
BENCHMARK(peek_million)->Threads(1)->Threads(2)->UseRealTime();

void pin_million(benchmark::State& state) {
  over_a_million(state, [](Handle handle) { return world().table->pin<Thing>(handle)->weight; });
}
BENCHMARK(pin_million)->Threads(1)->Threads(2)->UseRealTime();

void add_remove(benchmark::State& state) {
  static const std::unique_ptr<HandleTable> table = new_table();
  Thing thing;
  for (auto _ : state) {
    const Handle handle = *table->add(thing, kFew);
    benchmark::DoNotOptimize(table->remove(handle));
  }
}
BENCHMARK(add_remove)->Threads(1)->Threads(2)->UseRealTime();

void add_a_million(benchmark::State& state) {
  std::vector<Thing> things(kMillion);
  for (auto _ : state) {
    state.PauseTiming();
    auto table = new_table();
    state.ResumeTiming();
    for (Thing& thing : things) {
      benchmark::DoNotOptimize(table->add(thing, kMany));
    }
    state.PauseTiming();
    table.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMillion));
}
BENCHMARK(add_a_million)->Unit(benchmark::kMillisecond);

// An owner deregisters: his handles are listed, in the order of their slots, and removed.
void remove_a_million_of_an_owner(benchmark::State& state) {
  std::vector<Thing> things(kMillion);
  for (auto _ : state) {
    state.PauseTiming();
    auto table = new_table();
    for (Thing& thing : things) {
      benchmark::DoNotOptimize(table->add(thing, kMany));
    }
    state.ResumeTiming();
    table->for_each_owned(kMany, [&](Handle handle) { benchmark::DoNotOptimize(table->remove(handle)); });
    state.PauseTiming();
    table.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMillion));
}
BENCHMARK(remove_a_million_of_an_owner)->Unit(benchmark::kMillisecond);

// The walk that decides how owners are kept: all of a full table to find an owner of few, or of all.
void list_owner_of_few(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(world().table->census(kFew).total());
  }
}
BENCHMARK(list_owner_of_few)->Unit(benchmark::kMicrosecond);

void list_owner_of_a_million(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(world().table->census(kMany).total());
  }
}
BENCHMARK(list_owner_of_a_million)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace turnpike
