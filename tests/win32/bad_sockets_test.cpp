// Bad input to Winsock, as far as socket tests beside the function itself (…Refuse…) do not have it.
#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>

#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

using BadSockets = WinsockTest;

TEST_F(BadSockets, EventsThatAreNoneAreRefused) {
  for (const WSAEVENT bad : {WSA_INVALID_EVENT, INVALID_HANDLE_VALUE, GetCurrentThread()}) {
    EXPECT_SOCKET_FAILS(WSACloseEvent(bad), FALSE, WSA_INVALID_HANDLE);
    EXPECT_SOCKET_FAILS(WSASetEvent(bad), FALSE, WSA_INVALID_HANDLE);
    EXPECT_SOCKET_FAILS(WSAResetEvent(bad), FALSE, WSA_INVALID_HANDLE);
    if (bad != GetCurrentThread()) {
      EXPECT_SOCKET_FAILS(WSAWaitForMultipleEvents(1, &bad, FALSE, 0, FALSE), WSA_WAIT_FAILED, WSA_INVALID_HANDLE);
    }
  }
  const WSAEVENT event = WSACreateEvent();
  std::array<WSAEVENT, 65> many;
  many.fill(event);
  EXPECT_SOCKET_FAILS(WSAWaitForMultipleEvents(0, many.data(), FALSE, 0, FALSE), WSA_WAIT_FAILED,
                      WSA_INVALID_PARAMETER);
  EXPECT_SOCKET_FAILS(WSAWaitForMultipleEvents(65, many.data(), FALSE, 0, FALSE), WSA_WAIT_FAILED,
                      WSA_INVALID_PARAMETER);
  EXPECT_SOCKET_FAILS(WSAWaitForMultipleEvents(1, nullptr, FALSE, 0, FALSE), WSA_WAIT_FAILED, WSA_INVALID_PARAMETER);
  EXPECT_TRUE(WSACloseEvent(event));
  EXPECT_SOCKET_FAILS(WSASetEvent(event), FALSE, WSA_INVALID_HANDLE);
}

TEST_F(BadSockets, BuffersAndAddressesOfTransfersAreRefused) {
  const SOCKET s = bound_socket();
  sockaddr_in address = loopback();
  std::array<char, 4> data;
  WSABUF buffer{4, data.data()};
  WSABUF no_buffer{4, nullptr};
  DWORD bytes = 77;
  DWORD flags = 0;
  int size = 3;
  for (const SOCKET bad : {SOCKET{0}, INVALID_SOCKET}) {
    EXPECT_SOCKET_FAILS(recvfrom(bad, data.data(), 4, 0, nullptr, nullptr), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(sendto(bad, data.data(), 4, 0, nullptr, 0), SOCKET_ERROR, WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(WSARecvFrom(bad, &buffer, 1, &bytes, &flags, nullptr, nullptr, nullptr, nullptr), SOCKET_ERROR,
                        WSAENOTSOCK);
    EXPECT_SOCKET_FAILS(WSASendTo(bad, &buffer, 1, &bytes, 0, nullptr, 0, nullptr, nullptr), SOCKET_ERROR, WSAENOTSOCK);
  }
  EXPECT_SOCKET_FAILS(recvfrom(s, data.data(), 4, 0, plain(address), &size), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(recvfrom(s, data.data(), 4, 0, plain(address), nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(recvfrom(s, nullptr, 4, 0, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSARecvFrom(s, &no_buffer, 1, &bytes, &flags, nullptr, nullptr, nullptr, nullptr), SOCKET_ERROR,
                      WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSARecvFrom(s, &buffer, 1, &bytes, &flags, plain(address), &size, nullptr, nullptr), SOCKET_ERROR,
                      WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSASendTo(s, nullptr, 1, &bytes, 0, plain(address), sizeof(address), nullptr, nullptr),
                      SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSASendTo(s, &buffer, 1, &bytes, 0, plain(address), 3, nullptr, nullptr), SOCKET_ERROR,
                      WSAEFAULT);
  address.sin_family = AF_UNIX;
  EXPECT_SOCKET_FAILS(WSASendTo(s, &buffer, 1, &bytes, 0, plain(address), sizeof(address), nullptr, nullptr),
                      SOCKET_ERROR, WSAEAFNOSUPPORT);
  EXPECT_EQ(bytes, 77U);
  WSAPROTOCOL_INFOA protocol{};
  EXPECT_SOCKET_FAILS(WSASocketA(AF_INET, SOCK_DGRAM, 0, &protocol, 0, 0), INVALID_SOCKET, WSAEINVAL);
  EXPECT_SOCKET_FAILS(WSASocketA(77, SOCK_DGRAM, 0, nullptr, 0, 0), INVALID_SOCKET, WSAEAFNOSUPPORT);
  closesocket(s);
}

TEST_F(BadSockets, NamesAndAddressesThatMakeNoSenseAreRefused) {
  sockaddr_in address = loopback();
  std::array<char, 8> text{};
  std::array<WCHAR, 8> wide{};
  PADDRINFOA found = nullptr;
  PADDRINFOW found_wide = nullptr;
  ADDRINFOA hints{};
  hints.ai_flags = AI_NUMERICHOST;
  EXPECT_SOCKET_FAILS(getaddrinfo("127.0.0.1", nullptr, &hints, nullptr), EAI_FAIL, WSAEFAULT);
  EXPECT_SOCKET_FAILS(getaddrinfo(nullptr, nullptr, nullptr, &found), EAI_NONAME, WSAHOST_NOT_FOUND);
  hints.ai_family = 77;
  EXPECT_SOCKET_FAILS(getaddrinfo("127.0.0.1", nullptr, &hints, &found), EAI_FAMILY, WSAEAFNOSUPPORT);
  hints.ai_canonname = text.data();
  EXPECT_SOCKET_FAILS(getaddrinfo("127.0.0.1", nullptr, &hints, &found), EAI_FAIL, WSANO_RECOVERY);
  EXPECT_SOCKET_FAILS(GetAddrInfoW(nullptr, nullptr, nullptr, &found_wide), EAI_NONAME, WSAHOST_NOT_FOUND);
  EXPECT_SOCKET_FAILS(GetAddrInfoW(L"127.0.0.1", nullptr, nullptr, nullptr), EAI_FAIL, WSAEFAULT);
  freeaddrinfo(nullptr);
  FreeAddrInfoW(nullptr);
  EXPECT_EQ(found, nullptr);
  EXPECT_EQ(found_wide, nullptr);
  EXPECT_SOCKET_FAILS(getnameinfo(nullptr, sizeof(address), text.data(), 8, nullptr, 0, 0), EAI_FAIL, WSAEFAULT);
  EXPECT_SOCKET_FAILS(getnameinfo(reinterpret_cast<SOCKADDR*>(&address), 3, text.data(), 8, nullptr, 0, 0), EAI_FAIL,
                      WSAEFAULT);
  EXPECT_SOCKET_FAILS(GetNameInfoW(nullptr, 0, wide.data(), 8, nullptr, 0, 0), EAI_FAIL, WSAEFAULT);
  EXPECT_SOCKET_FAILS(gethostname(nullptr, 8), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(gethostname(text.data(), 0), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(gethostname(text.data(), -1), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(InetPtonA(AF_INET, nullptr, &address), -1, WSAEFAULT);
  EXPECT_SOCKET_FAILS(InetPtonA(77, "127.0.0.1", &address), -1, WSAEAFNOSUPPORT);
  EXPECT_SOCKET_FAILS(InetPtonW(AF_INET, nullptr, &address), -1, WSAEFAULT);
  EXPECT_SOCKET_FAILS(InetPtonW(AF_INET, L"127.0.0.1", nullptr), -1, WSAEFAULT);
  EXPECT_SOCKET_FAILS(InetNtopA(AF_INET, nullptr, text.data(), 8), nullptr, WSAEFAULT);
  EXPECT_SOCKET_FAILS(InetNtopA(AF_INET, &address, text.data(), 3), nullptr, WSAEINVAL);
  EXPECT_SOCKET_FAILS(InetNtopW(AF_INET, &address, nullptr, 8), nullptr, WSAEFAULT);
  EXPECT_SOCKET_FAILS(InetNtopW(77, &address, wide.data(), 8), nullptr, WSAEAFNOSUPPORT);
}

TEST(BadSocketsBeforeTheStart, AreRefused) {
  EXPECT_EQ(WSAStartup(MAKEWORD(2, 2), nullptr), WSAEFAULT);
  WSADATA data;
  EXPECT_EQ(WSAStartup(0, &data), WSAVERNOTSUPPORTED);
  EXPECT_SOCKET_FAILS(WSACleanup(), SOCKET_ERROR, WSANOTINITIALISED);
  PADDRINFOW found = nullptr;
  EXPECT_SOCKET_FAILS(socket(AF_INET, SOCK_DGRAM, 0), INVALID_SOCKET, WSANOTINITIALISED);
  EXPECT_SOCKET_FAILS(closesocket(0), SOCKET_ERROR, WSANOTINITIALISED);
  EXPECT_SOCKET_FAILS(GetAddrInfoW(L"127.0.0.1", nullptr, nullptr, &found), EAI_FAIL, WSANOTINITIALISED);
  EXPECT_SOCKET_FAILS(WSAPoll(nullptr, 1, 0), SOCKET_ERROR, WSANOTINITIALISED);
}

}  // namespace
}  // namespace turnpike::win32
