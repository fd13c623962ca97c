// The C face of MGM: mgm.h over mgm::Manager.
//
// Each function does the same: check, ask the process's manager, translate the answer back. Addresses in DWORDs are in
// network byte order; a wildcard is address 0 with mask 0, and no mask but 0 and all ones means anything here. The
// callbacks of a client are an `Adaptor`, which does the same the other way round.
//
// Entries that are read lie back to back in the caller's buffer, each as long as its own outgoing interfaces make it.
#include <mgm.h>
#include <rtmv2.h>
#include <turnpike/mgm.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include "capi/mgm_codes.h"
#include "runtime/world.h"

namespace turnpike::capi {
namespace {

using mgm::Flow;
using mgm::InterfaceId;
using mgm::Manager;
using runtime::World;

static_assert(sizeof(RTM_DEST_INFO) == sizeof(rtm::DestImage), "what an RPF callback is shown");
static_assert(sizeof(MIB_IPMCAST_MFE) == 76 && sizeof(MIB_IPMCAST_MFE_STATS) == 92 &&
              sizeof(MIB_IPMCAST_MFE_STATS_EX) == 112);

HANDLE to(Handle handle) { return reinterpret_cast<HANDLE>(handle); }
Handle of(HANDLE handle) { return std::bit_cast<Handle>(handle); }

DWORD to(const net::Address& address) { return address.ipv4_network(); }
net::Address address_of(DWORD address) { return net::Address::from_network(address); }
InterfaceId interface_of(DWORD index, DWORD next_hop) { return {net::InterfaceIndex(index), address_of(next_hop)}; }

constexpr DWORD kWholeMask = 0xffffffff;
DWORD mask_of(const net::Address& address) { return address.is_unspecified() ? 0 : kWholeMask; }
bool is_form(DWORD address, DWORD mask) { return address == 0 ? mask == 0 : mask == kWholeMask; }
Flow flow_of(const MIB_IPMCAST_MFE& entry) { return {address_of(entry.dwGroup), address_of(entry.dwSource)}; }

template <class Ask>
DWORD call(Ask&& ask) noexcept {
  try {
    const auto manager = World::instance().multicast().manager();
    return manager ? ask(**manager) : code_of_mgm(manager.error());
  } catch (const std::bad_alloc&) {
    return ERROR_NOT_ENOUGH_MEMORY;
  }
}

// --- callbacks
// -----------------------------------------------------------------------------------------------------------

// The IP header of a packet with its options, as RPF callbacks are shown it. The kernel's notification overwrites four
// of its fields; so that nobody relies on them they are zero wherever the packet comes from.
class ShownHeader {
 public:
  explicit ShownHeader(std::span<const std::byte> packet) {
    if (packet.empty()) {
      return;
    }
    const std::size_t length = (std::to_integer<std::size_t>(packet.front()) & 0xf) * 4;
    size_ = std::min({length, packet.size(), bytes_.size()});
    std::memcpy(bytes_.data(), packet.data(), size_);
    for (const std::size_t at : {2U, 3U, 8U, 9U, 10U, 11U}) {  // total length, TTL, protocol, checksum
      bytes_[at] = 0;
    }
  }
  DWORD size() const { return static_cast<DWORD>(size_); }
  PBYTE data() { return bytes_.data(); }

 private:
  std::array<BYTE, 60> bytes_{};
  std::size_t size_ = 0;
};

class Adaptor final : public mgm::Callbacks {
 public:
  explicit Adaptor(const ROUTING_PROTOCOL_CONFIG& config) : config_(config) {}

  static mgm::CallbackSet wanted(const ROUTING_PROTOCOL_CONFIG& config) {
    using Kind = mgm::CallbackKind;
    mgm::CallbackSet set = 0;
    const auto want = [&](auto callback, Kind kind) {
      set = static_cast<mgm::CallbackSet>(set | (callback != nullptr ? mgm::set_of(kind) : 0));
    };
    want(config.pfnRpfCallback, Kind::kRpf);
    want(config.pfnCreationAlertCallback, Kind::kCreated);
    want(config.pfnPruneAlertCallback, Kind::kPruned);
    want(config.pfnJoinAlertCallback, Kind::kJoined);
    want(config.pfnWrongIfCallback, Kind::kWrongInterface);
    want(config.pfnLocalJoinCallback, Kind::kLocalJoin);
    want(config.pfnLocalLeaveCallback, Kind::kLocalLeave);
    want(config.pfnDisableIgmpCallback, Kind::kDisableIgmp);
    want(config.pfnEnableIgmpCallback, Kind::kEnableIgmp);
    return set;
  }

  void rpf(const Flow& flow, std::span<const std::byte> packet, mgm::Rpf& rpf) override {
    DWORD index = rpf.incoming.device.value();
    DWORD next_hop = to(rpf.incoming.next_hop);
    DWORD upstream = to(rpf.upstream);
    ShownHeader header(packet);
    World::instance().multicast().view().show(rpf.details, rpf.route, [&] {
      config_.pfnRpfCallback(to(flow.source), mask_of(flow.source), to(flow.group), mask_of(flow.group), &index,
                             &next_hop, &upstream, header.size(), header.data(), static_cast<PBYTE>(rpf.details));
    });
    rpf.incoming = interface_of(index, next_hop);
    rpf.upstream = address_of(upstream);
  }

  void created(const Flow& flow, const InterfaceId& incoming, std::span<mgm::OutInterface> out) override {
    std::array<MGM_IF_ENTRY, 32> few;  // as many as the kernel has virtual interfaces
    std::vector<MGM_IF_ENTRY> many(out.size() > few.size() ? out.size() : 0);
    const std::span<MGM_IF_ENTRY> list(many.empty() ? few.data() : many.data(), out.size());
    std::transform(out.begin(), out.end(), list.begin(), [](const mgm::OutInterface& each) {
      return MGM_IF_ENTRY{each.id.device.value(), to(each.id.next_hop), each.has_igmp ? TRUE : FALSE, TRUE};
    });
    config_.pfnCreationAlertCallback(to(flow.source), mask_of(flow.source), to(flow.group), mask_of(flow.group),
                                     incoming.device.value(), to(incoming.next_hop), static_cast<DWORD>(list.size()),
                                     list.data());
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].enabled = list[i].bIsEnabled != FALSE;
    }
  }

  void joined(const Flow& flow, bool by_member) override {
    config_.pfnJoinAlertCallback(to(flow.source), mask_of(flow.source), to(flow.group), mask_of(flow.group),
                                 by_member ? TRUE : FALSE);
  }

  void pruned(const Flow& flow, const InterfaceId& interface, bool by_member, std::uint32_t& seconds) override {
    DWORD timeout = seconds;
    config_.pfnPruneAlertCallback(to(flow.source), mask_of(flow.source), to(flow.group), mask_of(flow.group),
                                  interface.device.value(), to(interface.next_hop), by_member ? TRUE : FALSE, &timeout);
    seconds = timeout;
  }

  void wrong_interface(const Flow& flow, const InterfaceId& interface, std::span<const std::byte> packet) override {
    ShownHeader header(packet);
    config_.pfnWrongIfCallback(to(flow.source), to(flow.group), interface.device.value(), to(interface.next_hop),
                               header.size(), header.data());
  }

  void local_join(const Flow& flow, const InterfaceId& interface) override {
    config_.pfnLocalJoinCallback(to(flow.source), mask_of(flow.source), to(flow.group), mask_of(flow.group),
                                 interface.device.value(), to(interface.next_hop));
  }
  void local_leave(const Flow& flow, const InterfaceId& interface) override {
    config_.pfnLocalLeaveCallback(to(flow.source), mask_of(flow.source), to(flow.group), mask_of(flow.group),
                                  interface.device.value(), to(interface.next_hop));
  }
  void disable_igmp(const InterfaceId& interface) override {
    config_.pfnDisableIgmpCallback(interface.device.value(), to(interface.next_hop));
  }
  void enable_igmp(const InterfaceId& interface) override {
    config_.pfnEnableIgmpCallback(interface.device.value(), to(interface.next_hop));
  }

 private:
  const ROUTING_PROTOCOL_CONFIG config_;
};

// --- memberships
// ---------------------------------------------------------------------------------------------------------

struct MembershipCall {
  HANDLE self;
  DWORD source, source_mask, group, group_mask;
  DWORD index, next_hop;
  DWORD flags;
};

DWORD change_membership(const MembershipCall& asked, bool adds) {
  return call([&](Manager& manager) -> DWORD {
    if (!is_form(asked.source, asked.source_mask) || !is_form(asked.group, asked.group_mask)) {
      return Manager::in_igmp_switch() ? ERROR_CAN_NOT_COMPLETE : ERROR_INVALID_PARAMETER;
    }
    const Flow flow{address_of(asked.group), address_of(asked.source)};
    const InterfaceId interface = interface_of(asked.index, asked.next_hop);
    return code_of_mgm(adds ? manager.add(of(asked.self), flow, interface, asked.flags)
                            : manager.remove(of(asked.self), flow, interface, asked.flags));
  });
}

// --- entries
// -------------------------------------------------------------------------------------------------------------

// What is read: plain entries, or statistics of one of two levels.
enum class Form { kPlain, kStats, kStatsEx };

std::optional<Form> form_of(DWORD flags) {
  switch (flags) {
    case MGM_MFE_STATS_0:
      return Form::kStats;
    case MGM_MFE_STATS_1:
      return Form::kStatsEx;
    default:
      return std::nullopt;
  }
}

std::size_t size_of(Form form, std::size_t out_interfaces) {
  switch (form) {
    case Form::kPlain:
      return SIZEOF_MIB_MFE(out_interfaces);
    case Form::kStats:
      return SIZEOF_MIB_MFE_STATS(out_interfaces);
    case Form::kStatsEx:
      return SIZEOF_MIB_MFE_STATS_EX(out_interfaces);
  }
  return 0;
}

ULONG low_half(std::uint64_t count) { return static_cast<ULONG>(count); }
ULONG seconds_of(const mgm::EntryImage& image) {
  return static_cast<ULONG>(std::chrono::duration_cast<std::chrono::seconds>(image.age).count());
}

// The members that all three begin with.
template <class Mib>
Mib head_of(const mgm::EntryImage& image) {
  Mib head = {};
  head.dwGroup = to(image.flow.group);
  head.dwSource = to(image.flow.source);
  head.dwSrcMask = mask_of(image.flow.source);
  head.dwUpStrmNgbr = to(image.upstream);
  head.dwInIfIndex = image.incoming.device.value();
  head.dwInIfProtocol = image.incoming_protocol;
  head.dwRouteProtocol = image.route.protocol;
  head.dwRouteNetwork = to(image.route.network.address());
  head.dwRouteMask = image.route.protocol != 0 ? to(image.route.network.netmask()) : 0;
  head.ulNumOutIf = static_cast<ULONG>(image.out.size());
  return head;
}

template <class Mib>
Mib stats_of(const mgm::EntryImage& image) {
  constexpr std::uint64_t kHundredths = 10'000'000;  // nanoseconds
  Mib head = head_of<Mib>(image);
  const std::uint64_t life = std::uint64_t{image.timeout} * 100;
  const std::uint64_t age = std::min(static_cast<std::uint64_t>(image.age.count()) / kHundredths, life);
  head.ulUpTime = low_half(age);
  head.ulExpiryTime = low_half(life - age);
  head.ulInPkts = low_half(image.counters.packets);
  head.ulInOctets = low_half(image.counters.octets);
  head.ulPktsDifferentIf = low_half(image.counters.wrong_interface);
  return head;
}

void write_plain(const mgm::EntryImage& image, BYTE* to_bytes) {
  auto head = head_of<MIB_IPMCAST_MFE>(image);
  head.ulTimeOut = image.timeout;
  head.ulUpTime = std::min<ULONG>(seconds_of(image), image.timeout);
  head.ulExpiryTime = head.ulTimeOut - head.ulUpTime;
  std::memcpy(to_bytes, &head, SIZEOF_BASIC_MIB_MFE);
  to_bytes += SIZEOF_BASIC_MIB_MFE;
  for (const auto& out : image.out) {
    const MIB_IPMCAST_OIF each = {out.id.device.value(), to(out.id.next_hop), 0, 0};
    std::memcpy(to_bytes, &each, sizeof(each));
    to_bytes += sizeof(each);
  }
}

template <class Mib>
void write_stats(const mgm::EntryImage& image, const Mib& head, std::size_t head_size, BYTE* to_bytes) {
  std::memcpy(to_bytes, &head, head_size);
  to_bytes += head_size;
  for (const auto& out : image.out) {
    MIB_IPMCAST_OIF_STATS each = {};
    each.dwOutIfIndex = out.id.device.value();
    each.dwNextHopAddr = to(out.id.next_hop);
    each.ulOutPackets = low_half(out.packets);
    std::memcpy(to_bytes, &each, sizeof(each));
    to_bytes += sizeof(each);
  }
}

void write(Form form, const mgm::EntryImage& image, BYTE* to_bytes) {
  if (form == Form::kPlain) {
    write_plain(image, to_bytes);
  } else if (form == Form::kStats) {
    write_stats(image, stats_of<MIB_IPMCAST_MFE_STATS>(image), SIZEOF_BASIC_MIB_MFE_STATS, to_bytes);
  } else {
    auto head = stats_of<MIB_IPMCAST_MFE_STATS_EX>(image);
    head.ulNegativeMfe = low_half(image.negative_packets);
    head.ulTotalOutPackets = low_half(image.out_packets);
    write_stats(image, head, SIZEOF_BASIC_MIB_MFE_STATS_EX, to_bytes);
  }
}

DWORD read_one(std::optional<Form> form, const MIB_IPMCAST_MFE* which, DWORD* size, BYTE* buffer) {
  if (!form || which == nullptr || size == nullptr || (buffer == nullptr && *size != 0)) {
    return ERROR_INVALID_PARAMETER;
  }
  return call([&](Manager& manager) -> DWORD {
    mgm::EntryImage image;
    if (!manager.entry(flow_of(*which), *form != Form::kPlain, image)) {
      return ERROR_NOT_FOUND;
    }
    const std::size_t needed = size_of(*form, image.out.size());
    if (*size < needed) {
      *size = static_cast<DWORD>(needed);
      return ERROR_INSUFFICIENT_BUFFER;
    }
    write(*form, image, buffer);
    return NO_ERROR;
  });
}

// As many entries as fit, after that flow or from the first.
DWORD read_many(std::optional<Form> form, std::optional<Flow> after, DWORD* size, BYTE* buffer, DWORD* count) {
  if (!form || size == nullptr || count == nullptr || (buffer == nullptr && *size != 0)) {
    return ERROR_INVALID_PARAMETER;
  }
  *count = 0;
  return call([&](Manager& manager) -> DWORD {
    mgm::EntryImage image;
    std::size_t used = 0;
    while (manager.next_entry(after ? &*after : nullptr, *form != Form::kPlain, image)) {
      const std::size_t needed = size_of(*form, image.out.size());
      if (*size - used < needed) {
        *size = *count == 0 ? static_cast<DWORD>(needed) : *size;
        return *count == 0 ? ERROR_INSUFFICIENT_BUFFER : ERROR_MORE_DATA;
      }
      write(*form, image, buffer + used);
      used += needed;
      ++*count;
      after = image.flow;
    }
    return ERROR_NO_MORE_ITEMS;
  });
}

DWORD read_next(std::optional<Form> form, const MIB_IPMCAST_MFE* start, DWORD* size, BYTE* buffer, DWORD* count) {
  return start == nullptr ? ERROR_INVALID_PARAMETER : read_many(form, flow_of(*start), size, buffer, count);
}

}  // namespace
}  // namespace turnpike::capi

namespace capi = turnpike::capi;
using turnpike::mgm::Manager;
using turnpike::runtime::World;

extern "C" {

// --- registration and interfaces
// -----------------------------------------------------------------------------------------

DWORD MgmRegisterMProtocol(PROUTING_PROTOCOL_CONFIG config, DWORD protocol, DWORD component, HANDLE* handle) {
  if (config == nullptr || handle == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  return capi::call([&](Manager&) -> DWORD {
    const auto registered = World::instance().multicast().register_client(
        {{protocol, component}, std::make_unique<capi::Adaptor>(*config), capi::Adaptor::wanted(*config)});
    if (!registered) {
      return capi::code_of_mgm(registered.error());
    }
    *handle = capi::to(*registered);
    return NO_ERROR;
  });
}

DWORD MgmDeRegisterMProtocol(HANDLE self) {
  return capi::call(
      [&](Manager&) { return capi::code_of_mgm(World::instance().multicast().deregister_client(capi::of(self))); });
}

DWORD MgmTakeInterfaceOwnership(HANDLE self, DWORD index, DWORD next_hop) {
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(manager.take(capi::of(self), capi::interface_of(index, next_hop)));
  });
}

DWORD MgmReleaseInterfaceOwnership(HANDLE self, DWORD index, DWORD next_hop) {
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(manager.release(capi::of(self), capi::interface_of(index, next_hop)));
  });
}

DWORD MgmGetProtocolOnInterface(DWORD index, DWORD next_hop, PDWORD protocol, PDWORD component) {
  if (protocol == nullptr || component == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  return capi::call([&](Manager& manager) -> DWORD {
    const auto info = manager.protocol_on(capi::interface_of(index, next_hop));
    if (!info) {
      return capi::code_of_mgm(info.error());
    }
    *protocol = info->protocol;
    *component = info->component;
    return NO_ERROR;
  });
}

// --- memberships
// ---------------------------------------------------------------------------------------------------------

DWORD MgmAddGroupMembershipEntry(HANDLE self, DWORD source, DWORD source_mask, DWORD group, DWORD group_mask,
                                 DWORD index, DWORD next_hop, DWORD flags) {
  return capi::change_membership({self, source, source_mask, group, group_mask, index, next_hop, flags}, true);
}

DWORD MgmDeleteGroupMembershipEntry(HANDLE self, DWORD source, DWORD source_mask, DWORD group, DWORD group_mask,
                                    DWORD index, DWORD next_hop, DWORD flags) {
  return capi::change_membership({self, source, source_mask, group, group_mask, index, next_hop, flags}, false);
}

// --- entries
// -------------------------------------------------------------------------------------------------------------

DWORD MgmGetMfe(PMIB_IPMCAST_MFE which, PDWORD size, PBYTE buffer) {
  return capi::read_one(capi::Form::kPlain, which, size, buffer);
}
DWORD MgmGetFirstMfe(PDWORD size, PBYTE buffer, PDWORD count) {
  return capi::read_many(capi::Form::kPlain, std::nullopt, size, buffer, count);
}
DWORD MgmGetNextMfe(PMIB_IPMCAST_MFE start, PDWORD size, PBYTE buffer, PDWORD count) {
  return capi::read_next(capi::Form::kPlain, start, size, buffer, count);
}
DWORD MgmGetMfeStats(PMIB_IPMCAST_MFE which, PDWORD size, PBYTE buffer, DWORD flags) {
  return capi::read_one(capi::form_of(flags), which, size, buffer);
}
DWORD MgmGetFirstMfeStats(PDWORD size, PBYTE buffer, PDWORD count, DWORD flags) {
  return capi::read_many(capi::form_of(flags), std::nullopt, size, buffer, count);
}
DWORD MgmGetNextMfeStats(PMIB_IPMCAST_MFE start, PDWORD size, PBYTE buffer, PDWORD count, DWORD flags) {
  return capi::read_next(capi::form_of(flags), start, size, buffer, count);
}

DWORD MgmSetMfe(HANDLE self, PMIB_IPMCAST_MFE entry) {
  if (entry == nullptr) {
    return ERROR_INVALID_PARAMETER;
  }
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(
        manager.set_upstream(capi::of(self), capi::flow_of(*entry), capi::address_of(entry->dwUpStrmNgbr)));
  });
}

uint32_t TpMgmForgetEntry(void* self, uint32_t source, uint32_t group) noexcept {
  return capi::call([&](Manager& manager) {
    return capi::code_of_mgm(manager.forget(capi::of(self), {capi::address_of(group), capi::address_of(source)}));
  });
}

// --- groups
// --------------------------------------------------------------------------------------------------------------

DWORD MgmGroupEnumerationStart(HANDLE self, MGM_ENUM_TYPES type, HANDLE* handle) {
  unsigned number = 0;
  std::memcpy(&number, &type, sizeof(number));  // a C client may pass what no C++ enumeration can hold
  if (handle == nullptr || (number != ANY_SOURCE && number != ALL_SOURCES)) {
    return ERROR_INVALID_PARAMETER;
  }
  return capi::call([&](Manager& manager) -> DWORD {
    const auto started = manager.start_groups(capi::of(self), number == ALL_SOURCES);
    if (!started) {
      return capi::code_of_mgm(started.error());
    }
    *handle = capi::to(*started);
    return NO_ERROR;
  });
}

DWORD MgmGroupEnumerationGetNext(HANDLE enumeration, PDWORD size, PBYTE buffer, PDWORD count) {
  if (size == nullptr || count == nullptr || (buffer == nullptr && *size != 0)) {
    return ERROR_INVALID_PARAMETER;
  }
  *count = 0;
  return capi::call([&](Manager& manager) -> DWORD {
    const std::size_t room = *size / sizeof(SOURCE_GROUP_ENTRY);
    const auto batch = manager.next_groups(capi::of(enumeration), room, [&](const turnpike::mgm::Flow& flow) {
      const SOURCE_GROUP_ENTRY each = {capi::to(flow.source), capi::mask_of(flow.source), capi::to(flow.group),
                                       capi::mask_of(flow.group)};
      std::memcpy(buffer + *count * sizeof(each), &each, sizeof(each));
      ++*count;
    });
    if (!batch) {
      *size = batch.error().kind == turnpike::ErrorKind::kBufferTooSmall ? sizeof(SOURCE_GROUP_ENTRY) : *size;
      return capi::code_of_mgm(batch.error());
    }
    return *batch ? ERROR_MORE_DATA : ERROR_NO_MORE_ITEMS;
  });
}

DWORD MgmGroupEnumerationEnd(HANDLE enumeration) {
  return capi::call([&](Manager& manager) { return capi::code_of_mgm(manager.end_groups(capi::of(enumeration))); });
}

}  // extern "C"
