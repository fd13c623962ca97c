// Bytes as an operator writes them, for blocks of protocols that do not describe themselves.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace turnpike::config {

// "0a 00 ff", blanks anywhere between bytes.
[[nodiscard]] std::optional<std::vector<std::byte>> parse_hexadecimal(std::string_view text);

// RFC 4648, with its padding; blanks anywhere.
[[nodiscard]] std::optional<std::vector<std::byte>> parse_base64(std::string_view text);

}  // namespace turnpike::config
