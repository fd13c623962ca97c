// The last error of the calling thread: GetLastError's and WSAGetLastError's, which are one.
#pragma once

#include <cstdint>

namespace turnpike::win32 {

std::uint32_t last_error();
void set_last_error(std::uint32_t code);

// return fail_with(ERROR_INVALID_HANDLE, FALSE);
template <class T>
T fail_with(std::uint32_t code, T result) {
  set_last_error(code);
  return result;
}

}  // namespace turnpike::win32
