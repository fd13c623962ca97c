#include <winsock2.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <vector>

#include "win32/sockets/winsock_session.h"

namespace turnpike::win32 {
namespace {

struct Session {
  std::mutex lock;
  std::uint32_t starts = 0;
  std::set<SocketHandle> open;
};

// Never destroyed: other threads may use sockets until the process is gone.
Session& session() {
  static Session& made = *std::make_unique<Session>().release();
  return made;
}

std::uint32_t close_socket(SocketHandle handle) {
  const Held<Socket> socket = pin_socket(handle);
  if (!socket || !close_handle(raw_of(handle), Kind::kSocket)) {
    return WSAENOTSOCK;
  }
  socket->close();
  return 0;
}

// The version that both sides speak; 0: none.
WORD agreed_version(WORD wanted) {
  const int major = LOBYTE(wanted);
  const int minor = HIBYTE(wanted);
  if (major == 0) {
    return 0;
  }
  if (major == 1) {
    return MAKEWORD(1, std::min(minor, 1));
  }
  return MAKEWORD(2, major == 2 ? std::min(minor, 2) : 2);
}

void describe(WSADATA& data, WORD version) {
  data = WSADATA{};
  data.wVersion = version;
  data.wHighVersion = MAKEWORD(2, 2);
  if (LOBYTE(version) == 1) {  // later clients are not to look at these
    data.iMaxSockets = UINT16_MAX;
    data.iMaxUdpDg = 65467;
  }
  std::ranges::copy("Turnpike sockets", data.szDescription);
  std::ranges::copy("Running", data.szSystemStatus);
}

}  // namespace

bool winsock_is_started() {
  Session& all = session();
  const std::lock_guard guard(all.lock);
  return all.starts != 0 || fail_with(WSANOTINITIALISED, false);
}

SocketHandle publish_socket(Ref<Socket> socket) {
  Session& all = session();
  const std::lock_guard guard(all.lock);
  if (all.starts == 0) {
    return fail_with(WSANOTINITIALISED, SocketHandle{0});
  }
  NewHandle opened(socket);
  if (!opened) {
    return fail_with(WSAENOBUFS, SocketHandle{0});
  }
  socket->handle = reinterpret_cast<SocketHandle>(opened.raw());
  all.open.insert(socket->handle);
  opened.keep();
  return socket->handle;
}

Held<Socket> socket_of_call(SocketHandle handle) {
  if (!winsock_is_started()) {
    return {};
  }
  Held<Socket> socket = pin_socket(handle);
  if (!socket) {
    set_last_error(WSAENOTSOCK);
  }
  return socket;
}

namespace {

std::uint32_t close_one(SocketHandle handle) {
  const std::uint32_t error = close_socket(handle);
  if (error == 0) {
    Session& all = session();
    const std::lock_guard guard(all.lock);
    all.open.erase(handle);
  }
  return error;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::agreed_version;
using turnpike::win32::close_one;
using turnpike::win32::close_socket;
using turnpike::win32::describe;
using turnpike::win32::fail_with;
using turnpike::win32::Session;
using turnpike::win32::session;
using turnpike::win32::socket_result;
using turnpike::win32::SocketHandle;
using turnpike::win32::winsock_is_started;

int WSAAPI WSAStartup(WORD wVersionRequested, LPWSADATA lpWSAData) {
  if (lpWSAData == nullptr) {
    return WSAEFAULT;
  }
  const WORD version = agreed_version(wVersionRequested);
  if (version == 0) {
    return WSAVERNOTSUPPORTED;
  }
  describe(*lpWSAData, version);
  Session& all = session();
  const std::lock_guard guard(all.lock);
  ++all.starts;
  return 0;
}

int WSAAPI WSACleanup(void) {
  std::set<SocketHandle> left;
  {
    Session& all = session();
    const std::lock_guard guard(all.lock);
    if (all.starts == 0) {
      return fail_with(WSANOTINITIALISED, SOCKET_ERROR);
    }
    if (--all.starts == 0) {
      left.swap(all.open);
    }
  }
  for (const SocketHandle handle : left) {
    close_socket(handle);
  }
  return 0;
}

int WSAAPI closesocket(SOCKET s) { return winsock_is_started() ? socket_result(close_one(s)) : SOCKET_ERROR; }

int WSAAPI WSAGetLastError(void) { return static_cast<int>(turnpike::win32::last_error()); }
void WSAAPI WSASetLastError(int iError) { turnpike::win32::set_last_error(static_cast<DWORD>(iError)); }
