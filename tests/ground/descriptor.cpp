#include "ground/descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace turnpike::ground {

void fail_with_errno(const std::string& what) {
  const int code = errno;
  throw GroundError(what + ": " + std::generic_category().message(code));
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(number_, -1); }

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Descriptor own(int number, const std::string& what) {
  if (number < 0) fail_with_errno(what);
  return Descriptor(number);
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_with_errno("pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

int Deadline::left() const {
  const auto rest = std::chrono::ceil<milliseconds>(end_ - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<milliseconds::rep>(rest.count(), 0));
}

bool Deadline::await_readable(int descriptor) const {
  pollfd wanted{descriptor, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&wanted, 1, left());
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) fail_with_errno("poll");
  return ready > 0;
}

std::optional<std::string> read_some(int descriptor) {
  std::string bytes(65536, '\0');
  ssize_t count = 0;
  do {
    count = ::read(descriptor, bytes.data(), bytes.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return std::nullopt;
  if (count < 0) fail_with_errno("read");
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace turnpike::ground
