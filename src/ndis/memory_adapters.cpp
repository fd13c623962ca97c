#include "ndis/memory_adapters.h"

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>

namespace turnpike::ndis {
namespace {

constexpr LinkFacts kUp{.admin_up = true,
                        .carrier = true,
                        .oper = OperStatus::kUp,
                        .duplex = Duplex::kFull,
                        .speed = 1'000'000'000,
                        .max_speed = 10'000'000'000};

Failure no_adapter() { return fail(ErrorKind::kNotFound, "there is no such adapter"); }

FrameBytes on_the_wire(const OutFrame& frame) {
  FrameBytes bytes;
  bytes.reserve(std::max(frame.length, frame.pad_to) + 4);
  for (const std::span<const std::byte> piece : frame.pieces) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  bytes.resize(std::max(frame.length, frame.pad_to));
  if (frame.vlan.present() && bytes.size() >= 12) {
    const std::array<std::byte, 4> tag{std::byte(frame.vlan.protocol >> 8), std::byte(frame.vlan.protocol & 0xff),
                                       std::byte(frame.vlan.tci >> 8), std::byte(frame.vlan.tci & 0xff)};
    bytes.insert(bytes.begin() + 12, tag.begin(), tag.end());
  }
  return bytes;
}

}  // namespace

// All of it under mutex_.
struct MemoryAdapters::Device {
  AdapterFacts facts;
  AdapterStatistics statistics;
  std::deque<SentFrame> sent;
  int room = -1;
  Opened* opened = nullptr;
  Asked asked;
};

class MemoryAdapters::Opened final : public Adapter {
 public:
  Opened(MemoryAdapters& world, net::InterfaceIndex index, FrameSink& its_sink)
      : sink(its_sink), world_(world), index_(index) {}

  ~Opened() override {
    std::unique_lock lock(world_.mutex_);
    if (Device* const device = world_.find(index_); device != nullptr && device->opened == this) {
      device->opened = nullptr;
      device->asked = {};
    }
    world_.call_ended_.wait(lock, [this] { return calls == 0; });
  }

  const BackendFacts& facts() const noexcept override { return kFacts; }

  Result<void> receive(const Reception& wanted) noexcept override {
    const std::lock_guard lock(world_.mutex_);
    if (const auto error = world_.take_failure(Call::kReceive)) {
      return Failure(*error);
    }
    if (Device* device = world_.find(index_)) {
      device->asked = {.open = true,
                       .filter = wanted.filter,
                       .everything = wanted.everything,
                       .local_sends = wanted.local_sends,
                       .groups = {wanted.groups.begin(), wanted.groups.end()},
                       .frame_types = {wanted.frame_types.begin(), wanted.frame_types.end()}};
    }
    return {};
  }

  SendAnswer send(std::span<const OutFrame> frames) noexcept override {
    const std::lock_guard lock(world_.mutex_);
    Device* device = world_.find(index_);
    SendAnswer answer;
    for (const OutFrame& frame : frames) {
      if (device == nullptr) {
        answer.error = Error{ErrorKind::kNotFound, 0, "the adapter has gone"};
      } else if (device->room == 0) {
        answer.error = Error{ErrorKind::kBusy, 0, "no room"};
      } else {
        answer.error = world_.take_failure(Call::kSend);
      }
      if (answer.error) {
        break;
      }
      device->room -= device->room > 0 ? 1 : 0;
      device->statistics.tx_packets += 1;
      device->statistics.tx_bytes += std::max(frame.length, frame.pad_to);
      device->sent.push_back({on_the_wire(frame), frame.vlan});
      answer.taken += 1;
    }
    return answer;
  }

  Result<AdapterStatistics> statistics() noexcept override {
    const std::lock_guard lock(world_.mutex_);
    if (const auto error = world_.take_failure(Call::kStatistics)) {
      return Failure(*error);
    }
    const Device* device = world_.find(index_);
    return device != nullptr ? Result<AdapterStatistics>(device->statistics) : no_adapter();
  }

  AdapterLosses losses() const noexcept override { return {}; }

  Result<void> reset() noexcept override {
    const std::lock_guard lock(world_.mutex_);
    if (const auto error = world_.take_failure(Call::kReset)) {
      return Failure(*error);
    }
    return {};
  }

  FrameSink& sink;
  std::size_t calls = 0;  // to it, that run: under mutex_

 private:
  static constexpr BackendFacts kFacts{.name = "memory",
                                       .receive_ring_bytes = 1U << 20,
                                       .receive_ring_frames = 512,
                                       .transmit_ring_bytes = 1U << 20,
                                       .transmit_ring_frames = 512,
                                       .vlan_apart = true,
                                       .concurrent = true};
  MemoryAdapters& world_;
  const net::InterfaceIndex index_;
};

MemoryAdapters::MemoryAdapters() = default;
MemoryAdapters::~MemoryAdapters() = default;

MemoryAdapters::Device* MemoryAdapters::find(net::InterfaceIndex index) const {
  const auto at = devices_.find(index);
  return at != devices_.end() && !at->second->facts.index.is_none() ? at->second.get() : nullptr;
}

net::InterfaceIndex MemoryAdapters::add(AdapterFacts facts) {
  const std::lock_guard in_order(events_);
  {
    const std::lock_guard lock(mutex_);
    facts.index = net::InterfaceIndex(next_index_++);
    auto device = std::make_unique<Device>();
    device->facts = facts;
    devices_.emplace(facts.index, std::move(device));
  }
  tell(AdapterEvent::Kind::kSeen, facts);
  return facts.index;
}

net::InterfaceIndex MemoryAdapters::add_ethernet(std::string name) {
  const std::lock_guard in_order(events_);
  AdapterFacts facts;
  facts.name = std::move(name);
  facts.driver = "memory";
  facts.physical = PhysicalMedium::k802_3;
  facts.mac = net::MacAddress(
      {0x02, 0, 0, 0, static_cast<std::uint8_t>(next_index_ >> 8), static_cast<std::uint8_t>(next_index_ & 0xff)});
  facts.permanent = facts.mac;
  facts.link = kUp;
  return add(std::move(facts));
}

net::InterfaceIndex MemoryAdapters::add_ip(std::string name) {
  AdapterFacts facts;
  facts.name = std::move(name);
  facts.driver = "memory";
  facts.medium = Medium::kIp;
  facts.if_type = 131;  // tunnel
  facts.link = kUp;
  return add(std::move(facts));
}

// The device's place stays, empty: an adapter that is open may still name it.
Result<void> MemoryAdapters::remove(net::InterfaceIndex index) {
  const std::lock_guard in_order(events_);
  AdapterFacts gone;
  {
    const std::lock_guard lock(mutex_);
    Device* const device = find(index);
    if (device == nullptr) {
      return no_adapter();
    }
    gone = device->facts;
    device->facts.index = {};
    device->opened = nullptr;
    device->asked = {};
  }
  tell(AdapterEvent::Kind::kGone, gone);
  return {};
}

Result<void> MemoryAdapters::set(net::InterfaceIndex index, const AdapterFacts& facts) {
  return change(
      index,
      [](AdapterFacts& mended, const void* with) {
        const net::InterfaceIndex same = mended.index;
        mended = *static_cast<const AdapterFacts*>(with);
        mended.index = same;
      },
      &facts);
}

Result<void> MemoryAdapters::set_carrier(net::InterfaceIndex index, bool on) {
  return change(
      index,
      [](AdapterFacts& facts, const void* with) {
        facts.link.carrier = *static_cast<const bool*>(with);
        facts.link.oper = facts.link.carrier ? OperStatus::kUp : OperStatus::kLowerLayerDown;
      },
      &on);
}

Result<void> MemoryAdapters::set_mtu(net::InterfaceIndex index, std::uint32_t mtu) {
  return change(
      index, [](AdapterFacts& facts, const void* with) { facts.mtu = *static_cast<const std::uint32_t*>(with); }, &mtu);
}

Result<void> MemoryAdapters::set_mac(net::InterfaceIndex index, const net::MacAddress& mac) {
  return change(
      index, [](AdapterFacts& facts, const void* with) { facts.mac = *static_cast<const net::MacAddress*>(with); },
      &mac);
}

Result<void> MemoryAdapters::change(net::InterfaceIndex index, void (*mend)(AdapterFacts&, const void*),
                                    const void* with) {
  const std::lock_guard in_order(events_);
  AdapterFacts now;
  {
    const std::lock_guard lock(mutex_);
    Device* device = find(index);
    if (device == nullptr) {
      return no_adapter();
    }
    mend(device->facts, with);
    now = device->facts;
  }
  tell(AdapterEvent::Kind::kSeen, now);
  return {};
}

Result<AdapterFacts> MemoryAdapters::facts(net::InterfaceIndex index) const {
  const std::lock_guard lock(mutex_);
  const Device* device = find(index);
  return device != nullptr ? Result<AdapterFacts>(device->facts) : no_adapter();
}

void MemoryAdapters::lose_events() {
  const std::lock_guard in_order(events_);
  deaf_ = true;
}

void MemoryAdapters::resume() {
  const std::lock_guard in_order(events_);
  deaf_ = false;
  list_all();
}

void MemoryAdapters::tell(AdapterEvent::Kind kind, const AdapterFacts& facts) {
  if (listener_ != nullptr && !deaf_) {
    listener_->adapter_event({kind, facts});
  }
}

void MemoryAdapters::list_all() {
  std::vector<AdapterFacts> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [index, device] : devices_) {
      if (!device->facts.index.is_none()) {
        all.push_back(device->facts);
      }
    }
  }
  tell(AdapterEvent::Kind::kListing);
  for (const AdapterFacts& facts : all) {
    tell(AdapterEvent::Kind::kSeen, facts);
  }
  tell(AdapterEvent::Kind::kListed);
}

// Calls the sink of an adapter, without a lock: what it leads to may come back here. False: the adapter is not open.
template <class Show>
Result<bool> MemoryAdapters::show(net::InterfaceIndex index, Show&& with) {
  std::unique_lock lock(mutex_);
  Device* const device = find(index);
  if (device == nullptr) {
    return no_adapter();
  }
  Opened* const opened = device->opened;
  if (opened == nullptr) {
    return false;
  }
  opened->calls += 1;  // it stays until the call has ended
  lock.unlock();
  with(opened->sink);
  lock.lock();
  if (--opened->calls == 0) {
    call_ended_.notify_all();
  }
  return true;
}

Result<void> MemoryAdapters::inject(net::InterfaceIndex index, std::span<const InFrame> batch) {
  {
    const std::lock_guard lock(mutex_);
    Device* const device = find(index);
    if (device == nullptr) {
      return no_adapter();
    }
    for (const InFrame& frame : batch) {
      device->statistics.rx_packets += 1;
      device->statistics.rx_bytes += frame.bytes.size();
    }
  }
  const Result<bool> shown = show(index, [&](FrameSink& sink) { sink.received(batch); });
  if (!shown) {
    return Failure(shown.error());
  }
  return *shown ? Result<void>() : fail(ErrorKind::kBusy, "the adapter is not open");
}

Result<void> MemoryAdapters::inject(net::InterfaceIndex index, std::span<const std::byte> frame) {
  InFrame one;
  one.bytes = frame;
  return inject(index, std::span<const InFrame>(&one, 1));
}

std::vector<SentFrame> MemoryAdapters::take_sent(net::InterfaceIndex index) {
  const std::lock_guard lock(mutex_);
  Device* device = find(index);
  std::vector<SentFrame> sent;
  if (device != nullptr) {
    std::ranges::move(device->sent, std::back_inserter(sent));
    device->sent.clear();
  }
  return sent;
}

std::optional<SentFrame> MemoryAdapters::take_one_sent(net::InterfaceIndex index) {
  const std::lock_guard lock(mutex_);
  Device* device = find(index);
  if (device == nullptr || device->sent.empty()) {
    return std::nullopt;
  }
  SentFrame oldest = std::move(device->sent.front());
  device->sent.pop_front();
  return oldest;
}

Result<void> MemoryAdapters::make_room(net::InterfaceIndex index, int frames) {
  {
    const std::lock_guard lock(mutex_);
    Device* const device = find(index);
    if (device == nullptr) {
      return no_adapter();
    }
    device->room = frames;
  }
  if (frames == 0) {
    return {};
  }
  const Result<bool> shown = show(index, [](FrameSink& sink) { sink.room(); });
  return shown ? Result<void>() : Failure(shown.error());
}

void MemoryAdapters::fail_next(Call call, Error error) {
  const std::lock_guard lock(mutex_);
  failures_.insert_or_assign(call, error);
}

std::optional<Error> MemoryAdapters::take_failure(Call call) {
  const auto at = failures_.find(call);
  if (at == failures_.end()) {
    return std::nullopt;
  }
  const Error error = at->second;
  failures_.erase(at);
  return error;
}

MemoryAdapters::Asked MemoryAdapters::asked(net::InterfaceIndex index) const {
  const std::lock_guard lock(mutex_);
  const Device* device = find(index);
  return device != nullptr ? device->asked : Asked{};
}

Result<void> MemoryAdapters::break_down(net::InterfaceIndex index) {
  const Result<bool> shown =
      show(index, [](FrameSink& sink) { sink.broken({ErrorKind::kKernel, 19, "the device has gone"}); });
  return shown ? Result<void>() : Failure(shown.error());
}

void MemoryAdapters::set_statistics(net::InterfaceIndex index, const AdapterStatistics& statistics) {
  const std::lock_guard lock(mutex_);
  if (Device* device = find(index)) {
    device->statistics = statistics;
  }
}

std::size_t MemoryAdapters::open_count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(devices_.begin(), devices_.end(),
                                                [](const auto& entry) { return entry.second->opened != nullptr; }));
}

Result<void> MemoryAdapters::start(AdapterListener& listener) noexcept {
  const std::lock_guard in_order(events_);
  if (listener_ != nullptr) {
    return fail(ErrorKind::kAlreadyExists, "started already");
  }
  listener_ = &listener;
  list_all();
  return {};
}

void MemoryAdapters::stop() noexcept {
  const std::lock_guard in_order(events_);
  listener_ = nullptr;
}

Result<std::unique_ptr<Adapter>> MemoryAdapters::open(net::InterfaceIndex index, FrameSink& sink) noexcept {
  const std::lock_guard lock(mutex_);
  if (const auto error = take_failure(Call::kOpen)) {
    return Failure(*error);
  }
  Device* const device = find(index);
  if (device == nullptr) {
    return no_adapter();
  }
  if (device->opened != nullptr) {
    return fail(ErrorKind::kBusy, "the adapter is open");
  }
  auto opened = std::make_unique<Opened>(*this, index, sink);
  device->opened = opened.get();
  device->asked.open = true;
  return opened;
}

}  // namespace turnpike::ndis
