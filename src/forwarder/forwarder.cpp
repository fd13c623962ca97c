#include "forwarder/forwarder.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace turnpike::forwarder {
namespace {

constexpr Duration kBetweenResyncs = std::chrono::milliseconds(200);  // a storm of losses does not become one of dumps
constexpr Duration kImportAgain = std::chrono::milliseconds(2);

void earliest(std::optional<MonotonicTime>& first, const std::optional<MonotonicTime>& at) {
  if (at && (!first || *at < *first)) first = at;
}

}  // namespace

// --- start
// -------------------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Forwarder>> Forwarder::start(kernel::Port& port, std::vector<Binding> tables, Settings settings,
                                                    const Clock& clock, std::function<void()> wake,
                                                    Background* background) {
  // allow naked-new: the constructor is private
  auto made = std::unique_ptr<Forwarder>(new Forwarder(port, settings, clock, background));
  if (const auto opened = made->open(); !opened) return tl::unexpected(opened.error());
  for (const Binding& binding : tables) {
    if (const auto bound = made->bind(binding, wake); !bound) return tl::unexpected(bound.error());
  }
  made->prepare_namespace();
  made->sweep_at_ = clock.now() + settings.sweep_after;
  made->resync();
  if (made->wants_resync_) return fail(ErrorKind::kKernel, "the kernel's routes cannot be read");
  if (const Status found = made->status(); found.ipv4.adopted + found.ipv6.adopted != 0) {
    TURNPIKE_LOG(LogLevel::kNotice, "forwarder",
                 "the kernel has routes of a former life: they forward on until claimed",
                 {"routes", found.ipv4.adopted + found.ipv6.adopted});
  }
  return made;
}

// The monitor first, then the dumps: what changes in between is heard.
Result<void> Forwarder::open() {
  auto writer = port_.open_writer();
  if (!writer) return tl::unexpected(writer.error());
  writer_ = std::move(*writer);
  kernel::MonitorOptions options;
  options.receive_buffer = settings_.receive_buffer;
  options.topics.links = options.topics.addresses = options.topics.next_hops = true;
  options.topics.ipv4_routes = options.topics.ipv6_routes = true;
  auto monitor = port_.open_monitor(options);
  if (!monitor) return tl::unexpected(monitor.error());
  monitor_ = std::move(*monitor);
  if (const auto left_out = monitor_->leave_out(writer_->identity()); !left_out) return left_out;
  for (std::size_t i = 0; i < batches_.most(); ++i) {
    auto another = port_.open_writer();
    if (!another) return tl::unexpected(another.error());
    if (const auto left_out = monitor_->leave_out((*another)->identity()); !left_out) return left_out;
    batches_.add(std::move(*another));
  }
  return {};
}

Result<void> Forwarder::bind(const Binding& binding, const std::function<void()>& wake) {
  auto unicast = Unicast::start(*binding.table, binding.settings, settings_.protocol, next_hops_, clock_, wake);
  if (!unicast) return tl::unexpected(unicast.error());
  Table table{.unicast = std::move(*unicast), .importer = nullptr, .settings = binding.settings};
  if (settings_.import_routes) {
    table.importer = std::make_unique<Importer>(
        *binding.table, binding.settings, settings_.protocol,
        [this](std::uint32_t id) { return hops_through(foreign_, id); },
        [its = table.unicast.get()](rtm::Handle owner) { its->add_foreign_owner(owner); });
    table.unicast->ask(*table.importer);
  }
  for (const Table& other : tables_) {
    const bool is_pair = other.unicast->table().config().instance == binding.table->config().instance &&
                         other.settings.kernel_table == binding.settings.kernel_table &&
                         other.settings.family != binding.settings.family;
    if (!is_pair) continue;
    const bool is_ipv4 = binding.settings.family == Family::kIpv4;
    (is_ipv4 ? table : other).unicast->resolve_by(*(is_ipv4 ? other : table).unicast);
  }
  tables_.push_back(std::move(table));
  return {};
}

void Forwarder::prepare_namespace() {
  const auto compatible = port_.read_setting(kernel::kCompatMode);
  if (!compatible || *compatible == "0") return;
  if (settings_.own_namespace && port_.write_setting(kernel::kCompatMode, "0")) return;
  TURNPIKE_LOG(LogLevel::kNotice, "forwarder",
               "net.ipv4.nexthop_compat_mode is on: when a gateway that many routes use moves, the kernel tells every "
               "route, which takes it far longer");
}

Forwarder::~Forwarder() {
  if (!tables_.empty()) stop(false);
  port_.read_ahead(nullptr);
}

// --- work
// --------------------------------------------------------------------------------------------------------------------

bool Forwarder::step() {
  read_monitor();
  const MonotonicTime now = clock_.now();
  if (audit_at_ && *audit_at_ <= now) wants_resync_ = true;
  wants_resync_ = wants_resync_ || next_hops_.wants_audit();
  for (const Table& table : tables_) wants_resync_ = wants_resync_ || table.unicast->wants_reconcile();
  if (wants_resync_ && (!resync_not_before_ || *resync_not_before_ <= now)) resync();
  if (import_at_ && *import_at_ <= now) {
    import_at_.reset();
    for (const Table& table : tables_) {
      if (table.importer != nullptr && table.importer->step()) import_at_ = now + kImportAgain;
    }
  }
  run_sweep();
  bool more = more_to_hear_;
  if (fpm_ != nullptr) more = fpm_->step() || more;
  for (const Table& table : tables_) static_cast<void>(table.unicast->step(*writer_, batches_));
  write_next_hops();
  more = more || std::ranges::any_of(tables_, [](const Table& table) { return table.unicast->has_more(); });
  run_sweep();
  if (!more && next_hops_.has_unused()) next_hops_.sweep(*writer_, false);
  return more;
}

// Those that no route of this step has asked for: a way of several that comes back, or is tried again.
void Forwarder::write_next_hops() {
  if (retry_at_ && *retry_at_ <= clock_.now()) {
    retry_at_.reset();
    next_hops_.retry(std::nullopt);
  }
  if (next_hops_.has_pending()) next_hops_.flush(*writer_);
  if (!next_hops_.has_refused()) {
    retry_at_.reset();
    backoff_.reset();
  } else if (!retry_at_) {
    retry_at_ = clock_.now() + backoff_.next();
  }
  if (next_hops_.has_losses()) next_hops_changed();
}

void Forwarder::read_monitor() {
  const auto count = monitor_->read(*this);
  more_to_hear_ = count && *count != 0;
  if (std::exchange(doubts_objects_, false)) look_for_survivors();
  if (objects_changed_) next_hops_changed();
  for (const Table& table : tables_) {
    if (!import_at_ && table.importer != nullptr && table.importer->waiting() != 0)
      import_at_ = clock_.now() + kImportAgain;
  }
}

void Forwarder::next_hops_changed() {
  objects_changed_ = false;
  for (const Table& table : tables_) table.unicast->next_hops_changed();
  next_hops_.forget_losses();
}

// A link that went has come back, or somebody took a next hop away. That was heard after it happened: what we had
// written anew by then has been given up though the kernel has it. Routes are there only with their next hops, which
// are few: so these are read, and the routes where one is found.
void Forwarder::look_for_survivors() {
  if (!resync_next_hops() || next_hops_.unexpected() != 0) wants_resync_ = true;
}

std::optional<MonotonicTime> Forwarder::next_deadline() const {
  std::optional<MonotonicTime> first;
  for (const Table& table : tables_) {
    earliest(first, table.unicast->next_deadline());
    if (table.unicast->wants_reconcile()) earliest(first, resync_not_before_);
  }
  if (wants_resync_ || next_hops_.wants_audit()) earliest(first, resync_not_before_);
  earliest(first, audit_at_);
  earliest(first, sweep_at_);
  earliest(first, import_at_);
  earliest(first, retry_at_);
  if (fpm_ != nullptr) earliest(first, fpm_->next_deadline());
  return first;
}

// --- what is left of a former life
// --------------------------------------------------------------------------------------------

void Forwarder::all_claimed() {
  if (sweep_at_) sweep_at_ = clock_.now();
}

// Routes first: a next hop that goes before its routes makes the kernel walk its table.
void Forwarder::run_sweep() {
  if (sweep_at_ && *sweep_at_ <= clock_.now()) {
    sweep_at_.reset();
    sweeps_objects_ = true;
    for (const Table& table : tables_) {
      const std::uint64_t left = table.unicast->status().adopted;
      if (left != 0) {
        TURNPIKE_LOG(LogLevel::kNotice, "forwarder", "removing routes of a former life that nobody has claimed",
                     {"routes", left});
      }
      table.unicast->sweep_adopted();
    }
  }
  const bool swept = sweeps_objects_ && std::ranges::all_of(tables_, [](const Table& table) {
                       return table.unicast->status().adopted == 0;
                     });
  if (swept) {
    sweeps_objects_ = false;
    next_hops_.sweep(*writer_, true);
  }
}

// --- comparing with the kernel
// -----------------------------------------------------------------------------------------------

void Forwarder::resync() {
  wants_resync_ = false;
  ++resyncs_;
  const bool all = resync_links() && resync_next_hops() && resync_routes();
  wants_resync_ = !all;
  doubts_objects_ = doubts_objects_ && !all;
  resync_not_before_ = clock_.now() + kBetweenResyncs;
  if (settings_.audit_every != Duration{0}) audit_at_ = clock_.now() + settings_.audit_every;
}

bool Forwarder::resync_links() {
  std::map<InterfaceIndex, bool> seen;
  const auto dumped =
      port_.dump_links({[&] { seen.clear(); },
                        [&](const kernel::Link& link) { seen[link.index] = (link.flags & kernel::kLinkUp) != 0; }});
  if (!dumped) return false;
  for (const auto& [link, was_up] : std::map(links_)) {
    if (!seen.contains(link)) set_link(link, false);
  }
  for (const auto& [link, is_up] : seen) set_link(link, is_up);
  return true;
}

bool Forwarder::resync_next_hops() {
  std::vector<kernel::NextHopCopy> ours;
  NextHopObjects others;
  const auto dumped = port_.dump_next_hops({}, {[&] {
                                                  ours.clear();
                                                  others.clear();
                                                },
                                                [&](const kernel::NextHop& seen) {
                                                  if (seen.protocol == settings_.protocol) {
                                                    ours.emplace_back(seen);
                                                  } else {
                                                    others.emplace(seen.id, seen);
                                                  }
                                                }});
  if (!dumped) return false;
  foreign_ = std::move(others);
  next_hops_.begin_audit();
  for (const auto& each : ours) next_hops_.audit(each.view());
  next_hops_.end_audit();
  for (const auto& [id, each] : foreign_) next_hops_.avoid(id);
  sweeps_objects_ = sweeps_objects_ || !sweep_at_;  // what nobody wants has no claimant to wait for any more
  next_hops_changed();
  return true;
}

// One dump for both: ours to the table, the others to the importer.
bool Forwarder::resync_routes() {
  for (const Table& table : tables_) {
    Importer* const importer = table.importer.get();
    Unicast& unicast = *table.unicast;
    kernel::RouteFilter filter;
    filter.family = unicast.family();
    if (importer == nullptr) filter.protocol = settings_.protocol;
    // The importer takes the local table for a part of the main one.
    if (importer == nullptr || unicast.kernel_table() != kernel::kMainTable) filter.table = unicast.kernel_table();
    const kernel::Taker<kernel::Route> taker{[&] {
                                               if (importer != nullptr) importer->begin();
                                               unicast.begin_reconcile();
                                             },
                                             [&](const kernel::Route& route) {
                                               if (route.protocol == settings_.protocol) {
                                                 unicast.seen(route);
                                               } else if (importer != nullptr) {
                                                 importer->taken(route);
                                                 unicast.seen_foreign(route);
                                               }
                                             }};
    if (!port_.dump_routes(filter, taker)) return false;
    if (importer != nullptr) importer->end();
    unicast.end_reconcile();
  }
  return true;
}

// --- what the kernel says
// ----------------------------------------------------------------------------------------------------

void Forwarder::set_link(InterfaceIndex link, bool is_up) {
  const auto [place, is_new] = links_.try_emplace(link, false);
  const bool was_up = std::exchange(place->second, is_up);
  if (was_up && !is_up) {
    if (next_hops_.link_lost(link)) {
      objects_changed_ = true;
      lost_links_.insert(link);
      TURNPIKE_LOG(LogLevel::kNotice, "forwarder", "a link went, and our routes with it", {"link", link.value()});
    }
    for (const Table& table : tables_) {
      if (table.importer != nullptr) table.importer->link_lost(link);
    }
  } else if (is_up && !was_up) {
    doubts_objects_ = lost_links_.erase(link) != 0 || doubts_objects_;
    objects_changed_ = next_hops_.retry(link) || objects_changed_;
    for (const Table& table : tables_) table.unicast->retry_failed();
  }
}

void Forwarder::on_link(const kernel::Notice& notice, const kernel::Link& link) {
  set_link(link.index, !notice.gone && (link.flags & kernel::kLinkUp) != 0);
  if (!notice.gone) return;
  links_.erase(link.index);
  lost_links_.erase(link.index);
}

// With an address go routes that prefer it, and the kernel does not say which.
void Forwarder::on_address(const kernel::Notice& notice, const kernel::InterfaceAddress&) {
  if (notice.gone) {
    wants_resync_ = true;
    return;
  }
  objects_changed_ = next_hops_.retry(std::nullopt) || objects_changed_;
  for (const Table& table : tables_) table.unicast->retry_failed();
}

void Forwarder::on_route(const kernel::Notice& notice, const kernel::Route& route) {
  if (is_our_own(notice)) return;
  for (const Table& table : tables_) {
    if (table.importer != nullptr) table.importer->heard(notice, route);
    table.unicast->heard(notice, route);
  }
}

void Forwarder::on_next_hop(const kernel::Notice& notice, const kernel::NextHop& next_hop) {
  if (is_our_own(notice)) return;
  if (next_hop.protocol == settings_.protocol) {
    const bool ours = notice.gone ? next_hops_.taken_away(next_hop.id) : next_hops_.changed(next_hop);
    if (ours) {
      TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "another program changes a next hop of ours; it is written again",
                   {"id", next_hop.id}, {"netlink_port", notice.writer});
    }
    objects_changed_ = objects_changed_ || ours;
    doubts_objects_ = doubts_objects_ || (ours && notice.gone);
  } else if (notice.gone) {
    foreign_.erase(next_hop.id);
  } else {
    next_hops_.avoid(next_hop.id);
    foreign_.insert_or_assign(next_hop.id, kernel::NextHopCopy(next_hop));
  }
}

void Forwarder::on_loss(kernel::Loss why) {
  ++losses_;
  wants_resync_ = true;
  TURNPIKE_LOG(LogLevel::kWarning, "forwarder", "what the kernel said was lost: everything is read and compared",
               {"why", why == kernel::Loss::kOverrun ? "overrun" : "unreadable"});
}

// --- a routing daemon's feed
// ----------------------------------------------------------------------------------------------------

Result<void> Forwarder::start_fpm(std::unique_ptr<kernel::FpmFeed> feed, const FpmSettings& settings) {
  if (fpm_ != nullptr) return fail(ErrorKind::kAlreadyExists, "a routing daemon's feed is taken already");
  std::vector<Fpm::Place> places;
  for (const Table& table : tables_) {
    places.push_back({&table.unicast->table(), table.settings, [this, its = table.unicast.get()](rtm::Handle owner) {
                        its->add_foreign_owner(owner);
                        fpm_owners_.emplace_back(its, owner);
                      }});
  }
  fpm_ = std::make_unique<Fpm>(std::move(feed), std::move(places), settings_.protocol, settings, clock_);
  return {};
}

Result<void> Forwarder::stop_fpm() {
  if (fpm_ == nullptr) return fail(ErrorKind::kNotFound, "no routing daemon's feed is taken");
  fpm_->stop();
  fpm_.reset();
  for (const auto& [unicast, owner] : std::exchange(fpm_owners_, {})) unicast->remove_foreign_owner(owner);
  return {};
}

// --- the end, and what there is
// -------------------------------------------------------------------------------------------------

void Forwarder::stop(bool remove_routes) {
  for (const Table& table : tables_) table.unicast->stop(*writer_, remove_routes);
  for (const Table& table : tables_) {
    if (table.importer != nullptr) table.importer->stop();
  }
  static_cast<void>(stop_fpm());
  if (remove_routes) next_hops_.remove_all(*writer_);
  tables_.clear();
}

Forwarder::Status Forwarder::status() const {
  Status status;
  for (const Table& table : tables_) {
    const Unicast::Status its = table.unicast->status();
    Unicast::Status& sum = table.unicast->family() == Family::kIpv4 ? status.ipv4 : status.ipv6;
    for (std::size_t i = 0; i < kRouteStates; ++i) sum.routes[i] += its.routes[i];
    sum.adopted += its.adopted;
    sum.written += its.written;
    sum.removed += its.removed;
    sum.refused += its.refused;
    sum.repaired += its.repaired;
    sum.kept += its.kept;
    sum.moved += its.moved;
    sum.skipped += its.skipped;
    sum.reconciled += its.reconciled;
    sum.waiting += its.waiting;
    sum.bytes += its.bytes;
    if (table.importer != nullptr) status.imported += table.importer->routes();
  }
  status.next_hops = next_hops_.counts();
  status.losses = losses_;
  status.resyncs = resyncs_;
  status.sweeping_done = !sweep_at_ && !sweeps_objects_ && status.ipv4.adopted + status.ipv6.adopted == 0;
  status.bytes = status.ipv4.bytes + status.ipv6.bytes + status.next_hops.bytes + batches_.bytes();
  return status;
}

Unicast::Explained Forwarder::explain(rtm::Handle dest) const {
  for (const Table& table : tables_) {
    if (table.unicast->table().id() == rtm::table_of(dest)) return table.unicast->explain(dest);
  }
  return {};
}

}  // namespace turnpike::forwarder
