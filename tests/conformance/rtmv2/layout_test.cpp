// RTM2-001 … RTM2-010: what the header fixes. No library behind it: sizes, offsets, values, macros.
#define MPR50 1
#include <gtest/gtest.h>
#include <routprot.h>
#include <rtmv2.h>
#include <sys/socket.h>
#include <winerror.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace turnpike::conformance {
namespace {

struct Value {
  const char* name;
  unsigned long long is;
  unsigned long long wanted;
};
#define VALUE(name, wanted) \
  Value { #name, static_cast<unsigned long long>(name), wanted }

template <size_t N>
void check(const Value (&values)[N]) {
  for (const Value& value : values) {
    EXPECT_EQ(value.is, value.wanted) << value.name;
  }
}

// clauses: RTM2-001
TEST(Layout, SizesOnLp64) {
  check({VALUE(sizeof(RTM_NET_ADDRESS), 20), VALUE(sizeof(RTM_REGN_PROFILE), 16), VALUE(sizeof(RTM_PREF_INFO), 8),
         VALUE(sizeof(RTM_NEXTHOP_LIST), 16), VALUE(sizeof(RTM_DEST_INFO), 88), VALUE(sizeof(RTM_ROUTE_INFO), 64),
         VALUE(sizeof(RTM_NEXTHOP_INFO), 56), VALUE(sizeof(RTM_ENTITY_ID), 8), VALUE(sizeof(RTM_ENTITY_INFO), 16)});
  check({VALUE(alignof(RTM_NET_ADDRESS), 2), VALUE(alignof(RTM_ENTITY_ID), 8), VALUE(alignof(FILETIME), 4)});
}

// clauses: RTM2-002
TEST(Layout, OffsetsOfDestInfo) {
  check({VALUE(offsetof(RTM_DEST_INFO, DestHandle), 0), VALUE(offsetof(RTM_DEST_INFO, DestAddress), 8),
         VALUE(offsetof(RTM_DEST_INFO, LastChanged), 28), VALUE(offsetof(RTM_DEST_INFO, BelongsToViews), 36),
         VALUE(offsetof(RTM_DEST_INFO, NumberOfViews), 40), VALUE(offsetof(RTM_DEST_INFO, ViewInfo), 48)});
  using View = std::remove_extent_t<decltype(RTM_DEST_INFO::ViewInfo)>;
  check({VALUE(sizeof(View), 40), VALUE(offsetof(View, ViewId), 0), VALUE(offsetof(View, NumRoutes), 4),
         VALUE(offsetof(View, Route), 8), VALUE(offsetof(View, Owner), 16), VALUE(offsetof(View, DestFlags), 24),
         VALUE(offsetof(View, HoldRoute), 32)});
}

// clauses: RTM2-002
TEST(Layout, OffsetsOfRouteInfo) {
  check({VALUE(offsetof(RTM_ROUTE_INFO, DestHandle), 0), VALUE(offsetof(RTM_ROUTE_INFO, RouteOwner), 8),
         VALUE(offsetof(RTM_ROUTE_INFO, Neighbour), 16), VALUE(offsetof(RTM_ROUTE_INFO, State), 24),
         VALUE(offsetof(RTM_ROUTE_INFO, Flags1), 25), VALUE(offsetof(RTM_ROUTE_INFO, Flags), 26),
         VALUE(offsetof(RTM_ROUTE_INFO, PrefInfo), 28), VALUE(offsetof(RTM_ROUTE_INFO, BelongsToViews), 36),
         VALUE(offsetof(RTM_ROUTE_INFO, EntitySpecificInfo), 40), VALUE(offsetof(RTM_ROUTE_INFO, NextHopsList), 48)});
  check({VALUE(offsetof(RTM_PREF_INFO, Metric), 0), VALUE(offsetof(RTM_PREF_INFO, Preference), 4),
         VALUE(offsetof(RTM_NEXTHOP_LIST, NumNextHops), 0), VALUE(offsetof(RTM_NEXTHOP_LIST, NextHops), 8)});
}

// clauses: RTM2-002
TEST(Layout, OffsetsOfNextHopInfo) {
  check({VALUE(offsetof(RTM_NEXTHOP_INFO, NextHopAddress), 0), VALUE(offsetof(RTM_NEXTHOP_INFO, NextHopOwner), 24),
         VALUE(offsetof(RTM_NEXTHOP_INFO, InterfaceIndex), 32), VALUE(offsetof(RTM_NEXTHOP_INFO, State), 36),
         VALUE(offsetof(RTM_NEXTHOP_INFO, Flags), 38), VALUE(offsetof(RTM_NEXTHOP_INFO, EntitySpecificInfo), 40),
         VALUE(offsetof(RTM_NEXTHOP_INFO, RemoteNextHop), 48)});
}

// clauses: RTM2-003
TEST(Layout, DataOfTheGrowingStructures) {
  check({VALUE(offsetof(RTM_ENTITY_METHOD_INPUT, InputData), 8),
         VALUE(offsetof(RTM_ENTITY_METHOD_OUTPUT, OutputData), 12),
         VALUE(offsetof(RTM_ENTITY_EXPORT_METHODS, Methods), 8)});
}

// clauses: RTM2-004
TEST(Constants, ViewsDestinationsStates) {
  check({VALUE(RTM_MAX_ADDRESS_SIZE, 16),      VALUE(RTM_MAX_VIEWS, 32),
         VALUE(RTM_VIEW_ID_UCAST, 0),          VALUE(RTM_VIEW_ID_MCAST, 1),
         VALUE(RTM_VIEW_MASK_SIZE, 0x20),      VALUE(RTM_VIEW_MASK_NONE, 0),
         VALUE(RTM_VIEW_MASK_ANY, 0),          VALUE(RTM_VIEW_MASK_UCAST, 1),
         VALUE(RTM_VIEW_MASK_MCAST, 2),        VALUE(RTM_VIEW_MASK_ALL, 0xFFFFFFFF),
         VALUE(RTM_DEST_FLAG_NATURAL_NET, 1),  VALUE(RTM_DEST_FLAG_FWD_ENGIN_ADD, 2),
         VALUE(RTM_DEST_FLAG_DONT_FORWARD, 4), VALUE(RTM_ROUTE_STATE_CREATED, 0),
         VALUE(RTM_ROUTE_STATE_DELETING, 1),   VALUE(RTM_ROUTE_STATE_DELETED, 2),
         VALUE(RTM_NEXTHOP_STATE_CREATED, 0),  VALUE(RTM_NEXTHOP_STATE_DELETED, 1),
         VALUE(RTM_NEXTHOP_FLAGS_REMOTE, 1),   VALUE(RTM_NEXTHOP_FLAGS_DOWN, 2)});
}

// clauses: RTM2-004
TEST(Constants, RouteFlags) {
  check({VALUE(RTM_ROUTE_FLAGS_MARTIAN, 0x0001), VALUE(RTM_ROUTE_FLAGS_BLACKHOLE, 0x0002),
         VALUE(RTM_ROUTE_FLAGS_DISCARD, 0x0004), VALUE(RTM_ROUTE_FLAGS_INACTIVE, 0x0008),
         VALUE(RTM_ROUTE_FLAGS_LOCAL, 0x0010), VALUE(RTM_ROUTE_FLAGS_REMOTE, 0x0020),
         VALUE(RTM_ROUTE_FLAGS_MYSELF, 0x0040), VALUE(RTM_ROUTE_FLAGS_LOOPBACK, 0x0080),
         VALUE(RTM_ROUTE_FLAGS_MCAST, 0x0100), VALUE(RTM_ROUTE_FLAGS_LOCAL_MCAST, 0x0200),
         VALUE(RTM_ROUTE_FLAGS_LIMITED_BC, 0x0400), VALUE(RTM_ROUTE_FLAGS_ZEROS_NETBC, 0x1000),
         VALUE(RTM_ROUTE_FLAGS_ZEROS_SUBNETBC, 0x2000), VALUE(RTM_ROUTE_FLAGS_ONES_NETBC, 0x4000),
         VALUE(RTM_ROUTE_FLAGS_ONES_SUBNETBC, 0x8000), VALUE(RTM_ROUTE_FLAGS_FORWARDING, 0x000F),
         VALUE(RTM_ROUTE_FLAGS_ANY_UNICAST, 0x0070), VALUE(RTM_ROUTE_FLAGS_ANY_MCAST, 0x0300)});
}

// clauses: RTM2-004
TEST(Constants, FlagsOfCalls) {
  check({VALUE(RTM_ROUTE_CHANGE_FIRST, 1),
         VALUE(RTM_ROUTE_CHANGE_NEW, 2),
         VALUE(RTM_ROUTE_CHANGE_BEST, 0x00010000),
         VALUE(RTM_NEXTHOP_CHANGE_NEW, 1),
         VALUE(RTM_MATCH_NONE, 0),
         VALUE(RTM_MATCH_OWNER, 1),
         VALUE(RTM_MATCH_NEIGHBOUR, 2),
         VALUE(RTM_MATCH_PREF, 4),
         VALUE(RTM_MATCH_NEXTHOP, 8),
         VALUE(RTM_MATCH_INTERFACE, 0x10),
         VALUE(RTM_MATCH_FULL, 0xFFFF),
         VALUE(RTM_BEST_PROTOCOL, 0),
         VALUE(RTM_THIS_PROTOCOL, 0xFFFFFFFF),
         VALUE(RTM_ENUM_START, 0),
         VALUE(RTM_ENUM_NEXT, 1),
         VALUE(RTM_ENUM_RANGE, 2),
         VALUE(RTM_ENUM_ALL_DESTS, 0),
         VALUE(RTM_ENUM_OWN_DESTS, 0x01000000),
         VALUE(RTM_ENUM_ALL_ROUTES, 0),
         VALUE(RTM_ENUM_OWN_ROUTES, 0x00010000),
         VALUE(RTM_NUM_CHANGE_TYPES, 3),
         VALUE(RTM_CHANGE_TYPE_ALL, 1),
         VALUE(RTM_CHANGE_TYPE_BEST, 2),
         VALUE(RTM_CHANGE_TYPE_FORWARDING, 4),
         VALUE(RTM_NOTIFY_ONLY_MARKED_DESTS, 0x00010000),
         VALUE(DEST_TYPE, 1),
         VALUE(ROUTE_TYPE, 2),
         VALUE(NEXTHOP_TYPE, 3)});
  check({VALUE(RTM_ENTITY_REGISTERED, 0), VALUE(RTM_ENTITY_DEREGISTERED, 1), VALUE(RTM_ROUTE_EXPIRED, 2),
         VALUE(RTM_CHANGE_NOTIFICATION, 3)});
}

// clauses: RTM2-004
TEST(Constants, Methods) {
  check({VALUE(METHOD_TYPE_ALL_METHODS, 0xFFFFFFFF), VALUE(RTM_RESUME_METHODS, 0), VALUE(RTM_BLOCK_METHODS, 1),
         VALUE(METHOD_RIP2_NEIGHBOUR_ADDR, 1), VALUE(METHOD_RIP2_OUTBOUND_INTF, 2), VALUE(METHOD_RIP2_ROUTE_TAG, 4),
         VALUE(METHOD_RIP2_ROUTE_TIMESTAMP, 8), VALUE(METHOD_OSPF_ROUTE_TYPE, 1), VALUE(METHOD_OSPF_ROUTE_METRIC, 2),
         VALUE(METHOD_OSPF_LSDB_TYPE, 4), VALUE(METHOD_OSPF_ROUTE_TAG, 8), VALUE(METHOD_OSPF_ROUTE_AREA, 0x10),
         VALUE(METHOD_OSPF_FWD_ADDRESS, 0x20), VALUE(METHOD_BGP4_AS_PATH, 1), VALUE(METHOD_BGP4_PEER_ID, 2),
         VALUE(METHOD_BGP4_PA_ORIGIN, 4), VALUE(METHOD_BGP4_NEXTHOP_ATTR, 8)});
}

// clauses: RTM2-004
TEST(Constants, StatusCodes) {
  check({VALUE(NO_ERROR, 0), VALUE(ERROR_FILE_NOT_FOUND, 2), VALUE(ERROR_ACCESS_DENIED, 5),
         VALUE(ERROR_INVALID_HANDLE, 6), VALUE(ERROR_NOT_ENOUGH_MEMORY, 8), VALUE(ERROR_INVALID_DATA, 13),
         VALUE(ERROR_NOT_SUPPORTED, 50), VALUE(ERROR_INVALID_PARAMETER, 87), VALUE(ERROR_INSUFFICIENT_BUFFER, 122),
         VALUE(ERROR_ALREADY_EXISTS, 183), VALUE(ERROR_NO_MORE_ITEMS, 259), VALUE(ERROR_NOT_FOUND, 1168),
         VALUE(ERROR_NO_SYSTEM_RESOURCES, 1450), VALUE(ERROR_BAD_CONFIGURATION, 1610), VALUE(INFINITE, 0xFFFFFFFF)});
}

// clauses: RTM2-004
TEST(Constants, ProtocolNumbers) {
  check({VALUE(PROTO_IP_OTHER, 1),         VALUE(PROTO_IP_LOCAL, 2),
         VALUE(PROTO_IP_NETMGMT, 3),       VALUE(PROTO_IP_ICMP, 4),
         VALUE(PROTO_IP_EGP, 5),           VALUE(PROTO_IP_GGP, 6),
         VALUE(PROTO_IP_HELLO, 7),         VALUE(PROTO_IP_RIP, 8),
         VALUE(PROTO_IP_IS_IS, 9),         VALUE(PROTO_IP_ES_IS, 10),
         VALUE(PROTO_IP_CISCO, 11),        VALUE(PROTO_IP_BBN, 12),
         VALUE(PROTO_IP_OSPF, 13),         VALUE(PROTO_IP_BGP, 14),
         VALUE(PROTO_IP_BOOTP, 9999),      VALUE(PROTO_IP_NT_AUTOSTATIC, 10002),
         VALUE(PROTO_IP_NT_STATIC, 10006), VALUE(PROTO_IP_NT_STATIC_NON_DOD, 10007),
         VALUE(PROTO_IP_MGM, 10009),       VALUE(PROTO_TYPE_UCAST, 0),
         VALUE(PROTO_TYPE_MCAST, 1),       VALUE(PROTO_TYPE_MS0, 2),
         VALUE(PROTO_TYPE_MS1, 3),         VALUE(PROTO_VENDOR_MS0, 0),
         VALUE(PROTO_VENDOR_MS1, 0x137),   VALUE(PROTO_VENDOR_MS2, 0x3FFF)});
}

// clauses: RTM2-005
TEST(Layout, EntityIdIsProtocolBelowInstance) {
  static_assert(std::endian::native == std::endian::little);
  RTM_ENTITY_ID id{};
  id.EntityProtocolId = 0x11223344;
  id.EntityInstanceId = 0x55667788;
  EXPECT_EQ(id.EntityId, 0x5566778811223344ULL);
}

// clauses: RTM2-006
TEST(Macros, SizeOfDestInfo) {
  check({VALUE(RTM_BASIC_DEST_INFO_SIZE, 48), VALUE(RTM_DEST_VIEW_INFO_SIZE, 40), VALUE(RTM_SIZE_OF_DEST_INFO(0), 48),
         VALUE(RTM_SIZE_OF_DEST_INFO(1), 88), VALUE(RTM_SIZE_OF_DEST_INFO(2), 128),
         VALUE(RTM_SIZE_OF_DEST_INFO(1 + 1), 128)});
}

// clauses: RTM2-007
TEST(Macros, SizeOfRouteInfoHoldsEveryHop_choice) {
  for (size_t hops = 0; hops <= 8; ++hops) {
    EXPECT_GE(RTM_SIZE_OF_ROUTE_INFO(hops), offsetof(RTM_ROUTE_INFO, NextHopsList.NextHops) + hops * sizeof(HANDLE));
  }
}

// clauses: RTM2-008
TEST(Macros, BroadcastGroups_choice) {
  check({VALUE(RTM_ROUTE_FLAGS_SUBNET_BCAST, 0xA000), VALUE(RTM_ROUTE_FLAGS_NET_BCAST, 0x5000),
         VALUE(RTM_ROUTE_FLAGS_ANY_BCAST, 0xF400), VALUE(RTM_ROUTE_FLAGS_ONES_SUBNET_BC, 0x8000)});
}

// clauses: RTM2-009
TEST(Macros, MaskAndLengthRoundTrip) {
  for (ULONG length = 0; length <= 32; ++length) {
    const ULONG mask = RTM_IPV4_MASK_FROM_LEN(length);
    ULONG back = 99;
    RTM_IPV4_LEN_FROM_MASK(back, mask);
    EXPECT_EQ(back, length);
    // In network byte order: the bits stand at the front of memory.
    std::array<UCHAR, 4> bytes{};
    std::memcpy(bytes.data(), &mask, sizeof(mask));
    for (ULONG bit = 0; bit < 32; ++bit) {
      EXPECT_EQ((bytes[bit / 8] >> (7 - bit % 8)) & 1, bit < length ? 1 : 0) << length << " bit " << bit;
    }
  }
}

constexpr std::array<UCHAR, 4> kBytes = {192, 0, 2, 0};
ULONG network_order() {
  ULONG address = 0;
  std::memcpy(&address, kBytes.data(), sizeof(address));
  return address;
}

void expect_is_192_0_2_0_slash_24(const RTM_NET_ADDRESS& address) {
  EXPECT_EQ(address.AddressFamily, 2);
  EXPECT_EQ(address.NumBits, 24);
  EXPECT_EQ(std::memcmp(address.AddrBits, kBytes.data(), kBytes.size()), 0);
}

// clauses: RTM2-010
TEST(Macros, SetAddress) {
  RTM_NET_ADDRESS made{};
  RTM_IPV4_MAKE_NET_ADDRESS(&made, network_order(), 24);
  expect_is_192_0_2_0_slash_24(made);
  RTM_NET_ADDRESS with_length{};
  RTM_IPV4_SET_ADDR_AND_LEN(&with_length, network_order(), 24);
  expect_is_192_0_2_0_slash_24(with_length);
  RTM_NET_ADDRESS with_mask{};
  RTM_IPV4_SET_ADDR_AND_MASK(&with_mask, network_order(), RTM_IPV4_MASK_FROM_LEN(24));
  expect_is_192_0_2_0_slash_24(with_mask);
}

// clauses: RTM2-010
TEST(Macros, GetAddress) {
  RTM_NET_ADDRESS from{};
  RTM_IPV4_SET_ADDR_AND_LEN(&from, network_order(), 24);
  ULONG address = 0;
  ULONG length = 0;
  RTM_IPV4_GET_ADDR_AND_LEN(address, length, &from);
  EXPECT_EQ(address, network_order());
  EXPECT_EQ(length, 24U);
  ULONG mask = 0;
  address = 0;
  RTM_IPV4_GET_ADDR_AND_MASK(address, mask, &from);
  EXPECT_EQ(address, network_order());
  EXPECT_EQ(mask, RTM_IPV4_MASK_FROM_LEN(24));
}

}  // namespace
}  // namespace turnpike::conformance
