/* Lengths of names, in characters without the ending NUL. */
#ifndef _LMCONS_
#define _LMCONS_

#include "windef.h"

#define CNLEN 15
#define DNLEN CNLEN
#define UNCLEN (CNLEN + 2)
#define UNLEN 256
#define PWLEN 256
#define NETBIOS_NAME_LEN 16

#define NET_API_STATUS DWORD

#endif
