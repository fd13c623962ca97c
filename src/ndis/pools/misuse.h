// Misuse: what a driver does wrong with a pool, a packet or a net buffer. These belong to no protocol's binding, so
// they are told to whoever listens (the verifier of the process, once a protocol has registered), and until then to the
// log.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/handle_table.h"

namespace turnpike::ndis {

// `function` and `what` are literals; `subject` is the handle or the address that it happened to.
using MisuseListener = void (*)(const char* function, const char* what, std::uint64_t subject);

// One at a time; null: the log.
void listen_to_misuse(MisuseListener listener) noexcept;

void report_misuse(const char* function, const char* what, std::uint64_t subject) noexcept;
inline void report_misuse(const char* function, const char* what, const void* subject) noexcept {
  report_misuse(function, what, reinterpret_cast<std::uintptr_t>(subject));
}

// What is done with a descriptor or a pool, for whoever keeps its history; null: nobody does, and nothing is spent on
// it.
using UseListener = void (*)(const void* descriptor, const char* what);
void listen_to_uses(UseListener listener) noexcept;
extern std::atomic<UseListener> use_listener;
inline void note_use(const void* descriptor, const char* what) noexcept {
  if (const UseListener listener = use_listener.load(std::memory_order_relaxed); listener != nullptr) {
    listener(descriptor, what);
  }
}
inline void note_use(Handle pool, const char* what) noexcept {
  note_use(reinterpret_cast<const void*>(static_cast<std::uintptr_t>(pool)), what);
}

// How many there were, listened to or not.
std::uint64_t misuse_count() noexcept;

}  // namespace turnpike::ndis
