#include "kernel/adapters/frame_sender.h"

#include <algorithm>
#include <cerrno>
#include <new>

namespace turnpike::kernel {
namespace {

constexpr std::size_t kAddresses = 12;
constexpr std::array<std::byte, 256> kZeros{};

iovec piece_of(std::span<const std::byte> bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};  // the kernel only reads
}

void write_tag(const ndis::VlanTag& tag, std::array<std::byte, 4>& out) {
  out = {static_cast<std::byte>(tag.protocol >> 8), static_cast<std::byte>(tag.protocol),
         static_cast<std::byte>(tag.tci >> 8), static_cast<std::byte>(tag.tci)};
}

}  // namespace

Result<void> lay_out(const ndis::OutFrame& frame, std::size_t header, std::array<std::byte, 4>& tag,
                     std::vector<iovec>& out) {
  std::size_t before_tag = frame.vlan.present() && header >= kAddresses + 2 ? kAddresses : 0;
  const bool tagged = before_tag != 0;
  std::size_t length = 0;
  for (std::span<const std::byte> piece : frame.pieces) {
    length += piece.size();
    if (before_tag != 0) {
      const auto first = piece.first(std::min(before_tag, piece.size()));
      if (!first.empty()) out.push_back(piece_of(first));
      before_tag -= first.size();
      piece = piece.subspan(first.size());
      if (before_tag == 0) {
        write_tag(frame.vlan, tag);
        out.push_back(piece_of(tag));
      }
    }
    if (!piece.empty()) out.push_back(piece_of(piece));
  }
  if (before_tag != 0 || length != frame.length || length < header)
    return fail(ErrorKind::kInvalidArgument, "a frame is shorter than its header, or its pieces are not its length");
  length += tagged ? tag.size() : 0;
  for (std::size_t left = frame.pad_to > length ? frame.pad_to - length : 0; left > 0;) {
    const std::size_t now = std::min(left, kZeros.size());
    out.push_back(piece_of(std::span(kZeros).first(now)));
    left -= now;
  }
  return {};
}

std::size_t FrameSender::lay_out(std::span<const ndis::OutFrame> frames) {
  std::array<std::size_t, kBatch + 1> begins{};
  pieces_.clear();
  std::size_t count = 0;
  for (; count < std::min(frames.size(), kBatch); ++count) {
    const ndis::OutFrame& frame = frames[count];
    if (count != 0 && frame.vlan.priority() != frames[0].vlan.priority()) break;
    begins[count] = pieces_.size();
    if (prefix_ != 0) pieces_.push_back(piece_of(std::span(kZeros).first(prefix_)));
    if (frame.pieces.size() > kMostPieces || !kernel::lay_out(frame, header_, tags_[count], pieces_)) {
      pieces_.resize(begins[count]);
      break;
    }
  }
  begins[count] = pieces_.size();
  for (std::size_t at = 0; at < count; ++at) {
    messages_[at].msg_hdr.msg_iov = &pieces_[begins[at]];
    messages_[at].msg_hdr.msg_iovlen = begins[at + 1] - begins[at];
  }
  return count;
}

// The priority that a tag carries is the one that the queues of the device go by, too.
void FrameSender::set_priority(int socket, const ndis::VlanTag& tag) {
  if (priority_ == tag.priority()) return;
  priority_ = tag.priority();
  ::setsockopt(socket, SOL_SOCKET, SO_PRIORITY, &priority_, sizeof priority_);
}

ndis::SendAnswer FrameSender::send(int socket, std::span<const ndis::OutFrame> frames) noexcept {
  ndis::SendAnswer answer;
  try {
    while (answer.taken < frames.size()) {
      const std::size_t count = lay_out(frames.subspan(answer.taken));
      if (count == 0) {
        answer.error = Error{ErrorKind::kInvalidArgument, 0, "a frame is not one that can be sent"};
        break;
      }
      set_priority(socket, frames[answer.taken].vlan);
      const int sent = ::sendmmsg(socket, messages_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
      if (sent > 0) {
        answer.taken += static_cast<std::size_t>(sent);
      } else if (errno == EAGAIN) {
        answer.error = Error{ErrorKind::kBusy, 0, "the interface takes no more frames now"};
        break;
      } else if (errno != EINTR) {
        answer.error = Error{ErrorKind::kKernel, errno, "the interface refused a frame"};
        break;
      }
    }
  } catch (const std::bad_alloc&) {
    answer.error = Error{ErrorKind::kExhausted, 0, "no memory to send a frame"};
  }
  return answer;
}

}  // namespace turnpike::kernel
