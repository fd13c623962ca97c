// Modules that took the router down are kept away, by name, for a while; and calls that do not return have a name.
#include "router/quarantine.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "router_scene.h"

namespace turnpike::router::test {
namespace {

class QuarantineTest : public RouterTest {
 protected:
  QuarantineTest() : record_(testing::TempDir() + "crashes." + std::to_string(getpid())) {
    unlink(record_.c_str());
    quarantine_ = std::make_unique<Quarantine>(record_, clock_);
    make_router();
  }
  ~QuarantineTest() override { unlink(record_.c_str()); }

  void crash(int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(quarantine_->add_crash(SCRIPTED_MODULE));
  }
  bool is_held() { return quarantine_->objection(SCRIPTED_MODULE).has_value(); }

  std::string record_;
};

TEST_F(QuarantineTest, HoldsAModuleThatCrashedThreeTimes) {
  EXPECT_FALSE(is_held());
  crash(2);
  EXPECT_FALSE(is_held());
  crash(1);
  EXPECT_TRUE(is_held());
  EXPECT_FALSE(quarantine_->objection("/another/module.so"));
}

TEST_F(QuarantineTest, ForgetsWhatIsLongAgo) {
  crash(3);
  ASSERT_TRUE(clock_.advance(Quarantine::kWindow + std::chrono::seconds(1)));
  EXPECT_FALSE(is_held());
  crash(2);
  EXPECT_FALSE(is_held());
}

TEST_F(QuarantineTest, ForgivesOneModule) {
  crash(3);
  ASSERT_TRUE(quarantine_->add_crash("/another/module.so"));
  ASSERT_TRUE(quarantine_->forgive(SCRIPTED_MODULE));
  EXPECT_FALSE(is_held());
  std::ifstream file(record_);
  std::string line;
  std::getline(file, line);
  EXPECT_TRUE(line.ends_with(" /another/module.so")) << line;
}

TEST_F(QuarantineTest, GivesAChangedFileAnotherChance) {
  const std::string file = testing::TempDir() + "changed." + std::to_string(getpid());
  std::ofstream(file) << "new";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(quarantine_->add_crash(file));
  EXPECT_TRUE(quarantine_->objection(file));
  std::ofstream(file + ".new") << "newer";
  ASSERT_EQ(std::rename((file + ".new").c_str(), file.c_str()), 0);
  EXPECT_FALSE(quarantine_->objection(file));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(quarantine_->add_crash(file));
  EXPECT_TRUE(quarantine_->objection(file));
  unlink(file.c_str());
  EXPECT_FALSE(quarantine_->objection(file));
}

// Forwards, so that all would be old; backwards, so that they would be in the future.
TEST_F(QuarantineTest, DoesNotLookAtTheWallsClock) {
  crash(3);
  for (const std::chrono::hours off : {std::chrono::hours(24 * 365), -std::chrono::hours(24 * 365)}) {
    clock_.set_wall(TestClock::kStartOfWall + off);
    EXPECT_TRUE(is_held());
  }
  ASSERT_TRUE(clock_.advance(Quarantine::kWindow + std::chrono::seconds(1)));
  EXPECT_FALSE(is_held());
}

// Who reboots begins anew: the other run's seconds are not ours.
TEST_F(QuarantineTest, DoesNotCountAnotherRunsCrashes) {
  crash(3);
  std::string text;
  std::getline(std::ifstream(record_), text, '\0');
  for (std::size_t at = 0; (at = text.find('-', at)) != std::string::npos; ++at) text[at] = '+';
  std::ofstream(record_) << text;
  EXPECT_FALSE(is_held());
}

TEST_F(QuarantineTest, ReadsWhateverIsInTheRecord) {
  std::ofstream(record_) << "not a line\n\n99999999999999999999 x\n-5 y\n12\nhalf a l";
  EXPECT_FALSE(is_held());
  crash(3);
  EXPECT_TRUE(is_held());
}

TEST_F(QuarantineTest, SaysWhenItCannotWrite) {
  Quarantine nowhere("/nowhere/at/all", clock_);
  EXPECT_EQ(nowhere.add_crash("x").error().kind, ErrorKind::kKernel);
  EXPECT_EQ(nowhere.forgive("x").error().kind, ErrorKind::kKernel);
  EXPECT_FALSE(nowhere.objection("x"));
}

TEST_F(QuarantineTest, KeepsTheModuleFromBeingLoaded) {
  crash(3);
  const Outcome outcome = start(plan_of_one());
  EXPECT_TRUE(outcome.done);
  ASSERT_EQ(outcome.refusals.size(), 1U);
  EXPECT_TRUE(outcome.refusals[0].reason.starts_with("is in quarantine")) << outcome.refusals[0].reason;
  EXPECT_EQ(a_.told(), Lines());
  EXPECT_FALSE(is_loaded(SCRIPTED_MODULE));
}

TEST_F(QuarantineTest, NamesACallThatDoesNotReturn) {
  add_link("eth0");
  std::vector<CallWatch::Running> seen;
  std::string innermost;
  a_.at_call = [&](const std::string& function) {
    if (function != "AddInterface") return;
    ASSERT_TRUE(clock_.advance(std::chrono::seconds(7)));
    seen = router_->watch().running(std::chrono::seconds(5));
    EXPECT_TRUE(router_->watch().running(std::chrono::seconds(8)).empty());
    innermost = CallWatch::innermost() == nullptr ? "" : CallWatch::innermost()->function();
  };
  start(plan_of_one());
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].module, "a");
  EXPECT_EQ(seen[0].function, "AddInterface");
  EXPECT_EQ(seen[0].lasts, std::chrono::seconds(7));
  EXPECT_EQ(innermost, "AddInterface");
  EXPECT_TRUE(router_->watch().running({}).empty());
  EXPECT_EQ(CallWatch::innermost(), nullptr);
}

}  // namespace
}  // namespace turnpike::router::test
