// The capture driver, for a program that links it: its settings before DriverEntry is called, what came of it at any
// time.
#pragma once

#include <ndis.h>

#include <functional>

#include "spool.h"

namespace capture {

struct Settings {
  Spool* spool = nullptr;  // where frames go; outlives the driver. Null: nothing is opened, only offers() counts
  bool promiscuous = true;
  std::function<void()> more = {};  // has come into the spool; called on a thread of NDIS, and returns soon
};

// An interface that was offered and could not be opened.
struct Refusal {
  std::string interface;
  NDIS_STATUS status = NDIS_STATUS_SUCCESS;
  int system_code = 0;  // errno, where there was one
};

void configure(Settings settings);
// Waits until what is there by now has been offered to the driver. 0: for ever.
bool await_binds(std::uint32_t milliseconds);
[[nodiscard]] std::vector<std::string> offers();  // the names of all interfaces that NDIS has offered so far
[[nodiscard]] std::vector<Refusal> refusals();
// Of all interfaces that there were, by the spool's numbers; of those that are bound, as of now.
[[nodiscard]] std::vector<Statistics> statistics();
[[nodiscard]] std::vector<std::string> interfaces();  // their names, in the same order

}  // namespace capture

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path);
