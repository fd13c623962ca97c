/* The routing table, beyond RTMv2: what Windows never had. Many routes in one call, longest match for many addresses,
 * a consistent picture of a table, a descriptor for change notification, statistics, a journal. IPv4 and IPv6 alike.
 *
 * `entity` is what RtmRegisterEntity returned (RTM_ENTITY_HANDLE): it names the caller and his table. Handles are those
 * of RTMv2 and mean the same; TpRtmAddress is laid out as RTM_NET_ADDRESS, so a pointer to one serves as the other.
 *
 * Every function may be called from any thread. They return a Windows error number, 0 for success; on failure nothing
 * has changed and nothing is written through a pointer, unless it is said below. The numbers used here:
 *     5  ERROR_ACCESS_DENIED      an object of another client
 *     6  ERROR_INVALID_HANDLE     null, stale, foreign, or of another kind
 *     8  ERROR_NOT_ENOUGH_MEMORY
 *    50  ERROR_NOT_SUPPORTED      a view that the table does not have
 *    87  ERROR_INVALID_PARAMETER  a null pointer, or a value that can never be right
 *   259  ERROR_NO_MORE_ITEMS      the end of what is there to read
 *   299  ERROR_PARTIAL_COPY       some elements of a batch have failed: their statuses say why
 *  1168  ERROR_NOT_FOUND
 * A caller that is no client learns that first: 6, whatever else is wrong. */
#ifndef TURNPIKE_RTM_H
#define TURNPIKE_RTM_H

#include <stddef.h>
#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

typedef struct TpRtmAddress {
  uint16_t family; /* AF_INET or AF_INET6 */
  uint16_t bits;   /* of a prefix */
  uint8_t address[16];
} TpRtmAddress;

/* --- many routes in one call ------------------------------------------------------------------------------------- */

#define TP_RTM_MAX_BATCH 1048576u
#define TP_RTM_FOREVER 0xffffffffu

/* What RTM_ROUTE_INFO says of a route, and where it leads. Fill with zeros what you do not care for. */
typedef struct TpRtmRoute {
  TpRtmAddress destination;
  uint32_t metric;
  uint32_t preference;   /* 0: the one of the caller's protocol */
  uint32_t views;        /* RTM_VIEW_MASK_… */
  uint32_t time_to_live; /* milliseconds, or TP_RTM_FOREVER; 0 is FOREVER too */
  uint16_t flags;        /* RTM_ROUTE_FLAGS_… */
  uint16_t hop_count;
  uint32_t reserved; /* 0 */
  void* neighbour;   /* a next hop's handle, or null */
  void* const* hops; /* hop_count handles of the caller's next hops; null where there are none */
  void* entity_specific;
} TpRtmRoute;

/* Adds or updates `count` routes, each as RtmAddRouteToDest would with a null route handle; the table's lock is taken
 * once for every few hundred of them. Every element is tried, in order, and statuses[i] (not null) says what came of
 * routes[i], by the numbers of RtmAddRouteToDest. `handles` may be null; else handles[i] is the route's handle with a
 * reference for the caller (RtmReleaseRoutes), null where it failed. An element whose destination another client has
 * locked waits for him, and those behind it with it.
 * 0: all of them. 299: some have failed. 87: a null array with a count, or more than TP_RTM_MAX_BATCH. 6.
 * A caller that is deregistered meanwhile: 6, and the statuses say what was done before. */
TP_API uint32_t TpRtmAddRoutes(void* entity, const TpRtmRoute* routes, uint32_t count, uint32_t* statuses,
                               void** handles) TP_NOEXCEPT;

/* Deletes `count` routes by handle, each as RtmDeleteRouteToDest would: it gives the caller's reference back.
 * statuses[i]: 0; 6 not a route; 5 another client's; 1168 deleted before. Returns as TpRtmAddRoutes. */
TP_API uint32_t TpRtmDeleteRoutes(void* entity, void* const* routes, uint32_t count, uint32_t* statuses) TP_NOEXCEPT;

/* Deletes all of the caller's routes to each of `count` destinations; who added them without handles needs none.
 * statuses[i]: 0; 1168 he has none there; 87 not an address of the table's family. Returns as TpRtmAddRoutes. */
TP_API uint32_t TpRtmDeleteRoutesTo(void* entity, const TpRtmAddress* destinations, uint32_t count,
                                    uint32_t* statuses) TP_NOEXCEPT;

/* --- next hops of the other family ---------------------------------------------------------------------------------
 */

/* What RTM_NEXTHOP_INFO says of a next hop. Fill with zeros what you do not care for. */
typedef struct TpRtmNextHop {
  TpRtmAddress address; /* all bits of it */
  uint32_t interface_index;
  uint16_t flags;    /* RTM_NEXTHOP_FLAGS_… */
  uint16_t reserved; /* 0 */
  void* remote;      /* a destination's handle, with RTM_NEXTHOP_FLAGS_REMOTE; or null */
  void* entity_specific;
} TpRtmNextHop;

/* Adds a next hop to the caller's list, or updates it, as RtmAddNextHop would with a null handle, which takes addresses
 * of the table's family alone. Here a client of an IPv4 table may give an IPv6 address too (RFC 8950: IPv4 routes over
 * IPv6 neighbours). The forwarder writes it as such; without an interface, or REMOTE, it is looked up in the IPv6 table
 * of the same instance, and followed there.
 *
 * *handle comes with a reference for the caller (RtmReleaseNextHops); *is_new, which may be null, is 1 or 0. All else
 * is RTMv2's: routes name the handle, RtmGetNextHopInfo shows the address with its family, RtmFindNextHop and
 * RtmDeleteNextHop take it so, and an enumeration from an address on gives those of the other family last. RTMv1, whose
 * routes have no room for it, shows the interface and no address.
 * One that the caller has locked on another thread is waited for.
 * 0. 6: not a client; `remote` is no destination of the table. 8. 87: null, `reserved`; an address of a third family;
 * an IPv6 address in an IPv4 table that is not of 128 bits, or has nothing but zeros behind the fourth byte. */
TP_API uint32_t TpRtmAddNextHop(void* entity, const TpRtmNextHop* hop, void** handle, uint32_t* is_new) TP_NOEXCEPT;

/* --- longest match in bulk -----------------------------------------------------------------------------------------
 */

/* What one address matches, as values: no reference is held on anything, so a handle may be stale by the time that it
 * is used, and is refused then. TP_RTM_REFERENCE changes that. */
typedef struct TpRtmMatch {
  void* destination; /* null: nothing matches, and the rest is zero */
  void* route;       /* the best one of the view; null where only a held one is left */
  void* next_hop;    /* its first, or null */
  uint32_t protocol; /* the EntityProtocolId of the route's owner, and its EntityInstanceId */
  uint32_t protocol_instance;
  uint32_t metric;
  uint32_t preference;
  uint32_t interface_index; /* of the next hop, like its address */
  uint16_t hop_count;
  uint16_t bits;           /* the length of the prefix that matches */
  uint8_t hop_address[16]; /* of an IPv4 table: IPv4 where the last 12 bytes are zero, else IPv6 */
} TpRtmMatch;

/* The routes come with a reference for the caller, to be given back by RtmReleaseRoutes: one for each match whose
 * `route` is not null. */
#define TP_RTM_REFERENCE 1u

/* The longest match of `count` addresses, each as RtmGetMostSpecificDestination finds it: 4 bytes each for IPv4
 * (aligned as in_addr), 16 for IPv6, in network order. `view`: one RTM_VIEW_MASK_…, or 0 for any; with 0 the route is
 * the best one of the table's first view.
 *
 * The first call, or one after the table has grown by a destination, may build the structure that makes it quick (some
 * 60 ms for a million routes): it does when addresses asked meanwhile have cost as much, and goes by the table's own
 * trie until then. The answers are the same: each is the longest match at a moment between call and return. A
 * destination that another client has locked is answered as it stands.
 * 0. 87: null with a count, more than one view, an unknown flag, misaligned. 50: a view that there is not. 6. 8: with
 * TP_RTM_REFERENCE; nothing is held then. */
TP_API uint32_t TpRtmMatchRoutes(void* entity, uint32_t view, uint32_t flags, const void* addresses, uint32_t count,
                                 TpRtmMatch* matches) TP_NOEXCEPT;

/* The same for who wants to know no more than the destination: its handle, or null. The quickest. */
TP_API uint32_t TpRtmMatchDestinations(void* entity, uint32_t view, const void* addresses, uint32_t count,
                                       void** destinations) TP_NOEXCEPT;

/* --- a consistent picture of a table ---------------------------------------------------------------------------------
 */

/* An open snapshot; 0 is none. It belongs to the process: any thread may read it, and it outlives who opened it. */
typedef uint64_t TpRtmSnapshot;

typedef struct TpRtmSnapshotHop {
  TpRtmAddress address;
  uint32_t interface_index;
} TpRtmSnapshotHop;

typedef struct TpRtmSnapshotRoute {
  TpRtmAddress destination;
  uint32_t views;
  uint32_t best_in; /* the views in which it is the best one */
  uint32_t protocol;
  uint32_t protocol_instance;
  uint32_t metric;
  uint32_t preference;
  uint16_t flags;
  uint16_t hop_count;
  const TpRtmSnapshotHop* hops; /* valid until the snapshot is closed */
} TpRtmSnapshotRoute;

/* All routes of the table as they are at one moment during the call, which nobody else has to wait for. Held ones are
 * not among them. It takes about 100 bytes a route until it is closed. 87: null. 8. 6. */
TP_API uint32_t TpRtmOpenSnapshot(void* entity, TpRtmSnapshot* snapshot) TP_NOEXCEPT;

/* How many routes it has. 6: not open. 87: null. */
TP_API uint32_t TpRtmSnapshotSize(TpRtmSnapshot snapshot, uint64_t* routes) TP_NOEXCEPT;

/* Up to *count routes from number `first` (0, 1, …) on, ordered by address, the shorter prefix first, and for one
 * destination by rank; *count becomes how many. 259: there is none from there on, *count is 0. 6: not open. 87: null,
 * or no count. */
TP_API uint32_t TpRtmReadSnapshot(TpRtmSnapshot snapshot, uint64_t first, TpRtmSnapshotRoute* routes,
                                  uint32_t* count) TP_NOEXCEPT;

/* 6: not open (any more). */
TP_API uint32_t TpRtmCloseSnapshot(TpRtmSnapshot snapshot) TP_NOEXCEPT;

/* --- change notification in a poll loop ------------------------------------------------------------------------------
 */

/* A descriptor that is readable (POLLIN) while changes wait for that registration (RTM_NOTIFY_HANDLE). When it is, call
 * RtmGetChangedDests until it says 259: that makes it unreadable. A client that polls needs no event callback.
 *
 * Do not read, write or close it: it belongs to the registration and is closed with it; take it out of the poll set
 * before, or poll a dup() of it. The same descriptor is returned each time. 6: not a registration of the caller's. 8:
 * no descriptor is left. 87: null. */
TP_API uint32_t TpRtmChangeDescriptor(void* entity, void* notify, int* descriptor) TP_NOEXCEPT;

/* --- what an administrator prefers ----------------------------------------------------------------------------------
 */

/* Of routes to one destination that of the lowest preference is used, whoever added it. A route that is added with
 * preference 0, and every route of RTMv1, has the one of its owner's EntityProtocolId. The usual ones: local 1, static
 * 3 (10006), static that does not dial 5 (10007), autostatic 7 (10002), network management 10, BGP 20, OSPF 110, IS-IS
 * 115, RIP 120, any other 100. */
typedef struct TpRtmPreference {
  uint32_t protocol;
  uint32_t preference; /* 1 is the best */
} TpRtmPreference;

#define TP_RTM_MAX_PREFERENCES 1024u

/* These protocols' preferences instead of the usual ones, in the table of that instance and family (AF_INET, AF_INET6),
 * be it there already or not; what an earlier call has said is forgotten. Who hosts the table decides: it takes no
 * entity. When it returns, routes that are there without a preference of their own have been ranked anew, each as if
 * its owner had updated it; those that came with one keep it. 0. 87: null with a count, more than
 * TP_RTM_MAX_PREFERENCES, a preference of 0, a protocol twice, another family. 1168: no such instance is configured. 8.
 */
TP_API uint32_t TpRtmSetPreferences(uint16_t instance, uint16_t family, const TpRtmPreference* preferences,
                                    uint32_t count) TP_NOEXCEPT;

/* What a protocol's routes get. 87: null, another family. 1168: as above. */
TP_API uint32_t TpRtmGetPreference(uint16_t instance, uint16_t family, uint32_t protocol,
                                   uint32_t* preference) TP_NOEXCEPT;

/* --- statistics ------------------------------------------------------------------------------------------------------
 */

typedef struct TpRtmTableStatistics {
  uint32_t size; /* in: sizeof of the structure; members may be added at its end */
  uint32_t reserved;
  uint64_t entities, destinations, routes, next_hops; /* that exist, those too that only a reference keeps */
  uint64_t live_routes;
  uint64_t enumerations, lists, registrations;
  uint64_t changes_waiting, deadlines, object_locks;
  uint64_t record_bytes, trie_bytes, other_bytes;
  /* Of long work: how often, and how long at most, the table's lock was held; and for how much of such a time the
   * thread that held it was running (on a busy machine the rest is other people's). */
  uint64_t steps, longest_step_ns, longest_step_busy_ns;
  uint64_t callback_throws;
  uint64_t index_routes, index_bytes, index_builds; /* of longest match in bulk */
} TpRtmTableStatistics;

/* Of the caller's table. 87: null, or a size that is none. 6. */
TP_API uint32_t TpRtmGetTableStatistics(void* entity, TpRtmTableStatistics* statistics) TP_NOEXCEPT;

typedef struct TpRtmEntityStatistics {
  uint32_t size; /* as above */
  uint32_t protocol;
  uint32_t protocol_instance;
  uint32_t reserved;
  uint64_t routes, next_hops;
  uint64_t registrations, enumerations, lists;
  uint64_t changes_waiting;
  uint64_t events_waiting, events_told;
  uint64_t calls_blocked; /* calls of its threads that wait for somebody, now */
} TpRtmEntityStatistics;

/* Of an entity of the caller's table, whose handle he has; null: of himself. 87: null, or a size that is none. 6. */
TP_API uint32_t TpRtmGetEntityStatistics(void* entity, void* about, TpRtmEntityStatistics* statistics) TP_NOEXCEPT;

/* --- journal
 * ------------------------------------------------------------------------------------------------------------- */

#define TP_RTM_MAX_JOURNAL 1048576u

#define TP_RTM_ADDED 1u
#define TP_RTM_UPDATED 2u
#define TP_RTM_DELETED 3u /* by its owner */
#define TP_RTM_EXPIRED 4u /* its time to live ended */
#define TP_RTM_SWEPT 5u   /* its owner left */

typedef struct TpRtmJournalEntry {
  uint64_t number; /* 1, 2, …: one for each change while a journal is kept */
  uint64_t time;   /* FILETIME: 100 ns since 1601 */
  uint32_t what;
  TpRtmAddress destination;
  uint32_t views;
  uint32_t protocol; /* of the route's owner */
  uint32_t protocol_instance;
  uint32_t metric;
  uint32_t preference;
  uint32_t was_best; /* 1: it was, or became, the best route of a view */
} TpRtmJournalEntry;

/* The caller's table keeps the last `capacity` changes of routes from now on, 80 bytes each, whoever makes them; 0:
 * none, and what was kept is forgotten, as with each call. Off at first. 87: above TP_RTM_MAX_JOURNAL. 8. 6. */
TP_API uint32_t TpRtmKeepJournal(void* entity, uint32_t capacity) TP_NOEXCEPT;

/* Up to *count entries with a number above `after`, the oldest first; *count becomes how many. A number that is not
 * the next one tells how many were overwritten. 259: none, *count is 0. 1168: no journal is kept. 87: null, or no
 * count. 6. */
TP_API uint32_t TpRtmReadJournal(void* entity, uint64_t after, TpRtmJournalEntry* entries, uint32_t* count) TP_NOEXCEPT;

TP_END

#endif
