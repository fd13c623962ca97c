/* Structured exception handling, in C only (in C++ the standard library owns the word __try), and without exceptions:
 *
 *     __try { ... if (bad) __leave; ... } __finally { clean up }       both blocks run, one after the other
 *     __try { ... } __except (EXCEPTION_EXECUTE_HANDLER) { ... }       the first block runs
 *
 * Nothing raises an exception here: a bad pointer is a signal, and it ends the process as in any Linux program. So the
 * block of an __except never runs and its filter is never asked. __leave goes to the end of the innermost __try block,
 * also from within loops and switches.
 *
 * One thing is other than on Windows: `return`, `break`, `continue` or `goto` out of a __try block do not run its
 * __finally block. Use __leave. */
#ifndef _INC_EXCPT
#define _INC_EXCPT

#include "minwindef.h"

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#ifndef __cplusplus
#pragma GCC system_header /* __label__ is an extension, which -Wpedantic would say in each function that uses __try */

/* __try opens a scope with a label of its own, which shadows that of an outer __try; __finally or __except, one of
 * which must follow, closes it. */
#define __try \
  {           \
    __label__ tp_end_of_try;
#define __leave goto tp_end_of_try
#define TP_END_TRY         \
  tp_end_of_try:           \
  __attribute__((unused)); \
  }
#define __finally TP_END_TRY
#define __except(filter) TP_END_TRY if (0 && (filter))

#define GetExceptionCode() 0u
#define exception_code() 0u
#define GetExceptionInformation() ((struct _EXCEPTION_POINTERS*)0)
#define exception_info() ((struct _EXCEPTION_POINTERS*)0)
#define AbnormalTermination() 0
#define abnormal_termination() 0
#endif

#endif
