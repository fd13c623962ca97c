// A dump: one request, and everything of a kind in answer, over again if it was disturbed.
//
// A dump is no snapshot. The kernel makes it in pieces of 32 KiB, each when the one before has been read; between two
// pieces the world goes on. Where the kernel notices (it counts changes of links, addresses, rules and next hops) it
// marks the rest (NLM_F_DUMP_INTR), and what was said before may be wrong: the dump is begun anew at once, by closing
// the socket, for what would still come is of no use. The last attempt is read to its end, so that its caller has
// something.
#pragma once

#include <functional>
#include <vector>

#include "kernel/netlink_socket.h"
#include "kernel/port.h"

namespace turnpike::kernel {

class Dump {
 public:
  using Encode = std::function<Result<void>(MessageBuilder& out)>;
  using Take = std::function<Result<void>(const Message& message)>;  // kUnsupported: passed over

  explicit Dump(const NetNamespace& where) : where_(where), buffer_(std::size_t{64} << 10) {}

  // Has every request of `requests` answered, in this order, by messages for `take`; `begin` before each attempt.
  // kUnsupported where the kernel has nothing of the kind, kKernel with the errno, kInternal where it said what we
  // cannot read.
  Result<Dumped> run(const std::vector<Encode>& requests, const std::function<void()>& begin, const Take& take);

 private:
  enum class End { kWhole, kDisturbed };

  Result<End> run_one(const Encode& encode, const Take& take, bool is_last_attempt);
  Result<End> read_all(NetlinkSocket& socket, const Take& take, bool is_last_attempt);

  const NetNamespace& where_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace turnpike::kernel
