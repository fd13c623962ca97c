// RTMv1's clients: their routes, and what they are told of others'.
#include "rtm/v1.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/log.h"
#include "rtm/list.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure no_memory() { return fail(ErrorKind::kExhausted, "no memory for a route or a message about it"); }
constexpr Failure no_such_route() { return fail(ErrorKind::kNotFound, "the client has no such route"); }

constexpr std::uint16_t kInactive = 0x08, kMartian = 0x01, kRemoteFlag = 0x20;  // RTM_ROUTE_FLAGS_…
constexpr std::uint16_t kMyself = 0x40, kLoopback = 0x80, kMulticast = 0x100;
constexpr std::uint32_t kLocalProtocol = 2;  // PROTO_IP_LOCAL: the kernel owns its routes
constexpr std::uint32_t kIpxPriority = 1;    // of every protocol: ticks and hops decide

constexpr std::uint32_t swapped(std::uint32_t word) { return __builtin_bswap32(word); }

}  // namespace

// --- translation
// -------------------------------------------------------------------------------------------------------------

bool V1::is_ipx() const { return table_.config_.width > 32; }

std::optional<Key> V1::key_of(std::uint32_t network, std::uint32_t mask) const {
  const unsigned length = is_ipx() ? 32 : count_ones(mask);
  const Key key{std::uint64_t{swapped(network)} << 32, 0, static_cast<std::uint8_t>(length)};
  const bool good = is_ipx() || std::uint64_t{swapped(mask)} << 32 == leading_ones(length);
  return good && masked(key, length) == key ? std::optional(key) : std::nullopt;
}

// By their number, which stands where others keep a pointer of theirs.
std::uint32_t V1::details_of(const Route& route) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(static_cast<void*>(route.entity_specific)));
}

std::uint32_t V1::first_hop(const Route& route) {
  std::uint32_t first = 0;
  Table::for_each_hop(route.hops, [&](std::uint32_t each) { first = first != 0 ? first : each; });
  return first;
}

std::uint32_t V1::make_details(const V1Route& from) {
  const std::uint32_t index = details_.take();
  if (index != 0) {
    const V1Specific& specific = from.specific;
    details(index) = {table_.port_.file_time(),
                      0,
                      from.hop[1],
                      from.data,
                      specific.type,
                      specific.policy,
                      specific.next_hop_as,
                      specific.flags,
                      specific.metrics,
                      0};
  }
  return index;
}

void V1::free_details(std::uint32_t index) {
  details_.count_out();
  details_.give_back(index);
}

void V1::forget_details(const Route& route) { free_details(details_of(route)); }

void V1::describe(std::uint32_t index, V1Route& out) const {
  const Route& its = table_.route(index);
  const Key key = table_.key_of(its.destination);
  const Entity& owner = *table_.entity_at(its.owner);
  out = {};
  out.protocol = owner.info.protocol;
  out.network = swapped(static_cast<std::uint32_t>(key.high >> 32));
  out.mask = swapped(static_cast<std::uint32_t>(leading_ones(key.length) >> 32));
  out.specific.priority = its.preference;
  out.specific.metric = its.metric;
  const std::uint32_t hop = first_hop(its);
  if (hop != 0) {
    const NextHop& first = table_.next_hop(hop);
    out.interface_index = first.interface_index;
    if (first.address.family == table_.config_.family) {  // else RTMv1 has no room for it, and its interface says more
      std::memcpy(out.hop.data(), first.address.address, table_.config_.width / 8);
    }
  }
  std::uint64_t stamp = 0;
  if (owner.v1 != nullptr) {
    const Details& kept = details(details_of(its));
    stamp = kept.stamp;
    out.data = kept.data;
    out.hop[1] = kept.hop_mask;
    out.specific = {kept.type, kept.policy, kept.next_hop_as, its.preference, its.metric, kept.metrics, kept.flags};
  } else {
    stamp = table_.destination(its.destination).last_changed;
    out.specific.type = hop == 0 || (its.flags & kLocalFlag) != 0 ? v1::kLocal : v1::kRemote;
    out.specific.metrics = {its.metric, ~0U, ~0U, ~0U, ~0U};
    out.specific.flags = (its.flags & (kInactive | kMartian)) == 0 ? v1::kValid : 0;
  }
  out.stamp = {static_cast<std::uint32_t>(stamp), static_cast<std::uint32_t>(stamp >> 32)};
}

bool V1::describe_best(const Destination& dest, V1Route& out) const {
  const std::uint32_t best = (table_.config_.views & 1) != 0 ? table_.best(dest, 0) : 0U;
  if (best != 0) {
    describe(best, out);
  }
  return best != 0;
}

// In what is significant: protocol, interface, next hop, family-specific data.
bool V1::is_same(const V1Route& a, const V1Route& b) const {
  return a.protocol == b.protocol && a.interface_index == b.interface_index && a.hop[0] == b.hop[0] &&
         (!is_ipx() || a.hop[1] == b.hop[1]) && a.specific == b.specific;
}

// --- messages
// ------------------------------------------------------------------------------------------------------------------

void V1::after_change(std::uint32_t index) {
  const bool has = describe_best(table_.destination(index), change_.current);
  change_.what = (has ? v1::kCurrent : 0) | (had_ ? v1::kPrevious : 0);
  if (has && had_ && is_same(change_.current, change_.previous)) {
    change_.what = 0;
  }
  if (change_.what != 0) {
    send(index);
  }
}

// Memory for what one change of any destination, also of one that is yet to be made, tells the listeners.
bool V1::reserve_messages() {
  return listeners_.empty() ||
         (snapshots_.reserve(2) && std::all_of(listeners_.begin(), listeners_.end(), [&](Entity* each) {
            return each->v1->queue.reserve(table_.destinations_.limit() + 1);
          }));
}

void V1::send(std::uint32_t index) {
  if (listeners_.empty() || (listeners_.size() == 1 && listeners_[0] == actor_)) {
    return;
  }
  const auto snapshot = [&](std::uint32_t which, const V1Route& route) {
    return (change_.what & which) != 0 ? snapshots_.make(route) : nullptr;
  };
  const bool good = reserve_messages();
  V1Queue::Message message{good ? snapshot(v1::kPrevious, change_.previous) : nullptr,
                           good ? snapshot(v1::kCurrent, change_.current) : nullptr, index};
  if (!good) {
    ++lost_;
    TURNPIKE_LOG(LogLevel::kError, "rtm", "no memory for a route-change message",
                 {"protocol", change_.current.protocol});
    return;
  }
  for (Entity* each : listeners_) {
    if (each == actor_) {
      continue;
    }
    V1Queue& queue = each->v1->queue;
    const std::uint64_t merged_before = queue.merged();
    table_.pin(table_.destination(index));
    if (const int more = queue.push(message, snapshots_); more != 1) {
      table_.destination(index).pins -=
          static_cast<std::uint32_t>(1 - more);  // not the last: a route record pins it too
    }
    if (merged_before == 0 && queue.merged() != 0) {
      TURNPIKE_LOG(LogLevel::kWarning, "rtm", "a client does not read its route-change messages: they are merged",
                   {"protocol", each->info.protocol}, {"waiting", queue.size()});
    }
    each->v1->signal(queue.size() != 0);
  }
}

void V1::drop(const V1Queue::Message& message) {
  snapshots_.drop(message.previous);
  snapshots_.drop(message.current);
  table_.unpin(message.destination);
}

Result<bool> V1::dequeue(Handle self, V1Change& out) {
  std::pair<V1Queue::Memory, Paged<V1Snapshot>> done_with;  // freed without the lock
  return table_.attempt(self, [&](Entity& client, Table::Blocked&) -> Result<bool> {
    const std::lock_guard lock(table_.mutex_);
    if (client.v1 == nullptr || !client.v1->signal) {
      return fail(ErrorKind::kInvalidHandle, "not the handle of a client that wants messages");
    }
    V1Queue& queue = client.v1->queue;
    if (queue.size() == 0) {
      client.v1->signal(false);
      return fail(ErrorKind::kNoMoreItems, "no message waits");
    }
    const V1Queue::Message message = queue.pop();
    out.what = (message.current != nullptr ? v1::kCurrent : 0) | (message.previous != nullptr ? v1::kPrevious : 0);
    if (message.current != nullptr) {
      out.current = message.current->route;
    }
    if (message.previous != nullptr) {
      out.previous = message.previous->route;
    }
    drop(message);
    if (queue.size() == 0) {
      done_with = {queue.shed(), snapshots_.shed()};
    }
    client.v1->signal(queue.size() != 0);  // an auto-reset event was taken: more wait, so it is set again
    return queue.size() != 0;
  });
}

// --- clients
// ------------------------------------------------------------------------------------------------------------------

Result<Handle> V1::register_client(std::uint32_t protocol, bool single_route, std::function<void(bool)> signal) {
  if (const std::lock_guard lock(table_.mutex_); !has_details_) {
    auto made = Slab::make(sizeof(Details), std::size_t{1} << 26);
    if (!made) {
      return tl::unexpected(made.error());
    }
    details_ = std::move(*made);
    has_details_ = true;
  }
  Registration registration;
  registration.protocol = protocol;
  registration.protocol_instance = kV1Instance;
  registration.v1 =
      std::make_unique<V1Client>(single_route, std::move(signal), std::size_t{table_.config_.v1_messages});
  return table_.register_entity(std::move(registration));
}

void V1::welcome(Entity& client) {
  if (client.v1 != nullptr && client.v1->signal) {
    listeners_.push_back(&client);
    update_watching();
  }
}

void V1::forget_client(Entity& leaver) {
  {
    const std::lock_guard lock(table_.mutex_);
    std::erase(listeners_, &leaver);
    update_watching();
  }
  table_.in_steps([&](auto&& enough) {
    while (leaver.v1->queue.size() != 0) {
      drop(leaver.v1->queue.pop());
      if (enough()) {
        return true;
      }
    }
    return false;
  });
  std::pair<V1Queue::Memory, Paged<V1Snapshot>> done_with;  // freed without the lock
  const std::lock_guard lock(table_.mutex_);
  done_with = {leaver.v1->queue.shed(), snapshots_.shed()};
}

void V1::drop_messages(Entity& client) {
  for (V1Queue& queue = client.v1->queue; queue.size() != 0;) {
    const V1Queue::Message message = queue.pop();
    snapshots_.drop(message.previous);
    snapshots_.drop(message.current);
  }
}

// --- routes
// -------------------------------------------------------------------------------------------------------------------

// While a client's own call changes something: it gets the change as its answer, and no message.
class V1::Acting {
 public:
  Acting(V1& v1, const Entity& client) : v1_(v1) {
    v1_.actor_ = &client;
    v1_.change_.what = 0;
    v1_.update_watching();
  }
  Acting(const Acting&) = delete;
  Acting& operator=(const Acting&) = delete;
  ~Acting() {
    v1_.actor_ = nullptr;
    v1_.update_watching();
  }

 private:
  V1& v1_;
};

NextHopKey V1::next_hop_key(const V1Route& route) const {
  const unsigned width = table_.config_.width;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, route.hop.data(), width / 8);
  return {false, Key{__builtin_bswap64(bytes), 0, static_cast<std::uint8_t>(width)}, route.interface_index};
}

// The client's next hop of that address and interface, made if there is none; 0: no memory.
std::uint32_t V1::next_hop_for(Entity& client, const V1Route& route) {
  const NextHopKey key = next_hop_key(route);
  if (const auto there = client.next_hops.find(key); there != client.next_hops.end()) {
    return there->second;
  }
  NetAddress address{table_.config_.family, static_cast<std::uint16_t>(table_.config_.width), {}};
  std::memcpy(address.address, route.hop.data(), table_.config_.width / 8);
  return table_.make_next_hop(client, key, address);
}

// The client's route that is meant by network, interface and next hop; of a single-route client by the network alone.
std::uint32_t V1::find_own(const Entity& client, const V1Route& route) const {
  const auto key = key_of(route.network, route.mask);
  const std::uint32_t dest = key ? table_.trie_.find(*key) : 0;
  if (dest == 0) {
    return 0;
  }
  const auto hop = client.next_hops.find(next_hop_key(route));
  if (!client.v1->single_route && hop == client.next_hops.end()) {
    return 0;
  }
  return table_.find_route(table_.destination(dest), client, hop != client.next_hops.end() ? hop->second : 0,
                           client.v1->single_route ? change::kFirst : 0);
}

// RTMv2's flags of a route: also what nobody is to forward by.
std::uint16_t V1::flags_of(const Entity& client, const V1Route& route) const {
  const std::uint32_t type = route.specific.type;
  unsigned flags = type == v1::kLocal ? kLocalFlag : type == v1::kRemote ? kRemoteFlag : 0U;
  if (!is_ipx()) {
    const std::uint32_t first_byte = swapped(route.network) >> 24;
    flags |= (route.specific.flags & v1::kValid) == 0 ? kInactive : 0U;
    flags |= first_byte >= 0xe0 ? kMulticast : 0U;
    flags |= first_byte == 0x7f || swapped(route.hop[0]) == 0x7f000001 ? kLoopback : 0U;
    flags |= client.info.protocol == kLocalProtocol ? kMyself : 0U;
  }
  return static_cast<std::uint16_t>(flags);
}

Result<void> V1::add_route(Handle self, const V1Route& route, std::uint32_t milliseconds, V1Change& change) {
  return table_.attempt(self, [&](Entity& client, Table::Blocked& blocked) -> Result<void> {
    const auto key = key_of(route.network, route.mask);
    if (!key) {
      return fail(ErrorKind::kInvalidArgument, "a mask with holes, or network bits outside of it");
    }
    const std::lock_guard lock(table_.mutex_);
    const std::uint32_t dest = table_.trie_.find(*key);
    if (dest != 0) {
      if (const auto free = table_.access_under_lock(Kind::kDestination, dest, true, blocked); !free) {
        return free;
      }
    }
    if (!reserve_messages()) {
      return no_memory();
    }
    const Acting acting(*this, client);
    const auto done = put(client, *key, dest, route, milliseconds);
    if (done) {
      change = change_;
    }
    return done;
  });
}

Result<void> V1::put(Entity& client, const Key& key, std::uint32_t dest, const V1Route& from,
                     std::uint32_t milliseconds) {
  const std::uint32_t hop = next_hop_for(client, from);
  if (hop == 0) {
    return no_memory();
  }
  table_.use(hop);  // until the route does
  const std::uint32_t updated = find_own(client, from);
  const std::uint32_t before = updated != 0 ? details_of(table_.route(updated)) : 0;
  const std::uint32_t beside = make_details(from);
  bool good = beside != 0;
  if (good) {
    const bool ip = !is_ipx();
    const Table::Values values{.hops = std::uint64_t{hop} << 1 | 1,
                               .entity_specific = reinterpret_cast<void*>(std::uintptr_t{beside}),
                               .preference = {from.specific.metric, ip ? table_.policy_of(client) : kIpxPriority},
                               .views = table_.config_.views,
                               .neighbour = hop,
                               .time_to_live = milliseconds,
                               .flags = flags_of(client, from),
                               .by_policy = ip};
    good = table_.put_route(client, key, dest, updated, values, false).has_value();
    if (const std::uint32_t unused = good ? before : beside; unused != 0) {
      free_details(unused);
    }
  }
  table_.unuse(hop);
  return good ? Result<void>() : no_memory();
}

Result<void> V1::delete_route(Handle self, const V1Route& route, V1Change& change) {
  return table_.attempt(self, [&](Entity& client, Table::Blocked& blocked) -> Result<void> {
    if (!key_of(route.network, route.mask)) {
      return fail(ErrorKind::kInvalidArgument, "a mask with holes, or network bits outside of it");
    }
    const std::lock_guard lock(table_.mutex_);
    const std::uint32_t index = find_own(client, route);
    if (index == 0) {
      return no_such_route();
    }
    const std::uint32_t dest = table_.route(index).destination;
    if (const auto free = table_.access_under_lock(Kind::kDestination, dest, true, blocked); !free) {
      return free;
    }
    if (!reserve_messages()) {
      return no_memory();
    }
    const Acting acting(*this, client);
    table_.remove_route(index, Table::Why::kDeleted);
    change = change_;
    return {};
  });
}

bool V1::matches(const Route& its, std::uint32_t flags, const V1Route& criteria) const {
  if ((flags & v1::kThisProtocol) != 0 && table_.entity_at(its.owner)->info.protocol != criteria.protocol) {
    return false;
  }
  if ((flags & v1::kThisInterface) == 0) {
    return true;
  }
  const std::uint32_t hop = first_hop(its);
  return (hop != 0 ? table_.next_hop(hop).interface_index : 0) == criteria.interface_index;
}

// The client's next route that matches: of one network the first, else the first from `from` on, which moves. 0: none,
// or none yet.
std::uint32_t V1::next_own(const Entity& client, std::uint32_t flags, const V1Route& criteria,
                           std::uint32_t& from) const {
  constexpr unsigned kMost = 4096;
  const auto wanted = [&](std::uint32_t i) {
    const Route& its = table_.route(i);
    return its.owner == client.index && its.references.is_rooted() && its.state == route_state::kCreated &&
           matches(its, flags, criteria);
  };
  if ((flags & v1::kThisNetwork) != 0) {
    const auto key = key_of(criteria.network, criteria.mask);
    const std::uint32_t dest = key ? table_.trie_.find(*key) : 0;
    std::uint32_t i = dest != 0 ? table_.destination(dest).first_route : 0U;
    while (i != 0 && !wanted(i)) {
      i = table_.route(i).next;
    }
    from = i != 0 ? from : table_.routes_.limit();
    return i;
  }
  for (unsigned seen = 0; seen < kMost && from < table_.routes_.limit(); ++seen) {
    if (wanted(from)) {
      return from;
    }
    ++from;
  }
  return 0;
}

// In short holds of the lock, as a departure does it: what others do meanwhile they may.
Result<void> V1::delete_routes(Handle self, std::uint32_t flags, const V1Route& criteria) {
  constexpr unsigned kAtOnce = 128;
  bool any = false;
  std::uint32_t from = 1;
  const auto step = [&](Entity& client, Table::Blocked& blocked) -> Result<bool> {
    const std::lock_guard lock(table_.mutex_);
    for (unsigned deleted = 0; deleted < kAtOnce; ++deleted) {
      const std::uint32_t index = next_own(client, flags, criteria, from);
      if (index == 0) {
        break;
      }
      const std::uint32_t dest = table_.route(index).destination;
      if (const auto free = table_.access_under_lock(Kind::kDestination, dest, true, blocked); !free) {
        return tl::unexpected(free.error());
      }
      if (!reserve_messages() && !any) {
        return no_memory();
      }
      table_.remove_route(index, Table::Why::kDeleted);
      any = true;
    }
    return from < table_.routes_.limit();
  };
  for (bool more = true; more;) {
    const auto done = table_.attempt(self, step);
    if (!done) {
      return tl::unexpected(done.error());
    }
    more = *done;
    if (more) {
      table_.mutex_.let_others_in();
    }
  }
  return any ? Result<void>() : no_such_route();
}

std::size_t V1::bytes() const {
  std::size_t all = (has_details_ ? details_.bytes() : 0) + snapshots_.bytes();
  for (const Entity* each : listeners_) {
    all += each->v1->queue.bytes();
  }
  return all;
}

}  // namespace turnpike::rtm
