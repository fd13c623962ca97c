// The C face of RTMv1: rtm.h over rtm::V1, the same table that rtmv2.h speaks of.
//
// The IP structures pass as they are: the table's V1Route has their layout, which is asserted below. An IPX route is
// laid out anew: its ticks and hops become one metric, ticks first, so that the lower is the better by the same rule.
//
// What fails for want of memory is ERROR_NO_SYSTEM_RESOURCES, which every function but two may return.
#include <rtm.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

#include "capi/rtm_call.h"
#include "runtime/forwarder_host.h"
#include "win32/last_error.h"
#include "win32/waits/event.h"
#include "win32/waits/handles.h"

namespace turnpike::capi {
namespace {

using rtm::Handle;
using rtm::Kind;
using rtm::Table;
using rtm::V1Change;
using rtm::V1Route;
using runtime::World;

static_assert(sizeof(RTM_IP_ROUTE) == sizeof(V1Route) && sizeof(IP_SPECIFIC_DATA) == sizeof(rtm::V1Specific));
static_assert(offsetof(RTM_IP_ROUTE, RR_RoutingProtocol) == offsetof(V1Route, protocol));
static_assert(offsetof(RTM_IP_ROUTE, RR_InterfaceID) == offsetof(V1Route, interface_index));
static_assert(offsetof(RTM_IP_ROUTE, RR_ProtocolSpecificData) == offsetof(V1Route, data));
static_assert(offsetof(RTM_IP_ROUTE, RR_Network.N_NetNumber) == offsetof(V1Route, network));
static_assert(offsetof(RTM_IP_ROUTE, RR_Network.N_NetMask) == offsetof(V1Route, mask));
static_assert(offsetof(RTM_IP_ROUTE, RR_NextHopAddress) == offsetof(V1Route, hop));
static_assert(offsetof(RTM_IP_ROUTE, RR_FamilySpecificData) == offsetof(V1Route, specific));
static_assert(offsetof(IP_SPECIFIC_DATA, FSD_Policy) == offsetof(rtm::V1Specific, policy));
static_assert(offsetof(IP_SPECIFIC_DATA, FSD_NextHopAS) == offsetof(rtm::V1Specific, next_hop_as));
static_assert(offsetof(IP_SPECIFIC_DATA, FSD_Priority) == offsetof(rtm::V1Specific, priority));
static_assert(offsetof(IP_SPECIFIC_DATA, FSD_Metric) == offsetof(rtm::V1Specific, metric));
static_assert(offsetof(IP_SPECIFIC_DATA, FSD_Metric1) == offsetof(rtm::V1Specific, metrics));
static_assert(offsetof(IP_SPECIFIC_DATA, FSD_Flags) == offsetof(rtm::V1Specific, flags));

constexpr DWORD kLongestLife = 2147483;  // seconds
constexpr std::pair<ErrorKind, std::uint32_t> kCodes[] = {{ErrorKind::kExhausted, ERROR_NO_SYSTEM_RESOURCES},
                                                          {ErrorKind::kNotFound, ERROR_NO_SUCH_ROUTE}};
// Of functions that take a family: one that is not configured is no family.
constexpr std::pair<ErrorKind, std::uint32_t> kFamilyCodes[] = {{ErrorKind::kExhausted, ERROR_NO_SYSTEM_RESOURCES},
                                                                {ErrorKind::kUnsupported, ERROR_INVALID_PARAMETER},
                                                                {ErrorKind::kNotFound, ERROR_INVALID_PARAMETER}};

// --- routes and networks
// -------------------------------------------------------------------------------------------------------

enum class Family : std::uint8_t { kIp, kIpx };
Family family_of(const Table& table) { return table.config().family == AF_IPX ? Family::kIpx : Family::kIp; }

V1Route from_ipx(const RTM_IPX_ROUTE& in) {
  V1Route out;
  out.stamp = {in.RR_TimeStamp.dwLowDateTime, in.RR_TimeStamp.dwHighDateTime};
  out.protocol = in.RR_RoutingProtocol;
  out.interface_index = in.RR_InterfaceID;
  std::memcpy(out.data.data(), &in.RR_ProtocolSpecificData, sizeof out.data);
  out.network = in.RR_Network.N_NetNumber;
  out.mask = ~0U;
  std::memcpy(out.hop.data(), in.RR_NextHopAddress.NHA_Mac, sizeof in.RR_NextHopAddress.NHA_Mac);
  const IPX_SPECIFIC_DATA& specific = in.RR_FamilySpecificData;
  out.specific.flags = specific.FSD_Flags;
  out.specific.metric = std::uint32_t{specific.FSD_TickCount} << 16 | specific.FSD_HopCount;
  return out;
}

void to_ipx(const V1Route& in, RTM_IPX_ROUTE& out) {
  out = {};
  out.RR_TimeStamp = {in.stamp.low, in.stamp.high};
  out.RR_RoutingProtocol = in.protocol;
  out.RR_InterfaceID = in.interface_index;
  std::memcpy(&out.RR_ProtocolSpecificData, in.data.data(), sizeof in.data);
  out.RR_Network.N_NetNumber = in.network;
  std::memcpy(out.RR_NextHopAddress.NHA_Mac, in.hop.data(), sizeof out.RR_NextHopAddress.NHA_Mac);
  out.RR_FamilySpecificData.FSD_Flags = in.specific.flags;
  out.RR_FamilySpecificData.FSD_TickCount = static_cast<USHORT>(in.specific.metric >> 16);
  out.RR_FamilySpecificData.FSD_HopCount = static_cast<USHORT>(in.specific.metric);
}

V1Route read_route(Family family, const void* route) {
  if (family == Family::kIpx) {
    return from_ipx(*static_cast<const RTM_IPX_ROUTE*>(route));
  }
  V1Route out;
  std::memcpy(&out, route, sizeof out);
  return out;
}

void write_route(Family family, const V1Route& route, void* out) {
  if (out == nullptr) {
    return;
  }
  if (family == Family::kIpx) {
    to_ipx(route, *static_cast<RTM_IPX_ROUTE*>(out));
  } else {
    std::memcpy(out, &route, sizeof route);
  }
}

// Only the routes that there are.
void write_change(Family family, const V1Change& change, DWORD* flags, void* current, void* previous) {
  *flags = change.what;
  if ((change.what & RTM_CURRENT_BEST_ROUTE) != 0) {
    write_route(family, change.current, current);
  }
  if ((change.what & RTM_PREVIOUS_BEST_ROUTE) != 0) {
    write_route(family, change.previous, previous);
  }
}

V1Route read_network(Family family, const void* network) {
  V1Route out;
  if (family == Family::kIpx) {
    out.network = static_cast<const IPX_NETWORK*>(network)->N_NetNumber;
    out.mask = ~0U;
  } else {
    out.network = static_cast<const IP_NETWORK*>(network)->N_NetNumber;
    out.mask = static_cast<const IP_NETWORK*>(network)->N_NetMask;
  }
  return out;
}

// What a caller wants of routes; without a route only "best" can be asked for.
bool is_good_criterion(DWORD flags, const void* route) {
  constexpr DWORD kNeedRoute = RTM_ONLY_THIS_NETWORK | RTM_ONLY_THIS_INTERFACE | RTM_ONLY_THIS_PROTOCOL;
  return (flags & ~(kNeedRoute | RTM_ONLY_BEST_ROUTES)) == 0 && ((flags & kNeedRoute) == 0 || route != nullptr);
}

// --- one call
// ------------------------------------------------------------------------------------------------------------

// Runs ask(table), which answers a code, for a handle of that kind.
template <class Ask>
DWORD call_as(HANDLE handle, Kind kind, Ask&& ask) noexcept {
  Table* table = World::instance().table_of(of(handle));
  if (table == nullptr || rtm::kind_of(of(handle)) != kind) {
    return ERROR_INVALID_HANDLE;
  }
  try {
    return ask(*table);
  } catch (const std::bad_alloc&) {
    return ERROR_NO_SYSTEM_RESOURCES;
  }
}

// Runs ask(table, family) for the table of a family; `empty` is the code where nobody has ever registered there.
template <class Ask>
DWORD read(DWORD family, DWORD empty, Ask&& ask) noexcept {
  if (family != RTM_PROTOCOL_FAMILY_IP && family != RTM_PROTOCOL_FAMILY_IPX) {
    return ERROR_INVALID_PARAMETER;
  }
  try {
    const auto table = World::instance().v1_table(family == RTM_PROTOCOL_FAMILY_IP ? AF_INET : AF_IPX);
    if (!table) {
      return code_of(table, kFamilyCodes);
    }
    return *table == nullptr ? empty : ask(**table, family_of(**table));
  } catch (const std::bad_alloc&) {
    return ERROR_NO_SYSTEM_RESOURCES;
  }
}

// The event stays open as long as the client is registered, whatever happens to the handle.
std::function<void(bool)> signal_of(win32::Ref<win32::Object> event) {
  return [event = std::move(event)](bool set) {
    auto& object = static_cast<win32::Event&>(*event);
    set ? object.set() : object.reset();
  };
}

DWORD register_client(DWORD family, DWORD protocol, HANDLE event, DWORD flags, Handle& handle) {
  if ((family != RTM_PROTOCOL_FAMILY_IP && family != RTM_PROTOCOL_FAMILY_IPX) ||
      (flags & ~DWORD{RTM_PROTOCOL_SINGLE_ROUTE}) != 0) {
    return ERROR_INVALID_PARAMETER;
  }
  std::function<void(bool)> signal;
  if (event != nullptr) {
    const auto held = win32::pin<win32::Event>(event);
    if (!held) {
      return ERROR_INVALID_PARAMETER;
    }
    signal = signal_of(win32::Ref<win32::Object>(held.get()));
  }
  const auto registered = World::instance().register_v1_client(family == RTM_PROTOCOL_FAMILY_IP ? AF_INET : AF_IPX,
                                                               protocol, flags != 0, std::move(signal));
  handle = registered.value_or(Handle::kNone);
  return code_of(registered, kFamilyCodes);
}

// First and next route alike.
template <class Find>
DWORD find_route(DWORD family, DWORD flags, void* route, Find&& find) {
  if (!is_good_criterion(flags, route) || route == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  return read(family, ERROR_NO_ROUTES, [&](Table& table, Family its) {
    V1Route found = read_route(its, route);
    const auto result = find(table, found);
    if (result) {
      write_route(its, found, route);
    }
    return code_of(result, kCodes);
  });
}

}  // namespace
}  // namespace turnpike::capi

using turnpike::capi::bad_parameter;
using turnpike::capi::call_as;
using turnpike::capi::code_of;
using turnpike::capi::Family;
using turnpike::capi::family_of;
using turnpike::capi::find_route;
using turnpike::capi::is_good_criterion;
using turnpike::capi::kCodes;
using turnpike::capi::kLongestLife;
using turnpike::capi::of;
using turnpike::capi::read;
using turnpike::capi::read_network;
using turnpike::capi::read_route;
using turnpike::capi::register_client;
using turnpike::capi::to;
using turnpike::capi::write_change;
using turnpike::capi::write_route;
using turnpike::rtm::Handle;
using turnpike::rtm::Kind;
using turnpike::rtm::Table;
using turnpike::rtm::V1Change;
using turnpike::rtm::V1Route;
using turnpike::runtime::World;
using turnpike::win32::fail_with;

extern "C" {

// --- clients
// -------------------------------------------------------------------------------------------------------------

HANDLE RtmRegisterClient(DWORD family, DWORD protocol, HANDLE event, DWORD flags) {
  Handle handle = Handle::kNone;
  DWORD code = ERROR_NO_SYSTEM_RESOURCES;
  try {
    code = register_client(family, protocol, event, flags, handle);
  } catch (const std::bad_alloc&) {
  }
  return code == NO_ERROR ? to(handle) : fail_with(code, HANDLE{nullptr});
}

DWORD RtmDeregisterClient(HANDLE client) {
  return call_as(client, Kind::kV1Client,
                 [&](Table& table) { return code_of(World::instance().deregister_entity(table, of(client)), kCodes); });
}

DWORD RtmDequeueRouteChangeMessage(HANDLE client, DWORD* flags, PVOID current, PVOID previous) {
  return call_as(client, Kind::kV1Client, [&](Table& table) -> DWORD {
    if (flags == nullptr) {
      return bad_parameter(table, of(client));
    }
    V1Change message;
    const auto more = table.v1().dequeue(of(client), message);
    if (!more) {
      return code_of(more, kCodes);
    }
    write_change(family_of(table), message, flags, current, previous);
    return *more ? ERROR_MORE_MESSAGES : NO_ERROR;
  });
}

// --- a client's routes
// ----------------------------------------------------------------------------------------------------

DWORD RtmAddRoute(HANDLE client, PVOID route, DWORD seconds, DWORD* flags, PVOID current, PVOID previous) {
  return call_as(client, Kind::kV1Client, [&](Table& table) -> DWORD {
    if (route == nullptr || flags == nullptr || seconds == 0 || (seconds > kLongestLife && seconds != INFINITE)) {
      return bad_parameter(table, of(client));
    }
    const Family family = family_of(table);
    V1Change change;
    const auto added = table.v1().add_route(of(client), read_route(family, route),
                                            seconds == INFINITE ? turnpike::rtm::kInfinite : seconds * 1000, change);
    if (added) {
      if (family == Family::kIp) turnpike::runtime::ForwarderHost::instance().routes_added();
      write_change(family, change, flags, current, previous);
    }
    return code_of(added, kCodes);
  });
}

DWORD RtmDeleteRoute(HANDLE client, PVOID route, DWORD* flags, PVOID current) {
  return call_as(client, Kind::kV1Client, [&](Table& table) -> DWORD {
    if (route == nullptr || flags == nullptr) {
      return bad_parameter(table, of(client));
    }
    const Family family = family_of(table);
    V1Change change;
    const auto deleted = table.v1().delete_route(of(client), read_route(family, route), change);
    if (deleted) {
      write_change(family, change, flags, current, nullptr);
    }
    return code_of(deleted, kCodes);
  });
}

DWORD RtmBlockDeleteRoutes(HANDLE client, DWORD flags, PVOID criteria) {
  return call_as(client, Kind::kV1Client, [&](Table& table) -> DWORD {
    if (!is_good_criterion(flags, criteria)) {
      return bad_parameter(table, of(client));
    }
    const V1Route wanted = criteria != nullptr ? read_route(family_of(table), criteria) : V1Route();
    return code_of(table.v1().delete_routes(of(client), flags, wanted), kCodes);
  });
}

// --- questions
// -----------------------------------------------------------------------------------------------------------

BOOL RtmIsRoute(DWORD family, PVOID network, PVOID best) {
  const DWORD code =
      network == nullptr ? ERROR_INVALID_PARAMETER : read(family, ERROR_NO_ROUTES, [&](Table& table, Family its) {
        V1Route found;
        const auto result = table.v1().best_route(read_network(its, network), found);
        if (result) {
          write_route(its, found, best);
        }
        return code_of(result, kCodes);
      });
  return code == NO_ERROR ? TRUE : fail_with(code == ERROR_NO_ROUTES ? NO_ERROR : code, FALSE);
}

ULONG RtmGetNetworkCount(DWORD family) {
  ULONG count = 0;
  const DWORD code = read(family, NO_ERROR, [&](Table& table, Family) {
    count = static_cast<ULONG>(table.v1().network_count());
    return DWORD{NO_ERROR};
  });
  return count != 0 ? count : fail_with(code, ULONG{0});
}

ULONG RtmGetRouteAge(PVOID route) {
  constexpr std::uint64_t kTicksASecond = 10'000'000;
  if (route == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, ULONG{INFINITE});
  }
  FILETIME stamp;  // where every family has it
  std::memcpy(&stamp, route, sizeof stamp);
  const std::uint64_t since = std::uint64_t{stamp.dwHighDateTime} << 32 | stamp.dwLowDateTime;
  const std::uint64_t now = World::instance().file_time();
  if (since == 0 || since > now) {
    return fail_with(ERROR_INVALID_PARAMETER, ULONG{INFINITE});
  }
  return static_cast<ULONG>((now - since) / kTicksASecond);
}

BOOL RtmLookupIPDestination(DWORD address, PRTM_IP_ROUTE route) {
  const DWORD code = route == nullptr ? ERROR_INVALID_PARAMETER
                                      : read(RTM_PROTOCOL_FAMILY_IP, ERROR_NO_ROUTES, [&](Table& table, Family its) {
                                          V1Route found;
                                          const auto result = table.v1().longest_match(address, found);
                                          if (result) {
                                            write_route(its, found, route);
                                          }
                                          return code_of(result, kCodes);
                                        });
  return code == NO_ERROR ? TRUE : fail_with(code == ERROR_NO_ROUTES ? NO_ERROR : code, FALSE);
}

// --- enumeration
// ---------------------------------------------------------------------------------------------------------

HANDLE RtmCreateEnumerationHandle(DWORD family, DWORD flags, PVOID criteria) {
  HANDLE handle = nullptr;
  DWORD code = ERROR_INVALID_PARAMETER;
  if (is_good_criterion(flags, criteria)) {
    code = read(family, ERROR_NO_ROUTES, [&](Table& table, Family its) {
      const auto made =
          table.v1().create_enumeration(flags, criteria != nullptr ? read_route(its, criteria) : V1Route());
      handle = to(made.value_or(Handle::kNone));
      return code_of(made, kCodes);
    });
  }
  return code == NO_ERROR ? handle : fail_with(code, HANDLE{nullptr});
}

DWORD RtmEnumerateGetNextRoute(HANDLE enumeration, PVOID route) {
  return call_as(enumeration, Kind::kV1Enumeration, [&](Table& table) -> DWORD {
    V1Route found;
    if (route == nullptr) {
      return table.v1().is_enumeration(of(enumeration)) ? ERROR_INVALID_PARAMETER : ERROR_INVALID_HANDLE;
    }
    const auto result = table.v1().enumerate(of(enumeration), found);
    if (result) {
      write_route(family_of(table), found, route);
    }
    return code_of(result, kCodes);
  });
}

DWORD RtmCloseEnumerationHandle(HANDLE enumeration) {
  return call_as(enumeration, Kind::kV1Enumeration,
                 [&](Table& table) { return code_of(table.v1().close_enumeration(of(enumeration)), kCodes); });
}

DWORD RtmGetFirstRoute(DWORD family, DWORD flags, PVOID route) {
  return find_route(family, flags, route,
                    [&](Table& table, V1Route& found) { return table.v1().first_route(flags, found); });
}

DWORD RtmGetNextRoute(DWORD family, DWORD flags, PVOID route) {
  return find_route(family, flags, route,
                    [&](Table& table, V1Route& found) { return table.v1().next_route(flags, found); });
}

}  // extern "C"
