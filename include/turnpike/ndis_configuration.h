/* What protocol drivers read with NdisReadConfiguration. The library reads no file: a host says what there is. Part of
 * libturnpike-ndis. */
#ifndef TURNPIKE_NDIS_CONFIGURATION_H
#define TURNPIKE_NDIS_CONFIGURATION_H

#include <stdint.h>

#include "turnpike/api.h"

TP_BEGIN

/* Sets a value: in the section "LLDP\\Parameters", say, the keyword "TxInterval" to "30". All three are UTF-8. A driver
 * reads the text as what it asks for: a number (decimal, or after 0x hexadecimal), text, several texts (one a line), or
 * bytes ("01 80 c2 00 00 0e"). A null value takes the keyword away. 0; 87: no section, or no keyword; 8: no memory. */
TP_API uint32_t TpNdisSetConfiguration(const char* section, const char* keyword, const char* value) TP_NOEXCEPT;

TP_END

#endif
