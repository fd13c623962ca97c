// Lookup: longest match for many addresses at once. Made from the keys of a table in order, and never changed
// afterwards.
//
// ## What it is
//
// The space of addresses, seen from left to right, is a row of runs: stretches in which one prefix is the longest
// match. A Lookup stores where runs begin. Its root has a place for each value of the address's first 24 bits; where a
// run begins inside of a place, a node of 256 places for the next 8 bits hangs below it, and so on. The entries of a
// level (a value, or the number of a node of the next level) stand in one array in the order of their places, without
// those that repeat the entry before them. A place finds its entry by counting: 64 places share a Chunk, which has a
// bit for each place where a new entry begins, and the index of the entry that holds before the first of them; the
// entry is that index plus the number of bits up to the place.
//
//   place      …61 62 63 | 64 65 66 67 68 …     an IPv4 address:
//   runs         A  A  B |  B  B  C  C  A        chunk = root[its first 18 bits], place = the 6 bits behind
//   starts       0  0  1 |  0  0  1  0  1        entry = entries[chunk.base + number of starts up to place]
//   entries      A B          C     A            done; or it names a node: the same again with the last byte
//
// So /24 and shorter cost two memory accesses, a /32 four; IPv6 two for the first 24 bits and two for every further 8.
// Places without a route are runs too (entry 0). One code serves every width: IPv4, IPv6, IPX.
//
// `find` takes 64 addresses through each step together: their accesses do not depend on each other, so the processor
// has dozens under way where one look-up after the other would wait for each. That, not instructions, bounds the speed
// of a table beyond the caches. Counting uses popcnt where the processor has it: asked once, at run time, since one
// library runs on every x86-64.
//
// ## Bytes and time
//
// A chunk is 16 bytes (a node: one cache line of 64), an entry 4. The root follows the number of keys: 24 bits (4 MB)
// from 32 Ki keys on, 16 bits (16 KB), or 8 bits (64 bytes) below 128, so that a small table is built within
// microseconds. bench/rtm/lookup_bench.cpp, one thread of an AMD EPYC of 2024, all values different:
//
// | table | bytes a route | built in | uniform addresses | addresses with a route |
// |---|---|---|---|---|
// | 1.04 M IPv4 | 8.1 | 37 ms | 300–500 M/s (rte_fib in the same run: 138) | 300–360 M/s (206) |
// | 223 k IPv6 | 46, 19 of them the root | 12 ms | 280–310 M/s (rte_fib6: 102) | 60–80 M/s (20) |
//
// ## Rejected
//
// * DIR-24-8, as rte_fib: one access for most addresses, but 64 MB for IPv4 whatever the table holds, which few caches
//   hold, and a build that writes all of it. Here the whole Internet fits a server's last-level cache.
// * Poptrie: two bitmaps and two arrays a node, for children and for values. With both in one array it takes one of
//   each, because a child, too, is but a run of one place; and a base that counts across chunks saves an entry in each.
// * Hashing by prefix length (IPv6): fewer accesses in the worst case, as many for the table that there is, and a build
//   that hashes.
// * Changing it in place: each change would have to be seen whole by readers without a lock. The table's own trie does
//   that, and serves single look-ups.
// * AVX2 gathers: they make no memory quicker, and are slower than loads on many processors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "rtm/key.h"

namespace turnpike::rtm {

class Lookup {
 public:
  class Builder;

  using Narrow = std::uint32_t;               // an address as in_addr.s_addr holds it
  using Wide = std::array<std::uint8_t, 16>;  // an address as in6_addr holds it

  static constexpr std::uint32_t kMaxValue = (1U << 31) - 1;

  // The value of the longest key that covers each address, 0 where none does: values[i] for addresses[i], as far as
  // both go. An address shorter than the table's goes on with zeros; of a longer one the rest does not count.
  void find(std::span<const Narrow> addresses, std::span<std::uint32_t> values) const;
  void find(std::span<const Wide> addresses, std::span<std::uint32_t> values) const;

  [[nodiscard]] std::size_t keys() const { return keys_; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  friend class LookupSteps;

  struct Chunk {
    std::uint64_t starts = 0;  // bit i: an entry begins at place i
    std::uint32_t base = 0;    // the entry that holds before the first of these
    std::uint32_t unused = 0;
  };
  static constexpr std::uint32_t kNode = 1U << 31;  // an entry: the rest is a node's number in the next level
  static constexpr unsigned kMaxLevels = 16;

  struct Level {
    std::vector<Chunk> chunks;  // 4 a node; the root's: as many as its places need
    std::vector<std::uint32_t> entries{0};
  };

  template <class Address>
  void find_all(std::span<const Address> addresses, std::span<std::uint32_t> values) const;

  std::vector<Level> levels_;
  std::size_t keys_ = 0;
  unsigned root_bits_ = 8;
};

// Takes keys in the table's order (key.h), each before what it covers, and makes a Lookup of them.
class Lookup::Builder {
 public:
  // `width`: bits of the table's addresses, 1 to 128 (else every add is refused). `expected`: about how many keys there
  // will be; a wrong guess costs speed or memory, nothing else.
  Builder(unsigned width, std::size_t expected);

  // kInvalidArgument, and nothing has changed: a key that is not behind the one before, longer than the width, or with
  // bits beyond its length; a value of 0 or above kMaxValue. kExhausted: no memory, and later calls find none either.
  Result<void> add(const Key& key, std::uint32_t value);

  // The last call to a builder. kExhausted as above.
  Result<std::unique_ptr<const Lookup>> finish();

 private:
  struct Point {  // an address; {0, 0} as an end: behind the last one
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    [[nodiscard]] bool is_zero() const { return high == 0 && low == 0; }
  };
  struct Open {  // a key whose end has not come yet
    Key key;
    std::uint32_t value = 0;
  };

  static Point end_of(const Key& key);
  void close_until(const Key* next);
  void change(Point at, std::uint32_t value);
  void close_nodes(unsigned open);
  void put(unsigned level, std::size_t place, std::uint32_t entry);
  void reach(unsigned level, std::size_t chunk);
  [[nodiscard]] unsigned bits_before(unsigned level) const {
    return level == 0 ? 0 : made_->root_bits_ + 8 * (level - 1);
  }
  [[nodiscard]] unsigned level_of(Point at) const;
  [[nodiscard]] std::size_t place_in(unsigned level, Point at) const;

  std::unique_ptr<Lookup> made_;  // null: out of memory
  unsigned width_;
  Key last_;
  std::array<Open, 129> open_{};
  unsigned open_count_ = 0;

  Point at_;                                       // the last change; the nodes on its way are open
  std::uint32_t value_ = 0;                        // from there on
  unsigned level_ = 0;                             // of the deepest open node
  std::array<std::size_t, kMaxLevels> reached_{};  // of each level: chunks whose base is set
};

}  // namespace turnpike::rtm
