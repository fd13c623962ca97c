// What an extcap program answers Wireshark: which interfaces there are, what is captured on them, what can be chosen.
// Its interfaces stand beside those that Wireshark itself knows, so ours have names of their own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

// eth0 of turnpike-eth0; nothing where it is none of ours.
std::optional<std::string> interface_of(std::string_view extcap_name);

std::string extcap_interfaces(const std::vector<std::string>& names);
std::string extcap_link_types();
std::string extcap_settings();

}  // namespace capture
