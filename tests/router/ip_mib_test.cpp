// The IP router manager's own variables of the MIB, over a host whose links, addresses and routes are known.
#include "router/ip_mib.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <iprtrmib.h>
#include <net/if.h>
#include <rtm.h>
#include <winerror.h>

#include <cstring>
#include <string>
#include <vector>

#include "ground/ground.h"

namespace turnpike::router {
namespace {

using ground::Ground;
using ground::Host;
using Words = std::vector<DWORD>;

DWORD network(const char* text) { return ::inet_addr(text); }
std::string text_of(DWORD address) {
  const in_addr here{address};
  return ::inet_ntoa(here);
}

struct Answer {
  DWORD code = 0;
  std::vector<std::byte> bytes;

  template <class Value>
  Value as() const {
    Value value{};
    std::memcpy(&value, bytes.data() + MAX_MIB_OFFSET, sizeof value);
    return value;
  }
  [[nodiscard]] DWORD id() const {
    DWORD number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
};

// As an administrator does: asks how much it will be, then for it.
Answer ask(MibCall call, Words query) {
  DWORD size = 0;
  const auto in_size = static_cast<DWORD>(query.size() * sizeof(DWORD));
  Answer answer{read_ip_variable({call, in_size, query.data(), &size, nullptr}), {}};
  if (answer.code != ERROR_INSUFFICIENT_BUFFER) return answer;
  answer.bytes.resize(size);
  answer.code = read_ip_variable({call, in_size, query.data(), &size, answer.bytes.data()});
  EXPECT_EQ(size, answer.bytes.size());
  EXPECT_EQ(answer.id(), query[0]);
  return answer;
}

// From the first to the last, by the index that `index_of` finds in a row.
template <class Row, class IndexOf>
std::vector<Row> walk(DWORD variable, IndexOf index_of) {
  std::vector<Row> rows;
  Answer answer = ask(MibCall::kGetFirst, {variable});
  while (answer.code == NO_ERROR && rows.size() < 100) {
    rows.push_back(answer.as<Row>());
    const Words index = index_of(rows.back());
    Words query = index;
    query.insert(query.begin(), variable);
    const Answer again = ask(MibCall::kGet, query);  // the same row, though its counters may have gone on
    EXPECT_EQ(again.bytes.size(), answer.bytes.size());
    EXPECT_EQ(Words(index_of(again.as<Row>())), index);
    answer = ask(MibCall::kGetNext, query);
  }
  EXPECT_EQ(answer.code, DWORD{ERROR_NO_MORE_ITEMS});
  return rows;
}

std::string text_of(const MIB_IPFORWARDROW& row) {
  return text_of(row.dwForwardDest) + "/" + std::to_string(__builtin_popcount(row.dwForwardMask)) + " by " +
         std::to_string(row.dwForwardProto) + " via " + text_of(row.dwForwardNextHop);
}

// Two links, two addresses, and what comes of them; loopback beside.
template <class Work>
void on_a_known_host(Work&& work) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {"192.0.2.1/24"}}, {right, "eth0", {"192.0.2.2/24"}});
  ground->wire({left, "eth1", {"10.0.0.1/8"}}, {right, "eth1", {"10.0.0.2/8"}});
  left.ip({"route add 198.51.100.0/24 via 192.0.2.2"});
  left.inside(work);
}

// clauses: RP-055 MPR-013
TEST(IpMib, ShowsEveryInterface) {
  on_a_known_host([] {
    const auto rows = walk<MIB_IFROW>(IF_ROW, [](const MIB_IFROW& row) { return Words{row.dwIndex}; });
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_TRUE(rows[0].dwIndex < rows[1].dwIndex && rows[1].dwIndex < rows[2].dwIndex);
    EXPECT_EQ(std::wstring(rows[0].wszName), L"lo");
    EXPECT_EQ(ask(MibCall::kGet, {IF_NUMBER}).as<MIB_IFNUMBER>().dwValue, 3U);
    const Answer table = ask(MibCall::kGet, {IF_TABLE});
    EXPECT_EQ(table.bytes.size(), MAX_MIB_OFFSET + offsetof(MIB_IFTABLE, table) + 3 * sizeof(MIB_IFROW));
    EXPECT_EQ(table.as<DWORD>(), 3U);
    EXPECT_EQ(ask(MibCall::kGetFirst, {IF_TABLE}).bytes.size(), table.bytes.size());
    EXPECT_EQ(ask(MibCall::kGetNext, {IF_TABLE}).code, DWORD{ERROR_NO_MORE_ITEMS});
    EXPECT_EQ(ask(MibCall::kGet, {IF_ROW, 4711}).code, DWORD{ERROR_NOT_FOUND});
  });
}

// In the order of the addresses as numbers, which is not that of their bytes here.
TEST(IpMib, ShowsEveryAddress) {
  on_a_known_host([] {
    const auto rows = walk<MIB_IPADDRROW>(IP_ADDRROW, [](const MIB_IPADDRROW& row) { return Words{row.dwAddr}; });
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(text_of(rows[0].dwAddr), "10.0.0.1");
    EXPECT_EQ(text_of(rows[1].dwAddr), "127.0.0.1");
    EXPECT_EQ(text_of(rows[2].dwAddr), "192.0.2.1");
    EXPECT_EQ(text_of(rows[2].dwMask), "255.255.255.0");
    EXPECT_EQ(rows[2].dwIndex, if_nametoindex("eth0"));
    EXPECT_EQ(ask(MibCall::kGet, {IP_ADDRTABLE}).as<DWORD>(), 3U);
    EXPECT_EQ(ask(MibCall::kGet, {IP_ADDRROW, network("10.0.0.9")}).code, DWORD{ERROR_NOT_FOUND});
  });
}

TEST(IpMib, ShowsEveryRoute) {
  on_a_known_host([] {
    const auto rows = walk<MIB_IPFORWARDROW>(IP_FORWARDROW, [](const MIB_IPFORWARDROW& row) {
      return Words{row.dwForwardDest, row.dwForwardProto, row.dwForwardPolicy, row.dwForwardNextHop};
    });
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(text_of(rows[0]), "10.0.0.0/8 by 2 via 10.0.0.1");
    EXPECT_EQ(text_of(rows[1]), "192.0.2.0/24 by 2 via 192.0.2.1");
    EXPECT_EQ(text_of(rows[2]), "198.51.100.0/24 by 3 via 192.0.2.2");
    EXPECT_EQ(ask(MibCall::kGet, {IP_FORWARDNUMBER}).as<MIB_IPFORWARDNUMBER>().dwValue, 3U);
    EXPECT_EQ(ask(MibCall::kGet, {IP_FORWARDTABLE}).as<DWORD>(), 3U);
  });
}

// What the kernel has as somebody's is a protocol's in the routing table.
TEST(IpMib, NamesTheProtocolThatOwnsARoute) {
  on_a_known_host([] {
    HANDLE rip = RtmRegisterClient(RTM_PROTOCOL_FAMILY_IP, PROTO_IP_RIP, nullptr, 0);
    ASSERT_NE(rip, nullptr);
    RTM_IP_ROUTE route{};
    route.RR_Network = {network("198.51.100.0"), network("255.255.255.0")};
    route.RR_InterfaceID = if_nametoindex("eth0");
    route.RR_NextHopAddress = {network("192.0.2.2"), network("255.255.255.255")};
    route.RR_FamilySpecificData.FSD_Metric = 7;
    route.RR_FamilySpecificData.FSD_Type = 4;
    DWORD flags = 0;
    ASSERT_EQ(RtmAddRoute(rip, &route, INFINITE, &flags, nullptr, nullptr), DWORD{NO_ERROR});
    const auto best = ask(MibCall::kGet, {BEST_ROUTE, network("198.51.100.9")}).as<MIB_IPFORWARDROW>();
    EXPECT_EQ(text_of(best), "198.51.100.0/24 by 8 via 192.0.2.2");
    EXPECT_EQ(best.dwForwardMetric1, 7U);
    EXPECT_EQ(RtmDeregisterClient(rip), DWORD{NO_ERROR});
  });
}

TEST(IpMib, SaysWhichWayAPacketGoes) {
  on_a_known_host([] {
    const auto way = ask(MibCall::kGet, {BEST_IF, network("198.51.100.9")}).as<MIB_BEST_IF>();
    EXPECT_EQ(text_of(way.dwDestAddr), "198.51.100.9");
    EXPECT_EQ(way.dwIfIndex, if_nametoindex("eth0"));
    const auto from = ask(MibCall::kGet, {BEST_ROUTE, network("10.9.9.9"), network("10.0.0.1")});
    EXPECT_EQ(text_of(from.as<MIB_IPFORWARDROW>()), "10.0.0.0/8 by 2 via 10.0.0.1");
    EXPECT_EQ(ask(MibCall::kGet, {BEST_IF, network("203.0.113.1")}).code, DWORD{ERROR_NOT_FOUND});
    EXPECT_EQ(ask(MibCall::kGetFirst, {BEST_IF}).code, DWORD{ERROR_NOT_SUPPORTED});
  });
}

TEST(IpMib, RefusesWhatIsShorterThanItsIndex) {
  for (const DWORD variable : {IF_ROW, IP_ADDRROW, IP_FORWARDROW, BEST_IF, BEST_ROUTE}) {
    EXPECT_EQ(ask(MibCall::kGet, {variable}).code, DWORD{ERROR_INVALID_PARAMETER}) << variable;
  }
  EXPECT_EQ(ask(MibCall::kGetNext, {IP_FORWARDROW, 1, 2, 3}).code, DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(ask(MibCall::kGet, {TCP_TABLE}).code, DWORD{ERROR_NOT_SUPPORTED});
  DWORD query = IF_NUMBER;
  EXPECT_EQ(read_ip_variable({MibCall::kGet, sizeof query, &query, nullptr, nullptr}), DWORD{ERROR_INVALID_PARAMETER});
}

}  // namespace
}  // namespace turnpike::router
