/* Pages of address space. */
#ifndef _MEMORYAPI_H_
#define _MEMORYAPI_H_

#include "minwinbase.h"

// clang-format off: a table
#define PAGE_NOACCESS 0x01u
#define PAGE_READONLY 0x02u
#define PAGE_READWRITE 0x04u
#define PAGE_WRITECOPY 0x08u
#define PAGE_EXECUTE 0x10u
#define PAGE_EXECUTE_READ 0x20u
#define PAGE_EXECUTE_READWRITE 0x40u
#define PAGE_GUARD 0x100u   /* this and the next two are not to be had: ERROR_INVALID_PARAMETER */
#define PAGE_NOCACHE 0x200u
#define PAGE_WRITECOMBINE 0x400u

#define MEM_COMMIT 0x00001000u
#define MEM_RESERVE 0x00002000u
#define MEM_DECOMMIT 0x00004000u
#define MEM_RELEASE 0x00008000u
#define MEM_TOP_DOWN 0x00100000u /* accepted */
// clang-format on

TP_BEGIN

/* Reserves a region (its address a multiple of 64 KiB, chosen freely where lpAddress is null), commits pages of one, or
 * both; MEM_COMMIT for null does both. Null on failure: ERROR_INVALID_PARAMETER for a size of 0, an unknown type or
 * protection; ERROR_INVALID_ADDRESS for an address that is taken, or to commit outside of a region;
 * ERROR_NOT_ENOUGH_MEMORY. */
LPVOID WINAPI VirtualAlloc(LPVOID lpAddress, SIZE_T dwSize, DWORD flAllocationType, DWORD flProtect)
    TP_SHIM(VirtualAlloc);

/* MEM_RELEASE wants the address that VirtualAlloc returned and a size of 0; MEM_DECOMMIT pages of one region, or with a
 * size of 0 all of them. FALSE and ERROR_INVALID_ADDRESS or ERROR_INVALID_PARAMETER else. */
BOOL WINAPI VirtualFree(LPVOID lpAddress, SIZE_T dwSize, DWORD dwFreeType) TP_SHIM(VirtualFree);

TP_END

#endif
