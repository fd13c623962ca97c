#include "demo.h"

#include <cstddef>
#include <string>

namespace turnpike::config {
namespace {

constexpr TpSetting plain(const char* name, const char* fallback, std::uint32_t type, std::size_t offset,
                          std::size_t size, std::int64_t least = 0, std::int64_t most = 0) {
  TpSetting made{};
  made.name = name;
  made.help = "For tests.";
  made.fallback = fallback;
  made.type = type;
  made.offset = static_cast<std::uint32_t>(offset);
  made.size = static_cast<std::uint32_t>(size);
  made.least = least;
  made.most = most;
  return made;
}

constexpr TpSetting flagged(TpSetting made, std::uint32_t flags) {
  made.flags = flags;
  return made;
}

constexpr TpSetting listed(TpSetting made, const TpSettings& element) {
  made.list = &element;
  return made;
}

constexpr TpSettingChoice kModes[] = {{"active", "Speaks.", 1}, {"passive", "Listens.", 2}, {"off", nullptr, 0}};

constexpr TpSetting chosen(TpSetting made) {
  made.choices = kModes;
  made.choice_count = 3;
  return made;
}

#define AT(Structure, Member) offsetof(Structure, Member), sizeof(Structure::Member)

constexpr TpSetting kNeighbour[] = {plain("", nullptr, TP_SETTING_IPV4, AT(DemoNeighbour, address))};
constexpr TpSettings kNeighbours = {sizeof(DemoNeighbour), 1, kNeighbour};

constexpr TpSetting kHop[] = {
    flagged(plain("via", nullptr, TP_SETTING_ADDRESS, AT(DemoHop, via)), TP_SETTING_REQUIRED),
    plain("weight", "1", TP_SETTING_UNSIGNED, AT(DemoHop, weight), 1, 256),
};
constexpr TpSettings kHops = {sizeof(DemoHop), 2, kHop};

constexpr TpSetting kRoute[] = {
    flagged(plain("to", nullptr, TP_SETTING_PREFIX, AT(DemoRoute, to)), TP_SETTING_REQUIRED),
    plain("interface", nullptr, TP_SETTING_TEXT, AT(DemoRoute, interface)),
    listed(plain("hop", nullptr, TP_SETTING_LIST, AT(DemoRoute, hops)), kHops),
};
constexpr TpSettings kRoutes = {sizeof(DemoRoute), 3, kRoute};

constexpr TpSetting kGlobal[] = {
    plain("on", "true", TP_SETTING_FLAG, AT(DemoGlobal, on)),
    plain("offset", "-5", TP_SETTING_SIGNED, AT(DemoGlobal, offset)),
    plain("small", nullptr, TP_SETTING_UNSIGNED, AT(DemoGlobal, small)),
    chosen(plain("mode", "passive", TP_SETTING_CHOICE, AT(DemoGlobal, mode))),
    plain("interval", "30s", TP_SETTING_DURATION, AT(DemoGlobal, interval), 1000, 3'600'000),
    plain("large", "9000000000", TP_SETTING_UNSIGNED, AT(DemoGlobal, large)),
    plain("name", "demo", TP_SETTING_TEXT, AT(DemoGlobal, name)),
    plain("title", nullptr, TP_SETTING_WIDE, AT(DemoGlobal, title)),
    plain("address4", nullptr, TP_SETTING_IPV4, AT(DemoGlobal, address4)),
    plain("address6", "::1", TP_SETTING_IPV6, AT(DemoGlobal, address6)),
    plain("address", nullptr, TP_SETTING_ADDRESS, AT(DemoGlobal, address)),
    flagged(plain("secret", nullptr, TP_SETTING_TEXT, AT(DemoGlobal, secret)), TP_SETTING_SECRET),
    listed(plain("neighbours", nullptr, TP_SETTING_LIST, AT(DemoGlobal, neighbours), 0, 3), kNeighbours),
    listed(plain("route", nullptr, TP_SETTING_LIST, AT(DemoGlobal, routes)), kRoutes),
};
constexpr TpSettings kGlobalSettings = {sizeof(DemoGlobal), 14, kGlobal};

constexpr TpSetting kInterface[] = {plain("cost", "10", TP_SETTING_UNSIGNED, AT(DemoInterface, cost), 1, 65535)};
constexpr TpSettings kInterfaceSettings = {sizeof(DemoInterface), 1, kInterface};

#undef AT

void check(const void* block, std::uint32_t size, TpModuleComplain complain, void* context) {
  const auto* global = static_cast<const DemoGlobal*>(block);
  if (global->on != 0 && global->interval < 2000) complain(context, "interval", "too often while it is on");
  const auto* routes = static_cast<const DemoRoute*>(TpModuleElements(block, size, global->routes, sizeof(DemoRoute)));
  for (std::uint32_t i = 0; routes != nullptr && i < global->routes.count; ++i) {
    if (routes[i].hops.count == 0) complain(context, ("route[" + std::to_string(i) + "].to").c_str(), "no way there");
  }
}

}  // namespace

const TpModule kDemo = {
    8,     TP_MODULE_IP, "demo", "1.2", "Shows every type of setting", &kGlobalSettings, &kInterfaceSettings,
    check, nullptr};

}  // namespace turnpike::config
