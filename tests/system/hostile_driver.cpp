// A driver that does what the environment variable HOSTILE says, for tests of turnpike-ndis-host. Otherwise it is an
// honest one of NDIS 5 that binds, hears broadcasts and unloads.
#include <ndis.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace {

NDIS_HANDLE protocol = nullptr, binding = nullptr;

bool is(const char* what) {
  const char* const wanted = std::getenv("HOSTILE");
  return wanted != nullptr && std::strcmp(wanted, what) == 0;
}

[[noreturn]] void stay() {
  std::fputs("the driver stays\n", stderr);
  for (;;) ::pause();
}

void crash() { *reinterpret_cast<volatile int*>(8) = 0; }

VOID NDISAPI bind(PNDIS_STATUS status, NDIS_HANDLE, PNDIS_STRING name, PVOID, PVOID) {
  if (is("stuck in bind")) stay();
  NDIS_MEDIUM medium = NdisMedium802_3;
  NDIS_STATUS error = 0;
  UINT index = 0;
  NdisOpenAdapter(status, &error, &binding, &index, &medium, 1, protocol, nullptr, name, 0, nullptr);
  if (*status != NDIS_STATUS_SUCCESS) return;
  static ULONG filter;
  filter = NDIS_PACKET_TYPE_BROADCAST;
  static NDIS_REQUEST request;
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  request.DATA.SET_INFORMATION.InformationBuffer = &filter;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
  NdisRequest(status, binding, &request);
}
VOID NDISAPI unbind(PNDIS_STATUS status, NDIS_HANDLE, NDIS_HANDLE) {
  if (is("throws in unbind")) throw std::runtime_error("thrown in unbind");
  NdisCloseAdapter(status, binding);  // it may pend: then the library waits for what is retained
}
INT NDISAPI packet(NDIS_HANDLE, PNDIS_PACKET) {
  if (is("crash on a frame")) crash();
  return is("keeps frames") ? 1 : 0;
}
VOID NDISAPI completed(NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS) {}
VOID NDISAPI closed(NDIS_HANDLE, NDIS_STATUS) {}
VOID NDISAPI send_done(NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS) {}
VOID NDISAPI transfer_done(NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS, UINT) {}
VOID NDISAPI request_done(NDIS_HANDLE, PNDIS_REQUEST, NDIS_STATUS) {}
NDIS_STATUS NDISAPI lookahead(NDIS_HANDLE, NDIS_HANDLE, PVOID, UINT, PVOID, UINT, UINT) {
  return NDIS_STATUS_NOT_ACCEPTED;
}
VOID NDISAPI receive_done(NDIS_HANDLE) {}
VOID NDISAPI status_told(NDIS_HANDLE, NDIS_STATUS, PVOID, UINT) {}
VOID NDISAPI status_done(NDIS_HANDLE) {}

VOID NTAPI late(PVOID, PVOID, PVOID, PVOID) { std::fputs("called after it went\n", stderr); }

VOID NDISAPI linger(PNDIS_WORK_ITEM, PVOID) {
  ::usleep(100'000);  // allow sleeping-test: longer than the rest of the driver's unload takes
}

// What it leaves behind.
void leave_calls() {
  static NDIS_TIMER in_the_driver;
  NdisInitializeTimer(&in_the_driver, late, nullptr);
  NdisSetTimer(&in_the_driver, 3'600'000);
  static KTIMER system_timer;
  static KDPC call;
  KeInitializeTimer(&system_timer);
  KeInitializeDpc(&call, [](PKDPC, PVOID, PVOID, PVOID) { late(nullptr, nullptr, nullptr, nullptr); }, nullptr);
  KeSetTimerEx(&system_timer, LARGE_INTEGER{.QuadPart = -36'000'000'000}, 3'600'000, &call);
}

VOID NTAPI unload(PDRIVER_OBJECT) {
  NDIS_STATUS status = 0;
  static NDIS_WORK_ITEM item;
  if (is("leaves timers")) leave_calls();
  if (is("leaves a work item")) NdisInitializeWorkItem(&item, linger, nullptr), NdisScheduleWorkItem(&item);
  if (!is("stays registered")) NdisDeregisterProtocol(&status, protocol);
}

NDIS_STATUS enlist() {
  static WCHAR name[] = L"HOSTILE";
  NDIS_PROTOCOL_CHARACTERISTICS what;
  NdisZeroMemory(&what, sizeof(what));
  what.MajorNdisVersion = 5;
  NdisInitUnicodeString(&what.Name, name);
  what.OpenAdapterCompleteHandler = completed;
  what.CloseAdapterCompleteHandler = closed;
  what.SendCompleteHandler = send_done;
  what.TransferDataCompleteHandler = transfer_done;
  what.ResetCompleteHandler = closed;
  what.RequestCompleteHandler = request_done;
  what.ReceiveHandler = lookahead;
  what.ReceiveCompleteHandler = receive_done;
  what.StatusHandler = status_told;
  what.StatusCompleteHandler = status_done;
  what.ReceivePacketHandler = packet;
  what.BindAdapterHandler = bind;
  what.UnbindAdapterHandler = unbind;
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRegisterProtocol(&status, &protocol, &what, sizeof(what));
  return status;
}

void show_configuration() {
  NDIS_STRING section = RTL_CONSTANT_STRING(L"HOSTILE\\Parameters"), keyword = RTL_CONSTANT_STRING(L"greeting");
  NDIS_STATUS status = 0;
  NDIS_HANDLE configuration = nullptr;
  NdisOpenProtocolConfiguration(&status, &configuration, &section);
  if (status != NDIS_STATUS_SUCCESS) return;
  PNDIS_CONFIGURATION_PARAMETER read = nullptr;
  NdisReadConfiguration(&status, &read, configuration, &keyword, NdisParameterString);
  if (status == NDIS_STATUS_SUCCESS) DbgPrint("configured: <%wZ>\n", &read->ParameterData.StringData);
  NdisCloseConfiguration(configuration);
}

}  // namespace

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT object, PUNICODE_STRING) {
  if (is("crash in DriverEntry")) crash();
  if (is("throws in DriverEntry")) throw std::runtime_error("thrown in DriverEntry");
  if (is("stuck in DriverEntry")) stay();
  if (is("refuses")) return STATUS_DEVICE_NOT_READY;
  if (!is("has no unload")) object->DriverUnload = unload;
  const NDIS_STATUS status = enlist();
  show_configuration();
  return is("fails after it registered") ? STATUS_INSUFFICIENT_RESOURCES : status;
}
