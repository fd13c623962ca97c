#include "kernel/adapters/reception_program.h"

#include <linux/if_packet.h>

#include <algorithm>
#include <cstring>

namespace turnpike::kernel {
namespace {

namespace type = ndis::packet_type;

constexpr std::uint32_t kWhole = 0xffffffff;

sock_filter load(std::uint16_t size, std::uint32_t offset) {
  return BPF_STMT(static_cast<std::uint16_t>(BPF_LD | BPF_ABS | size), offset);
}
sock_filter answer(bool take) { return BPF_STMT(BPF_RET | BPF_K, take ? kWhole : 0); }
// Skips `if_not` instructions unless the accumulator is `value`.
sock_filter unless(std::uint32_t value, std::uint8_t if_not) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, if_not);
}
sock_filter skip(std::size_t count) { return BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(count)); }

// Drops what is of none of these types. A jump that depends reaches 255 instructions, so each type has its own.
void ask_type(std::vector<sock_filter>& program, std::span<const std::uint16_t> types) {
  if (types.empty() || types.size() > kMostTypes) return;
  program.push_back(load(BPF_H, 12));
  for (std::size_t left = types.size(); left > 0; --left) {
    program.push_back(unless(types[types.size() - left], 1));
    program.push_back(skip(2 * (left - 1) + 1));
  }
  program.push_back(answer(false));
}

void ask_group(std::vector<sock_filter>& program, std::span<const net::MacAddress> groups) {
  for (const net::MacAddress& group : groups) {
    const auto& bytes = group.bytes();
    const auto word = [&bytes](std::size_t at) { return std::uint32_t{bytes[at]} << 8 | bytes[at + 1]; };
    program.insert(program.end(), {load(BPF_W, 2), unless(word(2) << 16 | word(4), 3), load(BPF_H, 0),
                                   unless(word(0), 1), answer(true)});
  }
  program.push_back(answer(false));
}

}  // namespace

bool wants_frames(const ndis::Reception& wanted) {
  return wanted.everything || wanted.local_sends || (wanted.filter & ~type::kNoLocal) != 0;
}

std::vector<sock_filter> reception_program(const ndis::Reception& wanted) {
  const auto takes = [&wanted](std::uint32_t bits) { return wanted.everything || (wanted.filter & bits) != 0; };
  constexpr std::uint32_t kAll = type::kPromiscuous | type::kAllLocal;
  std::vector<sock_filter> program;
  if (!wanted.everything) ask_type(program, wanted.frame_types);
  program.push_back(load(BPF_W, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)));
  const auto when = [&program](std::uint32_t how, bool take) {
    program.insert(program.end(), {unless(how, 1), answer(take)});
  };
  when(PACKET_HOST, takes(type::kDirected | kAll));
  when(PACKET_BROADCAST, takes(type::kBroadcast | kAll));
  when(PACKET_OTHERHOST, takes(kAll));
  when(PACKET_OUTGOING, wanted.local_sends);
  const bool by_list = !takes(type::kAllMulticast | kAll) && takes(type::kMulticast);
  if (!by_list || wanted.groups.size() > kMostGroups) {
    when(PACKET_MULTICAST, by_list || takes(type::kAllMulticast | kAll));
    program.push_back(answer(false));
  } else {
    program.insert(program.end(), {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_MULTICAST, 1, 0), answer(false)});
    ask_group(program, wanted.groups);
  }
  return program;
}

bool takes(const ndis::Reception& wanted, ndis::Direction how, std::span<const std::byte> frame) {
  constexpr std::uint32_t kAll = type::kPromiscuous | type::kAllLocal;
  const auto wants = [&wanted](std::uint32_t bits) { return wanted.everything || (wanted.filter & bits) != 0; };
  switch (how) {
    case ndis::Direction::kHost:
      return wants(type::kDirected | kAll);
    case ndis::Direction::kBroadcast:
      return wants(type::kBroadcast | kAll);
    case ndis::Direction::kOtherHost:
      return wants(kAll);
    case ndis::Direction::kOutgoing:
      return wanted.local_sends;
    case ndis::Direction::kMulticast:
      break;
  }
  if (wants(type::kAllMulticast | kAll)) return true;
  if (!wants(type::kMulticast) || frame.size() < 6) return false;
  return wanted.groups.size() > kMostGroups || std::ranges::any_of(wanted.groups, [&frame](const auto& group) {
           return std::memcmp(group.bytes().data(), frame.data(), 6) == 0;
         });
}

}  // namespace turnpike::kernel
