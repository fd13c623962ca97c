// What a process and turnpike-keeper say to each other. The keeper holds descriptors while nobody else does: the socket
// of a kernel's multicast table, so that the table outlives a crash. It knows nothing of what they are.
//
// Between the two is a SOCK_SEQPACKET connection to an abstract name, which lives in the network namespace that the
// tables belong to, and goes with its owner. A packet is a header and then the note: bytes that the keeper gives back
// with the descriptor, for the next life to know what it needs.
//
//   fetch   "I use what is kept under this name, or shall be." The answer: nothing is kept; or it is here, with the
//           descriptor and the note; or somebody uses it, with his process id. Who has fetched a name uses it until the
//           connection ends, and may say the others about it.
//   hold    keep this descriptor and this note, in place of what was kept
//   note    keep this note
//   drop    forget it
//
// Each is answered, so that who has been answered knows that it is done.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/descriptor.h"
#include "kernel/multicast/abstract_name.h"

namespace turnpike::kernel::keeper {

inline constexpr AbstractName kAddress("turnpike-keeper");
inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::size_t kMostNote = 4096;

enum class Verb : std::uint32_t { kFetch = 1, kHold = 2, kNote = 3, kDrop = 4 };
enum class Outcome : std::uint32_t { kNothing = 1, kHere = 2, kInUse = 3, kDone = 4, kRefused = 5 };

struct Request {
  std::uint32_t version = kVersion;
  Verb verb = Verb::kFetch;
  std::array<char, 56> name{};  // with its zero byte
};

struct Answer {
  std::uint32_t version = kVersion;
  Outcome outcome = Outcome::kRefused;
  std::int32_t user = 0;  // kInUse: the process
};

// A packet on its way: a head, a note, perhaps a descriptor.
class Envelope {
 public:
  template <class Head>
  Envelope(Head& head, void* note, std::size_t note_size) : parts_{{&head, sizeof head}, {note, note_size}} {
    message_.msg_iov = parts_;
    message_.msg_iovlen = 2;
  }
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  void enclose(int descriptor) {
    message_.msg_control = control_;
    message_.msg_controllen = sizeof control_;
    cmsghdr* header = CMSG_FIRSTHDR(&message_);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }

  [[nodiscard]] bool send(int socket, int flags) const {
    return ::sendmsg(socket, &message_, flags | MSG_NOSIGNAL) >= 0;
  }

  // How long the note is; negative where nothing came, or not a whole packet. What was enclosed is owned by `enclosed`.
  std::ptrdiff_t receive(int socket, int flags, Descriptor& enclosed) {
    message_.msg_control = control_;
    message_.msg_controllen = sizeof control_;
    const ssize_t size = ::recvmsg(socket, &message_, flags | MSG_CMSG_CLOEXEC);
    if (size < 0) return -1;
    const cmsghdr* header = CMSG_FIRSTHDR(&message_);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header), sizeof number);
      enclosed.reset(number);
    }
    const bool is_whole = (message_.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    return is_whole ? size - static_cast<std::ptrdiff_t>(parts_[0].iov_len) : -1;
  }

 private:
  iovec parts_[2];
  alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(int))] = {};
  msghdr message_{};
};

static_assert(sizeof(Request) == 64 && sizeof(Answer) == 12);

}  // namespace turnpike::kernel::keeper
