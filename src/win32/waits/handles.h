// HANDLE values of the base shim, on the handle table of base.
//
// A handle owns one reference to its object; DuplicateHandle and the opening of a named object make further handles to
// the same one. Who looks at an object through a handle pins it, which costs two atomic instructions and keeps it alive
// even if the handle is closed meanwhile: so a wait goes on when somebody closes its handle, as it should, and never
// touches freed memory.
#pragma once

#include "base/handle_table.h"
#include "win32/waits/object.h"

namespace turnpike::win32 {

class Waitable;

// What the C face calls HANDLE.
using RawHandle = void*;

inline const RawHandle kCurrentProcess = reinterpret_cast<RawHandle>(std::intptr_t{-1});  // also INVALID_HANDLE_VALUE
inline const RawHandle kCurrentThread = reinterpret_cast<RawHandle>(std::intptr_t{-2});

// An object, pinned through a handle; empty where the handle was bad.
template <class T>
class Held {
 public:
  Held() = default;
  explicit Held(Pin<Object> pin) : pin_(std::move(pin)) {}

  explicit operator bool() const { return static_cast<bool>(pin_); }
  T* get() const { return static_cast<T*>(pin_.get()); }
  T* operator->() const { return get(); }
  T& operator*() const { return *get(); }

 private:
  Pin<Object> pin_;
};

// A new handle that takes the reference over; null, and the reference released, where there is no room for one.
RawHandle open_handle(Ref<Object> object);

// Of that kind only, or of any that can be waited on, or of any at all.
Pin<Object> pin_kind(RawHandle raw, Kind kind);
Held<Waitable> pin_waitable(RawHandle raw);

template <class T>
Held<T> pin(RawHandle raw) {
  return Held<T>(pin_kind(raw, T::kKind));
}

// Closes a handle. False where it is none, is closed already, or is of another kind.
bool close_handle(RawHandle raw, Kind kind);

// A handle that was just opened, and is closed again unless the work that it was opened for succeeds.
class NewHandle {
 public:
  explicit NewHandle(const Ref<Object>& object) : raw_(open_handle(object)), kind_(object->kind()) {}
  NewHandle(const NewHandle&) = delete;
  NewHandle& operator=(const NewHandle&) = delete;
  ~NewHandle() {
    if (raw_ != nullptr) {
      close_handle(raw_, kind_);
    }
  }
  explicit operator bool() const { return raw_ != nullptr; }
  RawHandle raw() const { return raw_; }
  RawHandle keep() { return std::exchange(raw_, nullptr); }

 private:
  RawHandle raw_;
  const Kind kind_;
};

// How many handles are open.
std::uint64_t open_handles();

}  // namespace turnpike::win32
