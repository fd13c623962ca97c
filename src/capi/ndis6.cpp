// The C face of NDIS 6: protocols, bindings and requests (contract, D.10 to D.14). Frames are in ndis6_data.cpp, what a
// driver is shown in ndis6_shown.cpp.
//
// Each function does the same: check, ask the engine, translate the answer back.
#include "capi/ndis6.h"

#include "base/log.h"
#include "ndis/pools/pools.h"
#include "win32/text/utf8.h"

namespace turnpike::capi {
namespace {

using ndis::Engine;
using ndis::Generation;
using ndis::OidRequest;
using Chars = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS;

constexpr UCHAR kCharacteristicsType = 0x95;
constexpr UCHAR kOpenParametersType = 0x87;
constexpr UCHAR kOidRequestType = 0x96;
constexpr std::size_t kRevision1 = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1;
constexpr std::size_t kRevision2 = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;

bool is_version(UCHAR major, UCHAR minor) {
  static constexpr std::array<UCHAR, 9> kMinors{0, 1, 20, 30, 40, 50, 51, 60, 70};
  return major == 6 && (std::ranges::find(kMinors, minor) != kMinors.end() || (minor >= 80 && minor <= 89));
}

// The driver's characteristics, as far as its revision goes.
Status read_characteristics(const Chars* given, Chars& chars) {
  if (given == nullptr || given->Header.Type != kCharacteristicsType || given->Header.Revision == 0) {
    return Status::kBadCharacteristics;
  }
  const std::size_t size = given->Header.Revision == 1 ? kRevision1 : kRevision2;
  if (given->Header.Size < size) {
    return Status::kBadCharacteristics;
  }
  if (!is_version(given->MajorNdisVersion, given->MinorNdisVersion)) {
    return Status::kBadVersion;
  }
  chars = {};
  std::memcpy(static_cast<void*>(&chars), given, size);
  const bool complete = chars.BindAdapterHandlerEx != nullptr && chars.UnbindAdapterHandlerEx != nullptr &&
                        chars.OpenAdapterCompleteHandlerEx != nullptr &&
                        chars.CloseAdapterCompleteHandlerEx != nullptr && chars.NetPnPEventHandler != nullptr &&
                        chars.OidRequestCompleteHandler != nullptr && chars.ReceiveNetBufferListsHandler != nullptr &&
                        chars.SendNetBufferListsCompleteHandler != nullptr;
  return complete && !text_of(&chars.Name).empty() ? Status::kSuccess : Status::kBadCharacteristics;
}

// Frame types are taken in host order; one that is well known only the other way round was meant so.
NET_FRAME_TYPE frame_type_of(NET_FRAME_TYPE given) {
  static constexpr std::array<NET_FRAME_TYPE, 10> kKnown{0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8,
                                                         0x8863, 0x8864, 0x888E, 0x88CC, 0x88A2};
  const auto is_known = [](NET_FRAME_TYPE type) { return std::ranges::find(kKnown, type) != kKnown.end(); };
  const auto swapped = static_cast<NET_FRAME_TYPE>(given << 8 | given >> 8);
  return !is_known(given) && is_known(swapped) ? swapped : given;
}

// A request that may complete later.
struct Asked6 {
  OidRequest request;
  NDIS_OID_REQUEST* shown;

  void write_back(Status status) const {
    if (request.type == OidRequest::Type::kSet) {
      auto& set = shown->DATA.SET_INFORMATION;
      set.BytesRead = request.done;
      set.BytesNeeded = request.needed;
      shown->SupportedRevision = 0;  // no set that is offered here has a header
    } else {
      auto& query = shown->DATA.QUERY_INFORMATION;
      query.BytesWritten = request.done;
      query.BytesNeeded = request.needed;
    }
    (void)status;
  }
};

Status check_request(const NDIS_OID_REQUEST* request) {
  if (request == nullptr || request->Header.Type != kOidRequestType || request->Header.Revision == 0 ||
      request->Header.Size < NDIS_SIZEOF_OID_REQUEST_REVISION_1) {
    return Status::kInvalidParameter;
  }
  return request->PortNumber != 0 ? Status::kInvalidPort : Status::kSuccess;
}

// Pools are the driver's to free, and may be freed later; so what is left is said, and stays.
void tell_what_is_left(NDIS_HANDLE protocol) {
  const std::string left = ndis::Pools::instance().left_by(static_cast<std::uint64_t>(handle_of(protocol)));
  if (!left.empty()) {
    constexpr LogLimit kEachOnce{.lines = 0, .interval_ms = 0};  // each line is about another protocol's whole life
    TURNPIKE_LOG_LIMITED(process_log(), kEachOnce, LogLevel::kWarning, "ndis", "a protocol has left pools behind",
                         {"handle", static_cast<std::uint64_t>(handle_of(protocol))}, {"left", std::string_view(left)});
  }
}

// Names that a driver gets to free: text of the heap that NdisFreeMemory takes.
Status give_name(PNDIS_STRING out, const std::string& name) {
  PVOID memory = nullptr;
  const std::wstring wide = win32::to_wide(name);
  const auto bytes = static_cast<UINT>((wide.size() + 1) * sizeof(WCHAR));
  if (NdisAllocateMemoryWithTag(&memory, bytes, 0) != NDIS_STATUS_SUCCESS) {
    return Status::kResources;
  }
  auto* const text = static_cast<PWSTR>(memory);
  std::copy_n(wide.c_str(), wide.size() + 1, text);
  out->Buffer = text;
  out->Length = static_cast<USHORT>(wide.size() * sizeof(WCHAR));
  out->MaximumLength = static_cast<USHORT>(bytes);
  return Status::kSuccess;
}

}  // namespace

void Driver6::request_complete(ndis::Binding& binding, void* request, Status status) {
  const AtDispatch level;
  const std::unique_ptr<Asked6> asked(static_cast<Asked6*>(request));
  asked->write_back(status);
  chars_.OidRequestCompleteHandler(binding.context, asked->shown, to(status));
}

}  // namespace turnpike::capi

using namespace turnpike;        // allow using-namespace: the functions below are C's
using namespace turnpike::capi;  // allow using-namespace: and are made of these
using ndis::Generation;

// --- protocols
// ----------------------------------------------------------------------------------------------------------

NDIS_STATUS NdisRegisterProtocolDriver(NDIS_HANDLE ProtocolDriverContext,
                                       PNDIS_PROTOCOL_DRIVER_CHARACTERISTICS ProtocolCharacteristics,
                                       PNDIS_HANDLE NdisProtocolHandle) {
  only_at_passive("NdisRegisterProtocolDriver");
  Chars chars;
  if (const Status bad = read_characteristics(ProtocolCharacteristics, chars); bad != Status::kSuccess) {
    return to(bad);
  }
  ndis::Engine* const ndis = engine();
  if (ndis == nullptr || NdisProtocolHandle == nullptr) {
    return to(Status::kFailure);
  }
  ndis::Registration registration;
  registration.name = upper(text_of(&chars.Name));
  registration.generation = Generation::k6;
  registration.version = static_cast<std::uint16_t>(chars.MajorNdisVersion << 8 | chars.MinorNdisVersion);
  registration.takes_mac_changes = (chars.Flags & NDIS_PROTOCOL_DRIVER_SUPPORTS_CURRENT_MAC_ADDRESS_CHANGE) != 0;
  registration.owner = loading_driver;
  registration.driver = std::make_unique<Driver6>(chars, ProtocolDriverContext);
  Handle handle{};
  if (const Status refused = ndis->register_protocol(std::move(registration), handle); refused != Status::kSuccess) {
    return to(refused);
  }
  *NdisProtocolHandle = to(handle);
  const Status begun = ndis->begin_with(handle, [&] {
    return chars.SetOptionsHandler == nullptr ? Status::kSuccess
                                              : status_of(chars.SetOptionsHandler(to(handle), ProtocolDriverContext));
  });
  if (begun != Status::kSuccess) {
    *NdisProtocolHandle = nullptr;
  }
  return to(begun);
}

VOID NdisDeregisterProtocolDriver(NDIS_HANDLE NdisProtocolHandle) {
  only_at_passive("NdisDeregisterProtocolDriver");
  ndis::Engine* const ndis = running_engine();
  if (ndis != nullptr &&
      ndis->deregister(handle_of(NdisProtocolHandle), Generation::k6, "NdisDeregisterProtocolDriver")) {
    tell_what_is_left(NdisProtocolHandle);
  }
}

// Of the structures that a protocol may hand in none is offered here; whatever else it hands in is a mistake.
NDIS_STATUS NdisSetOptionalHandlers(NDIS_HANDLE NdisHandle, PNDIS_OBJECT_HEADER OptionalHandlers) {
  const char* const function = "NdisSetOptionalHandlers";
  only_at_passive(function);
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || OptionalHandlers == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  if (ndis->generation_of(handle_of(NdisHandle)) != Generation::k6) {
    ndis->violation(function, "the handle names no protocol or binding of NDIS 6", handle_of(NdisHandle));
    return NDIS_STATUS_FAILURE;
  }
  static constexpr std::array<UCHAR, 6> kOfProtocols{NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_GENERIC_CHARACTERISTICS,
                                                     NDIS_OBJECT_TYPE_CO_PROTOCOL_CHARACTERISTICS,
                                                     NDIS_OBJECT_TYPE_CLIENT_CHIMNEY_OFFLOAD_CHARACTERISTICS,
                                                     NDIS_OBJECT_TYPE_CO_CALL_MANAGER_OPTIONAL_HANDLERS,
                                                     NDIS_OBJECT_TYPE_CO_CLIENT_OPTIONAL_HANDLERS,
                                                     NDIS_OBJECT_TYPE_SHARED_MEMORY_PROVIDER_CHARACTERISTICS};
  return std::ranges::find(kOfProtocols, OptionalHandlers->Type) != kOfProtocols.end() ? NDIS_STATUS_NOT_SUPPORTED
                                                                                       : NDIS_STATUS_FAILURE;
}

VOID NdisReEnumerateProtocolBindings(NDIS_HANDLE NdisProtocolHandle) {
  only_at_passive("NdisReEnumerateProtocolBindings");
  if (ndis::Engine* const ndis = running_engine()) {
    (void)ndis->reenumerate(handle_of(NdisProtocolHandle));
  }
}

UCHAR NdisGeneratePartialCancelId(VOID) {
  static std::atomic<unsigned> last{0};
  return static_cast<UCHAR>(last.fetch_add(1, std::memory_order_relaxed) + 1);
}

// --- bindings
// -----------------------------------------------------------------------------------------------------------

NDIS_STATUS NdisOpenAdapterEx(NDIS_HANDLE NdisProtocolHandle, NDIS_HANDLE ProtocolBindingContext,
                              PNDIS_OPEN_PARAMETERS OpenParameters, NDIS_HANDLE BindContext,
                              PNDIS_HANDLE NdisBindingHandle) {
  only_at_passive("NdisOpenAdapterEx");
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || OpenParameters == nullptr || NdisBindingHandle == nullptr ||
      OpenParameters->Header.Type != kOpenParametersType || OpenParameters->Header.Revision == 0 ||
      OpenParameters->Header.Size < NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1 ||
      OpenParameters->SelectedMediumIndex == nullptr ||
      OpenParameters->FrameTypeArraySize > NDIS_MAX_FRAME_TYPES_PER_OPEN ||
      (OpenParameters->FrameTypeArray == nullptr && OpenParameters->FrameTypeArraySize != 0)) {
    return NDIS_STATUS_FAILURE;
  }
  ndis::OpenRequest request;
  request.protocol = handle_of(NdisProtocolHandle);
  request.bind = handle_of(BindContext);
  request.context = ProtocolBindingContext;
  request.adapter_name = text_of(OpenParameters->AdapterName);
  std::vector<std::uint32_t> media;
  for (UINT i = 0; OpenParameters->MediumArray != nullptr && i < OpenParameters->MediumArraySize; ++i) {
    media.push_back(static_cast<std::uint32_t>(OpenParameters->MediumArray[i]));
  }
  request.media = media;
  if (OpenParameters->FrameTypeArraySize != 0) {
    std::transform(OpenParameters->FrameTypeArray, OpenParameters->FrameTypeArray + OpenParameters->FrameTypeArraySize,
                   std::back_inserter(request.frame_types), frame_type_of);
  }
  request.store = [NdisBindingHandle, index = OpenParameters->SelectedMediumIndex](Handle handle, std::uint32_t at) {
    *NdisBindingHandle = to(handle);
    *index = at;
  };
  int code = 0;
  const Status status = ndis->open(request, code);
  return to(status == Status::kClosing || status == Status::kOpenFailed ? Status::kFailure : status);
}

NDIS_STATUS NdisCloseAdapterEx(NDIS_HANDLE NdisBindingHandle) {
  only_at_passive("NdisCloseAdapterEx");
  ndis::Engine* const ndis = running_engine();
  return ndis == nullptr ? NDIS_STATUS_ADAPTER_NOT_OPEN : to(ndis->close(handle_of(NdisBindingHandle)));
}

NDIS_STATUS NdisUnbindAdapter(NDIS_HANDLE NdisBindingHandle) {
  ndis::Engine* const ndis = running_engine();
  return ndis == nullptr ? NDIS_STATUS_ADAPTER_NOT_OPEN : to(ndis->unbind_adapter(handle_of(NdisBindingHandle)));
}

VOID NdisCompleteBindAdapterEx(NDIS_HANDLE BindAdapterContext, NDIS_STATUS Status) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->complete_bind(handle_of(BindAdapterContext), status_of(Status));
  }
}

VOID NdisCompleteUnbindAdapterEx(NDIS_HANDLE UnbindContext) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->complete_unbind(handle_of(UnbindContext));
  }
}

VOID NdisCompleteNetPnPEvent(NDIS_HANDLE NdisBindingHandle, PNET_PNP_EVENT_NOTIFICATION NetPnPEventNotification,
                             NDIS_STATUS Status) {
  only_at_passive("NdisCompleteNetPnPEvent");
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->complete_event(handle_of(NdisBindingHandle), NetPnPEventNotification, status_of(Status));
  }
}

NDIS_STATUS NdisQueryAdapterInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE NdisBindingHandle) {
  ndis::Engine* const ndis = running_engine();
  const std::string name = ndis != nullptr ? ndis->instance_name(handle_of(NdisBindingHandle)) : "";
  if (name.empty() || pAdapterInstanceName == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  return to(give_name(pAdapterInstanceName, name));
}

NDIS_STATUS NdisQueryBindInstanceName(PNDIS_STRING pAdapterInstanceName, NDIS_HANDLE BindingContext) {
  return NdisQueryAdapterInstanceName(pAdapterInstanceName, BindingContext);
}

NDIS_STATUS NdisIfQueryBindingIfIndex(NDIS_HANDLE NdisBindingHandle, PNET_IFINDEX pBoundIfIndex,
                                      PNET_LUID pBoundIfNetluid, PNET_IFINDEX pLowestIfIndex,
                                      PNET_LUID pLowestIfNetluid) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  const auto binding = ndis->pin(handle_of(NdisBindingHandle));
  if (!binding) {
    ndis->violation("NdisIfQueryBindingIfIndex", "the handle names no binding", handle_of(NdisBindingHandle));
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  const ndis::AdapterFacts facts = ndis->facts_of(*binding);
  for (PNET_IFINDEX const index : {pBoundIfIndex, pLowestIfIndex}) {
    if (index != nullptr) {
      *index = facts.index.value();
    }
  }
  for (PNET_LUID const luid : {pBoundIfNetluid, pLowestIfNetluid}) {
    if (luid != nullptr) {
      *luid = luid_of(facts);
    }
  }
  return NDIS_STATUS_SUCCESS;
}

// There are no filter modules here.
NDIS_STATUS NdisEnumerateFilterModules(NDIS_HANDLE, PVOID, ULONG, PULONG BytesNeeded, PULONG BytesWritten) {
  for (PULONG const out : {BytesNeeded, BytesWritten}) {
    if (out != nullptr) {
      *out = 0;
    }
  }
  return NDIS_STATUS_SUCCESS;
}

// --- requests
// -----------------------------------------------------------------------------------------------------------

NDIS_STATUS NdisOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || is_foreign(*ndis, handle_of(NdisBindingHandle), Generation::k6, "NdisOidRequest")) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  if (const Status bad = check_request(OidRequest); bad != Status::kSuccess) {
    return to(bad);
  }
  auto asked = std::make_unique<Asked6>();
  asked->shown = OidRequest;
  ndis::OidRequest& request = asked->request;
  request.type = ndis::OidRequest::Type(OidRequest->RequestType);
  request.timeout = std::chrono::seconds(OidRequest->Timeout);
  request.shown = OidRequest;
  if (request.type == ndis::OidRequest::Type::kSet) {
    const auto& set = OidRequest->DATA.SET_INFORMATION;
    request.oid = set.Oid;
    request.buffer = set.InformationBuffer;
    request.length = set.InformationBufferLength;
  } else {
    const auto& query = OidRequest->DATA.QUERY_INFORMATION;
    request.oid = query.Oid;
    request.buffer = query.InformationBuffer;
    request.length = query.InformationBufferLength;
  }
  Asked6* const token = asked.release();  // the engine's while it pends
  const Status status = ndis->request(handle_of(NdisBindingHandle), token->request, token, OidRequest->RequestId);
  if (status != Status::kPending) {
    asked.reset(token);
    asked->write_back(status);
  }
  return to(status);
}

VOID NdisCancelOidRequest(NDIS_HANDLE NdisBindingHandle, PVOID RequestId) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->cancel_requests(handle_of(NdisBindingHandle), RequestId);
  }
}

// No identifier is asked directly: what is checked is whether it could have been.
NDIS_STATUS NdisDirectOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  const auto binding = binding_of(*ndis, NdisBindingHandle, Generation::k6, "NdisDirectOidRequest");
  if (!binding) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  if (const Status bad = check_request(OidRequest); bad != Status::kSuccess) {
    return to(bad);
  }
  const auto& driver = static_cast<const Driver6&>(*binding->protocol->driver);
  return driver.characteristics().DirectOidRequestCompleteHandler == nullptr ? NDIS_STATUS_NOT_SUPPORTED
                                                                             : NDIS_STATUS_INVALID_OID;
}

VOID NdisCancelDirectOidRequest(NDIS_HANDLE, PVOID) {}  // none is ever pending

NDIS_STATUS NdisSynchronousOidRequest(NDIS_HANDLE NdisBindingHandle, PNDIS_OID_REQUEST OidRequest) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || !ndis->pin(handle_of(NdisBindingHandle))) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  const Status bad = check_request(OidRequest);
  return bad != Status::kSuccess ? to(bad) : NDIS_STATUS_INVALID_OID;
}
