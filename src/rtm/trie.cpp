#include "rtm/trie.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace turnpike::rtm {

using trie::Entry;

namespace {

constexpr Failure no_memory() { return fail(ErrorKind::kExhausted, "no memory for the trie"); }

std::size_t size_of(std::size_t children, std::size_t keys) {
  return sizeof(trie::Node) + children * sizeof(Entry) + keys * sizeof(std::uint32_t);
}

static_assert(Arena::kLine == alignof(trie::Node));

void dispose_node(void* arena, std::uintptr_t address) noexcept {
  auto* node = reinterpret_cast<trie::Node*>(address);
  static_cast<Arena*>(arena)->give_back(node, size_of(node->child_count, node->key_count));
}

// The first set bit at or after `from`; the number of bits if there is none.
template <std::size_t N>
unsigned next_set(const std::array<std::uint64_t, N>& bits, unsigned from) {
  if (from >= N * 64) {
    return N * 64;
  }
  std::uint64_t word = bits[from >> 6] & (~std::uint64_t{0} << (from & 63));
  unsigned at = from >> 6;
  while (word == 0) {
    if (++at == N) {
      return N * 64;
    }
    word = bits[at];
  }
  return at * 64 + static_cast<unsigned>(std::countr_zero(word));
}

constexpr std::array<std::uint8_t, 512> kByteOfPlace = [] {
  std::array<std::uint8_t, 512> bytes{};
  for (unsigned bits = 0; bits <= 8; ++bits) {
    for (unsigned byte = 0; byte < 256; byte += 256U >> bits) {
      bytes[trie::place(byte, bits)] = static_cast<std::uint8_t>(byte);
    }
  }
  return bytes;
}();

unsigned place_in(const trie::Node& node, const Key& key) {
  return trie::place(key.byte(node.depth), key.length - 8U * node.depth);
}

// Copies the arrays behind a node, leaving out `skip` of the source or leaving room at `gap` of the copy (one each, or
// none: ~0).
template <class T>
void copy_array(T* to, const T* from, std::size_t count, std::size_t gap, std::size_t skip) {
  const std::size_t head = std::min({gap, skip, count});
  std::memcpy(static_cast<void*>(to), static_cast<const void*>(from), head * sizeof(T));
  const std::size_t to_tail = head + (gap == head ? 1 : 0);
  const std::size_t from_tail = head + (skip == head ? 1 : 0);
  if (count > from_tail) {
    std::memcpy(static_cast<void*>(to + to_tail), static_cast<const void*>(from + from_tail),
                (count - from_tail) * sizeof(T));
  }
}

constexpr std::size_t kNowhere = ~std::size_t{0};

}  // namespace

void trie::Node::put_place(unsigned place, bool set) {
  places[place >> 6] ^= std::uint64_t{1} << (place & 63);
  for (std::size_t pair = (place >> 7) + 1; pair < places_before.size(); ++pair) {
    places_before[pair] = static_cast<std::uint16_t>(places_before[pair] + (set ? 1 : -1));
  }
}

void trie::Node::put_byte(unsigned byte, bool set) {
  bytes[byte >> 6] ^= std::uint64_t{1} << (byte & 63);
  for (std::size_t word = byte >> 6; word < bytes_before.size(); ++word) {
    bytes_before[word] = static_cast<std::uint8_t>(bytes_before[word] + (set ? 1 : -1));
  }
}

// All but the counts and the arrays.
void Trie::copy_head(const Node& from, Node& to) {
  to.high = from.high;
  to.low = from.low;
  to.depth = from.depth;
  to.bytes_before = from.bytes_before;
  to.places_before = from.places_before;
  to.bytes = from.bytes;
  to.places = from.places;
}

trie::Node* Trie::make_node(std::size_t children, std::size_t keys) noexcept {
  void* memory = arena_.take(size_of(children, keys));
  if (memory == nullptr) {
    return nullptr;
  }
  bytes_.store(bytes_.load(std::memory_order_relaxed) + size_of(children, keys), std::memory_order_relaxed);
  nodes_.store(nodes_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  auto* node = new (memory) Node;
  node->child_count = static_cast<std::uint16_t>(children);
  node->key_count = static_cast<std::uint16_t>(keys);
  return node;
}

void Trie::publish(Slot& slot, Entry entry, const Node* old) noexcept {
  slot.store(entry, std::memory_order_release);
  keep_shortcut(entry, old);
  if (old != nullptr) {
    bytes_.store(bytes_.load(std::memory_order_relaxed) - size_of(old->child_count, old->key_count),
                 std::memory_order_relaxed);
    nodes_.store(nodes_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
    limbo_.retire(dispose_node, &arena_, reinterpret_cast<std::uintptr_t>(old));
  }
}

// --- shortcuts
// ---------------------------------------------------------------------------------------------------------

// Bit n: some key in or below the node, which has the shortcuts' depth, covers part n. Of the parts begin … end - 1.
std::uint32_t Trie::parts_covered(const Node& node, unsigned begin, unsigned end) {
  constexpr unsigned kBytesOfPart = trie::kBytes / kParts;
  std::uint32_t parts = 0;
  for (unsigned part = begin; part < end; ++part) {
    const unsigned byte = part * kBytesOfPart;
    bool is_covered = (node.bytes[byte >> 6] >> (byte & 63) & ((1U << kBytesOfPart) - 1)) != 0;
    for (unsigned bits = 1; bits < kPartBits; ++bits) {
      is_covered = is_covered || node.has_place(trie::kAncestors[byte][bits]);
    }
    const unsigned within = trie::place(byte, kPartBits);  // and 2 * kBytesOfPart - 1 places from there on
    is_covered = is_covered || next_set(node.places, within) < within + 2 * kBytesOfPart - 1;
    parts |= std::uint32_t{is_covered} << part;
  }
  return parts;
}

void Trie::put_shortcut(const Node& node, Shortcut before) noexcept {
  const std::uint32_t parts = before != 0 ? static_cast<std::uint32_t>(before >> 32) : parts_covered(node, 0, kParts);
  (*own_shortcuts_)[node.high >> 48].store(Shortcut{parts} << 32 | arena_.number_of(&node), std::memory_order_release);
}

// In step with the tree: before `old` is given back, so that who comes by a shortcut is as safe as who comes from
// above. The parts are put right at the end of the change (keep_parts).
void Trie::keep_shortcut(Entry entry, const Node* old) noexcept {
  if (own_shortcuts_ == nullptr) {
    if (nodes() >= kNodesForShortcuts) {
      make_shortcuts();
    }
    return;
  }
  const Node* fresh = trie::is_leaf(entry) ? nullptr : reinterpret_cast<const Node*>(entry);
  if (fresh != nullptr && fresh->depth == kShortcutDepth) {
    put_shortcut(*fresh, (*own_shortcuts_)[fresh->high >> 48].load(std::memory_order_relaxed));
  } else if (old != nullptr && old->depth == kShortcutDepth) {
    (*own_shortcuts_)[old->high >> 48].store(0, std::memory_order_release);
  }
}

// A key has come or gone: the parts that it covers are looked at again.
void Trie::keep_parts(const Key& key) noexcept {
  const Shortcut its = shortcut(key);
  if (its == 0) {
    return;
  }
  const unsigned bits = std::min(key.length - 8 * kShortcutDepth, kPartBits);
  const unsigned begin = part_of(key);
  const unsigned count = kParts >> bits;
  const std::uint64_t touched = ((std::uint64_t{1} << count) - 1) << begin;
  const std::uint64_t covered = parts_covered(*node_of(its), begin, begin + count);
  (*own_shortcuts_)[key.high >> 48].store((its & ~(touched << 32)) | covered << 32, std::memory_order_release);
}

// Without memory there are none, and the next change tries again.
void Trie::make_shortcuts() noexcept {
  own_shortcuts_.reset(new (std::nothrow) Shortcuts{});
  if (own_shortcuts_ == nullptr) {
    return;
  }
  make_shortcuts_below(*root());
  bytes_.store(bytes() + sizeof(Shortcuts), std::memory_order_relaxed);
  shortcuts_.store(own_shortcuts_.get(), std::memory_order_release);
}

void Trie::make_shortcuts_below(const Node& node) noexcept {
  for (unsigned i = 0; i < node.child_count; ++i) {
    const Entry entry = node.children()[i].load(std::memory_order_relaxed);
    if (trie::is_leaf(entry)) {
      continue;
    }
    const auto& child = *reinterpret_cast<const Node*>(entry);
    if (child.depth < kShortcutDepth) {
      make_shortcuts_below(child);
    } else if (child.depth == kShortcutDepth) {
      put_shortcut(child, 0);
    }
  }
}

// --- changes
// -----------------------------------------------------------------------------------------------------------

trie::Node* Trie::copy_with_key(const Node& node, unsigned place, std::uint32_t destination) noexcept {
  Node* copy = make_node(node.child_count, node.key_count + 1U);
  if (copy == nullptr) {
    return nullptr;
  }
  copy_head(node, *copy);
  copy->put_place(place, true);
  const unsigned rank = node.rank_of_place(place);
  copy_array(copy->children(), node.children(), node.child_count, kNowhere, kNowhere);
  copy_array(copy->keys(), node.keys(), node.key_count, rank, kNowhere);
  copy->keys()[rank] = destination;
  return copy;
}

trie::Node* Trie::copy_with_child(const Node& node, unsigned byte, Entry child) noexcept {
  Node* copy = make_node(node.child_count + 1U, node.key_count);
  if (copy == nullptr) {
    return nullptr;
  }
  copy_head(node, *copy);
  copy->put_byte(byte, true);
  const unsigned rank = node.rank_of_byte(byte);
  copy_array(copy->children(), node.children(), node.child_count, rank, kNowhere);
  copy_array(copy->keys(), node.keys(), node.key_count, kNowhere, kNowhere);
  new (copy->children() + rank) Slot(child);
  return copy;
}

trie::Node* Trie::copy_without_key(const Node& node, unsigned place) noexcept {
  Node* copy = make_node(node.child_count, node.key_count - 1U);
  if (copy == nullptr) {
    return nullptr;
  }
  copy_head(node, *copy);
  copy->put_place(place, false);
  copy_array(copy->children(), node.children(), node.child_count, kNowhere, kNowhere);
  copy_array(copy->keys(), node.keys(), node.key_count, kNowhere, node.rank_of_place(place));
  return copy;
}

trie::Node* Trie::copy_without_child(const Node& node, unsigned byte) noexcept {
  Node* copy = make_node(node.child_count - 1U, node.key_count);
  if (copy == nullptr) {
    return nullptr;
  }
  copy_head(node, *copy);
  copy->put_byte(byte, false);
  copy_array(copy->children(), node.children(), node.child_count, kNowhere, node.rank_of_byte(byte));
  copy_array(copy->keys(), node.keys(), node.key_count, kNowhere, kNowhere);
  return copy;
}

Result<void> Trie::replace(Slot& slot, const Node* old, Node* copy) noexcept {
  if (copy == nullptr) {
    return no_memory();
  }
  publish(slot, reinterpret_cast<Entry>(copy), old);
  return {};
}

// A node for two: the key, and what stands below `other`: a leaf (whose depth is that of its length) or a node. It lies
// where they part, or where the shorter of them ends.
trie::Node* Trie::fork(const Key& key, std::uint32_t destination, const Key& other, unsigned other_depth,
                       Entry entry) noexcept {
  const unsigned depth = std::min({trie::depth_for(key.length), other_depth, common_bits(key, other) / 8});
  const bool key_is_here = trie::depth_for(key.length) == depth;
  const bool other_is_here = trie::is_leaf(entry) && other_depth == depth;
  Node* node = make_node((key_is_here ? 0U : 1U) + (other_is_here ? 0U : 1U),
                         (key_is_here ? 1U : 0U) + (other_is_here ? 1U : 0U));
  if (node == nullptr) {
    return nullptr;
  }
  const Key head = masked(key, 8 * depth);
  node->high = head.high, node->low = head.low, node->depth = static_cast<std::uint8_t>(depth);
  const auto add = [&](const Key& each, bool here, Entry child) {
    here ? node->put_place(place_in(*node, each), true) : node->put_byte(each.byte(depth), true);
    if (!here) {
      new (node->children() + node->rank_of_byte(each.byte(depth))) Slot(child);
    }
  };
  // Two children stand in the order of their bytes, two keys in that of their places: whoever comes first is added
  // first.
  const bool first = key < other;
  add(first ? key : other, first ? key_is_here : other_is_here, first ? trie::leaf(destination) : entry);
  add(first ? other : key, first ? other_is_here : key_is_here, first ? entry : trie::leaf(destination));
  if (key_is_here) {
    node->keys()[node->rank_of_place(place_in(*node, key))] = destination;
  }
  if (other_is_here) {
    node->keys()[node->rank_of_place(place_in(*node, other))] = trie::destination_of(entry);
  }
  return node;
}

Result<void> Trie::insert(const Key& key, std::uint32_t destination) {
  auto done = put(key, destination);
  if (done) {
    keep_parts(key);
  }
  return done;
}

Result<void> Trie::put(const Key& key, std::uint32_t destination) {
  if (root_.load(std::memory_order_relaxed) == 0) {
    Node* node = make_node(0, 0);
    if (node == nullptr) {
      return no_memory();
    }
    publish(root_, reinterpret_cast<Entry>(node), nullptr);
  }
  Slot* slot = &root_;
  while (true) {
    Node* node = reinterpret_cast<Node*>(slot->load(std::memory_order_relaxed));
    if (trie::depth_for(key.length) == node->depth) {
      return replace(*slot, node, copy_with_key(*node, place_in(*node, key), destination));
    }
    const unsigned byte = key.byte(node->depth);
    if (!node->has_byte(byte)) {
      return replace(*slot, node, copy_with_child(*node, byte, trie::leaf(destination)));
    }
    slot = node->children() + node->rank_of_byte(byte);
    const Entry entry = slot->load(std::memory_order_relaxed);
    if (trie::is_leaf(entry)) {
      const Key other = keys_[trie::destination_of(entry)];
      return replace(*slot, nullptr, fork(key, destination, other, trie::depth_for(other.length), entry));
    }
    const Node* child = reinterpret_cast<const Node*>(entry);
    if (trie::depth_for(key.length) < child->depth || !child->leads_to(key)) {
      const Key head{child->high, child->low, static_cast<std::uint8_t>(8 * child->depth)};
      return replace(*slot, nullptr, fork(key, destination, head, child->depth, entry));
    }
  }
}

// Takes one key or child out of a node; a node that is left with a single entry is replaced by it.
Result<void> Trie::shrink(Slot& slot, Node& node, unsigned place, unsigned byte, bool is_child) {
  if (&slot != &root_ && node.key_count + node.child_count == 2) {
    Entry left = 0;
    if (node.key_count == 2) {
      left = trie::leaf(node.keys()[node.rank_of_place(place) == 0 ? 1 : 0]);
    } else if (node.child_count == 2) {
      left = node.children()[node.rank_of_byte(byte) == 0 ? 1 : 0].load(std::memory_order_relaxed);
    } else {
      left = is_child ? trie::leaf(node.keys()[0]) : node.children()[0].load(std::memory_order_relaxed);
    }
    publish(slot, left, &node);
    return {};
  }
  return replace(slot, &node, is_child ? copy_without_child(node, byte) : copy_without_key(node, place));
}

Result<void> Trie::erase(const Key& key) {
  auto done = take_out(key);
  if (done) {
    keep_parts(key);
  }
  return done;
}

Result<void> Trie::take_out(const Key& key) {
  Slot* slot = &root_;
  while (true) {
    Node& node = *reinterpret_cast<Node*>(slot->load(std::memory_order_relaxed));
    if (trie::depth_for(key.length) == node.depth) {
      return shrink(*slot, node, place_in(node, key), 0, false);
    }
    const unsigned byte = key.byte(node.depth);
    Slot* child = node.children() + node.rank_of_byte(byte);
    if (trie::is_leaf(child->load(std::memory_order_relaxed))) {
      return shrink(*slot, node, 0, byte, true);
    }
    slot = child;
  }
}

std::uint32_t Trie::find(const Key& key) const {
  const Shortcut its = shortcut(key);
  if (its != 0 && !covers_part(its, key)) {
    return 0;
  }
  const Node* node = its != 0 ? node_of(its) : root();
  while (node != nullptr && key.length >= 8U * node->depth && node->leads_to(key)) {
    if (trie::depth_for(key.length) == node->depth) {
      const unsigned place = place_in(*node, key);
      return node->has_place(place) ? node->keys()[node->rank_of_place(place)] : 0;
    }
    const unsigned byte = key.byte(node->depth);
    if (trie::depth_for(key.length) < node->depth || !node->has_byte(byte)) {
      return 0;
    }
    const Entry entry = node->children()[node->rank_of_byte(byte)].load(std::memory_order_acquire);
    if (trie::is_leaf(entry)) {
      const std::uint32_t destination = trie::destination_of(entry);
      return keys_[destination] == key ? destination : 0;
    }
    node = reinterpret_cast<const Node*>(entry);
  }
  return 0;
}

// Sets the frame to the first thing in its node that is not before `key`; the child to go on in, where the key lies
// below it.
const trie::Node* Walk::seek_within(Frame& frame, const Key& key) const {
  const trie::Node& node = *frame.node;
  const unsigned byte = key.byte(node.depth);
  if (trie::depth_for(key.length) <= node.depth) {
    frame.next_place = place_in(node, key);
    frame.next_byte = byte;
    return nullptr;
  }
  frame.next_place = trie::place(byte, 8) + 1;
  frame.next_byte = byte;
  if (!node.has_byte(byte)) {
    return nullptr;
  }
  const Entry entry = node.children()[node.rank_of_byte(byte)].load(std::memory_order_acquire);
  if (trie::is_leaf(entry)) {
    frame.next_byte += trie_.keys_[trie::destination_of(entry)] < key ? 1 : 0;
    return nullptr;
  }
  const auto* child = reinterpret_cast<const trie::Node*>(entry);
  const Key head{child->high, child->low, static_cast<std::uint8_t>(8 * child->depth)};
  const Key begin = masked(key, head.length);
  if (begin.high == head.high && begin.low == head.low && key.length > head.length) {
    ++frame.next_byte;
    return child;
  }
  // The child lies wholly after the key (all its keys are longer, where the bits are equal) or wholly before it.
  const bool after = head.high != begin.high ? head.high > begin.high : head.low >= begin.low;
  frame.next_byte += after ? 0 : 1;
  return nullptr;
}

void Walk::seek(const Key& key) {
  depth_ = 0;
  for (const trie::Node* node = trie_.root(); node != nullptr;) {
    push(*node);
    node = seek_within(frames_[depth_ - 1], key);
  }
}

std::uint32_t Walk::next() {
  while (depth_ != 0) {
    Frame& frame = frames_[depth_ - 1];
    const trie::Node& node = *frame.node;
    const unsigned place = next_set(node.places, frame.next_place);
    const unsigned byte = next_set(node.bytes, frame.next_byte);
    if (place < trie::kPlaces && kByteOfPlace[place] <= byte) {
      frame.next_place = place + 1;
      return node.keys()[node.rank_of_place(place)];
    }
    if (byte == trie::kBytes) {
      --depth_;
      continue;
    }
    frame.next_byte = byte + 1;
    const Entry entry = node.children()[node.rank_of_byte(byte)].load(std::memory_order_acquire);
    if (trie::is_leaf(entry)) {
      return trie::destination_of(entry);
    }
    push(*reinterpret_cast<const trie::Node*>(entry));
  }
  return 0;
}

}  // namespace turnpike::rtm
