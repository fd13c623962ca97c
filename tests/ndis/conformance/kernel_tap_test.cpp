// Drivers at the far end of TUN and TAP interfaces: a station of their own beside the host. And NDIS-043, NDIS-155 on a
// real interface without Ethernet, whichever way it is opened.
#include <gmock/gmock.h>
#include <net/if.h>

#include <algorithm>
#include <optional>
#include <string>

#include "ground/ground.h"
#include "ndis_drivers.h"

namespace turnpike::conformance {
namespace {

using ground::Ground;
using ground::Host;

constexpr std::uint32_t kHostAddress = 0x0a000001;
constexpr std::uint32_t kOurAddress = 0x0a000002;

void bind_to(const char* list) {
  TP_NDIS_POLICY wanted{};
  wanted.size = sizeof wanted;
  wanted.bind = TP_NDIS_BIND_LIST;
  wanted.list = list;
  EXPECT_EQ(TpNdisSetBindPolicy(nullptr, &wanted), NO_ERROR);
}

// The library in a host, with everything as it was when this ends.
class InHost {
 public:
  explicit InHost(const Host& host) {
    host.inside([this] { library_.emplace(TP_NDIS_ADAPTERS_KERNEL); });
  }
  InHost(const InHost&) = delete;
  InHost& operator=(const InHost&) = delete;
  ~InHost() {
    EXPECT_EQ(TpNdisUseTap(nullptr), NO_ERROR);
    TpNdisUseXdp(nullptr, 0);
  }

 private:
  std::optional<Library> library_;
};

std::uint32_t add(const char* name, std::uint32_t kind) {
  std::uint32_t index = 0;
  EXPECT_EQ(TpNdisAddTap(name, kind, &index), NO_ERROR);
  return index;
}

void up(const Host& host, const std::string& link) {
  host.ip({"addr add 10.0.0.1/24 dev " + link, "link set " + link + " up"});
  host.await_running(link);
}

bool is_echo_request(const Bytes& bytes, std::size_t at) {
  return bytes.size() >= at + 28 && bytes[at] == 0x45 && bytes[at + 9] == 1 && bytes[at + 20] == 8;
}

// Makes its answer of an echo request whose IPv4 header is at `at`.
void turn_round(Bytes& packet, std::size_t at) {
  const auto begin = packet.begin() + static_cast<std::ptrdiff_t>(at);
  std::swap_ranges(begin + 12, begin + 16, begin + 16);
  packet[at + 20] = packet[at + 22] = packet[at + 23] = 0;
  const std::uint16_t sum = ground::internet_checksum(std::span(packet).subspan(at + 20));
  packet[at + 22] = static_cast<std::uint8_t>(sum >> 8);
  packet[at + 23] = static_cast<std::uint8_t>(sum);
}

// What the station 10.0.0.2 says to a frame: where it is, or an echo.
std::optional<Bytes> answer_of(Bytes frame, const Bytes& mac) {
  if (frame.size() < 42 || frame[12] != 8) {
    return std::nullopt;
  }
  if (frame[13] == 6 && frame[21] == 1 && frame[41] == 2) {
    frame[21] = 2;
    std::swap_ranges(frame.begin() + 22, frame.begin() + 32, frame.begin() + 32);
    std::copy(mac.begin(), mac.end(), frame.begin() + 22);
  } else if (frame[13] == 0 && is_echo_request(frame, 14)) {
    turn_round(frame, 14);
  } else {
    return std::nullopt;
  }
  std::copy_n(frame.begin() + 6, 6, frame.begin());
  std::copy(mac.begin(), mac.end(), frame.begin() + 6);
  return frame;
}

class NdisTap : public testing::TestWithParam<int> {
 protected:
  static std::unique_ptr<Driver> driver(const std::string& name) {
    if (GetParam() == 6) {
      return std::make_unique<Driver6>(name);
    }
    return std::make_unique<Driver5>(name);
  }
};
NDIS_BOTH(NdisTap);

// The host's own stack finds the station, and hears it.
TEST_P(NdisTap, ADriverIsAStationBesideTheHost) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) {
    return;
  }
  const Host& host = ground->host("host");
  const InHost library(host);
  bind_to("tap0");
  const auto p = driver("P");
  p->filter = 0;
  p->start();
  add("tap0", TP_NDIS_TAP);
  ASSERT_TRUE(comes("P: bind tap0"));
  if (GetParam() == 6) {
    ASSERT_TRUE(comes("P: restart tap0"));
  }
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  const Bytes mac = p->query(p->last(), OID_802_3_CURRENT_ADDRESS, 6).bytes;
  p->on_frame = [&](Binding& binding) {
    for (const Received& each : p->received()) {
      EXPECT_EQ(each.looped, std::equal(mac.begin(), mac.end(), each.bytes.begin() + 6))
          << "the host is not at this end";
      if (const auto answer = answer_of(each.bytes, mac)) {
        p->send(binding, *answer);
      }
    }
  };
  EXPECT_EQ(p->set_filter(p->last(), NDIS_PACKET_TYPE_ALL_LOCAL), NDIS_STATUS_SUCCESS);
  up(host, "tap0");
  ASSERT_TRUE(comes(GetParam() == 6 ? "P: status tap0 LINK_STATE" : "P: status tap0 MEDIA_CONNECT"));
  EXPECT_TRUE(host.ping("10.0.0.2"));
  p->deregister();
  told();
}

TEST_P(NdisTap, GoesWhenItIsRemovedAndWhenNdisStops) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) {
    return;
  }
  const Host& host = ground->host("host");
  const auto is_there = [&](const char* name) { return host.inside([&] { return ::if_nametoindex(name) != 0; }); };
  {
    const InHost library(host);
    const auto p = driver("P");
    p->start();
    const std::uint32_t index = add("tap%d", TP_NDIS_TAP);
    add("tap1", TP_NDIS_TAP);
    ASSERT_TRUE(comes("P: bind tap0"));
    ASSERT_TRUE(comes("P: bind tap1"));
    std::uint32_t same = 7;
    EXPECT_EQ(TpNdisAddTap("tap1", TP_NDIS_TUN, &same), std::uint32_t{ERROR_ALREADY_EXISTS});
    EXPECT_EQ(TpNdisAddTap("a/b", TP_NDIS_TUN, &same), std::uint32_t{ERROR_INVALID_PARAMETER});
    EXPECT_EQ(same, 7U);
    EXPECT_EQ(TpNdisRemoveTap(host.inside([] { return ::if_nametoindex("lo"); })), std::uint32_t{ERROR_NOT_FOUND});
    EXPECT_EQ(TpNdisRemoveTap(index), NO_ERROR);
    ASSERT_TRUE(comes("P: unbind tap0"));
    EXPECT_FALSE(is_there("tap0"));
    EXPECT_EQ(TpNdisRemoveTap(index), std::uint32_t{ERROR_NOT_FOUND});
    EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
    EXPECT_EQ(counters().bindings, 1U);
    p->deregister();
    EXPECT_TRUE(is_there("tap1"));
    told();
  }
  EXPECT_FALSE(is_there("tap1"));
}

// Somebody else's interface, first beside the host's stack, then at its far end: another station, so bound anew.
TEST_P(NdisTap, TheFarEndIsAnotherStationThanTheNearOne) {
  auto ground = Ground::unprivileged({"tap"});
  if (!ground) {
    return;
  }
  const Host& host = ground->host("host");
  host.ip({"tuntap add tap0 mode tap"});
  const InHost library(host);
  const auto p = driver("P");
  p->start();
  ASSERT_TRUE(comes("P: bind tap0"));
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  Bytes mac = p->query(p->last(), OID_802_3_CURRENT_ADDRESS, 6).bytes;
  EXPECT_EQ(TpNdisUseTap("tap*"), NO_ERROR);
  ASSERT_TRUE(comes("P: unbind tap0"));
  ASSERT_TRUE(comes("P: bind tap0", 2));
  if (GetParam() == 6) {
    ASSERT_TRUE(comes("P: restart tap0", 2));
  }
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  mac[0] = static_cast<std::uint8_t>((mac[0] | 2) ^ 4);
  EXPECT_EQ(p->query(p->last(), OID_802_3_CURRENT_ADDRESS, 6).bytes, mac);
  EXPECT_EQ(p->query(p->last(), OID_802_3_PERMANENT_ADDRESS, 6).bytes, mac);
  p->deregister();
  told();
}

TEST_P(NdisTap, IsNotBoundWhereSomebodyIsOrWhereThereIsNoFarEnd) {
  auto ground = Ground::unprivileged({"tap", "veth"});
  if (!ground) {
    return;
  }
  const Host& host = ground->host("host");
  const auto holder = host.tap("tap0");
  host.ip({"link add veth0 type veth peer name veth1"});
  const InHost library(host);
  EXPECT_EQ(TpNdisUseTap("tap0,veth0"), NO_ERROR);
  const auto p = driver("P");
  std::vector<NDIS_STATUS> opened;
  p->on_bind = [&](Binding& binding) {
    opened.push_back(p->open_and_wait(binding));
    return opened.back();
  };
  bind_to("tap0,veth0");
  p->start();
  EXPECT_EQ(counters().bindings, 0U);
  p->deregister();
  // Each once, and again whenever there is news of the interface.
  EXPECT_THAT(opened, testing::SizeIs(testing::Ge(2U)));
  EXPECT_THAT(opened, testing::Each(GetParam() == 5 ? NDIS_STATUS_OPEN_FAILED : NDIS_STATUS_FAILURE));
  told();
}

// --- bare IP packets -------------------------------------------------------------------------------------------------

// Opened beside the host's stack, while the test is at the far end; or at the far end, while the test is the host.
enum class Opened { kPacket, kTap, kMade };

class NdisTun : public testing::TestWithParam<Opened> {};
std::string way_name(const testing::TestParamInfo<Opened>& info) {
  return info.param == Opened::kPacket ? "packet" : info.param == Opened::kTap ? "tap" : "made";
}
INSTANTIATE_TEST_SUITE_P(By, NdisTun, testing::Values(Opened::kPacket, Opened::kTap, Opened::kMade), way_name);

// clauses: NDIS-043 NDIS-155
TEST_P(NdisTun, IsHeardWhateverTheFilterAndByNdis6Alone) {
  auto ground = Ground::unprivileged({"tun"});
  if (!ground) {
    return;
  }
  const Host& host = ground->host("host");
  std::optional<ground::Tunnel> far_end;
  if (GetParam() == Opened::kPacket) {
    far_end.emplace(host.tun("tun0"));
  } else if (GetParam() == Opened::kTap) {
    host.ip({"tuntap add tun0 mode tun"});
    EXPECT_EQ(TpNdisUseTap("tun0"), NO_ERROR);
  }
  const InHost library(host);
  bind_to("tun0");
  if (GetParam() == Opened::kMade) {
    add("tun0", TP_NDIS_TUN);
  }
  Driver5 q("Q");
  Driver6 p("P");
  p.media = q.media = {NdisMedium802_3, NdisMediumIP};
  p.filter = 0;
  q.start();
  p.start();
  ASSERT_TRUE(comes("P: restart tun0"));
  EXPECT_EQ(p.last().medium_index, 1U);
  up(host, "tun0");
  const auto arrive = [&](const Bytes& packet) {
    if (far_end) {
      far_end->write(packet);
    } else {
      host.inject("tun0", packet);
    }
  };
  std::uint16_t sequence = 0;
  for (const std::uint32_t filter : {0U, std::uint32_t{NDIS_PACKET_TYPE_DIRECTED}, 0U}) {
    EXPECT_EQ(p.set_filter(p.last(), filter), NDIS_STATUS_SUCCESS);
    const Bytes packet = ground::echo_request(0xc0000201, kOurAddress, ++sequence);
    const auto heard = [&] {
      const auto all = p.received();
      return std::ranges::any_of(all, [&](const Received& each) { return each.bytes == packet && !each.looped; });
    };
    arrive(packet);
    EXPECT_TRUE(eventually(heard)) << filter;
  }
  EXPECT_TRUE(p.gets_connected(p.last()));
  auto capture = host.capture("tun0");
  const Bytes out = ground::echo_request(kOurAddress, kHostAddress, ++sequence);
  p.send(p.last(), out);
  if (far_end) {
    EXPECT_TRUE(far_end->await([&](const Bytes& packet) { return packet == out; }));
  } else {
    EXPECT_TRUE(capture.await([&](const ground::Frame& seen) { return seen.bytes == out && !seen.outgoing; }));
  }
  EXPECT_EQ(TpNdisQuiesce(), NO_ERROR);
  EXPECT_EQ(count(told(), "Q: bind tun0"), 0);
}

// clauses: NDIS-043
TEST(NdisTunOverXdp, IsRefused) {
  auto ground = Ground::unprivileged({"tun"});
  if (!ground) {
    return;
  }
  const Host& host = ground->host("host");
  const auto far_end = host.tun("tun0");
  if (TpNdisUseXdp("tun0", TP_NDIS_XDP_TAKE_ALL) == ERROR_NOT_SUPPORTED) {
    return;  // as it was built: nobody can ask for it
  }
  const InHost library(host);
  bind_to("tun0");
  Driver6 p("P");
  p.media = {NdisMediumIP};
  NDIS_STATUS opened = NDIS_STATUS_SUCCESS;
  p.on_bind = [&](Binding& binding) { return opened = p.open_and_wait(binding); };
  p.start();
  EXPECT_EQ(opened, NDIS_STATUS_FAILURE);
  EXPECT_EQ(counters().bindings, 0U);
  told();
}

}  // namespace
}  // namespace turnpike::conformance
