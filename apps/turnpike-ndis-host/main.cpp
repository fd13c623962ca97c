// turnpike-ndis-host: runs NDIS protocol drivers that are shared objects, on this machine's interfaces.
//
// It calls each driver's DriverEntry, binds by the policy of the command line, and unloads the drivers in the reverse
// order when it is told to end. In checked mode a driver that breaks a rule ends the process, with the rule and what
// was last done through the handle; one that crashes is named. SIGUSR1 prints what there is.
#include <dlfcn.h>
#include <turnpike/log.h>
#include <turnpike/ndis.h>
#include <turnpike/ndis_configuration.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr const char* kUsage =
    "usage: turnpike-ndis-host [--interfaces LIST] [--exclude LIST] [--when-up] [--open-anywhere PROTOCOL]\n"
    "                          [--xdp LIST [--xdp-take-all]] [--tap LIST] [--add-tap NAME] [--add-tun NAME]\n"
    "                          [--set SECTION\\KEYWORD=VALUE] [--checked] [--debug] DRIVER.so…\n"
    "Runs NDIS protocol drivers until SIGINT or SIGTERM, and until a second one if one does not let itself be "
    "unloaded;\n"
    "SIGUSR1 prints what they have, as JSON.\n"
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
    "  --set SECTION\\KEYWORD=VALUE\n"
    "                            what a driver reads as its configuration: --set "
    "'MyProtocol\\Parameters\\Interval=30'\n"
    "  --checked                 a driver that breaks a rule ends the process\n"
    "  --debug                   shows what drivers print (DbgPrint), and what else is said for debugging\n";

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
  std::uint32_t log_from = TP_LOG_NOTICE;  // which capability is missing, say
};

bool set_configuration(std::string_view setting) {
  const std::size_t equals = setting.find('=');
  if (equals == setting.npos) return false;
  const std::size_t keyword = setting.substr(0, equals).rfind('\\');
  if (keyword == setting.npos) return false;
  const std::string section(setting.substr(0, keyword));
  const std::string name(setting.substr(keyword + 1, equals - keyword - 1));
  return TpNdisSetConfiguration(section.c_str(), name.c_str(), std::string(setting.substr(equals + 1)).c_str()) == 0;
}

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
    } else if (word == "--set") {
      if (const char* const setting = value(); setting == nullptr || !set_configuration(setting)) return false;
    } else if (word == "--checked") {
      options.checked = true;
    } else if (word == "--debug") {
      options.log_from = TP_LOG_DEBUG;
    } else if (word.starts_with("-")) {
      return false;
    } else {
      options.drivers.push_back(words[at]);
    }
  }
  return !options.drivers.empty() && (options.xdp != nullptr || options.xdp_flags == 0);
}

// What an error of turnpike/ndis.h means for who runs a driver.
const char* meaning_of(std::uint32_t code) {
  switch (code) {
    case 5:
      return "a right is missing: the line above says which";
    case 8:
      return "no memory";
    case 31:
      return "the kernel refused something: the line above says what";
    case 50:
      return "this build has no AF_XDP";
    case 126:
      return "no shared object that can be loaded: the line above says why";
    case 127:
      return "no driver: it exports no DriverEntry (in C++, extern \"C\")";
    case 183:
      return "it is loaded already, and has its variables only once";
    default:
      return "see turnpike/ndis.h";
  }
}

int complain(const char* what, const char* whose, std::uint32_t code, const char* meaning = nullptr) {
  std::fprintf(stderr, "turnpike-ndis-host: %s%s%s: error %u: %s\n", what, *whose != 0 ? " " : "", whose, code,
               meaning != nullptr ? meaning : meaning_of(code));
  return 1;
}

// --- a driver that does what no driver may ---------------------------------------------------------------------------

void on_violation(void*, const char* function, const char* rule, std::uint64_t handle, const char* history) {
  std::fprintf(stderr, "turnpike-ndis-host: %s, handle %#llx: %s\n%s\n", function,
               static_cast<unsigned long long>(handle), rule, history);
  std::abort();
}

std::uintptr_t where(const void* context) {
#if defined(__x86_64__)
  return static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return static_cast<std::uintptr_t>(static_cast<const ucontext_t*>(context)->uc_mcontext.pc);
#else
  return 0;
#endif
}

// Says in whose code it was; then the signal does what it always does, a core dump included.
void on_crash(int signal, siginfo_t*, void* context) {
  const std::uintptr_t at = where(context);
  Dl_info found{};
  if (::dladdr(reinterpret_cast<const void*>(at), &found) == 0 || found.dli_fname == nullptr) found = {};
  char text[1024];
  const int size =
      std::snprintf(text, sizeof text, "turnpike-ndis-host: %s in %s+%#llx%s%s%s\n", ::sigabbrev_np(signal),
                    found.dli_fname != nullptr ? found.dli_fname : "no code",
                    static_cast<unsigned long long>(at - reinterpret_cast<std::uintptr_t>(found.dli_fbase)),
                    found.dli_sname != nullptr ? " (" : "", found.dli_sname != nullptr ? found.dli_sname : "",
                    found.dli_sname != nullptr ? ")" : "");
  if (size > 0) (void)!::write(STDERR_FILENO, text, std::min<std::size_t>(static_cast<std::size_t>(size), sizeof text));
  ::signal(signal, SIG_DFL);
}

void name_what_crashes() {
  for (const int each : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction before{};
    ::sigaction(each, nullptr, &before);
    if (before.sa_handler != SIG_DFL) continue;  // a sanitizer's, which says more
    struct sigaction ours{};
    ours.sa_sigaction = on_crash;
    ours.sa_flags = SA_SIGINFO;
    ::sigaction(each, &ours, nullptr);
  }
  std::set_terminate([] {
    std::fputs("turnpike-ndis-host: an exception has left a callback of a driver, or its DriverEntry\n", stderr);
    __gnu_cxx::__verbose_terminate_handler();
  });
}

// --- state -----------------------------------------------------------------------------------------------------------

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
  }
  return out + '"';
}

void add(std::string& out, const char* name, std::uint64_t value) {
  out += std::string(", \"") + name + "\": " + std::to_string(value);
}

void add_binding(void* context, const TP_NDIS_BINDING* binding) {
  static constexpr std::array<const char*, 7> kStates{"opening", "paused",  "restarting", "running",
                                                      "pausing", "closing", "closed"};
  std::string& out = *static_cast<std::string*>(context);
  out += (out.empty() ? "\n  " : ",\n  ") + std::string("{\"protocol\": ") + quoted(binding->protocol);
  out += ", \"interface\": " + quoted(binding->interface_name);
  out += std::string(", \"state\": \"") + kStates[std::min<std::size_t>(binding->state, kStates.size() - 1)] + '"';
  add(out, "ndis", binding->generation);
  add(out, "filter", binding->filter);
  add(out, "sends", binding->sends);
  add(out, "requests", binding->requests);
  add(out, "retained", binding->retained);
  add(out, "received", binding->received);
  add(out, "delivered", binding->delivered);
  add(out, "sent", binding->sent);
  add(out, "lost", binding->lost);
  out += '}';
}

void print_state() {
  TP_NDIS_COUNTERS now{};
  now.size = sizeof now;
  std::string each;
  if (TpNdisGetCounters(&now) != 0 || TpNdisForEachBinding(add_binding, &each) != 0) return;
  std::string out = "{\"protocols\": " + std::to_string(now.protocols);
  add(out, "bindings", now.bindings);
  add(out, "adapters", now.adapters);
  add(out, "sends", now.sends);
  add(out, "requests", now.requests);
  add(out, "retained", now.retained);
  add(out, "violations", now.violations);
  out += ", \"each\": [" + each + "]}\n";
  std::fputs(out.c_str(), stdout);
  std::fflush(stdout);
}

// --- signals ---------------------------------------------------------------------------------------------------------

// They are heard on a thread of their own, so that what there is can be asked for, and an end be had, while a driver is
// stuck in its DriverEntry or does not let itself be unloaded.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int each : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set_, each);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);  // of every thread that begins from now on
    std::thread([this] { listen(); }).detach();
  }
  void await_end() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_; });
  }

 private:
  // What comes so soon is the same signal: timeout(1) sends it to the process and to its group.
  static constexpr std::chrono::milliseconds kOneSignal{500};

  void listen() {
    for (;;) {
      int which = 0;
      if (::sigwait(&set_, &which) != 0) continue;
      if (which == SIGUSR1) {
        print_state();
        continue;
      }
      const std::lock_guard lock(mutex_);
      const auto now = std::chrono::steady_clock::now();
      if (ending_ && now - since_ < kOneSignal) continue;
      if (ending_) {
        std::fputs("turnpike-ndis-host: ends at once, with drivers that are not unloaded\n", stderr);
        ::_exit(1);
      }
      std::fputs("turnpike-ndis-host: ends when its drivers are unloaded; a second signal ends it at once\n", stderr);
      ending_ = true;
      since_ = now;
      changed_.notify_all();
    }
  }

  sigset_t set_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::chrono::steady_clock::time_point since_;
};

// --- drivers ---------------------------------------------------------------------------------------------------------

// How interfaces are opened is said before NDIS starts to look at them.
int prepare(const Options& options) {
  if (options.xdp != nullptr) {
    if (const auto code = TpNdisUseXdp(options.xdp, options.xdp_flags); code != 0) return complain("AF_XDP", "", code);
  }
  if (const auto code = TpNdisUseTap(options.tap); code != 0) return complain("TUN and TAP interfaces", "", code);
  if (const auto code = TpNdisStart(nullptr); code != 0) return complain("NDIS does not start", "", code);
  for (const auto& [name, kind] : options.made) {
    std::uint32_t index = 0;
    if (const auto code = TpNdisAddTap(name, kind, &index); code != 0)
      return complain("cannot make", name, code, code == 183 ? "an interface has that name" : nullptr);
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
      char refusal[64];
      std::snprintf(refusal, sizeof refusal, "its DriverEntry failed with %#x", static_cast<unsigned>(status));
      return complain("cannot load", path, code, status != 0 ? refusal : nullptr);
    }
    loaded.push_back(driver);
  }
  return 0;
}

int unload_all(const Options& options, std::vector<TP_NDIS_DRIVER>& loaded) {
  int result = 0;
  for (; !loaded.empty(); loaded.pop_back()) {
    if (const auto code = TpNdisUnloadDriver(loaded.back()); code != 0)
      result = complain(
          "cannot unload", options.drivers[loaded.size() - 1], code,
          code == 31 ? "it has no unload routine, or one that leaves a protocol registered or a work item running"
                     : nullptr);
  }
  return result;
}

}  // namespace

int main(int count, char** words) {
  if (count == 2 && (std::strcmp(words[1], "--help") == 0 || std::strcmp(words[1], "--version") == 0)) {
    std::fputs(words[1][2] == 'h' ? kUsage : "turnpike-ndis-host " TURNPIKE_VERSION "\n", stdout);
    return 0;
  }
  Options options;
  if (!read(count, words, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  name_what_crashes();
  Signals& signals = *new Signals;  // allow naked-new: its thread has no end, so neither has it
  TpLogSink log = 0;
  TpLogOpenStderr(options.log_from, TP_LOG_TIME, &log);
  if (const int failed = prepare(options); failed != 0) return failed;
  if (options.checked) TpNdisSetChecked(on_violation, nullptr);
  std::vector<TP_NDIS_DRIVER> loaded;
  int result = load_all(options, loaded);
  if (result == 0) {
    TpNdisQuiesce();
    print_state();
    signals.await_end();
  }
  const int unloaded = unload_all(options, loaded);
  TpNdisStop();
  return result != 0 ? result : unloaded;
}
