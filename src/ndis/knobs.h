// What a host or a test sets from outside. All may be changed at any time, by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "ndis/status.h"

namespace turnpike::ndis {

namespace pend {
inline constexpr std::uint32_t kOpen = 0x1;
inline constexpr std::uint32_t kClose = 0x2;
inline constexpr std::uint32_t kSend = 0x4;
inline constexpr std::uint32_t kRequest = 0x8;
inline constexpr std::uint32_t kTransfer = 0x10;
inline constexpr std::uint32_t kReset = 0x20;
}  // namespace pend

// A call that can be made to fail once.
enum class Failing : std::uint8_t { kRegister, kOpen, kSend, kRequest, kReset, kTransfer };
inline constexpr std::size_t kFailingKinds = 6;

struct Knobs {
  // The next call of that kind ends with that status, at once or by its completion; kSuccess: as it should. Of a send
  // of several elements, the first fails.
  void fail_next(Failing call, Status status) { fails[static_cast<std::size_t>(call)] = status; }
  std::optional<Status> fail_now(Failing call) {
    std::atomic<Status>& next = fails[static_cast<std::size_t>(call)];
    if (next.load(std::memory_order_relaxed) == Status::kSuccess) {
      return std::nullopt;
    }
    const Status status = next.exchange(Status::kSuccess);
    return status != Status::kSuccess ? std::optional(status) : std::nullopt;
  }

  std::atomic<bool> checked{false};            // violations go to the host's callback
  std::atomic<bool> inline_completion{false};  // completions run on the stack of the call that caused them
  std::atomic<std::uint32_t> force_pend{0};    // pend::… : what would be finished at once is finished later
  std::atomic<bool> hold_requests{false};      // pended requests wait until this is cleared
  std::atomic<bool> force_resources{false};    // received frames are shown as if no copies were left
  std::atomic<std::uint32_t> force_lookahead{0};
  std::array<std::atomic<Status>, kFailingKinds> fails{};
};

}  // namespace turnpike::ndis
