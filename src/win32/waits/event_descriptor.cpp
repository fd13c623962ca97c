#include <cerrno>

#include "turnpike/event.h"
#include "win32/waits/handles.h"
#include "win32/waits/waitable.h"

using turnpike::win32::Held;
using turnpike::win32::Kind;
using turnpike::win32::pin_waitable;
using turnpike::win32::Waitable;

int TpEventDescriptor(void* handle) noexcept {
  const Held<Waitable> object = pin_waitable(handle);
  if (!object || object->kind() == Kind::kMutex) {
    errno = object ? EINVAL : EBADF;
    return -1;
  }
  return object->descriptor();
}
