// The table of commands: words, what they take, what they do, and where it is done. Help and the manual are made of it,
// and so is the checking of the words; the transport is somebody else's.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/value.h"

namespace turnpike::cli {

// What a command found out without a router.
struct Found {
  Value value;
  int status = 0;  // the program's
};

struct Command {
  enum class Arguments { kNone, kOptional, kOne, kSeveral };

  const char* words;
  Arguments arguments;
  const char* argument;  // its name in the help
  const char* help;
  // Null: the router is asked, with the same words.
  Found (*here)(const std::string& argument);
  bool is_paged = false;  // the router's answers are parts of one list
};

[[nodiscard]] std::span<const Command> commands();

// A command as it was given; null: there is none, and `complaint` says what is wrong.
[[nodiscard]] const Command* find_command(const std::vector<std::string>& words, std::string& argument,
                                          std::string& complaint);

[[nodiscard]] std::string help();
// The commands as a part of turnpike(1), in roff.
[[nodiscard]] std::string manual();

}  // namespace turnpike::cli
