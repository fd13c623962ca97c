// Names of events, semaphores, mutexes and waitable timers: one namespace, as documented, and of this process alone.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "win32/waits/handles.h"

namespace turnpike::win32 {

// A client's name: none, usable, or the error that forbids it.
class ObjectName {
 public:
  static ObjectName from(const char* utf8);
  static ObjectName from(const wchar_t* wide);

  std::uint32_t error() const { return error_; }
  const std::string& text() const { return text_; }  // empty: none

 private:
  template <class Text>
  static ObjectName from_text(Text text);
  explicit ObjectName(std::string text);
  explicit ObjectName(std::uint32_t error) : error_(error) {}

  std::string text_;
  std::uint32_t error_ = 0;
};

// A handle to the object of that name and kind, or to a new one that `make` makes. The last error tells which: none, or
// ERROR_ALREADY_EXISTS. Null with ERROR_NOT_ENOUGH_MEMORY, with the name's own error, or with ERROR_INVALID_HANDLE
// where the name is that of an object of another kind.
RawHandle create_named(const ObjectName& name, Kind kind, const std::function<Ref<Object>()>& make);

// Null with ERROR_FILE_NOT_FOUND where nothing has the name.
RawHandle open_named(const ObjectName& name, Kind kind);

// For an object with a name whose last handle was closed: nobody will find it any more.
void forget_name(Object& object);

}  // namespace turnpike::win32
