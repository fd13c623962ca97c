// The records' lives: how each is made, what keeps it, and when it goes.
//
// | record | the table needs it (`rooted`) while | clients hold it by |
// |---|---|---|
// | destination | `pins` > 0: route records point to it (tombstones too), changes of it wait, it is marked, a remote
// next hop names it | references | | route | it is in the table or in hold-down | references: then a tombstone,
// readable and in no search | | next hop | it is in its owner's list, or `uses` > 0: route records name it | references
// | | entity | it has not left, or `pins` > 0: records of its, events about it | references, kept by the holders |
//
// A record that is neither needed nor held is freed by whoever made it so, under the table's lock: `unpin`, `unuse`, or
// the release of the last reference (`collect`, after a second look). A destination also stays while one of its opaque
// slots is not null: invisible, but found again when its prefix comes back.
#include <cstring>

#include "rtm/list.h"
#include "rtm/lock.h"
#include "rtm/table.h"
#include "rtm/table_inline.h"

namespace turnpike::rtm {
namespace {

constexpr Failure bad_handle() {
  return fail(ErrorKind::kInvalidHandle, "the handle is null, stale, or of another kind");
}

// Address space is reserved for so many: 64 times the Internet's table.
constexpr std::size_t kMostRecords = 1UL << 26;

// Where a destination keeps what is behind it: the best routes, then the key's bits.
constexpr std::size_t bits_offset(unsigned views, bool narrow) {
  const std::size_t end = sizeof(Destination) + views * sizeof(std::uint32_t);
  return narrow ? end : (end + 7) / 8 * 8;
}
std::size_t stride_of(const Config& config) {
  const bool narrow = config.width <= 32;
  const std::size_t size = bits_offset(config.view_count(), narrow) + (narrow ? 4 : 16);
  return (size + 7) / 8 * 8;
}

}  // namespace

std::uint64_t this_thread_number() noexcept {
  static std::atomic<std::uint64_t> next{1};
  thread_local const std::uint64_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

Result<std::unique_ptr<Table>> Table::make(std::uint8_t id, const Config& config, Port& port, Epoch& epoch,
                                           std::uint32_t first_generation) {
  auto destinations = Slab::make(stride_of(config), kMostRecords);
  auto routes = Slab::make(sizeof(Route), kMostRecords);
  auto next_hops = Slab::make(sizeof(NextHop), kMostRecords / 4);
  auto extras = Slab::make(sizeof(RouteExtra), kMostRecords);
  if (!destinations || !routes || !next_hops || !extras) {
    return fail(ErrorKind::kExhausted, "no address space for a table");
  }
  return std::unique_ptr<Table>(new Table(id, config, port, epoch, first_generation, std::move(*destinations),
                                          std::move(*routes), std::move(*next_hops), std::move(*extras)));
}

Table::Table(std::uint8_t id, const Config& config, Port& port, Epoch& epoch, std::uint32_t first_generation,
             Slab destinations, Slab routes, Slab next_hops, Slab extras)
    : id_(id),
      first_generation_(first_generation),
      config_(config),
      port_(port),
      epoch_(epoch),
      limbo_(epoch),
      destinations_(std::move(destinations)),
      routes_(std::move(routes)),
      next_hops_(std::move(next_hops)),
      extras_(std::move(extras)),
      keys_{destinations_.at(0), destinations_.stride(), offsetof(Destination, key_length),
            bits_offset(config.view_count(), config.width <= 32), config.width <= 32},
      trie_(keys_, limbo_),
      entities_(std::make_unique<std::atomic<Entity*>[]>(kMaxClients + 1U)),
      entity_generations_(kMaxClients + 1U, first_generation),
      preferences_(config.preferences),
      enumerations_(Kind::kEnumeration, id, first_generation),
      lists_(Kind::kRouteList, id, first_generation),
      registrations_(Kind::kNotification, id, first_generation),
      v1_(*this, id, first_generation) {}

// What records have beside them. Dead routes have given it back, and keep the list of the free in its place.
Table::~Table() {
  forget_index();
  limbo_.drain();
  for (std::uint32_t i = 1; i < destinations_.limit(); ++i) {
    std::unique_ptr<DestinationExtra>(destination(i).extra).reset();
  }
  for (std::uint32_t i = 1; i < routes_.limit(); ++i) {
    const Route& each = route(i);
    if (const std::uint64_t hops = each.hops; each.references.is_alive() && hops != 0 && (hops & 1) == 0) {
      ::operator delete(reinterpret_cast<void*>(hops));
    }
    if (each.references.is_alive() && each.extra != 0) {
      ::operator delete(extra(each.extra).image);
    }
  }
  for (std::uint32_t i = 1; i < next_hops_.limit(); ++i) {
    std::unique_ptr<NextHopImage>(next_hop(i).image).reset();
  }
  for (unsigned i = 0; i <= kMaxClients; ++i) {
    const std::unique_ptr<Entity> entity(entity_at(static_cast<ClientIndex>(i)));
    if (entity != nullptr && entity->v1 != nullptr) {
      v1_.drop_messages(*entity);
    }
  }
}

// --- from handles to records
// ----------------------------------------------------------------------------------------------

const Slab* Table::slab_of(Kind kind) const {
  switch (kind) {
    case Kind::kDestination:
      return &destinations_;
    case Kind::kRoute:
      return &routes_;
    case Kind::kNextHop:
      return &next_hops_;
    default:
      return nullptr;
  }
}

// The slab of a kind that has one: asked for another it would be our own defect, so the process ends rather than to go
// on.
const Slab& Table::own_slab_of(Kind kind) const {
  const Slab* slab = slab_of(kind);
  if (slab == nullptr) {
    std::terminate();
  }
  return *slab;
}

// Each record begins with its word.
ReferenceWord* Table::word_of(Kind kind, std::uint32_t index) const {
  return reinterpret_cast<ReferenceWord*>(own_slab_of(kind).at(index));
}

std::uint32_t Table::find(Kind kind, Handle handle) const {
  const std::uint32_t index = index_of(handle);
  if (kind_of(handle) != kind || table_of(handle) != id_ || index == 0 || index >= own_slab_of(kind).limit()) {
    return 0;
  }
  return word_of(kind, index)->is_alive(generation_of(handle)) ? index : 0;
}

Result<Key> Table::key_from(const NetAddress& address) const {
  if (address.family != config_.family || address.bits > config_.width) {
    return fail(ErrorKind::kInvalidArgument, "an address of another family, or longer than an address");
  }
  return key_of_bits(address, address.bits);  // what is behind the width is masked
}

Key Table::key_of_bits(const NetAddress& address, unsigned bits) {
  std::uint64_t words[2] = {0, 0};
  std::memcpy(words, address.address, sizeof words);
  return masked({__builtin_bswap64(words[0]), __builtin_bswap64(words[1]), 0}, bits);
}

void Table::write_address(const Key& key, NetAddress& out) const {
  const std::uint64_t words[2] = {__builtin_bswap64(key.high), __builtin_bswap64(key.low)};
  out.family = config_.family;
  out.bits = key.length;
  std::memcpy(out.address, words, sizeof words);
}

// --- destinations
// ------------------------------------------------------------------------------------------------------

std::uint32_t Table::make_destination(const Key& key) noexcept {
  const std::uint32_t index = destinations_.take();
  if (index == 0) {
    return 0;
  }
  std::byte* record = destinations_.at(index);
  std::memset(record + sizeof(ReferenceWord), 0, destinations_.stride() - sizeof(ReferenceWord));
  Destination& dest = destination(index);
  dest.key_length = key.length;
  if (keys_.narrow) {
    *reinterpret_cast<std::uint32_t*>(record + keys_.bits) = static_cast<std::uint32_t>(key.high >> 32);
  } else {
    const std::uint64_t words[2] = {key.high, key.low};
    std::memcpy(record + keys_.bits, words, sizeof words);
  }
  dest.references.begin(std::max(dest.references.generation(), first_generation_));
  return index;
}

void Table::pin(Destination& dest) {
  if (dest.pins++ == 0) {
    dest.references.root();
  }
}

void Table::unpin(std::uint32_t index, std::uint32_t count) {
  Destination& dest = destination(index);
  dest.pins -= count;
  if (dest.pins == 0 && dest.references.unroot()) {
    free_destination(index);
  }
}

bool Table::has_slot_values(const Destination& dest) const {
  const DestinationExtra* its = dest.extra;
  for (std::uint32_t slot = 0; its != nullptr && slot < config_.opaque_slots; ++slot) {
    if (its->slots[slot] != nullptr) {
      return true;
    }
  }
  return false;
}

void Table::free_destination(std::uint32_t index) {
  Destination& dest = destination(index);
  if (has_slot_values(dest) || !trie_.erase(key_of(index))) {
    return;  // looked at again when its slot's owner leaves, or when it is next released
  }
  if (DestinationExtra* its = dest.extra; its != nullptr) {
    deadlines_.remove(its->hold_timer);
    limbo_.retire(std::unique_ptr<DestinationExtra>(its));
    dest.extra = nullptr;
  }
  retire_record(destinations_, index, dest.references);
}

DestinationExtra* Table::extra_of(Destination& dest) {
  if (dest.extra == nullptr) {
    dest.extra = std::make_unique<DestinationExtra>(config_.view_count(), config_.opaque_slots).release();
    ++destination_extras_;
  }
  return dest.extra;
}

// The record is refused from now on; its index is used again when its readers have gone, and never after its last
// generation.
void Table::retire_record(Slab& slab, std::uint32_t index, ReferenceWord& word) {
  const bool used_up = word.generation() == kMaxGeneration;
  word.end();
  slab.count_out();
  if (!used_up) {
    limbo_.retire(
        [](void* context, std::uintptr_t what) noexcept {
          static_cast<Slab*>(context)->give_back(static_cast<std::uint32_t>(what));
        },
        &slab, index);
  }
}

Table::Upkeep Table::take_upkeep() {
  Upkeep wanted{.has_bags = limbo_.take_turn()};
  for (Region* low : {destinations_.low(), routes_.low(), trie_.low(), extras_.low(), deadlines_.low()}) {
    wanted.low = low != nullptr ? low : wanted.low;
  }
  return wanted;
}

void Table::keep_up(const Upkeep& wanted) {
  if (wanted.low != nullptr) {
    wanted.low->make_ready();
  }
  if (wanted.has_bags) {
    limbo_.collect();
  }
}

// --- routes and next hops
// -----------------------------------------------------------------------------------------------

RouteExtra* Table::extra_of(Route& route) {
  if (route.extra == 0) {
    const std::uint32_t index = extras_.take();
    if (index == 0) {
      return nullptr;
    }
    std::memset(extras_.at(index), 0, sizeof(RouteExtra));
    route.extra = index;
  }
  return &extra(route.extra);
}

// The route is in no search any more, and nobody holds it.
void Table::free_route(std::uint32_t index) {
  Route& gone = route(index);
  if (gone.extra != 0) {
    RouteExtra& its = extra(gone.extra);
    deadlines_.remove(its.timer);
    ::operator delete(its.image);
    its.image = nullptr;
    extras_.count_out();
    extras_.give_back(gone.extra);
    gone.extra = 0;
  }
  const std::uint64_t hops = gone.hops;
  for_each_hop(hops, [&](std::uint32_t hop) { unuse(hop); });
  if (const std::uint32_t neighbour = gone.neighbour; neighbour != 0) {
    unuse(neighbour);
  }
  gone.hops = 0;
  gone.neighbour = 0;
  retire_hops(hops);
  Entity& owner = *entity_at(gone.owner);
  if (owner.v1 != nullptr) {
    v1_.forget_details(gone);
  }
  const std::uint32_t dest = gone.destination;
  retire_record(routes_, index, gone.references);
  unpin(dest);
  unpin(owner);
}

void Table::use(std::uint32_t hop) { ++next_hop(hop).uses; }

// An RTMv1 client knows no next hops: its go with the last route.
void Table::unuse(std::uint32_t hop) {
  NextHop& used = next_hop(hop);
  if (--used.uses != 0) {
    return;
  }
  if (used.state != next_hop_state::kDeleted) {
    if (entity_at(used.owner)->v1 != nullptr) {
      remove_next_hop(hop);
    }
  } else if (used.references.unroot()) {
    free_next_hop(hop);
  }
}

void Table::free_next_hop(std::uint32_t index) {
  NextHop& gone = next_hop(index);
  std::unique_ptr<NextHopImage>(std::exchange(gone.image, nullptr)).reset();
  Entity& owner = *entity_at(gone.owner);
  const std::uint32_t remote = gone.remote;
  gone.remote = 0;
  retire_record(next_hops_, index, gone.references);
  if (remote != 0) {
    unpin(remote);
  }
  unpin(owner);
}

bool Table::same_hops(std::uint64_t a, std::uint64_t b) {
  if (a == b || a == 0 || b == 0 || (a & 1) != 0 || (b & 1) != 0) {
    return a == b;
  }
  const auto& left = *reinterpret_cast<const HopSet*>(a);
  const auto& right = *reinterpret_cast<const HopSet*>(b);
  return left.count == right.count && std::memcmp(left.hops, right.hops, left.count * sizeof(std::uint32_t)) == 0;
}

bool Table::has_hop(std::uint64_t hops, std::uint32_t hop) {
  bool found = false;
  for_each_hop(hops, [&](std::uint32_t each) { found = found || each == hop; });
  return found;
}

Result<std::uint64_t> Table::make_hops(std::span<const std::uint32_t> hops) {
  if (hops.size() <= 1) {
    return hops.empty() ? 0 : std::uint64_t{hops[0]} << 1 | 1;
  }
  void* memory = ::operator new(offsetof(HopSet, hops) + hops.size_bytes(), std::nothrow);
  if (memory == nullptr) {
    return fail(ErrorKind::kExhausted, "no memory for a route's next hops");
  }
  auto* set = new (memory) HopSet;
  set->count = static_cast<std::uint32_t>(hops.size());
  std::memcpy(set->hops, hops.data(), hops.size_bytes());
  return reinterpret_cast<std::uint64_t>(set);
}

void Table::retire_hops(std::uint64_t hops) {
  if (hops != 0 && (hops & 1) == 0) {
    limbo_.retire([](void*, std::uintptr_t what) noexcept { ::operator delete(reinterpret_cast<void*>(what)); },
                  nullptr, hops);
  }
}

// --- clients' references
// ----------------------------------------------------------------------------------------------

// False where the object is dead; also where it takes memory to count one more, and there is none.
bool Table::take(Entity& client, Kind kind, std::uint32_t index) {
  try {
    return references_.take(*word_of(kind, index), References::id(kind, index), client.index);
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// One less for the client; false if it holds none.
References::Dropped Table::count_down(Entity& client, Kind kind, Handle handle) {
  const std::uint32_t index = index_of(handle);
  if (kind == Kind::kEntity) {
    const Entity* entity = kind_of(handle) == kind ? find_entity(handle) : nullptr;
    if (entity == nullptr || !client.references.drop(entity->index)) {
      return References::Dropped::kNone;
    }
    return entity->state.load(std::memory_order_acquire) == Entity::State::kGone ? References::Dropped::kLast
                                                                                 : References::Dropped::kOne;
  }
  if (find(kind, handle) == 0) {
    return References::Dropped::kNone;
  }
  return references_.drop(*word_of(kind, index), References::id(kind, index), client.index, generation_of(handle));
}

// Whoever drops the last reference of a thing that the table does not need frees it.
bool Table::drop(Entity& client, Kind kind, Handle handle) {
  const References::Dropped dropped = count_down(client, kind, handle);
  if (dropped == References::Dropped::kLast) [[unlikely]] {
    const std::lock_guard lock(mutex_);
    collect(kind, index_of(handle), generation_of(handle));
  }
  return dropped != References::Dropped::kNone;
}

bool Table::drop_under_lock(Entity& client, Kind kind, Handle handle) {
  const References::Dropped dropped = count_down(client, kind, handle);
  if (dropped == References::Dropped::kLast) {
    collect(kind, index_of(handle), generation_of(handle));
  }
  return dropped != References::Dropped::kNone;
}

// A second look, under the lock: a writer may have found a use for it meanwhile, or another thread may have freed it.
void Table::collect(Kind kind, std::uint32_t index, std::uint32_t generation) {
  if (kind == Kind::kEntity) {
    if (Entity* entity = find_entity(make_handle(kind, id_, generation, index)); entity != nullptr) {
      collect_entity(*entity);
    }
    return;
  }
  const ReferenceWord& word = *word_of(kind, index);
  if (word.generation() != generation || word.is_alive()) {
    return;
  }
  switch (kind) {
    case Kind::kDestination:
      free_destination(index);
      break;
    case Kind::kRoute:
      free_route(index);
      break;
    case Kind::kNextHop:
      free_next_hop(index);
      break;
    default:
      break;
  }
}

Result<void> Table::release_all(Handle self, Kind kind, std::span<const Handle> handles) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    bool good = true;
    for (const Handle handle : handles) {
      good =
          (drop(client, kind, handle) || (kind == Kind::kNextHop && owe_to_locked_route(client, find(kind, handle)))) &&
          good;
    }
    return good ? Result<void>() : bad_handle();
  });
}

Result<void> Table::release_routes(Handle self, std::span<const Handle> routes) {
  return release_all(self, Kind::kRoute, routes);
}
Result<void> Table::release_next_hops(Handle self, std::span<const Handle> next_hops) {
  return release_all(self, Kind::kNextHop, next_hops);
}
Result<void> Table::release_entities(Handle self, std::span<const Handle> entities) {
  return release_all(self, Kind::kEntity, entities);
}

Result<void> Table::reference_handles(Handle self, std::span<const Handle> handles) {
  return attempt(self, [&](Entity& client, Blocked&) -> Result<void> {
    for (std::size_t taken = 0; taken < handles.size(); ++taken) {
      const Handle handle = handles[taken];
      const Kind kind = kind_of(handle);
      bool good = false;
      if (kind == Kind::kEntity) {
        good = find_entity(handle) != nullptr;
        if (good) {
          client.references.take(static_cast<ClientIndex>(index_of(handle)));
        }
      } else if (slab_of(kind) != nullptr && find(kind, handle) != 0) {
        good = references_.take(*word_of(kind, index_of(handle)), References::id(kind, index_of(handle)), client.index,
                                generation_of(handle));
      }
      if (!good) {
        while (taken-- != 0) {
          drop(client, kind_of(handles[taken]), handles[taken]);
        }
        return bad_handle();
      }
    }
    return {};
  });
}

std::uint32_t Table::next_generation() {
  const std::lock_guard lock(mutex_);
  std::uint32_t highest = std::max({enumerations_.highest_generation(), lists_.highest_generation(),
                                    registrations_.highest_generation(), v1_.highest_generation(), first_generation_});
  for (const Kind kind : {Kind::kDestination, Kind::kRoute, Kind::kNextHop}) {
    for (std::uint32_t i = 1; i < own_slab_of(kind).limit(); ++i) {
      highest = std::max(highest, word_of(kind, i)->generation());
    }
  }
  for (const std::uint32_t each : entity_generations_) {
    highest = std::max(highest, each);
  }
  return std::min(highest + 1, kMaxGeneration);
}

// --- what there is
// -----------------------------------------------------------------------------------------------------

Statistics Table::statistics() {
  const std::lock_guard lock(mutex_);
  Statistics all;
  all.entities = entity_count_;
  all.destinations = destinations_.used();
  all.routes = routes_.used();
  all.next_hops = next_hops_.used();
  all.live_routes = live_routes_;
  all.enumerations = enumerations_.size();
  all.lists = lists_.size();
  all.registrations = registrations_.size();
  all.deadlines = deadlines_.size();
  all.object_locks = locks_.size();
  all.record_bytes = destinations_.bytes() + routes_.bytes() + next_hops_.bytes() + extras_.bytes();
  all.trie_bytes = trie_.bytes();
  all.other_bytes = references_.bytes() + deadlines_.bytes() + v1_.bytes();
  registrations_.for_each([&](std::uint32_t, const ChangeRegistration& each) {
    all.changes_waiting += each.waiting.size();
    all.other_bytes += each.bytes();
  });
  all.steps = steps_;
  all.longest_step_ns = longest_step_ns_;
  all.longest_step_busy_ns = longest_step_busy_ns_;
  all.callback_throws = callback_throws_;
  describe_index(all);
  return all;
}

std::uint64_t Table::object_count(Kind kind) {
  const std::lock_guard lock(mutex_);
  switch (kind) {
    case Kind::kEntity:
      return entity_count_;
    case Kind::kDestination:
      return destinations_.used();
    case Kind::kRoute:
      return routes_.used();
    case Kind::kNextHop:
      return next_hops_.used();
    case Kind::kEnumeration:
      return enumerations_.size();
    case Kind::kRouteList:
      return lists_.size();
    case Kind::kNotification:
      return registrations_.size();
    case Kind::kV1Enumeration:
      return v1_.cursors();
    default:
      return 0;
  }
}

std::uint64_t Table::reference_count(Kind kind) {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  if (const Slab* slab = slab_of(kind); slab != nullptr) {
    for (std::uint32_t i = 1; i < slab->limit(); ++i) {
      sum += references_.held(*word_of(kind, i));
    }
    return sum;
  }
  if (kind == Kind::kEntity) {
    for (unsigned holder = 1; holder <= kMaxClients; ++holder) {
      for (unsigned held = 1; entity_at(static_cast<ClientIndex>(holder)) != nullptr && held <= kMaxClients; ++held) {
        sum += entity_at(static_cast<ClientIndex>(holder))->references.held(static_cast<ClientIndex>(held));
      }
    }
  }
  return sum;
}

std::uint64_t Table::leak_count(Kind kind) {
  const std::lock_guard lock(mutex_);
  return leaks_[static_cast<unsigned>(kind)];
}

}  // namespace turnpike::rtm
