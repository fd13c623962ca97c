#include "privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace turnpike::daemon {
namespace {

constexpr std::uint32_t kKept = 1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW;  // both are in the first word
constexpr unsigned long kMostCapabilities = 64;

}  // namespace

Result<void> keep_only_the_network() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (::syscall(SYS_capget, &head, sets.data()) != 0) return fail_errno(errno, "capabilities cannot be read");
  if ((sets[0].permitted & 1U << CAP_NET_ADMIN) == 0) {
    return fail(ErrorKind::kDenied, "a router needs root, or CAP_NET_ADMIN (and CAP_NET_RAW for its protocols)");
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno(errno, "no_new_privs cannot be set");
  // Without CAP_SETPCAP the bounding set stays: then there was not much in it to begin with.
  for (unsigned long number = 0; number < kMostCapabilities; ++number) {
    if (number != CAP_NET_ADMIN && number != CAP_NET_RAW) ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
  }
  const std::uint32_t kept = sets[0].permitted & kKept;
  sets = {};
  sets[0].permitted = sets[0].effective = kept;
  if (::syscall(SYS_capset, &head, sets.data()) != 0) return fail_errno(errno, "capabilities cannot be given away");
  return {};
}

}  // namespace turnpike::daemon
