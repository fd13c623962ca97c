#include "bench_driver.h"

#include <algorithm>
#include <cctype>

#include "../place.h"

namespace turnpike::bench {
namespace {

BenchDriver::Bound& bound_of(NDIS_HANDLE context) { return *static_cast<BenchDriver::Bound*>(context); }

}  // namespace

BenchDriver::BenchDriver(std::string name, std::string list, Heard heard)
    : name_(std::move(name)), wide_name_(name_.begin(), name_.end()), heard_(std::move(heard)) {
  bind_to(list);
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS chars{};
  chars.Header = {0x95, 2, NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2};
  chars.MajorNdisVersion = 6;
  chars.MinorNdisVersion = 30;
  chars.Name.Buffer = wide_name_.data();
  chars.Name.Length = chars.Name.MaximumLength = static_cast<USHORT>(wide_name_.size() * sizeof(WCHAR));
  chars.BindAdapterHandlerEx = [](NDIS_HANDLE driver, NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
    return static_cast<BenchDriver*>(driver)->bind(context, parameters);
  };
  chars.UnbindAdapterHandlerEx = unbind;
  chars.OpenAdapterCompleteHandlerEx = [](NDIS_HANDLE context, NDIS_STATUS status) {
    must(status == NDIS_STATUS_SUCCESS, "an adapter is not opened");
    bound_of(context).opened = true;
    bound_of(context).opened.notify_one();
  };
  chars.CloseAdapterCompleteHandlerEx = [](NDIS_HANDLE context) {
    bound_of(context).closed = true;
    bound_of(context).closed.notify_one();
  };
  chars.NetPnPEventHandler = [](NDIS_HANDLE, PNET_PNP_EVENT_NOTIFICATION) -> NDIS_STATUS {
    return NDIS_STATUS_SUCCESS;
  };
  chars.OidRequestCompleteHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST, NDIS_STATUS) {};
  chars.StatusHandlerEx = [](NDIS_HANDLE, PNDIS_STATUS_INDICATION) {};
  chars.ReceiveNetBufferListsHandler = receive;
  chars.SendNetBufferListsCompleteHandler = completed;
  must(NdisRegisterProtocolDriver(this, &chars, &protocol_) == NDIS_STATUS_SUCCESS, "the protocol");
  TpNdisQuiesce();
}

BenchDriver::~BenchDriver() { NdisDeregisterProtocolDriver(protocol_); }

void BenchDriver::bind_to(const std::string& list) {
  std::string upper = name_;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const TP_NDIS_POLICY policy{
      sizeof policy, list.empty() ? TP_NDIS_BIND_NONE : TP_NDIS_BIND_LIST, list.c_str(), nullptr, nullptr, 0};
  must(TpNdisSetBindPolicy(upper.c_str(), &policy) == 0, "the policy");
}

std::vector<BenchDriver::Bound*> BenchDriver::bindings() {
  const std::lock_guard lock(mutex_);
  std::vector<Bound*> all;
  for (const auto& each : bound_) {
    if (!each->closed) all.push_back(each.get());
  }
  return all;
}

NDIS_STATUS BenchDriver::bind(NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
  auto made = std::make_unique<Bound>();
  Bound& bound = *made;
  bound.driver = this;
  {
    const std::lock_guard lock(mutex_);
    bound_.push_back(std::move(made));
  }
  NDIS_MEDIUM ethernet = NdisMedium802_3;
  UINT medium = 0;
  NDIS_OPEN_PARAMETERS given{};
  given.Header = {0x87, 1, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
  given.AdapterName = parameters->AdapterName;
  given.MediumArray = &ethernet;
  given.MediumArraySize = 1;
  given.SelectedMediumIndex = &medium;
  const NDIS_STATUS status = NdisOpenAdapterEx(protocol_, &bound, &given, context, &bound.handle);
  if (status == NDIS_STATUS_PENDING) bound.opened.wait(false);
  must(status == NDIS_STATUS_PENDING || status == NDIS_STATUS_SUCCESS, "NdisOpenAdapterEx");
  want_frames(bound);
  return NDIS_STATUS_SUCCESS;
}

void BenchDriver::want_frames(Bound& bound) {
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
  NDIS_OID_REQUEST request{};
  request.Header = {0x96, 1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  request.DATA.SET_INFORMATION.InformationBuffer = &filter;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof filter;
  must(NdisOidRequest(bound.handle, &request) == NDIS_STATUS_SUCCESS, "the packet filter");
}

NDIS_STATUS BenchDriver::unbind(NDIS_HANDLE, NDIS_HANDLE context) {
  Bound& bound = bound_of(context);
  if (NdisCloseAdapterEx(bound.handle) == NDIS_STATUS_PENDING) bound.closed.wait(false);
  bound.closed = true;
  return NDIS_STATUS_SUCCESS;
}

void BenchDriver::receive(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER, ULONG count, ULONG flags) {
  Bound& bound = bound_of(context);
  bound.received.fetch_add(count, std::memory_order_relaxed);
  if (bound.driver->heard_) bound.driver->heard_(lists, count);
  if ((flags & NDIS_RECEIVE_FLAGS_RESOURCES) == 0) NdisReturnNetBufferLists(bound.handle, lists, 0);
}

void BenchDriver::Burst::prepare(NDIS_HANDLE its_binding, std::span<const std::uint8_t> its_frame) {
  if (binding == its_binding && frame.data() == its_frame.data() && frame.size() == its_frame.size()) return;
  binding = its_binding;
  frame = its_frame;
  for (std::size_t at = 0; at < kBurst; ++at) {
    MmInitializeMdl(&descriptors[at], const_cast<std::uint8_t*>(frame.data()), frame.size());
    NET_BUFFER& buffer = buffers[at];
    buffer.MdlChain = buffer.CurrentMdl = &descriptors[at];
    buffer.DataLength = static_cast<ULONG>(frame.size());
    lists[at].FirstNetBuffer = &buffer;
    lists[at].SourceHandle = binding;
    lists[at].ProtocolReserved[0] = this;
  }
}

void BenchDriver::send(Bound& from, std::span<const std::uint8_t> frame, std::size_t count) {
  while (count > 0) {
    Burst& burst = bursts_[turn_++ % bursts_.size()];
    for (std::uint32_t out = burst.out; out != 0; out = burst.out) burst.out.wait(out);
    burst.prepare(from.handle, frame);
    const std::size_t now = std::min(count, kBurst);
    burst.out = static_cast<std::uint32_t>(now);
    for (std::size_t at = 0; at < now; ++at) burst.lists[at].Next = at + 1 < now ? &burst.lists[at + 1] : nullptr;
    NdisSendNetBufferLists(from.handle, burst.lists.data(), 0, 0);
    count -= now;
  }
}

void BenchDriver::await_sent() {
  for (Burst& burst : bursts_) {
    for (std::uint32_t out = burst.out; out != 0; out = burst.out) burst.out.wait(out);
  }
}

// Those of one burst come in one run, mostly.
void BenchDriver::completed(NDIS_HANDLE, PNET_BUFFER_LIST lists, ULONG) {
  while (lists != nullptr) {
    auto& burst = *static_cast<Burst*>(lists->ProtocolReserved[0]);
    std::uint32_t back = 0;
    for (; lists != nullptr && lists->ProtocolReserved[0] == &burst; lists = lists->Next, ++back)
      must(lists->Status == NDIS_STATUS_SUCCESS, "a frame was not sent");
    if (burst.out.fetch_sub(back) == back) burst.out.notify_one();
  }
}

}  // namespace turnpike::bench
