// The constant name of an adapter, \Device\{…}: a UUID of version 5 (RFC 9562) over namespace, index and permanent
// address. It outlives a rename and a change of address; a device that is deleted and made again has another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ndis/port.h"

namespace turnpike::ndis {

std::string adapter_name_of(const AdapterFacts& facts);

// Whether a driver that says `said` means the adapter: its constant name or \Device\<name of the interface>, in any
// case.
bool names_adapter(std::string_view said, std::string_view constant, std::string_view interface_name);

// '*' and '?' as in a shell; case counts, as it does in names of interfaces.
bool glob_matches(std::string_view glob, std::string_view text);

// Whether an entry of a list means the adapter: a pattern of names, "kind:" and a pattern of kinds, or a permanent
// address.
bool matches(const std::string& entry, const AdapterFacts& facts);
bool matches_any(const std::vector<std::string>& list, const AdapterFacts& facts);

}  // namespace turnpike::ndis
