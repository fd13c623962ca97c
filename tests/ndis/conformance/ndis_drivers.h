// What every conformance test of NDIS stands on: recording protocol drivers of both generations, which write down what
// they are told, one line each, all into one book; adapters in memory; and books that must balance when a test ends.
//
// Written from docs/contract/ndis.md and the public headers alone: nothing here may know how the library works.
//
// A driver does by itself what a well-behaved one does: it opens in its bind callback and sets a packet filter, closes
// in its unbind callback, says SUCCESS to every event, and keeps nothing that it receives. A test changes one of these
// with a hook. Lines say who was told what of which adapter: "P: bind a", "P: restart a", "P: gets a hello", "P: unbind
// a".
//
// Callbacks without a context (UnloadHandler, events that are about no binding) are told apart by the function that is
// called: a driver takes one of `kPlaces` compiled sets of functions as long as it lives.
#ifndef TURNPIKE_TESTS_CONFORMANCE_NDIS_DRIVERS_H
#define TURNPIKE_TESTS_CONFORMANCE_NDIS_DRIVERS_H

#include <gtest/gtest.h>
#include <ndis.h>
#include <turnpike/ndis.h>
#include <winerror.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace turnpike::conformance {

using Bytes = std::vector<std::uint8_t>;
using Lines = std::vector<std::string>;
using Mac = std::array<std::uint8_t, 6>;

constexpr Mac kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr Mac kPeer{0x02, 0, 0, 0, 0x99, 0x01};
constexpr Mac kStranger{0x02, 0, 0, 0, 0x77, 0x07};
constexpr Mac kGroup{0x01, 0x80, 0xc2, 0, 0, 0x0e};
constexpr Mac kOtherGroup{0x01, 0x80, 0xc2, 0, 0, 0x0f};
constexpr std::chrono::seconds kPatience{60};  // nothing takes so long unless it never comes

std::string status_text(NDIS_STATUS status);
inline const NDIS_HANDLE kGarbage = reinterpret_cast<NDIS_HANDLE>(0x1234567);  // NOLINT: nothing gave that out

// --- the book

struct Told {
  std::string line;
  std::thread::id thread;
  KIRQL level;
};
void note(const std::string& line);
/// Since the last call.
Lines told();
std::vector<Told> told_in_full();
/// Without what stands there only when something pended: "opened", "closed", "answer".
Lines told_but_completions();
/// Waits until the line is in the book, where it stays. False: it did not come.
bool comes(const std::string& line, int times = 1, std::chrono::milliseconds patience = kPatience);
int count(const Lines& lines, const std::string& line);
/// Waits for what comes about without a line. False: it did not.
bool eventually(const std::function<bool()>& there);

/// What broke a rule since the last call: names of functions.
Lines violations();
/// Counters of the library.
TP_NDIS_COUNTERS counters();

/// Opens once; whoever waits at it goes on.
class Gate {
 public:
  void open();
  bool wait();        // false: it was not opened in time
  bool stays_shut();  // for a moment

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

// --- frames

/// At least 60 bytes; the text is the payload.
Bytes frame(const Mac& to, const std::string& text, std::uint16_t type = 0x88b5, const Mac& from = kPeer);
std::string text_of(const Bytes& frame);
Bytes bytes_of(const Mac& address);
Bytes bytes_of(std::uint32_t number);
Bytes bytes_of(PNDIS_PACKET packet);
Bytes bytes_of(PNET_BUFFER buffer);
std::uint32_t number_of(const Bytes& bytes);

/// A frame that arrives with others, with what TP_NDIS_FRAME says of it.
struct Arriving {
  Bytes bytes;
  std::uint16_t vlan_type = 0;
  std::uint16_t vlan = 0;
  bool local = false;
  bool checksum_good = false;
};

/// An adapter in memory, as long as this lives.
class Adapter {
 public:
  enum class Kind { kEthernet, kIp };
  explicit Adapter(const std::string& name, Kind kind = Kind::kEthernet);
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;
  ~Adapter();

  std::uint32_t index() const { return index_; }
  const std::string& name() const { return name_; }
  Mac mac() const;
  void inject(const Bytes& frame) const {
    EXPECT_EQ(TpNdisAdapterInject(index_, frame.data(), frame.size()), NO_ERROR);
  }
  /// These arrive together.
  void inject_together(const std::vector<Arriving>& frames) const;
  /// What was sent and not taken yet, in order.
  std::vector<Bytes> sent() const;
  Lines sent_texts() const;
  void carrier(bool on) const { EXPECT_EQ(TpNdisAdapterSetCarrier(index_, on ? 1 : 0), NO_ERROR); }
  void mtu(std::uint32_t bytes) const { EXPECT_EQ(TpNdisAdapterSetMtu(index_, bytes), NO_ERROR); }
  void address(const Mac& mac) const { EXPECT_EQ(TpNdisAdapterSetMac(index_, mac.data()), NO_ERROR); }
  void room(std::int32_t frames) const { EXPECT_EQ(TpNdisAdapterMakeRoom(index_, frames), NO_ERROR); }
  void remove();

 private:
  std::string name_;
  std::uint32_t index_ = 0;
};

// --- drivers

/// Text as NDIS passes it.
class Name {
 public:
  explicit Name(std::wstring text);
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;
  operator PNDIS_STRING() { return &string_; }  // NOLINT(google-explicit-constructor)
  NDIS_STRING string() const { return string_; }

 private:
  std::wstring text_;
  NDIS_STRING string_{};
};
std::wstring wide_text_of(const NDIS_STRING& string);

class Driver;

/// Of one bind callback: what was passed, and the binding that came of it. Lives as long as its driver.
struct Binding {
  Driver* driver = nullptr;
  std::string adapter;
  std::wstring device;
  PNDIS_BIND_PARAMETERS parameters = nullptr;  // NDIS 6
  NDIS_HANDLE bind_context = nullptr;
  NDIS_HANDLE unbind_context = nullptr;
  NDIS_HANDLE handle = nullptr;
  UINT medium_index = 99;
  NDIS_STATUS opened = NDIS_STATUS_PENDING;
  NDIS_STATUS open_error = NDIS_STATUS_PENDING;  // NDIS 5: OpenErrorStatus
  Gate open_complete;
  Gate close_complete;
  std::atomic<int> open_completions{0};
  std::atomic<int> close_completions{0};
};

/// A question or an order. Lives as long as its driver.
struct Request {
  NDIS_REQUEST five{};
  NDIS_OID_REQUEST six{};
  Bytes buffer;
  NDIS_STATUS answer = NDIS_STATUS_PENDING;  // of the call
  std::atomic<NDIS_STATUS> status{NDIS_STATUS_PENDING};
  std::atomic<int> completions{0};
  Gate done;
  UINT moved = 0;   // BytesWritten, BytesRead
  UINT needed = 0;  // BytesNeeded
};

struct Answer {
  NDIS_STATUS status;
  Bytes bytes;
  UINT moved;
  UINT needed;
};

struct Received {
  std::string adapter;
  Bytes bytes;
  bool looped;
};

class Driver {
 public:
  explicit Driver(std::string name);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver();

  const std::string& name() const { return name_; }
  std::wstring protocol_name() const { return std::wstring(L"Test") + std::wstring(name_.begin(), name_.end()); }
  std::string policy_name() const { return "TEST" + name_; }
  NDIS_HANDLE handle() const { return handle_; }

  /// SUCCESS is expected; returns when everything there is has been offered.
  void start();
  virtual NDIS_STATUS register_protocol() = 0;
  virtual NDIS_STATUS deregister() = 0;  // SUCCESS where there is no status
  virtual NDIS_STATUS open(Binding& binding) = 0;
  NDIS_STATUS open_and_wait(Binding& binding);
  virtual NDIS_STATUS close(Binding& binding) = 0;
  void close_and_wait(Binding& binding);
  virtual void complete_bind(Binding& binding, NDIS_STATUS status) = 0;
  virtual void complete_unbind(Binding& binding) = 0;

  Request& request(Binding& binding, NDIS_REQUEST_TYPE type, NDIS_OID oid, Bytes buffer, PVOID id = nullptr);
  Answer query(Binding& binding, NDIS_OID oid, std::size_t capacity);
  Answer set(Binding& binding, NDIS_OID oid, const Bytes& value);
  NDIS_STATUS set_filter(Binding& binding, std::uint32_t filter);
  std::uint32_t number(Binding& binding, NDIS_OID oid) { return number_of(query(binding, oid, 4).bytes); }
  /// What it sends goes out: the library knows that the link is up, which the kernel may have told others before.
  bool gets_connected(Binding& binding) {
    return eventually([&] { return number(binding, OID_GEN_MEDIA_CONNECT_STATUS) == NdisMediaStateConnected; });
  }

  /// The newest binding of that adapter; the newest of all.
  Binding& at(const Adapter& adapter) { return at(adapter.name()); }
  Binding& at(const std::string& adapter);
  Binding& last();

  /// One frame; the line "P: sent a text SUCCESS" says how it went.
  virtual void send(Binding& binding, const Bytes& frame, PVOID cancel_id = nullptr) = 0;
  /// How many of all that it sent have come back to it.
  int came_back() const { return came_back_; }

  std::vector<Received> received();
  /// From now on: keeps what it receives, until it gives it back.
  virtual void keep_all() = 0;
  virtual void give_back() = 0;

  /// Frees what a binding's context points at.
  void forget(Binding& binding);

  // What a test wants otherwise. Set before the thing can happen.
  std::uint32_t filter = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST;
  std::vector<NDIS_MEDIUM> media{NdisMedium802_3};
  std::function<NDIS_STATUS(Binding&)> on_bind;
  std::function<NDIS_STATUS(Binding&)> on_unbind;
  std::function<NDIS_STATUS(Binding*, PNET_PNP_EVENT)> on_event;
  std::function<void(Binding&)> on_open_complete;
  std::function<void(Binding&)> on_close_complete;
  std::function<void(Binding&)> on_frame;  // in the receive callback, when the frame is written down

 protected:
  friend class Inside;
  NDIS_STATUS binds(NDIS_HANDLE bind_context, PNDIS_STRING device, PNDIS_BIND_PARAMETERS parameters);
  NDIS_STATUS unbinds(NDIS_HANDLE binding, NDIS_HANDLE unbind_context);
  NDIS_STATUS hears(NDIS_HANDLE binding, PNET_PNP_EVENT event);
  void opened(NDIS_HANDLE binding, NDIS_STATUS status);
  void closed(NDIS_HANDLE binding);
  void answered(PVOID request, NDIS_STATUS status);
  void hears(Binding& binding, const Bytes& frame, bool looped);
  void note_sent(Binding& binding, const Bytes& frame, NDIS_STATUS status);
  virtual NDIS_STATUS ask(Binding& binding, Request& request, NDIS_REQUEST_TYPE type, NDIS_OID oid, PVOID id) = 0;
  virtual void read_counts(Request& request) = 0;
  std::string line(const std::string& what, const Binding& binding) const;

  const std::string name_;
  int place_;
  NDIS_HANDLE handle_ = nullptr;
  std::mutex mutex_;
  std::list<std::unique_ptr<Binding>> bindings_;
  std::list<std::unique_ptr<Request>> requests_;
  std::map<PVOID, Request*> asked_;
  std::vector<Received> received_;
  std::atomic<int> came_back_{0};
  std::atomic<int> serial_{0};  // bind, unbind and event callbacks that run
  std::atomic<bool> gone_{false};
};

/// What ProtocolReceive was passed.
struct Lookahead {
  Binding& binding;
  NDIS_HANDLE context;
  Bytes header;
  Bytes data;
  UINT packet_size;
};

class Driver5 : public Driver {
 public:
  explicit Driver5(std::string name);
  ~Driver5() override;
  NDIS_STATUS register_protocol() override;
  NDIS_STATUS deregister() override;
  NDIS_STATUS open(Binding& binding) override;
  NDIS_STATUS close(Binding& binding) override;
  void complete_bind(Binding& binding, NDIS_STATUS status) override;
  void complete_unbind(Binding& binding) override;
  void send(Binding& binding, const Bytes& frame, PVOID cancel_id = nullptr) override;
  void keep_all() override;
  void give_back() override;

  /// A packet of these parts, which stays the driver's.
  PNDIS_PACKET packet(const std::vector<Bytes>& parts);
  PNDIS_PACKET packet(const Bytes& frame) { return packet(std::vector<Bytes>{frame}); }
  NDIS_STATUS send_one(Binding& binding, PNDIS_PACKET packet);
  void send_many(Binding& binding, std::vector<PNDIS_PACKET> packets);
  NDIS_STATUS reset(Binding& binding);

  NDIS_PROTOCOL_CHARACTERISTICS characteristics{};
  UINT characteristics_length = sizeof(NDIS_PROTOCOL_CHARACTERISTICS);
  std::function<INT(Binding&, PNDIS_PACKET)> on_packet;
  std::function<NDIS_STATUS(Lookahead&)> on_receive;
  std::function<void(Binding&, NDIS_STATUS, const Bytes&)> on_status;  // with a copy of the buffer

 protected:
  NDIS_STATUS ask(Binding& binding, Request& request, NDIS_REQUEST_TYPE type, NDIS_OID oid, PVOID id) override;
  void read_counts(Request& request) override;

 private:
  template <int kPlace>
  friend struct Entries5;
  Name protocol_;
  NDIS_HANDLE packets_ = nullptr;
  NDIS_HANDLE buffers_ = nullptr;
  std::list<Bytes> memory_;
  std::vector<PNDIS_PACKET> made_;
  std::vector<PNDIS_PACKET> kept_;
};

/// What ProtocolReceiveNetBufferLists was passed.
struct Indication {
  Binding& binding;
  PNET_BUFFER_LIST lists;
  NDIS_PORT_NUMBER port;
  ULONG count;
  ULONG flags;
};

class Driver6 : public Driver {
 public:
  explicit Driver6(std::string name);
  ~Driver6() override;
  NDIS_STATUS register_protocol() override;
  NDIS_STATUS deregister() override;
  NDIS_STATUS open(Binding& binding) override;
  NDIS_STATUS close(Binding& binding) override;
  void complete_bind(Binding& binding, NDIS_STATUS status) override;
  void complete_unbind(Binding& binding) override;
  void send(Binding& binding, const Bytes& frame, PVOID cancel_id = nullptr) override;
  void keep_all() override;
  void give_back() override;

  /// A net buffer list of these frames, which stays the driver's.
  PNET_BUFFER_LIST list(const std::vector<Bytes>& frames);
  PNET_BUFFER_LIST list(const Bytes& frame) { return list(std::vector<Bytes>{frame}); }
  PMDL descriptor(const Bytes& bytes);
  void send_lists(Binding& binding, PNET_BUFFER_LIST lists, ULONG flags = 0, NDIS_PORT_NUMBER port = 0);
  NDIS_HANDLE list_pool() const { return lists_; }
  NDIS_HANDLE buffer_pool() const { return buffers_; }
  /// An own NBL that came back, and how often.
  int completions(PNET_BUFFER_LIST list);

  NDIS_PROTOCOL_DRIVER_CHARACTERISTICS characteristics{};
  std::vector<NET_FRAME_TYPE> frame_types;
  UINT timeout = 0;  // of requests, in seconds
  std::function<NDIS_STATUS(NDIS_HANDLE)> on_options;
  std::function<void(Indication&)> on_lists;  // who keeps nothing has to return them
  std::function<void(Binding&, PNDIS_STATUS_INDICATION)> on_status;
  std::function<void(Binding&, PNET_PNP_EVENT_NOTIFICATION)> on_notification;

 protected:
  NDIS_STATUS ask(Binding& binding, Request& request, NDIS_REQUEST_TYPE type, NDIS_OID oid, PVOID id) override;
  void read_counts(Request& request) override;

 private:
  template <int kPlace>
  friend struct Entries6;
  void make_pools();
  void indicated(Indication& indication);
  void completed(Binding& binding, PNET_BUFFER_LIST lists);
  Name protocol_;
  NDIS_HANDLE lists_ = nullptr;
  NDIS_HANDLE buffers_ = nullptr;
  std::list<Bytes> memory_;
  std::vector<PMDL> descriptors_;
  std::vector<PNET_BUFFER_LIST> made_;
  std::vector<std::pair<Binding*, PNET_BUFFER_LIST>> kept_;
  std::map<PNET_BUFFER_LIST, int> completions_;
};

/// Registers it, and returns when it has opened an adapter in its bind callback, which pends.
void start_with_a_bind_that_pends(Driver& driver);

/// The place of a driver that lives, among kPlaces.
constexpr int kPlaces = 6;
Driver* driver_at(int place);

// --- the ground of a test

/// NDIS runs as long as this lives, in checked mode; when it ends, nothing may be left, and no rule broken that the
/// test has not asked about. The knobs stand as the environment says (NDIS_PEND, NDIS_INLINE): the matrix of NDIS-211.
class Library {
 public:
  /// The watchdog's milliseconds: 0 leaves them to the library.
  explicit Library(std::uint32_t adapters = TP_NDIS_ADAPTERS_MEMORY, std::uint32_t watchdog = 0);
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library();
};

class NdisTest : public testing::Test {
 protected:
  explicit NdisTest(std::uint32_t watchdog = 0) : library_(TP_NDIS_ADAPTERS_MEMORY, watchdog) {}
  static void quiesce() { EXPECT_EQ(TpNdisQuiesce(), NO_ERROR); }
  static void knob(std::uint32_t which, std::uint32_t value) { EXPECT_EQ(TpNdisSetKnob(which, value), NO_ERROR); }
  /// For all that have none of their own; what there is to do for it is done.
  static void policy(std::uint32_t bind, const char* list = nullptr, const char* exclude = nullptr);

 private:
  Library library_;
};

/// Of both generations: TEST_P, with the number of the generation.
class NdisBoth : public NdisTest, public testing::WithParamInterface<int> {
 protected:
  static std::unique_ptr<Driver> driver(const std::string& name);
  static bool six() { return GetParam() == 6; }
};
std::string generation_name(const testing::TestParamInfo<int>& info);
#define NDIS_BOTH(suite) INSTANTIATE_TEST_SUITE_P(Generation, suite, testing::Values(5, 6), generation_name)

}  // namespace turnpike::conformance

#endif
