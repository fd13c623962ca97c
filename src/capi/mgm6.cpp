// The multicast group manager for IPv6: include/turnpike/mgm6.h over mgm::Manager. As capi/mgm.cpp, in another form.
#include <turnpike/mgm6.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <vector>

#include "capi/mgm_codes.h"
#include "capi/mgm_forwarder.h"
#include "runtime/world.h"

namespace turnpike::capi {
namespace {

using mgm::Flow;
using mgm::InterfaceId;
using mgm::Manager;
using runtime::World;

constexpr auto kIpv6 = net::Family::kIpv6;
constexpr std::uint32_t kNotFound = 1168;
constexpr std::uint32_t kNoMoreItems = 259;

static_assert(TP_MGM6_JOIN_STATE == mgm::kJoinState && TP_MGM6_FORWARD_STATE == mgm::kForwardState);

runtime::Multicast& multicast() { return World::instance().multicast(kIpv6); }

void* to(Handle handle) { return reinterpret_cast<void*>(handle); }
Handle of(void* handle) { return std::bit_cast<Handle>(handle); }
TP_MGM6_ADDRESS to(const net::Address& address) { return address.to_network<TP_MGM6_ADDRESS>(); }
net::Address of(const TP_MGM6_ADDRESS& address) { return net::Address::from_network(address); }
TP_MGM6_FLOW to(const Flow& flow) { return {to(flow.source), to(flow.group)}; }
Flow of(const TP_MGM6_FLOW& flow) { return {of(flow.group), of(flow.source)}; }
TP_MGM6_INTERFACE to(const InterfaceId& id) { return {id.device.value(), to(id.next_hop)}; }
InterfaceId of(const TP_MGM6_INTERFACE& id) { return {net::InterfaceIndex(id.index), of(id.next_hop)}; }

template <class Ask>
std::uint32_t call(Ask&& ask) noexcept {
  return guarded([&]() -> std::uint32_t {
    const auto manager = multicast().manager();
    return manager ? ask(**manager) : code_of_mgm(manager.error());
  });
}

class Adaptor6 final : public mgm::Callbacks {
 public:
  Adaptor6(const TP_MGM6_CALLBACKS& callbacks, void* context) : callbacks_(callbacks), context_(context) {}

  [[nodiscard]] mgm::CallbackSet wanted() const {
    using Kind = mgm::CallbackKind;
    const std::pair<bool, Kind> all[] = {{callbacks_.rpf != nullptr, Kind::kRpf},
                                         {callbacks_.created != nullptr, Kind::kCreated},
                                         {callbacks_.joined != nullptr, Kind::kJoined},
                                         {callbacks_.pruned != nullptr, Kind::kPruned},
                                         {callbacks_.wrong_interface != nullptr, Kind::kWrongInterface},
                                         {callbacks_.local_join != nullptr, Kind::kLocalJoin},
                                         {callbacks_.local_leave != nullptr, Kind::kLocalLeave},
                                         {callbacks_.disable_mld != nullptr, Kind::kDisableIgmp},
                                         {callbacks_.enable_mld != nullptr, Kind::kEnableIgmp}};
    unsigned set = 0;
    for (const auto& [is_there, kind] : all) set |= is_there ? unsigned{mgm::set_of(kind)} : 0U;
    return static_cast<mgm::CallbackSet>(set);
  }

  void rpf(const Flow& flow, std::span<const std::byte>, mgm::Rpf& rpf) override {
    const TP_MGM6_FLOW about = to(flow);
    TP_MGM6_RPF shown{to(rpf.incoming), to(rpf.upstream), rpf.details};
    multicast().view().show(rpf.details, rpf.route, [&] { callbacks_.rpf(context_, &about, &shown); });
    rpf.incoming = of(shown.incoming);
    rpf.upstream = of(shown.upstream);
  }

  void created(const Flow& flow, const InterfaceId& incoming, std::span<mgm::OutInterface> out) override {
    const TP_MGM6_FLOW about = to(flow);
    const TP_MGM6_INTERFACE in = to(incoming);
    std::vector<TP_MGM6_OUT> list;
    list.reserve(out.size());
    for (const mgm::OutInterface& each : out) list.push_back({to(each.id), each.has_igmp ? 1U : 0U, 1});
    callbacks_.created(context_, &about, &in, list.data(), static_cast<std::uint32_t>(list.size()));
    for (std::size_t i = 0; i < out.size(); ++i) out[i].enabled = list[i].enabled != 0;
  }

  void joined(const Flow& flow, bool by_member) override {
    const TP_MGM6_FLOW about = to(flow);
    callbacks_.joined(context_, &about, by_member ? 1 : 0);
  }
  void pruned(const Flow& flow, const InterfaceId& at, bool by_member, std::uint32_t& seconds) override {
    const TP_MGM6_FLOW about = to(flow);
    const TP_MGM6_INTERFACE where = to(at);
    callbacks_.pruned(context_, &about, &where, by_member ? 1 : 0, &seconds);
  }
  void wrong_interface(const Flow& flow, const InterfaceId& at, std::span<const std::byte>) override {
    tell(callbacks_.wrong_interface, flow, at);
  }
  void local_join(const Flow& flow, const InterfaceId& at) override { tell(callbacks_.local_join, flow, at); }
  void local_leave(const Flow& flow, const InterfaceId& at) override { tell(callbacks_.local_leave, flow, at); }
  void disable_igmp(const InterfaceId& at) override {
    const TP_MGM6_INTERFACE where = to(at);
    callbacks_.disable_mld(context_, &where);
  }
  void enable_igmp(const InterfaceId& at) override {
    const TP_MGM6_INTERFACE where = to(at);
    callbacks_.enable_mld(context_, &where);
  }

 private:
  template <class Callback>
  void tell(Callback callback, const Flow& flow, const InterfaceId& at) const {
    const TP_MGM6_FLOW about = to(flow);
    const TP_MGM6_INTERFACE where = to(at);
    callback(context_, &about, &where);
  }

  const TP_MGM6_CALLBACKS callbacks_;
  void* const context_;
};

bool is_room(const TP_MGM6_ENTRY* entry, const TP_MGM6_OUT_COUNT* out, std::uint32_t capacity) {
  return entry != nullptr && entry->size == sizeof *entry && (out != nullptr || capacity == 0);
}

void show(const mgm::EntryImage& image, TP_MGM6_ENTRY& entry, TP_MGM6_OUT_COUNT* out, std::uint32_t capacity) {
  entry.flow = to(image.flow);
  entry.incoming = to(image.incoming);
  entry.upstream = to(image.upstream);
  entry.incoming_protocol = image.incoming_protocol;
  entry.route_protocol = image.route.protocol;
  const bool has_route = image.route.network.address().is_ipv6();
  entry.route_network = has_route ? to(image.route.network.address()) : TP_MGM6_ADDRESS{};
  entry.route_length = has_route ? image.route.network.length() : 0;
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(image.age).count();
  entry.timeout = image.timeout;
  entry.age = static_cast<std::uint32_t>(std::clamp<std::int64_t>(age, 0, image.timeout));
  entry.out_count = static_cast<std::uint32_t>(image.out.size());
  entry.packets = image.counters.packets;
  entry.octets = image.counters.octets;
  entry.wrong_interface = image.counters.wrong_interface;
  entry.out_packets = image.out_packets;
  entry.negative_packets = image.negative_packets;
  for (std::size_t i = 0; i < std::min<std::size_t>(capacity, image.out.size()); ++i) {
    out[i] = {to(image.out[i].id), image.out[i].packets};
  }
}

}  // namespace
}  // namespace turnpike::capi

namespace capi = turnpike::capi;
using capi::kIpv6;
using turnpike::mgm::Manager;

// --- registration, interfaces, memberships ---------------------------------------------------------------------------

uint32_t TpMgm6Register(const TP_MGM6_CALLBACKS* callbacks, void* context, uint32_t protocol, uint32_t component,
                        void** handle) noexcept {
  if (callbacks == nullptr || callbacks->size != sizeof *callbacks || handle == nullptr) return capi::kInvalidParameter;
  return capi::guarded([&]() -> std::uint32_t {
    auto adaptor = std::make_unique<capi::Adaptor6>(*callbacks, context);
    const auto wanted = adaptor->wanted();
    const auto registered = capi::multicast().register_client({{protocol, component}, std::move(adaptor), wanted});
    if (!registered) return capi::code_of_mgm(registered.error());
    *handle = capi::to(*registered);
    return capi::kSuccess;
  });
}

uint32_t TpMgm6Deregister(void* handle) noexcept {
  return capi::guarded([&] { return capi::code_of_mgm(capi::multicast().deregister_client(capi::of(handle))); });
}

uint32_t TpMgm6TakeInterface(void* handle, const TP_MGM6_INTERFACE* at) noexcept {
  if (at == nullptr) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) { return capi::code_of_mgm(manager.take(capi::of(handle), capi::of(*at))); });
}

uint32_t TpMgm6ReleaseInterface(void* handle, const TP_MGM6_INTERFACE* at) noexcept {
  if (at == nullptr) return capi::kInvalidParameter;
  return capi::call(
      [&](Manager& manager) { return capi::code_of_mgm(manager.release(capi::of(handle), capi::of(*at))); });
}

uint32_t TpMgm6GetProtocolOnInterface(const TP_MGM6_INTERFACE* at, uint32_t* protocol, uint32_t* component) noexcept {
  if (at == nullptr || protocol == nullptr || component == nullptr) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) -> std::uint32_t {
    const auto info = manager.protocol_on(capi::of(*at));
    if (!info) return capi::code_of_mgm(info.error());
    *protocol = info->protocol;
    *component = info->component;
    return capi::kSuccess;
  });
}

uint32_t TpMgm6AddMembership(void* handle, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at,
                             uint32_t states) noexcept {
  if (flow == nullptr || at == nullptr) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(manager.add(capi::of(handle), capi::of(*flow), capi::of(*at), states));
  });
}

uint32_t TpMgm6DeleteMembership(void* handle, const TP_MGM6_FLOW* flow, const TP_MGM6_INTERFACE* at,
                                uint32_t states) noexcept {
  if (flow == nullptr || at == nullptr) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(manager.remove(capi::of(handle), capi::of(*flow), capi::of(*at), states));
  });
}

// --- entries and groups ----------------------------------------------------------------------------------------------

uint32_t TpMgm6GetEntry(const TP_MGM6_FLOW* flow, TP_MGM6_ENTRY* entry, TP_MGM6_OUT_COUNT* out,
                        uint32_t capacity) noexcept {
  if (flow == nullptr || !capi::is_room(entry, out, capacity)) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) -> std::uint32_t {
    turnpike::mgm::EntryImage image;
    if (!manager.entry(capi::of(*flow), true, image)) return capi::kNotFound;
    capi::show(image, *entry, out, capacity);
    return capi::kSuccess;
  });
}

uint32_t TpMgm6GetNextEntry(const TP_MGM6_FLOW* after, TP_MGM6_ENTRY* entry, TP_MGM6_OUT_COUNT* out,
                            uint32_t capacity) noexcept {
  if (!capi::is_room(entry, out, capacity)) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) -> std::uint32_t {
    const auto from = after != nullptr ? capi::of(*after) : turnpike::mgm::Flow{};
    turnpike::mgm::EntryImage image;
    if (!manager.next_entry(after != nullptr ? &from : nullptr, true, image)) return capi::kNoMoreItems;
    capi::show(image, *entry, out, capacity);
    return capi::kSuccess;
  });
}

uint32_t TpMgm6SetUpstream(void* handle, const TP_MGM6_FLOW* flow, const TP_MGM6_ADDRESS* upstream) noexcept {
  if (flow == nullptr || upstream == nullptr) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(manager.set_upstream(capi::of(handle), capi::of(*flow), capi::of(*upstream)));
  });
}

uint32_t TpMgm6ForgetEntry(void* handle, const TP_MGM6_FLOW* flow) noexcept {
  if (flow == nullptr) return capi::kInvalidParameter;
  return capi::call(
      [&](Manager& manager) { return capi::code_of_mgm(manager.forget(capi::of(handle), capi::of(*flow))); });
}

uint32_t TpMgm6GroupsStart(void* handle, int all_sources, void** enumeration) noexcept {
  if (enumeration == nullptr) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) -> std::uint32_t {
    const auto started = manager.start_groups(capi::of(handle), all_sources != 0);
    if (!started) return capi::code_of_mgm(started.error());
    *enumeration = capi::to(*started);
    return capi::kSuccess;
  });
}

uint32_t TpMgm6GroupsNext(void* enumeration, TP_MGM6_FLOW* flows, uint32_t* count) noexcept {
  if (count == nullptr || (flows == nullptr && *count != 0)) return capi::kInvalidParameter;
  return capi::call([&](Manager& manager) -> std::uint32_t {
    std::uint32_t used = 0;
    const auto batch = manager.next_groups(capi::of(enumeration), *count,
                                           [&](const turnpike::mgm::Flow& flow) { flows[used++] = capi::to(flow); });
    if (!batch) return capi::code_of_mgm(batch.error());
    *count = used;
    return *batch ? capi::kSuccess : capi::kNoMoreItems;
  });
}

uint32_t TpMgm6GroupsEnd(void* enumeration) noexcept {
  return capi::call([&](Manager& manager) { return capi::code_of_mgm(manager.end_groups(capi::of(enumeration))); });
}

// --- the kernel ------------------------------------------------------------------------------------------------------

uint32_t TpMgm6ForwarderStart(const TP_MGM_FORWARDER_OPTIONS* options, char* holder, size_t holder_size) noexcept {
  return capi::start_multicast(kIpv6, options, holder, holder_size);
}
uint32_t TpMgm6ForwarderStop(void) noexcept { return capi::stop_multicast(kIpv6); }
uint32_t TpMgm6AllClaimed(void) noexcept { return capi::all_claimed(kIpv6); }
uint32_t TpMgm6GetStatus(TP_MGM_STATUS* status) noexcept { return capi::multicast_status(kIpv6, status); }
uint32_t TpMgm6GetDeviceCounters(uint32_t device, TP_MGM_DEVICE_COUNTERS* counters) noexcept {
  return capi::device_counters(kIpv6, device, counters);
}

uint32_t TpMgm6SetScope(uint32_t device, uint32_t threshold, const TP_MGM6_BOUNDARY* boundaries,
                        uint32_t count) noexcept {
  const bool is_good =
      capi::is_threshold(threshold) && (boundaries != nullptr || count == 0) && count <= capi::kMostBoundaries &&
      std::all_of(boundaries, boundaries + count, [](const TP_MGM6_BOUNDARY& each) { return each.length <= 128; });
  if (!is_good) return capi::kInvalidParameter;
  return capi::guarded([&] {
    turnpike::mgm::Scope scope;
    scope.threshold = static_cast<std::uint8_t>(threshold);
    for (std::uint32_t i = 0; i < count; ++i) {
      scope.boundaries.emplace_back(capi::of(boundaries[i].group), boundaries[i].length);
    }
    return capi::set_scope(kIpv6, device, std::move(scope));
  });
}
