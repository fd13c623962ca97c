#include "turnpike/version.h"

const char* TpVersion(void) noexcept { return TURNPIKE_VERSION; }
