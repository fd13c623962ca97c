#include "win32/threads/service_thread.h"

#include <pthread.h>

#include <memory>
#include <new>

#include "base/signals_blocked.h"

namespace turnpike::win32 {
namespace {

struct Start {
  const char* name;
  void (*body)(void*);
  void* argument;
};

void* run(void* argument) {
  const Start start = *std::unique_ptr<Start>(static_cast<Start*>(argument));
  ::pthread_setname_np(::pthread_self(), start.name);  // here, because a detached thread's number may be void at once
  start.body(start.argument);
  return nullptr;
}

}  // namespace

bool start_service_thread(const char* name, void (*body)(void*), void* argument) {
  std::unique_ptr<Start> start(new (std::nothrow) Start{name, body, argument});
  if (start == nullptr) {
    return false;
  }
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  bool good = false;
  {
    const SignalsBlocked blocked;
    good = ::pthread_create(&thread, &attributes, run, start.get()) == 0;
  }
  ::pthread_attr_destroy(&attributes);
  if (good) {
    static_cast<void>(start.release());  // the thread's now
  }
  return good;
}

}  // namespace turnpike::win32
