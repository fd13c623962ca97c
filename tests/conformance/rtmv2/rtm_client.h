// What every conformance test of RTMv2 stands on: a registered client with short names, structures of the right size
// that give back what they were filled with, and the books that must balance when a test ends.
//
// Written from docs/contract/rtmv2.md and the public headers alone: nothing here may know how the library works.
//
// * Time stands still (TpClockUseTest) and moves only by pass(milliseconds); settle() returns when every event queued
// so
//   far has been delivered. So nothing here sleeps, and "nothing was said" can be told from "not yet said".
// * Each wrapper releases what it holds when it goes out of scope, and fails the test if the library refuses that.
//   A Client that is destroyed while it still owes a reference fails the test, unless leaves_things_behind() was said.
#ifndef TURNPIKE_TESTS_CONFORMANCE_RTM_CLIENT_H
#define TURNPIKE_TESTS_CONFORMANCE_RTM_CLIENT_H

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <rtmv2.h>
#include <turnpike/testing.h>
#include <winerror.h>

#include <array>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace turnpike::conformance {

inline const HANDLE kGarbage = reinterpret_cast<HANDLE>(0x1234567);  // NOLINT: a number that no library gave out
inline const HANDLE kInvalid = reinterpret_cast<HANDLE>(-1);         // NOLINT: INVALID_HANDLE_VALUE

constexpr RTM_VIEW_SET kUnicast = RTM_VIEW_MASK_UCAST;
constexpr RTM_VIEW_SET kMulticast = RTM_VIEW_MASK_MCAST;
constexpr RTM_VIEW_SET kBoth = RTM_VIEW_MASK_UCAST | RTM_VIEW_MASK_MCAST;
constexpr RTM_VIEW_SET kAny = RTM_VIEW_MASK_ANY;
constexpr RTM_VIEW_SET kUnsupportedView = 0x4;

/// A network address written as text, "10.0.0.0/8" or "2001:db8::/32" (no length: that of a host), handed to a call as
/// the pointer it wants: `RtmGetExactMatchDestination(client, Net("10.0.0.0/8"), …)`.
class Net {
 public:
  Net(const char* text);  // NOLINT(google-explicit-constructor): a literal is a network wherever one is wanted
  operator PRTM_NET_ADDRESS() { return &address_; }  // NOLINT(google-explicit-constructor)
  RTM_NET_ADDRESS& value() { return address_; }

 private:
  RTM_NET_ADDRESS address_{};
};

/// The other way round: "10.0.0.0/8".
std::string text_of(const RTM_NET_ADDRESS& address);

inline void settle() { ASSERT_EQ(TpDrain(), 1); }
inline void pass(uint32_t milliseconds) { ASSERT_EQ(TpClockAdvance(milliseconds), 1); }

/// What clients hold, and how many objects live: taken before and after, these must be equal where nothing may leak.
struct Books {
  std::array<uint64_t, 8> references{};
  std::array<uint64_t, 8> objects{};

  static Books now();
  bool operator==(const Books&) const = default;
  friend std::ostream& operator<<(std::ostream&, const Books&);
};

/// A reference on a route, next hop or entity, released at the end of the scope.
template <auto Release>
class Reference {
 public:
  Reference() = default;
  Reference(RTM_ENTITY_HANDLE client, HANDLE handle) : client_(client), handle_(handle) {}
  Reference(Reference&& other) noexcept { *this = std::move(other); }
  Reference& operator=(Reference&& other) noexcept {
    std::swap(client_, other.client_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  ~Reference() { release(); }

  operator HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)
  /// The handle, and the duty to release it: for a call that consumes it, or a test that gives it back by hand.
  HANDLE consume() { return std::exchange(handle_, nullptr); }
  void release() {
    if (HANDLE held = consume()) {
      EXPECT_EQ(Release(client_, 1, &held), DWORD{NO_ERROR});
    }
  }

 private:
  RTM_ENTITY_HANDLE client_ = nullptr;
  HANDLE handle_ = nullptr;
};
using Route = Reference<RtmReleaseRoutes>;
using NextHop = Reference<RtmReleaseNextHops>;
using Entity = Reference<RtmReleaseEntities>;

/// An RTM_DEST_INFO with room for so many views, behind it bytes that nobody may touch. Released at the end of the
/// scope.
class DestInfo {
 public:
  explicit DestInfo(RTM_ENTITY_HANDLE client, UINT views = 2);
  DestInfo(DestInfo&& other) noexcept : client_(other.client_), bytes_(std::exchange(other.bytes_, {})) {}
  DestInfo(const DestInfo&) = delete;
  DestInfo& operator=(DestInfo&&) = delete;
  ~DestInfo();

  operator PRTM_DEST_INFO() { return get(); }  // NOLINT(google-explicit-constructor)
  PRTM_DEST_INFO operator->() { return get(); }
  RTM_DEST_HANDLE handle() { return get()->DestHandle; }
  auto& view(size_t index) { return get()->ViewInfo[index]; }
  std::string prefix() { return text_of(get()->DestAddress); }
  void release();
  /// The duty to release passes to the caller.
  RTM_DEST_HANDLE consume() { return std::exchange(get()->DestHandle, nullptr); }

 private:
  PRTM_DEST_INFO get() { return reinterpret_cast<PRTM_DEST_INFO>(bytes_.data()); }

  RTM_ENTITY_HANDLE client_;
  std::vector<std::byte> bytes_;
};

/// What a test says of a route that it adds.
struct RouteSpec {
  ULONG preference = 10;
  ULONG metric = 1;
  RTM_VIEW_SET views = kUnicast;
  RTM_NEXTHOP_HANDLE neighbour = nullptr;
  std::vector<RTM_NEXTHOP_HANDLE> hops = {};
  USHORT flags = 0;
  PVOID data = nullptr;
  ULONG lives = INFINITE;
  RTM_ROUTE_LIST_HANDLE list = nullptr;
  RTM_ROUTE_CHANGE_FLAGS change = 0;
};

/// An RTM_ROUTE_INFO with room for 64 next hops, filled from a RouteSpec or by a call, released at the end of the
/// scope.
class RouteInfo {
 public:
  static constexpr size_t kRoom = 64;

  explicit RouteInfo(RTM_ENTITY_HANDLE client, const RouteSpec& spec = {});
  RouteInfo(const RouteInfo&) = delete;
  RouteInfo& operator=(const RouteInfo&) = delete;
  ~RouteInfo() { release(); }

  operator PRTM_ROUTE_INFO() { return get(); }  // NOLINT(google-explicit-constructor)
  PRTM_ROUTE_INFO operator->() { return get(); }
  std::vector<RTM_NEXTHOP_HANDLE> hops();
  void release();

 private:
  PRTM_ROUTE_INFO get() { return reinterpret_cast<PRTM_ROUTE_INFO>(bytes_.data()); }

  RTM_ENTITY_HANDLE client_;
  alignas(8) std::array<std::byte, RTM_SIZE_OF_ROUTE_INFO(kRoom)> bytes_{};
};

/// One call of a client's event callback, copied during the call.
struct Event {
  RTM_EVENT_TYPE type;
  PVOID first;
  PVOID second;
  RTM_ENTITY_HANDLE receiver;
  RTM_ENTITY_INFO about;  // entity events only
};

struct ClientOptions {
  ULONG protocol = 1000;
  ULONG instance = 0;  // 0: one that no other client of this run has
  USHORT family = AF_INET;
  USHORT rtm_instance = 0;
  bool events = true;  // with a callback
  bool opaque = false;
  std::vector<RTM_ENTITY_EXPORT_METHOD> methods = {};
};

/// A registered entity, handed to a call as its registration handle. Deregisters at the end of the scope.
class Client {
 public:
  explicit Client(const ClientOptions& options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  operator RTM_ENTITY_HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)
  const RTM_REGN_PROFILE& profile() const { return profile_; }
  const RTM_ENTITY_INFO& info() const { return info_; }

  /// Leaves now; the wrappers of this client must be gone.
  void deregister();
  /// The test lets this client forget things on purpose.
  void leaves_things_behind() { tidy_ = false; }

  /// Adds (or finds) a next hop and returns a reference on it.
  NextHop next_hop(const char* address, ULONG interface = 1) const;
  /// Adds or updates a route by its values and returns a reference on it. The test fails if the library refuses.
  Route route(Net prefix, const RouteSpec& spec = {}) const;
  /// The same with the answer and the flags told: a reference only where the call succeeded.
  Route try_route(Net prefix, const RouteSpec& spec, DWORD& answer, RTM_ROUTE_CHANGE_FLAGS& flags) const;
  /// Updates exactly that route; returns the flags.
  RTM_ROUTE_CHANGE_FLAGS update(RTM_ROUTE_HANDLE route, Net prefix, const RouteSpec& spec) const;
  /// Deletes a route with its reference; returns the flags.
  RTM_ROUTE_CHANGE_FLAGS remove(Route route) const;

  /// What is known of a prefix; `found` false where there is no such destination.
  DestInfo find(Net prefix, RTM_VIEW_SET views = kBoth, ULONG protocol = RTM_BEST_PROTOCOL) const;
  /// What is known of a destination, by its handle.
  DestInfo look(RTM_DEST_HANDLE destination, RTM_VIEW_SET views = kBoth, ULONG protocol = RTM_BEST_PROTOCOL) const;
  bool has(Net prefix, RTM_VIEW_SET views = kAny) const;
  /// The best route of a prefix in one view as a bare value, to be compared: no reference is held on it.
  RTM_ROUTE_HANDLE best(Net prefix, RTM_VIEW_SET view = kUnicast) const;
  /// The views in which a route is best.
  RTM_VIEW_SET best_in(RTM_ROUTE_HANDLE route) const;

  /// What is done inside the callback, and its answer. Without it routes that expire are left to the library.
  void on_event(std::function<DWORD(const Event&)> reaction);
  /// What the callback was told since the last call of this, once everything queued is delivered.
  std::vector<Event> events();
  std::vector<Event> events(RTM_EVENT_TYPE type);

 private:
  RTM_ENTITY_INFO info_{};
  RTM_REGN_PROFILE profile_{};
  RTM_ENTITY_HANDLE handle_ = nullptr;
  bool tidy_ = true;
};

/// A registration for changes: which prefixes were reported since it was asked last, in the order of the reports.
class Watch {
 public:
  Watch(const Client& client, RTM_NOTIFY_FLAGS flags, RTM_VIEW_SET views = kUnicast, PVOID context = nullptr);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  operator RTM_NOTIFY_HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)
  std::vector<std::string> changed() const;
  RTM_NOTIFY_HANDLE consume() { return std::exchange(handle_, nullptr); }

 private:
  const Client& client_;
  RTM_NOTIFY_HANDLE handle_ = nullptr;
  UINT views_;
};

/// Turns the clock for each test and checks that everything is gone when its clients are.
class RtmTest : public ::testing::Test {
 protected:
  RtmTest();
  ~RtmTest() override;

  /// Tables other than the default ones, for the rest of the test. No client may be registered.
  static void configure(const std::vector<TP_RTM_TABLE>& tables);
  static constexpr TP_RTM_TABLE kDefaultTable{0, AF_INET, 8, 100, 5, 16};
};

}  // namespace turnpike::conformance

#endif
