// Both faces together, as drivers call them: registration, frames both ways, requests, the host's functions. The
// contract clause by clause is tested elsewhere; here is what the faces add to the engine.
#include <turnpike/log.h>

#include <sstream>

#include "ndis_driver.h"

namespace turnpike::ndis_faces {
namespace {

class Faces : public NdisTest {};

TP_NDIS_POLICY policy_of(ULONG bind, const char* list) {
  TP_NDIS_POLICY policy{};
  policy.size = sizeof(policy);
  policy.bind = bind;
  policy.list = list;
  return policy;
}

TEST_F(Faces, BindSixAndFiveToOneAdapter) {
  const ULONG eth0 = adapter();
  Driver6 six;
  Driver5 five;
  ULONG mtu = 0;
  six.on_bind = [&](NDIS_HANDLE context, PNDIS_STRING name) {
    mtu = six.parameters->MtuSize;
    EXPECT_EQ(six.parameters->Header.Type, 0x86);
    EXPECT_EQ(six.parameters->BoundIfIndex, eth0);
    EXPECT_EQ(Bytes(six.parameters->CurrentMacAddress, six.parameters->CurrentMacAddress + 6), mac_of(eth0));
    return six.bind(context, name);
  };
  ready(six);
  ready(five);
  EXPECT_EQ(mtu, 1500U);
  ASSERT_EQ(six.opens.size(), 1U);
  ASSERT_EQ(five.opens.size(), 1U);
  EXPECT_EQ(six.opens[0]->medium, 2U);
  EXPECT_EQ(five.query(OID_GEN_MAXIMUM_FRAME_SIZE), 1500U);
  EXPECT_EQ(six.query(OID_GEN_MAXIMUM_TOTAL_SIZE), 1514U);
  five.leave();
  six.leave();
  EXPECT_EQ(five.journal.take(), (Lines{"unbind"}));
  EXPECT_EQ(six.journal.take(), (Lines{"pause", "unbind"}));
  EXPECT_EQ(violations(), 0U);
}

TEST_F(Faces, RefuseWhatIsNoDriver) {
  Driver6 six;
  six.chars.Header.Revision = 0;
  EXPECT_EQ(six.join(), NDIS_STATUS_BAD_CHARACTERISTICS);
  six.chars.Header.Revision = 9;
  six.chars.MinorNdisVersion = 99;
  EXPECT_EQ(six.join(), NDIS_STATUS_BAD_VERSION);
  six.chars.MinorNdisVersion = 30;
  EXPECT_EQ(six.join(), NDIS_STATUS_SUCCESS);
  Driver5 five("SIX");
  EXPECT_EQ(five.join(), NDIS_STATUS_FAILURE);  // the name is taken, whatever the case
  EXPECT_EQ(five.protocol, nullptr);
  five.chars.MajorNdisVersion = 6;
  EXPECT_EQ(five.join(), NDIS_STATUS_BAD_VERSION);
  six.chars.BindAdapterHandlerEx = nullptr;
  NDIS_HANDLE handle = nullptr;
  EXPECT_EQ(NdisRegisterProtocolDriver(nullptr, &six.chars, &handle), NDIS_STATUS_BAD_CHARACTERISTICS);
  EXPECT_EQ(NdisRegisterProtocolDriver(nullptr, nullptr, &handle), NDIS_STATUS_BAD_CHARACTERISTICS);
}

TEST_F(Faces, SixReceivesKeepsAndReturns) {
  const ULONG eth0 = adapter();
  Driver6 six;
  std::vector<PNET_BUFFER_LIST> kept;
  six.on_receive = [&](Open&, PNET_BUFFER_LIST lists, ULONG count, ULONG flags) {
    EXPECT_EQ(count, 1U);
    EXPECT_EQ(flags & NDIS_RECEIVE_FLAGS_RESOURCES, 0U);
    kept.push_back(lists);
  };
  ready(six);
  six.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  const Bytes frame = frame_to(kBroadcast, 200);
  inject(eth0, frame);
  inject(eth0, frame);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(counters().retained, 2U);
  const NET_BUFFER& buffer = *kept[0]->FirstNetBuffer;
  ASSERT_EQ(buffer.DataLength, frame.size());
  EXPECT_EQ(std::memcmp(MmGetSystemAddressForMdl(buffer.CurrentMdl), frame.data(), frame.size()), 0);
  kept[0]->Next = kept[1];
  NdisReturnNetBufferLists(six.opens[0]->handle, kept[0], 0);
  EXPECT_EQ(counters().retained, 0U);
  kept[0]->Next = nullptr;
  NdisReturnNetBufferLists(six.opens[0]->handle, kept[0], 0);
  EXPECT_EQ(rules, (Lines{"the list was returned before"}));
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 1), 0U);
  six.on_receive = [](Open&, PNET_BUFFER_LIST, ULONG, ULONG flags) {
    EXPECT_NE(flags & NDIS_RECEIVE_FLAGS_RESOURCES, 0U);
  };
  inject(eth0, frame);
  EXPECT_EQ(counters().retained, 0U);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 0), 0U);
}

TEST_F(Faces, RetainingEverythingStopsNobody) {
  const ULONG eth0 = adapter();
  Driver6 six;
  std::vector<PNET_BUFFER_LIST> kept;
  int scarce = 0;
  six.on_receive = [&](Open&, PNET_BUFFER_LIST lists, ULONG, ULONG flags) {
    if ((flags & NDIS_RECEIVE_FLAGS_RESOURCES) != 0) {
      ++scarce;
    } else {
      kept.push_back(lists);
    }
  };
  ready(six);
  six.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  const Bytes frame = frame_to(kBroadcast);
  for (int i = 0; i < 2000; ++i) {
    inject(eth0, frame);
  }
  EXPECT_GT(kept.size(), 500U);
  EXPECT_EQ(kept.size() + static_cast<std::size_t>(scarce), 2000U);
  for (PNET_BUFFER_LIST list : kept) {
    NdisReturnNetBufferLists(six.opens[0]->handle, list, 0);
  }
}

TEST_F(Faces, SixSendsListsOfFrames) {
  const ULONG eth0 = adapter();
  Driver6 six;
  ready(six);
  Open& open = *six.opens[0];
  const Bytes small = frame_to(kBroadcast, 20);
  TestList one(open.handle, {small, frame_to(kBroadcast, 100)});
  TestList two(open.handle, {frame_to(kBroadcast, 1515)});
  TestList three(open.handle, {frame_to(kBroadcast, 1514)});
  six.send(open, {&one, &two, &three});
  settle();
  EXPECT_EQ(one.status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(two.status, NDIS_STATUS_INVALID_LENGTH);
  EXPECT_EQ(three.status, NDIS_STATUS_SUCCESS);
  EXPECT_EQ(one.completions + two.completions + three.completions, 3);
  const std::vector<Bytes> sent = take_sent(eth0);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].size(), 60U);
  EXPECT_TRUE(std::equal(small.begin(), small.end(), sent[0].begin()));
  EXPECT_EQ(sent[1].size(), 100U);
  TestList bad_port(open.handle, {small});
  six.send(open, {&bad_port}, 0, 1);
  settle();
  EXPECT_EQ(bad_port.status, NDIS_STATUS_INVALID_PORT);
}

TEST_F(Faces, FiveReceivesPacketsAndReturnsThemAsOftenAsItSaid) {
  const ULONG eth0 = adapter();
  Driver5 five;
  std::vector<PNDIS_PACKET> kept;
  five.on_packet = [&](Open&, PNDIS_PACKET packet) {
    EXPECT_EQ(NDIS_GET_PACKET_STATUS(packet), NDIS_STATUS_SUCCESS);
    kept.push_back(packet);
    return 2;
  };
  ready(five);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  const Bytes frame = frame_to(kBroadcast, 77);
  inject(eth0, frame);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0]->Private.TotalLength, 77U);
  EXPECT_EQ(std::memcmp(MmGetSystemAddressForMdl(kept[0]->Private.Head), frame.data(), frame.size()), 0);
  NdisReturnPackets(kept.data(), 1);
  EXPECT_EQ(counters().retained, 1U);
  NdisReturnPackets(kept.data(), 1);
  EXPECT_EQ(counters().retained, 0U);
  NdisReturnPackets(kept.data(), 1);
  EXPECT_EQ(rules, (Lines{"the packet was returned too often"}));
}

TEST_F(Faces, FiveLooksAheadAndTransfers) {
  const ULONG eth0 = adapter();
  Driver5 five("five", 0, false);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_LOOKAHEAD, 64), 0U);
  const Bytes frame = frame_to(kBroadcast, 300);
  TestPacket rest({Bytes(100), Bytes(200)});
  NDIS_HANDLE stale = nullptr;
  five.on_receive = [&](Open& open, NDIS_HANDLE mac, const Bytes& header, const Bytes& lookahead, UINT size) {
    EXPECT_EQ(header.size(), 14U);
    EXPECT_EQ(lookahead.size(), 64U);
    EXPECT_EQ(size, 286U);
    stale = mac;
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    UINT moved = 0;
    NdisTransferData(&status, open.handle, mac, 64, size - 64, rest.packet(), &moved);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    EXPECT_EQ(moved, 222U);
    EXPECT_EQ(std::memcmp(rest.memory[0].data(), frame.data() + 78, 100), 0);
    NdisTransferData(&status, open.handle, mac, 64, size, rest.packet(), &moved);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    PNDIS_PACKET const whole = NdisGetReceivedPacket(open.handle, mac);
    EXPECT_EQ(whole->Private.TotalLength, 300U);
    return NDIS_STATUS_NOT_ACCEPTED;
  };
  ready(five);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  inject(eth0, frame);
  EXPECT_EQ(five.journal.take(), (Lines{"receive", "receive complete"}));
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  UINT moved = 0;
  NdisTransferData(&status, five.opens[0]->handle, stale, 0, 1, rest.packet(), &moved);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
  EXPECT_EQ(NdisGetReceivedPacket(five.opens[0]->handle, stale), nullptr);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_LOOKAHEAD, 0), 0U);
}

TEST_F(Faces, FiveSendsAndSeesItsOwn) {
  const ULONG eth0 = adapter();
  Driver5 five;
  int looped = 0;
  five.on_packet = [&](Open&, PNDIS_PACKET packet) {
    looped += (NdisGetPacketFlags(packet) & NDIS_FLAGS_IS_LOOPBACK_PACKET) != 0 ? 1 : 0;
    return 0;
  };
  ready(five);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  Open& open = *five.opens[0];
  const Bytes frame = frame_to(kBroadcast, 90);
  TestPacket pieces({Bytes(frame.begin(), frame.begin() + 14), Bytes(frame.begin() + 14, frame.end())});
  EXPECT_EQ(five.send(open, pieces), NDIS_STATUS_SUCCESS);
  TestPacket quiet({frame});
  NdisSetPacketFlags(quiet.packet(), NDIS_FLAGS_DONT_LOOPBACK);
  EXPECT_EQ(five.send(open, quiet), NDIS_STATUS_SUCCESS);
  TestPacket long_one({frame_to(kBroadcast, 1515)});
  EXPECT_EQ(five.send(open, long_one), NDIS_STATUS_INVALID_PACKET);
  five.send(open, {&pieces, &long_one});
  settle();
  EXPECT_EQ(pieces.completions, 1);
  EXPECT_EQ(long_one.status, NDIS_STATUS_INVALID_PACKET);
  EXPECT_EQ(looped, 2);
  EXPECT_EQ(take_sent(eth0), (std::vector<Bytes>{frame, frame, frame}));
}

TEST_F(Faces, EverythingMayPendOrRunInline) {
  for (const ULONG inlined : {0U, 1U}) {
    const ULONG eth0 = adapter();
    EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_INLINE_COMPLETION, inlined), 0U);
    pend(0x1f);
    Driver6 six;
    Driver5 five;
    ready(six);
    ready(five);
    ULONG filter = NDIS_PACKET_TYPE_BROADCAST;
    EXPECT_EQ(five.request(five.opens[0]->handle, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter, 4),
              NDIS_STATUS_PENDING);
    settle();
    EXPECT_EQ(five.last_request, NDIS_STATUS_SUCCESS);
    TestPacket packet({frame_to(kBroadcast)});
    EXPECT_EQ(five.send(*five.opens[0], packet), NDIS_STATUS_PENDING);
    settle();
    EXPECT_EQ(packet.completions, 1);
    five.leave();
    six.leave();
    pend(0);
    EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_INLINE_COMPLETION, 0), 0U);
    EXPECT_EQ(five.journal.count("close complete"), 1U);
    EXPECT_EQ(TpNdisAdapterDelete(eth0), 0U);
  }
}

NTSTATUS failing_entry(PDRIVER_OBJECT, PUNICODE_STRING path) {
  static Driver6 forgotten("forgotten");
  EXPECT_EQ(narrow(path), "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\lazy");
  EXPECT_EQ(forgotten.join(), NDIS_STATUS_SUCCESS);
  forgotten.protocol = nullptr;
  return static_cast<NTSTATUS>(0xC0000001);
}

Driver5* hosted = nullptr;
NTSTATUS good_entry(PDRIVER_OBJECT object, PUNICODE_STRING) {
  object->DriverUnload = [](PDRIVER_OBJECT) {
    hosted->journal.add("driver unload");
    hosted->leave();
  };
  hosted->chars.UnloadHandler = [] { hosted->journal.add("unload handler"); };
  return hosted->join();
}

TEST_F(Faces, TheHostBringsDriversInAndOut) {
  adapter();
  TP_NDIS_DRIVER driver = 0;
  int32_t status = 0;
  EXPECT_EQ(TpNdisStartDriver("lazy", reinterpret_cast<void*>(failing_entry), &driver, &status), 31U);
  EXPECT_EQ(status, static_cast<int32_t>(0xC0000001));
  EXPECT_EQ(counters().protocols, 0U);
  EXPECT_EQ(rules, (Lines{"failed and left a protocol registered"}));
  Driver5 five;
  hosted = &five;
  EXPECT_EQ(TpNdisStartDriver("good", reinterpret_cast<void*>(good_entry), &driver, &status), 0U);
  ASSERT_TRUE(five.journal.await("binds complete"));
  settle();
  five.journal.take();
  EXPECT_EQ(TpNdisStop(), 170U);
  EXPECT_EQ(TpNdisUnloadDriver(driver), 0U);
  EXPECT_EQ(five.journal.take(), (Lines{"unbind", "unload handler", "driver unload"}));
  EXPECT_EQ(TpNdisUnloadDriver(driver), 1168U);
  EXPECT_EQ(TpNdisLoadDriver("/nowhere.so", &driver, nullptr), 126U);
}

TEST_F(Faces, ThePolicyDecides) {
  adapter("eth0");
  adapter("veth1");
  TP_NDIS_POLICY policy = policy_of(TP_NDIS_BIND_LIST, "veth*");
  EXPECT_EQ(TpNdisSetBindPolicy("six", &policy), 0U);
  Driver6 six;
  ASSERT_EQ(six.join(), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(six.opens.size(), 1U);
  policy.bind = TP_NDIS_BIND_ALL_ETHERNET;
  EXPECT_EQ(TpNdisSetBindPolicy("six", &policy), 0U);
  settle();
  EXPECT_EQ(six.journal.count("bind"), 2U);
  policy.bind = TP_NDIS_BIND_NONE;
  EXPECT_EQ(TpNdisSetBindPolicy("SIX", &policy), 0U);
  settle();
  EXPECT_EQ(six.journal.count("unbind"), 2U);
  policy.bind = 7;
  EXPECT_EQ(TpNdisSetBindPolicy("six", &policy), 87U);
}

// What is wished before the start holds from the start on.
TEST_F(Faces, WhatIsWishedBeforeTheStartHolds) {
  EXPECT_EQ(TpNdisStop(), 0U);
  TP_NDIS_POLICY policy = policy_of(TP_NDIS_BIND_LIST, "veth*");
  EXPECT_EQ(TpNdisSetBindPolicy("six", &policy), 0U);
  EXPECT_EQ(TpNdisAllowOpenAnywhere("six", 1), 0U);
  const TP_NDIS_OPTIONS options{.size = sizeof(options), .adapters = TP_NDIS_ADAPTERS_MEMORY, .watchdog_ms = 0};
  EXPECT_EQ(TpNdisStart(&options), 0U);
  adapter("eth0");
  adapter("veth1");
  Driver6 six;
  ASSERT_EQ(six.join(), NDIS_STATUS_SUCCESS);
  ASSERT_TRUE(six.journal.await("binds complete"));
  settle();
  EXPECT_EQ(six.journal.count("bind"), 1U);
  Wide eth0("\\Device\\eth0");
  Open& anywhere = *six.opens.emplace_back(std::make_unique<Open>());
  anywhere.driver = &six;
  EXPECT_EQ(six.open(nullptr, &eth0.string, anywhere), NDIS_STATUS_SUCCESS);
}

// Data, requests and status are told at DISPATCH_LEVEL, the rest at PASSIVE_LEVEL; afterwards the thread is as it was.
// clauses: NDIS-210
TEST_F(Faces, EachBindingIsShownAsItStands) {
  const ULONG eth0 = adapter();
  Driver6 six;
  Driver5 five;
  std::vector<PNET_BUFFER_LIST> kept;
  six.on_receive = [&](Open&, PNET_BUFFER_LIST lists, ULONG, ULONG) { kept.push_back(lists); };
  ready(six);
  ready(five);
  six.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  inject(eth0, frame_to(kBroadcast));
  inject(eth0, frame_to({2, 0, 0, 0, 0, 9}));  // for nobody here
  Lines lines;
  const auto line_of = [](void* context, const TP_NDIS_BINDING* shown) {
    std::ostringstream line;
    line << shown->generation << ' ' << shown->protocol << ' ' << shown->interface_name << ' ' << shown->index << ' '
         << shown->state << ' ' << shown->filter << ": " << shown->retained << " of " << shown->delivered << " of "
         << shown->received;
    static_cast<Lines*>(context)->push_back(line.str());
  };
  EXPECT_EQ(TpNdisForEachBinding(line_of, &lines), 0U);
  const std::string at = " eth0 " + std::to_string(eth0);
  EXPECT_EQ(lines, (Lines{"6 SIX" + at + " 3 8: 1 of 1 of 2", "5 FIVE" + at + " 3 0: 0 of 1 of 2"}));
  EXPECT_EQ(TpNdisForEachBinding(nullptr, nullptr), 87U);
  NdisReturnNetBufferLists(six.opens[0]->handle, kept.at(0), 0);
}

TEST_F(Faces, EachCallbackHasItsLevel) {
  const ULONG eth0 = adapter();
  std::atomic<int> data{0}, wrong{0};
  Driver6 six;
  Driver5 five;
  const auto at = [&](KIRQL level) { wrong += KeGetCurrentIrql() == level ? 0 : 1; };
  const auto on_data = [&] {
    ++data;
    at(DISPATCH_LEVEL);
  };
  six.on_receive = [&](Open& open, PNET_BUFFER_LIST lists, ULONG, ULONG) {
    on_data();
    NdisReturnNetBufferLists(open.handle, lists, 0);
  };
  five.on_packet = [&](Open&, PNDIS_PACKET) {
    on_data();
    NdisResetEvent(nullptr);
    NdisReEnumerateProtocolBindings(nullptr);
    return 0;
  };
  for (TestDriver* const driver : {static_cast<TestDriver*>(&six), static_cast<TestDriver*>(&five)}) {
    driver->on_status = [&](Open&, NDIS_STATUS, void*, UINT) { on_data(); };
    driver->on_close_complete = [&](Open&) { at(PASSIVE_LEVEL); };
    driver->on_event = [&](Open*, NET_PNP_EVENT&, void*) {
      at(PASSIVE_LEVEL);
      return NDIS_STATUS_SUCCESS;
    };
  }
  ready(six);
  ready(five);
  six.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  inject(eth0, frame_to(kBroadcast));
  EXPECT_EQ(KeGetCurrentIrql(), PASSIVE_LEVEL);
  EXPECT_EQ(rules, (Lines{"called above PASSIVE_LEVEL", "the handle names no protocol"}));
  EXPECT_EQ(TpNdisAdapterSetCarrier(eth0, 0), 0U);
  settle();
  EXPECT_GE(data, 4);
  five.leave();
  six.leave();
  EXPECT_EQ(wrong, 0);
}

// The host's knob, kind by kind, and what the counters say meanwhile.
TEST_F(Faces, WhatIsToFailFailsOnce) {
  adapter();
  Driver6 six;
  Driver5 five;
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_REGISTER, NDIS_STATUS_RESOURCES), 0U);
  EXPECT_EQ(five.join(), NDIS_STATUS_RESOURCES);
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_OPEN, NDIS_STATUS_RESOURCES), 0U);
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_OPEN, NDIS_STATUS_SUCCESS), 0U);
  EXPECT_EQ(counters().open_adapters, 0U);
  ready(five);
  EXPECT_EQ(counters().open_adapters, 1U);
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_OPEN, NDIS_STATUS_RESOURCES), 0U);
  NDIS_STATUS bound = NDIS_STATUS_PENDING;
  six.on_bind = [&](NDIS_HANDLE context, PNDIS_STRING name) { return bound = six.bind(context, name); };
  ready(six);
  EXPECT_EQ(bound, NDIS_STATUS_RESOURCES);
  EXPECT_EQ(counters().bindings, 1U);
  TestPacket packet({frame_to(kBroadcast)});
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_SEND, NDIS_STATUS_RESOURCES), 0U);
  EXPECT_EQ(five.send(*five.opens[0], packet), NDIS_STATUS_RESOURCES);
  EXPECT_EQ(five.send(*five.opens[0], packet), NDIS_STATUS_SUCCESS);
  ULONG filter = 0;
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_REQUEST, NDIS_STATUS_NOT_ACCEPTED), 0U);
  EXPECT_EQ(five.request(five.opens[0]->handle, NdisRequestSetInformation, OID_GEN_CURRENT_PACKET_FILTER, &filter, 4),
            NDIS_STATUS_NOT_ACCEPTED);
  five.set_filter(0);
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_RESET, NDIS_STATUS_NOT_RESETTABLE), 0U);
  NDIS_STATUS reset = NDIS_STATUS_SUCCESS;
  NdisReset(&reset, five.opens[0]->handle);
  EXPECT_EQ(reset, NDIS_STATUS_PENDING);
  EXPECT_TRUE(five.journal.await("reset complete"));
}

// Pools are the driver's: they outlive the protocol, and the log says what is left.
// clauses: NDIS-082
TEST_F(Faces, ThePoolsThatAProtocolLeavesAreNamed) {
  static std::string said;
  TpLogSink sink = 0;
  ASSERT_EQ(TpLogOpenCallback(
                TP_LOG_WARNING,
                [](void*, const TpLogRecord* record) {
                  for (std::uint32_t i = 0; i < record->field_count; ++i) {
                    if (std::string_view(record->fields[i].key) == "left") {
                      said = record->fields[i].value.text;
                    }
                  }
                },
                nullptr, &sink),
            0U);
  Driver6 six;
  ASSERT_EQ(six.join(), NDIS_STATUS_SUCCESS);
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {0x80, 1, NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  parameters.fAllocateNetBuffer = TRUE;
  const NDIS_HANDLE pool = NdisAllocateNetBufferListPool(six.protocol, &parameters);
  ASSERT_NE(pool, nullptr);
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  EXPECT_EQ(counters().net_buffer_lists, 1U);
  six.leave();
  EXPECT_NE(said.find("net buffer list"), std::string::npos) << said;
  NdisFreeNetBufferList(list);
  NdisFreeNetBufferListPool(pool);
  EXPECT_EQ(counters().net_buffer_lists, 0U);
  EXPECT_EQ(violations(), 0U);
  EXPECT_EQ(TpLogClose(sink), 0U);
}

// What is returned once more when its binding is long gone: named, with what was done through the handle; harmless.
TEST_F(Faces, AReturnAfterTheEndIsNamed) {
  static std::vector<std::pair<std::uint64_t, std::string>> told;
  told.clear();
  const ULONG eth0 = adapter();
  Driver5 five;
  PNDIS_PACKET kept = nullptr;
  five.on_packet = [&](Open&, PNDIS_PACKET packet) {
    kept = packet;
    return 1;
  };
  ready(five);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  inject(eth0, frame_to(kBroadcast));
  ASSERT_NE(kept, nullptr);
  NdisReturnPackets(&kept, 1);
  const auto binding = reinterpret_cast<std::uint64_t>(five.opens[0]->handle);
  five.leave();
  EXPECT_EQ(violations(), 0U);
  EXPECT_EQ(TpNdisSetChecked([](void*, const char*, const char*, std::uint64_t handle,
                                const char* history) { told.emplace_back(handle, history); },
                             nullptr),
            0U);
  NdisReturnPackets(&kept, 1);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].first, binding);
  EXPECT_EQ(told[0].second.rfind("opened on eth0, request, unbind callback, close, closed; ", 0), 0U) << told[0].second;
  EXPECT_NE(told[0].second.find(": indicated on "), std::string::npos) << told[0].second;
  EXPECT_TRUE(told[0].second.ends_with(", returned")) << told[0].second;
}

// A driver cannot be unloaded from inside itself; it stays.
TEST_F(Faces, IsNotUnloadedFromInside) {
  adapter();
  TP_NDIS_DRIVER driver = 0;
  std::atomic<ULONG> inside{0};
  Driver5 five;
  hosted = &five;
  five.on_event = [&](Open*, NET_PNP_EVENT& event, void*) {
    if (event.NetEvent == NetEventReconfigure) {
      inside = TpNdisUnloadDriver(driver);
    }
    return NDIS_STATUS_SUCCESS;
  };
  ASSERT_EQ(TpNdisStartDriver("good", reinterpret_cast<void*>(good_entry), &driver, nullptr), 0U);
  ASSERT_TRUE(five.journal.await("binds complete"));
  const TP_NDIS_POLICY policy = policy_of(TP_NDIS_BIND_ALL_ETHERNET, nullptr);
  EXPECT_EQ(TpNdisSetBindPolicy("five", &policy), 0U);
  settle();
  EXPECT_EQ(inside, 170U);
  EXPECT_EQ(five.journal.count("unload handler"), 0U);
  EXPECT_EQ(TpNdisUnloadDriver(driver), 0U);
  EXPECT_EQ(five.journal.count("driver unload"), 1U);
}

// Every function with null, stale and foreign arguments: an answer, no crash, nothing changed.
TEST_F(Faces, BadInput) {
  const ULONG unopened = adapter();
  const NDIS_HANDLE stale = reinterpret_cast<NDIS_HANDLE>(0x5212345678901234);
  NDIS_STATUS status = 0;
  UINT index = 0;
  NDIS_HANDLE out = nullptr;
  for (const NDIS_HANDLE handle : {NDIS_HANDLE{}, stale}) {
    NdisRegisterProtocol(&status, &out, nullptr, 0);
    EXPECT_EQ(status, NDIS_STATUS_BAD_CHARACTERISTICS);
    NdisDeregisterProtocol(&status, handle);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    NdisDeregisterProtocolDriver(handle);
    NdisOpenAdapter(&status, nullptr, &out, &index, nullptr, 0, handle, nullptr, nullptr, 0, nullptr);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisOpenAdapterEx(handle, nullptr, nullptr, handle, &out), NDIS_STATUS_FAILURE);
    NdisCloseAdapter(&status, handle);
    EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(NdisCloseAdapterEx(handle), NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(NdisUnbindAdapter(handle), NDIS_STATUS_ADAPTER_NOT_OPEN);
    NdisCompleteBindAdapter(handle, 0, 0);
    NdisCompleteBindAdapterEx(handle, 0);
    NdisCompleteUnbindAdapter(handle, 0);
    NdisCompleteUnbindAdapterEx(handle);
    NdisCompletePnPEvent(0, handle, nullptr);
    NdisCompleteNetPnPEvent(handle, nullptr, 0);
    NdisSend(&status, handle, nullptr);
    EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    NdisSendPackets(handle, nullptr, 1);
    NdisCancelSendPackets(handle, nullptr);
    NdisSendNetBufferLists(handle, nullptr, 0, 0);
    NdisCancelSendNetBufferLists(handle, nullptr);
    NdisReturnNetBufferLists(handle, nullptr, 0);
    PNDIS_PACKET none = nullptr;
    NdisReturnPackets(&none, 1);
    NdisReturnPackets(nullptr, 1);
    NdisTransferData(&status, handle, handle, 0, 0, nullptr, &index);
    EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(NdisGetReceivedPacket(handle, handle), nullptr);
    NDIS_REQUEST request{};
    NdisRequest(&status, handle, &request);
    EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(NdisOidRequest(handle, nullptr), NDIS_STATUS_INVALID_PARAMETER);
    NdisCancelOidRequest(handle, nullptr);
    NdisCancelDirectOidRequest(handle, nullptr);
    EXPECT_EQ(NdisDirectOidRequest(handle, nullptr), NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(NdisSynchronousOidRequest(handle, nullptr), NDIS_STATUS_ADAPTER_NOT_OPEN);
    NdisReset(&status, handle);
    EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
    NdisReEnumerateProtocolBindings(handle);
    EXPECT_EQ(NdisSetOptionalHandlers(handle, nullptr), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisQueryAdapterInstanceName(nullptr, handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisQueryBindInstanceName(nullptr, handle), NDIS_STATUS_FAILURE);
    EXPECT_EQ(NdisIfQueryBindingIfIndex(handle, nullptr, nullptr, nullptr, nullptr), NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(NdisEnumerateFilterModules(handle, nullptr, 0, nullptr, nullptr), NDIS_STATUS_SUCCESS);
  }
  EXPECT_EQ(TpNdisAdapterCreate(nullptr, nullptr), 87U);
  EXPECT_EQ(TpNdisAdapterCreateIp(nullptr, nullptr), 87U);
  EXPECT_EQ(TpNdisAdapterDelete(1), 1168U);
  EXPECT_EQ(TpNdisAdapterSetCarrier(1, 1), 1168U);
  EXPECT_EQ(TpNdisAdapterSetMtu(1, 0), 87U);
  EXPECT_EQ(TpNdisAdapterSetMac(1, nullptr), 87U);
  EXPECT_EQ(TpNdisAdapterGetMac(1, nullptr), 87U);
  EXPECT_EQ(TpNdisAdapterInject(1, nullptr, 0), 1168U);
  const std::array<TP_NDIS_FRAME, 3> frames{TP_NDIS_FRAME{&index, 4, 0, 0, 0, 0, 0},
                                            TP_NDIS_FRAME{nullptr, 4, 0, 0, 0, 0, 0},
                                            TP_NDIS_FRAME{&index, 4, 0x0800, 0, 0, 0, 0}};
  EXPECT_EQ(TpNdisAdapterInjectBatch(1, frames.data(), 1), 1168U);
  EXPECT_EQ(TpNdisAdapterInjectBatch(1, &frames[1], 1), 87U);
  EXPECT_EQ(TpNdisAdapterInjectBatch(1, &frames[2], 1), 87U);
  EXPECT_EQ(TpNdisAdapterInjectBatch(1, nullptr, 1), 87U);
  EXPECT_EQ(TpNdisAdapterInjectBatch(1, frames.data(), 4097), 87U);
  EXPECT_EQ(TpNdisAdapterTakeSent(1, nullptr, 0, nullptr), 87U);
  EXPECT_EQ(TpNdisAdapterMakeRoom(1, 0), 1168U);
  EXPECT_EQ(TpNdisAdapterGetReception(1, nullptr, nullptr), 87U);
  ULONG filter = 7, groups = 7;
  EXPECT_EQ(TpNdisAdapterGetReception(1, &filter, &groups), 1168U);
  EXPECT_EQ(TpNdisAdapterGetReception(unopened, &filter, &groups), 0U);
  EXPECT_EQ(filter + groups, 0U);
  EXPECT_EQ(TpNdisSetKnob(77, 0), 87U);
  EXPECT_EQ(TpNdisFailNext(6, NDIS_STATUS_FAILURE), 87U);
  EXPECT_EQ(TpNdisFailNext(TP_NDIS_FAIL_OPEN, NDIS_STATUS_PENDING), 87U);
  EXPECT_EQ(TpNdisUninstallProtocol("nobody"), 1168U);
  EXPECT_EQ(TpNdisAllowOpenAnywhere(nullptr, 1), 87U);
  EXPECT_EQ(TpNdisUseXdp("eth0", 2), 87U);
  const auto without = TpNdisUseXdp(nullptr, 0);
  EXPECT_TRUE(without == 0U || without == 50U) << without;  // as it was built
  EXPECT_EQ(TpNdisUseTap(nullptr), 0U);
  std::uint32_t tap = 7;
  EXPECT_EQ(TpNdisAddTap(nullptr, TP_NDIS_TAP, &tap), 87U);
  EXPECT_EQ(TpNdisAddTap("tap0", 3, &tap), 87U);
  EXPECT_EQ(TpNdisAddTap("tap0", TP_NDIS_TUN, nullptr), 87U);
  EXPECT_EQ(TpNdisAddTap("tap0", TP_NDIS_TAP, &tap), 50U);  // these adapters are in memory
  EXPECT_EQ(TpNdisRemoveTap(1), 50U);
  EXPECT_EQ(tap, 7U);
  EXPECT_EQ(TpNdisReleaseAdapter(1), 1168U);
  EXPECT_EQ(TpNdisStart(nullptr), 183U);
}

}  // namespace
}  // namespace turnpike::ndis_faces
