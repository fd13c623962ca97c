// A binding's filter, multicast list and options change together with what its adapter is asked for, or not at all.
#pragma once

#include "ndis/engine.h"

namespace turnpike::ndis {

// `change(Wishes&)` answers with a status; only kSuccess changes something.
template <class Change>
Status Engine::change_wishes(Binding& binding, Change&& change) {
  Nic& nic = *binding.nic;
  const std::lock_guard setup(nic.setup_mutex);
  Wishes before = binding.wishes;
  if (const Status status = change(binding.wishes); status != Status::kSuccess) {
    binding.wishes = std::move(before);
    return status;
  }
  if (nic.adapter == nullptr) {
    binding.wishes = std::move(before);
    return Status::kClosing;
  }
  if (const auto asked = ask(nic); !asked) {
    binding.wishes = std::move(before);
    return asked.error().kind == ErrorKind::kUnsupported ? Status::kNotSupported : Status::kNotAccepted;
  }
  publish(nic);
  return Status::kSuccess;
}

}  // namespace turnpike::ndis
