#include "kernel/adapters/link_question.h"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "kernel/netlink_socket.h"

namespace turnpike::kernel {

Result<Message> LinkQuestion::ask(const NetNamespace& where, net::InterfaceIndex index, std::uint16_t type,
                                  std::uint16_t flags) {
  auto socket = NetlinkSocket::open(where, 0);
  if (!socket) return tl::unexpected(socket.error());
  std::array<std::uint8_t, 64> request{};
  MessageBuilder out(request);
  ifinfomsg fixed{};
  fixed.ifi_index = static_cast<int>(index.value());
  out.begin(type, flags, 1, fixed);
  if (!out.end()) return fail(ErrorKind::kInternal, "a request does not fit");
  if (const auto sent = socket->send(out.bytes()); !sent) return tl::unexpected(sent.error());
  auto answer = socket->receive(buffer_);
  if (!answer) return tl::unexpected(answer.error());
  return take_message(*answer);
}

Result<Bytes> LinkQuestion::attributes(const NetNamespace& where, net::InterfaceIndex index) {
  const auto message = ask(where, index, RTM_GETLINK, NLM_F_REQUEST);
  if (!message) return tl::unexpected(message.error());
  if (message->type != RTM_NEWLINK || message->payload.size() < sizeof(ifinfomsg))
    return fail(ErrorKind::kNotFound, "the interface has gone");
  return message->payload.subspan(aligned(sizeof(ifinfomsg)));
}

Result<void> LinkQuestion::remove(const NetNamespace& where, net::InterfaceIndex index) {
  const auto message = ask(where, index, RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK);
  if (!message) return tl::unexpected(message.error());
  const auto answer = load<nlmsgerr>(message->payload);
  if (message->type != NLMSG_ERROR || !answer) return fail(ErrorKind::kInternal, "netlink does not answer");
  if (answer->error == 0) return {};
  if (answer->error == -ENODEV) return fail(ErrorKind::kNotFound, "the interface has gone");
  if (answer->error == -EPERM) return fail(ErrorKind::kDenied, "an interface may not be deleted");
  return fail_errno(-answer->error, "an interface cannot be deleted");
}

}  // namespace turnpike::kernel
