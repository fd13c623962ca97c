// Two portability layers in one process: ours and Debian's WinPR, which has functions of the same names. Each is called
// by code that was compiled against its own headers, and each must answer for itself.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <windows.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "winpr_side.h"

namespace {

DWORD WINAPI partner(LPVOID argument) {
  const auto* events = static_cast<const HANDLE*>(argument);
  for (int i = 0; i < 100; ++i) {
    if (WaitForSingleObject(events[0], INFINITE) != WAIT_OBJECT_0 || !SetEvent(events[1])) {
      return 1;
    }
  }
  return 0;
}

bool our_round_trips() {
  HANDLE events[] = {CreateEventA(nullptr, FALSE, FALSE, nullptr), CreateEventA(nullptr, FALSE, FALSE, nullptr)};
  const HANDLE thread = CreateThread(nullptr, 0, partner, events, 0, nullptr);
  bool good = events[0] != nullptr && events[1] != nullptr && thread != nullptr;
  for (int i = 0; good && i < 100; ++i) {
    good = SetEvent(events[0]) && WaitForSingleObject(events[1], INFINITE) == WAIT_OBJECT_0;
  }
  DWORD code = 1;
  good =
      good && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && GetExitCodeThread(thread, &code) && code == 0;
  return CloseHandle(thread) && CloseHandle(events[0]) && CloseHandle(events[1]) && good;
}

// The file that a symbol, looked up as the dynamic linker would, comes from.
std::string origin_of(const char* symbol) {
  Dl_info where{};
  const void* address = ::dlsym(RTLD_DEFAULT, symbol);
  return address != nullptr && ::dladdr(address, &where) != 0 ? where.dli_fname : "nowhere";
}

TEST(BesideWinPr, BothWork) {
  EXPECT_TRUE(our_round_trips());
  EXPECT_NE(winpr_round_trips(100), 0);
}

TEST(BesideWinPr, BothWorkAtOnce) {
  std::atomic<bool> theirs{false};
  std::thread other([&] { theirs = winpr_round_trips(2000) != 0; });
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(our_round_trips());
  }
  other.join();
  EXPECT_TRUE(theirs);
}

TEST(BesideWinPr, EachHasItsOwnLastError) {
  SetLastError(1234);
  winpr_set_last_error(77);
  EXPECT_EQ(GetLastError(), 1234U);
  EXPECT_EQ(winpr_last_error(), 77U);
}

TEST(BesideWinPr, TheirHandlesAreRefusedHere) {
  void* theirs = winpr_event();
  ASSERT_NE(theirs, nullptr);
  EXPECT_FALSE(SetEvent(theirs));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(WaitForSingleObject(theirs, 0), WAIT_FAILED);
  EXPECT_FALSE(CloseHandle(theirs));
  EXPECT_EQ(winpr_is_signalled(theirs), 0);  // untouched
  EXPECT_NE(winpr_set(theirs), 0);
  EXPECT_NE(winpr_is_signalled(theirs), 0);
  EXPECT_NE(winpr_close(theirs), 0);
}

TEST(BesideWinPr, NamesLeadWhereTheyShould) {
  for (const char* name : {"CreateEventW", "WaitForSingleObject", "CloseHandle", "GetLastError", "CreateThread"}) {
    EXPECT_NE(origin_of(name).find("winpr"), std::string::npos) << name;
    EXPECT_NE(origin_of((std::string("tp_") + name).c_str()).find("libturnpike"), std::string::npos) << name;
  }
}

// What the list of our exports promises: nothing in it is a name of theirs.
TEST(BesideWinPr, NoExportIsAlsoTheirs) {
  std::ifstream exports(TURNPIKE_EXPORTS);
  ASSERT_TRUE(exports.is_open());
  std::size_t names = 0;
  for (std::string name; std::getline(exports, name);) {
    if (!name.empty() && name[0] != '#') {
      ++names;
      EXPECT_EQ(origin_of(name.c_str()).find("winpr"), std::string::npos) << name;
    }
  }
  EXPECT_GT(names, 100U);
}

}  // namespace
