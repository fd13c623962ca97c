// Spin locks and read-write locks of ndis.h. Both raise the level of the thread, and put it back.
#include <ndis.h>

#include <atomic>
#include <cstdint>

namespace {

// A word of the driver's memory: how many read, whether somebody writes, whether somebody wants to. Who wants to write
// stops new readers, so that he comes to it. Zeros are a free lock.
class ReadWriteWord {
 public:
  static ReadWriteWord& of(PNDIS_RW_LOCK lock) { return *reinterpret_cast<ReadWriteWord*>(lock); }

  void lock_read() {
    for (;;) {
      std::uint32_t state = state_.load(std::memory_order_relaxed);
      if ((state & (kWriter | kWanted)) != 0) {
        state_.wait(state, std::memory_order_relaxed);
      } else if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire)) {
        return;
      }
    }
  }
  void lock_write() {
    for (;;) {
      std::uint32_t state = state_.load(std::memory_order_relaxed);
      if ((state & ~kWanted) == 0) {
        if (state_.compare_exchange_weak(state, kWriter, std::memory_order_acquire)) {
          return;
        }
      } else if ((state & kWanted) != 0 || state_.compare_exchange_weak(state, state | kWanted)) {
        state_.wait(state | kWanted, std::memory_order_relaxed);
      }
    }
  }
  void unlock_read() {
    if ((state_.fetch_sub(1, std::memory_order_release) & ~kWanted) == 1) {
      state_.notify_all();
    }
  }
  void unlock_write() {
    state_.store(0, std::memory_order_release);  // others that want to write say so again
    state_.notify_all();
  }

 private:
  static constexpr std::uint32_t kWriter = 0x80000000, kWanted = 0x40000000;
  std::atomic<std::uint32_t> state_{0};
};
static_assert(sizeof(ReadWriteWord) <= sizeof(NDIS_RW_LOCK));

enum State : UCHAR { kNotHeld = 0, kReading = 1, kWriting = 2 };

void acquire(PNDIS_RW_LOCK lock, bool write) {
  write ? ReadWriteWord::of(lock).lock_write() : ReadWriteWord::of(lock).lock_read();
}
void release(PNDIS_RW_LOCK lock, unsigned state) {
  if (state == kReading) {
    ReadWriteWord::of(lock).unlock_read();
  } else if (state == kWriting) {
    ReadWriteWord::of(lock).unlock_write();
  }
}

}  // namespace

VOID NdisAllocateSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    *SpinLock = {};
  }
}
VOID NdisFreeSpinLock(PNDIS_SPIN_LOCK) {}
VOID NdisAcquireSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    const KIRQL before = KeAcquireSpinLockRaiseToDpc(&SpinLock->SpinLock);
    SpinLock->OldIrql = before;
  }
}
VOID NdisReleaseSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    const KIRQL before = SpinLock->OldIrql;
    KeReleaseSpinLock(&SpinLock->SpinLock, before);
  }
}
VOID NdisDprAcquireSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    KeAcquireSpinLockAtDpcLevel(&SpinLock->SpinLock);
  }
}
VOID NdisDprReleaseSpinLock(PNDIS_SPIN_LOCK SpinLock) {
  if (SpinLock != nullptr) {
    KeReleaseSpinLockFromDpcLevel(&SpinLock->SpinLock);
  }
}

VOID NdisInitializeReadWriteLock(PNDIS_RW_LOCK Lock) {
  if (Lock != nullptr) {
    *Lock = {};
  }
}
VOID NdisAcquireReadWriteLock(PNDIS_RW_LOCK Lock, BOOLEAN fWrite, PLOCK_STATE LockState) {
  if (Lock != nullptr && LockState != nullptr) {
    LockState->OldIrql = KeRaiseIrqlToDpcLevel();
    acquire(Lock, fWrite != FALSE);
    LockState->LockState = fWrite != FALSE ? kWriting : kReading;
  }
}
VOID NdisReleaseReadWriteLock(PNDIS_RW_LOCK Lock, PLOCK_STATE LockState) {
  if (Lock != nullptr && LockState != nullptr && LockState->LockState != kNotHeld) {
    release(Lock, LockState->LockState);
    LockState->LockState = kNotHeld;
    KeLowerIrql(LockState->OldIrql);
  }
}

struct _NDIS_RW_LOCK_EX {
  NDIS_RW_LOCK lock;
};

PNDIS_RW_LOCK_EX NdisAllocateRWLock(NDIS_HANDLE NdisHandle) {
  constexpr ULONG kTag = 0x4B4C5752;  // 'RWLK'
  return NdisHandle != nullptr
             ? static_cast<PNDIS_RW_LOCK_EX>(ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(NDIS_RW_LOCK_EX), kTag))
             : nullptr;
}
VOID NdisFreeRWLock(PNDIS_RW_LOCK_EX Lock) { ExFreePool(Lock); }

namespace {

void acquire(PNDIS_RW_LOCK_EX lock, PLOCK_STATE_EX state, UCHAR flags, bool write) {
  if (lock != nullptr && state != nullptr) {
    state->Flags = flags;
    state->OldIrql = (flags & NDIS_RWL_AT_DISPATCH_LEVEL) != 0 ? KeGetCurrentIrql() : KeRaiseIrqlToDpcLevel();
    acquire(&lock->lock, write);
    state->LockState = write ? kWriting : kReading;
  }
}

}  // namespace

VOID NdisAcquireRWLockRead(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState, UCHAR Flags) {
  acquire(Lock, LockState, Flags, false);
}
VOID NdisAcquireRWLockWrite(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState, UCHAR Flags) {
  acquire(Lock, LockState, Flags, true);
}
VOID NdisReleaseRWLock(PNDIS_RW_LOCK_EX Lock, PLOCK_STATE_EX LockState) {
  if (Lock != nullptr && LockState != nullptr && LockState->LockState != kNotHeld) {
    release(&Lock->lock, LockState->LockState);
    LockState->LockState = kNotHeld;
    KeLowerIrql(LockState->OldIrql);
  }
}
