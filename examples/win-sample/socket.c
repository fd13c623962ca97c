/*
 * One socket an interface. Its event is selected for FD_READ and waited for by the system's thread pool, so that an
 * idle interface costs no thread. The callback drains the socket: FD_READ is signalled anew only after a receive.
 */
#include "nrp.h"

static BOOL NrpIsOwnOrForeign(PNRP_INTERFACE Interface, DWORD Source)
{
    /* Every socket hears the group on every interface: a sender belongs to us only if it is on our own network. */
    return Source == Interface->Binding.Address ||
           ((Source ^ Interface->Binding.Address) & Interface->Binding.Mask) != 0;
}

static void NrpHandlePacket(PNRP_INTERFACE Interface, const BYTE *Packet, int Size, const SOCKADDR_IN *From)
{
    NRP_ENTRY Entries[NRP_MAX_ENTRIES];
    ULONG Count = 0;

    if (NrpIsOwnOrForeign(Interface, From->sin_addr.s_addr)) {
        return;
    }
    if (!NrpDecode(Packet, (ULONG)Size, Entries, &Count)) {
        InterlockedIncrement(&Interface->Stats.PacketsDropped);
        NRP_TRACE(TEXT("malformed packet of %d bytes on interface %u dropped"), Size, Interface->Index);
        return;
    }
    InterlockedIncrement(&Interface->Stats.PacketsReceived);
    NrpLearn(Interface, From->sin_addr.s_addr, Entries, Count);
}

static void NrpDrainSocket(PNRP_INTERFACE Interface)
{
    for (;;) {
        BYTE Packet[NRP_MAX_PACKET + 1];
        SOCKADDR_IN From;
        int FromSize = sizeof(From);
        int Size = recvfrom(Interface->Socket, (char *)Packet, sizeof(Packet), 0, (SOCKADDR *)&From, &FromSize);

        if (Size == SOCKET_ERROR) {
            int Error = WSAGetLastError();

            if (Error == WSAECONNRESET || Error == WSAEMSGSIZE) {
                continue;
            }
            if (Error != WSAEWOULDBLOCK) {
                NRP_TRACE(TEXT("receive on interface %u failed: %d"), Interface->Index, Error);
            }
            return;
        }
        NrpHandlePacket(Interface, Packet, Size, &From);
    }
}

static VOID CALLBACK NrpSocketSignalled(PVOID Context, BOOLEAN TimedOut)
{
    PNRP_INTERFACE Interface = Context;
    WSANETWORKEVENTS Events;

    (void)TimedOut;
    if (!NrpEnterWork()) {
        return;
    }
    if (WSAEnumNetworkEvents(Interface->Socket, Interface->SocketEvent, &Events) == 0 &&
        (Events.lNetworkEvents & FD_READ) != 0) {
        NrpDrainSocket(Interface);
    }
    NrpLeaveWork();
}

static BOOL NrpJoinGroup(SOCKET Socket, DWORD Address)
{
    struct ip_mreq Group;
    SOCKADDR_IN Local;
    IN_ADDR Out;
    int One = 1;
    DWORD Ttl = 1, Loop = 0;

    ZeroMemory(&Local, sizeof(Local));
    Local.sin_family = AF_INET;
    Local.sin_port = htons(NRP_PORT);
    Group.imr_multiaddr.s_addr = inet_addr(NRP_GROUP);
    Group.imr_interface.s_addr = Address;
    Out.s_addr = Address;
    return setsockopt(Socket, SOL_SOCKET, SO_REUSEADDR, (const char *)&One, sizeof(One)) == 0 &&
           bind(Socket, (const SOCKADDR *)&Local, sizeof(Local)) == 0 &&
           setsockopt(Socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, (const char *)&Group, sizeof(Group)) == 0 &&
           setsockopt(Socket, IPPROTO_IP, IP_MULTICAST_IF, (const char *)&Out, sizeof(Out)) == 0 &&
           setsockopt(Socket, IPPROTO_IP, IP_MULTICAST_TTL, (const char *)&Ttl, sizeof(Ttl)) == 0 &&
           setsockopt(Socket, IPPROTO_IP, IP_MULTICAST_LOOP, (const char *)&Loop, sizeof(Loop)) == 0;
}

static BOOL NrpWatchSocket(PNRP_INTERFACE Interface)
{
    Interface->SocketEvent = CreateEvent(NULL, FALSE, FALSE, NULL);
    return Interface->SocketEvent != NULL && WSAEventSelect(Interface->Socket, Interface->SocketEvent, FD_READ) == 0 &&
           RegisterWaitForSingleObject(&Interface->SocketWait, Interface->SocketEvent, NrpSocketSignalled, Interface,
                                       INFINITE, WT_EXECUTEDEFAULT);
}

/* Nobody sees the socket before it is a member of the group: the announcer may be at work. */
DWORD NrpOpenSocket(PNRP_INTERFACE Interface)
{
    SOCKET Socket = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);

    if (Socket == INVALID_SOCKET || !NrpJoinGroup(Socket, Interface->Binding.Address)) {
        NRP_TRACE(TEXT("no socket for interface %u: error %d"), Interface->Index, WSAGetLastError());
        if (Socket != INVALID_SOCKET) {
            closesocket(Socket);
        }
        return ERROR_CAN_NOT_COMPLETE;
    }
    EnterCriticalSection(&Interface->SocketLock);
    Interface->Socket = Socket;
    LeaveCriticalSection(&Interface->SocketLock);
    if (!NrpWatchSocket(Interface)) {
        NRP_TRACE(TEXT("cannot watch interface %u: error %u"), Interface->Index, GetLastError());
        NrpCloseSocket(Interface);
        return ERROR_CAN_NOT_COMPLETE;
    }
    return NO_ERROR;
}

/* Waits for a callback in flight, so it must be called without the lock and never from that callback. */
void NrpCloseSocket(PNRP_INTERFACE Interface)
{
    if (Interface->SocketWait != NULL) {
        UnregisterWaitEx(Interface->SocketWait, INVALID_HANDLE_VALUE);
        Interface->SocketWait = NULL;
    }
    EnterCriticalSection(&Interface->SocketLock);
    if (Interface->Socket != INVALID_SOCKET) {
        closesocket(Interface->Socket);
        Interface->Socket = INVALID_SOCKET;
    }
    LeaveCriticalSection(&Interface->SocketLock);
    if (Interface->SocketEvent != NULL) {
        CloseHandle(Interface->SocketEvent);
        Interface->SocketEvent = NULL;
    }
}

void NrpSend(PNRP_INTERFACE Interface, const NRP_ENTRY *Entries, ULONG Count)
{
    BYTE Packet[NRP_MAX_PACKET];
    SOCKADDR_IN To;
    int Size = (int)NrpEncode(Packet, Entries, Count);

    ZeroMemory(&To, sizeof(To));
    To.sin_family = AF_INET;
    To.sin_port = htons(NRP_PORT);
    To.sin_addr.s_addr = inet_addr(NRP_GROUP);
    EnterCriticalSection(&Interface->SocketLock);
    if (Interface->Socket == INVALID_SOCKET) {
        /* Disabled meanwhile: nobody is there to be told. */
    } else if (sendto(Interface->Socket, (const char *)Packet, Size, 0, (const SOCKADDR *)&To, sizeof(To)) == Size) {
        InterlockedIncrement(&Interface->Stats.PacketsSent);
    } else {
        NRP_TRACE(TEXT("send on interface %u failed: %d"), Interface->Index, WSAGetLastError());
    }
    LeaveCriticalSection(&Interface->SocketLock);
}
