// What the files of the codec share: the tables, and the steps that each encoding begins and ends with.
#pragma once

#include <linux/netlink.h>
#include <sys/socket.h>

#include "kernel/codec.h"

namespace turnpike::kernel {

extern const AttributeTable kLinkAttributes;
extern const AttributeTable kAddressAttributes;
extern const AttributeTable kRouteAttributes;
extern const AttributeTable kNextHopAttributes;
extern const AttributeTable kNeighbourAttributes;
extern const AttributeTable kRuleAttributes;

// The kernel's number for a family, and back.
[[nodiscard]] constexpr std::uint8_t af_of(Family family) { return family == Family::kIpv4 ? AF_INET : AF_INET6; }
[[nodiscard]] constexpr std::optional<Family> family_of(std::uint8_t af) {
  if (af == AF_INET) return Family::kIpv4;
  if (af == AF_INET6) return Family::kIpv6;
  return std::nullopt;
}

// The flags of a request that makes a change.
[[nodiscard]] constexpr std::uint16_t flags_for(Change change) {
  switch (change) {
    case Change::kAdd:
      return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
    case Change::kReplace:
      return NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE;
    case Change::kUpdate:
      return NLM_F_REQUEST | NLM_F_REPLACE;
    case Change::kRemove:
      break;
  }
  return NLM_F_REQUEST;
}

// Ends a message. One that is larger than the whole buffer will never fit, the caller sees that by an empty builder.
[[nodiscard]] inline Result<void> end_of(MessageBuilder& out) {
  if (!out.end()) return fail(ErrorKind::kBufferTooSmall, "the message does not fit");
  return {};
}

// The fixed part of a message and its attributes.
template <class Fixed>
[[nodiscard]] Result<Fixed> open_message(const Message& message, const AttributeTable& table, Attributes& attributes) {
  const auto fixed = load<Fixed>(message.payload);
  if (!fixed) return fail(ErrorKind::kInvalidArgument, "a netlink message is too short");
  const std::size_t size = std::min(aligned(sizeof(Fixed)), message.payload.size());
  if (const auto read = attributes.read(message.payload.subspan(size), table); !read)
    return tl::unexpected(read.error());
  return *fixed;
}

// A prefix made of a fixed part's length and an attribute that may be left out where the length is 0.
[[nodiscard]] Result<Prefix> prefix_of(Family family, const std::optional<Address>& address, unsigned length);

}  // namespace turnpike::kernel
