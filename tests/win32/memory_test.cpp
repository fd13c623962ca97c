// The engine when memory runs out: whatever makes something says ERROR_NOT_ENOUGH_MEMORY, and has made nothing.
#include "../base/scarce_memory.h"

#include <iphlpapi.h>
#include <netinet/in.h>
#include <process.h>
#include <rtutils.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include <cstdlib>
#include <functional>

#include "waiting.h"
#include "win32/threads/thread.h"
#include "win32/threads/thread_pool.h"
#include "win32/threads/time_service.h"
#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

using OutOfMemory = NoHandleLeft;

// Refuses the first allocation, then the second, … until there is enough, and hands out what was made in the end.
template <class Make>
auto made_in_the_end(Make make, DWORD expected = ERROR_NOT_ENOUGH_MEMORY) {
  const std::uint64_t handles = open_handles();
  for (int enough = 0;; ++enough) {
    decltype(make()) result{};
    DWORD error = 0;
    {
      const NoMemory after(enough);
      SetLastError(0);
      result = make();
      error = GetLastError();
    }
    if (result) {
      return result;
    }
    EXPECT_EQ(error, expected);
    EXPECT_EQ(open_handles(), handles);
    if (enough > 50) {
      ADD_FAILURE() << "never enough";
      return result;
    }
  }
}

VOID CALLBACK ignore(PVOID, BOOLEAN) {}
DWORD WINAPI do_nothing(LPVOID) { return 0; }

// Workers, timers and this thread's record exist already: what they need is not the caller's failure.
void warm_up() {
  Thread::current();
  const OwnedHandle done = auto_event();
  ASSERT_TRUE(QueueUserWorkItem([](LPVOID event) -> DWORD { return static_cast<DWORD>(SetEvent(event)); }, done, 0));
  ASSERT_EQ(WaitForSingleObject(done, INFINITE), WAIT_OBJECT_0);
  cancel_timer(arm_timer(clock().now() + std::chrono::hours(1), [] {}));
  settle();
}

TEST_F(OutOfMemory, NamedObjects) {
  const std::wstring name(200, L'n');  // longer than what a string holds in itself
  const OwnedHandle plain(made_in_the_end([] { return CreateEventW(nullptr, FALSE, FALSE, nullptr); }));
  {
    const OwnedHandle named(made_in_the_end([&] { return CreateMutexW(nullptr, FALSE, name.c_str()); }));
    const OwnedHandle opened(made_in_the_end([&] { return OpenMutexW(0, FALSE, name.c_str()); }));
    EXPECT_TRUE(CompareObjectHandles(named, opened));
  }
  EXPECT_EQ(OpenMutexW(0, FALSE, name.c_str()), nullptr);
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_FILE_NOT_FOUND));
}

TEST_F(OutOfMemory, Threads) {
  const OwnedHandle thread(made_in_the_end([] { return CreateThread(nullptr, 0, do_nothing, nullptr, 0, nullptr); }));
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  warm_up();
  made_in_the_end([] { return QueueUserAPC([](ULONG_PTR) {}, GetCurrentThread(), 0); });
  EXPECT_EQ(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
  const DWORD index = TlsAlloc();
  made_in_the_end([&] { return TlsSetValue(index, nullptr); });
  EXPECT_TRUE(TlsFree(index));
}

// In a process of its own, which has closed no handle before.
TEST_F(OutOfMemory, TheFirstHandleOfAllIsClosedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto first = [] {
    const HANDLE thread = made_in_the_end([] { return CreateThread(nullptr, 0, do_nothing, nullptr, 0, nullptr); });
    EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    EXPECT_TRUE(CloseHandle(thread));
    std::exit(HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(first(), testing::ExitedWithCode(0), "");
}

TEST_F(OutOfMemory, Callbacks) {
  warm_up();
  const OwnedHandle event = auto_event();
  const HANDLE wait = made_in_the_end([&] {
    HANDLE made = nullptr;
    return RegisterWaitForSingleObject(&made, event, ignore, nullptr, 100'000, 0) ? made : nullptr;
  });
  EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
  const HANDLE queue = made_in_the_end([] { return CreateTimerQueue(); });
  made_in_the_end([&] {
    HANDLE made = nullptr;
    return CreateTimerQueueTimer(&made, queue, ignore, nullptr, 100'000, 0, 0) ? made : nullptr;
  });
  EXPECT_TRUE(DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE));
  made_in_the_end([] { return QueueUserWorkItem(do_nothing, nullptr, 0); });
  settle();
}

TEST_F(OutOfMemory, Words) {
  const std::wstring name(200, L'n');
  const DWORD id = made_in_the_end([&] {
    const DWORD made = TraceRegisterExW(name.c_str(), 0);
    return made != INVALID_TRACEID ? made : 0;
  });
  EXPECT_EQ(TraceDeregisterW(id), static_cast<DWORD>(NO_ERROR));
  RouterLogDeregisterW(made_in_the_end([&] { return RouterLogRegisterW(name.c_str()); }));
  wchar_t* text = nullptr;
  made_in_the_end([&] {
    return FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_ALLOCATE_BUFFER, nullptr, ERROR_INVALID_HANDLE, 0,
                          reinterpret_cast<LPWSTR>(&text), 0, nullptr);
  });
  EXPECT_EQ(LocalFree(text), nullptr);
  made_in_the_end([&] { return RouterGetErrorStringW(ERROR_INVALID_HANDLE, &text) == NO_ERROR; });
  EXPECT_EQ(LocalFree(text), nullptr);
}

class OutOfSockets : public WinsockTest {
 protected:
  SOCKET speaker_ = bound_socket();
  SOCKET hearer_ = bound_socket();
  sockaddr_in where_ = address_of(hearer_);

  ~OutOfSockets() override {
    closesocket(speaker_);
    closesocket(hearer_);
  }

  int say_a() { return sendto(speaker_, "a", 1, 0, plain(where_), sizeof(where_)); }
};

struct Receive {
  OVERLAPPED overlapped{};
  char data[4];
  WSABUF buffer{sizeof(data), data};
  DWORD flags = 0;

  bool begin(SOCKET s, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine) {
    WSARecv(s, &buffer, 1, nullptr, &flags, &overlapped, routine);
    return WSAGetLastError() == WSA_IO_PENDING;
  }
};

TEST_F(OutOfSockets, SocketsAndTheirWaits) {
  warm_up();
  const SOCKET s = made_in_the_end(
      [] {
        const SOCKET made = socket(AF_INET, SOCK_DGRAM, 0);
        return made != INVALID_SOCKET ? made : 0;
      },
      WSAENOBUFS);
  closesocket(s);
  fd_set set = {1, {speaker_}};
  made_in_the_end([&] { return select(0, nullptr, &set, nullptr, nullptr) == 1; }, WSAENOBUFS);
  WSAPOLLFD polled{speaker_, POLLOUT, 0};
  made_in_the_end([&] { return WSAPoll(&polled, 1, -1) == 1; }, WSAENOBUFS);
  const OwnedHandle event = auto_event();
  made_in_the_end([&] { return WSAEventSelect(hearer_, event, FD_READ) == 0; }, WSAENOBUFS);
  bool heard = false;
  {
    const NoMemory none;
    say_a();
    heard = WaitForSingleObject(event, INFINITE) == WAIT_OBJECT_0;
  }
  EXPECT_TRUE(heard);
  PADDRINFOW found = nullptr;
  made_in_the_end([&] { return GetAddrInfoW(L"127.0.0.1", nullptr, nullptr, &found) == 0; }, WSA_NOT_ENOUGH_MEMORY);
  FreeAddrInfoW(found);
}

int routines = 0;
HANDLE called = nullptr;
void CALLBACK count_routine(DWORD, DWORD, LPWSAOVERLAPPED, DWORD) { ++routines; }
void CALLBACK set_called(DWORD, DWORD, LPOVERLAPPED) { SetEvent(called); }

// What has begun completes, whatever has become of memory.
TEST_F(OutOfSockets, CompletionsNeedNone) {
  warm_up();
  Receive first;
  Receive second;
  made_in_the_end([&] { return first.begin(hearer_, count_routine); }, WSAENOBUFS);
  DWORD slept = 0;
  {
    const NoMemory none;
    say_a();
    slept = SleepEx(INFINITE, TRUE);
  }
  EXPECT_EQ(slept, static_cast<DWORD>(WAIT_IO_COMPLETION));
  EXPECT_EQ(routines, 1);
  const OwnedHandle event = auto_event();
  called = event;
  ASSERT_TRUE(BindIoCompletionCallback(reinterpret_cast<HANDLE>(hearer_), set_called, 0));
  made_in_the_end([&] { return second.begin(hearer_, nullptr); }, WSAENOBUFS);
  DWORD waited = 0;
  {
    const NoMemory none;
    say_a();
    waited = WaitForSingleObject(event, INFINITE);
  }
  EXPECT_EQ(waited, WAIT_OBJECT_0);
}

TEST_F(OutOfMemory, TablesOfTheHost) {
  DWORD count = 0;
  made_in_the_end([&] { return GetNumberOfInterfaces(&count) == NO_ERROR; });
  EXPECT_NE(count, 0U);
  ULONG size = 0;
  made_in_the_end([&] { return GetIfTable(nullptr, &size, FALSE) == ERROR_INSUFFICIENT_BUFFER; });
  made_in_the_end([&] { return GetIpAddrTable(nullptr, &size, TRUE) == ERROR_INSUFFICIENT_BUFFER; });
  made_in_the_end([&] { return GetBestInterface(htonl(INADDR_LOOPBACK), &count) == NO_ERROR; });
}

// The program's handle stays, so that nothing but what each call makes is counted.
TEST(OutOfMemoryModules, ThatAreThere) {
  const HMODULE program = GetModuleHandleW(nullptr);
  wchar_t file[4096];
  made_in_the_end([&] { return GetModuleFileNameW(nullptr, file, 4096); });
  made_in_the_end([&] { return GetModuleFileNameW(program, file, 4096); });
  EXPECT_EQ(made_in_the_end([&] { return LoadLibraryW(L"kernel32.dll"); }), program) << "linked into this test";
}

// What signals, waits and ends needs no memory at all.
TEST_F(OutOfMemory, SignalsAndWaitsNeedNone) {
  warm_up();
  const OwnedHandle event = auto_event();
  const OwnedHandle timer(CreateWaitableTimerW(nullptr, FALSE, nullptr));
  const HANDLE both[] = {event, timer};
  HANDLE wait = nullptr;
  ASSERT_TRUE(RegisterWaitForSingleObject(&wait, event, ignore, nullptr, INFINITE, 0));
  LARGE_INTEGER due;
  due.QuadPart = -36'000'000'000;
  {
    const NoMemory now;
    EXPECT_TRUE(SetEvent(event));
    EXPECT_TRUE(SetWaitableTimer(timer, &due, 0, nullptr, nullptr, FALSE));
    EXPECT_TRUE(CancelWaitableTimer(timer));
    EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, 1), static_cast<DWORD>(WAIT_TIMEOUT));
    EXPECT_TRUE(UnregisterWaitEx(wait, INVALID_HANDLE_VALUE));
  }
  settle();
}

}  // namespace
}  // namespace turnpike::win32
