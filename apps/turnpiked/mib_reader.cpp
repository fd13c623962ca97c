#include "mib_reader.h"

#include <winerror.h>

#include <algorithm>
#include <string>

#include "config/block.h"

namespace turnpike::daemon {
namespace {

constexpr std::size_t kMostRows = 100'000;  // of a module that never says that there are no more
constexpr unsigned kMostReadings = 4;       // of an answer whose size a module tells anew each time

Value error(DWORD status) { return Value::Object{{"error", "the protocol answers " + std::to_string(status)}}; }

}  // namespace

Value MibReader::ask(router::MibCall call, const TpSettings& form, DWORD& status) {
  std::vector<std::byte> bytes(form.size);
  status = ERROR_INSUFFICIENT_BUFFER;
  for (unsigned i = 0; i < kMostReadings && status == ERROR_INSUFFICIENT_BUFFER; ++i) {
    auto size = static_cast<DWORD>(bytes.size());
    std::vector<std::byte> input = key_;  // the module's to scribble on
    status = answers_.administer(
        static_cast<router::TransportId>(mib_.transport), mib_.protocol_id,
        {call, static_cast<DWORD>(input.size()), input.empty() ? nullptr : input.data(), &size, bytes.data()});
    if (status == NO_ERROR && size > bytes.size()) status = ERROR_INVALID_DATA;
    if (status == NO_ERROR || (status == ERROR_INSUFFICIENT_BUFFER && size <= config::kLargestBlock))
      bytes.resize(size);
  }
  if (status != NO_ERROR) return error(status);
  auto value = config::decode(form, bytes);
  if (!value) status = ERROR_INVALID_DATA;
  key_.assign(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(mib_.key_size, std::ssize(bytes)));
  return value ? std::move(*value) : error(status);
}

Value MibReader::counts() {
  DWORD status = NO_ERROR;
  key_.clear();
  return ask(router::MibCall::kGet, *mib_.counts, status);
}

Value MibReader::rows() {
  Value::List rows;
  key_.clear();
  for (auto call = router::MibCall::kGetFirst; rows.size() < kMostRows; call = router::MibCall::kGetNext) {
    DWORD status = NO_ERROR;
    Value row = ask(call, *mib_.row, status);
    if (status == ERROR_NO_MORE_ITEMS) break;
    rows.push_back(std::move(row));
    if (status != NO_ERROR) break;
  }
  return rows;
}

}  // namespace turnpike::daemon
