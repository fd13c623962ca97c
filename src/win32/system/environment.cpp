// Environment variables and the command line.
#include <processenv.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "win32/last_error.h"
#include "win32/text/text.h"

namespace turnpike::win32 {
namespace {

template <class Char>
DWORD get_variable(const Char* name, Char* buffer, DWORD room) {
  if (name == nullptr) return fail_with(ERROR_INVALID_PARAMETER, DWORD{0});
  const char* const value = std::getenv(utf8_of(name).c_str());
  if (value == nullptr) return fail_with(ERROR_ENVVAR_NOT_FOUND, DWORD{0});
  const std::basic_string<Char> text = in_width<Char>(value);
  if (!put_text<Char>(text, buffer, room)) return static_cast<DWORD>(text.size() + 1);
  if (text.empty()) set_last_error(NO_ERROR);
  return static_cast<DWORD>(text.size());
}

template <class Char>
BOOL set_variable(const Char* name, const Char* value) {
  const std::string name_text = name == nullptr ? "" : utf8_of(name);
  const int result =
      value == nullptr ? unsetenv(name_text.c_str()) : setenv(name_text.c_str(), utf8_of(value).c_str(), 1);
  if (result == 0) return TRUE;
  return fail_with(errno == ENOMEM ? ERROR_NOT_ENOUGH_MEMORY : ERROR_INVALID_PARAMETER, FALSE);
}

std::string expanded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t begin = text.find('%');
    const std::size_t end = begin == text.npos ? text.npos : text.find('%', begin + 1);
    out.append(text.substr(0, begin));
    if (begin == text.npos) break;
    if (end == text.npos) return out.append(text.substr(begin));
    const char* const value = std::getenv(std::string(text.substr(begin + 1, end - begin - 1)).c_str());
    // What is no variable stays, but its second '%' may begin another.
    out.append(value != nullptr ? std::string_view(value) : text.substr(begin, end - begin));
    text.remove_prefix(value != nullptr ? end + 1 : end);
  }
  return out;
}

template <class Char>
DWORD expand(const Char* source, Char* buffer, DWORD room) {
  if (source == nullptr) return fail_with(ERROR_INVALID_PARAMETER, DWORD{0});
  const std::basic_string<Char> text = in_width<Char>(expanded(utf8_of(source)));
  put_text<Char>(text, buffer, room);
  return static_cast<DWORD>(text.size() + 1);
}

std::string read_command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string words((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::string line;
  for (std::size_t begin = 0; begin < words.size();) {
    const std::string word = words.c_str() + begin;
    begin += word.size() + 1;
    const bool quoted = word.empty() || word.find_first_of(" \t") != word.npos;
    line.append(line.empty() ? "" : " ").append(quoted ? "\"" + word + "\"" : word);
  }
  return line;
}

// Made once and kept: a client keeps the address.
template <class Char>
Char* command_line() {
  static std::basic_string<Char>& made =
      *std::make_unique<std::basic_string<Char>>(in_width<Char>(read_command_line())).release();
  return made.data();
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::command_line;
using turnpike::win32::expand;
using turnpike::win32::get_variable;
using turnpike::win32::set_variable;

DWORD WINAPI GetEnvironmentVariableA(LPCSTR lpName, LPSTR lpBuffer, DWORD nSize) {
  return get_variable(lpName, lpBuffer, nSize);
}
DWORD WINAPI GetEnvironmentVariableW(LPCWSTR lpName, LPWSTR lpBuffer, DWORD nSize) {
  return get_variable(lpName, lpBuffer, nSize);
}
BOOL WINAPI SetEnvironmentVariableA(LPCSTR lpName, LPCSTR lpValue) { return set_variable(lpName, lpValue); }
BOOL WINAPI SetEnvironmentVariableW(LPCWSTR lpName, LPCWSTR lpValue) { return set_variable(lpName, lpValue); }
DWORD WINAPI ExpandEnvironmentStringsA(LPCSTR lpSrc, LPSTR lpDst, DWORD nSize) { return expand(lpSrc, lpDst, nSize); }
DWORD WINAPI ExpandEnvironmentStringsW(LPCWSTR lpSrc, LPWSTR lpDst, DWORD nSize) { return expand(lpSrc, lpDst, nSize); }
LPSTR WINAPI GetCommandLineA(VOID) { return command_line<char>(); }
LPWSTR WINAPI GetCommandLineW(VOID) { return command_line<wchar_t>(); }
