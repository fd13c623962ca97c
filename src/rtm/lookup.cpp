#include "rtm/lookup.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace turnpike::rtm {

// --- looking up
// ----------------------------------------------------------------------------------------------------------

// The steps of Lookup::find for a few dozen addresses, inlined into a caller for each kind of processor.
class LookupSteps {
 public:
  static constexpr std::size_t kBatch = 64;

  explicit LookupSteps(const Lookup& lookup) : lookup_(lookup) {}

  template <class Address>
  [[gnu::always_inline]] void find(const Address* addresses, std::uint32_t* values, std::size_t count) const {
    std::array<std::uint8_t, kBatch> waiting;  // which of them have to go on to a node
    std::size_t left = at_root(addresses, values, count, waiting);
    for (std::size_t level = 1; left != 0; ++level) {
      left = at_node(level, addresses, values, left, waiting);
    }
  }

 private:
  using Places = std::array<std::uint8_t, kBatch>;

  [[gnu::always_inline]] static std::uint64_t first_bits(std::uint32_t address) {
    return std::uint64_t{std::endian::native == std::endian::little ? __builtin_bswap32(address) : address} << 32;
  }
  [[gnu::always_inline]] static std::uint64_t first_bits(const Lookup::Wide& address) {
    std::uint64_t bits;
    std::memcpy(&bits, address.data(), sizeof bits);
    return std::endian::native == std::endian::little ? __builtin_bswap64(bits) : bits;
  }
  [[gnu::always_inline]] static unsigned byte(const std::uint32_t& address, unsigned index) {
    return index < 4 ? reinterpret_cast<const std::uint8_t*>(&address)[index] : 0;
  }
  [[gnu::always_inline]] static unsigned byte(const Lookup::Wide& address, unsigned index) { return address[index]; }

  [[gnu::always_inline]] static std::size_t entry_of(const Lookup::Chunk& chunk, unsigned place) {
    return chunk.base + static_cast<unsigned>(__builtin_popcountll(chunk.starts << (63 - place)));
  }

  template <class Address>
  [[gnu::always_inline]] std::size_t at_root(const Address* addresses, std::uint32_t* values, std::size_t count,
                                             Places& waiting) const {
    const Lookup::Chunk* chunks = lookup_.levels_[0].chunks.data();
    const std::uint32_t* entries = lookup_.levels_[0].entries.data();
    const unsigned shift = 64 - lookup_.root_bits_;
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(&chunks[first_bits(addresses[i]) >> shift >> 6]);
    }
    std::array<std::uint32_t, kBatch> found;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t place = first_bits(addresses[i]) >> shift;
      found[i] = static_cast<std::uint32_t>(entry_of(chunks[place >> 6], place & 63));
      __builtin_prefetch(&entries[found[i]]);
    }
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = entries[found[i]];
      waiting[left] = static_cast<std::uint8_t>(i);
      left += values[i] >> 31;
    }
    return left;
  }

  template <class Address>
  [[gnu::always_inline]] std::size_t at_node(std::size_t level, const Address* addresses, std::uint32_t* values,
                                             std::size_t count, Places& waiting) const {
    const Lookup::Chunk* chunks = lookup_.levels_[level].chunks.data();
    const std::uint32_t* entries = lookup_.levels_[level].entries.data();
    const auto index = static_cast<unsigned>(lookup_.root_bits_ / 8 + level - 1);
    for (std::size_t k = 0; k < count; ++k) {
      __builtin_prefetch(&chunks[std::size_t{values[waiting[k]] & ~Lookup::kNode} * 4]);
    }
    std::array<std::uint32_t, kBatch> found;
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t i = waiting[k];
      const unsigned place = byte(addresses[i], index);
      found[k] = static_cast<std::uint32_t>(
          entry_of(chunks[std::size_t{values[i] & ~Lookup::kNode} * 4 + (place >> 6)], place & 63));
      __builtin_prefetch(&entries[found[k]]);
    }
    std::size_t left = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint8_t i = waiting[k];
      values[i] = entries[found[k]];
      waiting[left] = i;
      left += values[i] >> 31;
    }
    return left;
  }

  const Lookup& lookup_;
};

namespace {

template <class Address>
void find_anywhere(const Lookup& lookup, const Address* addresses, std::uint32_t* values, std::size_t count) {
  LookupSteps(lookup).find(addresses, values, count);
}

#ifdef __x86_64__
template <class Address>
[[gnu::target("popcnt")]] void find_with_popcnt(const Lookup& lookup, const Address* addresses, std::uint32_t* values,
                                                std::size_t count) {
  LookupSteps(lookup).find(addresses, values, count);
}

bool has_popcnt() {
  static const bool has = __builtin_cpu_supports("popcnt") != 0;
  return has;
}
#endif

template <class Address>
auto find_here() {
#ifdef __x86_64__
  return has_popcnt() ? &find_with_popcnt<Address> : &find_anywhere<Address>;
#else
  return &find_anywhere<Address>;
#endif
}

}  // namespace

template <class Address>
void Lookup::find_all(std::span<const Address> addresses, std::span<std::uint32_t> values) const {
  const auto find_some = find_here<Address>();
  const std::size_t count = std::min(addresses.size(), values.size());
  for (std::size_t done = 0; done < count; done += LookupSteps::kBatch) {
    find_some(*this, addresses.data() + done, values.data() + done, std::min(count - done, LookupSteps::kBatch));
  }
}

void Lookup::find(std::span<const Narrow> addresses, std::span<std::uint32_t> values) const {
  find_all(addresses, values);
}

void Lookup::find(std::span<const Wide> addresses, std::span<std::uint32_t> values) const {
  find_all(addresses, values);
}

std::size_t Lookup::bytes() const {
  std::size_t sum = sizeof *this;
  for (const Level& level : levels_) {
    sum += sizeof level + level.chunks.capacity() * sizeof(Chunk) + level.entries.capacity() * sizeof(std::uint32_t);
  }
  return sum;
}

// --- building
// ------------------------------------------------------------------------------------------------------------

namespace {

constexpr unsigned root_bits_for(std::size_t keys) { return keys < 128 ? 8 : keys < 32768 ? 16 : 24; }

}  // namespace

Lookup::Builder::Builder(unsigned width, std::size_t expected) : width_(width) {
  try {
    made_ = std::make_unique<Lookup>();
    made_->root_bits_ = root_bits_for(expected);
    made_->levels_.reserve(kMaxLevels);
    made_->levels_.emplace_back().chunks.resize(std::size_t{1} << (made_->root_bits_ - 6));
  } catch (const std::bad_alloc&) {
    made_.reset();
  }
}

// The first address behind those that the key covers.
Lookup::Builder::Point Lookup::Builder::end_of(const Key& key) {
  if (key.length == 0) {
    return {};
  }
  if (key.length <= 64) {
    return {key.high + (std::uint64_t{1} << (64 - key.length)), 0};
  }
  const std::uint64_t low = key.low + (std::uint64_t{1} << (128 - key.length));
  return {key.high + (low == 0 ? 1 : 0), low};
}

Result<void> Lookup::Builder::add(const Key& key, std::uint32_t value) {
  const bool is_behind = open_count_ == 0 || last_ < key;
  if (width_ < 1 || width_ > 128 || key.length > width_ || key != masked(key, key.length) || !is_behind || value == 0 ||
      value > kMaxValue) {
    return fail(ErrorKind::kInvalidArgument, "a key or value that cannot be, or not in its turn");
  }
  if (made_ == nullptr) {
    return fail(ErrorKind::kExhausted, "no memory for a look-up structure");
  }
  try {
    close_until(&key);
    change({key.high, key.low}, value);
  } catch (const std::bad_alloc&) {
    made_.reset();
    return fail(ErrorKind::kExhausted, "no memory for a look-up structure");
  }
  open_[open_count_++] = {key, value};
  last_ = key;
  ++made_->keys_;
  return {};
}

// Ends the open keys that do not cover the next one; all of them if there is none.
void Lookup::Builder::close_until(const Key* next) {
  while (open_count_ != 0 && (next == nullptr || !covers(open_[open_count_ - 1].key, *next))) {
    const Point end = end_of(open_[--open_count_].key);
    if (!end.is_zero()) {
      change(end, open_count_ == 0 ? 0 : open_[open_count_ - 1].value);
    }
  }
}

// The level that has a place which begins there.
unsigned Lookup::Builder::level_of(Point at) const {
  const unsigned bits = at.low != 0    ? 128 - static_cast<unsigned>(std::countr_zero(at.low))
                        : at.high != 0 ? 64 - static_cast<unsigned>(std::countr_zero(at.high))
                                       : 0;
  return bits <= made_->root_bits_ ? 0 : (bits - made_->root_bits_ + 7) / 8;
}

// In the level's newest node.
std::size_t Lookup::Builder::place_in(unsigned level, Point at) const {
  if (level == 0) {
    return at.high >> (64 - made_->root_bits_);
  }
  const std::size_t node = made_->levels_[level].chunks.size() / 4 - 1;
  return node * 256 + Key{at.high, at.low, 0}.byte(bits_before(level) / 8);
}

// From there on, that value: `at` is not before the last change. A second change at the same place takes the place of
// the first.
void Lookup::Builder::change(Point at, std::uint32_t value) {
  const unsigned common = common_bits({at_.high, at_.low, 0}, {at.high, at.low, 0});
  unsigned open = level_;
  while (open != 0 && common < bits_before(open)) {
    --open;
  }
  close_nodes(open);
  at_ = at;
  const unsigned wanted = level_of(at);
  for (; level_ < wanted; ++level_) {
    if (made_->levels_.size() == level_ + 1U) {
      made_->levels_.emplace_back();
    }
    auto& chunks = made_->levels_[level_ + 1].chunks;
    put(level_, place_in(level_, at), kNode | static_cast<std::uint32_t>(chunks.size() / 4));
    chunks.resize(chunks.size() + 4);
    put(level_ + 1, chunks.size() / 4 * 256 - 256, value_);
  }
  put(wanted, place_in(wanted, at), value);
  value_ = value;
}

// Leaves the nodes below that level. What follows them, up to the next change, has the value that they ended with.
void Lookup::Builder::close_nodes(unsigned open) {
  for (; level_ > open; --level_) {
    const unsigned parent = level_ - 1;
    const std::size_t next = place_in(parent, at_) + 1;
    if (parent == 0 ? next >> made_->root_bits_ == 0 : next % 256 != 0) {
      put(parent, next, value_);
    }
  }
}

// Sets the base of every chunk of the level up to that one.
void Lookup::Builder::reach(unsigned level, std::size_t chunk) {
  Level& it = made_->levels_[level];
  const auto base = static_cast<std::uint32_t>(it.entries.size() - 1);
  for (; reached_[level] <= chunk; ++reached_[level]) {
    it.chunks[reached_[level]].base = base;
  }
}

void Lookup::Builder::put(unsigned level, std::size_t place, std::uint32_t entry) {
  reach(level, place / 64);
  Level& it = made_->levels_[level];
  Chunk& chunk = it.chunks[place / 64];
  const std::uint64_t bit = std::uint64_t{1} << (place % 64);
  if ((chunk.starts & bit) != 0) {
    it.entries.back() = entry;
  } else if (it.entries.back() != entry) {
    it.entries.push_back(entry);
    chunk.starts |= bit;
  }
}

Result<std::unique_ptr<const Lookup>> Lookup::Builder::finish() {
  if (made_ == nullptr) {
    return fail(ErrorKind::kExhausted, "no memory for a look-up structure");
  }
  try {
    close_until(nullptr);
    close_nodes(0);
    for (unsigned level = 0; level < made_->levels_.size(); ++level) {
      reach(level, made_->levels_[level].chunks.size() - 1);
      made_->levels_[level].chunks.shrink_to_fit();
      made_->levels_[level].entries.shrink_to_fit();
    }
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::kExhausted, "no memory for a look-up structure");
  }
  return std::unique_ptr<const Lookup>(std::move(made_));
}

}  // namespace turnpike::rtm
