// Handles for the small things that ndis.h gives a driver: timers, work items, configurations. Each of these services
// has a table of its own, which is never destroyed: drivers free what they have while the process ends.
#pragma once

#include <ndis.h>

#include <memory>

#include "base/handle_table.h"
#include "ndis/pools/misuse.h"
#include "ndis/pools/packets.h"

namespace turnpike::capi {

// At most `capacity` objects of those kinds, made by new: the table deletes what is removed, after its last pin.
template <std::uint32_t capacity, class... Kinds>
class ServiceHandles {
 public:
  // The object under a handle; null: no memory.
  template <class T>
  static NDIS_HANDLE add(std::unique_ptr<T> object) {
    if (object == nullptr || table() == nullptr) {
      return nullptr;
    }
    const auto handle = table()->add(*object, OwnerId::kNobody);
    if (!handle) {
      return nullptr;
    }
    static_cast<void>(object.release());
    return ndis::to_ndis_handle(*handle);
  }

  // Empty: the handle names none of them.
  template <class T>
  static Pin<T> find(NDIS_HANDLE handle) {
    return table() != nullptr ? table()->template pin<T>(ndis::to_handle(handle)) : Pin<T>();
  }

  // As find(), for `function` of the driver: it is told when its handle names none.
  template <class T>
  static Pin<T> pin(NDIS_HANDLE handle, const char* function, const char* otherwise) {
    Pin<T> object = find<T>(handle);
    if (!object) {
      ndis::report_misuse(function, otherwise, handle);
    }
    return object;
  }

  template <class T>
  static void remove(NDIS_HANDLE handle, const char* function, const char* otherwise) {
    if (table() == nullptr || !table()->template remove<T>(ndis::to_handle(handle))) {
      ndis::report_misuse(function, otherwise, handle);
    }
  }

 private:
  static HandleTable* table() {
    static HandleTable* const made = make();
    return made;
  }
  template <class T>
  static void destroy(T& object) {
    const std::unique_ptr<T> gone(&object);
  }
  static HandleTable* make() {
    HandleTableOptions options;
    options.capacity = capacity;
    options.shards = 1;
    auto made = HandleTable::create(options);
    const bool ready = made && (... && (*made)->template register_kind<Kinds>(destroy<Kinds>));
    return ready ? made->release() : nullptr;
  }
};

}  // namespace turnpike::capi
