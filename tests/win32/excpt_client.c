// Structured exception handling as clients use it: what cleans up does clean up. Each returns the line that does not
// hold.
#include <windows.h>

#define CHECK(condition) \
  if (!(condition)) return __LINE__

int leave_goes_to_the_end(void);
int leave_goes_to_the_end(void) {
  int steps = 0;
  __try {
    for (;;) {
      switch (++steps) {
        case 3:
          __leave;
        default:
          break;
      }
    }
  } __finally {
    steps += 10;
  }
  CHECK(steps == 13);
  CHECK(AbnormalTermination() == 0);
  return 0;
}

int blocks_nest(void);
int blocks_nest(void) {
  int inner = 0, outer = 0;
  __try {
    __try {
      inner = 1;
      __leave;
    } __finally {
      inner += 1;
    }
    outer = inner;
    __leave;
  } __finally {
    outer += 10;
  }
  CHECK(inner == 2);
  CHECK(outer == 12);
  return 0;
}

static int judge(DWORD code, LPEXCEPTION_POINTERS about) {
  return code == EXCEPTION_ACCESS_VIOLATION && about->ExceptionRecord->NumberParameters != 0
             ? EXCEPTION_EXECUTE_HANDLER
             : EXCEPTION_CONTINUE_SEARCH;
}

int a_handler_is_not_asked(void);
int a_handler_is_not_asked(void) {
  int asked = 0, handled = 0, done = 0;
  __try {
    done = 1;
  } __except (++asked ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH) {
    handled = 1;
    done = (int)GetExceptionCode();
  }
  CHECK(asked == 0);
  CHECK(handled == 0);
  CHECK(done == 1);
  __try {
    done = 2;
  } __except (judge(GetExceptionCode(), GetExceptionInformation())) {
    done = 3;
  }
  CHECK(done == 2);
  return 0;
}
