// Memory that runs out anywhere in the manager: a call fails whole or succeeds whole, what takes things away always
// succeeds, and nothing is left behind.
#include "../base/scarce_memory.h"
#include "world.h"

namespace turnpike::mgm::testing {
namespace {

const Flow kG = flow("*", "239.1.1.1");
const Flow kSG = flow("10.0.9.9", "239.1.1.1");
constexpr int kMost = 60;  // allocations that a call may make

class NoRoutes final : public Routes {  // that needs no memory
 public:
  void look_up(const net::Address&, const Found& found) override {
    found({net::InterfaceIndex(1), {}, 7, net::Prefix::everything(net::Family::kIpv4)}, nullptr);
  }
};

class MgmMemory : public ::testing::Test {
 protected:
  // One by one, memory for fewer and fewer allocations, until the call succeeds; it must have failed cleanly before.
  template <class Call, class Check>
  void until_it_succeeds(Call&& call, Check&& is_unchanged) {
    for (int after = 0; after < kMost; ++after) {
      Result<void> result;
      {
        const NoMemory scarce(after);
        result = call();
      }
      if (result) return;
      ASSERT_EQ(result.error().kind, ErrorKind::kExhausted) << after;
      ASSERT_TRUE(is_unchanged()) << after;
    }
    FAIL() << "it never succeeds";
  }

  Handle enroll(std::uint32_t protocol) {
    return manager_->register_client({{protocol, 0}, std::make_unique<Callbacks>(), kAllCallbacks}).value();
  }

  MemoryForwarder forwarder_;
  NoRoutes routes_;
  TestClock clock_;
  SilentAlarm alarm_;
  std::unique_ptr<Manager> manager_ = Manager::make({}, {forwarder_, routes_, clock_, alarm_}).value();
};

TEST_F(MgmMemory, FailsWholeOrSucceedsWhole) {
  const Handle p = enroll(100);
  const Handle q = enroll(101);
  const Handle igmp = enroll(10);
  const auto status = [&] { return manager_->status(); };
  Handle late = Handle::kNone;
  until_it_succeeds(
      [&]() -> Result<void> {
        return manager_->register_client({{102, 0}, nullptr, 0}).map([&](Handle handle) { late = handle; });
      },
      [&] { return status().clients == 3; });
  until_it_succeeds([&] { return manager_->take(p, on(1)); },
                    [&] { return status().interfaces == 0 && forwarder_.devices().empty(); });
  ASSERT_TRUE(manager_->take(igmp, on(2)));
  until_it_succeeds([&] { return manager_->add(igmp, kG, on(2), kJoinState); },
                    [&] { return status().memberships == 0; });
  ASSERT_TRUE(manager_->add(igmp, kSG, on(2), kJoinState));
  until_it_succeeds([&] { return manager_->take(q, on(2)); },
                    [&] { return status().memberships == 2 && manager_->protocol_on(on(2)).value().protocol == 10; });
  ASSERT_TRUE(manager_->add(q, kG, on(2), kJoinState));
  ASSERT_TRUE(manager_->add(igmp, kSG, on(2), kJoinState));
  Handle groups = Handle::kNone;
  until_it_succeeds(
      [&]() -> Result<void> { return manager_->start_groups(q, true).map([&](Handle handle) { groups = handle; }); },
      [&] { return status().enumerations == 0; });
  until_it_succeeds([&] { return manager_->release(q, on(2)); },
                    [&] { return status().memberships == 2 && manager_->protocol_on(on(2)).value().protocol == 101; });
  ASSERT_TRUE(manager_->end_groups(groups));
  ASSERT_TRUE(manager_->release(igmp, on(2)));
  ASSERT_TRUE(manager_->release(p, on(1)));
  for (const Handle each : {p, q, igmp, late}) {
    const NoMemory none;
    ASSERT_TRUE(manager_->deregister_client(each));
  }
  EXPECT_EQ(status().clients + status().interfaces + status().memberships + status().enumerations, 0U);
}

TEST_F(MgmMemory, TakesAwayWithoutAny) {
  const Handle p = enroll(100);
  const Handle q = enroll(101);
  ASSERT_TRUE(manager_->take(p, on(1)));
  ASSERT_TRUE(manager_->take(q, on(2)));
  ASSERT_TRUE(manager_->add(q, kG, on(2), kJoinState));
  ASSERT_TRUE(manager_->add(q, kSG, on(2), kJoinState | kForwardState));
  ASSERT_TRUE(forwarder_.packet(*manager_, kSG, net::InterfaceIndex(1), {}));
  {
    const NoMemory none;
    ASSERT_TRUE(manager_->remove(q, kG, on(2), kJoinState));
    ASSERT_TRUE(manager_->remove(q, kSG, on(2), kJoinState | kForwardState));
    manager_->routes_changed(net::Prefix::everything(net::Family::kIpv4));  // cannot ask: all entries go
  }
  EXPECT_EQ(manager_->status().entries, 0U);
  EXPECT_EQ(forwarder_.entries(), 0U);
  ASSERT_TRUE(forwarder_.packet(*manager_, kSG, net::InterfaceIndex(1), {}));
  {
    const NoMemory none;
    ASSERT_TRUE(clock_.advance(std::chrono::seconds(900)));
    manager_->run_deadlines();
    ASSERT_TRUE(manager_->release(q, on(2)));  // it has no memberships
  }
  EXPECT_EQ(manager_->status().entries, 0U);
  ASSERT_TRUE(manager_->release(p, on(1)));
}

TEST_F(MgmMemory, MakesAnEntryOrNone) {
  const Handle p = enroll(100);
  const Handle q = enroll(101);
  ASSERT_TRUE(manager_->take(p, on(1)));
  ASSERT_TRUE(manager_->take(q, on(2)));
  ASSERT_TRUE(manager_->add(q, kG, on(2), kJoinState));
  bool made = false;
  for (int after = 0; after < kMost && !made; ++after) {
    {
      const NoMemory scarce(after);
      manager_->unknown_flow(kSG, 0, {});
    }
    EntryImage image;
    made = manager_->entry(kSG, false, image);
    ASSERT_EQ(manager_->status().entries, made ? 1U : 0U) << after;
    if (made) {
      EXPECT_EQ(image.out.size(), 1U);
    }
  }
  EXPECT_TRUE(made);
  ASSERT_TRUE(clock_.advance(std::chrono::seconds(10)));
  manager_->run_deadlines();  // what the forwarder had no memory for is tried again
  EXPECT_EQ(forwarder_.entries(), 1U);
  ASSERT_TRUE(manager_->release(q, on(2)));
  ASSERT_TRUE(manager_->release(p, on(1)));
  EXPECT_EQ(forwarder_.entries(), 0U);
}

}  // namespace
}  // namespace turnpike::mgm::testing
