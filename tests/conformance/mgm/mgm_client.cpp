#include "mgm_client.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <utility>

namespace turnpike::conformance {
namespace {

constexpr int kPlaces = 6;
constexpr DWORD kAnswer = 0xdeadbeef;  // what every callback returns: MGM takes no notice

struct Place {
  bool used = false;
  std::string name;
  Hooks hooks;
};
std::array<Place, kPlaces> places;

std::mutex book_mutex;
Lines book;

void write(int place, const std::string& line) {
  {
    const std::scoped_lock lock(book_mutex);
    book.push_back(places[place].name + ": " + line);
  }
  if (const auto& hook = places[place].hooks.on_any) hook();
}

const char* truth(BOOL value) { return value != FALSE ? "TRUE" : "FALSE"; }
std::string flow_text(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask) {
  EXPECT_EQ(source_mask, mask_of(source));
  EXPECT_EQ(group_mask, mask_of(group));
  return "(" + text_of(source) + "," + text_of(group) + ")";
}
std::string where(DWORD index, DWORD next_hop) {
  return std::to_string(index) + (next_hop != 0 ? "/" + text_of(next_hop) : "");
}

template <int Number>
struct At {
  static DWORD rpf(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, PDWORD index, PDWORD next_hop,
                   PDWORD upstream, DWORD header_size, PBYTE header, PBYTE route) {
    write(Number, "rpf " + flow_text(source, source_mask, group, group_mask) + " " + where(*index, *next_hop) + " by " +
                      text_of(*upstream));
    if (const auto& hook = places[Number].hooks.on_rpf) {
      hook({index, next_hop, upstream, header_size, header, reinterpret_cast<RTM_DEST_INFO*>(route)});
    }
    return kAnswer;
  }
  static DWORD creation(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop,
                        DWORD count, PMGM_IF_ENTRY list) {
    std::string line =
        "creation " + flow_text(source, source_mask, group, group_mask) + " " + where(index, next_hop) + " ->";
    for (DWORD i = 0; i < count; ++i) {
      EXPECT_EQ(list[i].bIsEnabled, TRUE);
      line += " " + where(list[i].dwIfIndex, list[i].dwIfNextHopAddr) + (list[i].bIGMP != FALSE ? "+igmp" : "");
    }
    write(Number, line);
    if (const auto& hook = places[Number].hooks.on_creation) hook(list, count);
    return kAnswer;
  }
  static DWORD prune(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop,
                     BOOL member, PDWORD timeout) {
    EXPECT_EQ(*timeout, 900U);
    write(Number, "prune " + flow_text(source, source_mask, group, group_mask) + " " + where(index, next_hop) + " " +
                      truth(member));
    if (const auto& hook = places[Number].hooks.on_prune) hook(timeout);
    return kAnswer;
  }
  static DWORD join(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, BOOL member) {
    write(Number, "join " + flow_text(source, source_mask, group, group_mask) + " " + truth(member));
    return kAnswer;
  }
  static DWORD wrong(DWORD source, DWORD group, DWORD index, DWORD next_hop, DWORD, PBYTE) {
    write(Number, "wrong (" + text_of(source) + "," + text_of(group) + ") " + where(index, next_hop));
    return kAnswer;
  }
  static DWORD local_join(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index, DWORD next_hop) {
    write(Number, "local join " + flow_text(source, source_mask, group, group_mask) + " " + where(index, next_hop));
    return kAnswer;
  }
  static DWORD local_leave(DWORD source, DWORD source_mask, DWORD group, DWORD group_mask, DWORD index,
                           DWORD next_hop) {
    write(Number, "local leave " + flow_text(source, source_mask, group, group_mask) + " " + where(index, next_hop));
    return kAnswer;
  }
  static DWORD disable(DWORD index, DWORD next_hop) {
    write(Number, "disable " + where(index, next_hop));
    if (const auto& hook = places[Number].hooks.on_switch) hook();
    return kAnswer;
  }
  static DWORD enable(DWORD index, DWORD next_hop) {
    write(Number, "enable " + where(index, next_hop));
    if (const auto& hook = places[Number].hooks.on_switch) hook();
    return kAnswer;
  }
  static constexpr ROUTING_PROTOCOL_CONFIG kConfig = {0,     rpf,        creation,    prune,   join,
                                                      wrong, local_join, local_leave, disable, enable};
};

template <int... Numbers>
constexpr std::array<ROUTING_PROTOCOL_CONFIG, kPlaces> configs(std::integer_sequence<int, Numbers...>) {
  return {At<Numbers>::kConfig...};
}
constexpr auto kConfigs = configs(std::make_integer_sequence<int, kPlaces>());

int free_place() {
  const auto at = std::find_if(places.begin(), places.end(), [](const Place& place) { return !place.used; });
  EXPECT_NE(at, places.end());
  return static_cast<int>(at - places.begin());
}

}  // namespace

DWORD ip(const std::string& text) { return text == "*" ? 0 : inet_addr(text.c_str()); }
std::string text_of(DWORD address) {
  char text[INET_ADDRSTRLEN];
  return address == 0 ? "*" : inet_ntop(AF_INET, &address, text, sizeof(text));
}

Lines told() {
  const std::scoped_lock lock(book_mutex);
  return std::exchange(book, {});
}

ROUTING_PROTOCOL_CONFIG config_at(int place) { return kConfigs[static_cast<std::size_t>(place)]; }

Protocol::Protocol(const std::string& name, DWORD protocol, DWORD component, bool silent) : place_(free_place()) {
  places[static_cast<std::size_t>(place_)] = {true, name, {}};
  id_ = protocol != 0 ? protocol : 1000 + static_cast<DWORD>(place_);
  ROUTING_PROTOCOL_CONFIG config = silent ? ROUTING_PROTOCOL_CONFIG{} : config_at(place_);
  EXPECT_EQ(MgmRegisterMProtocol(&config, id_, component, &handle_), NO_ERROR);
  EXPECT_NE(handle_, nullptr);
}

Protocol::~Protocol() {
  if (handle_ != nullptr) {
    places[static_cast<std::size_t>(place_)].hooks = {};
    for (const auto& [index, next_hop] : std::vector(held_)) {
      EXPECT_EQ(release(index, next_hop), NO_ERROR);
    }
    EXPECT_EQ(deregister(), NO_ERROR);
  }
  places[static_cast<std::size_t>(place_)].used = false;
}

Hooks* Protocol::operator->() const { return &places[static_cast<std::size_t>(place_)].hooks; }

DWORD Protocol::deregister() {
  const DWORD answer = MgmDeRegisterMProtocol(handle_);
  handle_ = answer == NO_ERROR ? nullptr : handle_;
  return answer;
}

DWORD Protocol::take(DWORD index, DWORD next_hop) const {
  const DWORD answer = MgmTakeInterfaceOwnership(handle_, index, next_hop);
  if (answer == NO_ERROR) held_.emplace_back(index, next_hop);
  return answer;
}
DWORD Protocol::release(DWORD index, DWORD next_hop) const {
  const DWORD answer = MgmReleaseInterfaceOwnership(handle_, index, next_hop);
  if (answer == NO_ERROR) std::erase(held_, std::pair(index, next_hop));
  return answer;
}
void Protocol::holds(std::initializer_list<DWORD> indexes) {
  for (const DWORD index : indexes) ASSERT_EQ(take(index), NO_ERROR);
}
DWORD Protocol::add(const Key& key, DWORD index, DWORD flags, DWORD next_hop) const {
  return MgmAddGroupMembershipEntry(handle_, key.source, mask_of(key.source), key.group, mask_of(key.group), index,
                                    next_hop, flags);
}
DWORD Protocol::remove(const Key& key, DWORD index, DWORD flags, DWORD next_hop) const {
  return MgmDeleteGroupMembershipEntry(handle_, key.source, mask_of(key.source), key.group, mask_of(key.group), index,
                                       next_hop, flags);
}

Lines Protocol::groups(MGM_ENUM_TYPES type) const {
  HANDLE enumeration = nullptr;
  EXPECT_EQ(MgmGroupEnumerationStart(handle_, type, &enumeration), NO_ERROR);
  Lines lines;
  SOURCE_GROUP_ENTRY some[2];
  DWORD answer = ERROR_MORE_DATA;
  while (answer == ERROR_MORE_DATA) {
    DWORD size = sizeof(some);
    DWORD count = 0;
    answer = MgmGroupEnumerationGetNext(enumeration, &size, reinterpret_cast<PBYTE>(some), &count);
    for (DWORD i = 0; i < count; ++i) {
      lines.push_back(flow_text(some[i].dwSourceAddr, some[i].dwSourceMask, some[i].dwGroupAddr, some[i].dwGroupMask));
    }
  }
  EXPECT_EQ(answer, static_cast<DWORD>(ERROR_NO_MORE_ITEMS));
  EXPECT_EQ(MgmGroupEnumerationEnd(enumeration), NO_ERROR);
  std::sort(lines.begin(), lines.end());
  return lines;
}

Way::Way(const std::string& network, int length, DWORD index, const std::string& neighbour) {
  static ULONG instance = 0;
  RTM_ENTITY_INFO info = {};
  info.AddressFamily = AF_INET;
  info.EntityId.EntityProtocolId = kProtocol;
  info.EntityId.EntityInstanceId = ++instance;
  RTM_REGN_PROFILE profile;
  EXPECT_EQ(RtmRegisterEntity(&info, nullptr, nullptr, FALSE, &profile, &entity_), NO_ERROR);
  RTM_NEXTHOP_INFO hop = {};
  hop.InterfaceIndex = index;
  const DWORD address = ip(neighbour);
  RTM_IPV4_MAKE_NET_ADDRESS(&hop.NextHopAddress, address, 32);
  RTM_NEXTHOP_HANDLE hop_handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS hop_flags = 0;
  EXPECT_EQ(RtmAddNextHop(entity_, &hop, &hop_handle, &hop_flags), NO_ERROR);
  RTM_ROUTE_INFO route = {};
  route.PrefInfo.Metric = 1;
  route.BelongsToViews = RTM_VIEW_MASK_MCAST;
  route.NextHopsList.NumNextHops = 1;
  route.NextHopsList.NextHops[0] = hop_handle;
  RTM_NET_ADDRESS destination = {};
  const DWORD base = ip(network);
  RTM_IPV4_MAKE_NET_ADDRESS(&destination, base, static_cast<USHORT>(length));
  RTM_ROUTE_CHANGE_FLAGS flags = RTM_ROUTE_CHANGE_NEW;
  EXPECT_EQ(RtmAddRouteToDest(entity_, nullptr, &destination, &route, INFINITE, nullptr, 0, nullptr, &flags), NO_ERROR);
  EXPECT_EQ(RtmReleaseNextHops(entity_, 1, &hop_handle), NO_ERROR);
  EXPECT_EQ(TpDrain(), 1);
}

Way::~Way() {
  EXPECT_EQ(RtmDeregisterEntity(entity_), NO_ERROR);
  EXPECT_EQ(TpDrain(), 1);
}

std::vector<DWORD> packet(const Key& key, DWORD index) {
  std::vector<DWORD> left(64);
  const int count = TpMgmPacket(key.source, key.group, index, nullptr, 0, left.data(), 64);
  if (count < 0) return {kNoEntry};
  left.resize(static_cast<std::size_t>(count));
  return left;
}

std::string forwarded(const Key& key) {
  DWORD parent = 0;
  std::vector<DWORD> out(64);
  const int count = TpMgmForwarderEntry(key.source, key.group, &parent, out.data(), 64);
  if (count < 0) return "none";
  std::string line = std::to_string(parent) + " ->";
  for (int i = 0; i < count; ++i) line += " " + std::to_string(out[static_cast<std::size_t>(i)]);
  return line;
}

Mfe mfe(const Key& key) {
  std::vector<BYTE> bytes(SIZEOF_MIB_MFE(64));
  MIB_IPMCAST_MFE which = {};
  which.dwSource = key.source;
  which.dwGroup = key.group;
  auto size = static_cast<DWORD>(bytes.size());
  Mfe read;
  read.code = MgmGetMfe(&which, &size, bytes.data());
  if (read.code == NO_ERROR) {
    std::memcpy(&read.head, bytes.data(), SIZEOF_BASIC_MIB_MFE);
    for (ULONG i = 0; i < read.head.ulNumOutIf; ++i) {
      MIB_IPMCAST_OIF out;
      std::memcpy(&out, bytes.data() + SIZEOF_MIB_MFE(i), sizeof(out));
      EXPECT_EQ(out.dwReserved + out.dwReserved1, 0U);
      read.out.push_back(out.dwOutIfIndex);
    }
  }
  return read;
}

std::string shown(const Key& key) {
  const Mfe read = mfe(key);
  if (read.code != NO_ERROR) return "none";
  std::string line = std::to_string(read.head.dwInIfIndex) + " ->";
  for (const DWORD index : read.out) line += " " + std::to_string(index);
  return line;
}

Stats stats(const Key& key) {
  std::vector<BYTE> bytes(SIZEOF_MIB_MFE_STATS_EX(64));
  MIB_IPMCAST_MFE which = {};
  which.dwSource = key.source;
  which.dwGroup = key.group;
  auto size = static_cast<DWORD>(bytes.size());
  Stats read;
  read.code = MgmGetMfeStats(&which, &size, bytes.data(), MGM_MFE_STATS_1);
  if (read.code == NO_ERROR) {
    std::memcpy(&read.head, bytes.data(), SIZEOF_BASIC_MIB_MFE_STATS_EX);
    for (ULONG i = 0; i < read.head.ulNumOutIf; ++i) {
      std::memcpy(&read.out.emplace_back(), bytes.data() + SIZEOF_MIB_MFE_STATS_EX(i), sizeof(MIB_IPMCAST_OIF_STATS));
    }
  }
  return read;
}

TP_MGM_STATUS status() {
  TP_MGM_STATUS now = {};
  now.size = sizeof(now);
  EXPECT_EQ(TpMgmGetStatus(&now), 0U);
  return now;
}

MgmTest::MgmTest() {
  EXPECT_EQ(TpClockUseTest(), 1);
  std::vector<uint32_t> devices(60);
  for (uint32_t i = 0; i < devices.size(); ++i) devices[i] = i + 1;
  EXPECT_EQ(TpMgmUseDevices(devices.data(), static_cast<uint32_t>(devices.size())), 1);
  told();
}

MgmTest::~MgmTest() {
  const TP_MGM_STATUS now = status();
  EXPECT_EQ(now.clients + now.interfaces + now.memberships + now.entries + now.enumerations, 0U);
  EXPECT_EQ(TpMgmForwarderDevices(), 0U);
  EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U);
  EXPECT_EQ(TpClockUseSystem(), 1);
  EXPECT_EQ(TpMgmUseDevices(nullptr, 0), 1);
}

}  // namespace turnpike::conformance
