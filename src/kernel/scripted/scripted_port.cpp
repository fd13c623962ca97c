#include "kernel/scripted/scripted_port.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/descriptor.h"
#include "kernel/codec.h"
#include "kernel/settings.h"

namespace turnpike::kernel {
namespace {

constexpr std::size_t kMostNotes = 1024;
constexpr std::size_t kPiece = 64;           // objects that a dump gives between two looks at the world
constexpr std::size_t kBytesOfEvent = 1024;  // of a monitor's buffer
constexpr std::size_t kMostLeftOut = 16;

// An object as its holder's readers want it.
Route view_of(const RouteCopy& copy) { return copy.view(); }
NextHop view_of(const NextHopCopy& copy) { return copy.view(); }
template <class T>
const T& view_of(const T& object) {
  return object;
}

bool is_about(const Topics& topics, const KernelModel::Object& object) {
  struct {
    const Topics& topics;
    bool operator()(const Link&) const { return topics.links; }
    bool operator()(const InterfaceAddress&) const { return topics.addresses; }
    bool operator()(const RouteCopy& route) const {
      return route.view().destination.family() == Family::kIpv4 ? topics.ipv4_routes : topics.ipv6_routes;
    }
    bool operator()(const NextHopCopy&) const { return topics.next_hops; }
    bool operator()(const Neighbour&) const { return topics.neighbours; }
    bool operator()(const Rule&) const { return topics.rules; }
  } const asked{topics};
  return std::visit(asked, object);
}

void hear(Listener& listener, const Notice& notice, const KernelModel::Object& object) {
  struct {
    Listener& listener;
    const Notice& notice;
    void operator()(const Link& link) const { listener.on_link(notice, link); }
    void operator()(const InterfaceAddress& address) const { listener.on_address(notice, address); }
    void operator()(const RouteCopy& route) const { listener.on_route(notice, route.view()); }
    void operator()(const NextHopCopy& next_hop) const { listener.on_next_hop(notice, next_hop.view()); }
    void operator()(const Neighbour& neighbour) const { listener.on_neighbour(notice, neighbour); }
    void operator()(const Rule& rule) const { listener.on_rule(notice, rule); }
  } const told{listener, notice};
  std::visit(told, object);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Writing

class ScriptedPort::ScriptedWriter final : public Writer {
 public:
  ScriptedWriter(ScriptedPort& port, Identity identity) : port_(port), identity_(identity) {}

  bool put(Change change, const Route& route, Cookie cookie) override {
    return note(cookie, change, RouteCopy(route), route);
  }
  bool put(Change change, const NextHop& next_hop, Cookie cookie) override {
    return note(cookie, change, NextHopCopy(next_hop), next_hop);
  }
  bool put(Change change, const InterfaceAddress& address, Cookie cookie) override {
    return note(cookie, change, address, address);
  }
  bool put(Change change, const Neighbour& neighbour, Cookie cookie) override {
    return note(cookie, change, neighbour, neighbour);
  }
  bool put(Change change, const Rule& rule, Cookie cookie) override { return note(cookie, change, rule, rule); }
  bool put(const LinkChange& change, Cookie cookie) override {
    if (notes_.size() == kMostNotes) return false;
    MessageBuilder out(scratch_);
    const auto encoded = encode(out, 1, change);
    notes_.push_back({cookie, Change::kReplace, change, encoded ? nullptr : encoded.error().what});
    return true;
  }

  Report submit() override;
  [[nodiscard]] std::size_t noted() const override { return notes_.size(); }
  [[nodiscard]] Identity identity() const override { return identity_; }

 private:
  using Object = std::variant<RouteCopy, NextHopCopy, InterfaceAddress, Neighbour, Rule, LinkChange>;
  struct Note {
    Cookie cookie;
    Change change;
    Object object;
    const char* fault;  // why it can never be written, as the codec sees it
  };

  template <class Kept, class T>
  bool note(Cookie cookie, Change change, const Kept& kept, const T& object) {
    if (notes_.size() == kMostNotes) return false;
    MessageBuilder out(scratch_);
    const auto encoded = encode(out, 1, change, object);
    notes_.push_back({cookie, change, kept, encoded ? nullptr : encoded.error().what});
    return true;
  }

  KernelModel::Outcome make(const Note& note);
  KernelModel::Outcome make_judged(const Note& note);

  ScriptedPort& port_;
  Identity identity_;
  std::array<std::uint8_t, 65536> scratch_{};
  std::vector<Note> notes_;
  std::vector<Refusal> refused_;
};

KernelModel::Outcome ScriptedPort::ScriptedWriter::make(const Note& note) {
  return std::visit(
      [&](const auto& object) {
        if constexpr (std::is_same_v<std::decay_t<decltype(object)>, LinkChange>)
          return port_.model_.change(identity_, object);
        else
          return port_.model_.change(identity_, note.change, view_of(object));
      },
      note.object);
}

KernelModel::Outcome ScriptedPort::ScriptedWriter::make_judged(const Note& note) {
  Attempt attempt;
  attempt.number = port_.next_attempt_++;
  attempt.change = note.change;
  std::optional<Route> route;
  std::optional<NextHop> next_hop;
  if (const auto* const copy = std::get_if<RouteCopy>(&note.object)) attempt.route = &route.emplace(copy->view());
  if (const auto* const copy = std::get_if<NextHopCopy>(&note.object))
    attempt.next_hop = &next_hop.emplace(copy->view());
  const Verdict verdict = port_.judge_ ? port_.judge_(attempt) : Verdict{};
  KernelModel::Outcome outcome;
  if (verdict.is_made) outcome = note.fault != nullptr ? KernelModel::Outcome{EINVAL, note.fault} : make(note);
  if (verdict.answer) outcome = {*verdict.answer, *verdict.answer != 0 ? "as the script has it" : ""};
  return outcome;
}

Report ScriptedPort::ScriptedWriter::submit() {
  std::function<void()> hook;
  {
    const std::lock_guard lock(port_.mutex_);
    hook = port_.before_submit_;
  }
  if (hook) hook();
  const std::lock_guard lock(port_.mutex_);
  refused_.clear();
  for (const Note& note : notes_) {
    const auto outcome = make_judged(note);
    if (outcome.error != 0) refused_.push_back({note.cookie, outcome.error, outcome.text});
  }
  const std::size_t count = notes_.size();
  notes_.clear();
  if (count == 0 || !std::exchange(port_.loses_answers_, false)) return {count, refused_, false};
  return {count, {}, true};
}

// ---------------------------------------------------------------------------------------------------------------------
// Hearing

class ScriptedPort::ScriptedMonitor final : public Monitor {
 public:
  ScriptedMonitor(ScriptedPort& port, const MonitorOptions& options)
      : port_(port),
        topics_(options.topics),
        room_(std::max<std::size_t>(options.receive_buffer / kBytesOfEvent, 1)),
        readable_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~ScriptedMonitor() override {
    const std::lock_guard lock(port_.mutex_);
    std::erase(port_.monitors_, this);
  }

  [[nodiscard]] int descriptor() const override { return readable_.number(); }

  Result<std::size_t> read(Listener& listener, std::size_t most) override {
    std::size_t count = 0;
    while (count < most) {
      const auto next = take();
      if (!next) break;
      if (next->lost) {
        listener.on_loss(Loss::kOverrun);
        continue;
      }
      hear(listener, next->told->notice, next->told->object);
      ++count;
    }
    return count;
  }

  Result<void> leave_out(Identity writer) override {
    const std::lock_guard lock(port_.mutex_);
    if (std::ranges::find(left_out_, writer) != left_out_.end()) return {};
    if (left_out_.size() == kMostLeftOut) return fail(ErrorKind::kExhausted, "too many writers are left out");
    left_out_.push_back(writer);
    return {};
  }

  // The port's lock is held for both.
  void add(const Told& told) {
    if (!is_about(topics_, told.object)) return;
    if (told.notice.writer != 0 && std::ranges::find(left_out_, told.notice.writer) != left_out_.end()) return;
    if (is_full_) return;
    if (waiting_.size() == room_) return lose();
    waiting_.push_back(told);
    show();
  }
  // As the kernel does it: nothing more until all that waits has been read.
  void lose() {
    has_lost_ = true;
    is_full_ = !waiting_.empty();
    show();
  }

 private:
  struct Next {
    bool lost = false;
    std::optional<Told> told;
  };

  std::optional<Next> take() {
    const std::lock_guard lock(port_.mutex_);
    if (std::exchange(has_lost_, false)) {
      waiting_.clear();
      is_full_ = false;
      return Next{true, {}};
    }
    if (waiting_.empty()) {
      std::uint64_t ignored = 0;
      (void)!::read(readable_.number(), &ignored, sizeof ignored);  // nothing waits: no longer readable
      return std::nullopt;
    }
    Next next{false, std::move(waiting_.front())};
    waiting_.pop_front();
    is_full_ = is_full_ && !waiting_.empty();
    return next;
  }

  void show() {
    const std::uint64_t one = 1;
    (void)!::write(readable_.number(), &one, sizeof one);
  }

  ScriptedPort& port_;
  Topics topics_;
  std::size_t room_;
  Descriptor readable_;
  std::vector<Identity> left_out_;
  std::deque<Told> waiting_;
  bool has_lost_ = false;
  bool is_full_ = false;
};

void ScriptedPort::tell(const Notice& notice, const KernelModel::Object& object) {
  const Told told{notice, object};
  if (holds_) {
    held_.push_back(told);
    return;
  }
  for (ScriptedMonitor* const monitor : monitors_) monitor->add(told);
}

// ---------------------------------------------------------------------------------------------------------------------
// The script

ScriptedPort::ScriptedPort()
    : model_([this](const Notice& notice, const KernelModel::Object& object) { tell(notice, object); }),
      settings_{{std::string(kCompatMode), "1"}, {"net/ipv4/ip_forward", "0"}} {}

ScriptedPort::~ScriptedPort() = default;

void ScriptedPort::with_model(const std::function<void(KernelModel& model)>& work) {
  const std::lock_guard lock(mutex_);
  work(model_);
}

void ScriptedPort::set_judge(Judge judge) {
  const std::lock_guard lock(mutex_);
  judge_ = std::move(judge);
}

std::uint64_t ScriptedPort::next_attempt() const {
  const std::lock_guard lock(mutex_);
  return next_attempt_;
}

void ScriptedPort::before_submits(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  before_submit_ = std::move(hook);
}

void ScriptedPort::lose_next_answers() {
  const std::lock_guard lock(mutex_);
  loses_answers_ = true;
}

void ScriptedPort::hold_notifications() {
  const std::lock_guard lock(mutex_);
  holds_ = true;
}

void ScriptedPort::release_notifications(bool reversed) {
  const std::lock_guard lock(mutex_);
  holds_ = false;
  if (reversed) std::ranges::reverse(held_);
  for (const Told& told : std::exchange(held_, {})) tell(told.notice, told.object);
}

void ScriptedPort::overrun_monitors() {
  const std::lock_guard lock(mutex_);
  for (ScriptedMonitor* const monitor : monitors_) monitor->lose();
}

void ScriptedPort::disturb_dumps(unsigned attempts) {
  const std::lock_guard lock(mutex_);
  disturbed_attempts_ = attempts;
}

void ScriptedPort::fail_dumps(unsigned times, int error) {
  const std::lock_guard lock(mutex_);
  failing_dumps_ = times;
  dump_error_ = error;
}

void ScriptedPort::hide_from_dumps(std::function<bool(const Route&)> hidden) {
  const std::lock_guard lock(mutex_);
  hidden_ = std::move(hidden);
}

// ---------------------------------------------------------------------------------------------------------------------
// Port

Result<std::unique_ptr<Writer>> ScriptedPort::open_writer() {
  const std::lock_guard lock(mutex_);
  return std::make_unique<ScriptedWriter>(*this, next_identity_++);
}

Result<std::unique_ptr<Monitor>> ScriptedPort::open_monitor(const MonitorOptions& options) {
  auto made = std::make_unique<ScriptedMonitor>(*this, options);
  const std::lock_guard lock(mutex_);
  monitors_.push_back(made.get());
  return made;
}

bool ScriptedPort::take_disturbance() {
  const std::lock_guard lock(mutex_);
  if (disturbed_attempts_ == 0) return false;
  --disturbed_attempts_;
  return true;
}

// Gives all; false where the world has moved on meanwhile. `version` is the world's at the beginning, if it matters.
template <class Kept, class Give>
bool ScriptedPort::give_in_pieces(const std::vector<Kept>& all, std::optional<std::uint64_t> version,
                                  const Give& give) {
  bool undisturbed = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (version && i % kPiece == 0) {
      const std::lock_guard lock(mutex_);
      undisturbed = undisturbed && model_.version() == *version;
    }
    give(view_of(all[i]));
  }
  return undisturbed;
}

template <class T, class Kept>
Result<Dumped> ScriptedPort::dump(const Taker<T>& taker, bool notices_changes,
                                  const std::function<std::vector<Kept>(const KernelModel&)>& collect) {
  for (unsigned attempt = 1;; ++attempt) {
    std::vector<Kept> all;
    std::optional<std::uint64_t> version;
    {
      const std::lock_guard lock(mutex_);
      if (failing_dumps_ > 0) {
        --failing_dumps_;
        return fail_errno(dump_error_, "the kernel refused a dump");
      }
      all = collect(model_);
      if (notices_changes) version = model_.version();
    }
    if (taker.begin) taker.begin();
    const bool whole = give_in_pieces(all, version, [&](const T& one) {
      if (taker.take) taker.take(one);
    });
    const bool disturbed = take_disturbance() || !whole;
    if (!disturbed || attempt == kMostAttempts) return Dumped{attempt, !disturbed};
  }
}

Result<Dumped> ScriptedPort::dump_links(const Taker<Link>& taker) {
  return dump<Link, Link>(taker, true, [](const KernelModel& model) { return model.links(); });
}
Result<Dumped> ScriptedPort::dump_addresses(const Taker<InterfaceAddress>& taker) {
  return dump<InterfaceAddress, InterfaceAddress>(taker, true,
                                                  [](const KernelModel& model) { return model.addresses(); });
}
Result<Dumped> ScriptedPort::dump_neighbours(const Taker<Neighbour>& taker) {
  return dump<Neighbour, Neighbour>(taker, false, [](const KernelModel& model) { return model.neighbours(); });
}
Result<Dumped> ScriptedPort::dump_rules(const Taker<Rule>& taker) {
  return dump<Rule, Rule>(taker, true, [](const KernelModel& model) { return model.rules(); });
}

Result<Dumped> ScriptedPort::dump_routes(const RouteFilter& filter, const Taker<Route>& taker) {
  return dump<Route, RouteCopy>(taker, false, [&](const KernelModel& model) {
    auto all = model.routes();
    std::erase_if(all, [&](const RouteCopy& copy) {
      const Route route = copy.view();
      return !passes(filter, route) || (hidden_ && hidden_(route));
    });
    return all;
  });
}

Result<Dumped> ScriptedPort::dump_next_hops(const NextHopFilter& filter, const Taker<NextHop>& taker) {
  return dump<NextHop, NextHopCopy>(taker, true, [&](const KernelModel& model) {
    auto all = model.next_hops();
    std::erase_if(all, [&](const NextHopCopy& copy) { return !passes(filter, copy.view()); });
    return all;
  });
}

Result<std::string> ScriptedPort::read_setting(std::string_view name) {
  if (!is_setting_name(name)) return fail(ErrorKind::kInvalidArgument, "that names no setting of the network");
  const std::lock_guard lock(mutex_);
  const auto found = settings_.find(name);
  if (found == settings_.end()) return fail(ErrorKind::kNotFound, "this kernel has no such setting");
  return found->second;
}

Result<void> ScriptedPort::write_setting(std::string_view name, std::string_view value) {
  if (const auto there = read_setting(name); !there) return tl::unexpected(there.error());
  if (value != "0" && value != "1") return fail_errno(EINVAL, "a setting was refused");
  const std::lock_guard lock(mutex_);
  settings_[std::string(name)] = value;
  if (name == kCompatMode) model_.compat_mode = value == "1";
  return {};
}

Result<Capabilities> ScriptedPort::probe() {
  return Capabilities{"scripted", true, true, true, true, true, true, MonitorOptions{}.receive_buffer};
}

}  // namespace turnpike::kernel
