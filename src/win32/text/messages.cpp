// FormatMessage: the text of an error code, or a client's own text, with its inserts and its lines broken to a width.
//
// Three steps: the template (a client's text, or a sentence of error_texts.inc and a line break), its escapes replaced
// (%1 is the first insert, %n a line break, %0 the end), lines broken. Inserts are asked for by number, in any order,
// but a va_list only goes forward: so arguments are read as far as the highest number asked for, and kept. Each is as
// wide as a pointer, as on Windows; a real number cannot be one.
#include <winbase.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "win32/last_error.h"
#include "win32/text/error_texts.h"
#include "win32/text/format.h"
#include "win32/text/text.h"

namespace turnpike::win32 {
namespace {

constexpr std::size_t kMostInserts = 99;
constexpr std::size_t kMostCharacters = 0xFFFF;  // a message is not longer; so it is documented

class Inserts {
 public:
  Inserts() = default;
  Inserts(const Inserts&) = delete;
  Inserts& operator=(const Inserts&) = delete;
  ~Inserts() {
    if (has_list_) va_end(list_);
  }

  void use_array(const DWORD_PTR* array) { array_ = array; }
  void use_list(std::va_list list) {
    va_copy(list_, list);
    has_list_ = true;
  }

  [[nodiscard]] bool exist() const { return array_ != nullptr || has_list_; }

  // The argument of an insert, counted from 0; below kMostInserts.
  std::uint64_t at(std::size_t index) {
    if (array_ != nullptr) return array_[index];
    while (read_ <= index) kept_[read_++] = va_arg(list_, std::uint64_t);
    return kept_[index];
  }

 private:
  const DWORD_PTR* array_ = nullptr;
  bool has_list_ = false;
  std::va_list list_{};
  std::array<std::uint64_t, kMostInserts> kept_{};
  std::size_t read_ = 0;
};

// The arguments of one insert: its own, and those behind it where its format has a '*'.
class InsertArguments final : public FormatArguments {
 public:
  InsertArguments(Inserts& inserts, std::size_t first) : inserts_(inserts), next_(first) {}

  std::uint32_t next_32() override { return static_cast<std::uint32_t>(next_64()); }
  std::uint64_t next_64() override { return inserts_.at(std::min(next_++, kMostInserts - 1)); }
  double next_real(bool) override { return static_cast<void>(next_64()), 0; }
  const void* next_pointer() override { return reinterpret_cast<const void*>(next_64()); }

 private:
  Inserts& inserts_;
  std::size_t next_;
};

// Replaces the escapes of a template.
template <class Char>
class Expander {
 public:
  using View = std::basic_string_view<Char>;

  Expander(TextTarget<Char>& out, Inserts& inserts, bool ignore_inserts)
      : out_(out), inserts_(inserts), ignore_inserts_(ignore_inserts) {}

  // False: it asks for inserts, and there are none.
  bool expand(View text) {
    while (!text.empty()) {
      const std::size_t percent = std::min(text.find('%'), text.size());
      out_.put(text.substr(0, percent));
      text.remove_prefix(percent);
      if (text.size() < 2) break;  // a '%' at the end says nothing
      if (text[1] == '0') break;
      if (text[1] >= '1' && text[1] <= '9') {
        if (!insert(text)) return false;
      } else {
        escape(text[1]);
        text.remove_prefix(2);
      }
    }
    return true;
  }

 private:
  void escape(Char letter) {
    static constexpr Char kLine[] = {'\r', '\n'};
    switch (letter) {
      case 'n':
        return out_.put({kLine, 2});
      case 'r':
        return out_.put({kLine, 1});
      case 't':
        return out_.fill('\t', 1);
      default:  // %%, %., %!, "% " and what has no meaning: itself
        return out_.put({&letter, 1});
    }
  }

  // Takes "%12!format!" off the text and puts the insert.
  bool insert(View& text) {
    std::size_t length = 1;
    std::size_t number = 0;
    for (; length < text.size() && length <= 2 && text[length] >= '0' && text[length] <= '9'; ++length) {
      number = number * 10 + static_cast<std::size_t>(text[length] - '0');
    }
    std::basic_string<Char> spec{'%', 's'};
    if (length < text.size() && text[length] == '!') {
      const std::size_t end = text.find('!', length + 1);
      if (end != View::npos) {
        spec.replace(1, 1, text.substr(length + 1, end - length - 1));
        length = end + 1;
      }
    }
    const View whole = text.substr(0, length);
    text.remove_prefix(length);
    if (ignore_inserts_) return out_.put(whole), true;
    if (!inserts_.exist()) return false;
    InsertArguments arguments(inserts_, number - 1);
    format(out_, spec.c_str(), arguments);
    return true;
  }

  TextTarget<Char>& out_;
  Inserts& inserts_;
  const bool ignore_inserts_;
};

// A template's own line breaks become blanks (those that %n makes come later and stay).
template <class Char>
std::basic_string<Char> without_line_breaks(std::basic_string_view<Char> text) {
  std::basic_string<Char> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out.push_back(text[i] == '\r' || text[i] == '\n' ? Char{' '} : text[i]);
  }
  return out;
}

// Breaks lines so that none has more than `width` characters, at a blank where there is one.
template <class Char>
std::basic_string<Char> broken(std::basic_string_view<Char> text, std::size_t width) {
  static constexpr Char kBreak[] = {'\r', '\n', 0};
  std::basic_string<Char> out;
  while (!text.empty()) {
    const std::size_t end = text.find(kBreak);
    std::basic_string_view<Char> line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 2);
    while (line.size() > width) {
      std::size_t cut = line.rfind(' ', width);
      if (cut == line.npos || cut == 0) cut = width;
      out.append(line.substr(0, cut)).append(kBreak);
      line.remove_prefix(line[cut] == ' ' ? cut + 1 : cut);
    }
    out.append(line).append(end == text.npos ? kBreak + 2 : kBreak);
  }
  return out;
}

template <class Char>
std::optional<std::basic_string<Char>> template_of(DWORD flags, LPCVOID source, DWORD id) {
  if ((flags & FORMAT_MESSAGE_FROM_STRING) != 0) return static_cast<const Char*>(source);
  const ErrorText* const known = (flags & FORMAT_MESSAGE_FROM_SYSTEM) != 0 ? find_error(id) : nullptr;
  if (known == nullptr) return std::nullopt;
  return in_width<Char>(known->text) + std::basic_string<Char>{'\r', '\n'};
}

// The message; nothing, and the last error, where there is none.
template <class Char>
std::optional<std::basic_string<Char>> message(DWORD flags, LPCVOID source, DWORD id, va_list* arguments) {
  auto text = template_of<Char>(flags, source, id);
  if (!text) return fail_with(ERROR_MR_MID_NOT_FOUND, std::nullopt);
  const DWORD width = flags & FORMAT_MESSAGE_MAX_WIDTH_MASK;
  if (width != 0) text = without_line_breaks<Char>(*text);

  Inserts inserts;
  if (arguments != nullptr && (flags & FORMAT_MESSAGE_ARGUMENT_ARRAY) != 0) {
    inserts.use_array(reinterpret_cast<const DWORD_PTR*>(arguments));
  } else if (arguments != nullptr) {
    inserts.use_list(*arguments);
  }
  TextTarget<Char> out(kMostCharacters);
  if (!Expander<Char>(out, inserts, (flags & FORMAT_MESSAGE_IGNORE_INSERTS) != 0).expand(*text)) {
    return fail_with(ERROR_INVALID_PARAMETER, std::nullopt);
  }
  if (width != 0 && width != FORMAT_MESSAGE_MAX_WIDTH_MASK) return broken<Char>(out.text(), width);
  return std::basic_string<Char>(out.text());
}

bool are_good(DWORD flags, LPCVOID source) {
  constexpr DWORD kSources = FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_FROM_SYSTEM;
  constexpr DWORD kKnown = kSources | FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_IGNORE_INSERTS |
                           FORMAT_MESSAGE_ARGUMENT_ARRAY | FORMAT_MESSAGE_MAX_WIDTH_MASK;
  if ((flags & kSources) == 0 || (flags & ~kKnown) != 0) return false;
  return (flags & FORMAT_MESSAGE_FROM_STRING) == 0 ||
         ((flags & kSources) == FORMAT_MESSAGE_FROM_STRING && source != nullptr);
}

template <class Char>
DWORD format_message(DWORD flags, LPCVOID source, DWORD id, Char* buffer, DWORD room, va_list* arguments) {
  const auto text = message<Char>(flags, source, id, arguments);
  if (!text) return 0;
  if ((flags & FORMAT_MESSAGE_ALLOCATE_BUFFER) != 0) {
    room = std::max(room, static_cast<DWORD>(text->size() + 1));
    void* const made = LocalAlloc(LMEM_FIXED, room * sizeof(Char));
    *reinterpret_cast<void**>(buffer) = made;
    if (made == nullptr) return 0;
    buffer = static_cast<Char*>(made);
  }
  if (!put_text<Char>(*text, buffer, room)) return fail_with(ERROR_INSUFFICIENT_BUFFER, DWORD{0});
  if (text->empty()) set_last_error(NO_ERROR);
  return static_cast<DWORD>(text->size());
}

template <class Char>
DWORD format_message_checked(DWORD flags, LPCVOID source, DWORD id, Char* buffer, DWORD room, va_list* arguments) {
  if (buffer == nullptr || !are_good(flags, source)) return fail_with(ERROR_INVALID_PARAMETER, DWORD{0});
  return unless_memory_is_out(DWORD{0}, [=] { return format_message(flags, source, id, buffer, room, arguments); });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::format_message_checked;

DWORD WINAPI FormatMessageA(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD, LPSTR lpBuffer, DWORD nSize,
                            va_list* Arguments) {
  return format_message_checked(dwFlags, lpSource, dwMessageId, lpBuffer, nSize, Arguments);
}
DWORD WINAPI FormatMessageW(DWORD dwFlags, LPCVOID lpSource, DWORD dwMessageId, DWORD, LPWSTR lpBuffer, DWORD nSize,
                            va_list* Arguments) {
  return format_message_checked(dwFlags, lpSource, dwMessageId, lpBuffer, nSize, Arguments);
}
