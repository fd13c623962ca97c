#include <winsock2.h>

#include <array>
#include <filesystem>
#include <thread>

#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

constexpr DWORD kSoon = 60'000;  // milliseconds: for what comes at once, if it comes

using NetworkEventsTest = WinsockTest;

// What was recorded, after the event has come.
long next_events(SOCKET s, HANDLE event, int* error = nullptr, int bit = 0) {
  EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
  WSANETWORKEVENTS events;
  EXPECT_EQ(WSAEnumNetworkEvents(s, event, &events), 0);
  if (error != nullptr) {
    *error = events.iErrorCode[bit];
  }
  return events.lNetworkEvents;
}

int hear(SOCKET s) {
  std::array<char, 8> buffer;
  return recv(s, buffer.data(), buffer.size(), 0);
}

TEST_F(NetworkEventsTest, ReadIsToldOnceUntilAReceive) {
  const SOCKET s = bound_socket();
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(s, event, FD_READ), 0);
  EXPECT_SOCKET_FAILS(hear(s), SOCKET_ERROR, WSAEWOULDBLOCK);  // selecting has made it non-blocking
  say(s, "a");
  say(s, "bc");
  EXPECT_EQ(next_events(s, event), FD_READ);
  say(s, "d");
  EXPECT_FALSE(is_signalled(event));  // nobody has received
  EXPECT_EQ(hear(s), 1);
  EXPECT_TRUE(is_signalled(event));  // more is there, so at once
  EXPECT_EQ(hear(s), 2);
  EXPECT_EQ(hear(s), 1);
  EXPECT_SOCKET_FAILS(hear(s), SOCKET_ERROR, WSAEWOULDBLOCK);
  say(s, "e");
  EXPECT_EQ(WaitForSingleObject(event, kSoon), WAIT_OBJECT_0);
  closesocket(s);
}

TEST_F(NetworkEventsTest, SelectingTellsWhatIsTrueAlreadyAndEndsWithZero) {
  const SOCKET s = bound_socket();
  const OwnedHandle event = manual_event();
  say(s, "a");
  ASSERT_EQ(WSAEventSelect(s, event, FD_READ | FD_WRITE), 0);
  EXPECT_EQ(next_events(s, event), FD_READ | FD_WRITE);
  EXPECT_FALSE(is_signalled(event));  // WSAEnumNetworkEvents has reset it
  u_long zero = 0;
  EXPECT_SOCKET_FAILS(ioctlsocket(s, FIONBIO, &zero), SOCKET_ERROR, WSAEINVAL);
  ASSERT_EQ(WSAEventSelect(s, event, 0), 0);
  EXPECT_EQ(ioctlsocket(s, FIONBIO, &zero), 0);
  say(s, "b");
  EXPECT_EQ(hear(s), 1);
  EXPECT_FALSE(is_signalled(event));
  closesocket(s);
}

TEST_F(NetworkEventsTest, AConnectionFromAcceptToClose) {
  const SOCKET listener = bound_socket(SOCK_STREAM);
  const OwnedHandle accepting = auto_event();
  const OwnedHandle event = auto_event();
  ASSERT_EQ(listen(listener, 4), 0);
  ASSERT_EQ(WSAEventSelect(listener, accepting, FD_ACCEPT | FD_READ | FD_CLOSE), 0);
  const SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(WSAEventSelect(client, event, FD_CONNECT | FD_READ | FD_CLOSE), 0);
  EXPECT_FALSE(is_signalled(event));
  sockaddr_in where = address_of(listener);
  EXPECT_SOCKET_FAILS(connect(client, plain(where), sizeof(where)), SOCKET_ERROR, WSAEWOULDBLOCK);
  int error = -1;
  EXPECT_EQ(next_events(client, event, &error, FD_CONNECT_BIT), FD_CONNECT);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(next_events(listener, accepting), FD_ACCEPT);
  const SOCKET server = accept(listener, nullptr, nullptr);
  ASSERT_NE(server, INVALID_SOCKET);
  EXPECT_EQ(send(server, "abc", 3, 0), 3);
  EXPECT_EQ(next_events(client, event), FD_READ);
  EXPECT_EQ(closesocket(server), 0);
  EXPECT_EQ(hear(client), 3);  // only now it is closed
  EXPECT_EQ(next_events(client, event), FD_CLOSE);
  EXPECT_EQ(hear(client), 0);
  EXPECT_FALSE(is_signalled(event));
  closesocket(client);
  closesocket(listener);
}

TEST_F(NetworkEventsTest, WriteIsToldAgainAfterASendThatWouldBlock) {
  const SOCKET listener = bound_socket(SOCK_STREAM);
  ASSERT_EQ(listen(listener, 4), 0);
  sockaddr_in where = address_of(listener);
  const SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(connect(client, plain(where), sizeof(where)), 0);
  const SOCKET server = accept(listener, nullptr, nullptr);
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(client, event, FD_WRITE), 0);
  EXPECT_EQ(next_events(client, event), FD_WRITE);
  static std::array<char, 65536> block;
  while (send(client, block.data(), block.size(), 0) != SOCKET_ERROR) {
  }
  EXPECT_EQ(WSAGetLastError(), WSAEWOULDBLOCK);
  EXPECT_FALSE(is_signalled(event));
  u_long one = 1;
  ioctlsocket(server, FIONBIO, &one);
  while (!is_signalled(event)) {
    recv(server, block.data(), block.size(), 0);
  }
  closesocket(server);
  closesocket(client);
  closesocket(listener);
}

TEST_F(NetworkEventsTest, AFailedConnectionSaysWhy) {
  const SOCKET nobody = bound_socket(SOCK_STREAM);
  sockaddr_in where = address_of(nobody);
  const SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(s, event, FD_CONNECT), 0);
  EXPECT_SOCKET_FAILS(connect(s, plain(where), sizeof(where)), SOCKET_ERROR, WSAEWOULDBLOCK);
  int error = 0;
  EXPECT_EQ(next_events(s, event, &error, FD_CONNECT_BIT), FD_CONNECT);
  EXPECT_EQ(error, WSAECONNREFUSED);
  closesocket(s);
  closesocket(nobody);
}

TEST_F(NetworkEventsTest, AfterAConnectionThatSelectHasSeen) {
  const SOCKET listener = bound_socket(SOCK_STREAM);
  ASSERT_EQ(listen(listener, 4), 0);
  sockaddr_in where = address_of(listener);
  const SOCKET client = socket(AF_INET, SOCK_STREAM, 0);
  u_long one = 1;
  ioctlsocket(client, FIONBIO, &one);
  EXPECT_SOCKET_FAILS(connect(client, plain(where), sizeof(where)), SOCKET_ERROR, WSAEWOULDBLOCK);
  fd_set writable = {1, {client}};
  EXPECT_EQ(select(0, nullptr, &writable, nullptr, nullptr), 1);
  const SOCKET server = accept(listener, nullptr, nullptr);
  EXPECT_EQ(send(server, "abc", 3, 0), 3);
  const OwnedHandle event = auto_event();
  ASSERT_EQ(WSAEventSelect(client, event, FD_READ), 0);
  EXPECT_EQ(next_events(client, event), FD_READ);
  closesocket(server);
  closesocket(client);
  closesocket(listener);
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

TEST_F(NetworkEventsTest, NothingIsLeftBehind) {
  const std::size_t before = open_descriptors();
  const OwnedHandle event = auto_event();
  std::array<SOCKET, 16> all;
  for (SOCKET& s : all) {
    s = bound_socket();
    ASSERT_EQ(WSAEventSelect(s, event, FD_READ | FD_WRITE), 0);
  }
  for (const SOCKET s : all) {
    EXPECT_EQ(closesocket(s), 0);
  }
  while (open_descriptors() > before) {  // the thread takes its two along when it ends (so may one before it)
    std::this_thread::yield();
  }
}

TEST_F(NetworkEventsTest, RefuseWhatMakesNoSense) {
  const SOCKET s = bound_socket();
  const OwnedHandle event = auto_event();
  WSANETWORKEVENTS events;
  EXPECT_SOCKET_FAILS(WSAEventSelect(s, nullptr, FD_READ), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(WSAEventSelect(s, event, 1 << 20), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(WSAEventSelect(0, event, FD_READ), SOCKET_ERROR, WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(WSAEnumNetworkEvents(s, event, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSAEnumNetworkEvents(INVALID_SOCKET, event, &events), SOCKET_ERROR, WSAENOTSOCK);
  closesocket(s);
}

TEST_F(NetworkEventsTest, StressOfClosingUnderTraffic) {
  for (int round = 0; round < 30; ++round) {
    const SOCKET s = bound_socket();
    const OwnedHandle event = auto_event();
    ASSERT_EQ(WSAEventSelect(s, event, FD_READ), 0);
    std::thread speaker([s] {
      const SOCKET from = socket(AF_INET, SOCK_DGRAM, 0);
      sockaddr_in where = loopback();
      int size = sizeof(where);
      for (int i = 0; i < 20 && getsockname(s, plain(where), &size) == 0; ++i) {
        sendto(from, "x", 1, 0, plain(where), sizeof(where));
      }
      closesocket(from);
    });
    std::thread hearer([s] {
      while (hear(s) == 1 || WSAGetLastError() == WSAEWOULDBLOCK) {
      }
    });
    WaitForSingleObject(event, kSoon);
    EXPECT_EQ(closesocket(s), 0);
    speaker.join();
    hearer.join();
  }
}

}  // namespace
}  // namespace turnpike::win32
