// In steady state a received frame costs a driver's face no memory either: the copies that a driver may keep are used
// again.
#include "counted_memory.h"
#include "ndis_driver.h"

namespace turnpike::ndis_faces {
namespace {

class FacesSteady : public NdisTest {};

TEST_F(FacesSteady, NoReceivedFrameCostsMemory) {
  const ULONG eth0 = adapter();
  Driver6 six;
  Driver5 packets("packets", 0, true), lookahead("lookahead", 1, false);
  std::array<PNET_BUFFER_LIST, 8> kept{};
  std::size_t at = 0;
  six.on_receive = [&](Open& open, PNET_BUFFER_LIST list, ULONG, ULONG) {  // returned eight frames later
    if (PNET_BUFFER_LIST const old = std::exchange(kept[at++ % kept.size()], list)) {
      NdisReturnNetBufferLists(open.handle, old, 0);
    }
  };
  lookahead.on_receive = nullptr;
  lookahead.chars.ReceiveHandler = [](NDIS_HANDLE, NDIS_HANDLE, PVOID, UINT, PVOID, UINT, UINT) -> NDIS_STATUS {
    return NDIS_STATUS_SUCCESS;
  };
  lookahead.chars.ReceiveCompleteHandler = [](NDIS_HANDLE) {};
  packets.chars.ReceiveCompleteHandler = [](NDIS_HANDLE) {};
  ready(six);
  ready(packets);
  ready(lookahead);
  for (TestDriver* const driver :
       {static_cast<TestDriver*>(&six), static_cast<TestDriver*>(&packets), static_cast<TestDriver*>(&lookahead)}) {
    driver->set_filter(NDIS_PACKET_TYPE_BROADCAST);
  }
  const Bytes frame = frame_to(kBroadcast, 1000);
  EXPECT_EQ(TpNdisSetChecked(nullptr, nullptr), 0U);  // which keeps a history
  for (int i = 0; i < 100; ++i) {
    inject(eth0, frame);
  }
  const std::uint64_t before = ndis::testing::allocations;
  for (int i = 0; i < 1000; ++i) {
    inject(eth0, frame);
  }
  EXPECT_EQ(ndis::testing::allocations - before, 0U);
  for (PNET_BUFFER_LIST const list : kept) {
    NdisReturnNetBufferLists(six.opens[0]->handle, list, 0);
  }
}

}  // namespace
}  // namespace turnpike::ndis_faces
