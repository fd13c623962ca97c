/* What ndis.h never had, because Windows did it: who starts the library, brings drivers in and takes them out, says
 * which adapters they are bound to; and, for tests and programs that need no kernel, adapters in memory and knobs.
 *
 * A program that links its protocol driver needs none of this: NDIS starts with the first protocol that registers, on
 * the interfaces of that thread's network namespace, and binds it to every Ethernet interface. turnpike-ndis-host does
 * the rest for drivers in shared objects.
 *
 * All functions may be called from any thread, but for those that say otherwise. They return the error codes of
 * winerror.h: NO_ERROR (0); ERROR_INVALID_PARAMETER (87) for a null pointer or a value that cannot be;
 * ERROR_NOT_FOUND (1168) for a name, an index or a driver that is not there; ERROR_NOT_READY (21) where NDIS has not
 * been started; ERROR_NOT_ENOUGH_MEMORY (8). Others stand with the call. Text is UTF-8. */
#ifndef TURNPIKE_NDIS_H
#define TURNPIKE_NDIS_H

#include <stddef.h>
#include <stdint.h>

#include <turnpike/api.h>

TP_BEGIN

/* --- the library */

#define TP_NDIS_ADAPTERS_KERNEL 1u /* the interfaces of the calling thread's network namespace */
#define TP_NDIS_ADAPTERS_MEMORY 2u /* those that TpNdisAdapterCreate makes */

typedef struct TP_NDIS_OPTIONS {
  uint32_t size;        /* sizeof(TP_NDIS_OPTIONS) */
  uint32_t adapters;    /* TP_NDIS_ADAPTERS_… */
  uint32_t watchdog_ms; /* how long a deregistration waits for a driver before the log says for what. 0: 30 s */
} TP_NDIS_OPTIONS;

/* Null options: the kernel's interfaces. ERROR_ALREADY_EXISTS (183): it has started;
 * ERROR_GEN_FAILURE (31): the kernel refused something. */
TP_API uint32_t TpNdisStart(const TP_NDIS_OPTIONS* options) TP_NOEXCEPT;

/* ERROR_BUSY (170): protocols are registered. */
TP_API uint32_t TpNdisStop(void) TP_NOEXCEPT;

/* Waits until it is known which adapters there are and nothing is due: no bind, unbind or event to be told, no
 * completion on its way. Not from inside a callback of a driver. */
TP_API uint32_t TpNdisQuiesce(void) TP_NOEXCEPT;

/* --- drivers */

typedef uint64_t TP_NDIS_DRIVER;

/* Loads a shared object and calls its DriverEntry with a driver object of its own and the path
 * `\Registry\Machine\System\CurrentControlSet\Services\<name>`, where the name is that of the file without its ending.
 * ERROR_MOD_NOT_FOUND (126): it cannot be loaded, and the log says why; ERROR_PROC_NOT_FOUND (127): no DriverEntry;
 * ERROR_ALREADY_EXISTS (183): it is loaded, and has its variables only once;
 * ERROR_GEN_FAILURE (31): DriverEntry failed: `status` has what it returned. A protocol that it left registered then is
 * reported, and deregistered. `status` may be null. */
TP_API uint32_t TpNdisLoadDriver(const char* path, TP_NDIS_DRIVER* driver, int32_t* status) TP_NOEXCEPT;

/* The same for a driver that is linked into the program: `entry` is its DriverEntry, of type PDRIVER_INITIALIZE. */
TP_API uint32_t TpNdisStartDriver(const char* name, void* entry, TP_NDIS_DRIVER* driver, int32_t* status) TP_NOEXCEPT;

/* Unbinds the driver's protocols from everything, calls UnloadHandler (NDIS 5), then the driver's own unload routine,
 * and unloads the shared object. By then nothing can be sent any more: a shared object that has something to say before
 * it goes exports `void TpNdisDriverLeaves(void)`, which is called first. Timers that it leaves set are cancelled, and
 * named; its work items are waited for. ERROR_GEN_FAILURE (31): the driver has no unload routine and a protocol
 * registered: it stays; or a protocol is still registered, or a work item has run for five seconds since: its code
 * stays. ERROR_BUSY (170): called inside a callback of the driver. */
TP_API uint32_t TpNdisUnloadDriver(TP_NDIS_DRIVER driver) TP_NOEXCEPT;

/* Unbinds the protocol of that name from everything and calls ProtocolUninstall (NDIS 6). */
TP_API uint32_t TpNdisUninstallProtocol(const char* protocol) TP_NOEXCEPT;

/* --- what is bound to what */

#define TP_NDIS_BIND_ALL_ETHERNET 0u /* but loopback and interfaces that are enslaved to a bridge or bond */
#define TP_NDIS_BIND_NONE 1u
#define TP_NDIS_BIND_LIST 2u

/* Lists are separated by commas; null: empty. An entry is a pattern of interface names ("eth*"), "kind:" and a pattern
 * of kinds ("kind:veth"), or a permanent address ("02:00:00:00:00:01"). */
typedef struct TP_NDIS_POLICY {
  uint32_t size; /* sizeof(TP_NDIS_POLICY) */
  uint32_t bind; /* TP_NDIS_BIND_… */
  const char* list;
  const char* exclude;
  const char* order;
  uint32_t when_up; /* not 0: bound only while the interface is up */
} TP_NDIS_POLICY;

/* For the protocol of that name, now or when it registers; null name: for all that have no policy of their own. What no
 * longer matches is unbound, what now does is bound. Before the start it is kept for it. */
TP_API uint32_t TpNdisSetBindPolicy(const char* protocol, const TP_NDIS_POLICY* policy) TP_NOEXCEPT;

/* The protocol may open adapters outside its bind callback, and one several times (as capture drivers do). Before the
 * start it is kept for it. */
TP_API uint32_t TpNdisAllowOpenAnywhere(const char* protocol, uint32_t allow) TP_NOEXCEPT;

#define TP_NDIS_XDP_TAKE_ALL 0x1u

/* The interfaces of `list` (as in TP_NDIS_POLICY; null: none) are opened over AF_XDP from now on, all others by packet
 * sockets; of one that is open nothing changes until its last binding has gone. AF_XDP takes what it receives from the
 * host, so nothing but this call chooses it, and a binding has to name the frame types that it wants (NDIS 6:
 * FrameTypeArray), else its packet filter is refused; so are PROMISCUOUS and ALL_LOCAL. With TP_NDIS_XDP_TAKE_ALL it
 * may have everything but local sends, and the host is left with nothing of that. A queue of the device that somebody
 * has just left stays busy for a while: opening waits up to a second for it. It takes CAP_NET_ADMIN and CAP_BPF besides
 * CAP_NET_RAW. An interface that cannot do it is not bound, and the log says why. May be called before the start.
 * ERROR_NOT_SUPPORTED (50): this build has no AF_XDP; 87: another flag. */
TP_API uint32_t TpNdisUseXdp(const char* list, uint32_t flags) TP_NOEXCEPT;

/* --- at the far end of a TUN or TAP interface
 *
 * Such an interface is a virtual wire: the host has the near end, some program the far one. A driver at the far end is
 * a station beside the host. What the host sends to the interface it receives, what it sends the host's stack receives,
 * and nobody else is there: no copies, no promiscuous mode, no local sends to be shown. The address of the interface is
 * the host's; the driver's is that with the first byte changed, | 0x02, ^ 0x04. Its link is connected while the
 * interface is up, its statistics are counted from its side, and whether the host has put the interface into a bridge
 * is nothing to it. A TAP interface is of NdisMedium802_3, a TUN interface of NdisMediumIP: offered to NDIS 6 alone,
 * where a policy names it, and heard whatever the packet filter says. */

/* The TUN and TAP interfaces of `list` (as in TP_NDIS_POLICY; null: none) are opened at the far end from now on, and
 * no longer beside the host's stack at the near one; of one that is bound nothing changes until its last binding has
 * gone, which is soon for a TAP interface, since its address changes. Somebody (`ip tuntap add`) has made the
 * interface; nobody else may be at its far end. Where somebody is, or the interface is of another kind, it is not
 * bound, and the log says why. It takes /dev/net/tun, and CAP_NET_ADMIN unless the interface belongs to the user of
 * this process. An interface that TpNdisUseXdp names, too, is opened as this says. May be called before the start. */
TP_API uint32_t TpNdisUseTap(const char* list) TP_NOEXCEPT;

#define TP_NDIS_TAP 1u
#define TP_NDIS_TUN 2u

/* Makes such an interface, and drivers are at its far end. It begins down and without addresses; it is there until it
 * is removed, NDIS stops, or the process ends, however that is. `name`: of at most 15 bytes; with %d in it the kernel
 * finds a number. ERROR_ALREADY_EXISTS (183): an interface has that name; ERROR_ACCESS_DENIED (5): CAP_NET_ADMIN or the
 * right to /dev/net/tun is missing; ERROR_NOT_SUPPORTED (50): NDIS runs on adapters in memory; ERROR_GEN_FAILURE (31):
 * the kernel has no TUN devices. The log names what is missing. */
TP_API uint32_t TpNdisAddTap(const char* name, uint32_t kind, uint32_t* index) TP_NOEXCEPT;

/* The interface goes at once, and is unbound. ERROR_NOT_FOUND (1168): it is none that TpNdisAddTap made;
 * ERROR_ACCESS_DENIED (5): CAP_NET_ADMIN is missing by now. */
TP_API uint32_t TpNdisRemoveTap(uint32_t index) TP_NOEXCEPT;

/* Asks every binding of an interface to let it go (NetEventQueryRemoveDevice), and unbinds them all.
 * ERROR_BUSY (170): a driver refused; those that had agreed are told (NetEventCancelRemoveDevice). Not from inside a
 * callback of a driver. */
TP_API uint32_t TpNdisReleaseAdapter(uint32_t index) TP_NOEXCEPT;

/* --- what is there */

typedef struct TP_NDIS_COUNTERS {
  uint32_t size; /* of this structure as the caller knows it; members may be added */
  uint32_t reserved;
  uint64_t protocols, bindings, bind_operations, unbind_operations, adapters;
  uint64_t sends, requests, retained, callbacks; /* outstanding */
  uint64_t violations;                           /* of drivers, since the start */
  uint64_t open_adapters;                        /* each with its socket and rings */
  uint64_t packets, net_buffer_lists;            /* that drivers have out of their pools */
} TP_NDIS_COUNTERS;

TP_API uint32_t TpNdisGetCounters(TP_NDIS_COUNTERS* counters) TP_NOEXCEPT;

#define TP_NDIS_BINDING_OPENING 0u
#define TP_NDIS_BINDING_PAUSED 1u
#define TP_NDIS_BINDING_RESTARTING 2u
#define TP_NDIS_BINDING_RUNNING 3u /* of NDIS 5, which knows no pause: open */
#define TP_NDIS_BINDING_PAUSING 4u
#define TP_NDIS_BINDING_CLOSING 5u
#define TP_NDIS_BINDING_CLOSED 6u

typedef struct TP_NDIS_BINDING {
  uint32_t size;       /* of this structure as the library knows it; members may be added */
  uint32_t generation; /* 5 (or 4), 6 */
  const char* protocol;
  const char* interface_name;
  uint32_t index; /* of the interface */
  uint32_t state; /* TP_NDIS_BINDING_… */
  uint32_t filter;
  uint32_t reserved;
  uint64_t sends, requests, retained, callbacks; /* outstanding */
  /* Frames of the interface since it came, for all who are bound to it: that it gave, that somebody was given (once for
   * each), that were sent, and that were lost because nobody was in time, or because they were none. */
  uint64_t received, delivered, sent, lost;
} TP_NDIS_BINDING;

/* Shows `each` every binding there is; what it is shown lasts for its call. It may call everything but what is not to
 * be called inside a callback of a driver, and must not throw. */
TP_API uint32_t TpNdisForEachBinding(void (*each)(void* context, const TP_NDIS_BINDING* binding),
                                     void* context) TP_NOEXCEPT;

/* --- checked mode and knobs, for those who test a driver */

/* `function`, `rule` and `history` (what was last done through the handle) last for the call, which is made on the
 * thread that broke the rule. */
typedef void (*TP_NDIS_VIOLATION)(void* context, const char* function, const char* rule, uint64_t handle,
                                  const char* history);

/* From now on violations are told, besides being logged and contained; null: no longer. */
TP_API uint32_t TpNdisSetChecked(TP_NDIS_VIOLATION callback, void* context) TP_NOEXCEPT;

#define TP_NDIS_PEND_OPEN 0x1u
#define TP_NDIS_PEND_CLOSE 0x2u
#define TP_NDIS_PEND_SEND 0x4u
#define TP_NDIS_PEND_REQUEST 0x8u
#define TP_NDIS_PEND_TRANSFER 0x10u
#define TP_NDIS_PEND_RESET 0x20u /* a reset always pends */

#define TP_NDIS_KNOB_PEND 1u              /* TP_NDIS_PEND_…: these finish later, though they could at once */
#define TP_NDIS_KNOB_INLINE_COMPLETION 2u /* completions run on the stack of the call */
#define TP_NDIS_KNOB_RESOURCES 3u         /* received frames are shown as if no copies were left */
#define TP_NDIS_KNOB_LOOKAHEAD 4u         /* bytes that ProtocolReceive is shown; 0: all */
#define TP_NDIS_KNOB_HOLD_REQUESTS 5u     /* requests that pend wait until this is 0 again */

TP_API uint32_t TpNdisSetKnob(uint32_t knob, uint32_t value) TP_NOEXCEPT;

#define TP_NDIS_FAIL_REGISTER 0u
#define TP_NDIS_FAIL_OPEN 1u
#define TP_NDIS_FAIL_SEND 2u /* the first element of the call */
#define TP_NDIS_FAIL_REQUEST 3u
#define TP_NDIS_FAIL_RESET 4u
#define TP_NDIS_FAIL_TRANSFER 5u

/* The next such call, whoever makes it, does nothing and ends with that NDIS_STATUS, where it pends by its completion.
 * NDIS_STATUS_SUCCESS: as it should. NDIS_STATUS_PENDING is no end (87). */
TP_API uint32_t TpNdisFailNext(uint32_t call, int32_t status) TP_NOEXCEPT;

/* --- adapters in memory. ERROR_NOT_SUPPORTED (50): NDIS was started with others */

/* An Ethernet adapter that is up: MTU 1500, 1 Gb/s, an address of its own. */
TP_API uint32_t TpNdisAdapterCreate(const char* name, uint32_t* index) TP_NOEXCEPT;
/* One whose frames are bare IP packets, as a tun device's: offered to NDIS 6 alone, and where a policy names it. */
TP_API uint32_t TpNdisAdapterCreateIp(const char* name, uint32_t* index) TP_NOEXCEPT;
/* Also from inside a callback that one of its frames led to. */
TP_API uint32_t TpNdisAdapterDelete(uint32_t index) TP_NOEXCEPT;
TP_API uint32_t TpNdisAdapterSetCarrier(uint32_t index, uint32_t on) TP_NOEXCEPT;
TP_API uint32_t TpNdisAdapterSetMtu(uint32_t index, uint32_t mtu) TP_NOEXCEPT;
TP_API uint32_t TpNdisAdapterSetMac(uint32_t index, const uint8_t mac[6]) TP_NOEXCEPT;
TP_API uint32_t TpNdisAdapterGetMac(uint32_t index, uint8_t mac[6]) TP_NOEXCEPT;
/* A frame arrives; the callbacks that it leads to have returned when this does. ERROR_BUSY (170): nobody has opened the
 * adapter. */
TP_API uint32_t TpNdisAdapterInject(uint32_t index, const void* frame, size_t length) TP_NOEXCEPT;

typedef struct TP_NDIS_FRAME {
  const void* bytes;
  size_t length;
  uint16_t
      vlan_type;  /* 0x8100 or 0x88A8: the adapter took a VLAN tag out of it, which said `vlan`; 0: there was none */
  uint16_t vlan;  /* priority 3 bits, DEI 1, VLAN id 12 */
  uint32_t local; /* not 0: it does not come from outside, somebody else on this machine sends it */
  uint32_t checksum_good; /* not 0: the adapter has verified its checksum of TCP or UDP */
  uint32_t reserved;
} TP_NDIS_FRAME;

/* The same for frames that arrive together, at most 4096. */
TP_API uint32_t TpNdisAdapterInjectBatch(uint32_t index, const TP_NDIS_FRAME* frames, size_t count) TP_NOEXCEPT;
/* The oldest frame that was sent and not taken yet: as much of it as `capacity` holds, and in `length` how long it is.
 * ERROR_NO_MORE_ITEMS (259): there is none. */
TP_API uint32_t TpNdisAdapterTakeSent(uint32_t index, void* frame, size_t capacity, size_t* length) TP_NOEXCEPT;
/* The adapter takes so many more frames, then none; negative: all. */
TP_API uint32_t TpNdisAdapterMakeRoom(uint32_t index, int32_t frames) TP_NOEXCEPT;
/* The next open of an adapter fails with that errno. */
TP_API uint32_t TpNdisAdapterFailOpen(int32_t system_code) TP_NOEXCEPT;
/* What the adapter is asked to receive: the packet filter of the union of its bindings, and how many groups. Nothing
 * while nobody has opened it. */
TP_API uint32_t TpNdisAdapterGetReception(uint32_t index, uint32_t* filter, uint32_t* groups) TP_NOEXCEPT;

TP_END

#endif
