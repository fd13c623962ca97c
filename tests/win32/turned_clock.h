// Tests that turn the clock: what waits for time waits for advance().
#pragma once

#include "waiting.h"
#include "win32/threads/time_service.h"

namespace turnpike::win32 {

class TurnedClock : public NoHandleLeft {
 protected:
  TurnedClock() { EXPECT_TRUE(use_clock(clock_)); }
  ~TurnedClock() override {
    EXPECT_TRUE(settle());
    EXPECT_TRUE(use_clock(system_clock()));
  }

  // When it returns, everything that became due has run.
  void advance(std::int64_t milliseconds) {
    EXPECT_TRUE(clock_.advance(std::chrono::milliseconds(milliseconds)));
    EXPECT_TRUE(settle());
  }

 private:
  TestClock clock_;
};

}  // namespace turnpike::win32
