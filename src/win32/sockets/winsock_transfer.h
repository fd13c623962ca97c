// What a WSARecv…, WSASend… or their kin asks, overlapped or not.
#pragma once

#include <winsock2.h>

#include "win32/sockets/socket.h"

namespace turnpike::win32 {

struct Request {
  bool receives = false;
  LPWSABUF buffers = nullptr;
  DWORD count = 0;
  LPDWORD bytes = nullptr;
  DWORD flags = 0;
  sockaddr* name = nullptr;
  LPINT name_length = nullptr;
  LPWSAOVERLAPPED overlapped = nullptr;
  LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = nullptr;
  DWORD* result_flags = nullptr;   // of a receive
  WSABUF* control = nullptr;       // of a message
  DWORD* message_flags = nullptr;  // of a message that is received
};

// Checks it, and does it or begins it. 0, or the error.
std::uint32_t submit(Socket& socket, const Request& request);

// WSARecvMsg, of which a client has the address by SIO_GET_EXTENSION_FUNCTION_POINTER alone.
int WSAAPI receive_message(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd, LPWSAOVERLAPPED lpOverlapped,
                           LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine);

}  // namespace turnpike::win32
