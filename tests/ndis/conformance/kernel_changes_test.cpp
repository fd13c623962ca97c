// What an interface of a kernel may do to those who are just sending over it, or asking something of it: change its
// MTU, change its address, go to another namespace, vanish. And what a peer may send: frames that are too short, too
// long, or tagged twice. On veth pairs, with a driver of each generation; the rest of the life of links is in
// kernel_links_test.cpp.
#include <algorithm>
#include <optional>

#include "ground/ground.h"
#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using ground::Ground;

// Takes step after step on a thread of its own, until the driver's binding is unbound; then that is settled which the
// steps have begun, and the binding is closed.
class Repeating {
 public:
  Repeating(Driver& driver, std::function<void(Binding&)> settle) : driver_(driver) {
    driver.on_unbind = [this, settle = std::move(settle)](Binding& binding) {
      end();
      settle(binding);
      driver_.close_and_wait(binding);
      return NDIS_STATUS_SUCCESS;
    };
  }
  Repeating(const Repeating&) = delete;
  Repeating& operator=(const Repeating&) = delete;
  ~Repeating() {
    stop();
    driver_.on_unbind = nullptr;
  }

  /// Until a step says that it was the last.
  void start(std::function<bool()> step) {
    thread_ = std::thread([this, step = std::move(step)] {
      for (bool goes_on = true; goes_on; std::this_thread::yield()) {
        const std::lock_guard lock(mutex_);
        goes_on = !ended_ && step();
      }
    });
  }
  void stop() {
    end();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  /// When this returns, no step is taken any more.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }

  Driver& driver_;
  std::mutex mutex_;
  bool ended_ = false;
  std::thread thread_;
};

// A driver that sends without a pause until its binding is unbound, and closes when everything has come back.
class Sender {
 public:
  explicit Sender(Driver& driver)
      : driver_(driver), sending_(driver, [this](Binding&) {
          while (driver_.came_back() != sent_) {  // it does, or the test does not end
            std::this_thread::yield();
          }
        }) {}

  void start() {
    sending_.start([this, binding = &driver_.last()] {
      driver_.send(*binding, frame(kPeer, "flight"));
      return ++sent_ < kMost;
    });
  }
  void stop() { sending_.stop(); }
  [[nodiscard]] int sent() const { return sent_; }
  const Driver& driver() const { return driver_; }

 private:
  static constexpr int kMost = 20000;  // more than any change lasts, and less than there is memory
  Driver& driver_;
  int sent_ = 0;
  Repeating sending_;
};

// A driver whose requests pend. When its binding is unbound it asks no more; of NDIS 6 it takes back what it has asked,
// unless the library is to end that by itself, and waits for it; then it closes.
class Asker {
 public:
  enum class TakesBack { kItself, kNothing };
  explicit Asker(Driver& driver, TakesBack wanted = TakesBack::kItself)
      : driver_(driver), asking_(driver, [this, wanted](Binding& binding) {
          if (dynamic_cast<Driver6*>(&driver_) != nullptr) {
            if (wanted == TakesBack::kItself) {
              take_back(binding);
            }
            EXPECT_TRUE(eventually([this] { return all_answered(); }));
          }
        }) {}

  /// Asks again and again, of the kernel too, a few at a time.
  void start() {
    asking_.start([this, binding = &driver_.last()] {
      if (asked_.size() < kAtOnce || is_answered(asked_[asked_.size() - kAtOnce])) {
        ask(*binding);
        ++count_;
      }
      return asked_.size() < kMost;
    });
  }
  /// One question, with an id of its own.
  Request& ask(Binding& binding) {
    const std::size_t number = asked_.size();
    const auto asked = [&](NDIS_REQUEST_TYPE type, NDIS_OID oid, Bytes buffer) {
      return asked_.emplace_back(&driver_.request(binding, type, oid, std::move(buffer), &ids_.at(number)));
    };
    switch (number % 4) {
      case 0:
        return *asked(NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
      case 1:
        return *asked(NdisRequestQueryInformation, OID_GEN_STATISTICS, Bytes(sizeof(NDIS_STATISTICS_INFO)));
      case 2:
        return *asked(NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER,
                      bytes_of(number % 8 == 2 ? NDIS_PACKET_TYPE_PROMISCUOUS : NDIS_PACKET_TYPE_MULTICAST));
      default:
        return *asked(NdisRequestSetInformation, OID_802_3_MULTICAST_LIST,
                      number % 8 == 3 ? bytes_of(kGroup) : Bytes());
    }
  }
  void take_back(Binding& binding) {
    for (std::size_t number = 0; number < asked_.size(); ++number) {
      NdisCancelOidRequest(binding.handle, &ids_.at(number));
    }
  }
  void stop() { asking_.stop(); }
  [[nodiscard]] bool all_answered() const { return std::ranges::all_of(asked_, is_answered); }
  [[nodiscard]] bool none_answered() const { return std::ranges::none_of(asked_, is_answered); }
  [[nodiscard]] bool has_asked(std::size_t count) const { return count_ >= count; }
  /// Each pended, and was completed once; with one of these.
  void expect_each_once(const std::vector<NDIS_STATUS>& allowed) const {
    for (const Request* const each : asked_) {
      EXPECT_EQ(each->completions, each->answer == NDIS_STATUS_PENDING ? 1 : 0);
      EXPECT_TRUE(std::ranges::count(allowed, each->status.load()) == 1)
          << driver_.name() << ": " << status_text(each->status);
    }
  }

 private:
  static constexpr std::size_t kMost = 20000, kAtOnce = 8;
  static bool is_answered(const Request* request) {
    return request->answer != NDIS_STATUS_PENDING || request->completions != 0;
  }

  Driver& driver_;
  std::vector<Request*> asked_;  // in their order, which is that of the answers
  std::vector<char> ids_ = std::vector<char>(kMost);
  std::atomic<std::size_t> count_{0};
  Repeating asking_;
};

int completions(const Lines& lines, const Driver& driver) {
  return static_cast<int>(std::ranges::count_if(lines, [&](const std::string& line) {
    return line.starts_with(driver.name() + ": sent ") && line.find(" flight ") != std::string::npos;
  }));
}

struct Change {
  const char* name;
  const char* command;
  Lines five, six;  // what they are told, in this order
  [[nodiscard]] bool removes() const { return five.size() == 1; }
};

void PrintTo(const Change& change, std::ostream* out) { *out << change.command; }

struct Scene {
  explicit Scene(Ground& ground)
      : left(ground.host("left")), right(ground.host("right")), elsewhere(ground.host("elsewhere")) {
    ground.wire({left, "eth0", {}}, {right, "eth0", {}});
    right.inside([this] { library.emplace(TP_NDIS_ADAPTERS_KERNEL); });
    five.emplace("Five");
    six.emplace("Six");
  }
  void start() {
    five->start();
    six->start();
    EXPECT_TRUE(comes("Five: bind eth0"));
    EXPECT_TRUE(comes("Six: restart eth0"));
    EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
    told();
  }
  void make(const Change& change) const {
    const std::string command = change.command;
    right.ip({command + (command.ends_with("netns ") ? elsewhere.path() : "")});
  }
  /// Until both have been told of it.
  static void await(const Change& change) {
    for (const std::string& line : change.five) {
      EXPECT_TRUE(comes("Five: " + line));
    }
    for (const std::string& line : change.six) {
      EXPECT_TRUE(comes("Six: " + line));
    }
  }

  ground::Host &left, &right, &elsewhere;
  std::optional<Library> library;
  std::optional<Driver5> five;
  std::optional<Driver6> six;
};

class NdisChange : public testing::TestWithParam<Change> {};

// The lines of one driver, in their order, that are about its binding.
Lines of(const Lines& lines, const std::string& driver) {
  Lines found;
  for (const std::string& line : lines) {
    for (const char* const what : {"bind ", "unbind ", "pause ", "restart "}) {
      if (line.starts_with(driver + ": " + what)) {
        found.push_back(line.substr(driver.size() + 2));
      }
    }
  }
  return found;
}

// clauses: NDIS-161 NDIS-177 NDIS-186 NDIS-188 NDIS-189
TEST_P(NdisChange, LosesNoSendThatIsUnderWay_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  Sender five(*scene.five);
  Sender six(*scene.six);
  scene.start();
  five.start();
  six.start();
  ASSERT_TRUE(comes("Five: sent eth0 flight SUCCESS", 3));
  ASSERT_TRUE(comes("Six: sent eth0 flight SUCCESS", 3));
  scene.make(GetParam());
  scene.await(GetParam());
  five.stop();
  six.stop();
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  const Lines lines = told();
  EXPECT_EQ(of(lines, "Five"), GetParam().five);
  EXPECT_EQ(of(lines, "Six"), GetParam().six);
  EXPECT_EQ(completions(lines, five.driver()), five.sent());
  EXPECT_EQ(completions(lines, six.driver()), six.sent());
  EXPECT_EQ(counters().sends, 0U);
}
INSTANTIATE_TEST_SUITE_P(
    Of, NdisChange,
    testing::Values(
        Change{"Mtu", "link set eth0 mtu 1400", {"unbind eth0", "bind eth0"}, {"pause eth0", "restart eth0"}},
        Change{"Address",
               "link set eth0 address 02:00:00:00:77:01",
               {"unbind eth0", "bind eth0"},
               {"pause eth0", "unbind eth0", "bind eth0", "restart eth0"}},
        Change{"Namespace", "link set eth0 netns ", {"unbind eth0"}, {"pause eth0", "unbind eth0"}},
        Change{"Deletion", "link del eth0", {"unbind eth0"}, {"pause eth0", "unbind eth0"}}),
    [](const auto& one) { return one.param.name; });

void requests(bool pend, bool held) {
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, pend ? TP_NDIS_PEND_REQUEST : 0), NO_ERROR);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_HOLD_REQUESTS, held ? 1 : 0), NO_ERROR);
}

// clauses: NDIS-158 NDIS-184 NDIS-188 NDIS-189
TEST_P(NdisChange, LosesNoRequestThatIsUnderWay_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  Asker five(*scene.five);
  Asker six(*scene.six);
  scene.start();
  requests(true, false);
  five.start();
  six.start();
  EXPECT_TRUE(eventually([&] { return five.has_asked(50) && six.has_asked(50); }));
  scene.make(GetParam());
  scene.await(GetParam());
  five.stop();
  six.stop();
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  const Lines lines = told();
  EXPECT_EQ(of(lines, "Five"), GetParam().five);
  EXPECT_EQ(of(lines, "Six"), GetParam().six);
  // Aborted by a close, or taken back; of an interface that has gone, though the library did not know yet.
  std::vector<NDIS_STATUS> allowed{NDIS_STATUS_SUCCESS, NDIS_STATUS_REQUEST_ABORTED};
  if (GetParam().removes()) {
    allowed.insert(allowed.end(), {NDIS_STATUS_ADAPTER_REMOVED, NDIS_STATUS_FAILURE, NDIS_STATUS_NOT_ACCEPTED});
  }
  five.expect_each_once(allowed);
  six.expect_each_once(allowed);
  EXPECT_EQ(counters().requests, 0U);
}

// What waits for its answer while the link changes ends as the change has it: a pause lets it wait, a close aborts it,
// a removal says so. clauses: NDIS-049 NDIS-168 NDIS-177 NDIS-184 NDIS-188 NDIS-189
TEST_P(NdisChange, EndsTheRequestsThatWait_choice) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  constexpr int kEach = 20;
  const bool removes = GetParam().removes();
  Scene scene(*ground);
  Asker five(*scene.five);
  Asker six(*scene.six, removes ? Asker::TakesBack::kNothing : Asker::TakesBack::kItself);
  scene.start();
  Binding& six_before = scene.six->last();
  requests(true, true);
  for (int each = 0; each < kEach; ++each) {
    EXPECT_EQ(five.ask(scene.five->last()).answer, NDIS_STATUS_PENDING);
    EXPECT_EQ(six.ask(six_before).answer, NDIS_STATUS_PENDING);
  }
  EXPECT_EQ(counters().requests, 2U * kEach);
  scene.make(GetParam());
  EXPECT_TRUE(eventually([&] { return five.all_answered(); }));
  five.expect_each_once({removes ? NDIS_STATUS_ADAPTER_REMOVED : NDIS_STATUS_REQUEST_ABORTED});
  if (GetParam().six.back() == "restart eth0" && GetParam().six.size() == 2) {  // no more than a pause
    EXPECT_TRUE(comes("Six: restart eth0"));
    EXPECT_TRUE(six.none_answered());
    six.take_back(six_before);
  }
  EXPECT_TRUE(eventually([&] { return six.all_answered(); }));
  six.expect_each_once({removes ? NDIS_STATUS_ADAPTER_REMOVED : NDIS_STATUS_REQUEST_ABORTED});
  requests(true, false);  // who binds again asks again
  scene.await(GetParam());
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  const Lines lines = told();
  EXPECT_EQ(of(lines, "Five"), GetParam().five);
  EXPECT_EQ(of(lines, "Six"), GetParam().six);
  EXPECT_EQ(counters().requests, 0U);
}

Bytes raw(std::initializer_list<std::uint8_t> head, std::size_t length) {
  Bytes bytes = bytes_of(kBroadcast);
  const Bytes from = bytes_of(kPeer);
  bytes.insert(bytes.end(), from.begin(), from.end());
  bytes.insert(bytes.end(), head);
  bytes.resize(std::max(length, bytes.size()), 0x5a);
  return bytes;
}

// clauses: NDIS-139
TEST(NdisVethFrames, OddOnesComeWholeOrNotAtAll) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  scene.five->filter = scene.six->filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  scene.start();
  scene.left.ip({"link set eth0 mtu 9000"});
  const auto offer = [&](const Bytes& bytes) {
    try {
      scene.left.inject("eth0", bytes);
    } catch (const ground::GroundError&) {  // the wire itself takes no such frame
      EXPECT_GT(bytes.size(), 1514U);
    }
  };
  for (const std::size_t length : {15, 20, 59, 60, 1514, 1515, 1518, 1519, 4000}) {
    offer(raw({0x88, 0xb5}, length));
  }
  offer(raw({0x88, 0xa8, 0x00, 0x05, 0x81, 0x00, 0x00, 0x06, 0x88, 0xb5}, 100));   // two tags
  offer(raw({0x81, 0x00, 0x00, 0x05, 0x81, 0x00, 0x00, 0x06, 0x88, 0xb5}, 1522));  // and full
  offer(raw({0x81, 0x00, 0x00, 0x05}, 16));                                        // nothing behind it
  offer(raw({0x81, 0x00}, 15));                                                    // half of it
  offer(raw({0x00, 0x08, 0xaa, 0xaa, 0x03}, 20));                                  // a length, and less than that
  offer(raw({0x08, 0x00, 0x4f, 0x00, 0xff, 0xff}, 34));                            // a packet that says it is longer
  scene.left.inject("eth0", frame(kBroadcast, "last"));
  ASSERT_TRUE(comes("Five: gets eth0 last"));
  ASSERT_TRUE(comes("Six: gets eth0 last"));
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  for (Driver* const driver : {static_cast<Driver*>(&*scene.five), static_cast<Driver*>(&*scene.six)}) {
    const std::size_t longest = driver->number(driver->last(), OID_GEN_MAXIMUM_TOTAL_SIZE);
    EXPECT_EQ(longest, 1514U);
    std::size_t whole = 0;
    for (const Received& each : driver->received()) {
      EXPECT_LE(each.bytes.size(), longest) << driver->name();
      EXPECT_GE(each.bytes.size(), 14U) << driver->name();
      whole += each.bytes == raw({0x88, 0xb5}, each.bytes.size()) ? 1 : 0;
    }
    EXPECT_EQ(whole, 5U) << driver->name() << ": of 15, 20, 59, 60 and 1514 bytes";
  }
  EXPECT_EQ(counters().retained, 0U);
}

// What the host on the other side sends over a veth pair has no checksum until the library computes it.
// clauses: NDIS-221
TEST(NdisVethFrames, OfTcpAndUdpSayThatTheirChecksumIsGood) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  Scene scene(*ground);
  Gate five, six;
  std::atomic<ULONG_PTR> said5{0}, said6{0};
  scene.five->on_packet = [&](Binding&, PNDIS_PACKET packet) {
    if (const Bytes bytes = bytes_of(packet); bytes.size() > 14 && bytes[12] == 0x08 && bytes[13] == 0) {
      said5 = TP_BITS(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpIpChecksumPacketInfo));
      five.open();
    } else {
      EXPECT_EQ(NDIS_PER_PACKET_INFO_FROM_PACKET(packet, TcpIpChecksumPacketInfo), nullptr);
    }
    return 0;
  };
  scene.six->on_lists = [&](Indication& indication) {
    for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
      const Bytes bytes = bytes_of(NET_BUFFER_LIST_FIRST_NB(each));
      if (bytes.size() > 14 && bytes[12] == 0x08 && bytes[13] == 0) {
        said6 = TP_BITS(NET_BUFFER_LIST_INFO(each, TcpIpChecksumNetBufferListInfo));
        six.open();
      } else {
        EXPECT_EQ(NET_BUFFER_LIST_INFO(each, TcpIpChecksumNetBufferListInfo), nullptr);
      }
    }
    NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
  };
  scene.start();
  scene.left.inject("eth0", frame(kBroadcast, "neither"));
  ASSERT_TRUE(comes("Five: gets eth0 neither"));
  ASSERT_TRUE(comes("Six: gets eth0 neither"));
  scene.left.ip({"addr add 10.0.0.1/24 dev eth0"});
  scene.left.run({"python3", "-c",
                  "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                  "s.setsockopt(socket.SOL_SOCKET,socket.SO_BROADCAST,1)\ns.sendto(b'x'*99,('10.0.0.255',5000))\n"});
  ASSERT_TRUE(five.wait());
  ASSERT_TRUE(six.wait());
  EXPECT_EQ(said5, 16U) << "UDP";
  EXPECT_EQ(said6, 16U);
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
}

// By the kernel's own clock, on the scale of each generation.
// clauses: NDIS-218 NDIS-220
TEST(NdisVethFrames, SayWhenTheyCame) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) {
    return;
  }
  constexpr ULONG64 kInexact = 1000;  // of 100 ns
  const auto system_time = [] {
    LARGE_INTEGER now;
    NdisGetCurrentSystemTime(&now);
    return static_cast<ULONG64>(now.QuadPart);
  };
  const auto counter = [] { return static_cast<ULONG64>(KeQueryPerformanceCounter(nullptr).QuadPart); };
  Scene scene(*ground);
  std::atomic<ULONG64> last5{0}, last6{0};
  scene.five->on_packet = [&](Binding&, PNDIS_PACKET packet) {
    EXPECT_GE(NDIS_GET_PACKET_TIME_RECEIVED(packet), last5);
    EXPECT_LE(NDIS_GET_PACKET_TIME_RECEIVED(packet), system_time());
    last5 = NDIS_GET_PACKET_TIME_RECEIVED(packet);
    return 0;
  };
  scene.six->on_lists = [&](Indication& indication) {
    for (PNET_BUFFER_LIST each = indication.lists; each != nullptr; each = NET_BUFFER_LIST_NEXT_NBL(each)) {
      NET_BUFFER_LIST_TIMESTAMP time{};
      NdisGetNblTimestampInfo(each, &time);
      EXPECT_GE(time.Timestamp, last6);
      EXPECT_LE(time.Timestamp, counter() + kInexact);
      last6 = time.Timestamp;
    }
    NdisReturnNetBufferLists(indication.binding.handle, indication.lists, 0);
  };
  scene.start();
  last5 = system_time();
  last6 = counter() - kInexact;
  for (int count = 1; count <= 3; ++count) {
    scene.left.inject("eth0", frame(kBroadcast, "now"));
    ASSERT_TRUE(comes("Five: gets eth0 now", count));
    ASSERT_TRUE(comes("Six: gets eth0 now", count));
  }
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
}

}  // namespace
}  // namespace turnpike::conformance
