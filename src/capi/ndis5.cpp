// The C face of NDIS 4 and 5: protocols, bindings, requests, what a driver is told (contract, D.1 to D.8). Frames are
// in ndis5_data.cpp.
#include "capi/ndis5.h"

#include "win32/text/utf8.h"

namespace turnpike::capi {
namespace {

using ndis::Generation;
using ndis::NetEvent;
using ndis::OidRequest;
using Chars = NDIS50_PROTOCOL_CHARACTERISTICS;

constexpr UINT kLengthOf4 = sizeof(NDIS40_PROTOCOL_CHARACTERISTICS);
constexpr UINT kLengthOf5 = sizeof(Chars);
static_assert(kLengthOf4 == 144 && kLengthOf5 == 208);

// In the contract's order: version, length, handlers, name. What lies behind a version's shape is not looked at.
Status read_characteristics(const NDIS_PROTOCOL_CHARACTERISTICS* given, UINT length, Chars& chars) {
  if (given == nullptr || length < 2) {
    return Status::kBadCharacteristics;
  }
  const UCHAR major = given->MajorNdisVersion, minor = given->MinorNdisVersion;
  if (!(major == 4 && minor == 0) && !(major == 5 && minor <= 1)) {
    return Status::kBadVersion;
  }
  const UINT needed = major == 4 ? kLengthOf4 : kLengthOf5;
  if (length < needed) {
    return Status::kBadCharacteristics;
  }
  chars = {};
  std::memcpy(static_cast<void*>(&chars), given, needed);
  const bool complete = chars.BindAdapterHandler != nullptr && chars.UnbindAdapterHandler != nullptr &&
                        chars.OpenAdapterCompleteHandler != nullptr && chars.CloseAdapterCompleteHandler != nullptr &&
                        chars.RequestCompleteHandler != nullptr && chars.ResetCompleteHandler != nullptr &&
                        chars.SendCompleteHandler != nullptr && chars.TransferDataCompleteHandler != nullptr &&
                        chars.ReceiveHandler != nullptr && chars.ReceiveCompleteHandler != nullptr &&
                        chars.StatusHandler != nullptr && chars.StatusCompleteHandler != nullptr;
  return complete && !text_of(&chars.Name).empty() ? Status::kSuccess : Status::kBadCharacteristics;
}

struct ShownName final : ndis::Part {
  explicit ShownName(const ndis::Offer& offer, const std::string& protocol)
      : device(offer.adapter_name), section(protocol + "\\Parameters\\Adapters\\" + offer.adapter_name) {}
  WideText device, section;
};

struct ShownEvent final : ndis::Part {
  NET_PNP_EVENT event{};
  std::wstring names;
};

// OpenErrorStatus: what the kernel said, where it was asked.
NDIS_STATUS error_status(int system_code) {
  return system_code == 0 ? NDIS_STATUS_SUCCESS
                          : static_cast<NDIS_STATUS>(0xE0000000U | (static_cast<std::uint32_t>(system_code) & 0xffffU));
}

// A request that may complete later.
struct Asked5 {
  OidRequest request;
  NDIS_REQUEST* shown;

  void write_back() const {
    if (request.type == OidRequest::Type::kSet) {
      shown->DATA.SET_INFORMATION.BytesRead = request.done;
      shown->DATA.SET_INFORMATION.BytesNeeded = request.needed;
    } else {
      shown->DATA.QUERY_INFORMATION.BytesWritten = request.done;
      shown->DATA.QUERY_INFORMATION.BytesNeeded = request.needed;
    }
  }
};

}  // namespace

// --- what a driver is told
// ----------------------------------------------------------------------------------------------

Status Driver5::bind(ndis::Offer& offer) {
  auto part = std::make_unique<ShownName>(offer, upper(text_of(&chars_.Name)));
  ShownName& shown = *part;
  offer.part = std::move(part);
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  chars_.BindAdapterHandler(&status, to(offer.context), shown.device.get(), shown.section.get(), nullptr);
  return status_of(status);
}

Status Driver5::unbind(ndis::Binding& binding, Handle context) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  chars_.UnbindAdapterHandler(&status, binding.context, to(context));
  return status_of(status);
}

Status Driver5::net_event(ndis::Binding* binding, ndis::NetEventNote& note) {
  if (chars_.PnPEventHandler == nullptr) {
    return Status::kSuccess;
  }
  auto part = std::make_unique<ShownEvent>();
  ShownEvent& shown = *part;
  note.part = std::move(part);
  shown.event.NetEvent = static_cast<NET_PNP_EVENT_CODE>(note.event);
  if (note.event == NetEvent::kBindList) {
    for (const std::string& name : note.order) {
      shown.names.append(win32::to_wide(name)).push_back(L'\0');
    }
    shown.names.push_back(L'\0');
    shown.event.Buffer = shown.names.data();
    shown.event.BufferLength = static_cast<ULONG>(shown.names.size() * sizeof(WCHAR));
  }
  note.shown->store(&shown.event);
  return status_of(chars_.PnPEventHandler(binding != nullptr ? binding->context : nullptr, &shown.event));
}

void Driver5::open_complete(ndis::Binding& binding, Status status, int system_code) {
  chars_.OpenAdapterCompleteHandler(binding.context, to(status), error_status(system_code));
}

void Driver5::close_complete(ndis::Binding& binding) {
  chars_.CloseAdapterCompleteHandler(binding.context, NDIS_STATUS_SUCCESS);
}

void Driver5::reset_complete(ndis::Binding& binding, Status status) {
  const AtDispatch level;
  chars_.ResetCompleteHandler(binding.context, to(status));
}

void Driver5::request_complete(ndis::Binding& binding, void* request, Status status) {
  const AtDispatch level;
  const std::unique_ptr<Asked5> asked(static_cast<Asked5*>(request));
  asked->write_back();
  chars_.RequestCompleteHandler(binding.context, asked->shown, to(status));
}

void Driver5::status(ndis::Binding& binding, const ndis::StatusNote& note) {
  const AtDispatch level;
  const auto say = [&](Status code, PVOID buffer, UINT size) {
    chars_.StatusHandler(binding.context, to(code), buffer, size);
    chars_.StatusCompleteHandler(binding.context);
  };
  if (note.code != Status::kLinkState) {
    say(note.code, nullptr, 0);
    return;
  }
  if (note.connection_changed) {
    say(note.link.connected() ? Status::kMediaConnect : Status::kMediaDisconnect, nullptr, 0);
  }
  if (note.speed_changed) {
    ULONG speed = note.link.speed == ndis::kUnknownSpeed
                      ? 0
                      : static_cast<ULONG>(std::min<ULONG64>(note.link.speed / 100, 0xffffffff));
    say(Status::kLinkSpeedChange, &speed, sizeof(speed));
  }
}

}  // namespace turnpike::capi

using namespace turnpike;        // allow using-namespace: the functions below are C's
using namespace turnpike::capi;  // allow using-namespace: and are made of these
using ndis::Generation;

// --- protocols
// ----------------------------------------------------------------------------------------------------------

VOID NdisRegisterProtocol(PNDIS_STATUS Status, PNDIS_HANDLE NdisProtocolHandle,
                          PNDIS_PROTOCOL_CHARACTERISTICS ProtocolCharacteristics, UINT CharacteristicsLength) {
  only_at_passive("NdisRegisterProtocol");
  if (Status == nullptr || NdisProtocolHandle == nullptr) {
    return;
  }
  *NdisProtocolHandle = nullptr;
  Chars chars;
  const auto bad = read_characteristics(ProtocolCharacteristics, CharacteristicsLength, chars);
  *Status = to(bad);
  if (bad != ndis::Status::kSuccess) {
    return;
  }
  ndis::Engine* const ndis = engine();
  *Status = NDIS_STATUS_FAILURE;
  if (ndis == nullptr) {
    return;
  }
  ndis::Registration registration;
  registration.name = upper(text_of(&chars.Name));
  registration.generation = Generation::k5;
  registration.version = static_cast<std::uint16_t>(chars.MajorNdisVersion << 8 | chars.MinorNdisVersion);
  registration.owner = loading_driver;
  registration.driver = std::make_unique<Driver5>(chars);
  Handle handle{};
  const auto refused = ndis->register_protocol(std::move(registration), handle);
  if (refused == ndis::Status::kSuccess) {
    *NdisProtocolHandle = to(handle);
    ndis->begin(handle);
  }
  *Status = to(refused);
}

VOID NdisDeregisterProtocol(PNDIS_STATUS Status, NDIS_HANDLE NdisProtocolHandle) {
  only_at_passive("NdisDeregisterProtocol");
  if (ndis::Engine* const ndis = running_engine()) {
    (void)ndis->deregister(handle_of(NdisProtocolHandle), Generation::k5, "NdisDeregisterProtocol");
  }
  if (Status != nullptr) {
    *Status = NDIS_STATUS_SUCCESS;  // the documentation knows no other
  }
}

// --- bindings
// -----------------------------------------------------------------------------------------------------------

VOID NdisOpenAdapter(PNDIS_STATUS Status, PNDIS_STATUS OpenErrorStatus, PNDIS_HANDLE NdisBindingHandle,
                     PUINT SelectedMediumIndex, PNDIS_MEDIUM MediumArray, UINT MediumArraySize,
                     NDIS_HANDLE NdisProtocolHandle, NDIS_HANDLE ProtocolBindingContext, PNDIS_STRING AdapterName, UINT,
                     PSTRING) {
  only_at_passive("NdisOpenAdapter");
  if (Status == nullptr) {
    return;
  }
  *Status = NDIS_STATUS_OPEN_FAILED;
  if (OpenErrorStatus != nullptr) {
    *OpenErrorStatus = NDIS_STATUS_SUCCESS;
  }
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || NdisBindingHandle == nullptr || SelectedMediumIndex == nullptr) {
    return;
  }
  ndis::OpenRequest request;
  request.protocol = handle_of(NdisProtocolHandle);
  request.context = ProtocolBindingContext;
  request.adapter_name = text_of(AdapterName);
  std::vector<std::uint32_t> media;
  for (UINT i = 0; MediumArray != nullptr && i < MediumArraySize; ++i) {
    media.push_back(static_cast<std::uint32_t>(MediumArray[i]));
  }
  request.media = media;
  request.store = [NdisBindingHandle, SelectedMediumIndex](Handle handle, std::uint32_t index) {
    *NdisBindingHandle = to(handle);
    *SelectedMediumIndex = index;
  };
  int code = 0;
  *Status = to(ndis->open(request, code));
  if (OpenErrorStatus != nullptr) {
    *OpenErrorStatus = error_status(code);
  }
}

VOID NdisCloseAdapter(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle) {
  only_at_passive("NdisCloseAdapter");
  ndis::Engine* const ndis = running_engine();
  const auto status = ndis != nullptr ? ndis->close(handle_of(NdisBindingHandle)) : ndis::Status::kAdapterNotOpen;
  if (Status != nullptr) {
    *Status = to(status);
  }
}

VOID NdisCompleteBindAdapter(NDIS_HANDLE BindAdapterContext, NDIS_STATUS Status, NDIS_STATUS) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->complete_bind(handle_of(BindAdapterContext), status_of(Status));
  }
}

VOID NdisCompleteUnbindAdapter(NDIS_HANDLE UnbindAdapterContext, NDIS_STATUS) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->complete_unbind(handle_of(UnbindAdapterContext));
  }
}

VOID NdisCompletePnPEvent(NDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNET_PNP_EVENT NetPnPEvent) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->complete_event(handle_of(NdisBindingHandle), NetPnPEvent, status_of(Status));
  }
}

// --- requests
// -----------------------------------------------------------------------------------------------------------

VOID NdisRequest(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNDIS_REQUEST NdisRequest) {
  ndis::Engine* const ndis = running_engine();
  if (Status == nullptr) {
    return;
  }
  *Status = NDIS_STATUS_ADAPTER_NOT_OPEN;
  if (ndis == nullptr || is_foreign(*ndis, handle_of(NdisBindingHandle), Generation::k5, "NdisRequest")) {
    return;
  }
  *Status = NDIS_STATUS_FAILURE;
  if (NdisRequest == nullptr) {
    return;
  }
  auto asked = std::make_unique<Asked5>();
  asked->shown = NdisRequest;
  ndis::OidRequest& request = asked->request;
  request.type = ndis::OidRequest::Type(NdisRequest->RequestType);
  request.shown = NdisRequest;
  // Query and set lie over each other: identifier, buffer and length are in the same place.
  request.oid = NdisRequest->DATA.QUERY_INFORMATION.Oid;
  request.buffer = NdisRequest->DATA.QUERY_INFORMATION.InformationBuffer;
  request.length = NdisRequest->DATA.QUERY_INFORMATION.InformationBufferLength;
  Asked5* const token = asked.release();  // the engine's while it pends
  const auto status = ndis->request(handle_of(NdisBindingHandle), token->request, token, nullptr);
  if (status != ndis::Status::kPending) {
    asked.reset(token);
    asked->write_back();
  }
  *Status = to(status);
}

VOID NdisReset(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle) {
  ndis::Engine* const ndis = running_engine();
  const auto status = ndis != nullptr ? ndis->reset(handle_of(NdisBindingHandle)) : ndis::Status::kAdapterNotOpen;
  if (Status != nullptr) {
    *Status = to(status);
  }
}

NDIS_STATUS NdisQueryPendingIOCount(PVOID NdisBindingHandle, PULONG IoCount) {
  if (IoCount == nullptr) {
    return NDIS_STATUS_FAILURE;
  }
  *IoCount = 0;
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  const auto binding = binding_of(*ndis, NdisBindingHandle, Generation::k5, "NdisQueryPendingIOCount");
  if (!binding) {
    return NDIS_STATUS_ADAPTER_NOT_OPEN;
  }
  for (const ndis::Held kind : {ndis::Held::kSend, ndis::Held::kRequest, ndis::Held::kTransfer, ndis::Held::kReset}) {
    *IoCount += binding->held(kind);
  }
  return binding->now() < ndis::BindingState::kClosing ? NDIS_STATUS_SUCCESS : NDIS_STATUS_CLOSING;
}
