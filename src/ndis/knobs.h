// What a host or a test sets from outside. All may be changed at any time, by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnpike::ndis {

namespace pend {
inline constexpr std::uint32_t kOpen = 0x1;
inline constexpr std::uint32_t kClose = 0x2;
inline constexpr std::uint32_t kSend = 0x4;
inline constexpr std::uint32_t kRequest = 0x8;
inline constexpr std::uint32_t kTransfer = 0x10;
inline constexpr std::uint32_t kReset = 0x20;
}  // namespace pend

struct Knobs {
  std::atomic<bool> checked{false};            // violations go to the host's callback
  std::atomic<bool> inline_completion{false};  // completions run on the stack of the call that caused them
  std::atomic<std::uint32_t> force_pend{0};    // pend::… : what would be finished at once is finished later
  std::atomic<bool> hold_requests{false};      // pended requests wait until this is cleared
  std::atomic<bool> force_resources{false};    // received frames are shown as if no copies were left
  std::atomic<std::uint32_t> force_lookahead{0};
};

}  // namespace turnpike::ndis
