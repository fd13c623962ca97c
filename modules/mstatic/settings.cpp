#include "settings.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <windows.h>
// After it.
#include <routprot.h>

namespace turnpike::modules {
namespace {

// Ours among the multicast protocols: the vendor is nobody's.
constexpr std::uint32_t kProtocol = PROTOCOL_ID(PROTO_TYPE_MCAST, 0x0A55, PROTO_IP_NETMGMT);

#define MSTATIC_AT(Structure, Member) offsetof(Structure, Member), sizeof(Structure::Member)

// clang-format off: tables. name, help, default, type, flags, place, least and most, choices, list

constexpr TpSetting kName[] = {
    {"", "An interface.", nullptr, TP_SETTING_TEXT, 0, MSTATIC_AT(InterfaceName, name), 0, 0, nullptr, 0, 0, nullptr},
};
constexpr TpSettings kNameSettings = {sizeof(InterfaceName), 1, kName};

constexpr TpSetting kRoute[] = {
    {"group", "The group. \"0.0.0.0\" and \"::\" stand for all groups.", nullptr, TP_SETTING_ADDRESS,
     TP_SETTING_REQUIRED, MSTATIC_AT(MulticastRoute, group), 0, 0, nullptr, 0, 0, nullptr},
    {"source", "Packets of this source alone. Without it, of any.", nullptr, TP_SETTING_ADDRESS, 0,
     MSTATIC_AT(MulticastRoute, source), 0, 0, nullptr, 0, 0, nullptr},
    {"from", "The interface where the packets come in. With `source`, it becomes the way to the source in the multicast "
     "view of the routing table; without, the way to every source that nothing else is known of. Without `from`, packets "
     "come in where that view leads.", nullptr, TP_SETTING_TEXT, 0, MSTATIC_AT(MulticastRoute, from), 0, 0, nullptr, 0,
     0, nullptr},
    {"to", "The interfaces where they leave.", nullptr, TP_SETTING_LIST, 0, MSTATIC_AT(MulticastRoute, to), 1, 32,
     nullptr, 0, 0, &kNameSettings},
    {"join", "Also asks for the packets on `from`, as [[protocol.mstatic.join]] does.", "false", TP_SETTING_FLAG, 0,
     MSTATIC_AT(MulticastRoute, join), 0, 0, nullptr, 0, 0, nullptr},
};
constexpr TpSettings kRouteSettings = {sizeof(MulticastRoute), std::size(kRoute), kRoute};

constexpr TpSetting kJoin[] = {
    {"group", "The group.", nullptr, TP_SETTING_ADDRESS, TP_SETTING_REQUIRED, MSTATIC_AT(MulticastJoin, group), 0, 0,
     nullptr, 0, 0, nullptr},
    {"source", "From this source alone (IGMPv3, MLDv2). Without it, from any.", nullptr, TP_SETTING_ADDRESS, 0,
     MSTATIC_AT(MulticastJoin, source), 0, 0, nullptr, 0, 0, nullptr},
    {"interface", "The interface.", nullptr, TP_SETTING_TEXT, TP_SETTING_REQUIRED, MSTATIC_AT(MulticastJoin, interface),
     0, 0, nullptr, 0, 0, nullptr},
};
constexpr TpSettings kJoinSettings = {sizeof(MulticastJoin), std::size(kJoin), kJoin};

constexpr TpSetting kWay[] = {
    {"to", "The network of the sources.", nullptr, TP_SETTING_PREFIX, TP_SETTING_REQUIRED, MSTATIC_AT(MulticastWay, to),
     0, 0, nullptr, 0, 0, nullptr},
    {"interface", "The interface behind which they are.", nullptr, TP_SETTING_TEXT, TP_SETTING_REQUIRED,
     MSTATIC_AT(MulticastWay, interface), 0, 0, nullptr, 0, 0, nullptr},
};
constexpr TpSettings kWaySettings = {sizeof(MulticastWay), std::size(kWay), kWay};

constexpr TpSetting kGlobal[] = {
    {"route", "A multicast route: packets to the group are forwarded out of `to`. Several routes of one group add up. The "
     "kernel forwards only with [multicast] enabled; each interface that is named becomes this protocol's.", nullptr,
     TP_SETTING_LIST, 0, MSTATIC_AT(MstaticSettings, routes), 0, 0, nullptr, 0, 0, &kRouteSettings},
    {"join", "Asks for a group on an interface as a host does: the kernel sends reports there, so that a router or a "
     "switch before us lets the packets come.", nullptr, TP_SETTING_LIST, 0, MSTATIC_AT(MstaticSettings, joins), 0, 4096,
     nullptr, 0, 0, &kJoinSettings},
    {"way", "Where sources are, for multicast alone: a route in the multicast view of the routing table.", nullptr,
     TP_SETTING_LIST, 0, MSTATIC_AT(MstaticSettings, ways), 0, 0, nullptr, 0, 0, &kWaySettings},
};
constexpr TpSettings kGlobalSettings = {sizeof(MstaticSettings), std::size(kGlobal), kGlobal};

constexpr TpSetting kCounts[] = {
    {"interfaces", "Interfaces that are ours.", nullptr, TP_SETTING_UNSIGNED, 0, MSTATIC_AT(MstaticCounts, interfaces), 0,
     0, nullptr, 0, 0, nullptr},
    {"outputs", "Interfaces that routes name with `to`.", nullptr, TP_SETTING_UNSIGNED, 0,
     MSTATIC_AT(MstaticCounts, outputs), 0, 0, nullptr, 0, 0, nullptr},
    {"active", "Of them, those where packets may leave.", nullptr, TP_SETTING_UNSIGNED, 0,
     MSTATIC_AT(MstaticCounts, active), 0, 0, nullptr, 0, 0, nullptr},
    {"joins", "Groups that are to be asked for.", nullptr, TP_SETTING_UNSIGNED, 0, MSTATIC_AT(MstaticCounts, joins), 0, 0,
     nullptr, 0, 0, nullptr},
    {"joined", "Of them, those that are.", nullptr, TP_SETTING_UNSIGNED, 0, MSTATIC_AT(MstaticCounts, joined), 0, 0,
     nullptr, 0, 0, nullptr},
};
constexpr TpSettings kCountSettings = {sizeof(MstaticCounts), std::size(kCounts), kCounts};

constexpr TpSettingChoice kKinds[] = {
    {"route", "One output of a route.", static_cast<std::uint32_t>(RowKind::kRoute)},
    {"join", "A group that is asked for.", static_cast<std::uint32_t>(RowKind::kJoin)},
};

constexpr TpSettingChoice kStates[] = {
    {"active", "In force.", static_cast<std::uint32_t>(RowState::kActive)},
    {"no-interface", "An interface that it names is not there, or not enabled.",
     static_cast<std::uint32_t>(RowState::kNoInterface)},
    {"not-ours", "The interface belongs to another multicast protocol.", static_cast<std::uint32_t>(RowState::kNotOurs)},
    {"refused", "The kernel refused it; it is tried again.", static_cast<std::uint32_t>(RowState::kRefused)},
};

constexpr TpSetting kRow[] = {
    {"kind", "What it is.", nullptr, TP_SETTING_CHOICE, 0, MSTATIC_AT(MstaticRow, kind), 0, 0, kKinds, 2, 0, nullptr},
    {"state", "What has become of it.", nullptr, TP_SETTING_CHOICE, 0, MSTATIC_AT(MstaticRow, state), 0, 0, kStates, 4,
     0, nullptr},
    {"group", "The group.", nullptr, TP_SETTING_ADDRESS, 0, MSTATIC_AT(MstaticRow, group), 0, 0, nullptr, 0, 0, nullptr},
    {"source", "The source.", nullptr, TP_SETTING_ADDRESS, 0, MSTATIC_AT(MstaticRow, source), 0, 0, nullptr, 0, 0,
     nullptr},
    {"from", "Where packets come in.", nullptr, TP_SETTING_TEXT, 0, MSTATIC_AT(MstaticRow, from), 0, 0, nullptr, 0, 0,
     nullptr},
    {"interface", "Where they leave, or are asked for.", nullptr, TP_SETTING_TEXT, 0, MSTATIC_AT(MstaticRow, interface),
     0, 0, nullptr, 0, 0, nullptr},
};
constexpr TpSettings kRowSettings = {sizeof(MstaticRow), std::size(kRow), kRow};

// clang-format on
#undef MSTATIC_AT

unsigned width_of(const TpModuleAddress& address) {
  return address.family == AF_INET ? 32 : address.family == AF_INET6 ? 128 : 0;
}

bool is_any(const TpModuleAddress& address) {
  return std::all_of(std::begin(address.address), std::end(address.address), [](auto byte) { return byte == 0; });
}

bool is_multicast(const TpModuleAddress& address) {
  return address.family == AF_INET ? address.address[0] >> 4 == 0xE : address.address[0] == 0xFF;
}

// 224.0.0.0/24, and of IPv6 the scopes of the interface and the link: no router forwards them.
bool stays_on_link(const TpModuleAddress& group) {
  const auto& byte = group.address;
  return group.family == AF_INET ? byte[0] == 224 && byte[1] == 0 && byte[2] == 0 : (byte[1] & 0xF) <= 2;
}

bool has_end(const char (&name)[16]) { return std::memchr(name, '\0', sizeof name) != nullptr; }

// The setting that is wrong and why; null: none.
struct Wrong {
  const char* setting = nullptr;
  const char* why = nullptr;
};

Wrong flaw(const TpModuleAddress& group, const TpModuleAddress& source) {
  if (width_of(group) == 0 || !is_multicast(group)) return {"group", "that is no multicast address"};
  if (source.family == 0) return {};
  if (source.family != group.family) return {"source", "the source is of another family than the group"};
  if (is_multicast(source) || is_any(source)) return {"source", "that can be no sender's address"};
  return {};
}

class Judge {
 public:
  Judge(const void* block, std::uint32_t size, TpModuleComplain complain, void* context)
      : block_(block), size_(size), complain_(complain), context_(context) {}

  bool judge() {
    if (block_ == nullptr || size_ < sizeof(MstaticSettings)) return say("", "the block is too short");
    MstaticSettings settings;
    std::memcpy(&settings, block_, sizeof settings);
    each<MulticastRoute>(settings.routes, "route", [&](const MulticastRoute& route) { return flaw_of(route); });
    each<MulticastJoin>(settings.joins, "join", [&](const MulticastJoin& join) {
      if (!has_end(join.interface) || join.interface[0] == '\0')
        return Wrong{"interface", "there is no such interface"};
      return flaw(join.group, join.source);
    });
    each<MulticastWay>(settings.ways, "way", [&](const MulticastWay& way) {
      if (!has_end(way.interface) || way.interface[0] == '\0') return Wrong{"interface", "there is no such interface"};
      const bool is_prefix = width_of(way.to) != 0 && way.to.bits <= width_of(way.to);
      return is_prefix && !(is_multicast(way.to) && way.to.bits != 0) ? Wrong{} : Wrong{"to", "no source can be there"};
    });
    return good_;
  }

 private:
  bool say(const std::string& where, const char* what) {
    if (complain_ != nullptr) complain_(context_, where.c_str(), what);
    return good_ = false;
  }

  template <class T, class F>
  void each(TpModuleList list, const char* name, F&& flaw) {
    if (list.count == 0) return;
    const void* first = TpModuleElements(block_, size_, list, sizeof(T));
    if (first == nullptr) {
      say("", "a list lies outside of the block");
      return;
    }
    for (std::uint32_t i = 0; i < list.count; ++i) {
      T element;
      std::memcpy(&element, static_cast<const char*>(first) + i * sizeof element, sizeof element);
      if (const Wrong wrong = flaw(element); wrong.setting != nullptr) {
        say(std::string(name) + '[' + std::to_string(i) + "]." + wrong.setting, wrong.why);
      }
    }
  }

  Wrong flaw_of(const MulticastRoute& route) {
    const bool has_group = width_of(route.group) != 0 && !is_any(route.group);
    if (width_of(route.group) == 0) return {"group", "that is no multicast address"};
    if (!has_group && route.source.family != 0) return {"source", "a source without a group is not supported"};
    if (has_group) {
      if (const Wrong wrong = flaw(route.group, route.source); wrong.setting != nullptr) return wrong;
      if (stays_on_link(route.group)) return {"group", "packets to that group never leave their link"};
    }
    if (!has_end(route.from)) return {"from", "the name has no end"};
    if (route.join > 1) return {"join", "that is neither true nor false"};
    if (route.join != 0 && (route.from[0] == '\0' || !has_group)) {
      return {"join", "to ask for packets takes `from` and a group"};
    }
    return flaw_of_outputs(route);
  }

  Wrong flaw_of_outputs(const MulticastRoute& route) const {
    const auto* names =
        static_cast<const InterfaceName*>(TpModuleElements(block_, size_, route.to, sizeof(InterfaceName)));
    if (names == nullptr) return {"to", "packets have to leave somewhere"};
    std::set<std::string> seen;
    for (std::uint32_t i = 0; i < route.to.count; ++i) {
      if (!has_end(names[i].name) || names[i].name[0] == '\0') return {"to", "there is no such interface"};
      if (std::strcmp(names[i].name, route.from) == 0) return {"to", "packets do not leave where they come in"};
      if (!seen.insert(names[i].name).second) return {"to", "an interface is there twice"};
    }
    return {};
  }

  const void* block_;
  std::uint32_t size_;
  TpModuleComplain complain_;
  void* context_;
  bool good_ = true;
};

void check(const void* block, std::uint32_t size, TpModuleComplain complain, void* context) {
  is_right_multicast(block, size, complain, context);
}

}  // namespace

const TpModule kMstaticModule = {.protocol_id = kProtocol,
                                 .transport = TP_MODULE_IP,
                                 .name = "mstatic",
                                 .version = "1.0",
                                 .summary = "Multicast routes and joins that the operator writes, IPv4 and IPv6",
                                 .global_settings = &kGlobalSettings,
                                 .interface_settings = nullptr,
                                 .check_global = check,
                                 .check_interface = nullptr};

const TpModuleMib kMstaticMib = {.protocol_id = kProtocol,
                                 .transport = TP_MODULE_IP,
                                 .counts = &kCountSettings,
                                 .row = &kRowSettings,
                                 .key_size = sizeof(MstaticRow::number),
                                 .reserved = 0};

bool is_right_multicast(const void* block, std::uint32_t size, TpModuleComplain complain, void* context) {
  return Judge(block, size, complain, context).judge();
}

}  // namespace turnpike::modules
