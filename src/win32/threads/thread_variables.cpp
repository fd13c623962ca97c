// TlsAlloc and its kin. A value lies in its thread's record; an index that is given out again begins a new life, by
// which each thread recognises an old value, so freeing one needs no walk over the threads.
#include <processthreadsapi.h>

#include <array>
#include <mutex>

#include "win32/last_error.h"
#include "win32/threads/thread.h"

namespace turnpike::win32 {
namespace {

constexpr std::uint32_t kIndices = 1088;  // as many as Windows has

// Even: free. Odd: in use.
std::array<std::atomic<std::uint32_t>, kIndices> lives;

// The life of an index in use; 0 for one that is free or out of range.
std::uint32_t life_of(DWORD index) {
  const std::uint32_t life = index < kIndices ? lives[index].load(std::memory_order_acquire) : 0;
  return life % 2 == 1 ? life : 0;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::kIndices;
using turnpike::win32::life_of;
using turnpike::win32::lives;
using turnpike::win32::set_last_error;
using turnpike::win32::Thread;
using turnpike::win32::unless_memory_is_out;

DWORD WINAPI TlsAlloc(VOID) {
  for (DWORD index = 0; index < kIndices; ++index) {
    std::uint32_t life = lives[index].load(std::memory_order_relaxed);
    if (life % 2 == 0 && lives[index].compare_exchange_strong(life, life + 1, std::memory_order_acq_rel)) {
      return index;
    }
  }
  return fail_with(ERROR_NO_SYSTEM_RESOURCES, TLS_OUT_OF_INDEXES);
}

LPVOID WINAPI TlsGetValue(DWORD dwTlsIndex) {
  const std::uint32_t life = life_of(dwTlsIndex);
  if (life == 0) {
    return fail_with(ERROR_INVALID_PARAMETER, LPVOID{nullptr});
  }
  set_last_error(ERROR_SUCCESS);  // null may be the value: this is how the caller tells
  return Thread::current().variable(dwTlsIndex, life);
}

BOOL WINAPI TlsSetValue(DWORD dwTlsIndex, LPVOID lpTlsValue) {
  const std::uint32_t life = life_of(dwTlsIndex);
  if (life == 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  return unless_memory_is_out(FALSE, [=] {
    Thread::current().set_variable(dwTlsIndex, life, lpTlsValue);
    return TRUE;
  });
}

BOOL WINAPI TlsFree(DWORD dwTlsIndex) {
  std::uint32_t life = life_of(dwTlsIndex);
  if (life == 0 || !lives[dwTlsIndex].compare_exchange_strong(life, life + 1, std::memory_order_acq_rel)) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  return TRUE;
}
