// The C face of the log: what each function answers to bad input, and that records arrive whole.
#include "turnpike/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr std::uint32_t kInvalidHandle = 6;
constexpr std::uint32_t kNotEnoughMemory = 8;
constexpr std::uint32_t kNotSupported = 50;
constexpr std::uint32_t kInvalidParameter = 87;
constexpr std::uint32_t kBusy = 170;
constexpr TpLogSink kUntouched = 77;

// What a C program would keep of each record.
struct Heard {
  std::vector<std::string> lines;

  static void call(void* context, const TpLogRecord* record) {
    std::string line = std::to_string(record->level) + " " + record->room + ": " + record->message;
    for (std::uint32_t i = 0; i < record->field_count; ++i) line += " " + text_of(record->fields[i]);
    EXPECT_EQ(record->size, sizeof *record);
    EXPECT_GT(record->time_ns, 1'600'000'000'000'000'000U);
    static_cast<Heard*>(context)->lines.push_back(line);
  }

  static std::string text_of(const TpLogField& field) {
    const std::string key = std::string(field.key) + "=";
    switch (field.type) {
      case TP_LOG_SIGNED:
        return key + "s" + std::to_string(field.value.number);
      case TP_LOG_UNSIGNED:
        return key + "u" + std::to_string(field.value.count);
      case TP_LOG_REAL:
        return key + "r" + std::to_string(field.value.real);
      case TP_LOG_FLAG:
        return key + "f" + std::to_string(field.value.flag);
      default:
        EXPECT_EQ(field.type, TP_LOG_TEXT);
    }
    EXPECT_EQ(field.value.text[field.length], '\0');
    return key + "t" + std::string(field.value.text, field.length);
  }
};

class CLog : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(TpLogOpenCallback(TP_LOG_INFO, Heard::call, &heard_, &sink_), 0U); }
  void TearDown() override { TpLogClose(sink_); }

  Heard heard_;
  TpLogSink sink_ = 0;
};

void ignore(void*, const TpLogRecord*) {}

TEST_F(CLog, ARecordArrivesWithEveryTypeOfField) {
  const std::array fields{TpLogSigned("s", -1), TpLogUnsigned("u", ~std::uint64_t{0}), TpLogReal("r", 0.5),
                          TpLogFlag("f", 42),   TpLogText("t", "two words"),           TpLogText("none", nullptr)};
  EXPECT_EQ(TpLogWrite(TP_LOG_WARNING, "app", "it happened", fields.data(), fields.size()), 0U);
  EXPECT_THAT(heard_.lines,
              ElementsAre("4 app: it happened s=s-1 u=u18446744073709551615 r=r0.500000 f=f1 t=ttwo words none=t"));
}

TEST_F(CLog, TextMayHoldAnyBytes) {
  TpLogField field = TpLogText("t", "a\nb");
  EXPECT_EQ(TpLogWrite(TP_LOG_INFO, "", "", &field, 1), 0U);
  field.value.text = "x\0y\xff";
  field.length = 4;
  EXPECT_EQ(TpLogWrite(TP_LOG_INFO, "app", "m", &field, 1), 0U);
  EXPECT_THAT(heard_.lines, ElementsAre("6 :  t=ta\nb", std::string("6 app: m t=tx\0y\xff", 16)));
}

TEST_F(CLog, WriteRefusesWhatIsWrongAndWritesNothing) {
  const TpLogField good = TpLogSigned("k", 1);
  const auto with_key = [](const char* key) {
    const TpLogField field = TpLogSigned(key, 1);
    return TpLogWrite(TP_LOG_ERROR, "app", "m", &field, 1);
  };
  EXPECT_EQ(TpLogWrite(2, "app", "m", nullptr, 0), kInvalidParameter);
  EXPECT_EQ(TpLogWrite(8, "app", "m", nullptr, 0), kInvalidParameter);
  EXPECT_EQ(TpLogWrite(0x100 + TP_LOG_ERROR, "app", "m", nullptr, 0), kInvalidParameter);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, nullptr, "m", nullptr, 0), kInvalidParameter);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", nullptr, nullptr, 0), kInvalidParameter);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", nullptr, 1), kInvalidParameter);
  for (const char* key : {static_cast<const char*>(nullptr), "", "Upper", "a b", "message", "a\n"}) {
    EXPECT_EQ(with_key(key), kInvalidParameter);
  }
  const std::array twice{good, good};
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", twice.data(), twice.size()), kInvalidParameter);
  TpLogField odd = good;
  odd.type = 6;
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", &odd, 1), kInvalidParameter);
  odd = TpLogText("k", "");
  odd.value.text = nullptr;
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", &odd, 1), kInvalidParameter);
  const std::vector<TpLogField> many(TP_LOG_MAX_FIELDS + 1, good);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", many.data(), TP_LOG_MAX_FIELDS + 1), kInvalidParameter);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", many.data(), ~0U), kInvalidParameter);
  EXPECT_THAT(heard_.lines, IsEmpty());
}

TEST_F(CLog, AsManyFieldsAsPromised) {
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i < TP_LOG_MAX_FIELDS; ++i) keys.push_back("k" + std::to_string(i));
  std::vector<TpLogField> fields;
  for (const std::string& key : keys) fields.push_back(TpLogSigned(key.c_str(), 1));
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "m", fields.data(), TP_LOG_MAX_FIELDS), 0U);
  ASSERT_EQ(heard_.lines.size(), 1U);
  EXPECT_THAT(heard_.lines[0], EndsWith(" k31=s1"));
}

TEST_F(CLog, LevelsDecideWhoHears) {
  EXPECT_EQ(TpLogEnabled(TP_LOG_INFO), 1);
  EXPECT_EQ(TpLogEnabled(TP_LOG_DEBUG), 0);
  EXPECT_EQ(TpLogEnabled(0), 0);
  EXPECT_EQ(TpLogEnabled(~0U), 0);
  EXPECT_EQ(TpLogSetLevel(sink_, TP_LOG_ERROR), 0U);
  EXPECT_EQ(TpLogWrite(TP_LOG_WARNING, "app", "not heard", nullptr, 0), 0U);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "heard", nullptr, 0), 0U);
  EXPECT_THAT(heard_.lines, ElementsAre("3 app: heard"));
  EXPECT_EQ(TpLogSetLevel(sink_, 2), kInvalidParameter);
  EXPECT_EQ(TpLogSetLevel(sink_ + 1, TP_LOG_ERROR), kInvalidHandle);
}

TEST_F(CLog, CloseRefusesWhatIsNotOpen) {
  for (const TpLogSink wrong : {TpLogSink{0}, ~TpLogSink{0}, TpLogSink{1}, sink_ + 2, sink_ ^ (TpLogSink{1} << 63),
                                sink_ ^ (TpLogSink{1} << 47), sink_ ^ (TpLogSink{1} << 32)}) {
    EXPECT_EQ(TpLogClose(wrong), kInvalidHandle) << std::hex << wrong;
  }
  EXPECT_EQ(TpLogClose(sink_), 0U);
  EXPECT_EQ(TpLogClose(sink_), kInvalidHandle);
  EXPECT_EQ(TpLogEnabled(TP_LOG_ERROR), 0);
}

TEST_F(CLog, OpenRefusesWhatIsWrongAndTouchesNothing) {
  TpLogSink sink = kUntouched;
  EXPECT_EQ(TpLogOpenStderr(2, TP_LOG_TIME, &sink), kInvalidParameter);
  EXPECT_EQ(TpLogOpenStderr(TP_LOG_INFO, 2, &sink), kInvalidParameter);
  EXPECT_EQ(TpLogOpenStderr(TP_LOG_INFO, TP_LOG_TIME, nullptr), kInvalidParameter);
  EXPECT_EQ(TpLogOpenJson(8, STDERR_FILENO, &sink), kInvalidParameter);
  EXPECT_EQ(TpLogOpenJson(TP_LOG_INFO, STDERR_FILENO, nullptr), kInvalidParameter);
  EXPECT_EQ(TpLogOpenJson(TP_LOG_INFO, -1, &sink), kInvalidHandle);
  EXPECT_EQ(TpLogOpenJson(TP_LOG_INFO, 1'000'000, &sink), kInvalidHandle);
  EXPECT_EQ(TpLogOpenJournal(0, "test", &sink), kInvalidParameter);
  EXPECT_EQ(TpLogOpenJournal(TP_LOG_INFO, "test", nullptr), kInvalidParameter);
  EXPECT_EQ(TpLogOpenCallback(TP_LOG_INFO, nullptr, nullptr, &sink), kInvalidParameter);
  EXPECT_EQ(TpLogOpenCallback(0x107, ignore, nullptr, &sink), kInvalidParameter);
  EXPECT_EQ(TpLogOpenCallback(TP_LOG_INFO, ignore, nullptr, nullptr), kInvalidParameter);
  EXPECT_EQ(sink, kUntouched);
}

TEST_F(CLog, OpenRefusesOneSinkTooMany) {
  std::vector<TpLogSink> sinks(TP_LOG_MAX_SINKS - 1);
  for (TpLogSink& sink : sinks) ASSERT_EQ(TpLogOpenCallback(TP_LOG_INFO, ignore, nullptr, &sink), 0U);
  TpLogSink sink = kUntouched;
  EXPECT_EQ(TpLogOpenCallback(TP_LOG_INFO, ignore, nullptr, &sink), kNotEnoughMemory);
  EXPECT_EQ(sink, kUntouched);
  for (const TpLogSink open : sinks) EXPECT_EQ(TpLogClose(open), 0U);
}

TEST_F(CLog, ACallbackMayNeitherCloseNorWrite) {
  struct Answers {
    TpLogSink sink = 0;
    std::vector<std::uint32_t> codes;
    static void call(void* context, const TpLogRecord*) {
      auto& self = *static_cast<Answers*>(context);
      self.codes.push_back(TpLogClose(self.sink));
      self.codes.push_back(TpLogWrite(TP_LOG_ERROR, "app", "again", nullptr, 0));
    }
  } answers;
  ASSERT_EQ(TpLogOpenCallback(TP_LOG_ERROR, Answers::call, &answers, &answers.sink), 0U);
  EXPECT_EQ(TpLogWrite(TP_LOG_ERROR, "app", "once", nullptr, 0), 0U);
  EXPECT_EQ(TpLogClose(answers.sink), 0U);
  EXPECT_THAT(answers.codes, ElementsAre(kBusy, kBusy));
}

TEST_F(CLog, JsonGoesToACopyOfTheDescriptor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  TpLogSink json = 0;
  EXPECT_EQ(TpLogOpenJson(TP_LOG_INFO, ends[0], &json), kInvalidHandle) << "the reading end";
  ASSERT_EQ(TpLogOpenJson(TP_LOG_INFO, ends[1], &json), 0U);
  ::close(ends[1]);
  EXPECT_EQ(TpLogWrite(TP_LOG_INFO, "app", "m", nullptr, 0), 0U);
  EXPECT_EQ(TpLogClose(json), 0U);
  std::array<char, 1024> data{};
  const ssize_t size = ::read(ends[0], data.data(), data.size());
  ASSERT_GT(size, 0);
  EXPECT_THAT(std::string(data.data(), static_cast<std::size_t>(size)),
              EndsWith("\"level\":\"info\",\"room\":\"app\",\"message\":\"m\"}\n"));
  EXPECT_EQ(::read(ends[0], data.data(), data.size()), 0) << "closing the sink closes its copy";
  ::close(ends[0]);
}

TEST_F(CLog, StderrTakesLines) {
  ::testing::internal::CaptureStderr();
  TpLogSink sink = 0;
  EXPECT_EQ(TpLogOpenStderr(TP_LOG_INFO, TP_LOG_PRIORITY, &sink), 0U);
  EXPECT_EQ(TpLogWrite(TP_LOG_NOTICE, "app", "m", nullptr, 0), 0U);
  EXPECT_EQ(TpLogClose(sink), 0U);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "<5>app: m\n");
}

TEST_F(CLog, TheJournalIsThereOrNotSupported) {
  const bool here = std::filesystem::is_socket("/run/systemd/journal/socket");
  TpLogSink sink = kUntouched;
  EXPECT_EQ(TpLogOpenJournal(TP_LOG_ERROR, nullptr, &sink), here ? 0U : kNotSupported);
  if (here) {
    EXPECT_EQ(TpLogClose(sink), 0U);
  } else {
    EXPECT_EQ(sink, kUntouched);
  }
}

}  // namespace
