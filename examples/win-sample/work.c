/*
 * Worker items. The router manager may unload this library once it has stopped, so no thread may be inside it then.
 * Every piece of work therefore enters through NrpEnterWork, which fails once the stop has begun, and leaves through
 * NrpLeaveWork; NrpFinishWork gives up the module's own share and waits until everybody has left.
 */
#include "nrp.h"

typedef struct _NRP_WORK_ITEM {
    LPTHREAD_START_ROUTINE Function;
    PVOID Context;
} NRP_WORK_ITEM, *PNRP_WORK_ITEM;

DWORD NrpStartWork(void)
{
    Nrp.WorkDone = CreateEvent(NULL, TRUE, FALSE, NULL);
    if (Nrp.WorkDone == NULL) {
        return GetLastError();
    }
    InterlockedExchange(&Nrp.WorkItems, 1);
    return NO_ERROR;
}

BOOL NrpEnterWork(void)
{
    LONG Seen = NRP_READ(Nrp.WorkItems);

    while (Seen > 0) {
        LONG Found = InterlockedCompareExchange(&Nrp.WorkItems, Seen + 1, Seen);

        if (Found == Seen) {
            return TRUE;
        }
        Seen = Found;
    }
    return FALSE;
}

void NrpLeaveWork(void)
{
    if (InterlockedDecrement(&Nrp.WorkItems) == 0) {
        SetEvent(Nrp.WorkDone);
    }
}

static DWORD WINAPI NrpRunWork(LPVOID Parameter)
{
    NRP_WORK_ITEM Item = *(PNRP_WORK_ITEM)Parameter;

    HeapFree(GetProcessHeap(), 0, Parameter);
    Item.Function(Item.Context);
    NrpLeaveWork();
    return 0;
}

BOOL NrpQueueWork(LPTHREAD_START_ROUTINE Function, PVOID Context)
{
    PNRP_WORK_ITEM Item;

    if (!NrpEnterWork()) {
        return FALSE;
    }
    Item = HeapAlloc(GetProcessHeap(), 0, sizeof(*Item));
    if (Item != NULL) {
        Item->Function = Function;
        Item->Context = Context;
        if (QueueUserWorkItem(NrpRunWork, Item, WT_EXECUTEDEFAULT)) {
            return TRUE;
        }
        HeapFree(GetProcessHeap(), 0, Item);
    }
    NrpLeaveWork();
    return FALSE;
}

void NrpFinishWork(void)
{
    NrpLeaveWork();
    WaitForSingleObject(Nrp.WorkDone, INFINITE);
    CloseHandle(Nrp.WorkDone);
    Nrp.WorkDone = NULL;
}
