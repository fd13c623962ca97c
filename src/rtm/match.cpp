// Longest match for many addresses, over a Lookup (lookup.h) of the table's destinations, which is made when it pays
// and thrown away when it is wrong. The answers are always right: each is the longest match at some moment between the
// call's beginning and its end.
//
// ## When a Lookup is right
//
// It says which destination was the longest match when it was made, and is asked only that: what a destination holds
// (its best route, the views it is in) is read from the table. So of all changes only one makes it wrong: a destination
// that appears, because it may be a longer match than the one that the Lookup knows. One that goes is seen in its
// record: that address is then looked up in the trie. `appearances_` counts, under the table's lock and before the
// destination can be seen. A Lookup is right while the count is the one that it was made at; a batch of answers is good
// if the count is still the same after it.
//
// ## When one is made
//
// Addresses are looked up in the trie, some ten times slower, until that has cost as much as making a Lookup does: as
// many addresses as there are destinations, since the table last had a right one. So a table that never rests is never
// dearer than twice the better of the two ways, and a call for many addresses at a quiet time builds at once. Making it
// takes no lock of the table's; other threads meanwhile go by the trie.
#include <bit>
#include <cstring>
#include <mutex>
#include <optional>

#include "rtm/bulk.h"
#include "rtm/lookup.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr std::size_t kBatch = 64;
constexpr unsigned kSlice = 4096;  // destinations that a build passes between two entries of the epoch

Key key_of_bytes(const std::byte* bytes, unsigned width) {
  std::uint64_t words[2] = {0, 0};
  std::memcpy(words, bytes, width / 8);
  return {__builtin_bswap64(words[0]), __builtin_bswap64(words[1]), static_cast<std::uint8_t>(width)};
}

}  // namespace

struct Table::Index {
  std::unique_ptr<const Lookup> lookup;
  std::uint64_t appearances;
};

void Table::forget_index() { std::unique_ptr<Index>(index_.exchange(nullptr)).reset(); }

void Table::describe_index(Statistics& all) {
  const Epoch::Reader reading(epoch_);
  if (const Index* index = index_.load(std::memory_order_acquire); index != nullptr) {
    all.index_routes = index->lookup->keys();
    all.index_bytes = index->lookup->bytes();
  }
  all.index_builds = index_builds_.load(std::memory_order_relaxed);
}

// Null: no memory.
std::unique_ptr<Table::Index> Table::make_index() {
  auto made = std::make_unique<Index>();
  std::size_t expected = 0;
  {
    const std::lock_guard lock(mutex_);
    made->appearances = appearances_.load(std::memory_order_relaxed);
    expected = destinations_.used();
  }
  Lookup::Builder builder(config_.width, expected);
  Key next{};
  for (bool more = true; more;) {
    const Epoch::Reader reading(epoch_);
    Walk walk(trie_);
    walk.seek(next);
    unsigned passed = 0;
    std::uint32_t dest = 0;
    while (passed++ < kSlice && (dest = walk.next()) != 0) {
      const Key key = key_of(dest);
      if (destination(dest).is_visible() && !builder.add(key, dest)) {
        return nullptr;
      }
      next = {key.high, key.low, static_cast<std::uint8_t>(key.length + 1)};
    }
    more = dest != 0;
  }
  auto lookup = builder.finish();
  if (!lookup) {
    return nullptr;
  }
  made->lookup = std::move(*lookup);
  return made;
}

// Before a call for so many addresses, outside of any reader.
void Table::consider_index(std::size_t count) {
  {
    const Epoch::Reader reading(epoch_);
    if (const Index* index = index_.load(std::memory_order_acquire);
        index != nullptr && index->appearances == appearances_.load(std::memory_order_acquire)) {
      return;
    }
  }
  const std::uint64_t slow = slow_matches_.fetch_add(count, std::memory_order_relaxed) + count;
  if (slow < destinations_.limit()) {
    return;
  }
  const std::unique_lock building(index_mutex_, std::try_to_lock);
  if (!building) {
    return;
  }
  std::unique_ptr<Index> made;
  try {
    made = make_index();
  } catch (const std::bad_alloc&) {
  }
  if (made == nullptr) {
    return;
  }
  slow_matches_.store(0, std::memory_order_relaxed);
  ++index_builds_;
  epoch_.retire(std::unique_ptr<Index>(index_.exchange(made.release(), std::memory_order_acq_rel)));
  epoch_.collect();
}

// Fills dests[i] with the longest match of addresses[i]; 0: none. At most kBatch, within a reader.
void Table::match_batch(const std::byte* addresses, ViewSet views, std::span<std::uint32_t> dests) const {
  const unsigned stride = config_.width / 8;
  const Index* index = index_.load(std::memory_order_acquire);
  const bool is_right = index != nullptr && index->appearances == appearances_.load(std::memory_order_acquire);
  if (is_right) {
    if (stride == sizeof(Lookup::Narrow)) {
      index->lookup->find({reinterpret_cast<const Lookup::Narrow*>(addresses), dests.size()}, dests);
    } else {
      index->lookup->find({reinterpret_cast<const Lookup::Wide*>(addresses), dests.size()}, dests);
    }
    for (const std::uint32_t dest : dests) {
      __builtin_prefetch(destinations_.at(dest));
    }
  }
  const auto by_trie = [&](std::size_t i) {
    return trie_.longest(key_of_bytes(addresses + i * stride, config_.width),
                         [&](std::uint32_t dest) { return is_in(destination(dest), views); });
  };
  for (std::size_t i = 0; i < dests.size(); ++i) {
    if (!is_right || (dests[i] != 0 && !is_in(destination(dests[i]), views))) {
      dests[i] = by_trie(i);
    }
  }
  if (is_right && index->appearances != appearances_.load(std::memory_order_acquire)) [[unlikely]] {
    for (std::size_t i = 0; i < dests.size(); ++i) {
      dests[i] = by_trie(i);
    }
  }
}

Result<void> Table::check_match(ViewSet views) const {
  if (config_.width != 32 && config_.width != 128) {
    return fail(ErrorKind::kUnsupported, "longest match in bulk is for IPv4 and IPv6");
  }
  if (views != kAnyView && !std::has_single_bit(views)) {
    return fail(ErrorKind::kInvalidArgument, "one view, or any");
  }
  if (!supports(views)) {
    return fail(ErrorKind::kUnsupported, "a view that this table does not have");
  }
  return {};
}

// show(i, dest) for each address, dest 0 where nothing matches; in batches, each within a reader of its own.
template <class Prepare, class Show>
Result<void> Table::match_all(Handle self, ViewSet views, const std::byte* addresses, std::size_t count,
                              Prepare&& prepare, Show&& show) {
  if (!is_client(self)) {
    return fail(ErrorKind::kInvalidHandle, "not the handle of a registered client");
  }
  if (const auto good = check_match(views); !good) {
    return good;
  }
  consider_index(count);
  for (std::size_t from = 0; from < count; from += kBatch) {
    std::array<std::uint32_t, kBatch> dests;
    const auto some = std::span(dests).first(std::min(kBatch, count - from));
    const Epoch::Reader reading(epoch_);
    match_batch(addresses + from * (config_.width / 8), views, some);
    prepare(some);
    for (std::size_t i = 0; i < some.size(); ++i) {
      show(from + i, some[i]);
    }
  }
  return {};
}

Result<void> Table::match_destinations(Handle self, ViewSet views, const std::byte* addresses, std::span<Handle> out) {
  return match_all(
      self, views, addresses, out.size(), [](std::span<const std::uint32_t>) {},
      [&](std::size_t i, std::uint32_t dest) { out[i] = dest != 0 ? dest_handle(dest) : Handle::kNone; });
}

void Table::write_match(std::uint32_t index, unsigned rank, Match& out) {
  Destination& dest = destination(index);
  consistently(
      dest,
      [&] {
        out = {};
        out.destination = dest_handle(index);
        out.bits = key_of(index).length;
        const std::uint32_t shown = best(dest, rank);
        const Entity* owner = shown != 0 ? entity_at(route(shown).owner) : nullptr;
        if (owner == nullptr) {
          return true;
        }
        const Route& its = route(shown);
        out.route = route_handle(shown);
        out.protocol = owner->info.protocol;
        out.protocol_instance = owner->info.protocol_instance;
        out.preference = its.rank();
        for_each_hop(its.hops, [&](std::uint32_t hop) {
          if (out.hop_count++ == 0) {
            out.next_hop = next_hop_handle(hop);
            out.interface_index = next_hop(hop).interface_index;
            std::memcpy(out.hop_address, next_hop(hop).address.address, sizeof out.hop_address);
          }
        });
        return true;
      },
      [] {});
}

Result<FirstHop> Table::first_hop(Handle self, Handle handle, ViewSet view) {
  const Epoch::Reader reading(epoch_);
  if (find_caller(self) == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "not the handle of a registered client");
  }
  if (!std::has_single_bit(view) || !supports(view)) {
    return fail(ErrorKind::kInvalidArgument, "one view, which the table has");
  }
  const std::uint32_t index = find(Kind::kDestination, handle);
  if (index == 0) {
    return fail(ErrorKind::kInvalidHandle, "not the handle of a destination of this table");
  }
  Destination& dest = destination(index);
  std::optional<FirstHop> out;
  consistently(
      dest,
      [&] {
        out.reset();
        const std::uint32_t shown = best(dest, rank_of_view(static_cast<unsigned>(std::countr_zero(view))));
        const Entity* owner = shown != 0 ? entity_at(route(shown).owner) : nullptr;
        if (owner != nullptr) {
          for_each_hop(route(shown).hops, [&](std::uint32_t each) {
            const NextHop& hop = next_hop(each);
            if (!out) out = FirstHop{hop.address, hop.interface_index, hop.flags, owner->info.protocol};
          });
        }
        return true;
      },
      [] {});
  return out ? Result<FirstHop>(*out) : fail(ErrorKind::kNotFound, "no best route that leads anywhere");
}

Result<void> Table::match_routes(Handle self, ViewSet views, const std::byte* addresses, std::span<Match> out) {
  const unsigned rank = views == kAnyView ? 0 : rank_of_view(static_cast<unsigned>(std::countr_zero(views)));
  return match_all(
      self, views, addresses, out.size(),
      [&](std::span<const std::uint32_t> dests) {
        for (const std::uint32_t dest : dests) {
          if (dest != 0) {
            __builtin_prefetch(routes_.at(best(destination(dest), rank)));
          }
        }
      },
      [&](std::size_t i, std::uint32_t dest) {
        out[i] = {};
        if (dest != 0) {
          write_match(dest, rank, out[i]);
        }
      });
}

}  // namespace turnpike::rtm
