// One map from names to objects. An entry is a plain pointer: it leaves the map when the object's last handle is
// closed, which comes before the last reference goes. Opening counts a handle under the map's lock and the last closing
// looks again under it, so of the two one wins and the other knows.
#include "win32/waits/names.h"

#include <winerror.h>

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <new>

#include "win32/last_error.h"
#include "win32/text/utf8.h"

namespace turnpike::win32 {
namespace {

constexpr std::size_t kLongestName = 260;  // MAX_PATH
constexpr std::string_view kLocal = "Local\\";
constexpr std::string_view kGlobal = "Global\\";

struct Names {
  std::recursive_mutex mutex;  // a handle that cannot be opened is counted back under it, which looks at the name again
  std::map<std::string, Object*, std::less<>> objects;
};

// Never destroyed, as handles are not; and without an allocation: who closes a handle comes here, also when memory is
// out.
Names& names() {
  alignas(Names) static std::array<std::byte, sizeof(Names)> place;
  static Names& made = *new (place.data()) Names;  // allow naked-new: nothing is allocated
  return made;
}

}  // namespace

template <class Text>
ObjectName ObjectName::from_text(Text text) {
  try {
    return ObjectName(text());
  } catch (const std::bad_alloc&) {
    return ObjectName(std::uint32_t{ERROR_NOT_ENOUGH_MEMORY});
  }
}

ObjectName ObjectName::from(const char* utf8) {
  return from_text([utf8] { return utf8 != nullptr ? std::string(utf8) : std::string(); });
}

ObjectName ObjectName::from(const wchar_t* wide) {
  return from_text([wide] { return wide != nullptr ? to_utf8(wide) : std::string(); });
}

ObjectName::ObjectName(std::string text) : text_(std::move(text)) {
  if (text_.starts_with(kLocal)) {
    text_.erase(0, kLocal.size());
  }
  const std::size_t scope = text_.starts_with(kGlobal) ? kGlobal.size() : 0;
  if (text_.find('\\', scope) != std::string::npos) {
    error_ = ERROR_PATH_NOT_FOUND;
  } else if (text_.size() > kLongestName) {
    error_ = ERROR_FILENAME_EXCED_RANGE;
  }
}

namespace {

RawHandle handle_to_existing(Object& object, Kind kind, std::uint32_t told) {
  if (object.kind() != kind) {
    return fail_with(ERROR_INVALID_HANDLE, RawHandle{nullptr});
  }
  const RawHandle handle = open_handle(Ref<Object>(&object));
  if (handle != nullptr) {
    set_last_error(told);
  }
  return handle;
}

}  // namespace

namespace {

RawHandle create_unnamed(const std::function<Ref<Object>()>& make) {
  const RawHandle handle = open_handle(make());
  if (handle != nullptr) {
    set_last_error(ERROR_SUCCESS);
  }
  return handle;
}

RawHandle create_or_open(const std::string& name, Kind kind, const std::function<Ref<Object>()>& make) {
  const std::lock_guard guard(names().mutex);
  const auto [entry, is_new] = names().objects.try_emplace(name, nullptr);
  if (!is_new) {
    return handle_to_existing(*entry->second, kind, ERROR_ALREADY_EXISTS);
  }
  struct Attempt {  // takes the name back unless it has come to an object
    std::map<std::string, Object*, std::less<>>::iterator entry;
    ~Attempt() {
      if (entry->second == nullptr) {
        names().objects.erase(entry);
      }
    }
  } const attempt{entry};
  const Ref<Object> object = make();
  const RawHandle handle = open_handle(object);
  if (handle != nullptr) {
    entry->second = object.get();
    object->set_name(&entry->first);
    set_last_error(ERROR_SUCCESS);
  }
  return handle;
}

}  // namespace

RawHandle create_named(const ObjectName& name, Kind kind, const std::function<Ref<Object>()>& make) {
  if (name.error() != 0) {
    return fail_with(name.error(), RawHandle{nullptr});
  }
  return unless_memory_is_out(RawHandle{nullptr}, [&] {
    return name.text().empty() ? create_unnamed(make) : create_or_open(name.text(), kind, make);
  });
}

RawHandle open_named(const ObjectName& name, Kind kind) {
  if (name.error() != 0 || name.text().empty()) {
    return fail_with(name.error() != 0 ? name.error() : ERROR_INVALID_PARAMETER, RawHandle{nullptr});
  }
  const std::lock_guard guard(names().mutex);
  const auto found = names().objects.find(name.text());
  if (found == names().objects.end()) {
    return fail_with(ERROR_FILE_NOT_FOUND, RawHandle{nullptr});
  }
  return handle_to_existing(*found->second, kind, ERROR_SUCCESS);
}

void forget_name(Object& object) {
  const std::lock_guard guard(names().mutex);
  if (object.name() != nullptr && object.handles() == 0) {  // else somebody has opened it by its name just now
    names().objects.erase(*object.name());
    object.set_name(nullptr);
  }
}

}  // namespace turnpike::win32
