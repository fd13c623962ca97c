// NDIS-156 … NDIS-170: requests. What each object identifier is, and how long its answer, stands in section E of the
// contract; the tables here are that section as it is for an Ethernet adapter.
#include <algorithm>
#include <cstring>
#include <set>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

constexpr std::size_t kVaries = 0;

struct Known {
  NDIS_OID oid;
  std::size_t length;
};

constexpr Known kQueries[] = {
    {OID_GEN_SUPPORTED_LIST, kVaries},
    {OID_GEN_HARDWARE_STATUS, 4},
    {OID_GEN_MEDIA_SUPPORTED, 4},
    {OID_GEN_MEDIA_IN_USE, 4},
    {OID_GEN_MAXIMUM_LOOKAHEAD, 4},
    {OID_GEN_MAXIMUM_FRAME_SIZE, 4},
    {OID_GEN_LINK_SPEED, 4},
    {OID_GEN_TRANSMIT_BUFFER_SPACE, 4},
    {OID_GEN_RECEIVE_BUFFER_SPACE, 4},
    {OID_GEN_TRANSMIT_BLOCK_SIZE, 4},
    {OID_GEN_RECEIVE_BLOCK_SIZE, 4},
    {OID_GEN_VENDOR_ID, 4},
    {OID_GEN_VENDOR_DESCRIPTION, kVaries},
    {OID_GEN_CURRENT_PACKET_FILTER, 4},
    {OID_GEN_CURRENT_LOOKAHEAD, 4},
    {OID_GEN_DRIVER_VERSION, 2},
    {OID_GEN_MAXIMUM_TOTAL_SIZE, 4},
    {OID_GEN_MAC_OPTIONS, 4},
    {OID_GEN_MEDIA_CONNECT_STATUS, 4},
    {OID_GEN_MAXIMUM_SEND_PACKETS, 4},
    {OID_GEN_VENDOR_DRIVER_VERSION, 4},
    {OID_GEN_MEDIA_CAPABILITIES, 4},
    {OID_GEN_PHYSICAL_MEDIUM, 4},
    {OID_GEN_MAX_LINK_SPEED, 16},
    {OID_GEN_LINK_STATE, 40},
    {OID_GEN_INTERRUPT_MODERATION, 12},
    {OID_GEN_PHYSICAL_MEDIUM_EX, 4},
    {OID_GEN_VLAN_ID, 4},
    {OID_GEN_PROMISCUOUS_MODE, 1},
    {OID_GEN_LAST_CHANGE, 8},
    {OID_GEN_OPERATIONAL_STATUS, 4},
    {OID_GEN_XMIT_LINK_SPEED, 8},
    {OID_GEN_RCV_LINK_SPEED, 8},
    {OID_GEN_INTERFACE_INFO, 216},
    {OID_GEN_ADMIN_STATUS, 4},
    {OID_GEN_ALIAS, kVaries},
    {OID_GEN_MEDIA_CONNECT_STATUS_EX, 4},
    {OID_GEN_LINK_SPEED_EX, 16},
    {OID_GEN_MEDIA_DUPLEX_STATE, 4},
    {OID_GEN_STATISTICS, 152},
    {OID_GEN_FRIENDLY_NAME, kVaries},
    {OID_802_3_PERMANENT_ADDRESS, 6},
    {OID_802_3_CURRENT_ADDRESS, 6},
    {OID_802_3_MULTICAST_LIST, kVaries},
    {OID_802_3_MAXIMUM_LIST_SIZE, 4},
    {OID_802_3_MAC_OPTIONS, 4},
};

// Read as four bytes or as eight.
constexpr NDIS_OID kCounters[] = {
    OID_GEN_XMIT_OK,
    OID_GEN_RCV_OK,
    OID_GEN_XMIT_ERROR,
    OID_GEN_RCV_ERROR,
    OID_GEN_RCV_NO_BUFFER,
    OID_GEN_RCV_CRC_ERROR,
    OID_GEN_TRANSMIT_QUEUE_LENGTH,
    OID_GEN_DIRECTED_FRAMES_RCV,
    OID_GEN_MULTICAST_FRAMES_RCV,
    OID_GEN_RESET_COUNTS,
    OID_GEN_MEDIA_SENSE_COUNTS,
    OID_GEN_BYTES_RCV,
    OID_GEN_BYTES_XMIT,
    OID_GEN_RCV_DISCARDS,
    OID_GEN_XMIT_DISCARDS,
    OID_802_3_RCV_ERROR_ALIGNMENT,
    OID_802_3_XMIT_ONE_COLLISION,
    OID_802_3_XMIT_MORE_COLLISIONS,
    OID_802_3_XMIT_MAX_COLLISIONS,
    OID_802_3_RCV_OVERRUN,
    OID_802_3_XMIT_UNDERRUN,
    OID_802_3_XMIT_HEARTBEAT_FAILURE,
    OID_802_3_XMIT_TIMES_CRS_LOST,
    OID_802_3_XMIT_LATE_COLLISIONS,
};

// Only written. An empty buffer is an address list or a name without anything in it.
constexpr NDIS_OID kOrders[] = {
    OID_GEN_PROTOCOL_OPTIONS, OID_GEN_NETWORK_LAYER_ADDRESSES, OID_GEN_TRANSPORT_HEADER_OFFSET,
    OID_GEN_MACHINE_NAME,     OID_802_3_ADD_MULTICAST_ADDRESS, OID_802_3_DELETE_MULTICAST_ADDRESS,
};

// Read and written.
constexpr NDIS_OID kBoth[] = {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD, OID_802_3_MULTICAST_LIST};

// Known, and never answered: what no Linux device counts, and what is not offered.
constexpr NDIS_OID kNotOffered[] = {
    OID_GEN_LINK_PARAMETERS,      OID_GEN_GET_TIME_CAPS,      OID_GEN_GET_NETCARD_TIME,    OID_GEN_NETCARD_LOAD,
    OID_GEN_DEVICE_PROFILE,       OID_GEN_INIT_TIME_MS,       OID_GEN_DIRECTED_BYTES_XMIT, OID_GEN_MULTICAST_BYTES_XMIT,
    OID_GEN_BROADCAST_BYTES_XMIT, OID_GEN_DIRECTED_BYTES_RCV, OID_GEN_MULTICAST_BYTES_RCV, OID_GEN_BROADCAST_BYTES_RCV,
};

constexpr NDIS_OID kUnknown[] = {
    0,
    0xffffffff,
    OID_GEN_SUPPORTED_GUIDS,
    OID_GEN_RECEIVE_SCALE_CAPABILITIES,
    OID_GEN_MINIPORT_RESTART_ATTRIBUTES,
    OID_GEN_HD_SPLIT_PARAMETERS,
    OID_802_5_PERMANENT_ADDRESS,
    OID_PNP_CAPABILITIES,
    OID_TCP_TASK_OFFLOAD,
};

template <class List>
bool holds(const List& list, NDIS_OID oid) {
  return std::find(std::begin(list), std::end(list), oid) != std::end(list);
}

template <class T>
T read_as(const Answer& answer) {
  T value{};
  EXPECT_EQ(answer.status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(answer.bytes.size(), sizeof(value));
  std::memcpy(&value, answer.bytes.data(), std::min(answer.bytes.size(), sizeof(value)));
  return value;
}

bool is_too_short(NDIS_STATUS status) {
  return status == NDIS_STATUS_BUFFER_TOO_SHORT || status == NDIS_STATUS_INVALID_LENGTH;
}

// P, of either generation, is bound to a.
class NdisOid : public NdisBoth {
 protected:
  NdisOid() {
    p_->start();
    told();
  }
  Binding& at() { return p_->at(adapter_); }
  Answer query(NDIS_OID oid, std::size_t capacity) { return p_->query(at(), oid, capacity); }
  Adapter adapter_{"a"};
  std::unique_ptr<Driver> p_ = driver("P");
};
NDIS_BOTH(NdisOid);

class NdisOid6 : public NdisTest {
 protected:
  NdisOid6() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  Adapter adapter_{"a"};
  Driver6 p_{"P"};
};

// clauses: NDIS-156
TEST_P(NdisOid, AnswersSayHowLongTheyAre) {
  EXPECT_EQ(p_->set(at(), OID_802_3_MULTICAST_LIST, bytes_of(kGroup)).status, NDIS_STATUS_SUCCESS);
  for (const Known& known : kQueries) {
    SCOPED_TRACE(testing::Message() << std::hex << known.oid);
    std::size_t length = known.length;
    if (length == kVaries) {
      const Answer none = query(known.oid, 0);
      EXPECT_TRUE(is_too_short(none.status)) << none.status;
      length = none.needed;
      ASSERT_GT(length, 0U);
    }
    const Answer whole = query(known.oid, length);
    EXPECT_EQ(whole.status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(whole.moved, length);
    const Answer roomy = query(known.oid, length + 8);
    EXPECT_EQ(roomy.status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(roomy.moved, length);
    const Answer shorter = query(known.oid, length - 1);
    EXPECT_TRUE(is_too_short(shorter.status)) << shorter.status;
    EXPECT_EQ(shorter.needed, length);
    EXPECT_EQ(shorter.bytes, Bytes(length - 1, 0xee)) << "it was written to";
  }
  EXPECT_EQ(query(OID_802_3_MULTICAST_LIST, 6).bytes, bytes_of(kGroup));
}

// clauses: NDIS-156
TEST_P(NdisOid, OrdersOfAWrongLengthSayWhichIsRight) {
  for (const NDIS_OID oid : {OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD, OID_GEN_PROTOCOL_OPTIONS}) {
    for (const std::size_t length : {0U, 3U, 5U}) {
      const Answer answer = p_->set(at(), oid, Bytes(length, 0));
      EXPECT_EQ(answer.status, NDIS_STATUS_INVALID_LENGTH) << std::hex << oid;
      EXPECT_EQ(answer.needed, 4U) << std::hex << oid;
    }
  }
  EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_PACKET_FILTER), p_->filter);
  const Answer taken = p_->set(at(), OID_GEN_CURRENT_LOOKAHEAD, bytes_of(128U));
  EXPECT_EQ(taken.status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(taken.moved, 4U);
}

// clauses: NDIS-157
TEST_P(NdisOid, RefusedIsMendedAndAskedAgain) {
  Request& request = p_->request(at(), NdisRequestQueryInformation, OID_GEN_SUPPORTED_LIST, Bytes());
  EXPECT_TRUE(request.done.wait());
  EXPECT_TRUE(is_too_short(request.status)) << request.status;
  request.buffer.resize(request.needed);
  request.completions = 0;
  const auto mend = [&](auto& shown) {
    shown.DATA.QUERY_INFORMATION.InformationBuffer = request.buffer.data();
    shown.DATA.QUERY_INFORMATION.InformationBufferLength = static_cast<UINT>(request.buffer.size());
  };
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  UINT written = 0;
  if (six()) {
    mend(request.six);
    status = NdisOidRequest(at().handle, &request.six);
    quiesce();
    written = request.six.DATA.QUERY_INFORMATION.BytesWritten;
  } else {
    mend(request.five);
    NdisRequest(&status, at().handle, &request.five);
    quiesce();
    written = request.five.DATA.QUERY_INFORMATION.BytesWritten;
  }
  EXPECT_EQ(status == NDIS_STATUS_PENDING ? request.status.load() : status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(request.completions, status == NDIS_STATUS_PENDING ? 1 : 0);
  EXPECT_EQ(written, request.buffer.size());
  EXPECT_EQ(number_of(request.buffer), OID_GEN_SUPPORTED_LIST);
}

// clauses: NDIS-158
TEST_P(NdisOid, ThatPendsIsCompletedOnceAndOtherwiseNever) {
  for (const NDIS_OID oid : {OID_GEN_MAXIMUM_FRAME_SIZE, OID_GEN_GET_TIME_CAPS}) {  // one that succeeds, one that fails
    const NDIS_STATUS wanted = oid == OID_GEN_GET_TIME_CAPS ? NDIS_STATUS_NOT_SUPPORTED : NDIS_STATUS_SUCCESS;
    knob(TP_NDIS_KNOB_PEND, 0);
    Request& at_once = p_->request(at(), NdisRequestQueryInformation, oid, Bytes(4));
    quiesce();
    EXPECT_EQ(at_once.answer, wanted);
    EXPECT_EQ(at_once.completions, 0);
    knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
    Request& later = p_->request(at(), NdisRequestQueryInformation, oid, Bytes(4));
    EXPECT_EQ(later.answer, NDIS_STATUS_PENDING);
    EXPECT_TRUE(later.done.wait());
    quiesce();
    EXPECT_EQ(later.completions, 1);
    EXPECT_EQ(later.status, wanted);
    EXPECT_EQ(counters().requests, 0U);
  }
}

// clauses: NDIS-158
TEST_P(NdisOid, OfOneBindingAreDoneInTheirOrder) {
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  std::vector<Request*> all;
  for (const std::uint32_t lookahead : {100U, 200U, 300U}) {
    all.push_back(&p_->request(at(), NdisRequestSetInformation, OID_GEN_CURRENT_LOOKAHEAD, bytes_of(lookahead)));
    all.push_back(&p_->request(at(), NdisRequestQueryInformation, OID_GEN_CURRENT_LOOKAHEAD, Bytes(4)));
  }
  EXPECT_EQ(counters().requests, all.size());
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 0);
  for (Request* const each : all) {
    EXPECT_TRUE(each->done.wait());
    EXPECT_EQ(each->status, NDIS_STATUS_SUCCESS);
  }
  EXPECT_EQ(number_of(all[1]->buffer), 100U);
  EXPECT_EQ(number_of(all[3]->buffer), 200U);
  EXPECT_EQ(number_of(all[5]->buffer), 300U);
}

// clauses: NDIS-159
TEST_P(NdisOid, NobodyKnowsIsInvalid_choice) {
  for (const NDIS_OID oid : kUnknown) {
    SCOPED_TRACE(testing::Message() << std::hex << oid);
    EXPECT_EQ(query(oid, 64).status, NDIS_STATUS_INVALID_OID);
    EXPECT_EQ(p_->set(at(), oid, Bytes(4)).status, NDIS_STATUS_INVALID_OID);
  }
}

// clauses: NDIS-159
TEST_P(NdisOid, OfTheWrongDirectionIsNotSupported_choice) {
  for (const Known& known : kQueries) {
    if (!holds(kBoth, known.oid)) {
      EXPECT_EQ(p_->set(at(), known.oid, Bytes(known.length)).status, NDIS_STATUS_NOT_SUPPORTED)
          << std::hex << known.oid;
    }
  }
  for (const NDIS_OID oid : kOrders) {
    EXPECT_EQ(query(oid, 64).status, NDIS_STATUS_NOT_SUPPORTED) << std::hex << oid;
  }
  for (const NDIS_OID oid : kNotOffered) {
    EXPECT_EQ(query(oid, 64).status, NDIS_STATUS_NOT_SUPPORTED) << std::hex << oid;
    EXPECT_EQ(p_->set(at(), oid, Bytes(4)).status, NDIS_STATUS_NOT_SUPPORTED) << std::hex << oid;
  }
  EXPECT_EQ(query(OID_GEN_MAXIMUM_FRAME_SIZE, 4).status, NDIS_STATUS_SUCCESS);
}

// clauses: NDIS-159
TEST_P(NdisOid, KindsOfRequest_choice) {
  const auto asked = [&](NDIS_REQUEST_TYPE type) {
    Request& request = p_->request(at(), type, OID_GEN_XMIT_OK, Bytes(8));
    EXPECT_TRUE(request.done.wait());
    return request.status.load();
  };
  EXPECT_EQ(asked(NdisRequestQueryStatistics), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(asked(NdisRequestGeneric1), NDIS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(asked(static_cast<NDIS_REQUEST_TYPE>(12)), NDIS_STATUS_NOT_SUPPORTED) << "a method";
}

// The structures of the two generations are not alike (A.2: a handle that is not the call's own).
TEST_P(NdisOid, ThroughTheOtherGenerationsCallIsRefused) {
  NDIS_REQUEST five{};
  NDIS_OID_REQUEST six_shape{};
  six_shape.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  if (six()) {
    NdisRequest(&status, at().handle, &five);
  } else {
    status = NdisOidRequest(at().handle, &six_shape);
  }
  EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
  EXPECT_EQ(violations(), Lines{six() ? "NdisRequest" : "NdisOidRequest"});
  quiesce();
  EXPECT_EQ(counters().requests, 0U);
}

// clauses: NDIS-160
TEST_P(NdisOid, TheListTellsTheTruth) {
  const Answer answer = query(OID_GEN_SUPPORTED_LIST, 4096);
  ASSERT_EQ(answer.status, NDIS_STATUS_SUCCESS);
  ASSERT_EQ(answer.bytes.size() % sizeof(NDIS_OID), 0U);
  std::vector<NDIS_OID> list(answer.bytes.size() / sizeof(NDIS_OID));
  std::memcpy(list.data(), answer.bytes.data(), answer.bytes.size());
  EXPECT_EQ(std::set<NDIS_OID>(list.begin(), list.end()).size(), list.size()) << "one stands there twice";
  for (const NDIS_OID oid : list) {
    SCOPED_TRACE(testing::Message() << std::hex << oid);
    EXPECT_FALSE(holds(kNotOffered, oid));
    const bool written = oid == OID_802_3_ADD_MULTICAST_ADDRESS || oid == OID_802_3_DELETE_MULTICAST_ADDRESS
                             ? p_->set(at(), oid, bytes_of(kGroup)).status == NDIS_STATUS_SUCCESS
                             : holds(kOrders, oid) && p_->set(at(), oid, Bytes(4)).status == NDIS_STATUS_SUCCESS;
    EXPECT_TRUE(written || query(oid, 4096).status == NDIS_STATUS_SUCCESS);
  }
  for (const Known& known : kQueries) {
    EXPECT_TRUE(holds(list, known.oid)) << std::hex << known.oid;
  }
  for (const NDIS_OID oid : kCounters) {
    EXPECT_TRUE(holds(list, oid)) << std::hex << oid;
  }
  for (const NDIS_OID oid : kOrders) {
    EXPECT_TRUE(holds(list, oid)) << std::hex << oid;
  }
}

// clauses: NDIS-161
TEST_P(NdisOid, SizesFollowTheMtu) {
  const auto expect_sizes = [&](std::uint32_t mtu) {
    EXPECT_EQ(p_->number(at(), OID_GEN_MAXIMUM_FRAME_SIZE), mtu);
    EXPECT_EQ(p_->number(at(), OID_GEN_MAXIMUM_TOTAL_SIZE), mtu + 14);
    EXPECT_EQ(p_->number(at(), OID_GEN_TRANSMIT_BLOCK_SIZE), mtu + 14);
    EXPECT_EQ(p_->number(at(), OID_GEN_RECEIVE_BLOCK_SIZE), mtu + 14);
    EXPECT_EQ(p_->number(at(), OID_GEN_MAXIMUM_LOOKAHEAD), mtu);
  };
  expect_sizes(1500);
  for (const std::uint32_t mtu : {1400U, 9000U}) {
    adapter_.mtu(mtu);
    quiesce();
    expect_sizes(mtu);
  }
}

// clauses: NDIS-162
TEST_P(NdisOid, SpeedsHaveTheirUnits) {
  constexpr std::uint64_t kGigabit = 1'000'000'000;
  EXPECT_EQ(p_->number(at(), OID_GEN_LINK_SPEED), kGigabit / 100);
  const auto state = read_as<NDIS_LINK_STATE>(query(OID_GEN_LINK_STATE, sizeof(NDIS_LINK_STATE)));
  EXPECT_EQ(state.Header.Type, 0x80);
  EXPECT_EQ(state.Header.Revision, 1);
  EXPECT_EQ(state.Header.Size, 40);
  EXPECT_EQ(state.MediaConnectState, MediaConnectStateConnected);
  EXPECT_EQ(state.MediaDuplexState, MediaDuplexStateFull);
  EXPECT_EQ(state.XmitLinkSpeed, kGigabit);
  EXPECT_EQ(state.RcvLinkSpeed, kGigabit);
  const auto speed = read_as<NDIS_LINK_SPEED>(query(OID_GEN_LINK_SPEED_EX, sizeof(NDIS_LINK_SPEED)));
  EXPECT_EQ(speed.XmitLinkSpeed, kGigabit);
  EXPECT_EQ(speed.RcvLinkSpeed, kGigabit);
  EXPECT_EQ(read_as<std::uint64_t>(query(OID_GEN_XMIT_LINK_SPEED, 8)), kGigabit);
  EXPECT_EQ(read_as<std::uint64_t>(query(OID_GEN_RCV_LINK_SPEED, 8)), kGigabit);
}

// clauses: NDIS-163
TEST_P(NdisOid, TheLookaheadIsTheLargest) {
  const auto q = driver("Q");
  q->start();
  Binding& other = q->at(adapter_);
  EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_LOOKAHEAD), 1500U) << "the maximum, after an open";
  EXPECT_EQ(p_->set(at(), OID_GEN_CURRENT_LOOKAHEAD, bytes_of(128U)).status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(q->set(other, OID_GEN_CURRENT_LOOKAHEAD, bytes_of(256U)).status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_LOOKAHEAD), 256U);
  EXPECT_EQ(q->number(other, OID_GEN_CURRENT_LOOKAHEAD), 256U);
  EXPECT_EQ(p_->set(at(), OID_GEN_CURRENT_LOOKAHEAD, bytes_of(0U)).status, NDIS_STATUS_INVALID_DATA);
  EXPECT_EQ(p_->set(at(), OID_GEN_CURRENT_LOOKAHEAD, bytes_of(1501U)).status, NDIS_STATUS_INVALID_DATA);
  q->deregister();
  EXPECT_EQ(p_->number(at(), OID_GEN_CURRENT_LOOKAHEAD), 128U);
}

// clauses: NDIS-164
TEST_P(NdisOid, ThePermanentAddressStays) {
  const Mac first = adapter_.mac();
  constexpr Mac kNew{0x02, 1, 2, 3, 4, 5};
  EXPECT_EQ(query(OID_802_3_CURRENT_ADDRESS, 6).bytes, bytes_of(first));
  adapter_.address(kNew);
  quiesce();
  EXPECT_EQ(query(OID_802_3_CURRENT_ADDRESS, 6).bytes, bytes_of(kNew));
  EXPECT_EQ(query(OID_802_3_PERMANENT_ADDRESS, 6).bytes, bytes_of(first));
}

// clauses: NDIS-165
TEST_P(NdisOid, TheConnectionFollowsTheCarrier) {
  for (const bool on : {true, false, true}) {
    adapter_.carrier(on);
    quiesce();
    EXPECT_EQ(p_->number(at(), OID_GEN_MEDIA_CONNECT_STATUS), on ? 0U : 1U);
    EXPECT_EQ(p_->number(at(), OID_GEN_MEDIA_CONNECT_STATUS_EX), on ? 1U : 2U);
    EXPECT_EQ(p_->number(at(), OID_GEN_OPERATIONAL_STATUS) == 1U, on);
  }
  EXPECT_EQ(p_->number(at(), OID_GEN_MEDIA_SENSE_COUNTS), 2U);
}

// The same, with what the link is, in one answer.
// clauses: NDIS-166
TEST_F(NdisOid6, TheWholeInterfaceIsInOneAnswer) {
  adapter_.inject(frame(adapter_.mac(), "in"));
  adapter_.mtu(1400);
  quiesce();
  const auto whole = read_as<NDIS_INTERFACE_INFORMATION>(p_.query(at(), OID_GEN_INTERFACE_INFO, 216));
  const auto counted = read_as<NDIS_STATISTICS_INFO>(p_.query(at(), OID_GEN_STATISTICS, 152));
  EXPECT_EQ(whole.ifOperStatus, NET_IF_OPER_STATUS_UP);
  EXPECT_EQ(whole.MediaConnectState, MediaConnectStateConnected);
  EXPECT_EQ(whole.MediaDuplexState, MediaDuplexStateFull);
  EXPECT_EQ(whole.ifMtu, 1400U);
  EXPECT_EQ(whole.ifPromiscuousMode, FALSE);
  EXPECT_EQ(whole.XmitLinkSpeed, 1'000'000'000U);
  EXPECT_EQ(whole.ifHCInOctets, 60U);
  EXPECT_EQ(whole.ifHCInUcastPkts, 1U);
  const auto counters_of = [](const auto& structure, std::size_t at) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&structure) + at;
    return Bytes(bytes, bytes + 18 * sizeof(ULONG64));
  };
  EXPECT_EQ(counters_of(whole, offsetof(NDIS_INTERFACE_INFORMATION, ifInDiscards)),
            counters_of(counted, offsetof(NDIS_STATISTICS_INFO, ifInDiscards)));
  EXPECT_EQ(whole.CompartmentId, 1U);
  EXPECT_EQ(whole.SupportedStatistics, counted.SupportedStatistics);
}

// clauses: NDIS-166
TEST_F(NdisOid6, StatisticsAreWhatWasCounted) {
  const auto statistics = [&] {
    return read_as<NDIS_STATISTICS_INFO>(p_.query(at(), OID_GEN_STATISTICS, sizeof(NDIS_STATISTICS_INFO)));
  };
  const NDIS_STATISTICS_INFO before = statistics();
  EXPECT_EQ(before.Header.Type, 0x80);
  EXPECT_EQ(before.Header.Revision, 1);
  EXPECT_EQ(before.Header.Size, 152);
  for (int each = 0; each < 3; ++each) {
    adapter_.inject(frame(adapter_.mac(), "in"));
  }
  for (int each = 0; each < 2; ++each) {
    p_.send(at(), frame(kPeer, "out"));
  }
  quiesce();
  const NDIS_STATISTICS_INFO after = statistics();
  EXPECT_EQ(after.ifHCInOctets - before.ifHCInOctets, 3U * 60);
  EXPECT_EQ(after.ifHCInUcastPkts - before.ifHCInUcastPkts, 3U);
  EXPECT_EQ(after.ifHCOutOctets - before.ifHCOutOctets, 2U * 60);
  EXPECT_EQ(after.ifInErrors + after.ifOutErrors + after.ifInDiscards + after.ifOutDiscards, 0U);
  constexpr ULONG kKnown = NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV |
                           NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV | NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV |
                           NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS | NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR |
                           NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT | NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR |
                           NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS;
  EXPECT_EQ(after.SupportedStatistics, kKnown) << "bytes for each class, and what the device does not tell apart";
  EXPECT_EQ(after.ifHCInUcastOctets + after.ifHCInMulticastOctets + after.ifHCInBroadcastOctets, 0U);
  EXPECT_EQ(after.ifHCOutUcastPkts + after.ifHCOutMulticastPkts + after.ifHCOutBroadcastPkts, 0U);
  for (const NDIS_OID oid : {OID_GEN_DIRECTED_FRAMES_XMIT, OID_GEN_BROADCAST_FRAMES_RCV}) {
    EXPECT_EQ(p_.query(at(), oid, 8).status, NDIS_STATUS_NOT_SUPPORTED) << std::hex << oid;
  }
}

// clauses: NDIS-167
TEST_P(NdisOid, CountersAreOfFourBytesOrEight_choice) {
  for (int each = 0; each < 3; ++each) {
    adapter_.inject(frame(kBroadcast, "in"));
  }
  for (const NDIS_OID oid : kCounters) {
    SCOPED_TRACE(testing::Message() << std::hex << oid);
    const Answer four = query(oid, 4);
    EXPECT_EQ(four.status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(four.moved, 4U);
    EXPECT_EQ(four.needed, 8U) << "a hint";
    for (const std::size_t length : {8U, 16U}) {
      const Answer eight = query(oid, length);
      EXPECT_EQ(eight.status, NDIS_STATUS_SUCCESS);
      EXPECT_EQ(eight.moved, 8U);
      EXPECT_EQ(number_of(eight.bytes), number_of(four.bytes));
    }
    const Answer three = query(oid, 3);
    EXPECT_TRUE(is_too_short(three.status)) << three.status;
    EXPECT_EQ(three.bytes, Bytes(3, 0xee));
  }
  EXPECT_EQ(read_as<std::uint64_t>(query(OID_GEN_RCV_OK, 8)), 3U);
  EXPECT_EQ(read_as<std::uint64_t>(query(OID_GEN_BYTES_RCV, 8)), 3U * 60);
  told();
}

// Its Timeout is over: it is aborted, and the structure may be handed in again.
// clauses: NDIS-168
TEST_F(NdisOid6, AreAbortedWhenTheyPendTooLong_choice) {
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  p_.timeout = 1;
  Request& asked = p_.request(at(), NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4));
  EXPECT_EQ(asked.answer, NDIS_STATUS_PENDING);
  EXPECT_TRUE(asked.done.wait());
  EXPECT_EQ(asked.status, NDIS_STATUS_REQUEST_ABORTED);
  EXPECT_EQ(asked.moved, 0U);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 0);
  knob(TP_NDIS_KNOB_PEND, 0);
  EXPECT_EQ(NdisOidRequest(at().handle, &asked.six), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(number_of(asked.buffer), 1500U);
}

// clauses: NDIS-168
TEST_F(NdisOid6, AreCancelledByIdOnOneBindingAlone) {
  const PVOID one = reinterpret_cast<PVOID>(1);  // NOLINT: ids are numbers
  const PVOID two = reinterpret_cast<PVOID>(2);  // NOLINT
  Driver6 q("Q");
  q.start();
  Binding& other = q.at(adapter_);
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 1);
  const auto ask = [&](Driver& driver, Binding& binding, PVOID id) {
    return &driver.request(binding, NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, Bytes(4), id);
  };
  const std::array meant{ask(p_, at(), one), ask(p_, at(), one)};
  const std::array others{ask(p_, at(), two), ask(p_, at(), nullptr), ask(q, other, one)};
  NdisCancelOidRequest(at().handle, kGarbage);
  NdisCancelOidRequest(at().handle, one);
  for (Request* const each : meant) {
    EXPECT_TRUE(each->done.wait());
    EXPECT_EQ(each->status, NDIS_STATUS_REQUEST_ABORTED);
    EXPECT_EQ(each->moved, 0U);
  }
  quiesce();
  EXPECT_EQ(counters().requests, others.size());
  knob(TP_NDIS_KNOB_HOLD_REQUESTS, 0);
  for (Request* const each : others) {
    EXPECT_TRUE(each->done.wait());
    EXPECT_EQ(each->status, NDIS_STATUS_SUCCESS);
  }
  quiesce();
  for (Request* const each : meant) {
    EXPECT_EQ(each->completions, 1);
  }
  NdisCancelOidRequest(at().handle, one);  // nobody is meant
}

// clauses: NDIS-169
TEST_F(NdisOid6, AskedDirectlyOrAtOnceAreRefused) {
  const auto fresh = [](ULONG length) {
    NDIS_OID_REQUEST request{};
    request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
    request.RequestType = NdisRequestQueryInformation;
    request.DATA.QUERY_INFORMATION.Oid = OID_GEN_MAXIMUM_FRAME_SIZE;
    request.DATA.QUERY_INFORMATION.InformationBufferLength = length;
    return request;
  };
  std::uint32_t answer = 0xeeeeeeee;
  knob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST);
  NDIS_OID_REQUEST request = fresh(sizeof(answer));
  request.DATA.QUERY_INFORMATION.InformationBuffer = &answer;
  EXPECT_EQ(NdisDirectOidRequest(at().handle, &request), NDIS_STATUS_NOT_SUPPORTED);
  NdisCancelDirectOidRequest(at().handle, nullptr);
  const NDIS_STATUS synchronous = NdisSynchronousOidRequest(at().handle, &request);
  EXPECT_TRUE(synchronous == NDIS_STATUS_INVALID_OID || synchronous == NDIS_STATUS_NOT_SUPPORTED) << synchronous;
  EXPECT_EQ(answer, 0xeeeeeeee);

  Driver6 q("Q");
  q.characteristics.DirectOidRequestCompleteHandler = [](NDIS_HANDLE, PNDIS_OID_REQUEST, NDIS_STATUS) {
    ADD_FAILURE() << "a direct request never pends";
  };
  q.start();
  EXPECT_EQ(NdisDirectOidRequest(q.last().handle, &request), NDIS_STATUS_INVALID_OID);

  NDIS_OID_REQUEST headless = fresh(0);
  headless.Header.Type = 0x80;
  NDIS_OID_REQUEST elsewhere = fresh(0);
  elsewhere.PortNumber = 7;
  for (const auto ask : {NdisOidRequest, NdisDirectOidRequest, NdisSynchronousOidRequest}) {
    EXPECT_EQ(ask(q.last().handle, &headless), NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(ask(q.last().handle, nullptr), NDIS_STATUS_INVALID_PARAMETER);
    EXPECT_EQ(ask(q.last().handle, &elsewhere), NDIS_STATUS_INVALID_PORT);
  }
  quiesce();
}

// clauses: NDIS-170
TEST_F(NdisOid6, ASetSaysWhichRevisionItUnderstood) {
  std::uint32_t lookahead = 128;
  NDIS_OID_REQUEST request{};
  request.Header = {NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  request.RequestType = NdisRequestSetInformation;
  request.DATA.SET_INFORMATION.Oid = OID_GEN_CURRENT_LOOKAHEAD;
  request.DATA.SET_INFORMATION.InformationBuffer = &lookahead;
  request.DATA.SET_INFORMATION.InformationBufferLength = sizeof(lookahead);
  request.SupportedRevision = 0x77;
  knob(TP_NDIS_KNOB_PEND, 0);
  EXPECT_EQ(NdisOidRequest(at().handle, &request), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(request.SupportedRevision, 0) << "what was set has no header";
  EXPECT_EQ(request.DATA.SET_INFORMATION.BytesRead, sizeof(lookahead));
}

}  // namespace
}  // namespace turnpike::conformance
