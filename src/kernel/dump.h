// A dump: one request, and everything of a kind in answer, over again if it was disturbed.
//
// A dump is no snapshot. The kernel makes it in pieces of 32 KiB, each when the one before has been read; between two
// pieces the world goes on. Where the kernel notices (it counts changes of links, addresses, rules and next hops) it
// marks the rest (NLM_F_DUMP_INTR), and what was said before may be wrong: the dump is begun anew at once, by closing
// the socket, for what would still come is of no use. The last attempt is read to its end, so that its caller has
// something.
//
// Most of a dump's time is the kernel's, in the call that reads it, and to look at a route and compare it takes a third
// as long again. So where a background is lent, the pieces after the second are read there, some ahead.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "kernel/background.h"
#include "kernel/netlink_socket.h"
#include "kernel/port.h"

namespace turnpike::kernel {

// What a socket gives to who reads it.
class Pieces {
 public:
  Pieces(NetlinkSocket& socket, Background* background) : socket_(socket), background_(background) {}
  ~Pieces();
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  // As NetlinkSocket::receive; what it gives is good until the next.
  Result<Bytes> next();

 private:
  static constexpr std::size_t kReadHere = 2;
  struct Piece {
    std::vector<std::uint8_t> room;
    Result<Bytes> received = Bytes{};
    Background::Ticket ticket = 0;
  };
  void read(Piece& piece) const;
  void ask_for(Piece& piece);

  NetlinkSocket& socket_;
  Background* const background_;
  std::array<Piece, 4> pieces_;
  std::size_t given_ = 0;  // how many
};

class Dump {
 public:
  using Encode = std::function<Result<void>(MessageBuilder& out)>;
  using Take = std::function<Result<void>(const Message& message)>;  // kUnsupported: passed over

  explicit Dump(const NetNamespace& where, Background* background = nullptr)
      : where_(where), background_(background), request_(std::size_t{4} << 10) {}

  // Has every request of `requests` answered, in this order, by messages for `take`; `begin` before each attempt.
  // kUnsupported where the kernel has nothing of the kind, kKernel with the errno, kInternal where it said what we
  // cannot read.
  Result<Dumped> run(const std::vector<Encode>& requests, const std::function<void()>& begin, const Take& take);

 private:
  enum class End { kWhole, kDisturbed };

  Result<End> run_one(const Encode& encode, const Take& take, bool is_last_attempt);
  static Result<End> read_all(Pieces& pieces, const Take& take, bool is_last_attempt);

  const NetNamespace& where_;
  Background* const background_;
  std::vector<std::uint8_t> request_;
};

}  // namespace turnpike::kernel
