// Information blocks by their description (turnpike/module.h): a table of the file becomes bytes, bytes become values
// to show. The router's own settings are described and read in the same way, so there is one checker.
//
// Descriptions that come from a module are judged by description.h before anything here sees them.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/value.h"
#include "config/toml.h"
#include "turnpike/module.h"

namespace turnpike::config {

using Bytes = std::vector<std::byte>;

// Blocks are no larger than this, whatever the file says.
inline constexpr std::size_t kLargestBlock = std::size_t{64} << 20;

// The block of what the table says and, where it says nothing, of the defaults; `table` null: of the defaults alone.
// Keys named by `others` belong to somebody else. What is wrong is added to `findings`; the block is worth nothing
// then.
[[nodiscard]] Bytes encode(const TpSettings& settings, const Document& document, const Node* table,
                           std::span<const std::string_view> others, Findings& findings);

// The same for defaults without a file. kInvalidArgument: a setting has none, or one that is none.
[[nodiscard]] Result<Bytes> defaults_of(const TpSettings& settings);

// The bytes as values, each setting by its name; secrets as null. kInvalidArgument: the bytes are no such block.
[[nodiscard]] Result<Value> decode(const TpSettings& settings, std::span<const std::byte> block);

// Two blocks, to be compared: of a list, elements that are the same in both at its beginning and at its end are left
// out, for which their bytes are looked at. So one route more among 50,000 is made into values alone.
struct DecodedPair {
  Value from, to;
};
[[nodiscard]] Result<DecodedPair> decode_differing(const TpSettings& settings, std::span<const std::byte> from,
                                                   std::span<const std::byte> to);

// Where the file says what a module complains about: "route[3].via", and the nearest place that there is.
[[nodiscard]] Place place_of(const Document& document, const Node& table, std::string_view where);

// The value of a setting that stands for what it means in documents: "250ms", "30s", "5m", "2h", "1d".
[[nodiscard]] std::string duration_text(std::uint64_t milliseconds);

}  // namespace turnpike::config
