// The checks of macros.inc in C, for macros_test.cpp.
#define CHECK(name)          \
  extern int c_##name(void); \
  int c_##name(void)
#include "macros.inc"
