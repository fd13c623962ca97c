#include <synchapi.h>

#include "win32/last_error.h"
#include "win32/waits/handles.h"
#include "win32/waits/mutex.h"
#include "win32/waits/names.h"

namespace turnpike::win32 {

Mutex::~Mutex() {
  if (owner_ != nullptr) {  // its handles were closed while it was owned
    owner_->owns_no_more(*this);
  }
}

void Mutex::own_initially(Thread& thread) {
  update([&] { return take(thread); });
}

bool Mutex::take(Thread& thread) {
  if (owner_ == nullptr) {
    owner_ = &thread;
    thread.now_owns(*this);
  }
  ++times_;
  return std::exchange(abandoned_, false);
}

bool Mutex::give_back(Thread& thread) {
  return update([&] {
    if (owner_ != &thread) {
      return false;
    }
    if (--times_ == 0) {
      owner_ = nullptr;
      thread.owns_no_more(*this);
    }
    return true;
  });
}

std::uint32_t Mutex::signal(Thread& thread) { return give_back(thread) ? ERROR_SUCCESS : ERROR_NOT_OWNER; }

void Mutex::abandon(Thread& owner) {
  update([&] {
    owner_ = nullptr;
    times_ = 0;
    owner.owns_no_more(*this);
    return abandoned_ = true;
  });
}

namespace {

HANDLE create_mutex(const ObjectName& name, DWORD flags) {
  if ((flags & ~CREATE_MUTEX_INITIAL_OWNER) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  }
  return create_named(name, Kind::kMutex, [flags] {
    Ref<Mutex> mutex = make_object<Mutex>();
    if ((flags & CREATE_MUTEX_INITIAL_OWNER) != 0) {
      mutex->own_initially(Thread::current());
    }
    return Ref<Object>(std::move(mutex));
  });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::create_mutex;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::Kind;
using turnpike::win32::Mutex;
using turnpike::win32::ObjectName;
using turnpike::win32::open_named;
using turnpike::win32::pin;
using turnpike::win32::Thread;

HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES, BOOL bInitialOwner, LPCSTR lpName) {
  return create_mutex(ObjectName::from(lpName), bInitialOwner != FALSE ? CREATE_MUTEX_INITIAL_OWNER : 0);
}

HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES, BOOL bInitialOwner, LPCWSTR lpName) {
  return create_mutex(ObjectName::from(lpName), bInitialOwner != FALSE ? CREATE_MUTEX_INITIAL_OWNER : 0);
}

HANDLE WINAPI CreateMutexExA(LPSECURITY_ATTRIBUTES, LPCSTR lpName, DWORD dwFlags, DWORD) {
  return create_mutex(ObjectName::from(lpName), dwFlags);
}

HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES, LPCWSTR lpName, DWORD dwFlags, DWORD) {
  return create_mutex(ObjectName::from(lpName), dwFlags);
}

HANDLE WINAPI OpenMutexA(DWORD, BOOL, LPCSTR lpName) { return open_named(ObjectName::from(lpName), Kind::kMutex); }
HANDLE WINAPI OpenMutexW(DWORD, BOOL, LPCWSTR lpName) { return open_named(ObjectName::from(lpName), Kind::kMutex); }

BOOL WINAPI ReleaseMutex(HANDLE hMutex) {
  const Held<Mutex> mutex = pin<Mutex>(hMutex);
  if (!mutex) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  if (!mutex->give_back(Thread::current())) {
    return fail_with(ERROR_NOT_OWNER, FALSE);
  }
  return TRUE;
}
