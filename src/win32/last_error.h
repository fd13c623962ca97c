// The last error of the calling thread: GetLastError's and WSAGetLastError's, which are one.
#pragma once

#include <winerror.h>

#include <cstdint>
#include <new>

namespace turnpike::win32 {

std::uint32_t last_error();
void set_last_error(std::uint32_t code);

// return fail_with(ERROR_INVALID_HANDLE, FALSE);
template <class T>
T fail_with(std::uint32_t code, T result) {
  set_last_error(code);
  return result;
}

// A null where the client owes the address of a lock of his: nothing is done, and this is the last error.
inline bool is_null(const void* pointer) {
  if (pointer != nullptr) [[likely]] {
    return false;
  }
  set_last_error(ERROR_INVALID_PARAMETER);
  return true;
}

// What `body` returns, or `failure` with ERROR_NOT_ENOUGH_MEMORY (Winsock: WSAENOBUFS) where memory ran out in it: for
// functions that make something. Whatever they had made is given back by its owners.
template <class T, class Body>
T unless_memory_is_out(T failure, Body body, std::uint32_t code = ERROR_NOT_ENOUGH_MEMORY) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return fail_with(code, failure);
  }
}

}  // namespace turnpike::win32
