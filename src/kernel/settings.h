// Settings of a network namespace below /proc/sys/net.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kernel/net_namespace.h"

namespace turnpike::kernel {

// Whether a name of port.h's kind leads below net/ and nowhere else.
[[nodiscard]] bool is_setting_name(std::string_view name);

// As Port::read_setting and Port::write_setting.
Result<std::string> read_setting(const NetNamespace& where, std::string_view name);
Result<void> write_setting(const NetNamespace& where, std::string_view name, std::string_view value);

}  // namespace turnpike::kernel
