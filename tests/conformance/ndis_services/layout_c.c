/* Section C of the contract as C sees it. */
#include "layout.inc"

/* The macros of a hash, and of what was coalesced, each with the others as it leaves them. */
int hash_in_c(void);
int hash_in_c(void) {
  NET_BUFFER_LIST list;
  memset(&list, 0, sizeof(list));
  NET_BUFFER_LIST_SET_HASH_VALUE(&list, 0xFFFFFFFFu);
  NET_BUFFER_LIST_SET_HASH_TYPE(&list, 0xFFFFFFFFu);
  NET_BUFFER_LIST_SET_HASH_FUNCTION(&list, 0xFFFFFFFFu);
  NET_BUFFER_LIST_SET_HASH_TYPE(&list, NDIS_HASH_TCP_IPV4);
  NET_BUFFER_LIST_SET_HASH_FUNCTION(&list, NdisHashFunctionToeplitz);
  return NET_BUFFER_LIST_GET_HASH_VALUE(&list) == 0xFFFFFFFFu &&
         NET_BUFFER_LIST_GET_HASH_TYPE(&list) == NDIS_HASH_TCP_IPV4 &&
         NET_BUFFER_LIST_GET_HASH_FUNCTION(&list) == NdisHashFunctionToeplitz &&
         NET_BUFFER_LIST_COALESCED_SEG_COUNT(&list) == 0 && NET_BUFFER_LIST_DUP_ACK_COUNT(&list) == 0;
}

int layout_in_c(void);
int layout_in_c(void) { return (int)NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4; }
