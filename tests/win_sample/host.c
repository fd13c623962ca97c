/* Plays the router manager for the sample protocol: loads it, starts it on one interface, and tells what its routing
 * table holds. Two of these in two network namespaces are two routers that talk.
 *
 *   host MODULE INDEX ADDRESS LENGTH teach    adds 10.99.0.0/16 as a local route; at the first line of input removes it
 *   host MODULE INDEX ADDRESS LENGTH learn    waits until that destination appears, and until it goes
 *
 * Before that the module is started and stopped once, to show that it can be started anew. Each step is a line of
 * output. At the last line of input, or its end, the module is stopped and unloaded as a router manager does it, and
 * "clean" says that nothing is left of it: no route, no reference, no handle, no code. */
#include "nrp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turnpike/testing.h>

static const DWORD WAIT_LIMIT = 60000;

static HMODULE Library;
static MPR_ROUTING_CHARACTERISTICS Module;
static HANDLE ModuleSignals, TableChanges;
static RTM_ENTITY_HANDLE Self;
static RTM_NOTIFY_HANDLE Notify;
static RTM_NET_ADDRESS Taught;

static void Must(const char *What, DWORD Status)
{
    if (Status != NO_ERROR) {
        fprintf(stderr, "%s: %u\n", What, Status);
        exit(1);
    }
}

static void Expect(const char *What, DWORD Status, DWORD Wanted)
{
    if (Status != Wanted) {
        fprintf(stderr, "%s: %u, not %u\n", What, Status, Wanted);
        exit(1);
    }
}

static void Say(const char *What)
{
    puts(What);
    fflush(stdout);
}

static void AwaitLine(void)
{
    char Line[64];

    if (fgets(Line, sizeof(Line), stdin) == NULL) Line[0] = 0;
}

static DWORD WINAPI NotHere(DWORD ProtocolId, DWORD InterfaceIndex)
{
    (void)ProtocolId, (void)InterfaceIndex;
    return ERROR_NOT_SUPPORTED;
}

static DWORD WINAPI ValidateRoute(DWORD ProtocolId, PVOID RouteInfo, PVOID DestAddress)
{
    (void)ProtocolId, (void)DestAddress;
    ((PRTM_ROUTE_INFO)RouteInfo)->PrefInfo.Preference = 120;
    return NO_ERROR;
}

static void LoadModule(const char *Path)
{
    PREGISTER_PROTOCOL Register;
    MPR_SERVICE_CHARACTERISTICS Services;

    Library = LoadLibraryA(Path);
    if (Library == NULL) Must("LoadLibrary", GetLastError());
    Register = (PREGISTER_PROTOCOL)(void (*)(void))GetProcAddress(Library, REGISTER_PROTOCOL_ENTRY_POINT_STRING);
    if (Register == NULL) Must("GetProcAddress", GetLastError());
    ZeroMemory(&Services, sizeof(Services));
    Module.dwVersion = MS_ROUTER_VERSION;
    Module.dwProtocolId = 1;
    Module.fSupportedFunctionality = RF_ROUTING | RF_DEMAND_UPDATE_ROUTES;
    Expect("RegisterProtocol of another protocol", Register(&Module, &Services), ERROR_NOT_SUPPORTED);
    Module.dwProtocolId = NRP_PROTOCOL_ID;
    Must("RegisterProtocol", Register(&Module, &Services));
}

static DWORD AddInterface(ULONG Index)
{
    NRP_INTERFACE_CONFIG Interface = {1, 0};
    WCHAR Name[] = L"eth0";

    return Module.pfnAddInterface(Name, Index, PERMANENT, 0, 0, 0, &Interface, NRP_INTERFACE_VERSION, sizeof(Interface),
                                  1);
}

static DWORD StartProtocol(ULONG AnnouncePeriod)
{
    static SUPPORT_FUNCTIONS Support;
    NRP_GLOBAL_CONFIG Global = {0, 1500, 0, NRP_LOG_NONE, 0};

    Support.dwVersion = MS_ROUTER_VERSION;
    Support.DemandDialRequest = NotHere;
    Support.ValidateRoute = ValidateRoute;
    Global.AnnouncePeriod = AnnouncePeriod;
    return Module.pfnStartProtocol(ModuleSignals, &Support, &Global, NRP_GLOBAL_VERSION, sizeof(Global), 1);
}

static void StartModule(ULONG Index, const char *Address, ULONG Length)
{
    union {
        IP_ADAPTER_BINDING_INFO Info;
        BYTE Room[SIZEOF_IP_BINDING(1)];
    } Binding;

    Expect("StartProtocol with a wrong configuration", StartProtocol(0), ERROR_INVALID_PARAMETER);
    Expect("AddInterface before StartProtocol", AddInterface(Index), ERROR_CAN_NOT_COMPLETE);
    Must("StartProtocol", StartProtocol(200));
    Expect("StartProtocol twice", StartProtocol(200), ERROR_CAN_NOT_COMPLETE);
    Must("AddInterface", AddInterface(Index));
    Expect("AddInterface twice", AddInterface(Index), ERROR_INVALID_PARAMETER);
    Must("StartComplete", Module.pfnStartComplete());
    ZeroMemory(&Binding, sizeof(Binding));
    Binding.Info.AddressCount = 1;
    Binding.Info.Address[0].Address = inet_addr(Address);
    Binding.Info.Address[0].Mask = RTM_IPV4_MASK_FROM_LEN(Length);
    Must("InterfaceStatus", Module.pfnInterfaceStatus(Index, FALSE, RIS_INTERFACE_ADDRESS_CHANGE, &Binding));
    Must("InterfaceStatus", Module.pfnInterfaceStatus(Index, TRUE, RIS_INTERFACE_ENABLED, NULL));
}

static void StopModule(void)
{
    ROUTING_PROTOCOL_EVENTS Event = SAVE_GLOBAL_CONFIG_INFO;
    MESSAGE Message;

    Expect("StopProtocol", Module.pfnStopProtocol(), ERROR_PROTOCOL_STOP_PENDING);
    if (WaitForSingleObject(ModuleSignals, WAIT_LIMIT) != WAIT_OBJECT_0) Must("the module did not stop", 1);
    Must("GetEventMessage", Module.pfnGetEventMessage(&Event, &Message));
    Expect("the event of the end", Event, ROUTER_STOPPED);
    Expect("GetEventMessage behind the end", Module.pfnGetEventMessage(&Event, &Message), ERROR_NO_MORE_ITEMS);
    Expect("StopProtocol twice", Module.pfnStopProtocol(), ERROR_CAN_NOT_COMPLETE);
    Say("stopped");
}

static void UnloadModule(void)
{
    if (!FreeLibrary(Library)) Must("FreeLibrary", GetLastError());
    if (FreeLibrary(Library)) Must("the module is loaded twice", 1);
}

static DWORD WINAPI OnTableEvent(RTM_ENTITY_HANDLE Entity, RTM_EVENT_TYPE Event, PVOID Context1, PVOID Context2)
{
    (void)Entity, (void)Context1, (void)Context2;
    if (Event == RTM_CHANGE_NOTIFICATION) SetEvent(TableChanges);
    return NO_ERROR;
}

static void JoinTable(void)
{
    RTM_ENTITY_INFO Info;
    RTM_REGN_PROFILE Profile;

    ZeroMemory(&Info, sizeof(Info));
    Info.AddressFamily = AF_INET;
    Info.EntityId.EntityProtocolId = PROTO_IP_LOCAL;
    Must("RtmRegisterEntity", RtmRegisterEntity(&Info, NULL, OnTableEvent, FALSE, &Profile, &Self));
    Must("RtmRegisterForChangeNotification",
         RtmRegisterForChangeNotification(Self, RTM_VIEW_MASK_UCAST, RTM_CHANGE_TYPE_BEST, NULL, &Notify));
    ZeroMemory(&Taught, sizeof(Taught));
    RTM_IPV4_MAKE_NET_ADDRESS(&Taught, inet_addr("10.99.0.0"), 16);
}

static void Teach(void)
{
    RTM_ROUTE_INFO Route;
    RTM_ROUTE_HANDLE Handle = NULL;
    RTM_ROUTE_CHANGE_FLAGS Flags = 0;

    ZeroMemory(&Route, sizeof(Route));
    Route.Flags = RTM_ROUTE_FLAGS_LOCAL;
    Route.PrefInfo.Metric = 1;
    Route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    Must("RtmAddRouteToDest", RtmAddRouteToDest(Self, &Handle, &Taught, &Route, INFINITE, NULL, 0, NULL, &Flags));
    Say("teaching");
    AwaitLine();
    Must("RtmDeleteRouteToDest", RtmDeleteRouteToDest(Self, Handle, &Flags));
    Say("withdrawn");
}

/* The metric of the taught destination's best route; 0: none. */
static ULONG TaughtMetric(void)
{
    RTM_DEST_INFO Dest;
    RTM_ROUTE_INFO Route;
    ULONG Metric = 0;

    if (RtmGetExactMatchDestination(Self, &Taught, RTM_BEST_PROTOCOL, RTM_VIEW_MASK_UCAST, &Dest) != NO_ERROR) return 0;
    if (RtmGetRouteInfo(Self, Dest.ViewInfo[0].Route, &Route, NULL) == NO_ERROR) {
        Metric = Route.PrefInfo.Metric;
        RtmReleaseRouteInfo(Self, &Route);
    }
    RtmReleaseDestInfo(Self, &Dest);
    return Metric;
}

/* Every wait is woken by a change of the table, and reads what waits so that the next change wakes it again. Gives the
 * metric that it has then: it may be another a moment later. */
static ULONG AwaitTaught(BOOL Present)
{
    ULONG Metric;

    while (((Metric = TaughtMetric()) != 0) != Present) {
        RTM_DEST_INFO Dest;
        UINT Count = 1;

        if (WaitForSingleObject(TableChanges, WAIT_LIMIT) != WAIT_OBJECT_0) Must("the table did not change", 1);
        while (RtmGetChangedDests(Self, Notify, &Count, &Dest) == NO_ERROR && Count != 0) {
            RtmReleaseChangedDests(Self, Notify, Count, &Dest);
        }
    }
    return Metric;
}

/* The management interface: one row, whose size is told first. */
static void CheckStatistics(void)
{
    NRP_INTERFACE_STATS Stats;
    ULONG Size = 0, Index;

    Expect("MibGetFirst", Module.pfnMibGetFirstEntry(0, NULL, &Size, NULL), ERROR_INSUFFICIENT_BUFFER);
    Expect("the size of the statistics", Size, sizeof(Stats));
    Must("MibGetFirst", Module.pfnMibGetFirstEntry(0, NULL, &Size, &Stats));
    Expect("whether the interface is active", (DWORD)Stats.Active, TRUE);
    if (Stats.RoutesLearned == 0 || Stats.PacketsReceived == 0) Must("nothing was counted", 1);
    Index = Stats.InterfaceIndex;
    Must("MibGet", Module.pfnMibGetEntry(sizeof(Index), &Index, &Size, &Stats));
    Expect("MibGetNext", Module.pfnMibGetNextEntry(sizeof(Index), &Index, &Size, &Stats), ERROR_NO_MORE_ITEMS);
}

static void Learn(void)
{
    Say("learning");
    printf("learned 10.99.0.0/16 with metric %u\n", AwaitTaught(TRUE));
    fflush(stdout);
    AwaitTaught(FALSE);
    CheckStatistics();
    Say("lost");
}

static void LeaveTable(void)
{
    Must("RtmDeregisterEntity", RtmDeregisterEntity(Self));
    TpDrain();
    if (TpObjectCount(TP_KIND_ANY) != 0 || TpReferenceCount(TP_KIND_ANY) != 0) Must("something is in the table", 1);
}

int main(int Count, char **Words)
{
    DWORD Handles = 0;

    if (Count != 6) {
        fprintf(stderr, "usage: host MODULE INDEX ADDRESS LENGTH teach|learn\n");
        return 2;
    }
    ModuleSignals = CreateEvent(NULL, FALSE, FALSE, NULL);
    TableChanges = CreateEvent(NULL, FALSE, FALSE, NULL);
    JoinTable();
    LoadModule(Words[1]);
    Must("StartProtocol", StartProtocol(200));
    StopModule();
    StartModule((ULONG)strtoul(Words[2], NULL, 10), Words[3], (ULONG)strtoul(Words[4], NULL, 10));
    if (strcmp(Words[5], "teach") == 0) {
        Teach();
    } else {
        Learn();
    }
    AwaitLine();
    StopModule();
    UnloadModule();
    LeaveTable();
    CloseHandle(ModuleSignals);
    CloseHandle(TableChanges);
    if (!GetProcessHandleCount(GetCurrentProcess(), &Handles)) Must("GetProcessHandleCount", GetLastError());
    Expect("handles that are open", Handles, 1); /* that of the process heap */
    Say("clean");
    return 0;
}
