// A protocol driver of NDIS 6 that does no more than a benchmark needs: it opens what it is offered, wants frames to
// itself and to all, gives back at once what it receives, and says how many that were.
#pragma once

#include <ndis.h>
#include <turnpike/ndis.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace turnpike::bench {

class BenchDriver {
 public:
  // Frames of one indication, on the thread that makes it: still the driver's, not given back yet.
  using Heard = std::function<void(PNET_BUFFER_LIST lists, std::size_t frames)>;

  struct Bound {
    BenchDriver* driver = nullptr;
    NDIS_HANDLE handle = nullptr;
    std::atomic<std::uint64_t> received = 0;
    std::atomic<bool> opened = false, closed = false;
  };

  // Bound to the interfaces that `list` names (as TP_NDIS_POLICY has them) when it returns.
  BenchDriver(std::string name, std::string list, Heard heard = {});
  BenchDriver(const BenchDriver&) = delete;
  BenchDriver& operator=(const BenchDriver&) = delete;
  ~BenchDriver();

  // As much as is bound; valid as long as the driver is there.
  std::vector<Bound*> bindings();
  // `list` empty: to nothing. Returns before that has come about.
  void bind_to(const std::string& list);
  // In chains of up to 64 lists, which are used again when they have come back; waits where none has.
  void send(Bound& from, std::span<const std::uint8_t> frame, std::size_t count);
  // Until everything has come back.
  void await_sent();

 private:
  static constexpr std::size_t kBurst = 64;
  static constexpr std::size_t kBursts = 8;
  struct Burst {
    void prepare(NDIS_HANDLE binding, std::span<const std::uint8_t> frame);
    std::array<NET_BUFFER_LIST, kBurst> lists{};
    std::array<NET_BUFFER, kBurst> buffers{};
    std::array<MDL, kBurst> descriptors{};
    NDIS_HANDLE binding = nullptr;  // that it is prepared for, and the frame
    std::span<const std::uint8_t> frame;
    alignas(64) std::atomic<std::uint32_t> out = 0;
  };

  NDIS_STATUS bind(NDIS_HANDLE context, PNDIS_BIND_PARAMETERS parameters);
  static NDIS_STATUS unbind(NDIS_HANDLE context, NDIS_HANDLE binding);
  void want_frames(Bound& bound);
  static void receive(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER, ULONG count, ULONG flags);
  static void completed(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG);

  std::string name_;
  std::wstring wide_name_;
  Heard heard_;
  NDIS_HANDLE protocol_ = nullptr;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Bound>> bound_;  // all that there ever were
  std::array<Burst, kBursts> bursts_;
  std::size_t turn_ = 0;
};

}  // namespace turnpike::bench
