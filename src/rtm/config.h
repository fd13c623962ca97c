// Config: what an administrator sets for one table: section 5 of docs/contract/rtmv2.md.
#pragma once

#include <bit>
#include <cstdint>

#include "base/result.h"
#include "rtm/image.h"
#include "rtm/preferences.h"

namespace turnpike::rtm {

struct Config {
  std::uint16_t instance = 0;
  std::uint16_t family = 0;  // the number that clients see; the table only compares it
  unsigned width = 32;       // bits of an address: 1 to 128
  // Of next hops besides the table's own: IPv6 beside IPv4 (RFC 8950), 128 bits wide. 0: there are none.
  std::uint16_t gateway_family = 0;
  bool classful = false;  // whether RTM_DEST_FLAG_NATURAL_NET means anything
  std::uint32_t max_next_hops = 8;
  std::uint32_t max_handles_in_enum = 100;
  std::uint32_t opaque_slots = 5;
  std::uint32_t change_registrations = 16;
  ViewSet views = 3;
  std::uint32_t v1_messages = 65536;  // that wait for an RTMv1 client before they are merged
  std::uint32_t default_preference = kUsualPreference;
  Preferences preferences;  // at first: Table::set_preferences

  bool operator==(const Config&) const = default;

  [[nodiscard]] unsigned view_count() const { return static_cast<unsigned>(std::popcount(views)); }
  // kInvalidArgument: a value is out of the limits of the contract.
  [[nodiscard]] Result<void> check() const {
    const bool good = width >= 1 && width <= 128 && max_next_hops >= 1 && max_next_hops <= 64 &&
                      max_handles_in_enum >= 1 && max_handles_in_enum <= 10000 && opaque_slots <= 32 &&
                      change_registrations >= 1 && change_registrations <= 64 && views != 0;
    if (!good) {
      return fail(ErrorKind::kInvalidArgument, "the table's configuration is out of its limits");
    }
    return {};
  }
};

}  // namespace turnpike::rtm
