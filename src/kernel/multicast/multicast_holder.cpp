#include "kernel/multicast/multicast_holder.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

namespace turnpike::kernel {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// The inodes of raw sockets of the protocol: in /proc/net/raw the protocol stands where ports stand elsewhere.
std::set<unsigned long> sockets_of(net::Family family, unsigned long own) {
  const bool is_ipv4 = family == net::Family::kIpv4;
  const std::string protocol = is_ipv4 ? ":0002" : ":003A";
  std::ifstream list(is_ipv4 ? "/proc/thread-self/net/raw" : "/proc/thread-self/net/raw6");
  std::set<unsigned long> inodes;
  for (std::string line; std::getline(list, line);) {
    std::istringstream words(line);
    std::array<std::string, 10> word;  // slot, local, remote, state, queues, timer, retransmits, user, time-out, inode
    for (std::string& each : word) words >> each;
    unsigned long inode = 0;
    const auto read = std::from_chars(word[9].data(), word[9].data() + word[9].size(), inode);
    if (word[1].ends_with(protocol) && read.ec == std::errc() && inode != own) inodes.insert(inode);
  }
  return inodes;
}

bool has_one_of(const std::string& process, const std::set<std::string>& links) {
  const std::string path = "/proc/" + process + "/fd";
  const Folder folder(::opendir(path.c_str()));
  while (const dirent* each = folder != nullptr ? ::readdir(folder.get()) : nullptr) {
    std::array<char, 64> link{};
    const auto size = ::readlink((path + "/" + each->d_name).c_str(), link.data(), link.size());
    if (size > 0 && links.contains(std::string(link.data(), static_cast<std::size_t>(size)))) return true;
  }
  return false;
}

}  // namespace

std::string process_named(const std::string& number) {
  std::string command;
  std::ifstream name("/proc/" + number + "/comm");
  std::getline(name, command);
  return "process " + number + (command.empty() ? "" : " (" + command + ")");
}

std::string multicast_holders(net::Family family, unsigned long own) {
  std::set<std::string> links;
  for (const unsigned long inode : sockets_of(family, own)) links.insert("socket:[" + std::to_string(inode) + "]");
  std::string holders;
  const Folder processes(::opendir("/proc"));
  while (const dirent* each = processes != nullptr && !links.empty() ? ::readdir(processes.get()) : nullptr) {
    const std::string process = each->d_name;
    if (!std::all_of(process.begin(), process.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!has_one_of(process, links)) continue;
    holders += (holders.empty() ? "" : ", ") + process_named(process);
  }
  return holders.empty() ? "a process that cannot be seen from here" : holders;
}

}  // namespace turnpike::kernel
