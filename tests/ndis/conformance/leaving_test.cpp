// NDIS-082, NDIS-084, NDIS-085: what a driver leaves behind, and one that will not go.
#include <turnpike/log.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// What the log says as long as this lives: "room: message key=text …", warnings and worse.
class Log {
 public:
  Log() { EXPECT_EQ(TpLogOpenCallback(TP_LOG_WARNING, write, this, &sink_), NO_ERROR); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { EXPECT_EQ(TpLogClose(sink_), NO_ERROR); }

  /// The line with those words, in that order; empty: none comes.
  std::string await(const std::string& first, const std::string& second) {
    std::unique_lock lock(mutex_);
    std::string found;
    written_.wait_for(lock, kPatience, [&] {
      for (const std::string& line : lines_) {
        const std::size_t at = line.find(first);
        if (at != std::string::npos && line.find(second, at) != std::string::npos) {
          found = line;
        }
      }
      return !found.empty();
    });
    return found;
  }

 private:
  static void write(void* context, const TpLogRecord* record) {
    Log& self = *static_cast<Log*>(context);
    std::string line = std::string(record->room) + ": " + record->message;
    for (std::uint32_t at = 0; at < record->field_count; ++at) {
      const TpLogField& field = record->fields[at];
      line += std::string(" ") + field.key + "=" + (field.type == TP_LOG_TEXT ? field.value.text : "");
    }
    const std::lock_guard lock(self.mutex_);
    self.lines_.push_back(line);
    self.written_.notify_all();
  }

  TpLogSink sink_{};
  std::mutex mutex_;
  std::condition_variable written_;
  Lines lines_;
};

class NdisLeftBehind : public NdisTest {};

// clauses: NDIS-082
TEST_F(NdisLeftBehind, PacketPoolsOutliveTheProtocol_choice) {
  const Adapter adapter("a");
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  NDIS_HANDLE pool = nullptr;
  NdisAllocatePacketPool(&status, &pool, 4, 0);
  ASSERT_EQ(status, NDIS_STATUS_SUCCESS);
  PNDIS_PACKET before = nullptr;
  NdisAllocatePacket(&status, &before, pool);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  {
    Driver5 p("P");
    p.start();
    EXPECT_EQ(p.deregister(), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(text_of(bytes_of(p.packet(frame(kPeer, "after")))), "after");  // of the driver's own pools
  }
  EXPECT_EQ(NdisPacketPoolUsage(pool), 1U);
  PNDIS_PACKET after = nullptr;
  NdisAllocatePacket(&status, &after, pool);
  EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  NdisFreePacket(before);
  NdisFreePacketPool(pool);
  EXPECT_EQ(violations(), Lines{"NdisFreePacketPool"});  // a packet of it is out
  NdisFreePacket(after);
  told();
}

// clauses: NDIS-082
TEST_F(NdisLeftBehind, NetBufferPoolsOutliveTheProtocolAndAreReported_choice) {
  const Adapter adapter("a");
  Log log;
  Driver6 p("P");
  p.start();
  p.list(frame(kPeer, "kept"));  // makes both pools
  p.deregister();
  const std::string line = log.await("ndis: ", "1 net buffer list pool with 1 in use");
  EXPECT_NE(line.find("1 net buffer pool with 1 in use"), std::string::npos) << line;
  EXPECT_EQ(violations(), Lines{});
  const PNET_BUFFER_LIST after = NdisAllocateNetBufferList(p.list_pool(), 0, 0);
  EXPECT_NE(after, nullptr);
  NdisFreeNetBufferList(after);
  told();
}

// clauses: NDIS-084
TEST_F(NdisLeftBehind, ProtocolOfADriverThatFailedIsReportedAndGone) {
  static Driver6* forgotten;
  static bool leaves_it;
  leaves_it = true;
  const Adapter adapter("a");
  Driver6 p("P");
  forgotten = &p;
  const auto entry = +[](PDRIVER_OBJECT, PUNICODE_STRING) -> NTSTATUS {
    EXPECT_EQ(forgotten->register_protocol(), NDIS_STATUS_SUCCESS);
    if (!leaves_it) {
      forgotten->deregister();
    }
    return NDIS_STATUS_FAILURE;
  };
  TP_NDIS_DRIVER driver = 0;
  std::int32_t status = 0;
  EXPECT_EQ(TpNdisStartDriver("forgetful", reinterpret_cast<void*>(entry), &driver, &status), ERROR_GEN_FAILURE);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(violations(), Lines{"DriverEntry"});
  EXPECT_EQ(counters().protocols, 0U);
  EXPECT_EQ(counters().bindings, 0U);
  const Bytes any = frame(kBroadcast, "x");
  EXPECT_EQ(TpNdisAdapterInject(adapter.index(), any.data(), any.size()), ERROR_BUSY);  // nobody has it open
  leaves_it = false;
  EXPECT_EQ(TpNdisStartDriver("forgetful", reinterpret_cast<void*>(entry), &driver, &status), ERROR_GEN_FAILURE);
  EXPECT_EQ(violations(), Lines{});
  EXPECT_EQ(counters().protocols, 0U);
  told();
}

// NDIS is started with a watchdog that is quick, but not so quick that the log would hold back what it says.
class NdisStuck : public NdisTest {
 protected:
  NdisStuck() : NdisTest(100) {}

  // Keeps two frames for ever, or nearly. Its unbind waits for its close, or pends meanwhile.
  static void expect_named(Driver& driver, bool pends) {
    const Adapter adapter("a");
    if (pends) {
      knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_CLOSE);
      driver.on_unbind = [&](Binding& binding) {
        EXPECT_EQ(driver.close(binding), NDIS_STATUS_PENDING);
        return NDIS_STATUS_PENDING;
      };
      driver.on_close_complete = [&](Binding& binding) { driver.complete_unbind(binding); };
    }
    driver.start();
    driver.keep_all();
    adapter.inject(frame(kBroadcast, "1"));
    adapter.inject(frame(kBroadcast, "2"));
    Log log;
    Gate left;
    std::thread leaving([&] {
      driver.deregister();
      left.open();
    });
    const std::string line = log.await("protocol=TESTP", "2 retained");
    EXPECT_NE(line.find(" on a"), std::string::npos) << line;
    EXPECT_TRUE(left.stays_shut());
    driver.give_back();
    EXPECT_TRUE(left.wait());
    leaving.join();
    told();
  }
};

// clauses: NDIS-085
TEST_F(NdisStuck, DriverOfNdis5IsNamedWithWhatItOwes_choice) {
  for (const bool pends : {false, true}) {
    Driver5 p("P");
    expect_named(p, pends);
  }
}

// clauses: NDIS-085
TEST_F(NdisStuck, DriverOfNdis6IsNamedWithWhatItOwes_choice) {
  for (const bool pends : {false, true}) {
    Driver6 p("P");
    expect_named(p, pends);
  }
}

}  // namespace
}  // namespace turnpike::conformance
