// Critical sections: a word that says free, held, or held and wanted; who owns it; how often.
//
// The documented structure has room for all of that, so a section owns nothing elsewhere: deleting one is clearing it,
// and one that was only zeroed works like an initialised one. Leaving a section that another thread owns changes
// nothing; on Windows it would corrupt it.
#include <synchapi.h>

#include <algorithm>

#include "base/futex.h"
#include "win32/last_error.h"
#include "win32/threads/thread.h"
#include "win32/waits/client_word.h"

namespace turnpike::win32 {
namespace {

constexpr std::uint32_t kFree = 0, kHeld = 1, kHeldAndWanted = 2;
constexpr ULONG_PTR kMostSpins = 4000;  // some microseconds: beyond that sleeping is cheaper than waiting

Word& word_of(LPCRITICAL_SECTION section) { return word_at(&section->LockCount); }

HANDLE my_id() { return ULongToHandle(Thread::current().id()); }

bool is_mine(LPCRITICAL_SECTION section) {
  // Another thread may write its own id meanwhile, never mine.
  return std::atomic_ref(section->OwningThread).load(std::memory_order_relaxed) == my_id();
}

bool take_if_free(LPCRITICAL_SECTION section) {
  std::uint32_t state = kFree;
  return word_of(section).compare_exchange_strong(state, kHeld, std::memory_order_acquire, std::memory_order_relaxed);
}

bool spin_for(LPCRITICAL_SECTION section) {
  for (ULONG_PTR spin = std::min(section->SpinCount, kMostSpins); spin != 0; --spin) {
    if (word_of(section).load(std::memory_order_relaxed) == kFree && take_if_free(section)) {
      return true;
    }
  }
  return false;
}

void own(LPCRITICAL_SECTION section) {
  std::atomic_ref(section->OwningThread).store(my_id(), std::memory_order_relaxed);
  section->RecursionCount = 1;
}

void initialize(LPCRITICAL_SECTION section, DWORD spins) {
  *section = {};
  section->SpinCount = spins & 0x00FFFFFF;  // the upper byte once had a meaning
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::futex_wait;
using turnpike::futex_wake_one;
using turnpike::win32::fail_with;
using turnpike::win32::initialize;
using turnpike::win32::is_mine;
using turnpike::win32::is_null;
using turnpike::win32::kFree;
using turnpike::win32::kHeldAndWanted;
using turnpike::win32::own;
using turnpike::win32::spin_for;
using turnpike::win32::take_if_free;
using turnpike::win32::word_of;

VOID WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpCriticalSection) {
  InitializeCriticalSectionEx(lpCriticalSection, 0, 0);
}

BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount) {
  return InitializeCriticalSectionEx(lpCriticalSection, dwSpinCount, 0);
}

BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount, DWORD Flags) {
  if (lpCriticalSection == nullptr || (Flags & ~CRITICAL_SECTION_NO_DEBUG_INFO) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  initialize(lpCriticalSection, dwSpinCount);
  return TRUE;
}

DWORD WINAPI SetCriticalSectionSpinCount(LPCRITICAL_SECTION lpCriticalSection, DWORD dwSpinCount) {
  if (is_null(lpCriticalSection)) {
    return 0;
  }
  const auto before = static_cast<DWORD>(lpCriticalSection->SpinCount);
  lpCriticalSection->SpinCount = dwSpinCount;
  return before;
}

VOID WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection) {
  if (is_null(lpCriticalSection)) {
    return;
  }
  if (!take_if_free(lpCriticalSection)) {
    if (is_mine(lpCriticalSection)) {
      ++lpCriticalSection->RecursionCount;
      return;
    }
    if (!spin_for(lpCriticalSection)) {
      while (word_of(lpCriticalSection).exchange(kHeldAndWanted, std::memory_order_acquire) != kFree) {
        futex_wait(word_of(lpCriticalSection), kHeldAndWanted);
      }
    }
  }
  own(lpCriticalSection);
}

BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpCriticalSection) {
  if (is_null(lpCriticalSection)) {
    return FALSE;
  }
  if (take_if_free(lpCriticalSection)) {
    own(lpCriticalSection);
    return TRUE;
  }
  if (is_mine(lpCriticalSection)) {
    ++lpCriticalSection->RecursionCount;
    return TRUE;
  }
  return FALSE;
}

VOID WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpCriticalSection) {
  if (is_null(lpCriticalSection) || !is_mine(lpCriticalSection) || --lpCriticalSection->RecursionCount != 0) {
    return;
  }
  std::atomic_ref(lpCriticalSection->OwningThread).store(nullptr, std::memory_order_relaxed);
  if (word_of(lpCriticalSection).exchange(kFree, std::memory_order_release) == kHeldAndWanted) {
    futex_wake_one(word_of(lpCriticalSection));
  }
}

VOID WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpCriticalSection) {
  if (lpCriticalSection != nullptr) {
    *lpCriticalSection = {};
  }
}
