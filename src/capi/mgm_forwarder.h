// What the faces of both families have in common of the kernel's multicast forwarding: turnpike/mgm.h, mgm6.h.
#pragma once

#include <turnpike/mgm.h>

#include <new>
#include <span>

#include "capi/codes.h"
#include "mgm/interface.h"
#include "net/address.h"

namespace turnpike::capi {

inline constexpr std::uint32_t kMostBoundaries = 4096;

// What may run out of memory outside of a Result.
template <class Work>
std::uint32_t guarded(Work&& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

std::uint32_t start_multicast(net::Family family, const TP_MGM_FORWARDER_OPTIONS* options, char* holder,
                              std::size_t holder_size) noexcept;
std::uint32_t stop_multicast(net::Family family) noexcept;
std::uint32_t all_claimed(net::Family family) noexcept;
std::uint32_t multicast_status(net::Family family, TP_MGM_STATUS* status) noexcept;
std::uint32_t device_counters(net::Family family, std::uint32_t device, TP_MGM_DEVICE_COUNTERS* counters) noexcept;

inline bool is_threshold(std::uint32_t threshold) { return threshold >= 1 && threshold <= 255; }
std::uint32_t set_scope(net::Family family, std::uint32_t device, mgm::Scope scope);

}  // namespace turnpike::capi
