// Forwarder: routing tables and the kernel, kept as one. The room's front door.
//
// It holds a Unicast and an Importer for each table, the next hop objects and the batches that they share, one writer
// and one monitor of the kernel, and the clock for what comes with time. It has no thread: `step` does what there is to
// do, and never waits. src/runtime calls it on one thread, when `wake` was called, when `descriptor` is readable, or at
// `next_deadline`; a test calls it when it likes.
//
//   monitor ──► on_link, on_address, on_next_hop, on_route ──► next hops, importers, tables: what is lost, what is
//   dirty table   ──► wake ──► Unicast::step ──► writer a loss, a doubt, the audit ──► resync: links, next hops, routes
//   are dumped and compared
//
// Order in a step: first what the kernel says, then what the tables say; so a route is not written over a link that has
// just gone. One slice of each, then the caller decides: a flood on one side does not starve the other.
//
// Start and end. What carries our number in the kernel at the start is adopted and forwards on; what no client claims
// within `sweep_after`, or before `all_claimed`, is removed. `stop` leaves the routes for the next start, or removes
// them. A process that dies is a stop that left them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "forwarder/backoff.h"
#include "forwarder/config.h"
#include "forwarder/fpm.h"
#include "forwarder/importer.h"
#include "forwarder/next_hops.h"
#include "forwarder/unicast.h"
#include "kernel/port.h"
#include "rtm/table.h"

namespace turnpike::forwarder {

struct Binding {
  rtm::Table* table = nullptr;
  TableSettings settings;
};

class Forwarder final : private kernel::Listener {
 public:
  // Reads the kernel, adopts what is ours. All of it must outlive the forwarder. With a background, routes are written
  // and read there while others are made ready or looked at. kKernel, kExhausted, and what registering with a table
  // answers; nothing is left behind then.
  static Result<std::unique_ptr<Forwarder>> start(kernel::Port& port, std::vector<Binding> tables, Settings settings,
                                                  const Clock& clock, std::function<void()> wake,
                                                  Background* background = nullptr);
  ~Forwarder() override;

  // True: there is more to do at once.
  bool step();
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;
  [[nodiscard]] int descriptor() const { return monitor_->descriptor(); }

  // Every client has told its routes: what is left of a former life goes now.
  void all_claimed();
  // Compares everything with the kernel with the next step.
  void audit_now() { wants_resync_ = true; }

  // A routing daemon's feed (fpm.h), stepped with the rest. kAlreadyExists: there is one. kNotFound: there is none.
  Result<void> start_fpm(std::unique_ptr<kernel::FpmFeed> feed, const FpmSettings& settings);
  Result<void> stop_fpm();
  [[nodiscard]] Fpm* fpm() const { return fpm_.get(); }

  // Once; then it is dead. Takes our routes and next hops out of the kernel, or leaves them.
  void stop(bool remove_routes);

  struct Status {
    Unicast::Status ipv4, ipv6;
    NextHops::Counts next_hops;
    std::uint64_t imported = 0;
    std::uint64_t losses = 0;   // the monitor's: each is followed by a resync
    std::uint64_t resyncs = 0;  // also for other reasons
    bool sweeping_done = false;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Status status() const;
  // kIdle for what is no destination of a table that is forwarded.
  [[nodiscard]] Unicast::Explained explain(rtm::Handle dest) const;

 private:
  struct Table {
    std::unique_ptr<Unicast> unicast;
    std::unique_ptr<Importer> importer;  // null: nothing is imported
    TableSettings settings;
  };

  Forwarder(kernel::Port& port, Settings settings, const Clock& clock, Background* background)
      : port_(port), settings_(settings), clock_(clock), batches_(background), next_hops_(settings.protocol) {
    port_.read_ahead(background);
  }
  Result<void> open();
  Result<void> bind(const Binding& binding, const std::function<void()>& wake);
  void prepare_namespace();
  void read_monitor();
  void resync();
  bool resync_links();
  bool resync_next_hops();
  bool resync_routes();
  void run_sweep();
  void set_link(InterfaceIndex link, bool is_up);
  void next_hops_changed();
  void look_for_survivors();
  void write_next_hops();
  [[nodiscard]] bool is_our_own(const kernel::Notice& notice) const {
    return notice.writer != 0 && (notice.writer == writer_->identity() || batches_.has_written(notice.writer));
  }

  void on_link(const kernel::Notice& notice, const kernel::Link& link) override;
  void on_address(const kernel::Notice& notice, const kernel::InterfaceAddress& address) override;
  void on_route(const kernel::Notice& notice, const kernel::Route& route) override;
  void on_next_hop(const kernel::Notice& notice, const kernel::NextHop& next_hop) override;
  void on_loss(kernel::Loss why) override;

  kernel::Port& port_;
  const Settings settings_;
  const Clock& clock_;
  std::unique_ptr<kernel::Writer> writer_;
  Batches batches_;
  std::unique_ptr<kernel::Monitor> monitor_;
  NextHops next_hops_;
  std::vector<Table> tables_;
  std::unique_ptr<Fpm> fpm_;
  std::vector<std::pair<Unicast*, rtm::Handle>> fpm_owners_;  // that count as foreign because of it
  std::map<InterfaceIndex, bool> links_;                      // whether it is up
  std::set<InterfaceIndex> lost_links_;                       // that took next hops with them, and are down still
  NextHopObjects foreign_;
  bool objects_changed_ = false;
  bool doubts_objects_ = false;
  bool more_to_hear_ = true;
  bool wants_resync_ = false;
  std::optional<MonotonicTime> resync_not_before_, audit_at_, sweep_at_, import_at_, retry_at_;
  Backoff backoff_;
  bool sweeps_objects_ = false;
  std::uint64_t losses_ = 0, resyncs_ = 0;
};

}  // namespace turnpike::forwarder
