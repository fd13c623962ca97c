// What the library exports: its description, and the entry point.
#include "../entry/entry_points.h"
#include "protocol.h"

TP_MODULE_LIBRARY(&turnpike::modules::kStaticModule, 1);
TP_MODULE_MIBS(&turnpike::modules::kStaticMib, 1);

extern "C" TP_API DWORD WINAPI RegisterProtocol(PMPR_ROUTING_CHARACTERISTICS routing,
                                                PMPR_SERVICE_CHARACTERISTICS services) {
  return turnpike::modules::EntryPoints<turnpike::modules::StaticProtocol>::register_protocol(routing, services);
}
