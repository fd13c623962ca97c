/* A module with every fault that a module can have; which one it has is its protocol's number. */
#include <windows.h>
/* After it. */
#include <iprtrmib.h>
#include <mprerror.h>
#include <routprot.h>
#include <rtmv2.h>

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <turnpike/log.h>
#include <unistd.h>

enum {
  kSaysNo = 0x7F01,          /* RegisterProtocol fails */
  kTooNew = 0x7F02,          /* wants a newer router */
  kLacksEntries = 0x7F03,    /* has no AddInterface */
  kAnother = 0x7F04,         /* registers another protocol than it was asked for */
  kDoesNotStart = 0x7F05,    /* StartProtocol fails */
  kHugeSettings = 0x7F06,    /* tells 4 GiB of settings */
  kEndlessSettings = 0x7F07, /* needs more room for its settings each time */
  kTalksOn = 0x7F08,         /* calls support functions after it has stopped */
  kHangs = 0x7F09,           /* SetGlobalInfo with "hang" does not return until a file is there */
  kCrashes = 0x7F0A,         /* SetGlobalInfo with "crash" */
  kNonsense = 0x7F0B,        /* sends messages without a meaning */
};

static DWORD fault;
static HANDLE event;
static SUPPORT_FUNCTIONS support;
static int messages;

static void say(const char* what, DWORD code) {
  const TpLogField field = TpLogUnsigned("code", code);
  TpLogWrite(TP_LOG_NOTICE, "faulty", what, &field, 1);
}

static void* talk_on(void* unused) {
  RTM_ROUTE_INFO route;
  memset(&route, 0, sizeof route);
  route.BelongsToViews = RTM_VIEW_MASK_UCAST;
  DWORD code = NO_ERROR;
  /* Until the router says that it is over: in between it is still stopping us. */
  while (code != ERROR_ROUTER_STOPPED) code = support.ValidateRoute(fault, &route, NULL);
  say("validates a route after the stop", code);
  say("wants a connection after the stop", support.DemandDialRequest(fault, 1));
  say("asks for a variable after the stop", support.MIBEntryGet(IPRTRMGR_PID, 0, NULL, NULL, NULL));
  return unused;
}

static void* stay(void* gone) {
  while (access(gone, F_OK) != 0) Sleep(10);
  return gone;
}

static BOOL is_told(const void* info, ULONG size, const char* word) {
  return size >= strlen(word) && memcmp(info, word, strlen(word)) == 0;
}

static DWORD WINAPI start(HANDLE signal, PSUPPORT_FUNCTIONS functions, LPVOID info, ULONG version, ULONG size,
                          ULONG count) {
  (void)info, (void)version, (void)size, (void)count;
  event = signal;
  support = *functions;
  messages = 0;
  return fault == kDoesNotStart ? ERROR_CAN_NOT_COMPLETE : NO_ERROR;
}

static DWORD WINAPI start_complete(void) {
  if (fault == kHugeSettings || fault == kEndlessSettings || fault == kNonsense) {
    messages = 3;
    SetEvent(event);
  }
  return NO_ERROR;
}

static DWORD WINAPI stop(void) {
  if (fault != kTalksOn) return NO_ERROR;
  Dl_info self;
  pthread_t thread;
  /* Its code stays, so that it can be wrong for as long as it likes. */
  if (dladdr((void*)&fault, &self) == 0 || dlopen(self.dli_fname, RTLD_NOW) == NULL) return ERROR_CAN_NOT_COMPLETE;
  if (pthread_create(&thread, NULL, talk_on, NULL) == 0) pthread_detach(thread);
  return NO_ERROR;
}

static DWORD WINAPI get_settings(PVOID to, PULONG size, PULONG version, PULONG item, PULONG count) {
  (void)to;
  *version = *count = 1;
  *size = fault == kHugeSettings ? 0xFFFFFFFF : *size + 64;
  *item = *size;
  return ERROR_INSUFFICIENT_BUFFER;
}

static DWORD WINAPI set_settings(PVOID info, ULONG version, ULONG size, ULONG count) {
  (void)version, (void)count;
  if (fault == kHangs && is_told(info, size, "hang")) stay((char*)info + 4);
  if (fault == kCrashes && is_told(info, size, "crash")) *(volatile int*)8 = 1;
  return NO_ERROR;
}

static DWORD WINAPI add_interface(LPWSTR name, ULONG index, NET_INTERFACE_TYPE type, DWORD media, WORD access_type,
                                  WORD connection, PVOID info, ULONG version, ULONG size, ULONG count) {
  (void)name, (void)index, (void)type, (void)media, (void)access_type, (void)connection;
  (void)info, (void)version, (void)size, (void)count;
  return NO_ERROR;
}

static DWORD WINAPI delete_interface(ULONG index) { return (void)index, NO_ERROR; }

static DWORD WINAPI interface_status(ULONG index, BOOL active, DWORD type, PVOID info) {
  return (void)index, (void)active, (void)type, (void)info, NO_ERROR;
}

static DWORD WINAPI get_interface(ULONG index, PVOID to, PULONG size, PULONG version, PULONG item, PULONG count) {
  return (void)index, get_settings(to, size, version, item, count);
}

static DWORD WINAPI set_interface(ULONG index, PVOID info, ULONG version, ULONG size, ULONG count) {
  return (void)index, set_settings(info, version, size, count);
}

static DWORD WINAPI next_message(ROUTING_PROTOCOL_EVENTS* what, MESSAGE* message) {
  if (messages == 0) return ERROR_NO_MORE_ITEMS;
  memset(message, 0xFF, sizeof *message);
  const int number = fault == kNonsense ? 77 : SAVE_GLOBAL_CONFIG_INFO;
  memcpy(what, &number, sizeof number);
  --messages;
  return NO_ERROR;
}

__declspec(dllexport) DWORD WINAPI RegisterProtocol(PMPR_ROUTING_CHARACTERISTICS routing,
                                                    PMPR_SERVICE_CHARACTERISTICS services) {
  fault = routing->dwProtocolId;
  if (fault == kSaysNo) return ERROR_NOT_SUPPORTED;
  if (fault == kTooNew) routing->dwVersion = 0x7FFF;
  if (fault == kAnother) routing->dwProtocolId = kAnother + 1;
  routing->fSupportedFunctionality = RF_ROUTING | RF_ADD_ALL_INTERFACES;
  services->fSupportedFunctionality = 0;
  routing->pfnStartProtocol = start;
  routing->pfnStartComplete = start_complete;
  routing->pfnStopProtocol = stop;
  routing->pfnGetGlobalInfo = get_settings;
  routing->pfnSetGlobalInfo = set_settings;
  routing->pfnAddInterface = fault == kLacksEntries ? NULL : add_interface;
  routing->pfnDeleteInterface = delete_interface;
  routing->pfnInterfaceStatus = interface_status;
  routing->pfnGetInterfaceInfo = get_interface;
  routing->pfnSetInterfaceInfo = set_interface;
  routing->pfnGetEventMessage = next_message;
  return NO_ERROR;
}
