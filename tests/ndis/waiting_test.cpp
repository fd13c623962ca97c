// Who waits for a driver that does not come back: a deregistration, a host that unloads it. The log says who waits, for
// which protocol, inside which callback it is, for how long, and what it owes (contract, D.6; NDIS-085).
#include <algorithm>
#include <atomic>
#include <future>

#include "base/log_capture.h"
#include "scripted_driver.h"

namespace turnpike::ndis::testing {
namespace {

class Waiting : public ::testing::Test {
 protected:
  static constexpr EngineOptions kQuick{.watchdog = std::chrono::milliseconds(1)};

  Waiting() {
    EXPECT_TRUE(engine.start());
    eth0 = world.add_ethernet("eth0");
    script.generation = Generation::k5;
    script.on_any = [this](const char* where) {
      if (stuck == where) {
        script.journal.add("stuck");
        let_go.get_future().wait();
        stuck.clear();
      }
    };
  }

  void begin() {
    Registration registration;
    registration.name = "STUCK";
    registration.generation = script.generation;
    registration.driver = std::make_unique<ScriptedDriver>(script);
    ASSERT_EQ(engine.register_protocol(std::move(registration), script.protocol), Status::kSuccess);
    engine.begin(script.protocol);
  }
  // Waits for a line that has all of these, in their order; it comes, or the test does not end.
  std::string said(const std::vector<std::string>& parts) const {
    for (;;) {
      for (const std::string& line : log.lines()) {
        std::size_t at = 0;
        if (std::ranges::all_of(parts, [&](const std::string& part) {
              at = line.find(part, at);
              return at != std::string::npos;
            })) {
          return line;
        }
      }
      std::this_thread::yield();
    }
  }
  void leave() { EXPECT_TRUE(engine.deregister(script.protocol, script.generation, "test")); }

  MemoryAdapters world;
  TestClock clock;
  Engine engine{world, clock, kQuick};
  const LogCapture log{process_log()};
  Script script{engine};
  net::InterfaceIndex eth0;
  std::string stuck;  // where the driver stays until let_go
  std::promise<void> let_go;
};

// The driver is inside a callback, and stays there: each that the control thread or the passive thread makes.
TEST_F(Waiting, ForADeregistrationNamesTheCallback) {
  stuck = "bind";
  begin();
  ASSERT_TRUE(script.journal.await("stuck"));
  std::thread leaving([this] { leave(); });
  said({"waiting=deregistration", "protocol=STUCK", "callback=\"bind of eth0 for 0.0 s\"", "bind of eth0"});
  ASSERT_TRUE(clock.advance(std::chrono::milliseconds(31'200)));
  said({"waiting=deregistration", "callback=\"bind of eth0 for 31.2 s\"", "outstanding=\"bind of eth0 for 31.2 s\""});
  let_go.set_value();
  leaving.join();
}

TEST_F(Waiting, ForADeregistrationNamesTheCompletionThatDoesNotReturn) {
  stuck = "close complete";
  engine.knobs().force_pend = pend::kClose;
  begin();
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::thread leaving([this] { leave(); });
  ASSERT_TRUE(script.journal.await("stuck"));
  said({"protocol=STUCK", "callback=\"close complete of eth0 for", "outstanding=\"unbind of eth0 for"});
  let_go.set_value();
  leaving.join();
}

TEST_F(Waiting, ForADeregistrationNamesTheEventThatIsOwed) {
  script.generation = Generation::k6;
  std::atomic<const void*> owed{nullptr};
  script.on_event = [&](Binding*, NetEventNote& note) {
    if (note.event != NetEvent::kPause) {
      return Status::kSuccess;
    }
    owed = &note;
    script.journal.add("owes");
    return Status::kPending;
  };
  begin();
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::thread leaving([this] { leave(); });
  ASSERT_TRUE(script.journal.await("owes"));
  // So that it is not taken for what is said before the driver has been called.
  ASSERT_TRUE(clock.advance(std::chrono::milliseconds(31'200)));
  said({"protocol=STUCK", "callback=none", "1 events on eth0", "pause event for 31.2 s"});
  engine.complete_event(script.binding(), owed, Status::kSuccess);
  leaving.join();
}

// A host that unloads a driver waits like one that deregisters.
TEST_F(Waiting, ForAnUnloadNamesTheDriver) {
  stuck = "unbind";
  begin();
  ASSERT_TRUE(script.journal.await("binds complete"));
  std::thread unloading([this] { EXPECT_TRUE(engine.retire(script.protocol)); });
  ASSERT_TRUE(script.journal.await("stuck"));
  said({"waiting=unloading", "protocol=STUCK", "callback=\"unbind of eth0 for", "outstanding=\"unbind of eth0 for"});
  let_go.set_value();
  unloading.join();
  leave();
}

TEST_F(Waiting, ForAnUnloadNamesWhatTheDriverKeeps) {
  std::atomic<Binding*> keeper{nullptr};
  script.on_receive = [&](Binding& binding, std::span<const Indicated>) {
    keeper = &binding;
    binding.hold(Held::kRetained);
  };
  begin();
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  std::uint32_t filter = packet_type::kBroadcast;
  OidRequest request{.type = OidRequest::Type::kSet, .oid = 0x0001010E, .buffer = &filter, .length = 4};
  ASSERT_EQ(engine.request(script.binding(), request, nullptr, nullptr), Status::kSuccess);
  ASSERT_TRUE(world.inject(eth0, frame_to(net::MacAddress::broadcast())));
  std::thread unloading([this] { EXPECT_TRUE(engine.retire(script.protocol)); });
  said({"waiting=unloading", "protocol=STUCK", "callback=none", "1 retained frames on eth0"});
  engine.returned(*keeper.load(), 1);
  unloading.join();
  leave();
}

TEST_F(Waiting, ForAReleaseNamesWhoHasNotAnswered) {
  stuck = "query remove";
  begin();
  ASSERT_TRUE(script.journal.await("binds complete"));
  engine.quiesce();
  std::thread host([this] { EXPECT_TRUE(engine.request_release(eth0)); });
  ASSERT_TRUE(script.journal.await("stuck"));
  said({"waiting=\"release of an adapter\"", "protocol=STUCK", "callback=\"query remove of eth0 for",
        "query remove event for"});
  let_go.set_value();
  host.join();
  leave();
}

// The handler itself, which the host calls on its own thread, is looked after, too; and may deregister.
TEST_F(Waiting, ForAHostsCallbackNamesIt) {
  begin();
  ASSERT_TRUE(script.journal.await("binds complete"));
  EXPECT_TRUE(engine.retire(script.protocol));
  std::atomic<int> called{0};
  std::thread host([&] {
    engine.call_for_host(script.protocol, "UnloadHandler", [&](Driver&) {
      ++called;
      let_go.get_future().wait();
      leave();
    });
  });
  said({"waiting=unloading", "protocol=STUCK", "callback=\"UnloadHandler for"});
  let_go.set_value();
  host.join();
  engine.call_for_host(script.protocol, "UnloadHandler", [&](Driver&) { ++called; });  // it has gone
  EXPECT_EQ(called, 1);
  EXPECT_EQ(engine.counts().protocols, 0U);
}

}  // namespace
}  // namespace turnpike::ndis::testing
