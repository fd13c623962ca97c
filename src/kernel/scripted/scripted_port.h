// ScriptedPort: a port to a kernel in memory (model.h) that behaves, unless told otherwise: it fails, delays, overruns,
// reorders and lies as a test wants it to, at the change that the test names. Without a script it passes the same
// conformance suite as the real port.
//
// Everything happens on the caller's thread, in the order of the calls; so a run can be repeated. All of it may be
// called from any thread. Writers and monitors are used while the port lives.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernel/port.h"
#include "kernel/scripted/model.h"

namespace turnpike::kernel {

class ScriptedPort final : public Port {
 public:
  ScriptedPort();
  ~ScriptedPort() override;

  // ---- the world, as somebody else changes it; told to the monitors

  // Calls `work` with the model, under the port's lock.
  void with_model(const std::function<void(KernelModel& model)>& work);

  // ---- the script

  // One change, as it is about to be made.
  struct Attempt {
    std::uint64_t number = 0;      // counted from 0 over all writers
    Change change = Change::kAdd;  // kReplace for a LinkChange
    const Route* route = nullptr;  // one of the two, or neither
    const NextHop* next_hop = nullptr;
  };
  struct Verdict {
    std::optional<int> answer;  // what is said in place of the truth: an errno, or 0 for "done"
    bool is_made = true;        // whether the change is tried at all
  };
  static constexpr Verdict refusing(int error) { return {error, false}; }
  static constexpr Verdict pretending() { return {0, false}; }                       // a lie: said, not done
  static constexpr Verdict making_but_refusing(int error) { return {error, true}; }  // a lie: done, not admitted
  using Judge = std::function<Verdict(const Attempt& attempt)>;

  // Is asked about every change, under the port's lock, until another is set; none: all behaves.
  void set_judge(Judge judge);
  // The number that the next attempt will have.
  [[nodiscard]] std::uint64_t next_attempt() const;

  // Is called by every submit before it makes its changes, on its thread, with no lock held: to wait, or to change the
  // world in between.
  void before_submits(std::function<void()> hook);

  // The next submit works, but its answers are lost.
  void lose_next_answers();

  // From now on monitors hear nothing; until what was held comes, as it was told or the last first.
  void hold_notifications();
  void release_notifications(bool reversed = false);

  // Every monitor has lost something, and will be told so before anything else.
  void overrun_monitors();

  // So many attempts to dump, from the next, are disturbed, as if by a change in their middle.
  void disturb_dumps(unsigned attempts);
  // So many dumps fail with that errno.
  void fail_dumps(unsigned times, int error);
  // A lie: dumps do not have the routes of which `hidden` says yes. None: the truth.
  void hide_from_dumps(std::function<bool(const Route&)> hidden);

  // ---- Port

  Result<std::unique_ptr<Writer>> open_writer() override;
  Result<std::unique_ptr<Monitor>> open_monitor(const MonitorOptions& options) override;
  Result<Dumped> dump_links(const Taker<Link>& taker) override;
  Result<Dumped> dump_addresses(const Taker<InterfaceAddress>& taker) override;
  Result<Dumped> dump_routes(const RouteFilter& filter, const Taker<Route>& taker) override;
  Result<Dumped> dump_next_hops(const NextHopFilter& filter, const Taker<NextHop>& taker) override;
  Result<Dumped> dump_neighbours(const Taker<Neighbour>& taker) override;
  Result<Dumped> dump_rules(const Taker<Rule>& taker) override;
  Result<std::string> read_setting(std::string_view name) override;
  Result<void> write_setting(std::string_view name, std::string_view value) override;
  Result<Capabilities> probe() override;

 private:
  class ScriptedWriter;
  class ScriptedMonitor;
  struct Told {
    Notice notice;
    KernelModel::Object object;
  };

  void tell(const Notice& notice, const KernelModel::Object& object);  // the lock is held
  bool take_disturbance();
  template <class T, class Kept>
  Result<Dumped> dump(const Taker<T>& taker, bool notices_changes,
                      const std::function<std::vector<Kept>(const KernelModel&)>& collect);
  template <class Kept, class Give>
  bool give_in_pieces(const std::vector<Kept>& all, std::optional<std::uint64_t> version, const Give& give);

  mutable std::mutex mutex_;
  KernelModel model_;
  std::map<std::string, std::string, std::less<>> settings_;
  std::vector<ScriptedMonitor*> monitors_;
  Identity next_identity_ = 1000;

  Judge judge_;
  std::uint64_t next_attempt_ = 0;
  std::function<void()> before_submit_;
  bool loses_answers_ = false;
  bool holds_ = false;
  std::deque<Told> held_;
  unsigned disturbed_attempts_ = 0;
  unsigned failing_dumps_ = 0;
  int dump_error_ = 0;
  std::function<bool(const Route&)> hidden_;
};

}  // namespace turnpike::kernel
