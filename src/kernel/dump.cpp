#include "kernel/dump.h"

#include <linux/netlink.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "kernel/codec.h"

namespace turnpike::kernel {
namespace {

// What ends a dump, as an errno; nothing where the message does not end it. Both ends carry a negative errno or 0.
std::optional<int> end_of_dump(const Message& message) {
  if (message.type != NLMSG_DONE && message.type != NLMSG_ERROR) return std::nullopt;
  return -load<std::int32_t>(message.payload).value_or(0);
}

// A table that is not there is an empty one, nothing leads to a link that is not there, and a family that this kernel
// does not have has nothing.
Result<void> judge_end(int error) {
  if (error == 0 || error == ENOENT || error == ENODEV || error == EAFNOSUPPORT) return {};
  if (error == EOPNOTSUPP) return fail(ErrorKind::kUnsupported, "this kernel has nothing of the kind");
  return fail_errno(error, "the kernel refused a dump");
}

constexpr std::size_t kRoom = std::size_t{64} << 10;

}  // namespace

Pieces::~Pieces() {
  for (const Piece& piece : pieces_) {
    if (piece.ticket != 0) background_->await(piece.ticket);
  }
}

void Pieces::read(Piece& piece) const {
  piece.room.resize(kRoom);
  piece.received = socket_.receive(piece.room);
}

void Pieces::ask_for(Piece& piece) {
  piece.ticket = background_->begin([this, &piece] { read(piece); });
}

// The first two are read here: most dumps have no others, the second being their end. The one that was given before
// this one is not needed any more.
Result<Bytes> Pieces::next() {
  Piece& piece = pieces_[given_ % pieces_.size()];
  if (background_ == nullptr || given_ < kReadHere) {
    read(piece);
  } else {
    for (std::size_t i = given_ == kReadHere ? 0 : pieces_.size() - 1; i < pieces_.size(); ++i) {
      ask_for(pieces_[(given_ + i) % pieces_.size()]);
    }
    background_->await(std::exchange(piece.ticket, 0));
  }
  ++given_;
  return piece.received;
}

Result<Dumped> Dump::run(const std::vector<Encode>& requests, const std::function<void()>& begin, const Take& take) {
  for (unsigned attempt = 1;; ++attempt) {
    const bool is_last = attempt == kMostAttempts;
    if (begin) begin();
    bool disturbed = false;
    for (std::size_t i = 0; i < requests.size() && (!disturbed || is_last); ++i) {
      const auto end = run_one(requests[i], take, is_last);
      if (!end) return tl::unexpected(end.error());
      disturbed = disturbed || *end == End::kDisturbed;
    }
    if (!disturbed || is_last) return Dumped{attempt, !disturbed};
  }
}

Result<Dump::End> Dump::run_one(const Encode& encode, const Take& take, bool is_last_attempt) {
  auto socket = NetlinkSocket::open(where_, 0);
  if (!socket) return tl::unexpected(socket.error());
  MessageBuilder out(request_);
  if (const auto done = encode(out); !done) return tl::unexpected(done.error());
  if (const auto sent = socket->send(out.bytes()); !sent) return tl::unexpected(sent.error());
  Pieces pieces(*socket, background_);
  return read_all(pieces, take, is_last_attempt);
}

Result<Dump::End> Dump::read_all(Pieces& pieces, const Take& take, bool is_last_attempt) {
  End so_far = End::kWhole;
  for (;;) {
    const auto received = pieces.next();
    if (!received) {
      if (received.error().kind == ErrorKind::kExhausted) return End::kDisturbed;
      if (received.error().kind == ErrorKind::kKernel) return tl::unexpected(received.error());
      return fail(ErrorKind::kInternal, "a dump broke off");
    }
    Bytes rest = *received;
    while (const auto message = take_message(rest)) {
      if ((message->flags & NLM_F_DUMP_INTR) != 0) so_far = End::kDisturbed;
      if (so_far == End::kDisturbed && !is_last_attempt) return so_far;
      if (const auto error = end_of_dump(*message)) {
        return judge_end(*error).map([so_far] { return so_far; });
      }
      const auto taken = take(*message);
      if (!taken && taken.error().kind != ErrorKind::kUnsupported)
        return fail(ErrorKind::kInternal, "the kernel said what we cannot read");
    }
    if (!rest.empty()) return fail(ErrorKind::kInternal, "the kernel said what is no message");
  }
}

}  // namespace turnpike::kernel
