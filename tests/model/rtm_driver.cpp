#include "rtm_driver.h"

#define MPR50 1  // the version of the router that routprot.h describes
#include <routprot.h>
#include <rtmv2.h>
#include <turnpike/testing.h>
#include <winerror.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <tuple>
#include <variant>
#include <vector>

#include "rtm_reference.h"

namespace turnpike::model {
namespace {

struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

#define MODEL_EXPECT(condition, ...)                                           \
  do {                                                                         \
    if (!(condition)) differ(__LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

[[noreturn]] void differ(int line, const char* condition, const std::string& more = {}) {
  throw Difference("rtm_driver.cpp:" + std::to_string(line) + ": " + condition + (more.empty() ? "" : ": " + more));
}

void expect_status(int line, const char* call, DWORD got, DWORD wanted) {
  if (got != wanted)
    differ(line, call, "answered " + std::to_string(got) + ", the reference " + std::to_string(wanted));
}
#define MODEL_STATUS(call, wanted) expect_status(__LINE__, #call, (call), (wanted))

class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool used_up() const { return at_ >= bytes_.size(); }
  // A number below `count`; 0 once the bytes are used up.
  unsigned below(unsigned count) { return used_up() ? 0 : bytes_[at_++] % count; }
  bool one_in(unsigned count) { return below(count) == 1; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

enum class Kind { kEntity, kDestination, kRoute, kNextHop };
using Object = std::variant<Id, Prefix>;

struct Held {
  std::size_t client;
  Kind kind;
  HANDLE handle;
  Object object;
};

struct Client {
  Id id = kNone;
  RTM_ENTITY_HANDLE handle = nullptr;
  RTM_REGN_PROFILE profile{};
  ULONG protocol = 0;
  bool vetoes_expiry = false;
};

struct OpenList {
  std::size_t client;
  RTM_ROUTE_LIST_HANDLE handle;
  Id id;
};

struct OpenSubscription {
  std::size_t client;
  RTM_NOTIFY_HANDLE handle;
  Id id;
  unsigned views;
};

constexpr std::array<ULONG, 4> kProtocols{PROTO_IP_RIP, PROTO_IP_OSPF, PROTO_IP_NT_STATIC, 77};
constexpr std::array<std::uint32_t, 4> kPreferences{120, 110, 3, 100};
constexpr std::array<int, 6> kLengths{0, 8, 9, 16, 24, 32};
constexpr UINT kAllViews = 3;

// Room for a record of two views.
union DestBuffer {
  RTM_DEST_INFO info;
  std::array<unsigned char, sizeof(RTM_DEST_INFO) + 64> room;
};
union RouteBuffer {
  RTM_ROUTE_INFO info;
  std::array<unsigned char, sizeof(RTM_ROUTE_INFO) + 64 * sizeof(HANDLE)> room;
};

// The arrays at the end of the structures are declared with one element, and hold as many as there is room for.
RTM_NEXTHOP_HANDLE* hops_of(RouteBuffer& buffer) { return buffer.info.NextHopsList.NextHops; }
const auto* views_of(const RTM_DEST_INFO& info) { return info.ViewInfo; }

// What the expiry callbacks saw, by the cookie in EntitySpecificInfo.
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

// TURNPIKE_MODEL_TRACE=1 prints what changes the table, step by step: for whoever looks for the cause of a difference.
const bool tracing = std::getenv("TURNPIKE_MODEL_TRACE") != nullptr;

class Driver {
 public:
  Driver(std::span<const std::uint8_t> bytes, int family) : choices_(bytes), family_(family) {}

  void run() {
    while (!choices_.used_up()) {
      ++step_;
      step();
      collect();
    }
    finish();
  }
  int step_number() const { return step_; }
  // After a difference: nothing of this run may reach the next.
  void abandon() {
    for (const Client& client : clients_) RtmDeregisterEntity(client.handle);
    clients_.clear();
    TpDrain();
  }

 private:
  // -- choosing ------------------------------------------------------------------------------------------------------
  Prefix choose_prefix() {
    const int length = kLengths[choices_.below(kLengths.size())];
    const unsigned bits = choices_.below(8);
    const std::uint32_t address = 0x0A000000U | (bits & 1) << 22 | (bits & 2) << 15 | (bits & 4) << 6 | (bits & 1);
    return {length == 0 ? 0 : address & (~0U << (32 - length)), length};
  }
  std::size_t choose_client() { return choices_.below(static_cast<unsigned>(clients_.size())); }
  RTM_NET_ADDRESS net_address(const Prefix& prefix) const {
    RTM_NET_ADDRESS address{};
    address.AddressFamily = static_cast<USHORT>(family_);
    address.NumBits = static_cast<USHORT>(prefix.length);
    for (int i = 0; i < 4; ++i) address.AddrBits[i] = static_cast<UCHAR>(prefix.address >> (24 - 8 * i));
    return address;
  }
  Prefix prefix_of(const RTM_NET_ADDRESS& address) const {
    MODEL_EXPECT(address.AddressFamily == family_);
    std::uint32_t bits = 0;
    for (int i = 0; i < 4; ++i) bits = bits << 8 | address.AddrBits[i];
    return {bits, address.NumBits};
  }
  RTM_VIEW_SET choose_views() {
    constexpr std::array<RTM_VIEW_SET, 5> kSets{RTM_VIEW_MASK_ANY, RTM_VIEW_MASK_UCAST, RTM_VIEW_MASK_MCAST, kAllViews,
                                                RTM_VIEW_MASK_ALL};
    return kSets[choices_.below(kSets.size())];
  }
  static unsigned plain_views(RTM_VIEW_SET views) { return views & kAllViews; }

  template <class... Parts>
  void trace(const Parts&... parts) const {
    if (tracing) ((std::cerr << step_ << ':') << ... << parts) << std::endl;
  }
  static std::string text_of(const Prefix& prefix) {
    std::ostringstream text;
    text << ' ' << std::hex << prefix.address << '/' << std::dec << prefix.length;
    return text.str();
  }
  static std::string text_of(const RouteData& data) {
    std::ostringstream text;
    text << " views " << data.views << " preference " << data.preference << " metric " << data.metric << " neighbour "
         << data.neighbour;
    return text.str();
  }

  // -- handles -------------------------------------------------------------------------------------------------------
  // While somebody holds a reference, equal handles are the same object and different ones are not.
  void take(std::size_t client, Kind kind, HANDLE handle, const Object& object) {
    MODEL_EXPECT(handle != nullptr);
    for (const Held& held : held_) {
      MODEL_EXPECT((held.handle == handle) == (held.kind == kind && held.object == object),
                   "a handle changed its object");
    }
    held_.push_back({client, kind, handle, object});
  }
  DWORD release_one(const Held& held) {
    HANDLE handle = held.handle;
    const RTM_ENTITY_HANDLE self = clients_[held.client].handle;
    switch (held.kind) {
      case Kind::kEntity:
        return RtmReleaseEntities(self, 1, &handle);
      case Kind::kRoute:
        return RtmReleaseRoutes(self, 1, &handle);
      case Kind::kNextHop:
        return RtmReleaseNextHops(self, 1, &handle);
      case Kind::kDestination:
        break;
    }
    DestBuffer buffer{};
    buffer.info.DestHandle = handle;
    return RtmReleaseDestInfo(self, &buffer.info);
  }
  void drop(std::size_t index) {
    const Held held = held_[index];
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    MODEL_STATUS(release_one(held), NO_ERROR);
  }
  // Any held handle of a kind, of a client or of any.
  std::vector<std::size_t> held_of(Kind kind, std::optional<std::size_t> client = {}) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (held_[i].kind == kind && (!client || held_[i].client == *client)) found.push_back(i);
    }
    return found;
  }
  std::optional<std::size_t> choose_held(Kind kind, std::optional<std::size_t> client = {}) {
    const std::vector<std::size_t> found = held_of(kind, client);
    if (found.empty()) return std::nullopt;
    return found[choices_.below(static_cast<unsigned>(found.size()))];
  }
  std::size_t client_of(Id entity) const {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (clients_[i].id == entity) return i;
    }
    differ(__LINE__, "entity is registered");
  }
  bool referenced(const Prefix& prefix) const {
    return std::any_of(held_.begin(), held_.end(), [&](const Held& held) {
      if (held.kind == Kind::kDestination) return std::get<Prefix>(held.object) == prefix;
      return held.kind == Kind::kRoute && reference_.routes().at(std::get<Id>(held.object)).prefix == prefix;
    });
  }
  // A destination that nothing keeps is forgotten, and with it its mark for hold-down.
  void collect() {
    reference_.forget_destinations([this](const Prefix& prefix) { return referenced(prefix); });
  }

  // -- the steps -----------------------------------------------------------------------------------------------------
  void step() {
    if (clients_.empty()) return register_client();
    switch (choices_.below(32)) {
      case 0:
        return clients_.size() < 4 ? register_client() : search();
      case 1:
        return choices_.one_in(4) ? deregister_client(choose_client()) : search();
      case 2:
      case 3:
        return add_next_hop();
      case 4:
        return delete_next_hop();
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
        return add_route();
      case 10:
      case 11:
        return update_route();
      case 12:
      case 13:
        return delete_route();
      case 14:
        return hold_destination();
      case 15:
      case 16:
        return search();
      case 17:
        return less_specific();
      case 18:
        return destination_info();
      case 19:
        return enumerate_destinations();
      case 20:
        return enumerate_routes();
      case 21:
        return subscribe();
      case 22:
      case 23:
        return read_changes();
      case 24:
        return mark();
      case 25:
        return lists();
      case 26:
        return advance_clock();
      case 27:
      case 28:
        return release_or_reference();
      case 29:
        return is_best();
      case 30:
        return exact_route();
      default:
        return illegal();
    }
  }

  void register_client() {
    Client client;
    const unsigned which = choices_.below(kProtocols.size());
    client.protocol = kProtocols[which];
    client.vetoes_expiry = choices_.one_in(2);
    RTM_ENTITY_INFO info{};
    info.AddressFamily = static_cast<USHORT>(family_);
    info.EntityId.EntityProtocolId = client.protocol;
    info.EntityId.EntityInstanceId = ++instances_;
    MODEL_STATUS(RtmRegisterEntity(&info, nullptr, client.vetoes_expiry ? on_event<true> : on_event<false>, FALSE,
                                   &client.profile, &client.handle),
                 NO_ERROR);
    client.id = reference_.register_entity(kPreferences[which]);
    clients_.push_back(client);
    RTM_ENTITY_HANDLE again = nullptr;
    MODEL_STATUS(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &client.profile, &again), ERROR_ALREADY_EXISTS);
    MODEL_EXPECT(again == nullptr);
  }

  // What the client still holds is either given back first or left behind: both must end in the same table.
  void deregister_client(std::size_t index) {
    const bool leave_behind = choices_.one_in(2);
    for (std::size_t i = held_.size(); i-- > 0;) {
      if (held_[i].client == index && !leave_behind) drop(i);
    }
    const Client client = clients_[index];
    trace(" client ", client.id, " leaves");
    MODEL_STATUS(RtmDeregisterEntity(client.handle), NO_ERROR);
    MODEL_STATUS(RtmDeregisterEntity(client.handle), ERROR_INVALID_HANDLE);
    reference_.deregister_entity(client.id);
    clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(index));
    const auto gone = [&](auto& item) {
      if (item.client == index) return true;
      if (item.client > index) --item.client;
      return false;
    };
    std::erase_if(held_, gone);
    std::erase_if(lists_, gone);
    std::erase_if(subscriptions_, gone);
  }

  void add_next_hop() {
    const std::size_t client = choose_client();
    const unsigned address = choices_.below(4);
    const unsigned interface = 1 + choices_.below(3);
    RTM_NEXTHOP_INFO info{};
    info.NextHopAddress = net_address({0xC0000200U + address, 32});
    info.InterfaceIndex = interface;
    info.Flags = static_cast<USHORT>(choices_.one_in(3) ? RTM_NEXTHOP_FLAGS_DOWN : 0);
    info.EntitySpecificInfo = reinterpret_cast<PVOID>(++cookie_);
    RTM_NEXTHOP_HANDLE handle = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
    const bool want_handle = !choices_.one_in(4);
    MODEL_STATUS(RtmAddNextHop(clients_[client].handle, &info, want_handle ? &handle : nullptr, &flags), NO_ERROR);
    const auto [id, created] =
        reference_.add_next_hop(clients_[client].id, 0xC0000200U + address, interface, info.Flags, cookie_);
    MODEL_EXPECT((flags == RTM_NEXTHOP_CHANGE_NEW) == created);
    if (want_handle) take(client, Kind::kNextHop, handle, id);
  }

  void delete_next_hop() {
    const std::size_t client = choose_client();
    const std::optional<std::size_t> index =
        choose_held(Kind::kNextHop, choices_.one_in(4) ? std::nullopt : std::optional(client));
    if (!index) return;
    const Held held = held_[*index];
    const NextHop& hop = reference_.next_hops().at(std::get<Id>(held.object));
    const bool own = hop.owner == clients_[client].id;
    const DWORD wanted = !own ? DWORD{ERROR_ACCESS_DENIED} : hop.deleted ? DWORD{ERROR_NOT_FOUND} : DWORD{NO_ERROR};
    if (held.client != client) return;  // a handle is used by whom it was given to
    MODEL_STATUS(RtmDeleteNextHop(clients_[client].handle, held.handle, nullptr), wanted);
    if (wanted != NO_ERROR) return;
    reference_.delete_next_hop(std::get<Id>(held.object));
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(*index));
  }

  // Next hops that the client holds a handle of, its own and alive.
  std::vector<std::size_t> usable_next_hops(std::size_t client) const {
    std::vector<std::size_t> usable = held_of(Kind::kNextHop, client);
    std::erase_if(usable, [&](std::size_t i) {
      const NextHop& hop = reference_.next_hops().at(std::get<Id>(held_[i].object));
      return hop.owner != clients_[client].id || hop.deleted;
    });
    return usable;
  }

  RouteData choose_route(std::size_t client, RouteBuffer& buffer) {
    RouteData data;
    const std::vector<std::size_t> hops = usable_next_hops(client);
    buffer = {};
    const auto pick = [&] { return held_[hops[choices_.below(static_cast<unsigned>(hops.size()))]]; };
    if (!hops.empty() && !choices_.one_in(3)) {
      const Held neighbour = pick();
      data.neighbour = std::get<Id>(neighbour.object);
      buffer.info.Neighbour = neighbour.handle;
    }
    for (unsigned count = hops.empty() ? 0 : choices_.below(3); count > 0; --count) {
      const Held hop = pick();
      if (std::find(data.hops.begin(), data.hops.end(), std::get<Id>(hop.object)) != data.hops.end()) continue;
      hops_of(buffer)[data.hops.size()] = hop.handle;
      data.hops.push_back(std::get<Id>(hop.object));
    }
    data.flags = choices_.one_in(3) ? 1U << choices_.below(8) : unsigned{RTM_ROUTE_FLAGS_REMOTE};
    data.preference = choices_.below(3);
    data.metric = choices_.below(3);
    data.views = choices_.below(4);
    data.specific = ++cookie_;
    buffer.info.NextHopsList.NumNextHops = static_cast<USHORT>(data.hops.size());
    buffer.info.Flags = static_cast<USHORT>(data.flags);
    buffer.info.PrefInfo = {data.metric, data.preference};
    buffer.info.BelongsToViews = data.views;
    buffer.info.EntitySpecificInfo = reinterpret_cast<PVOID>(data.specific);
    return data;
  }
  ULONG choose_time_to_live() {
    constexpr std::array<ULONG, 4> kTimes{INFINITE, INFINITE, 1000, 3000};
    return kTimes[choices_.below(kTimes.size())];
  }
  static std::int64_t model_time(ULONG time_to_live) {
    return time_to_live == INFINITE ? kNever : std::int64_t{time_to_live};
  }
  const OpenList* choose_list(std::size_t client) {
    for (const OpenList& list : lists_) {
      if (list.client == client) return choices_.one_in(2) ? &list : nullptr;
    }
    return nullptr;
  }

  void add_route() {
    const std::size_t client = choose_client();
    const Prefix prefix = choose_prefix();
    RouteBuffer buffer;
    const RouteData data = choose_route(client, buffer);
    const ULONG time_to_live = choose_time_to_live();
    const OpenList* list = choose_list(client);
    const unsigned how = choices_.below(6);
    RTM_ROUTE_CHANGE_FLAGS flags = how == 4 ? RTM_ROUTE_CHANGE_FIRST : how == 5 ? RTM_ROUTE_CHANGE_NEW : 0;
    std::vector<Id> same;
    if (how != 5) same = reference_.same_routes(clients_[client].id, prefix, data.neighbour, how == 4);
    RTM_NET_ADDRESS address = net_address(prefix);
    RTM_ROUTE_HANDLE handle = nullptr;
    MODEL_STATUS(RtmAddRouteToDest(clients_[client].handle, &handle, &address, &buffer.info, time_to_live,
                                   list ? list->handle : nullptr, 0, nullptr, &flags),
                 NO_ERROR);
    MODEL_EXPECT(((flags & RTM_ROUTE_CHANGE_NEW) != 0) == same.empty());
    Id id = kNone;
    bool best = false;
    if (same.empty()) {
      std::tie(id, best) =
          reference_.insert_route(clients_[client].id, prefix, data, model_time(time_to_live), list ? list->id : kNone);
    } else {
      id = which_of(handle, same, data.specific);
      best = reference_.update_route(id, data, model_time(time_to_live), list ? list->id : kNone);
    }
    cookies_[data.specific] = id;
    trace(" route ", id, same.empty() ? " added" : " updated", text_of(prefix), text_of(data), " for ", time_to_live);
    MODEL_EXPECT(((flags & RTM_ROUTE_CHANGE_BEST) != 0) == best);
    take(client, Kind::kRoute, handle, id);
    if (choices_.one_in(2)) drop(held_.size() - 1);
  }

  // Among routes that the contract does not tell apart, the one the library took: known where its handle is held, or
  // where there is no choice.
  Id which_of(HANDLE handle, const std::vector<Id>& same, std::uintptr_t) {
    for (const Held& held : held_) {
      if (held.kind == Kind::kRoute && held.handle == handle) {
        MODEL_EXPECT(std::find(same.begin(), same.end(), std::get<Id>(held.object)) != same.end());
        return std::get<Id>(held.object);
      }
    }
    std::vector<Id> open = same;
    std::erase_if(open, [&](Id id) {
      return std::any_of(held_.begin(), held_.end(), [&](const Held& held) {
        return held.kind == Kind::kRoute && std::get<Id>(held.object) == id;
      });
    });
    MODEL_EXPECT(!open.empty());
    if (open.size() == 1) return open.front();
    return open_choice(open);
  }
  // Several routes nobody holds a handle of: ask the table which of their cookies is gone.
  Id open_choice(const std::vector<Id>& open) {
    std::vector<std::uintptr_t> present;
    RTM_ENUM_HANDLE walk = nullptr;
    const RTM_ENTITY_HANDLE self = clients_[0].handle;
    MODEL_STATUS(RtmCreateRouteEnum(self, nullptr, RTM_VIEW_MASK_ANY, RTM_ENUM_START, nullptr, RTM_MATCH_NONE, nullptr,
                                    0, &walk),
                 NO_ERROR);
    for (RTM_ROUTE_HANDLE route : read_routes(self, walk)) {
      RouteBuffer buffer;
      MODEL_STATUS(RtmGetRouteInfo(self, route, &buffer.info, nullptr), NO_ERROR);
      present.push_back(reinterpret_cast<std::uintptr_t>(buffer.info.EntitySpecificInfo));
      MODEL_STATUS(RtmReleaseRouteInfo(self, &buffer.info), NO_ERROR);
      MODEL_STATUS(RtmReleaseRoutes(self, 1, &route), NO_ERROR);
    }
    MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
    for (Id id : open) {
      if (std::find(present.begin(), present.end(), reference_.routes().at(id).data.specific) == present.end())
        return id;
    }
    differ(__LINE__, "one of several equal routes was updated");
  }

  void update_route() {
    const std::optional<std::size_t> index = choose_held(Kind::kRoute);
    if (!index) return;
    const Held held = held_[*index];
    const Route route = reference_.routes().at(std::get<Id>(held.object));
    RouteBuffer buffer;
    const RouteData data = choose_route(held.client, buffer);
    const ULONG time_to_live = choose_time_to_live();
    const bool own = route.owner == clients_[held.client].id;
    const Prefix prefix = choices_.one_in(8) ? choose_prefix() : route.prefix;
    DWORD wanted = NO_ERROR;
    if (!own)
      wanted = ERROR_ACCESS_DENIED;
    else if (route.state != State::kCreated)
      wanted = ERROR_INVALID_HANDLE;
    else if (prefix != route.prefix)
      wanted = ERROR_INVALID_PARAMETER;
    if (!own && route.state != State::kCreated) return;  // two mistakes at once: either answer is right
    if (wanted == ERROR_ACCESS_DENIED && prefix != route.prefix) return;
    if (wanted == ERROR_INVALID_HANDLE && prefix != route.prefix) return;
    RTM_NET_ADDRESS address = net_address(prefix);
    RTM_ROUTE_HANDLE handle = held.handle;
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    MODEL_STATUS(RtmAddRouteToDest(clients_[held.client].handle, &handle, &address, &buffer.info, time_to_live, nullptr,
                                   0, nullptr, &flags),
                 wanted);
    MODEL_EXPECT(handle == held.handle);
    if (wanted != NO_ERROR) return;
    const bool best = reference_.update_route(route.id, data, model_time(time_to_live), kNone);
    cookies_[data.specific] = route.id;
    trace(" route ", route.id, " updated by handle", text_of(prefix), text_of(data), " for ", time_to_live);
    MODEL_EXPECT(flags == (best ? RTM_ROUTE_CHANGE_BEST : 0U));
  }

  void delete_route() {
    const std::optional<std::size_t> index = choose_held(Kind::kRoute);
    if (!index) return;
    const Held held = held_[*index];
    const Route& route = reference_.routes().at(std::get<Id>(held.object));
    const bool own = route.owner == clients_[held.client].id;
    if (!own && route.state != State::kCreated) return;
    const DWORD wanted = !own                             ? DWORD{ERROR_ACCESS_DENIED}
                         : route.state != State::kCreated ? DWORD{ERROR_NOT_FOUND}
                                                          : DWORD{NO_ERROR};
    RTM_ROUTE_CHANGE_FLAGS flags = 0;
    MODEL_STATUS(RtmDeleteRouteToDest(clients_[held.client].handle, held.handle, &flags), wanted);
    if (wanted != NO_ERROR) return;
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(*index));
    trace(" route ", route.id, " deleted", text_of(route.prefix));
    const bool best = reference_.delete_route(route.id);
    MODEL_EXPECT(((flags & RTM_ROUTE_CHANGE_BEST) != 0) == best);
  }

  void hold_destination() {
    const std::optional<std::size_t> index = choose_held(Kind::kDestination);
    if (!index) return;
    const Held held = held_[*index];
    const RTM_VIEW_SET views = choices_.below(4);
    const ULONG time = choices_.below(4) * 1000;
    const DWORD wanted = views == 0 || time == 0 ? DWORD{ERROR_INVALID_PARAMETER} : DWORD{NO_ERROR};
    MODEL_STATUS(RtmHoldDestination(clients_[held.client].handle, held.handle, views, time), wanted);
    if (wanted != NO_ERROR) return;
    trace(" hold", text_of(std::get<Prefix>(held.object)), " views ", views, " for ", time);
    reference_.hold(std::get<Prefix>(held.object), views, time);
  }

  // -- looking -------------------------------------------------------------------------------------------------------
  // Compares a record with the reference and gives back what it holds, except, where asked, the destination itself.
  void compare_record(std::size_t client, const RTM_DEST_INFO& info, const Prefix& prefix, RTM_VIEW_SET views,
                      const std::set<Id>* owners) {
    MODEL_EXPECT(prefix_of(info.DestAddress) == prefix);
    MODEL_EXPECT(info.BelongsToViews == reference_.views_of(prefix));
    std::vector<int> wanted;
    for (int view = 0; view < kViews; ++view) {
      if ((plain_views(views) >> view & 1) != 0) wanted.push_back(view);
    }
    MODEL_EXPECT(info.NumberOfViews == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) compare_view(client, views_of(info)[i], prefix, wanted[i], owners);
  }
  template <class View>
  void compare_view(std::size_t client, const View& view, const Prefix& prefix, int number,
                    const std::set<Id>* owners) {
    MODEL_EXPECT(view.ViewId == number);
    MODEL_EXPECT(static_cast<int>(view.NumRoutes) == reference_.routes_in(prefix, number));
    const std::vector<Id> best = reference_.best_for(prefix, number, owners);
    MODEL_EXPECT((view.Route == nullptr) == best.empty());
    MODEL_EXPECT((view.Owner == nullptr) == best.empty());
    if (view.Route != nullptr) {
      const Id id = identify(client, view.Route);
      MODEL_EXPECT(std::find(best.begin(), best.end(), id) != best.end());
      MODEL_EXPECT(view.Owner == clients_[client_of(reference_.routes().at(id).owner)].handle);
    }
    const Id hold = reference_.destinations().at(prefix).hold[static_cast<std::size_t>(number)];
    MODEL_EXPECT((view.HoldRoute == nullptr) == (hold == kNone),
                 text_of(prefix) + " view " + std::to_string(number) + " holds " + std::to_string(hold));
    if (hold != kNone) MODEL_EXPECT(identify(client, view.HoldRoute) == hold);
  }
  // Reads a route through any client and compares all of it.
  Id identify(std::size_t client, RTM_ROUTE_HANDLE handle) {
    const RTM_ENTITY_HANDLE self = clients_[client].handle;
    RouteBuffer buffer;
    RTM_NET_ADDRESS address{};
    MODEL_STATUS(RtmGetRouteInfo(self, handle, &buffer.info, &address), NO_ERROR);
    const auto found = cookies_.find(reinterpret_cast<std::uintptr_t>(buffer.info.EntitySpecificInfo));
    MODEL_EXPECT(found != cookies_.end());
    const Route& route = reference_.routes().at(found->second);
    MODEL_EXPECT(route.data.specific == found->first);
    MODEL_EXPECT(prefix_of(address) == route.prefix);
    MODEL_EXPECT(buffer.info.State == static_cast<int>(route.state));
    MODEL_EXPECT(buffer.info.Flags == route.data.flags);
    MODEL_EXPECT(buffer.info.PrefInfo.Metric == route.data.metric &&
                 buffer.info.PrefInfo.Preference == route.data.preference);
    MODEL_EXPECT(buffer.info.BelongsToViews == route.data.views);
    MODEL_EXPECT((buffer.info.Neighbour == nullptr) == (route.data.neighbour == kNone));
    MODEL_EXPECT(buffer.info.NextHopsList.NumNextHops == route.data.hops.size());
    for (std::size_t i = 0; i < route.data.hops.size(); ++i)
      compare_next_hop(self, hops_of(buffer)[i], route.data.hops[i]);
    MODEL_STATUS(RtmReleaseRouteInfo(self, &buffer.info), NO_ERROR);
    return route.id;
  }
  void compare_next_hop(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE handle, Id id) {
    RTM_NEXTHOP_INFO info{};
    MODEL_STATUS(RtmGetNextHopInfo(self, handle, &info), NO_ERROR);
    const NextHop& hop = reference_.next_hops().at(id);
    MODEL_EXPECT(prefix_of(info.NextHopAddress) == (Prefix{hop.address, 32}));
    MODEL_EXPECT(info.InterfaceIndex == hop.interface && info.Flags == hop.flags);
    MODEL_EXPECT(info.State == (hop.deleted ? RTM_NEXTHOP_STATE_DELETED : RTM_NEXTHOP_STATE_CREATED));
    MODEL_EXPECT(reinterpret_cast<std::uintptr_t>(info.EntitySpecificInfo) == hop.specific);
    MODEL_STATUS(RtmReleaseNextHopInfo(self, &info), NO_ERROR);
  }

  struct Selector {
    ULONG protocol;
    std::optional<std::set<Id>> owners;
    const std::set<Id>* get() const { return owners ? &*owners : nullptr; }
  };
  Selector choose_protocol(std::size_t client) {
    const unsigned which = choices_.below(6);
    if (which >= kProtocols.size())
      return which == 5 ? selector(RTM_THIS_PROTOCOL, clients_[client].protocol) : Selector{RTM_BEST_PROTOCOL, {}};
    return selector(kProtocols[which], kProtocols[which]);
  }
  Selector selector(ULONG asked, ULONG meant) const {
    Selector result{asked, std::set<Id>{}};
    for (const Client& client : clients_) {
      if (client.protocol == meant) result.owners->insert(client.id);
    }
    return result;
  }

  // One more reference on some handles of a record, taken over by the driver, before the record is released.
  void keep_some(std::size_t client, const RTM_DEST_INFO& info, const Prefix& prefix) {
    if (!choices_.one_in(2)) return;
    HANDLE handle = info.DestHandle;
    MODEL_STATUS(RtmReferenceHandles(clients_[client].handle, 1, &handle), NO_ERROR);
    take(client, Kind::kDestination, handle, prefix);
  }

  void search() {
    const std::size_t client = choose_client();
    const Prefix prefix = choose_prefix();
    const RTM_VIEW_SET views = choose_views();
    const Selector protocol = choose_protocol(client);
    const bool exact = choices_.one_in(2);
    std::optional<Prefix> wanted = reference_.most_specific(prefix, plain_views(views));
    if (exact && wanted && *wanted != prefix) wanted.reset();
    RTM_NET_ADDRESS address = net_address(prefix);
    DestBuffer buffer{};
    const auto function = exact ? RtmGetExactMatchDestination : RtmGetMostSpecificDestination;
    MODEL_STATUS(function(clients_[client].handle, &address, protocol.protocol, views, &buffer.info),
                 wanted ? NO_ERROR : ERROR_NOT_FOUND);
    if (!wanted) return;
    compare_record(client, buffer.info, *wanted, views, protocol.get());
    keep_some(client, buffer.info, *wanted);
    MODEL_STATUS(RtmReleaseDestInfo(clients_[client].handle, &buffer.info), NO_ERROR);
  }

  void less_specific() {
    const std::optional<std::size_t> index = choose_held(Kind::kDestination);
    if (!index) return;
    const Held held = held_[*index];
    const RTM_VIEW_SET views = choose_views();
    const std::optional<Prefix> wanted = reference_.less_specific(std::get<Prefix>(held.object), plain_views(views));
    DestBuffer buffer{};
    MODEL_STATUS(RtmGetLessSpecificDestination(clients_[held.client].handle, held.handle, RTM_BEST_PROTOCOL, views,
                                               &buffer.info),
                 wanted ? NO_ERROR : ERROR_NOT_FOUND);
    if (!wanted) return;
    compare_record(held.client, buffer.info, *wanted, views, nullptr);
    MODEL_STATUS(RtmReleaseDestInfo(clients_[held.client].handle, &buffer.info), NO_ERROR);
  }

  void destination_info() {
    const std::optional<std::size_t> index = choose_held(Kind::kDestination);
    if (!index) return;
    const Held held = held_[*index];
    const RTM_VIEW_SET views = choose_views();
    const Selector protocol = choose_protocol(held.client);
    DestBuffer buffer{};
    MODEL_STATUS(RtmGetDestInfo(clients_[held.client].handle, held.handle, protocol.protocol, views, &buffer.info),
                 NO_ERROR);
    MODEL_EXPECT(buffer.info.DestHandle == held.handle);
    compare_record(held.client, buffer.info, std::get<Prefix>(held.object), views, protocol.get());
    MODEL_STATUS(RtmReleaseDestInfo(clients_[held.client].handle, &buffer.info), NO_ERROR);
  }

  void enumerate_destinations() {
    const std::size_t client = choose_client();
    const RTM_ENTITY_HANDLE self = clients_[client].handle;
    const RTM_VIEW_SET views = choose_views();
    const unsigned how = choices_.below(3);
    constexpr std::array<RTM_ENUM_FLAGS, 3> kFlags{RTM_ENUM_START, RTM_ENUM_NEXT, RTM_ENUM_RANGE};
    const bool own = choices_.one_in(3);
    const Prefix start = choose_prefix();
    std::vector<Prefix> wanted = reference_.visible_in(plain_views(views));
    std::erase_if(wanted, [&](const Prefix& prefix) {
      if (how == 1 && prefix < start) return true;
      if (how == 2 && !start.covers(prefix)) return true;
      return own && !owns_best(clients_[client].id, prefix, plain_views(views));
    });
    RTM_NET_ADDRESS address = net_address(start);
    RTM_ENUM_HANDLE walk = nullptr;
    MODEL_STATUS(RtmCreateDestEnum(self, views, kFlags[how] | (own ? RTM_ENUM_OWN_DESTS : 0U),
                                   how == 0 ? nullptr : &address, RTM_BEST_PROTOCOL, &walk),
                 NO_ERROR);
    const std::size_t stride = RTM_SIZE_OF_DEST_INFO(static_cast<std::size_t>(__builtin_popcount(plain_views(views))));
    const UINT batch = 1 + choices_.below(5);
    std::vector<RTM_DEST_INFO> room(batch * 2);
    std::size_t at = 0;
    for (;;) {
      UINT count = batch;
      const DWORD status = RtmGetEnumDests(self, walk, &count, room.data());
      MODEL_EXPECT((status == NO_ERROR && count > 0) || (status == ERROR_NO_MORE_ITEMS && count == 0));
      if (status != NO_ERROR) break;
      for (UINT i = 0; i < count; ++i, ++at) {
        MODEL_EXPECT(at < wanted.size());
        const auto* record =
            reinterpret_cast<const RTM_DEST_INFO*>(reinterpret_cast<const unsigned char*>(room.data()) + i * stride);
        compare_record(client, *record, wanted[at], views, nullptr);
      }
      MODEL_STATUS(RtmReleaseDests(self, count, room.data()), NO_ERROR);
    }
    MODEL_EXPECT(at == wanted.size());
    MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
    MODEL_STATUS(RtmDeleteEnumHandle(self, walk), ERROR_INVALID_HANDLE);
  }
  bool owns_best(Id entity, const Prefix& prefix, unsigned views) const {
    for (int view = 0; view < kViews; ++view) {
      if (views != 0 && (views >> view & 1) == 0) continue;
      for (Id id : reference_.best_for(prefix, view, nullptr)) {
        if (reference_.routes().at(id).owner == entity) return true;
      }
    }
    return false;
  }

  std::vector<RTM_ROUTE_HANDLE> read_routes(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE walk) {
    std::vector<RTM_ROUTE_HANDLE> all;
    std::array<RTM_ROUTE_HANDLE, 7> room{};
    for (;;) {
      UINT count = room.size();
      if (RtmGetEnumRoutes(self, walk, &count, room.data()) != NO_ERROR) {
        MODEL_EXPECT(count == 0);
        return all;
      }
      all.insert(all.end(), room.begin(), room.begin() + count);
    }
  }

  void enumerate_routes() {
    const std::size_t client = choose_client();
    const RTM_ENTITY_HANDLE self = clients_[client].handle;
    const RTM_VIEW_SET views = choose_views();
    const bool own = choices_.one_in(2);
    std::vector<std::pair<Prefix, Id>> wanted;
    for (const auto& [prefix, destination] : reference_.destinations()) {
      std::set<Id> ids(destination.routes.begin(), destination.routes.end());
      if (plain_views(views) == 0) {
        for (Id id : destination.hold) {
          if (id != kNone) ids.insert(id);
        }
      }
      for (Id id : ids) {
        const Route& route = reference_.routes().at(id);
        if (plain_views(views) != 0 && (route.data.views & plain_views(views)) == 0) continue;
        if (!own || route.owner == clients_[client].id) wanted.emplace_back(prefix, id);
      }
    }
    RTM_ENUM_HANDLE walk = nullptr;
    MODEL_STATUS(RtmCreateRouteEnum(self, nullptr, views, RTM_ENUM_START | (own ? RTM_ENUM_OWN_ROUTES : 0U), nullptr,
                                    RTM_MATCH_NONE, nullptr, 0, &walk),
                 NO_ERROR);
    std::vector<std::pair<Prefix, Id>> got;
    for (RTM_ROUTE_HANDLE handle : read_routes(self, walk)) {
      const Id id = identify(client, handle);
      const Route& route = reference_.routes().at(id);
      if (!got.empty()) compare_order(reference_.routes().at(got.back().second), route);
      got.emplace_back(route.prefix, id);
      MODEL_STATUS(RtmReleaseRoutes(self, 1, &handle), NO_ERROR);
    }
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    MODEL_EXPECT(got == wanted);
    MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
  }
  static void compare_order(const Route& earlier, const Route& later) {
    MODEL_EXPECT(earlier.prefix <= later.prefix);
    if (earlier.prefix != later.prefix || earlier.state != State::kCreated || later.state != State::kCreated) return;
    MODEL_EXPECT(std::pair(earlier.data.preference, earlier.data.metric) <=
                 std::pair(later.data.preference, later.data.metric));
  }

  void is_best() {
    const std::optional<std::size_t> index = choose_held(Kind::kRoute);
    if (!index) return;
    const Id id = std::get<Id>(held_[*index].object);
    RTM_VIEW_SET views = 0xDEAD;
    MODEL_STATUS(RtmIsBestRoute(clients_[held_[*index].client].handle, held_[*index].handle, &views), NO_ERROR);
    RTM_VIEW_SET wanted = 0;
    const auto found = reference_.destinations().find(reference_.routes().at(id).prefix);
    for (unsigned view = 0; found != reference_.destinations().end() && view < kViews; ++view) {
      if (found->second.best[view] == id) wanted |= 1U << view;
    }
    MODEL_EXPECT(views == wanted);
    MODEL_EXPECT(identify(held_[*index].client, held_[*index].handle) == id);
  }

  void exact_route() {
    const std::size_t client = choose_client();
    const Prefix prefix = choose_prefix();
    const Client& owner = clients_[choose_client()];
    RouteBuffer buffer{};
    buffer.info.RouteOwner = owner.handle;
    RTM_NET_ADDRESS address = net_address(prefix);
    RTM_ROUTE_HANDLE handle = nullptr;
    std::vector<Id> wanted = reference_.same_routes(owner.id, prefix, kNone, true);
    MODEL_STATUS(RtmGetExactMatchRoute(clients_[client].handle, &address, RTM_MATCH_OWNER, &buffer.info, 0,
                                       RTM_VIEW_MASK_ANY, &handle),
                 wanted.empty() ? ERROR_NOT_FOUND : NO_ERROR);
    if (wanted.empty()) return;
    MODEL_STATUS(RtmReleaseRouteInfo(clients_[client].handle, &buffer.info), NO_ERROR);
    const Id id = identify(client, handle);
    MODEL_EXPECT(std::find(wanted.begin(), wanted.end(), id) != wanted.end());
    take(client, Kind::kRoute, handle, id);
  }

  // -- notification --------------------------------------------------------------------------------------------------
  void subscribe() {
    const std::size_t client = choose_client();
    if (subscriptions_.size() >= 6 || choices_.one_in(4)) {
      if (subscriptions_.empty()) return;
      const std::size_t index = choices_.below(static_cast<unsigned>(subscriptions_.size()));
      const OpenSubscription gone = subscriptions_[index];
      MODEL_STATUS(RtmDeregisterFromChangeNotification(clients_[gone.client].handle, gone.handle), NO_ERROR);
      MODEL_STATUS(RtmDeregisterFromChangeNotification(clients_[gone.client].handle, gone.handle),
                   ERROR_INVALID_HANDLE);
      reference_.unsubscribe(gone.id);
      subscriptions_.erase(subscriptions_.begin() + static_cast<std::ptrdiff_t>(index));
      return;
    }
    const RTM_VIEW_SET views = choose_views();
    const unsigned types = 1 + choices_.below(7);
    const bool marked_only = choices_.one_in(3);
    RTM_NOTIFY_HANDLE handle = nullptr;
    MODEL_STATUS(
        RtmRegisterForChangeNotification(clients_[client].handle, views,
                                         types | (marked_only ? RTM_NOTIFY_ONLY_MARKED_DESTS : 0U), nullptr, &handle),
        NO_ERROR);
    subscriptions_.push_back(
        {client, handle, reference_.subscribe(clients_[client].id, plain_views(views), types, marked_only), views});
  }
  OpenSubscription* choose_subscription() {
    return subscriptions_.empty() ? nullptr
                                  : &subscriptions_[choices_.below(static_cast<unsigned>(subscriptions_.size()))];
  }

  void read_changes() {
    const OpenSubscription* open = choose_subscription();
    if (open == nullptr) return;
    const RTM_ENTITY_HANDLE self = clients_[open->client].handle;
    Subscription& wanted = reference_.subscriptions().at(open->id);
    for (unsigned reads = 1 + choices_.below(6); reads > 0; --reads) {
      DestBuffer buffer{};
      UINT count = 1;
      const DWORD status = RtmGetChangedDests(self, open->handle, &count, &buffer.info);
      MODEL_EXPECT((status == ERROR_NO_MORE_ITEMS) == wanted.pending.empty());
      if (status != NO_ERROR) break;
      MODEL_EXPECT(count == 1);
      const Prefix prefix = prefix_of(buffer.info.DestAddress);
      const auto found = std::find(wanted.pending.begin(), wanted.pending.end(), prefix);
      MODEL_EXPECT(found != wanted.pending.end());
      if (wanted.order_known) MODEL_EXPECT(found == wanted.pending.begin());
      wanted.pending.erase(found);
      compare_record(open->client, buffer.info, prefix, open->views, nullptr);
      keep_some(open->client, buffer.info, prefix);
      MODEL_STATUS(RtmReleaseChangedDests(self, open->handle, count, &buffer.info), NO_ERROR);
    }
    if (wanted.pending.empty()) wanted.order_known = true;
  }

  void mark() {
    const OpenSubscription* open = choose_subscription();
    if (open == nullptr) return;
    const std::optional<std::size_t> index = choose_held(Kind::kDestination, open->client);
    if (!index) return;
    const RTM_ENTITY_HANDLE self = clients_[open->client].handle;
    RTM_DEST_HANDLE handle = held_[*index].handle;
    const Prefix prefix = std::get<Prefix>(held_[*index].object);
    const Subscription& before = reference_.subscriptions().at(open->id);
    const auto pending = [&] {
      return std::find(before.pending.begin(), before.pending.end(), prefix) != before.pending.end();
    };
    BOOL flag = 7;
    MODEL_STATUS(RtmGetChangeStatus(self, open->handle, handle, &flag), NO_ERROR);
    MODEL_EXPECT(flag == (pending() ? TRUE : FALSE));
    if (choices_.one_in(3)) {
      MODEL_STATUS(RtmIgnoreChangedDests(self, open->handle, 1, &handle), NO_ERROR);
      reference_.ignore(open->id, prefix);
      return;
    }
    const bool marked = !choices_.one_in(3);
    MODEL_STATUS(RtmMarkDestForChangeNotification(self, open->handle, handle, marked), NO_ERROR);
    reference_.mark(open->id, prefix, marked);
    MODEL_STATUS(RtmIsMarkedForChangeNotification(self, open->handle, handle, &flag), NO_ERROR);
    MODEL_EXPECT(flag == (marked ? TRUE : FALSE));
  }

  // -- lists, time, references ---------------------------------------------------------------------------------------
  void lists() {
    const std::size_t client = choose_client();
    const RTM_ENTITY_HANDLE self = clients_[client].handle;
    const auto found =
        std::find_if(lists_.begin(), lists_.end(), [&](const OpenList& list) { return list.client == client; });
    if (found == lists_.end()) {
      RTM_ROUTE_LIST_HANDLE handle = nullptr;
      MODEL_STATUS(RtmCreateRouteList(self, &handle), NO_ERROR);
      lists_.push_back({client, handle, reference_.create_list(clients_[client].id)});
      return;
    }
    if (choices_.one_in(4)) {
      MODEL_STATUS(RtmDeleteRouteList(self, found->handle), NO_ERROR);
      MODEL_STATUS(RtmDeleteRouteList(self, found->handle), ERROR_INVALID_HANDLE);
      reference_.delete_list(found->id);
      lists_.erase(found);
      return;
    }
    insert_in_list(client, *found);
    compare_list(client, *found);
  }
  void insert_in_list(std::size_t client, const OpenList& list) {
    const std::optional<std::size_t> index = choose_held(Kind::kRoute, client);
    if (!index) return;
    const Route& route = reference_.routes().at(std::get<Id>(held_[*index].object));
    if (route.state != State::kCreated) return;
    const bool own = route.owner == clients_[client].id;
    const bool remove = choices_.one_in(3);
    RTM_ROUTE_HANDLE handle = held_[*index].handle;
    MODEL_STATUS(RtmInsertInRouteList(clients_[client].handle, remove ? nullptr : list.handle, 1, &handle),
                 own ? NO_ERROR : ERROR_ACCESS_DENIED);
    if (own) reference_.move_to_list(route.id, remove ? kNone : list.id);
  }
  static std::string names(const std::vector<Id>& ids) {
    std::string text;
    for (Id id : ids) text += std::to_string(id) + " ";
    return text;
  }
  void compare_list(std::size_t client, const OpenList& list) {
    const RTM_ENTITY_HANDLE self = clients_[client].handle;
    RTM_ENUM_HANDLE walk = nullptr;
    MODEL_STATUS(RtmCreateRouteListEnum(self, list.handle, &walk), NO_ERROR);
    std::vector<Id> members;
    for (UINT count = 3; count == 3;) {
      std::array<RTM_ROUTE_HANDLE, 3> room{};
      MODEL_STATUS(RtmGetListEnumRoutes(self, walk, &count, room.data()), NO_ERROR);
      for (UINT i = 0; i < count; ++i) members.push_back(identify(client, room[i]));
      MODEL_STATUS(RtmReleaseRoutes(self, count, room.data()), NO_ERROR);
    }
    MODEL_EXPECT(members == reference_.list_members(list.id),
                 names(members) + "instead of " + names(reference_.list_members(list.id)));
    MODEL_STATUS(RtmDeleteEnumHandle(self, walk), NO_ERROR);
  }

  void advance_clock() {
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
  void expire_routes() {
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

  void release_or_reference() {
    if (held_.empty()) return;
    const std::size_t index = choices_.below(static_cast<unsigned>(held_.size()));
    const Held held = held_[index];
    if (choices_.one_in(4)) {
      HANDLE handle = held.handle;
      MODEL_STATUS(RtmReferenceHandles(clients_[held.client].handle, 1, &handle), NO_ERROR);
      held_.push_back(held);
      return;
    }
    drop(index);
    const bool last = std::none_of(held_.begin(), held_.end(), [&](const Held& other) {
      return other.client == held.client && other.handle == held.handle;
    });
    if (last && held.kind != Kind::kEntity && !choices_.one_in(3))
      MODEL_STATUS(release_one(held), ERROR_INVALID_HANDLE);
  }

  // Mistakes of every kind, all answered and none with an effect.
  void illegal() {
    const std::size_t client = choose_client();
    const RTM_ENTITY_HANDLE self = clients_[client].handle;
    HANDLE bad = nullptr;
    switch (choices_.below(4)) {
      case 0:
        break;
      case 1:
        bad = reinterpret_cast<HANDLE>(~std::uintptr_t{0});
        break;
      case 2:
        bad = reinterpret_cast<HANDLE>(reinterpret_cast<std::uintptr_t>(self) ^
                                       (std::uintptr_t{1} << choices_.below(64)));
        break;
      default:
        bad = self;
        break;
    }
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

  // -- the end -------------------------------------------------------------------------------------------------------
  void finish() {
    ++step_;
    if (!clients_.empty()) {
      enumerate_destinations();
      enumerate_routes();
    }
    while (!clients_.empty()) deregister_client(0);
    TpDrain();
    for (std::uint32_t kind = TP_KIND_ANY; kind <= TP_KIND_NOTIFICATION; ++kind) {
      MODEL_EXPECT(TpObjectCount(kind) == 0, "objects of kind " + std::to_string(kind) + " are left");
      MODEL_EXPECT(TpReferenceCount(kind) == 0, "references of kind " + std::to_string(kind) + " are left");
    }
  }

  Choices choices_;
  int family_;
  int step_ = 0;
  ULONG instances_ = 0;
  std::uintptr_t cookie_ = 0x1000;
  std::map<std::uintptr_t, Id> cookies_;
  Reference reference_;
  std::vector<Client> clients_;
  std::vector<Held> held_;
  std::vector<OpenList> lists_;
  std::vector<OpenSubscription> subscriptions_;
};

}  // namespace

std::string drive_and_compare(std::span<const std::uint8_t> choices, int address_family) {
  TpClockUseTest();
  Driver driver(choices, address_family);
  try {
    driver.run();
  } catch (const Difference& difference) {
    driver.abandon();
    return "step " + std::to_string(driver.step_number()) + ": " + difference.what();
  }
  return {};
}

}  // namespace turnpike::model
