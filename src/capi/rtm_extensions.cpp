// The C face of what the routing table has beyond RTMv2: include/turnpike/rtm.h over rtm::Table.
//
// As in rtmv2.cpp: find the table that the caller's handle speaks of, check, ask, translate. Batches go to the table in
// pieces of a few hundred, so that a long one holds its lock for a tenth of a millisecond at a time.
#include <turnpike/rtm.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <vector>

#include "capi/rtm_call.h"
#include "runtime/change_descriptor.h"
#include "runtime/forwarder_host.h"

namespace turnpike::capi {
namespace {

constexpr std::uint32_t kPartly = 299;
constexpr std::uint32_t kNoMore = 259;
constexpr std::size_t kPiece = 256;
constexpr unsigned kTries = 64;

static_assert(sizeof(TpRtmAddress) == sizeof(rtm::NetAddress));
static_assert(offsetof(TpRtmAddress, address) == offsetof(rtm::NetAddress, address));
static_assert(sizeof(TpRtmMatch) == sizeof(rtm::Match) &&
              offsetof(TpRtmMatch, metric) == offsetof(rtm::Match, preference));
static_assert(offsetof(TpRtmMatch, protocol) == offsetof(rtm::Match, protocol));
static_assert(offsetof(TpRtmMatch, interface_index) == offsetof(rtm::Match, interface_index));
static_assert(offsetof(TpRtmMatch, bits) == offsetof(rtm::Match, bits));
static_assert(offsetof(TpRtmMatch, hop_address) == offsetof(rtm::Match, hop_address));
static_assert(sizeof(TpRtmSnapshotHop) == sizeof(rtm::SnapshotHop));
static_assert(offsetof(TpRtmSnapshotHop, interface_index) == offsetof(rtm::SnapshotHop, interface_index));
static_assert(sizeof(TpRtmJournalEntry) == sizeof(rtm::JournalEntry));
static_assert(offsetof(TpRtmJournalEntry, destination) == offsetof(rtm::JournalEntry, destination));
static_assert(offsetof(TpRtmJournalEntry, views) == offsetof(rtm::JournalEntry, views));
static_assert(offsetof(TpRtmJournalEntry, metric) == offsetof(rtm::JournalEntry, preference));
static_assert(offsetof(TpRtmJournalEntry, was_best) == offsetof(rtm::JournalEntry, was_best));

// --- batches
// -------------------------------------------------------------------------------------------------------------

bool is_good_batch(const void* elements, std::uint32_t count, const void* statuses) {
  return count <= TP_RTM_MAX_BATCH && (count == 0 || (elements != nullptr && statuses != nullptr));
}

// Runs some(from, outcomes) for one piece after the other, and tell(i, outcome) for each element.
template <class T, class Some, class Tell>
std::uint32_t in_pieces(std::uint32_t count, std::uint32_t* statuses, Some&& some, Tell&& tell) {
  std::uint32_t failed = 0;
  std::uint32_t code = kSuccess;
  std::vector<Result<T>> outcomes;
  for (std::size_t from = 0; from < count; from += kPiece) {
    outcomes.assign(std::min(kPiece, count - from), fail(ErrorKind::kInvalidHandle, "the caller has left"));
    if (code == kSuccess) {
      code = code_of(some(from, std::span(outcomes)));
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      statuses[from + i] = code_of(outcomes[i]);
      failed += outcomes[i] ? 0 : 1;
      tell(from + i, outcomes[i]);
    }
  }
  return code != kSuccess ? code : failed != 0 ? kPartly : kSuccess;
}

template <class T, class Some>
std::uint32_t run_batch(void* entity, const void* elements, std::uint32_t count, std::uint32_t* statuses, Some&& some) {
  return call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (!table.is_client(caller) || !is_good_batch(elements, count, statuses)) {
      return bad_parameter(table, caller);
    }
    return in_pieces<T>(
        count, statuses,
        [&](std::size_t from, std::span<Result<T>> outcomes) { return some(table, caller, from, outcomes); },
        [](std::size_t, const Result<T>&) {});
  });
}

rtm::BulkRoute request_of(const TpRtmRoute& route) {
  rtm::BulkRoute made;
  made.address = of(route.destination);
  made.request.neighbour = of(route.neighbour);
  made.request.flags = route.flags;
  made.request.preference = {route.metric, route.preference};
  made.request.views = route.views;
  made.request.entity_specific = route.entity_specific;
  made.request.hops = of(route.hops, route.hop_count);
  made.request.time_to_live = route.time_to_live == 0 ? TP_RTM_FOREVER : route.time_to_live;
  return made;
}

// An element that is wrong in itself reaches the table as an address of no family, which it refuses.
std::span<const rtm::BulkRoute> requests_of(const TpRtmRoute* routes, std::size_t count,
                                            std::vector<rtm::BulkRoute>& made) {
  made.clear();
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back(request_of(routes[i]));
    if ((routes[i].hop_count != 0 && routes[i].hops == nullptr) || routes[i].reserved != 0) {
      made.back().request.hops = {};
      made.back().address.family = 0;
    }
  }
  return made;
}

// --- matches
// -------------------------------------------------------------------------------------------------------------

std::size_t width_of(const rtm::Table& table) { return table.config().width / 8; }

bool are_addresses(const rtm::Table& table, const void* addresses, std::uint32_t count, const void* out) {
  return count == 0 || (addresses != nullptr && out != nullptr &&
                        (width_of(table) != 4 || reinterpret_cast<std::uintptr_t>(addresses) % 4 == 0));
}

// A reference on the route that the address matches, which may become another one while we try.
Result<void> reference(rtm::Table& table, rtm::Handle caller, rtm::ViewSet view, const std::byte* address,
                       rtm::Match& match) {
  for (unsigned tries = 0; tries < kTries; ++tries) {
    if (match.route == rtm::Handle::kNone || table.reference_handles(caller, {&match.route, 1})) {
      return {};
    }
    if (const auto again = table.match_routes(caller, view, address, {&match, 1}); !again) {
      return again;
    }
  }
  return fail(ErrorKind::kExhausted, "no memory for a reference");
}

std::uint32_t match_with_references(rtm::Table& table, rtm::Handle caller, rtm::ViewSet view,
                                    const std::byte* addresses, std::span<rtm::Match> out) {
  std::vector<rtm::Match> found(out.size());
  if (const auto matched = table.match_routes(caller, view, addresses, found); !matched) {
    return code_of(matched);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto held = reference(table, caller, view, addresses + i * width_of(table), found[i]);
    if (!held) {
      while (i-- != 0) {
        if (found[i].route != rtm::Handle::kNone) {
          static_cast<void>(table.release_routes(caller, {&found[i].route, 1}));
        }
      }
      return code_of(held);
    }
  }
  std::copy(found.begin(), found.end(), out.begin());
  return kSuccess;
}

// --- preferences
// ---------------------------------------------------------------------------------------------------------

// Nothing: they are none that can be.
std::optional<rtm::Preferences> preferences_of(const TpRtmPreference* given, std::uint32_t count) {
  if (count > TP_RTM_MAX_PREFERENCES || (given == nullptr && count != 0)) return std::nullopt;
  rtm::Preferences made;
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool is_there = rtm::preference_in(made, given[i].protocol, 0) != 0;
    if (given[i].preference == 0 || is_there) return std::nullopt;
    made.emplace_back(given[i].protocol, given[i].preference);
  }
  return made;
}

// Memory that runs out is the one error that comes as an exception.
template <class Ask>
std::uint32_t without_client(Ask&& ask) noexcept {
  try {
    return ask(runtime::World::instance());
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

// --- structures that may grow
// ------------------------------------------------------------------------------------------------

constexpr std::uint32_t kSmallest = 2 * sizeof(std::uint32_t);
constexpr std::uint32_t kLargest = 4096;

template <class T>
bool is_sized(const T* out) {
  return out != nullptr && out->size >= kSmallest && out->size <= kLargest;
}

template <class T>
void give(const T& made, T* out) {
  const std::uint32_t size = out->size;
  std::memcpy(out, &made, std::min<std::size_t>(size, sizeof made));
  out->size = size;
}

}  // namespace
}  // namespace turnpike::capi

// The functions are those of the header, so they stand where it declares them.
namespace capi = turnpike::capi;
namespace rtm = turnpike::rtm;
namespace runtime = turnpike::runtime;
using turnpike::Result;

extern "C" {

uint32_t TpRtmAddRoutes(void* entity, const TpRtmRoute* routes, uint32_t count, uint32_t* statuses,
                        void** handles) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (!table.is_client(caller) || !capi::is_good_batch(routes, count, statuses)) {
      return capi::bad_parameter(table, caller);
    }
    std::vector<rtm::BulkRoute> requests;
    requests.reserve(std::min<std::size_t>(count, capi::kPiece));
    return capi::in_pieces<rtm::AddedRoute>(
        count, statuses,
        [&](std::size_t from, std::span<Result<rtm::AddedRoute>> outcomes) {
          return table.add_routes(caller, capi::requests_of(routes + from, outcomes.size(), requests),
                                  handles != nullptr, outcomes);
        },
        [&](std::size_t i, const Result<rtm::AddedRoute>& added) {
          if (added) runtime::ForwarderHost::instance().routes_added();
          if (handles != nullptr) {
            handles[i] = added ? capi::to(added->route) : nullptr;
          }
        });
  });
}

uint32_t TpRtmDeleteRoutes(void* entity, void* const* routes, uint32_t count, uint32_t* statuses) noexcept {
  return capi::run_batch<std::uint32_t>(
      entity, routes, count, statuses,
      [&](rtm::Table& table, rtm::Handle caller, std::size_t from, std::span<Result<std::uint32_t>> outcomes) {
        return table.delete_routes(caller, capi::of(routes + from, static_cast<std::uint32_t>(outcomes.size())),
                                   outcomes);
      });
}

uint32_t TpRtmDeleteRoutesTo(void* entity, const TpRtmAddress* destinations, uint32_t count,
                             uint32_t* statuses) noexcept {
  return capi::run_batch<std::uint32_t>(
      entity, destinations, count, statuses,
      [&](rtm::Table& table, rtm::Handle caller, std::size_t from, std::span<Result<std::uint32_t>> outcomes) {
        return table.delete_routes_to(caller, {&capi::of(destinations[from]), outcomes.size()}, outcomes);
      });
}

uint32_t TpRtmAddNextHop(void* entity, const TpRtmNextHop* hop, void** handle, uint32_t* is_new) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (hop == nullptr || handle == nullptr || hop->reserved != 0) return capi::bad_parameter(table, caller);
    const rtm::NextHopRequest request{.address = capi::of(hop->address),
                                      .interface_index = hop->interface_index,
                                      .flags = hop->flags,
                                      .entity_specific = hop->entity_specific,
                                      .remote = capi::of(hop->remote),
                                      .may_be_of_other_family = true};
    const auto added = table.add_next_hop(caller, rtm::Handle::kNone, request, true);
    if (!added) return capi::code_of(added.error());
    *handle = capi::to(added->first);
    if (is_new != nullptr) *is_new = added->second ? 1 : 0;
    return capi::kSuccess;
  });
}

uint32_t TpRtmMatchRoutes(void* entity, uint32_t view, uint32_t flags, const void* addresses, uint32_t count,
                          TpRtmMatch* matches) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if ((flags & ~TP_RTM_REFERENCE) != 0 || !capi::are_addresses(table, addresses, count, matches)) {
      return capi::bad_parameter(table, caller);
    }
    const auto* asked = static_cast<const std::byte*>(addresses);
    const std::span out(reinterpret_cast<rtm::Match*>(matches), count);
    return (flags & TP_RTM_REFERENCE) != 0 ? capi::match_with_references(table, caller, view, asked, out)
                                           : capi::code_of(table.match_routes(caller, view, asked, out));
  });
}

uint32_t TpRtmMatchDestinations(void* entity, uint32_t view, const void* addresses, uint32_t count,
                                void** destinations) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (!capi::are_addresses(table, addresses, count, destinations)) {
      return capi::bad_parameter(table, caller);
    }
    return capi::code_of(table.match_destinations(caller, view, static_cast<const std::byte*>(addresses),
                                                  {reinterpret_cast<rtm::Handle*>(destinations), count}));
  });
}

// --- snapshots
// -----------------------------------------------------------------------------------------------------------

uint32_t TpRtmOpenSnapshot(void* entity, TpRtmSnapshot* snapshot) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (snapshot == nullptr) {
      return capi::bad_parameter(table, caller);
    }
    auto made = table.snapshot(caller);
    if (!made) {
      return capi::code_of(made.error());
    }
    *snapshot = runtime::World::instance().snapshots().open(std::move(*made));
    return capi::kSuccess;
  });
}

uint32_t TpRtmSnapshotSize(TpRtmSnapshot snapshot, uint64_t* routes) noexcept {
  const auto shown = runtime::World::instance().snapshots().find(snapshot);
  if (shown == nullptr || routes == nullptr) {
    return shown == nullptr ? capi::kInvalidHandle : capi::kInvalidParameter;
  }
  *routes = shown->routes.size();
  return capi::kSuccess;
}

uint32_t TpRtmReadSnapshot(TpRtmSnapshot snapshot, uint64_t first, TpRtmSnapshotRoute* routes,
                           uint32_t* count) noexcept {
  const auto shown = runtime::World::instance().snapshots().find(snapshot);
  if (shown == nullptr) {
    return capi::kInvalidHandle;
  }
  if (routes == nullptr || count == nullptr || *count == 0) {
    return capi::kInvalidParameter;
  }
  const std::uint64_t all = shown->routes.size();
  *count = static_cast<std::uint32_t>(first < all ? std::min<std::uint64_t>(*count, all - first) : 0);
  for (std::uint32_t i = 0; i < *count; ++i) {
    const rtm::SnapshotRoute& row = shown->routes[first + i];
    TpRtmSnapshotRoute& out = routes[i];
    std::memcpy(&out.destination, &row.destination, sizeof out.destination);
    out.views = row.views;
    out.best_in = row.best_in;
    out.protocol = row.protocol;
    out.protocol_instance = row.protocol_instance;
    out.metric = row.preference.metric;
    out.preference = row.preference.preference;
    out.flags = row.flags;
    out.hop_count = row.hop_count;
    out.hops = row.hop_count != 0 ? reinterpret_cast<const TpRtmSnapshotHop*>(&shown->hops[row.first_hop]) : nullptr;
  }
  return *count != 0 ? capi::kSuccess : capi::kNoMore;
}

uint32_t TpRtmCloseSnapshot(TpRtmSnapshot snapshot) noexcept {
  return runtime::World::instance().snapshots().close(snapshot) ? capi::kSuccess : capi::kInvalidHandle;
}

// --- changes, statistics, journal
// ------------------------------------------------------------------------------------------

uint32_t TpRtmChangeDescriptor(void* entity, void* notify, int* descriptor) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (descriptor == nullptr) {
      return capi::bad_parameter(table, caller);
    }
    const auto number = table.change_signal(caller, capi::of(notify), &runtime::make_change_descriptor);
    if (number) {
      *descriptor = *number;
    }
    return capi::code_of(number);
  });
}

uint32_t TpRtmGetTableStatistics(void* entity, TpRtmTableStatistics* statistics) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (!table.is_client(caller) || !capi::is_sized(statistics)) {
      return capi::bad_parameter(table, caller);
    }
    const rtm::Statistics all = table.statistics();
    const TpRtmTableStatistics made = {
        .size = 0,
        .reserved = 0,
        .entities = all.entities,
        .destinations = all.destinations,
        .routes = all.routes,
        .next_hops = all.next_hops,
        .live_routes = all.live_routes,
        .enumerations = all.enumerations,
        .lists = all.lists,
        .registrations = all.registrations,
        .changes_waiting = all.changes_waiting,
        .deadlines = all.deadlines,
        .object_locks = all.object_locks,
        .record_bytes = all.record_bytes,
        .trie_bytes = all.trie_bytes,
        .other_bytes = all.other_bytes,
        .steps = all.steps,
        .longest_step_ns = all.longest_step_ns,
        .longest_step_busy_ns = all.longest_step_busy_ns,
        .callback_throws = all.callback_throws,
        .index_routes = all.index_routes,
        .index_bytes = all.index_bytes,
        .index_builds = all.index_builds,
    };
    capi::give(made, statistics);
    return capi::kSuccess;
  });
}

uint32_t TpRtmGetEntityStatistics(void* entity, void* about, TpRtmEntityStatistics* statistics) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (!capi::is_sized(statistics)) {
      return capi::bad_parameter(table, caller);
    }
    const auto all = table.entity_statistics(caller, about != nullptr ? capi::of(about) : caller);
    if (!all) {
      return capi::code_of(all);
    }
    const TpRtmEntityStatistics made = {
        .size = 0,
        .protocol = all->info.protocol,
        .protocol_instance = all->info.protocol_instance,
        .reserved = 0,
        .routes = all->routes,
        .next_hops = all->next_hops,
        .registrations = all->registrations,
        .enumerations = all->enumerations,
        .lists = all->lists,
        .changes_waiting = all->changes_waiting,
        .events_waiting = all->events_waiting,
        .events_told = all->events_told,
        .calls_blocked = all->calls_blocked,
    };
    capi::give(made, statistics);
    return capi::kSuccess;
  });
}

uint32_t TpRtmSetPreferences(uint16_t instance, uint16_t family, const TpRtmPreference* preferences,
                             uint32_t count) noexcept {
  return capi::without_client([&](runtime::World& world) -> std::uint32_t {
    auto made = capi::preferences_of(preferences, count);
    return made ? capi::code_of(world.set_preferences(instance, family, std::move(*made))) : capi::kInvalidParameter;
  });
}

uint32_t TpRtmGetPreference(uint16_t instance, uint16_t family, uint32_t protocol, uint32_t* preference) noexcept {
  return capi::without_client([&](runtime::World& world) -> std::uint32_t {
    if (preference == nullptr) return capi::kInvalidParameter;
    const auto found = world.preference_of(instance, family, protocol);
    if (found) *preference = *found;
    return capi::code_of(found);
  });
}

uint32_t TpRtmKeepJournal(void* entity, uint32_t capacity) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    return table.is_client(caller) ? capi::code_of(table.keep_journal(caller, capacity)) : capi::kInvalidHandle;
  });
}

uint32_t TpRtmReadJournal(void* entity, uint64_t after, TpRtmJournalEntry* entries, uint32_t* count) noexcept {
  return capi::call(entity, [&](rtm::Table& table, rtm::Handle caller) -> std::uint32_t {
    if (entries == nullptr || count == nullptr || *count == 0) {
      return capi::bad_parameter(table, caller);
    }
    const auto read = table.read_journal(caller, after, {reinterpret_cast<rtm::JournalEntry*>(entries), *count});
    if (!read) {
      return capi::code_of(read);
    }
    *count = static_cast<std::uint32_t>(*read);
    return *read != 0 ? capi::kSuccess : capi::kNoMore;
  });
}

}  // extern "C"
