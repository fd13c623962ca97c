// A protocol driver's source against the installed tree, as NDIS 5.1.
#define NDIS51 1
#include <ndis.h>

#include <cstdio>

int main() {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NDIS_HANDLE pool = nullptr;
  PNDIS_PACKET packet = nullptr;
  NdisAllocatePacketPool(&status, &pool, 1, 4 * sizeof(PVOID));
  NdisAllocatePacket(&status, &packet, pool);
  std::printf("%d %u\n", status == NDIS_STATUS_SUCCESS, static_cast<unsigned>(sizeof(NDIS_PROTOCOL_CHARACTERISTICS)));
  NdisFreePacket(packet);
  NdisFreePacketPool(pool);
}
