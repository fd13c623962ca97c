// The entry points of a module (routprot.h) over its class. The router manager calls one at a time; each finds the
// protocol that runs, or says that none does, checks what it was given, and lets no exception out.
//
//   using Entries = EntryPoints<StaticProtocol>;
//
// The class derives from Protocol (protocol.h) and has beside that: `kModule` (a pointer to its TpModule), `kFunctions`
// (its RF_… bits), `is_right(block, size)` for its global block, and what it answers by its MIB: `Counts` with
// `counts()`, `Row` with `row(number, row)`.
//
// Rejected: a library of the router's for modules to link with. What a module needs of this it compiles itself, as one
// that is written elsewhere has to.
#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "protocol.h"
#include "turnpike/module.h"

namespace turnpike::modules {

inline std::vector<std::uint8_t> bytes_of(const void* block, ULONG size) {
  const auto* from = static_cast<const std::uint8_t*>(block);
  return from == nullptr ? std::vector<std::uint8_t>() : std::vector<std::uint8_t>(from, from + size);
}

// No block, or zeros, which is how a router says that a protocol without settings is there.
inline bool is_nothing(const void* block, ULONG size) {
  if (block == nullptr) return size == 0;
  return size <= 4 && bytes_of(block, size) == std::vector<std::uint8_t>(size);
}

// Hands a block out, by the two-call pattern.
inline DWORD answer(const void* from, std::size_t size, PVOID to, PULONG room) {
  const ULONG had = *room;
  *room = static_cast<ULONG>(size);
  if (had < size || (to == nullptr && size > 0)) return ERROR_INSUFFICIENT_BUFFER;
  if (size > 0) std::memcpy(to, from, size);
  return NO_ERROR;
}

inline DWORD answer_block(const std::vector<std::uint8_t>& block, PVOID to, PULONG room, PULONG version, PULONG size,
                          PULONG count) {
  if (version != nullptr) *version = 1;
  if (size != nullptr) *size = static_cast<ULONG>(block.size());
  if (count != nullptr) *count = 1;
  return answer(block.data(), block.size(), to, room);
}

// Interface names are those of kernel devices, which are bytes; what a name has beyond ASCII matches nothing.
inline std::string name_of(const wchar_t* name) {
  std::string out;
  for (; name != nullptr && *name != L'\0'; ++name) out += *name < 0x80 ? static_cast<char>(*name) : '?';
  return out;
}

template <class P>
class EntryPoints {
 public:
  // Made by StartProtocol, gone with StopProtocol. The readers (MibGet…) come from other threads only in between.
  static inline std::unique_ptr<P> running;

  static DWORD register_protocol(MPR_ROUTING_CHARACTERISTICS* routing, MPR_SERVICE_CHARACTERISTICS* services) {
    if (routing == nullptr || services == nullptr || routing->dwProtocolId != P::kModule->protocol_id ||
        routing->dwVersion < MS_ROUTER_VERSION || (routing->fSupportedFunctionality & RF_ROUTING) == 0) {
      return ERROR_NOT_SUPPORTED;
    }
    routing->dwVersion = MS_ROUTER_VERSION;
    routing->fSupportedFunctionality &= P::kFunctions;
    fill(*routing);
    services->fSupportedFunctionality = 0;
    return NO_ERROR;
  }

  template <class F>
  static DWORD guarded(F&& call) noexcept {
    if (running == nullptr) return ERROR_CAN_NOT_COMPLETE;
    try {
      return call(*running);
    } catch (const std::bad_alloc&) {
      return ERROR_CAN_NOT_COMPLETE;
    }
  }

 private:
  static bool is_global(const void* block, ULONG version, ULONG size, ULONG count) {
    return version == 1 && count == 1 && P::is_right(block, size);
  }

  static DWORD WINAPI start_protocol(HANDLE event, PSUPPORT_FUNCTIONS support, LPVOID info, ULONG version, ULONG size,
                                     ULONG count) {
    if (event == nullptr || support == nullptr || !is_global(info, version, size, count)) {
      return ERROR_INVALID_PARAMETER;
    }
    if (running != nullptr) return ERROR_CAN_NOT_COMPLETE;
    try {
      running = std::make_unique<P>(*support, bytes_of(info, size));
    } catch (const std::bad_alloc&) {
      return ERROR_CAN_NOT_COMPLETE;
    }
    return NO_ERROR;
  }

  static DWORD WINAPI start_complete() {
    return guarded([](P& protocol) { return protocol.start_complete(); });
  }

  static DWORD WINAPI stop_protocol() {
    if (running == nullptr) return ERROR_CAN_NOT_COMPLETE;
    running.reset();
    return NO_ERROR;
  }

  static DWORD WINAPI get_global_info(PVOID info, PULONG room, PULONG version, PULONG size, PULONG count) {
    if (room == nullptr) return ERROR_INVALID_PARAMETER;
    return guarded(
        [&](P& protocol) { return answer_block(protocol.global_block(), info, room, version, size, count); });
  }

  static DWORD WINAPI set_global_info(PVOID info, ULONG version, ULONG size, ULONG count) {
    if (!is_global(info, version, size, count)) return ERROR_INVALID_PARAMETER;
    return guarded([&](P& protocol) { return protocol.set_global(bytes_of(info, size)); });
  }

  static DWORD WINAPI add_interface(LPWSTR name, ULONG index, NET_INTERFACE_TYPE, DWORD, WORD, WORD, PVOID info, ULONG,
                                    ULONG size, ULONG) {
    if (index == 0 || name == nullptr || !is_nothing(info, size)) return ERROR_INVALID_PARAMETER;
    return guarded([&](P& protocol) {
      Links::Link link;
      link.name = name_of(name);
      link.block = bytes_of(info, size);
      return protocol.add_interface(index, std::move(link));
    });
  }

  static DWORD WINAPI delete_interface(ULONG index) {
    return guarded([&](P& protocol) { return protocol.delete_interface(index); });
  }

  static DWORD WINAPI interface_status(ULONG index, BOOL, DWORD type, PVOID info) {
    return guarded([&](P& protocol) { return protocol.interface_status(index, type, info); });
  }

  static DWORD WINAPI get_interface_info(ULONG index, PVOID info, PULONG room, PULONG version, PULONG size,
                                         PULONG count) {
    if (room == nullptr) return ERROR_INVALID_PARAMETER;
    return guarded([&](P& protocol) {
      std::vector<std::uint8_t> block;
      const DWORD status = protocol.interface_block(index, block);
      return status != NO_ERROR ? status : answer_block(block, info, room, version, size, count);
    });
  }

  static DWORD WINAPI set_interface_info(ULONG index, PVOID info, ULONG, ULONG size, ULONG) {
    if (info == nullptr || !is_nothing(info, size)) return ERROR_INVALID_PARAMETER;
    return guarded([&](P& protocol) { return protocol.set_interface(index, bytes_of(info, size)); });
  }

  // There is nothing that we would have to say.
  static DWORD WINAPI get_event_message(ROUTING_PROTOCOL_EVENTS*, MESSAGE*) { return ERROR_NO_MORE_ITEMS; }

  static DWORD WINAPI client(ULONG index, PVOID) {
    return guarded([&](P& protocol) { return protocol.has_interface(index); });
  }

  static DWORD WINAPI mib_get(ULONG size, PVOID, PULONG room, PVOID to) {
    if (size != 0 || room == nullptr) return ERROR_INVALID_PARAMETER;
    return guarded([&](P& protocol) {
      const typename P::Counts counts = protocol.counts();
      return answer(&counts, sizeof counts, to, room);
    });
  }

  static DWORD row_from(std::uint32_t number, PULONG room, PVOID to) {
    return guarded([&](P& protocol) {
      typename P::Row row;
      const DWORD status = protocol.row(number, row);
      return status != NO_ERROR ? status : answer(&row, sizeof row, to, room);
    });
  }

  static DWORD WINAPI mib_get_first(ULONG, PVOID, PULONG room, PVOID to) {
    return room == nullptr ? ERROR_INVALID_PARAMETER : row_from(0, room, to);
  }

  static DWORD WINAPI mib_get_next(ULONG size, PVOID input, PULONG room, PVOID to) {
    std::uint32_t number = 0;
    if (room == nullptr || input == nullptr || size != sizeof number) return ERROR_INVALID_PARAMETER;
    std::memcpy(&number, input, sizeof number);
    return number == 0xFFFFFFFF ? ERROR_NO_MORE_ITEMS : row_from(number + 1, room, to);
  }

  // What there is comes from the configuration, and from nowhere else.
  static DWORD WINAPI mib_change(ULONG size, PVOID input) {
    return size != 0 && input == nullptr ? ERROR_INVALID_PARAMETER : ERROR_CAN_NOT_COMPLETE;
  }

  static DWORD WINAPI mib_set_trap(HANDLE, ULONG, PVOID, PULONG, PVOID) { return ERROR_ACCESS_DENIED; }
  static DWORD WINAPI mib_get_trap(ULONG, PVOID, PULONG, PVOID) { return ERROR_ACCESS_DENIED; }

  static void fill(MPR_ROUTING_CHARACTERISTICS& routing) {
    routing.pfnStartProtocol = start_protocol;
    routing.pfnStartComplete = start_complete;
    routing.pfnStopProtocol = stop_protocol;
    routing.pfnGetGlobalInfo = get_global_info;
    routing.pfnSetGlobalInfo = set_global_info;
    routing.pfnQueryPower = nullptr;
    routing.pfnSetPower = nullptr;
    routing.pfnAddInterface = add_interface;
    routing.pfnDeleteInterface = delete_interface;
    routing.pfnInterfaceStatus = interface_status;
    routing.pfnGetInterfaceInfo = get_interface_info;
    routing.pfnSetInterfaceInfo = set_interface_info;
    routing.pfnGetEventMessage = get_event_message;
    routing.pfnUpdateRoutes = nullptr;
    routing.pfnConnectClient = client;
    routing.pfnDisconnectClient = client;
    routing.pfnGetNeighbors = nullptr;  // a multicast protocol puts its own in its place
    routing.pfnGetMfeStatus = nullptr;
    routing.pfnMibCreateEntry = mib_change;
    routing.pfnMibDeleteEntry = mib_change;
    routing.pfnMibGetEntry = mib_get;
    routing.pfnMibSetEntry = mib_change;
    routing.pfnMibGetFirstEntry = mib_get_first;
    routing.pfnMibGetNextEntry = mib_get_next;
    routing.pfnMibSetTrapInfo = mib_set_trap;
    routing.pfnMibGetTrapInfo = mib_get_trap;
  }
};

}  // namespace turnpike::modules
