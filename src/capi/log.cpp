// The C face of base/log.h: handles for sinks, records and fields there and back.
#include "turnpike/log.h"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log_sinks.h"
#include "capi/codes.h"

namespace turnpike::capi {
namespace {

static_assert(TP_LOG_MAX_SINKS == Log::kMaxSinks);

// A handle: the letters TL, the slot and its generation. A number from another table is foreign by its letters.
constexpr std::uint64_t kTag = 0x544C;

constexpr TpLogSink handle_of(LogSinkId id) {
  return kTag << 48 | std::uint64_t{id.index} << 32 | std::uint64_t{id.generation};
}

constexpr LogSinkId id_of(TpLogSink handle) {
  if (handle >> 48 != kTag) return {};  // generation 0: never open
  return {static_cast<std::uint32_t>(handle >> 32 & 0xFFFF), static_cast<std::uint32_t>(handle)};
}

std::uint32_t code_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalidHandle:
      return kInvalidHandle;
    case ErrorKind::kExhausted:
      return kNotEnoughMemory;
    case ErrorKind::kUnsupported:
      return kNotSupported;
    case ErrorKind::kBusy:
      return kBusy;
    default:
      return kInvalidParameter;
  }
}

std::uint32_t code_of(const Result<void>& result) { return result ? kSuccess : code_of(result.error()); }

bool is_level(std::uint32_t level) { return level >= TP_LOG_ERROR && level <= TP_LOG_DEBUG; }

// Checks what every open function is given, then makes the sink and opens it.
template <class Make>
std::uint32_t open(std::uint32_t level, TpLogSink* handle, Make make) try {
  if (handle == nullptr || !is_level(level)) return kInvalidParameter;
  Result<std::unique_ptr<LogSink>> sink = make();
  if (!sink) return code_of(sink.error());
  const auto id = process_log().open(std::move(*sink), static_cast<LogLevel>(level));
  if (!id) return code_of(id.error());
  *handle = handle_of(*id);
  return kSuccess;
} catch (const std::bad_alloc&) {  // the callback's std::function is made by the caller of make_callback_sink()
  return kNotEnoughMemory;
}

std::optional<LogField> from_c(const TpLogField& field) {
  if (field.key == nullptr) return std::nullopt;
  const auto key = LogKey::checked(field.key);
  if (!key) return std::nullopt;
  switch (field.type) {
    case TP_LOG_SIGNED:
      return LogField(*key, field.value.number);
    case TP_LOG_UNSIGNED:
      return LogField(*key, field.value.count);
    case TP_LOG_REAL:
      return LogField(*key, field.value.real);
    case TP_LOG_FLAG:
      return LogField(*key, field.value.flag != 0);
    case TP_LOG_TEXT:
      if (field.value.text == nullptr) return std::nullopt;
      return LogField(*key, std::string_view(field.value.text, field.length));
    default:
      return std::nullopt;
  }
}

// False: a wrong field, or a key that stands twice.
bool translate(std::span<const TpLogField> fields, std::span<LogField> out) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto field = from_c(fields[i]);
    if (!field) return false;
    const auto same_key = [&](const LogField& before) { return before.key.name() == field->key.name(); };
    if (std::ranges::any_of(out.first(i), same_key)) return false;
    out[i] = *field;
  }
  return true;
}

// A record in the form of the C face. Texts inside are views; a C reader expects a NUL behind each, so they are copied
// into one buffer, which keeps its memory from line to line.
class RecordForC {
 public:
  const TpLogRecord& translate(const LogRecord& record) {
    std::size_t needed = record.room.size() + record.message.size() + 2;
    for (const LogField& field : record.fields) {
      const auto* const text = std::get_if<std::string_view>(&field.value);
      needed += field.key.name().size() + 1 + (text != nullptr ? text->size() + 1 : 0);
    }
    texts_.clear();
    texts_.reserve(needed);  // no append below moves what a pointer points at already
    fields_.clear();
    for (const LogField& field : record.fields) fields_.push_back(translate(field));
    record_ = {};
    record_.size = sizeof record_;
    record_.level = static_cast<std::uint32_t>(record.level);
    record_.room = keep(record.room);
    record_.message = keep(record.message);
    record_.fields = fields_.data();
    record_.field_count = static_cast<std::uint32_t>(fields_.size());
    record_.time_ns = record.wall_ns;
    return record_;
  }

 private:
  const char* keep(std::string_view text) {
    const std::size_t begin = texts_.size();
    texts_.append(text).push_back('\0');
    return texts_.data() + begin;
  }

  TpLogField translate(const LogField& field) {
    const char* const key = keep(field.key.name());
    if (const auto* const text = std::get_if<std::string_view>(&field.value)) {
      TpLogField out = TpLogText(key, nullptr);
      out.length = text->size();
      out.value.text = keep(*text);
      return out;
    }
    if (const auto* const number = std::get_if<std::int64_t>(&field.value)) return TpLogSigned(key, *number);
    if (const auto* const count = std::get_if<std::uint64_t>(&field.value)) return TpLogUnsigned(key, *count);
    if (const auto* const flag = std::get_if<bool>(&field.value)) return TpLogFlag(key, *flag ? 1 : 0);
    return TpLogReal(key, std::get<double>(field.value));
  }

  std::string texts_;
  std::vector<TpLogField> fields_;
  TpLogRecord record_{};
};

}  // namespace
}  // namespace turnpike::capi

namespace capi = turnpike::capi;

std::uint32_t TpLogOpenStderr(std::uint32_t level, std::uint32_t prefix, TpLogSink* sink) noexcept {
  if (prefix != TP_LOG_TIME && prefix != TP_LOG_PRIORITY) return capi::kInvalidParameter;
  return capi::open(level, sink, [prefix] {
    return turnpike::make_stderr_sink(prefix == TP_LOG_TIME ? turnpike::LogPrefix::kTimeAndLevel
                                                            : turnpike::LogPrefix::kPriority);
  });
}

std::uint32_t TpLogOpenJson(std::uint32_t level, int descriptor, TpLogSink* sink) noexcept {
  return capi::open(level, sink, [descriptor] { return turnpike::make_json_sink(descriptor); });
}

std::uint32_t TpLogOpenJournal(std::uint32_t level, const char* identifier, TpLogSink* sink) noexcept {
  return capi::open(level, sink,
                    [identifier] { return turnpike::make_journal_sink(identifier != nullptr ? identifier : ""); });
}

std::uint32_t TpLogOpenCallback(std::uint32_t level, TpLogCallback callback, void* context, TpLogSink* sink) noexcept {
  if (callback == nullptr) return capi::kInvalidParameter;
  return capi::open(level, sink, [callback, context] {
    return turnpike::make_callback_sink(
        [callback, context, form = capi::RecordForC()](const turnpike::LogRecord& record) mutable {
          callback(context, &form.translate(record));
        });
  });
}

std::uint32_t TpLogSetLevel(TpLogSink sink, std::uint32_t level) noexcept {
  if (!capi::is_level(level)) return capi::kInvalidParameter;
  return capi::code_of(turnpike::process_log().set_level(capi::id_of(sink), static_cast<turnpike::LogLevel>(level)));
}

std::uint32_t TpLogClose(TpLogSink sink) noexcept {
  return capi::code_of(turnpike::process_log().close(capi::id_of(sink)));
}

int TpLogEnabled(std::uint32_t level) noexcept {
  return capi::is_level(level) && turnpike::process_log().enabled(static_cast<turnpike::LogLevel>(level)) ? 1 : 0;
}

std::uint32_t TpLogWrite(std::uint32_t level, const char* room, const char* message, const TpLogField* fields,
                         std::uint32_t field_count) noexcept {
  if (!capi::is_level(level) || room == nullptr || message == nullptr || field_count > TP_LOG_MAX_FIELDS ||
      (fields == nullptr && field_count != 0)) {
    return capi::kInvalidParameter;
  }
  std::array<turnpike::LogField, TP_LOG_MAX_FIELDS> translated;
  if (!capi::translate({fields, field_count}, translated)) return capi::kInvalidParameter;
  return capi::code_of(turnpike::process_log().write(static_cast<turnpike::LogLevel>(level), room, message,
                                                     std::span(translated).first(field_count)));
}
