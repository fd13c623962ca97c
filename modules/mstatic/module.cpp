// What the library exports: its description, and the entry point; and the two functions that multicast protocols have
// beside those of all.
#include "../entry/entry_points.h"
#include "protocol.h"

TP_MODULE_LIBRARY(&turnpike::modules::kMstaticModule, 1);
TP_MODULE_MIBS(&turnpike::modules::kMstaticMib, 1);

namespace turnpike::modules {
namespace {

using Entries = EntryPoints<MstaticProtocol>;

DWORD WINAPI get_neighbors(DWORD index, PDWORD list, PDWORD size, PBYTE flags) {
  if (size == nullptr || flags == nullptr) return ERROR_INVALID_PARAMETER;
  return Entries::guarded([&](MstaticProtocol& protocol) { return protocol.neighbours(index, list, size, flags); });
}

DWORD WINAPI get_mfe_status(DWORD index, DWORD group, DWORD source, PBYTE code) {
  if (code == nullptr) return ERROR_INVALID_PARAMETER;
  return Entries::guarded([&](MstaticProtocol& protocol) { return protocol.status_of(index, group, source, *code); });
}

}  // namespace
}  // namespace turnpike::modules

extern "C" TP_API DWORD WINAPI RegisterProtocol(PMPR_ROUTING_CHARACTERISTICS routing,
                                                PMPR_SERVICE_CHARACTERISTICS services) {
  const DWORD status = turnpike::modules::Entries::register_protocol(routing, services);
  if (status != NO_ERROR) return status;
  routing->pfnGetNeighbors = turnpike::modules::get_neighbors;
  routing->pfnGetMfeStatus = turnpike::modules::get_mfe_status;
  return NO_ERROR;
}
