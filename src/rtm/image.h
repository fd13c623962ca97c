// What clients see: the structures of the table's C face, as the table itself fills and keeps them.
//
// They have the layout of RTM_NET_ADDRESS, RTM_DEST_INFO, RTM_ROUTE_INFO and RTM_NEXTHOP_INFO; src/capi/rtmv2.cpp
// asserts it member by member, and turns one into the other by a cast. The table fills a client's DestImage directly (a
// million of them a second must not be copied twice), and keeps a RouteImage or NextHopImage of its own only for a
// route or next hop whose owner has asked for a pointer or a lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "rtm/handle.h"

namespace turnpike::rtm {

using ViewSet = std::uint32_t;
inline constexpr ViewSet kAnyView = 0;
inline constexpr ViewSet kAllViews = 0xffffffff;
inline constexpr unsigned kMaxViews = 32;

struct NetAddress {
  std::uint16_t family = 0;
  std::uint16_t bits = 0;
  std::uint8_t address[16] = {};
};

struct FileTime {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
};

struct ViewImage {
  std::int32_t view = 0;
  std::uint32_t route_count = 0;
  Handle route = Handle::kNone;
  Handle owner = Handle::kNone;
  std::uint32_t flags = 0;
  Handle hold_route = Handle::kNone;
};

struct DestImage {
  Handle destination = Handle::kNone;
  NetAddress address;
  FileTime last_changed;
  ViewSet views = 0;
  std::uint32_t view_count = 0;
  ViewImage view[1];  // view_count of them
};
inline constexpr std::size_t kDestImageBase = offsetof(DestImage, view);
constexpr std::size_t size_of_dest_image(unsigned views) { return kDestImageBase + views * sizeof(ViewImage); }

struct Preference {
  std::uint32_t metric = 0;
  std::uint32_t preference = 0;
  friend constexpr bool operator==(const Preference&, const Preference&) = default;
};

struct RouteImage {
  Handle destination = Handle::kNone;
  Handle owner = Handle::kNone;
  Handle neighbour = Handle::kNone;
  std::uint8_t state = 0;
  std::uint8_t flags1 = 0;
  std::uint16_t flags = 0;
  Preference preference;
  ViewSet views = 0;
  void* entity_specific = nullptr;
  std::uint16_t hop_count = 0;
  Handle hops[1] = {};  // hop_count of them
};
constexpr std::size_t size_of_route_image(unsigned hops) { return offsetof(RouteImage, hops) + hops * sizeof(Handle); }

struct NextHopImage {
  NetAddress address;
  Handle owner = Handle::kNone;
  std::uint32_t interface_index = 0;
  std::uint16_t state = 0;
  std::uint16_t flags = 0;
  void* entity_specific = nullptr;
  Handle remote = Handle::kNone;
};

// Values of rtmv2.h that the table acts upon.
namespace route_state {
inline constexpr std::uint8_t kCreated = 0, kDeleting = 1, kDeleted = 2;
}
namespace next_hop_state {
inline constexpr std::uint16_t kCreated = 0, kDeleted = 1;
}
inline constexpr std::uint16_t kForwardingFlags = 0x000f;
inline constexpr std::uint16_t kLocalFlag = 0x0010;  // FSD_Type 3 of RTMv1
inline constexpr std::uint16_t kRemoteNextHop = 0x0001;
namespace dest_flag {
inline constexpr std::uint32_t kNaturalNet = 1, kInstalled = 2, kDontForward = 4;
}
namespace change {
inline constexpr std::uint32_t kFirst = 0x01, kNew = 0x02, kBest = 0x00010000;  // in and out of adding a route
inline constexpr std::uint32_t kAll = 1, kBestRoute = 2, kForwarding = 4, kTypes = 7, kOnlyMarked = 0x00010000;
}  // namespace change
namespace match {
inline constexpr std::uint32_t kOwner = 1, kNeighbour = 2, kPreference = 4, kNextHop = 8, kInterface = 16;
}
namespace enumeration {
inline constexpr std::uint32_t kNext = 1, kRange = 2, kOwnRoutes = 0x00010000, kOwnDestinations = 0x01000000;
}
inline constexpr std::uint32_t kBestProtocol = 0, kThisProtocol = 0xffffffff;
inline constexpr std::uint32_t kInfinite = 0xffffffff;

}  // namespace turnpike::rtm
