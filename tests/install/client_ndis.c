/* A protocol driver's source against the installed tree, as NDIS 6.20. */
#define NDIS620 1
#include <ndis.h>
#include <stdio.h>

int main(void) {
  static int owner;
  NET_BUFFER_LIST_POOL_PARAMETERS parameters = {0};
  NDIS_HANDLE pool;
  PNET_BUFFER_LIST list;
  parameters.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  parameters.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  parameters.fAllocateNetBuffer = TRUE;
  pool = NdisAllocateNetBufferListPool(&owner, &parameters);
  list = NdisAllocateNetBufferList(pool, 0, 0);
  printf("%d %u\n", list != NULL && NET_BUFFER_LIST_FIRST_NB(list) != NULL, (unsigned)sizeof(NDIS_BIND_PARAMETERS));
  NdisFreeNetBufferList(list);
  NdisFreeNetBufferListPool(pool);
  return 0;
}
