// The Log itself: levels, sinks that come and go, limits, losses, threads. How a line looks is log_text_test.
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/log_capture.h"

namespace turnpike {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kMillisecond = 1'000'000;

struct TurnableTime {
  std::atomic<std::uint64_t> now_ns{0};

  LogTime port() {
    const auto read = [](void* self) { return static_cast<TurnableTime*>(self)->now_ns.load(); };
    return {read, read, this};
  }
  void turn_ms(std::uint64_t ms) { now_ns += ms * kMillisecond; }
};

// A sink that can be told to fail.
struct Fault {
  bool broken = false;
  bool throws = false;
  bool refuses_confessions = false;
  std::vector<std::string> lines;
};

class FaultySink : public LogSink {
 public:
  explicit FaultySink(Fault& fault) : fault_(fault) {}
  bool write(const LogRecord& record) override {
    if (fault_.throws) throw std::runtime_error("sink");
    if (fault_.broken || (fault_.refuses_confessions && record.room == "log")) return false;
    std::string line;
    append_human(line, record, LogPrefix::kPriority);
    fault_.lines.push_back(line.substr(0, line.size() - 1));
    return true;
  }

 private:
  Fault& fault_;
};

std::unique_ptr<LogSink> callback(std::function<void(const LogRecord&)> function) {
  return std::move(*make_callback_sink(std::move(function)));
}

TEST(Log, IsSilentUntilASinkIsOpened) {
  Log log;
  for (const auto level :
       {LogLevel::kError, LogLevel::kWarning, LogLevel::kNotice, LogLevel::kInfo, LogLevel::kDebug}) {
    EXPECT_FALSE(log.enabled(level));
    EXPECT_FALSE(process_log().enabled(level));
  }
  bool evaluated = false;
  TURNPIKE_LOG_TO(log, LogLevel::kError, "base", "nobody listens", {"n", evaluated = true});
  EXPECT_FALSE(evaluated);
}

TEST(Log, WritesARecordWithItsFieldsToASinkOfThatLevel) {
  Log log;
  const LogCapture warnings(log, LogLevel::kWarning);
  const LogCapture all(log, LogLevel::kDebug);
  const std::string name = "a name";
  TURNPIKE_LOG_TO(log, LogLevel::kWarning, "kernel", "netlink overrun", {"socket", 3}, {"name", name}, {"again", true});
  TURNPIKE_LOG_TO(log, LogLevel::kDebug, "rtm", "no fields");
  EXPECT_THAT(warnings.lines(), ElementsAre("<4>kernel: netlink overrun socket=3 name=\"a name\" again=true"));
  EXPECT_THAT(all.lines(), ElementsAre(warnings.lines()[0], "<7>rtm: no fields"));
}

TEST(Log, ProcessLogSpeaksOnceItsHostAsks) {
  const LogCapture capture(process_log(), LogLevel::kNotice);
  TURNPIKE_LOG(LogLevel::kNotice, "base", "heard");
  TURNPIKE_LOG(LogLevel::kInfo, "base", "not heard");
  EXPECT_THAT(capture.lines(), ElementsAre("<5>base: heard"));
}

TEST(Log, FieldsKeepTheirTypes) {
  const char* const null = nullptr;
  struct {
    [[nodiscard]] std::string_view view() const { return "seen"; }
  } text_in_place;
  EXPECT_EQ(LogField("k", std::int16_t{-2}).value, LogValue(std::int64_t{-2}));
  EXPECT_EQ(LogField("k", std::numeric_limits<std::uint64_t>::max()).value, LogValue(~std::uint64_t{0}));
  EXPECT_EQ(LogField("k", 1.5F).value, LogValue(1.5));
  EXPECT_EQ(LogField("k", false).value, LogValue(false));
  EXPECT_EQ(LogField("k", "text").value, LogValue(std::string_view("text")));
  EXPECT_EQ(LogField("k", text_in_place).value, LogValue(std::string_view("seen")));
  EXPECT_EQ(LogField("k", null).value, LogValue(std::string_view()));
}

TEST(Log, KeysFromOutsideAreChecked) {
  EXPECT_TRUE(LogKey::checked("next_hop4"));
  EXPECT_TRUE(LogKey::checked(std::string(40, 'a')));
  for (const std::string& wrong : {std::string(), std::string("Upper"), std::string("4th"), std::string("_x"),
                                   std::string("a b"), std::string("a\n"), std::string(41, 'a'), std::string("message"),
                                   std::string("time"), std::string("level"), std::string("room")}) {
    EXPECT_FALSE(LogKey::checked(wrong)) << wrong;
  }
}

TEST(Log, OpenRefusesWhatIsNoSinkOrNoLevelOrTooMany) {
  Log log;
  EXPECT_EQ(log.open(nullptr, LogLevel::kInfo).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(log.open(callback([](auto&) {}), static_cast<LogLevel>(2)).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(log.open(callback([](auto&) {}), static_cast<LogLevel>(8)).error().kind, ErrorKind::kInvalidArgument);
  std::vector<LogSinkId> open;
  for (std::uint32_t i = 0; i < Log::kMaxSinks; ++i) open.push_back(*log.open(callback([](auto&) {}), LogLevel::kInfo));
  EXPECT_EQ(log.open(callback([](auto&) {}), LogLevel::kInfo).error().kind, ErrorKind::kExhausted);
  ASSERT_TRUE(log.close(open[3]));
  EXPECT_TRUE(log.open(callback([](auto&) {}), LogLevel::kInfo));
}

TEST(Log, CloseRefusesWhatIsNotOpen) {
  Log log;
  const auto kind_of_close = [&log](LogSinkId id) {
    const auto closed = log.close(id);
    return closed ? std::string_view("closed") : name_of(closed.error().kind);
  };
  EXPECT_EQ(kind_of_close({}), "invalid handle");
  EXPECT_EQ(kind_of_close({Log::kMaxSinks, 1}), "invalid handle");
  EXPECT_EQ(kind_of_close({~0U, ~0U}), "invalid handle");
  const LogSinkId first = *log.open(callback([](auto&) {}), LogLevel::kInfo);
  EXPECT_EQ(kind_of_close(first), "closed");
  EXPECT_EQ(kind_of_close(first), "invalid handle");
  const LogSinkId second = *log.open(callback([](auto&) {}), LogLevel::kInfo);
  EXPECT_EQ(second.index, first.index) << "the slot is used again";
  EXPECT_EQ(kind_of_close(first), "invalid handle") << "a stale id does not close the slot's next sink";
  EXPECT_EQ(log.set_level(first, LogLevel::kError).error().kind, ErrorKind::kInvalidHandle);
  EXPECT_EQ(kind_of_close(second), "closed");
}

TEST(Log, TheMostTalkativeSinkDecidesWhatIsEnabled) {
  Log log;
  const LogSinkId a = *log.open(callback([](auto&) {}), LogLevel::kError);
  const LogSinkId b = *log.open(callback([](auto&) {}), LogLevel::kInfo);
  EXPECT_TRUE(log.enabled(LogLevel::kInfo));
  EXPECT_FALSE(log.enabled(LogLevel::kDebug));
  EXPECT_TRUE(log.set_level(a, LogLevel::kDebug));
  EXPECT_TRUE(log.enabled(LogLevel::kDebug));
  EXPECT_EQ(log.set_level(a, static_cast<LogLevel>(0)).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(log.close(a));
  EXPECT_FALSE(log.enabled(LogLevel::kDebug));
  EXPECT_TRUE(log.enabled(LogLevel::kInfo)) << "the other sink still wants it";
  const LogSinkId c = *log.open(callback([](auto&) {}), LogLevel::kError);
  EXPECT_TRUE(log.enabled(LogLevel::kInfo)) << "whoever came last";
  EXPECT_TRUE(log.close(c));
  EXPECT_TRUE(log.close(b));
  EXPECT_FALSE(log.enabled(LogLevel::kError));
}

TEST(Log, WriteWithoutASiteChecksItsLevel) {
  Log log;
  EXPECT_TRUE(log.write(LogLevel::kError, "app", "nobody listens", {}));
  const LogCapture capture(log, LogLevel::kInfo);
  const LogField field("n", 1);
  EXPECT_TRUE(log.write(LogLevel::kInfo, "app", "from outside", {&field, 1}));
  EXPECT_TRUE(log.write(LogLevel::kDebug, "app", "too fine", {}));
  EXPECT_EQ(log.write(static_cast<LogLevel>(9), "app", "none", {}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(capture.lines(), ElementsAre("<6>app: from outside n=1"));
}

TEST(LogLimit, HoldsBackWhatIsTooMuchAndTellsItOnce) {
  TurnableTime time;
  Log log(time.port());
  const LogCapture capture(log);
  const auto speak = [&log](int n) {
    TURNPIKE_LOG_LIMITED(log, (LogLimit{2, 1000}), LogLevel::kWarning, "kernel", "overrun", {"n", n});
  };
  for (int n = 0; n < 5; ++n) speak(n);
  EXPECT_THAT(capture.lines(), ElementsAre("<4>kernel: overrun n=0", "<4>kernel: overrun n=1"));
  time.turn_ms(1000);
  speak(5);
  time.turn_ms(1000);
  speak(6);
  EXPECT_THAT(capture.lines(), ElementsAre("<4>kernel: overrun n=0", "<4>kernel: overrun n=1",
                                           "<4>kernel: overrun: suppressed 3 times suppressed=3",
                                           "<4>kernel: overrun n=5", "<4>kernel: overrun n=6"));
  EXPECT_EQ(log.stats().suppressed, 3U);
}

TEST(LogLimit, AnybodysLineTellsAfterTheInterval) {
  TurnableTime time;
  Log log(time.port());
  const LogCapture capture(log);
  const auto speak = [&log] { TURNPIKE_LOG_LIMITED(log, (LogLimit{1, 1000}), LogLevel::kError, "a", "often"); };
  const auto other = [&log] { TURNPIKE_LOG_LIMITED(log, (LogLimit{9, 1000}), LogLevel::kError, "b", "other"); };
  speak();
  speak();
  other();
  time.turn_ms(1000);
  other();
  EXPECT_THAT(capture.lines(),
              ElementsAre("<3>a: often", "<3>b: other", "<3>a: often: suppressed 1 times suppressed=1", "<3>b: other"));
}

TEST(LogLimit, ClosingASinkTellsWhatIsStillUntold) {
  TurnableTime time;
  Log log(time.port());
  Fault sink;
  const LogSinkId id = *log.open(std::make_unique<FaultySink>(sink), LogLevel::kInfo);
  for (int n = 0; n < 3; ++n) TURNPIKE_LOG_LIMITED(log, (LogLimit{1, 1000}), LogLevel::kInfo, "a", "often");
  ASSERT_TRUE(log.close(id));
  EXPECT_THAT(sink.lines, ElementsAre("<6>a: often", "<6>a: often: suppressed 2 times suppressed=2"));
}

TEST(LogLimit, ASiteOutlivesALogThatHeldItBack) {
  TurnableTime time;
  const auto speak = [](Log& log) { TURNPIKE_LOG_LIMITED(log, (LogLimit{1, 1000}), LogLevel::kInfo, "a", "often"); };
  for (int round = 0; round < 3; ++round) {
    Log log(time.port());
    const LogCapture capture(log);
    speak(log);
    speak(log);
    EXPECT_EQ(capture.lines().size(), 1U);
    time.turn_ms(1000);
  }
}

TEST(LogLimit, DebugIsNotLimitedAndTheRestIs) {
  EXPECT_EQ(LogLimit::usual_for(LogLevel::kDebug).lines, 0U);
  EXPECT_EQ(LogLimit::usual_for(LogLevel::kError).lines, 10U);
  TurnableTime time;
  Log log(time.port());
  const LogCapture capture(log);
  for (int n = 0; n < 100; ++n) {
    TURNPIKE_LOG_TO(log, LogLevel::kDebug, "a", "fine");
    TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "coarse");
  }
  EXPECT_EQ(capture.lines().size(), 110U);
}

TEST(LogLimit, AZeroIntervalAndALongMessageAreHarmless) {
  TurnableTime time;
  Log log(time.port());
  const LogCapture capture(log);
  static const std::string message(1000, 'm');
  LogSite site(LogLevel::kInfo, "a", message.c_str(), {1, 0});
  log.write(site, {});
  log.write(site, {});
  time.turn_ms(1);
  log.write(site, {});
  ASSERT_EQ(capture.lines().size(), 3U);
  EXPECT_EQ(capture.lines()[1], "<6>a: " + std::string(200, 'm') + ": suppressed 1 times suppressed=1");
}

TEST(LogLoss, IsCountedAndToldOnceWhenTheSinkIsBack) {
  Log log;
  Fault fault;
  ASSERT_TRUE(log.open(std::make_unique<FaultySink>(fault), LogLevel::kInfo));
  const LogCapture healthy(log, LogLevel::kInfo);
  const auto speak = [&log](int n) { TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "line", {"n", n}); };
  fault.broken = true;
  speak(1);
  speak(2);
  fault.throws = true;
  speak(3);
  EXPECT_EQ(log.stats().lost, 3U);
  fault = {};
  speak(4);
  speak(5);
  EXPECT_THAT(fault.lines, ElementsAre("<4>log: lines were lost here lost=3", "<6>a: line n=4", "<6>a: line n=5"));
  EXPECT_EQ(log.stats().lost, 3U);
  EXPECT_EQ(healthy.lines().size(), 5U) << "one sink's trouble is not another's";
}

TEST(LogLoss, NoLineIsWrittenBeforeTheConfession) {
  Log log;
  Fault fault;
  ASSERT_TRUE(log.open(std::make_unique<FaultySink>(fault), LogLevel::kInfo));
  const auto speak = [&log](int n) { TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "line", {"n", n}); };
  fault.broken = true;
  speak(1);
  fault.broken = false;
  fault.refuses_confessions = true;
  speak(2);
  EXPECT_THAT(fault.lines, ElementsAre());
  fault = {};
  speak(3);
  EXPECT_THAT(fault.lines, ElementsAre("<4>log: lines were lost here lost=2", "<6>a: line n=3"));
}

TEST(LogLoss, IsToldToASinkThatWantsErrorsOnly) {
  Log log;
  Fault fault;
  fault.broken = true;
  ASSERT_TRUE(log.open(std::make_unique<FaultySink>(fault), LogLevel::kError));
  TURNPIKE_LOG_TO(log, LogLevel::kError, "a", "first");
  fault.broken = false;
  TURNPIKE_LOG_TO(log, LogLevel::kError, "a", "second");
  EXPECT_THAT(fault.lines, ElementsAre("<4>log: lines were lost here lost=1", "<3>a: second"));
}

TEST(LogCallback, MayOpenAndSetLevelsButNeitherCloseNorLog) {
  Log log;
  LogSinkId self;
  std::vector<std::string_view> answers;
  self = *log.open(callback([&](const LogRecord&) {
                     const auto opened = log.open(callback([](auto&) {}), LogLevel::kError);
                     answers.emplace_back(opened ? "opened" : "refused");
                     answers.emplace_back(log.set_level(self, LogLevel::kNotice) ? "set" : "refused");
                     answers.push_back(name_of(log.close(self).error().kind));
                     answers.push_back(name_of(log.write(LogLevel::kError, "a", "again", {}).error().kind));
                     TURNPIKE_LOG_TO(log, LogLevel::kError, "a", "again");
                   }),
                   LogLevel::kInfo);
  TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "once");
  TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "below the new level");
  EXPECT_THAT(answers, ElementsAre("opened", "set", "busy", "busy"));
  EXPECT_EQ(log.stats().lost, 2U);
  EXPECT_TRUE(log.close(self));
}

TEST(Log, LeavesErrnoAlone) {
  Log log;
  const LogSinkId id = *log.open(callback([](auto&) { errno = EPIPE; }), LogLevel::kInfo);
  errno = ENOBUFS;
  TURNPIKE_LOG_TO(log, LogLevel::kInfo, "a", "line");
  EXPECT_EQ(errno, ENOBUFS);
  EXPECT_TRUE(log.close(id));
}

TEST(LogCallback, AnEmptyFunctionIsRefused) {
  EXPECT_EQ(make_callback_sink({}).error().kind, ErrorKind::kInvalidArgument);
}

// The heart of `close`: while a callback runs close waits, and when it has returned none runs or will run.
TEST(LogThreads, CloseWaitsForTheCallbackInFlightAndNoneComesAfter) {
  Log log;
  std::atomic<bool> open{true};
  std::atomic<int> calls{0};
  std::atomic<int> after{0};
  std::atomic<bool> stop{false};
  const LogSinkId id = *log.open(callback([&](const LogRecord&) {
                                   ++calls;
                                   if (!open) ++after;
                                 }),
                                 LogLevel::kInfo);
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      while (!stop) TURNPIKE_LOG_LIMITED(log, (LogLimit{0, 0}), LogLevel::kInfo, "a", "line");
    });
  }
  while (calls < 100) std::this_thread::yield();
  ASSERT_TRUE(log.close(id));
  open = false;
  const LogCapture next(log, LogLevel::kInfo);  // takes the same slot
  while (next.lines().empty()) std::this_thread::yield();
  stop = true;
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(after, 0);
}

// Writers queue for a slot while its sink is busy; when they have it, it may be somebody else's.
TEST(LogThreads, ANewSinkGetsNoLineThatItsPredecessorWanted) {
  Log log;
  std::atomic<bool> stop{false};
  std::atomic<int> unwanted{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      while (!stop) TURNPIKE_LOG_LIMITED(log, (LogLimit{0, 0}), LogLevel::kInfo, "a", "line");
    });
  }
  for (int round = 0; round < 40; ++round) {
    std::atomic<int> lines{0};
    const LogSinkId talkative = *log.open(callback([&](auto&) {
                                            ++lines;
                                            std::this_thread::yield();
                                          }),
                                          LogLevel::kInfo);
    while (lines == 0) std::this_thread::yield();
    ASSERT_TRUE(log.close(talkative));
    const LogSinkId quiet = *log.open(callback([&](auto&) { ++unwanted; }), LogLevel::kError);
    ASSERT_EQ(quiet.index, talkative.index);
    for (int i = 0; i < 5; ++i) std::this_thread::yield();  // let those who queued find it
    ASSERT_TRUE(log.close(quiet));
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(unwanted, 0);
}

TEST(LogThreads, ALimitAdmitsExactlyItsNumberAndNothingGoesUncounted) {
  TurnableTime time;
  Log log(time.port());
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::atomic<std::uint64_t> told{0};
  std::atomic<int> written{0};
  const LogSinkId id = *log.open(callback([&](const LogRecord& record) {
                                   if (record.fields.empty()) {
                                     ++written;
                                   } else {
                                     told += std::get<std::uint64_t>(record.fields[0].value);
                                   }
                                 }),
                                 LogLevel::kInfo);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) TURNPIKE_LOG_LIMITED(log, (LogLimit{7, 1000}), LogLevel::kInfo, "a", "line");
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(written, 7);
  ASSERT_TRUE(log.close(id));
  EXPECT_EQ(told, std::uint64_t{kThreads * kEach - 7});
}

TEST(LogThreads, TellingAndSuppressingAtOnceLosesNoCount) {
  TurnableTime time;
  Log log(time.port());
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::atomic<std::uint64_t> accounted{0};
  const LogSinkId id = *log.open(callback([&](const LogRecord& record) {
                                   accounted +=
                                       record.fields.empty() ? 1 : std::get<std::uint64_t>(record.fields[0].value);
                                 }),
                                 LogLevel::kInfo);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        TURNPIKE_LOG_LIMITED(log, (LogLimit{1, 1}), LogLevel::kInfo, "a", "line");
        if (n % 10 == 0) time.turn_ms(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(log.close(id));
  EXPECT_EQ(accounted, std::uint64_t{kThreads * kEach});
}

TEST(LogThreads, SinksComeAndGoWhileOthersLog) {
  Log log;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) TURNPIKE_LOG_LIMITED(log, (LogLimit{3, 1}), LogLevel::kInfo, "a", "line");
  });
  std::vector<std::thread> openers;
  for (int i = 0; i < 3; ++i) {
    openers.emplace_back([&] {
      for (int n = 0; n < 300; ++n) {
        const LogCapture capture(log, LogLevel::kInfo);
        ASSERT_TRUE(capture.is_open());
      }
    });
  }
  for (auto& opener : openers) opener.join();
  stop = true;
  writer.join();
  EXPECT_FALSE(log.enabled(LogLevel::kError));
}

TEST(LogThreads, OnlyOneOfTwoClosesSucceeds) {
  Log log;
  for (int n = 0; n < 200; ++n) {
    const LogSinkId id = *log.open(callback([](auto&) {}), LogLevel::kInfo);
    std::atomic<int> closed{0};
    const auto close = [&] { closed += log.close(id) ? 1 : 0; };
    std::thread other(close);
    close();
    other.join();
    ASSERT_EQ(closed, 1);
  }
}

TEST(LogLevels, HaveNames) {
  EXPECT_EQ(name_of(LogLevel::kError), "error");
  EXPECT_EQ(name_of(LogLevel::kNotice), "notice");
  EXPECT_EQ(name_of(static_cast<LogLevel>(99)), "debug");
}

}  // namespace
}  // namespace turnpike
