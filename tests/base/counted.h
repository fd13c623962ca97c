// For tests of who ends what, and when.
#pragma once

namespace turnpike {

// Counts itself and its copies.
class Counted {
 public:
  explicit Counted(int& living) : living_(&living) { ++living; }
  Counted(const Counted& other) : Counted(*other.living_) {}
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*living_; }

 private:
  int* living_;
};

}  // namespace turnpike
