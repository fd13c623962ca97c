// turnpike-ndis-host: runs NDIS protocol drivers that are shared objects, on this machine's interfaces.
//
// It calls each driver's DriverEntry, binds by the policy of the command line, and unloads the drivers in the reverse
// order when it is told to end. In checked mode a driver that breaks a rule ends the process, with the rule and what
// was last done through the handle; SIGUSR1 prints the counters.
#include <sys/signalfd.h>
#include <turnpike/log.h>
#include <turnpike/ndis.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

constexpr const char* kUsage =
    "usage: turnpike-ndis-host [--interfaces LIST] [--exclude LIST] [--when-up] [--open-anywhere PROTOCOL]\n"
    "                          [--xdp LIST [--xdp-take-all]] [--tap LIST] [--add-tap NAME] [--add-tun NAME]\n"
    "                          [--checked] DRIVER.so…\n"
    "Runs NDIS protocol drivers until SIGINT or SIGTERM; SIGUSR1 prints what they have.\n"
    "  --interfaces LIST         what they are bound to: patterns of names, kind:PATTERN, permanent addresses,\n"
    "                            separated by commas; else all Ethernet interfaces\n"
    "  --exclude LIST            and what not\n"
    "  --when-up                 bound only while the interface is up\n"
    "  --open-anywhere PROTOCOL  may open adapters at any time, as capture drivers do\n"
    "  --xdp LIST                what is opened over AF_XDP: faster, and what is received is taken from the host; "
    "only\n"
    "                            frames of types that a driver has named\n"
    "  --xdp-take-all            or all frames\n"
    "  --tap LIST                TUN and TAP interfaces at whose far end drivers are, as stations beside the host\n"
    "  --add-tap NAME            makes such an interface, down, which goes when this program ends\n"
    "  --add-tun NAME            the same without Ethernet: bare IP packets\n"
    "  --checked                 a driver that breaks a rule ends the process\n";

struct Options {
  TP_NDIS_POLICY policy{sizeof(TP_NDIS_POLICY), TP_NDIS_BIND_ALL_ETHERNET, nullptr, nullptr, nullptr, 0};
  std::vector<const char*> open_anywhere;
  std::vector<const char*> drivers;
  const char* xdp = nullptr;
  std::uint32_t xdp_flags = 0;
  const char* tap = nullptr;
  struct Made {
    const char* name;
    std::uint32_t kind;
  };
  std::vector<Made> made;  // interfaces
  bool checked = false;
};

bool read(int count, char** words, Options& options) {
  for (int at = 1; at < count; ++at) {
    const std::string_view word = words[at];
    const auto value = [&]() -> const char* { return at + 1 < count ? words[++at] : nullptr; };
    if (word == "--interfaces") {
      options.policy.bind = TP_NDIS_BIND_LIST;
      if ((options.policy.list = value()) == nullptr) return false;
    } else if (word == "--exclude") {
      if ((options.policy.exclude = value()) == nullptr) return false;
    } else if (word == "--open-anywhere") {
      options.open_anywhere.push_back(value());
      if (options.open_anywhere.back() == nullptr) return false;
    } else if (word == "--xdp") {
      if ((options.xdp = value()) == nullptr) return false;
    } else if (word == "--xdp-take-all") {
      options.xdp_flags = TP_NDIS_XDP_TAKE_ALL;
    } else if (word == "--tap") {
      if ((options.tap = value()) == nullptr) return false;
    } else if (word == "--add-tap" || word == "--add-tun") {
      options.made.push_back({value(), word == "--add-tap" ? TP_NDIS_TAP : TP_NDIS_TUN});
      if (options.made.back().name == nullptr) return false;
    } else if (word == "--when-up") {
      options.policy.when_up = 1;
    } else if (word == "--checked") {
      options.checked = true;
    } else if (word.starts_with("-")) {
      return false;
    } else {
      options.drivers.push_back(words[at]);
    }
  }
  return !options.drivers.empty() && (options.xdp != nullptr || options.xdp_flags == 0);
}

int complain(const char* what, const char* whose, std::uint32_t code) {
  std::fprintf(stderr, "turnpike-ndis-host: %s%s%s: error %u\n", what, *whose != 0 ? " " : "", whose, code);
  return 1;
}

void on_violation(void*, const char* function, const char* rule, std::uint64_t handle, const char* history) {
  std::fprintf(stderr, "turnpike-ndis-host: %s, handle %#llx: %s\n%s\n", function,
               static_cast<unsigned long long>(handle), rule, history);
  std::abort();
}

void print_counters() {
  TP_NDIS_COUNTERS now{};
  now.size = sizeof now;
  if (TpNdisGetCounters(&now) != 0) return;
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "{\"protocols\": %llu, \"bindings\": %llu, \"adapters\": %llu, \"sends\": %llu, \"requests\": %llu, "
      "\"retained\": %llu, \"violations\": %llu}\n",
      number(now.protocols), number(now.bindings), number(now.adapters), number(now.sends), number(now.requests),
      number(now.retained), number(now.violations));
  std::fflush(stdout);
}

// How interfaces are opened is said before NDIS starts to look at them.
int prepare(const Options& options) {
  if (options.xdp != nullptr) {
    if (const auto code = TpNdisUseXdp(options.xdp, options.xdp_flags); code != 0) return complain("AF_XDP", "", code);
  }
  TpNdisUseTap(options.tap);
  if (const auto code = TpNdisStart(nullptr); code != 0) return complain("NDIS does not start", "", code);
  for (const auto& [name, kind] : options.made) {
    std::uint32_t index = 0;
    if (const auto code = TpNdisAddTap(name, kind, &index); code != 0) return complain("cannot make", name, code);
  }
  if (const auto code = TpNdisSetBindPolicy(nullptr, &options.policy); code != 0)
    return complain("the interfaces", "", code);
  for (const char* each : options.open_anywhere) {
    if (const auto code = TpNdisAllowOpenAnywhere(each, 1); code != 0) return complain("the protocol", each, code);
  }
  return 0;
}

int load_all(const Options& options, std::vector<TP_NDIS_DRIVER>& loaded) {
  for (const char* path : options.drivers) {
    TP_NDIS_DRIVER driver = 0;
    std::int32_t status = 0;
    if (const auto code = TpNdisLoadDriver(path, &driver, &status); code != 0) {
      if (status != 0) std::fprintf(stderr, "turnpike-ndis-host: DriverEntry: %#x\n", static_cast<unsigned>(status));
      return complain("cannot load", path, code);
    }
    loaded.push_back(driver);
  }
  return 0;
}

int unload_all(std::vector<TP_NDIS_DRIVER>& loaded) {
  int result = 0;
  for (; !loaded.empty(); loaded.pop_back()) {
    if (const auto code = TpNdisUnloadDriver(loaded.back()); code != 0) result = complain("cannot unload", "", code);
  }
  return result;
}

void await_end(int signals) {
  signalfd_siginfo signal{};
  while (::read(signals, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGUSR1) return;
    print_counters();
  }
}

}  // namespace

int main(int count, char** words) {
  if (count == 2 && std::strcmp(words[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  Options options;
  if (!read(count, words, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  sigset_t ours;
  sigemptyset(&ours);
  for (const int each : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&ours, each);
  ::pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  const int signals = ::signalfd(-1, &ours, SFD_CLOEXEC);
  TpLogSink log = 0;
  TpLogOpenStderr(TP_LOG_NOTICE, TP_LOG_TIME, &log);  // which capability is missing, say
  if (const int failed = prepare(options); failed != 0) return failed;
  if (options.checked) TpNdisSetChecked(on_violation, nullptr);
  std::vector<TP_NDIS_DRIVER> loaded;
  int result = load_all(options, loaded);
  if (result == 0) {
    TpNdisQuiesce();
    print_counters();
    await_end(signals);
  }
  const int unloaded = unload_all(loaded);
  TpNdisStop();
  return result != 0 ? result : unloaded;
}
