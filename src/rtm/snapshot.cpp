// Snapshots and the journal: what the table was at a moment, and how it came there.
//
// A snapshot shows every route as it was when the call began, although the table is walked in short holds of the lock
// and changes in between. Whoever changes a destination that the walk has not reached yet first saves its routes for
// the snapshot (`save_for_snapshots`, at the beginning of each change); the walk then takes what was saved in the place
// of what is there. So memory beyond the snapshot itself is bounded by what changes during the walk, and nobody waits
// for it.
#include <map>

#include "rtm/bulk.h"
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {

// A snapshot in the making. Under the table's lock.
struct Table::SnapshotWalk {
  Key next;  // everything before has been copied
  bool done = false;
  bool failed = false;            // no memory
  std::map<Key, Snapshot> saved;  // of destinations from there on: what they were
  Snapshot made;
};

void Table::copy_routes(std::uint32_t dest, Snapshot& out) const {
  for (std::uint32_t i = destination(dest).first_route; i != 0; i = route(i).next) {
    const Route& its = route(i);
    SnapshotRoute row;
    write_address(key_of(dest), row.destination);
    row.views = its.views;
    for_each_view(config_.views, [&](unsigned view, unsigned rank) {
      row.best_in |= best(destination(dest), rank) == i ? ViewSet{1} << view : 0;
    });
    const Entity& owner = *entity_at(its.owner);
    row.protocol = owner.info.protocol;
    row.protocol_instance = owner.info.protocol_instance;
    row.preference = its.rank();
    row.flags = its.flags;
    row.first_hop = static_cast<std::uint32_t>(out.hops.size());
    for_each_hop(its.hops, [&](std::uint32_t hop) {
      out.hops.push_back({next_hop(hop).address, next_hop(hop).interface_index});
      ++row.hop_count;
    });
    out.routes.push_back(row);
  }
}

void Table::save_for_snapshots(std::uint32_t dest) noexcept {
  const Key key = key_of(dest);
  for (SnapshotWalk* walk : walks_) {
    if (walk->done || key < walk->next) {
      continue;
    }
    try {
      if (const auto [at, is_new] = walk->saved.try_emplace(key); is_new) {
        copy_routes(dest, at->second);
      }
    } catch (const std::bad_alloc&) {
      walk->failed = true;
    }
  }
}

namespace {

void append(Snapshot& all, const Snapshot& some) {
  const auto shift = static_cast<std::uint32_t>(all.hops.size());
  for (SnapshotRoute row : some.routes) {
    row.first_hop += shift;
    all.routes.push_back(row);
  }
  all.hops.insert(all.hops.end(), some.hops.begin(), some.hops.end());
}

// What was saved of destinations before that one; all of it without one.
void append_saved(std::map<Key, Snapshot>& saved, const Key* before, Snapshot& all) {
  while (!saved.empty() && (before == nullptr || saved.begin()->first < *before)) {
    append(all, saved.begin()->second);
    saved.erase(saved.begin());
  }
}

}  // namespace

void Table::walk_on(SnapshotWalk& state, const std::function<bool()>& enough) {
  Walk walk(trie_);
  walk.seek(state.next);
  while (const std::uint32_t dest = walk.next()) {
    const Key key = key_of(dest);
    append_saved(state.saved, &key, state.made);
    if (const auto was = state.saved.find(key); was != state.saved.end()) {
      append(state.made, was->second);
      state.saved.erase(was);
    } else {
      copy_routes(dest, state.made);
    }
    state.next = {key.high, key.low, static_cast<std::uint8_t>(key.length + 1)};
    if (enough()) {
      return;
    }
  }
  append_saved(state.saved, nullptr, state.made);
  state.done = true;
}

Result<Snapshot> Table::snapshot(Handle self) {
  SnapshotWalk state;
  if (!is_client(self)) {
    return fail(ErrorKind::kInvalidHandle, "not the handle of a registered client");
  }
  {
    const std::lock_guard lock(mutex_);
    state.made.routes.reserve(live_routes_);
    state.made.hops.reserve(live_routes_);
    walks_.push_back(&state);
  }
  in_steps([&](auto&& enough) {
    const Epoch::Reader reading(epoch_);
    try {
      walk_on(state, enough);
    } catch (const std::bad_alloc&) {
      state.failed = true;
    }
    if (state.done || state.failed) {
      std::erase(walks_, &state);
      return false;
    }
    return true;
  });
  if (state.failed) {
    return fail(ErrorKind::kExhausted, "no memory for a snapshot");
  }
  return std::move(state.made);
}

// --- journal
// -------------------------------------------------------------------------------------------------------------

void Table::note_in_journal(JournalEntry::What what, std::uint32_t index, std::uint32_t was_best) noexcept {
  const Route& its = route(index);
  const Entity& owner = *entity_at(its.owner);
  JournalEntry entry;
  entry.number = ++journaled_;
  entry.time = destination(its.destination).last_changed;
  entry.what = what;
  write_address(key_of(its.destination), entry.destination);
  entry.views = its.views;
  entry.protocol = owner.info.protocol;
  entry.protocol_instance = owner.info.protocol_instance;
  entry.preference = its.rank();
  entry.was_best = was_best != 0 ? 1 : 0;
  journal_[entry.number % journal_.size()] = entry;
}

Result<void> Table::keep_journal(Handle self, std::size_t capacity) {
  if (capacity > kMaxJournal) {
    return fail(ErrorKind::kInvalidArgument, "a longer journal than there may be");
  }
  return attempt(self, [&](Entity&, Blocked&) -> Result<void> {
    std::vector<JournalEntry> fresh(capacity);
    const std::lock_guard lock(mutex_);
    journal_.swap(fresh);
    journal_begins_ = journaled_ + 1;
    return {};
  });
}

Result<std::size_t> Table::read_journal(Handle self, std::uint64_t after, std::span<JournalEntry> out) {
  return attempt(self, [&](Entity&, Blocked&) -> Result<std::size_t> {
    const std::lock_guard lock(mutex_);
    if (journal_.empty()) {
      return fail(ErrorKind::kNotFound, "the table keeps no journal");
    }
    const std::uint64_t kept = journaled_ >= journal_.size() ? journaled_ - journal_.size() + 1 : 1;
    std::size_t count = 0;
    for (std::uint64_t number = std::max({after + 1, kept, journal_begins_});
         number <= journaled_ && count < out.size(); ++number) {
      out[count++] = journal_[number % journal_.size()];
    }
    return count;
  });
}

}  // namespace turnpike::rtm
