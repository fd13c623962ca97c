// What a driver of NDIS 6 is shown: an adapter that is offered, events, status.
#include "capi/ndis6.h"
#include "win32/text/utf8.h"

namespace turnpike::capi {
namespace {

using ndis::NetEvent;

constexpr ULONG64 kUnknownSpeed = ndis::kUnknownSpeed;
constexpr ULONG kMacOptions = 0x1 | 0x4 | 0x8 | 0x40 | 0x200;  // as OID_GEN_MAC_OPTIONS has them, without knobs

template <class T>
void head(T& structure, UCHAR type, UCHAR revision, std::size_t size) {
  structure.Header = {type, revision, static_cast<USHORT>(size)};
}

// An event as the driver sees it, with everything that it points to.
struct ShownEvent final : ndis::Part {
  NET_PNP_EVENT_NOTIFICATION notification{};
  NDIS_PROTOCOL_PAUSE_PARAMETERS pause{};
  NDIS_PROTOCOL_RESTART_PARAMETERS restart{};
  struct alignas(16) Attributes {
    NDIS_RESTART_ATTRIBUTES head;
    NDIS_RESTART_GENERAL_ATTRIBUTES general;
  };
  std::vector<std::max_align_t> attributes;
  NDIS_RECEIVE_SCALE_CAPABILITIES no_scaling{};
  std::vector<NDIS_OID> oids;
  std::wstring names;
};

void show_attributes(ShownEvent& shown, const ndis::NetEventNote& note) {
  const ndis::AdapterFacts& facts = note.facts;
  constexpr std::size_t kAt = offsetof(NDIS_RESTART_ATTRIBUTES, Data);
  shown.attributes.resize((kAt + sizeof(NDIS_RESTART_GENERAL_ATTRIBUTES)) / sizeof(std::max_align_t) + 1);
  auto* entry = reinterpret_cast<NDIS_RESTART_ATTRIBUTES*>(shown.attributes.data());
  auto* general = reinterpret_cast<NDIS_RESTART_GENERAL_ATTRIBUTES*>(entry->Data);
  entry->Next = nullptr;
  entry->Oid = 0x0001021D;
  entry->DataLength = sizeof(*general);
  *general = {};
  head(*general, 0xA2, 2, sizeof(*general));
  general->MtuSize = facts.mtu;
  general->MaxXmitLinkSpeed = general->MaxRcvLinkSpeed = facts.link.max_speed;
  general->LookaheadSize = facts.mtu;
  general->MacOptions = kMacOptions;
  general->SupportedPacketFilters = ndis::packet_type::kSupported;
  general->MaxMulticastListSize = ndis::kMaxGroups;
  general->RecvScaleCapabilities = &shown.no_scaling;
  general->AccessType = NET_IF_ACCESS_BROADCAST;
  general->ConnectionType = NET_IF_CONNECTION_DEDICATED;
  general->SupportedStatistics = note.statistics;
  shown.oids.assign(note.oids.begin(), note.oids.end());
  general->SupportedOidList = shown.oids.data();
  general->SupportedOidListLength = static_cast<ULONG>(shown.oids.size() * sizeof(NDIS_OID));
  shown.restart.RestartAttributes = entry;
}

void indicate_status(const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& chars, const ndis::Binding& binding, Status code,
                     void* buffer, std::size_t size) {
  NDIS_STATUS_INDICATION indication{};
  head(indication, 0x98, 1, sizeof(indication));
  indication.SourceHandle = to(binding.handle);
  indication.StatusCode = to(code);
  indication.StatusBuffer = buffer;
  indication.StatusBufferSize = static_cast<ULONG>(size);
  chars.StatusHandlerEx(binding.context, &indication);
}

}  // namespace

NET_LUID luid_of(const ndis::AdapterFacts& facts) {
  NET_LUID luid{};
  luid.Value = static_cast<ULONG64>(facts.if_type) << 48 | static_cast<ULONG64>(facts.index.value() & 0xffffff) << 24;
  return luid;
}

BindParameters::BindParameters(const ndis::Offer& offer, const std::string& protocol, UCHAR minor_version)
    : adapter_name_(offer.adapter_name), section_(protocol + "\\Parameters\\Adapters\\" + offer.adapter_name) {
  const ndis::AdapterFacts& facts = offer.facts;
  NDIS_BIND_PARAMETERS& p = parameters_;
  const UCHAR revision = minor_version >= 30 ? 4 : minor_version >= 20 ? 3 : minor_version >= 1 ? 2 : 1;
  static constexpr std::array<std::size_t, 5> kSizes{
      0, NDIS_SIZEOF_BIND_PARAMETERS_REVISION_1, NDIS_SIZEOF_BIND_PARAMETERS_REVISION_2,
      NDIS_SIZEOF_BIND_PARAMETERS_REVISION_3, NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4};
  head(p, 0x86, revision, (kSizes[revision] + 7) / 8 * 8);
  p.ProtocolSection = section_.get();
  p.AdapterName = p.BoundAdapterName = adapter_name_.get();
  p.MediaType = static_cast<NDIS_MEDIUM>(facts.medium);
  p.MtuSize = p.LookaheadSize = facts.mtu;
  p.MaxXmitLinkSpeed = p.MaxRcvLinkSpeed =
      facts.link.max_speed != kUnknownSpeed ? facts.link.max_speed : facts.link.speed;
  p.XmitLinkSpeed = p.RcvLinkSpeed = facts.link.speed;
  p.MediaConnectState = facts.link.connected() ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  p.MediaDuplexState = static_cast<NDIS_MEDIA_DUPLEX_STATE>(facts.link.duplex);
  p.SupportedPacketFilters = ndis::packet_type::kSupported;
  p.MaxMulticastListSize = ndis::kMaxGroups;
  p.MacAddressLength = ndis::header_size(facts.medium) != 0 ? 6 : 0;
  std::ranges::copy(facts.mac.bytes(), p.CurrentMacAddress);
  p.PhysicalMediumType = static_cast<NDIS_PHYSICAL_MEDIUM>(facts.physical);
  p.BoundIfNetluid = p.LowestIfNetluid = luid_of(facts);
  p.BoundIfIndex = p.LowestIfIndex = facts.index.value();
  const bool ethernet = ndis::header_size(facts.medium) != 0;
  p.AccessType = ethernet ? NET_IF_ACCESS_BROADCAST : NET_IF_ACCESS_POINT_TO_POINT;
  p.ConnectionType = ethernet ? NET_IF_CONNECTION_DEDICATED : NET_IF_CONNECTION_PASSIVE;
  p.IfType = facts.if_type;
  p.IfConnectorPresent = facts.has_parent ? TRUE : FALSE;
  p.MacOptions = kMacOptions;
  p.CompartmentId = static_cast<NET_IF_COMPARTMENT_ID>(1);
}

Status Driver6::bind(ndis::Offer& offer) {
  auto shown = std::make_unique<BindParameters>(offer, upper(text_of(&chars_.Name)), chars_.MinorNdisVersion);
  PNDIS_BIND_PARAMETERS const parameters = shown->get();
  offer.part = std::move(shown);
  return status_of(chars_.BindAdapterHandlerEx(context_, to(offer.context), parameters));
}

Status Driver6::unbind(ndis::Binding& binding, Handle context) {
  return status_of(chars_.UnbindAdapterHandlerEx(to(context), binding.context));
}

Status Driver6::net_event(ndis::Binding* binding, ndis::NetEventNote& note) {
  auto part = std::make_unique<ShownEvent>();
  ShownEvent& shown = *part;
  note.part = std::move(part);
  NET_PNP_EVENT_NOTIFICATION& notification = shown.notification;
  head(notification, 0x80, 1, NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1);
  notification.NetPnPEvent.NetEvent = static_cast<NET_PNP_EVENT_CODE>(note.event);
  const auto carry = [&](auto* structure, std::size_t size) {
    notification.NetPnPEvent.Buffer = structure;
    notification.NetPnPEvent.BufferLength = static_cast<ULONG>(size);
  };
  if (note.event == NetEvent::kPause) {
    head(shown.pause, 0x80, 1, sizeof(shown.pause));
    shown.pause.PauseReason = NDIS_PAUSE_NDIS_INTERNAL;
    carry(&shown.pause, sizeof(shown.pause));
  } else if (note.event == NetEvent::kRestart) {
    head(shown.restart, 0xA3, 1, NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1);
    shown.restart.BoundIfIndex = note.facts.index.value();
    shown.restart.BoundIfNetluid = luid_of(note.facts);
    if (note.attributes) {
      show_attributes(shown, note);
    }
    carry(&shown.restart, sizeof(shown.restart));
  } else if (note.event == NetEvent::kBindList) {
    for (const std::string& name : note.order) {
      shown.names.append(win32::to_wide(name)).push_back(L'\0');
    }
    shown.names.push_back(L'\0');
    carry(shown.names.data(), shown.names.size() * sizeof(WCHAR));
  }
  note.shown->store(&notification);
  const Status status =
      status_of(chars_.NetPnPEventHandler(binding != nullptr ? binding->context : nullptr, &notification));
  return status == Status::kNotSupported ? Status::kFailure : status;
}

void Driver6::status(ndis::Binding& binding, const ndis::StatusNote& note) {
  if (chars_.StatusHandlerEx == nullptr) {
    return;
  }
  const AtDispatch level;
  if (note.code != Status::kLinkState) {
    indicate_status(chars_, binding, note.code, nullptr, 0);
    return;
  }
  NDIS_LINK_STATE state{};
  head(state, 0x80, 1, NDIS_SIZEOF_LINK_STATE_REVISION_1);
  state.MediaConnectState = note.link.connected() ? MediaConnectStateConnected : MediaConnectStateDisconnected;
  state.MediaDuplexState = static_cast<NDIS_MEDIA_DUPLEX_STATE>(note.link.duplex);
  state.XmitLinkSpeed = state.RcvLinkSpeed = note.link.speed;
  state.PauseFunctions = NdisPauseFunctionsUnknown;
  indicate_status(chars_, binding, Status::kLinkState, &state, sizeof(state));
  if (note.connection_changed) {
    NDIS_OPER_STATE oper{};
    head(oper, 0x80, 1, NDIS_SIZEOF_OPER_STATE_REVISION_1);
    oper.OperationalStatus = static_cast<NET_IF_OPER_STATUS>(note.link.connected() ? 1 : 2);
    indicate_status(chars_, binding, Status::kOperStatus, &oper, sizeof(oper));
  }
}

void Driver6::open_complete(ndis::Binding& binding, Status status, int) {
  chars_.OpenAdapterCompleteHandlerEx(binding.context, to(status == Status::kOpenFailed ? Status::kFailure : status));
}

void Driver6::close_complete(ndis::Binding& binding) { chars_.CloseAdapterCompleteHandlerEx(binding.context); }

}  // namespace turnpike::capi
