// What answers at the control socket: the first transport of administration, for the machine's own users.
//
// One thread of its own, woken by requests alone. A client that reads slowly delays nobody: what it has not taken is
// kept, up to a limit, and one beyond it is hung up on. Who may connect is the socket file's mode; who it is comes with
// each request.
//
// A request is a list of words; the answer is `{value: …}` as often as there are parts, then `{}`. Parts of a long
// answer are made as the client takes them, one at a time and in turn with what others want, so that its length costs
// neither memory nor anybody's time. A stream (monitor) goes on until the client leaves.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/value.h"

namespace turnpike::admin {

struct Request {
  std::vector<std::string> words;
  uid_t user = 0;  // who asks
};

// What a request gets. A stream is subscribed to what `ControlServer::publish` says from then on.
struct Reply {
  std::vector<Value> parts;
  bool is_stream = false;
  // The parts behind these, one a call, nothing at the end; empty: there are none.
  std::function<std::optional<Value>()> more = {};
};

class ControlServer {
 public:
  using Answer = std::function<Reply(const Request&)>;

  // Listens at the path; `answer` is called on the server's thread, one request at a time. A socket that nobody answers
  // at any more is replaced. kAlreadyExists: somebody answers there. kKernel.
  static Result<std::unique_ptr<ControlServer>> open(const std::string& path, Answer answer);

  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  // When it returns, no answer is being made, and the socket's file is gone.
  ~ControlServer();

  // Whether anybody listens to what is published.
  [[nodiscard]] bool has_streams() const { return streams_.load(std::memory_order_relaxed) != 0; }
  // Hands it to every stream, from any thread; waits for nobody.
  void publish(const Value& value);

 private:
  static constexpr std::size_t kMostClients = 64;
  static constexpr std::size_t kMostWaiting = std::size_t{4} << 20;  // bytes that a stream may lag behind

  struct Client {
    Descriptor socket;
    uid_t user = 0;
    std::string in;
    std::string out;
    std::size_t sent = 0;
    bool is_stream = false;
    std::function<std::optional<Value>()> more = {};  // of an answer that is not over
  };

  ControlServer(std::string path, Descriptor listener, Descriptor wake, Answer answer);
  void run();
  bool poll_once();
  void accept();
  bool serve(Client& client, short events);
  bool receive(Client& client);
  static void go_on(Client& client);
  static bool flush(Client& client);
  void hand_out();
  void wake();

  const std::string path_;
  Descriptor listener_;
  Descriptor wake_;
  const Answer answer_;
  std::vector<std::unique_ptr<Client>> clients_;  // of the thread alone

  std::atomic<std::size_t> streams_{0};
  std::mutex mutex_;
  std::string published_;  // frames for the streams
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace turnpike::admin
