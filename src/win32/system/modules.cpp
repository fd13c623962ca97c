// LoadLibrary and its kin on dlopen.
//
// A module has one record however often it is loaded: how often, and one reference of dlopen's, which goes with the
// last FreeLibrary. Its HMODULE is a checked number and stays the same while it is loaded, as clients compare HMODULEs.
// The program, this library, and whatever somebody else had loaded when GetModuleHandle found it, stay for ever.
//
// One lock, taken again by its own thread, is held over everything, DllMain included: that is the documented loader
// lock, and what makes DllMain's "first" and "last" mean something. It is the one place of the shim that calls a client
// under a lock, so a DllMain that waits for another thread's LoadLibrary waits for ever, here as there.
#include <dlfcn.h>
#include <handleapi.h>
#include <libloaderapi.h>
#include <limits.h>
#include <link.h>
#include <processthreadsapi.h>
#include <synchapi.h>
#include <threadpoollegacyapiset.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/log.h"
#include "win32/last_error.h"
#include "win32/system/module_names.h"
#include "win32/text/text.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

using DllMain = BOOL (*)(HINSTANCE, DWORD, LPVOID);

// What a look-up does for the module that it finds.
enum class Keeping : std::uint8_t { kNothing, kCount, kForEver };

struct CloseLibrary {
  void operator()(void* opened) const { dlclose(opened); }
};

// What dlopen gave, and a name for the shared object that does not depend on how often it was opened.
struct SharedObject {
  std::unique_ptr<void, CloseLibrary> opened;
  link_map* map = nullptr;
};

class Module final : public Object {
 public:
  static constexpr Kind kKind = Kind::kModule;

  Module(SharedObject object, std::string file, bool is_this_library)
      : Object(kKind), object_(std::move(object)), file_(std::move(file)), is_this_library_(is_this_library) {}

  [[nodiscard]] const link_map* map() const { return object_.map; }
  [[nodiscard]] const std::string& file() const { return file_; }

  // A function that this module itself exports; null for one that it only needs. Functions of the shim are exported
  // under names of their own.
  [[nodiscard]] void* function(const std::string& name) const {
    void* const shim = is_this_library_ ? own_symbol("tp_" + name) : nullptr;
    return shim != nullptr ? shim : own_symbol(name);
  }

 private:
  ~Module() override = default;  // which closes it: not before the last who looks a function up has let go

  [[nodiscard]] void* own_symbol(const std::string& name) const {
    void* const found = dlsym(object_.opened.get(), name.c_str());
    Dl_info info{};
    void* where = nullptr;
    if (found == nullptr || dladdr1(found, &info, &where, RTLD_DL_LINKMAP) == 0) return nullptr;
    return where == object_.map ? found : nullptr;
  }

  const SharedObject object_;
  const std::string file_;
  const bool is_this_library_;
};

std::string program_file() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  return {path.data(), length < 0 ? 0 : static_cast<std::size_t>(length)};
}

// The file of the shared object that an address lies in.
std::string file_of(const link_map* map) { return map->l_name[0] != 0 ? map->l_name : program_file(); }

link_map* map_of_address(const void* address) {
  Dl_info info{};
  void* where = nullptr;
  return dladdr1(address, &info, &where, RTLD_DL_LINKMAP) != 0 ? static_cast<link_map*>(where) : nullptr;
}

SharedObject open_library(const char* file, int mode) {
  SharedObject object{std::unique_ptr<void, CloseLibrary>(dlopen(file, mode)), nullptr};
  if (object.opened != nullptr) dlinfo(object.opened.get(), RTLD_DI_LINKMAP, static_cast<void*>(&object.map));
  return object;
}

std::string folder_of(const std::string& file) { return file.substr(0, file.rfind('/')); }

// What dlopen's words mean for the caller.
DWORD error_of(const std::string& why, bool exists) {
  if (why.find("undefined symbol") != why.npos) return ERROR_PROC_NOT_FOUND;
  return !exists || why.find("cannot open shared object") != why.npos ? ERROR_MOD_NOT_FOUND : ERROR_BAD_EXE_FORMAT;
}

class Loader {
 public:
  // Never destroyed: modules are used to the end.
  static Loader& instance() {
    static Loader& made = *std::make_unique<Loader>().release();
    return made;
  }

  Loader() : this_library_(map_of_address(reinterpret_cast<const void*>(&file_of))) {}

  HMODULE load(const std::string& name, DWORD flags) {
    const std::lock_guard lock(lock_);
    SharedObject object = open(name, RTLD_NOW | RTLD_LOCAL);
    if (object.opened == nullptr) return nullptr;
    link_map* const map = object.map;
    if (Record* const known = record_of(map)) {
      if (known->leaving) return fail_with(ERROR_DLL_INIT_FAILED, HMODULE{nullptr});  // by its own DllMain
      ++known->loads;
      return known->handle;
    }
    Record* const record = add(std::move(object));
    if (record == nullptr) return nullptr;
    if ((flags & DONT_RESOLVE_DLL_REFERENCES) != 0) record->main = nullptr;
    if (record->main != nullptr && record->main(record->handle, DLL_PROCESS_ATTACH, nullptr) == FALSE) {
      unload(*record, map);
      return fail_with(ERROR_DLL_INIT_FAILED, HMODULE{nullptr});
    }
    ++record->loads;  // not before: a DllMain that frees its own module has nothing to free
    return record->handle;
  }

  bool free(HMODULE handle) {
    const std::lock_guard lock(lock_);
    const Held<Module> module = win32::pin<Module>(handle);
    Record* const record = module ? record_of(module->map()) : nullptr;
    if (record == nullptr || record->leaving) return false;
    if (record->permanent) return true;
    if (record->loads == 0) return false;  // its DllMain is being told that it arrives
    if (--record->loads == 0) unload(*record, module->map());
    return true;
  }

  // The program for no name; null, with the error, where nothing loaded has the name.
  HMODULE find(const std::optional<std::string>& name, Keeping keeping) {
    const std::lock_guard lock(lock_);
    if (!name) return found(open_library(nullptr, RTLD_NOW), keeping);
    return found(open(*name, RTLD_NOW | RTLD_NOLOAD), keeping);
  }

  HMODULE find_by_address(const void* address, Keeping keeping) {
    const std::lock_guard lock(lock_);
    link_map* const map = map_of_address(address);
    if (map == nullptr) return fail_with(ERROR_MOD_NOT_FOUND, HMODULE{nullptr});
    return found(open_library(map->l_name[0] != 0 ? map->l_name : nullptr, RTLD_NOW | RTLD_NOLOAD), keeping);
  }

 private:
  struct Record {
    Ref<Module> module;
    HMODULE handle = nullptr;
    std::uint32_t loads = 0;
    bool permanent = false;
    bool leaving = false;  // its DllMain is being told so
    DllMain main = nullptr;
  };

  // The first of the files that a name may stand for; empty, with the error, where there is none.
  SharedObject open(const std::string& name, int mode) {
    const std::string library = file_of(this_library_);
    const ModuleFiles candidates = files_of(name, folder_of(program_file()), library);
    std::string why = "no such module";
    DWORD error = ERROR_MOD_NOT_FOUND;
    for (const std::string& file : candidates.files) {
      if (SharedObject object = open_library(file.c_str(), mode); object.opened != nullptr) return object;
      const char* const said = dlerror();
      const bool exists = file.find('/') != file.npos && access(file.c_str(), F_OK) == 0;
      if (error == ERROR_MOD_NOT_FOUND && said != nullptr && (exists || why == "no such module")) {
        why = said;
        error = error_of(why, exists);
      }
    }
    if (candidates.this_library) {
      return open_library(this_library_->l_name[0] != 0 ? library.c_str() : nullptr, RTLD_NOW);
    }
    TURNPIKE_LOG(LogLevel::kDebug, "modules", "module not loaded", {"module", name}, {"reason", why});
    return fail_with(error, SharedObject{});
  }

  // The handle of something that is loaded already. What LoadLibrary did not load we keep in memory from now on: nobody
  // would tell us that it goes.
  HMODULE found(SharedObject object, Keeping keeping) {
    if (object.opened == nullptr) return fail_with(ERROR_MOD_NOT_FOUND, HMODULE{nullptr});
    Record* record = record_of(object.map);
    if (record == nullptr) {
      record = add(std::move(object));
      if (record == nullptr) return nullptr;
      record->permanent = true;
    }
    if (keeping == Keeping::kCount) ++record->loads;
    if (keeping == Keeping::kForEver) record->permanent = true;
    return record->handle;
  }

  // Null, and nothing stays open, where there is no room for a handle.
  Record* add(SharedObject object) {
    link_map* const map = object.map;
    const Ref<Module> module = make_object<Module>(std::move(object), file_of(map), map == this_library_);
    NewHandle handle{Ref<Object>(module)};
    if (!handle) return nullptr;
    Record& record = records_[map];
    record.module = module;
    record.handle = handle.keep();
    record.permanent = map == this_library_ || map->l_name[0] == 0;
    record.main = reinterpret_cast<DllMain>(module->function("DllMain"));
    return &record;
  }

  Record* record_of(const link_map* map) {
    const auto found = records_.find(map);
    return found == records_.end() ? nullptr : &found->second;
  }

  void unload(Record& record, const link_map* map) {
    record.leaving = true;
    if (record.main != nullptr) record.main(record.handle, DLL_PROCESS_DETACH, nullptr);
    const RawHandle handle = record.handle;
    records_.erase(map);
    close_handle(handle, Kind::kModule);
  }

  link_map* const this_library_;
  std::recursive_mutex lock_;
  std::map<const link_map*, Record> records_;
};

template <class Char>
HMODULE load(const Char* name, HANDLE file, DWORD flags) {
  constexpr DWORD kAsData =
      LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_IMAGE_RESOURCE | LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE;
  constexpr DWORD kKnown = 0x1FFB;  // all that the header names
  if (name == nullptr || *name == 0 || file != nullptr || (flags & ~kKnown) != 0) {
    return fail_with(ERROR_INVALID_PARAMETER, HMODULE{nullptr});
  }
  if ((flags & kAsData) != 0) return fail_with(ERROR_NOT_SUPPORTED, HMODULE{nullptr});
  return unless_memory_is_out(HMODULE{nullptr}, [=] { return Loader::instance().load(utf8_of(name), flags); });
}

template <class Char>
HMODULE find(const Char* name, Keeping keeping) {
  return unless_memory_is_out(HMODULE{nullptr}, [=] {
    return Loader::instance().find(name == nullptr ? std::nullopt : std::optional(utf8_of(name)), keeping);
  });
}

HMODULE find_by_address(const void* address, Keeping keeping) {
  return unless_memory_is_out(HMODULE{nullptr}, [=] { return Loader::instance().find_by_address(address, keeping); });
}

template <class Char>
BOOL find_extended(DWORD flags, const Char* name, HMODULE* out) {
  constexpr DWORD kPin = GET_MODULE_HANDLE_EX_FLAG_PIN, kUncounted = GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  constexpr DWORD kByAddress = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  if (out == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  *out = nullptr;
  if ((flags & ~(kPin | kUncounted | kByAddress)) != 0 || (flags & (kPin | kUncounted)) == (kPin | kUncounted) ||
      ((flags & kByAddress) != 0 && name == nullptr)) {
    return fail_with(ERROR_INVALID_PARAMETER, FALSE);
  }
  const Keeping keeping = (flags & kPin) != 0         ? Keeping::kForEver
                          : (flags & kUncounted) != 0 ? Keeping::kNothing
                                                      : Keeping::kCount;
  *out = (flags & kByAddress) != 0 ? find_by_address(name, keeping) : find(name, keeping);
  return *out != nullptr ? TRUE : FALSE;
}

template <class Char>
DWORD tell_file(HMODULE handle, Char* buffer, DWORD room) {
  if (buffer == nullptr) return fail_with(ERROR_INVALID_PARAMETER, DWORD{0});
  const Held<Module> module = pin<Module>(handle);
  if (handle != nullptr && !module) return fail_with(ERROR_INVALID_HANDLE, DWORD{0});
  return unless_memory_is_out(DWORD{0}, [&] {
    const std::basic_string<Char> text = in_width<Char>(module ? module->file() : program_file());
    if (put_text<Char>(text, buffer, room)) return static_cast<DWORD>(text.size());
    if (room > 0) put_text<Char>(text.substr(0, room - 1), buffer, room);
    return fail_with(ERROR_INSUFFICIENT_BUFFER, room);
  });
}

// Runs on a thread of the pool: waits until the thread is gone, and with it all code of the module that it ran.
struct Leaving {
  HANDLE thread;
  HMODULE module;
};

DWORD WINAPI free_when_gone(LPVOID context) {
  const std::unique_ptr<Leaving> leaving(static_cast<Leaving*>(context));
  WaitForSingleObject(leaving->thread, INFINITE);
  CloseHandle(leaving->thread);
  Loader::instance().free(leaving->module);
  return 0;
}

// Whatever fails here, the thread goes; the module stays then.
void free_after_this_thread(HMODULE module) {
  if (!pin<Module>(module)) return;
  std::unique_ptr<Leaving> leaving(new (std::nothrow) Leaving{nullptr, module});
  if (leaving == nullptr || DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                                            &leaving->thread, 0, FALSE, DUPLICATE_SAME_ACCESS) == FALSE) {
    return;
  }
  if (QueueUserWorkItem(free_when_gone, leaving.get(), WT_EXECUTELONGFUNCTION) != FALSE) {
    static_cast<void>(leaving.release());
  } else {
    CloseHandle(leaving->thread);
  }
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::fail_with;
using turnpike::win32::find_extended;
using turnpike::win32::Held;
using turnpike::win32::Keeping;
using turnpike::win32::Loader;
using turnpike::win32::Module;
using turnpike::win32::pin;
using turnpike::win32::tell_file;

HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName) { return turnpike::win32::load(lpLibFileName, nullptr, 0); }
HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName) { return turnpike::win32::load(lpLibFileName, nullptr, 0); }
HMODULE WINAPI LoadLibraryExA(LPCSTR lpLibFileName, HANDLE hFile, DWORD dwFlags) {
  return turnpike::win32::load(lpLibFileName, hFile, dwFlags);
}
HMODULE WINAPI LoadLibraryExW(LPCWSTR lpLibFileName, HANDLE hFile, DWORD dwFlags) {
  return turnpike::win32::load(lpLibFileName, hFile, dwFlags);
}

BOOL WINAPI FreeLibrary(HMODULE hLibModule) {
  return Loader::instance().free(hLibModule) ? TRUE : fail_with(ERROR_INVALID_HANDLE, FALSE);
}

VOID WINAPI FreeLibraryAndExitThread(HMODULE hLibModule, DWORD dwExitCode) {
  turnpike::win32::free_after_this_thread(hLibModule);
  ExitThread(dwExitCode);
}

FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName) {
  if (lpProcName == nullptr) return fail_with(ERROR_INVALID_PARAMETER, FARPROC{nullptr});
  const Held<Module> module = pin<Module>(hModule);
  if (!module) return fail_with(ERROR_INVALID_HANDLE, FARPROC{nullptr});
  const bool is_ordinal = reinterpret_cast<ULONG_PTR>(lpProcName) < 0x10000;
  if (is_ordinal) return fail_with(ERROR_PROC_NOT_FOUND, FARPROC{nullptr});
  return turnpike::win32::unless_memory_is_out(FARPROC{nullptr}, [&] {
    void* const found = module->function(lpProcName);
    return found != nullptr ? reinterpret_cast<FARPROC>(found) : fail_with(ERROR_PROC_NOT_FOUND, FARPROC{nullptr});
  });
}

HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName) { return turnpike::win32::find(lpModuleName, Keeping::kNothing); }
HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName) { return turnpike::win32::find(lpModuleName, Keeping::kNothing); }
BOOL WINAPI GetModuleHandleExA(DWORD dwFlags, LPCSTR lpModuleName, HMODULE* phModule) {
  return find_extended(dwFlags, lpModuleName, phModule);
}
BOOL WINAPI GetModuleHandleExW(DWORD dwFlags, LPCWSTR lpModuleName, HMODULE* phModule) {
  return find_extended(dwFlags, lpModuleName, phModule);
}

DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize) {
  return tell_file(hModule, lpFilename, nSize);
}
DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize) {
  return tell_file(hModule, lpFilename, nSize);
}

BOOL WINAPI DisableThreadLibraryCalls(HMODULE hLibModule) {
  return pin<Module>(hLibModule) ? TRUE : fail_with(ERROR_INVALID_HANDLE, FALSE);
}
