#include "kernel/multicast/multicast_dump.h"

#include <linux/rtnetlink.h>

#include "kernel/dump.h"

namespace turnpike::kernel {
namespace {

constexpr std::uint32_t kDefaultTable4 = RT_TABLE_DEFAULT;
constexpr std::uint32_t kDefaultTable6 = RT_TABLE_MAIN;

const AttributeTable kAttributes{
    {RTA_DST, Shape::kAddress, "RTA_DST"},
    {RTA_SRC, Shape::kAddress, "RTA_SRC"},
    {RTA_IIF, Shape::kU32, "RTA_IIF"},
    {RTA_TABLE, Shape::kU32, "RTA_TABLE"},
};

}  // namespace

Result<void> dump_multicast(const NetNamespace& where, net::Family family, std::uint32_t table,
                            const std::function<void(const StandingEntry&)>& take) {
  const bool is_ipv4 = family == net::Family::kIpv4;
  const std::uint32_t wanted = table != 0 ? table : is_ipv4 ? kDefaultTable4 : kDefaultTable6;
  const Dump::Encode encode = [&](MessageBuilder& out) -> Result<void> {
    rtmsg fixed{};
    fixed.rtm_family = is_ipv4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
    out.begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, 1, fixed);
    out.put(RTA_TABLE, wanted);
    return out.end() ? Result<void>() : fail(ErrorKind::kInternal, "no room for a request");
  };
  const Dump::Take read = [&](const Message& message) -> Result<void> {
    const auto fixed = load<rtmsg>(message.payload);
    Attributes attributes;
    if (message.type != RTM_NEWROUTE || !fixed) return fail(ErrorKind::kUnsupported, "no multicast entry");
    if (auto done = attributes.read(message.payload.subspan(aligned(sizeof(rtmsg))), kAttributes); !done) return done;
    const auto group = attributes.address(RTA_DST);
    const auto source = attributes.address(RTA_SRC);
    const bool is_ours = fixed->rtm_protocol == RTPROT_MROUTED && (fixed->rtm_flags & RTNH_F_UNRESOLVED) == 0 &&
                         attributes.u32(RTA_TABLE) == wanted && group && source && group->is_multicast();
    if (is_ours) take({{*group, *source}, net::InterfaceIndex(attributes.u32(RTA_IIF))});
    return {};
  };
  return Dump(where).run({encode}, {}, read).map([](const Dumped&) {});
}

}  // namespace turnpike::kernel
