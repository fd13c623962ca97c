// What all messages have in common: what they are about, who caused them, and the kernel's answers.
#include "kernel/codec.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include <array>

#include "kernel/codec_parts.h"

namespace turnpike::kernel {
namespace {

const AttributeTable kAnswerAttributes{
    {NLMSGERR_ATTR_MSG, Shape::kText, "NLMSGERR_ATTR_MSG"},
    {NLMSGERR_ATTR_OFFS, Shape::kU32, "NLMSGERR_ATTR_OFFS"},
    {NLMSGERR_ATTR_MISS_TYPE, Shape::kU32, "NLMSGERR_ATTR_MISS_TYPE"},
};

// How the messages about a subject are numbered and laid out. The kernel numbers them in fours: new, delete, get, set.
struct Layout {
  std::uint16_t first;
  Subject subject;
  std::size_t fixed;
  const AttributeTable& attributes;
};
const std::array<Layout, 6> kLayouts{{
    {RTM_NEWLINK, Subject::kLink, sizeof(ifinfomsg), kLinkAttributes},
    {RTM_NEWADDR, Subject::kAddress, sizeof(ifaddrmsg), kAddressAttributes},
    {RTM_NEWROUTE, Subject::kRoute, sizeof(rtmsg), kRouteAttributes},
    {RTM_NEWNEXTHOP, Subject::kNextHop, sizeof(nhmsg), kNextHopAttributes},
    {RTM_NEWNEIGH, Subject::kNeighbour, sizeof(ndmsg), kNeighbourAttributes},
    {RTM_NEWRULE, Subject::kRule, sizeof(fib_rule_hdr), kRuleAttributes},
}};
constexpr std::uint16_t kKinds = 4;

const Layout* layout_of(std::uint16_t type) {
  const auto found = std::ranges::find(kLayouts, type / kKinds * kKinds, &Layout::first);
  return found == kLayouts.end() ? nullptr : &*found;
}

}  // namespace

Subject subject_of(const Message& message) {
  const bool is_new_or_gone = message.type % kKinds < 2;
  const Layout* const layout = layout_of(message.type);
  return layout != nullptr && is_new_or_gone ? layout->subject : Subject::kOther;
}

Notice notice_of(const Message& message) {
  const bool gone = message.type % kKinds == 1;
  const bool replaced = message.type == RTM_NEWROUTE && (message.flags & NLM_F_REPLACE) != 0;
  return {gone, replaced, message.port};
}

Result<Prefix> prefix_of(Family family, const std::optional<Address>& address, unsigned length) {
  if (length > net::width_of(family) || (address && address->family() != family) || (!address && length != 0))
    return fail(ErrorKind::kInvalidArgument, "a prefix is too long, or its address missing or of another family");
  return address ? Prefix(*address, length) : Prefix::everything(family);
}

// The errno (negative), the head of the request, the rest of the request unless it is capped, then attributes. A capped
// answer says so; an answer that says "done" never repeats the request.
Result<Answer> decode_answer(const Message& message) {
  const auto fixed = load<nlmsgerr>(message.payload);
  if (message.type != NLMSG_ERROR || !fixed || fixed->error > 0 || fixed->error < -4095)
    return fail(ErrorKind::kInvalidArgument, "a netlink answer is malformed");
  Answer answer{-fixed->error, message.sequence, {}, 0, 0};
  if ((message.flags & NLM_F_ACK_TLVS) == 0) return answer;
  std::size_t before = sizeof(nlmsgerr);
  if ((message.flags & NLM_F_CAPPED) == 0 && fixed->error != 0)
    before = offsetof(nlmsgerr, msg) + aligned(fixed->msg.nlmsg_len);
  if (before > message.payload.size()) return fail(ErrorKind::kInvalidArgument, "a netlink answer is cut short");
  Attributes attributes;
  if (const auto read = attributes.read(message.payload.subspan(before), kAnswerAttributes); !read)
    return tl::unexpected(read.error());
  answer.words = attributes.text(NLMSGERR_ATTR_MSG);
  answer.about = attributes.u32(NLMSGERR_ATTR_OFFS);
  answer.missing = static_cast<std::uint16_t>(attributes.u32(NLMSGERR_ATTR_MISS_TYPE));
  return answer;
}

std::string_view attribute_in_question(const Answer& answer, Bytes request) {
  const Bytes whole = request;
  const auto message = take_message(request);
  const Layout* const layout = message ? layout_of(message->type) : nullptr;
  if (layout == nullptr) return {};
  if (answer.missing != 0) return layout->attributes.name(answer.missing);
  const std::size_t begin = sizeof(nlmsghdr) + aligned(layout->fixed);
  for (Bytes rest = whole.subspan(std::min(begin, whole.size())); answer.about != 0;) {
    const auto at = static_cast<std::size_t>(rest.data() - whole.data());
    const auto attribute = take_attribute(rest);
    if (!attribute || at > answer.about) break;
    const auto end = static_cast<std::size_t>(rest.data() - whole.data());
    if (answer.about < end) return layout->attributes.name(attribute->type);  // it, or what it holds
  }
  return {};
}

}  // namespace turnpike::kernel
