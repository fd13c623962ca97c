// What an error code of the documented interfaces means, and what to do about it.
#pragma once

#include <string>
#include <string_view>

#include "base/value.h"

namespace turnpike::cli {

// Whether the word is meant as an error: a name such as ERROR_BUSY, or a number, also in hexadecimal.
[[nodiscard]] bool is_error_word(std::string_view word);

// By name, upper or lower case, or by number. An object with `error` where there is none.
[[nodiscard]] Value explain_error(const std::string& word);

}  // namespace turnpike::cli
