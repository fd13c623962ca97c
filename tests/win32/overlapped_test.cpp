#include <rtutils.h>
#include <winsock2.h>

#include <array>
#include <atomic>
#include <thread>

#include "winsock_tests.h"

namespace turnpike::win32 {
namespace {

constexpr DWORD kSoon = 60'000;  // milliseconds: for what comes at once, if it comes

using Overlapped = WinsockTest;

struct Received {
  OVERLAPPED overlapped{};
  std::array<char, 8> data{};
  WSABUF buffer{static_cast<ULONG>(data.size()), data.data()};
  DWORD flags = 0;

  int begin(SOCKET s, HANDLE event, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine = nullptr) {
    overlapped.hEvent = event;
    return WSARecv(s, &buffer, 1, nullptr, &flags, &overlapped, routine);
  }
};

TEST_F(Overlapped, AnOverlappedReceiveSetsItsEvent) {
  const SOCKET s = bound_socket();
  const OwnedHandle event = manual_event(true);
  Received received;
  DWORD bytes = 0;
  DWORD flags = 0;
  EXPECT_SOCKET_FAILS(received.begin(s, event), SOCKET_ERROR, WSA_IO_PENDING);
  EXPECT_FALSE(is_signalled(event));
  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(s, &received.overlapped, &bytes, FALSE, &flags), FALSE, WSA_IO_INCOMPLETE);
  say(s, "abc");
  EXPECT_TRUE(WSAGetOverlappedResult(s, &received.overlapped, &bytes, TRUE, &flags));
  EXPECT_EQ(bytes, 3U);
  EXPECT_TRUE(is_signalled(event));
  say(s, "0123456789");  // more than there is room for
  EXPECT_SOCKET_FAILS(received.begin(s, event), SOCKET_ERROR, WSA_IO_PENDING);
  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(s, &received.overlapped, &bytes, TRUE, &flags), FALSE, WSAEMSGSIZE);
  EXPECT_EQ(bytes, 8U);
  closesocket(s);
}

std::atomic<int> calls;
std::atomic<DWORD> last_error_told;

void CALLBACK routine(DWORD error, DWORD, LPWSAOVERLAPPED, DWORD) {
  last_error_told = error;
  ++calls;
}

void CALLBACK callback(DWORD error, DWORD, LPOVERLAPPED overlapped) {
  last_error_told = error;
  ++calls;
  SetEvent(*reinterpret_cast<HANDLE*>(overlapped + 1));
}

TEST_F(Overlapped, ARoutineRunsInAnAlertableWait) {
  const SOCKET s = bound_socket();
  Received received;
  calls = 0;
  EXPECT_SOCKET_FAILS(received.begin(s, nullptr, routine), SOCKET_ERROR, WSA_IO_PENDING);
  say(s, "abc");
  EXPECT_EQ(SleepEx(kSoon, TRUE), WAIT_IO_COMPLETION);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(received.overlapped.InternalHigh, 3U);
  closesocket(s);
}

TEST_F(Overlapped, ClosingAbortsWhatIsPendingOnce) {
  const SOCKET s = bound_socket();
  Received first;
  Received second;
  calls = 0;
  EXPECT_SOCKET_FAILS(first.begin(s, nullptr, routine), SOCKET_ERROR, WSA_IO_PENDING);
  EXPECT_SOCKET_FAILS(second.begin(s, nullptr, routine), SOCKET_ERROR, WSA_IO_PENDING);
  const HANDLE handle = reinterpret_cast<HANDLE>(s);
  EXPECT_TRUE(CancelIoEx(handle, &second.overlapped));
  EXPECT_SOCKET_FAILS(CancelIoEx(handle, &second.overlapped), FALSE, ERROR_NOT_FOUND);
  EXPECT_EQ(closesocket(s), 0);
  SleepEx(0, TRUE);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(last_error_told, static_cast<DWORD>(WSA_OPERATION_ABORTED));
  EXPECT_FALSE(CancelIo(handle));
  EXPECT_EQ(GetLastError(), static_cast<DWORD>(ERROR_INVALID_HANDLE));
}

TEST_F(Overlapped, ABoundCallbackRunsOnThePool) {
  const SOCKET s = bound_socket();
  const OwnedHandle done = auto_event();
  struct {
    OVERLAPPED overlapped{};
    HANDLE done;
  } state{{}, done};
  std::array<char, 8> data;
  WSABUF buffer{8, data.data()};
  DWORD flags = 0;
  calls = 0;
  EXPECT_EQ(SetIoCompletionProc(done, callback), static_cast<DWORD>(ERROR_INVALID_HANDLE));
  EXPECT_EQ(SetIoCompletionProc(reinterpret_cast<HANDLE>(s), nullptr), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_TRUE(BindIoCompletionCallback(reinterpret_cast<HANDLE>(s), callback, 0));
  EXPECT_FALSE(BindIoCompletionCallback(reinterpret_cast<HANDLE>(s), callback, 0));
  EXPECT_EQ(SetIoCompletionProc(reinterpret_cast<HANDLE>(s), callback), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
  EXPECT_EQ(WSARecv(s, &buffer, 1, nullptr, &flags, &state.overlapped, nullptr), SOCKET_ERROR);
  say(s, "abc");
  EXPECT_EQ(WaitForSingleObject(done, kSoon), WAIT_OBJECT_0);
  EXPECT_EQ(calls, 1);
  closesocket(s);
  const SOCKET another = bound_socket();
  EXPECT_EQ(SetIoCompletionProc(reinterpret_cast<HANDLE>(another), callback), static_cast<DWORD>(NO_ERROR));
  EXPECT_FALSE(BindIoCompletionCallback(reinterpret_cast<HANDLE>(another), callback, 0));
  closesocket(another);
}

// What a result says: in each state, waited for or not, with an event or without.
struct Result {
  BOOL good;
  DWORD error;
  DWORD bytes = 77;  // untouched
  DWORD flags = 77;
  bool operator==(const Result&) const = default;
};

Result result_of(SOCKET s, OVERLAPPED& overlapped, BOOL wait) {
  Result result{};
  SetLastError(0);
  result.good = WSAGetOverlappedResult(s, &overlapped, &result.bytes, wait, &result.flags);
  result.error = GetLastError();
  return result;
}

TEST_F(Overlapped, ResultsInEachState) {
  const OwnedHandle event = manual_event();
  for (const HANDLE told : {HANDLE{nullptr}, HANDLE{event}}) {
    const SOCKET s = bound_socket();
    Received received;
    EXPECT_SOCKET_FAILS(received.begin(s, told), SOCKET_ERROR, WSA_IO_PENDING);
    EXPECT_EQ(result_of(s, received.overlapped, FALSE), (Result{FALSE, WSA_IO_INCOMPLETE}));
    say(s, "abc");
    EXPECT_EQ(result_of(s, received.overlapped, TRUE), (Result{TRUE, 0, 3, 0}));
    EXPECT_EQ(result_of(s, received.overlapped, FALSE), (Result{TRUE, 0, 3, 0}));  // asking takes nothing away

    say(s, "abcd");
    EXPECT_EQ(received.begin(s, told), 0);  // done at once, and all the same with a result
    EXPECT_EQ(result_of(s, received.overlapped, FALSE), (Result{TRUE, 0, 4, 0}));

    EXPECT_SOCKET_FAILS(received.begin(s, told), SOCKET_ERROR, WSA_IO_PENDING);
    EXPECT_TRUE(CancelIoEx(reinterpret_cast<HANDLE>(s), nullptr));
    EXPECT_EQ(result_of(s, received.overlapped, TRUE), (Result{FALSE, WSA_OPERATION_ABORTED, 0, 0}));

    say(s, "0123456789");
    EXPECT_SOCKET_FAILS(received.begin(s, told), SOCKET_ERROR, WSA_IO_PENDING);  // cut short is an error of the result
    EXPECT_EQ(result_of(s, received.overlapped, TRUE), (Result{FALSE, WSAEMSGSIZE, 8, MSG_PARTIAL}));
    closesocket(s);
  }
}

TEST_F(Overlapped, WaitingForAResultEndsWhenTheSocketIsClosed) {
  const OwnedHandle event = manual_event();
  for (const HANDLE told : {HANDLE{nullptr}, HANDLE{event}}) {
    const SOCKET s = bound_socket();
    Received received;
    EXPECT_SOCKET_FAILS(received.begin(s, told), SOCKET_ERROR, WSA_IO_PENDING);
    std::thread waiter([&] {
      const Result result = result_of(s, received.overlapped, TRUE);
      EXPECT_FALSE(result.good);  // closed while it waited, or before it came
      EXPECT_TRUE(result.error == WSA_OPERATION_ABORTED || result.error == WSAENOTSOCK);
    });
    std::this_thread::yield();
    EXPECT_EQ(closesocket(s), 0);
    waiter.join();
    EXPECT_TRUE(HasOverlappedIoCompleted(&received.overlapped));
    EXPECT_EQ(received.overlapped.Internal, static_cast<ULONG_PTR>(WSA_OPERATION_ABORTED));
  }
  EXPECT_TRUE(is_signalled(event));
}

TEST_F(Overlapped, CancelIoEndsTheCallersOwnAlone) {
  const SOCKET s = bound_socket();
  const HANDLE handle = reinterpret_cast<HANDLE>(s);
  Received others;
  Received own;
  std::thread([&] { EXPECT_SOCKET_FAILS(others.begin(s, nullptr), SOCKET_ERROR, WSA_IO_PENDING); }).join();
  EXPECT_SOCKET_FAILS(own.begin(s, nullptr), SOCKET_ERROR, WSA_IO_PENDING);
  EXPECT_TRUE(CancelIo(handle));
  EXPECT_EQ(result_of(s, own.overlapped, FALSE).error, static_cast<DWORD>(WSA_OPERATION_ABORTED));
  EXPECT_EQ(result_of(s, others.overlapped, FALSE).error, static_cast<DWORD>(WSA_IO_INCOMPLETE));
  EXPECT_TRUE(CancelIo(handle));  // nothing to end is no error for this one
  say(s, "abc");
  EXPECT_TRUE(result_of(s, others.overlapped, TRUE).good);
  closesocket(s);
}

TEST_F(Overlapped, ReceivesAreServedInOrderAndSayWhoSent) {
  const SOCKET s = bound_socket();
  const SOCKET speaker = bound_socket();
  std::array<Received, 3> all;
  std::array<sockaddr_in, 3> from{};
  std::array<int, 3> size{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    size[i] = sizeof(sockaddr_in);
    EXPECT_SOCKET_FAILS(WSARecvFrom(s, &all[i].buffer, 1, nullptr, &all[i].flags, plain(from[i]), &size[i],
                                    &all[i].overlapped, nullptr),
                        SOCKET_ERROR, WSA_IO_PENDING);
  }
  sockaddr_in where = address_of(s);
  for (const char letter : {'a', 'b', 'c'}) {
    char text = letter;
    WSABUF buffer{1, &text};
    OVERLAPPED sending{};
    DWORD bytes = 0;
    EXPECT_EQ(WSASendTo(speaker, &buffer, 1, &bytes, 0, plain(where), sizeof(where), &sending, nullptr), 0);
    EXPECT_EQ(bytes, 1U);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(result_of(s, all[i].overlapped, TRUE).good);
    EXPECT_EQ(all[i].data[0], static_cast<char>('a' + i));
    EXPECT_EQ(from[i].sin_port, address_of(speaker).sin_port);
    EXPECT_EQ(size[i], static_cast<int>(sizeof(sockaddr_in)));
  }
  closesocket(speaker);
  closesocket(s);
}

TEST_F(Overlapped, ASocketThatWasMadeWithoutItCompletesAtOnce) {
  const SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, 0, nullptr, 0, 0);
  sockaddr_in address = loopback();
  ASSERT_EQ(bind(s, plain(address), sizeof(address)), 0);
  say(s, "abc");
  Received received;
  DWORD bytes = 0;
  EXPECT_EQ(WSARecv(s, &received.buffer, 1, &bytes, &received.flags, &received.overlapped, nullptr), 0);
  EXPECT_EQ(bytes, 3U);
  closesocket(s);
}

TEST_F(Overlapped, RefuseWhatMakesNoSenseAndThenNothingFollows) {
  const SOCKET s = bound_socket();
  const SOCKET unbound = socket(AF_INET, SOCK_DGRAM, 0);
  const OwnedHandle semaphore(CreateSemaphoreW(nullptr, 0, 1, nullptr));
  const HANDLE handle = reinterpret_cast<HANDLE>(s);
  Received received;
  OVERLAPPED& overlapped = received.overlapped;
  DWORD bytes = 0;
  DWORD flags = 0;
  calls = 0;
  EXPECT_SOCKET_FAILS(received.begin(0, nullptr, routine), SOCKET_ERROR, WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(received.begin(unbound, nullptr, routine), SOCKET_ERROR, WSAEINVAL);
  EXPECT_SOCKET_FAILS(received.begin(s, semaphore), SOCKET_ERROR, WSA_INVALID_HANDLE);
  received.flags = 0x40000000;
  EXPECT_SOCKET_FAILS(received.begin(s, nullptr, routine), SOCKET_ERROR, WSAEOPNOTSUPP);
  EXPECT_SOCKET_FAILS(WSARecv(s, nullptr, 1, &bytes, &flags, &overlapped, routine), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSARecv(s, &received.buffer, 1, &bytes, nullptr, &overlapped, routine), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSARecv(s, &received.buffer, 1, nullptr, &flags, nullptr, nullptr), SOCKET_ERROR, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSASend(s, &received.buffer, 1, &bytes, 0, &overlapped, routine), SOCKET_ERROR, WSAENOTCONN);
  EXPECT_TRUE(HasOverlappedIoCompleted(&overlapped));
  EXPECT_EQ(SleepEx(0, TRUE), 0U);
  EXPECT_EQ(calls, 0);

  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(0, &overlapped, &bytes, FALSE, &flags), FALSE, WSAENOTSOCK);
  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(s, nullptr, &bytes, FALSE, &flags), FALSE, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(s, &overlapped, nullptr, FALSE, &flags), FALSE, WSAEFAULT);
  EXPECT_SOCKET_FAILS(WSAGetOverlappedResult(s, &overlapped, &bytes, FALSE, nullptr), FALSE, WSAEFAULT);
  EXPECT_SOCKET_FAILS(GetOverlappedResult(semaphore, &overlapped, &bytes, FALSE), FALSE, ERROR_INVALID_HANDLE);
  EXPECT_SOCKET_FAILS(GetOverlappedResult(handle, nullptr, &bytes, FALSE), FALSE, ERROR_INVALID_PARAMETER);
  EXPECT_SOCKET_FAILS(CancelIo(nullptr), FALSE, ERROR_INVALID_HANDLE);
  EXPECT_SOCKET_FAILS(CancelIoEx(semaphore, nullptr), FALSE, ERROR_INVALID_HANDLE);
  EXPECT_SOCKET_FAILS(CancelIoEx(handle, nullptr), FALSE, ERROR_NOT_FOUND);
  EXPECT_SOCKET_FAILS(BindIoCompletionCallback(semaphore, callback, 0), FALSE, ERROR_INVALID_HANDLE);
  EXPECT_SOCKET_FAILS(BindIoCompletionCallback(handle, nullptr, 0), FALSE, ERROR_INVALID_PARAMETER);
  EXPECT_SOCKET_FAILS(BindIoCompletionCallback(handle, callback, 1), FALSE, ERROR_INVALID_PARAMETER);
  closesocket(unbound);
  closesocket(s);
}

}  // namespace
}  // namespace turnpike::win32
