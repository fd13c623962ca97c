#include "neighbours.h"

#include <algorithm>
#include <cstdio>

namespace lldp {
namespace {

// Bytes of a stranger as a JSON string: what is not printable ASCII is escaped as if it were Latin-1, so that nothing
// is lost and the text is always valid.
std::string in_quotes(std::span<const std::uint8_t> text) {
  std::string out = "\"";
  for (const std::uint8_t letter : text) {
    if (letter == '"' || letter == '\\') {
      out += {'\\', static_cast<char>(letter)};
    } else if (letter >= 0x20 && letter < 0x7f) {
      out += static_cast<char>(letter);
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", unsigned{letter});
      out += escaped;
    }
  }
  return out + '"';
}
std::string in_quotes(const std::string& text) {
  return in_quotes(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::string hexadecimal(std::span<const std::uint8_t> bytes, char between) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", unsigned{byte});
    if (!out.empty() && between != 0) out += between;
    out += digits;
  }
  return out;
}

std::string text_of(const Identifier& identifier, std::uint8_t mac) {
  if (identifier.subtype == mac && identifier.value.size() == 6) return in_quotes(hexadecimal(identifier.value, ':'));
  return in_quotes(std::span<const std::uint8_t>(identifier.value));
}

std::string text_of(const ManagementAddress& address) {
  std::string out;
  if (address.family == 1 && address.address.size() == 4) {
    for (const std::uint8_t byte : address.address) out += (out.empty() ? "" : ".") + std::to_string(byte);
    return in_quotes(out);
  }
  if (address.family == 2 && address.address.size() == 16) {
    for (std::size_t at = 0; at < 16; at += 2)
      out += (out.empty() ? "" : ":") + hexadecimal(std::span(address.address).subspan(at, 2), 0);
    return in_quotes(out);
  }
  return in_quotes(hexadecimal(address.address, ':'));
}

void put(std::string& out, const char* name, const std::optional<std::string>& text) {
  if (text) out += std::string(", \"") + name + "\": " + in_quotes(*text);
}

std::string text_of(const Neighbour& neighbour, std::uint64_t now) {
  const Announcement& said = neighbour.announcement;
  std::string out =
      "{\"interface\": " + in_quotes(neighbour.interface) + ", \"chassis\": " + text_of(said.chassis, kChassisMac) +
      ", \"port\": " + text_of(said.port, kPortMac) + ", \"source\": " + in_quotes(hexadecimal(neighbour.source, ':'));
  put(out, "port_description", said.port_description);
  put(out, "system_name", said.system_name);
  put(out, "system_description", said.system_description);
  if (said.capabilities) {
    out += ", \"capabilities\": {\"supported\": " + std::to_string(said.capabilities->supported) +
           ", \"enabled\": " + std::to_string(said.capabilities->enabled) + "}";
  }
  out += ", \"management_addresses\": [";
  for (std::size_t at = 0; at < said.addresses.size(); ++at) out += (at == 0 ? "" : ", ") + text_of(said.addresses[at]);
  out += "], \"seconds_left\": " + std::to_string(neighbour.until > now ? neighbour.until - now : 0);
  out += ", \"seconds_known\": " + std::to_string(now > neighbour.since ? now - neighbour.since : 0);
  return out + "}";
}

}  // namespace

bool Neighbours::hear(const std::string& interface, std::span<const std::uint8_t> frame, std::uint64_t now) {
  auto announcement = decode(frame);
  if (!announcement) {
    ++counts_.discarded;
    return false;
  }
  ++counts_.frames;
  const Key key{interface, announcement->chassis, announcement->port};
  const auto known = all_.find(key);
  if (announcement->seconds_to_live == 0) {
    if (known == all_.end()) return false;
    all_.erase(known);
    ++counts_.removed;
    return true;
  }
  if (known == all_.end() && all_.size() >= most_) {
    ++counts_.crowded_out;
    return false;
  }
  Neighbour& neighbour = all_[key];
  const bool is_new = known == all_.end();
  const bool changed = is_new || neighbour.announcement != *announcement;
  if (is_new) {
    neighbour.since = now;
    neighbour.interface = interface;
    ++counts_.added;
  }
  std::copy_n(frame.begin() + 6, 6, neighbour.source.begin());
  neighbour.until = now + announcement->seconds_to_live;
  neighbour.announcement = std::move(*announcement);
  return changed;
}

bool Neighbours::age(std::uint64_t now) {
  const std::size_t gone = std::erase_if(all_, [now](const auto& each) { return each.second.until <= now; });
  counts_.aged_out += gone;
  return gone != 0;
}

bool Neighbours::forget(const std::string& interface) {
  const std::size_t gone =
      std::erase_if(all_, [&interface](const auto& each) { return each.second.interface == interface; });
  counts_.removed += gone;
  return gone != 0;
}

void Neighbours::rename(const std::string& from, const std::string& to) {
  for (auto at = all_.begin(); at != all_.end();) {
    const auto here = at++;
    if (here->second.interface != from) continue;
    auto node = all_.extract(here);
    std::get<0>(node.key()) = node.mapped().interface = to;
    all_.insert(std::move(node));
  }
}

std::optional<std::uint64_t> Neighbours::next_deadline() const {
  const auto first = std::ranges::min_element(all_, {}, [](const auto& each) { return each.second.until; });
  if (first == all_.end()) return std::nullopt;
  return first->second.until;
}

std::string Neighbours::to_json(std::uint64_t now) const {
  std::string out = "{\"neighbours\": [";
  bool first = true;
  for (const auto& [key, neighbour] : all_) {
    out += (first ? "\n  " : ",\n  ") + text_of(neighbour, now);
    first = false;
  }
  return out + (first ? "" : "\n") + "]}\n";
}

}  // namespace lldp
