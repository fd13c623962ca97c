// NDIS-062 … NDIS-083: deregistration, the heart of the contract.
#include <algorithm>
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using NdisDeparture = NdisBoth;
NDIS_BOTH(NdisDeparture);
class NdisDeparture5 : public NdisTest {};

// Deregisters on a thread of its own, and says when that has returned.
class Leaving {
 public:
  explicit Leaving(Driver& driver)
      : thread_([this, &driver] {
          driver.deregister();
          left.open();
        }) {}
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;
  ~Leaving() { thread_.join(); }
  Gate left;

 private:
  std::thread thread_;
};

// clauses: NDIS-062
TEST_F(NdisDeparture5, OfAProtocolWithoutBindings) {
  policy(TP_NDIS_BIND_NONE);
  Driver5 p("P");
  p.start();
  told();
  EXPECT_EQ(p.deregister(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(told(), Lines{});
}

void leaves_each(Driver& driver, int adapters) {
  std::list<Adapter> all;
  for (int index = 0; index < adapters; ++index) {
    all.emplace_back("a" + std::to_string(index));
  }
  driver.start();
  EXPECT_EQ(counters().bindings, static_cast<std::uint64_t>(adapters));
  told();
  EXPECT_EQ(driver.deregister(), NDIS_STATUS_SUCCESS);
  const std::vector<Told> entries = told_in_full();
  for (const Adapter& each : all) {
    EXPECT_EQ(std::count_if(entries.begin(), entries.end(),
                            [&](const Told& told) { return told.line == "P: unbind " + each.name(); }),
              1);
  }
  for (const Told& entry : entries) {
    if (entry.line.find("unbind") != std::string::npos) {
      EXPECT_EQ(entry.thread, std::this_thread::get_id());
    }
  }
}

// clauses: NDIS-063 NDIS-064 NDIS-065 NDIS-069
TEST_P(NdisDeparture, UnbindsEachOnceOnTheThreadThatAsks) {
  for (const int adapters : {1, 2, 16}) {
    leaves_each(*driver("P"), adapters);
    const TP_NDIS_COUNTERS left = counters();
    EXPECT_EQ(left.protocols + left.bindings + left.bind_operations + left.unbind_operations + left.callbacks, 0U);
  }
}

// clauses: NDIS-066
TEST_P(NdisDeparture, WaitsForAnUnbindThatPends) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_unbind = [&](Binding& binding) {
    p->close_and_wait(binding);
    note("closed");
    return NDIS_STATUS_PENDING;
  };
  p->start();
  Leaving leaving(*p);
  ASSERT_TRUE(comes("closed"));
  EXPECT_TRUE(leaving.left.stays_shut());
  p->complete_unbind(p->last());
  EXPECT_TRUE(leaving.left.wait());
}

// clauses: NDIS-067
TEST_P(NdisDeparture, WaitsForWhatIsRetained) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  p->keep_all();
  adapter.inject(frame(kBroadcast, "kept"));
  EXPECT_EQ(counters().retained, 1U);
  Leaving leaving(*p);
  EXPECT_TRUE(leaving.left.stays_shut());
  p->give_back();
  EXPECT_TRUE(leaving.left.wait());
}

// clauses: NDIS-068
TEST_P(NdisDeparture, TakesItsReceptionAlong) {
  const Adapter adapter("a");
  const auto p = driver("P");
  const auto stays = driver("Q");
  stays->filter = 0;
  stays->start();
  p->filter = NDIS_PACKET_TYPE_PROMISCUOUS | NDIS_PACKET_TYPE_MULTICAST;
  p->start();
  EXPECT_EQ(p->set(p->last(), OID_802_3_MULTICAST_LIST, bytes_of(kGroup)).status, NDIS_STATUS_SUCCESS);
  std::uint32_t filter = 0;
  std::uint32_t groups = 0;
  EXPECT_EQ(TpNdisAdapterGetReception(adapter.index(), &filter, &groups), NO_ERROR);
  EXPECT_EQ(filter, p->filter);
  EXPECT_EQ(groups, 1U);
  p->deregister();
  EXPECT_EQ(TpNdisAdapterGetReception(adapter.index(), &filter, &groups), NO_ERROR);
  EXPECT_EQ(filter, 0U);
  EXPECT_EQ(groups, 0U);
}

// clauses: NDIS-070
TEST_P(NdisDeparture, IsTheLastThatTheDriverHears_choice) {
  const Adapter adapter("a");
  std::atomic<bool> enough{false};
  std::thread traffic([&] {
    const Bytes any = frame(kBroadcast, "x");
    while (!enough) {
      TpNdisAdapterInject(adapter.index(), any.data(), any.size());
    }
  });
  std::thread flapping([&] {
    while (!enough) {
      adapter.carrier(false);
      adapter.carrier(true);
    }
  });
  for (int round = 0; round < 5; ++round) {
    const auto p = driver("P");
    EXPECT_EQ(p->register_protocol(), NDIS_STATUS_SUCCESS);
    EXPECT_TRUE(comes("P: bind a", round + 1));
    p->deregister();  // from here on each callback is a failure
  }
  enough = true;
  traffic.join();
  flapping.join();
  told();
}

// clauses: NDIS-071
TEST_F(NdisDeparture5, SucceedsWhateverTheDriverDid) {
  const Adapter adapter("a");
  Driver5 p("P");
  p.on_unbind = [](Binding&) { return NDIS_STATUS_FAILURE; };
  p.start();
  EXPECT_EQ(p.deregister(), NDIS_STATUS_SUCCESS);
  EXPECT_FALSE(violations().empty());
}

// clauses: NDIS-072
TEST_P(NdisDeparture, OffersNothingAnyMore_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  std::unique_ptr<Adapter> later;
  p->on_unbind = [&](Binding& binding) {
    later = std::make_unique<Adapter>("b");
    p->close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  p->deregister();
  quiesce();
  EXPECT_EQ(count(told(), "P: bind b"), 0);
}

// clauses: NDIS-074
TEST_P(NdisDeparture, WaitsForABindThatPends_choice) {
  const Adapter adapter("a");
  for (const NDIS_STATUS outcome : {NDIS_STATUS_SUCCESS, NDIS_STATUS_FAILURE}) {
    const auto p = driver("P");
    p->on_bind = [&](Binding& binding) {
      if (outcome == NDIS_STATUS_SUCCESS) {
        EXPECT_EQ(p->open_and_wait(binding), NDIS_STATUS_SUCCESS);
      }
      note("pends");
      return NDIS_STATUS_PENDING;
    };
    EXPECT_EQ(p->register_protocol(), NDIS_STATUS_SUCCESS);
    ASSERT_TRUE(comes("pends"));
    {
      Leaving leaving(*p);
      EXPECT_TRUE(leaving.left.stays_shut());
      p->complete_bind(p->last(), outcome);
      EXPECT_TRUE(leaving.left.wait());
    }
    EXPECT_EQ(count(told(), "P: unbind a"), outcome == NDIS_STATUS_SUCCESS ? 1 : 0);
  }
}

// clauses: NDIS-075
TEST_P(NdisDeparture, WaitsForAnOpenThatPends_choice) {
  const Adapter adapter("a");
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_OPEN);
  const auto p = driver("P");
  p->on_open_complete = [&](Binding& binding) { p->complete_bind(binding, NDIS_STATUS_SUCCESS); };
  p->on_bind = [&](Binding& binding) {
    EXPECT_EQ(p->open(binding), NDIS_STATUS_PENDING);
    note("pends");
    return NDIS_STATUS_PENDING;
  };
  EXPECT_EQ(p->register_protocol(), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("pends"));
  p->deregister();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: opened a SUCCESS"), 1);
  EXPECT_EQ(count(lines, "P: unbind a"), 1);
}

// clauses: NDIS-076
TEST_P(NdisDeparture, MeetsTheAdapterThatGoes_choice) {
  for (int round = 0; round < 10; ++round) {
    Adapter adapter("a");
    const auto p = driver("P");
    p->start();
    told();
    {
      Leaving leaving(*p);
      adapter.remove();
    }
    EXPECT_EQ(count(told(), "P: unbind a"), 1);
  }
}

// clauses: NDIS-080
TEST_P(NdisDeparture, GivesTheNameBack_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(p->register_protocol(), NDIS_STATUS_SUCCESS);
    p->deregister();
  }
  told();
}

// clauses: NDIS-081
TEST_P(NdisDeparture, LeavesOthersAlone) {
  const Adapter adapter("a");
  const auto p = driver("P");
  const auto q = driver("Q");
  p->filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  q->filter = NDIS_PACKET_TYPE_BROADCAST;
  p->start();
  q->start();
  p->deregister();
  EXPECT_EQ(q->number(q->last(), OID_GEN_CURRENT_PACKET_FILTER), NDIS_PACKET_TYPE_BROADCAST);
  adapter.inject(frame(kBroadcast, "all"));
  adapter.inject(frame(kStranger, "other"));
  const std::vector<Received> seen = q->received();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(text_of(seen[0].bytes), "all");
}

// clauses: NDIS-083
TEST_P(NdisDeparture, CallsNoUnloadHandler) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  p->deregister();
  Lines lines = told();
  EXPECT_EQ(count(lines, "P: unload") + count(lines, "P: uninstall"), 0);
  if (six()) {
    p->start();
    told();
    EXPECT_EQ(TpNdisUninstallProtocol(p->policy_name().c_str()), NO_ERROR);
    EXPECT_EQ(told_but_completions(), (Lines{"P: pause a", "P: unbind a", "P: uninstall"}));
  }
}

}  // namespace
}  // namespace turnpike::conformance
