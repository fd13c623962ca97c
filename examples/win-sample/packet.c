/*
 * The bytes on the wire: four of header (version, command, count of entries in network byte order), then eight an entry
 * (network, prefix length, metric, two of zero). Nothing that a stranger sends is believed before it was checked here.
 */
#include "nrp.h"

#define NRP_VERSION 1
#define NRP_COMMAND_ANNOUNCE 1
#define NRP_HEADER_SIZE 4
#define NRP_ENTRY_SIZE 8

ULONG NrpEncode(BYTE *Packet, const NRP_ENTRY *Entries, ULONG Count)
{
    ULONG i;

    Packet[0] = NRP_VERSION;
    Packet[1] = NRP_COMMAND_ANNOUNCE;
    Packet[2] = (BYTE)(Count >> 8);
    Packet[3] = (BYTE)Count;
    for (i = 0; i < Count; i++) {
        BYTE *At = Packet + NRP_HEADER_SIZE + i * NRP_ENTRY_SIZE;

        CopyMemory(At, &Entries[i].Network, 4);
        At[4] = Entries[i].Length;
        At[5] = Entries[i].Metric;
        At[6] = 0;
        At[7] = 0;
    }
    return NRP_HEADER_SIZE + Count * NRP_ENTRY_SIZE;
}

static BOOL NrpDecodeEntry(const BYTE *At, PNRP_ENTRY Entry)
{
    DWORD HostMask;

    CopyMemory(&Entry->Network, At, 4);
    Entry->Length = At[4];
    Entry->Metric = At[5];
    if (Entry->Length > 32 || Entry->Metric < 1 || Entry->Metric > NRP_INFINITY) {
        return FALSE;
    }
    HostMask = Entry->Length == 0 ? 0 : 0xFFFFFFFFu << (32 - Entry->Length);
    return (Entry->Network & ~htonl(HostMask)) == 0 && At[0] != 127 && At[0] < 224;
}

BOOL NrpDecode(const BYTE *Packet, ULONG Size, PNRP_ENTRY Entries, ULONG *Count)
{
    ULONG Announced, i;

    if (Size < NRP_HEADER_SIZE || Packet[0] != NRP_VERSION || Packet[1] != NRP_COMMAND_ANNOUNCE) {
        return FALSE;
    }
    Announced = ((ULONG)Packet[2] << 8) | Packet[3];
    if (Announced > NRP_MAX_ENTRIES || Size != NRP_HEADER_SIZE + Announced * NRP_ENTRY_SIZE) {
        return FALSE;
    }
    for (i = 0; i < Announced; i++) {
        if (!NrpDecodeEntry(Packet + NRP_HEADER_SIZE + i * NRP_ENTRY_SIZE, &Entries[i])) {
            return FALSE;
        }
    }
    *Count = Announced;
    return TRUE;
}
