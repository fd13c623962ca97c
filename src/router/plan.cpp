#include "router/plan.h"

#include <ipinfoid.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "dim/info_header.h"
#include "router/priority_info.h"
#include "router/route_info.h"

namespace turnpike::router {
namespace {

using dim::InfoBlock;
using dim::InfoHeader;

std::string folded(std::string_view name) {
  std::string result(name);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string hexadecimal(std::uint32_t number) {
  std::array<char, 11> text{};
  (void)std::snprintf(text.data(), text.size(), "0x%x", number);
  return text.data();
}

std::string name_of(TransportId transport) { return "transport " + hexadecimal(static_cast<std::uint32_t>(transport)); }

// ---------------------------------------------------------------------------------------------------------------------
// Flaws

class Critic {
 public:
  std::vector<Refusal> look_at(const Plan& plan) {
    for (const ModulePlan& module : plan.modules) look_at(module);
    for (const TransportPlan& transport : plan.transports) look_at(transport);
    for (const InterfacePlan& interface : plan.interfaces) look_at(interface);
    if (plan.router_id && !plan.router_id->is_ipv4()) say("router id", "is no IPv4 address");
    return std::move(flaws_);
  }

 private:
  void say(std::string subject, std::string reason) { flaws_.push_back({std::move(subject), std::move(reason), 0}); }

  void look_at(const ModulePlan& module) {
    const std::string subject = "module " + module.name;
    if (module.name.empty()) say(subject, "has no name");
    if (module.path.empty()) say(subject, "has no path");
    if (!modules_.insert(folded(module.name)).second) say(subject, "is there twice");
    if (!protocols_.emplace(module.transport, module.protocol).second) {
      say(subject, "serves protocol " + hexadecimal(module.protocol) + ", as another module does");
    }
  }

  void look_at(const TransportPlan& transport) {
    const std::string subject = name_of(transport.id);
    if (!transports_.insert(transport.id).second) say(subject, "is there twice");
    look_at_header(subject, "global information", transport.global_info);
    look_at_header(subject, "information for clients", transport.client_info);
    look_at_preferences(subject, transport.global_info);
  }

  void look_at(const InterfacePlan& interface) {
    const std::string subject = "interface " + interface.name;
    if (interface.name.empty()) say(subject, "has no name");
    if (!interfaces_.insert(folded(interface.name)).second) say(subject, "is there twice");
    std::set<TransportId> bound;
    for (const BindingPlan& binding : interface.transports) {
      const std::string place = subject + ", " + name_of(binding.transport);
      if (!bound.insert(binding.transport).second) say(place, "is there twice");
      if (!transports_.contains(binding.transport)) say(place, "is not planned");
      look_at_header(place, "information", binding.info);
      if (!routes_in(binding.info, binding.transport)) say(place, "static routes: items of no size that they have");
    }
  }

  void look_at_preferences(const std::string& subject, const Bytes& global_info) {
    const Result<InfoHeader> header = InfoHeader::parse(global_info);
    const auto block = header ? header->find(IP_PROT_PRIORITY_INFO) : std::nullopt;
    if (block && !block->data.empty() && !read_priority_info(block->data)) {
      say(subject, "preferences of protocols: not as many as they say, a protocol twice, or a preference of 0");
    }
  }

  void look_at_header(const std::string& subject, const std::string& which, const Bytes& bytes) {
    if (bytes.empty()) return;
    const Result<InfoHeader> header = InfoHeader::parse(bytes);
    if (!header) say(subject, which + ": " + header.error().what);
  }

  std::vector<Refusal> flaws_;
  std::set<std::string> modules_;
  std::set<std::pair<TransportId, std::uint32_t>> protocols_;
  std::set<TransportId> transports_;
  std::set<std::string> interfaces_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Differences

// Calls visit(key, left or null, right or null) for each key of either, in order.
template <class Key, class Value, class Visit>
void compare(const std::map<Key, Value>& left, const std::map<Key, Value>& right, Visit&& visit) {
  for (const auto& [key, value] : left) {
    const auto other = right.find(key);
    visit(key, &value, other == right.end() ? nullptr : &other->second);
  }
  for (const auto& [key, value] : right) {
    if (!left.contains(key)) visit(key, static_cast<const Value*>(nullptr), &value);
  }
}

template <class Key, class Value, class Name>
std::map<Key, const Value*> by(const std::vector<Value>& values, Name&& name) {
  std::map<Key, const Value*> result;
  for (const Value& value : values) result.emplace(name(value), &value);
  return result;
}

// Nothing where both are there and the same.
std::optional<Change> change_of(bool was, bool is, bool same) {
  if (was && is) return same ? std::nullopt : std::optional(Change::kChanged);
  return was ? Change::kRemoved : Change::kAdded;
}

// Blocks with at least a byte, by type.
std::map<std::uint32_t, InfoBlock> blocks_of(const Bytes* bytes) {
  std::map<std::uint32_t, InfoBlock> blocks;
  if (bytes == nullptr || bytes->empty()) return blocks;
  for (const InfoBlock& block : InfoHeader::parse(*bytes)->blocks()) {
    if (!block.data.empty()) blocks.emplace(block.type, block);
  }
  return blocks;
}

bool same(const InfoBlock& a, const InfoBlock& b) {
  return a.item_size == b.item_size && std::ranges::equal(a.data, b.data);
}

class Comparison {
 public:
  Comparison(const Plan& from, const Plan& to) : from_(from), to_(to) {}

  std::vector<Difference> differences() {
    if (from_.router_id != to_.router_id) add(Part::kRouterId, Change::kChanged, "");
    compare_modules();
    compare_transports();
    compare_interfaces();
    return std::move(found_);
  }

 private:
  void add(Part part, std::optional<Change> change, std::string name, TransportId transport = TransportId::kIp,
           std::uint32_t block = 0) {
    if (change) found_.push_back({part, *change, std::move(name), transport, block});
  }

  // Whose block it is, for a reader: the module's name, or nothing.
  [[nodiscard]] std::string module_of(TransportId transport, std::uint32_t type) const {
    for (const Plan* plan : {&to_, &from_}) {
      for (const ModulePlan& module : plan->modules) {
        if (module.transport == transport && module.protocol == type) return module.name;
      }
    }
    return "";
  }

  void compare_modules() {
    const auto name = [](const ModulePlan& module) { return folded(module.name); };
    compare(by<std::string>(from_.modules, name), by<std::string>(to_.modules, name),
            [&](const std::string&, const auto* was, const auto* is) {
              const bool unchanged = was != nullptr && is != nullptr && same_module(**was, **is);
              add(Part::kModule, change_of(was != nullptr, is != nullptr, unchanged),
                  (is != nullptr ? *is : *was)->name);
            });
  }
  static bool same_module(const ModulePlan& a, const ModulePlan& b) {
    return a.path == b.path && a.transport == b.transport && a.protocol == b.protocol;
  }

  void compare_transports() {
    const auto id = [](const TransportPlan& transport) { return transport.id; };
    compare(by<TransportId>(from_.transports, id), by<TransportId>(to_.transports, id),
            [&](TransportId transport, const auto* was, const auto* is) {
              const Bytes* old_info = was != nullptr ? &(*was)->global_info : nullptr;
              const Bytes* new_info = is != nullptr ? &(*is)->global_info : nullptr;
              const bool ran = old_info != nullptr && !old_info->empty();
              const bool runs = new_info != nullptr && !new_info->empty();
              if (ran != runs) add(Part::kTransport, change_of(ran, runs, true), "", transport);
              compare_global(transport, old_info, new_info);
              compare_client_info(transport, was != nullptr ? *was : nullptr, is != nullptr ? *is : nullptr);
            });
  }

  void compare_global(TransportId transport, const Bytes* was, const Bytes* is) {
    compare(blocks_of(was), blocks_of(is), [&](std::uint32_t type, const InfoBlock* old, const InfoBlock* now) {
      add(Part::kGlobalBlock,
          change_of(old != nullptr, now != nullptr, old != nullptr && now != nullptr && same(*old, *now)),
          module_of(transport, type), transport, type);
    });
  }

  void compare_client_info(TransportId transport, const TransportPlan* was, const TransportPlan* is) {
    const bool had = was != nullptr && !was->client_info.empty();
    const bool has = is != nullptr && !is->client_info.empty();
    if (had || has) {
      add(Part::kClientInfo, change_of(had, has, had && has && was->client_info == is->client_info), "", transport);
    }
  }

  void compare_interfaces() {
    const auto name = [](const InterfacePlan& interface) { return folded(interface.name); };
    compare(by<std::string>(from_.interfaces, name), by<std::string>(to_.interfaces, name),
            [&](const std::string&, const auto* was, const auto* is) {
              compare_interface(was != nullptr ? *was : nullptr, is != nullptr ? *is : nullptr);
            });
  }

  void compare_interface(const InterfacePlan* was, const InterfacePlan* is) {
    const std::string& name = (is != nullptr ? is : was)->name;
    const bool both = was != nullptr && is != nullptr;
    add(Part::kInterface, change_of(was != nullptr, is != nullptr, both && was->type == is->type), name);
    if (!both) return;
    if (was->enabled != is->enabled) add(Part::kEnabled, is->enabled ? Change::kAdded : Change::kRemoved, name);
    const auto transport = [](const BindingPlan& binding) { return binding.transport; };
    compare(by<TransportId>(was->transports, transport), by<TransportId>(is->transports, transport),
            [&](TransportId id, const auto* old, const auto* now) {
              add(Part::kBinding, change_of(old != nullptr, now != nullptr, true), name, id);
              if (old != nullptr && now != nullptr) compare_blocks(name, id, (*old)->info, (*now)->info);
            });
  }

  void compare_blocks(const std::string& name, TransportId transport, const Bytes& was, const Bytes& is) {
    compare(blocks_of(&was), blocks_of(&is), [&](std::uint32_t type, const InfoBlock* old, const InfoBlock* now) {
      add(Part::kInterfaceBlock,
          change_of(old != nullptr, now != nullptr, old != nullptr && now != nullptr && same(*old, *now)), name,
          transport, type);
    });
  }

  const Plan& from_;
  const Plan& to_;
  std::vector<Difference> found_;
};

std::string what_it_is(const Difference& difference, const std::string& block) {
  switch (difference.part) {
    case Part::kRouterId:
      return "router id";
    case Part::kModule:
      return "module " + difference.name;
    case Part::kTransport:
      return name_of(difference.transport);
    case Part::kGlobalBlock:
      return name_of(difference.transport) + ": global settings of " + block;
    case Part::kClientInfo:
      return name_of(difference.transport) + ": settings for clients";
    case Part::kInterface:
      return "interface " + difference.name;
    case Part::kEnabled:
      return "interface " + difference.name + ":";
    case Part::kBinding:
      return "interface " + difference.name + ": " + name_of(difference.transport);
    case Part::kInterfaceBlock:
      return "interface " + difference.name + ": settings of " + block;
  }
  return "";
}

}  // namespace

std::vector<Refusal> flaws(const Plan& plan) { return Critic().look_at(plan); }

std::vector<Difference> differences(const Plan& from, const Plan& to) { return Comparison(from, to).differences(); }

std::string to_text(const Difference& difference, const Plan& from, const Plan& to) {
  std::string block = "block " + hexadecimal(difference.block);
  for (const Plan* plan : {&from, &to}) {
    for (const ModulePlan& module : plan->modules) {
      if (module.transport == difference.transport && module.protocol == difference.block)
        block = "module " + module.name;
    }
  }
  static constexpr std::string_view kVerbs[] = {" added", " removed", " changed"};
  static constexpr std::string_view kSwitched[] = {" enabled", " disabled", ""};
  const auto& words = difference.part == Part::kEnabled ? kSwitched : kVerbs;
  return what_it_is(difference, block).append(words[static_cast<unsigned>(difference.change)]);
}

}  // namespace turnpike::router
