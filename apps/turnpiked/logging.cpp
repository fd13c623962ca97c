// One log for the process: the library's, to which modules write as well.
//
// The program has the rooms that it is made of beside the library, and so a second log, which nobody opens a sink on
// but this file: what comes there is handed on to the library's, with its fields. It limits what its own call sites say
// too often; the library does not limit what it is handed.
#include "logging.h"

#include <turnpike/log.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <type_traits>
#include <variant>

#include "base/log.h"

namespace turnpike::daemon {
namespace {

TpLogField field_of(const LogField& field, std::string& key) {
  key = field.key.name();
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          return TpLogFlag(key.c_str(), value ? 1 : 0);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return TpLogSigned(key.c_str(), value);
        } else if constexpr (std::is_same_v<T, std::uint64_t>) {
          return TpLogUnsigned(key.c_str(), value);
        } else if constexpr (std::is_same_v<T, double>) {
          return TpLogReal(key.c_str(), value);
        } else {
          TpLogField text = TpLogText(key.c_str(), "");
          if (!value.empty()) text.value.text = value.data();
          text.length = value.size();
          return text;
        }
      },
      field.value);
}

class ToTheLibrary final : public LogSink {
 public:
  bool write(const LogRecord& record) override {
    std::array<std::string, TP_LOG_MAX_FIELDS> keys;
    std::array<TpLogField, TP_LOG_MAX_FIELDS> fields;
    const std::size_t count = std::min(record.fields.size(), fields.size());
    for (std::size_t i = 0; i < count; ++i) fields[i] = field_of(record.fields[i], keys[i]);
    return TpLogWrite(static_cast<std::uint32_t>(record.level), std::string(record.room).c_str(),
                      std::string(record.message).c_str(), fields.data(), static_cast<std::uint32_t>(count)) == 0;
  }
};

struct Sinks {
  LogSinkId own;
  TpLogSink of_library = 0;
};

Sinks sinks;

}  // namespace

void open_log() {
  if (const auto id = process_log().open(std::make_unique<ToTheLibrary>(), LogLevel::kNotice)) sinks.own = *id;
  // A service's standard error is the journal already; lines sent there directly keep their fields.
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  if (!journal || TpLogOpenJournal(TP_LOG_NOTICE, "turnpiked", &sinks.of_library) != 0) {
    TpLogOpenStderr(TP_LOG_NOTICE, TP_LOG_TIME, &sinks.of_library);
  }
}

void set_log_level(std::uint32_t level) {
  static_cast<void>(process_log().set_level(sinks.own, static_cast<LogLevel>(level)));
  TpLogSetLevel(sinks.of_library, level);
}

}  // namespace turnpike::daemon
