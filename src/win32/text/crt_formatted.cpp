// The printf family of Microsoft's C run-time library: to a buffer under three rules for its end, or to a stream.
#include <turnpike_crt.h>

#include <algorithm>
#include <climits>
#include <string_view>

#include "win32/text/format.h"
#include "win32/text/utf8.h"

namespace turnpike::win32 {
namespace {

int fail_with_errno(int code) {
  errno = code;
  return -1;
}

int length_or_failure(std::size_t length) {
  return length <= INT_MAX ? static_cast<int>(length) : fail_with_errno(EOVERFLOW);
}

// _snprintf: a text that fills the target has no null.
template <class Char>
int write_open(Char* target, std::size_t size, const Char* text, std::va_list list) {
  if (text == nullptr || (target == nullptr && size != 0)) return fail_with_errno(EINVAL);
  BoundedTarget<Char> out(target, size);
  VariadicArguments arguments(list);
  format(out, text, arguments);
  if (out.kept() < size) target[out.kept()] = 0;
  if (out.is_cut() && target != nullptr) return -1;
  return length_or_failure(out.length());
}

enum class WhenCut : std::uint8_t { kKeep, kClear };

// Always ended with a null. At most `most` characters; where they are more than fit, `when_cut` says what to do.
template <class Char>
int write_closed(Char* target, std::size_t size, std::size_t most, WhenCut when_cut, const Char* text,
                 std::va_list list) {
  if (text == nullptr || target == nullptr || size == 0) {
    if (target != nullptr && size != 0) target[0] = 0;
    return fail_with_errno(EINVAL);
  }
  BoundedTarget<Char> out(target, std::min(size - 1, most));
  VariadicArguments arguments(list);
  format(out, text, arguments);
  target[out.kept()] = 0;
  if (!out.is_cut()) return static_cast<int>(out.length());
  if (when_cut == WhenCut::kKeep || most < size) return -1;
  target[0] = 0;
  return fail_with_errno(ERANGE);
}

template <class Char>
int measure(const Char* text, std::va_list list) {
  return write_open<Char>(nullptr, 0, text, list);
}

// Characters to a stream of bytes, bytes to a stream of wide characters: whichever it already is.
template <class Char>
class StreamTarget final : public FormatTarget<Char> {
 public:
  explicit StreamTarget(FILE* stream) : stream_(stream) { flockfile(stream_); }
  ~StreamTarget() { funlockfile(stream_); }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void keep(std::basic_string_view<Char> text) override {
    if (fwide(stream_, 0) <= 0) {
      write_bytes(text);
    } else {
      write_wide(text);
    }
  }

  bool is_full() const override { return failed_; }

  void write_bytes(std::string_view text) {
    failed_ = failed_ || fwrite_unlocked(text.data(), 1, text.size(), stream_) != text.size();
  }
  void write_bytes(std::wstring_view text) {
    for (const wchar_t character : text) {
      char bytes[4];
      std::size_t count = encode(static_cast<char32_t>(character), bytes);
      if (count == 0) count = encode(kReplacement, bytes);
      write_bytes(std::string_view(bytes, count));
    }
  }
  void write_wide(std::wstring_view text) {
    for (const wchar_t character : text) failed_ = failed_ || fputwc_unlocked(character, stream_) == WEOF;
  }
  void write_wide(std::string_view text) {
    while (!text.empty()) {
      const Decoded next = decode(text);
      const auto character = static_cast<wchar_t>(next.code == kMalformed ? kReplacement : next.code);
      failed_ = failed_ || fputwc_unlocked(character, stream_) == WEOF;
      text.remove_prefix(next.bytes);
    }
  }

  FILE* const stream_;
  bool failed_ = false;
};

template <class Char>
int write_to_stream(FILE* stream, const Char* text, std::va_list list) {
  if (stream == nullptr || text == nullptr) return fail_with_errno(EINVAL);
  StreamTarget<Char> out(stream);
  VariadicArguments arguments(list);
  format(out, text, arguments);
  return out.failed() ? -1 : length_or_failure(out.length());
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::measure;
using turnpike::win32::WhenCut;
using turnpike::win32::write_closed;
using turnpike::win32::write_open;
using turnpike::win32::write_to_stream;

int _vsnprintf(char* target, size_t size, const char* format, va_list arguments) {
  return write_open(target, size, format, arguments);
}
int _vsnwprintf(wchar_t* target, size_t size, const wchar_t* format, va_list arguments) {
  return write_open(target, size, format, arguments);
}
int _vscprintf(const char* format, va_list arguments) { return measure(format, arguments); }
int _vscwprintf(const wchar_t* format, va_list arguments) { return measure(format, arguments); }

int vsprintf_s(char* target, size_t size, const char* format, va_list arguments) {
  return write_closed(target, size, SIZE_MAX, WhenCut::kClear, format, arguments);
}
int vswprintf_s(wchar_t* target, size_t size, const wchar_t* format, va_list arguments) {
  return write_closed(target, size, SIZE_MAX, WhenCut::kClear, format, arguments);
}
int _vsnprintf_s(char* target, size_t size, size_t most, const char* format, va_list arguments) {
  return write_closed(target, size, most, most == _TRUNCATE ? WhenCut::kKeep : WhenCut::kClear, format, arguments);
}
int _vsnwprintf_s(wchar_t* target, size_t size, size_t most, const wchar_t* format, va_list arguments) {
  return write_closed(target, size, most, most == _TRUNCATE ? WhenCut::kKeep : WhenCut::kClear, format, arguments);
}

int TpVswprintf(wchar_t* target, size_t size, const wchar_t* format, va_list arguments) {
  return write_closed(target, size, SIZE_MAX, WhenCut::kKeep, format, arguments);
}

int TpVfprintf(FILE* stream, const char* format, va_list arguments) {
  return write_to_stream(stream, format, arguments);
}
int TpVfwprintf(FILE* stream, const wchar_t* format, va_list arguments) {
  return write_to_stream(stream, format, arguments);
}
int TpVprintf(const char* format, va_list arguments) {
  return TpVfprintf(stdout, format, arguments);  // allow standard-output: it is the client that prints
}
int TpVwprintf(const wchar_t* format, va_list arguments) {
  return TpVfwprintf(stdout, format, arguments);  // allow standard-output: it is the client that prints
}

// The forms with the arguments themselves, each by its form with a list.
#define TP_VARIADIC(format, call) \
  va_list list;                   \
  va_start(list, format);         \
  const int result = call;        \
  va_end(list);                   \
  return result

int _snprintf(char* target, size_t size, const char* format, ...) {
  TP_VARIADIC(format, _vsnprintf(target, size, format, list));
}
int _snwprintf(wchar_t* target, size_t size, const wchar_t* format, ...) {
  TP_VARIADIC(format, _vsnwprintf(target, size, format, list));
}
int _scprintf(const char* format, ...) { TP_VARIADIC(format, _vscprintf(format, list)); }
int _scwprintf(const wchar_t* format, ...) { TP_VARIADIC(format, _vscwprintf(format, list)); }
int sprintf_s(char* target, size_t size, const char* format, ...) {
  TP_VARIADIC(format, vsprintf_s(target, size, format, list));
}
int swprintf_s(wchar_t* target, size_t size, const wchar_t* format, ...) {
  TP_VARIADIC(format, vswprintf_s(target, size, format, list));
}
int _snprintf_s(char* target, size_t size, size_t most, const char* format, ...) {
  TP_VARIADIC(format, _vsnprintf_s(target, size, most, format, list));
}
int _snwprintf_s(wchar_t* target, size_t size, size_t most, const wchar_t* format, ...) {
  TP_VARIADIC(format, _vsnwprintf_s(target, size, most, format, list));
}
int TpSwprintf(wchar_t* target, size_t size, const wchar_t* format, ...) {
  TP_VARIADIC(format, TpVswprintf(target, size, format, list));
}
int TpPrintf(const char* format, ...) { TP_VARIADIC(format, TpVprintf(format, list)); }
int TpWprintf(const wchar_t* format, ...) { TP_VARIADIC(format, TpVwprintf(format, list)); }
int TpFprintf(FILE* stream, const char* format, ...) { TP_VARIADIC(format, TpVfprintf(stream, format, list)); }
int TpFwprintf(FILE* stream, const wchar_t* format, ...) { TP_VARIADIC(format, TpVfwprintf(stream, format, list)); }
