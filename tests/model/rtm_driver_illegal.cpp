// Mistakes of every kind, all answered and none with an effect: bad handles (null, nonsense, one bit off, of another
// kind) in every position of a dozen functions, and flags that contradict each other. That they have had no effect is
// what all later comparisons say.
#include <rtmv2.h>
#include <winerror.h>

#include "rtm_driver_parts.h"

namespace turnpike::model {

// Where no handle of that kind is wanted, a client's own is as bad as any.
HANDLE Driver::choose_bad_handle(RTM_ENTITY_HANDLE self) {
  const auto bits = reinterpret_cast<std::uintptr_t>(self);
  switch (choices_.below(4)) {
    case 0:
      return nullptr;
    case 1:
      return reinterpret_cast<HANDLE>(~std::uintptr_t{0});
    case 2:
      return reinterpret_cast<HANDLE>(bits ^ (std::uintptr_t{1} << choices_.below(64)));
    default:
      return self;
  }
}

void Driver::illegal() {
  const RTM_ENTITY_HANDLE self = clients_[choose_client()].handle;
  HANDLE bad = choose_bad_handle(self);
  const bool is_self = bad == self;
  DestBuffer dest{};
  RouteBuffer route{};
  RTM_NEXTHOP_INFO hop{};
  RTM_NET_ADDRESS address = net_address(choose_prefix());
  UINT count = 1;
  HANDLE out = nullptr;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  switch (choices_.below(12)) {
    case 0:
      if (!is_self) MODEL_STATUS(RtmGetExactMatchDestination(bad, &address, 0, 0, &dest.info), ERROR_INVALID_HANDLE);
      break;
    case 1:
      MODEL_STATUS(RtmGetDestInfo(self, bad, 0, 0, &dest.info), ERROR_INVALID_HANDLE);
      break;
    case 2:
      MODEL_STATUS(RtmGetRouteInfo(self, bad, &route.info, nullptr), ERROR_INVALID_HANDLE);
      break;
    case 3:
      MODEL_STATUS(RtmGetNextHopInfo(self, bad, &hop), ERROR_INVALID_HANDLE);
      break;
    case 4:
      MODEL_STATUS(RtmGetEnumDests(self, bad, &count, &dest.info), ERROR_INVALID_HANDLE);
      break;
    case 5:
      MODEL_STATUS(RtmGetChangedDests(self, bad, &count, &dest.info), ERROR_INVALID_HANDLE);
      break;
    case 6:
      MODEL_STATUS(RtmDeleteRouteToDest(self, bad, &flags), ERROR_INVALID_HANDLE);
      break;
    case 7:
      MODEL_STATUS(RtmDeleteEnumHandle(self, bad), ERROR_INVALID_HANDLE);
      break;
    case 8:
      MODEL_STATUS(RtmDeleteRouteList(self, bad), ERROR_INVALID_HANDLE);
      break;
    case 9:
      if (!is_self) MODEL_STATUS(RtmReleaseRoutes(self, 1, &bad), ERROR_INVALID_HANDLE);
      break;
    case 10:
      MODEL_STATUS(RtmCreateDestEnum(self, 0, RTM_ENUM_NEXT | RTM_ENUM_RANGE, &address, 0, &out),
                   ERROR_INVALID_PARAMETER);
      break;
    default:
      MODEL_STATUS(RtmCreateDestEnum(self, 0x10, RTM_ENUM_START, nullptr, 0, &out), ERROR_NOT_SUPPORTED);
      break;
  }
  MODEL_EXPECT(out == nullptr);
}

}  // namespace turnpike::model
