/* GUID, its comparison, and DEFINE_GUID: a declaration, or with INITGUID (see <initguid.h>) the definition. */
#ifndef _GUIDDEF_H_
#define _GUIDDEF_H_

#include <string.h>

#include "turnpike_abi.h"

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
  unsigned int Data1;
  unsigned short Data2;
  unsigned short Data3;
  unsigned char Data4[8];
} GUID;
#endif

typedef GUID* LPGUID;
typedef const GUID* LPCGUID;
typedef GUID UUID, IID, CLSID, FMTID;
typedef IID* LPIID;
typedef CLSID* LPCLSID;

#ifdef __cplusplus
typedef const GUID& REFGUID;
typedef const IID& REFIID;
typedef const CLSID& REFCLSID;
inline int IsEqualGUID(REFGUID left, REFGUID right) { return memcmp(&left, &right, sizeof(GUID)) == 0; }
inline bool operator==(REFGUID left, REFGUID right) { return IsEqualGUID(left, right) != 0; }
inline bool operator!=(REFGUID left, REFGUID right) { return IsEqualGUID(left, right) == 0; }
#else
typedef const GUID* REFGUID;
typedef const IID* REFIID;
typedef const CLSID* REFCLSID;
#define IsEqualGUID(left, right) (memcmp((left), (right), sizeof(GUID)) == 0)
#endif
#define IsEqualIID(left, right) IsEqualGUID(left, right)
#define IsEqualCLSID(left, right) IsEqualGUID(left, right)

#ifdef __cplusplus
#define TP_EXTERN_GUID extern "C" const GUID
#else
#define TP_EXTERN_GUID extern const GUID
#endif
#endif

/* Outside the guard: <initguid.h> changes what DEFINE_GUID means for what follows it. A definition is weak, because two
 * files of one program may well define the same GUID. */
#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  TP_EXTERN_GUID name __attribute__((weak));                         \
  const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) TP_EXTERN_GUID name
#endif
