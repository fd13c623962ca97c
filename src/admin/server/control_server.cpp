#include "admin/server/control_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "admin/wire/frame.h"
#include "base/log.h"
#include "base/signals_blocked.h"

namespace turnpike::admin {
namespace {

bool somebody_answers(const sockaddr_un& address) {
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe.is_open() && ::connect(probe.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Result<Descriptor> listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::kInvalidArgument, "a socket's path has 1 to 107 bytes");
  }
  path.copy(address.sun_path, path.size());
  if (somebody_answers(address)) return fail(ErrorKind::kAlreadyExists, "somebody answers at the control socket");
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return fail_errno(errno, "no socket");
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno(errno, "the control socket cannot be made");
  }
  // Owner and group: whoever may administer.
  if (::chmod(path.c_str(), 0660) != 0 || ::listen(socket.number(), 16) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return fail_errno(error, "the control socket cannot be made");
  }
  return socket;
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::open(const std::string& path, Answer answer) {
  auto listener = listen_at(path);
  if (!listener) return tl::unexpected(listener.error());
  Descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.is_open()) {
    ::unlink(path.c_str());
    return fail_errno(errno, "no event descriptor");
  }
  Descriptor& socket = *listener;
  std::unique_ptr<ControlServer> server(new ControlServer(path, std::move(socket), std::move(wake), std::move(answer)));
  const SignalsBlocked blocked;
  server->thread_ = std::thread([raw = server.get()] { raw->run(); });
  return server;
}

ControlServer::ControlServer(std::string path, Descriptor listener, Descriptor wake, Answer answer)
    : path_(std::move(path)), listener_(std::move(listener)), wake_(std::move(wake)), answer_(std::move(answer)) {}

ControlServer::~ControlServer() {
  {
    const std::lock_guard guard(mutex_);
    is_over_ = true;
  }
  wake();
  thread_.join();
  ::unlink(path_.c_str());
}

void ControlServer::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.number(), &one, sizeof one) == sizeof one);  // full is awake already
}

void ControlServer::publish(const Value& value) {
  {
    const std::lock_guard guard(mutex_);
    if (published_.size() > kMostWaiting) return;  // the thread is behind, and streams will see the gap
    put_frame(published_, Value::Object{{"value", value}});
  }
  wake();
}

void ControlServer::run() {
  while (poll_once()) {
  }
}

bool ControlServer::poll_once() {
  std::vector<pollfd> watched;
  watched.push_back({wake_.number(), POLLIN, 0});
  const bool room = clients_.size() < kMostClients;
  watched.push_back({listener_.number(), static_cast<short>(room ? POLLIN : 0), 0});
  for (const auto& client : clients_) {
    // While an answer is under way the next question waits.
    const bool waits = client->sent < client->out.size() || client->more;
    watched.push_back(
        {client->socket.number(), static_cast<short>(client->more ? POLLOUT : POLLIN | (waits ? POLLOUT : 0)), 0});
  }
  if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return false;
  {
    const std::lock_guard guard(mutex_);
    if (is_over_) return false;
  }
  if (watched[0].revents != 0) hand_out();
  const std::size_t count = watched.size() - 2;
  for (std::size_t i = 0; i < count; ++i) {
    if (watched[i + 2].revents != 0 && !serve(*clients_[i], watched[i + 2].revents)) clients_[i].reset();
  }
  std::erase(clients_, nullptr);
  if (watched[1].revents != 0) accept();
  streams_.store(
      static_cast<std::size_t>(std::ranges::count_if(clients_, [](const auto& each) { return each->is_stream; })),
      std::memory_order_relaxed);
  return true;
}

void ControlServer::accept() {
  Descriptor socket(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.is_open()) return;
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return;
  auto client = std::make_unique<Client>();
  client->socket = std::move(socket);
  client->user = who.uid;
  clients_.push_back(std::move(client));
}

// False: hang up.
bool ControlServer::serve(Client& client, short events) {
  if ((events & (POLLERR | POLLNVAL)) != 0) return false;
  if (client.more && (events & POLLHUP) != 0) return false;
  if ((events & (POLLIN | POLLHUP)) != 0 && !receive(client)) return false;
  if (client.more) go_on(client);
  return flush(client);
}

bool ControlServer::receive(Client& client) {
  std::array<char, 4096> part;
  const ssize_t got = ::recv(client.socket.number(), part.data(), part.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  if (client.is_stream) return true;  // what is said meanwhile is not listened to
  client.in.append(part.data(), static_cast<std::size_t>(got));
  const auto frame = take_frame(client.in, kLargestRequest);
  if (!frame) return false;
  if (!*frame) return client.in.size() <= kLargestRequest + sizeof(std::uint32_t);
  Request request{{}, client.user};
  const auto* words = std::get_if<Value::List>(&(*frame)->held);
  if (words == nullptr) return false;
  for (const Value& word : *words) {
    const auto* text = std::get_if<std::string>(&word.held);
    if (text == nullptr) return false;
    request.words.push_back(*text);
  }
  Reply reply = answer_(request);
  for (const Value& part_of : reply.parts) put_frame(client.out, Value::Object{{"value", part_of}});
  client.is_stream = reply.is_stream;
  client.more = std::move(reply.more);
  if (!reply.is_stream && !client.more) put_frame(client.out, Value::Object{});
  return true;
}

// One part more, when the former one is on its way.
void ControlServer::go_on(Client& client) {
  if (client.sent < client.out.size()) return;
  const std::optional<Value> part = client.more();
  if (part) {
    put_frame(client.out, Value::Object{{"value", *part}});
  } else {
    client.more = nullptr;
    put_frame(client.out, Value::Object{});
  }
}

bool ControlServer::flush(Client& client) {
  while (client.sent < client.out.size()) {
    const ssize_t now = ::send(client.socket.number(), client.out.data() + client.sent, client.out.size() - client.sent,
                               MSG_NOSIGNAL | MSG_DONTWAIT);
    if (now < 0) return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<std::size_t>(now);
  }
  client.out.clear();
  client.sent = 0;
  return true;
}

void ControlServer::hand_out() {
  std::uint64_t count = 0;
  static_cast<void>(::read(wake_.number(), &count, sizeof count) == sizeof count);
  std::string frames;
  {
    const std::lock_guard guard(mutex_);
    frames.swap(published_);
  }
  for (auto& client : clients_) {
    if (!client->is_stream) continue;
    client->out += frames;
    if (client->out.size() - client->sent > kMostWaiting || !flush(*client)) {
      TURNPIKE_LOG(LogLevel::kNotice, "admin", "a client reads too slowly, or has left", {"user", client->user});
      client.reset();
    }
  }
  std::erase(clients_, nullptr);
}

}  // namespace turnpike::admin
