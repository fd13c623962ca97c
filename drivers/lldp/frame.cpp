#include "frame.h"

#include <algorithm>

namespace lldp {
namespace {

constexpr std::size_t kHeader = 14;
constexpr std::size_t kShortest = 60;
constexpr std::size_t kLongest = 1514;
constexpr std::size_t kMostValue = 511;
constexpr std::size_t kMostIdentifier = 255;
constexpr std::size_t kMostText = 255;
constexpr std::size_t kMostAddress = 31;

enum Type : std::uint8_t {
  kEnd = 0,
  kChassis = 1,
  kPort = 2,
  kTimeToLive = 3,
  kPortDescription = 4,
  kSystemName = 5,
  kSystemDescription = 6,
  kSystemCapabilities = 7,
  kManagementAddress = 8,
  kOrganisation = 127,
};

void put16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
std::uint16_t u16(std::span<const std::uint8_t> from, std::size_t at) {
  return static_cast<std::uint16_t>(from[at] << 8 | from[at + 1]);
}

// An element, unless the frame has no room for it and the last one.
void put(Bytes& out, Type type, const Bytes& value) {
  const std::size_t size = std::min(value.size(), kMostValue);
  if (out.size() + 2 + size + 2 > kLongest) return;
  put16(out, std::size_t{type} << 9 | size);
  out.insert(out.end(), value.begin(), value.begin() + static_cast<std::ptrdiff_t>(size));
}

Bytes bytes_of(const Identifier& identifier) {
  Bytes value{identifier.subtype};
  for (const std::uint8_t byte : identifier.value) value.push_back(byte);
  return value;
}
Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(text.size(), kMostText))};
}
Bytes bytes_of(const ManagementAddress& address) {
  Bytes value{static_cast<std::uint8_t>(address.address.size() + 1), address.family};
  value.insert(value.end(), address.address.begin(), address.address.end());
  value.push_back(address.numbering);
  put16(value, address.interface_number >> 16);
  put16(value, address.interface_number & 0xffff);
  value.push_back(0);  // no object identifier
  return value;
}
Bytes bytes_of(const OrganisationElement& element) {
  Bytes value(element.organisation.begin(), element.organisation.end());
  value.push_back(element.subtype);
  value.insert(value.end(), element.value.begin(), element.value.end());
  return value;
}

bool is_right(const Identifier& identifier) {
  return !identifier.value.empty() && identifier.value.size() <= kMostIdentifier;
}

struct Element {
  std::uint8_t type = kEnd;
  std::span<const std::uint8_t> value;
};

// Takes the first element off `rest`; nothing where it does not fit.
std::optional<Element> take(std::span<const std::uint8_t>& rest) {
  if (rest.size() < 2) return std::nullopt;
  const std::uint16_t head = u16(rest, 0);
  const std::size_t size = head & 0x1ff;
  if (rest.size() < 2 + size) return std::nullopt;
  const Element element{static_cast<std::uint8_t>(head >> 9), rest.subspan(2, size)};
  rest = rest.subspan(2 + size);
  return element;
}

std::optional<Identifier> identifier_of(const std::optional<Element>& element, Type type) {
  if (!element || element->type != type || element->value.size() < 2 || element->value.size() > kMostIdentifier + 1)
    return std::nullopt;
  return Identifier{element->value[0], Bytes(element->value.begin() + 1, element->value.end())};
}

std::optional<ManagementAddress> address_of(std::span<const std::uint8_t> value) {
  if (value.size() < 2 || value[0] < 2 || value[0] > kMostAddress + 1) return std::nullopt;
  const std::size_t size = value[0];
  if (value.size() < 1 + size + 5) return std::nullopt;
  ManagementAddress address;
  address.family = value[1];
  const auto bytes = value.subspan(2, size - 1);
  address.address.assign(bytes.begin(), bytes.end());
  address.numbering = value[1 + size];
  address.interface_number = std::uint32_t{u16(value, 2 + size)} << 16 | u16(value, 4 + size);
  return address;
}

void read(std::span<const std::uint8_t> value, std::optional<std::string>& into) {
  // The first counts; a second of the kind is an error of the sender that hurts nobody.
  if (!into && value.size() <= kMostText) into.emplace(value.begin(), value.end());
}

void read(const Element& element, Announcement& into) {
  const auto& value = element.value;
  switch (element.type) {
    case kPortDescription:
      return read(value, into.port_description);
    case kSystemName:
      return read(value, into.system_name);
    case kSystemDescription:
      return read(value, into.system_description);
    case kSystemCapabilities:
      if (value.size() >= 4 && !into.capabilities) into.capabilities = Capabilities{u16(value, 0), u16(value, 2)};
      return;
    case kManagementAddress:
      if (auto address = address_of(value)) into.addresses.push_back(std::move(*address));
      return;
    case kOrganisation:
      if (value.size() >= 4)
        into.organisations.push_back({{value[0], value[1], value[2]}, value[3], Bytes(value.begin() + 4, value.end())});
      return;
    default:
      return;
  }
}

}  // namespace

std::optional<Bytes> encode(const Announcement& announcement, const Mac& source) {
  if (!is_right(announcement.chassis) || !is_right(announcement.port)) return std::nullopt;
  Bytes frame(kNearestBridge.begin(), kNearestBridge.end());
  frame.insert(frame.end(), source.begin(), source.end());
  put16(frame, kEtherType);
  put(frame, kChassis, bytes_of(announcement.chassis));
  put(frame, kPort, bytes_of(announcement.port));
  Bytes seconds;
  put16(seconds, announcement.seconds_to_live);
  put(frame, kTimeToLive, seconds);
  if (announcement.seconds_to_live != 0) {  // one that goes says no more
    if (announcement.port_description) put(frame, kPortDescription, bytes_of(*announcement.port_description));
    if (announcement.system_name) put(frame, kSystemName, bytes_of(*announcement.system_name));
    if (announcement.system_description) put(frame, kSystemDescription, bytes_of(*announcement.system_description));
    if (announcement.capabilities) {
      Bytes value;
      put16(value, announcement.capabilities->supported);
      put16(value, announcement.capabilities->enabled);
      put(frame, kSystemCapabilities, value);
    }
    for (const ManagementAddress& each : announcement.addresses) {
      if (!each.address.empty() && each.address.size() <= kMostAddress) put(frame, kManagementAddress, bytes_of(each));
    }
    for (const OrganisationElement& each : announcement.organisations) put(frame, kOrganisation, bytes_of(each));
  }
  put16(frame, kEnd);
  frame.resize(std::max(frame.size(), kShortest));
  return frame;
}

std::optional<Announcement> decode(std::span<const std::uint8_t> frame) {
  if (frame.size() < kHeader || u16(frame, 12) != kEtherType) return std::nullopt;
  auto rest = frame.subspan(kHeader);
  Announcement announcement;
  auto chassis = identifier_of(take(rest), kChassis);
  auto port = chassis ? identifier_of(take(rest), kPort) : std::nullopt;
  const auto time = port ? take(rest) : std::nullopt;
  if (!time || time->type != kTimeToLive || time->value.size() < 2) return std::nullopt;
  announcement.chassis = std::move(*chassis);
  announcement.port = std::move(*port);
  announcement.seconds_to_live = u16(time->value, 0);
  while (!rest.empty()) {
    const auto element = take(rest);
    if (!element) return std::nullopt;
    if (element->type == kEnd) break;
    if (element->type <= kTimeToLive) return std::nullopt;  // each of those once
    read(*element, announcement);
  }
  return announcement;
}

}  // namespace lldp
