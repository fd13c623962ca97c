// The C face of threads: making them, ending them, what they tell about themselves, calls to each other (APCs).
//
// Threads are detached pthreads; what remains of one when it has ended is its record, which handles keep. ExitThread is
// pthread_exit: it unwinds, so destructors of C++ objects on the stack run, which on Windows they do not; but it must
// not pass a noexcept function, and none of ours that call a client is one.
#include <process.h>
#include <processthreadsapi.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>

#include "win32/last_error.h"
#include "win32/threads/thread.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

// The two forms of a thread's first function differ in names of types alone.
static_assert(sizeof(DWORD) == sizeof(unsigned));

struct Start {
  LPTHREAD_START_ROUTINE function;
  LPVOID parameter;
  Ref<Thread> thread;
};

void* run(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  Thread& thread = *start->thread;
  start->thread.detach()->begin_on_this_thread();
  thread.wait_for_start();
  thread.run_apcs();
  thread.set_exit_code(start->function(start->parameter));
  return nullptr;
}

// A stack of less than the default is not worth making: it is address space, not memory.
bool start_pthread(std::unique_ptr<Start> start, std::size_t stack) {
  pthread_attr_t attributes;
  std::size_t default_stack = 0;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_getstacksize(&attributes, &default_stack);
  pthread_t made{};
  const bool good = (stack <= default_stack || ::pthread_attr_setstacksize(&attributes, stack) == 0) &&
                    ::pthread_create(&made, &attributes, run, start.get()) == 0;
  ::pthread_attr_destroy(&attributes);
  if (good) {
    static_cast<void>(start.release());  // the thread's now
  }
  return good;
}

HANDLE create_thread(std::size_t stack, LPTHREAD_START_ROUTINE function, LPVOID parameter, DWORD flags, DWORD* id) {
  if (function == nullptr || (flags & ~(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION)) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  }
  return unless_memory_is_out(HANDLE{nullptr}, [=]() -> HANDLE {
    const Ref<Thread> thread = Thread::make_unstarted();
    if ((flags & CREATE_SUSPENDED) != 0) {
      thread->suspend_before_start();
    }
    NewHandle handle(thread);
    if (!handle) {
      return nullptr;
    }
    if (!start_pthread(std::make_unique<Start>(Start{function, parameter, thread}), stack)) {
      return fail_with(ERROR_NOT_ENOUGH_MEMORY, HANDLE{nullptr});
    }
    if (id != nullptr) {
      *id = thread->id();
    }
    return handle.keep();
  });
}

[[noreturn]] void exit_thread(DWORD code) {
  Thread::current().set_exit_code(code);
  ::pthread_exit(nullptr);
}

// The thread of a handle, or the calling one for GetCurrentThread's pseudo handle.
class ThreadTarget {
 public:
  explicit ThreadTarget(HANDLE handle)
      : held_(pin<Thread>(handle)), thread_(handle == kCurrentThread ? &Thread::current() : held_.get()) {
    if (thread_ == nullptr) {
      set_last_error(ERROR_INVALID_HANDLE);
    }
  }
  explicit operator bool() const { return thread_ != nullptr; }
  Thread* operator->() const { return thread_; }

 private:
  Held<Thread> held_;
  Thread* thread_;
};

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::Apc;
using turnpike::win32::close_handle;
using turnpike::win32::create_thread;
using turnpike::win32::exit_thread;
using turnpike::win32::fail_with;
using turnpike::win32::kCurrentProcess;
using turnpike::win32::kCurrentThread;
using turnpike::win32::Kind;
using turnpike::win32::last_error;
using turnpike::win32::Thread;
using turnpike::win32::ThreadTarget;
using turnpike::win32::unless_memory_is_out;

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES, SIZE_T dwStackSize, LPTHREAD_START_ROUTINE lpStartAddress,
                           LPVOID lpParameter, DWORD dwCreationFlags, LPDWORD lpThreadId) {
  return create_thread(dwStackSize, lpStartAddress, lpParameter, dwCreationFlags, lpThreadId);
}

VOID WINAPI ExitThread(DWORD dwExitCode) { exit_thread(dwExitCode); }

BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode) {
  const ThreadTarget thread(hThread);
  if (!thread) {
    return FALSE;
  }
  if (lpExitCode == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  *lpExitCode = thread->exit_code();
  return TRUE;
}

DWORD WINAPI ResumeThread(HANDLE hThread) {
  const ThreadTarget thread(hThread);
  return thread ? thread->start() : static_cast<DWORD>(-1);
}

DWORD WINAPI SuspendThread(HANDLE hThread) {
  const ThreadTarget thread(hThread);
  return thread ? fail_with(ERROR_NOT_SUPPORTED, static_cast<DWORD>(-1)) : static_cast<DWORD>(-1);
}

BOOL WINAPI TerminateThread(HANDLE hThread, DWORD) {
  const ThreadTarget thread(hThread);
  return thread ? fail_with(ERROR_NOT_SUPPORTED, FALSE) : FALSE;
}

BOOL WINAPI SetThreadPriority(HANDLE hThread, int nPriority) {
  const ThreadTarget thread(hThread);
  if (!thread) {
    return FALSE;
  }
  const bool extreme = nPriority == THREAD_PRIORITY_IDLE || nPriority == THREAD_PRIORITY_TIME_CRITICAL;
  if (!extreme && (nPriority < THREAD_PRIORITY_LOWEST || nPriority > THREAD_PRIORITY_HIGHEST)) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  thread->priority = nPriority;
  return TRUE;
}

int WINAPI GetThreadPriority(HANDLE hThread) {
  const ThreadTarget thread(hThread);
  return thread ? thread->priority.load() : THREAD_PRIORITY_ERROR_RETURN;
}

HANDLE WINAPI GetCurrentThread(VOID) { return kCurrentThread; }
DWORD WINAPI GetCurrentThreadId(VOID) { return Thread::current().id(); }

DWORD WINAPI GetThreadId(HANDLE Thread) {
  const ThreadTarget thread(Thread);
  return thread ? thread->id() : 0;
}

HANDLE WINAPI GetCurrentProcess(VOID) { return kCurrentProcess; }
DWORD WINAPI GetCurrentProcessId(VOID) { return static_cast<DWORD>(::getpid()); }

BOOL WINAPI SwitchToThread(VOID) { return ::sched_yield() == 0 ? TRUE : FALSE; }

VOID WINAPI ExitProcess(UINT uExitCode) { std::exit(static_cast<int>(uExitCode)); }

DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData) {
  const ThreadTarget thread(hThread);
  if (!thread) {
    return 0;
  }
  if (pfnAPC == nullptr) {
    return fail_with(ERROR_INVALID_PARAMETER, DWORD{0});
  }
  const auto call = [](const Apc& apc) { reinterpret_cast<PAPCFUNC>(apc.function)(apc.arguments[0]); };
  return unless_memory_is_out(DWORD{0}, [&] {
    const bool queued = thread->queue_apc({call, reinterpret_cast<void*>(pfnAPC), {dwData}, nullptr});
    return queued ? DWORD{1} : fail_with(ERROR_GEN_FAILURE, DWORD{0});
  });
}

uintptr_t _beginthreadex(void*, unsigned stack_size, unsigned(__stdcall* start_address)(void*), void* arglist,
                         unsigned initflag, unsigned* thrdaddr) {
  const HANDLE handle = create_thread(stack_size, start_address, arglist, initflag, thrdaddr);
  if (handle == nullptr) {
    errno = last_error() == ERROR_INVALID_PARAMETER ? EINVAL : EAGAIN;
  }
  return reinterpret_cast<uintptr_t>(handle);
}

void _endthreadex(unsigned retval) { exit_thread(retval); }

uintptr_t _beginthread(void(__cdecl* start_address)(void*), unsigned stack_size, void* arglist) {
  struct Call {
    void(__cdecl* function)(void*);
    void* argument;
  };
  const auto run_call = [](LPVOID parameter) -> DWORD {
    const std::unique_ptr<Call> call(static_cast<Call*>(parameter));
    call->function(call->argument);
    return 0;
  };
  std::unique_ptr<Call> call(new (std::nothrow) Call{start_address, arglist});
  const HANDLE handle = start_address != nullptr && call != nullptr
                            ? create_thread(stack_size, run_call, call.get(), 0, nullptr)
                            : HANDLE{nullptr};
  if (handle == nullptr) {
    errno = start_address == nullptr ? EINVAL : EAGAIN;
    return static_cast<uintptr_t>(-1);
  }
  static_cast<void>(call.release());
  close_handle(handle, Kind::kThread);  // as documented: whoever wants to wait for the thread calls _beginthreadex
  return reinterpret_cast<uintptr_t>(handle);
}

void _endthread(void) { exit_thread(0); }
