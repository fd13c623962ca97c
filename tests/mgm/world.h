// A small world around a manager: a forwarder and routes in memory, a clock that is turned, and clients that write down
// what they are told, one line each, all into one book: so a test compares texts and sees the order between clients.
#ifndef TURNPIKE_TESTS_MGM_WORLD_H
#define TURNPIKE_TESTS_MGM_WORLD_H

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "mgm/manager.h"
#include "mgm/memory_forwarder.h"
#include "net/text.h"

namespace turnpike::mgm::testing {

inline net::Address address(const std::string& text) {
  return text == "*" ? net::Address() : net::parse_address(text).value();
}
inline Flow flow(const std::string& source, const std::string& group) { return {address(group), address(source)}; }
inline InterfaceId on(std::uint32_t device, const std::string& next_hop = "*") {
  return {net::InterfaceIndex(device), address(next_hop)};
}

inline std::string text(const net::Address& address) {
  return address.is_unspecified() ? "*" : std::string(net::to_text(address).view());
}
inline std::string text(const Flow& flow) { return "(" + text(flow.source) + "," + text(flow.group) + ")"; }
inline std::string text(const InterfaceId& id) {
  return std::to_string(id.device.value()) + (id.next_hop.is_unspecified() ? "" : "/" + text(id.next_hop));
}

using Lines = std::vector<std::string>;

class Book {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  // What was written since it was asked last.
  Lines read() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  Lines lines_;
};

class RoutesInMemory final : public Routes {
 public:
  void set(const std::string& prefix, std::uint32_t device, const std::string& neighbour = "*") {
    const std::lock_guard lock(mutex_);
    const net::Prefix network = net::parse_prefix(prefix).value();
    routes_[network] = {net::InterfaceIndex(device), address(neighbour), 7, network};
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    routes_.clear();
  }
  void look_up(const net::Address& source, const Found& found) override {
    std::optional<Route> best;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [prefix, route] : routes_) {
        if (prefix.contains(source) && (!best || prefix.length() > best->network.length())) {
          best = route;
        }
      }
    }
    if (best) {
      found(*best, nullptr);
    }
  }

 private:
  std::mutex mutex_;
  std::map<net::Prefix, Route> routes_;
};

class SilentAlarm final : public Alarm {
 public:
  void deadline_moved(MonotonicTime) noexcept override {}
};

// Writes down what it is told, then does what the test wants there.
class Scribe : public Callbacks {
 public:
  Scribe(std::string name, Book& book) : name_(std::move(name)), book_(book) {}

  std::function<void()> on_any = [] {};
  std::function<void(Rpf&)> on_rpf = [](Rpf&) {};
  std::function<void(std::span<OutInterface>)> on_created = [](std::span<OutInterface>) {};
  std::uint32_t seconds = 0;  // what a prune by an entry stores; 0: nothing

  void rpf(const Flow& flow, std::span<const std::byte>, Rpf& rpf) override {
    write("rpf " + text(flow) + " " + text(rpf.incoming) + " " + text(rpf.upstream));
    on_rpf(rpf);
  }
  void created(const Flow& flow, const InterfaceId& incoming, std::span<OutInterface> out) override {
    std::string line = "created " + text(flow) + " " + text(incoming) + " ->";
    for (const OutInterface& each : out) {
      line += " " + text(each.id) + (each.has_igmp ? "i" : "") + (each.enabled ? "" : "-");
    }
    write(line);
    on_created(out);
  }
  void joined(const Flow& flow, bool by_member) override {
    write("join " + text(flow) + (by_member ? " member" : " entry"));
  }
  void pruned(const Flow& flow, const InterfaceId& interface, bool by_member, std::uint32_t& life) override {
    write("prune " + text(flow) + " " + text(interface) + (by_member ? " member" : " entry"));
    life = !by_member && seconds != 0 ? seconds : life;
  }
  void wrong_interface(const Flow& flow, const InterfaceId& interface, std::span<const std::byte>) override {
    write("wrong " + text(flow) + " " + text(interface));
  }
  void local_join(const Flow& flow, const InterfaceId& interface) override {
    write("local join " + text(flow) + " " + text(interface));
  }
  void local_leave(const Flow& flow, const InterfaceId& interface) override {
    write("local leave " + text(flow) + " " + text(interface));
  }
  void disable_igmp(const InterfaceId& interface) override { write("disable " + text(interface)); }
  void enable_igmp(const InterfaceId& interface) override { write("enable " + text(interface)); }

 private:
  void write(const std::string& line) {
    book_.write(name_ + ": " + line);
    on_any();
  }

  std::string name_;
  Book& book_;
};

inline constexpr std::uint32_t kIgmp = 10;

// A registered client with short names.
class Party {
 public:
  Party(Manager& manager, Book& book, const std::string& name, std::uint32_t protocol) : manager_(manager) {
    auto scribe = std::make_unique<Scribe>(name, book);
    scribe_ = scribe.get();
    handle_ = manager.register_client({{protocol, 0}, std::move(scribe), kAllCallbacks}).value();
  }

  operator Handle() const { return handle_; }  // NOLINT(google-explicit-constructor)
  Scribe* operator->() { return scribe_; }

  void take(const InterfaceId& id) { ASSERT_TRUE(manager_.take(handle_, id)); }
  void release(const InterfaceId& id) { ASSERT_TRUE(manager_.release(handle_, id)); }
  void add(const Flow& flow, std::uint32_t device, States states = kJoinState) {
    ASSERT_TRUE(manager_.add(handle_, flow, on(device), states));
  }
  void remove(const Flow& flow, std::uint32_t device, States states = kJoinState) {
    ASSERT_TRUE(manager_.remove(handle_, flow, on(device), states));
  }

 private:
  Manager& manager_;
  Scribe* scribe_ = nullptr;
  Handle handle_ = Handle::kNone;
};

class MgmWorld : public ::testing::Test {
 protected:
  MgmWorld() { make({}); }

  void make(const Config& config) {
    manager_.reset();
    manager_ = std::move(Manager::make(config, {forwarder_, routes_, clock_, alarm_}).value());
  }
  Party party(const std::string& name, std::uint32_t protocol) { return {*manager_, book_, name, protocol}; }

  bool packet(const Flow& flow, std::uint32_t device) {
    return forwarder_.packet(*manager_, flow, net::InterfaceIndex(device), {});
  }
  void pass(std::chrono::seconds time) {
    ASSERT_TRUE(clock_.advance(time));
    manager_->run_deadlines();
  }
  // What the forwarder has: "9 -> 7 10"; "none".
  std::string entry(const Flow& flow) const {
    const auto held = forwarder_.entry(flow);
    if (!held) {
      return "none";
    }
    std::string line = std::to_string(held->parent.value()) + " ->";
    for (const auto& device : held->out) {
      line += " " + std::to_string(device.value());
    }
    return line;
  }
  // What the manager says of it, in the same words.
  std::string shown(const Flow& flow) const {
    EntryImage image;
    if (!manager_->entry(flow, false, image)) {
      return "none";
    }
    std::string line = text(image.incoming) + " ->";
    for (const auto& out : image.out) {
      line += " " + text(out.id);
    }
    return line;
  }
  Lines groups(Handle client, bool all_sources = true) {
    Lines lines;
    const Handle enumeration = manager_->start_groups(client, all_sources).value();
    while (manager_->next_groups(enumeration, 3, [&](const Flow& each) { lines.push_back(text(each)); }).value()) {
    }
    EXPECT_TRUE(manager_->end_groups(enumeration));
    return lines;
  }

  Book book_;
  MemoryForwarder forwarder_;
  RoutesInMemory routes_;
  TestClock clock_;
  SilentAlarm alarm_;
  std::unique_ptr<Manager> manager_;
};

}  // namespace turnpike::mgm::testing

#endif
