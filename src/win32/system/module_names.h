// What files the name of a DLL may stand for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace turnpike::win32 {

// Whose functions are meant: this library's, or a file's.
struct ModuleFiles {
  bool this_library = false;       // if none of the files can be loaded
  std::vector<std::string> files;  // to be tried in this order; one without a folder is looked for where dlopen looks
};

// `program_folder` and `library_file` are the places of the program and of this library.
ModuleFiles files_of(std::string_view name, std::string_view program_folder, std::string_view library_file);

}  // namespace turnpike::win32
