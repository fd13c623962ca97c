#include "links.h"

#include <bit>

namespace turnpike::modules {

Links::Link* Links::find(std::uint32_t index) {
  const auto found = links_.find(index);
  return found == links_.end() ? nullptr : &found->second;
}

std::uint32_t Links::enabled_by_name(std::string_view name) const {
  for (const auto& [index, link] : links_) {
    if (link.name == name) return link.enabled ? index : 0;
  }
  return 0;
}

std::uint32_t Links::up_by_name(std::string_view name) const {
  for (const auto& [index, link] : links_) {
    if (link.name == name) return link.is_up() ? index : 0;
  }
  return 0;
}

std::uint32_t Links::up_towards(std::uint32_t address) const {
  std::uint32_t best = 0;
  int longest = -1;
  for (const auto& [index, link] : links_) {
    if (!link.is_up()) continue;
    for (const IP_LOCAL_BINDING& binding : link.addresses) {
      const int length = std::popcount(binding.Mask);
      if ((binding.Address & binding.Mask) == (address & binding.Mask) && length > longest) {
        best = index;
        longest = length;
      }
    }
  }
  return best;
}

}  // namespace turnpike::modules
