// What a client polls for changes: an eventfd that is readable while changes wait.
#pragma once

#include "rtm/notify.h"

namespace turnpike::runtime {

// Without `raise`: no descriptor is left.
rtm::ChangeSignal make_change_descriptor();

}  // namespace turnpike::runtime
