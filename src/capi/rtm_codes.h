// Which documented code stands for which kind of error, for the functions of the routing table. One table for all of
// them, and what single functions say otherwise.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>

#include "base/result.h"

namespace turnpike::capi {

// Exceptions from the general table.
using CodeMap = std::span<const std::pair<ErrorKind, std::uint32_t>>;

inline constexpr std::uint32_t kGeneralCodes[] = {
    87,    // kInvalidArgument: ERROR_INVALID_PARAMETER
    6,     // kInvalidHandle: ERROR_INVALID_HANDLE
    1168,  // kNotFound: ERROR_NOT_FOUND
    183,   // kAlreadyExists: ERROR_ALREADY_EXISTS
    259,   // kNoMoreItems: ERROR_NO_MORE_ITEMS
    122,   // kBufferTooSmall: ERROR_INSUFFICIENT_BUFFER
    8,     // kExhausted: ERROR_NOT_ENOUGH_MEMORY
    170,   // kBusy: ERROR_BUSY
    5,     // kDenied: ERROR_ACCESS_DENIED
    50,    // kUnsupported: ERROR_NOT_SUPPORTED
    31,    // kKernel: ERROR_GEN_FAILURE
    1359,  // kInternal: ERROR_INTERNAL_ERROR
};

// RtmRegisterEntity: no configuration is ERROR_FILE_NOT_FOUND, a bad one ERROR_BAD_CONFIGURATION, no slot or no room
// for another client ERROR_NO_SYSTEM_RESOURCES.
inline constexpr std::pair<ErrorKind, std::uint32_t> kRegisterCodes[] = {
    {ErrorKind::kNotFound, 2}, {ErrorKind::kUnsupported, 1610}, {ErrorKind::kExhausted, 1450}};
// RtmRegisterForChangeNotification: as many registrations as there may be is ERROR_NO_SYSTEM_RESOURCES.
inline constexpr std::pair<ErrorKind, std::uint32_t> kChangeRegistrationCodes[] = {{ErrorKind::kExhausted, 1450}};

inline std::uint32_t code_of(const Error& error, CodeMap exceptions = {}) {
  for (const auto& [kind, code] : exceptions) {
    if (kind == error.kind) {
      return code;
    }
  }
  return kGeneralCodes[static_cast<unsigned>(error.kind)];
}

template <class T>
std::uint32_t code_of(const Result<T>& result, CodeMap exceptions = {}) {
  return result ? 0 : code_of(result.error(), exceptions);
}

}  // namespace turnpike::capi
