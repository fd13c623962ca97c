// RTM2-066 … RTM2-079: methods that one client exports and another invokes.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "attempt.h"
#include "rtm_client.h"

namespace turnpike::conformance {
namespace {

/// What a method was called with.
struct Invocation {
  int method;
  RTM_ENTITY_HANDLE caller;
  RTM_ENTITY_HANDLE callee;
  DWORD type;
  std::string input;
  UINT room;
  std::thread::id thread;
};
std::vector<Invocation> invocations;  // one test at a time, and read when the calls are over
std::mutex invocations_lock;
std::function<void()> meanwhile;  // what a method does while it runs

constexpr std::array<UINT, 3> kOutputs = {4, 5, 8};  // bytes that method 0, 1, 2 put out

template <int N>
VOID WINAPI method(RTM_ENTITY_HANDLE caller, RTM_ENTITY_HANDLE callee, RTM_ENTITY_METHOD_INPUT* input,
                   RTM_ENTITY_METHOD_OUTPUT* output) {
  {
    const std::scoped_lock guard(invocations_lock);
    invocations.push_back({N, caller, callee, output->MethodType,
                           std::string(reinterpret_cast<const char*>(input->InputData), input->InputSize),
                           output->OutputSize, std::this_thread::get_id()});
  }
  if (meanwhile) {
    meanwhile();
  }
  if (output->OutputSize >= kOutputs[N]) {
    std::memset(output->OutputData, 'a' + N, kOutputs[N]);
    output->OutputSize = kOutputs[N];
  } else {
    output->OutputSize = 0;
  }
  output->MethodStatus = N == 2 ? DWORD{ERROR_NOT_FOUND} : DWORD{NO_ERROR};
}

const std::vector<RTM_ENTITY_EXPORT_METHOD> kThree = {method<0>, method<1>, method<2>};

/// The call, with an input of text and an output of so many bytes; behind them bytes that nobody may touch.
struct Invoke {
  Invoke(const Client& caller, RTM_ENTITY_HANDLE callee, DWORD methods, std::string_view text = "", UINT room = 256)
      : output(room + 16, 0xA5) {
    std::vector<UCHAR> input(offsetof(RTM_ENTITY_METHOD_INPUT, InputData) + text.size() + 1);
    const UINT length = static_cast<UINT>(text.size());
    std::memcpy(input.data(), &methods, sizeof(methods));
    std::memcpy(input.data() + offsetof(RTM_ENTITY_METHOD_INPUT, InputSize), &length, sizeof(length));
    std::memcpy(input.data() + offsetof(RTM_ENTITY_METHOD_INPUT, InputData), text.data(), text.size());
    size = room;
    answer = RtmInvokeMethod(caller, callee, reinterpret_cast<PRTM_ENTITY_METHOD_INPUT>(input.data()), &size,
                             reinterpret_cast<PRTM_ENTITY_METHOD_OUTPUT>(output.data()));
    EXPECT_TRUE(std::all_of(output.begin() + room, output.end(), [](UCHAR one) { return one == 0xA5; }));
  }
  PRTM_ENTITY_METHOD_OUTPUT at(size_t offset) {
    return reinterpret_cast<PRTM_ENTITY_METHOD_OUTPUT>(output.data() + offset);
  }

  std::vector<UCHAR> output;
  UINT size = 0;
  DWORD answer = 0;
};

class Methods : public RtmTest {
 protected:
  Methods() { invocations.clear(); }
  ~Methods() override { meanwhile = nullptr; }

  Client exporter_{{.methods = kThree}};
  Client invoker_;
};

// clauses: RTM2-066
TEST_F(Methods, HowManyThereAre) {
  UINT count = 0;
  EXPECT_EQ(RtmGetEntityMethods(invoker_, exporter_, &count, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(count, 3U);
  count = 0;
  EXPECT_EQ(RtmGetEntityMethods(invoker_, invoker_, &count, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(count, 0U);
}

// clauses: RTM2-067
TEST_F(Methods, TooLittleRoomForThem) {
  std::array<RTM_ENTITY_EXPORT_METHOD, 3> methods{};
  UINT count = 2;
  EXPECT_EQ(RtmGetEntityMethods(invoker_, exporter_, &count, methods.data()), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(count, 2U);
  EXPECT_EQ(methods[0], kThree[0]);
  EXPECT_EQ(methods[1], kThree[1]);
  EXPECT_EQ(methods[2], nullptr);
}

// clauses: RTM2-068
TEST_F(Methods, TheyComeInTheOrderOfRegistration_choice) {
  std::vector<RTM_ENTITY_EXPORT_METHOD> methods(5);
  UINT count = 5;
  EXPECT_EQ(RtmGetEntityMethods(invoker_, exporter_, &count, methods.data()), DWORD{NO_ERROR});
  EXPECT_EQ(count, 3U);
  methods.resize(3);
  EXPECT_EQ(methods, kThree);
}

// clauses: RTM2-069
TEST_F(Methods, OnesOwn) {
  UINT count = 0;
  EXPECT_EQ(RtmGetEntityMethods(exporter_, exporter_, &count, nullptr), DWORD{NO_ERROR});
  EXPECT_EQ(count, 3U);
  const Invoke own(exporter_, exporter_, 1, "self");
  EXPECT_EQ(own.answer, DWORD{NO_ERROR});
  ASSERT_EQ(invocations.size(), 1U);
  EXPECT_EQ(invocations[0].caller, HANDLE{exporter_});
  EXPECT_EQ(invocations[0].callee, HANDLE{exporter_});
}

// clauses: RTM2-070
TEST_F(Methods, TheCallArrivesWhole) {
  Invoke call(invoker_, exporter_, 1, "ten bytes!");
  EXPECT_EQ(call.answer, DWORD{NO_ERROR});
  ASSERT_EQ(invocations.size(), 1U);
  EXPECT_EQ(invocations[0].method, 0);
  EXPECT_EQ(invocations[0].caller, HANDLE{invoker_});
  EXPECT_EQ(invocations[0].callee, HANDLE{exporter_});
  EXPECT_EQ(invocations[0].input, "ten bytes!");
  EXPECT_EQ(std::string(4, 'a'), std::string(reinterpret_cast<const char*>(call.at(0)->OutputData), 4));
}

// clauses: RTM2-071
TEST_F(Methods, EachBitIsOneMethod_choice) {
  for (int bit = 0; bit < 3; ++bit) {
    invocations.clear();
    const Invoke call(invoker_, exporter_, 1U << bit);
    ASSERT_EQ(invocations.size(), 1U) << bit;
    EXPECT_EQ(invocations[0].method, bit);
    EXPECT_EQ(invocations[0].type, 1U << bit) << "preset by the library";
    EXPECT_EQ(invocations[0].room, 256U - 12U) << "preset by the library";
    EXPECT_EQ(invocations[0].thread, std::this_thread::get_id());
  }
}

// clauses: RTM2-071
TEST_F(Methods, AllOfThemAscendingWithoutTheGaps_choice) {
  const Client gaps({.methods = {method<2>, nullptr, method<0>}});
  const Invoke call(invoker_, gaps, METHOD_TYPE_ALL_METHODS);
  EXPECT_EQ(call.answer, DWORD{NO_ERROR});
  ASSERT_EQ(invocations.size(), 2U);
  EXPECT_EQ(invocations[0].method, 2);
  EXPECT_EQ(invocations[0].type, 1U);
  EXPECT_EQ(invocations[1].method, 0);
  EXPECT_EQ(invocations[1].type, 4U);
}

// clauses: RTM2-072
TEST_F(Methods, RecordsFollowEachOtherAligned_choice) {
  Invoke call(invoker_, exporter_, METHOD_TYPE_ALL_METHODS);
  EXPECT_EQ(call.answer, DWORD{NO_ERROR});
  EXPECT_EQ(call.at(0)->MethodType, 1U);
  EXPECT_EQ(call.at(0)->MethodStatus, DWORD{NO_ERROR});
  EXPECT_EQ(call.at(0)->OutputSize, 4U);
  EXPECT_EQ(call.at(16)->MethodType, 2U);  // 12 + 4
  EXPECT_EQ(call.at(16)->OutputSize, 5U);
  EXPECT_EQ(call.at(36)->MethodType, 4U);  // 16 + 12 + 5, rounded up
  EXPECT_EQ(call.at(36)->MethodStatus, DWORD{ERROR_NOT_FOUND});
  EXPECT_EQ(call.at(36)->OutputSize, 8U);
  EXPECT_EQ(call.size, 56U);  // 36 + 12 + 8
}

// clauses: RTM2-073
TEST_F(Methods, TooLittleRoomForTheNextRecord_choice) {
  Invoke call(invoker_, exporter_, METHOD_TYPE_ALL_METHODS, "", 20);  // the first takes 16
  EXPECT_EQ(call.answer, DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(call.size, 16U);
  EXPECT_EQ(call.at(0)->MethodType, 1U);
  EXPECT_EQ(invocations.size(), 1U);
  const Invoke none(invoker_, exporter_, 1, "", 11);
  EXPECT_EQ(none.answer, DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(none.size, 0U);
  EXPECT_EQ(invocations.size(), 1U);
}

// clauses: RTM2-074
TEST_F(Methods, NothingExportedOfWhatWasAsked_choice) {
  const Invoke call(invoker_, exporter_, 0xF8);
  EXPECT_EQ(call.answer, DWORD{NO_ERROR});
  EXPECT_EQ(call.size, 0U);
  EXPECT_TRUE(invocations.empty());
}

// clauses: RTM2-075
TEST_F(Methods, OfOneWhoLeft) {
  HANDLE handle = nullptr;
  {
    const Client leaver({.methods = kThree});
    handle = leaver;
    EXPECT_EQ(Invoke(invoker_, handle, 1).answer, DWORD{NO_ERROR});
  }
  EXPECT_EQ(Invoke(invoker_, handle, 1).answer, DWORD{ERROR_INVALID_HANDLE});
  EXPECT_EQ(invocations.size(), 1U);
}

// clauses: RTM2-076
TEST_F(Methods, BlockedOnesWait) {
  ASSERT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_BLOCK_METHODS), DWORD{NO_ERROR});
  Signal resuming;
  Attempt call([&] {
    EXPECT_EQ(Invoke(invoker_, exporter_, 1).answer, DWORD{NO_ERROR});
    EXPECT_TRUE(resuming.raised()) << "ran while it was blocked";
  });
  EXPECT_FALSE(call.ends_at_once());
  resuming.raise();
  ASSERT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_RESUME_METHODS), DWORD{NO_ERROR});
  EXPECT_TRUE(call.ends());
  EXPECT_EQ(invocations.size(), 1U);
}

/// Runs `leave` while a method of the exporter is running and expects it to wait for that method.
void expect_waits_for_the_method(const Client& invoker, RTM_ENTITY_HANDLE exporter,
                                 const std::function<void()>& leave) {
  Signal running;
  Signal go_on;
  meanwhile = [&] {
    running.raise();
    EXPECT_TRUE(go_on.wait());
  };
  Attempt call([&] { EXPECT_EQ(Invoke(invoker, exporter, 1).answer, DWORD{NO_ERROR}); });
  ASSERT_TRUE(running.wait());
  Attempt leaving([&] {
    leave();
    EXPECT_TRUE(go_on.raised()) << "did not wait for the method";
  });
  EXPECT_FALSE(leaving.ends_at_once());
  go_on.raise();
  EXPECT_TRUE(leaving.ends());
  EXPECT_TRUE(call.ends());
}

// clauses: RTM2-077
TEST_F(Methods, BlockingWaitsForThoseThatRun_choice) {
  expect_waits_for_the_method(invoker_, exporter_, [&] {
    EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_BLOCK_METHODS), DWORD{NO_ERROR});
  });
  meanwhile = nullptr;
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_RESUME_METHODS), DWORD{NO_ERROR});
}

// clauses: RTM2-077
TEST_F(Methods, BlockingDoesNotNest_choice) {
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_BLOCK_METHODS), DWORD{NO_ERROR});
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_BLOCK_METHODS), DWORD{NO_ERROR});
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_RESUME_METHODS), DWORD{NO_ERROR});
  Attempt call([&] { EXPECT_EQ(Invoke(invoker_, exporter_, 1).answer, DWORD{NO_ERROR}); });
  EXPECT_TRUE(call.ends());
}

// clauses: RTM2-077
TEST_F(Methods, BlockingFromInsideOneDoesNotWaitForItself_choice) {
  meanwhile = [&] { EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_BLOCK_METHODS), DWORD{NO_ERROR}); };
  EXPECT_EQ(Invoke(invoker_, exporter_, 1).answer, DWORD{NO_ERROR});
  meanwhile = nullptr;
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, RTM_RESUME_METHODS), DWORD{NO_ERROR});
}

// clauses: RTM2-078
TEST_F(Methods, LeavingWaitsForThoseThatRun_choice) {
  Client leaver({.methods = kThree});
  const HANDLE handle = leaver;
  expect_waits_for_the_method(invoker_, handle, [&] { leaver.deregister(); });
  meanwhile = nullptr;
  EXPECT_EQ(Invoke(invoker_, handle, 1).answer, DWORD{ERROR_INVALID_HANDLE});
}

// clauses: RTM2-079
TEST_F(Methods, OtherBlockingFlags_choice) {
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, 2), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(RtmBlockMethods(exporter_, nullptr, 0, 0xFFFFFFFF), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(Invoke(invoker_, exporter_, 1).answer, DWORD{NO_ERROR}) << "nothing is blocked";
}

}  // namespace
}  // namespace turnpike::conformance
