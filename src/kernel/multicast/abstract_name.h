// The name of a Unix socket that is in no file system: it lives in the network namespace, and goes with its owner.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace turnpike::kernel {

class AbstractName {
 public:
  // What does not fit is cut off: 107 bytes do.
  constexpr explicit AbstractName(std::string_view text) {
    text = text.substr(0, sizeof address_.sun_path - 1);
    address_.sun_family = AF_UNIX;
    std::ranges::copy(text, address_.sun_path + 1);  // the first byte stays zero
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  }
  [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] socklen_t size() const { return size_; }

 private:
  sockaddr_un address_{};
  socklen_t size_ = 0;
};

}  // namespace turnpike::kernel
