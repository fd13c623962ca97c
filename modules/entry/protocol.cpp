#include "protocol.h"

#include <new>

namespace turnpike::modules {

DWORD Protocol::start_complete() {
  const std::lock_guard guard(lock_);
  complete_ = true;
  return settle_if_complete();
}

DWORD Protocol::add_interface(std::uint32_t index, Links::Link link) {
  const std::lock_guard guard(lock_);
  return links_.add(index, std::move(link)) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

DWORD Protocol::delete_interface(std::uint32_t index) {
  const std::lock_guard guard(lock_);
  if (!links_.remove(index)) return ERROR_INVALID_PARAMETER;
  static_cast<void>(settle_if_complete());
  return NO_ERROR;
}

DWORD Protocol::interface_status(std::uint32_t index, DWORD type, const void* info) {
  const std::lock_guard guard(lock_);
  Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  switch (type) {
    case RIS_INTERFACE_ADDRESS_CHANGE: {
      const auto* binding = static_cast<const IP_ADAPTER_BINDING_INFO*>(info);
      link->addresses.clear();
      if (binding != nullptr) link->addresses.assign(binding->Address, binding->Address + binding->AddressCount);
      break;
    }
    case RIS_INTERFACE_ENABLED:
      link->enabled = true;
      break;
    case RIS_INTERFACE_DISABLED:
      link->enabled = false;
      break;
    case RIS_INTERFACE_MEDIA_PRESENT:
      link->has_media = true;
      break;
    case RIS_INTERFACE_MEDIA_ABSENT:
      link->has_media = false;
      break;
    default:
      return NO_ERROR;
  }
  return settle_if_complete();
}

DWORD Protocol::set_global(std::vector<std::uint8_t> block) {
  const std::lock_guard guard(lock_);
  block_.swap(block);
  try {
    use();
  } catch (const std::bad_alloc&) {
    block_.swap(block);
    throw;
  }
  if (settle_if_complete() == NO_ERROR) return NO_ERROR;
  block_.swap(block);
  use();
  static_cast<void>(settle_if_complete());
  return ERROR_CAN_NOT_COMPLETE;
}

DWORD Protocol::set_interface(std::uint32_t index, std::vector<std::uint8_t> block) {
  const std::lock_guard guard(lock_);
  Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  link->block = std::move(block);
  return NO_ERROR;
}

DWORD Protocol::has_interface(std::uint32_t index) {
  const std::lock_guard guard(lock_);
  return links_.find(index) != nullptr ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

std::vector<std::uint8_t> Protocol::global_block() {
  const std::lock_guard guard(lock_);
  return block_;
}

DWORD Protocol::interface_block(std::uint32_t index, std::vector<std::uint8_t>& block) {
  const std::lock_guard guard(lock_);
  const Links::Link* link = links_.find(index);
  if (link == nullptr) return ERROR_INVALID_PARAMETER;
  block = link->block;
  return NO_ERROR;
}

}  // namespace turnpike::modules
