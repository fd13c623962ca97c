// The tables of the host, read on a test ground: what iproute2 set is what they show; and the sizes that they ask for.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <iphlpapi.h>
#include <net/if.h>
#include <netinet/in.h>
#include <windows.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ground/ground.h"

namespace turnpike::win32 {
namespace {

using ground::Ground;
using ground::Host;

DWORD address(const char* text) { return inet_addr(text); }

std::string text(DWORD network_order) {
  in_addr form{};
  form.s_addr = network_order;
  return inet_ntoa(form);
}

// Asks for the size, then for the table, as clients do.
template <class Table, class Get>
const Table* table(Get get, std::vector<std::max_align_t>& memory, DWORD too_small = ERROR_INSUFFICIENT_BUFFER) {
  ULONG size = 0;
  EXPECT_EQ(get(nullptr, &size), too_small);
  memory.assign(size / sizeof(std::max_align_t) + 1, {});
  auto* const out = reinterpret_cast<Table*>(memory.data());
  ULONG less = size - 1;
  EXPECT_EQ(get(out, &less), too_small);
  EXPECT_EQ(less, size);
  EXPECT_EQ(get(out, &size), DWORD{NO_ERROR});
  return out;
}

// A router with two wires, two addresses on one of them, static routes, and a link that is down.
struct Router {
  explicit Router(Ground& on) : ground(on), host(on.host("router")) {
    ground.wire({host, "eth0", {"10.0.0.1/24", "10.0.0.9/24"}}, {ground.host("a"), "eth0", {"10.0.0.2/24"}});
    ground.wire({host, "eth1", {"192.0.2.1/30", "fd00::1/64"}},
                {ground.host("b"), "eth0", {"192.0.2.2/30", "fd00::2/64"}});
    host.ip({"link set eth0 alias uplink", "link add down0 type veth peer name down1",
             "route add default via 10.0.0.2 metric 7", "route add 198.51.100.0/24 via 192.0.2.2 proto static",
             "route add 203.0.113.0/24 nexthop via 10.0.0.2 nexthop via 192.0.2.2", "route add blackhole 10.99.0.0/16",
             "route add 10.88.0.0/16 via 192.0.2.2 table 88"});
  }

  DWORD index(const char* name) const {
    return host.inside([&] { return if_nametoindex(name); });
  }

  Ground& ground;
  Host& host;
};

TEST(IfTable, ShowsEveryLink) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.inside([&] {
    std::vector<std::max_align_t> memory;
    const auto* const found =
        table<MIB_IFTABLE>([](PMIB_IFTABLE out, PULONG size) { return GetIfTable(out, size, TRUE); }, memory);
    std::map<std::wstring, const MIB_IFROW*> rows;
    for (DWORD i = 0; i < found->dwNumEntries; ++i) {
      rows[found->table[i].wszName] = &found->table[i];
      EXPECT_TRUE(i == 0 || found->table[i - 1].dwIndex < found->table[i].dwIndex);
    }
    DWORD count = 0;
    EXPECT_EQ(GetNumberOfInterfaces(&count), DWORD{NO_ERROR});
    EXPECT_EQ(count, found->dwNumEntries);
    ASSERT_EQ(rows.size(), 5U);

    const MIB_IFROW& eth0 = *rows.at(L"eth0");
    EXPECT_EQ(eth0.dwIndex, if_nametoindex("eth0"));
    EXPECT_EQ(eth0.dwType, DWORD{IF_TYPE_ETHERNET_CSMACD});
    EXPECT_EQ(eth0.dwMtu, 1500U);
    EXPECT_EQ(eth0.dwSpeed, 0xFFFFFFFFU) << "10 Gbit/s do not fit";
    EXPECT_EQ(eth0.dwPhysAddrLen, 6U);
    EXPECT_EQ(eth0.bPhysAddr[0], 0x02);
    EXPECT_EQ(eth0.dwAdminStatus, DWORD{MIB_IF_ADMIN_STATUS_UP});
    EXPECT_EQ(eth0.dwOperStatus, DWORD{MIB_IF_OPER_STATUS_OPERATIONAL});
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(eth0.bDescr), eth0.dwDescrLen), "uplink");
    EXPECT_EQ(rows.at(L"lo")->dwType, DWORD{IF_TYPE_SOFTWARE_LOOPBACK});
    EXPECT_EQ(rows.at(L"lo")->dwOperStatus, DWORD{MIB_IF_OPER_STATUS_OPERATIONAL});
    EXPECT_EQ(rows.at(L"down0")->dwAdminStatus, DWORD{MIB_IF_ADMIN_STATUS_DOWN});
    EXPECT_EQ(rows.at(L"down0")->dwOperStatus, DWORD{MIB_IF_OPER_STATUS_NON_OPERATIONAL});
  });
}

TEST(IfTable, CountsWhatPasses) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  const auto row = [&] {
    MIB_IFROW out{};
    out.dwIndex = router.index("eth0");
    EXPECT_EQ(router.host.inside([&] { return GetIfEntry(&out); }), DWORD{NO_ERROR});
    return out;
  };
  const MIB_IFROW before = row();
  EXPECT_TRUE(router.host.ping("10.0.0.2"));
  const MIB_IFROW after = row();
  EXPECT_GE(after.dwOutUcastPkts, before.dwOutUcastPkts + 1);
  EXPECT_GE(after.dwInUcastPkts, before.dwInUcastPkts + 1);
  EXPECT_GT(after.dwInOctets, before.dwInOctets);
}

TEST(IfTable, ALinkWithoutCarrierIsDisconnected) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  ground->host("a").ip({"link set eth0 down"});
  router.host.inside([&] {
    MIB_IFROW row{};
    row.dwIndex = if_nametoindex("eth0");
    EXPECT_EQ(GetIfEntry(&row), DWORD{NO_ERROR});
    EXPECT_EQ(row.dwAdminStatus, DWORD{MIB_IF_ADMIN_STATUS_UP});
    EXPECT_EQ(row.dwOperStatus, DWORD{MIB_IF_OPER_STATUS_DISCONNECTED});
  });
}

TEST(GetIfEntry, BadInput) {
  MIB_IFROW row{};
  row.dwMtu = 7;
  EXPECT_EQ(GetIfEntry(nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(GetIfEntry(&row), DWORD{ERROR_INVALID_DATA});
  row.dwIndex = 0x7FFFFFFF;
  EXPECT_EQ(GetIfEntry(&row), DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(row.dwMtu, 7U);
}

TEST(InterfaceInfo, LeavesLoopbackOut) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.inside([&] {
    std::vector<std::max_align_t> memory;
    const auto* const found = table<IP_INTERFACE_INFO>(GetInterfaceInfo, memory);
    std::set<std::wstring> names;
    for (LONG i = 0; i < found->NumAdapters; ++i) {
      names.insert(found->Adapter[i].Name);
      char name[IF_NAMESIZE];
      EXPECT_EQ(std::string(if_indextoname(found->Adapter[i].Index, name)),
                std::string(found->Adapter[i].Name, found->Adapter[i].Name + wcslen(found->Adapter[i].Name)));
    }
    EXPECT_EQ(names, (std::set<std::wstring>{L"eth0", L"eth1", L"down0", L"down1"}));
  });
  ground->host("lonely").inside([] {
    ULONG size = 0;
    EXPECT_EQ(GetInterfaceInfo(nullptr, &size), DWORD{ERROR_NO_DATA});
    EXPECT_EQ(GetAdaptersInfo(nullptr, &size), DWORD{ERROR_NO_DATA});
    EXPECT_EQ(GetIpForwardTable(nullptr, &size, FALSE), DWORD{ERROR_NO_DATA});
  });
}

TEST(AdaptersInfo, ListsAddressesAndGateways) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.ip({"addr add 10.0.1.5/25 dev eth1 valid_lft 600 preferred_lft 600"});
  router.host.inside([&] {
    std::vector<std::max_align_t> memory;
    std::map<std::string, const IP_ADAPTER_INFO*> found;
    for (const auto* at = table<IP_ADAPTER_INFO>(GetAdaptersInfo, memory, ERROR_BUFFER_OVERFLOW); at != nullptr;
         at = at->Next) {
      found[at->AdapterName] = at;
    }
    ASSERT_EQ(found.size(), 4U);
    const IP_ADAPTER_INFO& eth0 = *found.at("eth0");
    EXPECT_STREQ(eth0.Description, "uplink");
    EXPECT_EQ(eth0.AddressLength, 6U);
    EXPECT_EQ(eth0.Index, if_nametoindex("eth0"));
    EXPECT_EQ(eth0.Type, UINT{MIB_IF_TYPE_ETHERNET});
    EXPECT_EQ(eth0.DhcpEnabled, 0U);
    EXPECT_STREQ(eth0.IpAddressList.IpAddress.String, "10.0.0.1");
    EXPECT_STREQ(eth0.IpAddressList.IpMask.String, "255.255.255.0");
    ASSERT_NE(eth0.IpAddressList.Next, nullptr);
    EXPECT_STREQ(eth0.IpAddressList.Next->IpAddress.String, "10.0.0.9");
    EXPECT_EQ(eth0.IpAddressList.Next->Next, nullptr);
    EXPECT_STREQ(eth0.GatewayList.IpAddress.String, "10.0.0.2");
    const IP_ADAPTER_INFO& eth1 = *found.at("eth1");
    EXPECT_EQ(eth1.DhcpEnabled, 1U);
    EXPECT_STREQ(eth1.GatewayList.IpAddress.String, "0.0.0.0");
    EXPECT_STREQ(found.at("down0")->IpAddressList.IpAddress.String, "0.0.0.0");
    EXPECT_STREQ(found.at("down0")->IpAddressList.IpMask.String, "0.0.0.0");
  });
}

TEST(IpAddrTable, ShowsEveryAddress) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.inside([&] {
    std::vector<std::max_align_t> memory;
    const auto* const found = table<MIB_IPADDRTABLE>(
        [](PMIB_IPADDRTABLE out, PULONG size) { return GetIpAddrTable(out, size, TRUE); }, memory);
    std::vector<std::string> rows;
    for (DWORD i = 0; i < found->dwNumEntries; ++i) {
      const MIB_IPADDRROW& row = found->table[i];
      char name[IF_NAMESIZE];
      rows.push_back(text(row.dwAddr) + " " + text(row.dwMask) + " " + if_indextoname(row.dwIndex, name) + " " +
                     std::to_string(row.wType));
      EXPECT_EQ(row.dwBCastAddr, 1U);
    }
    EXPECT_EQ(rows, (std::vector<std::string>{"10.0.0.1 255.255.255.0 eth0 1", "10.0.0.9 255.255.255.0 eth0 0",
                                              "127.0.0.1 255.0.0.0 lo 1", "192.0.2.1 255.255.255.252 eth1 1"}));
  });
}

std::string line(const MIB_IPFORWARDROW& row) {
  char name[IF_NAMESIZE] = "?";
  if_indextoname(row.dwForwardIfIndex, name);
  return text(row.dwForwardDest) + "/" + text(row.dwForwardMask) + " via " + text(row.dwForwardNextHop) + " " + name +
         " type " + std::to_string(row.dwForwardType) + " proto " + std::to_string(row.dwForwardProto) + " metric " +
         std::to_string(row.dwForwardMetric1);
}

TEST(IpForwardTable, ShowsTheUnicastRoutesOfTheMainTable) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.inside([&] {
    std::vector<std::max_align_t> memory;
    const auto* const found = table<MIB_IPFORWARDTABLE>(
        [](PMIB_IPFORWARDTABLE out, PULONG size) { return GetIpForwardTable(out, size, TRUE); }, memory);
    std::vector<std::string> rows;
    for (DWORD i = 0; i < found->dwNumEntries; ++i) rows.push_back(line(found->table[i]));
    EXPECT_EQ(rows, (std::vector<std::string>{"0.0.0.0/0.0.0.0 via 10.0.0.2 eth0 type 4 proto 3 metric 7",
                                              "10.0.0.0/255.255.255.0 via 10.0.0.1 eth0 type 3 proto 2 metric 0",
                                              "192.0.2.0/255.255.255.252 via 192.0.2.1 eth1 type 3 proto 2 metric 0",
                                              "198.51.100.0/255.255.255.0 via 192.0.2.2 eth1 type 4 proto 3 metric 0",
                                              "203.0.113.0/255.255.255.0 via 10.0.0.2 eth0 type 4 proto 3 metric 0",
                                              "203.0.113.0/255.255.255.0 via 192.0.2.2 eth1 type 4 proto 3 metric 0"}));
    EXPECT_EQ(found->table[0].dwForwardMetric2, MIB_IPROUTE_METRIC_UNUSED);
  });
}

TEST(BestRoute, IsTheOneThatTheKernelTakes) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.inside([&] {
    MIB_IPFORWARDROW row{};
    EXPECT_EQ(GetBestRoute(address("198.51.100.7"), 0, &row), DWORD{NO_ERROR});
    EXPECT_EQ(line(row), "198.51.100.0/255.255.255.0 via 192.0.2.2 eth1 type 4 proto 3 metric 0");
    EXPECT_EQ(GetBestRoute(address("8.8.8.8"), address("10.0.0.9"), &row), DWORD{NO_ERROR});
    EXPECT_EQ(line(row), "0.0.0.0/0.0.0.0 via 10.0.0.2 eth0 type 4 proto 3 metric 7");
    EXPECT_EQ(GetBestRoute(address("192.0.2.2"), 0, &row), DWORD{NO_ERROR});
    EXPECT_EQ(line(row), "192.0.2.0/255.255.255.252 via 192.0.2.1 eth1 type 3 proto 2 metric 0");
    EXPECT_EQ(GetBestRoute(address("203.0.113.1"), 0, &row), DWORD{NO_ERROR});
    EXPECT_EQ(text(row.dwForwardDest), "203.0.113.0");

    DWORD index = 0;
    EXPECT_EQ(GetBestInterface(address("198.51.100.7"), &index), DWORD{NO_ERROR});
    EXPECT_EQ(index, if_nametoindex("eth1"));
    EXPECT_EQ(GetBestInterface(address("127.0.0.1"), &index), DWORD{NO_ERROR});
    EXPECT_EQ(index, if_nametoindex("lo"));
  });
}

TEST(BestRoute, NoWayIsAnError) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.ip({"route del default"});
  router.host.inside([&] {
    MIB_IPFORWARDROW row{};
    row.dwForwardDest = 7;
    DWORD index = 7;
    EXPECT_EQ(GetBestRoute(address("8.8.8.8"), 0, &row), DWORD{ERROR_NETWORK_UNREACHABLE});
    EXPECT_EQ(GetBestInterface(address("8.8.8.8"), &index), DWORD{ERROR_NETWORK_UNREACHABLE});
    EXPECT_EQ(GetBestRoute(address("10.99.1.1"), 0, &row), DWORD{ERROR_INVALID_PARAMETER}) << "a black hole";
    EXPECT_NE(GetBestRoute(address("192.0.2.2"), address("8.8.8.8"), &row), DWORD{NO_ERROR}) << "not our address";
    EXPECT_EQ(row.dwForwardDest, 7U);
    EXPECT_EQ(index, 7U);
  });
}

TEST(BestInterfaceEx, BothFamilies) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  router.host.inside([&] {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = address("10.0.0.77");
    DWORD index = 0;
    EXPECT_EQ(GetBestInterfaceEx(reinterpret_cast<sockaddr*>(&v4), &index), DWORD{NO_ERROR});
    EXPECT_EQ(index, if_nametoindex("eth0"));
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    inet_pton(AF_INET6, "fd00::7", &v6.sin6_addr);
    EXPECT_EQ(GetBestInterfaceEx(reinterpret_cast<sockaddr*>(&v6), &index), DWORD{NO_ERROR});
    EXPECT_EQ(index, if_nametoindex("eth1"));
    inet_pton(AF_INET6, "fe80::1", &v6.sin6_addr);
    v6.sin6_scope_id = 99;
    EXPECT_EQ(GetBestInterfaceEx(reinterpret_cast<sockaddr*>(&v6), &index), DWORD{NO_ERROR});
    EXPECT_EQ(index, 99U);
    v6.sin6_family = AF_UNIX;
    EXPECT_EQ(GetBestInterfaceEx(reinterpret_cast<sockaddr*>(&v6), &index), DWORD{ERROR_INVALID_PARAMETER});
  });
}

TEST(Iphlpapi, NullPointers) {
  const DWORD invalid = ERROR_INVALID_PARAMETER;
  MIB_IFTABLE row{};
  DWORD index = 0;
  EXPECT_EQ(GetNumberOfInterfaces(nullptr), invalid);
  EXPECT_EQ(GetIfTable(&row, nullptr, FALSE), invalid);
  EXPECT_EQ(GetInterfaceInfo(nullptr, nullptr), invalid);
  EXPECT_EQ(GetAdaptersInfo(nullptr, nullptr), invalid);
  EXPECT_EQ(GetIpAddrTable(nullptr, nullptr, FALSE), invalid);
  EXPECT_EQ(GetIpForwardTable(nullptr, nullptr, FALSE), invalid);
  EXPECT_EQ(GetBestRoute(0x0100007F, 0, nullptr), invalid);
  EXPECT_EQ(GetBestInterface(0x0100007F, nullptr), invalid);
  EXPECT_EQ(GetBestInterfaceEx(nullptr, &index), invalid);
}

TEST(Iphlpapi, ManyAddressesNeedManyMessages) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Router router(*ground);
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) {
    lines.push_back("addr add 172.16." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "/32 dev eth1");
  }
  router.host.ip(lines);
  router.host.inside([&] {
    std::vector<std::max_align_t> memory;
    const auto* const found = table<MIB_IPADDRTABLE>(
        [](PMIB_IPADDRTABLE out, PULONG size) { return GetIpAddrTable(out, size, FALSE); }, memory);
    EXPECT_EQ(found->dwNumEntries, 1004U);
  });
}

}  // namespace
}  // namespace turnpike::win32
