// NDIS-043, NDIS-155: an adapter whose frames are bare IP packets.
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// P, which takes such a medium, is to be bound to t.
class NdisIp : public NdisTest {
 protected:
  NdisIp() {
    policy(TP_NDIS_BIND_LIST, "t");
    p_.media = {NdisMedium802_3, NdisMediumIP};
    p_.filter = 0;
  }
  void start() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  bool hears(const Bytes& packet) {
    adapter_.inject(packet);
    const std::vector<Received> got = p_.received();
    return got.size() == 1 && got[0].bytes == packet;
  }
  // No header of Ethernet, no least length: an IPv4 header and nothing else.
  const Bytes packet_{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  Adapter adapter_{"t", Adapter::Kind::kIp};
  Driver6 p_{"P"};
};

// clauses: NDIS-043
TEST_F(NdisIp, IsHeardBeforeAFilterIsSet) {
  start();
  EXPECT_EQ(at().medium_index, 1U);
  EXPECT_EQ(p_.number(at(), OID_GEN_MEDIA_IN_USE), std::uint32_t{NdisMediumIP});
  EXPECT_EQ(p_.number(at(), OID_GEN_CURRENT_PACKET_FILTER), 0U);
  EXPECT_TRUE(hears(packet_));
  p_.send(at(), packet_);
  quiesce();
  EXPECT_EQ(adapter_.sent(), std::vector<Bytes>{packet_});  // and not padded
  told();
}

// clauses: NDIS-155
TEST_F(NdisIp, IsHeardWhateverTheFilter) {
  start();
  for (const std::uint32_t filter : {std::uint32_t{NDIS_PACKET_TYPE_DIRECTED}, std::uint32_t{0},
                                     std::uint32_t{NDIS_PACKET_TYPE_PROMISCUOUS}, std::uint32_t{0}}) {
    EXPECT_EQ(p_.set_filter(at(), filter), NDIS_STATUS_SUCCESS);
    EXPECT_EQ(p_.number(at(), OID_GEN_CURRENT_PACKET_FILTER), filter);
    EXPECT_TRUE(hears(packet_)) << filter;
  }
}

// clauses: NDIS-043
TEST_F(NdisIp, IsNotOfferedToNdis5) {
  Driver5 q("Q");
  q.media = {NdisMedium802_3, NdisMediumIP};
  q.start();
  EXPECT_EQ(count(told(), "Q: bind t"), 0);
}

}  // namespace
}  // namespace turnpike::conformance
