#include "kernel/net_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

namespace turnpike::kernel {
namespace {

bool are_same(const Descriptor& one, const Descriptor& other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one.number(), &a) == 0 && ::fstat(other.number(), &b) == 0 && a.st_ino == b.st_ino &&
         a.st_dev == b.st_dev;
}

}  // namespace

Result<NetNamespace> NetNamespace::current() {
  Descriptor here(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!here.is_open()) return fail_errno(errno, "the network namespace cannot be opened");
  return NetNamespace(std::move(here));
}

std::uint64_t NetNamespace::id() const {
  struct stat found{};
  return ::fstat(descriptor_.number(), &found) == 0 ? found.st_ino : 0;
}

Result<void> NetNamespace::inside(const std::function<void()>& work) const {
  const auto home = current();
  if (!home) return tl::unexpected(home.error());
  const bool is_here = are_same(descriptor_, home->descriptor_);
  if (!is_here && ::setns(descriptor_.number(), CLONE_NEWNET) != 0)
    return fail_errno(errno, "the thread may not enter the network namespace");
  work();
  if (!is_here && ::setns(home->descriptor_.number(), CLONE_NEWNET) != 0) std::abort();
  return {};
}

}  // namespace turnpike::kernel
