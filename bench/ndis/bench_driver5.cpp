#include "bench_driver5.h"

#include <algorithm>
#include <string_view>

#include "../place.h"

namespace turnpike::bench {
namespace {

constexpr std::string_view kName = "BENCH-OF-FIVE";

BenchDriver5& driver_of(NDIS_HANDLE context) { return *static_cast<BenchDriver5*>(context); }

void wait_for(std::atomic<bool>& event) { event.wait(false); }
void say(std::atomic<bool>& event) {
  event = true;
  event.notify_one();
}

}  // namespace

BenchDriver5* BenchDriver5::the_one = nullptr;

BenchDriver5::BenchDriver5(const std::string& adapter) {
  the_one = this;
  const TP_NDIS_POLICY policy{sizeof policy, TP_NDIS_BIND_LIST, adapter.c_str(), nullptr, nullptr, 0};
  must(TpNdisSetBindPolicy(kName.data(), &policy) == 0, "the policy");
  std::wstring name(kName.begin(), kName.end());
  NDIS50_PROTOCOL_CHARACTERISTICS chars{};
  chars.MajorNdisVersion = 5;
  chars.MinorNdisVersion = 1;
  chars.Name.Buffer = name.data();
  chars.Name.Length = chars.Name.MaximumLength = static_cast<USHORT>(name.size() * sizeof(WCHAR));
  chars.OpenAdapterCompleteHandler = [](NDIS_HANDLE context, NDIS_STATUS, NDIS_STATUS) {
    say(driver_of(context).opened_);
  };
  chars.CloseAdapterCompleteHandler = [](NDIS_HANDLE context, NDIS_STATUS) { say(driver_of(context).closed_); };
  chars.SendCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET packet, NDIS_STATUS status) {
    must(status == NDIS_STATUS_SUCCESS, "a packet was not sent");
    std::atomic<std::uint32_t>& out = *out_of(packet);
    if (out.fetch_sub(1) == 1) out.notify_one();
  };
  chars.TransferDataCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS, UINT) {};
  chars.ResetCompleteHandler = [](NDIS_HANDLE, NDIS_STATUS) {};
  chars.RequestCompleteHandler = [](NDIS_HANDLE, PNDIS_REQUEST, NDIS_STATUS) {};
  chars.ReceiveHandler = [](NDIS_HANDLE, NDIS_HANDLE, PVOID, UINT, PVOID, UINT, UINT) -> NDIS_STATUS {
    return NDIS_STATUS_NOT_ACCEPTED;
  };
  chars.ReceivePacketHandler = [](NDIS_HANDLE, PNDIS_PACKET) -> INT { return 0; };
  chars.ReceiveCompleteHandler = [](NDIS_HANDLE) {};
  chars.StatusHandler = [](NDIS_HANDLE, NDIS_STATUS, PVOID, UINT) {};
  chars.StatusCompleteHandler = [](NDIS_HANDLE) {};
  chars.BindAdapterHandler = bind;
  chars.UnbindAdapterHandler = unbind;
  chars.PnPEventHandler = [](NDIS_HANDLE, PNET_PNP_EVENT) -> NDIS_STATUS { return NDIS_STATUS_SUCCESS; };
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRegisterProtocol(&status, &protocol_, &chars, sizeof chars);
  must(status == NDIS_STATUS_SUCCESS, "the protocol");
  TpNdisQuiesce();
  must(binding_ != nullptr, "the binding");
}

BenchDriver5::~BenchDriver5() {
  await_sent();
  for (const Burst& burst : bursts_) {
    for (PNDIS_PACKET const packet : burst.packets) {
      if (packet == nullptr) continue;
      PNDIS_BUFFER buffer = nullptr;
      NdisUnchainBufferAtFront(packet, &buffer);
      NdisFreeBuffer(buffer);
      NdisFreePacket(packet);
    }
  }
  if (packet_pool_ != nullptr) NdisFreePacketPool(packet_pool_);
  if (buffer_pool_ != nullptr) NdisFreeBufferPool(buffer_pool_);
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisDeregisterProtocol(&status, protocol_);
}

void BenchDriver5::bind(PNDIS_STATUS status, NDIS_HANDLE, PNDIS_STRING name, PVOID, PVOID) {
  BenchDriver5& driver = *the_one;
  NDIS_MEDIUM ethernet = NdisMedium802_3;
  UINT medium = 0;
  NDIS_STATUS error = NDIS_STATUS_SUCCESS;
  NdisOpenAdapter(status, &error, &driver.binding_, &medium, &ethernet, 1, driver.protocol_, &driver, name, 0, nullptr);
  if (*status == NDIS_STATUS_PENDING) wait_for(driver.opened_);
  *status = NDIS_STATUS_SUCCESS;
  driver.want_frames();
}

void BenchDriver5::unbind(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE) {
  BenchDriver5& driver = driver_of(context);
  NdisCloseAdapter(status, driver.binding_);
  if (*status == NDIS_STATUS_PENDING) wait_for(driver.closed_);
  *status = NDIS_STATUS_SUCCESS;
}

void BenchDriver5::want_frames() {
  ULONG filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
  NDIS_REQUEST request{};
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_PACKET_FILTER;
  request.DATA.SET_INFORMATION.InformationBuffer = &filter;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof filter;
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRequest(&status, binding_, &request);
  must(status == NDIS_STATUS_SUCCESS, "the packet filter");
}

std::atomic<std::uint32_t>*& BenchDriver5::out_of(PNDIS_PACKET packet) {
  return *reinterpret_cast<std::atomic<std::uint32_t>**>(packet->ProtocolReserved);
}

void BenchDriver5::make_packets(std::span<const std::uint8_t> frame) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisAllocatePacketPool(&status, &packet_pool_, kBurst * kBursts, sizeof(PVOID));
  must(status == NDIS_STATUS_SUCCESS, "the packet pool");
  NdisAllocateBufferPool(&status, &buffer_pool_, kBurst * kBursts);
  must(status == NDIS_STATUS_SUCCESS, "the buffer pool");
  for (Burst& burst : bursts_) {
    for (PNDIS_PACKET& packet : burst.packets) {
      NdisAllocatePacket(&status, &packet, packet_pool_);
      must(status == NDIS_STATUS_SUCCESS, "a packet");
      PNDIS_BUFFER buffer = nullptr;
      NdisAllocateBuffer(&status, &buffer, buffer_pool_, const_cast<std::uint8_t*>(frame.data()),
                         static_cast<UINT>(frame.size()));
      must(status == NDIS_STATUS_SUCCESS, "a buffer");
      NdisChainBufferAtFront(packet, buffer);
      NdisSetPacketFlags(packet, NDIS_FLAGS_DONT_LOOPBACK);
      out_of(packet) = &burst.out;
    }
  }
}

void BenchDriver5::send(std::span<const std::uint8_t> frame, std::size_t count) {
  if (packet_pool_ == nullptr) make_packets(frame);
  while (count > 0) {
    Burst& burst = bursts_[turn_++ % bursts_.size()];
    for (std::uint32_t out = burst.out; out != 0; out = burst.out) burst.out.wait(out);
    const std::size_t now = std::min(count, kBurst);
    burst.out = static_cast<std::uint32_t>(now);
    NdisSendPackets(binding_, burst.packets.data(), static_cast<UINT>(now));
    count -= now;
  }
}

void BenchDriver5::await_sent() {
  for (Burst& burst : bursts_) {
    for (std::uint32_t out = burst.out; out != 0; out = burst.out) burst.out.wait(out);
  }
}

}  // namespace turnpike::bench
