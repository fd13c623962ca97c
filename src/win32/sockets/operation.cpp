// How an overlapped call ends: result, event, and one of: the completion routine as a call of the thread that began it,
// or the socket's callback on the thread pool. Each exactly once, because whoever completes an operation has taken it
// from the socket's queue.
#include "win32/sockets/operation.h"

#include <winsock2.h>

namespace turnpike::win32 {
namespace {

void run_routine(const Apc& apc) {
  using Routine = void (*)(std::uint32_t error, std::uint32_t bytes, void* overlapped, std::uint32_t flags);
  reinterpret_cast<Routine>(apc.function)(
      static_cast<std::uint32_t>(apc.arguments[0]), static_cast<std::uint32_t>(apc.arguments[1]),
      reinterpret_cast<void*>(apc.arguments[2]), static_cast<std::uint32_t>(apc.arguments[3]));
}

}  // namespace

std::uint32_t told_flags(const Transfer& transfer) {
  const int flags = transfer.result_flags;
  return static_cast<std::uint32_t>((flags & MSG_OOB) | ((flags & MSG_TRUNC) != 0 ? MSG_PARTIAL : 0));
}

void Operation::complete(std::unique_ptr<Operation> operation) {
  const std::uint32_t error = operation->transfer.error;
  const std::uint32_t bytes = operation->transfer.bytes;
  const std::uint32_t flags = told_flags(operation->transfer);
  OverlappedResult* result = operation->result;
  result->bytes = bytes;
  result->flags = flags;
  result->set_status(error);
  // From here on the client may take its memory back.
  if (operation->event) {
    operation->event->set();
  }
  if (operation->promise) {
    operation->promise->queue(
        {run_routine, operation->routine, {error, bytes, reinterpret_cast<std::uintptr_t>(result), flags}});
  } else if (operation->callback != nullptr) {
    thread_pool().submit(*operation.release(), Where::kWorker);
  }
}

void Operation::run() {
  const std::unique_ptr<Operation> self(this);
  callback(transfer.error, transfer.bytes, result);
}

}  // namespace turnpike::win32
