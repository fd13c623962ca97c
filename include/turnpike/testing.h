/* Hooks for tests of a client, and of Turnpike itself: turn the clock instead of sleeping, wait until everything that
 * is due has been said, count what is alive. A program that does not call these pays nothing for them.
 *
 * They concern this process alone (one process, one world), may be called from any thread but not from inside a
 * callback of the library (TpClockAdvance and TpDrain would wait for themselves: they return at once instead, 0). */
#ifndef TURNPIKE_TESTING_H
#define TURNPIKE_TESTING_H

#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

/* From now on the library's clock stands still and moves only by TpClockAdvance. To be called before the first client
 * registers; returns 1, or 0 where a client is registered already (nothing changes then). */
TP_API int TpClockUseTest(void) TP_NOEXCEPT;

/* Back to the system's clock. Returns 1, or 0 where a client is still registered. */
TP_API int TpClockUseSystem(void) TP_NOEXCEPT;

/* Turns the test clock by so many milliseconds. When it returns, every timer that became due has run and every event
 * that this caused has been delivered: the callbacks have returned. Returns 1; 0 without a test clock. */
TP_API int TpClockAdvance(uint32_t milliseconds) TP_NOEXCEPT;

/* Waits until every event queued so far, for any client, has been delivered and its callback has returned. */
TP_API int TpDrain(void) TP_NOEXCEPT;

/* What can be counted. */
#define TP_KIND_ANY 0u
#define TP_KIND_ENTITY 1u
#define TP_KIND_DESTINATION 2u
#define TP_KIND_ROUTE 3u
#define TP_KIND_NEXT_HOP 4u
#define TP_KIND_ENUMERATION 5u
#define TP_KIND_ROUTE_LIST 6u
#define TP_KIND_NOTIFICATION 7u
#define TP_KIND_RTMV1_ENUMERATION 9u /* 8 is an RTMv1 client's handle: the client is an entity */

/* Objects of that kind that are alive in the process, tombstones included. */
TP_API uint64_t TpObjectCount(uint32_t kind) TP_NOEXCEPT;

/* References that clients hold on objects of that kind: what they still owe a release for. */
TP_API uint64_t TpReferenceCount(uint32_t kind) TP_NOEXCEPT;

/* Handles that clients left behind when they deregistered, since the process began (each was reported in the log). */
TP_API uint64_t TpLeakCount(uint32_t kind) TP_NOEXCEPT;

/* The configuration of one routing table, as a host injects it: section 5 of docs/contract/rtmv2.md gives the meaning,
 * the defaults and the limits. */
typedef struct TP_RTM_TABLE {
  uint16_t instance;
  uint16_t family;
  uint32_t max_next_hops_in_route;
  uint32_t max_handles_in_enum;
  uint32_t opaque_slots;
  uint32_t max_change_registrations;
} TP_RTM_TABLE;

/* The tables that clients may register with from now on; null: the defaults again. Values are taken as they are, so
 * that a test can see a registration with a table that is out of its limits be refused (ERROR_BAD_CONFIGURATION).
 * Returns 1, or 0 where a client is registered already (nothing changes then). */
TP_API int TpRtmConfigure(const TP_RTM_TABLE* tables, uint32_t count) TP_NOEXCEPT;

/* Multicast: the forwarder in memory, in the place of the kernel's. Addresses are in network byte order. */

/* From now on these devices exist, for IPv4 and IPv6, and no others; null: those of the system. Returns 1, or 0
 * without memory. */
TP_API int TpMgmUseDevices(const uint32_t* devices, uint32_t count) TP_NOEXCEPT;

/* A packet comes in on a device, and this thread is MGM's: the callbacks that it leads to have returned when this does.
 * `header`, `size`: the packet as far as it goes; null: an IP header without options is made up. Returns on how many
 * devices it left, the first `capacity` of them in `left`; -1 where no entry took it. */
TP_API int TpMgmPacket(uint32_t source, uint32_t group, uint32_t device, const void* header, uint32_t size,
                       uint32_t* left, uint32_t capacity) TP_NOEXCEPT;

/* The forwarder's entry of that flow: how many outgoing devices it has, the first `capacity` of them in `out`,
 * ascending; -1: it has none. `parent` may be null. */
TP_API int TpMgmForwarderEntry(uint32_t source, uint32_t group, uint32_t* parent, uint32_t* out,
                               uint32_t capacity) TP_NOEXCEPT;

/* How many virtual interfaces the forwarder has; whether a device has one. */
TP_API uint32_t TpMgmForwarderDevices(void) TP_NOEXCEPT;
TP_API int TpMgmForwarderHasDevice(uint32_t device) TP_NOEXCEPT;

/* From now on so many calls that add something to the forwarder succeed, then all fail with that errno; negative: all
 * succeed. */
TP_API void TpMgmForwarderFailAfter(int calls, int system_code) TP_NOEXCEPT;

TP_END

#endif
