// The driver of the model, in parts: what they share. One Driver is one run: the table behind the documented C face,
// the reference beside it, and what the run has open. A step chooses by the bytes, calls the one, tells the other, and
// compares.
//
//   rtm_driver.cpp          the steps, and the end
//   rtm_driver_clients.cpp  clients, next hops, and the handles that are held
//   rtm_driver_routes.cpp   adding, updating, deleting, holding
//   rtm_driver_reading.cpp  searches, information, enumerations, and the comparison of what they answer
//   rtm_driver_changes.cpp  subscriptions and lists
//   rtm_driver_expiry.cpp   time
//   rtm_driver_illegal.cpp  mistakes
//
// What a step takes of the bytes, and in which order, is kept for ever: recorded failures and the fuzzer's corpus are
// such bytes.
#pragma once

#define MPR50 1  // the version of the router that routprot.h describes
#include <routprot.h>
#include <rtmv2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rtm_reference.h"

namespace turnpike::model {

struct Difference : std::runtime_error {
  using std::runtime_error::runtime_error;
};

#define MODEL_EXPECT(condition, ...)                                                     \
  do {                                                                                   \
    if (!(condition)) differ(__FILE__, __LINE__, #condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)

[[noreturn]] inline void differ(std::string_view file, int line, const char* condition, const std::string& more = {}) {
  file.remove_prefix(file.rfind('/') + 1);
  throw Difference(std::string(file) + ":" + std::to_string(line) + ": " + condition +
                   (more.empty() ? "" : ": " + more));
}

inline void expect_status(std::string_view file, int line, const char* call, DWORD got, DWORD wanted) {
  if (got != wanted)
    differ(file, line, call, "answered " + std::to_string(got) + ", the reference " + std::to_string(wanted));
}
#define MODEL_STATUS(call, wanted) expect_status(__FILE__, __LINE__, #call, (call), (wanted))

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

inline constexpr std::array<ULONG, 4> kProtocols{PROTO_IP_RIP, PROTO_IP_OSPF, PROTO_IP_NT_STATIC, 77};
inline constexpr std::array<std::uint32_t, 4> kPreferences{120, 110, 3, 100};
inline constexpr std::array<int, 6> kLengths{0, 8, 9, 16, 24, 32};
inline constexpr UINT kAllViews = 3;

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
inline RTM_NEXTHOP_HANDLE* hops_of(RouteBuffer& buffer) { return buffer.info.NextHopsList.NextHops; }
inline const auto* views_of(const RTM_DEST_INFO& info) { return info.ViewInfo; }

// Of which protocols the routes are that a question asks for: by number for the library, by their owners for the
// reference.
struct Selector {
  ULONG protocol;
  std::optional<std::set<Id>> owners;
  const std::set<Id>* get() const { return owners ? &*owners : nullptr; }
};

// What a client of the model registers with: it notes down which routes expired, and vetoes or not.
RTM_EVENT_CALLBACK expiry_callback(bool vetoes);

// TURNPIKE_MODEL_TRACE=1 prints what changes the table, step by step: for whoever looks for the cause of a difference.
inline const bool tracing = std::getenv("TURNPIKE_MODEL_TRACE") != nullptr;

class Driver {
 public:
  Driver(std::span<const std::uint8_t> bytes, int family) : choices_(bytes), family_(family) {}

  void run();
  int step_number() const { return step_; }
  // After a difference: nothing of this run may reach the next.
  void abandon();

 private:
  // -- the steps, and what they choose from
  void step();
  void collect();
  void finish();
  Prefix choose_prefix();
  std::size_t choose_client() { return choices_.below(static_cast<unsigned>(clients_.size())); }
  RTM_VIEW_SET choose_views();
  static unsigned plain_views(RTM_VIEW_SET views) { return views & kAllViews; }
  RTM_NET_ADDRESS net_address(const Prefix& prefix) const;
  Prefix prefix_of(const RTM_NET_ADDRESS& address) const;
  static std::string text_of(const Prefix& prefix);
  static std::string text_of(const RouteData& data);
  template <class... Parts>
  void trace(const Parts&... parts) const {
    if (tracing) ((std::cerr << step_ << ':') << ... << parts) << std::endl;
  }

  // -- clients, next hops, handles
  void register_client();
  void deregister_client(std::size_t index);
  void add_next_hop();
  void delete_next_hop();
  std::vector<std::size_t> usable_next_hops(std::size_t client) const;
  void take(std::size_t client, Kind kind, HANDLE handle, const Object& object);
  DWORD release_one(const Held& held);
  void drop(std::size_t index);
  std::vector<std::size_t> held_of(Kind kind, std::optional<std::size_t> client = {}) const;
  std::optional<std::size_t> choose_held(Kind kind, std::optional<std::size_t> client = {});
  std::size_t client_of(Id entity) const;
  bool referenced(const Prefix& prefix) const;
  void release_or_reference();

  // -- routes
  RouteData choose_route(std::size_t client, RouteBuffer& buffer);
  ULONG choose_time_to_live();
  static std::int64_t model_time(ULONG time_to_live);
  const OpenList* choose_list(std::size_t client);
  void add_route();
  Id which_of(HANDLE handle, const std::vector<Id>& same);
  Id open_choice(const std::vector<Id>& open);
  void update_route();
  void delete_route();
  void hold_destination();

  // -- reading
  Selector choose_protocol(std::size_t client);
  Selector selector(ULONG asked, ULONG meant) const;
  void search();
  void less_specific();
  void destination_info();
  void enumerate_destinations();
  bool owns_best(Id entity, const Prefix& prefix, unsigned views) const;
  std::vector<RTM_ROUTE_HANDLE> read_routes(RTM_ENTITY_HANDLE self, RTM_ENUM_HANDLE walk);
  void enumerate_routes();
  static void compare_order(const Route& earlier, const Route& later);
  void is_best();
  void exact_route();
  void compare_record(std::size_t client, const RTM_DEST_INFO& info, const Prefix& prefix, RTM_VIEW_SET views,
                      const std::set<Id>* owners);
  template <class View>
  void compare_view(std::size_t client, const View& view, const Prefix& prefix, int number, const std::set<Id>* owners);
  Id identify(std::size_t client, RTM_ROUTE_HANDLE handle);
  void compare_next_hop(RTM_ENTITY_HANDLE self, RTM_NEXTHOP_HANDLE handle, Id id);
  void keep_some(std::size_t client, const RTM_DEST_INFO& info, const Prefix& prefix);

  // -- subscriptions and lists
  void subscribe();
  OpenSubscription* choose_subscription();
  void read_changes();
  void mark();
  void lists();
  void insert_in_list(std::size_t client, const OpenList& list);
  static std::string names(const std::vector<Id>& ids);
  void compare_list(std::size_t client, const OpenList& list);

  // -- time, mistakes
  void advance_clock();
  void expire_routes();
  HANDLE choose_bad_handle(RTM_ENTITY_HANDLE self);
  void illegal();

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

}  // namespace turnpike::model
