/* What time it is, what this host is called, and what it runs. */
#ifndef _SYSINFOAPI_H_
#define _SYSINFOAPI_H_

#include "minwinbase.h"

#define PROCESSOR_ARCHITECTURE_AMD64 9
#define PROCESSOR_ARCHITECTURE_ARM64 12
#define PROCESSOR_ARCHITECTURE_UNKNOWN 0xFFFF
#define PROCESSOR_AMD_X8664 8664

typedef struct _SYSTEM_INFO {
  __extension__ union {
    DWORD dwOemId;
    __extension__ struct {
      WORD wProcessorArchitecture;
      WORD wReserved;
    };
  };
  DWORD dwPageSize;
  LPVOID lpMinimumApplicationAddress;
  LPVOID lpMaximumApplicationAddress;
  DWORD_PTR dwActiveProcessorMask;
  DWORD dwNumberOfProcessors;
  DWORD dwProcessorType;
  DWORD dwAllocationGranularity;
  WORD wProcessorLevel;
  WORD wProcessorRevision;
} SYSTEM_INFO, *LPSYSTEM_INFO;

#define VER_PLATFORM_WIN32_NT 2
#define VER_NT_WORKSTATION 1
#define VER_NT_DOMAIN_CONTROLLER 2
#define VER_NT_SERVER 3

#define TP_OSVERSIONINFO     \
  DWORD dwOSVersionInfoSize; \
  DWORD dwMajorVersion;      \
  DWORD dwMinorVersion;      \
  DWORD dwBuildNumber;       \
  DWORD dwPlatformId;
#define TP_OSVERSIONINFO_EX \
  WORD wServicePackMajor;   \
  WORD wServicePackMinor;   \
  WORD wSuiteMask;          \
  BYTE wProductType;        \
  BYTE wReserved;

typedef struct _OSVERSIONINFOA {
  TP_OSVERSIONINFO
  CHAR szCSDVersion[128];
} OSVERSIONINFOA, *POSVERSIONINFOA, *LPOSVERSIONINFOA;
typedef struct _OSVERSIONINFOW {
  TP_OSVERSIONINFO
  WCHAR szCSDVersion[128];
} OSVERSIONINFOW, *POSVERSIONINFOW, *LPOSVERSIONINFOW;
typedef struct _OSVERSIONINFOEXA {
  TP_OSVERSIONINFO
  CHAR szCSDVersion[128];
  TP_OSVERSIONINFO_EX
} OSVERSIONINFOEXA, *POSVERSIONINFOEXA, *LPOSVERSIONINFOEXA;
typedef struct _OSVERSIONINFOEXW {
  TP_OSVERSIONINFO
  WCHAR szCSDVersion[128];
  TP_OSVERSIONINFO_EX
} OSVERSIONINFOEXW, *POSVERSIONINFOEXW, *LPOSVERSIONINFOEXW;

#ifdef UNICODE
typedef OSVERSIONINFOW OSVERSIONINFO, *POSVERSIONINFO, *LPOSVERSIONINFO;
typedef OSVERSIONINFOEXW OSVERSIONINFOEX, *POSVERSIONINFOEX, *LPOSVERSIONINFOEX;
#else
typedef OSVERSIONINFOA OSVERSIONINFO, *POSVERSIONINFO, *LPOSVERSIONINFO;
typedef OSVERSIONINFOEXA OSVERSIONINFOEX, *POSVERSIONINFOEX, *LPOSVERSIONINFOEX;
#endif

typedef enum _COMPUTER_NAME_FORMAT {
  ComputerNameNetBIOS,
  ComputerNameDnsHostname,
  ComputerNameDnsDomain,
  ComputerNameDnsFullyQualified,
  ComputerNamePhysicalNetBIOS,
  ComputerNamePhysicalDnsHostname,
  ComputerNamePhysicalDnsDomain,
  ComputerNamePhysicalDnsFullyQualified,
  ComputerNameMax
} COMPUTER_NAME_FORMAT;

TP_BEGIN

/* ---- Time. A null pointer: nothing happens but ERROR_INVALID_PARAMETER. */
VOID WINAPI GetSystemTime(LPSYSTEMTIME lpSystemTime) TP_SHIM(GetSystemTime);
VOID WINAPI GetLocalTime(LPSYSTEMTIME lpSystemTime) TP_SHIM(GetLocalTime);
VOID WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime) TP_SHIM(GetSystemTimeAsFileTime);
VOID WINAPI GetSystemTimePreciseAsFileTime(LPFILETIME lpSystemTimeAsFileTime) TP_SHIM(GetSystemTimePreciseAsFileTime);

/* Milliseconds that the host has been awake since it started, by the clock that waits and timers run on. The first
 * begins anew every 49.7 days. */
DWORD WINAPI GetTickCount(VOID) TP_SHIM(GetTickCount);
ULONGLONG WINAPI GetTickCount64(VOID) TP_SHIM(GetTickCount64);

/* ---- The host. A null pointer: as above, and FALSE. */
VOID WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo) TP_SHIM(GetSystemInfo);
VOID WINAPI GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo) TP_SHIM(GetNativeSystemInfo);

/* A program that asks is told of Windows 10, server, build 20348. dwOSVersionInfoSize must be that of one of the two
 * structures: ERROR_INSUFFICIENT_BUFFER else. */
DWORD WINAPI GetVersion(VOID) TP_SHIM(GetVersion);
BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA lpVersionInformation) TP_SHIM(GetVersionExA);
BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW lpVersionInformation) TP_SHIM(GetVersionExW);

/* nSize: the characters that fit, with the null; afterwards the characters written, without. Too small: ERROR_MORE_DATA
 * (where the buffer is null too), and nSize says how many are needed, with the null. The names come from the host's
 * name: what stands before its first point is the host, what behind the domain; the NetBIOS name is the host's first 15
 * characters in upper case. */
BOOL WINAPI GetComputerNameExA(COMPUTER_NAME_FORMAT NameType, LPSTR lpBuffer, LPDWORD nSize)
    TP_SHIM(GetComputerNameExA);
BOOL WINAPI GetComputerNameExW(COMPUTER_NAME_FORMAT NameType, LPWSTR lpBuffer, LPDWORD nSize)
    TP_SHIM(GetComputerNameExW);

TP_END

#define GetVersionEx TP_AW(GetVersionEx)
#define GetComputerNameEx TP_AW(GetComputerNameEx)

#endif
