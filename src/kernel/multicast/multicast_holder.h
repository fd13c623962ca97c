// Who has a multicast table that we do not get.
#pragma once

#include <string>

#include "net/address.h"

namespace turnpike::kernel {

// The processes that have a socket in this network namespace by which one can hold a multicast table of that family:
// "process 4711 (pimd)", several with commas between them. The kernel does not tell which of a process's sockets holds
// a table, nor which table, so this is as near as one comes. `own` is left out: the inode of the asker's socket.
std::string multicast_holders(net::Family family, unsigned long own);

// "process 4711 (pimd)".
std::string process_named(const std::string& number);

}  // namespace turnpike::kernel
