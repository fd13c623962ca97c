// The words and numbers that every room above speaks of interfaces with: they are the documented ones (mprapi.h), so
// that no face has to translate them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace turnpike::dim {

using Bytes = std::vector<std::byte>;

// A family of protocols, and the router manager in charge of it: numbered as PPP numbers them.
enum class TransportId : std::uint32_t { kIp = 0x21, kAppleTalk = 0x29, kIpx = 0x2b, kNetbeui = 0x3f, kIpv6 = 0x57 };

enum class InterfaceType : std::uint32_t {
  kClient,      // a client that dialled in
  kHomeRouter,  // a router that dialled in
  kFullRouter,  // demand-dial, router to router
  kDedicated,   // always connected: a network card, a leased line
  kInternal,    // our end of all clients' links
  kLoopback,
  kTunnel,   // IP in IP
  kDialOut,  // demand-dial, to a network that is no router of ours
};

enum class ConnectionState : std::uint32_t { kUnreachable, kDisconnected, kConnecting, kConnected };

// Why an interface is unreachable: bits, several may be set.
using Reasons = std::uint32_t;
inline constexpr Reasons kOutOfResources = 0x01;
inline constexpr Reasons kAdminDisabled = 0x02;
inline constexpr Reasons kConnectionFailure = 0x04;
inline constexpr Reasons kServicePaused = 0x08;
inline constexpr Reasons kDialOutHours = 0x10;
inline constexpr Reasons kNoMediaSense = 0x20;
inline constexpr Reasons kNoDevice = 0x40;

}  // namespace turnpike::dim
