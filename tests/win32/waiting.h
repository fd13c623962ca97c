// What tests of waiting share: handles that close themselves, and knowing that a thread has come to rest.
#pragma once

#include <gtest/gtest.h>
#include <windows.h>

#include <thread>
#include <utility>
#include <vector>

#include "win32/waits/handles.h"
#include "win32/waits/waitable.h"

namespace turnpike::win32 {

class OwnedHandle {
 public:
  explicit OwnedHandle(HANDLE handle) : handle_(handle) { EXPECT_NE(handle, nullptr) << "error " << GetLastError(); }
  OwnedHandle(OwnedHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  OwnedHandle& operator=(OwnedHandle&&) = delete;
  ~OwnedHandle() { close(); }

  operator HANDLE() const {
    return handle_;
  }  // NOLINT(google-explicit-constructor): it stands for the handle everywhere
  void close() {
    if (handle_ != nullptr) {
      EXPECT_TRUE(CloseHandle(std::exchange(handle_, nullptr)));
    }
  }

 private:
  HANDLE handle_;
};

inline OwnedHandle auto_event(bool signalled = false) {
  return OwnedHandle(CreateEventW(nullptr, FALSE, signalled, nullptr));
}
inline OwnedHandle manual_event(bool signalled = false) {
  return OwnedHandle(CreateEventW(nullptr, TRUE, signalled, nullptr));
}

inline bool is_signalled(HANDLE handle) { return WaitForSingleObject(handle, 0) == WAIT_OBJECT_0; }

// Returns when `count` waits are queued on the object.
inline void until_waiting(HANDLE handle, std::size_t count = 1) {
  while (pin_waitable(handle)->queue_length() != count) {
    std::this_thread::yield();
  }
}

// Every test that derives from this ends with as many handles as it began with.
class NoHandleLeft : public testing::Test {
 protected:
  NoHandleLeft() : before_(open_handles()) {}
  ~NoHandleLeft() override { EXPECT_EQ(open_handles(), before_); }

 private:
  const std::uint64_t before_;
};

}  // namespace turnpike::win32
