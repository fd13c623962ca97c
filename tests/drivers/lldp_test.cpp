#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lldp/frame.h"
#include "lldp/neighbours.h"
#include "lldp/schedule.h"

namespace lldp {
namespace {

using testing::HasSubstr;

constexpr Mac kSource{2, 0, 0, 0, 0, 1};

Announcement full() {
  Announcement made;
  made.chassis = {kChassisMac, {2, 0, 0, 0, 0, 1}};
  made.port = {kPortName, {'e', 't', 'h', '0'}};
  made.port_description = "uplink";
  made.system_name = "router-1";
  made.system_description = std::string(255, 'x');
  made.capabilities = Capabilities{0x14, 0x10};
  made.addresses = {{1, {10, 0, 0, 1}, 2, 7}, {2, Bytes(16, 0xfd), 2, 7}};
  made.organisations = {{{0, 0x80, 0xc2}, 1, {0, 5}}};
  return made;
}

TEST(LldpFrame, ComesBackAsItWasSaid) {
  const auto frame = encode(full(), kSource);
  ASSERT_TRUE(frame.has_value());
  EXPECT_TRUE(std::equal(kNearestBridge.begin(), kNearestBridge.end(), frame->begin()));
  EXPECT_EQ(decode(*frame), full());
}

TEST(LldpFrame, HasAtLeastSixtyBytesAndAtMostWhatEthernetCarries) {
  Announcement small;
  small.chassis = {7, {'a'}};
  small.port = {7, {'b'}};
  EXPECT_EQ(encode(small, kSource)->size(), 60U);
  EXPECT_EQ(decode(*encode(small, kSource)), small);
  Announcement large = full();
  large.organisations.assign(10, {{1, 2, 3}, 4, Bytes(500, 1)});
  const auto frame = encode(large, kSource);
  EXPECT_LE(frame->size(), 1514U);
  EXPECT_EQ(decode(*frame)->organisations.size(), 2U);
}

TEST(LldpFrame, OfOneThatGoesSaysNoMore) {
  Announcement goes = full();
  goes.seconds_to_live = 0;
  const auto read = decode(*encode(goes, kSource));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->seconds_to_live, 0);
  EXPECT_FALSE(read->system_name.has_value());
}

TEST(LldpFrame, WithoutIdentifiersIsNotMade) {
  Announcement wrong = full();
  wrong.port.value.clear();
  EXPECT_FALSE(encode(wrong, kSource));
  wrong.port.value.assign(256, 1);
  EXPECT_FALSE(encode(wrong, kSource));
}

TEST(LldpFrame, ThatIsCutOffIsDiscarded) {
  const auto frame = encode(full(), kSource).value();
  for (std::size_t size = 0; size + 2 < frame.size(); ++size) {
    const auto read = decode(std::span(frame).first(size));
    // An end that falls between two elements is an end.
    if (read) EXPECT_EQ(read->chassis, full().chassis) << size;
  }
  EXPECT_FALSE(decode(std::span(frame).first(30)));
}

Bytes frame_of(std::initializer_list<std::initializer_list<std::uint8_t>> elements) {
  Bytes frame(12, 0);
  frame.insert(frame.end(), {0x88, 0xcc});
  for (const auto& each : elements) frame.insert(frame.end(), each);
  return frame;
}

TEST(LldpFrame, WhoseFirstThreeAreNotAsTheyMustBeIsDiscarded) {
  EXPECT_TRUE(decode(frame_of({{2, 2, 7, 'c'}, {4, 2, 7, 'p'}, {6, 2, 0, 9}})));
  EXPECT_FALSE(decode(frame_of({{4, 2, 7, 'p'}, {2, 2, 7, 'c'}, {6, 2, 0, 9}})));
  EXPECT_FALSE(decode(frame_of({{2, 2, 7, 'c'}, {6, 2, 0, 9}, {4, 2, 7, 'p'}})));
  EXPECT_FALSE(decode(frame_of({{2, 1, 7}, {4, 2, 7, 'p'}, {6, 2, 0, 9}})));
  EXPECT_FALSE(decode(frame_of({{2, 2, 7, 'c'}, {4, 2, 7, 'p'}, {6, 1, 9}})));
  EXPECT_FALSE(decode(frame_of({{2, 2, 7, 'c'}, {4, 2, 7, 'p'}, {6, 2, 0, 9}, {6, 2, 0, 9}})));
  EXPECT_FALSE(decode(frame_of({{2, 2, 7, 'c'}, {4, 2, 7, 'p'}})));
}

TEST(LldpFrame, ElementsThatAreUnknownOrWrongArePassedOver) {
  const auto read = decode(frame_of({{2, 2, 7, 'c'},
                                     {4, 2, 7, 'p'},
                                     {6, 2, 0, 9},
                                     {0x20, 3, 1, 2, 3},    // type 16
                                     {14, 3, 0, 0, 0},      // capabilities, too short
                                     {16, 4, 9, 1, 10, 0},  // an address longer than its element
                                     {10, 1, 'n'},
                                     {10, 1, 'm'}}));
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->capabilities.has_value());
  EXPECT_TRUE(read->addresses.empty());
  EXPECT_EQ(read->system_name, "n");
}

TEST(LldpNeighbours, ComeChangeAgeAndGo) {
  Neighbours neighbours;
  Announcement said = full();
  EXPECT_TRUE(neighbours.hear("eth0", *encode(said, kSource), 100));
  EXPECT_FALSE(neighbours.hear("eth0", *encode(said, kSource), 130));
  EXPECT_EQ(neighbours.next_deadline(), 250U);
  said.system_name = "router-2";
  EXPECT_TRUE(neighbours.hear("eth0", *encode(said, kSource), 140));
  EXPECT_THAT(neighbours.to_json(150), HasSubstr("\"seconds_left\": 110"));
  EXPECT_THAT(neighbours.to_json(150), HasSubstr("\"seconds_known\": 50"));
  EXPECT_FALSE(neighbours.age(259));
  EXPECT_TRUE(neighbours.age(260));
  EXPECT_EQ(neighbours.size(), 0U);
  EXPECT_TRUE(neighbours.hear("eth0", *encode(said, kSource), 300));
  EXPECT_TRUE(neighbours.hear("eth1", *encode(said, kSource), 300));
  EXPECT_TRUE(neighbours.forget("eth1"));
  said.seconds_to_live = 0;
  EXPECT_TRUE(neighbours.hear("eth0", *encode(said, kSource), 301));
  EXPECT_EQ(neighbours.size(), 0U);
  EXPECT_EQ(neighbours.counts().aged_out, 1U);
  EXPECT_EQ(neighbours.counts().removed, 2U);
}

TEST(LldpNeighbours, StayWhenTheInterfaceIsCalledOtherwise) {
  Neighbours table;
  const Bytes frame = *encode(full(), kSource);
  EXPECT_TRUE(table.hear("eth0", frame, 100));
  EXPECT_TRUE(table.hear("eth1", frame, 100));
  table.rename("eth0", "up0");
  EXPECT_EQ(table.size(), 2U);
  EXPECT_FALSE(table.hear("up0", frame, 101));
  EXPECT_FALSE(table.forget("eth0"));
  EXPECT_TRUE(table.forget("up0"));
  EXPECT_EQ(table.size(), 1U);
}

TEST(LldpSchedule, EveryInterval) {
  Schedule schedule;
  std::vector<std::uint64_t> taken;
  for (std::uint64_t now = 100; now < 170; ++now) {
    if (schedule.take(now, 30)) taken.push_back(now);
  }
  EXPECT_EQ(taken, (std::vector<std::uint64_t>{100, 130, 160}));
}

TEST(LldpSchedule, FourInARowForSomebodyNew) {
  Schedule schedule;
  EXPECT_TRUE(schedule.take(100, 30));
  schedule.heard_somebody_new();
  std::vector<std::uint64_t> taken;
  for (std::uint64_t now = 110; now < 150; ++now) {
    if (schedule.take(now, 30)) taken.push_back(now);
    if (now == 111) schedule.heard_somebody_new();  // while it is fast already
  }
  EXPECT_EQ(taken, (std::vector<std::uint64_t>{110, 111, 112, 113, 143}));
}

// Each announces a new station: a flood of them makes us no louder than one a second.
TEST(LldpSchedule, NoMoreThanTheCreditHowManyEverThereAre) {
  Schedule schedule;
  int taken = 0;
  for (std::uint64_t now = 100; now < 160; ++now) {
    for (int stranger = 0; stranger < 50; ++stranger) {
      schedule.heard_somebody_new();
      schedule.at_once();
      taken += schedule.take(now, 30) ? 1 : 0;
    }
  }
  EXPECT_LE(taken, 65);
  EXPECT_GE(taken, 60);
}

TEST(LldpNeighbours, AreBounded) {
  Neighbours neighbours(2);
  Announcement said = full();
  for (std::uint8_t number = 0; number < 5; ++number) {
    said.port.value = {number};
    neighbours.hear("eth0", *encode(said, kSource), 1);
  }
  EXPECT_EQ(neighbours.size(), 2U);
  EXPECT_EQ(neighbours.counts().crowded_out, 3U);
  EXPECT_FALSE(neighbours.hear("eth0", Bytes(60, 0), 1));
  EXPECT_EQ(neighbours.counts().discarded, 1U);
}

TEST(LldpNeighbours, WhatStrangersSayIsEscaped) {
  Neighbours neighbours;
  EXPECT_EQ(neighbours.to_json(0), "{\"neighbours\": []}\n");
  Announcement said = full();
  said.system_name = "a\"\\\n\xff";
  neighbours.hear("eth0", *encode(said, kSource), 1);
  EXPECT_THAT(neighbours.to_json(1), HasSubstr("\"system_name\": \"a\\\"\\\\\\u000a\\u00ff\""));
  EXPECT_THAT(neighbours.to_json(1), HasSubstr("\"chassis\": \"02:00:00:00:00:01\", \"port\": \"eth0\""));
  EXPECT_THAT(neighbours.to_json(1), HasSubstr("\"10.0.0.1\", \"fdfd:fdfd:"));
}

}  // namespace
}  // namespace lldp
