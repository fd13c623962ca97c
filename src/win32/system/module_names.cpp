#include "win32/system/module_names.h"

#include <algorithm>

#include "win32/text/letters.h"

namespace turnpike::win32 {
namespace {

// DLLs whose functions this library has.
constexpr std::string_view kOurs[] = {"advapi32", "iphlpapi", "kernel32", "kernelbase", "mgm",    "msvcrt", "ntdll",
                                      "rtm",      "rtutils",  "ucrtbase", "user32",     "ws2_32", "wsock32"};

// DLLs that a companion of this library has; until it is installed, this library answers for it.
struct Companion {
  std::string_view dll;
  std::string_view library;
};
constexpr Companion kCompanions[] = {{"mprapi", "libmprapi"}, {"ndis", "libturnpike-ndis"}};

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char letter) { return to_lower(letter); });
  return out;
}

// "rtm" of "RTM.DLL"; the whole where there is another ending.
std::string_view without_ending(std::string_view name) {
  if (name.ends_with('.')) return name.substr(0, name.size() - 1);  // so Windows writes "no ending, and none meant"
  const std::string lower = lowered(name);
  return lower.ends_with(".dll") || lower.ends_with(".sys") ? name.substr(0, name.size() - 4) : name;
}

// The companion lies beside this library and has its version: libturnpike.so.0 → libmprapi.so.0.
std::string companion_file(std::string_view library, std::string_view library_file) {
  const std::size_t name = library_file.rfind('/') + 1;
  const std::size_t ending = library_file.find(".so", name);
  if (ending == std::string_view::npos) return std::string(library) + ".so";
  return std::string(library_file.substr(0, name)).append(library).append(library_file.substr(ending));
}

}  // namespace

ModuleFiles files_of(std::string_view name, std::string_view program_folder, std::string_view library_file) {
  std::string path(name);
  std::replace(path.begin(), path.end(), '\\', '/');
  const std::size_t slash = path.rfind('/');
  const std::string_view base = slash == path.npos ? std::string_view(path) : std::string_view(path).substr(slash + 1);
  const std::string stem(without_ending(base));
  if (slash != path.npos) {
    const std::string folder = path.substr(0, slash + 1);
    return {false, {folder + stem + ".so", path}};
  }
  ModuleFiles found;
  const std::string known = lowered(stem);
  found.this_library = std::find(std::begin(kOurs), std::end(kOurs), known) != std::end(kOurs);
  for (const Companion& companion : kCompanions) {
    if (companion.dll == known) return {true, {companion_file(companion.library, library_file)}};
  }
  if (found.this_library) return found;
  std::vector<std::string> files{stem + ".so", "lib" + stem + ".so", path};
  if (known != stem) files.insert(files.end(), {known + ".so", "lib" + known + ".so"});  // Windows ignores case
  for (const std::string& file : files) found.files.push_back(std::string(program_folder) + "/" + file);
  found.files.insert(found.files.end(), files.begin(), files.end());
  return found;
}

}  // namespace turnpike::win32
