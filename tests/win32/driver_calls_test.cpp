// turnpike/drivers.h: whoever unmaps a driver hears whether anything still calls it, and what it left behind is ended.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <turnpike/drivers.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include "driver_code.h"

namespace {

constexpr std::uint32_t kStill = 0, kWrong = 87, kRuns = 258;
constexpr std::uint32_t kMinute = 60'000;

LARGE_INTEGER in_an_hour() {
  LARGE_INTEGER due;
  due.QuadPart = -36'000'000'000;
  return due;
}

KTIMER* again = nullptr;
KDPC* again_call = nullptr;
std::atomic<std::uint32_t> heard_inside{0};

class DriverCalls : public testing::Test {
 protected:
  void SetUp() override {
    const std::string program = testing::internal::GetArgvs().front();
    library_ = ::dlopen((program.substr(0, program.rfind('/') + 1) + "win32_driver_code.so").c_str(), RTLD_NOW);
    ASSERT_NE(library_, nullptr) << ::dlerror();
    routine_ = reinterpret_cast<PKDEFERRED_ROUTINE>(::dlsym(library_, "driver_routine"));
    work_ = reinterpret_cast<PWORKER_THREAD_ROUTINE>(::dlsym(library_, "driver_work"));
    timer_ = static_cast<KTIMER*>(::dlsym(library_, "driver_timer"));
    KeInitializeEvent(&visit_.begun, NotificationEvent, FALSE);
    KeInitializeEvent(&visit_.may_go, NotificationEvent, FALSE);
  }
  void TearDown() override { ::dlclose(library_); }

  std::uint32_t release(std::uint32_t patience = kMinute) {
    return TpReleaseDriverCode(reinterpret_cast<const void*>(work_), patience, &cancelled_);
  }
  void await(KEVENT& event) { KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, nullptr); }

  void* library_ = nullptr;
  PKDEFERRED_ROUTINE routine_ = nullptr;
  PWORKER_THREAD_ROUTINE work_ = nullptr;
  KTIMER* timer_ = nullptr;
  Visit visit_{};
  std::uint32_t cancelled_ = 99;
};

VOID NTAPI of_somebody_else(PKDPC, PVOID, PVOID, PVOID) {}

TEST_F(DriverCalls, TimersOfTheCodeAreCancelledAndNoOthers) {
  EXPECT_EQ(release(), kStill);
  EXPECT_EQ(cancelled_, 0U);
  KTIMER once, repeated, through_a_library, foreign;
  KDPC its_call, library_call, foreign_call;
  for (KTIMER* const timer : {&once, &repeated, &through_a_library, &foreign, timer_}) KeInitializeTimer(timer);
  KeInitializeDpc(&its_call, routine_, &visit_);
  KeInitializeDpc(&library_call, of_somebody_else, nullptr);
  library_call.DpcData = reinterpret_cast<PVOID>(work_);
  KeInitializeDpc(&foreign_call, of_somebody_else, nullptr);
  KeSetTimer(&once, in_an_hour(), &its_call);
  KeSetTimerEx(&repeated, in_an_hour(), 1, &its_call);
  KeSetTimer(&through_a_library, in_an_hour(), &library_call);
  KeSetTimer(&foreign, in_an_hour(), &foreign_call);
  KeSetTimer(timer_, in_an_hour(), nullptr);
  EXPECT_EQ(release(), kStill);
  EXPECT_EQ(cancelled_, 4U);
  for (KTIMER* const timer : {&once, &repeated, &through_a_library, timer_}) EXPECT_FALSE(KeCancelTimer(timer));
  EXPECT_TRUE(KeCancelTimer(&foreign));
}

TEST_F(DriverCalls, AWorkItemIsWaitedFor) {
  WORK_QUEUE_ITEM item;
  ExInitializeWorkItem(&item, work_, &visit_);
  ExQueueWorkItem(&item, DelayedWorkQueue);
  EXPECT_EQ(release(1), kRuns) << "queued, or running";
  await(visit_.begun);
  auto released = std::async(std::launch::async, [&] { return release(); });
  KeSetEvent(&visit_.may_go, 0, FALSE);
  EXPECT_EQ(released.get(), kStill);
  EXPECT_EQ(cancelled_, 0U);
}

// A routine that runs while the driver goes sets its timer anew: that is found as well.
TEST_F(DriverCalls, ATimerIsCancelledThatIsSetMeanwhile) {
  KTIMER timer;
  KDPC call;
  KeInitializeTimer(&timer);
  KeInitializeDpc(&call, routine_, &visit_);
  again = &timer;
  again_call = &call;
  visit_.before_it_goes = [](Visit*) { KeSetTimer(again, in_an_hour(), again_call); };
  KeSetTimer(&timer, LARGE_INTEGER{}, &call);
  await(visit_.begun);
  EXPECT_EQ(release(1), kRuns);
  KeSetEvent(&visit_.may_go, 0, FALSE);
  EXPECT_EQ(release(), kStill);
  EXPECT_EQ(cancelled_, 1U);
  EXPECT_FALSE(KeCancelTimer(&timer));
}

TEST_F(DriverCalls, NobodyWaitsForHimself) {
  visit_.before_it_goes = [](Visit*) {
    std::uint32_t cancelled = 0;
    heard_inside = TpReleaseDriverCode(reinterpret_cast<const void*>(again_call->DeferredRoutine), kMinute, &cancelled);
  };
  KDPC names_the_code;
  KeInitializeDpc(&names_the_code, routine_, nullptr);
  again_call = &names_the_code;
  WORK_QUEUE_ITEM item;
  ExInitializeWorkItem(&item, work_, &visit_);
  KeSetEvent(&visit_.may_go, 0, FALSE);
  ExQueueWorkItem(&item, DelayedWorkQueue);
  EXPECT_EQ(release(), kStill);
  EXPECT_EQ(heard_inside, kRuns);
}

TEST_F(DriverCalls, BadInput) {
  const auto on_the_heap = std::make_unique<int>(0);
  for (const void* const nothing : {static_cast<const void*>(nullptr), static_cast<const void*>(on_the_heap.get())}) {
    EXPECT_EQ(TpReleaseDriverCode(nothing, 0, &cancelled_), kWrong);
  }
  EXPECT_EQ(cancelled_, 99U);
  EXPECT_EQ(TpReleaseDriverCode(timer_, 0, nullptr), kWrong);
  EXPECT_EQ(TpQueueDriverCall(nullptr, nullptr, timer_), kWrong);
  const auto run = [](void*) { return std::uint32_t{0}; };
  EXPECT_EQ(TpQueueDriverCall(run, nullptr, nullptr), kWrong);
}

}  // namespace
