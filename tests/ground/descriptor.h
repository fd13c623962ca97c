// What every wait and every open thing of the ground is made of: the error, an owned descriptor, a deadline.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace turnpike::ground {

// The ground itself failed: a command, a system call, a deadline. Unlike the project, which returns `Result`, the
// ground throws: a test that cannot build its network has nothing left to say, GoogleTest reports what() as its
// failure, and five lines of test stay five lines.
class GroundError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws GroundError with `what` and the meaning of errno.
[[noreturn]] void fail_with_errno(const std::string& what);

// A file descriptor and its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }

  int get() const { return number_; }
  int release();
  void reset();

 private:
  int number_ = -1;
};

// `number` as returned by a system call: owned, or a GroundError that says `what` failed.
Descriptor own(int number, const std::string& what);

// The two ends of a pipe, both close-on-exec.
struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
};
Pipe make_pipe();

using std::chrono::milliseconds;

// How long a wait may last unless told otherwise: long enough for a sanitised build on a busy machine. A test that
// passes never waits for it.
inline constexpr milliseconds kSoon{60'000};

class Deadline {
 public:
  explicit Deadline(milliseconds within) : end_(std::chrono::steady_clock::now() + within) {}

  // Waits until `descriptor` can be read or has ended; false when the time is over.
  bool await_readable(int descriptor) const;

  // What poll wants: the milliseconds that are left, at least 0.
  int left() const;

 private:
  std::chrono::steady_clock::time_point end_;
};

// Reads what is there, at most 64 KiB; empty at the end of the stream; nothing when a read would block.
std::optional<std::string> read_some(int descriptor);

}  // namespace turnpike::ground
