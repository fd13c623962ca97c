// Results and ends of overlapped calls.
#include <rtutils.h>
#include <winsock2.h>

#include <cstddef>

#include "win32/sockets/winsock_session.h"
#include "win32/waits/wait.h"

namespace turnpike::win32 {
namespace {

static_assert(sizeof(OverlappedResult) == sizeof(OVERLAPPED) &&
              offsetof(OverlappedResult, bytes) == offsetof(OVERLAPPED, InternalHigh) &&
              offsetof(OverlappedResult, flags) == offsetof(OVERLAPPED, Offset) &&
              offsetof(OverlappedResult, event) == offsetof(OVERLAPPED, hEvent));

// The error of a result that is there, or ERROR_IO_INCOMPLETE.
std::uint32_t result_of(Socket& socket, OVERLAPPED* overlapped, bool wait) {
  const auto& result = *reinterpret_cast<OverlappedResult*>(overlapped);
  if (result.is_pending() && wait) {
    if (const Held<Event> event = pin<Event>(result.event); event) {
      wait_for_one(*event, Patience::endless());
    }
    socket.await_result(result);
  }
  return result.is_pending() ? ERROR_IO_INCOMPLETE : static_cast<std::uint32_t>(result.status);
}

BOOL tell_result(Socket& socket, OVERLAPPED* overlapped, DWORD* bytes, bool wait) {
  const std::uint32_t error = result_of(socket, overlapped, wait);
  if (error != ERROR_IO_INCOMPLETE) {
    *bytes = static_cast<DWORD>(overlapped->InternalHigh);
  }
  return error == 0 ? TRUE : fail_with(error, FALSE);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::OverlappedResult;
using turnpike::win32::pin;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::tell_result;
using turnpike::win32::Thread;

BOOL WINAPI GetOverlappedResult(HANDLE hFile, LPOVERLAPPED lpOverlapped, LPDWORD lpNumberOfBytesTransferred,
                                BOOL bWait) {
  const Held<Socket> socket = pin<Socket>(hFile);
  if (!socket) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  if (lpOverlapped == nullptr || lpNumberOfBytesTransferred == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  return tell_result(*socket, lpOverlapped, lpNumberOfBytesTransferred, bWait != FALSE);
}

BOOL WSAAPI WSAGetOverlappedResult(SOCKET s, LPWSAOVERLAPPED lpOverlapped, LPDWORD lpcbTransfer, BOOL fWait,
                                   LPDWORD lpdwFlags) {
  const Held<Socket> socket = socket_of_call(s);
  if (!socket) {
    return FALSE;
  }
  if (lpOverlapped == nullptr || lpcbTransfer == nullptr || lpdwFlags == nullptr) {
    return fail_with(WSAEFAULT, FALSE);
  }
  const BOOL good = tell_result(*socket, lpOverlapped, lpcbTransfer, fWait != FALSE);
  if (HasOverlappedIoCompleted(lpOverlapped)) {
    *lpdwFlags = lpOverlapped->Offset;
  }
  return good;
}

BOOL WINAPI CancelIo(HANDLE hFile) {
  const Held<Socket> socket = pin<Socket>(hFile);
  if (!socket) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  socket->cancel(&Thread::current(), nullptr);
  return TRUE;
}

BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped) {
  const Held<Socket> socket = pin<Socket>(hFile);
  if (!socket) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return socket->cancel(nullptr, reinterpret_cast<OverlappedResult*>(lpOverlapped)) ? TRUE
                                                                                    : fail_with(ERROR_NOT_FOUND, FALSE);
}

BOOL WINAPI BindIoCompletionCallback(HANDLE FileHandle, LPOVERLAPPED_COMPLETION_ROUTINE Function, ULONG Flags) {
  const Held<Socket> socket = pin<Socket>(FileHandle);
  if (!socket) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  if (Function == nullptr || Flags != 0 ||
      !socket->bind_completions(reinterpret_cast<turnpike::win32::CompletionCallback>(Function))) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  return TRUE;
}

DWORD WINAPI SetIoCompletionProc(HANDLE FileHandle, LPOVERLAPPED_COMPLETION_ROUTINE CompletionProc) {
  return BindIoCompletionCallback(FileHandle, CompletionProc, 0) != FALSE ? NO_ERROR : GetLastError();
}
