// Whatever an FPM connection brings: it is told or refused, and how the bytes were cut does not matter. The first byte
// says how they are cut; the seeds behind it are what zebra sent.
#include <cstdint>
#include <cstdlib>

#include "kernel/fpm/fpm_stream.h"

namespace turnpike::kernel {
namespace {

// A sum of what was told, in its order.
class Sum : public FpmListener {
 public:
  void on_open() override {}
  void on_close() override {}
  void on_route(bool gone, const Route& route) override {
    add(gone ? 1 : 2);
    add(std::hash<Prefix>{}(route.destination));
    add(route.next_hop_id);
    add(route.hops.size());
    for (const Hop& hop : route.hops) add(hop.link.value());
  }
  void on_next_hop(bool gone, const NextHop& next_hop) override {
    add(gone ? 3 : 4);
    add(next_hop.id);
    for (const GroupMember& member : next_hop.members) add(member.id);
  }
  std::uint64_t value = 0;

 private:
  void add(std::uint64_t more) { value = (value ^ more) * 0x100000001b3; }
};

struct Outcome {
  bool good = true, is_between = true;
  std::uint64_t told = 0, frames = 0, messages = 0, skipped = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(Bytes bytes, std::size_t piece) {
  FpmStream stream;
  Sum sum;
  Outcome outcome;
  for (; outcome.good && !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size()))) {
    const auto taken = stream.take(bytes.first(std::min(piece, bytes.size())), sum);
    outcome.good = taken.has_value();
    if (!taken && taken.error().kind != ErrorKind::kInvalidArgument) std::abort();
  }
  outcome.is_between = !outcome.good || stream.is_between_frames();
  outcome.told = sum.value;
  outcome.frames = stream.frames();
  outcome.messages = stream.messages();
  outcome.skipped = stream.skipped();
  return outcome;
}

}  // namespace
}  // namespace turnpike::kernel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using turnpike::kernel::run;
  if (size < 2) return 0;
  const turnpike::kernel::Bytes bytes(data + 1, size - 1);
  if (run(bytes, size) != run(bytes, std::size_t{1} + data[0])) std::abort();
  return 0;
}
