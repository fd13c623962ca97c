// Winsock's names for what the shim has: events and waits; and names of hosts.
#include <winsock2.h>
#include <ws2tcpip.h>

#include <sys/utsname.h>

#include <array>

#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

using WinsockObjects = WinsockTest;

TEST_F(WinsockObjects, EventsAreManualReset) {
  const WSAEVENT event = WSACreateEvent();
  ASSERT_NE(event, WSA_INVALID_EVENT);
  EXPECT_FALSE(is_signalled(event));
  EXPECT_TRUE(WSASetEvent(event));
  EXPECT_TRUE(is_signalled(event));
  EXPECT_TRUE(is_signalled(event));
  EXPECT_TRUE(WSAResetEvent(event));
  EXPECT_FALSE(is_signalled(event));
  EXPECT_TRUE(WSACloseEvent(event));
  EXPECT_FALSE(WSACloseEvent(event));
  EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
  EXPECT_FALSE(WSASetEvent(event));
  EXPECT_FALSE(WSAResetEvent(WSA_INVALID_EVENT));
}

TEST_F(WinsockObjects, WaitsAreThoseOfTheShim) {
  const std::array<WSAEVENT, 2> events{WSACreateEvent(), WSACreateEvent()};
  EXPECT_EQ(WSAWaitForMultipleEvents(2, events.data(), FALSE, 0, FALSE), DWORD{WSA_WAIT_TIMEOUT});
  WSASetEvent(events[1]);
  EXPECT_EQ(WSAWaitForMultipleEvents(2, events.data(), FALSE, WSA_INFINITE, FALSE), WSA_WAIT_EVENT_0 + 1);
  EXPECT_EQ(WSAWaitForMultipleEvents(2, events.data(), TRUE, 0, FALSE), DWORD{WSA_WAIT_TIMEOUT});
  QueueUserAPC([](ULONG_PTR) {}, GetCurrentThread(), 0);
  EXPECT_EQ(WSAWaitForMultipleEvents(1, events.data(), FALSE, WSA_INFINITE, TRUE), WSA_WAIT_IO_COMPLETION);
  EXPECT_EQ(WSAWaitForMultipleEvents(0, events.data(), FALSE, 0, FALSE), WSA_WAIT_FAILED);
  for (const WSAEVENT event : events) EXPECT_TRUE(WSACloseEvent(event));
  EXPECT_EQ(WSAWaitForMultipleEvents(2, events.data(), FALSE, 0, FALSE), WSA_WAIT_FAILED);
  EXPECT_EQ(WSAGetLastError(), WSA_INVALID_HANDLE);
}

TEST_F(WinsockObjects, SocketsInBothWidths) {
  const auto try_out = [](auto make) {
    const SOCKET s = make(AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0, WSA_FLAG_OVERLAPPED);
    EXPECT_NE(s, INVALID_SOCKET);
    EXPECT_EQ(closesocket(s), 0);
    EXPECT_EQ(make(AF_INET, 77, 0, nullptr, 0, 0), INVALID_SOCKET);
  };
  try_out(WSASocketA);
  try_out(WSASocketW);
}

TEST_F(WinsockObjects, TheHostsName) {
  std::array<char, 256> name{};
  EXPECT_EQ(gethostname(name.data(), 256), 0);
  utsname system{};
  EXPECT_EQ(uname(&system), 0);
  EXPECT_STREQ(name.data(), system.nodename);
  EXPECT_SOCKET_FAILS(gethostname(name.data(), 0), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(gethostname(nullptr, 256), SOCKET_ERROR, WSAEFAULT);
}

TEST_F(WinsockObjects, AnAddressAsText) {
  sockaddr_in address = loopback();
  address.sin_port = htons(520);
  std::array<char, 64> host{};
  std::array<char, 16> service{};
  EXPECT_EQ(getnameinfo(plain(address), sizeof(address), host.data(), 64, service.data(), 16,
                        NI_NUMERICHOST | NI_NUMERICSERV | NI_DGRAM),
            0);
  EXPECT_STREQ(host.data(), "127.0.0.1");
  EXPECT_STREQ(service.data(), "520");
  EXPECT_NE(getnameinfo(plain(address), sizeof(address), host.data(), 4, nullptr, 0, NI_NUMERICHOST), 0);
  EXPECT_NE(getnameinfo(nullptr, sizeof(address), host.data(), 64, nullptr, 0, NI_NUMERICHOST), 0);
  EXPECT_NE(getnameinfo(plain(address), 2, host.data(), 64, nullptr, 0, NI_NUMERICHOST), 0);
}

}  // namespace
}  // namespace turnpike::win32
