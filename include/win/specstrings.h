/* Another name under which the annotations are included. */
#include "sal.h"
