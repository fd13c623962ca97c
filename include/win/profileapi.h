/* A counter of high resolution: 10,000,000 a second, by the clock that waits and timers run on. */
#ifndef _PROFILE_H_
#define _PROFILE_H_

#include "minwinbase.h"

TP_BEGIN

/* FALSE and ERROR_INVALID_PARAMETER for a null pointer. */
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER* lpPerformanceCount) TP_SHIM(QueryPerformanceCounter);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER* lpFrequency) TP_SHIM(QueryPerformanceFrequency);

TP_END

#endif
