// An adapter that costs nothing itself: it swallows what is sent, as much as it has room for.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "ndis/port.h"

namespace turnpike::ndis::testing {

// One adapter, which swallows what is sent, as much as it has room for.
class Swallow final : public AdapterSource {
 public:
  Swallow() {
    facts_.index = net::InterfaceIndex(7);
    facts_.name = "swallow";
    facts_.mac = net::MacAddress({2, 0, 0, 0, 0, 7});
    facts_.link = {.admin_up = true, .carrier = true, .oper = OperStatus::kUp, .duplex = Duplex::kFull};
  }
  Result<void> start(AdapterListener& listener) noexcept override {
    listener.adapter_event({AdapterEvent::Kind::kListing, {}});
    listener.adapter_event({AdapterEvent::Kind::kSeen, facts_});
    listener.adapter_event({AdapterEvent::Kind::kListed, {}});
    return {};
  }
  void stop() noexcept override {}
  Result<std::unique_ptr<Adapter>> open(net::InterfaceIndex, FrameSink& its_sink) noexcept override {
    sink = &its_sink;
    return std::make_unique<Opened>(*this);
  }

  FrameSink* sink = nullptr;
  std::atomic<bool> full{false};
  std::function<void()> on_close = [] {};  // while the open adapter ends

 private:
  class Opened final : public Adapter {
   public:
    explicit Opened(Swallow& world) : world_(world) {}
    ~Opened() override { world_.on_close(); }
    const BackendFacts& facts() const noexcept override {
      static constexpr BackendFacts kFacts{};
      return kFacts;
    }
    Result<void> receive(const Reception&) noexcept override { return {}; }
    SendAnswer send(std::span<const OutFrame> frames) noexcept override {
      if (world_.full) {
        return {.taken = 0, .error = Error{ErrorKind::kBusy, 0, "no room"}};
      }
      return {.taken = frames.size(), .error = {}};
    }
    Result<AdapterStatistics> statistics() noexcept override { return AdapterStatistics{}; }
    AdapterLosses losses() const noexcept override { return {}; }
    Result<void> reset() noexcept override { return {}; }

   private:
    Swallow& world_;
  };
  AdapterFacts facts_;
};

}  // namespace turnpike::ndis::testing
