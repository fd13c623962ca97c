/* A time in units of 100 ns and the same as a date, both in UTC. FALSE and ERROR_INVALID_PARAMETER: a null pointer, a
 * FILETIME with its highest bit set, a date that is none (the day of the week is not looked at) or before 1601. */
#ifndef _TIMEZONEAPI_H_
#define _TIMEZONEAPI_H_

#include "minwinbase.h"

TP_BEGIN

BOOL WINAPI FileTimeToSystemTime(const FILETIME* lpFileTime, LPSYSTEMTIME lpSystemTime) TP_SHIM(FileTimeToSystemTime);
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME* lpSystemTime, LPFILETIME lpFileTime) TP_SHIM(SystemTimeToFileTime);

TP_END

#endif
