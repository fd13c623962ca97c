// RaiseException: there are no handlers to be found, so it is the end.
#include <errhandlingapi.h>

#include <cstdlib>

#include "base/log.h"

VOID WINAPI RaiseException(DWORD dwExceptionCode, DWORD, DWORD, const ULONG_PTR*) {
  using turnpike::LogLevel;
  TURNPIKE_LOG(LogLevel::kError, "win32", "exception raised, and nobody can handle it", {"code", dwExceptionCode});
  std::abort();
}
