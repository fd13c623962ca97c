// LLDP as an NDIS 6 protocol driver: announces this station on every interface that it is bound to, and hears who is at
// the other end.
//
// A binding opens its adapter for frames of type 0x88CC to the nearest bridge's group, and nothing else. It announces
// when it is restarted, when its link comes up, when its interface has another name, when somebody new is heard, and
// every interval (schedule.h); it stops when it is paused, after what is under way has come back. leave() tells the
// neighbours that it goes.
//
// One timer for all bindings ticks each second: announcements that are due, neighbours whose time is over. Calls of
// NDIS are made without the lock, since completions may run on the caller's stack; a binding is freed by its unbind
// alone, which NDIS makes after everything of the binding has come back.
#include "driver.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "../instance_name.h"
#include "neighbours.h"
#include "schedule.h"

namespace lldp {
namespace {

constexpr ULONG kTag = 'pdll';
constexpr LONG kTickMs = 1000;

struct Binding {
  NDIS_HANDLE handle = nullptr;
  NDIS_EVENT done = {};  // an open, a close or a request has come to its end
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  std::string interface;  // under Driver::mutex, as the schedule
  Mac mac = {};
  std::atomic<bool> running = false;
  std::atomic<std::uint32_t> outstanding = 0;  // sends, who holds it, and one while it runs
  NDIS_EVENT drained = {};                     // of those, after a pause
  Schedule schedule;
};

struct Driver {
  std::mutex mutex;  // of what follows
  Settings settings;
  Neighbours neighbours;
  std::vector<Binding*> bindings;
  NDIS_HANDLE protocol = nullptr;
  NDIS_HANDLE pool = nullptr;
  NDIS_HANDLE timer = nullptr;
};

Driver& driver() {
  static Driver one;
  return one;
}

std::uint64_t now_s() {
  LARGE_INTEGER up;
  NdisGetSystemUpTimeEx(&up);
  return static_cast<std::uint64_t>(up.QuadPart) / 1000;
}

void tell_change() {
  std::function<void()> changed;
  {
    const std::lock_guard lock(driver().mutex);
    changed = driver().settings.changed;
  }
  if (changed) changed();
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

Announcement announcement_of(const Binding& binding, const Settings& settings, bool goes) {
  Announcement made;
  made.chassis = {kChassisMac, {binding.mac.begin(), binding.mac.end()}};
  made.port = {kPortName, {binding.interface.begin(), binding.interface.end()}};
  const std::uint64_t seconds = std::uint64_t{settings.interval_s} * settings.hold;
  made.seconds_to_live = goes ? std::uint16_t{0} : static_cast<std::uint16_t>(std::min<std::uint64_t>(seconds, 65535));
  made.port_description = binding.interface;
  made.system_name = settings.system_name.empty() ? host_name() : settings.system_name;
  if (!settings.system_description.empty()) made.system_description = settings.system_description;
  made.capabilities = Capabilities{0x80, 0x80};
  return made;
}

// --- sending ---------------------------------------------------------------------------------------------------------

void let_go(Binding& binding) {
  if (binding.outstanding.fetch_sub(1) == 1) NdisSetEvent(&binding.drained);
}

void free_frame(PNET_BUFFER_LIST list) {
  const PMDL mdl = NET_BUFFER_FIRST_MDL(NET_BUFFER_LIST_FIRST_NB(list));
  const PVOID memory = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
  NdisFreeNetBufferList(list);
  NdisFreeMdl(mdl);
  NdisFreeMemory(memory, 0, 0);
}

PNET_BUFFER_LIST frame_of(const Bytes& bytes) {
  PVOID memory = nullptr;
  const UINT size = static_cast<UINT>(bytes.size());
  if (NdisAllocateMemoryWithTag(&memory, size, kTag) != NDIS_STATUS_SUCCESS) return nullptr;
  std::memcpy(memory, bytes.data(), bytes.size());
  if (const PMDL mdl = NdisAllocateMdl(driver().protocol, memory, size); mdl != nullptr) {
    if (const PNET_BUFFER_LIST list = NdisAllocateNetBufferAndNetBufferList(driver().pool, 0, 0, mdl, 0, size))
      return list;
    NdisFreeMdl(mdl);
  }
  NdisFreeMemory(memory, 0, 0);
  return nullptr;
}

// Counts itself in before it asks whether the binding runs, so a pause waits for it, or it sees the pause.
void announce(Binding& binding, bool goes) {
  binding.outstanding.fetch_add(1);
  PNET_BUFFER_LIST list = nullptr;
  if (binding.running.load()) {
    Announcement announcement;
    {
      const std::lock_guard lock(driver().mutex);
      announcement = announcement_of(binding, driver().settings, goes);
    }
    if (const auto bytes = encode(announcement, binding.mac)) list = frame_of(*bytes);
  }
  if (list == nullptr) return let_go(binding);
  list->SourceHandle = binding.handle;
  NdisSendNetBufferLists(binding.handle, list, NDIS_DEFAULT_PORT_NUMBER, 0);
}

VOID NDISAPI send_complete(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG) {
  while (lists != nullptr) {
    const PNET_BUFFER_LIST next = NET_BUFFER_LIST_NEXT_NBL(lists);
    free_frame(lists);
    let_go(*static_cast<Binding*>(context));
    lists = next;
  }
}

// Those that run. None is paused and unbound under the caller's hands before he lets it go: each is counted before it
// is asked whether it runs, and one that does not is left before the lock is, which an unbind takes.
std::vector<Binding*> hold_running() {
  const std::lock_guard lock(driver().mutex);
  std::vector<Binding*> running;
  for (Binding* each : driver().bindings) {
    each->outstanding.fetch_add(1);
    if (each->running.load()) {
      running.push_back(each);
    } else {
      let_go(*each);
    }
  }
  return running;
}

bool is_called(const Binding& binding, const std::string& name) {
  const std::lock_guard lock(driver().mutex);
  return name == binding.interface;
}

// Whether the interface is called otherwise than before. To its neighbours the port of the old name goes, and another
// comes.
bool take_name(Binding& binding) {
  const std::string name = drivers::instance_name(binding.handle);
  if (is_called(binding, name) || name == drivers::kUnknown) return false;
  announce(binding, true);
  const std::lock_guard lock(driver().mutex);
  driver().neighbours.rename(binding.interface, name);
  binding.interface = name;
  binding.schedule.at_once();
  return true;
}

bool is_due(Binding& binding) {
  const std::lock_guard lock(driver().mutex);
  return binding.schedule.take(now_s(), driver().settings.interval_s);
}

VOID NDISAPI tick(PVOID, PVOID, PVOID, PVOID) {
  bool changed = false;
  {
    const std::lock_guard lock(driver().mutex);
    changed = driver().neighbours.age(now_s());
  }
  for (Binding* each : hold_running()) {
    changed = take_name(*each) || changed;
    if (is_due(*each)) announce(*each, false);
    let_go(*each);
  }
  if (changed) tell_change();
}

// --- receiving -------------------------------------------------------------------------------------------------------

bool hear(Binding& binding, PNET_BUFFER buffer) {
  const ULONG size = NET_BUFFER_DATA_LENGTH(buffer);
  Bytes storage(size);
  const void* const bytes = size == 0 ? nullptr : NdisGetDataBuffer(buffer, size, storage.data(), 1, 0);
  if (bytes == nullptr) return false;
  const std::lock_guard lock(driver().mutex);
  Neighbours& neighbours = driver().neighbours;
  const std::uint64_t known = neighbours.counts().added;
  const bool changed = neighbours.hear(binding.interface, {static_cast<const std::uint8_t*>(bytes), size}, now_s());
  if (neighbours.counts().added != known) binding.schedule.heard_somebody_new();
  return changed;
}

VOID NDISAPI receive(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER, ULONG, ULONG flags) {
  Binding& binding = *static_cast<Binding*>(context);
  bool changed = false;
  for (PNET_BUFFER_LIST list = lists; list != nullptr; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
    for (PNET_BUFFER each = NET_BUFFER_LIST_FIRST_NB(list); each != nullptr; each = NET_BUFFER_NEXT_NB(each))
      changed = hear(binding, each) || changed;
  }
  if (NDIS_TEST_RECEIVE_CAN_PEND(flags)) NdisReturnNetBufferLists(binding.handle, lists, 0);
  if (changed) tell_change();
}

// --- bindings --------------------------------------------------------------------------------------------------------

// What a call that may pend came to. `done` was reset before the call.
NDIS_STATUS outcome(Binding& binding, NDIS_STATUS status) {
  if (status != NDIS_STATUS_PENDING) return status;
  NdisWaitEvent(&binding.done, 0);
  return binding.status;
}

NDIS_STATUS set(Binding& binding, NDIS_OID oid, PVOID value, UINT size) {
  NDIS_OID_REQUEST request = {};
  request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
  request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
  request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = oid;
  request.DATA.SET_INFORMATION.InformationBuffer = value;
  request.DATA.SET_INFORMATION.InformationBufferLength = size;
  NdisResetEvent(&binding.done);
  return outcome(binding, NdisOidRequest(binding.handle, &request));
}

NDIS_STATUS close(Binding& binding) {
  NdisResetEvent(&binding.done);
  return outcome(binding, NdisCloseAdapterEx(binding.handle));
}

NDIS_STATUS open(Binding& binding, NDIS_HANDLE bind_context, const NDIS_BIND_PARAMETERS& parameters) {
  NDIS_MEDIUM medium = NdisMedium802_3;
  NET_FRAME_TYPE type = kEtherType;
  UINT selected = 0;
  NDIS_OPEN_PARAMETERS how = {};
  how.Header.Type = NDIS_OBJECT_TYPE_OPEN_PARAMETERS;
  how.Header.Revision = NDIS_OPEN_PARAMETERS_REVISION_1;
  how.Header.Size = NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1;
  how.AdapterName = parameters.AdapterName;
  how.MediumArray = &medium;
  how.MediumArraySize = 1;
  how.SelectedMediumIndex = &selected;
  how.FrameTypeArray = &type;
  how.FrameTypeArraySize = 1;
  NdisResetEvent(&binding.done);
  NDIS_STATUS status =
      outcome(binding, NdisOpenAdapterEx(driver().protocol, &binding, &how, bind_context, &binding.handle));
  if (status != NDIS_STATUS_SUCCESS) return status;
  Mac group = kNearestBridge;
  ULONG filter = NDIS_PACKET_TYPE_MULTICAST;
  status = set(binding, OID_802_3_MULTICAST_LIST, group.data(), static_cast<UINT>(group.size()));
  if (status == NDIS_STATUS_SUCCESS)
    status = set(binding, OID_GEN_CURRENT_PACKET_FILTER, &filter, static_cast<UINT>(sizeof filter));
  if (status != NDIS_STATUS_SUCCESS) close(binding);
  return status;
}

NDIS_STATUS NDISAPI bind(NDIS_HANDLE, NDIS_HANDLE bind_context, PNDIS_BIND_PARAMETERS parameters) {
  if (parameters->MacAddressLength != 6) return NDIS_STATUS_UNSUPPORTED_MEDIA;
  auto binding = std::make_unique<Binding>();
  NdisInitializeEvent(&binding->done);
  NdisInitializeEvent(&binding->drained);
  binding->interface = drivers::instance_name(bind_context);
  std::copy_n(parameters->CurrentMacAddress, 6, binding->mac.begin());
  const NDIS_STATUS status = open(*binding, bind_context, *parameters);
  if (status != NDIS_STATUS_SUCCESS) return status;
  const std::lock_guard lock(driver().mutex);
  driver().bindings.push_back(binding.release());
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NDISAPI unbind(NDIS_HANDLE, NDIS_HANDLE context) {
  const std::unique_ptr<Binding> binding(static_cast<Binding*>(context));
  bool changed = false;
  {
    const std::lock_guard lock(driver().mutex);
    std::erase(driver().bindings, binding.get());
    changed = driver().neighbours.forget(binding->interface);
  }
  close(*binding);
  if (changed) tell_change();
  return NDIS_STATUS_SUCCESS;
}

void finish(NDIS_HANDLE context, NDIS_STATUS status) {
  auto& binding = *static_cast<Binding*>(context);
  binding.status = status;
  NdisSetEvent(&binding.done);
}
VOID NDISAPI open_complete(NDIS_HANDLE context, NDIS_STATUS status) { finish(context, status); }
VOID NDISAPI close_complete(NDIS_HANDLE context) { finish(context, NDIS_STATUS_SUCCESS); }
VOID NDISAPI request_complete(NDIS_HANDLE context, PNDIS_OID_REQUEST, NDIS_STATUS status) { finish(context, status); }

void pause(Binding& binding) {
  if (!binding.running.exchange(false)) return;
  NdisResetEvent(&binding.drained);  // here, where it counts itself still
  let_go(binding);
  NdisWaitEvent(&binding.drained, 0);
}

void restart(Binding& binding) {
  binding.outstanding.fetch_add(1);
  {
    const std::lock_guard lock(driver().mutex);
    binding.schedule.at_once();  // in the next tick: data may flow only when this callback has returned
  }
  binding.running.store(true);
}

NDIS_STATUS NDISAPI net_pnp_event(NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION event) {
  if (context == nullptr) return NDIS_STATUS_SUCCESS;
  if (event->NetPnPEvent.NetEvent == NetEventPause) pause(*static_cast<Binding*>(context));
  if (event->NetPnPEvent.NetEvent == NetEventRestart) restart(*static_cast<Binding*>(context));
  return NDIS_STATUS_SUCCESS;
}

// A link that comes up has a new neighbour, who is not to wait for the interval.
VOID NDISAPI status(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
  if (indication->StatusCode != NDIS_STATUS_LINK_STATE || indication->StatusBufferSize < sizeof(NDIS_LINK_STATE))
    return;
  if (static_cast<const NDIS_LINK_STATE*>(indication->StatusBuffer)->MediaConnectState != MediaConnectStateConnected)
    return;
  const std::lock_guard lock(driver().mutex);
  static_cast<Binding*>(context)->schedule.at_once();
}

// --- the driver ------------------------------------------------------------------------------------------------------

void stop() {
  Driver& self = driver();
  if (self.timer != nullptr) {
    NdisCancelTimerObject(self.timer);
    NdisFreeTimerObject(std::exchange(self.timer, nullptr));
  }
  // Nothing is bound any more, or nothing has been sent yet: the pool is free, and goes before the protocol whose it
  // is.
  if (self.pool != nullptr) NdisFreeNetBufferListPool(std::exchange(self.pool, nullptr));
  if (self.protocol != nullptr) NdisDeregisterProtocolDriver(std::exchange(self.protocol, nullptr));
}

VOID NTAPI unload(PDRIVER_OBJECT) { stop(); }

NDIS_STATUS make_pool() {
  NET_BUFFER_LIST_POOL_PARAMETERS how = {};
  how.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
  how.Header.Revision = NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  how.Header.Size = NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1;
  how.fAllocateNetBuffer = TRUE;
  how.PoolTag = kTag;
  driver().pool = NdisAllocateNetBufferListPool(driver().protocol, &how);
  return driver().pool != nullptr ? NDIS_STATUS_SUCCESS : NDIS_STATUS_RESOURCES;
}

NDIS_STATUS start_ticking() {
  NDIS_TIMER_CHARACTERISTICS how = {};
  how.Header.Type = NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS;
  how.Header.Revision = NDIS_TIMER_CHARACTERISTICS_REVISION_1;
  how.Header.Size = NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1;
  how.AllocationTag = kTag;
  how.TimerFunction = tick;
  const NDIS_STATUS made = NdisAllocateTimerObject(driver().protocol, &how, &driver().timer);
  if (made != NDIS_STATUS_SUCCESS) return made;
  LARGE_INTEGER soon;
  soon.QuadPart = -10'000 * 100;  // a tenth of a second from now
  NdisSetTimerObject(driver().timer, soon, kTickMs, nullptr);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS enlist() {
  static WCHAR name[] = L"TPLLDP";
  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS what = {};
  what.Header.Type = NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS;
  what.Header.Revision = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  what.Header.Size = NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2;
  what.MajorNdisVersion = 6;
  what.MinorNdisVersion = 20;
  NdisInitUnicodeString(&what.Name, name);
  what.BindAdapterHandlerEx = bind;
  what.UnbindAdapterHandlerEx = unbind;
  what.OpenAdapterCompleteHandlerEx = open_complete;
  what.CloseAdapterCompleteHandlerEx = close_complete;
  what.NetPnPEventHandler = net_pnp_event;
  what.OidRequestCompleteHandler = request_complete;
  what.StatusHandlerEx = status;
  what.ReceiveNetBufferListsHandler = receive;
  what.SendNetBufferListsCompleteHandler = send_complete;
  return NdisRegisterProtocolDriver(nullptr, &what, &driver().protocol);
}

}  // namespace

void configure(Settings settings) {
  const std::lock_guard lock(driver().mutex);
  driver().settings = std::move(settings);
}

void leave() {
  for (Binding* each : hold_running()) {
    announce(*each, true);
    let_go(*each);
  }
}

std::string table() {
  const std::lock_guard lock(driver().mutex);
  return driver().neighbours.to_json(now_s());
}

}  // namespace lldp

// turnpike/ndis.h: TpNdisUnloadDriver
extern "C" __attribute__((visibility("default"))) void TpNdisDriverLeaves() { lldp::leave(); }

extern "C" __attribute__((visibility("default"))) NTSTATUS DriverEntry(PDRIVER_OBJECT object, PUNICODE_STRING) {
  object->DriverUnload = lldp::unload;
  NDIS_STATUS status = lldp::enlist();  // bindings may come from now on, but only the timer sends
  if (status == NDIS_STATUS_SUCCESS) status = lldp::make_pool();
  if (status == NDIS_STATUS_SUCCESS) status = lldp::start_ticking();
  if (status != NDIS_STATUS_SUCCESS) lldp::stop();
  return status;
}
