// The daemon as a whole, in a network namespace: how long it takes to start with a thousand interfaces, to reload fifty
// thousand static routes of which one has changed, to show them; what it holds and how often it wakes while nothing
// happens.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "admin/client/router_client.h"
#include "base/value.h"
#include "ground/ground.h"
#include "place.h"

namespace turnpike::bench {
namespace {

namespace fs = std::filesystem;
using ground::Host;
using ground::Process;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLong(120'000);

// A host with the links eth0 and so many more, and a folder for the daemon that runs there.
class Stand {
 public:
  explicit Stand(int links = 0) {
    std::string name = fs::temp_directory_path() / "turnpike-bench-XXXXXX";
    place();  // where this process may make namespaces
    must(::mkdtemp(name.data()) != nullptr, "a folder");
    folder_ = name;
    host_.emplace("router", 1);
    std::vector<std::string> lines{"link add eth0 type veth peer name far0", "link set eth0 up", "link set far0 up",
                                   "addr add 10.0.0.1/24 dev eth0"};
    for (int i = 0; i < links; i += 2) {
      const std::string one = "d" + std::to_string(i), other = "d" + std::to_string(i + 1);
      lines.push_back("link add " + one + " type veth peer name " + other);
      lines.push_back("link set " + one + " up");
      lines.push_back("link set " + other + " up");
    }
    host().ip(lines);
  }
  ~Stand() { fs::remove_all(folder_); }
  Stand(const Stand&) = delete;
  Stand& operator=(const Stand&) = delete;

  Host& host() { return *host_; }
  std::string control() const { return folder_ + "/control"; }

  void configure(const std::string& sections) const {
    std::ofstream(folder_ + "/turnpike.toml")
        << "[router]\nmodules = \"" << TURNPIKE_BENCH_MODULES << "\"\ncontrol = \"" << control() << "\"\nstate = \""
        << folder_ << "\"\n"
        << sections;
  }
  Process start() {
    Process process = host().spawn({TURNPIKE_BENCH_DAEMON, "--config", folder_ + "/turnpike.toml"});
    process.await_output("turnpiked: running", kLong);
    return process;
  }

 private:
  std::optional<Host> host_;
  std::string folder_;
};

void end(Process& process) {
  process.signal(SIGTERM);
  if (process.await_end(kLong) != 0) std::abort();
}

// Asks and hands each part to `take`.
template <class Take>
void ask(const Stand& place, const std::vector<std::string>& words, Take&& take) {
  auto client = admin::RouterClient::connect(place.control());
  if (!client || !client->ask(words, [&](const Value& part) { return take(part), true; })) std::abort();
}

std::string routes(int count, int changed) {
  std::string text = "[interface.eth0]\n[protocol.static]\n";
  for (int i = 0; i < count; ++i) {
    text += "[[protocol.static.route]]\nto = \"11." + std::to_string(i / 256) + '.' + std::to_string(i % 256) +
            ".0/24\"\nvia = \"10.0.0.2\"\nmetric = " + std::to_string(i == changed ? 2 : 1) + '\n';
  }
  return text;
}

std::int64_t status_of(const Stand& place, const char* what) {
  std::int64_t number = -1;
  ask(place, {"show", "status"}, [&](const Value& status) {
    if (const Value* found = status.find(what)) number = std::get<std::int64_t>(found->held);
  });
  return number;
}

double seconds_since(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

void start_with_interfaces(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  Stand place(count);
  std::string sections = "[interface.eth0]\n[protocol.static]\n";
  for (int i = 0; i < count; ++i) sections += "[interface.d" + std::to_string(i) + "]\n";
  place.configure(sections);
  for (auto _ : state) {
    const auto begun = steady_clock::now();
    Process process = place.start();
    state.SetIterationTime(seconds_since(begun));
    if (status_of(place, "interfaces") < count) std::abort();
    end(process);
  }
}
BENCHMARK(start_with_interfaces)->Arg(1)->Arg(1000)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(1);

// What its threads have done so far: time on a processor, and time that they waited for one.
struct Times {
  double busy_ms = 0, queued_ms = 0;
};

Times times_of(const Process& process) {
  Times sum;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(process.pid()) + "/task")) {
    double busy = 0, queued = 0;
    std::ifstream(thread.path() / "schedstat") >> busy >> queued;
    sum.busy_ms += busy / 1e6;
    sum.queued_ms += queued / 1e6;
  }
  return sum;
}

void reload_with_one_change(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  Stand place;
  place.configure(routes(count, -1));
  Process process = place.start();
  while (status_of(place, "installed") < count) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  int changed = -1;
  Times all;
  for (auto _ : state) {
    changed = changed < 0 ? count / 2 : -1;
    place.configure(routes(count, changed));
    const Times before = times_of(process);
    const auto begun = steady_clock::now();
    ask(place, {"reload"}, [](const Value& done) {
      if (done.find("error") != nullptr) std::abort();
    });
    state.SetIterationTime(seconds_since(begun));
    const Times after = times_of(process);
    all.busy_ms += after.busy_ms - before.busy_ms;
    all.queued_ms += after.queued_ms - before.queued_ms;
  }
  state.counters["busy_ms"] = benchmark::Counter(all.busy_ms, benchmark::Counter::kAvgIterations);
  state.counters["queued_ms"] = benchmark::Counter(all.queued_ms, benchmark::Counter::kAvgIterations);
  end(process);
}
BENCHMARK(reload_with_one_change)->Arg(50'000)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);

// From /proc/PID/FILE, the number behind `name`; of several lines of that name, the sum.
std::int64_t number_in(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::int64_t sum = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) sum += std::strtoll(line.c_str() + name.size(), nullptr, 10);
  }
  return sum;
}

double private_megabytes(const Process& process) {
  const std::string path = "/proc/" + std::to_string(process.pid()) + "/smaps_rollup";
  return static_cast<double>(number_in(path, "Private_Clean:") + number_in(path, "Private_Dirty:")) / 1024;
}

std::int64_t wake_ups(const Process& process) {
  std::int64_t all = 0;
  for (const auto& thread : fs::directory_iterator("/proc/" + std::to_string(process.pid()) + "/task")) {
    all += number_in(thread.path().string() + "/status", "voluntary_ctxt_switches:");
  }
  return all;
}

void idle(benchmark::State& state) {
  Stand place;
  place.configure(
      "[interface.eth0]\n[protocol.static]\n[[protocol.static.route]]\nto = \"11.0.0.0/8\"\nvia = \"10.0.0.2\"\n");
  Process process = place.start();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  for (auto _ : state) {
    const std::int64_t before = wake_ups(process);
    std::this_thread::sleep_for(std::chrono::seconds(5));
    state.counters["wake_ups_a_second"] = static_cast<double>(wake_ups(process) - before) / 5;
    state.counters["private_MB"] = private_megabytes(process);
  }
  end(process);
}
BENCHMARK(idle)->Unit(benchmark::kSecond)->Iterations(1);

// What the daemon needs beyond what it holds anyway while it shows its routes.
void show_routes(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  Stand place;
  place.configure(routes(count, -1));
  Process process = place.start();
  while (status_of(place, "installed") < count) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double before = private_megabytes(process);
  for (auto _ : state) {
    std::size_t shown = 0;
    double most = 0;
    ask(place, {"show", "route"}, [&](const Value& part) {
      shown += std::get<Value::List>(part.held).size();
      if (shown % 4096 < 64) most = std::max(most, private_megabytes(process));
    });
    if (shown < static_cast<std::size_t>(count)) std::abort();
    state.counters["more_MB"] = most - before;
  }
  end(process);
}
BENCHMARK(show_routes)->Arg(50'000)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace turnpike::bench
