// Judging what a module says of itself (turnpike/module.h) before anybody believes it, and fetching it from a library.
//
// A description is foreign data with pointers in it: pointers that lead nowhere crash, as they do in any code of the
// module, but everything that can be said wrong is found here: bytes that overlap or lie outside, names that are none
// or the router's, bounds that contradict each other, defaults out of bounds, lists that contain themselves.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "turnpike/module.h"

namespace turnpike::config {

// Keys of the router's own: in [protocol.NAME] beside the protocol's settings, in [interface.NAME] beside protocols.
inline constexpr std::array<std::string_view, 7> kProtocolKeys{"library", "id",     "transport", "enabled",
                                                               "raw",     "base64", "file"};
inline constexpr std::array<std::string_view, 3> kInterfaceKeys{"enabled", "type", "transports"};

// A key that may name a protocol or a setting: a lower-case letter, then letters, digits, "_" and "-", 40 at most.
[[nodiscard]] bool is_name(std::string_view text);

// What is wrong, one sentence each; none: it is good.
[[nodiscard]] std::vector<std::string> flaws(const TpSettings& settings);
[[nodiscard]] std::vector<std::string> flaws(const TpModule& module);
[[nodiscard]] std::vector<std::string> flaws(const TpModuleMib& mib);

// The protocols that a library describes; none where it describes none. They live as long as this.
class DescribedLibrary {
 public:
  DescribedLibrary() = default;

  // kNotFound: no such file, or the loader says no; `reason` has its words, or what is wrong with the description
  // (kInvalidArgument).
  static Result<DescribedLibrary> open(const std::string& path, std::string& reason);

  [[nodiscard]] std::span<const TpModule> modules() const { return modules_; }
  // Null: it does not say.
  [[nodiscard]] const TpModuleMib* mib(std::uint32_t protocol, std::uint32_t transport) const;

 private:
  struct Close {
    void operator()(void* handle) const;
  };

  std::unique_ptr<void, Close> handle_;
  static Result<void> read_mibs(DescribedLibrary& library, std::string& reason);

  std::span<const TpModule> modules_;
  std::span<const TpModuleMib> mibs_;
};

}  // namespace turnpike::config
