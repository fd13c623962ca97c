// What anybody may read of a table by RTMv1: routes of the unicast view, one at a time.
//
// The order is that of the contract: network number, then the shorter mask, protocol, interface, next hop. A cursor is
// a place in it, so nothing that happens to the table invalidates one. RTMv2 may have several routes that RTMv1 cannot
// tell apart (two entities of one protocol by the same next hop): an enumeration by handle returns each,
// RtmGetNextRoute, whose place is a route's contents, one of them.
#include <algorithm>
#include <tuple>

#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure no_route() { return fail(ErrorKind::kNotFound, "no such route"); }

// Bits first, then the shorter: the same bits and one more stand behind every key of these bits and that length.
Key after(const Key& key) { return {key.high, key.low, static_cast<std::uint8_t>(key.length + 1)}; }

// The place of a route among those of its network.
auto place_of(const V1Route& route) {
  return std::tuple(route.protocol, route.interface_index, __builtin_bswap32(route.hop[0]),
                    __builtin_bswap32(route.hop[1]));
}

}  // namespace

Result<void> V1::best_route(const V1Route& network, V1Route& out) {
  const std::lock_guard lock(table_.mutex_);
  const auto key = key_of(network.network, network.mask);
  const std::uint32_t dest = key ? table_.trie_.find(*key) : 0;
  return dest != 0 && describe_best(table_.destination(dest), out) ? Result<void>() : no_route();
}

Result<void> V1::longest_match(std::uint32_t address, V1Route& out) {
  const std::lock_guard lock(table_.mutex_);
  const Key key{std::uint64_t{__builtin_bswap32(address)} << 32, 0, 32};
  const std::uint32_t found = table_.trie_.longest(key, [&](std::uint32_t dest) {
    V1Route best;
    if (!describe_best(table_.destination(dest), best) || (best.specific.flags & v1::kValid) == 0) {
      return false;
    }
    out = best;
    return true;
  });
  return found != 0 ? Result<void>() : no_route();
}

std::uint64_t V1::network_count() {
  const std::lock_guard lock(table_.mutex_);
  return networks_;
}

// --- one after the other
// --------------------------------------------------------------------------------------------------------

// The routes that `cursor` wants of a destination, and that come after `after`, if there is one.
void V1::list_routes(V1Cursor& cursor, std::uint32_t dest, const V1Route* after_it) const {
  std::vector<std::pair<V1Route, std::uint32_t>> found;
  for (std::uint32_t i = table_.destination(dest).first_route; i != 0; i = table_.route(i).next) {
    if ((table_.route(i).views & 1) != 0 && matches(table_.route(i), cursor.flags, cursor.criteria)) {
      V1Route route;
      describe(i, route);
      if (after_it == nullptr || place_of(route) > place_of(*after_it)) {
        found.emplace_back(route, i);
      }
    }
  }
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    return std::pair(place_of(b.first), b.second) < std::pair(place_of(a.first), a.second);
  });
  for (const auto& [route, index] : found) {
    cursor.coming.emplace_back(index, table_.route(index).references.generation());
  }
}

// The next of those that were listed, if it is still what was wanted.
bool V1::take(V1Cursor& cursor, V1Route& out) const {
  while (!cursor.coming.empty()) {
    const auto [index, generation] = cursor.coming.back();
    const Route& its = table_.route(index);
    if (its.references.is_alive(generation) && its.state == route_state::kCreated && (its.views & 1) != 0 &&
        matches(its, cursor.flags, cursor.criteria) &&
        ((cursor.flags & v1::kBestOnly) == 0 || table_.best(table_.destination(its.destination), 0) == index)) {
      describe(index, out);
      return true;
    }
    cursor.coming.pop_back();
  }
  return false;
}

// To the next network. False: there is none.
bool V1::go_on(V1Cursor& cursor) const {
  std::uint32_t dest = 0;
  if (!cursor.ended && (cursor.flags & v1::kThisNetwork) != 0) {
    const auto key = key_of(cursor.criteria.network, cursor.criteria.mask);
    dest = key ? table_.trie_.find(*key) : 0;
    cursor.ended = true;
  } else if (!cursor.ended) {
    Walk walk(table_.trie_);
    walk.seek(cursor.next);
    dest = walk.next();
    cursor.ended = dest == 0;
  }
  if (dest != 0) {
    cursor.next = after(table_.key_of(dest));
    list_routes(cursor, dest, nullptr);
  }
  return dest != 0;
}

// The cursor's first route, which stays its first. kBusy: many networks were passed and none had one; the lock is to be
// let go, and the search to go on.
Result<void> V1::find(V1Cursor& cursor, V1Route& out) const {
  constexpr unsigned kAtOnce = 1024;
  for (unsigned passed = 0; passed < kAtOnce; ++passed) {
    if (take(cursor, out)) {
      return {};
    }
    if (!go_on(cursor)) {
      return no_route();
    }
  }
  return fail(ErrorKind::kBusy, "there is more to look through");
}

template <class Search>
Result<void> V1::search_in_steps(Search&& search) {
  while (true) {
    {
      const std::lock_guard lock(table_.mutex_);
      if (auto found = search(); found || found.error().kind != ErrorKind::kBusy) {
        return found;
      }
    }
    table_.mutex_.let_others_in();
  }
}

Result<void> V1::first_route(std::uint32_t flags, V1Route& route) {
  V1Cursor cursor;
  cursor.flags = flags;
  cursor.criteria = route;
  return search_in_steps([&] { return find(cursor, route); });
}

// The place need not be one where a route is, nor the network one that there can be.
Result<void> V1::next_route(std::uint32_t flags, V1Route& route) {
  V1Cursor cursor;
  cursor.flags = flags;
  cursor.criteria = route;
  const auto key = key_of(route.network, route.mask);
  cursor.next = key ? after(*key)
                    : Key{std::uint64_t{__builtin_bswap32(route.network)} << 32, 0,
                          static_cast<std::uint8_t>(is_ipx() ? 33 : 32)};
  cursor.ended = (flags & v1::kThisNetwork) != 0;
  {
    const std::lock_guard lock(table_.mutex_);
    if (const std::uint32_t dest = key ? table_.trie_.find(*key) : 0; dest != 0) {
      list_routes(cursor, dest, &cursor.criteria);
    }
  }
  return search_in_steps([&] { return find(cursor, route); });
}

// --- enumeration by handle
// --------------------------------------------------------------------------------------------------------

Result<Handle> V1::create_enumeration(std::uint32_t flags, const V1Route& criteria) {
  auto made = std::make_unique<V1Cursor>();
  made->flags = flags;
  made->criteria = criteria;
  V1Route first;
  if (const auto found = search_in_steps([&] { return find(*made, first); }); !found) {
    return tl::unexpected(found.error());
  }
  const std::lock_guard lock(table_.mutex_);
  return cursors_.add(std::move(made)).first;
}

Result<void> V1::enumerate(Handle handle, V1Route& out) {
  return search_in_steps([&]() -> Result<void> {
    V1Cursor* cursor = cursors_.find(handle);
    if (cursor == nullptr) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of an enumeration");
    }
    const auto found = find(*cursor, out);
    if (found) {
      cursor->coming.pop_back();
    }
    return found;
  });
}

bool V1::is_enumeration(Handle handle) {
  const std::lock_guard lock(table_.mutex_);
  return cursors_.find(handle) != nullptr;
}

Result<void> V1::close_enumeration(Handle handle) {
  const std::lock_guard lock(table_.mutex_);
  if (cursors_.find(handle) == nullptr) {
    return fail(ErrorKind::kInvalidHandle, "not the handle of an enumeration");
  }
  cursors_.remove(index_of(handle));
  return {};
}

}  // namespace turnpike::rtm
