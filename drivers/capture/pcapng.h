// Pcapng (draft-ietf-opsawg-pcapng): what Wireshark reads, with the counts of what was lost. Blocks as bytes; who
// writes them where is the caller's.
//
// One section, little-endian; interfaces are described when they are met, times are nanoseconds, and each interface's
// statistics stand at the end, or wherever the caller wants them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint16_t kEthernet = 1;  // LINKTYPE_ETHERNET
inline constexpr std::uint16_t kRawIp = 101;   // LINKTYPE_RAW

struct Interface {
  std::string name;
  std::string description;
  std::uint16_t link_type = kEthernet;
  std::uint32_t snap_length = 0;      // 0: whole frames
  std::uint64_t bits_per_second = 0;  // 0: not known
};

struct Statistics {
  std::uint64_t received = 0;           // by the driver, from the interface
  std::uint64_t dropped = 0;            // by us, since they were not written in time
  std::uint64_t interface_dropped = 0;  // before the driver: the interface, or its ring, had no room
  std::uint64_t start = 0;              // nanoseconds since 1970, like all times here
  std::uint64_t end = 0;
};

enum class Direction : std::uint32_t { kUnknown = 0, kInbound = 1, kOutbound = 2 };

struct Packet {
  std::uint32_t interface = 0;  // by the order in which they were described
  std::uint64_t time = 0;
  std::span<const std::span<const std::uint8_t>> pieces;  // of what was captured
  std::uint32_t length = 0;                               // on the wire
  Direction direction = Direction::kUnknown;
};

// How many bytes are written of a packet, and how many its block has at most.
std::size_t captured_of(const Packet& packet, std::size_t snap_length);
constexpr std::size_t block_size_of(std::size_t captured) { return captured + 3 + 44; }

// Each appends one block.
void put_section(Bytes& out, std::string_view application);
void put_interface(Bytes& out, const Interface& interface);
void put_packet(Bytes& out, const Packet& packet, std::size_t snap_length);  // no more than that of it
void put_statistics(Bytes& out, std::uint32_t interface, std::uint64_t time, const Statistics& statistics);

}  // namespace capture
