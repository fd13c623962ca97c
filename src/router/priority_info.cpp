#include "router/priority_info.h"

#include <cstring>
#include <vector>

namespace turnpike::router {

dim::Bytes priority_info(const rtm::Preferences& preferences) {
  std::vector<std::uint32_t> words{static_cast<std::uint32_t>(preferences.size())};
  for (const auto& [protocol, preference] : preferences) words.insert(words.end(), {protocol, preference});
  const auto bytes = std::as_bytes(std::span(words));
  return {bytes.begin(), bytes.end()};
}

std::optional<rtm::Preferences> read_priority_info(std::span<const std::byte> block) {
  std::vector<std::uint32_t> words(block.size() / sizeof(std::uint32_t));
  if (words.empty() || block.size() % sizeof(std::uint32_t) != 0) return std::nullopt;
  std::memcpy(words.data(), block.data(), block.size());
  if (words.size() % 2 != 1 || words[0] != words.size() / 2) return std::nullopt;
  rtm::Preferences preferences;
  for (std::size_t i = 1; i < words.size(); i += 2) {
    if (words[i + 1] == 0 || rtm::preference_in(preferences, words[i], 0) != 0) return std::nullopt;
    preferences.emplace_back(words[i], words[i + 1]);
  }
  return preferences;
}

}  // namespace turnpike::router
