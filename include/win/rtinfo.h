/* The information header: a table of contents with blocks behind it, in which configuration travels.
 * Every integer has 32 bits in host order; blocks begin on 8-byte boundaries from the start of the header. */
#ifndef __ROUTING_RTINFO_H__
#define __ROUTING_RTINFO_H__

#include "windef.h"

TP_BEGIN

#define ALIGN_SIZE 0x00000008
#define ALIGN_SHIFT (ALIGN_SIZE - 0x00000001)
#define ALIGN_MASK_POINTER (~TP_CAST(UINT_PTR, ALIGN_SHIFT))
#define ALIGN_MASK_LENGTH (~TP_CAST(DWORD, ALIGN_SHIFT))
#define ALIGN_MASK ALIGN_MASK_LENGTH

#define ALIGN_POINTER(ptr) ((void)((ptr) = TP_POINTER(PVOID, (TP_BITS(ptr) + ALIGN_SHIFT) & ALIGN_MASK_POINTER)))
#define ALIGN_LENGTH(length) ((void)((length) = (TP_CAST(DWORD, length) + ALIGN_SHIFT) & ALIGN_MASK_LENGTH))
#define IS_ALIGNED(ptr) ((TP_BITS(ptr) & ALIGN_SHIFT) == 0)

typedef struct _RTR_TOC_ENTRY {
  ULONG InfoType;
  ULONG InfoSize; /* bytes of one item */
  ULONG Count;
  ULONG Offset; /* from the start of the header */
} RTR_TOC_ENTRY, *PRTR_TOC_ENTRY;

#define RTR_INFO_BLOCK_VERSION 1

typedef struct _RTR_INFO_BLOCK_HEADER {
  ULONG Version;
  ULONG Size; /* bytes of header, table of contents and blocks */
  ULONG TocEntriesCount;
  RTR_TOC_ENTRY TocEntry[1];
} RTR_INFO_BLOCK_HEADER, *PRTR_INFO_BLOCK_HEADER;

/* The first item of a block, or NULL for an entry that points outside. */
static __inline PVOID tp_rtinfo_block(PRTR_INFO_BLOCK_HEADER header, const RTR_TOC_ENTRY* entry) {
  return entry->Offset < header->Size ? TP_POINTER(PVOID, TP_BITS(header) + entry->Offset) : NULL;
}
#define GetInfoFromTocEntry(hdr, toc) tp_rtinfo_block((hdr), (toc))

TP_END

#endif
