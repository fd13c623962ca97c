// The conformance suite over the kernel in memory.
#include "kernel/scripted/scripted_port.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "kernel/port_conformance.h"

namespace turnpike::kernel {
namespace {

class ScriptedWorld final : public World {
 public:
  Port& port() override { return port_; }
  InterfaceIndex add_link(const std::string& name) override {
    InterfaceIndex made;
    port_.with_model([&](KernelModel& model) { made = model.add_link(name); });
    return made;
  }
  void remove_link(const std::string& name) override {
    port_.with_model([&](KernelModel& model) {
      for (const Link& link : model.links()) {
        if (link.name == name) model.remove_link(link.index);
      }
    });
  }

 private:
  ScriptedPort port_;
};

class PortConformance : public ::testing::TestWithParam<Case> {};

TEST_P(PortConformance, Holds) {
  ScriptedWorld world;
  GetParam().run(world);
}

INSTANTIATE_TEST_SUITE_P(Scripted, PortConformance, ::testing::ValuesIn(conformance_cases()),
                         [](const auto& one) { return one.param.name; });

// ---------------------------------------------------------------------------------------------------------------------
// The script

Route dropping(std::uint32_t number) {
  Route route;
  route.destination = Prefix::host(Address::ipv4(0x0b000000 + number));
  route.type = RouteType::kBlackhole;
  return route;
}

class Ear final : public Listener {
 public:
  void on_route(const Notice& notice, const Route& route) override {
    heard.push_back((notice.gone ? -1 : 1) * static_cast<int>(route.destination.address().ipv4_host() - 0x0b000000));
  }
  void on_loss(Loss why) override { heard.push_back(why == Loss::kOverrun ? 1000 : 2000); }
  std::vector<int> heard;
};

class ScriptTest : public ::testing::Test {
 protected:
  std::vector<std::pair<Cookie, int>> refused_of(const Report& report) {
    std::vector<std::pair<Cookie, int>> all;
    for (const Refusal& one : report.refused) all.emplace_back(one.cookie, one.error);
    return all;
  }
  Report add(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t i = first; i <= last; ++i) EXPECT_TRUE(writer_->put(Change::kAdd, dropping(i), i));
    return writer_->submit();
  }
  std::vector<int> heard() {
    Ear ear;
    EXPECT_TRUE(monitor_->read(ear));
    return ear.heard;
  }
  std::size_t routes() {
    std::size_t count = 0;
    EXPECT_TRUE(port_.dump_routes({}, {[&] { count = 0; }, [&](const Route&) { ++count; }}));
    return count;
  }

  ScriptedPort port_;
  std::unique_ptr<Writer> writer_ = port_.open_writer().value();
  std::unique_ptr<Monitor> monitor_ = port_.open_monitor({.topics = {.ipv4_routes = true}}).value();
};

TEST_F(ScriptTest, FailsTheChangeThatItNames) {
  EXPECT_EQ(port_.next_attempt(), 0u);
  port_.set_judge([](const ScriptedPort::Attempt& attempt) {
    EXPECT_NE(attempt.route, nullptr);
    EXPECT_EQ(attempt.change, Change::kAdd);
    return attempt.number == 1 ? ScriptedPort::refusing(ENOMEM) : ScriptedPort::Verdict{};
  });
  EXPECT_EQ(refused_of(add(1, 3)), (std::vector<std::pair<Cookie, int>>{{2, ENOMEM}}));
  EXPECT_EQ(routes(), 2u);
  port_.set_judge({});
  EXPECT_TRUE(add(2, 2).refused.empty());
  EXPECT_EQ(port_.next_attempt(), 4u);
}

TEST_F(ScriptTest, LiesEitherWay) {
  port_.set_judge([](const ScriptedPort::Attempt& attempt) {
    return attempt.number == 0 ? ScriptedPort::pretending() : ScriptedPort::making_but_refusing(EIO);
  });
  EXPECT_EQ(refused_of(add(1, 2)), (std::vector<std::pair<Cookie, int>>{{2, EIO}}));
  EXPECT_EQ(heard(), std::vector<int>{2});
  port_.hide_from_dumps([](const Route&) { return true; });
  EXPECT_EQ(routes(), 0u);
  port_.hide_from_dumps({});
  EXPECT_EQ(routes(), 1u);
}

TEST_F(ScriptTest, LosesAnswers) {
  port_.lose_next_answers();
  EXPECT_FALSE(writer_->submit().answers_lost) << "an empty submit has no answers";
  EXPECT_TRUE(add(1, 2).answers_lost);
  EXPECT_EQ(routes(), 2u);
  const Report next = add(2, 3);
  EXPECT_FALSE(next.answers_lost);
  EXPECT_EQ(refused_of(next), (std::vector<std::pair<Cookie, int>>{{2, EEXIST}}));
}

TEST_F(ScriptTest, DelaysAndReordersWhatIsHeard) {
  port_.hold_notifications();
  (void)add(1, 3);
  EXPECT_EQ(heard(), std::vector<int>{});
  port_.release_notifications(true);
  EXPECT_EQ(heard(), (std::vector<int>{3, 2, 1}));
  (void)add(4, 4);
  EXPECT_EQ(heard(), std::vector<int>{4});
}

TEST_F(ScriptTest, OverrunsMonitors) {
  (void)add(1, 2);
  port_.overrun_monitors();
  (void)add(3, 3);
  EXPECT_EQ(heard(), (std::vector<int>{1000})) << "what came before and after the loss is lost as well";
  port_.overrun_monitors();
  EXPECT_EQ(heard(), (std::vector<int>{1000}));
  (void)add(4, 4);
  EXPECT_EQ(heard(), (std::vector<int>{4}));
}

TEST_F(ScriptTest, ChangesTheWorldBeforeASubmit) {
  unsigned calls = 0;
  port_.before_submits([&] {
    ++calls;
    port_.with_model([](KernelModel& model) { EXPECT_EQ(model.change(0, Change::kAdd, dropping(1)).error, 0); });
    port_.before_submits({});
  });
  EXPECT_EQ(refused_of(add(1, 2)), (std::vector<std::pair<Cookie, int>>{{1, EEXIST}}));
  EXPECT_EQ(calls, 1u);
  EXPECT_EQ(heard(), (std::vector<int>{1, 2}));
}

TEST_F(ScriptTest, DisturbsAndFailsDumps) {
  (void)add(1, 2);
  port_.disturb_dumps(2);
  unsigned begun = 0;
  const auto repeated = port_.dump_routes({}, {[&] { ++begun; }, {}});
  EXPECT_EQ(repeated->attempts, 3u);
  EXPECT_TRUE(repeated->consistent);
  EXPECT_EQ(begun, 3u);
  port_.disturb_dumps(kMostAttempts);
  EXPECT_FALSE(port_.dump_routes({}, {})->consistent);
  port_.fail_dumps(1, ENOBUFS);
  EXPECT_EQ(port_.dump_routes({}, {}).error().system_code, ENOBUFS);
  EXPECT_EQ(routes(), 2u);
}

}  // namespace
}  // namespace turnpike::kernel
