// A protocol driver of NDIS 5 that does no more than a benchmark needs: it opens the one adapter that it is offered,
// wants frames to itself and to all, keeps no packet that it is shown, and sends its own packets again when they have
// come back. Callbacks of NDIS 5 have no context before there is a binding, so there is one such driver at a time.
#pragma once

#include <ndis.h>
#include <turnpike/ndis.h>

#include <array>
#include <atomic>
#include <span>
#include <string>

namespace turnpike::bench {

class BenchDriver5 {
 public:
  // Bound to the interface of that name when it returns.
  explicit BenchDriver5(const std::string& adapter);
  BenchDriver5(const BenchDriver5&) = delete;
  BenchDriver5& operator=(const BenchDriver5&) = delete;
  ~BenchDriver5();

  // In arrays of up to 64 packets, which all describe the frame of the first call; waits where none has come back.
  void send(std::span<const std::uint8_t> frame, std::size_t count);
  // Until everything has come back.
  void await_sent();

 private:
  static constexpr std::size_t kBurst = 64;
  static constexpr std::size_t kBursts = 8;
  struct Burst {
    std::array<PNDIS_PACKET, kBurst> packets{};
    alignas(64) std::atomic<std::uint32_t> out = 0;
  };

  static void bind(PNDIS_STATUS status, NDIS_HANDLE context, PNDIS_STRING name, PVOID, PVOID);
  static void unbind(PNDIS_STATUS status, NDIS_HANDLE context, NDIS_HANDLE unbind);
  void want_frames();
  void make_packets(std::span<const std::uint8_t> frame);
  static std::atomic<std::uint32_t>*& out_of(PNDIS_PACKET packet);

  static BenchDriver5* the_one;
  NDIS_HANDLE protocol_ = nullptr, binding_ = nullptr, packet_pool_ = nullptr, buffer_pool_ = nullptr;
  std::atomic<bool> opened_ = false, closed_ = false;
  std::array<Burst, kBursts> bursts_;
  std::size_t turn_ = 0;
};

}  // namespace turnpike::bench
