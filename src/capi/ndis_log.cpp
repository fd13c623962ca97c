// What this library logs goes where libturnpike's log goes: the host opens its sinks there, and need not know that the
// two libraries have a log each. Debug lines stay here.
#include <array>
#include <memory>
#include <string>

#include "base/log.h"
#include "turnpike/log.h"

namespace turnpike::capi {
namespace {

class ToLibturnpike final : public LogSink {
 public:
  bool write(const LogRecord& record) override {
    const auto level = static_cast<std::uint32_t>(record.level);
    if (TpLogEnabled(level) == 0) {
      return true;
    }
    std::array<std::string, kMost> keys;
    std::array<std::string, kMost> texts;
    std::array<TpLogField, kMost> fields{};
    std::uint32_t count = 0;
    for (const LogField& field : record.fields.first(std::min(record.fields.size(), std::size_t{kMost}))) {
      keys[count] = std::string(field.key.name());
      fields[count] = field_of(keys[count].c_str(), field.value, texts[count]);
      ++count;
    }
    return TpLogWrite(level, std::string(record.room).c_str(), std::string(record.message).c_str(), fields.data(),
                      count) == 0;
  }

 private:
  static constexpr std::uint32_t kMost = 12;

  static TpLogField field_of(const char* key, const LogValue& value, std::string& text) {
    if (const auto* const number = std::get_if<std::int64_t>(&value)) return TpLogSigned(key, *number);
    if (const auto* const number = std::get_if<std::uint64_t>(&value)) return TpLogUnsigned(key, *number);
    if (const auto* const words = std::get_if<std::string_view>(&value)) {
      text = std::string(*words);
    } else if (const auto* const flag = std::get_if<bool>(&value)) {
      text = *flag ? "true" : "false";
    } else {
      text = std::to_string(std::get<double>(value));
    }
    return TpLogText(key, text.c_str());
  }
};

// When the library is loaded; that the log has no room for a sink yet cannot be.
[[maybe_unused]] const bool opened = process_log().open(std::make_unique<ToLibturnpike>(), LogLevel::kInfo).has_value();

}  // namespace
}  // namespace turnpike::capi
