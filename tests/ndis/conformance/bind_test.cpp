// NDIS-019 … NDIS-032: what is offered to a protocol, and how a bind ends.
#include <algorithm>
#include <cstring>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using NdisBind = NdisBoth;
NDIS_BOTH(NdisBind);

// Works: what it sends leaves, what comes in is shown.
void expect_works(Driver& driver, const Adapter& adapter) {
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  told();
  driver.send(driver.at(adapter), frame(kPeer, "out"));
  EXPECT_TRUE(comes(driver.name() + ": sent " + adapter.name() + " out SUCCESS"));
  adapter.inject(frame(kBroadcast, "in"));
  EXPECT_TRUE(comes(driver.name() + ": gets " + adapter.name() + " in"));
  EXPECT_EQ(adapter.sent_texts(), Lines{"out"});
}

// clauses: NDIS-019
TEST_P(NdisBind, OncePerMatchingAdapter) {
  const Adapter a("eth1");
  const Adapter b("eth2");
  const Adapter c("wan1");
  policy(TP_NDIS_BIND_LIST, "eth*");
  const auto p = driver("P");
  p->start();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: bind eth1"), 1);
  EXPECT_EQ(count(lines, "P: bind eth2"), 1);
  EXPECT_EQ(count(lines, "P: bind wan1"), 0);
}

// clauses: NDIS-020
TEST_P(NdisBind, OfAnAdapterThatComesLater) {
  const auto p = driver("P");
  p->start();
  EXPECT_EQ(count(told(), "P: bind a"), 0);
  const Adapter adapter("a");
  quiesce();
  EXPECT_EQ(count(told(), "P: bind a"), 1);
  expect_works(*p, adapter);
}

// clauses: NDIS-021
TEST_P(NdisBind, CallbacksOfOneProtocolNeverOverlap_choice) {
  const auto p = driver("P");  // it checks in each of them that no other runs
  std::atomic<int> calls{0};
  p->on_bind = [&](Binding& binding) {
    std::this_thread::yield();
    ++calls;
    return p->open_and_wait(binding);
  };
  p->on_event = [&](Binding*, PNET_PNP_EVENT) {
    std::this_thread::yield();
    ++calls;
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  std::vector<std::thread> threads;
  for (const char* name : {"a", "b", "c", "d"}) {
    threads.emplace_back([name] {
      for (int round = 0; round < 5; ++round) {
        Adapter adapter(name);
        EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
        EXPECT_EQ(TpNdisAdapterSetMtu(adapter.index(), 1400), NO_ERROR);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  quiesce();
  EXPECT_GE(calls, 20);
  told();
}

// clauses: NDIS-022
TEST_P(NdisBind, EndsWithSuccess) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  EXPECT_EQ(counters().bind_operations, 0U);
  expect_works(*p, adapter);
}

// clauses: NDIS-023
TEST_P(NdisBind, PendsUntilItIsCompleted) {
  const Adapter adapter("a");
  const auto p = driver("P");
  ASSERT_NO_FATAL_FAILURE(start_with_a_bind_that_pends(*p));
  EXPECT_EQ(counters().bind_operations, 1U);
  std::thread([&] { p->complete_bind(p->at(adapter), NDIS_STATUS_SUCCESS); }).join();
  quiesce();
  EXPECT_EQ(counters().bind_operations, 0U);
  expect_works(*p, adapter);
}

class NdisBind6 : public NdisTest {};

// clauses: NDIS-024
TEST_F(NdisBind6, IsCompletedOnce) {
  const Adapter adapter("a");
  Driver6 p("P");
  p.on_bind = [&](Binding& binding) {
    EXPECT_EQ(p.open_and_wait(binding), NDIS_STATUS_SUCCESS);
    note("opened");
    return NDIS_STATUS_PENDING;
  };
  ASSERT_EQ(p.register_protocol(), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("opened"));
  p.complete_bind(p.at(adapter), NDIS_STATUS_SUCCESS);
  quiesce();
  EXPECT_EQ(violations(), Lines{});
  p.complete_bind(p.at(adapter), NDIS_STATUS_FAILURE);
  EXPECT_EQ(violations().size(), 1U);
  EXPECT_EQ(counters().bindings, 1U);
  expect_works(p, adapter);
}

// clauses: NDIS-025
TEST_P(NdisBind, ThatFailsLeavesNothing) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_bind = [&](Binding&) { return NDIS_STATUS_FAILURE; };
  p->start();
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_EQ(counters().bind_operations, 0U);
  const Bytes any = frame(kBroadcast, "x");
  EXPECT_EQ(TpNdisAdapterInject(adapter.index(), any.data(), any.size()), DWORD{ERROR_BUSY})
      << "somebody has opened it";
  p->deregister();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: bind a"), 1);
  EXPECT_EQ(count(lines, "P: unbind a"), 0);
}

class NdisBind5 : public NdisTest {};

// clauses: NDIS-026
TEST_F(NdisBind5, WithoutAnOpenBinding_choice) {
  const Adapter adapter("a");
  Driver5 p("P");
  p.on_bind = [](Binding&) { return NDIS_STATUS_SUCCESS; };
  p.start();
  EXPECT_EQ(counters().bindings, 0U);
  EXPECT_EQ(p.deregister(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(count(told(), "P: unbind a"), 0);
}

// clauses: NDIS-027
TEST_F(NdisBind6, IsToldOfTheAdapter) {
  const Adapter adapter("a");
  const std::vector<std::pair<UCHAR, UCHAR>> revisions{{0, 1}, {1, 2}, {20, 3}, {30, 4}, {89, 4}};
  for (const auto& [minor, revision] : revisions) {
    Driver6 p("P");
    p.characteristics.MinorNdisVersion = minor;
    p.on_bind = [&, expected = revision](Binding& binding) {
      const NDIS_BIND_PARAMETERS& all = *binding.parameters;
      EXPECT_EQ(all.Header.Type, 0x86);
      EXPECT_EQ(all.Header.Revision, expected);
      EXPECT_EQ(all.MtuSize, 1500U);
      EXPECT_EQ(all.MediaType, NdisMedium802_3);
      EXPECT_EQ(all.BoundIfIndex, adapter.index());
      EXPECT_EQ(all.LowestIfIndex, adapter.index());
      EXPECT_EQ(all.MacAddressLength, 6);
      EXPECT_EQ(std::memcmp(all.CurrentMacAddress, adapter.mac().data(), 6), 0);
      EXPECT_EQ(all.XmitLinkSpeed, 1000000000U);
      EXPECT_EQ(all.MediaConnectState, MediaConnectStateConnected);
      EXPECT_EQ(all.SupportedPacketFilters, 0x100AFU);
      EXPECT_EQ(all.MaxMulticastListSize, 256U);
      EXPECT_EQ(all.AccessType, NET_IF_ACCESS_BROADCAST);
      EXPECT_EQ(all.ConnectionType, NET_IF_CONNECTION_DEDICATED);
      EXPECT_EQ(all.IfType, 6);
      EXPECT_EQ(wide_text_of(*all.BoundAdapterName), wide_text_of(*all.AdapterName));
      return p.open_and_wait(binding);
    };
    p.start();
    EXPECT_EQ(count(told(), "P: bind a"), 1);
  }
}

// clauses: NDIS-028
TEST_F(NdisBind6, IsPausedUntilItIsRestarted) {
  const Adapter adapter("a");
  Driver6 p("P");
  p.on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (binding != nullptr && event->NetEvent == NetEventRestart) {
      adapter.inject(frame(kBroadcast, "early"));
      note("restarted");
    }
    return NDIS_STATUS_SUCCESS;
  };
  p.start();
  adapter.inject(frame(kBroadcast, "late"));
  const Lines lines = told();
  const auto at = [&](const char* line) { return std::find(lines.begin(), lines.end(), line); };
  EXPECT_EQ(count(lines, "P: restart a"), 1);
  EXPECT_LT(at("P: restart a"), at("P: gets a late"));
  EXPECT_NE(at("P: gets a late"), lines.end());
  EXPECT_EQ(count(lines, "P: gets a early"), 0);
}

// clauses: NDIS-029
TEST_P(NdisBind, NamesTheAdapterWhateverTheCase_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  const auto q = driver("Q");
  q->on_bind = [&](Binding& binding) {
    EXPECT_EQ(binding.device.compare(0, 9, L"\\Device\\{"), 0);
    for (wchar_t& letter : binding.device) {
      letter = letter >= L'a' && letter <= L'f'   ? letter - (L'a' - L'A')
               : letter >= L'A' && letter <= L'F' ? letter + (L'a' - L'A')
                                                  : letter;
    }
    return q->open_and_wait(binding);
  };
  p->start();
  q->start();
  EXPECT_NE(p->last().device, q->last().device);
  expect_works(*q, adapter);
  EXPECT_EQ(counters().bindings, 2U);
}

// clauses: NDIS-030
TEST_P(NdisBind, IsNotOfferedTwice_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  int binds = 0;
  p->on_bind = [&](Binding& binding) {
    const NDIS_STATUS status = p->open_and_wait(binding);
    note("opened");
    return ++binds == 1 ? NDIS_STATUS_PENDING : status;
  };
  ASSERT_EQ(p->register_protocol(), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(comes("opened"));
  NdisReEnumerateProtocolBindings(p->handle());  // being bound
  p->complete_bind(p->at(adapter), NDIS_STATUS_SUCCESS);
  quiesce();
  NdisReEnumerateProtocolBindings(p->handle());  // bound
  quiesce();
  EXPECT_EQ(count(told(), "P: bind a"), 1);
}

// clauses: NDIS-031
TEST_F(NdisBind6, IsOfferedAgainWhenItIsFree) {
  const Adapter a("a");
  const Adapter b("b");
  const Adapter c("c");
  policy(TP_NDIS_BIND_LIST, "a,b");
  Driver6 p("P");
  p.start();
  EXPECT_EQ(NdisUnbindAdapter(p.at(a).handle), NDIS_STATUS_SUCCESS);
  quiesce();
  told();
  NdisReEnumerateProtocolBindings(p.handle());
  quiesce();
  EXPECT_EQ(told_but_completions(), (Lines{"P: bind a", "P: restart a"}));
}

// clauses: NDIS-031
TEST_F(NdisBind5, IsOfferedAgainWhenItIsFree) {
  const Adapter a("a");
  const Adapter b("b");
  Driver5 p("P");
  p.start();
  p.close_and_wait(p.at(a));
  quiesce();
  told();
  NdisReEnumerateProtocolBindings(p.handle());
  quiesce();
  EXPECT_EQ(told_but_completions(), Lines{"P: bind a"});
}

// clauses: NDIS-032
TEST_P(NdisBind, IsNotAskedForInsideOne) {
  Adapter adapter("a");
  const auto p = driver("P");
  const Lines refused{"NdisReEnumerateProtocolBindings"};
  p->on_bind = [&](Binding&) {
    NdisReEnumerateProtocolBindings(p->handle());
    EXPECT_EQ(violations(), refused);
    return NDIS_STATUS_FAILURE;
  };
  p->start();
  EXPECT_EQ(count(told(), "P: bind a"), 1);

  p->on_bind = nullptr;
  NdisReEnumerateProtocolBindings(p->handle());
  quiesce();
  EXPECT_EQ(count(told(), "P: bind a"), 1);
  p->on_unbind = [&](Binding& binding) {
    NdisReEnumerateProtocolBindings(p->handle());
    EXPECT_EQ(violations(), refused);
    p->close_and_wait(binding);
    return NDIS_STATUS_SUCCESS;
  };
  p->on_event = [&](Binding* binding, PNET_PNP_EVENT) {
    if (binding != nullptr) {
      NdisReEnumerateProtocolBindings(p->handle());
      EXPECT_EQ(violations(), refused);
    }
    return NDIS_STATUS_SUCCESS;
  };
  EXPECT_EQ(TpNdisReleaseAdapter(adapter.index()), NO_ERROR);
  quiesce();
  const Lines lines = told();
  EXPECT_EQ(count(lines, "P: query-remove a"), 1);
  EXPECT_EQ(count(lines, "P: unbind a"), 1);
  EXPECT_EQ(count(lines, "P: bind a"), 0);
}

// clauses: NDIS-032
TEST_P(NdisBind, IsAskedForInAnEventOfNoBinding) {
  const Adapter adapter("a");
  const auto p = driver("P");
  int rounds = 0;
  p->on_bind = [&](Binding& binding) { return ++rounds == 1 ? NDIS_STATUS_FAILURE : p->open_and_wait(binding); };
  p->on_event = [&](Binding* binding, PNET_PNP_EVENT event) {
    if (binding == nullptr && event->NetEvent == NetEventBindsComplete) {
      NdisReEnumerateProtocolBindings(p->handle());
    }
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  quiesce();
  EXPECT_EQ(count(told(), "P: bind a"), 2);
  EXPECT_EQ(counters().bindings, 1U);
}

}  // namespace
}  // namespace turnpike::conformance
