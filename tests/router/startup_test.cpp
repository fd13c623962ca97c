// RP-015 … RP-021: what modules are given when the router starts, and in which order.
#include <handleapi.h>
#include <synchapi.h>

#include "router_scene.h"

namespace turnpike::router::test {
namespace {

using Startup = RouterTest;

// clauses: RP-015 RP-016 RP-017
TEST_F(Startup, GivesTheModuleItsBlockAndItsMeans) {
  Plan plan = plan_of_one();
  const std::string block("a\0b\xff", 4);
  plan.transports[0].global_info = header({{9, "not a's"}, {kA, block}});
  start(plan);
  EXPECT_EQ(a_.global, block);
  EXPECT_EQ(lines_of(a_.told(), "StartProtocol"), Lines{"StartProtocol '" + block + "' 1 4 1"});
  EXPECT_TRUE(SetEvent(a_.event));
  ASSERT_NE(a_.support_pointer, nullptr);
  EXPECT_EQ(a_.support.dwVersion, static_cast<DWORD>(MS_ROUTER_VERSION));
  EXPECT_EQ(a_.support.dwReserved, 0U);
  const auto* pointers = reinterpret_cast<void* const*>(reinterpret_cast<const char*>(&a_.support) + 8);
  for (int i = 0; i < 11; ++i) EXPECT_NE(pointers[i], nullptr) << i;
  EXPECT_EQ(sizeof(a_.support), 8 + 11 * sizeof(void*));
}

// clauses: RP-018 RP-019
TEST_F(Startup, HasItsOrder) {
  const net::InterfaceIndex eth0 = add_link("eth0");
  add_address(eth0, "192.0.2.1");
  add_link("eth1");
  Lines order;  // over both modules
  for (const auto& [script, module] : {std::pair{&a_, "a "}, std::pair{&b_, "b "}}) {
    script->at_call = [&order, name = std::string(module)](const std::string& function) {
      order.push_back(name + function);
    };
  }
  start(plan_of_two());
  const Lines begin = {"a RegisterProtocol", "a StartProtocol", "b RegisterProtocol",
                       "b StartProtocol",    "a AddInterface",  "b AddInterface",
                       "b AddInterface",     "a StartComplete", "b StartComplete"};
  ASSERT_GT(order.size(), begin.size());
  EXPECT_EQ(Lines(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(begin.size())), begin);
  for (auto line = order.begin() + static_cast<std::ptrdiff_t>(begin.size()); line != order.end(); ++line) {
    EXPECT_EQ(line->substr(2), "InterfaceStatus");
  }
}

// clauses: RP-019
TEST_F(Startup, KeepsStatusBackWhileInterfacesAreAdded) {
  const net::InterfaceIndex eth0 = add_link("eth0");
  set_up(eth0, false);
  a_.at_call = [&](const std::string& function) {
    if (function == "AddInterface") set_up(eth0, true);
  };
  start(plan_of_one());
  const Lines functions = functions_of(a_.told());
  const auto completed = std::ranges::find(functions, "StartComplete");
  ASSERT_NE(completed, functions.end());
  EXPECT_EQ(std::find(functions.begin(), completed, "InterfaceStatus"), completed);
  EXPECT_NE(std::find(completed, functions.end(), "InterfaceStatus"), functions.end());
}

// clauses: RP-020
TEST_F(Startup, GoesOnWithoutAModuleThatFails) {
  for (const DWORD code : {ERROR_CAN_NOT_COMPLETE, ERROR_INVALID_PARAMETER}) {
    make_router();
    add_link("eth0");
    a_.answers["StartProtocol"] = code;
    const Outcome outcome = start(plan_of_two());
    ASSERT_EQ(outcome.refusals.size(), 1U);
    EXPECT_EQ(outcome.refusals[0].code, code);
    EXPECT_EQ(functions_of(a_.told()), (Lines{"RegisterProtocol", "StartProtocol"}));
    EXPECT_EQ(lines_of(b_.told(), "StartComplete").size(), 1U);
    stop();
    EXPECT_EQ(a_.told(), Lines());
  }
}

TEST_F(Startup, UnloadsAModuleThatFails) {
  a_.answers["StartProtocol"] = ERROR_CAN_NOT_COMPLETE;
  start(plan_of_one());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
  ASSERT_EQ(router_->modules().size(), 1U);
  EXPECT_EQ(router_->modules()[0].state, ModuleState::kRefused);
  EXPECT_EQ(router_->modules()[0].code, static_cast<std::uint32_t>(ERROR_CAN_NOT_COMPLETE));
}

// clauses: RP-021 RP-022
TEST_F(Startup, BringsInterfacesWithTheirBlocks) {
  add_link("lo0");
  const net::InterfaceIndex eth0 = add_link("eth0");
  Plan plan = plan_of_one();
  const std::string block("\0\1\2opaque\xfe", 10);
  plan.interfaces = {interface("eth0", {{kA, block}})};
  start(plan);
  EXPECT_EQ(lines_of(a_.told(), "AddInterface"),
            Lines{"AddInterface eth0 " + std::to_string(eth0.value()) + " 0 0 0 0 '" + block + "' 1 10 1"});
  EXPECT_EQ(a_.interfaces.at(eth0.value()), block);
}

TEST_F(Startup, RefusesAPlanWithFlaws) {
  Plan plan = plan_of_one();
  plan.transports[0].global_info = Bytes(7);
  const Outcome outcome = start(plan);
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.refusals.size(), 1U);
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_TRUE(start(plan_of_one()).done);
  EXPECT_FALSE(start(plan_of_one()).done);
}

TEST_F(Startup, NeedsTheKernel) {
  kernel_.fail_dumps(1, EPERM);
  const Outcome outcome = start(plan_of_one());
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.refusals[0].code, static_cast<std::uint32_t>(EPERM));
  EXPECT_TRUE(start(plan_of_one()).done);
}

}  // namespace
}  // namespace turnpike::router::test
