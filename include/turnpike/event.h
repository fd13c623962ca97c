/* What Windows never had: an object of the base shim in a poll loop. */
#ifndef TURNPIKE_EVENT_H
#define TURNPIKE_EVENT_H

#include <turnpike/api.h>

TP_BEGIN

/* A descriptor that is readable (POLLIN) while the object of the handle is signalled: an event, a semaphore above zero,
 * a waitable timer, a thread that has ended. A mutex has none, because being signalled depends on who asks.
 *
 * What a poller may do: watch it for POLLIN with poll, select, epoll (level- or edge-triggered: each change from not
 * signalled to signalled is an edge), io_uring. Readable means: somebody can take the object now. To take it, call
 * WaitForSingleObject(handle, 0), which for an auto-reset event also makes the descriptor unreadable; another thread
 * may have been quicker, so be ready for WAIT_TIMEOUT and poll on. A signal that goes straight to a thread that waits
 * for the object never shows here.
 *
 * What a poller must not do: read, write or close it. It belongs to the object, and is closed when the object's last
 * handle is closed and nobody waits with it any more; take it out of the poll set before, or poll a dup() of it.
 *
 * The same descriptor is returned each time. It costs nothing until it is asked for first; from then on each change of
 * state costs a system call. Returns -1 with errno EBADF (the handle is null, closed or of another kind), EINVAL (a
 * mutex), EMFILE or ENFILE (no descriptors left). */
TP_API int TpEventDescriptor(void* handle) TP_NOEXCEPT;

TP_END

#endif
