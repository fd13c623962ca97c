// What a forwarder has of the table beyond other clients (forwarding.cpp).
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "manual_port.h"

namespace turnpike::rtm {
namespace {

class ForwardingTest : public testing::Test, public TestTable {
 protected:
  ForwardingTest()
      : self(client(77)),
        owner(client(8)),
        changes(table->register_for_changes(self, 1, change::kForwarding, nullptr).value_or(Handle::kNone)) {}

  std::vector<Handle> changed(std::size_t most = 100) {
    std::vector<Handle> all;
    const auto count = table->changed_handles(self, changes, most, all);
    EXPECT_TRUE(count);
    EXPECT_EQ(count.value_or(0), all.size());
    return all;
  }
  bool is_marked(const char* prefix) {
    DestImage info;
    EXPECT_TRUE(table->exact_destination(owner, net(prefix), kBestProtocol, 1, info));
    EXPECT_TRUE(table->release_dest_infos(owner, 1, reinterpret_cast<const std::byte*>(&info)));
    return (info.view[0].flags & dest_flag::kInstalled) != 0;
  }

  const Handle self;
  const Handle owner;
  const Handle changes;
};

TEST_F(ForwardingTest, ChangesComeAsHandlesThatAreHeld) {
  const Handle hop = next_hop(owner);
  for (int i = 0; i < 600; ++i) {
    release_route(
        owner,
        route(owner, ("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24").c_str(), 1, hop));
  }
  EXPECT_EQ(changed(500).size(), 500U);
  const std::vector<Handle> rest = changed(500);
  EXPECT_EQ(rest.size(), 100U);
  EXPECT_TRUE(changed().empty());
  ASSERT_TRUE(table->deregister_entity(owner));
  EXPECT_EQ(changed(1000).size(), 600U);
  Forwarding read;
  ASSERT_TRUE(table->forwarding(self, rest.front(), read)) << "it is held, so its prefix can be read";
  EXPECT_FALSE(read.has_route);
  EXPECT_EQ(read.destination.bits, 24U);
  EXPECT_TRUE(table->release_destinations(self, rest));
  EXPECT_TRUE(table->release_destinations(self, rest)) << "it was told of each twice";
  EXPECT_FALSE(table->release_destinations(self, rest)) << "and holds it no more";
  EXPECT_FALSE(table->forwarding(self, rest.front(), read));
}

TEST_F(ForwardingTest, ReadingTakesNoReferences) {
  const Handle hop = next_hop(owner);
  route(owner, "10.0.0.0/8", 3, hop);
  const Handle dest = changed().front();
  const auto before = table->reference_count(Kind::kRoute) + table->reference_count(Kind::kNextHop) +
                      table->reference_count(Kind::kEntity);
  Forwarding read;
  ASSERT_TRUE(table->forwarding(self, dest, read));
  EXPECT_TRUE(read.has_route);
  EXPECT_EQ(read.owner, owner);
  ASSERT_EQ(read.hop_count, 1U);
  EXPECT_EQ(read.hops[0], hop);
  EXPECT_EQ(text(read.destination), "10.0.0.0/8");
  EXPECT_EQ(table->reference_count(Kind::kRoute) + table->reference_count(Kind::kNextHop) +
                table->reference_count(Kind::kEntity),
            before);
  EXPECT_EQ(table->find_destination(self, net("10.0.0.0/8")).value_or(Handle::kNone), dest);
  EXPECT_EQ(table->find_destination(self, net("10.0.0.0/9")).error().kind, ErrorKind::kNotFound);
}

TEST_F(ForwardingTest, WhatChangedMeanwhileIsNotMarked) {
  const Handle hop = next_hop(owner);
  route(owner, "10.0.0.0/8", 3, hop);
  route(owner, "11.0.0.0/8", 3, hop);
  const std::vector<Handle> dests = changed();
  ASSERT_EQ(dests.size(), 2U);
  route(owner, "10.0.0.0/8", 1, next_hop(owner, "192.0.2.9"));  // while the kernel was being written
  ASSERT_TRUE(table->set_installed(self, changes, dests, true));
  EXPECT_FALSE(is_marked("10.0.0.0/8"));
  EXPECT_TRUE(is_marked("11.0.0.0/8"));
  changed();
  ASSERT_TRUE(table->set_installed(self, changes, dests, true));
  EXPECT_TRUE(is_marked("10.0.0.0/8"));
  ASSERT_TRUE(table->set_installed(self, changes, dests, false));
  EXPECT_FALSE(is_marked("10.0.0.0/8"));
}

TEST_F(ForwardingTest, WhoNeverWaitsIsToldThatALockIsInTheWay) {
  route(owner, "10.0.0.0/8", 3, next_hop(owner));
  const Handle dest = changed().front();
  std::thread([&] { ASSERT_TRUE(table->lock_destination(owner, dest, true)); }).join();
  const Table::NeverWaits never_waits;
  Forwarding read;
  const auto blocked = table->forwarding(self, dest, read);
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().kind, ErrorKind::kBusy);
  EXPECT_EQ(text(read.destination), "10.0.0.0/8") << "a lock does not hide the prefix";
  RouteRequest request;
  request.views = 1;
  const auto added = table->add_route(self, Handle::kNone, net("10.0.0.0/8"), request, false);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, ErrorKind::kBusy);
}

TEST_F(ForwardingTest, WrongHandlesAreRefused) {
  route(owner, "10.0.0.0/8", 3, next_hop(owner));
  const Handle dest = changed().front();
  Forwarding read;
  std::vector<Handle> some;
  for (const Handle wrong : {Handle::kNone, owner, changes, Handle{~std::uint64_t{0}}}) {
    EXPECT_EQ(table->forwarding(self, wrong, read).error().kind, ErrorKind::kInvalidHandle);
    EXPECT_EQ(table->release_destinations(self, std::span(&wrong, 1)).error().kind, ErrorKind::kInvalidHandle);
  }
  for (const Handle wrong : {Handle::kNone, owner, dest}) {
    EXPECT_EQ(table->changed_handles(self, wrong, 1, some).error().kind, ErrorKind::kInvalidHandle);
    EXPECT_EQ(table->set_installed(self, wrong, std::span(&dest, 1), true).error().kind, ErrorKind::kInvalidHandle);
  }
  EXPECT_EQ(table->forwarding(Handle::kNone, dest, read).error().kind, ErrorKind::kInvalidHandle);
  NetAddress foreign = net("10.0.0.0/8");
  foreign.family = 10;
  EXPECT_EQ(table->find_destination(self, foreign).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace turnpike::rtm
