// Driver5: a protocol driver of NDIS 4 or 5 behind the engine's Driver, and what it keeps for a binding.
#pragma once

#include "capi/ndis_face.h"

namespace turnpike::capi {

// A received packet as the driver holds it: descriptor, four pointers of ProtocolReserved, out-of-band block,
// extension, in the order that the macros rely on; then what it describes.
struct ReceivedPacket {
  static constexpr std::size_t kReserved = 4 * sizeof(PVOID);
  static constexpr std::size_t kOutOfBand = offsetof(NDIS_PACKET, ProtocolReserved) + kReserved;

  PNDIS_PACKET packet() { return reinterpret_cast<PNDIS_PACKET>(head.data()); }
  // The packet that a driver hands in, if it can be one of ours.
  static ReceivedPacket* of(PNDIS_PACKET packet);

  alignas(16) std::array<std::byte, kOutOfBand + sizeof(NDIS_PACKET_OOB_DATA) + sizeof(NDIS_PACKET_EXTENSION)> head{};
  MDL mdl{};
  std::vector<std::byte> bytes;
  ndis::Binding* binding = nullptr;   // its count of retained frames keeps it alive
  Handle handle{};                    // of the binding, which may be gone
  std::atomic<std::int64_t> owed{0};  // returns still to come; kCalling more while the driver is being called
};

class Binding5 final : public ndis::Part {
 public:
  Copies<ReceivedPacket> copies;
};

class Driver5 final : public ndis::Driver {
 public:
  explicit Driver5(const NDIS50_PROTOCOL_CHARACTERISTICS& characteristics) : chars_(characteristics) {}

  Status bind(ndis::Offer& offer) override;
  Status unbind(ndis::Binding& binding, Handle context) override;
  Status net_event(ndis::Binding* binding, ndis::NetEventNote& note) override;
  void open_complete(ndis::Binding& binding, Status status, int system_code) override;
  void close_complete(ndis::Binding& binding) override;
  void request_complete(ndis::Binding& binding, void* request, Status status) override;
  void reset_complete(ndis::Binding& binding, Status status) override;
  void status(ndis::Binding& binding, const ndis::StatusNote& note) override;
  void send_complete(ndis::Binding& binding, std::span<const ndis::Completed> elements) override;
  void describe(ndis::Binding& binding, void* element, ndis::FrameList& frames) override;
  void receive(ndis::Binding& binding, std::span<const ndis::Indicated> frames) override;
  void unload() override {
    if (chars_.UnloadHandler != nullptr) {
      chars_.UnloadHandler();
    }
  }
  std::unique_ptr<ndis::Part> make_part(ndis::Binding&) override { return std::make_unique<Binding5>(); }

  [[nodiscard]] const NDIS50_PROTOCOL_CHARACTERISTICS& characteristics() const { return chars_; }

 private:
  std::size_t show_copies(ndis::Binding& binding, std::span<const ndis::Indicated> frames, std::size_t longest,
                          std::vector<std::byte>& room);
  void show_in_ring(ndis::Binding& binding, const ndis::Indicated& frame, std::span<const std::byte> bytes);
  void show_lookahead(ndis::Binding& binding, const ndis::Indicated& frame, std::span<const std::byte> bytes);

  const NDIS50_PROTOCOL_CHARACTERISTICS chars_;
};

}  // namespace turnpike::capi
