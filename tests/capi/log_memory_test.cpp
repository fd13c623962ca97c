// The C face of the log when there is no memory: each open function says 8, and has taken nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "../base/scarce_memory.h"
#include "turnpike/log.h"

namespace turnpike {
namespace {

constexpr std::uint32_t kNotEnoughMemory = 8;
constexpr TpLogSink kUntouched = 77;

int lowest_free_descriptor() {
  const int lowest = ::dup(STDERR_FILENO);
  ::close(lowest);
  return lowest;
}

// Refuses the first allocation, then the second, … until there is enough. What is taken and not given back the
// sanitizer sees.
void expect_exact_failures(const std::function<std::uint32_t(TpLogSink*)>& open) {
  const int descriptor = lowest_free_descriptor();
  TpLogSink sink = kUntouched;
  int enough = 0;
  for (std::uint32_t code = 0;; ++enough) {
    {
      const NoMemory after(enough);
      code = open(&sink);
    }
    if (code == 0) break;
    ASSERT_EQ(code, kNotEnoughMemory);
    ASSERT_EQ(sink, kUntouched);
    ASSERT_EQ(lowest_free_descriptor(), descriptor);
    ASSERT_LT(enough, 20);
  }
  EXPECT_GT(enough, 0);
  EXPECT_EQ(TpLogClose(sink), 0U);
  EXPECT_EQ(lowest_free_descriptor(), descriptor);
}

TEST(CLogMemory, EveryOpenFunctionSaysSo) {
  expect_exact_failures([](TpLogSink* sink) { return TpLogOpenStderr(TP_LOG_INFO, TP_LOG_TIME, sink); });
  expect_exact_failures([](TpLogSink* sink) { return TpLogOpenJson(TP_LOG_INFO, STDERR_FILENO, sink); });
  expect_exact_failures(
      [](TpLogSink* sink) { return TpLogOpenCallback(TP_LOG_INFO, [](void*, const TpLogRecord*) {}, nullptr, sink); });
}

TEST(CLogMemory, ALineThatFindsNoneIsLostAndTold) {
  std::string heard;
  heard.reserve(4096);
  TpLogSink sink = 0;
  const auto hear = [](void* context, const TpLogRecord* record) {
    static_cast<std::string*>(context)->append(record->message).append(";");
  };
  ASSERT_EQ(TpLogOpenCallback(TP_LOG_INFO, hear, &heard, &sink), 0U);
  const std::string text(1000, 'x');
  const TpLogField field = TpLogText("k", text.c_str());
  {
    const NoMemory now;
    EXPECT_EQ(TpLogWrite(TP_LOG_INFO, "app", "first", &field, 1), 0U) << "no error of the caller";
  }
  EXPECT_EQ(TpLogWrite(TP_LOG_INFO, "app", "second", &field, 1), 0U);
  EXPECT_EQ(TpLogClose(sink), 0U);
  EXPECT_EQ(heard, "lines were lost here;second;");
}

}  // namespace
}  // namespace turnpike
