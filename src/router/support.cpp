#include "router/support.h"

#include <mprerror.h>
#include <winerror.h>

#include <array>
#include <mutex>
#include <utility>

#include "router/gate.h"

namespace turnpike::router {
namespace {

struct Set {
  Gate gate;
  bool is_taken = false;  // under the lock
  Support* support = nullptr;
  Caller caller;
  SUPPORT_FUNCTIONS functions{};
};

// The one global of the room: the functions are C, and know nothing but their own number.
struct Sets {
  std::mutex mutex;
  std::array<Set, Seat::kSeats> all;
};
constinit Sets sets{};

// ask(support, caller) for whoever has the seat.
template <std::size_t kNumber, class Ask>
auto answer(Ask&& ask, decltype(ask(std::declval<Support&>(), std::declval<Caller>())) refused) {
  Set& set = sets.all[kNumber];
  const Inside inside(set.gate);
  return inside ? ask(*set.support, set.caller) : refused;
}

template <std::size_t kNumber>
DWORD ask_mib(DWORD pid, const MibRequest& request) {
  return answer<kNumber>([&](Support& support, const Caller& caller) { return support.mib(caller, pid, request); },
                         DWORD{ERROR_ROUTER_STOPPED});
}

template <std::size_t kNumber, MibCall kCall>
DWORD WINAPI change_mib(DWORD pid, DWORD size, LPVOID entry) {
  return ask_mib<kNumber>(pid, {kCall, size, entry, nullptr, nullptr});
}

template <std::size_t kNumber, MibCall kCall>
DWORD WINAPI read_mib(DWORD pid, DWORD in_size, LPVOID in, LPDWORD out_size, LPVOID out) {
  return ask_mib<kNumber>(pid, {kCall, in_size, in, out_size, out});
}

template <std::size_t kNumber>
DWORD WINAPI demand_dial(DWORD protocol, DWORD index) {
  return answer<kNumber>([&](Support& support, const Caller& who) { return support.demand_dial(who, protocol, index); },
                         DWORD{ERROR_ROUTER_STOPPED});
}

template <std::size_t kNumber>
DWORD WINAPI set_receive_type(DWORD protocol, DWORD index, DWORD type, BOOL on) {
  return answer<kNumber>(
      [&](Support& support, const Caller& who) {
        return support.set_receive_type(who, protocol, index, type, on != FALSE);
      },
      DWORD{ERROR_ROUTER_STOPPED});
}

template <std::size_t kNumber>
DWORD WINAPI validate_route(DWORD protocol, PVOID route, PVOID destination) {
  return answer<kNumber>(
      [&](Support& support, const Caller& who) { return support.validate_route(who, protocol, route, destination); },
      DWORD{ERROR_ROUTER_STOPPED});
}

template <std::size_t kNumber>
DWORD WINAPI router_id() {
  return answer<kNumber>([&](Support& support, const Caller& who) { return support.router_id(who); }, DWORD{0});
}

template <std::size_t kNumber>
BOOL WINAPI has_boundary(DWORD index, DWORD group) {
  return answer<kNumber>(
      [&](Support& support, const Caller& who) -> BOOL {
        return support.has_boundary(who, index, group) ? TRUE : FALSE;
      },
      BOOL{FALSE});
}

template <std::size_t kNumber>
SUPPORT_FUNCTIONS functions_of() {
  SUPPORT_FUNCTIONS functions{};
  functions.dwVersion = MS_ROUTER_VERSION;
  functions.DemandDialRequest = demand_dial<kNumber>;
  functions.SetInterfaceReceiveType = set_receive_type<kNumber>;
  functions.ValidateRoute = validate_route<kNumber>;
  functions.MIBEntryCreate = change_mib<kNumber, MibCall::kCreate>;
  functions.MIBEntryDelete = change_mib<kNumber, MibCall::kDelete>;
  functions.MIBEntrySet = change_mib<kNumber, MibCall::kSet>;
  functions.MIBEntryGet = read_mib<kNumber, MibCall::kGet>;
  functions.MIBEntryGetFirst = read_mib<kNumber, MibCall::kGetFirst>;
  functions.MIBEntryGetNext = read_mib<kNumber, MibCall::kGetNext>;
  functions.GetRouterId = router_id<kNumber>;
  functions.HasMulticastBoundary = has_boundary<kNumber>;
  return functions;
}

template <std::size_t... kNumbers>
SUPPORT_FUNCTIONS functions_of(std::size_t number, std::index_sequence<kNumbers...>) {
  static constexpr SUPPORT_FUNCTIONS (*kMakers[])() = {functions_of<kNumbers>...};
  return kMakers[number]();
}

}  // namespace

Seat Seat::take(Support& support, const Caller& caller) {
  const std::lock_guard lock(sets.mutex);
  for (std::size_t number = 0; number < kSeats; ++number) {
    Set& set = sets.all[number];
    if (set.is_taken || !set.gate.is_empty()) continue;
    set.is_taken = true;
    set.support = &support;
    set.caller = caller;
    set.functions = functions_of(number, std::make_index_sequence<kSeats>());
    set.gate.open();
    return Seat(number);
  }
  return {};
}

Seat& Seat::operator=(Seat&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Seat::~Seat() {
  if (number_ == kSeats) return;
  close();
  const std::lock_guard lock(sets.mutex);
  sets.all[number_].is_taken = !is_empty();
}

SUPPORT_FUNCTIONS* Seat::functions() const { return number_ == kSeats ? nullptr : &sets.all[number_].functions; }

void Seat::close() {
  if (number_ != kSeats) sets.all[number_].gate.close();
}

bool Seat::is_empty() const { return number_ == kSeats || sets.all[number_].gate.is_empty(); }

}  // namespace turnpike::router
