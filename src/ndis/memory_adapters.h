// Adapters without a kernel: what tests, fuzzing and embedding programs turn by hand. Everything happens on the thread
// that asks for it: inject() returns when every callback that the frame led to has, and an event has been noted when
// the function that caused it returns. All functions may be called from any thread, also from inside a callback that
// one of them led to: no lock is held while frames are shown. So an adapter may be removed from inside a frame's
// callback; what waits until no callback runs any more is the end of the open adapter, as port.h has it.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "ndis/port.h"

namespace turnpike::ndis {

using FrameBytes = std::vector<std::byte>;

struct SentFrame {
  FrameBytes bytes;  // as on the wire: padded, with its tag in line
  VlanTag vlan;
};

class MemoryAdapters final : public AdapterSource {
 public:
  // Which call is to fail once, the next time it is made.
  enum class Call : std::uint8_t { kOpen, kReceive, kSend, kReset, kStatistics };

  MemoryAdapters();
  ~MemoryAdapters() override;

  // --- the world
  // There is one more. `facts` as they are, but for the index, which is given here and never again.
  net::InterfaceIndex add(AdapterFacts facts);
  // An Ethernet adapter of that name that is up: 1500 bytes, 1 Gb/s, an address made of the index.
  net::InterfaceIndex add_ethernet(std::string name);
  net::InterfaceIndex add_ip(std::string name);  // bare IP packets, and no address
  // kNotFound, from here on, where there is no such adapter.
  Result<void> remove(net::InterfaceIndex index);
  Result<void> set(net::InterfaceIndex index, const AdapterFacts& facts);
  Result<void> set_carrier(net::InterfaceIndex index, bool on);
  Result<void> set_mtu(net::InterfaceIndex index, std::uint32_t mtu);
  Result<void> set_mac(net::InterfaceIndex index, const net::MacAddress& mac);
  Result<AdapterFacts> facts(net::InterfaceIndex index) const;
  // What happens from now on is not told; resume() lists everything anew, as a monitor does that has lost events.
  void lose_events();
  void resume();

  // --- frames
  // It arrives. kBusy: the adapter is not open. Nothing is filtered but by the room.
  Result<void> inject(net::InterfaceIndex index, std::span<const InFrame> batch);
  Result<void> inject(net::InterfaceIndex index, std::span<const std::byte> frame);
  // Everything that was sent since the last time, in order.
  std::vector<SentFrame> take_sent(net::InterfaceIndex index);
  std::optional<SentFrame> take_one_sent(net::InterfaceIndex index);  // the oldest
  // Room for so many more frames; then there is none until room is made. Negative: always.
  Result<void> make_room(net::InterfaceIndex index, int frames);

  // --- what goes wrong, and what was asked for
  void fail_next(Call call, Error error);
  // As a driver asked for it last; nothing where it is not open.
  struct Asked {
    bool open = false;
    std::uint32_t filter = 0;
    bool everything = false, local_sends = false;
    std::vector<net::MacAddress> groups;
    std::vector<std::uint16_t> frame_types;
  };
  Asked asked(net::InterfaceIndex index) const;
  Result<void> break_down(net::InterfaceIndex index);
  void set_statistics(net::InterfaceIndex index, const AdapterStatistics& statistics);
  std::size_t open_count() const;

  // --- AdapterSource
  Result<void> start(AdapterListener& listener) noexcept override;
  void stop() noexcept override;
  Result<std::unique_ptr<Adapter>> open(net::InterfaceIndex index, FrameSink& sink) noexcept override;

 private:
  class Opened;
  struct Device;

  Device* find(net::InterfaceIndex index) const;
  template <class Show>
  Result<bool> show(net::InterfaceIndex index, Show&& with);
  Result<void> change(net::InterfaceIndex index, void (*mend)(AdapterFacts&, const void*), const void* with);
  void tell(AdapterEvent::Kind kind, const AdapterFacts& facts = {});
  void list_all();
  std::optional<Error> take_failure(Call call);

  std::recursive_mutex events_;  // one event at a time; before mutex_
  mutable std::mutex mutex_;
  std::condition_variable call_ended_;
  AdapterListener* listener_ = nullptr;  // under events_
  bool deaf_ = false;                    // under events_
  std::uint32_t next_index_ = 1001;
  std::map<net::InterfaceIndex, std::unique_ptr<Device>> devices_;
  std::map<Call, Error> failures_;
};

}  // namespace turnpike::ndis
