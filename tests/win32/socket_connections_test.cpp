#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>

#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

constexpr DWORD kSoon = 60'000;  // milliseconds: for what comes at once, if it comes

// A listener, and clients that have connected to it: on loopback that succeeds before anybody accepts.
class SocketConnections : public WinsockTest {
 protected:
  SocketConnections() { EXPECT_EQ(listen(listener_, 4), 0); }
  ~SocketConnections() override { closesocket(listener_); }

  SOCKET connected() const {
    const SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where = address_of(listener_);
    EXPECT_EQ(WSAConnect(s, plain(where), sizeof(where), nullptr, nullptr, nullptr, nullptr), 0);
    return s;
  }

  const SOCKET listener_ = bound_socket(SOCK_STREAM);
};

struct Asked {
  int answer = CF_ACCEPT;
  int times = 0;
  sockaddr_in caller{};
  sockaddr_in callee{};
};

int CALLBACK decide(LPWSABUF caller, LPWSABUF caller_data, LPQOS, LPQOS, LPWSABUF callee, LPWSABUF callee_data, GROUP*,
                    DWORD_PTR data) {
  auto& asked = *reinterpret_cast<Asked*>(data);
  EXPECT_EQ(caller->len, sizeof(sockaddr_in));
  EXPECT_EQ(caller_data, nullptr);
  EXPECT_EQ(callee_data->len, 0U);
  std::memcpy(&asked.caller, caller->buf, sizeof(sockaddr_in));
  std::memcpy(&asked.callee, callee->buf, sizeof(sockaddr_in));
  ++asked.times;
  return asked.answer;
}

SOCKET ask(SOCKET listener, Asked& asked, sockaddr_in* from = nullptr) {
  int size = sizeof(sockaddr_in);
  return WSAAccept(listener, reinterpret_cast<sockaddr*>(from), from != nullptr ? &size : nullptr, decide,
                   reinterpret_cast<DWORD_PTR>(&asked));
}

TEST_F(SocketConnections, AConditionSeesBothEndsAndAccepts) {
  const SOCKET client = connected();
  Asked asked;
  sockaddr_in from{};
  const SOCKET server = ask(listener_, asked, &from);
  ASSERT_NE(server, INVALID_SOCKET);
  EXPECT_EQ(asked.times, 1);
  EXPECT_EQ(asked.caller.sin_port, address_of(client).sin_port);
  EXPECT_EQ(asked.callee.sin_port, address_of(listener_).sin_port);
  EXPECT_EQ(from.sin_port, asked.caller.sin_port);
  closesocket(server);
  closesocket(client);
}

TEST_F(SocketConnections, WhatIsRejectedIsReset) {
  const SOCKET client = connected();
  Asked asked{.answer = CF_REJECT};
  EXPECT_SOCKET_FAILS(ask(listener_, asked), INVALID_SOCKET, WSAECONNREFUSED);
  char byte = 0;
  EXPECT_SOCKET_FAILS(recv(client, &byte, 1, 0), SOCKET_ERROR, WSAECONNRESET);
  closesocket(client);
}

TEST_F(SocketConnections, WhatIsPutOffComesAgain) {
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(listener_, event, FD_ACCEPT), 0);
  const SOCKET client = connected();
  EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
  Asked asked{.answer = CF_DEFER};
  EXPECT_SOCKET_FAILS(ask(listener_, asked), INVALID_SOCKET, WSATRY_AGAIN);
  EXPECT_FALSE(is_signalled(event));  // until somebody decides
  EXPECT_SOCKET_FAILS(ask(listener_, asked), INVALID_SOCKET, WSATRY_AGAIN);
  EXPECT_EQ(asked.times, 2);
  fd_set set = {1, {listener_}};
  EXPECT_EQ(select(0, &set, nullptr, nullptr, nullptr), 1);
  WSAPOLLFD polled{listener_, POLLIN, 0};
  EXPECT_EQ(WSAPoll(&polled, 1, 0), 1);
  EXPECT_EQ(polled.revents, POLLIN);
  ASSERT_EQ(WSAEventSelect(listener_, event, FD_ACCEPT), 0);
  EXPECT_TRUE(is_signalled(event));  // true when it is selected
  const SOCKET server = accept(listener_, nullptr, nullptr);
  ASSERT_NE(server, INVALID_SOCKET);
  EXPECT_EQ(address_of(server).sin_port, asked.callee.sin_port);
  const timeval no_time{0, 0};
  set = {1, {listener_}};
  EXPECT_EQ(select(0, &set, nullptr, nullptr, &no_time), 0);
  closesocket(server);
  closesocket(client);
}

TEST_F(SocketConnections, ClosingAListenerEndsWhatWasPutOff) {
  const SOCKET other = bound_socket(SOCK_STREAM);
  ASSERT_EQ(listen(other, 1), 0);
  sockaddr_in where = address_of(other);
  const SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(client, plain(where), sizeof(where)), 0);
  Asked asked{.answer = CF_DEFER};
  EXPECT_SOCKET_FAILS(ask(other, asked), INVALID_SOCKET, WSATRY_AGAIN);
  EXPECT_EQ(closesocket(other), 0);
  char byte = 0;
  EXPECT_EQ(recv(client, &byte, 1, 0), 0);  // closed; by Windows it would be reset
  closesocket(client);
}

TEST_F(SocketConnections, EndInOneDirection) {
  const SOCKET client = connected();
  const SOCKET server = accept(listener_, nullptr, nullptr);
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(server, event, FD_READ | FD_CLOSE), 0);
  EXPECT_EQ(WSASendDisconnect(client, nullptr), 0);
  EXPECT_SOCKET_FAILS(send(client, "a", 1, 0), SOCKET_ERROR, WSAESHUTDOWN);
  EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
  WSANETWORKEVENTS events;
  EXPECT_EQ(WSAEnumNetworkEvents(server, nullptr, &events), 0);
  EXPECT_EQ(events.lNetworkEvents, FD_CLOSE);
  EXPECT_EQ(events.iErrorCode[FD_CLOSE_BIT], 0);
  EXPECT_EQ(send(server, "abc", 3, 0), 3);  // the other direction goes on
  char data[4];
  EXPECT_EQ(recv(client, data, 4, 0), 3);
  EXPECT_EQ(WSARecvDisconnect(client, nullptr), 0);
  EXPECT_SOCKET_FAILS(recv(client, data, 4, 0), SOCKET_ERROR, WSAESHUTDOWN);
  closesocket(server);
  closesocket(client);
}

TEST_F(SocketConnections, AnOverlappedSendIsWholeAndAResetSaysSo) {
  const SOCKET client = connected();
  const SOCKET server = accept(listener_, nullptr, nullptr);
  static std::array<char, 16 << 20> block;  // more than both buffers hold
  WSABUF buffers[2] = {{block.size() / 2, block.data()}, {block.size() / 2, block.data()}};
  OVERLAPPED overlapped{};
  DWORD bytes = 0;
  DWORD flags = 0;
  EXPECT_SOCKET_FAILS(WSASend(client, buffers, 2, nullptr, 0, &overlapped, nullptr), SOCKET_ERROR, WSA_IO_PENDING);
  std::size_t got = 0;
  static std::array<char, 1 << 20> part;
  while (got < block.size()) {
    const int now = recv(server, part.data(), part.size(), 0);
    ASSERT_GT(now, 0);
    got += static_cast<std::size_t>(now);
  }
  EXPECT_TRUE(WSAGetOverlappedResult(client, &overlapped, &bytes, TRUE, &flags));
  EXPECT_EQ(bytes, block.size());

  OVERLAPPED receiving{};
  WSABUF buffer{8, part.data()};
  EXPECT_SOCKET_FAILS(WSARecv(client, &buffer, 1, nullptr, &flags, &receiving, nullptr), SOCKET_ERROR, WSA_IO_PENDING);
  const linger at_once{1, 0};
  EXPECT_EQ(setsockopt(server, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&at_once), sizeof(at_once)), 0);
  closesocket(server);
  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(client, &receiving, &bytes, TRUE, &flags), FALSE, WSAECONNRESET);
  EXPECT_EQ(bytes, 0U);
  closesocket(client);
}

TEST_F(SocketConnections, UrgentDataIsAnEventOfItsOwn) {
  const SOCKET client = connected();
  const SOCKET server = accept(listener_, nullptr, nullptr);
  const OwnedHandle event = auto_event();
  const auto next = [&] {
    EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
    WSANETWORKEVENTS events;
    EXPECT_EQ(WSAEnumNetworkEvents(server, nullptr, &events), 0);
    return events.lNetworkEvents;
  };
  ASSERT_EQ(WSAEventSelect(server, event, FD_OOB), 0);
  EXPECT_EQ(send(client, "!", 1, MSG_OOB), 1);
  EXPECT_EQ(next(), FD_OOB);
  EXPECT_FALSE(is_signalled(event));
  char byte = 0;
  EXPECT_EQ(recv(server, &byte, 1, MSG_OOB), 1);
  EXPECT_EQ(byte, '!');
  EXPECT_FALSE(is_signalled(event));  // enabled again, and no longer true
  EXPECT_EQ(send(client, "?", 1, MSG_OOB), 1);
  EXPECT_EQ(next(), FD_OOB);

  ASSERT_EQ(set_option(server, SOL_SOCKET, SO_OOBINLINE, TRUE), 0);
  ASSERT_EQ(WSAEventSelect(server, event, FD_OOB | FD_READ), 0);
  EXPECT_EQ(next(), FD_READ);  // among the rest now
  EXPECT_EQ(recv(server, &byte, 1, 0), 1);
  EXPECT_EQ(byte, '?');
  closesocket(server);
  closesocket(client);
}

TEST_F(SocketConnections, AResetIsToldWithItsError) {
  const SOCKET client = connected();
  const SOCKET server = accept(listener_, nullptr, nullptr);
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(client, event, FD_CLOSE), 0);
  const linger at_once{1, 0};
  EXPECT_EQ(setsockopt(server, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&at_once), sizeof(at_once)), 0);
  closesocket(server);
  EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
  WSANETWORKEVENTS events;
  EXPECT_EQ(WSAEnumNetworkEvents(client, event, &events), 0);
  EXPECT_EQ(events.lNetworkEvents, FD_CLOSE);
  EXPECT_EQ(events.iErrorCode[FD_CLOSE_BIT], WSAECONNRESET);
  char byte = 0;
  EXPECT_SOCKET_FAILS(recv(client, &byte, 1, 0), SOCKET_ERROR, WSAECONNRESET);  // and the next call meets it too
  closesocket(client);
}

TEST_F(SocketConnections, RefuseWhatMakesNoSense) {
  const SOCKET datagrams = bound_socket();
  const SOCKET idle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where = address_of(listener_);
  char text[] = "x";
  WSABUF data{1, text};
  Asked asked;
  EXPECT_SOCKET_FAILS(WSAConnect(0, plain(where), sizeof(where), nullptr, nullptr, nullptr, nullptr), SOCKET_ERROR,
                      WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(WSAConnect(idle, nullptr, sizeof(where), nullptr, nullptr, nullptr, nullptr), SOCKET_ERROR,
                      WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSAConnect(idle, plain(where), sizeof(where), &data, nullptr, nullptr, nullptr), SOCKET_ERROR,
                      WSAEPROTONOSUPPORT);
  EXPECT_SOCKET_FAILS(ask(INVALID_SOCKET, asked), INVALID_SOCKET, WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(ask(datagrams, asked), INVALID_SOCKET, WSAEOPNOTSUPP);
  EXPECT_SOCKET_FAILS(ask(idle, asked), INVALID_SOCKET, WSAEINVAL);
  int size = 3;
  EXPECT_SOCKET_FAILS(WSAAccept(listener_, plain(where), &size, nullptr, 0), INVALID_SOCKET, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSASendDisconnect(0, nullptr), SOCKET_ERROR, WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(WSASendDisconnect(idle, nullptr), SOCKET_ERROR, WSAENOTCONN);
  EXPECT_SOCKET_FAILS(WSASendDisconnect(idle, &data), SOCKET_ERROR, WSAENOPROTOOPT);
  EXPECT_SOCKET_FAILS(WSARecvDisconnect(datagrams, nullptr), SOCKET_ERROR, WSAENOTCONN);
  EXPECT_SOCKET_FAILS(WSARecvDisconnect(0, nullptr), SOCKET_ERROR, WSAENOTSOCK);
  EXPECT_EQ(asked.times, 0);
  closesocket(datagrams);
  closesocket(idle);
}

}  // namespace
}  // namespace turnpike::win32
