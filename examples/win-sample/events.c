/*
 * The queue of messages to the router manager: we set its event, it drains the queue by GetEventMessage. ROUTER_STOPPED
 * is a flag and not a message, so that no lack of memory can keep the router manager waiting for it.
 */
#include "nrp.h"

typedef struct _NRP_MESSAGE {
    LIST_ENTRY Link;
    ROUTING_PROTOCOL_EVENTS Event;
    MESSAGE Message;
} NRP_MESSAGE, *PNRP_MESSAGE;

static void NrpAppend(PLIST_ENTRY Head, PLIST_ENTRY Entry)
{
    Entry->Flink = Head;
    Entry->Blink = Head->Blink;
    Head->Blink->Flink = Entry;
    Head->Blink = Entry;
}

static PNRP_MESSAGE NrpTakeMessage(void)
{
    PNRP_MESSAGE Message = NULL;

    EnterCriticalSection(&Nrp.Lock);
    if (Nrp.Messages.Flink != &Nrp.Messages) {
        Message = CONTAINING_RECORD(Nrp.Messages.Flink, NRP_MESSAGE, Link);
        Message->Link.Blink->Flink = Message->Link.Flink;
        Message->Link.Flink->Blink = Message->Link.Blink;
    }
    LeaveCriticalSection(&Nrp.Lock);
    return Message;
}

BOOL NrpQueueMessage(ROUTING_PROTOCOL_EVENTS Event, const MESSAGE *Message)
{
    PNRP_MESSAGE Item = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*Item));

    if (Item == NULL) {
        return FALSE;
    }
    Item->Event = Event;
    if (Message != NULL) {
        Item->Message = *Message;
    }
    EnterCriticalSection(&Nrp.Lock);
    NrpAppend(&Nrp.Messages, &Item->Link);
    LeaveCriticalSection(&Nrp.Lock);
    SetEvent(Nrp.NotificationEvent);
    return TRUE;
}

void NrpQueueStopped(void)
{
    HANDLE Notification = Nrp.NotificationEvent; /* from the flag on the module may be started anew */

    InterlockedExchange(&Nrp.StopPending, 1);
    SetEvent(Notification);
}

void NrpDropMessages(void)
{
    PNRP_MESSAGE Message;

    while ((Message = NrpTakeMessage()) != NULL) {
        HeapFree(GetProcessHeap(), 0, Message);
    }
}

DWORD WINAPI NrpGetEventMessage(ROUTING_PROTOCOL_EVENTS *Event, MESSAGE *Result)
{
    PNRP_MESSAGE Message;

    if (Event == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    Message = NrpTakeMessage();
    if (Message == NULL) {
        if (InterlockedExchange(&Nrp.StopPending, 0) == 0) {
            return ERROR_NO_MORE_ITEMS;
        }
        NrpFinishReset();
        *Event = ROUTER_STOPPED;
        return NO_ERROR;
    }
    *Event = Message->Event;
    if (Result != NULL) {
        *Result = Message->Message;
    }
    HeapFree(GetProcessHeap(), 0, Message);
    return NO_ERROR;
}
