// The daemon: configuration, router, forwarder, control socket and service manager, wired to one loop.
//
//   turnpike.toml ─▶ Configuration ─▶ plan_of ─▶ Router ─▶ modules ─▶ routing table ─▶ forwarder ─▶ kernel
//                                           ▲
//   signals ─▶ main thread ── wishes ──▶ RouterThread ◀── wishes ── control socket's thread ◀── turnpike(1)
//
// Four kinds of threads. The main one hears signals and tells the service manager that all is well; it waits for
// nobody. The router's own is the one that is inside of modules. The control socket's answers: from the routing table,
// which is made for any number of threads, and for the rest it asks the router's and gives up when that is stuck in a
// module. And the library and the modules have theirs. So a module that hangs is named, and keeps nobody from looking.
//
// A reload reads the file, finds everything wrong with it, tries the plan, and only then is it the configuration: a
// broken file, or one that a module refuses, leaves the running router as it was.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "admin/server/control_server.h"
#include "base/descriptor.h"
#include "configuration.h"
#include "kernel/port.h"
#include "router/quarantine.h"
#include "router/router_thread.h"
#include "service.h"
#include "table_reader.h"

namespace turnpike::daemon {

class Daemon {
 public:
  // `path`: the configuration file.
  Daemon(std::string path, Service service);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  // Until it is told to stop: the program's exit status.
  int run();

 private:
  // Shared: answers are made of one while a reload puts another in its place.
  using SharedConfiguration = std::shared_ptr<const Configuration>;

  bool start();
  bool start_router(const config::Model& model);
  void watch_for_crashes(const std::string& folder);
  // Of a reload: what of [multicast] has to be so before the plan is; a reason why it cannot be.
  static std::optional<std::string> prepare_multicast(const config::MulticastSettings& from,
                                                      const config::MulticastSettings& to);
  bool open_control();
  void turn();
  [[nodiscard]] int wait_limit() const;
  void stay_alive();
  void wake() const;
  void read_signals();
  int stop();
  void tell_streams();

  // --- on the router's thread ---
  // What a reload did: {changes: […]}, or {error}.
  Value reload(router::Router& router);
  // Nothing: it took effect; else what was refused, and nothing has changed.
  std::optional<std::string> take(router::Router& router, Configuration next);
  Value forgive(router::Router& router, const std::string& name);

  // --- on the control socket's ---
  admin::Reply answer(const admin::Request& request);
  static admin::Reply one(Value value);
  Value ask_router(Duration limit, std::function<Value(router::Router&)> question) const;
  [[nodiscard]] std::string no_answer() const;
  admin::Reply show_routes(std::span<const std::string> words) const;
  admin::Reply monitor();
  Value check() const;
  Value show_protocols(const std::string& name) const;
  // With its settings, and what it says of itself.
  Value show_protocol(Value shown, const std::string& name) const;
  Value show_status() const;

  [[nodiscard]] SharedConfiguration configuration() const;

  const std::string path_;
  const Service service_;
  mutable std::mutex configuration_mutex_;
  SharedConfiguration configuration_;
  Descriptor signals_;
  Descriptor wake_;
  std::unique_ptr<kernel::Port> kernel_;
  std::unique_ptr<TableReader> table_;
  std::optional<router::Quarantine> quarantine_;
  std::unique_ptr<router::RouterThread> router_;
  std::unique_ptr<admin::ControlServer> control_;
  MonotonicTime started_at_{};
  MonotonicTime alive_at_{};             // when the service manager was told
  std::mutex watched_mutex_;             // the two below change under it
  std::atomic<bool> is_watched_{false};  // somebody monitors, or is about to
  bool has_stream_ = false;
  bool is_stopping_ = false;
};

}  // namespace turnpike::daemon
