// What every function of the routing table's C faces begins with: from a client's handle to its table, and from the C
// types to the table's.
#pragma once

#include <cstdint>
#include <new>
#include <span>

#include "capi/codes.h"
#include "capi/rtm_codes.h"
#include "rtm/table.h"
#include "runtime/world.h"

namespace turnpike::capi {

inline rtm::Handle of(void* handle) { return rtm::Handle(reinterpret_cast<std::uintptr_t>(handle)); }
inline void* to(rtm::Handle handle) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(handle)); }
inline std::span<const rtm::Handle> of(void* const* handles, std::uint32_t count) {
  return {reinterpret_cast<const rtm::Handle*>(handles), count};
}
// RTM_NET_ADDRESS or TpRtmAddress, both of which have the table's layout.
template <class Address>
  requires(sizeof(Address) == sizeof(rtm::NetAddress))
const rtm::NetAddress& of(const Address& address) {
  return reinterpret_cast<const rtm::NetAddress&>(address);
}

// Runs ask(table, caller's handle), which answers a code. Memory that runs out is the one error that comes as an
// exception.
template <class Ask>
std::uint32_t call(void* self, Ask&& ask) noexcept {
  rtm::Table* table = runtime::World::instance().table_of(of(self));
  if (table == nullptr || rtm::kind_of(of(self)) != rtm::Kind::kEntity) {
    return kInvalidHandle;
  }
  try {
    return ask(*table, of(self));
  } catch (const std::bad_alloc&) {
    return kNotEnoughMemory;
  }
}

inline std::uint32_t bad_parameter(rtm::Table& table, rtm::Handle self) {
  return table.is_client(self) ? kInvalidParameter : kInvalidHandle;
}

}  // namespace turnpike::capi
