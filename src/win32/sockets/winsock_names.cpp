// Addresses in text, and what names mean: libc's functions with Winsock's errors.
#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "win32/sockets/winsock_session.h"
#include "win32/text/text.h"

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

// What a hint says; the rest of it is for results.
template <class Info>
bool is_hint(const Info* hints) {
  return hints == nullptr || (hints->ai_addrlen == 0 && hints->ai_canonname == nullptr && hints->ai_addr == nullptr &&
                              hints->ai_next == nullptr);
}

struct Utf8 {
  explicit Utf8(LPCWSTR wide) : is_there(wide != nullptr), text(is_there ? to_utf8(wide) : std::string()) {}
  const char* get() const { return is_there ? text.c_str() : nullptr; }
  const bool is_there;
  const std::string text;
};

// One element, its address and its name in one block.
ADDRINFOW* widen(const addrinfo& found) {
  const std::wstring name = found.ai_canonname != nullptr ? to_wide(found.ai_canonname) : std::wstring();
  const std::size_t text = found.ai_canonname != nullptr ? (name.size() + 1) * sizeof(WCHAR) : 0;
  const std::size_t name_at = sizeof(ADDRINFOW);
  const std::size_t address_at = (name_at + text + alignof(sockaddr_storage) - 1) & ~(alignof(sockaddr_storage) - 1);
  auto* block = static_cast<char*>(std::calloc(1, address_at + found.ai_addrlen));
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  auto* wide = new (block) ADDRINFOW{found.ai_flags,   found.ai_family, found.ai_socktype, found.ai_protocol,
                                     found.ai_addrlen, nullptr,         nullptr,           nullptr};
  std::memcpy(block + address_at, found.ai_addr, found.ai_addrlen);
  wide->ai_addr = reinterpret_cast<sockaddr*>(block + address_at);
  if (text != 0) {
    std::memcpy(block + name_at, name.c_str(), text);
    wide->ai_canonname = reinterpret_cast<WCHAR*>(block + name_at);
  }
  return wide;
}

void free_wide(ADDRINFOW* first) {
  while (first != nullptr) {
    std::free(std::exchange(first, first->ai_next));
  }
}

int find_wide(LPCWSTR node, LPCWSTR service, const ADDRINFOW* hints, PADDRINFOW* result) {
  addrinfo narrow{};
  if (hints != nullptr) {
    narrow.ai_flags = hints->ai_flags;
    narrow.ai_family = hints->ai_family;
    narrow.ai_socktype = hints->ai_socktype;
    narrow.ai_protocol = hints->ai_protocol;
  }
  addrinfo* found = nullptr;
  const int error =
      system_getaddrinfo(Utf8(node).get(), Utf8(service).get(), hints != nullptr ? &narrow : nullptr, &found);
  const std::unique_ptr<addrinfo, decltype(&system_freeaddrinfo)> all(found, system_freeaddrinfo);
  std::unique_ptr<ADDRINFOW, decltype(&free_wide)> first(nullptr, free_wide);
  ADDRINFOW** place = nullptr;
  for (const addrinfo* each = found; error == 0 && each != nullptr; each = each->ai_next) {
    ADDRINFOW* wide = widen(*each);
    if (place == nullptr) {
      first.reset(wide);
    } else {
      *place = wide;
    }
    place = &wide->ai_next;
  }
  if (error == 0) {
    *result = first.release();
  }
  return told(error);
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::find_wide;
using turnpike::win32::free_wide;
using turnpike::win32::is_hint;
using turnpike::win32::put_text;
using turnpike::win32::system_freeaddrinfo;
using turnpike::win32::system_getaddrinfo;
using turnpike::win32::system_getnameinfo;
using turnpike::win32::system_inet_ntop;
using turnpike::win32::system_inet_pton;
using turnpike::win32::to_wide;
using turnpike::win32::told;
using turnpike::win32::unless_memory_is_out;
using turnpike::win32::winsock_is_started;

int WSAAPI tp_getaddrinfo(const char* pNodeName, const char* pServiceName, const ADDRINFOA* pHints,
                          PADDRINFOA* ppResult) {
  if (!winsock_is_started()) {
    return EAI_FAIL;
  }
  if (ppResult == nullptr || !is_hint(pHints)) {
    return fail_with(ppResult == nullptr ? WSAEFAULT : WSANO_RECOVERY, EAI_FAIL);
  }
  return told(system_getaddrinfo(pNodeName, pServiceName, pHints, ppResult));
}

INT WSAAPI GetAddrInfoW(LPCWSTR pNodeName, LPCWSTR pServiceName, const ADDRINFOW* pHints, PADDRINFOW* ppResult) {
  if (!winsock_is_started()) {
    return EAI_FAIL;
  }
  if (ppResult == nullptr || !is_hint(pHints)) {
    return fail_with(ppResult == nullptr ? WSAEFAULT : WSANO_RECOVERY, EAI_FAIL);
  }
  return unless_memory_is_out(
      INT{EAI_MEMORY}, [&] { return find_wide(pNodeName, pServiceName, pHints, ppResult); }, WSA_NOT_ENOUGH_MEMORY);
}

void WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo) { free_wide(pAddrInfo); }

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

INT WSAAPI GetNameInfoW(const SOCKADDR* pSockaddr, int SockaddrLength, LPWSTR pNodeBuffer, DWORD NodeBufferSize,
                        LPWSTR pServiceBuffer, DWORD ServiceBufferSize, INT Flags) {
  std::array<char, NI_MAXHOST> node{};
  std::array<char, NI_MAXSERV> service{};
  const bool wants_node = pNodeBuffer != nullptr && NodeBufferSize != 0;
  const bool wants_service = pServiceBuffer != nullptr && ServiceBufferSize != 0;
  const int result =
      tp_getnameinfo(pSockaddr, SockaddrLength, wants_node ? node.data() : nullptr, wants_node ? NI_MAXHOST : 0,
                     wants_service ? service.data() : nullptr, wants_service ? NI_MAXSERV : 0, Flags);
  if (result != 0) {
    return result;
  }
  return unless_memory_is_out(INT{EAI_MEMORY}, [&] {
    const std::wstring wide_node = to_wide(node.data());
    const std::wstring wide_service = to_wide(service.data());
    if ((wants_node && wide_node.size() >= NodeBufferSize) ||
        (wants_service && wide_service.size() >= ServiceBufferSize)) {
      return fail_with(ERROR_INSUFFICIENT_BUFFER, INT{EAI_OVERFLOW});
    }
    put_text<WCHAR>(wide_node, wants_node ? pNodeBuffer : nullptr, NodeBufferSize);
    put_text<WCHAR>(wide_service, wants_service ? pServiceBuffer : nullptr, ServiceBufferSize);
    return 0;
  });
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
