// What the tests of bad input share. tools/rules/rule_bad_input sees to it that every function is in one of them.
#pragma once

#include <gtest/gtest.h>
#include <windows.h>

// A call that must answer so, and say why.
#define EXPECT_REFUSED(call, result, error)               \
  do {                                                    \
    SetLastError(0xBAD);                                  \
    EXPECT_EQ(call, result);                              \
    EXPECT_EQ(GetLastError(), static_cast<DWORD>(error)); \
  } while (0)

// A call without a result.
#define EXPECT_NOTHING_DONE(call, error)                  \
  do {                                                    \
    SetLastError(0xBAD);                                  \
    call;                                                 \
    EXPECT_EQ(GetLastError(), static_cast<DWORD>(error)); \
  } while (0)
