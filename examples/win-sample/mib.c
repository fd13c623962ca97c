/* Statistics by the management interface: a table of NRP_INTERFACE_STATS, ordered by interface index, read-only. */
#include "nrp.h"

static DWORD NrpWriteStats(PNRP_INTERFACE Interface, PULONG OutSize, PVOID Out)
{
    ULONG Room = *OutSize;
    NRP_INTERFACE_STATS Stats;

    *OutSize = sizeof(Stats);
    if (Out == NULL || Room < sizeof(Stats)) {
        return ERROR_INSUFFICIENT_BUFFER;
    }
    Stats.InterfaceIndex = Interface->Index;
    Stats.Active = NRP_READ(Interface->Stats.Active);
    Stats.PacketsSent = NRP_READ(Interface->Stats.PacketsSent);
    Stats.PacketsReceived = NRP_READ(Interface->Stats.PacketsReceived);
    Stats.PacketsDropped = NRP_READ(Interface->Stats.PacketsDropped);
    Stats.RoutesLearned = NRP_READ(Interface->Stats.RoutesLearned);
    CopyMemory(Out, &Stats, sizeof(Stats));
    return NO_ERROR;
}

static DWORD NrpAnswer(PNRP_INTERFACE Interface, DWORD Absent, PULONG OutSize, PVOID Out)
{
    DWORD Error;

    if (Interface == NULL) {
        return Absent;
    }
    Error = NrpWriteStats(Interface, OutSize, Out);
    NrpDereferenceInterface(Interface);
    return Error;
}

static BOOL NrpReadIndex(ULONG InSize, PVOID In, ULONG *Index)
{
    if (In == NULL || InSize < sizeof(*Index)) {
        return FALSE;
    }
    CopyMemory(Index, In, sizeof(*Index));
    return TRUE;
}

DWORD WINAPI NrpMibGet(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out)
{
    ULONG Index;

    if (OutSize == NULL || !NrpReadIndex(InSize, In, &Index)) {
        return ERROR_INVALID_PARAMETER;
    }
    return NrpAnswer(NrpReferenceInterface(Index), ERROR_INVALID_PARAMETER, OutSize, Out);
}

DWORD WINAPI NrpMibGetFirst(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out)
{
    (void)InSize, (void)In;
    if (OutSize == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    return NrpAnswer(NrpReferenceNextInterface(0), ERROR_NO_MORE_ITEMS, OutSize, Out);
}

DWORD WINAPI NrpMibGetNext(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out)
{
    ULONG Index;

    if (OutSize == NULL || !NrpReadIndex(InSize, In, &Index)) {
        return ERROR_INVALID_PARAMETER;
    }
    return NrpAnswer(NrpReferenceNextInterface(Index), ERROR_NO_MORE_ITEMS, OutSize, Out);
}

DWORD WINAPI NrpMibReadOnly(ULONG InSize, PVOID In)
{
    (void)InSize, (void)In;
    return ERROR_CAN_NOT_COMPLETE;
}

DWORD WINAPI NrpMibNoTrap(ULONG InSize, PVOID In, PULONG OutSize, PVOID Out)
{
    (void)InSize, (void)In, (void)OutSize, (void)Out;
    return ERROR_ACCESS_DENIED;
}

DWORD WINAPI NrpMibNoTrapEvent(HANDLE Event, ULONG InSize, PVOID In, PULONG OutSize, PVOID Out)
{
    (void)Event;
    return NrpMibNoTrap(InSize, In, OutSize, Out);
}
