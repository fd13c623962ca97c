// What a KEVENT, KMUTEX or KTIMER holds: the first bytes are a DISPATCHER_HEADER, its Type one of these.
#pragma once

#include <wdm.h>

#include <atomic>
#include <cstdint>

namespace turnpike::win32 {

enum class DispatcherType : UCHAR {
  kNotificationEvent = 0,
  kSynchronizationEvent = 1,
  kMutex = 2,
  kNotificationTimer = 8,
  kSynchronizationTimer = 9,
};

// Makes the object signalled (1) or not (0), wakes who waits for it, and says what it was before.
LONG set_signal(DISPATCHER_HEADER& header, LONG state) noexcept;
void initialise(DISPATCHER_HEADER& header, DispatcherType type, LONG state) noexcept;

}  // namespace turnpike::win32
