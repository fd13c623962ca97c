// While one lives, this thread takes no signal. For the moment of making a thread: a thread inherits the mask of its
// maker, and signals are for the program's own threads, not for ours. But for those that a thread raises by what it
// does itself: blocked, they would end the process past its handlers, and nobody would say whose fault it was.
#pragma once

#include <pthread.h>

#include <csignal>
#include <initializer_list>

namespace turnpike {

class [[nodiscard]] SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, own);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace turnpike
