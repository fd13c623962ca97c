// What is written is what Wireshark reads.
#include "capture/pcapng.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "ground/process.h"

namespace capture {
namespace {

using testing::HasSubstr;

std::string tshark(const Bytes& file, std::vector<std::string> more) {
  const std::string path = testing::TempDir() + "pcapng-" + std::to_string(::getpid());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  turnpike::ground::Words command{"tshark", "-n", "-r", path};
  command.insert(command.end(), more.begin(), more.end());
  const std::string said = turnpike::ground::run(command, turnpike::ground::milliseconds(60'000));
  std::remove(path.c_str());
  return said;
}

TEST(Pcapng, IsReadByTshark) {
  Bytes file;
  put_section(file, "turnpike-capture 0.1");
  put_interface(file, {"eth0", "the first", kEthernet, 0, 1'000'000'000});
  put_interface(file, {"tun0", "", kRawIp, 96, 0});
  Bytes frame(61, 0);
  frame[12] = 0x88;
  frame[13] = 0xb5;
  constexpr std::uint64_t kTime = 1'767'225'600'123'456'789;
  const std::array whole{std::span<const std::uint8_t>(frame).first(7),
                         std::span<const std::uint8_t>(frame).subspan(7)};
  put_packet(file, {0, kTime, whole, 61, Direction::kInbound}, 1514);
  put_packet(file, {0, kTime + 1, whole, 1514, Direction::kOutbound}, 20);
  const Bytes packet{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
  put_packet(file, {1, kTime + 2, std::array{std::span(packet)}, 20, Direction::kUnknown}, 1514);
  put_statistics(file, 0, kTime + 3, {1000, 17, 5, kTime, kTime + 3});
  EXPECT_EQ(tshark(file, {"-T", "fields", "-e", "frame.interface_name", "-e", "frame.time_epoch", "-e", "frame.len",
                          "-e", "frame.cap_len", "-e", "frame.packet_flags_direction"}),
            "eth0\t1767225600.123456789\t61\t61\t0x00000001\n"
            "eth0\t1767225600.123456790\t1514\t20\t0x00000002\n"
            "tun0\t1767225600.123456791\t20\t20\t\n");
}

TEST(Pcapng, BlocksAreWholeWhateverTheyHold) {
  for (std::size_t size = 0; size < 9; ++size) {
    Bytes file;
    put_interface(file, {std::string(size, 'n'), std::string(70'000, 'd'), kEthernet, 0, 0});
    const Bytes bytes(size, 7);
    const std::size_t before = file.size();
    put_packet(file, {0, 1, std::array{std::span(bytes)}, 9, Direction::kInbound}, 1514);
    EXPECT_LE(file.size() - before, block_size_of(size));
    std::size_t at = 0;
    while (at < file.size()) {
      const auto length = [&file](std::size_t where) {
        return std::size_t{file[where]} | std::size_t{file[where + 1]} << 8 | std::size_t{file[where + 2]} << 16;
      };
      const std::size_t block = length(at + 4);
      ASSERT_EQ(block % 4, 0U);
      ASSERT_EQ(length(at + block - 4), block);
      at += block;
    }
    EXPECT_EQ(at, file.size());
  }
}

}  // namespace
}  // namespace capture
