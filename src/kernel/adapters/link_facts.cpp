#include "kernel/adapters/link_facts.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/descriptor.h"

namespace turnpike::kernel {
namespace {

using ndis::Medium;

struct LinkKind {
  std::uint16_t hardware_type;
  Medium medium;
  std::uint16_t if_type;  // as IANA numbers them
};
constexpr std::uint16_t kRawIp = 519;   // ARPHRD_RAWIP
constexpr std::uint16_t kIp6Gre = 823;  // ARPHRD_IP6GRE
constexpr std::array kKinds{
    LinkKind{ARPHRD_ETHER, Medium::k802_3, 6},     LinkKind{ARPHRD_LOOPBACK, Medium::kLoopback, 24},
    LinkKind{ARPHRD_NONE, Medium::kIp, 131},       LinkKind{kRawIp, Medium::kIp, 131},
    LinkKind{ARPHRD_PPP, Medium::kWan, 23},        LinkKind{ARPHRD_INFINIBAND, Medium::kInfiniBand, 199},
    LinkKind{ARPHRD_TUNNEL, Medium::kTunnel, 131}, LinkKind{ARPHRD_TUNNEL6, Medium::kTunnel, 131},
    LinkKind{ARPHRD_SIT, Medium::kTunnel, 131},    LinkKind{ARPHRD_IPGRE, Medium::kTunnel, 131},
    LinkKind{kIp6Gre, Medium::kTunnel, 131}};

// RFC 2863 counts from 1 and in another order than IFLA_OPERSTATE.
constexpr std::array kStates{ndis::OperStatus::kUnknown, ndis::OperStatus::kNotPresent,
                             ndis::OperStatus::kDown,    ndis::OperStatus::kLowerLayerDown,
                             ndis::OperStatus::kTesting, ndis::OperStatus::kDormant,
                             ndis::OperStatus::kUp};

// Questions that netlink does not answer, or not in one go. By the interface's name: one that is renamed between two
// questions answers nothing, and is told of again.
constexpr unsigned long kWirelessName = 0x8b01;  // SIOCGIWNAME, whose header does not go with net/if.h

class Questions {
 public:
  Questions(const NetNamespace& where, const std::string& name) {
    static_cast<void>(where.inside([this] { socket_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }));
    std::strncpy(request_.ifr_name, name.c_str(), IFNAMSIZ - 1);
  }

  bool ethtool(void* command) {
    request_.ifr_data = static_cast<char*>(command);
    return ::ioctl(socket_.number(), SIOCETHTOOL, &request_) == 0;
  }
  bool is_wireless() { return ::ioctl(socket_.number(), kWirelessName, &request_) == 0; }

 private:
  Descriptor socket_;
  ifreq request_{};
};

void ask_speed(Questions& questions, ndis::LinkFacts& link) {
  ethtool_cmd settings{};
  settings.cmd = ETHTOOL_GSET;  // older than GLINKSETTINGS, and says the same of speed and duplex
  if (!questions.ethtool(&settings)) return;
  const std::uint32_t megabits = ethtool_cmd_speed(&settings);
  if (megabits != 0 && megabits != static_cast<std::uint32_t>(SPEED_UNKNOWN))
    link.speed = std::uint64_t{megabits} * 1'000'000;
  link.max_speed = link.speed;
  if (settings.duplex == DUPLEX_HALF) link.duplex = ndis::Duplex::kHalf;
  if (settings.duplex == DUPLEX_FULL) link.duplex = ndis::Duplex::kFull;
}

std::string ask_driver(Questions& questions) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (!questions.ethtool(&info)) return {};
  std::string text(info.driver, ::strnlen(info.driver, sizeof info.driver));
  if (info.bus_info[0] != 0) text += ' ' + std::string(info.bus_info, ::strnlen(info.bus_info, sizeof info.bus_info));
  return text;
}

}  // namespace

std::optional<ndis::AdapterFacts> facts_of(const Link& link, const NetNamespace& where) {
  const auto kind = std::ranges::find(kKinds, link.hardware_type, &LinkKind::hardware_type);
  if (kind == kKinds.end()) return std::nullopt;
  ndis::AdapterFacts facts;
  facts.index = link.index;
  facts.namespace_id = where.id();
  facts.name = link.name;
  facts.alias = link.alias;
  facts.kind = link.kind;
  facts.medium = kind->medium;
  facts.if_type = kind->if_type;
  facts.mac = link.mac.value_or(net::MacAddress{});
  facts.permanent = link.permanent_mac;
  facts.mtu = link.mtu;
  facts.vlan_id = link.vlan_id;
  facts.promiscuity = link.promiscuity;
  facts.enslaved = !link.master.is_none();
  facts.has_parent = !link.parent_device.empty();
  facts.link.admin_up = (link.flags & kLinkUp) != 0;
  facts.link.carrier = (link.flags & kLinkLowerUp) != 0;
  if (link.operational_state < kStates.size()) facts.link.oper = kStates[link.operational_state];
  Questions questions(where, link.name);
  ask_speed(questions, facts.link);
  facts.driver = ask_driver(questions);
  if (facts.medium == Medium::k802_3)
    facts.physical = questions.is_wireless() ? ndis::PhysicalMedium::kWirelessLan : ndis::PhysicalMedium::k802_3;
  else
    facts.physical = ndis::PhysicalMedium::kOther;
  return facts;
}

}  // namespace turnpike::kernel
