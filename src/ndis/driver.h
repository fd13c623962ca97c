// Driver: a protocol driver as the engine sees it, whichever of the two interfaces it was written against. A face
// (src/capi/ndis5.cpp, ndis6.cpp) implements it: each function is one or two of the driver's callbacks, made on the
// calling thread and without a lock of the room.
//
// Elements (a packet, a list of buffers), requests and contexts are the driver's own and stay opaque here. What the
// engine wants to know of an element it asks with describe().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/handle_table.h"
#include "ndis/port.h"
#include "ndis/status.h"

namespace turnpike::ndis {

class Binding;

enum class Generation : std::uint8_t { k5, k6 };

// What a face keeps with an object of the engine: structures that the driver is shown, descriptors of received frames.
class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;
};

// An adapter that is offered to a protocol: a bind operation. Lives until the operation has ended.
struct Offer {
  Handle context{};  // BindContext
  AdapterFacts facts;
  std::string adapter_name;  // \Device\{…}
  std::unique_ptr<Part> part;
};

// The numbers are those of NET_PNP_EVENT_CODE.
enum class NetEvent : std::uint8_t {
  kQueryRemove = 2,
  kCancelRemove = 3,
  kReconfigure = 4,
  kBindList = 5,
  kBindsComplete = 6,
  kPause = 8,
  kRestart = 9,
};

const char* name_of(NetEvent event);

struct NetEventNote {
  NetEvent event{};
  bool attributes = false;                    // of a restart: something has changed, and `facts` say what it is now
  AdapterFacts facts{};                       // of the binding's adapter; empty where there is no binding
  std::vector<std::uint32_t> oids{};          // with attributes: what may be asked of the adapter
  std::uint32_t statistics = 0;               // with attributes: which counters it keeps (NDIS_STATISTICS_FLAGS_…)
  std::vector<std::string> order{};           // of kBindList: names of adapters
  std::atomic<const void*>* shown = nullptr;  // the structure that the driver is shown: names the event later
  std::unique_ptr<Part> part{};
};

struct StatusNote {
  Status code{};
  LinkFacts link{};  // of kLinkState: how the link is now; the face says it in its generation's words
  bool connection_changed = false;
  bool speed_changed = false;
};

// A frame that passed the binding's filter.
struct Indicated {
  const InFrame* frame = nullptr;
  bool loopback = false;  // somebody on this machine sent it
};

// An element that comes back.
struct Completed {
  Binding* binding = nullptr;
  void* element = nullptr;
  Status status{};
};

// What an element is on the wire: one frame, or several. Reused from call to call, so it stops allocating.
class FrameList {
 public:
  void clear() {
    pieces_.clear();
    frames_.clear();
    firsts_.clear();
  }
  void piece(std::span<const std::byte> bytes) {
    pieces_.push_back(bytes);
    open_length_ += bytes.size();
  }
  // The pieces since the last frame are one.
  void end_frame(VlanTag vlan, std::size_t pad_to) {
    firsts_.push_back(pieces_.size());
    frames_.push_back({.pieces = {}, .length = open_length_, .pad_to = pad_to, .vlan = vlan});
    open_length_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return frames_.size(); }
  // Valid until the list changes.
  std::span<const OutFrame> frames() {
    std::size_t from = 0;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      frames_[i].pieces = std::span(pieces_).subspan(from, firsts_[i] - from);
      from = firsts_[i];
    }
    return frames_;
  }

 private:
  std::vector<std::span<const std::byte>> pieces_;
  std::vector<OutFrame> frames_;
  std::vector<std::size_t> firsts_;  // where the pieces of the next frame begin
  std::size_t open_length_ = 0;
};

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  // Any status; kPending: complete_bind() will be called.
  virtual Status bind(Offer& offer) = 0;
  // kSuccess or kPending; anything else counts as kSuccess.
  virtual Status unbind(Binding& binding, Handle context) = 0;
  // `binding` null: of all. kPending: complete_event() will be called with what
  // the face has put into *note.shown before it called the driver.
  virtual Status net_event(Binding* binding, NetEventNote& note) = 0;

  // `system_code`: the errno behind a failure, else 0.
  virtual void open_complete(Binding& binding, Status status, int system_code) = 0;
  virtual void close_complete(Binding& binding) = 0;
  virtual void request_complete(Binding& binding, void* request, Status status) = 0;
  virtual void reset_complete(Binding& binding, Status status) = 0;
  virtual void status(Binding& binding, const StatusNote& note) = 0;

  // All of one binding.
  virtual void send_complete(Binding& binding, std::span<const Completed> elements) = 0;
  // Appends the frames of an element; calls nobody.
  virtual void describe(Binding& binding, void* element, FrameList& frames) = 0;
  // At most kIndicatedAtOnce frames; they end with the call. What the driver retains, the face has copied, and counts
  // with Binding::retain() and Engine::returned().
  virtual void receive(Binding& binding, std::span<const Indicated> frames) = 0;

  // The host takes the driver away: no binding is left. UnloadHandler of NDIS 5, ProtocolUninstall of NDIS 6.
  virtual void unload() {}
  virtual void uninstall() {}

  // For a binding that was just opened.
  virtual std::unique_ptr<Part> make_part(Binding& binding) = 0;
};

inline constexpr std::size_t kIndicatedAtOnce = 64;

}  // namespace turnpike::ndis
