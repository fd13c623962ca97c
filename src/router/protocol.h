// <routprot.h> in the form that this router offers: the newest, of which the older one is a part. A module that was
// built for an older router takes the functions that it knows from the same structures.
#pragma once

#if !defined(MPR60) && !defined(MPR50)
#define MPR60 1
#endif
#include <routprot.h>

static_assert(MS_ROUTER_VERSION == 0x600, "the router offers the newest form");
