// Values as bytes, for the socket between turnpike(1) and turnpiked: a request is a frame, an answer is one or several.
//
// A frame is a length of four bytes, the lowest first, and a value: a byte that tells its kind, then what the kind
// needs. What comes in is foreign: depth, number and length are bounded before anything is believed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/value.h"

namespace turnpike::admin {

inline constexpr std::size_t kLargestRequest = 64 * 1024;
inline constexpr std::size_t kLargestAnswer = std::size_t{256} << 20;

// Appends a frame.
void put_frame(std::string& out, const Value& value);

// Takes the first frame from `in`. Nothing: it is not there as a whole yet. kInvalidArgument: it is no frame of ours,
// or larger than `largest`, and nothing behind it can be read either.
[[nodiscard]] Result<std::optional<Value>> take_frame(std::string& in, std::size_t largest);

}  // namespace turnpike::admin
