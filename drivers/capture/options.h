// The command line of turnpike-capture: what a person says, and what Wireshark says to an extcap program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace capture {

extern const char* const kUsage;

struct Options {
  enum class Task : std::uint8_t { kCapture, kHelp, kVersion, kExtcapInterfaces, kExtcapDlts, kExtcapConfig };
  Task task = Task::kCapture;
  std::string interfaces;  // patterns, separated by commas; empty: all Ethernet interfaces
  std::string path;
  bool promiscuous = true;
  std::uint32_t snap_length = 262'144;
  std::uint64_t frames = 0;  // 0: any number, as below
  std::uint32_t seconds = 0;
  std::uint32_t buffer_mib = 16;
  std::uint32_t file_kib = 0;
  std::uint32_t files = 0;
  bool for_wireshark = false;  // which shows what is said as an error
};

// Nothing: standard error has why.
std::optional<Options> read_options(int count, char** words);

}  // namespace capture
