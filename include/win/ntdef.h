/* The few types that driver-style headers expect besides <windef.h>: counted strings and the test of an NTSTATUS. */
#ifndef _NTDEF_
#define _NTDEF_

#include "windef.h"

typedef struct _STRING {
  USHORT Length; /* bytes, without an ending NUL */
  USHORT MaximumLength;
  PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING, OEM_STRING, *POEM_STRING;

typedef struct _UNICODE_STRING {
  USHORT Length; /* bytes, not characters, without an ending NUL */
  USHORT MaximumLength;
  PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING* PCUNICODE_STRING;

#define NT_SUCCESS(status) (TP_CAST(NTSTATUS, status) >= 0)
#define NT_INFORMATION(status) ((TP_CAST(DWORD, status) >> 30) == 1)
#define NT_WARNING(status) ((TP_CAST(DWORD, status) >> 30) == 2)
#define NT_ERROR(status) ((TP_CAST(DWORD, status) >> 30) == 3)

#endif
