// The daemon: configuration, router, forwarder, control socket and service manager, wired to one loop.
//
//   turnpike.toml ─▶ Configuration ─▶ plan_of ─▶ Router ─▶ modules ─▶ routing table ─▶ forwarder ─▶ kernel
//                                                  ▲
//   signals ─▶ loop ────────── step ───────────────┘ ◀── LoopQueue ◀── control socket's thread ◀── turnpike(1)
//
// The loop's thread alone touches the router and the model. The control socket's thread reads the routing table itself,
// which is made for any number of threads, and leaves everything else to the loop.
//
// A reload reads the file, finds everything wrong with it, tries the plan, and only then is it the configuration: a
// broken file, or one that a module refuses, leaves the running router as it was.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "admin/server/control_server.h"
#include "base/descriptor.h"
#include "configuration.h"
#include "kernel/port.h"
#include "loop_queue.h"
#include "router/quarantine.h"
#include "router/router.h"
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
  bool start();
  void watch_for_crashes(const std::string& folder);
  bool start_forwarder(const config::ForwarderSettings& settings);
  // Of a reload: what of [multicast] has to be so before the plan is; a reason why it cannot be.
  static std::optional<std::string> prepare_multicast(const config::MulticastSettings& from,
                                                      const config::MulticastSettings& to);
  bool open_control();
  void loop();
  void turn();
  [[nodiscard]] int wait_limit() const;
  void read_signals();
  void stop();
  void tell_streams();

  // What a reload did: {changes: […]}, or {error}.
  Value reload();
  Value check() const;
  // Nothing: it took effect; else what was refused, and nothing has changed.
  std::optional<std::string> take(Configuration next);

  // Of the control socket's thread.
  admin::Reply answer(const admin::Request& request);
  Value ask_loop(std::function<Value()> work);

  // Of the loop's.
  Value show_interfaces(const std::string& name) const;
  Value show_protocols(const std::string& name) const;
  // With its settings, and what it says of itself.
  Value show_protocol(Value shown, const std::string& name) const;
  Value show_status() const;

  const std::string path_;
  const Service service_;
  Configuration configuration_;
  Descriptor signals_;
  LoopQueue queue_;
  std::unique_ptr<kernel::Port> kernel_;
  std::unique_ptr<TableReader> table_;
  std::optional<router::Quarantine> quarantine_;
  std::unique_ptr<router::Router> router_;
  std::unique_ptr<admin::ControlServer> control_;
  MonotonicTime started_at_{};
  bool is_watched_ = false;  // somebody monitors, or is about to
  bool has_stream_ = false;
  bool is_stopping_ = false;
};

}  // namespace turnpike::daemon
