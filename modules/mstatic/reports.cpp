#include "reports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "turnpike/log.h"

namespace turnpike::modules {
namespace {

sockaddr_storage socket_address(const TpModuleAddress& address) {
  sockaddr_storage out{};
  if (address.family == AF_INET) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    std::memcpy(&four.sin_addr, address.address, sizeof four.sin_addr);
    std::memcpy(&out, &four, sizeof four);
  } else {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    std::memcpy(&six.sin6_addr, address.address, sizeof six.sin6_addr);
    std::memcpy(&out, &six, sizeof six);
  }
  return out;
}

int join(int socket, const Member& member) {
  const int level = member.flow.group.family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
  if (is_any(member.flow.source)) {
    group_req request{};
    request.gr_interface = member.index;
    request.gr_group = socket_address(member.flow.group);
    return ::setsockopt(socket, level, MCAST_JOIN_GROUP, &request, sizeof request);
  }
  group_source_req request{};
  request.gsr_interface = member.index;
  request.gsr_group = socket_address(member.flow.group);
  request.gsr_source = socket_address(member.flow.source);
  return ::setsockopt(socket, level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request);
}

// One socket each: a socket may have joined twenty groups, and no more.
int open_joined(const Member& member, int& error) {
  const int socket = ::socket(member.flow.group.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket >= 0 && join(socket, member) == 0) return socket;
  error = errno;
  if (socket >= 0) ::close(socket);
  return -1;
}

}  // namespace

void Reports::become(const Members& wanted) {
  std::erase_if(sockets_, [&](const auto& each) {
    const bool stays = wanted.contains(each.first);
    if (!stays) ::close(each.second);
    return !stays;
  });
  std::erase_if(refused_, [&](const auto& each) { return !wanted.contains(each.first); });
  for (const Member& member : wanted) {
    if (sockets_.contains(member)) continue;
    int error = 0;
    if (const int socket = open_joined(member, error); socket >= 0) {
      sockets_.emplace(member, socket);
      refused_.erase(member);
    } else if (refused_.insert_or_assign(member, error).second) {
      const TpLogField fields[] = {TpLogUnsigned("interface", member.index), TpLogSigned("errno", error)};
      TpLogWrite(TP_LOG_WARNING, "mstatic", "a group cannot be asked for", fields, 2);
    }
  }
}

int Reports::state_of(const Member& member) const {
  if (sockets_.contains(member)) return 0;
  const auto at = refused_.find(member);
  return at != refused_.end() ? at->second : ENODEV;
}

}  // namespace turnpike::modules
