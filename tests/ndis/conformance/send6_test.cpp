// NDIS-126 … NDIS-128: what of a net buffer list goes out.
#include <string>

#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

// P is bound to a.
class NdisSend6Lists : public NdisTest {
 protected:
  NdisSend6Lists() {
    p_.start();
    told();
  }
  Binding& at() { return p_.at(adapter_); }
  Adapter adapter_{"a"};
  Driver6 p_{"P"};
};

// clauses: NDIS-126
TEST_F(NdisSend6Lists, HaveTheirSourceCorrected_choice) {
  const Adapter other("b");
  quiesce();
  told();
  const PNET_BUFFER_LIST list = p_.list(frame(kPeer, "out"));
  list->SourceHandle = p_.at(other).handle;
  NdisSendNetBufferLists(at().handle, list, 0, 0);
  quiesce();
  EXPECT_EQ(violations(), Lines{"NdisSendNetBufferLists"});
  EXPECT_EQ(told(), Lines{"P: sent a out SUCCESS"});
  EXPECT_EQ(list->SourceHandle, at().handle);
  EXPECT_EQ(adapter_.sent_texts(), Lines{"out"});
  EXPECT_EQ(other.sent_texts(), Lines{});
}

// clauses: NDIS-127
TEST_F(NdisSend6Lists, AreSentFromTheStartOfTheUsedData) {
  const Bytes whole = frame(kPeer, "used data", 0x88b5, kStranger);
  constexpr std::size_t kPart = 40;
  // Three descriptors of kPart bytes; the frame begins somewhere in the first two and ends where it ends.
  for (const std::size_t start : {0U, 1U, 39U, 40U, 41U, 59U, 60U}) {
    Bytes room(3 * kPart, 0xdd);
    std::copy(whole.begin(), whole.end(), room.begin() + static_cast<std::ptrdiff_t>(start));
    std::vector<PMDL> chain;
    for (std::size_t part = 0; part < 3; ++part) {
      const auto from = room.begin() + static_cast<std::ptrdiff_t>(part * kPart);
      chain.push_back(p_.descriptor(Bytes(from, from + kPart)));
    }
    chain[0]->Next = chain[1];
    chain[1]->Next = chain[2];
    const PNET_BUFFER_LIST list = NdisAllocateNetBufferList(p_.list_pool(), 0, 0);
    ASSERT_NE(list, nullptr);
    const PNET_BUFFER buffer =
        NdisAllocateNetBuffer(p_.buffer_pool(), chain[0], static_cast<ULONG>(start), whole.size());
    ASSERT_NE(buffer, nullptr);
    NET_BUFFER_LIST_FIRST_NB(list) = buffer;
    p_.send_lists(at(), list);
    quiesce();
    EXPECT_EQ(adapter_.sent(), std::vector<Bytes>{whole}) << start;
    EXPECT_EQ(told(), Lines{"P: sent a used data SUCCESS"});
    EXPECT_EQ(NET_BUFFER_DATA_OFFSET(buffer), start);
    // A header that is taken off afterwards is not sent.
    NdisAdvanceNetBufferDataStart(buffer, 14, FALSE, nullptr);
    p_.send_lists(at(), list);
    quiesce();
    const std::vector<Bytes> rest = adapter_.sent();
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(Bytes(rest[0].begin(), rest[0].begin() + 46), Bytes(whole.begin() + 14, whole.end())) << start;
    NdisFreeNetBuffer(buffer);
    NET_BUFFER_LIST_FIRST_NB(list) = nullptr;
    NdisFreeNetBufferList(list);
    told();
  }
}

// clauses: NDIS-128
TEST_F(NdisSend6Lists, AreTaggedAsTheirInformationSays_choice) {
  const Bytes plain = frame(kPeer, "tagged");
  const auto sent_with = [&](UINT32 priority, UINT32 canonical, UINT32 id) {
    NDIS_NET_BUFFER_LIST_8021Q_INFO info{};
    info.TagHeader.UserPriority = priority & 7U;
    info.TagHeader.CanonicalFormatId = canonical & 1U;
    info.TagHeader.VlanId = id & 0xfffU;
    const PNET_BUFFER_LIST list = p_.list({plain, plain});
    NET_BUFFER_LIST_INFO(list, Ieee8021QNetBufferListInfo) = info.Value;
    p_.send_lists(at(), list);
    quiesce();
    EXPECT_EQ(p_.completions(list), 1);
    return adapter_.sent();
  };
  const auto tagged = [&](std::uint8_t high, std::uint8_t low) {
    Bytes bytes = plain;
    const Bytes tag{0x81, 0x00, high, low};
    bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
    return std::vector<Bytes>{bytes, bytes};
  };
  EXPECT_EQ(sent_with(0, 0, 0), (std::vector<Bytes>{plain, plain}));
  EXPECT_EQ(sent_with(0, 0, 1), tagged(0x00, 0x01));
  EXPECT_EQ(sent_with(5, 0, 0x123), tagged(0xa1, 0x23));
  EXPECT_EQ(sent_with(7, 1, 0xfff), tagged(0xff, 0xff));
  EXPECT_EQ(sent_with(3, 0, 0), tagged(0x60, 0x00));  // a priority alone
  told();
}

}  // namespace
}  // namespace turnpike::conformance
