// Net buffers of NDIS 6: the functions of turnpike_ndis6.h that need no binding, over ndis/net_buffers.h. Each answers
// null pointers; lists and net buffers are the driver's memory and looked into as they are.
#include <ndis.h>

#include <algorithm>
#include <iterator>

#include "ndis/pools/misuse.h"
#include "ndis/pools/net_buffers.h"

namespace ndis = turnpike::ndis;

NDIS_HANDLE NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle, PNET_BUFFER_LIST_POOL_PARAMETERS Parameters) {
  return ndis::create_net_buffer_list_pool(NdisHandle, Parameters);
}
VOID NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle) {
  ndis::free_pool(PoolHandle, ndis::PoolKind::kNetBufferList, __func__);
}
NDIS_HANDLE NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle, PNET_BUFFER_POOL_PARAMETERS Parameters) {
  return ndis::create_net_buffer_pool(NdisHandle, Parameters);
}
VOID NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle) {
  ndis::free_pool(PoolHandle, ndis::PoolKind::kNetBuffer, __func__);
}

PNET_BUFFER_LIST NdisAllocateNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize, USHORT ContextBackFill) {
  return ndis::allocate_list(PoolHandle, ContextSize, ContextBackFill, ndis::Wanted::kAsThePoolSays, {}, __func__);
}
PNET_BUFFER_LIST NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                                       USHORT ContextBackFill, PMDL MdlChain, ULONG DataOffset,
                                                       SIZE_T DataLength) {
  return ndis::allocate_list(PoolHandle, ContextSize, ContextBackFill, ndis::Wanted::kOverMemory,
                             {MdlChain, DataOffset, DataLength}, __func__);
}
VOID NdisFreeNetBufferList(PNET_BUFFER_LIST NetBufferList) { ndis::free_list(NetBufferList, __func__); }
PNET_BUFFER NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, PMDL MdlChain, ULONG DataOffset, SIZE_T DataLength) {
  return ndis::allocate_net_buffer(PoolHandle, {MdlChain, DataOffset, DataLength}, __func__);
}
PNET_BUFFER NdisAllocateNetBufferMdlAndData(NDIS_HANDLE PoolHandle) {
  return ndis::allocate_net_buffer_with_data(PoolHandle, __func__);
}
VOID NdisFreeNetBuffer(PNET_BUFFER NetBuffer) { ndis::free_net_buffer(NetBuffer, __func__); }

NDIS_STATUS NdisAllocateNetBufferListContext(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize, USHORT ContextBackFill,
                                             ULONG) {
  return NetBufferList != nullptr ? ndis::allocate_context(*NetBufferList, ContextSize, ContextBackFill, __func__)
                                  : NDIS_STATUS_FAILURE;
}
VOID NdisFreeNetBufferListContext(PNET_BUFFER_LIST NetBufferList, USHORT ContextSize) {
  if (NetBufferList != nullptr) {
    ndis::free_context(*NetBufferList, ContextSize, __func__);
  }
}

PNET_BUFFER_LIST NdisAllocateCloneNetBufferList(PNET_BUFFER_LIST OriginalNetBufferList,
                                                NDIS_HANDLE NetBufferListPoolHandle, NDIS_HANDLE NetBufferPoolHandle,
                                                ULONG AllocateCloneFlags) {
  return OriginalNetBufferList != nullptr ? ndis::allocate_clone(*OriginalNetBufferList, NetBufferListPoolHandle,
                                                                 NetBufferPoolHandle, AllocateCloneFlags, __func__)
                                          : nullptr;
}
VOID NdisFreeCloneNetBufferList(PNET_BUFFER_LIST CloneNetBufferList, ULONG FreeCloneFlags) {
  ndis::free_clone(CloneNetBufferList, FreeCloneFlags, __func__);
}
PNET_BUFFER_LIST NdisAllocateFragmentNetBufferList(PNET_BUFFER_LIST OriginalNetBufferList,
                                                   NDIS_HANDLE NetBufferListPool, NDIS_HANDLE NetBufferPool,
                                                   ULONG StartOffset, ULONG MaximumLength, ULONG DataOffsetDelta,
                                                   ULONG DataBackFill, ULONG) {
  return OriginalNetBufferList != nullptr
             ? ndis::allocate_fragments(*OriginalNetBufferList, NetBufferListPool, NetBufferPool,
                                        {StartOffset, MaximumLength, DataOffsetDelta, DataBackFill}, __func__)
             : nullptr;
}
VOID NdisFreeFragmentNetBufferList(PNET_BUFFER_LIST FragmentNetBufferList, ULONG DataOffsetDelta, ULONG) {
  ndis::free_derived(FragmentNetBufferList, DataOffsetDelta, __func__);
}
PNET_BUFFER_LIST NdisAllocateReassembledNetBufferList(PNET_BUFFER_LIST FragmentNetBufferList,
                                                      NDIS_HANDLE NetBufferAndNetBufferListPoolHandle,
                                                      ULONG StartOffset, ULONG DataOffsetDelta, ULONG DataBackFill,
                                                      ULONG) {
  return FragmentNetBufferList != nullptr
             ? ndis::allocate_reassembled(*FragmentNetBufferList, NetBufferAndNetBufferListPoolHandle,
                                          {StartOffset, 0, DataOffsetDelta, DataBackFill}, __func__)
             : nullptr;
}
VOID NdisFreeReassembledNetBufferList(PNET_BUFFER_LIST ReassembledNetBufferList, ULONG DataOffsetDelta, ULONG) {
  ndis::free_derived(ReassembledNetBufferList, DataOffsetDelta, __func__);
}

NDIS_STATUS NdisRetreatNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, ULONG DataBackFill,
                                          NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler) {
  return NetBuffer != nullptr ? ndis::retreat(*NetBuffer, DataOffsetDelta, DataBackFill, AllocateMdlHandler)
                              : NDIS_STATUS_FAILURE;
}
VOID NdisAdvanceNetBufferDataStart(PNET_BUFFER NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                   NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler) {
  if (NetBuffer != nullptr) {
    ndis::advance(*NetBuffer, DataOffsetDelta, FreeMdl != FALSE, FreeMdlHandler, __func__);
  }
}
NDIS_STATUS NdisRetreatNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta, ULONG DataBackFill,
                                              NET_BUFFER_ALLOCATE_MDL_HANDLER AllocateMdlHandler,
                                              NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler) {
  return NetBufferList != nullptr ? ndis::retreat_all(*NetBufferList, DataOffsetDelta, DataBackFill, AllocateMdlHandler,
                                                      FreeMdlHandler, __func__)
                                  : NDIS_STATUS_FAILURE;
}
VOID NdisAdvanceNetBufferListDataStart(PNET_BUFFER_LIST NetBufferList, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                       NET_BUFFER_FREE_MDL_HANDLER FreeMdlHandler) {
  if (NetBufferList != nullptr) {
    ndis::advance_all(*NetBufferList, DataOffsetDelta, FreeMdl != FALSE, FreeMdlHandler, __func__);
  }
}
VOID NdisAdjustNetBufferCurrentMdl(PNET_BUFFER NetBuffer) {
  if (NetBuffer != nullptr) {
    ndis::find_current(*NetBuffer);
  }
}
PVOID NdisGetDataBuffer(PNET_BUFFER NetBuffer, ULONG BytesNeeded, PVOID Storage, UINT AlignMultiple, UINT AlignOffset) {
  return NetBuffer != nullptr ? ndis::data_buffer(*NetBuffer, BytesNeeded, Storage, AlignMultiple, AlignOffset)
                              : nullptr;
}
NDIS_STATUS NdisCopyFromNetBufferToNetBuffer(PNET_BUFFER Destination, ULONG DestinationOffset, ULONG BytesToCopy,
                                             const NET_BUFFER* Source, ULONG SourceOffset, PULONG BytesCopied) {
  if (Destination == nullptr || Source == nullptr || BytesCopied == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  *BytesCopied = ndis::copy_between(*Destination, DestinationOffset, BytesToCopy, *Source, SourceOffset);
  return NDIS_STATUS_SUCCESS;
}

VOID NdisCopySendNetBufferListInfo(PNET_BUFFER_LIST DestNetBufferList, PNET_BUFFER_LIST SrcNetBufferList) {
  if (DestNetBufferList != nullptr && SrcNetBufferList != nullptr) {
    std::copy(std::begin(SrcNetBufferList->NetBufferListInfo), std::end(SrcNetBufferList->NetBufferListInfo),
              DestNetBufferList->NetBufferListInfo);
  }
}
VOID NdisCopyReceiveNetBufferListInfo(PNET_BUFFER_LIST DestNetBufferList, PNET_BUFFER_LIST SrcNetBufferList) {
  NdisCopySendNetBufferListInfo(DestNetBufferList, SrcNetBufferList);
}
// A moment fills the slot itself: it is as wide as a pointer.
VOID NdisGetNblTimestampInfo(const NET_BUFFER_LIST* NetBufferList, PNET_BUFFER_LIST_TIMESTAMP Timestamp) {
  if (Timestamp != nullptr) {
    Timestamp->Timestamp =
        NetBufferList != nullptr
            ? reinterpret_cast<std::uintptr_t>(NET_BUFFER_LIST_INFO(NetBufferList, TpNetBufferListTimestamp))
            : 0;
  }
}
VOID NdisSetNblTimestampInfo(PNET_BUFFER_LIST NetBufferList, const NET_BUFFER_LIST_TIMESTAMP* Timestamp) {
  if (NetBufferList != nullptr && Timestamp != nullptr) {
    NET_BUFFER_LIST_INFO(NetBufferList, TpNetBufferListTimestamp) =
        reinterpret_cast<PVOID>(static_cast<std::uintptr_t>(Timestamp->Timestamp));
  }
}
VOID NdisCopyNblTimestampInfo(PNET_BUFFER_LIST DestNetBufferList, const NET_BUFFER_LIST* SrcNetBufferList) {
  if (DestNetBufferList != nullptr && SrcNetBufferList != nullptr) {
    NET_BUFFER_LIST_INFO(DestNetBufferList, TpNetBufferListTimestamp) =
        NET_BUFFER_LIST_INFO(SrcNetBufferList, TpNetBufferListTimestamp);
  }
}
NDIS_HANDLE NdisGetPoolFromNetBufferList(PNET_BUFFER_LIST NetBufferList) {
  const ndis::Pool* const pool = ndis::Pools::instance().owner_of(NetBufferList, ndis::PoolKind::kNetBufferList);
  return pool != nullptr ? NetBufferList->NdisPoolHandle : nullptr;
}
NDIS_HANDLE NdisGetPoolFromNetBuffer(PNET_BUFFER NetBuffer) {
  return NetBuffer != nullptr ? NetBuffer->NdisPoolHandle : nullptr;
}
ULONG NdisQueryNetBufferPhysicalCount(PNET_BUFFER NetBuffer) {
  return NetBuffer != nullptr ? ndis::physical_count(*NetBuffer) : 0;
}

PMDL NdisAllocateMdl(NDIS_HANDLE NdisHandle, PVOID VirtualAddress, UINT Length) {
  if (NdisHandle == nullptr || (VirtualAddress == nullptr && Length != 0)) {
    ndis::report_misuse(__func__, "a descriptor wants a handle and memory", VirtualAddress);
    return nullptr;
  }
  return ndis::allocate_mdl(VirtualAddress, Length);
}
VOID NdisFreeMdl(PMDL Mdl) { ndis::free_buffer(Mdl, __func__); }
VOID NdisAdjustMdlLength(PMDL Mdl, UINT Length) {
  if (Mdl != nullptr) {
    Mdl->ByteCount = Length;
  }
}
