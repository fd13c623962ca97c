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
  std::uint64_t received = 0;  // by the driver, from the interface
  std::uint64_t dropped = 0;   // since nobody took them in time
  std::uint64_t start = 0;     // nanoseconds since 1970, like all times here
  std::uint64_t end = 0;
};

enum class Direction : std::uint32_t { kUnknown = 0, kInbound = 1, kOutbound = 2 };

// Each appends one block.
void put_section(Bytes& out, std::string_view application);
void put_interface(Bytes& out, const Interface& interface);
void put_packet(Bytes& out, std::uint32_t interface, std::uint64_t time, std::span<const std::uint8_t> captured,
                std::uint32_t length, Direction direction);
void put_statistics(Bytes& out, std::uint32_t interface, std::uint64_t time, const Statistics& statistics);

}  // namespace capture
