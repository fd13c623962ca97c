/*
 * The client of the routing table manager: one entity, one registration for changes of best routes.
 *
 * Each (destination, neighbour) is a route of its own, so that the second-best neighbour stands ready. The neighbour's
 * next-hop handle is the route's Neighbour, which makes "the same route again" a matter of the manager. Ageing is the
 * manager's too: we pass a time to live, and let it delete what expired by answering ERROR_NOT_SUPPORTED.
 */
#include "nrp.h"

/* What changed is not looked at, since everything is announced; but only what has been read is told of again. */
void NrpReadChanges(void)
{
    DWORD Error;

    do {
        RTM_DEST_INFO Info[2]; /* room for the two views that exist; only the unicast one is registered for */
        UINT Count = 1;

        Error = RtmGetChangedDests(Nrp.Entity, Nrp.Notify, &Count, Info);
        if (Error == NO_ERROR || Error == ERROR_NO_MORE_ITEMS) {
            RtmReleaseChangedDests(Nrp.Entity, Nrp.Notify, Count, Info);
        }
    } while (Error == NO_ERROR);
}

static DWORD WINAPI NrpRtmEvent(RTM_ENTITY_HANDLE Entity, RTM_EVENT_TYPE Event, PVOID Context1, PVOID Context2)
{
    (void)Entity, (void)Context1, (void)Context2;
    switch (Event) {
        case RTM_CHANGE_NOTIFICATION:
            /* Reading takes as long as it takes: it belongs on a worker. */
            NrpTriggerAnnouncement();
            return NO_ERROR;
        case RTM_ROUTE_EXPIRED:
            return ERROR_NOT_SUPPORTED;
        default:
            return NO_ERROR;
    }
}

DWORD NrpRegisterWithRtm(void)
{
    RTM_ENTITY_INFO Info;
    DWORD Error;

    ZeroMemory(&Info, sizeof(Info));
    Info.RtmInstanceId = 0;
    Info.AddressFamily = AF_INET;
    Info.EntityId.EntityProtocolId = NRP_PROTOCOL_ID;
    Error = RtmRegisterEntity(&Info, NULL, NrpRtmEvent, FALSE, &Nrp.Profile, &Nrp.Entity);
    if (Error != NO_ERROR) {
        Nrp.Entity = NULL;
        return Error;
    }
    Error = Nrp.Profile.MaxNextHopsInRoute > NRP_MAX_NEXTHOPS
                ? ERROR_NOT_SUPPORTED
                : RtmRegisterForChangeNotification(Nrp.Entity, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, &Nrp,
                                                   &Nrp.Notify);
    if (Error != NO_ERROR) {
        RtmDeregisterEntity(Nrp.Entity);
        Nrp.Entity = NULL;
    }
    return Error;
}

static void NrpDeleteRoutes(RTM_MATCH_FLAGS Match, ULONG InterfaceIndex)
{
    RTM_ENUM_HANDLE Enum;
    RTM_ROUTE_HANDLE Routes[16];
    DWORD Error;
    UINT Count, i;

    if (RtmCreateRouteEnum(Nrp.Entity, NULL, RTM_VIEW_MASK_ANY, RTM_ENUM_START | RTM_ENUM_OWN_ROUTES, NULL, Match, NULL,
                           InterfaceIndex, &Enum) != NO_ERROR) {
        return;
    }
    do {
        Count = min(ARRAYSIZE(Routes), Nrp.Profile.MaxHandlesInEnum);
        Error = RtmGetEnumRoutes(Nrp.Entity, Enum, &Count, Routes);
        if (Error != NO_ERROR && Error != ERROR_NO_MORE_ITEMS) {
            break;
        }
        for (i = 0; i < Count; i++) {
            RTM_ROUTE_CHANGE_FLAGS Flags = 0;

            if (RtmDeleteRouteToDest(Nrp.Entity, Routes[i], &Flags) != NO_ERROR) {
                RtmReleaseRoutes(Nrp.Entity, 1, &Routes[i]);
            }
        }
    } while (Error == NO_ERROR);
    RtmDeleteEnumHandle(Nrp.Entity, Enum);
}

void NrpForgetInterface(ULONG Index)
{
    if (Nrp.Entity != NULL) {
        NrpDeleteRoutes(RTM_MATCH_INTERFACE, Index);
    }
}

void NrpDeregisterFromRtm(void)
{
    if (Nrp.Entity == NULL) {
        return;
    }
    RtmDeregisterFromChangeNotification(Nrp.Entity, Nrp.Notify);
    NrpDeleteRoutes(RTM_MATCH_NONE, 0);
    RtmDeregisterEntity(Nrp.Entity);
    Nrp.Entity = NULL;
    Nrp.Notify = NULL;
}

static RTM_NEXTHOP_HANDLE NrpFindNeighbour(ULONG InterfaceIndex, DWORD Neighbour)
{
    RTM_NEXTHOP_INFO Info;
    RTM_NEXTHOP_HANDLE NextHop = NULL;
    RTM_NEXTHOP_CHANGE_FLAGS Flags = 0;

    ZeroMemory(&Info, sizeof(Info));
    RTM_IPV4_MAKE_NET_ADDRESS(&Info.NextHopAddress, Neighbour, 32);
    Info.InterfaceIndex = InterfaceIndex;
    if (RtmAddNextHop(Nrp.Entity, &Info, &NextHop, &Flags) != NO_ERROR) {
        return NULL;
    }
    return NextHop;
}

static void NrpAddLearned(PNRP_INTERFACE Interface, RTM_NEXTHOP_HANDLE Neighbour, RTM_NET_ADDRESS *Dest, ULONG Metric,
                          ULONG Lifetime)
{
    RTM_ROUTE_INFO Info;
    RTM_ROUTE_CHANGE_FLAGS Flags = 0;

    ZeroMemory(&Info, sizeof(Info));
    Info.Neighbour = Neighbour;
    Info.Flags = RTM_ROUTE_FLAGS_REMOTE;
    Info.PrefInfo.Metric = Metric;
    Info.BelongsToViews = RTM_VIEW_MASK_UCAST | RTM_VIEW_MASK_MCAST;
    Info.NextHopsList.NumNextHops = 1;
    Info.NextHopsList.NextHops[0] = Neighbour;
    if (Nrp.Support.ValidateRoute(NRP_PROTOCOL_ID, &Info, Dest) != NO_ERROR ||
        RtmAddRouteToDest(Nrp.Entity, NULL, Dest, &Info, Lifetime, NULL, 0, NULL, &Flags) != NO_ERROR) {
        NRP_TRACE(TEXT("a route learned on interface %u was refused"), Interface->Index);
        return;
    }
    if ((Flags & RTM_ROUTE_CHANGE_NEW) != 0) {
        InterlockedIncrement(&Interface->Stats.RoutesLearned);
    }
}

static void NrpRemoveLearned(RTM_NEXTHOP_HANDLE Neighbour, RTM_NET_ADDRESS *Dest)
{
    NRP_ROUTE_BUFFER Route; /* what to look for, and what was found */
    RTM_ROUTE_HANDLE Handle = NULL;
    RTM_ROUTE_CHANGE_FLAGS Flags = 0;

    ZeroMemory(&Route, sizeof(Route));
    Route.Info.RouteOwner = Nrp.Entity;
    Route.Info.Neighbour = Neighbour;
    if (RtmGetExactMatchRoute(Nrp.Entity, Dest, RTM_MATCH_OWNER | RTM_MATCH_NEIGHBOUR, &Route.Info, 0,
                              RTM_VIEW_MASK_ANY, &Handle) != NO_ERROR) {
        return;
    }
    RtmReleaseRouteInfo(Nrp.Entity, &Route.Info);
    if (RtmDeleteRouteToDest(Nrp.Entity, Handle, &Flags) != NO_ERROR) {
        RtmReleaseRoutes(Nrp.Entity, 1, &Handle);
    }
}

void NrpLearn(PNRP_INTERFACE Interface, DWORD Neighbour, const NRP_ENTRY *Entries, ULONG Count)
{
    RTM_NEXTHOP_HANDLE NextHop = NrpFindNeighbour(Interface->Index, Neighbour);
    const ULONG Cost = NrpInterfaceConfig(Interface).Cost;
    const ULONG Lifetime = NrpGlobalConfig().RouteLifetime;
    ULONG i;

    if (NextHop == NULL) {
        return;
    }
    for (i = 0; i < Count; i++) {
        ULONG Metric = Entries[i].Metric + Cost;
        RTM_NET_ADDRESS Dest;

        ZeroMemory(&Dest, sizeof(Dest));
        RTM_IPV4_MAKE_NET_ADDRESS(&Dest, Entries[i].Network, Entries[i].Length);
        if (Metric < NRP_INFINITY) {
            NrpAddLearned(Interface, NextHop, &Dest, Metric, Lifetime);
        } else {
            NrpRemoveLearned(NextHop, &Dest);
        }
    }
    RtmReleaseNextHops(Nrp.Entity, 1, &NextHop);
}
