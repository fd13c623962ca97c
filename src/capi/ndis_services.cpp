// The services of ndis.h that need neither a protocol nor a pool: what the driver tier of the base shim has under
// another name, and a few facts about the host.
#include <ndis.h>
#include <sched.h>

#include <algorithm>
#include <cstdarg>
#include <string>

#include "base/log.h"

using turnpike::LogLevel;

VOID NdisWriteErrorLogEntry(NDIS_HANDLE, NDIS_ERROR_CODE ErrorCode, ULONG NumberOfErrorValues, ...) {
  constexpr ULONG kMost = 32;  // an entry has no room for more
  std::string values;
  std::va_list arguments;
  va_start(arguments, NumberOfErrorValues);
  for (ULONG at = 0; at < std::min(NumberOfErrorValues, kMost); ++at) {
    values += (at == 0 ? "" : " ") + std::to_string(va_arg(arguments, ULONG));
  }
  va_end(arguments);
  TURNPIKE_LOG(LogLevel::kError, "ndis", "a driver reports an error", {"code", ErrorCode}, {"values", values});
}

// There is one group.
PROCESSOR_NUMBER NdisCurrentGroupAndProcessor(VOID) {
  const int cpu = ::sched_getcpu();
  return {0, static_cast<UCHAR>(std::clamp(cpu, 0, 255)), 0};
}
