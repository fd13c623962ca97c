// From what the operator's file says to what the router is given: blocks become information headers.
#pragma once

#include "config/model.h"
#include "router/plan.h"

namespace turnpike::daemon {

// A transport is routed where a protocol belongs to it. The model is a good one.
[[nodiscard]] router::Plan plan_of(const config::Model& model);

}  // namespace turnpike::daemon
