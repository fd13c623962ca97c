// How tests are played in processes of their own, and that nothing is left of them. What is played here are the tests
// of pieces.cpp.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "ground/ground.h"

namespace turnpike::ground {
namespace {

namespace fs = std::filesystem;

const std::string kPieces = GROUND_PIECES;

// A piece as a person would run it: an outer test, which plays the inner one.
Words outer(const std::string& piece, const std::string& program = kPieces) {
  return {program, "--gtest_filter=Piece." + piece, "--gtest_output="};
}

Played played(const std::string& piece, milliseconds within = kSoon, const std::vector<std::string>& environment = {}) {
  return Play(kPieces, "Piece." + piece, Privilege::kUserNamespace, environment).await_end(within);
}

// ---------------------------------------------------------------------------------------------------------------------
// What comes back from a played test

class TestOfItsOwn : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = obstacle(Privilege::kUserNamespace); !reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_F(TestOfItsOwn, EachFailureComesBackWithItsPlace) {
  const Played result = played("FailsTwice");
  ASSERT_EQ(result.findings.size(), 2U);
  EXPECT_NE(result.findings[0].file.find("pieces.cpp"), std::string::npos);
  EXPECT_GT(result.findings[0].line, 0);
  EXPECT_NE(result.findings[0].message.find("two lines\nof text"), std::string::npos);
  EXPECT_NE(result.findings[1].message.find("and the end"), std::string::npos);
  EXPECT_FALSE(result.passed());
  EXPECT_FALSE(result.skipped());
}

TEST_F(TestOfItsOwn, AnExceptionIsAFailureThatSaysWhat) {
  const Played result = played("Throws");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_NE(result.findings[0].message.find("Cannot find device \"nothing\""), std::string::npos);
}

TEST_F(TestOfItsOwn, DeathIsAFailure) {
  Played result = played("Aborts");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_NE(result.findings[0].message.find("killed by signal Aborted"), std::string::npos)
      << result.findings[0].message;
  result = played("ExitsQuietly");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_NE(result.findings[0].message.find("ended with 3"), std::string::npos);
}

TEST_F(TestOfItsOwn, ATestThatHangsIsKilled) {
  const Played result = played("Hangs", milliseconds(100));
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_NE(result.findings[0].message.find("not done in time"), std::string::npos);
}

TEST_F(TestOfItsOwn, ASkipComesBackWithItsReason) {
  const Played result = played("Skips");
  ASSERT_TRUE(result.skipped());
  EXPECT_TRUE(result.findings[0].message.starts_with("for a reason")) << result.findings[0].message;
}

TEST_F(TestOfItsOwn, APartThatIsNotInTheTableIsAFailure) {
  const Played result = played("NeedsWhatNoKernelHas");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.skipped());
}

TEST_F(TestOfItsOwn, WhatTheSetUpCouldInstallIsNoReasonToSkip) {
  const Played result = played("NeedsVeth", kSoon, {"PATH=/nowhere"});
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_FALSE(result.skipped());
  EXPECT_NE(result.findings[0].message.find("tools/setup"), std::string::npos) << result.findings[0].message;
}

// ---------------------------------------------------------------------------------------------------------------------
// What is left over

// A pipe whose end tells the pieces to go on.
class Go {
 public:
  Go() : pipe_(make_pipe()) {
    ::fcntl(pipe_.read_end.get(), F_SETFD, 0);
    ::setenv("TURNPIKE_GO", std::to_string(pipe_.read_end.get()).c_str(), 1);
  }
  ~Go() { ::unsetenv("TURNPIKE_GO"); }
  void on() { pipe_.write_end.reset(); }

 private:
  Pipe pipe_;
};

std::set<std::string> named_namespaces() {
  std::set<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/run/netns", none)) names.insert(entry.path());
  return names;
}

// A process on this machine that is in that network namespace, or nothing; those that we may not look into are not
// ours.
fs::path inhabitant(const std::string& space) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code error;
    if (fs::read_symlink(entry.path() / "ns/net", error) == space && !error) return entry.path();
  }
  return {};
}

struct Traces {
  std::string link;
  std::string space;
  Descriptor held;  // the namespace: while it is there, no other on this machine gets its number
};

Traces traces_of(const std::string& written) {
  std::istringstream words(written.substr(written.find("link ")));
  std::string word;
  Traces traces;
  words >> word >> traces.link >> word >> traces.space;
  traces.held = own(::open((inhabitant(traces.space) / "ns/net").c_str(), O_RDONLY | O_CLOEXEC), "a namespace to hold");
  return traces;
}

void expect_nothing_left(Process& process, const Traces& traces, const std::set<std::string>& names_before) {
  EXPECT_TRUE(process.await_silence()) << "a process of the ground is still there";
  // Who ends is silent before he has left his namespace. One who does not end would stay for a quarter of an hour.
  for (const Deadline deadline(kSoon); !inhabitant(traces.space).empty(); std::this_thread::yield())
    ASSERT_GT(deadline.left(), 0) << inhabitant(traces.space) << " is still there";
  EXPECT_EQ(::if_nametoindex(traces.link.c_str()), 0U) << "a link is left in the network of the machine";
  EXPECT_EQ(named_namespaces(), names_before);
}

class Leftovers : public TestOfItsOwn {};

TEST_F(Leftovers, NothingAfterSigkillOfTheTest) {
  const auto names = named_namespaces();
  Go go;
  Process process(outer("Stays"));
  const Traces traces = traces_of(process.await_output("ready\n"));
  EXPECT_EQ(::if_nametoindex(traces.link.c_str()), 0U) << "the ground never touches the network of the machine";
  EXPECT_EQ(named_namespaces(), names);
  process.signal(SIGKILL);
  EXPECT_EQ(process.await_end(), 128 + SIGKILL);
  expect_nothing_left(process, traces, names);
}

TEST_F(Leftovers, NothingAfterATestThatLeftAProcessBehind) {
  const auto names = named_namespaces();
  Go go;
  Process process(outer("Stays"));
  const Traces traces = traces_of(process.await_output("ready\n"));
  go.on();
  EXPECT_EQ(process.await_end(), 0);
  expect_nothing_left(process, traces, names);
}

TEST_F(Leftovers, TwoTestsAtOnceDoNotClash) {
  Go go;
  Process one(outer("Stays"));
  Process other(outer("Stays"));
  const Traces first = traces_of(one.await_output("ready\n"));
  const Traces second = traces_of(other.await_output("ready\n"));
  EXPECT_NE(first.space, second.space);
  go.on();
  EXPECT_EQ(one.await_end(), 0);
  EXPECT_EQ(other.await_end(), 0);
}

// ---------------------------------------------------------------------------------------------------------------------
// Who may

// Nobody runs a copy of this program, from a place that nobody can reach.
TEST_F(TestOfItsOwn, AnOrdinaryUserPlaysToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "wants real root: to become an ordinary user";
  std::string folder = fs::temp_directory_path() / "ground-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string copy = folder + "/copy";
  fs::copy_file(kPieces, copy);
  fs::permissions(folder, fs::perms(0755));
  const auto as_nobody = [&](const std::string& piece) {
    // The suppressions that ./check names lie where nobody may not read.
    Words words{"env", "-u", "TSAN_OPTIONS", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    for (const auto& word : outer(piece, copy)) words.push_back(word);
    return attempt(words);
  };
  const Output played = as_nobody("Stays");
  const Output refused = as_nobody("WantsRoot");
  fs::remove_all(folder);
  EXPECT_EQ(played.status, 0) << played.out << played.err;
  EXPECT_NE(played.out.find("ready"), std::string::npos) << "it was not skipped: " << played.out;
  EXPECT_EQ(refused.status, 0) << refused.out << refused.err;
  EXPECT_NE(refused.out.find("wants real root"), std::string::npos) << refused.out;
}

}  // namespace
}  // namespace turnpike::ground
