// For tests of what threads do to each other.
#pragma once

#include <latch>
#include <thread>
#include <vector>

namespace turnpike {

// Runs `body(n)` on so many threads at the same time, until all have returned.
template <class F>
void on_threads(int count, F body) {
  std::latch start(count);
  std::vector<std::jthread> threads;
  for (int n = 0; n < count; ++n) {
    threads.emplace_back([&start, &body, n] {
      start.arrive_and_wait();
      body(n);
    });
  }
}

}  // namespace turnpike
