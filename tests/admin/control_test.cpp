// The control socket, both ends: answers, streams, clients that leave or say nonsense.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>

#include "admin/client/router_client.h"
#include "admin/server/control_server.h"
#include "admin/wire/frame.h"

namespace turnpike::admin {
namespace {

Value sample() {
  Value deep = Value::List{};
  return Value::Object{{"nothing", Value()},
                       {"flags", Value::List{true, false}},
                       {"number", std::int64_t{-5}},
                       {"text", "a \"text\"\n"},
                       {"empty", deep},
                       {"object", Value::Object{{"inner", "x"}}}};
}

TEST(Frame, GoesThereAndBack) {
  std::string bytes;
  put_frame(bytes, sample());
  put_frame(bytes, Value("next"));
  const auto first = take_frame(bytes, kLargestRequest);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(to_json(**first), to_json(sample()));
  const auto second = take_frame(bytes, kLargestRequest);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ(to_json(**second), "\"next\"");
  const auto third = take_frame(bytes, kLargestRequest);
  ASSERT_TRUE(third);
  EXPECT_FALSE(*third);
}

TEST(Frame, OfWhichAPartIsThereIsWaitedForAndBrokenOnesAreRefused) {
  std::string whole;
  put_frame(whole, sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string part = whole.substr(0, size);
    const auto taken = take_frame(part, kLargestRequest);
    ASSERT_TRUE(taken) << size;
    EXPECT_FALSE(*taken);
  }
  std::size_t refused = 0;
  for (std::size_t at = 4; at < whole.size(); ++at) {
    for (const char byte : {'\x00', '\x05', '\x06', '\x7f', '\xff'}) {
      std::string broken = whole;
      broken[at] = byte;
      refused += take_frame(broken, kLargestRequest) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 50U);
  std::string large(4, '\xff');
  EXPECT_FALSE(take_frame(large, kLargestRequest));
  std::string deep("\0\0\0\0", 4);
  for (int i = 0; i < 100; ++i) deep += std::string("\x05\x01\0\0\0", 5);
  deep[0] = static_cast<char>((deep.size() - 4) & 0xFF);
  deep[1] = static_cast<char>((deep.size() - 4) >> 8);
  EXPECT_FALSE(take_frame(deep, kLargestRequest));
}

class Control : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "turnpike-control-" + std::to_string(::getpid());
    auto server = ControlServer::open(path_, [this](const Request& request) { return answer(request); });
    ASSERT_TRUE(server) << server.error().what;
    server_ = std::move(*server);
  }

  Reply answer(const Request& request) {
    asked_ += 1;
    if (request.words == std::vector<std::string>{"watch"}) return {{Value("begin")}, true};
    if (request.words == std::vector<std::string>{"large"})
      return {{Value(std::string(std::size_t{8} << 20, 'x'))}, false};
    if (request.words == std::vector<std::string>{"long"}) {
      Reply reply;
      reply.more = [this, next = std::int64_t{0}]() mutable -> std::optional<Value> {
        if (next == kParts) return std::nullopt;
        made_ += 1;
        return Value(Value::List{Value(next++), Value(std::string(4096, 'x'))});
      };
      return reply;
    }
    Value::List words;
    for (const std::string& word : request.words) words.emplace_back(word);
    return {{Value(std::move(words)), Value(static_cast<std::int64_t>(request.user))}, false};
  }

  Descriptor raw() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, path_.size());
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  }

  std::string path_;
  static constexpr std::int64_t kParts = 2000;

  std::unique_ptr<ControlServer> server_;
  std::atomic<int> asked_ = 0;
  std::atomic<std::int64_t> made_ = 0;  // parts of the long answer
};

TEST_F(Control, AnswersWhoAsksAndKnowsWhoItIs) {
  auto client = RouterClient::connect(path_);
  ASSERT_TRUE(client);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> parts;
    const auto done = client->ask({"show", "route"}, [&](const Value& part) {
      parts.push_back(to_json(part));
      return true;
    });
    ASSERT_TRUE(done);
    EXPECT_EQ(parts, (std::vector<std::string>{"[\"show\",\"route\"]", std::to_string(::getuid())}));
  }
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660U);
}

TEST_F(Control, GivesLargeAnswersWhole) {
  auto client = RouterClient::connect(path_);
  ASSERT_TRUE(client);
  std::size_t size = 0;
  ASSERT_TRUE(client->ask({"large"}, [&](const Value& part) {
    size = std::get<std::string>(part.held).size();
    return true;
  }));
  EXPECT_EQ(size, std::size_t{8} << 20);
}

TEST_F(Control, MakesTheNextPartWhenTheFormerIsTakenAndServesOthersInBetween) {
  auto slow = RouterClient::connect(path_);
  auto other = RouterClient::connect(path_);
  ASSERT_TRUE(slow && other);
  std::int64_t seen = 0;
  ASSERT_TRUE(slow->ask({"long"}, [&](const Value& part) {
    EXPECT_EQ(std::get<std::int64_t>(std::get<Value::List>(part.held)[0].held), seen);
    if (++seen == 10) {
      // As much as the socket holds was made, not all.
      EXPECT_LT(made_, kParts / 2);
      EXPECT_TRUE(other->ask({"large"}, [](const Value&) { return true; }));
    }
    return true;
  }));
  EXPECT_EQ(seen, kParts);
  EXPECT_EQ(made_, kParts);
}

TEST_F(Control, ForgetsTheRestOfAnAnswerWhenTheClientLeaves) {
  {
    auto slow = RouterClient::connect(path_);
    ASSERT_TRUE(slow);
    ASSERT_TRUE(slow->ask({"long"}, [&](const Value&) { return false; }));
  }
  auto other = RouterClient::connect(path_);
  ASSERT_TRUE(other->ask({"large"}, [](const Value&) { return true; }));
  EXPECT_LT(made_, kParts);
}

TEST_F(Control, StreamsWhatIsPublishedUntilTheClientLeaves) {
  auto client = RouterClient::connect(path_);
  ASSERT_TRUE(client);
  int seen = 0;
  ASSERT_TRUE(client->ask({"watch"}, [&](const Value& part) {
    if (seen == 0) {
      EXPECT_EQ(to_json(part), "\"begin\"");
      for (std::int64_t i = 1; i <= 3; ++i) server_->publish(Value(i));
    } else {
      EXPECT_EQ(to_json(part), std::to_string(seen));
    }
    return ++seen <= 3;
  }));
  EXPECT_EQ(seen, 4);
}

TEST_F(Control, HangsUpOnNonsenseAndServesTheNext) {
  for (const std::string& nonsense : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(70'000, '\0'),
                                      std::string("\x01\0\0\0\x02", 5), std::string("\x01\0\0\0\x09", 5)}) {
    const Descriptor socket = raw();
    (void)!::send(socket.number(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL);
    char byte = 0;
    EXPECT_LE(::recv(socket.number(), &byte, 1, 0), 0);
  }
  auto client = RouterClient::connect(path_);
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->ask({"x"}, [](const Value&) { return true; }));
  EXPECT_EQ(asked_, 1);
}

TEST_F(Control, IsOneAtAPathAndReplacesADeadOne) {
  const auto refuse = [](const Request&) { return Reply{}; };
  const auto second = ControlServer::open(path_, refuse);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kAlreadyExists);
  // A daemon that was killed leaves its socket.
  const std::string dead = path_ + ".dead";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  dead.copy(address.sun_path, dead.size());
  {
    const Descriptor left(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(left.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(ControlServer::open(dead, refuse));
  EXPECT_NE(::access(dead.c_str(), F_OK), 0) << "the socket's file is left";
  EXPECT_FALSE(ControlServer::open("", refuse));
  EXPECT_FALSE(ControlServer::open(std::string(200, 'x'), refuse));
  EXPECT_FALSE(ControlServer::open("/no/such/folder/control", refuse));
}

TEST_F(Control, ThatIsGoneIsToldToTheClient) {
  auto client = RouterClient::connect(path_);
  ASSERT_TRUE(client);
  server_.reset();
  EXPECT_FALSE(client->ask({"x"}, [](const Value&) { return true; }));
  EXPECT_EQ(RouterClient::connect(path_).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace turnpike::admin
