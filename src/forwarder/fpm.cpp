#include "forwarder/fpm.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace turnpike::forwarder {
namespace {

constexpr std::uint8_t kFromItsKernel = 2;
constexpr std::size_t kSlice = 4096;

}  // namespace

Fpm::Fpm(std::unique_ptr<kernel::FpmFeed> feed, std::vector<Place> tables, std::uint8_t our_protocol,
         FpmSettings settings, const Clock& clock)
    : feed_(std::move(feed)), our_protocol_(our_protocol), settings_(settings), clock_(clock) {
  for (Place& place : tables) {
    const auto owns = [its = std::move(place.owns), only = settings.table_only](rtm::Handle owner) {
      if (only) its(owner);
    };
    tables_.push_back(
        {place.settings, std::make_unique<FpmRoutes>(
                             *place.table, place.settings.family, settings.gateways_only,
                             [this](std::uint32_t id) { return hops_through(objects_, id); }, owns, clock)});
  }
}

bool Fpm::step() {
  bool more = feed_->read(*this);
  tell_objects();
  run_sweep();
  for (const Table& table : tables_) more = table.routes->step(kSlice) || more;
  return more;
}

std::optional<MonotonicTime> Fpm::next_deadline() const {
  std::optional<MonotonicTime> first = sweep_at_;
  for (const Table& table : tables_) {
    const auto at = table.routes->next_deadline();
    if (at && (!first || *at < *first)) first = at;
  }
  return first;
}

// --- what is said
// ----------------------------------------------------------------------------------------------------------------

void Fpm::on_open() {
  objects_.clear();
  changed_.clear();
  for (const Table& table : tables_) table.routes->begin_life();
  sweep_at_ = clock_.now() + settings_.sweep_after;
}

void Fpm::on_close() {
  tell_objects();
  on_open();
}

// A destination has one route: where that becomes one that is left out, ours is no longer.
void Fpm::on_route(bool gone, const kernel::Route& route) {
  const auto its = std::ranges::find_if(tables_, [&](const Table& table) {
    return table.settings.kernel_table == route.table && table.settings.family == route.destination.family();
  });
  if (its == tables_.end() || route.source) {
    ++ignored_;
    return;
  }
  const bool wanted = !gone && route.protocol != kFromItsKernel && route.protocol != our_protocol_ &&
                      !route.has_encapsulation && can_stand_in_a_table(route);
  if (!gone && !wanted) ++ignored_;
  its->routes->say(wanted, route);
}

void Fpm::on_next_hop(bool gone, const kernel::NextHop& next_hop) {
  gone ? static_cast<void>(objects_.erase(next_hop.id))
       : static_cast<void>(objects_.insert_or_assign(next_hop.id, kernel::NextHopCopy(next_hop)));
  changed_.insert(next_hop.id);
}

// A change of an object is one of the groups that it is in.
void Fpm::tell_objects() {
  if (changed_.empty()) return;
  for (const auto& [id, object] : objects_) {
    const auto view = object.view();
    const bool holds = std::ranges::any_of(
        view.members, [this](const kernel::GroupMember& member) { return changed_.contains(member.id); });
    if (holds) changed_.insert(id);
  }
  for (const Table& table : tables_) table.routes->objects_changed(changed_);
  changed_.clear();
}

// --- the end of a life
// -----------------------------------------------------------------------------------------------------------

void Fpm::run_sweep() {
  if (!sweep_at_ || *sweep_at_ > clock_.now()) return;
  sweep_at_.reset();
  const std::uint64_t stale = status().routes.stale;
  if (stale == 0) return;
  TURNPIKE_LOG(LogLevel::kNotice, "fpm", "removing routes that a former connection sent and nobody sent again",
               {"routes", stale});
  for (const Table& table : tables_) table.routes->sweep();
}

Result<void> Fpm::all_sent() {
  if (!feed_->counts().connected) return fail(ErrorKind::kNotFound, "no sender of routes is connected");
  sweep_at_ = clock_.now();
  return {};
}

void Fpm::stop() {
  for (const Table& table : tables_) table.routes->stop();
  tables_.clear();
}

Fpm::Status Fpm::status() const {
  Status status{.feed = feed_->counts(), .routes = {}, .ignored = ignored_, .next_hops = objects_.size()};
  for (const Table& table : tables_) {
    const FpmRoutes::Counts its = table.routes->counts();
    status.routes.routes += its.routes;
    status.routes.stale += its.stale;
    status.routes.absent += its.absent;
  }
  return status;
}

}  // namespace turnpike::forwarder
