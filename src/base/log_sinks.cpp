// How lines are written to a descriptor.
//
// A host hands us whatever its standard error is: a terminal, a file, a pipe to a pager that sleeps, a pipe whose
// reader has died, a socket. Setting O_NONBLOCK would change the open file description for every process that shares
// it, and writing to a dead pipe raises SIGPIPE, which ends a host that did not expect a library to write at all. So a
// line goes out in pieces of PIPE_BUF, each after a poll() that does not wait (a pipe that polls writable takes so much
// without blocking), with SIGPIPE blocked for this thread and taken back if our write raised it. Five system calls for
// a line, about a microsecond, paid only by lines that somebody reads. What did not fit is dropped and reported; the
// line after an amputated one starts on a line of its own.
#include "base/log_sinks.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "base/descriptor.h"

namespace turnpike {
namespace {

// Keeps SIGPIPE from this thread while it lives. One that is pending already is the host's and stays.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    if (!was_pending_) pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;
  ~WithoutSigpipe() {
    if (was_pending_) return;  // then it is blocked, and stays so
    constexpr timespec kNow{};
    if (raised_) sigtimedwait(&pipe_, nullptr, &kNow);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  void raised() { raised_ = true; }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
  bool raised_ = false;
};

// How many bytes of `data` the descriptor took without waiting.
std::size_t write_now(int descriptor, std::string_view data) {
  WithoutSigpipe guard;
  std::size_t done = 0;
  while (done < data.size()) {
    pollfd ready{descriptor, POLLOUT, 0};
    if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0 || (ready.revents & POLLERR) != 0) break;
    const ssize_t written =
        ::write(descriptor, data.data() + done, std::min<std::size_t>(data.size() - done, PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) guard.raised();
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

// Lines to a descriptor, in the form that `Append` gives them.
template <class Append>
class LineSink : public LogSink {
 public:
  LineSink(Descriptor owned, int descriptor, Append append)
      : owned_(std::move(owned)), descriptor_(descriptor), append_(append) {}

  bool write(const LogRecord& record) override {
    line_.clear();
    if (amputated_) line_.push_back('\n');
    append_(line_, record);
    const std::size_t done = write_now(descriptor_, line_);
    if (done != 0) amputated_ = line_[done - 1] != '\n';
    const bool whole = done == line_.size();
    detail::trim(line_);
    return whole;
  }

 private:
  Descriptor owned_;
  int descriptor_;
  Append append_;
  std::string line_;
  bool amputated_ = false;  // the last thing written was not the end of a line
};

class CallbackSink : public LogSink {
 public:
  explicit CallbackSink(std::function<void(const LogRecord&)> callback) : callback_(std::move(callback)) {}
  bool write(const LogRecord& record) override {
    callback_(record);
    return true;
  }

 private:
  std::function<void(const LogRecord&)> callback_;
};

template <class Append>
Result<std::unique_ptr<LogSink>> make_line_sink(Descriptor owned, int descriptor, Append append) noexcept {
  return detail::in_memory([&] { return std::make_unique<LineSink<Append>>(std::move(owned), descriptor, append); });
}

}  // namespace

Result<std::unique_ptr<LogSink>> make_stderr_sink(LogPrefix prefix) noexcept {
  return make_line_sink(Descriptor(-1), STDERR_FILENO,
                        [prefix](std::string& out, const LogRecord& record) { append_human(out, record, prefix); });
}

Result<std::unique_ptr<LogSink>> make_json_sink(int descriptor) noexcept {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) != 0) {
    return fail(ErrorKind::kInvalidHandle, "the descriptor is not open for writing");
  }
  Descriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!copy.is_open()) return fail(ErrorKind::kExhausted, "no descriptor is left");
  const int number = copy.number();
  return make_line_sink(std::move(copy), number, append_json);
}

Result<std::unique_ptr<LogSink>> make_callback_sink(std::function<void(const LogRecord&)> callback) noexcept {
  if (!callback) return fail(ErrorKind::kInvalidArgument, "no callback");
  return detail::in_memory([&] { return std::make_unique<CallbackSink>(std::move(callback)); });
}

}  // namespace turnpike
