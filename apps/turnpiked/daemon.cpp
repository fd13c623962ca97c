#include "daemon.h"

#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <turnpike/forwarder.h>
#include <turnpike/log.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "forwarding.h"
#include "kernel/real_port.h"
#include "logging.h"
#include "mib_reader.h"
#include "multicast.h"
#include "net/text.h"
#include "plan.h"
#include "router/crash_watch.h"
#include "show.h"

namespace turnpike::daemon {
namespace {

constexpr std::chrono::seconds kPatience(5);         // of an administrator, with what only looks
constexpr std::chrono::seconds kReloadPatience(60);  // and with what changes something
constexpr std::chrono::seconds kStartPatience(20);   // with modules that begin
constexpr std::chrono::seconds kStopPatience(10);    // with a call of a module when all is to end
constexpr std::chrono::seconds kStuck(60);           // longer than any work of our own takes

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

using Arguments = std::span<const std::string>;

std::string first_of(Arguments arguments) { return arguments.empty() ? "" : arguments[0]; }

void log_refusals(const router::Outcome& outcome) {
  if (outcome.refusals.empty()) return;
  TURNPIKE_LOG(LogLevel::kError, "turnpiked", "not everything could be started",
               {"refused", text_of(outcome.refusals)});
}

}  // namespace

Daemon::Daemon(std::string path, Service service)
    : path_(std::move(path)), service_(std::move(service)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Daemon::~Daemon() = default;

int Daemon::run() {
  if (!start()) return 1;
  service_.ready("running");
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "running", {"configuration", path_});
  while (!is_stopping_) turn();
  return stop();
}

bool Daemon::start() {
  started_at_ = system_clock().now();
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&wanted, signal);
  ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  signals_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  // Shared with answers that are made of it while a reload replaces it.
  configuration_ = std::make_shared<const Configuration>(read_configuration(path_));
  if (!configuration_->model) {
    (void)std::fputs(configuration_->complaints.c_str(), stderr);
    return false;
  }
  const config::Model& model = *configuration_->model;
  set_log_level(model.log.level);
  auto kernel = kernel::open_real_port();
  if (!kernel) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the kernel cannot be asked", {"reason", kernel.error().what});
    return false;
  }
  kernel_ = std::move(*kernel);
  table_ = std::make_unique<TableReader>();
  if (const auto why = start_forwarder(model.forwarder)) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the forwarder does not start", {"reason", *why});
    return false;
  }
  if (const auto why = start_multicast(model.multicast)) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "multicast is not forwarded", {"reason", *why});
    return false;
  }
  watch_for_crashes(model.router.state.data());
  return start_router(model) && open_control();
}

bool Daemon::start_router(const config::Model& model) {
  router::Router::Surroundings around{*kernel_, system_clock()};
  around.quarantine = quarantine_ ? &*quarantine_ : nullptr;
  around.on_event = [this](const dim::Event& event, const std::string& name) {
    if (is_watched_) {
      control_->publish(Value::Object{{"event", dim::name_of(event.kind)}, {"interface", name}});
    }
  };
  router_ = std::make_unique<router::RouterThread>(around);
  if (const auto runs = router_->run(); !runs) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the router has no thread", {"reason", runs.error().what});
    return false;
  }
  const auto done = router_->within(kStartPatience, [plan = plan_of(model)](router::Router& router) {
    const router::Outcome outcome = router.start(plan);
    log_refusals(outcome);
    return outcome.done;
  });
  if (!done) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "the start is not over, and goes on behind the scenes",
                 {"reason", no_answer()});
  }
  return done.value_or(true);
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
  const std::string path(configuration_->model->router.control.data());
  auto server = admin::ControlServer::open(path, [this](const admin::Request& request) { return answer(request); });
  if (!server) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "no control socket", {"path", path}, {"reason", server.error().what});
    return false;
  }
  control_ = std::move(*server);
  return true;
}

// --- the main thread: signals, the service manager, those who watch
// --------------------------------------------------

int Daemon::wait_limit() const {
  const auto every = service_.watchdog();
  if (!every) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(later(alive_at_, *every) - system_clock().now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, every->count()));
}

// The router's thread may be inside of a module that does not return: that is told (show protocol, the log), and no
// reason to begin anew. One that is stuck of itself is, and so the service manager hears no more of us.
void Daemon::stay_alive() {
  const auto every = service_.watchdog();
  const MonotonicTime now = system_clock().now();
  if (!every || (now >= alive_at_ && now < later(alive_at_, *every)) || router_->is_stuck(kStuck)) return;
  alive_at_ = now;
  service_.alive();
}

// Waits for something to do, and does it.
void Daemon::turn() {
  std::vector<pollfd> watched{{signals_.number(), POLLIN, 0}, {wake_.number(), POLLIN, 0}};
  for (const int descriptor : table_->descriptors()) watched.push_back({descriptor, POLLIN, 0});
  ::poll(watched.data(), watched.size(), wait_limit());
  stay_alive();
  if (watched[0].revents != 0) read_signals();
  if (watched[1].revents != 0) {
    std::uint64_t count = 0;
    static_cast<void>(::read(wake_.number(), &count, sizeof count) == sizeof count);
  }
  if (is_watched_) tell_streams();
}

void Daemon::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.number(), &one, sizeof one) == sizeof one);  // full is awake already
}

void Daemon::tell_streams() {
  {
    // The stream itself begins a moment after the word that there will be one.
    const std::lock_guard lock(watched_mutex_);
    if (control_->has_streams()) {
      has_stream_ = true;
    } else if (has_stream_) {
      is_watched_ = has_stream_ = false;
      table_->unwatch();
      return;
    }
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
    router_->post([this](router::Router& router) {
      const Value done = reload(router);
      if (const Value* refusal = done.find("error")) {
        const auto* text = std::get_if<std::string>(&refusal->held);
        TURNPIKE_LOG(LogLevel::kError, "turnpiked", "not reloaded, nothing has changed",
                     {"reason", text != nullptr ? *text : ""});
      }
    });
  }
}

int Daemon::stop() {
  service_.stopping();
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "stopping");
  control_.reset();
  // Modules report that they have stopped; the router's own limit bounds how long it waits.
  while (!router_->stop(std::chrono::milliseconds(500))) {
    stay_alive();
    if (router_->hanging(kStopPatience).empty()) continue;
    // Nobody can take it out of the module, and without the thread nothing can be taken apart.
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "ends although it cannot end", {"reason", no_answer()});
    TpForwarderStop(1);
    ::_exit(1);
  }
  router_.reset();
  if (const auto why = stop_multicast()) {
    TURNPIKE_LOG(LogLevel::kError, "turnpiked", "multicast forwarding is left behind", {"reason", *why});
  }
  TpForwarderStop(1);
  table_.reset();
  return 0;
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

std::optional<std::string> Daemon::take(router::Router& router, Configuration next) {
  const SharedConfiguration before = configuration();
  const config::Model& now = *before->model;
  if (const auto why = prepare_multicast(now.multicast, next.model->multicast)) return why;
  const auto undo_multicast = [&] {
    if (now.multicast == next.model->multicast || next.model->multicast.enabled == 0) return;
    stop_multicast();
    start_multicast(now.multicast);
  };
  ForwarderChange forwarding(*kernel_, now.forwarder, next.model->forwarder);
  if (auto why = forwarding.begin()) {
    undo_multicast();
    return why;
  }
  router::Plan plan = plan_of(*next.model);
  router.keep_stored(plan);
  const router::Outcome outcome = router.apply(plan);
  if (!outcome.done) {
    forwarding.undo();
    undo_multicast();
    return text_of(outcome.refusals);
  }
  forwarding.finish();
  if (now.multicast.enabled != 0 && next.model->multicast.enabled == 0) {
    if (const auto why = stop_multicast()) {
      TURNPIKE_LOG(LogLevel::kError, "turnpiked", "multicast is still forwarded", {"reason", *why});
    }
  }
  set_log_level(next.model->log.level);
  const std::lock_guard lock(configuration_mutex_);
  // Shared with answers that are made of it.
  configuration_ = std::make_shared<const Configuration>(std::move(next));
  return std::nullopt;
}

Value Daemon::reload(router::Router& router) {
  service_.reloading();
  Configuration next = read_configuration(path_);
  std::optional<std::string> refusal;
  std::vector<std::string> changes;
  if (!next.model) {
    refusal = next.complaints;
  } else {
    changes = config::differences(*configuration()->model, *next.model);
    if (!changes.empty()) refusal = take(router, std::move(next));
  }
  service_.ready("running");
  ::malloc_trim(0);  // the file and two models of it were there, and memory that is free would stay ours
  if (refusal) return refused(*refusal);
  TURNPIKE_LOG(LogLevel::kNotice, "turnpiked", "reloaded", {"changes", changes.size()});
  return Value::Object{{"result", changes.empty() ? "no changes" : "done"}, {"changes", list_of(changes)}};
}

Value Daemon::check() const {
  const Configuration next = read_configuration(path_);
  if (!next.model) return refused(next.complaints);
  const auto changes = config::differences(*configuration()->model, *next.model);
  return Value::Object{{"result", changes.empty() ? "no changes" : "a reload would change this"},
                       {"changes", list_of(changes)}};
}

Daemon::SharedConfiguration Daemon::configuration() const {
  const std::lock_guard lock(configuration_mutex_);
  return configuration_;
}

Value Daemon::forgive(router::Router& router, const std::string& name) {
  const auto known = configuration();
  const auto protocol = std::ranges::find(known->model->protocols, name, &config::Protocol::name);
  if (protocol == known->model->protocols.end()) return refused("there is no protocol " + name);
  if (quarantine_) {
    if (const auto forgiven = quarantine_->forgive(protocol->path); !forgiven) return refused(forgiven.error().what);
  }
  const router::Outcome outcome = router.retry(name);
  return outcome.done ? Value(Value::Object{{"result", "running"}}) : refused(text_of(outcome.refusals));
}

// --- answers, on the control socket's thread
// -------------------------------------------------------------------------

std::string Daemon::no_answer() const {
  std::string who;
  for (const router::CallWatch::Running& call : router_->hanging(router::RouterThread::kSuspect)) {
    who += (who.empty() ? ": it is inside of module " : ", ") + call.module + " (" + call.function + ", for " +
           seconds_of(call) + " s)";
  }
  return "the router does not answer" + who;
}

Value Daemon::ask_router(Duration limit, std::function<Value(router::Router&)> question) const {
  auto answer = router_->within(limit, std::move(question));
  return answer ? std::move(*answer) : refused(no_answer());
}

admin::Reply Daemon::answer(const admin::Request& request) {
  struct Known {
    std::string_view words;
    std::size_t most;  // arguments
    admin::Reply (*answer)(Daemon& daemon, Arguments arguments);
  };
  static constexpr Known kKnown[] = {
      {"show route", 3, [](Daemon& daemon, Arguments words) { return daemon.show_routes(words); }},
      {"show multicast", 0,
       [](Daemon& daemon, Arguments) { return one(multicast_entries(daemon.configuration()->model->protocols)); }},
      {"show entity", 0, [](Daemon& daemon, Arguments) { return one(daemon.table_->entities()); }},
      {"show interface", 1,
       [](Daemon& daemon, Arguments words) {
         return one(daemon.ask_router(
             kPatience, [name = first_of(words)](router::Router& router) { return shown(router.interfaces(), name); }));
       }},
      {"show protocol", 1, [](Daemon& daemon, Arguments words) { return one(daemon.show_protocols(first_of(words))); }},
      {"show configuration", 0,
       [](Daemon& daemon, Arguments) { return one(config::describe(*daemon.configuration()->model)); }},
      {"show status", 0, [](Daemon& daemon, Arguments) { return one(daemon.show_status()); }},
      {"explain", 1,
       [](Daemon& daemon, Arguments words) {
         const auto address = net::parse_address(first_of(words));
         return one(address ? daemon.table_->explain(*address) : refused("that is no address: " + first_of(words)));
       }},
      {"monitor", 0, [](Daemon& daemon, Arguments) { return daemon.monitor(); }},
      {"check", 0, [](Daemon& daemon, Arguments) { return one(daemon.check()); }},
      {"reload", 0,
       [](Daemon& daemon, Arguments) {
         return one(
             daemon.ask_router(kReloadPatience, [&daemon](router::Router& router) { return daemon.reload(router); }));
       }},
      {"forgive", 1,
       [](Daemon& daemon, Arguments words) {
         return one(daemon.ask_router(kReloadPatience, [&daemon, name = first_of(words)](router::Router& router) {
           return daemon.forgive(router, name);
         }));
       }},
  };
  std::string said;
  for (std::size_t i = 0; i < request.words.size() && i < 2; ++i) {
    said += (i == 0 ? "" : " ") + request.words[i];
    for (const Known& known : kKnown) {
      const Arguments arguments = Arguments(request.words).subspan(i + 1);
      if (known.words == said && arguments.size() <= known.most) return known.answer(*this, arguments);
    }
  }
  return one(refused("the router knows no such command: " + said));
}

admin::Reply Daemon::one(Value value) {
  admin::Reply reply;
  reply.parts.push_back(std::move(value));
  return reply;
}

// [PREFIX] [protocol NAME]
admin::Reply Daemon::show_routes(std::span<const std::string> words) const {
  RouteFilter filter;
  if (!words.empty() && words[0] != "protocol") {
    const auto prefix = net::parse_prefix(words[0], net::HostBits::kClear);
    const auto address = net::parse_address(words[0]);
    if (!prefix && !address) return one(refused("that is no prefix: " + words[0]));
    filter.within = prefix ? *prefix : net::Prefix::host(*address);
    words = words.subspan(1);
  }
  if (!words.empty()) {
    if (words.size() != 2 || words[0] != "protocol")
      return one(refused("the command is: show route [PREFIX] [protocol NAME]"));
    filter.protocol = protocol_called(words[1]);
    if (!filter.protocol) return one(refused("there is no protocol " + words[1]));
  }
  admin::Reply reply;
  reply.more = table_->walk(filter);
  return reply;
}

admin::Reply Daemon::monitor() {
  {
    const std::lock_guard lock(watched_mutex_);
    table_->watch();
    is_watched_ = true;
    has_stream_ = false;  // the last one may have left unseen, and is not to be taken for the end of this one
  }
  wake();
  admin::Reply reply = one(Value::Object{{"event", "watching"}});
  reply.is_stream = true;
  return reply;
}

// Also while the router is inside of a module: then as it was before.
Value Daemon::show_protocols(const std::string& name) const {
  auto modules = router_->within(kPatience, [](router::Router& router) { return router.modules(); });
  if (!modules) modules = router_->last_modules();
  Value::List list = shown(*modules, router_->hanging(router::RouterThread::kSuspect), name);
  if (name.empty()) return list;
  if (list.empty()) return refused("there is no protocol " + name);
  return show_protocol(std::move(list.front()), name);
}

Value Daemon::show_protocol(Value shown, const std::string& name) const {
  Value::Object out{{"protocol", std::move(shown)}};
  const SharedConfiguration known = configuration();
  const Value configured = config::describe(*known->model);
  const Value* settings = configured.find("protocol");
  settings = settings != nullptr ? settings->find(name) : nullptr;
  if (settings == nullptr) return out;
  out.push_back({"settings", *settings});
  const auto protocol = std::ranges::find(known->model->protocols, name, &config::Protocol::name);
  if (protocol == known->model->protocols.end() || protocol->mib == nullptr) return out;
  // On the router's thread, which may be stuck in a module without harm to others; it holds the libraries by `known`.
  const Value told = ask_router(kPatience, [known, mib = protocol->mib](router::Router& router) {
    MibReader reader(router.answers(), *mib);
    Value::Object said;
    if (mib->counts != nullptr) said.push_back({"counts", reader.counts()});
    if (mib->row != nullptr) said.push_back({"rows", reader.rows()});
    return Value(std::move(said));
  });
  for (const Member& each : std::get<Value::Object>(told.held)) out.push_back(each);
  return out;
}

Value Daemon::show_status() const {
  TP_FORWARDER_STATUS forwarder{};
  forwarder.size = sizeof forwarder;
  TpForwarderStatus(&forwarder);
  const auto up = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().now() - started_at_);
  const auto interfaces = router_->within(
      kPatience, [](router::Router& router) { return static_cast<std::int64_t>(router.interfaces().all().size()); });
  return Value::Object{{"version", TURNPIKE_VERSION},
                       {"configuration", path_},
                       {"up_seconds", static_cast<std::int64_t>(up.count() / 1000)},
                       {"router", interfaces ? "running" : no_answer()},
                       {"protocols", static_cast<std::int64_t>(router_->last_modules().size())},
                       {"interfaces", interfaces ? Value(*interfaces) : Value()},
                       {"routes", table_->size()},
                       {"forwarder", forwarder.running != 0 ? "running" : "not running: routes are in no kernel"},
                       {"installed", static_cast<std::int64_t>(forwarder.installed)},
                       {"pending", static_cast<std::int64_t>(forwarder.pending)},
                       {"failed", static_cast<std::int64_t>(forwarder.failed)},
                       {"imported", static_cast<std::int64_t>(forwarder.imported)},
                       {"unclaimed", static_cast<std::int64_t>(forwarder.unclaimed)},
                       {"repaired", static_cast<std::int64_t>(forwarder.repaired)},
                       {"multicast", multicast_text()}};
}

}  // namespace turnpike::daemon
