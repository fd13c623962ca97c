// The host: processor, version, names.
#include <gtest/gtest.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <windows.h>

#include <string>
#include <thread>

namespace {

TEST(SystemInfo, DescribesTheProcessor) {
  SYSTEM_INFO info{};
  GetSystemInfo(&info);
  EXPECT_EQ(info.dwPageSize, static_cast<DWORD>(getpagesize()));
  EXPECT_EQ(info.dwNumberOfProcessors, static_cast<DWORD>(sysconf(_SC_NPROCESSORS_ONLN)));
  EXPECT_NE(info.dwActiveProcessorMask & 1, 0U);
  EXPECT_EQ(info.dwAllocationGranularity, 0x10000U);
  EXPECT_LT(info.lpMinimumApplicationAddress, static_cast<void*>(&info));
  EXPECT_GT(info.lpMaximumApplicationAddress, static_cast<void*>(&info));
  EXPECT_TRUE(info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_AMD64 ||
              info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_ARM64);
  SetLastError(0);
  GetNativeSystemInfo(nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST(Version, IsThatOfALaterWindows) {
  EXPECT_EQ(LOBYTE(LOWORD(GetVersion())), 10);
  OSVERSIONINFOEXW extended{};
  extended.dwOSVersionInfoSize = sizeof extended;
  EXPECT_TRUE(GetVersionExW(reinterpret_cast<OSVERSIONINFOW*>(&extended)));
  EXPECT_EQ(extended.dwMajorVersion, 10U);
  EXPECT_EQ(extended.dwPlatformId, DWORD{VER_PLATFORM_WIN32_NT});
  EXPECT_EQ(extended.wProductType, VER_NT_SERVER);
  EXPECT_EQ(extended.dwOSVersionInfoSize, sizeof extended);
  OSVERSIONINFOA plain{};
  plain.dwOSVersionInfoSize = sizeof plain;
  EXPECT_TRUE(GetVersionExA(&plain));
  EXPECT_EQ(plain.dwBuildNumber, HIWORD(GetVersion()));

  plain.dwOSVersionInfoSize = sizeof plain - 1;
  plain.dwMajorVersion = 7;
  SetLastError(0);
  EXPECT_FALSE(GetVersionExA(&plain));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(plain.dwMajorVersion, 7U);
  EXPECT_FALSE(GetVersionExW(nullptr));
}

std::string name(COMPUTER_NAME_FORMAT format) {
  char text[300];
  DWORD size = sizeof text;
  EXPECT_TRUE(GetComputerNameExA(format, text, &size));
  EXPECT_EQ(size, strlen(text));
  return text;
}

TEST(ComputerName, ComesFromTheHostsName) {
  utsname machine{};
  ASSERT_EQ(uname(&machine), 0);
  const std::string host = machine.nodename;
  EXPECT_EQ(name(ComputerNameDnsFullyQualified), host);
  const std::string domain = name(ComputerNameDnsDomain);
  EXPECT_EQ(name(ComputerNameDnsHostname) + (domain.empty() ? "" : "." + domain), host);
  EXPECT_LE(name(ComputerNameNetBIOS).size(), std::size_t{MAX_COMPUTERNAME_LENGTH});
  EXPECT_EQ(lstrcmpiA(name(ComputerNameNetBIOS).c_str(),
                      name(ComputerNamePhysicalDnsHostname).substr(0, MAX_COMPUTERNAME_LENGTH).c_str()),
            0);
  wchar_t wide[MAX_COMPUTERNAME_LENGTH + 1];
  DWORD size = MAX_COMPUTERNAME_LENGTH + 1;
  EXPECT_TRUE(GetComputerNameW(wide, &size));
  EXPECT_EQ(size, wcslen(wide));
}

TEST(ComputerName, TellsTheSizeThatItNeeds) {
  const std::string expected = name(ComputerNameDnsHostname);
  DWORD size = 0;
  EXPECT_FALSE(GetComputerNameExA(ComputerNameDnsHostname, nullptr, &size));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_MORE_DATA});
  EXPECT_EQ(size, expected.size() + 1);
  std::string text(size, '?');
  size = static_cast<DWORD>(expected.size());
  EXPECT_FALSE(GetComputerNameExA(ComputerNameDnsHostname, text.data(), &size));
  EXPECT_EQ(text[0], '?');
  EXPECT_TRUE(GetComputerNameExA(ComputerNameDnsHostname, text.data(), &size));
  size = 0;
  EXPECT_FALSE(GetComputerNameA(nullptr, &size));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_BUFFER_OVERFLOW});
}

TEST(ComputerName, InWideText) {
  const std::string expected = name(ComputerNameDnsHostname);
  wchar_t wide[256];
  DWORD size = 0;
  EXPECT_FALSE(GetComputerNameExW(ComputerNameDnsHostname, nullptr, &size));
  EXPECT_EQ(size, expected.size() + 1);
  EXPECT_TRUE(GetComputerNameExW(ComputerNameDnsHostname, wide, &size));
  EXPECT_EQ(std::wstring(wide), std::wstring(expected.begin(), expected.end()));
}

TEST(Process, HasANumberAndAnErrorMode) {
  EXPECT_EQ(GetCurrentProcessId(), static_cast<DWORD>(getpid()));
  EXPECT_EQ(SetErrorMode(SEM_FAILCRITICALERRORS), 0U);
  EXPECT_EQ(SetErrorMode(0), UINT{SEM_FAILCRITICALERRORS});
}

TEST(ComputerName, BadInput) {
  char text[8];
  DWORD size = 8;
  SetLastError(0);
  EXPECT_FALSE(GetComputerNameA(text, nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_FALSE(GetComputerNameA(nullptr, &size));
  EXPECT_FALSE(GetComputerNameExA(ComputerNameMax, text, &size));
  EXPECT_EQ(size, 8U);
}

}  // namespace
