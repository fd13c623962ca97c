#include "base/epoch.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "handle_table_fixture.h"

namespace turnpike {
namespace {

std::unique_ptr<Epoch> new_epoch(const EpochOptions& options = {}) { return std::move(Epoch::create(options).value()); }

void count(void* object, void*) { ++*static_cast<int*>(object); }

// Every rule holds for all three ways to read: with membarrier, without it, and under the lock of the crowd.
class EpochTest : public testing::TestWithParam<EpochOptions> {
 protected:
  std::unique_ptr<Epoch> epoch_ = new_epoch(GetParam());
  int freed_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Ways, EpochTest,
                         testing::Values(EpochOptions{}, EpochOptions{.use_membarrier = false},
                                         EpochOptions{.max_threads = 0}),
                         [](const auto& test) {
                           return test.param.max_threads == 0 ? "Crowd"
                                  : test.param.use_membarrier ? "Membarrier"
                                                              : "Fence";
                         });

TEST_P(EpochTest, FreesNothingWhileAReaderMaySeeIt) {
  {
    const Epoch::Reader reader(*epoch_);
    epoch_->retire(&freed_, count);
    EXPECT_EQ(epoch_->collect(), 0U);
    EXPECT_EQ(epoch_->waiting(), 1U);
    {
      const Epoch::Reader nested(*epoch_);
    }
    EXPECT_EQ(epoch_->collect(), 0U);
    EXPECT_EQ(freed_, 0);
  }
  EXPECT_EQ(epoch_->collect(), 1U);
  EXPECT_EQ(freed_, 1);
  EXPECT_EQ(epoch_->waiting(), 0U);
  EXPECT_EQ(epoch_->collect(), 0U);
}

TEST_P(EpochTest, CollectsOnlyWhenEnoughAreWaiting) {
  epoch_->retire(&freed_, count);
  EXPECT_EQ(epoch_->collect(2), 0U);
  epoch_->retire(&freed_, count);
  EXPECT_EQ(epoch_->collect(2), 2U);
  EXPECT_EQ(epoch_->collect(0), 0U);
}

TEST_P(EpochTest, SynchronizeRunsWhatWasRetired) {
  epoch_->retire(&freed_, count);
  EXPECT_TRUE(epoch_->synchronize());
  EXPECT_EQ(freed_, 1);
}

TEST_P(EpochTest, SynchronizeRefusesToWaitForItself) {
  const Epoch::Reader reader(*epoch_);
  EXPECT_EQ(kind_of(epoch_->synchronize()), ErrorKind::kBusy);
}

TEST_P(EpochTest, CallbacksRunInOrderAndMayRetireButNotSynchronize) {
  struct World {
    Epoch* epoch;
    std::vector<int> order;
  } world{epoch_.get(), {}};
  const auto second = [](void*, void* context) { static_cast<World*>(context)->order.push_back(2); };
  const auto first = [](void* follower, void* context) {
    World& all = *static_cast<World*>(context);
    all.order.push_back(1);
    EXPECT_EQ(kind_of(all.epoch->synchronize()), ErrorKind::kBusy);
    all.epoch->retire(nullptr, *static_cast<Epoch::Reclaim*>(follower), context);
    EXPECT_EQ(all.epoch->collect(), 0U);
  };
  Epoch::Reclaim follower = second;
  epoch_->retire(&follower, first, &world);
  epoch_->retire(&follower, first, &world);
  EXPECT_TRUE(epoch_->synchronize());
  EXPECT_EQ(world.order, (std::vector<int>{1, 1}));
  epoch_.reset();  // runs the rest
  EXPECT_EQ(world.order, (std::vector<int>{1, 1, 2, 2}));
}

TEST_P(EpochTest, NothingToFreeIsIgnored) {
  epoch_->retire(&freed_, nullptr);
  epoch_->retire(std::unique_ptr<int>());
  EXPECT_EQ(epoch_->waiting(), 0U);
  epoch_->retire(std::make_unique<int>(1));  // the sanitizer would tell of a leak
}

// Its callbacks may still use it, and are refused what they are refused elsewhere.
TEST_P(EpochTest, ItsEndIsACollectionLikeAnyOther) {
  struct World {
    Epoch* epoch;
    int freed;
  } world{epoch_.get(), 0};
  const auto free = [](void*, void* context) { ++static_cast<World*>(context)->freed; };
  epoch_->retire(&world, [](void* object, void*) {
    World& all = *static_cast<World*>(object);
    EXPECT_EQ(kind_of(all.epoch->synchronize()), ErrorKind::kBusy);
    EXPECT_EQ(all.epoch->collect(), 0U);
    EXPECT_EQ(all.freed, 0) << "in the order of retirement";
  });
  for (int i = 0; i < 200; ++i) {
    epoch_->retire(nullptr, free, &world);
  }
  epoch_.reset();
  EXPECT_EQ(world.freed, 200);
}

// Whether `done` holds in a child process.
template <class F>
bool in_a_child(F done) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(done() ? 0 : 1);
  }
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

TEST_P(EpochTest, AChildProcessMayGoOn) {
  EXPECT_TRUE(in_a_child([this] {
    epoch_->retire(&freed_, count);
    return epoch_->synchronize() && freed_ == 1;
  }));
}

// From here on this process gets EPERM for the system call.
bool forbid(int call) {
  std::array<sock_filter, 4> filter{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                     {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(call)},
                                     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                                     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{filter.size(), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// A program that locks itself in after it has started: a leak that is told is better than memory freed under a reader.
TEST(Epoch, FreesNothingOnceTheKernelRefusesTheBarrier) {
  EXPECT_TRUE(in_a_child([] {
    int freed = 0;
    const auto epoch = new_epoch();
    epoch->retire(&freed, count);
    if (!forbid(SYS_membarrier) || epoch->collect() != 0 || freed != 0 || epoch->waiting() != 1) {
      return false;
    }
    const Result<void> refused = epoch->synchronize();
    return !refused && refused.error().kind == ErrorKind::kKernel && refused.error().system_code == EPERM && freed == 0;
  }));
}

TEST(Epoch, AProcessWithoutTheBarrierFromTheBeginningReadsWithFences) {
  EXPECT_TRUE(in_a_child([] {
    int freed = 0;
    if (!forbid(SYS_membarrier)) {
      return false;
    }
    const auto epoch = new_epoch();
    epoch->retire(&freed, count);
    return epoch->synchronize() && freed == 1;
  }));
}

TEST(Epoch, OptionsOutOfRange) {
  EXPECT_EQ(Epoch::create({.max_threads = kMaxThreadIndex + 1}).error().kind, ErrorKind::kInvalidArgument);
}

// How the two are meant to be used together: a look-up that writes nothing shared, and a destroyer that retires.
TEST(Epoch, KeepsAlivePeekedObjectsOfAHandleTable) {
  const auto epoch = new_epoch();
  const auto table = HandleTable::create().value();
  ASSERT_TRUE(table->register_kind<Apple>([&](Apple& apple) { epoch->retire(std::unique_ptr<Apple>(&apple)); }));
  const Handle handle = table->add(*std::make_unique<Apple>(Apple{3}).release(), kAnn).value();
  {
    const Epoch::Reader reader(*epoch);
    const Apple* apple = table->peek<Apple>(handle);
    ASSERT_TRUE(table->remove(handle));
    EXPECT_EQ(epoch->collect(), 0U);
    EXPECT_EQ(apple->weight, 3);
    EXPECT_EQ(table->peek<Apple>(handle), nullptr);
  }
  EXPECT_EQ(epoch->collect(), 1U);
}

}  // namespace
}  // namespace turnpike
