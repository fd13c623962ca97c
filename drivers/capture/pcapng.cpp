#include "pcapng.h"

#include <algorithm>

namespace capture {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t at = 0; at < size; ++at) out.push_back(static_cast<std::uint8_t>(value >> 8 * at));
}
// Blocks, and options within them, begin at multiples of four.
void pad(Bytes& out) {
  while (out.size() % 4 != 0) out.push_back(0);
}

// A block from here on: its length is known, and written twice, when it ends. Blocks begin at multiples of four as all
// before them did.
class Block {
 public:
  Block(Bytes& out, std::uint32_t type) : out_(out), begin_(out.size()) {
    put(out_, type, 4);
    put(out_, 0, 4);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    const std::size_t size = out_.size() - begin_ + 4;
    for (std::size_t at = 0; at < 4; ++at) out_[begin_ + 4 + at] = static_cast<std::uint8_t>(size >> 8 * at);
    put(out_, size, 4);
  }

  void option(std::uint16_t code, std::span<const std::uint8_t> value) {
    if (value.empty() || value.size() > 0xffff) return;
    put(out_, code, 2);
    put(out_, value.size(), 2);
    out_.insert(out_.end(), value.begin(), value.end());
    pad(out_);
  }
  void option(std::uint16_t code, std::string_view text) {
    option(code, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  void option(std::uint16_t code, std::uint64_t value, std::size_t size) {
    Bytes bytes;
    put(bytes, value, size);
    option(code, bytes);
  }
  // Times as options have them: the upper half first.
  void time_option(std::uint16_t code, std::uint64_t time) {
    Bytes bytes;
    put(bytes, time >> 32, 4);
    put(bytes, time, 4);
    option(code, bytes);
  }
  void end_of_options() { put(out_, 0, 4); }

 private:
  Bytes& out_;
  std::size_t begin_;
};

void put_time(Bytes& out, std::uint64_t time) {
  put(out, time >> 32, 4);
  put(out, time, 4);
}

}  // namespace

void put_section(Bytes& out, std::string_view application) {
  Block block(out, kSection);
  put(out, 0x1a2b3c4d, 4);
  put(out, 1, 2);
  put(out, 0, 2);
  put(out, ~std::uint64_t{0}, 8);  // how long it will be nobody knows
  block.option(4, application);
  block.end_of_options();
}

void put_interface(Bytes& out, const Interface& interface) {
  Block block(out, kInterface);
  put(out, interface.link_type, 2);
  put(out, 0, 2);
  put(out, interface.snap_length, 4);
  block.option(2, interface.name);
  block.option(3, interface.description);
  if (interface.bits_per_second != 0) block.option(8, interface.bits_per_second, 8);
  block.option(9, 9, 1);  // times in 10^-9 s
  block.end_of_options();
}

std::size_t captured_of(const Packet& packet, std::size_t snap_length) {
  std::size_t size = 0;
  for (const auto piece : packet.pieces) size += piece.size();
  return std::min(size, snap_length);
}

void put_packet(Bytes& out, const Packet& packet, std::size_t snap_length) {
  Block block(out, kEnhancedPacket);
  std::size_t left = captured_of(packet, snap_length);
  put(out, packet.interface, 4);
  put_time(out, packet.time);
  put(out, left, 4);
  put(out, packet.length, 4);
  for (const auto piece : packet.pieces) {
    const auto part = piece.first(std::min(left, piece.size()));
    out.insert(out.end(), part.begin(), part.end());
    left -= part.size();
  }
  pad(out);
  if (packet.direction != Direction::kUnknown) {
    block.option(2, static_cast<std::uint32_t>(packet.direction), 4);
    block.end_of_options();
  }
}

void put_statistics(Bytes& out, std::uint32_t interface, std::uint64_t time, const Statistics& statistics) {
  Block block(out, kStatistics);
  put(out, interface, 4);
  put_time(out, time);
  block.time_option(2, statistics.start);
  block.time_option(3, statistics.end);
  block.option(4, statistics.received + statistics.interface_dropped, 8);  // "received by the interface": all of them
  block.option(5, statistics.interface_dropped, 8);
  block.option(7, statistics.dropped, 8);
  block.option(8, statistics.received - statistics.dropped, 8);
  block.end_of_options();
}

}  // namespace capture
