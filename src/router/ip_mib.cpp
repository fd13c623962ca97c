#include "router/ip_mib.h"

#include <iphlpapi.h>
#include <iprtrmib.h>
#include <rtm.h>
#include <winerror.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

namespace turnpike::router {
namespace {

using Column = std::uint32_t;

constexpr std::size_t kMostColumns = 4;
constexpr unsigned kMostReadings = 8;  // of a table that grows meanwhile

// Addresses are compared as numbers, and come in network order.
Column number_of(DWORD address) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(address) : address;
}

// The index behind the variable's number; false: the query is shorter.
template <std::size_t kColumns>
bool read_index(const MibRequest& request, std::array<DWORD, kColumns>& index) {
  if (request.in_size < sizeof(DWORD) + sizeof(index)) return false;
  std::memcpy(index.data(), static_cast<const std::byte*>(request.in) + sizeof(DWORD), sizeof(index));
  return true;
}

// The rows of a table of iphlpapi.
template <class Table, class Row = std::remove_extent_t<decltype(Table::table)>>
DWORD read_table(DWORD(WINAPI* read)(Table*, PULONG, BOOL), std::vector<Row>& rows) {
  std::vector<std::byte> bytes(sizeof(Table));
  DWORD code = ERROR_INSUFFICIENT_BUFFER;
  for (unsigned i = 0; i < kMostReadings && code == ERROR_INSUFFICIENT_BUFFER; ++i) {
    auto size = static_cast<ULONG>(bytes.size());
    code = read(reinterpret_cast<Table*>(bytes.data()), &size, TRUE);
    if (code == ERROR_INSUFFICIENT_BUFFER) bytes.resize(size);
  }
  if (code == ERROR_NO_DATA) return NO_ERROR;
  if (code != NO_ERROR) return code;
  const auto* table = reinterpret_cast<const Table*>(bytes.data());
  rows.assign(table->table, table->table + table->dwNumEntries);
  return NO_ERROR;
}

// What the routing table knows of a route better than the kernel does.
void name_owner(MIB_IPFORWARDROW& row) {
  IP_NETWORK network{row.dwForwardDest, row.dwForwardMask};
  RTM_IP_ROUTE best{};
  if (RtmIsRoute(RTM_PROTOCOL_FAMILY_IP, &network, &best) == FALSE) return;
  if (best.RR_NextHopAddress.N_NetNumber != row.dwForwardNextHop || best.RR_InterfaceID != row.dwForwardIfIndex) return;
  row.dwForwardProto = best.RR_RoutingProtocol;
  row.dwForwardAge = RtmGetRouteAge(&best);
  row.dwForwardMetric1 = best.RR_FamilySpecificData.FSD_Metric;
}

DWORD read_routes(std::vector<MIB_IPFORWARDROW>& rows) {
  const DWORD code = read_table(GetIpForwardTable, rows);
  std::ranges::for_each(rows, name_owner);
  return code;
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers

template <class Value>
DWORD give_value(const MibRequest& request, DWORD variable, const Value& value) {
  return give(request, variable, std::as_bytes(std::span(&value, 1)));
}

// A table as a whole: there is one of it.
template <class Row>
DWORD give_table(const MibRequest& request, DWORD variable, DWORD code, const std::vector<Row>& rows) {
  if (request.call == MibCall::kGetNext) return ERROR_NO_MORE_ITEMS;
  if (code != NO_ERROR) return code;
  const auto count = static_cast<DWORD>(rows.size());
  const auto rest = std::as_bytes(std::span(rows));
  std::vector<std::byte> data(sizeof(count));
  std::memcpy(data.data(), &count, sizeof(count));
  data.insert(data.end(), rest.begin(), rest.end());
  return give(request, variable, data);
}

// Or only how many rows it has.
template <class Row>
DWORD give_number(const MibRequest& request, DWORD variable, DWORD code, const std::vector<Row>& rows) {
  if (request.call == MibCall::kGetNext) return ERROR_NO_MORE_ITEMS;
  return code != NO_ERROR ? code : give_value(request, variable, static_cast<DWORD>(rows.size()));
}

// The row that is asked for by index, the first, or the next one behind an index. `key_of` puts a row's index and a
// query's, as it came, into an order.
template <std::size_t kColumns, class Row, class IndexOf, class Order>
DWORD give_row(const MibRequest& request, DWORD variable, DWORD code, const std::vector<Row>& rows, IndexOf index_of,
               Order order) {
  std::array<DWORD, kColumns> asked{};
  if (request.call != MibCall::kGetFirst && !read_index(request, asked)) return ERROR_INVALID_PARAMETER;
  if (code != NO_ERROR) return code;
  const Row* found = nullptr;
  for (const Row& row : rows) {
    const auto key = order(index_of(row));
    const bool fits =
        request.call == MibCall::kGet ? key == order(asked) : request.call == MibCall::kGetFirst || key > order(asked);
    if (fits && (found == nullptr || key < order(index_of(*found)))) found = &row;
  }
  if (found == nullptr) return request.call == MibCall::kGet ? ERROR_NOT_FOUND : ERROR_NO_MORE_ITEMS;
  return give_value(request, variable, *found);
}

// Interfaces: IF_NUMBER, IF_TABLE, IF_ROW by its index.
DWORD read_interfaces(const MibRequest& request, DWORD variable) {
  std::vector<MIB_IFROW> rows;
  const DWORD code = read_table(GetIfTable, rows);
  if (variable == IF_ROW) {
    return give_row<1>(
        request, variable, code, rows, [](const MIB_IFROW& row) { return std::array{row.dwIndex}; },
        [](const std::array<DWORD, 1>& index) { return index; });
  }
  return variable == IF_TABLE ? give_table(request, variable, code, rows) : give_number(request, variable, code, rows);
}

// IP_ADDRTABLE, IP_ADDRROW by its address.
DWORD read_addresses(const MibRequest& request, DWORD variable) {
  std::vector<MIB_IPADDRROW> rows;
  const DWORD code = read_table(GetIpAddrTable, rows);
  if (variable == IP_ADDRROW) {
    return give_row<1>(
        request, variable, code, rows, [](const MIB_IPADDRROW& row) { return std::array{row.dwAddr}; },
        [](const std::array<DWORD, 1>& index) { return number_of(index[0]); });
  }
  return give_table(request, variable, code, rows);
}

// IP_FORWARDNUMBER, IP_FORWARDTABLE, IP_FORWARDROW by destination, protocol, policy and next hop.
DWORD read_forwarding(const MibRequest& request, DWORD variable) {
  std::vector<MIB_IPFORWARDROW> rows;
  const DWORD code = read_routes(rows);
  if (variable == IP_FORWARDROW) {
    return give_row<kMostColumns>(
        request, variable, code, rows,
        [](const MIB_IPFORWARDROW& row) {
          return std::array{row.dwForwardDest, row.dwForwardProto, row.dwForwardPolicy, row.dwForwardNextHop};
        },
        [](const std::array<DWORD, kMostColumns>& index) {
          return std::array{number_of(index[0]), index[1], index[2], number_of(index[3])};
        });
  }
  return variable == IP_FORWARDNUMBER ? give_number(request, variable, code, rows)
                                      : give_table(request, variable, code, rows);
}

// BEST_IF by destination, BEST_ROUTE by destination and, where the query has one, source. There is none before another.
DWORD read_best(const MibRequest& request, DWORD variable) {
  if (request.call != MibCall::kGet) return ERROR_NOT_SUPPORTED;
  std::array<DWORD, 1> destination{};
  std::array<DWORD, 2> both{};
  if (!read_index(request, destination)) return ERROR_INVALID_PARAMETER;
  const DWORD source = read_index(request, both) ? both[1] : 0;
  MIB_IPFORWARDROW row{};
  if (GetBestRoute(destination[0], source, &row) != NO_ERROR) return ERROR_NOT_FOUND;
  if (variable == BEST_IF) {
    return give_value(request, variable, MIB_BEST_IF{destination[0], row.dwForwardIfIndex});
  }
  name_owner(row);
  return give_value(request, variable, row);
}

}  // namespace

DWORD give(const MibRequest& request, DWORD variable, std::span<const std::byte> data) {
  if (request.out_size == nullptr) return ERROR_INVALID_PARAMETER;
  const auto size = static_cast<DWORD>(MAX_MIB_OFFSET + data.size());
  const DWORD room = std::exchange(*request.out_size, size);
  if (request.out == nullptr || room < size) return ERROR_INSUFFICIENT_BUFFER;
  auto* out = static_cast<std::byte*>(request.out);
  std::memset(out, 0, MAX_MIB_OFFSET);
  std::memcpy(out, &variable, sizeof(variable));
  std::memcpy(out + MAX_MIB_OFFSET, data.data(), data.size());
  return NO_ERROR;
}

DWORD read_ip_variable(const MibRequest& request) {
  DWORD variable = 0;
  std::memcpy(&variable, request.in, sizeof(variable));
  switch (variable) {
    case IF_NUMBER:
    case IF_TABLE:
    case IF_ROW:
      return read_interfaces(request, variable);
    case IP_ADDRTABLE:
    case IP_ADDRROW:
      return read_addresses(request, variable);
    case IP_FORWARDNUMBER:
    case IP_FORWARDTABLE:
    case IP_FORWARDROW:
      return read_forwarding(request, variable);
    case BEST_IF:
    case BEST_ROUTE:
      return read_best(request, variable);
    default:
      return ERROR_NOT_SUPPORTED;
  }
}

}  // namespace turnpike::router
