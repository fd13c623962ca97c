/* The multicast group manager for IPv6: mgm.h knows addresses of 32 bits alone, and Windows never had another. What the
 * calls mean, what they answer, who is told what and in which order is that of mgm.h, clause by clause
 * (docs/contract/mgm.md); MLD stands in the place of IGMP. The form is C's own: structures, a context for callbacks.
 *
 * An address of zeroes is the wildcard: any source, any group. Flags, options, status and counters are those of
 * turnpike/mgm.h. All functions may be called from any thread and return the error codes of winerror.h:
 * ERROR_INVALID_PARAMETER (87) also for a null pointer and a bad handle, ERROR_NOT_ENOUGH_MEMORY (8),
 * ERROR_CAN_NOT_COMPLETE (1003) for what cannot be done now or what the kernel refuses; others stand with the call. */
#ifndef TURNPIKE_MGM6_H
#define TURNPIKE_MGM6_H

#include <turnpike/mgm.h>

TP_BEGIN

typedef struct TP_MGM6_ADDRESS {
  uint8_t bytes[16];
} TP_MGM6_ADDRESS;

typedef struct TP_MGM6_FLOW {
  TP_MGM6_ADDRESS source;
  TP_MGM6_ADDRESS group;
} TP_MGM6_FLOW;

/* The next hop is zero but for one link of many on one device. */
typedef struct TP_MGM6_INTERFACE {
  uint32_t index;
  TP_MGM6_ADDRESS next_hop;
} TP_MGM6_INTERFACE;

#define TP_MGM6_MLD 10u /* the protocol id of the client that may share an interface and speaks for its hosts */

/* An outgoing interface of a new entry: the client may clear `enabled`. */
typedef struct TP_MGM6_OUT {
  TP_MGM6_INTERFACE at;
  uint32_t has_mld;
  uint32_t enabled;
} TP_MGM6_OUT;

/* Where packets of a new flow should come in, as the view of routes has it; the client may change both. `route` is the
 * RTM_DEST_INFO that the view gave. */
typedef struct TP_MGM6_RPF {
  TP_MGM6_INTERFACE incoming;
  TP_MGM6_ADDRESS upstream;
  void* route;
} TP_MGM6_RPF;

/* Each may be null: that is not told. `context` is what was given at registration. */
typedef struct TP_MGM6_CALLBACKS {
  uint32_t size; /* sizeof(TP_MGM6_CALLBACKS) */
  void (*rpf)(void* context, const TP_MGM6_FLOW* flow, TP_MGM6_RPF* rpf);
  void (*created)(void* context, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* incoming, TP_MGM6_OUT* out,
                  uint32_t count);
  void (*joined)(void* context, const TP_MGM6_FLOW* flow, int by_member);
  void (*pruned)(void* context, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at, int by_member,
                 uint32_t* timeout);
  void (*wrong_interface)(void* context, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at);
  void (*local_join)(void* context, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at);
  void (*local_leave)(void* context, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at);
  void (*disable_mld)(void* context, const TP_MGM6_INTERFACE* at);
  void (*enable_mld)(void* context, const TP_MGM6_INTERFACE* at);
} TP_MGM6_CALLBACKS;

/* ERROR_ALREADY_EXISTS (183): the same protocol and component. */
TP_API uint32_t TpMgm6Register(const TP_MGM6_CALLBACKS* callbacks, void* context, uint32_t protocol, uint32_t component,
                               void** handle) TP_NOEXCEPT;
/* When it has returned no callback of the client is running or will run. ERROR_CAN_NOT_COMPLETE: it owns interfaces. */
TP_API uint32_t TpMgm6Deregister(void* handle) TP_NOEXCEPT;

/* ERROR_ALREADY_EXISTS (183): somebody holds it whom the caller cannot join. */
TP_API uint32_t TpMgm6TakeInterface(void* handle, const TP_MGM6_INTERFACE* at) TP_NOEXCEPT;
TP_API uint32_t TpMgm6ReleaseInterface(void* handle, const TP_MGM6_INTERFACE* at) TP_NOEXCEPT;
/* ERROR_NOT_FOUND (1168): nobody holds it. */
TP_API uint32_t TpMgm6GetProtocolOnInterface(const TP_MGM6_INTERFACE* at, uint32_t* protocol,
                                             uint32_t* component) TP_NOEXCEPT;

#define TP_MGM6_JOIN_STATE 1u
#define TP_MGM6_FORWARD_STATE 2u
TP_API uint32_t TpMgm6AddMembership(void* handle, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at,
                                    uint32_t states) TP_NOEXCEPT;
/* ERROR_NOT_FOUND (1168): nobody holds the interface. */
TP_API uint32_t TpMgm6DeleteMembership(void* handle, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at,
                                       uint32_t states) TP_NOEXCEPT;

typedef struct TP_MGM6_OUT_COUNT {
  TP_MGM6_INTERFACE at;
  uint64_t packets;
} TP_MGM6_OUT_COUNT;

typedef struct TP_MGM6_ENTRY {
  uint32_t size; /* sizeof(TP_MGM6_ENTRY), before the call */
  TP_MGM6_FLOW flow;
  TP_MGM6_INTERFACE incoming;
  TP_MGM6_ADDRESS upstream;
  uint32_t incoming_protocol;
  uint32_t route_protocol;
  TP_MGM6_ADDRESS route_network;
  uint32_t route_length;
  uint32_t age; /* seconds */
  uint32_t timeout;
  uint32_t out_count; /* outgoing interfaces, however many of them fitted */
  uint64_t packets, octets, wrong_interface, out_packets, negative_packets;
} TP_MGM6_ENTRY;

/* The entry of a flow; or the first one after it, by group and then source, or the first of all for null. The first
 * `capacity` outgoing interfaces go to `out`, which may be null with 0. ERROR_NOT_FOUND (1168); of the second
 * ERROR_NO_MORE_ITEMS (259). */
TP_API uint32_t TpMgm6GetEntry(const TP_MGM6_FLOW* flow, TP_MGM6_ENTRY* entry, TP_MGM6_OUT_COUNT* out,
                               uint32_t capacity) TP_NOEXCEPT;
TP_API uint32_t TpMgm6GetNextEntry(const TP_MGM6_FLOW* after, TP_MGM6_ENTRY* entry, TP_MGM6_OUT_COUNT* out,
                                   uint32_t capacity) TP_NOEXCEPT;
/* ERROR_NOT_FOUND (1168). */
TP_API uint32_t TpMgm6SetUpstream(void* handle, const TP_MGM6_FLOW* flow, const TP_MGM6_ADDRESS* upstream) TP_NOEXCEPT;

/* As TpMgmForgetEntry. ERROR_NOT_FOUND (1168). */
TP_API uint32_t TpMgm6ForgetEntry(void* handle, const TP_MGM6_FLOW* flow) TP_NOEXCEPT;

/* A snapshot of the flows that have members: all of them, or (0) one for each group with a specific source. */
TP_API uint32_t TpMgm6GroupsStart(void* handle, int all_sources, void** enumeration) TP_NOEXCEPT;
/* Gives up to `*count` flows and says in it how many. NO_ERROR: more are left; ERROR_NO_MORE_ITEMS (259): these were
 * the last; ERROR_INSUFFICIENT_BUFFER (122): room for none. */
TP_API uint32_t TpMgm6GroupsNext(void* enumeration, TP_MGM6_FLOW* flows, uint32_t* count) TP_NOEXCEPT;
TP_API uint32_t TpMgm6GroupsEnd(void* enumeration) TP_NOEXCEPT;

/* As their namesakes in turnpike/mgm.h. IPv6 has no thresholds: a device lets packets out or not (255). */
TP_API uint32_t TpMgm6ForwarderStart(const TP_MGM_FORWARDER_OPTIONS* options, char* holder,
                                     size_t holder_size) TP_NOEXCEPT;
TP_API uint32_t TpMgm6ForwarderStop(void) TP_NOEXCEPT;
TP_API uint32_t TpMgm6AllClaimed(void) TP_NOEXCEPT;
TP_API uint32_t TpMgm6GetStatus(TP_MGM_STATUS* status) TP_NOEXCEPT;
TP_API uint32_t TpMgm6GetDeviceCounters(uint32_t device, TP_MGM_DEVICE_COUNTERS* counters) TP_NOEXCEPT;

typedef struct TP_MGM6_BOUNDARY {
  TP_MGM6_ADDRESS group;
  uint32_t length; /* of the prefix, up to 128 */
} TP_MGM6_BOUNDARY;
TP_API uint32_t TpMgm6SetScope(uint32_t device, uint32_t threshold, const TP_MGM6_BOUNDARY* boundaries,
                               uint32_t count) TP_NOEXCEPT;

TP_END

#endif
