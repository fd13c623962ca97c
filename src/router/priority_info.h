// IP_PROT_PRIORITY_INFO, the block in which a transport's global information says what protocols' routes are worth: how
// many protocols, then for each its number and its preference, all of 32 bits.
#pragma once

#include <optional>
#include <span>

#include "dim/terms.h"
#include "rtm/preferences.h"

namespace turnpike::router {

[[nodiscard]] dim::Bytes priority_info(const rtm::Preferences& preferences);
// Nothing: it is no such block: of another size, or with a preference of 0, or with a protocol twice.
[[nodiscard]] std::optional<rtm::Preferences> read_priority_info(std::span<const std::byte> block);

}  // namespace turnpike::router
