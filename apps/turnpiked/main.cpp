// turnpiked(8): the router as a service.
//
//   turnpiked [--config FILE]          runs it                       exit 0: stopped   1: could not run
//   turnpiked --check [FILE]           says what is wrong with it    0: nothing        1: something
//   turnpiked --describe LIBRARY       the settings of its protocols
//   turnpiked --manual [LIBRARY]       the sections of turnpike.toml(5), or of a library's protocols, in roff

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "config/description.h"
#include "config/manual.h"
#include "configuration.h"
#include "daemon.h"
#include "logging.h"
#include "privileges.h"
#include "service.h"

namespace turnpike::daemon {
namespace {

constexpr const char* kUsage =
    "usage: turnpiked [--config FILE]\n"
    "       turnpiked --check [FILE]\n"
    "       turnpiked --describe LIBRARY\n"
    "       turnpiked --manual [LIBRARY]\n"
    "       turnpiked --version | --help\n";

int say(const std::string& text, int status = 0) {
  const bool good = std::fwrite(text.data(), 1, text.size(), status == 0 ? stdout : stderr) == text.size();
  return good ? status : 1;
}

int check(const std::string& path) {
  const Configuration read = read_configuration(path);
  return read.model ? say(path + ": good\n") : say(read.complaints, 1);
}

int describe_library(const std::string& path, std::string (*form)(const TpModule&)) {
  std::string reason;
  const auto library = config::DescribedLibrary::open(path, reason);
  if (!library) return say("turnpiked: " + reason + '\n', 1);
  if (library->modules().empty()) return say("turnpiked: " + path + " does not describe itself\n", 1);
  std::string out;
  for (const TpModule& module : library->modules()) out += form(module);
  return say(out);
}

int run(const std::string& path) {
  const Service service = Service::from_environment();
  open_log();
  if (const auto kept = keep_only_the_network(); !kept) {
    return say(std::string("turnpiked: ") + kept.error().what + '\n', 1);
  }
  return Daemon(path, service).run();
}

int main_with(const std::vector<std::string>& words) {
  std::string path = TURNPIKE_CONFIGURATION;
  const std::string first = words.empty() ? "" : words[0];
  if (words.size() > 2 || (words.size() == 1 && (first == "--config" || first == "--describe"))) return say(kUsage, 2);
  if (words.size() == 2) path = words[1];
  if (words.empty() || first == "--config") return run(path);
  if (first == "--check") return check(path);
  if (first == "--describe") return describe_library(path, config::settings_text);
  if (first == "--manual") {
    return words.size() == 2 ? describe_library(path, config::settings_manual) : say(config::manual());
  }
  if (words.size() == 2) return say(kUsage, 2);
  if (first == "--version") return say("turnpiked " TURNPIKE_VERSION "\n");
  if (first == "--help" || first == "-h") return say(kUsage);
  return say(kUsage, 2);
}

}  // namespace
}  // namespace turnpike::daemon

int main(int count, char** words) {
  return turnpike::daemon::main_with(std::vector<std::string>(words + 1, words + count));
}
