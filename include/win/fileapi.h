/* Of the functions around files, those that are about time. */
#ifndef _FILEAPI_H_
#define _FILEAPI_H_

#include "minwinbase.h"

TP_BEGIN

/* -1, 0 or 1; 0 and ERROR_INVALID_PARAMETER for a null pointer. */
LONG WINAPI CompareFileTime(const FILETIME* lpFileTime1, const FILETIME* lpFileTime2) TP_SHIM(CompareFileTime);

/* With the offset from UTC that is in force now, not then; so it is documented. FALSE and ERROR_INVALID_PARAMETER for a
 * null pointer or a result that no FILETIME can hold. */
BOOL WINAPI FileTimeToLocalFileTime(const FILETIME* lpFileTime, LPFILETIME lpLocalFileTime)
    TP_SHIM(FileTimeToLocalFileTime);
BOOL WINAPI LocalFileTimeToFileTime(const FILETIME* lpLocalFileTime, LPFILETIME lpFileTime)
    TP_SHIM(LocalFileTimeToFileTime);

TP_END

#endif
