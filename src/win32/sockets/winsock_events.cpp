// The face of network events.
#include <winsock2.h>

#include "win32/sockets/winsock_session.h"

namespace turnpike::win32 {
namespace {

constexpr long kNeverHappen = FD_ALL_EVENTS & ~kAllEvents;  // quality of service, changes of routes and addresses
static_assert(FD_READ == kReadEvent && FD_WRITE == kWriteEvent && FD_OOB == kOutOfBandEvent &&
              FD_ACCEPT == kAcceptEvent && FD_CONNECT == kConnectEvent && FD_CLOSE == kCloseEvent);

std::uint32_t select_for(Socket& socket, HANDLE handle, long events) {
  if ((events & ~(kAllEvents | kNeverHappen)) != 0) {
    return WSAEINVAL;
  }
  if (events == 0) {
    return socket.select_events({}, 0);
  }
  const Held<Event> event = pin<Event>(handle);
  return event ? socket.select_events(Ref<Event>(event.get()), events) : WSAEINVAL;
}

std::uint32_t enumerate(Socket& socket, HANDLE handle, WSANETWORKEVENTS* out) {
  if (out == nullptr) {
    return WSAEFAULT;
  }
  const Held<Event> event = pin<Event>(handle);
  if (handle != nullptr && !event) {
    return WSAEINVAL;
  }
  NetworkEvents::Errors errors{};
  const long happened = socket.take_events(event ? event.get() : nullptr, errors);
  *out = {};
  out->lNetworkEvents = static_cast<LONG>(happened);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    out->iErrorCode[i] = static_cast<int>(errors[i]);
  }
  return 0;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::enumerate;
using turnpike::win32::Held;
using turnpike::win32::select_for;
using turnpike::win32::Socket;
using turnpike::win32::socket_of_call;
using turnpike::win32::socket_result;

int WSAAPI WSAEventSelect(SOCKET s, WSAEVENT hEventObject, long lNetworkEvents) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(select_for(*socket, hEventObject, lNetworkEvents)) : SOCKET_ERROR;
}

int WSAAPI WSAEnumNetworkEvents(SOCKET s, WSAEVENT hEventObject, LPWSANETWORKEVENTS lpNetworkEvents) {
  const Held<Socket> socket = socket_of_call(s);
  return socket ? socket_result(enumerate(*socket, hEventObject, lpNetworkEvents)) : SOCKET_ERROR;
}

WSAEVENT WSAAPI WSACreateEvent(void) { return CreateEventW(nullptr, TRUE, FALSE, nullptr); }
BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent) { return CloseHandle(hEvent); }
BOOL WSAAPI WSASetEvent(WSAEVENT hEvent) { return SetEvent(hEvent); }
BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent) { return ResetEvent(hEvent); }

DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT* lphEvents, BOOL fWaitAll, DWORD dwTimeout,
                                      BOOL fAlertable) {
  return WaitForMultipleObjectsEx(cEvents, lphEvents, fWaitAll, dwTimeout, fAlertable);
}
