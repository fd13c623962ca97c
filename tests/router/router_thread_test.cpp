// The router on its own thread: what the kernel and modules say reaches it, turns are taken, and it ends.
#include "router/router_thread.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "router_scene.h"

namespace turnpike::router::test {
namespace {

// The system's, which leaps for one look of the thread that has set it to: the process was stopped meanwhile.
class LeapingClock final : public Clock {
 public:
  void leap_once(Duration by, std::function<void()> at_look) {
    by_ = by;
    at_look_ = std::move(at_look);
    who_ = std::this_thread::get_id();
  }
  MonotonicTime now() const noexcept override {
    if (who_ != std::this_thread::get_id()) return system_clock().now();
    who_ = std::thread::id();
    at_look_();
    return system_clock().now() + by_;
  }
  WallTime wall() const noexcept override { return system_clock().wall(); }
  Duration real_delay_until(MonotonicTime deadline) const noexcept override {
    return system_clock().real_delay_until(deadline);
  }
  void observe(ClockObserver&) override {}  // nobody turns it
  void unobserve(ClockObserver&) noexcept override {}

 private:
  Duration by_{};
  std::function<void()> at_look_;
  mutable std::atomic<std::thread::id> who_;
};

class OnAThread : public RouterTest {
 protected:
  OnAThread() : thread_({.kernel = kernel_, .clock = leaping_, .store = &store_}) {}
  ~OnAThread() override { thread_.stop(); }

  void run(const Plan& plan) {
    ASSERT_TRUE(thread_.run());
    ASSERT_TRUE(thread_.with([&](Router& router) { return router.start(plan).done; }));
  }
  // Until a module's function is called, from now on.
  std::future<void> call_of(Script& script, const std::string& name) {
    called_ = std::promise<void>();
    script.at_call = [this, name, done = false](const std::string& function) mutable {
      if (function == name && !std::exchange(done, true)) called_.set_value();
    };
    return called_.get_future();
  }

  std::promise<void> called_;
  LeapingClock leaping_;
  RouterThread thread_;
};

constexpr auto kLong = std::chrono::seconds(60);

TEST_F(OnAThread, HearsTheKernel) {
  std::future<void> told = call_of(a_, "AddInterface");
  run(plan_of_one());
  add_link("eth0");
  kernel_.release_notifications();
  EXPECT_EQ(told.wait_for(kLong), std::future_status::ready);
  thread_.stop();
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
}

TEST_F(OnAThread, HearsModules) {
  std::future<void> told = call_of(a_, "GetGlobalInfo");
  run(plan_of_one());
  a_.post(SAVE_GLOBAL_CONFIG_INFO);
  EXPECT_EQ(told.wait_for(kLong), std::future_status::ready);
}

TEST_F(OnAThread, TakesTurns) {
  add_link("eth0");
  run(plan_of_two());
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([this, i] {
      for (int round = 0; round < 50; ++round) {
        const std::string value = std::to_string(i) + "." + std::to_string(round);
        const bool done = thread_.with([&](Router& router) {
          return router.set_interface_info("eth0", TransportId::kIp, header({{kA, value}})).done;
        });
        EXPECT_TRUE(done);
        (void)thread_.answers().administer(TransportId::kIp, kB, {MibCall::kSet, 0, nullptr, nullptr, nullptr});
      }
    });
  }
  for (int i = 0; i < 50; ++i) a_.post(SAVE_GLOBAL_CONFIG_INFO);
  for (std::thread& each : others) each.join();
  EXPECT_TRUE(thread_.with([](Router& router) { return router.interface_info("eth0", TransportId::kIp).has_value(); }));
}

TEST_F(OnAThread, EndsWithModulesThatStopLater) {
  run(plan_of_one());
  a_.answers["StopProtocol"] = ERROR_PROTOCOL_STOP_PENDING;
  std::future<void> told = call_of(a_, "StopProtocol");
  std::thread stopper([&] { thread_.stop(); });
  EXPECT_EQ(told.wait_for(kLong), std::future_status::ready);
  a_.post(ROUTER_STOPPED);
  stopper.join();
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
}

// The module does not return from SetGlobalInfo, which it is called for, until it may. It is inside of it.
class Hang {
 public:
  Hang(Script& script, RouterThread& thread) {
    script.at_call = [this](const std::string& function) {
      if (function != "SetGlobalInfo") return;
      inside_.set_value();
      go_on_.get_future().wait();
    };
    thread.post([](Router& router) { (void)router.set_global_info(TransportId::kIp, header({{kA, "x"}})); });
    inside_.get_future().wait();
  }
  void end() { go_on_.set_value(); }

 private:
  std::promise<void> inside_, go_on_;
};

TEST_F(OnAThread, TellsWhoHangsWhileItHangs) {
  run(plan_of_one());
  Hang hang(a_, thread_);
  const auto hanging = thread_.hanging(Duration::zero());
  ASSERT_EQ(hanging.size(), 1U);
  EXPECT_EQ(hanging[0].module, "a");
  EXPECT_EQ(hanging[0].function, "SetGlobalInfo");
  hang.end();
  thread_.stop();
}

TEST_F(OnAThread, IsNotWaitedForWhileAModuleHangs) {
  run(plan_of_one());
  Hang hang(a_, thread_);
  // Shared with a wish that may be carried out when this is over.
  const auto was_late = std::make_shared<std::atomic<bool>>(false);
  EXPECT_FALSE(thread_.within(std::chrono::milliseconds(1), [was_late](Router&) { return was_late->exchange(true); }));
  EXPECT_FALSE(thread_.stop(std::chrono::milliseconds(1)));
  EXPECT_FALSE(thread_.is_stuck(Duration::zero()));  // the module is
  ASSERT_EQ(thread_.last_modules().size(), 1U);
  EXPECT_EQ(thread_.last_modules()[0].name, "a");
  hang.end();
  thread_.stop();
  EXPECT_EQ(a_.global, "x");  // what had begun was done
  EXPECT_FALSE(*was_late);    // what had not never was
  EXPECT_EQ(thread_.within(kLong, [](Router&) { return 7; }), 7);
}

TEST_F(OnAThread, AModuleIsNotGivenUpForTimeInWhichNothingRan) {
  run(plan_of_one());
  Hang hang(a_, thread_);
  leaping_.leap_once(RouterThread::kSuspect * 2, [&] { hang.end(); });
  EXPECT_EQ(thread_.within(kLong, [](Router&) { return 7; }), 7);
  thread_.stop();
}

TEST_F(OnAThread, DoesWhatNobodyWaitsFor) {
  run(plan_of_one());
  std::promise<void> done;
  thread_.post([&](Router&) { done.set_value(); });
  EXPECT_EQ(done.get_future().wait_for(kLong), std::future_status::ready);
}

TEST_F(OnAThread, StopsTwiceAndWithoutARun) {
  thread_.stop();
  ASSERT_TRUE(thread_.run());
  thread_.stop();
  thread_.stop();
}

}  // namespace
}  // namespace turnpike::router::test
