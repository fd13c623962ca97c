// Fpm: what a routing daemon sends (kernel/fpm_port.h) as routes of clients of the routing tables.
//
// The routes appear under entities with the protocol ids that owners.h says, as the kernel's do. Two ways to use it:
//
//   * The sender writes its routes to this machine's kernel itself: `table_only`. They are in the table, count as
//     installed there, and are never written.
//   * The sender has no kernel of its own, or another one: its routes are ours to write, like every client's. On
//     another machine, or in another network namespace, its interface numbers mean nothing: `gateways_only`.
//
// What is left out: routes that the sender has from its kernel (protocol 2). On this machine the importer has them, and
// ours may be among them: taken, they would keep themselves alive. Tables that are not bound, and our own number.
//
// A connection that ends takes nothing along: daemons are restarted. What it said is stale from then on, until the next
// says it again; after `sweep_after` without a connection, or of one, what is still stale is removed. Nobody says when
// all has been sent; who knows calls `all_sent`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "forwarder/config.h"
#include "forwarder/fpm_routes.h"
#include "forwarder/owners.h"
#include "kernel/fpm/fpm_port.h"
#include "rtm/table.h"

namespace turnpike::forwarder {

class Fpm final : private kernel::FpmListener {
 public:
  struct Place {
    rtm::Table* table = nullptr;
    TableSettings settings;
    Owners::Told owns;  // is told of the entities whose routes are not to be written
  };
  Fpm(std::unique_ptr<kernel::FpmFeed> feed, std::vector<Place> tables, std::uint8_t our_protocol, FpmSettings settings,
      const Clock& clock);

  // True: there is more to do at once.
  bool step();
  [[nodiscard]] std::optional<MonotonicTime> next_deadline() const;
  [[nodiscard]] int descriptor() const { return feed_->descriptor(); }

  // What has not been said by this connection is removed now. kNotFound: there is none.
  Result<void> all_sent();
  // Once; then it is dead. Its routes leave the tables.
  void stop();

  struct Status {
    kernel::FpmFeed::Counts feed;
    FpmRoutes::Counts routes;
    std::uint64_t ignored = 0;  // messages about routes that are left out
    std::size_t next_hops = 0;
  };
  [[nodiscard]] Status status() const;

 private:
  struct Table {
    TableSettings settings;
    std::unique_ptr<FpmRoutes> routes;
  };

  void on_open() override;
  void on_close() override;
  void on_route(bool gone, const kernel::Route& route) override;
  void on_next_hop(bool gone, const kernel::NextHop& next_hop) override;
  void tell_objects();
  void run_sweep();

  const std::unique_ptr<kernel::FpmFeed> feed_;
  const std::uint8_t our_protocol_;
  const FpmSettings settings_;
  const Clock& clock_;
  NextHopObjects objects_;  // of this life
  std::set<std::uint32_t> changed_;
  std::vector<Table> tables_;
  std::optional<MonotonicTime> sweep_at_;
  std::uint64_t ignored_ = 0;
};

}  // namespace turnpike::forwarder
