// turnpike-capture: the capture driver in a program. NDIS brings frames, a thread of this program writes them.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <turnpike/ndis.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <system_error>

#include "driver.h"
#include "extcap.h"
#include "options.h"
#include "output.h"

namespace {

using capture::Options;

constexpr std::uint32_t kPatienceMs = 30'000;
constexpr const char* kApplication = "turnpike-capture " TURNPIKE_VERSION;

int fail(const std::string& what, const std::string& why) {
  std::fprintf(stderr, "turnpike-capture: %s: %s\n", what.c_str(), why.c_str());
  return 1;
}
int fail(const char* what, std::uint32_t code) { return fail(what, "error " + std::to_string(code)); }

std::string text_of(int system_code) { return std::generic_category().message(system_code); }

int show(const std::string& text) { return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0; }

// --- what could not be bound

std::string reason_of(const capture::Refusal& refusal) {
  if (refusal.system_code == EPERM || refusal.system_code == EACCES)
    return "may not be opened: that takes CAP_NET_RAW (run as root, or setcap cap_net_raw+ep)";
  if (refusal.system_code != 0) return "cannot be opened: " + text_of(refusal.system_code);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "cannot be opened: NDIS_STATUS 0x%08X",
                static_cast<unsigned>(refusal.status));
  return text.data();
}

// Each name of the list that is not a pattern must be there; of all patterns together, something.
bool all_are_bound(const Options& options) {
  const std::vector<capture::Refusal> refusals = capture::refusals();
  const std::vector<std::string> bound = capture::interfaces();
  for (const capture::Refusal& each : refusals) fail(each.interface, reason_of(each));
  bool good = refusals.empty();
  for (std::string_view rest = options.interfaces; !rest.empty();) {
    const std::string name(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const auto is_refused = [&name](const capture::Refusal& each) { return each.interface == name; };
    if (name.find_first_of("*?:[") != name.npos || std::ranges::find(bound, name) != bound.end() ||
        std::ranges::any_of(refusals, is_refused))
      continue;
    fail(name, "there is no Ethernet interface of that name");
    good = false;
  }
  if (good && bound.empty()) {
    fail(options.interfaces.empty() ? "all Ethernet interfaces" : options.interfaces, "there is none");
    good = false;
  }
  return good;
}

void tell_begin() {
  std::string names;
  for (const std::string& each : capture::interfaces()) names += (names.empty() ? "" : ", ") + each;
  std::fprintf(stderr, "turnpike-capture: capturing on %s\n", names.c_str());
}

// --- capturing

struct Wakers {
  int signals = -1;  // is readable from the first one on
  int frames = -1;
};

Wakers make_wakers() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  return {::signalfd(-1, &ends, SFD_CLOEXEC), ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
}

// Until a signal, enough frames, or the end of the time. Gives what Output gives.
int run(const Options& options, const Wakers& wakers, capture::Spool& spool, capture::Output& output) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(options.seconds);
  capture::Batch batch;
  for (;;) {
    const bool any = spool.take(batch);
    if (any) {
      if (const int error = output.write(batch); error != 0) return error;
    } else if (spool.is_complete()) {
      return 0;
    }
    // Where there is always more to write, the end is asked for all the same.
    std::array<pollfd, 2> wait{pollfd{wakers.signals, POLLIN, 0}, pollfd{wakers.frames, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    const int most = options.seconds == 0 ? -1 : static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
    ::poll(wait.data(), wait.size(), any ? 0 : most);
    if (wait[0].revents != 0 || (options.seconds != 0 && Clock::now() >= end)) return 0;
    if (any) continue;
    eventfd_t count = 0;
    ::eventfd_read(wakers.frames, &count);
  }
}

// With the driver gone nothing more comes, and its counts are final.
int finish(capture::Spool& spool, capture::Output& output) {
  capture::Batch batch;
  if (spool.take(batch)) {
    if (const int error = output.write(batch); error != 0) return error;
  }
  return output.close();
}

void tell_counts() {
  const std::vector<std::string> names = capture::interfaces();
  const std::vector<capture::Statistics> all = capture::statistics();
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  for (std::size_t at = 0; at < names.size(); ++at) {
    const capture::Statistics& each = all[at];
    std::fprintf(stderr, "%s: %llu frames, %llu of them lost by the writer, and %llu before, by the interface\n",
                 names[at].c_str(), number(each.received), number(each.dropped), number(each.interface_dropped));
  }
}

// On the interfaces of that list, and waits until what is there has been offered.
int start(const std::string& interfaces, TP_NDIS_DRIVER& driver) {
  TP_NDIS_POLICY policy{};
  policy.size = sizeof policy;
  policy.bind = interfaces.empty() ? TP_NDIS_BIND_ALL_ETHERNET : TP_NDIS_BIND_LIST;
  policy.list = interfaces.empty() ? nullptr : interfaces.c_str();
  if (const auto code = TpNdisStart(nullptr); code != 0) return fail("NDIS does not start", code);
  if (const auto code = TpNdisSetBindPolicy(nullptr, &policy); code != 0) return fail("the interfaces", code);
  std::int32_t status = 0;
  if (const auto code = TpNdisStartDriver("capture", reinterpret_cast<void*>(&DriverEntry), &driver, &status);
      code != 0)
    return fail("the driver does not start", code);
  return capture::await_binds(kPatienceMs) ? 0 : fail("NDIS", "does not tell which interfaces there are");
}

int stop(TP_NDIS_DRIVER driver) {
  std::uint32_t code = 0;
  if (driver != 0) code = TpNdisUnloadDriver(driver);
  return code == 0 ? 0 : fail("the driver does not stop", code);
}

// Which interfaces there are NDIS knows: it offers them.
int show_interfaces() {
  TP_NDIS_DRIVER driver = 0;
  int result = start("*", driver);
  if (result == 0) result = show(capture::extcap_interfaces(capture::offers()));
  const int stopped = stop(driver);
  TpNdisStop();
  return result != 0 ? result : stopped;
}

int capture_frames(const Options& options) {
  capture::Spool spool({std::size_t{options.buffer_mib} << 20, options.snap_length, options.frames});
  capture::Output output({options.path, std::uint64_t{options.file_kib} << 10, options.files}, kApplication,
                         capture::statistics);
  std::signal(SIGPIPE, SIG_IGN);
  if (const int error = output.open(); error != 0) return fail(output.name(), text_of(error));
  const Wakers wakers = make_wakers();
  output.stop_at(wakers.signals);
  capture::configure({&spool, options.promiscuous, [&wakers] { ::eventfd_write(wakers.frames, 1); }});
  TP_NDIS_DRIVER driver = 0;
  int result = start(options.interfaces, driver);
  if (result == 0 && !all_are_bound(options)) result = 1;
  const bool began = result == 0;
  if (began && !options.for_wireshark) tell_begin();
  int error = began ? run(options, wakers, spool, output) : ECANCELED;
  if (const int stopped = stop(driver); stopped != 0) result = stopped;
  if (error == 0) error = finish(spool, output);
  if (error != 0 && error != EPIPE && error != ECANCELED) result = fail(output.name(), text_of(error));
  if (began && !options.for_wireshark) tell_counts();
  TpNdisStop();
  return result;
}

}  // namespace

int main(int count, char** words) {
  const auto options = capture::read_options(count, words);
  if (!options) return 2;
  switch (options->task) {
    case Options::Task::kHelp:
      return show(capture::kUsage);
    case Options::Task::kVersion:
      return show(std::string(kApplication) + "\n");
    case Options::Task::kExtcapInterfaces:
      return show_interfaces();
    case Options::Task::kExtcapDlts:
      return show(capture::extcap_link_types());
    case Options::Task::kExtcapConfig:
      return show(capture::extcap_settings());
    case Options::Task::kCapture:
      break;
  }
  return capture_frames(*options);
}
