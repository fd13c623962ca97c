// turnpike-lldp: announces this machine to its neighbours by LLDP and shows who they are, as JSON.
//
// The driver (drivers/lldp) is linked in; this is what a service would be around it: options, signals, output.
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <turnpike/log.h>
#include <turnpike/ndis.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "driver.h"

namespace {

constexpr const char* kUsage =
    "usage: turnpike-lldp [--interfaces LIST] [--interval SECONDS] [--name NAME] [--for SECONDS]\n"
    "Announces this machine by LLDP, and prints the table of its neighbours, as JSON, whenever it changes.\n"
    "  --interfaces LIST   patterns of interface names, separated by commas; else all Ethernet interfaces\n"
    "  --interval SECONDS  between two announcements, 1 to 3600; else 30\n"
    "  --name NAME         of this system; else the host's\n"
    "  --for SECONDS       ends then, 1 to 86400; else at SIGINT or SIGTERM\n";

struct Options {
  const char* interfaces = nullptr;
  lldp::Settings settings;
  long seconds = 0;
};

bool read_number(const char* text, long most, long& into) {
  char* end = nullptr;
  into = std::strtol(text, &end, 10);
  return end != text && *end == 0 && into >= 1 && into <= most;
}

bool read(int count, char** words, Options& options) {
  for (int at = 1; at < count; at += 2) {
    const std::string_view word = words[at];
    if (at + 1 == count) return false;
    const char* const value = words[at + 1];
    long number = 0;
    if (word == "--interfaces") {
      options.interfaces = value;
    } else if (word == "--interval" && read_number(value, 3600, number)) {
      options.settings.interval_s = static_cast<std::uint32_t>(number);
    } else if (word == "--name") {
      options.settings.system_name = value;
    } else if (word == "--for" && read_number(value, 86400, number)) {
      options.seconds = number;
    } else {
      return false;
    }
  }
  return true;
}

int complain(const char* what, std::uint32_t code) {
  std::fprintf(stderr, "turnpike-lldp: %s: error %u\n", what, code);
  return 1;
}

void print() {
  std::fputs(lldp::table().c_str(), stdout);
  std::fflush(stdout);
}

// Until a signal ends it, or the time is over.
void run(int signals, int changes, long seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    std::array<pollfd, 2> wait{pollfd{signals, POLLIN, 0}, pollfd{changes, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    const int ready = ::poll(wait.data(), wait.size(), seconds == 0 ? -1 : static_cast<int>(left < 0 ? 0 : left));
    if (ready == 0 || wait[0].revents != 0) return;
    eventfd_t count = 0;
    if (wait[1].revents != 0 && ::eventfd_read(changes, &count) == 0) print();
  }
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (count == 2 && std::strcmp(words[1], "--help") == 0) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (!read(count, words, options)) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const int signals = ::signalfd(-1, &ends, SFD_CLOEXEC);
  const int changes = ::eventfd(0, EFD_CLOEXEC);
  options.settings.changed = [changes] { ::eventfd_write(changes, 1); };
  lldp::configure(options.settings);
  TpLogSink log = 0;
  TpLogOpenStderr(TP_LOG_NOTICE, TP_LOG_TIME, &log);  // which interface cannot be opened, and why
  TP_NDIS_POLICY policy{};
  policy.size = sizeof policy;
  policy.bind = options.interfaces != nullptr ? TP_NDIS_BIND_LIST : TP_NDIS_BIND_ALL_ETHERNET;
  policy.list = options.interfaces;
  if (const auto code = TpNdisStart(nullptr); code != 0) return complain("NDIS does not start", code);
  if (const auto code = TpNdisSetBindPolicy(nullptr, &policy); code != 0) return complain("the interfaces", code);
  TP_NDIS_DRIVER driver = 0;
  int32_t status = 0;
  void* const entry = reinterpret_cast<void*>(&DriverEntry);
  if (const auto code = TpNdisStartDriver("lldp", entry, &driver, &status); code != 0)
    return complain("the driver does not start", code);
  run(signals, changes, options.seconds);
  print();
  lldp::leave();
  if (const auto code = TpNdisUnloadDriver(driver); code != 0) return complain("the driver does not stop", code);
  TpNdisStop();
  return 0;
}
