/* The tables of this host's interfaces, IPv4 addresses and routes, as they are at the moment of the call, in the
 * network namespace of the calling thread. Read only.
 *
 * Who asks for a table tells the size of his buffer, in bytes. Where that is too small (or the buffer null), the error
 * is ERROR_INSUFFICIENT_BUFFER (of GetAdaptersInfo ERROR_BUFFER_OVERFLOW), the size becomes what is needed, and nothing
 * else is written. ERROR_INVALID_PARAMETER for a null pointer to the size, or to a result. ERROR_BUSY: the table did
 * not hold still for ten attempts. Other failures of the kernel: ERROR_NOT_ENOUGH_MEMORY, ERROR_ACCESS_DENIED,
 * ERROR_GEN_FAILURE.
 *
 * An interface is named by its name on Linux ("eth0"), where Windows has \DEVICE\TCPIP_{...}; its index is the
 * kernel's. Counters have 32 bits here and begin anew; a speed that does not fit is the largest number. */
#ifndef __IPHLPAPI_H__
#define __IPHLPAPI_H__

#include "ipexport.h"
#include "iprtrmib.h"
#include "iptypes.h"
#include "minwinbase.h"

struct sockaddr;

TP_BEGIN

/* All interfaces, loopback among them. */
DWORD WINAPI GetNumberOfInterfaces(PDWORD pdwNumIf) TP_SHIM(GetNumberOfInterfaces);

/* By index always; bOrder is accepted. dwLastChange and dwOutQLen, which the kernel does not tell, are 0. */
DWORD WINAPI GetIfTable(PMIB_IFTABLE pIfTable, PULONG pdwSize, BOOL bOrder) TP_SHIM(GetIfTable);

/* The row of pIfRow->dwIndex. ERROR_INVALID_DATA for 0, ERROR_NOT_FOUND where no interface has that index. */
DWORD WINAPI GetIfEntry(PMIB_IFROW pIfRow) TP_SHIM(GetIfEntry);

/* The interfaces but loopback. ERROR_NO_DATA: there is none. */
DWORD WINAPI GetInterfaceInfo(PIP_INTERFACE_INFO pIfTable, PULONG dwOutBufLen) TP_SHIM(GetInterfaceInfo);

/* The same with their addresses and gateways, linked to a list. An interface without an address has "0.0.0.0" once, and
 * so has one without a gateway. DHCP: whether an address was given for a time; by whom, the kernel does not know. */
ULONG WINAPI GetAdaptersInfo(PIP_ADAPTER_INFO AdapterInfo, PULONG SizePointer) TP_SHIM(GetAdaptersInfo);

/* By interface, or ordered by address. dwBCastAddr is 1, as on Windows: the lowest bit of a broadcast address. */
DWORD WINAPI GetIpAddrTable(PMIB_IPADDRTABLE pIpAddrTable, PULONG pdwSize, BOOL bOrder) TP_SHIM(GetIpAddrTable);

/* The unicast routes of the main table, a row for each next hop; ordered by destination, mask, metric and next hop if
 * asked. The next hop of a connected network is this host's address there. ERROR_NO_DATA: there is none. */
DWORD WINAPI GetIpForwardTable(PMIB_IPFORWARDTABLE pIpForwardTable, PULONG pdwSize, BOOL bOrder)
    TP_SHIM(GetIpForwardTable);

/* What the kernel would do with a packet to the address (and from the other, where that is not 0): its rules, tables
 * and next hops are asked, so the row need not be one of GetIpForwardTable. ERROR_NETWORK_UNREACHABLE or
 * ERROR_HOST_UNREACHABLE: there is no way. ERROR_INVALID_PARAMETER also for a source that is not this host's. */
DWORD WINAPI GetBestRoute(DWORD dwDestAddr, DWORD dwSourceAddr, PMIB_IPFORWARDROW pBestRoute) TP_SHIM(GetBestRoute);
DWORD WINAPI GetBestInterface(IPAddr dwDestAddr, PDWORD pdwBestIfIndex) TP_SHIM(GetBestInterface);

/* AF_INET or AF_INET6; of a link-local IPv6 address with a zone, the zone. ERROR_INVALID_PARAMETER for another family.
 */
DWORD WINAPI GetBestInterfaceEx(struct sockaddr* pDestAddr, PDWORD pdwBestIfIndex) TP_SHIM(GetBestInterfaceEx);

TP_END

#endif
