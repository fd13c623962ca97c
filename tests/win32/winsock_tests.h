// What tests of sockets share. Include <winsock2.h> before.
#pragma once

#include <cstring>

#include "waiting.h"

#define EXPECT_SOCKET_FAILS(call, result, error)           \
  do {                                                     \
    WSASetLastError(0);                                    \
    EXPECT_EQ(call, result);                               \
    EXPECT_EQ(WSAGetLastError(), static_cast<int>(error)); \
  } while (0)

namespace turnpike::win32 {

inline sockaddr* plain(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

inline sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline sockaddr_in address_of(SOCKET s) {
  sockaddr_in address{};
  int size = sizeof(address);
  EXPECT_EQ(getsockname(s, plain(address), &size), 0);
  return address;
}

inline SOCKET bound_socket(int type = SOCK_DGRAM) {
  const SOCKET s = socket(AF_INET, type, 0);
  sockaddr_in address = loopback();
  EXPECT_EQ(bind(s, plain(address), sizeof(address)), 0);
  return s;
}

inline int set_option(SOCKET s, int level, int name, int value) {
  return setsockopt(s, level, name, reinterpret_cast<const char*>(&value), sizeof(value));
}

inline int get_option(SOCKET s, int level, int name) {
  int value = -1;
  int size = sizeof(value);
  EXPECT_EQ(getsockopt(s, level, name, reinterpret_cast<char*>(&value), &size), 0);
  return value;
}

// Sends it a datagram.
inline void say(SOCKET to, const char* text) {
  const SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in where = address_of(to);
  EXPECT_EQ(sendto(s, text, static_cast<int>(std::strlen(text)), 0, plain(where), sizeof(where)),
            static_cast<int>(std::strlen(text)));
  closesocket(s);
}

// Winsock started, and ended without a handle left. Loopback only: nothing leaves the machine.
class WinsockTest : public NoHandleLeft {
 protected:
  WinsockTest() { EXPECT_EQ(WSAStartup(MAKEWORD(2, 2), &data_), 0); }
  ~WinsockTest() override { EXPECT_EQ(WSACleanup(), 0); }

  WSADATA data_;
};

}  // namespace turnpike::win32
