// What a handle stands for: an object with a kind, counted references and perhaps a name.
//
// References are counted inside the object (Ref below) and not by a shared_ptr, because an object is truly shared, by
// all its handles, by the threads that wait on it, by the timer or the pool that will call it, and because the waits'
// hot path wants one counter and one pointer.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

namespace turnpike::win32 {

enum class Kind : std::uint8_t {
  kEvent = 1,
  kSemaphore,
  kMutex,
  kThread,
  kWaitableTimer,
  kRegisteredWait,
  kTimerQueue,
  kQueueTimer,
  kHeap,
  kModule,
  kSocket,
  kLogSource,
};

// Kinds whose handles WaitForSingleObject, CloseHandle and DuplicateHandle take; the others have closing functions of
// their own, and a wait on them makes no sense.
constexpr bool is_waitable(Kind kind) { return kind <= Kind::kWaitableTimer; }

class Object;
void forget_name(Object& object);  // names.h

class Object {
 public:
  explicit Object(Kind kind) : kind_(kind) {}
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Kind kind() const { return kind_; }

  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }

  // For whoever knows the object by a pointer that is no reference: false where it is being destroyed already.
  bool add_reference_if_alive() {
    std::uint32_t count = references_.load(std::memory_order_relaxed);
    while (count != 0) {
      if (references_.compare_exchange_weak(count, count + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;  // allow naked-delete: the last reference goes here, and nobody else owns it
    }
  }

  // How many handles are open: none means that a name is free again, though references may go on.
  std::uint32_t handles() const { return handles_.load(std::memory_order_acquire); }
  void handle_opened() { handles_.fetch_add(1, std::memory_order_relaxed); }
  void handle_closed() {
    if (handles_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      forget_name(*this);
    }
  }

  // The name's text in the map of names, whose lock guards it; null: none.
  const std::string* name() const { return name_; }
  void set_name(const std::string* name) { name_ = name; }

 protected:
  virtual ~Object() = default;

 private:
  std::atomic<std::uint32_t> references_{1};
  std::atomic<std::uint32_t> handles_{0};
  const Kind kind_;
  const std::string* name_ = nullptr;
};

// A reference to an object: what keeps it alive.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {  // counts one more reference
    if (object_ != nullptr) {
      object_->add_reference();
    }
  }
  static Ref adopt(T* object) {  // takes over a reference that is counted already
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
  Ref(const Ref<U>& other) : Ref(other.get()) {}
  template <class U>
  Ref(Ref<U>&& other) noexcept : object_(other.detach()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) {
      object_->release();
    }
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  T* detach() { return std::exchange(object_, nullptr); }  // the caller owes the release

 private:
  T* object_ = nullptr;
};

template <class T, class... Arguments>
Ref<T> make_object(Arguments&&... arguments) {
  return Ref<T>::adopt(new T(std::forward<Arguments>(arguments)...));
}

}  // namespace turnpike::win32
