// Whatever comes out of a netlink socket: it is decoded or refused, and what was decoded can be written and read again
// without a further change. Seeds are what a kernel said in dumps and answers.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "kernel/codec.h"

namespace turnpike::kernel {
namespace {

void expect(bool kept) {
  if (!kept) std::abort();
}

// Writes `object` and reads it back; nothing where it cannot be written. `Keep` copies it out of the decoder.
template <class Keep, class T>
std::optional<Keep> around(const T& object, Result<T> (Decoder::*decode)(const Message&)) {
  static std::array<std::uint8_t, 1 << 16> buffer;
  MessageBuilder out(buffer);
  if (const auto written = encode(out, 1, Change::kReplace, object); !written) {
    expect(out.bytes().empty());
    return std::nullopt;
  }
  Bytes rest = out.bytes();
  const auto message = take_message(rest);
  expect(message.has_value() && rest.empty());
  static Decoder decoder;
  const auto read = (decoder.*decode)(*message);
  expect(read.has_value());
  return Keep(*read);
}

Route view(const RouteCopy& copy) { return copy.view(); }
NextHop view(const NextHopCopy& copy) { return copy.view(); }
template <class T>
const T& view(const T& value) {
  return value;
}

// Writing sheds what only the kernel sets; from then on nothing changes.
template <class Keep, class T>
void check(const Result<T>& read, Result<T> (Decoder::*decode)(const Message&)) {
  if (!read) {
    expect(read.error().kind == ErrorKind::kInvalidArgument || read.error().kind == ErrorKind::kUnsupported);
    return;
  }
  const auto once = around<Keep>(*read, decode);
  if (!once) return;
  const auto twice = around<Keep, T>(view(*once), decode);
  expect(twice && view(*once) == view(*twice));
}

void feed(const Message& message, Decoder& decoder) {
  (void)notice_of(message);
  switch (subject_of(message)) {
    case Subject::kLink:
      (void)decoder.link(message);
      break;
    case Subject::kAddress:
      return check<InterfaceAddress>(decoder.address(message), &Decoder::address);
    case Subject::kRoute:
      return check<RouteCopy>(decoder.route(message), &Decoder::route);
    case Subject::kNextHop:
      return check<NextHopCopy>(decoder.next_hop(message), &Decoder::next_hop);
    case Subject::kNeighbour:
      return check<Neighbour>(decoder.neighbour(message), &Decoder::neighbour);
    case Subject::kRule:
      return check<Rule>(decoder.rule(message), &Decoder::rule);
    case Subject::kOther:
      if (const auto answer = decode_answer(message)) (void)attribute_in_question(*answer, message.payload);
  }
}

}  // namespace
}  // namespace turnpike::kernel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  turnpike::kernel::Bytes rest(data, size);
  turnpike::kernel::Decoder decoder;
  while (const auto message = turnpike::kernel::take_message(rest)) turnpike::kernel::feed(*message, decoder);
  return 0;
}
