#include "pcapng.h"

namespace capture {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a;
constexpr std::uint32_t kInterface = 1;
constexpr std::uint32_t kStatistics = 5;
constexpr std::uint32_t kEnhancedPacket = 6;

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t at = 0; at < size; ++at) out.push_back(static_cast<std::uint8_t>(value >> 8 * at));
}
void put_padded(Bytes& out, std::span<const std::uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
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
    put_padded(out_, value);
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

void put_packet(Bytes& out, std::uint32_t interface, std::uint64_t time, std::span<const std::uint8_t> captured,
                std::uint32_t length, Direction direction) {
  Block block(out, kEnhancedPacket);
  put(out, interface, 4);
  put_time(out, time);
  put(out, captured.size(), 4);
  put(out, length, 4);
  put_padded(out, captured);
  if (direction != Direction::kUnknown) {
    block.option(2, static_cast<std::uint32_t>(direction), 4);
    block.end_of_options();
  }
}

void put_statistics(Bytes& out, std::uint32_t interface, std::uint64_t time, const Statistics& statistics) {
  Block block(out, kStatistics);
  put(out, interface, 4);
  put_time(out, time);
  block.time_option(2, statistics.start);
  block.time_option(3, statistics.end);
  block.option(4, statistics.received, 8);
  block.option(5, statistics.dropped, 8);
  block.end_of_options();
}

}  // namespace capture
