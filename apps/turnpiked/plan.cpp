#include "plan.h"

#include <ipinfoid.h>

#include <algorithm>
#include <array>

#include "dim/info_header.h"
#include "router/priority_info.h"
#include "rtm/preferences.h"

namespace turnpike::daemon {
namespace {

using dim::TransportId;

dim::Bytes header_of(const std::vector<dim::InfoBlock>& blocks) {
  // Numbers of protocols are there once each, and blocks are bounded: the model is checked.
  return dim::join(blocks).value_or(dim::Bytes());
}

// What is not as usual. Of a number that protocols of both transports have, that of this transport's counts.
dim::Bytes preferences_for(const config::Model& model, TransportId transport) {
  rtm::Preferences all;
  for (const bool is_own : {true, false}) {
    for (const config::Preference& each : model.preferences) {
      const bool is_known = rtm::preference_in(all, each.protocol, 0) != 0;
      if ((each.transport.value_or(transport) == transport) == is_own && !is_known) {
        all.emplace_back(each.protocol, each.value);
      }
    }
  }
  std::erase_if(all,
                [](const auto& each) { return each.second == rtm::preference_in(rtm::kUsualPreferences, each.first); });
  return all.empty() ? dim::Bytes() : router::priority_info(all);
}

dim::Bytes global_header(const config::Model& model, TransportId transport) {
  std::vector<dim::InfoBlock> blocks;
  for (const config::Protocol& protocol : model.protocols) {
    if (protocol.transport == transport) blocks.push_back(dim::single(protocol.id, protocol.global));
  }
  if (blocks.empty()) return {};
  const dim::Bytes preferences = preferences_for(model, transport);
  if (!preferences.empty()) blocks.push_back(dim::single(IP_PROT_PRIORITY_INFO, preferences));
  return header_of(blocks);
}

dim::Bytes interface_header(const config::Model& model, const config::Interface& interface, TransportId transport) {
  std::vector<dim::InfoBlock> blocks;
  for (const config::ProtocolBlock& block : interface.blocks) {
    const auto owner = std::ranges::find(model.protocols, block.protocol, &config::Protocol::name);
    if (owner != model.protocols.end() && owner->transport == transport) {
      blocks.push_back(dim::single(owner->id, block.bytes));
    }
  }
  return blocks.empty() ? dim::Bytes() : header_of(blocks);
}

}  // namespace

router::Plan plan_of(const config::Model& model) {
  router::Plan plan;
  const net::Address id = net::Address::from_network(model.router.id);
  if (!id.is_unspecified()) plan.router_id = id;
  for (const config::Protocol& protocol : model.protocols) {
    plan.modules.push_back({protocol.name, protocol.path, protocol.transport, protocol.id});
  }
  std::vector<TransportId> routed;
  for (const TransportId transport : {TransportId::kIp, TransportId::kIpv6}) {
    dim::Bytes global = global_header(model, transport);
    if (global.empty()) continue;
    routed.push_back(transport);
    plan.transports.push_back({transport, std::move(global), {}});
  }
  for (const config::Interface& interface : model.interfaces) {
    router::InterfacePlan made{interface.name, interface.type, interface.enabled, {}};
    for (const TransportId transport : routed) {
      const bool wanted = transport == TransportId::kIp ? interface.ip : interface.ipv6;
      if (wanted) made.transports.push_back({transport, interface_header(model, interface, transport)});
    }
    plan.interfaces.push_back(std::move(made));
  }
  return plan;
}

}  // namespace turnpike::daemon
