// turnpike(1): asks a running router, and this machine.
//
//   0  it went well     1  no, or nothing found     2  the words are wrong     3  no router answers

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "admin/client/router_client.h"
#include "commands.h"
#include "print.h"

namespace turnpike::cli {
namespace {

struct Options {
  bool json = false;
  std::string socket = "/run/turnpike/control";
  std::vector<std::string> words;
};

bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

bool print(const Value& value, bool json) { return print(json ? to_json(value) + '\n' : to_text(value)); }

int complain(const std::string& what, int status) {
  (void)std::fprintf(stderr, "turnpike: %s\n", what.c_str());
  return status;
}

int ask_router(const Options& options, bool is_paged) {
  auto client = admin::RouterClient::connect(options.socket);
  if (!client) return complain(options.socket + ": " + client.error().what, 3);
  int status = 0;
  Pages pages(options.json);
  const auto done = client->ask(options.words, [&](const Value& value) {
    if (const Value* error = value.find("error"); error != nullptr && !options.json) {
      const auto* text = std::get_if<std::string>(&error->held);
      status = complain(text != nullptr ? *text : "the router says no", 1);
      return true;
    }
    if (value.find("error") != nullptr) status = 1;
    return is_paged && status == 0 ? print(pages.part(value)) : print(value, options.json);
  });
  if (!done) return complain(done.error().what, 3);
  if (is_paged && status == 0 && !print(pages.end())) return 1;
  return status;
}

int run(const Options& options) {
  std::string argument;
  std::string complaint;
  const Command* command = find_command(options.words, argument, complaint);
  if (command == nullptr) return complain(complaint, 2);
  if (command->here == nullptr) return ask_router(options, command->is_paged);
  const Found found = command->here(argument);
  const Value* error = found.value.find("error");
  if (error != nullptr && !options.json) return complain(std::get<std::string>(error->held), found.status);
  return print(found.value, options.json) ? found.status : 1;
}

int main_with(std::vector<std::string> words) {
  Options options;
  if (const char* socket = std::getenv("TURNPIKE_SOCKET"); socket != nullptr && *socket != '\0')
    options.socket = socket;
  while (!words.empty() && words.front().starts_with('-')) {
    const std::string option = words.front();
    words.erase(words.begin());
    if (option == "-j" || option == "--json") {
      options.json = true;
    } else if ((option == "-s" || option == "--socket") && !words.empty()) {
      options.socket = words.front();
      words.erase(words.begin());
    } else if (option == "-h" || option == "--help") {
      (void)std::fputs(help().c_str(), stdout);
      return 0;
    } else if (option == "--manual") {
      (void)std::fputs(manual().c_str(), stdout);
      return 0;
    } else if (option == "--version") {
      (void)std::fputs("turnpike " TURNPIKE_VERSION "\n", stdout);
      return 0;
    } else {
      return complain("there is no option " + option, 2);
    }
  }
  if (words.empty()) {
    (void)std::fputs(help().c_str(), stderr);
    return 2;
  }
  // -j stands behind the command as well.
  if (words.back() == "-j" || words.back() == "--json") {
    options.json = true;
    words.pop_back();
  }
  options.words = std::move(words);
  return run(options);
}

}  // namespace
}  // namespace turnpike::cli

int main(int count, char** words) {
  (void)std::signal(SIGPIPE, SIG_IGN);  // a reader that leaves is an ordinary end
  return turnpike::cli::main_with(std::vector<std::string>(words + 1, words + count));
}
