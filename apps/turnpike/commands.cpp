#include "commands.h"

#include <algorithm>
#include <string_view>

#include "config/source.h"
#include "doctor.h"
#include "explain_error.h"

namespace turnpike::cli {
namespace {

using Arguments = Command::Arguments;

Found explain_here(const std::string& word) {
  Value value = explain_error(word);
  const bool good = value.find("error") == nullptr;
  return {std::move(value), good ? 0 : 1};
}

Found doctor(const std::string&) {
  const std::vector<Finding> findings = examine();
  return {describe(findings), is_healthy(findings) ? 0 : 1};
}

// clang-format off: a table
constexpr Command kCommands[] = {
    {"show route", Arguments::kSeveral, "[PREFIX] [protocol NAME]",
     "The routing table, or what it has for a prefix or of a protocol (a name such as static, or its number): routes "
     "with their owner, preference, metric, next hops, and what became of them in the kernel.", nullptr, true},
    {"show interface", Arguments::kOptional, "NAME", "Interfaces with type, state, reasons and transports.", nullptr},
    {"show protocol", Arguments::kOptional, "NAME", "Protocols with their library, state and settings.", nullptr},
    {"show multicast", Arguments::kNone, "",
     "Multicast flows that are forwarded: where each comes in and leaves, for which protocol, and its counters.",
     nullptr},
    {"show entity", Arguments::kNone, "", "Clients of the routing table, with what they own there.", nullptr},
    {"show configuration", Arguments::kNone, "", "The configuration that runs, defaults included.", nullptr},
    {"show status", Arguments::kNone, "", "The router as a whole.", nullptr},
    {"explain", Arguments::kOne, "ADDRESS|ERROR",
     "Where packets to an address go: every route that covers it, why each lost, and what the kernel says. Or what an "
     "error (a name such as ERROR_BUSY, or its number) means, and what to do about it.", nullptr},
    {"monitor", Arguments::kNone, "", "Routes and interfaces as they change, until it is interrupted.", nullptr},
    {"check", Arguments::kNone, "",
     "What is wrong with the configuration file, and what a reload of it would change. Nothing is touched.", nullptr},
    {"reload", Arguments::kNone, "", "Reads the configuration file again: all of it takes effect, or nothing does.", nullptr},
    {"forgive", Arguments::kOne, "PROTOCOL",
     "A protocol that was not loaded, because it took the router down again and again or for another reason, is tried "
     "again, and its crashes are forgotten.", nullptr},
    {"doctor", Arguments::kNone, "", "What this machine and kernel lack, and for which feature.", doctor},
};
// clang-format on

constexpr Command kExplainHere = {"explain", Arguments::kOne, "ERROR", "", explain_here};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string usage(const Command& command) {
  std::string out = command.words;
  if (command.arguments == Arguments::kOne) out += std::string(" ") + command.argument;
  if (command.arguments == Arguments::kSeveral) out += std::string(" ") + command.argument;
  if (command.arguments == Arguments::kOptional) out += std::string(" [") + command.argument + "]";
  return out;
}

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(const std::vector<std::string>& words, std::string& argument, std::string& complaint) {
  for (const Command& command : kCommands) {
    const std::vector<std::string> wanted = split(command.words);
    if (words.size() < wanted.size() || !std::equal(wanted.begin(), wanted.end(), words.begin())) continue;
    const std::size_t left = words.size() - wanted.size();
    const std::size_t most = command.arguments == Arguments::kNone      ? 0
                             : command.arguments == Arguments::kSeveral ? 3
                                                                        : 1;
    if (left > most || (left == 0 && command.arguments == Arguments::kOne)) {
      complaint = "the command is: turnpike " + usage(command);
      return nullptr;
    }
    argument = left == 1 ? words.back() : "";
    return std::string_view(command.words) == kExplainHere.words && is_error_word(argument) ? &kExplainHere : &command;
  }
  std::vector<std::string_view> names;
  for (const Command& command : kCommands) names.emplace_back(command.words);
  const std::string said = joined(words);
  complaint = "there is no command `" + said + "`" + config::did_you_mean(said, names);
  return nullptr;
}

std::string help() {
  std::string out = "usage: turnpike [-j] [-s SOCKET] COMMAND\n\n";
  for (const Command& command : kCommands) {
    const std::string_view text = command.help;
    out += "  " + usage(command) + '\n' + "      " + std::string(text.substr(0, text.find_first_of(".:"))) + '\n';
  }
  return out + "\n  -j   JSON, one value on a line\n  -s   the router's control socket (/run/turnpike/control)\n";
}

std::string manual() {
  std::string out;
  for (const Command& command : kCommands) out += ".TP\n.B " + usage(command) + '\n' + command.help + '\n';
  return out;
}

}  // namespace turnpike::cli
