/*
 * What is told to the neighbours, and when: everything each AnnouncePeriod by a timer of the timer queue, and soon
 * after a best route changed. Triggered announcements are merged: one worker item at most waits to run.
 *
 * Split horizon: a destination is not announced on the interface through which it is reached. Each time a destination
 * of ours is announced it is marked for hold-down, so that the routing table keeps it for HoldTime after its last route
 * went; while it is held it is announced as unreachable.
 */
#include "nrp.h"

typedef struct _NRP_ANNOUNCEMENT {
    PNRP_INTERFACE Interface;
    NRP_GLOBAL_CONFIG Config;
    NRP_ENTRY Entries[NRP_MAX_ENTRIES];
    ULONG Count;
} NRP_ANNOUNCEMENT, *PNRP_ANNOUNCEMENT;

static void NrpFlush(PNRP_ANNOUNCEMENT Announcement)
{
    if (Announcement->Count > 0) {
        NrpSend(Announcement->Interface, Announcement->Entries, Announcement->Count);
        Announcement->Count = 0;
    }
}

static void NrpAppendEntry(PNRP_ANNOUNCEMENT Announcement, PRTM_NET_ADDRESS Dest, ULONG Metric)
{
    PNRP_ENTRY Entry = &Announcement->Entries[Announcement->Count++];

    CopyMemory(&Entry->Network, Dest->AddrBits, 4);
    Entry->Length = (BYTE)Dest->NumBits;
    Entry->Metric = (BYTE)min(Metric, NRP_INFINITY);
    if (Announcement->Count == NRP_MAX_ENTRIES) {
        NrpFlush(Announcement);
    }
}

static BOOL NrpLeavesThrough(PRTM_ROUTE_INFO Route, ULONG InterfaceIndex)
{
    ULONG i;

    for (i = 0; i < Route->NextHopsList.NumNextHops; i++) {
        RTM_NEXTHOP_INFO NextHop;
        BOOL Here;

        if (RtmGetNextHopInfo(Nrp.Entity, Route->NextHopsList.NextHops[i], &NextHop) != NO_ERROR) {
            continue;
        }
        Here = NextHop.InterfaceIndex == InterfaceIndex;
        RtmReleaseNextHopInfo(Nrp.Entity, &NextHop);
        if (Here) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The metric with which a route of somebody is announced here; 0: not at all. */
static ULONG NrpMetricFor(PNRP_ANNOUNCEMENT Announcement, PRTM_ROUTE_INFO Route)
{
    if (NrpLeavesThrough(Route, Announcement->Interface->Index)) {
        return 0;
    }
    if (Route->RouteOwner == Nrp.Entity) {
        return Route->PrefInfo.Metric;
    }
    return Announcement->Config.RedistributeAll || (Route->Flags & RTM_ROUTE_FLAGS_LOCAL) != 0 ? 1 : 0;
}

static void NrpAnnounceRoute(PNRP_ANNOUNCEMENT Announcement, PRTM_DEST_INFO Dest)
{
    NRP_ROUTE_BUFFER Route;
    ULONG Metric;

    if (RtmGetRouteInfo(Nrp.Entity, Dest->ViewInfo[0].Route, &Route.Info, NULL) != NO_ERROR) {
        return;
    }
    Metric = NrpMetricFor(Announcement, &Route.Info);
    if (Metric != 0) {
        if (Route.Info.RouteOwner == Nrp.Entity && Announcement->Config.HoldTime != 0) {
            RtmHoldDestination(Nrp.Entity, Dest->DestHandle, RTM_VIEW_MASK_UCAST, Announcement->Config.HoldTime);
        }
        NrpAppendEntry(Announcement, &Dest->DestAddress, Metric);
    }
    RtmReleaseRouteInfo(Nrp.Entity, &Route.Info);
}

static void NrpAnnounceDestination(PNRP_ANNOUNCEMENT Announcement, RTM_DEST_HANDLE Handle)
{
    RTM_DEST_INFO Dest;

    if (RtmGetDestInfo(Nrp.Entity, Handle, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &Dest) != NO_ERROR) {
        return;
    }
    if (Dest.ViewInfo[0].Route != NULL) {
        NrpAnnounceRoute(Announcement, &Dest);
    } else if (Dest.ViewInfo[0].HoldRoute != NULL) {
        NrpAppendEntry(Announcement, &Dest.DestAddress, NRP_INFINITY);
    }
    RtmReleaseDestInfo(Nrp.Entity, &Dest);
}

static void NrpAnnounceOn(PNRP_INTERFACE Interface)
{
    NRP_ANNOUNCEMENT Announcement;
    RTM_ENUM_HANDLE Enum;
    DWORD Error;

    Announcement.Interface = Interface;
    Announcement.Config = NrpGlobalConfig();
    Announcement.Count = 0;
    /* Every view: only so are held destinations among the results. */
    if (RtmCreateDestEnum(Nrp.Entity, RTM_VIEW_MASK_ANY, RTM_ENUM_START | RTM_ENUM_ALL_DESTS, NULL, RTM_BEST_PROTOCOL,
                          &Enum) != NO_ERROR) {
        return;
    }
    do {
        RTM_DEST_INFO Dest[2]; /* room for both views */
        UINT Count = 1;

        Error = RtmGetEnumDests(Nrp.Entity, Enum, &Count, Dest);
        if ((Error == NO_ERROR || Error == ERROR_NO_MORE_ITEMS) && Count != 0) {
            NrpAnnounceDestination(&Announcement, Dest[0].DestHandle);
            RtmReleaseDests(Nrp.Entity, Count, Dest);
        }
    } while (Error == NO_ERROR);
    RtmDeleteEnumHandle(Nrp.Entity, Enum);
    NrpFlush(&Announcement);
}

static DWORD WINAPI NrpAnnounceAll(LPVOID Parameter)
{
    PNRP_INTERFACE Interface;
    ULONG Index = 0;

    (void)Parameter;
    InterlockedExchange(&Nrp.TriggerQueued, 0);
    NrpReadChanges();
    while ((Interface = NrpReferenceNextInterface(Index)) != NULL) {
        Index = Interface->Index;
        if (NRP_READ(Interface->Stats.Active) && !NrpInterfaceConfig(Interface).Passive) {
            NrpAnnounceOn(Interface);
        }
        NrpDereferenceInterface(Interface);
    }
    return 0;
}

void NrpTriggerAnnouncement(void)
{
    if (NRP_READ(Nrp.State) != NrpRunning || InterlockedExchange(&Nrp.TriggerQueued, 1) != 0) {
        return;
    }
    if (!NrpQueueWork(NrpAnnounceAll, NULL)) {
        InterlockedExchange(&Nrp.TriggerQueued, 0);
    }
}

static VOID CALLBACK NrpAnnounceTick(PVOID Context, BOOLEAN TimedOut)
{
    (void)Context, (void)TimedOut;
    NrpTriggerAnnouncement();
}

DWORD NrpStartAnnouncing(void)
{
    Nrp.TimerQueue = CreateTimerQueue();
    if (Nrp.TimerQueue == NULL) {
        return GetLastError();
    }
    if (!CreateTimerQueueTimer(&Nrp.AnnounceTimer, Nrp.TimerQueue, NrpAnnounceTick, NULL, 0, Nrp.Config.AnnouncePeriod,
                               WT_EXECUTEDEFAULT)) {
        DWORD Error = GetLastError();

        DeleteTimerQueueEx(Nrp.TimerQueue, NULL);
        Nrp.TimerQueue = NULL;
        return Error;
    }
    return NO_ERROR;
}

void NrpStopAnnouncing(void)
{
    if (Nrp.TimerQueue != NULL) {
        /* Waits until no tick runs and none will. */
        DeleteTimerQueueEx(Nrp.TimerQueue, INVALID_HANDLE_VALUE);
        Nrp.TimerQueue = NULL;
        Nrp.AnnounceTimer = NULL;
    }
}
