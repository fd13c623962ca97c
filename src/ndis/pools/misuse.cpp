#include "ndis/pools/misuse.h"

#include <atomic>

#include "base/log.h"

namespace turnpike::ndis {
namespace {

std::atomic<MisuseListener> listening{nullptr};
std::atomic<std::uint64_t> happened{0};

}  // namespace

std::atomic<UseListener> use_listener{nullptr};

void listen_to_uses(UseListener listener) noexcept { use_listener.store(listener, std::memory_order_relaxed); }

void listen_to_misuse(MisuseListener listener) noexcept { listening.store(listener, std::memory_order_release); }

void report_misuse(const char* function, const char* what, std::uint64_t subject) noexcept {
  happened.fetch_add(1, std::memory_order_relaxed);
  if (const MisuseListener listener = listening.load(std::memory_order_acquire); listener != nullptr) {
    listener(function, what, subject);
    return;
  }
  TURNPIKE_LOG(LogLevel::kWarning, "ndis", "a driver breaks a rule", {"function", function}, {"rule", what},
               {"subject", subject});
}

std::uint64_t misuse_count() noexcept { return happened.load(std::memory_order_relaxed); }

}  // namespace turnpike::ndis
