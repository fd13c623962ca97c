// The LLDP driver, for a program that links it: its settings before DriverEntry is called, its table at any time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <ndis.h>

namespace lldp {

struct Settings {
  std::string system_name;         // empty: the host's
  std::string system_description;  // empty: none
  std::uint32_t interval_s = 30;
  std::uint32_t hold = 4;              // an announcement lives that many intervals
  std::function<void()> changed = {};  // the table has; called on a thread of NDIS, and returns soon
};

void configure(Settings settings);
[[nodiscard]] std::string table();  // as JSON
// Tells the neighbours that this station goes. Before the driver is unloaded: NDIS unbinds it before it asks it to go.
void leave();

}  // namespace lldp

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path);
extern "C" void TpNdisDriverLeaves();  // leave(), where the driver is a shared object
