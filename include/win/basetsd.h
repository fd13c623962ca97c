/* Integers of a named width, and the ones that are as wide as a pointer. */
#ifndef _BASETSD_H_
#define _BASETSD_H_

#include <stddef.h>
#include <stdint.h>

#include "turnpike_abi.h"

typedef int8_t INT8, *PINT8;
typedef int16_t INT16, *PINT16;
typedef int INT32, *PINT32;
typedef long long INT64, *PINT64;
typedef uint8_t UINT8, *PUINT8;
typedef uint16_t UINT16, *PUINT16;
typedef unsigned int UINT32, *PUINT32;
typedef unsigned long long UINT64, *PUINT64;
typedef int LONG32, *PLONG32;
typedef unsigned int ULONG32, *PULONG32;
typedef unsigned int DWORD32, *PDWORD32;
typedef long long LONG64, *PLONG64;
typedef unsigned long long ULONG64, *PULONG64;
typedef unsigned long long DWORD64, *PDWORD64;

/* `long` and not `long long`: the type of size_t and uintptr_t here, so that the two mix without a warning. */
typedef long INT_PTR, *PINT_PTR;
typedef unsigned long UINT_PTR, *PUINT_PTR;
typedef long LONG_PTR, *PLONG_PTR;
typedef unsigned long ULONG_PTR, *PULONG_PTR;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T, *PSSIZE_T;
typedef int HALF_PTR, *PHALF_PTR;
typedef unsigned int UHALF_PTR, *PUHALF_PTR;
typedef ULONG_PTR KAFFINITY, *PKAFFINITY;

#define HandleToULong(h) TP_CAST(UINT32, TP_BITS(h))
#define HandleToUlong(h) HandleToULong(h)
#define HandleToLong(h) TP_CAST(INT32, TP_BITS(h))
#define ULongToHandle(ul) TP_POINTER(void*, TP_CAST(ULONG_PTR, ul))
#define UlongToHandle(ul) ULongToHandle(ul)
#define LongToHandle(l) TP_POINTER(void*, TP_CAST(LONG_PTR, l))
#define PtrToUlong(p) TP_CAST(UINT32, TP_BITS(p))
#define PtrToUint(p) TP_CAST(UINT32, TP_BITS(p))
#define PtrToLong(p) TP_CAST(INT32, TP_BITS(p))
#define PtrToInt(p) TP_CAST(INT32, TP_BITS(p))
#define UlongToPtr(ul) ULongToHandle(ul)
#define UintToPtr(ui) ULongToHandle(ui)
#define LongToPtr(l) LongToHandle(l)
#define IntToPtr(i) LongToHandle(i)

#define MAXUINT8 UINT8_MAX
#define MAXINT8 INT8_MAX
#define MININT8 INT8_MIN
#define MAXUINT16 UINT16_MAX
#define MAXINT16 INT16_MAX
#define MAXUINT32 UINT32_MAX
#define MAXINT32 INT32_MAX
#define MININT32 INT32_MIN
#define MAXUINT64 0xFFFFFFFFFFFFFFFFull
#define MAXINT64 0x7FFFFFFFFFFFFFFFll
#define MAXULONG_PTR (~TP_CAST(ULONG_PTR, 0))
#define MAXUINT_PTR MAXULONG_PTR
#define MAXDWORD_PTR MAXULONG_PTR
#define MAXLONG_PTR TP_CAST(LONG_PTR, MAXULONG_PTR >> 1)
#define MINLONG_PTR (~MAXLONG_PTR)

#endif
