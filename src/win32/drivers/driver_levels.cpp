// Levels and spin locks. A level is a number of the thread (wdm.h says what for). A spin lock here sleeps where its
// holder does not let go soon: in a process, the holder may have been put to sleep himself.
#include <wdm.h>

#include "base/short_lock.h"
#include "win32/drivers/driver_levels.h"

namespace turnpike::win32 {
namespace {

thread_local KIRQL level = PASSIVE_LEVEL;

static_assert(sizeof(ShortLock) <= sizeof(KSPIN_LOCK));
ShortLock& lock_of(PKSPIN_LOCK lock) { return *reinterpret_cast<ShortLock*>(lock); }

}  // namespace

KIRQL current_level() noexcept { return level; }

KIRQL set_level(KIRQL next) noexcept {
  const KIRQL before = level;
  level = next;
  return before;
}

}  // namespace turnpike::win32

using turnpike::win32::current_level;
using turnpike::win32::lock_of;
using turnpike::win32::set_level;

KIRQL KeGetCurrentIrql(VOID) { return current_level(); }
KIRQL KfRaiseIrql(KIRQL NewIrql) { return set_level(NewIrql > current_level() ? NewIrql : current_level()); }
KIRQL KeRaiseIrqlToDpcLevel(VOID) { return KfRaiseIrql(DISPATCH_LEVEL); }
VOID KeLowerIrql(KIRQL NewIrql) {
  if (NewIrql < current_level()) {
    set_level(NewIrql);
  }
}

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    *SpinLock = 0;
  }
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) {
  const KIRQL before = KeRaiseIrqlToDpcLevel();
  KeAcquireSpinLockAtDpcLevel(SpinLock);
  return before;
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  KeReleaseSpinLockFromDpcLevel(SpinLock);
  KeLowerIrql(NewIrql);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    lock_of(SpinLock).lock();
  }
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    lock_of(SpinLock).unlock();
  }
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  return SpinLock != nullptr && lock_of(SpinLock).try_lock() ? TRUE : FALSE;
}
