#include "ndis_driver.h"

namespace turnpike::ndis_faces {

std::string narrow(const NDIS_STRING* text) { return {text->Buffer, text->Buffer + text->Length / sizeof(WCHAR)}; }

Bytes frame_to(const Bytes& to, std::size_t length, unsigned type) {
  Bytes frame(std::max<std::size_t>(length, 14));
  std::copy(to.begin(), to.end(), frame.begin());
  frame[6] = 2;
  frame[12] = static_cast<unsigned char>(type >> 8);
  frame[13] = static_cast<unsigned char>(type);
  for (std::size_t i = 14; i < frame.size(); ++i) {
    frame[i] = static_cast<unsigned char>(i);
  }
  return frame;
}

TestPacket::TestPacket(std::vector<Bytes> pieces) : memory(std::move(pieces)), mdls(memory.size()) {
  packet()->Private.NdisPacketOobOffset = 96 + 32;
  for (std::size_t i = 0; i < memory.size(); ++i) {
    MmInitializeMdl(&mdls[i], memory[i].data(), memory[i].size());
    mdls[i].Next = i + 1 < memory.size() ? &mdls[i + 1] : nullptr;
  }
  if (!mdls.empty()) {
    packet()->Private.Head = mdls.data();
    packet()->Private.Tail = &mdls.back();
  }
}

TestList::TestList(NDIS_HANDLE binding, std::vector<Bytes> frames)
    : memory(std::move(frames)), buffers(memory.size()), mdls(memory.size()) {
  for (std::size_t i = 0; i < memory.size(); ++i) {
    MmInitializeMdl(&mdls[i], memory[i].data(), memory[i].size());
    buffers[i].MdlChain = buffers[i].CurrentMdl = &mdls[i];
    buffers[i].DataLength = static_cast<ULONG>(memory[i].size());
    buffers[i].Next = i + 1 < memory.size() ? &buffers[i + 1] : nullptr;
  }
  list.FirstNetBuffer = buffers.data();
  list.SourceHandle = binding;
}

// --- both
// ---------------------------------------------------------------------------------------------------------------

namespace {

struct Turn {
  explicit Turn(TestDriver& its) : driver(its) {
    const int now = driver.inside.fetch_add(1) + 1;
    driver.most_inside = std::max(driver.most_inside.load(), now);
  }
  ~Turn() { driver.inside.fetch_sub(1); }
  TestDriver& driver;
};

}  // namespace

TestDriver::~TestDriver() = default;

NDIS_STATUS TestDriver::bind(NDIS_HANDLE context, PNDIS_STRING name) {
  auto& open_now = *opens.emplace_back(std::make_unique<Open>());
  open_now.driver = this;
  NDIS_STATUS status = open(context, name, open_now);
  if (status == NDIS_STATUS_PENDING) {
    while (open_now.opened == 0) {
      std::this_thread::yield();
    }
    status = open_now.open_status;
  }
  if (status != NDIS_STATUS_SUCCESS) {
    opens.pop_back();
  }
  return status;
}

NDIS_STATUS TestDriver::unbind(Open& open_now, NDIS_HANDLE context) {
  open_now.unbind = context;
  if (close(open_now) == NDIS_STATUS_PENDING) {
    while (open_now.closed == 0) {
      std::this_thread::yield();
    }
  }
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS TestDriver::told_bind(NDIS_HANDLE context, PNDIS_STRING name) {
  const Turn turn(*this);
  journal.add("bind");
  return on_bind(context, name);
}

NDIS_STATUS TestDriver::told_unbind(Open& open_now, NDIS_HANDLE context) {
  const Turn turn(*this);
  unbind_thread = std::this_thread::get_id();
  journal.add("unbind");
  return on_unbind(open_now, context);
}

NDIS_STATUS TestDriver::told_event(Open* open_now, NET_PNP_EVENT& event, void* shown) {
  const Turn turn(*this);
  static const std::map<NET_PNP_EVENT_CODE, const char*> kNames{{NetEventQueryRemoveDevice, "query remove"},
                                                                {NetEventCancelRemoveDevice, "cancel remove"},
                                                                {NetEventReconfigure, "reconfigure"},
                                                                {NetEventBindList, "bind list"},
                                                                {NetEventBindsComplete, "binds complete"},
                                                                {NetEventPause, "pause"},
                                                                {NetEventRestart, "restart"}};
  const NDIS_STATUS status = on_event(open_now, event, shown);
  journal.add(kNames.at(event.NetEvent));
  return status;
}

// --- NDIS 6
// -------------------------------------------------------------------------------------------------------------

namespace {

Open& open_of(NDIS_HANDLE context) { return *static_cast<Open*>(context); }
Driver6& six_of(NDIS_HANDLE context) { return static_cast<Driver6&>(*open_of(context).driver); }

NDIS_STATUS bind6(NDIS_HANDLE driver, NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters) {
  auto& six = *static_cast<Driver6*>(driver);
  six.parameters = parameters;
  return six.told_bind(context, parameters->AdapterName);
}
NDIS_STATUS unbind6(NDIS_HANDLE unbind, NDIS_HANDLE context) {
  return open_of(context).driver->told_unbind(open_of(context), unbind);
}
void open_complete6(NDIS_HANDLE context, NDIS_STATUS status) {
  Open& open = open_of(context);
  open.open_status = status;
  open.driver->on_open_complete(open);
  open.driver->journal.add("open complete");
  open.opened.fetch_add(1);
}
void close_complete6(NDIS_HANDLE context) {
  Open& open = open_of(context);
  open.driver->on_close_complete(open);
  open.driver->journal.add("close complete");
  open.closed.fetch_add(1);
}
void oid_complete6(NDIS_HANDLE context, PNDIS_OID_REQUEST request, NDIS_STATUS status) {
  TestDriver& driver = *open_of(context).driver;
  driver.last_request = status;
  driver.requests_completed.fetch_add(1);
  delete request;
}
void status6(NDIS_HANDLE context, PNDIS_STATUS_INDICATION indication) {
  Open& open = open_of(context);
  open.driver->on_status(open, indication->StatusCode, indication->StatusBuffer, indication->StatusBufferSize);
  open.driver->journal.add("status " + std::to_string(static_cast<ULONG>(indication->StatusCode) & 0xffff));
}
void receive6(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port, ULONG count, ULONG flags) {
  EXPECT_EQ(port, 0U);
  Open& open = open_of(context);
  open.received.fetch_add(static_cast<int>(count));
  six_of(context).on_receive(open, lists, count, flags);
}
void send_complete6(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG) {
  Driver6& driver = six_of(context);
  while (lists != nullptr) {
    PNET_BUFFER_LIST const next = lists->Next;
    const std::lock_guard lock(driver.sent_mutex);
    TestList& list = *driver.sent.at(lists);
    list.status = lists->Status;
    list.completions.fetch_add(1);
    lists = next;
  }
}

}  // namespace

Driver6::Driver6(std::string its_name, UCHAR minor) : name(std::move(its_name)) {
  chars.Header = {0x95, static_cast<UCHAR>(minor == 0 ? 1 : 2),
                  static_cast<USHORT>(minor == 0 ? NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1
                                                 : NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2)};
  chars.MajorNdisVersion = 6;
  chars.MinorNdisVersion = minor;
  chars.Name = name.string;
  chars.BindAdapterHandlerEx = bind6;
  chars.UnbindAdapterHandlerEx = unbind6;
  chars.OpenAdapterCompleteHandlerEx = open_complete6;
  chars.CloseAdapterCompleteHandlerEx = close_complete6;
  chars.NetPnPEventHandler = [](NDIS_HANDLE context, PNET_PNP_EVENT_NOTIFICATION shown) {
    TestDriver* const driver = context != nullptr ? open_of(context).driver : nullptr;
    if (driver == nullptr) {  // of all bindings: the drivers of a test hear of it by their number
      return static_cast<NDIS_STATUS>(NDIS_STATUS_SUCCESS);
    }
    return driver->told_event(&open_of(context), shown->NetPnPEvent, shown);
  };
  chars.OidRequestCompleteHandler = oid_complete6;
  chars.StatusHandlerEx = status6;
  chars.ReceiveNetBufferListsHandler = receive6;
  chars.SendNetBufferListsCompleteHandler = send_complete6;
}

NDIS_STATUS Driver6::join() {
  const NDIS_STATUS status = NdisRegisterProtocolDriver(this, &chars, &protocol);
  if (status == NDIS_STATUS_SUCCESS) {
    TpNdisQuiesce();
    journal.add("binds complete");  // an event without context names no driver: see the constructor
  }
  return status;
}

NDIS_STATUS Driver6::open(NDIS_HANDLE bind, PNDIS_STRING adapter, Open& open) {
  NDIS_OPEN_PARAMETERS given{};
  given.Header = {0x87, 1, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1};
  given.AdapterName = adapter;
  given.MediumArray = media.data();
  given.MediumArraySize = static_cast<UINT>(media.size());
  given.SelectedMediumIndex = &open.medium;
  given.FrameTypeArray = frame_types.data();
  given.FrameTypeArraySize = static_cast<UINT>(frame_types.size());
  return NdisOpenAdapterEx(protocol, &open, &given, bind, &open.handle);
}

NDIS_STATUS Driver6::request(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) {
  auto asked = std::make_unique<NDIS_OID_REQUEST>();
  *asked = {};
  asked->Header = {0x96, 1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  asked->RequestType = type;
  asked->RequestId = this;
  asked->DATA.QUERY_INFORMATION.Oid = oid;
  asked->DATA.QUERY_INFORMATION.InformationBuffer = buffer;
  asked->DATA.QUERY_INFORMATION.InformationBufferLength = length;
  NDIS_OID_REQUEST* const shown = asked.release();
  const NDIS_STATUS status = NdisOidRequest(binding, shown);
  if (status != NDIS_STATUS_PENDING) {
    asked.reset(shown);
    bytes_done = shown->DATA.QUERY_INFORMATION.BytesWritten;
    bytes_needed = shown->DATA.QUERY_INFORMATION.BytesNeeded;
  }
  return status;
}

void Driver6::send(Open& open, std::vector<TestList*> lists, ULONG flags, NDIS_PORT_NUMBER port) {
  {
    const std::lock_guard lock(sent_mutex);
    for (std::size_t i = 0; i < lists.size(); ++i) {
      sent[&lists[i]->list] = lists[i];
      lists[i]->list.Next = i + 1 < lists.size() ? &lists[i + 1]->list : nullptr;
    }
  }
  NdisSendNetBufferLists(open.handle, &lists[0]->list, port, flags);
}

void Driver6::leave() {
  if (protocol != nullptr) {
    NdisDeregisterProtocolDriver(std::exchange(protocol, nullptr));
  }
}

// --- NDIS 5
// -------------------------------------------------------------------------------------------------------------

std::array<Driver5*, 2> Driver5::slots{};

namespace {

Driver5& five_of(NDIS_HANDLE context) { return static_cast<Driver5&>(*open_of(context).driver); }

template <int slot>
void bind5(PNDIS_STATUS status, NDIS_HANDLE context, PNDIS_STRING name, PVOID section, PVOID) {
  Driver5::slots[slot]->section = narrow(static_cast<PNDIS_STRING>(section));
  *status = Driver5::slots[slot]->told_bind(context, name);
}
void unbind5(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE unbind) {
  *status = open_of(context).driver->told_unbind(open_of(context), unbind);
}
template <int slot>
NDIS_STATUS event5(NDIS_HANDLE context, PNET_PNP_EVENT event) {
  return Driver5::slots[slot]->told_event(static_cast<Open*>(context), *event, event);
}
void open_complete5(NDIS_HANDLE context, NDIS_STATUS status, NDIS_STATUS) { open_complete6(context, status); }
void close_complete5(NDIS_HANDLE context, NDIS_STATUS status) {
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  close_complete6(context);
}
void send_complete5(NDIS_HANDLE context, PNDIS_PACKET packet, NDIS_STATUS status) {
  Driver5& driver = five_of(context);
  const std::lock_guard lock(driver.sent_mutex);
  TestPacket& sent = *driver.sent.at(packet);
  sent.status = status;
  sent.completions.fetch_add(1);
}
void request_complete5(NDIS_HANDLE context, PNDIS_REQUEST request, NDIS_STATUS status) {
  TestDriver& driver = *open_of(context).driver;
  driver.last_request = status;
  driver.requests_completed.fetch_add(1);
  delete request;
}
void status5(NDIS_HANDLE context, NDIS_STATUS code, PVOID buffer, UINT size) {
  Open& open = open_of(context);
  open.driver->on_status(open, code, buffer, size);
  open.driver->journal.add("status " + std::to_string(static_cast<ULONG>(code) & 0xffff));
}
NDIS_STATUS receive5(NDIS_HANDLE context, NDIS_HANDLE mac, PVOID header, UINT header_size, PVOID lookahead,
                     UINT lookahead_size, UINT size) {
  Open& open = open_of(context);
  open.received.fetch_add(1);
  open.driver->journal.add("receive");
  const auto* const h = static_cast<unsigned char*>(header);
  const auto* const l = static_cast<unsigned char*>(lookahead);
  return five_of(context).on_receive(open, mac, Bytes(h, h + header_size), Bytes(l, l + lookahead_size), size);
}
INT packet5(NDIS_HANDLE context, PNDIS_PACKET packet) {
  open_of(context).received.fetch_add(1);
  return five_of(context).on_packet(open_of(context), packet);
}

}  // namespace

Driver5::Driver5(std::string its_name, int slot, bool packets) : name(std::move(its_name)) {
  slots.at(static_cast<std::size_t>(slot)) = this;
  chars.MajorNdisVersion = 5;
  chars.MinorNdisVersion = 1;
  chars.OpenAdapterCompleteHandler = open_complete5;
  chars.CloseAdapterCompleteHandler = close_complete5;
  chars.SendCompleteHandler = send_complete5;
  chars.TransferDataCompleteHandler = [](NDIS_HANDLE context, PNDIS_PACKET, NDIS_STATUS status, UINT bytes) {
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    five_of(context).on_transferred();
    five_of(context).transferred = bytes;
    five_of(context).transfers.fetch_add(1);
  };
  chars.ResetCompleteHandler = [](NDIS_HANDLE context, NDIS_STATUS) {
    open_of(context).driver->journal.add("reset complete");
  };
  chars.RequestCompleteHandler = request_complete5;
  chars.ReceiveHandler = receive5;
  chars.ReceiveCompleteHandler = [](NDIS_HANDLE context) { open_of(context).driver->journal.add("receive complete"); };
  chars.StatusHandler = status5;
  chars.StatusCompleteHandler = [](NDIS_HANDLE context) { open_of(context).driver->journal.add("status complete"); };
  chars.Name = name.string;
  chars.ReceivePacketHandler = packets ? packet5 : nullptr;
  chars.BindAdapterHandler = slot == 0 ? bind5<0> : bind5<1>;
  chars.UnbindAdapterHandler = unbind5;
  chars.PnPEventHandler = slot == 0 ? event5<0> : event5<1>;
}

Driver5::~Driver5() {
  leave();
  std::ranges::replace(slots, this, static_cast<Driver5*>(nullptr));
}

NDIS_STATUS Driver5::join() {
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  NdisRegisterProtocol(&status, &protocol, &chars, sizeof(chars));
  return status;
}

NDIS_STATUS Driver5::open(NDIS_HANDLE, PNDIS_STRING adapter, Open& open) {
  NDIS_STATUS status = NDIS_STATUS_PENDING, error = NDIS_STATUS_PENDING;
  NdisOpenAdapter(&status, &error, &open.handle, &open.medium, media.data(), static_cast<UINT>(media.size()), protocol,
                  &open, adapter, 0, nullptr);
  return status;
}

NDIS_STATUS Driver5::close(Open& open) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisCloseAdapter(&status, open.handle);
  return status;
}

NDIS_STATUS Driver5::request(NDIS_HANDLE binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, void* buffer, UINT length) {
  auto asked = std::make_unique<NDIS_REQUEST>();
  *asked = {};
  asked->RequestType = type;
  asked->DATA.QUERY_INFORMATION.Oid = oid;
  asked->DATA.QUERY_INFORMATION.InformationBuffer = buffer;
  asked->DATA.QUERY_INFORMATION.InformationBufferLength = length;
  NDIS_REQUEST* const shown = asked.release();
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisRequest(&status, binding, shown);
  if (status != NDIS_STATUS_PENDING) {
    asked.reset(shown);
    bytes_done = shown->DATA.QUERY_INFORMATION.BytesWritten;
    bytes_needed = shown->DATA.QUERY_INFORMATION.BytesNeeded;
  }
  return status;
}

NDIS_STATUS Driver5::send(Open& open, TestPacket& packet) {
  {
    const std::lock_guard lock(sent_mutex);
    sent[packet.packet()] = &packet;
  }
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NdisSend(&status, open.handle, packet.packet());
  return status;
}

void Driver5::send(Open& open, std::vector<TestPacket*> packets) {
  std::vector<PNDIS_PACKET> array;
  for (TestPacket* const packet : packets) {
    const std::lock_guard lock(sent_mutex);
    sent[packet->packet()] = packet;
    array.push_back(packet->packet());
  }
  NdisSendPackets(open.handle, array.data(), static_cast<UINT>(array.size()));
}

void Driver5::leave() {
  if (protocol != nullptr) {
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisDeregisterProtocol(&status, std::exchange(protocol, nullptr));
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  }
}

// --- the world
// ----------------------------------------------------------------------------------------------------------

NdisTest::NdisTest() {
  const TP_NDIS_OPTIONS options{.size = sizeof(options), .adapters = TP_NDIS_ADAPTERS_MEMORY, .watchdog_ms = 0};
  EXPECT_EQ(TpNdisStart(&options), 0U);
  TpNdisSetChecked(
      [](void* test, const char*, const char* rule, std::uint64_t, const char*) {
        auto& self = *static_cast<NdisTest*>(test);
        const std::lock_guard lock(self.violations_mutex);
        self.rules.emplace_back(rule);
      },
      this);
}

NdisTest::~NdisTest() {
  const TP_NDIS_COUNTERS left = counters();
  EXPECT_EQ(left.protocols + left.bindings + left.bind_operations + left.unbind_operations, 0U);
  EXPECT_EQ(TpNdisStop(), 0U);
}

std::vector<Bytes> NdisTest::take_sent(ULONG index) {
  std::vector<Bytes> frames;
  Bytes frame(65536);
  std::size_t length = 0;
  while (TpNdisAdapterTakeSent(index, frame.data(), frame.size(), &length) == 0) {
    frames.emplace_back(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(length));
  }
  return frames;
}

Bytes NdisTest::mac_of(ULONG index) {
  Bytes mac(6);
  EXPECT_EQ(TpNdisAdapterGetMac(index, mac.data()), 0U);
  return mac;
}

TP_NDIS_COUNTERS NdisTest::counters() {
  TP_NDIS_COUNTERS counters{};
  counters.size = sizeof(counters);
  EXPECT_EQ(TpNdisGetCounters(&counters), 0U);
  return counters;
}

}  // namespace turnpike::ndis_faces
