// CrashWatch: says which module it was, while the process dies.
//
// A module shares the process, so its crash ends the router. What is left to do is to name it: to whoever reads the
// last line on standard error, and to the record that the quarantine reads at the next start (quarantine.h).
//
// Who it was. The signal comes on the thread that did wrong. First its program counter is looked up among the modules'
// code; then, for a crash in a library that a module called, or in abort(), the words on top of its stack, nearest
// first, which hold the addresses to return to; then what CallWatch knows of the thread. Guesses, in that order, and
// good ones: a crash of the router's own code on its own thread, called by no module, names nobody.
//
// Everything here is done ahead, so that the handler allocates nothing, takes no lock, and trusts no memory: the table
// is fixed, the record is open, and the stack is read by a system call that fails where a load would fault. A module's
// thread that overflows its stack has none left for the handler, and dies without a word. Afterwards the signal does
// what it would have done.
//
// One a process: signal handlers belong to it.
#pragma once

#include <string>

#include "base/result.h"

namespace turnpike::router {

class CrashWatch {
 public:
  // For SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT. `record` is appended to (quarantine.h), or empty for none.
  // kKernel: it cannot be opened. A second call only opens another record.
  static Result<void> install(const std::string& record);

  // The code of the library that has this address belongs to that module, until it is removed. Beyond 64 modules, the
  // others are named by CallWatch alone.
  static void add(const void* address, const std::string& module, const std::string& path);
  static void remove(const void* address);
};

}  // namespace turnpike::router
