// Frames as a test sees them: captured on a link, put onto it, or exchanged through a tun or tap device.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ground/descriptor.h"

namespace turnpike::ground {

using Bytes = std::vector<std::uint8_t>;

struct Frame {
  Bytes bytes;            // from the Ethernet header on, its VLAN tag put back where the kernel had taken it out
  bool outgoing = false;  // sent by this host; else received
  std::chrono::nanoseconds time{};  // since the epoch
};

// Everything that passes a link from the moment this object exists. The kernel's socket buffer holds what nobody has
// taken yet; a frame that it had to drop makes every later wait fail, never pass for want of evidence.
class Capture {
 public:
  using Wanted = std::function<bool(const Frame&)>;

  // Host::capture makes one.
  explicit Capture(Descriptor socket) : socket_(std::move(socket)) {}

  // Waits for a frame that is `wanted`, among those not yet given by an earlier wait; nothing when the time is over.
  std::optional<Frame> await(const Wanted& wanted, milliseconds within = kSoon);

  // All frames so far, also those that await gave; does not wait.
  const std::vector<Frame>& frames();

  // Writes all frames so far as a pcap file, for a person with tcpdump or Wireshark.
  void write_pcap(const std::string& path);

 private:
  bool take_one();
  void check_for_loss();

  Descriptor socket_;
  std::vector<Frame> frames_;
  std::size_t given_ = 0;  // frames_ before this one have been looked at by await
};

// The program's end of a tun (IP packets) or tap (Ethernet frames) device; the device goes with it.
class Tunnel {
 public:
  // Host::tun and Host::tap make one.
  explicit Tunnel(Descriptor device) : device_(std::move(device)) {}

  // One packet that the kernel sent into the device and that is `wanted`; others are dropped. Nothing when the time is
  // over.
  std::optional<Bytes> await(const std::function<bool(const Bytes&)>& wanted, milliseconds within = kSoon);

  // Hands the kernel a packet as if it had come in over the device.
  void write(std::span<const std::uint8_t> packet);

 private:
  Descriptor device_;
};

// An Ethernet frame: 02:00:00:00:00:<from> to 02:00:00:00:00:<to>, or to all where `to` is 255.
Bytes ethernet(std::uint8_t to, std::uint8_t from, std::uint16_t type, std::span<const std::uint8_t> payload);

// An ICMP echo request in an IPv4 packet; addresses in host order, 0x0a000001 is 10.0.0.1.
Bytes echo_request(std::uint32_t from, std::uint32_t to, std::uint16_t sequence);

// The checksum of IPv4, ICMP, IGMP, …: put where the field is zero.
std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes);

}  // namespace turnpike::ground
