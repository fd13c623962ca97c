// Misuse: what a driver does wrong with a pool, a packet or a net buffer. These belong to no protocol's binding, so
// they are told to whoever listens (the verifier of the process, once a protocol has registered), and until then to the
// log.
#pragma once

#include <cstdint>

namespace turnpike::ndis {

// `function` and `what` are literals; `subject` is the handle or the address that it happened to.
using MisuseListener = void (*)(const char* function, const char* what, std::uint64_t subject);

// One at a time; null: the log.
void listen_to_misuse(MisuseListener listener) noexcept;

void report_misuse(const char* function, const char* what, std::uint64_t subject) noexcept;
inline void report_misuse(const char* function, const char* what, const void* subject) noexcept {
  report_misuse(function, what, reinterpret_cast<std::uintptr_t>(subject));
}

// How many there were, listened to or not.
std::uint64_t misuse_count() noexcept;

}  // namespace turnpike::ndis
