#include "ground/play.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

namespace turnpike::ground {
namespace {

constexpr const char* kVariable = "TURNPIKE_GROUND";

// A finding on its way through the pipe: one line of kind, line, sizes; then the two texts.
std::string packed(const Finding& finding) {
  std::ostringstream text;
  text << static_cast<int>(finding.kind) << ' ' << finding.line << ' ' << finding.file.size() << ' '
       << finding.message.size() << '\n'
       << finding.file << finding.message;
  return text.str();
}

std::vector<Finding> unpacked(const std::string& text) {
  std::vector<Finding> findings;
  std::istringstream in(text);
  int kind = 0;
  std::size_t file_size = 0;
  std::size_t message_size = 0;
  for (Finding finding; in >> kind >> finding.line >> file_size >> message_size && in.get() == '\n';) {
    finding.kind = static_cast<Finding::Kind>(kind);
    finding.file.resize(file_size);
    finding.message.resize(message_size);
    in.read(finding.file.data(), static_cast<std::streamsize>(file_size));
    in.read(finding.message.data(), static_cast<std::streamsize>(message_size));
    findings.push_back(finding);
  }
  return findings;
}

// Sends what the inner test finds to the outer one, instead of printing it.
class Relay : public testing::EmptyTestEventListener {
 public:
  explicit Relay(int results) : results_(results) {}

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.passed()) return;
    const std::string text =
        packed({result.skipped() ? Finding::Kind::kSkip : Finding::Kind::kFailure,
                result.file_name() == nullptr ? "" : result.file_name(), result.line_number(), result.message()});
    for (std::size_t sent = 0; sent < text.size();) {
      const ssize_t count = ::write(results_, text.data() + sent, text.size() - sent);
      if (count < 0 && errno != EINTR) std::abort();  // the outer test is gone, and this one is about to go
      if (count > 0) sent += static_cast<std::size_t>(count);
    }
  }

 private:
  int results_;
};

// This environment without GoogleTest's settings, which are the outer test's (its report file above all).
std::vector<std::string> environment_for(int results, int output, const std::vector<std::string>& more) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("GTEST_")) variables.emplace_back(*variable);
  }
  variables.insert(variables.end(), more.begin(), more.end());
  variables.push_back(std::string(kVariable) + "=" + std::to_string(results) + " " + std::to_string(output));
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string meaning_of(Status status) {
  if (status > 128) return std::string("was killed by signal ") + ::strsignal(status - 128);
  return "ended with " + std::to_string(status) + " but no assertion failed; what it said stands above";
}

// The life of process 1: reap everybody; end as the test ends.
[[noreturn]] void be_process_one(pid_t test) {
  for (;;) {
    int status = 0;
    const pid_t gone = ::waitpid(-1, &status, 0);
    if (gone == test) ::_exit(status_of(status));
  }
}

}  // namespace

bool is_played() { return std::getenv(kVariable) != nullptr; }

std::string this_program() {
  std::string path(4096, '\0');
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size < 0) fail_with_errno("/proc/self/exe");
  path.resize(static_cast<std::size_t>(size));
  return path;
}

Words entrance(Privilege privilege) {
  Words words{"unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"};
  if (privilege == Privilege::kUserNamespace) words.insert(words.end(), {"--user", "--map-root-user"});
  words.emplace_back("--");
  return words;
}

std::string obstacle(Privilege privilege) {
  if (privilege == Privilege::kRoot && ::geteuid() != 0) return "wants real root: run it as root, or with sudo";
  Words words = entrance(privilege);
  words.emplace_back("true");
  const Output output = attempt(words);
  if (output.status == 127) throw GroundError("unshare is not installed; mend with: tools/setup check");
  return output.status == 0 ? "" : "no namespaces here: " + text_of(words) + ": " + output.err;
}

Play::Play(const std::string& program, const std::string& test, Privilege privilege,
           const std::vector<std::string>& environment) {
  Pipe pipe = make_pipe();
  const int results = pipe.write_end.get();
  const Descriptor output = own(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "standard output");
  const Descriptor nowhere = own(::open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null");
  Words words = entrance(privilege);
  words.insert(words.end(), {program, "--gtest_filter=" + test, "--gtest_also_run_disabled_tests"});
  std::vector<std::string> variables = environment_for(results, output.get(), environment);
  const auto arguments = pointers_to(words);
  const auto environment_pointers = pointers_to(variables);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail_with_errno("fork");
  if (pid_ == 0) {
    // When the parent has died before the kernel was told, nobody waits for this.
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(127);
    if (::fcntl(results, F_SETFD, 0) != 0 || ::fcntl(output.get(), F_SETFD, 0) != 0) ::_exit(127);
    ::dup2(nowhere.get(), STDOUT_FILENO);
    ::execvpe(arguments[0], arguments.data(), environment_pointers.data());
    ::_exit(127);
  }
  results_ = std::move(pipe.read_end);
}

Play::~Play() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Played Play::await_end(milliseconds within) {
  const Deadline deadline(within);
  std::string text;
  bool in_time = true;
  while ((in_time = deadline.await_readable(results_.get()))) {
    const auto bytes = read_some(results_.get());
    if (bytes && bytes->empty()) break;
    text += bytes.value_or("");
  }
  if (!in_time) ::kill(pid_, SIGKILL);
  int wait_status = 0;
  ::waitpid(std::exchange(pid_, -1), &wait_status, 0);
  Played played{unpacked(text)};
  const Status status = status_of(wait_status);
  if (!in_time) {
    played.findings.push_back({Finding::Kind::kFailure, "", 0, "the test was not done in time, and was killed"});
  } else if (status != 0 && (played.passed() || played.skipped() || status > 128)) {
    played.findings.push_back({Finding::Kind::kFailure, "", 0, "the test's process " + meaning_of(status)});
  }
  return played;
}

void record(const Played& played) {
  for (const Finding& finding : played.findings) {
    if (finding.kind == Finding::Kind::kSkip) {
      [&finding] { GTEST_SKIP() << finding.message; }();
    } else {
      ADD_FAILURE_AT(finding.file.empty() ? __FILE__ : finding.file.c_str(), finding.line) << finding.message;
    }
  }
}

void begin_played_test() {
  int results = -1;
  int output = -1;
  std::istringstream(std::getenv(kVariable)) >> results >> output;
  ::fcntl(results, F_SETFD, FD_CLOEXEC);
  std::fflush(stdout);
  ::dup2(output, STDOUT_FILENO);
  ::close(output);
  const pid_t test = ::fork();
  if (test < 0) fail_with_errno("fork");
  if (test > 0) {
    ::close(results);
    be_process_one(test);
  }
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new Relay(results));
}

}  // namespace turnpike::ground
