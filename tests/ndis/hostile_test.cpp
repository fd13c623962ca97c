// Drivers that hand in what leads nowhere: chains without an end, descriptors without memory, frames that are
// no longer theirs. Such a driver is named and contained; it may lose what is its own, and nobody else loses anything.
#include "ndis_driver.h"

namespace turnpike::ndis_faces {
namespace {

class Hostile : public NdisTest {
 protected:
  // What was broken since the last call.
  Lines take_rules() {
    const std::lock_guard lock(violations_mutex);
    return std::exchange(rules, {});
  }
};

// A frame that was shown in the ring has gone when its callback has, and its descriptor is still one to look at.
TEST_F(Hostile, AFrameThatCameWithResourcesCannotBeReturnedLater) {
  const ULONG eth0 = adapter();
  Driver6 six;
  Driver5 five;
  PNET_BUFFER_LIST list = nullptr;
  PNDIS_PACKET packet = nullptr;
  six.on_receive = [&](Open&, PNET_BUFFER_LIST lists, ULONG, ULONG) { list = lists; };
  five.on_packet = [&](Open&, PNDIS_PACKET given) {
    packet = given;
    return 0;
  };
  ready(six);
  ready(five);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 1), 0U);
  six.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  inject(eth0, frame_to(kBroadcast));
  ASSERT_TRUE(list != nullptr && packet != nullptr);
  NdisReturnNetBufferLists(six.opens[0]->handle, list, 0);
  NdisReturnPackets(&packet, 1);
  EXPECT_EQ(take_rules(),
            (Lines{"the list was indicated with RESOURCES: it goes back by itself", "the packet was not received"}));
  EXPECT_EQ(counters().retained, 0U);
  EXPECT_EQ(TpNdisSetKnob(TP_NDIS_KNOB_RESOURCES, 0), 0U);
}

TEST_F(Hostile, DescriptorsWithoutMemoryOrEndCarryNothing) {
  adapter();
  Driver6 six;
  Driver5 five;
  ready(six);
  ready(five);
  Open& open6 = *six.opens[0];
  TestList nowhere(open6.handle, {frame_to(kBroadcast)}), endless(open6.handle, {frame_to(kBroadcast)});
  nowhere.mdls[0].MappedSystemVa = nullptr;
  endless.mdls[0].ByteCount = 0;
  endless.mdls[0].Next = &endless.mdls[0];
  six.send(open6, {&nowhere, &endless});
  settle();
  EXPECT_EQ(nowhere.status, NDIS_STATUS_INVALID_LENGTH);
  EXPECT_EQ(endless.status, NDIS_STATUS_INVALID_LENGTH);
  Open& open5 = *five.opens[0];
  TestPacket packet({frame_to(kBroadcast)});
  packet.mdls[0].MappedSystemVa = nullptr;
  EXPECT_EQ(five.send(open5, packet), NDIS_STATUS_INVALID_PACKET);
  packet.mdls[0].ByteCount = 0;
  packet.mdls[0].Next = &packet.mdls[0];
  EXPECT_EQ(five.send(open5, packet), NDIS_STATUS_INVALID_PACKET);
}

TEST_F(Hostile, ATransferIntoNothingTransfersNothing) {
  const ULONG eth0 = adapter();
  Driver5 five("five", 0, false);
  TestPacket into({Bytes(64)});
  into.mdls[0].MappedSystemVa = nullptr;
  std::vector<UINT> transferred;
  five.on_receive = [&](Open& open, NDIS_HANDLE context, const Bytes&, const Bytes&, UINT) {
    NDIS_STATUS status = NDIS_STATUS_FAILURE;
    UINT bytes = 99;
    NdisTransferData(&status, open.handle, context, 0, 40, into.packet(), &bytes);
    EXPECT_EQ(status, NDIS_STATUS_SUCCESS);
    transferred.push_back(bytes);
    return NDIS_STATUS_SUCCESS;
  };
  ready(five);
  five.set_filter(NDIS_PACKET_TYPE_BROADCAST);
  inject(eth0, frame_to(kBroadcast));
  into.mdls[0].ByteCount = 0;
  into.mdls[0].Next = &into.mdls[0];
  inject(eth0, frame_to(kBroadcast));
  EXPECT_EQ(transferred, (std::vector<UINT>{0, 0}));
}

// Names of interfaces are UTF-8, those that a driver sees are code points.
TEST_F(Hostile, ANameMayHaveAnyLetter) {
  adapter("b\xc3\xbcro\xf0\x9f\x98\x80");
  Driver6 six;
  ready(six);
  NDIS_STRING name = {};
  ASSERT_EQ(NdisQueryAdapterInstanceName(&name, six.opens[0]->handle), NDIS_STATUS_SUCCESS);
  EXPECT_EQ(std::wstring(name.Buffer, name.Length / sizeof(WCHAR)), L"b\u00fcro\U0001F600");
  NdisFreeMemory(name.Buffer, 0, 0);
  WCHAR friendly[16] = {};
  EXPECT_EQ(six.request(six.opens[0]->handle, NdisRequestQueryInformation, 0x00020216, friendly, sizeof(friendly)),
            NDIS_STATUS_SUCCESS);
  EXPECT_EQ(std::wstring(friendly), L"b\u00fcro\U0001F600");
}

}  // namespace
}  // namespace turnpike::ndis_faces
