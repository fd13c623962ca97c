/* Tracing and event logging of router modules. Both end in the library's log, and so nowhere until a host opens a sink
 * (TpLogOpen... in <turnpike/log.h>): traces at level debug, events at the level of their type.
 *
 * Of what Windows keeps in the registry (which client traces, to a file, to a console, under which mask) nothing
 * exists: a host chooses by the log's level. So TRACE_USE_FILE and TRACE_USE_CONSOLE are accepted and all one. */
#ifndef __ROUTING_RTUTILS_H__
#define __ROUTING_RTUTILS_H__

#include <assert.h>
#include <stdarg.h>

#include "minwinbase.h"

/* Flags of TraceRegisterEx. */
#define TRACE_USE_FILE 0x00000001u
#define TRACE_USE_CONSOLE 0x00000002u
#define TRACE_NO_SYNCH 0x00000004u

/* Flags of the other Ex functions; the upper 16 bits are a mask with TRACE_USE_MASK. */
#define TRACE_NO_STDINFO 0x00000001u /* without the fields that name client and thread */
#define TRACE_USE_MASK 0x00000002u   /* nothing is written where no bit of the mask is set: all bits are enabled */
#define TRACE_USE_MSEC 0x00000004u   /* accepted: the log has its own time */
#define TRACE_USE_DATE 0x00000008u   /* accepted likewise */

#define INVALID_TRACEID 0xFFFFFFFFu

TP_BEGIN

/* A client of the tracing: its number, or INVALID_TRACEID with ERROR_INVALID_PARAMETER (no name, unknown flags) or
 * ERROR_NOT_ENOUGH_MEMORY (1024 clients are registered). A number is refused for ever once its client has gone. */
DWORD WINAPI TraceRegisterExA(LPCSTR lpszCallerName, DWORD dwFlags) TP_SHIM(TraceRegisterExA);
DWORD WINAPI TraceRegisterExW(LPCWSTR lpszCallerName, DWORD dwFlags) TP_SHIM(TraceRegisterExW);

/* NO_ERROR, or ERROR_INVALID_PARAMETER for a number that is none. */
DWORD WINAPI TraceDeregisterA(DWORD dwTraceID) TP_SHIM(TraceDeregisterA);
DWORD WINAPI TraceDeregisterW(DWORD dwTraceID) TP_SHIM(TraceDeregisterW);
DWORD WINAPI TraceDeregisterExA(DWORD dwTraceID, DWORD dwFlags) TP_SHIM(TraceDeregisterExA);
DWORD WINAPI TraceDeregisterExW(DWORD dwTraceID, DWORD dwFlags) TP_SHIM(TraceDeregisterExW);

/* There is no console: ERROR_NOT_SUPPORTED, or ERROR_INVALID_PARAMETER for a bad number or pointer. */
DWORD WINAPI TraceGetConsoleA(DWORD dwTraceID, LPHANDLE lphConsole) TP_SHIM(TraceGetConsoleA);
DWORD WINAPI TraceGetConsoleW(DWORD dwTraceID, LPHANDLE lphConsole) TP_SHIM(TraceGetConsoleW);

/* The characters written; 0 where nobody listens or the mask is empty; 0 and ERROR_INVALID_PARAMETER for a number that
 * is none, a null pointer or unknown flags. Formats as in <turnpike_crt.h>; a line keeps at most 4096 characters. */
DWORD __cdecl TracePrintfA(DWORD dwTraceID, LPCSTR lpszFormat, ...) TP_SHIM(TracePrintfA);
DWORD __cdecl TracePrintfW(DWORD dwTraceID, LPCWSTR lpszFormat, ...) TP_SHIM(TracePrintfW);
DWORD __cdecl TracePrintfExA(DWORD dwTraceID, DWORD dwFlags, LPCSTR lpszFormat, ...) TP_SHIM(TracePrintfExA);
DWORD __cdecl TracePrintfExW(DWORD dwTraceID, DWORD dwFlags, LPCWSTR lpszFormat, ...) TP_SHIM(TracePrintfExW);
DWORD WINAPI TraceVprintfExA(DWORD dwTraceID, DWORD dwFlags, LPCSTR lpszFormat, va_list arglist)
    TP_SHIM(TraceVprintfExA);
DWORD WINAPI TraceVprintfExW(DWORD dwTraceID, DWORD dwFlags, LPCWSTR lpszFormat, va_list arglist)
    TP_SHIM(TraceVprintfExW);
DWORD WINAPI TracePutsExA(DWORD dwTraceID, DWORD dwFlags, LPCSTR lpszString) TP_SHIM(TracePutsExA);
DWORD WINAPI TracePutsExW(DWORD dwTraceID, DWORD dwFlags, LPCWSTR lpszString) TP_SHIM(TracePutsExW);

/* Bytes in hexadecimal and as text, 16 a line, in groups of 1, 2 or 4 (numbers of this machine); before each line the
 * prefix, if there is one, and the address, if asked for. Another group size: as above for bad input. */
DWORD WINAPI TraceDumpExA(DWORD dwTraceID, DWORD dwFlags, LPBYTE lpbBytes, DWORD dwByteCount, DWORD dwGroupSize,
                          BOOL bAddressPrefix, LPCSTR lpszPrefix) TP_SHIM(TraceDumpExA);
DWORD WINAPI TraceDumpExW(DWORD dwTraceID, DWORD dwFlags, LPBYTE lpbBytes, DWORD dwByteCount, DWORD dwGroupSize,
                          BOOL bAddressPrefix, LPCWSTR lpszPrefix) TP_SHIM(TraceDumpExW);

/* ---- Events. A log handle is closed by RouterLogDeregister alone and refused afterwards. A handle that is none, a
 * null array with a count, a null pointer in it: nothing is written, ERROR_INVALID_HANDLE or ERROR_INVALID_PARAMETER. A
 * record has the fields source, event (the message id), text, text2 ... text16 (the strings), and where there is an
 * error its number and name. */
HANDLE RouterLogRegisterA(LPCSTR lpszSource) TP_SHIM(RouterLogRegisterA); /* null on failure */
HANDLE RouterLogRegisterW(LPCWSTR lpszSource) TP_SHIM(RouterLogRegisterW);
VOID RouterLogDeregisterA(HANDLE hLogHandle) TP_SHIM(RouterLogDeregisterA);
VOID RouterLogDeregisterW(HANDLE hLogHandle) TP_SHIM(RouterLogDeregisterW);

VOID RouterLogEventA(HANDLE hLogHandle, DWORD dwEventType, DWORD dwMessageId, DWORD dwSubStringCount,
                     LPSTR* plpszSubStringArray, DWORD dwErrorCode) TP_SHIM(RouterLogEventA);
VOID RouterLogEventW(HANDLE hLogHandle, DWORD dwEventType, DWORD dwMessageId, DWORD dwSubStringCount,
                     LPWSTR* plpszSubStringArray, DWORD dwErrorCode) TP_SHIM(RouterLogEventW);

/* The data, up to 256 bytes of it, become a field in hexadecimal. */
VOID RouterLogEventDataA(HANDLE hLogHandle, DWORD dwEventType, DWORD dwMessageId, DWORD dwSubStringCount,
                         LPSTR* plpszSubStringArray, DWORD dwDataBytes, LPBYTE lpDataBytes)
    TP_SHIM(RouterLogEventDataA);
VOID RouterLogEventDataW(HANDLE hLogHandle, DWORD dwEventType, DWORD dwMessageId, DWORD dwSubStringCount,
                         LPWSTR* plpszSubStringArray, DWORD dwDataBytes, LPBYTE lpDataBytes)
    TP_SHIM(RouterLogEventDataW);

/* The error's text becomes the string at dwErrorIndex, which may be the one behind the last. */
VOID RouterLogEventStringA(HANDLE hLogHandle, DWORD dwEventType, DWORD dwMessageId, DWORD dwSubStringCount,
                           LPSTR* plpszSubStringArray, DWORD dwErrorCode, DWORD dwErrorIndex)
    TP_SHIM(RouterLogEventStringA);
VOID RouterLogEventStringW(HANDLE hLogHandle, DWORD dwEventType, DWORD dwMessageId, DWORD dwSubStringCount,
                           LPWSTR* plpszSubStringArray, DWORD dwErrorCode, DWORD dwErrorIndex)
    TP_SHIM(RouterLogEventStringW);

/* Each conversion of the format makes one string; what stands between them is not looked at. Beside those of
 * <turnpike_crt.h> there is %I without a number behind it: an IPv4 address in network byte order. */
VOID __cdecl RouterLogEventExA(HANDLE hLogHandle, DWORD dwEventType, DWORD dwErrorCode, DWORD dwMessageId,
                               LPCSTR ptszFormat, ...) TP_SHIM(RouterLogEventExA);
VOID __cdecl RouterLogEventExW(HANDLE hLogHandle, DWORD dwEventType, DWORD dwErrorCode, DWORD dwMessageId,
                               LPCWSTR ptszFormat, ...) TP_SHIM(RouterLogEventExW);
VOID RouterLogEventValistExA(HANDLE hLogHandle, DWORD dwEventType, DWORD dwErrorCode, DWORD dwMessageId,
                             LPCSTR ptszFormat, va_list arglist) TP_SHIM(RouterLogEventValistExA);
VOID RouterLogEventValistExW(HANDLE hLogHandle, DWORD dwEventType, DWORD dwErrorCode, DWORD dwMessageId,
                             LPCWSTR ptszFormat, va_list arglist) TP_SHIM(RouterLogEventValistExW);

/* The same without a handle: the source is "router". */
VOID WINAPI LogErrorA(DWORD dwMessageId, DWORD cNumberOfSubStrings, LPSTR* plpwsSubStrings, DWORD dwErrorCode)
    TP_SHIM(LogErrorA);
VOID WINAPI LogErrorW(DWORD dwMessageId, DWORD cNumberOfSubStrings, LPWSTR* plpwsSubStrings, DWORD dwErrorCode)
    TP_SHIM(LogErrorW);
VOID WINAPI LogEventA(DWORD wEventType, DWORD dwMessageId, DWORD cNumberOfSubStrings, LPSTR* plpwsSubStrings)
    TP_SHIM(LogEventA);
VOID WINAPI LogEventW(DWORD wEventType, DWORD dwMessageId, DWORD cNumberOfSubStrings, LPWSTR* plpwsSubStrings)
    TP_SHIM(LogEventW);

/* The text of a code of the router or of the system, to be freed by LocalFree. ERROR_INVALID_PARAMETER for a null
 * pointer, ERROR_MR_MID_NOT_FOUND for an unknown code, ERROR_NOT_ENOUGH_MEMORY. */
DWORD RouterGetErrorStringA(DWORD dwErrorCode, LPSTR* lplpszErrorString) TP_SHIM(RouterGetErrorStringA);
DWORD RouterGetErrorStringW(DWORD dwErrorCode, LPWSTR* lplpwszErrorString) TP_SHIM(RouterGetErrorStringW);

/* ---- Work: BindIoCompletionCallback and QueueUserWorkItem under the names that routers have had for longer. The
 * function runs on the thread pool; in the worker that waits alertably and never ends, if serviceinalertablethread. An
 * error, not FALSE: ERROR_INVALID_PARAMETER for a null function, ERROR_INVALID_HANDLE for what is no socket,
 * ERROR_NOT_ENOUGH_MEMORY. */
typedef VOID(WINAPI* WORKERFUNCTION)(PVOID);
DWORD WINAPI QueueWorkItem(WORKERFUNCTION functionptr, PVOID context, BOOL serviceinalertablethread)
    TP_SHIM(QueueWorkItem);
DWORD WINAPI SetIoCompletionProc(HANDLE FileHandle, LPOVERLAPPED_COMPLETION_ROUTINE CompletionProc)
    TP_SHIM(SetIoCompletionProc);

TP_END

#define TraceRegisterA(name) TraceRegisterExA(name, 0)
#define TraceRegisterW(name) TraceRegisterExW(name, 0)
#define TraceVprintfA(id, format, arguments) TraceVprintfExA(id, 0, format, arguments)
#define TraceVprintfW(id, format, arguments) TraceVprintfExW(id, 0, format, arguments)
#define TracePutsA(id, text) TracePutsExA(id, 0, text)
#define TracePutsW(id, text) TracePutsExW(id, 0, text)
#define TraceDumpA(id, bytes, count, group, addresses, prefix) \
  TraceDumpExA(id, 0, bytes, count, group, addresses, prefix)
#define TraceDumpW(id, bytes, count, group, addresses, prefix) \
  TraceDumpExW(id, 0, bytes, count, group, addresses, prefix)

#define RouterLogErrorA(log, id, count, array, error) RouterLogEventA(log, EVENTLOG_ERROR_TYPE, id, count, array, error)
#define RouterLogErrorW(log, id, count, array, error) RouterLogEventW(log, EVENTLOG_ERROR_TYPE, id, count, array, error)
#define RouterLogWarningA(log, id, count, array, error) \
  RouterLogEventA(log, EVENTLOG_WARNING_TYPE, id, count, array, error)
#define RouterLogWarningW(log, id, count, array, error) \
  RouterLogEventW(log, EVENTLOG_WARNING_TYPE, id, count, array, error)
#define RouterLogInformationA(log, id, count, array, error) \
  RouterLogEventA(log, EVENTLOG_INFORMATION_TYPE, id, count, array, error)
#define RouterLogInformationW(log, id, count, array, error) \
  RouterLogEventW(log, EVENTLOG_INFORMATION_TYPE, id, count, array, error)

#define RouterLogErrorDataA(log, id, count, array, size, data) \
  RouterLogEventDataA(log, EVENTLOG_ERROR_TYPE, id, count, array, size, data)
#define RouterLogErrorDataW(log, id, count, array, size, data) \
  RouterLogEventDataW(log, EVENTLOG_ERROR_TYPE, id, count, array, size, data)
#define RouterLogWarningDataA(log, id, count, array, size, data) \
  RouterLogEventDataA(log, EVENTLOG_WARNING_TYPE, id, count, array, size, data)
#define RouterLogWarningDataW(log, id, count, array, size, data) \
  RouterLogEventDataW(log, EVENTLOG_WARNING_TYPE, id, count, array, size, data)
#define RouterLogInformationDataA(log, id, count, array, size, data) \
  RouterLogEventDataA(log, EVENTLOG_INFORMATION_TYPE, id, count, array, size, data)
#define RouterLogInformationDataW(log, id, count, array, size, data) \
  RouterLogEventDataW(log, EVENTLOG_INFORMATION_TYPE, id, count, array, size, data)

#define RouterLogErrorStringA(log, id, count, array, error, index) \
  RouterLogEventStringA(log, EVENTLOG_ERROR_TYPE, id, count, array, error, index)
#define RouterLogErrorStringW(log, id, count, array, error, index) \
  RouterLogEventStringW(log, EVENTLOG_ERROR_TYPE, id, count, array, error, index)
#define RouterLogWarningStringA(log, id, count, array, error, index) \
  RouterLogEventStringA(log, EVENTLOG_WARNING_TYPE, id, count, array, error, index)
#define RouterLogWarningStringW(log, id, count, array, error, index) \
  RouterLogEventStringW(log, EVENTLOG_WARNING_TYPE, id, count, array, error, index)
#define RouterLogInformationStringA(log, id, count, array, error, index) \
  RouterLogEventStringA(log, EVENTLOG_INFORMATION_TYPE, id, count, array, error, index)
#define RouterLogInformationStringW(log, id, count, array, error, index) \
  RouterLogEventStringW(log, EVENTLOG_INFORMATION_TYPE, id, count, array, error, index)

#define TraceRegister TP_AW(TraceRegister)
#define TraceRegisterEx TP_AW(TraceRegisterEx)
#define TraceDeregister TP_AW(TraceDeregister)
#define TraceDeregisterEx TP_AW(TraceDeregisterEx)
#define TraceGetConsole TP_AW(TraceGetConsole)
#define TracePrintf TP_AW(TracePrintf)
#define TracePrintfEx TP_AW(TracePrintfEx)
#define TraceVprintf TP_AW(TraceVprintf)
#define TraceVprintfEx TP_AW(TraceVprintfEx)
#define TracePuts TP_AW(TracePuts)
#define TracePutsEx TP_AW(TracePutsEx)
#define TraceDump TP_AW(TraceDump)
#define TraceDumpEx TP_AW(TraceDumpEx)

#define LogError TP_AW(LogError)
#define LogEvent TP_AW(LogEvent)
#define RouterLogRegister TP_AW(RouterLogRegister)
#define RouterLogDeregister TP_AW(RouterLogDeregister)
#define RouterLogEvent TP_AW(RouterLogEvent)
#define RouterLogEventData TP_AW(RouterLogEventData)
#define RouterLogEventString TP_AW(RouterLogEventString)
#define RouterLogEventEx TP_AW(RouterLogEventEx)
#define RouterLogEventValistEx TP_AW(RouterLogEventValistEx)
#define RouterLogError TP_AW(RouterLogError)
#define RouterLogWarning TP_AW(RouterLogWarning)
#define RouterLogInformation TP_AW(RouterLogInformation)
#define RouterLogErrorData TP_AW(RouterLogErrorData)
#define RouterLogWarningData TP_AW(RouterLogWarningData)
#define RouterLogInformationData TP_AW(RouterLogInformationData)
#define RouterLogErrorString TP_AW(RouterLogErrorString)
#define RouterLogWarningString TP_AW(RouterLogWarningString)
#define RouterLogInformationString TP_AW(RouterLogInformationString)
#define RouterGetErrorString TP_AW(RouterGetErrorString)

/* Checked in a build with DBG, as on Windows; assert() then. */
#if defined(DBG) && DBG
#define RTASSERT(expression) assert(expression)
#define RTASSERTMSG(message, expression) assert((expression) && (message))
#else
#define RTASSERT(expression) ((void)0)
#define RTASSERTMSG(message, expression) ((void)0)
#endif

#endif
