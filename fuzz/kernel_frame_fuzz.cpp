// Super-frames and missing checksums: whatever the kernel's word and the frame's bytes are, each piece is within what
// was promised, and nothing of what is to be cut gets lost. And a tag that comes out of a frame takes nothing else
// along.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernel/adapters/bare_frame.h"
#include "kernel/adapters/super_frame.h"

using turnpike::kernel::Offload;
using turnpike::kernel::SuperFrame;

namespace {

void untag(std::vector<std::byte> frame) {
  std::span<std::byte> rest(frame);
  const auto tag = turnpike::kernel::take_tag(rest);
  if (rest.size() + (tag.present() ? 4 : 0) != frame.size()) std::abort();
  if (tag.present() && rest.size() < 14) std::abort();
  if (rest.size() >= 6) static_cast<void>(turnpike::kernel::direction_of(rest));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Offload offload;
  if (size < sizeof offload + 1) return 0;
  std::memcpy(&offload, data, sizeof offload);
  const std::size_t header = data[sizeof offload] % 2 == 0 ? 14 : 0;
  std::vector<std::byte> frame(size - sizeof offload - 1);
  if (!frame.empty()) std::memcpy(frame.data(), data + sizeof offload + 1, frame.size());
  untag(frame);
  static_cast<void>(turnpike::kernel::complete_checksum(frame, offload));
  const auto super_frame = SuperFrame::read(frame, header, offload);
  if (!super_frame) return 0;
  std::vector<std::byte> piece(super_frame->longest());
  std::size_t cut = 0;
  std::size_t first = 0;
  for (std::size_t index = 0; index < super_frame->pieces(); ++index) {
    const std::size_t written = super_frame->write(index, piece);
    if (written > piece.size()) std::abort();
    if (index == 0) first = written;
    cut += written;
  }
  // Every piece has the same headers, and they share the data.
  const std::size_t headers = first - std::min<std::size_t>(offload.segment_size, first);
  if (super_frame->pieces() > 1 && cut != frame.size() + (super_frame->pieces() - 1) * headers) std::abort();
  return 0;
}
