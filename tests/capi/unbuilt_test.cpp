// What is declared and not built yet answers as src/capi/unbuilt says, to arguments that are all zero. The table is
// written by tools/unbuilt.py.
#include <errhandlingapi.h>
#include <fltdefs.h>
#include <gtest/gtest.h>
#include <mgm.h>
#include <mprapi.h>
#include <ndis.h>
#include <rtm.h>
#include <rtmv2.h>

namespace {

template <class Result, class... Arguments, class Answer>
bool answers(Result(WINAPI* function)(Arguments...), Answer answer) {
  return function(Arguments{}...) == static_cast<Result>(answer);
}
template <class... Arguments>
bool answers(void(WINAPI* function)(Arguments...)) {
  function(Arguments{}...);
  return true;
}

struct Unbuilt {
  const char* name;
  bool (*as_documented)();
  DWORD last_error;
};

const Unbuilt kUnbuilt[] = {
#include "unbuilt_expected.inc"
};

TEST(Unbuilt, EachFunctionSaysSo) {
  for (const Unbuilt& function : kUnbuilt) {
    SetLastError(ERROR_SUCCESS);
    EXPECT_TRUE(function.as_documented()) << function.name;
    EXPECT_EQ(GetLastError(), function.last_error) << function.name;
  }
}

}  // namespace
