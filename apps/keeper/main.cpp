// turnpike-keeper: holds the sockets of multicast tables while the process that uses them is away.
//
//   turnpike-keeper [--for SECONDS]
//
// A multicast table of the kernel lives as long as the socket that owns it is open in some process. This process holds
// a second descriptor of it; so when the one that forwards is killed, or restarts, every flow that stands goes on, and
// its next life fetches the socket here. Nobody is asked in the meantime: new flows wait. If nobody comes within
// SECONDS (300), the socket is closed and the kernel clears the table.
//
// It does nothing else, allocates little and reads no file, so that it does not die of what others die of. It runs in
// the network namespace of the tables, with the user id of whoever uses them (others are refused), and needs no rights.
//
// Not the service manager's descriptor store (FDSTORE of systemd), though it could hold the sockets as well: which
// virtual interface is which device has to be kept beside a socket and kept right at every change, a program that links
// the library has no service manager, and outside of systemd there is none. One way that is tested serves all three.
// What the store would add: sockets that outlive this process and the one that forwards, when both die within a second.
// src/kernel/multicast/keeper_words.h has the protocol.
#include "kernel/multicast/keeper_words.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/descriptor.h"

namespace {

namespace keeper = turnpike::kernel::keeper;
using turnpike::Descriptor;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostKept = 64;
constexpr std::size_t kMostClients = 64;

struct Client {
  Descriptor socket;
  pid_t process = 0;
};

struct Kept {
  std::string name;
  Descriptor descriptor;  // may be none: somebody uses the name and has not yet given one
  std::string note;
  int user = -1;  // his socket's number
  Clock::time_point ends;
};

struct Packet {
  keeper::Request request;
  std::string note;
  Descriptor descriptor;
};

class Keeper {
 public:
  Keeper(Descriptor listener, std::chrono::seconds patience) : listener_(std::move(listener)), patience_(patience) {}
  void run();

 private:
  [[nodiscard]] int wait_time() const;
  void welcome();
  bool serve(const Client& client);
  void obey(const Client& client, Packet packet);
  void fetch(const Client& client, const std::string& name);
  void leave(int socket);
  void give_up_old();
  Kept* find(const std::string& name);
  [[nodiscard]] static bool is_gone(int socket);

  Descriptor listener_;
  std::chrono::seconds patience_;
  std::vector<Client> clients_;
  std::vector<Kept> kept_;
};

// Whoever does not listen is seen to leave.
void say(int socket, keeper::Outcome outcome, pid_t user = 0, Kept* kept = nullptr) {
  keeper::Answer answer;
  answer.outcome = outcome;
  answer.user = user;
  std::string none;
  std::string& note = kept != nullptr ? kept->note : none;
  keeper::Envelope envelope(answer, note.data(), note.size());
  if (kept != nullptr) envelope.enclose(kept->descriptor.number());
  (void)envelope.send(socket, MSG_DONTWAIT);
}

// Nothing: the connection is over, or speaks another language.
std::optional<Packet> receive(int socket) {
  Packet packet;
  packet.note.resize(keeper::kMostNote);
  keeper::Envelope envelope(packet.request, packet.note.data(), packet.note.size());
  const auto size = envelope.receive(socket, MSG_DONTWAIT, packet.descriptor);
  if (size < 0 || packet.request.version != keeper::kVersion || packet.request.name.back() != '\0') return std::nullopt;
  packet.note.resize(static_cast<std::size_t>(size));
  return packet;
}

void Keeper::run() {
  std::vector<pollfd> watched;
  for (;;) {
    watched.assign(1, {listener_.number(), POLLIN, 0});
    for (const Client& each : clients_) watched.push_back({each.socket.number(), POLLIN, 0});
    if (::poll(watched.data(), watched.size(), wait_time()) < 0 && errno != EINTR) std::abort();
    for (std::size_t i = 1; i < watched.size(); ++i) {
      if (watched[i].revents == 0) continue;
      const auto client = std::find_if(clients_.begin(), clients_.end(),
                                       [&](const Client& each) { return each.socket.number() == watched[i].fd; });
      if (!serve(*client)) {
        leave(client->socket.number());
        clients_.erase(client);
      }
    }
    give_up_old();
    if (watched[0].revents != 0) welcome();
  }
}

int Keeper::wait_time() const {
  std::optional<Clock::time_point> next;
  for (const Kept& each : kept_) {
    if (each.user < 0 && (!next || each.ends < *next)) next = each.ends;
  }
  if (!next) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void Keeper::welcome() {
  Descriptor socket(::accept4(listener_.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!socket.is_open() || ::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  if (peer.uid != ::geteuid() || clients_.size() >= kMostClients) return;  // what is kept is a right to route
  clients_.push_back({std::move(socket), peer.pid});
}

bool Keeper::serve(const Client& client) {
  auto packet = receive(client.socket.number());
  if (!packet) return false;
  obey(client, std::move(*packet));
  return true;
}

void Keeper::obey(const Client& client, Packet packet) {
  const std::string name = packet.request.name.data();
  const int socket = client.socket.number();
  if (packet.request.verb == keeper::Verb::kFetch) return fetch(client, name);
  Kept* kept = find(name);
  const bool is_hold = packet.request.verb == keeper::Verb::kHold;
  if (kept == nullptr || kept->user != socket || is_hold != packet.descriptor.is_open()) {
    return say(socket, keeper::Outcome::kRefused);
  }
  if (packet.request.verb == keeper::Verb::kDrop) {
    std::erase_if(kept_, [&](const Kept& each) { return each.name == name; });
  } else {
    if (is_hold) kept->descriptor = std::move(packet.descriptor);
    kept->note = std::move(packet.note);
  }
  say(socket, keeper::Outcome::kDone);
}

void Keeper::fetch(const Client& client, const std::string& name) {
  const int socket = client.socket.number();
  Kept* kept = find(name);
  if (kept != nullptr && kept->user >= 0 && is_gone(kept->user)) {  // and we have not yet come to see it
    leave(kept->user);
    kept = find(name);
  }
  if (kept == nullptr) {
    if (kept_.size() >= kMostKept) return say(socket, keeper::Outcome::kRefused);
    kept_.push_back({name, {}, {}, socket, {}});
    return say(socket, keeper::Outcome::kNothing);
  }
  if (kept->user >= 0) {
    const auto user = std::find_if(clients_.begin(), clients_.end(),
                                   [&](const Client& each) { return each.socket.number() == kept->user; });
    return say(socket, keeper::Outcome::kInUse, user != clients_.end() ? user->process : 0);
  }
  kept->user = socket;
  say(socket, keeper::Outcome::kHere, 0, kept);
}

bool Keeper::is_gone(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// What he used waits for its next user; a name without a descriptor is nothing to wait for.
void Keeper::leave(int socket) {
  for (Kept& each : kept_) {
    if (each.user != socket) continue;
    each.user = -1;
    each.ends = Clock::now() + patience_;
  }
  std::erase_if(kept_, [](const Kept& each) { return each.user < 0 && !each.descriptor.is_open(); });
}

void Keeper::give_up_old() {
  const auto now = Clock::now();
  std::erase_if(kept_, [&](const Kept& each) { return each.user < 0 && each.ends <= now; });
}

Kept* Keeper::find(const std::string& name) {
  const auto at = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& each) { return each.name == name; });
  return at != kept_.end() ? &*at : nullptr;
}

Descriptor listen_here() {
  Descriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::bind(listener.number(), keeper::kAddress.address(), keeper::kAddress.size()) != 0 ||
      ::listen(listener.number(), 16) != 0) {
    std::perror("turnpike-keeper");
    listener.reset();
  }
  return listener;
}

std::optional<std::chrono::seconds> patience_from(std::span<char*> words) {
  if (words.size() == 1) return std::chrono::seconds(300);
  if (words.size() != 3 || std::string_view(words[1]) != "--for") return std::nullopt;
  const std::string_view text(words[2]);
  std::uint32_t seconds = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace

int main(int count, char** words) {
  const auto patience = patience_from(std::span(words, static_cast<std::size_t>(count)));
  if (!patience) {
    std::fputs("usage: turnpike-keeper [--for SECONDS]\n", stderr);
    return 2;
  }
  Descriptor listener = listen_here();
  if (!listener.is_open()) return 1;
  std::puts("keeping");
  std::fflush(stdout);
  Keeper(std::move(listener), *patience).run();
}
