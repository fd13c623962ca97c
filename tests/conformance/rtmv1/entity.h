// An RTMv2 entity in as few words as an RTMv1 client.
#ifndef TURNPIKE_TESTS_CONFORMANCE_ENTITY_H
#define TURNPIKE_TESTS_CONFORMANCE_ENTITY_H

#include <sys/socket.h>

#include <gtest/gtest.h>
#include <rtmv2.h>

#include <cstring>
#include <string>

#include "route_client.h"

namespace turnpike::conformance {

/// An RTMv2 entity whose routes have one next hop at most, beside RTMv1's clients. It has no callback, so no
/// thread of the library's runs.
class Entity {
 public:
  explicit Entity(ULONG protocol) {
    RTM_ENTITY_INFO info{};
    info.AddressFamily = AF_INET;
    info.EntityId.EntityProtocolId = protocol;
    info.EntityId.EntityInstanceId = 1;
    RTM_REGN_PROFILE profile{};
    EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &handle_), DWORD{NO_ERROR});
  }
  Entity(const Entity&) = delete;
  Entity& operator=(const Entity&) = delete;
  ~Entity() { EXPECT_EQ(RtmDeregisterEntity(handle_), DWORD{NO_ERROR}); }
  operator RTM_ENTITY_HANDLE() const { return handle_; }  // NOLINT(google-explicit-constructor)

  static RTM_NET_ADDRESS net(const char* prefix) {
    const IP_NETWORK from = network(prefix);
    RTM_NET_ADDRESS made{};
    made.AddressFamily = AF_INET;
    made.NumBits = static_cast<USHORT>(__builtin_popcount(from.N_NetMask));
    std::memcpy(made.AddrBits, &from.N_NetNumber, 4);
    return made;
  }
  /// Adds or updates; 0 as next hop's address: none.
  void add(const char* prefix, const Via& via, USHORT flags = 0, RTM_VIEW_SET views = RTM_VIEW_MASK_UCAST) const {
    RTM_NEXTHOP_INFO hop{};
    hop.NextHopAddress = net((std::string(via.hop) + "/32").c_str());
    hop.InterfaceIndex = via.interface;
    RTM_NEXTHOP_HANDLE hop_handle = nullptr;
    RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
    ASSERT_EQ(RtmAddNextHop(handle_, &hop, &hop_handle, &hop_flags), DWORD{NO_ERROR});
    RTM_ROUTE_INFO info{};
    info.PrefInfo = {via.metric, 0};
    info.Flags = flags;
    info.BelongsToViews = views;
    info.NextHopsList.NumNextHops = via.hop == std::string("0.0.0.0") ? 0 : 1;
    info.NextHopsList.NextHops[0] = hop_handle;
    RTM_NET_ADDRESS address = net(prefix);
    RTM_ROUTE_CHANGE_FLAGS change = 0;
    ASSERT_EQ(RtmAddRouteToDest(handle_, nullptr, &address, &info, INFINITE, nullptr, 0, nullptr, &change),
              DWORD{NO_ERROR});
    ASSERT_EQ(RtmReleaseNextHops(handle_, 1, &hop_handle), DWORD{NO_ERROR});
  }
  void remove(const char* prefix) const {
    RTM_NET_ADDRESS address = net(prefix);
    RTM_ROUTE_INFO info{};
    info.RouteOwner = handle_;
    RTM_ROUTE_HANDLE route = nullptr;
    ASSERT_EQ(RtmGetExactMatchRoute(handle_, &address, RTM_MATCH_OWNER, &info, 0, RTM_VIEW_MASK_ANY, &route),
              DWORD{NO_ERROR});
    ASSERT_EQ(RtmReleaseRouteInfo(handle_, &info), DWORD{NO_ERROR});
    RTM_ROUTE_CHANGE_FLAGS change = 0;
    ASSERT_EQ(RtmDeleteRouteToDest(handle_, route, &change), DWORD{NO_ERROR});
  }

 private:
  RTM_ENTITY_HANDLE handle_ = nullptr;
};

}  // namespace turnpike::conformance

#endif
