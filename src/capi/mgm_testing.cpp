// The hooks for tests: the part of include/turnpike/testing.h about multicast.
#include <turnpike/testing.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <set>
#include <vector>

#include "runtime/world.h"

namespace turnpike::capi {
namespace {

mgm::Flow flow_of(std::uint32_t source, std::uint32_t group) {
  return {net::Address::from_network(group), net::Address::from_network(source)};
}

// How many there are; the first of them, ascending, go to the caller.
int hand_out(std::vector<net::InterfaceIndex> devices, std::uint32_t* out, std::uint32_t capacity) {
  std::sort(devices.begin(), devices.end());
  for (std::size_t i = 0; out != nullptr && i < std::min<std::size_t>(capacity, devices.size()); ++i) {
    out[i] = devices[i].value();
  }
  return static_cast<int>(devices.size());
}

// Version 4, five words, that source and group.
std::vector<std::byte> plain_header(std::uint32_t source, std::uint32_t group) {
  std::vector<std::byte> header(20);
  header[0] = std::byte{0x45};
  std::memcpy(&header[12], &source, sizeof(source));
  std::memcpy(&header[16], &group, sizeof(group));
  return header;
}

}  // namespace
}  // namespace turnpike::capi

namespace capi = turnpike::capi;
namespace net = turnpike::net;
using turnpike::runtime::World;

int TpMgmUseDevices(const uint32_t* devices, uint32_t count) noexcept {
  try {
    for (const net::Family family : {net::Family::kIpv4, net::Family::kIpv6}) {
      auto& multicast = World::instance().multicast(family);
      if (devices == nullptr) {
        multicast.use_system_devices();
        continue;
      }
      const std::set<uint32_t> known(devices, devices + count);
      multicast.forwarder().set_devices([known](net::InterfaceIndex device) { return known.contains(device.value()); });
    }
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

int TpMgmPacket(uint32_t source, uint32_t group, uint32_t device, const void* header, uint32_t size, uint32_t* left,
                uint32_t capacity) noexcept {
  try {
    const auto manager = World::instance().multicast().manager();
    const auto* given = static_cast<const std::byte*>(header);
    const auto bytes = given != nullptr ? std::vector(given, given + size) : capi::plain_header(source, group);
    std::vector<net::InterfaceIndex> devices;
    const bool taken =
        manager && World::instance().multicast().forwarder().packet(**manager, capi::flow_of(source, group),
                                                                    net::InterfaceIndex(device), bytes, &devices);
    return taken ? capi::hand_out(std::move(devices), left, capacity) : -1;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

int TpMgmForwarderEntry(uint32_t source, uint32_t group, uint32_t* parent, uint32_t* out, uint32_t capacity) noexcept {
  try {
    auto entry = World::instance().multicast().forwarder().entry(capi::flow_of(source, group));
    if (!entry) {
      return -1;
    }
    if (parent != nullptr) {
      *parent = entry->parent.value();
    }
    return capi::hand_out(std::move(entry->out), out, capacity);
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

uint32_t TpMgmForwarderDevices(void) noexcept {
  return static_cast<uint32_t>(World::instance().multicast().forwarder().devices().size());
}

int TpMgmForwarderHasDevice(uint32_t device) noexcept {
  const auto devices = World::instance().multicast().forwarder().devices();
  return std::find(devices.begin(), devices.end(), net::InterfaceIndex(device)) != devices.end() ? 1 : 0;
}

void TpMgmForwarderFailAfter(int calls, int system_code) noexcept {
  World::instance().multicast().forwarder().fail_after(calls, system_code);
}
