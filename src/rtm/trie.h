// Trie: the keys of a table in order, and the search for the longest one that covers another.
//
// ## The node
//
// A multibit trie with strides of eight bits. The node at depth d serves the byte of bits 8d … 8d+7: it holds the keys
// of 8d+1 to 8d+8 bits (the root also the key of none) and the children below each byte. The 511 places of a node are
// numbered in pre-order of their little binary tree, which is the table's order: bits first, then the shorter one.
//
//   place(byte, bits) = bits + 2 · byte − popcount(byte)         0: the empty one; 8: 0/8; 510: 255/8
//
// Two bitmaps say which places and which bytes are taken; behind the node stand one child pointer and one 4-byte
// destination index for each set bit. The longest match inside a node is the last one that is set of a place's nine
// ancestors, which a table lists. The next key in order is the next set bit.
//
// Chains are not stored: a child is a node of any greater depth (the node carries the bits that were skipped), or,
// where only one key is left below, that key's destination itself (a leaf). So there are fewer nodes than keys,
// whatever the keys are. Internet tables: 8 bytes a key for IPv4, 25 for IPv6 (bench/rtm_table_bench.cpp), and a
// look-up in a million IPv4 routes visits three nodes, of which the first two are in the cache. A binary trie with path
// compression takes 48 bytes a key and some 22 visits.
//
// ## Shortcuts
//
// A table of many nodes also has a word for each value of the first 16 bits (512 KB), if there is a node of depth 2:
// its number, and which of the 32 parts of its space any key in or below it covers. In IPv4 nearly all keys of a big
// table are there, and so a search begins there; or does not even look, where that part is empty: a node is a miss of
// the cache, and of all the addresses that there are four in ten lie in a hole of the node that they lead to. Only who
// finds nothing there walks down from the root, to the few keys of up to 16 bits.
//
// ## Readers
//
// A node is never changed but for its child pointers: a writer copies it with the change made, publishes the copy in
// the parent's pointer, and gives the old one to the Limbo. So readers follow pointers under an Epoch::Reader and no
// lock, and a Walk that was begun stays valid, in a state of the trie that may be as old as its reader. Copying costs a
// writer some 60 ns in an Internet table. A shortcut follows the parent's pointer within the same change, so for a
// moment one reader may come by the old node and another by the new one. Nobody can tell: a key is put in before its
// destination is visible, and taken out after that has ceased to be.
//
// The trie knows destinations by their index alone; where their keys are, it is told by `KeyArray`.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "rtm/arena.h"
#include "rtm/key.h"
#include "rtm/limbo.h"

namespace turnpike::rtm {

// Where the keys of destinations are: the record of index i begins at base + i * stride; at `length` its key's length,
// at `bits` its bits, 4 bytes of them in a narrow table (of up to 32 bits), else 16.
struct KeyArray {
  const std::byte* base = nullptr;
  std::size_t stride = 0;
  std::size_t length = 0;
  std::size_t bits = 0;
  bool narrow = false;

  [[nodiscard]] Key operator[](std::uint32_t index) const;
};

namespace trie {

inline constexpr unsigned kPlaces = 511;
inline constexpr unsigned kBytes = 256;

constexpr unsigned place(unsigned byte, unsigned bits) { return bits + 2 * byte - count_ones(byte); }

// Which node depth holds keys of that length.
constexpr unsigned depth_for(unsigned length) { return length == 0 ? 0 : (length - 1) / 8; }

// A child: nothing (0), a node (its address), or a leaf (the destination's index and a set lowest bit).
using Entry = std::uintptr_t;
constexpr bool is_leaf(Entry entry) { return (entry & 1) != 0; }
constexpr Entry leaf(std::uint32_t destination) { return Entry{destination} << 1 | 1; }
constexpr std::uint32_t destination_of(Entry leaf) { return static_cast<std::uint32_t>(leaf >> 1); }

// Two cache lines and its arrays: a search that goes on to a child reads the first line, one that ends here the second.
struct alignas(64) Node {
  std::uint64_t high = 0;  // the first 8 * depth bits of every key below
  std::uint64_t low = 0;
  std::uint16_t key_count = 0;
  std::uint16_t child_count = 0;
  std::uint8_t depth = 0;
  std::array<std::uint8_t, 3> bytes_before{};    // set bits before words 1, 2, 3 of `bytes`
  std::array<std::uint16_t, 4> places_before{};  // before words 0, 2, 4, 6 of `places`
  std::array<std::uint64_t, 4> bytes{};
  alignas(64) std::array<std::uint64_t, 8> places{};
  // Behind: atomic<Entry> children[child_count], then uint32_t keys[key_count].

  [[nodiscard]] std::atomic<Entry>* children() const {
    return reinterpret_cast<std::atomic<Entry>*>(reinterpret_cast<std::uintptr_t>(this + 1));
  }
  [[nodiscard]] std::uint32_t* keys() const { return reinterpret_cast<std::uint32_t*>(children() + child_count); }

  [[nodiscard]] bool has_place(unsigned place) const { return (places[place >> 6] >> (place & 63) & 1) != 0; }
  [[nodiscard]] bool has_byte(unsigned byte) const { return (bytes[byte >> 6] >> (byte & 63) & 1) != 0; }
  [[nodiscard]] unsigned rank_of_place(unsigned place) const;
  [[nodiscard]] unsigned rank_of_byte(unsigned byte) const;
  // Sets or clears a bit, and counts it. The arrays behind are the caller's.
  void put_place(unsigned place, bool set);
  void put_byte(unsigned byte, bool set);
  [[nodiscard]] bool leads_to(const Key& key) const {
    return ((key.high ^ high) & leading_ones(8U * depth)) == 0 &&
           (depth <= 8 || ((key.low ^ low) & leading_ones(8U * depth - 64)) == 0);
  }
};
static_assert(sizeof(Node) == 128);

}  // namespace trie

class Trie {
 public:
  // `limbo` outlives the trie. No memory for the root: kExhausted at the first insertion.
  Trie(const KeyArray& keys, Limbo& limbo) : keys_(keys), limbo_(limbo) {}
  // Nobody reads any more.
  ~Trie() { limbo_.drain(); }
  Trie(const Trie&) = delete;
  Trie& operator=(const Trie&) = delete;

  // Under the table's lock. A key is inserted once; its destination's record is complete before. kExhausted: no memory,
  // nothing changed.
  Result<void> insert(const Key& key, std::uint32_t destination);
  // The key is there. Without memory for the smaller node it stays, as kExhausted says.
  Result<void> erase(const Key& key);

  // Everything below: under an Epoch::Reader. 0: none.
  [[nodiscard]] std::uint32_t find(const Key& key) const;

  // The longest key that covers `key`, itself included, and that accept(index) takes.
  template <class Accept>
  [[nodiscard]] std::uint32_t longest(const Key& key, Accept&& accept) const;

  // The memory of its nodes, if it should be made ready for more (region.h).
  [[nodiscard]] Region* low() { return arena_.low(); }

  // Nodes and shortcuts.
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t nodes() const { return nodes_.load(std::memory_order_relaxed); }

 private:
  friend class Walk;
  using Node = trie::Node;
  using Slot = std::atomic<trie::Entry>;

  // 0: no node of that depth, or none is known. Else its number in the arena, and above that a bit for each part of its
  // space (the next kPartBits bits of a key) that some key in or below it covers.
  using Shortcut = std::uint64_t;
  using Shortcuts = std::array<std::atomic<Shortcut>, 1U << 16>;
  static constexpr unsigned kShortcutDepth = 2;
  static constexpr unsigned kPartBits = 5;
  static constexpr unsigned kParts = 1U << kPartBits;
  static constexpr std::size_t kNodesForShortcuts = 2048;  // which take as much as the shortcuts, or more

  static unsigned part_of(const Key& key) { return key.byte(kShortcutDepth) >> (8 - kPartBits); }
  static bool covers_part(Shortcut its, const Key& key) { return (its >> (32 + part_of(key)) & 1) != 0; }
  Shortcut shortcut(const Key& key) const {
    const Shortcuts* all = shortcuts_.load(std::memory_order_acquire);
    return all != nullptr && key.length > 8 * kShortcutDepth ? (*all)[key.high >> 48].load(std::memory_order_acquire)
                                                             : 0;
  }
  const Node* node_of(Shortcut its) const {
    return static_cast<const Node*>(arena_.piece_at(static_cast<std::uint32_t>(its)));
  }
  static std::uint32_t parts_covered(const Node& node, unsigned begin, unsigned end);
  void make_shortcuts() noexcept;
  void make_shortcuts_below(const Node& node) noexcept;
  void keep_shortcut(trie::Entry entry, const Node* old) noexcept;
  void put_shortcut(const Node& node, Shortcut before) noexcept;
  void keep_parts(const Key& key) noexcept;

  Result<void> put(const Key& key, std::uint32_t destination);
  Result<void> take_out(const Key& key);
  Node* root() const { return reinterpret_cast<Node*>(root_.load(std::memory_order_acquire)); }
  Node* make_node(std::size_t children, std::size_t keys) noexcept;
  static void copy_head(const Node& from, Node& to);
  void publish(Slot& slot, trie::Entry entry, const Node* old) noexcept;
  Node* copy_with_key(const Node& node, unsigned place, std::uint32_t destination) noexcept;
  Node* copy_with_child(const Node& node, unsigned byte, trie::Entry child) noexcept;
  Node* copy_without_key(const Node& node, unsigned place) noexcept;
  Node* copy_without_child(const Node& node, unsigned byte) noexcept;
  Node* fork(const Key& key, std::uint32_t destination, const Key& other, unsigned other_depth,
             trie::Entry entry) noexcept;
  Result<void> replace(Slot& slot, const Node* old, Node* copy) noexcept;
  Result<void> shrink(Slot& slot, Node& node, unsigned place, unsigned byte, bool is_child);

  // The lines behind a node's first come together with it, not one after the other.
  static void prefetch_rest(const Node& node) {
    __builtin_prefetch(&node.places);
    __builtin_prefetch(&node + 1);
  }
  template <class Accept>
  static std::uint32_t longest_in(const Node& node, const Key& key, Accept&& accept);
  template <class Accept>
  std::uint32_t longest_from(const Node* node, const Node* end, const Key& key, Accept&& accept) const;

  KeyArray keys_;
  Limbo& limbo_;
  Arena arena_;  // the nodes, which so die with it
  Slot root_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> nodes_{0};
  std::unique_ptr<Shortcuts> own_shortcuts_;  // null: there are few nodes, or there was no memory
  std::atomic<const Shortcuts*> shortcuts_{nullptr};
};

// The keys in order, from any key on. Lives within one Epoch::Reader.
class Walk {
 public:
  explicit Walk(const Trie& trie) : trie_(trie) {}

  // The next step is the first key that is not before `key`.
  void seek(const Key& key);
  // The next destination; 0 at the end.
  std::uint32_t next();

 private:
  struct Frame {
    const trie::Node* node;
    unsigned next_place;
    unsigned next_byte;
  };
  void push(const trie::Node& node) { frames_[depth_++] = {&node, 0, 0}; }
  const trie::Node* seek_within(Frame& frame, const Key& key) const;

  const Trie& trie_;
  std::array<Frame, 17> frames_{};
  unsigned depth_ = 0;
};

// --- inline: the look-up
// ------------------------------------------------------------------------------------------------

namespace trie {

// For each byte the places that cover (byte, 8): ancestors[byte][bits], the empty one first.
consteval std::array<std::array<std::uint16_t, 9>, kBytes> make_ancestors() {
  std::array<std::array<std::uint16_t, 9>, kBytes> all{};
  for (unsigned byte = 0; byte < kBytes; ++byte) {
    for (unsigned bits = 0; bits <= 8; ++bits) {
      all[byte][bits] = static_cast<std::uint16_t>(place(byte & (0xff00U >> bits) & 0xff, bits));
    }
  }
  return all;
}
inline constexpr auto kAncestors = make_ancestors();

inline std::uint64_t below(unsigned bit) { return (std::uint64_t{1} << (bit & 63)) - 1; }

inline unsigned Node::rank_of_place(unsigned place) const {
  const unsigned word = place >> 6;
  const std::uint64_t is_odd = word & 1;  // a branch would be guessed wrongly half of the time
  return places_before[word / 2] + count_ones(places[word & ~1U] & (0 - is_odd)) +
         count_ones(places[word] & below(place));
}

inline unsigned Node::rank_of_byte(unsigned byte) const {
  const unsigned word = byte >> 6;
  return (word != 0 ? bytes_before[word - 1] : 0U) + count_ones(bytes[word] & below(byte));
}

}  // namespace trie

inline Key KeyArray::operator[](std::uint32_t index) const {
  const std::byte* record = base + std::size_t{index} * stride;
  const auto size = *reinterpret_cast<const std::uint8_t*>(record + length);
  if (narrow) {
    return {std::uint64_t{*reinterpret_cast<const std::uint32_t*>(record + bits)} << 32, 0, size};
  }
  const auto* words = reinterpret_cast<const std::uint64_t*>(record + bits);
  return {words[0], words[1], size};
}

template <class Accept>
std::uint32_t Trie::longest_in(const Node& node, const Key& key, Accept&& accept) {
  const unsigned bits = std::min(key.length - 8U * node.depth, 8U);
  const auto& ancestors = trie::kAncestors[key.byte(node.depth)];
  unsigned there = 0;  // bit n: the ancestor of n bits; no branches, since nobody could foretell them
  for (unsigned n = 0; n <= 8; ++n) {
    there |= static_cast<unsigned>(node.has_place(ancestors[n])) << n;
  }
  for (there &= (2U << bits) - 1; there != 0;) {
    const auto longest = static_cast<unsigned>(std::bit_width(there)) - 1;
    const std::uint32_t destination = node.keys()[node.rank_of_place(ancestors[longest])];
    if (accept(destination)) {
      return destination;
    }
    there ^= 1U << longest;
  }
  return 0;
}

// From that node down. `end`: the node of depth kShortcutDepth on the way, not to go to; null: there is none.
template <class Accept>
std::uint32_t Trie::longest_from(const Node* node, const Node* end, const Key& key, Accept&& accept) const {
  std::array<const Node*, 16> path;
  unsigned depth = 0;
  while (node != nullptr) {
    path[depth++] = node;
    const unsigned byte = key.byte(node->depth);
    const bool is_last = end != nullptr && node->depth + 1 == kShortcutDepth;
    if (is_last || key.length <= 8U * node->depth + 8 || !node->has_byte(byte)) {
      break;
    }
    const trie::Entry entry = node->children()[node->rank_of_byte(byte)].load(std::memory_order_acquire);
    if (trie::is_leaf(entry)) {
      const std::uint32_t destination = trie::destination_of(entry);
      if (covers(keys_[destination], key) && accept(destination)) {
        return destination;
      }
      break;
    }
    node = reinterpret_cast<const Node*>(entry);
    if (node == end) {
      break;
    }
    prefetch_rest(*node);
    if (key.length <= 8U * node->depth || !node->leads_to(key)) {
      break;
    }
  }
  while (depth != 0) {
    if (const std::uint32_t found = longest_in(*path[--depth], key, accept); found != 0) {
      return found;
    }
  }
  return 0;
}

template <class Accept>
std::uint32_t Trie::longest(const Key& key, Accept&& accept) const {
  const Shortcut its = shortcut(key);
  if (its == 0) {
    return longest_from(root(), nullptr, key, accept);
  }
  const Node* below = node_of(its);
  if (covers_part(its, key)) {
    prefetch_rest(*below);
    if (const std::uint32_t found = longest_from(below, nullptr, key, accept); found != 0) {
      return found;
    }
  }
  return longest_from(root(), below, key, accept);
}

}  // namespace turnpike::rtm
