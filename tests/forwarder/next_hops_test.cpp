// The pool of next hop objects by itself: what is shared, in what order it is written, what a loss means.
#include "scene.h"

namespace turnpike::forwarder {
namespace {

class NextHopsTest : public Scene {
 protected:
  NextHopsTest() : writer(std::move(*port.open_writer())) {}

  Way to_left(const char* gateway) { return {Family::kIpv4, left, net::parse_address(gateway).value()}; }
  Way to_right(const char* gateway) { return {Family::kIpv4, right, net::parse_address(gateway).value()}; }
  // One that leads there, and is written.
  NextHops::Index movable_to(const Way& way) {
    const auto index = pool.make_movable();
    pool.move(index, std::array{way}, 0);
    pool.flush(*writer);
    return index;
  }

  std::unique_ptr<kernel::Writer> writer;
  NextHops pool{kernel::kOurProtocol};
};

TEST_F(NextHopsTest, TheSameWaysAreTheSameObjectInAnyOrder) {
  const std::array one{to_left("10.0.1.2"), to_right("10.0.2.2")};
  const std::array other{one[1], one[0]};
  const auto a = pool.share(one, 0);
  EXPECT_EQ(pool.share(other, 0), a);
  EXPECT_NE(pool.share(std::span(one).first(1), 0), a);
  const std::array weighted{one[0], one[1], one[0]};
  EXPECT_NE(pool.share(weighted, 0), a) << "twice the same way is twice its weight";
  pool.flush(*writer);
  EXPECT_EQ(pool.counts().leaves, 2U);
  EXPECT_EQ(pool.counts().groups, 2U);
  EXPECT_EQ(kernel_objects(), 4U);
}

TEST_F(NextHopsTest, NoWayAndTooManyWaysAreNoObject) {
  EXPECT_EQ(pool.share({}, 0), 0U);
  const std::vector<Way> many(NextHops::kMostMembers + 1, to_left("10.0.1.2"));
  EXPECT_EQ(pool.share(many, 0), 0U);
  EXPECT_EQ(pool.counts().leaves, 0U);
}

TEST_F(NextHopsTest, WhatIsUsedAgainBeforeTheSweepStays) {
  const std::array way{to_left("10.0.1.2")};
  const auto index = pool.share(way, 0);
  pool.flush(*writer);
  const auto id = pool.id_of(index);
  const auto written = writes();
  pool.release(index);
  EXPECT_EQ(pool.share(way, 0), index);
  pool.flush(*writer);
  pool.sweep(*writer, false);
  EXPECT_EQ(pool.id_of(index), id);
  EXPECT_EQ(writes(), written);
  pool.release(index);
  pool.sweep(*writer, false);
  EXPECT_EQ(kernel_objects(), 0U);
  EXPECT_EQ(pool.counts().leaves, 0U);
}

TEST_F(NextHopsTest, AMovableIsAGroupThatKeepsItsId) {
  const auto index = pool.make_movable();
  EXPECT_EQ(pool.state_of(index), NextHops::State::kFailed);
  const std::array first{to_left("10.0.1.2")};
  const std::array second{to_left("10.0.1.3"), to_right("10.0.2.2")};
  pool.move(index, first, 0);
  pool.flush(*writer);
  ASSERT_EQ(pool.state_of(index), NextHops::State::kPresent);
  const auto id = pool.id_of(index);
  pool.move(index, second, 0);
  pool.flush(*writer);
  EXPECT_EQ(pool.id_of(index), id);
  pool.sweep(*writer, false);
  EXPECT_EQ(kernel_objects(), 3U) << "the first way is no longer needed";
  pool.move(index, {}, 0);
  EXPECT_EQ(pool.state_of(index), NextHops::State::kFailed);
  pool.sweep(*writer, false);
  EXPECT_EQ(kernel_objects(), 3U) << "routes may still name it";
  pool.move(index, second, 0);
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(index), NextHops::State::kPresent);
}

TEST_F(NextHopsTest, ALostLinkLeavesGroupsTheirOtherMembers) {
  const std::array both{to_left("10.0.1.2"), to_right("10.0.2.2")};
  const auto group = pool.share(both, 0);
  const auto leaf = pool.share(std::span(both).first(1), 0);
  pool.flush(*writer);
  set_link(left, false);
  EXPECT_TRUE(pool.link_lost(left));
  EXPECT_TRUE(pool.is_lost(leaf));
  EXPECT_FALSE(pool.is_lost(group));
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(group), NextHops::State::kPresent);
  EXPECT_EQ(pool.error_of(leaf), ENETDOWN);
  pool.forget_losses();
  set_link(right, false);
  EXPECT_TRUE(pool.link_lost(right));
  EXPECT_TRUE(pool.is_lost(group)) << "its last member went";
  set_link(left, true);
  EXPECT_TRUE(pool.retry(left));
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(group), NextHops::State::kPresent);
  EXPECT_EQ(pool.state_of(leaf), NextHops::State::kPresent);
}

TEST_F(NextHopsTest, ARefusedReplacementSaysWhyAndIsTriedAgain) {
  const auto index = movable_to(to_left("10.0.1.2"));
  const std::array second{to_right("10.0.2.2")};
  port.set_judge([&](const kernel::ScriptedPort::Attempt& attempt) {
    const bool group = attempt.next_hop != nullptr && attempt.next_hop->kind == kernel::NextHopKind::kGroup;
    return group ? kernel::ScriptedPort::refusing(ENOMEM) : kernel::ScriptedPort::Verdict{};
  });
  pool.move(index, second, 0);
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(index), NextHops::State::kFailed);
  EXPECT_EQ(pool.error_of(index), ENOMEM);
  port.set_judge(nullptr);
  EXPECT_TRUE(pool.retry(std::nullopt));
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(index), NextHops::State::kPresent);
}

TEST_F(NextHopsTest, AGroupThatWasGivenUpWhileNobodyUsedItIsWrittenForTheNext) {
  const std::array both{to_left("10.0.1.2"), to_right("10.0.2.2")};
  const auto group = pool.share(both, 0);
  pool.release(group);
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(group), NextHops::State::kAbsent);
  EXPECT_EQ(pool.share(both, 0), group);
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(group), NextHops::State::kPresent);
  EXPECT_EQ(kernel_objects(), 3U);
}

// The news of it is still to come, and it must not be taken for what is written now.
TEST_F(NextHopsTest, WhatIsFoundGoneWhenItIsToBeChangedIsAddedAndItsRoutesAreLost) {
  const auto index = movable_to(to_left("10.0.1.2"));
  const std::array second{to_right("10.0.2.2")};
  EXPECT_FALSE(pool.has_losses());
  port.with_model([&](kernel::KernelModel& model) {
    kernel::NextHop gone;
    gone.id = pool.id_of(index);
    EXPECT_EQ(model.change(77, Change::kRemove, gone).error, 0);
  });
  pool.move(index, second, 0);
  pool.flush(*writer);
  EXPECT_EQ(pool.state_of(index), NextHops::State::kPresent);
  EXPECT_TRUE(pool.has_losses());
  EXPECT_TRUE(pool.is_lost(index));
  pool.forget_losses();
  EXPECT_FALSE(pool.has_losses());
}

TEST_F(NextHopsTest, LostAnswersAskForAnAudit) {
  port.lose_next_answers();
  pool.share(std::array{to_left("10.0.1.2")}, 0);
  pool.flush(*writer);
  EXPECT_TRUE(pool.wants_audit());
  pool.begin_audit();
  EXPECT_FALSE(pool.wants_audit());
}

}  // namespace
}  // namespace turnpike::forwarder
