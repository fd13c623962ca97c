/* Compiled once for each version: NDISxx and LAYOUT_OF are given by the build. What a version does not have is not
 * declared: an NDIS 6 driver sees no NdisReset. */
#include <ndis.h>

#define PASTE(name, version) name##version
#define NAME(name, version) PASTE(name, version)

unsigned NAME(bind_parameters_of_, LAYOUT_OF)(void);
unsigned NAME(bind_parameters_of_, LAYOUT_OF)(void) { return (unsigned)sizeof(NDIS_BIND_PARAMETERS); }
unsigned NAME(scale_capabilities_of_, LAYOUT_OF)(void);
unsigned NAME(scale_capabilities_of_, LAYOUT_OF)(void) { return (unsigned)sizeof(NDIS_RECEIVE_SCALE_CAPABILITIES); }

enum { NdisReset = 1, NdisSend = 2, NdisRequest = 3 }; /* free names */

_Static_assert(NDIS_PROTOCOL_MAJOR_VERSION == 6, "NDIS 6");
