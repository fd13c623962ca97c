// Time: the clock is turned a second at a time, and just the routes that are due may end. Half of the clients veto.
#include <rtmv2.h>
#include <turnpike/testing.h>
#include <winerror.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "rtm_driver_parts.h"

namespace turnpike::model {
namespace {

// What the callbacks saw, by the cookie in EntitySpecificInfo.
std::mutex expiry_mutex;
std::vector<std::uintptr_t> expired_cookies;

template <bool kVeto>
DWORD WINAPI on_event(RTM_ENTITY_HANDLE self, RTM_EVENT_TYPE event, PVOID context1, PVOID context2) {
  if (event != RTM_ROUTE_EXPIRED) return NO_ERROR;
  {
    const std::lock_guard lock(expiry_mutex);
    expired_cookies.push_back(
        reinterpret_cast<std::uintptr_t>(static_cast<RTM_ROUTE_INFO*>(context2)->EntitySpecificInfo));
  }
  if (!kVeto) return ERROR_NOT_SUPPORTED;
  RTM_ROUTE_HANDLE route = context1;
  RtmReleaseRoutes(self, 1, &route);
  return NO_ERROR;
}

}  // namespace

RTM_EVENT_CALLBACK expiry_callback(bool vetoes) { return vetoes ? on_event<true> : on_event<false>; }

void Driver::advance_clock() {
  const unsigned seconds = 1 + choices_.below(3);
  {
    const std::lock_guard lock(expiry_mutex);
    expired_cookies.clear();
  }
  for (unsigned i = 0; i < seconds; ++i) {
    trace(" a second passes");
    MODEL_EXPECT(TpClockAdvance(1000) == 1);
    reference_.set_time(reference_.now() + 1000);
    expire_routes();
    reference_.end_due_holds();
  }
  reference_.forget_order();
  const std::lock_guard lock(expiry_mutex);
  MODEL_EXPECT(expired_cookies.empty(), "a route expired that was not due");
}

void Driver::expire_routes() {
  for (Id id : reference_.due_routes()) {
    const Route route = reference_.routes().at(id);
    {
      const std::lock_guard lock(expiry_mutex);
      const auto found = std::find(expired_cookies.begin(), expired_cookies.end(), route.data.specific);
      MODEL_EXPECT(found != expired_cookies.end(), "a route was due and did not expire");
      expired_cookies.erase(found);
    }
    if (clients_[client_of(route.owner)].vetoes_expiry)
      reference_.stop_timer(id);
    else
      reference_.delete_route(id);
  }
}

}  // namespace turnpike::model
