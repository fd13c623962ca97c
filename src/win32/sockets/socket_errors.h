// Error numbers of Linux's socket calls in the words of Winsock.
#pragma once

#include <cstdint>

namespace turnpike::win32 {

// WSAEINVAL for a number that no socket call is known to give.
std::uint32_t socket_error(int system_error);

}  // namespace turnpike::win32
