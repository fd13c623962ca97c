// A client in C, compiled as a Windows program would be and linked with the library.
#include <gtest/gtest.h>

extern "C" {
int client_runs_a_service(void);
int client_uses_a_timer_queue(void);
int client_uses_try(void);
}

namespace {

// Each says 0, or the line of client.c that failed.
TEST(ClientInC, RunsAService) { EXPECT_EQ(client_runs_a_service(), 0); }
TEST(ClientInC, UsesATimerQueue) { EXPECT_EQ(client_uses_a_timer_queue(), 0); }
TEST(ClientInC, UsesTry) { EXPECT_EQ(client_uses_try(), 0); }

}  // namespace
