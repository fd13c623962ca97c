// The C face of RTMv2: rtmv2.h over rtm::Table.
//
// Every function has the same shape: find the table that the registration handle speaks of, check what the contract
// wants checked before the table is asked (pointers, counts), ask, and turn the answer into the documented code.
// Structures pass as they are: those of the table have the layout of the documented ones, which is asserted below.
//
// A caller that is no client learns that first (rule G1), whatever else is wrong with the call: `bad_parameter` looks.
#include <rtmv2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/log.h"
#include "capi/rtm_call.h"
#include "runtime/forwarder_host.h"

namespace turnpike::capi {

// Beside those of rtm_call.h, so that one name finds them all.
static const rtm::NetAddress* of(const RTM_NET_ADDRESS* address) {
  return reinterpret_cast<const rtm::NetAddress*>(address);
}
static rtm::DestImage& of(RTM_DEST_INFO& info) { return reinterpret_cast<rtm::DestImage&>(info); }

namespace {

using rtm::DestImage;
using rtm::Handle;
using rtm::Kind;
using rtm::NextHopImage;
using rtm::RouteImage;
using rtm::Table;
using runtime::World;

// --- the layouts are the same
// ------------------------------------------------------------------------------------------

static_assert(sizeof(HANDLE) == sizeof(Handle));
static_assert(sizeof(RTM_NET_ADDRESS) == sizeof(rtm::NetAddress) && sizeof(FILETIME) == sizeof(rtm::FileTime));
static_assert(offsetof(RTM_NET_ADDRESS, NumBits) == offsetof(rtm::NetAddress, bits));
static_assert(offsetof(RTM_NET_ADDRESS, AddrBits) == offsetof(rtm::NetAddress, address));
static_assert(sizeof(RTM_DEST_INFO) == sizeof(DestImage) && RTM_BASIC_DEST_INFO_SIZE == rtm::kDestImageBase);
static_assert(offsetof(RTM_DEST_INFO, DestAddress) == offsetof(DestImage, address));
static_assert(offsetof(RTM_DEST_INFO, LastChanged) == offsetof(DestImage, last_changed));
static_assert(offsetof(RTM_DEST_INFO, BelongsToViews) == offsetof(DestImage, views));
static_assert(offsetof(RTM_DEST_INFO, NumberOfViews) == offsetof(DestImage, view_count));
static_assert(offsetof(RTM_DEST_INFO, ViewInfo[0].NumRoutes) == offsetof(DestImage, view[0].route_count));
static_assert(offsetof(RTM_DEST_INFO, ViewInfo[0].Route) == offsetof(DestImage, view[0].route));
static_assert(offsetof(RTM_DEST_INFO, ViewInfo[0].Owner) == offsetof(DestImage, view[0].owner));
static_assert(offsetof(RTM_DEST_INFO, ViewInfo[0].DestFlags) == offsetof(DestImage, view[0].flags));
static_assert(offsetof(RTM_DEST_INFO, ViewInfo[0].HoldRoute) == offsetof(DestImage, view[0].hold_route));
static_assert(sizeof(RTM_ROUTE_INFO) == sizeof(RouteImage) && sizeof(RTM_PREF_INFO) == sizeof(rtm::Preference));
static_assert(offsetof(RTM_ROUTE_INFO, RouteOwner) == offsetof(RouteImage, owner));
static_assert(offsetof(RTM_ROUTE_INFO, Neighbour) == offsetof(RouteImage, neighbour));
static_assert(offsetof(RTM_ROUTE_INFO, State) == offsetof(RouteImage, state));
static_assert(offsetof(RTM_ROUTE_INFO, Flags1) == offsetof(RouteImage, flags1));
static_assert(offsetof(RTM_ROUTE_INFO, Flags) == offsetof(RouteImage, flags));
static_assert(offsetof(RTM_ROUTE_INFO, PrefInfo) == offsetof(RouteImage, preference));
static_assert(offsetof(RTM_ROUTE_INFO, BelongsToViews) == offsetof(RouteImage, views));
static_assert(offsetof(RTM_ROUTE_INFO, EntitySpecificInfo) == offsetof(RouteImage, entity_specific));
static_assert(offsetof(RTM_ROUTE_INFO, NextHopsList.NumNextHops) == offsetof(RouteImage, hop_count));
static_assert(offsetof(RTM_ROUTE_INFO, NextHopsList.NextHops) == offsetof(RouteImage, hops));
static_assert(sizeof(RTM_NEXTHOP_INFO) == sizeof(NextHopImage));
static_assert(offsetof(RTM_NEXTHOP_INFO, NextHopOwner) == offsetof(NextHopImage, owner));
static_assert(offsetof(RTM_NEXTHOP_INFO, InterfaceIndex) == offsetof(NextHopImage, interface_index));
static_assert(offsetof(RTM_NEXTHOP_INFO, State) == offsetof(NextHopImage, state));
static_assert(offsetof(RTM_NEXTHOP_INFO, Flags) == offsetof(NextHopImage, flags));
static_assert(offsetof(RTM_NEXTHOP_INFO, EntitySpecificInfo) == offsetof(NextHopImage, entity_specific));
static_assert(offsetof(RTM_NEXTHOP_INFO, RemoteNextHop) == offsetof(NextHopImage, remote));

std::byte* bytes_of(RTM_DEST_INFO* infos) { return reinterpret_cast<std::byte*>(infos); }
std::span<Handle> into(HANDLE* handles, UINT count) { return {reinterpret_cast<Handle*>(handles), count}; }

// --- one call
// ------------------------------------------------------------------------------------------------------------

DWORD unsupported(Table& table, Handle self) {
  return table.is_client(self) ? ERROR_NOT_SUPPORTED : ERROR_INVALID_HANDLE;
}

bool in_entity_event() {
  const auto event = Table::current_event();
  return event == rtm::EventType::kEntityRegistered || event == rtm::EventType::kEntityDeregistered;
}

bool is_batch(const Table& table, UINT count) { return count != 0 && count <= table.config().max_handles_in_enum; }

// For the functions that fetch into the caller's array: checks the count (G10), fetches, and says how many.
template <class Fetch>
DWORD fetch(HANDLE self, UINT* count, const void* out, Fetch&& fetch_some) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (count == nullptr || out == nullptr || !is_batch(table, *count)) {
      return bad_parameter(table, caller);
    }
    const Result<std::uint32_t> fetched = fetch_some(table, caller, *count);
    if (fetched) {
      *count = *fetched;
      return NO_ERROR;
    }
    if (fetched.error().kind == ErrorKind::kNoMoreItems) {
      *count = 0;
    }
    return code_of(fetched.error());
  });
}

// For the functions that give back an array of handles.
template <class Release>
DWORD release(HANDLE self, const void* array, UINT count, Release&& release_all) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (array == nullptr && count != 0) {
      return bad_parameter(table, caller);
    }
    return code_of(release_all(table, caller));
  });
}

// For the functions that write a value where the caller wants it.
template <class T, class Ask>
DWORD answer(HANDLE self, T* out, Ask&& ask) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (out == nullptr) {
      return bad_parameter(table, caller);
    }
    const auto result = ask(table, caller);
    if (!result) {
      return code_of(result.error());
    }
    *out = static_cast<T>(*result);
    return NO_ERROR;
  });
}
template <class Ask>
DWORD answer_handle(HANDLE self, HANDLE* out, Ask&& ask, const CodeMap& codes = {}) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (out == nullptr) {
      return bad_parameter(table, caller);
    }
    const Result<Handle> result = ask(table, caller);
    if (!result) {
      return code_of(result.error(), codes);
    }
    *out = to(*result);
    return NO_ERROR;
  });
}

std::optional<rtm::RouteCriteria> criteria_from(RTM_MATCH_FLAGS flags, const RTM_ROUTE_INFO* route,
                                                ULONG interface_index) {
  constexpr RTM_MATCH_FLAGS kNeedRoute = RTM_MATCH_OWNER | RTM_MATCH_NEIGHBOUR | RTM_MATCH_PREF | RTM_MATCH_NEXTHOP;
  rtm::RouteCriteria criteria;
  criteria.flags = flags;
  criteria.interface_index = interface_index;
  if ((flags & ~RTM_MATCH_FULL) != 0 || ((flags & kNeedRoute) != 0 && route == nullptr)) {
    return std::nullopt;
  }
  if ((flags & kNeedRoute) == 0) {
    return criteria;
  }
  if ((flags & RTM_MATCH_NEXTHOP) != 0) {
    if (route->NextHopsList.NumNextHops == 0) {
      return std::nullopt;
    }
    criteria.hop = of(route->NextHopsList.NextHops[0]);
  }
  criteria.owner = of(route->RouteOwner);
  criteria.neighbour = of(route->Neighbour);
  criteria.preference = {route->PrefInfo.Metric, route->PrefInfo.Preference};
  return criteria;
}

// --- registration and methods
// --------------------------------------------------------------------------------------------

RTM_ENTITY_INFO to_c(const rtm::EntityInfo& info) {
  RTM_ENTITY_INFO out = {};
  out.RtmInstanceId = info.instance;
  out.AddressFamily = info.family;
  out.EntityId.EntityProtocolId = info.protocol;
  out.EntityId.EntityInstanceId = info.protocol_instance;
  return out;
}

rtm::EventHandler handler_of(RTM_EVENT_CALLBACK callback) {
  if (callback == nullptr) {
    return nullptr;
  }
  return [callback](Handle self, const rtm::Event& event) -> std::uint32_t {
    const auto type = static_cast<RTM_EVENT_TYPE>(event.type);
    if (type == RTM_ENTITY_REGISTERED || type == RTM_ENTITY_DEREGISTERED) {
      RTM_ENTITY_INFO info = to_c(*static_cast<const rtm::EntityInfo*>(event.context));
      return callback(to(self), type, to(event.subject), &info);
    }
    return callback(to(self), type, to(event.subject), event.context);
  };
}

// One record of RtmInvokeMethod: header, data, and where the next one begins.
constexpr std::size_t kOutputHeader = offsetof(RTM_ENTITY_METHOD_OUTPUT, OutputData);

void run_method(RTM_ENTITY_EXPORT_METHOD method, HANDLE caller, HANDLE callee, RTM_ENTITY_METHOD_INPUT* input,
                RTM_ENTITY_METHOD_OUTPUT* record) {
  const UINT room = record->OutputSize;
  try {
    method(caller, callee, input, record);
  } catch (...) {
    TURNPIKE_LOG(LogLevel::kError, "rtm", "a client's method threw", {"method", record->MethodType});
    record->MethodStatus = ERROR_GEN_FAILURE;
    record->OutputSize = 0;
  }
  record->OutputSize = std::min(record->OutputSize, room);
}

DWORD run_methods(std::span<const rtm::AnyFunction> methods, HANDLE caller, HANDLE callee,
                  RTM_ENTITY_METHOD_INPUT* input, UINT* size, RTM_ENTITY_METHOD_OUTPUT* output) {
  const std::size_t capacity = *size;
  std::size_t begin = 0;
  std::size_t produced = 0;
  DWORD status = NO_ERROR;
  for (std::size_t i = 0; i < methods.size() && status == NO_ERROR; ++i) {
    if ((input->MethodType >> i & 1) == 0 || methods[i] == nullptr) {
      continue;
    }
    if (begin + kOutputHeader > capacity) {
      status = ERROR_INSUFFICIENT_BUFFER;
      break;
    }
    auto* record = reinterpret_cast<RTM_ENTITY_METHOD_OUTPUT*>(reinterpret_cast<std::byte*>(output) + begin);
    record->MethodType = 1U << i;
    record->MethodStatus = NO_ERROR;
    record->OutputSize = static_cast<UINT>(capacity - begin - kOutputHeader);
    run_method(reinterpret_cast<RTM_ENTITY_EXPORT_METHOD>(methods[i]), caller, callee, input, record);
    produced = begin + kOutputHeader + record->OutputSize;
    begin = (produced + 3) / 4 * 4;
  }
  *size = static_cast<UINT>(produced);
  return status;
}

}  // namespace
}  // namespace turnpike::capi

namespace rtm = turnpike::rtm;
using rtm::Handle;
using rtm::Kind;
using rtm::NextHopImage;
using rtm::RouteImage;
using rtm::Table;
using turnpike::capi::answer;
using turnpike::capi::answer_handle;
using turnpike::capi::bad_parameter;
using turnpike::capi::bytes_of;
using turnpike::capi::call;
using turnpike::capi::code_of;
using turnpike::capi::criteria_from;
using turnpike::capi::fetch;
using turnpike::capi::handler_of;
using turnpike::capi::in_entity_event;
using turnpike::capi::into;
using turnpike::capi::kChangeRegistrationCodes;
using turnpike::capi::kRegisterCodes;
using turnpike::capi::of;
using turnpike::capi::release;
using turnpike::capi::run_methods;
using turnpike::capi::to;
using turnpike::capi::to_c;
using turnpike::capi::unsupported;
using turnpike::runtime::World;

extern "C" {

// --- registration
// --------------------------------------------------------------------------------------------------------

DWORD RtmRegisterEntity(PRTM_ENTITY_INFO info, PRTM_ENTITY_EXPORT_METHODS methods, RTM_EVENT_CALLBACK callback,
                        BOOL reserve_opaque, PRTM_REGN_PROFILE profile, PRTM_ENTITY_HANDLE handle) {
  if (info == nullptr || profile == nullptr || handle == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  if (methods != nullptr && methods->NumMethods > 32) {
    return ERROR_INVALID_DATA;
  }
  if (in_entity_event()) {
    return ERROR_NOT_SUPPORTED;
  }
  try {
    rtm::Registration registration{.protocol = info->EntityId.EntityProtocolId,
                                   .protocol_instance = info->EntityId.EntityInstanceId,
                                   .methods = {},
                                   .handler = handler_of(callback),
                                   .reserve_opaque = reserve_opaque != FALSE};
    for (UINT i = 0; methods != nullptr && i < methods->NumMethods; ++i) {
      registration.methods.push_back(reinterpret_cast<rtm::AnyFunction>(methods->Methods[i]));
    }
    Table* table = nullptr;
    const auto registered =
        World::instance().register_entity(info->RtmInstanceId, info->AddressFamily, std::move(registration), table);
    if (!registered) {
      return code_of(registered.error(), kRegisterCodes);
    }
    const rtm::Config& config = table->config();
    *profile = {config.max_next_hops, config.max_handles_in_enum, config.views, config.view_count()};
    *handle = to(*registered);
    return NO_ERROR;
  } catch (const std::bad_alloc&) {
    return ERROR_NOT_ENOUGH_MEMORY;
  }
}

DWORD RtmDeregisterEntity(RTM_ENTITY_HANDLE self) {
  return call(self, [](Table& table, Handle caller) -> DWORD {
    if (in_entity_event() || Table::current_event() == rtm::EventType::kChangeNotification ||
        table.runs_own_method(caller)) {
      return unsupported(table, caller);
    }
    return code_of(World::instance().deregister_entity(table, caller));
  });
}

DWORD RtmGetRegisteredEntities(RTM_ENTITY_HANDLE self, PUINT count, PRTM_ENTITY_HANDLE handles,
                               PRTM_ENTITY_INFO infos) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (count == nullptr) {
      return bad_parameter(table, caller);
    }
    if (in_entity_event()) {
      return unsupported(table, caller);
    }
    const UINT capacity = *count;
    std::size_t all = 0;
    UINT filled = 0;
    const auto done = table.for_each_entity(caller, [&](std::size_t total, Handle entity, const rtm::EntityInfo& info) {
      all = total;
      if (filled == capacity) {
        return false;
      }
      if (infos != nullptr) {
        infos[filled] = to_c(info);
      }
      if (handles != nullptr) {
        handles[filled] = to(entity);
      }
      ++filled;
      return handles != nullptr;
    });
    if (!done) {
      return code_of(done.error());
    }
    *count = capacity == 0 ? static_cast<UINT>(all) : filled;
    return filled == all ? NO_ERROR : ERROR_INSUFFICIENT_BUFFER;
  });
}

DWORD RtmReleaseEntities(RTM_ENTITY_HANDLE self, UINT count, PRTM_ENTITY_HANDLE handles) {
  return release(self, handles, count,
                 [&](Table& table, Handle caller) { return table.release_entities(caller, of(handles, count)); });
}

// --- opaque pointers
// -------------------------------------------------------------------------------------------------------

DWORD RtmLockDestination(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE dest, BOOL exclusive, BOOL lock) {
  return call(self, [&](Table& table, Handle caller) {
    const bool writing = exclusive != FALSE;
    return code_of(lock != FALSE ? table.lock_destination(caller, of(dest), writing)
                                 : table.unlock_destination(caller, of(dest), writing));
  });
}

DWORD RtmGetOpaqueInformationPointer(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE dest, PVOID* slot) {
  return answer(self, slot, [&](Table& table, Handle caller) { return table.opaque_slot(caller, of(dest)); });
}

// --- methods
// ---------------------------------------------------------------------------------------------------------------

DWORD RtmGetEntityMethods(RTM_ENTITY_HANDLE self, RTM_ENTITY_HANDLE entity, PUINT count,
                          PRTM_ENTITY_EXPORT_METHOD methods) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (count == nullptr || (methods == nullptr && *count != 0)) {
      return bad_parameter(table, caller);
    }
    const auto exported = table.entity_methods(caller, of(entity));
    if (!exported) {
      return code_of(exported.error());
    }
    const UINT capacity = *count;
    const auto total = static_cast<UINT>(exported->size());
    *count = capacity == 0 ? total : std::min(capacity, total);
    for (UINT i = 0; i < std::min(capacity, total); ++i) {
      methods[i] = reinterpret_cast<RTM_ENTITY_EXPORT_METHOD>((*exported)[i]);
    }
    return capacity != 0 && capacity < total ? ERROR_INSUFFICIENT_BUFFER : NO_ERROR;
  });
}

DWORD RtmInvokeMethod(RTM_ENTITY_HANDLE self, RTM_ENTITY_HANDLE entity, PRTM_ENTITY_METHOD_INPUT input, PUINT size,
                      PRTM_ENTITY_METHOD_OUTPUT output) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (input == nullptr || size == nullptr || (output == nullptr && *size != 0)) {
      return bad_parameter(table, caller);
    }
    const auto methods = table.enter_methods(caller, of(entity));
    if (!methods) {
      return code_of(methods.error());
    }
    const DWORD status = run_methods(*methods, self, entity, input, size, output);
    table.leave_methods(of(entity));
    return status;
  });
}

DWORD RtmBlockMethods(RTM_ENTITY_HANDLE self, HANDLE target, UCHAR type, DWORD flag) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    constexpr std::array kTargets = {Kind::kNone, Kind::kDestination, Kind::kRoute, Kind::kNextHop};
    if (flag != RTM_BLOCK_METHODS && flag != RTM_RESUME_METHODS) {
      return bad_parameter(table, caller);
    }
    if (target != nullptr && type != 0 && type < kTargets.size() && !table.is_alive(kTargets[type], of(target))) {
      return ERROR_INVALID_HANDLE;
    }
    return code_of(table.block_methods(caller, flag == RTM_BLOCK_METHODS));
  });
}

// --- handle to information
// -----------------------------------------------------------------------------------------------

DWORD RtmGetEntityInfo(RTM_ENTITY_HANDLE self, RTM_ENTITY_HANDLE entity, PRTM_ENTITY_INFO out) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (out == nullptr) {
      return bad_parameter(table, caller);
    }
    const auto info = table.entity_info(caller, of(entity));
    if (!info) {
      return code_of(info.error());
    }
    *out = to_c(*info);
    return NO_ERROR;
  });
}

DWORD RtmGetDestInfo(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE dest, ULONG protocol, RTM_VIEW_SET views,
                     PRTM_DEST_INFO out) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (out == nullptr) {
      return bad_parameter(table, caller);
    }
    return code_of(table.dest_info(caller, of(dest), protocol, views, of(*out)));
  });
}

DWORD RtmGetRouteInfo(RTM_ENTITY_HANDLE self, RTM_ROUTE_HANDLE route, PRTM_ROUTE_INFO out, PRTM_NET_ADDRESS address) {
  return call(self, [&](Table& table, Handle caller) {
    return code_of(table.route_info(caller, of(route), reinterpret_cast<RouteImage*>(out),
                                    reinterpret_cast<rtm::NetAddress*>(address)));
  });
}

DWORD RtmGetNextHopInfo(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE hop, PRTM_NEXTHOP_INFO out) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (out == nullptr) {
      return bad_parameter(table, caller);
    }
    return code_of(table.next_hop_info(caller, of(hop), reinterpret_cast<NextHopImage&>(*out)));
  });
}

DWORD RtmReleaseEntityInfo(RTM_ENTITY_HANDLE self, PRTM_ENTITY_INFO info) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    return info == nullptr ? bad_parameter(table, caller) : table.is_client(caller) ? NO_ERROR : ERROR_INVALID_HANDLE;
  });
}

DWORD RtmReleaseDestInfo(RTM_ENTITY_HANDLE self, PRTM_DEST_INFO info) {
  return release(self, info, 1,
                 [&](Table& table, Handle caller) { return table.release_dest_infos(caller, 1, bytes_of(info)); });
}

DWORD RtmReleaseRouteInfo(RTM_ENTITY_HANDLE self, PRTM_ROUTE_INFO info) {
  return release(self, info, 1, [&](Table& table, Handle caller) {
    return table.release_route_info(caller, reinterpret_cast<const RouteImage&>(*info));
  });
}

DWORD RtmReleaseNextHopInfo(RTM_ENTITY_HANDLE self, PRTM_NEXTHOP_INFO info) {
  return release(self, info, 1, [&](Table& table, Handle caller) {
    return table.release_next_hop_info(caller, reinterpret_cast<const NextHopImage&>(*info));
  });
}

// --- routes
// --------------------------------------------------------------------------------------------------------------

DWORD RtmAddRouteToDest(RTM_ENTITY_HANDLE self, PRTM_ROUTE_HANDLE handle, PRTM_NET_ADDRESS address,
                        PRTM_ROUTE_INFO info, ULONG time_to_live, RTM_ROUTE_LIST_HANDLE list, RTM_NOTIFY_FLAGS,
                        RTM_NOTIFY_HANDLE, PRTM_ROUTE_CHANGE_FLAGS flags) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (address == nullptr || info == nullptr || flags == nullptr ||
        info->NextHopsList.NumNextHops > table.config().max_next_hops) {
      return bad_parameter(table, caller);
    }
    const rtm::RouteRequest request{.neighbour = of(info->Neighbour),
                                    .flags = info->Flags,
                                    .flags1 = info->Flags1,
                                    .preference = {info->PrefInfo.Metric, info->PrefInfo.Preference},
                                    .views = info->BelongsToViews,
                                    .entity_specific = info->EntitySpecificInfo,
                                    .hops = of(info->NextHopsList.NextHops, info->NextHopsList.NumNextHops),
                                    .time_to_live = time_to_live,
                                    .list = of(list),
                                    .change_flags = *flags};
    const Handle named = handle != nullptr ? of(*handle) : Handle::kNone;
    const auto added = table.add_route(caller, named, of(*address), request, handle != nullptr);
    if (!added) {
      return code_of(added.error());
    }
    turnpike::runtime::ForwarderHost::instance().routes_added();
    if (handle != nullptr) {
      *handle = to(added->route);
    }
    *flags = added->change_flags;
    return NO_ERROR;
  });
}

DWORD RtmDeleteRouteToDest(RTM_ENTITY_HANDLE self, RTM_ROUTE_HANDLE route, PRTM_ROUTE_CHANGE_FLAGS flags) {
  return answer(self, flags, [&](Table& table, Handle caller) { return table.delete_route(caller, of(route)); });
}

DWORD RtmHoldDestination(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE dest, RTM_VIEW_SET views, ULONG time) {
  return call(self, [&](Table& table, Handle caller) {
    return code_of(table.hold_destination(caller, of(dest), views, time));
  });
}

DWORD RtmGetRoutePointer(RTM_ENTITY_HANDLE self, RTM_ROUTE_HANDLE route, PRTM_ROUTE_INFO* pointer) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (pointer == nullptr) {
      return bad_parameter(table, caller);
    }
    const auto image = table.route_pointer(caller, of(route));
    if (!image) {
      return code_of(image.error());
    }
    *pointer = reinterpret_cast<PRTM_ROUTE_INFO>(*image);
    return NO_ERROR;
  });
}

DWORD RtmLockRoute(RTM_ENTITY_HANDLE self, RTM_ROUTE_HANDLE route, BOOL exclusive, BOOL lock,
                   PRTM_ROUTE_INFO* pointer) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (lock == FALSE) {
      return code_of(table.unlock_route(caller, of(route), exclusive != FALSE));
    }
    const auto image = table.lock_route(caller, of(route), exclusive != FALSE, pointer != nullptr);
    if (image && pointer != nullptr) {
      *pointer = reinterpret_cast<PRTM_ROUTE_INFO>(*image);
    }
    return code_of(image);
  });
}

DWORD RtmUpdateAndUnlockRoute(RTM_ENTITY_HANDLE self, RTM_ROUTE_HANDLE route, ULONG time_to_live,
                              RTM_ROUTE_LIST_HANDLE list, RTM_NOTIFY_FLAGS, RTM_NOTIFY_HANDLE,
                              PRTM_ROUTE_CHANGE_FLAGS flags) {
  return answer(self, flags, [&](Table& table, Handle caller) {
    return table.update_and_unlock_route(caller, of(route), time_to_live, of(list));
  });
}

// --- searching
// -----------------------------------------------------------------------------------------------------------

DWORD RtmGetExactMatchDestination(RTM_ENTITY_HANDLE self, PRTM_NET_ADDRESS address, ULONG protocol, RTM_VIEW_SET views,
                                  PRTM_DEST_INFO out) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (address == nullptr || out == nullptr) {
      return bad_parameter(table, caller);
    }
    return code_of(table.exact_destination(caller, of(*address), protocol, views, of(*out)));
  });
}

DWORD RtmGetMostSpecificDestination(RTM_ENTITY_HANDLE self, PRTM_NET_ADDRESS address, ULONG protocol,
                                    RTM_VIEW_SET views, PRTM_DEST_INFO out) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (address == nullptr || out == nullptr) {
      return bad_parameter(table, caller);
    }
    return code_of(table.most_specific_destination(caller, of(*address), protocol, views, of(*out)));
  });
}

DWORD RtmGetLessSpecificDestination(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE dest, ULONG protocol, RTM_VIEW_SET views,
                                    PRTM_DEST_INFO out) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (out == nullptr) {
      return bad_parameter(table, caller);
    }
    return code_of(table.less_specific_destination(caller, of(dest), protocol, views, of(*out)));
  });
}

DWORD RtmGetExactMatchRoute(RTM_ENTITY_HANDLE self, PRTM_NET_ADDRESS address, RTM_MATCH_FLAGS flags,
                            PRTM_ROUTE_INFO route, ULONG interface_index, RTM_VIEW_SET views,
                            PRTM_ROUTE_HANDLE handle) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    const auto criteria = criteria_from(flags, route, interface_index);
    if (address == nullptr || route == nullptr || !criteria) {
      return bad_parameter(table, caller);
    }
    const auto found = table.exact_route(caller, of(*address), *criteria, views, reinterpret_cast<RouteImage*>(route),
                                         handle != nullptr);
    if (found && handle != nullptr) {
      *handle = to(*found);
    }
    return code_of(found);
  });
}

DWORD RtmIsBestRoute(RTM_ENTITY_HANDLE self, RTM_ROUTE_HANDLE route, PRTM_VIEW_SET views) {
  return answer(self, views, [&](Table& table, Handle caller) { return table.best_in_views(caller, of(route)); });
}

// --- next hops
// -----------------------------------------------------------------------------------------------------------

DWORD RtmAddNextHop(RTM_ENTITY_HANDLE self, PRTM_NEXTHOP_INFO info, PRTM_NEXTHOP_HANDLE handle,
                    PRTM_NEXTHOP_CHANGE_FLAGS flags) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (info == nullptr || flags == nullptr) {
      return bad_parameter(table, caller);
    }
    const rtm::NextHopRequest request{.address = of(info->NextHopAddress),
                                      .interface_index = info->InterfaceIndex,
                                      .flags = info->Flags,
                                      .entity_specific = info->EntitySpecificInfo,
                                      .remote = of(info->RemoteNextHop)};
    const Handle named = handle != nullptr ? of(*handle) : Handle::kNone;
    const auto added = table.add_next_hop(caller, named, request, handle != nullptr);
    if (!added) {
      return code_of(added.error());
    }
    if (handle != nullptr) {
      *handle = to(added->first);
    }
    *flags = added->second ? RTM_NEXTHOP_CHANGE_NEW : 0;
    return NO_ERROR;
  });
}

DWORD RtmFindNextHop(RTM_ENTITY_HANDLE self, PRTM_NEXTHOP_INFO info, PRTM_NEXTHOP_HANDLE handle,
                     PRTM_NEXTHOP_INFO* pointer) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (info == nullptr) {
      return bad_parameter(table, caller);
    }
    const auto found = table.find_next_hop(caller, of(info->NextHopAddress), info->InterfaceIndex, handle != nullptr,
                                           pointer != nullptr);
    if (!found) {
      return code_of(found.error());
    }
    if (handle != nullptr) {
      *handle = to(found->first);
    }
    if (pointer != nullptr) {
      *pointer = reinterpret_cast<PRTM_NEXTHOP_INFO>(found->second);
    }
    return NO_ERROR;
  });
}

DWORD RtmDeleteNextHop(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE hop, PRTM_NEXTHOP_INFO info) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (hop == nullptr && info == nullptr) {
      return bad_parameter(table, caller);
    }
    return code_of(hop != nullptr ? table.delete_next_hop(caller, of(hop))
                                  : table.delete_next_hop(caller, of(info->NextHopAddress), info->InterfaceIndex));
  });
}

DWORD RtmGetNextHopPointer(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE hop, PRTM_NEXTHOP_INFO* pointer) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (pointer == nullptr) {
      return bad_parameter(table, caller);
    }
    const auto image = table.next_hop_pointer(caller, of(hop));
    if (!image) {
      return code_of(image.error());
    }
    *pointer = reinterpret_cast<PRTM_NEXTHOP_INFO>(*image);
    return NO_ERROR;
  });
}

DWORD RtmLockNextHop(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE hop, BOOL exclusive, BOOL lock,
                     PRTM_NEXTHOP_INFO* pointer) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    if (lock == FALSE) {
      return code_of(table.unlock_next_hop(caller, of(hop), exclusive != FALSE));
    }
    const auto image = table.lock_next_hop(caller, of(hop), exclusive != FALSE, pointer != nullptr);
    if (image && pointer != nullptr) {
      *pointer = reinterpret_cast<PRTM_NEXTHOP_INFO>(*image);
    }
    return code_of(image);
  });
}

// --- enumerations
// --------------------------------------------------------------------------------------------------------

DWORD RtmCreateDestEnum(RTM_ENTITY_HANDLE self, RTM_VIEW_SET views, RTM_ENUM_FLAGS flags, PRTM_NET_ADDRESS address,
                        ULONG protocol, PRTM_ENUM_HANDLE handle) {
  return answer_handle(self, handle, [&](Table& table, Handle caller) {
    return table.create_dest_enum(caller, views, flags, of(address), protocol);
  });
}

DWORD RtmGetEnumDests(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE handle, PUINT count, PRTM_DEST_INFO infos) {
  return fetch(self, count, infos, [&](Table& table, Handle caller, UINT capacity) {
    return table.next_dests(caller, of(handle), capacity, bytes_of(infos));
  });
}

DWORD RtmReleaseDests(RTM_ENTITY_HANDLE self, UINT count, PRTM_DEST_INFO infos) {
  return release(self, infos, count,
                 [&](Table& table, Handle caller) { return table.release_dest_infos(caller, count, bytes_of(infos)); });
}

DWORD RtmCreateRouteEnum(RTM_ENTITY_HANDLE self, RTM_DEST_HANDLE dest, RTM_VIEW_SET views, RTM_ENUM_FLAGS flags,
                         PRTM_NET_ADDRESS address, RTM_MATCH_FLAGS matching, PRTM_ROUTE_INFO route,
                         ULONG interface_index, PRTM_ENUM_HANDLE handle) {
  return call(self, [&](Table& table, Handle caller) -> DWORD {
    const auto criteria = criteria_from(matching, route, interface_index);
    if (handle == nullptr || !criteria) {
      return bad_parameter(table, caller);
    }
    const auto made = table.create_route_enum(caller, of(dest), views, flags, of(address), *criteria);
    if (made) {
      *handle = to(*made);
    }
    return code_of(made);
  });
}

DWORD RtmGetEnumRoutes(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE handle, PUINT count, PRTM_ROUTE_HANDLE routes) {
  return fetch(self, count, routes, [&](Table& table, Handle caller, UINT capacity) {
    return table.next_routes(caller, of(handle), into(routes, capacity));
  });
}

DWORD RtmReleaseRoutes(RTM_ENTITY_HANDLE self, UINT count, PRTM_ROUTE_HANDLE routes) {
  return release(self, routes, count,
                 [&](Table& table, Handle caller) { return table.release_routes(caller, of(routes, count)); });
}

DWORD RtmCreateNextHopEnum(RTM_ENTITY_HANDLE self, RTM_ENUM_FLAGS flags, PRTM_NET_ADDRESS address,
                           PRTM_ENUM_HANDLE handle) {
  return answer_handle(self, handle, [&](Table& table, Handle caller) {
    return table.create_next_hop_enum(caller, flags, of(address));
  });
}

DWORD RtmGetEnumNextHops(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE handle, PUINT count, PRTM_NEXTHOP_HANDLE hops) {
  return fetch(self, count, hops, [&](Table& table, Handle caller, UINT capacity) {
    return table.next_next_hops(caller, of(handle), into(hops, capacity));
  });
}

DWORD RtmReleaseNextHops(RTM_ENTITY_HANDLE self, UINT count, PRTM_NEXTHOP_HANDLE hops) {
  return release(self, hops, count,
                 [&](Table& table, Handle caller) { return table.release_next_hops(caller, of(hops, count)); });
}

DWORD RtmDeleteEnumHandle(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE handle) {
  return call(self, [&](Table& table, Handle caller) { return code_of(table.delete_enum(caller, of(handle))); });
}

// --- change notification
// -------------------------------------------------------------------------------------------------

DWORD RtmRegisterForChangeNotification(RTM_ENTITY_HANDLE self, RTM_VIEW_SET views, RTM_NOTIFY_FLAGS flags,
                                       PVOID context, PRTM_NOTIFY_HANDLE handle) {
  if (Table::current_event() == rtm::EventType::kChangeNotification) {
    return call(self, [](Table& table, Handle caller) { return unsupported(table, caller); });
  }
  return answer_handle(
      self, handle,
      [&](Table& table, Handle caller) { return table.register_for_changes(caller, views, flags, context); },
      kChangeRegistrationCodes);
}

DWORD RtmGetChangedDests(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle, PUINT count, PRTM_DEST_INFO infos) {
  return fetch(self, count, infos, [&](Table& table, Handle caller, UINT capacity) {
    return table.changed_dests(caller, of(handle), capacity, bytes_of(infos));
  });
}

DWORD RtmReleaseChangedDests(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle, UINT count, PRTM_DEST_INFO infos) {
  return release(self, infos, count, [&](Table& table, Handle caller) {
    return table.release_changed_dests(caller, of(handle), count, bytes_of(infos));
  });
}

DWORD RtmIgnoreChangedDests(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle, UINT count, PRTM_DEST_HANDLE dests) {
  return release(self, dests, count, [&](Table& table, Handle caller) {
    return table.ignore_changed_dests(caller, of(handle), of(dests, count));
  });
}

DWORD RtmGetChangeStatus(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle, RTM_DEST_HANDLE dest, PBOOL status) {
  return answer(self, status,
                [&](Table& table, Handle caller) { return table.change_status(caller, of(handle), of(dest)); });
}

DWORD RtmMarkDestForChangeNotification(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle, RTM_DEST_HANDLE dest,
                                       BOOL mark) {
  return call(self, [&](Table& table, Handle caller) {
    return code_of(table.mark_for_changes(caller, of(handle), of(dest), mark != FALSE));
  });
}

DWORD RtmIsMarkedForChangeNotification(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle, RTM_DEST_HANDLE dest,
                                       PBOOL marked) {
  return answer(self, marked,
                [&](Table& table, Handle caller) { return table.is_marked_for_changes(caller, of(handle), of(dest)); });
}

DWORD RtmDeregisterFromChangeNotification(RTM_ENTITY_HANDLE self, RTM_NOTIFY_HANDLE handle) {
  return call(self,
              [&](Table& table, Handle caller) { return code_of(table.deregister_from_changes(caller, of(handle))); });
}

// --- route lists
// ---------------------------------------------------------------------------------------------------------

DWORD RtmCreateRouteList(RTM_ENTITY_HANDLE self, PRTM_ROUTE_LIST_HANDLE handle) {
  return answer_handle(self, handle, [](Table& table, Handle caller) { return table.create_list(caller); });
}

DWORD RtmInsertInRouteList(RTM_ENTITY_HANDLE self, RTM_ROUTE_LIST_HANDLE list, UINT count, PRTM_ROUTE_HANDLE routes) {
  return release(self, routes, count, [&](Table& table, Handle caller) {
    return table.insert_in_list(caller, of(list), of(routes, count));
  });
}

DWORD RtmCreateRouteListEnum(RTM_ENTITY_HANDLE self, RTM_ROUTE_LIST_HANDLE list, PRTM_ENUM_HANDLE handle) {
  return answer_handle(self, handle,
                       [&](Table& table, Handle caller) { return table.create_list_enum(caller, of(list)); });
}

DWORD RtmGetListEnumRoutes(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE handle, PUINT count, PRTM_ROUTE_HANDLE routes) {
  return fetch(self, count, routes, [&](Table& table, Handle caller, UINT capacity) {
    return table.next_list_routes(caller, of(handle), into(routes, capacity));
  });
}

DWORD RtmDeleteRouteList(RTM_ENTITY_HANDLE self, RTM_ROUTE_LIST_HANDLE list) {
  return call(self, [&](Table& table, Handle caller) { return code_of(table.delete_list(caller, of(list))); });
}

// --- handles
// ---------------------------------------------------------------------------------------------------------------

DWORD RtmReferenceHandles(RTM_ENTITY_HANDLE self, UINT count, HANDLE* handles) {
  return release(self, handles, count,
                 [&](Table& table, Handle caller) { return table.reference_handles(caller, of(handles, count)); });
}

}  // extern "C"
