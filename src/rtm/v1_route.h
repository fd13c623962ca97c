// A route as RTMv1 speaks of it, and a change of a network's best route.
//
// V1Route has the layout of RTM_IP_ROUTE; src/capi/rtmv1.cpp asserts it member by member. An IPX route stands in the
// same members: the network's number under a full mask, the hardware address in the first six bytes of `hop`, ticks and
// hops as one metric. So whatever is said of routes is said once. Addresses are in network byte order.
#pragma once

#include <array>
#include <cstdint>

#include "rtm/image.h"

namespace turnpike::rtm {

struct V1Specific {
  std::uint32_t type = 0;
  std::uint32_t policy = 0;
  std::uint32_t next_hop_as = 0;
  std::uint32_t priority = 0;
  std::uint32_t metric = 0;
  std::array<std::uint32_t, 5> metrics{};
  std::uint32_t flags = 0;
  friend bool operator==(const V1Specific&, const V1Specific&) = default;
};

struct V1Route {
  FileTime stamp;
  std::uint32_t protocol = 0;
  std::uint32_t interface_index = 0;
  std::array<std::uint32_t, 4> data{};
  std::uint32_t network = 0;
  std::uint32_t mask = 0;
  std::array<std::uint32_t, 2> hop{};  // IP: the address, and a mask that is kept and means nothing
  V1Specific specific;
};
static_assert(sizeof(V1Route) == 92);

// Values of rtm.h that the table acts upon.
namespace v1 {
inline constexpr std::uint32_t kCurrent = 1, kPrevious = 2;  // which routes a change has
inline constexpr std::uint32_t kThisNetwork = 1, kThisInterface = 2, kThisProtocol = 4, kBestOnly = 8, kCriteria = 15;
inline constexpr std::uint32_t kLocal = 3, kRemote = 4;  // FSD_Type
inline constexpr std::uint32_t kValid = 1;               // FSD_Flags
}  // namespace v1

// `what` says which of the two there are: none is no change, `current` alone a network's first route, `previous` alone
// the end of its last.
struct V1Change {
  std::uint32_t what = 0;
  V1Route current;
  V1Route previous;
};

}  // namespace turnpike::rtm
