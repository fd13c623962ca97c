// While one lives, this thread takes no signal. For the moment of making a thread: a thread inherits the mask of its
// maker, and signals are for the program's own threads, not for ours.
#pragma once

#include <pthread.h>

#include <csignal>

namespace turnpike {

class [[nodiscard]] SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace turnpike
