#include "kernel/wire.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace turnpike::kernel {
namespace {

constexpr std::size_t kHead = sizeof(nlmsghdr);
constexpr std::size_t kAttributeHead = sizeof(nlattr);

bool fits_shape(Shape shape, std::size_t size) {
  switch (shape) {
    case Shape::kU8:
      return size == 1;
    case Shape::kU16:
      return size == 2;
    case Shape::kU32:
      return size == 4;
    case Shape::kAddress:
      return size == 4 || size == 16;
    default:
      return true;
  }
}

// What a length claims, with its padding, but never more than there is: the last may come without.
void skip(Bytes& bytes, std::size_t size) { bytes = bytes.subspan(std::min(aligned(size), bytes.size())); }

}  // namespace

Result<Message> take_message(Bytes& bytes) {
  if (bytes.empty()) return fail(ErrorKind::kNoMoreItems, "no more messages");
  const auto head = load<nlmsghdr>(bytes);
  if (!head || head->nlmsg_len < kHead || head->nlmsg_len > bytes.size())
    return fail(ErrorKind::kInvalidArgument, "a netlink message says a wrong length");
  const Message message{head->nlmsg_type, head->nlmsg_flags, head->nlmsg_seq, head->nlmsg_pid,
                        bytes.subspan(kHead, head->nlmsg_len - kHead)};
  skip(bytes, head->nlmsg_len);
  return message;
}

Result<Attribute> take_attribute(Bytes& bytes) {
  if (bytes.empty()) return fail(ErrorKind::kNoMoreItems, "no more attributes");
  const auto head = load<nlattr>(bytes);
  if (!head || head->nla_len < kAttributeHead || head->nla_len > bytes.size())
    return fail(ErrorKind::kInvalidArgument, "a netlink attribute says a wrong length");
  const Attribute attribute{static_cast<std::uint16_t>(head->nla_type & NLA_TYPE_MASK),
                            bytes.subspan(kAttributeHead, head->nla_len - kAttributeHead)};
  skip(bytes, head->nla_len);
  return attribute;
}

Result<void> Attributes::read(Bytes bytes, const AttributeTable& table) {
  all_ = bytes;
  present_ = 0;
  while (!bytes.empty()) {
    const auto attribute = take_attribute(bytes);
    if (!attribute) return tl::unexpected(attribute.error());
    const Shape shape = table.shape(attribute->type);
    if (shape == Shape::kSkipped) continue;
    const Bytes payload = attribute->payload;
    if (!fits_shape(shape, payload.size()))
      return fail(ErrorKind::kInvalidArgument, "a netlink attribute has a wrong size");
    slots_[attribute->type] = {static_cast<std::uint32_t>(payload.data() - all_.data()),
                               static_cast<std::uint32_t>(payload.size())};
    present_ |= std::uint64_t{1} << attribute->type;
  }
  return {};
}

std::optional<net::Address> Attributes::address(std::size_t type) const {
  const auto address = net::Address::from_bytes(bytes(type));
  return address ? std::optional(*address) : std::nullopt;
}

std::string_view Attributes::text(std::size_t type) const {
  const Bytes given = bytes(type);
  const std::string_view text(reinterpret_cast<const char*>(given.data()), given.size());
  return text.substr(0, text.find('\0'));
}

void MessageBuilder::begin_header(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence) {
  position_ = used_;
  fits_ = true;
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = flags;
  head.nlmsg_seq = sequence;
  append({reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
}

void MessageBuilder::append(Bytes bytes) {
  const std::size_t size = aligned(bytes.size());
  fits_ = fits_ && size <= buffer_.size() - position_;
  if (!fits_) return;
  std::uint8_t* const to = buffer_.data() + position_;
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  std::memset(to + bytes.size(), 0, size - bytes.size());
  position_ += size;
}

void MessageBuilder::put_bytes(std::uint16_t type, Bytes bytes) {
  fits_ = fits_ && bytes.size() <= std::numeric_limits<std::uint16_t>::max() - kAttributeHead;
  nlattr head{};
  head.nla_len = static_cast<std::uint16_t>(kAttributeHead + bytes.size());
  head.nla_type = type;
  append({reinterpret_cast<const std::uint8_t*>(&head), sizeof head});
  append(bytes);
}

void MessageBuilder::put_text(std::uint16_t type, std::string_view text) {
  const std::size_t opened = open(type);
  append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  if (aligned(text.size()) == text.size()) append(std::array<std::uint8_t, 1>{});
  close(opened);
  if (!fits_) return;
  const auto size = static_cast<std::uint16_t>(kAttributeHead + text.size() + 1);
  std::memcpy(buffer_.data() + opened, &size, sizeof size);
}

std::size_t MessageBuilder::open(std::uint16_t type) {
  nlattr head{};
  head.nla_type = type;
  return open_fixed(head);
}

void MessageBuilder::close(std::size_t opened) {
  fits_ = fits_ && position_ - opened <= std::numeric_limits<std::uint16_t>::max();
  if (!fits_) return;
  const auto size = static_cast<std::uint16_t>(position_ - opened);
  std::memcpy(buffer_.data() + opened, &size, sizeof size);  // both kinds of head begin with their length
}

bool MessageBuilder::end() {
  if (!fits_) {
    abandon();
    return false;
  }
  const auto size = static_cast<std::uint32_t>(position_ - used_);
  std::memcpy(buffer_.data() + used_, &size, sizeof size);
  last_ = std::exchange(used_, position_);
  return true;
}

void MessageBuilder::flag_last(std::uint16_t flags) {
  std::uint8_t* const at = buffer_.data() + last_ + offsetof(nlmsghdr, nlmsg_flags);
  const std::uint16_t all = static_cast<std::uint16_t>(flags | load<std::uint16_t>({at, sizeof flags}).value_or(0));
  std::memcpy(at, &all, sizeof all);
}

}  // namespace turnpike::kernel
