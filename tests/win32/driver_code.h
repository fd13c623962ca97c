/* What the routines of driver_code.c are given: they say that they have begun, and wait until they may go. */
#pragma once

#include <wdm.h>

struct Visit {
  KEVENT begun, may_go;
  void (*before_it_goes)(struct Visit* visit);
};
