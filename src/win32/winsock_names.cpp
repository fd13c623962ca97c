// Addresses in text, and what names mean: libc's functions with Winsock's errors.
#include <arpa/inet.h>
#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "win32/utf8.h"
#include "win32/winsock_session.h"

namespace turnpike::win32 {
namespace {

// Before Winsock takes over the names.
constexpr auto& system_getaddrinfo = ::getaddrinfo;
constexpr auto& system_freeaddrinfo = ::freeaddrinfo;
constexpr auto& system_getnameinfo = ::getnameinfo;
constexpr auto& system_inet_pton = ::inet_pton;
constexpr auto& system_inet_ntop = ::inet_ntop;

}  // namespace
}  // namespace turnpike::win32

#include <ws2tcpip.h>

namespace turnpike::win32 {
namespace {

std::uint32_t name_error(int result) {
  switch (result) {
    case 0:
      return 0;
    case EAI_AGAIN:
      return WSATRY_AGAIN;
    case EAI_BADFLAGS:
      return WSAEINVAL;
    case EAI_FAMILY:
      return WSAEAFNOSUPPORT;
    case EAI_MEMORY:
      return WSA_NOT_ENOUGH_MEMORY;
    case EAI_NONAME:
      return WSAHOST_NOT_FOUND;
    case EAI_SERVICE:
      return WSATYPE_NOT_FOUND;
    case EAI_SOCKTYPE:
      return WSAESOCKTNOSUPPORT;
    default:
      return WSANO_RECOVERY;
  }
}

int told(int result) { return result == 0 ? 0 : fail_with(name_error(result), result); }

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::system_freeaddrinfo;
using turnpike::win32::system_getaddrinfo;
using turnpike::win32::system_getnameinfo;
using turnpike::win32::system_inet_ntop;
using turnpike::win32::system_inet_pton;
using turnpike::win32::told;
using turnpike::win32::winsock_is_started;

int WSAAPI tp_getaddrinfo(const char* pNodeName, const char* pServiceName, const ADDRINFOA* pHints,
                          PADDRINFOA* ppResult) {
  if (!winsock_is_started()) {
    return EAI_FAIL;
  }
  return ppResult != nullptr ? told(system_getaddrinfo(pNodeName, pServiceName, pHints, ppResult))
                             : fail_with(WSAEFAULT, EAI_FAIL);
}

void WSAAPI tp_freeaddrinfo(PADDRINFOA pAddrInfo) {
  if (pAddrInfo != nullptr) {
    system_freeaddrinfo(pAddrInfo);
  }
}

int WSAAPI tp_getnameinfo(const SOCKADDR* pSockaddr, int SockaddrLength, char* pNodeBuffer, DWORD NodeBufferSize,
                          char* pServiceBuffer, DWORD ServiceBufferSize, INT Flags) {
  if (!winsock_is_started()) {
    return EAI_FAIL;
  }
  if (pSockaddr == nullptr || SockaddrLength < static_cast<int>(sizeof(sockaddr_in))) {
    return fail_with(WSAEFAULT, EAI_FAIL);
  }
  return told(system_getnameinfo(pSockaddr, static_cast<unsigned>(SockaddrLength), pNodeBuffer, NodeBufferSize,
                                 pServiceBuffer, ServiceBufferSize, Flags));
}

INT WSAAPI InetPtonA(INT Family, LPCSTR pszAddrString, PVOID pAddrBuf) {
  if (pszAddrString == nullptr || pAddrBuf == nullptr) {
    return fail_with(WSAEFAULT, -1);
  }
  const int result = system_inet_pton(Family, pszAddrString, pAddrBuf);
  return result > 0 ? 1 : fail_with(result == 0 ? WSAEINVAL : WSAEAFNOSUPPORT, result);
}

INT WSAAPI InetPtonW(INT Family, LPCWSTR pszAddrString, PVOID pAddrBuf) {
  if (pszAddrString == nullptr) {
    return fail_with(WSAEFAULT, -1);
  }
  return InetPtonA(Family, turnpike::win32::to_utf8(pszAddrString).c_str(), pAddrBuf);
}

LPCSTR WSAAPI InetNtopA(INT Family, const VOID* pAddr, LPSTR pStringBuf, size_t StringBufSize) {
  if (pAddr == nullptr || pStringBuf == nullptr) {
    return fail_with(WSAEFAULT, LPCSTR{nullptr});
  }
  const auto room = static_cast<unsigned>(std::min<size_t>(StringBufSize, INET6_ADDRSTRLEN));
  const LPCSTR text = system_inet_ntop(Family, pAddr, pStringBuf, room);
  return text != nullptr ? text : fail_with(errno == EAFNOSUPPORT ? WSAEAFNOSUPPORT : WSAEINVAL, LPCSTR{nullptr});
}

LPCWSTR WSAAPI InetNtopW(INT Family, const VOID* pAddr, LPWSTR pStringBuf, size_t StringBufSize) {
  char narrow[INET6_ADDRSTRLEN];
  if (pAddr == nullptr || pStringBuf == nullptr) {
    return fail_with(WSAEFAULT, LPCWSTR{nullptr});
  }
  if (InetNtopA(Family, pAddr, narrow, sizeof(narrow)) == nullptr) {
    return nullptr;
  }
  const std::wstring text = turnpike::win32::to_wide(narrow);
  if (text.size() >= StringBufSize) {
    return fail_with(WSAEINVAL, LPCWSTR{nullptr});
  }
  std::memcpy(pStringBuf, text.c_str(), (text.size() + 1) * sizeof(WCHAR));
  return pStringBuf;
}
