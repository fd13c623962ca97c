/* The table of interfaces, MIB-II style. */
#ifndef _IFMIB_
#define _IFMIB_

#include "ipifcons.h"
#include "rtinfo.h"
#include "windef.h"

#ifndef ANY_SIZE
#define ANY_SIZE 1
#endif
#ifndef MAX_INTERFACE_NAME_LEN
#define MAX_INTERFACE_NAME_LEN 256
#endif
#define MAXLEN_PHYSADDR 8
#define MAXLEN_IFDESCR 256

typedef struct _MIB_IFNUMBER {
  DWORD dwValue;
} MIB_IFNUMBER, *PMIB_IFNUMBER;

typedef struct _MIB_IFROW {
  WCHAR wszName[MAX_INTERFACE_NAME_LEN];
  DWORD dwIndex;
  DWORD dwType;
  DWORD dwMtu;
  DWORD dwSpeed;
  DWORD dwPhysAddrLen;
  BYTE bPhysAddr[MAXLEN_PHYSADDR];
  DWORD dwAdminStatus;
  DWORD dwOperStatus;
  DWORD dwLastChange;
  DWORD dwInOctets;
  DWORD dwInUcastPkts;
  DWORD dwInNUcastPkts;
  DWORD dwInDiscards;
  DWORD dwInErrors;
  DWORD dwInUnknownProtos;
  DWORD dwOutOctets;
  DWORD dwOutUcastPkts;
  DWORD dwOutNUcastPkts;
  DWORD dwOutDiscards;
  DWORD dwOutErrors;
  DWORD dwOutQLen;
  DWORD dwDescrLen;
  BYTE bDescr[MAXLEN_IFDESCR];
} MIB_IFROW, *PMIB_IFROW;

typedef struct _MIB_IFTABLE {
  DWORD dwNumEntries;
  MIB_IFROW table[ANY_SIZE];
} MIB_IFTABLE, *PMIB_IFTABLE;

/* A table of `rows` rows of type `row`, as every SIZEOF_ macro of these headers counts it: with room to align it. */
#define TP_SIZEOF_TABLE(type, row, rows) (__builtin_offsetof(type, table) + (rows) * sizeof(row) + ALIGN_SIZE)

#define SIZEOF_IFTABLE(X) TP_SIZEOF_TABLE(MIB_IFTABLE, MIB_IFROW, X)

#endif
