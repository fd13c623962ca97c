/* Words to a debugger, who here is whoever reads the library's log. */
#ifndef _APISETDEBUG_
#define _APISETDEBUG_

#include "minwinbase.h"

TP_BEGIN

/* A line in the log, at level debug. Null: nothing. */
VOID WINAPI OutputDebugStringA(LPCSTR lpOutputString) TP_SHIM(OutputDebugStringA);
VOID WINAPI OutputDebugStringW(LPCWSTR lpOutputString) TP_SHIM(OutputDebugStringW);

/* Whether somebody traces this process. */
BOOL WINAPI IsDebuggerPresent(VOID) TP_SHIM(IsDebuggerPresent);

/* SIGTRAP: stops in a debugger, ends the process without one. */
VOID WINAPI DebugBreak(VOID) TP_SHIM(DebugBreak);

TP_END

#define OutputDebugString TP_AW(OutputDebugString)

#endif
