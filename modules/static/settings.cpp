#include "settings.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include <nldef.h>

namespace turnpike::modules {
namespace {

#define STATIC_AT(Structure, Member) offsetof(Structure, Member), sizeof std::declval<Structure>().Member

// clang-format off: tables. name, help, default, type, flags, place, least and most, choices, list

constexpr TpSettingChoice kKinds[] = {
    {"unicast", "Forwarded to the next hop.", static_cast<std::uint32_t>(Kind::kUnicast)},
    {"blackhole", "Dropped in silence.", static_cast<std::uint32_t>(Kind::kBlackhole)},
    {"unreachable", "Dropped, and the sender is told that there is no way.",
     static_cast<std::uint32_t>(Kind::kUnreachable)},
    {"prohibit", "Dropped, and the sender is told that he may not.", static_cast<std::uint32_t>(Kind::kProhibit)},
};

constexpr TpSetting kRoute[] = {
    {"to", "The destination: a prefix. \"0.0.0.0/0\" and \"::/0\" are the default routes.", nullptr, TP_SETTING_PREFIX,
     TP_SETTING_REQUIRED, STATIC_AT(StaticRoute, to), 0, 0, nullptr, 0, 0, nullptr},
    {"via", "The address of the next hop. Without `interface`, the interface with a network that it lies in.", nullptr,
     TP_SETTING_ADDRESS, 0, STATIC_AT(StaticRoute, via), 0, 0, nullptr, 0, 0, nullptr},
    {"interface", "The interface. Without `via`, the destination is directly on it.", nullptr, TP_SETTING_TEXT, 0,
     STATIC_AT(StaticRoute, interface), 0, 0, nullptr, 0, 0, nullptr},
    {"type", "What becomes of packets.", "unicast", TP_SETTING_CHOICE, 0, STATIC_AT(StaticRoute, kind), 0, 0, kKinds, 4,
     0, nullptr},
    {"recursive", "The next hop is on none of our networks: it is reached as the routing table says.", "false",
     TP_SETTING_FLAG, 0, STATIC_AT(StaticRoute, recursive), 0, 0, nullptr, 0, 0, nullptr},
    {"metric", "Of routes to the same destination with the same preference, the lowest is used.", "1",
     TP_SETTING_UNSIGNED, 0, STATIC_AT(StaticRoute, metric), 0, 0x7FFFFFFF, nullptr, 0, 0, nullptr},
    {"preference", "Of routes to the same destination by any protocol, the lowest is used. Without it, what the router "
     "has for static routes.", nullptr, TP_SETTING_UNSIGNED, 0, STATIC_AT(StaticRoute, preference), 0, 255, nullptr, 0,
     0, nullptr},
};
constexpr TpSettings kRouteSettings = {sizeof(StaticRoute), std::size(kRoute), kRoute};

constexpr TpSetting kGlobal[] = {
    {"route", "A static route. It is in the routing table while its interface is enabled and has a carrier; one of a "
     "type other than unicast always.", nullptr, TP_SETTING_LIST, 0, STATIC_AT(StaticSettings, routes), 0, 0, nullptr,
     0, 0, &kRouteSettings},
};
constexpr TpSettings kGlobalSettings = {sizeof(StaticSettings), std::size(kGlobal), kGlobal};

constexpr TpSetting kCounts[] = {
    {"configured", "Routes in the configuration.", nullptr, TP_SETTING_UNSIGNED, 0, STATIC_AT(StaticCounts, configured),
     0, 0, nullptr, 0, 0, nullptr},
    {"active", "Routes in the routing table.", nullptr, TP_SETTING_UNSIGNED, 0, STATIC_AT(StaticCounts, active), 0, 0,
     nullptr, 0, 0, nullptr},
};
constexpr TpSettings kCountSettings = {sizeof(StaticCounts), std::size(kCounts), kCounts};

constexpr TpSetting kRow[] = {
    {"active", "Whether it is in the routing table.", nullptr, TP_SETTING_FLAG, 0, STATIC_AT(StaticRow, active), 0, 0,
     nullptr, 0, 0, nullptr},
    {"to", "The destination.", nullptr, TP_SETTING_PREFIX, 0, STATIC_AT(StaticRow, route.to), 0, 0, nullptr, 0, 0,
     nullptr},
    {"via", "The next hop.", nullptr, TP_SETTING_ADDRESS, 0, STATIC_AT(StaticRow, route.via), 0, 0, nullptr, 0, 0,
     nullptr},
    {"interface", "The interface.", nullptr, TP_SETTING_TEXT, 0, STATIC_AT(StaticRow, route.interface), 0, 0, nullptr,
     0, 0, nullptr},
    {"type", "What becomes of packets.", nullptr, TP_SETTING_CHOICE, 0, STATIC_AT(StaticRow, route.kind), 0, 0, kKinds,
     4, 0, nullptr},
};
constexpr TpSettings kRowSettings = {sizeof(StaticRow), std::size(kRow), kRow};

// clang-format on
#undef STATIC_AT

bool is_address(const TpModuleAddress& address) {
  const unsigned width = address.family == AF_INET ? 32 : address.family == AF_INET6 ? 128 : 0;
  return width != 0 && address.bits <= width;
}

bool is_multicast(const TpModuleAddress& address) {
  return address.family == AF_INET ? address.address[0] >> 4 == 0xE : address.address[0] == 0xFF;
}

bool has_host_bits(const TpModuleAddress& prefix) {
  const unsigned whole = prefix.bits / 8, begun = prefix.bits % 8;
  if (begun != 0 && (prefix.address[whole] & (0xFFU >> begun)) != 0) return true;
  return std::any_of(prefix.address + whole + (begun != 0 ? 1 : 0), std::end(prefix.address),
                     [](std::uint8_t byte) { return byte != 0; });
}

// The setting that is wrong and why; null: none.
struct Wrong {
  const char* setting = nullptr;
  const char* why = nullptr;
};

Wrong next_hop_flaw(const StaticRoute& route) {
  const bool via = route.via.family != 0;
  const bool interface = route.interface[0] != '\0';
  if (route.kind != Kind::kUnicast) {
    if (via || interface || route.recursive != 0) return {"type", "a route that drops packets has no next hop"};
    return {};
  }
  if (!via && !interface) return {"to", "a route needs `via`, `interface`, or a type that drops packets"};
  if (!via) return route.recursive != 0 ? Wrong{"recursive", "without `via` there is nothing to look up"} : Wrong{};
  if (!is_address(route.via) || is_multicast(route.via)) return {"via", "that can be no router's address"};
  if (route.via.family != route.to.family) return {"via", "the next hop is of another family than the destination"};
  if (route.recursive != 0 && interface) return {"recursive", "with `interface` there is nothing to look up"};
  if (route.via.family == AF_INET6 && !interface && route.recursive == 0) {
    return {"via", "an IPv6 next hop needs `interface`, or `recursive = true`"};
  }
  return {};
}

Wrong flaw(const StaticRoute& route) {
  if (!is_address(route.to) || has_host_bits(route.to)) return {"to", "that is no prefix"};
  if (is_multicast(route.to) && route.to.bits != 0) return {"to", "a multicast address is no destination of a route"};
  if (std::memchr(route.interface, '\0', sizeof route.interface) == nullptr)
    return {"interface", "the name has no end"};
  if (route.kind > Kind::kProhibit) return {"type", "there is no such type"};
  if (route.metric > 0x7FFFFFFF) return {"metric", "the metric is too large"};
  return next_hop_flaw(route);
}

void check(const void* block, std::uint32_t size, TpModuleComplain complain, void* context) {
  is_right(block, size, complain, context);
}

}  // namespace

const TpModule kStaticModule = {.protocol_id = PROTO_IP_NT_STATIC,
                                .transport = TP_MODULE_IP,
                                .name = "static",
                                .version = "1.0",
                                .summary = "Routes that the operator writes, IPv4 and IPv6",
                                .global_settings = &kGlobalSettings,
                                .interface_settings = nullptr,
                                .check_global = check,
                                .check_interface = nullptr};

const TpModuleMib kStaticMib = {.protocol_id = PROTO_IP_NT_STATIC,
                                .transport = TP_MODULE_IP,
                                .counts = &kCountSettings,
                                .row = &kRowSettings,
                                .key_size = sizeof(StaticRow::number),
                                .reserved = 0};

bool is_right(const void* block, std::uint32_t size, TpModuleComplain complain, void* context) {
  const auto say = [&](const char* where, const char* what) {
    if (complain != nullptr) complain(context, where, what);
    return false;
  };
  if (block == nullptr || size < sizeof(StaticSettings)) return say(nullptr, "the block is too short");
  StaticSettings settings;
  std::memcpy(&settings, block, sizeof settings);
  if (settings.routes.count == 0) return true;
  const void* first = TpModuleElements(block, size, settings.routes, sizeof(StaticRoute));
  if (first == nullptr) return say(nullptr, "the routes lie outside of the block");
  bool good = true;
  for (std::uint32_t i = 0; i < settings.routes.count; ++i) {
    StaticRoute route;
    std::memcpy(&route, static_cast<const char*>(first) + i * sizeof route, sizeof route);
    if (const Wrong wrong = flaw(route); wrong.setting != nullptr) {
      good = say(("route[" + std::to_string(i) + "]." + wrong.setting).c_str(), wrong.why);
    }
  }
  return good;
}

}  // namespace turnpike::modules
