// A configuration of 50,000 static routes: read (text to checked model), and what one change makes of it.

#include <benchmark/benchmark.h>

#include <string>

#include "../modules/static/settings.h"
#include "config/model.h"

namespace turnpike::config {
namespace {

constexpr int kRoutes = 50'000;

std::string text_of(int changed) {
  std::string text = "[interface.eth0]\n[protocol.static]\n";
  for (int i = 0; i < kRoutes; ++i) {
    text += "[[protocol.static.route]]\nto = \"10." + std::to_string(i / 256) + '.' + std::to_string(i % 256) +
            ".0/24\"\nvia = \"192.0.2.1\"\nmetric = " + std::to_string(i == changed ? 2 : 1) + '\n';
  }
  return text;
}

std::optional<std::span<const TpModule>> describe_library(const std::string&, std::string&) {
  return std::span(&modules::kStaticModule, 1);
}

const Surroundings kSurroundings{describe_library, [](const std::string&) { return std::optional<Bytes>(); }};

Model model_of(const Source& source) {
  Findings findings;
  Model model = read_model(source, kSurroundings, findings);
  if (!findings.empty()) std::abort();
  return model;
}

void read_the_text(benchmark::State& state) {
  const Source source{"bench.toml", text_of(-1)};
  for (auto _ : state) {
    Findings findings;
    benchmark::DoNotOptimize(Document::read(source, findings));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.text.size()));
}
BENCHMARK(read_the_text)->Unit(benchmark::kMillisecond);

void read_the_model(benchmark::State& state) {
  const Source source{"bench.toml", text_of(-1)};
  for (auto _ : state) benchmark::DoNotOptimize(model_of(source));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(source.text.size()));
}
BENCHMARK(read_the_model)->Unit(benchmark::kMillisecond);

void find_one_change(benchmark::State& state) {
  const Model from = model_of({"bench.toml", text_of(-1)});
  const Model to = model_of({"bench.toml", text_of(kRoutes / 2)});
  for (auto _ : state) {
    if (differences(from, to).size() != 2) std::abort();
  }
}
BENCHMARK(find_one_change)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace turnpike::config
