// Frames of LLDP: whatever the bytes are, what is read can be told again, and the table stays within its bound.
#include <cstdlib>

#include "lldp/frame.h"
#include "lldp/neighbours.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span frame(data, size);
  lldp::Neighbours neighbours(4);
  neighbours.hear("eth0", frame, 1);
  static_cast<void>(neighbours.to_json(2));
  const auto read = lldp::decode(frame);
  if (!read) return 0;
  const auto again = lldp::encode(*read, lldp::Mac{});
  if (!again || again->size() > 1514) std::abort();
  const auto twice = lldp::decode(*again);
  if (!twice || twice->chassis != read->chassis || twice->port != read->port) std::abort();
  return 0;
}
