// Codec: the objects of objects.h as netlink messages, both ways.
//
// One table of attributes for each kind of message (wire.h says what a table does), one `encode` and one way to decode
// for each object. Decoding is total: whatever the bytes are, the answer is an object whose fields keep what objects.h
// says, or an error:
//   kUnsupported      well formed, but not ours to know (MPLS, a multicast route, a bridge's port): skip it
//   kInvalidArgument  not as the kernel speaks
// Encoding refuses what can never be right (kInvalidArgument) and says when a message does not fit (kBufferTooSmall);
// the builder is then as before. What only the kernel can judge is left to the kernel.
#pragma once

#include <vector>

#include "kernel/objects.h"
#include "kernel/port.h"
#include "kernel/wire.h"

namespace turnpike::kernel {

// What a message that a request brought or a group told is about.
enum class Subject : std::uint8_t { kOther, kLink, kAddress, kRoute, kNextHop, kNeighbour, kRule };
[[nodiscard]] Subject subject_of(const Message& message);

// What a notification says beside its object.
[[nodiscard]] Notice notice_of(const Message& message);

// Holds what decoded lists lie in: a route's hops and a next hop's members live until the next call.
class Decoder {
 public:
  [[nodiscard]] Result<Link> link(const Message& message);
  [[nodiscard]] Result<InterfaceAddress> address(const Message& message);
  [[nodiscard]] Result<Route> route(const Message& message);
  [[nodiscard]] Result<NextHop> next_hop(const Message& message);
  [[nodiscard]] Result<Neighbour> neighbour(const Message& message);
  [[nodiscard]] Result<Rule> rule(const Message& message);

 private:
  Result<void> read_hops(Family family);
  Result<void> read_multipath(Bytes hops);
  Result<void> read_members();

  Attributes attributes_;
  Attributes inner_;
  std::vector<Hop> hops_;
  std::vector<GroupMember> members_;
};

// One change as a request without NLM_F_ACK.
using Sequence = std::uint32_t;
Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const Route& route);
Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const NextHop& next_hop);
Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const InterfaceAddress& address);
Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const Neighbour& neighbour);
Result<void> encode(MessageBuilder& out, Sequence sequence, Change change, const Rule& rule);
Result<void> encode(MessageBuilder& out, Sequence sequence, const LinkChange& change);

// A request for everything of a kind. Filters are as a kernel wants them that checks strictly; an older one takes the
// family alone and tells more than was asked for, so `passes` is asked as well.
Result<void> encode_dump(MessageBuilder& out, Sequence sequence, Subject subject);
Result<void> encode_dump(MessageBuilder& out, Sequence sequence, Family family, const RouteFilter& filter);
Result<void> encode_dump(MessageBuilder& out, Sequence sequence, const NextHopFilter& filter);
[[nodiscard]] bool passes(const RouteFilter& filter, const Route& route);
[[nodiscard]] bool passes(const NextHopFilter& filter, const NextHop& next_hop);

// The kernel's answer to a request.
struct Answer {
  int error = 0;              // an errno; 0: done
  Sequence sequence = 0;      // of the request
  std::string_view words;     // in the message; empty where it has none
  std::uint32_t about = 0;    // where in the request the attribute stands that it complains about; 0: none
  std::uint16_t missing = 0;  // an attribute's type that the request lacks; 0: none
};
[[nodiscard]] Result<Answer> decode_answer(const Message& message);

// The name of the attribute that an answer is about, given the whole request, its header included; else empty.
[[nodiscard]] std::string_view attribute_in_question(const Answer& answer, Bytes request);

}  // namespace turnpike::kernel
