#include "ground/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 does not say itself that these are C functions
}

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace turnpike::ground {
namespace {

constexpr Status kNotStarted = 127;

// posix_spawn, not fork: cheap under sanitizers, and it keeps the calling thread's namespaces. Gives the pid, or
// -errno.
pid_t start(const Words& command, int input, int output, int errors) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  return code == 0 ? pid : -code;
}

Descriptor input_of(std::string_view text) {
  if (text.empty()) return own(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
  Descriptor file = own(::memfd_create("input", MFD_CLOEXEC), "memfd_create");
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail_with_errno("write");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// Reads both streams to their ends; false when the time is over first.
bool read_both(const Pipe& out, const Pipe& err, const Deadline& deadline, Output& output) {
  std::array<pollfd, 2> ends{{{out.read_end.get(), POLLIN, 0}, {err.read_end.get(), POLLIN, 0}}};
  const std::array<std::string*, 2> texts{&output.out, &output.err};
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const int ready = ::poll(ends.data(), ends.size(), deadline.left());
    if (ready < 0 && errno != EINTR) fail_with_errno("poll");
    if (ready == 0) return false;
    for (std::size_t i = 0; ready > 0 && i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const auto bytes = read_some(ends[i].fd);
      if (bytes && bytes->empty()) ends[i].fd = -1;
      if (bytes) texts[i]->append(*bytes);
    }
  }
  return true;
}

}  // namespace

std::string text_of(const Words& command) {
  std::string text;
  for (const auto& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

Status status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Output attempt(const Words& command, milliseconds within, std::string_view input) {
  const Deadline deadline(within);
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const pid_t pid = start(command, input_of(input).get(), out.write_end.get(), err.write_end.get());
  if (pid < 0) return Output{kNotStarted, "", command[0] + ": " + std::generic_category().message(-pid)};
  out.write_end.reset();
  err.write_end.reset();
  const Descriptor handle = own(::pidfd_open(pid, 0), "pidfd_open");
  Output output;
  const bool ended = read_both(out, err, deadline, output) && deadline.await_readable(handle.get());
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!ended) throw GroundError(text_of(command) + ": not done in time; wrote: " + output.out + output.err);
  output.status = status_of(status);
  return output;
}

std::string run(const Words& command, milliseconds within, std::string_view input) {
  Output output = attempt(command, within, input);
  if (output.status != 0) {
    throw GroundError(text_of(command) + ": ended with " + std::to_string(output.status) + ": " + output.err +
                      output.out);
  }
  return std::move(output.out);
}

Process::Process(const Words& command) {
  Pipe pipe = make_pipe();
  ::fcntl(pipe.write_end.get(), F_SETPIPE_SZ, 1 << 20);
  pid_ = start(command, input_of({}).get(), pipe.write_end.get(), pipe.write_end.get());
  if (pid_ < 0) throw GroundError(command[0] + ": " + std::generic_category().message(-pid_));
  handle_ = own(::pidfd_open(pid_, 0), "pidfd_open");
  output_ = std::move(pipe.read_end);
}

Process::~Process() {
  if (handle_.get() < 0 || status_) return;
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const { ::pidfd_send_signal(handle_.get(), number, nullptr, 0); }

Status Process::await_end(milliseconds within) {
  if (status_) return *status_;
  if (!Deadline(within).await_readable(handle_.get())) throw GroundError("process has not ended in time");
  int status = 0;
  ::waitpid(pid_, &status, 0);
  status_ = status_of(status);
  return *status_;
}

const std::string& Process::await_output(std::string_view text, milliseconds within) {
  const Deadline deadline(within);
  while (written_.find(text) == std::string::npos) {
    const auto bytes = deadline.await_readable(output_.get()) ? read_some(output_.get()) : std::nullopt;
    if (!bytes || bytes->empty()) {
      throw GroundError("process did not write \"" + std::string(text) + "\"; it wrote: " + written_);
    }
    written_ += *bytes;
  }
  return written_;
}

bool Process::await_silence(milliseconds within) {
  const Deadline deadline(within);
  while (deadline.await_readable(output_.get())) {
    const auto bytes = read_some(output_.get());
    if (bytes && bytes->empty()) return true;
    written_ += bytes.value_or("");
  }
  return false;
}

}  // namespace turnpike::ground
