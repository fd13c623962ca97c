// The module for static routes as a router manager plays with it, and what is in the routing table meanwhile: loaded
// from its file, told of interfaces, and asked for the impossible.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <windows.h>
// After it.
#include <arpa/inet.h>
#include <routprot.h>
#include <rtmv2.h>

#include "../../modules/static/protocol.h"
#include "loaded_module.h"
#include "turnpike/rtm.h"

namespace turnpike::modules {
namespace {

struct Written {
  const char* to;
  int bits;
  const char* via = nullptr;
  const char* interface = "";
  Kind kind = Kind::kUnicast;
  std::uint32_t metric = 1;
  bool recursive = false;
  std::uint32_t preference = 0;
};

std::vector<std::uint8_t> block(const std::vector<Written>& routes) {
  std::vector<std::uint8_t> out(sizeof(StaticSettings) + routes.size() * sizeof(StaticRoute));
  StaticSettings settings{};
  if (!routes.empty()) settings.routes = {sizeof settings, static_cast<std::uint32_t>(routes.size())};
  std::memcpy(out.data(), &settings, sizeof settings);
  std::size_t at = sizeof settings;
  for (const Written& from : routes) {
    StaticRoute route{};
    route.to = address(from.to, from.bits);
    if (from.via != nullptr) route.via = address(from.via);
    std::strncpy(route.interface, from.interface, sizeof route.interface - 1);
    route.kind = from.kind;
    route.metric = from.metric;
    route.recursive = from.recursive ? 1 : 0;
    route.preference = from.preference;
    std::memcpy(out.data() + at, &route, sizeof route);
    at += sizeof route;
  }
  return out;
}

DWORD WINAPI validate(DWORD protocol, PVOID route, PVOID) {
  EXPECT_EQ(protocol, DWORD{PROTO_IP_NT_STATIC});
  static_cast<PRTM_ROUTE_INFO>(route)->PrefInfo.Preference = 3;
  return NO_ERROR;
}

// A reader of the routing table.
class Reader {
 public:
  explicit Reader(USHORT family) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = family;
    info.EntityId.EntityProtocolId = PROTO_IP_OTHER;
    RTM_REGN_PROFILE profile{};
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self_), DWORD{NO_ERROR});
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { EXPECT_EQ(RtmDeregisterEntity(self_), DWORD{NO_ERROR}); }

  // "10.0.0.0/8 via 192.0.2.1 dev 7 metric 1 preference 3 flags 0x20", one for each route.
  std::vector<std::string> routes() {
    TpRtmSnapshot snapshot = 0;
    EXPECT_EQ(TpRtmOpenSnapshot(self_, &snapshot), DWORD{NO_ERROR});
    std::vector<std::string> out;
    TpRtmSnapshotRoute route{};
    for (std::uint64_t i = 0, one = 1; one == 1; ++i) {
      std::uint32_t count = 1;
      if (TpRtmReadSnapshot(snapshot, i, &route, &count) != NO_ERROR) break;
      out.push_back(text(route));
    }
    TpRtmCloseSnapshot(snapshot);
    return out;
  }

 private:
  static std::string text(const TpRtmAddress& from) {
    char out[INET6_ADDRSTRLEN];
    return inet_ntop(from.family, from.address, out, sizeof out);
  }
  static std::string text(const TpRtmSnapshotRoute& route) {
    std::string out = text(route.destination) + '/' + std::to_string(route.destination.bits);
    for (unsigned i = 0; i < route.hop_count; ++i) {
      const TpRtmSnapshotHop& hop = route.hops[i];
      out += " via " + (hop.address.bits == 0 ? std::string("link") : text(hop.address)) + " dev " +
             std::to_string(hop.interface_index);
    }
    char flags[8];
    (void)std::snprintf(flags, sizeof flags, "%x", static_cast<unsigned>(route.flags));
    return out + " metric " + std::to_string(route.metric) + " preference " + std::to_string(route.preference) +
           " flags " + flags;
  }

  RTM_ENTITY_HANDLE self_ = nullptr;
};

using Routes = std::vector<std::string>;

class StaticModule : public LoadedModule {
 protected:
  StaticModule() : LoadedModule(MODULE_STATIC, PROTO_IP_NT_STATIC) { support_.ValidateRoute = validate; }

  void TearDown() override {
    LoadedModule::TearDown();
    EXPECT_EQ(ipv4_.routes(), Routes{}) << "something is left";
    EXPECT_EQ(ipv6_.routes(), Routes{}) << "something is left";
  }

  void run(const std::vector<Written>& routes) { LoadedModule::run(block(routes), {L"eth0", L"eth1"}); }
  DWORD set(const std::vector<Written>& routes) { return LoadedModule::set(block(routes)); }

  Reader ipv4_{AF_INET};
  Reader ipv6_{AF_INET6};
};

const char* const kTen = "10.0.0.0/8 via 192.0.2.1 dev 7 metric 1 preference 3 flags 20";

// clauses: RP-061 RP-077
TEST_F(StaticModule, RegistersForItsProtocolAndNoOther) {
  EXPECT_EQ(module_.fSupportedFunctionality, DWORD{RF_ROUTING | RF_ADD_ALL_INTERFACES});
  EXPECT_EQ(module_.pfnQueryPower, nullptr);
  EXPECT_EQ(module_.pfnSetPower, nullptr);
  EXPECT_EQ(module_.pfnGetNeighbors, nullptr);
  EXPECT_EQ(module_.pfnGetMfeStatus, nullptr);
  EXPECT_EQ(services_.fSupportedFunctionality, 0U);
  MPR_ROUTING_CHARACTERISTICS other = offer();
  other.dwProtocolId = PROTO_IP_RIP;
  EXPECT_EQ(register_(&other, &services_), DWORD{ERROR_NOT_SUPPORTED});
  other = offer();
  other.dwVersion = MS_ROUTER_VERSION - 1;
  EXPECT_EQ(register_(&other, &services_), DWORD{ERROR_NOT_SUPPORTED});
  other = offer();
  other.fSupportedFunctionality = RF_MULTICAST;
  EXPECT_EQ(register_(&other, &services_), DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(register_(nullptr, &services_), DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(register_(&other, nullptr), DWORD{ERROR_NOT_SUPPORTED});
}

// clauses: RP-067
TEST_F(StaticModule, RoutesAreThereFromStartCompleteWhileTheInterfaceIsEnabledAndHasMedia) {
  ASSERT_EQ(start(block({{"10.0.0.0", 8, "192.0.2.1", "eth0"}})), DWORD{NO_ERROR});
  add(7, L"eth0");
  EXPECT_EQ(ipv4_.routes(), Routes{});
  ASSERT_EQ(module_.pfnStartComplete(), DWORD{NO_ERROR});
  EXPECT_EQ(ipv4_.routes(), Routes{});
  status(7, RIS_INTERFACE_ENABLED);
  EXPECT_EQ(ipv4_.routes(), Routes{kTen});
  status(7, RIS_INTERFACE_MEDIA_ABSENT);
  EXPECT_EQ(ipv4_.routes(), Routes{});
  status(7, RIS_INTERFACE_MEDIA_PRESENT);
  EXPECT_EQ(ipv4_.routes(), Routes{kTen});
  status(7, RIS_INTERFACE_DISABLED);
  EXPECT_EQ(ipv4_.routes(), Routes{});
  status(7, RIS_INTERFACE_ENABLED);
  EXPECT_EQ(ipv4_.routes(), Routes{kTen});
  EXPECT_EQ(module_.pfnDeleteInterface(7), DWORD{NO_ERROR});
  EXPECT_EQ(ipv4_.routes(), Routes{});
}

TEST_F(StaticModule, ANextHopWithoutInterfaceIsOnTheSmallestNetworkThatHoldsIt) {
  run({{"10.0.0.0", 8, "192.0.2.1"}});
  status(7, RIS_INTERFACE_ENABLED);
  status(8, RIS_INTERFACE_ENABLED);
  EXPECT_EQ(ipv4_.routes(), Routes{});
  bind(8, {{"192.0.0.9", "255.255.0.0"}});
  EXPECT_EQ(ipv4_.routes(), Routes{"10.0.0.0/8 via 192.0.2.1 dev 8 metric 1 preference 3 flags 20"});
  bind(7, {{"198.51.100.1", "255.255.255.0"}, {"192.0.2.254", "255.255.255.0"}});
  EXPECT_EQ(ipv4_.routes(), Routes{kTen});
  bind(7, {});
  EXPECT_EQ(ipv4_.routes(), Routes{"10.0.0.0/8 via 192.0.2.1 dev 8 metric 1 preference 3 flags 20"});
  status(8, RIS_INTERFACE_DISABLED);
  EXPECT_EQ(ipv4_.routes(), Routes{});
}

TEST_F(StaticModule, EveryTypeOfRouteOfBothFamilies) {
  run({{"10.1.0.0", 16, nullptr, "", Kind::kBlackhole},
       {"10.2.0.0", 16, nullptr, "", Kind::kUnreachable},
       {"10.3.0.0", 16, nullptr, "", Kind::kProhibit},
       {"10.4.0.0", 16, "203.0.113.1", "", Kind::kUnicast, 1, true},
       {"10.5.0.0", 16, nullptr, "eth0", Kind::kUnicast, 9, false, 77},
       {"2001:db8:1::", 48, "fe80::1", "eth0"},
       {"::", 0, "2001:db8::1", "", Kind::kUnicast, 1, true},
       {"2001:db8:2::", 48, nullptr, "", Kind::kBlackhole}});
  status(7, RIS_INTERFACE_ENABLED);
  const Routes four = {"10.1.0.0/16 metric 1 preference 3 flags 2", "10.2.0.0/16 metric 1 preference 3 flags 4",
                       "10.3.0.0/16 metric 1 preference 3 flags 6",
                       "10.4.0.0/16 via 203.0.113.1 dev 0 metric 1 preference 3 flags 20",
                       "10.5.0.0/16 via link dev 7 metric 9 preference 77 flags 10"};
  EXPECT_EQ(ipv4_.routes(), four);
  const Routes six = {"::/0 via 2001:db8::1 dev 0 metric 1 preference 3 flags 20",
                      "2001:db8:1::/48 via fe80::1 dev 7 metric 1 preference 3 flags 20",
                      "2001:db8:2::/48 metric 1 preference 3 flags 2"};
  EXPECT_EQ(ipv6_.routes(), six);
}

TEST_F(StaticModule, TwoWaysToOneDestinationAreTwoRoutesAndTheLowerMetricIsFirst) {
  run({{"10.0.0.0", 8, "192.0.2.1", "eth0", Kind::kUnicast, 20},
       {"10.0.0.0", 8, "198.51.100.1", "eth1", Kind::kUnicast, 10}});
  status(7, RIS_INTERFACE_ENABLED);
  status(8, RIS_INTERFACE_ENABLED);
  const Routes both = {"10.0.0.0/8 via 198.51.100.1 dev 8 metric 10 preference 3 flags 20",
                       "10.0.0.0/8 via 192.0.2.1 dev 7 metric 20 preference 3 flags 20"};
  EXPECT_EQ(ipv4_.routes(), both);
  status(8, RIS_INTERFACE_MEDIA_ABSENT);
  EXPECT_EQ(ipv4_.routes(), Routes{both[1]});
}

// clauses: RP-065 RP-071
TEST_F(StaticModule, NewSettingsReplaceTheOldOnesOrNothingDoes) {
  run({{"10.0.0.0", 8, "192.0.2.1", "eth0"}, {"10.1.0.0", 16, nullptr, "", Kind::kBlackhole}});
  status(7, RIS_INTERFACE_ENABLED);
  const std::vector<Written> next = {{"10.0.0.0", 8, "192.0.2.1", "eth0", Kind::kUnicast, 5},
                                     {"10.2.0.0", 16, nullptr, "", Kind::kBlackhole}};
  EXPECT_EQ(set(next), DWORD{NO_ERROR});
  const Routes now = {"10.0.0.0/8 via 192.0.2.1 dev 7 metric 5 preference 3 flags 20",
                      "10.2.0.0/16 metric 1 preference 3 flags 2"};
  EXPECT_EQ(ipv4_.routes(), now);
  EXPECT_EQ(set({{"10.0.0.1", 8, "192.0.2.1", "eth0"}}), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnSetGlobalInfo(nullptr, 1, 0, 1), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(ipv4_.routes(), now);
  std::vector<std::uint8_t> held(block(next).size());
  ULONG size = static_cast<ULONG>(held.size());
  ULONG count = 0;
  EXPECT_EQ(module_.pfnGetGlobalInfo(held.data(), &size, nullptr, nullptr, &count), DWORD{NO_ERROR});
  EXPECT_EQ(held, block(next));
  EXPECT_EQ(count, 1U);
}

// clauses: RP-062 RP-063 RP-074
TEST_F(StaticModule, KnowsItsInterfacesAndNoOthers) {
  run({});
  wchar_t name[] = L"eth0";
  const auto add_again = [&](ULONG index, LPWSTR called, PVOID info, ULONG size) {
    return module_.pfnAddInterface(called, index, PERMANENT, 0, 0, 0, info, 1, size, 1);
  };
  BYTE zeros[4] = {};
  BYTE ones[4] = {1, 1, 1, 1};
  EXPECT_EQ(add_again(7, name, nullptr, 0), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(add_again(9, nullptr, nullptr, 0), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(add_again(0, name, nullptr, 0), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(add_again(9, name, ones, 4), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(add_again(9, name, zeros, 4), DWORD{NO_ERROR});
  ULONG size = 4;
  EXPECT_EQ(module_.pfnDeleteInterface(99), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnInterfaceStatus(99, TRUE, RIS_INTERFACE_ENABLED, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetInterfaceInfo(99, zeros, &size, nullptr, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnSetInterfaceInfo(99, zeros, 1, 4, 1), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnConnectClient(99, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnDisconnectClient(99, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnConnectClient(7, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(module_.pfnSetInterfaceInfo(7, nullptr, 1, 0, 1), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnSetInterfaceInfo(7, ones, 1, 4, 1), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnSetInterfaceInfo(7, zeros, 1, 4, 1), DWORD{NO_ERROR});
}

// clauses: RP-064 RP-072
TEST_F(StaticModule, SaysHowMuchRoomABlockNeeds) {
  run({{"10.0.0.0", 8, nullptr, "", Kind::kBlackhole}});
  ULONG room = 3;
  ULONG size = 0;
  BYTE bytes[256];
  EXPECT_EQ(module_.pfnGetGlobalInfo(bytes, &room, nullptr, &size, nullptr), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(room, block({{"10.0.0.0", 8}}).size());
  EXPECT_EQ(module_.pfnGetGlobalInfo(nullptr, &room, nullptr, nullptr, nullptr), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(module_.pfnGetGlobalInfo(bytes, nullptr, nullptr, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnGetGlobalInfo(bytes, &room, nullptr, nullptr, nullptr), DWORD{NO_ERROR});
  BYTE zeros[4] = {};
  ASSERT_EQ(module_.pfnSetInterfaceInfo(7, zeros, 1, 4, 1), DWORD{NO_ERROR});
  room = 1;
  EXPECT_EQ(module_.pfnGetInterfaceInfo(7, bytes, &room, nullptr, nullptr, nullptr), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(room, 4U);
  EXPECT_EQ(module_.pfnGetInterfaceInfo(7, bytes, &room, nullptr, nullptr, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(module_.pfnGetInterfaceInfo(7, bytes, nullptr, nullptr, nullptr, nullptr), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RP-066
TEST_F(StaticModule, HasNothingToReport) {
  ROUTING_PROTOCOL_EVENTS event{};
  EXPECT_EQ(module_.pfnGetEventMessage(&event, nullptr), DWORD{ERROR_NO_MORE_ITEMS});
}

// clauses: RP-073
TEST_F(StaticModule, TellsItsRoutesToTheManagementInterface) {
  run({{"10.0.0.0", 8, "192.0.2.1", "eth0"}, {"10.1.0.0", 16, nullptr, "", Kind::kBlackhole}});
  StaticCounts counts{};
  ULONG room = sizeof counts;
  ASSERT_EQ(module_.pfnMibGetEntry(0, nullptr, &room, &counts), DWORD{NO_ERROR});
  EXPECT_EQ(counts.configured, 2U);
  EXPECT_EQ(counts.active, 1U);
  StaticRow row{};
  room = sizeof row - 1;
  EXPECT_EQ(module_.pfnMibGetFirstEntry(0, nullptr, &room, &row), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(room, sizeof row);
  ASSERT_EQ(module_.pfnMibGetFirstEntry(0, nullptr, &room, &row), DWORD{NO_ERROR});
  EXPECT_EQ(row.number, 0U);
  EXPECT_EQ(row.active, 0U);
  std::uint32_t last = 0;
  ASSERT_EQ(module_.pfnMibGetNextEntry(sizeof last, &last, &room, &row), DWORD{NO_ERROR});
  EXPECT_EQ(row.active, 1U);
  EXPECT_EQ(row.route.kind, Kind::kBlackhole);
  last = 1;
  EXPECT_EQ(module_.pfnMibGetNextEntry(sizeof last, &last, &room, &row), DWORD{ERROR_NO_MORE_ITEMS});
  last = 0xFFFFFFFF;
  EXPECT_EQ(module_.pfnMibGetNextEntry(sizeof last, &last, &room, &row), DWORD{ERROR_NO_MORE_ITEMS});
  EXPECT_EQ(module_.pfnMibGetNextEntry(3, &last, &room, &row), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnMibGetEntry(0, nullptr, nullptr, &row), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnMibSetEntry(4, nullptr), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(module_.pfnMibSetEntry(4, &last), DWORD{ERROR_CAN_NOT_COMPLETE});
  EXPECT_EQ(module_.pfnMibGetTrapInfo(0, nullptr, &room, &row), DWORD{ERROR_ACCESS_DENIED});
}

TEST_F(StaticModule, RefusesBlocksThatAreNone) {
  const auto broken = [](const std::vector<Written>& routes, const std::function<void(StaticRoute&)>& how) {
    std::vector<std::uint8_t> bytes = block(routes);
    StaticRoute route;
    std::memcpy(&route, bytes.data() + sizeof(StaticSettings), sizeof route);
    how(route);
    std::memcpy(bytes.data() + sizeof(StaticSettings), &route, sizeof route);
    return bytes;
  };
  const std::vector<Written> good = {{"10.0.0.0", 8, "192.0.2.1", "eth0"}};
  const std::vector<std::vector<std::uint8_t>> wrong = {
      {},
      std::vector<std::uint8_t>(4),
      block({{"10.0.0.0", 8}}),
      block({{"224.0.0.0", 8, "192.0.2.1", "eth0"}}),
      block({{"10.0.0.0", 8, "2001:db8::1", "eth0"}}),
      block({{"10.0.0.0", 8, "224.0.0.1", "eth0"}}),
      block({{"10.0.0.0", 8, "192.0.2.1", "eth0", Kind::kBlackhole}}),
      block({{"10.0.0.0", 8, "192.0.2.1", "eth0", Kind::kUnicast, 1, true}}),
      block({{"10.0.0.0", 8, nullptr, "eth0", Kind::kUnicast, 1, true}}),
      block({{"2001:db8::", 32, "2001:db8::1"}}),
      broken(good, [](StaticRoute& route) { route.to.family = 7; }),
      broken(good, [](StaticRoute& route) { route.to.bits = 33; }),
      broken(good, [](StaticRoute& route) { route.kind = static_cast<Kind>(9); }),
      broken(good, [](StaticRoute& route) { route.metric = 0x80000000; }),
      broken(good, [](StaticRoute& route) { std::memset(route.interface, 'x', sizeof route.interface); }),
  };
  for (const auto& bytes : wrong) EXPECT_EQ(start(bytes), DWORD{ERROR_INVALID_PARAMETER});
  std::vector<std::uint8_t> outside = block(good);
  outside.resize(outside.size() - 1);
  EXPECT_EQ(start(outside), DWORD{ERROR_INVALID_PARAMETER});
}

// clauses: RP-076
TEST_F(StaticModule, RefusesEverythingWhileItIsStoppedAndStartsAnew) {
  EXPECT_EQ(module_.pfnStopProtocol(), DWORD{ERROR_CAN_NOT_COMPLETE});
  EXPECT_EQ(module_.pfnStartComplete(), DWORD{ERROR_CAN_NOT_COMPLETE});
  EXPECT_EQ(module_.pfnDeleteInterface(7), DWORD{ERROR_CAN_NOT_COMPLETE});
  EXPECT_EQ(module_.pfnStartProtocol(nullptr, &support_, nullptr, 1, 0, 1), DWORD{ERROR_INVALID_PARAMETER});
  for (int round = 0; round < 2; ++round) {
    run({{"10.0.0.0", 8, "192.0.2.1", "eth0"}});
    EXPECT_EQ(start(block({})), DWORD{ERROR_CAN_NOT_COMPLETE});
    status(7, RIS_INTERFACE_ENABLED);
    EXPECT_EQ(ipv4_.routes(), Routes{kTen});
    EXPECT_EQ(module_.pfnStopProtocol(), DWORD{NO_ERROR});
    EXPECT_EQ(ipv4_.routes(), Routes{});
    started_ = false;
  }
}

}  // namespace
}  // namespace turnpike::modules
