/* From here on DEFINE_GUID defines, in this one source file, what it elsewhere declares. No include guard, on purpose.
 */
#ifndef INITGUID
#define INITGUID
#endif
#include "guiddef.h"
