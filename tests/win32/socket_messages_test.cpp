#include <mswsock.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <array>
#include <cstring>

#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

using SocketMessages = WinsockTest;

template <class Function>
Function extension(SOCKET s, GUID id) {
  Function function = nullptr;
  DWORD length = 0;
  EXPECT_EQ(WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), &function, sizeof(function), &length,
                     nullptr, nullptr),
            0);
  EXPECT_EQ(length, sizeof(function));
  return function;
}

LPFN_WSARECVMSG receive_message_of(SOCKET s) { return extension<LPFN_WSARECVMSG>(s, WSAID_WSARECVMSG); }

// A message with room for data, address, and what is beside it.
struct Message {
  std::array<char, 8> data{};
  alignas(8) std::array<char, 256> control{};
  sockaddr_in address{};
  WSABUF buffer{static_cast<ULONG>(data.size()), data.data()};
  WSAMSG message{plain(address), sizeof(address), &buffer, 1, {static_cast<ULONG>(control.size()), control.data()}, 0};

  template <class T>
  const T* beside(int level, int type) {
    for (WSACMSGHDR* each = WSA_CMSG_FIRSTHDR(&message); each != nullptr; each = WSA_CMSG_NXTHDR(&message, each)) {
      if (each->cmsg_level == level && each->cmsg_type == type) {
        return reinterpret_cast<const T*>(WSA_CMSG_DATA(each));
      }
    }
    return nullptr;
  }
};

void say_from(SOCKET from, SOCKET to, const char* text) {
  sockaddr_in where = address_of(to);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int length = static_cast<int>(std::strlen(text));
  EXPECT_EQ(sendto(from, text, length, 0, plain(where), sizeof(where)), length);
}

TEST_F(SocketMessages, BringWhatWasAskedFor) {
  const SOCKET hears = bound_socket();
  const SOCKET speaks = bound_socket();
  const LPFN_WSARECVMSG receive = receive_message_of(hears);
  EXPECT_EQ(set_option(hears, IPPROTO_IP, IP_PKTINFO, TRUE), 0);
  EXPECT_EQ(set_option(hears, IPPROTO_IP, IP_RECVTTL, TRUE), 0);
  EXPECT_EQ(set_option(speaks, IPPROTO_IP, IP_TTL, 7), 0);
  say_from(speaks, hears, "abc");
  Message got;
  DWORD bytes = 0;
  ASSERT_EQ(receive(hears, &got.message, &bytes, nullptr, nullptr), 0);
  EXPECT_EQ(bytes, 3U);
  EXPECT_EQ(got.address.sin_port, address_of(speaks).sin_port);
  EXPECT_EQ(got.message.dwFlags, 0U);
  const auto* info = got.beside<IN_PKTINFO>(IPPROTO_IP, IP_PKTINFO);
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_EQ(info->ipi_ifindex, 1);
  ASSERT_NE(got.beside<int>(IPPROTO_IP, IP_TTL), nullptr);
  EXPECT_EQ(*got.beside<int>(IPPROTO_IP, IP_TTL), 7);
  closesocket(hears);
  closesocket(speaks);
}

TEST_F(SocketMessages, TellWhatWasCutShort) {
  const SOCKET hears = bound_socket();
  const SOCKET speaks = bound_socket();
  const LPFN_WSARECVMSG receive = receive_message_of(hears);
  Message got;
  DWORD bytes = 0;
  say_from(speaks, hears, "0123456789");
  EXPECT_SOCKET_FAILS(receive(hears, &got.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEMSGSIZE);
  EXPECT_EQ(bytes, 8U);
  EXPECT_EQ(got.message.dwFlags, static_cast<DWORD>(MSG_TRUNC));
  EXPECT_EQ(set_option(hears, IPPROTO_IP, IP_PKTINFO, TRUE), 0);
  Message tight;
  tight.message.Control.len = 4;
  say_from(speaks, hears, "a");
  EXPECT_SOCKET_FAILS(receive(hears, &tight.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEMSGSIZE);
  EXPECT_EQ(tight.message.dwFlags, static_cast<DWORD>(MSG_CTRUNC));
  closesocket(hears);
  closesocket(speaks);
}

// Fills `message` so that it goes to `to` from one of our addresses.
void address_from(Message& message, SOCKET to, const char* source) {
  message.address = address_of(to);
  message.message.Control.len = WSA_CMSG_SPACE(sizeof(IN_PKTINFO));
  WSACMSGHDR* header = WSA_CMSG_FIRSTHDR(&message.message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = WSA_CMSG_LEN(sizeof(IN_PKTINFO));
  IN_PKTINFO info;
  std::memset(&info, 0xEE, sizeof(info));  // Linux's third member, of which a Windows client knows nothing
  info.ipi_addr.s_addr = inet_addr(source);
  info.ipi_ifindex = 0;
  std::memcpy(WSA_CMSG_DATA(header), &info, sizeof(info));
}

TEST_F(SocketMessages, AreSentFromTheAddressInThem) {
  const SOCKET hears = bound_socket();
  const SOCKET speaks = socket(AF_INET, SOCK_DGRAM, 0);
  Message sent;
  address_from(sent, hears, "127.0.0.9");
  const auto before = sent.control;
  DWORD bytes = 0;
  EXPECT_EQ(WSASendMsg(speaks, &sent.message, 0, &bytes, nullptr, nullptr), 0);
  EXPECT_EQ(bytes, 8U);
  EXPECT_EQ(sent.control, before);  // the client's buffer is only read
  std::array<char, 8> data;
  sockaddr_in from{};
  int size = sizeof(from);
  EXPECT_EQ(recvfrom(hears, data.data(), data.size(), 0, plain(from), &size), 8);
  EXPECT_EQ(from.sin_addr.s_addr, inet_addr("127.0.0.9"));
  EXPECT_EQ(extension<LPFN_WSASENDMSG>(speaks, WSAID_WSASENDMSG)(speaks, &sent.message, 0, &bytes, nullptr, nullptr),
            0);
  address_from(sent, hears, "192.0.2.1");  // none of ours
  EXPECT_EQ(WSASendMsg(speaks, &sent.message, 0, &bytes, nullptr, nullptr), SOCKET_ERROR);
  closesocket(hears);
  closesocket(speaks);
}

TEST_F(SocketMessages, ComeOverlappedToo) {
  const SOCKET hears = bound_socket();
  const SOCKET speaks = bound_socket();
  const OwnedHandle event = manual_event();
  EXPECT_EQ(set_option(hears, IPPROTO_IP, IP_PKTINFO, TRUE), 0);
  Message got;
  OVERLAPPED overlapped{};
  overlapped.hEvent = event;
  EXPECT_SOCKET_FAILS(receive_message_of(hears)(hears, &got.message, nullptr, &overlapped, nullptr), SOCKET_ERROR,
                      WSA_IO_PENDING);
  Message sent;
  address_from(sent, hears, "127.0.0.9");
  OVERLAPPED sending{};
  DWORD bytes = 0;
  EXPECT_EQ(WSASendMsg(speaks, &sent.message, 0, &bytes, &sending, nullptr), 0);
  DWORD flags = 0;
  EXPECT_TRUE(WSAGetOverlappedResult(hears, &overlapped, &bytes, TRUE, &flags));
  EXPECT_EQ(bytes, 8U);
  EXPECT_EQ(got.address.sin_addr.s_addr, inet_addr("127.0.0.9"));
  EXPECT_NE(got.beside<IN_PKTINFO>(IPPROTO_IP, IP_PKTINFO), nullptr);
  closesocket(hears);
  closesocket(speaks);
}

TEST_F(SocketMessages, RefuseWhatMakesNoSense) {
  const SOCKET s = bound_socket();
  const SOCKET unbound = socket(AF_INET, SOCK_DGRAM, 0);
  const SOCKET stream = socket(AF_INET, SOCK_STREAM, 0);
  const LPFN_WSARECVMSG receive = receive_message_of(s);
  Message m;
  DWORD bytes = 0;
  GUID unknown = WSAID_WSARECVMSG;
  unknown.Data1 ^= 1;
  void* function = nullptr;
  const auto ask = [&](DWORD in, DWORD out) {
    return WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &unknown, in, &function, out, &bytes, nullptr, nullptr);
  };
  EXPECT_SOCKET_FAILS(ask(sizeof(unknown), sizeof(function)), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(ask(4, sizeof(function)), SOCKET_ERROR, WSAEFAULT);
  unknown.Data1 ^= 1;
  EXPECT_SOCKET_FAILS(ask(sizeof(unknown), 4), SOCKET_ERROR, WSAEFAULT);
  EXPECT_EQ(function, nullptr);

  EXPECT_SOCKET_FAILS(receive(0, &m.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(receive(s, nullptr, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(receive(s, &m.message, nullptr, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(receive(unbound, &m.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(receive(stream, &m.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEOPNOTSUPP);
  m.message.dwFlags = 0x40000000;
  EXPECT_SOCKET_FAILS(receive(s, &m.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEOPNOTSUPP);
  m.message.dwFlags = 0;
  m.message.namelen = 3;
  EXPECT_SOCKET_FAILS(receive(s, &m.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);
  m.message.namelen = sizeof(m.address);
  m.message.Control.buf = nullptr;
  EXPECT_SOCKET_FAILS(receive(s, &m.message, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);

  Message sent;
  EXPECT_SOCKET_FAILS(WSASendMsg(INVALID_SOCKET, &sent.message, 0, &bytes, nullptr, nullptr), SOCKET_ERROR,
                      WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(WSASendMsg(s, nullptr, 0, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSASendMsg(stream, &sent.message, 0, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEOPNOTSUPP);
  EXPECT_SOCKET_FAILS(WSASendMsg(s, &sent.message, MSG_PEEK, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEOPNOTSUPP);
  address_from(sent, s, "127.0.0.1");
  WSA_CMSG_FIRSTHDR(&sent.message)->cmsg_len = 3;  // shorter than its own head
  EXPECT_SOCKET_FAILS(WSASendMsg(s, &sent.message, 0, &bytes, nullptr, nullptr), SOCKET_ERROR, WSAEINVAL);
  closesocket(s);
  closesocket(unbound);
  closesocket(stream);
}

TEST_F(SocketMessages, WideNamesAndAddresses) {
  ADDRINFOW hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_CANONNAME;
  hints.ai_socktype = SOCK_DGRAM;
  PADDRINFOW found = nullptr;
  ASSERT_EQ(GetAddrInfoW(L"127.0.0.1", L"520", &hints, &found), 0);
  EXPECT_EQ(found->ai_socktype, SOCK_DGRAM);
  EXPECT_EQ(found->ai_addrlen, sizeof(sockaddr_in));
  EXPECT_EQ(reinterpret_cast<sockaddr_in*>(found->ai_addr)->sin_port, htons(520));
  EXPECT_STREQ(found->ai_canonname, L"127.0.0.1");
  EXPECT_EQ(found->ai_next, nullptr);
  std::array<WCHAR, 32> node{};
  std::array<WCHAR, 8> service{};
  const int flags = NI_NUMERICHOST | NI_NUMERICSERV;
  const auto name = [&](DWORD room) {
    return GetNameInfoW(found->ai_addr, sizeof(sockaddr_in), node.data(), room, service.data(), service.size(), flags);
  };
  EXPECT_EQ(name(node.size()), 0);
  EXPECT_STREQ(node.data(), L"127.0.0.1");
  EXPECT_STREQ(service.data(), L"520");
  EXPECT_NE(name(4), 0);
  EXPECT_EQ(WSAGetLastError(), ERROR_INSUFFICIENT_BUFFER);
  FreeAddrInfoW(found);
  FreeAddrInfoW(nullptr);

  EXPECT_EQ(GetAddrInfoW(L"nobody.here", nullptr, &hints, &found), EAI_NONAME);
  EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
  EXPECT_NE(GetAddrInfoW(nullptr, nullptr, nullptr, &found), 0);
  EXPECT_EQ(WSAGetLastError(), WSAHOST_NOT_FOUND);
  EXPECT_NE(GetAddrInfoW(L"127.0.0.1", nullptr, &hints, nullptr), 0);
  EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
  hints.ai_addrlen = 1;
  EXPECT_NE(GetAddrInfoW(L"127.0.0.1", nullptr, &hints, &found), 0);
  EXPECT_EQ(WSAGetLastError(), WSANO_RECOVERY);
  EXPECT_NE(GetNameInfoW(nullptr, 0, node.data(), 1, nullptr, 0, 0), 0);
  EXPECT_EQ(WSAGetLastError(), WSAEFAULT);
}

}  // namespace
}  // namespace turnpike::win32
