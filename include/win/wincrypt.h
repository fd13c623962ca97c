/* The counted bytes that <mprapi.h> speaks of as certificate names and hashes; of cryptography there is nothing here.
 */
#ifndef __WINCRYPT_H__
#define __WINCRYPT_H__

#include "windef.h"

typedef struct _CRYPTOAPI_BLOB {
  DWORD cbData;
  BYTE* pbData;
} CRYPT_DATA_BLOB, *PCRYPT_DATA_BLOB, CRYPT_HASH_BLOB, *PCRYPT_HASH_BLOB, CERT_NAME_BLOB, *PCERT_NAME_BLOB, DATA_BLOB,
    *PDATA_BLOB;

#endif
