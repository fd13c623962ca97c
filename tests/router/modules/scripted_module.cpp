// A module that does what its script says (script.h). One library serves two protocols, each with functions of its own.
#include <mprerror.h>
#include <winerror.h>

#include <cstring>
#include <string>

#include "script.h"

namespace {

using turnpike::router::test::Script;

Script* scripts[2];

std::string text(const void* bytes, ULONG size) {
  return bytes == nullptr ? "null" : "'" + std::string(static_cast<const char*>(bytes), size) + "'";
}
std::string words(std::initializer_list<std::string> all) {
  std::string line;
  for (const std::string& each : all) line += (line.empty() ? "" : " ") + each;
  return line;
}
std::string number(std::uint64_t value) { return std::to_string(value); }

std::string narrow(const wchar_t* wide) {
  std::string result;
  for (; *wide != 0; ++wide) result += *wide < 0x80 ? static_cast<char>(*wide) : '?';
  return result;
}

std::string dotted(DWORD address) {
  unsigned char bytes[4];
  std::memcpy(bytes, &address, sizeof(bytes));
  return number(bytes[0]) + "." + number(bytes[1]) + "." + number(bytes[2]) + "." + number(bytes[3]);
}

std::string addresses(const void* info) {
  const auto& binding = *static_cast<const IP_ADAPTER_BINDING_INFO*>(info);
  std::string line = "[" + number(binding.AddressCount);
  for (ULONG i = 0; i < binding.AddressCount; ++i) {
    line += " " + dotted(binding.Address[i].Address) + "/" + dotted(binding.Address[i].Mask);
  }
  return line + "]";
}

std::string status(DWORD type, const void* info) {
  switch (type) {
    case RIS_INTERFACE_ADDRESS_CHANGE:
      return "addresses " + addresses(info);
    case RIS_INTERFACE_ENABLED:
      return "enabled " + text(info, 0);
    case RIS_INTERFACE_DISABLED:
      return "disabled " + text(info, 0);
    case RIS_INTERFACE_MEDIA_PRESENT:
      return "media-present " + text(info, 0);
    case RIS_INTERFACE_MEDIA_ABSENT:
      return "media-absent " + text(info, 0);
    default:
      return "?";
  }
}

// Two-call pattern, as documented.
DWORD give(DWORD code, const std::string& info, void* to, PULONG size, PULONG version, PULONG item, PULONG count) {
  if (size == nullptr) return ERROR_INVALID_PARAMETER;
  if (code != NO_ERROR) return code;
  const ULONG room = *size;
  *size = static_cast<ULONG>(info.size());
  if (version != nullptr) *version = 1;
  if (item != nullptr) *item = *size;
  if (count != nullptr) *count = 1;
  if (room < info.size()) return ERROR_INSUFFICIENT_BUFFER;
  std::memcpy(to, info.data(), info.size());
  return NO_ERROR;
}

template <int kSlot>
struct Face {
  static Script& script() { return *scripts[kSlot]; }

  static DWORD WINAPI start(HANDLE event, PSUPPORT_FUNCTIONS support, LPVOID info, ULONG version, ULONG size,
                            ULONG count) {
    script().event = event;
    script().support = *support;
    script().support_pointer = support;
    script().global = std::string(static_cast<const char*>(info), size);
    return script().note("StartProtocol", words({text(info, size), number(version), number(size), number(count)}));
  }
  static DWORD WINAPI start_complete() { return script().note("StartComplete"); }
  static DWORD WINAPI stop() { return script().note("StopProtocol"); }
  static DWORD WINAPI get_global(PVOID to, PULONG size, PULONG version, PULONG item, PULONG count) {
    const DWORD code = script().note("GetGlobalInfo", number(size == nullptr ? 0 : *size));
    return give(code, script().global, to, size, version, item, count);
  }
  static DWORD WINAPI set_global(PVOID info, ULONG version, ULONG size, ULONG count) {
    const DWORD code =
        script().note("SetGlobalInfo", words({text(info, size), number(version), number(size), number(count)}));
    if (code == NO_ERROR) script().global = std::string(static_cast<const char*>(info), size);
    return code;
  }
  static DWORD WINAPI power(DWORD) { return script().note("Power"); }
  static DWORD WINAPI add_interface(LPWSTR name, ULONG index, NET_INTERFACE_TYPE type, DWORD media, WORD access,
                                    WORD connection, PVOID info, ULONG version, ULONG size, ULONG count) {
    const DWORD code = script().note(
        "AddInterface", words({narrow(name), number(index), number(type), number(media), number(access),
                               number(connection), text(info, size), number(version), number(size), number(count)}));
    if (code == NO_ERROR) script().interfaces[index] = std::string(static_cast<const char*>(info), size);
    return code;
  }
  static DWORD WINAPI delete_interface(ULONG index) {
    script().interfaces.erase(index);
    return script().note("DeleteInterface", number(index));
  }
  static DWORD WINAPI interface_status(ULONG index, BOOL active, DWORD type, PVOID info) {
    return script().note("InterfaceStatus",
                         words({number(index), active != FALSE ? "active" : "inactive", status(type, info)}));
  }
  static DWORD WINAPI get_interface(ULONG index, PVOID to, PULONG size, PULONG version, PULONG item, PULONG count) {
    const DWORD code = script().note("GetInterfaceInfo", words({number(index), number(size == nullptr ? 0 : *size)}));
    return give(code, script().interfaces[index], to, size, version, item, count);
  }
  static DWORD WINAPI set_interface(ULONG index, PVOID info, ULONG version, ULONG size, ULONG count) {
    const DWORD code = script().note(
        "SetInterfaceInfo", words({number(index), text(info, size), number(version), number(size), number(count)}));
    if (code == NO_ERROR) script().interfaces[index] = std::string(static_cast<const char*>(info), size);
    return code;
  }
  static DWORD WINAPI next_message(ROUTING_PROTOCOL_EVENTS* what, MESSAGE* message) {
    return script().next(*what, *message) ? NO_ERROR : ERROR_NO_MORE_ITEMS;
  }
  static DWORD WINAPI update(ULONG index) { return script().note("DoUpdateRoutes", number(index)); }
  static DWORD WINAPI neighbors(DWORD, PDWORD, PDWORD, PBYTE) { return script().note("GetNeighbors"); }
  static DWORD WINAPI mfe_status(DWORD, DWORD, DWORD, PBYTE) { return script().note("GetMfeStatus"); }
  template <char kLetter>
  static DWORD WINAPI change_mib(ULONG size, PVOID data) {
    return script().note(std::string("Mib") + kLetter, text(data, size));
  }
  // Gives back what was asked, with "!" behind it.
  template <char kLetter>
  static DWORD WINAPI read_mib(ULONG in_size, PVOID in, PULONG out_size, PVOID out) {
    const DWORD code = script().note(std::string("Mib") + kLetter, words({text(in, in_size), number(*out_size)}));
    const std::string answer = std::string(static_cast<const char*>(in), in_size) + "!";
    return give(code, answer, out, out_size, nullptr, nullptr, nullptr);
  }
  static BOOL WINAPI is_service(USHORT, PUCHAR, PIPX_SERVICE) {
    return script().note("IsService") == NO_ERROR ? TRUE : FALSE;
  }
  static DWORD WINAPI update_services(ULONG) { return script().note("UpdateServices"); }

  static void fill(MPR_ROUTING_CHARACTERISTICS& f) {
    f.fSupportedFunctionality &= RF_ROUTING;
    f.pfnStartProtocol = start;
    f.pfnStartComplete = start_complete;
    f.pfnStopProtocol = stop;
    f.pfnGetGlobalInfo = get_global;
    f.pfnSetGlobalInfo = set_global;
    f.pfnQueryPower = power;
    f.pfnSetPower = power;
    f.pfnAddInterface = add_interface;
    f.pfnDeleteInterface = delete_interface;
    f.pfnInterfaceStatus = interface_status;
    f.pfnGetInterfaceInfo = get_interface;
    f.pfnSetInterfaceInfo = set_interface;
    f.pfnGetEventMessage = next_message;
    f.pfnUpdateRoutes = update;
    f.pfnGetNeighbors = neighbors;
    f.pfnGetMfeStatus = mfe_status;
    f.pfnMibCreateEntry = change_mib<'C'>;
    f.pfnMibDeleteEntry = change_mib<'D'>;
    f.pfnMibSetEntry = change_mib<'S'>;
    f.pfnMibGetEntry = read_mib<'G'>;
    f.pfnMibGetFirstEntry = read_mib<'F'>;
    f.pfnMibGetNextEntry = read_mib<'N'>;
  }
  static void fill(MPR_SERVICE_CHARACTERISTICS& services) {
    services.fSupportedFunctionality = 0;
    services.pfnIsService = is_service;
    services.pfnUpdateServices = update_services;
  }
};

template <class Structure>
bool has_pointers(const Structure& structure, std::size_t first) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&structure);
  for (std::size_t i = first; i < sizeof(structure); ++i) {
    if (bytes[i] != 0) return true;
  }
  return false;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) DWORD WINAPI RegisterProtocol(PMPR_ROUTING_CHARACTERISTICS routing,
                                                                                PMPR_SERVICE_CHARACTERISTICS services) {
  Script* script = router_test_script(routing->dwProtocolId);
  if (script == nullptr) return ERROR_NOT_SUPPORTED;
  const bool pointers = has_pointers(*routing, offsetof(MPR_ROUTING_CHARACTERISTICS, pfnStartProtocol)) ||
                        has_pointers(*services, offsetof(MPR_SERVICE_CHARACTERISTICS, pfnIsService));
  const DWORD code = script->note(
      "RegisterProtocol",
      words({number(routing->dwVersion), number(routing->dwProtocolId), number(routing->fSupportedFunctionality),
             number(services->dwVersion), number(services->fSupportedFunctionality), pointers ? "pointers" : "zeros"}));
  const int slot = scripts[0] == nullptr || scripts[0] == script ? 0 : 1;
  scripts[slot] = script;
  slot == 0 ? Face<0>::fill(*routing) : Face<1>::fill(*routing);
  slot == 0 ? Face<0>::fill(*services) : Face<1>::fill(*services);
  if (script->at_registration) script->at_registration(*routing, *services);
  return code;
}
