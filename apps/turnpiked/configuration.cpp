#include "configuration.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace turnpike::daemon {
namespace {

constexpr std::size_t kLargest = std::size_t{256} << 20;

}  // namespace

Configuration read_configuration(const std::string& path) {
  Configuration read;
  config::Source source{path, {}};
  std::ifstream file(path, std::ios::binary);
  std::string part(65536, '\0');
  while (file.read(part.data(), static_cast<std::streamsize>(part.size())), file.gcount() > 0) {
    source.text.append(part, 0, static_cast<std::size_t>(file.gcount()));
    if (source.text.size() > kLargest) break;
  }
  if (!file.is_open() || file.bad() || !file.eof()) {
    read.complaints = path + ": cannot be read: " + (errno != 0 ? strerrordesc_np(errno) : "too large") + '\n';
    return read;
  }
  read.libraries = config::real_surroundings();
  config::Findings findings;
  config::Model model = config::read_model(source, read.libraries, findings);
  if (findings.empty()) {
    read.model = std::move(model);
  } else {
    read.complaints = config::to_text(source, findings);
  }
  return read;
}

}  // namespace turnpike::daemon
