// Frames of LLDP (IEEE 802.1AB): what a station says of itself to its neighbour on the wire, every half minute.
//
// A frame is an Ethernet header and type-length-value elements. The first three are prescribed (chassis, port, time to
// live), the others may be there once each, but management addresses and what organisations define, which may be there
// many times. Reading keeps the standard's rules (clause 9.2.7): a frame whose first three are not as they must be is
// discarded whole, as is one that ends within an element; an element that is not known is passed over.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lldp {

using Bytes = std::vector<std::uint8_t>;
using Mac = std::array<std::uint8_t, 6>;

inline constexpr std::uint16_t kEtherType = 0x88cc;
inline constexpr Mac kNearestBridge{0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e};

// Of a chassis: 4 a MAC address, 5 a network address, 6 an interface's name, 7 local text. Of a port: 3 a MAC address,
// 5 an interface's name, 7 local text.
struct Identifier {
  std::uint8_t subtype = 0;
  Bytes value;  // 1 to 255 bytes

  friend bool operator==(const Identifier&, const Identifier&) = default;
  friend auto operator<=>(const Identifier&, const Identifier&) = default;
};
inline constexpr std::uint8_t kChassisMac = 4;
inline constexpr std::uint8_t kPortMac = 3;
inline constexpr std::uint8_t kPortName = 5;

struct Capabilities {
  std::uint16_t supported = 0;  // 0x04 bridge, 0x10 router, 0x80 station only
  std::uint16_t enabled = 0;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

struct ManagementAddress {
  std::uint8_t family = 0;  // as IANA numbers them: 1 IPv4, 2 IPv6
  Bytes address;            // 1 to 31 bytes
  std::uint8_t numbering = 1;
  std::uint32_t interface_number = 0;
  friend bool operator==(const ManagementAddress&, const ManagementAddress&) = default;
};

struct OrganisationElement {
  std::array<std::uint8_t, 3> organisation{};
  std::uint8_t subtype = 0;
  Bytes value;
  friend bool operator==(const OrganisationElement&, const OrganisationElement&) = default;
};

struct Announcement {
  Identifier chassis;
  Identifier port;
  std::uint16_t seconds_to_live = 120;  // 0: the station goes
  std::optional<std::string> port_description;
  std::optional<std::string> system_name;
  std::optional<std::string> system_description;
  std::optional<Capabilities> capabilities;
  std::vector<ManagementAddress> addresses;
  std::vector<OrganisationElement> organisations;

  friend bool operator==(const Announcement&, const Announcement&) = default;
};

// A whole Ethernet frame from `source`, at least 60 bytes. What does not fit into an element is cut off; elements that
// do not fit into a frame of 1514 bytes are left out, from the last. Nothing where an identifier is empty or too long.
std::optional<Bytes> encode(const Announcement& announcement, const Mac& source);

// Nothing where the frame is none of LLDP, or to be discarded.
std::optional<Announcement> decode(std::span<const std::uint8_t> frame);

}  // namespace lldp
