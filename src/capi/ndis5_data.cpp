// Frames of a driver of NDIS 4 or 5, both ways (contract, D.5).
//
// A driver with a ReceivePacket handler gets packets: copies that it may keep, or, where its bound on copies is nearly
// reached, packets with Status RESOURCES that describe the ring and end with the call. One without gets
// ProtocolReceive, straight from the ring.
#include <optional>

#include "capi/ndis5.h"

#include "ndis/pools/packets.h"
#include "ndis/transport.h"

namespace turnpike::capi {
namespace {

constexpr std::int64_t kCalling = 1LL << 40;  // of `owed`: the driver has not said yet how often it will return it
constexpr ULONG_PTR kMark = 0x5452'5250'4b54'5631;  // "TRPKTV1": with the address, what is ours in Reserved[1]

// What MacReceiveContext names: a frame that is being shown on this thread.
struct Shown {
  const ndis::Binding* binding;
  std::span<const std::byte> payload;
  std::span<const std::byte> frame;
  const ndis::Indicated* indicated;
  std::optional<Lent<ReceivedPacket>> packet{};  // for NdisGetReceivedPacket
  std::uint64_t id = 0;
  Shown* outer = nullptr;
};
thread_local Shown* shown_now = nullptr;

Shown* shown_as(NDIS_HANDLE context) {
  Shown* at = shown_now;
  while (at != nullptr && at->id != reinterpret_cast<std::uintptr_t>(context)) {
    at = at->outer;
  }
  return at;
}

// What is known of a frame's checksums: that of TCP or UDP is right, or nothing.
PVOID checksum_slot_of(const ndis::InFrame& frame, std::size_t header) {
  NDIS_TCP_IP_CHECKSUM_PACKET_INFO info{};
  const ndis::Transport transport = ndis::transport_of(frame.bytes, header);
  info.Receive.NdisPacketTcpChecksumSucceeded = transport == ndis::Transport::kTcp ? 1 : 0;
  info.Receive.NdisPacketUdpChecksumSucceeded = transport == ndis::Transport::kUdp ? 1 : 0;
  return reinterpret_cast<PVOID>(static_cast<ULONG_PTR>(info.Value));
}

// Makes the packet describe those bytes.
void fill(ReceivedPacket& received, ndis::Binding& binding, const ndis::Indicated& frame,
          std::span<const std::byte> bytes, NDIS_STATUS status) {
  wipe(received.head.data(), received.head.size());
  received.binding = &binding;
  received.handle = binding.handle;
  describe(received.mdl, bytes.data(), bytes.size());
  NDIS_PACKET& packet = *received.packet();
  packet.Private.Head = packet.Private.Tail = &received.mdl;
  packet.Private.Count = packet.Private.PhysicalCount = 1;
  packet.Private.TotalLength = static_cast<UINT>(bytes.size());
  packet.Private.ValidCounts = TRUE;
  packet.Private.NdisPacketFlags = fPACKET_ALLOCATED_BY_NDIS;
  packet.Private.NdisPacketOobOffset = static_cast<USHORT>(ReceivedPacket::kOutOfBand);
  packet.Private.Flags = frame.loopback ? NDIS_FLAGS_IS_LOOPBACK_PACKET : 0;
  packet.Reserved[1] = reinterpret_cast<ULONG_PTR>(&packet) ^ kMark;
  NDIS_PACKET_OOB_DATA& out_of_band = *NDIS_OOB_DATA_FROM_PACKET(&packet);
  out_of_band.HeaderSize = static_cast<UINT>(binding.nic->header);
  out_of_band.Status = status;
  if (const auto at = frame.frame->received.time_since_epoch().count(); at != 0) {
    out_of_band.TimeReceived = 116444736000000000ULL + static_cast<ULONGLONG>(at) / 100;  // from 1601
  }
  if (frame.frame->checksum_good) {
    NDIS_PER_PACKET_INFO_FROM_PACKET(&packet, TcpIpChecksumPacketInfo) =
        checksum_slot_of(*frame.frame, binding.nic->header);
  }
  if (frame.frame->vlan.present() && bytes.size() == frame.frame->bytes.size()) {
    NDIS_PER_PACKET_INFO_FROM_PACKET(&packet, Ieee8021QInfo) = slot_of<NDIS_PACKET_8021Q_INFO>(frame.frame->vlan);
  }
}

void recycle(ReceivedPacket& received) {
  ndis::Binding& binding = *received.binding;
  static_cast<Binding5&>(*binding.part).copies.give_back(&received);
  binding.engine.returned(binding, 1);
}

// Classic drivers look for a tag in the bytes: it is put back where the frame then is no longer than the longest one.
std::span<const std::byte> with_tag(const ndis::InFrame& frame, std::size_t longest, std::vector<std::byte>& room) {
  if (!frame.vlan.present() || frame.bytes.size() < 14 || frame.bytes.size() + 4 > longest) {
    return frame.bytes;
  }
  const ndis::VlanTag& tag = frame.vlan;
  const std::array<std::byte, 4> bytes{std::byte(tag.protocol >> 8), std::byte(tag.protocol & 0xff),
                                       std::byte(tag.tci >> 8), std::byte(tag.tci & 0xff)};
  room.assign(frame.bytes.begin(), frame.bytes.begin() + 12);
  room.insert(room.end(), bytes.begin(), bytes.end());
  room.insert(room.end(), frame.bytes.begin() + 12, frame.bytes.end());
  return room;
}

// Copies into the buffers of a packet; says how much fitted.
std::size_t copy_into(const NDIS_PACKET& packet, std::span<const std::byte> bytes) {
  std::size_t copied = 0;
  std::uint32_t mdls = 0;
  for (const MDL* mdl = packet.Private.Head; mdl != nullptr && copied < bytes.size() && mdls < kMostBuffers;
       mdl = mdl->Next, ++mdls) {
    const std::span<std::byte> room = bytes_of(*mdl);
    const std::size_t n = std::min(room.size(), bytes.size() - copied);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(copied), n, room.begin());
    copied += n;
  }
  return copied;
}

}  // namespace

ReceivedPacket* ReceivedPacket::of(PNDIS_PACKET packet) {
  return packet != nullptr && packet->Reserved[1] == (reinterpret_cast<ULONG_PTR>(packet) ^ kMark)
             ? reinterpret_cast<ReceivedPacket*>(packet)
             : nullptr;
}

// --- receiving
// ----------------------------------------------------------------------------------------------------------

void Driver5::receive(ndis::Binding& binding, std::span<const ndis::Indicated> frames) {
  const AtDispatch level;
  static thread_local std::vector<std::byte> kept;
  std::vector<std::byte> room = std::move(kept);
  const std::size_t longest = binding.nic->mtu.load(std::memory_order_relaxed) + binding.nic->header;
  std::size_t shown = chars_.ReceivePacketHandler != nullptr ? show_copies(binding, frames, longest, room) : 0;
  for (const ndis::Indicated& frame : frames.subspan(shown)) {
    const std::span<const std::byte> bytes = with_tag(*frame.frame, longest, room);
    if (chars_.ReceivePacketHandler != nullptr) {
      show_in_ring(binding, frame, bytes);
    } else {
      show_lookahead(binding, frame, bytes);
    }
  }
  kept = std::move(room);
  chars_.ReceiveCompleteHandler(binding.context);
}

// As packets that the driver may keep, as many as there are copies for; gives how many. What it does not keep goes back
// when all have been shown.
std::size_t Driver5::show_copies(ndis::Binding& binding, std::span<const ndis::Indicated> frames, std::size_t longest,
                                 std::vector<std::byte>& room) {
  auto& copies = static_cast<Binding5&>(*binding.part).copies;
  std::array<ReceivedPacket*, ndis::kIndicatedAtOnce> taken;
  const bool may_copy = !binding.engine.knobs().force_resources.load(std::memory_order_relaxed);
  const std::size_t n = may_copy ? copies.take(std::span(taken).first(frames.size())) : 0;
  if (n == 0) {
    return 0;
  }
  binding.hold(ndis::Held::kRetained, static_cast<std::uint32_t>(n));
  std::size_t back = 0;
  for (std::size_t at = 0; at < n; ++at) {
    ReceivedPacket& received = *taken[at];
    const std::span<const std::byte> bytes = with_tag(*frames[at].frame, longest, room);
    received.bytes.assign(bytes.begin(), bytes.end());
    fill(received, binding, frames[at], received.bytes, NDIS_STATUS_SUCCESS);
    received.owed.store(kCalling, std::memory_order_relaxed);
    binding.engine.verifier().note_element(received.packet(), "indicated on",
                                           static_cast<std::uint64_t>(binding.handle));
    const std::int64_t keeps = std::max(chars_.ReceivePacketHandler(binding.context, received.packet()), 0) - kCalling;
    if (received.owed.fetch_add(keeps, std::memory_order_acq_rel) + keeps == 0) {
      taken[back++] = &received;
    }
  }
  copies.give_back(std::span(taken).first(back));
  if (back != 0) {
    binding.engine.returned(binding, static_cast<std::uint32_t>(back));
  }
  return n;
}

void Driver5::show_in_ring(ndis::Binding& binding, const ndis::Indicated& frame, std::span<const std::byte> bytes) {
  Lent<ReceivedPacket> lent;
  ReceivedPacket& in_ring = lent[0];
  fill(in_ring, binding, frame, bytes, NDIS_STATUS_RESOURCES);
  if (chars_.ReceivePacketHandler(binding.context, in_ring.packet()) != 0) {
    binding.engine.violation("ProtocolReceivePacket", "kept a packet that came with RESOURCES", binding.handle);
  }
  in_ring.packet()->Reserved[1] = 0;
}

void Driver5::show_lookahead(ndis::Binding& binding, const ndis::Indicated& frame, std::span<const std::byte> bytes) {
  static std::atomic<std::uint64_t> last_id{0x1000};
  const std::size_t header = std::min(binding.nic->header, bytes.size());
  Shown shown{.binding = &binding,
              .payload = bytes.subspan(header),
              .frame = bytes,
              .indicated = &frame,
              .id = last_id.fetch_add(1, std::memory_order_relaxed),
              .outer = shown_now};
  const std::uint32_t forced = binding.engine.knobs().force_lookahead.load(std::memory_order_relaxed);
  const std::size_t lookahead =
      forced != 0 ? std::min<std::size_t>(forced, shown.payload.size()) : shown.payload.size();
  shown_now = &shown;
  auto* const at = const_cast<std::byte*>(bytes.data());  // the driver's types know no const
  (void)chars_.ReceiveHandler(binding.context, reinterpret_cast<NDIS_HANDLE>(static_cast<std::uintptr_t>(shown.id)), at,
                              static_cast<UINT>(header), at + header, static_cast<UINT>(lookahead),
                              static_cast<UINT>(shown.payload.size()));
  shown_now = shown.outer;
}

// --- sending
// ------------------------------------------------------------------------------------------------------------

void Driver5::describe(ndis::Binding& binding, void* element, ndis::FrameList& frames) {
  auto& packet = *static_cast<NDIS_PACKET*>(element);
  for (const MDL* mdl = packet.Private.Head; mdl != nullptr; mdl = mdl->Next) {
    frames.piece(bytes_of(*mdl));
  }
  frames.end_frame(tag_of<NDIS_PACKET_8021Q_INFO>(NDIS_PER_PACKET_INFO_FROM_PACKET(&packet, Ieee8021QInfo)),
                   binding.nic->header > 0 ? kLeastFrame : 0);
}

void Driver5::send_complete(ndis::Binding& binding, std::span<const ndis::Completed> elements) {
  const AtDispatch level;
  for (const ndis::Completed& completed : elements) {
    auto* const packet = static_cast<PNDIS_PACKET>(completed.element);
    NDIS_SET_PACKET_STATUS(packet, to(completed.status));
    ndis::land(*packet);
    binding.engine.verifier().note_element(packet, "send completed with", static_cast<std::uint64_t>(completed.status));
    chars_.SendCompleteHandler(binding.context, packet, to(completed.status));
  }
}

namespace {

ndis::SendItem item_of(const ndis::Binding& binding, PNDIS_PACKET packet, std::size_t longest) {
  std::size_t length = 0;
  std::uint32_t buffers = 0;
  for (const MDL* mdl = packet->Private.Head; mdl != nullptr && buffers <= kMostBuffers; mdl = mdl->Next) {
    length += bytes_of(*mdl).size();
    ++buffers;
  }
  const bool fits = buffers != 0 && buffers <= kMostBuffers && length <= longest &&
                    length >= std::max<std::size_t>(binding.nic->header, 1);
  const UINT flags = packet->Private.Flags;
  const bool loops = (flags & NDIS_FLAGS_DONT_LOOPBACK) == 0;
  return {.element = packet,
          .cancel_id = NDIS_GET_PACKET_CANCEL_ID(packet),
          .flags = (loops ? ndis::send_flag::kLoopToSelf : 0U) |
                   ((flags & NDIS_FLAGS_LOOPBACK_ONLY) != 0 ? ndis::send_flag::kLoopbackOnly : 0U),
          .preset = fits ? Status::kSuccess : Status::kInvalidPacket};
}

// From here to its completion the packet is ours. False, and the driver is told: it is already.
bool take_over(ndis::Engine& ndis, const ndis::Binding& binding, NDIS_PACKET& packet, const char* function,
               const char* what) {
  if (!ndis::take_flight(packet)) {
    ndis.violation(function, "the packet is being sent, or filled, already", binding.handle, &packet);
    return false;
  }
  ndis.verifier().note_element(&packet, what, static_cast<std::uint64_t>(binding.handle));
  return true;
}

}  // namespace
}  // namespace turnpike::capi

using namespace turnpike;        // allow using-namespace: the functions below are C's
using namespace turnpike::capi;  // allow using-namespace: and are made of these

VOID NdisSend(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, PNDIS_PACKET Packet) {
  if (Status == nullptr) {
    return;
  }
  ndis::Engine* const ndis = running_engine();
  *Status = NDIS_STATUS_ADAPTER_NOT_OPEN;
  if (ndis == nullptr) {
    return;
  }
  const auto binding = binding_of(*ndis, NdisBindingHandle, ndis::Generation::k5, "NdisSend");
  if (!binding) {
    return;
  }
  if (Packet == nullptr) {
    *Status = NDIS_STATUS_INVALID_PACKET;
    return;
  }
  if (!take_over(*ndis, *binding, *Packet, "NdisSend", "sent through")) {
    *Status = NDIS_STATUS_FAILURE;
    return;
  }
  const ndis::SendItem item = item_of(*binding, Packet, ndis->longest_frame(*binding));
  const auto status = ndis->send_one(binding->handle, item);
  if (status != ndis::Status::kPending) {
    ndis::land(*Packet);
    ndis->verifier().note_element(Packet, "sent with", static_cast<std::uint64_t>(status));
  }
  *Status = to(status);
}

VOID NdisSendPackets(NDIS_HANDLE NdisBindingHandle, PPNDIS_PACKET PacketArray, UINT NumberOfPackets) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || PacketArray == nullptr) {
    return;
  }
  const auto binding = binding_of(*ndis, NdisBindingHandle, ndis::Generation::k5, "NdisSendPackets");
  if (!binding) {
    return;
  }
  const std::size_t longest = ndis->longest_frame(*binding);
  static thread_local std::vector<ndis::SendItem> kept;
  std::vector<ndis::SendItem> items = std::move(kept);
  items.clear();
  for (UINT i = 0; i < NumberOfPackets; ++i) {
    if (PacketArray[i] != nullptr && take_over(*ndis, *binding, *PacketArray[i], "NdisSendPackets", "sent through")) {
      items.push_back(item_of(*binding, PacketArray[i], longest));
    }
  }
  if (!ndis->send(binding->handle, items)) {  // the binding has died meanwhile
    for (const ndis::SendItem& item : items) {
      ndis::land(*static_cast<PNDIS_PACKET>(item.element));
    }
  }
  kept = std::move(items);
}

VOID NdisCancelSendPackets(NDIS_HANDLE NdisBindingHandle, PVOID CancelId) {
  if (ndis::Engine* const ndis = running_engine()) {
    ndis->cancel_sends(handle_of(NdisBindingHandle), CancelId);
  }
}

VOID NdisReturnPackets(PNDIS_PACKET* PacketsToReturn, UINT NumberOfPackets) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || PacketsToReturn == nullptr) {
    return;
  }
  const char* const function = "NdisReturnPackets";
  for (UINT i = 0; i < NumberOfPackets; ++i) {
    ReceivedPacket* const received = ReceivedPacket::of(PacketsToReturn[i]);
    if (received == nullptr) {
      ndis->violation(function, "the packet was not received", Handle::kNone, PacketsToReturn[i]);
      continue;
    }
    std::int64_t owed = received->owed.load(std::memory_order_acquire);
    while (owed > 0 && !received->owed.compare_exchange_weak(owed, owed - 1, std::memory_order_acq_rel)) {
    }
    if (owed <= 0) {
      ndis->violation(function, "the packet was returned too often", received->handle, PacketsToReturn[i]);
      continue;
    }
    if (owed > kCalling / 2) {
      ndis->violation(function, "the packet was returned before its callback had", received->handle,
                      PacketsToReturn[i]);
    }
    ndis->verifier().note_element(PacketsToReturn[i], "returned");
    if (owed == 1) {
      recycle(*received);
    }
  }
}

VOID NdisTransferData(PNDIS_STATUS Status, NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacReceiveContext,
                      UINT ByteOffset, UINT BytesToTransfer, PNDIS_PACKET Packet, PUINT BytesTransferred) {
  ndis::Engine* const ndis = running_engine();
  if (ndis == nullptr || Status == nullptr || BytesTransferred == nullptr) {
    return;
  }
  const auto binding = ndis->pin(handle_of(NdisBindingHandle));
  if (!binding) {
    ndis->violation("NdisTransferData", "the handle names no binding", handle_of(NdisBindingHandle));
    *Status = NDIS_STATUS_ADAPTER_NOT_OPEN;
    return;
  }
  const Shown* const shown = shown_as(MacReceiveContext);
  *Status = NDIS_STATUS_FAILURE;
  if (shown == nullptr || shown->binding != binding.get() || Packet == nullptr) {
    ndis->violation("NdisTransferData", "called outside the indication of the frame", binding->handle);
    return;
  }
  if (ByteOffset > shown->payload.size() || BytesToTransfer > shown->payload.size() - ByteOffset) {
    return;
  }
  if (binding->now() >= ndis::BindingState::kClosing) {
    *Status = NDIS_STATUS_REQUEST_ABORTED;
    return;
  }
  if (const auto failing = ndis->knobs().fail_now(ndis::Failing::kTransfer)) {
    *Status = to(*failing);
    return;
  }
  if (!take_over(*ndis, *binding, *Packet, "NdisTransferData", "filled through")) {
    return;
  }
  const auto copied = static_cast<UINT>(copy_into(*Packet, shown->payload.subspan(ByteOffset, BytesToTransfer)));
  if (!ndis->force(ndis::pend::kTransfer)) {
    ndis::land(*Packet);
    *BytesTransferred = copied;
    *Status = NDIS_STATUS_SUCCESS;
    return;
  }
  *Status = NDIS_STATUS_PENDING;
  binding->hold(ndis::Held::kTransfer);
  ndis->later([self = binding->shared_from_this(), Packet, copied] {
    {
      const ndis::CallbackScope inside(*self->protocol, self.get(), ndis::Inside::kData);
      const AtDispatch level;
      ndis::land(*Packet);
      static_cast<const Driver5&>(*self->protocol->driver)
          .characteristics()
          .TransferDataCompleteHandler(self->context, Packet, NDIS_STATUS_SUCCESS, copied);
    }
    self->release(ndis::Held::kTransfer);
  });
}

PNDIS_PACKET NdisGetReceivedPacket(NDIS_HANDLE NdisBindingHandle, NDIS_HANDLE MacContext) {
  ndis::Engine* const ndis = running_engine();
  Shown* const shown = shown_as(MacContext);
  if (ndis == nullptr || shown == nullptr || shown->binding->handle != handle_of(NdisBindingHandle)) {
    return nullptr;
  }
  if (!shown->packet) {
    const auto binding = ndis->pin(handle_of(NdisBindingHandle));
    if (!binding) {
      return nullptr;
    }
    ReceivedPacket& made = shown->packet.emplace()[0];
    fill(made, *binding, *shown->indicated, shown->frame, NDIS_STATUS_RESOURCES);
    made.packet()->Reserved[1] = 0;  // not to be returned
  }
  return (*shown->packet)[0].packet();
}
