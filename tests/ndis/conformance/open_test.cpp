// NDIS-033 … NDIS-046: opening an adapter.
#include <cerrno>
#include <memory>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using NdisOpen = NdisBoth;
NDIS_BOTH(NdisOpen);
class NdisOpen5 : public NdisTest {};
class NdisOpen6 : public NdisTest {};

// One bind callback, in which a driver tries what a test asks and then gives up.
NDIS_STATUS opened_with(Driver& driver, const std::function<void(Binding&)>& change) {
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  driver.on_bind = [&](Binding& binding) {
    change(binding);
    status = driver.open(binding);
    if (status == NDIS_STATUS_PENDING) {
      EXPECT_TRUE(binding.open_complete.wait());
      status = binding.opened;
    }
    if (status == NDIS_STATUS_SUCCESS) {
      driver.close_and_wait(binding);
    }
    return NDIS_STATUS_FAILURE;
  };
  driver.start();
  driver.deregister();
  EXPECT_EQ(counters().bindings, 0U);
  return status;
}

// clauses: NDIS-033
TEST_P(NdisOpen, OutsideABindFails) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->start();
  Binding& bound = p->last();
  Binding outside;
  outside.device = bound.device;
  outside.bind_context = bound.bind_context;  // of an operation that has ended
  EXPECT_EQ(p->open(outside), six() ? NDIS_STATUS_FAILURE : NDIS_STATUS_OPEN_FAILED);
  EXPECT_EQ(counters().bindings, 1U);
  violations();
}

// clauses: NDIS-034
TEST_F(NdisOpen5, AnywhereAndOften_choice) {
  const Adapter adapter("a");
  Driver5 p("P");
  EXPECT_EQ(TpNdisAllowOpenAnywhere(p.policy_name().c_str(), 1), NO_ERROR);
  p.on_bind = [](Binding&) { return NDIS_STATUS_SUCCESS; };
  p.start();
  std::array<Binding, 3> opens;
  for (Binding& each : opens) {
    each.adapter = "a";
    each.device = p.last().device;
    std::thread([&] { EXPECT_EQ(p.open_and_wait(each), NDIS_STATUS_SUCCESS); }).join();
  }
  EXPECT_EQ(counters().bindings, 3U);
  adapter.inject(frame(kBroadcast, "hello"));
  EXPECT_EQ(count(told(), "P: gets a hello"), 3);
  EXPECT_EQ(p.deregister(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(count(told(), "P: unbind a"), 3);
  EXPECT_EQ(TpNdisAllowOpenAnywhere(p.policy_name().c_str(), 0), NO_ERROR);
}

// clauses: NDIS-035
TEST_P(NdisOpen, OfNothing) {
  const Adapter adapter("a");
  const auto p = driver("P");
  EXPECT_EQ(
      opened_with(*p, [](Binding& binding) { binding.device = L"\\Device\\{01234567-89AB-5CDE-8F01-23456789ABCD}"; }),
      NDIS_STATUS_ADAPTER_NOT_FOUND);
}

// clauses: NDIS-036
TEST_P(NdisOpen, OfAMediumThatItIsNot) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->media = {NdisMediumFddi};
  EXPECT_EQ(opened_with(*p, [](Binding&) {}), NDIS_STATUS_UNSUPPORTED_MEDIA);
  p->media = {};
  EXPECT_EQ(opened_with(*p, [](Binding&) {}), NDIS_STATUS_UNSUPPORTED_MEDIA);
}

// clauses: NDIS-037
TEST_P(NdisOpen, SaysWhichMedium) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->media = {NdisMediumFddi, NdisMedium802_5, NdisMedium802_3, NdisMedium802_3};
  p->start();
  EXPECT_EQ(p->last().medium_index, 2U);
}

// clauses: NDIS-038 NDIS-039
TEST_P(NdisOpen, ThatPendsIsCompletedOnce) {
  const Adapter adapter("a");
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_OPEN);
  const auto p = driver("P");
  NDIS_HANDLE seen = nullptr;
  UINT index = 99;
  p->on_open_complete = [&](Binding& binding) {
    seen = binding.handle;
    index = binding.medium_index;
  };
  p->on_bind = [&](Binding& binding) {
    const NDIS_STATUS status = p->open(binding);  // the name that it passes has gone when it returns
    EXPECT_EQ(status, NDIS_STATUS_PENDING);
    EXPECT_TRUE(binding.open_complete.wait());
    return binding.opened;
  };
  p->start();
  Binding& binding = p->last();
  EXPECT_EQ(binding.opened, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(binding.open_completions, 1);
  EXPECT_NE(seen, nullptr);
  EXPECT_EQ(seen, binding.handle);
  EXPECT_EQ(index, 0U);
  EXPECT_EQ(p->number(binding, OID_GEN_MAXIMUM_FRAME_SIZE), 1500U);
}

// clauses: NDIS-041
TEST_P(NdisOpen, AnswersRequestsBeforeTheBindIsComplete) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->on_bind = [&](Binding& binding) {
    const NDIS_OID oid = OID_GEN_MAXIMUM_FRAME_SIZE;
    EXPECT_EQ(p->query(binding, oid, 4).status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(violations().size(), 1U);
    EXPECT_EQ(p->open_and_wait(binding), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(p->number(binding, oid), 1500U);
    return NDIS_STATUS_SUCCESS;
  };
  p->start();
  told();
}

// clauses: NDIS-042
TEST_P(NdisOpen, HearsNothingAtFirst) {
  const Adapter adapter("a");
  const auto p = driver("P");
  p->filter = 0;
  p->start();
  Binding& binding = p->last();
  EXPECT_EQ(p->number(binding, OID_GEN_CURRENT_PACKET_FILTER), 0U);
  EXPECT_EQ(p->query(binding, OID_802_3_MULTICAST_LIST, 6).bytes, Bytes{});
  std::uint32_t filter = 1;
  std::uint32_t groups = 1;
  EXPECT_EQ(TpNdisAdapterGetReception(adapter.index(), &filter, &groups), NO_ERROR);
  EXPECT_EQ(filter, 0U);
  EXPECT_EQ(groups, 0U);
  for (const Mac& to : {kBroadcast, adapter.mac(), kGroup, kStranger}) {
    adapter.inject(frame(to, "x"));
  }
  EXPECT_TRUE(p->received().empty());
  EXPECT_EQ(p->set_filter(binding, NDIS_PACKET_TYPE_BROADCAST), NDIS_STATUS_SUCCESS);
  adapter.inject(frame(kBroadcast, "x"));
  EXPECT_EQ(p->received().size(), 1U);
}

// clauses: NDIS-044
TEST_F(NdisOpen6, WithTooManyFrameTypesFails_choice) {
  const Adapter adapter("a");
  Driver6 p("P");
  p.frame_types.assign(9, 0x88cc);
  EXPECT_EQ(opened_with(p, [](Binding&) {}), NDIS_STATUS_FAILURE);
  p.frame_types.assign(8, 0x88cc);
  EXPECT_EQ(opened_with(p, [](Binding&) {}), NDIS_STATUS_SUCCESS);
}

// clauses: NDIS-045
TEST_F(NdisOpen6, TakesFrameTypesForAHint) {
  const Adapter adapter("a");
  Driver6 p("P");
  p.frame_types = {0x88cc};
  p.filter = NDIS_PACKET_TYPE_PROMISCUOUS;
  p.start();
  adapter.inject(frame(kStranger, "lldp", 0x88cc));
  adapter.inject(frame(kStranger, "ip", 0x0800));
  EXPECT_EQ(p.received().size(), 2U);
}

// clauses: NDIS-046
TEST_P(NdisOpen, WithoutPrivilegeFails_choice) {
  const Adapter adapter("a");
  const auto p = driver("P");
  EXPECT_EQ(opened_with(*p, [](Binding&) { EXPECT_EQ(TpNdisAdapterFailOpen(EPERM), NO_ERROR); }),
            six() ? NDIS_STATUS_FAILURE : NDIS_STATUS_OPEN_FAILED);
  EXPECT_EQ(opened_with(*p, [](Binding&) {}), NDIS_STATUS_SUCCESS) << "it leaves nothing behind";
}

// Whether it pends or not, a driver of NDIS 5 is told what the kernel said.
// clauses: NDIS-046
TEST_F(NdisOpen5, SaysWhyItFailed_choice) {
  const Adapter adapter("a");
  Driver5 p("P");
  NDIS_STATUS error = NDIS_STATUS_PENDING;
  p.on_open_complete = [&](Binding& binding) { error = binding.open_error; };
  for (const std::uint32_t pends : {std::uint32_t{TP_NDIS_PEND_OPEN}, 0U}) {
    knob(TP_NDIS_KNOB_PEND, pends);
    EXPECT_EQ(opened_with(p, [](Binding&) { EXPECT_EQ(TpNdisAdapterFailOpen(ENOMEM), NO_ERROR); }),
              NDIS_STATUS_OPEN_FAILED);
    error = pends != 0 ? error : p.last().open_error;
    EXPECT_EQ(static_cast<std::uint32_t>(error), 0xE0000000U | ENOMEM);
    EXPECT_EQ(opened_with(p, [](Binding&) {}), NDIS_STATUS_SUCCESS);
    error = pends != 0 ? error : p.last().open_error;
    EXPECT_EQ(error, NDIS_STATUS_SUCCESS);
  }
}

}  // namespace
}  // namespace turnpike::conformance
