// Whatever a multicast routing socket gives: an upcall whose parts lie within it, or a refusal. The first byte chooses
// the family.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "kernel/multicast/multicast_port.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace kernel = turnpike::kernel;
  if (size == 0) return 0;
  const auto family = (*data & 1) == 0 ? turnpike::net::Family::kIpv4 : turnpike::net::Family::kIpv6;
  const auto datagram = std::as_bytes(std::span(data + 1, size - 1));
  const auto read = kernel::decode_upcall(family, datagram);
  if (!read) {
    const auto kind = read.error().kind;
    if (kind != turnpike::ErrorKind::kInvalidArgument && kind != turnpike::ErrorKind::kUnsupported) std::abort();
    return 0;
  }
  const bool is_flow =
      read->flow.group.is_multicast() && read->flow.group.family() == family && read->flow.source.family() == family;
  const auto* begin = datagram.data();
  const bool is_inside =
      read->header.empty() || (read->header.data() == begin && read->header.size() <= datagram.size());
  if (!is_flow || !is_inside || read->kind > kernel::UpcallKind::kWholeWrong) std::abort();
  unsigned sum = 0;
  for (const std::byte each : read->header) sum += std::to_integer<unsigned>(each);
  return sum == ~0U ? 1 : 0;  // read them: the sanitizer sees whether one may
}
