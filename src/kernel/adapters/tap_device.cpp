#include "kernel/adapters/tap_device.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "base/log.h"
#include "kernel/adapters/link_question.h"
#include "kernel/adapters/super_frame.h"

namespace turnpike::kernel {
namespace {

constexpr const char* kPath = "/dev/net/tun";
constexpr std::uint32_t kUsualQueue = 500;

const AttributeTable kAttributes{{IFLA_IFNAME, Shape::kText, "IFLA_IFNAME"},
                                 {IFLA_TXQLEN, Shape::kU32, "IFLA_TXQLEN"},
                                 {IFLA_LINKINFO, Shape::kNested, "IFLA_LINKINFO"}};
const AttributeTable kInfoAttributes{{IFLA_INFO_KIND, Shape::kText, "IFLA_INFO_KIND"},
                                     {IFLA_INFO_DATA, Shape::kNested, "IFLA_INFO_DATA"}};
const AttributeTable kTunAttributes{{IFLA_TUN_TYPE, Shape::kU8, "IFLA_TUN_TYPE"},
                                    {IFLA_TUN_MULTI_QUEUE, Shape::kU8, "IFLA_TUN_MULTI_QUEUE"},
                                    {IFLA_TUN_NUM_QUEUES, Shape::kU32, "IFLA_TUN_NUM_QUEUES"},
                                    {IFLA_TUN_NUM_DISABLED_QUEUES, Shape::kU32, "IFLA_TUN_NUM_DISABLED_QUEUES"}};

struct TunState {
  std::string name;
  std::uint32_t queue_length = 0;
  bool is_tun = false;       // or TAP: at all
  std::uint8_t type = 0;     // IFF_TUN or IFF_TAP
  bool many_queues = false;  // made for several at its far end, who share what the host sends
  std::uint32_t queues = 0;  // how many are there: told of one for several alone
};

Result<TunState> read_state(const NetNamespace& where, net::InterfaceIndex index) {
  LinkQuestion question;
  const auto answer = question.attributes(where, index);
  if (!answer) return tl::unexpected(answer.error());
  Attributes link, info, tun;
  if (const auto read = link.read(*answer, kAttributes).and_then([&] {
        return info.read(link.bytes(IFLA_LINKINFO), kInfoAttributes);
      });
      !read)
    return tl::unexpected(read.error());
  TunState state;
  state.name = link.text(IFLA_IFNAME);
  state.queue_length = link.u32(IFLA_TXQLEN);
  state.is_tun = info.text(IFLA_INFO_KIND) == "tun";
  if (!state.is_tun) return state;
  if (const auto read = tun.read(info.bytes(IFLA_INFO_DATA), kTunAttributes); !read)
    return tl::unexpected(read.error());
  state.type = tun.u8(IFLA_TUN_TYPE);
  state.many_queues = tun.u8(IFLA_TUN_MULTI_QUEUE) != 0;
  state.queues = tun.u32(IFLA_TUN_NUM_QUEUES) + tun.u32(IFLA_TUN_NUM_DISABLED_QUEUES);
  return state;
}

struct Attached {
  Descriptor device;
  net::InterfaceIndex index;
  int error = 0;
  const char* what = "";
};

// In the namespace of the calling thread.
Attached attach(const std::string& name, int flags) {
  Attached made;
  made.device.reset(::open(kPath, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!made.device.is_open()) {
    made.error = errno;
    made.what = "/dev/net/tun cannot be opened";
    return made;
  }
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags);
  if (::ioctl(made.device.number(), TUNSETIFF, &request) != 0) {
    made.error = errno;
    made.what = "/dev/net/tun does not give the interface";
    return made;
  }
  made.index = net::InterfaceIndex(::if_nametoindex(request.ifr_name));
  return made;
}

// What whoever was there before us may have left: the interface remembers. No offload, so that the host's stack cuts
// its frames and computes their checksums itself; what it had already queued says in its header what it is.
Result<void> prepare(const Descriptor& device, bool tap) {
  int header = sizeof(Offload);
  tun_filter all{};
  const bool done = ::ioctl(device.number(), TUNSETOFFLOAD, 0UL) == 0 &&
                    ::ioctl(device.number(), TUNSETVNETHDRSZ, &header) == 0 &&
                    (!tap || ::ioctl(device.number(), TUNSETTXFILTER, &all) >= 0);
  return done ? Result<void>{} : Result<void>(fail_errno(errno, "the interface takes no settings"));
}

}  // namespace

Result<Descriptor> attach_tap(const AdapterOpening& opening) {
  const auto state = read_state(*opening.where, opening.index);
  if (!state) return tl::unexpected(state.error());
  if (!state->is_tun) return fail(ErrorKind::kUnsupported, "the interface is no TUN or TAP interface");
  if (state->queues != 0) return fail(ErrorKind::kBusy, "somebody holds the TUN or TAP interface");
  Attached made;
  const int many = state->many_queues ? IFF_MULTI_QUEUE : 0;
  const auto entered =
      opening.where->inside([&] { made = attach(state->name, state->type | many | IFF_NO_PI | IFF_VNET_HDR); });
  if (!entered)
    return tl::unexpected(
        denied_or_kernel(entered.error().system_code, entered.error().what, "CAP_SYS_ADMIN", opening));
  if (made.error == EBUSY) return fail(ErrorKind::kBusy, "somebody holds the TUN or TAP interface");
  if (made.error != 0) {
    const char* const right = made.device.is_open() ? "CAP_NET_ADMIN, or to own the interface" : kPath;
    return tl::unexpected(denied_or_kernel(made.error, made.what, right, opening));
  }
  // Renamed or deleted meanwhile: what we have is another, or was made just now, and goes with its descriptor.
  if (made.index != opening.index) return fail(ErrorKind::kNotFound, "the interface has gone");
  return prepare(made.device, opening.header != 0).map([&] { return std::move(made.device); });
}

Result<OwnTap> make_tap(const NetNamespace& where, const std::string& name, ndis::Medium medium) {
  if (name.empty() || name.size() >= IFNAMSIZ) return fail(ErrorKind::kInvalidArgument, "no name for an interface");
  const bool tap = medium == ndis::Medium::k802_3;
  Attached made;
  const auto entered =
      where.inside([&] { made = attach(name, (tap ? IFF_TAP : IFF_TUN) | IFF_TUN_EXCL | IFF_NO_PI | IFF_VNET_HDR); });
  if (!entered) return tl::unexpected(entered.error());
  if (made.error == EBUSY) return fail(ErrorKind::kAlreadyExists, "there is an interface of that name");
  if (made.error == EINVAL) return fail(ErrorKind::kInvalidArgument, "no name for an interface");
  if (made.error != 0) {
    TURNPIKE_LOG(LogLevel::kError, "kernel", "a TUN or TAP interface cannot be made", {"interface", name},
                 {"reason", made.what}, {"errno", made.error},
                 {"needs", made.device.is_open() ? "CAP_NET_ADMIN" : kPath});
    if (made.error == EPERM || made.error == EACCES) return fail(ErrorKind::kDenied, made.what);
    return fail_errno(made.error, made.what);
  }
  return prepare(made.device, tap).map([&] { return OwnTap{std::move(made.device), made.index}; });
}

ndis::AdapterFacts seen_from_far_end(ndis::AdapterFacts facts) {
  if (!facts.mac.is_zero()) {
    constexpr std::uint8_t kOfNoVendor = 0x02;
    constexpr std::uint8_t kTurned = 0x04;
    auto bytes = facts.mac.bytes();
    bytes[0] = static_cast<std::uint8_t>((bytes[0] | kOfNoVendor) ^ kTurned);
    facts.mac = net::MacAddress(bytes);
    facts.permanent.reset();
  }
  facts.enslaved = false;
  facts.promiscuity = 0;
  facts.link.carrier = facts.link.admin_up;
  facts.link.oper = facts.link.admin_up ? ndis::OperStatus::kUp : ndis::OperStatus::kDown;
  return facts;
}

std::uint32_t queue_length_of_tap(const AdapterOpening& opening) {
  const auto state = read_state(*opening.where, opening.index);
  return state ? state->queue_length : kUsualQueue;
}

}  // namespace turnpike::kernel
