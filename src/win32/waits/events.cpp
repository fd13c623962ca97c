#include <synchapi.h>

#include <mutex>

#include "win32/last_error.h"
#include "win32/waits/event.h"
#include "win32/waits/handles.h"
#include "win32/waits/names.h"

namespace turnpike::win32 {

bool Event::take(Thread&) {
  signalled_ = manual_;
  return false;
}

void Event::set() {
  update([this] { return signalled_ = true; });
}

void Event::reset() {
  update([this] { return signalled_ = false; });
}

// Releases who waits at this moment, all or one, and is not signalled afterwards.
void Event::pulse() {
  update([this] { return signalled_ = true; }, [this] { signalled_ = false; });
}

namespace {

HANDLE create_event(const ObjectName& name, DWORD flags) {
  if ((flags & ~(CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET)) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  }
  return create_named(name, Kind::kEvent, [flags] {
    return Ref<Object>(
        make_object<Event>((flags & CREATE_EVENT_MANUAL_RESET) != 0, (flags & CREATE_EVENT_INITIAL_SET) != 0));
  });
}

DWORD flags_of(BOOL manual_reset, BOOL initially_set) {
  return (manual_reset != FALSE ? CREATE_EVENT_MANUAL_RESET : 0) |
         (initially_set != FALSE ? CREATE_EVENT_INITIAL_SET : 0);
}

BOOL with_event(HANDLE handle, void (Event::*what)()) {
  const Held<Event> event = pin<Event>(handle);
  if (!event) {
    return fail_with(ERROR_INVALID_HANDLE, FALSE);
  }
  ((*event).*what)();
  return TRUE;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::create_event;
using turnpike::win32::Event;
using turnpike::win32::flags_of;
using turnpike::win32::Kind;
using turnpike::win32::ObjectName;
using turnpike::win32::open_named;
using turnpike::win32::with_event;

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES, BOOL bManualReset, BOOL bInitialState, LPCSTR lpName) {
  return create_event(ObjectName::from(lpName), flags_of(bManualReset, bInitialState));
}

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES, BOOL bManualReset, BOOL bInitialState, LPCWSTR lpName) {
  return create_event(ObjectName::from(lpName), flags_of(bManualReset, bInitialState));
}

HANDLE WINAPI CreateEventExA(LPSECURITY_ATTRIBUTES, LPCSTR lpName, DWORD dwFlags, DWORD) {
  return create_event(ObjectName::from(lpName), dwFlags);
}

HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES, LPCWSTR lpName, DWORD dwFlags, DWORD) {
  return create_event(ObjectName::from(lpName), dwFlags);
}

HANDLE WINAPI OpenEventA(DWORD, BOOL, LPCSTR lpName) { return open_named(ObjectName::from(lpName), Kind::kEvent); }
HANDLE WINAPI OpenEventW(DWORD, BOOL, LPCWSTR lpName) { return open_named(ObjectName::from(lpName), Kind::kEvent); }

BOOL WINAPI SetEvent(HANDLE hEvent) { return with_event(hEvent, &Event::set); }
BOOL WINAPI ResetEvent(HANDLE hEvent) { return with_event(hEvent, &Event::reset); }
BOOL WINAPI PulseEvent(HANDLE hEvent) { return with_event(hEvent, &Event::pulse); }
