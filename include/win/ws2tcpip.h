/* Names and addresses in text, and what belongs to IPv6. The functions of the getaddrinfo family are libc's: they
 * answer 0 or one of libc's EAI_ numbers, and set the last error besides. */
#ifndef _WS2TCPIP_H_
#define _WS2TCPIP_H_

#include "winsock2.h"
#include "ws2ipdef.h"

#define socklen_t int

/* Where <netdb.h> could not be had: a strict compiler hides these in it, and the kernel's headers exclude it. */
#ifndef AI_PASSIVE
struct addrinfo {
  int ai_flags;
  int ai_family;
  int ai_socktype;
  int ai_protocol;
  unsigned int ai_addrlen;
  struct sockaddr* ai_addr;
  char* ai_canonname;
  struct addrinfo* ai_next;
};
#define AI_PASSIVE 0x0001
#define AI_CANONNAME 0x0002
#define AI_NUMERICHOST 0x0004
#define AI_NUMERICSERV 0x0400
#define EAI_AGAIN (-3)
#define EAI_BADFLAGS (-1)
#define EAI_FAIL (-4)
#define EAI_FAMILY (-6)
#define EAI_MEMORY (-10)
#define EAI_NONAME (-2)
#define EAI_SERVICE (-8)
#define EAI_SOCKTYPE (-7)
#define NI_NUMERICHOST 1
#define NI_NUMERICSERV 2
#define NI_NOFQDN 4
#define NI_NAMEREQD 8
#define NI_DGRAM 16
#endif
#ifndef NI_MAXHOST
#define NI_MAXHOST 1025
#define NI_MAXSERV 32
#endif

typedef struct addrinfo ADDRINFOA, ADDRINFO, *PADDRINFOA, *LPADDRINFO;

/* Both are freed by the function of their own width. */
typedef struct addrinfoW {
  int ai_flags;
  int ai_family;
  int ai_socktype;
  int ai_protocol;
  size_t ai_addrlen;
  PWSTR ai_canonname;
  struct sockaddr* ai_addr;
  struct addrinfoW* ai_next;
} ADDRINFOW, *PADDRINFOW;

TP_BEGIN

/* Hints with anything but flags, family, type and protocol: WSANO_RECOVERY. */
int WSAAPI tp_getaddrinfo(const char* pNodeName, const char* pServiceName, const ADDRINFOA* pHints,
                          PADDRINFOA* ppResult) TP_SHIM(getaddrinfo);
void WSAAPI tp_freeaddrinfo(PADDRINFOA pAddrInfo) TP_SHIM(freeaddrinfo);
int WSAAPI tp_getnameinfo(const SOCKADDR* pSockaddr, int SockaddrLength, char* pNodeBuffer, DWORD NodeBufferSize,
                          char* pServiceBuffer, DWORD ServiceBufferSize, INT Flags) TP_SHIM(getnameinfo);
INT WSAAPI GetAddrInfoW(LPCWSTR pNodeName, LPCWSTR pServiceName, const ADDRINFOW* pHints, PADDRINFOW* ppResult)
    TP_SHIM(GetAddrInfoW);
void WSAAPI FreeAddrInfoW(PADDRINFOW pAddrInfo) TP_SHIM(FreeAddrInfoW);
INT WSAAPI GetNameInfoW(const SOCKADDR* pSockaddr, int SockaddrLength, LPWSTR pNodeBuffer, DWORD NodeBufferSize,
                        LPWSTR pServiceBuffer, DWORD ServiceBufferSize, INT Flags) TP_SHIM(GetNameInfoW);

/* 1; 0 where the text is no address (WSAEINVAL); -1 where the family is neither AF_INET nor AF_INET6, or null. */
INT WSAAPI InetPtonA(INT Family, LPCSTR pszAddrString, PVOID pAddrBuf) TP_SHIM(InetPtonA);
INT WSAAPI InetPtonW(INT Family, LPCWSTR pszAddrString, PVOID pAddrBuf) TP_SHIM(InetPtonW);

/* Null where the buffer, counted in characters, is too small (WSAEINVAL). */
LPCSTR WSAAPI InetNtopA(INT Family, const VOID* pAddr, LPSTR pStringBuf, size_t StringBufSize) TP_SHIM(InetNtopA);
LPCWSTR WSAAPI InetNtopW(INT Family, const VOID* pAddr, LPWSTR pStringBuf, size_t StringBufSize) TP_SHIM(InetNtopW);

TP_END

#define getaddrinfo tp_getaddrinfo
#define freeaddrinfo tp_freeaddrinfo
#define getnameinfo tp_getnameinfo
#define inet_pton InetPtonA
#define inet_ntop InetNtopA
#define gai_strerrorA gai_strerror
#define GetAddrInfoA getaddrinfo
#define FreeAddrInfoA freeaddrinfo
#define GetNameInfoA getnameinfo

#ifdef UNICODE
#define InetPton InetPtonW
#define InetNtop InetNtopW
#define GetAddrInfo GetAddrInfoW
#define FreeAddrInfo FreeAddrInfoW
#define GetNameInfo GetNameInfoW
typedef ADDRINFOW ADDRINFOT, *PADDRINFOT;
#else
#define InetPton InetPtonA
#define InetNtop InetNtopA
#define GetAddrInfo getaddrinfo
#define FreeAddrInfo freeaddrinfo
#define GetNameInfo getnameinfo
typedef ADDRINFOA ADDRINFOT, *PADDRINFOT;
#endif

#endif
