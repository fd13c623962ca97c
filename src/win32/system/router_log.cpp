// Event logging of router modules: records of the log, with the strings of the event as fields.
//
// On Windows an event is a number, and a message file of the module makes a sentence of it. There are no message files
// here; so the record carries the number and the strings, and whoever reads it by machine loses nothing.
#include <rtutils.h>
#include <winbase.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/log.h"
#include "net/text.h"
#include "win32/last_error.h"
#include "win32/text/error_texts.h"
#include "win32/text/format.h"
#include "win32/text/text.h"
#include "win32/waits/handles.h"

namespace turnpike::win32 {
namespace {

constexpr std::size_t kMostStrings = 16;
constexpr std::size_t kMostData = 256;
constexpr std::size_t kMostInString = 1024;

constexpr std::array<LogKey, kMostStrings> kStringKeys{"text",   "text2",  "text3",  "text4",  "text5",  "text6",
                                                       "text7",  "text8",  "text9",  "text10", "text11", "text12",
                                                       "text13", "text14", "text15", "text16"};

class LogSource final : public Object {
 public:
  static constexpr Kind kKind = Kind::kLogSource;

  explicit LogSource(std::string name) : Object(kKind), name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  const std::string name_;
};

using Strings = std::vector<std::string>;

struct Event {
  DWORD type;
  DWORD id;
  Strings strings;
  DWORD error = NO_ERROR;
  std::span<const BYTE> data;
};

LogLevel level_of(DWORD type) {
  switch (type) {
    case EVENTLOG_ERROR_TYPE:
      return LogLevel::kError;
    case EVENTLOG_WARNING_TYPE:
    case EVENTLOG_AUDIT_FAILURE:
      return LogLevel::kWarning;
    default:
      return LogLevel::kInfo;
  }
}

std::string hexadecimal(std::span<const BYTE> data) {
  std::string text;
  for (const BYTE byte : data.first(std::min(data.size(), kMostData))) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xF];
  }
  return text;
}

void write(const std::string& source, const Event& event) {
  const std::string data = hexadecimal(event.data);
  const ErrorText* const known = event.error == NO_ERROR ? nullptr : find_error(event.error);
  std::vector<LogField> fields{{"source", source}, {"event", event.id}};
  for (std::size_t i = 0; i < std::min(event.strings.size(), kMostStrings); ++i) {
    fields.push_back({kStringKeys[i], event.strings[i]});
  }
  if (event.error != NO_ERROR) fields.push_back({"error", event.error});
  if (known != nullptr) fields.push_back({"error_name", known->name});
  if (!data.empty()) fields.push_back({"data", data});
  // That a sink failed is no error of the client's, and the log counts it.
  static_cast<void>(process_log().write(level_of(event.type), "router", "event", fields));
}

// Does what writes an event. Without memory there is none.
template <class Body>
void logged(Body body) {
  unless_memory_is_out(0, [&] {
    body();
    return 0;
  });
}

// Null: LogError and LogEvent, which have no handle.
void write(HANDLE log, bool has_log, const std::optional<Event>& event) {
  const Held<LogSource> source = has_log ? pin<LogSource>(log) : Held<LogSource>();
  if (has_log && !source) return set_last_error(ERROR_INVALID_HANDLE);
  if (!event) return set_last_error(ERROR_INVALID_PARAMETER);
  if (process_log().enabled(level_of(event->type))) write(has_log ? source->name() : "router", *event);
}

// Nothing where a pointer is null.
template <class Char>
std::optional<Strings> strings_of(DWORD count, Char* const* array) {
  Strings strings;
  if (count != 0 && array == nullptr) return std::nullopt;
  for (DWORD i = 0; i < std::min<DWORD>(count, kMostStrings); ++i) {
    if (array[i] == nullptr) return std::nullopt;
    strings.push_back(utf8_of(array[i]));
  }
  return strings;
}

template <class Char>
std::optional<Event> event_of(DWORD type, DWORD id, DWORD count, Char* const* array, DWORD error) {
  auto strings = strings_of(count, array);
  if (!strings) return std::nullopt;
  return Event{type, id, std::move(*strings), error, {}};
}

template <class Char>
HANDLE open_source(const Char* name) {
  if (name == nullptr || *name == 0) return fail_with(ERROR_INVALID_PARAMETER, HANDLE{nullptr});
  return unless_memory_is_out(HANDLE{nullptr},
                              [&]() -> HANDLE { return open_handle(make_object<LogSource>(utf8_of(name))); });
}

void close_source(HANDLE log) {
  if (!close_handle(log, Kind::kLogSource)) set_last_error(ERROR_INVALID_HANDLE);
}

template <class Char>
void write_plain(HANDLE log, bool has_log, DWORD type, DWORD id, DWORD count, Char* const* array, DWORD error) {
  logged([&] { write(log, has_log, event_of(type, id, count, array, error)); });
}

template <class Char>
void write_with_data(HANDLE log, DWORD type, DWORD id, DWORD count, Char* const* array, DWORD size, const BYTE* data) {
  logged([&] {
    std::optional<Event> event = event_of(type, id, count, array, NO_ERROR);
    if (size != 0 && data == nullptr) event.reset();
    if (event) event->data = {data, size};
    write(log, true, event);
  });
}

std::string text_of_error(DWORD error) {
  const ErrorText* const known = find_error(error);
  return known != nullptr ? known->text : "error " + std::to_string(error);
}

template <class Char>
void write_with_error(HANDLE log, DWORD type, DWORD id, DWORD count, Char* const* array, DWORD error, DWORD index) {
  logged([&] {
    std::optional<Event> event = event_of(type, id, count, array, error);
    if (index > count) event.reset();
    if (event) {
      const std::size_t at = std::min<std::size_t>(index, event->strings.size());
      event->strings.insert(event->strings.begin() + static_cast<std::ptrdiff_t>(at), text_of_error(error));
    }
    write(log, true, event);
  });
}

// "%I" with no number behind it is an address; "%I64d" and its like are numbers.
template <class Char>
bool is_address(const Char* conversion) {
  if (conversion[1] != 'I') return false;
  const Char next = conversion[2];
  return next == 0 || next >= 0x80 ||
         std::string_view("0123456789dioxXu").find(static_cast<char>(next)) == std::string_view::npos;
}

// One string for each conversion of the format.
template <class Char>
Strings converted(const Char* text, std::va_list list) {
  Strings strings;
  VariadicArguments arguments(list);
  while (*text != 0) {
    if (*text != '%') {
      ++text;
    } else if (text[1] == '%') {
      text += 2;
    } else if (is_address(text)) {
      strings.emplace_back(net::to_text(net::Address::from_network(arguments.next_32())).view());
      text += 2;
    } else {
      TextTarget<Char> out(kMostInString);
      text = format_conversion(out, text, arguments);
      strings.push_back(utf8_of(out.text()));
    }
  }
  return strings;
}

template <class Char>
void write_formatted(HANDLE log, DWORD type, DWORD error, DWORD id, const Char* text, std::va_list list) {
  logged([&] {
    std::optional<Event> event;
    if (text != nullptr) event = Event{type, id, converted(text, list), error, {}};
    write(log, true, event);
  });
}

template <class Char>
DWORD tell_error(DWORD error, Char** out) {
  if (out == nullptr) return ERROR_INVALID_PARAMETER;
  const ErrorText* const known = find_error(error);
  if (known == nullptr) return ERROR_MR_MID_NOT_FOUND;
  return unless_memory_is_out(DWORD{ERROR_NOT_ENOUGH_MEMORY}, [&]() -> DWORD {
    const std::basic_string<Char> text = in_width<Char>(known->text);
    auto* const made = static_cast<Char*>(LocalAlloc(LMEM_FIXED, (text.size() + 1) * sizeof(Char)));
    if (made == nullptr) return ERROR_NOT_ENOUGH_MEMORY;
    *std::copy(text.begin(), text.end(), made) = 0;
    *out = made;
    return NO_ERROR;
  });
}

}  // namespace
}  // namespace turnpike::win32

using turnpike::win32::close_source;
using turnpike::win32::open_source;
using turnpike::win32::tell_error;
using turnpike::win32::write_formatted;
using turnpike::win32::write_plain;
using turnpike::win32::write_with_data;
using turnpike::win32::write_with_error;

// Every function in both widths.
#define TP_ROUTER_LOG(AW, CHAR)                                                                                       \
  HANDLE RouterLogRegister##AW(const CHAR* source) { return open_source(source); }                                    \
  VOID RouterLogDeregister##AW(HANDLE log) { close_source(log); }                                                     \
  VOID RouterLogEvent##AW(HANDLE log, DWORD type, DWORD id, DWORD count, CHAR** array, DWORD error) {                 \
    write_plain(log, true, type, id, count, array, error);                                                            \
  }                                                                                                                   \
  VOID RouterLogEventData##AW(HANDLE log, DWORD type, DWORD id, DWORD count, CHAR** array, DWORD size, LPBYTE data) { \
    write_with_data(log, type, id, count, array, size, data);                                                         \
  }                                                                                                                   \
  VOID RouterLogEventString##AW(HANDLE log, DWORD type, DWORD id, DWORD count, CHAR** array, DWORD error,             \
                                DWORD index) {                                                                        \
    write_with_error(log, type, id, count, array, error, index);                                                      \
  }                                                                                                                   \
  VOID RouterLogEventValistEx##AW(HANDLE log, DWORD type, DWORD error, DWORD id, const CHAR* format, va_list list) {  \
    write_formatted(log, type, error, id, format, list);                                                              \
  }                                                                                                                   \
  VOID __cdecl RouterLogEventEx##AW(HANDLE log, DWORD type, DWORD error, DWORD id, const CHAR* format, ...) {         \
    va_list list;                                                                                                     \
    va_start(list, format);                                                                                           \
    write_formatted(log, type, error, id, format, list);                                                              \
    va_end(list);                                                                                                     \
  }                                                                                                                   \
  VOID WINAPI LogError##AW(DWORD id, DWORD count, CHAR** array, DWORD error) {                                        \
    write_plain(nullptr, false, EVENTLOG_ERROR_TYPE, id, count, array, error);                                        \
  }                                                                                                                   \
  VOID WINAPI LogEvent##AW(DWORD type, DWORD id, DWORD count, CHAR** array) {                                         \
    write_plain(nullptr, false, type, id, count, array, NO_ERROR);                                                    \
  }                                                                                                                   \
  DWORD RouterGetErrorString##AW(DWORD error, CHAR** text) { return tell_error(error, text); }

TP_ROUTER_LOG(A, CHAR)
TP_ROUTER_LOG(W, WCHAR)
