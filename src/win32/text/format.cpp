#include "win32/text/format.h"

#include <ntdef.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include "win32/text/utf8.h"

namespace turnpike::win32 {

template <class Char>
void FormatTarget<Char>::fill(Char character, std::size_t times) {
  std::array<Char, 64> block;
  block.fill(character);
  while (times > 0 && !is_full()) {
    const std::size_t count = std::min(times, block.size());
    put({block.data(), count});
    times -= count;
  }
  length_ += times;
}

template <class Char>
void BoundedTarget<Char>::keep(std::basic_string_view<Char> text) {
  const std::size_t fitting = std::min(text.size(), room_ - kept_);
  std::copy_n(text.data(), fitting, buffer_ + kept_);
  kept_ += fitting;
}

namespace {

enum class Size : std::uint8_t { kNone, kByte, kShort, kLong, kWide, k32, k64, kPointer, kLongReal };

// One conversion: what stands between a '%' and its letter.
struct Conversion {
  bool left = false, plus = false, space = false, alternate = false, zeros = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  Size size = Size::kNone;
  char letter = 0;
};

// Reads a conversion. No letter is left where there is none, or where it is no ASCII character.
template <class Char>
class ConversionReader {
 public:
  ConversionReader(const Char* text, FormatArguments& arguments, FormatRules rules)
      : next_(text), arguments_(arguments), rules_(rules) {}

  Conversion read() {
    Conversion found;
    while (read_flag(found)) ++next_;
    read_width(found);
    if (*next_ == '.') {
      ++next_;
      found.precision = read_number().value_or(0);
      if (*next_ == '*' && rules_ == FormatRules::kRuntime) {
        ++next_;
        const auto wanted = static_cast<std::int32_t>(arguments_.next_32());
        found.precision = wanted < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(wanted));
      }
    }
    found.size = read_size();
    if (*next_ > 0 && *next_ < 0x80) found.letter = static_cast<char>(*next_++);
    return found;
  }

  [[nodiscard]] const Char* next() const { return next_; }

 private:
  bool read_flag(Conversion& found) const {
    switch (*next_) {
      case '-':
        return found.left = true;
      case '#':
        return found.alternate = true;
      case '0':
        return found.zeros = true;
      case '+':
        return rules_ == FormatRules::kRuntime && (found.plus = true);
      case ' ':
        return rules_ == FormatRules::kRuntime && (found.space = true);
      default:
        return false;
    }
  }

  void read_width(Conversion& found) {
    if (*next_ == '*' && rules_ == FormatRules::kRuntime) {
      ++next_;
      const auto wanted = static_cast<std::int64_t>(static_cast<std::int32_t>(arguments_.next_32()));
      found.left = found.left || wanted < 0;
      found.width = static_cast<std::size_t>(wanted < 0 ? -wanted : wanted);
    } else {
      found.width = read_number().value_or(0);
    }
  }

  std::optional<std::size_t> read_number() {
    if (*next_ < '0' || *next_ > '9') return std::nullopt;
    std::size_t number = 0;
    for (; *next_ >= '0' && *next_ <= '9'; ++next_) {
      number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(*next_ - '0'), INT_MAX);
    }
    return number;
  }

  bool skip(const char* word) {
    const Char* at = next_;
    for (; *word != 0; ++word, ++at) {  // not std::equal, which may read on behind the end of the format
      if (*at != *word) return false;
    }
    next_ = at;
    return true;
  }

  Size read_size() {
    static constexpr std::pair<const char*, Size> kSizes[] = {
        {"hh", Size::kByte}, {"h", Size::kShort},   {"ll", Size::k64},     {"l", Size::kLong},
        {"I64", Size::k64},  {"I32", Size::k32},    {"I", Size::kPointer}, {"w", Size::kWide},
        {"j", Size::k64},    {"z", Size::kPointer}, {"t", Size::kPointer}, {"L", Size::kLongReal},
    };
    for (const auto& [word, size] : kSizes) {
      if (skip(word)) return size;
    }
    return Size::kNone;
  }

  const Char* next_;
  FormatArguments& arguments_;
  const FormatRules rules_;
};

// Hands text to `emit` in the target's width, at most `limit` characters of it, and says how many they are. Same width:
// as it stands. Reads no further than it must: with a limit, the text may lack its terminator.
template <class Char, class Source, class Emit>
std::size_t transcode(const Source* text, std::size_t limit, Emit emit) {
  std::size_t length = 0;
  if constexpr (std::is_same_v<Char, Source>) {
    while (length < limit && text[length] != 0) ++length;
    emit(std::basic_string_view<Char>(text, length));
  } else if constexpr (std::is_same_v<Char, char>) {
    for (; *text != 0; ++text) {
      char bytes[4];
      std::size_t count = encode(static_cast<char32_t>(*text), bytes);
      if (count == 0) count = encode(kReplacement, bytes);
      if (count > limit - length) break;
      emit(std::string_view(bytes, count));
      if ((length += count) == limit) break;
    }
  } else {
    while (length < limit && *text != 0) {
      const auto lead = static_cast<unsigned char>(*text);
      const Decoded next = decode({text, strnlen(text, lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4)});
      const auto character = static_cast<wchar_t>(next.code == kMalformed ? kReplacement : next.code);
      emit(std::wstring_view(&character, 1));
      text += next.bytes;
      ++length;
    }
  }
  return length;
}

template <class Char>
class Formatter {
 public:
  Formatter(FormatTarget<Char>& target, FormatArguments& arguments) : target_(target), arguments_(arguments) {}

  // False: no such conversion.
  bool convert(const Conversion& conversion, FormatRules rules) {
    switch (conversion.letter) {
      case 'd':
      case 'i':
        signed_number(conversion);
        return true;
      case 'u':
        number(conversion, unsigned_argument(conversion.size), {}, 10);
        return true;
      case 'x':
      case 'X': {
        const std::uint64_t value = unsigned_argument(conversion.size);
        const bool prefixed = conversion.alternate && value != 0;
        number(conversion, value, prefixed ? (conversion.letter == 'x' ? "0x" : "0X") : "", 16);
        return true;
      }
      case 'p':
        pointer(conversion);
        return true;
      case 's':
      case 'S':
        text(conversion);
        return true;
      case 'c':
      case 'C':
        character(conversion);
        return true;
      default:
        return rules == FormatRules::kRuntime && convert_more(conversion);
    }
  }

 private:
  // What only the C run-time library has.
  bool convert_more(const Conversion& conversion) {
    switch (conversion.letter) {
      case 'o': {
        const std::uint64_t value = unsigned_argument(conversion.size);
        number(conversion, value, conversion.alternate && value != 0 ? "0" : "", 8);
        return true;
      }
      case 'a':
      case 'A':
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        real(conversion);
        return true;
      case 'Z':
        counted(conversion);
        return true;
      case 'n':
        static_cast<void>(arguments_.next_pointer());
        return true;
      default:
        return false;
    }
  }

  std::uint64_t unsigned_argument(Size size) {
    switch (size) {
      case Size::kByte:
        return static_cast<std::uint8_t>(arguments_.next_32());
      case Size::kShort:
        return static_cast<std::uint16_t>(arguments_.next_32());
      case Size::k64:
      case Size::kPointer:
        return arguments_.next_64();
      default:
        return arguments_.next_32();
    }
  }

  void signed_number(const Conversion& conversion) {
    const std::uint64_t bits = unsigned_argument(conversion.size);
    std::int64_t value = 0;
    switch (conversion.size) {
      case Size::kByte:
        value = static_cast<std::int8_t>(bits);
        break;
      case Size::kShort:
        value = static_cast<std::int16_t>(bits);
        break;
      case Size::k64:
      case Size::kPointer:
        value = static_cast<std::int64_t>(bits);
        break;
      default:
        value = static_cast<std::int32_t>(bits);
    }
    const std::uint64_t magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    number(conversion, magnitude, value < 0 ? "-" : conversion.plus ? "+" : conversion.space ? " " : "", 10);
  }

  void number(const Conversion& conversion, std::uint64_t value, std::string_view prefix, unsigned base) {
    const char* const digits =
        conversion.letter == 'X' || conversion.letter == 'p' ? "0123456789ABCDEF" : "0123456789abcdef";
    std::array<char, 24> text;
    std::size_t begin = text.size();
    for (; value != 0; value /= base) text[--begin] = digits[value % base];
    const std::string_view written(text.data() + begin, text.size() - begin);

    std::size_t zeros = conversion.precision.value_or(1);
    zeros -= std::min(zeros, written.size());
    const std::size_t length = prefix.size() + zeros + written.size();
    if (conversion.zeros && !conversion.left && !conversion.precision)
      zeros += conversion.width - std::min(conversion.width, length);
    padded(conversion, prefix.size() + zeros + written.size(), [&] {
      put_ascii(prefix);
      target_.fill(Char{'0'}, zeros);
      put_ascii(written);
    });
  }

  void pointer(Conversion conversion) {
    conversion.precision = 16;
    number(conversion, reinterpret_cast<std::uintptr_t>(arguments_.next_pointer()), {}, 16);
  }

  // The C library knows how to write these; our part is to bound what it may write.
  void real(const Conversion& conversion) {
    static constexpr std::size_t kMost = 1100;  // more digits than a double has behind its point
    std::string_view flags[] = {conversion.left ? "-" : "", conversion.plus ? "+" : "", conversion.space ? " " : "",
                                conversion.alternate ? "#" : "", conversion.zeros ? "0" : ""};
    std::array<char, 16> spec{'%'};
    std::size_t at = 1;
    for (const std::string_view flag : flags) at += flag.copy(&spec[at], 1);
    for (const char letter : {'*', '.', '*', conversion.letter}) spec[at++] = letter;

    const auto width = static_cast<int>(std::min(conversion.width, kMost));
    const auto precision = conversion.precision ? static_cast<int>(std::min(*conversion.precision, kMost)) : -1;
    std::array<char, 310 + 2 * kMost> text;
    const double value = arguments_.next_real(conversion.size == Size::kLongReal);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::snprintf(text.data(), text.size(), spec.data(), width, precision, value);
#pragma GCC diagnostic pop
    put_text(text.data(), SIZE_MAX);  // not ASCII for certain: the locale chooses the decimal point
  }

  void text(const Conversion& conversion) {
    const void* const argument = arguments_.next_pointer();
    const std::size_t limit = conversion.precision.value_or(SIZE_MAX);
    if (argument == nullptr) {
      put_padded(conversion, "(null)", limit);
    } else if (is_wide(conversion)) {
      put_padded(conversion, static_cast<const wchar_t*>(argument), limit);
    } else {
      put_padded(conversion, static_cast<const char*>(argument), limit);
    }
  }

  // Both kinds count bytes and differ only in what they point to.
  void counted(const Conversion& conversion) {
    const auto* const argument = static_cast<const STRING*>(arguments_.next_pointer());
    const std::size_t limit = conversion.precision.value_or(SIZE_MAX);
    if (argument == nullptr || argument->Buffer == nullptr) {
      put_padded(conversion, "(null)", limit);
    } else if (conversion.size == Size::kWide || conversion.size == Size::kLong) {
      const void* const buffer = argument->Buffer;
      const std::wstring text(static_cast<const wchar_t*>(buffer), argument->Length / sizeof(wchar_t));
      put_padded(conversion, text.c_str(), limit);
    } else {
      put_padded(conversion, std::string(argument->Buffer, argument->Length).c_str(), limit);
    }
  }

  void character(const Conversion& conversion) {
    const std::uint32_t argument = arguments_.next_32();
    const wchar_t wide[] = {static_cast<wchar_t>(argument), 0};
    const char narrow[] = {static_cast<char>(argument), 0};
    if (is_wide(conversion) ? wide[0] == 0 : narrow[0] == 0) {  // as a string it would be nothing
      padded(conversion, 1, [&] { target_.fill(Char{0}, 1); });
    } else if (is_wide(conversion)) {
      put_padded(conversion, wide, SIZE_MAX);
    } else {
      put_padded(conversion, narrow, SIZE_MAX);
    }
  }

  static bool is_wide(const Conversion& conversion) {
    switch (conversion.size) {
      case Size::kByte:
      case Size::kShort:
        return false;
      case Size::kLong:
      case Size::kWide:
        return true;
      default:
        return std::is_same_v<Char, wchar_t> == (conversion.letter == 's' || conversion.letter == 'c');
    }
  }

  template <class Put>
  void padded(const Conversion& conversion, std::size_t length, Put put) {
    const std::size_t padding = conversion.width - std::min(conversion.width, length);
    if (!conversion.left) target_.fill(Char{' '}, padding);
    put();
    if (conversion.left) target_.fill(Char{' '}, padding);
  }

  template <class Source>
  void put_padded(const Conversion& conversion, const Source* source, std::size_t limit) {
    const std::size_t length =
        conversion.width == 0 ? 0 : transcode<Char>(source, limit, [](std::basic_string_view<Char>) {});
    padded(conversion, length, [&] { put_text(source, limit); });
  }

  template <class Source>
  void put_text(const Source* source, std::size_t limit) {
    transcode<Char>(source, limit, [this](std::basic_string_view<Char> piece) { target_.put(piece); });
  }

  void put_ascii(std::string_view ascii) {
    for (const char letter : ascii) target_.fill(static_cast<Char>(letter), 1);
  }

  FormatTarget<Char>& target_;
  FormatArguments& arguments_;
};

}  // namespace

template <class Char>
const Char* format_conversion(FormatTarget<Char>& target, const Char* percent, FormatArguments& arguments,
                              FormatRules rules) {
  const Char* const behind = percent + 1;
  ConversionReader<Char> reader(behind, arguments, rules);
  const Conversion conversion = reader.read();
  const auto length = static_cast<std::size_t>(reader.next() - behind);
  if (!Formatter<Char>(target, arguments).convert(conversion, rules)) target.put({behind, length});
  return reader.next();
}

template <class Char>
void format(FormatTarget<Char>& target, const Char* format, FormatArguments& arguments, FormatRules rules) {
  while (*format != 0) {
    const Char* const plain = format;
    while (*format != 0 && *format != '%') ++format;
    target.put({plain, static_cast<std::size_t>(format - plain)});
    if (*format == '%') format = format_conversion(target, format, arguments, rules);
  }
}

template class FormatTarget<char>;
template class FormatTarget<wchar_t>;
template class BoundedTarget<char>;
template class BoundedTarget<wchar_t>;
template void format(FormatTarget<char>&, const char*, FormatArguments&, FormatRules);
template void format(FormatTarget<wchar_t>&, const wchar_t*, FormatArguments&, FormatRules);
template const char* format_conversion(FormatTarget<char>&, const char*, FormatArguments&, FormatRules);
template const wchar_t* format_conversion(FormatTarget<wchar_t>&, const wchar_t*, FormatArguments&, FormatRules);

}  // namespace turnpike::win32
