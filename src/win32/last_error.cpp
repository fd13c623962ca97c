#include "win32/last_error.h"

#include <errhandlingapi.h>

#include <atomic>

namespace turnpike::win32 {
namespace {

constinit thread_local std::uint32_t this_threads_error __attribute__((tls_model("initial-exec"))) = 0;
std::atomic<UINT> error_mode{0};

}  // namespace

std::uint32_t last_error() { return this_threads_error; }
void set_last_error(std::uint32_t code) { this_threads_error = code; }

}  // namespace turnpike::win32

using turnpike::win32::error_mode;

DWORD WINAPI GetLastError(VOID) { return turnpike::win32::last_error(); }
VOID WINAPI SetLastError(DWORD dwErrCode) { turnpike::win32::set_last_error(dwErrCode); }
UINT WINAPI SetErrorMode(UINT uMode) { return error_mode.exchange(uMode); }
