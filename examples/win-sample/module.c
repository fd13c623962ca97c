/*
 * The module's face to the router manager.
 *
 * Stopping takes as long as the threads inside take, so StopProtocol answers ERROR_PROTOCOL_STOP_PENDING and a thread
 * finishes the work: it takes everything down in the reverse order of the start and reports ROUTER_STOPPED last.
 * Whoever takes that message out waits for the thread to end, so that with ROUTER_STOPPED in hand the router manager
 * may unload the library: nothing of it runs. It may as well go on asking for messages, and start the module anew: the
 * lock and the two lists live as long as the library is loaded.
 */
#include "nrp.h"

NRP_MODULE Nrp;

static void NrpLog(DWORD Level, DWORD Type, LPCTSTR Text, DWORD Error)
{
    NRP_TRACE(TEXT("%s (error %u)"), Text, Error);
    if (Nrp.LogHandle != NULL && NrpGlobalConfig().LoggingLevel >= Level) {
        RouterLogEventEx(Nrp.LogHandle, Type, Error, 0, TEXT("%s"), Text);
    }
}

static void NrpOpenLogs(void)
{
    Nrp.TraceId = TraceRegister(TEXT("NRP"));
    Nrp.LogHandle = RouterLogRegister(TEXT("NRP"));
}

static void NrpCloseLogs(void)
{
    if (Nrp.LogHandle != NULL) {
        RouterLogDeregister(Nrp.LogHandle);
        Nrp.LogHandle = NULL;
    }
    TraceDeregister(Nrp.TraceId);
    Nrp.TraceId = INVALID_TRACEID;
}

static void NrpReset(void)
{
    NrpDropMessages();
    WSACleanup();
    NrpCloseLogs();
    InterlockedExchange(&Nrp.State, NrpStopped);
}

static DWORD NrpPrepare(HANDLE NotificationEvent, PSUPPORT_FUNCTIONS Support, PVOID GlobalInfo)
{
    WSADATA Winsock;
    DWORD Error;

    if (WSAStartup(MAKEWORD(2, 2), &Winsock) != 0) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    NrpOpenLogs();
    Nrp.NotificationEvent = NotificationEvent;
    Nrp.Support = *Support;
    InterlockedExchange(&Nrp.TriggerQueued, 0);
    CopyMemory(&Nrp.Config, GlobalInfo, sizeof(Nrp.Config));
    InterlockedExchange(&Nrp.State, NrpStarting);

    Error = NrpStartWork();
    if (Error != NO_ERROR) {
        NrpReset();
        return ERROR_CAN_NOT_COMPLETE;
    }
    Error = NrpRegisterWithRtm();
    if (Error != NO_ERROR) {
        NrpLog(NRP_LOG_ERROR, EVENTLOG_ERROR_TYPE, TEXT("cannot register with the routing table manager"), Error);
        NrpFinishWork();
        NrpReset();
        return ERROR_CAN_NOT_COMPLETE;
    }
    return NO_ERROR;
}

static DWORD WINAPI NrpStartProtocol(HANDLE NotificationEvent, PSUPPORT_FUNCTIONS Support, LPVOID GlobalInfo,
                                     ULONG Version, ULONG Size, ULONG Count)
{
    if (NotificationEvent == NULL || Support == NULL ||
        NrpCheckGlobalConfig(GlobalInfo, Version, Size, Count) != NO_ERROR) {
        return ERROR_INVALID_PARAMETER;
    }
    if (NRP_READ(Nrp.State) != NrpStopped) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    return NrpPrepare(NotificationEvent, Support, GlobalInfo);
}

static DWORD WINAPI NrpStartComplete(VOID)
{
    DWORD Error;

    if (NRP_READ(Nrp.State) != NrpStarting) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    Error = NrpStartAnnouncing();
    if (Error != NO_ERROR) {
        NrpLog(NRP_LOG_ERROR, EVENTLOG_ERROR_TYPE, TEXT("cannot start the announcement timer"), Error);
        return ERROR_CAN_NOT_COMPLETE;
    }
    InterlockedExchange(&Nrp.State, NrpRunning);
    NrpTriggerAnnouncement();
    NrpLog(NRP_LOG_INFORMATION, EVENTLOG_INFORMATION_TYPE, TEXT("started"), NO_ERROR);
    return NO_ERROR;
}

static DWORD WINAPI NrpFinishStop(LPVOID Parameter)
{
    (void)Parameter;
    NrpStopAnnouncing();
    NrpDeleteAllInterfaces();
    NrpFinishWork();
    NrpDeregisterFromRtm();
    NrpLog(NRP_LOG_INFORMATION, EVENTLOG_INFORMATION_TYPE, TEXT("stopped"), NO_ERROR);
    NrpQueueStopped();
    return 0;
}

void NrpFinishReset(void)
{
    if (Nrp.StopThread != NULL) {
        WaitForSingleObject(Nrp.StopThread, INFINITE);
        CloseHandle(Nrp.StopThread);
        Nrp.StopThread = NULL;
    }
    NrpReset();
}

static DWORD WINAPI NrpStopProtocol(VOID)
{
    const LONG State = NRP_READ(Nrp.State);

    if (State != NrpRunning && State != NrpStarting) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    InterlockedExchange(&Nrp.State, NrpStopping);
    Nrp.StopThread = CreateThread(NULL, 0, NrpFinishStop, NULL, 0, NULL);
    if (Nrp.StopThread == NULL) {
        NrpFinishStop(NULL);
    }
    return ERROR_PROTOCOL_STOP_PENDING;
}

static DWORD WINAPI NrpGetGlobalInfo(PVOID Info, PULONG BufferSize, PULONG Version, PULONG Size, PULONG Count)
{
    ULONG Room;

    if (BufferSize == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    Room = *BufferSize;
    *BufferSize = sizeof(Nrp.Config);
    if (Version != NULL) *Version = NRP_GLOBAL_VERSION;
    if (Size != NULL) *Size = sizeof(Nrp.Config);
    if (Count != NULL) *Count = 1;
    if (Info == NULL || Room < sizeof(Nrp.Config)) {
        return ERROR_INSUFFICIENT_BUFFER;
    }
    EnterCriticalSection(&Nrp.Lock);
    CopyMemory(Info, &Nrp.Config, sizeof(Nrp.Config));
    LeaveCriticalSection(&Nrp.Lock);
    return NO_ERROR;
}

static DWORD WINAPI NrpSetGlobalInfo(PVOID Info, ULONG Version, ULONG Size, ULONG Count)
{
    NRP_GLOBAL_CONFIG Config;

    if (NrpCheckGlobalConfig(Info, Version, Size, Count) != NO_ERROR) {
        return ERROR_INVALID_PARAMETER;
    }
    CopyMemory(&Config, Info, sizeof(Config));
    if (Nrp.TimerQueue != NULL && !ChangeTimerQueueTimer(Nrp.TimerQueue, Nrp.AnnounceTimer, 0, Config.AnnouncePeriod)) {
        return ERROR_CAN_NOT_COMPLETE;
    }
    EnterCriticalSection(&Nrp.Lock);
    Nrp.Config = Config;
    LeaveCriticalSection(&Nrp.Lock);
    return NO_ERROR;
}

static DWORD WINAPI NrpUpdateRoutes(ULONG Index)
{
    PNRP_INTERFACE Interface = NrpReferenceInterface(Index);
    MESSAGE Message;

    if (Interface == NULL) {
        return ERROR_INVALID_PARAMETER;
    }
    NrpDereferenceInterface(Interface);
    /* Neighbours announce everything anyway: what has been heard on the interface so far is the update. */
    ZeroMemory(&Message, sizeof(Message));
    Message.UpdateCompleteMessage.InterfaceIndex = Index;
    Message.UpdateCompleteMessage.UpdateType = RF_DEMAND_UPDATE_ROUTES;
    Message.UpdateCompleteMessage.UpdateStatus = NO_ERROR;
    return NrpQueueMessage(UPDATE_COMPLETE, &Message) ? NO_ERROR : ERROR_CAN_NOT_COMPLETE;
}

static void NrpFillFunctions(PMPR_ROUTING_CHARACTERISTICS Routing)
{
    Routing->pfnStartProtocol = NrpStartProtocol;
    Routing->pfnStartComplete = NrpStartComplete;
    Routing->pfnStopProtocol = NrpStopProtocol;
    Routing->pfnGetGlobalInfo = NrpGetGlobalInfo;
    Routing->pfnSetGlobalInfo = NrpSetGlobalInfo;
    Routing->pfnQueryPower = NULL;
    Routing->pfnSetPower = NULL;
    Routing->pfnAddInterface = NrpAddInterface;
    Routing->pfnDeleteInterface = NrpDeleteInterface;
    Routing->pfnInterfaceStatus = NrpInterfaceStatus;
    Routing->pfnGetInterfaceInfo = NrpGetInterfaceInfo;
    Routing->pfnSetInterfaceInfo = NrpSetInterfaceInfo;
    Routing->pfnGetEventMessage = NrpGetEventMessage;
    Routing->pfnUpdateRoutes = NrpUpdateRoutes;
    Routing->pfnConnectClient = NULL;
    Routing->pfnDisconnectClient = NULL;
    Routing->pfnGetNeighbors = NULL;
    Routing->pfnGetMfeStatus = NULL;
    Routing->pfnMibCreateEntry = NrpMibReadOnly;
    Routing->pfnMibDeleteEntry = NrpMibReadOnly;
    Routing->pfnMibGetEntry = NrpMibGet;
    Routing->pfnMibSetEntry = NrpMibReadOnly;
    Routing->pfnMibGetFirstEntry = NrpMibGetFirst;
    Routing->pfnMibGetNextEntry = NrpMibGetNext;
    Routing->pfnMibSetTrapInfo = NrpMibNoTrapEvent;
    Routing->pfnMibGetTrapInfo = NrpMibNoTrap;
}

BOOL WINAPI DllMain(HINSTANCE Instance, DWORD Reason, LPVOID Reserved)
{
    switch (Reason) {
        case DLL_PROCESS_ATTACH:
            DisableThreadLibraryCalls(Instance);
            InitializeCriticalSection(&Nrp.Lock);
            Nrp.Interfaces.Flink = Nrp.Interfaces.Blink = &Nrp.Interfaces;
            Nrp.Messages.Flink = Nrp.Messages.Blink = &Nrp.Messages;
            Nrp.TraceId = INVALID_TRACEID;
            break;
        case DLL_PROCESS_DETACH:
            /* With the process the lock goes by itself, and threads that ended within it may hold it. */
            if (Reserved == NULL) {
                DeleteCriticalSection(&Nrp.Lock);
            }
            break;
        default:
            break;
    }
    return TRUE;
}

__declspec(dllexport) DWORD WINAPI RegisterProtocol(PMPR_ROUTING_CHARACTERISTICS Routing,
                                                    PMPR_SERVICE_CHARACTERISTICS Services)
{
    const DWORD Needed = RF_ROUTING | RF_DEMAND_UPDATE_ROUTES;

    if (Routing == NULL || Services == NULL || Routing->dwProtocolId != NRP_PROTOCOL_ID ||
        Routing->dwVersion < MS_ROUTER_VERSION || (Routing->fSupportedFunctionality & Needed) != Needed) {
        return ERROR_NOT_SUPPORTED;
    }
    Routing->dwVersion = MS_ROUTER_VERSION;
    Routing->fSupportedFunctionality = Needed;
    NrpFillFunctions(Routing);
    Services->fSupportedFunctionality = 0;
    return NO_ERROR;
}
