// Plays one test of this program in a process of its own: see ground.h for why.
//
//   outer test ── fork ── unshare ── fork ── process 1: reaps and ends with the test ── fork ── the test
//
// The outer side and the inner side are the same program; TURNPIKE_GROUND in the environment tells which one it is, and
// names two descriptors: the pipe for the inner test's results, and the true standard output. Until the test begins,
// standard output is /dev/null, because what GoogleTest says there has been said by the outer program.
#pragma once

#include <string>
#include <vector>

#include "ground/process.h"

namespace turnpike::ground {

enum class Privilege { kUserNamespace, kRoot };

// What a test had to say beyond success: what GoogleTest calls a test part result.
struct Finding {
  enum class Kind { kFailure, kSkip };
  Kind kind = Kind::kFailure;
  std::string file;
  int line = 0;
  std::string message;
};

// How a test went in its own process. A test that died, or was not done in time, has a failure that says so.
struct Played {
  std::vector<Finding> findings;
  bool passed() const { return findings.empty(); }
  bool skipped() const { return findings.size() == 1 && findings[0].kind == Finding::Kind::kSkip; }
};

// Whether this is the inner process.
bool is_played();

// The path of the program that runs.
std::string this_program();

// In the outer process: starts the test `test` ("Suite.Test", also a disabled one) of a program; `environment` adds
// "NAME=value". It is killed when it is not done in time, and when the calling thread ends.
class Play {
 public:
  Play(const std::string& program, const std::string& test, Privilege privilege,
       const std::vector<std::string>& environment = {});
  ~Play();
  Play(const Play&) = delete;
  Play& operator=(const Play&) = delete;

  Played await_end(milliseconds within);

 private:
  pid_t pid_ = -1;
  Descriptor results_;
};

// Records in the running test what another process found.
void record(const Played& played);

// In the inner process, first of all: makes this process the test's, with process 1 behind it.
void begin_played_test();

// The command that enters a ground, to be followed by a program.
Words entrance(Privilege privilege);

// Why a ground cannot be entered that way here; empty when it can. A missing `unshare` throws: that is the set-up's to
// mend.
std::string obstacle(Privilege privilege);

}  // namespace turnpike::ground
