// Which documented code stands for which kind of error, for the functions of MGM: one table for all of them.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace turnpike::capi {

inline constexpr std::uint32_t kMgmCodes[] = {
    87,    // kInvalidArgument: ERROR_INVALID_PARAMETER
    87,    // kInvalidHandle: ERROR_INVALID_PARAMETER too
    1168,  // kNotFound: ERROR_NOT_FOUND
    183,   // kAlreadyExists: ERROR_ALREADY_EXISTS
    259,   // kNoMoreItems: ERROR_NO_MORE_ITEMS
    122,   // kBufferTooSmall: ERROR_INSUFFICIENT_BUFFER
    8,     // kExhausted: ERROR_NOT_ENOUGH_MEMORY
    1003,  // kBusy and all others: ERROR_CAN_NOT_COMPLETE
};

inline std::uint32_t code_of_mgm(const Error& error) {
  constexpr auto kLast = std::size(kMgmCodes) - 1;
  const auto kind = static_cast<std::size_t>(error.kind);
  return kMgmCodes[kind < kLast ? kind : kLast];
}

template <class T>
std::uint32_t code_of_mgm(const Result<T>& result) {
  return result ? 0 : code_of_mgm(result.error());
}

}  // namespace turnpike::capi
