// Frames of a driver of NDIS 6, both ways (contract, D.13).
#include <utility>

#include "capi/ndis6.h"
#include "capi/ndis_frame_times.h"
#include "ndis/pools/net_buffers.h"
#include "ndis/transport.h"

namespace turnpike::capi {
namespace {

using TagInfo = NDIS_NET_BUFFER_LIST_8021Q_INFO;

// The frame of a buffer: the used data, from CurrentMdl on. False: the chain is shorter than it says.
bool describe_buffer(const NET_BUFFER& buffer, ndis::FrameList& frames) {
  std::size_t left = buffer.DataLength;
  std::size_t skip = buffer.CurrentMdlOffset;
  for (const MDL* mdl = buffer.CurrentMdl; mdl != nullptr && left != 0; mdl = mdl->Next) {
    const std::span<const std::byte> all = bytes_of(*mdl);
    const auto used = all.subspan(std::min(skip, all.size()));
    skip = 0;
    frames.piece(used.first(std::min(left, used.size())));
    left -= std::min(left, used.size());
  }
  return left == 0;
}

bool has_all_bytes(const NET_BUFFER& buffer) {
  std::size_t bytes = 0, skip = buffer.CurrentMdlOffset;
  std::uint32_t mdls = 0;
  for (const MDL* mdl = buffer.CurrentMdl; mdl != nullptr && bytes < buffer.DataLength && mdls < kMostBuffers;
       mdl = mdl->Next, ++mdls) {
    const std::size_t size = bytes_of(*mdl).size();
    bytes += size - std::min(skip, size);
    skip = 0;
  }
  return bytes >= buffer.DataLength;
}

std::uint16_t type_of(std::span<const std::byte> bytes) {
  return bytes.size() < 14 ? std::uint16_t{0}
                           : static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[12]) << 8 |
                                                        std::to_integer<unsigned>(bytes[13]));
}

// What is known of a frame's checksums: that of TCP or UDP is right, or nothing.
PVOID checksum_slot_of(const ndis::InFrame& frame, std::size_t header) {
  NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO info{};
  const ndis::Transport transport = ndis::transport_of(frame.bytes, header);
  info.Receive.TcpChecksumSucceeded = transport == ndis::Transport::kTcp ? 1 : 0;
  info.Receive.UdpChecksumSucceeded = transport == ndis::Transport::kUdp ? 1 : 0;
  return info.Value;
}

void fill(ReceivedList& received, const ndis::Indicated& indicated, std::span<const std::byte> bytes,
          const ndis::Binding& binding, const FrameTimes& times) {
  wipe(&received, offsetof(ReceivedList, mdl));
  describe(received.mdl, bytes.data(), bytes.size());
  NET_BUFFER& buffer = received.buffer;
  buffer.CurrentMdl = buffer.MdlChain = &received.mdl;
  buffer.DataLength = static_cast<ULONG>(bytes.size());
  NET_BUFFER_LIST& list = received.list;
  list.FirstNetBuffer = &buffer;
  list.SourceHandle = to(binding.handle);
  list.NblFlags = indicated.loopback ? NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET : 0;
  list.NetBufferListInfo[Ieee8021QNetBufferListInfo] = slot_of<TagInfo>(indicated.frame->vlan);
  list.NetBufferListInfo[NetBufferListFrameType] = reinterpret_cast<PVOID>(static_cast<ULONG_PTR>(type_of(bytes)));
  if (indicated.frame->checksum_good) {
    list.NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = checksum_slot_of(*indicated.frame, binding.nic->header);
  }
  list.NetBufferListInfo[TpNetBufferListTimestamp] =
      reinterpret_cast<PVOID>(static_cast<ULONG_PTR>(times.of(indicated.frame->received)));
  received.with_driver.store(true, std::memory_order_relaxed);
}

}  // namespace

// --- receiving
// ----------------------------------------------------------------------------------------------------------

// Copies where the binding's bound allows it for all of them; else what the ring has, which the driver must copy.
void Driver6::receive(ndis::Binding& binding, std::span<const ndis::Indicated> frames) {
  const AtDispatch level;
  auto& copies = static_cast<Binding6&>(*binding.part).copies;
  std::array<ReceivedList*, ndis::kIndicatedAtOnce> taken{};
  const bool may_copy = !binding.engine.knobs().force_resources.load(std::memory_order_relaxed);
  const std::size_t n = may_copy ? copies.take(std::span(taken).first(frames.size())) : 0;
  const FrameTimes times(frames.front().frame->received);
  for (std::size_t at = 0; at < n; ++at) {
    const std::span<const std::byte> bytes = frames[at].frame->bytes;
    taken[at]->bytes.assign(bytes.begin(), bytes.end());
    fill(*taken[at], frames[at], taken[at]->bytes, binding, times);
  }
  if (n != 0) {
    for (std::size_t at = 0; binding.engine.verifier().notes() && at < n; ++at) {
      binding.engine.verifier().note_element(&taken[at]->list, "indicated on",
                                             static_cast<std::uint64_t>(binding.handle));
    }
    binding.hold(ndis::Held::kRetained, static_cast<std::uint32_t>(n));
    indicate(binding, std::span(taken).first(n), 0);
  }
  if (n == frames.size()) {
    return;
  }
  Lent<ReceivedList, ndis::kIndicatedAtOnce> in_ring(frames.size() - n);
  std::size_t shown = 0;
  for (const ndis::Indicated& frame : frames.subspan(n)) {
    in_ring[shown].bytes.clear();
    fill(in_ring[shown], frame, frame.frame->bytes, binding, times);
    taken[shown] = &in_ring[shown];
    ++shown;
  }
  indicate(binding, std::span(taken).first(shown), NDIS_RECEIVE_FLAGS_RESOURCES);
  bool intact = true;
  for (std::size_t i = 0; i < shown; ++i) {
    intact &= in_ring[i].list.Next == (i + 1 < shown ? &in_ring[i + 1].list : nullptr);
    in_ring[i].with_driver.store(false, std::memory_order_release);
  }
  if (!intact) {
    binding.engine.violation("ProtocolReceiveNetBufferLists", "altered a list that it had to leave intact",
                             binding.handle);
  }
}

void Driver6::indicate(ndis::Binding& binding, std::span<ReceivedList* const> lists, ULONG flags) {
  bool one_type = true, one_vlan = true;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    NET_BUFFER_LIST& list = lists[i]->list;
    const NET_BUFFER_LIST& first = lists[0]->list;
    list.Next = i + 1 < lists.size() ? &lists[i + 1]->list : nullptr;
    one_type &= list.NetBufferListInfo[NetBufferListFrameType] == first.NetBufferListInfo[NetBufferListFrameType];
    one_vlan &=
        list.NetBufferListInfo[Ieee8021QNetBufferListInfo] == first.NetBufferListInfo[Ieee8021QNetBufferListInfo];
  }
  flags |= NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL | NDIS_RECEIVE_FLAGS_PERFECT_FILTERED;
  flags |= one_type ? NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE : 0;
  flags |= one_vlan ? NDIS_RECEIVE_FLAGS_SINGLE_VLAN : 0;
  chars_.ReceiveNetBufferListsHandler(binding.context, &lists[0]->list, 0, static_cast<ULONG>(lists.size()), flags);
}

// --- sending
// ------------------------------------------------------------------------------------------------------------

void Driver6::describe(ndis::Binding& binding, void* element, ndis::FrameList& frames) {
  const auto& list = *static_cast<const NET_BUFFER_LIST*>(element);
  const ndis::VlanTag tag = tag_of<TagInfo>(list.NetBufferListInfo[Ieee8021QNetBufferListInfo]);
  const std::size_t pad_to = binding.nic->header > 0 ? kLeastFrame : 0;
  for (const NET_BUFFER* buffer = list.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    (void)describe_buffer(*buffer, frames);
    frames.end_frame(tag, pad_to);
  }
}

void Driver6::send_complete(ndis::Binding& binding, std::span<const ndis::Completed> elements) {
  const AtDispatch level;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto& list = *static_cast<NET_BUFFER_LIST*>(elements[i].element);
    ndis::land(list);
    binding.engine.verifier().note_element(&list, "send completed with",
                                           static_cast<std::uint64_t>(elements[i].status));
    list.Status = to(elements[i].status);
    list.Next = i + 1 < elements.size() ? static_cast<NET_BUFFER_LIST*>(elements[i + 1].element) : nullptr;
  }
  chars_.SendNetBufferListsCompleteHandler(binding.context, static_cast<NET_BUFFER_LIST*>(elements[0].element),
                                           NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL);
}

namespace {

// What is wrong with a list before anything is sent of it.
Status check(const NET_BUFFER_LIST& list, std::size_t header, std::size_t longest) {
  std::uint32_t buffers = 0;
  for (const NET_BUFFER* buffer = list.FirstNetBuffer; buffer != nullptr; buffer = buffer->Next) {
    if (buffer->DataLength > longest || buffer->DataLength < std::max<std::size_t>(header, 1) ||
        !has_all_bytes(*buffer) || ++buffers > kMostBuffers) {
      return Status::kInvalidLength;
    }
  }
  return buffers != 0 ? Status::kSuccess : Status::kInvalidLength;
}

}  // namespace
}  // namespace turnpike::capi

namespace turnpike::capi {
namespace {

// Whether a chain bites its tail, by those of it that are no good (in a ring all are, from the second round on): each
// is compared with one that went before, which is exchanged ever more seldom.
class RingWatch {
 public:
  bool is_ring(const NET_BUFFER_LIST* list) {
    if (list == compared_) {
      return true;
    }
    if (++steps_ == until_) {
      compared_ = list;
      steps_ = 0;
      until_ *= 2;
    }
    return false;
  }

 private:
  const NET_BUFFER_LIST* compared_ = nullptr;
  std::size_t steps_ = 0, until_ = 1;
};

}  // namespace
}  // namespace turnpike::capi

using namespace turnpike;  // allow using-namespace: the functions below are C's

VOID NdisSendNetBufferLists(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists, NDIS_PORT_NUMBER PortNumber,
                            ULONG SendFlags) {
  ndis::Engine* const engine = capi::running_engine();
  if (engine == nullptr || NetBufferLists == nullptr) {
    return;
  }
  const auto binding = capi::binding_of(*engine, NdisBindingHandle, ndis::Generation::k6, "NdisSendNetBufferLists");
  if (!binding) {
    return;
  }
  const std::size_t longest = engine->longest_frame(*binding);
  const std::uint32_t loop = (SendFlags & NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK) != 0 ? ndis::send_flag::kLoopToSelf : 0;
  static thread_local std::vector<ndis::SendItem> kept;
  std::vector<ndis::SendItem> items = std::move(kept);
  items.clear();
  for (NET_BUFFER_LIST* list = NetBufferLists; list != nullptr; list = list->Next) {
    if (!ndis::take_flight(*list)) {  // what hangs behind it cannot be told from what we have hung there
      engine->violation("NdisSendNetBufferLists", "the list is being sent already", binding->handle, list);
      break;
    }
    engine->verifier().note_element(list, "sent through", static_cast<std::uint64_t>(binding->handle));
    if (list->SourceHandle != NdisBindingHandle) {
      engine->violation("NdisSendNetBufferLists", "SourceHandle is not the binding: corrected", binding->handle);
      list->SourceHandle = NdisBindingHandle;
    }
    items.push_back(
        {.element = list,
         .cancel_id = list->NetBufferListInfo[NetBufferListCancelId],
         .flags = loop,
         .preset = PortNumber != 0 ? ndis::Status::kInvalidPort : capi::check(*list, binding->nic->header, longest)});
  }
  if (!engine->send(binding->handle, items)) {  // the binding has died meanwhile
    for (const ndis::SendItem& item : items) {
      ndis::land(*static_cast<NET_BUFFER_LIST*>(item.element));
    }
  }
  kept = std::move(items);
}

VOID NdisCancelSendNetBufferLists(NDIS_HANDLE NdisBindingHandle, PVOID CancelId) {
  if (ndis::Engine* const engine = capi::running_engine()) {
    engine->cancel_sends(capi::handle_of(NdisBindingHandle), CancelId);
  }
}

VOID NdisReturnNetBufferLists(NDIS_HANDLE NdisBindingHandle, PNET_BUFFER_LIST NetBufferLists, ULONG) {
  ndis::Engine* const engine = capi::running_engine();
  if (engine == nullptr || NetBufferLists == nullptr) {
    return;
  }
  const char* const function = "NdisReturnNetBufferLists";
  const auto binding = capi::binding_of(*engine, NdisBindingHandle, ndis::Generation::k6, function);
  if (!binding) {
    return;
  }
  auto& copies = static_cast<capi::Binding6&>(*binding->part).copies;
  std::array<capi::ReceivedList*, ndis::kIndicatedAtOnce> back;
  std::size_t waiting = 0;  // in `back`, which goes back at once
  std::uint32_t returned = 0;
  capi::RingWatch watch;
  bool is_ring = false;
  const auto refuse = [&](const char* why, const NET_BUFFER_LIST& list) {
    engine->violation(function, why, binding->handle, &list);
    is_ring |= watch.is_ring(&list);
  };
  const auto give_back = [&] {
    const auto all = std::span(back).first(std::exchange(waiting, 0));
    const std::size_t taken = copies.take_back(all);
    returned += static_cast<std::uint32_t>(taken);
    for (const capi::ReceivedList* twice : all.subspan(taken)) {
      refuse("the list was returned before", twice->list);
    }
  };
  for (NET_BUFFER_LIST* list = NetBufferLists; list != nullptr && !is_ring;) {
    NET_BUFFER_LIST* const next = list->Next;
    auto* const received = reinterpret_cast<capi::ReceivedList*>(list);
    if (list->SourceHandle != NdisBindingHandle || list->FirstNetBuffer != &received->buffer) {
      refuse("the list was not indicated on this binding", *list);
    } else if (received->bytes.empty()) {
      refuse("the list was indicated with RESOURCES: it goes back by itself", *list);
    } else {
      engine->verifier().note_element(list, "returned");
      back[waiting++] = received;
      if (waiting == back.size()) {
        give_back();
      }
    }
    list = next;
  }
  give_back();
  if (returned != 0) {
    engine->returned(*binding, returned);
  }
}
