#include "forwarder/unicast.h"

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "forwarder/importer.h"
#include "net/text.h"

namespace turnpike::forwarder {
namespace {

constexpr std::uint32_t kOtherProtocol = 1;      // PROTO_IP_OTHER, of the entity that a forwarder is
constexpr std::uint32_t kInstance = 0x46574420;  // "FWD "
constexpr std::size_t kIntake = 4096;
constexpr std::size_t kBatch = 1024;  // 53 KB of IPv4 routes, of the 64 that a writer takes
constexpr Duration kLockedAgain = std::chrono::milliseconds(2);

}  // namespace

const char* name_of(RouteState state) {
  constexpr const char* kNames[kRouteStates] = {"idle",     "pending", "installed", "failed",
                                                "conflict", "foreign", "contested", "shadowed"};
  return kNames[static_cast<std::size_t>(state) % kRouteStates];
}

Unicast::Unicast(rtm::Table& table, const TableSettings& settings, std::uint8_t protocol, NextHops& next_hops,
                 const Clock& clock)
    : table_(table),
      settings_(settings),
      protocol_(protocol),
      next_hops_(next_hops),
      clock_(clock),
      targets_(1),
      paths_(1),
      route_settings_{settings.routes} {}

Result<std::unique_ptr<Unicast>> Unicast::start(rtm::Table& table, const TableSettings& settings, std::uint8_t protocol,
                                                NextHops& next_hops, const Clock& clock, std::function<void()> wake) {
  // allow naked-new: the constructor is private
  auto made = std::unique_ptr<Unicast>(new Unicast(table, settings, protocol, next_hops, clock));
  rtm::Registration registration;
  registration.protocol = kOtherProtocol;
  registration.protocol_instance = kInstance | settings.kernel_table << 8;
  const auto self = table.register_entity(std::move(registration));
  if (!self) return tl::unexpected(self.error());
  made->self_ = *self;
  const auto changes = table.register_for_changes(*self, 1, rtm::change::kForwarding, nullptr);
  if (!changes) {
    static_cast<void>(table.deregister_entity(*self));
    return tl::unexpected(changes.error());
  }
  made->registration_ = *changes;
  made->take_what_is_there();
  const auto told = table.change_signal(*self, *changes, [&wake] {
    const auto raise = [wake](bool up) {
      if (up) wake();
    };
    return rtm::ChangeSignal{.raise = raise, .token = 0};
  });
  if (!told) return tl::unexpected(told.error());
  return made;
}

// It counts as changed.
void Unicast::take_what_is_there() {
  const auto walk = table_.create_dest_enum(self_, 1, 0, nullptr, rtm::kBestProtocol);
  if (!walk) return;
  const std::uint32_t capacity = table_.config().max_handles_in_enum;
  std::vector<std::byte> room(capacity * rtm::size_of_dest_image(1));
  while (const auto count = table_.next_dests(self_, *walk, capacity, room.data())) {
    const std::size_t before = taken_.size();
    for (std::uint32_t i = 0; i < *count; ++i) {
      const auto& info = *reinterpret_cast<const rtm::DestImage*>(room.data() + i * rtm::size_of_dest_image(1));
      taken_.push_back(info.destination);
    }
    if (!table_.reference_handles(self_, std::span(taken_).subspan(before)))
      taken_.resize(before);  // never: it held them
    static_cast<void>(table_.release_dest_infos(self_, *count, room.data()));
  }
  static_cast<void>(table_.delete_enum(self_, *walk));
  intake(0);
}

Unicast::~Unicast() {
  if (self_ != rtm::Handle::kNone) static_cast<void>(table_.deregister_entity(self_));
}

bool Unicast::step(kernel::Writer& writer, Batches& batches, std::size_t most) {
  const rtm::Table::NeverWaits never_waits;
  hop_of_handle_.clear();
  settings_of_owner_.clear();
  if (other_family_ != nullptr) other_family_->hop_of_handle_.clear();
  run_timers();
  const std::size_t slice = most;
  for (more_changes_ = true; most != 0 && !is_idle();) {
    if (batches.is_full()) settle(batches.take_back());
    Batch& batch = batches.next();
    if (more_changes_) intake(kIntake);
    most -= examine_some(std::min(most, kBatch), batch);
    resolve_anew();
    if (next_hops_.has_pending()) next_hops_.flush(writer);
    put_all(batch);
    batches.send(is_idle() && batches.is_empty());
  }
  while (!batches.is_empty()) settle(batches.take_back());
  bag_.insert(bag_.end(), deferred_.begin(), deferred_.end());
  deferred_.clear();
  sweep_some(writer, slice);
  tell_table();
  entries_.tidy();
  return has_more();
}

// --- intake
// ------------------------------------------------------------------------------------------------------------------

rtm::Handle Unicast::handle_of(std::uint32_t index) const {
  return rtm::make_handle(rtm::Kind::kDestination, table_.id(), entries_[index].generation, index);
}

void Unicast::intake(std::size_t most) {
  if (most != 0) {
    const auto count = table_.changed_handles(self_, registration_, most, taken_);
    more_changes_ = count && *count == most;
  }
  for (const rtm::Handle handle : std::exchange(taken_, {})) {
    const std::uint32_t index = rtm::index_of(handle);
    if (entries_.holds(index)) {
      to_release_.push_back(handle);  // one reference is enough
    } else {
      entries_.hold(index).generation = rtm::generation_of(handle) & rtm::kMaxGeneration;
    }
    make_dirty(index);
  }
}

void Unicast::make_dirty(std::uint32_t index) {
  Entry& entry = entries_[index];
  if (entry.dirty != 0) return;
  entry.dirty = 1;
  set_state(entry, RouteState::kPending);
  bag_.push_back(index);
}

std::uint32_t Unicast::take_from_bag() {
  if (settings_.family == Family::kIpv4) {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    std::swap(bag_.back(), bag_[random_ % bag_.size()]);
    const std::uint32_t index = bag_.back();
    bag_.pop_back();
    return index;
  }
  const std::uint32_t index = bag_.front();
  bag_.pop_front();
  return index;
}

// --- states
// ------------------------------------------------------------------------------------------------------------------

void Unicast::set_state(Entry& entry, RouteState state, int error) {
  const auto count = [this](std::uint32_t which, std::uint64_t by) {
    if (which != 0) by_state_[which] += by;
  };
  count(entry.state, ~std::uint64_t{0});
  entry.state = static_cast<std::uint32_t>(state) & 7;
  entry.error = static_cast<std::uint16_t>(error);
  count(entry.state, 1);
}

void Unicast::set_installed(Entry& entry, std::uint32_t target) {
  if (target != 0) use_target(target);
  release_target(std::exchange(entry.installed, target));
}

// Takes over the caller's use of the target.
void Unicast::set_wanted(Entry& entry, std::uint32_t target) { release_target(std::exchange(entry.wanted, target)); }

void Unicast::forget_if_idle(std::uint32_t index) {
  Entry& entry = entries_[index];
  if (entry.held == 0 || entry.dirty != 0 || entry.wanted != 0 || entry.installed != 0 ||
      entry.state != static_cast<std::uint32_t>(RouteState::kIdle)) {
    return;
  }
  fights_.erase(index);
  to_release_.push_back(handle_of(index));
  entries_.drop(index);
}

int Unicast::trouble_of(std::uint32_t target) const {
  if (targets_[target].type != kernel::RouteType::kUnicast) return 0;
  const NextHops::Index object = paths_[targets_[target].path].object;
  if (next_hops_.state_of(object) == NextHops::State::kPresent) return 0;
  const int error = next_hops_.error_of(object);
  return error != 0 ? error : ENETUNREACH;
}

// --- from what is wanted to what is written
// ----------------------------------------------------------------------------------

void Unicast::examine(std::uint32_t index, Batch& batch) {
  Entry& entry = entries_[index];
  if (entry.sent != 0) return deferred_.push_back(index);
  entry.dirty = 0;
  Prefix prefix;
  const Wish wanted = wish(index, prefix);
  if (!wanted.readable) {
    ++counters_.skipped;
    locked_.push_back(index);
    if (!locked_at_) locked_at_ = clock_.now() + kLockedAgain;
    return;
  }
  destination_changed(prefix);
  set_wanted(entry, wanted.target);
  claim(entry, prefix);
  if (wanted.target == 0 && entry.installed == 0) {
    wants_reconcile_ = wants_reconcile_ || entry.doubted != 0;  // perhaps the kernel has it all the same
    entry.doubted = 0;
    finish(index, wanted.state, wanted.error);
    return;
  }
  entry.error = static_cast<std::uint16_t>(wanted.error);
  batch.work.push_back({.index = index, .target = wanted.target, .prefix = prefix, .otherwise = wanted.state});
}

// A destination, its route and its entry are three lines of memory that nobody has looked at for long. Asked for some
// examinations ahead, they come while others are worked on: that is a third of the forwarder's own time under load.
std::size_t Unicast::examine_some(std::size_t most, Batch& batch) {
  constexpr std::size_t kAhead = 16;
  chosen_.clear();
  for (; chosen_.size() < most && !checks_.empty(); checks_.pop_front()) chosen_.push_back(checks_.front());
  while (chosen_.size() < most && !bag_.empty()) chosen_.push_back(take_from_bag());
  for (std::size_t i = 0; i < chosen_.size(); ++i) {
    if (i + kAhead < chosen_.size()) {
      entries_.expect(chosen_[i + kAhead]);
      table_.expect_forwarding(chosen_[i + kAhead]);
    }
    examine(chosen_[i], batch);
  }
  return chosen_.size();
}

void Unicast::put_all(Batch& batch) {
  if (settings_.family == Family::kIpv6 && batch.work.size() > 1) {
    std::ranges::sort(batch.work, [](const Work& a, const Work& b) { return a.prefix < b.prefix; });
  }
  for (std::size_t place = 0; place < batch.work.size(); ++place) put_work(batch, place);
}

// It is back from the kernel.
void Unicast::settle(Batch& batch) {
  for (const Work& each : batch.work) {
    if (each.submitted) entries_[each.index].sent = 0;
  }
  take(batch.report, batch);
  for (const Work& each : batch.work) {
    if (each.submitted && !each.refused) done(each);
  }
  batch.work.clear();
  tell_table();
}

kernel::Route Unicast::route_of(const Prefix& prefix, std::uint32_t target) const {
  const Target& its = targets_[target];
  const RouteSettings& settings = route_settings_[its.settings];
  kernel::Route route;
  route.destination = prefix;
  route.table = settings_.kernel_table;
  route.type = its.type;
  route.protocol = protocol_;
  route.priority = settings.priority;
  if (its.path != 0) route.next_hop_id = next_hops_.id_of(paths_[its.path].object);
  if (its.type == kernel::RouteType::kUnicast) {
    route.preferred_source = settings.preferred_source;
    route.metrics.mtu = settings.mtu;
  }
  return route;
}

// What cannot be reached is not left pointing where it was.
void Unicast::put_work(Batch& batch, std::size_t place) {
  Work& work = batch.work[place];
  Entry& entry = entries_[work.index];
  if (work.target != 0) {
    if (const int trouble = trouble_of(work.target); trouble != 0) {
      entry.error = static_cast<std::uint16_t>(trouble);
      work.target = 0;
      work.otherwise = RouteState::kFailed;
      if (entry.installed == 0) return finish(work.index, RouteState::kFailed, trouble);
    }
  }
  if (work.target == entry.installed && entry.differs == 0) {
    return finish(work.index, standing(work.prefix, work.target));
  }
  if (work.target == 0) {
    return put(batch, kernel::Change::kRemove, route_of(work.prefix, entry.installed), place, false);
  }
  const bool moves = entry.installed != 0 && priority_of(entry.installed) != priority_of(work.target);
  const bool adds = moves || (entry.installed == 0 && entry.differs == 0);
  put(batch, adds ? kernel::Change::kAdd : kernel::Change::kReplace, route_of(work.prefix, work.target), place, false);
  if (moves) put(batch, kernel::Change::kRemove, route_of(work.prefix, entry.installed), place, true);
}

// `former`: the removal of what the same work has added elsewhere.
void Unicast::put(Batch& batch, kernel::Change change, const kernel::Route& route, std::size_t place, bool former) {
  while (!batch.writer->put(change, route, place * 2 + (former ? 1 : 0))) take(batch.writer->submit(), batch);
  ++(change == kernel::Change::kRemove ? counters_.removed : counters_.written);
  batch.work[place].submitted = true;
  entries_[batch.work[place].index].sent = 1;
}

void Unicast::take(const kernel::Report& report, Batch& batch) {
  for (const kernel::Refusal& refusal : report.refused) {
    refused(batch.work[refusal.cookie / 2], refusal.cookie % 2 != 0, refusal);
  }
  if (report.answers_lost) {
    TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "answers of the kernel were lost: what it has is read anew",
                 {"routes", report.submitted});
    wants_reconcile_ = true;
  }
}

void Unicast::refused(Work& work, bool former, const kernel::Refusal& refusal) {
  Entry& entry = entries_[work.index];
  const bool gone = refusal.error == ESRCH || refusal.error == ENOENT || refusal.error == ENODEV;
  if (former || (work.target == 0 && gone)) return;  // nobody is left to be removed
  work.refused = true;
  entry.differs = 0;
  ++counters_.refused;
  // What was heard of as taken away may have been so before we wrote it last: then what is there is ours.
  if (refusal.error == EEXIST && work.target != 0) {
    if (entry.robbed == 0 && entry.state != static_cast<std::uint32_t>(RouteState::kConflict)) {
      TURNPIKE_LOG(LogLevel::kWarning, "forwarder",
                   "another's route has the place of ours, which is written when that has gone",
                   {"prefix", net::to_text(work.prefix)});
    }
    wants_reconcile_ = wants_reconcile_ || entry.robbed != 0;
    entry.robbed = 0;
    return finish(work.index, RouteState::kConflict, EEXIST);
  }
  TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "the kernel refused a route", {"prefix", net::to_text(work.prefix)},
               {"reason", kernel::describe(refusal)});
  // It should not have refused these: what it has may be other than we think, for instance without the next hop.
  wants_reconcile_ = wants_reconcile_ || entry.installed != 0 || refusal.error == EINVAL || refusal.error == ENOENT;
  finish(work.index, RouteState::kFailed, refusal.error);
}

void Unicast::done(const Work& work) {
  Entry& entry = entries_[work.index];
  const int error = static_cast<int>(entry.error);
  set_installed(entry, work.target);
  entry.differs = 0;
  entry.robbed = entry.doubted = 0;
  work.target != 0 ? finish(work.index, standing(work.prefix, work.target)) : finish(work.index, work.otherwise, error);
}

RouteState Unicast::standing(const Prefix& prefix, std::uint32_t target) const {
  const bool is_shadowed = importer_ != nullptr && importer_->goes_before(prefix, priority_of(target));
  return is_shadowed ? RouteState::kShadowed : RouteState::kInstalled;
}

// The last word on a destination, for this time; unless it has changed while it was under way, and is looked at again.
void Unicast::finish(std::uint32_t index, RouteState state, int error) {
  if (entries_[index].dirty != 0) return;
  set_state(entries_[index], state, error);
  const bool is_there = state == RouteState::kInstalled || state == RouteState::kForeign;
  (is_there ? now_installed_ : not_installed_).push_back(handle_of(index));
  if (state == RouteState::kFailed) retry_later();
  forget_if_idle(index);
}

void Unicast::tell_table() {
  if (!now_installed_.empty()) static_cast<void>(table_.set_installed(self_, registration_, now_installed_, true));
  if (!not_installed_.empty()) static_cast<void>(table_.set_installed(self_, registration_, not_installed_, false));
  if (!to_release_.empty()) static_cast<void>(table_.release_destinations(self_, to_release_));
  now_installed_.clear();
  not_installed_.clear();
  to_release_.clear();
}

// What nobody has claimed, and what has our number where we want nothing.
void Unicast::sweep_some(kernel::Writer& writer, std::size_t most) {
  std::vector<std::pair<Prefix, std::uint32_t>> gone;
  const auto give_up = [&](const Prefix& prefix, std::uint32_t target) {
    if (target == 0) return;
    gone.emplace_back(prefix, priority_of(target));
    release_target(target);
  };
  for (; most != 0 && !strays_.empty(); --most, strays_.pop_back()) gone.push_back(strays_.back());
  for (; most != 0 && is_idle() && !survivors_.empty(); --most, survivors_.pop_back()) {  // who wants it has said so
    give_up(survivors_.back(), adopted_.take(survivors_.back()));
  }
  for (; most != 0 && sweeping_ && !adopted_.empty(); --most) std::apply(give_up, adopted_.take_any());
  for (const auto& [prefix, priority] : gone) {
    kernel::Route route;
    route.destination = prefix;
    route.table = settings_.kernel_table;
    route.protocol = protocol_;
    route.priority = priority;
    route.type = kernel::RouteType::kUnspecified;  // of any type
    while (!writer.put(kernel::Change::kRemove, route, 0)) static_cast<void>(writer.submit());
    ++counters_.removed;
  }
  if (!gone.empty()) static_cast<void>(writer.submit());
}

// --- time
// --------------------------------------------------------------------------------------------------------------------

void Unicast::retry_later() {
  if (!retry_at_) retry_at_ = clock_.now() + backoff_.next();
}

void Unicast::retry_failed() {
  retry_at_.reset();
  scan([&](std::uint32_t index, Entry& entry) {
    if (entry.state == static_cast<std::uint32_t>(RouteState::kFailed)) make_dirty(index);
  });
}

void Unicast::run_timers() {
  const MonotonicTime now = clock_.now();
  if (locked_at_ && *locked_at_ <= now) {
    locked_at_.reset();
    for (const std::uint32_t index : std::exchange(locked_, {})) make_dirty(index);
  }
  if (retry_at_ && *retry_at_ <= now) {
    next_hops_.retry(std::nullopt);
    retry_failed();
    if (bag_.empty()) backoff_.reset();
  }
  if (fight_at_ && *fight_at_ <= now) {
    fight_at_.reset();
    for (auto& [index, fight] : fights_) {
      if (fight.until && *fight.until <= now) {
        fight.until.reset();
        make_dirty(index);
      } else if (fight.until && (!fight_at_ || *fight.until < *fight_at_)) {
        fight_at_ = fight.until;
      }
    }
  }
}

std::optional<MonotonicTime> Unicast::next_deadline() const {
  std::optional<MonotonicTime> first;
  for (const auto& at : {locked_at_, retry_at_, fight_at_}) {
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

// --- the end, and what there is
// -------------------------------------------------------------------------------------------------

void Unicast::stop(kernel::Writer& writer, bool remove_routes) {
  const rtm::Table::NeverWaits never_waits;
  std::vector<std::uint32_t> held;
  scan([&](std::uint32_t index, Entry&) { held.push_back(index); });
  for (std::size_t i = held.size(); settings_.family == Family::kIpv4 && i > 1; --i) {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    std::swap(held[i - 1], held[(random_ >> 32) % i]);
  }
  for (const std::uint32_t index : held) {
    Entry& entry = entries_[index];
    rtm::Forwarding route;
    if (remove_routes && entry.installed != 0) {
      static_cast<void>(table_.forwarding(self_, handle_of(index), route));  // a lock does not hide the prefix
      const Prefix prefix(*Address::from_bytes(std::span(route.destination.address, width_of(settings_.family) / 8)),
                          route.destination.bits);
      const kernel::Route gone = route_of(prefix, entry.installed);
      while (!writer.put(kernel::Change::kRemove, gone, 0)) static_cast<void>(writer.submit());
    }
    not_installed_.push_back(handle_of(index));
    to_release_.push_back(handle_of(index));
    set_wanted(entry, 0);
    set_installed(entry, 0);
    entries_.drop(index);
  }
  entries_.tidy();
  found_ = 0;
  static_cast<void>(writer.submit());
  sweeping_ = remove_routes;
  while (remove_routes && !(adopted_.empty() && strays_.empty())) sweep_some(writer, kSlice);
  tell_table();
  static_cast<void>(table_.deregister_from_changes(self_, registration_));
  static_cast<void>(table_.deregister_entity(std::exchange(self_, rtm::Handle::kNone)));
}

Unicast::Status Unicast::status() const {
  Status status = counters_;
  status.routes = by_state_;
  status.adopted = adopted_.size() + found_;
  status.waiting = bag_.size() + checks_.size();
  status.bytes = entries_.bytes() + status.waiting * sizeof(std::uint32_t) +
                 chosen_.capacity() * sizeof(std::uint32_t) + targets_.capacity() * sizeof(CountedTarget) +
                 paths_.capacity() * sizeof(Path) + adopted_.bytes();
  return status;
}

Unicast::Explained Unicast::explain(rtm::Handle dest) const {
  const std::uint32_t index = rtm::index_of(dest);
  if (rtm::kind_of(dest) != rtm::Kind::kDestination || rtm::table_of(dest) != table_.id() || !entries_.holds(index) ||
      handle_of(index) != dest) {
    return {};
  }
  const Entry& entry = entries_[index];
  const std::uint32_t path = targets_[entry.installed].path;
  return {static_cast<RouteState>(entry.state), static_cast<int>(entry.error),
          path != 0 ? next_hops_.id_of(paths_[path].object) : 0};
}

}  // namespace turnpike::forwarder
