// Result<T>: a value, or an Error. The one way a function inside Turnpike says that it failed.
#pragma once

#include <tl/expected.hpp>

#include "base/error.h"

namespace turnpike {

template <class T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

// fail(ErrorKind::kNotFound, "no such prefix"): what a function returns when it cannot do its work.
// `what` is a string literal.
[[nodiscard]] constexpr Failure fail(ErrorKind kind, const char* what) { return Failure(Error{kind, 0, what}); }

// The same for a system call that said no.
[[nodiscard]] constexpr Failure fail_errno(int system_code, const char* what) {
  return Failure(Error{ErrorKind::kKernel, system_code, what});
}

}  // namespace turnpike
