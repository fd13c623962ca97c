#include "config/settings.h"

#include <cstddef>

#include "dim/terms.h"
#include "turnpike/log.h"
#include "turnpike/mgm.h"

namespace turnpike::config {
namespace {

#define TURNPIKE_AT(Structure, Member) offsetof(Structure, Member), sizeof(Structure::Member)

// clang-format off: tables. name, help, default, type, flags, place, least and most, choices, list

constexpr TpSetting kRouter[] = {
    {"id", "The router's identifier. Without it, the highest address of loopback, else of any interface.", nullptr,
     TP_SETTING_IPV4, 0, TURNPIKE_AT(RouterSettings, id), 0, 0, nullptr, 0, 0, nullptr},
    {"modules", "The folder of the libraries that [protocol.NAME] names without a slash.", TURNPIKE_MODULES,
     TP_SETTING_TEXT, 0, TURNPIKE_AT(RouterSettings, modules), 0, 0, nullptr, 0, 0, nullptr},
    {"control", "The socket at which turnpiked answers turnpike(1). A change takes effect at the next start.",
     "/run/turnpike/control", TP_SETTING_TEXT, 0, TURNPIKE_AT(RouterSettings, control), 0, 0, nullptr, 0, 0, nullptr},
    {"state", "The folder in which turnpiked notes which module crashed, so that one that does so again and again is not "
     "loaded. A change takes effect at the next start.", "/var/lib/turnpike", TP_SETTING_TEXT, 0,
     TURNPIKE_AT(RouterSettings, state), 0, 0, nullptr, 0, 0, nullptr},
};

constexpr TpSettingChoice kLevels[] = {
    {"error", "What does not work.", TP_LOG_ERROR},         {"warning", "What will not work for long.", TP_LOG_WARNING},
    {"notice", "What an operator wants to know.", TP_LOG_NOTICE}, {"info", "What happens.", TP_LOG_INFO},
    {"debug", "Everything.", TP_LOG_DEBUG},
};

constexpr TpSetting kLog[] = {
    {"level", "What is logged: this and the graver.", "notice", TP_SETTING_CHOICE, 0, TURNPIKE_AT(LogSettings, level),
     0, 0, kLevels, 5, 0, nullptr},
};

constexpr TpSetting kForwarder[] = {
    {"enabled", "Whether the best routes are put into the kernel.", "true", TP_SETTING_FLAG, 0,
     TURNPIKE_AT(ForwarderSettings, enabled), 0, 0, nullptr, 0, 0, nullptr},
    {"import", "Whether the kernel's other routes are in the routing table.", "true", TP_SETTING_FLAG, 0,
     TURNPIKE_AT(ForwarderSettings, import_routes), 0, 0, nullptr, 0, 0, nullptr},
    {"table", "The kernel's table.", "254", TP_SETTING_UNSIGNED, 0, TURNPIKE_AT(ForwarderSettings, table),
     1, 0xFFFFFFFF, nullptr, 0, 0, nullptr},
    {"metric", "The metric of our routes in the kernel; the lower is preferred.", "20", TP_SETTING_UNSIGNED, 0,
     TURNPIKE_AT(ForwarderSettings, metric), 1, 0xFFFFFFFF, nullptr, 0, 0, nullptr},
    {"sweep-after", "How long routes of a former run that nobody claims stay in the kernel.", "3m",
     TP_SETTING_DURATION, 0, TURNPIKE_AT(ForwarderSettings, sweep_after_ms), 1000, 86'400'000, nullptr, 0, 0, nullptr},
    {"audit-every", "How often the kernel is compared with the routing table without a reason.", "15m",
     TP_SETTING_DURATION, 0, TURNPIKE_AT(ForwarderSettings, audit_every_ms), 1000, 86'400'000, nullptr, 0, 0, nullptr},
};

constexpr TpSettingChoice kViews[] = {
    {"multicast", "The multicast view of the routing table: what protocols put there for multicast.", 0},
    {"unicast", "The unicast view: packets come from where others would be sent.", TP_MGM_UNICAST_VIEW},
};

constexpr TpSetting kMulticast[] = {
    {"enabled", "Whether the kernel forwards multicast as multicast protocols say. It has one table for one such program, "
     "and is left alone otherwise.", "false", TP_SETTING_FLAG, 0, TURNPIKE_AT(MulticastSettings, enabled), 0, 0, nullptr,
     0, 0, nullptr},
    {"ipv4", "Whether that includes IPv4.", "true", TP_SETTING_FLAG, 0, TURNPIKE_AT(MulticastSettings, ipv4), 0, 0,
     nullptr, 0, 0, nullptr},
    {"ipv6", "Whether that includes IPv6.", "true", TP_SETTING_FLAG, 0, TURNPIKE_AT(MulticastSettings, ipv6), 0, 0,
     nullptr, 0, 0, nullptr},
    {"table", "The kernel's multicast table; 0 is the one that packets go to without a rule.", "0", TP_SETTING_UNSIGNED,
     0, TURNPIKE_AT(MulticastSettings, table), 0, 999'999'999, nullptr, 0, 0, nullptr},
    {"view", "What tells the way to a source, and so where its packets may come in.", "multicast", TP_SETTING_CHOICE, 0,
     TURNPIKE_AT(MulticastSettings, view), 0, 0, kViews, 2, 0, nullptr},
    {"wrong-interface", "Whether protocols are told of packets that come in where they should not.", "false",
     TP_SETTING_FLAG, 0, TURNPIKE_AT(MulticastSettings, wrong_interface), 0, 0, nullptr, 0, 0, nullptr},
    {"keep", "Whether flows that stand are forwarded on when turnpiked crashes; it takes turnpike-keeper(8).", "true",
     TP_SETTING_FLAG, 0, TURNPIKE_AT(MulticastSettings, keep), 0, 0, nullptr, 0, 0, nullptr},
    {"receive-buffer", "Bytes for news of unknown flows, some 700 for each.", "67108864", TP_SETTING_UNSIGNED, 0,
     TURNPIKE_AT(MulticastSettings, receive_buffer), 65'536, 0x7FFFFFFF, nullptr, 0, 0, nullptr},
    {"settle", "How long flows of a former run go on as they stand, until protocols have said what they have.", "30s",
     TP_SETTING_DURATION, 0, TURNPIKE_AT(MulticastSettings, settle_ms), 1000, 3'600'000, nullptr, 0, 0, nullptr},
};

// Numbers of 4 bytes, one behind the other.
constexpr TpSetting preference(std::uint32_t place, const char* name, const char* help, const char* usual) {
  return {name, help, usual, TP_SETTING_UNSIGNED, 0, place * 4, 4, 1, 0xFFFFFFFF, nullptr, 0, 0, nullptr};
}

constexpr TpSetting kPreference[] = {
    preference(0, "local", "Routes of the kernel itself: what is connected.", "1"),
    preference(1, "static", "Static routes.", "3"),
    preference(2, "static-non-dod", "Static routes that do not make a connection.", "5"),
    preference(3, "autostatic", "Routes that a protocol has learnt once and left behind as static ones.", "7"),
    preference(4, "netmgmt", "Routes that others have put into the kernel.", "10"),
    preference(5, "bgp", "BGP, also by another router on this machine.", "20"),
    preference(6, "ospf", "OSPF, the same.", "110"),
    preference(7, "is-is", "IS-IS, the same.", "115"),
    preference(8, "rip", "RIP, the same.", "120"),
};

constexpr TpSettingChoice kTransports[] = {
    {"ip", "IPv4.", TP_MODULE_IP},
    {"ipv6", "IPv6.", TP_MODULE_IPV6},
};

constexpr TpSetting kProtocol[] = {
    {"library", "The library with the protocol: a path, or a name in the folder `modules`. Without it, NAME.so there.",
     nullptr, TP_SETTING_TEXT, 0, TURNPIKE_AT(ProtocolSettings, library), 0, 0, nullptr, 0, 0, nullptr},
    {"id", "The protocol's number, where its library does not describe itself.", nullptr, TP_SETTING_UNSIGNED, 0,
     TURNPIKE_AT(ProtocolSettings, id), 1, 0xFFFEFFFF, nullptr, 0, 0, nullptr},
    {"transport", "The transport that it belongs to, where its library does not describe itself.", "ip",
     TP_SETTING_CHOICE, 0, TURNPIKE_AT(ProtocolSettings, transport), 0, 0, kTransports, 2, 0, nullptr},
    {"enabled", "Whether it runs.", "true", TP_SETTING_FLAG, 0, TURNPIKE_AT(ProtocolSettings, enabled), 0, 0, nullptr,
     0, 0, nullptr},
};

constexpr TpSettingChoice kTypes[] = {
    {"dedicated", "A device of the kernel of that name, there now or later.",
     static_cast<std::uint32_t>(dim::InterfaceType::kDedicated)},
    {"demand-dial", "A link to another router that is made when it is needed.",
     static_cast<std::uint32_t>(dim::InterfaceType::kFullRouter)},
    {"internal", "Our end of the links of clients that dial in.",
     static_cast<std::uint32_t>(dim::InterfaceType::kInternal)},
    {"tunnel", "A tunnel of IP in IP.", static_cast<std::uint32_t>(dim::InterfaceType::kTunnel)},
};

constexpr TpSetting kTransportElement[] = {
    {"", "A transport.", nullptr, TP_SETTING_CHOICE, 0, 0, 4, 0, 0, kTransports, 2, 0, nullptr},
};
constexpr TpSettings kTransportList = {4, 1, kTransportElement};

constexpr TpSetting kInterface[] = {
    {"enabled", "Whether protocols may use it.", "true", TP_SETTING_FLAG, 0, TURNPIKE_AT(InterfaceSettings, enabled),
     0, 0, nullptr, 0, 0, nullptr},
    {"type", "What it is.", "dedicated", TP_SETTING_CHOICE, 0, TURNPIKE_AT(InterfaceSettings, type), 0, 0, kTypes, 4, 0,
     nullptr},
    {"transports", "What is routed over it. Without it, [\"ip\", \"ipv6\"].", nullptr, TP_SETTING_LIST, 0,
     TURNPIKE_AT(InterfaceSettings, transports), 0, 2, nullptr, 0, 0, &kTransportList},
};

// clang-format on
#undef TURNPIKE_AT

}  // namespace

const TpSettings kRouterSettings = {sizeof(RouterSettings), std::size(kRouter), kRouter};
const TpSettings kLogSettings = {sizeof(LogSettings), std::size(kLog), kLog};
const TpSettings kForwarderSettings = {sizeof(ForwarderSettings), std::size(kForwarder), kForwarder};
const TpSettings kMulticastSettings = {sizeof(MulticastSettings), std::size(kMulticast), kMulticast};
const TpSettings kPreferenceSettings = {sizeof kPreferenceProtocols, std::size(kPreference), kPreference};
const std::array<std::uint32_t, 9> kPreferenceProtocols{2, 10006, 10007, 10002, 3, 14, 13, 9, 8};  // PROTO_IP_…
const TpSettings kProtocolSettings = {sizeof(ProtocolSettings), std::size(kProtocol), kProtocol};
const TpSettings kInterfaceSettings = {sizeof(InterfaceSettings), std::size(kInterface), kInterface};

std::span<const Section> sections() {
  static constexpr Section kSections[] = {
      {"[router]", "The router as a whole.", &kRouterSettings},
      {"[log]", "What turnpiked tells the journal, or standard error where there is none.", &kLogSettings},
      {"[forwarder]", "How the routing table becomes what the kernel forwards by.", &kForwarderSettings},
      {"[multicast]",
       "How multicast is forwarded. A reload changes it while no multicast protocol runs, or switches it on or off "
       "together with the protocols that use it.",
       &kMulticastSettings},
      {"[preferences]",
       "Whose routes are used where several protocols have one to the same destination: those of the lowest number, 1 "
       "and above. A protocol that has a section [protocol.NAME] is called by that name, and has 100 if it is none of "
       "these. A reload ranks the routes that are there anew, but for those that were given a preference of their own.",
       &kPreferenceSettings},
      {"[protocol.NAME]",
       "A routing protocol. It runs when the file has its section. Beside these keys stand the protocol's own "
       "settings, "
       "turnpiked --describe tells them. A protocol whose library does not describe itself has its block as bytes "
       "instead: raw = \"0a 00\" (hexadecimal), base64 = \"CgA=\", or file = \"PATH\".",
       &kProtocolSettings},
      {"[interface.NAME]",
       "An interface that the router has. [interface.NAME.PROTOCOL] puts a protocol on it and has the protocol's "
       "settings there; of a protocol without a description, raw, base64 or file.",
       &kInterfaceSettings},
  };
  return kSections;
}

}  // namespace turnpike::config
