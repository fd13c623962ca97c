#include "daemon.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <turnpike/forwarder.h>
#include <turnpike/log.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "kernel/real_port.h"
#include "logging.h"
#include "mib_reader.h"
#include "multicast.h"
#include "net/text.h"
#include "plan.h"
#include "router/crash_watch.h"

namespace turnpike::daemon {
namespace {

constexpr std::chrono::milliseconds kPatience(5000);  // that an administrator has with a module that hangs

Value error(std::string what) { return Value::Object{{"error", std::move(what)}}; }

Value list_of(const std::vector<std::string>& lines) {
  Value::List out;
  for (const std::string& line : lines) out.emplace_back(line);
  return out;
}

std::string text_of(const std::vector<router::Refusal>& refusals) {
  std::string out;
  for (const router::Refusal& refusal : refusals) {
    out += (out.empty() ? "" : "; ") + refusal.subject + ": " + refusal.reason;
    if (refusal.code != 0) out += " (error " + std::to_string(refusal.code) + ")";
  }
  return out;
}

std::string_view name_of(dim::ConnectionState state) {
  constexpr std::array<std::string_view, 4> kNames{"unreachable", "disconnected", "connecting", "connected"};
  return kNames[static_cast<std::size_t>(state)];
}

Value reasons_of(dim::Reasons reasons) {
  constexpr std::pair<dim::Reasons, std::string_view> kNames[] = {{dim::kOutOfResources, "out of resources"},
                                                                  {dim::kAdminDisabled, "disabled"},
                                                                  {dim::kConnectionFailure, "connection failed"},
                                                                  {dim::kServicePaused, "service paused"},
                                                                  {dim::kDialOutHours, "outside of the hours"},
                                                                  {dim::kNoMediaSense, "no carrier"},
                                                                  {dim::kNoDevice, "no device"}};
  Value::List out;
  for (const auto& [bit, name] : kNames) {
    if ((reasons & bit) != 0) out.emplace_back(name);
  }
  return out;
}

std::string_view name_of(dim::InterfaceType type) {
  constexpr std::array<std::string_view, 8> kNames{"client",   "home router", "demand-dial", "dedicated",
                                                   "internal", "loopback",    "tunnel",      "dial-out"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view name_of(dim::TransportId transport) {
  return transport == dim::TransportId::kIp ? "ip" : transport == dim::TransportId::kIpv6 ? "ipv6" : "other";
}

Value shown(const dim::Interface& interface) {
  Value::List transports;
  for (const auto& [transport, info] : interface.transports) transports.emplace_back(name_of(transport));
  Value::List addresses;
  if (interface.link) {
    for (const dim::LinkAddress& each : interface.link->addresses) {
      addresses.emplace_back(std::string(to_text(each.local).view()) + '/' + std::to_string(each.prefix_length));
    }
  }
  return Value::Object{{"name", interface.name},
                       {"index", interface.index.value()},
                       {"type", name_of(interface.type)},
                       {"enabled", interface.enabled},
                       {"state", name_of(interface.state)},
                       {"reasons", reasons_of(interface.reasons)},
                       {"transports", std::move(transports)},
                       {"addresses", std::move(addresses)}};
}

}  // namespace

Daemon::Daemon(std::string path, Service service) : path_(std::move(path)), service_(std::move(service)) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  if (!start()) return 1;
  service_.ready("running");
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "running", {"configuration", path_});
  loop();
  stop();
  return 0;
}

bool Daemon::start() {
  started_at_ = system_clock().now();
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&wanted, signal);
  ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  configuration_ = read_configuration(path_);
  if (!configuration_.model) {
    (void)std::fputs(configuration_.complaints.c_str(), stderr);
    return false;
  }
  set_log_level(configuration_.model->log.level);
  auto kernel = kernel::open_real_port();
  if (!kernel) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the kernel cannot be asked", {"reason", kernel.error().what});
    return false;
  }
  kernel_ = std::move(*kernel);
  table_ = std::make_unique<TableReader>();
  if (!start_forwarder(configuration_.model->forwarder)) return false;
  if (const auto why = start_multicast(configuration_.model->multicast)) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "multicast is not forwarded", {"reason", *why});
    return false;
  }
  watch_for_crashes(configuration_.model->router.state.data());
  router::Router::Surroundings around{*kernel_, system_clock()};
  around.quarantine = quarantine_ ? &*quarantine_ : nullptr;
  around.wake = [this] { queue_.wake(); };
  around.on_event = [this](const dim::Event& event, const std::string& name) {
    if (is_watched_) {
      control_->publish(Value::Object{{"event", dim::name_of(event.kind)}, {"interface", name}});
    }
  };
  router_ = std::make_unique<router::Router>(around);
  const router::Outcome outcome = router_->start(plan_of(*configuration_.model));
  if (!outcome.refusals.empty()) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "not everything could be started",
                 {"refused", text_of(outcome.refusals)});
  }
  return outcome.done && open_control();
}

// A crash names its module also where nothing can be noted.
void Daemon::watch_for_crashes(const std::string& folder) {
  const std::string record = folder + "/crashes";
  if (const auto installed = router::CrashWatch::install(record); installed) {
    quarantine_.emplace(record, system_clock());
    return;
  }
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "crashes of modules are not noted: the folder is not there, or not ours",
               {"folder", folder});
  static_cast<void>(router::CrashWatch::install(""));
}

bool Daemon::open_control() {
  const std::string path(configuration_.model->router.control.data());
  auto server = admin::ControlServer::open(path, [this](const admin::Request& request) { return answer(request); });
  if (!server) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "no control socket", {"path", path}, {"reason", server.error().what});
    return false;
  }
  control_ = std::move(*server);
  return true;
}

bool Daemon::start_forwarder(const config::ForwarderSettings& settings) {
  if (settings.enabled == 0) return true;
  const TP_FORWARDER_TABLE table{0, settings.table};
  TP_FORWARDER_OPTIONS options{};
  options.size = sizeof options;
  options.flags = settings.import_routes != 0 ? 0 : TP_FORWARDER_NO_IMPORT;
  options.attributes.metric = settings.metric;
  options.sweep_after_ms = settings.sweep_after_ms;
  options.audit_every_ms = settings.audit_every_ms;
  options.table_count = 1;
  options.tables = &table;
  std::array<char, 256> holder{};
  const std::uint32_t status = TpForwarderStart(&options, holder.data(), holder.size());
  if (status == 0) return true;
  TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the forwarder does not start", {"error", status},
               {"holder", holder.data()});
  return false;
}

void Daemon::loop() {
  while (!is_stopping_) turn();
}

int Daemon::wait_limit() const {
  std::optional<MonotonicTime> until = router_->deadline();
  if (const auto every = service_.watchdog()) {
    const MonotonicTime next = later(system_clock().now(), *every);
    until = until ? std::min(*until, next) : next;
  }
  if (!until) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - system_clock().now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

// Waits for something to do, and does it.
void Daemon::turn() {
  std::vector<pollfd> watched{{signals_.number(), POLLIN, 0}, {queue_.descriptor(), POLLIN, 0}};
  for (const int descriptor : router_->descriptors()) watched.push_back({descriptor, POLLIN, 0});
  if (is_watched_) {
    for (const int descriptor : table_->descriptors()) watched.push_back({descriptor, POLLIN, 0});
  }
  ::poll(watched.data(), watched.size(), wait_limit());
  service_.alive();
  if (watched[0].revents != 0) read_signals();
  if (watched[1].revents != 0) queue_.run();
  while (router_->step()) {
  }
  if (is_watched_) tell_streams();
}

void Daemon::tell_streams() {
  // The stream itself begins a moment after the word that there will be one.
  if (control_->has_streams()) {
    has_stream_ = true;
  } else if (has_stream_) {
    is_watched_ = has_stream_ = false;
  }
  for (const Value& change : table_->changes()) control_->publish(change);
}

void Daemon::read_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_.number(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGHUP) {
      is_stopping_ = true;
      continue;
    }
    const Value done = reload();
    if (const Value* refused = done.find("error")) {
      const auto* text = std::get_if<std::string>(&refused->held);
      TURNPIKE_LOG(LogLevel::kError, "turnpiked", "not reloaded, nothing has changed",
                   {"reason", text != nullptr ? *text : ""});
    }
  }
}

void Daemon::stop() {
  service_.stopping();
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "stopping");
  queue_.close();
  control_.reset();
  router_->stop();
  // Modules report that they have stopped; the router's own limit bounds how long it waits.
  while (!router_->is_idle()) {
    std::vector<pollfd> watched{{queue_.descriptor(), POLLIN, 0}};
    for (const int descriptor : router_->descriptors()) watched.push_back({descriptor, POLLIN, 0});
    ::poll(watched.data(), watched.size(), wait_limit());
    service_.alive();
    if (watched[0].revents != 0) queue_.run();
    while (router_->step()) {
    }
  }
  router_.reset();
  if (const auto why = stop_multicast()) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "multicast forwarding is left behind", {"reason", *why});
  }
  TpForwarderStop(1);
  table_.reset();
}

// --- reload ----------------------------------------------------------------------------------------------------------

// The kernel's forwarding can come and go while no multicast protocol runs. So it comes before the protocols that a
// plan brings, and goes after those that it takes away.
std::optional<std::string> Daemon::prepare_multicast(const config::MulticastSettings& from,
                                                     const config::MulticastSettings& to) {
  if (from == to || to.enabled == 0) return std::nullopt;
  if (from.enabled != 0) {
    if (const auto why = stop_multicast()) return "[multicast] does not change while " + *why;
  }
  auto why = start_multicast(to);
  if (why) start_multicast(from);
  return why;
}

std::optional<std::string> Daemon::take(Configuration next) {
  const config::Model& now = *configuration_.model;
  if (const auto why = prepare_multicast(now.multicast, next.model->multicast)) return why;
  const auto undo_multicast = [&] {
    if (now.multicast == next.model->multicast || next.model->multicast.enabled == 0) return;
    stop_multicast();
    start_multicast(now.multicast);
  };
  const bool forwarder_changes = !(now.forwarder == next.model->forwarder);
  if (forwarder_changes) {
    TpForwarderStop(0);  // its routes forward on, and the next one takes them over
    if (!start_forwarder(next.model->forwarder)) {
      start_forwarder(now.forwarder);
      undo_multicast();
      return "the forwarder does not start with the new settings";
    }
  }
  const router::Outcome outcome = router_->apply(plan_of(*next.model));
  if (!outcome.done) {
    if (forwarder_changes) {
      TpForwarderStop(0);
      start_forwarder(now.forwarder);
    }
    undo_multicast();
    return text_of(outcome.refusals);
  }
  if (now.multicast.enabled != 0 && next.model->multicast.enabled == 0) {
    if (const auto why = stop_multicast()) {
      TURNPIKE_LOG(LogLevel::kError, "turnpiked", "multicast is still forwarded", {"reason", *why});
    }
  }
  set_log_level(next.model->log.level);
  configuration_ = std::move(next);
  return std::nullopt;
}

Value Daemon::reload() {
  service_.reloading();
  Configuration next = read_configuration(path_);
  std::optional<std::string> refused;
  std::vector<std::string> changes;
  if (!next.model) {
    refused = next.complaints;
  } else {
    changes = config::differences(*configuration_.model, *next.model);
    if (!changes.empty()) refused = take(std::move(next));
  }
  service_.ready("running");
  if (refused) return error(*refused);
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "reloaded", {"changes", changes.size()});
  return Value::Object{{"result", changes.empty() ? "no changes" : "done"}, {"changes", list_of(changes)}};
}

Value Daemon::check() const {
  const Configuration next = read_configuration(path_);
  if (!next.model) return error(next.complaints);
  const auto changes = config::differences(*configuration_.model, *next.model);
  return Value::Object{{"result", changes.empty() ? "no changes" : "a reload would change this"},
                       {"changes", list_of(changes)}};
}

// --- answers ---------------------------------------------------------------------------------------------------------

Value Daemon::ask_loop(std::function<Value()> work) {
  if (auto value = queue_.ask(std::move(work), kPatience)) return std::move(*value);
  std::string who;
  for (const router::CallWatch::Running& call : router_->watch().running(std::chrono::seconds(1))) {
    who += (who.empty() ? ": it is inside of module " : ", ") + call.module + " (" + call.function + ")";
  }
  return error("the router does not answer" + who);
}

admin::Reply Daemon::answer(const admin::Request& request) {
  std::string words;
  for (std::size_t i = 0; i < request.words.size() && i < 2; ++i) words += (i == 0 ? "" : " ") + request.words[i];
  const std::string argument = request.words.size() > 2 ? request.words[2] : "";
  const auto one = [](Value value) { return admin::Reply{{std::move(value)}, false}; };
  if (words == "show route") {
    if (argument.empty()) return one(table_->routes(std::nullopt));
    const auto prefix = net::parse_prefix(argument, net::HostBits::kClear);
    if (prefix) return one(table_->routes(*prefix));
    const auto address = net::parse_address(argument);
    return one(address ? table_->routes(net::Prefix::host(*address)) : error("that is no prefix: " + argument));
  }
  if (words == "show entity") return one(table_->entities());
  if (words == "show multicast") {
    return one(ask_loop([this] { return multicast_entries(configuration_.model->protocols); }));
  }
  if (words == "show interface") return one(ask_loop([this, argument] { return show_interfaces(argument); }));
  if (words == "show protocol") return one(ask_loop([this, argument] { return show_protocols(argument); }));
  if (words == "show configuration") return one(ask_loop([this] { return config::describe(*configuration_.model); }));
  if (words == "show status") return one(ask_loop([this] { return show_status(); }));
  if (words == "reload") return one(ask_loop([this] { return reload(); }));
  if (words == "check") return one(ask_loop([this] { return check(); }));
  if (request.words.size() == 2 && request.words[0] == "explain") {
    const auto address = net::parse_address(request.words[1]);
    return one(address ? table_->explain(*address) : error("that is no address: " + request.words[1]));
  }
  if (words == "monitor") {
    Value begin = ask_loop([this] {
      table_->watch();
      is_watched_ = true;
      return Value(Value::Object{{"event", "watching"}});
    });
    const bool good = begin.find("error") == nullptr;
    return {{std::move(begin)}, good};
  }
  return one(error("the router knows no such command: " + words));
}

Value Daemon::show_interfaces(const std::string& name) const {
  Value::List out;
  for (const auto& [id, interface] : router_->interfaces().all()) {
    if (name.empty() || interface.name == name) out.push_back(shown(interface));
  }
  if (!name.empty() && out.empty()) return error("there is no interface " + name);
  return out;
}

Value Daemon::show_protocols(const std::string& name) const {
  Value::List out;
  for (const router::ModuleStatus& module : router_->modules()) {
    if (!name.empty() && module.name != name) continue;
    out.push_back(Value::Object{{"name", module.name},
                                {"state", router::name_of(module.state)},
                                {"transport", name_of(module.transport)},
                                {"number", module.protocol},
                                {"interfaces", static_cast<std::int64_t>(module.interfaces)},
                                {"library", module.path},
                                {"reason", module.reason}});
    if (!name.empty()) return show_protocol(std::move(out.back()), name);
  }
  if (!name.empty() && out.empty()) return error("there is no protocol " + name);
  return out;
}

Value Daemon::show_protocol(Value shown, const std::string& name) const {
  Value::Object out{{"protocol", std::move(shown)}};
  const Value configured = config::describe(*configuration_.model);
  const Value* settings = configured.find("protocol");
  settings = settings != nullptr ? settings->find(name) : nullptr;
  if (settings == nullptr) return out;
  out.push_back({"settings", *settings});
  const auto& protocols = configuration_.model->protocols;
  const auto known = std::ranges::find(protocols, name, &config::Protocol::name);
  if (known == protocols.end() || known->mib == nullptr) return out;
  MibReader mib(router_->answers(), *known->mib);
  if (known->mib->counts != nullptr) out.push_back({"counts", mib.counts()});
  if (known->mib->row != nullptr) out.push_back({"rows", mib.rows()});
  return out;
}

Value Daemon::show_status() const {
  TP_FORWARDER_STATUS forwarder{};
  forwarder.size = sizeof forwarder;
  TpForwarderStatus(&forwarder);
  const auto up = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - started_at_);
  return Value::Object{{"version", TURNPIKE_VERSION},
                       {"configuration", path_},
                       {"up_seconds", static_cast<std::int64_t>(up.count() / 1000)},
                       {"protocols", static_cast<std::int64_t>(router_->modules().size())},
                       {"interfaces", static_cast<std::int64_t>(router_->interfaces().all().size())},
                       {"routes", table_->size()},
                       {"forwarder", forwarder.running != 0 ? "running" : "not running: routes are in no kernel"},
                       {"installed", static_cast<std::int64_t>(forwarder.installed)},
                       {"pending", static_cast<std::int64_t>(forwarder.pending)},
                       {"failed", static_cast<std::int64_t>(forwarder.failed)},
                       {"imported", static_cast<std::int64_t>(forwarder.imported)},
                       {"repaired", static_cast<std::int64_t>(forwarder.repaired)},
                       {"multicast", multicast_text()}};
}

}  // namespace turnpike::daemon
