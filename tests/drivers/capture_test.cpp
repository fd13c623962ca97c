// The capture driver over adapters in memory, where a frame has been through when its injection returns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <turnpike/ndis.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "capture/driver.h"
#include "capture/output.h"

namespace capture {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr std::uint32_t kPatience = 60'000;

Bytes frame(std::size_t size, std::uint8_t mark, bool tagged = false) {
  Bytes bytes(size, mark);
  std::fill_n(bytes.begin(), 6, std::uint8_t{0xff});
  if (tagged) std::ranges::copy(std::initializer_list<std::uint8_t>{0x81, 0x00, 0xa0, 0x2a}, bytes.begin() + 12);
  return bytes;
}

struct Seen {
  std::uint32_t interface;
  std::size_t captured;
  std::size_t length;
  Bytes bytes;
};

std::size_t number_at(const Bytes& bytes, std::size_t at) {
  return std::size_t{bytes[at]} | std::size_t{bytes[at + 1]} << 8 | std::size_t{bytes[at + 2]} << 16;
}

std::vector<Seen> frames_of(const Bytes& blocks) {
  std::vector<Seen> all;
  for (std::size_t at = 0; at < blocks.size(); at += number_at(blocks, at + 4)) {
    if (blocks[at] != 6) continue;
    const std::size_t captured = number_at(blocks, at + 20);
    const auto begin = blocks.begin() + static_cast<std::ptrdiff_t>(at) + 28;
    all.push_back({static_cast<std::uint32_t>(number_at(blocks, at + 8)), captured, number_at(blocks, at + 24),
                   Bytes(begin, begin + static_cast<std::ptrdiff_t>(captured))});
  }
  return all;
}

class Capture : public testing::Test {
 protected:
  void SetUp() override {
    TP_NDIS_OPTIONS options{sizeof(TP_NDIS_OPTIONS), TP_NDIS_ADAPTERS_MEMORY, 0};
    ASSERT_EQ(TpNdisStart(&options), 0U);
    ASSERT_EQ(TpNdisAdapterCreate("mem0", &index_), 0U);
  }
  void TearDown() override {
    stop();
    TpNdisSetKnob(TP_NDIS_KNOB_PEND, 0);
    TpNdisSetKnob(TP_NDIS_KNOB_LOOKAHEAD, 0);
    EXPECT_EQ(TpNdisStop(), 0U);
  }

  void start(const Spool::Limits& limits, bool promiscuous = true) {
    spool_ = std::make_unique<Spool>(limits);
    configure({spool_.get(), promiscuous, [this] { ++told_; }});
    std::int32_t status = 0;
    ASSERT_EQ(TpNdisStartDriver("capture", reinterpret_cast<void*>(&DriverEntry), &driver_, &status), 0U);
    ASSERT_TRUE(await_binds(kPatience));
  }
  void stop() {
    if (driver_ != 0) EXPECT_EQ(TpNdisUnloadDriver(std::exchange(driver_, 0)), 0U);
  }
  void inject(const Bytes& bytes) { ASSERT_EQ(TpNdisAdapterInject(index_, bytes.data(), bytes.size()), 0U); }
  std::vector<Seen> taken() {
    Batch batch;
    return spool_->take(batch) ? frames_of(batch.blocks) : std::vector<Seen>{};
  }

  std::uint32_t index_ = 0;
  TP_NDIS_DRIVER driver_ = 0;
  std::unique_ptr<Spool> spool_;
  std::atomic<int> told_ = 0;
};

TEST_F(Capture, WritesWholeFramesAndTellsThatTheyAreThere) {
  start({});
  inject(frame(60, 1));
  inject(frame(1514, 2));
  EXPECT_EQ(told_, 2);
  const auto seen = taken();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].bytes, frame(60, 1));
  EXPECT_EQ(seen[1].bytes, frame(1514, 2));
  EXPECT_THAT(taken(), SizeIs(0));
}

TEST_F(Capture, WorksWhereEverythingPendsAndLittleIsShown) {
  TpNdisSetKnob(TP_NDIS_KNOB_PEND, TP_NDIS_PEND_OPEN | TP_NDIS_PEND_CLOSE | TP_NDIS_PEND_REQUEST);
  TpNdisSetKnob(TP_NDIS_KNOB_LOOKAHEAD, 8);
  start({});
  inject(frame(100, 1));
  EXPECT_EQ(taken().at(0).bytes, frame(100, 1));
  EXPECT_THAT(statistics(), SizeIs(1));
}

TEST_F(Capture, CutsWhatIsLongerThanTheSnapLength) {
  start({.snap_length = 33});
  inject(frame(100, 1, true));
  const auto seen = taken().at(0);
  EXPECT_EQ(seen.captured, 33U);
  EXPECT_EQ(seen.length, 100U);
}

TEST_F(Capture, LeavesTheTagOfAVlanWhereItBelongs) {
  start({});
  inject(frame(1518, 1, true));
  inject(frame(64, 2, true));
  const auto seen = taken();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[0].bytes, frame(1518, 1, true));
  EXPECT_EQ(seen[1].bytes, frame(64, 2, true));
}

TEST_F(Capture, CountsWhatDoesNotFit) {
  start({.bytes = 4096});
  for (std::uint8_t number = 0; number < 10; ++number) inject(frame(1000, number));
  stop();
  EXPECT_THAT(taken(), SizeIs(3));
  const Statistics counted = statistics().at(0);
  EXPECT_EQ(counted.received, 10U);
  EXPECT_EQ(counted.dropped, 7U);
  EXPECT_EQ(counted.interface_dropped, 0U);
  EXPECT_LE(counted.start, counted.end);
}

TEST_F(Capture, TakesNoMoreThanWasWanted) {
  start({.frames = 2});
  EXPECT_FALSE(spool_->is_complete());
  for (std::uint8_t number = 0; number < 4; ++number) inject(frame(60, number));
  EXPECT_TRUE(spool_->is_complete());
  EXPECT_THAT(taken(), SizeIs(2));
  EXPECT_EQ(statistics().at(0).received, 2U);
}

TEST_F(Capture, AsksForAllFramesOrForThoseThatComeAnyway) {
  std::uint32_t filter = 0, groups = 0;
  start({}, true);
  ASSERT_EQ(TpNdisAdapterGetReception(index_, &filter, &groups), 0U);
  EXPECT_EQ(filter, 0x20U);
  stop();
  start({}, false);
  ASSERT_EQ(TpNdisAdapterGetReception(index_, &filter, &groups), 0U);
  EXPECT_EQ(filter, 0x8bU);
}

TEST_F(Capture, AnInterfaceThatComesAgainIsAnother) {
  start({});
  inject(frame(60, 1));
  ASSERT_EQ(TpNdisAdapterDelete(index_), 0U);
  ASSERT_EQ(TpNdisAdapterCreate("mem0", &index_), 0U);
  TpNdisQuiesce();
  inject(frame(60, 2));
  EXPECT_THAT(interfaces(), ElementsAre("mem0", "mem0"));
  const auto seen = taken();
  ASSERT_THAT(seen, SizeIs(2));
  EXPECT_EQ(seen[1].interface, 1U);
  EXPECT_EQ(statistics().at(0).received, 1U);
}

TEST_F(Capture, SaysWhatCouldNotBeOpened) {
  ASSERT_EQ(TpNdisAdapterFailOpen(EBUSY), 0U);
  start({});
  const auto refused = refusals();
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].interface, "mem0");
  EXPECT_EQ(refused[0].system_code, EBUSY);
  EXPECT_THAT(interfaces(), SizeIs(0));
}

TEST_F(Capture, OnlyListensToWhatIsOfferedWithoutASpool) {
  configure({});
  std::int32_t status = 0;
  ASSERT_EQ(TpNdisStartDriver("capture", reinterpret_cast<void*>(&DriverEntry), &driver_, &status), 0U);
  ASSERT_TRUE(await_binds(kPatience));
  EXPECT_THAT(offers(), ElementsAre("mem0"));
  EXPECT_THAT(interfaces(), SizeIs(0));
  EXPECT_THAT(refusals(), SizeIs(0));
}

class CaptureOutput : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& each : std::filesystem::directory_iterator(folder_)) all.push_back(each.path().filename());
    std::ranges::sort(all);
    return all;
  }
  static Bytes read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::filesystem::path folder_ = testing::TempDir() + "capture-" + std::to_string(::getpid());
};

Batch batch_of(Spool& spool, int frames) {
  for (int number = 0; number < frames; ++number) {
    const Bytes bytes = frame(1000, static_cast<std::uint8_t>(number));
    const std::array pieces{std::span<const std::uint8_t>(bytes)};
    spool.add({0, 1, pieces, 1000, Direction::kInbound});
  }
  Batch batch;
  spool.take(batch);
  return batch;
}

TEST_F(CaptureOutput, ARingHasTheLastFramesInFilesOfTheirOwn) {
  Spool spool({});
  spool.add_interface({"eth0", "", kEthernet, 0, 0});
  Output output({folder_ / "a.b.pcapng", 4096, 2}, "test", [] { return std::vector<Statistics>(1); });
  ASSERT_EQ(output.open(), 0);
  ASSERT_EQ(output.write(batch_of(spool, 10)), 0);
  ASSERT_EQ(output.close(), 0);
  EXPECT_EQ(output.close(), EBADF);
  EXPECT_THAT(names(), ElementsAre("a.b_00003.pcapng", "a.b_00004.pcapng"));
  const auto last = frames_of(read(folder_ / "a.b_00004.pcapng"));
  ASSERT_THAT(last, SizeIs(1));
  EXPECT_EQ(last[0].bytes, frame(1000, 9));
  EXPECT_THAT(frames_of(read(folder_ / "a.b_00003.pcapng")), SizeIs(3));
}

TEST_F(CaptureOutput, AFrameThatFillsAFileAloneIsWritten) {
  Spool spool({});
  spool.add_interface({"eth0", "", kEthernet, 0, 0});
  Output output({folder_ / "no-ending", 512, 0}, "test", [] { return std::vector<Statistics>(1); });
  ASSERT_EQ(output.open(), 0);
  ASSERT_EQ(output.write(batch_of(spool, 3)), 0);
  ASSERT_EQ(output.close(), 0);
  EXPECT_THAT(names(), ElementsAre("no-ending_00001", "no-ending_00002", "no-ending_00003"));
}

TEST_F(CaptureOutput, ADiskThatIsFullKeepsWhatIsWhole) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{3000, before.rlim_max};
  Spool spool({});
  spool.add_interface({"eth0", "", kEthernet, 0, 0});
  Output output({folder_ / "full.pcapng", 0, 0}, "test", [] { return std::vector<Statistics>(1); });
  ASSERT_EQ(output.open(), 0);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const int error = output.write(batch_of(spool, 10));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(error, EFBIG);
  EXPECT_EQ(output.close(), EFBIG);
  const Bytes written = read(folder_ / "full.pcapng");
  EXPECT_LT(written.size(), 3000U);
  EXPECT_THAT(frames_of(written), SizeIs(2));
  std::size_t at = 0;
  while (at + 8 <= written.size()) at += written[at + 4] | written[at + 5] << 8U;
  EXPECT_EQ(at, written.size());  // nothing begins that does not end
}

TEST_F(CaptureOutput, SaysWhatIsWrong) {
  Output nowhere({folder_ / "x" / "y", 0, 0}, "test", [] { return std::vector<Statistics>(); });
  EXPECT_EQ(nowhere.open(), ENOENT);
  EXPECT_EQ(nowhere.write({}), ENOENT);
  Output full({"/dev/full", 0, 0}, "test", [] { return std::vector<Statistics>(); });
  EXPECT_EQ(full.open(), ENOSPC);
}

}  // namespace
}  // namespace capture
