// The sinks against real descriptors and a journal of our own.
#include "base/log_sinks.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <string>

namespace turnpike {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr LogRecord kRecord{LogLevel::kWarning, "kernel", "overrun", {}, 0};

// A pipe whose ends close with it.
struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  [[nodiscard]] std::string read_some() const {
    std::array<char, 65536> data{};
    const ssize_t got = ::read(ends[0], data.data(), data.size());
    return {data.data(), static_cast<std::size_t>(got < 0 ? 0 : got)};
  }
  void fill() const {
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    const std::string block(4096, 'x');
    while (::write(ends[1], block.data(), block.size()) > 0) {
    }
    ::fcntl(ends[1], F_SETFL, 0);
  }
  std::array<int, 2> ends{-1, -1};
};

std::unique_ptr<LogSink> json_to(int descriptor) { return std::move(*make_json_sink(descriptor)); }

TEST(JsonSink, WritesLinesToItsOwnCopyOfTheDescriptor) {
  Pipe pipe;
  const auto sink = json_to(pipe.ends[1]);
  pipe.close_end(1);
  EXPECT_TRUE(sink->write(kRecord));
  EXPECT_EQ(pipe.read_some(),
            "{\"time\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"warning\",\"room\":\"kernel\","
            "\"message\":\"overrun\"}\n");
}

TEST(JsonSink, RefusesWhatIsNotOpenForWriting) {
  const Pipe pipe;
  EXPECT_EQ(make_json_sink(-1).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(make_json_sink(1'000'000).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(make_json_sink(pipe.ends[0]).error().kind, ErrorKind::kInvalidHandle);
  const int path = ::open("/", O_PATH | O_CLOEXEC);
  EXPECT_EQ(make_json_sink(path).error().kind, ErrorKind::kInvalidHandle);
  ::close(path);
}

TEST(JsonSink, DoesNotLeakItsDescriptorIntoChildren) {
  const Pipe pipe;
  const int lowest = ::dup(0);
  ::close(lowest);
  const auto sink = json_to(pipe.ends[1]);
  EXPECT_EQ(::fcntl(lowest, F_GETFD), FD_CLOEXEC);
}

TEST(LineSink, DoesNotWaitForAFullPipeAndGoesOnWhenItIsRead) {
  const Pipe pipe;
  const auto sink = json_to(pipe.ends[1]);
  pipe.fill();
  EXPECT_FALSE(sink->write(kRecord));
  EXPECT_FALSE(pipe.read_some().empty());
  EXPECT_TRUE(sink->write(kRecord));
}

TEST(LineSink, ALineThatWasCutShortDoesNotSpoilTheNext) {
  const Pipe pipe;
  const auto sink = json_to(pipe.ends[1]);
  const std::string huge(200'000, 'h');
  EXPECT_FALSE(sink->write({LogLevel::kInfo, "a", huge, {}, 0}));
  std::string taken;
  while (taken.size() < 65536) taken += pipe.read_some();
  EXPECT_TRUE(sink->write(kRecord));
  EXPECT_THAT(pipe.read_some(), StartsWith("\n{\"time\""));
  EXPECT_TRUE(sink->write(kRecord));
  EXPECT_THAT(pipe.read_some(), StartsWith("{\"time\""));
}

TEST(LineSink, AReaderThatDiedRaisesNoSignal) {
  Pipe pipe;
  const auto sink = json_to(pipe.ends[1]);
  pipe.close_end(0);
  EXPECT_FALSE(sink->write(kRecord));
  for (const bool left_something_unread : {false, true}) {  // then poll() tells of an error, else only write() does
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    const auto to_socket = json_to(pair[1]);
    if (left_something_unread) {
      EXPECT_TRUE(to_socket->write(kRecord));
    }
    ::close(pair[0]);
    EXPECT_FALSE(to_socket->write(kRecord));  // SIGPIPE here would end the test
    ::close(pair[1]);
  }
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGPIPE), 0);
}

TEST(LineSink, ASignalThatTheHostKeepsPendingStays) {
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
  ASSERT_EQ(pthread_kill(pthread_self(), SIGPIPE), 0);
  const Pipe pipe;
  EXPECT_TRUE(json_to(pipe.ends[1])->write(kRecord));
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 1);
  int taken = 0;
  sigwait(&pipe_signal, &taken);
  pthread_sigmask(SIG_UNBLOCK, &pipe_signal, nullptr);
}

TEST(StderrSink, FollowsDescriptorTwo) {
  const Pipe pipe;
  const int before = ::dup(STDERR_FILENO);
  const auto sink = std::move(*make_stderr_sink(LogPrefix::kPriority));
  ::dup2(pipe.ends[1], STDERR_FILENO);
  const bool written = sink->write(kRecord);
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  EXPECT_TRUE(written);
  EXPECT_EQ(pipe.read_some(), "<4>kernel: overrun\n");
}

// A journal: a datagram socket in a folder of its own.
class JournalSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<char, 32> name{"/tmp/turnpike-journal-XXXXXX"};
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name.data();
    path_ = folder_ + "/socket";
    listen();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(folder_);
  }

  void listen() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  void stop() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    ::unlink(path_.c_str());
  }

  [[nodiscard]] std::unique_ptr<LogSink> open(std::string_view identifier = "test") const {
    return std::move(*make_journal_sink(identifier, path_.c_str()));
  }

  struct Entry {
    std::string data;
    int file = -1;
  };
  [[nodiscard]] Entry receive() const {
    std::string data(1'000'000, '\0');
    iovec part{data.data(), data.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_, &message, MSG_CMSG_CLOEXEC);
    Entry entry;
    if (size >= 0) entry.data = data.substr(0, static_cast<std::size_t>(size));
    if (const cmsghdr* const header = CMSG_FIRSTHDR(&message); size >= 0 && header != nullptr) {
      std::memcpy(&entry.file, CMSG_DATA(header), sizeof entry.file);
    }
    return entry;
  }

  std::string folder_;
  std::string path_;
  int socket_ = -1;
};

TEST_F(JournalSinkTest, SendsOneDatagramForEachEntry) {
  EXPECT_TRUE(open()->write(kRecord));
  EXPECT_EQ(receive().data, "PRIORITY=4\nMESSAGE=overrun\nSYSLOG_IDENTIFIER=test\nTURNPIKE_ROOM=kernel\n");
}

TEST_F(JournalSinkTest, AnEmptyIdentifierIsTheProgramsName) {
  EXPECT_TRUE(open("")->write(kRecord));
  EXPECT_THAT(receive().data, HasSubstr(std::string("\nSYSLOG_IDENTIFIER=") + program_invocation_short_name + "\n"));
}

TEST_F(JournalSinkTest, ALargeEntryTravelsAsASealedFile) {
  const std::string huge(3'000'000, 'h');
  EXPECT_TRUE(open()->write({LogLevel::kInfo, "kernel", huge, {}, 0}));
  const Entry entry = receive();
  EXPECT_EQ(entry.data, "");
  ASSERT_GE(entry.file, 0);
  EXPECT_EQ(::fcntl(entry.file, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  struct stat found{};
  ASSERT_EQ(::fstat(entry.file, &found), 0);
  std::string content(static_cast<std::size_t>(found.st_size), '\0');
  ASSERT_EQ(::pread(entry.file, content.data(), content.size(), 0), found.st_size);
  EXPECT_THAT(content, StartsWith("PRIORITY=6\nMESSAGE=hhh"));
  EXPECT_THAT(content, EndsWith("hhh\nSYSLOG_IDENTIFIER=test\nTURNPIKE_ROOM=kernel\n"));
  ::close(entry.file);
}

TEST_F(JournalSinkTest, AJournalThatGoesAndComesBackIsFoundAgain) {
  Log log;
  ASSERT_TRUE(log.open(open(), LogLevel::kInfo));
  const auto speak = [&log](int n) { TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "line", {"n", n}); };
  speak(1);
  EXPECT_THAT(receive().data, HasSubstr("TURNPIKE_N=1\n"));
  stop();
  speak(2);
  speak(3);
  EXPECT_EQ(log.stats().lost, 2U);
  listen();
  speak(4);
  EXPECT_THAT(receive().data, HasSubstr("TURNPIKE_LOST=2\n"));
  EXPECT_THAT(receive().data, HasSubstr("TURNPIKE_N=4\n"));
}

TEST_F(JournalSinkTest, AFullQueueCostsTheLineAndNoTime) {
  const auto sink = open();
  int taken = 0;
  while (sink->write(kRecord)) ASSERT_LT(++taken, 1'000'000);
  EXPECT_GT(taken, 0);
  static_cast<void>(receive());
  EXPECT_TRUE(sink->write(kRecord));
}

TEST_F(JournalSinkTest, RefusesAPathWhereNoJournalListens) {
  EXPECT_EQ(make_journal_sink("test", nullptr).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(make_journal_sink("test", std::string(200, 'x').c_str()).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(make_journal_sink("test", (folder_ + "/absent").c_str()).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(make_journal_sink("test", folder_.c_str()).error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace turnpike
