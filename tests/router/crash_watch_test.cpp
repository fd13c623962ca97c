// A module that takes the process down is named on standard error and in the record.
#include "router/crash_watch.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "router_scene.h"

namespace turnpike::router::test {
namespace {

class CrashWatchTest : public RouterTest {
 protected:
  // A child that is to die runs the whole test again until it does: it finds the record's name where its parent left
  // it.
  CrashWatchTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    setenv("CRASH_RECORD", (testing::TempDir() + "crash_watch." + std::to_string(getpid())).c_str(), 0);
    record_ = getenv("CRASH_RECORD");
  }
  ~CrashWatchTest() override { unlink(record_.c_str()); }

  // In the child that is to die: a router whose module does that when it is started.
  void die_of(const std::function<void()>& crash) {
    (void)CrashWatch::install(record_);
    a_.at_call = [&](const std::string& function) {
      if (function == "StartProtocol") crash();
    };
    (void)router_->start(plan_of_one());
  }
  [[nodiscard]] bool is_recorded() const {
    std::ifstream file(record_);
    for (std::string line; std::getline(file, line);) {
      if (line.ends_with(std::string(" ") + SCRIPTED_MODULE)) return true;
    }
    return false;
  }

  std::string record_;
};

const std::string kNamed = std::string("in module a \\(.*scripted_module\\.so\\)");

TEST_F(CrashWatchTest, NamesTheModuleOfABadAccess) {
  EXPECT_EXIT(die_of([] { *reinterpret_cast<volatile int*>(16) = 1; }), testing::KilledBySignal(SIGSEGV),
              "signal 11 " + kNamed);
}

TEST_F(CrashWatchTest, NamesTheModuleOfAnAbort) {
  EXPECT_EXIT(die_of([] { std::abort(); }), testing::KilledBySignal(SIGABRT), "signal 6 " + kNamed);
}

TEST_F(CrashWatchTest, NamesNobodyWhereItWasNoModule) {
  EXPECT_EXIT(
      {
        (void)CrashWatch::install(record_);
        (void)router_->start(plan_of_one());
        std::thread([] { std::abort(); }).join();
      },
      testing::KilledBySignal(SIGABRT), "^$");
}

TEST_F(CrashWatchTest, WritesTheRecordThatTheQuarantineReads) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EXIT(die_of([] { std::abort(); }), testing::KilledBySignal(SIGABRT), "");
  }
  EXPECT_TRUE(is_recorded());
  EXPECT_TRUE(Quarantine(record_, system_clock()).objection(SCRIPTED_MODULE));
}

TEST_F(CrashWatchTest, NeedsItsRecord) {
  EXPECT_EQ(CrashWatch::install("/nowhere/at/all").error().kind, ErrorKind::kKernel);
}

}  // namespace
}  // namespace turnpike::router::test
