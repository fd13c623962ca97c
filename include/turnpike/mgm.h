/* What mgm.h never had: the kernel's forwarding for the multicast group manager of this process, and what it has.
 *
 * A program that links the library has a multicast group manager of its own. Unless it says otherwise, its entries are
 * computed and shown, and no packet is forwarded by them: for tests, for embedding, for a process without the rights.
 * TpMgmForwarderStart says otherwise. From then on interfaces that clients take become virtual interfaces of the
 * kernel, packets of unknown flows come here, and entries are the kernel's.
 *
 * The kernel knows one owner for each multicast table. Within that one, this process, any number of protocols share the
 * box; another process needs another table.
 *
 * All functions may be called from any thread. They return the error codes of winerror.h. */
#ifndef TURNPIKE_MGM_H
#define TURNPIKE_MGM_H

#include <stddef.h>
#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

/* Where forwarding entries go. */
#define TP_MGM_FORWARDER_MEMORY 1u /* they are computed and shown, and no packet is forwarded by them */
#define TP_MGM_FORWARDER_KERNEL 2u

/* The way to a source is that of unicast packets; else what the multicast view of the routing table has. */
#define TP_MGM_UNICAST_VIEW 0x1u
/* Packets on another interface than their entry's are told to pfnWrongIfCallback; else that is never called. */
#define TP_MGM_WRONG_INTERFACE 0x2u
/* Forwarding outlives this process. A turnpike-keeper that runs in the network namespace, under the same user id, holds
 * the kernel's socket too; when this process dies, flows that stand are forwarded on, and the next start with this flag
 * takes them over. Without a keeper the log and TpMgmGetStatus say so, and one that comes later is found. */
#define TP_MGM_KEEP 0x4u

typedef struct TP_MGM_FORWARDER_OPTIONS {
  uint32_t size; /* sizeof(TP_MGM_FORWARDER_OPTIONS) */
  uint32_t flags;
  uint32_t kernel_table;   /* 0: the one that packets go to without a rule (`ip mrule`); below 1,000,000,000 */
  uint32_t receive_buffer; /* bytes for news of unknown flows, some 700 for each. 0: 64 MiB */
  uint32_t settle_ms;      /* how long flows of a former life go on as they stand; see TpMgmAllClaimed. 0: 30 s */
} TP_MGM_FORWARDER_OPTIONS;

/* The kernel forwards for this process, in the network namespace of the calling thread. Null options: the defaults.
 * `holder`, of that many bytes, may be null; it is filled where another process has the table: "process 4711 (pimd)".
 *
 * NO_ERROR (0); ERROR_INVALID_PARAMETER (87): wrong size, unknown flags, no such table; ERROR_ALREADY_EXISTS (183): it
 * does already; ERROR_CAN_NOT_COMPLETE (1003): another socket has the table, see `holder`; ERROR_BUSY (170): clients
 * are registered here: start before they come; ERROR_ACCESS_DENIED (5): it takes CAP_NET_ADMIN and CAP_NET_RAW;
 * ERROR_NOT_SUPPORTED (50): a kernel without multicast routing; ERROR_GEN_FAILURE (31): the kernel refused something;
 * ERROR_NOT_ENOUGH_MEMORY (8). Nothing is changed then. */
TP_API uint32_t TpMgmForwarderStart(const TP_MGM_FORWARDER_OPTIONS* options, char* holder,
                                    size_t holder_size) TP_NOEXCEPT;

/* After a take-over: every client has taken its interfaces and said its memberships. Now each flow that stands is
 * corrected in one step to what they make of it, and removed if they make nothing. NO_ERROR; ERROR_NOT_FOUND (1168):
 * the kernel does not forward for this process. */
TP_API uint32_t TpMgmAllClaimed(void) TP_NOEXCEPT;

/* Takes everything out of the kernel. NO_ERROR; ERROR_NOT_FOUND (1168): the kernel does not forward for this process;
 * ERROR_BUSY (170): clients are registered. */
TP_API uint32_t TpMgmForwarderStop(void) TP_NOEXCEPT;

/* The entry of a flow goes; its next packet asks every client again (RPF, CREATION): for a protocol that would answer
 * otherwise now. `handle` is any registered protocol's, addresses are in network byte order. NO_ERROR;
 * ERROR_INVALID_PARAMETER: a bad handle; ERROR_NOT_FOUND (1168): no such entry, or one that is being made. */
TP_API uint32_t TpMgmForgetEntry(void* handle, uint32_t source, uint32_t group) TP_NOEXCEPT;

/* Groups that do not leave by an interface: all in that prefix. */
typedef struct TP_MGM_BOUNDARY {
  uint32_t group; /* network byte order */
  uint32_t mask;
} TP_MGM_BOUNDARY;

/* What the administrator sets for a device, taken or not: the TTL that a packet must exceed to leave there (1 to 255,
 * where 255 lets none leave), and boundaries of scope. Replaces what was set before; entries that exist follow.
 * NO_ERROR; ERROR_INVALID_PARAMETER: a threshold or mask that cannot be, or a null pointer with a count;
 * ERROR_NOT_ENOUGH_MEMORY. */
TP_API uint32_t TpMgmSetScope(uint32_t device, uint32_t threshold, const TP_MGM_BOUNDARY* boundaries,
                              uint32_t count) TP_NOEXCEPT;

/* What came in and went out by multicast forwarding on a device that somebody holds, since it was taken. */
typedef struct TP_MGM_DEVICE_COUNTERS {
  uint64_t packets_in, packets_out, octets_in, octets_out;
} TP_MGM_DEVICE_COUNTERS;

/* NO_ERROR; ERROR_NOT_FOUND: nobody holds the device, or the kernel does not forward for this process;
 * ERROR_INVALID_PARAMETER: null; ERROR_GEN_FAILURE: the device has gone. */
TP_API uint32_t TpMgmGetDeviceCounters(uint32_t device, TP_MGM_DEVICE_COUNTERS* counters) TP_NOEXCEPT;

typedef struct TP_MGM_STATUS {
  uint32_t size;      /* of this structure as the caller knows it, set before the call; members may be added */
  uint32_t forwarder; /* TP_MGM_FORWARDER_… */
  uint64_t clients;
  uint64_t interfaces;
  uint64_t memberships;
  uint64_t entries;      /* multicast forwarding entries (MFEs) */
  uint64_t enumerations; /* of groups, that are open */
  /* These only rise. */
  uint64_t unknown_flows;       /* packets that no entry matched */
  uint64_t merged_flows;        /* of them, while their entry was made */
  uint64_t dropped_flows;       /* of them, that got no entry */
  uint64_t forwarder_refusals;  /* what the forwarder did not do; it is tried again */
  uint64_t alerts;              /* callbacks made */
  uint64_t alerts_left;         /* alerts that another thread said than the one that caused them */
  uint64_t alerts_lost;         /* for want of memory */
  uint64_t memberships_refused; /* beyond the bound */
  /* Of the kernel's forwarding; 0 where there is none. */
  uint64_t upcalls;         /* that were read */
  uint64_t upcalls_lost;    /* for want of room; their flows are asked for again in ten seconds */
  uint64_t upcalls_ignored; /* about an interface that nobody holds any more */
  uint64_t devices_lost;    /* that somebody holds and that have gone */
  uint64_t receive_buffer;  /* bytes granted for upcalls */
  uint64_t kept;            /* 1: a turnpike-keeper holds the socket too */
  uint64_t taken_over;      /* flows of a former life that stood at the start */
  uint64_t unclaimed;       /* of them, what is still as it stood */
} TP_MGM_STATUS;

/* Fills as much of the structure as its size says. 87 (ERROR_INVALID_PARAMETER): no structure, or not even room for its
 * first two members. 8 (ERROR_NOT_ENOUGH_MEMORY). Needs no registration. */
TP_API uint32_t TpMgmGetStatus(TP_MGM_STATUS* status) TP_NOEXCEPT;

TP_END

#endif
