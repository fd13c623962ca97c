// Text from a format string, by the rules of Windows: one engine for wsprintf, StringCchPrintf, _snprintf and its kin,
// FormatMessage and the tracing calls.
//
// The C library's own printf cannot do it, because the same letters mean other things there:
//
//   %s %c     text of the function's own width: L"%s" takes a wide string. %S %C take the other width,
//             %hs %hc always char, %ls %lc %ws %wc always WCHAR.
//   %ld %lx   32 bits: they are meant for LONG and DWORD, which have 32 bits here as there. What is passed as a 64-bit
//             `long` is cut to its low half. 64 bits: %lld, %I64d, %jd; the width of a pointer: %Id, %zd, %td.
//   %p        16 upper-case digits, no 0x.
//   %Z        counted text: a STRING; %wZ and %lZ a UNICODE_STRING. Drivers print names so.
//   %n        writes nothing, as is the rule on Windows too: a format must not be able to write to memory.
//
// A null string is "(null)". Text changes its width by way of UTF-8, and what is malformed becomes U+FFFD. A precision
// counts characters of the output (bytes, where that is char). An unknown conversion is copied as it stands.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace turnpike::win32 {

// Where the formatted text goes, piece by piece. How long the whole is, is counted here, whatever the target keeps.
template <class Char>
class FormatTarget {
 public:
  FormatTarget() = default;
  FormatTarget(const FormatTarget&) = delete;
  FormatTarget& operator=(const FormatTarget&) = delete;

  void put(std::basic_string_view<Char> text) {
    length_ += text.size();
    keep(text);
  }
  void fill(Char character, std::size_t times);

  [[nodiscard]] std::size_t length() const { return length_; }

 protected:
  ~FormatTarget() = default;

 private:
  virtual void keep(std::basic_string_view<Char> text) = 0;
  virtual bool is_full() const = 0;  // keeps nothing more: an absurd width need only be counted

  std::size_t length_ = 0;
};

// Keeps what fits into `room` characters, and terminates nothing.
template <class Char>
class BoundedTarget final : public FormatTarget<Char> {
 public:
  BoundedTarget(Char* buffer, std::size_t room) : buffer_(buffer), room_(room) {}

  [[nodiscard]] bool is_cut() const { return this->length() > room_; }
  [[nodiscard]] std::size_t kept() const { return kept_; }
  [[nodiscard]] std::basic_string_view<Char> text() const { return {buffer_, kept_}; }

 private:
  void keep(std::basic_string_view<Char> text) override;
  bool is_full() const override { return kept_ == room_; }

  Char* const buffer_;
  const std::size_t room_;
  std::size_t kept_ = 0;
};

// Keeps up to `most` characters in a text of its own.
template <class Char>
class TextTarget final : public FormatTarget<Char> {
 public:
  explicit TextTarget(std::size_t most) : most_(most) {}

  [[nodiscard]] std::basic_string_view<Char> text() const { return text_; }

 private:
  void keep(std::basic_string_view<Char> text) override { text_.append(text.substr(0, most_ - text_.size())); }
  bool is_full() const override { return text_.size() == most_; }

  const std::size_t most_;
  std::basic_string<Char> text_;
};

// The arguments, in the order in which the format asks for them.
class FormatArguments {
 public:
  FormatArguments() = default;
  FormatArguments(const FormatArguments&) = delete;
  FormatArguments& operator=(const FormatArguments&) = delete;

  virtual std::uint32_t next_32() = 0;
  virtual std::uint64_t next_64() = 0;
  virtual double next_real(bool is_long) = 0;
  virtual const void* next_pointer() = 0;

 protected:
  ~FormatArguments() = default;
};

class VariadicArguments final : public FormatArguments {
 public:
  explicit VariadicArguments(std::va_list list) { va_copy(list_, list); }
  ~VariadicArguments() { va_end(list_); }

  std::uint32_t next_32() override { return va_arg(list_, std::uint32_t); }
  std::uint64_t next_64() override { return va_arg(list_, std::uint64_t); }
  double next_real(bool is_long) override {
    return is_long ? static_cast<double>(va_arg(list_, long double)) : va_arg(list_, double);
  }
  const void* next_pointer() override { return va_arg(list_, const void*); }

 private:
  std::va_list list_;
};

enum class FormatRules : std::uint8_t {
  kRuntime,   // the C run-time library's: everything
  kWsprintf,  // wsprintf's: no real numbers, no octal, no '*', no '+' or ' ' flag
};

template <class Char>
void format(FormatTarget<Char>& target, const Char* format, FormatArguments& arguments,
            FormatRules rules = FormatRules::kRuntime);

// The one conversion that `percent` begins; the place behind it.
template <class Char>
const Char* format_conversion(FormatTarget<Char>& target, const Char* percent, FormatArguments& arguments,
                              FormatRules rules = FormatRules::kRuntime);

extern template class FormatTarget<char>;
extern template class FormatTarget<wchar_t>;
extern template class BoundedTarget<char>;
extern template class BoundedTarget<wchar_t>;
extern template void format(FormatTarget<char>&, const char*, FormatArguments&, FormatRules);
extern template void format(FormatTarget<wchar_t>&, const wchar_t*, FormatArguments&, FormatRules);
extern template const char* format_conversion(FormatTarget<char>&, const char*, FormatArguments&, FormatRules);
extern template const wchar_t* format_conversion(FormatTarget<wchar_t>&, const wchar_t*, FormatArguments&, FormatRules);

}  // namespace turnpike::win32
