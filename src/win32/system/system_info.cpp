// What this host is: its processor, its name, and the version of Windows that it answers for.
#include <sysinfoapi.h>
#include <unistd.h>
#include <winbase.h>

#include <algorithm>
#include <array>
#include <string>

#include "win32/last_error.h"
#include "win32/text/letters.h"
#include "win32/text/text.h"

namespace turnpike::win32 {
namespace {

// Windows Server 2022: programs compare, and everything that we have it has too.
constexpr DWORD kMajor = 10;
constexpr DWORD kMinor = 0;
constexpr DWORD kBuild = 20348;

#if defined(__x86_64__)
constexpr WORD kArchitecture = PROCESSOR_ARCHITECTURE_AMD64;
constexpr DWORD kProcessorType = PROCESSOR_AMD_X8664;
#elif defined(__aarch64__)
constexpr WORD kArchitecture = PROCESSOR_ARCHITECTURE_ARM64;
constexpr DWORD kProcessorType = 0;
#else
constexpr WORD kArchitecture = PROCESSOR_ARCHITECTURE_UNKNOWN;
constexpr DWORD kProcessorType = 0;
#endif

void describe_system(LPSYSTEM_INFO out) {
  if (out == nullptr) return set_last_error(ERROR_INVALID_PARAMETER);
  const auto processors = static_cast<DWORD>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
  *out = {};
  out->wProcessorArchitecture = kArchitecture;
  out->dwPageSize = static_cast<DWORD>(sysconf(_SC_PAGESIZE));
  out->lpMinimumApplicationAddress = reinterpret_cast<LPVOID>(0x10000);
  out->lpMaximumApplicationAddress = reinterpret_cast<LPVOID>(0x7FFFFFFEFFFF);
  out->dwActiveProcessorMask = processors >= 64 ? ~DWORD_PTR{0} : (DWORD_PTR{1} << processors) - 1;
  out->dwNumberOfProcessors = processors;
  out->dwProcessorType = kProcessorType;
  out->dwAllocationGranularity = 0x10000;
}

template <class Info, class InfoEx>
BOOL describe_version(Info* out) {
  if (out == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  const DWORD size = out->dwOSVersionInfoSize;
  if (size != sizeof(Info) && size != sizeof(InfoEx)) return fail_with(ERROR_INSUFFICIENT_BUFFER, FALSE);
  if (size == sizeof(InfoEx)) {
    auto* const extended = reinterpret_cast<InfoEx*>(out);
    *extended = {};
    extended->wProductType = VER_NT_SERVER;
  } else {
    *out = {};
  }
  out->dwOSVersionInfoSize = size;
  out->dwMajorVersion = kMajor;
  out->dwMinorVersion = kMinor;
  out->dwBuildNumber = kBuild;
  out->dwPlatformId = VER_PLATFORM_WIN32_NT;
  return TRUE;
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string computer_name(COMPUTER_NAME_FORMAT format) {
  const std::string full = host_name();
  const std::size_t point = full.find('.');
  std::string host = full.substr(0, point);
  switch (format) {
    case ComputerNameNetBIOS:
    case ComputerNamePhysicalNetBIOS:
      host.resize(std::min<std::size_t>(host.size(), MAX_COMPUTERNAME_LENGTH));
      std::transform(host.begin(), host.end(), host.begin(), [](char letter) { return to_upper(letter); });
      return host;
    case ComputerNameDnsDomain:
    case ComputerNamePhysicalDnsDomain:
      return point == std::string::npos ? "" : full.substr(point + 1);
    case ComputerNameDnsFullyQualified:
    case ComputerNamePhysicalDnsFullyQualified:
      return full;
    default:
      return host;
  }
}

template <class Char>
BOOL tell_name(COMPUTER_NAME_FORMAT format, Char* buffer, LPDWORD size, DWORD when_too_small) {
  if (size == nullptr || format < ComputerNameNetBIOS || format >= ComputerNameMax ||
      (buffer == nullptr && *size != 0)) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const std::basic_string<Char> name = in_width<Char>(computer_name(format));
  if (!put_text<Char>(name, buffer, *size)) {
    *size = static_cast<DWORD>(name.size() + 1);
    return fail_with(when_too_small, FALSE);
  }
  *size = static_cast<DWORD>(name.size());
  return TRUE;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::describe_version;
using turnpike::win32::tell_name;

VOID WINAPI GetSystemInfo(LPSYSTEM_INFO lpSystemInfo) { turnpike::win32::describe_system(lpSystemInfo); }
VOID WINAPI GetNativeSystemInfo(LPSYSTEM_INFO lpSystemInfo) { turnpike::win32::describe_system(lpSystemInfo); }

DWORD WINAPI GetVersion(VOID) {
  return turnpike::win32::kMajor | turnpike::win32::kMinor << 8 | turnpike::win32::kBuild << 16;
}
BOOL WINAPI GetVersionExA(LPOSVERSIONINFOA info) { return describe_version<OSVERSIONINFOA, OSVERSIONINFOEXA>(info); }
BOOL WINAPI GetVersionExW(LPOSVERSIONINFOW info) { return describe_version<OSVERSIONINFOW, OSVERSIONINFOEXW>(info); }

BOOL WINAPI GetComputerNameExA(COMPUTER_NAME_FORMAT NameType, LPSTR lpBuffer, LPDWORD nSize) {
  return tell_name(NameType, lpBuffer, nSize, ERROR_MORE_DATA);
}
BOOL WINAPI GetComputerNameExW(COMPUTER_NAME_FORMAT NameType, LPWSTR lpBuffer, LPDWORD nSize) {
  return tell_name(NameType, lpBuffer, nSize, ERROR_MORE_DATA);
}
BOOL WINAPI GetComputerNameA(LPSTR lpBuffer, LPDWORD nSize) {
  return tell_name(ComputerNameNetBIOS, lpBuffer, nSize, ERROR_BUFFER_OVERFLOW);
}
BOOL WINAPI GetComputerNameW(LPWSTR lpBuffer, LPDWORD nSize) {
  return tell_name(ComputerNameNetBIOS, lpBuffer, nSize, ERROR_BUFFER_OVERFLOW);
}
