#include "turnpike/event.h"

#include <poll.h>

#include <cerrno>

#include "waiting.h"

namespace turnpike::win32 {
namespace {

using EventDescriptor = NoHandleLeft;

bool readable(int descriptor) {
  pollfd entry{descriptor, POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLIN) != 0;
}

TEST_F(EventDescriptor, ShowsAnAutoResetEvent) {
  const OwnedHandle event = auto_event();
  const int descriptor = TpEventDescriptor(event);
  ASSERT_GE(descriptor, 0);
  EXPECT_EQ(TpEventDescriptor(event), descriptor);
  EXPECT_FALSE(readable(descriptor));
  SetEvent(event);
  SetEvent(event);
  EXPECT_TRUE(readable(descriptor));
  EXPECT_TRUE(readable(descriptor));  // polling takes nothing
  EXPECT_TRUE(is_signalled(event));   // taking does
  EXPECT_FALSE(readable(descriptor));
}

TEST_F(EventDescriptor, DoesNotShowASignalThatGoesToAWaiter) {
  const OwnedHandle event = auto_event();
  const int descriptor = TpEventDescriptor(event);
  std::thread waiter([&] { EXPECT_EQ(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0); });
  until_waiting(event);
  SetEvent(event);
  EXPECT_FALSE(readable(descriptor));
  waiter.join();
}

TEST_F(EventDescriptor, ShowsTheStateItFinds) {
  const OwnedHandle event = manual_event(true);
  const int descriptor = TpEventDescriptor(event);
  EXPECT_TRUE(readable(descriptor));
  ResetEvent(event);
  EXPECT_FALSE(readable(descriptor));
  PulseEvent(event);
  EXPECT_FALSE(readable(descriptor));
}

TEST_F(EventDescriptor, ShowsSemaphoresAndThreads) {
  const OwnedHandle semaphore(CreateSemaphoreW(nullptr, 2, 2, nullptr));
  const int count = TpEventDescriptor(semaphore);
  EXPECT_TRUE(is_signalled(semaphore));
  EXPECT_TRUE(readable(count));
  EXPECT_TRUE(is_signalled(semaphore));
  EXPECT_FALSE(readable(count));

  const OwnedHandle event = auto_event();
  const OwnedHandle thread(CreateThread(
      nullptr, 0, [](LPVOID handle) -> DWORD { return WaitForSingleObject(handle, INFINITE); }, event, 0, nullptr));
  const int end = TpEventDescriptor(thread);
  EXPECT_FALSE(readable(end));
  SetEvent(event);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  EXPECT_TRUE(readable(end));
}

TEST_F(EventDescriptor, TakesPartInWaitsForAll) {
  const OwnedHandle a = auto_event(true);
  const OwnedHandle b = auto_event(true);
  const int descriptor = TpEventDescriptor(a);
  const HANDLE both[] = {a, b};
  EXPECT_EQ(WaitForMultipleObjects(2, both, TRUE, 0), WAIT_OBJECT_0);
  EXPECT_FALSE(readable(descriptor));
}

TEST_F(EventDescriptor, BadHandles) {
  for (HANDLE handle : {HANDLE{nullptr}, INVALID_HANDLE_VALUE}) {
    errno = 0;
    EXPECT_EQ(TpEventDescriptor(handle), -1);
    EXPECT_EQ(errno, EBADF);
  }
  const OwnedHandle mutex(CreateMutexW(nullptr, FALSE, nullptr));
  EXPECT_EQ(TpEventDescriptor(mutex), -1);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace turnpike::win32
