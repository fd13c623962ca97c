// The book, frames, adapters, and what drivers of both generations do alike.
#include "ndis_drivers.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace turnpike::conformance {
namespace {

std::mutex g_book_mutex;
std::condition_variable g_written;
std::vector<Told> g_book;
unsigned g_books = 0;  // that have been taken away
Lines g_violations;
std::array<Driver*, kPlaces> g_places{};

void record_violation(void* /*context*/, const char* function, const char* /*rule*/, std::uint64_t /*handle*/,
                      const char* /*history*/) {
  const std::lock_guard lock(g_book_mutex);
  g_violations.emplace_back(function);
}

std::uint32_t number_in_environment(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? 0 : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

// For all that have none of their own; what there is to do for it is done.
void set_policy(std::uint32_t bind, const char* list, const char* exclude) {
  TP_NDIS_POLICY wanted{};
  wanted.size = sizeof(wanted);
  wanted.bind = bind;
  wanted.list = list;
  wanted.exclude = exclude;
  EXPECT_EQ(TpNdisSetBindPolicy(nullptr, &wanted), NO_ERROR);
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
}

int place_of(Driver* driver) {
  for (int place = 0; place < kPlaces; ++place) {
    if (g_places[static_cast<std::size_t>(place)] == nullptr) {
      g_places[static_cast<std::size_t>(place)] = driver;
      return place;
    }
  }
  ADD_FAILURE() << "more drivers than places";
  return 0;
}

}  // namespace

// Bind, unbind and event callbacks of one protocol never overlap (NDIS-021): checked in every test.
class Inside {
 public:
  explicit Inside(Driver& driver) : driver_(driver) {
    EXPECT_EQ(driver_.serial_.fetch_add(1), 0) << driver_.name() << ": two callbacks of the control thread at once";
    EXPECT_FALSE(driver_.gone_) << driver_.name() << ": called after it had left";
    EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() { --driver_.serial_; }

 private:
  Driver& driver_;
};

Driver* driver_at(int place) { return g_places[static_cast<std::size_t>(place)]; }

std::string status_text(NDIS_STATUS status) {
  static const std::map<NDIS_STATUS, std::string> kNames{
      {NDIS_STATUS_SUCCESS, "SUCCESS"},
      {NDIS_STATUS_PENDING, "PENDING"},
      {NDIS_STATUS_FAILURE, "FAILURE"},
      {NDIS_STATUS_RESOURCES, "RESOURCES"},
      {NDIS_STATUS_REQUEST_ABORTED, "REQUEST_ABORTED"},
      {NDIS_STATUS_SEND_ABORTED, "SEND_ABORTED"},
      {NDIS_STATUS_PAUSED, "PAUSED"},
      {NDIS_STATUS_NO_CABLE, "NO_CABLE"},
      {NDIS_STATUS_MEDIA_DISCONNECTED, "MEDIA_DISCONNECTED"},
      {NDIS_STATUS_INVALID_PACKET, "INVALID_PACKET"},
      {NDIS_STATUS_INVALID_LENGTH, "INVALID_LENGTH"},
      {NDIS_STATUS_INVALID_PORT, "INVALID_PORT"},
      {NDIS_STATUS_RESET_IN_PROGRESS, "RESET_IN_PROGRESS"},
      {NDIS_STATUS_RESET_START, "RESET_START"},
      {NDIS_STATUS_RESET_END, "RESET_END"},
      {NDIS_STATUS_MEDIA_CONNECT, "MEDIA_CONNECT"},
      {NDIS_STATUS_MEDIA_DISCONNECT, "MEDIA_DISCONNECT"},
      {NDIS_STATUS_LINK_STATE, "LINK_STATE"},
      {NDIS_STATUS_OPER_STATUS, "OPER_STATUS"},
      {NDIS_STATUS_CLOSING, "CLOSING"},
      {NDIS_STATUS_ADAPTER_NOT_OPEN, "ADAPTER_NOT_OPEN"},
  };
  const auto found = kNames.find(status);
  return found == kNames.end() ? std::to_string(static_cast<unsigned>(status)) : found->second;
}

void note(const std::string& line) {
  const std::lock_guard lock(g_book_mutex);
  g_book.push_back({line, std::this_thread::get_id(), KeGetCurrentIrql()});
  g_written.notify_all();
}

std::vector<Told> told_in_full() {
  const std::lock_guard lock(g_book_mutex);
  ++g_books;
  return std::exchange(g_book, {});
}

Lines told() {
  Lines lines;
  for (const Told& entry : told_in_full()) {
    lines.push_back(entry.line);
  }
  return lines;
}

Lines told_but_completions() {
  Lines lines = told();
  std::erase_if(lines, [](const std::string& line) {
    const std::string what = line.substr(line.find(": ") + 2);
    return what.compare(0, 7, "opened ") == 0 || what.compare(0, 7, "closed ") == 0 ||
           what.compare(0, 7, "answer ") == 0;
  });
  return lines;
}

// Reads each line once, however often it is woken: under traffic the book is long, and those who write in it wait.
bool comes(const std::string& line, int times, std::chrono::milliseconds patience) {
  std::unique_lock lock(g_book_mutex);
  unsigned book = g_books;
  std::size_t read = 0;
  int found = 0;
  return g_written.wait_for(lock, patience, [&] {
    if (std::exchange(book, g_books) != g_books) {
      read = 0;
      found = 0;
    }
    for (; read < g_book.size(); ++read) {
      found += g_book[read].line == line ? 1 : 0;
    }
    return found >= times;
  });
}

int count(const Lines& lines, const std::string& line) {
  return static_cast<int>(std::count(lines.begin(), lines.end(), line));
}

bool eventually(const std::function<bool()>& there) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!there()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

Lines violations() {
  const std::lock_guard lock(g_book_mutex);
  return std::exchange(g_violations, {});
}

TP_NDIS_COUNTERS counters() {
  TP_NDIS_COUNTERS now{};
  now.size = sizeof(now);
  EXPECT_EQ(TpNdisGetCounters(&now), NO_ERROR);
  return now;
}

void Gate::open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
  opened_.notify_all();
}

bool Gate::wait() {
  std::unique_lock lock(mutex_);
  return opened_.wait_for(lock, kPatience, [this] { return open_; });
}

bool Gate::stays_shut() {
  std::unique_lock lock(mutex_);
  return !opened_.wait_for(lock, std::chrono::milliseconds(20), [this] { return open_; });
}

Bytes frame(const Mac& to, const std::string& text, std::uint16_t type, const Mac& from) {
  Bytes bytes(to.begin(), to.end());
  bytes.insert(bytes.end(), from.begin(), from.end());
  bytes.push_back(static_cast<std::uint8_t>(type >> 8));
  bytes.push_back(static_cast<std::uint8_t>(type & 0xff));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.resize(std::max<std::size_t>(bytes.size(), 60));
  return bytes;
}

std::string text_of(const Bytes& frame) {
  std::string text;
  for (std::size_t at = 14; at < frame.size() && frame[at] != 0 && text.size() < 32; ++at) {
    text.push_back(static_cast<char>(frame[at]));
  }
  return text;
}

Bytes bytes_of(const Mac& address) { return {address.begin(), address.end()}; }

Bytes bytes_of(std::uint32_t number) {
  Bytes bytes(sizeof(number));
  std::memcpy(bytes.data(), &number, sizeof(number));
  return bytes;
}

std::uint32_t number_of(const Bytes& bytes) {
  std::uint32_t number = 0;
  EXPECT_GE(bytes.size(), sizeof(number));
  std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof(number)));
  return number;
}

Bytes bytes_of(PNDIS_PACKET packet) {
  Bytes bytes;
  PNDIS_BUFFER buffer = nullptr;
  NdisQueryPacket(packet, nullptr, nullptr, &buffer, nullptr);
  while (buffer != nullptr) {
    void* start = nullptr;
    UINT length = 0;
    NdisQueryBuffer(buffer, &start, &length);
    const auto* first = static_cast<const std::uint8_t*>(start);
    bytes.insert(bytes.end(), first, first + length);
    NdisGetNextBuffer(buffer, &buffer);
  }
  return bytes;
}

Bytes bytes_of(PNET_BUFFER buffer) {
  Bytes bytes(NET_BUFFER_DATA_LENGTH(buffer));
  const void* data = NdisGetDataBuffer(buffer, NET_BUFFER_DATA_LENGTH(buffer), bytes.data(), 1, 0);
  EXPECT_NE(data, nullptr);
  if (data != nullptr && data != bytes.data()) {
    std::memcpy(bytes.data(), data, bytes.size());
  }
  return bytes;
}

Adapter::Adapter(const std::string& name, Kind kind) : name_(name) {
  const auto create = kind == Kind::kEthernet ? TpNdisAdapterCreate : TpNdisAdapterCreateIp;
  EXPECT_EQ(create(name.c_str(), &index_), NO_ERROR);
}

void Adapter::inject_together(const std::vector<Arriving>& frames) const {
  std::vector<TP_NDIS_FRAME> batch;
  for (const Arriving& each : frames) {
    batch.push_back({each.bytes.data(), each.bytes.size(), each.vlan_type, each.vlan, each.local ? 1U : 0U,
                     each.checksum_good ? 1U : 0U, 0});
  }
  EXPECT_EQ(TpNdisAdapterInjectBatch(index_, batch.data(), batch.size()), NO_ERROR);
}

Adapter::~Adapter() { remove(); }

void Adapter::remove() {
  if (index_ != 0) {
    EXPECT_EQ(TpNdisAdapterDelete(std::exchange(index_, 0)), NO_ERROR);
  }
}

Mac Adapter::mac() const {
  Mac address{};
  EXPECT_EQ(TpNdisAdapterGetMac(index_, address.data()), NO_ERROR);
  return address;
}

std::vector<Bytes> Adapter::sent() const {
  std::vector<Bytes> frames;
  Bytes room(65536);
  std::size_t length = 0;
  while (TpNdisAdapterTakeSent(index_, room.data(), room.size(), &length) == NO_ERROR) {
    frames.emplace_back(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(length));
  }
  return frames;
}

Lines Adapter::sent_texts() const {
  Lines texts;
  for (const Bytes& each : sent()) {
    texts.push_back(text_of(each));
  }
  return texts;
}

Name::Name(std::wstring text) : text_(std::move(text)) {
  string_.Buffer = text_.data();
  string_.Length = static_cast<USHORT>(text_.size() * sizeof(WCHAR));
  string_.MaximumLength = string_.Length;
}

std::wstring wide_text_of(const NDIS_STRING& string) { return {string.Buffer, string.Length / sizeof(WCHAR)}; }

Driver::Driver(std::string name) : name_(std::move(name)), place_(place_of(this)) {}

Driver::~Driver() { g_places[static_cast<std::size_t>(place_)] = nullptr; }

void Driver::start() {
  ASSERT_EQ(register_protocol(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
}

std::string Driver::line(const std::string& what, const Binding& binding) const {
  return name_ + ": " + what + " " + binding.adapter;
}

Binding& Driver::last() {
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(bindings_.empty());
  return *bindings_.back();
}

Binding& Driver::at(const std::string& adapter) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(bindings_.rbegin(), bindings_.rend(),
                                  [&](const auto& binding) { return binding->adapter == adapter; });
  if (found == bindings_.rend()) {
    ADD_FAILURE() << name_ << " was never offered " << adapter;
    std::abort();
  }
  return **found;
}

void Driver::forget(Binding& binding) {
  const std::lock_guard lock(mutex_);
  bindings_.remove_if([&](const auto& each) { return each.get() == &binding; });
}

std::vector<Received> Driver::received() {
  const std::lock_guard lock(mutex_);
  return std::exchange(received_, {});
}

NDIS_STATUS Driver::binds(NDIS_HANDLE bind_context, PNDIS_STRING device, PNDIS_BIND_PARAMETERS parameters) {
  const Inside inside(*this);
  auto made = std::make_unique<Binding>();
  Binding& binding = *made;
  binding.driver = this;
  binding.bind_context = bind_context;
  binding.device = wide_text_of(*device);
  binding.parameters = parameters;
  NDIS_STRING friendly{};
  EXPECT_EQ(NdisQueryBindInstanceName(&friendly, bind_context), NDIS_STATUS_SUCCESS);
  const std::wstring wide = wide_text_of(friendly);
  NdisFreeMemory(friendly.Buffer, 0, 0);
  for (const wchar_t letter : wide) {
    binding.adapter.push_back(static_cast<char>(letter));
  }
  {
    const std::lock_guard lock(mutex_);
    bindings_.push_back(std::move(made));
  }
  note(line("bind", binding));
  return on_bind ? on_bind(binding) : open_and_wait(binding);
}

NDIS_STATUS Driver::open_and_wait(Binding& binding) {
  NDIS_STATUS status = open(binding);
  if (status == NDIS_STATUS_PENDING) {
    EXPECT_TRUE(binding.open_complete.wait());
    status = binding.opened;
  }
  if (status == NDIS_STATUS_SUCCESS && filter != 0) {
    const NDIS_STATUS set = set_filter(binding, filter);
    EXPECT_TRUE(set == NDIS_STATUS_SUCCESS || set == NDIS_STATUS_ADAPTER_REMOVED) << set;  // which can be at any time
  }
  return status;
}

void Driver::close_and_wait(Binding& binding) {
  const NDIS_STATUS status = close(binding);
  if (status == NDIS_STATUS_PENDING) {
    EXPECT_TRUE(binding.close_complete.wait());
  } else {
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  }
}

NDIS_STATUS Driver::unbinds(NDIS_HANDLE context, NDIS_HANDLE unbind_context) {
  const Inside inside(*this);
  Binding& binding = *static_cast<Binding*>(context);
  binding.unbind_context = unbind_context;
  note(line("unbind", binding));
  if (on_unbind) {
    return on_unbind(binding);
  }
  close_and_wait(binding);
  return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS Driver::hears(NDIS_HANDLE context, PNET_PNP_EVENT event) {
  static const std::map<int, std::string> kNames{
      {NetEventQueryRemoveDevice, "query-remove"},
      {NetEventCancelRemoveDevice, "cancel-remove"},
      {NetEventReconfigure, "reconfigure"},
      {NetEventBindList, "bind-list"},
      {NetEventBindsComplete, "binds-complete"},
      {NetEventPause, "pause"},
      {NetEventRestart, "restart"},
  };
  const Inside inside(*this);
  auto* binding = static_cast<Binding*>(context);
  const auto found = kNames.find(event->NetEvent);
  const std::string what = found == kNames.end() ? "event " + std::to_string(event->NetEvent) : found->second;
  note(binding == nullptr ? name_ + ": " + what : line(what, *binding));
  return on_event ? on_event(binding, event) : NDIS_STATUS_SUCCESS;
}

void Driver::opened(NDIS_HANDLE context, NDIS_STATUS status) {
  Binding& binding = *static_cast<Binding*>(context);
  binding.opened = status;
  ++binding.open_completions;
  note(line("opened", binding) + " " + status_text(status));
  if (on_open_complete) {
    on_open_complete(binding);
  }
  binding.open_complete.open();
}

void Driver::closed(NDIS_HANDLE context) {
  EXPECT_FALSE(gone_) << name_ << ": called after it had left";
  Binding& binding = *static_cast<Binding*>(context);
  ++binding.close_completions;
  note(line("closed", binding));
  if (on_close_complete) {
    on_close_complete(binding);
  }
  binding.close_complete.open();
}

void Driver::answered(PVOID pointer, NDIS_STATUS status) {
  Request* request = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(pointer);
    if (found == asked_.end()) {
      ADD_FAILURE() << name_ << ": a request completed that was not asked";
      return;
    }
    request = found->second;
  }
  read_counts(*request);
  ++request->completions;
  request->status = status;
  note(name_ + ": answer " + status_text(status));
  request->done.open();
}

Request& Driver::request(Binding& binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, Bytes buffer, PVOID id) {
  auto made = std::make_unique<Request>();
  Request& request = *made;
  request.buffer = std::move(buffer);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(made));
    asked_[&request.five] = &request;
    asked_[&request.six] = &request;
  }
  request.answer = ask(binding, request, type, oid, id);
  if (request.answer != NDIS_STATUS_PENDING) {
    EXPECT_EQ(request.completions, 0) << "completed, though it did not pend";
    read_counts(request);
    request.status = request.answer;
    request.done.open();
  }
  return request;
}

Answer Driver::query(Binding& binding, NDIS_OID oid, std::size_t capacity) {
  Request& asked = request(binding, NdisRequestQueryInformation, oid, Bytes(capacity, 0xee));
  EXPECT_TRUE(asked.done.wait());
  Answer answer{asked.status, asked.buffer, asked.moved, asked.needed};
  if (answer.status == NDIS_STATUS_SUCCESS) {
    EXPECT_LE(asked.moved, capacity);
    answer.bytes.resize(std::min<std::size_t>(asked.moved, capacity));
  }
  return answer;
}

Answer Driver::set(Binding& binding, NDIS_OID oid, const Bytes& value) {
  Request& asked = request(binding, NdisRequestSetInformation, oid, value);
  EXPECT_TRUE(asked.done.wait());
  return {asked.status, asked.buffer, asked.moved, asked.needed};
}

NDIS_STATUS Driver::set_filter(Binding& binding, std::uint32_t value) {
  return set(binding, OID_GEN_CURRENT_PACKET_FILTER, bytes_of(value)).status;
}

void Driver::hears(Binding& binding, const Bytes& bytes, bool looped) {
  EXPECT_FALSE(gone_) << name_ << ": called after it had left";
  {
    const std::lock_guard lock(mutex_);
    received_.push_back({binding.adapter, bytes, looped});
  }
  note(line("gets", binding) + " " + text_of(bytes));
  if (on_frame) {
    on_frame(binding);
  }
}

void Driver::note_sent(Binding& binding, const Bytes& bytes, NDIS_STATUS status) {
  EXPECT_FALSE(gone_) << name_ << ": called after it had left";
  note(line("sent", binding) + " " + text_of(bytes) + " " + status_text(status));
  ++came_back_;
}

void start_with_a_bind_that_pends(Driver& driver) {
  driver.on_bind = [&](Binding& binding) {
    EXPECT_EQ(driver.open_and_wait(binding), NDIS_STATUS_SUCCESS);
    note("opened");
    return NDIS_STATUS_PENDING;
  };
  ASSERT_EQ(driver.register_protocol(), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("opened"));
}

Library::Library(std::uint32_t adapters, std::uint32_t watchdog) {
  TP_NDIS_OPTIONS options{};
  options.size = sizeof(options);
  options.adapters = adapters;
  options.watchdog_ms = watchdog;
  EXPECT_EQ(TpNdisStart(&options), NO_ERROR);
  EXPECT_EQ(TpNdisSetChecked(record_violation, nullptr), NO_ERROR);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, number_in_environment("NDIS_PEND")), NO_ERROR);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_INLINE_COMPLETION, number_in_environment("NDIS_INLINE")), NO_ERROR);
  told();
}

Library::~Library() {
  for (const std::uint32_t each : {TP_NDIS_KNOB_HOLD_REQUESTS, TP_NDIS_KNOB_PEND, TP_NDIS_KNOB_INLINE_COMPLETION,
                                   TP_NDIS_KNOB_RESOURCES, TP_NDIS_KNOB_LOOKAHEAD}) {
    EXPECT_EQ(TpNdisSetKnob(each, 0), NO_ERROR);
  }
  set_policy(TP_NDIS_BIND_ALL_ETHERNET, nullptr, nullptr);
  EXPECT_EQ(violations(), Lines{}) << "a driver broke a rule, or was said to";
  const TP_NDIS_COUNTERS left = counters();
  EXPECT_EQ(left.protocols, 0U);
  EXPECT_EQ(left.bindings, 0U);
  EXPECT_EQ(left.bind_operations, 0U);
  EXPECT_EQ(left.unbind_operations, 0U);
  EXPECT_EQ(left.sends, 0U);
  EXPECT_EQ(left.requests, 0U);
  EXPECT_EQ(left.retained, 0U);
  EXPECT_EQ(left.callbacks, 0U);
  EXPECT_EQ(TpNdisSetChecked(nullptr, nullptr), NO_ERROR);
  EXPECT_EQ(TpNdisStop(), NO_ERROR);
}

void NdisTest::policy(std::uint32_t bind, const char* list, const char* exclude) { set_policy(bind, list, exclude); }

std::unique_ptr<Driver> NdisBoth::driver(const std::string& name) {
  if (six()) {
    return std::make_unique<Driver6>(name);
  }
  return std::make_unique<Driver5>(name);
}

std::string generation_name(const testing::TestParamInfo<int>& info) { return "Ndis" + std::to_string(info.param); }

}  // namespace turnpike::conformance
