/*
 * NRP, the Neighbour Reachability Protocol: a small distance-vector routing protocol, written as one writes a routing
 * protocol for the Windows router. Nothing in this folder knows of another system: the same files compile with a
 * Windows tool chain.
 *
 * What it does. Every AnnouncePeriod a router multicasts, on each of its NRP interfaces, the destinations that it can
 * reach with a metric from 1 to 15. Who hears that on interface i adds the destinations to the routing table with the
 * speaker as next hop and the metric plus the interface's cost. A destination not heard again within RouteLifetime
 * expires. One that is lost is announced with metric 16, "unreachable", while the routing table holds it down.
 *
 * Reading order:
 *   module.c      the entry point, the functions that the router manager calls, start and stop
 *   config.c      the two configuration blocks, and what is right in them
 *   interfaces.c  the interface table: added, bound to addresses, enabled, disabled, deleted
 *   socket.c      one socket an interface, its event, and what arrives on it
 *   packet.c      the bytes on the wire
 *   routes.c      the client of the routing table manager
 *   announce.c    what is told to the neighbours, and when
 *   events.c      the queue of messages to the router manager
 *   work.c        worker items, and the count that makes a clean stop possible
 *   mib.c         statistics, by the management interface
 *
 * Threads. The router manager makes one call at a time. Beside it run callbacks of the thread pool (sockets, the timer,
 * worker items), those of the routing table manager, and the thread that finishes a stop.
 *
 * Locks. Nrp.Lock guards the interface table, both kinds of configuration and the queue of messages; no function of the
 * routing table manager and no support function is called with it held, because they may call back. An interface's
 * SocketLock guards its socket against a send while it is opened or closed. What is a LONG is changed by
 * Interlocked functions alone, and no lock is needed to look at it.
 */
#ifndef NRP_H
#define NRP_H

#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>

#include <mprerror.h>
#include <routprot.h>
#include <rtmv2.h>
#include <rtutils.h>

#define NRP_VENDOR 0x3001
#define NRP_PROTOCOL_ID PROTOCOL_ID(PROTO_TYPE_UCAST, NRP_VENDOR, 1)

#define NRP_PORT 5217
#define NRP_GROUP "239.255.52.17"
#define NRP_INFINITY 16

/* The module's global information block, version 1. */
#define NRP_GLOBAL_VERSION 1
typedef struct _NRP_GLOBAL_CONFIG {
    ULONG AnnouncePeriod;  /* milliseconds, 100 to 3,600,000 */
    ULONG RouteLifetime;   /* milliseconds, more than AnnouncePeriod */
    ULONG HoldTime;        /* milliseconds that a lost destination is announced as unreachable; 0: not at all */
    ULONG LoggingLevel;    /* one of NRP_LOG_… */
    ULONG RedistributeAll; /* 0: announce NRP and directly connected destinations only */
} NRP_GLOBAL_CONFIG, *PNRP_GLOBAL_CONFIG;

#define NRP_LOG_NONE 0
#define NRP_LOG_ERROR 1
#define NRP_LOG_INFORMATION 2

/* The module's block for an interface, version 1. */
#define NRP_INTERFACE_VERSION 1
typedef struct _NRP_INTERFACE_CONFIG {
    ULONG Cost;    /* added to the metric of what is learned here, 1 to 15 */
    ULONG Passive; /* non-zero: listen, do not announce */
} NRP_INTERFACE_CONFIG, *PNRP_INTERFACE_CONFIG;

/* Statistics of one interface, as the management interface returns them. */
typedef struct _NRP_INTERFACE_STATS {
    ULONG InterfaceIndex;
    LONG Active;
    LONG PacketsSent;
    LONG PacketsReceived;
    LONG PacketsDropped;
    LONG RoutesLearned;
} NRP_INTERFACE_STATS, *PNRP_INTERFACE_STATS;

typedef struct _NRP_INTERFACE {
    LIST_ENTRY Link;
    WCHAR Name[64];
    ULONG Index;
    NRP_INTERFACE_CONFIG Config;
    IP_LOCAL_BINDING Binding; /* the first address, zero: not bound; changes only while there is no socket */
    BOOL Enabled;             /* by the router manager */
    BOOL Closing;
    LONG References; /* the table's own, and one for each user outside the lock */
    CRITICAL_SECTION SocketLock;
    SOCKET Socket;
    HANDLE SocketEvent;
    HANDLE SocketWait;
    NRP_INTERFACE_STATS Stats;
} NRP_INTERFACE, *PNRP_INTERFACE;

typedef enum _NRP_STATE { NrpStopped, NrpStarting, NrpRunning, NrpStopping } NRP_STATE;

/* Everything the module knows. One router, one instance. */
typedef struct _NRP_MODULE {
    CRITICAL_SECTION Lock;
    LONG State; /* an NRP_STATE */
    NRP_GLOBAL_CONFIG Config;
    SUPPORT_FUNCTIONS Support;
    LIST_ENTRY Interfaces;
    LIST_ENTRY Messages;
    HANDLE NotificationEvent; /* the router manager's: set when Messages is not empty */
    HANDLE TimerQueue;
    HANDLE AnnounceTimer;
    LONG TriggerQueued;
    LONG WorkItems;   /* outstanding, plus one while the module runs */
    HANDLE WorkDone;  /* set when WorkItems reaches zero */
    LONG StopPending; /* ROUTER_STOPPED is due, behind all other messages */
    HANDLE StopThread;
    DWORD TraceId;
    HANDLE LogHandle;
    RTM_ENTITY_HANDLE Entity;
    RTM_REGN_PROFILE Profile;
    RTM_NOTIFY_HANDLE Notify;
} NRP_MODULE;

extern NRP_MODULE Nrp;

/* Room for a route with as many next hops as we are ready for; more are refused at registration. */
#define NRP_MAX_NEXTHOPS 64
typedef union _NRP_ROUTE_BUFFER {
    RTM_ROUTE_INFO Info;
    BYTE Room[sizeof(RTM_ROUTE_INFO) + NRP_MAX_NEXTHOPS * sizeof(RTM_NEXTHOP_HANDLE)];
} NRP_ROUTE_BUFFER;

/* One destination as it stands in an announcement. */
typedef struct _NRP_ENTRY {
    DWORD Network; /* network byte order */
    BYTE Length;
    BYTE Metric;
} NRP_ENTRY, *PNRP_ENTRY;

#define NRP_MAX_ENTRIES 60
#define NRP_MAX_PACKET 484

/* config.c */
extern const NRP_GLOBAL_CONFIG NrpDefaultConfig;
DWORD NrpCheckGlobalConfig(PVOID Info, ULONG Version, ULONG Size, ULONG Count);
DWORD NrpCheckInterfaceConfig(PVOID Info, ULONG Version, ULONG Size, ULONG Count);
NRP_GLOBAL_CONFIG NrpGlobalConfig(void);
NRP_INTERFACE_CONFIG NrpInterfaceConfig(PNRP_INTERFACE Interface);

/* interfaces.c */
PNRP_INTERFACE NrpReferenceInterface(ULONG Index);
PNRP_INTERFACE NrpReferenceNextInterface(ULONG AfterIndex);
void NrpDereferenceInterface(PNRP_INTERFACE Interface);
void NrpDeleteAllInterfaces(void);
DWORD WINAPI NrpAddInterface(LPWSTR Name, ULONG Index, NET_INTERFACE_TYPE Type, DWORD Media, WORD Access,
                             WORD Connection, PVOID Info, ULONG Version, ULONG Size, ULONG Count);
DWORD WINAPI NrpDeleteInterface(ULONG Index);
DWORD WINAPI NrpInterfaceStatus(ULONG Index, BOOL Active, DWORD StatusType, PVOID StatusInfo);
DWORD WINAPI NrpGetInterfaceInfo(ULONG Index, PVOID Info, PULONG BufferSize, PULONG Version, PULONG Size, PULONG Count);
DWORD WINAPI NrpSetInterfaceInfo(ULONG Index, PVOID Info, ULONG Version, ULONG Size, ULONG Count);

/* socket.c */
DWORD NrpOpenSocket(PNRP_INTERFACE Interface);
void NrpCloseSocket(PNRP_INTERFACE Interface);
void NrpSend(PNRP_INTERFACE Interface, const NRP_ENTRY *Entries, ULONG Count);

/* packet.c */
ULONG NrpEncode(BYTE *Packet, const NRP_ENTRY *Entries, ULONG Count);
BOOL NrpDecode(const BYTE *Packet, ULONG Size, PNRP_ENTRY Entries, ULONG *Count);

/* routes.c */
DWORD NrpRegisterWithRtm(void);
void NrpDeregisterFromRtm(void);
void NrpLearn(PNRP_INTERFACE Interface, DWORD Neighbour, const NRP_ENTRY *Entries, ULONG Count);
void NrpForgetInterface(ULONG Index);
void NrpReadChanges(void);

/* announce.c */
DWORD NrpStartAnnouncing(void);
void NrpStopAnnouncing(void);
void NrpTriggerAnnouncement(void);

/* module.c */
void NrpFinishReset(void);

/* events.c */
BOOL NrpQueueMessage(ROUTING_PROTOCOL_EVENTS Event, const MESSAGE *Message);
void NrpQueueStopped(void);
void NrpDropMessages(void);
DWORD WINAPI NrpGetEventMessage(ROUTING_PROTOCOL_EVENTS *Event, MESSAGE *Result);

/* work.c */
DWORD NrpStartWork(void);
BOOL NrpEnterWork(void);
void NrpLeaveWork(void);
BOOL NrpQueueWork(LPTHREAD_START_ROUTINE Function, PVOID Context);
void NrpFinishWork(void);

/* mib.c */
DWORD WINAPI NrpMibGet(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out);
DWORD WINAPI NrpMibGetFirst(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out);
DWORD WINAPI NrpMibGetNext(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out);
DWORD WINAPI NrpMibReadOnly(ULONG InSize, PVOID In);
DWORD WINAPI NrpMibNoTrap(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out);
DWORD WINAPI NrpMibNoTrapEvent(HANDLE Event, ULONG InSize, PVOID In, PULONG OutSize, PVOID Out);

#define NRP_READ(Value) InterlockedCompareExchange(&(Value), 0, 0)

#define NRP_TRACE(...) TracePrintfEx(Nrp.TraceId, TRACE_USE_MSEC, __VA_ARGS__)

#endif
