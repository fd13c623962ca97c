#include "instance_name.h"

namespace drivers {

std::string instance_name(NDIS_HANDLE bind_context_or_binding) {
  NDIS_STRING name = {};
  if (NdisQueryBindInstanceName(&name, bind_context_or_binding) != NDIS_STATUS_SUCCESS) return kUnknown;
  ANSI_STRING narrow = {};  // which is UTF-8 here
  const NTSTATUS made = RtlUnicodeStringToAnsiString(&narrow, &name, TRUE);
  NdisFreeMemory(name.Buffer, 0, 0);
  if (made != STATUS_SUCCESS) return kUnknown;
  std::string text(narrow.Buffer, narrow.Length);
  RtlFreeAnsiString(&narrow);
  return text;
}

}  // namespace drivers
