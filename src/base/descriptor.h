// Descriptor: a file descriptor with an owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace turnpike {

class Descriptor {
 public:
  constexpr Descriptor() = default;
  constexpr explicit Descriptor(int number) : number_(number) {}  // a negative number is no descriptor
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(); }

  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }

  // Hands the descriptor to the caller, who closes it from now on.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }

  // Closes what it has and takes `number`. close() is not repeated after EINTR: on Linux the descriptor is gone by
  // then.
  void reset(int number = -1) {
    if (is_open()) ::close(number_);
    number_ = number;
  }

 private:
  int number_ = -1;
};

}  // namespace turnpike
