/* Section C of the contract as C sees it. */
#include "layout.inc"

int layout_in_c(void);
int layout_in_c(void) { return (int)NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4; }
