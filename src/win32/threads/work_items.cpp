#include <rtutils.h>
#include <threadpoollegacyapiset.h>

#include <memory>

#include "win32/last_error.h"
#include "win32/threads/thread_pool.h"

namespace turnpike::win32 {
namespace {

constexpr ULONG kKnownFlags = WT_EXECUTEINIOTHREAD | WT_EXECUTELONGFUNCTION | WT_EXECUTEINPERSISTENTIOTHREAD |
                              WT_EXECUTEINPERSISTENTTHREAD | WT_TRANSFER_IMPERSONATION;

template <class Function>
class WorkItem final : public Task {
 public:
  WorkItem(Function function, PVOID context) : function_(function), context_(context) {}

 private:
  void run() override {
    const std::unique_ptr<WorkItem> self(this);
    function_(context_);
  }

  const Function function_;
  const PVOID context_;
};

Where where_by(ULONG flags) {
  if ((flags & (WT_EXECUTEINIOTHREAD | WT_EXECUTEINPERSISTENTIOTHREAD | WT_EXECUTEINPERSISTENTTHREAD)) != 0) {
    return Where::kPersistent;
  }
  return (flags & WT_EXECUTELONGFUNCTION) != 0 ? Where::kLong : Where::kWorker;
}

template <class Function>
BOOL queue(Function function, PVOID context, Where where) {
  return unless_memory_is_out(FALSE, [=] {
    if (!(where == Where::kPersistent ? thread_pool().ensure_persistent_worker() : thread_pool().ensure_worker())) {
      return fail_with(ERROR_NOT_ENOUGH_MEMORY, FALSE);
    }
    thread_pool().submit(*std::make_unique<WorkItem<Function>>(function, context).release(), where);
    return TRUE;
  });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::kKnownFlags;
using turnpike::win32::queue;
using turnpike::win32::Where;
using turnpike::win32::where_by;

BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE Function, PVOID Context, ULONG Flags) {
  if (Function == nullptr || (Flags & 0xFFFF & ~kKnownFlags) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  return queue(Function, Context, where_by(Flags));
}

DWORD WINAPI QueueWorkItem(WORKERFUNCTION functionptr, PVOID context, BOOL serviceinalertablethread) {
  if (functionptr == nullptr) return ERROR_INVALID_PARAMETER;
  const Where where = serviceinalertablethread != FALSE ? Where::kPersistent : Where::kWorker;
  return queue(functionptr, context, where) != FALSE ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}
