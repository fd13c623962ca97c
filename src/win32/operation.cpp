// How an overlapped call ends: result, event, and one of: the completion routine as a call of the thread that began it,
// or the socket's callback on the thread pool. Each exactly once, because whoever completes an operation has taken it
// from the socket's queue.
#include "win32/operation.h"

#include <winsock2.h>

#include "win32/thread_pool.h"

namespace turnpike::win32 {
namespace {

struct Completion {
  std::uint32_t error;
  std::uint32_t bytes;
  std::uint32_t flags;
  OverlappedResult* overlapped;
};

void run_routine(const Apc& apc) {
  using Routine = void (*)(std::uint32_t error, std::uint32_t bytes, void* overlapped, std::uint32_t flags);
  reinterpret_cast<Routine>(apc.function)(
      static_cast<std::uint32_t>(apc.arguments[0]), static_cast<std::uint32_t>(apc.arguments[1]),
      reinterpret_cast<void*>(apc.arguments[2]), static_cast<std::uint32_t>(apc.arguments[3]));
}

class CallbackTask final : public Task {
 public:
  CallbackTask(CompletionCallback callback, const Completion& completion)
      : callback_(callback), completion_(completion) {}

  void run() override {
    const std::unique_ptr<CallbackTask> self(this);
    callback_(completion_.error, completion_.bytes, completion_.overlapped);
  }

 private:
  const CompletionCallback callback_;
  const Completion completion_;
};

}  // namespace

std::uint32_t told_flags(const Transfer& transfer) {
  const int flags = transfer.result_flags;
  return static_cast<std::uint32_t>((flags & MSG_OOB) | ((flags & MSG_TRUNC) != 0 ? MSG_PARTIAL : 0));
}

void Operation::complete(std::unique_ptr<Operation> operation) {
  const Completion completion{operation->transfer.error, operation->transfer.bytes, told_flags(operation->transfer),
                              operation->result};
  operation->result->bytes = completion.bytes;
  operation->result->flags = completion.flags;
  operation->result->set_status(completion.error);
  // From here on the client may take its memory back.
  if (operation->event) {
    operation->event->set();
  }
  if (operation->routine != nullptr) {
    operation->thread->queue_apc({run_routine,
                                  operation->routine,
                                  {completion.error, completion.bytes,
                                   reinterpret_cast<std::uintptr_t>(completion.overlapped), completion.flags}});
  } else if (operation->callback != nullptr) {
    thread_pool().submit(*std::make_unique<CallbackTask>(operation->callback, completion).release(), Where::kWorker);
  }
}

}  // namespace turnpike::win32
