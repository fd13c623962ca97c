#include "rtm_client.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <ostream>

namespace turnpike::conformance {
namespace {

constexpr size_t kGuard = 64;
constexpr std::byte kGuardByte{0xA5};

/// What the callbacks of all clients were told. Keyed by handle and not by Client: the first event may come before
/// RtmRegisterEntity has returned to the constructor.
struct Mailroom {
  std::mutex lock;
  std::map<HANDLE, std::vector<Event>> told;
  std::map<HANDLE, std::function<DWORD(const Event&)>> reactions;
};
Mailroom& mailroom() {
  static Mailroom room;
  return room;
}

extern "C" DWORD WINAPI hear(RTM_ENTITY_HANDLE receiver, RTM_EVENT_TYPE type, PVOID first, PVOID second) {
  Event event{type, first, second, receiver, {}};
  if (type == RTM_ENTITY_REGISTERED || type == RTM_ENTITY_DEREGISTERED) {
    event.about = *static_cast<PRTM_ENTITY_INFO>(second);
  }
  std::function<DWORD(const Event&)> reaction;
  {
    const std::scoped_lock guard(mailroom().lock);
    const auto found = mailroom().reactions.find(receiver);
    if (found != mailroom().reactions.end()) {
      reaction = found->second;
    }
  }
  const DWORD answer = reaction ? reaction(event) : DWORD{ERROR_NOT_SUPPORTED};
  const std::scoped_lock guard(mailroom().lock);
  mailroom().told[receiver].push_back(event);
  return answer;
}

ULONG fresh_instance() {
  static std::atomic<ULONG> last{100};
  return ++last;
}

UINT count_of(RTM_VIEW_SET views) {
  return views == RTM_VIEW_MASK_ALL ? 2 : static_cast<UINT>(__builtin_popcount(views));
}

/// RTM_ENTITY_EXPORT_METHODS with as many methods as wanted.
std::vector<std::byte> pack(const std::vector<RTM_ENTITY_EXPORT_METHOD>& methods) {
  std::vector<std::byte> bytes(offsetof(RTM_ENTITY_EXPORT_METHODS, Methods) + methods.size() * sizeof(methods[0]));
  const UINT count = static_cast<UINT>(methods.size());
  std::memcpy(bytes.data(), &count, sizeof(count));
  std::memcpy(bytes.data() + offsetof(RTM_ENTITY_EXPORT_METHODS, Methods), methods.data(),
              methods.size() * sizeof(methods[0]));
  return bytes;
}

}  // namespace

Net::Net(const char* text) {
  std::string name(text);
  const size_t slash = name.find('/');
  const bool six = name.find(':') != std::string::npos;
  address_.AddressFamily = six ? AF_INET6 : AF_INET;
  address_.NumBits =
      slash == std::string::npos ? USHORT(six ? 128 : 32) : static_cast<USHORT>(std::stoi(name.substr(slash + 1)));
  EXPECT_EQ(inet_pton(address_.AddressFamily, name.substr(0, slash).c_str(), address_.AddrBits), 1) << text;
}

std::string text_of(const RTM_NET_ADDRESS& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (inet_ntop(address.AddressFamily, address.AddrBits, buffer.data(), buffer.size()) == nullptr) {
    return "family " + std::to_string(address.AddressFamily);
  }
  return std::string(buffer.data()) + "/" + std::to_string(address.NumBits);
}

Books Books::now() {
  Books books;
  for (uint32_t kind = TP_KIND_ENTITY; kind <= TP_KIND_NOTIFICATION; ++kind) {
    books.references[kind] = TpReferenceCount(kind);
    books.objects[kind] = TpObjectCount(kind);
  }
  return books;
}

std::ostream& operator<<(std::ostream& out, const Books& books) {
  static constexpr std::array<const char*, 8> kNames = {"",         "entity",      "destination", "route",
                                                        "next hop", "enumeration", "route list",  "notification"};
  for (size_t kind = 1; kind < kNames.size(); ++kind) {
    out << kNames[kind] << ": " << books.references[kind] << " references, " << books.objects[kind] << " objects; ";
  }
  return out;
}

DestInfo::DestInfo(RTM_ENTITY_HANDLE client, UINT views) : client_(client) {
  bytes_.assign(RTM_SIZE_OF_DEST_INFO(views), std::byte{0});
  bytes_.resize(bytes_.size() + kGuard, kGuardByte);
}

DestInfo::~DestInfo() {
  if (bytes_.empty()) {
    return;  // moved from
  }
  release();
  EXPECT_TRUE(std::all_of(bytes_.end() - kGuard, bytes_.end(), [](std::byte one) { return one == kGuardByte; }))
      << "written beyond RTM_SIZE_OF_DEST_INFO of the views asked for";
}

void DestInfo::release() {
  if (handle() != nullptr) {
    EXPECT_EQ(RtmReleaseDestInfo(client_, get()), DWORD{NO_ERROR});
    get()->DestHandle = nullptr;
  }
}

RouteInfo::RouteInfo(RTM_ENTITY_HANDLE client, const RouteSpec& spec) : client_(client) {
  get()->Neighbour = spec.neighbour;
  get()->Flags = spec.flags;
  get()->PrefInfo = {spec.metric, spec.preference};
  get()->BelongsToViews = spec.views;
  get()->EntitySpecificInfo = spec.data;
  get()->NextHopsList.NumNextHops = static_cast<USHORT>(spec.hops.size());
  std::copy(spec.hops.begin(), spec.hops.end(), &get()->NextHopsList.NextHops[0]);
}

std::vector<RTM_NEXTHOP_HANDLE> RouteInfo::hops() {
  const RTM_NEXTHOP_HANDLE* first = &get()->NextHopsList.NextHops[0];
  return {first, first + get()->NextHopsList.NumNextHops};
}

void RouteInfo::release() {
  if (get()->DestHandle != nullptr) {
    EXPECT_EQ(RtmReleaseRouteInfo(client_, get()), DWORD{NO_ERROR});
    get()->DestHandle = nullptr;
  }
}

Client::Client(const ClientOptions& options) {
  info_.RtmInstanceId = options.rtm_instance;
  info_.AddressFamily = options.family;
  info_.EntityId.EntityProtocolId = options.protocol;
  info_.EntityId.EntityInstanceId = options.instance != 0 ? options.instance : fresh_instance();
  std::vector<std::byte> methods = options.methods.empty() ? std::vector<std::byte>{} : pack(options.methods);
  const DWORD answer = RtmRegisterEntity(
      &info_, methods.empty() ? nullptr : reinterpret_cast<PRTM_ENTITY_EXPORT_METHODS>(methods.data()),
      options.events ? hear : nullptr, options.opaque ? TRUE : FALSE, &profile_, &handle_);
  EXPECT_EQ(answer, DWORD{NO_ERROR});
}

Client::~Client() {
  if (handle_ != nullptr) {
    deregister();
  }
}

void Client::deregister() {
  const Books before = Books::now();
  const HANDLE handle = handle_;
  EXPECT_EQ(RtmDeregisterEntity(handle), DWORD{NO_ERROR});
  handle_ = nullptr;  // not before: a callback that still ran may have used it
  if (tidy_) {
    const Books after = Books::now();
    for (uint32_t kind = TP_KIND_DESTINATION; kind <= TP_KIND_NOTIFICATION; ++kind) {
      EXPECT_EQ(before.references[kind], after.references[kind]) << "left behind, kind " << kind;
    }
  }
  const std::scoped_lock guard(mailroom().lock);
  mailroom().told.erase(handle);
  mailroom().reactions.erase(handle);
}

NextHop Client::next_hop(const char* address, ULONG interface) const {
  RTM_NEXTHOP_INFO info{};
  info.NextHopAddress = Net(address).value();
  info.InterfaceIndex = interface;
  RTM_NEXTHOP_HANDLE handle = nullptr;
  RTM_NEXTHOP_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmAddNextHop(handle_, &info, &handle, &flags), DWORD{NO_ERROR}) << address;
  return {handle_, handle};
}

Route Client::route(Net prefix, const RouteSpec& spec) const {
  DWORD answer = 0;
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  Route route = try_route(prefix, spec, answer, flags);
  EXPECT_EQ(answer, DWORD{NO_ERROR}) << text_of(prefix.value());
  return route;
}

Route Client::try_route(Net prefix, const RouteSpec& spec, DWORD& answer, RTM_ROUTE_CHANGE_FLAGS& flags) const {
  RouteInfo info(handle_, spec);
  RTM_ROUTE_HANDLE handle = nullptr;
  flags = spec.change;
  answer = RtmAddRouteToDest(handle_, &handle, prefix, info, spec.lives, spec.list, 0, nullptr, &flags);
  return {handle_, handle};
}

RTM_ROUTE_CHANGE_FLAGS Client::update(RTM_ROUTE_HANDLE route, Net prefix, const RouteSpec& spec) const {
  RouteInfo info(handle_, spec);
  RTM_ROUTE_HANDLE handle = route;
  RTM_ROUTE_CHANGE_FLAGS flags = spec.change;
  EXPECT_EQ(RtmAddRouteToDest(handle_, &handle, prefix, info, spec.lives, spec.list, 0, nullptr, &flags),
            DWORD{NO_ERROR});
  EXPECT_EQ(handle, route);
  return flags;
}

RTM_ROUTE_CHANGE_FLAGS Client::remove(Route route) const {
  RTM_ROUTE_CHANGE_FLAGS flags = 0;
  EXPECT_EQ(RtmDeleteRouteToDest(handle_, route.consume(), &flags), DWORD{NO_ERROR});
  return flags;
}

DestInfo Client::find(Net prefix, RTM_VIEW_SET views, ULONG protocol) const {
  DestInfo info(handle_, count_of(views));
  EXPECT_EQ(RtmGetExactMatchDestination(handle_, prefix, protocol, views, info), DWORD{NO_ERROR})
      << text_of(prefix.value());
  return info;
}

DestInfo Client::look(RTM_DEST_HANDLE destination, RTM_VIEW_SET views, ULONG protocol) const {
  DestInfo info(handle_, count_of(views));
  EXPECT_EQ(RtmGetDestInfo(handle_, destination, protocol, views, info), DWORD{NO_ERROR});
  return info;
}

bool Client::has(Net prefix, RTM_VIEW_SET views) const {
  DestInfo info(handle_, count_of(views));
  const DWORD answer = RtmGetExactMatchDestination(handle_, prefix, RTM_BEST_PROTOCOL, views, info);
  EXPECT_TRUE(answer == NO_ERROR || answer == ERROR_NOT_FOUND) << answer;
  return answer == NO_ERROR;
}

RTM_ROUTE_HANDLE Client::best(Net prefix, RTM_VIEW_SET view) const { return find(prefix, view).view(0).Route; }

RTM_VIEW_SET Client::best_in(RTM_ROUTE_HANDLE route) const {
  RTM_VIEW_SET views = 0xDEAD;
  EXPECT_EQ(RtmIsBestRoute(handle_, route, &views), DWORD{NO_ERROR});
  return views;
}

void Client::on_event(std::function<DWORD(const Event&)> reaction) {
  EXPECT_EQ(TpDrain(), 1);  // what happened before is not what the test wants to react to
  const std::scoped_lock guard(mailroom().lock);
  mailroom().reactions[handle_] = std::move(reaction);
}

std::vector<Event> Client::events() {
  EXPECT_EQ(TpDrain(), 1);
  const std::scoped_lock guard(mailroom().lock);
  return std::exchange(mailroom().told[handle_], {});
}

std::vector<Event> Client::events(RTM_EVENT_TYPE type) {
  std::vector<Event> all = events();
  std::erase_if(all, [type](const Event& event) { return event.type != type; });
  return all;
}

Watch::Watch(const Client& client, RTM_NOTIFY_FLAGS flags, RTM_VIEW_SET views, PVOID context)
    : client_(client), views_(count_of(views)) {
  EXPECT_EQ(RtmRegisterForChangeNotification(client, views, flags, context, &handle_), DWORD{NO_ERROR});
}

Watch::~Watch() {
  if (handle_ != nullptr) {
    EXPECT_EQ(RtmDeregisterFromChangeNotification(client_, handle_), DWORD{NO_ERROR});
  }
}

std::vector<std::string> Watch::changed() const {
  std::vector<std::string> prefixes;
  for (;;) {
    DestInfo info(client_, views_);
    UINT count = 1;
    const DWORD answer = RtmGetChangedDests(client_, handle_, &count, info);
    if (answer == ERROR_NO_MORE_ITEMS && count == 0) {
      return prefixes;
    }
    EXPECT_EQ(answer, DWORD{NO_ERROR});
    EXPECT_EQ(count, 1U);
    if (answer != NO_ERROR || count != 1) {
      return prefixes;
    }
    prefixes.push_back(info.prefix());
    EXPECT_EQ(RtmReleaseChangedDests(client_, handle_, 1, info), DWORD{NO_ERROR});
    info.consume();
  }
}

RtmTest::RtmTest() { EXPECT_EQ(TpClockUseTest(), 1); }

RtmTest::~RtmTest() {
  EXPECT_EQ(TpObjectCount(TP_KIND_ANY), 0U) << Books::now();
  EXPECT_EQ(TpReferenceCount(TP_KIND_ANY), 0U) << Books::now();
  EXPECT_EQ(TpRtmConfigure(nullptr, 0), 1);
  EXPECT_EQ(TpClockUseSystem(), 1);
}

void RtmTest::configure(const std::vector<TP_RTM_TABLE>& tables) {
  ASSERT_EQ(TpRtmConfigure(tables.data(), static_cast<uint32_t>(tables.size())), 1);
}

}  // namespace turnpike::conformance
