// What both faces of NDIS share: numbers and texts that cross, the copies of received frames, the process's engine.
#pragma once

#include <ndis.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <cwctype>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "base/immortal.h"
#include "ndis/engine.h"
#include "runtime/ndis_world.h"

namespace turnpike::capi {

using ndis::Status;

constexpr NDIS_STATUS to(Status status) { return static_cast<NDIS_STATUS>(static_cast<std::uint32_t>(status)); }
constexpr Status status_of(NDIS_STATUS status) { return Status(static_cast<std::uint32_t>(status)); }
inline NDIS_HANDLE to(Handle handle) { return reinterpret_cast<NDIS_HANDLE>(handle); }
inline Handle handle_of(NDIS_HANDLE handle) { return std::bit_cast<Handle>(handle); }

// Counted text, UTF-8 inside. Nothing where the structure contradicts itself.
std::string text_of(const NDIS_STRING* string);
std::string upper(std::string text);

// Counted text for a driver: the structure and what it points to live as long as this does.
class WideText {
 public:
  WideText() = default;
  explicit WideText(const std::string& text) { set(text); }
  WideText(const WideText&) = delete;
  WideText& operator=(const WideText&) = delete;
  void set(const std::string& text);
  PNDIS_STRING get() { return &string_; }
  const std::wstring& text() const { return text_; }

 private:
  std::wstring text_;
  NDIS_STRING string_{};
};

inline void describe(MDL& mdl, const void* memory, std::size_t length) { MmInitializeMdl(&mdl, memory, length); }
// What it describes; nothing where it has no memory, whatever its length says.
inline std::span<std::byte> bytes_of(const MDL& mdl) {
  return {static_cast<std::byte*>(mdl.MappedSystemVa), mdl.MappedSystemVa != nullptr ? mdl.ByteCount : std::size_t{0}};
}

// Zeroes. A call on purpose: where the compiler knows the size it writes `rep stos`, which takes longer to begin than
// the library's function takes for a few hundred bytes.
inline void wipe(void* memory, std::size_t size) noexcept {
  asm("" : "+r"(size));
  std::memset(memory, 0, size);
}

inline constexpr std::size_t kLeastFrame = 60;          // without FCS: shorter ones are padded
inline constexpr std::uint32_t kMostBuffers = 0x10000;  // of a packet or list; more are a ring

// A tag that does not lie in the bytes, as a driver sees it: Info is NDIS_PACKET_8021Q_INFO or that of NDIS 6.
template <class Info>
ndis::VlanTag tag_of(PVOID slot) {
  Info info{};
  info.Value = slot;
  ndis::VlanTag tag;
  if (info.TagHeader.VlanId != 0 || info.TagHeader.UserPriority != 0) {
    tag.protocol = 0x8100;
    tag.tci = static_cast<std::uint16_t>(info.TagHeader.UserPriority << 13 | info.TagHeader.CanonicalFormatId << 12 |
                                         info.TagHeader.VlanId);
  }
  return tag;
}
template <class Info>
PVOID slot_of(const ndis::VlanTag& tag) {
  Info info{};
  if (tag.present()) {
    info.TagHeader.UserPriority = tag.priority() & 7U;
    info.TagHeader.CanonicalFormatId = tag.tci >> 12 & 1U;
    info.TagHeader.VlanId = tag.id() & 0xfffU;
  }
  return info.Value;
}

// The engine of this process, started if it was not. Null: it cannot be, and the log says why.
ndis::Engine* engine();

// A call that may only be made at PASSIVE_LEVEL: above it, a violation in checked mode.
void only_at_passive(const char* function);

// While a driver is called where it must not block: data, requests and status that come from the library's threads.
class AtDispatch {
 public:
  AtDispatch() : before_(KeRaiseIrqlToDpcLevel()) {}
  ~AtDispatch() { KeLowerIrql(before_); }
  AtDispatch(const AtDispatch&) = delete;
  AtDispatch& operator=(const AtDispatch&) = delete;

 private:
  const KIRQL before_;
};

// What drivers do wrong with pools and packets is a violation like any other from now on.
void hear_misuse();

// Of packets and lists, for what checked mode says of them.
void keep_histories(bool on);

// The driver whose DriverEntry runs on this thread; 0: none.
extern thread_local std::uint64_t loading_driver;

// A call on something that exists only once the engine runs.
ndis::Engine* running_engine();

// The binding that a driver of that generation means; empty, and told, where the handle names none.
inline Pin<ndis::Binding> binding_of(ndis::Engine& ndis, NDIS_HANDLE handle, ndis::Generation generation,
                                     const char* function) {
  Pin<ndis::Binding> binding = ndis.pin(handle_of(handle));
  if (!binding || binding->generation() != generation) {
    ndis.violation(function, "the handle names no binding", handle_of(handle));
    return {};
  }
  return binding;
}

// Descriptors that no binding uses at the moment. They are never freed: a driver that returns one once too often, long
// after the binding has gone, hands in something that can be looked at and refused.
template <class Slot>
class SpareSlots {
 public:
  static SpareSlots& instance() {
    static Immortal<SpareSlots> all;
    return all.value;
  }
  std::unique_ptr<Slot> take() {
    std::unique_ptr<Slot> one;
    take(std::span(&one, 1));
    return one;
  }
  void take(std::span<std::unique_ptr<Slot>> into) {
    const std::lock_guard lock(mutex_);
    for (std::unique_ptr<Slot>& slot : into) {
      if (slots_.empty()) {
        slot = std::make_unique<Slot>();
      } else {
        slot = std::move(slots_.back());
        slots_.pop_back();
      }
    }
  }
  void give_back(std::span<std::unique_ptr<Slot>> slots) {
    const std::lock_guard lock(mutex_);
    std::ranges::move(slots, std::back_inserter(slots_));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> slots_;
};

// Descriptors for frames that the driver is shown in the ring. Such a frame ends with the callback; its descriptor
// stays, for the driver that returns it all the same.
template <class Slot, std::size_t kMost = 1>
class Lent {
 public:
  explicit Lent(std::size_t count = kMost) : count_(count) { SpareSlots<Slot>::instance().take(slots()); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { SpareSlots<Slot>::instance().give_back(slots()); }
  Slot& operator[](std::size_t at) { return *slots_[at]; }

 private:
  std::span<std::unique_ptr<Slot>> slots() { return std::span(slots_).first(count_); }

  std::array<std::unique_ptr<Slot>, kMost> slots_;
  const std::size_t count_;
};

// Whether the handle is a binding of the other generation, whose requests have another shape: a violation.
bool is_foreign(ndis::Engine& ndis, Handle binding, ndis::Generation own, const char* function);

// Bounded copies of received frames that a driver may keep, and the descriptors that go with them. Slots are made when
// first needed and used again; below an eighth of the bound none is given, so that there is always something left to
// tell a driver by (contract, F.3).
template <class Slot>
class Copies {
 public:
  static constexpr std::size_t kBound = 1024;

  Copies() = default;
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;
  ~Copies() { SpareSlots<Slot>::instance().give_back(all_); }

  // Fills `slots` from its beginning, as far as there are some; gives how many.
  std::size_t take(std::span<Slot*> slots) {
    const std::lock_guard lock(mutex_);
    std::size_t n = 0;
    while (n < slots.size() && (slots[n] = take_one()) != nullptr) {
      ++n;
    }
    return n;
  }
  void give_back(std::span<Slot* const> slots) {
    const std::lock_guard lock(mutex_);
    free_.insert(free_.end(), slots.begin(), slots.end());
    out_ -= slots.size();
  }
  // The same for slots that say whether they are out: gives how many were, which then stand before the others. Under
  // the lock, so of two who return one at once just one does.
  std::size_t take_back(std::span<Slot*> slots) {
    const std::lock_guard lock(mutex_);
    std::size_t taken = 0;
    for (Slot*& slot : slots) {
      if (slot->with_driver.load(std::memory_order_relaxed)) {
        slot->with_driver.store(false, std::memory_order_relaxed);
        free_.push_back(slot);
        std::swap(slots[taken++], slot);
      }
    }
    out_ -= taken;
    return taken;
  }
  void give_back(Slot* slot) { give_back(std::span(&slot, 1)); }

 private:
  Slot* take_one() {
    if (out_ >= kBound - kBound / 8) {
      return nullptr;
    }
    if (free_.empty()) {
      all_.push_back(SpareSlots<Slot>::instance().take());
      free_.push_back(all_.back().get());
      free_.reserve(all_.size());
    }
    Slot* slot = free_.back();
    free_.pop_back();
    ++out_;
    return slot;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> all_;
  std::vector<Slot*> free_;
  std::size_t out_ = 0;
};

}  // namespace turnpike::capi
