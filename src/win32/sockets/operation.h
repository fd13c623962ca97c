// An overlapped call on a socket: a transfer, and whom to tell when it is done.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "win32/threads/thread.h"
#include "win32/threads/thread_pool.h"
#include "win32/waits/event.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {

// MSG_MCAST and MSG_BCAST.
inline constexpr std::uint32_t kToGroup = 0x800, kToAll = 0x400;

// One receiving or sending of data: what is asked, how far it has come, and what came of it.
struct Transfer {
  bool receives = false;
  bool whole = false;  // a stream's: done when all buffers are full, or sent
  int flags = 0;
  std::span<iovec> buffers;  // shortened as it goes on
  sockaddr* name = nullptr;  // whence it came, or where it is to go
  std::int32_t* name_length = nullptr;
  void* control = nullptr;
  std::uint32_t* control_length = nullptr;
  std::uint32_t* message_flags = nullptr;  // of a message that is received

  std::uint32_t bytes = 0;
  std::uint32_t error = 0;  // a message that was cut short has bytes and WSAEMSGSIZE
  int result_flags = 0;     // as recvmsg tells them
};

// The flags that a receive tells its client: what Linux calls truncated is part of a message.
std::uint32_t told_flags(const Transfer& transfer);

// OVERLAPPED, as this room sees it: the client's memory, until the result is in it.
struct OverlappedResult {
  std::uintptr_t status;  // kPending, then an error or 0
  std::uintptr_t bytes;
  std::uint32_t flags;
  std::uint32_t unused;
  RawHandle event;

  static constexpr std::uintptr_t kPending = 0x103;
  void set_status(std::uintptr_t now) { __atomic_store_n(&status, now, __ATOMIC_RELEASE); }
  bool is_pending() const { return __atomic_load_n(&status, __ATOMIC_ACQUIRE) == kPending; }
};

// With the error, the bytes, and the client's OVERLAPPED.
using CompletionCallback = void (*)(std::uint32_t error, std::uint32_t bytes, void* overlapped);

// It is a task of the thread pool too, so that completing it wants no memory: whatever that takes is had when it
// begins.
struct Operation final : Task {
  Transfer transfer;
  std::vector<iovec> buffers;
  sockaddr_storage to{};  // a copy: the client's may go when the call returns
  std::int32_t to_length = 0;
  std::vector<std::byte> control;  // likewise
  std::uint32_t control_length = 0;

  OverlappedResult* result = nullptr;
  Ref<Event> event;
  Ref<Thread> thread;                     // who began it
  void* routine = nullptr;                // the client's completion routine, for that thread
  std::optional<PromisedApc> promise;     // that it will be called
  CompletionCallback callback = nullptr;  // or one for the thread pool

  // Puts the result where the client looks for it and tells who wants to know. Not under a lock of the pool's.
  static void complete(std::unique_ptr<Operation> operation);

  void run() override;  // the callback, on the pool
};

}  // namespace turnpike::win32
