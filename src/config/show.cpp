// A model as values, and what differs between two of them.
//
// Differences are found between values, not between bytes, so that a line says what an operator wrote. Lists are
// compared without what is equal at their beginning and at their end: a route put in or taken out among 50,000 is one
// line; several changes far apart in one list show what lies between as well. What is equal in bytes is not made into
// values at all, where a list's elements have no lists of their own.

#include <algorithm>
#include <cstring>

#include "config/model.h"
#include "rtm/preferences.h"

namespace turnpike::config {
namespace {

template <class T>
Value section(const TpSettings& settings, const T& held) {
  auto value = decode(settings, std::as_bytes(std::span(&held, 1)));
  return value ? std::move(*value) : Value();
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += kDigits[static_cast<unsigned>(byte) >> 4];
    out += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return out;
}

Value block(const TpSettings* settings, bool described, const Bytes& bytes) {
  if (!described) return Value::Object{{"raw", hexadecimal(bytes)}};
  if (settings == nullptr) return Value::Object{};
  auto value = decode(*settings, bytes);
  return value ? std::move(*value) : Value();
}

Value with_settings(const Protocol& from, Value own) {
  Value::Object out{
      {"library", from.path}, {"id", from.id}, {"transport", from.transport == dim::TransportId::kIp ? "ip" : "ipv6"}};
  if (auto* members = std::get_if<Value::Object>(&own.held)) std::ranges::move(*members, std::back_inserter(out));
  return out;
}

Value protocol(const Protocol& from) {
  const bool described = from.description != nullptr;
  return with_settings(from, block(described ? from.description->global_settings : nullptr, described, from.global));
}

// What differs between two protocols of one name, and little else.
DecodedPair differing(const Protocol& from, const Protocol& to) {
  const bool described = from.description != nullptr && to.description != nullptr && from.path == to.path;
  const TpSettings* settings = described ? to.description->global_settings : nullptr;
  auto both = settings != nullptr ? decode_differing(*settings, from.global, to.global)
                                  : fail(ErrorKind::kUnsupported, "no table says what they are");
  if (!both) return {protocol(from), protocol(to)};
  return {with_settings(from, std::move(both->from)), with_settings(to, std::move(both->to))};
}

std::string_view name_of(dim::InterfaceType type) {
  for (const TpSetting& setting : std::span(kInterfaceSettings.settings, kInterfaceSettings.count)) {
    for (const TpSettingChoice& choice : std::span(setting.choices, setting.choice_count)) {
      if (std::string_view(setting.name) == "type" && choice.value == static_cast<std::uint32_t>(type)) {
        return choice.name;
      }
    }
  }
  return "other";
}

Value interface(const Interface& from, const Model& model) {
  Value::List transports;
  if (from.ip) transports.emplace_back("ip");
  if (from.ipv6) transports.emplace_back("ipv6");
  Value::Object out{{"enabled", from.enabled}, {"type", name_of(from.type)}, {"transports", std::move(transports)}};
  for (const ProtocolBlock& on : from.blocks) {
    const auto owner = std::ranges::find(model.protocols, on.protocol, &Protocol::name);
    const TpModule* description = owner != model.protocols.end() ? owner->description : nullptr;
    out.push_back({on.protocol, block(description != nullptr ? description->interface_settings : nullptr,
                                      description != nullptr, on.bytes)});
  }
  return out;
}

bool equal(const Value& a, const Value& b);
bool equal(const Member& a, const Member& b) { return a.name == b.name && equal(a.value, b.value); }

template <class T>
bool equal_lists(const T& a, const T& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return equal(x, y); });
}

bool equal(const Value& a, const Value& b) {
  if (a.held.index() != b.held.index()) return false;
  if (const auto* list = std::get_if<Value::List>(&a.held)) return equal_lists(*list, std::get<Value::List>(b.held));
  if (const auto* object = std::get_if<Value::Object>(&a.held)) {
    return equal_lists(*object, std::get<Value::Object>(b.held));
  }
  if (const auto* text = std::get_if<std::string>(&a.held)) return *text == std::get<std::string>(b.held);
  if (const auto* number = std::get_if<std::int64_t>(&a.held)) return *number == std::get<std::int64_t>(b.held);
  if (const auto* flag = std::get_if<bool>(&a.held)) return *flag == std::get<bool>(b.held);
  return true;  // nothing is nothing
}

using Lines = std::vector<std::string>;

void compare_lists(const std::string& where, const Value::List& from, const Value::List& to, Lines& lines) {
  const std::size_t shorter = std::min(from.size(), to.size());
  std::size_t head = 0;
  while (head < shorter && equal(from[head], to[head])) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && equal(from[from.size() - 1 - tail], to[to.size() - 1 - tail])) ++tail;
  for (std::size_t i = head; i < from.size() - tail; ++i) lines.push_back(where + ": removed " + to_json(from[i]));
  for (std::size_t i = head; i < to.size() - tail; ++i) lines.push_back(where + ": added " + to_json(to[i]));
}

void compare(const std::string& where, const Value* from, const Value* to, Lines& lines) {
  if (from == nullptr || to == nullptr) {
    lines.push_back(where + (from == nullptr ? ": added" : ": removed"));
    return;
  }
  const auto* old_list = std::get_if<Value::List>(&from->held);
  const auto* new_list = std::get_if<Value::List>(&to->held);
  if (old_list != nullptr && new_list != nullptr) return compare_lists(where, *old_list, *new_list, lines);
  const auto* old_object = std::get_if<Value::Object>(&from->held);
  const auto* new_object = std::get_if<Value::Object>(&to->held);
  if (old_object == nullptr || new_object == nullptr) {
    if (!equal(*from, *to)) lines.push_back(where + ": " + to_json(*to) + ", was " + to_json(*from));
    return;
  }
  const std::string before = where.empty() ? "" : where + '.';
  for (const Member& member : *old_object) compare(before + member.name, &member.value, to->find(member.name), lines);
  for (const Member& member : *new_object) {
    if (from->find(member.name) == nullptr) compare(before + member.name, nullptr, &member.value, lines);
  }
}

const Protocol* find(const std::vector<Protocol>& protocols, const std::string& name) {
  const auto found = std::ranges::find(protocols, name, &Protocol::name);
  return found == protocols.end() ? nullptr : &*found;
}

// That a protocol comes or goes with the usual preference is no news beside that.
Value::Object notable_preferences(const Model& model, const Model& other) {
  Value::Object out;
  for (const Preference& each : model.preferences) {
    const auto same = std::ranges::find(other.preferences, each.name, &Preference::name);
    const bool is_usual = each.value == rtm::preference_in(rtm::kUsualPreferences, each.protocol);
    if (!is_usual || (same != other.preferences.end() && same->value != each.value)) {
      out.push_back({each.name, each.value});
    }
  }
  return out;
}

// The protocols may be large.
Value whole(const Model& model, Value::Object protocols, Value::Object preferences) {
  Value::Object interfaces;
  for (const Interface& each : model.interfaces) interfaces.push_back({each.name, interface(each, model)});
  return Value::Object{{"router", section(kRouterSettings, model.router)},
                       {"log", section(kLogSettings, model.log)},
                       {"forwarder", section(kForwarderSettings, model.forwarder)},
                       {"multicast", section(kMulticastSettings, model.multicast)},
                       {"preferences", std::move(preferences)},
                       {"protocol", std::move(protocols)},
                       {"interface", std::move(interfaces)}};
}

}  // namespace

Value describe(const Model& model) {
  Value::Object protocols;
  for (const Protocol& each : model.protocols) protocols.push_back({each.name, protocol(each)});
  Value::Object preferences;
  for (const Preference& each : model.preferences) preferences.push_back({each.name, each.value});
  return whole(model, std::move(protocols), std::move(preferences));
}

std::vector<std::string> differences(const Model& from, const Model& to) {
  Lines lines;
  if (from == to) return lines;
  Value::Object old_protocols, new_protocols;
  for (const Protocol& each : from.protocols) {
    const Protocol* now = find(to.protocols, each.name);
    if (now != nullptr && each == *now) continue;
    DecodedPair both = now != nullptr ? differing(each, *now) : DecodedPair{protocol(each), {}};
    old_protocols.push_back({each.name, std::move(both.from)});
    if (now != nullptr) new_protocols.push_back({each.name, std::move(both.to)});
  }
  for (const Protocol& each : to.protocols) {
    if (find(from.protocols, each.name) == nullptr) new_protocols.push_back({each.name, protocol(each)});
  }
  const Value before = whole(from, std::move(old_protocols), notable_preferences(from, to));
  const Value after = whole(to, std::move(new_protocols), notable_preferences(to, from));
  compare("", &before, &after, lines);
  // A secret is not shown, and still it differs.
  if (lines.empty()) lines.emplace_back("a setting that is not shown has changed");
  return lines;
}

}  // namespace turnpike::config
