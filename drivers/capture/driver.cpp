// Capture as an NDIS 5 protocol driver: every frame of the interfaces that it is bound to goes into a spool.
//
// The driver has no ReceivePacket handler: a packet that it could keep would be a copy already, and it copies anyway.
// In ProtocolReceive the frame still lies in the ring; NdisGetReceivedPacket describes it whole, with its time, whether
// it was sent by this machine, and the tag that NDIS took out of its bytes, which is put back.
//
// A binding opens its adapter in its bind callback and waits there for what pends. It counts what the adapter itself
// lost from then until it is unbound: the driver's own losses are the spool's to count. A binding is freed by its
// unbind alone, which NDIS makes after its last frame.
#include "driver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "../instance_name.h"

namespace capture {
namespace {

// Where what this machine sends is the same frame again that it then receives.
constexpr const char* kLoopback = "lo";

struct Binding {
  NDIS_HANDLE handle = nullptr;
  UINT medium = 0;
  NDIS_EVENT done = {};  // an open, a close or a request has come to its end
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NDIS_STATUS open_error = 0;
  std::uint32_t number = 0;  // of its interface, in the spool
  std::string interface;
  ULONG lost_before = 0;  // by the adapter, before it was opened
};

// An interface that is, or was, bound. One that comes again is another.
struct Seen {
  std::string name;
  std::uint64_t start = 0;
  std::uint64_t end = 0;  // 0: it is bound
  std::uint64_t lost = 0;
};

struct Driver {
  std::mutex mutex;  // of what follows. Requests are made under it: their completions do not take it
  std::vector<Binding*> bindings;
  std::vector<Seen> seen;
  std::vector<std::string> offers;
  std::vector<Refusal> refusals;
  Settings settings;  // changed only while there is no protocol
  NDIS_HANDLE protocol = nullptr;
  NDIS_EVENT all_bound = {};
};

Driver& driver() {
  static Driver one;
  return one;
}

// From 100 ns since 1601 to 1 ns since 1970.
std::uint64_t unix_time(std::uint64_t time) { return (time - 116'444'736'000'000'000) * 100; }

std::uint64_t now() {
  LARGE_INTEGER time;
  NdisGetCurrentSystemTime(&time);
  return unix_time(static_cast<std::uint64_t>(time.QuadPart));
}

// --- receiving -------------------------------------------------------------------------------------------------------

using Pieces = std::vector<std::span<const std::uint8_t>>;

std::span<const std::uint8_t> bytes_at(const void* at, std::size_t size) {
  return {static_cast<const std::uint8_t*>(at), size};
}

// The tag belongs behind the two addresses.
void put_tag_back(PVOID value, std::array<std::uint8_t, 4>& tag, Pieces& pieces) {
  NDIS_PACKET_8021Q_INFO info = {};
  info.Value = value;
  if (value == nullptr || pieces.empty() || pieces.front().size() < 12) return;
  const auto bits = info.TagHeader.UserPriority << 13 | info.TagHeader.CanonicalFormatId << 12 | info.TagHeader.VlanId;
  tag = {0x81, 0x00, static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)};
  const auto whole = pieces.front();
  pieces.front() = whole.subspan(12);
  pieces.insert(pieces.begin(), {whole.first(12), std::span<const std::uint8_t>(tag)});
}

void keep(const Binding& binding, PNDIS_PACKET packet) {
  static thread_local Pieces pieces;
  pieces.clear();
  for (PNDIS_BUFFER buffer = NDIS_PACKET_FIRST_NDIS_BUFFER(packet); buffer != nullptr;
       NdisGetNextBuffer(buffer, &buffer)) {
    PVOID at = nullptr;
    UINT size = 0;
    NdisQueryBufferSafe(buffer, &at, &size, NormalPagePriority);
    if (at != nullptr) pieces.push_back(bytes_at(at, size));
  }
  std::array<std::uint8_t, 4> tag{};
  put_tag_back(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, Ieee8021QInfo), tag, pieces);
  Packet kept;
  kept.interface = binding.number;
  const std::uint64_t time = NDIS_GET_PACKET_TIME_RECEIVED(packet);
  kept.time = time != 0 ? unix_time(time) : now();
  kept.pieces = pieces;
  kept.length = static_cast<std::uint32_t>(captured_of(kept, SIZE_MAX));
  const bool sent = (NdisGetPacketFlags(packet) & NDIS_FLAGS_IS_LOOPBACK_PACKET) != 0;
  kept.direction = sent ? Direction::kOutbound : Direction::kInbound;
  driver().settings.spool->add(kept);
}

// Where NDIS has no packet for the frame, what it shows of it has to do.
void keep(const Binding& binding, std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload,
          std::uint32_t length) {
  const std::array pieces{header, payload};
  driver().settings.spool->add({binding.number, now(), pieces, length, Direction::kUnknown});
}

NDIS_STATUS NDISAPI receive(NDIS_HANDLE context, NDIS_HANDLE frame, PVOID header, UINT header_size, PVOID lookahead,
                            UINT lookahead_size, UINT packet_size) {
  const Binding& binding = *static_cast<const Binding*>(context);
  if (const PNDIS_PACKET packet = NdisGetReceivedPacket(binding.handle, frame)) {
    keep(binding, packet);
  } else {
    keep(binding, bytes_at(header, header_size), bytes_at(lookahead, lookahead_size), header_size + packet_size);
  }
  return NDIS_STATUS_SUCCESS;
}

VOID NDISAPI receive_complete(NDIS_HANDLE) {
  if (driver().settings.more) driver().settings.more();
}

// --- requests --------------------------------------------------------------------------------------------------------

void finish(NDIS_HANDLE context, NDIS_STATUS status) {
  auto& binding = *static_cast<Binding*>(context);
  binding.status = status;
  NdisSetEvent(&binding.done);
}

// What a call that may pend came to. `done` was reset before the call.
NDIS_STATUS outcome(Binding& binding, NDIS_STATUS status) {
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&binding.done, 0);
  return binding.status;
}

NDIS_STATUS ask(Binding& binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, ULONG& value) {
  NDIS_REQUEST request = {};
  request.RequestType = type;
  // Queries and orders have the same shape.
  request.DATA.QUERY_INFORMATION.Oid = oid;
  request.DATA.QUERY_INFORMATION.InformationBuffer = &value;
  request.DATA.QUERY_INFORMATION.InformationBufferLength = sizeof value;
  NdisResetEvent(&binding.done);
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRequest(&status, binding.handle, &request);
  return outcome(binding, status);
}

// How many frames the adapter and its ring had no room for. The counter has 32 bits and turns over.
void count_losses(Binding& binding) {
  ULONG lost = 0;
  if (ask(binding, NdisRequestQueryInformation, OID_GEN_RCV_NO_BUFFER, lost) != NDIS_STATUS_SUCCESS) return;
  driver().seen[binding.number].lost += static_cast<ULONG>(lost - binding.lost_before);
  binding.lost_before = lost;
}

// --- bindings --------------------------------------------------------------------------------------------------------

void close(Binding& binding) {
  NdisResetEvent(&binding.done);
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisCloseAdapter(&status, binding.handle);
  outcome(binding, status);
}

NDIS_STATUS open(Binding& binding, PNDIS_STRING device) {
  static NDIS_MEDIUM medium = NdisMedium802_3;
  NdisResetEvent(&binding.done);
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisOpenAdapter(&status, &binding.open_error, &binding.handle, &binding.medium, &medium, 1, driver().protocol,
                  &binding, device, 0, nullptr);
  return outcome(binding, status);
}

// ALL_LOCAL without PROMISCUOUS: what the interface lets in anyway, and what this machine sends.
NDIS_STATUS begin(Binding& binding) {
  ULONG options = binding.interface == kLoopback ? NDIS_PROT_OPTION_NO_LOOPBACK : 0;
  ULONG filter = driver().settings.promiscuous ? NDIS_PACKET_TYPE_PROMISCUOUS
                                               : NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_MULTICAST |
                                                     NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_ALL_LOCAL;
  ask(binding, NdisRequestQueryInformation, OID_GEN_RCV_NO_BUFFER, binding.lost_before);  // not known: from 0
  const NDIS_STATUS status = ask(binding, NdisRequestSetInformation, OID_GEN_PROTOCOL_OPTIONS, options);
  if (status != NDIS_STATUS_SUCCESS) return status;
  return ask(binding, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, filter);
}

NDIS_STATUS take(std::unique_ptr<Binding> binding, PNDIS_STRING device) {
  NDIS_STATUS status = open(*binding, device);
  const int code = static_cast<int>(static_cast<ULONG>(binding->open_error) & 0xffffU);  // contract, D.3
  if (status == NDIS_STATUS_SUCCESS) {
    const std::lock_guard lock(driver().mutex);
    binding->number = driver().settings.spool->add_interface({binding->interface, "", kEthernet, 0, 0});
    driver().seen.push_back({binding->interface, now(), 0, 0});
    driver().bindings.push_back(binding.get());
    status = begin(*binding);
    if (status != NDIS_STATUS_SUCCESS) {
      driver().bindings.pop_back();
      driver().seen.back().end = now();
    }
  }
  if (status == NDIS_STATUS_SUCCESS) {
    static_cast<void>(binding.release());
    return status;
  }
  if (binding->handle != nullptr) close(*binding);
  const std::lock_guard lock(driver().mutex);
  driver().refusals.push_back({binding->interface, status, code});
  return status;
}

VOID NDISAPI bind(PNDIS_STATUS status, NDIS_HANDLE bind_context, PNDIS_STRING device, PVOID, PVOID) {
  auto binding = std::make_unique<Binding>();
  NdisInitializeEvent(&binding->done);
  binding->interface = drivers::instance_name(bind_context);
  {
    const std::lock_guard lock(driver().mutex);
    driver().offers.push_back(binding->interface);
  }
  *status = driver().settings.spool != nullptr ? take(std::move(binding), device) : NDIS_STATUS_NOT_ACCEPTED;
}

VOID NDISAPI unbind(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE) {
  const std::unique_ptr<Binding> binding(static_cast<Binding*>(context));
  {
    const std::lock_guard lock(driver().mutex);
    std::erase(driver().bindings, binding.get());
    count_losses(*binding);
    driver().seen[binding->number].end = now();
  }
  close(*binding);
  *status = NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NDISAPI pnp_event(NDIS_HANDLE, PNET_PNP_EVENT event) {
  if (event->NetEvent == NetEventBindsComplete) NdisSetEvent(&driver().all_bound);
  return NDIS_STATUS_SUCCESS;
}

VOID NDISAPI open_complete(NDIS_HANDLE context, NDIS_STATUS status, NDIS_STATUS error) {
  static_cast<Binding*>(context)->open_error = error;
  finish(context, status);
}
VOID NDISAPI request_complete(NDIS_HANDLE context, PNDIS_REQUEST, NDIS_STATUS status) { finish(context, status); }

// --- the driver ------------------------------------------------------------------------------------------------------

VOID NTAPI unload(PDRIVER_OBJECT) {
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NdisDeregisterProtocol(&status, std::exchange(driver().protocol, nullptr));
}

NDIS_STATUS enlist() {
  static WCHAR name[] = L"TPCAPTURE";
  NDIS_PROTOCOL_CHARACTERISTICS what = {};
  what.MajorNdisVersion = 5;
  what.MinorNdisVersion = 1;
  NdisInitUnicodeString(&what.Name, name);
  what.BindAdapterHandler = bind;
  what.UnbindAdapterHandler = unbind;
  what.OpenAdapterCompleteHandler = open_complete;
  what.CloseAdapterCompleteHandler = finish;
  what.RequestCompleteHandler = request_complete;
  what.SendCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS) {};  // prescribed, though nothing is sent
  what.TransferDataCompleteHandler = [](NDIS_HANDLE, PNDIS_PACKET, NDIS_STATUS, UINT) {};
  what.ResetCompleteHandler = [](NDIS_HANDLE, NDIS_STATUS) {};
  what.ReceiveHandler = receive;
  what.ReceiveCompleteHandler = receive_complete;
  what.StatusHandler = [](NDIS_HANDLE, NDIS_STATUS, PVOID, UINT) {};
  what.StatusCompleteHandler = [](NDIS_HANDLE) {};
  what.PnPEventHandler = pnp_event;
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRegisterProtocol(&status, &driver().protocol, &what, sizeof what);
  return status;
}

}  // namespace

void configure(Settings settings) {
  const std::lock_guard lock(driver().mutex);
  driver().settings = std::move(settings);
  driver().seen.clear();
  driver().offers.clear();
  driver().refusals.clear();
  NdisInitializeEvent(&driver().all_bound);
}

bool await_binds(std::uint32_t milliseconds) { return NdisWaitEvent(&driver().all_bound, milliseconds) != FALSE; }

std::vector<std::string> offers() {
  const std::lock_guard lock(driver().mutex);
  return driver().offers;
}

std::vector<Refusal> refusals() {
  const std::lock_guard lock(driver().mutex);
  return driver().refusals;
}

std::vector<Statistics> statistics() {
  const std::lock_guard lock(driver().mutex);
  for (Binding* each : driver().bindings) count_losses(*each);
  std::vector<Statistics> all;
  for (std::uint32_t number = 0; number < driver().seen.size(); ++number) {
    const Seen& each = driver().seen[number];
    const Spool::Counts counts = driver().settings.spool->counts(number);
    all.push_back({counts.received, counts.dropped, each.lost, each.start, each.end != 0 ? each.end : now()});
  }
  return all;
}

std::vector<std::string> interfaces() {
  const std::lock_guard lock(driver().mutex);
  std::vector<std::string> names;
  std::ranges::transform(driver().seen, std::back_inserter(names), &Seen::name);
  return names;
}

}  // namespace capture

extern "C" __attribute__((visibility("default"))) NTSTATUS DriverEntry(PDRIVER_OBJECT object, PUNICODE_STRING) {
  object->DriverUnload = capture::unload;
  return capture::enlist();
}
