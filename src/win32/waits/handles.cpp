#include "win32/waits/handles.h"

#include <handleapi.h>
#include <processthreadsapi.h>

#include <array>

#include "win32/last_error.h"
#include "win32/threads/thread.h"

namespace turnpike::win32 {
namespace {

// Tags from 0xE0 on are the shim's; no other table of the process uses them, so a handle of another room is refused
// here.
constexpr int kFirstTag = 0xE0;

constexpr std::array<const char*, 12> kKindNames{"event",          "semaphore",       "mutex",       "thread",
                                                 "waitable timer", "registered wait", "timer queue", "queue timer",
                                                 "heap",           "module",          "socket",      "log source"};

constexpr HandleTag tag_for(Kind kind) {
  return HandleTag(static_cast<std::uint8_t>(kFirstTag + static_cast<int>(kind)));
}

Handle from_raw(RawHandle raw) { return Handle(reinterpret_cast<std::uintptr_t>(raw)); }

std::unique_ptr<HandleTable> make_table() {
  std::unique_ptr<HandleTable> table = std::move(HandleTable::create().value());
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    const Kind kind{static_cast<std::uint8_t>(i + 1)};
    const Result<void> registered = table->register_tag(tag_for(kind), kKindNames[i],
                                                        [](void* object) { static_cast<Object*>(object)->release(); });
    if (!registered) {
      __builtin_trap();  // two kinds with one tag: a defect of this file
    }
  }
  return table;
}

// Never destroyed: other threads may use handles until the process is gone.
HandleTable& table() {
  static HandleTable& made = *make_table().release();
  return made;
}

}  // namespace

RawHandle open_handle(Ref<Object> object) {
  object->handle_opened();
  const Result<Handle> handle = table().add(tag_for(object->kind()), object.get(), OwnerId::kNobody);
  if (!handle) {
    object->handle_closed();
    return fail_with(ERROR_NOT_ENOUGH_MEMORY, RawHandle{nullptr});
  }
  object.detach();
  return reinterpret_cast<RawHandle>(static_cast<std::uintptr_t>(*handle));
}

Pin<Object> pin_kind(RawHandle raw, Kind kind) { return table().pin_tagged<Object>(from_raw(raw), tag_for(kind)); }

Held<Waitable> pin_waitable(RawHandle raw) {
  const HandleTag tag = tag_of(from_raw(raw));
  const auto kind = static_cast<Kind>(static_cast<int>(tag) - kFirstTag);
  return is_waitable(kind) ? Held<Waitable>(table().pin_tagged<Object>(from_raw(raw), tag)) : Held<Waitable>();
}

bool close_handle(RawHandle raw, Kind kind) {
  const Pin<Object> object = pin_kind(raw, kind);
  if (!object || !table().remove(from_raw(raw))) {
    return false;
  }
  object->handle_closed();
  return true;
}

std::uint64_t open_handles() { return table().census().total(); }

}  // namespace turnpike::win32

using turnpike::win32::close_handle;
using turnpike::win32::fail_with;
using turnpike::win32::Held;
using turnpike::win32::kCurrentProcess;
using turnpike::win32::kCurrentThread;
using turnpike::win32::open_handle;
using turnpike::win32::open_handles;
using turnpike::win32::pin_waitable;
using turnpike::win32::RawHandle;
using turnpike::win32::Ref;
using turnpike::win32::Thread;
using turnpike::win32::Waitable;

BOOL WINAPI CloseHandle(HANDLE hObject) {
  const Held<Waitable> object = pin_waitable(hObject);
  if (!object || !close_handle(hObject, object->kind())) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return TRUE;
}

BOOL WINAPI DuplicateHandle(HANDLE hSourceProcessHandle, HANDLE hSourceHandle, HANDLE hTargetProcessHandle,
                            LPHANDLE lpTargetHandle, DWORD, BOOL, DWORD dwOptions) {
  if (hSourceProcessHandle != kCurrentProcess || hTargetProcessHandle != kCurrentProcess) {
    return fail_with(ERROR_NOT_SUPPORTED, FALSE);
  }
  if ((dwOptions & ~(DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS)) != 0 || lpTargetHandle == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const Held<Waitable> held = pin_waitable(hSourceHandle);
  Waitable* object = hSourceHandle == kCurrentThread ? &Thread::current() : held.get();
  if (object == nullptr) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  const RawHandle copy = open_handle(Ref<Waitable>(object));
  if (copy == nullptr) {
    return FALSE;
  }
  if ((dwOptions & DUPLICATE_CLOSE_SOURCE) != 0 && held) {
    close_handle(hSourceHandle, held->kind());
  }
  *lpTargetHandle = copy;
  return TRUE;
}

BOOL WINAPI GetHandleInformation(HANDLE hObject, LPDWORD lpdwFlags) {
  if (lpdwFlags == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  if (!pin_waitable(hObject)) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  *lpdwFlags = 0;
  return TRUE;
}

BOOL WINAPI CompareObjectHandles(HANDLE hFirstObjectHandle, HANDLE hSecondObjectHandle) {
  const Held<Waitable> first = pin_waitable(hFirstObjectHandle);
  const Held<Waitable> second = pin_waitable(hSecondObjectHandle);
  if (!first || !second) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  return first.get() == second.get() ? TRUE : FALSE;
}

BOOL WINAPI GetProcessHandleCount(HANDLE hProcess, PDWORD pdwHandleCount) {
  if (hProcess != kCurrentProcess) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  if (pdwHandleCount == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  *pdwHandleCount = static_cast<DWORD>(open_handles());
  return TRUE;
}
