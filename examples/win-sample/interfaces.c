/*
 * The interface table. An interface is *active*, that is, has a socket, while the router manager has it enabled and it
 * has an address. Only calls of the router manager, and the end of a stop, make it so or end it; the lock is for the
 * threads that look at the table meanwhile.
 */
#include "nrp.h"

static PNRP_INTERFACE NrpFindLocked(ULONG Index)
{
    PLIST_ENTRY Entry;

    for (Entry = Nrp.Interfaces.Flink; Entry != &Nrp.Interfaces; Entry = Entry->Flink) {
        PNRP_INTERFACE Interface = CONTAINING_RECORD(Entry, NRP_INTERFACE, Link);

        if (Interface->Index == Index) {
            return Interface;
        }
    }
    return NULL;
}

PNRP_INTERFACE NrpReferenceInterface(ULONG Index)
{
    PNRP_INTERFACE Interface;

    EnterCriticalSection(&Nrp.Lock);
    Interface = NrpFindLocked(Index);
    if (Interface != NULL) {
        InterlockedIncrement(&Interface->References);
    }
    LeaveCriticalSection(&Nrp.Lock);
    return Interface;
}

/* The interface with the lowest index above AfterIndex: a walk that survives what happens between two steps. */
PNRP_INTERFACE NrpReferenceNextInterface(ULONG AfterIndex)
{
    PNRP_INTERFACE Best = NULL;
    PLIST_ENTRY Entry;

    EnterCriticalSection(&Nrp.Lock);
    for (Entry = Nrp.Interfaces.Flink; Entry != &Nrp.Interfaces; Entry = Entry->Flink) {
        PNRP_INTERFACE Interface = CONTAINING_RECORD(Entry, NRP_INTERFACE, Link);

        if (Interface->Index > AfterIndex && (Best == NULL || Interface->Index < Best->Index)) {
            Best = Interface;
        }
    }
    if (Best != NULL) {
        InterlockedIncrement(&Best->References);
    }
    LeaveCriticalSection(&Nrp.Lock);
    return Best;
}

void NrpDereferenceInterface(PNRP_INTERFACE Interface)
{
    if (InterlockedDecrement(&Interface->References) == 0) {
        DeleteCriticalSection(&Interface->SocketLock);
        HeapFree(GetProcessHeap(), 0, Interface);
    }
}

static PNRP_INTERFACE NrpMakeInterface(LPCWSTR Name, ULONG Index, const NRP_INTERFACE_CONFIG *Config)
{
    PNRP_INTERFACE Interface = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*Interface));

    if (Interface != NULL) {
        lstrcpynW(Interface->Name, Name != NULL ? Name : L"", ARRAYSIZE(Interface->Name));
        Interface->Index = Index;
        Interface->Config = *Config;
        Interface->References = 1;
        Interface->Socket = INVALID_SOCKET;
        InitializeCriticalSection(&Interface->SocketLock);
    }
    return Interface;
}

DWORD WINAPI NrpAddInterface(LPWSTR Name, ULONG Index, NET_INTERFACE_TYPE Type, DWORD Media, WORD Access,
                             WORD Connection, PVOID Info, ULONG Version, ULONG Size, ULONG Count)
{
    const LONG State = NRP_READ(Nrp.State);
    PNRP_INTERFACE Interface;
    BOOL Taken;

    (void)Type, (void)Media, (void)Access, (void)Connection;
    if (NrpCheckInterfaceConfig(Info, Version, Size, Count) != NO_ERROR) {
        return ERROR_INVALID_PARAMETER;
    }
    if (State != NrpStarting && State != NrpRunning) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    Interface = NrpMakeInterface(Name, Index, Info);
    if (Interface == NULL) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    EnterCriticalSection(&Nrp.Lock);
    Taken = NrpFindLocked(Index) != NULL;
    if (!Taken) {
        Interface->Link.Flink = Nrp.Interfaces.Flink;
        Interface->Link.Blink = &Nrp.Interfaces;
        Nrp.Interfaces.Flink->Blink = &Interface->Link;
        Nrp.Interfaces.Flink = &Interface->Link;
    }
    LeaveCriticalSection(&Nrp.Lock);
    if (Taken) {
        NrpDereferenceInterface(Interface);
        return ERROR_INVALID_PARAMETER;
    }
    NRP_TRACE(TEXT("interface %u added"), Index);
    return NO_ERROR;
}

static void NrpDeactivate(PNRP_INTERFACE Interface)
{
    if (NRP_READ(Interface->Stats.Active)) {
        InterlockedExchange(&Interface->Stats.Active, FALSE);
        NrpCloseSocket(Interface);
        NrpForgetInterface(Interface->Index);
    }
}

/* Opens or closes the socket so that it is open exactly while the interface is enabled and bound. */
static DWORD NrpSettle(PNRP_INTERFACE Interface)
{
    DWORD Error;

    if (!Interface->Enabled || Interface->Closing || Interface->Binding.Address == 0) {
        NrpDeactivate(Interface);
        return NO_ERROR;
    }
    if (NRP_READ(Interface->Stats.Active)) {
        return NO_ERROR;
    }
    Error = NrpOpenSocket(Interface);
    if (Error == NO_ERROR) {
        InterlockedExchange(&Interface->Stats.Active, TRUE);
        NrpTriggerAnnouncement();
    }
    return Error;
}

static void NrpBind(PNRP_INTERFACE Interface, const IP_ADAPTER_BINDING_INFO *Info)
{
    IP_LOCAL_BINDING Binding = {0, 0};

    if (Info != NULL && Info->AddressCount > 0) {
        Binding = Info->Address[0];
    }
    if (Binding.Address != Interface->Binding.Address || Binding.Mask != Interface->Binding.Mask) {
        NrpDeactivate(Interface);
        Interface->Binding = Binding;
    }
}

DWORD WINAPI NrpInterfaceStatus(ULONG Index, BOOL Active, DWORD StatusType, PVOID StatusInfo)
{
    PNRP_INTERFACE Interface = NrpReferenceInterface(Index);
    DWORD Error;

    (void)Active;
    if (Interface == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    switch (StatusType) {
        case RIS_INTERFACE_ADDRESS_CHANGE:
            NrpBind(Interface, StatusInfo);
            break;
        case RIS_INTERFACE_ENABLED:
            Interface->Enabled = TRUE;
            break;
        case RIS_INTERFACE_DISABLED:
            Interface->Enabled = FALSE;
            break;
        case RIS_INTERFACE_MEDIA_ABSENT:
            NrpForgetInterface(Index);
            break;
        case RIS_INTERFACE_MEDIA_PRESENT:
            NrpTriggerAnnouncement();
            break;
        default:
            break;
    }
    Error = NrpSettle(Interface);
    NrpDereferenceInterface(Interface);
    return Error;
}

DWORD WINAPI NrpDeleteInterface(ULONG Index)
{
    PNRP_INTERFACE Interface;

    EnterCriticalSection(&Nrp.Lock);
    Interface = NrpFindLocked(Index);
    if (Interface != NULL) {
        Interface->Link.Blink->Flink = Interface->Link.Flink;
        Interface->Link.Flink->Blink = Interface->Link.Blink;
        Interface->Closing = TRUE;
    }
    LeaveCriticalSection(&Nrp.Lock);
    if (Interface == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    NrpSettle(Interface);
    NRP_TRACE(TEXT("interface %u deleted"), Index);
    NrpDereferenceInterface(Interface);
    return NO_ERROR;
}

void NrpDeleteAllInterfaces(void)
{
    PNRP_INTERFACE Interface;

    while ((Interface = NrpReferenceNextInterface(0)) != NULL) {
        ULONG Index = Interface->Index;

        NrpDereferenceInterface(Interface);
        NrpDeleteInterface(Index);
    }
}

DWORD WINAPI NrpGetInterfaceInfo(ULONG Index, PVOID Info, PULONG BufferSize, PULONG Version, PULONG Size, PULONG Count)
{
    PNRP_INTERFACE Interface;
    DWORD Error = NO_ERROR;

    if (BufferSize == NULL || (Interface = NrpReferenceInterface(Index)) == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    if (Info == NULL || *BufferSize < sizeof(Interface->Config)) {
        Error = ERROR_INSUFFICIENT_BUFFER;
    } else {
        EnterCriticalSection(&Nrp.Lock);
        CopyMemory(Info, &Interface->Config, sizeof(Interface->Config));
        LeaveCriticalSection(&Nrp.Lock);
    }
    *BufferSize = sizeof(Interface->Config);
    if (Version != NULL) *Version = NRP_INTERFACE_VERSION;
    if (Size != NULL) *Size = sizeof(Interface->Config);
    if (Count != NULL) *Count = 1;
    NrpDereferenceInterface(Interface);
    return Error;
}

DWORD WINAPI NrpSetInterfaceInfo(ULONG Index, PVOID Info, ULONG Version, ULONG Size, ULONG Count)
{
    PNRP_INTERFACE Interface;

    if (NrpCheckInterfaceConfig(Info, Version, Size, Count) != NO_ERROR ||
        (Interface = NrpReferenceInterface(Index)) == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    EnterCriticalSection(&Nrp.Lock);
    CopyMemory(&Interface->Config, Info, sizeof(Interface->Config));
    LeaveCriticalSection(&Nrp.Lock);
    NrpDereferenceInterface(Interface);
    NrpTriggerAnnouncement();
    return NO_ERROR;
}
