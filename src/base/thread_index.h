// A small number for each running thread: 0, 1, 2, … recycled when a thread ends, given out without any call of its
// own.
//
// What it is for: spreading threads over shards (handle_table.h) and giving each its own reader slot (epoch.h). Low
// numbers are given out first, so an array indexed by them stays as long as the most threads that ever used it at one
// time.
//
// Threads come and go that we neither made nor know. The number is taken at a thread's first question and given back by
// a thread_local destructor. A destructor that runs even later on the same thread and asks again gets kNoThreadIndex,
// as does every thread beyond kMaxThreadIndex: callers need an answer for a thread without a number (modulo, or a
// lock).
#pragma once

#include <cstdint>

namespace turnpike {

inline constexpr std::uint32_t kMaxThreadIndex = 1U << 16;
inline constexpr std::uint32_t kNoThreadIndex = ~0U;

namespace detail {

inline constexpr std::uint32_t kThreadIndexUnasked = ~0U - 1;

// initial-exec: four bytes of the static TLS block instead of a call of __tls_get_addr in each access from
// libturnpike.so.
extern constinit thread_local std::uint32_t this_thread_index __attribute__((tls_model("initial-exec")));

std::uint32_t assign_thread_index() noexcept;

}  // namespace detail

// This thread's number, or kNoThreadIndex. About a nanosecond.
inline std::uint32_t thread_index() noexcept {
  const std::uint32_t index = detail::this_thread_index;
  return index != detail::kThreadIndexUnasked ? index : detail::assign_thread_index();
}

// One more than the highest number that was ever given out.
std::uint32_t thread_index_limit() noexcept;

}  // namespace turnpike
