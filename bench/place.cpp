#include "place.h"

#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace turnpike::bench {
namespace {

Place make_place() {
  must(::unshare(::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == 0, "unshare");
  run({"ip", "link", "add", "left", "type", "veth", "peer", "name", "right"});
  for (const char* each : {"lo", "left", "right"}) run({"ip", "link", "set", each, "up"});
  run({"ip", "address", "add", "10.0.0.1/24", "dev", "left"});
  run({"ip", "address", "add", "fd00::1/64", "dev", "left", "nodad"});
  Place made{kernel::open_real_port().value(), {}};
  const auto found = made.port->dump_links({{}, [&](const kernel::Link& each) {
                                              if (each.name == "left") made.link = each.index;
                                            }});
  must(found.has_value() && !made.link.is_none(), "links");
  return made;
}

}  // namespace

Place& place() {
  static Place made = make_place();
  return made;
}

void run(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  int status = 0;
  must(::posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) == 0, "ip");
  must(::waitpid(pid, &status, 0) == pid && status == 0, "ip failed");
}

void must(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

}  // namespace turnpike::bench
