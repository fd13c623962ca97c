// Any bytes as a configuration file: nothing crashes, findings point into the text and print, and a text that nothing
// is wrong with gives a model that shows itself, differs not from itself, and is the same when it is read again.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "../tests/config/demo.h"
#include "config/model.h"

namespace turnpike::config {
namespace {

void require(bool held) {
  if (!held) std::abort();
}

std::optional<std::span<const TpModule>> describe_library(const std::string& path, std::string&) {
  return path.ends_with("plain.so") ? std::span<const TpModule>() : std::span(&kDemo, 1);
}

void check(const Source& source) {
  const Surroundings surroundings{describe_library, [](const std::string&) { return std::optional<Bytes>(); }};
  Findings findings;
  const Model model = read_model(source, surroundings, findings);
  for (const Finding& finding : findings.found()) {
    require(finding.place.begin <= source.text.size());
    require(finding.place.length <= source.text.size() - finding.place.begin);
    require(!finding.text.empty());
  }
  require(to_text(source, findings).empty() == findings.empty());
  if (!findings.empty()) return;
  Findings again;
  const Model same = read_model(source, surroundings, again);
  require(again.empty() && same == model && differences(model, same).empty());
  require(to_json(describe(model)) == to_json(describe(same)));
}

}  // namespace
}  // namespace turnpike::config

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  turnpike::config::check({"fuzz.toml", std::string(reinterpret_cast<const char*>(data), size)});
  return 0;
}
