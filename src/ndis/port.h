// What the room wants of a world that has network interfaces. src/kernel has the real one (packet rings, AF_XDP, TAP,
// the link monitor), memory_adapters.h one that tests and embedders turn by hand.
//
// Three parts. An AdapterSource says which adapters there are and what becomes of them, and opens them. An Adapter is
// one that is open: one receive ring and one way out, shared by all bindings of the process. A FrameSink is where its
// frames go: the room, which fans them out.
//
// ## What is whose
//
// The source tells what it sees, again and again if it likes: the room compares with what it knew, so an event that
// changes nothing causes nothing, and a source that lost its place just lists everything anew (kListing … kListed).
//
// The adapter receives what the union of all bindings asks for, or more; the room tests each frame for each binding.
// What only a kernel's frames have is mended before they come here: a frame longer than the MTU and its header (GRO,
// TSO) is split, or dropped and counted; a checksum that is still to be computed is computed; a VLAN tag that was
// stripped stands in `vlan`. Frames that this adapter itself sent do not come back: the room loops them where the
// contract says so. Those that the host or another process sent do, as kOutgoing, where `local_sends` asks for them.
//
// ## Memory
//
// The bytes of a frame belong to the adapter and end with the call that shows them. Who wants to keep them copies them
// within that call; so a slot of the ring is free again when the call returns, and no driver can starve the ring.
//
// ## Threads
//
// Events: one thread at a time, in the order in which things happened. Frames: one thread at a time for each adapter,
// unless its facts say `concurrent`. send(): one thread at a time for each adapter (the room's send lock), beside
// received(). receive(), statistics(), reset(): one thread at a time for each adapter, beside everything else; open()
// and those may block a little, send() never waits. Nobody calls the room while holding a lock that open(), send(),
// receive() or the destructor takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/interface_index.h"
#include "net/mac_address.h"

namespace turnpike::ndis {

// --- what an adapter is ----------------------------------------------------------------------------------------------

// The numbers are those of NDIS_MEDIUM and NDIS_PHYSICAL_MEDIUM.
enum class Medium : std::uint8_t { k802_3 = 0, kWan = 3, kInfiniBand = 14, kTunnel = 15, kLoopback = 17, kIp = 19 };
enum class PhysicalMedium : std::uint8_t { kUnspecified = 0, kWirelessLan = 1, k802_3 = 14, kOther = 19 };

// Bytes before the payload: 14 on Ethernet, 0 where packets go bare.
constexpr std::size_t header_size(Medium medium) {
  return medium == Medium::k802_3 || medium == Medium::kLoopback ? 14 : 0;
}

enum class Duplex : std::uint8_t { kUnknown = 0, kHalf = 1, kFull = 2 };
// RFC 2863, the numbers of OID_GEN_OPERATIONAL_STATUS.
enum class OperStatus : std::uint8_t {
  kUp = 1,
  kDown,
  kTesting,
  kUnknown,
  kDormant,
  kNotPresent,
  kLowerLayerDown,
};

inline constexpr std::uint64_t kUnknownSpeed = ~std::uint64_t{0};

// The state of a link, which changes while the adapter stays the same.
struct LinkFacts {
  bool admin_up = false;                   // IFF_UP
  bool carrier = false;                    // IFF_LOWER_UP
  OperStatus oper = OperStatus::kUnknown;  // IFLA_OPERSTATE
  Duplex duplex = Duplex::kUnknown;
  std::uint64_t speed = kUnknownSpeed;      // bits/s, both ways
  std::uint64_t max_speed = kUnknownSpeed;  // the fastest that the device can do

  [[nodiscard]] bool connected() const { return admin_up && carrier; }
  friend bool operator==(const LinkFacts&, const LinkFacts&) = default;
};

struct AdapterFacts {
  net::InterfaceIndex index;     // the key. Another device gets the number only after kGone was told of the former
  std::uint64_t namespace_id{};  // of the network namespace: part of the adapter's constant name
  std::string name;              // eth0: may change
  std::string alias;             // IFLA_IFALIAS: may change
  std::string kind;              // IFLA_INFO_KIND: "veth", "vlan", "tun" …; empty for hardware
  std::string driver;            // what OID_GEN_VENDOR_DESCRIPTION shows: "e1000e 0000:00:1f.6"
  Medium medium = Medium::k802_3;
  PhysicalMedium physical = PhysicalMedium::kUnspecified;
  std::uint16_t if_type = 6;                 // IANA ifType
  net::MacAddress mac;                       // IFLA_ADDRESS; zeros where there is none
  std::optional<net::MacAddress> permanent;  // IFLA_PERM_ADDRESS
  std::uint32_t mtu = 1500;
  std::uint16_t vlan_id = 0;      // of a VLAN device
  std::uint32_t promiscuity = 0;  // IFLA_PROMISCUITY
  bool enslaved = false;          // to a bridge or bond
  bool has_parent = false;        // a device of hardware
  LinkFacts link;

  friend bool operator==(const AdapterFacts&, const AdapterFacts&) = default;
};

// --- what becomes of it ----------------------------------------------------------------------------------------------

struct AdapterEvent {
  enum class Kind : std::uint8_t {
    kSeen,     // it is there, and this is what it looks like now: new, changed, or as it was
    kGone,     // deleted, or moved to another namespace; only facts.index counts
    kListing,  // everything that there is follows as kSeen
    kListed,   // that was everything: what was not seen since kListing is gone. Comes once after start(), too
  };
  Kind kind;
  AdapterFacts facts;
};

class AdapterListener {
 public:
  // Returns soon: the room takes a note and does the rest on its own threads.
  virtual void adapter_event(const AdapterEvent& event) noexcept = 0;

 protected:
  ~AdapterListener() = default;
};

// --- frames ----------------------------------------------------------------------------------------------------------

// What the tag of 802.1Q says. A tag with all bits zero is a tag, too.
struct VlanTag {
  std::uint16_t tci = 0;       // priority 3 bits, DEI 1, VLAN id 12: host order
  std::uint16_t protocol = 0;  // 0x8100 or 0x88A8, host order; 0: there is no tag
  [[nodiscard]] bool present() const { return protocol != 0; }
  [[nodiscard]] std::uint16_t id() const { return tci & 0xfff; }
  [[nodiscard]] std::uint8_t priority() const { return static_cast<std::uint8_t>(tci >> 13); }
  friend bool operator==(const VlanTag&, const VlanTag&) = default;
};

// How the frame came here (sll_pkttype).
enum class Direction : std::uint8_t { kHost, kBroadcast, kMulticast, kOtherHost, kOutgoing };

struct InFrame {
  std::span<const std::byte> bytes;  // whole, with the media header, without FCS
  VlanTag vlan;                      // stripped from `bytes`
  Direction direction = Direction::kHost;
  bool checksum_good = false;  // somebody has verified the checksum of TCP or UDP, or it was computed just now
  WallTime received{};         // by the system's clock; zero: not known
};

class FrameSink {
 public:
  // A batch: what the ring held at one wake-up, a single frame when idle. Everything ends with the call.
  virtual void received(std::span<const InFrame> batch) noexcept = 0;
  // After send() had no room: there is some again. Any thread of the adapter's.
  virtual void room() noexcept = 0;
  // The adapter is of no use any more (the device has gone, the ring has broken); it neither receives nor sends from
  // now on, and is to be closed. Told once. ENETDOWN is no reason: the ring is armed again when the device is up.
  virtual void broken(const Error& why) noexcept = 0;

 protected:
  ~FrameSink() = default;
};

// A frame to be sent: pieces that follow each other. Everything ends with the call.
struct OutFrame {
  std::span<const std::span<const std::byte>> pieces;
  std::size_t length = 0;  // the sum of the pieces
  std::size_t pad_to = 0;  // with zeros, where it is longer than `length`
  VlanTag vlan;            // to be inserted after the addresses
};

struct SendAnswer {
  std::size_t taken = 0;       // that many from the front are on their way, in order
  std::optional<Error> error;  // why not all. kBusy: no room, room() will be called once there is; the rest was not
                               // looked at. Anything else: the frame after those is refused (kKernel with the errno),
                               // the ones behind it were not looked at, and the caller goes on with them
};

// --- what is to be received ------------------------------------------------------------------------------------------

// The union over the bindings of what is asked for. Receiving more is allowed, it only costs.
struct Reception {
  std::uint32_t filter = 0;                    // NDIS_PACKET_TYPE_… bits
  bool everything = false;                     // the medium knows no filter: every frame, whatever `filter` says
  bool local_sends = false;                    // frames of the host and of other processes on their way out
  std::span<const net::MacAddress> groups;     // without duplicates
  std::span<const std::uint16_t> frame_types;  // in host order; empty: all
};

namespace packet_type {
inline constexpr std::uint32_t kDirected = 0x1;
inline constexpr std::uint32_t kMulticast = 0x2;
inline constexpr std::uint32_t kAllMulticast = 0x4;
inline constexpr std::uint32_t kBroadcast = 0x8;
inline constexpr std::uint32_t kPromiscuous = 0x20;
inline constexpr std::uint32_t kAllLocal = 0x80;
inline constexpr std::uint32_t kNoLocal = 0x10000;
inline constexpr std::uint32_t kSupported =
    kDirected | kMulticast | kAllMulticast | kBroadcast | kPromiscuous | kAllLocal | kNoLocal;
}  // namespace packet_type

inline constexpr std::size_t kMaxGroups = 256;  // OID_802_3_MAXIMUM_LIST_SIZE, for each binding

// --- an open adapter -------------------------------------------------------------------------------------------------

// The device's counters (rtnl_link_stats64), and those of ethtool's eth-mac group where the driver has them.
struct AdapterStatistics {
  std::uint64_t tx_packets = 0, rx_packets = 0, tx_bytes = 0, rx_bytes = 0;
  std::uint64_t tx_errors = 0, rx_errors = 0, tx_dropped = 0, rx_dropped = 0;
  std::uint64_t rx_missed = 0, rx_crc_errors = 0, rx_frame_errors = 0, rx_over_errors = 0, rx_fifo_errors = 0;
  std::uint64_t tx_aborted = 0, tx_fifo_errors = 0, tx_heartbeat = 0, tx_carrier = 0, tx_window = 0;
  std::uint64_t multicast = 0, collisions = 0;
  std::optional<std::uint64_t> rx_multicast_frames, rx_broadcast_frames;  // eth-mac
  std::optional<std::uint64_t> tx_multicast_frames, tx_broadcast_frames;
  std::optional<std::uint64_t> single_collisions, multiple_collisions, deferred, excessive_collisions, late_collisions;
};

// What went missing between the device and the room, since the adapter was opened. Each only rises.
struct AdapterLosses {
  std::uint64_t ring_full = 0;  // the kernel had no slot
  std::uint64_t oversized = 0;  // longer than MTU and header, and could not be split
  std::uint64_t malformed = 0;  // shorter than the media header, truncated, or with lengths that contradict each other
  std::uint64_t split = 0;      // super-frames that were split: none lost
  std::uint64_t rearmed = 0;    // times the ring was armed again after the device had been down
};

struct BackendFacts {
  const char* name = "";  // "packet", "xdp", "tap", "memory"
  std::uint32_t receive_ring_bytes = 0;
  std::uint32_t receive_ring_frames = 0;
  std::uint32_t transmit_ring_bytes = 0;
  std::uint32_t transmit_ring_frames = 0;
  bool vlan_apart = true;            // a tag comes in InFrame::vlan; else it stays in the bytes
  bool concurrent = false;           // received() may run on several threads at a time
  std::uint32_t refused_filter = 0;  // bits of packet_type that this backend cannot serve
};

class Adapter {
 public:
  Adapter() = default;
  Adapter(const Adapter&) = delete;
  Adapter& operator=(const Adapter&) = delete;

  // When it returns, no call to the sink is running or will come. What takes long (unmapping rings, a socket that
  // lingers) goes on in the background, and needs neither the source nor the sink. Memberships and promiscuous mode are
  // gone with it. Never from within a call to the sink.
  virtual ~Adapter() = default;

  [[nodiscard]] virtual const BackendFacts& facts() const noexcept = 0;

  // Replaces what was asked for before; an adapter that was just opened receives nothing. Holds for every frame that
  // arrives after it has returned. kDenied: a capability is missing; kUnsupported: a bit of refused_filter; kKernel.
  // On failure the former state holds.
  virtual Result<void> receive(const Reception& wanted) noexcept = 0;

  // Gives the frames to the kernel, in order, in one flush. Never waits.
  virtual SendAnswer send(std::span<const OutFrame> frames) noexcept = 0;

  virtual Result<AdapterStatistics> statistics() noexcept = 0;
  [[nodiscard]] virtual AdapterLosses losses() const noexcept = 0;

  // Makes rings and memberships anew, as they were last asked for; frames in the rings may be lost. kUnsupported: it
  // cannot be done while it is open.
  virtual Result<void> reset() noexcept = 0;
};

class AdapterSource {
 public:
  AdapterSource() = default;
  AdapterSource(const AdapterSource&) = delete;
  AdapterSource& operator=(const AdapterSource&) = delete;
  virtual ~AdapterSource() = default;

  // From now on the listener is told: first kListing, everything that there is, and kListed. Once.
  virtual Result<void> start(AdapterListener& listener) noexcept = 0;
  // When it returns, no event is running or will come. Adapters that are open stay so.
  virtual void stop() noexcept = 0;

  // kNotFound: it has gone; kDenied: a capability is missing (the log names it); kExhausted: no memory for the rings;
  // kKernel: anything else.
  virtual Result<std::unique_ptr<Adapter>> open(net::InterfaceIndex index, FrameSink& sink) noexcept = 0;
};

}  // namespace turnpike::ndis
