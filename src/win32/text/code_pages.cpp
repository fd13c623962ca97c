// MultiByteToWideChar and WideCharToMultiByte. Both read the text twice: once to see whether all of it is good and
// fits, once to write it, so that a failure leaves the target alone.
#include <stringapiset.h>
#include <winerror.h>

#include <climits>
#include <cstring>
#include <cwchar>
#include <optional>
#include <string_view>

#include "win32/last_error.h"
#include "win32/text/utf8.h"

namespace turnpike::win32 {
namespace {

constexpr DWORD kFlagsToWide = MB_PRECOMPOSED | MB_COMPOSITE | MB_USEGLYPHCHARS | MB_ERR_INVALID_CHARS;
constexpr DWORD kFlagsToNarrow =
    WC_DISCARDNS | WC_SEPCHARS | WC_DEFAULTCHAR | WC_ERR_INVALID_CHARS | WC_COMPOSITECHECK | WC_NO_BEST_FIT_CHARS;

bool is_known(UINT page) { return page <= CP_THREAD_ACP || page == CP_UTF8; }

// The error of what both functions are given; 0 for none.
DWORD check(UINT page, DWORD flags, DWORD known_flags, DWORD strict_flag, const void* source, int length,
            const void* target, int room) {
  if (!is_known(page) || source == nullptr || length == 0 || length < -1 || room < 0) return ERROR_INVALID_PARAMETER;
  if (room > 0 && (target == nullptr || target == source)) return ERROR_INVALID_PARAMETER;
  return (flags & ~(page == CP_UTF8 ? strict_flag : known_flags)) != 0 ? ERROR_INVALID_FLAGS : 0;
}

// What conversion came to: so many characters, and whether something was malformed.
struct Extent {
  std::size_t length = 0;
  bool malformed = false;
};

// Writes to `out` unless that is null.
Extent widen(std::string_view text, wchar_t* out) {
  Extent extent;
  while (!text.empty()) {
    const Decoded next = decode(text);
    extent.malformed = extent.malformed || next.code == kMalformed;
    if (out != nullptr) out[extent.length] = static_cast<wchar_t>(next.code == kMalformed ? kReplacement : next.code);
    ++extent.length;
    text.remove_prefix(next.bytes);
  }
  return extent;
}

Extent narrow(std::wstring_view text, std::string_view substitute, char* out) {
  Extent extent;
  for (const wchar_t character : text) {
    char bytes[4];
    std::string_view written(bytes, encode(static_cast<char32_t>(character), bytes));
    if (written.empty()) {
      extent.malformed = true;
      written = substitute;
    }
    if (out != nullptr) written.copy(out + extent.length, written.size());
    extent.length += written.size();
  }
  return extent;
}

// What to return for a text that comes to `extent`; nothing where it is to be written.
std::optional<int> answer(const Extent& extent, bool strict, int room) {
  if (strict && extent.malformed) return fail_with(ERROR_NO_UNICODE_TRANSLATION, 0);
  if (extent.length > INT_MAX) return fail_with(ERROR_INVALID_PARAMETER, 0);
  if (room == 0) return static_cast<int>(extent.length);
  if (extent.length > static_cast<std::size_t>(room)) return fail_with(ERROR_INSUFFICIENT_BUFFER, 0);
  return std::nullopt;
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::Extent;
using turnpike::win32::fail_with;

int WINAPI MultiByteToWideChar(UINT CodePage, DWORD dwFlags, LPCCH lpMultiByteStr, int cbMultiByte,
                               LPWSTR lpWideCharStr, int cchWideChar) {
  const DWORD error = turnpike::win32::check(CodePage, dwFlags, turnpike::win32::kFlagsToWide, MB_ERR_INVALID_CHARS,
                                             lpMultiByteStr, cbMultiByte, lpWideCharStr, cchWideChar);
  if (error != 0) return fail_with(error, 0);
  const std::string_view text(
      lpMultiByteStr, cbMultiByte == -1 ? std::strlen(lpMultiByteStr) + 1 : static_cast<std::size_t>(cbMultiByte));
  const Extent extent = turnpike::win32::widen(text, nullptr);
  if (const auto result = turnpike::win32::answer(extent, (dwFlags & MB_ERR_INVALID_CHARS) != 0, cchWideChar))
    return *result;
  turnpike::win32::widen(text, lpWideCharStr);
  return static_cast<int>(extent.length);
}

int WINAPI WideCharToMultiByte(UINT CodePage, DWORD dwFlags, LPCWCH lpWideCharStr, int cchWideChar,
                               LPSTR lpMultiByteStr, int cbMultiByte, LPCCH lpDefaultChar, LPBOOL lpUsedDefaultChar) {
  const DWORD error = turnpike::win32::check(CodePage, dwFlags, turnpike::win32::kFlagsToNarrow, WC_ERR_INVALID_CHARS,
                                             lpWideCharStr, cchWideChar, lpMultiByteStr, cbMultiByte);
  if (error != 0) return fail_with(error, 0);
  if (CodePage == CP_UTF8 && (lpDefaultChar != nullptr || lpUsedDefaultChar != nullptr)) {
    return fail_with(ERROR_INVALID_PARAMETER, 0);
  }
  const std::wstring_view text(
      lpWideCharStr, cchWideChar == -1 ? std::wcslen(lpWideCharStr) + 1 : static_cast<std::size_t>(cchWideChar));
  const std::string_view substitute =
      lpDefaultChar != nullptr ? std::string_view(lpDefaultChar, 1) : std::string_view("\xEF\xBF\xBD");
  const Extent extent = turnpike::win32::narrow(text, substitute, nullptr);
  const auto result = turnpike::win32::answer(extent, (dwFlags & WC_ERR_INVALID_CHARS) != 0, cbMultiByte);
  if (result.value_or(1) == 0) return 0;
  if (lpUsedDefaultChar != nullptr) *lpUsedDefaultChar = extent.malformed ? TRUE : FALSE;
  if (!result) turnpike::win32::narrow(text, substitute, lpMultiByteStr);
  return static_cast<int>(extent.length);
}

UINT WINAPI GetACP(void) { return CP_UTF8; }
UINT WINAPI GetOEMCP(void) { return CP_UTF8; }
BOOL WINAPI IsValidCodePage(UINT CodePage) { return CodePage == CP_UTF8 ? TRUE : FALSE; }
