// Interfaces and protocols as values, for people and for JSON.
#pragma once

#include <string>
#include <vector>

#include "base/value.h"
#include "dim/interfaces.h"
#include "router/call_watch.h"
#include "router/manager.h"

namespace turnpike::daemon {

[[nodiscard]] Value refused(std::string what);

// All, or the one of that name; an error where there is none.
[[nodiscard]] Value shown(const dim::Interfaces& interfaces, const std::string& name);
// The same of modules; what hangs is said of each. Empty: there is none of that name.
[[nodiscard]] Value::List shown(const std::vector<router::ModuleStatus>& modules,
                                const std::vector<router::CallWatch::Running>& hanging, const std::string& name);

// Whole seconds that a call has lasted.
[[nodiscard]] std::string seconds_of(const router::CallWatch::Running& call);

}  // namespace turnpike::daemon
