#include <synchapi.h>

#include "win32/last_error.h"
#include "win32/waits/handles.h"
#include "win32/waits/names.h"
#include "win32/waits/semaphore.h"

namespace turnpike::win32 {

bool Semaphore::take(Thread&) {
  --count_;
  return false;
}

std::optional<std::int32_t> Semaphore::give(std::int32_t count) {
  return update([this, count]() -> std::optional<std::int32_t> {
    if (count > maximum_ - count_) {
      return std::nullopt;
    }
    return std::exchange(count_, count_ + count);
  });
}

std::uint32_t Semaphore::signal(Thread&) { return give(1) ? ERROR_SUCCESS : ERROR_TOO_MANY_POSTS; }

namespace {

HANDLE create_semaphore(const ObjectName& name, LONG initial, LONG maximum, DWORD flags) {
  if (initial < 0 || maximum < 1 || initial > maximum || flags != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  }
  return create_named(name, Kind::kSemaphore,
                      [initial, maximum] { return Ref<Object>(make_object<Semaphore>(initial, maximum)); });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::create_semaphore;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::Kind;
using turnpike::win32::ObjectName;
using turnpike::win32::open_named;
using turnpike::win32::pin;
using turnpike::win32::Semaphore;

HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES, LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName) {
  return create_semaphore(ObjectName::from(lpName), lInitialCount, lMaximumCount, 0);
}

HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES, LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName) {
  return create_semaphore(ObjectName::from(lpName), lInitialCount, lMaximumCount, 0);
}

HANDLE WINAPI CreateSemaphoreExA(LPSECURITY_ATTRIBUTES, LONG lInitialCount, LONG lMaximumCount, LPCSTR lpName,
                                 DWORD dwFlags, DWORD) {
  return create_semaphore(ObjectName::from(lpName), lInitialCount, lMaximumCount, dwFlags);
}

HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES, LONG lInitialCount, LONG lMaximumCount, LPCWSTR lpName,
                                 DWORD dwFlags, DWORD) {
  return create_semaphore(ObjectName::from(lpName), lInitialCount, lMaximumCount, dwFlags);
}

HANDLE WINAPI OpenSemaphoreA(DWORD, BOOL, LPCSTR lpName) {
  return open_named(ObjectName::from(lpName), Kind::kSemaphore);
}

HANDLE WINAPI OpenSemaphoreW(DWORD, BOOL, LPCWSTR lpName) {
  return open_named(ObjectName::from(lpName), Kind::kSemaphore);
}

BOOL WINAPI ReleaseSemaphore(HANDLE hSemaphore, LONG lReleaseCount, LPLONG lpPreviousCount) {
  const Held<Semaphore> semaphore = pin<Semaphore>(hSemaphore);
  if (!semaphore) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  if (lReleaseCount <= 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const std::optional<LONG> previous = semaphore->give(lReleaseCount);
  if (!previous) {
    return fail_with(ERROR_TOO_MANY_POSTS, FALSE);
  }
  if (lpPreviousCount != nullptr) {
    *lpPreviousCount = *previous;
  }
  return TRUE;
}
