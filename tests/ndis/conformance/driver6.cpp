// The recording driver of NDIS 6.
#include <utility>

#include "ndis_drivers.h"

namespace turnpike::conformance {

template <int kPlace>
struct Entries6 {
  static Driver6& self() { return *static_cast<Driver6*>(driver_at(kPlace)); }
  static Binding& of(NDIS_HANDLE context) { return *static_cast<Binding*>(context); }

  static NDIS_STATUS set_options(NDIS_HANDLE driver_handle, NDIS_HANDLE context) {
    EXPECT_EQ(context, &self());
    note(self().name() + ": options");
    return self().on_options ? self().on_options(driver_handle) : NDIS_STATUS_SUCCESS;
  }
  static NDIS_STATUS bind(NDIS_HANDLE context, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
    EXPECT_EQ(context, &self());
    return self().binds(bind_context, parameters->AdapterName, parameters);
  }
  static NDIS_STATUS unbind(NDIS_HANDLE unbind_context, NDIS_HANDLE context) {
    return self().unbinds(context, unbind_context);
  }
  static VOID open_complete(NDIS_HANDLE context, NDIS_STATUS status) { self().opened(context, status); }
  static VOID close_complete(NDIS_HANDLE context) { self().closed(context); }
  static NDIS_STATUS event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION notification) {
    if (context != nullptr && self().on_notification) {
      self().on_notification(of(context), notification);
    }
    return self().hears(context, &notification->NetPnPEvent);
  }
  static VOID uninstall() { note(self().name() + ": uninstall"); }
  static VOID request_complete(NDIS_HANDLE /*context*/, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
    self().answered(request, status);
  }
  static VOID status(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
    note(self().line("status", of(context)) + " " + status_text(indication->StatusCode));
    if (self().on_status) {
      self().on_status(of(context), indication);
    }
  }
  static VOID receive(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port, ULONG count, ULONG flags) {
    Indication indication{of(context), lists, port, count, flags};
    self().indicated(indication);
  }
  static VOID send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG /*flags*/) {
    self().completed(of(context), lists);
  }

  static void fill(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& all) {
    all.Header = {NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                  NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
    all.MajorNdisVersion = 6;
    all.MinorNdisVersion = 30;
    all.SetOptionsHandler = set_options;
    all.BindAdapterHandlerEx = bind;
    all.UnbindAdapterHandlerEx = unbind;
    all.OpenAdapterCompleteHandlerEx = open_complete;
    all.CloseAdapterCompleteHandlerEx = close_complete;
    all.NetPnPEventHandler = event;
    all.UninstallHandler = uninstall;
    all.OidRequestCompleteHandler = request_complete;
    all.StatusHandlerEx = status;
    all.ReceiveNetBufferListsHandler = receive;
    all.SendNetBufferListsCompleteHandler = send_complete;
  }
};

namespace {

template <int... kPlace>
void fill_for(int place, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& all, std::integer_sequence<int, kPlace...> /*each*/) {
  ((place == kPlace ? Entries6<kPlace>::fill(all) : void()), ...);
}

}  // namespace

Driver6::Driver6(std::string name) : Driver(std::move(name)), protocol_(protocol_name()) {
  fill_for(place_, characteristics, std::make_integer_sequence<int, kPlaces>());
  characteristics.Name = protocol_.string();
}

// Pools want the handle of a registered protocol, and outlive it.
void Driver6::make_pools() {
  if (lists_ != nullptr) {
    return;
  }
  NET_BUFFER_LIST_POOL_PARAMETERS lists{};
  lists.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                  NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  lists_ = NdisAllocateNetBufferListPool(handle_, &lists);
  EXPECT_NE(lists_, nullptr);
  NET_BUFFER_POOL_PARAMETERS buffers{};
  buffers.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                    NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1};
  buffers_ = NdisAllocateNetBufferPool(handle_, &buffers);
  EXPECT_NE(buffers_, nullptr);
}

Driver6::~Driver6() {
  if (handle_ != nullptr) {
    deregister();
  }
  for (const PNET_BUFFER_LIST list : made_) {
    for (PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(list); buffer != nullptr;) {
      NdisFreeNetBuffer(std::exchange(buffer, NET_BUFFER_NEXT_NB(buffer)));
    }
    NET_BUFFER_LIST_FIRST_NB(list) = nullptr;
    NdisFreeNetBufferList(list);
  }
  for (const PMDL descriptor : descriptors_) {
    NdisFreeMdl(descriptor);
  }
  if (lists_ != nullptr) {
    NdisFreeNetBufferPool(buffers_);
    NdisFreeNetBufferListPool(lists_);
  }
}

void Driver6::keep_all() {
  on_lists = [this](Indication& indication) {
    if (NDIS_TEST_RECEIVE_CANNOT_PEND(indication.flags)) {
      return;
    }
    const std::lock_guard lock(mutex_);
    for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
      kept_.emplace_back(&indication.binding, each);
    }
  };
}

void Driver6::give_back() {
  std::vector<std::pair<Binding*, PNET_BUFFER_LIST>> kept;
  {
    const std::lock_guard lock(mutex_);
    kept.swap(kept_);
  }
  for (const auto& [binding, list] : kept) {
    NET_BUFFER_LIST_NEXT_NBL(list) = nullptr;
    NdisReturnNetBufferLists(binding->handle, list, 0);
  }
}

NDIS_STATUS Driver6::register_protocol() {
  gone_ = false;
  return NdisRegisterProtocolDriver(this, &characteristics, &handle_);
}

NDIS_STATUS Driver6::deregister() {
  NdisDeregisterProtocolDriver(handle_);  // callbacks that run may still use it
  handle_ = nullptr;
  gone_ = true;
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS Driver6::open(Binding& binding) {
  Name device(binding.device);
  NDIS_OPEN_PARAMETERS parameters{};
  parameters.Header = {NDIS_OBJECT_TYPE_OPEN_PARAMETERS, NDIS_OPEN_PARAMETERS_REVISION_1,
                       NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
  parameters.AdapterName = device;
  parameters.MediumArray = media.data();
  parameters.MediumArraySize = static_cast<UINT>(media.size());
  parameters.SelectedMediumIndex = &binding.medium_index;
  parameters.FrameTypeArray = frame_types.data();
  parameters.FrameTypeArraySize = static_cast<UINT>(frame_types.size());
  const NDIS_STATUS status = NdisOpenAdapterEx(handle_, &binding, &parameters, binding.bind_context, &binding.handle);
  if (status != NDIS_STATUS_PENDING) {
    EXPECT_EQ(binding.open_completions, 0);
    binding.opened = status;
  }
  return status;
}

NDIS_STATUS Driver6::close(Binding& binding) { return NdisCloseAdapterEx(binding.handle); }

void Driver6::complete_bind(Binding& binding, NDIS_STATUS status) {
  NdisCompleteBindAdapterEx(binding.bind_context, status);
}

void Driver6::complete_unbind(Binding& binding) { NdisCompleteUnbindAdapterEx(binding.unbind_context); }

NDIS_STATUS Driver6::ask(Binding& binding, Request& request, NDIS_REQUEST_TYPE type, NDIS_OID oid, PVOID id) {
  NDIS_OID_REQUEST& six = request.six;
  six.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  six.RequestType = type;
  six.RequestId = id;
  six.Timeout = timeout;
  six.DATA.QUERY_INFORMATION.Oid = oid;
  six.DATA.QUERY_INFORMATION.InformationBuffer = request.buffer.data();
  six.DATA.QUERY_INFORMATION.InformationBufferLength = static_cast<UINT>(request.buffer.size());
  return NdisOidRequest(binding.handle, &six);
}

void Driver6::read_counts(Request& request) {
  request.moved = request.six.DATA.QUERY_INFORMATION.BytesWritten;  // BytesRead lies there too
  request.needed = request.six.DATA.QUERY_INFORMATION.BytesNeeded;
}

PMDL Driver6::descriptor(const Bytes& bytes) {
  make_pools();
  Bytes& memory = memory_.emplace_back(bytes);
  const PMDL made = NdisAllocateMdl(handle_, memory.data(), static_cast<UINT>(memory.size()));
  EXPECT_NE(made, nullptr);
  descriptors_.push_back(made);
  return made;
}

PNET_BUFFER_LIST Driver6::list(const std::vector<Bytes>& frames) {
  make_pools();
  const PNET_BUFFER_LIST made = NdisAllocateNetBufferList(lists_, 0, 0);
  EXPECT_NE(made, nullptr);
  PNET_BUFFER last = nullptr;
  for (const Bytes& frame : frames) {
    const PNET_BUFFER buffer = NdisAllocateNetBuffer(buffers_, descriptor(frame), 0, frame.size());
    EXPECT_NE(buffer, nullptr);
    (last == nullptr ? NET_BUFFER_LIST_FIRST_NB(made) : NET_BUFFER_NEXT_NB(last)) = buffer;
    last = buffer;
  }
  const std::lock_guard lock(mutex_);
  made_.push_back(made);
  completions_[made] = 0;
  return made;
}

void Driver6::send_lists(Binding& binding, PNET_BUFFER_LIST lists, ULONG flags, NDIS_PORT_NUMBER port) {
  for (PNET_BUFFER_LIST each = lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
    each->SourceHandle = binding.handle;
  }
  NdisSendNetBufferLists(binding.handle, lists, port, flags);
}

void Driver6::send(Binding& binding, const Bytes& frame, PVOID cancel_id) {
  const PNET_BUFFER_LIST made = list(frame);
  NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(made, cancel_id);
  send_lists(binding, made);
}

int Driver6::completions(PNET_BUFFER_LIST list) {
  const std::lock_guard lock(mutex_);
  return completions_[list];
}

void Driver6::completed(Binding& binding, PNET_BUFFER_LIST lists) {
  while (lists != nullptr) {
    const PNET_BUFFER_LIST each = std::exchange(lists, NET_BUFFER_LIST_NEXT_NBL(lists));
    NET_BUFFER_LIST_NEXT_NBL(each) = nullptr;
    const NDIS_STATUS status = NET_BUFFER_LIST_STATUS(each);
    const PNET_BUFFER first = NET_BUFFER_LIST_FIRST_NB(each);
    {
      const std::lock_guard lock(mutex_);
      ++completions_[each];
    }
    note_sent(binding, first == nullptr ? Bytes() : bytes_of(first), status);
  }
}

void Driver6::indicated(Indication& indication) {
  ULONG length = 0;
  for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
    ++length;
    const PNET_BUFFER buffer = NET_BUFFER_LIST_FIRST_NB(each);
    EXPECT_EQ(NET_BUFFER_NEXT_NB(buffer), nullptr);
    hears(indication.binding, bytes_of(buffer), NdisTestNblFlag(each, NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET));
  }
  EXPECT_EQ(length, indication.count);
  EXPECT_EQ(indication.port, 0U);
  if (on_lists) {
    on_lists(indication);
  } else if (NDIS_TEST_RECEIVE_CAN_PEND(indication.flags)) {
    NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
  }
}

}  // namespace turnpike::conformance
