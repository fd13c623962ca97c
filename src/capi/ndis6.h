// Driver6: a protocol driver of NDIS 6 behind the engine's Driver, and what it keeps for a binding.
#pragma once

#include "capi/ndis_face.h"

namespace turnpike::capi {

// A received frame as the driver holds it. The list is first: its address is that of the whole.
struct ReceivedList {
  NET_BUFFER_LIST list{};
  NET_BUFFER buffer{};
  MDL mdl{};
  std::vector<std::byte> bytes;          // of a copy; empty while it describes the ring
  std::atomic<bool> with_driver{false};  // set by who fills it, cleared under the lock of the copies
};

class Binding6 final : public ndis::Part {
 public:
  Copies<ReceivedList> copies;
};

class Driver6 final : public ndis::Driver {
 public:
  Driver6(const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& characteristics, NDIS_HANDLE context)
      : chars_(characteristics), context_(context) {}

  Status bind(ndis::Offer& offer) override;
  Status unbind(ndis::Binding& binding, Handle context) override;
  Status net_event(ndis::Binding* binding, ndis::NetEventNote& note) override;
  void open_complete(ndis::Binding& binding, Status status, int system_code) override;
  void close_complete(ndis::Binding& binding) override;
  void request_complete(ndis::Binding& binding, void* request, Status status) override;
  void reset_complete(ndis::Binding&, Status) override {}  // nobody here can reset
  void status(ndis::Binding& binding, const ndis::StatusNote& note) override;
  void send_complete(ndis::Binding& binding, std::span<const ndis::Completed> elements) override;
  void describe(ndis::Binding& binding, void* element, ndis::FrameList& frames) override;
  void receive(ndis::Binding& binding, std::span<const ndis::Indicated> frames) override;
  void uninstall() override {
    if (chars_.UninstallHandler != nullptr) {
      chars_.UninstallHandler();
    }
  }
  std::unique_ptr<ndis::Part> make_part(ndis::Binding&) override { return std::make_unique<Binding6>(); }

  [[nodiscard]] const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS& characteristics() const { return chars_; }
  [[nodiscard]] NDIS_HANDLE context() const { return context_; }

 private:
  void indicate(ndis::Binding& binding, std::span<ReceivedList* const> lists, ULONG flags);

  const NDIS_PROTOCOL_DRIVER_CHARACTERISTICS chars_;
  const NDIS_HANDLE context_;
};

// What a driver of NDIS 6 is shown of an adapter.
class BindParameters final : public ndis::Part {
 public:
  BindParameters(const ndis::Offer& offer, const std::string& protocol, UCHAR minor_version);
  PNDIS_BIND_PARAMETERS get() { return &parameters_; }

 private:
  NDIS_BIND_PARAMETERS parameters_{};
  WideText adapter_name_, section_;
};

NET_LUID luid_of(const ndis::AdapterFacts& facts);

}  // namespace turnpike::capi
