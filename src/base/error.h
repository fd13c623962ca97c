// The error of every room: what happened, in one word that tells the caller what to do next.
//
// Kinds are chosen by the reaction they call for, not by the place they come from; a face of src/capi maps
// (function, kind) to the documented code through one table, so a kind is never a Windows number.
#pragma once

#include <cstdint>
#include <string_view>

namespace turnpike {

enum class ErrorKind : std::uint8_t {
  kInvalidArgument,  // mend the call: an argument can never be right
  kInvalidHandle,    // mend the caller: the handle is null, stale, foreign or of another kind
  kNotFound,         // ordinary absence: nothing has that name
  kAlreadyExists,    // ordinary presence: something has that name already
  kNoMoreItems,      // the walk is over
  kBufferTooSmall,   // call again with a larger buffer
  kExhausted,        // a bound or memory is used up: release something, or try later
  kBusy,             // somebody uses it now: try again later
  kDenied,           // the caller may not: ask the administrator
  kUnsupported,      // will never work here: do without
  kKernel,           // the kernel said no: `system_code` is its errno
  kInternal,         // our own defect: report it
};

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::kInternal;
  int system_code = 0;    // an errno where `kind` is kKernel, else 0
  const char* what = "";  // a string literal: errors are made on hot paths and must not allocate

  friend constexpr bool operator==(const Error& a, const Error& b) {
    return a.kind == b.kind && a.system_code == b.system_code;
  }
};

// The kind's name as it stands in logs, e.g. "invalid handle".
std::string_view name_of(ErrorKind kind);

// What the caller can do about it, one plain sentence.
std::string_view advice_for(ErrorKind kind);

}  // namespace turnpike
