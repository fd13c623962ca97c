// Structured exception handling in C, and RaiseException, which finds nobody.
#include <gtest/gtest.h>
#include <windows.h>

extern "C" {
int leave_goes_to_the_end(void);
int blocks_nest(void);
int a_handler_is_not_asked(void);
}

TEST(Excpt, LeaveGoesToTheEnd) { EXPECT_EQ(leave_goes_to_the_end(), 0) << "the line of excpt_client.c"; }
TEST(Excpt, BlocksNest) { EXPECT_EQ(blocks_nest(), 0) << "the line of excpt_client.c"; }
TEST(Excpt, AHandlerIsNotAsked) { EXPECT_EQ(a_handler_is_not_asked(), 0) << "the line of excpt_client.c"; }

using ExcptDeathTest = testing::Test;
TEST(ExcptDeathTest, RaiseExceptionEndsTheProcess) {
  EXPECT_EXIT(RaiseException(0xE0000001, 0, 0, nullptr), testing::KilledBySignal(SIGABRT), "");
}
