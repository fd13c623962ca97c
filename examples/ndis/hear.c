/* The smallest protocol driver that does something: it binds to every adapter that it is offered, hears broadcasts, and
 * says how many it has heard when it is unloaded. NDIS 6, plain C, nothing of Linux: docs/ndis-drivers.md walks through
 * it. With -DFORGETFUL it returns what it has returned already: see what --checked says. */
#include <ndis.h>

static NDIS_HANDLE protocol;
static LONG heard;

typedef struct BINDING {
  NDIS_HANDLE handle;
  NDIS_EVENT done; /* a call that pended has come to its end */
  NDIS_STATUS status;
  NDIS_OID_REQUEST request;
} BINDING;

static NDIS_STATUS outcome(BINDING* binding, NDIS_STATUS status) {
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&binding->done, 0);
  return binding->status;
}

static void finish(BINDING* binding, NDIS_STATUS status) {
  binding->status = status;
  NdisSetEvent(&binding->done);
}

static VOID OpenComplete(NDIS_HANDLE context, NDIS_STATUS status) { finish(context, status); }
static VOID CloseComplete(NDIS_HANDLE context) { finish(context, NDIS_STATUS_SUCCESS); }
static VOID RequestComplete(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
  UNREFERENCED_PARAMETER(request);
  finish(context, status);
}

static NDIS_STATUS Open(BINDING* binding, NDIS_HANDLE bind, PNDIS_STRING adapter) {
  NDIS_MEDIUM medium = NdisMedium802_3;
  UINT selected;
  NDIS_OPEN_PARAMETERS how;
  NdisZeroMemory(&how, sizeof(how));
  how.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
  how.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
  how.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
  how.AdapterName = adapter;
  how.MediumArray = &medium;
  how.MediumArraySize = 1;
  how.SelectedMediumIndex = &selected;
  NdisResetEvent(&binding->done);
  return outcome(binding, NdisOpenAdapterEx(protocol, binding, &how, bind, &binding->handle));
}

static NDIS_STATUS SetFilter(BINDING* binding, ULONG filter) {
  NDIS_OID_REQUEST* const request = &binding->request;
  NdisZeroMemory(request, sizeof(*request));
  request->Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  request->Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  request->Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  request->RequestType = NdisRequestSetInformation;
  request->DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  request->DATA.SET_INFORMATION.InformationBuffer = &filter;
  request->DATA.SET_INFORMATION.InformationBufferLength = sizeof(filter);
  NdisResetEvent(&binding->done);
  return outcome(binding, NdisOidRequest(binding->handle, request));
}

static NDIS_STATUS Close(BINDING* binding) {
  NdisResetEvent(&binding->done);
  return outcome(binding, NdisCloseAdapterEx(binding->handle));
}

static NDIS_STATUS Bind(NDIS_HANDLE context, NDIS_HANDLE bind, PNDIS_BIND_PARAMETERS parameters) {
  BINDING* const binding = ExAllocatePoolWithTag(NonPagedPool, sizeof(*binding), 'raeh');
  NDIS_STATUS status;
  UNREFERENCED_PARAMETER(context);
  if (binding == NULL) return NDIS_STATUS_RESOURCES;
  NdisZeroMemory(binding, sizeof(*binding));
  NdisInitializeEvent(&binding->done);
  status = Open(binding, bind, parameters->AdapterName);
  if (status == NDIS_STATUS_SUCCESS) {
    status = SetFilter(binding, NDIS_PACKET_TYPE_BROADCAST);
    if (status != NDIS_STATUS_SUCCESS) Close(binding);
  }
  if (status != NDIS_STATUS_SUCCESS) ExFreePoolWithTag(binding, 'raeh');
  DbgPrint("hear: bind to %wZ, MTU %u: %08x\n", parameters->AdapterName, parameters->MtuSize, status);
  return status;
}

static NDIS_STATUS Unbind(NDIS_HANDLE unbind, NDIS_HANDLE context) {
  UNREFERENCED_PARAMETER(unbind);
  Close(context);
  ExFreePoolWithTag(context, 'raeh');
  return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS Event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) {
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(event);
  return NDIS_STATUS_SUCCESS; /* it may pause and restart at any time: it sends nothing and keeps nothing */
}

static VOID Receive(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port, ULONG count, ULONG flags) {
  BINDING* const binding = context;
  UNREFERENCED_PARAMETER(port);
  InterlockedExchangeAdd(&heard, (LONG)count);
  if (!NDIS_TEST_RECEIVE_CAN_PEND(flags)) return;
  NdisReturnNetBufferLists(binding->handle, lists, 0);
#ifdef FORGETFUL
  NdisReturnNetBufferLists(binding->handle, lists, 0);
#endif
}

static VOID SendComplete(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags) {
  UNREFERENCED_PARAMETER(context);
  UNREFERENCED_PARAMETER(lists);
  UNREFERENCED_PARAMETER(flags);
}

static VOID Unload(PDRIVER_OBJECT driver) {
  UNREFERENCED_PARAMETER(driver);
  NdisDeregisterProtocolDriver(protocol); /* Unbind has been called for each binding when this returns */
  DbgPrint("hear: %d broadcasts\n", heard);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path) {
  NDIS_STRING name = RTL_CONSTANT_STRING(L"HEAR");
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS what;
  UNREFERENCED_PARAMETER(path);
  NdisZeroMemory(&what, sizeof(what));
  what.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
  what.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  what.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  what.MajorNdisVersion = 6;
  what.MinorNdisVersion = 30;
  what.Name = name;
  what.BindAdapterHandlerEx = Bind;
  what.UnbindAdapterHandlerEx = Unbind;
  what.OpenAdapterCompleteHandlerEx = OpenComplete;
  what.CloseAdapterCompleteHandlerEx = CloseComplete;
  what.NetPnPEventHandler = Event;
  what.OidRequestCompleteHandler = RequestComplete;
  what.ReceiveNetBufferListsHandler = Receive;
  what.SendNetBufferListsCompleteHandler = SendComplete;
  driver->DriverUnload = Unload;
  return NdisRegisterProtocolDriver(NULL, &what, &protocol);
}
