// RP-049 … RP-052: how modules stop, and when their library goes.
#include <handleapi.h>
#include <libloaderapi.h>
#include <synchapi.h>

#include <thread>

#include "router_scene.h"

namespace turnpike::router::test {
namespace {

class Stop : public RouterTest {
 protected:
  void run(const Plan& plan = plan_of_one()) {
    add_link("eth0");
    ASSERT_TRUE(start(plan).refusals.empty());
    (void)a_.told();
    (void)a_.asked_for_messages();
  }
  // What an abandoned module keeps, so that the next test begins without it.
  void forget_what_stays_loaded() {
    router_.reset();
    EXPECT_TRUE(FreeLibrary(GetModuleHandleA(SCRIPTED_MODULE)));
    EXPECT_TRUE(CloseHandle(a_.event));
    make_router();
  }
  ModuleState state() { return router_->modules().at(0).state; }
};

// clauses: RP-049
TEST_F(Stop, IsOverAtOnce) {
  run();
  router_->stop();
  settle();
  EXPECT_TRUE(router_->is_idle());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
  EXPECT_EQ(functions_of(a_.told()), (Lines{"InterfaceStatus", "StopProtocol"}));
}

// clauses: RP-050 RP-051
TEST_F(Stop, MayComeLater) {
  run();
  a_.answers["StopProtocol"] = ERROR_PROTOCOL_STOP_PENDING;
  router_->stop();
  settle();
  EXPECT_FALSE(router_->is_idle());
  EXPECT_EQ(state(), ModuleState::kStopping);
  EXPECT_TRUE(is_loaded(SCRIPTED_MODULE));
  EXPECT_EQ(a_.told().back(), "StopProtocol");
  a_.post(SAVE_GLOBAL_CONFIG_INFO);
  add_link("eth1");
  settle();
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_TRUE(is_loaded(SCRIPTED_MODULE));
  EXPECT_EQ(a_.asked_for_messages(), (Lines{"1", "nothing"}));
  a_.post(ROUTER_STOPPED);
  settle();
  EXPECT_TRUE(router_->is_idle());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
  EXPECT_EQ(a_.told(), Lines());
}

// clauses: RP-051
TEST_F(Stop, LetsNobodyInAnyMore) {
  run(plan_of_two());
  a_.answers["StopProtocol"] = ERROR_PROTOCOL_STOP_PENDING;
  Plan plan = plan_of_two();
  plan.transports[0].global_info = header({{kB, "gb"}});
  ASSERT_TRUE(router_->apply(plan).done);
  (void)a_.told();
  EXPECT_EQ(b_.support.MIBEntrySet(kA, 0, nullptr), static_cast<DWORD>(ERROR_UNKNOWN_PROTOCOL_ID));
  EXPECT_EQ(router_->update_routes("eth0", TransportId::kIp, kA),
            static_cast<std::uint32_t>(ERROR_UNKNOWN_PROTOCOL_ID));
  EXPECT_FALSE(router_->global_info(TransportId::kIpv6));
  EXPECT_TRUE(router_->global_info(TransportId::kIp));
  EXPECT_EQ(a_.told(), Lines());
  a_.post(ROUTER_STOPPED);
  settle();
  EXPECT_TRUE(is_loaded(SCRIPTED_MODULE));  // of b
  EXPECT_EQ(router_->modules().size(), 1U);
}

// clauses: RP-052
TEST_F(Stop, ThatNeverComesIsGivenUp) {
  run();
  a_.answers["StopProtocol"] = ERROR_PROTOCOL_STOP_PENDING;
  router_->stop();
  settle();
  ASSERT_TRUE(router_->deadline());
  EXPECT_EQ(*router_->deadline() - clock_.now(), kStopLimit);
  ASSERT_TRUE(clock_.advance(kStopLimit - std::chrono::nanoseconds(1)));
  settle();
  EXPECT_FALSE(router_->is_idle());
  ASSERT_TRUE(clock_.advance(std::chrono::nanoseconds(1)));
  settle();
  EXPECT_TRUE(router_->is_idle());
  EXPECT_TRUE(is_loaded(SCRIPTED_MODULE));
  const Lines log = log_.lines();
  EXPECT_TRUE(std::ranges::any_of(log, [](const std::string& line) {
    return line.find("a module has not stopped in time, and stays loaded") != std::string::npos &&
           line.find("module=a") != std::string::npos;
  }));
  forget_what_stays_loaded();
}

TEST_F(Stop, ThatIsRefusedLeavesTheLibrary) {
  run();
  a_.answers["StopProtocol"] = ERROR_CAN_NOT_COMPLETE;
  router_->stop();
  settle();
  EXPECT_TRUE(router_->is_idle());
  EXPECT_TRUE(is_loaded(SCRIPTED_MODULE));
  forget_what_stays_loaded();
}

TEST_F(Stop, OfItselfIsNoticed) {
  run();
  a_.post(ROUTER_STOPPED);
  settle();
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
  EXPECT_EQ(state(), ModuleState::kRefused);
  add_link("eth1");
  (void)router_->set_enabled("eth0", false);
  settle();
  EXPECT_EQ(a_.told(), Lines());
}

// A thread that is inside a module's MIB function holds the library, however long it takes.
TEST_F(Stop, WaitsForThreadsInside) {
  run();
  HANDLE inside = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  HANDLE go_on = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  a_.at_call = [&](const std::string& function) {
    if (function != "MibS") return;
    SetEvent(inside);
    WaitForSingleObject(go_on, INFINITE);
  };
  std::thread caller([&] {
    (void)router_->answers().administer(TransportId::kIp, kA, {MibCall::kSet, 0, nullptr, nullptr, nullptr});
  });
  WaitForSingleObject(inside, INFINITE);
  router_->stop();
  settle();
  EXPECT_FALSE(router_->is_idle());
  EXPECT_TRUE(is_loaded(SCRIPTED_MODULE));
  ASSERT_TRUE(router_->deadline());
  EXPECT_LT(*router_->deadline() - clock_.now(), std::chrono::seconds(1));
  SetEvent(go_on);
  caller.join();
  settle();
  EXPECT_TRUE(router_->is_idle());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
  CloseHandle(inside);
  CloseHandle(go_on);
}

// Support functions refuse a module that has stopped, and go on for the others.
TEST_F(Stop, EndsSupport) {
  run(plan_of_two());
  const SUPPORT_FUNCTIONS of_a = a_.support;
  EXPECT_NE(of_a.GetRouterId, nullptr);
  Plan plan = plan_of_two();
  plan.transports[0].global_info = header({{kB, "gb"}});
  ASSERT_TRUE(router_->apply(plan).done);
  settle();
  DWORD size = 0;
  EXPECT_EQ(of_a.MIBEntryGet(kB, 0, nullptr, &size, nullptr), static_cast<DWORD>(ERROR_ROUTER_STOPPED));
  EXPECT_EQ(of_a.MIBEntryCreate(kB, 0, nullptr), static_cast<DWORD>(ERROR_ROUTER_STOPPED));
  EXPECT_EQ(of_a.DemandDialRequest(kA, 2), static_cast<DWORD>(ERROR_ROUTER_STOPPED));
  EXPECT_EQ(of_a.SetInterfaceReceiveType(kA, 2, 0, TRUE), static_cast<DWORD>(ERROR_ROUTER_STOPPED));
  EXPECT_EQ(of_a.ValidateRoute(kA, nullptr, nullptr), static_cast<DWORD>(ERROR_ROUTER_STOPPED));
  EXPECT_EQ(of_a.GetRouterId(), 0U);
  EXPECT_FALSE(of_a.HasMulticastBoundary(2, 0));
  EXPECT_EQ(b_.support.ValidateRoute(kB, nullptr, nullptr), static_cast<DWORD>(ERROR_INVALID_PARAMETER));
}

TEST_F(Stop, AndStartAnewAreRepeatable) {
  for (int i = 0; i < 200; ++i) {  // more often than there are seats
    make_router();
    ASSERT_TRUE(start(plan_of_two()).refusals.empty()) << i;
    stop();
    ASSERT_TRUE(router_->is_idle());
    ASSERT_FALSE(is_loaded(SCRIPTED_MODULE));
  }
}

}  // namespace
}  // namespace turnpike::router::test
