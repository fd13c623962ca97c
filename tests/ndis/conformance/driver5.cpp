// The recording driver of NDIS 5.
#include <utility>

#include "ndis_drivers.h"

namespace turnpike::conformance {

template <int kPlace>
struct Entries5 {
  static Driver5& self() { return *static_cast<Driver5*>(driver_at(kPlace)); }
  static Binding& of(NDIS_HANDLE context) { return *static_cast<Binding*>(context); }

  static VOID open_complete(NDIS_HANDLE context, NDIS_STATUS status, NDIS_STATUS error) {
    of(context).open_error = error;
    self().opened(context, status);
  }
  static VOID close_complete(NDIS_HANDLE context, NDIS_STATUS status) {
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    self().closed(context);
  }
  static VOID send_complete(NDIS_HANDLE context, PNDIS_PACKET packet, NDIS_STATUS status) {
    self().note_sent(of(context), bytes_of(packet), status);
  }
  static VOID transfer_complete(NDIS_HANDLE context, PNDIS_PACKET packet, NDIS_STATUS status, UINT bytes) {
    note(self().line("transferred", of(context)) + " " + text_of(bytes_of(packet)) + " " + status_text(status) + " " +
         std::to_string(bytes));
  }
  static VOID reset_complete(NDIS_HANDLE context, NDIS_STATUS status) {
    note(self().line("reset", of(context)) + " " + status_text(status));
  }
  static VOID request_complete(NDIS_HANDLE /*context*/, PNDIS_REQUEST request, NDIS_STATUS status) {
    self().answered(request, status);
  }
  static NDIS_STATUS receive(NDIS_HANDLE context, NDIS_HANDLE mac_context, PVOID header, UINT header_size, PVOID data,
                             UINT data_size, UINT packet_size) {
    const auto* first = static_cast<const std::uint8_t*>(header);
    const auto* rest = static_cast<const std::uint8_t*>(data);
    Lookahead seen{of(context), mac_context, Bytes(first, first + header_size), Bytes(rest, rest + data_size),
                   packet_size};
    Bytes whole = seen.header;
    whole.insert(whole.end(), seen.data.begin(), seen.data.end());
    self().hears(of(context), whole, false);
    return self().on_receive ? self().on_receive(seen) : NDIS_STATUS_SUCCESS;
  }
  static VOID receive_complete(NDIS_HANDLE context) { note(self().line("batch", of(context))); }
  static INT receive_packet(NDIS_HANDLE context, PNDIS_PACKET packet) {
    self().hears(of(context), bytes_of(packet), (NdisGetPacketFlags(packet) & NDIS_FLAGS_IS_LOOPBACK_PACKET) != 0);
    return self().on_packet ? self().on_packet(of(context), packet) : 0;
  }
  static VOID status(NDIS_HANDLE context, NDIS_STATUS general, PVOID buffer, UINT size) {
    note(self().line("status", of(context)) + " " + status_text(general));
    if (self().on_status) {
      const auto* first = static_cast<const std::uint8_t*>(buffer);
      self().on_status(of(context), general, size == 0 ? Bytes() : Bytes(first, first + size));
    }
  }
  static VOID status_complete(NDIS_HANDLE context) { note(self().line("status-complete", of(context))); }
  static VOID bind(PNDIS_STATUS status, NDIS_HANDLE bind_context, PNDIS_STRING device, PVOID /*one*/, PVOID two) {
    EXPECT_EQ(two, nullptr);
    *status = self().binds(bind_context, device, nullptr);
  }
  static VOID unbind(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE unbind_context) {
    *status = self().unbinds(context, unbind_context);
  }
  static NDIS_STATUS event(NDIS_HANDLE context, PNET_PNP_EVENT event) { return self().hears(context, event); }
  static VOID unload() { note(self().name() + ": unload"); }

  // Connection-oriented media: there are none (NDIS-008).
  static VOID co_send_complete(NDIS_STATUS, NDIS_HANDLE, PNDIS_PACKET) { ADD_FAILURE() << "CoSendComplete"; }
  static VOID co_status(NDIS_HANDLE, NDIS_HANDLE, NDIS_STATUS, PVOID, UINT) { ADD_FAILURE() << "CoStatus"; }
  static UINT co_receive(NDIS_HANDLE, NDIS_HANDLE, PNDIS_PACKET) {
    ADD_FAILURE() << "CoReceivePacket";
    return 0;
  }
  static VOID co_family(NDIS_HANDLE, PVOID) { ADD_FAILURE() << "CoAfRegisterNotify"; }

  static void fill(NDIS_PROTOCOL_CHARACTERISTICS& all) {
    all.MajorNdisVersion = 5;
    all.MinorNdisVersion = 1;
    all.OpenAdapterCompleteHandler = open_complete;
    all.CloseAdapterCompleteHandler = close_complete;
    all.SendCompleteHandler = send_complete;
    all.TransferDataCompleteHandler = transfer_complete;
    all.ResetCompleteHandler = reset_complete;
    all.RequestCompleteHandler = request_complete;
    all.ReceiveHandler = receive;
    all.ReceiveCompleteHandler = receive_complete;
    all.StatusHandler = status;
    all.StatusCompleteHandler = status_complete;
    all.ReceivePacketHandler = receive_packet;
    all.BindAdapterHandler = bind;
    all.UnbindAdapterHandler = unbind;
    all.PnPEventHandler = event;
    all.UnloadHandler = unload;
    all.CoSendCompleteHandler = co_send_complete;
    all.CoStatusHandler = co_status;
    all.CoReceivePacketHandler = co_receive;
    all.CoAfRegisterNotifyHandler = co_family;
  }
};

namespace {

template <int... kPlace>
void fill_for(int place, NDIS_PROTOCOL_CHARACTERISTICS& all, std::integer_sequence<int, kPlace...> /*each*/) {
  ((place == kPlace ? Entries5<kPlace>::fill(all) : void()), ...);
}

constexpr UINT kMostSent = 1U << 15;  // by one test: what was sent stays, to be looked at

}  // namespace

Driver5::Driver5(std::string name) : Driver(std::move(name)), protocol_(protocol_name()) {
  fill_for(place_, characteristics, std::make_integer_sequence<int, kPlaces>());
  characteristics.Name = protocol_.string();
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisAllocatePacketPool(&status, &packets_, kMostSent, 4 * sizeof(PVOID));
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  NdisAllocateBufferPool(&status, &buffers_, kMostSent);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
}

Driver5::~Driver5() {
  if (handle_ != nullptr) {
    EXPECT_EQ(deregister(), NDIS_STATUS_SUCCESS);
  }
  for (const PNDIS_PACKET packet : made_) {
    PNDIS_BUFFER buffer = nullptr;
    for (NdisUnchainBufferAtFront(packet, &buffer); buffer != nullptr; NdisUnchainBufferAtFront(packet, &buffer)) {
      NdisFreeBuffer(buffer);
    }
    NdisFreePacket(packet);
  }
  NdisFreeBufferPool(buffers_);
  NdisFreePacketPool(packets_);
}

void Driver5::keep_all() {
  on_packet = [this](Binding&, PNDIS_PACKET packet) {
    if (NDIS_GET_PACKET_STATUS(packet) == NDIS_STATUS_RESOURCES) {
      return 0;
    }
    const std::lock_guard lock(mutex_);
    kept_.push_back(packet);
    return 1;
  };
}

void Driver5::give_back() {
  std::vector<PNDIS_PACKET> kept;
  {
    const std::lock_guard lock(mutex_);
    kept.swap(kept_);
  }
  NdisReturnPackets(kept.data(), static_cast<UINT>(kept.size()));
}

NDIS_STATUS Driver5::register_protocol() {
  gone_ = false;
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  handle_ = kGarbage;
  NdisRegisterProtocol(&status, &handle_, &characteristics, characteristics_length);
  return status;
}

NDIS_STATUS Driver5::deregister() {
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  NdisDeregisterProtocol(&status, handle_);  // callbacks that run may still use it
  handle_ = nullptr;
  gone_ = true;
  return status;
}

NDIS_STATUS Driver5::open(Binding& binding) {
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  NDIS_STATUS error = 0;
  Name device(binding.device);
  NdisOpenAdapter(&status, &error, &binding.handle, &binding.medium_index, media.data(),
                  static_cast<UINT>(media.size()), handle_, &binding, device, 0, nullptr);
  if (status != NDIS_STATUS_PENDING) {
    EXPECT_EQ(binding.open_completions, 0);
    binding.opened = status;
    binding.open_error = error;
  }
  return status;
}

NDIS_STATUS Driver5::close(Binding& binding) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisCloseAdapter(&status, binding.handle);
  return status;
}

void Driver5::complete_bind(Binding& binding, NDIS_STATUS status) {
  NdisCompleteBindAdapter(binding.bind_context, status, binding.opened);
}

void Driver5::complete_unbind(Binding& binding) {
  NdisCompleteUnbindAdapter(binding.unbind_context, NDIS_STATUS_SUCCESS);
}

NDIS_STATUS Driver5::ask(Binding& binding, Request& request, NDIS_REQUEST_TYPE type, NDIS_OID oid, PVOID /*id*/) {
  NDIS_REQUEST& five = request.five;
  five.RequestType = type;
  five.DATA.QUERY_INFORMATION.Oid = oid;
  five.DATA.QUERY_INFORMATION.InformationBuffer = request.buffer.data();
  five.DATA.QUERY_INFORMATION.InformationBufferLength = static_cast<UINT>(request.buffer.size());
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRequest(&status, binding.handle, &five);
  return status;
}

void Driver5::read_counts(Request& request) {
  request.moved = request.five.DATA.QUERY_INFORMATION.BytesWritten;  // BytesRead lies there too
  request.needed = request.five.DATA.QUERY_INFORMATION.BytesNeeded;
}

PNDIS_PACKET Driver5::packet(const std::vector<Bytes>& parts) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  PNDIS_PACKET made = nullptr;
  NdisAllocatePacket(&status, &made, packets_);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  for (const Bytes& part : parts) {
    Bytes& memory = memory_.emplace_back(part);
    PNDIS_BUFFER buffer = nullptr;
    NdisAllocateBuffer(&status, &buffer, buffers_, memory.data(), static_cast<UINT>(memory.size()));
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisChainBufferAtBack(made, buffer);
  }
  made_.push_back(made);
  return made;
}

NDIS_STATUS Driver5::send_one(Binding& binding, PNDIS_PACKET packet) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisSend(&status, binding.handle, packet);
  return status;
}

void Driver5::send_many(Binding& binding, std::vector<PNDIS_PACKET> packets) {
  NdisSendPackets(binding.handle, packets.data(), static_cast<UINT>(packets.size()));
}

void Driver5::send(Binding& binding, const Bytes& frame, PVOID cancel_id) {
  const PNDIS_PACKET made = packet(frame);
  NDIS_SET_PACKET_CANCEL_ID(made, cancel_id);
  send_many(binding, {made});
}

NDIS_STATUS Driver5::reset(Binding& binding) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisReset(&status, binding.handle);
  return status;
}

}  // namespace turnpike::conformance
