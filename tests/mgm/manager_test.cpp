// The engine of the multicast group manager: who is told what, in which order; what the forwarder has; what goes.
#include <array>
#include <cerrno>

#include "base/log.h"
#include "world.h"

namespace turnpike::mgm::testing {
namespace {

const Flow kG = flow("*", "239.1.1.1");
const Flow kAll = flow("*", "*");
const Flow kSG = flow("10.0.9.9", "239.1.1.1");

class MgmManager : public MgmWorld {};

// The source is behind interface 1, which p owns; q owns 2 and has a member there.
class MgmTwoOwners : public MgmWorld {
 protected:
  MgmTwoOwners() {
    p.take(on(1));
    q.take(on(2));
    q.add(kG, 2);
    routes_.set("10.0.0.0/8", 1);
  }
  Party p = party("p", 100);
  Party q = party("q", 101);
};

TEST_F(MgmManager, SharesAnInterfaceBetweenIgmpAndOneOwner) {
  Party igmp = party("igmp", kIgmp);
  Party p = party("p", 100);
  igmp.take(on(7));
  igmp.add(kG, 7);
  EXPECT_EQ(book_.read(), Lines{"p: join (*,239.1.1.1) member"});
  p.take(on(7));
  // P itself is not told that the members of IGMP went: it is the caller.
  EXPECT_EQ(book_.read(), (Lines{"igmp: disable 7", "igmp: enable 7"}));
  EXPECT_EQ(manager_->protocol_on(on(7)).value().protocol, 100U);
  EXPECT_EQ(groups(p), Lines{});
  EXPECT_EQ(manager_->take(igmp, on(7)).error().kind, ErrorKind::kAlreadyExists);
  Party q = party("q", 101);
  EXPECT_EQ(manager_->take(q, on(7)).error().kind, ErrorKind::kAlreadyExists);
  igmp.add(kG, 7);
  EXPECT_EQ(book_.read(), (Lines{"p: local join (*,239.1.1.1) 7", "q: join (*,239.1.1.1) member"}));
  p.release(on(7));
  EXPECT_EQ(book_.read(), (Lines{"igmp: disable 7", "igmp: prune (*,239.1.1.1) 7 member",
                                 "q: prune (*,239.1.1.1) 7 member", "igmp: enable 7"}));
  EXPECT_EQ(manager_->protocol_on(on(7)).value().protocol, kIgmp);
  igmp.release(on(7));
  EXPECT_EQ(book_.read(), Lines{});
  EXPECT_EQ(manager_->protocol_on(on(7)).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(forwarder_.devices().empty());
}

// The sequence of section 9.2 of the contract.
TEST_F(MgmManager, PlaysTheWorkedSequence) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  Party r = party("r", 102);
  Party igmp = party("igmp", kIgmp);
  p.take(on(7));
  p.take(on(8));
  q.take(on(9));
  r.take(on(10));
  igmp.take(on(7));
  routes_.set("10.0.9.0/24", 9);
  EXPECT_EQ(book_.read(), Lines{});

  igmp.add(kG, 7);
  EXPECT_EQ(book_.read(),
            (Lines{"p: local join (*,239.1.1.1) 7", "q: join (*,239.1.1.1) member", "r: join (*,239.1.1.1) member"}));
  q.add(kG, 9);
  EXPECT_EQ(book_.read(), Lines{"p: join (*,239.1.1.1) member"});
  r.add(kG, 10);
  EXPECT_EQ(book_.read(), Lines{});
  EXPECT_TRUE(packet(kSG, 9));
  EXPECT_EQ(book_.read(), (Lines{"q: rpf (10.0.9.9,239.1.1.1) 9 *", "p: created (10.0.9.9,239.1.1.1) 9 -> 7i",
                                 "r: created (10.0.9.9,239.1.1.1) 9 -> 10", "q: join (10.0.9.9,239.1.1.1) entry"}));
  EXPECT_EQ(entry(kSG), "9 -> 7 10");
  r.remove(kG, 10);
  EXPECT_EQ(book_.read(), Lines{});
  EXPECT_EQ(entry(kSG), "9 -> 7");
  igmp.remove(kG, 7);
  EXPECT_EQ(book_.read(), (Lines{"p: local leave (*,239.1.1.1) 7", "q: prune (*,239.1.1.1) 7 member",
                                 "q: prune (10.0.9.9,239.1.1.1) 9 entry"}));
  EXPECT_EQ(entry(kSG), "9 ->");
  q.remove(kG, 9);
  EXPECT_EQ(book_.read(), (Lines{"p: prune (*,239.1.1.1) 9 member", "r: prune (*,239.1.1.1) 9 member",
                                 "igmp: prune (*,239.1.1.1) 9 member"}));
}

TEST_F(MgmManager, TellsOfWildcardsAsTheTablesSay) {
  Party a = party("a", 100);
  Party b = party("b", 101);
  Party c = party("c", 102);
  a.take(on(1));
  a.take(on(11));
  b.take(on(2));
  c.take(on(3));
  a.add(kAll, 1);
  EXPECT_EQ(book_.read(), (Lines{"b: join (*,*) member", "c: join (*,*) member"}));
  a.add(kAll, 11);
  a.add(kAll, 11);
  EXPECT_EQ(book_.read(), Lines{});
  b.add(kG, 2);  // a key of its own
  EXPECT_EQ(book_.read(), (Lines{"a: join (*,239.1.1.1) member", "c: join (*,239.1.1.1) member"}));
  b.add(kAll, 2);
  EXPECT_EQ(book_.read(), Lines{"a: join (*,*) member"});
  c.add(kAll, 3);
  c.remove(kAll, 3);
  a.remove(kAll, 11);
  EXPECT_EQ(book_.read(), Lines{});
  a.remove(kAll, 1);
  EXPECT_EQ(book_.read(), Lines{"b: prune (*,*) 1 member"});
  b.remove(kAll, 2);
  EXPECT_EQ(book_.read(), (Lines{"a: prune (*,*) 2 member", "c: prune (*,*) 2 member"}));
}

TEST_F(MgmManager, TellsOfSourcesOnlyWhoIsOnTheWay) {
  Party w = party("w", 100);
  Party a = party("a", 101);
  Party b = party("b", 102);
  w.take(on(9));
  w.take(on(19));
  a.take(on(1));
  b.take(on(2));
  a.add(kSG, 1);  // no route: nobody
  a.remove(kSG, 1);
  EXPECT_EQ(book_.read(), Lines{});
  routes_.set("10.0.9.0/24", 9);
  w.add(kSG, 19);
  EXPECT_EQ(book_.read(), Lines{});
  a.add(kSG, 1);
  EXPECT_EQ(book_.read(), Lines{"w: join (10.0.9.9,239.1.1.1) member"});
  b.add(kSG, 2);
  a.remove(kSG, 1);
  EXPECT_EQ(book_.read(), Lines{});
  b.release(on(2));
  EXPECT_EQ(book_.read(), Lines{"w: prune (10.0.9.9,239.1.1.1) 2 member"});
}

TEST_F(MgmManager, LetsClientsChooseTheWayAndVeto) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(1));
  p.take(on(2));
  q.take(on(3));
  q.take(on(4));
  routes_.set("10.0.0.0/8", 1, "10.1.1.1");
  q.add(kG, 3);
  q.add(kG, 4);
  p.add(kAll, 2);
  static_cast<void>(book_.read());
  p->on_rpf = [](Rpf& rpf) {
    rpf.incoming = on(2);
    rpf.upstream = address("10.2.2.2");
  };
  q->on_created = [](std::span<OutInterface> out) { out.front().enabled = false; };
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(book_.read(), (Lines{"p: rpf (10.0.9.9,239.1.1.1) 1 10.1.1.1", "q: created (10.0.9.9,239.1.1.1) 2 -> 3 4",
                                 "p: join (10.0.9.9,239.1.1.1) entry"}));
  EXPECT_EQ(entry(kSG), "2 -> 4");
  EXPECT_EQ(shown(kSG), "2 -> 4");
  q.add(kSG, 3);  // the veto outlasts another membership
  EXPECT_EQ(entry(kSG), "2 -> 4");
  q.add(kSG, 3, kForwardState);
  EXPECT_EQ(entry(kSG), "2 -> 3 4");
  q.remove(kSG, 4, kForwardState);
  EXPECT_EQ(entry(kSG), "2 -> 3");
  q.remove(kG, 4);
  q.add(kG, 4);
  EXPECT_EQ(entry(kSG), "2 -> 3 4");
  q.add(kG, 4, kForwardState);
  q.remove(kG, 4);
  q.remove(kG, 3);
  EXPECT_EQ(entry(kSG), "2 -> 3");  // (s,g) still covers 3
  p.add(kSG, 2, kForwardState);     // the incoming one never is an outgoing one
  EXPECT_EQ(entry(kSG), "2 -> 3");
  static_cast<void>(book_.read());
  q.remove(kSG, 3);
  EXPECT_EQ(book_.read(), (Lines{"p: prune (10.0.9.9,239.1.1.1) 3 member", "p: prune (10.0.9.9,239.1.1.1) 2 entry"}));
  q.add(kSG, 3, kForwardState);
  EXPECT_EQ(book_.read(), Lines{"p: join (10.0.9.9,239.1.1.1) entry"});
  EXPECT_EQ(groups(q), (Lines{"(*,*)"}));
}

TEST_F(MgmManager, MakesNegativeEntriesWhereThereIsNoWay) {
  Party p = party("p", 100);
  p.take(on(1));
  p.add(kG, 1);
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(entry(kSG), "1 ->");
  routes_.set("10.0.0.0/8", 2);
  EXPECT_EQ(book_.read(), Lines{});
  Party q = party("q", 101);
  q.take(on(2));
  EXPECT_EQ(entry(kSG), "none");  // it may be reached now
  EXPECT_TRUE(packet(kSG, 2));
  EXPECT_EQ(entry(kSG), "2 -> 1");
  EXPECT_FALSE(packet(flow("10.0.9.9", "224.0.0.5"), 2));
}

TEST_F(MgmManager, EndsEntriesInTime) {
  Party p = party("p", 100);
  p.take(on(1));
  routes_.set("10.0.0.0/8", 1);
  p->seconds = 30;
  const Flow other = flow("10.0.9.10", "239.1.1.1");
  EXPECT_TRUE(packet(kSG, 1));
  p->seconds = 0;
  EXPECT_TRUE(packet(other, 1));
  EXPECT_EQ(book_.read(), (Lines{"p: rpf (10.0.9.9,239.1.1.1) 1 *", "p: prune (10.0.9.9,239.1.1.1) 1 entry",
                                 "p: rpf (10.0.9.10,239.1.1.1) 1 *", "p: prune (10.0.9.10,239.1.1.1) 1 entry"}));
  pass(std::chrono::seconds(29));
  EXPECT_EQ(entry(kSG), "1 ->");
  pass(std::chrono::seconds(1));
  EXPECT_EQ(entry(kSG), "none");
  EXPECT_EQ(shown(kSG), "none");
  EXPECT_EQ(shown(other), "1 ->");
  Party q = party("q", 101);
  q.take(on(2));
  q.add(kG, 2);
  p->seconds = 60;
  q.remove(kG, 2);
  EntryImage image;
  ASSERT_TRUE(manager_->entry(other, false, image));
  EXPECT_EQ(image.timeout, 90U);
  pass(std::chrono::seconds(60));
  EXPECT_EQ(shown(other), "none");
  EXPECT_EQ(manager_->status().entries, 0U);
}

TEST_F(MgmManager, EndsEntriesWithRoutesAndInterfaces) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(1));
  p.take(on(2));
  q.take(on(3));
  q.add(kG, 3);
  routes_.set("10.0.0.0/8", 1);
  EXPECT_TRUE(packet(kSG, 1));
  manager_->routes_changed(net::parse_prefix("10.0.0.0/8").value());
  EXPECT_EQ(entry(kSG), "1 -> 3");
  routes_.set("10.0.0.0/8", 2);
  manager_->routes_changed(net::parse_prefix("11.0.0.0/8").value());
  EXPECT_EQ(entry(kSG), "1 -> 3");
  manager_->routes_changed(net::parse_prefix("10.0.0.0/8").value());
  EXPECT_EQ(entry(kSG), "none");
  EXPECT_TRUE(packet(kSG, 2));
  static_cast<void>(book_.read());
  q.release(on(3));
  EXPECT_EQ(book_.read(), (Lines{"p: prune (*,239.1.1.1) 3 member", "p: prune (10.0.9.9,239.1.1.1) 2 entry"}));
  EXPECT_EQ(entry(kSG), "2 ->");
  p.release(on(2));
  EXPECT_EQ(entry(kSG), "none");
  EXPECT_EQ(book_.read(), Lines{});
}

TEST_F(MgmTwoOwners, KeepsScopes) {
  manager_->set_scope(net::InterfaceIndex(2), {.threshold = 16, .boundaries = {}});
  EXPECT_TRUE(packet(kSG, 1));
  std::vector<net::InterfaceIndex> left;
  forwarder_.packet(*manager_, kSG, net::InterfaceIndex(1), {}, &left, 16);
  EXPECT_TRUE(left.empty());
  forwarder_.packet(*manager_, kSG, net::InterfaceIndex(1), {}, &left, 17);
  EXPECT_EQ(left, std::vector{net::InterfaceIndex(2)});
  manager_->set_scope(net::InterfaceIndex(2),
                      {.threshold = 1, .boundaries = {net::parse_prefix("239.1.0.0/16").value()}});
  EXPECT_EQ(entry(kSG), "1 ->");
  manager_->set_scope(net::InterfaceIndex(2), {});
  EXPECT_EQ(entry(kSG), "1 -> 2");
}

TEST_F(MgmManager, CountsByOutgoingInterface) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(1));
  q.take(on(2));
  q.take(on(3));
  q.add(kG, 2);
  routes_.set("10.0.0.0/8", 1);
  for (int i = 0; i < 5; ++i) packet(kSG, 1);
  q.add(kG, 3);
  for (int i = 0; i < 3; ++i) packet(kSG, 1);
  packet(kSG, 2);
  EntryImage image;
  ASSERT_TRUE(manager_->entry(kSG, true, image));
  EXPECT_EQ(image.counters.packets, 8U);
  EXPECT_EQ(image.counters.wrong_interface, 1U);
  ASSERT_EQ(image.out.size(), 2U);
  EXPECT_EQ(image.out[0].packets, 8U);
  EXPECT_EQ(image.out[1].packets, 3U);
  EXPECT_EQ(image.out_packets, 11U);
  q.release(on(2));
  q.release(on(3));
  packet(kSG, 1);
  ASSERT_TRUE(manager_->entry(kSG, true, image));
  EXPECT_EQ(image.out_packets, 11U);
  EXPECT_EQ(image.negative_packets, 1U);
}

TEST_F(MgmManager, KeepsWhatTheForwarderRefuses) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  forwarder_.fail_after(0, ENOMEM);
  const auto taken = manager_->take(p, on(1));
  EXPECT_EQ(taken.error().kind, ErrorKind::kKernel);
  EXPECT_EQ(taken.error().system_code, ENOMEM);
  EXPECT_EQ(manager_->protocol_on(on(1)).error().kind, ErrorKind::kNotFound);
  forwarder_.fail_after(-1, 0);
  p.take(on(1));
  q.take(on(2));
  q.add(kG, 2);
  routes_.set("10.0.0.0/8", 1);
  forwarder_.fail_after(0, ENOBUFS);
  EXPECT_FALSE(packet(kSG, 1));
  EXPECT_EQ(shown(kSG), "1 -> 2");
  EXPECT_EQ(entry(kSG), "none");
  forwarder_.fail_after(-1, 0);
  EXPECT_EQ(manager_->next_deadline(), clock_.now() + manager_->config().retry);
  pass(manager_->config().retry);
  EXPECT_EQ(entry(kSG), "1 -> 2");
  EXPECT_EQ(manager_->status().forwarder_refusals, 2U);
  // The forwarder has lost the entry: its next question brings it back.
  ASSERT_TRUE(forwarder_.remove(kSG));
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(entry(kSG), "1 -> 2");
  EXPECT_EQ(manager_->status().merged, 1U);
}

TEST_F(MgmManager, SharesAVirtualInterfaceBetweenLinks) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(5, "10.5.0.1"));
  q.take(on(5, "10.5.0.2"));
  p.take(on(1));
  EXPECT_EQ(forwarder_.devices().size(), 2U);
  routes_.set("10.0.0.0/8", 1);
  ASSERT_TRUE(manager_->add(p, kG, on(5, "10.5.0.1"), kJoinState));
  ASSERT_TRUE(manager_->add(q, kG, on(5, "10.5.0.2"), kJoinState));
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(shown(kSG), "1 -> 5/10.5.0.1 5/10.5.0.2");
  EXPECT_EQ(entry(kSG), "1 -> 5");
  p.release(on(5, "10.5.0.1"));
  EXPECT_EQ(entry(kSG), "1 -> 5");
  q.release(on(5, "10.5.0.2"));
  EXPECT_EQ(forwarder_.devices().size(), 1U);
  routes_.set("10.0.0.0/8", 5, "10.5.0.2");
  q.take(on(5, "10.5.0.2"));
  manager_->routes_changed(net::parse_prefix("10.0.0.0/8").value());
  static_cast<void>(book_.read());
  EXPECT_TRUE(packet(kSG, 5));
  EXPECT_EQ(book_.read().front(), "q: rpf (10.0.9.9,239.1.1.1) 5/10.5.0.2 10.5.0.2");
}

TEST_F(MgmManager, HasThirtyTwoVirtualInterfaces) {
  Party p = party("p", 100);
  for (std::uint32_t device = 1; device <= 32; ++device) {
    p.take(on(device));
  }
  EXPECT_EQ(manager_->take(p, on(33)).error().system_code, ENFILE);
  p.release(on(16));
  p.take(on(33));
  EXPECT_EQ(manager_->status().interfaces, 32U);
}

TEST_F(MgmManager, RefusesWhatIsWrongInTheDocumentedOrder) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(1));
  const auto kind_of = [](const Result<void>& result) { return result ? ErrorKind::kInternal : result.error().kind; };
  EXPECT_EQ(kind_of(manager_->add(Handle::kNone, kG, on(1), 0)), ErrorKind::kInvalidHandle);
  for (const States states : {0U, 4U, 7U}) {
    EXPECT_EQ(kind_of(manager_->add(p, kG, on(1), states)), ErrorKind::kInvalidArgument);
    EXPECT_EQ(kind_of(manager_->remove(p, kG, on(9), states)), ErrorKind::kInvalidArgument);
  }
  for (const Flow& bad : {flow("10.0.0.1", "*"), flow("*", "10.0.0.1"), flow("*", "240.0.0.0"),
                          Flow{net::parse_address("ff0e::1").value(), {}}}) {
    EXPECT_EQ(kind_of(manager_->add(p, bad, on(1), kJoinState)), ErrorKind::kInvalidArgument) << text(bad);
  }
  EXPECT_EQ(kind_of(manager_->add(p, kG, on(9), kJoinState)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(manager_->remove(p, kG, on(9), kJoinState)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(manager_->remove(q, kG, on(1), kJoinState)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(manager_->release(q, on(1))), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(manager_->release(q, on(9))), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(manager_->take(p, on(0))), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of(manager_->set_upstream(p, kSG, address("10.0.0.1"))), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(manager_->set_upstream(Handle(42), kSG, address("10.0.0.1"))), ErrorKind::kInvalidHandle);
  EXPECT_EQ(kind_of(manager_->forget(p, kSG)), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of(manager_->forget(Handle(42), kSG)), ErrorKind::kInvalidHandle);
  EXPECT_EQ(manager_->status().memberships, 0U);
}

TEST_F(MgmManager, AsksAnewAboutAnEntryThatAClientForgets) {
  Party p = party("p", 100);
  p.take(on(1));
  p.take(on(2));
  routes_.set("10.0.0.0/8", 1);
  ASSERT_TRUE(manager_->add(p, kG, on(2), kJoinState));
  EXPECT_TRUE(packet(kSG, 1));
  book_.read();
  EXPECT_TRUE(manager_->forget(p, kSG));
  EXPECT_EQ(manager_->status().entries, 0U);
  EXPECT_EQ(manager_->forget(p, kSG).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(book_.read(), Lines{}) << "nobody is told";
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(book_.read().size(), 2U) << "RPF and CREATION";
  EXPECT_EQ(entry(kSG), "1 -> 2");
}

TEST_F(MgmManager, LeavesNothingOfAClient) {
  Party p = party("p", 100);
  p.take(on(1));
  p.add(kG, 1);
  const Handle enumeration = manager_->start_groups(p, true).value();
  EXPECT_EQ(manager_->deregister_client(p).error().kind, ErrorKind::kBusy);
  EXPECT_EQ(manager_->status().memberships, 1U);
  p.release(on(1));
  EXPECT_TRUE(manager_->deregister_client(p));
  EXPECT_EQ(manager_->deregister_client(p).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(manager_->next_groups(enumeration, 0, {}).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(manager_->end_groups(enumeration).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(manager_->take(p, on(1)).error().kind, ErrorKind::kInvalidHandle);
  const Status status = manager_->status();
  EXPECT_EQ(status.clients + status.interfaces + status.memberships + status.entries + status.enumerations, 0U);
  Party again = party("p", 100);
  EXPECT_NE(static_cast<Handle>(again), static_cast<Handle>(p));
}

// Whoever drives deadlines stops with the last client: what is left of old ones must not hide new ones from it.
TEST_F(MgmManager, ForgetsDeadlinesWithItsLastClient) {
  {
    Party p = party("p", 100);
    p.take(on(1));
    routes_.set("10.0.0.0/8", 1);
    EXPECT_TRUE(packet(kSG, 1));
    EXPECT_TRUE(manager_->next_deadline());
    p.release(on(1));
    EXPECT_TRUE(manager_->deregister_client(p));
  }
  EXPECT_FALSE(manager_->next_deadline());
}

TEST_F(MgmManager, LetsCallbacksCallBack) {
  Party a = party("a", 100);
  Party b = party("b", 101);
  a.take(on(1));
  b.take(on(2));
  bool again = false;
  b->on_any = [&] {
    if (std::exchange(again, true)) return;
    b.add(kG, 2);  // tells A from inside B's callback
    EXPECT_EQ(manager_->deregister_client(b).error().kind, ErrorKind::kBusy);
  };
  a.add(kG, 1);
  EXPECT_EQ(book_.read(), (Lines{"b: join (*,239.1.1.1) member", "a: join (*,239.1.1.1) member"}));
  // An alert for the client whose callback this is waits until that has returned.
  again = false;
  a->on_any = [&] {
    if (std::exchange(again, true)) return;
    book_.write("begin");
    ASSERT_TRUE(manager_->remove(b, kG, on(2), kJoinState));
    ASSERT_TRUE(manager_->add(b, kG, on(2), kJoinState));
    book_.write("end");
  };
  b.add(kAll, 2);
  EXPECT_EQ(book_.read(), (Lines{"a: join (*,*) member", "begin", "end", "a: prune (*,239.1.1.1) 2 member",
                                 "a: join (*,239.1.1.1) member"}));
  EXPECT_EQ(manager_->status().alerts_left, 2U);
  a->on_any = [] { throw 42; };
  b.add(flow("*", "239.1.1.2"), 2);
  EXPECT_EQ(book_.read(), Lines{"a: join (*,239.1.1.2) member"});
}

TEST_F(MgmManager, RefusesMuchWhileIgmpIsSwitched) {
  Party igmp = party("igmp", kIgmp);
  Party p = party("p", 100);
  igmp.take(on(1));
  igmp.take(on(2));
  int refused = 0;
  igmp->on_any = [&] {
    for (const auto& result :
         {manager_->add(igmp, kG, on(1), kJoinState), manager_->remove(igmp, kG, on(2), kJoinState),
          manager_->take(igmp, on(3)), manager_->release(igmp, on(2))}) {
      refused += !result && result.error().kind == ErrorKind::kBusy ? 1 : 0;
    }
  };
  p.take(on(1));
  EXPECT_EQ(refused, 8);
  igmp->on_any = [] {};
  igmp.add(kG, 1);
  EXPECT_EQ(manager_->status().memberships, 1U);
}

TEST_F(MgmTwoOwners, SurvivesAnInterfaceThatGoesDuringCallbacks) {
  static_cast<void>(book_.read());
  p->on_rpf = [&](Rpf&) { p.release(on(1)); };
  EXPECT_FALSE(packet(kSG, 1));
  EXPECT_EQ(book_.read(), Lines{"p: rpf (10.0.9.9,239.1.1.1) 1 *"});
  EXPECT_EQ(manager_->status().entries, 0U);
  p->on_rpf = [](Rpf&) {};
  p.take(on(1));
  q->on_created = [&](std::span<OutInterface>) { q.release(on(2)); };
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(entry(kSG), "1 ->");
  EXPECT_EQ(manager_->status().interfaces, 1U);
}

TEST_F(MgmTwoOwners, MakesEntriesThoughQuestionsThrow) {
  p->on_rpf = [](Rpf&) { throw 42; };
  q->on_created = [](std::span<OutInterface>) { throw 42; };
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_EQ(entry(kSG), "1 -> 2");
}

// Whatever is told, the interface that it is about may be given back meanwhile, by the one who is told or by another.
TEST_F(MgmManager, SurvivesAnInterfaceThatGoesDuringAlerts) {
  Party igmp = party("igmp", kIgmp);
  Party p = party("p", 100);
  Party q = party("q", 101);
  const auto go = [&](Party& who, std::uint32_t index) {
    return [this, &who, index] { static_cast<void>(manager_->release(who, on(index))); };
  };
  p.take(on(1));
  q.take(on(2));
  q->on_any = go(p, 1);  // JOIN
  p.add(kG, 1);
  EXPECT_EQ(manager_->status().memberships, 0U);
  q->on_any = [] {};
  p.take(on(1));
  p.add(kG, 1);
  q->on_any = go(p, 1);  // PRUNE
  ASSERT_TRUE(manager_->remove(p, kG, on(1), kJoinState));
  q->on_any = [] {};
  p.take(on(1));
  igmp.take(on(1));
  p->on_any = go(p, 1);  // LOCAL_JOIN
  igmp.add(kG, 1);
  EXPECT_EQ(manager_->status().memberships, 0U) << "its owner has gone, and IGMP has not yet added it again";
  p->on_any = [] {};
  p.take(on(1));
  igmp.add(kG, 1);
  p->on_any = go(p, 1);  // LOCAL_LEAVE
  ASSERT_TRUE(manager_->remove(igmp, kG, on(1), kJoinState));
  p->on_any = [] {};
  EXPECT_EQ(manager_->status().interfaces, 2U) << "IGMP's, and q's";
  EXPECT_EQ(manager_->status().memberships, 0U);
}

TEST_F(MgmManager, TellsOfWrongInterfacesOnlyIfAsked) {
  make({.wrong_interface_alerts = true});
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(1));
  q.take(on(2));
  routes_.set("10.0.0.0/8", 1);
  EXPECT_TRUE(packet(kSG, 1));
  static_cast<void>(book_.read());
  packet(kSG, 2);
  packet(kSG, 2);
  EXPECT_EQ(book_.read(), Lines{"q: wrong (10.0.9.9,239.1.1.1) 2"});
  pass(std::chrono::seconds(3));
  packet(kSG, 2);
  EXPECT_EQ(book_.read(), Lines{"q: wrong (10.0.9.9,239.1.1.1) 2"});
}

TEST_F(MgmManager, IsBounded) {
  make({.max_clients = 1, .max_memberships = 2, .max_entries = 1});
  Party p = party("p", 100);
  EXPECT_EQ(manager_->register_client({{101, 0}, nullptr, 0}).error().kind, ErrorKind::kExhausted);
  p.take(on(1));
  p.add(kG, 1);
  p.add(kAll, 1);
  EXPECT_EQ(manager_->add(p, flow("*", "239.1.1.2"), on(1), kJoinState).error().kind, ErrorKind::kExhausted);
  p.add(kG, 1);
  EXPECT_EQ(groups(p), (Lines{"(*,*)", "(*,239.1.1.1)"}));
  EXPECT_EQ(manager_->status().memberships_refused, 1U);
  routes_.set("10.0.0.0/8", 1);
  EXPECT_TRUE(packet(kSG, 1));
  EXPECT_FALSE(packet(flow("10.0.9.10", "239.1.1.1"), 1));
  EXPECT_EQ(manager_->status().dropped, 1U);
}

// Counts lines; the Log owns it, so the count is the test's.
class LineCount final : public LogSink {
 public:
  LineCount(std::string_view message, unsigned& count) : message_(message), count_(count) {}
  bool write(const LogRecord& record) override {
    count_ += record.message == message_ ? 1 : 0;
    return true;
  }

 private:
  const std::string_view message_;
  unsigned& count_;
};

TEST_F(MgmManager, LogsOnceThatItIsFullHoweverManyJoin) {
  unsigned lines = 0;
  const auto sink =
      process_log().open(std::make_unique<LineCount>("as many memberships as there may be", lines), LogLevel::kWarning);
  ASSERT_TRUE(sink);
  make({.max_memberships = 16});
  Party p = party("p", 100);
  p.take(on(1));
  const auto group = [](int number) { return flow("*", "239.1.1." + std::to_string(number)); };
  const auto refused_of = [&](int from, int to) {
    int refused = 0;
    for (int i = from; i < to; ++i) refused += manager_->add(p, group(i), on(1), kJoinState) ? 0 : 1;
    return refused;
  };
  EXPECT_EQ(refused_of(0, 16), 0);
  EXPECT_EQ(lines, 0U);
  EXPECT_EQ(refused_of(16, 200), 184);
  EXPECT_EQ(lines, 1U);
  p.remove(group(0), 1);  // one goes and another comes, and the next is refused: the same shortage
  EXPECT_EQ(refused_of(16, 18), 1);
  EXPECT_EQ(lines, 1U);
  for (int i = 1; i < 4; ++i) p.remove(group(i), 1);
  EXPECT_EQ(refused_of(100, 110), 7);
  EXPECT_EQ(lines, 2U) << "there was room meanwhile";
  EXPECT_EQ(manager_->status().memberships_refused, 184U + 1 + 7);
  EXPECT_TRUE(process_log().close(*sink));
}

TEST_F(MgmManager, EnumeratesSnapshots) {
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on(1));
  q.take(on(2));
  p.add(kG, 1);
  q.add(kG, 2);
  p.add(kSG, 1);
  p.add(flow("10.0.9.8", "239.1.1.1"), 1);
  p.add(flow("*", "239.1.1.9"), 1);
  EXPECT_EQ(groups(p), (Lines{"(*,239.1.1.1)", "(10.0.9.8,239.1.1.1)", "(10.0.9.9,239.1.1.1)", "(*,239.1.1.9)"}));
  EXPECT_EQ(groups(p, false), Lines{"(10.0.9.8,239.1.1.1)"});
  const Handle enumeration = manager_->start_groups(p, true).value();
  p.release(on(1));
  EXPECT_EQ(manager_->next_groups(enumeration, 0, {}).error().kind, ErrorKind::kBufferTooSmall);
  std::size_t count = 0;
  EXPECT_FALSE(manager_->next_groups(enumeration, 8, [&](const Flow&) { ++count; }).value());
  EXPECT_FALSE(manager_->next_groups(enumeration, 0, [&](const Flow&) { ++count; }).value());
  EXPECT_EQ(count, 4U);
}

TEST_F(MgmManager, WalksEntriesInOrder) {
  Party p = party("p", 100);
  p.take(on(1));
  routes_.set("10.0.0.0/8", 1);
  for (const char* source : {"10.0.0.200", "10.0.0.3", "10.128.0.1"}) {
    for (const char* group : {"239.200.0.1", "239.3.0.1"}) {
      EXPECT_TRUE(packet(flow(source, group), 1));
    }
  }
  Lines seen;
  EntryImage image;
  const Flow* after = nullptr;
  Flow last;
  while (manager_->next_entry(after, seen.size() % 2 == 0, image)) {
    seen.push_back(text(image.flow));
    last = image.flow;
    after = &last;
  }
  EXPECT_EQ(seen, (Lines{"(10.0.0.3,239.3.0.1)", "(10.0.0.200,239.3.0.1)", "(10.128.0.1,239.3.0.1)",
                         "(10.0.0.3,239.200.0.1)", "(10.0.0.200,239.200.0.1)", "(10.128.0.1,239.200.0.1)"}));
}

TEST_F(MgmManager, SpeaksIpv6) {
  make({.family = net::Family::kIpv6});
  const auto six = [](const char* text) { return net::parse_address(text).value(); };
  const auto on6 = [&](std::uint32_t device) { return InterfaceId{net::InterfaceIndex(device), six("::")}; };
  Party p = party("p", 100);
  Party q = party("q", 101);
  p.take(on6(1));
  q.take(on6(2));
  EXPECT_EQ(manager_->take(p, on(3)).error().kind, ErrorKind::kInvalidArgument);
  routes_.set("2001:db8::/32", 1, "fe80::1");
  ASSERT_TRUE(manager_->add(q, {six("ff3e::8000:1"), six("2001:db8::5")}, on6(2), kJoinState));
  EXPECT_EQ(book_.read(), Lines{"p: join (2001:db8::5,ff3e::8000:1) member"});
  EXPECT_TRUE(packet({six("ff3e::8000:1"), six("2001:db8::5")}, 1));
  EXPECT_EQ(book_.read().front(), "p: rpf (2001:db8::5,ff3e::8000:1) 1 fe80::1");
  EXPECT_EQ(entry({six("ff3e::8000:1"), six("2001:db8::5")}), "1 -> 2");
  EXPECT_FALSE(packet({six("ff02::1:3"), six("2001:db8::5")}, 1));
}

TEST(MgmMemberships, AreHeldByTwo) {
  Memberships memberships;
  Interface one{.id = on(1)};
  Interface two{.id = on(2)};
  EXPECT_TRUE(memberships.add(kG, one, Holder::kOwner));
  EXPECT_FALSE(memberships.add(kG, one, Holder::kOwner));
  EXPECT_TRUE(memberships.add(kG, one, Holder::kIgmp));
  EXPECT_TRUE(memberships.add(kAll, two, Holder::kOwner));
  EXPECT_EQ(memberships.size(), 2U);
  EXPECT_TRUE(memberships.covers(kSG, one));
  EXPECT_TRUE(memberships.covers(kSG, two));
  EXPECT_FALSE(memberships.covers(flow("10.0.0.1", "239.1.1.2"), one));
  EXPECT_TRUE(memberships.remove(kG, one, Holder::kOwner));
  EXPECT_TRUE(memberships.covers(kSG, one));
  EXPECT_FALSE(memberships.remove(kG, one, Holder::kOwner));
  EXPECT_TRUE(memberships.remove(kG, one, Holder::kIgmp));
  EXPECT_FALSE(memberships.covers(kSG, one));
  EXPECT_TRUE(memberships.remove(kAll, two, Holder::kOwner));
  EXPECT_EQ(memberships.size(), 0U);
  EXPECT_EQ(one.first_membership + two.first_membership, 0U);
}

}  // namespace
}  // namespace turnpike::mgm::testing
