// The sample protocol of examples/win-sample, unchanged, as a module of the router over the real kernel; and what the
// contract asks of a module, asked of this one.
#include <handleapi.h>
#include <libloaderapi.h>
#include <mprerror.h>
#include <net/if.h>
#include <nrp.h>
#include <rtmv2.h>
#include <synchapi.h>
#include <winerror.h>

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "dim/info_header.h"
#include "ground/ground.h"
#include "kernel/real_port.h"
#include "kernel/reception_port.h"
#include "router/router_thread.h"
#include "turnpike/testing.h"

namespace turnpike::router {
namespace {

using ground::Ground;
using ground::Host;

template <class Settings>
Bytes header_of(const Settings& settings) {
  return *dim::join(std::array{dim::single(NRP_PROTOCOL_ID, std::as_bytes(std::span(&settings, 1)))});
}

const NRP_GLOBAL_CONFIG kQuick = {100, 2000, 0, NRP_LOG_NONE, 0};
const NRP_INTERFACE_CONFIG kOnEth0 = {1, 0};

Plan plan_of_sample() {
  Plan plan;
  plan.modules = {{"nrp", SAMPLE_MODULE, TransportId::kIp, NRP_PROTOCOL_ID}};
  plan.transports = {{TransportId::kIp, header_of(kQuick), {}}};
  plan.interfaces = {{"eth0", InterfaceType::kDedicated, true, {{TransportId::kIp, header_of(kOnEth0)}}}};
  return plan;
}

// ---------------------------------------------------------------------------------------------------------------------
// In a router, over the kernel

// What the module counts of its interface, by its management interface.
bool has_sent(RouterThread& router, DWORD index) {
  NRP_INTERFACE_STATS stats{};
  DWORD size = sizeof(stats);
  const DWORD code = router.answers().administer(TransportId::kIp, NRP_PROTOCOL_ID,
                                                 {MibCall::kGet, sizeof(index), &index, &size, &stats});
  return code == NO_ERROR && stats.Active != 0 && stats.PacketsSent > 0;
}

// A destination for the module to announce, as a protocol beside it would have it.
class Neighbour {
 public:
  Neighbour() {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = PROTO_IP_LOCAL;
    RTM_REGN_PROFILE profile{};
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &self_), NO_ERROR);
    RTM_NET_ADDRESS destination{};
    RTM_IPV4_MAKE_NET_ADDRESS(&destination, htonl(0x0a630000), 16);
    RTM_ROUTE_INFO route{};
    route.Flags = RTM_ROUTE_FLAGS_LOCAL;
    route.PrefInfo.Metric = 1;
    route.BelongsToViews = RTM_VIEW_MASK_UCAST;
    RTM_ROUTE_HANDLE handle = nullptr;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    EXPECT_EQ(RtmAddRouteToDest(self_, &handle, &destination, &route, INFINITE, nullptr, 0, nullptr, &flags), NO_ERROR);
  }
  ~Neighbour() { EXPECT_EQ(RtmDeregisterEntity(self_), NO_ERROR); }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

 private:
  RTM_ENTITY_HANDLE self_ = nullptr;
};

TEST(SampleInARouter, LoadsUnchangedAndRuns) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {"192.0.2.1/24"}}, {right, "eth0", {"192.0.2.2/24"}});
  left.inside([] {
    auto port = kernel::open_real_port();
    ASSERT_TRUE(port);
    RouterThread router({.kernel = **port, .clock = system_clock()});
    ASSERT_TRUE(router.run());
    const Outcome outcome = router.with([](Router& its) { return its.start(plan_of_sample()); });
    ASSERT_TRUE(outcome.done);
    for (const Refusal& each : outcome.refusals)
      ADD_FAILURE() << each.subject << " " << each.reason << " " << each.code;
    const DWORD index = if_nametoindex("eth0");
    std::optional<Neighbour> neighbour(std::in_place);
    // Its timer is the process's: this waits for packets that it really sends.
    const MonotonicTime end = later(system_clock().now(), std::chrono::seconds(60));
    while (!has_sent(router, index) && system_clock().now() < end) Sleep(10);  // no event tells of a packet
    EXPECT_TRUE(has_sent(router, index));
    NRP_INTERFACE_CONFIG other = {5, 1};
    EXPECT_TRUE(router.with(
        [&](Router& its) { return its.set_interface_info("eth0", TransportId::kIp, header_of(other)).done; }));
    other.Cost = 99;
    const Outcome refused =
        router.with([&](Router& its) { return its.set_interface_info("eth0", TransportId::kIp, header_of(other)); });
    EXPECT_FALSE(refused.done);
    EXPECT_EQ(refused.refusals.at(0).code, static_cast<std::uint32_t>(ERROR_INVALID_PARAMETER));
    router.stop();
    neighbour.reset();
    EXPECT_EQ(GetModuleHandleA(SAMPLE_MODULE), nullptr);
    EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U);
  });
}

// clauses: RP-057
TEST(ReceptionOfTheKernel, IsWidenedAndNarrowed) {
  auto ground = Ground::unprivileged({"veth"});
  if (!ground) return;
  Host& left = ground->host("left");
  Host& right = ground->host("right");
  ground->wire({left, "eth0", {"192.0.2.1/24"}}, {right, "eth0", {"192.0.2.2/24"}});
  const auto link = [&left] { return left.run({"ip", "-d", "link", "show", "eth0"}); };
  left.inside([&] {
    auto reception = kernel::open_reception_port();
    ASSERT_TRUE(reception);
    const net::InterfaceIndex eth0(if_nametoindex("eth0"));
    ASSERT_TRUE((*reception)->set(eth0, kernel::Reception::kAllMulticast, true));
    ASSERT_TRUE((*reception)->set(eth0, kernel::Reception::kAllMulticast, true));
    EXPECT_NE(link().find("allmulti 1"), std::string::npos) << link();
    ASSERT_TRUE((*reception)->set(eth0, kernel::Reception::kAll, true));
    EXPECT_NE(link().find("promiscuity 1"), std::string::npos) << link();
    ASSERT_TRUE((*reception)->set(eth0, kernel::Reception::kAllMulticast, false));
    EXPECT_NE(link().find("allmulti 0"), std::string::npos) << link();
    reception->reset();
    EXPECT_NE(link().find("promiscuity 0"), std::string::npos) << link();
    auto another = kernel::open_reception_port();
    EXPECT_EQ((*another)->set(net::InterfaceIndex(4711), kernel::Reception::kAll, true).error().kind,
              ErrorKind::kKernel);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// What the contract asks of a module

DWORD WINAPI say_no(DWORD, DWORD) { return ERROR_NOT_SUPPORTED; }
DWORD WINAPI validate(DWORD, PVOID route, PVOID) {
  static_cast<PRTM_ROUTE_INFO>(route)->PrefInfo.Preference = 120;
  return NO_ERROR;
}

constexpr ULONG kIndex = 1;  // loopback: in every namespace
constexpr ULONG kUnknown = 4711;

class SampleAsAModule : public testing::Test {
 protected:
  SampleAsAModule() {
    library_ = LoadLibraryA(SAMPLE_MODULE);
    event_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
    EXPECT_EQ(enroll(NRP_PROTOCOL_ID), NO_ERROR);
  }
  ~SampleAsAModule() override {
    if (runs_) stop();
    EXPECT_TRUE(FreeLibrary(library_));
    CloseHandle(event_);
  }

  DWORD enroll(DWORD protocol) {
    const auto entry = GetProcAddress(library_, REGISTER_PROTOCOL_ENTRY_POINT_STRING);
    f_ = {};
    f_.dwVersion = MS_ROUTER_VERSION;
    f_.dwProtocolId = protocol;
    f_.fSupportedFunctionality = kOffered;
    services_ = {};
    services_.fSupportedFunctionality = 77;
    return reinterpret_cast<PREGISTER_PROTOCOL>(reinterpret_cast<void (*)()>(entry))(&f_, &services_);
  }
  void start() {
    support_.DemandDialRequest = say_no;
    support_.ValidateRoute = validate;
    NRP_GLOBAL_CONFIG global = kQuick;
    ASSERT_EQ(f_.pfnStartProtocol(event_, &support_, &global, 1, sizeof(global), 1), NO_ERROR);
    runs_ = true;
  }
  DWORD add(ULONG index = kIndex, NRP_INTERFACE_CONFIG config = kOnEth0) {
    wchar_t name[] = L"lo";
    return f_.pfnAddInterface(name, index, PERMANENT, 0, 0, 0, &config, 1, sizeof(config), 1);
  }
  // As the contract has it; every message before the last is taken out too.
  void stop() {
    runs_ = false;
    const DWORD code = f_.pfnStopProtocol();
    if (code == NO_ERROR) return;
    EXPECT_EQ(code, static_cast<DWORD>(ERROR_PROTOCOL_STOP_PENDING));
    ROUTING_PROTOCOL_EVENTS event = UPDATE_COMPLETE;
    while (event != ROUTER_STOPPED) {
      ASSERT_EQ(WaitForSingleObject(event_, 60000), WAIT_OBJECT_0);
      MESSAGE message{};
      while (event != ROUTER_STOPPED && f_.pfnGetEventMessage(&event, &message) == NO_ERROR) {
      }
    }
  }
  NRP_INTERFACE_STATS stats() {
    NRP_INTERFACE_STATS result{};
    ULONG size = sizeof(result);
    ULONG index = kIndex;
    EXPECT_EQ(f_.pfnMibGetEntry(sizeof(index), &index, &size, &result), NO_ERROR);
    return result;
  }

  HMODULE library_ = nullptr;
  HANDLE event_ = nullptr;
  MPR_ROUTING_CHARACTERISTICS f_{};
  MPR_SERVICE_CHARACTERISTICS services_{};
  SUPPORT_FUNCTIONS support_{};
  bool runs_ = false;
};

constexpr auto kBad = static_cast<DWORD>(ERROR_INVALID_PARAMETER);
constexpr auto kShort = static_cast<DWORD>(ERROR_INSUFFICIENT_BUFFER);
constexpr auto kNoMore = static_cast<DWORD>(ERROR_NO_MORE_ITEMS);

// clauses: RP-061 RP-077
TEST_F(SampleAsAModule, RegistersWhatItIs) {
  EXPECT_EQ(f_.pfnQueryPower, nullptr);
  EXPECT_EQ(f_.pfnSetPower, nullptr);
  EXPECT_EQ(f_.pfnGetNeighbors, nullptr);
  EXPECT_EQ(f_.pfnGetMfeStatus, nullptr);
  EXPECT_EQ(services_.fSupportedFunctionality, 0U);
  EXPECT_EQ(f_.fSupportedFunctionality & RF_MULTICAST, 0U);
  EXPECT_EQ(enroll(NRP_PROTOCOL_ID + 1), static_cast<DWORD>(ERROR_NOT_SUPPORTED));
}

// clauses: RP-062 RP-063 RP-074
TEST_F(SampleAsAModule, KnowsItsInterfaces) {
  start();
  EXPECT_EQ(add(), NO_ERROR);
  EXPECT_EQ(add(), kBad);
  NRP_INTERFACE_CONFIG config = kOnEth0;
  ULONG size = sizeof(config);
  EXPECT_EQ(f_.pfnDeleteInterface(kUnknown), kBad);
  EXPECT_EQ(f_.pfnInterfaceStatus(kUnknown, TRUE, RIS_INTERFACE_ENABLED, nullptr), kBad);
  EXPECT_EQ(f_.pfnGetInterfaceInfo(kUnknown, &config, &size, nullptr, nullptr, nullptr), kBad);
  EXPECT_EQ(f_.pfnSetInterfaceInfo(kUnknown, &config, 1, sizeof(config), 1), kBad);
  EXPECT_EQ(f_.pfnUpdateRoutes(kUnknown), kBad);
}

// clauses: RP-064 RP-072
TEST_F(SampleAsAModule, TellsItsSettingsIntoRoom) {
  start();
  ASSERT_EQ(add(), NO_ERROR);
  NRP_INTERFACE_CONFIG config{};
  NRP_GLOBAL_CONFIG global{};
  ULONG size = sizeof(config) - 1, version = 0, item = 0, count = 0;
  EXPECT_EQ(f_.pfnGetInterfaceInfo(kIndex, &config, &size, &version, &item, &count), kShort);
  EXPECT_EQ(size, sizeof(config));
  EXPECT_EQ(f_.pfnGetInterfaceInfo(kIndex, &config, nullptr, &version, &item, &count), kBad);
  EXPECT_EQ(f_.pfnGetInterfaceInfo(kIndex, &config, &size, &version, &item, &count), NO_ERROR);
  EXPECT_EQ(size, sizeof(config));
  EXPECT_EQ(count, 1U);
  size = 0;
  EXPECT_EQ(f_.pfnGetGlobalInfo(nullptr, &size, nullptr, nullptr, nullptr), kShort);
  EXPECT_EQ(size, sizeof(global));
  EXPECT_EQ(f_.pfnGetGlobalInfo(&global, nullptr, nullptr, nullptr, nullptr), kBad);
  size = 100 + sizeof(global);
  EXPECT_EQ(f_.pfnGetGlobalInfo(&global, &size, &version, &item, &count), NO_ERROR);
  EXPECT_EQ(size, sizeof(global));
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(std::memcmp(&global, &kQuick, sizeof(global)), 0);
}

// clauses: RP-065 RP-071
TEST_F(SampleAsAModule, TakesItsSettingsWholeOrNot) {
  start();
  ASSERT_EQ(add(), NO_ERROR);
  EXPECT_EQ(f_.pfnSetInterfaceInfo(kIndex, nullptr, 1, sizeof(NRP_INTERFACE_CONFIG), 1), kBad);
  EXPECT_EQ(f_.pfnSetGlobalInfo(nullptr, 1, sizeof(NRP_GLOBAL_CONFIG), 1), kBad);
  NRP_INTERFACE_CONFIG bad = {99, 0};
  EXPECT_EQ(f_.pfnSetInterfaceInfo(kIndex, &bad, 1, sizeof(bad), 1), kBad);
  NRP_INTERFACE_CONFIG set = {7, 1};
  NRP_INTERFACE_CONFIG got{};
  ULONG size = sizeof(got);
  EXPECT_EQ(f_.pfnGetInterfaceInfo(kIndex, &got, &size, nullptr, nullptr, nullptr), NO_ERROR);
  EXPECT_EQ(std::memcmp(&got, &kOnEth0, sizeof(got)), 0);
  EXPECT_EQ(f_.pfnSetInterfaceInfo(kIndex, &set, 1, sizeof(set), 1), NO_ERROR);
  EXPECT_EQ(f_.pfnGetInterfaceInfo(kIndex, &got, &size, nullptr, nullptr, nullptr), NO_ERROR);
  EXPECT_EQ(std::memcmp(&got, &set, sizeof(got)), 0);
}

// clauses: RP-066 RP-075
TEST_F(SampleAsAModule, CompletesAnUpdateOnce) {
  start();
  ASSERT_EQ(add(), NO_ERROR);
  ROUTING_PROTOCOL_EVENTS event{};
  MESSAGE message{};
  EXPECT_EQ(f_.pfnGetEventMessage(&event, nullptr), kNoMore);
  ASSERT_EQ(f_.pfnUpdateRoutes(kIndex), NO_ERROR);
  EXPECT_EQ(WaitForSingleObject(event_, 60000), WAIT_OBJECT_0);
  EXPECT_EQ(f_.pfnGetEventMessage(&event, &message), NO_ERROR);
  EXPECT_EQ(event, UPDATE_COMPLETE);
  EXPECT_EQ(message.UpdateCompleteMessage.InterfaceIndex, kIndex);
  EXPECT_EQ(message.UpdateCompleteMessage.UpdateType, static_cast<ULONG>(RF_DEMAND_UPDATE_ROUTES));
  EXPECT_EQ(message.UpdateCompleteMessage.UpdateStatus, static_cast<ULONG>(NO_ERROR));
  EXPECT_EQ(f_.pfnGetEventMessage(&event, &message), kNoMore);
  ASSERT_EQ(f_.pfnUpdateRoutes(kIndex), NO_ERROR);
  EXPECT_EQ(f_.pfnGetEventMessage(&event, nullptr), NO_ERROR);
}

// clauses: RP-067
TEST_F(SampleAsAModule, IsQuietUntilItMayTalk) {
  start();
  ASSERT_EQ(add(), NO_ERROR);
  union {
    IP_ADAPTER_BINDING_INFO info;
    BYTE room[SIZEOF_IP_BINDING(1)];
  } binding{};
  binding.info.AddressCount = 1;
  const IP_LOCAL_BINDING loopback = {htonl(0x7f000001), htonl(0xff000000)};
  std::memcpy(&binding.info.Address[0], &loopback, sizeof(loopback));
  EXPECT_EQ(f_.pfnInterfaceStatus(kIndex, FALSE, RIS_INTERFACE_ADDRESS_CHANGE, &binding), NO_ERROR);
  EXPECT_EQ(f_.pfnInterfaceStatus(kIndex, TRUE, RIS_INTERFACE_ENABLED, nullptr), NO_ERROR);
  EXPECT_EQ(stats().PacketsSent, 0);
  EXPECT_EQ(f_.pfnInterfaceStatus(kIndex, FALSE, RIS_INTERFACE_DISABLED, nullptr), NO_ERROR);
  EXPECT_EQ(f_.pfnStartComplete(), NO_ERROR);
  EXPECT_EQ(stats().Active, 0);
  stop();
  EXPECT_FALSE(runs_);
}

// clauses: RP-073
TEST_F(SampleAsAModule, AnswersManagementIntoRoom) {
  start();
  ASSERT_EQ(add(), NO_ERROR);
  NRP_INTERFACE_STATS row{};
  ULONG index = kIndex;
  for (const auto& [function, in] :
       {std::pair{f_.pfnMibGetEntry, kIndex}, {f_.pfnMibGetFirstEntry, 0U}, {f_.pfnMibGetNextEntry, 0U}}) {
    index = in;
    ULONG size = sizeof(row) - 1;
    EXPECT_EQ(function(sizeof(index), &index, &size, &row), kShort);
    EXPECT_EQ(size, sizeof(row));
    EXPECT_EQ(function(sizeof(index), &index, &size, &row), NO_ERROR);
    EXPECT_EQ(size, sizeof(row));
  }
  ULONG size = sizeof(row);
  index = kUnknown;
  EXPECT_EQ(f_.pfnMibGetEntry(sizeof(index), &index, &size, &row), kBad);
  EXPECT_EQ(f_.pfnMibGetEntry(1, &index, &size, &row), kBad);
  EXPECT_EQ(f_.pfnMibGetEntry(sizeof(index), &index, nullptr, &row), kBad);
  EXPECT_EQ(f_.pfnMibGetNextEntry(0, nullptr, &size, &row), kBad);
}

// clauses: RP-076
TEST_F(SampleAsAModule, SaysWhenItHasStopped) {
  start();
  runs_ = false;
  ASSERT_EQ(f_.pfnStopProtocol(), static_cast<DWORD>(ERROR_PROTOCOL_STOP_PENDING));
  ASSERT_EQ(WaitForSingleObject(event_, 60000), WAIT_OBJECT_0);
  ROUTING_PROTOCOL_EVENTS event = UPDATE_COMPLETE;
  MESSAGE message{};
  ASSERT_EQ(f_.pfnGetEventMessage(&event, &message), NO_ERROR);
  EXPECT_EQ(event, ROUTER_STOPPED);
  EXPECT_EQ(f_.pfnGetEventMessage(&event, &message), kNoMore);
}

}  // namespace
}  // namespace turnpike::router
