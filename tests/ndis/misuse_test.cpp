// What drivers do wrong: each kind of bug, by drivers of both generations, in sends, receives, requests, binds and
// closes. In checked mode it is named, with the call, the rule, the handle and the history of that and of what was
// handed in; in free mode it is only counted. In both it is contained: nothing crashes, everything comes back once,
// and when the driver leaves nothing is left. The tables are the list of what is known.
//
//                 sends                receives             requests            bind                  close, unbind
//   double use    in flight twice,     returned twice,      pending twice       bind completed twice  closed twice,
//                 twice in a call,     in a ring, early                                               completed twice
//                 freed in flight
//   after close   sent                 returned             asked, cancelled    opened                reset, unbound
//   foreign       of the other         of another binding,  of the other        handle of another     completed though
//                 generation           not received         generation          kind                  it did not pend
//   wrong pool    freed twice, of another pool, a pool that is in use
//   forgotten     (what a close finds) kept with RESOURCES  (what a close       binding left open     not closed,
//                                                            finds)             by a failed bind      refused
#include <algorithm>
#include <functional>
#include <future>
#include <optional>

#include "ndis_driver.h"

namespace turnpike::ndis_faces {
namespace {

struct Told {
  std::string function, rule, history;
  std::uint64_t handle = 0;
};

// One adapter and one driver, bound, with a filter that lets broadcasts in.
struct World {
  ULONG eth0 = 0;
  bool six = false;
  Driver6* v6 = nullptr;
  Driver5* v5 = nullptr;
  TestDriver& driver() { return six ? static_cast<TestDriver&>(*v6) : *v5; }
  Open& open() { return *driver().opens.at(0); }
  NDIS_HANDLE binding() { return open().handle; }
  void frame() { EXPECT_EQ(TpNdisAdapterInject(eth0, broadcast.data(), broadcast.size()), 0U); }
  void room(int frames) { EXPECT_EQ(TpNdisAdapterMakeRoom(eth0, frames), 0U); }
  void unbind() {  // as a policy does it, which wants it no more
    TP_NDIS_POLICY none{};
    none.size = sizeof(none);
    none.bind = TP_NDIS_BIND_NONE;
    EXPECT_EQ(TpNdisSetBindPolicy(six ? "six" : "five", &none), 0U);
    EXPECT_EQ(TpNdisQuiesce(), 0U);
  }
  const Bytes broadcast = frame_to(kBroadcast, 100);
};

struct Bug {
  const char* name;
  int generation;
  std::function<void(World&)> before;  // the driver registers
  std::function<void(World&)> commit;
  const char* rule;
  const char* history;  // a part of it; null: nothing was ever known of that handle
};

const NDIS_HANDLE kNothing = reinterpret_cast<NDIS_HANDLE>(0x5212345678901234);  // NOLINT: nothing gave that out

NDIS_STATUS send_one(World& world, PNDIS_PACKET packet) {
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  NdisSend(&status, world.binding(), packet);
  return status;
}

// --- sends

void twice_in_flight5(World& world) {
  world.room(0);
  TestPacket packet({world.broadcast});
  EXPECT_EQ(world.v5->send(world.open(), packet), NDIS_STATUS_PENDING);
  EXPECT_EQ(world.v5->send(world.open(), packet), NDIS_STATUS_FAILURE);
  world.room(-1);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(packet.completions, 1);
  EXPECT_EQ(world.v5->send(world.open(), packet), NDIS_STATUS_SUCCESS);  // now it is the driver's again
}

void twice_in_a_call5(World& world) {
  TestPacket packet({world.broadcast}), other({world.broadcast});
  world.v5->send(world.open(), {&packet, &other, &packet});
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(packet.completions, 1);
  EXPECT_EQ(other.completions, 1);
}

void twice_in_flight6(World& world) {
  world.room(0);
  TestList list(world.binding(), {world.broadcast});
  world.v6->send(world.open(), {&list});
  world.v6->send(world.open(), {&list});
  world.room(-1);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(list.completions, 1);
  world.v6->send(world.open(), {&list});
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(list.completions, 2);
}

void ring6(World& world) {
  TestList one(world.binding(), {world.broadcast}), two(world.binding(), {world.broadcast});
  {
    const std::lock_guard lock(world.v6->sent_mutex);
    world.v6->sent[&one.list] = &one;
    world.v6->sent[&two.list] = &two;
  }
  one.list.Next = &two.list;
  two.list.Next = &one.list;
  NdisSendNetBufferLists(world.binding(), &one.list, 0, 0);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(one.completions, 1);
  EXPECT_EQ(two.completions, 1);
}

void wrong_source6(World& world) {
  TestList list(kNothing, {world.broadcast});
  world.v6->send(world.open(), {&list});
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(list.completions, 1);
}

void sent_after_close(World& world) {
  world.unbind();
  if (world.six) {
    TestList list(world.binding(), {world.broadcast});
    world.v6->send(world.open(), {&list});
    EXPECT_EQ(list.completions, 0);
  } else {
    TestPacket packet({world.broadcast});
    EXPECT_EQ(world.v5->send(world.open(), packet), NDIS_STATUS_ADAPTER_NOT_OPEN);
    EXPECT_EQ(packet.completions, 0);
  }
}

// --- receives

void returned_twice5(World& world) {
  PNDIS_PACKET kept = nullptr;
  world.v5->on_packet = [&](Open&, PNDIS_PACKET packet) {
    kept = packet;
    return 1;
  };
  world.frame();
  NdisReturnPackets(&kept, 1);
  NdisReturnPackets(&kept, 1);
}

void returned_early5(World& world) {
  world.v5->on_packet = [&](Open&, PNDIS_PACKET packet) {
    NdisReturnPackets(&packet, 1);
    return 1;
  };
  world.frame();
  EXPECT_EQ(TpNdisQuiesce(), 0U);
}

void not_received5(World& world) {
  TestPacket packet({world.broadcast});
  PNDIS_PACKET own = packet.packet();
  NdisReturnPackets(&own, 1);
}

void kept_scarce5(World& world) {
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 1), 0U);
  world.v5->on_packet = [](Open&, PNDIS_PACKET) { return 1; };
  world.frame();
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 0), 0U);
}

void transferred_late5(World& world) {
  NDIS_STATUS status = NDIS_STATUS_PENDING;
  UINT moved = 0;
  TestPacket packet({Bytes(100)});
  NdisTransferData(&status, world.binding(), kNothing, 0, 1, packet.packet(), &moved);
  EXPECT_EQ(status, NDIS_STATUS_FAILURE);
}

void filled_twice5(World& world) {
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_TRANSFER), 0U);
  TestPacket first({Bytes(100)}), packet({Bytes(100)});
  std::promise<void> tried;
  world.v5->on_transferred = [all = tried.get_future().share()] { all.wait(); };  // the first keeps the second pending
  world.v5->on_receive = [&](Open& open, NDIS_HANDLE mac, const Bytes&, const Bytes&, UINT) {
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    UINT moved = 0;
    for (TestPacket* const each : {&first, &packet}) {
      NdisTransferData(&status, open.handle, mac, 0, 10, each->packet(), &moved);
      EXPECT_EQ(status, NDIS_STATUS_PENDING);
    }
    NdisTransferData(&status, open.handle, mac, 0, 10, packet.packet(), &moved);
    EXPECT_EQ(status, NDIS_STATUS_FAILURE);
    tried.set_value();
    return NDIS_STATUS_SUCCESS;
  };
  world.frame();
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(world.v5->transfers, 2);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, 0), 0U);
}

// The driver keeps two lists; what is then done with them.
void keeping6(World& world, const std::function<void(PNET_BUFFER_LIST one, PNET_BUFFER_LIST two)>& use) {
  std::vector<PNET_BUFFER_LIST> kept;
  world.v6->on_receive = [&](Open&, PNET_BUFFER_LIST list, ULONG, ULONG) { kept.push_back(list); };
  world.frame();
  world.frame();
  ASSERT_EQ(kept.size(), 2U);
  use(kept[0], kept[1]);
}

void returned_twice6(World& world) {
  keeping6(world, [&](PNET_BUFFER_LIST one, PNET_BUFFER_LIST two) {
    NdisReturnNetBufferLists(world.binding(), one, 0);
    NdisReturnNetBufferLists(world.binding(), two, 0);
    NdisReturnNetBufferLists(world.binding(), one, 0);
  });
}

void returned_in_a_ring6(World& world) {
  keeping6(world, [&](PNET_BUFFER_LIST one, PNET_BUFFER_LIST two) {
    one->Next = two;
    two->Next = one;
    NdisReturnNetBufferLists(world.binding(), one, 0);
  });
}

void returned_elsewhere6(World& world) {
  keeping6(world, [&](PNET_BUFFER_LIST one, PNET_BUFFER_LIST two) {
    TestList own(world.binding(), {world.broadcast});
    NdisReturnNetBufferLists(world.binding(), &own.list, 0);  // not received
    one->Next = two;
    NdisReturnNetBufferLists(world.binding(), one, 0);
  });
}

void returned_scarce6(World& world) {
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 1), 0U);
  world.v6->on_receive = [](Open& open, PNET_BUFFER_LIST list, ULONG, ULONG) {
    NdisReturnNetBufferLists(open.handle, list, 0);
  };
  world.frame();
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 0), 0U);
}

void returned_after_close6(World& world) {
  keeping6(world, [&](PNET_BUFFER_LIST one, PNET_BUFFER_LIST two) {
    NdisReturnNetBufferLists(world.binding(), one, 0);
    NdisReturnNetBufferLists(world.binding(), two, 0);
    world.unbind();
    NdisReturnNetBufferLists(world.binding(), one, 0);
  });
}

// --- requests

void asked_twice(World& world) {
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_REQUEST), 0U);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_HOLD_REQUESTS, 1), 0U);
  ULONG value = 0;
  const auto ask = [&](NDIS_REQUEST* five, NDIS_OID_REQUEST* six) {
    if (world.six) {
      return NdisOidRequest(world.binding(), six);
    }
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisRequest(&status, world.binding(), five);
    return status;
  };
  const auto fill = [&](auto& request) {
    request.RequestType = NdisRequestQueryInformation;
    request.DATA.QUERY_INFORMATION.Oid = OID_GEN_MAXIMUM_FRAME_SIZE;
    request.DATA.QUERY_INFORMATION.InformationBuffer = &value;
    request.DATA.QUERY_INFORMATION.InformationBufferLength = 4;
  };
  auto five = std::make_unique<NDIS_REQUEST>();
  auto six = std::make_unique<NDIS_OID_REQUEST>();
  *five = {};
  *six = {};
  six->Header = {0x96, 1, NDIS_SIZEOF_OID_REQUEST_REVISION_1};
  fill(*five);
  fill(*six);
  EXPECT_EQ(ask(five.get(), six.get()), NDIS_STATUS_PENDING);
  EXPECT_EQ(ask(five.get(), six.get()), NDIS_STATUS_FAILURE);
  (void)(world.six ? static_cast<void*>(six.release()) : five.release());  // the completion frees it
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_HOLD_REQUESTS, 0), 0U);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(world.driver().requests_completed, 1);
  EXPECT_EQ(value, 1500U);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_PEND, 0), 0U);
}

void asked_after_close(World& world) {
  world.unbind();
  ULONG value = 0;
  EXPECT_EQ(world.driver().request(world.binding(), NdisRequestQueryInformation, OID_GEN_MAXIMUM_FRAME_SIZE, &value, 4),
            NDIS_STATUS_ADAPTER_NOT_OPEN);
}

void asked_in_the_other_tongue(World& world) {
  if (world.six) {
    NDIS_STATUS status = NDIS_STATUS_SUCCESS;
    NDIS_REQUEST request{};
    NdisRequest(&status, world.binding(), &request);
    EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
  } else {
    NDIS_OID_REQUEST request{};
    EXPECT_EQ(NdisOidRequest(world.binding(), &request), NDIS_STATUS_ADAPTER_NOT_OPEN);
  }
}

// --- pools

struct PacketPool {
  NDIS_HANDLE pool = nullptr;
  PNDIS_PACKET packet = nullptr;
  PacketPool() {
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    NdisAllocatePacketPool(&status, &pool, 4, 0);
    NdisAllocatePacket(&status, &packet, pool);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
  }
};

void freed_in_flight5(World& world) {
  const PacketPool mine;
  TestPacket memory({world.broadcast});
  mine.packet->Private.Head = mine.packet->Private.Tail = memory.mdls.data();
  {
    const std::lock_guard lock(world.v5->sent_mutex);
    world.v5->sent[mine.packet] = &memory;
  }
  world.room(0);
  EXPECT_EQ(send_one(world, mine.packet), NDIS_STATUS_PENDING);
  NdisFreePacket(mine.packet);
  EXPECT_EQ(NdisPacketPoolUsage(mine.pool), 1U);
  world.room(-1);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(memory.completions, 1);
  NdisFreePacket(mine.packet);
  EXPECT_EQ(NdisPacketPoolUsage(mine.pool), 0U);
  NdisFreePacketPool(mine.pool);
}

void freed_twice5(World&) {
  const PacketPool mine;
  NdisFreePacket(mine.packet);
  NdisFreePacket(mine.packet);
  NdisFreePacketPool(mine.pool);
}

void freed_with_others_in_use5(World&) {
  const PacketPool mine;
  NdisFreePacketPool(mine.pool);
  NdisFreePacket(mine.packet);
}

void freed_by_the_wrong_name5(World&) {
  const PacketPool mine;
  NdisFreePacket(mine.packet);
  NdisFreeBufferPool(mine.pool);
  NdisFreePacketPool(mine.pool);
}

NDIS_HANDLE list_pool(World& world) {
  NET_BUFFER_LIST_POOL_PARAMETERS parameters{};
  parameters.Header = {0x80, 1, NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1};
  return NdisAllocateNetBufferListPool(world.v6->protocol, &parameters);
}

void freed_in_flight6(World& world) {
  const NDIS_HANDLE pool = list_pool(world);
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  TestList memory(world.binding(), {world.broadcast});
  list->FirstNetBuffer = memory.buffers.data();
  list->SourceHandle = world.binding();
  {
    const std::lock_guard lock(world.v6->sent_mutex);
    world.v6->sent[list] = &memory;
  }
  world.room(0);
  NdisSendNetBufferLists(world.binding(), list, 0, 0);
  NdisFreeNetBufferList(list);
  world.room(-1);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(memory.completions, 1);
  NdisFreeNetBufferList(list);
  NdisFreeNetBufferListPool(pool);
}

void freed_twice6(World& world) {
  const NDIS_HANDLE pool = list_pool(world);
  const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(pool, 0, 0);
  NdisFreeNetBufferList(list);
  NdisFreeNetBufferList(list);
  NdisFreeNetBufferListPool(pool);
}

void pool_freed_twice6(World& world) {
  const NDIS_HANDLE pool = list_pool(world);
  NdisFreeNetBufferListPool(pool);
  NdisFreeNetBufferListPool(pool);
}

// --- bind

void complete_bind(World& world, NDIS_HANDLE context, NDIS_STATUS status) {
  world.six ? NdisCompleteBindAdapterEx(context, status) : NdisCompleteBindAdapter(context, status, status);
}

NDIS_HANDLE bind_context;  // of the last bind callback
NDIS_STATUS remembering(World& world, NDIS_HANDLE context, PNDIS_STRING name) {
  bind_context = context;
  return world.driver().bind(context, name);
}

void pends_bind(World& world) {
  world.driver().on_bind = [&world](NDIS_HANDLE context, PNDIS_STRING name) {
    EXPECT_EQ(remembering(world, context, name), NDIS_STATUS_SUCCESS);
    complete_bind(world, context, NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_PENDING;
  };
}
void bind_completed_twice(World& world) { complete_bind(world, bind_context, NDIS_STATUS_SUCCESS); }

void completes_bind_without_pending(World& world) {
  world.driver().on_bind = [&world](NDIS_HANDLE context, PNDIS_STRING name) {
    const NDIS_STATUS status = remembering(world, context, name);
    complete_bind(world, context, NDIS_STATUS_FAILURE);
    return status;
  };
}

void fails_and_leaves_open(World& world) {
  world.driver().on_bind = [&world](NDIS_HANDLE context, PNDIS_STRING name) {
    EXPECT_EQ(remembering(world, context, name), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_RESOURCES;
  };
}

void nothing_more(World&) {}

void opened_with_another_handle(World& world) {
  Wide name("\\Device\\eth0");
  Open other;
  other.driver = &world.driver();
  const NDIS_HANDLE own = std::exchange(world.driver().protocol, world.binding());
  EXPECT_EQ(world.driver().open(bind_context, &name.string, other), NDIS_STATUS_FAILURE);
  world.driver().protocol = own;
}

// --- close and unbind

void closed_twice(World& world) {
  world.unbind();
  EXPECT_EQ(world.driver().close(world.open()), NDIS_STATUS_ADAPTER_NOT_OPEN);
}

void closed_out_of_turn6(World& world) {
  if (world.driver().close(world.open()) == NDIS_STATUS_PENDING) {
    EXPECT_EQ(TpNdisQuiesce(), 0U);
  }
}

void does_not_close(World& world) {
  world.driver().on_unbind = [](Open&, NDIS_HANDLE) { return NDIS_STATUS_SUCCESS; };
}
void refuses_to_unbind(World& world) {
  world.driver().on_unbind = [&world](Open& open, NDIS_HANDLE context) {
    EXPECT_EQ(world.driver().unbind(open, context), NDIS_STATUS_SUCCESS);
    return NDIS_STATUS_FAILURE;
  };
}
void complete_unbind(World& world) {
  world.six ? NdisCompleteUnbindAdapterEx(world.open().unbind)
            : NdisCompleteUnbindAdapter(world.open().unbind, NDIS_STATUS_SUCCESS);
}
void completes_unbind_without_pending(World& world) {
  world.driver().on_unbind = [&world](Open& open, NDIS_HANDLE context) {
    const NDIS_STATUS status = world.driver().unbind(open, context);
    complete_unbind(world);
    return status;
  };
}
void goes(World& world) { world.unbind(); }
void unbind_completed_twice(World& world) {
  world.unbind();
  complete_unbind(world);
}

void unbound_after_close6(World& world) {
  world.unbind();
  EXPECT_EQ(NdisUnbindAdapter(world.binding()), NDIS_STATUS_ADAPTER_NOT_OPEN);
}

void reset_after_close5(World& world) {
  world.unbind();
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  NdisReset(&status, world.binding());
  EXPECT_EQ(status, NDIS_STATUS_ADAPTER_NOT_OPEN);
}

void cancelled_after_close(World& world) {
  world.unbind();
  world.six ? NdisCancelOidRequest(world.binding(), nullptr) : NdisCancelSendPackets(world.binding(), nullptr);
}

// --- events, registration

void event_completed_for_nothing(World& world) {
  NET_PNP_EVENT five{};
  NET_PNP_EVENT_NOTIFICATION six{};
  world.six ? NdisCompleteNetPnPEvent(world.binding(), &six, NDIS_STATUS_SUCCESS)
            : NdisCompletePnPEvent(NDIS_STATUS_SUCCESS, world.binding(), &five);
}

void fails_an_event(World& world) {
  world.driver().on_event = [](Open*, NET_PNP_EVENT& event, void*) {
    return event.NetEvent == NetEventReconfigure ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
  };
}
void is_reconfigured(World& world) {
  TP_NDIS_POLICY all{};
  all.size = sizeof(all);
  EXPECT_EQ(TpNdisSetBindPolicy(world.six ? "six" : "five", &all), 0U);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
}

void deregistered_twice(World& world) {
  const NDIS_HANDLE protocol = world.driver().protocol;
  world.driver().leave();
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  world.six ? NdisDeregisterProtocolDriver(protocol) : NdisDeregisterProtocol(&status, protocol);
}

void deregistered_in_the_other_tongue(World& world) {
  NDIS_STATUS status = NDIS_STATUS_FAILURE;
  world.six ? NdisDeregisterProtocol(&status, world.driver().protocol)
            : NdisDeregisterProtocolDriver(world.driver().protocol);
  EXPECT_EQ(TpNdisQuiesce(), 0U);
  EXPECT_EQ(world.driver().journal.count("unbind"), 0U);
}

const std::vector<Bug>& bugs() {
  static const char* const kNoBinding = "the handle names no binding";
  static const std::vector<Bug> kBugs{
      {"send/in flight twice", 5, nullptr, twice_in_flight5, "the packet is being sent, or filled, already",
       ": sent through "},
      {"send/twice in a call", 5, nullptr, twice_in_a_call5, "the packet is being sent, or filled, already",
       ": sent through "},
      {"send/in flight twice", 6, nullptr, twice_in_flight6, "the list is being sent already", ": sent through "},
      {"send/ring", 6, nullptr, ring6, "the list is being sent already", ": sent through "},
      {"send/wrong source", 6, nullptr, wrong_source6, "SourceHandle is not the binding: corrected", "opened on eth0"},
      {"send/after close", 5, nullptr, sent_after_close, kNoBinding, "close, closed"},
      {"send/after close", 6, nullptr, sent_after_close, kNoBinding, "close, closed"},
      {"send/freed in flight", 5, nullptr, freed_in_flight5, "the packet is being sent: not freed",
       "allocated, sent through "},
      {"send/freed in flight", 6, nullptr, freed_in_flight6, "the list is being sent: not freed",
       "allocated, sent through "},
      {"receive/returned twice", 5, nullptr, returned_twice5, "the packet was returned too often", ", returned"},
      {"receive/returned early", 5, nullptr, returned_early5, "the packet was returned before its callback had",
       ": indicated on "},
      {"receive/not received", 5, nullptr, not_received5, "the packet was not received", nullptr},
      {"receive/kept with RESOURCES", 5, nullptr, kept_scarce5, "kept a packet that came with RESOURCES",
       "opened on eth0"},
      {"receive/transferred late", 5, nullptr, transferred_late5, "called outside the indication of the frame",
       "opened on eth0"},
      {"receive/returned twice", 6, nullptr, returned_twice6, "the list was returned before", ", returned"},
      {"receive/returned in a ring", 6, nullptr, returned_in_a_ring6, "the list was returned before", ", returned"},
      {"receive/not received", 6, nullptr, returned_elsewhere6, "the list was not indicated on this binding",
       "opened on eth0"},
      {"receive/returned with RESOURCES", 6, nullptr, returned_scarce6,
       "the list was indicated with RESOURCES: it goes back by itself", "opened on eth0"},
      {"receive/after close", 6, nullptr, returned_after_close6, kNoBinding, "close, closed"},
      {"request/pending twice", 5, nullptr, asked_twice, "the request is pending already", ": asked through "},
      {"request/pending twice", 6, nullptr, asked_twice, "the request is pending already", ": asked through "},
      {"request/after close", 5, nullptr, asked_after_close, kNoBinding, "close, closed"},
      {"request/after close", 6, nullptr, asked_after_close, kNoBinding, "close, closed"},
      {"request/other generation", 5, nullptr, asked_in_the_other_tongue,
       "the handle names a binding of the other generation", "opened on eth0"},
      {"request/other generation", 6, nullptr, asked_in_the_other_tongue,
       "the handle names a binding of the other generation", "opened on eth0"},
      {"request/cancelled after close", 6, nullptr, cancelled_after_close, kNoBinding, "close, closed"},
      {"send/cancelled after close", 5, nullptr, cancelled_after_close, kNoBinding, "close, closed"},
      {"pool/freed twice", 5, nullptr, freed_twice5, "this is no packet that is in use", "allocated, freed"},
      {"pool/in use", 5, nullptr, freed_with_others_in_use5, "the pool is freed while descriptors of it are in use",
       "allocated, freed"},
      {"pool/wrong kind", 5, nullptr, freed_by_the_wrong_name5, "the handle names no pool of that kind", "allocated"},
      {"pool/list freed twice", 6, nullptr, freed_twice6, "this is no net buffer list that is in use",
       "allocated, freed"},
      {"pool/pool freed twice", 6, nullptr, pool_freed_twice6, "the handle names no pool of that kind",
       "allocated, freed"},
      {"bind/completed twice", 5, pends_bind, bind_completed_twice, "there is no such bind operation",
       "bind callback for eth0, bound"},
      {"bind/completed twice", 6, pends_bind, bind_completed_twice, "there is no such bind operation",
       "bind callback for eth0, bound"},
      {"bind/completed without pending", 5, completes_bind_without_pending, nothing_more,
       "the bind callback did not return pending", "bind callback for eth0"},
      {"bind/completed without pending", 6, completes_bind_without_pending, nothing_more,
       "the bind callback did not return pending", "bind callback for eth0"},
      {"bind/failed and left open", 5, fails_and_leaves_open, nothing_more, "failed and left a binding open",
       "opened on eth0"},
      {"bind/failed and left open", 6, fails_and_leaves_open, nothing_more, "failed and left a binding open",
       "opened on eth0"},
      {"bind/foreign handle", 5, nullptr, opened_with_another_handle, "the handle names no protocol", "opened on eth0"},
      {"bind/foreign handle", 6, nullptr, opened_with_another_handle, "the handle names no protocol", "opened on eth0"},
      {"close/twice", 5, nullptr, closed_twice, kNoBinding, "close, closed"},
      {"close/twice", 6, nullptr, closed_twice, kNoBinding, "close, closed"},
      {"close/out of turn", 6, nullptr, closed_out_of_turn6, "called outside a bind or unbind operation",
       "opened on eth0"},
      {"close/forgotten", 5, does_not_close, goes, "returned without closing the binding", "unbind callback"},
      {"close/forgotten", 6, does_not_close, goes, "returned without closing the binding", "unbind callback"},
      {"unbind/refused", 5, refuses_to_unbind, goes, "an unbind cannot fail: taken as done", "close, closed"},
      {"unbind/refused", 6, refuses_to_unbind, goes, "an unbind cannot fail: taken as done", "close, closed"},
      {"unbind/completed without pending", 5, completes_unbind_without_pending, goes,
       "completed, but did not return pending", "unbind callback"},
      {"unbind/completed without pending", 6, completes_unbind_without_pending, goes,
       "completed, but did not return pending", "unbind callback"},
      {"unbind/completed twice", 5, nullptr, unbind_completed_twice, "there is no such unbind operation",
       "unbind callback for eth0, unbound"},
      {"unbind/completed twice", 6, nullptr, unbind_completed_twice, "there is no such unbind operation",
       "unbind callback for eth0, unbound"},
      {"unbind/asked for after close", 6, nullptr, unbound_after_close6, kNoBinding, "close, closed"},
      {"reset/after close", 5, nullptr, reset_after_close5, "the handle names no binding of NDIS 5", "close, closed"},
      {"event/completed for nothing", 5, nullptr, event_completed_for_nothing, "there is no such event",
       "opened on eth0"},
      {"event/completed for nothing", 6, nullptr, event_completed_for_nothing, "there is no such event",
       "opened on eth0"},
      {"event/failed", 5, fails_an_event, is_reconfigured, "failed an event that cannot be failed", "registered as"},
      {"protocol/deregistered twice", 5, nullptr, deregistered_twice, "the handle names no protocol of this interface",
       "registered as FIVE, deregister, deregistered"},
      {"protocol/deregistered twice", 6, nullptr, deregistered_twice, "the handle names no protocol of this interface",
       "registered as SIX, deregister, deregistered"},
      {"protocol/other generation", 5, nullptr, deregistered_in_the_other_tongue,
       "the handle names no protocol of this interface", "registered as FIVE"},
      {"protocol/other generation", 6, nullptr, deregistered_in_the_other_tongue,
       "the handle names no protocol of this interface", "registered as SIX"},
  };
  return kBugs;
}

class Misuse : public NdisTest {
 protected:
  // The driver comes, commits its bug, and leaves; what was told meanwhile.
  std::vector<Told> committed(const Bug& bug, bool checked, std::size_t& counted, bool lookahead = false) {
    static std::mutex mutex;
    static std::vector<Told> told;
    told.clear();
    const auto hear = [](void*, const char* function, const char* rule, std::uint64_t handle, const char* history) {
      const std::lock_guard lock(mutex);
      told.push_back({function, rule, history, handle});
    };
    EXPECT_EQ(TpNdisSetChecked(checked ? static_cast<TP_NDIS_VIOLATION>(hear) : nullptr, nullptr), 0U);
    const std::uint64_t before = counters().violations;
    {
      std::optional<Driver6> six;
      std::optional<Driver5> five;
      World world;
      world.eth0 = adapter();
      world.six = bug.generation == 6;
      world.v6 = world.six ? &six.emplace() : nullptr;
      world.v5 = world.six ? nullptr : &five.emplace("five", 0, !lookahead);
      bind_context = nullptr;
      world.driver().on_bind = [&world](NDIS_HANDLE context, PNDIS_STRING name) {
        return remembering(world, context, name);
      };
      if (bug.before) {
        bug.before(world);
      }
      world.six ? ready(*world.v6) : ready(*world.v5);
      if (!world.driver().opens.empty() && counters().bindings != 0) {
        world.driver().set_filter(NDIS_PACKET_TYPE_BROADCAST);
      }
      bug.commit(world);
      EXPECT_EQ(TpNdisQuiesce(), 0U);
      world.driver().leave();
      EXPECT_EQ(TpNdisAdapterDelete(world.eth0), 0U);
    }
    const TP_NDIS_COUNTERS left = counters();
    EXPECT_EQ(left.protocols + left.bindings + left.bind_operations + left.unbind_operations, 0U);
    EXPECT_EQ(left.sends + left.requests + left.retained + left.callbacks + left.open_adapters, 0U);
    counted = left.violations - before;
    TP_NDIS_POLICY all{};
    all.size = sizeof(all);
    EXPECT_EQ(TpNdisSetBindPolicy(bug.generation == 6 ? "six" : "five", &all), 0U);
    const std::lock_guard lock(mutex);
    return told;
  }
};

TEST_F(Misuse, IsNamedWithItsHistoryInCheckedMode) {
  for (const Bug& bug : bugs()) {
    SCOPED_TRACE(testing::Message() << bug.name << ", NDIS " << bug.generation);
    std::size_t counted = 0;
    const std::vector<Told> told = committed(bug, true, counted);
    const auto it = std::ranges::find(told, bug.rule, &Told::rule);
    if (it == told.end()) {
      ADD_FAILURE() << "not named; " << (told.empty() ? "nothing is" : told[0].rule);
      continue;
    }
    EXPECT_FALSE(it->function.empty());
    if (bug.history != nullptr) {
      EXPECT_NE(it->handle, 0U);
      EXPECT_NE(it->history.find(bug.history), std::string::npos) << it->history;
    }
    for (const Told& each : told) {
      EXPECT_EQ(each.rule, bug.rule) << "a bug is named for what it is, and for nothing else";
    }
  }
}

TEST_F(Misuse, IsContainedInFreeMode) {
  for (const Bug& bug : bugs()) {
    SCOPED_TRACE(testing::Message() << bug.name << ", NDIS " << bug.generation);
    std::size_t counted = 0;
    EXPECT_TRUE(committed(bug, false, counted).empty());
    EXPECT_GE(counted, 1U);
  }
}

// The destination of a transfer belongs to the library until that is complete.
TEST_F(Misuse, OfTheDestinationOfATransferIsNamed) {
  const Bug bug{"receive/filled twice", 5, nullptr, filled_twice5, "the packet is being sent, or filled, already",
                ": filled through "};
  for (const bool checked : {true, false}) {
    std::size_t counted = 0;
    const std::vector<Told> told = committed(bug, checked, counted, true);
    EXPECT_EQ(counted, 1U);
    ASSERT_EQ(told.size(), checked ? 1U : 0U);
    if (checked) {
      EXPECT_EQ(told[0].rule, bug.rule);
      EXPECT_NE(told[0].history.find(bug.history), std::string::npos) << told[0].history;
    }
  }
}

// The whole of it, once: what a driver's author reads.
TEST_F(Misuse, TellsTheWholeStory) {
  const Bug bug{"send/in flight twice", 5, nullptr, twice_in_flight5, "", ""};
  std::size_t counted = 0;
  const std::vector<Told> told = committed(bug, true, counted);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].function, "NdisSend");
  const std::string handle = [&] {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%llx", static_cast<unsigned long long>(told[0].handle));
    return std::string(text.data());
  }();
  EXPECT_EQ(told[0].history.rfind("opened on eth0, request, send; ", 0), 0U) << told[0].history;
  EXPECT_TRUE(told[0].history.ends_with(": sent through " + handle)) << told[0].history;
}

}  // namespace
}  // namespace turnpike::ndis_faces
