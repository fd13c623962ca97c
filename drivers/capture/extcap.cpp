#include "extcap.h"

namespace capture {
namespace {

constexpr std::string_view kPrefix = "turnpike-";

}  // namespace

std::optional<std::string> interface_of(std::string_view extcap_name) {
  const std::string_view name = extcap_name.substr(std::min(kPrefix.size(), extcap_name.size()));
  if (!extcap_name.starts_with(kPrefix) || name.empty() || name.find_first_of("*?,") != name.npos) return std::nullopt;
  return std::string(name);
}

std::string extcap_interfaces(const std::vector<std::string>& names) {
  std::string out = "extcap {version=" TURNPIKE_VERSION "}{display=Turnpike, through NDIS}\n";
  for (const std::string& name : names) {
    // What stands in braces cannot hold any, nor a pattern be taken for a name.
    if (name.find_first_of("{}*?,") != name.npos) continue;
    out += "interface {value=" + std::string(kPrefix) + name + "}{display=Turnpike NDIS: " + name + "}\n";
  }
  return out;
}

std::string extcap_link_types() { return "dlt {number=1}{name=EN10MB}{display=Ethernet}\n"; }

std::string extcap_settings() {
  return "arg {number=0}{call=--promiscuous}{display=Promiscuous}{type=boolean}{default=true}"
         "{tooltip=Also what is meant for other machines}\n"
         "arg {number=1}{call=--snap-length}{display=Bytes of each frame}{type=unsigned}{default=262144}"
         "{range=1,262144}{tooltip=The rest is cut off}\n"
         "arg {number=2}{call=--buffer}{display=Buffer (MiB)}{type=unsigned}{default=16}{range=1,4096}"
         "{tooltip=What may wait for Wireshark; what does not fit is counted as lost}\n";
}

}  // namespace capture
