/* For hosts that unload drivers: which calls of a driver's code are still to come. Timers and work items call it on
 * threads of the library; one that a driver leaves behind would call where nothing is mapped any more. */
#ifndef TURNPIKE_DRIVERS_H
#define TURNPIKE_DRIVERS_H

#include <stdint.h>
#include <turnpike/api.h>

TP_BEGIN

/* run(parameter) soon, on a thread of the library, as with QueueUserWorkItem; until it has returned it counts as a call
 * of the code at that address. What stands between the library's work items and a driver's routine queues with this.
 * 0; 87 ERROR_INVALID_PARAMETER: a null `run` or `code`; 8 ERROR_NOT_ENOUGH_MEMORY: it will not run. */
TP_API uint32_t TpQueueDriverCall(uint32_t (*run)(void*), void* parameter, const void* code) TP_NOEXCEPT;

/* Ends what would still call into the shared object in which `inside` lies: timers that lie in it, or whose deferred
 * routine does, are cancelled, `*cancelled` of them; work items, and routines that have begun, are waited for. A
 * deferred call whose routine is not the driver's own says in DpcData whose code it runs.
 * 0: nothing comes into it any more, and it may be unmapped; threads that the driver has made itself are not looked at.
 * 258 WAIT_TIMEOUT: something still runs after that many milliseconds, or the caller is inside it; it must stay mapped.
 * 87 ERROR_INVALID_PARAMETER: no shared object lies there, or a null pointer. */
TP_API uint32_t TpReleaseDriverCode(const void* inside, uint32_t patience_ms, uint32_t* cancelled) TP_NOEXCEPT;

TP_END

#endif
