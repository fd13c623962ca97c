#include "kernel/multicast/keeper_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace turnpike::kernel {
namespace {

using keeper::Answer;
using keeper::Outcome;
using keeper::Verb;

constexpr std::chrono::milliseconds kLastLook(200);

Descriptor connect_to_keeper(std::chrono::milliseconds within) {
  Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const timeval patience{std::chrono::ceil<std::chrono::seconds>(within).count(), 0};
  (void)::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.number(), keeper::kAddress.address(), keeper::kAddress.size()) != 0) socket.reset();
  return socket;
}

bool has_answer(const Descriptor& socket, std::chrono::milliseconds within) {
  pollfd one{socket.number(), POLLIN, 0};
  return ::poll(&one, 1, static_cast<int>(within.count())) > 0;
}

// A signal, a stop and go on among them, ends a poll, but not the patience. Where the machine stood still until that
// was over, the keeper had no time to answer: so there is a last look.
bool await_answer(const Descriptor& socket, std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + patience;
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    if (has_answer(socket, std::chrono::ceil<std::chrono::milliseconds>(end - now))) return true;
  }
  return has_answer(socket, kLastLook);
}

// Anybody can take the name: the descriptor is a right to route, and is not given to everybody.
bool is_ours(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == 0 || peer.uid == ::geteuid());
}

}  // namespace

Result<KeeperLink> KeeperLink::open(const std::string& name, Kept& kept, int& user,
                                    std::chrono::milliseconds patience) {
  Descriptor socket = connect_to_keeper(patience);
  if (!socket.is_open() || !is_ours(socket)) return fail(ErrorKind::kNotFound, "no turnpike-keeper runs here");
  KeeperLink link(name, std::move(socket), patience);
  const auto answer = link.ask(Verb::kFetch, {}, std::nullopt, &kept);
  if (!answer) return fail(ErrorKind::kNotFound, "turnpike-keeper does not answer");
  if (answer->outcome == Outcome::kInUse) {
    user = answer->user;
    return fail(ErrorKind::kBusy, "another process uses what turnpike-keeper holds");
  }
  if (answer->outcome != Outcome::kNothing && answer->outcome != Outcome::kHere)
    return fail(ErrorKind::kDenied, "turnpike-keeper refuses us");
  return link;
}

Result<void> KeeperLink::hold(int descriptor, std::span<const std::byte> note) {
  return tell(Verb::kHold, note, descriptor);
}
Result<void> KeeperLink::note(std::span<const std::byte> note) { return tell(Verb::kNote, note, std::nullopt); }
Result<void> KeeperLink::drop() { return tell(Verb::kDrop, {}, std::nullopt); }

bool KeeperLink::has_gone() const {
  char byte = 0;
  return ::recv(socket_.number(), &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0;
}

Result<void> KeeperLink::tell(Verb verb, std::span<const std::byte> note, std::optional<int> descriptor) {
  const auto answer = ask(verb, note, descriptor, nullptr);
  if (!answer) return tl::unexpected(answer.error());
  if (answer->outcome != Outcome::kDone) return fail_errno(EPROTO, "turnpike-keeper refused");
  return {};
}

Result<Answer> KeeperLink::ask(Verb verb, std::span<const std::byte> note, std::optional<int> descriptor, Kept* kept) {
  keeper::Request request;
  request.verb = verb;
  name_.copy(request.name.data(), request.name.size() - 1);
  keeper::Envelope there(request, const_cast<std::byte*>(note.data()), note.size());
  if (descriptor) there.enclose(*descriptor);
  if (!there.send(socket_.number(), 0)) return fail_errno(errno, "turnpike-keeper has gone");

  Answer answer;
  KeeperLink::Kept given;
  given.note.resize(keeper::kMostNote);
  keeper::Envelope back(answer, given.note.data(), given.note.size());
  if (!await_answer(socket_, patience_)) return fail_errno(ETIMEDOUT, "turnpike-keeper does not answer");
  const auto size = back.receive(socket_.number(), MSG_DONTWAIT, given.descriptor);
  if (size < 0 || answer.version != keeper::kVersion) return fail_errno(EPIPE, "turnpike-keeper has gone");
  given.note.resize(static_cast<std::size_t>(size));
  if (kept != nullptr) *kept = std::move(given);
  return answer;
}

}  // namespace turnpike::kernel
