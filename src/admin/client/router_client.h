// What asks a running router: one connection to its control socket, one request at a time. Another transport takes its
// place without a change to who asks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/value.h"

namespace turnpike::admin {

class RouterClient {
 public:
  // kNotFound: nobody answers there. kDenied: this user may not.
  static Result<RouterClient> connect(const std::string& path);

  // Sends the words and hands each part of the answer to `take`, until it says false or the answer is over. What the
  // router refuses comes as an object with `error`. kKernel: the connection broke.
  Result<void> ask(const std::vector<std::string>& words, const std::function<bool(const Value&)>& take);

 private:
  explicit RouterClient(Descriptor socket) : socket_(std::move(socket)) {}
  Result<void> send(const std::string& bytes);
  Result<Value> receive();

  Descriptor socket_;
  std::string in_;
};

}  // namespace turnpike::admin
