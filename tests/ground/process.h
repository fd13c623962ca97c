// Commands run by a test: to their end, or kept beside it. They start in the network namespace of the calling thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ground/descriptor.h"

namespace turnpike::ground {

using Words = std::vector<std::string>;

// How a process ended: its exit code, or 128 + the signal that killed it, as the shell has it.
using Status = int;

struct Output {
  Status status = 0;
  std::string out;
  std::string err;
};

// Runs a command to its end, with `input` as its standard input. A command that cannot be started ends with 127, as in
// the shell. One that is not done in time is killed, and a GroundError says so.
Output attempt(const Words& command, milliseconds within = kSoon, std::string_view input = {});

// The same, for a command that must succeed: gives its standard output, or throws its standard error.
std::string run(const Words& command, milliseconds within = kSoon, std::string_view input = {});

// A process that stays beside the test. It is killed and reaped with this object; what it leaves behind (daemons that
// cut themselves loose) dies with the ground's process namespace.
class Process {
 public:
  explicit Process(const Words& command);
  Process(Process&&) noexcept = default;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  // Waits for its end.
  Status await_end(milliseconds within = kSoon);

  // Waits until what it has written (output and errors, in one stream) holds `text`; gives all that it has written so
  // far. A process that ends or falls silent without it: GroundError with what it did write. The stream holds one MiB
  // before a process that nobody reads from has to wait.
  const std::string& await_output(std::string_view text, milliseconds within = kSoon);

  // Waits until nobody can write to that stream any more: the process is gone, and so are all that inherited it.
  // False when somebody is still there.
  bool await_silence(milliseconds within = kSoon);

 private:
  Descriptor output_;
  Descriptor handle_;  // a pidfd: what poll can wait for
  pid_t pid_ = -1;
  std::string written_;
  std::optional<Status> status_;
};

// The words with blanks between, for messages.
std::string text_of(const Words& command);

// What waitpid says, as a Status.
Status status_of(int wait_status);

}  // namespace turnpike::ground
