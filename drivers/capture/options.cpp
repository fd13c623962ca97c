#include "options.h"

#include <getopt.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "extcap.h"

namespace capture {

const char* const kUsage =
    "usage: turnpike-capture --write FILE [--interfaces LIST] [--no-promiscuous] [--snap-length BYTES]\n"
    "                        [--count FRAMES] [--for SECONDS] [--buffer MIB] [--file-size KIB [--files COUNT]]\n"
    "Writes what passes Ethernet interfaces as pcapng, until SIGINT or SIGTERM.\n"
    "  -w, --write FILE         where to; - is standard output\n"
    "  -i, --interfaces LIST    patterns of interface names, separated by commas; else all Ethernet interfaces\n"
    "  -p, --no-promiscuous     leaves the interfaces as they are: what they do not let in is not seen\n"
    "  -s, --snap-length BYTES  so much of each frame, 1 to 262144; else all\n"
    "  -c, --count FRAMES       ends after so many\n"
    "      --for SECONDS        ends then, 1 to 31536000\n"
    "      --buffer MIB         what may wait to be written, 1 to 4096; else 16. What does not fit is counted as lost\n"
    "      --file-size KIB      a new file each time, FILE_00001, FILE_00002, …\n"
    "      --files COUNT        that are kept, the last ones; 1 to 100000\n"
    "      --version\n"
    "Wireshark runs it as an extcap program; turnpike-capture(8) says how.\n";

namespace {

enum Word : int {
  kFor = 256,
  kBuffer,
  kFileSize,
  kFiles,
  kHelp,
  kVersion,
  kPromiscuous,
  kInterfaces,
  kDlts,
  kConfig,
  kCapture,
  kInterface,
  kFifo,
  kFilter,
  kIgnored,
};

constexpr std::array kWords{
    option{"write", required_argument, nullptr, 'w'},
    option{"interfaces", required_argument, nullptr, 'i'},
    option{"no-promiscuous", no_argument, nullptr, 'p'},
    option{"snap-length", required_argument, nullptr, 's'},
    option{"count", required_argument, nullptr, 'c'},
    option{"for", required_argument, nullptr, kFor},
    option{"buffer", required_argument, nullptr, kBuffer},
    option{"file-size", required_argument, nullptr, kFileSize},
    option{"files", required_argument, nullptr, kFiles},
    option{"help", no_argument, nullptr, kHelp},
    option{"version", no_argument, nullptr, kVersion},
    // Wireshark's words.
    option{"promiscuous", required_argument, nullptr, kPromiscuous},
    option{"extcap-interfaces", no_argument, nullptr, kInterfaces},
    option{"extcap-dlts", no_argument, nullptr, kDlts},
    option{"extcap-config", no_argument, nullptr, kConfig},
    option{"capture", no_argument, nullptr, kCapture},
    option{"extcap-interface", required_argument, nullptr, kInterface},
    option{"fifo", required_argument, nullptr, kFifo},
    option{"extcap-capture-filter", required_argument, nullptr, kFilter},
    option{"extcap-version", optional_argument, nullptr, kIgnored},
    option{nullptr, 0, nullptr, 0},
};

template <class Number>
bool read_number(std::string_view what, std::uint64_t most, Number& into) {
  const std::string text(optarg);
  char* end = nullptr;
  const unsigned long long number = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || text[0] < '0' || text[0] > '9' || *end != 0 || number < 1 || number > most) {
    std::fprintf(stderr, "turnpike-capture: %.*s: a number from 1 to %llu, not %s\n", static_cast<int>(what.size()),
                 what.data(), static_cast<unsigned long long>(most), optarg);
    return false;
  }
  into = static_cast<Number>(number);
  return true;
}

bool refuse(const char* why) {
  std::fprintf(stderr, "turnpike-capture: %s\n", why);
  return false;
}

bool read_interface(Options& options) {
  const auto name = interface_of(optarg);
  if (!name) return refuse("that is none of the interfaces that --extcap-interfaces lists");
  options.interfaces = *name;
  return true;
}

bool take_task(Options& options, Options::Task task) {
  options.task = task;
  return true;
}

bool take(int word, Options& options) {
  using Task = Options::Task;
  switch (word) {
    case 'w':
    case kFifo:
      options.path = optarg;
      return true;
    case 'i':
      options.interfaces = optarg;
      return !options.interfaces.empty() || refuse("--interfaces: an empty list");
    case 'p':
      options.promiscuous = false;
      return true;
    case 's':
      return read_number("--snap-length", 262'144, options.snap_length);
    case 'c':
      return read_number("--count", UINT64_MAX / 2, options.frames);
    case kFor:
      return read_number("--for", 31'536'000, options.seconds);
    case kBuffer:
      return read_number("--buffer", 4096, options.buffer_mib);
    case kFileSize:
      return read_number("--file-size", UINT32_MAX, options.file_kib);
    case kFiles:
      return read_number("--files", 100'000, options.files);
    case kHelp:
      return take_task(options, Task::kHelp);
    case kVersion:
      return take_task(options, Task::kVersion);
    case kPromiscuous:
      options.promiscuous = std::string_view(optarg) != "false";
      return true;
    case kInterfaces:
      return take_task(options, Task::kExtcapInterfaces);
    case kDlts:
      return take_task(options, Task::kExtcapDlts);
    case kConfig:
      return take_task(options, Task::kExtcapConfig);
    case kCapture:
      options.for_wireshark = true;
      return true;
    case kInterface:
      return read_interface(options);
    case kFilter:
      return *optarg == 0 || refuse("there are no capture filters here: filter what is shown");
    case kIgnored:
      return true;
    default:
      std::fputs(kUsage, stderr);
      return false;
  }
}

}  // namespace

std::optional<Options> read_options(int count, char** words) {
  Options options;
  for (;;) {
    const int word = ::getopt_long(count, words, "w:i:ps:c:", kWords.data(), nullptr);
    if (word < 0) break;
    if (!take(word, options)) return std::nullopt;
  }
  const bool wrong = optind != count || (options.task == Options::Task::kCapture && options.path.empty()) ||
                     (options.files != 0 && options.file_kib == 0) || (options.path == "-" && options.file_kib != 0);
  if (wrong) {
    std::fputs(kUsage, stderr);
    return std::nullopt;
  }
  return options;
}

}  // namespace capture
