/* The unicast forwarder in this process: what the routing tables hold becomes what the Linux kernel forwards by.
 *
 * A program that links the library has a routing table of its own, and nothing more: its routes are in no kernel until
 * somebody starts a forwarder. TpForwarderStart does so, here. From then on the best unicast route of each destination
 * is in the kernel (RTM_DEST_FLAG_FWD_ENGIN_ADD says that it is), and the kernel's other routes are in the table, under
 * entities with the protocol ids that Windows has for them: PROTO_IP_LOCAL for connected and local ones, PROTO_IP_BGP
 * and so on for FRRouting's, PROTO_IP_NETMGMT for the rest.
 *
 * Routes of ours carry the protocol number 220 in the kernel. What carries it at the start is taken over and forwards
 * on without a gap; what no client has claimed after a while, or when TpForwarderAllClaimed says so, is removed.
 *
 * It concerns the network namespace of the thread that starts it, and needs CAP_NET_ADMIN there. At most one forwarder
 * runs for each namespace, kernel table and protocol number; a second start is refused, and told who runs.
 *
 * All functions may be called from any thread, but TpForwarderStart and TpForwarderStop not from a callback. They
 * return the error codes of winerror.h. */
#ifndef TURNPIKE_FORWARDER_H
#define TURNPIKE_FORWARDER_H

#include <stddef.h>
#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

/* What routes say in the kernel besides where they lead. */
typedef struct TP_FORWARDER_ATTRIBUTES {
  uint32_t metric;    /* the kernel's; lower is preferred. 0: 20 */
  uint32_t mtu;       /* 0: the link's */
  uint8_t source4[4]; /* the preferred source address; all zero: the kernel chooses */
  uint8_t source6[16];
} TP_FORWARDER_ATTRIBUTES;

/* Routes of clients that registered with this protocol id have attributes of their own. */
typedef struct TP_FORWARDER_PROTOCOL {
  uint32_t protocol_id;
  TP_FORWARDER_ATTRIBUTES attributes;
} TP_FORWARDER_PROTOCOL;

/* The kernel table of an instance of the routing table manager, both families. */
typedef struct TP_FORWARDER_TABLE {
  uint16_t instance;
  uint32_t kernel_table;
} TP_FORWARDER_TABLE;

#define TP_FORWARDER_NO_IMPORT 0x1u /* the kernel's other routes stay out of the table */
#define TP_FORWARDER_OWN_NAMESPACE                                                  \
  0x2u /* nobody else manages routes here: net.ipv4.nexthop_compat_mode is set to 0 \
        */

#define TP_FORWARDER_NEVER 0xffffffffu

typedef struct TP_FORWARDER_OPTIONS {
  uint32_t size; /* sizeof(TP_FORWARDER_OPTIONS) */
  uint32_t flags;
  TP_FORWARDER_ATTRIBUTES attributes;
  uint32_t sweep_after_ms; /* when unclaimed routes of a former life are removed. 0: three minutes */
  uint32_t audit_every_ms; /* how often the kernel is compared without a reason. 0: a quarter of an hour */
  uint32_t table_count;    /* 0: instance 0, the kernel's main table */
  uint32_t protocol_count;
  const TP_FORWARDER_TABLE* tables;
  const TP_FORWARDER_PROTOCOL* protocols;
} TP_FORWARDER_OPTIONS;

/* Null options: the defaults. `holder`, of that many bytes, may be null; it is filled where another process runs the
 * forwarder.
 *
 * NO_ERROR (0); ERROR_INVALID_PARAMETER (87): wrong size, unknown flags, or an instance that is not configured;
 * ERROR_ALREADY_EXISTS (183): one runs in this process; ERROR_BUSY (170): another process has one, see `holder`;
 * ERROR_ACCESS_DENIED (5): no right to change routes; ERROR_NOT_SUPPORTED (50): Linux before 5.3; ERROR_GEN_FAILURE
 * (31): the kernel refused something; ERROR_NOT_ENOUGH_MEMORY (8). Nothing is changed then. */
TP_API uint32_t TpForwarderStart(const TP_FORWARDER_OPTIONS* options, char* holder, size_t holder_size) TP_NOEXCEPT;

/* Takes our routes out of the kernel, or (0) leaves them: they forward on, and the next start takes them over.
 * NO_ERROR; ERROR_NOT_FOUND (1168): none runs in this process. */
TP_API uint32_t TpForwarderStop(int remove_routes) TP_NOEXCEPT;

/* Every client has said what it has: what is left of a former life is removed now. NO_ERROR, ERROR_NOT_FOUND. */
TP_API uint32_t TpForwarderAllClaimed(void) TP_NOEXCEPT;

/* Compares everything with the kernel now. NO_ERROR, ERROR_NOT_FOUND. */
TP_API uint32_t TpForwarderAudit(void) TP_NOEXCEPT;

typedef struct TP_FORWARDER_STATUS {
  uint32_t size;    /* sizeof(TP_FORWARDER_STATUS), before the call */
  uint32_t running; /* 0: no forwarder runs in this process, and its routes are in no kernel; the rest is 0 then */
  uint64_t installed, pending, failed, conflicts, contested, foreign; /* destinations by their state, both families */
  uint64_t unclaimed;                 /* of a former life, not claimed and not yet removed */
  uint64_t imported;                  /* the kernel's other routes that are in the tables */
  uint64_t next_hops, groups;         /* objects of ours in the kernel */
  uint64_t written, removed, refused; /* messages about routes so far */
  uint64_t repaired;                  /* of ours that others changed or removed */
  uint64_t taken_over;                /* of a former life, as they stood */
  uint64_t losses, resyncs;           /* what the kernel said and was not heard; readings of all it has */
  uint64_t bytes;                     /* the forwarder's own memory */
  uint64_t shadowed; /* destinations: ours is there, and another's with a lower metric goes before it */
} TP_FORWARDER_STATUS;

/* NO_ERROR, also where none runs; ERROR_INVALID_PARAMETER: null, or a wrong size. */
TP_API uint32_t TpForwarderStatus(TP_FORWARDER_STATUS* status) TP_NOEXCEPT;

/* What became of the best unicast route of a destination. */
#define TP_FORWARDER_IDLE 0u    /* not to be in the kernel */
#define TP_FORWARDER_PENDING 1u /* soon */
#define TP_FORWARDER_INSTALLED 2u
#define TP_FORWARDER_FAILED 3u    /* see `error`; tried again */
#define TP_FORWARDER_CONFLICT 4u  /* somebody else's route has its place */
#define TP_FORWARDER_FOREIGN 5u   /* it is the kernel's own, or another manager's: imported */
#define TP_FORWARDER_CONTESTED 6u /* somebody keeps removing it: we wait before we try again */
/* It is in the kernel and of no effect: somebody else's route to the same destination has a lower metric, or is local.
 * Not told where the kernel's routes are not imported. */
#define TP_FORWARDER_SHADOWED 7u

typedef struct TP_FORWARDER_ROUTE {
  uint32_t state;
  int32_t error;        /* an errno; ENETUNREACH: its next hop leads nowhere */
  uint32_t next_hop_id; /* `ip nexthop show id …`; 0: none */
} TP_FORWARDER_ROUTE;

/* Of an RTM_DEST_HANDLE. NO_ERROR; ERROR_NOT_FOUND: no forwarder runs; ERROR_INVALID_PARAMETER: `route` is null. A
 * handle of nothing that the forwarder knows is TP_FORWARDER_IDLE. */
TP_API uint32_t TpForwarderRoute(void* destination, TP_FORWARDER_ROUTE* route) TP_NOEXCEPT;

/* --- a routing daemon's feed ----------------------------------------------------------------------------------------
 *
 * FRRouting's zebra sends the routes that its daemons have chosen to whoever listens by the forwarding plane protocol
 * (`zebra -M dplane_fpm_nl`, docs/with-frr.md). TpFpmStart listens: they are in the tables then, under the same
 * protocol ids as the kernel's, and are kept in line as zebra changes them. It needs a forwarder in this process, and
 * ends with it.
 *
 * A connection that ends takes no route along. What it said stands until the next connection says it again; what has
 * not been said again after a while, or when TpFpmAllSent says that all has been, is removed.
 *
 * Nobody logs in: whoever can connect to the address can route. */

#define TP_FPM_PORT 2620

#define TP_FPM_TABLE_ONLY 0x1u    /* the sender writes this kernel itself: its routes are never written */
#define TP_FPM_GATEWAYS_ONLY 0x2u /* the sender has other interfaces than we: only its gateways count */

typedef struct TP_FPM_OPTIONS {
  uint32_t size; /* sizeof(TP_FPM_OPTIONS) */
  uint32_t flags;
  const char* address;     /* to listen at, IPv4 or IPv6, numeric; null: 127.0.0.1 */
  uint16_t port;           /* 0: TP_FPM_PORT */
  uint16_t reserved;       /* 0 */
  uint32_t sweep_after_ms; /* after a connection's end or begin. 0: three minutes; TP_FORWARDER_NEVER */
} TP_FPM_OPTIONS;

/* Listens in the calling thread's network namespace. Null options: the defaults. NO_ERROR; ERROR_INVALID_PARAMETER:
 * wrong size, unknown flags, no address, or none of this machine's; ERROR_NOT_FOUND: no forwarder runs in this process;
 * ERROR_ALREADY_EXISTS: it listens already; ERROR_BUSY: another program listens there; ERROR_ACCESS_DENIED: a port that
 * this process may not take; ERROR_GEN_FAILURE, ERROR_NOT_ENOUGH_MEMORY. Nothing is changed then. */
TP_API uint32_t TpFpmStart(const TP_FPM_OPTIONS* options) TP_NOEXCEPT;

/* Its routes leave the tables, and those that were ours to write the kernel. NO_ERROR; ERROR_NOT_FOUND: it does not
 * listen. */
TP_API uint32_t TpFpmStop(void) TP_NOEXCEPT;

/* The sender has said all that it has: what a former connection said and this one did not is removed now. NO_ERROR;
 * ERROR_NOT_FOUND: it does not listen, or nobody is connected. */
TP_API uint32_t TpFpmAllSent(void) TP_NOEXCEPT;

typedef struct TP_FPM_STATUS {
  uint32_t size;    /* sizeof(TP_FPM_STATUS), before the call */
  uint32_t running; /* 0: it does not listen; the rest is 0 then */
  uint32_t connected;
  uint32_t port;
  uint64_t routes;    /* that were said */
  uint64_t stale;     /* of these, in a former connection and not again */
  uint64_t absent;    /* of these, in no table, because their next hop is not known or leads nowhere from here */
  uint64_t next_hops; /* objects that are known */
  uint64_t ignored;   /* messages about routes that are left out: the sender's kernel's, other tables' */
  uint64_t connections, turned_away;  /* so far; a second sender is turned away while there is a first */
  uint64_t faults;                    /* connections that were closed for what came */
  uint64_t frames, messages, skipped; /* skipped: about something else than routes and next hops */
} TP_FPM_STATUS;

/* NO_ERROR, also where it does not listen; ERROR_INVALID_PARAMETER: null, or a wrong size. */
TP_API uint32_t TpFpmStatus(TP_FPM_STATUS* status) TP_NOEXCEPT;

TP_END

#endif
