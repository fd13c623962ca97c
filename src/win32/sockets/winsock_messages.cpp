// Datagrams with what is known beside them: WSARecvMsg and WSASendMsg.
#include <mswsock.h>
#include <winsock2.h>
#include <ws2ipdef.h>

#include "win32/sockets/winsock_session.h"
#include "win32/sockets/winsock_transfer.h"

namespace turnpike::win32 {
namespace {

int submit_message(SOCKET s, WSAMSG* message, Request request) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return SOCKET_ERROR;
  }
  if (message == nullptr) {
    return fail_with(WSAEFAULT, SOCKET_ERROR);
  }
  if (socket->is_stream()) {
    return fail_with(WSAEOPNOTSUPP, SOCKET_ERROR);
  }
  request.buffers = message->lpBuffers;
  request.count = message->dwBufferCount;
  request.name = message->name;
  request.name_length = &message->namelen;
  request.control = &message->Control;
  if (request.receives) {
    request.flags = message->dwFlags;
    request.message_flags = &message->dwFlags;
  }
  return socket_result(
      unless_memory_is_out(std::uint32_t{WSAENOBUFS}, [&] { return submit(*socket, request); }, WSAENOBUFS));
}

}  // namespace

int WSAAPI receive_message(SOCKET s, LPWSAMSG lpMsg, LPDWORD lpdwNumberOfBytesRecvd, LPWSAOVERLAPPED lpOverlapped,
                           LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) {
  return submit_message(
      s, lpMsg,
      {.receives = true, .bytes = lpdwNumberOfBytesRecvd, .overlapped = lpOverlapped, .routine = lpCompletionRoutine});
}

}  // namespace turnpike::win32

int WSAAPI WSASendMsg(SOCKET s, LPWSAMSG lpMsg, DWORD dwFlags, LPDWORD lpNumberOfBytesSent,
                      LPWSAOVERLAPPED lpOverlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE lpCompletionRoutine) {
  return turnpike::win32::submit_message(
      s, lpMsg,
      {.bytes = lpNumberOfBytesSent, .flags = dwFlags, .overlapped = lpOverlapped, .routine = lpCompletionRoutine});
}
