// Counted text of drivers. Lengths are bytes, and a WCHAR has four: a string has at most 16,383 characters. ANSI is
// UTF-8, as everywhere in the shim; characters whose other case has another length stay as they are.
#include <wdm.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "win32/text/letters.h"
#include "win32/text/utf8.h"

namespace turnpike::win32 {
namespace {

constexpr ULONG kTag = 0x20727453;  // 'Str '

template <class String>
using CharOf = std::remove_pointer_t<decltype(String::Buffer)>;

template <class String>
std::basic_string_view<CharOf<String>> view(const String* text) {
  return text != nullptr && text->Buffer != nullptr
             ? std::basic_string_view<CharOf<String>>(text->Buffer, text->Length / sizeof(CharOf<String>))
             : std::basic_string_view<CharOf<String>>();
}

// As much of NUL-terminated text as a counted string can name.
template <class String, class Char>
void point_to(String* string, const Char* text) {
  if (string == nullptr) {
    return;
  }
  constexpr std::size_t kMost = (0xFFFF - sizeof(Char)) / sizeof(Char);
  std::size_t length = 0;
  while (text != nullptr && length < kMost && text[length] != 0) {
    ++length;
  }
  string->Length = static_cast<USHORT>(length * sizeof(Char));
  string->MaximumLength = text != nullptr ? static_cast<USHORT>(string->Length + sizeof(Char)) : USHORT{0};
  string->Buffer = const_cast<Char*>(text);
}

// Puts text into a counted string, in memory of its own or in new; with a NUL behind it where there is room.
template <class String>
NTSTATUS assign(String* to, std::basic_string_view<CharOf<String>> text, bool allocate) {
  using Char = CharOf<String>;
  const std::size_t bytes = text.size() * sizeof(Char);
  if (to == nullptr) {
    return STATUS_INVALID_PARAMETER;
  }
  if (bytes > 0xFFFF - sizeof(Char)) {
    return static_cast<NTSTATUS>(0xC00000F0);  // STATUS_INVALID_PARAMETER_2: the source is too long
  }
  if (allocate) {
    auto* const memory = static_cast<Char*>(ExAllocatePoolWithTag(PagedPool, bytes + sizeof(Char), kTag));
    if (memory == nullptr) {
      return STATUS_NO_MEMORY;
    }
    to->Buffer = memory;
    to->MaximumLength = static_cast<USHORT>(bytes + sizeof(Char));
  } else if (bytes > to->MaximumLength || (to->Buffer == nullptr && bytes != 0)) {
    return STATUS_BUFFER_OVERFLOW;
  }
  to->Length = static_cast<USHORT>(bytes);
  if (bytes != 0) {
    std::memmove(to->Buffer, text.data(), bytes);
  }
  if (to->Buffer != nullptr && bytes + sizeof(Char) <= to->MaximumLength) {
    to->Buffer[text.size()] = 0;
  }
  return STATUS_SUCCESS;
}

template <class Char>
LONG compare(std::basic_string_view<Char> left, std::basic_string_view<Char> right, bool ignore_case) {
  for (std::size_t at = 0; at < std::min(left.size(), right.size()); ++at) {
    const Char one = ignore_case ? to_upper(left[at]) : left[at];
    const Char other = ignore_case ? to_upper(right[at]) : right[at];
    if (one != other) {
      return static_cast<LONG>(one) - static_cast<LONG>(other);
    }
  }
  return static_cast<LONG>(left.size()) - static_cast<LONG>(right.size());
}

NTSTATUS append(PUNICODE_STRING to, std::wstring_view text) {
  if (to == nullptr) {
    return STATUS_INVALID_PARAMETER;
  }
  if (text.size() * sizeof(WCHAR) >
      static_cast<std::size_t>(to->MaximumLength) - std::min(to->MaximumLength, to->Length)) {
    return STATUS_BUFFER_TOO_SMALL;
  }
  return assign(to, std::wstring(view(to)).append(text), false);
}

template <class String>
void release(String* text) {
  if (text != nullptr) {
    if (text->Buffer != nullptr) {
      ExFreePool(text->Buffer);
    }
    *text = {};
  }
}

int base_of(std::wstring_view& text, ULONG base) {
  while (!text.empty() && text[0] <= L' ') {
    text.remove_prefix(1);
  }
  if (base == 0 && text.size() > 1 && text[0] == L'0') {
    const wchar_t kind = to_upper(text[1]);
    const int found = kind == L'X' ? 16 : kind == L'O' ? 8 : kind == L'B' ? 2 : 0;
    if (found != 0) {
      text.remove_prefix(2);
      return found;
    }
  }
  return base == 0 ? 10 : static_cast<int>(base);
}

bool is_base(ULONG base) { return base == 0 || base == 2 || base == 8 || base == 10 || base == 16; }

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::append;
using turnpike::win32::assign;
using turnpike::win32::compare;
using turnpike::win32::point_to;
using turnpike::win32::view;

VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, PCWSTR SourceString) {
  point_to(DestinationString, SourceString);
}
VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSTR SourceString) {
  point_to(DestinationString, SourceString);
}
VOID RtlInitString(PSTRING DestinationString, PCSTR SourceString) { point_to(DestinationString, SourceString); }

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  if (DestinationString != nullptr) {
    const std::size_t room =
        DestinationString->Buffer != nullptr ? DestinationString->MaximumLength / sizeof(WCHAR) : 0;
    assign(DestinationString, view(SourceString).substr(0, room), false);
  }
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  return compare(view(String1), view(String2), CaseInSensitive != FALSE);
}
BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0 ? TRUE : FALSE;
}
BOOLEAN RtlEqualString(const STRING* String1, const STRING* String2, BOOLEAN CaseInSensitive) {
  return compare(view(String1), view(String2), CaseInSensitive != FALSE) == 0 ? TRUE : FALSE;
}
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  const std::wstring_view begin = view(String1);
  return compare(begin, view(String2).substr(0, begin.size()), CaseInSensitive != FALSE) == 0 ? TRUE : FALSE;
}

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter) { return turnpike::win32::to_upper(SourceCharacter); }

NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString,
                                BOOLEAN AllocateDestinationString) {
  std::wstring text(view(SourceString));
  std::transform(text.begin(), text.end(), text.begin(), [](wchar_t each) { return turnpike::win32::to_upper(each); });
  return assign(DestinationString, std::wstring_view(text), AllocateDestinationString != FALSE);
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source) {
  return append(Destination, Source != nullptr ? std::wstring_view(Source) : std::wstring_view());
}
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source) {
  return append(Destination, view(Source));
}

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString, const STRING* SourceString,
                                      BOOLEAN AllocateDestinationString) {
  const std::wstring text = turnpike::win32::to_wide(view(SourceString));
  return assign(DestinationString, std::wstring_view(text), AllocateDestinationString != FALSE);
}
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString, PCUNICODE_STRING SourceString,
                                      BOOLEAN AllocateDestinationString) {
  const std::string text = turnpike::win32::to_utf8(view(SourceString));
  return assign(DestinationString, std::string_view(text), AllocateDestinationString != FALSE);
}

VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString) { turnpike::win32::release(UnicodeString); }
VOID RtlFreeAnsiString(PANSI_STRING AnsiString) { turnpike::win32::release(AnsiString); }

NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value) {
  if (Value == nullptr || !turnpike::win32::is_base(Base)) {
    return STATUS_INVALID_PARAMETER;
  }
  std::wstring_view text = view(String);
  while (!text.empty() && text[0] <= L' ') {
    text.remove_prefix(1);
  }
  const bool negative = !text.empty() && text[0] == L'-';
  if (!text.empty() && (text[0] == L'-' || text[0] == L'+')) {
    text.remove_prefix(1);
  }
  const int base = turnpike::win32::base_of(text, Base);
  const std::string digits = turnpike::win32::to_utf8(text);
  ULONGLONG number = 0;
  // What is no digit ends the number, and a text without any is 0, as documented.
  std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  *Value = static_cast<ULONG>(negative ? 0 - number : number);
  return STATUS_SUCCESS;
}

NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String) {
  if (String == nullptr || !turnpike::win32::is_base(Base)) {
    return STATUS_INVALID_PARAMETER;
  }
  char digits[33];
  const auto end = std::to_chars(digits, digits + sizeof(digits), Value, Base == 0 ? 10 : static_cast<int>(Base)).ptr;
  std::wstring text(digits, end);
  std::transform(text.begin(), text.end(), text.begin(), [](wchar_t each) { return turnpike::win32::to_upper(each); });
  return assign(String, std::wstring_view(text), false);
}
