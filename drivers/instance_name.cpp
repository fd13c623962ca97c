#include "instance_name.h"

#include <cstdint>

namespace drivers {
namespace {

std::string utf8(const NDIS_STRING& text) {
  std::string out;
  for (std::size_t at = 0; at < text.Length / sizeof(WCHAR); ++at) {
    const auto letter = static_cast<std::uint32_t>(text.Buffer[at]);
    if (letter < 0x80) {
      out += static_cast<char>(letter);
    } else if (letter < 0x800) {
      out += {static_cast<char>(0xc0 | letter >> 6), static_cast<char>(0x80 | (letter & 0x3f))};
    } else {
      out += {static_cast<char>(0xe0 | (letter >> 12 & 0xf)), static_cast<char>(0x80 | (letter >> 6 & 0x3f)),
              static_cast<char>(0x80 | (letter & 0x3f))};
    }
  }
  return out;
}

}  // namespace

std::string instance_name(NDIS_HANDLE bind_context) {
  NDIS_STRING name = {};
  if (NdisQueryBindInstanceName(&name, bind_context) != NDIS_STATUS_SUCCESS) return "unknown";
  std::string text = utf8(name);
  NdisFreeMemory(name.Buffer, 0, 0);
  return text;
}

}  // namespace drivers
