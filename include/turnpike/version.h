/* The version of the library that the process runs with. */
#ifndef TURNPIKE_VERSION_H
#define TURNPIKE_VERSION_H

#include <turnpike/api.h>

TP_BEGIN

/* "0.1.0": semantic version, a static string that must not be freed. */
TP_API const char* TpVersion(void) TP_NOEXCEPT;

TP_END

#endif
