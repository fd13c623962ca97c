// One thread that watches all sockets which wait for something in the background. It is there while a socket is
// watched.
#pragma once

#include "win32/sockets/socket.h"

namespace turnpike::win32 {

// From now on each change of what the socket is ready for is told to it (Socket::on_edge). False: no descriptor,
// thread or memory is left.
bool begin_watching(const Socket& socket);
void end_watching(const Socket& socket);

// Returns when nothing is being told that was on its way: whoever has ended the watching is then alone with the socket.
void await_delivery();

}  // namespace turnpike::win32
