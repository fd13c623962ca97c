#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>
#include <functional>
#include <thread>

#include "ground/ground.h"
#include "waiting.h"
#include "winsock_tests.h"

extern "C" int winsock_first(void);
extern "C" int winsock_last(void);
extern "C" int plain_sockets(void);
int winsock_last_in_cpp();

namespace turnpike::win32 {
namespace {

using ground::Ground;

TEST(WinsockHeaders, AClientInEachOrderAndLanguage) {
  auto ground = Ground::unprivileged();
  if (!ground) return;
  ground->host("one").inside([] {
    EXPECT_EQ(winsock_first(), 0);
    EXPECT_EQ(winsock_last(), 0);
    EXPECT_EQ(winsock_last_in_cpp(), 0);
    EXPECT_EQ(plain_sockets(), 1);
  });
  EXPECT_EQ(open_handles(), 0U);
}

TEST(WinsockHeaders, StdBindIsLeftAlone) { EXPECT_EQ(std::bind(std::plus<>(), 1, 2)(), 3); }

TEST(WinsockStart, CountsAndClosesWhatIsLeft) {
  WSADATA data;
  EXPECT_EQ(WSACleanup(), SOCKET_ERROR);
  EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
  EXPECT_EQ(socket(AF_INET, SOCK_DGRAM, 0), INVALID_SOCKET);
  EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
  EXPECT_EQ(WSAStartup(MAKEWORD(2, 2), nullptr), WSAEFAULT);
  EXPECT_EQ(WSAStartup(0, &data), WSAVERNOTSUPPORTED);
  EXPECT_EQ(WSAStartup(MAKEWORD(3, 0), &data), 0);
  EXPECT_EQ(data.wVersion, MAKEWORD(2, 2));
  EXPECT_EQ(WSAStartup(MAKEWORD(1, 1), &data), 0);
  EXPECT_EQ(data.wVersion, MAKEWORD(1, 1));
  const SOCKET left = socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_EQ(WSACleanup(), 0);
  u_long one = 1;
  EXPECT_EQ(ioctlsocket(left, FIONBIO, &one), 0);
  EXPECT_EQ(WSACleanup(), 0);
  EXPECT_EQ(open_handles(), 0U);
  EXPECT_EQ(ioctlsocket(left, FIONBIO, &one), SOCKET_ERROR);
  EXPECT_EQ(WSAGetLastError(), WSANOTINITIALISED);
}

using Sockets = WinsockTest;

TEST_F(Sockets, RefuseBadKinds) {
  EXPECT_SOCKET_FAILS(socket(AF_UNIX, SOCK_STREAM, 0), INVALID_SOCKET, WSAEAFNOSUPPORT);
  EXPECT_SOCKET_FAILS(socket(AF_INET, 77, 0), INVALID_SOCKET, WSAESOCKTNOSUPPORT);
  EXPECT_SOCKET_FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), INVALID_SOCKET, WSAEPROTONOSUPPORT);
  WSAPROTOCOL_INFOW protocol{};
  EXPECT_SOCKET_FAILS(WSASocketW(AF_INET, SOCK_DGRAM, 0, &protocol, 0, 0), INVALID_SOCKET, WSAEINVAL);
  EXPECT_SOCKET_FAILS(WSASocketW(AF_INET, SOCK_DGRAM, 0, nullptr, 0, 0x4000), INVALID_SOCKET, WSAEINVAL);
}

TEST_F(Sockets, EveryFunctionRefusesWhatIsNoSocket) {
  const OwnedHandle event = auto_event();
  const SOCKET closed = socket(AF_INET, SOCK_DGRAM, 0);
  EXPECT_FALSE(CloseHandle(reinterpret_cast<HANDLE>(closed)));  // closing it is closesocket's alone
  EXPECT_EQ(closesocket(closed), 0);
  for (const SOCKET bad : {SOCKET{0}, INVALID_SOCKET, SOCKET{3}, closed, reinterpret_cast<SOCKET>(HANDLE{event})}) {
    sockaddr_in address = loopback();
    int size = sizeof(address);
    char byte = 0;
    u_long number = 0;
    EXPECT_SOCKET_FAILS(closesocket(bad), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(bind(bad, plain(address), size), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(connect(bad, plain(address), size), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(listen(bad, 1), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(accept(bad, nullptr, nullptr), INVALID_SOCKET, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(send(bad, &byte, 1, 0), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(recv(bad, &byte, 1, 0), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(shutdown(bad, SD_BOTH), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(getsockname(bad, plain(address), &size), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(getpeername(bad, plain(address), &size), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(getsockopt(bad, SOL_SOCKET, SO_TYPE, &byte, &size), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(setsockopt(bad, SOL_SOCKET, SO_BROADCAST, &byte, 1), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(ioctlsocket(bad, FIONREAD, &number), SOCKET_ERROR, WSAENOTSOCK);
    fd_set set = {1, {bad}};
    EXPECT_SOCKET_FAILS(select(0, &set, nullptr, nullptr, nullptr), SOCKET_ERROR, WSAENOTSOCK);
    if (bad != INVALID_SOCKET) {
      WSAPOLLFD polled{bad, POLLIN, 0};
      EXPECT_EQ(WSAPoll(&polled, 1, -1), 1);
      EXPECT_EQ(polled.revents, POLLNVAL);
    }
  }
}

TEST_F(Sockets, RefuseBadBuffersAndMoments) {
  const SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address = loopback();
  int size = sizeof(address);
  char byte = 0;
  EXPECT_SOCKET_FAILS(bind(s, nullptr, size), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(bind(s, plain(address), 3), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(bind(s, plain(address), -1), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(getsockname(s, plain(address), &size), SOCKET_ERROR, WSAEINVAL);  // not bound yet
  EXPECT_SOCKET_FAILS(recv(s, &byte, 1, 0), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(send(s, &byte, 1, 0), SOCKET_ERROR, WSAENOTCONN);
  EXPECT_SOCKET_FAILS(getpeername(s, plain(address), &size), SOCKET_ERROR, WSAENOTCONN);
  EXPECT_SOCKET_FAILS(listen(s, 1), SOCKET_ERROR, WSAEOPNOTSUPP);
  EXPECT_SOCKET_FAILS(recv(s, nullptr, 1, 0), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(recv(s, &byte, -1, 0), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(recv(s, &byte, 1, 0x40000000), SOCKET_ERROR, WSAEOPNOTSUPP);
  EXPECT_SOCKET_FAILS(sendto(s, &byte, 1, 0, plain(address), 2), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(shutdown(s, 3), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(ioctlsocket(s, FIONREAD, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSAPoll(nullptr, 1, 0), SOCKET_ERROR, WSAEFAULT);
  address.sin_family = AF_INET6;
  EXPECT_SOCKET_FAILS(bind(s, plain(address), size), SOCKET_ERROR, WSAEAFNOSUPPORT);
  const SOCKET stream = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_SOCKET_FAILS(listen(stream, 1), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(send(stream, &byte, 1, 0), SOCKET_ERROR, WSAENOTCONN);
  EXPECT_SOCKET_FAILS(recv(stream, &byte, 1, 0), SOCKET_ERROR, WSAENOTCONN);
  closesocket(stream);
  closesocket(s);
}

TEST_F(Sockets, OptionsInAnyWidth) {
  const SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
  const BYTE byte = 7;
  const DWORD word = 9;
  int value = 0;
  int size = sizeof(value);
  EXPECT_EQ(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, reinterpret_cast<const char*>(&byte), 1), 0);
  EXPECT_EQ(get_option(s, IPPROTO_IP, IP_MULTICAST_TTL), 7);
  EXPECT_EQ(setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, reinterpret_cast<const char*>(&word), sizeof(word)), 0);
  EXPECT_EQ(get_option(s, IPPROTO_IP, IP_MULTICAST_TTL), 9);
  EXPECT_EQ(set_option(s, SOL_SOCKET, SO_RCVTIMEO, 1234), 0);
  EXPECT_EQ(get_option(s, SOL_SOCKET, SO_RCVTIMEO), 1234);
  EXPECT_EQ(set_option(s, SOL_SOCKET, SO_RCVBUF, 8192), 0);
  EXPECT_EQ(get_option(s, SOL_SOCKET, SO_RCVBUF), 8192);
  EXPECT_EQ(get_option(s, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
  EXPECT_EQ(get_option(s, SOL_SOCKET, SO_MAX_MSG_SIZE), 65507);
  EXPECT_EQ(set_option(s, IPPROTO_IP, IP_DONTFRAGMENT, TRUE), 0);
  EXPECT_EQ(get_option(s, IPPROTO_IP, IP_DONTFRAGMENT), 1);
  EXPECT_EQ(set_option(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, TRUE), 0);
  EXPECT_SOCKET_FAILS(set_option(s, SOL_SOCKET, SO_REUSEADDR, TRUE), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(set_option(s, SOL_SOCKET, 0x1234, 1), SOCKET_ERROR, WSAENOPROTOOPT);
  EXPECT_SOCKET_FAILS(setsockopt(s, SOL_SOCKET, SO_BROADCAST, nullptr, 4), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(getsockopt(s, SOL_SOCKET, SO_TYPE, nullptr, &size), SOCKET_ERROR, WSAEFAULT);
  closesocket(s);
}

TEST_F(Sockets, ReceiveTimesOut) {
  const SOCKET s = bound_socket();
  char byte = 0;
  EXPECT_EQ(set_option(s, SOL_SOCKET, SO_RCVTIMEO, 1), 0);
  EXPECT_SOCKET_FAILS(recv(s, &byte, 1, 0), SOCKET_ERROR, WSAETIMEDOUT);
  closesocket(s);
}

TEST_F(Sockets, ClosingEndsABlockedCall) {
  const SOCKET s = bound_socket();
  std::thread receiver([s] {
    char byte = 0;
    EXPECT_EQ(recv(s, &byte, 1, 0), SOCKET_ERROR);
    EXPECT_TRUE(WSAGetLastError() == WSAEINTR || WSAGetLastError() == WSAENOTSOCK);
  });
  std::thread selecting([s] {
    fd_set set = {1, {s}};
    EXPECT_SOCKET_FAILS(select(0, &set, nullptr, nullptr, nullptr), SOCKET_ERROR, WSAENOTSOCK);
  });
  std::this_thread::yield();
  EXPECT_EQ(closesocket(s), 0);
  receiver.join();
  selecting.join();
}

TEST_F(Sockets, AFailedConnectionIsAnException) {
  const SOCKET nobody = bound_socket(SOCK_STREAM);
  sockaddr_in where = address_of(nobody);
  const SOCKET s = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_SOCKET_FAILS(connect(s, plain(where), sizeof(where)), SOCKET_ERROR, WSAECONNREFUSED);
  closesocket(s);
  const SOCKET other = socket(AF_INET, SOCK_STREAM, 0);
  u_long one = 1;
  ioctlsocket(other, FIONBIO, &one);
  EXPECT_SOCKET_FAILS(connect(other, plain(where), sizeof(where)), SOCKET_ERROR, WSAEWOULDBLOCK);
  fd_set write = {1, {other}};
  fd_set except = {1, {other}};
  const timeval patience{60, 0};
  EXPECT_EQ(select(0, nullptr, &write, &except, &patience), 1);
  EXPECT_EQ(write.fd_count, 0U);
  EXPECT_TRUE(FD_ISSET(other, &except));
  EXPECT_EQ(get_option(other, SOL_SOCKET, SO_ERROR), WSAECONNREFUSED);
  closesocket(other);
  closesocket(nobody);
}

TEST_F(Sockets, TellTheAddressesOfTheHost) {
  const SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
  alignas(8) std::array<char, 4096> out;
  DWORD length = 0;
  EXPECT_EQ(WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, nullptr, 0, out.data(), out.size(), &length, nullptr, nullptr), 0);
  EXPECT_GE(reinterpret_cast<SOCKET_ADDRESS_LIST*>(out.data())->iAddressCount, 1);
  EXPECT_SOCKET_FAILS(WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, nullptr, 0, out.data(), 8, &length, nullptr, nullptr),
                      SOCKET_ERROR, WSAEFAULT);
  EXPECT_GT(length, 8U);
  sockaddr_in to = loopback();
  EXPECT_EQ(
      WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, &to, sizeof(to), out.data(), out.size(), &length, nullptr, nullptr), 0);
  EXPECT_EQ(reinterpret_cast<sockaddr_in*>(out.data())->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_SOCKET_FAILS(WSAIoctl(s, SIO_RCVALL, nullptr, 0, nullptr, 0, &length, nullptr, nullptr), SOCKET_ERROR,
                      WSAEOPNOTSUPP);
  closesocket(s);
}

TEST_F(Sockets, TextAndNames) {
  IN_ADDR address{};
  char text[INET_ADDRSTRLEN];
  WCHAR wide[INET6_ADDRSTRLEN];
  EXPECT_EQ(InetPtonA(AF_INET, "10.1.2.3", &address), 1);
  EXPECT_STREQ(inet_ntop(AF_INET, &address, text, sizeof(text)), "10.1.2.3");
  EXPECT_STREQ(InetNtopW(AF_INET, &address, wide, 46), L"10.1.2.3");
  EXPECT_EQ(InetPtonW(AF_INET, L"10.1.2", &address), 0);
  EXPECT_SOCKET_FAILS(InetPtonA(77, "1", &address), -1, WSAEAFNOSUPPORT);
  EXPECT_SOCKET_FAILS(InetNtopA(AF_INET, &address, text, 3), nullptr, WSAEINVAL);
  ADDRINFOA hints{};
  PADDRINFOA found = nullptr;
  hints.ai_flags = AI_NUMERICHOST;
  EXPECT_EQ(getaddrinfo("127.0.0.1", "80", &hints, &found), 0);
  EXPECT_EQ(reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_port, htons(80));
  freeaddrinfo(found);
  EXPECT_EQ(getaddrinfo("nobody.here", nullptr, &hints, &found), EAI_NONAME);
  EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
}

}  // namespace
}  // namespace turnpike::win32
