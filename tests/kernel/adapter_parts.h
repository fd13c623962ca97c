// What the tests of real adapters listen with.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "ground/ground.h"
#include "kernel/adapters/adapters_port.h"

namespace turnpike::kernel {

using Octets = std::vector<std::uint8_t>;

inline Octets octets(std::span<const std::byte> from) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(from.data());
  return {begin, begin + from.size()};
}

// Waits, on any thread, for what another thread brings about.
class Awaiting {
 public:
  template <class Work>
  auto with(Work&& work) const {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    return work();
  }
  [[nodiscard]] bool await(const std::function<bool()>& there, ground::milliseconds within = ground::kSoon) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, there);
  }
  // For what nobody says when it comes about, and so is looked at again and again.
  [[nodiscard]] bool eventually(const std::function<bool()>& there) const {
    const auto end = std::chrono::steady_clock::now() + ground::kSoon;
    while (!with(there)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
};

struct Received {
  Octets bytes;
  ndis::VlanTag vlan;
  ndis::Direction direction;
  bool checksum_good;
  WallTime when;
};

// Of one type only, so that the chatter of a host does not count.
class Frames final : public ndis::FrameSink, public Awaiting {
 public:
  explicit Frames(std::uint16_t type = 0x88b5) : type_(type) {}

  void received(std::span<const ndis::InFrame> batch) noexcept override {
    with([&] {
      ++batches;
      for (const ndis::InFrame& each : batch) {
        Octets bytes = octets(each.bytes);
        if (type_ != 0 && (bytes.size() < 14 || (bytes[12] << 8 | bytes[13]) != type_)) continue;
        all.push_back({std::move(bytes), each.vlan, each.direction, each.checksum_good, each.received});
      }
    });
  }
  void room() noexcept override {
    with([&] { ++rooms; });
  }
  void broken(const Error&) noexcept override {
    with([&] { ++breaks; });
  }

  [[nodiscard]] bool await_count(std::size_t count) const {
    return await([&] { return all.size() >= count; });
  }
  [[nodiscard]] std::size_t count() const {
    return with([&] { return all.size(); });
  }

  std::vector<Received> all;
  int batches = 0;
  int rooms = 0;
  int breaks = 0;

 private:
  std::uint16_t type_;
};

class Events final : public ndis::AdapterListener, public Awaiting {
 public:
  void adapter_event(const ndis::AdapterEvent& event) noexcept override {
    with([&] { all.push_back(event); });
  }
  // The newest that is told of the interface; more may be told meanwhile.
  [[nodiscard]] std::optional<ndis::AdapterFacts> facts(const std::string& name) const {
    return with([&] { return newest(name); });
  }
  [[nodiscard]] bool await_facts(const std::string& name,
                                 const std::function<bool(const ndis::AdapterFacts&)>& right) const {
    return await([&] {
      const auto found = newest(name);
      return found && right(*found);
    });
  }
  [[nodiscard]] bool await_gone(net::InterfaceIndex index) const {
    return await([&] {
      return std::ranges::any_of(all, [index](const ndis::AdapterEvent& each) {
        return each.kind == ndis::AdapterEvent::Kind::kGone && each.facts.index == index;
      });
    });
  }
  [[nodiscard]] bool await_listed(int times = 1) const {
    return await(
        [&] { return std::ranges::count(all, ndis::AdapterEvent::Kind::kListed, &ndis::AdapterEvent::kind) >= times; });
  }

  std::vector<ndis::AdapterEvent> all;

 private:
  [[nodiscard]] std::optional<ndis::AdapterFacts> newest(const std::string& name) const {
    std::optional<ndis::AdapterFacts> found;
    for (const ndis::AdapterEvent& each : all) {
      if (each.kind == ndis::AdapterEvent::Kind::kSeen && each.facts.name == name) found = each.facts;
    }
    return found;
  }
};

}  // namespace turnpike::kernel
